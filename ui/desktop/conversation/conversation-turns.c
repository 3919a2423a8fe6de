/* conversation-turns.c - the list of turns.
 *
 * The list stays at its end while an answer grows, but only for who was there already: a reader
 * who has scrolled back is not torn away.
 */
#include <glib/gi18n.h>
#include <string.h>

#include "conversation/conversation-private.h"

/* ---- staying at the end -------------------------------------------------------------------- */

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

/* Who types beside the entry means the entry. */
static gboolean
on_key(GtkEventControllerKey *keys, guint key, guint code, GdkModifierType state,
       DesktopConversation *self)
{
  GtkWidget *focus = gtk_root_get_focus(gtk_widget_get_root(GTK_WIDGET(self)));

  /* Space and letters of a button or another entry are its own. */
  return focus && GTK_IS_LABEL(focus) && gtk_widget_is_visible(self->composer) &&
         desktop_question_entry_take_key(self->entry, keys);
}

void
desktop_conversation_turns_setup(DesktopConversation *self)
{
  GtkAdjustment *adjustment = gtk_scrolled_window_get_vadjustment(self->scroller);
  GtkEventController *keys = gtk_event_controller_key_new();

  g_signal_connect_object(adjustment, "value-changed", G_CALLBACK(on_scrolled), self, 0);
  g_signal_connect_object(adjustment, "changed", G_CALLBACK(on_resized), self, 0);
  g_signal_connect(keys, "key-pressed", G_CALLBACK(on_key), self);
  gtk_widget_add_controller(GTK_WIDGET(self->list), keys);
  self->at_end = TRUE;
}

/* ---- rows ---------------------------------------------------------------------------------- */

static void
on_again(DesktopTurnRow *row, DesktopConversation *self)
{
  if (self->can_ask && !self->working) {
    desktop_conversation_emit(self, DESKTOP_CONVERSATION_ASK_AGAIN, row, NULL);
  }
}

static void
on_edit(DesktopTurnRow *row, DesktopConversation *self)
{
  desktop_conversation_edit_turn(self, row);
}

static void
on_switch(DesktopTurnRow *row, int step, DesktopConversation *self)
{
  desktop_conversation_switch(self, row, step);
}

static void
on_judge(DesktopTurnRow *row, guint verdict, const char *text, DesktopConversation *self)
{
  desktop_conversation_emit(self, DESKTOP_CONVERSATION_JUDGE, row, verdict, text);
}

static void
on_check(DesktopTurnRow *row, guint check, DesktopConversation *self)
{
  desktop_conversation_emit(self, DESKTOP_CONVERSATION_CHECK, row, check);
}

static void
on_look(DesktopTurnRow *row, DesktopSeen *seen, DesktopConversation *self)
{
  desktop_conversation_emit(self, DESKTOP_CONVERSATION_LOOK, seen);
}

void
desktop_conversation_connect_row(DesktopConversation *self, DesktopTurnRow *row)
{
  g_signal_connect_object(row, "again", G_CALLBACK(on_again), self, 0);
  g_signal_connect_object(row, "edit", G_CALLBACK(on_edit), self, 0);
  g_signal_connect_object(row, "switch", G_CALLBACK(on_switch), self, 0);
  g_signal_connect_object(row, "judge", G_CALLBACK(on_judge), self, 0);
  g_signal_connect_object(row, "check", G_CALLBACK(on_check), self, 0);
  g_signal_connect_object(row, "look", G_CALLBACK(on_look), self, 0);
  desktop_turn_row_set_sure(row, self->show_sure);
}

gboolean
desktop_conversation_is_divider(GtkWidget *row)
{
  return !DESKTOP_IS_TURN_ROW(row);
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

/* Nothing comes before the first. */
static void
begin_conversation(DesktopConversation *self, const DesktopAbout *about)
{
  g_autofree char *subject = desktop_about_text(about);
  g_autofree char *text = g_strdup_printf(_("New conversation · %s"), subject);

  if (gtk_widget_get_first_child(GTK_WIDGET(self->list))) {
    desktop_conversation_add_divider(self, text);
  }
  g_ptr_array_set_size(self->live, 0);
}

/* After it, the timeline ends just before turn AT. */
static void
go_back_to(DesktopConversation *self, int at)
{
  g_ptr_array_set_size(self->live, MIN(at, (int)self->live->len));
}

DesktopTurnRow *
desktop_conversation_add_turn(DesktopConversation *self, const DesktopQuestion *question,
                              DesktopTurnRow *instead_of)
{
  GtkWidget *row = desktop_turn_row_new(question);
  g_autofree char *written = desktop_question_entry_dup_text(self->entry);
  int at = instead_of ? desktop_conversation_again_at(self, instead_of) : -1;

  desktop_conversation_connect_row(self, DESKTOP_TURN_ROW(row));
  if (at >= 0) {
    desktop_question_entry_focus(self->entry); /* the row that had it goes */
    desktop_conversation_fork(self, instead_of, DESKTOP_TURN_ROW(row));
    go_back_to(self, at);
  } else if (!question->adds && !desktop_conversation_knows(self, question->about, G_MAXUINT)) {
    begin_conversation(self, question->about);
  }
  gtk_list_box_append(self->list, row);
  g_ptr_array_add(self->live, g_object_ref(row));
  gtk_stack_set_visible_child_name(self->pages, "turns");
  /* What else is being written stays: the question may have come from elsewhere. */
  if (g_strcmp0(written, question->text) == 0) {
    desktop_question_entry_set_text(self->entry, "");
  }
  gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(self->add), FALSE);
  self->at_end = TRUE;
  on_resized(gtk_scrolled_window_get_vadjustment(self->scroller), self);
  desktop_conversation_update(self);
  return DESKTOP_TURN_ROW(row);
}

/* The answer takes the focus from an entry that is empty, so that a screen reader reads it; letters
 * go to the entry all the same. Whoever is elsewhere, or is writing, is left alone. */
static void
announce(DesktopConversation *self, DesktopTurnRow *row)
{
  GtkRoot *root = gtk_widget_get_root(GTK_WIDGET(self));
  GtkWidget *focus = root ? gtk_root_get_focus(root) : NULL;
  g_autofree char *text = desktop_question_entry_dup_text(self->entry);
  gboolean is_here = !focus || gtk_widget_is_ancestor(focus, self->composer);

  if (is_here && !*text) {
    desktop_turn_row_focus_answer(row);
  }
}

void
desktop_conversation_finish_turn(DesktopConversation *self, DesktopTurnRow *row, JsonNode *turn)
{
  desktop_turn_row_finish(row, turn);
  announce(self, row);
  desktop_conversation_update(self);
}

void
desktop_conversation_fail_turn(DesktopConversation *self, DesktopTurnRow *row, const char *message)
{
  desktop_turn_row_fail(row, message);
  g_ptr_array_remove(self->live, row);
  desktop_conversation_update(self);
}

void
desktop_conversation_end(DesktopConversation *self)
{
  desktop_conversation_show_live(self);
  g_ptr_array_set_size(self->live, 0);
  desktop_conversation_update(self);
}

guint
desktop_conversation_n_turns(DesktopConversation *self)
{
  return self->live->len;
}

int
desktop_conversation_index_of(DesktopConversation *self, DesktopTurnRow *row)
{
  guint index;

  return g_ptr_array_find(self->live, row, &index) ? (int)index : -1;
}

int
desktop_conversation_again_at(DesktopConversation *self, DesktopTurnRow *row)
{
  int at = 0;

  for (GtkWidget *before = desktop_conversation_first_row(self); before;
       before = gtk_widget_get_next_sibling(before)) {
    DesktopTurnRow *turn = DESKTOP_TURN_ROW(before);
    if (turn == row) {
      /* An empty timeline has nothing in common with a conversation that was ended. */
      return self->live->len == 0 && !desktop_turn_row_is_failed(row) ? -1 : at;
    }
    if (desktop_turn_row_is_failed(turn)) {
      continue;
    }
    if (at >= (int)self->live->len || self->live->pdata[at] != turn) {
      return -1;
    }
    at++;
  }
  return -1;
}

/* ---- all rows ------------------------------------------------------------------------------ */

void
desktop_conversation_each_row(DesktopConversation *self, DesktopRowVisit visit, gpointer user)
{
  GtkListBox *const lists[] = {self->list, self->past_list};

  for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
    for (GtkWidget *row = gtk_widget_get_first_child(GTK_WIDGET(lists[i])); row;
         row = gtk_widget_get_next_sibling(row)) {
      if (DESKTOP_IS_TURN_ROW(row)) {
        visit(DESKTOP_TURN_ROW(row), user);
      }
    }
  }
  desktop_conversation_each_hidden(self, visit, user);
}

static void
update_row(DesktopTurnRow *row, gpointer user)
{
  DesktopConversation *self = user;
  gboolean is_idle = self->can_ask && !self->working;
  guint offers = DESKTOP_TURN_JUDGE;

  if (is_idle && desktop_conversation_again_at(self, row) >= 0) {
    offers |= DESKTOP_TURN_AGAIN;
  }
  if (is_idle && desktop_conversation_index_of(self, row) >= 0) {
    offers |= DESKTOP_TURN_CHECK;
  }
  desktop_turn_row_set_offers(row, offers);
}

void
desktop_conversation_update_offers(DesktopConversation *self)
{
  desktop_conversation_each_row(self, update_row, self);
}

static void
mark_saved(DesktopTurnRow *row, gpointer user)
{
  desktop_turn_row_set_unsaved(row, NULL);
}

void
desktop_conversation_mark_saved(DesktopConversation *self)
{
  desktop_conversation_each_row(self, mark_saved, NULL);
}
