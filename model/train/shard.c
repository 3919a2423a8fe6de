/* shard.c - from samples to packed rows, and one forward and backward pass over them. */
#include "shard.h"

#include "base/error.h"
#include "prompt/prompt.h"
#include "stages.h"

#include <stdlib.h>
#include <string.h>

float *
train_arena_take(TrainArena *arena, size_t n)
{
  float *at = arena->base ? arena->base + arena->used : NULL;

  arena->used += (n + 15) & ~(size_t)15; /* whole cache lines */
  return at;
}

uint32_t
train_patches(const ModelConfig *config)
{
  uint32_t side = config->has_vision ? config->vision.image_size / config->vision.patch_size : 0;

  return side * side;
}

/* An id that stands for one row of the picture (v1.0), or for the whole of it. */
static bool
is_patch(const ModelConfig *config, int32_t id)
{
  return config->image_start_end && config->id_im_patch >= 0 && id == config->id_im_patch;
}

static uint32_t
rows_of(const ModelConfig *config, int32_t id)
{
  return id == MODEL_IMAGE_ID ? train_patches(config) : 1;
}

bool
train_item_measure(TrainItem *item, const ModelConfig *config, uint32_t most_rows, ModelError *err)
{
  uint32_t patches = train_patches(config), marks = 0, run = 0;
  const uint32_t vocab = config->decoder.vocab;
  uint64_t rows = 0;

  item->n_counted = 0;
  for (size_t i = 0; i < item->n_ids; i++) {
    int32_t id = item->ids[i], label = item->labels[i];

    rows += rows_of(config, id);
    if (rows > most_rows) {
      rows -= rows_of(config, id);
      item->n_ids = i;
      break;
    }
    marks += id == MODEL_IMAGE_ID;
    run += is_patch(config, id);
    item->n_counted += i > 0 && label != MODEL_IGNORE_INDEX;
    if ((id != MODEL_IMAGE_ID && (id < 0 || (uint32_t)id >= vocab)) ||
        (label != MODEL_IGNORE_INDEX && (label < 0 || (uint32_t)label >= vocab))) {
      return model_fail(err, MODEL_ERROR_ARGUMENT,
                        "id %d with label %d, expected ids below the vocabulary's %u", id, label,
                        vocab);
    }
  }
  if (item->has_picture ? (run ? run != patches || marks : marks != 1) : marks > 0) {
    return model_fail(err, MODEL_ERROR_ARGUMENT,
                      "%u whole pictures and %u patch ids in the first %u positions, expected %s "
                      "(of %u patches)",
                      marks, run, most_rows, item->has_picture ? "one picture" : "no picture",
                      patches);
  }
  item->n_rows = (uint32_t)rows;
  return true;
}

static void
rows_layout(const TrainShard *shard, TrainArena *arena, TrainRows *rows)
{
  rows->n_sequences = shard->n_items;
  rows->n_rows = (uint32_t)shard->n_rows;
  rows->n_counted = (uint32_t)shard->n_counted;
  rows->n_pictures = (uint32_t)shard->n_pictures;
  rows->start = shard->start;
  rows->length = shard->length;
  rows->token = (int32_t *)train_arena_take(arena, shard->n_rows);
  rows->position = (uint32_t *)train_arena_take(arena, shard->n_rows);
  rows->counted = (uint32_t *)train_arena_take(arena, shard->n_counted);
  rows->target = (int32_t *)train_arena_take(arena, shard->n_counted);
}

static void
rows_fill(const TrainShard *shard, const ModelConfig *config, TrainRows *rows)
{
  uint32_t patches = train_patches(config), row = 0, counted = 0;
  int32_t picture_row = 0;

  for (uint32_t s = 0; s < shard->n_items; s++) {
    const TrainItem *item = shard->items[s];
    uint32_t first = row;

    for (size_t i = 0; i < item->n_ids; i++) {
      int32_t id = item->ids[i];
      uint32_t n = id == MODEL_IMAGE_ID ? patches : 1;

      if (i > 0 && item->labels[i] != MODEL_IGNORE_INDEX) {
        rows->counted[counted] = row - 1;
        rows->target[counted++] = item->labels[i];
      }
      for (uint32_t k = 0; k < n; k++, row++) {
        bool of_picture = item->has_picture && (id == MODEL_IMAGE_ID || is_patch(config, id));

        rows->position[row] = row - first;
        rows->token[row] = of_picture ? -1 - picture_row++ : id;
      }
    }
  }
}

typedef struct {
  TrainRows rows;
  TrainVision vision;
  TrainProjector projector;
  TrainDecoder decoder;
  TrainLoss loss;
} Pass;

static void
pass_layout(const TrainParams *params, const TrainShard *shard, bool backward, TrainArena *arena,
            Pass *pass)
{
  uint32_t n = (uint32_t)shard->n_pictures;

  memset(pass, 0, sizeof *pass);
  rows_layout(shard, arena, &pass->rows);
  if (n) {
    train_vision_layout(params, n, backward && (params->trained & TRAIN_VISION), arena,
                        &pass->vision);
    train_projector_layout(params, n * train_patches(&params->config), arena, &pass->projector);
  }
  train_decoder_layout(params, &pass->rows, backward, arena, &pass->decoder);
  train_loss_layout(params, pass->rows.n_counted, arena, &pass->loss);
}

size_t
train_shard_need(const TrainParams *params, const TrainShard *shard)
{
  TrainArena counting = {0};
  Pass pass;

  pass_layout(params, shard, true, &counting, &pass);
  return counting.used;
}

/* The tensors of PARTS get no gradient from this shard. */
static void
clear_parts(const TrainParams *params, unsigned parts, float *gradient)
{
  for (uint32_t i = 0; i < params->n_tensors; i++) {
    float *g = params->tensors[i].part & parts ? train_g(params, gradient, i) : NULL;

    if (g) {
      memset(g, 0, params->tensors[i].n * sizeof *g);
    }
  }
}

void
train_shard_run(const TrainParams *params, const TrainRope *rope, TrainShard *shard,
                TrainArena *arena, float *gradient)
{
  Pass pass;
  bool backward = gradient != NULL, pictures = shard->n_pictures > 0;
  bool tower = pictures && (params->trained & TRAIN_VISION);
  bool projector = pictures && (params->trained & (TRAIN_VISION | TRAIN_PROJECTOR));

  shard->loss = 0;
  if (backward && (shard->n_counted == 0 || !pictures)) {
    clear_parts(params, shard->n_counted ? TRAIN_VISION | TRAIN_PROJECTOR : ~0u, gradient);
  }
  if (shard->n_counted == 0) {
    return;
  }
  arena->used = 0;
  pass_layout(params, shard, backward, arena, &pass);
  rows_fill(shard, &params->config, &pass.rows);
  if (pictures) {
    train_vision_forward(params, shard, &pass.vision);
    train_projector_forward(params, pass.vision.features, &pass.projector);
  }
  train_decoder_forward(params, rope, &pass.rows, pass.projector.out, &pass.decoder);
  shard->loss = train_loss_run(params, &pass.rows, pass.decoder.last, backward, &pass.loss,
                               pass.decoder.d, gradient);
  if (!backward) {
    return;
  }
  train_decoder_backward(params, rope, &pass.rows, &pass.decoder,
                         projector ? pass.projector.dout : NULL, gradient);
  if (projector) {
    train_projector_backward(params, pass.vision.features, tower, &pass.projector, gradient);
  }
  if (tower) {
    train_vision_backward(params, pass.projector.dfeatures, &pass.vision, gradient);
  }
}
