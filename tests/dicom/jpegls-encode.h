/* jpegls-encode.h - an encoder of JPEG-LS (T.87) that follows annex A to the letter, bit by bit:
 * for parameters that CharLS cannot encode, and to be independent of it. */
#ifndef HILUM_TESTS_DICOM_JPEGLS_ENCODE_H
#define HILUM_TESTS_DICOM_JPEGLS_ENCODE_H

#include <glib.h>

typedef struct {
  gint columns, rows, samples, precision, near, interleave; /* 0 none: one component */
  gint maxval, t1, t2, t3, reset;
} LsPicture;

typedef struct {
  const LsPicture *p;
  gint range, qbpp, limit;
  gint a[367], b[365], c[365], n[367], nn[2];
  gint run_index[4];
  gint *rows[4][2]; /* of each component: above, and this one; reconstructed, from index -1 on */
  GByteArray *out;
  guint byte, bits, room; /* the byte that is being filled: of 8 bits, or of 7 behind 0xFF */
} LsEncoder;

static const gint ls_j[32] = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,  2,  3,  3,  3,  3,
                              4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static inline void
ls_put(LsEncoder *e, guint64 value, gint n)
{
  while (n-- > 0) {
    e->byte = e->byte << 1 | (guint)(value >> n & 1);
    if (++e->bits == e->room) {
      const guint8 byte = (guint8)e->byte;

      g_byte_array_append(e->out, &byte, 1);
      e->room = byte == 0xff ? 7 : 8;
      e->byte = e->bits = 0;
    }
  }
}

static inline gint
ls_log2(gint values)
{
  gint bits = 0;

  while (1 << bits < values) {
    bits++;
  }
  return bits;
}

/* A.5.3 */
static inline void
ls_golomb(LsEncoder *e, gint k, gint limit, gint value)
{
  g_assert_cmpint(value, >=, 0);
  if (value >> k < limit - e->qbpp - 1) {
    ls_put(e, 0, value >> k);
    ls_put(e, 1, 1);
    ls_put(e, (guint)value, k);
  } else {
    ls_put(e, 0, limit - e->qbpp - 1);
    ls_put(e, 1, 1);
    ls_put(e, (guint)value - 1, e->qbpp);
  }
}

/* A.3.3 */
static inline gint
ls_gradient(const LsPicture *p, gint d)
{
  const gint m = ABS(d);
  const gint q = m <= p->near ? 0 : m < p->t1 ? 1 : m < p->t2 ? 2 : m < p->t3 ? 3 : 4;

  return d < 0 ? -q : q;
}

/* A.4.4: the error, quantised; what is decoded goes to *X; A.4.5. */
static inline gint
ls_error(const LsEncoder *e, gint *x, gint px, gint sign)
{
  const LsPicture *p = e->p;
  gint error = sign * (*x - px);

  error =
      error > 0 ? (error + p->near) / (2 * p->near + 1) : -((p->near - error) / (2 * p->near + 1));
  *x = CLAMP(px + sign * error * (2 * p->near + 1), 0, p->maxval);
  error += error < 0 ? e->range : 0;
  error -= error >= (e->range + 1) / 2 ? e->range : 0;
  return error;
}

static inline void
ls_regular(LsEncoder *e, gint *x, gint ra, gint rb, gint rc, gint q)
{
  const LsPicture *p = e->p;
  const gint sign = q < 0 ? -1 : 1;
  gint px = rc >= MAX(ra, rb) ? MIN(ra, rb) : rc <= MIN(ra, rb) ? MAX(ra, rb) : ra + rb - rc;
  gint k = 0;

  q = ABS(q);
  px = CLAMP(px + sign * e->c[q], 0, p->maxval);
  const gint error = ls_error(e, x, px, sign);
  while (e->n[q] << k < e->a[q]) {
    k++;
  }
  if (p->near == 0 && k == 0 && 2 * e->b[q] <= -e->n[q]) {
    ls_golomb(e, k, e->limit, error >= 0 ? 2 * error + 1 : -2 * (error + 1));
  } else {
    ls_golomb(e, k, e->limit, error >= 0 ? 2 * error : -2 * error - 1);
  }
  e->b[q] += error * (2 * p->near + 1);
  e->a[q] += ABS(error);
  if (e->n[q] == p->reset) {
    e->a[q] >>= 1;
    e->b[q] = e->b[q] >= 0 ? e->b[q] >> 1 : -((1 - e->b[q]) >> 1);
    e->n[q] >>= 1;
  }
  e->n[q]++;
  if (e->b[q] <= -e->n[q]) {
    e->b[q] = MAX(e->b[q] + e->n[q], 1 - e->n[q]);
    e->c[q] = MAX(e->c[q] - 1, -128);
  } else if (e->b[q] > 0) {
    e->b[q] = MIN(e->b[q] - e->n[q], 0);
    e->c[q] = MIN(e->c[q] + 1, 127);
  }
}

/* A.7.2 */
static inline void
ls_interruption(LsEncoder *e, gint *x, gint ra, gint rb, gint type, gint run_index)
{
  const gint q = 365 + type;
  const gint sign = type == 0 && ra > rb ? -1 : 1;
  const gint error = ls_error(e, x, type ? ra : rb, sign);
  const gint temp = e->a[q] + (type ? e->n[q] >> 1 : 0);
  gint k = 0;

  while (e->n[q] << k < temp) {
    k++;
  }
  const gboolean map = (k == 0 && error > 0 && 2 * e->nn[type] < e->n[q]) ||
                       (error < 0 && 2 * e->nn[type] >= e->n[q]) || (error < 0 && k != 0);
  const gint mapped = 2 * ABS(error) - type - map;
  ls_golomb(e, k, e->limit - ls_j[run_index] - 1, mapped);
  e->nn[type] += error < 0;
  e->a[q] += (mapped + 1 - type) >> 1;
  if (e->n[q] == e->p->reset) {
    e->a[q] >>= 1;
    e->n[q] >>= 1;
    e->nn[type] >>= 1;
  }
  e->n[q]++;
}

/* A.7.1: components FIRST to END together; gives where the run and what ends it end. */
static inline gint
ls_run(LsEncoder *e, gint first, gint end, gint x, gint *run_index)
{
  const LsPicture *p = e->p;
  const gint start = x;
  gint run = 0;

  for (; x < p->columns; x++, run++) {
    gboolean same = TRUE;

    for (gint c = first; c < end; c++) {
      same = same && ABS(e->rows[c][1][x] - e->rows[c][1][start - 1]) <= p->near;
    }
    if (!same) {
      break;
    }
    for (gint c = first; c < end; c++) {
      e->rows[c][1][x] = e->rows[c][1][start - 1];
    }
  }
  for (; run >= 1 << ls_j[*run_index]; *run_index = MIN(*run_index + 1, 31)) {
    ls_put(e, 1, 1);
    run -= 1 << ls_j[*run_index];
  }
  if (x == p->columns) {
    ls_put(e, 1, run > 0);
    return x;
  }
  ls_put(e, 0, 1);
  ls_put(e, (guint)run, ls_j[*run_index]);
  for (gint c = first; c < end; c++) {
    const gint ra = e->rows[c][1][x - 1], rb = e->rows[c][0][x];
    const gint type = end - first == 1 && ABS(ra - rb) <= p->near;

    ls_interruption(e, &e->rows[c][1][x], ra, rb, type, *run_index);
  }
  *run_index = MAX(*run_index - 1, 0);
  return x + 1;
}

static inline void
ls_row(LsEncoder *e, gint first, gint end, gint *run_index)
{
  const LsPicture *p = e->p;

  for (gint x = 0; x < p->columns;) {
    gint q[4] = {0};
    gboolean run = TRUE;

    for (gint c = first; c < end; c++) {
      const gint *above = e->rows[c][0] + x, *row = e->rows[c][1] + x;

      q[c] = 81 * ls_gradient(p, above[1] - above[0]) + 9 * ls_gradient(p, above[0] - above[-1]) +
             ls_gradient(p, above[-1] - row[-1]);
      run = run && q[c] == 0;
    }
    if (run) {
      x = ls_run(e, first, end, x, run_index);
      continue;
    }
    for (gint c = first; c < end; c++) {
      const gint *above = e->rows[c][0] + x;
      gint *row = e->rows[c][1] + x;

      ls_regular(e, row, row[-1], above[0], above[-1], q[c]);
    }
    x++;
  }
}

static inline void
ls_start(LsEncoder *e)
{
  const LsPicture *p = e->p;
  const gint bpp = MAX(2, ls_log2(p->maxval + 1));

  e->range = (p->maxval + 2 * p->near) / (2 * p->near + 1) + 1;
  e->qbpp = ls_log2(e->range);
  e->limit = 2 * (bpp + MAX(8, bpp));
  e->room = 8;
  for (gint q = 0; q < 367; q++) {
    e->a[q] = MAX(2, (e->range + 32) / 64);
    e->n[q] = 1;
  }
}

static inline void
ls_header(GByteArray *out, const LsPicture *p)
{
#define BYTES(n) (guint8)((n) >> 8), (guint8)(n)
  const guint8 lse[] = {
      0xff,         0xf8,           0, 13, 1, BYTES(p->maxval), BYTES(p->t1), BYTES(p->t2),
      BYTES(p->t3), BYTES(p->reset)};
  const guint8 frame[] = {0xff,
                          0xd8,
                          0xff,
                          0xf7,
                          BYTES(8 + 3 * p->samples),
                          (guint8)p->precision,
                          BYTES(p->rows),
                          BYTES(p->columns),
                          (guint8)p->samples};
  const guint8 scan[] = {0xff, 0xda, BYTES(6 + 2 * p->samples), (guint8)p->samples};
  const guint8 last[] = {(guint8)p->near, (guint8)p->interleave, 0};
#undef BYTES

  g_byte_array_append(out, frame, sizeof frame);
  for (gint c = 0; c < p->samples; c++) {
    g_byte_array_append(out, (const guint8[]){(guint8)(c + 1), 0x11, 0}, 3);
  }
  g_byte_array_append(out, lse, sizeof lse);
  g_byte_array_append(out, scan, sizeof scan);
  for (gint c = 0; c < p->samples; c++) {
    g_byte_array_append(out, (const guint8[]){(guint8)(c + 1), 0}, 2);
  }
  g_byte_array_append(out, last, sizeof last);
}

/* VALUES, interleaved, become what a decoder must give. */
static inline GByteArray *
ls_encode_picture(const LsPicture *p, guint16 *values)
{
  LsEncoder *e = g_new0(LsEncoder, 1);
  const gsize width = (gsize)p->columns + 2;
  g_autofree gint *lines = g_new0(gint, 8 * width);
  GByteArray *out = e->out = g_byte_array_new();

  e->p = p;
  ls_header(out, p);
  ls_start(e);
  for (gint y = 0; y < p->rows; y++) {
    guint16 *const row = values + (gsize)y * p->columns * p->samples;

    for (gint c = 0; c < p->samples; c++) {
      for (gint i = 0; i < 2; i++) {
        e->rows[c][i] = lines + (2 * c + (y + i) % 2) * width + 1;
      }
      for (gint x = 0; x < p->columns; x++) {
        e->rows[c][1][x] = row[x * p->samples + c];
      }
      e->rows[c][0][p->columns] = e->rows[c][0][p->columns - 1];
      e->rows[c][1][-1] = e->rows[c][0][0];
    }
    if (p->interleave == 2) {
      ls_row(e, 0, p->samples, e->run_index);
    } else {
      for (gint c = 0; c < p->samples; c++) {
        ls_row(e, c, c + 1, &e->run_index[c]);
      }
    }
    for (gint i = 0; i < p->columns * p->samples; i++) {
      row[i] = (guint16)e->rows[i % p->samples][1][i / p->samples];
    }
  }
  ls_put(e, 0, e->bits > 0 || e->room == 7 ? (gint)(e->room - e->bits) : 0);
  g_byte_array_append(out, (const guint8 *)"\xff\xd9", 2);
  g_free(e);
  return out;
}

#endif
