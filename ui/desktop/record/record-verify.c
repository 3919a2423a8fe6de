/* record-verify.c - the log is verified within its window: how far that is, and what was found.
 *
 * 1. One verification runs at a time (`verifying`), under the bar that tells of it; afterwards the
 *    bar holds what was found until it is closed.
 * 2. The newest one alone speaks: who was cancelled says nothing any more.
 */
#include "record/record-private.h"

#include <glib/gi18n.h>

#include "app_proof.h"
#include "record/proof-words.h"

typedef struct {
  DesktopRecord *self;
  GCancellable *cancellable; /* tells whether it is the newest */
} Verifying;

static void
verifying_free(Verifying *verifying)
{
  g_object_unref(verifying->cancellable);
  g_object_unref(verifying->self);
  g_free(verifying);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Verifying, verifying_free)

/* ---- the bar -------------------------------------------------------------------------------- */

typedef enum { RUNS, WHOLE, CHANGED, UNKNOWN } State;

static void
set_bar(DesktopRecord *self, State state, const char *title, const char *text)
{
  static const char *const icons[] = {[RUNS] = "content-loading-symbolic",
                                      [WHOLE] = "emblem-ok-symbolic",
                                      [CHANGED] = "dialog-error-symbolic",
                                      [UNKNOWN] = "dialog-warning-symbolic"};
  static const char *const classes[] = {
      [RUNS] = "runs", [WHOLE] = "whole", [CHANGED] = "changed", [UNKNOWN] = "unknown"};

  for (guint i = 0; i < G_N_ELEMENTS(classes); i++) {
    gtk_widget_remove_css_class(self->proof_bar, classes[i]);
  }
  gtk_widget_add_css_class(self->proof_bar, classes[state]);
  gtk_image_set_from_icon_name(self->proof_icon, icons[state]);
  gtk_label_set_text(self->proof_title, title);
  gtk_label_set_text(self->proof_text, text);
  gtk_widget_set_visible(GTK_WIDGET(self->proof_text), *text != '\0');
  gtk_widget_set_visible(GTK_WIDGET(self->proof_progress), state == RUNS);
  gtk_widget_set_visible(self->proof_show, state == CHANGED && self->proof_first > 0);
  gtk_button_set_label(self->proof_stop, state == RUNS ? _("_Cancel") : _("_Close"));
  gtk_widget_set_visible(self->proof_bar, TRUE);
}

static gboolean
on_progress(guint64 done, guint64 total, gpointer user)
{
  Verifying *verifying = user;
  DesktopRecord *self = verifying->self;
  g_autofree char *number = NULL, *all = NULL, *text = NULL;

  if (self->verifying == verifying->cancellable && total > 0) {
    number = g_strdup_printf("%" G_GUINT64_FORMAT, done);
    all = g_strdup_printf("%" G_GUINT64_FORMAT, total);
    text = g_strdup_printf(_("%s of %s events"), number, all);
    gtk_progress_bar_set_fraction(self->proof_progress, (double)done / (double)total);
    gtk_label_set_text(self->proof_text, text);
    gtk_widget_set_visible(GTK_WIDGET(self->proof_text), TRUE);
  }
  return self->verifying == verifying->cancellable;
}

static void
on_verified(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Verifying) verifying = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = app_log_job_finish(result, &error);
  DesktopRecord *self = verifying->self;

  if (self->verifying != verifying->cancellable) {
    return;
  }
  g_clear_object(&self->verifying);
  gtk_widget_action_set_enabled(GTK_WIDGET(self), "record.verify", TRUE);
  if (node) {
    JsonObject *report = json_node_get_object(node);
    const gboolean whole = json_object_get_boolean_member(report, "whole");
    g_autofree char *text = desktop_proof_words(report);

    self->proof_first = json_object_get_int_member(report, "first");
    set_bar(self, whole ? WHOLE : CHANGED, desktop_proof_title(report), text);
  } else {
    set_bar(self, UNKNOWN, _("The Log Cannot Be Verified"), error->message);
  }
}

/* ---- hands ---------------------------------------------------------------------------------- */

static void
on_verify(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopRecord *self = DESKTOP_RECORD(widget);
  Verifying *verifying;

  if (self->verifying) {
    return;
  }
  self->verifying = g_cancellable_new();
  self->proof_first = 0;
  verifying = g_new0(Verifying, 1);
  verifying->self = g_object_ref(self);
  verifying->cancellable = g_object_ref(self->verifying);
  gtk_progress_bar_set_fraction(self->proof_progress, 0);
  set_bar(self, RUNS, _("Verifying the Log"), "");
  gtk_widget_action_set_enabled(widget, "record.verify", FALSE);
  app_log_verify_async(self->path, on_progress, verifying, self->verifying, on_verified, verifying);
}

void
desktop_record_stop_verifying(DesktopRecord *self)
{
  if (self->verifying) {
    g_cancellable_cancel(self->verifying);
    g_clear_object(&self->verifying);
  }
}

static void
on_stop(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopRecord *self = DESKTOP_RECORD(widget);

  desktop_record_stop_verifying(self);
  gtk_widget_action_set_enabled(widget, "record.verify", TRUE);
  gtk_widget_set_visible(self->proof_bar, FALSE);
}

static void
on_show_first(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopRecord *self = DESKTOP_RECORD(widget);

  if (self->proof_first > 0) {
    desktop_record_go_to(self, self->proof_first);
  }
}

void
desktop_record_verify_class_setup(DesktopRecordClass *class)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

  gtk_widget_class_bind_template_child(widget, DesktopRecord, proof_bar);
  gtk_widget_class_bind_template_child(widget, DesktopRecord, proof_icon);
  gtk_widget_class_bind_template_child(widget, DesktopRecord, proof_title);
  gtk_widget_class_bind_template_child(widget, DesktopRecord, proof_text);
  gtk_widget_class_bind_template_child(widget, DesktopRecord, proof_progress);
  gtk_widget_class_bind_template_child(widget, DesktopRecord, proof_show);
  gtk_widget_class_bind_template_child(widget, DesktopRecord, proof_stop);
  gtk_widget_class_install_action(widget, "record.verify", NULL, on_verify);
  gtk_widget_class_install_action(widget, "record.stop-verifying", NULL, on_stop);
  gtk_widget_class_install_action(widget, "record.show-first", NULL, on_show_first);
}
