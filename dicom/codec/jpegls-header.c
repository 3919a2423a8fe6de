/* jpegls-header.c - the marker segments of JPEG-LS (T.87 annex C), and HP's APP8. */
#include "codec-check.h"
#include "jpegls.h"

#include <string.h>

static guint
word(const guint8 *p)
{
  return (guint)p[0] << 8 | p[1];
}

const char *
dicom_ls_read_preset(DicomCodecJob *job, const DicomJpegSegment *segment, DicomLsHeader *header)
{
  const guint8 *p = segment->data;
  const guint id = segment->n > 0 ? p[0] : 0;

  switch (id) {
  case 1:
    if (segment->n != 11) {
      return "the JPEG-LS preset coding parameters are broken";
    }
    header->preset =
        (DicomLsPreset){word(p + 1), word(p + 3), word(p + 5), word(p + 7), word(p + 9)};
    return NULL;
  case 2:
  case 3:
    return "the code stream has a mapping table (T.87 C.2.4.1.2), which is not read";
  case 4: {
    /* Wxy, then rows and columns of Wxy bytes, for pictures above 65535. */
    const gsize bytes = segment->n > 1 ? p[1] : 0;
    guint64 sizes[2] = {0};

    if (bytes < 2 || bytes > 4 || segment->n != 2 + 2 * bytes) {
      return "the JPEG-LS oversize image dimensions are broken";
    }
    for (gsize i = 0; i < 2 * bytes; i++) {
      sizes[i / bytes] = sizes[i / bytes] << 8 | p[2 + i];
    }
    return sizes[0] == job->rows && sizes[1] == job->columns
               ? NULL
               : dicom_codec_say(job,
                                 "the code stream's oversize image dimensions are %u x %u; Columns "
                                 "x Rows is %u x %u",
                                 (guint)sizes[1], (guint)sizes[0], job->columns, job->rows);
  }
  default:
    return dicom_codec_say(
        job, "the code stream has JPEG-LS preset parameters of type %u; expected 1", id);
  }
}

/* T.87 C.2.5: two to four bytes. */
const char *
dicom_ls_read_restart(const DicomJpegSegment *segment, DicomLsHeader *header)
{
  if (segment->n < 2 || segment->n > 4) {
    return "the restart interval is broken";
  }
  header->restart_interval = 0;
  for (gsize i = 0; i < segment->n; i++) {
    header->restart_interval = header->restart_interval << 8 | segment->data[i];
  }
  return NULL;
}

const char *
dicom_ls_read_transform(DicomCodecJob *job, const DicomJpegSegment *segment, DicomLsHeader *header)
{
  if (segment->n != 5 || memcmp(segment->data, "mrfx", 4) != 0) {
    return NULL;
  }
  header->transform = segment->data[4];
  return header->transform <= 3 ? NULL
                                : dicom_codec_say(job,
                                                  "the code stream has HP's colour transform %u, "
                                                  "which is not read",
                                                  header->transform);
}

/* C.2.4.1.1.1 */
static guint
clamp(guint i, guint j, guint maxval)
{
  return i > maxval || i < j ? j : i;
}

static void
put_defaults(DicomLsPreset *preset, guint maxval, guint near)
{
  guint t1, t2, t3;

  if (maxval >= 128) {
    const guint factor = (MIN(maxval, 4095) + 128) / 256;

    t1 = factor * (3 - 2) + 2 + 3 * near;
    t2 = factor * (7 - 3) + 3 + 5 * near;
    t3 = factor * (21 - 4) + 4 + 7 * near;
  } else {
    const guint factor = 256 / (maxval + 1);

    t1 = MAX(2, 3 / factor + 3 * near);
    t2 = MAX(3, 7 / factor + 5 * near);
    t3 = MAX(4, 21 / factor + 7 * near);
  }
  preset->maxval = maxval;
  preset->t1 = preset->t1 ? preset->t1 : clamp(t1, near + 1, maxval);
  preset->t2 = preset->t2 ? preset->t2 : clamp(t2, preset->t1, maxval);
  preset->t3 = preset->t3 ? preset->t3 : clamp(t3, preset->t2, maxval);
  preset->reset = preset->reset ? preset->reset : 64;
}

static const char *
use_preset(DicomCodecJob *job, DicomLsHeader *header, guint precision)
{
  const guint most = (1u << precision) - 1;
  const guint maxval = header->preset.maxval ? header->preset.maxval : most;
  DicomLsPreset *p = &header->used;

  *p = header->preset;
  if (maxval > most || header->near > MIN(255, maxval / 2)) {
    return dicom_codec_say(job,
                           "the JPEG-LS scan has MAXVAL %u and NEAR %u with %u bits per sample",
                           maxval, header->near, precision);
  }
  put_defaults(p, maxval, header->near);
  if (p->t1 <= header->near || p->t2 < p->t1 || p->t3 < p->t2 || p->t3 > maxval || p->reset < 3 ||
      p->reset > MAX(255, maxval)) {
    return dicom_codec_say(job,
                           "the JPEG-LS scan has thresholds %u, %u, %u and RESET %u, which do "
                           "not fit MAXVAL %u and NEAR %u",
                           p->t1, p->t2, p->t3, p->reset, maxval, header->near);
  }
  return NULL;
}

static const char *
read_components(const guint8 *p, guint n, const DicomJpegHeader *frame, DicomLsHeader *header)
{
  guint seen = 0;

  for (guint i = 0; i < n; i++) {
    guint c = 0;

    while (c < frame->samples && frame->components[c].id != p[2 * i]) {
      c++;
    }
    if (c == frame->samples || seen >> c & 1) {
      return "a scan holds a component that the frame has not, or a second time";
    }
    if (p[2 * i + 1] != 0) {
      return "a scan uses a mapping table (T.87 C.2.4.1.2), which is not read";
    }
    seen |= 1u << c;
    header->components[i] = c;
  }
  header->n_components = n;
  return NULL;
}

const char *
dicom_ls_read_scan(DicomCodecJob *job, const DicomJpegSegment *segment,
                   const DicomJpegHeader *frame, DicomLsHeader *header)
{
  const guint8 *p = segment->data;
  const guint n = segment->n > 0 ? p[0] : 0;

  if (n < 1 || n > 4 || segment->n < 4 + 2 * (gsize)n) {
    return "the code stream's scan header is broken";
  }
  const char *wrong = read_components(p + 1, n, frame, header);
  if (wrong) {
    return wrong;
  }
  header->near = p[1 + 2 * n];
  const guint interleave = p[2 + 2 * n];
  if (interleave > LS_SAMPLE || (interleave == LS_NONE && n > 1)) {
    return dicom_codec_say(job, "a scan of %u components has interleave mode %u", n, interleave);
  }
  if (p[3 + 2 * n] != 0) {
    return "the code stream has a point transform, which is not read";
  }
  header->interleave = n > 1 ? (DicomLsInterleave)interleave : LS_NONE;
  if (header->transform > 0 &&
      (n != 3 || frame->samples != 3 || (frame->precision != 8 && frame->precision != 16))) {
    return dicom_codec_say(job,
                           "the code stream has HP's colour transform %u with %u bits and %u "
                           "components in a scan; expected 8 or 16, and 3",
                           header->transform, frame->precision, n);
  }
  return use_preset(job, header, frame->precision);
}
