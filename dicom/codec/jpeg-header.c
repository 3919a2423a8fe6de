/* jpeg-header.c - the markers of a JPEG code stream (T.81 annex B). */
#include "jpeg-header.h"
#include "codec-check.h"

#include <string.h>

gboolean
dicom_jpeg_next(const guint8 *data, gsize n, gsize *at, DicomJpegSegment *segment)
{
  gsize i = *at;

  if (i >= n || data[i] != 0xff) {
    return FALSE;
  }
  while (i < n && data[i] == 0xff) {
    i++; /* any number of fill bytes (B.1.1.2) */
  }
  if (i >= n || data[i] == 0) {
    return FALSE;
  }
  segment->code = data[i++];
  segment->data = data + i;
  segment->n = 0;
  if ((segment->code < MARKER_RST0 || segment->code > MARKER_EOI) && segment->code != 0x01) {
    if (n - i < 2) {
      return FALSE;
    }
    const gsize length = (gsize)data[i] << 8 | data[i + 1];
    if (length < 2 || length > n - i) {
      return FALSE;
    }
    segment->data = data + i + 2;
    segment->n = length - 2;
    i += length;
  }
  *at = i;
  return TRUE;
}

/* SOF0 to SOF15 but for the tables among them, or JPEG-LS's. */
static gboolean
is_frame(guint code)
{
  return (code >= MARKER_SOF0 && code <= MARKER_SOF15 && code != MARKER_DHT && code != 0xc8 &&
          code != 0xcc) ||
         code == MARKER_SOF55;
}

/* B.2.2 */
static gboolean
read_frame(const DicomJpegSegment *segment, DicomJpegHeader *header)
{
  const guint8 *p = segment->data;

  if (segment->n < 6 || header->frame_marker || p[5] == 0 || segment->n < 6 + 3 * (gsize)p[5]) {
    return FALSE;
  }
  header->frame_marker = segment->code;
  header->precision = p[0];
  header->rows = (guint)p[1] << 8 | p[2];
  header->columns = (guint)p[3] << 8 | p[4];
  header->samples = p[5];
  for (guint i = 0; i < MIN(header->samples, 4); i++) {
    header->components[i].id = p[6 + 3 * i];
    header->components[i].h = p[7 + 3 * i] >> 4;
    header->components[i].v = p[7 + 3 * i] & 15;
    header->components[i].q = p[8 + 3 * i];
    header->subsampled = header->subsampled || p[7 + 3 * i] != p[7];
  }
  return TRUE;
}

const char *
dicom_jpeg_header(DicomCodecJob *job, DicomJpegHeader *header)
{
  DicomJpegSegment segment;
  gsize at = 2;

  memset(header, 0, sizeof *header);
  header->adobe_transform = -1;
  if (job->n < 4 || job->data[0] != 0xff || job->data[1] != MARKER_SOI) {
    return dicom_codec_say(job,
                           "the frame begins with %02X %02X; expected a JPEG code stream (FF D8)",
                           job->n > 0 ? job->data[0] : 0, job->n > 1 ? job->data[1] : 0);
  }
  while (dicom_jpeg_next(job->data, job->n, &at, &segment)) {
    if (segment.code == MARKER_SOS) {
      return header->frame_marker ? NULL : "the code stream has a scan before its frame header";
    }
    if (segment.code == MARKER_APP0 && segment.n >= 5 && memcmp(segment.data, "JFIF", 5) == 0) {
      header->jfif = TRUE;
    } else if (segment.code == MARKER_APP14 && segment.n >= 12 &&
               memcmp(segment.data, "Adobe", 5) == 0) {
      header->adobe_transform = segment.data[11];
    } else if (is_frame(segment.code) && !read_frame(&segment, header)) {
      return "the code stream's frame header is broken";
    }
  }
  return header->frame_marker ? "the code stream has no scan"
                              : "the code stream has no frame header";
}

const char *
dicom_jpeg_unread(const DicomJpegHeader *header)
{
  switch (header->frame_marker) {
  case MARKER_SOF0:
  case MARKER_SOF1:
  case MARKER_SOF2:
  case MARKER_SOF3:
    return NULL;
  case 0xc5:
  case 0xc6:
  case 0xc7:
    return "the code stream is hierarchical JPEG (T.81 annex J), which is not read";
  case 0xc9:
  case 0xca:
    return "the code stream is JPEG with arithmetic coding (T.81 annex D), which is not read";
  case 0xcb:
    return "the code stream is lossless JPEG with arithmetic coding (T.81 annex D), which is not "
           "read";
  case 0xcd:
  case 0xce:
  case 0xcf:
    return "the code stream is hierarchical JPEG with arithmetic coding (T.81 annexes D and J), "
           "which is not read";
  default:
    return "the code stream is JPEG-LS, and the transfer syntax is one of JPEG";
  }
}
