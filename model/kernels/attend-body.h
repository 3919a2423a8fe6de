/* attend-body.h - attention of a few query rows over one head's tiles (floats.h, kv.h), with lanes
 * of keys for the scores and lanes of columns for the values. Compiled once per instruction set. */
#include <assert.h>

#include "kernels/floats.h"
#include "kernels/lanes.h"

#define ATTEND_GROUP 6u /* rows that share what is loaded of keys and values */
#define TILE MODEL_KV_TILE
#define BLOCK MODEL_KV_BLOCK

/* What one call works with. */
typedef struct {
  const ModelAttend *a;
  uint32_t dim, padded;
  float *q;                         /* [rows][dim], scaled */
  float *o;                         /* [rows][padded] */
  float *p;                         /* [group][TILE]: scores, then weights */
  float *key_scales, *value_scales; /* [blocks][TILE] of the tile at hand, for q8_0 */
  const uint8_t *tile;              /* at hand */
  uint64_t ahead;                   /* from there to the next one; 0: there is none */
  float m[MODEL_ATTEND_ROWS], l[MODEL_ATTEND_ROWS];
} Attend;

LANES_INLINE Lanes
attend_load(ModelKvType type, const uint8_t *p, uint64_t i)
{
  return type == MODEL_KV_F32   ? lanes_load((const float *)(const void *)p + i)
         : type == MODEL_KV_F16 ? lanes_load_f16((const uint16_t *)(const void *)p + i)
                                : lanes_load_i8((const int8_t *)p + i);
}

LANES_INLINE uint64_t
attend_size(ModelKvType type)
{
  return type == MODEL_KV_F32 ? 4 : type == MODEL_KV_F16 ? 2 : 1;
}

/* Asks for N values from the next tile, at the place where the present one is being read: one row
 * of queries computes too little to wait for memory. */
LANES_INLINE void
attend_prefetch(ModelKvType type, const Attend *t, const uint8_t *p, uint64_t i, unsigned n)
{
  for (unsigned k = 0; k < n * attend_size(type); k += 64) {
    __builtin_prefetch(p + i * attend_size(type) + k + t->ahead, 0, 2);
  }
}

/* Scores of ROWS rows from ROW on with keys AT .. AT + 16 WIDE - 1 of a tile. */
LANES_INLINE void
attend_scores(ModelKvType type, unsigned rows, unsigned wide, const Attend *t, uint32_t row,
              uint32_t at)
{
  const uint8_t *keys = t->tile;
  const float *q = t->q + (uint64_t)row * t->dim, *scales = t->key_scales + at;
  Lanes sums[ATTEND_GROUP][4], k[4];

  for (unsigned r = 0; r < rows; r++) {
    for (unsigned j = 0; j < wide; j++) {
      sums[r][j] = lanes_zero();
    }
  }
  for (uint32_t d = 0; d < t->dim; d++) {
    attend_prefetch(type, t, keys, (uint64_t)d * TILE + at, wide * LANES);
#pragma GCC unroll 4
    for (unsigned j = 0; j < wide; j++) {
      k[j] = attend_load(type, keys, (uint64_t)d * TILE + at + j * LANES);
      if (type == MODEL_KV_Q8_0) {
        k[j] = lanes_mul(k[j], lanes_load(scales + d / BLOCK * TILE + j * LANES));
      }
    }
#pragma GCC unroll 6
    for (unsigned r = 0; r < rows; r++) {
      const Lanes x = lanes_all(q[(uint64_t)r * t->dim + d]);
#pragma GCC unroll 4
      for (unsigned j = 0; j < wide; j++) {
        sums[r][j] = lanes_fma(x, k[j], sums[r][j]);
      }
    }
  }
  for (unsigned r = 0; r < rows; r++) {
    for (unsigned j = 0; j < wide; j++) {
      lanes_store(t->p + r * TILE + at + j * LANES, sums[r][j]);
    }
  }
}

/* Adds keys FROM .. TO - 1 of a tile to columns AT .. AT + 16 WIDE - 1 of ROWS rows from ROW on.
 * P: the weights of the first of them. */
LANES_INLINE void
attend_values(ModelKvType type, unsigned rows, unsigned wide, const Attend *t, const float *p,
              uint32_t row, uint32_t at, uint32_t from, uint32_t to)
{
  const uint32_t chunk = at / TILE * TILE, left = t->padded - chunk;
  const uint32_t width = left < TILE ? left : TILE;
  const uint8_t *base = t->tile + t->a->kv->values + (uint64_t)chunk * TILE * attend_size(type);
  float *o = t->o + (uint64_t)row * t->padded + at;
  Lanes sums[ATTEND_GROUP][4], v[4];

  for (unsigned r = 0; r < rows; r++) {
    for (unsigned j = 0; j < wide; j++) {
      sums[r][j] = lanes_load(o + (uint64_t)r * t->padded + j * LANES);
    }
  }
  for (uint32_t key = from; key < to; key++) {
    attend_prefetch(type, t, base, (uint64_t)key * width + at - chunk, wide * LANES);
#pragma GCC unroll 4
    for (unsigned j = 0; j < wide; j++) {
      v[j] = attend_load(type, base, (uint64_t)key * width + at - chunk + j * LANES);
      if (type == MODEL_KV_Q8_0) {
        const uint32_t block = (at + j * LANES) / BLOCK;
        v[j] = lanes_mul(v[j], lanes_all(t->value_scales[block * TILE + key]));
      }
    }
#pragma GCC unroll 6
    for (unsigned r = 0; r < rows; r++) {
      const Lanes x = lanes_all(p[r * TILE + key]);
#pragma GCC unroll 4
      for (unsigned j = 0; j < wide; j++) {
        sums[r][j] = lanes_fma(x, v[j], sums[r][j]);
      }
    }
  }
  for (unsigned r = 0; r < rows; r++) {
    for (unsigned j = 0; j < wide; j++) {
      lanes_store(o + (uint64_t)r * t->padded + j * LANES, sums[r][j]);
    }
  }
}

/* From scores to weights for ROWS rows of which the first sees SEEN[0] keys of this tile; o, l and
 * m follow the new maximum. */
static void
attend_weigh(Attend *t, unsigned rows, uint32_t row, const uint32_t *seen)
{
  static const float count[LANES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  float shift[LANES] = {0}, sums[ATTEND_GROUP];

  for (unsigned r = 0; r < rows; r++) {
    float *p = t->p + r * TILE, most;
    Lanes s[4], m;
#pragma GCC unroll 4
    for (unsigned j = 0; j < 4; j++) {
      s[j] = lanes_load(p + j * LANES);
      if (seen[r] < TILE) {
        const Lanes end = lanes_all((float)seen[r] - (float)(j * LANES));
        s[j] = lanes_less(lanes_load(count), end, s[j], lanes_all(-INFINITY));
      }
    }
    most = lanes_most(lanes_max(lanes_max(s[0], s[1]), lanes_max(s[2], s[3])));
    most = most > t->m[row + r] ? most : t->m[row + r];
    shift[r] = most == t->m[row + r] ? 0.0f : t->m[row + r] - most;
    t->m[row + r] = most;
    m = lanes_all(most);
#pragma GCC unroll 4
    for (unsigned j = 0; j < 4; j++) {
      s[j] = lanes_exp(lanes_sub(s[j], m));
      lanes_store(p + j * LANES, s[j]);
    }
    sums[r] = lanes_sum(lanes_add(lanes_add(s[0], s[1]), lanes_add(s[2], s[3])));
  }
  lanes_store(shift, lanes_exp(lanes_load(shift)));
  for (unsigned r = 0; r < rows; r++) {
    float *o = t->o + (uint64_t)(row + r) * t->padded;
    t->l[row + r] = fmaf(t->l[row + r], shift[r], sums[r]);
    if (shift[r] != 1.0f) {
      for (uint32_t d = 0; d < t->padded; d += LANES) {
        lanes_store(o + d, lanes_mul(lanes_load(o + d), lanes_all(shift[r])));
      }
    }
  }
}

LANES_INLINE void
attend_all_scores(ModelKvType type, unsigned rows, const Attend *t, uint32_t row)
{
  for (uint32_t at = 0; at < TILE; at += LANES_WIDE(rows) * LANES) {
    attend_scores(type, rows, LANES_WIDE(rows), t, row, at);
  }
}

/* A tile's values lie in chunks of 64 columns; the last may be narrower. */
LANES_INLINE void
attend_all_values(ModelKvType type, unsigned rows, const Attend *t, const float *p, uint32_t row,
                  uint32_t from, uint32_t to)
{
  const uint32_t wide = LANES_WIDE(rows) * LANES;

  for (uint32_t at = 0; at < t->padded;) {
    if (at + wide <= t->padded) {
      attend_values(type, rows, LANES_WIDE(rows), t, p, row, at, from, to);
      at += wide;
    } else {
      attend_values(type, rows, 1, t, p, row, at, from, to);
      at += LANES;
    }
  }
}

/* Each type and number of rows has its own code; not inlined, so that a loop's registers are its
 * own. */
typedef struct {
  void (*scores)(const Attend *t, uint32_t row);
  void (*values)(const Attend *t, const float *p, uint32_t row, uint32_t from, uint32_t to);
} AttendLoops;

#define ATTEND_LOOPS(name, type, rows)                                                             \
  static __attribute__((noinline)) void scores_##name##_##rows(const Attend *t, uint32_t row)      \
  {                                                                                                \
    attend_all_scores(type, rows, t, row);                                                         \
  }                                                                                                \
  static __attribute__((noinline)) void values_##name##_##rows(                                    \
      const Attend *t, const float *p, uint32_t row, uint32_t from, uint32_t to)                   \
  {                                                                                                \
    attend_all_values(type, rows, t, p, row, from, to);                                            \
  }
#define ATTEND_TYPE(name, type)                                                                    \
  ATTEND_LOOPS(name, type, 1)                                                                      \
  ATTEND_LOOPS(name, type, 2)                                                                      \
  ATTEND_LOOPS(name, type, 3)                                                                      \
  ATTEND_LOOPS(name, type, 4)                                                                      \
  ATTEND_LOOPS(name, type, 5)                                                                      \
  ATTEND_LOOPS(name, type, 6)
#define ATTEND_TABLE(name)                                                                         \
  {                                                                                                \
    {scores_##name##_1, values_##name##_1}, {scores_##name##_2, values_##name##_2},                \
        {scores_##name##_3, values_##name##_3}, {scores_##name##_4, values_##name##_4},            \
        {scores_##name##_5, values_##name##_5}, {scores_##name##_6, values_##name##_6},            \
  }

ATTEND_TYPE(f32, MODEL_KV_F32)
ATTEND_TYPE(f16, MODEL_KV_F16)
ATTEND_TYPE(q8_0, MODEL_KV_Q8_0)

static const AttendLoops attend_loops[3][ATTEND_GROUP] = {ATTEND_TABLE(f32), ATTEND_TABLE(f16),
                                                          ATTEND_TABLE(q8_0)};

/* ROWS rows from ROW on, all of which see something of TILE number INDEX. */
static void
attend_group(Attend *t, const AttendLoops *loops, uint32_t index, uint32_t row, uint32_t rows)
{
  uint32_t seen[ATTEND_GROUP];

  for (unsigned r = 0; r < rows; r++) {
    const uint32_t left = t->a->seen[row + r] - index * TILE;
    seen[r] = left < TILE ? left : TILE;
  }
  loops[rows - 1].scores(t, row);
  attend_weigh(t, rows, row, seen);
  loops[rows - 1].values(t, t->p, row, 0, seen[0]);
  /* Keys that the first row does not see are added row by row: a weight of 0 times a value that is
   * no number would not be 0. */
  for (unsigned r = 1; r < rows; r++) {
    if (seen[r] > seen[0]) {
      loops[0].values(t, t->p + r * TILE, row + r, seen[0], seen[r]);
    }
  }
}

/* The scales of the tile at hand as float32. */
static void
attend_scales(Attend *t)
{
  const uint32_t n = (t->dim + BLOCK - 1) / BLOCK * TILE;

  for (uint32_t i = 0; i < n; i += LANES) {
    lanes_store(t->key_scales + i, attend_load(MODEL_KV_F16, t->tile + t->a->kv->key_scales, i));
    lanes_store(t->value_scales + i,
                attend_load(MODEL_KV_F16, t->tile + t->a->kv->value_scales, i));
  }
}

/* The places of T inside the scratch, the scaled queries, and sums of nothing. */
static void
attend_start(Attend *t, const ModelAttend *a)
{
  const uint64_t blocks = (t->dim + BLOCK - 1) / BLOCK;

  t->p = a->scratch;
  t->key_scales = t->p + ATTEND_GROUP * TILE;
  t->value_scales = t->key_scales + blocks * TILE;
  t->o = t->value_scales + blocks * TILE;
  t->q = t->o + (uint64_t)a->n * t->padded;
  memset(t->o, 0, (uint64_t)a->n * t->padded * sizeof(float));
  for (uint32_t i = 0; i < a->n; i++) {
    float *q = t->q + (uint64_t)i * t->dim;
    for (uint32_t d = 0; d < t->dim; d++) {
      q[d] = a->q[i][d] * a->scale;
    }
    t->m[i] = -INFINITY;
    t->l[i] = 0;
  }
}

static void
attend(const ModelAttend *a)
{
  const ModelKv *kv = a->kv;
  Attend t = {.a = a, .dim = kv->head_dim, .padded = (kv->head_dim + LANES - 1) / LANES * LANES};
  const AttendLoops *loops = attend_loops[kv->type - MODEL_KV_F32];
  uint32_t first = 0;

  assert(a->n > 0 && a->n <= MODEL_ATTEND_ROWS && a->seen[0] > 0);
  attend_start(&t, a);
  for (uint32_t index = 0; first < a->n; index++) {
    t.tile = model_kv_tile(kv, index, a->layer, a->head);
    t.ahead = a->seen[a->n - 1] > (index + 1) * TILE ? kv->tile_bytes : 0;
    if (kv->type == MODEL_KV_Q8_0) {
      attend_scales(&t);
    }
    for (uint32_t row = first; row < a->n; row += ATTEND_GROUP) {
      attend_group(&t, loops, index, row, a->n - row < ATTEND_GROUP ? a->n - row : ATTEND_GROUP);
    }
    while (first < a->n && a->seen[first] <= (index + 1) * TILE) {
      first++;
    }
  }
  for (uint32_t i = 0; i < a->n; i++) {
    const float scale = 1.0f / t.l[i];
    for (uint32_t d = 0; d < t.dim; d++) {
      a->out[i][d] = t.o[(uint64_t)i * t.padded + d] * scale;
    }
  }
}

#undef TILE
#undef BLOCK
