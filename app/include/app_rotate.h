/* app_rotate.h - one log after another: sealing the one, keeping it for as long as is due, removing
 * it when that is over.
 *
 * LOG_PATH NULL: the default place. Reports come as JSON objects with the keys of the command line.
 * Nothing here happens by itself.
 */
#ifndef HILUM_APP_ROTATE_H
#define HILUM_APP_ROTATE_H

#include "app.h"

G_BEGIN_DECLS

/* When it is done; all zeros: at once. */
typedef struct {
  guint64 larger_than; /* bytes of the log's file */
  gboolean new_year;   /* its first event is of an earlier year (UTC) */
} AppRotateWhen;

/* Seals the log and begins another in its place: {rotated: true, file, log_id, number, events,
 * root, sealed_at, log, next_log_id}; or {rotated: false, log, bytes, begun}, as it was not due.
 * What was computed about pictures and kept on disk goes with it. */
JsonNode *app_log_rotate(const char *log_path, const AppRotateWhen *when, GError **error);
/* The logs that go on from one another, oldest first, the log itself last: an array of {file,
 * log_id, number, events, begun, sealed_at, bytes, state, found, kept_until, kept}. STATE: "open",
 * "sealed", "missing", "other", "unreadable" or "removed". */
JsonNode *app_log_links(const char *log_path, GError **error);
/* app_log_list(), or app_log_search() for WORDS, of all of them, the newest log first:
 * {conversations, missing}: each row has its "log"; MISSING: files that could not be looked into.
 */
JsonNode *app_log_find_all(const char *log_path, const char *words, guint limit, GError **error);
/* app_log_verify(), and each log that it goes on from: "linked" has {file, state, whole, found,
 * log_id, events, root} of each, newest first; "whole" and "found" are those of all. */
JsonNode *app_log_verify_all(const char *log_path, const char *public_key, const char *checkpoints,
                             AppProgress progress, gpointer user, GError **error);

/* YEARS 0: as it is. {years, set, usual_years, duty, over: [files]}: how long what was sealed is
 * kept, why, and for which sealed logs that is over. */
JsonNode *app_log_retain(const char *log_path, guint years, GError **error);
/* Removes a sealed log whose time is over, for ever: {file, log_id}. */
JsonNode *app_log_retire(const char *log_path, const char *file, const char *reason,
                         GError **error);

typedef struct {
  const char *reason;     /* kept in the log */
  const char *of;         /* the sealed log that the conversation is of; NULL: the log itself */
  gboolean leave_missing; /* logs that cannot be reached are left as they are */
} AppErasure;
/* {conversation, subjects, logs, left, retention_years, to_be_kept_until}: how many keys were
 * erased, in how many logs, which logs were not reached, and until when the texts were to be kept
 * (null: that was over). */
JsonNode *app_log_erase_all(const char *log_path, gint64 id, const AppErasure *erasure,
                            GError **error);

G_END_DECLS
#endif
