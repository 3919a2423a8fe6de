/* lut.h - lookup tables of a data set, and the functions of PS3.3 C.11.2. Private to the room. */
#ifndef HILUM_DICOM_LUT_H
#define HILUM_DICOM_LUT_H

#include "bridge/bridge.h"
#include "frame.h"

/* One item of ModalityLUTSequence or VOILUTSequence. SIGNED_INPUT: the first mapped value is to be
 * read as signed. NULL and an error when it is broken; NAME is for messages. */
DicomLut *dicom_lut_read(const DicomItem *item, const char *keyword, gboolean signed_input,
                         const char *name, GError **error);
/* The three tables of PALETTE COLOR, plain or segmented (PS3.3 C.7.9). */
gboolean dicom_palette_read(const DicomItem *root, DicomLut *palette[3], const char *name,
                            GError **error);

/* From a value after the modality LUT to 0..255, not rounded. */
double dicom_window_apply(const DicomFrame *frame, const DicomWindow *window, double value);

#endif
