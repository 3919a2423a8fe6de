/* cues.c - see cues.h.
 *
 * Each cue that is found speaks for its kind with its weight, a little less behind the first
 * sentence, where captions tell what else was done; weights of one kind add up as independent
 * chances do. A radiograph is of the chest when the chest is near.
 */
#include "pmc/cues.h"

#include <string.h>

#include "pmc/cues-table.h"

#define MOST_WORDS 400u /* of a caption; what a picture is, is said before */
#define LATER 0.75      /* a sentence behind the first one counts so much */
#define NEAR 4u         /* words around a radiograph among which the chest must be */

typedef struct {
  char *text;        /* in lower case */
  gboolean capitals; /* had no small letters, and a capital one */
  guint sentence;
} Word;

static void
word_clear(gpointer word)
{
  g_free(((Word *)word)->text);
}

void
pmc_cues_clear(PmcCues *cues)
{
  g_clear_pointer(&cues->words, g_ptr_array_unref);
}

/* ---- words -------------------------------------------------------------------------------------
 */

static gboolean
is_of_word(gunichar c)
{
  return g_unichar_isalnum(c) || c == '&';
}

static void
add_word(GArray *words, const char *start, gsize n, guint sentence)
{
  Word word = {.text = g_utf8_strdown(start, (gssize)n), .sentence = sentence};
  gboolean small = FALSE, capital = FALSE;

  for (const char *at = start; at < start + n; at = g_utf8_next_char(at)) {
    small |= g_unichar_islower(g_utf8_get_char(at));
    capital |= g_unichar_isupper(g_utf8_get_char(at));
  }
  word.capitals = capital && !small;
  g_array_append_val(words, word);
}

/* A sentence ends at a full stop with a blank and a capital letter behind it. */
static GArray *
cut_words(const char *caption)
{
  GArray *words = g_array_new(FALSE, FALSE, sizeof(Word));
  const char *start = NULL;
  guint sentence = 0;

  g_array_set_clear_func(words, word_clear);
  for (const char *at = caption; words->len < MOST_WORDS; at = g_utf8_next_char(at)) {
    const gunichar c = g_utf8_get_char(at);
    const gboolean times = c == 0xd7;

    if (c && is_of_word(c)) {
      start = start ? start : at;
      continue;
    }
    if (start) {
      add_word(words, start, (gsize)(at - start), sentence);
      start = NULL;
    }
    if (times) {
      add_word(words, at, 2, sentence);
    }
    if (!c) {
      break;
    }
    sentence += c == '.' && at[1] == ' ' && g_unichar_isupper(g_utf8_get_char(at + 2));
  }
  return words;
}

static const Word *
word_at(const GArray *words, guint i)
{
  return i < words->len ? &g_array_index(words, Word, i) : NULL;
}

/* ---- cues --------------------------------------------------------------------------------------
 */

static void
speak(PmcCues *cues, guint kind, double weight, const Word *word, guint at, const char *what)
{
  const double w = weight * (word->sentence > 0 ? LATER : 1);

  cues->scores[kind] = 1 - (1 - cues->scores[kind]) * (1 - w);
  if (at < cues->first[kind]) {
    cues->first[kind] = at;
    cues->sentences[kind] = word->sentence;
  }
  g_ptr_array_add(cues->words,
                  g_strdup_printf("%s: %s",
                                  kind == PMC_OTHER ? "other" : data_domain_name((DataDomain)kind),
                                  what));
}

/* Whether PATTERN, of N bytes, is the word. */
static gboolean
word_is(const Word *word, const char *pattern, gsize n)
{
  gsize length = strlen(word->text);

  if (*pattern == '!') {
    g_autofree char *lower = g_ascii_strdown(pattern + 1, (gssize)n - 1);
    return word->capitals && strcmp(lower, word->text) == 0;
  }
  if (pattern[n - 1] == '*') {
    return length >= n - 1 && memcmp(word->text, pattern, n - 1) == 0;
  }
  return length == n && memcmp(word->text, pattern, n) == 0;
}

static gboolean
cue_is_at(const GArray *words, guint i, const Cue *cue)
{
  const char *part = cue->words;

  for (;; i++) {
    const gsize n = strcspn(part, " ");
    const Word *word = word_at(words, i);

    if (!word || !word_is(word, part, n)) {
      return FALSE;
    }
    if (!part[n]) {
      return TRUE;
    }
    part += n + 1;
  }
}

/* Whether one of NAMES begins a word among the N before and behind I, within its sentence. */
static gboolean
is_near(const GArray *words, guint i, guint before, guint behind, const char *const *names)
{
  const guint sentence = word_at(words, i)->sentence;

  for (guint k = i > before ? i - before : 0; k <= i + behind && k < words->len; k++) {
    const Word *word = word_at(words, k);
    for (guint j = 0; names[j] && word->sentence == sentence; j++) {
      if (g_str_has_prefix(word->text, names[j])) {
        return TRUE;
      }
    }
  }
  return FALSE;
}

/* A stain of contrast is no pathology, a histological score no picture, and what emits photons or
 * positrons is tomographed, but not by X-rays. */
static gboolean
means_something_else(const GArray *words, guint i, const Cue *cue)
{
  static const char *const emission[] = {"emission", NULL};
  static const char *const judged[] = {"score",    "type",    "subtype", "grad",
                                       "classifi", "diagnos", "respons", NULL};
  static const char *const contrast[] = {"contrast", "angiogra", "arteriogra", "late", NULL};
  static const char *const electron[] = {"electron", "tem",          "sem", "fluoresc",
                                         "confocal", "transmission", NULL};

  if (g_str_has_prefix(cue->words, "stain")) {
    return is_near(words, i, 4, 4, contrast);
  }
  if (g_str_has_prefix(cue->words, "computed tomogra")) {
    return is_near(words, i, 1, 0, emission);
  }
  if (g_str_has_prefix(cue->words, "histolog")) {
    return is_near(words, i, 0, 1, judged);
  }
  return (g_str_has_prefix(cue->words, "micrograph") ||
          g_str_has_prefix(cue->words, "photomicrograph") ||
          g_str_has_prefix(cue->words, "microscopic")) &&
         is_near(words, i, 3, 2, electron);
}

static gboolean
is_radiograph(const GArray *words, guint i)
{
  static const char *const names[] = {"radiogra*", "xray*", "roentgen*", "skiagram", "cxr*", NULL};
  static const Cue x_ray = {"x ray*", PMC_OTHER, 0}, x_rays = {"x rays", PMC_OTHER, 0},
                   rx = {"rayons x", PMC_OTHER, 0};

  for (guint k = 0; names[k]; k++) {
    if (word_is(word_at(words, i), names[k], strlen(names[k]))) {
      return TRUE;
    }
  }
  return cue_is_at(words, i, &x_ray) || cue_is_at(words, i, &x_rays) || cue_is_at(words, i, &rx);
}

static void
hear_radiograph(PmcCues *cues, const GArray *words, guint i)
{
  static const char *const chest[] = {"chest", "thora", "lung", "pulmon", "cxr", "hemithora", NULL};
  static const char *const elsewhere[] = {"spine",         "thoracolumbar", "abdom",
                                          "crystal",       "diffract",      "fluorescence",
                                          "photoelectron", "vertebra",      NULL};
  const Word *word = word_at(words, i);
  const gboolean cxr = g_str_has_prefix(word->text, "cxr");

  if (cxr || (is_near(words, i, NEAR, NEAR, chest) && !is_near(words, i, 2, NEAR, elsewhere))) {
    speak(cues, DATA_DOMAIN_CHEST_XRAY, 0.95, word, i, cxr ? "cxr" : "radiograph of the chest");
  } else {
    speak(cues, PMC_OTHER, 0.85, word, i, "radiograph");
  }
}

/* What a list of abbreviations spells out need not be in the picture. */
static void
hear_words(PmcCues *cues, const GArray *words)
{
  for (guint i = 0; i < words->len; i++) {
    const Word *word = word_at(words, i);

    if (i > 0 && strcmp(word->text, "abbreviations") == 0) {
      return;
    }

    if (is_radiograph(words, i)) {
      hear_radiograph(cues, words, i);
    }
    for (guint k = 0; k < G_N_ELEMENTS(cue_table); k++) {
      const Cue *cue = &cue_table[k];
      const char first = *cue->words == '!' ? g_ascii_tolower(cue->words[1]) : *cue->words;

      if (first == *word->text && cue_is_at(words, i, cue) &&
          !means_something_else(words, i, cue)) {
        speak(cues, cue->kind, cue->weight, word, i, cue->words);
      }
    }
  }
}

/* ---- panels ------------------------------------------------------------------------------------
 */

static void
suspect(PmcCues *cues, double weight, const char *what)
{
  cues->several = 1 - (1 - cues->several) * (1 - weight);
  g_ptr_array_add(cues->words, g_strdup_printf("several: %s", what));
}

/* "(a)", "(A, B)", "(a-c)", "A)", "A:" : the letters that are named. */
static guint32
letters_at(const char *at, gboolean starts, gboolean *list)
{
  const gboolean bracket = *at == '(' || *at == '[';
  const char *p = at + bracket;
  guint32 letters = 0;
  guint n = 0;
  char last = 0;
  gboolean range = FALSE;

  *list = FALSE;
  while (n < 12) {
    const char c = g_ascii_tolower(*p);
    if (c < 'a' || c > 'h' || g_ascii_isalnum(p[1])) {
      return 0;
    }
    for (char k = range ? last : c; k <= c; k++) {
      letters |= 1u << (k - 'a');
    }
    last = c;
    n++;
    p++;
    range = *p == '-' || g_str_has_prefix(p, "\xe2\x80\x93");
    if (bracket && (range || *p == ',' || *p == '&')) {
      *list = TRUE;
      p += *p == '-' || *p == ',' || *p == '&' ? 1 : 3;
      p += *p == ' ';
      continue;
    }
    break;
  }
  if (bracket) { /* "(a; ×200)", too */
    return *p == ')' || *p == ']' || *p == ';' ? letters : 0;
  }
  return starts && (*p == ')' || *p == ':') ? letters : 0;
}

static void
hear_letters(PmcCues *cues, const char *caption)
{
  guint32 all = 0;
  gboolean first = FALSE, list = FALSE;

  for (const char *at = caption; *at; at++) {
    const gboolean starts = at == caption || at[-1] == ' ' || at[-1] == '.';
    gboolean is_list;
    const guint32 letters =
        starts || *at == '(' || *at == '[' ? letters_at(at, starts, &is_list) : 0;

    if (letters) {
      all |= letters;
      list |= is_list && (letters & 1);
      first |=
          at == caption || (at >= caption + 2 && (at[-2] == '.' || at[-2] == ':' || at[-2] == ';'));
    }
  }
  if ((all & 3) == 3 || list) {
    suspect(cues, 0.9, "letters from a to b or on");
  } else if ((all & 1) && first) {
    suspect(cues, 0.75, "a letter before a sentence");
  } else if (all & 1) {
    suspect(cues, 0.25, "the letter a");
  }
}

static void
hear_panels(PmcCues *cues, const char *caption, const GArray *words)
{
  static const char *const phrases[] = {"panel*",      "panels",    "top row",    "upper row",
                                        "bottom row",  "lower row", "left image", "right image",
                                        "upper panel", "inset",     "montage",    NULL};
  g_autofree char *lower = g_utf8_strdown(caption, -1);

  hear_letters(cues, caption);
  for (guint i = 0; i < words->len; i++) {
    for (guint k = 0; phrases[k]; k++) {
      const Cue cue = {phrases[k], PMC_OTHER, 0};
      if (cue_is_at(words, i, &cue)) {
        suspect(cues, 0.6, phrases[k]);
      }
    }
  }
  if (strstr(lower, "(left") && strstr(lower, "(right")) {
    suspect(cues, 0.8, "(left) and (right)");
  }
  if (strstr(lower, "(top") && strstr(lower, "(bottom")) {
    suspect(cues, 0.8, "(top) and (bottom)");
  }
  if (strstr(lower, "respectively")) {
    suspect(cues, 0.2, "respectively");
  }
}

void
pmc_cues_find(PmcCues *cues, const char *caption)
{
  g_autoptr(GArray) words = cut_words(caption);

  *cues = (PmcCues){.words = g_ptr_array_new_with_free_func(g_free)};
  for (guint i = 0; i < DATA_N_DOMAINS; i++) {
    cues->first[i] = G_MAXUINT;
  }
  hear_words(cues, words);
  hear_panels(cues, caption, words);
}
