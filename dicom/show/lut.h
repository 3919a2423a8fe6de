/* lut.h - lookup tables of a data set, and the functions of PS3.3 C.11.2. Private to the room. */
#ifndef HILUM_DICOM_LUT_H
#define HILUM_DICOM_LUT_H

#include "dicom/dataset/dataset.h"
#include "dicom/frame.h"

/* One item of ModalityLUTSequence or VOILUTSequence. SIGNED_INPUT: the first mapped value is to be
 * read as signed. NULL and an error when it is broken; NAME is for messages. */
DicomLut *dicom_lut_read(const DicomItem *item, const char *keyword, gboolean signed_input,
                         const char *name, GError **error);
/* The three tables of PALETTE COLOR, plain or segmented (PS3.3 C.7.9). */
gboolean dicom_palette_read(const DicomItem *root, gboolean signed_input, DicomLut *palette[3],
                            const char *name, GError **error);

/* present.c: parts of an image or of a presentation state, added to FRAME. */
gboolean dicom_read_modality(const DicomItem *root, const DicomItem *rescale, DicomFrame *frame,
                             const char *name, GError **error);
void dicom_read_windows(const DicomItem *item, DicomFrame *frame);
gboolean dicom_read_voi_luts(const DicomItem *item, DicomFrame *frame, const char *name,
                             GError **error);

/* voi.c. Values are worked on in blocks of one size, which lets the compiler unroll. */
#define DICOM_BLOCK 256
/* A block of values after the modality LUT through VOI (PS3.3 C.11.2) to 8 bits. WINDOW is one that
 * the frame has a table for. Inversion and padding are not done here. */
void dicom_voi_block(const DicomFrame *frame, const DicomWindow *window,
                     const double values[DICOM_BLOCK], guint8 grey[DICOM_BLOCK]);

#endif
