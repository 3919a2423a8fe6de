/* annotation.c - what is drawn on a picture with a hand, as geometry. */
#include "viewer/annotation.h"

#include <math.h>

guint
desktop_annotation_n_points(DesktopAnnotationKind kind)
{
  return kind == DESKTOP_ANNOTATION_ANGLE ? 3 : 2;
}

gboolean
desktop_annotation_is_box(DesktopAnnotationKind kind)
{
  return kind != DESKTOP_ANNOTATION_DISTANCE && kind != DESKTOP_ANNOTATION_ANGLE;
}

/* ---- handles ------------------------------------------------------------------------------ */

/* Corner I of a box, around it from the first point on: which point gives x, and which y. */
static guint
corner_x(guint i)
{
  return i == 1 || i == 2;
}

static guint
corner_y(guint i)
{
  return i >= 2;
}

guint
desktop_annotation_handles(const DesktopAnnotation *annotation,
                           double handles[DESKTOP_ANNOTATION_HANDLES][2])
{
  gboolean is_box = desktop_annotation_is_box(annotation->kind);
  guint n = is_box ? 4 : desktop_annotation_n_points(annotation->kind);

  for (guint i = 0; i < n; i++) {
    handles[i][0] = annotation->points[is_box ? corner_x(i) : i][0];
    handles[i][1] = annotation->points[is_box ? corner_y(i) : i][1];
  }
  return n;
}

void
desktop_annotation_move_handle(DesktopAnnotation *annotation, guint handle, double x, double y)
{
  gboolean is_box = desktop_annotation_is_box(annotation->kind);

  g_return_if_fail(handle < (is_box ? 4 : desktop_annotation_n_points(annotation->kind)));
  annotation->points[is_box ? corner_x(handle) : handle][0] = x;
  annotation->points[is_box ? corner_y(handle) : handle][1] = y;
}

void
desktop_annotation_move(DesktopAnnotation *annotation, double dx, double dy)
{
  for (guint i = 0; i < desktop_annotation_n_points(annotation->kind); i++) {
    annotation->points[i][0] += dx;
    annotation->points[i][1] += dy;
  }
}

void
desktop_annotation_keep_inside(DesktopAnnotation *annotation, double width, double height)
{
  const double most[2] = {width, height};

  for (int axis = 0; axis < 2; axis++) {
    double low = INFINITY, high = -INFINITY, by = 0;

    for (guint i = 0; i < desktop_annotation_n_points(annotation->kind); i++) {
      low = MIN(low, annotation->points[i][axis]);
      high = MAX(high, annotation->points[i][axis]);
    }
    if (high - low <= most[axis]) {
      by = low < 0 ? -low : high > most[axis] ? most[axis] - high : 0;
    }
    for (guint i = 0; i < desktop_annotation_n_points(annotation->kind); i++) {
      annotation->points[i][axis] = CLAMP(annotation->points[i][axis] + by, 0, most[axis]);
    }
  }
}

/* ---- grips -------------------------------------------------------------------------------- */

static double
distance_to_segment(const double a[2], const double b[2], double x, double y)
{
  double dx = b[0] - a[0], dy = b[1] - a[1], length = dx * dx + dy * dy;
  double t = length > 0 ? CLAMP(((x - a[0]) * dx + (y - a[1]) * dy) / length, 0, 1) : 0;

  return hypot(a[0] + t * dx - x, a[1] + t * dy - y);
}

/* Along the ray from the centre; exact for a circle, and close enough to grip an ellipse. */
static double
distance_to_ellipse(const double a[2], const double c[2], double x, double y)
{
  double rx = fabs(c[0] - a[0]) / 2, ry = fabs(c[1] - a[1]) / 2;
  double dx = x - (a[0] + c[0]) / 2, dy = y - (a[1] + c[1]) / 2;
  double from = hypot(dx, dy), at;

  if (rx < 1e-6 || ry < 1e-6) {
    return distance_to_segment(a, c, x, y);
  }
  at = hypot(dx / rx, dy / ry);
  return at > 0 ? fabs(from - from / at) : MIN(rx, ry);
}

static gboolean
is_on_line(DesktopAnnotationKind kind, const double handles[DESKTOP_ANNOTATION_HANDLES][2],
           double x, double y, double tolerance)
{
  guint n = desktop_annotation_is_box(kind) ? 4 : desktop_annotation_n_points(kind) - 1;

  if (kind == DESKTOP_ANNOTATION_ELLIPSE) {
    return distance_to_ellipse(handles[0], handles[2], x, y) <= tolerance;
  }
  for (guint i = 0; i < n; i++) {
    if (distance_to_segment(handles[i], handles[(i + 1) % 4], x, y) <= tolerance) {
      return TRUE;
    }
  }
  return FALSE;
}

int
desktop_annotation_grip(DesktopAnnotationKind kind,
                        const double handles[DESKTOP_ANNOTATION_HANDLES][2], double x, double y,
                        double tolerance)
{
  guint n = desktop_annotation_is_box(kind) ? 4 : desktop_annotation_n_points(kind);
  double nearest = tolerance;
  int grip = DESKTOP_GRIP_NONE;

  for (guint i = 0; i < n; i++) {
    double distance = hypot(handles[i][0] - x, handles[i][1] - y);
    if (distance <= nearest) {
      nearest = distance;
      grip = (int)i;
    }
  }
  if (grip == DESKTOP_GRIP_NONE && is_on_line(kind, handles, x, y, tolerance)) {
    grip = DESKTOP_GRIP_BODY;
  }
  return grip;
}

/* ---- what it means ------------------------------------------------------------------------ */

gboolean
desktop_annotation_region(const DesktopAnnotation *annotation, guint width, guint height,
                          AppRegion *region)
{
  const double(*p)[2] = annotation->points;
  double left = floor(CLAMP(MIN(p[0][0], p[1][0]), 0, width));
  double top = floor(CLAMP(MIN(p[0][1], p[1][1]), 0, height));
  double right = ceil(CLAMP(MAX(p[0][0], p[1][0]), 0, width));
  double bottom = ceil(CLAMP(MAX(p[0][1], p[1][1]), 0, height));

  *region = (AppRegion){(guint)left, (guint)top, (guint)(right - left), (guint)(bottom - top)};
  return region->width > 0 && region->height > 0;
}
