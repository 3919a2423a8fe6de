/* review-resume.c - going on with a conversation of the log.
 *
 * 1. Nothing of the review changes before all of it was read and every picture is, by its hash, the
 *    one that was asked about.
 * 2. What was said is recited, not asked again: the ids of the log where they are this model's,
 * else the text.
 */
#include <string.h>

#include "model_prompt.h"
#include "review.h"
#include "trust.h"

typedef struct {
  AppTimeline *line;
  GPtrArray *shots; /* of AppShot */
} Past;

static void
past_clear(Past *past)
{
  g_clear_pointer(&past->line, app_timeline_free);
  g_ptr_array_unref(past->shots);
}

/* ---- pictures ----------------------------------------------------------------------------- */

/* Pictures of TURN, in the order in which they joined. */
static guint
n_images(const StoreTurnRow *turn)
{
  return turn->turn.image ? (guint)turn->turn.n_earlier_images + 1 : 0;
}

static gboolean
open_pictures(Past *past, GError **error)
{
  for (guint i = 0; i < past->line->rows->len; i++) {
    const StoreTurnRow *turn = past->line->rows->pdata[i];
    const guint n = n_images(turn);

    if (n < past->shots->len || n > past->shots->len + 1) {
      g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                  "turn %u of the conversation: found %u images, expected %u or one more", i + 1, n,
                  past->shots->len);
      return FALSE;
    }
    if (n > past->shots->len) {
      AppShot *shot = app_shot_again(&turn->image, n, error);
      if (!shot) {
        return FALSE;
      }
      g_ptr_array_add(past->shots, shot);
    }
  }
  return TRUE;
}

/* ---- saying it again ---------------------------------------------------------------------- */

static AppAnswerForm
form_of(const char *name)
{
  return g_strcmp0(name, "yes-no") == 0  ? APP_ANSWER_YES_NO
         : g_strcmp0(name, "short") == 0 ? APP_ANSWER_SHORT
                                         : APP_ANSWER_FREE;
}

static AppSaid *
said_of(const StoreTurnRow *row)
{
  const StoreTurn *turn = &row->turn;
  AppSaid *said = g_new0(AppSaid, 1);

  said->question =
      g_strconcat(turn->question,
                  model_prompt_answer_suffix((ModelAnswerForm)form_of(turn->answer_form)), NULL);
  said->answer = g_strdup(turn->answer);
  said->ids = g_memdup2(turn->answer_ids, turn->n_answer_ids * sizeof(gint32));
  said->n_ids = turn->n_answer_ids;
  said->sampling = (AppSampling){.temperature = turn->temperature,
                                 .top_p = turn->top_p,
                                 .seed = turn->seed,
                                 .max_tokens = turn->max_tokens};
  said->n_shots = n_images(row);
  said->id = app_turn_id_new(row->id);
  return said;
}

static gboolean
recite_locked(AppReview *review, const Past *past, GError **error)
{
  guint before = 0;

  app_review_reset_locked(review);
  for (guint i = 0; i < past->line->rows->len; i++) {
    AppSaid *said = said_of(past->line->rows->pdata[i]);
    AppShot *shot = said->n_shots > before ? past->shots->pdata[said->n_shots - 1] : NULL;

    g_ptr_array_add(review->said, said);
    if (shot) {
      g_ptr_array_add(review->shots, app_shot_ref(shot));
    }
    before = said->n_shots;
    if (!review->backend->class->recite(review->backend, shot, said->question, said->answer,
                                        said->ids, said->n_ids, error)) {
      app_review_reset_locked(review);
      return FALSE;
    }
  }
  return TRUE;
}

/* The next turn opens a conversation that branches off the last of PARTS; going back finds the one
 * that a turn was said in. */
static void
branch_locked(AppReview *review, const Past *past)
{
  AppConversation *leaf = NULL, *next;
  guint base = 0;

  for (guint i = 0; i < past->line->parts->len; i++) {
    const AppTimelinePart *part = &g_array_index(past->line->parts, AppTimelinePart, i);
    next = g_new0(AppConversation, 1);
    next->n_refs = 1;
    next->id = part->id;
    next->parent = leaf; /* takes the reference */
    next->base = base;
    base += part->n_turns;
    leaf = next;
  }
  app_conversation_unref(review->conversation);
  review->conversation = app_conversation_new(leaf, base);
  app_conversation_unref(leaf);
}

static gboolean
resume(AppReview *review, gint64 conversation, Past *past, GError **error)
{
  g_autoptr(StoreLog) log = app_log_open(review->log_path, error);
  gboolean ok;

  past->line = log ? app_timeline_read(log, conversation, error) : NULL;
  if (!past->line || !open_pictures(past, error)) {
    return FALSE;
  }
  if (past->line->rows->len == 0) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "conversation %" G_GINT64_FORMAT " has no turn to go on from", conversation);
    return FALSE;
  }
  g_mutex_lock(&review->work);
  ok = recite_locked(review, past, error);
  if (ok) {
    branch_locked(review, past);
  }
  g_mutex_unlock(&review->work);
  return ok;
}

static gboolean
go_on(gpointer review)
{
  return !app_worker_must_stop(((AppReview *)review)->worker);
}

/* What was recited is computed now, so that the next question starts at once. */
static void
warm(AppReview *review)
{
  const AppBackendClass *class = review->backend->class;

  if (class->prepare) {
    g_mutex_lock(&review->work);
    class->prepare(review->backend, NULL, go_on, review);
    g_mutex_unlock(&review->work);
  }
}

void
app_review_run_resume(AppReview *review, GTask *task)
{
  const gint64 *conversation = g_task_get_task_data(task);
  GError *error = NULL;
  gboolean ok = FALSE;
  Past past = {NULL, g_ptr_array_new_with_free_func((GDestroyNotify)app_shot_unref)};

  if (g_atomic_int_get(&review->closing)) {
    g_set_error_literal(&error, APP_ERROR, APP_ERROR_CANCELLED, "the review was closed");
  } else if (g_cancellable_is_cancelled(g_task_get_cancellable(task))) {
    g_set_error_literal(&error, APP_ERROR, APP_ERROR_CANCELLED, "stopped before it was done");
  } else {
    ok = resume(review, *conversation, &past, &error);
  }
  past_clear(&past);
  if (ok) {
    g_task_return_boolean(task, TRUE);
    warm(review);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_review_resume_async(AppReview *review, gint64 conversation, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user)
{
  GTask *task = g_task_new(NULL, cancellable, callback, user);

  g_task_set_source_tag(task, app_review_resume_async);
  g_task_set_task_data(task, g_memdup2(&conversation, sizeof conversation), g_free);
  g_task_set_check_cancellable(task, FALSE);
  app_worker_push(review, task);
}

gboolean
app_review_resume_finish(AppReview *review, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), FALSE);
  return g_task_propagate_boolean(G_TASK(result), error);
}
