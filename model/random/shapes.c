/* shapes.c - the sizes of well-known models. */
#include "random/random.h"

#include <string.h>

#define CLIP_LARGE(side)                                                                           \
  {                                                                                                \
    .image_size = side, .patch_size = 14, .hidden = 1024, .heads = 16, .ffn = 4096,                \
    .blocks_stored = 24, .blocks_run = 23, .eps = 1e-5f, .mean = CLIP_MEAN, .std = CLIP_STD        \
  }
#define CLIP_MEAN                                                                                  \
  {                                                                                                \
    0.48145466f, 0.4578275f, 0.40821073f                                                           \
  }
#define CLIP_STD                                                                                   \
  {                                                                                                \
    0.26862954f, 0.26130258f, 0.27577711f                                                          \
  }
#define LLAMA_7B(words)                                                                            \
  {                                                                                                \
    .hidden = 4096, .layers = 32, .heads = 32, .kv_heads = 32, .head_dim = 128, .ffn = 11008,      \
    .vocab = words, .context = 2048, .theta = 10000, .eps = 1e-6f                                  \
  }
#define MISTRAL_7B                                                                                 \
  {                                                                                                \
    .hidden = 4096, .layers = 32, .heads = 32, .kv_heads = 8, .head_dim = 128, .ffn = 14336,       \
    .vocab = 32000, .context = 32768, .theta = 1e6f, .eps = 1e-5f                                  \
  }
#define TEXT .id_im_patch = -1, .id_im_start = -1, .id_im_end = -1, .bos = 1, .eos = 2, .pad = -1

/* "tiny" has everything that the large ones have, in some hundred thousand weights, and rows that
 * divide by 256, so that every type can be had. */
static const ModelConfig shapes[] = {
    {.name = "llava-med-v1.5",
     .template_name = "mistral_instruct",
     .has_vision = true,
     .vision = CLIP_LARGE(336),
     .projector = MODEL_PROJECTOR_MLP2X_GELU,
     .aspect = MODEL_ASPECT_PAD,
     .decoder = MISTRAL_7B,
     TEXT},
    {.name = "llava-med-v1.0",
     .template_name = "multimodal",
     .has_vision = true,
     .vision = CLIP_LARGE(224),
     .projector = MODEL_PROJECTOR_LINEAR,
     .aspect = MODEL_ASPECT_SQUARE,
     .decoder = LLAMA_7B(32004),
     .image_start_end = true,
     .id_im_patch = 32001,
     .id_im_start = 32002,
     .id_im_end = 32003,
     .bos = 2,
     .eos = 2,
     .pad = 32000},
    {.name = "llava-1.5",
     .template_name = "vicuna_v1",
     .has_vision = true,
     .vision = CLIP_LARGE(336),
     .projector = MODEL_PROJECTOR_MLP2X_GELU,
     .aspect = MODEL_ASPECT_PAD,
     .decoder = LLAMA_7B(32000),
     TEXT},
    {.name = "tinyllama",
     .template_name = "vicuna_v1",
     .decoder = {.hidden = 2048,
                 .layers = 22,
                 .heads = 32,
                 .kv_heads = 4,
                 .head_dim = 64,
                 .ffn = 5632,
                 .vocab = 32000,
                 .context = 2048,
                 .theta = 10000,
                 .eps = 1e-5f},
     TEXT},
    {.name = "tiny",
     .template_name = "mistral_instruct",
     .has_vision = true,
     .vision = {.image_size = 28,
                .patch_size = 7,
                .hidden = 64,
                .heads = 4,
                .ffn = 128,
                .blocks_stored = 3,
                .blocks_run = 2,
                .eps = 1e-5f,
                .mean = CLIP_MEAN,
                .std = CLIP_STD},
     .projector = MODEL_PROJECTOR_MLP2X_GELU,
     .aspect = MODEL_ASPECT_PAD,
     .decoder = {.hidden = 256,
                 .layers = 3,
                 .heads = 4,
                 .kv_heads = 2,
                 .head_dim = 64,
                 .ffn = 512,
                 .vocab = 512,
                 .context = 2048,
                 .theta = 10000,
                 .eps = 1e-5f},
     TEXT},
};

#define N_SHAPES (sizeof shapes / sizeof *shapes)

const ModelConfig *
model_shape_find(const char *name)
{
  for (size_t i = 0; i < N_SHAPES; i++)
    if (strcmp(shapes[i].name, name) == 0)
      return &shapes[i];
  return NULL;
}

const char *
model_random_shape(uint32_t index)
{
  return index < N_SHAPES ? shapes[index].name : NULL;
}
