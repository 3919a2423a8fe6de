/* phantom-head-ct.c - an axial slice of the head at the height of the lateral ventricles, in
 * Hounsfield units. */
#include "phantom-private.h"

#include <math.h>

/* A place for a lesion: well to the side, in front of or behind the ventricles' middle. */
static void
add_lesion(PhantomRandom *random, PhantomTruth *truth, PhantomFindingKind kind)
{
  for (guint attempt = 0; attempt < 40; attempt++) {
    PhantomSide side = phantom_random_side(random);
    double r = phantom_random_range(random, 0.13, 0.17);
    double u = phantom_side_sign(side) * phantom_random_range(random, 0.33, 0.38);
    double v = phantom_random_range(random, -0.32, 0.36);
    if (phantom_free_place(truth, u, v, r, 0.06)) {
      phantom_add(truth, kind, side, u, v, r);
      return;
    }
  }
}

static void
head_truth(PhantomRandom *random, PhantomTruth *truth)
{
  gboolean single = phantom_random_chance(random, 0.4);
  guint only = phantom_random_below(random, 4);
  truth->ventricles_enlarged = single ? only == 1 : phantom_random_chance(random, 0.5);
  if (single ? only == 2 : phantom_random_chance(random, 0.5)) {
    add_lesion(random, truth, PHANTOM_HEMORRHAGE);
  }
  if (single ? only == 3 : phantom_random_chance(random, 0.5)) {
    add_lesion(random, truth, PHANTOM_INFARCT);
  }
  truth->window_center = floor(phantom_random_range(random, 34, 42));
  truth->window_width = floor(phantom_random_range(random, 76, 96));
}

static void
draw_skull(PhantomCanvas *canvas, PhantomRandom *random)
{
  gsize n = (gsize)canvas->size * canvas->size;
  for (gsize i = 0; i < n; i++) {
    canvas->values[i] = -1000.0f;
  }
  double ru = phantom_random_range(random, 0.66, 0.71),
         rv = phantom_random_range(random, 0.84, 0.89);
  double bone = phantom_random_range(random, 0.06, 0.08);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){0, 0, ru, rv, 0, 0.02}, PHANTOM_SET, 40.0f);
  ru -= 0.03, rv -= 0.03;
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){0, 0, ru, rv, 0, 0.02}, PHANTOM_SET, 1000.0f);
  ru -= bone, rv -= bone;
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){0, 0, ru, rv, 0, 0.015}, PHANTOM_SET, 8.0f);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){0, 0, ru - 0.02, rv - 0.02, 0, 0.02},
                         PHANTOM_SET, 37.0f);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){0, 0, ru - 0.10, rv - 0.10, 0, 0.05},
                         PHANTOM_SET, 31.0f);
  /* Folds of the cortex. */
  for (guint i = 0; i < 20; i++) {
    double t = phantom_random_range(random, -1, 1),
           length = phantom_random_range(random, 0.05, 0.09);
    double flip = i % 2 ? 1 : -1;
    double cosine = flip * (1 - t * t) / (1 + t * t), sine = 2 * t / (1 + t * t);
    double fold[4] = {cosine * (ru - 0.01), sine * (rv - 0.01), cosine * (ru - length),
                      sine * (rv - length)};
    phantom_canvas_stroke(canvas, fold, 0.014, 0.015, PHANTOM_SET, 15.0f);
  }
  double falx_front[4] = {0, -rv, 0, -0.42}, falx_back[4] = {0, 0.46, 0, rv};
  phantom_canvas_stroke(canvas, falx_front, 0.014, 0.015, PHANTOM_SET, 52.0f);
  phantom_canvas_stroke(canvas, falx_back, 0.014, 0.015, PHANTOM_SET, 52.0f);
}

static void
draw_ventricles(PhantomCanvas *canvas, PhantomRandom *random, gboolean enlarged)
{
  double wide = enlarged ? phantom_random_range(random, 0.095, 0.115)
                         : phantom_random_range(random, 0.036, 0.046);
  double high = enlarged ? phantom_random_range(random, 0.21, 0.24)
                         : phantom_random_range(random, 0.15, 0.17);
  double gap = enlarged ? 0.10 : 0.07;
  for (int side = -1; side <= 1; side += 2) {
    PhantomEllipse front = {side * gap, -0.14, wide, high, side * 0.10, 0.02};
    PhantomEllipse back = {side * (gap + 0.04), 0.20, wide * 0.9, high, side * -0.14, 0.02};
    phantom_canvas_ellipse(canvas, &front, PHANTOM_SET, 5.0f);
    phantom_canvas_ellipse(canvas, &back, PHANTOM_SET, 5.0f);
    /* Deep grey matter. */
    PhantomEllipse nuclei = {side * (gap + wide + 0.07), 0.02, 0.05, 0.10, side * 0.1, 0.03};
    phantom_canvas_ellipse(canvas, &nuclei, PHANTOM_SET, 38.0f);
  }
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){0, 0.06, 0.014, 0.07, 0, 0.02}, PHANTOM_SET,
                         8.0f);
}

/* A lesion is three overlapping ellipses, so that no two have the same outline; one lesion's does
 * not depend on the other's presence. */
static void
draw_lesion(PhantomCanvas *canvas, const PhantomTruth *truth, const PhantomFinding *f)
{
  gboolean blood = f->kind == PHANTOM_HEMORRHAGE;
  PhantomRandom shape;
  PhantomRandom *random = &shape;
  phantom_random_init(random, truth->seed, truth->index, PHANTOM_STREAM_ANATOMY + 256 + f->kind);
  for (guint i = 0; i < 3; i++) {
    double du = phantom_random_range(random, -0.3, 0.3) * f->r;
    double dv = phantom_random_range(random, -0.3, 0.3) * f->r;
    double ru = phantom_random_range(random, 0.7, 0.9) * f->r;
    double rv = phantom_random_range(random, 0.8, 1.0) * f->r;
    PhantomEllipse part = {
        f->u + du, f->v + dv, ru, rv, phantom_random_range(random, -0.4, 0.4), blood ? 0.02 : 0.03};
    if (blood && i == 0) {
      PhantomEllipse oedema = {f->u, f->v, f->r * 1.2, f->r * 1.25, 0, 0.04};
      phantom_canvas_ellipse(canvas, &oedema, PHANTOM_SET, 24.0f);
    }
    phantom_canvas_ellipse(canvas, &part, PHANTOM_SET, blood ? 74.0f : 11.0f);
  }
}

static void
head_draw(const PhantomTruth *truth, PhantomCanvas *canvas)
{
  PhantomRandom random;
  phantom_random_init(&random, truth->seed, truth->index, PHANTOM_STREAM_ANATOMY);
  draw_skull(canvas, &random);
  draw_ventricles(canvas, &random, truth->ventricles_enlarged);
  for (guint i = 0; i < truth->n_findings; i++) {
    draw_lesion(canvas, truth, &truth->findings[i]);
  }
  phantom_canvas_relief(canvas, &random, 12, 1.5f, NULL);
  phantom_random_init(&random, truth->seed, truth->index, PHANTOM_STREAM_NOISE);
  float sigma = (float)phantom_random_range(&random, 1.5, 3.5);
  phantom_canvas_noise(canvas, &random, sigma);
}

const PhantomPainter phantom_head_ct = {head_truth, head_draw};
