/* logbook.h - finished turns on their way into the log.
 *
 * A log that cannot be written (a full disk, another process in the way) must not cost an answer:
 * turns wait in a queue, in order, until they are written.
 */
#ifndef HILUM_APP_LOGBOOK_H
#define HILUM_APP_LOGBOOK_H

#include "store.h"

G_BEGIN_DECLS

/* One conversation of the log; its row is made with its first turn. */
typedef struct _AppConversation AppConversation;
struct _AppConversation {
  gint n_refs;
  gint64 id;               /* 0: not written yet */
  AppConversation *parent; /* what it branches off, or NULL */
  guint base;              /* turns of the timeline before its own first one */
  char *model_name;        /* of who answers; NULL: nobody has yet */
};
/* PARENT may be NULL. The new one goes on after BASE turns of the timeline that PARENT ends; it
 * branches off PARENT, or off the ancestor that the last of these turns was said in. */
AppConversation *app_conversation_new(AppConversation *parent, guint base);
void app_conversation_unref(AppConversation *conversation);
/* NAME has answered after BASE turns of the timeline that CONVERSATION ends. The log has one model
 * to a conversation: where a server changes it, another one branches off. Takes CONVERSATION,
 * returns the one to go on with. */
AppConversation *app_conversation_answered_by(AppConversation *conversation, const char *name,
                                              guint base);

/* The row of a turn, shared by who waits for it and the queue that it waits in. */
typedef struct {
  gint n_refs;
  gint64 id; /* 0: not written yet */
} AppTurnId;
AppTurnId *app_turn_id_new(gint64 id);
AppTurnId *app_turn_id_ref(AppTurnId *id);
void app_turn_id_unref(AppTurnId *id); /* ID may be NULL */

typedef struct _AppLogbook AppLogbook;

/* PATH NULL: the default place. ALONE: nobody else in this program tells the log that it began and
 * ended, and which models it loaded. */
AppLogbook *app_logbook_open(const char *path, gboolean alone, GError **error);
void app_logbook_close(AppLogbook *book);

/* Copies everything. IMAGES: those of the turn, in the order in which they joined; their ids in
 * TURN are filled in when they are written. To be unreferenced. */
AppTurnId *app_logbook_add(AppLogbook *book, AppConversation *conversation, const StoreTurn *turn,
                           const StoreImage *images, gsize n_images);
/* A check of the turn, behind it in line. Copies everything. */
void app_logbook_add_check(AppLogbook *book, AppTurnId *turn, const StoreCheck *check);
/* The log itself; writing to it past the line. */
StoreLog *app_logbook_store(AppLogbook *book);
/* Writes what waits. TRUE when nothing is left. MODEL: of all conversations, but for the name. */
gboolean app_logbook_save(AppLogbook *book, const StoreModel *model, GError **error);
guint app_logbook_n_unsaved(AppLogbook *book);

G_END_DECLS
#endif
