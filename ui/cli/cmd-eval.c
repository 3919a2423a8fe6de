/* cmd-eval.c - hilum eval: scores of a model on questions with known answers. */
#include <stdio.h>
#include <unistd.h>

#include "app_eval.h"
#include "commands.h"

/* Each row as it comes, and on a terminal how far it is. */
static void
show_row(JsonNode *row, guint done, guint total, gpointer user)
{
  const gboolean *rows = user;

  if (*rows) {
    cli_print_json(row);
  }
  if (isatty(STDERR_FILENO)) {
    fprintf(stderr, "\rhilum: %u of %u questions%s", done, total, done == total ? "\n" : "");
  }
}

static void
print_table(JsonNode *report)
{
  JsonArray *groups = json_object_get_array_member(json_node_get_object(report), "groups");

  printf("%-22s %-6s %5s  %-22s %-22s %s\n", "kind", "type", "n", "exact [95 %]", "recall [95 %]",
         "most frequent answer");
  for (guint i = 0; i < json_array_get_length(groups); i++) {
    JsonObject *g = json_array_get_object_element(groups, i);
    printf("%-22s %-6s %5d  %5.1f [%5.1f, %5.1f]   %5.1f [%5.1f, %5.1f]   %5.1f (%s)\n",
           json_object_get_string_member(g, "kind"),
           json_object_get_string_member(g, "answer_type"), (int)json_object_get_int_member(g, "n"),
           100 * json_object_get_double_member(g, "exact"),
           100 * json_object_get_double_member(g, "exact_low"),
           100 * json_object_get_double_member(g, "exact_high"),
           100 * json_object_get_double_member(g, "recall"),
           100 * json_object_get_double_member(g, "recall_low"),
           100 * json_object_get_double_member(g, "recall_high"),
           100 * json_object_get_double_member(g, "majority"),
           json_object_get_string_member_with_default(g, "majority_answer", ""));
  }
}

static int
eval_vqa(int argc, char **argv)
{
  g_auto(CliModel) model = {0};
  g_auto(CliEngine) engine = {0};
  GOptionGroup *group = cli_model_group(&model);
  g_autofree char *questions = NULL, *images = NULL, *form = NULL;
  gboolean json = FALSE, blank = FALSE, rows = FALSE;
  int limit = 0, max_tokens = 0, status;
  const GOptionEntry entries[] = {
      {"questions", 0, 0, G_OPTION_ARG_FILENAME, &questions,
       "JSON Lines: question_id, image, text, answer, answer_type, kind", "FILE"},
      {"images", 0, 0, G_OPTION_ARG_FILENAME, &images, "Folder of the images", "DIR"},
      {"blank-image", 0, 0, G_OPTION_ARG_NONE, &blank, "A blank picture in each image's place",
       NULL},
      {"answer", 0, 0, G_OPTION_ARG_FILENAME, &form,
       "Form of closed questions: free, short, yes-no", "FORM"},
      {"limit", 0, 0, G_OPTION_ARG_INT, &limit, "The first N questions only", "N"},
      {"max-tokens", 0, 0, G_OPTION_ARG_INT, &max_tokens, "Longest answer (default 32)", "N"},
      {"rows", 0, 0, G_OPTION_ARG_NONE, &rows, "Print each question's row as well (JSON)", NULL},
      CLI_JSON_ENTRY(&json),
      {NULL}};
  AppEvalOptions options = {0};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) report = NULL;

  cli_engine_add(group, &engine);
  if (!cli_parse(&argc, &argv, entries, group, "",
                 "Runs a model over questions with known answers (greedy) and scores it.", NULL, 0,
                 0, &status)) {
    return status;
  }
  if (!cli_model_finish(&model) || !cli_engine_finish(&engine, &model)) {
    return CLI_MISUSED;
  }
  if (!questions || !images) {
    return cli_misused("--questions FILE and --images DIR are needed");
  }
  if (limit < 0 || max_tokens < 0) {
    return cli_misused("--limit and --max-tokens take positive numbers");
  }
  if (!cli_parse_form(form, &options.form)) {
    return CLI_MISUSED;
  }
  if (engine.host) {
    cli_note("the pictures and questions are sent to %s", engine.host);
  }
  options.model = model.model;
  options.remote = engine.remote;
  options.questions = questions;
  options.images = images;
  options.blank = blank;
  options.limit = (guint)limit;
  options.max_tokens = (guint)max_tokens;
  report = app_eval_vqa(&options, show_row, &rows, NULL, &error);
  if (!report) {
    return cli_failed(error);
  }
  if (json || rows) {
    cli_print_json(report);
  } else {
    print_table(report);
  }
  return CLI_DONE;
}

int
cmd_eval(int argc, char **argv)
{
  static const CliCommand commands[] = {
      {"vqa", "Score answers to questions about images", eval_vqa}, {NULL, NULL, NULL}};

  return cli_dispatch("hilum eval", "Scores of a model on questions with known answers.", commands,
                      argc, argv);
}
