/* syntax.c - the transfer syntaxes of PS3.6 table A-1. */
#include "syntax.h"

#include <string.h>

/* explicit, big endian, deflated, encapsulated, readable, lossy */
#define NATIVE TRUE, FALSE, FALSE, FALSE, TRUE, FALSE
#define CODEC TRUE, FALSE, FALSE, TRUE, TRUE, FALSE
#define LOSSY TRUE, FALSE, FALSE, TRUE, TRUE, TRUE
#define NOT_YET TRUE, FALSE, FALSE, TRUE, FALSE, FALSE
#define NOT_YET_LOSSY TRUE, FALSE, FALSE, TRUE, FALSE, TRUE

static const DicomSyntax syntaxes[] = {
    {DICOM_SYNTAX_IMPLICIT, "Implicit VR Little Endian", FALSE, FALSE, FALSE, FALSE, TRUE, FALSE},
    {DICOM_SYNTAX_EXPLICIT, "Explicit VR Little Endian", NATIVE},
    {DICOM_SYNTAX_BIG_ENDIAN, "Explicit VR Big Endian", TRUE, TRUE, FALSE, FALSE, TRUE, FALSE},
    {DICOM_SYNTAX_DEFLATED, "Deflated Explicit VR Little Endian", TRUE, FALSE, TRUE, FALSE, TRUE,
     FALSE},
    {DICOM_SYNTAX_RLE, "RLE Lossless", CODEC},
    {"1.2.840.10008.1.2.4.50", "JPEG Baseline (Process 1)", LOSSY},
    {"1.2.840.10008.1.2.4.51", "JPEG Extended (Process 2 & 4)", LOSSY},
    {"1.2.840.10008.1.2.4.53", "JPEG Spectral Selection (Process 6 & 8)", LOSSY},
    {"1.2.840.10008.1.2.4.55", "JPEG Full Progression (Process 10 & 12)", LOSSY},
    {"1.2.840.10008.1.2.4.57", "JPEG Lossless (Process 14)", CODEC},
    {"1.2.840.10008.1.2.4.70", "JPEG Lossless (Process 14, Selection Value 1)", CODEC},
    {DICOM_SYNTAX_JPEGLS, "JPEG-LS Lossless", CODEC},
    {DICOM_SYNTAX_JPEGLS_NEAR, "JPEG-LS Near-lossless", LOSSY},
    {"1.2.840.10008.1.2.4.90", "JPEG 2000 Lossless", NOT_YET},
    {"1.2.840.10008.1.2.4.91", "JPEG 2000", NOT_YET},
    {"1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2 Multi-component Lossless", NOT_YET},
    {"1.2.840.10008.1.2.4.93", "JPEG 2000 Part 2 Multi-component", NOT_YET},
    {"1.2.840.10008.1.2.4.94", "JPIP Referenced", NOT_YET},
    {"1.2.840.10008.1.2.4.95", "JPIP Referenced Deflate", TRUE, FALSE, TRUE, FALSE, FALSE, FALSE},
    {"1.2.840.10008.1.2.4.100", "MPEG2 Main Profile at Main Level", NOT_YET_LOSSY},
    {"1.2.840.10008.1.2.4.101", "MPEG2 Main Profile at High Level", NOT_YET_LOSSY},
    {"1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264 High Profile", NOT_YET_LOSSY},
    {"1.2.840.10008.1.2.4.103", "MPEG-4 AVC/H.264 BD-compatible High Profile", NOT_YET_LOSSY},
    {"1.2.840.10008.1.2.4.104", "MPEG-4 AVC/H.264 High Profile for 2D video", NOT_YET_LOSSY},
    {"1.2.840.10008.1.2.4.105", "MPEG-4 AVC/H.264 High Profile for 3D video", NOT_YET_LOSSY},
    {"1.2.840.10008.1.2.4.106", "MPEG-4 AVC/H.264 Stereo High Profile", NOT_YET_LOSSY},
    {"1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile", NOT_YET_LOSSY},
    {"1.2.840.10008.1.2.4.108", "HEVC/H.265 Main 10 Profile", NOT_YET_LOSSY},
    {"1.2.840.10008.1.2.4.110", "JPEG XL Lossless", NOT_YET},
    {"1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression", NOT_YET_LOSSY},
    {"1.2.840.10008.1.2.4.112", "JPEG XL", NOT_YET},
    {"1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000 Lossless", NOT_YET},
    {"1.2.840.10008.1.2.4.202", "High-Throughput JPEG 2000 with RPCL Lossless", NOT_YET},
    {"1.2.840.10008.1.2.4.203", "High-Throughput JPEG 2000", NOT_YET},
    {"1.2.840.10008.1.2.4.204", "JPIP HTJ2K Referenced", NOT_YET},
    {"1.2.840.10008.1.2.4.205", "JPIP HTJ2K Referenced Deflate", TRUE, FALSE, TRUE, FALSE, FALSE,
     FALSE},
    {"1.2.840.10008.1.2.6.1", "RFC 2557 MIME encapsulation", NOT_YET},
    {"1.2.840.10008.1.2.7.1", "SMPTE ST 2110-20 Uncompressed Progressive Video", NOT_YET},
    {"1.2.840.10008.1.2.8.1", "Deflated Image Frame Compression", NOT_YET},
};

const DicomSyntax *
dicom_syntax_find(const char *uid)
{
  for (gsize i = 0; i < G_N_ELEMENTS(syntaxes); i++) {
    if (strcmp(syntaxes[i].uid, uid) == 0) {
      return &syntaxes[i];
    }
  }
  return NULL;
}
