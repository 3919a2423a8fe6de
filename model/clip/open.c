/* open.c - opening a CLIP pair. */
#include "clip/clip.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "kernels/kernels.h"

/* Which of the two layouts FOLDER says it has: *JSON is its configuration, which the caller clears.
 * False without an error: neither. */
static bool
find_layout(const char *folder, ModelJson *json, bool *open_clip, bool *found, ModelError *err)
{
  *open_clip = false;
  if (!model_folder_json(folder, "config.json", json, found, err)) {
    return false;
  }
  if (*found && model_json_get(json->nodes, "text_config") &&
      model_json_get(json->nodes, "vision_config")) {
    const ModelJsonNode *type = model_json_get(json->nodes, "model_type");
    /* LLaVA's have these two sections, too. */
    *found = type && type->type == MODEL_JSON_STRING && strcmp(type->text, "clip") == 0;
    return true;
  }
  model_json_clear(json);
  *open_clip = true;
  return model_folder_json(folder, "open_clip_config.json", json, found, err);
}

bool
model_clip_is(const char *folder)
{
  ModelJson json = {0};
  bool open_clip, found = false;

  if (!model_path_is_folder(folder)) {
    return false;
  }
  /* One whose configuration cannot be read is opened, to say so. */
  found = !find_layout(folder, &json, &open_clip, &found, NULL) || found;
  model_json_clear(&json);
  return found;
}

static bool
read_tensors(ModelClipReader *r, ModelError *err)
{
  ModelCheckpoint *files = &r->clip->files;
  bool found = false;

  if (!r->open_clip) {
    return model_folder_tensors(files, r->folder, &r->table, err);
  }
  return model_folder_file(files, r->folder, "open_clip_model", &r->table, &found, err) &&
         (found ||
          model_folder_file(files, r->folder, "open_clip_pytorch_model", &r->table, NULL, err));
}

static bool
fill(ModelClipReader *r, const ModelClipOptions *options, ModelError *err)
{
  ModelClip *clip = r->clip;
  const ModelClipTextConfig *text = &clip->text_config;
  bool found;

  if (!find_layout(r->folder, &r->json, &r->open_clip, &found, err)) {
    return false;
  }
  if (!found) {
    return model_fail(err, MODEL_ERROR_FORMAT,
                      "%s: no CLIP checkpoint: expected a config.json of model_type clip, or an "
                      "open_clip_config.json",
                      r->folder);
  }
  if (!read_tensors(r, err) || !model_clip_config(r, err) || !model_clip_tensors(r, err)) {
    return false;
  }
  clip->words = model_clip_words_open(
      r->folder, text->kind == MODEL_CLIP_BERT ? MODEL_WORDS_BERT : MODEL_WORDS_CLIP, text->vocab,
      err);
  if (!clip->words) {
    return false;
  }
  if (text->end >= 0 && text->end != model_words_end(clip->words)) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: eos_token_id is %d, but the vocabulary ends texts with %d", r->folder,
                      (int)text->end, (int)model_words_end(clip->words));
  }
  clip->pool =
      model_pool_new_with(options ? options->n_threads : 0, options ? options->kernels : NULL, err);
  return clip->pool;
}

ModelClip *
model_clip_open(const char *folder, const ModelClipOptions *options, ModelError *err)
{
  ModelClip *clip = calloc(1, sizeof *clip);
  ModelClipReader r = {.clip = clip, .folder = folder};
  bool ok = clip && (clip->files.path = strdup(folder));

  if (!ok) {
    model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", folder);
  } else {
    clip->files.guard = options ? options->guard : NULL;
    ok = fill(&r, options, err);
  }
  model_table_clear(&r.table);
  model_json_clear(&r.json);
  if (!ok) {
    model_clip_free(clip);
    return NULL;
  }
  return clip;
}

void
model_clip_free(ModelClip *clip)
{
  if (clip) {
    model_pool_free(clip->pool);
    model_words_free(clip->words);
    model_clip_tensors_clear(clip);
    model_checkpoint_close(&clip->files);
    free(clip);
  }
}

bool
model_clip_is_intact(const ModelClip *clip)
{
  return model_checkpoint_is_intact(&clip->files);
}

void
model_clip_info(const ModelClip *clip, ModelClipInfo *info)
{
  static const char *const vision[] = {"clip", "openai", "timm"};
  static const char *const text[] = {"clip", "openai", "bert"};

  *info = (ModelClipInfo){.vision = vision[clip->kind],
                          .text = text[clip->text_config.kind],
                          .width = clip->width,
                          .image_size = clip->vision.image_size,
                          .patch_size = clip->vision.patch_size,
                          .context = clip->text_config.context,
                          .vocab = clip->text_config.vocab,
                          .scale = clip->scale};
}
