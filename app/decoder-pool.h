/* decoder-pool.h - the helper processes: which there are, which is free, what became of it. Private
 * to decoder*.c. */
#ifndef HILUM_APP_DECODER_POOL_H
#define HILUM_APP_DECODER_POOL_H

#include "app.h"
#include "decoder.h"
#include "dicom_remote.h"

G_BEGIN_DECLS

typedef struct _AppHelper AppHelper;

/* A helper of the caller's own, ready for a question; waits for one that is free. PATH, or NULL:
 * the one that read this file last is the best. */
AppHelper *app_helper_take(const char *path, GCancellable *cancellable, GError **error);
/* The same for what nobody waits for: all other callers come before. */
AppHelper *app_helper_take_ahead(const char *path, GCancellable *cancellable, GError **error);
/* The file that it reads is another one than was thought when it was taken. */
void app_helper_set_path(AppHelper *helper, const char *path);
DicomRemote *app_helper_remote(AppHelper *helper);
/* Back to the pool. A helper that is of no more use is ended; then *ERROR, if it is set, is made to
 * say what happened to PATH. */
void app_helper_give(AppHelper *helper, const char *path, GCancellable *cancellable,
                     GError **error);
/* Somebody waits: who has a helper for long may give it back, and wait in turn. */
gboolean app_helper_is_wanted(void);
/* How long a helper may take for one answer. */
guint app_helper_timeout_ms(void);

/* decoder-start.c: starts one; SOCKET is the application's end. */
gboolean app_helper_spawn(pid_t *pid, int *socket, GError **error);
/* Waits for the end of PID and says it in words: "signal 11, Segmentation fault". g_free(). */
char *app_helper_reap(pid_t pid);

G_END_DECLS
#endif
