/* slice-plane.c - slices in space: reference lines, and the slice at a point (PS3.3 C.7.6.2). */
#include <math.h>
#include <string.h>

#include "slice.h"

/* Planes that lean less than this to each other have no line that anybody could use: sine of half a
 * degree. */
#define PARALLEL 0.009

static double
dot(const double a[3], const double b[3])
{
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static void
cross(const double a[3], const double b[3], double out[3])
{
  out[0] = a[1] * b[2] - a[2] * b[1];
  out[1] = a[2] * b[0] - a[0] * b[2];
  out[2] = a[0] * b[1] - a[1] * b[0];
}

static gboolean
same_frame(const char *a, const char *b)
{
  return a && b && strcmp(a, b) == 0;
}

/* A straight piece in a plane's mm, from the outer corner of its first pixel. */
typedef struct {
  double from[2], to[2];
} Piece;

/* Cuts PIECE to the box from 0, 0 to WIDTH, HEIGHT (Liang and Barsky). FALSE: nothing is left. */
static gboolean
clip(Piece *piece, double width, double height)
{
  const double size[2] = {width, height};
  double low = 0, high = 1, d[2] = {piece->to[0] - piece->from[0], piece->to[1] - piece->from[1]};
  const double start[2] = {piece->from[0], piece->from[1]};

  for (guint i = 0; i < 2; i++) {
    if (d[i] == 0) {
      if (start[i] < 0 || start[i] > size[i]) {
        return FALSE;
      }
      continue;
    }
    double a = -start[i] / d[i], b = (size[i] - start[i]) / d[i];
    low = MAX(low, MIN(a, b));
    high = MIN(high, MAX(a, b));
  }
  if (low >= high) {
    return FALSE;
  }
  for (guint i = 0; i < 2; i++) {
    piece->from[i] = start[i] + low * d[i];
    piece->to[i] = start[i] + high * d[i];
  }
  return TRUE;
}

/* PLANE's own coordinates, in mm from the outer corner of its first pixel, of a point of the
 * patient, and back. */
static void
to_plane(const AppPlane *plane, const double point[3], double at[2])
{
  const double from[3] = {point[0] - plane->origin[0], point[1] - plane->origin[1],
                          point[2] - plane->origin[2]};

  at[0] = dot(from, plane->row) + plane->spacing_x / 2;
  at[1] = dot(from, plane->column) + plane->spacing_y / 2;
}

static void
from_plane(const AppPlane *plane, const double at[2], double point[3])
{
  for (guint i = 0; i < 3; i++) {
    point[i] = plane->origin[i] + plane->row[i] * (at[0] - plane->spacing_x / 2) +
               plane->column[i] * (at[1] - plane->spacing_y / 2);
  }
}

/* The line in which the planes of A and B meet, in B's own coordinates and as long as B's outline
 * may be. */
static gboolean
meet(const AppPlane *a, const AppPlane *b, double reach, Piece *piece)
{
  double normal[3], other[3], n2[2], length, distance;
  const double corner[2] = {0, 0};
  double start[3], from[3];

  cross(a->row, a->column, normal);
  cross(b->row, b->column, other);
  /* What A's normal is in B's plane: the line runs at right angles to it. */
  n2[0] = dot(normal, b->row);
  n2[1] = dot(normal, b->column);
  length = hypot(n2[0], n2[1]);
  if (!(length > PARALLEL)) {
    return FALSE;
  }
  from_plane(b, corner, start);
  for (guint i = 0; i < 3; i++) {
    from[i] = a->origin[i] - start[i];
  }
  distance = dot(from, normal) / length;
  for (guint i = 0; i < 2; i++) {
    double along = i == 0 ? -n2[1] / length : n2[0] / length;

    piece->from[i] = n2[i] / length * distance - along * reach;
    piece->to[i] = n2[i] / length * distance + along * reach;
  }
  return TRUE;
}

static void
move(const AppPlane *from, const AppPlane *to, Piece *piece)
{
  double point[3];

  from_plane(from, piece->from, point);
  to_plane(to, point, piece->from);
  from_plane(from, piece->to, point);
  to_plane(to, point, piece->to);
}

gboolean
app_slice_reference_line(const AppSlice *slice, const AppSlice *other, double from[2], double to[2])
{
  const AppPlane *a = slice->facts.plane, *b = other->facts.plane;
  Piece piece;

  if (!a || !b || !same_frame(a->frame_of_reference_uid, b->frame_of_reference_uid)) {
    return FALSE;
  }
  double width = other->facts.width * b->spacing_x, height = other->facts.height * b->spacing_y;
  /* No line through the box is farther from its corner than the box is wide and high. */
  double reach = 2 * (width + height);
  if (!meet(a, b, reach, &piece) || !clip(&piece, width, height)) {
    return FALSE;
  }
  move(b, a, &piece);
  if (!clip(&piece, slice->facts.width * a->spacing_x, slice->facts.height * a->spacing_y)) {
    return FALSE;
  }
  from[0] = piece.from[0] / a->spacing_x;
  from[1] = piece.from[1] / a->spacing_y;
  to[0] = piece.to[0] / a->spacing_x;
  to[1] = piece.to[1] / a->spacing_y;
  return TRUE;
}

gboolean
app_study_nearest(AppStudy *study, guint series, const char *frame_of_reference_uid,
                  const double point[3], guint *index)
{
  const AppStudySeries *s;
  double along, nearest = INFINITY;

  g_return_val_if_fail(series < study->series->len, FALSE);
  s = study->series->pdata[series];
  if (!frame_of_reference_uid || !*frame_of_reference_uid || !s->series->has_normal ||
      !same_frame(frame_of_reference_uid, s->series->frame_of_reference_uid)) {
    return FALSE;
  }
  along = dot(point, s->series->normal);
  for (guint i = 0; i < s->series->items->len; i++) {
    const DicomSeriesItem *item = s->series->items->pdata[i];

    for (guint k = 0; k < MAX(item->frames, 1); k++) {
      double there = item->alongs && k < item->alongs->len ? g_array_index(item->alongs, double, k)
                                                           : item->along;

      if (fabs(there - along) < nearest) {
        nearest = fabs(there - along);
        *index = s->starts[i] + k;
      }
    }
  }
  return isfinite(nearest);
}
