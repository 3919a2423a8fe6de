/* slice.h - what the files of AppSlice share: slice*.c. Not for others.
 *
 * Invariants:
 * 1. A slice never changes after slice_new(); what is said of it belongs to it, and is freed with
 * it.
 * 2. Its frame and its header are shared with the cache and the study, and outlive both.
 */
#ifndef HILUM_APP_SLICE_PRIVATE_H
#define HILUM_APP_SLICE_PRIVATE_H

#include "app_slice.h"
#include "slice-resample.h"
#include "study.h"

G_BEGIN_DECLS

struct _AppSlice {
  gint n_refs; /* atomic */
  AppSliceFacts facts;
  AppPlane plane;
  DicomFrame *frame;
  DicomFrame *measured; /* the image's own, where FRAME is as a presentation state wants it */
  AppText *texts;       /* of that state; their letters are FRAME's */
  AppFacts *header;
  AppPreset *presets;
  char *label, *path, *calibration;
};

/* slice.c: PLAIN as LOOK shows it, which is taken. */
AppSlice *app_slice_new_look(AppStudy *study, AppSlice *plain, DicomFrame *look);

/* slice-look.c. PRESENTATION: from 1 on. */
AppSlice *app_slice_look(AppStudy *study, AppSlice *plain, guint presentation,
                         GCancellable *cancellable, GError **error);
/* PLACEMENT, whose canvas and so on stay, as the state wants it: scale 0 where it wants all. */
void app_placement_as_stated(AppPlacement *placement, const AppSliceFacts *facts);

/* slice-facts.c: everything in FACTS that the header and the frame say. */
void app_slice_describe(AppSlice *slice, const AppStudySeries *series, guint item);
void app_slice_forget(AppSlice *slice);

/* slice-picture.c: the 8-bit picture of a slice, grey or RGB; of the last few, kept. */
typedef struct {
  guint width, height, channels; /* 1: grey, 3: RGB */
  GBytes *pixels;
} AppEight;
gboolean app_slice_eight(AppSlice *slice, const DicomWindow *window, gboolean bare, AppEight *eight,
                         GError **error);
void app_eight_clear(AppEight *eight);
/* For the end of a study, and when memory is short. */
void app_slice_forget_pictures(void);

G_END_DECLS
#endif
