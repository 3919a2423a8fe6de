/* app_train.h - training a model on data sets in LLaVA's format.
 *
 * A data set is a JSON array or JSON Lines of {id, image, conversations: [{from: "human"|"gpt",
 * value}]} ("conversatons" is understood too; other keys are ignored; no image: text alone). Files
 * are mapped and read record by record, so that their size does not matter. Each file is one kind
 * of data; kinds are drawn uniformly. Pictures (DICOM, PNG, JPEG) are decoded once and kept as the
 * small squares that the tower gets, up to a limit.
 */
#ifndef HILUM_APP_TRAIN_H
#define HILUM_APP_TRAIN_H

#include "app.h"

G_BEGIN_DECLS

typedef struct {
  AppModelOptions model;   /* where to start; model.model NULL: from INIT_SHAPE */
  const char *init_shape;  /* "hidden=256,layers=6,..." or "" for the default shape */
  const char *tokenizer;   /* SentencePiece model for it */
  const char *const *data; /* files, ends with NULL */
  const char *images;      /* folder that images are below */
  const char *train;       /* "projector", "projector,llm", "vision,projector,llm" */
  const char *mask;        /* "plain", "llama_2", "v1", "v0" */
  double lr, weight_decay, warmup_ratio, clip_norm, beta2; /* lr 0: the paper's */
  gboolean constant_lr;
  guint batch, accumulate, max_length;
  guint64 steps; /* 0: from epochs */
  double epochs; /* 0: the paper's */
  guint64 seed;
  const char *checkpoint_dir; /* NULL: none */
  guint64 save_every;         /* steps; 0: only at the end */
  const char *out, *type;     /* GGUF and "f32", "f16" or "q8_0" */
  const char *card;           /* text file for the model's card, or NULL */
  guint64 picture_bytes;      /* of prepared pictures to keep */
} AppTrainOptions;
void app_train_options_init(AppTrainOptions *options);

/* PHASE "pictures": DONE of TOTAL are prepared. "train": DONE of TOTAL steps, with the numbers. */
typedef struct {
  const char *phase;
  guint64 done, total;
  double loss, lr, grad_norm, samples_per_s, seconds;
  guint64 samples, tokens, mismatches;
} AppTrainProgress;
/* Called from the calling thread. FALSE: stop here; a checkpoint is written. */
typedef gboolean (*AppTrainReport)(const AppTrainProgress *progress, gpointer user);

/* Trains and writes OUT. {out, sha256, type, steps, samples, tokens, mismatches, seconds, loss};
 * LOSS is the mean over the last tenth of the steps. When it is stopped OUT is not written and the
 * error is APP_ERROR_CANCELLED. Without DATA, the random start itself is written. */
JsonNode *app_train(const AppTrainOptions *options, AppTrainReport report, gpointer user,
                    GError **error);

G_END_DECLS
#endif
