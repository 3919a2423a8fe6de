/* window-record.c - the log in a window beside, and its conversations in the window. */
#include "window/window-private.h"

#include <glib/gi18n.h>

static void
on_conversation(DesktopRecord *record, gint64 id, DesktopWindow *self)
{
  g_autofree char *title = g_strdup_printf(_("Conversation %" G_GINT64_FORMAT), id);

  desktop_window_open_past(self, id, title);
  gtk_window_present(GTK_WINDOW(self));
}

static void
on_log(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopWindow *self = DESKTOP_WINDOW(widget);

  if (self->options->no_log) {
    desktop_window_toast(self, _("No log is kept, so nothing is remembered."));
    return;
  }
  if (!self->record) {
    self->record = desktop_record_new(GTK_WINDOW(self), self->options->log_path);
    g_object_add_weak_pointer(G_OBJECT(self->record), (gpointer *)&self->record);
    g_signal_connect_object(self->record, "conversation", G_CALLBACK(on_conversation), self, 0);
  }
  gtk_window_present(GTK_WINDOW(self->record));
}

void
desktop_window_record_class_setup(DesktopWindowClass *window_class)
{
  GtkWidgetClass *class = GTK_WIDGET_CLASS(window_class);

  gtk_widget_class_install_action(class, "win.log", NULL, on_log);
}
