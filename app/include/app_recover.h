/* app_recover.h - a damaged log, and one that a newer Hilum wrote.
 *
 * LOG_PATH NULL: the default place. Reports come as JSON objects with the keys of the command line.
 */
#ifndef HILUM_APP_RECOVER_H
#define HILUM_APP_RECOVER_H

#include "app.h"

G_BEGIN_DECLS

/* Sets a damaged log aside and makes a new one of all that can be read: {log, recovered, found,
 * set_aside, log_id, previous_log_id, lost, events_read, events_recovered, events_lost,
 * events_unreadable, events_unproved, texts_lost, texts_erased, placeholders, conversations, turns,
 * last_proved_event}. "recovered": false, and nothing is changed, where nothing speaks against the
 * log. No program may have it open. */
JsonNode *app_log_recover(const char *log_path, AppProgress progress, gpointer user,
                          GError **error);
/* On a thread of app's. PROGRESS is called in the caller's main context. */
void app_log_recover_async(const char *log_path, AppProgress progress, gpointer user,
                           GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data);
JsonNode *app_log_recover_finish(GAsyncResult *result, GError **error);

/* That a newer Hilum wrote the log, in words; NULL: none did, or there is none. g_free(). */
char *app_log_newer(const char *log_path);

/* Why a log cannot be written, as ERROR, which opening it gave, says. */
typedef enum {
  APP_LOG_SOUND,   /* for another reason, or none */
  APP_LOG_DAMAGED, /* app_log_recover() helps */
  APP_LOG_NEWER,   /* a newer Hilum wrote it: it can be read */
} AppLogFault;
AppLogFault app_log_fault(const GError *error);

G_END_DECLS
#endif
