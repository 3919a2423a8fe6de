/* batch.c - see batch.h. Samples are fetched one by one in this thread, tokenized in all. */
#include "batch.h"

#include "base/error.h"
#include "image/preprocess.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK "<image>"
#define MAX_TURNS 4096u

static bool
no_memory(ModelError *err)
{
  return model_fail(err, MODEL_ERROR_TOO_LARGE, "no memory for a training sample");
}

bool
train_batch_init(TrainBatch *batch, uint32_t capacity, ModelError *err)
{
  size_t side = batch->config->has_vision ? batch->config->vision.image_size : 0;

  batch->capacity = capacity;
  batch->raw = calloc(capacity, sizeof *batch->raw);
  batch->items = calloc(capacity, sizeof *batch->items);
  if (!batch->raw || !batch->items) {
    return no_memory(err);
  }
  for (uint32_t i = 0; i < capacity; i++) {
    batch->items[i].picture = malloc(side * side * 3 + 1);
    if (!batch->items[i].picture) {
      return no_memory(err);
    }
  }
  return true;
}

static void
turns_clear(TrainRaw *raw)
{
  for (size_t t = 0; t < raw->n_turns; t++) {
    free(raw->turns[t]);
  }
  free(raw->turns);
  raw->turns = NULL;
  raw->n_turns = 0;
}

void
train_batch_clear(TrainBatch *batch)
{
  for (uint32_t i = 0; i < batch->capacity; i++) {
    if (batch->raw) {
      turns_clear(&batch->raw[i]);
      model_ids_clear(&batch->raw[i].ids);
      model_ids_clear(&batch->raw[i].labels);
    }
    if (batch->items) {
      free(batch->items[i].picture);
    }
  }
  free(batch->raw);
  free(batch->items);
  batch->raw = NULL;
  batch->items = NULL;
  batch->capacity = 0;
}

/* "<image>\nQ" or "Q\n<image>", unless the mark is there (or the plain mask will put it). */
static char *
first_turn(const char *text, bool mark, bool picture_first)
{
  size_t size = strlen(text) + sizeof MARK "\n";
  char *turn = malloc(size);

  if (turn) {
    snprintf(turn, size, "%s%s%s", mark && picture_first ? MARK "\n" : "", text,
             mark && !picture_first ? "\n" MARK : "");
  }
  return turn;
}

static bool
copy_turns(TrainBatch *batch, const TrainSample *sample, bool picture_first, TrainRaw *raw)
{
  bool mark = sample->image.pixels && batch->mask != MODEL_MASK_PLAIN;

  turns_clear(raw);
  raw->turns = calloc(sample->n_turns + 1, sizeof *raw->turns);
  if (!raw->turns) {
    return false;
  }
  for (size_t t = 0; t < sample->n_turns; t++) {
    mark = mark && !strstr(sample->turns[t], MARK);
  }
  for (size_t t = 0; t < sample->n_turns; t++) {
    raw->turns[t] = first_turn(sample->turns[t], mark && t == 0, picture_first);
    raw->n_turns += raw->turns[t] != NULL;
    if (!raw->turns[t]) {
      return false;
    }
  }
  return true;
}

static bool
copy_picture(TrainBatch *batch, const ModelImage *image, TrainItem *item, ModelError *err)
{
  const ModelVisionConfig *v = &batch->config->vision;

  item->has_picture = image->pixels != NULL;
  if (!item->has_picture) {
    return true;
  }
  if (!batch->config->has_vision) {
    return model_fail(err, MODEL_ERROR_ARGUMENT, "a picture for a model that has no tower");
  }
  /* A picture that is prepared already would come out the same. */
  if (image->width == v->image_size && image->height == v->image_size && image->channels == 3) {
    memcpy(item->picture, image->pixels, (size_t)v->image_size * v->image_size * 3);
    return true;
  }
  return model_image_square(v, batch->config->aspect, image, item->picture, err);
}

static void
label_task(uint32_t index, uint32_t worker, void *user)
{
  TrainBatch *batch = user;
  TrainRaw *raw = &batch->raw[index];
  TrainItem *item = &batch->items[index];

  raw->error.code = MODEL_OK;
  if (!model_prompt_labels(batch->tokenizer, batch->mask, batch->template_name,
                           (const char *const *)raw->turns, raw->n_turns, batch->max_length,
                           &raw->ids, &raw->labels, &raw->mismatch, &raw->error)) {
    return;
  }
  item->ids = raw->ids.ids;
  item->labels = raw->labels.ids;
  item->n_ids = raw->ids.n;
  (void)train_item_measure(item, batch->config, batch->most_rows, &raw->error);
}

bool
train_batch_fill(TrainBatch *batch, const TrainSource *source, TrainOrder *order, ModelError *err)
{
  ModelError inner = {MODEL_OK, ""};

  batch->n_ids = batch->n_mismatches = 0;
  for (batch->n = 0; batch->n < batch->capacity; batch->n++) {
    TrainRaw *raw = &batch->raw[batch->n];
    TrainSample sample = {0};
    bool picture_first;

    train_order_next(order, &raw->kind, &raw->index, &picture_first);
    if (!source->get(raw->kind, raw->index, &sample, source->user, err)) {
      return false;
    }
    if (sample.n_turns == 0 || sample.n_turns > MAX_TURNS ||
        (batch->mask == MODEL_MASK_PLAIN && sample.n_turns != 1)) {
      return model_fail(err, MODEL_ERROR_ARGUMENT,
                        "data set %u, sample %llu: %zu turns, expected %s", raw->kind + 1,
                        (unsigned long long)raw->index, sample.n_turns,
                        batch->mask == MODEL_MASK_PLAIN ? "the caption alone" : "1 to 4096");
    }
    if (!copy_turns(batch, &sample, picture_first, raw)) {
      return no_memory(err);
    }
    if (!copy_picture(batch, &sample.image, &batch->items[batch->n], &inner)) {
      return model_fail(err, inner.code, "data set %u, sample %llu: %.600s", raw->kind + 1,
                        (unsigned long long)raw->index, inner.message);
    }
  }
  model_pool_run(batch->pool, batch->n, label_task, batch);
  for (uint32_t i = 0; i < batch->n; i++) {
    const TrainRaw *raw = &batch->raw[i];

    if (raw->error.code != MODEL_OK) {
      return model_fail(err, raw->error.code, "data set %u, sample %llu: %.600s", raw->kind + 1,
                        (unsigned long long)raw->index, raw->error.message);
    }
    batch->n_ids += raw->ids.n;
    batch->n_mismatches += raw->mismatch;
  }
  return true;
}
