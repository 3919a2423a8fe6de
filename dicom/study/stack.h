/* stack.h - images of one series become stacks, ordered by geometry. Private to the room. */
#ifndef HILUM_DICOM_STACK_H
#define HILUM_DICOM_STACK_H

#include "dicom.h"

/* One image to put in its place: a file of one frame, or a frame of a file of several. */
typedef struct {
  guint index; /* the caller's; images that nothing else tells apart stay in this order */
  gint number; /* InstanceNumber, or the frame's */
  gboolean has_geometry, is_localizer;
  double position[3], row[3], column[3], normal[3];
  guint rows, columns, stack_id;
  gint temporal_position, acquisition;
  double echo_time;
  gboolean has_tilt;
  double tilt;  /* GantryDetectorTilt */
  double along; /* mm along the normal of the stack */
  guint place;  /* images of a stack with the same one lie at the same position */
} DicomSlice;

/* What tells stacks of one series apart. */
typedef enum {
  DICOM_SPLIT_LOCALIZER = 1 << 0,
  DICOM_SPLIT_STACK_ID = 1 << 1,
  DICOM_SPLIT_POSITION = 1 << 2, /* some say where they lie, some do not */
  DICOM_SPLIT_ORIENTATION = 1 << 3,
  DICOM_SPLIT_SIZE = 1 << 4,
  DICOM_SPLIT_TEMPORAL = 1 << 5,
  DICOM_SPLIT_ACQUISITION = 1 << 6,
  DICOM_SPLIT_ECHO = 1 << 7,
  DICOM_SPLIT_FRAMES = 1 << 8, /* an object of several frames is a stack by itself */
} DicomSplit;

/* What holds for all images of the series. */
typedef struct {
  gboolean is_ct;
  gboolean is_object; /* the images are the frames of one object */
} DicomStackFacts;

typedef struct {
  GArray *slices; /* of DicomSlice, in the order to show them */
  gboolean sorted_by_geometry;
  gboolean is_localizer;
  gboolean has_normal; /* all slices lie in parallel planes; ALONG is along it */
  double normal[3];
  double spacing; /* mm, 0 when unknown */
  guint split;    /* of DicomSplit: why it is apart from others */
  GPtrArray *notes;
} DicomStack;
void dicom_stack_free(DicomStack *stack);

/* Fills in the geometry, if PLANE has a sound one. */
void dicom_slice_place(DicomSlice *slice, const DicomPlane *plane);
/* Whether TYPE, the values of ImageType, calls a localiser (PS3.3 C.8.2.1.1.1, value 3). */
gboolean dicom_is_localizer(const char *image_type);
/* Of DicomStack *, at least one. SLICES holds at least one and is left as it is. */
GPtrArray *dicom_stacks_make(const GArray *slices, const DicomStackFacts *facts);

/* stack-notes.c: what is odd about a stack in its final order, for people. */
void dicom_stack_note(DicomStack *stack, const DicomStackFacts *facts);
/* Two images lie in one stack when their axes differ by less than about a degree. */
gboolean dicom_slices_are_parallel(const DicomSlice *a, const DicomSlice *b);
/* "orientation, image size"; g_free(). */
char *dicom_split_text(guint split);

#endif
