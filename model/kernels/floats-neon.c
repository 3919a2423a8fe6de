/* floats-neon.c - the float kernels for AArch64. */
#if defined __aarch64__
#define LANES_NEON
#include "kernels/floats-body.h"

const ModelFloats model_floats_neon = MODEL_FLOATS("neon");
#endif
