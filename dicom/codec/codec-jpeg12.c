/* codec-jpeg12.c - lossy JPEG of 12 bits: frames and the picture (T.81 annexes A and B).
 *
 * A component of the picture's own resolution goes into the picture block by block; others are kept
 * until all is there, and progressive frames keep their coefficients. What libjpeg only warns of,
 * and then invents a picture, is an error. */
#include "codec-jpeg12.h"

#include "codec-check.h"
#include "jpeg12.h"

/* A progressive picture may have any number of scans, each as costly as a picture. */
#define MAX_SCANS 500
#define MAX_FACTOR 4 /* B.2.2 */

/* ---- frames ------------------------------------------------------------------------------------
 */

/* B.2.4.1 */
static gboolean
read_steps(Jpeg12 *jpeg, const DicomJpegSegment *segment)
{
  const guint8 *p = segment->data;
  gsize left = segment->n;

  while (left > 0) {
    const guint wide = p[0] >> 4, id = p[0] & 15;
    const gsize n = 1 + JPEG_BLOCK * (gsize)(1 + wide);

    if (wide > 1 || id > 3 || left < n) {
      return FALSE;
    }
    for (guint i = 0; i < JPEG_BLOCK; i++) {
      jpeg->steps[id][i] =
          (guint16)(wide ? (guint)p[1 + 2 * i] << 8 | p[2 + 2 * i] : (guint)p[1 + i]);
    }
    jpeg->has_steps[id] = TRUE;
    p += n;
    left -= n;
  }
  return TRUE;
}

/* A.1.1, A.2.4: the sizes of a component; factors say nothing where it is the only one. */
static void
set_sizes(const Jpeg12 *jpeg, JpegComponent *c)
{
  const DicomCodecJob *job = jpeg->job;

  c->columns = (job->columns * c->h + jpeg->h - 1) / jpeg->h;
  c->rows = (job->rows * c->v + jpeg->v - 1) / jpeg->v;
  c->blocks_across = (c->columns + 7) / 8;
  c->blocks_down = (c->rows + 7) / 8;
  c->padded_across = jpeg->mcus_across * c->h;
  c->padded_down = jpeg->mcus_down * c->v;
  memset(c->precision, -1, sizeof c->precision);
}

static const char *
set_components(Jpeg12 *jpeg)
{
  const DicomJpegHeader *header = jpeg->header;

  jpeg->n_components = header->samples;
  jpeg->h = jpeg->v = 1;
  for (guint i = 0; i < jpeg->n_components; i++) {
    JpegComponent *c = &jpeg->components[i];

    c->id = header->components[i].id;
    c->h = jpeg->n_components == 1 ? 1 : header->components[i].h;
    c->v = jpeg->n_components == 1 ? 1 : header->components[i].v;
    c->q = header->components[i].q;
    if (c->h < 1 || c->h > MAX_FACTOR || c->v < 1 || c->v > MAX_FACTOR) {
      return dicom_codec_say(jpeg->job,
                             "a component has sampling factors %u x %u; expected 1 to %d", c->h,
                             c->v, MAX_FACTOR);
    }
    for (guint j = 0; j < i; j++) {
      if (jpeg->components[j].id == c->id) {
        return "two components of the code stream have the same name";
      }
    }
    jpeg->h = MAX(jpeg->h, c->h);
    jpeg->v = MAX(jpeg->v, c->v);
  }
  jpeg->mcus_across = (jpeg->job->columns + 8 * jpeg->h - 1) / (8 * jpeg->h);
  jpeg->mcus_down = (jpeg->job->rows + 8 * jpeg->v - 1) / (8 * jpeg->v);
  for (guint i = 0; i < jpeg->n_components; i++) {
    JpegComponent *c = &jpeg->components[i];

    if (jpeg->h % c->h != 0 || jpeg->v % c->v != 0) {
      return "a component's resolution is no whole fraction of the picture's, which is not read";
    }
    set_sizes(jpeg, c);
  }
  return NULL;
}

/* Both are bounded by the size of the frame, which the job's owner has checked. */
static gboolean
take_memory(Jpeg12 *jpeg)
{
  for (guint i = 0; i < jpeg->n_components; i++) {
    JpegComponent *c = &jpeg->components[i];
    const gsize n = (gsize)c->padded_across * c->padded_down * JPEG_BLOCK;

    if (c->h != jpeg->h || c->v != jpeg->v) {
      c->plane = g_try_new0(guint16, n);
      if (!c->plane) {
        return FALSE;
      }
    }
    if (jpeg->header->frame_marker == MARKER_SOF2) {
      c->coefficients = g_try_new0(gint16, n);
      c->present = g_try_new0(guint64, n / JPEG_BLOCK);
      if (!c->coefficients || !c->present) {
        return FALSE;
      }
    }
  }
  return TRUE;
}

static gboolean
is_complete(const Jpeg12 *jpeg)
{
  for (guint i = 0; i < jpeg->n_components; i++) {
    if (!jpeg->components[i].has_steps) {
      return FALSE;
    }
  }
  return TRUE;
}

/* NULL, or what is wrong; *ENDED: the end marker has come. */
static const char *
read_segment(Jpeg12 *jpeg, const DicomJpegSegment *segment, gsize *at, gboolean *ended)
{
  switch (segment->code) {
  case MARKER_DHT:
    return dicom_jpeg_read_tables(segment, jpeg->dc, jpeg->ac) ? NULL : "a Huffman table is broken";
  case MARKER_DQT:
    return read_steps(jpeg, segment) ? NULL : "a quantisation table is broken";
  case MARKER_DRI:
    if (segment->n < 2) {
      return "the restart interval is broken";
    }
    jpeg->restart_interval = (guint)segment->data[0] << 8 | segment->data[1];
    return NULL;
  case MARKER_SOS:
    return dicom_jpeg_scan(jpeg, segment, at);
  case MARKER_DNL:
    return "the code stream gives its height behind the first scan (T.81 B.2.5), which is not read";
  case MARKER_EOI:
    *ended = TRUE;
    return NULL;
  default:
    return NULL;
  }
}

/* A sequential picture is complete when all components have come. The refinements of a progressive
 * one may be what is missing where no end marker is; T.81 does not ask for all of them. */
static const char *
decode(Jpeg12 *jpeg)
{
  const gboolean progressive = jpeg->header->frame_marker == MARKER_SOF2;
  const DicomCodecJob *job = jpeg->job;
  DicomJpegSegment segment;
  const char *wrong = NULL;
  gboolean ended = FALSE;
  guint scans = 0;
  gsize at = 2;

  while (!wrong && !ended && (progressive || !is_complete(jpeg)) &&
         dicom_jpeg_next(job->data, job->n, &at, &segment)) {
    scans += segment.code == MARKER_SOS;
    if (scans > MAX_SCANS) {
      return dicom_codec_say(jpeg->job, "the code stream has more than %d scans", MAX_SCANS);
    }
    wrong = read_segment(jpeg, &segment, &at, &ended);
  }
  if (!wrong && (!is_complete(jpeg) || (progressive && !ended))) {
    wrong = "the code stream ends before the picture does";
  }
  return wrong;
}

/* ---- the picture -------------------------------------------------------------------------------
 */

void
dicom_jpeg_lay_down(const Jpeg12 *jpeg, const JpegComponent *c, guint x, guint y,
                    const guint16 samples[JPEG_BLOCK])
{
  const DicomCodecJob *job = jpeg->job;
  const gsize step = 2 * (gsize)job->samples;

  if (c->plane) {
    guint16 *row = c->plane + (gsize)y * 8 * c->padded_across * 8 + (gsize)x * 8;

    for (guint i = 0; i < 8; i++, row += (gsize)c->padded_across * 8) {
      memcpy(row, samples + 8 * i, 16);
    }
    return;
  }
  if (x >= c->blocks_across || y >= c->blocks_down) {
    return; /* it only fills an MCU */
  }
  const guint width = MIN(8, job->columns - 8 * x), height = MIN(8, job->rows - 8 * y);
  guint8 *row = job->out + ((gsize)y * 8 * job->columns + (gsize)x * 8) * step +
                2 * (gsize)(c - jpeg->components);

  for (guint i = 0; i < height; i++, row += job->columns * step) {
    if (G_BYTE_ORDER == G_LITTLE_ENDIAN && step == 2 && width == 8) {
      memcpy(row, samples + 8 * i, 16);
      continue;
    }
    for (guint j = 0; j < width; j++) {
      jpeg_put(row + j * step, samples[8 * i + j]);
    }
  }
}

static void
transform_coefficients(const Jpeg12 *jpeg, const JpegComponent *c)
{
  for (guint y = 0; y < c->blocks_down; y++) {
    for (guint x = 0; x < c->blocks_across; x++) {
      const gsize index = (gsize)y * c->padded_across + x;
      const gint16 *from = c->coefficients + index * JPEG_BLOCK;
      const guint last = 63 - (guint)__builtin_clzll(c->present[index] | 1);
      gint32 block[JPEG_BLOCK] __attribute__((aligned(16))) = {0};
      guint16 samples[JPEG_BLOCK] __attribute__((aligned(16)));

      for (guint k = 0; k <= last; k++) {
        block[dicom_jpeg_natural[k]] = from[k] * c->steps[k];
      }
      dicom_jpeg_idct(block, last, samples);
      dicom_jpeg_lay_down(jpeg, c, x, y, samples);
    }
  }
}

static void
finish(const Jpeg12 *jpeg)
{
  for (guint i = 0; i < jpeg->n_components; i++) {
    const JpegComponent *c = &jpeg->components[i];

    if (c->coefficients) {
      transform_coefficients(jpeg, c);
    }
    if (c->plane) {
      dicom_jpeg_upsample(jpeg, i);
    }
  }
}

const char *
dicom_codec_jpeg12(DicomCodecJob *job, const DicomJpegHeader *header)
{
  g_autofree Jpeg12 *jpeg = g_try_new0(Jpeg12, 1);
  const char *wrong = NULL;

  if (!jpeg) {
    return "needs more memory than there is";
  }
  if (header->precision != 12 || header->samples < 1 || header->samples > 4 ||
      job->bits_allocated != 16) {
    return "the code stream is no JPEG of 12 bits and one to four components";
  }
  jpeg->job = job;
  jpeg->header = header;
  wrong = set_components(jpeg);
  if (!wrong && !take_memory(jpeg)) {
    wrong = "needs more memory than there is";
  }
  if (!wrong) {
    wrong = decode(jpeg);
  }
  if (!wrong) {
    finish(jpeg);
  }
  for (guint i = 0; i < jpeg->n_components; i++) {
    g_free(jpeg->components[i].plane);
    g_free(jpeg->components[i].coefficients);
    g_free(jpeg->components[i].present);
  }
  return wrong;
}
