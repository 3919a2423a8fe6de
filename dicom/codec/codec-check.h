/* codec-check.h - what the codecs of the JPEG family and RLE share. Private to the room. */
#ifndef HILUM_DICOM_CODEC_CHECK_H
#define HILUM_DICOM_CODEC_CHECK_H

#include "codec.h"

/* A phrase with numbers, in job->wrong, which it returns. */
const char *dicom_codec_say(DicomCodecJob *job, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Compares what a code stream announces with the job: NULL, or what does not fit. */
const char *dicom_codec_check(DicomCodecJob *job, guint columns, guint rows, guint samples,
                              guint precision);
/* The colour model that the job's PhotometricInterpretation names. */
DicomColour dicom_codec_colour(const DicomCodecJob *job);
/* The first half of OUT holds samples of one byte, and 16 bits are allocated: widens in place. */
void dicom_codec_widen(DicomCodecJob *job);
/* Samples of PRECISION bits in 16: repeats the sign in the bits above, where the job is signed. */
void dicom_codec_extend_sign(DicomCodecJob *job, guint precision);

#endif
