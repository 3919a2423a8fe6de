/* train.h - training of the projector, the decoder and the vision tower, in float32.
 *
 * A second target on top of model/: it reads a checkpoint through the same readers, keeps every
 * parameter in one float32 arena, and runs forward and backward with OpenBLAS. It does not print;
 * progress goes through a callback. One TrainRun belongs to one thread; its kernels use a pool.
 *
 * Sources: LLaVA-Med (facts 5), AdamW as torch does it, cosine schedule as transformers does it;
 * vectors/reference/oracle.py is the same in PyTorch.
 */
#ifndef HILUM_TRAIN_H
#define HILUM_TRAIN_H

#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What trains: "projector", "projector,llm", "vision,projector,llm" (any comma-separated subset).
 */
typedef enum { TRAIN_VISION = 1, TRAIN_PROJECTOR = 2, TRAIN_LLM = 4 } TrainParts;
bool train_parts_parse(const char *names, unsigned *parts, ModelError *err);

typedef struct {
  unsigned parts;            /* TrainParts */
  const char *mask;          /* "plain", "llama_2", "v1", "v0" */
  const char *template_name; /* NULL: the checkpoint's own */
  double lr;                 /* 0: the paper's for the stage (2e-3 projector alone, else 2e-5) */
  double weight_decay, beta1, beta2, eps, clip_norm; /* 0, .9, .999, 1e-8, 1 */
  double warmup_ratio;                               /* .03 */
  bool constant_lr;                                  /* else cosine to 0 */
  uint32_t batch, accumulate; /* samples per micro-batch, micro-batches per step */
  uint32_t max_length;        /* ids, 2048 */
  uint64_t steps;             /* optimizer steps in all; 0: from epochs */
  double epochs;              /* 0: the paper's for the stage (1 projector alone, else 3) */
  uint64_t seed;
  uint32_t n_threads;
  uint64_t checkpoint_every; /* steps; 0: only at the end */
} TrainOptions;
void train_options_init(TrainOptions *options); /* LLaVA-Med's defaults */

/* One training sample. TURNS: question, answer, question, ... (for mask "plain": the caption
 * alone). The picture's mark "<image>" is placed by the trainer into the first question, at random
 * in front
 * ("<image>\nQ") or behind ("Q\n<image>"), unless the text holds it already. */
typedef struct {
  const char *const *turns;
  size_t n_turns;
  ModelImage image; /* pixels NULL: text only */
} TrainSample;

/* Where samples come from; owned by the caller. GET is called from the training thread; the sample
 * stays valid until the next call. KIND: data kinds are drawn uniformly (stage 2). */
typedef struct {
  uint32_t n_kinds;
  uint64_t (*count)(uint32_t kind, void *user);
  bool (*get)(uint32_t kind, uint64_t index, TrainSample *sample, void *user, ModelError *err);
  void *user;
} TrainSource;

typedef struct {
  uint64_t step, steps;
  double loss, lr, grad_norm, samples_per_s, seconds;
  uint64_t samples, tokens, mismatches;
} TrainProgress;
/* false: stop after this step; a checkpoint is written. */
typedef bool (*TrainProgressFunc)(const TrainProgress *progress, void *user);

typedef struct TrainRun TrainRun;

/* Starts from MODEL (folder or GGUF, read through model_engine_open's readers). Strings are copied.
 */
TrainRun *train_run_new(const char *model, const ModelEngineOptions *engine_options,
                        const TrainOptions *options, ModelError *err);
void train_run_free(TrainRun *run);

/* Pictures can be prepared once, ahead of time and in any thread: OUT gets side * side * 3 bytes,
 * and a TrainSample with that square trains the same as with the picture. Side 0: no tower. */
uint32_t train_run_picture_side(const TrainRun *run);
bool train_run_square(const TrainRun *run, const ModelImage *image, uint8_t *out, ModelError *err);

/* A model of the given shape with random weights (seeded; decoder as GPT-2 and LLaMA: deviation
 * 0.02, tower and projector 1/sqrt(inputs), what adds to a residual stream divided by
 * sqrt(2 layers)), written as our single GGUF (f32), to start from nothing. TOKENIZER: a
 * SentencePiece tokenizer.model. */
#define TRAIN_SHAPE_TEXT 256 /* most bytes of its text form, NUL included */
typedef struct {
  uint32_t image_size, patch_size, vision_hidden, vision_blocks, vision_heads, vision_ffn;
  uint32_t hidden, layers, heads, kv_heads, ffn, context;
  float theta;
  bool tied;             /* the output table is the token table */
  const char *projector; /* "linear", "mlp2x_gelu" */
  const char *template_name;
  const char *name;
  uint64_t seed;
} TrainShape;
void train_shape_init(TrainShape *shape);
/* "key=value,key=value": the names of TrainShape's fields. Strings point into a copy that is kept
 * in STORAGE. */
bool train_shape_parse(const char *text, TrainShape *shape, char storage[TRAIN_SHAPE_TEXT],
                       ModelError *err);
bool train_model_init(const TrainShape *shape, const char *tokenizer, const char *out,
                      ModelError *err);

/* Trains to the end (or until PROGRESS says stop). CHECKPOINT_DIR may be NULL; when it holds a
 * whole checkpoint of this run, training goes on from there to the same numbers. */
bool train_run(TrainRun *run, const TrainSource *source, const char *checkpoint_dir,
               TrainProgressFunc progress, void *user, ModelError *err);
/* The weights as our single GGUF (type "f32", "f16" or "q8_0"). */
bool train_run_write(TrainRun *run, const char *type, const char *card, const char *out,
                     ModelError *err);

#ifdef __cplusplus
}
#endif
#endif
