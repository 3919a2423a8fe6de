/* annotations.h - all that is drawn on the images of a study.
 *
 * They belong to an image (series, index) and are there whenever and wherever it is shown.
 * Signal: "changed".
 */
#ifndef HILUM_DESKTOP_ANNOTATIONS_H
#define HILUM_DESKTOP_ANNOTATIONS_H

#include <glib-object.h>

#include "viewer/annotation.h"

G_BEGIN_DECLS

#define DESKTOP_TYPE_ANNOTATIONS (desktop_annotations_get_type())
G_DECLARE_FINAL_TYPE(DesktopAnnotations, desktop_annotations, DESKTOP, ANNOTATIONS, GObject)

DesktopAnnotations *desktop_annotations_new(void);
/* Adds a copy, which gets the id that is returned. An image has one region: a new one replaces it.
 */
guint desktop_annotations_add(DesktopAnnotations *self, const DesktopAnnotation *annotation);
void desktop_annotations_change(DesktopAnnotations *self, const DesktopAnnotation *annotation);
void desktop_annotations_remove(DesktopAnnotations *self, guint id);
/* Those of one image. */
void desktop_annotations_clear_image(DesktopAnnotations *self, guint series, guint index);
void desktop_annotations_clear(DesktopAnnotations *self);

/* Borrowed until the next change; NULL: there is none. */
const DesktopAnnotation *desktop_annotations_find(DesktopAnnotations *self, guint id);
/* The Ith of an image, from the oldest on; NULL past the last. */
const DesktopAnnotation *desktop_annotations_get(DesktopAnnotations *self, guint series,
                                                 guint index, guint i);
const DesktopAnnotation *desktop_annotations_region(DesktopAnnotations *self, guint series,
                                                    guint index);
/* What it measures on SLICE, its image; worked out once. Borrowed. */
const char *desktop_annotations_text(DesktopAnnotations *self, guint id, const AppSlice *slice);

G_END_DECLS
#endif
