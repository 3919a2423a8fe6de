/* app_export.h - what leaves the log for others, and what comes back from them. */
#ifndef HILUM_APP_EXPORT_H
#define HILUM_APP_EXPORT_H

#include "app.h"

G_BEGIN_DECLS

/* Of patients: nothing; keyed hashes in the place of identifiers; all. */
typedef enum { APP_PATIENT_NONE, APP_PATIENT_PSEUDONYM, APP_PATIENT_FULL } AppPatient;

typedef struct {
  const char *log_path; /* NULL: the default place */
  const char *format;   /* as app_export_format_name() has them */
  const char *out;      /* folder, which must not be there yet */
  const gint64 *conversations;
  gsize n_conversations;      /* 0: all */
  const char *const *studies; /* StudyInstanceUIDs, ends with NULL; NULL: all */
  /* Turns and events from SINCE on and before the end of UNTIL: "2026-11-26" or the beginning of an
   * ISO 8601 time, UTC; NULL: no bound. */
  const char *since, *until;
  gboolean text; /* what was asked and answered leaves too: it may name a patient */
  AppPatient patient;
} AppExportOptions;

/* The formats, by number; NULL past the last. */
const char *app_export_format_name(guint index);
const char *app_export_format_summary(guint index);
/* Whether it can only be made with TEXT, or with APP_PATIENT_FULL. */
gboolean app_export_format_needs_text(guint index);
gboolean app_export_format_needs_patient(guint index);

/* Writes a folder of files and manifest.json, whole or not at all, and an event into the log:
 * {out, format, files: [{name, bytes, sha256}], conversations, turns, events, left_out, head}.
 * PROGRESS in events of the log; FALSE cancels. */
JsonNode *app_export(const AppExportOptions *options, AppProgress progress, gpointer user,
                     GError **error);
/* On a thread of app's; PROGRESS is called in the caller's main context. OPTIONS is copied. */
void app_export_async(const AppExportOptions *options, AppProgress progress, gpointer user,
                      GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data);
JsonNode *app_export_finish(GAsyncResult *result, GError **error);

/* ---- back ----------------------------------------------------------------------------------- */

/* Takes the conversations of an exported set of JSON Lines into the log, marked as imported, after
 * all of it has been checked: {folder, format, conversations, turns, skipped, origin}. Those that
 * were taken from the same log before are skipped. */
JsonNode *app_import(const char *log_path, const char *folder, AppProgress progress, gpointer user,
                     GError **error);

/* ---- to a syslog server --------------------------------------------------------------------- */

typedef struct {
  const char *log_path;
  const char *to;      /* "tls://HOST:PORT" (RFC 5425), "tcp://HOST:PORT" (RFC 6587) */
  const char *ca_file; /* PEM of who vouches for the server; NULL: the system's */
  AppPatient patient;
} AppSendOptions;
/* Sends the audit messages of the events that were not sent to TO yet: {to, sent, last}. */
JsonNode *app_log_send(const AppSendOptions *options, AppProgress progress, gpointer user,
                       GError **error);

/* ---- consent -------------------------------------------------------------------------------- */

/* Whether answers of this log may become a training set: {given, time, by}; the last word counts.
 */
JsonNode *app_log_consent(const char *log_path, GError **error);
JsonNode *app_log_set_consent(const char *log_path, gboolean given, GError **error);

G_END_DECLS
#endif
