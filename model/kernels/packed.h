/* packed.h - quantised weights as the kernels read them, activations in 8 bits, and the arithmetic
 * of their products, to the last bit. Private to model/.
 *
 * Every kernel (portable C, AVX2, AVX-512, VNNI, NEON) gives the same bits, for any number of
 * rows of activations at a time and any number of threads: integers are exact within a block, and
 * what is float32 happens in the order that is written here. So a token that is checked in a batch
 * has the logits that it would have alone.
 *
 * ---- packed weights ----
 * Rows go together in groups of 16, padded with rows of zeros; a group is a run of units of 64
 * columns (Q8_0, Q4_0; a last half unit is padded with zeros) or of 256 columns (K types),
 * in order. A unit is whole lines of 64 bytes, and the data start on 64 bytes. d, dmin: float16,
 * little-endian. Within a unit, "nibble lines" of a block of 32 columns are 4 lines; of line i,
 * byte 4 * row + j holds column 4i + j in its low and column 16 + 4i + j in its high half. w is the
 * weight, u what is stored of it.
 *
 * PACKED_Q8_0, 17 lines: d[2 blocks][16 rows]; then for each block of 32 columns 8 lines: line i,
 *   byte 4 * row + j holds column 4i + j as u = q + 128. w = d (u - 128).
 * PACKED_Q4_0, 9 lines: d[2 blocks][16 rows]; nibble lines of both blocks. w = d (u - 8).
 * PACKED_Q4_K, 36 lines: w = (d sc_s) u - (dmin m_s), s = column / 32 of 0..7, sc and m of 6 bits.
 *   line 0: d[16], dmin[16].
 *   line 1: byte 16 j + row (j = 0..3): the low 4 bits of sc_j, above them those of sc_(j+4).
 *   line 2: byte 32 p + 2 row + e (p, e = 0, 1): the low 4 bits of m_(2p+e), above them those of
 *           m_(2p+e+4).
 *   line 3: byte i: from bit 0 the high 2 bits of the low, then of the high half of line 1's byte
 *           i, then the same for line 2's byte i.
 *   then the nibble lines of each s.
 * PACKED_Q5_K, 44 lines: as Q4_K, but after the 4 nibble lines of each s one more line: bit i of
 *   byte 4 * row + j is the fifth bit of column 4i + j (i = 0..7).
 * PACKED_Q6_K, 53 lines: w = (d sc_t) (u - 32), t = column / 16 of 0..15, sc a signed byte.
 *   line 0: d[16], then zeros. Lines 1-4: sc[16 t][16 rows]. Then for each s = column / 32 the
 *   4 nibble lines (low 4 bits of u) and 2 lines: of line h, bits 2f, 2f + 1 of byte 4 * row + j
 *   are the high 2 bits of column 16h + 4f + j (f = 0..3).
 *
 * ---- activations ----
 * Each row x[columns] (a token) is cut in blocks of 32 (for Q8_0, Q4_0) or of 256 columns (K
 * types): A = the largest |x| of the block, d = A / 127, q = x * (127 / A) rounded to the nearest
 * integer, ties to even; all in float32, one operation at a time. A = 0: d = 0, q = 0. A block with
 * an infinity or a NaN: d = NaN, q = 0. (127 / A is infinite for subnormal A: treated as A = 0.)
 * Columns are padded with zeros to whole units.
 *
 * ---- products, y[token][row] ----
 * fma(a, b, c) is a * b + c rounded once. I is an integer, exact in int32; float(I) rounds to
 * nearest even. From acc = 0, blocks in order of columns:
 *   Q8_0, Q4_0: I = sum q_k w'_k (w' = u - 128 or u - 8);  acc = fma(float(I), dw * dx, acc)
 *   Q4_K, Q5_K: per 256: t = 0; for s = 0..7: I_s = sum q_k u_k; t = fma(float(I_s), d * sc_s, t);
 *               M = sum over s of m_s * (sum of q_k in s); t = fma(float(M), -dmin, t);
 *               acc = fma(t, dx, acc)
 *   Q6_K:       per 256: t = 0; for t' = 0..15: I = sum q_k (u_k - 32);
 *               t = fma(float(I), d * sc_t', t);  acc = fma(t, dx, acc)
 * At the end y = acc + bias (when there is a bias).
 */
#ifndef HILUM_MODEL_PACKED_H
#define HILUM_MODEL_PACKED_H

#include "checkpoint/checkpoint.h"

#define MODEL_GROUP_ROWS 16u
#define MODEL_PACKED_ALIGNMENT 64u

/* The packed type for weights that a file holds as TYPE, or 0 when there is none (float types).
 * Q8_0, Q4_0, Q4_K, Q5_K and Q6_K keep every bit. Q5_0 and IQ4_NL go into Q8_0, Q3_K into Q6_K,
 * exactly; Q4_1, Q5_1, Q2_K and IQ2_XXS are rounded to Q8_0. */
ModelType model_packed_type(ModelType type);
/* Columns of a unit; 0 for a type that is not packed. */
uint32_t model_packed_unit_columns(ModelType packed);
uint32_t model_packed_unit_bytes(ModelType packed);
/* Bytes of one group of 16 rows, and of a whole matrix. */
uint64_t model_packed_group_bytes(ModelType packed, uint64_t columns);
uint64_t model_packed_bytes(ModelType packed, uint64_t rows, uint64_t columns);
/* Packs groups FIRST .. FIRST + N - 1 of TENSOR (in a file's type, with a packed type) to OUT.
 * SCRATCH: columns floats. */
void model_pack_groups(const ModelTensor *tensor, uint64_t first, uint64_t n, uint8_t *out,
                       float *scratch);
/* Rows FIRST .. FIRST + N - 1 of a packed tensor (shape: the true rows and columns) as float32. */
void model_packed_read_rows(const ModelTensor *packed, uint64_t first, uint64_t n, float *out);

/* ---- activations -------------------------------------------------------------------------- */

/* Rows of activations that a kernel takes together. Tile t holds rows 6t .. 6t + c - 1, c = 6 but
 * for the last tile. With K = padded columns:
 *   q      + 6tK:        [K / 4][c][4]
 *   d      + 6tK/block:  [K / block][c]
 *   sums   + 6tK/32:     [K / 32][c]   sum of q over 32 columns                  (block 32)
 *   sums16 + 6tK/16:     [K / 16][c]   the same over 16 columns                  (block 256)
 *   pairs  + 6tK/64:     [K / 64][c][2] the same over 32 columns, as int16       (block 256) */
#define MODEL_TILE 6u

typedef struct {
  uint64_t m, columns; /* columns: padded to whole units */
  uint32_t block;      /* 32 or 256 */
  int8_t *q;
  float *d;
  int32_t *sums, *sums16;
  int16_t *pairs;
} ModelActivations;

/* Block of activations for products with PACKED. */
uint32_t model_activation_block(ModelType packed);
/* Bytes that M rows of COLUMNS need for either block, and their places inside MEMORY (64-byte
 * aligned, as large as that). */
uint64_t model_activations_bytes(uint64_t m, uint64_t columns);
void model_activations_place(ModelActivations *a, uint64_t m, uint64_t columns, uint32_t block,
                             uint8_t *memory);

/* ---- kernels ------------------------------------------------------------------------------ */

/* Bytes of a worker's scratch that a kernel may use, 64-byte aligned. */
#define MODEL_KERNEL_SCRATCH (4u << 20)

typedef struct {
  const char *name; /* "portable", "avx2", "avxvnni", "avx512", "vnni", "neon" */
  /* Quantises tiles FIRST .. FIRST + N - 1 of x[m][columns], rows STRIDE floats apart; COLUMNS is
   * the true number. */
  void (*quantize)(ModelActivations *a, const float *x, uint64_t stride, uint64_t columns,
                   uint64_t first, uint64_t n);
  /* y[i][row] for all rows i of X and the rows of groups FIRST .. FIRST + N - 1 of W (packed);
   * rows of Y are Y_STRIDE floats apart. BIAS[rows] or NULL. Rows past W's last are not written. */
  void (*product)(const ModelTensor *w, uint64_t first, uint64_t n, const ModelActivations *x,
                  const float *bias, float *y, uint64_t y_stride, uint8_t *scratch);
} ModelKernels;

extern const ModelKernels model_kernels_portable;
extern const ModelKernels model_kernels_avx2, model_kernels_avxvnni; /* x86-64 only */
extern const ModelKernels model_kernels_avx512, model_kernels_vnni;
extern const ModelKernels model_kernels_neon; /* AArch64 only */

/* The kernels called NAME, or the best that this processor can run (NULL). NULL when there are none
 * of that name here. */
const ModelKernels *model_kernels_find(const char *name);
/* Kernels INDEX of those that this processor can run, best first; NULL past the end. */
const ModelKernels *model_kernels_at(uint32_t index);

#endif
