/* model_convert(): from any model that is read to GGUF. */
#include "checkpoint/card.h"
#include "checkpoint/imatrix.h"
#include "checkpoint/mix.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  ModelConvertProgress progress;
  void *user;
  uint64_t before, total; /* of the pair's other file */
} Listener;

static bool
forward(uint64_t done, uint64_t total, void *user)
{
  const Listener *listener = user;

  (void)total;
  return listener->progress(listener->before + done, listener->total, listener->user);
}

/* OUT less ".gguf" with "-mmproj.gguf". */
static char *
mmproj_path(const char *out)
{
  static const char ending[] = ".gguf", mmproj[] = "-mmproj.gguf";
  size_t n = strlen(out);
  char *path = malloc(n + sizeof mmproj);

  if (!path)
    return NULL;
  if (n > strlen(ending) && strcmp(out + n - strlen(ending), ending) == 0)
    n -= strlen(ending);
  memcpy(path, out, n);
  memcpy(path + n, mmproj, sizeof mmproj);
  return path;
}

static void
add_report(ModelConvertReport *sum, const ModelConvertReport *more)
{
  sum->n_tensors += more->n_tensors;
  sum->n_bytes += more->n_bytes;
  sum->n_verified_rows += more->n_verified_rows;
  sum->seconds += more->seconds;
  if (more->worst_error > sum->worst_error) {
    sum->worst_error = more->worst_error;
    memcpy(sum->worst_tensor, more->worst_tensor, sizeof sum->worst_tensor);
  }
  memcpy(sum->sha256, more->sha256, sizeof sum->sha256);
}

typedef struct {
  const ModelCheckpoint *checkpoint;
  const ModelConvertOptions *options;
  ModelWriteOptions write;
  Listener listener;
  const char *out;
  ModelConvertReport report;
  ModelError *err;
} Job;

static bool
write_single(Job *job)
{
  return model_gguf_write_file(job->checkpoint, &job->write, job->out, &job->report, job->err);
}

/* Both files are whole on the disk before either gets its name. */
static bool
write_pair(Job *job, const char *picture)
{
  ModelWriteOptions decoder = job->write, tower = job->write;
  ModelConvertReport report = {0};
  ModelOutput outputs[2];
  ModelSha256 identity;
  uint64_t n_bytes[2];
  bool ok;

  decoder.parts = MODEL_FILE_DECODER;
  tower.parts = MODEL_FILE_PICTURE;
  decoder.identity = tower.identity = &identity;
  model_output_none(&outputs[0]);
  model_output_none(&outputs[1]);
  if (!model_gguf_plan_bytes(job->checkpoint, &decoder, &n_bytes[0], job->err) ||
      !model_gguf_plan_bytes(job->checkpoint, &tower, &n_bytes[1], job->err))
    return false;
  job->listener.total = (n_bytes[0] + n_bytes[1]) * (decoder.verify == MODEL_VERIFY_ALL ? 2 : 1);
  if (job->listener.progress) {
    decoder.progress = tower.progress = forward;
    decoder.user = tower.user = &job->listener;
  }
  ok = model_gguf_write_aside(job->checkpoint, &decoder, job->out, &outputs[0], &job->report,
                              job->err);
  job->listener.before = n_bytes[0] * (decoder.verify == MODEL_VERIFY_ALL ? 2 : 1);
  ok = ok &&
       model_gguf_write_aside(job->checkpoint, &tower, picture, &outputs[1], &report, job->err);
  add_report(&job->report, &report);
  ok = ok && model_output_commit(&outputs[1], job->err) &&
       model_output_commit(&outputs[0], job->err);
  model_output_close(&outputs[0]);
  model_output_close(&outputs[1]);
  return ok;
}

static bool
write_split(Job *job)
{
  ModelMix mix;
  char *picture;
  bool ok;

  if (!job->checkpoint->config.has_vision) {
    job->write.parts = MODEL_FILE_DECODER;
    return write_single(job);
  }
  if (!job->write.tower_type && model_mix_parse(job->write.type, &mix) && mix >= MODEL_MIX_Q8_0)
    job->write.tower_type = "f16";
  picture = mmproj_path(job->out);
  if (!picture)
    return model_fail(job->err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", job->out);
  ok = write_pair(job, picture);
  free(picture);
  return ok;
}

static bool
run(Job *job, uint32_t n_threads)
{
  char *card = NULL;
  bool ok;

  if (!model_card_make(job->checkpoint, &job->write, job->options->card, &card, job->err))
    return false;
  job->write.card = card;
  job->write.pool = model_pool_new(n_threads, job->err);
  ok = job->write.pool && (job->options->split ? write_split(job) : write_single(job));
  model_pool_free(job->write.pool);
  free(card);
  return ok;
}

/* The last product of the last layer stands for all: it is there whatever the prompts were. */
static bool
open_imatrix(Job *job, ModelImatrix **imatrix)
{
  const ModelDecoderConfig *c = &job->checkpoint->config.decoder;
  char name[64];

  if (!job->options->imatrix)
    return true;
  *imatrix = model_imatrix_open(job->options->imatrix, job->err);
  if (!*imatrix)
    return false;
  job->write.imatrix = *imatrix;
  snprintf(name, sizeof name, "blk.%u.ffn_down.weight", c->layers - 1);
  return model_imatrix_lookup(*imatrix, name, c->ffn) ||
         model_fail(job->err, MODEL_ERROR_ARGUMENT,
                    "%s: nothing in it is about %s with %u columns, so it is of another model",
                    job->options->imatrix, name, c->ffn);
}

bool
model_convert(const char *path, const ModelEngineOptions *open, const ModelConvertOptions *options,
              const char *out, ModelConvertProgress progress, void *user,
              ModelConvertReport *report, ModelError *err)
{
  ModelCheckpoint checkpoint;
  Job job = {.checkpoint = &checkpoint,
             .options = options,
             .write = {.type = options->type,
                       .tower_type = options->tower_type,
                       .packed = options->packed,
                       .verify = options->verify,
                       .progress = progress,
                       .user = user},
             .listener = {.progress = progress, .user = user},
             .out = out,
             .err = err};
  ModelImatrix *imatrix = NULL;
  bool ok;

  if (options->packed && options->split)
    return model_fail(err, MODEL_ERROR_ARGUMENT,
                      "a pair for llama.cpp cannot be packed, for it does not know these layouts");
  if (!model_checkpoint_open(path, open, &checkpoint, err))
    return false;
  ok = open_imatrix(&job, &imatrix) && run(&job, open ? open->n_threads : 0);
  model_imatrix_free(imatrix);
  model_checkpoint_close(&checkpoint);
  if (ok && report)
    *report = job.report;
  return ok;
}
