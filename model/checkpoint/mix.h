/* mix.h - what a model file is stored as: which type each tensor of it gets. Private to model/.
 *
 * The rules are those of llama.cpp's mixes of the same names (so files compare like with like), but
 * for rows that do not divide by a type's block, which get Q8_0, or F16 where that does not divide
 * either, and for the tower and projector, which llama.cpp keeps in a file of their own. */
#ifndef HILUM_MODEL_CHECKPOINT_MIX_H
#define HILUM_MODEL_CHECKPOINT_MIX_H

#include "checkpoint/checkpoint.h"

typedef enum {
  MODEL_MIX_F32,
  MODEL_MIX_F16,
  MODEL_MIX_BF16,
  MODEL_MIX_Q8_0,
  MODEL_MIX_Q6_K,
  MODEL_MIX_Q5_K_M,
  MODEL_MIX_Q4_K_M,
  MODEL_MIX_Q4_0,
  MODEL_N_MIXES
} ModelMix;

/* "q4_k_m"; NULL past the last. */
const char *model_mix_name(ModelMix mix);
/* The mix called TEXT, in small or capital letters; false when there is none. */
bool model_mix_parse(const char *text, ModelMix *mix);
/* ggml's number of it, for general.file_type. */
uint32_t model_mix_file_type(ModelMix mix);

/* The type of the tensor that llama.cpp calls NAME ("blk.3.attn_v.weight", "v.blk.0.ffn_up.weight")
 * with SHAPE[N_DIMS] (row-major, the last is the length of a row), in a decoder of N_LAYERS. TIED:
 * the token embedding serves as the output too. */
ModelType model_mix_type(ModelMix mix, const char *name, uint32_t n_dims, const uint64_t *shape,
                         uint32_t n_layers, bool tied);

#endif
