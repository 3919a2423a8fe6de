/* app_keep.h - the log is kept: copies of it, and the way back.
 *
 * LOG_PATH NULL: the default place. Reports come as JSON objects with the keys of the command line.
 */
#ifndef HILUM_APP_KEEP_H
#define HILUM_APP_KEEP_H

#include "app.h"

G_BEGIN_DECLS

/* Copies the log into FOLDER, which is made: {out, log_id, events, root, protection, with_key}.
 * WITH_KEY: its root key, too, which makes the copy as secret as the texts. PROGRESS in pages. */
JsonNode *app_log_backup(const char *log_path, const char *folder, gboolean with_key,
                         AppProgress progress, gpointer user, GError **error);
/* Sets a copy in its place, where no log may be: {log, log_id, events, root, with_key}. */
JsonNode *app_log_restore(const char *folder, const char *log_path, GError **error);

G_END_DECLS
#endif
