/* Quantisers with AVX2. */
#define INSTRUCTIONS __attribute__((target("avx2")))
#define MODEL_QUANTIZE_BLOCKS model_quantize_blocks_avx2
#include "checkpoint/quantize-blocks.h"
