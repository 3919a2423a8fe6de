/* test-cli-eval.c - `hilum eval` from outside, and the way from a set of phantoms to an answer of a
 * model that was trained on them. */
#include "cli-tools.h"

static void
evaluate(CliRun *run, const char *file, const char *images, const char *const *more)
{
  const char *const common[] = {"eval",     "vqa",  "--model",   model, "--questions",  file,
                                "--images", images, "--threads", "1",   "--max-tokens", "24"};

  cli_run_more(run, common, G_N_ELEMENTS(common), more);
}

static void
check_groups(JsonArray *groups, guint n_questions)
{
  guint n_all = 0, n_kinds = 0;

  for (guint i = 0; i < json_array_get_length(groups); i++) {
    JsonObject *group = json_array_get_object_element(groups, i);
    gint64 n = json_object_get_int_member(group, "n");

    cli_assert_keys(group, "kind answer_type n exact exact_low exact_high recall recall_low "
                           "recall_high closed closed_low closed_high majority majority_answer "
                           "published blank train_majority");
    g_assert_cmpfloat(json_object_get_double_member(group, "exact"), <=,
                      json_object_get_double_member(group, "exact_high"));
    if (g_str_equal(json_object_get_string_member(group, "kind"), "all")) {
      n_all += (guint)n;
    } else {
      g_assert_cmpuint(n_all, ==, 0); /* "all" comes last */
      n_kinds += (guint)n;
    }
  }
  g_assert_cmpuint(n_all, ==, n_questions);
  g_assert_cmpuint(n_kinds, ==, n_questions);
}

#define REPORT_KEYS                                                                                \
  "type model model_sha256 engine blank_image questions groups by_organ by_modality format "       \
  "dataset images images_encoded left_out paired leak published_table files seed command version"

static void
test_eval_report(void)
{
  g_auto(CliRun) seen = {0}, again = {0}, blank = {0}, table = {0};
  g_autoptr(GPtrArray) lines = NULL, blanks = NULL;
  JsonObject *report;

  evaluate(&seen, questions, held_out, (const char *const[]){"--rows", "--limit", "9", NULL});
  g_assert_cmpint(seen.status, ==, 0);
  lines = cli_json_lines(seen.out);
  g_assert_cmpuint(lines->len, ==, 10);
  for (guint i = 0; i < 9; i++) {
    cli_assert_keys(json_node_get_object(lines->pdata[i]),
                    "question_id kind answer_type text reference answer exact recall closed");
  }
  report = json_node_get_object(lines->pdata[9]);
  cli_assert_keys(report, REPORT_KEYS);
  g_assert_false(json_object_get_boolean_member(report, "blank_image"));
  g_assert_cmpint(json_object_get_int_member(report, "questions"), ==, 9);
  check_groups(json_object_get_array_member(report, "groups"), 9);
  evaluate(&again, questions, held_out, (const char *const[]){"--rows", "--limit", "9", NULL});
  g_assert_cmpstr(again.out, ==, seen.out);
  evaluate(&blank, questions, held_out,
           (const char *const[]){"--json", "--blank-image", "--limit", "2", NULL});
  g_assert_cmpint(blank.status, ==, 0);
  blanks = cli_json_lines(blank.out);
  g_assert_cmpuint(blanks->len, ==, 1);
  g_assert_true(
      json_object_get_boolean_member(json_node_get_object(blanks->pdata[0]), "blank_image"));
  evaluate(&table, questions, held_out, (const char *const[]){"--limit", "2", NULL});
  g_assert_cmpint(table.status, ==, 0);
  g_assert_nonnull(strstr(table.out, "most frequent answer"));
}

/* An evaluation sees what an asker sees: the same answers, with the picture and without. */
static void
check_same_answer(JsonObject *row, const char *image, const char *blank)
{
  g_auto(CliRun) run = {0};
  g_autoptr(GPtrArray) turns = NULL;

  cli_run(&run, NULL, "ask", "--model", model, "--image", image, "--question",
          json_object_get_string_member(row, "text"), "--greedy", "--max-tokens", "24", "--no-log",
          "--json", blank, NULL);
  g_assert_cmpint(run.status, ==, 0);
  turns = cli_json_lines(run.out);
  g_assert_cmpstr(json_object_get_string_member(json_node_get_object(turns->pdata[0]), "answer"),
                  ==, json_object_get_string_member(row, "answer"));
}

static void
test_eval_as_asked(void)
{
  g_autofree char *text = contents(questions, NULL);
  g_autoptr(GPtrArray) asked = cli_json_lines(text), seen = NULL, unseen = NULL;
  g_auto(CliRun) run = {0}, blank = {0};
  guint n_changed = 0;

  evaluate(&run, questions, held_out, (const char *const[]){"--rows", "--limit", "6", NULL});
  evaluate(&blank, questions, held_out,
           (const char *const[]){"--rows", "--limit", "6", "--blank-image", NULL});
  seen = cli_json_lines(run.out);
  unseen = cli_json_lines(blank.out);
  g_assert_cmpuint(seen->len, ==, 7);
  g_assert_cmpuint(unseen->len, ==, 7);
  for (guint i = 0; i < 6; i++) {
    const char *name =
        json_object_get_string_member(json_node_get_object(asked->pdata[i]), "image");
    g_autofree char *image = g_build_filename(held_out, name, NULL);
    JsonObject *a = json_node_get_object(seen->pdata[i]);
    JsonObject *b = json_node_get_object(unseen->pdata[i]);
    check_same_answer(a, image, NULL);
    check_same_answer(b, image, "--blank-image");
    n_changed += !g_str_equal(json_object_get_string_member(a, "answer"),
                              json_object_get_string_member(b, "answer"));
  }
  /* Else nothing was compared: the picture reaches the answers of this model. */
  g_assert_cmpuint(n_changed, >, 0);
}

static void
test_eval_bad_lines(void)
{
#define REST "\"text\": \"?\", \"answer\": \"yes\", \"answer_type\": \"CLOSED\""
  static const struct {
    const char *line, *expected;
  } cases[] = {
      {"nonsense", "line 3"},
      {"[1]", "line 3"},
      {"{\"image\": \"images/000000.dcm\", " REST, "line 3"},
      {"{\"image\": \"images/000000.dcm\", " REST "} {}", "line 3"},
      {"{\"image\": /*\"*/[[[[[[[[", "line 3"},
      {"{" REST "}", "line 3: lacks"},
      {"{\"image\": \"images/000000.dcm\", \"text\": \"?\", \"answer_type\": \"OPEN\"}",
       "line 3: lacks"},
      {"{\"image\": \"images/000000.dcm\", \"text\": \"?\", \"answer\": \"x\", "
       "\"answer_type\": \"AJAR\"}",
       "line 3: answer_type is \"AJAR\""},
      {"{\"image\": \"../x.dcm\", " REST "}", "line 3: image"},
      {"{\"image\": \"images/gone.dcm\", " REST "}", "gone.dcm"},
      {"{\"image\": \"images\", " REST "}", "line 3"},
  };
  g_autofree char *file = in_folder("bad.jsonl");

  /* Each is named, counted and left out; the question before it is asked. */
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_auto(CliRun) run = {0};
    g_autoptr(GPtrArray) lines = NULL;
    JsonObject *report, *left_out;
    g_autofree char *text =
        g_strconcat("{\"image\": \"images/000000.dcm\", " REST "}\n\n", cases[i].line, NULL);
    g_assert_true(g_file_set_contents(file, text, -1, NULL));
    evaluate(&run, file, held_out, (const char *const[]){"--json", "--no-control", NULL});
    g_assert_cmpint(run.status, ==, 0);
    g_assert_nonnull(strstr(run.err, cases[i].expected));
    g_assert_nonnull(strstr(run.err, file));
    lines = cli_json_lines(run.out);
    report = json_node_get_object(lines->pdata[0]);
    left_out = json_object_get_object_member(report, "left_out");
    g_assert_cmpint(json_object_get_int_member(report, "questions"), ==, 1);
    g_assert_cmpint(json_object_get_int_member(left_out, "bad_records") +
                        json_object_get_int_member(left_out, "no_image"),
                    ==, 1);
  }
  g_assert_true(g_file_set_contents(file, "nonsense\n", -1, NULL));
  {
    g_auto(CliRun) run = {0};
    evaluate(&run, file, held_out, (const char *const[]){"--json", NULL});
    g_assert_cmpint(run.status, ==, 1);
    g_assert_cmpstr(run.out, ==, "");
    g_assert_nonnull(strstr(run.err, "no questions in it"));
  }
#undef REST
}

static void
test_eval_misuse(void)
{
  g_autofree char *gone = in_folder("gone.jsonl");
  g_auto(CliRun) run = {0};
  const char *const wrong[][12] = {
      {"eval"},
      {"eval", "nonsense"},
      {"eval", "vqa"},
      {"eval", "vqa", "--questions", questions},
      {"eval", "vqa", "--images", held_out},
      {"eval", "vqa", "--questions", questions, "--images", held_out, "--limit", "-1"},
      {"eval", "vqa", "--questions", questions, "--images", held_out, "--max-tokens", "-1"},
      {"eval", "vqa", "--questions", questions, "--images", held_out, "--answer", "long"},
      {"eval", "vqa", "--questions", questions, "--images", held_out, "operand"},
  };

  check_misuse(wrong, G_N_ELEMENTS(wrong));
  evaluate(&run, gone, held_out, (const char *const[]){NULL});
  g_assert_cmpint(run.status, ==, 1);
  g_assert_nonnull(strstr(run.err, gone));
}

/* ---- from phantoms to an answer ----------------------------------------------------------- */

static void
test_end_to_end(void)
{
  g_autofree char *trained = in_folder("end.gguf"), *small = in_folder("end-q8.gguf");
  g_autofree char *log = in_folder("end.sqlite");
  g_autofree char *image = g_build_filename(held_out, "images", "000001.dcm", NULL);
  g_auto(CliRun) run = {0}, convert = {0}, ask = {0}, show = {0}, people = {0};
  g_autoptr(GPtrArray) turns = NULL, kept = NULL;

  train(&run, trained, (const char *const[]){"--steps", "3", NULL});
  g_assert_cmpint(run.status, ==, 0);
  cli_run(&convert, NULL, "model", "convert", trained, "--type", "q8_0", "--out", small, NULL);
  g_test_message("%s", convert.err);
  g_assert_cmpint(convert.status, ==, 0);
  cli_run(&ask, NULL, "ask", "--model", small, "--image", image, "--question", "Which modality?",
          "--question", "Which side?", "--greedy", "--max-tokens", "4", "--log", log, "--json",
          NULL);
  g_test_message("%s", ask.err);
  g_assert_cmpint(ask.status, ==, 0);
  turns = cli_json_lines(ask.out);
  g_assert_cmpuint(turns->len, ==, 2);
  cli_run(&show, NULL, "log", "show", "1", "--log", log, "--json", NULL);
  g_assert_cmpint(show.status, ==, 0);
  kept = cli_json_lines(show.out);
  g_assert_cmpuint(kept->len, ==, 2);
  for (guint i = 0; i < 2; i++) {
    JsonObject *said = json_node_get_object(turns->pdata[i]);
    JsonObject *row = json_node_get_object(kept->pdata[i]);
    JsonObject *by = json_object_get_object_member(said, "model");
    g_assert_cmpstr(json_object_get_string_member(said, "answer"), ==,
                    json_object_get_string_member(row, "answer"));
    g_assert_cmpstr(json_object_get_string_member(by, "quantization"), ==, "mixed Q8_0");
    g_assert_cmpstr(
        json_object_get_string_member(by, "sha256"), ==,
        json_object_get_string_member(json_object_get_object_member(row, "model"), "sha256"));
  }
  cli_run(&people, NULL, "log", "show", "1", "--log", log, NULL);
  g_assert_cmpint(people.status, ==, 0);
  g_assert_nonnull(strstr(people.out, "Which side?"));
}

int
main(int argc, char **argv)
{
  int status;

  g_test_init(&argc, &argv, NULL);
  cli_tools_set_up();
  g_test_add_func("/cli/eval/report", test_eval_report);
  g_test_add_func("/cli/eval/as-asked", test_eval_as_asked);
  g_test_add_func("/cli/eval/bad-lines", test_eval_bad_lines);
  g_test_add_func("/cli/eval/misuse", test_eval_misuse);
  g_test_add_func("/cli/end-to-end", test_end_to_end);
  status = g_test_run();
  cli_tools_clear();
  return status;
}
