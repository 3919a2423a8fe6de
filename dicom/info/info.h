/* info.h - the parts that read DicomInfo from a data set: info*.c. Private to the room. */
#ifndef HILUM_DICOM_INFO_H
#define HILUM_DICOM_INFO_H

#include "dicom/dataset/dataset.h"
#include "dicom.h"

/* The text of TAG instead of *SLOT. */
void dicom_info_set_text(char **slot, const DicomItem *item, guint32 tag);
/* The first item of the macro MACRO: of frame FRAME, else the shared one (PS3.3 C.7.6.16), else
 * ROOT itself, where classic objects have their attributes. */
const DicomItem *dicom_info_group(const DicomItem *root, guint frame, guint32 macro);

/* info-geometry.c: position, spacing, planes, cine. */
void dicom_info_read_geometry(DicomInfo *info, const DicomItem *root);
/* info-pet.c: body weight SUV of a Bq/ml; 0: not defined. */
double dicom_info_suv_factor(const DicomItem *root);
/* info-subject.c: what the image is of, and what a document is about. */
void dicom_info_read_subject(DicomInfo *info, const DicomItem *root);

#endif
