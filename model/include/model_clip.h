/* model_clip.h - a CLIP pair: one tower for pictures, one for texts, and a space in which both are
 * directions, so that a picture can be compared with what might be said of it.
 *
 * Read are folders of Hugging Face's CLIPModel (config.json, model.safetensors or
 * pytorch_model.bin), and of OpenCLIP (open_clip_config.json, open_clip_model.safetensors or
 * open_clip_pytorch_model.bin): with OpenAI's own two towers, or with a ViT of timm's and a BERT,
 * which is what BiomedCLIP is. The vocabulary lies beside them: vocab.json and merges.txt, or
 * vocab.txt, or tokenizer.json.
 *
 * Thread rule: a ModelClip is read-only after opening and may be shared by any number of threads,
 * which take turns in its pool. Errors as in model.h.
 */
#ifndef HILUM_MODEL_CLIP_H
#define HILUM_MODEL_CLIP_H

#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ModelClip ModelClip;

typedef struct {
  uint32_t n_threads;      /* 0: one per online core */
  const char *kernels;     /* as in ModelEngineOptions; NULL: the best */
  const ModelGuard *guard; /* NULL: none; outlives the pair */
} ModelClipOptions;

/* Whether FOLDER says that it holds such a pair; it may be broken all the same. */
bool model_clip_is(const char *folder);

/* OPTIONS may be NULL. Caller frees with model_clip_free(). */
ModelClip *model_clip_open(const char *folder, const ModelClipOptions *options, ModelError *err);
void model_clip_free(ModelClip *clip); /* CLIP may be NULL */
/* Whether the files are still what was opened, as the guard says. */
bool model_clip_is_intact(const ModelClip *clip);

typedef struct {
  const char *vision, *text; /* "clip", "openai", "timm"; "clip", "openai", "bert" (static) */
  uint32_t width;            /* numbers of a direction */
  uint32_t image_size, patch_size;
  uint32_t context, vocab; /* ids of a text, at most; rows of the vocabulary's table */
  double scale;            /* what cosines are multiplied with before a softmax */
} ModelClipInfo;
void model_clip_info(const ModelClip *clip, ModelClipInfo *info);

/* The ids of TEXT with those that begin and end it; a text that is too long is cut. Appends. */
bool model_clip_tokenize(const ModelClip *clip, const char *text, size_t length, ModelIds *ids,
                         ModelError *err);

/* Directions, WIDTH numbers of length 1, into OUT. A text that is too long for its tower counts by
 * its front. CORRUPT when the weights give no numbers. */
bool model_clip_text(const ModelClip *clip, const char *text, size_t length, float *out,
                     ModelError *err);
bool model_clip_picture(const ModelClip *clip, const ModelImage *image, float *out,
                        ModelError *err);

#ifdef __cplusplus
}
#endif
#endif
