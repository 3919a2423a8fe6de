/* presentation.h - the parts of applying a presentation state. Private to the room. */
#ifndef HILUM_DICOM_PRESENTATION_H
#define HILUM_DICOM_PRESENTATION_H

#include "dicom/dataset/dataset.h"
#include "dicom/frame.h"

/* What the state is applied to. */
typedef struct {
  const char *name; /* of the state's file, for messages */
  const char *uid;  /* of the image's SOP instance */
  guint number;     /* of the frame, from 1 */
} DicomSubject;

/* Whether an item with ReferencedImageSequence is about the subject; without one it is about all
 * images of the state. */
gboolean dicom_presentation_refers(const DicomItem *item, const DicomSubject *subject);
/* From a point of the stored image, in pixels from its top left corner on, to the turned and
 * mirrored picture. */
void dicom_presentation_place(const DicomFrame *look, double *x, double *y);

/* presentation-shutter.c, presentation-draw.c: set bits of DicomMark's kinds in MASK, which has a
 * byte for each pixel of the stored image, and of the picture. */
gboolean dicom_presentation_shutter(const DicomFrame *look, const DicomItem *root,
                                    const DicomSubject *subject, guint8 *mask, GError **error);
/* Texts are added to LOOK. */
gboolean dicom_presentation_draw(DicomFrame *look, const DicomItem *root,
                                 const DicomSubject *subject, guint8 *mask, GError **error);

#endif
