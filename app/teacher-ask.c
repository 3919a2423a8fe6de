/* teacher-ask.c - one question until it is answered, or it is no use to ask again. */
#include "teacher-private.h"

#include <string.h>

/* What a model said once in place of an answer it mostly says again, and it costs. */
#define MOST_BAD_ANSWERS 2u
/* A server that has too many requests is no server that fails. */
#define BUSY_TRIES 4u
#define MOST_WAIT_US (600 * G_USEC_PER_SEC)
#define MOST_BACK_OFF_US (60 * G_USEC_PER_SEC)

/* Until the server may be asked again. FALSE: nothing is asked any more. Under the lock. */
static gboolean
wait_for_turn(AppTeacher *teacher, gint64 until)
{
  for (;;) {
    const gint64 wait = MAX(until, teacher->not_before);

    if (teacher->stopping || teacher->counts.ended) {
      return FALSE;
    }
    if (wait <= g_get_monotonic_time()) {
      return TRUE;
    }
    g_cond_wait_until(&teacher->changed, &teacher->lock, wait);
  }
}

/* Twice as long each time, and not at one moment with the others: by the question's own key. */
static gint64
back_off(const AppTeacher *teacher, const AppTeacherJob *job)
{
  const gint64 base = (gint64)teacher->options.wait_ms * 1000;
  const gint64 doubled = MIN(base << MIN(job->tries - 1, 16), MOST_BACK_OFF_US);
  const gint64 part = g_ascii_xdigit_value(job->key[job->tries % 64]);

  return doubled / 2 + doubled * part / 30;
}

static gboolean
is_bad_answer(AppTeacherOutcome outcome)
{
  return outcome == APP_TEACHER_EMPTY || outcome == APP_TEACHER_NONSENSE ||
         outcome == APP_TEACHER_TOO_LONG;
}

static gint64
told_wait(const AppTeacherTry *attempt)
{
  return MIN((gint64)attempt->wait_s * G_USEC_PER_SEC, MOST_WAIT_US);
}

static gboolean
may_help(const AppTeacher *teacher, const AppTeacherJob *job, guint bad_answers)
{
  switch (job->end.outcome) {
  case APP_TEACHER_EMPTY:
  case APP_TEACHER_NONSENSE:
  case APP_TEACHER_TOO_LONG:
    return teacher->is_remote && bad_answers < MOST_BAD_ANSWERS;
  case APP_TEACHER_BUSY:
    return job->tries < BUSY_TRIES * teacher->options.n_tries;
  case APP_TEACHER_FAILED:
  case APP_TEACHER_SILENT:
  case APP_TEACHER_CONNECTION:
    return job->tries < teacher->options.n_tries;
  default:
    return FALSE;
  }
}

/* JOB's end becomes ATTEMPT; tokens add up. */
static void
take(const AppTeacher *teacher, AppTeacherJob *job, AppTeacherTry *attempt)
{
  const guint64 in = job->end.tokens_in, out = job->end.tokens_out;

  if (attempt->is_asked && !attempt->has_usage) {
    guint64 bytes = 0;
    for (guint i = 0; job->request.messages && i < job->request.messages->len; i++) {
      bytes += strlen(g_array_index(job->request.messages, AppTeacherMessage, i).text);
    }
    attempt->tokens_in = bytes / 4 + 1;
    attempt->tokens_out = attempt->text ? strlen(attempt->text) / 4 + 1 : 0;
    job->is_estimate = TRUE;
  }
  app_teacher_try_clear(&job->end);
  job->end = *attempt;
  job->end.tokens_in += in;
  job->end.tokens_out += out;
  *attempt = (AppTeacherTry){0};
}

static void
send_once(AppTeacherWorker *worker, AppTeacherJob *job)
{
  AppTeacher *teacher = worker->teacher;
  AppTeacherTry attempt = {0};

  job->tries++;
  if (worker->http) {
    app_teacher_http_try(worker, &job->request, &attempt);
  } else {
    app_teacher_local_try(teacher, &job->request, &attempt);
  }
  g_mutex_lock(&teacher->lock);
  teacher->other_limit |= attempt.other_limit;
  if (attempt.outcome == APP_TEACHER_BUSY && attempt.wait_s > 0) {
    teacher->not_before = MAX(teacher->not_before, g_get_monotonic_time() + told_wait(&attempt));
  }
  g_mutex_unlock(&teacher->lock);
  take(teacher, job, &attempt);
}

void
app_teacher_ask(AppTeacherWorker *worker, AppTeacherJob *job)
{
  AppTeacher *teacher = worker->teacher;
  gint64 until = 0;
  guint bad_answers = 0;

  for (;;) {
    gboolean go;

    g_mutex_lock(&teacher->lock);
    go = wait_for_turn(teacher, until);
    if (go) {
      teacher->counts.requests++;
      teacher->counts.tries_again += job->tries > 0;
    }
    g_mutex_unlock(&teacher->lock);
    if (!go) {
      break;
    }
    send_once(worker, job);
    if (job->end.other_limit) {
      continue; /* once: then it is asked in the other way */
    }
    bad_answers += is_bad_answer(job->end.outcome);
    if (!may_help(teacher, job, bad_answers) || g_atomic_int_get(&teacher->halt)) {
      break;
    }
    until = g_get_monotonic_time() + MAX(back_off(teacher, job), told_wait(&job->end));
  }
  if (job->tries == 0) {
    g_mutex_lock(&teacher->lock);
    job->end.outcome = APP_TEACHER_NOT_ASKED;
    job->end.why = g_strdup(teacher->ended_text ? teacher->ended_text : "stopped");
    g_mutex_unlock(&teacher->lock);
  }
}
