/* floats-portable.c - the float kernels in plain C. */
#define LANES_PORTABLE
#include "kernels/floats-body.h"

const ModelFloats model_floats_portable = MODEL_FLOATS("portable");
