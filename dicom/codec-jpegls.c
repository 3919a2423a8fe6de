/* codec-jpegls.c - JPEG-LS (T.87) through CharLS.
 *
 * CharLS 2.4.1 goes round for ever where a scan's data end without a marker, so it gets a copy that
 * has an end marker behind it; what is cut off is then noticed. */
#include "codec-check.h"
#include "limits.h"

#include <string.h>

#include <charls/charls.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(charls_jpegls_decoder, charls_jpegls_decoder_destroy)

static const char *
fail(DicomCodecJob *job, charls_jpegls_errc code)
{
  return dicom_codec_say(job, "CharLS: %s", charls_get_error_message(code));
}

/* Component after component, as a code stream of several scans gives them, to pixel after pixel. */
static void
interleave(const guint8 *restrict in, DicomCodecJob *job, gsize bytes)
{
  const gsize pixels = (gsize)job->rows * job->columns, samples = job->samples;

  if (samples == 3 && bytes == 1) {
    guint8 *restrict out = job->out;

    for (gsize i = 0; i < pixels; i++) {
      out[3 * i] = in[i];
      out[3 * i + 1] = in[pixels + i];
      out[3 * i + 2] = in[2 * pixels + i];
    }
    return;
  }
  for (gsize s = 0; s < samples; s++) {
    guint8 *out = job->out + s * bytes;

    for (gsize i = 0; i < pixels; i++) {
      memcpy(out + i * samples * bytes, in, bytes);
      in += bytes;
    }
  }
}

static const char *
decode(DicomCodecJob *job, charls_jpegls_decoder *decoder, gsize bytes)
{
  const gsize n = (gsize)job->rows * job->columns * job->samples * bytes;
  charls_interleave_mode mode = CHARLS_INTERLEAVE_MODE_NONE;
  size_t wanted = 0;
  charls_jpegls_errc code = charls_jpegls_decoder_get_interleave_mode(decoder, &mode);

  if (code == CHARLS_JPEGLS_ERRC_SUCCESS) {
    code = charls_jpegls_decoder_get_destination_size(decoder, 0, &wanted);
  }
  if (code != CHARLS_JPEGLS_ERRC_SUCCESS) {
    return fail(job, code);
  }
  if (wanted != n) {
    return "the room for the frame does not fit its size";
  }
  if (job->samples == 1 || mode != CHARLS_INTERLEAVE_MODE_NONE) {
    code = charls_jpegls_decoder_decode_to_buffer(decoder, job->out, n, 0);
  } else {
    g_autofree guint8 *planes = g_try_malloc(n);

    if (!planes) {
      return "needs more memory than there is";
    }
    code = charls_jpegls_decoder_decode_to_buffer(decoder, planes, n, 0);
    interleave(planes, job, bytes);
  }
  return code == CHARLS_JPEGLS_ERRC_SUCCESS ? NULL : fail(job, code);
}

static guint8 *
copy_with_end(const DicomCodecJob *job)
{
  guint8 *copy = g_try_malloc(job->n + 2);

  if (copy) {
    memcpy(copy, job->data, job->n);
    copy[job->n] = 0xff;
    copy[job->n + 1] = 0xd9;
  }
  return copy;
}

const char *
dicom_codec_jpegls(DicomCodecJob *job)
{
  g_autofree guint8 *copy = copy_with_end(job);
  g_autoptr(charls_jpegls_decoder) decoder = charls_jpegls_decoder_create();
  charls_frame_info frame = {0};

  if (!decoder || !copy) {
    return "needs more memory than there is";
  }
  if (job->n < 4 || job->data[0] != 0xff || job->data[1] != 0xd8) {
    return dicom_codec_say(job,
                           "the frame begins with %02X %02X; expected a JPEG code stream (FF D8)",
                           job->n > 0 ? job->data[0] : 0, job->n > 1 ? job->data[1] : 0);
  }
  charls_jpegls_errc code = charls_jpegls_decoder_set_source_buffer(decoder, copy, job->n + 2);
  if (code == CHARLS_JPEGLS_ERRC_SUCCESS) {
    code = charls_jpegls_decoder_read_header(decoder);
  }
  if (code == CHARLS_JPEGLS_ERRC_SUCCESS) {
    code = charls_jpegls_decoder_get_frame_info(decoder, &frame);
  }
  if (code != CHARLS_JPEGLS_ERRC_SUCCESS) {
    return fail(job, code);
  }
  const guint precision = (guint)frame.bits_per_sample;
  const char *wrong =
      dicom_codec_check(job, frame.width, frame.height, (guint)frame.component_count, precision);
  if (wrong) {
    return wrong;
  }
  /* However long its runs, each row of each component takes a bit (T.87 A.7.1). */
  if ((guint64)job->rows > (guint64)job->n * 8) {
    return "the code stream is too short for the picture, even at the best that JPEG-LS can do";
  }
  wrong = decode(job, decoder, precision > 8 ? 2 : 1);
  job->colour = dicom_codec_colour(job);
  if (!wrong && precision <= 8 && job->bits_allocated == 16) {
    dicom_codec_widen(job);
  } else if (!wrong && job->bits_allocated == 16) {
    dicom_codec_extend_sign(job, precision);
  }
  return wrong;
}
