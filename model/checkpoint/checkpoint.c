#include "checkpoint/roles.h"

#include "base/error.h"
#include "checkpoint/huggingface.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
model_text_copy(char *out, size_t n, const char *text, size_t length, bool lines)
{
  size_t at = 0;

  for (size_t i = 0; i < length && text[i]; i++) {
    unsigned char c = (unsigned char)text[i];
    size_t more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : c >= 0xC2 ? 1 : 0;
    bool whole = c < 0x80 || (c >= 0xC2 && c < 0xF5 && i + more < length);
    for (size_t k = 1; whole && k <= more; k++)
      whole = ((unsigned char)text[i + k] & 0xC0) == 0x80;
    bool control = (c < 0x20 && !(lines && (c == '\n' || c == '\t'))) || c == 0x7F;
    if (!whole || control) {
      if (at + 1 >= n)
        break;
      out[at++] = control ? ' ' : '?';
      continue;
    }
    if (at + more + 1 >= n)
      break;
    memcpy(out + at, text + i, more + 1);
    at += more + 1;
    i += more;
  }
  out[at] = '\0';
}

static bool
set_template(ModelCheckpoint *checkpoint, const ModelEngineOptions *options, ModelError *err)
{
  ModelConfig *config = &checkpoint->config;

  if (!options || !options->template_name)
    return true;
  if (strlen(options->template_name) >= sizeof config->template_name)
    return model_fail(err, MODEL_ERROR_ARGUMENT, "the template name \"%.80s\" is too long",
                      options->template_name);
  snprintf(config->template_name, sizeof config->template_name, "%s", options->template_name);
  return true;
}

bool
model_checkpoint_open(const char *path, const ModelEngineOptions *options,
                      ModelCheckpoint *checkpoint, ModelError *err)
{
  bool ok;

  memset(checkpoint, 0, sizeof *checkpoint);
  checkpoint->tower_origin = "none";
  checkpoint->config.id_im_patch = -1;
  checkpoint->config.id_im_start = -1;
  checkpoint->config.id_im_end = -1;
  checkpoint->path = strdup(path);
  if (!checkpoint->path)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", path);
  if (model_path_is_folder(path))
    ok = model_huggingface_open(checkpoint, options, err);
  else
    ok = model_gguf_open(checkpoint, options, err);
  ok = ok && set_template(checkpoint, options, err);
  if (!ok)
    model_checkpoint_close(checkpoint);
  return ok;
}

void
model_checkpoint_close(ModelCheckpoint *checkpoint)
{
  for (uint32_t i = 0; i < checkpoint->n_mappings; i++)
    model_mapping_free(checkpoint->mappings[i]);
  free(checkpoint->mappings);
  free(checkpoint->weights.blocks);
  free(checkpoint->weights.layers);
  model_vocabulary_clear(&checkpoint->vocabulary);
  free(checkpoint->path);
  free(checkpoint->card);
  memset(checkpoint, 0, sizeof *checkpoint);
}
