/* cmd-eval-answer.c - hilum eval answer: answers for a judge, or for other programs. */
#include <stdio.h>
#include <unistd.h>

#include "eval-tools.h"

static void
show_row(JsonNode *row, guint done, guint total, gpointer user)
{
  if (isatty(STDERR_FILENO)) {
    fprintf(stderr, "\rhilum: %u of %u questions%s", done, total, done == total ? "\n" : "");
  }
}

static void
print_report(JsonObject *report)
{
  cli_print_field("answered",
                  "%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " questions, format %s, by %s",
                  json_object_get_int_member(report, "answered"),
                  json_object_get_int_member(report, "questions"),
                  cli_text_member(report, "format"), cli_text_member(report, "model"));
  cli_print_field("answers", "%s", cli_text_member(report, "out"));
  cli_eval_print_left_out(report);
}

int
cmd_eval_answer(int argc, char **argv)
{
  g_auto(CliModel) model = {0};
  g_auto(CliEngine) engine = {0};
  GOptionGroup *group = cli_model_group(&model);
  g_autofree char *command = cli_eval_command(argc, argv), *questions = NULL, *images = NULL,
                  *out = NULL;
  gboolean json = FALSE, blank = FALSE;
  int limit = 0, max_tokens = 512, status;
  const GOptionEntry entries[] = {
      {"questions", 0, 0, G_OPTION_ARG_FILENAME, &questions,
       "LLaVA-Med's 193 questions, LLaVA-Bench's, or what hilum eval vqa reads", "FILE"},
      {"images", 0, 0, G_OPTION_ARG_FILENAME, &images, "Folder of the images", "DIR"},
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &out,
       "Append answers to this file; what it has is not asked again", "FILE"},
      {"blank-image", 0, 0, G_OPTION_ARG_NONE, &blank, "A blank picture in each image's place",
       NULL},
      {"limit", 0, 0, G_OPTION_ARG_INT, &limit, "The first N questions only", "N"},
      {"max-tokens", 0, 0, G_OPTION_ARG_INT, &max_tokens, "Longest answer (default 512)", "N"},
      CLI_JSON_ENTRY(&json),
      {NULL}};
  const AppEvalListener listener = {show_row, cli_eval_problem, cli_eval_go_on, NULL};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) report = NULL;
  AppEvalOptions options = {0};

  cli_engine_add(group, &engine);
  if (!cli_parse(&argc, &argv, entries, group, "",
                 "Asks a model questions about images, greedily, and writes its answers in "
                 "LLaVA's form.",
                 "Ctrl-C ends the run; the same command goes on.", 0, 0, &status)) {
    return status;
  }
  if (!cli_model_finish(&model) || !cli_engine_finish(&engine, &model)) {
    return CLI_MISUSED;
  }
  if (!questions || !images || !out || limit < 0 || max_tokens <= 0) {
    return cli_misused("--questions FILE, --images DIR and --out FILE are needed, and numbers "
                       "above 0");
  }
  if (engine.host) {
    cli_note("the pictures and questions are sent to %s", engine.host);
  }
  options = (AppEvalOptions){.model = model.model,
                             .remote = engine.remote,
                             .questions = questions,
                             .images = images,
                             .language = "all",
                             .out = out,
                             .command = command,
                             .blank = blank,
                             .limit = (guint)limit,
                             .max_tokens = (guint)max_tokens};
  cli_catch_interrupt();
  report = app_eval_answer(&options, &listener, NULL, &error);
  if (!report) {
    return cli_failed(error);
  }
  return cli_eval_end(report, json, NULL, print_report);
}
