/* element.h - one data element header (PS3.5 clause 7.1), read without a dictionary. */
#ifndef HILUM_DICOM_ELEMENT_H
#define HILUM_DICOM_ELEMENT_H

#include "source.h"

#define DICOM_UNDEFINED 0xffffffffu
#define DICOM_TAG_ITEM 0xfffee000u
#define DICOM_TAG_ITEM_END 0xfffee00du
#define DICOM_TAG_SEQUENCE_END 0xfffee0ddu

typedef struct {
  guint32 tag, length;
  char vr[3];    /* "" in implicit VR and for items */
  guint64 value; /* offset of the value */
} DicomElement;

/* FALSE when the source ends inside the header. */
gboolean dicom_element_read(DicomSource *source, guint64 offset, gboolean explicit_vr,
                            gboolean big_endian, DicomElement *element);
/* One of the value representations of PS3.5 table 6.2-1. */
gboolean dicom_vr_is_standard(const char *vr);

#endif
