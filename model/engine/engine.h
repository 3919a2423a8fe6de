/* engine.h - the opened model and its stages. Private to model/engine and the room's tests.
 *
 * Invariants of a ModelEngine:
 * 1. `weights` is what the stages compute with. Its vectors (norms, biases, class and position
 *    embeddings) are always aligned float32; its matrices are of any type, read in place from the
 *    file's mapping, or packed in `packed`, or all float32 in `arena` when the model is small (see
 *    weights.c).
 * 2. Nothing changes after model_engine_open(), but the pictures that are kept, under a lock of
 *    their own; the pool makes callers take turns by itself.
 */
#ifndef HILUM_MODEL_ENGINE_H
#define HILUM_MODEL_ENGINE_H

#include <stdatomic.h>

#include "kernels/kernels.h"
#include "kernels/kv.h"
#include "tokenizer/tokenizer.h"

struct ModelEngine {
  ModelCheckpoint checkpoint;
  ModelWeights weights; /* arrays `blocks` and `layers` are the engine's own */
  float *arena;
  uint8_t *packed; /* packed_bytes of it */
  size_t packed_bytes;
  bool packs;              /* some weights are packed, here or in the file */
  uint64_t resident_bytes; /* of all weights in the form that they are computed with */
  ModelPool *pool;         /* NULL: only to be looked at */
  ModelTokenizer *tokenizer;
  ModelInfo info;
  char quantization[32];
  uint32_t n_patches;
  uint32_t n_usable; /* ids that the vocabulary knows: rows past it are padding, never sampled */
  struct ModelPictures *pictures; /* NULL for a model that sees none */
  char identity[65];              /* what keys and values depend on, tower and projector aside */
  char picture_identity[65];      /* what a picture's rows depend on */
};

#define MODEL_ARENA_BYTES (256u << 20)

/* The part of model_engine_open() after reading. Takes *CHECKPOINT over, also when it fails.
 * ARENA_BYTES: up to this many bytes of float32 all weights are dequantised once. */
ModelEngine *model_engine_new(ModelCheckpoint *checkpoint, const ModelEngineOptions *options,
                              uint64_t arena_bytes, ModelError *err);

/* Fills engine->weights and engine->arena from engine->checkpoint. */
bool model_engine_weights(ModelEngine *engine, uint64_t arena_bytes, ModelError *err);
void model_engine_weights_clear(ModelEngine *engine);

/* A vector of the engine's weights (invariant 1). */
static inline const float *
model_vector(const ModelTensor *tensor)
{
  return tensor->name ? (const float *)(const void *)tensor->data : NULL;
}

/* Fills engine->identity and engine->picture_identity; last of all, when the pool is there. */
bool model_engine_identify(ModelEngine *engine, ModelError *err);
/* model_picture_key() of what the tower sees, [side][side][3]. */
void model_square_key(const ModelEngine *engine, const uint8_t *square, char key[65]);

/* The longest run of rows that packed weights are multiplied with, and the most columns: of the
 * decoder, or of tower and projector (none: *m = 0). */
void model_engine_widest(const ModelConfig *config, bool picture, uint64_t *m, uint64_t *columns);
/* The positions that a session with OPTIONS (or NULL) has. */
uint32_t model_engine_context(const ModelEngine *engine, const ModelSessionOptions *options);

/* False for an engine that was opened to be looked at. */
bool model_engine_check_ready(const ModelEngine *engine, ModelError *err);

/* a * b * c * d, or MODEL_ERROR_TOO_LARGE when it does not fit. */
bool model_size(size_t a, size_t b, size_t c, size_t d, const char *what, size_t *size,
                ModelError *err);

/* ---- what a running call looks at --------------------------------------------------------- */

typedef struct {
  const atomic_bool *cancel; /* may be NULL */
  const ModelCallbacks *callbacks;
} ModelWatch;

/* False, with MODEL_ERROR_CANCELLED, once a stop was asked for. */
bool model_watch_go_on(const ModelWatch *watch, ModelError *err);
void model_watch_progress(const ModelWatch *watch, ModelPhase phase, uint32_t done, uint32_t total);

/* Runs TASK over blocks of rows 0 .. n_rows - 1 of a matrix, on all threads. */
void model_rows_run(ModelPool *pool, uint64_t n_rows,
                    void (*task)(uint64_t first, uint64_t n, void *user), void *user);

/* ---- tower and projector ------------------------------------------------------------------ */

/* pixels [3][side][side], normalised -> features [n_patches][vision hidden]: the tower's hidden
 * state after blocks_run blocks, class token dropped. */
bool model_vision_encode(const ModelEngine *engine, const float *pixels, const ModelWatch *watch,
                         float *features, ModelError *err);
/* features [n_patches][vision hidden] -> rows [n_patches][hidden]. */
bool model_project(const ModelEngine *engine, const float *features, float *rows, ModelError *err);
/* The same two of the first N patches, as if a picture had no more: not what answers are made of. */
bool model_vision_encode_some(const ModelEngine *engine, const float *pixels, uint32_t n,
                              const ModelWatch *watch, float *features, ModelError *err);
bool model_project_some(const ModelEngine *engine, const float *features, uint32_t n, float *rows,
                        ModelError *err);
/* u8 [side][side][3] -> rows [n_patches][hidden]; FEATURES as above, or NULL when not wanted. */
bool model_picture_rows(const ModelEngine *engine, const uint8_t *u8, const ModelWatch *watch,
                        float *features, float *rows, ModelError *err);

/* ---- decoder ------------------------------------------------------------------------------ */

#define MODEL_PREFILL_CHUNK 512u /* positions that go through a layer together */

/* Everything that a timeline needs, sized once: nothing is allocated per token. */
typedef struct {
  const ModelEngine *engine;
  uint32_t context, chunk;
  uint64_t kv_dim;
  ModelKv kv;           /* keys after the rotation, and values */
  float *x, *h;         /* [chunk][hidden] */
  float *q, *attended;  /* [chunk][heads * head_dim] */
  float *k, *v;         /* [chunk][kv_dim], before they go into kv */
  float *gate, *up;     /* [chunk][ffn] */
  float *cosine, *sine; /* [chunk][head_dim / 2] */
  double *frequency;    /* [head_dim / 2] */
  float *logits;        /* [vocab], of the last position that was run */
} ModelDecoder;

/* A timeline with the AUTO type of keys and values, and with one of choice. */
bool model_decoder_init(ModelDecoder *decoder, const ModelEngine *engine, uint32_t context,
                        ModelError *err);
bool model_decoder_init_typed(ModelDecoder *decoder, const ModelEngine *engine, uint32_t context,
                              ModelKvType type, ModelError *err);
void model_decoder_clear(ModelDecoder *decoder);

/* A list of ids, and the picture's rows that stand for its picture. */
typedef struct {
  const int32_t *ids;
  size_t n;
  size_t n_plain;    /* the first n_plain ids are tokens even where they look like the picture's */
  const float *rows; /* [n_patches][hidden], or NULL */
  size_t next;       /* cursor: id, and row inside the picture */
  uint32_t row;
} ModelSpan;

/* Number of positions of SPAN. Checks every id against the vocabulary, and that a picture is there
 * exactly when HAS_PICTURE. */
bool model_span_positions(const ModelEngine *engine, const ModelSpan *span, bool has_picture,
                          uint64_t *positions, ModelError *err);

/* Runs all of SPAN from position FIRST on, in chunks; logits are those after its last position.
 * Stops between layers when WATCH says so: then nothing from FIRST on counts. */
bool model_decoder_run(ModelDecoder *decoder, ModelSpan *span, uint32_t first,
                       const ModelWatch *watch, ModelError *err);
/* Runs one token at POSITION. */
bool model_decoder_step(ModelDecoder *decoder, int32_t id, uint32_t position,
                        const ModelWatch *watch, ModelError *err);
/* Runs N tokens (at most `chunk`) from position FIRST on: logits[n][vocab] are those after each.
 * Keys and values of tokens that turn out wrong are simply run over later. */
bool model_decoder_verify(ModelDecoder *decoder, const int32_t *ids, uint32_t n, uint32_t first,
                          float *logits, const ModelWatch *watch, ModelError *err);

/* Memory of the keys and values of the first N positions (and of some more: whole tiles). What it
 * holds is told by the layout, the model and N alone. */
uint8_t *model_decoder_state(const ModelDecoder *decoder, uint32_t n, uint64_t *n_bytes);
uint32_t model_decoder_layout(const ModelDecoder *decoder);

/* What goes into one position: a token, or a row of a picture. */
typedef struct {
  const float *row; /* [hidden], or NULL */
  int32_t id;
} ModelInput;
/* Runs N inputs from position FIRST on, in chunks; all of it fits in the context. *done: how many
 * positions count, also when it was stopped. */
bool model_decoder_feed(ModelDecoder *decoder, const ModelInput *inputs, uint32_t n, uint32_t first,
                        const ModelWatch *watch, uint32_t *done, ModelError *err);

#endif
