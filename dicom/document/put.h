/* put.h - elements of documents that are written: explicit VR little endian, all lengths defined,
 * sequences made from the inside out. Private to the dicom room.
 *
 * What is given as text is made to fit its VR: a value that is too long is cut at a character,
 * control characters become blanks, and so does the backslash where it would part two values.
 */
#ifndef HILUM_DICOM_PUT_H
#define HILUM_DICOM_PUT_H

#include "dicom.h"

/* A code (PS3.3 8.8). */
typedef struct {
  const char *value, *scheme, *meaning;
} DicomCode;

void dicom_put_text(GByteArray *to, guint32 tag, const char *vr, const char *text);
/* OB and UT: of any length. */
void dicom_put_long(GByteArray *to, guint32 tag, const char *vr, const guint8 *bytes, gsize n);
/* Takes CONTENT: an item more in ITEMS. */
void dicom_put_item(GByteArray *items, GByteArray *content);
/* Takes ITEMS. */
void dicom_put_sequence(GByteArray *to, guint32 tag, GByteArray *items);
/* A sequence of one item; takes CONTENT. */
void dicom_put_single(GByteArray *to, guint32 tag, GByteArray *content);
void dicom_put_code(GByteArray *to, guint32 tag, const DicomCode *code);

/* TEXT where it is such a value, else "": an attribute may be empty, not wrong. */
const char *dicom_put_date(const char *text);
const char *dicom_put_time(const char *text);
const char *dicom_put_sex(const char *text);

/* A Part 10 file around the data set SET; written aside, synced and renamed. */
gboolean dicom_put_file(const char *path, const char *sop_class, const char *uid,
                        const GByteArray *set, GError **error);

#endif
