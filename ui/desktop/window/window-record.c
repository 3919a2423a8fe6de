/* window-record.c - the log in a window beside, and conversations that leave it. */
#include "window/window-private.h"

#include <glib/gi18n.h>

#include "record/export-dialog.h"

static void
on_conversation(DesktopRecord *record, gint64 id, DesktopWindow *self)
{
  g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, id);
  g_autofree char *title = g_strdup_printf(_("Conversation %s"), number);

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

/* The past conversation that is read, else what was found, can be chosen beside all. */
static void
on_export(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopWindow *self = DESKTOP_WINDOW(widget);
  const gboolean is_read = desktop_conversation_is_past(self->conversation);
  GArray *some = is_read ? g_array_new(FALSE, FALSE, sizeof self->past_id)
                         : desktop_history_dup_found(self->history);

  if (self->options->no_log) {
    g_clear_pointer(&some, g_array_unref);
    desktop_window_toast(self, _("No log is kept, so nothing is remembered."));
    return;
  }
  if (is_read) {
    g_array_append_val(some, self->past_id);
  }
  gtk_window_present(
      GTK_WINDOW(desktop_export_dialog_new(GTK_WINDOW(self), self->options->log_path, some,
                                           is_read ? _("The one shown") : _("Those found"))));
}

void
desktop_window_record_class_setup(DesktopWindowClass *window_class)
{
  GtkWidgetClass *class = GTK_WIDGET_CLASS(window_class);

  gtk_widget_class_install_action(class, "win.log", NULL, on_log);
  gtk_widget_class_install_action(class, "win.export", NULL, on_export);
}
