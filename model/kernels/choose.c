/* choose.c - the int8 kernels that this processor can run, best first. */
#include <stddef.h>
#include <string.h>

#include "kernels/cpu.h"
#include "kernels/packed.h"

/* Best first. */
static const struct {
  const ModelKernels *kernels;
  uint32_t needs;
} known[] = {
#ifdef __x86_64__
    {&model_kernels_vnni, MODEL_CPU_AVX512 | MODEL_CPU_AVX512_VNNI},
    {&model_kernels_avx512, MODEL_CPU_AVX512},
    {&model_kernels_avxvnni, MODEL_CPU_AVX_VNNI},
    {&model_kernels_avx2, MODEL_CPU_AVX2},
#elif defined(__aarch64__)
    {&model_kernels_neon, MODEL_CPU_DOTPROD},
#endif
    {&model_kernels_portable, 0},
};

const ModelKernels *
model_kernels_at(uint32_t index)
{
  const uint32_t features = model_cpu_features();

  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if ((features & known[i].needs) == known[i].needs && index-- == 0) {
      return known[i].kernels;
    }
  }
  return NULL;
}

const ModelKernels *
model_kernels_find(const char *name)
{
  const ModelKernels *kernels;

  for (uint32_t i = 0; (kernels = model_kernels_at(i)) != NULL; i++) {
    if (!name || strcmp(name, kernels->name) == 0) {
      return kernels;
    }
  }
  return NULL;
}
