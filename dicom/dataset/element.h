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
  char vr[3];         /* as in the file; "" in implicit VR and for items */
  gboolean vr_is_odd; /* explicit VR, and none of the standard's; to be read like UN */
  guint64 value;      /* offset of the value */
} DicomElement;

/* FALSE when the source ends inside the header. An unknown value representation is taken with the
 * length, of 16 or 32 bits, or of implicit VR, behind which something sensible follows. */
gboolean dicom_element_read(DicomSource *source, guint64 offset, gboolean explicit_vr,
                            gboolean big_endian, DicomElement *element);
/* Whether a data element may well begin at OFFSET: a standard value representation (explicit VR)
 * and a length within the source. The end of the source and item delimiters are plausible too. */
gboolean dicom_element_plausible(DicomSource *source, guint64 offset, gboolean explicit_vr,
                                 gboolean big_endian);
/* One of the value representations of PS3.5 table 6.2-1. */
gboolean dicom_vr_is_standard(const char *vr);

#endif
