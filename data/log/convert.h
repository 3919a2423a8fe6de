/* convert.h - the rows of version 4 as events. Private to the room. */
#ifndef HILUM_DATA_LOG_CONVERT_H
#define HILUM_DATA_LOG_CONVERT_H

#include "private.h"

G_BEGIN_DECLS

/* Within the transaction that brings the log to version 5, when the tables of both are there: every
 * model, image, conversation, turn, verdict and check becomes an event with its old id and time.
 * One event behind them says that this was done, and of how many. */
gboolean store_convert(StoreLog *log, GError **error);
/* The first event of a new log, or of one that was converted. */
gboolean store_write_first(StoreLog *log, GError **error);

G_END_DECLS
#endif
