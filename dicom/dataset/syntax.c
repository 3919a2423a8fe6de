/* syntax.c - the transfer syntaxes of PS3.6 table A-1. */
#include "syntax.h"

#include "dicom.h"

#include <string.h>

/* explicit VR, big endian, deflated, encapsulated, readable, lossy */
#define NATIVE TRUE, FALSE, FALSE, FALSE, TRUE, FALSE
#define CODEC TRUE, FALSE, FALSE, TRUE, TRUE, FALSE
#define LOSSY TRUE, FALSE, FALSE, TRUE, TRUE, TRUE
#define NOT_READ TRUE, FALSE, FALSE, TRUE, FALSE, FALSE
#define NOT_READ_LOSSY TRUE, FALSE, FALSE, TRUE, FALSE, TRUE

/* Why one is not read, and what to do; the sentence goes on from "transfer syntax UID (NAME) ". */
#define VIDEO "is video, which is not played here; a video player shows it"
#define JPIP                                                                                       \
  "only says where on a network the pixels are, and this program uses no network; ask the "        \
  "archive "                                                                                       \
  "for the images themselves"
#define RETIRED_JPEG                                                                               \
  "is a retired form of JPEG (hierarchical or with arithmetic coding), which is not read; ask "    \
  "the "                                                                                           \
  "archive for Explicit VR Little Endian"
#define OTHER_USE "is not for images in files"

static const DicomSyntax syntaxes[] = {
    {DICOM_SYNTAX_IMPLICIT, "Implicit VR Little Endian", FALSE, FALSE, FALSE, FALSE, TRUE, FALSE,
     NULL},
    {DICOM_SYNTAX_EXPLICIT, "Explicit VR Little Endian", NATIVE, NULL},
    {DICOM_SYNTAX_BIG_ENDIAN, "Explicit VR Big Endian", TRUE, TRUE, FALSE, FALSE, TRUE, FALSE,
     NULL},
    {DICOM_SYNTAX_DEFLATED, "Deflated Explicit VR Little Endian", TRUE, FALSE, TRUE, FALSE, TRUE,
     FALSE, NULL},
    {DICOM_SYNTAX_RLE, "RLE Lossless", CODEC, NULL},
    {"1.2.840.10008.1.2.4.50", "JPEG Baseline (Process 1)", LOSSY, NULL},
    {"1.2.840.10008.1.2.4.51", "JPEG Extended (Process 2 & 4)", LOSSY, NULL},
    {"1.2.840.10008.1.2.4.52", "JPEG Extended (Process 3 & 5)", NOT_READ_LOSSY, RETIRED_JPEG},
    {"1.2.840.10008.1.2.4.53", "JPEG Spectral Selection (Process 6 & 8)", LOSSY, NULL},
    {"1.2.840.10008.1.2.4.54", "JPEG Spectral Selection (Process 7 & 9)", NOT_READ_LOSSY,
     RETIRED_JPEG},
    {"1.2.840.10008.1.2.4.55", "JPEG Full Progression (Process 10 & 12)", LOSSY, NULL},
    {"1.2.840.10008.1.2.4.56", "JPEG Full Progression (Process 11 & 13)", NOT_READ_LOSSY,
     RETIRED_JPEG},
    {"1.2.840.10008.1.2.4.57", "JPEG Lossless (Process 14)", CODEC, NULL},
    {"1.2.840.10008.1.2.4.58", "JPEG Lossless (Process 15)", NOT_READ, RETIRED_JPEG},
    {"1.2.840.10008.1.2.4.59", "JPEG Extended, Hierarchical (Process 16 & 18)", NOT_READ_LOSSY,
     RETIRED_JPEG},
    {"1.2.840.10008.1.2.4.60", "JPEG Extended, Hierarchical (Process 17 & 19)", NOT_READ_LOSSY,
     RETIRED_JPEG},
    {"1.2.840.10008.1.2.4.61", "JPEG Spectral Selection, Hierarchical (Process 20 & 22)",
     NOT_READ_LOSSY, RETIRED_JPEG},
    {"1.2.840.10008.1.2.4.62", "JPEG Spectral Selection, Hierarchical (Process 21 & 23)",
     NOT_READ_LOSSY, RETIRED_JPEG},
    {"1.2.840.10008.1.2.4.63", "JPEG Full Progression, Hierarchical (Process 24 & 26)",
     NOT_READ_LOSSY, RETIRED_JPEG},
    {"1.2.840.10008.1.2.4.64", "JPEG Full Progression, Hierarchical (Process 25 & 27)",
     NOT_READ_LOSSY, RETIRED_JPEG},
    {"1.2.840.10008.1.2.4.65", "JPEG Lossless, Hierarchical (Process 28)", NOT_READ, RETIRED_JPEG},
    {"1.2.840.10008.1.2.4.66", "JPEG Lossless, Hierarchical (Process 29)", NOT_READ, RETIRED_JPEG},
    {"1.2.840.10008.1.2.4.70", "JPEG Lossless (Process 14, Selection Value 1)", CODEC, NULL},
    {DICOM_SYNTAX_JPEGLS, "JPEG-LS Lossless", CODEC, NULL},
    {DICOM_SYNTAX_JPEGLS_NEAR, "JPEG-LS Near-lossless", LOSSY, NULL},
    {"1.2.840.10008.1.2.4.90", "JPEG 2000 Lossless", CODEC, NULL},
    {"1.2.840.10008.1.2.4.91", "JPEG 2000", CODEC, NULL},
    {"1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2 Multi-component Lossless", CODEC, NULL},
    {"1.2.840.10008.1.2.4.93", "JPEG 2000 Part 2 Multi-component", CODEC, NULL},
    {"1.2.840.10008.1.2.4.94", "JPIP Referenced", NOT_READ, JPIP},
    {"1.2.840.10008.1.2.4.95", "JPIP Referenced Deflate", TRUE, FALSE, TRUE, FALSE, FALSE, FALSE,
     JPIP},
    {"1.2.840.10008.1.2.4.100", "MPEG2 Main Profile at Main Level", NOT_READ_LOSSY, VIDEO},
    {"1.2.840.10008.1.2.4.100.1", "Fragmentable MPEG2 Main Profile at Main Level", NOT_READ_LOSSY,
     VIDEO},
    {"1.2.840.10008.1.2.4.101", "MPEG2 Main Profile at High Level", NOT_READ_LOSSY, VIDEO},
    {"1.2.840.10008.1.2.4.101.1", "Fragmentable MPEG2 Main Profile at High Level", NOT_READ_LOSSY,
     VIDEO},
    {"1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264 High Profile", NOT_READ_LOSSY, VIDEO},
    {"1.2.840.10008.1.2.4.102.1", "Fragmentable MPEG-4 AVC/H.264 High Profile", NOT_READ_LOSSY,
     VIDEO},
    {"1.2.840.10008.1.2.4.103", "MPEG-4 AVC/H.264 BD-compatible High Profile", NOT_READ_LOSSY,
     VIDEO},
    {"1.2.840.10008.1.2.4.103.1", "Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile",
     NOT_READ_LOSSY, VIDEO},
    {"1.2.840.10008.1.2.4.104", "MPEG-4 AVC/H.264 High Profile for 2D video", NOT_READ_LOSSY,
     VIDEO},
    {"1.2.840.10008.1.2.4.104.1", "Fragmentable MPEG-4 AVC/H.264 High Profile for 2D video",
     NOT_READ_LOSSY, VIDEO},
    {"1.2.840.10008.1.2.4.105", "MPEG-4 AVC/H.264 High Profile for 3D video", NOT_READ_LOSSY,
     VIDEO},
    {"1.2.840.10008.1.2.4.105.1", "Fragmentable MPEG-4 AVC/H.264 High Profile for 3D video",
     NOT_READ_LOSSY, VIDEO},
    {"1.2.840.10008.1.2.4.106", "MPEG-4 AVC/H.264 Stereo High Profile", NOT_READ_LOSSY, VIDEO},
    {"1.2.840.10008.1.2.4.106.1", "Fragmentable MPEG-4 AVC/H.264 Stereo High Profile",
     NOT_READ_LOSSY, VIDEO},
    {"1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile", NOT_READ_LOSSY, VIDEO},
    {"1.2.840.10008.1.2.4.108", "HEVC/H.265 Main 10 Profile", NOT_READ_LOSSY, VIDEO},
    {"1.2.840.10008.1.2.4.110", "JPEG XL Lossless", CODEC, NULL},
    {"1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression", LOSSY, NULL},
    {"1.2.840.10008.1.2.4.112", "JPEG XL", CODEC, NULL},
    {"1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000 Lossless", CODEC, NULL},
    {"1.2.840.10008.1.2.4.202", "High-Throughput JPEG 2000 with RPCL Lossless", CODEC, NULL},
    {"1.2.840.10008.1.2.4.203", "High-Throughput JPEG 2000", CODEC, NULL},
    {"1.2.840.10008.1.2.4.204", "JPIP HTJ2K Referenced", NOT_READ, JPIP},
    {"1.2.840.10008.1.2.4.205", "JPIP HTJ2K Referenced Deflate", TRUE, FALSE, TRUE, FALSE, FALSE,
     FALSE, JPIP},
    {"1.2.840.10008.1.2.6.1", "RFC 2557 MIME encapsulation", NOT_READ, OTHER_USE},
    {"1.2.840.10008.1.2.6.2", "XML Encoding", NOT_READ, OTHER_USE},
    {"1.2.840.10008.1.2.7.1", "SMPTE ST 2110-20 Uncompressed Progressive Video", NOT_READ,
     OTHER_USE},
    {"1.2.840.10008.1.2.7.2", "SMPTE ST 2110-20 Uncompressed Interlaced Video", NOT_READ,
     OTHER_USE},
    {"1.2.840.10008.1.2.7.3", "SMPTE ST 2110-30 PCM Digital Audio", NOT_READ, OTHER_USE},
    {"1.2.840.10008.1.2.8.1", "Deflated Image Frame Compression", CODEC, NULL},
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

const char *
dicom_transfer_syntax_name(const char *uid)
{
  const DicomSyntax *syntax = dicom_syntax_find(uid);

  return syntax ? syntax->name : NULL;
}

char *
dicom_syntax_refusal(const char *uid)
{
  const DicomSyntax *syntax = dicom_syntax_find(uid);

  if (syntax) {
    return g_strdup_printf("transfer syntax %s (%s) %s", uid, syntax->name,
                           syntax->why ? syntax->why : "is not read");
  }
  /* What is no UID is not repeated: it could be anything from the file. */
  gboolean is_uid = uid[0] && strspn(uid, "0123456789.") == strlen(uid);
  return g_strdup_printf("transfer syntax %s is %s; ask the archive or the maker of the file for "
                         "Explicit VR Little Endian",
                         is_uid ? uid : "(no UID)",
                         g_str_has_prefix(uid, "1.2.840.10008.")
                             ? "newer than this program"
                             : "a maker's own, which is not read");
}
