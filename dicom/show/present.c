/* present.c - how a frame of a DICOM object wants to be shown: modality LUT, VOI, shape, palette.
 */
#include "dicom/file.h"
#include "dicom/limits.h"
#include "lut.h"
#include "dicom/tags.h"

#include <math.h>
#include <string.h>

/* Where an attribute of a functional group stands (PS3.3 C.7.6.16): in the frame's own groups, in
 * the shared ones, or, in classic objects, in the data set itself. */
static const DicomItem *
group_item(const DicomItem *root, guint index, guint32 macro)
{
  const DicomItem *own = dicom_item_nested(root, TAG_PerFrameFunctionalGroupsSequence, index);
  const DicomItem *shared = dicom_item_nested(root, TAG_SharedFunctionalGroupsSequence, 0);
  const DicomItem *item = own ? dicom_item_nested(own, macro, 0) : NULL;

  if (!item && shared) {
    item = dicom_item_nested(shared, macro, 0);
  }
  return item ? item : root;
}

static DicomVoi
voi_function(const char *name)
{
  return strcmp(name, "SIGMOID") == 0        ? DICOM_VOI_SIGMOID
         : strcmp(name, "LINEAR_EXACT") == 0 ? DICOM_VOI_LINEAR_EXACT
                                             : DICOM_VOI_LINEAR;
}

void
dicom_read_windows(const DicomItem *item, DicomFrame *frame)
{
  double centers[DICOM_MAX_WINDOWS], widths[DICOM_MAX_WINDOWS];
  guint n = MIN(dicom_item_numbers(item, TAG_WindowCenter, centers, DICOM_MAX_WINDOWS),
                dicom_item_numbers(item, TAG_WindowWidth, widths, DICOM_MAX_WINDOWS));
  g_autofree char *function = dicom_item_text(item, TAG_VOILUTFunction);

  for (guint i = 0; i < n; i++) {
    DicomWindow window = {.voi = voi_function(function), .center = centers[i], .width = widths[i]};

    if (isfinite(window.center) && isfinite(window.width) && window.width > 0) {
      g_array_append_val(frame->windows, window);
    }
  }
}

gboolean
dicom_read_modality(const DicomItem *root, const DicomItem *rescale, DicomFrame *frame,
                    const char *name, GError **error)
{
  const DicomItem *table = dicom_item_nested(root, TAG_ModalityLUTSequence, 0);

  /* Of real numbers there is no table (A.32.9 has no modality LUT module). */
  if (table && frame->type < SAMPLE_F32) {
    frame->modality = dicom_lut_read(table, "ModalityLUTSequence", frame->is_signed, name, error);
    return frame->modality != NULL;
  }
  if (dicom_item_numbers(rescale, TAG_RescaleSlope, &frame->slope, 1) == 0 ||
      !isfinite(frame->slope) || frame->slope == 0) {
    frame->slope = 1;
  }
  if (dicom_item_numbers(rescale, TAG_RescaleIntercept, &frame->intercept, 1) == 0 ||
      !isfinite(frame->intercept)) {
    frame->intercept = 0;
  }
  return TRUE;
}

gboolean
dicom_read_voi_luts(const DicomItem *item, DicomFrame *frame, const char *name, GError **error)
{
  gboolean signed_input =
      !frame->modality && (frame->is_signed || frame->intercept < 0 || frame->slope < 0);
  guint n = MIN(dicom_item_count(item, TAG_VOILUTSequence), DICOM_MAX_WINDOWS);

  for (guint i = 0; i < n; i++) {
    DicomLut *lut = dicom_lut_read(dicom_item_nested(item, TAG_VOILUTSequence, i), "VOILUTSequence",
                                   signed_input, name, error);

    if (!lut) {
      return FALSE;
    }
    g_ptr_array_add(frame->voi_luts, lut);
  }
  return TRUE;
}

/* PixelPaddingValue has the type of the pixels, which implicit VR does not say, and which explicit
 * VR often says wrong. */
static double
padding_number(const DicomFrame *frame, double raw)
{
  gint32 value = (gint32)CLAMP(raw, G_MININT32, G_MAXINT32);

  if (value < G_MININT16 || value > G_MAXUINT16) {
    return value;
  }
  if (frame->is_signed) {
    guint32 mask = frame->bits_stored >= 17 ? G_MAXUINT16 : (1u << frame->bits_stored) - 1;

    return value > (gint32)(mask >> 1) ? (gint16)value : value;
  }
  return (guint16)value;
}

static void
read_padding(const DicomItem *root, DicomFrame *frame)
{
  gboolean is_float = frame->type == SAMPLE_F32, is_real = is_float || frame->type == SAMPLE_F64;
  guint32 value_tag = is_float  ? TAG_FloatPixelPaddingValue
                      : is_real ? TAG_DoubleFloatPixelPaddingValue
                                : TAG_PixelPaddingValue;
  guint32 limit_tag = is_float  ? TAG_FloatPixelPaddingRangeLimit
                      : is_real ? TAG_DoubleFloatPixelPaddingRangeLimit
                                : TAG_PixelPaddingRangeLimit;
  double value, limit;

  if (dicom_item_numbers(root, value_tag, &value, 1) == 0 || !isfinite(value)) {
    return;
  }
  if (dicom_item_numbers(root, limit_tag, &limit, 1) == 0 || !isfinite(limit)) {
    limit = value;
  }
  if (!is_real) {
    value = padding_number(frame, value);
    limit = padding_number(frame, limit);
  }
  frame->has_padding = TRUE;
  frame->padding_low = MIN(value, limit);
  frame->padding_high = MAX(value, limit);
}

gboolean
dicom_read_presentation(DicomFile *file, guint index, DicomFrame *frame, GError **error)
{
  const DicomItem *root = dicom_dataset_root(file->dataset);

  if (frame->colour == COLOUR_PALETTE) {
    return dicom_palette_read(root, frame->is_signed, frame->palette, file->name, error);
  }
  if (frame->colour != COLOUR_GREY) {
    return TRUE;
  }
  /* MONOCHROME1 and INVERSE say the same thing of the same object; together they invert once. */
  frame->inverse = strcmp(file->info.photometric, "MONOCHROME1") == 0 || file->info.inverse_shape;
  read_padding(root, frame);
  if (!dicom_read_modality(root, group_item(root, index, TAG_PixelValueTransformationSequence),
                           frame, file->name, error) ||
      !dicom_read_voi_luts(root, frame, file->name, error)) {
    return FALSE;
  }
  dicom_read_windows(group_item(root, index, TAG_FrameVOILUTSequence), frame);
  return TRUE;
}
