/* slice-place.c - how a picture lies on a canvas: turned by right angles, mirrored, scaled, moved.
 */
#include "slice-place.h"

#include <math.h>
#include <string.h>

/* What hands can reach; beyond it, numbers of pixels would not be any. */
#define LEAST_SCALE 1e-4
#define LARGEST_SCALE 1e4

static double
aspect_of(const AppSliceFacts *facts)
{
  return facts->pixel_aspect > 0 && isfinite(facts->pixel_aspect) ? facts->pixel_aspect : 1;
}

void
app_placement_fit(AppPlacement *placement, const AppSliceFacts *facts)
{
  double width = facts->width, height = facts->height * aspect_of(facts);
  gboolean lies = placement->turns % 2;
  double across = placement->width / (lies ? height : width);
  double down = placement->height / (lies ? width : height);

  placement->scale = CLAMP(MIN(across, down), LEAST_SCALE, LARGEST_SCALE);
  placement->x = facts->width / 2.0;
  placement->y = facts->height / 2.0;
}

AppPlacement
app_placement_usable(const AppPlacement *placement, const AppSliceFacts *facts)
{
  AppPlacement usable = *placement;

  usable.turns %= 4;
  usable.flip = usable.flip != FALSE;
  if (!isfinite(usable.scale) || usable.scale <= 0) {
    app_placement_fit(&usable, facts);
  }
  usable.scale = CLAMP(usable.scale, LEAST_SCALE, LARGEST_SCALE);
  if (!isfinite(usable.x) || !isfinite(usable.y)) {
    usable.x = facts->width / 2.0;
    usable.y = facts->height / 2.0;
  }
  return usable;
}

/* Clockwise on a screen, where y runs down: what points to the right points down afterwards. */
AppPlaceAxis
app_place_axis(const AppPlacement *placement, const AppSliceFacts *facts, gboolean is_y)
{
  static const gint8 signs[4][2] = {{1, 1}, {1, -1}, {-1, -1}, {-1, 1}}; /* of x, of y */
  AppPlaceAxis axis = {.down = is_y != (placement->turns % 2 == 1)};

  axis.n = is_y ? facts->height : facts->width;
  axis.n_canvas = axis.down ? placement->height : placement->width;
  axis.centre = is_y ? placement->y : placement->x;
  axis.step = placement->scale * (is_y ? aspect_of(facts) : 1) * signs[placement->turns % 4][is_y];
  if (placement->flip && !axis.down) {
    axis.step = -axis.step;
  }
  return axis;
}

double
app_place_on_canvas(const AppPlaceAxis *axis, double at)
{
  return axis->n_canvas / 2.0 + axis->step * (at - axis->centre);
}

double
app_place_on_picture(const AppPlaceAxis *axis, double at)
{
  return axis->centre + (at - axis->n_canvas / 2.0) / axis->step;
}

guint
app_place_covered(const AppPlaceAxis *axis, guint *first)
{
  double a = app_place_on_canvas(axis, 0), b = app_place_on_canvas(axis, axis->n);
  double low = MIN(a, b), high = MAX(a, b);
  double from = CLAMP(ceil(low - 0.5), 0, axis->n_canvas);
  double to = CLAMP(ceil(high - 0.5), 0, axis->n_canvas);

  /* Less than half a pixel wide, and still there. */
  if (to <= from && axis->n_canvas > 0 && high > 0 && low < axis->n_canvas) {
    from = CLAMP(floor((low + high) / 2), 0, axis->n_canvas - 1.0);
    to = from + 1;
  }
  *first = (guint)from;
  return to > from ? (guint)(to - from) : 0;
}

void
app_placement_to_picture(const AppPlacement *placement, const AppSliceFacts *facts, double canvas_x,
                         double canvas_y, double *x, double *y)
{
  AppPlacement usable = app_placement_usable(placement, facts);
  AppPlaceAxis along = app_place_axis(&usable, facts, FALSE);
  AppPlaceAxis across = app_place_axis(&usable, facts, TRUE);

  *x = app_place_on_picture(&along, along.down ? canvas_y : canvas_x);
  *y = app_place_on_picture(&across, across.down ? canvas_y : canvas_x);
}

void
app_placement_to_canvas(const AppPlacement *placement, const AppSliceFacts *facts, double x,
                        double y, double *canvas_x, double *canvas_y)
{
  AppPlacement usable = app_placement_usable(placement, facts);
  AppPlaceAxis along = app_place_axis(&usable, facts, FALSE);
  AppPlaceAxis across = app_place_axis(&usable, facts, TRUE);

  *(along.down ? canvas_y : canvas_x) = app_place_on_canvas(&along, x);
  *(across.down ? canvas_y : canvas_x) = app_place_on_canvas(&across, y);
}

AppLetters
app_placement_letters(const AppPlacement *placement, const AppSliceFacts *facts)
{
  const AppLetters *from = &facts->letters;
  const char *round[4] = {from->top, from->right, from->bottom, from->left};
  guint turns = placement->turns % 4;
  const char *right = round[(1 + 4 - turns) % 4], *left = round[(3 + 4 - turns) % 4];
  AppLetters letters = {{0}, {0}, {0}, {0}};

  g_strlcpy(letters.top, round[(4 - turns) % 4], sizeof letters.top);
  g_strlcpy(letters.bottom, round[(2 + 4 - turns) % 4], sizeof letters.bottom);
  g_strlcpy(letters.right, placement->flip ? left : right, sizeof letters.right);
  g_strlcpy(letters.left, placement->flip ? right : left, sizeof letters.left);
  return letters;
}
