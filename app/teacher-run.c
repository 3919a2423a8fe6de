/* teacher-run.c - questions go out beside each other and their ends come back in order.
 *
 * Invariants:
 * 1. Jobs are in a queue in the order of the questions; its head is given back first. Only the
 *    running thread touches the queue, and a job that is not APP_JOB_WORKING.
 * 2. What a question may come to is reserved before it is on its way, and given back at its end:
 *    what is spent and reserved stays within the limits.
 * 3. An end that is final is in the journal before its job is done.
 */
#include "teacher-private.h"

#include <string.h>

/* Questions between the oldest one without an end and the newest that was asked for. */
#define AHEAD 8u
/* Time for what is under way when nobody wants more. */
#define GRACE_US (20 * G_USEC_PER_SEC)
#define LOOK_US (G_USEC_PER_SEC / 5)
/* Questions in a row without an answer, after which nobody is there. */
#define LEAST_FAILED 8u

typedef struct {
  AppTeacher *teacher;
  const AppTeacherSource *source;
  GQueue jobs; /* of AppTeacherJob */
  GAsyncQueue *to_workers;
  AppTeacherWorker *workers;
  guint n_workers;
  guint window;
  gboolean at_end; /* there are no more questions */
} Run;

/* ---- one job -------------------------------------------------------------------------------- */

static void
job_free(const AppTeacherSource *source, AppTeacherJob *job)
{
  if (job->item && source->free_item) {
    source->free_item(job->item);
  }
  app_teacher_request_clear(&job->request);
  app_teacher_try_clear(&job->end);
  g_free(job);
}

static gboolean
is_final(AppTeacherOutcome outcome)
{
  return outcome <= APP_TEACHER_REFUSED;
}

/* Under the lock. */
static void
count_end(AppTeacher *teacher, const AppTeacherJob *job)
{
  AppTeacherCounts *c = &teacher->counts;

  c->outcomes[job->end.outcome]++;
  c->kept += job->is_kept;
  if (job->is_kept) {
    return;
  }
  c->tokens_in += job->end.tokens_in;
  c->tokens_out += job->end.tokens_out;
  c->cost = app_teacher_cost(teacher, c->tokens_in, c->tokens_out);
  c->spent_tokens += job->end.tokens_in + job->end.tokens_out;
  c->spent_cost += app_teacher_cost(teacher, job->end.tokens_in, job->end.tokens_out);
}

/* Whether nobody is there any more. Under the lock. */
static void
judge(AppTeacher *teacher, const AppTeacherJob *job)
{
  const AppTeacherOutcome outcome = job->end.outcome;

  if (outcome == APP_TEACHER_DENIED) {
    app_teacher_end(teacher, "denied", job->end.why);
  } else if (outcome == APP_TEACHER_NONSENSE ||
             (outcome >= APP_TEACHER_BUSY && outcome <= APP_TEACHER_CONNECTION)) {
    if (++teacher->failed_in_a_row >= MAX(LEAST_FAILED, 2 * teacher->options.n_parallel)) {
      g_autofree char *text = g_strdup_printf("%u questions in a row had no answer: %s",
                                              teacher->failed_in_a_row, job->end.why);
      app_teacher_end(teacher, "gone", text);
    }
  } else if (outcome != APP_TEACHER_NOT_ASKED) {
    teacher->failed_in_a_row = 0;
  }
}

/* Into the journal. What was answered is given back though there is no room for it. */
static void
keep(AppTeacher *teacher, const AppTeacherJob *job)
{
  AppJournalEntry entry = {.outcome = job->end.outcome,
                           .text = job->end.text,
                           .why = job->end.why,
                           .model = job->end.model,
                           .is_cut = job->end.is_cut,
                           .is_estimate = job->is_estimate,
                           .tokens_in = job->end.tokens_in,
                           .tokens_out = job->end.tokens_out};
  g_autoptr(GError) error = NULL;

  g_strlcpy(entry.key, job->key, sizeof entry.key);
  /* What failed in the end, but was paid for on the way, is written down as well. */
  if (!is_final(entry.outcome) && entry.tokens_in + entry.tokens_out == 0) {
    return;
  }
  if (!app_journal_add(teacher->journal, &entry, &error)) {
    g_mutex_lock(&teacher->lock);
    app_teacher_end(teacher, "journal", error->message);
    g_mutex_unlock(&teacher->lock);
  }
}

static gpointer
work(gpointer data)
{
  AppTeacherWorker *worker = data;
  AppTeacher *teacher = worker->teacher;
  AppTeacherJob *job;

  while ((job = g_async_queue_pop(worker->jobs)) != (gpointer)worker->jobs) {
    app_teacher_ask(worker, job);
    keep(teacher, job);
    g_mutex_lock(&teacher->lock);
    teacher->reserved_tokens -= job->reserved_tokens;
    teacher->reserved_cost -= job->reserved_cost;
    teacher->counts.under_way--;
    count_end(teacher, job);
    judge(teacher, job);
    job->state = APP_JOB_DONE;
    g_cond_broadcast(&teacher->changed);
    g_mutex_unlock(&teacher->lock);
  }
  return NULL;
}

/* ---- on their way --------------------------------------------------------------------------- */

static gboolean
find_kept(AppTeacher *teacher, AppTeacherJob *job)
{
  g_auto(AppJournalEntry) entry = {0};

  if (!app_journal_find(teacher->journal, job->key, &entry) || !is_final(entry.outcome) ||
      (teacher->options.ask_failed && entry.outcome != APP_TEACHER_ANSWERED)) {
    return FALSE;
  }
  job->end = (AppTeacherTry){.outcome = entry.outcome,
                             .text = g_steal_pointer(&entry.text),
                             .why = g_steal_pointer(&entry.why),
                             .model = g_steal_pointer(&entry.model),
                             .is_cut = entry.is_cut,
                             .tokens_in = entry.tokens_in,
                             .tokens_out = entry.tokens_out};
  job->is_estimate = entry.is_estimate;
  job->is_kept = TRUE;
  return TRUE;
}

/* Whether an earlier question, on its way, is the same: it will be in the journal. Under the lock.
 */
static gboolean
follows_another(const Run *run, const AppTeacherJob *job)
{
  for (const GList *l = run->jobs.head; l && l->data != job; l = l->next) {
    const AppTeacherJob *earlier = l->data;
    if (earlier->state != APP_JOB_DONE && strcmp(earlier->key, job->key) == 0) {
      return TRUE;
    }
  }
  return FALSE;
}

/* Under the lock. FALSE: not now. */
static gboolean
reserve(AppTeacher *teacher, AppTeacherJob *job)
{
  const AppTeacherOptions *o = &teacher->options;
  guint64 in, out;
  double cost;
  gboolean fits_tokens, fits_cost;

  app_teacher_most(teacher, &job->request, &in, &out);
  cost = app_teacher_cost(teacher, in, out);
  fits_tokens =
      o->most_tokens == 0 ||
      teacher->counts.spent_tokens + teacher->reserved_tokens + in + out <= o->most_tokens;
  fits_cost = o->most_cost <= 0 ||
              teacher->counts.spent_cost + teacher->reserved_cost + cost <= o->most_cost;
  if (!fits_tokens || !fits_cost) {
    if (teacher->counts.under_way == 0) {
      app_teacher_end(teacher, fits_tokens ? "cost" : "tokens",
                      fits_tokens ? "the limit of cost is reached"
                                  : "the limit of tokens is reached");
    }
    return FALSE;
  }
  job->reserved_tokens = in + out;
  job->reserved_cost = cost;
  teacher->reserved_tokens += in + out;
  teacher->reserved_cost += cost;
  return TRUE;
}

static void
end_unasked(AppTeacher *teacher, AppTeacherJob *job)
{
  job->end.outcome = APP_TEACHER_NOT_ASKED;
  job->end.why = g_strdup(teacher->ended_text);
  job->state = APP_JOB_DONE;
}

typedef enum { OFFER_TAKEN, OFFER_FOLLOWS, OFFER_FULL } Offer;

/* The journal knows its end, it is sent, or it will never be; or that is to be seen later. */
static Offer
offer(Run *run, AppTeacherJob *job)
{
  AppTeacher *teacher = run->teacher;
  Offer result = OFFER_TAKEN;
  const gboolean kept = find_kept(teacher, job);

  g_mutex_lock(&teacher->lock);
  if (kept) {
    job->state = APP_JOB_DONE;
  } else if (follows_another(run, job)) {
    result = OFFER_FOLLOWS;
  } else if (!teacher->counts.ended && reserve(teacher, job)) {
    teacher->counts.under_way++;
    job->state = APP_JOB_WORKING;
    g_async_queue_push(run->to_workers, job);
  } else if (teacher->counts.ended) {
    end_unasked(teacher, job);
  } else {
    result = OFFER_FULL;
  }
  if (result == OFFER_TAKEN && job->state == APP_JOB_DONE) {
    count_end(teacher, job);
  }
  job->is_offered = result == OFFER_TAKEN;
  g_mutex_unlock(&teacher->lock);
  return result;
}

static gboolean
read_next(Run *run)
{
  AppTeacherJob *job = g_new0(AppTeacherJob, 1);

  if (!run->source->next(&job->request, &job->item, run->source->user)) {
    job_free(run->source, job);
    run->at_end = TRUE;
    return FALSE;
  }
  app_teacher_key(run->teacher, &job->request, job->key);
  g_queue_push_tail(&run->jobs, job);
  return TRUE;
}

/* Under way, in order, as far as limits and window let them. */
static void
fill(Run *run)
{
  for (GList *l = run->jobs.head; l; l = l->next) {
    AppTeacherJob *job = l->data;
    if (!job->is_offered && offer(run, job) == OFFER_FULL) {
      return; /* what comes behind it would not fit either */
    }
  }
  while (!run->at_end && run->jobs.length < run->window && read_next(run)) {
    if (offer(run, run->jobs.tail->data) == OFFER_FULL) {
      return;
    }
  }
}

/* ---- and back ------------------------------------------------------------------------------- */

static gboolean
give(Run *run, AppTeacherJob *job, GError **error)
{
  AppTeacherReply reply = {.outcome = job->end.outcome,
                           .text = job->end.text,
                           .why = job->end.why,
                           .model = job->end.model,
                           .is_cut = job->end.is_cut,
                           .is_kept = job->is_kept,
                           .tries = job->tries,
                           .tokens_in = job->end.tokens_in,
                           .tokens_out = job->end.tokens_out,
                           .is_estimate = job->is_estimate};

  g_strlcpy(reply.key, job->key, sizeof reply.key);
  return run->source->reply(g_steal_pointer(&job->item), &reply, run->source->user, error);
}

static gboolean
head_is_done(Run *run)
{
  const AppTeacherJob *head = g_queue_peek_head(&run->jobs);
  gboolean done;

  g_mutex_lock(&run->teacher->lock);
  done = head && head->state == APP_JOB_DONE;
  g_mutex_unlock(&run->teacher->lock);
  return done;
}

/* *GIVEN: whether there was one. */
static gboolean
give_done(Run *run, gboolean *given, GError **error)
{
  for (*given = FALSE; head_is_done(run); *given = TRUE) {
    AppTeacherJob *job = g_queue_pop_head(&run->jobs);
    const gboolean ok = give(run, job, error);

    job_free(run->source, job);
    if (!ok) {
      return FALSE;
    }
  }
  return TRUE;
}

/* Until the head has its end, or it is time to look. */
static void
wait_a_while(Run *run)
{
  AppTeacher *teacher = run->teacher;
  const gint64 until = g_get_monotonic_time() + LOOK_US;
  const AppTeacherJob *head = g_queue_peek_head(&run->jobs);
  guint under_way;

  g_mutex_lock(&teacher->lock);
  under_way = teacher->counts.under_way;
  while (head && head->state != APP_JOB_DONE && teacher->counts.under_way == under_way &&
         g_cond_wait_until(&teacher->changed, &teacher->lock, until)) {
  }
  g_mutex_unlock(&teacher->lock);
}

static gboolean
goes_on(Run *run, GError **error)
{
  AppTeacherCounts counts;

  if (!run->source->go_on) {
    return TRUE;
  }
  app_teacher_counts(run->teacher, &counts);
  if (run->source->go_on(&counts, run->source->user)) {
    return TRUE;
  }
  g_set_error_literal(error, APP_ERROR, APP_ERROR_CANCELLED, "stopped");
  return FALSE;
}

static gboolean
run_jobs(Run *run, GError **error)
{
  gint64 looked = 0;
  gboolean given;

  for (;;) {
    fill(run);
    if (!give_done(run, &given, error)) {
      return FALSE;
    }
    if (run->at_end && g_queue_is_empty(&run->jobs)) {
      return TRUE;
    }
    if (g_get_monotonic_time() - looked > LOOK_US) {
      looked = g_get_monotonic_time();
      if (!goes_on(run, error)) {
        return FALSE;
      }
    }
    if (!given) {
      wait_a_while(run);
    }
  }
}

/* ---- workers -------------------------------------------------------------------------------- */

static gboolean
start_workers(Run *run, GError **error)
{
  const guint n = run->teacher->options.n_parallel;

  run->workers = g_new0(AppTeacherWorker, n);
  for (; run->n_workers < n; run->n_workers++) {
    AppTeacherWorker *worker = &run->workers[run->n_workers];

    worker->teacher = run->teacher;
    worker->jobs = run->to_workers;
    if (run->teacher->is_remote && !(worker->http = app_teacher_http_new(run->teacher, error))) {
      return FALSE;
    }
    worker->thread = g_thread_try_new("teacher", work, worker, error);
    if (!worker->thread) {
      g_clear_pointer(&worker->http, app_http_free);
      return FALSE;
    }
  }
  return TRUE;
}

/* What is under way may come to its end, for a while, and then must. */
static void
stop(Run *run)
{
  AppTeacher *teacher = run->teacher;
  const gint64 until = g_get_monotonic_time() + GRACE_US;

  g_mutex_lock(&teacher->lock);
  teacher->stopping = TRUE;
  g_cond_broadcast(&teacher->changed);
  while (teacher->counts.under_way > 0 &&
         g_cond_wait_until(&teacher->changed, &teacher->lock, until)) {
  }
  g_mutex_unlock(&teacher->lock);
  g_atomic_int_set(&teacher->halt, 1);
  for (guint i = 0; i < run->n_workers; i++) {
    if (run->workers[i].http) {
      app_http_stop(run->workers[i].http);
    } else {
      teacher->backend->class->stop(teacher->backend);
    }
  }
}

static void
end_workers(Run *run)
{
  for (guint i = 0; i < run->n_workers; i++) {
    g_async_queue_push(run->to_workers, run->to_workers); /* an end for each */
  }
  for (guint i = 0; i < run->n_workers; i++) {
    g_thread_join(run->workers[i].thread);
    g_clear_pointer(&run->workers[i].http, app_http_free);
  }
  g_free(run->workers);
}

static void
begin(AppTeacher *teacher)
{
  teacher->stopping = FALSE;
  teacher->halt = 0;
  teacher->failed_in_a_row = 0;
  teacher->not_before = 0;
  teacher->counts.ended = NULL;
  g_clear_pointer(&teacher->ended_text, g_free);
}

gboolean
app_teacher_run(AppTeacher *teacher, const AppTeacherSource *source, GError **error)
{
  Run run = {.teacher = teacher,
             .source = source,
             .jobs = G_QUEUE_INIT,
             .to_workers = g_async_queue_new(),
             .window = AHEAD * teacher->options.n_parallel};
  AppTeacherJob *job;
  gboolean ok;

  begin(teacher);
  ok = start_workers(&run, error) && run_jobs(&run, error);
  if (!ok) {
    stop(&run);
  }
  end_workers(&run);
  while ((job = g_queue_pop_head(&run.jobs))) {
    job_free(source, job);
  }
  g_async_queue_unref(run.to_workers);
  return ok;
}
