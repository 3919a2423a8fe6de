/* review-seen.c - what the model sees, shown to people.
 *
 * On a thread of its own, for it must not wait for an answer that is under way. It touches nothing
 * but the engine, which may be shared, and the review waits for it before that is freed.
 */
#include "app_trust.h"
#include "review.h"

typedef struct {
  AppReview *review;
  AppImageChoice choice; /* its path is owned */
} Looking;

static void
looking_free(gpointer data)
{
  Looking *looking = data;

  g_free((gpointer)looking->choice.path);
  g_free(looking);
}

static void
change_aside(AppReview *review, int by)
{
  g_mutex_lock(&review->aside);
  review->n_aside += (guint)by;
  g_cond_broadcast(&review->aside_over);
  g_mutex_unlock(&review->aside);
}

void
app_review_begin_aside(AppReview *review)
{
  change_aside(review, 1);
}

void
app_review_end_aside(AppReview *review)
{
  change_aside(review, -1);
}

void
app_review_wait_for_asides(AppReview *review)
{
  g_mutex_lock(&review->aside);
  while (review->n_aside > 0) {
    g_cond_wait(&review->aside_over, &review->aside);
  }
  g_mutex_unlock(&review->aside);
}

static void
look(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Looking *looking = data;
  AppReview *review = looking->review;
  GError *error = NULL;
  AppPicture *picture = NULL;

  if (g_atomic_int_get(&review->closing)) {
    g_set_error_literal(&error, APP_ERROR, APP_ERROR_CANCELLED, "the review was closed");
  } else if (!g_cancellable_set_error_if_cancelled(cancellable, &error)) {
    g_autoptr(AppShot) shot = app_shot_new(&looking->choice, &error);
    picture = shot ? review->backend->class->see(review->backend, shot, &error) : NULL;
  }
  app_review_end_aside(review);
  if (picture) {
    g_task_return_pointer(task, picture, (GDestroyNotify)app_picture_free);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_review_seen_async(AppReview *review, const AppImageChoice *image, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user);
  Looking *looking = g_new0(Looking, 1);

  looking->review = review;
  looking->choice = *image;
  looking->choice.path = g_strdup(image->path);
  g_task_set_source_tag(task, app_review_seen_async);
  g_task_set_task_data(task, looking, looking_free);
  app_review_begin_aside(review);
  g_task_run_in_thread(task, look);
}

AppPicture *
app_review_seen_finish(AppReview *review, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}
