/* codec-find.c - which codec reads a transfer syntax. Apart from syntax.c, so that programs which
 * decode nothing do without the codecs and their libraries. */
#include "codec.h"
#include "dicom/dataset/syntax.h"

#include <string.h>

DicomCodec
dicom_codec_find(const char *transfer_syntax_uid)
{
  static const struct {
    guint64 first, last;
    DicomCodec codec;
  } codecs[] = {
      {50, 57, dicom_codec_jpeg}, {70, 70, dicom_codec_jpeg},  {80, 81, dicom_codec_jpegls},
      {90, 93, dicom_codec_j2k},  {110, 112, dicom_codec_jxl}, {201, 203, dicom_codec_j2k},
  };
  static const char family[] = "1.2.840.10008.1.2.4.";
  const DicomSyntax *syntax = dicom_syntax_find(transfer_syntax_uid);

  if (!syntax || !syntax->readable || !syntax->encapsulated) {
    return NULL;
  }
  if (strcmp(transfer_syntax_uid, "1.2.840.10008.1.2.8.1") == 0) {
    return dicom_codec_deflate;
  }
  if (strcmp(transfer_syntax_uid, DICOM_SYNTAX_RLE) == 0) {
    return dicom_codec_rle;
  }
  if (g_str_has_prefix(transfer_syntax_uid, family)) {
    guint64 number = g_ascii_strtoull(transfer_syntax_uid + strlen(family), NULL, 10);

    for (gsize i = 0; i < G_N_ELEMENTS(codecs); i++) {
      if (number >= codecs[i].first && number <= codecs[i].last) {
        return codecs[i].codec;
      }
    }
  }
  return NULL;
}
