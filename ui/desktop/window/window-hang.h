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
/* Of the studies of the same patient before study number BEFORE the newest in which the same was
 * done as in SERIES: its modality and, where both tell, its body part; the series of it that is
 * most like SERIES. G_MAXUINT: there is none. */
guint desktop_hang_prior(AppStudy *study, guint series, guint before);
/* The same of the newest study, if that is a later one. */
guint desktop_hang_latest(AppStudy *study, guint series);

G_END_DECLS
#endif
