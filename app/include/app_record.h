/* app_record.h - the log as what it is: one event after the other, to be looked at.
 *
 * A log may have a million events: they are read by pages, and what is looked for is found by
 * reading all of them once, a part at a time.
 *
 * Thread rule: an AppRecord belongs to the thread that opened it; reading runs on threads of app's.
 */
#ifndef HILUM_APP_RECORD_H
#define HILUM_APP_RECORD_H

#include "app.h"

G_BEGIN_DECLS

typedef struct {
  gint64 number;       /* from 1, without gaps */
  char *time;          /* ISO 8601, UTC */
  char *kind, *action; /* as the log has them; ACTION may be ""; KIND "": it cannot be read */
  char *who;           /* full name or name of the user, and who had signed in */
  char *summary;       /* what it was about, a line for people; "" */
  char *facts;         /* all that it says, "name: value" a line; "" */
  GPtrArray *fields;   /* the same: of char *, a name as the log has it and its value in turn */
  char *sha256;        /* of the event, which covers all before it */
  gboolean failed;
  gboolean erased;     /* its texts are gone for ever: the patient's key was destroyed */
  gint64 conversation; /* that it belongs to, or 0 */
} AppEvent;
void app_event_free(AppEvent *event);
/* What such an event is called, for people: "Question and answer". Static. */
const char *app_event_title(const char *kind, const char *action);
/* The kinds there are, by number, as the log has them; NULL past the last. */
const char *app_event_kind(guint index);

typedef struct _AppRecord AppRecord;
/* Opens the log for looking, which is an event of it. LOG_PATH NULL: the default place. */
void app_record_open_async(const char *log_path, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user);
AppRecord *app_record_open_finish(GAsyncResult *result, GError **error);
/* What is being read goes on and is thrown away. */
void app_record_free(AppRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppRecord, app_record_free)
/* Events there were when it was opened. */
gint64 app_record_n_events(AppRecord *record);

/* Events of these NUMBERS; of AppEvent *, as many, in the same order. */
void app_record_read_async(AppRecord *record, const gint64 *numbers, gsize n,
                           GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user);
GPtrArray *app_record_read_finish(AppRecord *record, GAsyncResult *result, GError **error);

typedef struct {
  const char *kind; /* NULL: any */
  const char
      *words;      /* that an event must have, all of them, whatever their case; NULL or "": any */
  gboolean failed; /* only what went wrong */
} AppRecordFilter;
/* N events that were found since the last call, newest first and all older than those before; DONE
 * of TOTAL have been looked at. */
typedef void (*AppRecordFound)(const gint64 *numbers, gsize n, guint64 done, guint64 total,
                               gpointer user);
/* Looks for events that FILTER lets through, from the newest to the oldest. FOUND (or NULL) is told
 * of them some times a second, in the caller's main context, N may be 0; not after CANCELLABLE. */
void app_record_find_async(AppRecord *record, const AppRecordFilter *filter, AppRecordFound found,
                           gpointer found_user, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user);
/* All were told of. */
gboolean app_record_find_finish(AppRecord *record, GAsyncResult *result, GError **error);

G_END_DECLS
#endif
