/* codec-jpeg12.h - lossy JPEG of 12 bits. Private to the room. */
#ifndef HILUM_DICOM_CODEC_JPEG12_H
#define HILUM_DICOM_CODEC_JPEG12_H

#include "jpeg-header.h"

/* The extended sequential and the progressive process of T.81 with Huffman codes and 12 bits a
 * sample, of one to four components. HEADER fits the JOB, which has 16 bits allocated. Samples as
 * they are in the code stream; sets no colour and extends no sign. NULL, or what is wrong. */
const char *dicom_codec_jpeg12(DicomCodecJob *job, const DicomJpegHeader *header);

#endif
