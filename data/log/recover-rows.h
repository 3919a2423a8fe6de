/* recover-rows.h - what is left of a log becomes events of another. Private to the room. */
#ifndef HILUM_DATA_LOG_RECOVER_ROWS_H
#define HILUM_DATA_LOG_RECOVER_ROWS_H

#include "keys.h"
#include "record.h"
#include "recover-scan.h"

G_BEGIN_DECLS

/* Copies each row of SCAN into LOG, which was just begun and is not closed meanwhile. OLD: the keys
 * of the damaged log. Counts go into RECOVERY. */
gboolean store_recover_rows(StoreLog *log, StoreKeys *old, StoreScan *scan, const StoreFound *found,
                            StoreRecovery *recovery, StoreProgress progress, gpointer user,
                            GError **error);

G_END_DECLS
#endif
