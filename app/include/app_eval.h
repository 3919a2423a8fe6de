/* app_eval.h - running a model over questions with known answers, and scoring it.
 *
 * Questions are JSON Lines, one object a line: question_id, image (file below the images folder),
 * text, answer, answer_type (OPEN or CLOSED), kind. An image is encoded once for all its questions
 * that follow each other. Answers are greedy. Unknown keys are ignored.
 */
#ifndef HILUM_APP_EVAL_H
#define HILUM_APP_EVAL_H

#include "app.h"

G_BEGIN_DECLS

typedef struct {
  AppModelOptions model;
  AppRemoteOptions remote;        /* with a URL: in place of MODEL */
  const char *questions, *images; /* file, folder */
  gboolean blank;                 /* a blank picture in each image's place: the control */
  guint limit;                    /* most questions; 0: all */
  guint max_tokens;               /* of an answer; 0: 32 */
  AppAnswerForm form;             /* of closed questions */
} AppEvalOptions;

/* ROW {question_id, kind, answer_type, text, reference, answer, exact, recall, closed} is the
 * question just answered. */
typedef void (*AppEvalRow)(JsonNode *row, guint done, guint total, gpointer user);

/* The scores: {model, model_sha256, engine, blank_image, questions, groups: [{kind, answer_type, n,
 * exact, exact_low, exact_high, recall, recall_low, recall_high, closed, majority,
 * majority_answer}]}; shares from 0 to 1 with 95 % bootstrap intervals; the groups "all" come last.
 * MAJORITY is what the most frequent answer of that group would score. ROW may be NULL. */
JsonNode *app_eval_vqa(const AppEvalOptions *options, AppEvalRow row, gpointer user,
                       GCancellable *cancellable, GError **error);

G_END_DECLS
#endif
