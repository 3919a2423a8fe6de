/* kv.h - keys and values of a timeline, as the attention kernels read them. Private to model/.
 *
 * Positions go together in tiles of 64. Memory is [tile][layer][kv head][tile bytes], so that the
 * first n positions are the first ceil(n / 64) tiles: one piece of memory to copy or to keep, and
 * no page is touched before a position needs it. Every tile starts on 64 bytes. With D = head_dim,
 * P = D rounded up to 16, B = ceil(D / 32), a head's tile is
 *   keys    [D][64 positions]            float32, float16 or int8
 *   scales of keys    [B][64 positions]  float16; q8_0 alone
 *   values  for each c = 0 .. : [64 positions][columns 64 c .. min(64 c + 64, P) - 1], padded with
 * 0 scales of values  [B][64 positions]  float16; q8_0 alone q8_0: per position and 32 columns A =
 * the largest |x|, scale = float16(A / 127), q = x * (127 / A) rounded to the nearest, ties to
 * even; a block with an infinity or a NaN has the scale NaN. The value is float(q) * scale, which
 * float32 holds exactly. */
#ifndef HILUM_MODEL_KV_H
#define HILUM_MODEL_KV_H

#include <stdbool.h>

#include "model.h"

#define MODEL_KV_TILE 64u
#define MODEL_KV_BLOCK 32u

typedef struct {
  ModelKvType type; /* never AUTO */
  uint32_t layers, heads, head_dim, positions;
  uint64_t key_scales, values, value_scales; /* offsets in a head's tile, bytes */
  uint64_t head_bytes, tile_bytes;           /* a head's tile; a tile of all layers and heads */
  uint8_t *memory;                           /* aligned; inside the allocation */
  void *allocation;
} ModelKv;

/* Room for POSITIONS in LAYERS of HEADS heads of HEAD_DIM. On error KV is empty. */
bool model_kv_init(ModelKv *kv, ModelKvType type, uint32_t layers, uint32_t heads,
                   uint32_t head_dim, uint32_t positions, ModelError *err);
void model_kv_clear(ModelKv *kv);

/* Bytes that one more position costs in the end: a 64th of a tile. */
uint64_t model_kv_position_bytes(ModelKvType type, uint32_t layers, uint32_t heads,
                                 uint32_t head_dim);
/* Bytes of MEMORY that hold the first N positions. */
uint64_t model_kv_bytes(const ModelKv *kv, uint32_t n);

static inline uint8_t *
model_kv_tile(const ModelKv *kv, uint32_t tile, uint32_t layer, uint32_t head)
{
  return kv->memory + tile * kv->tile_bytes + ((uint64_t)layer * kv->heads + head) * kv->head_bytes;
}

/* Writes rows K, V [n][heads * head_dim], STRIDE floats apart, as positions FIRST .. FIRST + N - 1
 * of LAYER. Threads may write different positions at once. */
void model_kv_write(const ModelKv *kv, uint32_t layer, uint32_t first, uint32_t n, const float *k,
                    const float *v, uint64_t stride);

#endif
