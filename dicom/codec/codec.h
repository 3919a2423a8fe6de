/* codec.h - one code stream to stored values. Private to the room.
 *
 * A codec gets the bytes of one frame and says NULL, or what is wrong, as a phrase for a message
 * that begins with the file and the frame. It checks the code stream's own header against the job
 * BEFORE it allocates or decodes, trusts nothing, never reads beyond DATA (16 zero bytes follow
 * it), and writes exactly OUT_BYTES: samples interleaved, little-endian, BITS_ALLOCATED wide, sign
 * extended to BITS_ALLOCATED where IS_SIGNED. BITS_ALLOCATED 1, which RLE and deflate get, gives a
 * byte for each.
 */
#ifndef HILUM_DICOM_CODEC_H
#define HILUM_DICOM_CODEC_H

#include "dicom/frame.h"

typedef struct {
  const guint8 *data;
  gsize n;
  guint columns, rows, samples, bits_allocated, bits_stored;
  gboolean is_signed;
  gboolean planar; /* PlanarConfiguration 1, for codecs that care (RLE never does) */
  const char *photometric;
  guint8 *out;
  gsize out_bytes;
  /* set by the codec: the colour model of what it wrote (COLOUR_YBR_FULL for a JPEG in YCbCr) */
  DicomColour colour;
  char wrong[160]; /* room for a phrase with numbers */
} DicomCodecJob;

typedef const char *(*DicomCodec)(DicomCodecJob *job);

const char *dicom_codec_rle(DicomCodecJob *job);    /* rle.c */
const char *dicom_codec_jpeg(DicomCodecJob *job);   /* codec-jpeg.c: any process; picks below */
const char *dicom_codec_jpegls(DicomCodecJob *job); /* codec-jpegls.c: T.87, near-lossless too */
const char *dicom_codec_j2k(DicomCodecJob *job);    /* codec-j2k.c: OpenJPEG, HTJ2K too */
const char *dicom_codec_jxl(DicomCodecJob *job);    /* codec-jxl.c: libjxl, or says it is absent */
const char *
dicom_codec_deflate(DicomCodecJob *job); /* codec-deflate.c: .8.1, a raw deflate stream */
/* codec-jpeg-lossless.c: T.81 annex H, any predictor, 2 to 16 bits, restart intervals. */
const char *dicom_codec_jpeg_lossless(DicomCodecJob *job);

/* The codec of an encapsulated transfer syntax, NULL when it is not read here (syntax.c has words
 * for the message). */
DicomCodec dicom_codec_find(const char *transfer_syntax_uid);

#endif
