/* fuzz-gguf.c - a GGUF file: container, keys, vocabulary, tensors; and a question, if it opens. */
#include "fuzz-model.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  const int fd = fuzz_descriptor(data, n);
  char path[32];

  fuzz_start();
  fuzz_path(fd, path);
  fuzz_model(path, NULL);
  fuzz_model(path, path);
  close(fd);
  return 0;
}
