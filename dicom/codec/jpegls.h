/* jpegls.h - the parts of the JPEG-LS decoder (T.87). Private to the room. */
#ifndef HILUM_DICOM_JPEGLS_H
#define HILUM_DICOM_JPEGLS_H

#include "codec.h"
#include "jpeg-header.h"

/* Preset coding parameters (C.2.4.1.1). */
typedef struct {
  guint maxval, t1, t2, t3, reset; /* 0: the default */
} DicomLsPreset;

typedef enum { LS_NONE = 0, LS_LINE = 1, LS_SAMPLE = 2 } DicomLsInterleave;

/* What the markers say that are in force. */
typedef struct {
  DicomLsPreset preset;
  guint32 restart_interval; /* in rows, 0: none */
  guint transform;          /* HP's, 0: none */

  /* the current scan */
  guint n_components, near;
  guint components[4]; /* indices */
  DicomLsInterleave interleave;
  DicomLsPreset used; /* PRESET without a default */
} DicomLsHeader;

/* ---- jpegls-header.c: each gives NULL, or what is wrong ----------------------------------------
 */

/* LSE (C.2.4.1): only preset coding parameters are read. */
const char *dicom_ls_read_preset(DicomCodecJob *job, const DicomJpegSegment *segment,
                                 DicomLsHeader *header);
const char *dicom_ls_read_restart(const DicomJpegSegment *segment, DicomLsHeader *header);
/* APP8, of which only "mrfx" has a meaning here. */
const char *dicom_ls_read_transform(DicomCodecJob *job, const DicomJpegSegment *segment,
                                    DicomLsHeader *header);
/* SOS (C.2.3): the current scan. */
const char *dicom_ls_read_scan(DicomCodecJob *job, const DicomJpegSegment *segment,
                               const DicomJpegHeader *frame, DicomLsHeader *header);

/* ---- jpegls-scan.c: entropy-coded data to rows -------------------------------------------------
 */

typedef struct DicomLsScan DicomLsScan;

/* For scans of N bytes at most; NULL: no memory. */
DicomLsScan *dicom_ls_scan_new(gsize n);
void dicom_ls_scan_free(DicomLsScan *scan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DicomLsScan, dicom_ls_scan_free)

/* Takes over the parameters of a scan. */
void dicom_ls_scan_begin(DicomLsScan *scan, const DicomLsHeader *header);
/* The data of a scan or restart interval, with fresh contexts. Gives where they end: at a marker,
 * or at END. */
const guint8 *dicom_ls_scan_fill(DicomLsScan *scan, const guint8 *from, const guint8 *end);
/* A row of the scan's components. That of component c, of N samples, begins at c * STRIDE; the
 * words before and behind it belong to it too. NULL, or what is wrong. */
const char *dicom_ls_scan_row(DicomLsScan *scan, guint16 *row, guint16 *above, gsize stride,
                              guint n);
/* After the last row of an interval: NULL, or what is wrong. */
const char *dicom_ls_scan_end(const DicomLsScan *scan);

#endif
