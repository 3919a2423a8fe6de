/* app_proof.h - the log proves itself: verification, proofs for others, erasure, the root key.
 *
 * LOG_PATH NULL: the default place. Reports come as JSON objects with the keys of the command line.
 */
#ifndef HILUM_APP_PROOF_H
#define HILUM_APP_PROOF_H

#include <gio/gio.h>

#include "app.h"

G_BEGIN_DECLS

/* {whole, found, first, log_id, events, root, checkpoints, signed_events, unsigned_events,
 * signed_at, kept_checkpoints, cut, clock_back, clock_back_first}. PUBLIC_KEY: a copy of LOG.pub,
 * or NULL. CHECKPOINTS: a file with checkpoints that were kept elsewhere (notes, a copy of
 * LOG.head, a proof, an export's manifest), or NULL. PROGRESS in events; FALSE cancels. The log
 * keeps an event of it, where it can be written. */
JsonNode *app_log_verify(const char *log_path, const char *public_key, const char *checkpoints,
                         AppProgress progress, gpointer user, GError **error);
/* Signs how the log stands now, appends that to LOG.head and gives it out, to be kept elsewhere:
 * {log_id, checkpoint, journal}. JOURNAL: gives it to the system's journal, too. */
JsonNode *app_log_checkpoint(const char *log_path, gboolean journal, GError **error);
/* Writes the proof of conversation ID to OUT (aside, then renamed): {out, conversation, bytes}. */
JsonNode *app_log_prove(const char *log_path, gint64 id, const char *out, GError **error);
/* Needs no log: FILE and the public key of the log that it came from. {valid: true, events: [...]},
 * each {number, time, kind, sha256, body, text}; an error when it is no proof. */
JsonNode *app_log_check_proof(const char *file, const char *public_key, GError **error);
/* app_log_erase_all() (app_rotate.h) without anything particular. */
JsonNode *app_log_erase(const char *log_path, gint64 id, const char *reason, GError **error);
/* WITH: "file", "passphrase" or "keyring". {protection}. ARGUMENT when it is none of them. */
JsonNode *app_log_protect(const char *log_path, const char *with, GError **error);
const char *app_log_protection_name(guint index); /* NULL past the last */

/* ---- beside what the user does ----------------------------------------------------------------
 */

/* {protection} of the log that is there; null where there is none yet. Asks for no key. */
JsonNode *app_log_state(const char *log_path, GError **error);
/* What LOG.head told against the log when REVIEW opened it; NULL: nothing. Borrowed. */
const char *app_review_log_trouble(AppReview *review);

/* The calls above on threads of app's; each ends with app_log_job_finish(). PROGRESS is called in
 * the caller's main context. */
void app_log_state_async(const char *log_path, GAsyncReadyCallback callback, gpointer data);
void app_log_verify_async(const char *log_path, AppProgress progress, gpointer user,
                          GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data);
void app_log_protect_async(const char *log_path, const char *with, GAsyncReadyCallback callback,
                           gpointer data);
JsonNode *app_log_job_finish(GAsyncResult *result, GError **error);

G_END_DECLS
#endif
