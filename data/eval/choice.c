/* choice.c - what a model chose, and what a judge said (score.h). */
#include <string.h>

#include "score.h"

#define LETTERS "ABCDE"
#define ANSWER "The answer is "

static int
index_of(char letter, guint n_choices)
{
  const char *at = letter ? strchr(LETTERS, letter) : NULL;

  return at && (guint)(at - LETTERS) < n_choices ? (int)(at - LETTERS) : -1;
}

/* The letter behind ANSWER; with POINT, one that a point follows. '\0': none. */
static char
announced(const char *text, gboolean point)
{
  for (const char *at = strstr(text, ANSWER); at; at = strstr(at + 1, ANSWER)) {
    const char *letter = at + strlen(ANSWER);
    if (*letter && strchr(LETTERS, *letter) && (!point || letter[1] == '.')) {
      return *letter;
    }
  }
  return '\0';
}

int
data_score_choice(const char *answer, guint n_choices)
{
  g_autofree char *bare = g_strstrip(g_strdup(answer));
  char letter;

  if (strlen(bare) == 1) {
    return index_of(bare[0], n_choices);
  }
  if (answer[0] && strchr(LETTERS, answer[0]) &&
      ((answer[1] == '.' && answer[2] == ' ') || answer[1] == '\n')) {
    return index_of(answer[0], n_choices); /* line breaks count as ". " */
  }
  letter = announced(answer, TRUE);
  if (!letter) {
    letter = announced(answer, FALSE);
  }
  return index_of(letter, n_choices);
}

/* ---- verdicts ---------------------------------------------------------------------------------
 */

/* A number from 0 to 10 that is all of WORD; "/10" may follow. */
static gboolean
parse_score(const char *word, double *score)
{
  char *end;

  if (!g_ascii_isdigit(word[0])) { /* neither sign, nor "nan", nor "inf" */
    return FALSE;
  }
  for (const char *at = word; *at && *at != '/'; at++) {
    if (!g_ascii_isdigit(*at) && *at != '.') { /* nor hexadecimal, nor an exponent */
      return FALSE;
    }
  }
  *score = g_ascii_strtod(word, &end);
  return (*end == '\0' || strcmp(end, "/10") == 0) && *score <= 10;
}

gboolean
data_score_verdict(const char *reply, double *first, double *second)
{
  const char *start = reply + strspn(reply, " \t\r\n*");
  g_autofree char *line = g_strndup(start, strcspn(start, "\r\n"));
  g_auto(GStrv) words = g_strsplit_set(line, " \t,;*", -1);
  const char *said[2] = {NULL, NULL};
  guint n = 0;

  for (guint i = 0; words[i]; i++) {
    if (words[i][0]) {
      if (n < 2) {
        said[n] = words[i];
      }
      n++;
    }
  }
  return n == 2 && parse_score(said[0], first) && parse_score(said[1], second);
}
