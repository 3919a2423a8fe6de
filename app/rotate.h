/* rotate.h - what the files about logs that go on from one another share. Not for others. */
#ifndef HILUM_APP_ROTATE_PRIVATE_H
#define HILUM_APP_ROTATE_PRIVATE_H

#include "app_rotate.h"
#include "record.h"

G_BEGIN_DECLS

/* An event about LOG: where it is sealed, one of the log that goes on from it, which says so. */
gboolean app_log_add_event(StoreLog *log, const StoreEvent *event, GError **error);
/* "sealed", "missing" ... */
const char *app_link_state(const StoreLink *link);

G_END_DECLS
#endif
