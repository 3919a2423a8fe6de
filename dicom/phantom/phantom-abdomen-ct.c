/* phantom-abdomen-ct.c - an axial slice at the height of liver and kidneys, in Hounsfield units. */
#include "phantom-private.h"

#include <math.h>

/* The liver lies on the patient's right (the picture's left); lesions stay well inside. */
#define LIVER_U (-0.40)
#define LIVER_V (-0.19)

static void
add_liver(PhantomRandom *random, PhantomTruth *truth)
{
  PhantomFindingKind kind =
      phantom_random_chance(random, 0.5) ? PHANTOM_LIVER_CYST : PHANTOM_LIVER_MASS;
  guint n = phantom_random_count(random);
  for (guint i = 0; i < n; i++) {
    gboolean large = n == 1 && phantom_random_chance(random, 0.5);
    for (guint attempt = 0; attempt < 40; attempt++) {
      double r = phantom_radius(random, large);
      double u = LIVER_U + phantom_random_range(random, -0.25, 0.28);
      double v = LIVER_V + phantom_random_range(random, -0.24, 0.20);
      double du = (u - LIVER_U) / (0.42 - r), dv = (v - LIVER_V) / (0.35 - r);
      if (du * du + dv * dv < 0.75 && phantom_free_place(truth, u, v, r, 0.06)) {
        phantom_add(truth, kind, PHANTOM_SIDE_NONE, u, v, r)->large = large;
        break;
      }
    }
  }
}

static void
add_kidney(PhantomRandom *random, PhantomTruth *truth)
{
  PhantomSide side = phantom_random_side(random);
  double sign = phantom_side_sign(side);
  if (phantom_random_chance(random, 0.5)) {
    double u = sign * phantom_random_range(random, 0.37, 0.44);
    phantom_add(truth, PHANTOM_KIDNEY_STONE, side, u, phantom_random_range(random, 0.27, 0.34),
                phantom_random_range(random, 0.055, 0.068));
  } else {
    /* Bulging out of the kidney's outer border. */
    double u = sign * phantom_random_range(random, 0.44, 0.48);
    phantom_add(truth, PHANTOM_KIDNEY_CYST, side, u, phantom_random_range(random, 0.27, 0.34),
                phantom_random_range(random, 0.085, 0.10));
  }
}

static void
abdomen_truth(PhantomRandom *random, PhantomTruth *truth)
{
  gboolean single = phantom_random_chance(random, 0.35);
  guint only = phantom_random_below(random, 3);
  gboolean kidney = single ? only == 2 : phantom_random_chance(random, 0.65);
  gboolean liver = single ? only == 1 : phantom_random_chance(random, 0.7);
  if (kidney) {
    add_kidney(random, truth);
  }
  if (liver) {
    add_liver(random, truth);
  }
  truth->window_center = floor(phantom_random_range(random, 30, 60));
  truth->window_width = floor(phantom_random_range(random, 320, 420));
}

static void
draw_wall(PhantomCanvas *canvas, PhantomRandom *random)
{
  gsize n = (gsize)canvas->size * canvas->size;
  for (gsize i = 0; i < n; i++) {
    canvas->values[i] = -1000.0f;
  }
  double ru = phantom_random_range(random, 0.90, 0.94),
         rv = phantom_random_range(random, 0.66, 0.72);
  double fat = phantom_random_range(random, 0.04, 0.07);
  if (phantom_random_chance(random, 0.7)) {
    PhantomCurve table = {.v0 = 0.80, .bend = -0.12, .u_low = -0.8, .u_high = 0.8, .edge = 0.02};
    phantom_canvas_below(canvas, &table, NULL, -250.0f);
    table.v0 = 0.86;
    phantom_canvas_below(canvas, &table, NULL, -1000.0f);
  }
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){0, 0, ru, rv, 0, 0.02}, PHANTOM_SET, -105.0f);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){0, 0, ru - fat, rv - fat, 0, 0.02}, PHANTOM_SET,
                         55.0f);
  phantom_canvas_ellipse(canvas,
                         &(PhantomEllipse){0, -0.03, ru - fat - 0.05, rv - fat - 0.07, 0, 0.03},
                         PHANTOM_SET, -90.0f);
}

static void
draw_spine(PhantomCanvas *canvas)
{
  for (int side = -1; side <= 1; side += 2) {
    phantom_canvas_ellipse(canvas, &(PhantomEllipse){side * 0.22, 0.44, 0.12, 0.10, 0, 0.03},
                           PHANTOM_SET, 60.0f);
  }
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){0, 0.33, 0.14, 0.11, 0, 0.02}, PHANTOM_SET,
                         300.0f);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){0, 0.33, 0.10, 0.075, 0, 0.02}, PHANTOM_SET,
                         190.0f);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){0, 0.47, 0.05, 0.04, 0, 0.02}, PHANTOM_SET,
                         30.0f);
  phantom_canvas_box(canvas, 0, 0.55, 0.025, 0.06, 0.03, PHANTOM_SET, 320.0f);
}

static void
draw_organs(PhantomCanvas *canvas, PhantomRandom *random)
{
  double ru = phantom_random_range(random, 0.41, 0.44),
         rv = phantom_random_range(random, 0.34, 0.37);
  float liver = (float)phantom_random_range(random, 68, 84);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){LIVER_U, LIVER_V, ru, rv, -0.06, 0.02},
                         PHANTOM_SET, liver);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){-0.02, -0.33, 0.24, 0.13, 0.1, 0.02},
                         PHANTOM_SET, liver);
  /* Stomach with food and a bubble of air in front; spleen behind it. */
  double stomach = phantom_random_range(random, 0.34, 0.42);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){stomach, -0.26, 0.22, 0.19, 0.1, 0.02},
                         PHANTOM_SET, 45.0f);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){stomach, -0.26, 0.19, 0.16, 0.1, 0.02},
                         PHANTOM_SET, 30.0f);
  double air = phantom_random_range(random, 0.04, 0.08);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){stomach, -0.35, 0.12, air, 0, 0.02}, PHANTOM_SET,
                         -850.0f);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){0.66, 0.02, 0.12, 0.24, 0.12, 0.02}, PHANTOM_SET,
                         90.0f);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){0.06, 0.14, 0.06, 0.06, 0, 0.02}, PHANTOM_SET,
                         150.0f);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){-0.10, 0.14, 0.065, 0.05, 0, 0.02}, PHANTOM_SET,
                         110.0f);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){0.14, -0.04, 0.16, 0.05, -0.1, 0.03},
                         PHANTOM_SET, 65.0f);
  for (int side = -1; side <= 1; side += 2) {
    double r = phantom_random_range(random, 0.13, 0.15);
    PhantomEllipse kidney = {side * 0.40, 0.31, r, r * 1.12, side * 0.1, 0.02};
    PhantomEllipse sinus = {side * 0.315, 0.31, 0.045, 0.05, 0, 0.025};
    phantom_canvas_ellipse(canvas, &kidney, PHANTOM_SET, 85.0f);
    phantom_canvas_ellipse(canvas, &sinus, PHANTOM_SET, -60.0f);
  }
}

static void
abdomen_draw(const PhantomTruth *truth, PhantomCanvas *canvas)
{
  PhantomRandom random;
  phantom_random_init(&random, truth->seed, truth->index, PHANTOM_STREAM_ANATOMY);
  draw_wall(canvas, &random);
  draw_spine(canvas);
  draw_organs(canvas, &random);
  for (guint i = 0; i < truth->n_findings; i++) {
    const PhantomFinding *f = &truth->findings[i];
    float value = f->kind == PHANTOM_LIVER_MASS     ? 230.0f
                  : f->kind == PHANTOM_KIDNEY_STONE ? 1100.0f
                  : f->kind == PHANTOM_KIDNEY_CYST  ? -25.0f
                                                    : -20.0f;
    phantom_canvas_ellipse(canvas, &(PhantomEllipse){f->u, f->v, f->r, f->r, 0, 0.02}, PHANTOM_SET,
                           value);
  }
  phantom_canvas_relief(canvas, &random, 14, 8.0f, NULL);
  phantom_random_init(&random, truth->seed, truth->index, PHANTOM_STREAM_NOISE);
  float sigma = (float)phantom_random_range(&random, 6, 15);
  phantom_canvas_noise(canvas, &random, sigma);
}

const PhantomPainter phantom_abdomen_ct = {abdomen_truth, abdomen_draw};
