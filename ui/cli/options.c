/* options.c - reading the command line. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

gboolean
cli_parse(int *argc, char ***argv, const GOptionEntry *entries, GOptionGroup *group,
          const char *operands, const char *summary, const char *description, int n_min, int n_max,
          int *status)
{
  gboolean help = FALSE;
  const GOptionEntry help_entry[] = {
      {"help", 'h', 0, G_OPTION_ARG_NONE, &help, "Show this help", NULL}, {NULL}};
  g_autoptr(GOptionContext) context = g_option_context_new(operands);
  g_autoptr(GError) error = NULL;
  int n;

  /* GOption's own --help would exit from within. */
  g_option_context_set_help_enabled(context, FALSE);
  g_option_context_set_summary(context, summary);
  g_option_context_set_description(context, description);
  g_option_context_add_main_entries(context, help_entry, NULL);
  if (entries) {
    g_option_context_add_main_entries(context, entries, NULL);
  }
  if (group) {
    /* As part of the main group, so that one --help shows all. */
    g_option_context_add_group(context, group);
  }
  if (!g_option_context_parse(context, argc, argv, &error)) {
    *status = cli_misused("%s ('%s --help' lists the options)", error->message, g_get_prgname());
    return FALSE;
  }
  if (help) {
    g_autofree char *text = g_option_context_get_help(context, FALSE, NULL);
    fputs(text, stdout);
    *status = CLI_DONE;
    return FALSE;
  }
  /* "--" that separates operands stays in argv. */
  if (*argc > 1 && strcmp((*argv)[1], "--") == 0) {
    memmove(*argv + 1, *argv + 2, (size_t)(*argc - 1) * sizeof **argv);
    *argc -= 1;
  }
  n = *argc - 1;
  if (n < n_min) {
    *status = cli_misused("an operand is missing: %s %s", g_get_prgname(), operands);
    return FALSE;
  }
  if (n > n_max) {
    *status = cli_misused("'%s' is one operand too many ('%s --help' shows the usage)",
                          (*argv)[n_max + 1], g_get_prgname());
    return FALSE;
  }
  return TRUE;
}

GOptionGroup *
cli_model_group(CliModel *m)
{
  GOptionGroup *group =
      g_option_group_new("model", "Model Options:", "Show the model options", NULL, NULL);
  const GOptionEntry entries[] = {
      {"model", 0, 0, G_OPTION_ARG_FILENAME, &m->path,
       "Hugging Face folder or GGUF file (default: the demo model)", "MODEL"},
      {"mmproj", 0, 0, G_OPTION_ARG_FILENAME, &m->mmproj,
       "GGUF file of the vision tower and projector", "FILE"},
      {"vision-tower", 0, 0, G_OPTION_ARG_FILENAME, &m->vision_tower,
       "Folder of a stock CLIP tower to use in place of the checkpoint's own", "DIR"},
      {"template", 0, 0, G_OPTION_ARG_FILENAME, &m->template_name,
       "Conversation template (default: the checkpoint's own)", "NAME"},
      {"threads", 0, 0, G_OPTION_ARG_INT, &m->threads, "Threads (default: one per core)", "N"},
      {"context", 0, 0, G_OPTION_ARG_INT, &m->context,
       "Positions of the timeline (default: the model's, at most 4096)", "N"},
      {"ctx", 0, 0, G_OPTION_ARG_INT, &m->context, "The same as --context", "N"},
      {"kv-type", 0, 0, G_OPTION_ARG_FILENAME, &m->kv_type,
       "How keys and values are kept: f16, q8_0 or f32 (default: f16; f32 for small models)",
       "TYPE"},
      {NULL}};

  g_option_group_add_entries(group, entries);
  return group;
}

gboolean
cli_model_finish(CliModel *m)
{
  static const char *const kv_types[] = {"auto", "f32", "f16", "q8_0", NULL};
  guint kv_type = APP_KV_AUTO;

  if (m->threads < 0 || m->threads > 1024) {
    cli_misused("--threads is %d; expected 0 (one per core) to 1024", m->threads);
    return FALSE;
  }
  if (m->context < 0) {
    cli_misused("--context is %d; expected a positive number", m->context);
    return FALSE;
  }
  if (!cli_parse_choice("kv-type", m->kv_type, kv_types, &kv_type)) {
    return FALSE;
  }
  m->model = (AppModelOptions){.model = m->path,
                               .mmproj = m->mmproj,
                               .vision_tower = m->vision_tower,
                               .template_name = m->template_name,
                               .n_threads = (guint)m->threads,
                               .context = (guint)m->context,
                               .kv_type = (AppKvType)kv_type};
  return TRUE;
}

gboolean
cli_model_operand(CliModel *m, int argc, char **argv)
{
  if (argc == 2 && m->path) {
    cli_misused("the model is named twice: '%s' and '%s'", m->path, argv[1]);
    return FALSE;
  }
  if (argc == 2) {
    m->path = g_strdup(argv[1]);
  }
  return TRUE;
}

void
cli_model_clear(CliModel *m)
{
  g_clear_pointer(&m->path, g_free);
  g_clear_pointer(&m->mmproj, g_free);
  g_clear_pointer(&m->vision_tower, g_free);
  g_clear_pointer(&m->template_name, g_free);
  g_clear_pointer(&m->kv_type, g_free);
}

/* ---- a server in the model's place --------------------------------------------------------- */

void
cli_engine_add(GOptionGroup *group, CliEngine *e)
{
  const GOptionEntry entries[] = {
      {"engine", 0, 0, G_OPTION_ARG_FILENAME, &e->url,
       "Ask a server that speaks OpenAI's chat completions: PICTURES LEAVE THIS MACHINE", "URL"},
      {"engine-model", 0, 0, G_OPTION_ARG_FILENAME, &e->name, "Which of the server's models",
       "NAME"},
      {"engine-ca", 0, 0, G_OPTION_ARG_FILENAME, &e->ca_file,
       "Certificate of the authority that vouches for the server (default: the system's)", "FILE"},
      {"engine-proxy", 0, 0, G_OPTION_ARG_FILENAME, &e->proxy,
       "Proxy on the way to the server (default: none, whatever the environment says)", "URL"},
      {"engine-timeout", 0, 0, G_OPTION_ARG_INT, &e->timeout,
       "Longest silence of the server (default: 300 to the first word, 60 after it)", "SECONDS"},
      {"engine-insecure", 0, 0, G_OPTION_ARG_NONE, &e->insecure,
       "Allow http:// to another machine: pictures go unencrypted", NULL},
      {NULL}};

  g_option_group_add_entries(group, entries);
}

gboolean
cli_engine_finish(CliEngine *e, const CliModel *m)
{
  g_autoptr(GError) error = NULL;

  if (!e->url) {
    const char *alone = e->name       ? "engine-model"
                        : e->ca_file  ? "engine-ca"
                        : e->proxy    ? "engine-proxy"
                        : e->timeout  ? "engine-timeout"
                        : e->insecure ? "engine-insecure"
                                      : NULL;
    if (alone) {
      cli_misused("--%s goes with a server; --engine is missing", alone);
    }
    return alone == NULL;
  }
  if (m->path || m->mmproj || m->vision_tower || m->template_name || m->context || m->kv_type) {
    cli_misused("--engine and --%s exclude each other: the server has its own",
                m->path           ? "model"
                : m->mmproj       ? "mmproj"
                : m->vision_tower ? "vision-tower"
                : m->context      ? "context"
                : m->kv_type      ? "kv-type"
                                  : "template");
    return FALSE;
  }
  if (e->timeout < 0) {
    cli_misused("--engine-timeout is %d; expected a positive number", e->timeout);
    return FALSE;
  }
  e->remote = (AppRemoteOptions){.url = e->url,
                                 .model = e->name,
                                 .ca_file = e->ca_file,
                                 .proxy = e->proxy,
                                 .insecure = e->insecure,
                                 .timeout_s = (guint)e->timeout};
  e->host = app_remote_host(&e->remote, &error);
  if (!e->host) {
    cli_failed(error);
  }
  return e->host != NULL;
}

void
cli_engine_clear(CliEngine *e)
{
  g_clear_pointer(&e->host, g_free);
  g_clear_pointer(&e->url, g_free);
  g_clear_pointer(&e->name, g_free);
  g_clear_pointer(&e->ca_file, g_free);
  g_clear_pointer(&e->proxy, g_free);
}

/* ---- values -------------------------------------------------------------------------------- */

gboolean
cli_parse_seed(const char *text, guint64 *seed)
{
  if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, seed, NULL)) {
    cli_misused("--seed is '%s'; expected a whole number from 0 on", text);
    return FALSE;
  }
  return TRUE;
}

gboolean
cli_parse_choice(const char *option, const char *text, const char *const *names, guint *choice)
{
  g_autofree char *expected = NULL;

  for (guint i = 0; text && names[i]; i++) {
    if (strcmp(text, names[i]) == 0) {
      *choice = i;
      return TRUE;
    }
  }
  if (text) {
    expected = g_strjoinv(", ", (char **)names);
    cli_misused("--%s is '%s'; expected one of %s", option, text, expected);
  }
  return text == NULL;
}

gboolean
cli_parse_form(const char *text, AppAnswerForm *form)
{
  static const char *const names[] = {"free", "short", "yes-no", NULL};
  guint choice = APP_ANSWER_FREE;
  gboolean ok = cli_parse_choice("answer", text, names, &choice);

  *form = (AppAnswerForm)choice;
  return ok;
}
