/* relay.h - how far a job on a thread of its own has come, told in the context that asked for it.
 *
 * Thread rule: made in the caller's context; app_relay_progress() is the job's thread's.
 */
#ifndef HILUM_APP_RELAY_H
#define HILUM_APP_RELAY_H

#include "app.h"

G_BEGIN_DECLS

/* A part of a task's data, which it must live as long as. */
typedef struct {
  AppProgress progress; /* or NULL */
  gpointer user;
  GMainContext *context;
  GCancellable *cancellable;
  gint64 told; /* µs */
} AppRelay;

/* CANCELLABLE NULL: only PROGRESS, by FALSE, ends the job. */
void app_relay_init(AppRelay *relay, AppProgress progress, gpointer user,
                    GCancellable *cancellable);
void app_relay_clear(AppRelay *relay);
/* TASK's data holds RELAY. At most ten times a second, and nothing once TASK has completed. FALSE:
 * the job is to end. */
gboolean app_relay_progress(AppRelay *relay, GTask *task, guint64 done, guint64 total);

G_END_DECLS
#endif
