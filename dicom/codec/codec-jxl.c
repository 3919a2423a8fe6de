/* codec-jxl.c - JPEG XL (ISO 18181), by libjxl; a recompressed JPEG (PS3.5 A.4.12) comes out as
 * its pixels. Without libjxl at build time this codec only says so. */
#include "codec.h"
#include "dicom/limits.h"

#include <string.h>

#ifdef HILUM_HAVE_JXL
#include <jxl/decode.h>

#define SAY(job, ...) (g_snprintf((job)->wrong, sizeof(job)->wrong, __VA_ARGS__), (job)->wrong)

static const char *
compare(DicomCodecJob *job, const JxlBasicInfo *info)
{
  guint64 samples = (guint64)job->columns * job->rows * job->samples;

  if (info->xsize != job->columns || info->ysize != job->rows ||
      info->num_color_channels != job->samples || info->num_extra_channels != 0) {
    return SAY(
        job,
        "the JPEG XL code stream holds %u x %u pixels of %u samples; Columns x Rows is %u x %u, "
        "SamplesPerPixel %u",
        info->xsize, info->ysize, info->num_color_channels + info->num_extra_channels, job->columns,
        job->rows, job->samples);
  }
  if (info->exponent_bits_per_sample != 0) {
    return "the JPEG XL code stream holds floating point numbers, which are not read";
  }
  if (info->bits_per_sample > job->bits_allocated || info->bits_per_sample > 16) {
    return SAY(job, "the JPEG XL code stream has %u bits per sample; BitsAllocated is %u",
               info->bits_per_sample, job->bits_allocated);
  }
  if (info->have_animation) {
    return "the JPEG XL code stream is an animation; expected one frame";
  }
  if (samples * (job->bits_allocated / 8) != job->out_bytes ||
      (job->bits_allocated != 8 && job->bits_allocated != 16)) {
    return SAY(job, "BitsAllocated is %u in JPEG XL; expected 8 or 16", job->bits_allocated);
  }
  return NULL;
}

static guint
get_sample(const DicomCodecJob *job, gsize i)
{
  return job->bits_allocated == 8 ? job->out[i]
                                  : (job->out[2 * i] | (guint)job->out[2 * i + 1] << 8);
}

/* libjxl stretches integers to the full range of what it writes; PRECISION bits are wanted. The
 * stretch is a rounding of v * full / top, full being larger, so that undoing it is exact. JPEG XL
 * has no negative integers: with PixelRepresentation 1 the pattern is a two's complement. */
static void
restore_depth(DicomCodecJob *job, guint precision)
{
  guint full = job->bits_allocated == 8 ? 255 : 65535, top = (1u << precision) - 1;
  guint sign = job->is_signed ? 1u << (precision - 1) : 0;
  gsize samples = (gsize)job->columns * job->rows * job->samples;

  if (top == full) {
    return;
  }
  for (gsize i = 0; i < samples; i++) {
    guint value = (guint)(((guint64)get_sample(job, i) * top + full / 2) / full);

    value = (value ^ sign) - sign;
    if (job->bits_allocated == 8) {
      job->out[i] = (guint8)value;
    } else {
      job->out[2 * i] = (guint8)value;
      job->out[2 * i + 1] = (guint8)(value >> 8);
    }
  }
}

/* Runs the decoder from event to event up to the first frame. */
static const char *
run(DicomCodecJob *job, JxlDecoder *decoder)
{
  JxlPixelFormat format = {job->samples, JXL_TYPE_UINT8, JXL_LITTLE_ENDIAN, 0};
  JxlBasicInfo info = {0};
  const char *wrong;
  gsize size = 0;

  if (job->bits_allocated == 16) {
    format.data_type = JXL_TYPE_UINT16;
  }
  for (;;) {
    switch (JxlDecoderProcessInput(decoder)) {
    case JXL_DEC_BASIC_INFO:
      if (JxlDecoderGetBasicInfo(decoder, &info) != JXL_DEC_SUCCESS) {
        return "the JPEG XL code stream has no header";
      }
      wrong = compare(job, &info);
      if (wrong) {
        return wrong;
      }
      break;
    case JXL_DEC_NEED_IMAGE_OUT_BUFFER:
      if (JxlDecoderImageOutBufferSize(decoder, &format, &size) != JXL_DEC_SUCCESS ||
          size != job->out_bytes ||
          JxlDecoderSetImageOutBuffer(decoder, &format, job->out, size) != JXL_DEC_SUCCESS) {
        return "the JPEG XL code stream holds a picture of another size than its header says";
      }
      break;
    case JXL_DEC_FULL_IMAGE:
      restore_depth(job, info.bits_per_sample);
      if (job->samples == 3) {
        job->colour = COLOUR_RGB;
      }
      return NULL;
    case JXL_DEC_NEED_MORE_INPUT:
      return "the JPEG XL code stream ends before the picture does";
    default:
      return "the JPEG XL code stream is damaged";
    }
  }
}

const char *
dicom_codec_jxl(DicomCodecJob *job)
{
  guint64 samples = (guint64)job->columns * job->rows * job->samples;
  JxlSignature signature = JxlSignatureCheck(job->data, job->n);
  const char *wrong = "needs more memory than there is";

  if (signature != JXL_SIG_CODESTREAM && signature != JXL_SIG_CONTAINER) {
    return "is no JPEG XL code stream, which begins with FF 0A or a container's signature";
  }
  if (samples > DICOM_MAX_JXL_SAMPLES) {
    return SAY(job, "decoding JPEG XL is limited to %d million samples a frame",
               (int)(DICOM_MAX_JXL_SAMPLES / 1000000));
  }
  JxlDecoder *decoder = JxlDecoderCreate(NULL);
  if (decoder &&
      JxlDecoderSubscribeEvents(decoder, JXL_DEC_BASIC_INFO | JXL_DEC_FULL_IMAGE) ==
          JXL_DEC_SUCCESS &&
      JxlDecoderSetKeepOrientation(decoder, JXL_TRUE) == JXL_DEC_SUCCESS &&
      JxlDecoderSetInput(decoder, job->data, job->n) == JXL_DEC_SUCCESS) {
    JxlDecoderCloseInput(decoder);
    wrong = run(job, decoder);
  }
  JxlDecoderDestroy(decoder);
  return wrong;
}

#else

const char *
dicom_codec_jxl(DicomCodecJob *job)
{
  (void)job;
  return "this build of Hilum has no JPEG XL: libjxl was not there when it was made";
}

#endif
