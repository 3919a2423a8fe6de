/* jpegls-scan.c - entropy-coded data of JPEG-LS to rows of samples (T.87 annex A).
 *
 * Each sample waits for its left neighbour: gradient, context, Golomb parameter, code, error and
 * sample follow from each other. So whatever does not have to be on that path is kept off it: the
 * parameter and the correction are worked out when a context is left, not when it is entered, the
 * gradients of the row above one sample ahead, and nothing but a run, a long code and the end of
 * the row is a branch. Damage is noted, and looked for after each row; until then every value stays
 * within bounds by its arithmetic. */
#include "jpegls-bits.h"
#include "jpegls.h"

#define N_CONTEXTS 365
/* Zeros before a code that the fast way takes; with LARGEST_K and the one between they are within
 * the 57 bits of ls_peek(). */
#define FAST_ZEROS 32
/* Errors of 16 bits need no more; damage might ask for it. */
#define LARGEST_K 17
/* Whole bytes of zeros between the end of a scan's data and the next marker. */
#define MAX_SURPLUS 2

#define LS_INLINE static inline __attribute__((always_inline))

/* What a sample waits for. */
typedef struct {
  gint8 correction; /* C */
  guint8 k;
  gint8 flip; /* -1: the sign of errors is reversed (A.5.2) */
  gint8 unused;
} Hot;

/* What is needed to work that out. */
typedef struct {
  guint32 a;
  gint32 b;
  gint32 correction;
  guint32 n;
} Cold;

typedef struct {
  guint32 a;
  guint32 n, n_negative;
} RunContext;

struct DicomLsScan {
  Hot hot[N_CONTEXTS];
  Cold cold[N_CONTEXTS];
  RunContext runs[2]; /* by RItype (A.7.2) */
  guint run_index[4]; /* of each component; of the first where they are one run */

  gint near, step, maxval, range;
  guint reset, limit, qbpp;
  guint regular_limit; /* zeros before the longest code */
  gboolean plain;      /* NEAR is 0, and MAXVAL all ones */
  guint n_components;
  DicomLsInterleave interleave;

  gsize at, n_bits;
  guint32 worst; /* all codes, or-ed */
  gboolean bad;  /* a code that cannot be */
  guint8 *bits;
  gint8 gradients[2 * 65535 + 1]; /* -4 to 4, from -MAXVAL on (A.3.3) */
};

/* A.7.1.1 */
static const guint8 run_length[32] = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,  2,  3,  3,  3,  3,
                                      4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* ---- parameters --------------------------------------------------------------------------------
 */

static guint
bits_for(guint values)
{
  return values > 1 ? 32 - (guint)__builtin_clz(values - 1) : 0;
}

static void
make_gradients(DicomLsScan *s, const DicomLsPreset *p)
{
  const guint beyond[] = {p->maxval + 1, p->t3, p->t2, p->t1, (guint)s->near + 1};
  gint8 *const middle = s->gradients + p->maxval;

  for (guint i = 0; i < G_N_ELEMENTS(beyond); i++) {
    const guint n = beyond[i] - 1;

    memset(middle - n, -4 + (gint)i, n);
    memset(middle + 1, 4 - (gint)i, n);
  }
  *middle = 0;
}

DicomLsScan *
dicom_ls_scan_new(gsize n)
{
  DicomLsScan *s = g_try_new(DicomLsScan, 1);

  if (s) {
    s->bits = g_try_malloc(n + LS_PADDING);
    if (!s->bits) {
      g_clear_pointer(&s, g_free);
    }
  }
  return s;
}

void
dicom_ls_scan_free(DicomLsScan *scan)
{
  if (scan) {
    g_free(scan->bits);
    g_free(scan);
  }
}

void
dicom_ls_scan_begin(DicomLsScan *scan, const DicomLsHeader *header)
{
  const DicomLsPreset *p = &header->used;
  const guint bpp = MAX(2, bits_for(p->maxval + 1));

  scan->near = (gint)header->near;
  scan->step = 2 * scan->near + 1;
  scan->maxval = (gint)p->maxval;
  scan->range = (scan->maxval + 2 * scan->near) / scan->step + 1;
  scan->reset = p->reset;
  scan->qbpp = bits_for((guint)scan->range);
  scan->limit = 2 * (bpp + MAX(8, bpp));
  scan->regular_limit = scan->limit - scan->qbpp - 1;
  scan->plain = header->near == 0 && (p->maxval & (p->maxval + 1)) == 0;
  scan->n_components = header->n_components;
  scan->interleave = header->interleave;
  make_gradients(scan, p);
}

/* A.2.1 */
static void
reset_contexts(DicomLsScan *s)
{
  const guint32 a = (guint32)MAX(2, (s->range + 32) / 64);
  const Hot hot = {.k = (guint8)bits_for(a)};
  const Cold cold = {.a = a, .n = 1};
  const RunContext run = {.a = a, .n = 1};

  for (guint i = 0; i < N_CONTEXTS; i++) {
    s->hot[i] = hot;
    s->cold[i] = cold;
  }
  s->runs[0] = s->runs[1] = run;
  memset(s->run_index, 0, sizeof s->run_index);
}

const guint8 *
dicom_ls_scan_fill(DicomLsScan *scan, const guint8 *from, const guint8 *end)
{
  reset_contexts(scan);
  scan->at = 0;
  scan->worst = 0;
  scan->bad = FALSE;
  return ls_unstuff(from, end, scan->bits, &scan->n_bits);
}

/* ---- codes -------------------------------------------------------------------------------------
 */

/* The least k with N * 2^k >= A (A.5.1). */
LS_INLINE guint
golomb_parameter(guint32 a, guint32 n)
{
  const gint longer = __builtin_clz(n) - __builtin_clz(a | 1);
  const guint k = (guint)MAX(longer, 0);

  return MIN(k + (((guint64)n << k) < a), LARGEST_K);
}

typedef struct {
  gsize at;
  guint64 code;
} Taken;

/* A.5.3; LIMIT is the number of zeros that stands for a code as it is. */
static __attribute__((noinline)) Taken
take_slowly(DicomLsScan *s, gsize at, guint k, guint limit)
{
  const guint64 ahead = ls_peek(s->bits, at);
  const guint zeros = ahead ? (guint)__builtin_clzll(ahead) : 64;
  Taken taken = {at + zeros + 1, 0};

  if (taken.at > s->n_bits) {
    s->bad = TRUE;
    taken.at = s->n_bits + 1; /* and no further */
  } else if (zeros > limit) {
    s->bad = TRUE;
  } else if (zeros < limit) {
    taken.code = (guint64)zeros << k | ls_peek(s->bits, taken.at) >> 1 >> (63 - k);
    taken.at += k;
  } else {
    taken.code = (ls_peek(s->bits, taken.at) >> (64 - s->qbpp)) + 1;
    taken.at += s->qbpp;
  }
  return taken;
}

LS_INLINE guint32
take_code(DicomLsScan *s, gsize *at, guint k, guint limit)
{
  const guint64 ahead = ls_peek(s->bits, *at);
  const guint zeros = (guint)__builtin_clzll(ahead | 1);

  if (G_UNLIKELY(zeros >= MIN(limit, FAST_ZEROS))) {
    const Taken taken = take_slowly(s, *at, k, limit);

    *at = taken.at;
    return (guint32)taken.code;
  }
  *at += zeros + 1 + k;
  return (guint32)zeros << k | (guint32)(ahead << zeros << 1 >> 1 >> (63 - k));
}

/* ---- regular mode (A.4 to A.6) -----------------------------------------------------------------
 */

/* A.6. B, C and the shift are worked out without a branch: which way they go is anyone's guess. */
LS_INLINE void
update(DicomLsScan *s, gsize i, gint error, gboolean plain)
{
  Cold *const cold = &s->cold[i];
  const guint halve = cold->n == s->reset;
  const guint32 a = (cold->a + (guint32)ABS(error)) >> halve;
  const gint n = (gint)(cold->n >> halve) + 1;
  gint b = (cold->b + (plain ? error : error * s->step)) >> halve;
  const gint low = (b + n - 1) >> 31, high = -b >> 31; /* all ones, or 0 */
  const gint correction = cold->correction + low - high;

  b += (n & low) - (n & high);
  b = MIN(MAX(b, 1 - n), 0);
  const guint k = golomb_parameter(a, (guint32)n);
  const Hot hot = {.correction = (gint8)MIN(MAX(correction, -128), 127),
                   .k = (guint8)k,
                   .flip = (gint8)(plain || s->near == 0 ? -(k == 0 && 2 * b <= -n) : 0)};
  const Cold next = {.a = a, .b = b, .correction = hot.correction, .n = (guint32)n};
  *cold = next;
  s->hot[i] = hot;
}

/* A.4.5 with the error back in the place of its code. */
LS_INLINE gint
reconstruct(const DicomLsScan *s, gint predicted, gint error, gboolean plain)
{
  if (plain) {
    return (predicted + error) & s->maxval;
  }
  gint value = predicted + error * s->step;
  if (value < -s->near) {
    value += s->range * s->step;
  } else if (value > s->maxval + s->near) {
    value -= s->range * s->step;
  }
  return CLAMP(value, 0, s->maxval);
}

/* The median edge detector (A.4.1). */
LS_INLINE gssize
predict(gssize a, gssize b, gssize c)
{
  const gssize low = MIN(a, b), high = MAX(a, b), plane = a + b - c;
  const gssize at_least = MAX(plane, low);

  return MIN(at_least, high);
}

/* Q is 81 Q1 + 9 Q2 + Q3. */
LS_INLINE gssize
take_regular(DicomLsScan *s, gsize *at, gssize q, gssize predicted, gboolean plain)
{
  const gssize sign = -(gssize)(q < 0);
  const gsize i = (gsize)((q ^ sign) - sign);
  const Hot hot = s->hot[i];
  const guint32 code = take_code(s, at, hot.k, s->regular_limit);
  const gint error = (gint)(code >> 1) ^ -(gint)(code & 1) ^ hot.flip;
  const gint corrected = (gint)predicted + ((hot.correction ^ (gint)sign) - (gint)sign);

  s->worst |= code;
  update(s, i, error, plain);
  return reconstruct(s, CLAMP(corrected, 0, s->maxval), (error ^ (gint)sign) - (gint)sign, plain);
}

/* ---- run mode (A.7) ----------------------------------------------------------------------------
 */

/* A.7.1: how many samples of the LEFT ones are as the one before them. */
static guint
take_run(DicomLsScan *s, guint *run_index, guint left)
{
  guint run = 0;

  while (ls_peek(s->bits, s->at) >> 63) {
    const guint block = 1u << run_length[*run_index];

    s->at++;
    if (block > left - run) {
      return left;
    }
    run += block;
    *run_index = MIN(*run_index + 1, 31);
    if (run == left) {
      return left;
    }
  }
  const guint n = run_length[*run_index];
  run += (guint)(ls_peek(s->bits, s->at + 1) >> 1 >> (63 - n));
  s->at += 1 + n;
  s->bad = s->bad || run > left;
  return MIN(run, left);
}

/* A.7.2: the error of the sample that ends a run. */
static gint
take_interruption(DicomLsScan *s, guint type, guint run_index)
{
  RunContext *r = &s->runs[type];
  const guint k = golomb_parameter(r->a + (type ? r->n >> 1 : 0), r->n);
  const guint limit = s->limit - run_length[run_index] - 1 - s->qbpp - 1;
  const guint32 code = take_code(s, &s->at, k, limit);
  const guint32 both = code + type, map = both & 1;
  const gint magnitude = (gint)((both + map) >> 1);
  const gboolean negative = (k != 0 || 2 * r->n_negative >= r->n) == (map == 1);

  s->worst |= code;
  r->n_negative += negative && magnitude > 0;
  r->a += (code + 1 - type) >> 1;
  if (r->n == s->reset) {
    r->a >>= 1;
    r->n >>= 1;
    r->n_negative >>= 1;
  }
  r->n++;
  return negative ? -magnitude : magnitude;
}

/* A run of one component from X on, with the sample that ends it: where it ends. */
static __attribute__((noinline)) guint
run_of_one(DicomLsScan *s, guint16 *line, const guint16 *above, guint x, guint n, guint *run_index)
{
  const guint16 value = line[(gssize)x - 1];
  const guint end = x + take_run(s, run_index, n - x);

  for (; x < end; x++) {
    line[x] = value;
  }
  if (x == n) {
    return x;
  }
  const gint a = value, b = above[x];
  if (ABS(a - b) <= s->near) {
    line[x] = (guint16)reconstruct(s, a, take_interruption(s, 1, *run_index), s->plain);
  } else {
    const gint error = take_interruption(s, 0, *run_index);

    line[x] = (guint16)reconstruct(s, b, a > b ? -error : error, s->plain);
  }
  *run_index -= *run_index > 0;
  return x + 1;
}

/* The same of all components together. */
static __attribute__((noinline)) guint
run_of_many(DicomLsScan *s, guint16 *row, const guint16 *above, gsize stride, guint x, guint n)
{
  guint *run_index = s->run_index;
  const guint end = x + take_run(s, run_index, n - x);

  for (guint c = 0; c < s->n_components; c++) {
    guint16 *line = row + c * stride;

    for (guint i = x; i < end; i++) {
      line[i] = line[(gssize)x - 1];
    }
  }
  if (end == n) {
    return n;
  }
  for (guint c = 0; c < s->n_components; c++) {
    const gssize i = (gssize)(c * stride + end);
    const gint a = row[i - 1], b = above[i], error = take_interruption(s, 0, *run_index);

    row[i] = (guint16)reconstruct(s, b, a > b ? -error : error, s->plain);
  }
  *run_index -= *run_index > 0;
  return end + 1;
}

/* ---- rows --------------------------------------------------------------------------------------
 */

LS_INLINE void
row_of_one(DicomLsScan *s, guint16 *line, const guint16 *above, guint n, guint *run_index,
           gboolean plain)
{
  const gint8 *const gradients = s->gradients + s->maxval;
  gsize at = s->at;
  gssize a = line[-1], b = above[0], c = above[-1], q2 = gradients[b - c];

  for (guint x = 0; x < n && !s->bad;) {
    const gssize d = above[x + 1], q1 = gradients[d - b];
    const gssize q = 9 * (9 * q1 + q2) + gradients[c - a];

    if (q == 0) {
      s->at = at;
      x = run_of_one(s, line, above, x, n, run_index);
      at = s->at;
      a = line[(gssize)x - 1];
      c = above[(gssize)x - 1];
      b = above[x];
      q2 = gradients[b - c];
      continue;
    }
    a = take_regular(s, &at, q, predict(a, b, c), plain);
    line[x++] = (guint16)a;
    c = b;
    b = d;
    q2 = q1;
  }
  s->at = at;
}

/* Sample by sample; N_COMPONENTS is s->n_components. */
LS_INLINE void
row_of_many(DicomLsScan *s, guint16 *row, const guint16 *above, gsize stride, guint n,
            guint n_components, gboolean plain)
{
  const gint8 *const gradients = s->gradients + s->maxval;
  gsize at = s->at;

  for (guint x = 0; x < n && !s->bad;) {
    gssize q[4] = {0}, any = 0;

#pragma GCC unroll 4
    for (guint c = 0; c < n_components; c++) {
      const guint16 *up = above + c * stride + x;
      const gssize left = up[-1], middle = up[0], right = up[1];

      q[c] = 9 * (9 * gradients[right - middle] + gradients[middle - left]) +
             gradients[left - row[(gssize)(c * stride + x) - 1]];
      any |= q[c];
    }
    if (any == 0) {
      s->at = at;
      x = run_of_many(s, row, above, stride, x, n);
      at = s->at;
      continue;
    }
#pragma GCC unroll 4
    for (guint c = 0; c < n_components; c++) {
      const gssize i = (gssize)(c * stride + x);
      const gssize predicted = predict(row[i - 1], above[i], above[i - 1]);

      row[i] = (guint16)take_regular(s, &at, q[c], predicted, plain);
    }
    x++;
  }
  s->at = at;
}

static void
decode_line(DicomLsScan *s, guint16 *line, const guint16 *above, guint n, guint c)
{
  if (s->plain) {
    row_of_one(s, line, above, n, &s->run_index[c], TRUE);
  } else {
    row_of_one(s, line, above, n, &s->run_index[c], FALSE);
  }
}

static void
decode_samples(DicomLsScan *s, guint16 *row, const guint16 *above, gsize stride, guint n)
{
  if (s->plain && s->n_components == 3) {
    row_of_many(s, row, above, stride, n, 3, TRUE);
  } else {
    row_of_many(s, row, above, stride, n, s->n_components, s->plain);
  }
}

const char *
dicom_ls_scan_row(DicomLsScan *scan, guint16 *row, guint16 *above, gsize stride, guint n)
{
  /* A.3.1: what is beside the picture. */
  for (guint c = 0; c < scan->n_components; c++) {
    guint16 *const up = above + c * stride;

    up[n] = up[n - 1];
    row[(gssize)(c * stride) - 1] = up[0];
  }
  if (scan->interleave == LS_SAMPLE) {
    decode_samples(scan, row, above, stride, n);
  } else {
    for (guint c = 0; c < scan->n_components; c++) {
      decode_line(scan, row + c * stride, above + c * stride, n, c);
    }
  }
  if (scan->at > scan->n_bits) {
    return "the code stream ends before the picture does";
  }
  if (scan->bad || scan->worst >> (scan->qbpp + 1) != 0) {
    return "the code stream is damaged: a code is longer than it can be";
  }
  return NULL;
}

const char *
dicom_ls_scan_end(const DicomLsScan *scan)
{
  const gsize left = scan->n_bits - scan->at;

  /* The rest of a byte, and seven bits of one behind 0xFF. */
  if (left > 14 + 8 * MAX_SURPLUS || (left > 0 && ls_peek(scan->bits, scan->at) != 0)) {
    return "the code stream is damaged: a scan goes on behind its last row";
  }
  return NULL;
}
