/* write.c - a model with random weights as one GGUF, piece by piece. */
#include "random/random.h"

#include "base/error.h"
#include "checkpoint/gguf-header.h"
#include "checkpoint/output.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES (1u << 20) /* of the file that are in memory at a time */
#define CHUNK_VALUES (CHUNK_BYTES / 4)

typedef struct {
  ModelCheckpoint checkpoint; /* the configuration and the vocabulary; no weights */
  ModelPlan plan;
  uint64_t seed;
  ModelOutput output;
  ModelConvertProgress progress;
  void *user;
  uint64_t done;
  ModelError *err;
} Writer;

/* Scales with which activations stay near 1 in every layer: a product of a row whose values are
 * near 1 has values near 1 again, and what the layers add to the sum stays small beside it. */
static ModelSpread
spread_of(const Writer *w, const ModelRole *role)
{
  const ModelConfig *c = &w->checkpoint.config;
  const char *name = role->gguf;
  uint64_t columns = 1;
  ModelSpread spread = {0, 1};

  for (uint32_t i = 1; i < role->n_dims; i++)
    columns *= role->shape[i];
  spread.deviation = 1 / sqrt((double)columns);
  if (role->n_dims == 1)
    /* The weights of norms are near 1, biases and the class embedding near 0. */
    return (ModelSpread){strstr(name, ".bias") || strstr(name, "class") ? 0 : 1, 1.0 / 32};
  if (strcmp(name, "token_embd.weight") == 0 || strstr(name, "position_embd"))
    spread.deviation = 1;
  else if (strcmp(name, "output.weight") == 0)
    spread.deviation *= 3; /* logits that differ enough for one of them to be likely */
  else if (strncmp(name, "blk.", 4) == 0 && (strstr(name, "attn_output") || strstr(name, "down")))
    spread.deviation /= sqrt(2.0 * c->decoder.layers);
  else if (strncmp(name, "v.blk.", 6) == 0 && (strstr(name, "attn_out") || strstr(name, "down")))
    spread.deviation /= sqrt(2.0 * c->vision.blocks_stored);
  return spread;
}

/* The same tensor of the same seed is the same in every file that holds it. */
static void
seed_for(const Writer *w, const ModelRole *role, ModelRandom *random)
{
  uint64_t state = w->seed, hash = 0xcbf29ce484222325u; /* FNV-1a */

  for (const char *c = role->gguf; *c; c++)
    hash = (hash ^ (uint8_t)*c) * 0x100000001b3u;
  state = model_splitmix64(&state) ^ hash;
  model_random_seed(random, state);
}

static bool
put(Writer *w, const uint8_t *data, uint64_t n)
{
  if (!model_output_write(&w->output, data, n, w->err))
    return false;
  w->done += n;
  if (!w->progress || w->progress(w->done, w->plan.n_bytes, w->user))
    return true;
  return model_fail(w->err, MODEL_ERROR_CANCELLED, "%s: cancelled after %llu of %llu bytes",
                    w->output.path, (unsigned long long)w->done,
                    (unsigned long long)w->plan.n_bytes);
}

static bool
write_tensor(Writer *w, const ModelPlanTensor *tensor, uint8_t *chunk)
{
  static const uint8_t zeros[MODEL_GGUF_ALIGNMENT];
  const ModelSpread spread = spread_of(w, &tensor->role);
  const uint64_t n = tensor->rows * tensor->columns, padding = tensor->padding;
  ModelRandom random;

  seed_for(w, &tensor->role, &random);
  /* Blocks of all types divide a chunk. */
  for (uint64_t at = 0; at < n; at += CHUNK_VALUES) {
    uint64_t part = n - at < CHUNK_VALUES ? n - at : CHUNK_VALUES;
    model_random_values(&random, tensor->type, spread, part, chunk);
    if (!put(w, chunk, part * tensor->n_bytes / n))
      return false;
  }
  return padding == 0 || put(w, zeros, padding);
}

static bool
write_all(Writer *w, const ModelRandomOptions *options, ModelFileParts parts)
{
  uint8_t *chunk = malloc(CHUNK_BYTES);
  ModelBytes header = {0};
  char card[256];
  bool ok;

  snprintf(card, sizeof card,
           "Random weights in the shape of %s, seed %llu: for measuring speed and memory. Its "
           "answers mean nothing.",
           options->shape, (unsigned long long)options->seed);
  ok = (chunk && model_gguf_header(&header, &w->checkpoint, &w->plan, parts, card)) ||
       model_fail(w->err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", w->output.path);
  ok = ok && model_output_room(&w->output, header.n + w->plan.n_bytes, w->err) &&
       model_output_write(&w->output, header.data, header.n, w->err);
  for (uint32_t i = 0; ok && i < w->plan.n; i++)
    ok = write_tensor(w, &w->plan.tensors[i], chunk);
  free(chunk);
  free(header.data);
  return ok && model_output_commit(&w->output, w->err);
}

/* Tensors as the plan wants to see them: there, of the right shape, and nothing to convert. */
static void
fill_weights(ModelCheckpoint *c, const ModelWriteOptions *options)
{
  static const uint8_t nothing[1];
  ModelMix mix = MODEL_MIX_F32;
  ModelRole role;

  (void)model_mix_parse(options->type, &mix);
  for (uint32_t i = 0; model_role_at(&c->config, &c->weights, i, &role); i++) {
    *role.tensor = (ModelTensor){.name = "random", .data = nothing, .n_dims = role.n_dims};
    memcpy(role.tensor->shape, role.shape, sizeof role.shape);
    role.tensor->type =
        model_mix_type(mix, role.gguf, role.n_dims, role.shape, c->config.decoder.layers, false);
  }
}

static bool
prepare(Writer *w, const ModelRandomOptions *options, ModelFileParts parts, const char *out)
{
  const ModelConfig *config = model_shape_find(options->shape);
  const ModelWriteOptions write = {
      .type = options->type, .tower_type = options->tower_type, .parts = parts};

  if (!config || (parts == MODEL_FILE_PICTURE && !config->has_vision))
    return model_fail(w->err, MODEL_ERROR_ARGUMENT,
                      config ? "the shape \"%.40s\" has no tower" : "there is no shape \"%.40s\"",
                      options->shape);
  w->checkpoint.config = *config;
  snprintf(w->checkpoint.config.name, sizeof w->checkpoint.config.name, "random %s",
           options->shape);
  w->checkpoint.tower_origin = config->has_vision ? "checkpoint" : "none";
  w->checkpoint.path = strdup(out);
  if (!w->checkpoint.path)
    return model_fail(w->err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", out);
  if (!model_weights_alloc(&w->checkpoint, w->err) ||
      !model_random_vocabulary(config, &w->checkpoint.vocabulary, w->err))
    return false;
  fill_weights(&w->checkpoint, &write);
  return model_plan_init(&w->plan, &w->checkpoint, &write, w->err);
}

bool
model_random_write_with(const ModelRandomOptions *options, const char *out, const ModelFileOps *ops,
                        ModelError *err)
{
  Writer w = {.seed = options->seed,
              .progress = options->progress,
              .user = options->user,
              .err = err,
              .output.fd = -1};
  const ModelFileParts parts = options->part == MODEL_RANDOM_DECODER ? MODEL_FILE_DECODER
                               : options->part == MODEL_RANDOM_TOWER ? MODEL_FILE_PICTURE
                                                                     : MODEL_FILE_WHOLE;
  bool ok = prepare(&w, options, parts, out) && model_output_open(&w.output, out, ops, err) &&
            write_all(&w, options, parts);

  model_output_close(&w.output);
  model_plan_clear(&w.plan);
  model_checkpoint_close(&w.checkpoint);
  return ok;
}

bool
model_random_write(const ModelRandomOptions *options, const char *out, ModelError *err)
{
  return model_random_write_with(options, out, NULL, err);
}
