/* proof-async.c - the log's proofs and its root key, beside what the user does. */
#include "app_proof.h"
#include "app_rotate.h"
#include "private.h"
#include "relay.h"
#include "review.h"

typedef struct {
  char *log_path, *with;
  JsonNode *(*run)(GTask *task, GError **error);
  AppRelay relay;
} Job;

static void
job_free(gpointer data)
{
  Job *job = data;

  g_free(job->log_path);
  g_free(job->with);
  app_relay_clear(&job->relay);
  g_free(job);
}

static void
json_node_release(gpointer node)
{
  json_node_unref(node);
}

static void
run_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Job *job = data;
  GError *error = NULL;
  JsonNode *node = job->run(task, &error);

  if (node) {
    g_task_return_pointer(task, node, json_node_release);
  } else {
    g_task_return_error(task, error);
  }
}

/* Takes JOB. */
static void
start(Job *job, gpointer tag, GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr(GTask) task = g_task_new(NULL, job->relay.cancellable, callback, data);

  g_task_set_source_tag(task, tag);
  g_task_set_check_cancellable(task, FALSE); /* what was done is told, however late the wish */
  g_task_set_task_data(task, job, job_free);
  g_task_run_in_thread(task, run_in_thread);
}

JsonNode *
app_log_job_finish(GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}

/* ---- the root key -----------------------------------------------------------------------------
 */

JsonNode *
app_log_state(const char *log_path, GError **error)
{
  const StoreOpen how = {.read_only = TRUE, .locked = TRUE};
  g_autofree char *place = log_path ? g_strdup(log_path) : store_default_path();
  g_autoptr(StoreLog) log = NULL;
  JsonObject *object;

  if (g_file_test(place, G_FILE_TEST_EXISTS)) {
    log = store_log_open_with(place, &how, error);
    if (!log) {
      return NULL;
    }
  }
  object = json_object_new();
  app_json_set_text(object, "protection",
                    log ? app_log_protection_name(store_log_protection(log)) : NULL);
  return app_json_node(object);
}

static JsonNode *
run_state(GTask *task, GError **error)
{
  const Job *job = g_task_get_task_data(task);

  return app_log_state(job->log_path, error);
}

void
app_log_state_async(const char *log_path, GAsyncReadyCallback callback, gpointer data)
{
  Job *job = g_new0(Job, 1);

  job->log_path = g_strdup(log_path);
  job->run = run_state;
  start(job, app_log_state_async, callback, data);
}

static JsonNode *
run_protect(GTask *task, GError **error)
{
  const Job *job = g_task_get_task_data(task);

  return app_log_protect(job->log_path, job->with, error);
}

void
app_log_protect_async(const char *log_path, const char *with, GAsyncReadyCallback callback,
                      gpointer data)
{
  Job *job = g_new0(Job, 1);

  job->log_path = g_strdup(log_path);
  job->with = g_strdup(with);
  job->run = run_protect;
  start(job, app_log_protect_async, callback, data);
}

/* ---- verification -----------------------------------------------------------------------------
 */

static gboolean
on_progress(guint64 done, guint64 total, gpointer user)
{
  Job *job = g_task_get_task_data(user);

  return app_relay_progress(&job->relay, user, done, total);
}

static JsonNode *
run_verify(GTask *task, GError **error)
{
  const Job *job = g_task_get_task_data(task);

  return app_log_verify_all(job->log_path, NULL, NULL, on_progress, task, error);
}

void
app_log_verify_async(const char *log_path, AppProgress progress, gpointer user,
                     GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  Job *job = g_new0(Job, 1);

  job->log_path = g_strdup(log_path);
  job->run = run_verify;
  app_relay_init(&job->relay, progress, user, cancellable);
  start(job, app_log_verify_async, callback, data);
}

const char *
app_review_log_trouble(AppReview *review)
{
  /* Set when the log is opened, and never after: no lock is needed. */
  return review->logbook ? store_log_trouble(app_logbook_store(review->logbook)) : NULL;
}
