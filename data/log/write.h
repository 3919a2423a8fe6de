/* write.h - adding what the log knows by an id. Private to the room.
 *
 * Each of these adds one event and its derived row within the transaction that is open. ORIGIN says
 * what a row of an older log had: its id and its time; NULL for what happens now.
 */
#ifndef HILUM_DATA_LOG_WRITE_H
#define HILUM_DATA_LOG_WRITE_H

#include "content.h"
#include "private.h"

G_BEGIN_DECLS

typedef struct {
  gint64 id;
  const char *time;
} StoreOrigin;

gint64 store_write_model(StoreLog *log, const StoreModel *model, const StoreOrigin *origin,
                         GError **error);
gint64 store_write_image(StoreLog *log, const StoreImage *image, const StoreOrigin *origin,
                         GError **error);
gint64 store_write_conversation(StoreLog *log, const StoreOpening *opening,
                                const StoreOrigin *origin, GError **error);
gint64 store_write_turn(StoreLog *log, gint64 conversation, const StoreTurn *turn,
                        const StoreOrigin *origin, GError **error);
gint64 store_write_verdict(StoreLog *log, gint64 turn, const StoreVerdict *verdict,
                           const StoreOrigin *origin, GError **error);
gint64 store_write_check(StoreLog *log, gint64 turn, const StoreCheck *check,
                         const StoreOrigin *origin, GError **error);
/* Its number. */
gint64 store_write_event(StoreLog *log, const StoreEvent *event, GError **error);

G_END_DECLS
#endif
