/* jpeg-header.h - the markers of a JPEG code stream (T.81 annex B). Private to the room. */
#ifndef HILUM_DICOM_JPEG_HEADER_H
#define HILUM_DICOM_JPEG_HEADER_H

#include "codec.h"

enum {
  MARKER_SOF0 = 0xc0, /* baseline */
  MARKER_SOF1 = 0xc1, /* extended sequential */
  MARKER_SOF2 = 0xc2, /* progressive */
  MARKER_SOF3 = 0xc3, /* lossless */
  MARKER_DHT = 0xc4,
  MARKER_SOF15 = 0xcf,
  MARKER_RST0 = 0xd0,
  MARKER_RST7 = 0xd7,
  MARKER_SOI = 0xd8,
  MARKER_EOI = 0xd9,
  MARKER_SOS = 0xda,
  MARKER_DQT = 0xdb,
  MARKER_DNL = 0xdc,
  MARKER_DRI = 0xdd,
  MARKER_APP0 = 0xe0,
  MARKER_APP14 = 0xee,
  MARKER_SOF55 = 0xf7, /* JPEG-LS (T.87 C.1.1) */
};

typedef struct {
  guint code;
  const guint8 *data; /* behind the length */
  gsize n;
} DicomJpegSegment;

/* The marker at *AT and its segment; *AT moves behind it. FALSE when there is none, or when the
 * segment goes beyond the N bytes. */
gboolean dicom_jpeg_next(const guint8 *data, gsize n, gsize *at, DicomJpegSegment *segment);

typedef struct {
  guint frame_marker; /* SOF0 to SOF15, SOF55 */
  guint precision, rows, columns, samples;
  struct {
    guint id, h, v, q; /* sampling factors, and the quantisation table */
  } components[4];
  gboolean jfif, subsampled;
  gint adobe_transform; /* -1: no Adobe marker */
} DicomJpegHeader;

/* Everything before the first scan. NULL, or what is wrong. */
const char *dicom_jpeg_header(DicomCodecJob *job, DicomJpegHeader *header);
/* "arithmetic coding" and the like for a process that is not read, else NULL. */
const char *dicom_jpeg_unread(const DicomJpegHeader *header);

#endif
