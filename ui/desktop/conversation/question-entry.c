/* question-entry.c - where a question is written: Enter asks, Shift+Enter begins a new line. */
#include "conversation/question-entry.h"

#include <glib/gi18n.h>

/* About five lines; a longer question scrolls. */
#define MAX_HEIGHT 112

struct _DesktopQuestionEntry {
  GtkBox parent;

  GtkTextView *view;
  GtkLabel *placeholder;
};

G_DEFINE_FINAL_TYPE(DesktopQuestionEntry, desktop_question_entry, GTK_TYPE_BOX)

enum { ACTIVATE, CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

char *
desktop_question_entry_dup_text(DesktopQuestionEntry *self)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer(self->view);
  GtkTextIter start, end;

  gtk_text_buffer_get_bounds(buffer, &start, &end);
  return g_strstrip(gtk_text_buffer_get_text(buffer, &start, &end, FALSE));
}

void
desktop_question_entry_set_text(DesktopQuestionEntry *self, const char *text)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer(self->view);
  GtkTextIter end;

  gtk_text_buffer_set_text(buffer, text, -1);
  gtk_text_buffer_get_end_iter(buffer, &end);
  gtk_text_buffer_place_cursor(buffer, &end);
}

void
desktop_question_entry_set_placeholder(DesktopQuestionEntry *self, const char *text)
{
  gtk_label_set_text(self->placeholder, text);
}

void
desktop_question_entry_focus(DesktopQuestionEntry *self)
{
  gtk_widget_grab_focus(GTK_WIDGET(self->view));
}

GtkTextView *
desktop_question_entry_get_view(DesktopQuestionEntry *self)
{
  return self->view;
}

gboolean
desktop_question_entry_take_key(DesktopQuestionEntry *self, GtkEventControllerKey *controller)
{
  GdkEvent *event = gtk_event_controller_get_current_event(GTK_EVENT_CONTROLLER(controller));
  guint32 letter;

  if (!event || (gdk_event_get_modifier_state(event) & (GDK_CONTROL_MASK | GDK_ALT_MASK))) {
    return FALSE;
  }
  letter = gdk_keyval_to_unicode(gdk_key_event_get_keyval(event));
  if (letter <= ' ' || !g_unichar_isprint(letter)) {
    return FALSE;
  }
  desktop_question_entry_focus(self);
  return gtk_event_controller_key_forward(controller, GTK_WIDGET(self->view));
}

static gboolean
on_key(GtkEventControllerKey *keys, guint key, guint code, GdkModifierType state,
       DesktopQuestionEntry *self)
{
  const GdkModifierType others = GDK_SHIFT_MASK | GDK_CONTROL_MASK | GDK_ALT_MASK;
  gboolean is_enter = key == GDK_KEY_Return || key == GDK_KEY_KP_Enter || key == GDK_KEY_ISO_Enter;
  GdkEvent *event = gtk_event_controller_get_current_event(GTK_EVENT_CONTROLLER(keys));

  if (!is_enter || (state & others)) {
    return FALSE;
  }
  /* Enter may be meant for an input method that is in the middle of a word. */
  if (!event || !gtk_text_view_im_context_filter_keypress(self->view, event)) {
    g_signal_emit(self, signals[ACTIVATE], 0);
  }
  return TRUE;
}

static void
on_changed(GtkTextBuffer *buffer, DesktopQuestionEntry *self)
{
  gtk_widget_set_visible(GTK_WIDGET(self->placeholder),
                         gtk_text_buffer_get_char_count(buffer) == 0);
  g_signal_emit(self, signals[CHANGED], 0);
}

static void
desktop_question_entry_class_init(DesktopQuestionEntryClass *class)
{
  const GType type = DESKTOP_TYPE_QUESTION_ENTRY;

  gtk_widget_class_set_css_name(GTK_WIDGET_CLASS(class), "question-entry");
  signals[ACTIVATE] =
      g_signal_new("activate", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[CHANGED] =
      g_signal_new("changed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static GtkTextView *
view_new(DesktopQuestionEntry *self)
{
  GtkTextView *view = GTK_TEXT_VIEW(gtk_text_view_new());
  GtkEventController *keys = gtk_event_controller_key_new();

  gtk_text_view_set_wrap_mode(view, GTK_WRAP_WORD_CHAR);
  gtk_text_view_set_accepts_tab(view, FALSE);
  gtk_text_view_set_left_margin(view, 9);
  gtk_text_view_set_right_margin(view, 9);
  gtk_text_view_set_top_margin(view, 8);
  gtk_text_view_set_bottom_margin(view, 8);
  gtk_accessible_update_property(GTK_ACCESSIBLE(view), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Question"),
                                 GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                 _("Enter asks, Shift and Enter begins a new line"),
                                 GTK_ACCESSIBLE_PROPERTY_MULTI_LINE, TRUE, -1);
  gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
  g_signal_connect(keys, "key-pressed", G_CALLBACK(on_key), self);
  gtk_widget_add_controller(GTK_WIDGET(view), keys);
  g_signal_connect(gtk_text_view_get_buffer(view), "changed", G_CALLBACK(on_changed), self);
  return view;
}

static void
desktop_question_entry_init(DesktopQuestionEntry *self)
{
  GtkWidget *scroller = gtk_scrolled_window_new(), *overlay = gtk_overlay_new();

  self->view = view_new(self);
  self->placeholder = GTK_LABEL(gtk_label_new(NULL));
  gtk_label_set_ellipsize(self->placeholder, PANGO_ELLIPSIZE_END);
  gtk_widget_set_halign(GTK_WIDGET(self->placeholder), GTK_ALIGN_START);
  gtk_widget_set_valign(GTK_WIDGET(self->placeholder), GTK_ALIGN_START);
  gtk_widget_set_can_target(GTK_WIDGET(self->placeholder), FALSE);
  gtk_widget_set_margin_start(GTK_WIDGET(self->placeholder), 9);
  gtk_widget_set_margin_end(GTK_WIDGET(self->placeholder), 9);
  gtk_widget_set_margin_top(GTK_WIDGET(self->placeholder), 8);
  gtk_widget_add_css_class(GTK_WIDGET(self->placeholder), "dim-label");
  /* A bar would need the height of two lines. */
  gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER,
                                 GTK_POLICY_EXTERNAL);
  gtk_scrolled_window_set_propagate_natural_height(GTK_SCROLLED_WINDOW(scroller), TRUE);
  gtk_scrolled_window_set_max_content_height(GTK_SCROLLED_WINDOW(scroller), MAX_HEIGHT);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), GTK_WIDGET(self->view));
  gtk_overlay_set_child(GTK_OVERLAY(overlay), scroller);
  gtk_overlay_add_overlay(GTK_OVERLAY(overlay), GTK_WIDGET(self->placeholder));
  gtk_widget_set_hexpand(overlay, TRUE);
  gtk_box_append(GTK_BOX(self), overlay);
  gtk_widget_set_overflow(GTK_WIDGET(self), GTK_OVERFLOW_HIDDEN);
}
