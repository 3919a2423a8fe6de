/* score.c - see score.h. */
#include "score.h"

#include <stdlib.h>
#include <string.h>

#define N_RESAMPLES 1000

static const char *const NUMBERS[] = {"zero", "one",   "two",   "three", "four", "five",
                                      "six",  "seven", "eight", "nine",  "ten"};

/* None of the marks counts, but 1.5 and 1,500 are one word each. */
static gboolean
is_word_character(const char *at, const char *start)
{
  gunichar c = g_utf8_get_char(at);

  if (g_unichar_isalnum(c)) {
    return TRUE;
  }
  return (c == '.' || c == ',') && at > start && g_ascii_isdigit(at[-1]) && g_ascii_isdigit(at[1]);
}

static void
add_word(GPtrArray *words, const char *start, const char *end)
{
  g_autofree char *word = g_strndup(start, (gsize)(end - start));

  if (strcmp(word, "a") == 0 || strcmp(word, "an") == 0 || strcmp(word, "the") == 0) {
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS(NUMBERS); i++) {
    if (strcmp(word, NUMBERS[i]) == 0) {
      g_ptr_array_add(words, g_strdup_printf("%u", i));
      return;
    }
  }
  g_ptr_array_add(words, g_steal_pointer(&word));
}

char **
data_score_words(const char *text)
{
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  g_autofree char *lower = g_utf8_strdown(valid, -1);
  GPtrArray *words = g_ptr_array_new();
  const char *start = NULL;

  for (const char *at = lower;; at = g_utf8_next_char(at)) {
    gboolean inside = *at && is_word_character(at, lower);
    if (inside && !start) {
      start = at;
    }
    if (!inside && start) {
      add_word(words, start, at);
      start = NULL;
    }
    if (!*at) {
      break;
    }
  }
  g_ptr_array_add(words, NULL);
  return (char **)g_ptr_array_free(words, FALSE);
}

gboolean
data_score_exact(const char *prediction, const char *reference)
{
  g_auto(GStrv) p = data_score_words(prediction);
  g_auto(GStrv) r = data_score_words(reference);

  return g_strv_equal((const char *const *)p, (const char *const *)r);
}

double
data_score_recall(const char *prediction, const char *reference)
{
  g_auto(GStrv) p = data_score_words(prediction);
  g_auto(GStrv) r = data_score_words(reference);
  g_autoptr(GHashTable) left = g_hash_table_new(g_str_hash, g_str_equal);
  guint n = g_strv_length(r), found = 0;

  for (guint i = 0; p[i]; i++) {
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(left, p[i]));
    g_hash_table_insert(left, p[i], GUINT_TO_POINTER(count + 1));
  }
  for (guint i = 0; i < n; i++) {
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(left, r[i]));
    if (count > 0) { /* each word of the prediction answers for one of the reference */
      g_hash_table_insert(left, r[i], GUINT_TO_POINTER(count - 1));
      found++;
    }
  }
  return n ? (double)found / n : 0;
}

static gboolean
is_yes_or_no(const char *word)
{
  return strcmp(word, "yes") == 0 || strcmp(word, "no") == 0;
}

gboolean
data_score_closed(const char *prediction, const char *reference)
{
  g_auto(GStrv) p = data_score_words(prediction);
  g_auto(GStrv) r = data_score_words(reference);
  guint n_p = g_strv_length(p), n_r = g_strv_length(r);

  if (n_r == 1 && is_yes_or_no(r[0])) {
    for (guint i = 0; i < n_p; i++) {
      if (is_yes_or_no(p[i])) {
        return strcmp(p[i], r[0]) == 0;
      }
    }
    return FALSE;
  }
  for (guint i = 0; n_r && i + n_r <= n_p; i++) {
    guint same = 0;
    while (same < n_r && strcmp(p[i + same], r[same]) == 0) {
      same++;
    }
    if (same == n_r) {
      return TRUE;
    }
  }
  return FALSE;
}

static int
compare_doubles(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

/* splitmix64 (Steele, Lea, Flood 2014): the same on every machine, unlike GRand's future. */
static guint64
next_random(guint64 *state)
{
  guint64 z = (*state += G_GUINT64_CONSTANT(0x9e3779b97f4a7c15));

  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* Bounds of 95 % of MEANS, which it sorts. */
static void
take_bounds(double *means, double *low, double *high)
{
  qsort(means, N_RESAMPLES, sizeof means[0], compare_doubles);
  *low = means[N_RESAMPLES * 25 / 1000];
  *high = means[N_RESAMPLES * 975 / 1000 - 1];
}

void
data_score_interval(const double *values, gsize n, guint64 seed, double *low, double *high)
{
  double means[N_RESAMPLES];

  *low = *high = 0;
  if (!n) {
    return;
  }
  for (guint i = 0; i < N_RESAMPLES; i++) {
    double sum = 0;
    for (gsize j = 0; j < n; j++) {
      sum += values[next_random(&seed) % n];
    }
    means[i] = sum / (double)n;
  }
  take_bounds(means, low, high);
}

void
data_score_ratio_interval(const double *a, const double *b, gsize n, guint64 seed, double *low,
                          double *high)
{
  double ratios[N_RESAMPLES];

  *low = *high = 0;
  if (!n) {
    return;
  }
  for (guint i = 0; i < N_RESAMPLES; i++) {
    double sum_a = 0, sum_b = 0;
    for (gsize j = 0; j < n; j++) {
      const gsize k = next_random(&seed) % n;
      sum_a += a[k];
      sum_b += b[k];
    }
    ratios[i] = sum_a > 0 ? 100 * sum_b / sum_a : 0;
  }
  take_bounds(ratios, low, high);
}
