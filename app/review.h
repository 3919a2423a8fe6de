/* review.h - the inside of a review, shared by the files review-*.c.
 *
 * Invariants:
 * 1. `work` is held by whoever touches backend, shots, said, conversation or logbook: one question
 *    at a time, whichever thread asks it.
 * 2. `shots` are the pictures of the conversation of `backend`, in the order in which they joined;
 *    the first changes only together with a reset, the others come and go with their turns.
 * 3. `said` has a row for each turn of `backend`.
 * 4. A finished turn is in the log or in the logbook's queue, never in neither.
 */
#ifndef HILUM_APP_REVIEW_H
#define HILUM_APP_REVIEW_H

#include "backend.h"
#include "logbook.h"
#include "model_prompt.h"
#include "record-note.h"

G_BEGIN_DECLS

typedef struct _AppWorker AppWorker;

struct _AppReview {
  GMutex work;
  AppBackend *backend;
  AppLogbook *logbook; /* NULL: no log is kept */
  AppNotes *notes;     /* a reference; NULL: the logbook is told of files and models */
  AppConversation *conversation;
  GPtrArray *shots;  /* of AppShot */
  GHashTable *noted; /* paths that the log was told of; made by the first */
  GPtrArray *said;   /* of AppSaid */
  AppShot *ready;    /* the picture that was prepared, when it is none of the conversation's */

  gint closing;   /* atomic: the review is being freed */
  char *log_path; /* NULL: the default place */
  GMutex aside;   /* of the next two */
  GCond aside_over;
  guint n_aside;     /* threads that look at pictures and at nothing that `work` guards */
  AppWorker *worker; /* made by the first asynchronous question */
};

/* A turn on its way from the model to the log and to JSON. */
typedef struct {
  const AppQuestion *question;
  gboolean joined; /* its picture is another one of the conversation */
  gboolean describing;
  ModelInstruction instruction; /* when describing */
  const char *text;             /* the question as the user reads it */
  char *sent;                   /* with the answer form's suffix, as the model reads it */
  AppSampling sampling;
  ModelAnswer answer;
  char *why;    /* by what the answer was interrupted, or NULL */
  guint number; /* counted from 1 */
} AppTurn;

/* A finished turn of the conversation: what it takes to say it again. */
typedef struct {
  char *question, *answer; /* QUESTION as it was sent */
  gint32 *ids;             /* of the answer, or NULL */
  gsize n_ids;
  AppSampling sampling;
  guint n_shots; /* pictures that the model had seen by then */
  AppTurnId *id; /* NULL: no log is kept */
} AppSaid;
void app_said_free(gpointer said);

/* review-shots.c: the pictures of the conversation; `work` is held */
AppShot *app_review_newest_shot(AppReview *review); /* NULL: none */
/* Makes CHOICE (NULL: no change) a picture of the conversation. One that is none yet begins another
 * conversation, or, with ADD, joins this one: then *JOINED. */
gboolean app_review_choose(AppReview *review, const AppImageChoice *choice, gboolean add,
                           gboolean *joined, GError **error);
/* Begins anew. */
void app_review_reset_locked(AppReview *review);
/* Forgets what was said from TURN on, and the pictures that joined from there on. */
void app_review_forget(AppReview *review, guint turn);

/* review-report.c */
JsonNode *app_turn_json(AppReview *review, const AppTurn *turn);
/* 0 as long as TURN (from 0) is not in the log. `work` is held. */
gint64 app_review_turn_id_locked(AppReview *review, guint turn);
/* Into the logbook; to be unreferenced. */
AppTurnId *app_turn_log(AppReview *review, const AppTurn *turn);

/* review.c: an event beside the turns, best done; takes NOTE. */
void app_review_note(AppReview *review, AppNote *note);

/* review-shots.c, again */
/* ERROR says that a file is none that is read here, and not that it is not there. */
gboolean app_review_is_refusal(const GError *error);
/* That the file of CHOICE (may be NULL) was opened, or why not; each file once. Notes
 * know what was opened. */
void app_review_note_choice(AppReview *review, const AppImageChoice *choice, const GError *error);
gboolean app_review_same_image(const AppImageChoice *a, const AppImageChoice *b);
/* The part of app_review_prepare() that works. */
void app_review_prepare_now(AppReview *review, const AppImageChoice *choice,
                            gboolean (*go_on)(gpointer user), gpointer user);

/* review.c */
gint64 app_review_conversation(AppReview *review); /* id in the log; 0: it is not there */
void app_review_settle(AppReview *review);
gboolean app_review_save_locked(AppReview *review, GError **error);

/* review-check.c, review-resume.c: what the worker runs */
void app_review_run_check(AppReview *review, GTask *task);
void app_review_run_resume(AppReview *review, GTask *task);

/* review-expect.c */
void app_review_expect_log(AppReview *review, const char *log_path);

/* review-seen.c */
/* Work that takes no part in the conversation; the review is not freed before it ends. */
void app_review_begin_aside(AppReview *review);
void app_review_end_aside(AppReview *review);
void app_review_wait_for_asides(AppReview *review);

/* review-async.c */
void app_worker_stop_preparing(AppWorker *worker); /* WORKER may be NULL */
/* TASK (taken) is run by what its source tag says, when its turn comes. */
void app_worker_push(AppReview *review, GTask *task);
/* Whether a question waits, or the review is being closed: work that nobody waits for ends. */
gboolean app_worker_must_stop(AppWorker *worker);
void app_worker_stop_checking(AppWorker *worker);
/* BACKEND is stopped when a question comes, from now on; NULL: there is none any more. */
void app_worker_set_checking(AppWorker *worker, AppBackend *backend);
void app_worker_stop(AppWorker *worker); /* joins the thread; questions in line are refused */

G_END_DECLS
#endif
