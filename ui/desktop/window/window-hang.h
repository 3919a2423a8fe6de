/* window-hang.h - which images are shown side by side when a study is opened. */
#ifndef HILUM_DESKTOP_WINDOW_HANG_H
#define HILUM_DESKTOP_WINDOW_HANG_H

#include "app.h"

G_BEGIN_DECLS

#define DESKTOP_PANES 4

typedef struct {
  guint columns, rows; /* 1 or 2 each */
  guint n;             /* panes that have an image */
  struct {
    guint series, index;
  } panes[DESKTOP_PANES];
} DesktopHanging;

/* By modality and by what the series say of themselves: a prior beside what is current, the views
 * of a radiograph side by side, else the first stack that is no localizer. N 0: there is no image.
 */
void desktop_hang(AppStudy *study, DesktopHanging *hanging);

G_END_DECLS
#endif
