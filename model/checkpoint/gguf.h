/* gguf.h - the pieces of the reader of GGUF models. Private to model/checkpoint. */
#ifndef HILUM_MODEL_CHECKPOINT_GGUF_H
#define HILUM_MODEL_CHECKPOINT_GGUF_H

#include "checkpoint/gguf-file.h"
#include "checkpoint/roles.h"

/* What hilum.format_version of our files says; a higher one is refused as newer. */
#define MODEL_GGUF_FORMAT_VERSION 1u
/* And hilum.packed, of the layouts in kernels/packed.h. */
#define MODEL_GGUF_PACKED_VERSION 1u

/* tokenizer.ggml.* into checkpoint->vocabulary and config. OURS: the file has hilum.* keys. */
bool model_gguf_vocabulary(ModelCheckpoint *checkpoint, const ModelGguf *gguf, bool ours,
                           ModelError *err);

/* Whether the file holds a tower. */
bool model_gguf_has_tower(const ModelGguf *gguf);
/* The tower and projector of GGUF into config and weights, or only the projector when
 * options->vision_tower names another tower. The decoder's configuration is there already. */
bool model_gguf_picture(ModelCheckpoint *checkpoint, const ModelGguf *gguf,
                        const ModelEngineOptions *options, ModelError *err);

#endif
