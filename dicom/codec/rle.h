/* rle.h - RLE compression of PS3.5 annex G. */
#ifndef HILUM_DICOM_RLE_H
#define HILUM_DICOM_RLE_H

#include <glib.h>

/* Decodes one frame of N_PIXELS pixels from DATA to OUT, samples interleaved, little-endian: OUT
 * has n_pixels * samples * bytes. NULL when it went well, else what is wrong (static). */
const char *dicom_rle_decode(const guint8 *data, gsize size, guint8 *out, gsize n_pixels,
                             guint samples, guint bytes);

#endif
