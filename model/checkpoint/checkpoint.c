#include "checkpoint/roles.h"

#include "base/error.h"
#include "base/utf8.h"
#include "checkpoint/huggingface.h"
#include "checkpoint/merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
model_text_copy(char *out, size_t n, const char *text, size_t length, bool lines)
{
  size_t at = 0, step;

  for (size_t i = 0; i < length && text[i]; i += step) {
    uint32_t code = 0;
    size_t whole = model_utf8_decode(text + i, length - i, &code);
    bool line = lines && (code == '\n' || code == '\t');
    bool control = whole && (code < 0x20 || (code >= 0x7F && code < 0xA0)) && !line;
    const char *from = !whole ? "?" : control ? " " : text + i;
    step = whole ? whole : 1;
    whole = whole && !control ? whole : 1;
    if (at + whole >= n)
      break;
    memcpy(out + at, from, whole);
    at += whole;
  }
  out[at] = '\0';
}

void
model_path_base(const char *path, char *out, size_t n)
{
  size_t end = strlen(path), start;

  while (end > 1 && path[end - 1] == '/')
    end--;
  for (start = end; start > 0 && path[start - 1] != '/';)
    start--;
  model_text_copy(out, n, path + start, end - start, false);
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
  if (options) {
    checkpoint->guard = options->guard;
    checkpoint->go_on = options->go_on;
    checkpoint->go_on_user = options->go_on_user;
  }
  checkpoint->path = strdup(path);
  if (!checkpoint->path)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", path);
  if (model_path_is_folder(path))
    ok = model_huggingface_open(checkpoint, options, err);
  else
    ok = model_gguf_open(checkpoint, options, err);
  if (ok && model_path_is_folder(path))
    ok = model_delta_check(checkpoint, options && options->base, err);
  if (ok && options && options->base)
    ok = model_delta_open(checkpoint, options->base, err);
  if (ok && options && options->lora)
    ok = model_lora_open(checkpoint, options->lora, err);
  ok = ok && set_template(checkpoint, options, err);
  if (!ok)
    model_checkpoint_close(checkpoint);
  return ok;
}

bool
model_checkpoint_go_on(const ModelCheckpoint *checkpoint, ModelError *err)
{
  return !checkpoint->go_on || checkpoint->go_on(checkpoint->go_on_user) ||
         model_fail(err, MODEL_ERROR_CANCELLED, "%s: stopped while it was being read",
                    checkpoint->path);
}

bool
model_checkpoint_is_intact(const ModelCheckpoint *checkpoint)
{
  for (uint32_t i = 0; checkpoint->guard && i < checkpoint->n_mappings; i++) {
    const ModelMapping *mapping = checkpoint->mappings[i];
    if (!checkpoint->guard->intact(mapping->data, mapping->size))
      return false;
  }
  return true;
}

void
model_checkpoint_close(ModelCheckpoint *checkpoint)
{
  for (uint32_t i = 0; i < checkpoint->n_mappings; i++)
    model_mapping_free(checkpoint->mappings[i]);
  free(checkpoint->mappings);
  model_merge_free(checkpoint->merge);
  free(checkpoint->weights.blocks);
  free(checkpoint->weights.layers);
  model_vocabulary_clear(&checkpoint->vocabulary);
  free(checkpoint->path);
  free(checkpoint->card);
  memset(checkpoint, 0, sizeof *checkpoint);
}
