/* window-model.c - another model in the present one's place. */
#include <glib/gi18n.h>

#include "window/window-private.h"

/* What runs may hold the review, so the change waits for the last job's end. */
void
desktop_window_change_model(DesktopWindow *self)
{
  if (self->closed) {
    return;
  }
  self->model_changes = TRUE;
  if (self->n_jobs > 0) {
    return;
  }
  self->model_changes = FALSE;
  if (self->review) {
    gtk_widget_activate_action(GTK_WIDGET(self), "win.new-conversation", NULL);
    g_clear_pointer(&self->review, app_review_free);
  }
  self->locked = FALSE;
  self->fault = APP_LOG_SOUND;
  desktop_window_update_log(self);
  /* Another log may be named as well. */
  desktop_history_set_log(self->history, self->options->log_path, !self->options->no_log);
  desktop_window_load_model(self);
  desktop_window_update_asking(self);
}
