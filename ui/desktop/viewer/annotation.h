/* annotation.h - what is drawn on a picture with a hand, as geometry.
 *
 * Points are pixels of the picture as it is stored (app_slice.h), so that an annotation stays where
 * it is however the picture is turned. What a hand grips is looked for on the screen: there points
 * come as the caller has mapped them.
 */
#ifndef HILUM_DESKTOP_ANNOTATION_H
#define HILUM_DESKTOP_ANNOTATION_H

#include "app_slice.h"

G_BEGIN_DECLS

typedef enum {
  DESKTOP_ANNOTATION_DISTANCE,  /* two ends */
  DESKTOP_ANNOTATION_ANGLE,     /* an end, the apex, the other end */
  DESKTOP_ANNOTATION_ELLIPSE,   /* two corners of its box */
  DESKTOP_ANNOTATION_RECTANGLE, /* two corners */
  DESKTOP_ANNOTATION_REGION,    /* two corners: what a question is about */
} DesktopAnnotationKind;

#define DESKTOP_ANNOTATION_POINTS 3 /* most */
#define DESKTOP_ANNOTATION_HANDLES 4

typedef struct {
  DesktopAnnotationKind kind;
  guint series, index; /* of the image that it is drawn on */
  double points[DESKTOP_ANNOTATION_POINTS][2];
  guint id; /* given by who keeps it */
} DesktopAnnotation;

guint desktop_annotation_n_points(DesktopAnnotationKind kind);
/* Of a box: ellipse, rectangle, region. */
gboolean desktop_annotation_is_box(DesktopAnnotationKind kind);
/* Where hands grip it: the points, or the four corners of the box, in order around it. */
guint desktop_annotation_handles(const DesktopAnnotation *annotation,
                                 double handles[DESKTOP_ANNOTATION_HANDLES][2]);
/* Handle HANDLE goes to X, Y; the corner across stays where it is. */
void desktop_annotation_move_handle(DesktopAnnotation *annotation, guint handle, double x,
                                    double y);
void desktop_annotation_move(DesktopAnnotation *annotation, double dx, double dy);
/* Into a picture of that size, whole if it fits. */
void desktop_annotation_keep_inside(DesktopAnnotation *annotation, double width, double height);

typedef enum {
  DESKTOP_GRIP_NONE = -1,
  DESKTOP_GRIP_BODY = -2, /* else the number of a handle */
} DesktopGrip;
/* What of it lies within TOLERANCE of X, Y. HANDLES are those of desktop_annotation_handles(), and
 * all is in one and the same space, that of the screen. The line is gripped, not what it encloses:
 * inside of a box hands still do what the tool says. */
int desktop_annotation_grip(DesktopAnnotationKind kind,
                            const double handles[DESKTOP_ANNOTATION_HANDLES][2], double x, double y,
                            double tolerance);

/* The pixels that a region touches, inside a picture of that size; FALSE: none. */
gboolean desktop_annotation_region(const DesktopAnnotation *annotation, guint width, guint height,
                                   AppRegion *region);
/* What it measures on SLICE, in words: lines, or "" for a region. g_free(). */
char *desktop_annotation_text(const DesktopAnnotation *annotation, const AppSlice *slice);

G_END_DECLS
#endif
