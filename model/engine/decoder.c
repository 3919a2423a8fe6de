/* decoder.c - the Llama/Mistral decoder (facts 1.1): RMSNorm, grouped-query attention with rotary
 * positions over a cache of keys and values, SwiGLU. Oracle: llm_logits() of the reference.
 *
 * Positions go through the layers in chunks of at most MODEL_PREFILL_CHUNK, so the workspace is
 * bounded whatever the prompt. What lies in the cache past the timeline's end is never used.
 */
#include "engine/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "kernels/attention.h"

static bool
take(float **out, size_t a, size_t b, size_t c, ModelError *err)
{
  size_t bytes;

  if (!model_size(a, b, c, sizeof(float), "the timeline's memory", &bytes, err)) {
    return false;
  }
  /* Zeroed pages cost nothing until they are used, so a long context is not paid for in advance. */
  *out = calloc(1, bytes);
  return *out ? true
              : model_fail(err, MODEL_ERROR_TOO_LARGE,
                           "out of memory for a timeline (%zu bytes for %zu x %zu x %zu numbers)",
                           bytes, a, b, c);
}

static ModelKvType
kv_type(const ModelEngine *engine, ModelKvType type)
{
  if (type != MODEL_KV_AUTO) {
    return type;
  }
  return engine->info.n_parameters <= MODEL_ARENA_BYTES / sizeof(float) ? MODEL_KV_F32
                                                                        : MODEL_KV_F16;
}

uint64_t
model_engine_kv_bytes(const ModelEngine *engine, ModelKvType type)
{
  const ModelDecoderConfig *c = &engine->checkpoint.config.decoder;

  return model_kv_position_bytes(kv_type(engine, type), c->layers, c->kv_heads, c->head_dim);
}

bool
model_decoder_init(ModelDecoder *d, const ModelEngine *engine, uint32_t context, ModelError *err)
{
  return model_decoder_init_typed(d, engine, context, MODEL_KV_AUTO, err);
}

bool
model_decoder_init_typed(ModelDecoder *d, const ModelEngine *engine, uint32_t context,
                         ModelKvType type, ModelError *err)
{
  const ModelDecoderConfig *c = &engine->checkpoint.config.decoder;
  const size_t half = c->head_dim / 2, q_dim = (size_t)c->heads * c->head_dim;

  *d = (ModelDecoder){.engine = engine, .context = context};
  d->chunk = context < MODEL_PREFILL_CHUNK ? context : MODEL_PREFILL_CHUNK;
  d->kv_dim = (uint64_t)c->kv_heads * c->head_dim;
  d->frequency = calloc(half, sizeof *d->frequency);
  if (!d->frequency) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for a timeline");
  }
  for (size_t i = 0; i < half; i++) {
    d->frequency[i] = 1.0 / pow(c->theta, 2.0 * (double)i / c->head_dim);
  }
  return model_kv_init(&d->kv, kv_type(engine, type), c->layers, c->kv_heads, c->head_dim, context,
                       err) &&
         take(&d->k, d->chunk, d->kv_dim, 1, err) && take(&d->v, d->chunk, d->kv_dim, 1, err) &&
         take(&d->x, d->chunk, c->hidden, 1, err) && take(&d->h, d->chunk, c->hidden, 1, err) &&
         take(&d->q, d->chunk, q_dim, 1, err) && take(&d->attended, d->chunk, q_dim, 1, err) &&
         take(&d->gate, d->chunk, c->ffn, 1, err) && take(&d->up, d->chunk, c->ffn, 1, err) &&
         take(&d->cosine, d->chunk, half, 1, err) && take(&d->sine, d->chunk, half, 1, err) &&
         take(&d->logits, c->vocab, 1, 1, err);
}

void
model_decoder_clear(ModelDecoder *d)
{
  float *all[] = {d->x,    d->h,  d->q,      d->attended, d->k,     d->v,
                  d->gate, d->up, d->cosine, d->sine,     d->logits};

  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    free(all[i]);
  }
  free(d->frequency);
  model_kv_clear(&d->kv);
  *d = (ModelDecoder){0};
}

/* ---- one chunk through the layers --------------------------------------------------------- */

typedef struct {
  ModelDecoder *d;
  const ModelDecoderConfig *c;
  const float *norm;
  uint32_t layer, first; /* position of the chunk's first row */
} Chunk;

static void
norm_rows(uint64_t first, uint64_t n, void *user)
{
  const Chunk *chunk = user;
  const uint64_t hidden = chunk->c->hidden;

  for (uint64_t i = first; i < first + n; i++) {
    model_rms_norm(chunk->d->x + i * hidden, chunk->norm, hidden, chunk->c->eps,
                   chunk->d->h + i * hidden);
  }
}

/* Rotates queries and keys, and puts keys and values into the cache. */
static void
rope_rows(uint64_t first, uint64_t n, void *user)
{
  const Chunk *chunk = user;
  const ModelDecoderConfig *c = chunk->c;
  const ModelDecoder *d = chunk->d;

  for (uint64_t i = first; i < first + n; i++) {
    const float *cosine = d->cosine + i * (c->head_dim / 2);
    const float *sine = d->sine + i * (c->head_dim / 2);
    model_rope(d->q + i * c->heads * c->head_dim, c->heads, c->head_dim, c->rope_adjacent, cosine,
               sine);
    model_rope(d->k + i * d->kv_dim, c->kv_heads, c->head_dim, c->rope_adjacent, cosine, sine);
  }
  model_kv_write(&d->kv, chunk->layer, chunk->first + (uint32_t)first, (uint32_t)n,
                 d->k + first * d->kv_dim, d->v + first * d->kv_dim, d->kv_dim);
}

static void
swiglu_rows(uint64_t first, uint64_t n, void *user)
{
  const Chunk *chunk = user;
  float *gate = chunk->d->gate + first * chunk->c->ffn;

  model_silu_multiply(gate, chunk->d->up + first * chunk->c->ffn, n * chunk->c->ffn, gate);
}

static void
add_rows(uint64_t first, uint64_t n, void *user)
{
  const Chunk *chunk = user;
  const uint64_t hidden = chunk->c->hidden;

  model_add(chunk->d->x + first * hidden, chunk->d->h + first * hidden, n * hidden);
}

static void
layer_run(ModelDecoder *d, uint32_t index, uint32_t n, uint32_t first)
{
  const ModelDecoderConfig *c = &d->engine->checkpoint.config.decoder;
  const ModelLayer *layer = &d->engine->weights.layers[index];
  ModelPool *pool = d->engine->pool;
  Chunk chunk = {.d = d, .c = c, .layer = index, .first = first};
  const ModelAttention attention = {.kv = &d->kv,
                                    .layer = index,
                                    .heads = c->heads,
                                    .n_queries = n,
                                    .n_keys = first + n,
                                    .causal = true,
                                    .q = d->q,
                                    .out = d->attended,
                                    .stride = (uint64_t)c->heads * c->head_dim};

  chunk.norm = model_vector(&layer->attn_norm);
  model_rows_run(pool, n, norm_rows, &chunk);
  model_products(
      pool,
      (ModelProduct[]){{&layer->q, NULL, d->q}, {&layer->k, NULL, d->k}, {&layer->v, NULL, d->v}},
      3, d->h, n);
  model_rows_run(pool, n, rope_rows, &chunk);
  model_attention(pool, &attention);
  model_matmul(pool, &layer->o, NULL, d->attended, n, d->h);
  model_rows_run(pool, n, add_rows, &chunk);

  chunk.norm = model_vector(&layer->ffn_norm);
  model_rows_run(pool, n, norm_rows, &chunk);
  model_products(pool, (ModelProduct[]){{&layer->gate, NULL, d->gate}, {&layer->up, NULL, d->up}},
                 2, d->h, n);
  model_rows_run(pool, n, swiglu_rows, &chunk);
  model_matmul(pool, &layer->down, NULL, d->gate, n, d->h);
  model_rows_run(pool, n, add_rows, &chunk);
}

/* Runs the N rows in d->x as positions FIRST .. FIRST + N - 1; the last N_LOGITS of them give
 * LOGITS[n_logits][vocab]. */
static bool
chunk_run(ModelDecoder *d, uint32_t n, uint32_t first, uint32_t n_logits, float *logits,
          const ModelWatch *watch, ModelError *err)
{
  const ModelDecoderConfig *c = &d->engine->checkpoint.config.decoder;
  const uint32_t half = c->head_dim / 2;

  for (uint32_t i = 0; i < n; i++) {
    for (uint32_t k = 0; k < half; k++) {
      const double angle = (double)(first + i) * d->frequency[k];
      d->cosine[(size_t)i * half + k] = (float)cos(angle);
      d->sine[(size_t)i * half + k] = (float)sin(angle);
    }
  }
  for (uint32_t i = 0; i < c->layers; i++) {
    if (!model_watch_go_on(watch, err)) {
      return false;
    }
    layer_run(d, i, n, first);
  }
  for (uint32_t i = 0; i < n_logits; i++) {
    model_rms_norm(d->x + (uint64_t)(n - n_logits + i) * c->hidden,
                   model_vector(&d->engine->weights.output_norm), c->hidden, c->eps,
                   d->h + (uint64_t)i * c->hidden);
  }
  if (n_logits > 0) {
    model_matmul(d->engine->pool, &d->engine->weights.output, NULL, d->h, n_logits, logits);
  }
  return true;
}

/* ---- ids to rows -------------------------------------------------------------------------- */

/* What id INDEX of SPAN stands for: the whole picture, one of its rows (v1.0's <im_patch>), or a
 * token. */
typedef enum { SPAN_TOKEN, SPAN_PICTURE, SPAN_PATCH } SpanKind;

static SpanKind
span_kind(const ModelEngine *engine, const ModelSpan *span, size_t index, bool has_picture)
{
  const ModelConfig *config = &engine->checkpoint.config;

  if (index >= span->n_plain && span->ids[index] == MODEL_IMAGE_ID) {
    return SPAN_PICTURE;
  }
  return index >= span->n_plain && has_picture && config->image_start_end &&
                 span->ids[index] == config->id_im_patch
             ? SPAN_PATCH
             : SPAN_TOKEN;
}

bool
model_span_positions(const ModelEngine *engine, const ModelSpan *span, bool has_picture,
                     uint64_t *positions, ModelError *err)
{
  const uint32_t vocab = engine->checkpoint.config.decoder.vocab;
  uint64_t n_rows = 0, n_pictures = 0;

  *positions = 0;
  for (size_t i = 0; i < span->n; i++) {
    const SpanKind kind = span_kind(engine, span, i, has_picture);
    const uint32_t n = kind == SPAN_PICTURE ? engine->n_patches : 1;
    if (kind == SPAN_TOKEN && (span->ids[i] < 0 || (uint32_t)span->ids[i] >= vocab)) {
      return model_fail(err, MODEL_ERROR_CORRUPT,
                        "%s: the tokenizer gives id %d, but the embedding has %u rows",
                        engine->checkpoint.path, span->ids[i], vocab);
    }
    *positions += n;
    n_rows += kind == SPAN_TOKEN ? 0 : n;
    n_pictures += kind == SPAN_PICTURE;
  }
  if (n_pictures > 0 && !has_picture) {
    return model_fail(err, MODEL_ERROR_ARGUMENT,
                      "the prompt asks for a picture and none was given");
  }
  if (has_picture && n_rows != engine->n_patches) {
    return model_fail(err, MODEL_ERROR_ARGUMENT,
                      "the prompt has room for %llu rows of a picture, expected %u",
                      (unsigned long long)n_rows, engine->n_patches);
  }
  return true;
}

/* Writes the rows of the next positions of SPAN, at most MOST, into OUT; returns their number. */
static uint32_t
span_fill(const ModelEngine *engine, ModelSpan *span, uint32_t most, float *out)
{
  const size_t hidden = engine->checkpoint.config.decoder.hidden;
  uint32_t n = 0;

  while (n < most && span->next < span->n) {
    const SpanKind kind = span_kind(engine, span, span->next, span->rows != NULL);
    if (kind == SPAN_TOKEN) {
      model_tensor_read_rows(&engine->weights.token_embedding, (uint64_t)span->ids[span->next], 1,
                             out + n * hidden);
    } else {
      memcpy(out + n * hidden, span->rows + span->row * hidden, hidden * sizeof *out);
      span->row++;
    }
    if (kind != SPAN_PICTURE || span->row == engine->n_patches) {
      span->next++;
    }
    n++;
  }
  return n;
}

bool
model_decoder_run(ModelDecoder *d, ModelSpan *span, uint32_t first, const ModelWatch *watch,
                  ModelError *err)
{
  uint64_t total = 0;
  uint32_t done = 0;

  if (!model_span_positions(d->engine, span, span->rows != NULL, &total, err)) {
    return false;
  }
  if (total == 0 || first > d->context || total > d->context - first) {
    return model_fail(err, MODEL_ERROR_CONTEXT,
                      "the prompt needs %llu positions, but the context has %u",
                      (unsigned long long)(first + total), d->context);
  }
  while (done < total) {
    const uint32_t n = span_fill(d->engine, span, d->chunk, d->x);
    model_watch_progress(watch, MODEL_PHASE_PROMPT, done, (uint32_t)total);
    if (!chunk_run(d, n, first + done, done + n == total, d->logits, watch, err)) {
      return false;
    }
    done += n;
  }
  model_watch_progress(watch, MODEL_PHASE_PROMPT, done, (uint32_t)total);
  return true;
}

bool
model_decoder_step(ModelDecoder *d, int32_t id, uint32_t position, const ModelWatch *watch,
                   ModelError *err)
{
  return model_decoder_verify(d, &id, 1, position, d->logits, watch, err);
}

bool
model_decoder_verify(ModelDecoder *d, const int32_t *ids, uint32_t n, uint32_t first, float *logits,
                     const ModelWatch *watch, ModelError *err)
{
  const size_t hidden = d->engine->checkpoint.config.decoder.hidden;

  for (uint32_t i = 0; i < n; i++) {
    model_tensor_read_rows(&d->engine->weights.token_embedding, (uint64_t)ids[i], 1,
                           d->x + i * hidden);
  }
  return chunk_run(d, n, first, n, logits, watch, err);
}

uint8_t *
model_decoder_state(const ModelDecoder *d, uint32_t n, uint64_t *n_bytes)
{
  *n_bytes = model_kv_bytes(&d->kv, n);
  return d->kv.memory;
}

uint32_t
model_decoder_layout(const ModelDecoder *d)
{
  return MODEL_KV_TILE << 8 | (uint32_t)d->kv.type;
}

static void
inputs_fill(const ModelDecoder *d, const ModelInput *inputs, uint32_t n)
{
  const size_t hidden = d->engine->checkpoint.config.decoder.hidden;

  for (uint32_t i = 0; i < n; i++) {
    float *x = d->x + i * hidden;
    if (inputs[i].row) {
      memcpy(x, inputs[i].row, hidden * sizeof *x);
    } else {
      model_tensor_read_rows(&d->engine->weights.token_embedding, (uint64_t)inputs[i].id, 1, x);
    }
  }
}

bool
model_decoder_feed(ModelDecoder *d, const ModelInput *inputs, uint32_t n, uint32_t first,
                   const ModelWatch *watch, uint32_t *done, ModelError *err)
{
  *done = 0;
  while (*done < n) {
    const uint32_t part = n - *done < d->chunk ? n - *done : d->chunk;
    model_watch_progress(watch, MODEL_PHASE_PROMPT, *done, n);
    inputs_fill(d, inputs + *done, part);
    if (!chunk_run(d, part, first + *done, *done + part == n, d->logits, watch, err)) {
      return false;
    }
    *done += part;
  }
  model_watch_progress(watch, MODEL_PHASE_PROMPT, *done, n);
  return true;
}
