/* presentation-viewer.c - a frame that a presentation state was applied to, for who turns pictures
 * himself, measures on them and draws over them. */
#include "presentation.h"

#include <string.h>

/* From the turned picture back to the stored image; dicom_presentation_place() the other way. */
static void
place_back(const DicomFrame *frame, double *x, double *y)
{
  double w = frame->width, h = frame->height, from_x = *x, from_y = *y;

  if (frame->flip) {
    from_x = dicom_frame_width(frame) - from_x;
  }
  switch (frame->turns) {
  case 1:
    *x = from_y;
    *y = h - from_x;
    break;
  case 2:
    *x = w - from_x;
    *y = h - from_y;
    break;
  case 3:
    *x = w - from_y;
    *y = from_x;
    break;
  default:
    *x = from_x;
    *y = from_y;
    break;
  }
}

static void
straighten_area(DicomFrame *frame)
{
  double *a = frame->area;
  const double from[4] = {a[0], a[1], a[2], a[3]};

  memcpy(a, from, sizeof from);
  place_back(frame, &a[0], &a[1]);
  place_back(frame, &a[2], &a[3]);
  const double left = MIN(a[0], a[2]), right = MAX(a[0], a[2]);
  const double top = MIN(a[1], a[3]), bottom = MAX(a[1], a[3]);
  a[0] = left;
  a[1] = top;
  a[2] = right;
  a[3] = bottom;
}

/* The marks of the turned picture, as runs of the stored image. */
static GArray *
straight_marks(const DicomFrame *frame, guint8 *mask)
{
  guint w = dicom_frame_width(frame), h = dicom_frame_height(frame);
  gsize n = (gsize)frame->width * frame->height;
  GArray *marks = g_array_new(FALSE, FALSE, sizeof(DicomMark));
  g_autofree guint8 *turned = g_malloc0(n);

  for (guint i = 0; i < frame->marks->len; i++) {
    const DicomMark *mark = &g_array_index(frame->marks, DicomMark, i);

    memset(turned + mark->start, (int)mark->kind, mark->length);
  }
  for (guint y = 0; y < h; y++) {
    for (guint x = 0; x < w; x++) {
      mask[dicom_frame_index(frame, x, y)] = turned[(gsize)y * w + x];
    }
  }
  for (gsize i = 0; i < n;) {
    gsize from = i;

    while (i < n && mask[i] == mask[from]) {
      i++;
    }
    if (mask[from]) {
      const DicomMark mark = {(guint)from, (guint)(i - from), mask[from]};

      g_array_append_val(marks, mark);
    }
  }
  return marks;
}

void
dicom_frame_straighten(DicomFrame *frame, guint *turns, gboolean *flip)
{
  g_assert(g_atomic_int_get(&frame->refs) == 1);
  *turns = frame->turns;
  *flip = frame->flip;
  if (frame->marks->len > 0) {
    g_autofree guint8 *mask = g_malloc0((gsize)frame->width * frame->height);

    g_array_unref(frame->covers);
    frame->covers = straight_marks(frame, mask);
    frame->cover_grey = frame->shutter_grey;
    g_array_set_size(frame->marks, 0);
  }
  for (guint i = 0; i < frame->text_points->len; i += 2) {
    place_back(frame, &g_array_index(frame->text_points, double, i),
               &g_array_index(frame->text_points, double, i + 1));
  }
  if (frame->has_area) {
    straighten_area(frame);
  }
  frame->turns = 0;
  frame->flip = FALSE;
}

guint
dicom_frame_left_out(const DicomFrame *frame)
{
  return frame->left_out;
}

/* ---- greys -------------------------------------------------------------------------------- */

static gboolean
same_table(const DicomLut *a, const DicomLut *b)
{
  return a == b || (a && b && a->n == b->n && a->first == b->first && a->bits == b->bits &&
                    memcmp(a->data, b->data, a->n * sizeof a->data[0]) == 0);
}

/* Of a window in numbers. */
static DicomVoi
function_of(const DicomFrame *frame)
{
  DicomVoi voi = dicom_frame_default_window(frame).voi;

  return voi == DICOM_VOI_LUT || voi == DICOM_VOI_NONE ? DICOM_VOI_LINEAR : voi;
}

gboolean
dicom_frame_same_greys(const DicomFrame *frame, const DicomFrame *look, gboolean *inverts)
{
  *inverts = (frame->inverse != FALSE) != (look->inverse != FALSE);
  return dicom_frame_same_values(frame, look) && !frame->presentation && !look->presentation &&
         function_of(frame) == function_of(look);
}

gboolean
dicom_frame_same_values(const DicomFrame *frame, const DicomFrame *look)
{
  return same_table(frame->modality, look->modality) &&
         (frame->modality || (frame->slope == look->slope && frame->intercept == look->intercept));
}
