/* product-float.c - which float products this processor can run, and on what. */
#include "kernels/product-float.h"

#include <stddef.h>
#include <string.h>

#include "kernels/cpu.h"

/* Best first. */
static const struct {
  const ModelFloatProducts *products;
  uint32_t needs;
} known[] = {
#if defined __x86_64__
    {&model_float_products_avx512bf16, MODEL_CPU_AVX512 | MODEL_CPU_AVX512_BF16},
    {&model_float_products_avx512, MODEL_CPU_AVX512},
    {&model_float_products_avx2, MODEL_CPU_AVX2},
#elif defined __aarch64__
    {&model_float_products_neon, 0},
#endif
    {&model_float_products_portable, 0},
};

const ModelFloatProducts *
model_float_products_at(uint32_t index)
{
  const uint32_t features = model_cpu_features();

  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if ((features & known[i].needs) == known[i].needs && index-- == 0) {
      return known[i].products;
    }
  }
  return NULL;
}

const ModelFloatProducts *
model_float_products_find(const char *name)
{
  const ModelFloatProducts *products;

  for (uint32_t i = 0; (products = model_float_products_at(i)); i++) {
    if (!name || strcmp(name, products->name) == 0) {
      return products;
    }
  }
  return NULL;
}

bool
model_float_product_fits(const ModelTensor *w)
{
  const uintptr_t address = (uintptr_t)w->data;

  return w->type == MODEL_TYPE_F32 ? address % sizeof(float) == 0
                                   : (w->type == MODEL_TYPE_F16 || w->type == MODEL_TYPE_BF16) &&
                                         address % sizeof(uint16_t) == 0;
}
