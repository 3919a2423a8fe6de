/* run.c - a training run from a checkpoint to trained weights. */
#include "run.h"

#include "base/error.h"
#include "base/limits.h"
#include "base/sha256.h"
#include "checkpoint/write.h"
#include "image/preprocess.h"
#include "save.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_BATCH 65536u

static bool
mask_parse(const char *name, ModelMask *mask, ModelError *err)
{
  static const char *const names[] = {"plain", "llama_2", "v1", "v0"};
  static const ModelMask masks[] = {MODEL_MASK_PLAIN, MODEL_MASK_LLAMA_2, MODEL_MASK_V1,
                                    MODEL_MASK_V0};

  for (int i = 0; name && i < 4; i++) {
    if (strcmp(name, names[i]) == 0) {
      *mask = masks[i];
      return true;
    }
  }
  return model_fail(err, MODEL_ERROR_ARGUMENT, "mask \"%.60s\", expected plain, llama_2, v1 or v0",
                    name ? name : "");
}

static bool
options_check(const TrainOptions *o, ModelError *err)
{
  if (o->batch == 0 || o->batch > MOST_BATCH || o->accumulate == 0 || o->accumulate > MOST_BATCH) {
    return model_fail(err, MODEL_ERROR_ARGUMENT,
                      "batch %u, accumulate %u, expected 1 to %u for both", o->batch, o->accumulate,
                      MOST_BATCH);
  }
  if (!(o->lr >= 0 && o->lr < 10) || !(o->beta1 >= 0 && o->beta1 < 1) ||
      !(o->beta2 >= 0 && o->beta2 < 1) || !(o->eps > 0 && o->eps < 1) ||
      !(o->weight_decay >= 0 && o->weight_decay < 10) || !(o->clip_norm >= 0) ||
      !(o->warmup_ratio >= 0 && o->warmup_ratio <= 1) || !(o->epochs >= 0 && o->epochs < 1e6)) {
    return model_fail(err, MODEL_ERROR_ARGUMENT,
                      "lr %g, betas %g %g, eps %g, decay %g, clip %g, warm-up %g or epochs %g is "
                      "out of range",
                      o->lr, o->beta1, o->beta2, o->eps, o->weight_decay, o->clip_norm,
                      o->warmup_ratio, o->epochs);
  }
  if (o->max_length < 2 || o->max_length > MODEL_MAX_CONTEXT) {
    return model_fail(err, MODEL_ERROR_ARGUMENT, "longest sample %u ids, expected 2 to %u",
                      o->max_length, MODEL_MAX_CONTEXT);
  }
  return true;
}

/* LLaVA-Med v1.0's stages (facts 5): alignment trains the projector alone. */
static void
options_complete(TrainOptions *o)
{
  bool stage1 = o->parts == TRAIN_PROJECTOR;

  o->lr = o->lr > 0 ? o->lr : stage1 ? 2e-3 : 2e-5;
  o->epochs = o->epochs > 0 ? o->epochs : stage1 ? 1 : 3;
}

static bool
run_open(TrainRun *run, const char *model, const ModelEngineOptions *engine_options,
         ModelError *err)
{
  const ModelConfig *config = &run->checkpoint.config;
  bool has_post_ln, ok;
  TrainParams params;
  uint64_t most;

  if (!model_checkpoint_open(model, engine_options, &run->checkpoint, err)) {
    return false;
  }
  if (config->has_vision && config->projector == MODEL_PROJECTOR_NONE) {
    return model_fail(err, MODEL_ERROR_UNSUPPORTED, "%s: a tower without a projector", model);
  }
  snprintf(run->template_name, sizeof run->template_name, "%s",
           run->options.template_name ? run->options.template_name : config->template_name);
  run->options.template_name = run->template_name;
  run->tokenizer = model_tokenizer_new(&run->checkpoint.vocabulary, config, err);
  if (!run->tokenizer) {
    return model_fail_in(run->checkpoint.path, err);
  }
  has_post_ln = run->checkpoint.weights.post_ln_w.data && run->checkpoint.weights.post_ln_b.data;
  if (!train_params_init(&params, config, run->checkpoint.weights.tied, has_post_ln, err)) {
    return false;
  }
  most = (uint64_t)run->options.max_length + train_patches(config);
  most = most < config->decoder.context ? most : config->decoder.context;
  ok = train_params_load(&params, &run->checkpoint, err) &&
       train_core_init(&run->core, &params, run->options.parts, run->options.batch, (uint32_t)most,
                       run->options.n_threads, err);
  train_params_clear(&params); /* empty when the core has taken it over */
  run->batch.most_rows = (uint32_t)most;
  return ok;
}

TrainRun *
train_run_new(const char *model, const ModelEngineOptions *engine_options,
              const TrainOptions *options, ModelError *err)
{
  TrainRun *run = calloc(1, sizeof *run);

  if (!run) {
    model_fail(err, MODEL_ERROR_TOO_LARGE, "no memory for a training run");
    return NULL;
  }
  run->options = *options;
  if (!mask_parse(options->mask, &run->mask, err) || !options_check(options, err)) {
    free(run);
    return NULL;
  }
  options_complete(&run->options);
  if (!run_open(run, model, engine_options, err)) {
    train_run_free(run);
    return NULL;
  }
  run->options.mask = NULL; /* run->mask is its copy */
  run->batch.tokenizer = run->tokenizer;
  run->batch.config = &run->checkpoint.config;
  run->batch.template_name = run->template_name;
  run->batch.pool = run->core.pool;
  run->batch.mask = run->mask;
  run->batch.max_length = options->max_length;
  if (!train_batch_init(&run->batch, options->batch, err)) {
    train_run_free(run);
    return NULL;
  }
  return run;
}

void
train_run_free(TrainRun *run)
{
  if (!run) {
    return;
  }
  train_batch_clear(&run->batch);
  train_core_clear(&run->core);
  model_tokenizer_free(run->tokenizer);
  model_checkpoint_close(&run->checkpoint);
  free(run);
}

uint32_t
train_run_picture_side(const TrainRun *run)
{
  return run->checkpoint.config.has_vision ? run->checkpoint.config.vision.image_size : 0;
}

bool
train_run_square(const TrainRun *run, const ModelImage *image, uint8_t *out, ModelError *err)
{
  return model_image_square(&run->checkpoint.config.vision, run->checkpoint.config.aspect, image,
                            out, err);
}

/* ---- training ------------------------------------------------------------------------------- */

typedef struct {
  TrainRun *run;
  const TrainSource *source;
  const char *folder;
  TrainOrder order;
  TrainSaved saved; /* counters of the run, as a checkpoint holds them */
  double began;
} Course;

static double
seconds_now(void)
{
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* What has to be equal for a checkpoint to be of this run: what changes the numbers. */
static void
fingerprint(const TrainRun *run, const TrainOrder *order, uint64_t steps, char hex[65])
{
  const TrainOptions *o = &run->options;
  ModelSha256 sha;
  char text[1024];
  int n = snprintf(text, sizeof text,
                   "parts %u mask %d template %s lr %.17g decay %.17g betas %.17g %.17g eps %.17g "
                   "clip %.17g warm-up %.17g constant %d batch %u accumulate %u length %u "
                   "steps %llu seed %llu kinds",
                   o->parts, (int)run->mask, run->template_name, o->lr, o->weight_decay, o->beta1,
                   o->beta2, o->eps, o->clip_norm, o->warmup_ratio, o->constant_lr, o->batch,
                   o->accumulate, o->max_length, (unsigned long long)steps,
                   (unsigned long long)o->seed);

  model_sha256_init(&sha);
  model_sha256_update(&sha, text, (size_t)n);
  for (uint32_t k = 0; k < order->state.n_kinds; k++) {
    model_sha256_update(&sha, &order->state.kinds[k].count, sizeof(uint64_t));
  }
  model_sha256_update(&sha, run->core.params.data, run->core.params.n_data * sizeof(float));
  model_sha256_finish(&sha, hex);
}

static uint64_t
count_steps(const TrainRun *run, const TrainOrder *order)
{
  const TrainOptions *o = &run->options;
  double samples = 0, steps;

  if (o->steps) {
    return o->steps;
  }
  for (uint32_t k = 0; k < order->state.n_kinds; k++) {
    samples += (double)order->state.kinds[k].count;
  }
  steps = ceil(o->epochs * samples / ((double)o->batch * o->accumulate));
  return steps < 1 ? 1 : (uint64_t)steps;
}

static bool
course_save(Course *course, ModelError *err)
{
  TrainSaved saved = course->saved;

  saved.order = course->order.state;
  saved.updates = course->run->core.updates;
  saved.seconds += seconds_now() - course->began;
  return train_save(course->folder, &saved, &course->run->core, err);
}

static bool
course_start(Course *course, ModelError *err)
{
  TrainRun *run = course->run;
  TrainSaved found;
  bool exists = false;

  course->saved.steps = count_steps(run, &course->order);
  course->saved.n_gradient = run->core.params.n_gradient;
  course->saved.parts = run->options.parts;
  if (!course->folder) {
    return true;
  }
  fingerprint(run, &course->order, course->saved.steps, course->saved.fingerprint);
  if (!train_load(course->folder, &course->saved, &found, &run->core, &exists, err)) {
    return false;
  }
  if (exists) {
    course->saved = found;
    return train_order_restore(&course->order, &found.order, err);
  }
  return true;
}

/* One optimizer step; fills PROGRESS. */
static bool
course_step(Course *course, TrainProgress *progress, ModelError *err)
{
  TrainRun *run = course->run;
  const TrainOptions *o = &run->options;
  TrainAdamW adamw = {o->beta1, o->beta2, o->eps, o->weight_decay, o->clip_norm};
  double lr = train_schedule(course->saved.step, course->saved.steps, o->lr, o->warmup_ratio,
                             o->constant_lr);
  double start = seconds_now(), loss;

  train_core_begin(&run->core);
  for (uint32_t a = 0; a < o->accumulate; a++) {
    if (!train_batch_fill(&run->batch, course->source, &course->order, err) ||
        !train_core_add(&run->core, run->batch.items, run->batch.n, err)) {
      return false;
    }
    course->saved.samples += run->batch.n;
    course->saved.tokens += run->batch.n_ids;
    course->saved.mismatches += run->batch.n_mismatches;
  }
  loss = train_core_loss(&run->core);
  if (!isfinite(loss) || !isfinite(run->core.norm)) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "step %llu: loss %g, gradient norm %g, expected finite numbers; lower the "
                      "learning rate",
                      (unsigned long long)course->saved.step + 1, loss, run->core.norm);
  }
  if (run->core.counted > 0) {
    train_core_update(&run->core, &adamw, lr);
  }
  course->saved.step++;
  *progress = (TrainProgress){.step = course->saved.step,
                              .steps = course->saved.steps,
                              .loss = loss,
                              .lr = lr,
                              .grad_norm = run->core.norm,
                              .seconds = course->saved.seconds + seconds_now() - course->began,
                              .samples = course->saved.samples,
                              .tokens = course->saved.tokens,
                              .mismatches = course->saved.mismatches};
  progress->samples_per_s = (double)run->batch.n * o->accumulate / (seconds_now() - start + 1e-9);
  return true;
}

static bool
course_run(Course *course, TrainProgressFunc report, void *user, ModelError *err)
{
  uint64_t every = course->run->options.checkpoint_every;
  bool going = course->saved.step < course->saved.steps;

  while (going) {
    TrainProgress progress;

    if (!course_step(course, &progress, err)) {
      return false;
    }
    going = (!report || report(&progress, user)) && progress.step < progress.steps;
    if (course->folder && (!going || (every && progress.step % every == 0)) &&
        !course_save(course, err)) {
      return false;
    }
  }
  return true;
}

bool
train_run(TrainRun *run, const TrainSource *source, const char *checkpoint_dir,
          TrainProgressFunc progress, void *user, ModelError *err)
{
  Course *course = calloc(1, sizeof *course);
  bool ok;

  if (!course) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "no memory for a training run");
  }
  course->run = run;
  course->source = source;
  course->folder = checkpoint_dir;
  course->began = seconds_now();
  ok = train_order_init(&course->order, run->options.seed, source, err) &&
       course_start(course, err) && course_run(course, progress, user, err);
  train_order_clear(&course->order);
  free(course);
  return ok;
}

bool
train_run_write(TrainRun *run, const char *type, const char *card, const char *out, ModelError *err)
{
  ModelCheckpoint trained = run->checkpoint; /* configuration and vocabulary are borrowed */
  bool ok;

  if (!train_params_weights(&run->core.params, &trained.weights, err)) {
    return false;
  }
  snprintf(trained.config.template_name, sizeof trained.config.template_name, "%s",
           run->template_name);
  ok = model_gguf_write(&trained, type, card, out, NULL, NULL, err);
  train_params_weights_clear(&trained.weights);
  return ok;
}
