/* file.h - an open file of any kind. Private to the room. */
#ifndef HILUM_DICOM_FILE_H
#define HILUM_DICOM_FILE_H

#include "dicom/dataset/dataset.h"
#include "dicom.h"
#include "frame.h"
#include "dicom/info/info-fields.h"
#include "dicom/dataset/meta.h"
#include "dicom/dataset/pixels.h"

struct _DicomFile {
  DicomInfo info;
  char *name;          /* for messages: the path as UTF-8 */
  DicomSource *source; /* stays open: the path is never opened again */
  /* DICOM only */
  DicomMeta meta;
  DicomDataset *dataset;
  DicomPixels pixels;
  /* JPEG only: EXIF orientation, 1 to 8 */
  guint orientation;
};

/* info.c: content, content_name and sop_class; by the SOP class, an object of an unknown class is
 * an image when it has pixels. */
void dicom_info_read_content(DicomFile *file);
/* info.c: all of DicomInfo from the data set; of an image, whatever is needed must be right. */
gboolean dicom_info_read(DicomFile *file, GError **error);

/* decode.c: whether the header's sizes fit the limits and the element; reads no pixels. */
gboolean dicom_check_pixels(const DicomFile *file, GError **error);
DicomFrame *dicom_decode_frame(DicomFile *file, guint frame, GError **error);
/* cover.c: shutters and overlays of FRAME. */
void dicom_read_covers(const DicomFile *file, guint index, DicomFrame *frame);
/* present.c: windows, tables and the like of FRAME. */
gboolean dicom_read_presentation(DicomFile *file, guint index, DicomFrame *frame, GError **error);

/* raster-jpeg.c, raster-png.c: SOURCE is at any place. */
gboolean dicom_jpeg_read_info(DicomFile *file, DicomSource *source, GError **error);
DicomFrame *dicom_jpeg_read(DicomFile *file, DicomSource *source, GError **error);
gboolean dicom_png_read_info(DicomFile *file, DicomSource *source, GError **error);
DicomFrame *dicom_png_read(DicomFile *file, DicomSource *source, GError **error);

#endif
