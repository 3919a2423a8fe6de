/* cmd-eval-judge.c - hilum eval judge: chat answers, judged against references. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app_judge.h"
#include "eval-tools.h"

#define LOCAL "model:"

typedef struct {
  char *questions, *context, *reference, *answers, *rules, *bench, *out, *orders, *seed, *folder;
  char *judge, *name, *ca_file, *proxy, *most_tokens;
  char **reviews;
  gboolean insecure, ask_failed, json;
  int timeout, parallel, max_tokens, limit;
  double temperature, most_cost, price_in, price_out;
} Options;

static void
options_clear(Options *o)
{
  char **owned[] = {&o->questions, &o->context, &o->reference, &o->answers, &o->rules,
                    &o->bench,     &o->out,     &o->orders,    &o->seed,    &o->folder,
                    &o->judge,     &o->name,    &o->ca_file,   &o->proxy,   &o->most_tokens};

  for (guint i = 0; i < G_N_ELEMENTS(owned); i++) {
    g_clear_pointer(owned[i], g_free);
  }
  g_clear_pointer(&o->reviews, g_strfreev);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

/* ---- for people -------------------------------------------------------------------------------
 */

static gboolean
on_go_on(guint done, guint total, double cost, gpointer user)
{
  if (isatty(STDERR_FILENO)) {
    fprintf(stderr, "\rhilum: %u of %u judged, cost %.2f ", done, total, cost);
  }
  return !cli_is_interrupted();
}

static void
print_groups(JsonObject *report)
{
  JsonArray *groups = json_object_get_array_member(report, "groups");

  printf("%-24s %5s  %9s %9s  %-24s %-24s %s\n", "kind", "n", "reference", "model",
         "mean of ratios [95 %]", "ratio of means [95 %]", "won, tied, lost");
  for (guint i = 0; i < json_array_get_length(groups); i++) {
    JsonObject *g = json_array_get_object_element(groups, i);
    g_autofree char *kind = cli_one_line(json_object_get_string_member(g, "kind"), 24);
    printf("%-24s %5d  %9.2f %9.2f  %5.1f [%5.1f, %5.1f]     %5.1f [%5.1f, %5.1f]     %d, %d, %d\n",
           kind, (int)json_object_get_int_member(g, "n"),
           json_object_get_double_member(g, "reference_mean"),
           json_object_get_double_member(g, "model_mean"),
           json_object_get_double_member(g, "mean_of_ratios"),
           json_object_get_double_member(g, "mean_of_ratios_low"),
           json_object_get_double_member(g, "mean_of_ratios_high"),
           json_object_get_double_member(g, "ratio_of_means"),
           json_object_get_double_member(g, "ratio_of_means_low"),
           json_object_get_double_member(g, "ratio_of_means_high"),
           (int)json_object_get_int_member(g, "wins"), (int)json_object_get_int_member(g, "ties"),
           (int)json_object_get_int_member(g, "losses"));
  }
}

static void
print_report(JsonObject *report)
{
  JsonNode *position = json_object_get_member(report, "position");

  cli_print_field("judge", "%s", cli_text_member(report, "judge"));
  cli_print_field("model", "%s", cli_text_member(report, "model"));
  cli_print_field("questions",
                  "%" G_GINT64_FORMAT " scored, of %" G_GINT64_FORMAT " reviews; %" G_GINT64_FORMAT
                  " say no two scores, %" G_GINT64_FORMAT " questions have one order only",
                  json_object_get_int_member(report, "questions"),
                  json_object_get_int_member(report, "reviews"),
                  json_object_get_int_member(report, "unparsable"),
                  json_object_get_int_member(report, "half_judged"));
  cli_eval_print_left_out(report);
  if (JSON_NODE_HOLDS_OBJECT(position)) {
    JsonObject *o = json_node_get_object(position);
    cli_print_field("being first is worth", "%.2f [%.2f, %.2f] points",
                    json_object_get_double_member(o, "bias"),
                    json_object_get_double_member(o, "bias_low"),
                    json_object_get_double_member(o, "bias_high"));
  }
  print_groups(report);
}

/* ---- the command line -------------------------------------------------------------------------
 */

static gboolean
complain(const char *what)
{
  cli_misused("%s", what);
  return FALSE;
}

static gboolean
set_judge(const Options *o, AppJudgeOptions *options)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *host = NULL;

  if (g_str_has_prefix(o->judge, LOCAL)) {
    options->model.model = o->judge + strlen(LOCAL);
    return !o->name && !o->ca_file && !o->proxy && !o->timeout && !o->insecure
               ? TRUE
               : complain("--judge-model and what goes with it are of a server");
  }
  if (o->timeout < 0) {
    return complain("--judge-timeout takes a positive number");
  }
  options->judge = (AppRemoteOptions){.role = "judge",
                                      .url = o->judge,
                                      .model = o->name,
                                      .ca_file = o->ca_file,
                                      .proxy = o->proxy,
                                      .insecure = o->insecure,
                                      .timeout_s = (guint)o->timeout};
  host = app_remote_host(&options->judge, &error);
  if (!host) {
    cli_failed(error);
    return FALSE;
  }
  cli_note("questions, contexts and answers are sent to %s", host);
  return TRUE;
}

static gboolean
set_numbers(const Options *o, AppJudgeOptions *options)
{
  static const char *const orders[] = {"both", "reference-first", "model-first", NULL};
  guint choice = APP_JUDGE_BOTH;

  if (o->parallel < 0 || o->max_tokens < 0 || o->limit < 0 || o->temperature < 0 ||
      o->most_cost < 0 || o->price_in < 0 || o->price_out < 0) {
    return complain("numbers of options are not below 0");
  }
  if (o->most_tokens && !g_ascii_string_to_unsigned(o->most_tokens, 10, 1, G_MAXUINT64,
                                                    &options->most_tokens, NULL)) {
    return complain("--most-tokens takes a positive number");
  }
  if (!cli_parse_choice("orders", o->orders, orders, &choice) ||
      (o->seed && !cli_parse_seed(o->seed, &options->seed))) {
    return FALSE;
  }
  options->orders = (AppJudgeOrders)choice;
  options->n_parallel = (guint)o->parallel;
  options->max_tokens = (guint)o->max_tokens;
  options->limit = (guint)o->limit;
  options->temperature = o->temperature;
  options->most_cost = o->most_cost;
  options->price_in = o->price_in;
  options->price_out = o->price_out;
  options->ask_failed = o->ask_failed;
  return TRUE;
}

/* FALSE: complained. */
static gboolean
finish(const Options *o, AppJudgeOptions *options)
{
  options->questions = o->questions;
  options->context = o->context;
  options->reference = o->reference;
  options->answers = o->answers;
  options->rules = o->rules;
  options->bench = o->bench;
  options->out = o->out;
  options->reviews = (const char *const *)o->reviews;
  if (!set_numbers(o, options)) {
    return FALSE;
  }
  if (o->reviews) {
    return !o->judge && !o->out && !o->answers && !o->questions
               ? TRUE
               : complain("--reviews scores what was judged: no --questions, --answers, --judge or "
                          "--out");
  }
  if (!o->questions || !o->answers || !o->out || !o->judge) {
    return complain("--questions, --answers, --out and --judge are needed, or --reviews FILE to "
                    "score what was judged");
  }
  return set_judge(o, options);
}

static int
run(const Options *o, const AppJudgeOptions *options)
{
  const AppJudgeListener listener = {cli_eval_problem, on_go_on, NULL};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) report = NULL;

  cli_catch_interrupt();
  report = app_eval_judge(options, &listener, &error);
  if (isatty(STDERR_FILENO) && !options->reviews) {
    fputc('\n', stderr);
  }
  if (!report) {
    return cli_failed(error);
  }
  return cli_eval_end(report, o->json, o->folder, print_report);
}

/* Who judges, and what it may cost. */
static GOptionGroup *
judge_group(Options *o)
{
  GOptionGroup *group =
      g_option_group_new("judge", "Judge Options:", "Show the judge's options", NULL, NULL);
  const GOptionEntry entries[] = {
      {"judge", 0, 0, G_OPTION_ARG_FILENAME, &o->judge,
       "Server that speaks OpenAI's chat completions: TEXTS LEAVE THIS MACHINE; or model:PATH",
       "URL"},
      {"judge-model", 0, 0, G_OPTION_ARG_FILENAME, &o->name, "Which of the server's models",
       "NAME"},
      {"judge-ca", 0, 0, G_OPTION_ARG_FILENAME, &o->ca_file,
       "Certificate of the authority that vouches for it", "FILE"},
      {"judge-proxy", 0, 0, G_OPTION_ARG_FILENAME, &o->proxy, "Proxy on the way to it", "URL"},
      {"judge-timeout", 0, 0, G_OPTION_ARG_INT, &o->timeout, "Its longest silence", "SECONDS"},
      {"judge-insecure", 0, 0, G_OPTION_ARG_NONE, &o->insecure, "Allow http:// to another machine",
       NULL},
      {"parallel", 0, 0, G_OPTION_ARG_INT, &o->parallel, "Questions at once (default: 4)", "N"},
      {"temperature", 0, 0, G_OPTION_ARG_DOUBLE, &o->temperature, "Of the judge (default: 0)", "T"},
      {"max-tokens", 0, 0, G_OPTION_ARG_INT, &o->max_tokens, "Longest reply (default: 1024)", "N"},
      {"most-tokens", 0, 0, G_OPTION_ARG_FILENAME, &o->most_tokens, "Budget of all runs together",
       "N"},
      {"most-cost", 0, 0, G_OPTION_ARG_DOUBLE, &o->most_cost, "The same in money", "X"},
      {"price-in", 0, 0, G_OPTION_ARG_DOUBLE, &o->price_in, "Of a million tokens of questions",
       "X"},
      {"price-out", 0, 0, G_OPTION_ARG_DOUBLE, &o->price_out, "Of a million tokens of replies",
       "X"},
      {NULL}};

  g_option_group_add_entries(group, entries);
  return group;
}

int
cmd_eval_judge(int argc, char **argv)
{
  g_auto(Options) o = {0};
  g_autofree char *command = cli_eval_command(argc, argv);
  const GOptionEntry entries[] = {
      {"questions", 0, 0, G_OPTION_ARG_FILENAME, &o.questions,
       "LLaVA-Med's questions, or LLaVA-Bench's", "FILE"},
      {"context", 0, 0, G_OPTION_ARG_FILENAME, &o.context,
       "LLaVA-Bench's captions and boxes by image", "FILE"},
      {"reference", 0, 0, G_OPTION_ARG_FILENAME, &o.reference,
       "Reference answers (default: the questions' own gpt4_answer)", "FILE"},
      {"answers", 0, 0, G_OPTION_ARG_FILENAME, &o.answers,
       "Answers of the model: lines with question_id and text", "FILE"},
      {"rules", 0, 0, G_OPTION_ARG_FILENAME, &o.rules,
       "LLaVA's rule.json: what the judge is told, by category (default: our own words)", "FILE"},
      {"orders", 0, 0, G_OPTION_ARG_FILENAME, &o.orders,
       "both, reference-first (as published) or model-first (default: both)", "NAME"},
      {"ask-failed", 0, 0, G_OPTION_ARG_NONE, &o.ask_failed,
       "Ask again what failed for good in an earlier run", NULL},
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &o.out,
       "Reviews, each with the whole reply; beside it FILE.journal, from which a run goes on",
       "FILE"},
      {"reviews", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o.reviews,
       "Score these reviews, of ours, LLaVA's or LLaVA-Med's; may be given again", "FILE"},
      {"bench", 0, 0, G_OPTION_ARG_FILENAME, &o.bench,
       "Whose published table stands beside: llava-med, llava-bench-coco, llava-bench-wild",
       "NAME"},
      {"limit", 0, 0, G_OPTION_ARG_INT, &o.limit, "The first N questions only", "N"},
      {"seed", 0, 0, G_OPTION_ARG_FILENAME, &o.seed, "Seed of the intervals (default: 1)", "N"},
      {"report", 0, 0, G_OPTION_ARG_FILENAME, &o.folder, "Write Markdown and plots, too", "DIR"},
      CLI_JSON_ENTRY(&o.json),
      {NULL}};
  AppJudgeOptions options = {.command = command};
  int status;

  if (!cli_parse(&argc, &argv, entries, judge_group(&o), "",
                 "Has a language model rate chat answers beside reference answers, in both orders, "
                 "and scores\nthem by both published rules: the mean of ratios (LLaVA-Med) and the "
                 "ratio of means (LLaVA).",
                 "The judge's key, if it wants one, is $HILUM_JUDGE_KEY. Replies without two "
                 "scores are kept,\ncounted and never scored. What was answered is not asked "
                 "twice.",
                 0, 0, &status)) {
    return status;
  }
  if (!finish(&o, &options)) {
    return CLI_MISUSED;
  }
  return run(&o, &options);
}
