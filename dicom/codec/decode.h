/* decode.h - what decode.c and decode-native.c share. Private to the room. */
#ifndef HILUM_DICOM_DECODE_H
#define HILUM_DICOM_DECODE_H

#include "dicom/file.h"

/* Always FALSE. */
gboolean dicom_decode_refuse(const DicomFile *file, DicomError code, GError **error,
                             const char *what);
/* "PixelData", "FloatPixelData", "DoubleFloatPixelData". */
const char *dicom_pixels_keyword(const DicomFile *file);

/* decode-native.c: whether all frames are there; the sizes have passed the limits. */
gboolean dicom_check_native(const DicomFile *file, GError **error);
/* Fills FRAME->stored, which is allocated. */
gboolean dicom_decode_native(DicomFile *file, guint index, DicomFrame *frame, GError **error);

#endif
