/* codec-jpeg-lossless.c - lossless JPEG, process 14 of T.81 (annex H): Huffman codes, no hierarchy.
 *
 * A row is decoded into a line of 16-bit values that stays in the processor's first cache, checked
 * for values that the precision does not have, and then laid down among the other components. */
#include "codec-check.h"
#include "jpeg-bits.h"
#include "jpeg-header.h"
#include "dicom/limits.h"

#include <string.h>

/* Pixels with no difference that are worth being found at once. Fewer than that, and the processor
 * guesses wrongly too often whether it will be so. */
#define FEWEST_AS_PREDICTED 5

typedef struct {
  DicomCodecJob *job;
  DicomJpegHeader header;
  JpegTable tables[4];
  guint restart_interval; /* in pixels, 0: none */
  guint done;             /* a bit for each component that a scan has brought */
  JpegBits bits;

  /* the current scan */
  guint n_components, predictor, point_transform;
  guint components[4]; /* indices */
  const JpegTable *scan_tables[4];
  JpegRun run;
  guint16 *lines; /* two for each component of the frame */
} Lossless;

/* ---- rows --------------------------------------------------------------------------------------
 */

/* H.1.2.1, table H.1; A is to the left, B above, C above to the left. */
static inline gint
predict(guint predictor, gint a, gint b, gint c)
{
  switch (predictor) {
  case 1:
    return a;
  case 2:
    return b;
  case 3:
    return c;
  case 4:
    return a + b - c;
  case 5:
    return a + ((b - c) >> 1);
  case 6:
    return b + ((a - c) >> 1);
  default:
    return (a + b) >> 1;
  }
}

/* One component; FIRST is what the first sample is predicted to be. */
static inline __attribute__((always_inline)) void
row_of_one(JpegBits *state, const JpegTable *table, const JpegRun *run, guint16 *restrict line,
           const guint16 *restrict above, guint n, guint predictor, guint first)
{
  JpegBits bits = *state;
  guint16 left;
  guint x = 1;

  jpeg_fill(&bits);
  line[0] = left = (guint16)(first + (guint)jpeg_take(&bits, table));
  while (x + 1 < n) {
    jpeg_fill(&bits);
    guint as_predicted = jpeg_run(&bits, run, n - x);
    if (as_predicted > 0) {
      for (; as_predicted > 0; as_predicted--, x++) {
        line[x] = left = (guint16)predict(predictor, left, above[x], above[x - 1]);
      }
      continue;
    }
    line[x] = left =
        (guint16)(predict(predictor, left, above[x], above[x - 1]) + jpeg_take(&bits, table));
    line[x + 1] = left =
        (guint16)(predict(predictor, left, above[x + 1], above[x]) + jpeg_take(&bits, table));
    x += 2;
  }
  if (x < n) {
    jpeg_fill(&bits);
    line[x] = (guint16)(predict(predictor, left, above[x], above[x - 1]) + jpeg_take(&bits, table));
  }
  *state = bits;
}

/* Several components, pixel by pixel; the line of component c begins at c * N. */
static inline __attribute__((always_inline)) void
row_of_many(JpegBits *state, const JpegTable *const *tables, const JpegRun *run,
            guint16 *restrict line, const guint16 *restrict above, guint n, guint n_components,
            guint predictor, const guint *firsts)
{
  JpegBits bits = *state;
  guint16 left[4] = {0};

  for (guint x = 0; x < n;) {
    jpeg_fill(&bits);
    const guint as_predicted = x > 0 ? jpeg_run(&bits, run, n - x) : 0;
    if (as_predicted > 0) {
      for (guint c = 0; c < n_components; c++) {
        for (gsize i = (gsize)c * n + x, end = i + as_predicted; i < end; i++) {
          line[i] = left[c] = (guint16)predict(predictor, left[c], above[i], above[i - 1]);
        }
      }
      x += as_predicted;
      continue;
    }
#pragma GCC unroll 4
    for (guint c = 0; c < n_components; c++) {
      const gsize i = (gsize)c * n + x;

      if (c == 2) {
        jpeg_fill(&bits);
      }
      const gint from =
          x == 0 ? (gint)firsts[c] : predict(predictor, left[c], above[i], above[i - 1]);
      line[i] = left[c] = (guint16)(from + jpeg_take(&bits, tables[c]));
    }
    x++;
  }
  *state = bits;
}

static void
decode_row(Lossless *l, guint16 *line, const guint16 *above, guint predictor, const guint *firsts)
{
  const guint n = l->job->columns, n_components = l->n_components;

#define ROW(p)                                                                                     \
  case p:                                                                                          \
    if (n_components == 1) {                                                                       \
      row_of_one(&l->bits, l->scan_tables[0], &l->run, line, above, n, p, firsts[0]);              \
    } else if (n_components == 3) {                                                                \
      row_of_many(&l->bits, l->scan_tables, &l->run, line, above, n, 3, p, firsts);                \
    } else {                                                                                       \
      row_of_many(&l->bits, l->scan_tables, &l->run, line, above, n, n_components, p, firsts);     \
    }                                                                                              \
    break
  switch (predictor) {
    ROW(1);
    ROW(2);
    ROW(3);
    ROW(4);
    ROW(5);
    ROW(6);
    ROW(7);
  }
#undef ROW
}

/* A sound code stream has no value beyond its precision; some encoders do leave the sign in the
 * bits above it. */
static gboolean
in_range(const guint16 *line, gsize n, guint bits, gboolean is_signed)
{
  guint any = 0;

  for (gsize i = 0; i < n; i++) {
    any |= is_signed ? (guint)(guint16)(line[i] ^ ((gint16)line[i] >> 15)) : line[i];
  }
  return any >> bits == 0;
}

/* The scan's components of row Y, into their places among all. */
static void
lay_down(const Lossless *l, const guint16 *line, guint y)
{
  const gsize n = l->job->columns, step = l->job->samples;
  const guint shift = l->point_transform;

  for (guint c = 0; c < l->n_components; c++) {
    const gsize first = y * n * step + l->components[c];
    const guint16 *from = line + c * n;

    if (l->job->bits_allocated == 8) {
      guint8 *out = l->job->out + first;

      for (gsize x = 0; x < n; x++) {
        out[x * step] = (guint8)(from[x] << shift);
      }
    } else if (G_BYTE_ORDER == G_LITTLE_ENDIAN && step == 1 && shift == 0) {
      memcpy(l->job->out + 2 * first, from, 2 * n);
    } else {
      guint8 *out = l->job->out + 2 * first;

      for (gsize x = 0; x < n; x++) {
        const guint16 value = GUINT16_TO_LE((guint16)(from[x] << shift));

        memcpy(out + 2 * x * step, &value, 2);
      }
    }
  }
}

/* ---- scans -------------------------------------------------------------------------------------
 */

static const char *
check_row(const Lossless *l, const guint16 *line)
{
  const guint bits = l->header.precision - l->point_transform;

  if (l->bits.padding > l->bits.count) {
    return "the code stream ends before the picture does";
  }
  if (l->bits.bad) {
    return "the code stream is damaged: a code is in no Huffman table";
  }
  if (bits < 16 &&
      !in_range(line, (gsize)l->job->columns * l->n_components, bits, l->job->is_signed)) {
    return "the code stream is damaged: a sample is beyond its precision";
  }
  return NULL;
}

/* Without a code of category 0 in each table, and where a pixel takes too many bits, there is no
 * run to look for. */
static void
find_run(Lossless *l)
{
  JpegRun *run = &l->run;
  guint at = 0;

  run->pattern = 0;
  run->period = 0;
  run->shift = 64;
  for (guint c = 0; c < l->n_components; c++) {
    run->period += l->scan_tables[c]->zero_length;
    if (l->scan_tables[c]->zero_length == 0) {
      return;
    }
  }
  while (at < 64) {
    for (guint c = 0; c < l->n_components && at < 64; c++) {
      const guint length = l->scan_tables[c]->zero_length;
      const guint64 code = (guint64)l->scan_tables[c]->zero_code << (64 - length);

      run->pattern |= code >> at;
      at += length;
    }
  }
  if (run->period * FEWEST_AS_PREDICTED <= 56) {
    run->shift = 64 - run->period * FEWEST_AS_PREDICTED;
  }
}

static const char *
decode_scan(Lossless *l)
{
  const guint columns = l->job->columns;
  const gsize n = (gsize)columns * l->n_components;
  const guint middle = 1u << (l->header.precision - l->point_transform - 1);
  const guint restart_rows = l->restart_interval / columns;
  guint16 *line = l->lines, *above = l->lines + n;
  guint firsts[4], restarts = 0;

  find_run(l);
  memset(above, 0, 2 * n);
  for (guint y = 0; y < l->job->rows; y++) {
    const gboolean fresh = y == 0 || (restart_rows > 0 && y % restart_rows == 0);
    const char *wrong = fresh && y > 0 ? dicom_jpeg_restart(&l->bits, restarts++) : NULL;

    if (wrong) {
      return wrong;
    }
    for (guint c = 0; c < l->n_components; c++) {
      firsts[c] = fresh ? middle : above[(gsize)c * columns];
    }
    /* H.1.1: the first row of a scan and after a restart has none above it. */
    decode_row(l, line, above, fresh ? 1 : l->predictor, firsts);
    wrong = check_row(l, line);
    if (wrong) {
      return wrong;
    }
    lay_down(l, line, y);
    guint16 *const old = above;
    above = line;
    line = old;
  }
  return dicom_jpeg_end_interval(&l->bits);
}

/* B.2.3 */
static const char *
read_scan_header(Lossless *l, const DicomJpegSegment *segment)
{
  const guint8 *p = segment->data;
  const guint n = segment->n > 0 ? p[0] : 0;

  if (n < 1 || n > 4 || segment->n < 4 + 2 * (gsize)n) {
    return "the code stream's scan header is broken";
  }
  for (guint i = 0; i < n; i++) {
    guint c = 0;

    while (c < l->header.samples && l->header.components[c].id != p[1 + 2 * i]) {
      c++;
    }
    if (c == l->header.samples || l->done >> c & 1) {
      return "a scan holds a component that the frame has not, or a second time";
    }
    if (p[2 + 2 * i] >> 4 > 3 || !l->tables[p[2 + 2 * i] >> 4].defined) {
      return "a scan names a Huffman table that is not there";
    }
    l->done |= 1u << c;
    l->components[i] = c;
    l->scan_tables[i] = &l->tables[p[2 + 2 * i] >> 4];
  }
  l->n_components = n;
  l->predictor = p[1 + 2 * n];
  l->point_transform = p[3 + 2 * n] & 15;
  if (l->predictor < 1 || l->predictor > 7 || l->point_transform >= l->header.precision) {
    return dicom_codec_say(l->job,
                           "a scan has predictor %u and point transform %u; expected 1 to 7"
                           " and less than %u",
                           l->predictor, l->point_transform, l->header.precision);
  }
  if (l->restart_interval % l->job->columns != 0) {
    return "the restart interval is not a whole number of rows"; /* as H.1.1 demands */
  }
  return NULL;
}

static const char *
read_scan(Lossless *l, const DicomJpegSegment *segment, gsize *at)
{
  const DicomCodecJob *job = l->job;
  const char *wrong = read_scan_header(l, segment);

  if (wrong) {
    return wrong;
  }
  const JpegBits fresh = {.at = job->data + *at,
                          .end = job->data + job->n,
                          .saw_16 = l->bits.saw_16,
                          .extra_after_16 = l->bits.extra_after_16};
  l->bits = fresh;
  wrong = decode_scan(l);
  *at = (gsize)(l->bits.at - job->data);
  return wrong;
}

static const char *
decode(Lossless *l)
{
  const guint all = (1u << l->header.samples) - 1;
  DicomJpegSegment segment;
  const char *wrong = NULL;
  gsize at = 2;

  l->done = 0;
  l->restart_interval = 0;
  while (!wrong && l->done != all && dicom_jpeg_next(l->job->data, l->job->n, &at, &segment)) {
    switch (segment.code) {
    case MARKER_DHT:
      wrong =
          dicom_jpeg_read_tables(&segment, l->tables, NULL) ? NULL : "a Huffman table is broken";
      break;
    case MARKER_DRI:
      if (segment.n < 2) {
        return "the restart interval is broken";
      }
      l->restart_interval = (guint)segment.data[0] << 8 | segment.data[1];
      break;
    case MARKER_SOS:
      wrong = read_scan(l, &segment, &at);
      break;
    case MARKER_EOI:
      return "the code stream ends before all components have come";
    }
  }
  return wrong || l->done == all ? wrong : "the code stream ends before the picture does";
}

static const char *
check(Lossless *l)
{
  DicomCodecJob *job = l->job;
  const DicomJpegHeader *header = &l->header;
  const char *wrong = dicom_jpeg_header(job, &l->header);

  if (!wrong) {
    wrong =
        dicom_codec_check(job, header->columns, header->rows, header->samples, header->precision);
  }
  if (wrong) {
    return wrong;
  }
  if (header->frame_marker != MARKER_SOF3 || header->precision < 2 || header->samples > 4) {
    return dicom_codec_say(job,
                           "the code stream is no lossless JPEG of 2 to 16 bits: marker FF%02X"
                           ", %u bits, %u components",
                           header->frame_marker, header->precision, header->samples);
  }
  if (header->subsampled ||
      (header->samples > 1 && (header->components[0].h != 1 || header->components[0].v != 1))) {
    return "the components of the lossless code stream differ in size, which is not read";
  }
  if ((guint64)job->rows * job->columns * job->samples >
      (guint64)job->n * DICOM_MAX_LOSSLESS_SAMPLES_PER_BYTE) {
    return "the code stream is too short for the picture, even at the best that lossless JPEG can "
           "do";
  }
  return NULL;
}

const char *
dicom_codec_jpeg_lossless(DicomCodecJob *job)
{
  g_autofree Lossless *l = g_try_new0(Lossless, 1);
  g_autofree guint16 *lines = g_try_new(guint16, 2 * (gsize)job->columns * job->samples + 1);

  if (!l || !lines) {
    return "needs more memory than there is";
  }
  l->job = job;
  l->lines = lines;
  const char *wrong = check(l);
  if (wrong) {
    return wrong;
  }
  wrong = decode(l);
  if (wrong && l->bits.saw_16) {
    /* Some encoders put 16 bits behind the code of category 16, which has none. */
    l->bits.extra_after_16 = 16;
    wrong = decode(l);
  }
  job->colour = dicom_codec_colour(job);
  if (!wrong && job->bits_allocated == 16) {
    dicom_codec_extend_sign(job, l->header.precision);
  }
  return wrong;
}
