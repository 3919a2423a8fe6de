/* resample.h - a picture at the size that the screen has for it. */
#ifndef HILUM_DESKTOP_RESAMPLE_H
#define HILUM_DESKTOP_RESAMPLE_H

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  DESKTOP_FILTER_NEAREST, /* each pixel as it is */
  /* Bilinear; from half the size on down the mean of the pixels that fall together, because
   * bilinear would leave out most of them and make fine structures flicker. */
  DESKTOP_FILTER_SMOOTH,
} DesktopFilter;

/* RGB (WIDTH x HEIGHT x 3 bytes) to OUT (OUT_WIDTH x OUT_HEIGHT pixels 0xffRRGGBB in native byte
 * order, GDK_MEMORY_DEFAULT). All sizes are at least 1. */
void desktop_resample(const guint8 *rgb, guint width, guint height, DesktopFilter filter,
                      guint32 *out, guint out_width, guint out_height);

G_END_DECLS
#endif
