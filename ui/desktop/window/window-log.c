/* window-log.c - the log that cannot be opened, or is not as it was signed: what the window says of
 * it, and the verification. */
#include <glib/gi18n.h>

#include "app_note.h"
#include "app_proof.h"
#include "app_secrets.h"
#include "record/proof-words.h"
#include "settings/passphrase.h"
#include "window/window-work.h"

/* ---- the bar under the header ---------------------------------------------------------------- */

/* TEXT NULL: nothing is the matter. */
static void
set_bar(DesktopWindow *self, const char *text, const char *button, const char *action)
{
  gtk_label_set_text(self->log_text, text ? text : "");
  gtk_button_set_label(self->log_button, button ? button : "");
  gtk_actionable_set_action_name(GTK_ACTIONABLE(self->log_button), action);
  gtk_widget_set_visible(self->log_bar, text != NULL);
}

void
desktop_window_update_log(DesktopWindow *self)
{
  const char *trouble = self->review ? app_review_log_trouble(self->review) : NULL;
  g_autofree char *text =
      trouble ? g_strdup_printf(_("The log is not as it was signed: %s"), trouble) : NULL;
  const gboolean kept = !self->options->no_log && !self->locked && self->fault == APP_LOG_SOUND;

  if (self->fault == APP_LOG_DAMAGED) {
    set_bar(self, _("The log is damaged. What is asked now is kept nowhere."), _("_Set Aside…"),
            "win.recover-log");
  } else if (self->fault == APP_LOG_NEWER) {
    set_bar(self,
            _("A newer Hilum wrote the log. What it holds is shown, and what is asked now is kept "
              "nowhere."),
            _("_Verify…"), "win.verify-log");
  } else if (self->untold && !self->locked && !trouble) {
    set_bar(self, self->untold, _("_Try Again"), "win.retry-notes");
  } else if (self->locked) {
    set_bar(self, _("The log is locked. What is asked now is kept nowhere."), _("_Unlock…"),
            "win.unlock-log");
  } else {
    set_bar(self, text, _("_Verify…"), "win.verify-log");
  }
  desktop_conversation_set_logged(self->conversation, kept);
}

/* ---- without its passphrase ------------------------------------------------------------------ */

gboolean
desktop_window_log_is_locked(DesktopWindow *self, const GError *error)
{
  if (self->locked || self->options->no_log || !app_log_is_locked(error)) {
    return FALSE;
  }
  self->locked = TRUE;
  desktop_history_set_log(self->history, self->options->log_path, FALSE);
  desktop_window_update_log(self);
  return TRUE;
}

static void
on_unlock(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopWindow *self = DESKTOP_WINDOW(widget);

  if (self->locked && !self->loading) {
    desktop_passphrase_again();
    app_notes_try_again(self->options->notes);
    desktop_window_change_model(self);
  }
}

/* ---- verification -----------------------------------------------------------------------------
 */

static void
on_verified(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(DesktopWork) work = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = app_log_job_finish(result, &error);
  const gboolean cancelled = g_cancellable_is_cancelled(work->cancellable);

  if (!desktop_work_end(work)) {
    return;
  }
  if (node) {
    JsonObject *report = json_node_get_object(node);
    g_autofree char *text = desktop_proof_words(report);
    desktop_work_tell(work, desktop_proof_title(report), text);
  } else if (!cancelled) {
    desktop_work_tell(work, _("The Log Cannot Be Verified"), error->message);
  }
}

static void
on_verify(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopWindow *self = DESKTOP_WINDOW(widget);
  DesktopWork *work;

  if (self->options->no_log) {
    desktop_window_toast(self, _("No log is kept, so nothing is remembered."));
    return;
  }
  work = desktop_work_new(self, _("Verifying the Log"), _("Events that were looked at"));
  app_log_verify_async(self->options->log_path, desktop_work_progress, work, work->cancellable,
                       on_verified, work);
}

void
desktop_window_log_class_setup(DesktopWindowClass *window_class)
{
  GtkWidgetClass *class = GTK_WIDGET_CLASS(window_class);

  gtk_widget_class_bind_template_child(class, DesktopWindow, log_bar);
  gtk_widget_class_bind_template_child(class, DesktopWindow, log_text);
  gtk_widget_class_bind_template_child(class, DesktopWindow, log_button);
  gtk_widget_class_install_action(class, "win.unlock-log", NULL, on_unlock);
  gtk_widget_class_install_action(class, "win.verify-log", NULL, on_verify);
}
