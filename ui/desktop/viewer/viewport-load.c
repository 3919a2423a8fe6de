/* viewport-load.c - what a viewport asks of app.
 *
 * One drawing is under way at a time, and only the newest wish waits: a fast wheel or drag skips
 * what nobody would see. Each drawing that arrives is shown, so that a drag moves even when it
 * outruns the drawing.
 */
#include "viewer/viewport-private.h"

#include <glib/gi18n.h>

/* Hands that go farther at once go on in no direction. */
#define MAX_STEPS 10

typedef struct {
  DesktopViewport *viewport; /* owned */
  GCancellable *cancellable; /* tells which study it was for */
  AppDrawing drawing;
} Request;

static void
request_free(Request *request)
{
  GApplication *application = g_application_get_default();

  g_object_unref(request->viewport);
  g_object_unref(request->cancellable);
  g_free(request);
  if (application) {
    g_application_release(application);
  }
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Request, request_free)

const AppSeriesInfo *
desktop_viewport_get_info(DesktopViewport *self)
{
  g_return_val_if_fail(DESKTOP_IS_VIEWPORT(self), NULL);
  return self->study && self->series < app_study_n_series(self->study)
             ? app_study_series(self->study, self->series)
             : NULL;
}

guint
desktop_viewport_get_series(DesktopViewport *self)
{
  return desktop_viewport_get_info(self) ? self->series : G_MAXUINT;
}

guint
desktop_viewport_get_index(DesktopViewport *self)
{
  g_return_val_if_fail(DESKTOP_IS_VIEWPORT(self), 0);
  return self->index;
}

/* ---- arriving ----------------------------------------------------------------------------- */

void
desktop_viewport_clear_shown(DesktopViewport *self)
{
  g_clear_pointer(&self->drawn, app_drawn_free);
  g_clear_object(&self->texture);
  g_clear_pointer(&self->error, g_free);
  self->drafted = self->selected = 0;
  desktop_viewport_describe_soon(self);
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
show(DesktopViewport *self, AppDrawn *drawn, const AppDrawing *drawing)
{
  const AppCanvas *canvas = drawn->canvas;

  if (self->drawn_series != drawing->series || self->drawn_index != drawing->index) {
    self->drafted = self->selected = 0;
  }
  g_clear_pointer(&self->error, g_free);
  g_clear_pointer(&self->drawn, app_drawn_free);
  g_clear_object(&self->texture);
  self->drawn = drawn;
  self->drawn_series = drawing->series;
  self->drawn_index = drawing->index;
  self->drawn_window = drawing->window;
  /* Hands go on from how the state has laid it. */
  if (drawing->as_stated && self->as_stated) {
    const AppSliceFacts *facts = app_slice_facts(drawn->slice);

    self->placement = drawn->placement;
    if (!facts->presentation || !facts->has_area) {
      self->placement.scale = self->placement.x = self->placement.y = 0;
    }
  }
  desktop_viewport_count_presentations(self);
  if (canvas->width > 0 && canvas->height > 0) {
    self->texture =
        gdk_memory_texture_new((int)canvas->width, (int)canvas->height, GDK_MEMORY_R8G8B8,
                               canvas->pixels, (gsize)canvas->width * 3);
  }
  desktop_viewport_describe_soon(self);
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

/* The old picture must not stand where another was asked for. */
static void
show_error(DesktopViewport *self, const char *message)
{
  const AppSeriesInfo *info = desktop_viewport_get_info(self);

  desktop_viewport_clear_shown(self);
  self->error = g_strdup_printf(_("Image %u of %u cannot be shown\n\n%s"), self->index + 1,
                                info ? info->n_images : 0, message);
}

static void
on_drawn(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Request) request = data;
  g_autoptr(GError) error = NULL;
  DesktopViewport *self = request->viewport;
  AppDrawn *drawn = app_study_draw_finish(self->study, result, &error);

  if (request->cancellable != self->cancellable) {
    g_clear_pointer(&drawn, app_drawn_free);
    return;
  }
  self->busy = FALSE;
  if (drawn) {
    show(self, drawn, &request->drawing);
  } else if (!self->again) {
    show_error(self, error->message);
  }
  if (self->again) {
    desktop_viewport_request(self);
  }
  desktop_viewport_emit(self, CHANGED);
}

/* ---- asking ------------------------------------------------------------------------------- */

void
desktop_viewport_request(DesktopViewport *self)
{
  GtkWidget *widget = GTK_WIDGET(self);
  int scale = gtk_widget_get_scale_factor(widget);
  int width = gtk_widget_get_width(widget) * scale, height = gtk_widget_get_height(widget) * scale;
  GApplication *application = g_application_get_default();
  Request *request;

  self->again = self->busy;
  if (self->busy || !desktop_viewport_get_info(self) || width <= 0 || height <= 0) {
    return;
  }
  self->busy = TRUE;
  self->placement.width = (guint)width;
  self->placement.height = (guint)height;
  request = g_new0(Request, 1);
  request->viewport = g_object_ref(self);
  request->cancellable = g_object_ref(self->cancellable);
  request->drawing = (AppDrawing){.series = self->series,
                                  .index = self->index,
                                  .window = self->window,
                                  .placement = self->placement,
                                  .presentation = self->presentation,
                                  .as_stated = self->as_stated};
  /* A closed window is no longer the application's, and its jobs still are to be finished. */
  if (application) {
    g_application_hold(application);
  }
  app_study_draw_async(self->study, &request->drawing, self->cancellable, on_drawn, request);
}

void
desktop_viewport_set_window(DesktopViewport *self, const AppWindow *window)
{
  g_return_if_fail(DESKTOP_IS_VIEWPORT(self));
  self->window = *window;
  desktop_viewport_request(self);
}

void
desktop_viewport_set_placement(DesktopViewport *self, const AppPlacement *placement)
{
  AppPlacement before;

  g_return_if_fail(DESKTOP_IS_VIEWPORT(self));
  before = self->placement;
  self->as_stated = FALSE;
  self->placement = *placement;
  self->placement.turns %= 4;
  self->placement.smooth = before.smooth;
  self->placement.bare = before.bare;
  desktop_viewport_request(self);
}

/* ---- images ------------------------------------------------------------------------------- */

void
desktop_viewport_forget(DesktopViewport *self)
{
  if (self->cancellable) {
    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
  }
  self->busy = self->again = FALSE;
  self->study = NULL;
  self->series = G_MAXUINT;
  self->index = self->presentation = 0;
  self->as_stated = self->has_cursor = FALSE;
  desktop_viewport_clear_shown(self);
}

void
desktop_viewport_set_study(DesktopViewport *self, AppStudy *study)
{
  g_return_if_fail(DESKTOP_IS_VIEWPORT(self));
  desktop_viewport_pause(self);
  desktop_viewport_forget(self);
  if (study) {
    self->study = study;
    self->cancellable = g_cancellable_new();
  }
  desktop_viewport_emit(self, CHANGED);
}

void
desktop_viewport_set_series(DesktopViewport *self, guint series, guint index)
{
  const AppSeriesInfo *info;

  g_return_if_fail(DESKTOP_IS_VIEWPORT(self));
  desktop_viewport_pause(self);
  self->series = series;
  self->window = (AppWindow){0};
  desktop_viewport_straighten(self);
  self->presentation = 0;
  self->as_stated = FALSE;
  self->rate = 0;
  info = desktop_viewport_get_info(self);
  self->index = info ? MIN(index, info->n_images - 1) : 0;
  g_object_notify(G_OBJECT(self), "invert");
  g_object_notify(G_OBJECT(self), "presentation");
  if (info) {
    desktop_viewport_request(self);
  } else {
    desktop_viewport_clear_shown(self);
    desktop_viewport_emit(self, CHANGED);
  }
  desktop_viewport_emit(self, CINE);
}

void
desktop_viewport_follow(DesktopViewport *self, guint index)
{
  const AppSeriesInfo *info = desktop_viewport_get_info(self);

  if (info && self->index != MIN(index, info->n_images - 1)) {
    self->index = MIN(index, info->n_images - 1);
    desktop_viewport_request(self);
  }
}

void
desktop_viewport_go_to(DesktopViewport *self, guint index, int direction)
{
  const AppSeriesInfo *info = desktop_viewport_get_info(self);

  if (info) {
    self->index = MIN(index, info->n_images - 1);
    app_study_focus(self->study, self->series, self->index, direction);
    desktop_viewport_request(self);
    desktop_viewport_emit_moved(self, direction);
  }
}

void
desktop_viewport_step(DesktopViewport *self, int steps)
{
  const AppSeriesInfo *info = desktop_viewport_get_info(self);
  gint64 index;

  if (!info) {
    return;
  }
  desktop_viewport_pause(self);
  index = CLAMP((gint64)self->index + steps, 0, (gint64)info->n_images - 1);
  if (index != self->index) {
    gboolean is_jump = steps > MAX_STEPS || steps < -MAX_STEPS;

    desktop_viewport_go_to(self, (guint)index, is_jump ? 0 : steps > 0 ? 1 : -1);
  }
}
