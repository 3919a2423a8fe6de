/* verdict-bar.c - what a person makes of an answer: accepted, edited or rejected, by whom and when.
 */
#include "conversation/verdict-bar.h"

#include <glib/gi18n.h>
#include <string.h>

#include "app_trust.h"

struct _DesktopVerdictBar {
  GtkBox parent;

  /* Template widgets. */
  GtkWidget *actions, *accept, *edit, *reject, *editor, *verdict_box, *edited_box;
  GtkImage *verdict_icon;
  GtkLabel *verdict, *edited;
  GtkTextView *text;

  /* Owned. */
  char *answer;
};

G_DEFINE_FINAL_TYPE(DesktopVerdictBar, desktop_verdict_bar, GTK_TYPE_BOX)

enum { JUDGE, N_SIGNALS };
static guint signals[N_SIGNALS];

void
desktop_verdict_bar_set_answer(DesktopVerdictBar *self, const char *answer)
{
  g_free(self->answer);
  self->answer = g_strdup(answer);
}

void
desktop_verdict_bar_set_can_judge(DesktopVerdictBar *self, gboolean can)
{
  gtk_widget_set_visible(self->accept, can);
  gtk_widget_set_visible(self->edit, can);
  gtk_widget_set_visible(self->reject, can);
  if (!can) {
    gtk_widget_set_visible(self->editor, FALSE);
  }
}

void
desktop_verdict_bar_add_action(DesktopVerdictBar *self, GtkWidget *button)
{
  gtk_box_append(GTK_BOX(self->actions), button);
}

const char *
desktop_verdict_bar_get_text(DesktopVerdictBar *self)
{
  return gtk_label_get_text(self->verdict);
}

/* ISO 8601 in UTC as people here read it. */
static char *
local_time(const char *iso)
{
  g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
  g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(iso, utc);
  g_autoptr(GDateTime) local = time ? g_date_time_to_local(time) : NULL;

  return local ? g_date_time_format(local, "%x %H:%M") : g_strdup(iso);
}

static const char *
text_member(JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member(object, name);

  return node && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : "";
}

void
desktop_verdict_bar_take(DesktopVerdictBar *self, JsonObject *verdict)
{
  const char *what = text_member(verdict, "verdict"), *text = text_member(verdict, "text");
  const char *by = text_member(verdict, "by");
  g_autofree char *when = local_time(text_member(verdict, "time")), *line = NULL;
  gboolean is_edited = g_str_equal(what, "edited"), is_rejected = g_str_equal(what, "rejected");

  if (is_edited) {
    line = g_strdup_printf(_("Edited by %s, %s"), by, when);
  } else if (is_rejected) {
    line = g_strdup_printf(_("Rejected by %s, %s"), by, when);
  } else {
    line = g_strdup_printf(_("Accepted by %s, %s"), by, when);
  }
  gtk_label_set_text(self->verdict, line);
  gtk_image_set_from_icon_name(self->verdict_icon, is_edited     ? "document-edit-symbolic"
                                                   : is_rejected ? "process-stop-symbolic"
                                                                 : "object-select-symbolic");
  gtk_label_set_text(self->edited, is_edited ? text : "");
  gtk_widget_set_visible(self->edited_box, is_edited);
  gtk_widget_set_visible(self->verdict_box, TRUE);
  if (is_edited) {
    desktop_verdict_bar_set_answer(self, text);
  }
}

/* ---- hands -------------------------------------------------------------------------------- */

static void
on_accept(DesktopVerdictBar *self)
{
  g_signal_emit(self, signals[JUDGE], 0, (guint)APP_VERDICT_ACCEPTED, NULL);
}

static void
on_reject(DesktopVerdictBar *self)
{
  g_signal_emit(self, signals[JUDGE], 0, (guint)APP_VERDICT_REJECTED, NULL);
}

void
desktop_verdict_bar_edit(DesktopVerdictBar *self)
{
  gtk_text_buffer_set_text(gtk_text_view_get_buffer(self->text), self->answer ? self->answer : "",
                           -1);
  gtk_widget_set_visible(self->editor, TRUE);
  gtk_widget_grab_focus(GTK_WIDGET(self->text));
}

static void
close_editor(DesktopVerdictBar *self)
{
  gtk_widget_set_visible(self->editor, FALSE);
  gtk_widget_grab_focus(self->edit);
}

static void
on_save(DesktopVerdictBar *self)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer(self->text);
  GtkTextIter start, end;
  g_autofree char *text = NULL;

  gtk_text_buffer_get_bounds(buffer, &start, &end);
  text = g_strstrip(gtk_text_buffer_get_text(buffer, &start, &end, FALSE));
  if (*text) {
    close_editor(self);
    g_signal_emit(self, signals[JUDGE], 0, (guint)APP_VERDICT_EDITED, text);
  }
}

/* Escape leaves the editor; it stops no answer meanwhile. */
static gboolean
on_key(DesktopVerdictBar *self, guint key, guint code, GdkModifierType state)
{
  if (key == GDK_KEY_Escape) {
    close_editor(self);
  } else if ((key == GDK_KEY_Return || key == GDK_KEY_KP_Enter) && (state & GDK_CONTROL_MASK)) {
    on_save(self);
  } else {
    return FALSE;
  }
  return TRUE;
}

/* ---- class -------------------------------------------------------------------------------- */

static void
desktop_verdict_bar_finalize(GObject *object)
{
  g_free(DESKTOP_VERDICT_BAR(object)->answer);
  G_OBJECT_CLASS(desktop_verdict_bar_parent_class)->finalize(object);
}

static void
desktop_verdict_bar_class_init(DesktopVerdictBarClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

  G_OBJECT_CLASS(class)->finalize = desktop_verdict_bar_finalize;
  gtk_widget_class_set_template_from_resource(widget_class, "/org/hilum/Hilum/verdict-bar.ui");
  gtk_widget_class_bind_template_child(widget_class, DesktopVerdictBar, accept);
  gtk_widget_class_bind_template_child(widget_class, DesktopVerdictBar, actions);
  gtk_widget_class_bind_template_child(widget_class, DesktopVerdictBar, edit);
  gtk_widget_class_bind_template_child(widget_class, DesktopVerdictBar, reject);
  gtk_widget_class_bind_template_child(widget_class, DesktopVerdictBar, editor);
  gtk_widget_class_bind_template_child(widget_class, DesktopVerdictBar, text);
  gtk_widget_class_bind_template_child(widget_class, DesktopVerdictBar, verdict_box);
  gtk_widget_class_bind_template_child(widget_class, DesktopVerdictBar, verdict_icon);
  gtk_widget_class_bind_template_child(widget_class, DesktopVerdictBar, verdict);
  gtk_widget_class_bind_template_child(widget_class, DesktopVerdictBar, edited_box);
  gtk_widget_class_bind_template_child(widget_class, DesktopVerdictBar, edited);
  gtk_widget_class_bind_template_callback(widget_class, on_accept);
  gtk_widget_class_bind_template_callback(widget_class, on_reject);
  gtk_widget_class_bind_template_callback(widget_class, on_save);
  gtk_widget_class_bind_template_callback(widget_class, close_editor);
  gtk_widget_class_bind_template_callback(widget_class, desktop_verdict_bar_edit);
  signals[JUDGE] = g_signal_new("judge", DESKTOP_TYPE_VERDICT_BAR, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                NULL, G_TYPE_NONE, 2, G_TYPE_UINT, G_TYPE_STRING);
}

static void
desktop_verdict_bar_init(DesktopVerdictBar *self)
{
  GtkEventController *keys = gtk_event_controller_key_new();

  gtk_widget_init_template(GTK_WIDGET(self));
  gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
  g_signal_connect_swapped(keys, "key-pressed", G_CALLBACK(on_key), self);
  gtk_widget_add_controller(GTK_WIDGET(self->text), keys);
}
