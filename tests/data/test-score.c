#include "score.h"

static void
test_words(void)
{
  g_auto(GStrv) words = data_score_words("The left-sided nodule, 1.5 cm; TWO of them (a few).");
  const char *expected[] = {"left", "sided", "nodule", "1.5", "cm", "2", "of", "them", "few", NULL};

  g_assert_true(g_strv_equal((const char *const *)words, expected));
}

static void
test_exact(void)
{
  g_assert_true(data_score_exact("Yes.", "yes"));
  g_assert_true(data_score_exact(" two ", "2"));
  g_assert_false(data_score_exact("Left lung", "right lung"));
  g_assert_false(data_score_exact("", "yes"));
  g_assert_true(data_score_exact("L\xc3\xa9sion", "l\xc3\xa9sion"));
}

static void
test_recall(void)
{
  g_assert_cmpfloat(data_score_recall("right lower lobe", "right upper lobe"), ==, 2.0 / 3);
  g_assert_cmpfloat(data_score_recall("right", "right right"), ==, 0.5);
  g_assert_cmpfloat(data_score_recall("", "right"), ==, 0);
  g_assert_cmpfloat(data_score_recall("right", ""), ==, 0);
}

static void
test_closed(void)
{
  g_assert_true(data_score_closed("Yes, there is.", "Yes"));
  g_assert_false(data_score_closed("No. Yes.", "yes"));
  g_assert_false(data_score_closed("abnormal", "no")); /* the published score says true here */
  g_assert_true(data_score_closed("on the right side", "right side"));
  g_assert_false(data_score_closed("right and left side", "right side"));
}

static void
test_interval(void)
{
  double values[200], low, high, low2, high2;

  for (int i = 0; i < 200; i++)
    values[i] = i % 2;
  data_score_interval(values, 200, 1, &low, &high);
  data_score_interval(values, 200, 1, &low2, &high2);
  g_assert_cmpfloat(low, ==, low2);
  g_assert_cmpfloat(high, ==, high2);
  /* The standard error of a fair coin over 200 throws is 0.035: the bounds lie near 0.5 +- 0.07. */
  g_assert_cmpfloat_with_epsilon(low, 0.43, 0.025);
  g_assert_cmpfloat_with_epsilon(high, 0.57, 0.025);
  data_score_interval(values, 0, 1, &low, &high);
  g_assert_cmpfloat(high, ==, 0);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/data/score/words", test_words);
  g_test_add_func("/data/score/exact", test_exact);
  g_test_add_func("/data/score/recall", test_recall);
  g_test_add_func("/data/score/closed", test_closed);
  g_test_add_func("/data/score/interval", test_interval);
  return g_test_run();
}
