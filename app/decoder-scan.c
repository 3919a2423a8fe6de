/* decoder-scan.c - the headers of a folder through all helpers at once.
 *
 * One thread for each helper keeps several questions under way, so that neither end waits for the
 * other; the calling thread collects. What belongs to a thread is in its Worker; threads share the
 * list of files, which does not change, the number of the next, and a queue. */
#include "decoder-pool.h"

#include <string.h>
#include <unistd.h>

/* Questions under way in one helper: enough to bridge a change of process, few enough that a helper
 * that somebody else waits for is soon free. */
#define DEPTH 8
#define PROGRESS_US (G_USEC_PER_SEC / 20)

typedef struct {
  guint index;
  DicomInfo *info;
  char *refusal;
  const char *kind; /* of it */
} Header;

typedef struct {
  GPtrArray *files;
  gint next; /* atomic */
  GAsyncQueue *headers;
  GCancellable *stop;
} Shared;

typedef struct {
  Shared *shared;
  AppHelper *helper;   /* NULL: none is taken */
  guint flight[DEPTH]; /* indices of files, in the order of the questions */
  guint n_flight;
  guint again[DEPTH]; /* asked of a helper that died over another file */
  guint n_again;
} Worker;

static void
header_free(gpointer data)
{
  Header *header = data;

  g_clear_pointer(&header->info, dicom_info_free);
  g_free(header->refusal);
  g_free(header);
}

static void
push(Shared *shared, guint index, DicomInfo *info, const GError *error)
{
  Header *header = g_new0(Header, 1);

  header->index = index;
  header->info = info;
  header->refusal = info ? NULL : g_strdup(error ? error->message : "could not be read");
  header->kind = dicom_refusal_kind(error);
  g_async_queue_push(shared->headers, header);
}

/* FALSE: none is left. */
static gboolean
next_file(Worker *worker, guint *index)
{
  Shared *shared = worker->shared;

  if (worker->n_again > 0) {
    *index = worker->again[--worker->n_again];
    return TRUE;
  }
  *index = (guint)g_atomic_int_add(&shared->next, 1);
  return *index < shared->files->len;
}

/* The helper is gone or of no use: the file that it was at is refused, the others are asked again.
 */
static void
lose_helper(Worker *worker, GError *error)
{
  guint lost = worker->flight[0];

  app_helper_give(worker->helper, worker->shared->files->pdata[lost], worker->shared->stop, &error);
  worker->helper = NULL;
  if (worker->n_flight > 0) {
    push(worker->shared, lost, NULL, error);
  }
  for (guint i = worker->n_flight; i > 1; i--) {
    worker->again[worker->n_again++] = worker->flight[i - 1];
  }
  worker->n_flight = 0;
  g_clear_error(&error);
}

static gboolean
is_lost(const Worker *worker)
{
  return dicom_remote_state(app_helper_remote(worker->helper)) != DICOM_REMOTE_GOOD;
}

static void
ask(Worker *worker, guint index)
{
  const char *path = worker->shared->files->pdata[index];
  DicomRemote *remote = app_helper_remote(worker->helper);
  GError *error = NULL;
  int fd = dicom_remote_open(path, &error);

  if (fd < 0) {
    push(worker->shared, index, NULL, error);
    g_clear_error(&error);
    return;
  }
  if (dicom_remote_ask_info(remote, fd, path, app_helper_timeout_ms(), &error)) {
    worker->flight[worker->n_flight++] = index;
  } else if (is_lost(worker)) {
    if (worker->n_flight == 0) {
      worker->flight[worker->n_flight++] = index;
    } else {
      worker->again[worker->n_again++] = index;
    }
    lose_helper(worker, g_steal_pointer(&error));
  } else {
    push(worker->shared, index, NULL, error);
  }
  g_clear_error(&error);
  close(fd);
}

static void
take(Worker *worker)
{
  guint index = worker->flight[0];
  GError *error = NULL;
  DicomInfo *info =
      dicom_remote_take_info(app_helper_remote(worker->helper), worker->shared->files->pdata[index],
                             app_helper_timeout_ms(), &error);

  if (!info && is_lost(worker)) {
    lose_helper(worker, error);
    return;
  }
  push(worker->shared, index, info, error);
  g_clear_error(&error);
  worker->n_flight--;
  memmove(worker->flight, worker->flight + 1, worker->n_flight * sizeof worker->flight[0]);
}

/* FALSE: no helper can be had, and the file is refused. */
static gboolean
have_helper(Worker *worker, guint index)
{
  g_autoptr(GError) error = NULL;

  if (worker->n_flight == 0 && worker->helper && app_helper_is_wanted()) {
    app_helper_give(worker->helper, NULL, worker->shared->stop, NULL);
    worker->helper = NULL;
  }
  if (!worker->helper) {
    worker->helper = app_helper_take(NULL, worker->shared->stop, &error);
  }
  if (!worker->helper) {
    push(worker->shared, index, NULL, error);
  }
  return worker->helper != NULL;
}

static gpointer
work(gpointer data)
{
  Worker worker = {.shared = data};
  Shared *shared = data;
  gboolean more = TRUE;
  guint index;

  while (!g_cancellable_is_cancelled(shared->stop) && (more || worker.n_flight > 0)) {
    gboolean hold = worker.n_flight > 0 && app_helper_is_wanted();

    if (more && !hold && worker.n_flight < DEPTH) {
      more = next_file(&worker, &index);
      if (more && have_helper(&worker, index)) {
        ask(&worker, index);
      }
      continue;
    }
    take(&worker);
    more = more || worker.n_again > 0;
  }
  if (worker.helper) {
    app_helper_give(worker.helper, NULL, shared->stop, NULL);
  }
  return NULL;
}

/* ---- the calling thread ------------------------------------------------------------------- */

typedef struct {
  Shared shared;
  DicomCollector *collector;
  DicomScanProgress progress;
  gpointer user;
  gint64 told; /* when PROGRESS was called last */
  guint done, total;
} Scan;

/* FALSE: stop. */
static gboolean
tell(Scan *scan, guint done, guint total, gboolean now)
{
  gint64 time = g_get_monotonic_time();

  if (scan->progress && (now || time - scan->told >= PROGRESS_US)) {
    scan->told = time;
    if (!scan->progress(done, total, scan->user)) {
      g_cancellable_cancel(scan->shared.stop);
    }
  }
  return !g_cancellable_is_cancelled(scan->shared.stop);
}

static gboolean
on_found(guint done, guint total, gpointer data)
{
  return tell(data, done, 0, FALSE);
}

static void
collect(Scan *scan, const Header *header)
{
  if (header->info) {
    dicom_collector_add(scan->collector, header->info);
  } else {
    dicom_collector_refuse_as(scan->collector, scan->shared.files->pdata[header->index],
                              header->refusal, header->kind);
  }
}

/* FALSE: stopped. */
static gboolean
read_headers(Scan *scan, GPtrArray *files)
{
  guint n_threads = MIN(app_decoder_n_helpers(), files->len);
  g_autofree GThread **threads = g_new0(GThread *, n_threads + 1);
  guint left = files->len;

  scan->shared.files = files;
  scan->shared.next = 0;
  scan->total += files->len;
  for (guint i = 0; i < n_threads; i++) {
    threads[i] = g_thread_new("hilum-scan", work, &scan->shared);
  }
  while (left > 0 && tell(scan, scan->done, scan->total, FALSE)) {
    Header *header = g_async_queue_timeout_pop(scan->shared.headers, PROGRESS_US);

    if (header) {
      collect(scan, header);
      header_free(header);
      scan->done++;
      left--;
    }
  }
  for (guint i = 0; i < n_threads; i++) {
    g_thread_join(threads[i]);
  }
  return left == 0 && tell(scan, scan->done, scan->total, TRUE);
}

static gboolean
run(Scan *scan, const char *const *paths, GError **error)
{
  g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GPtrArray) refused = g_ptr_array_new_with_free_func(g_free);

  if (!dicom_walk(paths, on_found, scan, files, refused, error)) {
    return FALSE;
  }
  for (guint i = 0; i < refused->len; i++) {
    dicom_collector_refuse(scan->collector, NULL, refused->pdata[i]);
  }
  if (!read_headers(scan, files)) {
    return FALSE;
  }
  g_autoptr(GPtrArray) wanted = dicom_collector_wanted(scan->collector);
  return wanted->len == 0 || read_headers(scan, wanted);
}

static void
stop_too(GCancellable *cancellable, gpointer stop)
{
  g_cancellable_cancel(stop);
}

DicomScan *
app_decoder_scan(const char *const *paths, DicomScanProgress progress, gpointer user,
                 GCancellable *cancellable, GError **error)
{
  g_autoptr(DicomCollector) collector = dicom_collector_new();
  g_autoptr(GCancellable) stop = g_cancellable_new();
  g_autoptr(GAsyncQueue) headers = g_async_queue_new_full(header_free);
  Scan scan = {{NULL, 0, headers, stop}, collector, progress, user, 0, 0, 0};
  gulong handler =
      cancellable ? g_cancellable_connect(cancellable, G_CALLBACK(stop_too), stop, NULL) : 0;
  gboolean done = run(&scan, paths, error);

  g_cancellable_disconnect(cancellable, handler);
  if (done) {
    return dicom_collector_finish(g_steal_pointer(&collector));
  }
  if (g_cancellable_is_cancelled(stop)) {
    g_clear_error(error);
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "the scan was cancelled");
  }
  return NULL;
}
