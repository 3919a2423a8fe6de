/* clip.h - the two towers of a CLIP pair. Private to model/clip and its tests.
 *
 * Invariants of a ModelClip that was opened:
 * 1. Vectors (norms, biases, class and position embeddings of pictures) are aligned float32;
 *    matrices are of any float type, read in place from the files' mappings. A matrix that its
 *    file holds the other way round, or a vector that is not float32, lies in `arena`.
 * 2. Every id that the tokenizer gives is a row of the token embedding, every position that a text
 *    can have a row of the position embedding.
 * 3. Nothing changes any more.
 */
#ifndef HILUM_MODEL_CLIP_CLIP_H
#define HILUM_MODEL_CLIP_CLIP_H

#include "checkpoint/huggingface.h"
#include "engine/blocks.h"
#include "model_clip.h"
#include "tokenizer/words.h"

/* How a file names a tower. */
typedef enum { MODEL_CLIP_HUGGINGFACE, MODEL_CLIP_OPENAI, MODEL_CLIP_TIMM } ModelClipSightKind;
typedef enum { MODEL_CLIP_TEXT, MODEL_CLIP_TEXT_OPENAI, MODEL_CLIP_BERT } ModelClipTextKind;

typedef struct {
  ModelClipTextKind kind;
  ModelBlockShape shape;
  uint32_t layers, vocab, context, positions; /* context <= positions, rows of the table */
  int32_t end;   /* CLIP: the id whose position stands for the text; -1: the highest id */
  bool mlp;      /* BERT: the projection is of two layers with GELU between */
  uint32_t wide; /* between these two */
} ModelClipTextConfig;

typedef struct {
  ModelTensor class_embedding, position_embedding;
  ModelTensor patch_embedding, patch_bias; /* bias: timm's */
  ModelTensor pre_ln_w, pre_ln_b;          /* not timm's */
  ModelTensor post_ln_w, post_ln_b, projection;
  ModelVisionBlock *blocks;
} ModelClipSight;

typedef struct {
  ModelTensor token_embedding, position_embedding;
  ModelTensor kind_embedding, embedding_ln_w, embedding_ln_b; /* BERT's */
  ModelTensor final_ln_w, final_ln_b;                         /* not BERT's */
  ModelTensor projection[2];                                  /* the second: mlp */
  ModelVisionBlock *blocks;
} ModelClipText;

struct ModelClip {
  ModelCheckpoint files; /* mappings, path and guard alone */
  ModelClipSightKind kind;
  ModelVisionConfig vision;
  ModelClipTextConfig text_config;
  uint32_t width;
  double scale;
  ModelClipSight sight;
  ModelClipText text;
  float *arena;
  ModelPool *pool;
  ModelWords *words;
};

/* Reading: what the configuration says, with the tensors at hand (config.c). */
typedef struct {
  ModelClip *clip;
  const char *folder;
  ModelJson json; /* config.json, or open_clip_config.json */
  bool open_clip;
  ModelTable table;
  const char *vision, *text; /* what names begin with (static) */
} ModelClipReader;
/* Which layouts these are, by what TABLE holds, and all sizes. */
bool model_clip_config(ModelClipReader *r, ModelError *err);

/* All tensors into their roles, with their shapes checked (tensors.c). */
bool model_clip_tensors(ModelClipReader *r, ModelError *err);
void model_clip_tensors_clear(ModelClip *clip);

/* The vocabulary that lies in FOLDER, for a table of ROWS (vocabulary.c). */
ModelWords *model_clip_words_open(const char *folder, ModelWordsKind kind, uint32_t rows,
                                  ModelError *err);

/* Features before they are made one long, for tests: WIDTH numbers. N ids: 1 to `positions`, each
 * checked; pixels [3][side][side] are normalised. */
bool model_clip_encode_ids(const ModelClip *clip, const int32_t *ids, size_t n, float *out,
                           ModelError *err);
bool model_clip_encode_pixels(const ModelClip *clip, const float *pixels, float *out,
                              ModelError *err);

#endif
