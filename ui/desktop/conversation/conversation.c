/* conversation.c - the talk beside the picture: the turns so far, and the place to ask.
 *
 * The list stays at its end while an answer grows, but only for who was there already: a reader
 * who has scrolled back is not torn away.
 */
#include "conversation/conversation.h"

#include <adwaita.h>

#include "app.h"

struct _DesktopConversation {
  GtkBox parent;

  /* Template widgets. */
  GtkStack *pages, *buttons;
  AdwStatusPage *empty_page;
  GtkListBox *list;
  GtkScrolledWindow *scroller;
  GtkWidget *warnings, *model_box, *model_spinner, *model_error, *describe, *anew, *ask, *stop,
      *away;
  GtkLabel *away_label, *model_label, *subject, *notice, *warnings_label;
  GtkEditable *entry;

  gboolean at_end, can_ask, working, had_text;
  guint going; /* source that scrolls to the end, or 0 */
};

G_DEFINE_FINAL_TYPE(DesktopConversation, desktop_conversation, GTK_TYPE_BOX)

enum { ASK, DESCRIBE, STOP, BEGIN_ANEW, APPROACHED, N_SIGNALS };
static guint signals[N_SIGNALS];

/* ---- the list ----------------------------------------------------------------------------- */

static void
on_scrolled(GtkAdjustment *adjustment, DesktopConversation *self)
{
  double end = gtk_adjustment_get_upper(adjustment) - gtk_adjustment_get_page_size(adjustment);

  /* Not while the end moves on and the list has yet to follow. */
  if (self->going == 0) {
    self->at_end = gtk_adjustment_get_value(adjustment) >= end - 1;
  }
}

static gboolean
go_to_end(gpointer data)
{
  DesktopConversation *self = data;
  GtkAdjustment *adjustment = gtk_scrolled_window_get_vadjustment(self->scroller);

  self->going = 0;
  gtk_adjustment_set_value(adjustment, gtk_adjustment_get_upper(adjustment));
  return G_SOURCE_REMOVE;
}

/* Sizes change while the list is being laid out; scrolling within that would be lost. */
static void
on_resized(GtkAdjustment *adjustment, DesktopConversation *self)
{
  if (self->at_end && self->going == 0) {
    self->going = g_idle_add_full(GDK_PRIORITY_REDRAW + 10, go_to_end, self, NULL);
  }
}

DesktopTurnRow *
desktop_conversation_add_turn(DesktopConversation *self, const char *question, const char *subject)
{
  GtkWidget *row = desktop_turn_row_new(question, subject);

  gtk_list_box_append(self->list, row);
  gtk_stack_set_visible_child_name(self->pages, "turns");
  gtk_editable_set_text(self->entry, "");
  self->at_end = TRUE;
  on_resized(gtk_scrolled_window_get_vadjustment(self->scroller), self);
  return DESKTOP_TURN_ROW(row);
}

void
desktop_conversation_add_divider(DesktopConversation *self, const char *text)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
  GtkWidget *label = gtk_label_new(text);
  GtkWidget *left = gtk_separator_new(GTK_ORIENTATION_HORIZONTAL);
  GtkWidget *right = gtk_separator_new(GTK_ORIENTATION_HORIZONTAL);
  GtkWidget *row = gtk_list_box_row_new();

  gtk_widget_set_hexpand(left, TRUE);
  gtk_widget_set_hexpand(right, TRUE);
  gtk_widget_set_valign(left, GTK_ALIGN_CENTER);
  gtk_widget_set_valign(right, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class(label, "caption");
  gtk_widget_add_css_class(label, "dim-label");
  gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_MIDDLE);
  gtk_box_append(GTK_BOX(box), left);
  gtk_box_append(GTK_BOX(box), label);
  gtk_box_append(GTK_BOX(box), right);
  gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), box);
  gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(row), FALSE);
  gtk_list_box_row_set_selectable(GTK_LIST_BOX_ROW(row), FALSE);
  gtk_widget_set_focusable(row, FALSE);
  gtk_widget_add_css_class(row, "divider");
  gtk_list_box_append(self->list, row);
}

void
desktop_conversation_mark_saved(DesktopConversation *self)
{
  for (GtkWidget *row = gtk_widget_get_first_child(GTK_WIDGET(self->list)); row;
       row = gtk_widget_get_next_sibling(row)) {
    if (DESKTOP_IS_TURN_ROW(row)) {
      desktop_turn_row_set_unsaved(DESKTOP_TURN_ROW(row), NULL);
    }
  }
}

/* ---- the place to ask --------------------------------------------------------------------- */

static gboolean
has_question(DesktopConversation *self)
{
  g_autofree char *text = g_strstrip(g_strdup(gtk_editable_get_text(self->entry)));

  return *text != '\0';
}

static void
update_buttons(DesktopConversation *self)
{
  gboolean ready = self->can_ask && !self->working;

  gtk_widget_set_sensitive(self->ask, ready && has_question(self));
  gtk_widget_set_sensitive(self->describe, ready);
  gtk_widget_set_sensitive(self->anew, !self->working);
  gtk_stack_set_visible_child(self->buttons, self->working ? self->stop : self->ask);
}

void
desktop_conversation_set_state(DesktopConversation *self, gboolean can_ask, gboolean working)
{
  g_return_if_fail(DESKTOP_IS_CONVERSATION(self));
  self->can_ask = can_ask;
  self->working = working;
  update_buttons(self);
}

void
desktop_conversation_set_subject(DesktopConversation *self, const char *text)
{
  gtk_label_set_text(self->subject, text ? text : "");
  gtk_widget_set_visible(GTK_WIDGET(self->subject), text && *text);
}

void
desktop_conversation_set_warnings(DesktopConversation *self, const char *const *sentences)
{
  g_autofree char *text = sentences ? g_strjoinv("\n", (char **)sentences) : NULL;

  gtk_label_set_text(self->warnings_label, text ? text : "");
  gtk_widget_set_visible(self->warnings, text && *text);
}

void
desktop_conversation_set_model_status(DesktopConversation *self, const char *text, gboolean busy,
                                      gboolean failed)
{
  gtk_label_set_text(self->model_label, text ? text : "");
  gtk_widget_set_visible(self->model_box, text != NULL);
  gtk_widget_set_visible(self->model_spinner, busy);
  gtk_spinner_set_spinning(GTK_SPINNER(self->model_spinner), busy);
  gtk_widget_set_visible(self->model_error, failed);
}

void
desktop_conversation_set_away(DesktopConversation *self, const char *host)
{
  g_autofree char *text =
      host ? g_strdup_printf("Pictures and questions are sent to %s", host) : NULL;

  gtk_label_set_text(self->away_label, text ? text : "");
  gtk_widget_set_visible(self->away, text != NULL);
}

void
desktop_conversation_give_back(DesktopConversation *self, const char *question)
{
  if (*gtk_editable_get_text(self->entry) == '\0') {
    gtk_editable_set_text(self->entry, question);
    gtk_editable_set_position(self->entry, -1);
  }
}

void
desktop_conversation_set_logged(DesktopConversation *self, gboolean logged)
{
  adw_status_page_set_description(
      self->empty_page, logged ? "Each question is about the image and the window on the screen. "
                                 "Answers, and what they were asked on, are kept in the log."
                               : "Each question is about the image and the window on the screen. "
                                 "No log is kept.");
}

void
desktop_conversation_focus_entry(DesktopConversation *self)
{
  gtk_widget_grab_focus(GTK_WIDGET(self->entry));
}

GtkEditable *
desktop_conversation_get_entry(DesktopConversation *self)
{
  return self->entry;
}

static void
on_ask(DesktopConversation *self)
{
  g_autofree char *text = g_strstrip(g_strdup(gtk_editable_get_text(self->entry)));

  if (self->can_ask && !self->working && *text) {
    g_signal_emit(self, signals[ASK], 0, text);
  }
}

gboolean
desktop_conversation_is_approached(DesktopConversation *self)
{
  GtkWidget *entry = GTK_WIDGET(self->entry);

  return (gtk_widget_get_state_flags(entry) & GTK_STATE_FLAG_FOCUS_WITHIN) || has_question(self);
}

static void
on_typed(DesktopConversation *self)
{
  gboolean has_text = has_question(self);

  if (has_text && !self->had_text) {
    g_signal_emit(self, signals[APPROACHED], 0);
  }
  self->had_text = has_text;
  update_buttons(self);
}

static void
on_focused(DesktopConversation *self)
{
  g_signal_emit(self, signals[APPROACHED], 0);
}

static void
on_describe(DesktopConversation *self)
{
  g_signal_emit(self, signals[DESCRIBE], 0);
}

static void
on_stop(DesktopConversation *self)
{
  g_signal_emit(self, signals[STOP], 0);
}

static void
on_anew(DesktopConversation *self)
{
  g_signal_emit(self, signals[BEGIN_ANEW], 0);
}

/* ---- class -------------------------------------------------------------------------------- */

static void
bind_template(GtkWidgetClass *class)
{
  gtk_widget_class_set_template_from_resource(class, "/org/hilum/Hilum/conversation.ui");
  gtk_widget_class_bind_template_child(class, DesktopConversation, pages);
  gtk_widget_class_bind_template_child(class, DesktopConversation, buttons);
  gtk_widget_class_bind_template_child(class, DesktopConversation, empty_page);
  gtk_widget_class_bind_template_child(class, DesktopConversation, list);
  gtk_widget_class_bind_template_child(class, DesktopConversation, scroller);
  gtk_widget_class_bind_template_child(class, DesktopConversation, model_box);
  gtk_widget_class_bind_template_child(class, DesktopConversation, model_spinner);
  gtk_widget_class_bind_template_child(class, DesktopConversation, model_error);
  gtk_widget_class_bind_template_child(class, DesktopConversation, model_label);
  gtk_widget_class_bind_template_child(class, DesktopConversation, describe);
  gtk_widget_class_bind_template_child(class, DesktopConversation, anew);
  gtk_widget_class_bind_template_child(class, DesktopConversation, ask);
  gtk_widget_class_bind_template_child(class, DesktopConversation, stop);
  gtk_widget_class_bind_template_child(class, DesktopConversation, subject);
  gtk_widget_class_bind_template_child(class, DesktopConversation, away);
  gtk_widget_class_bind_template_child(class, DesktopConversation, away_label);
  gtk_widget_class_bind_template_child(class, DesktopConversation, notice);
  gtk_widget_class_bind_template_child(class, DesktopConversation, warnings);
  gtk_widget_class_bind_template_child(class, DesktopConversation, warnings_label);
  gtk_widget_class_bind_template_child(class, DesktopConversation, entry);
  gtk_widget_class_bind_template_callback(class, on_ask);
  gtk_widget_class_bind_template_callback(class, on_describe);
  gtk_widget_class_bind_template_callback(class, on_stop);
  gtk_widget_class_bind_template_callback(class, on_anew);
  gtk_widget_class_bind_template_callback(class, on_typed);
}

static void
desktop_conversation_dispose(GObject *object)
{
  DesktopConversation *self = DESKTOP_CONVERSATION(object);

  g_clear_handle_id(&self->going, g_source_remove);
  G_OBJECT_CLASS(desktop_conversation_parent_class)->dispose(object);
}

static void
desktop_conversation_class_init(DesktopConversationClass *class)
{
  const GType type = DESKTOP_TYPE_CONVERSATION;

  G_OBJECT_CLASS(class)->dispose = desktop_conversation_dispose;
  bind_template(GTK_WIDGET_CLASS(class));
  signals[ASK] = g_signal_new("ask", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                              G_TYPE_STRING);
  signals[DESCRIBE] =
      g_signal_new("describe", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[STOP] =
      g_signal_new("stop", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[BEGIN_ANEW] =
      g_signal_new("begin-anew", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[APPROACHED] =
      g_signal_new("approached", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
desktop_conversation_init(DesktopConversation *self)
{
  GtkEventController *focus = gtk_event_controller_focus_new();
  GtkAdjustment *adjustment;

  gtk_widget_init_template(GTK_WIDGET(self));
  gtk_label_set_text(self->notice, APP_NOTICE);
  adjustment = gtk_scrolled_window_get_vadjustment(self->scroller);
  g_signal_connect_object(adjustment, "value-changed", G_CALLBACK(on_scrolled), self, 0);
  g_signal_connect_object(adjustment, "changed", G_CALLBACK(on_resized), self, 0);
  g_signal_connect_swapped(focus, "enter", G_CALLBACK(on_focused), self);
  gtk_widget_add_controller(GTK_WIDGET(self->entry), focus);
  self->at_end = TRUE;
  update_buttons(self);
}
