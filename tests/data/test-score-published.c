/* test-score-published.c - LLaVA-Med's scores by its own golden numbers, what is chosen, what a
 * judge says, and the published tables. */
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "score.h"
#include "shared.h"

static JsonNode *
read_json(const char *path)
{
  g_autoptr(JsonParser) parser = json_parser_new();
  g_autoptr(GError) error = NULL;

  json_parser_load_from_file(parser, path, &error);
  g_assert_no_error(error);
  return json_parser_steal_root(parser);
}

static void
assert_normal(const char *text, const char *expected)
{
  g_autofree char *normal = data_score_normal(text);

  g_assert_cmpstr(normal, ==, expected);
}

/* Each row is one of the oddities; the golden file has more. */
static void
test_normal(void)
{
  assert_normal("The X-Ray shows a mass.", "x ray shows mass");
  assert_normal("- dash - alone-standing", "dash alonestanding");
  assert_normal("a/b, 1,200 (x)-y", "ab 1200 xy"); /* a grouped number deletes every mark */
  assert_normal("e.g. 2.5 v.s. 3.", "eg 2.5 vs 3");
  assert_normal("None, zero, ten or eleven", "0 0 10 or eleven");
  assert_normal("dont wont yall'd've hadntve", "don't won't y'all'd've hadntve");
  assert_normal("hadnt've hadn'tve somebody'd", "hadn't've hadn't've somebodyd");
  assert_normal("Im well", "im well"); /* its key has a capital letter, and never fits */
  assert_normal("a\xc2\xa0"
                "b\x1c"
                "c",
                "b c");
  assert_normal("", "");
  assert_normal("bad \xff byte", "bad \xef\xbf\xbd byte");
}

/* A count in the place of a flag: no more than 32 points go. */
static void
test_points(void)
{
  g_autoptr(GString) text = g_string_new(NULL);

  for (guint i = 0; i < 40; i++) {
    g_string_append(text, "x.");
  }
  g_assert_cmpint((int)strlen(text->str), ==, 80);
  {
    g_autofree char *normal = data_score_normal(text->str);
    g_assert_cmpint((int)strlen(normal), ==, 48);
  }
}

static void
test_bleu(void)
{
  DataScorePublished score;

  data_score_published("right lower lobe of lung", "right lower lobe", &score);
  g_assert_cmpfloat_with_epsilon(score.bleu_n[0], 3.0 / 5, 1e-15);
  g_assert_cmpfloat_with_epsilon(score.bleu_n[1], 2.0 / 4, 1e-15);
  g_assert_cmpfloat_with_epsilon(score.bleu_n[2], 1.0 / 3, 1e-15);
  g_assert_cmpfloat(score.bleu, <, 1e-70); /* no phrase of four words, and no smoothing */
  data_score_published("one two three four five", "one two three four five", &score);
  g_assert_cmpfloat_with_epsilon(score.bleu, 1, 1e-15);
  /* Shorter than the reference: exp(1 - 4 / 2). */
  data_score_published("left lung", "left lung upper lobe", &score);
  g_assert_cmpfloat_with_epsilon(score.bleu_n[0], exp(-1), 1e-15);
  data_score_published("left left left", "left", &score);
  g_assert_cmpfloat_with_epsilon(score.bleu_n[0], 1.0 / 3, 1e-15);
  data_score_published("", "left", &score);
  g_assert_cmpfloat(score.bleu_n[0], ==, 0);
  data_score_published("right", "left", &score);
  g_assert_cmpfloat(score.bleu_n[0], ==, 0);
}

static void
test_golden_normal(void)
{
  g_autofree char *path = shared_path("vectors/golden/normalize_word.json");
  g_autoptr(JsonNode) root = path ? read_json(path) : NULL;
  JsonObjectIter iter;
  const char *text;
  JsonNode *expected;

  if (!root) {
    return;
  }
  json_object_iter_init(&iter, json_node_get_object(root));
  while (json_object_iter_next(&iter, &text, &expected)) {
    assert_normal(text, json_node_get_string(expected));
  }
}

static void
check_golden_scores(JsonObject *row)
{
  const char *prediction = json_object_get_string_member(row, "pred");
  const char *reference = json_object_get_string_member(row, "gt");
  JsonArray *f1 = json_object_get_array_member(row, "f1");
  DataScorePublished score;

  g_test_message("%s | %s", prediction, reference);
  assert_normal(prediction, json_object_get_string_member(row, "pred_norm"));
  assert_normal(reference, json_object_get_string_member(row, "gt_norm"));
  data_score_published(prediction, reference, &score);
  g_assert_cmpfloat(score.exact, ==, json_object_get_double_member(row, "exact"));
  g_assert_cmpfloat(score.f1, ==, json_array_get_double_element(f1, 0));
  g_assert_cmpfloat(score.precision, ==, json_array_get_double_element(f1, 1));
  g_assert_cmpfloat(score.recall, ==, json_array_get_double_element(f1, 2));
  g_assert_cmpint(score.contained, ==, json_object_get_int_member(row, "closed_substring"));
  g_assert_cmpint(score.closed_strict, ==, json_object_get_int_member(row, "closed_strict"));
}

static void
test_golden_scores(void)
{
  g_autofree char *path = shared_path("vectors/golden/token_scores.json");
  g_autoptr(JsonNode) root = path ? read_json(path) : NULL;
  JsonArray *rows = root ? json_node_get_array(root) : NULL;

  for (guint i = 0; rows && i < json_array_get_length(rows); i++) {
    check_golden_scores(json_array_get_object_element(rows, i));
  }
}

static void
test_choice(void)
{
  g_assert_cmpint(data_score_choice("B", 4), ==, 1);
  g_assert_cmpint(data_score_choice(" C\n", 4), ==, 2);
  g_assert_cmpint(data_score_choice("A. because", 4), ==, 0);
  g_assert_cmpint(data_score_choice("D\nbecause", 4), ==, 3);
  g_assert_cmpint(data_score_choice("LECTURE: x. The answer is C. The answer is A", 4), ==, 2);
  g_assert_cmpint(data_score_choice("The answer is A, or The answer is B.", 4), ==, 1);
  g_assert_cmpint(data_score_choice("The answer is B", 4), ==, 1);
  g_assert_cmpint(data_score_choice("E", 4), ==, -1); /* four choices end with D */
  g_assert_cmpint(data_score_choice("F", 5), ==, -1);
  g_assert_cmpint(data_score_choice("A.because", 4), ==, -1);
  g_assert_cmpint(data_score_choice("the answer is a", 4), ==, -1);
  g_assert_cmpint(data_score_choice("", 4), ==, -1);
  g_assert_cmpint(data_score_choice("The answer is ", 4), ==, -1);
}

static void
test_verdict(void)
{
  static const char *const good[] = {"8 7",      "8 7\nBecause 1 2 3", "8, 7",   " 8\t7 \n",
                                     "\n\n8 7.", "8/10 7/10",          "**8 7**"};
  static const char *const bad[] = {
      "",       "8",     "8 7 6", "eight seven",    "11 3",  "-1 -1", "nan 3",
      "inf 3",  "0x8 7", "8 7e0", "I give 8 and 7", "8 / 7", "\n",    "Assistant 1: 8 7",
      "8/100 7"};
  double first, second;

  for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
    g_test_message("%s", good[i]);
    g_assert_true(data_score_verdict(good[i], &first, &second));
    g_assert_cmpfloat(first, ==, 8);
    g_assert_cmpfloat(second, ==, 7);
  }
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_test_message("%s", bad[i]);
    g_assert_false(data_score_verdict(bad[i], &first, &second));
  }
  g_assert_true(data_score_verdict("8.5 0", &first, &second));
  g_assert_cmpfloat(first, ==, 8.5);
}

static void
test_ratio_interval(void)
{
  double a[100], b[100], low, high, low2, high2;

  for (int i = 0; i < 100; i++) {
    a[i] = 8;
    b[i] = i % 2 ? 4 : 6;
  }
  data_score_ratio_interval(a, b, 100, 7, &low, &high);
  data_score_ratio_interval(a, b, 100, 7, &low2, &high2);
  g_assert_cmpfloat(low, ==, low2);
  g_assert_cmpfloat(high, ==, high2);
  /* 62.5 is the ratio; the standard error of B's mean is 0.1, that is 1.25. */
  g_assert_cmpfloat_with_epsilon(low, 60, 0.8);
  g_assert_cmpfloat_with_epsilon(high, 65, 0.8);
  data_score_ratio_interval(a, b, 0, 7, &low, &high);
  g_assert_cmpfloat(high, ==, 0);
}

static void
test_tables(void)
{
  const char *source = NULL;
  const char *const *groups = NULL;
  guint n = 0;
  const DataPublishedVqa *rad = data_published_vqa("vqa-rad", &n, &source);
  const DataPublishedJudge *med;

  g_assert_cmpuint(n, ==, 13); /* all but one that has no VQA-RAD */
  g_assert_nonnull(strstr(source, "arXiv:2306.00890"));
  g_assert_cmpfloat(rad[1].open, ==, 61.52);
  g_assert_cmpfloat(rad[1].closed, ==, 84.19);
  g_assert_false(rad[1].open_is_accuracy);
  g_assert_null(data_published_vqa("nonsense", &n, &source));
  g_assert_null(data_published_vqa(NULL, &n, &source));
  med = data_published_judge("llava-med", &n, &groups, &source);
  g_assert_cmpuint(n, ==, 5);
  g_assert_cmpuint(g_strv_length((char **)groups), ==, 8);
  g_assert_cmpfloat(med[4].scores[7], ==, 50.2);
  g_assert_nonnull(data_published_judge("llava-bench-wild", &n, &groups, &source));
  g_assert_null(data_published_judge(NULL, &n, &groups, &source));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/data/score-published/normal", test_normal);
  g_test_add_func("/data/score-published/points", test_points);
  g_test_add_func("/data/score-published/bleu", test_bleu);
  g_test_add_func("/data/score-published/golden-normal", test_golden_normal);
  g_test_add_func("/data/score-published/golden-scores", test_golden_scores);
  g_test_add_func("/data/score-published/choice", test_choice);
  g_test_add_func("/data/score-published/verdict", test_verdict);
  g_test_add_func("/data/score-published/ratio-interval", test_ratio_interval);
  g_test_add_func("/data/score-published/tables", test_tables);
  return g_test_run();
}
