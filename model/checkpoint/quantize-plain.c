/* Quantisers for any processor. */
#define INSTRUCTIONS
#define MODEL_QUANTIZE_BLOCKS model_quantize_blocks_plain
#include "checkpoint/quantize-blocks.h"
