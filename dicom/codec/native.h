/* native.h - a frame without compression (PS3.5 clause 8.1 and 8.2). Private to the room. */
#ifndef HILUM_DICOM_NATIVE_H
#define HILUM_DICOM_NATIVE_H

#include <glib.h>

typedef struct {
  guint columns, rows, samples;
  guint bits;          /* BitsAllocated: 1, 8, 16, 32 or 64 */
  gboolean subsampled; /* YBR_FULL_422: Y1 Y2 Cb Cr for two pixels (PS3.3 C.7.6.3.1.2) */
  gboolean planar;     /* one sample's plane after the other */
} DicomNative;

/* Bits of one frame in the file. */
guint64 dicom_native_bits(const DicomNative *native);
/* TRUE when the frame's bytes are what dicom_native_arrange() would make of them. */
gboolean dicom_native_is_plain(const DicomNative *native);
/* Little-endian bytes of one frame, which begins at bit FIRST_BIT (0 to 7) of RAW, to OUT: samples
 * interleaved, BITS wide, a byte for each single bit. */
void dicom_native_arrange(const DicomNative *native, const guint8 *raw, guint first_bit,
                          guint8 *out);
/* Turns the N bytes of big-endian words of WORD bytes (1, 2, 4, 8); what is left over stays. */
void dicom_native_swap(guint8 *bytes, gsize n, guint word);

#endif
