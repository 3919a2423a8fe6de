/* main.c - `hilum-desktop`, the window. */
#include <glib/gi18n.h>
#include <locale.h>

#include "app_secrets.h"
#include "application.h"
#include "settings/passphrase.h"

#define FAILED 1
#define MISUSED 2

typedef struct {
  char *model, *mmproj, *template_name, *log;
  char *engine, *engine_model, *engine_ca, *engine_proxy;
  int engine_timeout;
  gboolean engine_insecure, no_log, no_cache, version;
} Options;

static void
options_clear(Options *o)
{
  g_free(o->model);
  g_free(o->mmproj);
  g_free(o->template_name);
  g_free(o->log);
  g_free(o->engine);
  g_free(o->engine_model);
  g_free(o->engine_ca);
  g_free(o->engine_proxy);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static gboolean
parse(Options *o, int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
      {"model", 'm', 0, G_OPTION_ARG_FILENAME, &o->model,
       N_("Checkpoint folder or GGUF file (default: the demo model)"), "PATH"},
      {"mmproj", 0, 0, G_OPTION_ARG_FILENAME, &o->mmproj,
       N_("GGUF file with the vision tower and projector"), "FILE"},
      {"template", 0, 0, G_OPTION_ARG_STRING, &o->template_name,
       N_("Conversation template (default: the model's own)"), "NAME"},
      {"engine", 0, 0, G_OPTION_ARG_STRING, &o->engine,
       N_("Ask a server that speaks OpenAI's chat completions: PICTURES LEAVE THIS MACHINE"),
       "URL"},
      {"engine-model", 0, 0, G_OPTION_ARG_STRING, &o->engine_model,
       N_("Which of the server's models"), "NAME"},
      {"engine-ca", 0, 0, G_OPTION_ARG_FILENAME, &o->engine_ca,
       N_("Certificate of the authority that vouches for the server (default: the system's)"),
       "FILE"},
      {"engine-proxy", 0, 0, G_OPTION_ARG_STRING, &o->engine_proxy,
       N_("Proxy on the way to the server (default: none, whatever the environment says)"), "URL"},
      {"engine-timeout", 0, 0, G_OPTION_ARG_INT, &o->engine_timeout,
       N_("Longest silence of the server (default: 300 to the first word, 60 after it)"),
       "SECONDS"},
      {"engine-insecure", 0, 0, G_OPTION_ARG_NONE, &o->engine_insecure,
       N_("Allow http:// to another machine: pictures go unencrypted"), NULL},
      {"log", 0, 0, G_OPTION_ARG_FILENAME, &o->log,
       N_("Log of conversations (default: in the user's data folder)"), "FILE"},
      {"no-log", 0, 0, G_OPTION_ARG_NONE, &o->no_log, N_("Keep no log"), NULL},
      {"no-cache", 0, 0, G_OPTION_ARG_NONE, &o->no_cache,
       N_("Keep nothing on disk that would save computing it again"), NULL},
      {"version", 0, 0, G_OPTION_ARG_NONE, &o->version, N_("Show the version"), NULL},
      {NULL}};
  g_autoptr(GOptionContext) context = g_option_context_new(_("[FILE OR FOLDER]"));
  g_autofree char *summary = g_strdup_printf(
      "%s\n%s", _("Shows medical images and answers questions about them with a LLaVA-Med model."),
      _(APP_NOTICE));

  g_option_context_set_summary(context, summary);
  g_option_context_add_main_entries(context, entries, GETTEXT_PACKAGE);
  return g_option_context_parse(context, argc, argv, error);
}

/* What is wrong with the options, or NULL; g_free(). */
static char *
complaint(const Options *o, const AppRemoteOptions *remote)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *host = NULL;

  if (o->log && o->no_log) {
    return g_strdup("--log and --no-log exclude each other");
  }
  if (!o->engine) {
    return o->engine_model ? g_strdup("--engine-model goes with a server; --engine is missing")
                           : NULL;
  }
  if (o->model || o->mmproj || o->template_name) {
    return g_strdup("--engine excludes --model, --mmproj and --template: the server has its own");
  }
  if (o->engine_timeout < 0) {
    return g_strdup("--engine-timeout takes a positive number");
  }
  host = app_remote_host(remote, &error);
  return host ? NULL : g_strdup(error->message);
}

/* A program that was built and not installed finds its words where they were built. */
static void
set_language(void)
{
  const char *folder = g_file_test(HILUM_BUILT_LOCALEDIR, G_FILE_TEST_IS_DIR)
                           ? HILUM_BUILT_LOCALEDIR
                           : HILUM_LOCALEDIR;

  setlocale(LC_ALL, "");
  bindtextdomain(GETTEXT_PACKAGE, folder);
  bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
  textdomain(GETTEXT_PACKAGE);
}

/* Before there are threads. What the environment says has the last word. */
static void
set_cache_limit(DesktopSettings *settings)
{
  guint megabytes = g_settings_get_uint(desktop_settings_peek(settings), DESKTOP_SETTING_CACHE);
  g_autofree char *text = g_strdup_printf("%u", megabytes);

  if (megabytes > 0) {
    g_setenv("HILUM_CACHE_MB", text, FALSE);
  }
}

/* The process that is there has another model, or another log. */
static gboolean
is_alone(const Options *o)
{
  return o->model || o->mmproj || o->template_name || o->engine || o->log || o->no_log ||
         o->no_cache;
}

static void
warn(const char *text)
{
  g_printerr("hilum-desktop: %s\n", text);
}

int
main(int argc, char **argv)
{
  g_auto(Options) options = {0};
  g_autoptr(GError) error = NULL;
  g_autoptr(DesktopSettings) settings = NULL;
  g_autoptr(DesktopApplication) application = NULL;
  int status;
  g_autofree char *wrong = NULL;
  AppReviewOptions review;

  set_language();
  g_set_prgname("hilum-desktop");
  g_set_application_name("Hilum");
  if (!parse(&options, &argc, &argv, &error)) {
    g_printerr("hilum-desktop: %s ('hilum-desktop --help' lists the options)\n", error->message);
    return MISUSED;
  }
  if (options.version) {
    g_print("hilum-desktop %s\n", app_version());
    return 0;
  }
  review = (AppReviewOptions){.model = {.model = options.model,
                                        .mmproj = options.mmproj,
                                        .template_name = options.template_name},
                              .remote = {.url = options.engine,
                                         .model = options.engine_model,
                                         .ca_file = options.engine_ca,
                                         .proxy = options.engine_proxy,
                                         .insecure = options.engine_insecure,
                                         .timeout_s = (guint)options.engine_timeout},
                              .log_path = options.log,
                              .no_log = options.no_log,
                              .no_cache = options.no_cache};
  wrong = complaint(&options, &review.remote);
  if (wrong) {
    g_printerr("hilum-desktop: %s\n", wrong);
    return MISUSED;
  }
  settings = desktop_settings_new(&error);
  if (!settings) {
    warn(error->message);
    return FAILED;
  }
  set_cache_limit(settings);
  app_set_warning(warn);
  app_guard_files();
  desktop_passphrase_attach();
  app_prefer_keyring(TRUE);
  app_image_warm();
  application = desktop_application_new(&review, settings, is_alone(&options));
  status = g_application_run(G_APPLICATION(application), argc, argv);
  desktop_application_sign_out(application);
  return status;
}
