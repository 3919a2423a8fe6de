/* decoder.c - the Llama/Mistral decoder over packed sequences.
 *
 * Only rows whose next id counts reach the loss, and past the last attention rows do not meet each
 * other: so the last layer's second half runs on those rows alone. */
#include "base/error.h"
#include "arithmetic.h"
#include "stages.h"

#include <math.h>
#include <stdlib.h>

bool
train_rope_init(TrainRope *rope, const ModelDecoderConfig *config, uint32_t n, ModelError *err)
{
  uint32_t half = config->head_dim / 2;

  rope->n = n;
  rope->cos = calloc((size_t)n * half + 1, sizeof(float));
  rope->sin = calloc((size_t)n * half + 1, sizeof(float));
  if (!rope->cos || !rope->sin) {
    train_rope_clear(rope);
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "no memory for %u positions", n);
  }
  for (uint32_t j = 0; j < half; j++) {
    double slowness = pow(config->theta, 2.0 * j / config->head_dim);

    for (uint32_t i = 0; i < n; i++) {
      double angle = i / slowness;

      rope->cos[(size_t)i * half + j] = (float)cos(angle);
      rope->sin[(size_t)i * half + j] = (float)sin(angle);
    }
  }
  return true;
}

void
train_rope_clear(TrainRope *rope)
{
  free(rope->cos);
  free(rope->sin);
  memset(rope, 0, sizeof *rope);
}

TRAIN_CLONES static void
rotate_half(float *restrict x, const float *restrict cos, const float *restrict sin, size_t half,
            float sign)
{
  for (size_t j = 0; j < half; j++) {
    float a = x[j], b = x[j + half], s = sin[j] * sign;

    x[j] = a * cos[j] - b * s;
    x[j + half] = b * cos[j] + a * s;
  }
}

TRAIN_CLONES static void
rotate_adjacent(float *restrict x, const float *restrict cos, const float *restrict sin,
                size_t half, float sign)
{
  for (size_t j = 0; j < half; j++) {
    float a = x[2 * j], b = x[2 * j + 1], s = sin[j] * sign;

    x[2 * j] = a * cos[j] - b * s;
    x[2 * j + 1] = b * cos[j] + a * s;
  }
}

/* Turns queries and keys by their position; SIGN -1 turns a gradient back. */
static void
rotate(const ModelDecoderConfig *c, const TrainRope *rope, const TrainRows *rows, float sign,
       float *qkv)
{
  size_t wide = ((size_t)c->heads + 2 * c->kv_heads) * c->head_dim, half = c->head_dim / 2;

  for (uint32_t i = 0; i < rows->n_rows; i++) {
    const float *cosines = rope->cos + rows->position[i] * half;
    const float *sines = rope->sin + rows->position[i] * half;

    for (uint32_t h = 0; h < c->heads + c->kv_heads; h++) {
      float *x = qkv + i * wide + (size_t)h * c->head_dim;

      if (c->rope_adjacent) {
        rotate_adjacent(x, cosines, sines, half, sign);
      } else {
        rotate_half(x, cosines, sines, half, sign);
      }
    }
  }
}

static TrainAttention
attention_of(const ModelDecoderConfig *c, const TrainRows *rows)
{
  return (TrainAttention){.n_sequences = rows->n_sequences,
                          .start = rows->start,
                          .length = rows->length,
                          .heads = c->heads,
                          .kv_heads = c->kv_heads,
                          .head_dim = c->head_dim,
                          .causal = true};
}

void
train_decoder_layout(const TrainParams *params, const TrainRows *rows, bool backward,
                     TrainArena *arena, TrainDecoder *decoder)
{
  const ModelDecoderConfig *c = &params->config.decoder;
  size_t n = rows->n_rows, d = c->hidden, f = c->ffn, q = (size_t)c->heads * c->head_dim;
  size_t wide = q + 2 * (size_t)c->kv_heads * c->head_dim;
  TrainAttention a = attention_of(c, rows);
  size_t probabilities = train_attention_need(&a);

  decoder->layers =
      (TrainLayerActs *)train_arena_take(arena, c->layers * sizeof(TrainLayerActs) / sizeof(float));
  for (uint32_t l = 0; l < c->layers; l++) {
    TrainLayerActs counting, *acts = decoder->layers ? &decoder->layers[l] : &counting;
    bool last = l + 1 == c->layers;
    size_t m = last ? rows->n_counted : n;

    acts->x = train_arena_take(arena, n * d);
    acts->rstd1 = train_arena_take(arena, n);
    acts->h1 = train_arena_take(arena, n * d);
    acts->qkv = train_arena_take(arena, n * wide);
    acts->probabilities = train_arena_take(arena, probabilities);
    acts->attended = train_arena_take(arena, n * q);
    acts->attended_kept = last ? train_arena_take(arena, m * q) : acts->attended;
    acts->x2 = train_arena_take(arena, m * d);
    acts->rstd2 = train_arena_take(arena, m);
    acts->h2 = train_arena_take(arena, m * d);
    acts->gate_up = train_arena_take(arena, m * 2 * f);
    acts->act = train_arena_take(arena, m * f);
  }
  decoder->last = train_arena_take(arena, rows->n_counted * d);
  if (backward) {
    decoder->d = train_arena_take(arena, n * d);
    decoder->dh = train_arena_take(arena, n * d);
    decoder->dwide = train_arena_take(arena, n * (3 * f > wide ? 3 * f : wide));
    decoder->dattended = train_arena_take(arena, n * q);
    decoder->scratch = train_arena_take(arena, train_attention_scratch(&a));
  }
}

/* Rows LIST of from -> the first n rows of to. */
static void
gather(const float *from, const uint32_t *list, size_t n, size_t d, float *to)
{
  for (size_t i = 0; i < n; i++) {
    memcpy(to + i * d, from + list[i] * d, d * sizeof *to);
  }
}

static void
layer_forward(const TrainParams *params, const TrainRope *rope, const TrainRows *rows, uint32_t l,
              TrainLayerActs *acts, float *out)
{
  const ModelDecoderConfig *c = &params->config.decoder;
  const TrainLayerPlaces *at = &params->layers[l];
  bool last = l + 1 == c->layers;
  size_t n = rows->n_rows, m = last ? rows->n_counted : n, d = c->hidden, f = c->ffn;
  size_t q = (size_t)c->heads * c->head_dim, wide = q + 2 * (size_t)c->kv_heads * c->head_dim;
  const float *residual = acts->x;
  TrainAttention a = attention_of(c, rows);

  train_rms_norm(acts->x, train_p(params, at->attn_norm), n, d, c->eps, acts->h1, acts->rstd1);
  train_linear(acts->h1, train_p(params, at->qkv), NULL, n, d, wide, acts->qkv);
  rotate(c, rope, rows, 1.0f, acts->qkv);
  train_attention_forward(&a, acts->qkv, acts->probabilities, acts->attended);
  if (last) {
    gather(acts->attended, rows->counted, m, q, acts->attended_kept);
    gather(acts->x, rows->counted, m, d, acts->x2);
    residual = acts->x2;
  }
  train_linear_residual(acts->attended_kept, train_p(params, at->o), NULL, residual, m, q, d,
                        acts->x2);
  train_rms_norm(acts->x2, train_p(params, at->ffn_norm), m, d, c->eps, acts->h2, acts->rstd2);
  train_linear(acts->h2, train_p(params, at->gate_up), NULL, m, d, 2 * f, acts->gate_up);
  train_swiglu(acts->gate_up, m, f, acts->act);
  train_linear_residual(acts->act, train_p(params, at->down), NULL, acts->x2, m, f, d, out);
}

void
train_decoder_forward(const TrainParams *params, const TrainRope *rope, const TrainRows *rows,
                      const float *projected, TrainDecoder *decoder)
{
  const ModelDecoderConfig *c = &params->config.decoder;
  const float *table = train_p(params, params->token_embedding);
  size_t d = c->hidden;

  for (uint32_t i = 0; i < rows->n_rows; i++) {
    int32_t token = rows->token[i];
    const float *row = token >= 0 ? table + token * d : projected + (size_t)(-1 - token) * d;

    memcpy(decoder->layers[0].x + i * d, row, d * sizeof *row);
  }
  for (uint32_t l = 0; l < c->layers; l++) {
    layer_forward(params, rope, rows, l, &decoder->layers[l],
                  l + 1 < c->layers ? decoder->layers[l + 1].x : decoder->last);
  }
}

/* The first n_counted rows of X go back to where they came from, the others become zero. COMPACT
 * is scratch for them. */
static void
scatter(const TrainRows *rows, size_t d, float *x, float *compact)
{
  memcpy(compact, x, rows->n_counted * d * sizeof *x);
  memset(x, 0, rows->n_rows * d * sizeof *x);
  for (uint32_t i = 0; i < rows->n_counted; i++) {
    memcpy(x + rows->counted[i] * d, compact + i * d, d * sizeof *x);
  }
}

static void
layer_backward(const TrainParams *params, const TrainRope *rope, const TrainRows *rows, uint32_t l,
               TrainDecoder *decoder, float *gradient)
{
  const ModelDecoderConfig *c = &params->config.decoder;
  const TrainLayerPlaces *at = &params->layers[l];
  const TrainLayerActs *acts = &decoder->layers[l];
  bool last = l + 1 == c->layers;
  size_t n = rows->n_rows, m = last ? rows->n_counted : n, d = c->hidden, f = c->ffn;
  size_t q = (size_t)c->heads * c->head_dim, wide = q + 2 * (size_t)c->kv_heads * c->head_dim;
  TrainAttention a = attention_of(c, rows);
  float *dact = decoder->dwide + m * 2 * f;
#define G(place) train_g(params, gradient, at->place)
  train_linear_backward(decoder->d, acts->act, train_p(params, at->down), m, f, d, dact, G(down),
                        NULL);
  train_swiglu_backward(dact, acts->gate_up, m, f, decoder->dwide);
  train_linear_backward(decoder->dwide, acts->h2, train_p(params, at->gate_up), m, d, 2 * f,
                        decoder->dh, G(gate_up), NULL);
  train_rms_norm_backward(decoder->dh, acts->x2, train_p(params, at->ffn_norm), acts->rstd2, m, d,
                          decoder->d, G(ffn_norm));
  train_linear_backward(decoder->d, acts->attended_kept, train_p(params, at->o), m, q, d,
                        decoder->dattended, G(o), NULL);
  if (last) {
    scatter(rows, q, decoder->dattended, decoder->dwide);
    scatter(rows, d, decoder->d, decoder->dwide);
  }
  train_attention_backward(&a, acts->qkv, acts->probabilities, acts->attended, decoder->dattended,
                           decoder->scratch, decoder->dwide);
  rotate(c, rope, rows, -1.0f, decoder->dwide);
  train_linear_backward(decoder->dwide, acts->h1, train_p(params, at->qkv), n, d, wide, decoder->dh,
                        G(qkv), NULL);
  train_rms_norm_backward(decoder->dh, acts->x, train_p(params, at->attn_norm), acts->rstd1, n, d,
                          decoder->d, G(attn_norm));
#undef G
}

void
train_decoder_backward(const TrainParams *params, const TrainRope *rope, const TrainRows *rows,
                       TrainDecoder *decoder, float *dprojected, float *gradient)
{
  const ModelDecoderConfig *c = &params->config.decoder;
  float *dtable = train_g(params, gradient, params->token_embedding);
  size_t d = c->hidden;

  for (uint32_t l = c->layers; l-- > 0;) {
    layer_backward(params, rope, rows, l, decoder, gradient);
  }
  if (dtable && !params->tied) { /* tied: the loss has put the output's gradient there */
    memset(dtable, 0, c->vocab * d * sizeof *dtable);
  }
  for (uint32_t i = 0; i < rows->n_rows; i++) {
    int32_t token = rows->token[i];

    if (token >= 0 && dtable) {
      train_add(decoder->d + i * d, d, dtable + token * d);
    } else if (token < 0 && dprojected) {
      memcpy(dprojected + (size_t)(-1 - token) * d, decoder->d + i * d, d * sizeof *dprojected);
    }
  }
}
