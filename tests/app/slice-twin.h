/* slice-twin.h - what app_slice_draw() does, pixel by pixel and in real numbers. */
#ifndef HILUM_TESTS_SLICE_TWIN_H
#define HILUM_TESTS_SLICE_TWIN_H

#include <math.h>

#include "app_slice.h"

/* The source along one axis that a canvas pixel from A to B stands for: weights of N pixels. */
static inline void
twin_weights(double a, double b, double step, gboolean smooth, guint n, double *weights)
{
  double low = CLAMP(MIN(a, b), 0, n), high = CLAMP(MAX(a, b), 0, n);

  memset(weights, 0, n * sizeof *weights);
  if (step > 1 && high > low) {
    for (guint i = 0; i < n; i++) {
      double covered = MIN(high, i + 1.0) - MAX(low, i);

      weights[i] = covered > 0 ? covered / (high - low) : 0;
    }
  } else if (smooth) {
    double at = CLAMP((a + b) / 2 - 0.5, 0, n - 1.0);
    guint first = (guint)at;

    weights[first] = 1 - (at - first);
    if (first + 1 < n) {
      weights[first + 1] = at - first;
    }
  } else {
    weights[(guint)CLAMP(floor((a + b) / 2), 0, n - 1.0)] = 1;
  }
}

/* The largest difference between CANVAS and what should be there, in greys, at every STEP-th pixel
 * of every STEP-th row; RGB is the picture. */
static inline double
twin_difference(const AppCanvas *canvas, const guint8 *rgb, const AppSliceFacts *facts,
                const AppPlacement *placement, guint step)
{
  const guint32 *words = g_bytes_get_data(canvas->pixels, NULL);
  guint w = facts->width, h = facts->height;
  g_autofree double *across = g_new(double, w), *down = g_new(double, h);
  double aspect = facts->pixel_aspect, worst = 0;

  for (guint j = 0; j < canvas->height; j += step) {
    for (guint i = 0; i < canvas->width; i += step) {
      double cx = canvas->x + i, cy = canvas->y + j, x[2], y[2], sums[3] = {0};

      app_placement_to_picture(placement, facts, cx, cy, &x[0], &y[0]);
      app_placement_to_picture(placement, facts, cx + 1, cy + 1, &x[1], &y[1]);
      twin_weights(x[0], x[1], 1 / placement->scale, placement->smooth, w, across);
      twin_weights(y[0], y[1], 1 / (placement->scale * aspect), placement->smooth, h, down);
      for (guint v = 0; v < h; v++) {
        for (guint u = 0; down[v] > 0 && u < w; u++) {
          for (guint c = 0; c < 3; c++) {
            sums[c] += down[v] * across[u] * rgb[3 * ((gsize)v * w + u) + c];
          }
        }
      }
      for (guint c = 0; c < 3; c++) {
        double there = words[(gsize)j * canvas->width + i] >> (16 - 8 * c) & 0xff;

        worst = MAX(worst, fabs(there - sums[c]));
      }
      if (words[(gsize)j * canvas->width + i] >> 24 != 0xff) {
        worst = INFINITY;
      }
    }
  }
  return worst;
}

#endif
