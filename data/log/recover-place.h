/* recover-place.h - where a recovered row goes in the tables of the new log, and what stands there
 * for rows that it refers to and that are lost. Private to the room.
 */
#ifndef HILUM_DATA_LOG_RECOVER_PLACE_H
#define HILUM_DATA_LOG_RECOVER_PLACE_H

#include "recover-scan.h"

G_BEGIN_DECLS

/* The body of every event that a recovery wrote ends so; its time is not of its own day. */
#define STORE_MARK_END ", \"recovered\": true}"
#define STORE_NO_TIME "0001-01-01T00:00:00.000Z"
#define STORE_NO_TURN "{\"question\": \"\", \"answer\": \"\"}"

gboolean store_is_time(const char *time);

typedef struct {
  StoreLog *log;
  StoreScan *scan;
  gint64 next[STORE_N_KINDS]; /* ids that no row has */
  gint64 most_number;         /* of a turn */
  gint64 conversation; /* of turns of which only what was made of them is left, 0: none yet */
  gint64 orphans;
  gint64 model; /* of conversations that are lost, 0: none yet */
  gint64 placeholders;
  sqlite3_stmt *has_turn, *gaps;
} StorePlacer;
gboolean store_placer_init(StorePlacer *placer, const StoreFound *found, GError **error);
void store_placer_clear(StorePlacer *placer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StorePlacer, store_placer_clear)

/* What a row needs in a table: filled by store_place_look(), used by store_place_set(). */
typedef struct {
  const char *time;
  gint64 values[5]; /* id, (event), and what follows */
  guint n;
  guint8 lookup[32];
} StoreNeed;
/* Whether the row of KIND that BODY says can be set; makes what it refers to and is lost. CHANGED:
 * it is not what its hash is of. */
gboolean store_place_look(StorePlacer *placer, StoreKind kind, gboolean changed, StoreBody *body,
                          StoreNeed *need, gboolean *fits, GError **error);
gboolean store_place_set(StorePlacer *placer, StoreKind kind, gint64 event, StoreNeed *need,
                         GError **error);
/* After the last row: turns that are lost among those of a conversation. */
gboolean store_place_fill(StorePlacer *placer, GError **error);

G_END_DECLS
#endif
