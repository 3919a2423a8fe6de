/* codec-deflate.c - deflated image frames (PS3.5 A.4.13): each frame as it would lie uncompressed,
 * in a raw deflate stream (RFC 1951) of its own. */
#include "codec.h"
#include "dicom/limits.h"
#include "native.h"

#include <string.h>
#include <zlib.h>

/* Inflates to exactly N bytes; one more, a zero, may have padded the frame to even length. */
static const char *
inflate_frame(const DicomCodecJob *job, guint8 *out, gsize n)
{
  z_stream stream = {0};
  guint8 spare[2] = {0, 0};
  gsize fed = 0, extra = 0;
  int status = Z_OK;

  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
    return "needs more memory than there is";
  }
  stream.next_out = out;
  while (status == Z_OK && n > 0) {
    uInt room = (uInt)MIN(n, G_MAXINT), given;

    if (stream.avail_in == 0) {
      given = (uInt)MIN(job->n - fed, G_MAXINT);
      stream.next_in = (Bytef *)job->data + fed;
      stream.avail_in = given;
      fed += given;
    }
    stream.avail_out = room;
    status = inflate(&stream, Z_NO_FLUSH);
    n -= room - stream.avail_out;
  }
  if (n == 0 && status == Z_OK) {
    stream.next_out = spare;
    stream.avail_out = sizeof spare;
    status = inflate(&stream, Z_FINISH);
    extra = sizeof spare - stream.avail_out;
  }
  inflateEnd(&stream);
  if (n > 0) {
    return status == Z_DATA_ERROR ? "the deflate stream is damaged"
                                  : "the deflate stream ends before the picture does";
  }
  if (status != Z_STREAM_END) {
    return status == Z_DATA_ERROR ? "the deflate stream is damaged"
                                  : "the deflate stream does not end with the picture";
  }
  return extra > 1 || spare[0] != 0 ? "the deflate stream does not end with the picture" : NULL;
}

const char *
dicom_codec_deflate(DicomCodecJob *job)
{
  DicomNative native = {job->columns,        job->rows, job->samples,
                        job->bits_allocated, FALSE,     job->planar};
  native.subsampled = job->samples == 3 && g_str_has_suffix(job->photometric, "_422");
  gsize n = (gsize)((dicom_native_bits(&native) + 7) / 8);
  g_autofree guint8 *raw = NULL;

  if (n > job->n * DICOM_MAX_DEFLATE_RATIO) {
    return "is too short for the picture, even at the best that deflate can do";
  }
  if (dicom_native_is_plain(&native)) {
    return n == job->out_bytes ? inflate_frame(job, job->out, n) : "has an impossible size";
  }
  raw = g_try_malloc(n);
  if (!raw) {
    return "needs more memory than there is";
  }
  const char *wrong = inflate_frame(job, raw, n);
  if (!wrong) {
    dicom_native_arrange(&native, raw, 0, job->out);
  }
  return wrong;
}
