/* decoder-pool.c - the helper processes; see decoder-pool.h.
 *
 * `lock` guards everything but what belongs to the helper that a caller has taken. The pool is one
 * for the process and is never freed: threads may be anywhere when the program ends, and helpers
 * end with the socket that the kernel closes then. */
#include "decoder-pool.h"

#include <glib/gi18n.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_HELPERS 16
/* A second is plenty to start; the rest is for a machine that is busy with other things. */
#define START_MS 20000
/* How long a helper may go on with an answer that nobody wants any more. Starting anew costs about
 * as much. */
#define SETTLE_MS 100
#define TIMEOUT_MS 30000
/* A helper that ends before it has said hello is broken, whatever it is asked. After so many of
 * them one after another calls fail at once for a while: a folder of a thousand files is not to
 * start a thousand. */
#define MAX_STILLBORN 3
#define PAUSE_US (2 * G_USEC_PER_SEC)

struct _AppHelper {
  pid_t pid; /* 0: not started */
  DicomRemote *remote;
  gboolean busy, greeted;
  char *path; /* read last */
};

typedef struct {
  GMutex lock;
  GCond freed;
  AppHelper helpers[MAX_HELPERS];
  guint n;
  /* Callers of app_helper_take(), and of app_helper_take_ahead(), in the order in which they came.
   */
  GQueue waiting, waiting_ahead;
  guint n_stillborn;
  gint64 paused_until; /* monotonic */
  char *why;           /* of the last of them */
  gboolean warned;
  AppWarning warn;
} Pool;

static Pool *
the_pool(void)
{
  static gsize once = 0;

  if (g_once_init_enter(&once)) {
    Pool *pool = g_new0(Pool, 1);

    g_mutex_init(&pool->lock);
    g_cond_init(&pool->freed);
    g_queue_init(&pool->waiting);
    g_queue_init(&pool->waiting_ahead);
    pool->n = CLAMP(g_get_num_processors(), 1, MAX_HELPERS);
    g_once_init_leave(&once, (gsize)pool);
  }
  return (Pool *)once;
}

guint
app_decoder_n_helpers(void)
{
  return the_pool()->n;
}

guint
app_helper_timeout_ms(void)
{
  const char *text = g_getenv("HILUM_DECODE_TIMEOUT_MS"); /* for tests */
  guint64 ms = text ? g_ascii_strtoull(text, NULL, 10) : 0;

  return ms > 0 && ms <= G_MAXINT ? (guint)ms : TIMEOUT_MS;
}

DicomRemote *
app_helper_remote(AppHelper *helper)
{
  return helper->remote;
}

void
app_set_warning(AppWarning warn)
{
  Pool *pool = the_pool();

  g_mutex_lock(&pool->lock);
  pool->warn = warn;
  g_mutex_unlock(&pool->lock);
}

/* ---- one helper, which is the caller's ---------------------------------------------------- */

/* Ends the process at once and says how it ended: by itself, if it had. */
static char *
end_helper(AppHelper *helper)
{
  char *how;

  g_clear_pointer(&helper->remote, dicom_remote_free);
  kill(helper->pid, SIGKILL); /* it is not reaped yet, so that the number is still its own */
  how = app_helper_reap(helper->pid);
  helper->pid = 0;
  helper->greeted = FALSE;
  g_clear_pointer(&helper->path, g_free);
  return how;
}

static gboolean
start_helper(AppHelper *helper, GError **error)
{
  int socket;

  if (!app_helper_spawn(&helper->pid, &socket, error)) {
    helper->pid = 0;
    return FALSE;
  }
  helper->remote = dicom_remote_new(socket);
  return TRUE;
}

static void
warn_once(Pool *pool, const DicomSandbox *sandbox)
{
  AppWarning warn;

  g_mutex_lock(&pool->lock);
  warn = pool->warned ? NULL : pool->warn;
  pool->warned = pool->warned || warn;
  g_mutex_unlock(&pool->lock);
  if (warn) {
    g_autofree char *text = g_strdup_printf(
        "images are decoded without a filter of system calls, within limits of memory and time "
        "only (%s)",
        sandbox->note);

    warn(text);
  }
}

static void
note_birth(Pool *pool, const char *why)
{
  g_mutex_lock(&pool->lock);
  pool->n_stillborn = why ? pool->n_stillborn + 1 : 0;
  if (why) {
    g_free(pool->why);
    pool->why = g_strdup(why);
  }
  if (pool->n_stillborn >= MAX_STILLBORN) {
    pool->paused_until = g_get_monotonic_time() + PAUSE_US;
  }
  g_mutex_unlock(&pool->lock);
}

static gboolean
greet_helper(Pool *pool, AppHelper *helper, GError **error)
{
  DicomSandbox sandbox;
  g_autoptr(GError) failure = NULL;
  g_autofree char *how = NULL, *why = NULL;

  dicom_remote_cancel_by(helper->remote, -1);
  if (dicom_remote_greet(helper->remote, &sandbox, START_MS, &failure)) {
    helper->greeted = TRUE;
    note_birth(pool, NULL);
    if (!sandbox.filtered) {
      warn_once(pool, &sandbox);
    }
    return TRUE;
  }
  gboolean gone = dicom_remote_state(helper->remote) == DICOM_REMOTE_GONE;
  how = end_helper(helper);
  why = g_strdup_printf(_("the decoding process did not start: %s"), gone ? how : failure->message);
  note_birth(pool, why);
  g_set_error_literal(error, DICOM_ERROR, DICOM_ERROR_HELPER, why);
  return FALSE;
}

static gboolean
is_paused(Pool *pool, GError **error)
{
  gboolean paused;

  g_mutex_lock(&pool->lock);
  paused = pool->paused_until > g_get_monotonic_time();
  if (paused) {
    g_set_error_literal(error, DICOM_ERROR, DICOM_ERROR_HELPER, pool->why);
  }
  g_mutex_unlock(&pool->lock);
  return paused;
}

/* Running, greeted, and owing no answer. One that ended while nobody asked it anything costs
 * nobody's file. */
static gboolean
make_ready(Pool *pool, AppHelper *helper, GError **error)
{
  if (helper->pid && helper->greeted && !dicom_remote_settle(helper->remote, SETTLE_MS)) {
    g_free(end_helper(helper));
  }
  if (!helper->pid && (is_paused(pool, error) || !start_helper(helper, error))) {
    return FALSE;
  }
  return helper->greeted || greet_helper(pool, helper, error);
}

/* ---- taking and giving -------------------------------------------------------------------- */

/* The best of the free: the one that has the file open, then one that runs and owes nothing, then
 * one to be started. */
static AppHelper *
best_free(Pool *pool, const char *path)
{
  AppHelper *best = NULL;
  int best_score = -1;

  for (guint i = 0; i < pool->n; i++) {
    AppHelper *h = &pool->helpers[i];
    int score;

    if (h->busy) {
      continue;
    }
    score = !h->pid                                 ? 1
            : dicom_remote_owed(h->remote) > 0      ? 0
            : path && g_strcmp0(path, h->path) == 0 ? 3
                                                    : 2;
    if (score > best_score) {
      best = h;
      best_score = score;
    }
  }
  return best;
}

static void
wake_waiting(GCancellable *cancellable, gpointer data)
{
  Pool *pool = data;

  g_mutex_lock(&pool->lock);
  g_cond_broadcast(&pool->freed);
  g_mutex_unlock(&pool->lock);
}

static gboolean
is_next(Pool *pool, gboolean ahead, gconstpointer who)
{
  return g_queue_peek_head(ahead ? &pool->waiting_ahead : &pool->waiting) == who &&
         (!ahead || pool->waiting.length == 0);
}

static AppHelper *
wait_for_free(Pool *pool, gboolean ahead, const char *path, GCancellable *cancellable)
{
  GQueue *queue = ahead ? &pool->waiting_ahead : &pool->waiting;
  gulong handler =
      cancellable ? g_cancellable_connect(cancellable, G_CALLBACK(wake_waiting), pool, NULL) : 0;
  AppHelper *helper = NULL;

  g_mutex_lock(&pool->lock);
  g_queue_push_tail(queue, &helper); /* any address of our own */
  while (!g_cancellable_is_cancelled(cancellable)) {
    helper = is_next(pool, ahead, &helper) ? best_free(pool, path) : NULL;
    if (helper) {
      helper->busy = TRUE;
      break;
    }
    g_cond_wait(&pool->freed, &pool->lock);
  }
  g_queue_remove(queue, &helper);
  g_cond_broadcast(&pool->freed); /* the next in the queue may find another one free */
  g_mutex_unlock(&pool->lock);
  g_cancellable_disconnect(cancellable, handler);
  return helper;
}

static void
put_back(Pool *pool, AppHelper *helper)
{
  g_mutex_lock(&pool->lock);
  helper->busy = FALSE;
  g_cond_broadcast(&pool->freed);
  g_mutex_unlock(&pool->lock);
}

gboolean
app_helper_is_wanted(void)
{
  Pool *pool = the_pool();
  gboolean wanted;

  g_mutex_lock(&pool->lock);
  wanted = pool->waiting.length > 0;
  g_mutex_unlock(&pool->lock);
  return wanted;
}

void
app_helper_set_path(AppHelper *helper, const char *path)
{
  if (g_strcmp0(helper->path, path) != 0) {
    g_free(helper->path);
    helper->path = g_strdup(path);
  }
}

static AppHelper *
take(gboolean ahead, const char *path, GCancellable *cancellable, GError **error)
{
  Pool *pool = the_pool();
  AppHelper *helper;

  if (g_cancellable_set_error_if_cancelled(cancellable, error)) {
    return NULL;
  }
  helper = wait_for_free(pool, ahead, path, cancellable);
  if (!helper) {
    g_cancellable_set_error_if_cancelled(cancellable, error);
    return NULL;
  }
  if (!make_ready(pool, helper, error)) {
    put_back(pool, helper);
    return NULL;
  }
  app_helper_set_path(helper, path);
  if (cancellable) {
    dicom_remote_cancel_by(helper->remote, g_cancellable_get_fd(cancellable));
  }
  return helper;
}

AppHelper *
app_helper_take(const char *path, GCancellable *cancellable, GError **error)
{
  return take(FALSE, path, cancellable, error);
}

AppHelper *
app_helper_take_ahead(const char *path, GCancellable *cancellable, GError **error)
{
  return take(TRUE, path, cancellable, error);
}

void
app_helper_give(AppHelper *helper, const char *path, GCancellable *cancellable, GError **error)
{
  Pool *pool = the_pool();
  DicomRemoteState state = dicom_remote_state(helper->remote);

  if (cancellable) {
    dicom_remote_cancel_by(helper->remote, -1);
    g_cancellable_release_fd(cancellable);
  }
  if (state != DICOM_REMOTE_GOOD) {
    g_autofree char *how = end_helper(helper);

    if (error && *error) {
      g_autofree char *name = g_filename_display_name(path);
      g_autofree char *what = g_strdup((*error)->message);

      g_clear_error(error);
      g_set_error(error, DICOM_ERROR, DICOM_ERROR_HELPER, "%s: %s%s%s%s", name, what,
                  state == DICOM_REMOTE_GONE ? " (" : "", state == DICOM_REMOTE_GONE ? how : "",
                  state == DICOM_REMOTE_GONE ? ")" : "");
    }
  } else if (error && g_error_matches(*error, DICOM_ERROR, DICOM_ERROR_HELPER) &&
             g_cancellable_is_cancelled(cancellable)) {
    g_clear_error(error);
    g_cancellable_set_error_if_cancelled(cancellable, error);
  }
  put_back(pool, helper);
}

/* ---- all of them -------------------------------------------------------------------------- */

void
app_decoder_warm(void)
{
  Pool *pool = the_pool();

  g_mutex_lock(&pool->lock);
  for (guint i = 0; i < pool->n && pool->paused_until <= g_get_monotonic_time(); i++) {
    AppHelper *helper = &pool->helpers[i];

    /* What fails here fails again, and is told, when somebody wants to read. */
    if (!helper->busy && !helper->pid && !start_helper(helper, NULL)) {
      break;
    }
  }
  g_mutex_unlock(&pool->lock);
}

void
app_image_warm(void)
{
  app_decoder_warm();
}

void
app_decoder_stop(void)
{
  Pool *pool = the_pool();

  g_mutex_lock(&pool->lock);
  for (guint i = 0; i < pool->n; i++) {
    AppHelper *helper = &pool->helpers[i];

    while (helper->busy) {
      g_cond_wait(&pool->freed, &pool->lock);
    }
    if (helper->pid) {
      g_free(end_helper(helper));
    }
  }
  g_mutex_unlock(&pool->lock);
}
