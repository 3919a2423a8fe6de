/* test-cli-judge.c - `hilum eval judge` from outside, with a judge of our own: both orders, both
 * rules, replies that are no scores, going on after a kill, and reviews of other programs. */
#include "app/tiny.h"
#include "cli-run.h"
#include "mock-server.h"

#define SAYS(text)                                                                                 \
  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"                 \
  "{\"model\": \"judge-0\", \"choices\": [{\"message\": {\"role\": \"assistant\", \"content\": "   \
  "\"" text "\"}, \"finish_reason\": \"stop\"}], \"usage\": {\"prompt_tokens\": 30, "              \
  "\"completion_tokens\": 20}}"

static char *folder;

static char *
write_file(const char *name, const char *text)
{
  char *path = g_build_filename(folder, name, NULL);

  g_assert_true(g_file_set_contents(path, text, -1, NULL));
  return path;
}

static JsonObject *
report_of(const CliRun *run, JsonNode **root)
{
  g_autoptr(GPtrArray) lines = NULL;

  g_test_message("%s", run->err);
  g_assert_cmpint(run->status, ==, 0);
  lines = cli_json_lines(run->out);
  g_assert_cmpuint(lines->len, ==, 1);
  *root = json_node_copy(lines->pdata[0]);
  return json_node_get_object(*root);
}

static JsonObject *
group_of(JsonObject *report, const char *kind)
{
  JsonArray *groups = json_object_get_array_member(report, "groups");

  for (guint i = 0; i < json_array_get_length(groups); i++) {
    JsonObject *group = json_array_get_object_element(groups, i);
    if (g_str_equal(json_object_get_string_member(group, "kind"), kind)) {
      return group;
    }
  }
  g_error("no group %s", kind);
}

static double
number(JsonObject *object, const char *name)
{
  return json_object_get_double_member(object, name);
}

/* ---- with a judge -----------------------------------------------------------------------------
 */

/* Three questions of LLaVA-Med's form; the third has no answer. */
static const char QUESTIONS[] =
    "{\"question_id\": 0, \"image\": \"a.jpg\", \"text\": \"What organ?\\n<image>\", "
    "\"gpt4_answer\": \"REFERENCE one\", \"fig_label\": \"Fig. 3\", \"fig_caption\": \"A liver.\", "
    "\"in_text_mention\": [{\"tokens\": \"See Fig. 3 .\", \"entities\": []}], \"domain\": "
    "{\"chest_xray\": false, \"mri\": true, \"ct_scan\": true}, \"type\": \"conversation\"}\n"
    "{\"question_id\": 1, \"image\": \"a.jpg\", \"text\": \"Describe.\\n<image>\", "
    "\"gpt4_answer\": \"REFERENCE two\", \"fig_label\": \"Fig. 3\", \"fig_caption\": \"A liver.\", "
    "\"in_text_mention\": null, \"domain\": {\"ct_scan\": true}, \"type\": "
    "\"detailed_description\"}\n"
    "{\"question_id\": 2, \"image\": \"a.jpg\", \"text\": \"More?\", \"gpt4_answer\": \"x\", "
    "\"domain\": {\"ct_scan\": true}, \"type\": \"conversation\"}\nnonsense\n";
static const char ANSWERS[] =
    "{\"question_id\": 0, \"text\": \"CANDIDATE one\", \"model_id\": \"pupil\"}\n"
    "{\"question_id\": 1, \"text\": \"CANDIDATE two\", \"model_id\": \"pupil\"}\n{\"quest";

/* A judge that favours whom it sees first: 8 and 4 by rights, and one more for the first. */
static char **
partial_judge(const char *request, gpointer user)
{
  const char *reference = strstr(request, "REFERENCE"), *model = strstr(request, "CANDIDATE");
  char *pieces[] = {reference < model ? SAYS("9 4\\nThe first is better.")
                                      : SAYS("5, 8\\nThe second is better."),
                    NULL};

  return reference && model ? g_strdupv(pieces) : NULL;
}

typedef struct {
  MockServer *server;
  char *questions, *answers, *out;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
  g_autofree char *journal = NULL;

  f->server = mock_server_new();
  f->questions = write_file("questions.jsonl", QUESTIONS);
  f->answers = write_file("answers.jsonl", ANSWERS);
  f->out = g_build_filename(folder, "reviews.jsonl", NULL);
  journal = g_strconcat(f->out, ".journal", NULL);
  g_unlink(f->out);
  g_unlink(journal);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  mock_server_free(f->server);
  g_free(f->questions);
  g_free(f->answers);
  g_free(f->out);
}

static void
judge(Fixture *f, CliRun *run, const char *const *more)
{
  const char *const common[] = {
      "eval",          "judge", "--questions", f->questions, "--answers",
      f->answers,      "--out", f->out,        "--judge",    f->server->url,
      "--judge-model", "judge", "--parallel",  "1",          "--json"};

  cli_run_more(run, common, G_N_ELEMENTS(common), more);
}

/* Both orders, and what each order alone would have said. */
static void
test_orders(Fixture *f, gconstpointer data)
{
  g_autoptr(JsonNode) root = NULL;
  g_auto(CliRun) run = {0};
  JsonObject *report, *all, *orders, *position;

  f->server->answer = partial_judge;
  judge(f, &run, NULL);
  report = report_of(&run, &root);
  g_assert_cmpuint(mock_n_requests(f->server), ==, 4);
  g_assert_cmpint(json_object_get_int_member(report, "questions"), ==, 2);
  g_assert_cmpint(json_object_get_int_member(report, "reviews"), ==, 4);
  g_assert_cmpstr(json_object_get_string_member(report, "bench"), ==, "llava-med");
  g_assert_cmpstr(json_object_get_string_member(report, "model"), ==, "pupil");
  all = group_of(report, "all");
  g_assert_cmpfloat_with_epsilon(number(all, "reference_mean"), 8.5, 1e-12);
  g_assert_cmpfloat_with_epsilon(number(all, "model_mean"), 4.5, 1e-12);
  g_assert_cmpfloat_with_epsilon(number(all, "mean_of_ratios"), 100 * 4.5 / 8.5, 1e-9);
  g_assert_cmpfloat_with_epsilon(number(all, "ratio_of_means"), 100 * 4.5 / 8.5, 1e-9);
  orders = json_object_get_object_member(report, "orders");
  g_assert_cmpfloat_with_epsilon(
      number(json_object_get_object_member(orders, "reference_first"), "ratio_of_means"),
      100 * 4.0 / 9, 1e-9);
  g_assert_cmpfloat_with_epsilon(
      number(json_object_get_object_member(orders, "model_first"), "ratio_of_means"), 100 * 5.0 / 8,
      1e-9);
  position = json_object_get_object_member(report, "position");
  g_assert_cmpfloat_with_epsilon(number(position, "bias"), 1, 1e-12);
  group_of(report, "mri"); /* the first that is true of the first question */
  group_of(report, "ct_scan");
  group_of(report, "detailed_description");
  /* What it was told: the context, the question without its mark, and no patient of ours. */
  g_assert_nonnull(strstr(mock_body(f->server, 0), "Fig. 3: A liver."));
  g_assert_nonnull(strstr(mock_body(f->server, 0), "See Fig. 3 ."));
  g_assert_null(strstr(mock_body(f->server, 0), "<image>"));
}

static void
test_raw_replies(Fixture *f, gconstpointer data)
{
  g_autoptr(JsonNode) root = NULL, again = NULL;
  g_autofree char *reviews = NULL;
  g_auto(CliRun) run = {0}, later = {0};
  JsonObject *report;

  mock_reply(f->server, SAYS("9 4\\nBecause."), NULL);
  mock_reply(f->server, SAYS("I cannot rate them."), NULL);
  mock_reply(f->server, SAYS("8 8"), NULL);
  mock_reply(f->server, SAYS("6 7"), NULL);
  judge(f, &run, NULL);
  report = report_of(&run, &root);
  g_assert_cmpint(json_object_get_int_member(report, "reviews"), ==, 4);
  g_assert_cmpint(json_object_get_int_member(report, "unparsable"), ==, 1);
  /* The other order of that question would favour somebody. */
  g_assert_cmpint(json_object_get_int_member(report, "half_judged"), ==, 1);
  g_assert_cmpint(json_object_get_int_member(report, "questions"), ==, 1);
  g_assert_cmpint(
      json_object_get_int_member(json_object_get_object_member(report, "left_out"), "unanswered"),
      ==, 1);
  g_assert_cmpfloat(number(group_of(report, "all"), "reference_mean"), ==, 7.5);
  g_assert_true(g_file_get_contents(f->out, &reviews, NULL, NULL));
  g_assert_nonnull(strstr(reviews, "\"I cannot rate them.\""));
  g_assert_nonnull(strstr(reviews, "\"9 4\\nBecause.\""));
  g_assert_nonnull(strstr(run.err, "questions.jsonl: line 4: "));
  g_assert_nonnull(strstr(run.err, "answers.jsonl: line 3: "));
  /* The file that it wrote says the same. */
  cli_run(&later, NULL, "eval", "judge", "--reviews", f->out, "--json", NULL);
  report = report_of(&later, &again);
  g_assert_cmpint(json_object_get_int_member(report, "unparsable"), ==, 1);
  g_assert_cmpfloat(number(group_of(report, "all"), "reference_mean"), ==, 7.5);
}

/* What goes wrong at the server leaves its question unjudged; the same command asks for it alone.
 */
static void
test_resume(Fixture *f, gconstpointer data)
{
  g_autoptr(JsonNode) first = NULL, second = NULL;
  g_auto(CliRun) run = {0}, again = {0};
  JsonObject *report;

  mock_reply(f->server, SAYS("9 4"), NULL);
  mock_reply(f->server, SAYS("4 9"), NULL);
  mock_reply(f->server, "HTTP/1.1 401 No\r\nConnection: close\r\n\r\n", NULL);
  judge(f, &run, NULL);
  report = report_of(&run, &first);
  g_assert_cmpint(json_object_get_int_member(report, "questions"), ==, 1);
  g_assert_cmpint(json_object_get_int_member(report, "not_judged"), ==, 2);
  mock_reply(f->server, SAYS("9 4"), NULL);
  mock_reply(f->server, SAYS("4 9"), NULL);
  judge(f, &again, NULL);
  report = report_of(&again, &second);
  g_assert_cmpuint(mock_n_requests(f->server), ==, 5);
  g_assert_cmpint(json_object_get_int_member(report, "questions"), ==, 2);
  g_assert_cmpint(json_object_get_int_member(report, "not_judged"), ==, 0);
}

/* LLaVA-Bench: context, rules and references in files of their own; the published order. */
static void
test_bench(Fixture *f, gconstpointer data)
{
  g_autofree char *bench = write_file(
      "bench.jsonl", "{\"question_id\": 0, \"image\": \"i.jpg\", \"text\": \"What colour?\", "
                     "\"category\": \"conv\"}\n");
  g_autofree char *context = write_file(
      "context.jsonl",
      "{\"id\": \"i\", \"image\": \"i.jpg\", \"captions\": [\"A dog.\", \"A red dog.\"], "
      "\"instances\": [{\"category\": \"dog\", \"bbox\": [0.1, 0.25, 0.5, 1]}]}\n");
  g_autofree char *reference =
      write_file("reference.jsonl", "{\"question_id\": 0, \"text\": \"REFERENCE red\"}\n");
  g_autofree char *rules = write_file(
      "rules.json", "{\"math\": {\"role\": \"Assistant\", \"prompt\": \"no\"}, \"conv\": "
                    "{\"role\": \"Solver\", \"prompt\": \"RULE of ours\"}}");
  g_autoptr(JsonNode) root = NULL;
  g_auto(CliRun) run = {0};
  const char *body;

  mock_reply(f->server, SAYS("8 6"), NULL);
  cli_run(&run, NULL, "eval", "judge", "--questions", bench, "--context", context, "--reference",
          reference, "--rules", rules, "--answers", f->answers, "--out", f->out, "--judge",
          f->server->url, "--judge-model", "j", "--orders", "reference-first", "--json", NULL);
  report_of(&run, &root);
  g_assert_cmpuint(mock_n_requests(f->server), ==, 1);
  body = mock_body(f->server, 0);
  g_assert_nonnull(strstr(body, "A dog.\\nA red dog.\\n\\ndog: [0.1, 0.25, 0.5, 1]"));
  g_assert_nonnull(strstr(body, "[Solver 1]\\nREFERENCE red"));
  g_assert_nonnull(strstr(body, "[Solver 2]\\nCANDIDATE one"));
  g_assert_nonnull(strstr(body, "RULE of ours"));
}

/* ---- without one ------------------------------------------------------------------------------
 */

/* The forms of LLaVA, Vicuna and LLaVA-Med. By hand: ratios 50, 100 and 200; means 16/3 and 16/3.
 */
static void
test_reviews(Fixture *f, gconstpointer data)
{
  g_autofree char *reviews = write_file(
      "others.jsonl",
      "{\"question_id\": 1, \"category\": \"llava_bench_conv\", \"content\": \"8 4\\nx\", "
      "\"tuple\": [8.0, 4.0]}\n"
      "{\"question_id\": 2, \"text\": \"4 4\", \"score\": [4, 4]}\n"
      "{\"question_id\": 3, \"type\": \"conversation\", \"domain\": {\"gross\": true}, \"result\": "
      "\"4 8\\nx\"}\n"
      "{\"question_id\": 4, \"category\": \"llava_bench_conv\", \"tuple\": [-1, -1]}\n"
      "{\"question_id\": 5, \"type\": \"conversation\", \"result\": \"Both are fine.\"}\n"
      "{\"category\": \"conv\", \"tuple\": [1, 1]}\n");
  g_autofree char *page = g_build_filename(folder, "judged", NULL);
  g_autofree char *markdown = g_build_filename(page, "report.md", NULL), *text = NULL;
  g_autoptr(JsonNode) root = NULL;
  g_auto(CliRun) run = {0};
  JsonObject *report, *all;

  cli_run(&run, NULL, "eval", "judge", "--reviews", reviews, "--bench", "llava-bench-wild",
          "--report", page, "--json", NULL);
  report = report_of(&run, &root);
  all = group_of(report, "all");
  g_assert_cmpint(json_object_get_int_member(all, "n"), ==, 3);
  g_assert_cmpfloat_with_epsilon(number(all, "mean_of_ratios"), 350.0 / 3, 1e-9);
  g_assert_cmpfloat_with_epsilon(number(all, "ratio_of_means"), 100, 1e-9);
  g_assert_cmpint(json_object_get_int_member(all, "wins"), ==, 1);
  g_assert_cmpint(json_object_get_int_member(report, "unparsable"), ==, 2);
  g_assert_true(json_object_get_null_member(report, "position"));
  g_assert_true(g_file_get_contents(markdown, &text, NULL, NULL));
  g_assert_nonnull(strstr(text, "Bard-0718"));
  g_assert_nonnull(strstr(text, "1-judged.svg"));
}

static void
test_misuse(Fixture *f, gconstpointer data)
{
  const char *const wrong[][14] = {
      {"eval", "judge"},
      {"eval", "judge", "--questions", f->questions, "--answers", f->answers, "--out", f->out},
      {"eval", "judge", "--questions", f->questions, "--answers", f->answers, "--out", f->out,
       "--judge", "http://elsewhere.example"},
      {"eval", "judge", "--questions", f->questions, "--answers", f->answers, "--out", f->out,
       "--judge", "model:x", "--judge-model", "y"},
      {"eval", "judge", "--reviews", f->out, "--out", f->out},
      {"eval", "judge", "--reviews", f->out, "--orders", "sideways"},
      {"eval", "judge", "--reviews", f->out, "--temperature", "-1"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_auto(CliRun) run = {0};
    cli_runv(&run, "", wrong[i]);
    g_test_message("row %u: %s", i, run.err);
    g_assert_cmpint(run.status, ==, 2);
    g_assert_cmpstr(run.out, ==, "");
  }
  g_assert_cmpuint(mock_n_requests(f->server), ==, 0);
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*test)(Fixture *f, gconstpointer data);
  } tests[] = {{"/cli/judge/orders", test_orders},   {"/cli/judge/raw-replies", test_raw_replies},
               {"/cli/judge/resume", test_resume},   {"/cli/judge/bench", test_bench},
               {"/cli/judge/reviews", test_reviews}, {"/cli/judge/misuse", test_misuse}};
  int status;

  g_test_init(&argc, &argv, NULL);
  folder = tiny_folder_new();
  for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
    g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
  }
  status = g_test_run();
  tiny_folder_free(folder);
  return status;
}
