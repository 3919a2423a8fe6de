/* slice-place.h - a placement as two straight lines, one for each axis of the picture. Private. */
#ifndef HILUM_APP_SLICE_PLACE_H
#define HILUM_APP_SLICE_PLACE_H

#include "app_slice.h"

G_BEGIN_DECLS

/* One axis of the picture as it is stored. */
typedef struct {
  gboolean down;     /* it runs down or up the canvas, not across */
  guint n, n_canvas; /* pixels of the picture and of the canvas along it */
  double centre;     /* of the canvas, in the picture */
  double step;       /* device pixels for a pixel; negative: it runs to the left, or up */
} AppPlaceAxis;

/* Numbers that are none become a fit; turns 0 to 3. */
AppPlacement app_placement_usable(const AppPlacement *placement, const AppSliceFacts *facts);
/* PLACEMENT is a usable one. */
AppPlaceAxis app_place_axis(const AppPlacement *placement, const AppSliceFacts *facts,
                            gboolean is_y);
double app_place_on_canvas(const AppPlaceAxis *axis, double at);
double app_place_on_picture(const AppPlaceAxis *axis, double at);
/* Device pixels whose centres the picture covers, from FIRST on. */
guint app_place_covered(const AppPlaceAxis *axis, guint *first);

G_END_DECLS
#endif
