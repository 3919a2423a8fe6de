/* file.h - an open file of any kind. Private to the room. */
#ifndef HILUM_DICOM_FILE_H
#define HILUM_DICOM_FILE_H

#include "bridge/bridge.h"
#include "dicom.h"
#include "frame.h"
#include "info-fields.h"
#include "meta.h"
#include "prescan.h"

struct _DicomFile {
  DicomInfo info;
  char *name; /* for messages: the path as UTF-8 */
  /* DICOM only */
  DicomMeta meta;
  DicomLayout layout;
  DicomBridge *bridge;
  /* JPEG only: EXIF orientation, 1 to 8 */
  guint orientation;
};

/* info.c: all of DicomInfo from the open bridge. */
gboolean dicom_info_read(DicomFile *file, GError **error);

/* decode.c: whether the header's sizes fit the limits and the element; reads no pixels. */
gboolean dicom_check_pixels(const DicomFile *file, GError **error);
DicomFrame *dicom_decode_frame(DicomFile *file, guint frame, GError **error);
/* present.c: windows, tables and the like of FRAME. */
gboolean dicom_read_presentation(DicomFile *file, guint index, DicomFrame *frame, GError **error);

/* raster-jpeg.c, raster-png.c: SOURCE is at any place. */
gboolean dicom_jpeg_read_info(DicomFile *file, DicomSource *source, GError **error);
DicomFrame *dicom_jpeg_read(DicomFile *file, DicomSource *source, GError **error);
gboolean dicom_png_read_info(DicomFile *file, DicomSource *source, GError **error);
DicomFrame *dicom_png_read(DicomFile *file, DicomSource *source, GError **error);

#endif
