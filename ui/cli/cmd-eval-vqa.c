/* cmd-eval-vqa.c - hilum eval vqa: medical question sets, asked and scored. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "eval-tools.h"

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

/* ---- for people -------------------------------------------------------------------------------
 */

static void
print_group(JsonObject *g)
{
  const char *type = json_object_get_string_member(g, "answer_type");
  const gboolean closed = strcmp(type, "CLOSED") == 0;
  JsonObject *published = json_object_get_object_member(g, "published");
  JsonNode *node = json_object_get_member(g, "blank");
  JsonObject *blank = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
  g_autofree char *score = cli_eval_percent(g, closed ? "closed" : "recall");
  g_autofree char *exact = cli_eval_percent(g, "exact");
  g_autofree char *gain = blank ? cli_eval_percent(blank, "gain") : g_strdup("    -");
  g_autofree char *kind = cli_one_line(json_object_get_string_member(g, "kind"), 22);
  g_autofree char *common = cli_one_line(cli_text_member(g, "majority_answer"), 24);

  printf("%-22s %-6s %5d  %-20s %-20s %9.1f  %-20s %9.1f (%s)\n", kind, type,
         (int)json_object_get_int_member(g, "n"), score, exact,
         100 * json_object_get_double_member(published, closed ? "closed_substring" : "recall"),
         gain, 100 * json_object_get_double_member(g, "majority"), common);
}

static void
print_groups(JsonObject *report, const char *name, const char *title)
{
  JsonArray *groups = json_object_get_array_member(report, name);

  if (json_array_get_length(groups) == 0) {
    return;
  }
  printf("%-22s %-6s %5s  %-20s %-20s %9s  %-20s %s\n", title, "type", "n", "score [95 %]",
         "exact [95 %]", "published", "picture adds [95 %]", "most frequent answer");
  for (guint i = 0; i < json_array_get_length(groups); i++) {
    print_group(json_array_get_object_element(groups, i));
  }
  putchar('\n');
}

static void
print_published(JsonObject *report)
{
  JsonObject *table = json_object_get_object_member(report, "published_table");
  JsonArray *rows = json_object_get_array_member(table, "rows");

  for (guint i = 0; i < json_array_get_length(rows); i++) {
    JsonObject *row = json_array_get_object_element(rows, i);
    printf("%-40s open %5.1f%s  closed %5.1f\n", json_object_get_string_member(row, "model"),
           json_object_get_double_member_with_default(row, "open_percent", 0),
           json_object_get_boolean_member(row, "open_is_accuracy") ? "*" : " ",
           json_object_get_double_member_with_default(row, "closed_percent", 0));
  }
  if (json_array_get_length(rows) > 0) {
    printf("Published, by other prompts and training; * is an accuracy. %s\n\n",
           cli_text_member(table, "source"));
  }
}

static void
print_report(JsonObject *report)
{
  JsonNode *leak = json_object_get_member(report, "leak");

  cli_print_field("model", "%s", cli_text_member(report, "model"));
  cli_print_field("questions", "%" G_GINT64_FORMAT ", format %s",
                  json_object_get_int_member(report, "questions"),
                  cli_text_member(report, "format"));
  cli_eval_print_left_out(report);
  if (JSON_NODE_HOLDS_OBJECT(leak)) {
    JsonObject *o = json_node_get_object(leak);
    cli_print_field("also in training",
                    "%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                    " images to the byte, %" G_GINT64_FORMAT " nearly",
                    json_object_get_int_member(o, "same_images"),
                    json_object_get_int_member(o, "images"),
                    json_object_get_int_member(o, "near_images"));
  } else {
    cli_print_field("also in training",
                    "not known: no training split (--train FILE) or no --images DIR");
  }
  putchar('\n');
  print_published(report);
  print_groups(report, "by_modality", "modality");
  print_groups(report, "by_organ", "organ");
  print_groups(report, "groups", "kind");
}

/* ---- the command line -------------------------------------------------------------------------
 */

typedef struct {
  char *questions, *images, *format, *dataset, *language, *answers, *blank_answers, *out, *train,
      *train_images, *form, *seed, *folder;
  char **where, **train_where;
  gboolean json, blank, no_control, rows;
  int limit, max_tokens;
} Vqa;

static void
vqa_clear(Vqa *v)
{
  char **owned[] = {&v->questions, &v->images,        &v->format,      &v->dataset, &v->language,
                    &v->answers,   &v->out,           &v->train,       &v->form,    &v->seed,
                    &v->folder,    &v->blank_answers, &v->train_images};

  for (guint i = 0; i < G_N_ELEMENTS(owned); i++) {
    g_clear_pointer(owned[i], g_free);
  }
  g_clear_pointer(&v->where, g_strfreev);
  g_clear_pointer(&v->train_where, g_strfreev);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Vqa, vqa_clear)

static gboolean
check_where(const char *option, char **where)
{
  for (guint i = 0; where && where[i]; i++) {
    const char *equals = strchr(where[i], '=');
    if (!equals || equals == where[i]) {
      cli_misused("--%s is '%s'; expected KEY=VALUE, such as image_split=validation", option,
                  where[i]);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
check_format(const char *format)
{
  static const char *const names[] = {"hilum",        "llava", "vqa-rad", "slake", "pathvqa",
                                      "vqa-med-2019", "plain", "chat",    NULL};
  guint choice;

  return cli_parse_choice("format", format, names, &choice);
}

/* FALSE: complained. */
static gboolean
check(const Vqa *v, const CliModel *model, const CliEngine *engine)
{
  const char *wrong = NULL;

  if (!v->questions) {
    wrong = "--questions FILE is needed";
  } else if (!v->answers && !v->images) {
    wrong = "--images DIR is needed, or --answers FILE to score what was answered";
  } else if (v->answers && (v->out || v->blank || model->path || engine->host)) {
    wrong = "--answers scores without a model: no --model, --engine, --out or --blank-image";
  } else if (v->blank_answers && !v->answers) {
    wrong = "--blank-answers goes with --answers";
  } else if ((v->train_images || v->train_where) && !v->train) {
    wrong = "--train-images and --train-where go with --train";
  } else if (v->limit < 0 || v->max_tokens < 0) {
    wrong = "--limit and --max-tokens take positive numbers";
  }
  if (wrong) {
    cli_misused("%s", wrong);
  }
  return !wrong && check_where("where", v->where) && check_where("train-where", v->train_where) &&
         check_format(v->format);
}

static int
run(const Vqa *v, AppEvalOptions *options)
{
  const AppEvalListener listener = {show_row, cli_eval_problem, cli_eval_go_on, (gpointer)&v->rows};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) report = NULL;

  options->questions = v->questions;
  options->images = v->images;
  options->format = v->format;
  options->dataset = v->dataset;
  options->where = (const char *const *)v->where;
  options->language = v->language;
  options->answers = v->answers;
  options->blank_answers = v->blank_answers;
  options->out = v->out;
  options->train = v->train;
  options->train_images = v->train_images;
  options->train_where = (const char *const *)v->train_where;
  options->blank = v->blank;
  options->control = !v->no_control;
  options->limit = (guint)v->limit;
  options->max_tokens = (guint)v->max_tokens;
  if ((v->seed && !cli_parse_seed(v->seed, &options->seed)) ||
      !cli_parse_form(v->form, &options->form)) {
    return CLI_MISUSED;
  }
  cli_catch_interrupt();
  report = app_eval_vqa(options, &listener, NULL, &error);
  if (!report) {
    return cli_failed(error);
  }
  return cli_eval_end(report, v->json || v->rows, v->folder, print_report);
}

/* What stands beside the scores, into GROUP. */
static void
add_beside(GOptionGroup *group, Vqa *v)
{
  const GOptionEntry entries[] = {
      {"train", 0, 0, G_OPTION_ARG_FILENAME, &v->train,
       "Training split: its most frequent answers, and images that are in both (default: found by "
       "--where or beside the questions)",
       "FILE"},
      {"train-where", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &v->train_where, "Only such records of it",
       "KEY=VALUE,..."},
      {"train-images", 0, 0, G_OPTION_ARG_FILENAME, &v->train_images,
       "Folder of its images (default: the same)", "DIR"},
      {"dataset", 0, 0, G_OPTION_ARG_FILENAME, &v->dataset,
       "Whose published table stands beside: vqa-rad, slake, pathvqa (default: by format)", "NAME"},
      {NULL}};

  g_option_group_add_entries(group, entries);
}

int
cmd_eval_vqa(int argc, char **argv)
{
  g_auto(CliModel) model = {0};
  g_auto(CliEngine) engine = {0};
  g_auto(Vqa) v = {0};
  GOptionGroup *group = cli_model_group(&model);
  g_autofree char *command = cli_eval_command(argc, argv);
  const GOptionEntry entries[] = {
      {"questions", 0, 0, G_OPTION_ARG_FILENAME, &v.questions,
       "Questions with answers, of VQA-RAD, SLAKE, PathVQA, VQA-Med 2019, LLaVA or Hilum", "FILE"},
      {"images", 0, 0, G_OPTION_ARG_FILENAME, &v.images, "Folder of the images", "DIR"},
      {"format", 0, 0, G_OPTION_ARG_FILENAME, &v.format,
       "Format of the questions (default: by content)", "NAME"},
      {"where", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &v.where,
       "Only records whose KEY is one of the values; may be given again", "KEY=VALUE,..."},
      {"language", 0, 0, G_OPTION_ARG_FILENAME, &v.language, "Of q_lang, or all (default: en)",
       "NAME"},
      {"answers", 0, 0, G_OPTION_ARG_FILENAME, &v.answers, "Score these answers; no model is asked",
       "FILE"},
      {"blank-answers", 0, 0, G_OPTION_ARG_FILENAME, &v.blank_answers,
       "Answers of the same model to the questions alone", "FILE"},
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &v.out,
       "Append answers to this file; what it has is not asked again", "FILE"},
      {"no-control", 0, 0, G_OPTION_ARG_NONE, &v.no_control,
       "Leave out the second run, with a blank picture in each image's place", NULL},
      {"blank-image", 0, 0, G_OPTION_ARG_NONE, &v.blank,
       "Only that run: a blank picture in each image's place", NULL},
      {"answer", 0, 0, G_OPTION_ARG_FILENAME, &v.form,
       "Form of closed questions: free, short, yes-no", "FORM"},
      {"limit", 0, 0, G_OPTION_ARG_INT, &v.limit, "The first N questions only", "N"},
      {"max-tokens", 0, 0, G_OPTION_ARG_INT, &v.max_tokens, "Longest answer (default 32)", "N"},
      {"seed", 0, 0, G_OPTION_ARG_FILENAME, &v.seed, "Seed of the intervals (default: 1)", "N"},
      {"report", 0, 0, G_OPTION_ARG_FILENAME, &v.folder, "Write Markdown and plots, too", "DIR"},
      {"rows", 0, 0, G_OPTION_ARG_NONE, &v.rows, "Print each question's row as well (JSON)", NULL},
      CLI_JSON_ENTRY(&v.json),
      {NULL}};
  AppEvalOptions options = {0};
  int status;

  cli_engine_add(group, &engine);
  add_beside(group, &v);
  if (!cli_parse(&argc, &argv, entries, group, "",
                 "Runs a model over questions with known answers (greedy) and scores it: open "
                 "questions by\nrecall, closed ones by accuracy, by strict rules and by "
                 "LLaVA-Med's published ones.",
                 "Records, images and answers that cannot be used are named, counted and left "
                 "out.\nCtrl-C ends the run; with --out the same command goes on.",
                 0, 0, &status)) {
    return status;
  }
  if (!cli_model_finish(&model) || !cli_engine_finish(&engine, &model) ||
      !check(&v, &model, &engine)) {
    return CLI_MISUSED;
  }
  if (engine.host) {
    cli_note("the pictures and questions are sent to %s", engine.host);
  }
  options.model = model.model;
  options.remote = engine.remote;
  options.command = command;
  return run(&v, &options);
}
