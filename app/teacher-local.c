/* teacher-local.c - the model in this program as a teacher.
 *
 * Its conversation begins with the examples, which stay in it: a question costs its own tokens
 * alone, as long as the examples are the same. What the system says goes before the first text, as
 * templates have words of their own for it or none.
 */
#include "teacher-private.h"

#include <string.h>

gboolean
app_teacher_local_open(AppTeacher *teacher, GError **error)
{
  StoreModel model = {0};

  teacher->backend = app_backend_local_new(&teacher->options.model, NULL, error);
  if (!teacher->backend || !teacher->backend->class->describe(teacher->backend, &model, error)) {
    return FALSE;
  }
  teacher->name = g_strdup(model.name);
  teacher->identity = g_strdup_printf("%s %s", model.sha256, model.template_name);
  teacher->recited = g_ptr_array_new_with_free_func(g_free);
  return TRUE;
}

/* The texts of REQUEST as turns: question, answer, question, ..., question. NULL: they are none. */
static GPtrArray *
texts_of(const AppTeacherRequest *request)
{
  g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
  const char *system = NULL;

  for (guint i = 0; request->messages && i < request->messages->len; i++) {
    const AppTeacherMessage *m = &g_array_index(request->messages, AppTeacherMessage, i);

    if (strcmp(m->role, "system") == 0) {
      system = m->text;
    } else if ((strcmp(m->role, "assistant") == 0) != (texts->len % 2 == 1)) {
      return NULL;
    } else if (texts->len == 0 && system) {
      g_ptr_array_add(texts, g_strconcat(system, "\n\n", m->text, NULL));
    } else {
      g_ptr_array_add(texts, g_strdup(m->text));
    }
  }
  return texts->len % 2 == 1 ? g_steal_pointer(&texts) : NULL;
}

/* The conversation becomes all of TEXTS but the last. */
static gboolean
recite(AppTeacher *teacher, GPtrArray *texts, GError **error)
{
  AppBackend *backend = teacher->backend;
  guint same = 0;

  while (same < teacher->recited->len && same + 1 < texts->len &&
         strcmp(teacher->recited->pdata[same], texts->pdata[same]) == 0) {
    same++;
  }
  same -= same % 2;
  if (!backend->class->rewind(backend, same / 2, error)) {
    return FALSE;
  }
  g_ptr_array_set_size(teacher->recited, (int)same);
  for (guint i = same; i + 1 < texts->len; i += 2) {
    if (!backend->class->recite(backend, NULL, texts->pdata[i], texts->pdata[i + 1], NULL, 0,
                                error)) {
      return FALSE;
    }
    g_ptr_array_add(teacher->recited, g_strdup(texts->pdata[i]));
    g_ptr_array_add(teacher->recited, g_strdup(texts->pdata[i + 1]));
  }
  return TRUE;
}

static void
on_progress(const char *phase, guint done, guint total, gpointer user)
{
}

static gboolean
on_text(const char *bytes, gsize length, gpointer user)
{
  return !g_atomic_int_get(&((AppTeacher *)user)->halt);
}

static void
fill(AppTeacherTry *attempt, const ModelAnswer *answer)
{
  attempt->is_asked = attempt->has_usage = TRUE;
  attempt->tokens_in = answer->timing.prompt_tokens;
  attempt->tokens_out = answer->timing.answer_tokens;
  if (strcmp(answer->stop, "cancelled") == 0) {
    attempt->outcome = APP_TEACHER_NOT_ASKED;
    attempt->why = g_strdup("stopped");
  } else if (!*answer->text) {
    attempt->outcome = APP_TEACHER_EMPTY;
    attempt->why = g_strdup("an answer without a word");
  } else {
    attempt->outcome = APP_TEACHER_ANSWERED;
    attempt->text = g_strdup(answer->text);
    attempt->is_cut =
        strcmp(answer->stop, "max-tokens") == 0 || strcmp(answer->stop, "context") == 0;
  }
}

void
app_teacher_local_try(AppTeacher *teacher, const AppTeacherRequest *request, AppTeacherTry *attempt)
{
  const AppBackendListener listener = {on_progress, on_text, teacher};
  AppBackendQuestion question = {.sampling = teacher->options.sampling};
  g_autoptr(GPtrArray) texts = texts_of(request);
  g_autoptr(GError) error = NULL;
  g_autofree char *why = NULL;
  ModelAnswer answer = {0};

  if (!texts) {
    attempt->outcome = APP_TEACHER_REFUSED;
    attempt->why = g_strdup("the messages are not by user and assistant in turn");
    return;
  }
  question.question = texts->pdata[texts->len - 1];
  if (recite(teacher, texts, &error) &&
      teacher->backend->class->ask(teacher->backend, &question, &listener, &answer, &why, &error)) {
    fill(attempt, &answer);
    model_answer_clear(&answer);
  } else {
    const gboolean stopped = g_error_matches(error, APP_ERROR, APP_ERROR_CANCELLED);
    attempt->outcome = stopped ? APP_TEACHER_NOT_ASKED : APP_TEACHER_REFUSED;
    attempt->why = g_strdup(error->message);
  }
}
