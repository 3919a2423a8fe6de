/* study.c - what the window shows: the series of a file or folder, and their pictures.
 *
 * Decoded frames are kept in a cache that is limited in bytes, because numbers of images say
 * nothing: one mammogram is as big as a hundred CT slices. `lock` guards the cache alone; decoding
 * goes on without it, so that one slow frame does not hold up the others.
 */

#include "decoder.h"
#include "private.h"

#define CACHE_BYTES ((gsize)512 << 20)

typedef struct {
  AppSeriesInfo info;  /* first: handed out */
  DicomSeries *series; /* borrowed from the scan */
  guint *starts;       /* starts[i]: images before item i */
} Series;

typedef struct {
  char *key;
  DicomFrame *frame;
} Cached;

struct _AppStudy {
  gint n_refs; /* atomic */
  DicomScan *scan;
  GPtrArray *series; /* of Series */
  char *refused;

  GMutex lock;
  GQueue recent;      /* of Cached, newest first */
  GHashTable *frames; /* key -> GList link in RECENT */
  gsize n_bytes;
};

/* ---- opening ------------------------------------------------------------------------------ */

static void
cached_free(Cached *cached)
{
  g_free(cached->key);
  dicom_frame_unref(cached->frame);
  g_free(cached);
}

static void
series_free(gpointer data)
{
  Series *series = data;

  g_free(series->info.title);
  g_free(series->info.subtitle);
  g_free(series->info.modality);
  g_free(series->starts);
  g_free(series);
}

static void
study_unref(AppStudy *study)
{
  if (!g_atomic_int_dec_and_test(&study->n_refs)) {
    return;
  }
  g_clear_pointer(&study->frames, g_hash_table_unref);
  for (GList *l = study->recent.head; l; l = l->next) {
    cached_free(l->data);
  }
  g_queue_clear(&study->recent);
  g_clear_pointer(&study->series, g_ptr_array_unref);
  g_clear_pointer(&study->scan, dicom_scan_free);
  g_free(study->refused);
  g_mutex_clear(&study->lock);
  g_free(study);
}

static AppStudy *
study_ref(AppStudy *study)
{
  g_atomic_int_inc(&study->n_refs);
  return study;
}

void
app_study_free(AppStudy *study)
{
  if (study) {
    study_unref(study);
  }
}

static char *
series_title(const DicomSeries *series)
{
  if (series->series_description && *series->series_description) {
    return g_strdup(series->series_description);
  }
  if (series->series_number > 0) {
    return g_strdup_printf("Series %d", series->series_number);
  }
  if (series->items->len > 0) {
    const DicomSeriesItem *item = series->items->pdata[0];
    return g_path_get_basename(item->path);
  }
  return g_strdup("Series");
}

static Series *
series_new(DicomSeries *from)
{
  Series *series = g_new0(Series, 1);
  guint n = from->items->len;
  guint total = 0;

  series->series = from;
  series->starts = g_new(guint, n + 1);
  for (guint i = 0; i < n; i++) {
    const DicomSeriesItem *item = from->items->pdata[i];
    series->starts[i] = total;
    total += MIN(MAX(item->frames, 1), G_MAXINT - total);
  }
  series->starts[n] = total;
  series->info.title = series_title(from);
  series->info.modality = g_strdup(from->modality ? from->modality : "");
  series->info.n_images = total;
  series->info.subtitle =
      g_strdup_printf("%s%s%u image%s", series->info.modality, *series->info.modality ? " · " : "",
                      total, total == 1 ? "" : "s");
  return series;
}

static char *
refused_text(GPtrArray *refused)
{
  GString *text = g_string_new(NULL);

  for (guint i = 0; i < refused->len; i++) {
    g_string_append_printf(text, "%s%s", i > 0 ? "\n" : "", (const char *)refused->pdata[i]);
  }
  return g_string_free(text, FALSE);
}

static AppStudy *
open_study(const char *path, GCancellable *cancellable, GError **error)
{
  const char *const paths[] = {path, NULL};
  g_autoptr(DicomScan) scan = app_decoder_scan(paths, NULL, NULL, cancellable, error);
  AppStudy *study;

  if (g_cancellable_is_cancelled(cancellable)) {
    g_clear_error(error);
    g_cancellable_set_error_if_cancelled(cancellable, error);
    return NULL;
  }
  if (!scan) {
    return NULL;
  }
  if (scan->series->len == 0) {
    g_autofree char *why = refused_text(scan->refused);
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: no image to show%s%s", path,
                *why ? "; " : "", why);
    return NULL;
  }
  study = g_new0(AppStudy, 1);
  study->n_refs = 1;
  g_mutex_init(&study->lock);
  g_queue_init(&study->recent);
  study->frames = g_hash_table_new(g_str_hash, g_str_equal);
  study->series = g_ptr_array_new_with_free_func(series_free);
  study->scan = g_steal_pointer(&scan);
  study->refused = refused_text(study->scan->refused);
  for (guint i = 0; i < study->scan->series->len; i++) {
    g_ptr_array_add(study->series, series_new(study->scan->series->pdata[i]));
  }
  return study;
}

AppStudy *
app_study_open(const char *path, GError **error)
{
  return open_study(path, NULL, error);
}

static void
open_in_thread(GTask *task, gpointer source, gpointer path, GCancellable *cancellable)
{
  GError *error = NULL;
  AppStudy *study = open_study(path, cancellable, &error);

  if (study) {
    g_task_return_pointer(task, study, (GDestroyNotify)app_study_free);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_study_open_async(const char *path, GCancellable *cancellable, GAsyncReadyCallback callback,
                     gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user);

  g_task_set_source_tag(task, app_study_open_async);
  g_task_set_task_data(task, g_strdup(path), g_free);
  g_task_run_in_thread(task, open_in_thread);
}

AppStudy *
app_study_open_finish(GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}

guint
app_study_n_series(AppStudy *study)
{
  return study->series->len;
}

const AppSeriesInfo *
app_study_series(AppStudy *study, guint series)
{
  const Series *s;

  g_return_val_if_fail(series < study->series->len, NULL);
  s = study->series->pdata[series];
  return &s->info;
}

const char *
app_study_refused(AppStudy *study, guint *n_refused)
{
  if (n_refused) {
    *n_refused = study->scan->refused->len;
  }
  return study->refused;
}

/* ---- frames ------------------------------------------------------------------------------- */

static DicomFrame *
cache_find(AppStudy *study, const char *key)
{
  DicomFrame *frame = NULL;
  GList *link;

  g_mutex_lock(&study->lock);
  link = g_hash_table_lookup(study->frames, key);
  if (link) {
    Cached *cached = link->data;
    g_queue_unlink(&study->recent, link);
    g_queue_push_head_link(&study->recent, link);
    frame = dicom_frame_ref(cached->frame);
  }
  g_mutex_unlock(&study->lock);
  return frame;
}

static void
cache_drop_last(AppStudy *study)
{
  Cached *last = g_queue_pop_tail(&study->recent);

  g_hash_table_remove(study->frames, last->key);
  study->n_bytes -= dicom_frame_bytes(last->frame);
  cached_free(last);
}

static void
cache_keep(AppStudy *study, const char *key, DicomFrame *frame)
{
  gsize n_bytes = dicom_frame_bytes(frame);

  g_mutex_lock(&study->lock);
  if (n_bytes <= CACHE_BYTES && !g_hash_table_contains(study->frames, key)) {
    Cached *cached = g_new(Cached, 1);
    cached->key = g_strdup(key);
    cached->frame = dicom_frame_ref(frame);
    while (study->n_bytes > CACHE_BYTES - n_bytes) {
      cache_drop_last(study);
    }
    g_queue_push_head(&study->recent, cached);
    g_hash_table_insert(study->frames, cached->key, study->recent.head);
    study->n_bytes += n_bytes;
  }
  g_mutex_unlock(&study->lock);
}

static DicomFrame *
read_frame(AppStudy *study, const char *path, guint frame, GError **error)
{
  g_autofree char *key = g_strdup_printf("%u %s", frame, path);
  DicomFrame *found = cache_find(study, key);

  if (found) {
    return found;
  }
  found = app_decoder_frame(path, frame, NULL, NULL, error);
  if (found) {
    cache_keep(study, key, found);
  }
  return found;
}

/* ---- views -------------------------------------------------------------------------------- */

/* Which item of SERIES image INDEX lies in: the last one that starts at or before it. */
static guint
find_item(const Series *series, guint index)
{
  guint low = 0, high = series->series->items->len;

  while (high - low > 1) {
    guint middle = low + (high - low) / 2;
    if (series->starts[middle] <= index) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

static void
describe_window(AppView *view, const DicomWindow *window)
{
  gboolean has_numbers = window->voi != DICOM_VOI_NONE && window->voi != DICOM_VOI_LUT;

  view->window.set = has_numbers;
  /* Where a drag starts when a table, not a window, made the picture. */
  view->window.center = has_numbers ? window->center : (view->low + view->high) / 2;
  view->window.width = has_numbers ? window->width : MAX(view->high - view->low, 1);
}

static AppPicture *
take_picture(DicomPicture *from)
{
  AppPicture *picture = g_new(AppPicture, 1);

  *picture = (AppPicture){from->width, from->height, g_steal_pointer(&from->pixels)};
  dicom_picture_free(from);
  return picture;
}

AppView *
app_study_view(AppStudy *study, guint series, guint index, const AppWindow *window, GError **error)
{
  const Series *s;
  const DicomSeriesItem *item;
  g_autoptr(DicomFrame) frame = NULL;
  DicomWindow resolved;
  DicomPicture *rendered;
  AppView *view;
  guint at, stored;

  g_return_val_if_fail(series < study->series->len, NULL);
  s = study->series->pdata[series];
  g_return_val_if_fail(index < s->info.n_images, NULL);
  at = find_item(s, index);
  item = s->series->items->pdata[at];
  stored = dicom_series_item_frame(item, index - s->starts[at]);
  frame = read_frame(study, item->path, stored, error);
  if (!frame) {
    return NULL;
  }
  /* A series may mix grey and colour; the window of the one says nothing of the other. */
  if (!app_window_resolve(frame, dicom_frame_is_colour(frame) ? NULL : window, item->path,
                          &resolved, error)) {
    return NULL;
  }
  rendered = dicom_frame_render(frame, &resolved, error);
  if (!rendered) {
    return NULL;
  }
  view = g_new0(AppView, 1);
  view->picture = take_picture(rendered);
  view->path = g_strdup(item->path);
  view->frame = stored;
  view->is_colour = dicom_frame_is_colour(frame);
  if (!view->is_colour) {
    dicom_frame_range(frame, &view->low, &view->high);
    describe_window(view, &resolved);
  }
  view->label = g_strdup_printf("%s%s%u/%u", s->info.modality, *s->info.modality ? " " : "",
                                index + 1, s->info.n_images);
  return view;
}

void
app_picture_free(AppPicture *picture)
{
  if (picture) {
    g_free(picture->pixels);
    g_free(picture);
  }
}

void
app_view_free(AppView *view)
{
  if (view) {
    app_picture_free(view->picture);
    g_free(view->path);
    g_free(view->label);
    g_free(view);
  }
}

typedef struct {
  AppStudy *study;
  guint series, index;
  AppWindow window; /* not set: the file's own */
} ViewJob;

static void
view_job_free(gpointer data)
{
  ViewJob *job = data;

  study_unref(job->study);
  g_free(job);
}

static void
view_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  ViewJob *job = data;
  GError *error = NULL;
  AppView *view;

  if (g_task_return_error_if_cancelled(task)) {
    return;
  }
  view = app_study_view(job->study, job->series, job->index, &job->window, &error);
  if (view) {
    g_task_return_pointer(task, view, (GDestroyNotify)app_view_free);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_study_view_async(AppStudy *study, guint series, guint index, const AppWindow *window,
                     GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user);
  ViewJob *job = g_new0(ViewJob, 1);

  job->study = study_ref(study);
  job->series = series;
  job->index = index;
  if (window) {
    job->window = *window;
  }
  g_task_set_source_tag(task, app_study_view_async);
  g_task_set_task_data(task, job, view_job_free);
  g_task_run_in_thread(task, view_in_thread);
}

AppView *
app_study_view_finish(AppStudy *study, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}
