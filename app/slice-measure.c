/* slice-measure.c - values, lengths, angles and statistics of a slice. */
#include <math.h>
#include <string.h>

#include "slice.h"

/* ---- one pixel ---------------------------------------------------------------------------- */

/* The pixel that AT lies in. FALSE: none, or AT is no number. */
static gboolean
pixel_at(double at, guint n, guint *pixel)
{
  if (!(at >= 0 && at < n)) {
    return FALSE;
  }
  *pixel = (guint)at;
  return TRUE;
}

static void
probe_position(const AppSlice *slice, AppProbe *probe)
{
  const AppPlane *plane = slice->facts.plane;

  probe->has_position = plane != NULL;
  for (guint i = 0; plane && i < 3; i++) {
    probe->position[i] = plane->origin[i] + plane->row[i] * plane->spacing_x * probe->x +
                         plane->column[i] * plane->spacing_y * probe->y;
  }
}

gboolean
app_slice_probe(const AppSlice *slice, double x, double y, AppProbe *probe)
{
  const DicomInfo *info = slice->header->info;

  *probe = (AppProbe){0};
  if (!pixel_at(x, slice->facts.width, &probe->x) || !pixel_at(y, slice->facts.height, &probe->y)) {
    return FALSE;
  }
  probe_position(slice, probe);
  if (slice->facts.is_colour) {
    return dicom_frame_rgb(slice->measured, probe->x, probe->y, probe->rgb);
  }
  probe->has_value = dicom_frame_probe(slice->measured, probe->x, probe->y, &probe->stored,
                                       &probe->value, &probe->is_padding) &&
                     isfinite(probe->value);
  probe->has_suv = probe->has_value && info->suv_factor > 0 && !probe->is_padding;
  probe->suv = probe->has_suv ? probe->value * info->suv_factor : 0;
  return TRUE;
}

/* ---- lengths and angles ------------------------------------------------------------------- */

static gboolean
is_inside(const double region[6], const double point[2])
{
  return point[0] >= region[0] && point[0] <= region[2] && point[1] >= region[1] &&
         point[1] <= region[3];
}

/* The region of an ultrasound picture that both points lie in; NULL: none. */
static const double *
find_region(const GArray *regions, const double a[2], const double b[2])
{
  for (guint i = 0; i + 6 <= regions->len; i += 6) {
    const double *region = &g_array_index(regions, double, i);

    if (is_inside(region, a) && is_inside(region, b)) {
      return region;
    }
  }
  return NULL;
}

/* What a pixel counts along x and y between A and B: mm, or, where they are not known (FALSE),
 * widths of a pixel. */
static gboolean
pixel_size(const AppSlice *slice, const double a[2], const double b[2], double *x, double *y)
{
  const DicomInfo *info = slice->header->info;
  gboolean by_region =
      info->regions->len > 0 &&
      (!info->has_spacing || strcmp(info->spacing_source, "UltrasoundRegion") == 0);
  const double *region = by_region ? find_region(info->regions, a, b) : NULL;

  *x = region ? region[4] : slice->facts.mm_x;
  *y = region ? region[5] : slice->facts.mm_y;
  if (by_region ? region != NULL : slice->facts.mm_x > 0) {
    return TRUE;
  }
  *x = 1;
  *y = slice->facts.pixel_aspect;
  return FALSE;
}

gboolean
app_slice_distance(const AppSlice *slice, const double from[2], const double to[2],
                   double *distance)
{
  double x, y;
  gboolean known = pixel_size(slice, from, to, &x, &y);

  *distance = hypot((to[0] - from[0]) * x, (to[1] - from[1]) * y);
  return known;
}

double
app_slice_angle(const AppSlice *slice, const double a[2], const double apex[2], const double b[2])
{
  double aspect = slice->facts.pixel_aspect;
  double ax = a[0] - apex[0], ay = (a[1] - apex[1]) * aspect;
  double bx = b[0] - apex[0], by = (b[1] - apex[1]) * aspect;

  /* Right to the last digit near 0 and 180 degrees too, where a cosine says little. */
  return atan2(fabs(ax * by - ay * bx), ax * bx + ay * by) * 180 / G_PI;
}

/* ---- statistics --------------------------------------------------------------------------- */

typedef struct {
  double low[2], high[2]; /* corners of the box, in order */
  gboolean is_ellipse;
} Shape;

/* The pixels along one axis whose centres are from LOW to HIGH; how many, from FIRST on. */
static guint
pixels_between(double low, double high, guint n, guint *first)
{
  double from = CLAMP(ceil(low - 0.5), 0, n), to = CLAMP(floor(high - 0.5) + 1, 0, n);

  *first = (guint)from;
  return to > from ? (guint)(to - from) : 0;
}

/* Where row Y of the shape begins and ends, by the centre of the row. */
static guint
row_of(const Shape *shape, guint y, guint n, guint *first)
{
  double low = shape->low[0], high = shape->high[0];

  if (shape->is_ellipse) {
    double b = (shape->high[1] - shape->low[1]) / 2;
    double up = (y + 0.5 - shape->low[1] - b) / b, middle = (low + high) / 2;
    double half = (high - low) / 2 * sqrt(MAX(1 - up * up, 0));

    low = middle - half;
    high = middle + half;
  }
  return pixels_between(low, high, n, first);
}

typedef struct {
  guint64 n;
  double sum, mean, squares, minimum, maximum; /* SQUARES: of the differences from MEAN */
} Sums;

static void
add_values(Sums *sums, const double *values, guint n)
{
  for (guint i = 0; i < n; i++) {
    if (!isnan(values[i])) {
      sums->n++;
      sums->sum += values[i];
      sums->minimum = MIN(sums->minimum, values[i]);
      sums->maximum = MAX(sums->maximum, values[i]);
    }
  }
}

static void
add_squares(Sums *sums, const double *values, guint n)
{
  for (guint i = 0; i < n; i++) {
    double difference = isnan(values[i]) ? 0 : values[i] - sums->mean;

    sums->squares += difference * difference;
  }
}

static void
visit(const AppSlice *slice, const Shape *shape, Sums *sums,
      void (*add)(Sums *sums, const double *values, guint n))
{
  g_autofree double *values = g_new(double, slice->facts.width);
  guint top, rows = pixels_between(shape->low[1], shape->high[1], slice->facts.height, &top);

  for (guint y = top; y < top + rows; y++) {
    guint left, n = row_of(shape, y, slice->facts.width, &left);

    if (n > 0) {
      dicom_frame_values(slice->measured, left, y, n, values);
      add(sums, values, n);
    }
  }
}

/* Twice: the squares of large values would hide small differences. */
static void
sum_shape(const AppSlice *slice, const Shape *shape, Sums *sums)
{
  visit(slice, shape, sums, add_values);
  if (sums->n > 0) {
    sums->mean = sums->sum / (double)sums->n;
    visit(slice, shape, sums, add_squares);
  }
}

gboolean
app_slice_statistics(const AppSlice *slice, AppShape shape, const double from[2],
                     const double to[2], AppStatistics *statistics)
{
  Shape box = {.is_ellipse = shape == APP_SHAPE_ELLIPSE};
  Sums sums = {.minimum = INFINITY, .maximum = -INFINITY};
  double x, y;

  *statistics = (AppStatistics){0};
  for (guint i = 0; i < 2; i++) {
    if (!isfinite(from[i]) || !isfinite(to[i])) {
      return FALSE;
    }
    box.low[i] = MIN(from[i], to[i]);
    box.high[i] = MAX(from[i], to[i]);
  }
  statistics->has_area = pixel_size(slice, from, to, &x, &y);
  statistics->area = (box.high[0] - box.low[0]) * (box.high[1] - box.low[1]) *
                     (box.is_ellipse ? G_PI / 4 : 1) * (statistics->has_area ? x * y : 1);
  if (slice->facts.is_colour) {
    return FALSE;
  }
  sum_shape(slice, &box, &sums);
  if (sums.n == 0) {
    return FALSE;
  }
  statistics->n = sums.n;
  statistics->mean = sums.mean;
  statistics->sd = sums.n > 1 ? sqrt(sums.squares / (double)(sums.n - 1)) : 0;
  statistics->minimum = sums.minimum;
  statistics->maximum = sums.maximum;
  return TRUE;
}
