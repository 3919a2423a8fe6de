/* app_trust.h - how far an answer can be relied on, and what a person made of it.
 *
 * Each finished turn's JSON object (app_review_ask()) carries, beside what app.h says:
 *   "turn_id"  its id in the log; null as long as it is not there
 *   "tokens"   [{"text", "p"}]: the pieces of the answer, which together are the answer, and the
 *              probability that the model gave to each (after temperature 1, before top-p); null
 *              from a server that does not tell
 *   "images"   of the conversation so far: [{path, frame, window, region, turns, flip,
 * sent_sha256}]
 */
#ifndef HILUM_APP_TRUST_H
#define HILUM_APP_TRUST_H

#include "app.h"

G_BEGIN_DECLS

/* ---- what the model sees --------------------------------------------------------------------- */

/* The very square that the tower gets of a choice: cut out, turned, padded, resized as the model's
 * preprocessing does it; RGB. */
void app_review_seen_async(AppReview *review, const AppImageChoice *image,
                           GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user);
AppPicture *app_review_seen_finish(AppReview *review, GAsyncResult *result, GError **error);

/* ---- asking the same again ------------------------------------------------------------------- */

typedef enum {
  APP_CHECK_BLANK, /* on a blank image, greedily beside the greedy answer on the image */
  APP_CHECK_SEEDS, /* with N other seeds */
} AppCheck;
/* In the background, on the review's worker, in a conversation of its own: turn TURN (from 0) of
 * the present conversation with all that came before it. A question that comes meanwhile stops it.
 * {check, answers: [{answer, seed}], same: whether all say the same as the turn (letters, digits
 * and spaces alone being compared, in lower case), agreement: share of pairs, 0 to 1, by the words
 * that both have (Jaccard), depends_on_image: for BLANK, whether the answers differ}. The result is
 * in the log beside the turn. */
void app_review_check_async(AppReview *review, guint turn, AppCheck check, guint n,
                            GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user);
JsonNode *app_review_check_finish(AppReview *review, GAsyncResult *result, GError **error);

/* ---- verdicts -------------------------------------------------------------------------------- */

typedef enum { APP_VERDICT_ACCEPTED, APP_VERDICT_EDITED, APP_VERDICT_REJECTED } AppVerdict;
/* Of the person who is logged in on this machine, or signed in with a PIN (app_person.h), at this
 * time; the newest of a turn counts, none is lost. TEXT: the edited answer, kept beside the model's;
 * NULL otherwise. {verdict, text, by, person: who signed in or null, time}. */
void app_review_judge_async(AppReview *review, gint64 turn_id, AppVerdict verdict, const char *text,
                            GAsyncReadyCallback callback, gpointer user);
JsonNode *app_review_judge_finish(AppReview *review, GAsyncResult *result, GError **error);
/* The same, of any turn of the log. LOG_PATH NULL: the default place. */
JsonNode *app_log_judge(const char *log_path, gint64 turn_id, AppVerdict verdict, const char *text,
                        GError **error);
/* Turn TURN (from 0) of the present conversation in the log; 0 while it is not there: see
 * app_review_save(). Waits for an answer that is under way. */
gint64 app_review_turn_id(AppReview *review, guint turn);

/* ---- history --------------------------------------------------------------------------------- */

typedef struct {
  gint64 id;     /* conversation */
  char *started; /* ISO 8601, UTC */
  char *first_question, *modality, *image_path, *model_name;
  guint n_turns;
  gint64 branch_of; /* conversation that it branches off; 0: none */
  char *snippet;    /* around what was found; "" without a query */
  gboolean erased;  /* the key of its texts is gone: no question */
  gboolean lost;    /* its texts were lost with a damaged log */
} AppHistoryEntry;
void app_history_entry_free(AppHistoryEntry *entry);
/* Conversations whose questions, answers or edited texts hold all words of QUERY (as beginnings of
 * words, whatever their case and accents), newest first; QUERY "" : all. LOG_PATH NULL: the default
 * place. Of AppHistoryEntry. */
void app_history_search_async(const char *log_path, const char *query, guint limit,
                              GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user);
GPtrArray *app_history_search_finish(GAsyncResult *result, GError **error);
/* The same at once, as the array of `hilum log search --json`: objects as app_log_list() has them,
 * with "snippet". */
JsonNode *app_log_search(const char *log_path, const char *query, guint limit, GError **error);
/* The turns of a conversation as app_log_show() has them, with "verdicts" (oldest first) and
 * "checks"; before them those that it branches off, so that element I is turn I of a review that
 * goes on with it. "conversation" is the one that a turn was said in. */
void app_history_show_async(const char *log_path, gint64 id, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user);
JsonNode *app_history_show_finish(GAsyncResult *result, GError **error);

/* Goes on with a conversation of the log: its images are opened again (an error when one is no
 * longer what was asked about, by the hash of what was sent), its turns are computed anew without
 * sampling, and the next question opens a conversation that branches off its end. */
void app_review_resume_async(AppReview *review, gint64 conversation, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user);
gboolean app_review_resume_finish(AppReview *review, GAsyncResult *result, GError **error);

G_END_DECLS
#endif
