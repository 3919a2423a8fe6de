/* inflate.h - the deflated transfer syntax (PS3.5 A.5). */
#ifndef HILUM_DICOM_INFLATE_H
#define HILUM_DICOM_INFLATE_H

#include "source.h"

/* The inflated rest of a deflated file from OFFSET on, as a source of its own; NAME is for
 * messages. */
DicomSource *dicom_inflate(DicomSource *source, const char *name, guint64 offset, GError **error);

#endif
