/* decode.c - from an object's pixel data to one frame of stored values: can its sizes be true, and
 * which code reads it. */
#include "decode.h"

#include "codec.h"
#include "dicom/limits.h"
#include "dicom/tags.h"

#include <string.h>

gboolean
dicom_decode_refuse(const DicomFile *file, DicomError code, GError **error, const char *what)
{
  g_set_error(error, DICOM_ERROR, code, "%s: %s", file->name, what);
  return FALSE;
}

const char *
dicom_pixels_keyword(const DicomFile *file)
{
  return file->pixels.tag == TAG_FloatPixelData         ? "FloatPixelData"
         : file->pixels.tag == TAG_DoubleFloatPixelData ? "DoubleFloatPixelData"
                                                        : "PixelData";
}

/* ---- checks ------------------------------------------------------------------------------------
 */

static gboolean
sample_type(const DicomFile *file, DicomSampleType *type)
{
  const DicomInfo *info = &file->info;
  gboolean is_signed = info->pixel_representation == 1;

  if (file->pixels.tag == TAG_FloatPixelData) {
    *type = SAMPLE_F32;
    return info->bits_allocated == 32;
  }
  if (file->pixels.tag == TAG_DoubleFloatPixelData) {
    *type = SAMPLE_F64;
    return info->bits_allocated == 64;
  }
  switch (info->bits_allocated) {
  case 1:
    *type = SAMPLE_U8;
    return info->samples == 1;
  case 8:
    *type = is_signed ? SAMPLE_S8 : SAMPLE_U8;
    return TRUE;
  case 16:
    *type = is_signed ? SAMPLE_S16 : SAMPLE_U16;
    return TRUE;
  case 32:
    *type = is_signed ? SAMPLE_S32 : SAMPLE_U32;
    return TRUE;
  default:
    return FALSE;
  }
}

/* Of what a code stream decodes to; codecs know better where their code stream says it. JPEG 2000
 * and JPEG XL undo their own transforms (YBR_RCT, YBR_ICT, XYB). */
static gboolean
find_colour(const DicomFile *file, DicomColour *colour)
{
  static const struct {
    const char *name;
    DicomColour colour;
    guint samples;
    gboolean encapsulated; /* only there */
  } known[] = {
      {"MONOCHROME1", COLOUR_GREY, 1, FALSE},
      {"MONOCHROME2", COLOUR_GREY, 1, FALSE},
      {"PALETTE COLOR", COLOUR_PALETTE, 1, FALSE},
      {"RGB", COLOUR_RGB, 3, FALSE},
      {"YBR_FULL", COLOUR_YBR_FULL, 3, FALSE},
      {"YBR_FULL_422", COLOUR_YBR_FULL, 3, FALSE},
      {"YBR_PARTIAL_422", COLOUR_YBR_PARTIAL, 3, FALSE},
      {"YBR_PARTIAL_420", COLOUR_YBR_PARTIAL, 3, TRUE},
      {"YBR_RCT", COLOUR_RGB, 3, TRUE},
      {"YBR_ICT", COLOUR_RGB, 3, TRUE},
      {"XYB", COLOUR_RGB, 3, TRUE},
  };
  const DicomInfo *info = &file->info;

  for (guint i = 0; i < G_N_ELEMENTS(known); i++) {
    if (strcmp(known[i].name, info->photometric) == 0 && known[i].samples == info->samples &&
        (!known[i].encapsulated || file->pixels.encapsulated)) {
      *colour = known[i].colour;
      return TRUE;
    }
  }
  return FALSE;
}

static gboolean
refuse_type(const DicomFile *file, GError **error)
{
  const char *expected = file->pixels.tag == TAG_FloatPixelData         ? "32"
                         : file->pixels.tag == TAG_DoubleFloatPixelData ? "64"
                         : file->info.samples > 1                       ? "8, 16 or 32"
                                                                        : "1, 8, 16 or 32";

  g_set_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED,
              "%s: BitsAllocated is %u with %s of SamplesPerPixel %u; expected %s", file->name,
              file->info.bits_allocated, dicom_pixels_keyword(file), file->info.samples, expected);
  return FALSE;
}

static gboolean
refuse_colour(const DicomFile *file, GError **error)
{
  static const char *const retired[] = {"ARGB", "CMYK", "HSV"};
  const DicomInfo *info = &file->info;
  gboolean is_retired = FALSE;
  /* CS has 16 letters; cutting bytes would cut one of another alphabet in two. */
  g_autofree char *shown =
      g_utf8_substring(info->photometric, 0, MIN(g_utf8_strlen(info->photometric, -1), 16));

  for (guint i = 0; i < G_N_ELEMENTS(retired); i++) {
    is_retired = is_retired || strcmp(retired[i], info->photometric) == 0;
  }
  g_set_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED,
              "%s: PhotometricInterpretation is \"%s\"%s with SamplesPerPixel %u; expected "
              "MONOCHROME1, MONOCHROME2 or PALETTE COLOR with 1, RGB or a YBR one with 3",
              file->name, shown, is_retired ? ", retired and not read here," : "", info->samples);
  return FALSE;
}

static gboolean
check_fragments(const DicomFile *file, GError **error)
{
  const DicomInfo *info = &file->info;

  if (!file->meta.syntax->encapsulated) {
    return dicom_decode_refuse(
        file, DICOM_ERROR_CORRUPT, error,
        "PixelData is encapsulated, but the transfer syntax is an uncompressed one");
  }
  if (file->pixels.tag != TAG_PixelData) {
    return dicom_decode_refuse(file, DICOM_ERROR_CORRUPT, error,
                               "floating point pixel data are encapsulated; expected native ones");
  }
  if (file->pixels.n_fragments == 0) {
    return dicom_decode_refuse(file, DICOM_ERROR_CORRUPT, error, "PixelData has no fragment");
  }
  if (file->pixels.cut) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT,
                "%s: the file ends inside PixelData: %" G_GUINT64_FORMAT
                " bytes in %u fragments are there, and no sequence delimitation item",
                file->name, file->pixels.length, file->pixels.n_fragments);
    return FALSE;
  }
  /* Every frame begins in a fragment of its own (PS3.5 A.4). */
  if (file->pixels.n_fragments < info->frames) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT,
                "%s: PixelData has %u fragments; NumberOfFrames is %u", file->name,
                file->pixels.n_fragments, info->frames);
    return FALSE;
  }
  return TRUE;
}

gboolean
dicom_check_pixels(const DicomFile *file, GError **error)
{
  const DicomInfo *info = &file->info;
  DicomSampleType type;
  DicomColour colour;

  if (!sample_type(file, &type)) {
    return refuse_type(file, error);
  }
  if (!find_colour(file, &colour)) {
    return refuse_colour(file, error);
  }
  /* At most 2^16 * 2^16 * 4 * 8 = 2^37. */
  if ((guint64)info->rows * info->columns * info->samples * dicom_sample_bytes(type) >
      DICOM_MAX_FRAME_BYTES) {
    g_set_error(
        error, DICOM_ERROR, DICOM_ERROR_TOO_LARGE,
        "%s: Rows %u x Columns %u x SamplesPerPixel %u x BitsAllocated %u is more than %d MiB",
        file->name, info->rows, info->columns, info->samples, info->bits_allocated,
        (int)(DICOM_MAX_FRAME_BYTES >> 20));
    return FALSE;
  }
  return file->pixels.encapsulated ? check_fragments(file, error) : dicom_check_native(file, error);
}

/* ---- decoding ----------------------------------------------------------------------------------
 */

static gboolean
refuse_code_stream(const DicomFile *file, guint index, const char *wrong, GError **error)
{
  if (file->info.frames > 1) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT, "%s: frame %u, counted from 0: %s",
                file->name, index, wrong);
    return FALSE;
  }
  return dicom_decode_refuse(file, DICOM_ERROR_CORRUPT, error, wrong);
}

static gboolean
decode_fragments(DicomFile *file, guint index, DicomFrame *frame, GError **error)
{
  const DicomInfo *info = &file->info;
  DicomSource *source = dicom_dataset_source(file->dataset);
  DicomCodec codec = dicom_codec_find(file->meta.syntax->uid);
  gboolean packs_bits = codec == dicom_codec_rle || codec == dicom_codec_deflate;
  guint first, last;
  gsize n;

  if (!codec) {
    g_autofree char *why = dicom_syntax_refusal(file->meta.syntax->uid);

    return dicom_decode_refuse(file, DICOM_ERROR_UNSUPPORTED, error, why);
  }
  if (!dicom_pixels_frame(&file->pixels, source, file->name, index, info->frames, &first, &last,
                          error)) {
    return FALSE;
  }
  g_autofree guint8 *data =
      dicom_pixels_join(&file->pixels, source, file->name, first, last, &n, error);
  if (!data) {
    return FALSE;
  }
  DicomCodecJob job = {
      .data = data,
      .n = n,
      .columns = info->columns,
      .rows = info->rows,
      .samples = info->samples,
      /* Code streams of single bits give a byte each, the other forms are packed. */
      .bits_allocated = info->bits_allocated == 1 && !packs_bits ? 8 : info->bits_allocated,
      .bits_stored = info->bits_stored,
      .is_signed = frame->is_signed,
      .planar = info->planar == 1,
      .photometric = info->photometric,
      .out = frame->stored,
      .out_bytes = frame->n_bytes,
      .colour = frame->colour,
  };
  const char *wrong = codec(&job);
  if (wrong) {
    return refuse_code_stream(file, index, wrong, error);
  }
  if (info->samples == 3) {
    frame->colour = job.colour;
  }
  return TRUE;
}

DicomFrame *
dicom_decode_frame(DicomFile *file, guint index, GError **error)
{
  const DicomInfo *info = &file->info;
  DicomSampleType type;
  DicomColour colour;

  if (!sample_type(file, &type) || !find_colour(file, &colour)) {
    dicom_decode_refuse(file, DICOM_ERROR_UNSUPPORTED, error, "the pixel format is not read");
    return NULL;
  }
  g_autoptr(DicomFrame) frame = dicom_frame_new(info->columns, info->rows, info->samples, type);
  frame->colour = colour;
  /* dicom_check_pixels() has compared this product with the limit. */
  frame->n_bytes = (gsize)info->rows * info->columns * info->samples * dicom_sample_bytes(type);
  frame->stored = g_try_malloc(frame->n_bytes);
  if (!frame->stored) {
    dicom_decode_refuse(file, DICOM_ERROR_TOO_LARGE, error, "needs more memory than there is");
    return NULL;
  }
  frame->is_signed = info->pixel_representation == 1 && type < SAMPLE_F32;
  if (info->bits_allocated > 1 && type < SAMPLE_F32) {
    frame->bits_stored = info->bits_stored;
    /* HighBit is BitsStored - 1 in every current object; an impossible one is taken for that. */
    if (info->high_bit + 1 >= info->bits_stored && info->high_bit < info->bits_allocated) {
      frame->shift = info->high_bit + 1 - info->bits_stored;
    }
  }
  gboolean ok = file->pixels.encapsulated ? decode_fragments(file, index, frame, error)
                                          : dicom_decode_native(file, index, frame, error);
  return ok ? g_steal_pointer(&frame) : NULL;
}
