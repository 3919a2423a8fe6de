/* window-work.c - see window-work.h. */
#include <glib/gi18n.h>

#include "window/window-work.h"

DesktopWork *
desktop_work_new(DesktopWindow *self, const char *title, const char *what)
{
  DesktopWork *work = g_new0(DesktopWork, 1);

  desktop_window_begin_job(self);
  work->window = self;
  work->cancellable = g_cancellable_new();
  g_set_weak_pointer(&work->dialog, adw_message_dialog_new(GTK_WINDOW(self), title, NULL));
  adw_message_dialog_add_response(ADW_MESSAGE_DIALOG(work->dialog), "cancel", _("_Cancel"));
  work->bar = gtk_progress_bar_new();
  gtk_accessible_update_property(GTK_ACCESSIBLE(work->bar), GTK_ACCESSIBLE_PROPERTY_LABEL, what,
                                 -1);
  adw_message_dialog_set_extra_child(ADW_MESSAGE_DIALOG(work->dialog), work->bar);
  g_signal_connect_object(work->dialog, "response", G_CALLBACK(g_cancellable_cancel),
                          work->cancellable, G_CONNECT_SWAPPED);
  gtk_window_set_destroy_with_parent(GTK_WINDOW(work->dialog), TRUE);
  gtk_window_present(GTK_WINDOW(work->dialog));
  return work;
}

void
desktop_work_free(DesktopWork *work)
{
  g_clear_weak_pointer(&work->dialog);
  g_object_unref(work->cancellable);
  desktop_window_end_job(work->window);
  g_free(work);
}

gboolean
desktop_work_progress(guint64 done, guint64 total, gpointer user)
{
  DesktopWork *work = user;

  if (work->dialog) {
    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(work->bar),
                                  MIN((double)done / (double)total, 1.0));
  }
  return TRUE;
}

gboolean
desktop_work_end(DesktopWork *work)
{
  if (work->dialog) {
    GtkWidget *dialog = work->dialog;
    g_clear_weak_pointer(&work->dialog); /* it does not cancel what is over */
    gtk_window_destroy(GTK_WINDOW(dialog));
  }
  return !work->window->closed;
}

void
desktop_work_tell(DesktopWork *work, const char *title, const char *text)
{
  GtkWidget *dialog = adw_message_dialog_new(GTK_WINDOW(work->window), title, text);

  adw_message_dialog_add_response(ADW_MESSAGE_DIALOG(dialog), "close", _("_Close"));
  gtk_window_present(GTK_WINDOW(dialog));
}
