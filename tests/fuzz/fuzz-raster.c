/* fuzz-raster.c - JPEG and PNG pictures: header, pixels, picture.
 *
 * A damaged PNG nearly always ends at a checksum, so each one is also read with its checksums set
 * right. */
#include "fuzz-dicom.h"

#include <string.h>
#include <zlib.h>

#define PNG_HEAD 8

static guint32
big_endian(const guint8 *p)
{
  return (guint32)p[0] << 24 | (guint32)p[1] << 16 | (guint32)p[2] << 8 | p[3];
}

/* Every chunk that is whole gets the checksum that it should have. */
static void
mend_checksums(guint8 *png, size_t n)
{
  size_t at = PNG_HEAD;

  while (n - at >= 12 && big_endian(png + at) <= n - at - 12) {
    const guint32 length = big_endian(png + at);
    const guint32 crc = (guint32)crc32(0, png + at + 4, length + 4);
    guint8 *out = png + at + 8 + length;

    for (int i = 0; i < 4; i++) {
      out[i] = (guint8)(crc >> (24 - 8 * i));
    }
    at += 12 + (size_t)length;
  }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  fuzz_dicom(data, n);
  if (n > PNG_HEAD && memcmp(data, "\x89PNG\r\n\x1a\n", PNG_HEAD) == 0) {
    g_autofree guint8 *mended = g_malloc(n);

    memcpy(mended, data, n);
    mend_checksums(mended, n);
    fuzz_dicom(mended, n);
  }
  return 0;
}
