#include "checkpoint/card.h"

#include "base/error.h"
#include "checkpoint/gguf-header.h"
#include "checkpoint/merge.h"
#include "checkpoint/mix.h"
#include "checkpoint/roles.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char heading[] = "## Conversion\n";

__attribute__((format(printf, 2, 3))) static void
put(ModelBytes *text, const char *format, ...)
{
  char line[512];
  va_list args;

  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  model_bytes_put(text, line, strlen(line));
}

/* The type that most bytes of the source's decoder have. */
static const char *
source_type(const ModelCheckpoint *checkpoint)
{
  static const ModelType types[] = {
      MODEL_TYPE_F32,  MODEL_TYPE_F16,  MODEL_TYPE_BF16, MODEL_TYPE_Q8_0,   MODEL_TYPE_Q6_K,
      MODEL_TYPE_Q5_K, MODEL_TYPE_Q5_1, MODEL_TYPE_Q5_0, MODEL_TYPE_Q4_K,   MODEL_TYPE_Q4_1,
      MODEL_TYPE_Q4_0, MODEL_TYPE_Q3_K, MODEL_TYPE_Q2_K, MODEL_TYPE_IQ4_NL, MODEL_TYPE_IQ2_XXS};
  uint64_t bytes[sizeof types / sizeof *types] = {0};
  const ModelTensor *tensor;
  size_t most = 0;
  char name[256];

  for (uint32_t i = 0; (tensor = model_checkpoint_tensor(checkpoint, i, name)); i++)
    for (size_t k = 0; k < sizeof types / sizeof *types; k++)
      if (tensor->type == types[k] && tensor->n_dims > 1)
        bytes[k] += tensor->n_bytes;
  for (size_t k = 0; k < sizeof types / sizeof *types; k++)
    most = bytes[k] > bytes[most] ? k : most;
  return model_type_name(types[most]);
}

static void
put_conversion(ModelBytes *text, const ModelCheckpoint *checkpoint,
               const ModelWriteOptions *options)
{
  const ModelConfig *config = &checkpoint->config;
  ModelMix mix = MODEL_MIX_F16;
  const char *tower = options->tower_type;
  const ModelMerge *merge = checkpoint->merge;

  model_mix_parse(options->type, &mix);
  if (!tower)
    tower = mix >= MODEL_MIX_Q8_0 ? "q8_0" : options->type;
  put(text, "%s\n- from: %s, format %s, mostly %s\n", heading, config->name, checkpoint->format,
      source_type(checkpoint));
  if (merge && *merge->base)
    put(text, "- a delta, added to: %s\n", merge->base);
  if (merge && *merge->lora)
    put(text, "- adapter merged: %s\n", merge->lora);
  put(text, "- decoder: %s\n", options->type);
  if (config->has_vision)
    put(text, "- vision tower: %s, %s; projector: %s\n",
        strcmp(checkpoint->tower_origin, "stock") == 0 ? "of a CLIP checkpoint"
                                                       : "the checkpoint's own",
        tower, tower);
  put(text, "- conversation template: %s\n", config->template_name);
}

bool
model_card_make(const ModelCheckpoint *checkpoint, const ModelWriteOptions *options,
                const char *card, char **made, ModelError *err)
{
  const char *own = checkpoint->card ? checkpoint->card : "", *end;
  ModelBytes text = {0};

  if (card) {
    model_bytes_put(&text, card, strlen(card) + 1);
  } else {
    /* A heading at the start of a line. */
    for (end = strstr(own, heading); end && end > own && end[-1] != '\n';)
      end = strstr(end + 1, heading);
    if (*own)
      model_bytes_put(&text, own, end ? (size_t)(end - own) : strlen(own));
    else
      put(&text, "# %s\n\n", checkpoint->config.name);
    while (text.n > 1 && !text.failed && memcmp(text.data + text.n - 2, "\n\n", 2) != 0)
      put(&text, "\n");
    put_conversion(&text, checkpoint, options);
    model_bytes_put(&text, "", 1);
  }
  if (text.failed) {
    free(text.data);
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", checkpoint->path);
  }
  *made = (char *)text.data;
  return true;
}
