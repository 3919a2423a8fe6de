/* resample.c - nearest, bilinear and mean of boxes, on the CPU. */
#include "viewer/resample.h"

static inline guint32
pixel(guint32 r, guint32 g, guint32 b)
{
  return 0xff000000u | r << 16 | g << 8 | b;
}

/* The source position of output I out of N, for pixels that are areas: the first that it covers. */
static inline guint
covered(guint i, guint n, guint n_source)
{
  return (guint)((guint64)i * n_source / n);
}

static void
nearest(const guint8 *rgb, guint width, guint height, guint32 *out, guint out_width,
        guint out_height)
{
  for (guint y = 0; y < out_height; y++) {
    guint from_y = (guint)(((guint64)y * 2 + 1) * height / ((guint64)out_height * 2));
    const guint8 *row = rgb + (gsize)from_y * width * 3;
    for (guint x = 0; x < out_width; x++) {
      const guint8 *p = row + 3 * (((guint64)x * 2 + 1) * width / ((guint64)out_width * 2));
      out[(gsize)y * out_width + x] = pixel(p[0], p[1], p[2]);
    }
  }
}

/* ---- bilinear ----------------------------------------------------------------------------- */

typedef struct {
  guint low, high; /* neighbouring source positions */
  guint32 share;   /* of HIGH, out of 256 */
} Tap;

/* Centres of pixels lie on centres: output i + 1/2 is source (i + 1/2) * n_source / n. */
static Tap *
bilinear_taps(guint n, guint n_source)
{
  Tap *taps = g_new(Tap, n);

  for (guint i = 0; i < n; i++) {
    double at = CLAMP((i + 0.5) * n_source / n - 0.5, 0, n_source - 1);
    taps[i].low = (guint)at;
    taps[i].high = MIN(taps[i].low + 1, n_source - 1);
    taps[i].share = (guint32)((at - taps[i].low) * 256 + 0.5);
  }
  return taps;
}

static void
bilinear(const guint8 *rgb, guint width, guint height, guint32 *out, guint out_width,
         guint out_height)
{
  g_autofree Tap *columns = bilinear_taps(out_width, width);
  g_autofree Tap *rows = bilinear_taps(out_height, height);
  gsize stride = (gsize)width * 3;
  g_autofree guint16 *line = g_new(guint16, stride); /* 256 times the mixed row */

  for (guint y = 0; y < out_height; y++) {
    const guint8 *a = rgb + rows[y].low * stride;
    const guint8 *b = rgb + rows[y].high * stride;
    guint32 share = rows[y].share;
    for (gsize i = 0; i < stride; i++) {
      line[i] = (guint16)(a[i] * (256 - share) + b[i] * share);
    }
    for (guint x = 0; x < out_width; x++) {
      const guint16 *p = line + 3 * (gsize)columns[x].low;
      const guint16 *q = line + 3 * (gsize)columns[x].high;
      guint32 right = columns[x].share, left = 256 - right;
      out[(gsize)y * out_width + x] = pixel((p[0] * left + q[0] * right + 32768) >> 16,
                                            (p[1] * left + q[1] * right + 32768) >> 16,
                                            (p[2] * left + q[2] * right + 32768) >> 16);
    }
  }
}

/* ---- boxes -------------------------------------------------------------------------------- */

static void
boxes(const guint8 *rgb, guint width, guint height, guint32 *out, guint out_width, guint out_height)
{
  gsize stride = (gsize)width * 3;
  g_autofree guint32 *line = g_new(guint32, stride); /* sums down the rows of a box */

  for (guint y = 0; y < out_height; y++) {
    guint top = covered(y, out_height, height);
    guint bottom = MAX(covered(y + 1, out_height, height), top + 1);
    const guint8 *row = rgb + top * stride;
    for (gsize i = 0; i < stride; i++) {
      line[i] = row[i];
    }
    for (guint from = top + 1; from < bottom; from++) {
      row += stride;
      for (gsize i = 0; i < stride; i++) {
        line[i] += row[i];
      }
    }
    for (guint x = 0; x < out_width; x++) {
      guint left = covered(x, out_width, width);
      guint right = MAX(covered(x + 1, out_width, width), left + 1);
      float n = (float)(bottom - top) * (float)(right - left);
      guint64 r = 0, g = 0, b = 0;
      for (guint from = left; from < right; from++) {
        r += line[3 * (gsize)from];
        g += line[3 * (gsize)from + 1];
        b += line[3 * (gsize)from + 2];
      }
      out[(gsize)y * out_width + x] =
          pixel((guint32)((float)r / n + 0.5f), (guint32)((float)g / n + 0.5f),
                (guint32)((float)b / n + 0.5f));
    }
  }
}

void
desktop_resample(const guint8 *rgb, guint width, guint height, DesktopFilter filter, guint32 *out,
                 guint out_width, guint out_height)
{
  g_return_if_fail(width > 0 && height > 0 && out_width > 0 && out_height > 0);
  if (filter == DESKTOP_FILTER_NEAREST) {
    nearest(rgb, width, height, out, out_width, out_height);
  } else if (width / 2 >= out_width || height / 2 >= out_height) {
    boxes(rgb, width, height, out, out_width, out_height);
  } else {
    bilinear(rgb, width, height, out, out_width, out_height);
  }
}
