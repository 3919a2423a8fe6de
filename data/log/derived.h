/* derived.h - the tables that say which event made the model, image, conversation, turn, verdict or
 * check of an id, held against the events. Private to the room.
 */
#ifndef HILUM_DATA_LOG_DERIVED_H
#define HILUM_DATA_LOG_DERIVED_H

#include "private.h"

G_BEGIN_DECLS

#define STORE_N_DERIVED 6u

/* Statements of one connection; all zeros at first. */
typedef struct {
  sqlite3_stmt *row[STORE_N_DERIVED];
} StoreDerived;

void store_derived_clear(StoreDerived *derived);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StoreDerived, store_derived_clear)

/* Which table events of KIND have rows of; STORE_N_DERIVED: none. */
guint store_derived_of(const char *kind);
const char *store_derived_table(guint which);
/* Whether the row that event NUMBER made is there and says what BODY (N bytes) says. FALSE may only
 * mean that this quick look cannot tell: store_derived_find() can. */
gboolean store_derived_same(StoreDerived *derived, sqlite3 *db, guint which, gint64 number,
                            const char *body, gsize n);
/* The first row of the table that is not what its event says, and that event; zeros: there is none.
 * Slow. */
gboolean store_derived_find(StoreLog *log, guint which, const char *doing, gint64 found[2],
                            GError **error);

G_END_DECLS
#endif
