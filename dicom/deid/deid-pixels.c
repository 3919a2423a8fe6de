/* deid-pixels.c - what is burned in: when to blank, where, and the pixels without it. */
#include "deid.h"

#include "dicom/frame.h"
#include "dicom/limits.h"
#include "dicom/tags.h"

#include <string.h>

enum {
  DEID_TAG_RegionLocationMinX0 = 0x00186018,
  DEID_TAG_RegionLocationMinY0 = 0x0018601a,
  DEID_TAG_RegionLocationMaxX1 = 0x0018601c,
  DEID_TAG_RegionLocationMaxY1 = 0x0018601e,
  MAX_REGIONS = 256, /* a screen of an ultrasound scanner has a handful */
};

void
dicom_deid_pixels_clear(DicomDeidPixels *pixels)
{
  g_clear_pointer(&pixels->region, g_free);
  g_clear_pointer(&pixels->first, dicom_frame_unref);
}

static gboolean
read_count(const DicomItem *root, guint32 tag, guint max, guint *count)
{
  double value;

  if (dicom_item_numbers(root, tag, &value, 1) != 1 || !(value >= 1 && value <= max)) {
    return FALSE;
  }
  *count = (guint)value;
  return TRUE;
}

/* The region that ITEM declares, its last row and column included (PS3.3 C.8.5.5.1.1). */
static gboolean
read_region(const DicomItem *item, const DicomDeidPixels *pixels, DicomRect *rect)
{
  static const guint32 tags[] = {DEID_TAG_RegionLocationMinX0, DEID_TAG_RegionLocationMinY0,
                                 DEID_TAG_RegionLocationMaxX1, DEID_TAG_RegionLocationMaxY1};
  double v[4];

  for (guint i = 0; i < 4; i++) {
    if (dicom_item_numbers(item, tags[i], &v[i], 1) != 1 || !(v[i] >= 0 && v[i] <= G_MAXINT)) {
      return FALSE;
    }
  }
  if (v[0] > v[2] || v[1] > v[3] || v[0] >= pixels->columns || v[1] >= pixels->rows) {
    return FALSE;
  }
  rect->x = (guint)v[0];
  rect->y = (guint)v[1];
  rect->width = MIN((guint)v[2], pixels->columns - 1) - rect->x + 1;
  rect->height = MIN((guint)v[3], pixels->rows - 1) - rect->y + 1;
  return TRUE;
}

/* FALSE when none is declared, or one makes no sense. */
static gboolean
read_regions(const DicomItem *root, DicomDeidPixels *pixels)
{
  guint n = dicom_item_count(root, TAG_SequenceOfUltrasoundRegions);

  if (n == 0 || n > MAX_REGIONS) {
    return FALSE;
  }
  pixels->region = g_new0(DicomRect, n);
  for (guint i = 0; i < n; i++) {
    const DicomItem *item = dicom_item_nested(root, TAG_SequenceOfUltrasoundRegions, i);
    if (!item || !read_region(item, pixels, &pixels->region[i])) {
      g_clear_pointer(&pixels->region, g_free);
      return FALSE;
    }
  }
  pixels->n_regions = n;
  return TRUE;
}

typedef enum { BURNED_NO, BURNED_MAYBE, BURNED_YES } Burned;

/* Screens are captured with what is written on them: secondary captures and ultrasound. */
static Burned
judge(const DicomItem *root)
{
  g_autofree char *flag = dicom_item_text(root, TAG_BurnedInAnnotation);
  g_autofree char *modality = dicom_item_text(root, TAG_Modality);
  g_autofree char *sop_class = dicom_item_text(root, TAG_SOPClassUID);

  if (strcmp(flag, "YES") == 0) {
    return BURNED_YES;
  }
  if (strcmp(flag, "NO") == 0) {
    return BURNED_NO;
  }
  if (strcmp(modality, "US") == 0 || strcmp(modality, "IVUS") == 0 ||
      g_str_has_prefix(sop_class, "1.2.840.10008.5.1.4.1.1.7") ||
      dicom_item_has(root, TAG_ConversionType)) {
    return BURNED_MAYBE;
  }
  return BURNED_NO;
}

static gboolean
refuse(GError **error, const char *name, const char *why)
{
  g_set_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED, "%s: %s", name, why);
  return FALSE;
}

/* Overlay planes in unused bits of PixelData (retired, PS3.5 2004 8.1.2). */
static gboolean
has_embedded_overlay(const DicomItem *root)
{
  for (guint32 group = 0; group < 16; group++) {
    guint32 base = 0x60000000 + (group << 17);
    double bits = 0;

    if (dicom_item_numbers(root, base + 0x0100, &bits, 1) == 1 && bits > 1 &&
        !dicom_item_has(root, base + 0x3000)) {
      return TRUE;
    }
  }
  return FALSE;
}

static void
add_doubts(const DicomItem *root, GPtrArray *unsure)
{
  g_autofree char *features = dicom_item_text(root, TAG_RecognizableVisualFeatures);

  if (strcmp(features, "YES") == 0) {
    g_ptr_array_add(unsure, g_strdup("RecognizableVisualFeatures is YES: the pixels may show whom "
                                     "they are of"));
  }
  if (has_embedded_overlay(root)) {
    g_ptr_array_add(unsure,
                    g_strdup("an overlay lies in unused bits of PixelData and stays there"));
  }
}

gboolean
dicom_deid_pixels_plan(const DicomItem *root, const char *name, const DicomDeidOptions *options,
                       DicomDeidPixels *pixels, GPtrArray *unsure, GError **error)
{
  Burned burned = judge(root);
  gboolean has_size, has_regions;

  if (!dicom_item_has(root, TAG_PixelData)) {
    /* Float pixels are computed and have nothing written on them. */
    return TRUE;
  }
  add_doubts(root, unsure);
  has_size = read_count(root, TAG_Rows, G_MAXUINT16, &pixels->rows) &&
             read_count(root, TAG_Columns, G_MAXUINT16, &pixels->columns);
  if (!read_count(root, TAG_NumberOfFrames, DICOM_MAX_FRAMES, &pixels->frames)) {
    pixels->frames = 1;
  }
  has_regions =
      has_size && options->clean_pixels && burned != BURNED_NO && read_regions(root, pixels);
  pixels->blank = options->blank;
  pixels->n_blank = options->n_blank;
  pixels->rewrite = has_regions || options->n_blank > 0;
  pixels->whole = !has_regions;
  if (pixels->rewrite && !has_size) {
    return refuse(error, name, "Rows and Columns are needed for blanking, and one is missing");
  }
  for (guint i = 0; i < options->n_blank; i++) {
    if (options->blank[i].x >= pixels->columns || options->blank[i].y >= pixels->rows) {
      return refuse(error, name, "a rectangle to be blanked lies outside the image");
    }
  }
  if (options->n_blank > 0 || burned == BURNED_NO) {
    /* Whoever names rectangles has looked. */
    return TRUE;
  }
  if (has_regions) {
    g_ptr_array_add(unsure, g_strdup("what lies outside the declared regions was blanked, but text "
                                     "may be burned in inside of them: look at the pixels"));
    return TRUE;
  }
  if (burned == BURNED_YES) {
    return refuse(
        error, name,
        "BurnedInAnnotation is YES, and nothing was blanked: name rectangles, or clean the "
        "pixels outside the regions if the file declares some");
  }
  g_ptr_array_add(unsure, g_strdup("screens of this kind have text burned in, and "
                                   "BurnedInAnnotation does not deny it: look at the pixels"));
  return TRUE;
}

gboolean
dicom_deid_pixels_begin(DicomDeidPixels *pixels, const char *name, DicomDeidFrame frame,
                        gpointer user, GError **error)
{
  guint64 bytes;

  if (!frame) {
    return refuse(error, name, "pixels are to be blanked, and nobody decodes them");
  }
  pixels->first = frame(0, user, error);
  if (!pixels->first) {
    return FALSE;
  }
  if (pixels->first->width != pixels->columns || pixels->first->height != pixels->rows) {
    return refuse(error, name, "the frames have another size than Rows and Columns say");
  }
  if (pixels->first->type > SAMPLE_S32 || pixels->first->colour == COLOUR_YBR_PARTIAL) {
    return refuse(error, name, "pixels of this kind are not blanked here");
  }
  bytes = (guint64)pixels->first->n_bytes * pixels->frames;
  if (bytes > G_MAXUINT32 - 1) {
    return refuse(error, name, "decoded, the frames do not fit into one PixelData");
  }
  return TRUE;
}

const char *
dicom_deid_pixels_photometric(const DicomFrame *frame)
{
  switch (frame->colour) {
  case COLOUR_RGB:
    return "RGB";
  case COLOUR_YBR_FULL:
    return "YBR_FULL";
  case COLOUR_PALETTE:
    return "PALETTE COLOR";
  default:
    return NULL; /* grey: as the file says */
  }
}

/* The index whose colour is the darkest. */
static guint32
darkest(const DicomFrame *frame)
{
  const DicomLut *red = frame->palette[0];
  guint best = G_MAXUINT;
  gint found = 0;

  for (guint i = 0; red && i < red->n; i++) {
    guint sum = 0;

    for (guint c = 0; c < 3; c++) {
      const DicomLut *lut = frame->palette[c];
      sum += lut && i < lut->n ? lut->data[i] : 0;
    }
    if (sum < best) {
      best = sum;
      found = red->first + (gint)i;
    }
  }
  return (guint32)found;
}

/* The stored value of SAMPLE that looks black. A frame that is shown inverse is white at its lowest
 * value. */
static guint32
black(const DicomFrame *frame, guint sample)
{
  guint bits = CLAMP(frame->bits_stored, 1, 32);
  guint32 all = bits == 32 ? G_MAXUINT32 : (1u << bits) - 1;
  guint32 half = 1u << (bits - 1);

  if (frame->colour == COLOUR_PALETTE) {
    return darkest(frame);
  }
  if (frame->colour == COLOUR_YBR_FULL) {
    return sample == 0 ? 0 : half;
  }
  if (frame->colour == COLOUR_RGB) {
    return 0;
  }
  if (frame->is_signed) {
    return frame->inverse ? half - 1 : 0u - half;
  }
  return frame->inverse ? all : 0;
}

static gboolean
inside(const DicomRect *rect, guint x, guint y)
{
  return x >= rect->x && x - rect->x < rect->width && y >= rect->y && y - rect->y < rect->height;
}

static gboolean
any_inside(const DicomRect *rects, guint n, guint x, guint y)
{
  for (guint i = 0; i < n; i++) {
    if (inside(&rects[i], x, y)) {
      return TRUE;
    }
  }
  return FALSE;
}

void
dicom_deid_pixels_blank(const DicomDeidPixels *pixels, const DicomFrame *frame, guint8 *bytes)
{
  gsize size = dicom_sample_bytes(frame->type), pixel = size * frame->samples;
  guint8 value[64] = {0};

  for (guint s = 0; s < frame->samples && (s + 1) * size <= sizeof value; s++) {
    guint32 number = GUINT32_TO_LE(black(frame, s) << frame->shift);
    memcpy(value + s * size, &number, MIN(size, sizeof number));
  }
  for (guint y = 0; y < frame->height; y++) {
    for (guint x = 0; x < frame->width; x++) {
      if ((!pixels->whole && !any_inside(pixels->region, pixels->n_regions, x, y)) ||
          any_inside(pixels->blank, pixels->n_blank, x, y)) {
        memcpy(bytes + ((gsize)y * frame->width + x) * pixel, value, MIN(pixel, sizeof value));
      }
    }
  }
}

gboolean
dicom_deid_pixels_write(const DicomDeidPixels *pixels, const char *name, DicomDeidFrame frame,
                        gpointer user, DicomDeidOut *out, GError **error)
{
  const DicomFrame *first = pixels->first;
  guint64 total = (guint64)first->n_bytes * pixels->frames;
  const char *vr = dicom_sample_bytes(first->type) == 1 ? "OB" : "OW";

  dicom_deid_out_header(out, TAG_PixelData, vr, (guint32)(total + total % 2));
  for (guint i = 0; i < pixels->frames; i++) {
    g_autoptr(DicomFrame) other = i == 0 ? NULL : frame(i, user, error);
    const DicomFrame *one = i == 0 ? first : other;

    if (!one) {
      return FALSE;
    }
    if (one->n_bytes != first->n_bytes || one->type != first->type ||
        one->colour != first->colour || one->width != first->width) {
      return refuse(error, name, "the frames are not all of one kind");
    }
    g_autofree guint8 *bytes = g_try_malloc(one->n_bytes);
    if (!bytes) {
      g_set_error(error, DICOM_ERROR, DICOM_ERROR_TOO_LARGE, "%s: needs more memory than there is",
                  name);
      return FALSE;
    }
    memcpy(bytes, one->stored, one->n_bytes);
    dicom_deid_pixels_blank(pixels, one, bytes);
    dicom_deid_out_bytes(out, bytes, one->n_bytes);
  }
  if (total % 2) {
    dicom_deid_out_bytes(out, "", 1);
  }
  return TRUE;
}
