/* cmd-eval.c - hilum eval: scores of a model on questions with known answers. */
#include <stdio.h>
#include <string.h>

#include "eval-tools.h"

/* ---- what its commands share ------------------------------------------------------------------
 */

char *
cli_eval_command(int argc, char **argv)
{
  GString *text = g_string_new(g_get_prgname());

  for (int i = 1; i < argc; i++) {
    /* Plain words need no quotes. */
    const gboolean plain =
        argv[i][0] &&
        !argv[i][strspn(argv[i], G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-_./=,:+@%")];
    g_autofree char *quoted = plain ? g_strdup(argv[i]) : g_shell_quote(argv[i]);
    g_string_append_printf(text, " %s", quoted);
  }
  return g_string_free(text, FALSE);
}

void
cli_eval_problem(const char *text, gpointer user)
{
  cli_note("%s", text);
}

gboolean
cli_eval_go_on(gpointer user)
{
  return !cli_is_interrupted();
}

char *
cli_eval_percent(JsonObject *object, const char *name)
{
  g_autofree char *low = g_strconcat(name, "_low", NULL), *high = g_strconcat(name, "_high", NULL);

  return g_strdup_printf("%5.1f [%.1f, %.1f]", 100 * json_object_get_double_member(object, name),
                         100 * json_object_get_double_member(object, low),
                         100 * json_object_get_double_member(object, high));
}

void
cli_eval_print_left_out(JsonObject *report)
{
  JsonObject *left_out = json_object_get_object_member(report, "left_out");
  g_autoptr(GList) names = json_object_get_members(left_out);

  for (GList *l = names; l; l = l->next) {
    const gint64 n = json_object_get_int_member(left_out, l->data);
    if (n > 0) {
      cli_print_field(l->data, "%" G_GINT64_FORMAT, n);
    }
  }
}

int
cli_eval_end(JsonNode *report, gboolean json, const char *folder, void (*print)(JsonObject *))
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonArray) reports = json_array_new();
  g_autoptr(JsonNode) written = NULL;

  if (json) {
    cli_print_json(report);
  } else {
    print(json_node_get_object(report));
  }
  if (folder) {
    json_array_add_element(reports, json_node_copy(report));
    written = app_eval_report(reports, folder, &error);
    if (!written) {
      return cli_finish_output(cli_failed(error));
    }
    cli_note("the report is %s/report.md", folder);
  }
  return cli_finish_output(CLI_DONE);
}

/* ---- report -----------------------------------------------------------------------------------
 */

static int
eval_report(int argc, char **argv)
{
  g_autofree char *out = NULL;
  gboolean json = FALSE;
  const GOptionEntry entries[] = {{"out", 'o', 0, G_OPTION_ARG_FILENAME, &out,
                                   "Folder to write, made when it is not there", "DIR"},
                                  CLI_JSON_ENTRY(&json),
                                  {NULL}};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonArray) reports = json_array_new();
  g_autoptr(JsonNode) written = NULL;
  int status;

  if (!cli_parse(&argc, &argv, entries, NULL, "FILE...",
                 "Writes Markdown with tables and SVG plots of what other commands printed with "
                 "--json,\none FILE each.",
                 NULL, 1, 256, &status)) {
    return status;
  }
  if (!out) {
    return cli_misused("--out DIR is needed");
  }
  for (int i = 1; i < argc; i++) {
    JsonNode *report = app_eval_report_read(argv[i], &error);
    if (!report) {
      return cli_failed(error);
    }
    json_array_add_element(reports, report);
  }
  written = app_eval_report(reports, out, &error);
  if (!written) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(written);
  } else {
    cli_print_field("written", "%s/report.md", out);
  }
  return cli_finish_output(CLI_DONE);
}

int
cmd_eval(int argc, char **argv)
{
  static const CliCommand commands[] = {
      {"vqa", "Score answers to questions about images", cmd_eval_vqa},
      {"answer", "Ask questions about images, and score nothing", cmd_eval_answer},
      {"judge", "Have a language model judge chat answers", cmd_eval_judge},
      {"science", "Score answers to ScienceQA", cmd_eval_science},
      {"report", "Write tables and plots of what was scored", eval_report},
      {NULL, NULL, NULL}};

  return cli_dispatch("hilum eval", "Scores of a model on questions with known answers.", commands,
                      argc, argv);
}
