/* slice-draw.c - slices at device pixels, at once or on a thread. */
#include "slice-place.h"
#include "slice.h"

#include <glib/gi18n.h>
#include <string.h>

#include "app_presentation.h"

/* 16384 x 8192: two screens of 8K. */
#define MAX_CANVAS ((guint64)1 << 27)

void
app_canvas_free(AppCanvas *canvas)
{
  if (canvas) {
    g_clear_pointer(&canvas->pixels, g_bytes_unref);
    g_free(canvas);
  }
}

/* Four words become three; each is read before it is written over. */
static gsize
pack_words(guint32 *words, gsize n)
{
  guint8 *to = (guint8 *)words;
  gsize i = 0;

  for (; i + 4 <= n; i += 4, to += 12) {
    const guint32 a = words[i], b = words[i + 1], c = words[i + 2], d = words[i + 3];
    const guint32 ra = GUINT32_SWAP_LE_BE(a) >> 8, rb = GUINT32_SWAP_LE_BE(b) >> 8;
    const guint32 rc = GUINT32_SWAP_LE_BE(c) >> 8, rd = GUINT32_SWAP_LE_BE(d) >> 8;
    const guint32 packed[3] = {GUINT32_TO_LE(ra | rb << 24), GUINT32_TO_LE(rb >> 8 | rc << 16),
                               GUINT32_TO_LE(rc >> 16 | rd << 8)};

    memcpy(to, packed, sizeof packed);
  }
  for (; i < n; i++, to += 3) {
    const guint32 word = words[i];

    to[0] = (guint8)(word >> 16);
    to[1] = (guint8)(word >> 8);
    to[2] = (guint8)word;
  }
  return 3 * n;
}

void
app_canvas_pack(AppCanvas *canvas)
{
  gsize n = (gsize)canvas->width * canvas->height, n_bytes;

  if (n > 0) {
    g_return_if_fail(g_bytes_get_size(canvas->pixels) == 4 * n);
    /* No copy: nobody else has them. */
    guint32 *words = g_bytes_unref_to_data(g_steal_pointer(&canvas->pixels), &n_bytes);
    canvas->pixels = g_bytes_new_take(words, pack_words(words, n));
  }
}

/* ---- at once ------------------------------------------------------------------------------ */

/* A series may mix grey and colour; the window of the one says nothing of the other. */
static gboolean
resolve(const AppSlice *slice, const AppWindow *window, DicomWindow *resolved, GError **error)
{
  AppWindow asked = window ? *window : (AppWindow){0};

  if (slice->facts.is_colour) {
    asked.set = FALSE;
  }
  return app_window_resolve(slice->frame, &asked, slice->facts.path, resolved, error);
}

static AppTaps *
taps_of(const AppPlaceAxis *axis, guint first, guint n, gboolean smooth)
{
  return app_taps_new(app_place_on_picture(axis, first), 1 / axis->step, n, axis->n, smooth);
}

static gboolean
fill(const AppEight *eight, const AppPlaceAxis axes[2], gboolean smooth, AppCanvas *canvas,
     GError **error)
{
  guint first[2], n[2];
  gboolean down = axes[0].down;

  for (guint i = 0; i < 2; i++) {
    n[i] = app_place_covered(&axes[i], &first[i]);
  }
  canvas->x = first[down];
  canvas->y = first[!down];
  if (n[0] == 0 || n[1] == 0) {
    canvas->pixels = g_bytes_new(NULL, 0);
    return TRUE;
  }
  canvas->width = n[down];
  canvas->height = n[!down];
  gsize n_bytes = (gsize)n[0] * n[1] * 4;
  g_autofree guint32 *words = g_try_malloc(n_bytes);
  if (!words) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "a canvas of %u x %u pixels needs more memory than there is", n[0], n[1]);
    return FALSE;
  }
  g_autoptr(AppTaps) x = taps_of(&axes[0], first[0], n[0], smooth);
  g_autoptr(AppTaps) y = taps_of(&axes[1], first[1], n[1], smooth);
  app_resample(g_bytes_get_data(eight->pixels, NULL), eight->width, eight->channels, x, y, down,
               words);
  canvas->pixels = g_bytes_new_take(g_steal_pointer(&words), n_bytes);
  return TRUE;
}

static AppCanvas *
draw(AppSlice *slice, const DicomWindow *window, const AppPlacement *placement, GError **error)
{
  g_autoptr(AppCanvas) canvas = g_new0(AppCanvas, 1);
  const AppPlaceAxis axes[2] = {app_place_axis(placement, &slice->facts, FALSE),
                                app_place_axis(placement, &slice->facts, TRUE)};
  AppEight eight;
  gboolean done;

  if ((guint64)placement->width * placement->height > MAX_CANVAS) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "the canvas is %u x %u pixels; expected at most %" G_GUINT64_FORMAT
                " pixels together",
                placement->width, placement->height, MAX_CANVAS);
    return NULL;
  }
  if (!app_slice_eight(slice, window, placement->bare, &eight, error)) {
    return NULL;
  }
  done = fill(&eight, axes, placement->smooth, canvas, error);
  app_eight_clear(&eight);
  return done ? g_steal_pointer(&canvas) : NULL;
}

AppCanvas *
app_slice_draw(AppSlice *slice, const AppWindow *window, const AppPlacement *placement,
               GError **error)
{
  AppPlacement usable = app_placement_usable(placement, &slice->facts);
  DicomWindow resolved;

  return resolve(slice, window, &resolved, error) ? draw(slice, &resolved, &usable, error) : NULL;
}

/* ---- on a thread -------------------------------------------------------------------------- */

void
app_drawn_free(AppDrawn *drawn)
{
  if (drawn) {
    g_clear_pointer(&drawn->slice, app_slice_unref);
    g_clear_pointer(&drawn->canvas, app_canvas_free);
    g_free(drawn->remark);
    g_free(drawn);
  }
}

typedef struct {
  AppStudy *study;
  AppDrawing drawing;
} Job;

static void
job_free(gpointer data)
{
  Job *job = data;

  app_study_unref(job->study);
  g_free(job);
}

/* Where the state cannot be had the image is shown without it, which is said. */
static void
dress(const Job *job, AppDrawn *drawn, GCancellable *cancellable)
{
  const AppDrawing *drawing = &job->drawing;
  g_autoptr(GError) error = NULL;
  AppSlice *look;

  if (drawing->presentation == 0 || drawing->presentation > app_study_n_presentations(job->study)) {
    return;
  }
  if (!app_study_presentation_refers(job->study, drawing->presentation - 1, drawing->series,
                                     drawing->index)) {
    drawn->remark = g_strdup(_("The presentation state is not about this image"));
    return;
  }
  look = app_slice_look(job->study, drawn->slice, drawing->presentation, cancellable, &error);
  if (look) {
    app_slice_unref(drawn->slice);
    drawn->slice = look;
  } else {
    const char *path = app_study_presentation_path(job->study, drawing->presentation - 1);
    gsize n = g_str_has_prefix(error->message, path) ? strlen(path) : 0;

    drawn->remark =
        g_strdup_printf(_("Presentation state not applied: %s"),
                        error->message + (n > 0 && error->message[n] == ':' ? n + 2 : 0));
  }
}

static AppDrawn *
draw_job(const Job *job, GCancellable *cancellable, GError **error)
{
  g_autoptr(AppDrawn) drawn = g_new0(AppDrawn, 1);
  const AppDrawing *drawing = &job->drawing;
  DicomWindow resolved;

  AppPlacement placement = drawing->placement;
  AppWindow window = drawing->window;

  drawn->slice = app_study_slice(job->study, drawing->series, drawing->index, cancellable, error);
  if (!drawn->slice) {
    return NULL;
  }
  dress(job, drawn, cancellable);
  /* A table that was chosen for another image: this one has its own window. */
  if (window.lut > dicom_frame_n_voi_luts(drawn->slice->frame)) {
    window.set = FALSE;
    window.lut = 0;
  }
  if (g_cancellable_set_error_if_cancelled(cancellable, error) ||
      !resolve(drawn->slice, &window, &resolved, error)) {
    return NULL;
  }
  if (drawing->as_stated && drawn->slice->facts.presentation) {
    app_placement_as_stated(&placement, &drawn->slice->facts);
  }
  drawn->window = app_window_of(&resolved);
  drawn->placement = app_placement_usable(&placement, &drawn->slice->facts);
  drawn->canvas = draw(drawn->slice, &resolved, &drawn->placement, error);
  if (!drawn->canvas) {
    return NULL;
  }
  app_canvas_pack(drawn->canvas);
  return g_steal_pointer(&drawn);
}

static void
draw_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  AppDrawn *drawn;

  if (g_task_return_error_if_cancelled(task)) {
    return;
  }
  drawn = draw_job(data, cancellable, &error);
  if (drawn) {
    g_task_return_pointer(task, drawn, (GDestroyNotify)app_drawn_free);
  } else {
    g_task_return_error(task, error);
  }
}

static void
start(AppStudy *study, const AppDrawing *drawing, GTaskThreadFunc run, gpointer tag,
      GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user);
  Job *job = g_new0(Job, 1);

  job->study = app_study_ref(study);
  job->drawing = *drawing;
  g_task_set_source_tag(task, tag);
  g_task_set_task_data(task, job, job_free);
  g_task_run_in_thread(task, run);
}

void
app_study_draw_async(AppStudy *study, const AppDrawing *drawing, GCancellable *cancellable,
                     GAsyncReadyCallback callback, gpointer user)
{
  start(study, drawing, draw_in_thread, app_study_draw_async, cancellable, callback, user);
}

AppDrawn *
app_study_draw_finish(AppStudy *study, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}

/* ---- thumbnails --------------------------------------------------------------------------- */

/* As large as fits into a square: a canvas without black around it. */
static AppCanvas *
draw_thumbnail(const Job *job, GCancellable *cancellable, GError **error)
{
  g_autoptr(AppSlice) slice = NULL;
  AppPlacement placement = job->drawing.placement;
  AppCanvas *canvas;

  slice = app_study_slice(job->study, job->drawing.series, job->drawing.index, cancellable, error);
  if (!slice) {
    return NULL;
  }
  placement.smooth = TRUE;
  app_placement_fit(&placement, &slice->facts);
  canvas = app_slice_draw(slice, NULL, &placement, error);
  if (canvas) {
    app_canvas_pack(canvas);
  }
  return canvas;
}

static void
thumbnail_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  AppCanvas *canvas;

  if (g_task_return_error_if_cancelled(task)) {
    return;
  }
  canvas = draw_thumbnail(data, cancellable, &error);
  if (canvas) {
    g_task_return_pointer(task, canvas, (GDestroyNotify)app_canvas_free);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_study_thumbnail_async(AppStudy *study, guint series, guint size, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user)
{
  const AppSeriesInfo *info = app_study_series(study, series);
  const AppDrawing drawing = {.series = series,
                              .index = info ? info->n_images / 2 : 0,
                              .placement = {.width = size, .height = size}};

  start(study, &drawing, thumbnail_in_thread, app_study_thumbnail_async, cancellable, callback,
        user);
}

AppCanvas *
app_study_thumbnail_finish(AppStudy *study, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}
