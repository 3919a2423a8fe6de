/* instruct-strict.c - turns that may stay: nothing in them says that the teacher has read a caption
 * and not seen the picture, and nothing else of them is lost.
 *
 * Patterns stand for LLaVA-Med's lists of phrases and for their kin. They are bounded, and run over
 * texts that are bounded. */
#include "dataset/instruct-turns.h"

#include <string.h>

/* What teachers call what they have read, and what they name beside it. */
#define TEXT_NAME                                                                                  \
  "(?:captions?|legends?|descriptions?|(?:provided|given|additional) (?:contexts?|text|"           \
  "information)|(?:contexts?|text|information) (?:provided|given))"
#define BESIDE                                                                                     \
  "(?:(?:figure|image|picture|photograph|scan|ct|mri|x-ray|radiograph|chest|histology|"            \
  "histologic|histological|histopathological|pathology|section|features|findings|specimen|"        \
  "accompanying|corresponding|original|above|given|provided|additional|and|the|this|its|'s)[ ,]+"  \
  "){0,6}?"
#define SOURCE "(?:the )?" BESIDE TEXT_NAME "(?: (?:provided|given|above))?"
#define SAYS                                                                                       \
  "(?:mentions?|says?|describes?|states?|suggests?|indicates?|notes?|shows?|explains?|reports?)"
#define SAID                                                                                       \
  "(?:mentioned|described|stated|noted|indicated|suggested|reported|explained|given|shown)"

/* The first that fits goes. What `lead` holds stays. */
static const char *const prefix_patterns[] = {
    "^(?<lead>(?:yes|no), )?(?:based on|according (?:to|on)|judging by|going by|from|in|"
    "in the context of|as " SAID " (?:in|by)) " SOURCE ",? ",
    "^(?<lead>(?:yes|no), )?the (?:image, along with )?" SOURCE ",? (?:also |only |further )?" SAYS
    "(?: that)? ",
    "^(?<lead>(?:yes|no), )?it is (?:important to note|" SAID ") (?:in " SOURCE " )?that " SOURCE
    " " SAYS " that ",
    NULL};
static const char *const inner_patterns[] = {
    ",? \\(?(?:which is |and is |as )?(?:also )?" SAID " (?:in|by) " SOURCE "\\)?,?",
    ",? (?:but )?(?:based on|according to|given|considering) " SOURCE "(?=[,.;]|$)",
    ",? in the (?:context provided|provided context)(?=[,.;]|$)", NULL};

/* What must not be left, in questions and answers. */
static const char *const telling[] = {"caption",
                                      "description",
                                      "figure legend",
                                      "the legend",
                                      "context provided",
                                      "provided context",
                                      "additional context",
                                      "information provided",
                                      "provided information",
                                      "provided text",
                                      "text provided",
                                      "the passage",
                                      "the article",
                                      "the authors",
                                      "mentioned",
                                      "as described",
                                      "bounding box",
                                      "coordinates",
                                      NULL};
static const char *const refusing[] = {"as an ai",
                                       "language model",
                                       "i cannot",
                                       "i can't",
                                       "i can\xe2\x80\x99t",
                                       "i am unable",
                                       "i'm unable",
                                       "i\xe2\x80\x99m unable",
                                       "i am not able",
                                       "i'm not able",
                                       "i do not have",
                                       "i don't have",
                                       "i don\xe2\x80\x99t have",
                                       "unable to see",
                                       "cannot be determined",
                                       "no image",
                                       "not provided",
                                       "not specified",
                                       NULL};
static const char *const steering[] = {"<im_start>", "<im_end>", "<im_patch>", "</s>",
                                       "<s>",        "[INST]",   "[/INST]",    "<<SYS>>",
                                       "<|",         "### ",     NULL};

typedef struct {
  GPtrArray *prefixes, *inners; /* of GRegex */
} Patterns;

static GPtrArray *
compile(const char *const *patterns)
{
  GPtrArray *compiled = g_ptr_array_new();

  for (; *patterns; patterns++) {
    GRegex *regex = g_regex_new(*patterns, G_REGEX_CASELESS, 0, NULL);
    g_assert(regex); /* they are constants */
    g_ptr_array_add(compiled, regex);
  }
  return compiled;
}

static gpointer
make_patterns(gpointer unused)
{
  Patterns *patterns = g_new(Patterns, 1);

  *patterns = (Patterns){compile(prefix_patterns), compile(inner_patterns)};
  return patterns;
}

static const Patterns *
get_patterns(void)
{
  static GOnce once = G_ONCE_INIT;

  return g_once(&once, make_patterns, NULL);
}

/* ---- looking ------------------------------------------------------------------------------- */

static const char *
first_in(const char *text, const char *const *phrases)
{
  for (; *phrases; phrases++) {
    if (strstr(text, *phrases)) {
      return *phrases;
    }
  }
  return NULL;
}

static gboolean
end(DataTurn *turn, DataTurnFate fate, const char *phrase)
{
  turn->fate = fate;
  turn->phrase = g_strdup(phrase);
  return FALSE;
}

static gboolean
has_bad_character(const char *text)
{
  for (; *text; text = g_utf8_next_char(text)) {
    const gunichar c = g_utf8_get_char(text);
    if (c == 0xfffd || (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0)) {
      return TRUE;
    }
  }
  return FALSE;
}

/* A mark of the teacher's own goes: where the picture stands is ours to say. */
static void
drop_mark(char **text)
{
  while (strstr(*text, DATA_IMAGE_MARK)) { /* taking one out may make another */
    g_auto(GStrv) parts = g_strsplit(*text, DATA_IMAGE_MARK, -1);
    g_autofree char *joined = g_strjoinv("", parts);

    g_free(*text);
    *text = data_text_strip(joined, strlen(joined));
  }
}

/* ---- cutting ------------------------------------------------------------------------------- */

static void
note_removed(DataTurn *turn, const char *text)
{
  char *removed = turn->removed ? g_strconcat(turn->removed, " | ", text, NULL) : g_strdup(text);

  g_free(turn->removed);
  turn->removed = removed;
}

/* The first letter becomes a capital, all others stay as they are. */
static void
begin_large(char **text)
{
  const gunichar first = g_utf8_get_char(*text);
  char large[8] = "";

  if (**text && g_unichar_islower(first)) {
    char *again;
    large[g_unichar_to_utf8(g_unichar_totitle(first), large)] = '\0';
    again = g_strconcat(large, g_utf8_next_char(*text), NULL);
    g_free(*text);
    *text = again;
  }
}

static gboolean
strip_prefix(DataTurn *turn, const GRegex *regex)
{
  g_autoptr(GMatchInfo) match = NULL;
  g_autofree char *lead = NULL, *cut = NULL;
  int from, to, after;

  if (!g_regex_match(regex, turn->answer, 0, &match) ||
      !g_match_info_fetch_pos(match, 0, &from, &to)) {
    return FALSE;
  }
  lead = g_match_info_fetch_named(match, "lead");
  after = lead ? (int)strlen(lead) : 0;
  if (turn->answer[to] == '\0' || to <= after) {
    return FALSE; /* nothing would be left */
  }
  cut = g_strndup(turn->answer + after, (gsize)(to - after));
  note_removed(turn, cut);
  char *rest = g_strconcat(lead ? lead : "", turn->answer + to, NULL);
  g_free(turn->answer);
  turn->answer = rest;
  return TRUE;
}

static gboolean
note_match(const GMatchInfo *match, GString *result, gpointer turn)
{
  g_autofree char *cut = g_match_info_fetch(match, 0);

  note_removed(turn, cut);
  return FALSE;
}

static void
cut_phrases(DataTurn *turn)
{
  const Patterns *patterns = get_patterns();

  for (guint i = 0; i < patterns->prefixes->len; i++) {
    if (strip_prefix(turn, patterns->prefixes->pdata[i])) {
      break;
    }
  }
  for (guint i = 0; i < patterns->inners->len; i++) {
    char *rest = g_regex_replace_eval(patterns->inners->pdata[i], turn->answer, -1, 0, 0,
                                      note_match, turn, NULL);
    if (rest) { /* NULL: more steps than a pattern may take; what is left tells */
      g_free(turn->answer);
      turn->answer = rest;
    }
  }
  if (turn->removed) {
    char *text = data_text_strip(turn->answer, strlen(turn->answer));
    g_free(turn->answer);
    turn->answer = text;
    begin_large(&turn->answer);
  }
}

/* ---- one turn ------------------------------------------------------------------------------ */

static gboolean
clean_turn(DataTurn *turn, gboolean own_question)
{
  g_autofree char *asked = NULL, *said = NULL, *left = NULL;
  const char *phrase;

  drop_mark(&turn->question);
  drop_mark(&turn->answer);
  if (!*turn->question || !*turn->answer) {
    return end(turn, DATA_TURN_EMPTY, NULL);
  }
  if (has_bad_character(turn->question) || has_bad_character(turn->answer)) {
    return end(turn, DATA_TURN_CHARACTERS, NULL);
  }
  phrase = first_in(turn->question, steering);
  phrase = phrase ? phrase : first_in(turn->answer, steering);
  if (phrase) {
    return end(turn, DATA_TURN_MARKER, phrase);
  }
  asked = data_text_lower(turn->question);
  if (!own_question && (phrase = first_in(asked, telling))) {
    return end(turn, DATA_TURN_QUESTION_TELLS, phrase);
  }
  said = data_text_lower(turn->answer);
  phrase = first_in(said, data_phrases_refusal);
  phrase = phrase ? phrase : first_in(said, refusing);
  if (phrase) {
    return end(turn, DATA_TURN_REFUSAL, phrase);
  }
  cut_phrases(turn);
  left = data_text_lower(turn->answer);
  if ((phrase = first_in(left, telling))) {
    return end(turn, DATA_TURN_ANSWER_TELLS, phrase);
  }
  return *turn->answer || end(turn, DATA_TURN_EMPTY, NULL);
}

void
data_turns_strict_clean(GArray *turns, gboolean is_cut, gboolean own_question)
{
  g_autoptr(GHashTable) asked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < turns->len; i++) {
    DataTurn *turn = &g_array_index(turns, DataTurn, i);

    if (is_cut && i + 1 == turns->len) {
      end(turn, DATA_TURN_CUT, NULL);
    }
    if (turn->fate == DATA_TURN_KEPT && clean_turn(turn, own_question) &&
        !g_hash_table_add(asked, data_text_lower(turn->question))) {
      end(turn, DATA_TURN_REPEATED, NULL);
    }
  }
}
