/* review.h - the inside of a review, shared by review.c, review-report.c and review-async.c.
 *
 * Invariants:
 * 1. `work` is held by whoever touches backend, shot, conversation or logbook: one question at a
 *    time, whichever thread asks it.
 * 2. `shot` is the picture of the conversation of `backend`; it changes only together with a reset.
 * 3. A finished turn is in the log or in the logbook's queue, never in neither.
 */
#ifndef HILUM_APP_REVIEW_H
#define HILUM_APP_REVIEW_H

#include "backend.h"
#include "logbook.h"
#include "model_prompt.h"

G_BEGIN_DECLS

typedef struct _AppWorker AppWorker;

struct _AppReview {
  GMutex work;
  AppBackend *backend;
  AppLogbook *logbook; /* NULL: no log is kept */
  AppConversation *conversation;
  AppShot *shot;
  char *shot_path;
  AppWindow shot_window;

  /* The picture that was prepared, when it is not that of the conversation. */
  AppShot *ready;
  char *ready_path;
  AppWindow ready_window;

  gint closing;      /* atomic: the review is being freed */
  AppWorker *worker; /* made by the first asynchronous question */
};

/* A turn on its way from the model to the log and to JSON. */
typedef struct {
  const AppQuestion *question;
  gboolean describing;
  ModelInstruction instruction; /* when describing */
  const char *text;             /* the question as the user reads it */
  char *sent;                   /* with the answer form's suffix, as the model reads it */
  AppSampling sampling;
  ModelAnswer answer;
  char *why;    /* by what the answer was interrupted, or NULL */
  guint number; /* counted from 1 */
} AppTurn;

/* review-report.c */
JsonNode *app_turn_json(AppReview *review, const AppTurn *turn);
void app_turn_log(AppReview *review, const AppTurn *turn); /* into the logbook */

/* review.c */
gboolean app_review_same_image(const AppImageChoice *a, const AppImageChoice *b);
/* The part of app_review_prepare() that works. */
void app_review_prepare_now(AppReview *review, const AppImageChoice *choice,
                            gboolean (*go_on)(gpointer user), gpointer user);
void app_review_settle(AppReview *review);

/* review-expect.c */
void app_review_expect_log(AppReview *review, const char *log_path);

/* review-async.c */
void app_worker_stop_preparing(AppWorker *worker); /* WORKER may be NULL */
void app_worker_stop(AppWorker *worker); /* joins the thread; questions in line are refused */

G_END_DECLS
#endif
