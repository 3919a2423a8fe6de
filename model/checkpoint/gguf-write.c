/* Writing a model as GGUF. A tensor is written in pieces: while one is written and hashed, the next
 * is computed beside it. Pieces and tasks depend on shapes alone, and every row on itself alone, so
 * any number of threads gives the same bytes. */
#include "checkpoint/write.h"

#include "base/error.h"
#include "base/limits.h"
#include "checkpoint/gguf-header.h"
#include "checkpoint/rows.h"
#include "checkpoint/verify.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PIECE_VALUES (2u << 20) /* at least one row: 8 MiB as float32, and twice that in memory */
#define TASK_VALUES (1u << 15)  /* at least one row */

/* A piece that is computed but not yet written. */
typedef struct {
  const ModelPlanTensor *tensor; /* NULL: none */
  uint8_t *data;
  size_t n;
  bool first, last; /* of its tensor */
} Piece;

typedef struct {
  const ModelCheckpoint *checkpoint;
  const ModelWriteOptions *options;
  ModelPlan plan;
  ModelOutput output;
  ModelSha256 own_identity, *identity;
  uint64_t done, total;
  uint32_t n_workers;
  uint64_t floats; /* of a worker */
  float *scratch;
  uint8_t *buffers[2];
  Piece waiting;
  ModelError *err;
} Writer;

/* ---- the header --------------------------------------------------------------------------- */

static bool
write_header(Writer *w, const char *card)
{
  ModelBytes header = {0};
  bool ok = model_gguf_header(&header, w->checkpoint, &w->plan, w->options->parts, card) ||
            model_fail(w->err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", w->output.path);

  ok = ok && model_output_room(&w->output, header.n + w->plan.n_bytes, w->err) &&
       model_output_write(&w->output, header.data, header.n, w->err);
  free(header.data);
  return ok;
}

/* ---- pieces ------------------------------------------------------------------------------- */

static bool
flush(Writer *w)
{
  static const uint8_t zeros[MODEL_GGUF_PACKED_ALIGNMENT];
  const Piece *piece = &w->waiting;
  const ModelRole *role = &piece->tensor->role;

  if (piece->first)
    model_identity_tensor(w->identity, role->name, piece->tensor->type, role->n_dims, role->shape);
  model_sha256_update(w->identity, piece->data, piece->n);
  return model_output_write(&w->output, piece->data, piece->n, w->err) &&
         (!piece->last ||
          model_output_write(&w->output, zeros, (size_t)piece->tensor->padding, w->err));
}

static bool
report(Writer *w)
{
  const Piece piece = w->waiting;

  w->waiting.tensor = NULL;
  if (!piece.tensor)
    return true;
  w->done += piece.n + (piece.last ? piece.tensor->padding : 0);
  if (!w->options->progress || w->options->progress(w->done, w->total, w->options->user))
    return true;
  return model_fail(w->err, MODEL_ERROR_CANCELLED, "%s: cancelled after %llu of %llu bytes",
                    w->output.path, (unsigned long long)w->done, (unsigned long long)w->total);
}

typedef struct {
  Writer *writer;
  const ModelRows *rows;
  uint64_t first, n, per_task;
  uint8_t *out;
  bool flushed;    /* task 0's result */
  uint8_t *failed; /* of each other task */
} Work;

static uint64_t
task_units(const Work *work, uint32_t task, uint64_t *first)
{
  uint64_t at = (task - 1) * work->per_task, left = work->n - at;

  *first = work->first + at;
  return left < work->per_task ? left : work->per_task;
}

static void
run_task(uint32_t index, uint32_t worker, void *user)
{
  Work *work = user;
  float *values = work->writer->scratch + worker * work->writer->floats;
  uint64_t first, n;

  if (index == 0) {
    work->flushed = !work->writer->waiting.tensor || flush(work->writer);
    return;
  }
  n = task_units(work, index, &first);
  work->failed[index] =
      !model_rows_write(work->rows, first, n, values, values + work->rows->tensor->columns,
                        work->out + (first - work->first) * work->rows->tensor->unit_bytes);
}

static bool
run_work(Writer *w, Work *work)
{
  uint32_t n_tasks = 1 + (uint32_t)((work->n + work->per_task - 1) / work->per_task);
  bool ok;

  work->failed = calloc(n_tasks, 1);
  if (!work->failed)
    return model_fail(w->err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", w->output.path);
  if (w->options->pool) {
    model_pool_run(w->options->pool, n_tasks, run_task, work);
  } else {
    for (uint32_t i = 0; i < n_tasks; i++)
      run_task(i, 0, work);
  }
  ok = work->flushed;
  for (uint32_t i = 1; ok && i < n_tasks; i++)
    if (work->failed[i]) {
      uint64_t first, n = task_units(work, i, &first);
      ok = model_rows_fail(work->rows, first, n, w->scratch,
                           w->scratch + work->rows->tensor->columns, w->output.path, w->err);
    }
  free(work->failed);
  return ok && report(w);
}

static uint64_t
units_of(uint64_t values, const ModelPlanTensor *tensor)
{
  uint64_t unit = tensor->columns * tensor->unit_rows;

  return unit < values ? values / unit : 1;
}

static bool
write_tensor(Writer *w, const ModelPlanTensor *tensor)
{
  uint64_t at_a_time = units_of(PIECE_VALUES, tensor);
  ModelRows rows;
  bool ok = model_rows_init(&rows, w->checkpoint, tensor, w->err);

  model_rows_expect(&rows);

  for (uint64_t at = 0; ok && at < tensor->n_units; at += at_a_time) {
    uint64_t n = tensor->n_units - at < at_a_time ? tensor->n_units - at : at_a_time;
    uint8_t *out = w->buffers[w->waiting.data == w->buffers[0]];
    Work work = {.writer = w,
                 .rows = &rows,
                 .first = at,
                 .n = n,
                 .per_task = units_of(TASK_VALUES, tensor),
                 .out = out};
    ok = run_work(w, &work);
    w->waiting = (Piece){ok ? tensor : NULL, out, (size_t)(n * tensor->unit_bytes), at == 0,
                         at + n == tensor->n_units};
  }
  model_rows_clear(&rows);
  return ok;
}

/* ---- the whole ---------------------------------------------------------------------------- */

static bool
make_buffers(Writer *w)
{
  uint64_t most = 1;

  for (uint32_t i = 0; i < w->plan.n; i++) {
    const ModelPlanTensor *tensor = &w->plan.tensors[i];
    uint64_t n = units_of(PIECE_VALUES, tensor) * tensor->unit_bytes;
    uint64_t floats = tensor->columns + model_rows_scratch(w->checkpoint, tensor);
    n = n < tensor->n_bytes ? n : tensor->n_bytes;
    most = n > most ? n : most;
    w->floats = floats > w->floats ? floats : w->floats;
  }
  w->n_workers = w->options->pool ? model_pool_threads(w->options->pool) : 1;
  w->scratch = malloc(w->n_workers * w->floats * sizeof *w->scratch);
  w->buffers[0] = malloc(most);
  w->buffers[1] = malloc(most);
  return (w->scratch && w->buffers[0] && w->buffers[1]) ||
         model_fail(w->err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", w->output.path);
}

static void
begin_identity(Writer *w)
{
  ModelConfig config = w->checkpoint->config;

  w->identity = w->options->identity ? w->options->identity : &w->own_identity;
  config.decoder.rope_adjacent = true; /* as it will be read */
  if (w->options->parts != MODEL_FILE_PICTURE)
    model_identity_begin(w->identity, &config, &w->checkpoint->vocabulary);
}

/* All but the name. */
static bool
write_all(Writer *w, const char *out, ModelConvertReport *made)
{
  const char *card = w->options->card ? w->options->card : w->checkpoint->card;
  bool ok = model_plan_init(&w->plan, w->checkpoint, w->options, w->err);

  w->total = w->plan.n_bytes * (w->options->verify == MODEL_VERIFY_ALL ? 2 : 1);
  begin_identity(w);
  ok = ok && model_output_open(&w->output, out, w->options->ops, w->err) && make_buffers(w) &&
       write_header(w, card);
  for (uint32_t i = 0; ok && i < w->plan.n; i++)
    ok = write_tensor(w, &w->plan.tensors[i]);
  ok = ok && (!w->waiting.tensor || flush(w)) && report(w) &&
       model_output_sync(&w->output, w->err) &&
       model_verify_file(w->checkpoint, &w->plan, w->options, w->output.part, made, w->err);
  made->n_tensors = w->plan.n;
  made->n_bytes = w->output.n_bytes;
  return ok;
}

static double
seconds_now(void)
{
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

bool
model_gguf_write_aside(const ModelCheckpoint *checkpoint, const ModelWriteOptions *options,
                       const char *out, ModelOutput *output, ModelConvertReport *report_out,
                       ModelError *err)
{
  const ModelConfig *config = &checkpoint->config;
  Writer w = {.checkpoint = checkpoint, .options = options, .output.fd = -1, .err = err};
  ModelConvertReport made = {0};
  double began = seconds_now();
  bool ok;

  model_output_none(output);
  if (!model_config_check(config, out, err))
    return false;
  if (checkpoint->vocabulary.n_pieces > config->decoder.vocab)
    return model_fail(err, MODEL_ERROR_ARGUMENT, "%u pieces, but a vocabulary of %u",
                      checkpoint->vocabulary.n_pieces, config->decoder.vocab);
  ok = write_all(&w, out, &made);
  if (ok && !model_checkpoint_is_intact(checkpoint))
    ok = model_fail(err, MODEL_ERROR_CORRUPT,
                    "%s: its file was changed or cut short while it was read", checkpoint->path);
  *output = w.output;
  model_plan_clear(&w.plan);
  free(w.scratch);
  free(w.buffers[0]);
  free(w.buffers[1]);
  if (ok && report_out) {
    if (options->parts != MODEL_FILE_DECODER || !config->has_vision)
      model_sha256_finish(w.identity, made.sha256);
    made.seconds = seconds_now() - began;
    *report_out = made;
  }
  return ok;
}

bool
model_gguf_write_file(const ModelCheckpoint *checkpoint, const ModelWriteOptions *options,
                      const char *out, ModelConvertReport *report_out, ModelError *err)
{
  ModelOutput output;
  bool ok = model_gguf_write_aside(checkpoint, options, out, &output, report_out, err) &&
            model_output_commit(&output, err);

  model_output_close(&output);
  return ok;
}

bool
model_gguf_write(const ModelCheckpoint *checkpoint, const char *type, const char *card,
                 const char *out, ModelConvertProgress progress, void *user, ModelError *err)
{
  const ModelWriteOptions options = {
      .type = type, .card = card, .verify = MODEL_VERIFY_NONE, .progress = progress, .user = user};

  return model_gguf_write_file(checkpoint, &options, out, NULL, err);
}
