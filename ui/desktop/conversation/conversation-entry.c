/* conversation-entry.c - the place to ask: the entry, its buttons, suggestions. */
#include <glib/gi18n.h>
#include <string.h>

#include "conversation/conversation-private.h"

/* So many of the suggestions stand on the empty page. */
#define STARTERS 3

static gboolean
has_question(DesktopConversation *self)
{
  g_autofree char *text = desktop_question_entry_dup_text(self->entry);

  return *text != '\0';
}

/* ---- suggestions --------------------------------------------------------------------------- */

static void
on_starter(GtkButton *button, DesktopConversation *self)
{
  desktop_conversation_suggested(self, gtk_button_get_label(button));
}

static void
add_starter(DesktopConversation *self, const char *question)
{
  GtkWidget *button = gtk_button_new_with_label(question);
  GtkWidget *label = gtk_button_get_child(GTK_BUTTON(button));

  if (strcmp(_(question), question) != 0) {
    gtk_widget_set_tooltip_text(button, _(question));
    gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                   _(question), -1);
  }
  gtk_label_set_wrap(GTK_LABEL(label), TRUE);
  gtk_label_set_justify(GTK_LABEL(label), GTK_JUSTIFY_CENTER);
  gtk_widget_add_css_class(button, "starter");
  g_signal_connect_object(button, "clicked", G_CALLBACK(on_starter), self, 0);
  gtk_box_append(GTK_BOX(self->starters), button);
}

static void
update_suggestions(DesktopConversation *self)
{
  g_autoptr(GPtrArray) images = desktop_conversation_images(self);
  gboolean several = images->len + (desktop_conversation_adds(self) ? 1 : 0) > 1;
  const char *const *questions =
      self->about
          ? desktop_question_suggestions(self->about->modality, self->about->body_part, several)
          : NULL;
  g_autoptr(GMenu) menu = NULL, section = NULL;
  /* Translators: of suggested questions, which are English in every language */
  const char *heading = _("English, as the model reads it");
  GtkWidget *child;

  if (questions == self->suggestions) {
    return;
  }
  self->suggestions = questions;
  menu = g_menu_new();
  section = g_menu_new();
  while ((child = gtk_widget_get_first_child(self->starters))) {
    gtk_box_remove(GTK_BOX(self->starters), child);
  }
  for (guint i = 0; questions && questions[i]; i++) {
    g_autoptr(GMenuItem) item = g_menu_item_new(questions[i], NULL);
    g_menu_item_set_action_and_target(item, "conversation.suggest", "s", questions[i]);
    g_menu_append_item(section, item);
    if (i < STARTERS) {
      add_starter(self, questions[i]);
    }
  }
  g_menu_append_section(menu,
                        questions && strcmp(_(questions[0]), questions[0]) != 0 ? heading : NULL,
                        G_MENU_MODEL(section));
  gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(self->suggest), G_MENU_MODEL(menu));
}

/* ---- state --------------------------------------------------------------------------------- */

void
desktop_conversation_update_entry(DesktopConversation *self)
{
  gboolean is_live = desktop_conversation_shows_live(self);
  gboolean ready = self->can_ask && !self->working && (is_live || self->editing);
  gboolean follows = self->about && desktop_conversation_knows(self, self->about, G_MAXUINT);

  update_suggestions(self);
  gtk_widget_set_sensitive(self->ask, ready && has_question(self));
  gtk_widget_set_sensitive(self->describe, ready && !self->editing);
  gtk_widget_set_sensitive(self->suggest, ready && !self->editing);
  gtk_widget_set_sensitive(self->starters, ready);
  gtk_widget_set_visible(self->starters, self->suggestions != NULL);
  gtk_widget_set_sensitive(self->anew, !self->working && self->live->len > 0);
  gtk_widget_set_visible(self->earlier_box, !is_live && !self->editing);
  gtk_widget_set_sensitive(self->go_on_here, self->can_ask && !self->working && !is_live &&
                                                 desktop_conversation_shown_id(self) != 0);
  gtk_widget_set_visible(self->editing_box, self->editing != NULL);
  gtk_stack_set_visible_child(self->buttons, self->working ? self->stop : self->ask);
  desktop_question_entry_set_placeholder(self->entry, follows ? _("Ask a follow-up question")
                                                              : _("Ask about this image"));
}

void
desktop_conversation_edit_turn(DesktopConversation *self, DesktopTurnRow *row)
{
  g_set_object(&self->editing, row);
  if (row) {
    desktop_question_entry_set_text(self->entry, desktop_turn_row_get_question(row));
    desktop_question_entry_focus(self->entry);
  }
  desktop_conversation_update_chips(self);
  desktop_conversation_update_entry(self);
}

/* ---- hands --------------------------------------------------------------------------------- */

static void
ask_text(DesktopConversation *self, const char *text)
{
  DesktopTurnRow *row;

  if (!self->can_ask || self->working || !*text) {
    return;
  }
  if (self->editing) {
    row = g_steal_pointer(&self->editing);
    desktop_conversation_emit(self, DESKTOP_CONVERSATION_ASK_AGAIN, row, text);
    g_object_unref(row);
    desktop_conversation_update(self);
  } else if (desktop_conversation_shows_live(self)) {
    desktop_conversation_emit(self, DESKTOP_CONVERSATION_ASK, text);
  }
}

void
desktop_conversation_on_ask(DesktopConversation *self)
{
  g_autofree char *text = desktop_question_entry_dup_text(self->entry);

  ask_text(self, text);
}

void
desktop_conversation_suggested(DesktopConversation *self, const char *question)
{
  ask_text(self, question);
}

static void
on_typed(DesktopConversation *self)
{
  gboolean has_text = has_question(self);

  if (has_text && !self->had_text) {
    desktop_conversation_emit(self, DESKTOP_CONVERSATION_APPROACHED);
  }
  self->had_text = has_text;
  desktop_conversation_update_entry(self);
}

static void
on_focused(DesktopConversation *self)
{
  desktop_conversation_emit(self, DESKTOP_CONVERSATION_APPROACHED);
}

static gboolean
on_key(GtkEventControllerKey *keys, guint key, guint code, GdkModifierType state,
       DesktopConversation *self)
{
  if (key != GDK_KEY_Escape || !self->editing) {
    return FALSE;
  }
  desktop_conversation_edit_turn(self, NULL);
  desktop_question_entry_set_text(self->entry, "");
  return TRUE;
}

void
desktop_conversation_entry_setup(DesktopConversation *self)
{
  GtkTextView *view = desktop_question_entry_get_view(self->entry);
  GtkEventController *focus = gtk_event_controller_focus_new();
  GtkEventController *keys = gtk_event_controller_key_new();

  g_signal_connect_object(self->entry, "activate", G_CALLBACK(desktop_conversation_on_ask), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(self->entry, "changed", G_CALLBACK(on_typed), self, G_CONNECT_SWAPPED);
  g_signal_connect_swapped(focus, "enter", G_CALLBACK(on_focused), self);
  gtk_widget_add_controller(GTK_WIDGET(view), focus);
  gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
  g_signal_connect(keys, "key-pressed", G_CALLBACK(on_key), self);
  gtk_widget_add_controller(GTK_WIDGET(view), keys);
}

/* ---- what others ask ----------------------------------------------------------------------- */

void
desktop_conversation_give_back(DesktopConversation *self, const char *question)
{
  if (!has_question(self)) {
    desktop_question_entry_set_text(self->entry, question);
  }
}

void
desktop_conversation_focus_entry(DesktopConversation *self)
{
  desktop_question_entry_focus(self->entry);
}

gboolean
desktop_conversation_is_approached(DesktopConversation *self)
{
  GtkWidget *view = GTK_WIDGET(desktop_question_entry_get_view(self->entry));

  return (gtk_widget_get_state_flags(view) & GTK_STATE_FLAG_FOCUS_WITHIN) || has_question(self);
}

char *
desktop_conversation_dup_question(DesktopConversation *self)
{
  return desktop_question_entry_dup_text(self->entry);
}

void
desktop_conversation_set_question(DesktopConversation *self, const char *text)
{
  desktop_question_entry_set_text(self->entry, text);
}

void
desktop_conversation_ask(DesktopConversation *self)
{
  desktop_conversation_on_ask(self);
}
