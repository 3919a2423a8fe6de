/* Quantisers with AVX-512. */
#define INSTRUCTIONS __attribute__((target("avx2,avx512f,avx512bw,avx512vl,avx512dq")))
#define MODEL_QUANTIZE_BLOCKS model_quantize_blocks_avx512
#include "checkpoint/quantize-blocks.h"
