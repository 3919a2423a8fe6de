/* conversation-versions.c - turns that were asked again: every version is kept. */
#include <string.h>

#include "conversation/conversation-private.h"

/* Where a turn was asked again: the versions of all that begins there. */
typedef struct {
  GPtrArray *heads; /* of DesktopTurnRow, a reference to each */
  GPtrArray *tails; /* of GPtrArray of rows, those of each version; NULL: it is in the list */
  guint shown;
} Fork;

static void
tail_free(gpointer tail)
{
  if (tail) {
    g_ptr_array_unref(tail);
  }
}

static void
fork_free(gpointer data)
{
  Fork *fork = data;

  g_ptr_array_unref(fork->heads);
  g_ptr_array_unref(fork->tails);
  g_free(fork);
}

void
desktop_conversation_versions_setup(DesktopConversation *self)
{
  self->forks = g_ptr_array_new_with_free_func(fork_free);
  self->live = g_ptr_array_new_with_free_func(g_object_unref);
}

void
desktop_conversation_versions_clear(DesktopConversation *self)
{
  g_clear_pointer(&self->live, g_ptr_array_unref);
  g_clear_pointer(&self->forks, g_ptr_array_unref);
}

static Fork *
fork_of(DesktopConversation *self, DesktopTurnRow *row, guint *version)
{
  for (guint i = 0; i < self->forks->len; i++) {
    Fork *fork = self->forks->pdata[i];
    if (g_ptr_array_find(fork->heads, row, version)) {
      return fork;
    }
  }
  return NULL;
}

static void
show_numbers(Fork *fork)
{
  for (guint i = 0; i < fork->heads->len; i++) {
    desktop_turn_row_set_version(fork->heads->pdata[i], i + 1, fork->heads->len);
  }
}

static void
add_version(Fork *fork, DesktopTurnRow *head)
{
  g_ptr_array_add(fork->heads, g_object_ref(head));
  g_ptr_array_add(fork->tails, NULL);
  fork->shown = fork->heads->len - 1;
}

/* ROW and what follows it in its conversation leave the list. */
static GPtrArray *
take_off(DesktopConversation *self, DesktopTurnRow *row)
{
  GPtrArray *tail = g_ptr_array_new_with_free_func(g_object_unref);
  GtkWidget *next = GTK_WIDGET(row);

  while (next && !desktop_conversation_is_divider(next)) {
    GtkWidget *after = gtk_widget_get_next_sibling(next);
    g_ptr_array_add(tail, g_object_ref(next));
    gtk_list_box_remove(self->list, next);
    next = after;
  }
  return tail;
}

void
desktop_conversation_fork(DesktopConversation *self, DesktopTurnRow *row, DesktopTurnRow *new_head)
{
  Fork *fork = fork_of(self, row, NULL);

  if (!fork) {
    fork = g_new0(Fork, 1);
    fork->heads = g_ptr_array_new_with_free_func(g_object_unref);
    fork->tails = g_ptr_array_new_with_free_func(tail_free);
    g_ptr_array_add(self->forks, fork);
    add_version(fork, row);
  }
  fork->tails->pdata[fork->shown] = take_off(self, row);
  add_version(fork, new_head);
  show_numbers(fork);
}

static void
show_version(DesktopConversation *self, Fork *fork, guint version)
{
  DesktopTurnRow *head = fork->heads->pdata[fork->shown];
  int at = gtk_list_box_row_get_index(GTK_LIST_BOX_ROW(head));
  GPtrArray *tail;

  /* It may be part of a version of an earlier turn that is not shown. */
  if (version >= fork->heads->len || version == fork->shown || at < 0) {
    return;
  }
  fork->tails->pdata[fork->shown] = take_off(self, head);
  tail = g_steal_pointer(&fork->tails->pdata[version]);
  fork->shown = version;
  for (guint i = 0; i < tail->len; i++) {
    gtk_list_box_insert(self->list, tail->pdata[i], at + (int)i);
  }
  g_ptr_array_unref(tail);
}

void
desktop_conversation_switch(DesktopConversation *self, DesktopTurnRow *row, int step)
{
  guint version = 0;
  Fork *fork = fork_of(self, row, &version);

  if (fork) {
    self->at_end = FALSE; /* the eye stays at the turn */
    show_version(self, fork, (guint)CLAMP((int)version + step, 0, (int)fork->heads->len - 1));
    desktop_conversation_update(self);
    desktop_turn_row_focus_version(fork->heads->pdata[fork->shown], step);
  }
}

void
desktop_conversation_each_hidden(DesktopConversation *self, DesktopRowVisit visit, gpointer user)
{
  for (guint i = 0; i < self->forks->len; i++) {
    Fork *fork = self->forks->pdata[i];
    for (guint j = 0; j < fork->tails->len; j++) {
      GPtrArray *tail = fork->tails->pdata[j];
      for (guint k = 0; tail && k < tail->len; k++) {
        visit(tail->pdata[k], user);
      }
    }
  }
}

GtkWidget *
desktop_conversation_first_row(DesktopConversation *self)
{
  GtkWidget *first = NULL;

  for (GtkWidget *row = gtk_widget_get_last_child(GTK_WIDGET(self->list));
       row && !desktop_conversation_is_divider(row); row = gtk_widget_get_prev_sibling(row)) {
    first = row;
  }
  return first;
}

gboolean
desktop_conversation_shows_live(DesktopConversation *self)
{
  guint n = 0;

  for (GtkWidget *row = desktop_conversation_first_row(self); row;
       row = gtk_widget_get_next_sibling(row)) {
    DesktopTurnRow *turn = DESKTOP_TURN_ROW(row);
    if (desktop_turn_row_is_failed(turn)) {
      continue;
    }
    if (n >= self->live->len || self->live->pdata[n] != turn) {
      /* After "new conversation" the timeline is empty and the turns still stand there. */
      return self->live->len == 0;
    }
    n++;
  }
  return n == self->live->len;
}

gint64
desktop_conversation_shown_id(DesktopConversation *self)
{
  gint64 id = 0;

  for (GtkWidget *row = desktop_conversation_first_row(self); row;
       row = gtk_widget_get_next_sibling(row)) {
    if (!desktop_turn_row_is_failed(DESKTOP_TURN_ROW(row))) {
      id = desktop_turn_row_get_conversation(DESKTOP_TURN_ROW(row));
    }
  }
  return id;
}

void
desktop_conversation_take_shown(DesktopConversation *self)
{
  g_ptr_array_set_size(self->live, 0);
  for (GtkWidget *row = desktop_conversation_first_row(self); row;
       row = gtk_widget_get_next_sibling(row)) {
    if (!desktop_turn_row_is_failed(DESKTOP_TURN_ROW(row))) {
      g_ptr_array_add(self->live, g_object_ref(row));
    }
  }
  desktop_conversation_update(self);
}

void
desktop_conversation_show_live(DesktopConversation *self)
{
  for (guint i = 0; i < self->live->len; i++) {
    DesktopTurnRow *row = self->live->pdata[i];
    guint version = 0;
    Fork *fork = fork_of(self, row, &version);
    if (fork) {
      show_version(self, fork, version);
    }
  }
  /* The version that the model is in may have failed turns only at this place. */
  if (!desktop_conversation_shows_live(self) && self->forks->len > 0) {
    Fork *fork = self->forks->pdata[self->forks->len - 1];
    show_version(self, fork, fork->heads->len - 1);
  }
  desktop_conversation_update(self);
}
