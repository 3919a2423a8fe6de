/* content.h - what kind of thing a DICOM object is. Private to the room. */
#ifndef HILUM_DICOM_CONTENT_H
#define HILUM_DICOM_CONTENT_H

#include "dicom.h"

/* Name for people and kind of a SOP class of PS3.4 annex B; NULL when it is not in the table, which
 * holds for private ones. Static. */
const char *dicom_content_of_class(const char *sop_class, DicomContent *content);

#endif
