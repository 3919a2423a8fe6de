/* slice-resample.c - rows, then columns, in whole numbers; see slice-resample.h. */
#include "slice-resample.h"

#include <math.h>
#include <string.h>

/* ---- taps --------------------------------------------------------------------------------- */

/* Where output I begins or ends, held to the source. */
static double
edge_of(double start, double step, double i, guint n_source)
{
  return CLAMP(start + i * step, 0, n_source);
}

static guint
hold(double position, guint n_source)
{
  return (guint)CLAMP(position, 0, n_source - 1);
}

/* The mean of what lies between two edges. Weights are differences of a rounded running sum, so
 * that they always add up. */
static void
fill_mean(AppTaps *taps, guint i, double a, double b, guint n_source)
{
  double low = MIN(a, b), high = MAX(a, b), size = high - low;
  guint from = hold(floor(low), n_source);
  guint16 *weights = taps->weights + (gsize)i * taps->n_taps;
  guint32 before = 0;

  from = MIN(from, n_source - taps->n_taps);
  taps->first[i] = from;
  for (guint k = 0; k < taps->n_taps; k++) {
    double done = size > 0 ? (MIN(high, from + k + 1.0) - low) / size : from + k + 1.0 > low;
    guint32 sum = (guint32)(CLAMP(done, 0, 1) * APP_TAPS_ONE + 0.5);

    if (k + 1 == taps->n_taps) {
      sum = APP_TAPS_ONE;
    }
    weights[k] = (guint16)(sum - before);
    before = sum;
  }
}

/* Centres of pixels are at halves. */
static void
fill_linear(AppTaps *taps, guint i, double at, guint n_source)
{
  double held = CLAMP(at - 0.5, 0, n_source - 1.0);
  guint low = MIN((guint)held, n_source - taps->n_taps);
  guint16 *weights = taps->weights + (gsize)i * taps->n_taps;

  taps->first[i] = low;
  weights[0] = APP_TAPS_ONE;
  if (taps->n_taps > 1) {
    weights[1] = (guint16)((held - low) * APP_TAPS_ONE + 0.5);
    weights[0] = (guint16)(APP_TAPS_ONE - weights[1]);
  }
}

AppTaps *
app_taps_new(double start, double step, guint n, guint n_source, gboolean smooth)
{
  AppTaps *taps = g_new0(AppTaps, 1);
  gboolean is_mean = fabs(step) > 1;
  /* An interval of length L touches at most L + 2 whole ones. */
  double most = is_mean ? floor(fabs(step)) + 2 : smooth ? 2 : 1;

  taps->n = n;
  taps->n_taps = (guint)MIN(most, n_source);
  taps->first = g_new(guint, n);
  taps->weights = g_new(guint16, (gsize)n * taps->n_taps);
  for (guint i = 0; i < n; i++) {
    if (is_mean) {
      fill_mean(taps, i, edge_of(start, step, i, n_source), edge_of(start, step, i + 1.0, n_source),
                n_source);
    } else if (smooth) {
      fill_linear(taps, i, start + (i + 0.5) * step, n_source);
    } else {
      taps->first[i] = hold(floor(start + (i + 0.5) * step), n_source);
      taps->weights[i] = APP_TAPS_ONE;
    }
  }
  return taps;
}

void
app_taps_free(AppTaps *taps)
{
  if (taps) {
    g_free(taps->first);
    g_free(taps->weights);
    g_free(taps);
  }
}

/* ---- rows --------------------------------------------------------------------------------- */

/* Bytes that are worked on in one go: a number that is known, so that the compiler makes vectors of
 * the loops. Lines have room for whole blocks. */
#define BLOCK 64
/* Rows that are transposed together: sixteen words are a line of the processor's cache. */
#define ROWS 16

typedef struct {
  guint channels;
  guint first, n; /* source columns that are needed: FIRST, and how many BYTES */
  guint32 *sums;  /* 15 + 8 bits */
  guint16 *line;  /* 8 + 8 bits: a source row, mixed */
} Work;

static void
add_row(const guint8 *restrict row, guint16 weight, guint32 *restrict sums, gboolean is_first)
{
  if (is_first) {
    for (guint i = 0; i < BLOCK; i++) {
      guint16 value = row[i];

      sums[i] = (guint32)value * weight;
    }
  } else {
    for (guint i = 0; i < BLOCK; i++) {
      guint16 value = row[i];

      sums[i] += (guint32)value * weight;
    }
  }
}

static void
store_line(const guint32 *restrict sums, guint16 *restrict line)
{
  for (guint i = 0; i < BLOCK; i++) {
    line[i] = (guint16)((sums[i] + 64) >> 7);
  }
}

/* The source rows of output row Y, mixed, to the line. */
static void
mix_rows(const Work *work, const guint8 *pixels, gsize stride, const AppTaps *y, guint at)
{
  const guint8 *from = pixels + y->first[at] * stride + (gsize)work->first * work->channels;
  const guint16 *weights = y->weights + (gsize)at * y->n_taps;
  guint8 rest[BLOCK] = {0};

  for (guint i = 0; i < work->n; i += BLOCK) {
    guint left = MIN(work->n - i, BLOCK);

    for (guint k = 0; k < y->n_taps; k++) {
      const guint8 *row = from + k * stride + i;

      if (left < BLOCK) {
        memcpy(rest, row, left);
        row = rest;
      }
      if (weights[k] > 0 || k == 0) {
        add_row(row, weights[k], work->sums, k == 0);
      }
    }
    store_line(work->sums, work->line + i);
  }
}

/* ---- columns ------------------------------------------------------------------------------ */

static inline guint32
to_byte(guint32 sum)
{
  return (sum + (1u << 22)) >> 23;
}

/* N_TAPS is a number that the compiler knows where that is worth it. */
static inline void
mix_grey(const Work *work, const AppTaps *x, guint n_taps, guint32 *restrict out)
{
  const guint16 *weights = x->weights;

  for (guint i = 0; i < x->n; i++, weights += n_taps) {
    const guint16 *p = work->line + (x->first[i] - work->first);
    guint32 sum = 0;

    for (guint k = 0; k < n_taps; k++) {
      sum += (guint32)p[k] * weights[k];
    }
    out[i] = 0xff000000u | to_byte(sum) * 0x010101u;
  }
}

static inline void
mix_rgb(const Work *work, const AppTaps *x, guint n_taps, guint32 *restrict out)
{
  const guint16 *weights = x->weights;

  for (guint i = 0; i < x->n; i++, weights += n_taps) {
    const guint16 *p = work->line + 3 * (gsize)(x->first[i] - work->first);
    guint32 r = 0, g = 0, b = 0;

    for (guint k = 0; k < n_taps; k++, p += 3) {
      r += (guint32)p[0] * weights[k];
      g += (guint32)p[1] * weights[k];
      b += (guint32)p[2] * weights[k];
    }
    out[i] = 0xff000000u | to_byte(r) << 16 | to_byte(g) << 8 | to_byte(b);
  }
}

static void
mix_line(const Work *work, const AppTaps *x, guint32 *out)
{
  if (work->channels == 3) {
    if (x->n_taps == 2) {
      mix_rgb(work, x, 2, out);
    } else {
      mix_rgb(work, x, x->n_taps, out);
    }
    return;
  }
  switch (x->n_taps) {
  case 1:
    mix_grey(work, x, 1, out);
    break;
  case 2:
    mix_grey(work, x, 2, out);
    break;
  case 3:
    mix_grey(work, x, 3, out);
    break;
  case 4:
    mix_grey(work, x, 4, out);
    break;
  default:
    mix_grey(work, x, x->n_taps, out);
    break;
  }
}

/* ---- both --------------------------------------------------------------------------------- */

/* ROWS lines of N words become columns FROM and up of an output with STRIDE words in a row. */
static void
turn_lines(const guint32 *lines, guint n_lines, guint n, guint32 *out, gsize stride)
{
  for (guint i = 0; i < n; i++) {
    guint32 *to = out + i * stride;

    for (guint k = 0; k < n_lines; k++) {
      to[k] = lines[(gsize)k * n + i];
    }
  }
}

static void
resample_turned(const Work *work, const guint8 *pixels, gsize stride, const AppTaps *x,
                const AppTaps *y, guint32 *out)
{
  g_autofree guint32 *lines = g_new(guint32, (gsize)ROWS * x->n);

  for (guint at = 0; at < y->n; at += ROWS) {
    guint n = MIN(y->n - at, ROWS);

    for (guint k = 0; k < n; k++) {
      mix_rows(work, pixels, stride, y, at + k);
      mix_line(work, x, lines + (gsize)k * x->n);
    }
    turn_lines(lines, n, x->n, out + at, y->n);
  }
}

void
app_resample(const guint8 *pixels, guint width, guint channels, const AppTaps *x, const AppTaps *y,
             gboolean transpose, guint32 *out)
{
  gsize stride = (gsize)width * channels;
  guint32 sums[BLOCK];
  Work work = {.channels = channels, .sums = sums};
  guint last = 0;

  if (x->n == 0 || y->n == 0) {
    return;
  }
  work.first = G_MAXUINT;
  for (guint i = 0; i < x->n; i++) {
    work.first = MIN(work.first, x->first[i]);
    last = MAX(last, x->first[i] + x->n_taps);
  }
  work.n = (last - work.first) * channels;
  g_autofree guint16 *line = g_new(guint16, work.n + BLOCK);
  work.line = line;
  if (transpose) {
    resample_turned(&work, pixels, stride, x, y, out);
    return;
  }
  for (guint at = 0; at < y->n; at++) {
    mix_rows(&work, pixels, stride, y, at);
    mix_line(&work, x, out + (gsize)at * x->n);
  }
}
