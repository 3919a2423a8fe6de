/* out.h - a large file that appears whole or not at all, written piece by piece. Not for others. */
#ifndef HILUM_APP_OUT_H
#define HILUM_APP_OUT_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct _AppOut AppOut;

/* Begins a file beside PATH. NULL: its folder is not there, or cannot be written. */
AppOut *app_out_new(const char *path, GError **error);
/* FALSE from the first failure on; the message names PATH. */
gboolean app_out_write(AppOut *out, const void *bytes, gsize n, GError **error);
guint64 app_out_bytes(const AppOut *out);
/* Syncs it and puts it in PATH's place. Ends OUT whatever comes. */
gboolean app_out_finish(AppOut *out, GError **error);
/* Takes away what was written. */
void app_out_abandon(AppOut *out);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppOut, app_out_abandon)

G_END_DECLS
#endif
