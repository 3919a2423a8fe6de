/* verbs.c - see verbs.h. */
#include "dataset/verbs.h"

#include <string.h>

#define MOST_WORDS 64u
#define MOST_PHRASE 4u

/* In alphabetical order. */
static const char *const verbs[] = {
    "affect",        "allow",        "analyze",   "appear",      "arrange",     "assess",
    "break",         "bring",        "calculate", "capture",     "categorize",  "cause",
    "change",        "characterize", "clarify",   "classify",    "comment",     "compare",
    "compose",       "conclude",     "confirm",   "connect",     "consider",    "consist",
    "contain",       "contribute",   "convey",    "correlate",   "correspond",  "count",
    "create",        "deduce",       "define",    "demonstrate", "depict",      "derive",
    "describe",      "detail",       "detect",    "determine",   "diagnose",    "differ",
    "differentiate", "discern",      "discuss",   "display",     "distinguish", "draw",
    "elaborate",     "estimate",     "evaluate",  "examine",     "exhibit",     "explain",
    "express",       "extend",       "find",      "follow",      "gather",      "generate",
    "give",          "guess",        "happen",    "have",        "help",        "highlight",
    "identify",      "illustrate",   "imagine",   "indicate",    "infer",       "inform",
    "interpret",     "involve",      "know",      "label",       "leave",       "list",
    "locate",        "look",         "make",      "mean",        "measure",     "mention",
    "name",          "narrate",      "notice",    "observe",     "occur",       "offer",
    "outline",       "perform",      "point",     "portray",     "predict",     "prepare",
    "present",       "produce",      "propose",   "provide",     "recognize",   "refer",
    "reflect",       "relate",       "relay",     "remain",      "render",      "report",
    "represent",     "result",       "reveal",    "say",         "see",         "seem",
    "share",         "show",         "signify",   "specify",     "spot",        "stand",
    "state",         "suggest",      "summarize", "support",     "surround",    "symbolize",
    "take",          "tell",         "think",     "treat",       "understand",  "use",
    "vary",          "view",         "visualize", "walk",        "write"};

/* Forms that no rule gives. */
static const struct {
  const char *form, *base;
} irregular[] = {{"shown", "show"},  {"seen", "see"},      {"saw", "see"},    {"given", "give"},
                 {"gave", "give"},   {"found", "find"},    {"made", "make"},  {"meant", "mean"},
                 {"took", "take"},   {"taken", "take"},    {"told", "tell"},  {"stood", "stand"},
                 {"wrote", "write"}, {"written", "write"}, {"drawn", "draw"}, {"drew", "draw"},
                 {"broke", "break"}, {"left", ""},         {"has", "have"},   {"had", "have"}};

static const char *const auxiliaries[] = {"am",     "are", "be",   "been",  "being", "can",
                                          "could",  "did", "do",   "does",  "had",   "has",
                                          "have",   "is",  "may",  "might", "must",  "shall",
                                          "should", "was", "were", "will",  "would", NULL};

/* Behind these a noun phrase is at its end. */
static const char *const ends[] = {
    "about",    "above",        "according", "across",   "after",   "along",
    "among",    "and",          "around",    "as",       "at",      "based",
    "because",  "before",       "behind",    "below",    "beneath", "beside",
    "besides",  "between",      "but",       "by",       "closely", "compared",
    "during",   "for",          "from",      "how",      "if",      "in",
    "inside",   "into",         "like",      "located",  "near",    "of",
    "on",       "or",           "out",       "over",     "per",     "related",
    "seen",     "shown",        "since",     "so",       "than",    "that",
    "through",  "to",           "toward",    "towards",  "under",   "until",
    "up",       "upon",         "using",     "via",      "visible", "what",
    "when",     "where",        "whether",   "which",    "while",   "who",
    "whose",    "why",          "with",      "within",   "without", "you",
    "it",       "they",         "them",      "he",       "she",     "we",
    "i",        "me",           "us",        "there",    "then",    "presented",
    "provided", "representing", "depicted",  "together", NULL};

/* These stand before a noun and are none. */
static const char *const openers[] = {
    "a",    "all",  "an",    "any",     "both",  "each",  "every",   "few",   "her",
    "his",  "its",  "main",  "more",    "much",  "my",    "no",      "other", "our",
    "some", "such", "that",  "the",     "their", "these", "this",    "those", "your",
    "one",  "two",  "three", "several", "many",  "most",  "another", NULL};

typedef struct {
  char text[32];
  gboolean ends;  /* a mark stands behind it */
  gboolean stops; /* one that ends a sentence */
} Word;

/* ---- words -------------------------------------------------------------------------------------
 */

static guint
cut_words(const char *text, Word *words, guint most)
{
  guint n = 0;

  for (const char *at = text; *at && n < most;) {
    gsize length = 0;
    char *into = words[n].text;

    while (g_ascii_isalnum(*at) || (guint8)*at >= 0x80 || (length > 0 && *at == '-')) {
      if (length + 1 < sizeof words[n].text) {
        into[length++] = g_ascii_tolower(*at);
      }
      at++;
    }
    into[length] = '\0';
    words[n].ends = words[n].stops = FALSE;
    if (length > 0) {
      n++;
    }
    while (*at && !g_ascii_isalnum(*at) && (guint8)*at < 0x80) {
      if (n > 0 && !g_ascii_isspace(*at) && *at != '\'') {
        words[n - 1].ends = TRUE;
        words[n - 1].stops |= *at == '?' || *at == '!' || (*at == '.' && g_ascii_isspace(at[1]));
      }
      at++;
    }
  }
  return n;
}

static const char *
verb_named(const char *text)
{
  gsize low = 0, high = G_N_ELEMENTS(verbs);

  while (low < high) {
    const gsize middle = (low + high) / 2;
    const int order = strcmp(text, verbs[middle]);

    if (order == 0) {
      return verbs[middle];
    }
    *(order < 0 ? &high : &low) = order < 0 ? middle : middle + 1;
  }
  return NULL;
}

/* TEXT without N of its last letters, and WITH instead. */
static const char *
verb_without(const char *text, gsize n, const char *with)
{
  char base[40];
  const gsize length = strlen(text);

  if (length <= n + 1) {
    return NULL;
  }
  memcpy(base, text, length - n);
  g_strlcpy(base + length - n, with, sizeof base - (length - n));
  return verb_named(base);
}

/* The base form of a verb of the list; NULL: TEXT is none. */
static const char *
base_of(const char *text)
{
  static const struct {
    const char *suffix, *with;
  } rules[] = {{"ies", "y"}, {"ied", "y"}, {"es", ""},  {"s", ""},
               {"ed", ""},   {"ed", "e"},  {"ing", ""}, {"ing", "e"}};
  const char *verb = verb_named(text);

  for (guint i = 0; !verb && i < G_N_ELEMENTS(irregular); i++) {
    if (strcmp(irregular[i].form, text) == 0) {
      return *irregular[i].base ? irregular[i].base : NULL;
    }
  }
  for (guint i = 0; !verb && i < G_N_ELEMENTS(rules); i++) {
    if (g_str_has_suffix(text, rules[i].suffix)) {
      verb = verb_without(text, strlen(rules[i].suffix), rules[i].with);
    }
  }
  return verb;
}

/* A noun's singular, as far as endings say it. */
static void
singular(const char *text, char noun[32])
{
  const gsize n = strlen(text);

  g_strlcpy(noun, text, 32);
  if (n < 4 || text[n - 1] != 's' || g_str_has_suffix(text, "ss") || g_str_has_suffix(text, "us") ||
      g_str_has_suffix(text, "is")) {
    return;
  }
  if (g_str_has_suffix(text, "ies") && n > 4) {
    g_strlcpy(noun + n - 3, "y", 2);
  } else if (g_str_has_suffix(text, "sses") || g_str_has_suffix(text, "xes") ||
             g_str_has_suffix(text, "ches") || g_str_has_suffix(text, "shes")) {
    noun[n - 2] = '\0';
  } else {
    noun[n - 1] = '\0';
  }
}

/* ---- verb and noun -----------------------------------------------------------------------------
 */

static gboolean
is_number(const char *text)
{
  return strspn(text, "0123456789") == strlen(text);
}

/* The head of the phrase from I on. */
static void
find_noun(const Word *words, guint n, guint i, char noun[32])
{
  const char *head = NULL;
  gboolean opened = FALSE;

  for (; i < n; i++) {
    const Word *word = &words[i];

    if (g_strv_contains(ends, word->text) && !(g_strv_contains(openers, word->text) && !opened)) {
      break;
    }
    if (g_strv_contains(auxiliaries, word->text) || (g_str_has_suffix(word->text, "ly") && head)) {
      break;
    }
    opened = TRUE;
    if (!g_strv_contains(openers, word->text) && !is_number(word->text)) {
      head = word->text;
    }
    if (word->ends) {
      break;
    }
  }
  if (head) {
    singular(head, noun);
  }
}

/* A word that is a noun as well ("the change", "results") is no verb behind what stands before a
 * noun, or first in a sentence that goes on with another verb. */
static gboolean
is_noun_here(const Word *words, guint i)
{
  static const char *const before[] = {"a",   "an",   "the",  "of",    "any",   "these", "this",
                                       "its", "your", "some", "no",    "other", "and",   "in",
                                       "for", "more", "what", "which", "in",    NULL};
  return i > 0 && g_strv_contains(before, words[i - 1].text);
}

void
data_verb_noun(const char *text, char verb[32], char noun[32])
{
  static const char *const negatable[] = {"have", "mean", NULL};
  static const char *const particles[] = {"down", "out", "up", NULL};
  Word words[MOST_WORDS];
  const guint n = cut_words(text, words, MOST_WORDS);

  *verb = *noun = '\0';
  for (guint i = 0; i < n && (i == 0 || !words[i - 1].stops); i++) {
    const char *base = g_strv_contains(auxiliaries, words[i].text) ? NULL : base_of(words[i].text);

    if (!base || is_noun_here(words, i) || (g_strv_contains(negatable, base) && i == 0)) {
      continue;
    }
    g_strlcpy(verb, base, 32);
    if (!words[i].ends && i + 1 < n) {
      find_noun(words, n, i + 1 + g_strv_contains(particles, words[i + 1].text), noun);
    }
    return;
  }
}

/* ---- noun phrases ------------------------------------------------------------------------------
 */

static void
tell_phrase(const Word *words, guint from, guint to,
            void (*found)(const char *phrase, gsize n, gpointer user), gpointer user)
{
  char phrase[MOST_PHRASE * 33], head[32];
  gsize n = 0;

  from = to > from + MOST_PHRASE ? to - MOST_PHRASE : from;
  for (guint i = from; i < to; i++) {
    const gsize length = strlen(words[i].text);

    if (i + 1 == to) {
      singular(words[i].text, head);
      n += (gsize)g_strlcpy(phrase + n, head, sizeof phrase - n);
    } else {
      memcpy(phrase + n, words[i].text, length);
      n += length;
      phrase[n++] = ' ';
    }
  }
  if (n > 1) {
    found(phrase, n, user);
  }
}

void
data_noun_phrases(const char *text, void (*found)(const char *phrase, gsize n, gpointer user),
                  gpointer user)
{
  Word words[MOST_WORDS];
  const guint n = cut_words(text, words, MOST_WORDS);
  guint from = 0;

  for (guint i = 0; i < n; i++) {
    const char *word = words[i].text;
    const gboolean stops = g_strv_contains(ends, word) || g_strv_contains(openers, word) ||
                           g_strv_contains(auxiliaries, word) || is_number(word) ||
                           g_str_has_suffix(word, "ly") ||
                           (g_str_has_suffix(word, "ing") && i > from) ||
                           (base_of(word) && strcmp(base_of(word), word) != 0);

    if (stops) {
      tell_phrase(words, from, i, found, user);
      from = i + 1;
    } else if (words[i].ends) {
      tell_phrase(words, from, i + 1, found, user);
      from = i + 1;
    }
  }
  tell_phrase(words, from, n, found, user);
}
