/* product-float-body.h - the float products (product-float.h) over lanes.h; compiled once per
 * instruction set by product-float-ISA.c. */
#include "kernels/lanes.h"
#include "kernels/product-float.h"

#define TOKENS 6u /* rows of x that share what is loaded of w */
/* Bytes of x that stay in the first cache while rows of w go by. */
#define PART_BYTES 24576u
/* Rows of w at a time for a few rows of x, when w comes from memory. */
#define FEW_ROWS 8u
/* Floats of the running sums of a row and a token. */
#define SUMS (2u * LANES)

/* Kinds of a product: what W is, and for PAIRS that x is bfloat16 too. */
typedef enum { KIND_F32, KIND_F16, KIND_BF16, KIND_PAIRS } Kind;

#if defined LANES_BF16
typedef __m512bh Pairs;

LANES_INLINE Pairs
pairs_load(const uint16_t *p)
{
  return (Pairs)_mm512_loadu_si512(p);
}

LANES_INLINE Lanes
pairs_fma(Pairs w, Pairs x, Lanes sum)
{
  return _mm512_dpbf16_ps(sum, w, x);
}
#else
typedef struct {
  Lanes even, odd;
} Pairs;

LANES_INLINE Pairs
pairs_load(const uint16_t *p)
{
  return (Pairs){lanes_load_bf16_even(p), lanes_load_bf16_odd(p)};
}

LANES_INLINE Lanes
pairs_fma(Pairs w, Pairs x, Lanes sum)
{
  return lanes_fma(w.even, x.even, lanes_fma(w.odd, x.odd, sum));
}
#endif

LANES_INLINE uint64_t
weight_size(Kind kind)
{
  return kind == KIND_F32 ? 4 : 2;
}

LANES_INLINE uint64_t
x_size(Kind kind)
{
  return kind == KIND_PAIRS ? 2 : 4;
}

/* Columns that one of the two sums takes at a time. */
LANES_INLINE uint64_t
columns_of(Kind kind)
{
  return kind == KIND_PAIRS ? 2 * LANES : LANES;
}

LANES_INLINE Lanes
weight_load(Kind kind, const uint8_t *p)
{
  return kind == KIND_F32   ? lanes_load((const float *)(const void *)p)
         : kind == KIND_F16 ? lanes_load_f16((const uint16_t *)(const void *)p)
                            : lanes_load_bf16((const uint16_t *)(const void *)p);
}

/* Adds N columns (whole steps of both sums) of ROWS rows of W and COUNT rows of X to sums; strides
 * in bytes. */
LANES_INLINE void
tile_add(Kind kind, unsigned rows, unsigned count, const uint8_t *w, uint64_t w_stride,
         const uint8_t *x, uint64_t x_stride, uint64_t n, Lanes sums[2][TOKENS][2])
{
  for (uint64_t i = 0; i < n; i += 2 * columns_of(kind)) {
#pragma GCC unroll 2
    for (unsigned half = 0; half < 2; half++) {
      const uint64_t at = i + half * columns_of(kind);
      const uint8_t *from = w + at * weight_size(kind), *by = x + at * x_size(kind);
      if (kind == KIND_PAIRS) {
        Pairs a[2];
#pragma GCC unroll 2
        for (unsigned r = 0; r < rows; r++) {
          a[r] = pairs_load((const uint16_t *)(const void *)(from + r * w_stride));
        }
#pragma GCC unroll 6
        for (unsigned t = 0; t < count; t++) {
          const Pairs b = pairs_load((const uint16_t *)(const void *)(by + t * x_stride));
#pragma GCC unroll 2
          for (unsigned r = 0; r < rows; r++) {
            sums[r][t][half] = pairs_fma(a[r], b, sums[r][t][half]);
          }
        }
      } else {
        Lanes a[2];
#pragma GCC unroll 2
        for (unsigned r = 0; r < rows; r++) {
          a[r] = weight_load(kind, from + r * w_stride);
        }
#pragma GCC unroll 6
        for (unsigned t = 0; t < count; t++) {
          const Lanes b = lanes_load((const float *)(const void *)(by + t * x_stride));
#pragma GCC unroll 2
          for (unsigned r = 0; r < rows; r++) {
            sums[r][t][half] = lanes_fma(a[r], b, sums[r][t][half]);
          }
        }
      }
    }
  }
}

/* The columns past the last whole step, filled up with zeros. */
LANES_INLINE void
tile_add_rest(Kind kind, unsigned rows, unsigned count, const uint8_t *w, uint64_t w_stride,
              const uint8_t *x, uint64_t x_stride, uint64_t n, Lanes sums[2][TOKENS][2])
{
  /* Of bytes, since they are read as numbers of any type. */
  enum { ROW = SUMS * sizeof(float) };
  _Alignas(64) uint8_t weights[2 * ROW] = {0}, values[TOKENS * ROW] = {0};

  for (unsigned r = 0; r < rows; r++) {
    memcpy(weights + r * ROW, w + r * w_stride, n * weight_size(kind));
  }
  for (unsigned t = 0; t < count; t++) {
    memcpy(values + t * ROW, x + t * x_stride, n * x_size(kind));
  }
  tile_add(kind, rows, count, weights, ROW, values, ROW, 2 * columns_of(kind), sums);
}

/* What one call works with. */
typedef struct {
  const uint8_t *w, *x;
  uint64_t w_stride, x_stride, columns; /* strides in bytes */
  float *sums;                          /* [rows][TOKENS][SUMS] */
} Call;

/* Columns FROM .. FROM + N - 1 of ROWS rows of W from ROW on and of COUNT rows of X from TOKEN on,
 * which are sums SKIP and on. */
LANES_INLINE void
tile_run(Kind kind, unsigned rows, unsigned count, const Call *c, uint32_t row, uint64_t token,
         uint32_t skip, uint64_t from, uint64_t n)
{
  const uint8_t *w = c->w + row * c->w_stride + from * weight_size(kind);
  const uint8_t *x = c->x + (token + skip) * c->x_stride + from * x_size(kind);
  const uint64_t whole = n / (2 * columns_of(kind)) * (2 * columns_of(kind));
  float *kept = c->sums + ((uint64_t)row * TOKENS + skip) * SUMS;
  Lanes sums[2][TOKENS][2];

  for (unsigned r = 0; r < rows; r++) {
    for (unsigned t = 0; t < count; t++) {
      const float *p = kept + (r * TOKENS + t) * SUMS;
      sums[r][t][0] = from == 0 ? lanes_zero() : lanes_load(p);
      sums[r][t][1] = from == 0 ? lanes_zero() : lanes_load(p + LANES);
    }
  }
  tile_add(kind, rows, count, w, c->w_stride, x, c->x_stride, whole, sums);
  if (whole < n) {
    tile_add_rest(kind, rows, count, w + whole * weight_size(kind), c->w_stride,
                  x + whole * x_size(kind), c->x_stride, n - whole, sums);
  }
  for (unsigned r = 0; r < rows; r++) {
    for (unsigned t = 0; t < count; t++) {
      float *p = kept + (r * TOKENS + t) * SUMS;
      lanes_store(p, sums[r][t][0]);
      lanes_store(p + LANES, sums[r][t][1]);
    }
  }
}

typedef void (*Tile)(const Call *c, uint32_t row, uint64_t token, uint32_t skip, uint64_t from,
                     uint64_t n);

#define TILE_FUNCTION(kind, rows, count)                                                           \
  static __attribute__((noinline)) void tile_##kind##_##rows##_##count(                            \
      const Call *c, uint32_t row, uint64_t token, uint32_t skip, uint64_t from, uint64_t n)       \
  {                                                                                                \
    tile_run(kind, rows, count, c, row, token, skip, from, n);                                     \
  }
#define TILE_COUNTS(kind, rows)                                                                    \
  TILE_FUNCTION(kind, rows, 1)                                                                     \
  TILE_FUNCTION(kind, rows, 2)                                                                     \
  TILE_FUNCTION(kind, rows, 3)                                                                     \
  TILE_FUNCTION(kind, rows, 4)                                                                     \
  TILE_FUNCTION(kind, rows, 5)                                                                     \
  TILE_FUNCTION(kind, rows, 6)
#define TILE_NAMES(kind, rows)                                                                     \
  {                                                                                                \
    tile_##kind##_##rows##_1, tile_##kind##_##rows##_2, tile_##kind##_##rows##_3,                  \
        tile_##kind##_##rows##_4, tile_##kind##_##rows##_5, tile_##kind##_##rows##_6               \
  }

TILE_COUNTS(KIND_F32, 1)
TILE_COUNTS(KIND_F16, 1)
TILE_COUNTS(KIND_BF16, 1)
TILE_COUNTS(KIND_PAIRS, 1)
#if LANES_ROWS > 1
TILE_COUNTS(KIND_F32, 2)
TILE_COUNTS(KIND_F16, 2)
TILE_COUNTS(KIND_BF16, 2)
TILE_COUNTS(KIND_PAIRS, 2)
#define TILE_ENTRY(kind)                                                                           \
  {                                                                                                \
    TILE_NAMES(kind, 1), TILE_NAMES(kind, 2)                                                       \
  }
#else
#define TILE_ENTRY(kind)                                                                           \
  {                                                                                                \
    TILE_NAMES(kind, 1)                                                                            \
  }
#endif

static const Tile tiles[4][LANES_ROWS][TOKENS] = {TILE_ENTRY(KIND_F32), TILE_ENTRY(KIND_F16),
                                                  TILE_ENTRY(KIND_BF16), TILE_ENTRY(KIND_PAIRS)};

static void
rows_run(Kind kind, const Call *c, uint32_t row, uint32_t end, uint64_t token, uint32_t count,
         uint64_t from, uint64_t columns)
{
  /* One row after the other where the weights come from memory: it reads in one stream best. */
  const uint32_t together = count <= 3 ? 1 : LANES_ROWS;

  while (row < end) {
    const uint32_t rows = end - row < together ? end - row : together;
    for (uint32_t skip = 0; skip < count; skip += LANES_TOKENS) {
      const uint32_t some = count - skip < LANES_TOKENS ? count - skip : LANES_TOKENS;
      tiles[kind][rows - 1][some - 1](c, row, token, skip, from, columns);
    }
    row += rows;
  }
}

/* Columns that go through several rows of w before the next ones: whole steps, in parts of about
 * the same size. */
static uint64_t
part_columns(Kind kind, uint64_t columns, uint64_t count)
{
  const uint64_t most = PART_BYTES / (count * x_size(kind)), parts = (columns + most - 1) / most;

  return ((columns + parts - 1) / parts + 63) / 64 * 64;
}

static void
product_of(Kind kind, const ModelTensor *w, uint64_t first, uint32_t n, const void *x,
           uint64_t x_stride, uint64_t m, const float *bias, float *y, uint64_t y_stride,
           float *scratch)
{
  const uint64_t columns = model_tensor_columns(w);
  const uint64_t part = part_columns(kind, columns, m < TOKENS ? m : TOKENS);
  const uint32_t group = m <= TOKENS ? FEW_ROWS : MODEL_FLOAT_ROWS;
  Call c = {.x = x, .x_stride = x_stride * x_size(kind), .columns = columns, .sums = scratch};

  c.w_stride = columns * weight_size(kind);
  c.w = w->data + first * c.w_stride;
  for (uint64_t token = 0; token < m; token += TOKENS) {
    const uint32_t count = (uint32_t)(m - token < TOKENS ? m - token : TOKENS);
    for (uint32_t row = 0; row < n; row += group) {
      const uint32_t end = n - row < group ? n : row + group;
      for (uint64_t from = 0; from < columns; from += part) {
        rows_run(kind, &c, row, end, token, count, from,
                 columns - from < part ? columns - from : part);
      }
    }
    for (uint32_t row = 0; row < n; row++) {
      for (uint32_t t = 0; t < count; t++) {
        const float *p = scratch + ((uint64_t)row * TOKENS + t) * SUMS;
        const float sum = lanes_sum(lanes_add(lanes_load(p), lanes_load(p + LANES)));
        y[(token + t) * y_stride + first + row] = bias ? sum + bias[first + row] : sum;
      }
    }
  }
}

static void
product(const ModelTensor *w, uint64_t first, uint32_t n, const float *x, uint64_t x_stride,
        uint64_t m, const float *bias, float *y, uint64_t y_stride, float *scratch)
{
  const Kind kind = w->type == MODEL_TYPE_F32   ? KIND_F32
                    : w->type == MODEL_TYPE_F16 ? KIND_F16
                                                : KIND_BF16;

  product_of(kind, w, first, n, x, x_stride, m, bias, y, y_stride, scratch);
}

static void
product_bf16(const ModelTensor *w, uint64_t first, uint32_t n, const uint16_t *x, uint64_t x_stride,
             uint64_t m, const float *bias, float *y, uint64_t y_stride, float *scratch)
{
  product_of(KIND_PAIRS, w, first, n, x, x_stride, m, bias, y, y_stride, scratch);
}

static void
to_bf16(const float *x, uint64_t n, uint16_t *out)
{
  for (uint64_t i = 0; i < n; i++) {
    out[i] = model_float_to_bf16(x[i]);
  }
}

#define MODEL_FLOAT_PRODUCTS(isa, dots, fast)                                                      \
  {                                                                                                \
    .name = isa, .bf16_dots = dots, .beats_blas = fast, .product = product,                        \
    .product_bf16 = product_bf16, .to_bf16 = to_bf16                                               \
  }
