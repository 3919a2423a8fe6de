/* review.c - open, describe, ask, follow up. */
#include "review.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "app_cache.h"
#include "trust.h"

#define DEFAULT_MAX_TOKENS 512
#define MOST_TOKENS 65536

/* ---- closing -----------------------------------------------------------------------------------
 */

void
app_review_free(AppReview *review)
{
  if (!review) {
    return;
  }
  g_atomic_int_set(&review->closing, 1);
  app_worker_stop_preparing(review->worker);
  app_review_wait_for_asides(review);
  if (review->worker) {
    app_worker_stop_checking(review->worker);
    review->backend->class->stop(review->backend);
    app_worker_stop(review->worker);
  }
  app_logbook_close(review->logbook);
  review->logbook = NULL;
  app_conversation_unref(review->conversation);
  g_ptr_array_unref(review->shots);
  g_ptr_array_unref(review->said);
  app_shot_unref(review->ready);
  g_clear_pointer(&review->noted, g_hash_table_unref);
  g_clear_pointer(&review->backend, app_backend_free);
  app_notes_unref(review->notes);
  g_mutex_clear(&review->work);
  g_mutex_clear(&review->aside);
  g_cond_clear(&review->aside_over);
  g_free(review->log_path);
  g_free(review);
}

const char *
app_review_model_name(AppReview *review)
{
  return review->backend->class->name(review->backend);
}

/* ---- conversations ------------------------------------------------------------------------ */

void
app_review_reset(AppReview *review)
{
  app_worker_stop_preparing(review->worker);
  g_mutex_lock(&review->work);
  app_review_reset_locked(review);
  g_mutex_unlock(&review->work);
}

guint
app_review_turns(AppReview *review)
{
  guint turns;

  g_mutex_lock(&review->work);
  turns = review->backend->class->turns(review->backend);
  g_mutex_unlock(&review->work);
  return turns;
}

gint64
app_review_conversation(AppReview *review)
{
  gint64 id;

  g_mutex_lock(&review->work);
  id = review->conversation->id;
  g_mutex_unlock(&review->work);
  return id;
}

gboolean
app_review_rewind(AppReview *review, guint turn, GError **error)
{
  AppBackend *backend = review->backend;
  guint turns;
  gboolean ok;

  app_worker_stop_preparing(review->worker);
  g_mutex_lock(&review->work);
  turns = backend->class->turns(backend);
  ok = turn <= turns;
  if (!ok) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "there is no turn %u to go back to; the conversation has %u", turn, turns);
  } else if (turn < turns) {
    ok = backend->class->rewind(backend, turn, error);
    if (ok) {
      AppConversation *left = review->conversation;
      app_review_forget(review, turn);
      review->conversation = app_conversation_new(left, turn);
      app_conversation_unref(left);
    }
  }
  g_mutex_unlock(&review->work);
  return ok;
}

char **
app_review_warnings(AppReview *review)
{
  const AppShot *shot;
  char **texts;

  g_mutex_lock(&review->work);
  shot = app_review_newest_shot(review);
  texts = shot ? app_gate_sentences(shot->info) : g_new0(char *, 1);
  g_mutex_unlock(&review->work);
  return texts;
}

void
app_review_settle(AppReview *review)
{
  if (review->backend->class->settle) {
    g_mutex_lock(&review->work);
    review->backend->class->settle(review->backend);
    g_mutex_unlock(&review->work);
  }
}

/* ---- opening ------------------------------------------------------------------------------ */

/* What is kept about pictures is sealed with a key of the log. No key, no cache. */
static AppCache *
open_cache(AppReview *review, const AppReviewOptions *options)
{
  AppCache *cache = NULL;
  guint8 key[32];

  if (!app_cache_is_off() && store_log_cache_key(app_logbook_store(review->logbook), key, NULL)) {
    cache = app_cache_open(options->log_path, key);
    explicit_bzero(key, sizeof key);
  }
  return cache;
}

void
app_review_note(AppReview *review, AppNote *note)
{
  if (review->notes) {
    app_notes_push(review->notes, note);
    return;
  }
  if (review->logbook) {
    app_note_write(note, app_logbook_store(review->logbook), NULL);
  }
  app_note_free(note);
}

/* The model's hash is known, some time after it was loaded. */
static void
on_described(const StoreModel *model, gpointer notes)
{
  app_notes_push(notes, app_note_new_model(model, NULL));
}

static gboolean
load(AppReview *review, const AppReviewOptions *options, GError **error)
{
  g_autoptr(GError) failure = NULL;

  review->backend = app_backend_local_new(
      &options->model, options->no_log || options->no_cache ? NULL : open_cache(review, options),
      &failure);
  if (review->backend) {
    return TRUE;
  }
  if (!g_error_matches(failure, APP_ERROR, APP_ERROR_CANCELLED)) {
    const StoreModel model = {.path = options->model.model};
    app_review_note(review, app_note_new_model(&model, failure));
  }
  g_propagate_error(error, g_steal_pointer(&failure));
  return FALSE;
}

/* What is wrong and soon found is said before the model is loaded, and makes no log. That a file
 * was refused is told to one that is there. */
static gboolean
open_first(AppReview *review, const AppReviewOptions *options, GError **error)
{
  g_autoptr(GError) failure = NULL;
  gboolean joined;

  if (!app_review_choose(review, options->image, FALSE, &joined, &failure)) {
    if (app_review_is_refusal(failure) && !options->no_log && app_log_is_there(options->log_path)) {
      review->logbook = app_logbook_open(options->log_path, !review->notes, NULL);
      app_review_note_choice(review, options->image, failure);
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
  }
  if (!options->no_log) {
    review->logbook = app_logbook_open(options->log_path, !review->notes, error);
    app_review_note_choice(review, options->image, NULL);
  }
  return options->no_log || review->logbook;
}

AppReview *
app_review_new(const AppReviewOptions *options, GError **error)
{
  g_autoptr(AppReview) review = g_new0(AppReview, 1);

  g_mutex_init(&review->work);
  g_mutex_init(&review->aside);
  g_cond_init(&review->aside_over);
  review->log_path = g_strdup(options->log_path);
  review->notes = options->no_log ? NULL : app_notes_ref(options->notes);
  review->shots = g_ptr_array_new_with_free_func((GDestroyNotify)app_shot_unref);
  review->said = g_ptr_array_new_with_free_func(app_said_free);
  if (options->remote.url) {
    review->backend = app_backend_remote_new(&options->remote, error);
    if (!review->backend) {
      return NULL;
    }
  }
  review->conversation = app_conversation_new(NULL, 0);
  if (!open_first(review, options, error) || (!review->backend && !load(review, options, error))) {
    return NULL;
  }
  if (review->notes) {
    review->backend->class->tell(review->backend, on_described, review->notes);
  }
  if (options->lookup_log && !options->no_log) {
    app_review_expect_log(review, options->log_path);
  }
  return g_steal_pointer(&review);
}

/* ---- one turn ----------------------------------------------------------------------------- */

typedef struct {
  AppReview *review;
  const AppListener *listener;
  GCancellable *cancellable;
} Watch;

static gboolean
is_stopped(const Watch *watch)
{
  return g_cancellable_is_cancelled(watch->cancellable) ||
         g_atomic_int_get(&watch->review->closing);
}

static void
on_progress(const char *phase, guint done, guint total, gpointer user)
{
  const Watch *watch = user;

  /* A request to stop that came before the work had begun would be forgotten otherwise. */
  if (is_stopped(watch)) {
    watch->review->backend->class->stop(watch->review->backend);
  }
  if (watch->listener && watch->listener->progress) {
    watch->listener->progress(phase, done, total, watch->listener->user);
  }
}

static gboolean
on_text(const char *bytes, gsize length, gpointer user)
{
  const Watch *watch = user;

  if (length > 0 && watch->listener && watch->listener->text) {
    watch->listener->text(bytes, length, watch->listener->user);
  }
  return !is_stopped(watch);
}

static void
on_cancelled(GCancellable *cancellable, gpointer backend)
{
  ((AppBackend *)backend)->class->stop(backend);
}

gboolean
app_sampling_check(const AppSampling *s, GError **error)
{
  if (!isfinite(s->temperature) || s->temperature < 0 || s->temperature > 10) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "the temperature is %g; expected 0 (greedy) to 10", s->temperature);
    return FALSE;
  }
  if (!isfinite(s->top_p) || s->top_p <= 0 || s->top_p > 1) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "top-p is %g; expected a number above 0, at most 1", s->top_p);
    return FALSE;
  }
  if (s->max_tokens > MOST_TOKENS) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT, "an answer of %u tokens; expected at most %d",
                s->max_tokens, MOST_TOKENS);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_question(const AppQuestion *question, GError **error)
{
  if (question->question && strspn(question->question, " \t\r\n") == strlen(question->question)) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_ARGUMENT, _("the question is empty"));
    return FALSE;
  }
  return app_sampling_check(&question->sampling, error);
}

/* What the data set says of itself, when the user gave no caption. g_free(), NULL for nothing. */
static char *
own_caption(const AppShot *shot)
{
  const DicomInfo *info = shot ? shot->info : NULL;
  g_autofree char *joined = NULL;

  if (!info) {
    return NULL;
  }
  if (info->image_comments && *info->image_comments) {
    return g_strdup(info->image_comments);
  }
  joined = g_strdup_printf("%s %s", info->study_description ? info->study_description : "",
                           info->series_description ? info->series_description : "");
  g_strstrip(joined);
  return *joined ? g_steal_pointer(&joined) : NULL;
}

static void
compose(AppReview *review, AppTurn *turn)
{
  const AppQuestion *q = turn->question;

  turn->describing = q->question == NULL;
  turn->text = q->question;
  turn->sampling = q->sampling;
  if (turn->describing) {
    g_autofree char *own = q->caption ? NULL : own_caption(app_review_newest_shot(review));
    turn->instruction = model_prompt_instruction((ModelLength)q->length,
                                                 q->caption ? q->caption : own, q->sampling.seed);
    turn->text = turn->instruction.text;
    if (turn->sampling.max_tokens == 0) {
      turn->sampling.max_tokens = turn->instruction.max_tokens;
    }
  }
  if (turn->sampling.max_tokens == 0) {
    turn->sampling.max_tokens = DEFAULT_MAX_TOKENS;
  }
  turn->sent = g_strconcat(turn->text, model_prompt_answer_suffix((ModelAnswerForm)q->form), NULL);
}

static gboolean
run_turn(AppReview *review, AppTurn *turn, const AppListener *listener, GCancellable *cancellable,
         GError **error)
{
  AppBackend *backend = review->backend;
  Watch watch = {review, listener, cancellable};
  const AppBackendListener heard = {on_progress, on_text, &watch};
  const gboolean is_seen = !turn->joined && backend->class->turns(backend) > 0;
  const AppBackendQuestion asked = {.shot = is_seen ? NULL : app_review_newest_shot(review),
                                    .question = turn->sent,
                                    .sampling = turn->sampling};
  gulong handler = 0;
  gboolean ok;

  if (g_cancellable_is_cancelled(cancellable)) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_CANCELLED,
                        _("stopped before anything was said"));
    return FALSE;
  }
  if (cancellable) {
    handler = g_cancellable_connect(cancellable, G_CALLBACK(on_cancelled), backend, NULL);
  }
  ok = backend->class->ask(backend, &asked, &heard, &turn->answer, &turn->why, error);
  g_cancellable_disconnect(cancellable, handler);
  if (ok) {
    turn->number = backend->class->turns(backend);
    review->conversation = app_conversation_answered_by(
        review->conversation, backend->class->name(backend), turn->number - 1);
  }
  return ok;
}

gboolean
app_review_save_locked(AppReview *review, GError **error)
{
  StoreModel model;

  return review->backend->class->describe(review->backend, &model, error) &&
         (!review->logbook || app_logbook_save(review->logbook, &model, error));
}

/* The turn joins those that were said. */
static void
remember(AppReview *review, const AppTurn *turn)
{
  const ModelAnswer *answer = &turn->answer;
  AppSaid *said = g_new0(AppSaid, 1);

  said->question = g_strdup(turn->sent);
  said->answer = g_strdup(answer->text ? answer->text : "");
  said->ids = g_memdup2(answer->answer.ids, answer->answer.n * sizeof(gint32));
  said->n_ids = answer->answer.n;
  said->sampling = turn->sampling;
  said->n_shots = review->shots->len;
  if (review->logbook) {
    said->id = app_turn_log(review, turn);
  }
  g_ptr_array_add(review->said, said);
}

static JsonNode *
ask_locked(AppReview *review, const AppQuestion *question, const AppListener *listener,
           GCancellable *cancellable, GError **error)
{
  AppTurn turn = {.question = question};
  JsonNode *node = NULL;

  if (!check_question(question, error) ||
      !app_review_choose(review, question->image, question->add_image, &turn.joined, error)) {
    return NULL;
  }
  compose(review, &turn);
  if (run_turn(review, &turn, listener, cancellable, error)) {
    remember(review, &turn);
    /* A failure leaves the turn in line; app_review_save() tells of it. */
    app_review_save_locked(review, NULL);
    node = app_turn_json(review, &turn);
  } else if (turn.joined) {
    g_ptr_array_remove_index(review->shots, review->shots->len - 1);
  }
  model_answer_clear(&turn.answer);
  g_free(turn.sent);
  g_free(turn.why);
  return node;
}

JsonNode *
app_review_ask(AppReview *review, const AppQuestion *question, const AppListener *listener,
               GCancellable *cancellable, GError **error)
{
  JsonNode *node;

  g_mutex_lock(&review->work);
  node = ask_locked(review, question, listener, cancellable, error);
  g_mutex_unlock(&review->work);
  return node;
}

gboolean
app_review_save(AppReview *review, GError **error)
{
  gboolean ok;

  g_mutex_lock(&review->work);
  ok = app_review_save_locked(review, error);
  g_mutex_unlock(&review->work);
  return ok;
}
