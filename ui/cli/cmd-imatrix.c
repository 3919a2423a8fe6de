/* cmd-imatrix.c - hilum model imatrix */
#include <stdio.h>
#include <unistd.h>

#include "commands.h"

static gboolean
show_progress(guint64 done, guint64 total, gpointer user)
{
  if (isatty(STDERR_FILENO)) {
    fprintf(stderr, "\rhilum: %u of %u prompts%s", (guint)done, (guint)total,
            done == total ? "\n" : "");
  }
  return !cli_is_interrupted();
}

static void
print_report(JsonNode *node)
{
  JsonObject *o = json_node_get_object(node);

  cli_print_field("model", "%s", cli_text_member(o, "model"));
  cli_print_field("written", "%s: %d tensors, %d prompts, at most %d rows of each, %.1f s",
                  cli_text_member(o, "out"), (int)json_object_get_int_member(o, "tensors"),
                  (int)json_object_get_int_member(o, "prompts"),
                  (int)json_object_get_int_member(o, "rows"),
                  json_object_get_double_member(o, "seconds"));
}

int
cmd_model_imatrix(int argc, char **argv)
{
  g_auto(CliModel) model = {0};
  g_autofree char *prompts = NULL, *images = NULL, *out = NULL;
  gboolean json = FALSE;
  int limit = 0, max_tokens = 0, status;
  const GOptionEntry entries[] = {
      {"prompts", 0, 0, G_OPTION_ARG_FILENAME, &prompts,
       "Prompts: lines of text, or of JSON with \"text\" and \"image\"", "FILE"},
      {"images", 0, 0, G_OPTION_ARG_FILENAME, &images, "Folder of the images", "DIR"},
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &out, "File to write", "FILE"},
      {"limit", 0, 0, G_OPTION_ARG_INT, &limit, "The first N prompts only", "N"},
      {"max-tokens", 0, 0, G_OPTION_ARG_INT, &max_tokens,
       "Longest answer, which counts too (default: 64)", "N"},
      CLI_JSON_ENTRY(&json),
      {NULL}};
  AppImatrixOptions options = {0};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;

  if (!cli_parse(&argc, &argv, entries, cli_model_group(&model), "[MODEL]",
                 "Asks a model prompts and writes which of its weights count, for 'hilum model "
                 "convert --imatrix'.",
                 NULL, 0, 1, &status)) {
    return status;
  }
  if (!cli_model_operand(&model, argc, argv) || !cli_model_finish(&model)) {
    return CLI_MISUSED;
  }
  if (!prompts || !out) {
    return cli_misused("--prompts FILE and --out FILE are needed");
  }
  if (limit < 0 || max_tokens < 0 || max_tokens > 65536) {
    return cli_misused("--limit and --max-tokens take positive numbers");
  }
  options = (AppImatrixOptions){.prompts = prompts,
                                .images = images,
                                .out = out,
                                .limit = (guint)limit,
                                .max_tokens = (guint)max_tokens};
  cli_catch_interrupt();
  node = app_model_imatrix(&model.model, &options, show_progress, NULL, &error);
  if (!node) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(node);
  } else {
    print_report(node);
  }
  return CLI_DONE;
}
