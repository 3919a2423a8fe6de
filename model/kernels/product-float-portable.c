/* product-float-portable.c - float products in plain C. */
#define LANES_PORTABLE
#include "kernels/product-float-body.h"

const ModelFloatProducts model_float_products_portable =
    MODEL_FLOAT_PRODUCTS("portable", false, false);
