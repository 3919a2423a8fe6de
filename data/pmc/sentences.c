/* sentences.c - where a sentence of a biomedical article ends.
 *
 * A full stop, question or exclamation mark, what closes behind it (brackets, quotes, citation
 * marks), white space, and then what can begin a sentence: a capital, a digit, an opening bracket
 * or quote. Not behind abbreviations that a number or a name follows, initials, or within numbers.
 */
#include "pmc.h"

#include <string.h>

/* Written in small letters; what comes behind them belongs to them. */
static const char *const abbreviations[] = {
    "al",   "approx", "aff",  "ca",  "cf",   "ch",   "chap", "co",  "corp",  "cv",
    "dept", "dr",     "drs",  "e.g", "ed",   "eds",  "eq",   "eqs", "eqn",   "eqns",
    "equ",  "etc",    "ex",   "ext", "fig",  "figs", "gen",  "i.e", "i.p",   "i.v",
    "i.m",  "s.c",    "p.o",  "inc", "incl", "ltd",  "max",  "med", "min",   "mol",
    "mr",   "mrs",    "ms",   "mt",  "no",   "nos",  "nr",   "nov", "op",    "p",
    "pp",   "pers",   "ph.d", "pl",  "prof", "pt",   "pts",  "ref", "refs",  "rep",
    "resp", "sec",    "sect", "ser", "sp",   "spp",  "ssp",  "st",  "subsp", "suppl",
    "supp", "tab",    "univ", "v.s", "viz",  "vol",  "vols", "vs",  "wt",    "var"};
/* After these a new sentence may begin, when what follows is a capital and not a number. */
static const char *const may_end[] = {"etc", "al", "ltd", "inc", "corp", "co", "no", "min", "max"};

static gboolean
is_among(const char *const *words, gsize n_words, const char *word, gsize n)
{
  for (gsize i = 0; i < n_words; i++) {
    if (strlen(words[i]) == n && g_ascii_strncasecmp(words[i], word, n) == 0) {
      return TRUE;
    }
  }
  return FALSE;
}

static gboolean
is_one_of(gunichar c, const char *set)
{
  return g_utf8_strchr(set, -1, c) != NULL;
}

/* The word that ends right before AT, without what opens before it. */
static const char *
word_before(const char *text, const char *at, gsize *n)
{
  const char *start = at;

  while (start > text) {
    const char *before = g_utf8_prev_char(start);
    const gunichar c = g_utf8_get_char(before);
    if (g_unichar_isspace(c) ||
        is_one_of(c, "([{\"'\xe2\x80\x9c\xe2\x80\x98/;,\xe2\x80\x93\xe2\x80\x94")) {
      break;
    }
    start = before;
  }
  *n = (gsize)(at - start);
  return start;
}

/* Whether the full stop at STOP belongs to what is before it; NEXT begins what follows. */
static gboolean
is_abbreviation(const char *text, const char *stop, gunichar next)
{
  gsize n;
  const char *word = word_before(text, stop, &n);

  if (n == 0) {
    return FALSE;
  }
  if (is_among(abbreviations, G_N_ELEMENTS(abbreviations), word, n)) {
    return !(is_among(may_end, G_N_ELEMENTS(may_end), word, n) && g_unichar_isupper(next));
  }
  /* An initial: "J. Smith", "E. Coli"; and "U.S. Army". */
  if (g_unichar_isupper(g_utf8_get_char(word)) && g_utf8_next_char(word) == stop) {
    return TRUE;
  }
  return n >= 3 && memchr(word, '.', n) && g_unichar_isupper(g_utf8_get_char(word)) &&
         stop[-2] == '.';
}

/* Behind the mark at STOP: brackets, quotes, and citations that lean on it. */
static const char *
skip_closers(const char *at)
{
  while (*at && is_one_of(g_utf8_get_char(at), ")]}\"'\xe2\x80\x9d\xe2\x80\x99\xc2\xbb.?!")) {
    at = g_utf8_next_char(at);
  }
  return at;
}

static gboolean
can_begin(gunichar c)
{
  return g_unichar_isupper(c) || g_unichar_istitle(c) || g_unichar_isdigit(c) ||
         is_one_of(c, "([{\"'\xe2\x80\x9c\xe2\x80\x98\xc2\xab") ||
         (g_unichar_isalpha(c) && !g_unichar_islower(c)) || (c >= 0x391 && c <= 0x3c9);
}

GArray *
pmc_sentences(const char *text)
{
  GArray *ends = g_array_new(FALSE, FALSE, sizeof(guint));
  guint end;

  for (const char *at = text; *at; at = g_utf8_next_char(at)) {
    const char *behind, *next;

    if (*at != '.' && *at != '?' && *at != '!') {
      continue;
    }
    behind = skip_closers(g_utf8_next_char(at));
    next = behind;
    while (*next && g_unichar_isspace(g_utf8_get_char(next))) {
      next = g_utf8_next_char(next);
    }
    if (next == behind || !*next || !can_begin(g_utf8_get_char(next)) ||
        (*at == '.' && behind == at + 1 && is_abbreviation(text, at, g_utf8_get_char(next)))) {
      continue;
    }
    end = (guint)(behind - text);
    g_array_append_val(ends, end);
    at = g_utf8_prev_char(next);
  }
  end = (guint)strlen(text);
  if (end > 0 && (ends->len == 0 || g_array_index(ends, guint, ends->len - 1) != end)) {
    g_array_append_val(ends, end);
  }
  return ends;
}
