/* product-float-neon.c - float products for AArch64. */
#if defined __aarch64__
#define LANES_NEON
#include "kernels/product-float-body.h"

const ModelFloatProducts model_float_products_neon = MODEL_FLOAT_PRODUCTS("neon", false, false);
#endif
