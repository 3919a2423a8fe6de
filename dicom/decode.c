/* decode.c - one frame's stored values (PS3.5 clause 8), native or by DCMTK's decoders. */
#include "bridge/bridge.h"
#include "file.h"
#include "limits.h"
#include "rle.h"
#include "tags.h"

#include <string.h>

/* Bits of one uncompressed frame in the file; chroma of YBR_FULL_422 is shared by two pixels. */
static guint64
native_bits(const DicomInfo *info)
{
  guint64 pixels = (guint64)info->rows * info->columns;

  if (info->samples == 3 && g_str_has_suffix(info->photometric, "_422")) {
    return pixels * 2 * info->bits_allocated;
  }
  return pixels * info->samples * info->bits_allocated;
}

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
    return TRUE;
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

static gboolean
find_colour(const DicomInfo *info, const char *photometric, DicomColour *colour)
{
  static const struct {
    const char *name;
    DicomColour colour;
    guint samples;
  } known[] = {
      {"MONOCHROME1", COLOUR_GREY, 1},
      {"MONOCHROME2", COLOUR_GREY, 1},
      {"RGB", COLOUR_RGB, 3},
      {"YBR_FULL", COLOUR_YBR_FULL, 3},
      {"YBR_FULL_422", COLOUR_YBR_FULL, 3},
      {"YBR_PARTIAL_422", COLOUR_YBR_PARTIAL, 3},
      {"PALETTE COLOR", COLOUR_PALETTE, 1},
  };

  for (guint i = 0; i < G_N_ELEMENTS(known); i++) {
    if (strcmp(known[i].name, photometric) == 0 && known[i].samples == info->samples) {
      *colour = known[i].colour;
      return TRUE;
    }
  }
  return FALSE;
}

static gboolean
refuse(const DicomFile *file, DicomError code, GError **error, const char *what)
{
  g_set_error(error, DICOM_ERROR, code, "%s: %s", file->name, what);
  return FALSE;
}

gboolean
dicom_check_pixels(const DicomFile *file, GError **error)
{
  const DicomInfo *info = &file->info;
  guint64 frame_bits = native_bits(info); /* at most 2^16 * 2^16 * 4 * 64 = 2^40 */
  DicomSampleType type;
  DicomColour colour;

  if (!sample_type(file, &type)) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED,
                "%s: BitsAllocated is %u; expected 1, 8, 16 or 32", file->name,
                info->bits_allocated);
    return FALSE;
  }
  if (!find_colour(info, info->photometric, &colour)) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED,
                "%s: PhotometricInterpretation is \"%.16s\" with SamplesPerPixel %u; expected "
                "MONOCHROME1, MONOCHROME2 or PALETTE COLOR with 1, RGB or YBR_FULL with 3",
                file->name, info->photometric, info->samples);
    return FALSE;
  }
  if ((guint64)info->rows * info->columns * info->samples * dicom_sample_bytes(type) >
      DICOM_MAX_FRAME_BYTES) {
    g_set_error(
        error, DICOM_ERROR, DICOM_ERROR_TOO_LARGE,
        "%s: Rows %u x Columns %u x SamplesPerPixel %u x BitsAllocated %u is more than %d MiB",
        file->name, info->rows, info->columns, info->samples, info->bits_allocated,
        (int)(DICOM_MAX_FRAME_BYTES >> 20));
    return FALSE;
  }
  if (file->pixels.encapsulated) {
    if (!file->meta.syntax->encapsulated) {
      return refuse(file, DICOM_ERROR_CORRUPT, error,
                    "PixelData is encapsulated, but the transfer syntax is an uncompressed one");
    }
    if (file->pixels.n_fragments == 0) {
      return refuse(file, DICOM_ERROR_CORRUPT, error, "PixelData has no fragment");
    }
    return TRUE;
  }
  guint64 need = (frame_bits * info->frames + 7) / 8; /* below 2^57 */
  if (need > file->pixels.length) {
    g_set_error(
        error, DICOM_ERROR, DICOM_ERROR_CORRUPT,
        "%s: PixelData has %" G_GUINT64_FORMAT " bytes; Rows %u x Columns %u x "
        "NumberOfFrames %u x SamplesPerPixel %u x BitsAllocated %u needs %" G_GUINT64_FORMAT,
        file->name, file->pixels.length, info->rows, info->columns, info->frames, info->samples,
        info->bits_allocated, need);
    return FALSE;
  }
  return TRUE;
}

/* ---- native ------------------------------------------------------------------------------------
 */

/* Eight pixels to a byte, lowest bit first; a frame may begin inside a byte (PS3.5 clause 8.1.1).
 */
static void
unpack_bits(const guint8 *in, guint first_bit, guint8 *out, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    gsize bit = first_bit + i;

    out[i] = in[bit / 8] >> (bit % 8) & 1;
  }
}

/* Y1 Y2 Cb Cr to two whole pixels (PS3.3 C.7.6.3.1.2). */
static void
expand_422(const guint8 *in, guint8 *out, gsize pixels, gsize bytes)
{
  for (gsize i = 0; i < pixels; i++) {
    const guint8 *group = in + i / 2 * 4 * bytes;

    memcpy(out, group + i % 2 * bytes, bytes);
    memcpy(out + bytes, group + 2 * bytes, 2 * bytes);
    out += 3 * bytes;
  }
}

static void
interleave(const guint8 *in, guint8 *out, gsize pixels, guint samples, gsize bytes)
{
  for (gsize i = 0; i < pixels; i++) {
    for (guint s = 0; s < samples; s++) {
      memcpy(out, in + (s * pixels + i) * bytes, bytes);
      out += bytes;
    }
  }
}

static gboolean
read_native(DicomFile *file, guint index, DicomFrame *frame, GError **error)
{
  const DicomInfo *info = &file->info;
  guint64 bits = native_bits(info), first = bits * index, offset = first / 8;
  gsize n = (gsize)((first + bits + 7) / 8 - offset);
  gsize pixels = (gsize)info->rows * info->columns, bytes = dicom_sample_bytes(frame->type);
  gboolean subsampled = info->samples == 3 && bits == (guint64)pixels * 2 * info->bits_allocated;
  gboolean planar = info->samples > 1 && info->planar == 1 && !subsampled;
  gboolean direct = info->bits_allocated > 1 && !subsampled && !planar;
  g_autofree guint8 *raw = direct ? NULL : g_try_malloc(n);
  guint8 *target = direct ? frame->stored : raw;

  if (!target) {
    return refuse(file, DICOM_ERROR_TOO_LARGE, error, "needs more memory than there is");
  }
  if (!dicom_pixels_native(&file->pixels, dicom_dataset_source(file->dataset), file->name, offset,
                           MAX(info->bits_allocated / 8, 1), target, n, error)) {
    return FALSE;
  }
  if (info->bits_allocated == 1) {
    unpack_bits(raw, (guint)(first % 8), frame->stored, pixels * info->samples);
  } else if (subsampled) {
    expand_422(raw, frame->stored, pixels, bytes);
  } else if (planar) {
    interleave(raw, frame->stored, pixels, info->samples, bytes);
  }
  return TRUE;
}

/* ---- encapsulated ------------------------------------------------------------------------------
 */

/* Size and depth that a JPEG or JPEG-LS code stream announces in its frame header (T.81 B.2.2). */
typedef struct {
  guint precision, height, width, components;
  gboolean lossless; /* the process with prediction */
  gboolean lossy;    /* baseline, extended or progressive */
  gboolean jfif, subsampled;
  gint adobe_transform; /* -1: no Adobe marker */
} CodeStream;

static gboolean
find_frame_header(const guint8 *p, gsize n, CodeStream *stream)
{
  gsize i = 2;

  stream->adobe_transform = -1;
  while (i + 9 <= n) {
    guint marker = p[i + 1], length = (guint)p[i + 2] << 8 | p[i + 3];

    if (p[i] != 0xff) {
      return FALSE;
    }
    if (marker == 0xff) {
      i++; /* fill byte */
      continue;
    }
    gboolean is_frame =
        (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc) ||
        marker == 0xf7;
    if (marker == 0xe0 && i + 8 <= n && memcmp(p + i + 4, "JFIF", 4) == 0) {
      stream->jfif = TRUE;
    } else if (marker == 0xee && i + 16 <= n && memcmp(p + i + 4, "Adobe", 5) == 0) {
      stream->adobe_transform = p[i + 15];
    }
    if (is_frame) {
      stream->precision = p[i + 4];
      stream->height = (guint)p[i + 5] << 8 | p[i + 6];
      stream->width = (guint)p[i + 7] << 8 | p[i + 8];
      stream->components = i + 10 <= n ? p[i + 9] : 0;
      stream->lossy = marker <= 0xc2;
      stream->lossless = marker == 0xc3;
      stream->subsampled = stream->components == 3 && i + 19 <= n &&
                           (p[i + 11] != p[i + 14] || p[i + 11] != p[i + 17]);
      return TRUE;
    }
    i += 2 + (gsize)length;
  }
  return FALSE;
}

/* What DCMTK writes per sample: JPEG by the code stream's own depth, the others as allocated. */
static gboolean
check_code_stream(DicomFile *file, guint fragment, const guint8 *head, gsize got, gsize *bytes,
                  gboolean *is_ybr, GError **error)
{
  const DicomInfo *info = &file->info;
  CodeStream stream = {0};

  if (got < 4 || head[0] != 0xff || head[1] != 0xd8) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT,
                "%s: fragment %u of PixelData begins with %02X %02X; expected a JPEG code stream "
                "(FF D8) for %s",
                file->name, fragment, got > 0 ? head[0] : 0, got > 1 ? head[1] : 0,
                file->meta.syntax->name);
    return FALSE;
  }
  if (!find_frame_header(head, got, &stream)) {
    return refuse(file, DICOM_ERROR_CORRUPT, error, "the code stream has no frame header");
  }
  if (stream.width != info->columns || stream.height != info->rows ||
      stream.components != info->samples) {
    g_set_error(
        error, DICOM_ERROR, DICOM_ERROR_CORRUPT,
        "%s: the code stream holds %u x %u pixels of %u samples; Columns x Rows is %u x %u, "
        "SamplesPerPixel %u",
        file->name, stream.width, stream.height, stream.components, info->columns, info->rows,
        info->samples);
    return FALSE;
  }
  guint64 pixels = (guint64)info->rows * info->columns, bytes_there = file->pixels.length;
  if ((stream.lossy && pixels > bytes_there * DICOM_MAX_JPEG_PIXELS_PER_BYTE) ||
      (stream.lossless &&
       pixels * info->samples > bytes_there * DICOM_MAX_LOSSLESS_SAMPLES_PER_BYTE)) {
    return refuse(file, DICOM_ERROR_CORRUPT, error,
                  "PixelData is too short for the picture, even at the best that JPEG can do");
  }
  /* RGB is what many an object says of a JPEG that its own markers, or chroma at half the
   * resolution, show to be YCbCr. */
  *is_ybr = stream.lossy && stream.components == 3 &&
            (stream.adobe_transform >= 0 ? stream.adobe_transform == 1
                                         : stream.jfif || stream.subsampled);
  if (!g_str_has_prefix(file->meta.syntax->name, "JPEG-LS")) {
    *bytes = stream.precision > 8 ? 2 : 1;
  }
  if (*bytes > info->bits_allocated / 8) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT,
                "%s: the code stream has %u bits per sample; BitsAllocated is %u", file->name,
                stream.precision, info->bits_allocated);
    return FALSE;
  }
  return TRUE;
}

static gboolean
read_rle(DicomFile *file, guint index, DicomFrame *frame, const guint8 *data, gsize n,
         GError **error)
{
  const DicomInfo *info = &file->info;
  guint bytes = (guint)dicom_sample_bytes(frame->type);

  if (frame->n_bytes > file->pixels.length * DICOM_MAX_RLE_RATIO) {
    return refuse(file, DICOM_ERROR_CORRUPT, error,
                  "PixelData is too short for the picture, even at the best that RLE can do");
  }
  const char *wrong = dicom_rle_decode(data, n, frame->stored, (gsize)info->rows * info->columns,
                                       info->samples, bytes);
  if (wrong) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT, "%s: frame %u: %s", file->name, index,
                wrong);
  }
  return !wrong;
}

static gboolean
read_encapsulated(DicomFile *file, guint index, DicomFrame *frame, GError **error)
{
  const DicomInfo *info = &file->info;
  gsize samples = (gsize)info->rows * info->columns * info->samples;
  gsize bytes = dicom_sample_bytes(frame->type), got_bytes = bytes;
  char photometric[17] = "";
  DicomSource *source = dicom_dataset_source(file->dataset);
  gboolean is_ybr = FALSE;
  guint first, last;
  gsize n;

  gboolean is_rle = strcmp(file->meta.syntax->uid, DICOM_SYNTAX_RLE) == 0;

  if (info->bits_allocated != 8 && info->bits_allocated != 16 &&
      !(info->bits_allocated == 32 && is_rle)) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED,
                "%s: BitsAllocated is %u in %s; expected 8 or 16", file->name, info->bits_allocated,
                file->meta.syntax->name);
    return FALSE;
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
  if (is_rle) {
    return read_rle(file, index, frame, data, n, error);
  }
  if (!check_code_stream(file, first, data, n, &got_bytes, &is_ybr, error)) {
    return FALSE;
  }
  DicomBridgeJpeg job = {.bytes = data,
                         .n = n,
                         .syntax_uid = file->meta.syntax->uid,
                         .rows = info->rows,
                         .columns = info->columns,
                         .samples = info->samples,
                         .bits_allocated = info->bits_allocated,
                         .bits_stored = info->bits_stored,
                         .is_signed = info->pixel_representation == 1,
                         .photometric = info->photometric};
  const char *wrong = dicom_bridge_decode_jpeg(&job, frame->stored,
                                               frame->n_bytes + frame->n_bytes % 2, photometric);
  if (wrong) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT, "%s: frame %u %s", file->name, index,
                wrong);
    return FALSE;
  }
  if (!find_colour(info, photometric, &frame->colour)) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED,
                "%s: decoding gave the photometric interpretation \"%s\"", file->name, photometric);
    return FALSE;
  }
  if (is_ybr && frame->colour == COLOUR_RGB) {
    frame->colour = COLOUR_YBR_FULL;
  }
  if (got_bytes < bytes) {
    /* Eight bits in the code stream, sixteen allocated: widen from the end, in place. */
    for (gsize i = samples; i-- > 0;) {
      guint8 low = frame->stored[i];

      frame->stored[2 * i] = low;
      frame->stored[2 * i + 1] = info->pixel_representation == 1 && info->bits_stored <= 8 &&
                                         low >> (info->bits_stored - 1)
                                     ? 0xff
                                     : 0;
    }
  } else if (G_BYTE_ORDER == G_BIG_ENDIAN && bytes == 2) {
    for (gsize i = 0; i < samples; i++) {
      guint8 held = frame->stored[2 * i];

      frame->stored[2 * i] = frame->stored[2 * i + 1];
      frame->stored[2 * i + 1] = held;
    }
  }
  return TRUE;
}

DicomFrame *
dicom_decode_frame(DicomFile *file, guint index, GError **error)
{
  const DicomInfo *info = &file->info;
  DicomSampleType type;
  DicomColour colour;

  if (!sample_type(file, &type) || !find_colour(info, info->photometric, &colour)) {
    refuse(file, DICOM_ERROR_UNSUPPORTED, error, "the pixel format is not read");
    return NULL;
  }
  g_autoptr(DicomFrame) frame = dicom_frame_new(info->columns, info->rows, info->samples, type);
  frame->colour = colour;
  /* dicom_check_pixels() has compared this product with the limit. */
  frame->n_bytes = (gsize)info->rows * info->columns * info->samples * dicom_sample_bytes(type);
  frame->stored = g_try_malloc0(frame->n_bytes + 1);
  if (!frame->stored) {
    refuse(file, DICOM_ERROR_TOO_LARGE, error, "needs more memory than there is");
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
  gboolean ok = file->pixels.encapsulated ? read_encapsulated(file, index, frame, error)
                                          : read_native(file, index, frame, error);
  return ok ? g_steal_pointer(&frame) : NULL;
}
