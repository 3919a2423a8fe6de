/* output.c - pictures that leave the program, encoded and written off the main thread. */
#include "app_output.h"

#include <math.h>

#include "private.h"

typedef struct {
  AppOutput output; /* owns what it points at */
  char *path;
} Job;

static void
job_free(gpointer data)
{
  Job *job = data;

  g_clear_pointer(&job->output.slice, app_slice_unref);
  g_clear_pointer(&job->output.pixels, g_bytes_unref);
  g_free(job->path);
  g_free(job);
}

static Job *
job_new(const AppOutput *output, const char *path)
{
  Job *job = g_new0(Job, 1);

  job->output = *output;
  if (output->pixels) {
    job->output.slice = NULL;
    g_bytes_ref(output->pixels);
  } else {
    app_slice_ref(output->slice);
  }
  job->path = g_strdup(path);
  return job;
}

/* Pixel for pixel, so that nothing is resampled, but where pixels are not square. */
static AppCanvas *
draw_slice(const AppOutput *output, GError **error)
{
  const AppSliceFacts *facts = app_slice_facts(output->slice);
  gboolean is_square = !(fabs(facts->pixel_aspect - 1) > 1e-6);
  double height = is_square ? facts->height : ceil(facts->height * facts->pixel_aspect);
  AppPlacement placement = {.width = facts->width,
                            .height = (guint)CLAMP(height, 1, G_MAXUINT16),
                            .scale = 1,
                            .x = facts->width / 2.0,
                            .y = facts->height / 2.0,
                            .turns = output->turns % 4,
                            .flip = output->flip,
                            .bare = TRUE,
                            .smooth = !is_square};

  if (placement.turns % 2) {
    guint width = placement.width;
    placement.width = placement.height;
    placement.height = width;
  }
  return app_slice_draw(output->slice, &output->window, &placement, error);
}

static AppCanvas *
draw(const AppOutput *output, GError **error)
{
  AppCanvas *canvas;

  if (!output->pixels) {
    return draw_slice(output, error);
  }
  if (g_bytes_get_size(output->pixels) != (gsize)output->width * output->height * 4) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "a picture of %u x %u pixels has %" G_GSIZE_FORMAT " bytes, expected four a pixel",
                output->width, output->height, g_bytes_get_size(output->pixels));
    return NULL;
  }
  canvas = g_new0(AppCanvas, 1);
  *canvas = (AppCanvas){0, 0, output->width, output->height, g_bytes_ref(output->pixels)};
  return canvas;
}

static GBytes *
encode(const AppCanvas *canvas, GError **error)
{
  g_autoptr(DicomPicture) picture = NULL;
  const guint32 *from = g_bytes_get_data(canvas->pixels, NULL);
  gsize n = (gsize)canvas->width * canvas->height;
  guint8 *to;

  if (n == 0) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_ARGUMENT, "there is no picture");
    return NULL;
  }
  picture = dicom_picture_new(canvas->width, canvas->height);
  to = picture->pixels;
  for (gsize i = 0; i < n; i++, to += 3) {
    to[0] = (guint8)(from[i] >> 16);
    to[1] = (guint8)(from[i] >> 8);
    to[2] = (guint8)from[i];
  }
  return dicom_picture_png(picture, error);
}

static void
canvas_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Job *job = data;
  GError *error = NULL;
  AppCanvas *canvas = draw(&job->output, &error);

  if (canvas) {
    g_task_return_pointer(task, canvas, (GDestroyNotify)app_canvas_free);
  } else {
    g_task_return_error(task, error);
  }
}

static void
png_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Job *job = data;
  GError *error = NULL;
  g_autoptr(AppCanvas) canvas = draw(&job->output, &error);
  g_autoptr(GBytes) png = canvas ? encode(canvas, &error) : NULL;
  gsize n = 0;
  const void *bytes = png ? g_bytes_get_data(png, &n) : NULL;

  if (png && (!job->path || app_file_write(job->path, bytes, n, &error))) {
    g_task_return_pointer(task, g_steal_pointer(&png), (GDestroyNotify)g_bytes_unref);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_output_canvas_async(const AppOutput *output, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user);

  g_task_set_source_tag(task, app_output_canvas_async);
  g_task_set_task_data(task, job_new(output, NULL), job_free);
  g_task_run_in_thread(task, canvas_in_thread);
}

AppCanvas *
app_output_canvas_finish(GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}

void
app_output_png_async(const AppOutput *output, const char *path, GCancellable *cancellable,
                     GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user);

  g_task_set_source_tag(task, app_output_png_async);
  g_task_set_task_data(task, job_new(output, path), job_free);
  g_task_run_in_thread(task, png_in_thread);
}

GBytes *
app_output_png_finish(GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}
