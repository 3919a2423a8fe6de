/* phantom-chest-ct.c - an axial slice through the chest, in Hounsfield units, lying on the back.
 *
 * In a stack, heights (w) are in the same unit as u and v: nodules are balls, and the lungs narrow
 * towards the top.
 */
#include "phantom-private.h"

#include <math.h>

static void
chest_truth(PhantomRandom *random, PhantomTruth *truth)
{
  gboolean single = phantom_random_chance(random, 0.4);
  guint only = phantom_random_below(random, 3);
  gboolean nodules = single ? only == 1 : phantom_random_chance(random, 0.65);
  gboolean effusion = single ? only == 2 : phantom_random_chance(random, 0.5);
  if (effusion) {
    PhantomSide side = (PhantomSide)(PHANTOM_SIDE_LEFT + phantom_random_below(random, 3));
    phantom_add(truth, PHANTOM_EFFUSION, side, 0, 0, 0);
  }
  guint n = nodules ? phantom_random_count(random) : 0;
  for (guint i = 0; i < n; i++) {
    gboolean large = n == 1 && phantom_random_chance(random, 0.5);
    for (guint attempt = 0; attempt < 40; attempt++) {
      PhantomSide side = phantom_random_side(random);
      double r = phantom_radius(random, large);
      double u = phantom_side_sign(side) * phantom_random_range(random, 0.42, 0.56);
      gboolean fluid = phantom_count(truth, PHANTOM_EFFUSION, side) > 0;
      double v = phantom_random_range(random, -0.24, fluid ? -0.02 : 0.2);
      if (phantom_free_place(truth, u, v, r, 0.07)) {
        phantom_add(truth, PHANTOM_NODULE, side, u, v, r)->large = large;
        break;
      }
    }
  }
  gboolean lung_window = phantom_random_chance(random, 0.7);
  double jitter = phantom_random_range(random, -60, 60);
  truth->window_center = floor(lung_window ? -450 + jitter : 40 + jitter / 4);
  truth->window_width = floor(lung_window ? 1500 + 2 * jitter : 400 + jitter);
}

/* The half of the lungs on SIDE as an ellipse, at height w. */
static PhantomEllipse
lung(int side, double ru, double rv, double w)
{
  double narrow = 1.0 - 0.25 * w * w;
  return (PhantomEllipse){side * 0.43, -0.02, ru * narrow, rv * narrow, side * -0.06, 0.02};
}

static void
draw_wall(PhantomCanvas *canvas, PhantomRandom *random)
{
  gsize n = (gsize)canvas->size * canvas->size;
  for (gsize i = 0; i < n; i++) {
    canvas->values[i] = -1000.0f;
  }
  double ru = phantom_random_range(random, 0.85, 0.92),
         rv = phantom_random_range(random, 0.60, 0.66);
  double fat = phantom_random_range(random, 0.03, 0.07);
  if (phantom_random_chance(random, 0.7)) {
    PhantomCurve table = {.v0 = 0.74, .bend = -0.12, .u_low = -0.8, .u_high = 0.8, .edge = 0.02};
    phantom_canvas_below(canvas, &table, NULL, -250.0f);
    table.v0 = 0.80;
    phantom_canvas_below(canvas, &table, NULL, -1000.0f);
  }
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){0, 0, ru, rv, 0, 0.02}, PHANTOM_SET, -100.0f);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){0, 0, ru - fat, rv - fat, 0, 0.02}, PHANTOM_SET,
                         50.0f);
  /* Ribs, cut across, between muscle and lung. */
  static const double ribs[7][3] = {{0.20, -0.50, 0.2}, {0.48, -0.43, 0.25}, {0.68, -0.27, 0.5},
                                    {0.77, -0.02, 1.0}, {0.70, 0.24, -0.6},  {0.52, 0.41, -0.3},
                                    {0.28, 0.50, -0.15}};
  for (int side = -1; side <= 1; side += 2) {
    for (guint k = 0; k < 7; k++) {
      PhantomEllipse rib = {side * ribs[k][0], ribs[k][1], 0.075, 0.026, side * ribs[k][2], 0.02};
      phantom_canvas_ellipse(canvas, &rib, PHANTOM_SET, 420.0f);
    }
  }
}

static void
draw_middle(PhantomCanvas *canvas, PhantomRandom *random)
{
  double shift = phantom_random_range(random, 0.02, 0.08);
  double ru = phantom_random_range(random, 0.22, 0.27);
  phantom_canvas_box(canvas, 0, -0.02, 0.12, 0.42, 0.06, PHANTOM_SET, 40.0f);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){shift, -0.12, ru, 0.22, 0.15, 0.02}, PHANTOM_SET,
                         65.0f);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){0, -0.48, 0.10, 0.03, 0, 0.02}, PHANTOM_SET,
                         350.0f);
  /* Descending aorta, left of the spine. */
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){0.13, 0.20, 0.065, 0.065, 0, 0.02}, PHANTOM_SET,
                         90.0f);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){0, 0.36, 0.13, 0.10, 0, 0.03}, PHANTOM_SET,
                         320.0f);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){0, 0.49, 0.05, 0.04, 0, 0.02}, PHANTOM_SET,
                         30.0f);
  phantom_canvas_box(canvas, 0, 0.56, 0.025, 0.06, 0.03, PHANTOM_SET, 300.0f);
}

/* Vessels: bright dots much smaller than any nodule, above the fluid. */
static void
draw_vessels(PhantomCanvas *canvas, PhantomRandom *random, const PhantomCurve levels[2])
{
  for (guint i = 0; i < 26; i++) {
    int side = i % 2 ? 1 : -1;
    double du = phantom_random_range(random, -0.22, 0.2),
           dv = phantom_random_range(random, -0.3, 0.3);
    double r = phantom_random_range(random, 0.008, 0.016);
    double slant = phantom_random_range(random, -0.5, 0.5);
    if (du * du / 0.06 + dv * dv / 0.12 > 1 || dv > levels[i % 2].v0 - 0.15) {
      continue;
    }
    PhantomEllipse vessel = {side * (0.43 + du), -0.02 + dv, r, r * 1.7, slant, 0.015};
    phantom_canvas_ellipse(canvas, &vessel, PHANTOM_SET, -350.0f);
  }
}

/* The fluid's levels, patient's right and left; far below the picture without fluid. */
static void
draw_levels(PhantomRandom *random, const PhantomTruth *truth, PhantomCurve levels[2])
{
  for (guint i = 0; i < 2; i++) {
    double side = i ? 1.0 : -1.0, level = phantom_random_range(random, 0.12, 0.19);
    PhantomSide name = i ? PHANTOM_SIDE_LEFT : PHANTOM_SIDE_RIGHT;
    levels[i] = (PhantomCurve){.u0 = side * 0.40,
                               .v0 = phantom_count(truth, PHANTOM_EFFUSION, name) ? level : 9.0,
                               .slope = side * -0.1,
                               .bend = -0.5,
                               .u_low = i ? 0.0 : -0.9,
                               .u_high = i ? 0.9 : 0.0,
                               .edge = 0.025};
  }
}

static void
chest_draw(const PhantomTruth *truth, PhantomCanvas *canvas)
{
  PhantomRandom random;
  phantom_random_init(&random, truth->seed, truth->index, PHANTOM_STREAM_ANATOMY);
  double w = truth->slice_mm / 200.0;
  g_autofree float *mask = g_new0(float, (gsize)canvas->size * canvas->size);
  draw_wall(canvas, &random);
  double ru = phantom_random_range(&random, 0.29, 0.32),
         rv = phantom_random_range(&random, 0.40, 0.45);
  PhantomCanvas board = *canvas;
  board.values = mask;
  for (int side = -1; side <= 1; side += 2) {
    PhantomEllipse half = lung(side, ru, rv, w);
    phantom_canvas_ellipse(&board, &half, PHANTOM_MAX, 1.0f);
  }
  /* Fluid first, then air in what is left of the lungs: no rim of half air around the fluid. */
  PhantomCurve levels[2];
  draw_levels(&random, truth, levels);
  for (guint i = 0; i < 2; i++) {
    phantom_canvas_below(canvas, &levels[i], mask, 12.0f);
    phantom_canvas_below(&board, &levels[i], NULL, 0.0f);
  }
  phantom_canvas_fill(canvas, mask, (float)phantom_random_range(&random, -880, -800));
  phantom_canvas_relief(canvas, &random, 12, 40.0f, mask);
  draw_vessels(canvas, &random, levels);
  draw_middle(canvas, &random);
  for (guint i = 0; i < truth->n_findings; i++) {
    const PhantomFinding *f = &truth->findings[i];
    double height = f->w - w, across = f->r * f->r - height * height;
    if (f->kind == PHANTOM_NODULE && across > 0.0004) {
      double r = sqrt(across);
      phantom_canvas_ellipse(canvas, &(PhantomEllipse){f->u, f->v, r, r, 0, 0.02}, PHANTOM_SET,
                             60.0f);
    }
  }
  phantom_random_init(&random, truth->seed, truth->index,
                      PHANTOM_STREAM_NOISE + 16 * (guint64)(gint64)truth->slice_mm);
  float sigma = (float)phantom_random_range(&random, 10, 28);
  phantom_canvas_noise(canvas, &random, sigma);
}

const PhantomPainter phantom_chest_ct = {chest_truth, chest_draw};
