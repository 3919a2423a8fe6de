/* async.c - the slow calls of a review on threads of their own. */
#include "app_async.h"

#include "review.h"

typedef struct {
  AppReviewOptions options; /* points at what is below */
  AppImageChoice image;
  char *strings[10];
} Opening;

static void
opening_free(gpointer data)
{
  Opening *opening = data;

  for (gsize i = 0; i < G_N_ELEMENTS(opening->strings); i++) {
    g_free(opening->strings[i]);
  }
  g_free(opening);
}

static Opening *
opening_new(const AppReviewOptions *options)
{
  Opening *opening = g_new0(Opening, 1);
  AppModelOptions *model = &opening->options.model;
  AppRemoteOptions *remote = &opening->options.remote;
  const char **fields[] = {&model->model,         &model->mmproj, &model->vision_tower,
                           &model->template_name, &remote->url,   &remote->model,
                           &remote->ca_file,      &remote->proxy, &opening->options.log_path,
                           &opening->image.path};

  G_STATIC_ASSERT(G_N_ELEMENTS(fields) == G_N_ELEMENTS(opening->strings));
  opening->options = *options;
  if (options->image) {
    opening->image = *options->image;
    opening->options.image = &opening->image;
  }
  for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
    opening->strings[i] = g_strdup(*fields[i]);
    *fields[i] = opening->strings[i];
  }
  return opening;
}

static void
open_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Opening *opening = data;
  GError *error = NULL;
  AppReview *review;

  if (g_task_return_error_if_cancelled(task)) {
    return;
  }
  opening->options.model.cancellable = cancellable;
  review = app_review_new(&opening->options, &error);
  if (review) {
    g_task_return_pointer(task, review, (GDestroyNotify)app_review_free);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_review_new_async(const AppReviewOptions *options, GCancellable *cancellable,
                     GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user);

  g_task_set_source_tag(task, app_review_new_async);
  g_task_set_task_data(task, opening_new(options), opening_free);
  g_task_run_in_thread(task, open_in_thread);
}

AppReview *
app_review_new_finish(GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}

static void
save_in_thread(GTask *task, gpointer source, gpointer review, GCancellable *cancellable)
{
  GError *error = NULL;

  if (app_review_save(review, &error)) {
    gint64 conversation = app_review_conversation(review);
    g_object_set_data_full(G_OBJECT(task), "conversation",
                           g_memdup2(&conversation, sizeof conversation), g_free);
    g_task_return_boolean(task, TRUE);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_review_save_async(AppReview *review, GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user);

  g_task_set_source_tag(task, app_review_save_async);
  g_task_set_task_data(task, review, NULL);
  g_task_run_in_thread(task, save_in_thread);
}

gint64
app_review_saved_conversation(GAsyncResult *result)
{
  const gint64 *conversation = g_object_get_data(G_OBJECT(result), "conversation");

  return conversation ? *conversation : 0;
}

gboolean
app_review_save_finish(GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), FALSE);
  return g_task_propagate_boolean(G_TASK(result), error);
}
