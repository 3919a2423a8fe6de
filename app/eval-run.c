/* eval-run.c - questions put to a model, image by image. */
#include <string.h>

#include "backend.h"
#include "eval.h"
#include "model_prompt.h"

#define MOST_FAILURES                                                                              \
  5u /* one after the other: something is wrong with the model, not with them                      \
      */

typedef struct {
  const AppEvalOptions *options;
  const AppEvalSet *set;
  AppEvalSay *say;
  AppEvalRun *run;
  GCancellable *cancellable;
  AppBackend *backend;
  AppEvalJournal *journal; /* may be NULL */
  guint *order;            /* of questions: those of an image one after the other */
  guint n_failures;        /* one after the other */
  guint n_answered;
  gboolean is_control;
  GError *first; /* what went wrong first */
} Asking;

void
app_eval_run_clear(AppEvalRun *run)
{
  g_clear_pointer(&run->model, g_free);
  g_clear_pointer(&run->sha256, g_free);
  g_clear_pointer(&run->engine, g_free);
}

static gboolean
is_stopped(Asking *a, GError **error)
{
  const AppEvalListener *listener = a->say->listener;

  if (listener && listener->go_on && !listener->go_on(listener->user)) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_CANCELLED, "stopped");
    return TRUE;
  }
  return g_cancellable_set_error_if_cancelled(a->cancellable, error);
}

static void
on_progress(const char *phase, guint done, guint total, gpointer asking)
{
}

static gboolean
on_text(const char *bytes, gsize length, gpointer asking)
{
  return !is_stopped(asking, NULL);
}

/* ---- order ------------------------------------------------------------------------------------
 */

/* By image, each where it is first asked about. */
static guint *
order_by_image(GPtrArray *questions, guint *n_images)
{
  g_autoptr(GHashTable) ranks = g_hash_table_new(g_str_hash, g_str_equal);
  g_autoptr(GPtrArray) lists = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
  guint *order = g_new(guint, questions->len), n = 0;

  for (guint i = 0; i < questions->len; i++) {
    const AppEvalQuestion *q = questions->pdata[i];
    GArray *list = g_hash_table_lookup(ranks, q->path);
    if (!list) {
      list = g_array_new(FALSE, FALSE, sizeof(guint));
      g_ptr_array_add(lists, list);
      g_hash_table_insert(ranks, q->path, list);
    }
    g_array_append_val(list, i);
  }
  for (guint i = 0; i < lists->len; i++) {
    const GArray *list = lists->pdata[i];
    for (guint k = 0; k < list->len; k++) {
      order[n++] = g_array_index(list, guint, k);
    }
  }
  *n_images = lists->len;
  return order;
}

/* ---- one question -----------------------------------------------------------------------------
 */

static char *
ask(Asking *a, const AppShot *shot, const AppEvalQuestion *q, GError **error)
{
  const AppEvalOptions *options = a->options;
  const char *suffix =
      model_prompt_answer_suffix(q->closed ? (ModelAnswerForm)options->form : MODEL_ANSWER_FREE);
  g_autofree char *text = g_strconcat(q->text, suffix, NULL), *why = NULL, *said = NULL;
  const AppBackendQuestion asked = {
      .shot = shot,
      .question = text,
      .sampling = {.top_p = 1, .max_tokens = options->max_tokens ? options->max_tokens : 32}};
  const AppBackendListener listener = {on_progress, on_text, a};
  ModelAnswer answer = {0};

  if (!a->backend->class->rewind(a->backend, 0, error) ||
      !a->backend->class->ask(a->backend, &asked, &listener, &answer, &why, error)) {
    return NULL;
  }
  a->run->encoded += !a->is_control && !answer.timing.image_cached;
  said = g_utf8_make_valid(answer.text, -1);
  model_answer_clear(&answer);
  /* Half an answer has no score. */
  if (why) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_FAILED, why);
    return NULL;
  }
  return is_stopped(a, error) ? NULL : g_steal_pointer(&said);
}

/* FALSE: the run ends. */
static gboolean
survive(Asking *a, const AppEvalQuestion *q, GError *problem, GError **error)
{
  if (is_stopped(a, error)) {
    g_error_free(problem);
    return FALSE;
  }
  app_eval_say(a->say, APP_EVAL_NOT_ANSWERED, a->options->questions, q->line, "%s",
               problem->message);
  if (!a->first) {
    a->first = g_error_copy(problem);
  }
  if (++a->n_failures < MOST_FAILURES) {
    g_error_free(problem);
    return TRUE;
  }
  g_propagate_prefixed_error(error, problem,
                             "%u questions failed one after the other: ", a->n_failures);
  return FALSE;
}

static void
show_row(Asking *a, const AppEvalQuestion *q, guint done)
{
  const AppEvalListener *listener = a->say->listener;

  if (listener && listener->row) {
    g_autoptr(JsonNode) node = app_eval_row(q);
    listener->row(node, done, a->set->questions->len, listener->user);
  }
}

/* ---- all of them ------------------------------------------------------------------------------
 */

/* The picture of Q, the one at hand when it is of the same image. NULL: it cannot be read. */
static AppShot *
take_shot(Asking *a, const AppEvalQuestion *q, gboolean blank, AppShot *shot, const char **shown)
{
  g_autoptr(GError) problem = NULL;

  if (*shown && strcmp(*shown, q->path) == 0) {
    if (!shot) { /* said already, of this image */
      a->say->counts[APP_EVAL_BAD_IMAGE]++;
    }
    return shot;
  }
  app_shot_unref(shot);
  *shown = q->path;
  shot = app_shot_new(&(AppImageChoice){.path = q->path, .blank = blank}, &problem);
  if (!shot) {
    app_eval_say(a->say, APP_EVAL_BAD_IMAGE, a->options->questions, q->line, "%s",
                 problem->message);
  }
  return shot;
}

/* CONTROL: once more, without the picture. */
static gboolean
ask_all(Asking *a, gboolean control, GError **error)
{
  const gboolean blank = control || a->options->blank;
  g_autoptr(AppShot) shot = NULL;
  const char *shown = NULL;

  a->is_control = control;
  for (guint i = 0; i < a->set->questions->len; i++) {
    AppEvalQuestion *q = a->set->questions->pdata[a->order[i]];
    char **place = control ? &q->blank_answer : &q->answer;
    GError *problem = NULL;

    if (is_stopped(a, error)) {
      return FALSE;
    }
    if (!*place && !(control && !q->answer)) {
      shot = take_shot(a, q, blank, g_steal_pointer(&shot), &shown);
      if (!shot) {
        continue;
      }
      *place = ask(a, shot, q, &problem);
      if (!*place && !survive(a, q, problem, error)) {
        return FALSE;
      }
      if (*place && a->journal) {
        app_eval_journal_add(a->journal, q, blank, a->say);
      }
    }
    if (*place) {
      a->n_failures = 0;
      a->n_answered++;
    }
    if (!control && *place) {
      show_row(a, q, i + 1);
    }
  }
  return TRUE;
}

/* What answers depend on, and what their records are counted by. */
static char *
run_name(const AppEvalOptions *options, const AppEvalSet *set, const StoreModel *model)
{
  g_autofree char *where =
      options->where ? g_strjoinv("\n", (char **)options->where) : g_strdup("");
  const char *const parts[] = {model->sha256,
                               options->remote.url,
                               options->remote.model,
                               model->template_name,
                               set->sha256,
                               set->format,
                               options->language ? options->language : "en",
                               where};
  g_autoptr(GString) text = g_string_new(NULL);

  for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
    g_string_append_printf(text, "%s\n", parts[i] ? parts[i] : "");
  }
  g_string_append_printf(text, "%u %u", options->max_tokens ? options->max_tokens : 32,
                         options->form);
  return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text->str, (gssize)text->len);
}

/* With BLANK alone, what the journal has without a picture is what is asked for. */
static void
take_blank(GPtrArray *questions)
{
  for (guint i = 0; i < questions->len; i++) {
    AppEvalQuestion *q = questions->pdata[i];
    g_free(q->answer);
    q->answer = g_steal_pointer(&q->blank_answer);
  }
}

static gboolean
open_journal(Asking *a, GError **error)
{
  const AppEvalOptions *options = a->options;
  StoreModel model = {0};
  g_autofree char *run = NULL;

  if (!options->out) {
    return TRUE;
  }
  if (!app_file_is_another(options->out, options->questions, error) ||
      !a->backend->class->describe(a->backend, &model, error)) {
    return FALSE;
  }
  run = run_name(options, a->set, &model);
  a->journal =
      app_eval_journal_open(options->out, run, model.name, a->set->questions, a->say, error);
  if (a->journal && options->blank) {
    take_blank(a->set->questions);
  }
  return a->journal != NULL;
}

static gboolean
describe(Asking *a, GError **error)
{
  StoreModel model = {0};

  if (!a->backend->class->describe(a->backend, &model, error)) {
    return FALSE;
  }
  a->run->model = g_strdup(model.name);
  a->run->sha256 = g_strdup(model.sha256);
  a->run->engine = g_strdup(model.engine);
  a->run->counts_encoded = !a->options->remote.url;
  return TRUE;
}

static gboolean
run(Asking *a, GError **error)
{
  if (!open_journal(a, error) || !ask_all(a, FALSE, error)) {
    return FALSE;
  }
  if (a->n_answered == 0) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: no question was answered%s%s",
                a->options->questions, a->first ? ": " : "", a->first ? a->first->message : "");
    return FALSE;
  }
  return (!a->options->control || a->options->blank || ask_all(a, TRUE, error)) &&
         describe(a, error);
}

gboolean
app_eval_ask(const AppEvalOptions *options, AppEvalSet *set, AppEvalSay *say, AppEvalRun *result,
             GCancellable *cancellable, GError **error)
{
  g_autoptr(AppBackend) backend = options->remote.url
                                      ? app_backend_remote_new(&options->remote, error)
                                      : app_backend_local_new(&options->model, NULL, error);
  Asking a = {options, set, say, result, cancellable, backend, NULL, NULL, 0, 0, FALSE, NULL};
  gboolean ok;

  if (!backend) {
    return FALSE;
  }
  a.order = order_by_image(set->questions, &result->images);
  ok = run(&a, error);
  g_clear_pointer(&a.journal, app_eval_journal_close);
  g_clear_error(&a.first);
  g_free(a.order);
  return ok;
}
