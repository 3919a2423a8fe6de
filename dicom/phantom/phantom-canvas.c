/* phantom-canvas.c - soft-edged shapes on a square of floats.
 *
 * Every shape is drawn in the phantom's own frame; the canvas's pose maps pixels into it. A shape
 * is visited in the bounding box of its posed outline only, and rows are simple loops that the
 * compiler turns into vector code.
 */
#include "phantom-private.h"

#include <math.h>

/* Pixels x0 <= x < x1, y0 <= y < y1, and the map from pixel centres to (u, v). */
typedef struct {
  gint x0, x1, y0, y1;
  double u_x, u_y, u_0, v_x, v_y, v_0;
} Window;

static gint
clamp_pixel(double value, gint size)
{
  return value <= 0 ? 0 : value >= size ? size : (gint)value;
}

/* The part of the canvas that the box of half sizes (HU, HV) around (U, V) can touch. */
static Window
window_for(const PhantomCanvas *canvas, double u, double v, double hu, double hv)
{
  const PhantomPose *pose = &canvas->pose;
  double half = canvas->size / 2.0;
  double inverse = 1.0 / pose->scale, step = 1.0 / half;
  Window w;
  /* Pixel centre (x + 0.5) / half - 1 = picture coordinate; the pose is undone. */
  double p0 = 0.5 * step - 1.0 - pose->shift_u, q0 = 0.5 * step - 1.0 - pose->shift_v;
  w.u_x = pose->cosine * step * inverse;
  w.u_y = pose->sine * step * inverse;
  w.u_0 = (pose->cosine * p0 + pose->sine * q0) * inverse;
  w.v_x = -pose->sine * step * inverse;
  w.v_y = pose->cosine * step * inverse;
  w.v_0 = (-pose->sine * p0 + pose->cosine * q0) * inverse;
  double cx = (pose->scale * (pose->cosine * u - pose->sine * v) + pose->shift_u + 1.0) * half;
  double cy = (pose->scale * (pose->sine * u + pose->cosine * v) + pose->shift_v + 1.0) * half;
  double ac = fabs(pose->cosine), as = fabs(pose->sine);
  double ex = pose->scale * (ac * hu + as * hv) * half + 2.0;
  double ey = pose->scale * (as * hu + ac * hv) * half + 2.0;
  gint size = (gint)canvas->size;
  w.x0 = clamp_pixel(floor(cx - ex), size);
  w.x1 = clamp_pixel(ceil(cx + ex), size);
  w.y0 = clamp_pixel(floor(cy - ey), size);
  w.y1 = clamp_pixel(ceil(cy + ey), size);
  return w;
}

static inline float
clamp_unit(float value)
{
  value = value < 0.0f ? 0.0f : value;
  return value > 1.0f ? 1.0f : value;
}

/* COVERAGE of one row goes into the canvas. */
static void
blend_row(float *values, const float *coverage, gint n, PhantomOp op, float value)
{
  if (op == PHANTOM_ADD) {
    for (gint i = 0; i < n; i++) {
      values[i] += coverage[i] * value;
    }
  } else if (op == PHANTOM_SET) {
    for (gint i = 0; i < n; i++) {
      values[i] += coverage[i] * (value - values[i]);
    }
  } else {
    for (gint i = 0; i < n; i++) {
      float candidate = coverage[i] * value;
      values[i] = values[i] > candidate ? values[i] : candidate;
    }
  }
}

void
phantom_canvas_ellipse(PhantomCanvas *canvas, const PhantomEllipse *ellipse, PhantomOp op,
                       float value)
{
  double t = ellipse->turn, cosine = (1 - t * t) / (1 + t * t), sine = 2 * t / (1 + t * t);
  double reach_u = fabs(cosine) * ellipse->ru + fabs(sine) * ellipse->rv + ellipse->edge;
  double reach_v = fabs(sine) * ellipse->ru + fabs(cosine) * ellipse->rv + ellipse->edge;
  Window w = window_for(canvas, ellipse->u, ellipse->v, reach_u, reach_v);
  /* The unit circle's coordinates (p, q) are affine in the pixel's. */
  double iu = 1.0 / ellipse->ru, iv = 1.0 / ellipse->rv;
  float p_x = (float)((cosine * w.u_x + sine * w.v_x) * iu);
  float q_x = (float)((-sine * w.u_x + cosine * w.v_x) * iv);
  double small = ellipse->ru < ellipse->rv ? ellipse->ru : ellipse->rv;
  /* 1 - r^2 is about twice the distance to the border over the radius. */
  float gain = (float)(small / (2.0 * ellipse->edge));
  float coverage[PHANTOM_MAX_SIZE];
  gint n = w.x1 - w.x0;
  for (gint y = w.y0; y < w.y1; y++) {
    double du = w.u_x * w.x0 + w.u_y * y + w.u_0 - ellipse->u;
    double dv = w.v_x * w.x0 + w.v_y * y + w.v_0 - ellipse->v;
    float p0 = (float)((cosine * du + sine * dv) * iu);
    float q0 = (float)((-sine * du + cosine * dv) * iv);
    for (gint i = 0; i < n; i++) {
      float p = p0 + p_x * (float)i, q = q0 + q_x * (float)i;
      coverage[i] = clamp_unit((1.0f - p * p - q * q) * gain + 0.5f);
    }
    blend_row(canvas->values + (gsize)y * canvas->size + w.x0, coverage, n, op, value);
  }
}

void
phantom_canvas_stroke(PhantomCanvas *canvas, const double line[4], double width, double edge,
                      PhantomOp op, float value)
{
  double du = line[2] - line[0], dv = line[3] - line[1];
  double reach = width / 2 + edge;
  Window w = window_for(canvas, (line[0] + line[2]) / 2, (line[1] + line[3]) / 2,
                        fabs(du) / 2 + reach, fabs(dv) / 2 + reach);
  float inverse = (float)(1.0 / (du * du + dv * dv));
  float fu = (float)du, fv = (float)dv, half = (float)(width / 2), sharp = (float)(1.0 / edge);
  float coverage[PHANTOM_MAX_SIZE];
  gint n = w.x1 - w.x0;
  for (gint y = w.y0; y < w.y1; y++) {
    float u0 = (float)(w.u_x * w.x0 + w.u_y * y + w.u_0 - line[0]);
    float v0 = (float)(w.v_x * w.x0 + w.v_y * y + w.v_0 - line[1]);
    for (gint i = 0; i < n; i++) {
      float u = u0 + (float)w.u_x * (float)i, v = v0 + (float)w.v_x * (float)i;
      float along = clamp_unit((u * fu + v * fv) * inverse);
      u -= along * fu;
      v -= along * fv;
      coverage[i] = clamp_unit((half - sqrtf(u * u + v * v)) * sharp + 0.5f);
    }
    blend_row(canvas->values + (gsize)y * canvas->size + w.x0, coverage, n, op, value);
  }
}

void
phantom_canvas_box(PhantomCanvas *canvas, double u, double v, double hu, double hv, double edge,
                   PhantomOp op, float value)
{
  Window w = window_for(canvas, u, v, hu + edge, hv + edge);
  float sharp = (float)(1.0 / edge), fu = (float)hu, fv = (float)hv;
  float coverage[PHANTOM_MAX_SIZE];
  gint n = w.x1 - w.x0;
  for (gint y = w.y0; y < w.y1; y++) {
    float u0 = (float)(w.u_x * w.x0 + w.u_y * y + w.u_0 - u);
    float v0 = (float)(w.v_x * w.x0 + w.v_y * y + w.v_0 - v);
    for (gint i = 0; i < n; i++) {
      float du = fabsf(u0 + (float)w.u_x * (float)i), dv = fabsf(v0 + (float)w.v_x * (float)i);
      float across = clamp_unit((fu - du) * sharp + 0.5f);
      coverage[i] = across * clamp_unit((fv - dv) * sharp + 0.5f);
    }
    blend_row(canvas->values + (gsize)y * canvas->size + w.x0, coverage, n, op, value);
  }
}

void
phantom_canvas_below(PhantomCanvas *canvas, const PhantomCurve *curve, const float *mask,
                     float value)
{
  Window w = window_for(canvas, (curve->u_low + curve->u_high) / 2, 0,
                        (curve->u_high - curve->u_low) / 2, 1.6);
  float slope = (float)curve->slope, bend = (float)curve->bend;
  float sharp = (float)(1.0 / curve->edge);
  float low = (float)(curve->u_low - curve->u0), high = (float)(curve->u_high - curve->u0);
  float coverage[PHANTOM_MAX_SIZE];
  gint n = w.x1 - w.x0;
  for (gint y = w.y0; y < w.y1; y++) {
    float u0 = (float)(w.u_x * w.x0 + w.u_y * y + w.u_0 - curve->u0);
    float v0 = (float)(w.v_x * w.x0 + w.v_y * y + w.v_0 - curve->v0);
    gsize at = (gsize)y * canvas->size + (gsize)w.x0;
    for (gint i = 0; i < n; i++) {
      float u = u0 + (float)w.u_x * (float)i, v = v0 + (float)w.v_x * (float)i;
      float inside = clamp_unit((v - slope * u - bend * u * u) * sharp + 0.5f);
      coverage[i] = u > low && u < high ? inside : 0.0f;
    }
    if (mask) {
      for (gint i = 0; i < n; i++) {
        coverage[i] *= mask[at + (gsize)i];
      }
    }
    blend_row(canvas->values + at, coverage, n, PHANTOM_SET, value);
  }
}

void
phantom_canvas_fill(PhantomCanvas *canvas, const float *mask, float value)
{
  gsize n = (gsize)canvas->size * canvas->size;
  for (gsize i = 0; i < n; i++) {
    canvas->values[i] += mask[i] * (value - canvas->values[i]);
  }
}

void
phantom_canvas_relief(PhantomCanvas *canvas, PhantomRandom *random, guint cells, float amplitude,
                      const float *mask)
{
  float grid[33 * 33];
  g_assert(cells >= 1 && cells <= 32);
  for (guint i = 0; i < (cells + 1) * (cells + 1); i++) {
    grid[i] = (float)phantom_random_range(random, -amplitude, amplitude);
  }
  guint size = canvas->size;
  float step = (float)cells / (float)size;
  float row[33];
  for (guint y = 0; y < size; y++) {
    float gy = ((float)y + 0.5f) * step;
    guint cy = (guint)gy < cells ? (guint)gy : cells - 1;
    float fy = gy - (float)cy;
    for (guint c = 0; c <= cells; c++) {
      row[c] = grid[cy * (cells + 1) + c] +
               fy * (grid[(cy + 1) * (cells + 1) + c] - grid[cy * (cells + 1) + c]);
    }
    float *values = canvas->values + (gsize)y * size;
    for (guint x = 0; x < size; x++) {
      float gx = ((float)x + 0.5f) * step;
      guint cx = (guint)gx < cells ? (guint)gx : cells - 1;
      float relief = row[cx] + (gx - (float)cx) * (row[cx + 1] - row[cx]);
      values[x] += mask ? relief * mask[(gsize)y * size + x] : relief;
    }
  }
}

void
phantom_canvas_noise(PhantomCanvas *canvas, PhantomRandom *random, float sigma)
{
  gsize n = (gsize)canvas->size * canvas->size;
  /* Four uniform 16-bit numbers: variance 4 / 12 of 65536 squared. */
  float gain = sigma / 37837.2f;
  for (gsize i = 0; i < n; i++) {
    guint64 bits = phantom_random_next(random);
    gint sum = (gint)(bits & 0xffff) + (gint)((bits >> 16) & 0xffff) +
               (gint)((bits >> 32) & 0xffff) + (gint)(bits >> 48) - 131070;
    canvas->values[i] += (float)sum * gain;
  }
}
