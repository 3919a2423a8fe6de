/* slice-resample.h - a picture at the device pixels that it covers.
 *
 * Turned by right angles only, so that rows and columns are resampled one after the other: each
 * output pixel is a sum over neighbouring source pixels, with weights that were made once for its
 * row and once for its column. Reduced, a pixel is the mean of the area that it covers (fractions
 * of source pixels count as such); enlarged, it is bilinear or the nearest one.
 */
#ifndef HILUM_APP_SLICE_RESAMPLE_H
#define HILUM_APP_SLICE_RESAMPLE_H

#include <glib.h>

G_BEGIN_DECLS

/* Where the N outputs along one axis come from: N_TAPS source pixels each, from FIRST on, with
 * WEIGHTS that sum up to APP_TAPS_ONE. */
#define APP_TAPS_ONE 32768
typedef struct {
  guint n, n_taps;
  guint *first;
  guint16 *weights; /* n * n_taps */
} AppTaps;

/* Output I covers the source from START + I * STEP to START + (I + 1) * STEP; STEP is not 0, and
 * negative for a mirrored axis. Where that is outside of the N_SOURCE pixels, the nearest counts.
 */
AppTaps *app_taps_new(double start, double step, guint n, guint n_source, gboolean smooth);
void app_taps_free(AppTaps *taps);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppTaps, app_taps_free)

/* PIXELS: WIDTH x ... x CHANNELS (1 or 3) bytes. OUT: words 0xffRRGGBB, X->n in a row, Y->n rows;
 * with TRANSPOSE the other way round: Y->n in a row. */
void app_resample(const guint8 *pixels, guint width, guint channels, const AppTaps *x,
                  const AppTaps *y, gboolean transpose, guint32 *out);

G_END_DECLS
#endif
