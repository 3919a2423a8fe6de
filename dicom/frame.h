/* frame.h - one decoded frame and everything that is needed to show it. Private to the room. */
#ifndef HILUM_DICOM_FRAME_H
#define HILUM_DICOM_FRAME_H

#include "dicom.h"

typedef enum {
  SAMPLE_U8,
  SAMPLE_S8,
  SAMPLE_U16,
  SAMPLE_S16,
  SAMPLE_U32,
  SAMPLE_S32,
  SAMPLE_F32,
  SAMPLE_F64,
} DicomSampleType;

typedef enum {
  COLOUR_GREY,
  COLOUR_RGB,
  COLOUR_YBR_FULL,
  COLOUR_YBR_PARTIAL,
  COLOUR_PALETTE,
} DicomColour;

/* A lookup table (PS3.3 C.11.1.1): inputs from FIRST on, outputs of BITS bits. */
typedef struct {
  guint n;
  gint first;
  guint bits;
  guint16 *data; /* n entries */
} DicomLut;

void dicom_lut_free(DicomLut *lut);

/* Invariant: n_bytes = width * height * samples * bytes of the type, and every function that reads
 * pixels relies on it. */
struct _DicomFrame {
  gint refs;
  guint width, height, samples;
  DicomSampleType type;
  DicomColour colour;
  guint8 *stored;
  gsize n_bytes;
  GBytes *owner; /* of STORED when it is not this frame's own: shared memory; else NULL */

  guint bits_stored, shift; /* value = stored >> shift, BITS_STORED bits of it */
  gboolean is_signed;

  DicomLut *modality; /* NULL: the rescale below */
  double slope, intercept;
  gboolean has_padding;
  double padding_low, padding_high; /* stored values that are no picture, inclusive */
  gboolean ready_8bit;              /* a JPEG or PNG of 8 bits: shown as it is */

  GArray *windows;     /* of DicomWindow, the file's own */
  GPtrArray *voi_luts; /* of DicomLut * */
  gboolean inverse;    /* MONOCHROME1 or PresentationLUTShape INVERSE: once, not twice */
  DicomLut *palette[3];

  double low, high; /* after the modality LUT */
  char *sha256;     /* made on demand, under the lock of frame.c */
};

DicomFrame *dicom_frame_new(guint width, guint height, guint samples, DicomSampleType type);
gsize dicom_sample_bytes(DicomSampleType type);
/* Value of one sample as stored, with BitsStored, HighBit and sign applied. */
double dicom_frame_sample(const DicomFrame *frame, gsize index);
/* A stored value after the modality LUT. */
double dicom_frame_modality(const DicomFrame *frame, double stored);
/* Fills low and high; to be called once, when all else is set. */
void dicom_frame_find_range(DicomFrame *frame);

#endif
