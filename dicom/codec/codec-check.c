/* codec-check.c - what the codecs of the JPEG family and RLE share. */
#include "codec-check.h"

#include <stdarg.h>
#include <string.h>

const char *
dicom_codec_say(DicomCodecJob *job, const char *format, ...)
{
  va_list args;

  va_start(args, format);
  g_vsnprintf(job->wrong, sizeof job->wrong, format, args);
  va_end(args);
  return job->wrong;
}

const char *
dicom_codec_check(DicomCodecJob *job, guint columns, guint rows, guint samples, guint precision)
{
  const guint bytes = job->bits_allocated / 8;

  if (columns != job->columns || rows != job->rows || samples != job->samples) {
    return dicom_codec_say(job,
                           "the code stream holds %u x %u pixels of %u samples; Columns x Rows is "
                           "%u x %u, SamplesPerPixel %u",
                           columns, rows, samples, job->columns, job->rows, job->samples);
  }
  if (job->bits_allocated != 8 && job->bits_allocated != 16) {
    return dicom_codec_say(job, "BitsAllocated is %u; expected 8 or 16", job->bits_allocated);
  }
  if (precision > job->bits_allocated) {
    return dicom_codec_say(job, "the code stream has %u bits per sample; BitsAllocated is %u",
                           precision, job->bits_allocated);
  }
  if (job->out_bytes != (guint64)columns * rows * samples * bytes) {
    return "the room for the frame does not fit its size";
  }
  return NULL;
}

DicomColour
dicom_codec_colour(const DicomCodecJob *job)
{
  const char *name = job->photometric ? job->photometric : "";

  if (job->samples == 1) {
    return strcmp(name, "PALETTE COLOR") == 0 ? COLOUR_PALETTE : COLOUR_GREY;
  }
  if (g_str_has_prefix(name, "YBR_PARTIAL")) {
    return COLOUR_YBR_PARTIAL;
  }
  return strcmp(name, "YBR_FULL") == 0 || strcmp(name, "YBR_FULL_422") == 0 ? COLOUR_YBR_FULL
                                                                            : COLOUR_RGB;
}

/* The bits from the sign on, when it is within PRECISION bits; 0 when there is no sign. A value of
 * fewer bits than BitsStored is one of few bits, and none is its sign. */
static guint
sign_bits(const DicomCodecJob *job, guint precision)
{
  if (!job->is_signed || job->bits_stored == 0 || job->bits_stored > precision) {
    return 0;
  }
  return 0xffffu << (job->bits_stored - 1) & 0xffffu;
}

void
dicom_codec_widen(DicomCodecJob *job)
{
  const guint sign = sign_bits(job, 8);
  const guint lowest = sign & -sign;

  for (gsize i = job->out_bytes / 2; i-- > 0;) {
    const guint low = job->out[i], value = low & lowest ? low | sign : low;

    job->out[2 * i] = (guint8)value;
    job->out[2 * i + 1] = (guint8)(value >> 8);
  }
}

void
dicom_codec_extend_sign(DicomCodecJob *job, guint precision)
{
  const guint sign = sign_bits(job, precision);
  const guint lowest = sign & -sign;

  if (sign == 0 || precision >= 16) {
    return;
  }
  for (gsize i = 0; i + 1 < job->out_bytes; i += 2) {
    const guint value = job->out[i] | (guint)job->out[i + 1] << 8;
    const guint extended = value & lowest ? value | sign : value;

    job->out[i] = (guint8)extended;
    job->out[i + 1] = (guint8)(extended >> 8);
  }
}
