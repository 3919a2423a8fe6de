/* kv.c - the memory of keys and values, and how a position is written into it. */
#include "kernels/kv.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/half.h"
#include "kernels/floats.h"

#define ALIGNMENT 64u
#define ROWS 16u /* positions that are turned together */
#define COLUMNS 64u

static uint64_t
value_bytes(ModelKvType type)
{
  return type == MODEL_KV_F32 ? 4 : type == MODEL_KV_F16 ? 2 : 1;
}

static uint64_t
padded(uint32_t head_dim)
{
  return (head_dim + 15ull) / 16 * 16;
}

static uint64_t
scale_bytes(ModelKvType type, uint32_t head_dim)
{
  const uint64_t blocks = (head_dim + MODEL_KV_BLOCK - 1ull) / MODEL_KV_BLOCK;
  return type == MODEL_KV_Q8_0 ? blocks * MODEL_KV_TILE * sizeof(uint16_t) : 0;
}

uint64_t
model_kv_position_bytes(ModelKvType type, uint32_t layers, uint32_t heads, uint32_t head_dim)
{
  const uint64_t tile = MODEL_KV_TILE * (head_dim + padded(head_dim)) * value_bytes(type) +
                        2 * scale_bytes(type, head_dim);
  return tile / MODEL_KV_TILE * layers * heads;
}

uint64_t
model_kv_bytes(const ModelKv *kv, uint32_t n)
{
  return (n + MODEL_KV_TILE - 1ull) / MODEL_KV_TILE * kv->tile_bytes;
}

bool
model_kv_init(ModelKv *kv, ModelKvType type, uint32_t layers, uint32_t heads, uint32_t head_dim,
              uint32_t positions, ModelError *err)
{
  const uint64_t tiles = (positions + MODEL_KV_TILE - 1ull) / MODEL_KV_TILE;
  size_t bytes;

  assert(type != MODEL_KV_AUTO);
  *kv = (ModelKv){
      .type = type, .layers = layers, .heads = heads, .head_dim = head_dim, .positions = positions};
  /* The reader's limits (65,536 columns of all heads, 256 layers) keep these far below 2^64. */
  kv->key_scales = MODEL_KV_TILE * (uint64_t)head_dim * value_bytes(type);
  kv->values = kv->key_scales + scale_bytes(type, head_dim);
  kv->value_scales = kv->values + MODEL_KV_TILE * padded(head_dim) * value_bytes(type);
  kv->head_bytes = kv->value_scales + scale_bytes(type, head_dim);
  kv->tile_bytes = kv->head_bytes * heads * layers;
  if (__builtin_mul_overflow(kv->tile_bytes, tiles, &bytes) || bytes > SIZE_MAX - ALIGNMENT) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "keys and values of %u positions do not fit",
                      positions);
  }
  /* Zeroed pages cost nothing until they are used, so a long context is not paid for in advance. */
  kv->allocation = calloc(1, bytes + ALIGNMENT);
  if (!kv->allocation) {
    return model_fail(
        err, MODEL_ERROR_TOO_LARGE,
        "out of memory for a timeline (%zu bytes for keys and values of %u positions)", bytes,
        positions);
  }
  kv->memory =
      (uint8_t *)kv->allocation + (ALIGNMENT - (uintptr_t)kv->allocation % ALIGNMENT) % ALIGNMENT;
  return true;
}

void
model_kv_clear(ModelKv *kv)
{
  free(kv->allocation);
  *kv = (ModelKv){0};
}

/* ---- writing ------------------------------------------------------------------------------ */

/* N <= 32 values of one block; the scale. */
static uint16_t
quantize(const float *x, uint32_t n, int8_t *q)
{
  float most = 0, inverse;
  bool finite = true;

  for (uint32_t i = 0; i < n; i++) {
    const float a = fabsf(x[i]);
    most = a > most ? a : most;
    finite = finite && a < INFINITY;
  }
  inverse = 127.0f / most;
  if (!finite || !(inverse < INFINITY)) {
    memset(q, 0, n);
    return finite ? 0 : 0x7E00u;
  }
  for (uint32_t i = 0; i < n; i++) {
    /* Adding and taking away 1.5 * 2^23 rounds to the nearest integer, ties to even. */
    q[i] = (int8_t)(x[i] * inverse + 0x1.8p23f - 0x1.8p23f);
  }
  return model_float_to_f16(most / 127.0f);
}

/* Where the positions of one tile and head go. */
typedef struct {
  const ModelKv *kv;
  uint8_t *tile;
  uint32_t at, n; /* positions of the tile */
  uint64_t stride;
} Place;

/* Columns FIRST .. FIRST + N - 1 (N <= 64) of position I of a head, in the cache's type. SCALES:
 * of the first position. */
static void
encode(const Place *p, const float *row, uint32_t i, uint32_t first, uint32_t n, uint8_t *scales,
       void *out)
{
  if (p->kv->type == MODEL_KV_F32) {
    memcpy(out, row + first, n * sizeof *row);
  } else if (p->kv->type == MODEL_KV_F16) {
    model_floats_find(NULL)->to_f16(row + first, n, out);
  } else {
    for (uint32_t k = 0; k < n; k += MODEL_KV_BLOCK) {
      const uint32_t some = n - k < MODEL_KV_BLOCK ? n - k : MODEL_KV_BLOCK;
      const uint16_t scale = quantize(row + first + k, some, (int8_t *)out + k);
      const uint64_t block = (first + k) / MODEL_KV_BLOCK;
      memcpy(scales + 2 * (block * MODEL_KV_TILE + p->at + i), &scale, sizeof scale);
    }
  }
}

#define TURN(type)                                                                                 \
  for (uint32_t d = 0; d < n; d++) {                                                               \
    type *out = (type *)(void *)p->tile + (uint64_t)(first + d) * MODEL_KV_TILE + p->at + i;       \
    for (uint32_t j = 0; j < some; j++) {                                                          \
      out[j] = ((type *)(void *)rows)[j * COLUMNS + d];                                            \
    }                                                                                              \
  }

static void
write_keys(const Place *p, const float *k)
{
  _Alignas(64) uint8_t rows[ROWS * COLUMNS * sizeof(float)]; /* numbers of any type */
  const uint64_t row_bytes = COLUMNS * value_bytes(p->kv->type);

  for (uint32_t i = 0; i < p->n; i += ROWS) {
    const uint32_t some = p->n - i < ROWS ? p->n - i : ROWS;
    for (uint32_t first = 0; first < p->kv->head_dim; first += COLUMNS) {
      const uint32_t left = p->kv->head_dim - first, n = left < COLUMNS ? left : COLUMNS;
      for (uint32_t j = 0; j < some; j++) {
        encode(p, k + (i + j) * p->stride, i + j, first, n, p->tile + p->kv->key_scales,
               rows + j * row_bytes);
      }
      if (p->kv->type == MODEL_KV_F32) {
        TURN(float)
      } else if (p->kv->type == MODEL_KV_F16) {
        TURN(uint16_t)
      } else {
        TURN(int8_t)
      }
    }
  }
}

static void
write_values(const Place *p, const float *v)
{
  const uint64_t size = value_bytes(p->kv->type), width = padded(p->kv->head_dim);

  for (uint32_t first = 0; first < p->kv->head_dim; first += COLUMNS) {
    const uint32_t left = p->kv->head_dim - first, n = left < COLUMNS ? left : COLUMNS;
    const uint64_t columns = width - first < COLUMNS ? width - first : COLUMNS;
    uint8_t *out = p->tile + p->kv->values + MODEL_KV_TILE * first * size;
    for (uint32_t i = 0; i < p->n; i++) {
      encode(p, v + i * p->stride, i, first, n, p->tile + p->kv->value_scales,
             out + (p->at + i) * columns * size);
    }
  }
}

void
model_kv_write(const ModelKv *kv, uint32_t layer, uint32_t first, uint32_t n, const float *k,
               const float *v, uint64_t stride)
{
  assert(first <= kv->positions && n <= kv->positions - first);
  for (uint32_t done = 0; done < n;) {
    const uint32_t tile = (first + done) / MODEL_KV_TILE, at = (first + done) % MODEL_KV_TILE;
    const uint32_t left = MODEL_KV_TILE - at, some = n - done < left ? n - done : left;
    for (uint32_t head = 0; head < kv->heads; head++) {
      const Place place = {kv, model_kv_tile(kv, tile, layer, head), at, some, stride};
      const uint64_t from = done * stride + (uint64_t)head * kv->head_dim;
      write_keys(&place, k + from);
      write_values(&place, v + from);
    }
    done += some;
  }
}
