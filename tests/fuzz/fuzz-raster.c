/* fuzz-raster.c - JPEG and PNG pictures: header, pixels, picture. */
#include "fuzz-dicom.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  fuzz_dicom(data, n);
  return 0;
}
