/* recover-swap.h - one set of files takes the place of another. Private to the room.
 *
 * A log is several files, and no call moves them at once. So what is to be done is written down
 * first, in LOG.recover: until that file is there nothing has happened, and from then on every
 * opening of the log finishes what it says before anything else.
 */
#ifndef HILUM_DATA_LOG_RECOVER_SWAP_H
#define HILUM_DATA_LOG_RECOVER_SWAP_H

#include "private.h"

G_BEGIN_DECLS

/* "LOG.corrupt-20261231T235959Z", with a number behind it where something has that name. */
char *store_swap_name(const char *path);
/* What lies at PATH goes to ASIDE_NAME, with all that belongs to it, and the log in the folder NEXT
 * (copy.h) takes its place. TRUE: it is done, or will be at the next opening. */
gboolean store_swap(const char *path, const char *next, const char *aside_name, GError **error);
/* Finishes what was cut short; there is nothing to do where no LOG.recover is. */
gboolean store_swap_finish(const char *path, GError **error);

G_END_DECLS
#endif
