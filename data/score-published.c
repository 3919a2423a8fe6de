/* score-published.c - LLaVA-Med's own scores, with all that is odd about them (score.h). */
#include <float.h>
#include <math.h>
#include <string.h>

#include "score.h"

/* Its normal form replaces these, and no other mark: neither ':' nor an apostrophe. */
#define MARKS ";/[]\"{}()=+\\_-><@`,?!"
/* A flag that is handed over in the place of a count makes it so. */
#define MOST_POINTS 32u
#define LONGEST 4u /* words of BLEU's longest phrase */

/* Words that get back an apostrophe which one of them lost. Those that begin with a capital letter
 * in the original never meet a word, since all are lower case by then. */
static const char *const CONTRACTIONS[] = {
    "ain't",       "aren't",      "can't",          "could've",     "couldn't",
    "couldn't've", "didn't",      "doesn't",        "don't",        "hadn't",
    "hadn't've",   "hasn't",      "haven't",        "he'd",         "he'd've",
    "he's",        "how'd",       "how'll",         "how's",        "isn't",
    "it'd",        "it'd've",     "it'll",          "ma'am",        "mightn't",
    "mightn't've", "might've",    "mustn't",        "must've",      "needn't",
    "not've",      "o'clock",     "oughtn't",       "'ow's'at",     "shan't",
    "she'd've",    "should've",   "shouldn't",      "shouldn't've", "somebody'd've",
    "somebody'll", "somebody's",  "someone'd",      "someone'd've", "someone'll",
    "someone's",   "something'd", "something'd've", "something'll", "that's",
    "there'd",     "there'd've",  "there're",       "there's",      "they'd",
    "they'd've",   "they'll",     "they're",        "they've",      "'twas",
    "wasn't",      "we'd've",     "we've",          "weren't",      "what'll",
    "what're",     "what's",      "what've",        "when's",       "where'd",
    "where's",     "where've",    "who'd",          "who'd've",     "who'll",
    "who's",       "who've",      "why'll",         "why're",       "why's",
    "won't",       "would've",    "wouldn't",       "wouldn't've",  "y'all",
    "y'all'll",    "y'all'd've",  "you'd",          "you'd've",     "you'll",
    "you're",      "you've"};

static const char *const NUMBERS[] = {"zero", "one",   "two",   "three", "four", "five",
                                      "six",  "seven", "eight", "nine",  "ten"};

/* ---- the normal form --------------------------------------------------------------------------
 */

/* As Python's str.split() has it. */
static gboolean
is_space(gunichar c)
{
  return g_unichar_isspace(c) || (c >= 0x1c && c <= 0x1f) || c == 0x0b || c == 0x85;
}

static gboolean
is_digit(const char *at)
{
  return g_unichar_type(g_utf8_get_char(at)) == G_UNICODE_DECIMAL_NUMBER;
}

/* "1,500" anywhere in a text changes what becomes of every mark in it. */
static gboolean
has_grouped_number(const char *text)
{
  for (const char *comma = strchr(text, ','); comma; comma = strchr(comma + 1, ',')) {
    if (comma > text && is_digit(g_utf8_prev_char(comma)) && is_digit(comma + 1)) {
      return TRUE;
    }
  }
  return FALSE;
}

static gboolean
is_beside_blank(const char *text, char mark)
{
  for (const char *at = strchr(text, mark); at; at = strchr(at + 1, mark)) {
    if (at[1] == ' ' || (at > text && at[-1] == ' ')) {
      return TRUE;
    }
  }
  return FALSE;
}

static GString *
without_marks(const char *text)
{
  const gboolean grouped = has_grouped_number(text);
  gboolean deleted[128] = {FALSE};
  GString *out = g_string_new(NULL);

  for (const char *mark = MARKS; *mark; mark++) {
    deleted[(guchar)*mark] = grouped || is_beside_blank(text, *mark);
  }
  for (const char *at = text; *at; at++) {
    if (!strchr(MARKS, *at)) {
      g_string_append_c(out, *at);
    } else if (!deleted[(guchar)*at]) {
      g_string_append_c(out, ' ');
    }
  }
  return out;
}

static void
strip_points(GString *text)
{
  guint n = 0;

  for (gsize i = 0; i < text->len && n < MOST_POINTS;) {
    if (text->str[i] == '.' && !is_digit(text->str + i + 1)) {
      g_string_erase(text, (gssize)i, 1);
      n++;
    } else {
      i++;
    }
  }
}

static char *
lower(const char *text)
{
  GString *out = g_string_new(NULL);

  for (const char *at = text; *at; at = g_utf8_next_char(at)) {
    g_string_append_unichar(out, g_unichar_tolower(g_utf8_get_char(at)));
  }
  return g_string_free(out, FALSE);
}

/* Whether WORD is FULL without one of its apostrophes. */
static gboolean
lacks_apostrophe(const char *word, const char *full)
{
  const gsize n = strlen(full);

  if (strlen(word) + 1 != n) {
    return FALSE;
  }
  for (const char *at = strchr(full, '\''); at; at = strchr(at + 1, '\'')) {
    const gsize before = (gsize)(at - full);
    if (memcmp(word, full, before) == 0 && strcmp(word + before, at + 1) == 0) {
      return TRUE;
    }
  }
  return FALSE;
}

static const char *
contraction(const char *word)
{
  for (guint i = 0; i < G_N_ELEMENTS(CONTRACTIONS); i++) {
    if (lacks_apostrophe(word, CONTRACTIONS[i])) {
      return CONTRACTIONS[i];
    }
  }
  return strcmp(word, "somebody'd") == 0 ? "somebodyd" : word; /* the other way round, as it is */
}

static void
append_word(GString *out, const char *word)
{
  char digits[4];
  const char *said = NULL;

  if (strcmp(word, "a") == 0 || strcmp(word, "an") == 0 || strcmp(word, "the") == 0) {
    return;
  }
  if (strcmp(word, "none") == 0) {
    said = "0";
  }
  for (guint i = 0; i < G_N_ELEMENTS(NUMBERS) && !said; i++) {
    if (strcmp(word, NUMBERS[i]) == 0) {
      g_snprintf(digits, sizeof digits, "%u", i);
      said = digits;
    }
  }
  if (out->len > 0) {
    g_string_append_c(out, ' ');
  }
  g_string_append(out, said ? said : contraction(word));
}

/* g_strfreev() */
static char **
split(const char *text)
{
  GPtrArray *words = g_ptr_array_new();
  const char *start = NULL;

  for (const char *at = text;; at = g_utf8_next_char(at)) {
    const gboolean inside = *at && !is_space(g_utf8_get_char(at));
    if (inside && !start) {
      start = at;
    } else if (!inside && start) {
      g_ptr_array_add(words, g_strndup(start, (gsize)(at - start)));
      start = NULL;
    }
    if (!*at) {
      break;
    }
  }
  g_ptr_array_add(words, NULL);
  return (char **)g_ptr_array_free(words, FALSE);
}

char *
data_score_normal(const char *text)
{
  g_autofree char *valid = g_utf8_make_valid(text, -1), *small = NULL;
  g_autoptr(GString) bare = without_marks(valid);
  g_auto(GStrv) words = NULL;
  GString *out = g_string_new(NULL);

  strip_points(bare);
  small = lower(bare->str);
  words = split(small);
  for (guint i = 0; words[i]; i++) {
    append_word(out, words[i]);
  }
  return g_string_free(out, FALSE);
}

/* ---- words ------------------------------------------------------------------------------------
 */

/* How often each phrase of N words occurs in WORDS. Keys are owned. */
static GHashTable *
count_phrases(char **words, guint n_words, guint n)
{
  GHashTable *counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i + n <= n_words; i++) {
    GString *phrase = g_string_new(words[i]);
    guint count;

    for (guint j = 1; j < n; j++) {
      g_string_append_c(phrase, ' '); /* which no word holds */
      g_string_append(phrase, words[i + j]);
    }
    count = GPOINTER_TO_UINT(g_hash_table_lookup(counts, phrase->str)) + 1;
    g_hash_table_replace(counts, g_string_free(phrase, FALSE), GUINT_TO_POINTER(count));
  }
  return counts;
}

static guint
count_of(GHashTable *counts, gconstpointer phrase)
{
  return GPOINTER_TO_UINT(g_hash_table_lookup(counts, phrase));
}

/* Shared words count as often as the PREDICTION says them, which can make up for words that it
 * lacks; "exact" is the share of the prediction that distinct words of the reference are. */
static void
score_words(char **prediction, char **reference, DataScorePublished *score)
{
  const guint n = g_strv_length(prediction);
  g_autoptr(GHashTable) said = count_phrases(prediction, n, 1);
  g_autoptr(GHashTable) wanted = count_phrases(reference, g_strv_length(reference), 1);
  GHashTableIter iter;
  gpointer word, count;
  guint shared = 0, distinct = 0, missed = 0;

  g_hash_table_iter_init(&iter, wanted);
  while (g_hash_table_iter_next(&iter, &word, &count)) {
    if (count_of(said, word) == 0) {
      missed += GPOINTER_TO_UINT(count);
    } else {
      distinct++;
      shared += count_of(said, word);
    }
  }
  if (n > 0) {
    score->exact = (double)distinct / n;
  }
  if (shared > 0) {
    score->precision = (double)shared / n;
    score->recall = (double)shared / (shared + missed);
    score->f1 = 2 * score->precision * score->recall / (score->precision + score->recall);
  }
}

/* ---- BLEU -------------------------------------------------------------------------------------
 */

/* Phrases of N words of the hypothesis that the reference has, each as often as there. */
static double
phrase_precision(char **hypothesis, guint n_h, char **reference, guint n_r, guint n)
{
  g_autoptr(GHashTable) said = count_phrases(hypothesis, n_h, n);
  g_autoptr(GHashTable) wanted = count_phrases(reference, n_r, n);
  GHashTableIter iter;
  gpointer phrase, count;
  guint found = 0;

  g_hash_table_iter_init(&iter, said);
  while (g_hash_table_iter_next(&iter, &phrase, &count)) {
    found += MIN(GPOINTER_TO_UINT(count), count_of(wanted, phrase));
  }
  /* Without smoothing, nltk puts the smallest normal number for none. */
  return found > 0 ? (double)found / (n_h - n + 1) : DBL_MIN;
}

/* Papineni et al. 2002, as nltk's sentence_bleu with one reference and no smoothing. */
static void
score_bleu(char **hypothesis, char **reference, DataScorePublished *score)
{
  const guint n_h = g_strv_length(hypothesis), n_r = g_strv_length(reference);
  double p[LONGEST], brevity, sum = 0;

  if (n_h == 0) {
    return;
  }
  for (guint n = 1; n <= LONGEST; n++) {
    p[n - 1] = phrase_precision(hypothesis, n_h, reference, n_r, n);
  }
  if (p[0] == DBL_MIN) { /* not one word */
    return;
  }
  brevity = n_h > n_r ? 1 : exp(1 - (double)n_r / n_h);
  for (guint i = 0; i < LONGEST; i++) {
    sum += 0.25 * log(p[i]);
  }
  score->bleu = brevity * exp(sum);
  for (guint i = 0; i < 3; i++) {
    score->bleu_n[i] = brevity * p[i];
  }
}

/* ---- all of them ------------------------------------------------------------------------------
 */

void
data_score_published(const char *prediction, const char *reference, DataScorePublished *score)
{
  g_autofree char *p = data_score_normal(prediction), *r = data_score_normal(reference);
  /* The original does it again within each score, which is not always the same. */
  g_autofree char *p_again = data_score_normal(p), *r_again = data_score_normal(r);
  g_auto(GStrv) p_words = split(p_again), r_words = split(r_again);
  g_auto(GStrv) hypothesis = split(p), only = split(r);

  *score = (DataScorePublished){0};
  score_words(p_words, r_words, score);
  score_bleu(hypothesis, only, score);
  score->contained = strstr(p, r) != NULL;
  score->closed_strict = score->contained && (strstr(p, "yes") || strstr(p, "no"));
}
