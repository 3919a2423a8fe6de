/* codec-jpegls.c - JPEG-LS (T.87), lossless and near-lossless: the frame, its scans and their rows.
 *
 * Rows are decoded into lines of 16-bit words, component beside component, which stay in the
 * processor's first cache, and then laid down among the other components. */
#include "codec-check.h"
#include "jpegls.h"

#include <string.h>

enum { MARKER_APP8 = 0xe8, MARKER_LSE = 0xf8 };

typedef struct {
  DicomCodecJob *job;
  DicomJpegHeader frame;
  DicomLsHeader header;
  guint done; /* a bit for each component that a scan has brought */
  DicomLsScan *scan;
  guint16 *lines; /* three rows of all components: this one, that above, and one for colours */
  gsize stride;   /* from component to component */
} JpegLs;

/* ---- rows --------------------------------------------------------------------------------------
 */

/* HP's transforms back to red, green and blue, modulo 2^precision. */
static void
transform_back(guint transform, const guint16 *row, guint16 *colours, gsize stride, guint n,
               guint precision)
{
  const guint16 *v1 = row, *v2 = row + stride, *v3 = row + 2 * stride;
  guint16 *red = colours, *green = colours + stride, *blue = colours + 2 * stride;
  const gint mask = (1 << precision) - 1, half = 1 << (precision - 1);

  for (guint x = 0; x < n; x++) {
    gint r = v1[x], g = v2[x], b = v3[x];

    switch (transform) {
    case 1:
      r += g - half;
      b += g - half;
      break;
    case 2:
      r = (r + g - half) & mask;
      b += ((r + g) >> 1) - half;
      break;
    default: {
      const gint luma = (r - ((b + g) >> 2) + half / 2) & mask;

      r = b + luma - half;
      b = g + luma - half;
      g = luma;
    }
    }
    red[x] = (guint16)(r & mask);
    green[x] = (guint16)(g & mask);
    blue[x] = (guint16)(b & mask);
  }
}

/* One component, N words apart by STEP, as bytes or as little-endian words. */
static void
lay_line(const guint16 *restrict from, guint8 *restrict out, guint n, gsize step, gboolean bytes)
{
  if (bytes && step == 1) {
    for (gsize x = 0; x < n; x++) {
      out[x] = (guint8)from[x];
    }
  } else if (bytes) {
    for (gsize x = 0; x < n; x++) {
      out[x * step] = (guint8)from[x];
    }
  } else if (G_BYTE_ORDER == G_LITTLE_ENDIAN && step == 1) {
    memcpy(out, from, 2 * (gsize)n);
  } else {
    for (gsize x = 0; x < n; x++) {
      const guint16 value = GUINT16_TO_LE(from[x]);

      memcpy(out + 2 * x * step, &value, 2);
    }
  }
}

/* Three components of bytes at once. */
static void
lay_colours(const guint16 *restrict from, gsize stride, guint8 *restrict out, guint n)
{
  const guint16 *red = from, *green = from + stride, *blue = from + 2 * stride;

  for (gsize x = 0; x < n; x++) {
    out[3 * x] = (guint8)red[x];
    out[3 * x + 1] = (guint8)green[x];
    out[3 * x + 2] = (guint8)blue[x];
  }
}

/* The scan's components of row Y, into their places among all. */
static void
lay_down(const JpegLs *ls, const guint16 *row, guint y)
{
  const DicomCodecJob *job = ls->job;
  const DicomLsHeader *header = &ls->header;
  const guint n = job->columns;
  const gsize step = job->samples, bytes = job->bits_allocated / 8;
  guint8 *const out = job->out + y * n * step * bytes;

  if (header->n_components == 3 && step == 3 && bytes == 1 && header->components[0] == 0 &&
      header->components[1] == 1) {
    lay_colours(row, ls->stride, out, n);
    return;
  }
  for (guint c = 0; c < header->n_components; c++) {
    lay_line(row + c * ls->stride, out + header->components[c] * bytes, n, step, bytes == 1);
  }
}

/* ---- scans -------------------------------------------------------------------------------------
 */

/* The rows up to the next restart, or to the last. */
static const char *
decode_interval(JpegLs *ls, guint first, guint end)
{
  const DicomLsHeader *header = &ls->header;
  const guint n = ls->job->columns;
  const gsize size = ls->stride * ls->job->samples;
  guint16 *row = ls->lines + 1, *above = row + size, *const colours = above + size;

  memset(ls->lines, 0, 2 * size * sizeof *ls->lines);
  for (guint y = first; y < end; y++) {
    const char *wrong = dicom_ls_scan_row(ls->scan, row, above, ls->stride, n);

    if (wrong) {
      return wrong;
    }
    if (header->transform > 0) {
      transform_back(header->transform, row, colours, ls->stride, n, ls->frame.precision);
      lay_down(ls, colours, y);
    } else {
      lay_down(ls, row, y);
    }
    guint16 *const old = above;
    above = row;
    row = old;
  }
  return dicom_ls_scan_end(ls->scan);
}

static const char *
decode_scan(JpegLs *ls, gsize *at)
{
  const DicomCodecJob *job = ls->job;
  const guint8 *from = job->data + *at, *const end = job->data + job->n;
  const guint interval = ls->header.restart_interval, rows = job->rows;
  const char *wrong = NULL;
  guint restarts = 0;

  dicom_ls_scan_begin(ls->scan, &ls->header);
  for (guint y = 0, next; y < rows && !wrong; y = next) {
    if (y > 0) {
      if (end - from < 2 || from[1] != MARKER_RST0 + restarts++ % 8) {
        return "the code stream is damaged: a restart marker is not where it belongs";
      }
      from += 2;
    }
    next = interval > 0 && interval < rows - y ? y + interval : rows;
    from = dicom_ls_scan_fill(ls->scan, from, end);
    wrong = decode_interval(ls, y, next);
  }
  *at = (gsize)(from - job->data);
  return wrong;
}

static const char *
read_scan(JpegLs *ls, const DicomJpegSegment *segment, gsize *at)
{
  const char *wrong = dicom_ls_read_scan(ls->job, segment, &ls->frame, &ls->header);

  for (guint c = 0; c < ls->header.n_components && !wrong; c++) {
    const guint bit = 1u << ls->header.components[c];

    if (ls->done & bit) {
      return "a scan holds a component that the frame has not, or a second time";
    }
    ls->done |= bit;
  }
  return wrong ? wrong : decode_scan(ls, at);
}

static const char *
decode(JpegLs *ls)
{
  const guint all = (1u << ls->frame.samples) - 1;
  DicomJpegSegment segment;
  const char *wrong = NULL;
  gsize at = 2;

  while (!wrong && ls->done != all && dicom_jpeg_next(ls->job->data, ls->job->n, &at, &segment)) {
    switch (segment.code) {
    case MARKER_LSE:
      wrong = dicom_ls_read_preset(ls->job, &segment, &ls->header);
      break;
    case MARKER_DRI:
      wrong = dicom_ls_read_restart(&segment, &ls->header);
      break;
    case MARKER_APP8:
      wrong = dicom_ls_read_transform(ls->job, &segment, &ls->header);
      break;
    case MARKER_SOS:
      wrong = read_scan(ls, &segment, &at);
      break;
    case MARKER_EOI:
      return "the code stream ends before all components have come";
    }
  }
  return wrong || ls->done == all ? wrong : "the code stream ends before the picture does";
}

static const char *
check(JpegLs *ls)
{
  DicomCodecJob *job = ls->job;
  const DicomJpegHeader *frame = &ls->frame;
  const char *wrong = dicom_jpeg_header(job, &ls->frame);

  if (!wrong) {
    wrong = dicom_codec_check(job, frame->columns, frame->rows, frame->samples, frame->precision);
  }
  if (wrong) {
    return wrong;
  }
  if (frame->frame_marker != MARKER_SOF55 || frame->precision < 2 || frame->samples > 4 ||
      frame->columns == 0 || frame->rows == 0) {
    return dicom_codec_say(job,
                           "the code stream is no JPEG-LS of 2 to 16 bits: marker FF%02X, %u bits, "
                           "%u components",
                           frame->frame_marker, frame->precision, frame->samples);
  }
  if (frame->subsampled ||
      (frame->samples > 1 && (frame->components[0].h != 1 || frame->components[0].v != 1))) {
    return "the components of the JPEG-LS code stream differ in size, which is not read";
  }
  /* However long its runs, each row takes a bit (T.87 A.7.1). */
  if ((guint64)job->rows > (guint64)job->n * 8) {
    return "the code stream is too short for the picture, even at the best that JPEG-LS can do";
  }
  return NULL;
}

const char *
dicom_codec_jpegls(DicomCodecJob *job)
{
  JpegLs ls = {.job = job, .stride = (gsize)job->columns + 2};
  const char *wrong = check(&ls);

  if (wrong) {
    return wrong;
  }
  g_autoptr(DicomLsScan) scan = dicom_ls_scan_new(job->n);
  g_autofree guint16 *lines = g_try_new(guint16, 3 * ls.stride * job->samples);
  if (!scan || !lines) {
    return "needs more memory than there is";
  }
  ls.scan = scan;
  ls.lines = lines;
  wrong = decode(&ls);
  job->colour = dicom_codec_colour(job);
  if (!wrong && job->bits_allocated == 16) {
    dicom_codec_extend_sign(job, ls.frame.precision);
  }
  return wrong;
}
