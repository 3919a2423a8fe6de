/* window-cine.c - runs through a series at the rate that its files say.
 *
 * Where the time is, the image is: one that is late is left out, so that a heart beats as fast as
 * it did.
 */
#include "window/window-private.h"

void
desktop_window_update_play(DesktopWindow *self)
{
  const AppSeriesInfo *info = desktop_window_series_info(self);
  gboolean can_play = info && info->frame_time_ms > 0 && info->n_images > 1;

  gtk_widget_set_visible(GTK_WIDGET(self->play), can_play);
  gtk_button_set_icon_name(self->play, self->playing ? "media-playback-pause-symbolic"
                                                     : "media-playback-start-symbolic");
  gtk_widget_set_tooltip_text(GTK_WIDGET(self->play), self->playing ? "Pause (C)" : "Play (C)");
}

static gboolean
on_tick(GtkWidget *viewer, GdkFrameClock *clock, gpointer data)
{
  DesktopWindow *self = data;
  const AppSeriesInfo *info = desktop_window_series_info(self);
  gint64 now = gdk_frame_clock_get_frame_time(clock);
  double passed;
  guint index;

  if (self->play_start == 0) {
    self->play_start = now;
  }
  passed = (double)(now - self->play_start) / 1000 / info->frame_time_ms;
  index = (guint)(((guint64)passed + self->play_from) % info->n_images);
  if (index != self->index) {
    desktop_window_go_to(self, index, 1);
  }
  return G_SOURCE_CONTINUE;
}

void
desktop_window_pause(DesktopWindow *self)
{
  if (self->playing) {
    gtk_widget_remove_tick_callback(GTK_WIDGET(self->viewer), self->playing);
    self->playing = 0;
    desktop_window_update_play(self);
  }
}

void
desktop_window_play(DesktopWindow *self)
{
  const AppSeriesInfo *info = desktop_window_series_info(self);

  if (self->playing) {
    desktop_window_pause(self);
  } else if (info && info->frame_time_ms > 0 && info->n_images > 1) {
    self->play_from = self->index;
    self->play_start = 0;
    self->playing = gtk_widget_add_tick_callback(GTK_WIDGET(self->viewer), on_tick, self, NULL);
    desktop_window_update_play(self);
  }
}
