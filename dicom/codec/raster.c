/* raster.c - what the readers of JPEG and PNG pictures share. */
#include "raster.h"
#include "dicom/limits.h"

FILE *
dicom_raster_stream(const DicomFile *file, DicomSource *source, GError **error)
{
  FILE *stream = dicom_source_stream(source);

  if (!stream) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO, "%s: cannot be read", file->name);
  }
  return stream;
}

void
dicom_raster_set_too_large(DicomRasterFault *fault, guint width, guint height)
{
  fault->too_large = TRUE;
  g_snprintf(fault->message, sizeof fault->message, "%u x %u pixels are more than %d MiB", width,
             height, (int)(DICOM_MAX_FRAME_BYTES >> 20));
}

void
dicom_raster_set_error(GError **error, const DicomFile *file, const char *format,
                       const DicomRasterFault *fault)
{
  g_set_error(error, DICOM_ERROR,
              fault->too_large || fault->no_memory ? DICOM_ERROR_TOO_LARGE : DICOM_ERROR_CORRUPT,
              "%s: %s: %s", file->name, format,
              fault->no_memory ? "needs more memory than there is" : fault->message);
}
