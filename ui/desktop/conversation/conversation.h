/* conversation.h - the talk beside the picture: the turns so far, and the place to ask.
 *
 * It keeps no model and asks none: what the user wants goes out as signals.
 * Signals: "ask" (string), "describe", "stop", "begin-anew", and "approached" when a question is
 * likely to come: the entry got the focus or its first letter.
 */
#ifndef HILUM_DESKTOP_CONVERSATION_H
#define HILUM_DESKTOP_CONVERSATION_H

#include "conversation/turn-row.h"

G_BEGIN_DECLS

#define DESKTOP_TYPE_CONVERSATION (desktop_conversation_get_type())
G_DECLARE_FINAL_TYPE(DesktopConversation, desktop_conversation, DESKTOP, CONVERSATION, GtkBox)

/* A new turn at the end, waiting for its answer; the pane scrolls to it and clears the entry.
 * Borrowed. */
DesktopTurnRow *desktop_conversation_add_turn(DesktopConversation *self, const char *question,
                                              const char *subject);
/* A line across the list where another conversation begins. */
void desktop_conversation_add_divider(DesktopConversation *self, const char *text);
/* The log has taken all turns. */
void desktop_conversation_mark_saved(DesktopConversation *self);

/* CAN_ASK: model and picture are there. WORKING: an answer is under way, which Stop ends. */
void desktop_conversation_set_state(DesktopConversation *self, gboolean can_ask, gboolean working);
/* What the next question would be about, or NULL. */
void desktop_conversation_set_subject(DesktopConversation *self, const char *text);
/* What speaks against asking about the image on the screen; NULL or empty: nothing. */
void desktop_conversation_set_warnings(DesktopConversation *self, const char *const *sentences);
/* How the model is doing: BUSY with a spinner, FAILED as an error, NULL when there is nothing to
 * say. */
void desktop_conversation_set_model_status(DesktopConversation *self, const char *text,
                                           gboolean busy, gboolean failed);
/* The server that pictures and questions are sent to, in sight all the time; NULL: they stay here.
 */
void desktop_conversation_set_away(DesktopConversation *self, const char *host);
/* Puts QUESTION back to be asked again, unless something else is being written. */
void desktop_conversation_give_back(DesktopConversation *self, const char *question);
/* Whether what is said here is kept. */
void desktop_conversation_set_logged(DesktopConversation *self, gboolean logged);
void desktop_conversation_focus_entry(DesktopConversation *self);
/* Whether a question is likely to come. */
gboolean desktop_conversation_is_approached(DesktopConversation *self);
/* Borrowed. */
GtkEditable *desktop_conversation_get_entry(DesktopConversation *self);

G_END_DECLS
#endif
