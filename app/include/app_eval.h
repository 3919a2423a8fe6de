/* app_eval.h - running models over questions with known answers, and scoring what they say.
 *
 * Answers are greedy. Questions are put image by image, whatever the order of the file, so that an
 * image is encoded once. Bad input (a broken record, an image that is not there, an answer of no
 * question) is named with file and line, counted in the report, and ends nothing.
 */
#ifndef HILUM_APP_EVAL_H
#define HILUM_APP_EVAL_H

#include "app.h"

G_BEGIN_DECLS

typedef struct {
  /* ROW is the question just answered: {question_id, kind, answer_type, text, reference, answer,
   * exact, recall, closed}. */
  void (*row)(JsonNode *row, guint done, guint total, gpointer user);
  void (*problem)(const char *text, gpointer user); /* of one record; the run goes on */
  gboolean (*go_on)(gpointer user);                 /* FALSE ends with CANCELLED */
  gpointer user;
} AppEvalListener; /* any of them may be NULL */

typedef struct {
  AppModelOptions model;
  AppRemoteOptions remote;        /* with a URL: in place of MODEL */
  const char *questions, *images; /* file; folder, NULL where no picture is asked about */
  /* "hilum", "llava", "vqa-rad", "slake", "pathvqa", "vqa-med-2019", "plain", "chat"; NULL: by
   * content */
  const char *format;
  const char *dataset;      /* whose published table stands beside; NULL: the format's */
  const char *const *where; /* "KEY=VALUE" or "KEY=VALUE,VALUE" of records to take; NULL: all */
  const char *language;     /* of q_lang; "all"; NULL: "en" */
  /* Files of answers, to be scored without a model, with the picture and without; NULL: ask. */
  const char *answers, *blank_answers;
  const char *out; /* where answers are appended as they come, and read again; or NULL */
  /* The training split: a file of questions, or in LLaVA's format (NULL: the one that WHERE or the
   * name of QUESTIONS tells of); its images (NULL: the same). */
  const char *train, *train_images;
  const char *const *train_where;
  const char *command; /* for the report; or NULL */
  gboolean blank;      /* a blank picture in each image's place, and no picture at all */
  gboolean control;    /* the same questions once more with a blank picture */
  guint limit;         /* most questions; 0: all */
  guint max_tokens;    /* of an answer; 0: 32 */
  guint64 seed;        /* of the intervals; 0: 1 */
  AppAnswerForm form;  /* of closed questions */
} AppEvalOptions;

/* The scores: {type: "vqa", model, model_sha256, engine, blank_image, questions, groups: [{kind,
 * answer_type, n, exact, recall, closed, majority, majority_answer, published: {...}, blank: {...},
 * train_majority: {...}}], by_organ, by_modality: the same, ...}; shares from 0 to 1, each with
 * 95 % bootstrap bounds _low and _high; the groups "all" come last. MAJORITY is what the most
 * frequent answer of that group would score. See hilum(1). */
JsonNode *app_eval_vqa(const AppEvalOptions *options, const AppEvalListener *listener,
                       GCancellable *cancellable, GError **error);

/* Asks and scores nothing: for a judge, or for other programs. A question needs no known answer;
 * OUT is where answers go. {type: "answers", model, model_sha256, engine, questions, answered,
 * images, images_encoded, left_out, files, command, version}. */
JsonNode *app_eval_answer(const AppEvalOptions *options, const AppEvalListener *listener,
                          GCancellable *cancellable, GError **error);

typedef struct {
  /* ScienceQA's problems.json, or the same as LLaVA's conversations. */
  const char *questions;
  const char *splits, *split; /* pid_splits.json, and which ("test"); NULL: all that is there */
  const char *answers;        /* lines of {question_id, text}, or a result file's {outputs} */
  const char *command;
  guint64 seed;
} AppEvalScienceOptions;
/* ScienceQA by LLaVA's rule: {type: "scienceqa", questions, correct, accuracy, accuracy_low,
 * accuracy_high, failed: no choice understood, unanswered, with_image: {n, accuracy}, majority,
 * ...}. What was not answered is wrong. */
JsonNode *app_eval_science(const AppEvalScienceOptions *options, const AppEvalListener *listener,
                           GError **error);

/* What a command printed with --json and --rows or without: the last line of PATH. */
JsonNode *app_eval_report_read(const char *path, GError **error);
/* Writes report.md and its plots into FOLDER, of REPORTS (an array of what the functions here
 * return). Names of the files: {folder, files: [...]}. */
JsonNode *app_eval_report(JsonArray *reports, const char *folder, GError **error);

G_END_DECLS
#endif
