/* phantom-chest-cr.c - a chest radiograph, posterior to anterior.
 *
 * Values are 12 bits, bright is dense. The patient's right is on the picture's left. Zones are
 * three bands of height with gaps between them, so that the truth is never a matter of taste.
 */
#include "phantom-private.h"

#include <math.h>
#include <string.h>

typedef struct {
  const char *name;
  double low, high; /* of v */
} Zone;
static const Zone zones[3] = {
    {"upper", -0.42, -0.30}, {"middle", -0.10, 0.02}, {"lower", 0.28, 0.36}};

/* The upper zone keeps clear of the clavicles and devices, the lower one of the heart and of fluid.
 */
static void
add_nodules(PhantomRandom *random, PhantomTruth *truth, guint n)
{
  for (guint i = 0; i < n; i++) {
    gboolean large = n == 1 && phantom_random_chance(random, 0.5);
    /* A crowded chest may have no place left: the truth is what was placed. */
    guint z = phantom_random_below(random, 3);
    for (guint attempt = 0; attempt < 40; attempt++) {
      PhantomSide side = phantom_random_side(random);
      /* A zone that is hard to fill gets some tries before another has its turn. */
      z = attempt % 10 == 9 ? phantom_random_below(random, 3) : z;
      double r = phantom_radius(random, large);
      double v = phantom_random_range(random, zones[z].low, zones[z].high);
      double u = phantom_random_range(random, 0.33, 0.52);
      if (z == 2) {
        u = phantom_random_range(random, 0.50, 0.56);
        gboolean heart = side == PHANTOM_SIDE_LEFT && (truth->heart_enlarged || large);
        if (heart || phantom_count(truth, PHANTOM_EFFUSION, side) > 0) {
          continue;
        }
        u -= side == PHANTOM_SIDE_RIGHT ? 0.08 : 0;
        v -= large ? 0.06 : 0; /* off the diaphragm */
      }
      u *= phantom_side_sign(side);
      if (phantom_free_place(truth, u, v, r, 0.07)) {
        PhantomFinding *f = phantom_add(truth, PHANTOM_NODULE, side, u, v, r);
        f->zone = zones[z].name;
        f->large = large;
        break;
      }
    }
  }
}

static void
chest_truth(PhantomRandom *random, PhantomTruth *truth)
{
  /* Half of the studies hold one thing or nothing, so that "what is abnormal?" has one answer. */
  gboolean single = phantom_random_chance(random, 0.45);
  guint only = phantom_random_below(random, 4);
  gboolean nodules = single ? only == 1 : phantom_random_chance(random, 0.65);
  gboolean effusion = single ? only == 2 : phantom_random_chance(random, 0.5);
  truth->heart_enlarged = single ? only == 3 : phantom_random_chance(random, 0.5);
  if (effusion) {
    PhantomSide side = (PhantomSide)(PHANTOM_SIDE_LEFT + phantom_random_below(random, 3));
    phantom_add(truth, PHANTOM_EFFUSION, side, 0, 0, 0);
    /* Fluid on both sides hides the heart's borders: its size could not be told. */
    truth->heart_enlarged &= side != PHANTOM_SIDE_BOTH;
  }
  if (phantom_random_chance(random, 0.45)) {
    PhantomSide side = phantom_random_side(random);
    double u = phantom_side_sign(side) * phantom_random_range(random, 0.50, 0.58);
    phantom_add(truth, PHANTOM_PACEMAKER, side, u, phantom_random_range(random, -0.66, -0.60),
                0.11);
  }
  if (nodules) {
    add_nodules(random, truth, phantom_random_count(random));
  }
  truth->monochrome1 = phantom_random_chance(random, 0.25);
  truth->window_center = floor(phantom_random_range(random, 1900, 2200));
  truth->window_width = floor(phantom_random_range(random, 3000, 3700));
}

/* ---- drawing -----------------------------------------------------------------------------------
 */

typedef struct {
  double lung_u, lung_ru, lung_rv, lung_v;
  double dome[2]; /* height of the diaphragm, patient's left and right */
  double rib_gap, rib_phase;
  float lung, tissue, rib;
} Anatomy;

static Anatomy
draw_anatomy(PhantomRandom *random)
{
  Anatomy a;
  a.lung_u = phantom_random_range(random, 0.40, 0.43);
  a.lung_ru = phantom_random_range(random, 0.29, 0.32);
  a.lung_rv = phantom_random_range(random, 0.66, 0.72);
  a.lung_v = phantom_random_range(random, -0.06, -0.02);
  a.dome[0] = phantom_random_range(random, 0.49, 0.54);
  a.dome[1] = a.dome[0] - phantom_random_range(random, 0.02, 0.06);
  a.rib_gap = phantom_random_range(random, 0.125, 0.145);
  a.rib_phase = phantom_random_unit(random);
  a.lung = (float)phantom_random_range(random, 850, 1150);
  a.tissue = (float)phantom_random_range(random, 2350, 2650);
  a.rib = (float)phantom_random_range(random, 170, 260);
  return a;
}

static void
draw_torso(PhantomCanvas *canvas, const Anatomy *a)
{
  gsize n = (gsize)canvas->size * canvas->size;
  for (gsize i = 0; i < n; i++) {
    canvas->values[i] = 150.0f;
  }
  float wall = a->tissue - 350.0f;
  phantom_canvas_box(canvas, 0, 0.55, 0.86, 1.15, 0.12, PHANTOM_SET, wall);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){0, -0.30, 0.92, 0.52, 0, 0.08}, PHANTOM_SET,
                         wall);
  phantom_canvas_box(canvas, 0, -0.85, 0.20, 0.4, 0.10, PHANTOM_SET, wall + 100.0f);
}

/* The lungs' shape goes into MASK. */
static void
lung_mask(const PhantomCanvas *canvas, const Anatomy *a, float *mask)
{
  PhantomCanvas board = *canvas;
  board.values = mask;
  for (int side = -1; side <= 1; side += 2) {
    PhantomEllipse lung = {side * a->lung_u, a->lung_v + 0.12, a->lung_ru,
                           a->lung_rv,       side * -0.05,     0.03};
    phantom_canvas_ellipse(&board, &lung, PHANTOM_MAX, 1.0f);
  }
}

/* Ribs: parallel bands that fall to the sides (behind) and to the middle (in front). */
static void
draw_ribs(PhantomCanvas *canvas, const Anatomy *a)
{
  for (int side = -1; side <= 1; side += 2) {
    for (guint k = 0; k < 9; k++) {
      double v = -0.66 + a->rib_gap * (k + a->rib_phase * 0.8);
      double u0 = side * 0.10, u1 = side * 0.45, u2 = side * 0.72;
      double back[4] = {u0, v, u1, v + 0.02}, back_side[4] = {u1, v + 0.02, u2, v + 0.16};
      phantom_canvas_stroke(canvas, back, 0.034, 0.03, PHANTOM_ADD, a->rib);
      phantom_canvas_stroke(canvas, back_side, 0.034, 0.03, PHANTOM_ADD, a->rib);
      if (k % 2 == 0) {
        double front[4] = {u2, v + 0.16, side * 0.30, v + 0.36};
        phantom_canvas_stroke(canvas, front, 0.04, 0.04, PHANTOM_ADD, a->rib * 0.45f);
      }
    }
    double clavicle[4] = {side * 0.08, -0.60, side * 0.66, -0.76};
    phantom_canvas_stroke(canvas, clavicle, 0.05, 0.03, PHANTOM_ADD, a->rib * 1.7f);
  }
}

static void
draw_middle(PhantomCanvas *canvas, PhantomRandom *random, const PhantomTruth *truth,
            const Anatomy *a)
{
  float heart = a->tissue + 50.0f;
  phantom_canvas_box(canvas, 0, 0, 0.115, 0.75, 0.08, PHANTOM_SET, a->tissue + 80.0f);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){0.12, -0.26, 0.075, 0.09, 0, 0.03}, PHANTOM_SET,
                         heart);
  /* Windpipe: a dark stripe down to the fork. */
  phantom_canvas_box(canvas, 0, -0.62, 0.035, 0.30, 0.03, PHANTOM_ADD, -450.0f);
  for (int side = -1; side <= 1; side += 2) {
    phantom_canvas_ellipse(canvas, &(PhantomEllipse){side * 0.17, -0.06, 0.08, 0.12, 0, 0.08},
                           PHANTOM_ADD, 380.0f);
  }
  /* The heart is 0.38 to 0.46 of the chest across, enlarged 0.60 to 0.68. */
  double ru = truth->heart_enlarged ? phantom_random_range(random, 0.45, 0.50)
                                    : phantom_random_range(random, 0.265, 0.305);
  double rv = truth->heart_enlarged ? phantom_random_range(random, 0.34, 0.38)
                                    : phantom_random_range(random, 0.25, 0.29);
  double u = truth->heart_enlarged ? 0.13 : phantom_random_range(random, 0.07, 0.11);
  phantom_canvas_ellipse(canvas, &(PhantomEllipse){u, 0.29, ru, rv, 0.1, 0.045}, PHANTOM_SET,
                         heart);
  /* Vertebrae shine through. */
  for (guint k = 0; k < 12; k++) {
    phantom_canvas_box(canvas, 0, -0.72 + 0.13 * k, 0.075, 0.045, 0.03, PHANTOM_ADD, 130.0f);
  }
}

static void
draw_effusion(PhantomCanvas *canvas, PhantomRandom *random, const PhantomTruth *truth,
              const Anatomy *a, const float *mask)
{
  for (int side = -1; side <= 1; side += 2) {
    PhantomSide name = side > 0 ? PHANTOM_SIDE_LEFT : PHANTOM_SIDE_RIGHT;
    double level = phantom_random_range(random, 0.15, 0.24);
    if (phantom_count(truth, PHANTOM_EFFUSION, name) == 0) {
      continue;
    }
    /* The meniscus climbs towards the chest wall. */
    PhantomCurve meniscus = {.u0 = side * 0.30,
                             .v0 = level,
                             .slope = side * -0.1,
                             .bend = -0.9,
                             .u_low = side > 0 ? 0.0 : -0.9,
                             .u_high = side > 0 ? 0.9 : 0.0,
                             .edge = 0.06};
    phantom_canvas_below(canvas, &meniscus, mask, a->tissue + 120.0f);
  }
}

static void
draw_findings(PhantomCanvas *canvas, const PhantomTruth *truth, const Anatomy *a)
{
  for (guint i = 0; i < truth->n_findings; i++) {
    const PhantomFinding *f = &truth->findings[i];
    if (f->kind == PHANTOM_NODULE) {
      PhantomEllipse nodule = {f->u, f->v, f->r, f->r, 0, 0.03};
      phantom_canvas_ellipse(canvas, &nodule, PHANTOM_ADD, (a->tissue - a->lung) * 0.85f);
    } else if (f->kind == PHANTOM_PACEMAKER) {
      double side = phantom_side_sign(f->side);
      double lead[3][4] = {{f->u, f->v + 0.05, side * 0.16, -0.50},
                           {side * 0.16, -0.50, 0.02, 0.0},
                           {0.02, 0.0, 0.16, 0.40}};
      for (guint k = 0; k < 3; k++) {
        phantom_canvas_stroke(canvas, lead[k], 0.022, 0.012, PHANTOM_SET, 3950.0f);
      }
      phantom_canvas_box(canvas, f->u, f->v, 0.105, 0.085, 0.02, PHANTOM_SET, 4000.0f);
    }
  }
}

static void
chest_draw(const PhantomTruth *truth, PhantomCanvas *canvas)
{
  PhantomRandom random;
  phantom_random_init(&random, truth->seed, truth->index, PHANTOM_STREAM_ANATOMY);
  gsize n = (gsize)canvas->size * canvas->size;
  g_autofree float *mask = g_new0(float, n);
  Anatomy a = draw_anatomy(&random);
  draw_torso(canvas, &a);
  lung_mask(canvas, &a, mask);
  phantom_canvas_fill(canvas, mask, a.lung);
  phantom_canvas_relief(canvas, &random, 9, 110.0f, mask);
  for (int side = -1; side <= 1; side += 2) {
    PhantomCurve dome = {.u0 = side * 0.40,
                         .v0 = a.dome[side > 0 ? 0 : 1],
                         .bend = 1.5,
                         .u_low = side > 0 ? 0.0 : -0.9,
                         .u_high = side > 0 ? 0.9 : 0.0,
                         .edge = 0.035};
    phantom_canvas_below(canvas, &dome, mask, a.tissue);
  }
  draw_ribs(canvas, &a);
  draw_middle(canvas, &random, truth, &a);
  draw_effusion(canvas, &random, truth, &a, mask);
  draw_findings(canvas, truth, &a);
  phantom_random_init(&random, truth->seed, truth->index, PHANTOM_STREAM_NOISE);
  float sigma = (float)phantom_random_range(&random, 30, 90);
  phantom_canvas_noise(canvas, &random, sigma);
}

const PhantomPainter phantom_chest_cr = {chest_truth, chest_draw};
