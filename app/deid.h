/* deid.h - the user's key of de-identification. Not for other rooms. */
#ifndef HILUM_APP_DEID_PRIVATE_H
#define HILUM_APP_DEID_PRIVATE_H

#include "app_deid.h"

G_BEGIN_DECLS

/* The key at PATH, made when it is not there; refused when others may read it. */
gboolean app_deid_key_read(const char *path, guint8 key[32], GError **error);

G_END_DECLS
#endif
