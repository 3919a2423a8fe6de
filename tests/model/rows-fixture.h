/* rows-fixture.h - pseudo-random rows of weights, the same everywhere. */
#ifndef HILUM_TEST_ROWS_FIXTURE_H
#define HILUM_TEST_ROWS_FIXTURE_H

#include <glib.h>
#include <math.h>

typedef enum { ROWS_NORMAL, ROWS_LAPLACE, ROWS_OUTLIERS, ROWS_N } RowsKind;

/* N values of standard deviation near 0.02; outliers: one value in 64 is ten times as large. */
static inline float *
rows_make(RowsKind kind, gsize n)
{
  guint64 state = 88172645463325252u + kind;
  float *rows = g_new(float, n);

  for (gsize i = 0; i < n; i++) {
    double u[2], value;
    for (int k = 0; k < 2; k++) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      u[k] = ((double)(state >> 11) + 0.5) * 0x1p-53;
    }
    value = sqrt(-2 * log(u[0])) * cos(2 * G_PI * u[1]);
    if (kind == ROWS_LAPLACE)
      value = log(u[0]) * (u[1] < 0.5 ? -0.7071 : 0.7071);
    if (kind == ROWS_OUTLIERS && state % 64 == 0)
      value *= 10;
    rows[i] = (float)(0.02 * value);
  }
  return rows;
}

#endif
