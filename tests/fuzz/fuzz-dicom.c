/* fuzz-dicom.c - any file as DICOM: header, frames, pictures. */
#include "fuzz-dicom.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  fuzz_dicom(data, n);
  return 0;
}
