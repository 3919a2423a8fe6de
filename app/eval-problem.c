/* eval-problem.c - what is wrong with the input of an evaluation: said, counted, and survived. */
#include <stdarg.h>
#include <string.h>

#include "eval.h"

#define MOST_NAMED 20u /* of each kind */

static const char *const NAMES[APP_N_EVAL_PROBLEMS] = {
    [APP_EVAL_BAD_RECORD] = "bad_records",      [APP_EVAL_NO_REFERENCE] = "no_reference",
    [APP_EVAL_NO_IMAGE] = "no_image",           [APP_EVAL_BAD_IMAGE] = "bad_image",
    [APP_EVAL_NOT_ANSWERED] = "not_answered",   [APP_EVAL_NOT_SAVED] = "not_saved",
    [APP_EVAL_BAD_ANSWER] = "bad_answers",      [APP_EVAL_NO_QUESTION] = "answers_without_question",
    [APP_EVAL_AMBIGUOUS] = "ambiguous_answers", [APP_EVAL_ANSWERED_TWICE] = "answered_twice",
    [APP_EVAL_UNANSWERED] = "unanswered",       [APP_EVAL_UNPARSABLE] = "unparsable",
};

void
app_eval_say(AppEvalSay *say, AppEvalProblem problem, const char *path, guint64 line,
             const char *format, ...)
{
  const guint64 n = say->counts[problem]++;
  g_autofree char *name = NULL, *what = NULL, *text = NULL;
  va_list args;

  if (n > MOST_NAMED || !say->listener || !say->listener->problem) {
    return;
  }
  name = g_filename_display_name(path);
  if (n == MOST_NAMED) {
    text = g_strdup_printf("%s: more of the kind \"%s\" are counted, and not named", name,
                           NAMES[problem]);
  } else {
    va_start(args, format);
    what = g_strdup_vprintf(format, args);
    va_end(args);
    text = line > 0 ? g_strdup_printf("%s: line %" G_GUINT64_FORMAT ": %s", name, line, what)
                    : g_strdup_printf("%s: %s", name, what);
  }
  say->listener->problem(text, say->listener->user);
}

JsonObject *
app_eval_left_out(const AppEvalSay *say)
{
  JsonObject *o = json_object_new();

  for (guint i = 0; i < APP_N_EVAL_PROBLEMS; i++) {
    json_object_set_int_member(o, NAMES[i], (gint64)say->counts[i]);
  }
  json_object_set_int_member(o, "other_rows", (gint64)say->other_rows);
  json_object_set_int_member(o, "other_languages", (gint64)say->other_languages);
  return o;
}
