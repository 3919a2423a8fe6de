/* Which type each tensor of a file gets. */
#include "checkpoint/mix.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
  const char *name;
  uint32_t file_type;
  /* of most matrices of the decoder, of its more sensitive ones, of its output, of the tower's */
  ModelType most, sensitive, output, picture;
} mixes[MODEL_N_MIXES] = {
    [MODEL_MIX_F32] = {"f32", 0, MODEL_TYPE_F32, MODEL_TYPE_F32, MODEL_TYPE_F32, MODEL_TYPE_F32},
    [MODEL_MIX_F16] = {"f16", 1, MODEL_TYPE_F16, MODEL_TYPE_F16, MODEL_TYPE_F16, MODEL_TYPE_F16},
    [MODEL_MIX_BF16] = {"bf16", 32, MODEL_TYPE_BF16, MODEL_TYPE_BF16, MODEL_TYPE_BF16,
                        MODEL_TYPE_BF16},
    [MODEL_MIX_Q8_0] = {"q8_0", 7, MODEL_TYPE_Q8_0, MODEL_TYPE_Q8_0, MODEL_TYPE_Q8_0,
                        MODEL_TYPE_Q8_0},
    [MODEL_MIX_Q6_K] = {"q6_k", 18, MODEL_TYPE_Q6_K, MODEL_TYPE_Q6_K, MODEL_TYPE_Q6_K,
                        MODEL_TYPE_Q8_0},
    [MODEL_MIX_Q5_K_M] = {"q5_k_m", 17, MODEL_TYPE_Q5_K, MODEL_TYPE_Q6_K, MODEL_TYPE_Q6_K,
                          MODEL_TYPE_Q8_0},
    [MODEL_MIX_Q4_K_M] = {"q4_k_m", 15, MODEL_TYPE_Q4_K, MODEL_TYPE_Q6_K, MODEL_TYPE_Q6_K,
                          MODEL_TYPE_Q8_0},
    [MODEL_MIX_Q4_0] = {"q4_0", 2, MODEL_TYPE_Q4_0, MODEL_TYPE_Q4_0, MODEL_TYPE_Q6_K,
                        MODEL_TYPE_Q8_0},
};

const char *
model_mix_name(ModelMix mix)
{
  return (unsigned)mix < MODEL_N_MIXES ? mixes[mix].name : NULL;
}

bool
model_mix_parse(const char *text, ModelMix *mix)
{
  for (unsigned i = 0; i < MODEL_N_MIXES; i++)
    if (strcasecmp(text, mixes[i].name) == 0) {
      *mix = (ModelMix)i;
      return true;
    }
  return false;
}

uint32_t
model_mix_file_type(ModelMix mix)
{
  return mixes[mix].file_type;
}

/* The values' projection and the way down are the most sensitive, early and late layers more than
 * those between, of which every third is spared. */
static bool
is_sensitive(const char *name, uint32_t n_layers)
{
  const uint32_t eighth = n_layers / 8;
  unsigned long layer;
  char *end;

  if (strncmp(name, "blk.", 4) != 0)
    return false;
  layer = strtoul(name + 4, &end, 10);
  if (strcmp(end, ".attn_v.weight") != 0 && strcmp(end, ".ffn_down.weight") != 0)
    return false;
  return layer < eighth || layer >= 7 * n_layers / 8 || (layer - eighth) % 3 == 2;
}

ModelType
model_mix_type(ModelMix mix, const char *name, uint32_t n_dims, const uint64_t *shape,
               uint32_t n_layers, bool tied)
{
  bool of_picture = strncmp(name, "v.", 2) == 0 || strncmp(name, "mm.", 3) == 0;
  ModelType type = mixes[mix].most;

  if (mix == MODEL_MIX_F32 || n_dims < 2 || strcmp(name, "v.position_embd.weight") == 0)
    return MODEL_TYPE_F32;
  if (of_picture)
    type = mixes[mix].picture;
  else if (strcmp(name, tied ? "token_embd.weight" : "output.weight") == 0)
    type = mixes[mix].output;
  else if (is_sensitive(name, n_layers))
    type = mixes[mix].sensitive;
  /* ggml's rows are the fastest dimension alone, which is the patch's side in the convolution. */
  if (n_dims > 2)
    return MODEL_TYPE_F16;
  if (model_type_row_bytes(type, shape[1]) == 0)
    type = MODEL_TYPE_Q8_0;
  return model_type_row_bytes(type, shape[1]) ? type : MODEL_TYPE_F16;
}
