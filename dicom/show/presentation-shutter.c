/* presentation-shutter.c - display shutters (PS3.3 C.7.6.11): what lies outside is one grey. */
#include "presentation.h"

#include "dicom/limits.h"
#include "dicom/tags.h"

#include <math.h>
#include <string.h>

/* Several shapes together show what is inside of all of them, so each one covers its outside. */
static void
cover(guint8 *row, double from, double to, guint w)
{
  /* Pixels are counted from 1; the first and last that are seen, as numbers from 0. */
  double first = CLAMP(ceil(from) - 1, 0, w), last = CLAMP(floor(to), 0, w);
  gsize left = (gsize)first, right = (gsize)MAX(last, first);

  memset(row, MARK_SHUTTER, left);
  memset(row + right, MARK_SHUTTER, w - right);
}

static gboolean
fail_shutter(const DicomSubject *subject, DicomError code, const char *what, GError **error)
{
  g_set_error(error, DICOM_ERROR, code, "%s: ShutterShape: %s", subject->name, what);
  return FALSE;
}

static gboolean
rectangle(const DicomFrame *look, const DicomItem *root, const DicomSubject *subject, guint8 *mask,
          GError **error)
{
  static const guint32 tags[4] = {TAG_ShutterLeftVerticalEdge, TAG_ShutterRightVerticalEdge,
                                  TAG_ShutterUpperHorizontalEdge, TAG_ShutterLowerHorizontalEdge};
  double edges[4];

  for (guint i = 0; i < 4; i++) {
    if (dicom_item_numbers(root, tags[i], &edges[i], 1) != 1 || !isfinite(edges[i])) {
      return fail_shutter(subject, DICOM_ERROR_CORRUPT, "RECTANGULAR needs its four edges", error);
    }
  }
  for (guint y = 0; y < look->height; y++) {
    gboolean inside = y + 1.0 >= edges[2] && y + 1.0 <= edges[3];

    cover(mask + (gsize)y * look->width, inside ? edges[0] : 1, inside ? edges[1] : 0, look->width);
  }
  return TRUE;
}

static gboolean
circle(const DicomFrame *look, const DicomItem *root, const DicomSubject *subject, guint8 *mask,
       GError **error)
{
  double center[2], radius; /* row, column */

  if (dicom_item_numbers(root, TAG_CenterOfCircularShutter, center, 2) != 2 ||
      dicom_item_numbers(root, TAG_RadiusOfCircularShutter, &radius, 1) != 1 ||
      !isfinite(center[0] + center[1] + radius)) {
    return fail_shutter(subject, DICOM_ERROR_CORRUPT, "CIRCULAR needs center and radius", error);
  }
  for (guint y = 0; y < look->height; y++) {
    double away = y + 1.0 - center[0], half = radius * radius - away * away;
    gboolean inside = radius >= 0 && half >= 0;

    half = inside ? sqrt(half) : 0;
    cover(mask + (gsize)y * look->width, inside ? center[1] - half : 1,
          inside ? center[1] + half : 0, look->width);
  }
  return TRUE;
}

static gint
by_value(gconstpointer a, gconstpointer b)
{
  double x = *(const double *)a, y = *(const double *)b;

  return x < y ? -1 : x > y;
}

/* Where a row crosses the outline, ascending: seen are the stretches between the first and second,
 * third and fourth, and so on. */
static void
cover_outside(const double *corners, guint n, double row, GArray *crossings, guint8 *pixels,
              guint w)
{
  g_array_set_size(crossings, 0);
  for (guint i = 0; i < n; i++) {
    const double *a = corners + 2 * i, *b = corners + 2 * ((i + 1) % n);

    if ((a[0] <= row) != (b[0] <= row)) {
      double at = a[1] + (row - a[0]) / (b[0] - a[0]) * (b[1] - a[1]);

      g_array_append_val(crossings, at);
    }
  }
  g_array_sort(crossings, by_value);
  double seen_to = 0;
  for (guint i = 0; i + 1 < crossings->len; i += 2) {
    double from = CLAMP(ceil(g_array_index(crossings, double, i)) - 1, 0, w);
    double to = CLAMP(floor(g_array_index(crossings, double, i + 1)), 0, w);

    if (from > seen_to) {
      memset(pixels + (gsize)seen_to, MARK_SHUTTER, (gsize)(from - seen_to));
    }
    seen_to = MAX(seen_to, to);
  }
  memset(pixels + (gsize)seen_to, MARK_SHUTTER, w - (gsize)seen_to);
}

static gboolean
polygon(const DicomFrame *look, const DicomItem *root, const DicomSubject *subject, guint8 *mask,
        GError **error)
{
  g_autofree double *corners = g_new(double, 2 * DICOM_MAX_GRAPHIC_POINTS);
  guint n = dicom_item_numbers(root, TAG_VerticesOfThePolygonalShutter, corners,
                               2 * DICOM_MAX_GRAPHIC_POINTS) /
            2;
  g_autoptr(GArray) crossings = g_array_new(FALSE, FALSE, sizeof(double));

  for (guint i = 0; i < 2 * n; i++) {
    if (!(fabs(corners[i]) < DICOM_MAX_COORDINATE)) {
      n = 0;
    }
  }
  if (n < 3) {
    return fail_shutter(subject, DICOM_ERROR_CORRUPT,
                        "POLYGONAL needs three corners or more, of numbers", error);
  }
  if ((guint64)n * look->height > DICOM_MAX_SHUTTER_WORK) {
    return fail_shutter(subject, DICOM_ERROR_TOO_LARGE, "POLYGONAL has too many corners", error);
  }
  for (guint y = 0; y < look->height; y++) {
    cover_outside(corners, n, y + 1.0, crossings, mask + (gsize)y * look->width, look->width);
  }
  return TRUE;
}

gboolean
dicom_presentation_shutter(const DicomFrame *look, const DicomItem *root,
                           const DicomSubject *subject, guint8 *mask, GError **error)
{
  static const struct {
    const char *name;
    gboolean (*cover)(const DicomFrame *look, const DicomItem *root, const DicomSubject *subject,
                      guint8 *mask, GError **error);
  } shapes[] = {{"RECTANGULAR", rectangle}, {"CIRCULAR", circle}, {"POLYGONAL", polygon}};
  g_autofree char *text = dicom_item_text(root, TAG_ShutterShape);
  g_auto(GStrv) names = g_strsplit(text, "\\", -1);

  for (guint i = 0; names[i]; i++) {
    guint k = 0;

    while (k < G_N_ELEMENTS(shapes) && strcmp(g_strstrip(names[i]), shapes[k].name) != 0) {
      k++;
    }
    if (k == G_N_ELEMENTS(shapes)) {
      return fail_shutter(subject, DICOM_ERROR_UNSUPPORTED,
                          "is not drawn here; expected RECTANGULAR, CIRCULAR or POLYGONAL", error);
    }
    if (!shapes[k].cover(look, root, subject, mask, error)) {
      return FALSE;
    }
  }
  return TRUE;
}
