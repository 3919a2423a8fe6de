/* checkpoint.h - checkpoints that were kept elsewhere, as they are given back. Not for others. */
#ifndef HILUM_APP_CHECKPOINT_H
#define HILUM_APP_CHECKPOINT_H

#include "private.h"

G_BEGIN_DECLS

/* The text of the checkpoints in PATH: signed notes, or a proof or manifest with one; g_free(). */
char *app_checkpoint_read(const char *path, GError **error);

G_END_DECLS
#endif
