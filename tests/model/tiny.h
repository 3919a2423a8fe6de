/* tiny.h - a small model with seeded weights, made in memory, for tests that need no files. */
#ifndef HILUM_TESTS_MODEL_TINY_H
#define HILUM_TESTS_MODEL_TINY_H

#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"

/* The weights' arrays belong to `arrays` and must outlive the engine. */
typedef struct {
  ModelCheckpoint checkpoint;
  GPtrArray *arrays;
  GRand *rand;
} Tiny;

/* Uniform in +-SCALE around BASE. The values are exact in 16 bits, so every file type holds them.
 */
static inline float *
tiny_array(Tiny *tiny, gsize n, double base, double scale)
{
  float *values = g_new(float, n);

  for (gsize i = 0; i < n; i++) {
    values[i] = (float)(base + round(g_rand_double_range(tiny->rand, -scale, scale) * 128) / 128);
  }
  g_ptr_array_add(tiny->arrays, values);
  return values;
}

static inline void
tiny_tensor(Tiny *tiny, ModelTensor *tensor, guint rows, guint columns, double base, double scale)
{
  const gsize n = (gsize)MAX(rows, 1) * columns;

  *tensor = (ModelTensor){.name = "tiny",
                          .data = (const uint8_t *)tiny_array(tiny, n, base, scale),
                          .n_bytes = n * sizeof(float),
                          .shape = {rows ? rows : columns, rows ? columns : 0},
                          .n_dims = rows ? 2 : 1,
                          .type = MODEL_TYPE_F32};
}

/* <unk>, <s>, </s>, 256 bytes, the blank, a to z, a few merges: 295 pieces; with PATCHES the four
 * ids of v1.0 behind them. */
#define TINY_PIECES 295u

static inline void
tiny_vocabulary(Tiny *tiny, gboolean image_ids)
{
  static const char *const merges[] = {"\xe2\x96\x81"
                                       "a",
                                       "th",
                                       "the",
                                       "\xe2\x96\x81"
                                       "i",
                                       "is",
                                       "in",
                                       "\xe2\x96\x81"
                                       "is",
                                       "er",
                                       "at"};
  ModelVocabulary *v = &tiny->checkpoint.vocabulary;
  g_autoptr(GString) storage = g_string_new(NULL);
  gsize at = 0;

  v->pieces = calloc(TINY_PIECES, sizeof *v->pieces);
  v->add_dummy_prefix = true;
  v->bos = 1;
  v->eos = 2;
  v->unk = 0;
  v->pad = -1;
  for (guint i = 0; i < TINY_PIECES; i++) {
    ModelPiece *piece = &v->pieces[i];
    const gsize before = storage->len;
    piece->kind = MODEL_PIECE_NORMAL;
    if (i < 3) {
      g_string_append(storage, i == 0 ? "<unk>" : i == 1 ? "<s>" : "</s>");
      piece->kind = i == 0 ? MODEL_PIECE_UNKNOWN : MODEL_PIECE_CONTROL;
    } else if (i < 259) {
      g_string_append_printf(storage, "<0x%02X>", i - 3);
      piece->kind = MODEL_PIECE_BYTE;
    } else if (i == 259) {
      g_string_append(storage, "\xe2\x96\x81");
    } else if (i < 286) {
      g_string_append_c(storage, (char)('a' + i - 260));
    } else {
      g_string_append(storage, merges[i - 286]);
    }
    piece->score = i < 286 ? -100.0f : -(float)(i - 286);
    piece->length = (uint32_t)(storage->len - before);
  }
  v->n_pieces = TINY_PIECES;
  v->storage = malloc(storage->len + 1);
  memcpy(v->storage, storage->str, storage->len + 1);
  for (guint i = 0; i < TINY_PIECES; at += v->pieces[i++].length) {
    v->pieces[i].text = v->storage + at;
  }
  if (image_ids) {
    static const char *const added[] = {"[PAD]", "<im_patch>", "<im_start>", "<im_end>"};
    v->added = calloc(4, sizeof *v->added);
    v->n_added = 4;
    for (guint i = 0; i < 4; i++) {
      v->added[i] = (ModelAddedToken){strdup(added[i]), (int32_t)(TINY_PIECES + i)};
    }
  }
}

static inline void
tiny_vision(Tiny *tiny)
{
  ModelConfig *c = &tiny->checkpoint.config;
  ModelWeights *w = &tiny->checkpoint.weights;
  const guint hidden = c->vision.hidden, patch = c->vision.patch_size;
  const guint grid = c->vision.image_size / patch;

  tiny_tensor(tiny, &w->class_embedding, 0, hidden, 0, 0.5);
  tiny_tensor(tiny, &w->patch_embedding, hidden, 3 * patch * patch, 0, 0.2);
  w->patch_embedding.n_dims = 4;
  w->patch_embedding.shape[1] = 3;
  w->patch_embedding.shape[2] = w->patch_embedding.shape[3] = patch;
  tiny_tensor(tiny, &w->position_embedding, 1 + grid * grid, hidden, 0, 0.5);
  tiny_tensor(tiny, &w->pre_ln_w, 0, hidden, 1, 0.3);
  tiny_tensor(tiny, &w->pre_ln_b, 0, hidden, 0, 0.3);
  w->blocks = calloc(c->vision.blocks_stored, sizeof *w->blocks);
  for (guint i = 0; i < c->vision.blocks_stored; i++) {
    ModelVisionBlock *b = &w->blocks[i];
    ModelTensor *square[] = {&b->q_w, &b->k_w, &b->v_w, &b->o_w};
    ModelTensor *bias[] = {&b->q_b, &b->k_b, &b->v_b, &b->o_b, &b->ln1_b, &b->ln2_b, &b->fc2_b};
    for (guint k = 0; k < G_N_ELEMENTS(square); k++) {
      tiny_tensor(tiny, square[k], hidden, hidden, 0, 0.4);
    }
    for (guint k = 0; k < G_N_ELEMENTS(bias); k++) {
      tiny_tensor(tiny, bias[k], 0, hidden, 0, 0.3);
    }
    tiny_tensor(tiny, &b->ln1_w, 0, hidden, 1, 0.3);
    tiny_tensor(tiny, &b->ln2_w, 0, hidden, 1, 0.3);
    tiny_tensor(tiny, &b->fc1_w, c->vision.ffn, hidden, 0, 0.4);
    tiny_tensor(tiny, &b->fc1_b, 0, c->vision.ffn, 0, 0.3);
    tiny_tensor(tiny, &b->fc2_w, hidden, c->vision.ffn, 0, 0.4);
  }
  tiny_tensor(tiny, &w->mm_w[0], c->decoder.hidden, hidden, 0, 0.3);
  tiny_tensor(tiny, &w->mm_b[0], 0, c->decoder.hidden, 0, 0.3);
  if (c->projector == MODEL_PROJECTOR_MLP2X_GELU) {
    tiny_tensor(tiny, &w->mm_w[1], c->decoder.hidden, c->decoder.hidden, 0, 0.3);
    tiny_tensor(tiny, &w->mm_b[1], 0, c->decoder.hidden, 0, 0.3);
  }
}

static inline void
tiny_decoder(Tiny *tiny)
{
  const ModelDecoderConfig *c = &tiny->checkpoint.config.decoder;
  ModelWeights *w = &tiny->checkpoint.weights;
  const guint q = c->heads * c->head_dim, kv = c->kv_heads * c->head_dim;

  tiny_tensor(tiny, &w->token_embedding, c->vocab, c->hidden, 0, 1);
  w->layers = calloc(c->layers, sizeof *w->layers);
  for (guint i = 0; i < c->layers; i++) {
    ModelLayer *l = &w->layers[i];
    tiny_tensor(tiny, &l->attn_norm, 0, c->hidden, 1, 0.3);
    tiny_tensor(tiny, &l->ffn_norm, 0, c->hidden, 1, 0.3);
    tiny_tensor(tiny, &l->q, q, c->hidden, 0, 0.4);
    tiny_tensor(tiny, &l->k, kv, c->hidden, 0, 0.4);
    tiny_tensor(tiny, &l->v, kv, c->hidden, 0, 0.4);
    tiny_tensor(tiny, &l->o, c->hidden, q, 0, 0.4);
    tiny_tensor(tiny, &l->gate, c->ffn, c->hidden, 0, 0.3);
    tiny_tensor(tiny, &l->up, c->ffn, c->hidden, 0, 0.3);
    tiny_tensor(tiny, &l->down, c->hidden, c->ffn, 0, 0.3);
  }
  tiny_tensor(tiny, &w->output_norm, 0, c->hidden, 1, 0.3);
  tiny_tensor(tiny, &w->output, c->vocab, c->hidden, 0, 0.7);
}

static inline ModelConfig
tiny_config(gboolean v10)
{
  ModelConfig c = {
      .has_vision = true,
      .vision = {.image_size = 21,
                 .patch_size = 5, /* a row of pixels is left over, as in a convolution */
                 .hidden = 18,
                 .heads = 3,
                 .ffn = 26,
                 .blocks_stored = 3,
                 .blocks_run = 2,
                 .eps = 1e-5f,
                 .mean = {0.48145466f, 0.4578275f, 0.40821073f},
                 .std = {0.26862954f, 0.26130258f, 0.27577711f}},
      .projector = v10 ? MODEL_PROJECTOR_LINEAR : MODEL_PROJECTOR_MLP2X_GELU,
      .aspect = v10 ? MODEL_ASPECT_SQUARE : MODEL_ASPECT_PAD,
      .decoder = {.hidden = 24,
                  .layers = 2,
                  .heads = 4,
                  .kv_heads = v10 ? 4 : 2,
                  .head_dim = 6,
                  .ffn = 40,
                  .vocab = TINY_PIECES + (v10 ? 4 : 0),
                  .context = 2048,
                  .theta = 10000,
                  .eps = 1e-5f},
      .image_start_end = v10,
      .id_im_patch = v10 ? (int32_t)TINY_PIECES + 1 : -1,
      .id_im_start = v10 ? (int32_t)TINY_PIECES + 2 : -1,
      .id_im_end = v10 ? (int32_t)TINY_PIECES + 3 : -1,
      .bos = v10 ? 2 : 1,
      .eos = 2,
      .pad = -1};

  g_strlcpy(c.template_name, v10 ? "multimodal" : "mistral_instruct", sizeof c.template_name);
  g_strlcpy(c.name, "tiny", sizeof c.name);
  return c;
}

static inline void
tiny_init(Tiny *tiny, const ModelConfig *config, guint32 seed)
{
  *tiny =
      (Tiny){.arrays = g_ptr_array_new_with_free_func(g_free), .rand = g_rand_new_with_seed(seed)};
  tiny->checkpoint.config = *config;
  tiny->checkpoint.path = strdup("tiny");
  tiny->checkpoint.format = "gguf";
  tiny->checkpoint.tower_origin = config->has_vision ? "checkpoint" : "none";
  tiny_vocabulary(tiny, config->image_start_end);
  if (config->has_vision) {
    tiny_vision(tiny);
  }
  tiny_decoder(tiny);
}

/* The engine takes the checkpoint over; the weights' arrays stay with TINY. */
static inline ModelEngine *
tiny_engine(Tiny *tiny, guint threads)
{
  const ModelEngineOptions options = {.n_threads = threads};
  ModelError err = {0};
  ModelEngine *engine = model_engine_new(&tiny->checkpoint, &options, MODEL_ARENA_BYTES, &err);

  g_assert_cmpstr(err.message, ==, "");
  g_assert_nonnull(engine);
  return engine;
}

static inline void
tiny_clear(Tiny *tiny)
{
  model_checkpoint_close(&tiny->checkpoint);
  g_ptr_array_unref(tiny->arrays);
  g_rand_free(tiny->rand);
}

static inline const float *
tiny_values(const ModelTensor *tensor)
{
  return (const float *)(const void *)tensor->data;
}

/* y[m][rows] = x W^T + bias in double. */
static inline void
tiny_product(const ModelTensor *w, const ModelTensor *bias, const double *x, guint m, double *y)
{
  const guint rows = (guint)model_tensor_rows(w), columns = (guint)model_tensor_columns(w);

  for (guint i = 0; i < m; i++) {
    for (guint j = 0; j < rows; j++) {
      double sum = bias ? tiny_values(bias)[j] : 0;
      for (guint k = 0; k < columns; k++) {
        sum += x[(gsize)i * columns + k] * tiny_values(w)[(gsize)j * columns + k];
      }
      y[(gsize)i * rows + j] = sum;
    }
  }
}

#endif
