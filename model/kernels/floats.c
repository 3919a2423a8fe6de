/* floats.c - which float kernels this processor can run. */
#include "kernels/floats.h"

#include <string.h>

const ModelFloats *
model_floats_at(uint32_t index)
{
#if defined __x86_64__
  const ModelFloats *all[3];
  uint32_t n = 0;

  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
    all[n++] = &model_floats_avx512;
  }
  /* Clang does not know "f16c"; no processor has AVX2 without it. */
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    all[n++] = &model_floats_avx2;
  }
  all[n++] = &model_floats_portable;
#elif defined __aarch64__
  const ModelFloats *all[] = {&model_floats_neon, &model_floats_portable};
  const uint32_t n = 2;
#else
  const ModelFloats *all[] = {&model_floats_portable};
  const uint32_t n = 1;
#endif
  return index < n ? all[index] : NULL;
}

const ModelFloats *
model_floats_find(const char *name)
{
  const ModelFloats *floats;

  for (uint32_t i = 0; (floats = model_floats_at(i)); i++) {
    if (!name || strcmp(name, floats->name) == 0) {
      return floats;
    }
  }
  return NULL;
}
