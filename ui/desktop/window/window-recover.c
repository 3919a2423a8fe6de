/* window-recover.c - a log that is damaged, or that a newer Hilum wrote: what the window says of
 * it, and how a damaged one is set aside and saved. */
#include <glib/gi18n.h>

#include "app_note.h"
#include "app_recover.h"
#include "window/window-work.h"

gboolean
desktop_window_log_is_faulty(DesktopWindow *self, const GError *error)
{
  const AppLogFault fault = self->options->no_log ? APP_LOG_SOUND : app_log_fault(error);

  if (self->fault != APP_LOG_SOUND || fault == APP_LOG_SOUND) {
    return FALSE;
  }
  self->fault = fault;
  if (fault == APP_LOG_DAMAGED) { /* what a newer one holds is shown */
    desktop_history_set_log(self->history, self->options->log_path, FALSE);
  }
  desktop_window_update_log(self);
  return TRUE;
}

/* ---- recovering ------------------------------------------------------------------------------ */

static gint64
int_of(JsonObject *report, const char *name)
{
  return json_object_get_int_member_with_default(report, name, 0);
}

/* g_free(). */
static char *
words_of(JsonObject *report)
{
  const char *set_aside = json_object_get_string_member_with_default(report, "set_aside", "");
  g_autofree char *name = g_path_get_basename(set_aside);
  const gint64 saved = int_of(report, "events_recovered");
  const gint64 gone = int_of(report, "events_lost") + int_of(report, "events_unreadable");
  g_autofree char *kept =
      g_strdup_printf(ngettext("%d event was saved into a new log, which says where it comes from.",
                               "%d events were saved into a new log, which says where they come "
                               "from.",
                               (gulong)saved),
                      (int)saved);
  g_autofree char *lost = g_strdup_printf(
      ngettext("%d event is lost.", "%d events are lost.", (gulong)gone), (int)gone);

  return g_strdup_printf(_("%s %s\n\nThe damaged log is kept as %s."), kept, lost, name);
}

static void
on_recovered(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(DesktopWork) work = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = app_log_recover_finish(result, &error);
  JsonObject *report = node ? json_node_get_object(node) : NULL;

  if (!desktop_work_end(work)) {
    return;
  }
  if (!report) {
    if (!g_cancellable_is_cancelled(work->cancellable)) {
      desktop_work_tell(work, _("The Log Cannot Be Recovered"), error->message);
    }
    return;
  }
  if (json_object_get_boolean_member(report, "recovered")) {
    g_autofree char *text = words_of(report);
    desktop_work_tell(work, _("The Log Was Recovered"), text);
  }
  app_notes_try_again(work->window->options->notes);
  desktop_window_change_model(work->window);
}

static void
recover(DesktopWindow *self)
{
  DesktopWork *work = desktop_work_new(self, _("Recovering the Log"), _("Events that were saved"));

  app_log_recover_async(self->options->log_path, desktop_work_progress, work, work->cancellable,
                        on_recovered, work);
}

static void
on_confirmed(AdwMessageDialog *dialog, const char *response, DesktopWindow *self)
{
  if (g_str_equal(response, "recover") && !self->closed && !self->loading) {
    recover(self);
  }
}

static void
on_recover(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopWindow *self = DESKTOP_WINDOW(widget);
  GtkWidget *dialog;

  if (self->fault != APP_LOG_DAMAGED || self->loading) {
    return;
  }
  dialog = adw_message_dialog_new(
      GTK_WINDOW(self), _("Set the Damaged Log Aside?"),
      _("All its files get another name and stay as they are. What can be read of them is saved "
        "into a new log, which says of each event how much of it was proved."));
  adw_message_dialog_add_responses(ADW_MESSAGE_DIALOG(dialog), "cancel", _("_Cancel"), "recover",
                                   _("_Recover"), NULL);
  adw_message_dialog_set_default_response(ADW_MESSAGE_DIALOG(dialog), "recover");
  adw_message_dialog_set_close_response(ADW_MESSAGE_DIALOG(dialog), "cancel");
  adw_message_dialog_set_response_appearance(ADW_MESSAGE_DIALOG(dialog), "recover",
                                             ADW_RESPONSE_SUGGESTED);
  gtk_window_set_destroy_with_parent(GTK_WINDOW(dialog), TRUE);
  g_signal_connect_object(dialog, "response", G_CALLBACK(on_confirmed), self, 0);
  gtk_window_present(GTK_WINDOW(dialog));
}

void
desktop_window_recover_class_setup(DesktopWindowClass *window_class)
{
  gtk_widget_class_install_action(GTK_WIDGET_CLASS(window_class), "win.recover-log", NULL,
                                  on_recover);
}
