/* raster.h - what the readers of JPEG and PNG pictures share: the way in, and what is said when
 * there is none. */
#ifndef HILUM_DICOM_RASTER_H
#define HILUM_DICOM_RASTER_H

#include "dicom/file.h"

#include <stdio.h>

/* Why a picture cannot be read. Both libraries leave by a jump, which this outlives. */
typedef struct {
  gboolean too_large, no_memory;
  char message[200]; /* JMSG_LENGTH_MAX of libjpeg */
} DicomRasterFault;

FILE *dicom_raster_stream(const DicomFile *file, DicomSource *source, GError **error);

void dicom_raster_set_too_large(DicomRasterFault *fault, guint width, guint height);

/* ERROR is FAULT in a picture of FORMAT. */
void dicom_raster_set_error(GError **error, const DicomFile *file, const char *format,
                            const DicomRasterFault *fault);

#endif
