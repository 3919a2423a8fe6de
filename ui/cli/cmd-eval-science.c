/* cmd-eval-science.c - hilum eval science: ScienceQA by LLaVA's rule. */
#include <stdio.h>

#include "eval-tools.h"

static void
print_report(JsonObject *report)
{
  JsonObject *with_image = json_object_get_object_member(report, "with_image");
  g_autofree char *accuracy = cli_eval_percent(report, "accuracy");

  cli_print_field("questions", "%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT " right",
                  json_object_get_int_member(report, "questions"),
                  json_object_get_int_member(report, "correct"));
  cli_print_field("accuracy, %", "%s", g_strchug(accuracy));
  cli_print_field("with an image, %", "%.1f of %" G_GINT64_FORMAT,
                  100 * json_object_get_double_member(with_image, "accuracy"),
                  json_object_get_int_member(with_image, "n"));
  cli_print_field("most frequent, %", "%.1f (choice %s)",
                  100 * json_object_get_double_member(report, "majority"),
                  cli_text_member(report, "majority_answer"));
  cli_print_field("no choice said", "%" G_GINT64_FORMAT ", counted as wrong",
                  json_object_get_int_member(report, "failed"));
  cli_print_field("not answered", "%" G_GINT64_FORMAT ", counted as wrong",
                  json_object_get_int_member(report, "unanswered"));
  cli_eval_print_left_out(report);
}

int
cmd_eval_science(int argc, char **argv)
{
  g_autofree char *command = cli_eval_command(argc, argv), *questions = NULL, *splits = NULL,
                  *split = NULL, *answers = NULL, *seed = NULL, *folder = NULL;
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
      {"questions", 0, 0, G_OPTION_ARG_FILENAME, &questions,
       "problems.json, or the same as LLaVA's conversations", "FILE"},
      {"splits", 0, 0, G_OPTION_ARG_FILENAME, &splits, "pid_splits.json (default: all questions)",
       "FILE"},
      {"split", 0, 0, G_OPTION_ARG_FILENAME, &split, "Which of them (default: test)", "NAME"},
      {"answers", 0, 0, G_OPTION_ARG_FILENAME, &answers,
       "Lines with question_id and text, or a result file with outputs", "FILE"},
      {"seed", 0, 0, G_OPTION_ARG_FILENAME, &seed, "Seed of the interval (default: 1)", "N"},
      {"report", 0, 0, G_OPTION_ARG_FILENAME, &folder, "Write Markdown and plots, too", "DIR"},
      CLI_JSON_ENTRY(&json),
      {NULL}};
  const AppEvalListener listener = {NULL, cli_eval_problem, cli_eval_go_on, NULL};
  AppEvalScienceOptions options = {0};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) report = NULL;
  int status;

  if (!cli_parse(&argc, &argv, entries, NULL, "",
                 "Scores answers to ScienceQA: the answer is a letter, begins with one and \". \", "
                 "or says\n\"The answer is X\"; anything else is wrong.",
                 NULL, 0, 0, &status)) {
    return status;
  }
  if (!questions || !answers) {
    return cli_misused("--questions FILE and --answers FILE are needed");
  }
  if (split && !splits) {
    return cli_misused("--split goes with --splits FILE");
  }
  if (seed && !cli_parse_seed(seed, &options.seed)) {
    return CLI_MISUSED;
  }
  options.questions = questions;
  options.answers = answers;
  options.splits = splits;
  options.split = split ? split : "test";
  options.command = command;
  report = app_eval_science(&options, &listener, &error);
  if (!report) {
    return cli_failed(error);
  }
  return cli_eval_end(report, json, folder, print_report);
}
