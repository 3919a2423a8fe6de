/* instruct-split.c - a reply as questions and answers, by who speaks at the beginning of a line.
 *
 * Teachers are told to write "User:" and "Assistant:", and write "**User:**", "Q1:" or LLaVA's
 * "Question:" and "===" as well. */
#include "dataset/instruct-turns.h"

#include <string.h>

typedef enum { NOBODY, USER, ASSISTANT } Speaker;

static const struct {
  const char *name;
  Speaker speaker;
  gboolean as_it_is; /* in capitals alone: it would be a word else */
} speakers[] = {{"user", USER, FALSE},           {"human", USER, FALSE},
                {"question", USER, FALSE},       {"q", USER, TRUE},
                {"assistant", ASSISTANT, FALSE}, {"answer", ASSISTANT, FALSE},
                {"ai", ASSISTANT, TRUE},         {"a", ASSISTANT, TRUE}};

static const char *
skip(const char *at, const char *of)
{
  return at + strspn(at, of);
}

static gboolean
is_upper(const char *text, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    if (!g_ascii_isupper(text[i])) {
      return FALSE;
    }
  }
  return TRUE;
}

/* Who begins to speak in LINE; *TEXT is what is said in it. */
static Speaker
speaker_of(const char *line, const char **text)
{
  const char *at = skip(line, " \t*#>_-");
  gsize n;

  at = g_ascii_isdigit(*at) ? skip(skip(at, "0123456789"), ".) \t*_") : at;
  n = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
  for (guint i = 0; i < G_N_ELEMENTS(speakers); i++) {
    if (n == strlen(speakers[i].name) && g_ascii_strncasecmp(at, speakers[i].name, n) == 0 &&
        (!speakers[i].as_it_is || is_upper(at, n))) {
      const char *colon = skip(at + n, " 0123456789*_");
      if (*colon != ':') {
        return NOBODY;
      }
      *text = skip(colon + 1, "*_");
      return speakers[i].speaker;
    }
  }
  return NOBODY;
}

/* "===", or a fence of code. */
static gboolean
is_ruler(const char *line)
{
  g_autofree char *text = data_text_strip(line, strlen(line));

  return g_str_has_prefix(text, "```") ||
         (strlen(text) >= 3 &&
          (strspn(text, "=") == strlen(text) || strspn(text, "-") == strlen(text)));
}

typedef struct {
  GArray *turns;
  Speaker speaker;
  GString *question, *answer; /* NULL: not said yet */
} Split;

static char *
text_of(GString **said)
{
  char *text = *said ? data_text_strip((*said)->str, (*said)->len) : NULL;

  if (*said) {
    g_string_free(*said, TRUE);
    *said = NULL;
  }
  return text;
}

static void
end_turn(Split *split)
{
  const DataTurnFate fate = !split->question ? DATA_TURN_NO_QUESTION
                            : !split->answer ? DATA_TURN_NO_ANSWER
                                             : DATA_TURN_KEPT;
  char *question, *answer;

  if (split->question || split->answer) {
    question = text_of(&split->question);
    answer = text_of(&split->answer);
    data_turns_add(split->turns, question, answer, fate);
  }
}

static void
take_line(Split *split, const char *line)
{
  const char *text = line;
  const Speaker speaker = speaker_of(line, &text);

  if (speaker == USER || (speaker == ASSISTANT && split->answer)) {
    end_turn(split);
  }
  if (speaker != NOBODY) {
    split->speaker = speaker;
  }
  if (split->speaker == NOBODY || is_ruler(line)) {
    return; /* before anyone speaks */
  }
  GString **said = split->speaker == USER ? &split->question : &split->answer;
  *said = *said ? *said : g_string_new(NULL);
  g_string_append(*said, text);
  g_string_append_c(*said, '\n');
}

/* What a model thought before it spoke is no part of it. */
static const char *
skip_thoughts(const char *reply)
{
  const char *at = skip(reply, " \t\r\n"), *end = strstr(at, "</think>");

  return g_str_has_prefix(at, "<think>") && end ? end + strlen("</think>") : reply;
}

GArray *
data_turns_split(const char *reply)
{
  Split split = {.turns = data_turns_new()};
  g_auto(GStrv) lines = g_strsplit(skip_thoughts(reply), "\n", -1);

  for (guint i = 0; lines[i]; i++) {
    g_strchomp(lines[i]);
    take_line(&split, lines[i]);
  }
  end_turn(&split);
  return split.turns;
}

GArray *
data_turns_whole(const char *question, const char *reply)
{
  GArray *turns = data_turns_new();
  g_autofree char *text = NULL;
  const char *at, *said;

  reply = skip_thoughts(reply);
  text = data_text_strip(reply, strlen(reply));
  at = said = text;
  if (speaker_of(at, &said) != ASSISTANT) {
    said = at;
  }
  data_turns_add(turns, g_strdup(question), data_text_strip(said, strlen(said)), DATA_TURN_KEPT);
  return turns;
}
