/* conversation.h - the talk beside the picture: the turns so far, and the place to ask.
 *
 * It keeps no model and asks none: what the user wants goes out as signals.
 * Signals: "ask" (string), "describe" (guint AppLength), "stop", "begin-anew"; "approached" when a
 * question is likely to come: the entry got the focus or its first letter; of a turn: "ask-again"
 * (DesktopTurnRow, string: the question, or NULL for the same), "judge" (row, guint AppVerdict,
 * string or NULL), "check" (row, guint AppCheck); "look" (DesktopSeen) wants what the model sees;
 * "show-about" (pointer DesktopAbout) wants an image on the screen; "resume" and "leave-past" of a
 * past conversation; "go-on-here" of an earlier version that is shown.
 * Properties: "show-sure", "check-blank": also actions "conversation.NAME".
 *
 * A conversation goes on as long as the questions are about its images. Its turns in the order of
 * the model's own timeline are `live`; a turn that is asked again begins another version of all
 * that follows, and earlier versions stay to be looked at.
 */
#ifndef HILUM_DESKTOP_CONVERSATION_H
#define HILUM_DESKTOP_CONVERSATION_H

#include "conversation/turn-row.h"

G_BEGIN_DECLS

#define DESKTOP_TYPE_CONVERSATION (desktop_conversation_get_type())
G_DECLARE_FINAL_TYPE(DesktopConversation, desktop_conversation, DESKTOP, CONVERSATION, GtkBox)

/* ---- turns ---- */

/* A new turn at the end, waiting for its answer; the pane scrolls to it. INSTEAD_OF: a turn that is
 * asked again, which with all after it makes room and is kept as an earlier version; or NULL. When
 * the conversation does not go on, a line says so. Borrowed. */
DesktopTurnRow *desktop_conversation_add_turn(DesktopConversation *self,
                                              const DesktopQuestion *question,
                                              DesktopTurnRow *instead_of);
/* The model's timeline has it now. */
void desktop_conversation_finish_turn(DesktopConversation *self, DesktopTurnRow *row,
                                      JsonNode *turn);
void desktop_conversation_fail_turn(DesktopConversation *self, DesktopTurnRow *row,
                                    const char *message);
/* The next question begins another conversation, whatever it is about. */
void desktop_conversation_end(DesktopConversation *self);
/* The log has taken all turns. */
void desktop_conversation_mark_saved(DesktopConversation *self);
/* How many turns the timeline has, that under way included. */
guint desktop_conversation_n_turns(DesktopConversation *self);
/* The place of ROW in the timeline; -1: it has none. */
int desktop_conversation_index_of(DesktopConversation *self, DesktopTurnRow *row);
/* The place that ROW would be asked again at; -1: it cannot be. */
int desktop_conversation_again_at(DesktopConversation *self, DesktopTurnRow *row);
/* Whether one of the first N_TURNS turns was about just that. */
gboolean desktop_conversation_knows(DesktopConversation *self, const DesktopAbout *about,
                                    guint n_turns);
/* Whether the user wants the image on the screen added to the conversation. */
gboolean desktop_conversation_adds(DesktopConversation *self);
void desktop_conversation_set_adds(DesktopConversation *self, gboolean adds);
/* The images of the conversation, in the order they came; of DesktopAbout, borrowed. */
GPtrArray *desktop_conversation_images(DesktopConversation *self);
/* What is on the screen has a prior that is not in the conversation. */
void desktop_conversation_set_has_prior(DesktopConversation *self, gboolean has_prior);

/* The conversation of the log that ends with what is shown; 0: it cannot be gone on with. */
gint64 desktop_conversation_shown_id(DesktopConversation *self);
/* The model's timeline is what is shown now. */
void desktop_conversation_take_shown(DesktopConversation *self);

/* ---- the place to ask ---- */

/* CAN_ASK: model and picture are there. WORKING: an answer is under way, which Stop ends. */
void desktop_conversation_set_state(DesktopConversation *self, gboolean can_ask, gboolean working);
/* What the next question would be about, or NULL. */
void desktop_conversation_set_about(DesktopConversation *self, DesktopAbout *about);
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
/* What is being written, without white space around it. g_free(). */
char *desktop_conversation_dup_question(DesktopConversation *self);
void desktop_conversation_set_question(DesktopConversation *self, const char *text);
/* As Enter does. */
void desktop_conversation_ask(DesktopConversation *self);
gboolean desktop_conversation_get_check_blank(DesktopConversation *self);

/* ---- a past conversation, in the place of the present one ---- */

/* TURNS as app_history_show_finish() tells. */
void desktop_conversation_show_past(DesktopConversation *self, const char *title, JsonArray *turns);
/* What its newest turn is about, or NULL. Borrowed. */
DesktopAbout *desktop_conversation_past_about(DesktopConversation *self);
gboolean desktop_conversation_is_past(DesktopConversation *self);
/* BUSY: it is being taken up again. MESSAGE: why it cannot be, or NULL. */
void desktop_conversation_set_past_state(DesktopConversation *self, gboolean can_resume,
                                         gboolean busy, const char *message);
/* Back to the present one; what was shown is forgotten, or TAKE_OVER becomes the present one. */
void desktop_conversation_leave_past(DesktopConversation *self, gboolean take_over);

G_END_DECLS
#endif
