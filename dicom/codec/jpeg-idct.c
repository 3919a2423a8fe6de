/* jpeg-idct.c - the inverse cosine transform of 12-bit JPEG, on integers.
 *
 * Loeffler, Ligtenberg, Moschytz: "Practical fast 1-D DCT algorithms with 11 multiplications"
 * (ICASSP 1989), here with 12, by which rotations need no scaling. Constants have 13 bits behind
 * the point, and the columns' results keep one: as the Independent JPEG Group's accurate transform
 * does for 12 bits, so that every sample is the one that its decoders, and thereby DCMTK, give.
 *
 * Four columns, or rows, at a time. Sums are made without a sign, so that what a broken code stream
 * asks for runs over without harm. */
#include "jpeg12.h"

#define CONSTANT_BITS 13
#define COLUMN_BITS 1 /* that results of the columns keep behind the point */
#define CENTRE 2048
#define MOST 4095
#define CONSTANT(c) ((guint32)((c) * (1 << CONSTANT_BITS) + 0.5))

typedef guint32 Lanes __attribute__((vector_size(16)));
typedef gint32 Signed __attribute__((vector_size(16)));
typedef guint16 Words __attribute__((vector_size(16)));

#define INLINE static inline __attribute__((always_inline))

const guint8 dicom_jpeg_natural[JPEG_BLOCK_AND_RUN] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33,
    40, 48, 41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36,
    29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63};

/* One dimension of eight values, in place; results lose SHIFT bits, rounded. Where only the first
 * FOUR values are other than 0, the compiler leaves out the rest. */
INLINE void
transform(Lanes v[8], guint shift, gboolean four)
{
  const guint32 half = 1u << (shift - 1);
  const Lanes none = {0}, v4 = four ? none : v[4], v5 = four ? none : v[5], v6 = four ? none : v[6],
              v7 = four ? none : v[7];
  Lanes even[4], odd[4];

  /* the even ones: one rotation */
  const Lanes turn = (v[2] + v6) * CONSTANT(0.541196100);
  const Lanes low = turn - v6 * CONSTANT(1.847759065);
  const Lanes high = turn + v[2] * CONSTANT(0.765366865);
  const Lanes sum = ((v[0] + v4) << CONSTANT_BITS) + half;
  const Lanes difference = ((v[0] - v4) << CONSTANT_BITS) + half;
  even[0] = sum + high;
  even[1] = difference + low;
  even[2] = difference - low;
  even[3] = sum - high;
  /* the odd ones */
  const Lanes outer = (v7 + v[1]) * CONSTANT(0.899976223);
  const Lanes inner = (v5 + v[3]) * CONSTANT(2.562915447);
  const Lanes all = (v7 + v[3] + v5 + v[1]) * CONSTANT(1.175875602);
  const Lanes later = all - (v7 + v[3]) * CONSTANT(1.961570560);
  const Lanes sooner = all - (v5 + v[1]) * CONSTANT(0.390180644);
  odd[0] = v[1] * CONSTANT(1.501321110) - outer + sooner;
  odd[1] = v[3] * CONSTANT(3.072711026) - inner + later;
  odd[2] = v5 * CONSTANT(2.053119869) - inner + sooner;
  odd[3] = v7 * CONSTANT(0.298631336) - outer + later;
#pragma GCC unroll 4
  for (guint i = 0; i < 4; i++) {
    v[i] = (Lanes)((Signed)(even[i] + odd[i]) >> shift);
    v[7 - i] = (Lanes)((Signed)(even[i] - odd[i]) >> shift);
  }
}

/* Rows to columns: four values of four lanes. */
INLINE void
transpose(Lanes v[4])
{
  const Lanes a = __builtin_shufflevector(v[0], v[1], 0, 4, 1, 5);
  const Lanes b = __builtin_shufflevector(v[2], v[3], 0, 4, 1, 5);
  const Lanes c = __builtin_shufflevector(v[0], v[1], 2, 6, 3, 7);
  const Lanes d = __builtin_shufflevector(v[2], v[3], 2, 6, 3, 7);

  v[0] = __builtin_shufflevector(a, b, 0, 1, 4, 5);
  v[1] = __builtin_shufflevector(a, b, 2, 3, 6, 7);
  v[2] = __builtin_shufflevector(c, d, 0, 1, 4, 5);
  v[3] = __builtin_shufflevector(c, d, 2, 3, 6, 7);
}

/* To 0 to 4095 around the centre. */
INLINE Lanes
to_samples(Lanes v)
{
  const Signed centred = (Signed)(v + CENTRE);
  const Signed positive = centred & ~(centred >> 31);
  const Signed above = (Signed)(positive > MOST);

  return (Lanes)((positive & ~above) | (above & MOST));
}

INLINE void
store_row(guint16 *samples, Lanes left, Lanes right)
{
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
  const Words row = __builtin_shufflevector((Words)left, (Words)right, 0, 2, 4, 6, 8, 10, 12, 14);
#else
  const Words row = __builtin_shufflevector((Words)left, (Words)right, 1, 3, 5, 7, 9, 11, 13, 15);
#endif

  memcpy(samples, &row, sizeof row);
}

/* Four values of row I, from column FIRST on; FOUR: only the upper left quarter of the block is
 * other than 0. */
INLINE Lanes
load(const gint32 *block, guint i, guint first, gboolean four)
{
  Lanes v = {0};

  if (!four || (i < 4 && first == 0)) {
    memcpy(&v, block + 8 * i + first, sizeof v);
  }
  return v;
}

INLINE void
transform_block(const gint32 *block, guint16 *samples, gboolean four)
{
  Lanes left[8], right[8];

#pragma GCC unroll 8
  for (guint i = 0; i < 8; i++) {
    left[i] = load(block, i, 0, four);
    right[i] = load(block, i, 4, four);
  }
  transform(left, CONSTANT_BITS - COLUMN_BITS, four);
  if (!four) {
    transform(right, CONSTANT_BITS - COLUMN_BITS, FALSE);
  }
#pragma GCC unroll 2
  for (guint half = 0; half < 8; half += 4) {
    Lanes v[8];

#pragma GCC unroll 4
    for (guint i = 0; i < 4; i++) {
      v[i] = left[half + i];
      v[4 + i] = right[half + i];
    }
    transpose(v);
    transpose(v + 4);
    transform(v, CONSTANT_BITS + COLUMN_BITS + 3, four);
#pragma GCC unroll 8
    for (guint i = 0; i < 8; i++) {
      v[i] = to_samples(v[i]);
    }
    transpose(v);
    transpose(v + 4);
#pragma GCC unroll 4
    for (guint i = 0; i < 4; i++) {
      store_row(samples + 8 * (half + i), v[i], v[4 + i]);
    }
  }
}

void
dicom_jpeg_idct(const gint32 block[JPEG_BLOCK], guint last, guint16 samples[JPEG_BLOCK])
{
  /* The first coefficient outside of the upper left quarter is the eleventh. */
  if (last == 0) {
    const gint32 column = (gint32)((guint32)block[0] << COLUMN_BITS);
    const gint32 level = (gint32)((guint32)column + (1u << (COLUMN_BITS + 2)));
    const gint32 sample = CLAMP((level >> (COLUMN_BITS + 3)) + CENTRE, 0, MOST);

#pragma GCC unroll 8
    for (guint i = 0; i < JPEG_BLOCK; i++) {
      samples[i] = (guint16)sample;
    }
  } else if (last < 10) {
    transform_block(block, samples, TRUE);
  } else {
    transform_block(block, samples, FALSE);
  }
}
