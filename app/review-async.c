/* review-async.c - a review's worker thread.
 *
 * One thread per review takes questions in line. What the model says is gathered under a lock and
 * handed to the asker's main context in one piece at most every 50 ms, so that a fast model does
 * not flood an interface; the last piece always arrives before the result.
 */

#include "app_trust.h"
#include "review.h"

#define TICK_MS 50

/* What is on its way to the listener. Shared by the worker and the main context. */
typedef struct {
  gint n_refs;
  GMainContext *context;
  AppListener listener;
  GMutex lock;
  GString *text;     /* not delivered yet */
  const char *phase; /* newest progress, NULL: none to deliver */
  guint done, total;
  gboolean scheduled; /* a source is attached that will deliver */
} Relay;

typedef struct {
  char *question, *caption, *path;
  AppImageChoice image;
  AppQuestion copy; /* points at the fields above */
  Relay *relay;     /* NULL: nobody listens */
  guint number;     /* of work beforehand */
} Job;

struct _AppWorker {
  GThread *thread;
  GAsyncQueue *line; /* of GTask, or of the worker itself, which ends it */
  AppReview *review;

  GMutex lock;
  guint newest;          /* number of the work beforehand that counts */
  const Job *ahead;      /* it, in line or under way; NULL: none, or it is done */
  gboolean is_preparing; /* some is under way */
  guint n_questions;     /* in line or under way */
  AppBackend *checking;  /* a conversation that nobody waits for, or NULL */
};

/* ---- relay -------------------------------------------------------------------------------- */

static Relay *
relay_new(const AppListener *listener)
{
  Relay *relay = g_new0(Relay, 1);

  relay->n_refs = 1;
  relay->context = g_main_context_ref_thread_default();
  relay->listener = *listener;
  relay->text = g_string_new(NULL);
  g_mutex_init(&relay->lock);
  return relay;
}

static void
relay_unref(gpointer data)
{
  Relay *relay = data;

  if (g_atomic_int_dec_and_test(&relay->n_refs)) {
    g_main_context_unref(relay->context);
    g_string_free(relay->text, TRUE);
    g_mutex_clear(&relay->lock);
    g_free(relay);
  }
}

/* In the asker's context. The listener is called without the lock. */
static gboolean
relay_deliver(gpointer data)
{
  Relay *relay = data;
  g_autoptr(GString) text = g_string_new(NULL);
  const char *phase;
  guint done, total;

  g_mutex_lock(&relay->lock);
  relay->scheduled = FALSE;
  phase = g_steal_pointer(&relay->phase);
  done = relay->done;
  total = relay->total;
  g_string_append_len(text, relay->text->str, (gssize)relay->text->len);
  g_string_truncate(relay->text, 0);
  g_mutex_unlock(&relay->lock);

  if (phase && relay->listener.progress) {
    relay->listener.progress(phase, done, total, relay->listener.user);
  }
  if (text->len > 0 && relay->listener.text) {
    relay->listener.text(text->str, text->len, relay->listener.user);
  }
  return G_SOURCE_REMOVE;
}

/* Default priority, as the task's own result has: sources of one priority run in the order in which
 * they were attached, so the text is there first. */
static void
relay_attach(Relay *relay, guint after_ms)
{
  g_autoptr(GSource) source = after_ms ? g_timeout_source_new(after_ms) : g_idle_source_new();

  g_source_set_priority(source, G_PRIORITY_DEFAULT);
  g_atomic_int_inc(&relay->n_refs);
  g_source_set_callback(source, relay_deliver, relay, relay_unref);
  g_source_attach(source, relay->context);
}

/* With the lock held. */
static void
relay_schedule(Relay *relay)
{
  if (!relay->scheduled) {
    relay->scheduled = TRUE;
    relay_attach(relay, TICK_MS);
  }
}

static void
relay_text(const char *bytes, gsize length, gpointer user)
{
  Relay *relay = user;

  g_mutex_lock(&relay->lock);
  g_string_append_len(relay->text, bytes, (gssize)length);
  relay_schedule(relay);
  g_mutex_unlock(&relay->lock);
}

static void
relay_progress(const char *phase, guint done, guint total, gpointer user)
{
  Relay *relay = user;

  g_mutex_lock(&relay->lock);
  relay->phase = phase;
  relay->done = done;
  relay->total = total;
  relay_schedule(relay);
  g_mutex_unlock(&relay->lock);
}

/* ---- jobs --------------------------------------------------------------------------------- */

static void
job_free(gpointer data)
{
  Job *job = data;

  g_clear_pointer(&job->relay, relay_unref);
  g_free(job->question);
  g_free(job->caption);
  g_free(job->path);
  g_free(job);
}

static Job *
job_new(const AppQuestion *question, const AppListener *listener)
{
  Job *job = g_new0(Job, 1);

  job->copy = *question;
  job->question = g_strdup(question->question);
  job->caption = g_strdup(question->caption);
  job->copy.question = job->question;
  job->copy.caption = job->caption;
  if (question->image) {
    job->image = *question->image;
    job->path = g_strdup(question->image->path);
    job->image.path = job->path;
    job->copy.image = &job->image;
  }
  job->relay = listener ? relay_new(listener) : NULL;
  return job;
}

static void
json_node_release(gpointer node)
{
  json_node_unref(node);
}

static void
run_job(AppReview *review, GTask *task)
{
  Job *job = g_task_get_task_data(task);
  const AppListener listener = {relay_text, relay_progress, job->relay};
  GError *error = NULL;
  JsonNode *node = NULL;

  if (g_atomic_int_get(&review->closing)) {
    g_set_error_literal(&error, APP_ERROR, APP_ERROR_CANCELLED, "the review was closed");
  } else {
    node = app_review_ask(review, &job->copy, job->relay ? &listener : NULL,
                          g_task_get_cancellable(task), &error);
  }
  if (job->relay) {
    relay_attach(job->relay, 0);
  }
  if (node) {
    g_task_return_pointer(task, node, json_node_release);
  } else {
    g_task_return_error(task, error);
  }
}

/* ---- beforehand --------------------------------------------------------------------------- */

typedef struct {
  AppWorker *worker;
  const Job *job;
} Preparing;

static gboolean
still_counts(AppWorker *worker, const Job *job)
{
  gboolean counts;

  g_mutex_lock(&worker->lock);
  counts = job->number == worker->newest;
  g_mutex_unlock(&worker->lock);
  return counts;
}

/* Not when something stands behind it in line: a question finds what was done so far. */
static gboolean
go_on(gpointer user)
{
  const Preparing *preparing = user;

  return still_counts(preparing->worker, preparing->job) &&
         g_async_queue_length(preparing->worker->line) <= 0 &&
         !g_atomic_int_get(&preparing->worker->review->closing);
}

static void
run_prepare(AppWorker *worker, GTask *task)
{
  const Job *job = g_task_get_task_data(task);
  Preparing preparing = {worker, job};
  gboolean counts;

  g_mutex_lock(&worker->lock);
  counts = job->number == worker->newest;
  worker->is_preparing = counts;
  g_mutex_unlock(&worker->lock);
  if (counts) {
    app_review_prepare_now(worker->review, &job->image, go_on, &preparing);
  }
  g_mutex_lock(&worker->lock);
  worker->is_preparing = FALSE;
  worker->ahead = worker->ahead == job ? NULL : worker->ahead;
  g_mutex_unlock(&worker->lock);
  g_task_return_boolean(task, TRUE);
}

/* With the lock. What is under way ends at the next layer; a question that begins later is not
 * touched, because it waits for `is_preparing` to end. */
static void
stop_preparing(AppWorker *worker)
{
  const AppBackend *backend = worker->review->backend;

  worker->newest++;
  worker->ahead = NULL;
  if (worker->is_preparing) {
    backend->class->stop(worker->review->backend);
  }
}

void
app_worker_stop_preparing(AppWorker *worker)
{
  if (worker) {
    g_mutex_lock(&worker->lock);
    stop_preparing(worker);
    g_mutex_unlock(&worker->lock);
  }
}

/* ---- what nobody waits for ---------------------------------------------------------------- */

gboolean
app_worker_must_stop(AppWorker *worker)
{
  gboolean waits;

  g_mutex_lock(&worker->lock);
  waits = worker->n_questions > 0;
  g_mutex_unlock(&worker->lock);
  return waits || g_atomic_int_get(&worker->review->closing);
}

/* With the lock. */
static void
stop_checking(AppWorker *worker)
{
  if (worker->checking) {
    worker->checking->class->stop(worker->checking);
  }
}

void
app_worker_stop_checking(AppWorker *worker)
{
  g_mutex_lock(&worker->lock);
  stop_checking(worker);
  g_mutex_unlock(&worker->lock);
}

void
app_worker_set_checking(AppWorker *worker, AppBackend *backend)
{
  g_mutex_lock(&worker->lock);
  worker->checking = backend;
  g_mutex_unlock(&worker->lock);
}

static void
change_questions(AppWorker *worker, int by)
{
  g_mutex_lock(&worker->lock);
  worker->n_questions += (guint)by;
  if (by > 0) {
    stop_checking(worker);
  }
  g_mutex_unlock(&worker->lock);
}

/* ---- the thread --------------------------------------------------------------------------- */

static void
run(AppWorker *worker, GTask *task)
{
  const gpointer tag = g_task_get_source_tag(task);

  if (tag == app_review_prepare) {
    run_prepare(worker, task);
  } else if (tag == app_review_check_async) {
    app_review_run_check(worker->review, task);
  } else if (tag == app_review_resume_async) {
    app_review_run_resume(worker->review, task);
  } else {
    run_job(worker->review, task);
    change_questions(worker, -1);
  }
}

static gpointer
work(gpointer data)
{
  AppWorker *worker = data;

  for (;;) {
    gpointer next = g_async_queue_pop(worker->line);
    if (next == worker) {
      return NULL;
    }
    run(worker, next);
    /* Nobody waits: time to write down what is worth keeping. */
    if (g_async_queue_length(worker->line) <= 0 && !g_atomic_int_get(&worker->review->closing)) {
      app_review_settle(worker->review);
    }
    g_object_unref(next);
  }
}

static AppWorker *
worker_get(AppReview *review)
{
  if (!review->worker) {
    review->worker = g_new0(AppWorker, 1);
    g_mutex_init(&review->worker->lock);
    review->worker->line = g_async_queue_new();
    review->worker->review = review;
    review->worker->thread = g_thread_new("review", work, review->worker);
  }
  return review->worker;
}

void
app_worker_stop(AppWorker *worker)
{
  /* Tasks in line come before this mark and are refused one by one, because the review is closing.
   */
  g_async_queue_push(worker->line, worker);
  g_thread_join(worker->thread);
  g_async_queue_unref(worker->line);
  g_mutex_clear(&worker->lock);
  g_free(worker);
}

void
app_review_prepare(AppReview *review, const AppImageChoice *image)
{
  const AppQuestion question = {.image = image};
  AppWorker *worker;
  GTask *task;
  Job *job;

  if (!image) {
    app_worker_stop_preparing(review->worker);
    return;
  }
  worker = worker_get(review);
  g_mutex_lock(&worker->lock);
  if (!worker->ahead || !app_review_same_image(&worker->ahead->image, image)) {
    stop_preparing(worker);
    task = g_task_new(NULL, NULL, NULL, NULL);
    job = job_new(&question, NULL);
    job->number = worker->newest;
    worker->ahead = job;
    g_task_set_source_tag(task, app_review_prepare);
    g_task_set_task_data(task, job, job_free);
    g_async_queue_push(worker->line, task);
  }
  g_mutex_unlock(&worker->lock);
}

void
app_worker_push(AppReview *review, GTask *task)
{
  g_async_queue_push(worker_get(review)->line, task);
}

void
app_review_ask_async(AppReview *review, const AppQuestion *question, const AppListener *listener,
                     GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user)
{
  GTask *task = g_task_new(NULL, cancellable, callback, user);
  AppWorker *worker = worker_get(review);

  g_task_set_source_tag(task, app_review_ask_async);
  g_task_set_task_data(task, job_new(question, listener), job_free);
  /* A partial answer of a cancelled question is a result, not an error. */
  g_task_set_check_cancellable(task, FALSE);
  g_mutex_lock(&worker->lock);
  if (worker->ahead &&
      (!question->image || !app_review_same_image(&worker->ahead->image, question->image))) {
    stop_preparing(worker);
  }
  g_mutex_unlock(&worker->lock);
  change_questions(worker, 1);
  g_async_queue_push(worker->line, task);
}

JsonNode *
app_review_ask_finish(AppReview *review, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}
