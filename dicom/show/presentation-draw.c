/* presentation-draw.c - graphic annotations (PS3.3 C.10.5) as strokes one pixel wide, and texts. */
#include "presentation.h"

#include "dicom/limits.h"
#include "dicom/tags.h"

#include <math.h>
#include <string.h>

typedef struct {
  DicomFrame *look;
  const DicomSubject *subject;
  guint8 *mask;
  guint w, h;     /* of the picture */
  double *points; /* of one graphic: x, y, x, y ..., in pixels of the picture */
  guint n_points, n_all_points;
  guint64 n_pixels; /* of all strokes so far */
} Canvas;

static gboolean
fail_graphic(const Canvas *canvas, DicomError code, const char *what, GError **error)
{
  g_set_error(error, DICOM_ERROR, code, "%s: GraphicAnnotationSequence: %s", canvas->subject->name,
              what);
  return FALSE;
}

/* ---- strokes -----------------------------------------------------------------------------------
 */

/* Cuts [*FROM, *TO], parts of a line from START on by STEP, down to where it is in 0..LIMIT. */
static gboolean
clip_axis(double start, double step, double limit, double *from, double *to)
{
  if (step == 0) {
    return start >= 0 && start <= limit;
  }
  double a = -start / step, b = (limit - start) / step;

  *from = MAX(*from, MIN(a, b));
  *to = MIN(*to, MAX(a, b));
  return *from <= *to;
}

static void
stroke(Canvas *canvas, double x0, double y0, double x1, double y1)
{
  double dx = x1 - x0, dy = y1 - y0, from = 0, to = 1;

  if (!clip_axis(x0, dx, canvas->w, &from, &to) || !clip_axis(y0, dy, canvas->h, &from, &to)) {
    return;
  }
  double length = MAX(fabs(dx), fabs(dy)) * (to - from);
  guint n = (guint)ceil(CLAMP(length, 0, (double)MAX(canvas->w, canvas->h)));
  for (guint i = 0; i <= n; i++) {
    double t = from + (n > 0 ? (to - from) * i / n : 0);
    double x = CLAMP(floor(x0 + t * dx), 0, canvas->w - 1.0);
    double y = CLAMP(floor(y0 + t * dy), 0, canvas->h - 1.0);

    canvas->mask[(gsize)y * canvas->w + (gsize)x] |= MARK_STROKE;
  }
  canvas->n_pixels += n + 1;
}

static gboolean
check_length(const Canvas *canvas, GError **error)
{
  return canvas->n_pixels <= DICOM_MAX_STROKE_PIXELS ||
         fail_graphic(canvas, DICOM_ERROR_TOO_LARGE, "the lines are too long to be drawn", error);
}

static gboolean
polyline(Canvas *canvas, GError **error)
{
  for (guint i = 0; i + 1 < canvas->n_points; i++) {
    const double *p = canvas->points + 2 * i;

    stroke(canvas, p[0], p[1], p[2], p[3]);
    if (!check_length(canvas, error)) {
      return FALSE;
    }
  }
  return TRUE;
}

/* From CENTER on, with the half axes A and B, in so many straight pieces that none is seen. */
static void
oval(Canvas *canvas, const double center[2], const double a[2], const double b[2])
{
  double size = fmax(hypot(a[0], a[1]), hypot(b[0], b[1]));
  guint n = (guint)CLAMP(size, 16, 2048);
  double x = center[0] + a[0], y = center[1] + a[1];

  for (guint i = 1; i <= n; i++) {
    double c = cos(2 * G_PI * i / n), s = sin(2 * G_PI * i / n);
    double next_x = center[0] + a[0] * c + b[0] * s, next_y = center[1] + a[1] * c + b[1] * s;

    stroke(canvas, x, y, next_x, next_y);
    x = next_x;
    y = next_y;
  }
}

static gboolean
draw_point(Canvas *canvas, GError **error)
{
  const double *p = canvas->points;

  /* A cross, since one pixel would hardly be found. */
  stroke(canvas, p[0] - 3, p[1], p[0] + 3, p[1]);
  stroke(canvas, p[0], p[1] - 3, p[0], p[1] + 3);
  return TRUE;
}

/* C.10.5.1.2: the center, and a point of the line. */
static gboolean
draw_circle(Canvas *canvas, GError **error)
{
  const double *p = canvas->points;
  const double a[2] = {p[2] - p[0], p[3] - p[1]}, b[2] = {-a[1], a[0]};

  oval(canvas, p, a, b);
  return TRUE;
}

/* Both ends of the major axis, then of the minor one. */
static gboolean
draw_ellipse(Canvas *canvas, GError **error)
{
  const double *p = canvas->points;
  const double center[2] = {(p[0] + p[2]) / 2, (p[1] + p[3]) / 2};
  const double a[2] = {(p[2] - p[0]) / 2, (p[3] - p[1]) / 2};
  const double b[2] = {(p[6] - p[4]) / 2, (p[7] - p[5]) / 2};

  oval(canvas, center, a, b);
  return TRUE;
}

/* ---- coordinates -------------------------------------------------------------------------------
 */

/* C.10.5.1.1: in pixels of the stored image, or in parts of the displayed area. */
static gboolean
to_picture(const Canvas *canvas, const DicomItem *item, guint32 units_tag, double *points, guint n,
           GError **error)
{
  g_autofree char *units = dicom_item_text(item, units_tag);
  gboolean display = strcmp(units, "DISPLAY") == 0;
  const double *area = canvas->look->area;

  if (!display && strcmp(units, "PIXEL") != 0) {
    return fail_graphic(canvas, DICOM_ERROR_UNSUPPORTED,
                        "the units are not known here; expected PIXEL or DISPLAY", error);
  }
  for (guint i = 0; i < n; i++) {
    double *p = points + 2 * i;

    if (display) {
      p[0] = area[0] + p[0] * (area[2] - area[0]);
      p[1] = area[1] + p[1] * (area[3] - area[1]);
    } else {
      dicom_presentation_place(canvas->look, &p[0], &p[1]);
    }
    if (!(fabs(p[0]) < DICOM_MAX_COORDINATE && fabs(p[1]) < DICOM_MAX_COORDINATE)) {
      return fail_graphic(canvas, DICOM_ERROR_CORRUPT, "a coordinate is no number, or far away",
                          error);
    }
  }
  return TRUE;
}

static gboolean
draw_object(Canvas *canvas, const DicomItem *item, GError **error)
{
  static const struct {
    const char *name;
    guint least;
    gboolean (*draw)(Canvas *canvas, GError **error);
  } types[] = {{"POINT", 1, draw_point},
               {"POLYLINE", 2, polyline},
               {"INTERPOLATED", 2, polyline},
               {"CIRCLE", 2, draw_circle},
               {"ELLIPSE", 4, draw_ellipse}};
  g_autofree char *type = dicom_item_text(item, TAG_GraphicType);
  guint k = 0;

  while (k < G_N_ELEMENTS(types) && strcmp(type, types[k].name) != 0) {
    k++;
  }
  if (k == G_N_ELEMENTS(types)) {
    return fail_graphic(canvas, DICOM_ERROR_UNSUPPORTED,
                        "GraphicType is none of POINT, POLYLINE, INTERPOLATED, CIRCLE, ELLIPSE",
                        error);
  }
  g_autofree char *filled = dicom_item_text(item, TAG_GraphicFilled);
  if (strcmp(filled, "Y") == 0 || strcmp(type, "INTERPOLATED") == 0) {
    canvas->look->left_out |= DICOM_LEFT_OUT_GRAPHICS;
  }
  canvas->n_points =
      dicom_item_numbers(item, TAG_GraphicData, canvas->points, 2 * DICOM_MAX_GRAPHIC_POINTS) / 2;
  canvas->n_all_points += canvas->n_points;
  if (canvas->n_points < types[k].least) {
    return fail_graphic(canvas, DICOM_ERROR_CORRUPT,
                        "GraphicData has fewer points than its GraphicType needs", error);
  }
  if (canvas->n_all_points >= DICOM_MAX_GRAPHIC_POINTS) {
    return fail_graphic(canvas, DICOM_ERROR_TOO_LARGE, "GraphicData has too many points", error);
  }
  return to_picture(canvas, item, TAG_GraphicAnnotationUnits, canvas->points, canvas->n_points,
                    error) &&
         types[k].draw(canvas, error) && check_length(canvas, error);
}

static gboolean
take_text(Canvas *canvas, const DicomItem *item, GError **error)
{
  DicomFrame *look = canvas->look;
  gboolean anchored;
  double point[2];

  anchored = dicom_item_numbers(item, TAG_AnchorPoint, point, 2) == 2;
  if (!anchored && dicom_item_numbers(item, TAG_BoundingBoxTopLeftHandCorner, point, 2) != 2) {
    return fail_graphic(canvas, DICOM_ERROR_CORRUPT,
                        "a text has neither AnchorPoint nor BoundingBoxTopLeftHandCorner", error);
  }
  if (!to_picture(canvas, item,
                  anchored ? TAG_AnchorPointAnnotationUnits : TAG_BoundingBoxAnnotationUnits, point,
                  1, error)) {
    return FALSE;
  }
  if (look->texts->len == DICOM_MAX_GRAPHIC_TEXTS) {
    return fail_graphic(canvas, DICOM_ERROR_TOO_LARGE, "there are too many texts", error);
  }
  g_ptr_array_add(look->texts, dicom_item_text(item, TAG_UnformattedTextValue));
  g_array_append_vals(look->text_points, point, 2);
  return TRUE;
}

static gboolean
draw_annotation(Canvas *canvas, const DicomItem *item, GError **error)
{
  guint n_objects = dicom_item_count(item, TAG_GraphicObjectSequence);
  guint n_texts = dicom_item_count(item, TAG_TextObjectSequence);

  if (dicom_item_count(item, TAG_CompoundGraphicSequence) > 0) {
    canvas->look->left_out |= DICOM_LEFT_OUT_GRAPHICS;
  }
  for (guint i = 0; i < n_objects; i++) {
    if (!draw_object(canvas, dicom_item_nested(item, TAG_GraphicObjectSequence, i), error)) {
      return FALSE;
    }
  }
  for (guint i = 0; i < n_texts; i++) {
    if (!take_text(canvas, dicom_item_nested(item, TAG_TextObjectSequence, i), error)) {
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
dicom_presentation_draw(DicomFrame *look, const DicomItem *root, const DicomSubject *subject,
                        guint8 *mask, GError **error)
{
  g_autofree double *points = g_new(double, 2 * DICOM_MAX_GRAPHIC_POINTS);
  Canvas canvas = {.look = look,
                   .subject = subject,
                   .mask = mask,
                   .w = dicom_frame_width(look),
                   .h = dicom_frame_height(look),
                   .points = points};
  guint n = dicom_item_count(root, TAG_GraphicAnnotationSequence);

  for (guint i = 0; i < n; i++) {
    const DicomItem *item = dicom_item_nested(root, TAG_GraphicAnnotationSequence, i);

    if (dicom_presentation_refers(item, subject) && !draw_annotation(&canvas, item, error)) {
      return FALSE;
    }
  }
  return TRUE;
}
