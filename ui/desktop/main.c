/* main.c - `hilum-desktop`, the window. */
#include "application.h"

#define MISUSED 2

typedef struct {
  char *model, *mmproj, *template_name, *log;
  gboolean no_log, version;
} Options;

static void
options_clear(Options *o)
{
  g_free(o->model);
  g_free(o->mmproj);
  g_free(o->template_name);
  g_free(o->log);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static gboolean
parse(Options *o, int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
      {"model", 'm', 0, G_OPTION_ARG_FILENAME, &o->model,
       "Checkpoint folder or GGUF file (default: the demo model)", "PATH"},
      {"mmproj", 0, 0, G_OPTION_ARG_FILENAME, &o->mmproj,
       "GGUF file with the vision tower and projector", "FILE"},
      {"template", 0, 0, G_OPTION_ARG_STRING, &o->template_name,
       "Conversation template (default: the model's own)", "NAME"},
      {"log", 0, 0, G_OPTION_ARG_FILENAME, &o->log,
       "Log of conversations (default: in the user's data folder)", "FILE"},
      {"no-log", 0, 0, G_OPTION_ARG_NONE, &o->no_log, "Keep no log", NULL},
      {"version", 0, 0, G_OPTION_ARG_NONE, &o->version, "Show the version", NULL},
      {NULL}};
  g_autoptr(GOptionContext) context = g_option_context_new("[FILE OR FOLDER]");

  g_option_context_set_summary(context,
                               "Shows medical images and answers questions about them with "
                               "a LLaVA-Med model.\n" APP_NOTICE);
  g_option_context_add_main_entries(context, entries, NULL);
  return g_option_context_parse(context, argc, argv, error);
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
  g_autoptr(DesktopApplication) application = NULL;
  AppReviewOptions review;

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
  if (options.log && options.no_log) {
    g_printerr("hilum-desktop: --log and --no-log exclude each other\n");
    return MISUSED;
  }
  review = (AppReviewOptions){.model = {.model = options.model,
                                        .mmproj = options.mmproj,
                                        .template_name = options.template_name},
                              .log_path = options.log,
                              .no_log = options.no_log};
  app_set_warning(warn);
  app_image_warm();
  application = desktop_application_new(&review);
  return g_application_run(G_APPLICATION(application), argc, argv);
}
