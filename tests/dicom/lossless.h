/* lossless.h - a small encoder of lossless JPEG (T.81 annex H), for tests. */
#ifndef HILUM_TESTS_DICOM_LOSSLESS_H
#define HILUM_TESTS_DICOM_LOSSLESS_H

#include <glib.h>
#include <string.h>

typedef struct {
  guint width, height, samples, precision, predictor, point_transform;
  guint restart_rows;
  gboolean separate;    /* a scan for each component */
  guint extra_after_16; /* bits behind the code of category 16, where there should be none */
} Lossless;

typedef struct {
  GByteArray *bytes;
  guint32 bits;
  guint n_bits;
} LosslessWriter;

/* Three codes of 2 bits, one each of 3 to 16: no stream of ones, and codes beyond any lookup. */
static const guint8 lossless_counts[16] = {0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

/* Category of each rank; another one for each component, so that mixing up tables shows. */
static inline guint
lossless_symbol(guint table, guint rank)
{
  return rank < 6 ? (rank + 2 * table) % 6 : rank;
}

static inline void
lossless_put(LosslessWriter *w, guint value, guint n)
{
  for (guint i = n; i-- > 0;) {
    w->bits = w->bits << 1 | (value >> i & 1);
    if (++w->n_bits == 8) {
      const guint8 out[2] = {(guint8)w->bits, 0};

      g_byte_array_append(w->bytes, out, out[0] == 0xff ? 2 : 1);
      w->n_bits = 0;
      w->bits = 0;
    }
  }
}

static inline void
lossless_flush(LosslessWriter *w)
{
  while (w->n_bits > 0) {
    lossless_put(w, 1, 1);
  }
}

static inline void
lossless_put_difference(LosslessWriter *w, const Lossless *l, guint table, gint difference)
{
  const gint value = (gint16)difference;
  guint category = 0, rank = 0;

  while (value != 0 && ABS(value) >> category != 0) {
    category++;
  }
  while (lossless_symbol(table, rank) != category) {
    rank++;
  }
  const guint length = rank < 3 ? 2 : rank;
  lossless_put(w, rank < 3 ? rank : (1u << length) - 2, length);
  if (category == 16) {
    lossless_put(w, 0x7fff, l->extra_after_16); /* -32768 as any negative difference */
  } else {
    lossless_put(w, (guint)(value < 0 ? value - 1 : value) & ((1u << category) - 1), category);
  }
}

static inline void
lossless_segment(GByteArray *out, guint marker, const guint8 *data, guint n)
{
  const guint8 head[4] = {0xff, (guint8)marker, (guint8)((n + 2) >> 8), (guint8)(n + 2)};

  g_byte_array_append(out, head, 4);
  g_byte_array_append(out, data, n);
}

/* VALUES has the samples by pixel. The scan of components FIRST to END - 1. */
static inline void
lossless_scan(GByteArray *out, const Lossless *l, const guint16 *values, guint first, guint end)
{
  LosslessWriter w = {out, 0, 0};
  guint8 header[12] = {(guint8)(end - first)};
  guint n = 1, row_in_interval = 0, restarts = 0;

  for (guint c = first; c < end; c++) {
    header[n++] = (guint8)(c + 1);
    header[n++] = (guint8)(c << 4);
  }
  header[n++] = (guint8)l->predictor;
  header[n++] = 0;
  header[n++] = (guint8)l->point_transform;
  lossless_segment(out, 0xda, header, n);
  for (guint y = 0; y < l->height; y++, row_in_interval++) {
    if (l->restart_rows > 0 && row_in_interval == l->restart_rows) {
      const guint8 marker[2] = {0xff, (guint8)(0xd0 + restarts++ % 8)};

      lossless_flush(&w);
      g_byte_array_append(out, marker, 2);
      row_in_interval = 0;
    }
    for (guint x = 0; x < l->width; x++) {
      for (guint c = first; c < end; c++) {
#define AT(dx, dy)                                                                                 \
  (gint)(values[((gsize)(y - (dy)) * l->width + x - (dx)) * l->samples + c] >> l->point_transform)
        gint p;
        if (row_in_interval == 0) {
          p = x == 0 ? 1 << (l->precision - l->point_transform - 1) : AT(1, 0);
        } else if (x == 0) {
          p = AT(0, 1);
        } else {
          const gint a = AT(1, 0), b = AT(0, 1), d = AT(1, 1);
          const gint ways[8] = {
              0, a, b, d, a + b - d, a + ((b - d) >> 1), b + ((a - d) >> 1), (a + b) >> 1};
          p = ways[l->predictor];
        }
        lossless_put_difference(&w, l, c, AT(0, 0) - p);
#undef AT
      }
    }
  }
  lossless_flush(&w);
}

static inline GByteArray *
lossless_encode(const Lossless *l, const guint16 *values)
{
  static const guint8 start[2] = {0xff, 0xd8}, end[2] = {0xff, 0xd9};
  const guint interval = l->restart_rows * l->width;
  const guint8 restart[2] = {(guint8)(interval >> 8), (guint8)interval};
  guint8 frame[18] = {(guint8)l->precision,    (guint8)(l->height >> 8), (guint8)l->height,
                      (guint8)(l->width >> 8), (guint8)l->width,         (guint8)l->samples};
  GByteArray *out = g_byte_array_new();

  g_byte_array_append(out, start, 2);
  for (guint c = 0; c < l->samples; c++) {
    guint8 table[34] = {(guint8)c};

    memcpy(table + 1, lossless_counts, 16);
    for (guint rank = 0; rank < 17; rank++) {
      table[17 + rank] = (guint8)lossless_symbol(c, rank);
    }
    lossless_segment(out, 0xc4, table, sizeof table);
    frame[6 + 3 * c] = (guint8)(c + 1);
    frame[7 + 3 * c] = 0x11;
  }
  lossless_segment(out, 0xc3, frame, 6 + 3 * l->samples);
  if (interval > 0) {
    lossless_segment(out, 0xdd, restart, 2);
  }
  for (guint c = 0; l->separate && c < l->samples; c++) {
    lossless_scan(out, l, values, c, c + 1);
  }
  if (!l->separate) {
    lossless_scan(out, l, values, 0, l->samples);
  }
  g_byte_array_append(out, end, 2);
  return out;
}

#endif
