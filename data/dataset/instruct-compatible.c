/* instruct-compatible.c - a reply as LLaVA-Med's instruct_postprocess.py takes it, step by step.
 *
 * The golden cases (tests/data/test-instruct-turns.c) were made by the script itself. */
#include "dataset/instruct-turns.h"

#include <string.h>

GArray *
data_turns_compatible_split(const char *reply)
{
  GArray *turns = data_turns_new();
  g_auto(GStrv) pieces = g_strsplit(reply, "User:", -1);

  for (guint i = 1; pieces[0] && pieces[i]; i++) {
    g_auto(GStrv) sides = g_strsplit(pieces[i], "Assistant:", -1);

    if (g_strv_length(sides) == 2) {
      data_turns_add(turns, data_text_strip(sides[0], strlen(sides[0])),
                     data_text_strip(sides[1], strlen(sides[1])), DATA_TURN_KEPT);
    } else {
      data_turns_add(turns, data_text_strip(pieces[i], strlen(pieces[i])), NULL,
                     DATA_TURN_NO_ANSWER);
    }
  }
  return turns;
}

void
data_turns_place_mark(GArray *turns, gboolean image_first)
{
  for (guint i = 0; i < turns->len; i++) {
    DataTurn *turn = &g_array_index(turns, DataTurn, i);

    if (turn->fate == DATA_TURN_KEPT) {
      char *marked = image_first ? g_strconcat(DATA_IMAGE_MARK "\n", turn->question, NULL)
                                 : g_strconcat(turn->question, "\n" DATA_IMAGE_MARK, NULL);
      g_free(turn->question);
      turn->question = marked;
      return;
    }
  }
}

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

/* As Python's str.capitalize(): the first letter large, all others small. g_free(). */
static char *
capitalize(const char *text)
{
  g_autofree char *lower = NULL;
  GString *out = g_string_new(NULL);

  if (*text) {
    const gunichar first = g_utf8_get_char(text);
    if (first == 0xdf) {
      g_string_append(out, "Ss");
    } else {
      g_string_append_unichar(out, g_unichar_totitle(first));
    }
    lower = data_text_lower(g_utf8_next_char(text));
    g_string_append(out, lower);
  }
  return g_string_free(out, FALSE);
}

static void
note_removed(DataTurn *turn, const char *phrase)
{
  char *removed =
      turn->removed ? g_strconcat(turn->removed, " | ", phrase, NULL) : g_strdup(phrase);

  g_free(turn->removed);
  turn->removed = removed;
}

/* The first prefix that fits goes, and what follows it begins anew. */
static gboolean
strip_prefix(DataTurn *turn, const char *lower)
{
  for (guint i = 0; data_phrases_prefix[i]; i++) {
    const char *phrase = data_phrases_prefix[i];

    if (g_str_has_prefix(lower, phrase)) {
      /* So many letters of the answer itself, which may have other bytes. */
      const char *rest = g_utf8_offset_to_pointer(turn->answer, (glong)strlen(phrase));
      char *answer = capitalize(rest);

      g_free(turn->answer);
      turn->answer = answer;
      note_removed(turn, phrase);
      return TRUE;
    }
  }
  return FALSE;
}

static void
take_out(DataTurn *turn)
{
  for (guint i = 0; data_phrases_inner[i]; i++) {
    if (strstr(turn->answer, data_phrases_inner[i])) {
      g_auto(GStrv) parts = g_strsplit(turn->answer, data_phrases_inner[i], -1);

      g_free(turn->answer);
      turn->answer = g_strjoinv("", parts);
      note_removed(turn, data_phrases_inner[i]);
    }
  }
}

void
data_turns_compatible_clean(GArray *turns)
{
  for (guint i = 0; i < turns->len; i++) {
    DataTurn *turn = &g_array_index(turns, DataTurn, i);
    g_autofree char *lower = NULL;

    if (turn->fate != DATA_TURN_KEPT) {
      continue;
    }
    lower = data_text_lower(turn->answer);
    if (first_in(lower, data_phrases_refusal)) {
      turn->fate = DATA_TURN_REFUSAL;
      turn->phrase = g_strdup(first_in(lower, data_phrases_refusal));
      continue;
    }
    if (!strip_prefix(turn, lower)) {
      take_out(turn);
    }
    if (first_in(turn->answer, data_phrases_left)) {
      turn->fate = DATA_TURN_ANSWER_TELLS;
      turn->phrase = g_strdup(first_in(turn->answer, data_phrases_left));
    }
  }
}
