/* cpu.c - which kernels this processor can run. */
#include <string.h>

#include "kernels/packed.h"

const ModelKernels *
model_kernels_at(uint32_t index)
{
  return index == 0 ? &model_kernels_portable : NULL;
}

const ModelKernels *
model_kernels_find(const char *name)
{
  const ModelKernels *kernels;

  for (uint32_t i = 0; (kernels = model_kernels_at(i)); i++) {
    if (!name || strcmp(name, kernels->name) == 0) {
      return kernels;
    }
  }
  return NULL;
}
