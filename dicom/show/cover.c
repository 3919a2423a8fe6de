/* cover.c - what an image itself wants to lie over its picture: display shutters (PS3.3 C.7.6.11)
 * and overlay planes (C.9.2).
 *
 * These are for a screen. They are kept beside the frame and dicom_frame_render() leaves them out,
 * so that neither a model nor an export gets lines, letters or edges that were drawn later: text in
 * an overlay may well be the patient's name or somebody's finding. A presentation state brings its
 * own and takes these away.
 *
 * Nothing here is worth a refusal: what is broken is left out.
 */
#include "dicom/dataset/dataset.h"
#include "dicom/file.h"
#include "dicom/limits.h"
#include "dicom/tags.h"
#include "presentation.h"

#include <math.h>
#include <string.h>

#define GROUPS 16 /* 6000 to 601E */

/* Overlay planes of one group, with all tags as those of the group 6000. */
typedef struct {
  const DicomItem *root;
  guint32 group; /* of the tag */
  guint rows, columns, bits, bit;
  gint top, left;       /* of its first pixel in the picture, from 0 */
  guint n_frames, from; /* the first of its frames is for this one of the image, from 0 */
} Overlay;

static gboolean
whole(const Overlay *overlay, guint32 tag, guint n, double low, double high, double *values)
{
  if (dicom_item_numbers(overlay->root, tag + overlay->group, values, n) != n) {
    return FALSE;
  }
  for (guint i = 0; i < n; i++) {
    if (!(values[i] >= low && values[i] <= high)) {
      return FALSE;
    }
  }
  return TRUE;
}

/* FALSE: there is none, or it is none that can be drawn. */
static gboolean
read_header(Overlay *overlay)
{
  double rows, columns, origin[2] = {1, 1}, bits = 1, bit = 0, frames = 1, from = 1;

  if (!whole(overlay, TAG_OverlayRows, 1, 1, G_MAXUINT16, &rows) ||
      !whole(overlay, TAG_OverlayColumns, 1, 1, G_MAXUINT16, &columns)) {
    return FALSE;
  }
  if (dicom_item_has(overlay->root, TAG_OverlayOrigin + overlay->group) &&
      !whole(overlay, TAG_OverlayOrigin, 2, G_MININT16, G_MAXINT16, origin)) {
    return FALSE;
  }
  whole(overlay, TAG_OverlayBitsAllocated, 1, 1, 64, &bits);
  whole(overlay, TAG_OverlayBitPosition, 1, 0, 63, &bit);
  whole(overlay, TAG_NumberOfFramesInOverlay, 1, 1, DICOM_MAX_FRAMES, &frames);
  whole(overlay, TAG_ImageFrameOrigin, 1, 1, DICOM_MAX_FRAMES, &from);
  overlay->rows = (guint)rows;
  overlay->columns = (guint)columns;
  overlay->top = (gint)origin[0] - 1;
  overlay->left = (gint)origin[1] - 1;
  overlay->bits = (guint)bits;
  overlay->bit = (guint)bit;
  overlay->n_frames = (guint)frames;
  overlay->from = (guint)from - 1;
  return TRUE;
}

static void
mark(const DicomFrame *frame, const Overlay *overlay, guint x, guint y, guint8 *mask)
{
  gint64 column = (gint64)overlay->left + x, row = (gint64)overlay->top + y;

  if (column >= 0 && row >= 0 && column < frame->width && row < frame->height) {
    mask[(gsize)row * frame->width + (gsize)column] |= MARK_STROKE;
  }
}

/* Packed bits, those of the next row right behind the last (C.9.2.1.1). */
static void
draw_packed(const DicomFrame *frame, const Overlay *overlay, guint index, guint8 *mask)
{
  guint64 n = (guint64)overlay->rows * overlay->columns;
  guint plane = overlay->n_frames > 1 ? index - overlay->from : 0;
  gsize n_words;

  /* One plane is for all frames; of several, each is for one. */
  if (overlay->n_frames > 1 && (index < overlay->from || plane >= overlay->n_frames)) {
    return;
  }
  g_autofree guint16 *words = dicom_item_words(overlay->root, TAG_OverlayData + overlay->group,
                                               DICOM_MAX_OVERLAY_WORDS, &n_words);
  if (!words || (plane + 1) * n > (guint64)n_words * 16) {
    return;
  }
  guint64 at = plane * n;
  for (guint y = 0; y < overlay->rows; y++) {
    for (guint x = 0; x < overlay->columns; x++, at++) {
      if (words[at / 16] >> (at % 16) & 1) {
        mark(frame, overlay, x, y, mask);
      }
    }
  }
}

/* Retired, and still met: a bit beside the value in each pixel. */
static void
draw_embedded(const DicomFrame *frame, const Overlay *overlay, guint8 *mask)
{
  gsize bytes = dicom_sample_bytes(frame->type);
  gsize n = (gsize)frame->width * frame->height;
  gboolean is_value =
      overlay->bit >= frame->shift && overlay->bit < frame->shift + frame->bits_stored;

  if (frame->colour != COLOUR_GREY || bytes > 2 || overlay->bits != 8 * bytes ||
      overlay->bit >= overlay->bits || is_value || overlay->rows != frame->height ||
      overlay->columns != frame->width) {
    return;
  }
  for (gsize i = 0; i < n; i++) {
    if (frame->stored[i * bytes + overlay->bit / 8] >> (overlay->bit % 8) & 1) {
      mask[i] |= MARK_STROKE;
    }
  }
}

static void
draw_overlays(const DicomItem *root, guint index, const DicomFrame *frame, guint8 *mask)
{
  for (guint i = 0; i < GROUPS; i++) {
    Overlay overlay = {.root = root, .group = i << 17};

    if (!read_header(&overlay)) {
      continue;
    }
    if (overlay.bits == 1) {
      draw_packed(frame, &overlay, index, mask);
    } else {
      draw_embedded(frame, &overlay, mask);
    }
  }
}

/* Where the shutter of the frame is: in its own functional group, the shared one, or the image. */
static const DicomItem *
shutter_item(const DicomItem *root, guint index)
{
  const DicomItem *own = dicom_item_nested(root, TAG_PerFrameFunctionalGroupsSequence, index);
  const DicomItem *shared = dicom_item_nested(root, TAG_SharedFunctionalGroupsSequence, 0);
  const DicomItem *item = own ? dicom_item_nested(own, TAG_FrameDisplayShutterSequence, 0) : NULL;

  if (!item && shared) {
    item = dicom_item_nested(shared, TAG_FrameDisplayShutterSequence, 0);
  }
  return item ? item : root;
}

static void
draw_shutter(const DicomFile *file, const DicomItem *item, guint index, DicomFrame *frame,
             guint8 *mask)
{
  const DicomSubject subject = {file->name, "", index + 1};
  double value = 0;

  /* Of 16 bits, as all presentation values are. */
  dicom_item_numbers(item, TAG_ShutterPresentationValue, &value, 1);
  frame->cover_grey = (guint)(CLAMP(value, 0, 65535) / 257 + 0.5);
  if (!dicom_presentation_shutter(frame, item, &subject, mask, NULL)) {
    memset(mask, 0, (gsize)frame->width * frame->height);
  }
}

static gboolean
has_any(const DicomItem *root, const DicomItem *shutter)
{
  gboolean any = dicom_item_has(shutter, TAG_ShutterShape);

  for (guint i = 0; i < GROUPS && !any; i++) {
    any = dicom_item_has(root, TAG_OverlayRows + (i << 17));
  }
  return any;
}

/* What covers more pieces of the picture than are kept is noise, and is left out. */
static void
collect(DicomFrame *frame, const guint8 *mask, gsize n)
{
  for (gsize i = 0; i < n;) {
    gsize from = i;

    while (i < n && mask[i] == mask[from]) {
      i++;
    }
    if (mask[from]) {
      const DicomMark piece = {(guint)from, (guint)(i - from), mask[from]};

      if (frame->covers->len == DICOM_MAX_MARKS) {
        g_array_set_size(frame->covers, 0);
        return;
      }
      g_array_append_val(frame->covers, piece);
    }
  }
}

void
dicom_read_covers(const DicomFile *file, guint index, DicomFrame *frame)
{
  const DicomItem *root = dicom_dataset_root(file->dataset);
  gsize n = (gsize)frame->width * frame->height;
  const DicomItem *shutter = shutter_item(root, index);
  g_autofree guint8 *mask = has_any(root, shutter) ? g_try_malloc0(n) : NULL;

  if (mask) {
    draw_shutter(file, shutter, index, frame, mask);
    draw_overlays(root, index, frame, mask);
    collect(frame, mask, n);
  }
}

/* ---- drawing ------------------------------------------------------------------------------ */

gboolean
dicom_frame_has_covers(const DicomFrame *frame)
{
  return frame->covers->len > 0;
}

/* Black or white, whichever differs more from what is there. */
static void
stroke(guint8 *p, guint channels)
{
  guint light = channels == 1 ? p[0] : (p[0] + 2u * p[1] + p[2]) / 4;

  memset(p, light < 128 ? 255 : 0, channels);
}

void
dicom_frame_draw_covers(const DicomFrame *frame, guint8 *pixels, guint channels)
{
  for (guint i = 0; i < frame->covers->len; i++) {
    const DicomMark *piece = &g_array_index(frame->covers, DicomMark, i);
    guint8 *p = pixels + (gsize)piece->start * channels;

    if (piece->kind & MARK_SHUTTER) {
      memset(p, (int)frame->cover_grey, (gsize)piece->length * channels);
    }
    for (guint k = 0; piece->kind & MARK_STROKE && k < piece->length; k++) {
      stroke(p + (gsize)k * channels, channels);
    }
  }
}
