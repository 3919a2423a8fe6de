/* presentation-state.c - a frame as a grayscale presentation state wants it (PS3.3 A.33.1, PS3.4
 * N.2).
 *
 * What the state says replaces what the image says, and what it does not say is an identity: the
 * image's own windows, tables and MONOCHROME1 count no more. Everything is read into a frame of its
 * own, LOOK, which has no pixels; only when all is well do the two exchange their parts.
 */
#include "presentation.h"

#include "dicom/file.h"
#include "dicom/limits.h"
#include "lut.h"
#include "render.h"
#include "dicom/tags.h"

#include <math.h>
#include <string.h>

#define GRAYSCALE_STATE "1.2.840.10008.5.1.4.1.1.11.1"

static gboolean
fail(const DicomSubject *subject, DicomError code, const char *what, GError **error)
{
  g_set_error(error, DICOM_ERROR, code, "%s: %s", subject->name, what);
  return FALSE;
}

/* ---- which image -------------------------------------------------------------------------------
 */

static gboolean
names_subject(const DicomItem *reference, const DicomSubject *subject)
{
  g_autofree char *uid = dicom_item_text(reference, TAG_ReferencedSOPInstanceUID);

  if (subject->uid[0] == 0 || strcmp(uid, subject->uid) != 0) {
    return FALSE;
  }
  if (!dicom_item_has(reference, TAG_ReferencedFrameNumber)) {
    return TRUE;
  }
  g_autofree double *numbers = g_new(double, DICOM_MAX_FRAMES);
  guint n = dicom_item_numbers(reference, TAG_ReferencedFrameNumber, numbers, DICOM_MAX_FRAMES);
  for (guint i = 0; i < n; i++) {
    if (numbers[i] == subject->number) {
      return TRUE;
    }
  }
  return FALSE;
}

static gboolean
is_among(const DicomItem *item, const DicomSubject *subject)
{
  guint n = dicom_item_count(item, TAG_ReferencedImageSequence);

  for (guint i = 0; i < n; i++) {
    if (names_subject(dicom_item_nested(item, TAG_ReferencedImageSequence, i), subject)) {
      return TRUE;
    }
  }
  return FALSE;
}

gboolean
dicom_presentation_refers(const DicomItem *item, const DicomSubject *subject)
{
  return dicom_item_count(item, TAG_ReferencedImageSequence) == 0 || is_among(item, subject);
}

static gboolean
check_subject(const DicomItem *root, const DicomSubject *subject, GError **error)
{
  guint n = dicom_item_count(root, TAG_ReferencedSeriesSequence);

  for (guint i = 0; i < n; i++) {
    if (is_among(dicom_item_nested(root, TAG_ReferencedSeriesSequence, i), subject)) {
      return TRUE;
    }
  }
  g_set_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED,
              "%s: the presentation state is not about this image: ReferencedSeriesSequence does "
              "not name its SOPInstanceUID with frame %u",
              subject->name, subject->number);
  return FALSE;
}

/* The item of a sequence that is about the subject; NULL when none is. */
static const DicomItem *
item_for(const DicomItem *root, guint32 tag, const DicomSubject *subject)
{
  guint n = dicom_item_count(root, tag);

  for (guint i = 0; i < n; i++) {
    const DicomItem *item = dicom_item_nested(root, tag, i);

    if (dicom_presentation_refers(item, subject)) {
      return item;
    }
  }
  return NULL;
}

/* ---- greys -------------------------------------------------------------------------------------
 */

/* No VOI is an identity: all that can come out of the modality LUT is spread over the greys. Of
 * real numbers that would be nothing to see, so that theirs is the range that occurs. */
static void
whole_range(DicomFrame *look)
{
  guint bits = look->modality ? look->modality->bits : look->bits_stored;
  double low = 0, high = ldexp(1, (int)bits) - 1;

  if (look->type >= SAMPLE_F32 && !look->modality) {
    return;
  }
  if (!look->modality) {
    double half = look->is_signed ? ldexp(1, (int)bits - 1) : 0;
    double a = (low - half) * look->slope + look->intercept;
    double b = (high - half) * look->slope + look->intercept;

    low = MIN(a, b);
    high = MAX(a, b);
  }
  DicomWindow window = dicom_window_of_range(low, high);
  g_array_append_val(look->windows, window);
}

static gboolean
read_greys(DicomFrame *look, const DicomItem *root, const DicomSubject *subject, GError **error)
{
  const DicomItem *voi = item_for(root, TAG_SoftcopyVOILUTSequence, subject);
  const DicomItem *table = dicom_item_nested(root, TAG_PresentationLUTSequence, 0);
  g_autofree char *shape = dicom_item_text(root, TAG_PresentationLUTShape);

  if (!dicom_read_modality(root, root, look, subject->name, error)) {
    return FALSE;
  }
  if (voi) {
    dicom_read_windows(voi, look);
    if (!dicom_read_voi_luts(voi, look, subject->name, error)) {
      return FALSE;
    }
  }
  if (look->windows->len == 0 && look->voi_luts->len == 0) {
    whole_range(look);
  }
  if (table) {
    look->presentation =
        dicom_lut_read(table, "PresentationLUTSequence", FALSE, subject->name, error);
    return look->presentation != NULL;
  }
  look->inverse = strcmp(shape, "INVERSE") == 0;
  return TRUE;
}

/* ---- place -------------------------------------------------------------------------------------
 */

static gboolean
read_turn(DicomFrame *look, const DicomItem *root, const DicomSubject *subject, GError **error)
{
  g_autofree char *flip = dicom_item_text(root, TAG_ImageHorizontalFlip);
  double angle = 0;

  if (dicom_item_numbers(root, TAG_ImageRotation, &angle, 1) == 1 && angle != 0 && angle != 90 &&
      angle != 180 && angle != 270) {
    return fail(subject, DICOM_ERROR_CORRUPT, "ImageRotation is none of 0, 90, 180 and 270", error);
  }
  look->turns = (guint)angle / 90;
  look->flip = strcmp(flip, "Y") == 0;
  return TRUE;
}

void
dicom_presentation_place(const DicomFrame *look, double *x, double *y)
{
  double w = look->width, h = look->height, from_x = *x, from_y = *y;

  switch (look->turns) {
  case 1:
    *x = h - from_y;
    *y = from_x;
    break;
  case 2:
    *x = w - from_x;
    *y = h - from_y;
    break;
  case 3:
    *x = from_y;
    *y = w - from_x;
    break;
  default:
    break;
  }
  if (look->flip) {
    *x = dicom_frame_width(look) - *x;
  }
}

/* C.10.4: two pixels, counted from 1 in the stored image, that are to be in the corners. */
static void
read_area(DicomFrame *look, const DicomItem *root, const DicomSubject *subject)
{
  const DicomItem *item = item_for(root, TAG_DisplayedAreaSelectionSequence, subject);
  double a[2], b[2];

  look->area[2] = dicom_frame_width(look);
  look->area[3] = dicom_frame_height(look);
  if (!item || dicom_item_numbers(item, TAG_DisplayedAreaTopLeftHandCorner, a, 2) != 2 ||
      dicom_item_numbers(item, TAG_DisplayedAreaBottomRightHandCorner, b, 2) != 2 ||
      !isfinite(a[0] + a[1] + b[0] + b[1])) {
    return;
  }
  double left = MIN(a[0], b[0]) - 1, top = MIN(a[1], b[1]) - 1;
  double right = MAX(a[0], b[0]), bottom = MAX(a[1], b[1]);
  dicom_presentation_place(look, &left, &top);
  dicom_presentation_place(look, &right, &bottom);
  look->has_area = TRUE;
  look->area[0] = MIN(left, right);
  look->area[1] = MIN(top, bottom);
  look->area[2] = MAX(left, right);
  look->area[3] = MAX(top, bottom);
}

/* ---- what covers pixels ------------------------------------------------------------------------
 */

static gboolean
collect_marks(DicomFrame *look, const guint8 *mask, gsize n, const DicomSubject *subject,
              GError **error)
{
  for (gsize i = 0; i < n;) {
    gsize from = i;

    while (i < n && mask[i] == mask[from]) {
      i++;
    }
    if (mask[from]) {
      DicomMark mark = {(guint)from, (guint)(i - from), mask[from]};

      if (look->marks->len == DICOM_MAX_MARKS) {
        return fail(subject, DICOM_ERROR_TOO_LARGE,
                    "shutters and graphics cover more pieces of the picture than are kept", error);
      }
      g_array_append_val(look->marks, mark);
    }
  }
  return TRUE;
}

static gboolean
read_marks(DicomFrame *look, const DicomItem *root, const DicomSubject *subject, GError **error)
{
  gsize n = (gsize)look->width * look->height;
  g_autofree guint8 *stored = g_try_malloc0(n), *mask = g_try_malloc0(n);
  guint w = dicom_frame_width(look), h = dicom_frame_height(look);
  double value = 0;

  /* Of 16 bits, as all presentation values are (C.7.6.11). */
  dicom_item_numbers(root, TAG_ShutterPresentationValue, &value, 1);
  look->shutter_grey = (guint)(CLAMP(value, 0, 65535) / 257 + 0.5);
  if (!stored || !mask) {
    return fail(subject, DICOM_ERROR_TOO_LARGE, "needs more memory than there is", error);
  }
  if (!dicom_presentation_shutter(look, root, subject, stored, error)) {
    return FALSE;
  }
  for (guint y = 0; y < h; y++) {
    for (guint x = 0; x < w; x++) {
      mask[(gsize)y * w + x] = stored[dicom_frame_index(look, x, y)];
    }
  }
  return dicom_presentation_draw(look, root, subject, mask, error) &&
         collect_marks(look, mask, n, subject, error);
}

/* ---- what is left out --------------------------------------------------------------------------
 */

/* Overlay planes, of which there may be sixteen. */
#define OVERLAYS 16

static void
note_left_out(DicomFrame *look, const DicomItem *root, const DicomSubject *subject)
{
  const DicomItem *area = item_for(root, TAG_DisplayedAreaSelectionSequence, subject);
  g_autofree char *mode = area ? dicom_item_text(area, TAG_PresentationSizeMode) : NULL;
  guint n = dicom_item_count(root, TAG_GraphicLayerSequence);

  for (guint i = 0; i < OVERLAYS; i++) {
    if (dicom_item_has(root, TAG_OverlayActivationLayer + (i << 17))) {
      look->left_out |= DICOM_LEFT_OUT_OVERLAYS;
    }
  }
  for (guint i = 0; i < n; i++) {
    const DicomItem *layer = dicom_item_nested(root, TAG_GraphicLayerSequence, i);

    if (dicom_item_has(layer, TAG_GraphicLayerRecommendedDisplayGrayscaleValue) ||
        dicom_item_has(layer, TAG_GraphicLayerRecommendedDisplayRGBValue) ||
        dicom_item_has(layer, TAG_GraphicLayerRecommendedDisplayCIELabValue)) {
      look->left_out |= DICOM_LEFT_OUT_COLOURS;
    }
  }
  if (mode && mode[0] && strcmp(mode, "SCALE TO FIT") != 0) {
    look->left_out |= DICOM_LEFT_OUT_SIZE;
  }
}

/* ---- together ----------------------------------------------------------------------------------
 */

#define SWAP(member)                                                                               \
  do {                                                                                             \
    __typeof__(frame->member) held = frame->member;                                                \
    frame->member = look->member;                                                                  \
    look->member = held;                                                                           \
  } while (0)

/* What FRAME had is then LOOK's, and ends with it. */
static void
exchange(DicomFrame *frame, DicomFrame *look)
{
  SWAP(modality);
  SWAP(presentation);
  SWAP(windows);
  SWAP(voi_luts);
  SWAP(marks);
  SWAP(covers); /* none: PS3.4 N.2.4 */
  SWAP(texts);
  SWAP(text_points);
  frame->slope = look->slope;
  frame->intercept = look->intercept;
  frame->inverse = look->inverse;
  frame->turns = look->turns;
  frame->flip = look->flip;
  frame->shutter_grey = look->shutter_grey;
  frame->left_out = look->left_out;
  frame->has_area = look->has_area;
  memcpy(frame->area, look->area, sizeof frame->area);
  dicom_frame_find_range(frame);
}

static gboolean
check_state(const DicomFrame *frame, const DicomFile *file, const DicomSubject *subject,
            GError **error)
{
  if (file->info.content != DICOM_CONTENT_PRESENTATION) {
    return fail(subject, DICOM_ERROR_UNSUPPORTED, "is no presentation state", error);
  }
  if (strcmp(file->info.sop_class, GRAYSCALE_STATE) != 0) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED,
                "%s: a %s cannot be applied; expected a Grayscale Softcopy Presentation State",
                subject->name, file->info.content_name);
    return FALSE;
  }
  if (frame->colour != COLOUR_GREY) {
    return fail(subject, DICOM_ERROR_UNSUPPORTED,
                "a grayscale presentation state cannot be applied to a colour image", error);
  }
  const DicomItem *root = dicom_dataset_root(file->dataset);
  if (dicom_item_count(root, TAG_MaskSubtractionSequence) > 0) {
    return fail(subject, DICOM_ERROR_UNSUPPORTED,
                "MaskSubtractionSequence: frames are not subtracted here", error);
  }
  return check_subject(root, subject, error);
}

gboolean
dicom_frame_apply_presentation(DicomFrame *frame, const DicomInfo *image, guint index,
                               DicomFile *file, GError **error)
{
  const DicomSubject subject = {file->name, image->sop_instance_uid, index + 1};

  g_assert(g_atomic_int_get(&frame->refs) == 1);
  if (!check_state(frame, file, &subject, error)) {
    return FALSE;
  }
  const DicomItem *root = dicom_dataset_root(file->dataset);
  g_autoptr(DicomFrame) look = dicom_frame_new(frame->width, frame->height, 1, frame->type);
  look->bits_stored = frame->bits_stored;
  look->is_signed = frame->is_signed;
  if (!read_greys(look, root, &subject, error) || !read_turn(look, root, &subject, error)) {
    return FALSE;
  }
  read_area(look, root, &subject);
  note_left_out(look, root, &subject);
  if (!read_marks(look, root, &subject, error)) {
    return FALSE;
  }
  exchange(frame, look);
  return TRUE;
}
