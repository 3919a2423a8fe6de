/* recover-keys.h - the keys of a log that goes on from another. Private to the room. */
#ifndef HILUM_DATA_LOG_RECOVER_KEYS_H
#define HILUM_DATA_LOG_RECOVER_KEYS_H

#include "keys.h"

G_BEGIN_DECLS

/* Makes LOG.keys for the log at LOG_PATH, which goes on from the one that FROM are of: with an id
 * and a signing key of its own, and the same root key kept in the same kind of place (so that
 * nobody is asked again), the same key of the log, and the same keys of subjects under the same
 * numbers. What was erased is not there. *lost: subjects whose key could not be read. */
StoreKeys *store_keys_succeed(StoreKeys *from, const char *log_path, guint *lost, GError **error);
/* After a failure: what the making of KEYS left outside their folder. */
void store_keys_forget_place(StoreKeys *keys);

G_END_DECLS
#endif
