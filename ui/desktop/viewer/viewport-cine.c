/* viewport-cine.c - runs through a series.
 *
 * Where the time is, the image is: one that is late is left out, so that a heart beats as fast as
 * it did.
 */
#include "viewer/viewport-private.h"

/* Of a stack that is no cine: a pace that eyes can follow. */
#define USUAL_RATE 10.0
#define LEAST_RATE 1.0
#define MOST_RATE 60.0

gboolean
desktop_viewport_can_play(DesktopViewport *self)
{
  const AppSeriesInfo *info = desktop_viewport_get_info(self);

  return info && info->n_images > 1;
}

gboolean
desktop_viewport_is_playing(DesktopViewport *self)
{
  g_return_val_if_fail(DESKTOP_IS_VIEWPORT(self), FALSE);
  return self->ticking != 0;
}

double
desktop_viewport_get_rate(DesktopViewport *self)
{
  const AppSeriesInfo *info = desktop_viewport_get_info(self);
  double rate = self->rate > 0                    ? self->rate
                : info && info->frame_time_ms > 0 ? 1000 / info->frame_time_ms
                                                  : USUAL_RATE;

  return CLAMP(rate, LEAST_RATE, MOST_RATE);
}

/* From here on, so that the rate can change meanwhile. */
static void
restart(DesktopViewport *self)
{
  self->play_from = self->index;
  self->play_start = 0;
}

void
desktop_viewport_set_rate(DesktopViewport *self, double rate)
{
  g_return_if_fail(DESKTOP_IS_VIEWPORT(self));
  rate = CLAMP(rate, LEAST_RATE, MOST_RATE);
  if (rate != desktop_viewport_get_rate(self)) {
    self->rate = rate;
    restart(self);
    desktop_viewport_emit(self, CINE);
  }
}

static gboolean
on_tick(GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
  DesktopViewport *self = DESKTOP_VIEWPORT(widget);
  const AppSeriesInfo *info = desktop_viewport_get_info(self);
  gint64 now = gdk_frame_clock_get_frame_time(clock);
  double passed;
  guint index;

  if (self->play_start == 0) {
    self->play_start = now;
  }
  passed = (double)(now - self->play_start) / G_USEC_PER_SEC * desktop_viewport_get_rate(self);
  index = (guint)(((guint64)passed + self->play_from) % info->n_images);
  if (index != self->index) {
    desktop_viewport_go_to(self, index, 1);
  }
  return G_SOURCE_CONTINUE;
}

void
desktop_viewport_pause(DesktopViewport *self)
{
  g_return_if_fail(DESKTOP_IS_VIEWPORT(self));
  if (self->ticking) {
    gtk_widget_remove_tick_callback(GTK_WIDGET(self), self->ticking);
    self->ticking = 0;
    desktop_viewport_emit(self, CINE);
  }
}

void
desktop_viewport_play(DesktopViewport *self)
{
  g_return_if_fail(DESKTOP_IS_VIEWPORT(self));
  if (!self->ticking && desktop_viewport_can_play(self)) {
    restart(self);
    self->ticking = gtk_widget_add_tick_callback(GTK_WIDGET(self), on_tick, NULL, NULL);
    desktop_viewport_emit(self, CINE);
  }
}
