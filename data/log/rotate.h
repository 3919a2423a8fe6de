/* rotate.h - what the two files of a rotation share; see chain.h. */
#ifndef HILUM_DATA_LOG_ROTATE_H
#define HILUM_DATA_LOG_ROTATE_H

#include <glib.h>

/* In the folder in which a log waits: the name under which the old one is to lie. */
#define STORE_ROTATE_NAME "sealed-as"

gboolean store_rotate_sync(const char *folder, GError **error);

#endif
