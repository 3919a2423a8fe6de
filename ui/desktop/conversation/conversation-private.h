/* conversation-private.h - the inside of the conversation pane, shared by its files.
 *
 * Invariants:
 * 1. `live` is the model's timeline: its answered turns in order and, while `working`, the one
 *    under way at its end. A failed turn is not in it.
 * 2. A turn that was asked again heads one version in a Fork. The rows of the version that is shown
 *    are in the list; those of the others are held by the fork. No row is ever thrown away.
 * 3. Nothing is asked while an earlier version is shown: the model is not there.
 */
#ifndef HILUM_DESKTOP_CONVERSATION_PRIVATE_H
#define HILUM_DESKTOP_CONVERSATION_PRIVATE_H

#include <adwaita.h>

#include "conversation/conversation.h"
#include "conversation/question-entry.h"

G_BEGIN_DECLS

struct _DesktopConversation {
  GtkBox parent;

  /* Template widgets. */
  GtkStack *pages, *buttons;
  AdwStatusPage *empty_page;
  GtkListBox *list, *past_list;
  GtkScrolledWindow *scroller;
  GtkWidget *composer, *past_bar, *warnings, *model_box, *model_spinner, *model_error, *describe,
      *anew, *ask, *stop, *away, *add, *editing_box, *earlier_box, *suggest, *starters, *chips,
      *add_prior, *go_on_here, *resume, *past_back, *past_spinner, *past_failure;
  GtkLabel *away_label, *model_label, *notice, *warnings_label, *past_title, *about_note;
  DesktopQuestionEntry *entry;

  /* Owned. */
  DesktopAbout *about;            /* on the screen, or NULL */
  GPtrArray *live;                /* of DesktopTurnRow */
  GPtrArray *forks;               /* of Fork, see conversation-versions.c */
  DesktopTurnRow *editing;        /* asked again by the next question, or NULL */
  const char *const *suggestions; /* that were made into buttons; borrowed */

  gboolean at_end, can_ask, has_prior, working, had_text, show_sure, check_blank;
  guint going; /* source that scrolls to the end, or 0 */
};

typedef enum {
  DESKTOP_CONVERSATION_ASK,
  DESKTOP_CONVERSATION_DESCRIBE,
  DESKTOP_CONVERSATION_STOP,
  DESKTOP_CONVERSATION_BEGIN_ANEW,
  DESKTOP_CONVERSATION_APPROACHED,
  DESKTOP_CONVERSATION_ASK_AGAIN,
  DESKTOP_CONVERSATION_JUDGE,
  DESKTOP_CONVERSATION_CHECK,
  DESKTOP_CONVERSATION_LOOK,
  DESKTOP_CONVERSATION_SHOW_ABOUT,
  DESKTOP_CONVERSATION_RESUME,
  DESKTOP_CONVERSATION_LEAVE_PAST,
  DESKTOP_CONVERSATION_GO_ON_HERE,
  DESKTOP_CONVERSATION_N_SIGNALS
} DesktopConversationSignal;

/* conversation.c */
void desktop_conversation_emit(DesktopConversation *self, DesktopConversationSignal signal, ...);
/* Whatever depends on the turns, the image and the state. */
void desktop_conversation_update(DesktopConversation *self);

/* conversation-turns.c */
void desktop_conversation_turns_setup(DesktopConversation *self);
void desktop_conversation_connect_row(DesktopConversation *self, DesktopTurnRow *row);
gboolean desktop_conversation_is_divider(GtkWidget *row);
/* A line across the list where another conversation begins. */
void desktop_conversation_add_divider(DesktopConversation *self, const char *text);
void desktop_conversation_update_offers(DesktopConversation *self);
/* Each row of either list, and of the versions that are not shown. */
typedef void (*DesktopRowVisit)(DesktopTurnRow *row, gpointer user);
void desktop_conversation_each_row(DesktopConversation *self, DesktopRowVisit visit, gpointer user);

/* conversation-versions.c */
void desktop_conversation_versions_setup(DesktopConversation *self);
void desktop_conversation_versions_clear(DesktopConversation *self);
/* Takes ROW and what follows off the list, where NEW_HEAD is put at the end later. */
void desktop_conversation_fork(DesktopConversation *self, DesktopTurnRow *row,
                               DesktopTurnRow *new_head);
void desktop_conversation_switch(DesktopConversation *self, DesktopTurnRow *row, int step);
/* Whether all that the model knows is in the list, and nothing else of this conversation. */
gboolean desktop_conversation_shows_live(DesktopConversation *self);
void desktop_conversation_show_live(DesktopConversation *self);
void desktop_conversation_each_hidden(DesktopConversation *self, DesktopRowVisit visit,
                                      gpointer user);
/* The first row of the newest conversation in the list, or NULL. */
GtkWidget *desktop_conversation_first_row(DesktopConversation *self);

/* conversation-entry.c */
void desktop_conversation_entry_setup(DesktopConversation *self);
void desktop_conversation_update_entry(DesktopConversation *self);
/* ROW NULL: no longer. */
void desktop_conversation_edit_turn(DesktopConversation *self, DesktopTurnRow *row);
void desktop_conversation_on_ask(DesktopConversation *self);
void desktop_conversation_suggested(DesktopConversation *self, const char *question);

/* conversation-chips.c */
void desktop_conversation_update_chips(DesktopConversation *self);

G_END_DECLS
#endif
