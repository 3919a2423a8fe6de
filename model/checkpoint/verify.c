#include "checkpoint/verify.h"

#include "base/error.h"
#include "checkpoint/gguf-file.h"
#include "checkpoint/rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES 8u /* rows of a tensor */

typedef struct {
  const ModelPlanTensor *plan;
  const ModelRows *rows;
  const ModelTensor *file;
  const char *path;
  float *wanted, *found, *scratch;
  ModelConvertReport *report;
} Check;

/* With the searches that quantisers make for the least squared error, single values may end up
 * further away than half a step: K types get three half steps of the coarsest block that the
 * quantised scales allow. What is to be found here are rows that went wrong as a whole. */
double
model_type_error(ModelType type)
{
  switch (type) {
  case MODEL_TYPE_F32:
    return 0;
  case MODEL_TYPE_F16:
    return 0x1p-11;
  case MODEL_TYPE_BF16:
    return 0x1p-8;
  case MODEL_TYPE_Q8_0:
    return 0.5 / 127 + 0x1p-11;
  case MODEL_TYPE_Q6_K:
    return 0.05;
  case MODEL_TYPE_Q5_0:
  case MODEL_TYPE_Q5_K:
    return 0.12;
  default:
    return 0.25; /* four bits */
  }
}

/* Values whose largest is the measure of an error. */
static uint64_t
block_of(ModelType type)
{
  switch (type) {
  case MODEL_TYPE_F32:
  case MODEL_TYPE_F16:
  case MODEL_TYPE_BF16:
    return 1;
  case MODEL_TYPE_Q8_0:
  case MODEL_TYPE_Q4_0:
  case MODEL_TYPE_Q5_0:
    return 32;
  default:
    return 256;
  }
}

/* Where columns do not count alike, a large value that counts little may lose most of itself. */
static double
error_bound(const ModelPlanTensor *plan)
{
  ModelType type = model_type_plain(plan->type);

  return plan->importance && block_of(type) > 1 && type != MODEL_TYPE_Q8_0 ? 1
                                                                           : model_type_error(type);
}

static bool
check_row(const Check *c, uint64_t row, ModelError *err)
{
  ModelType type = model_type_plain(c->plan->type);
  uint64_t columns = c->plan->columns, block = block_of(type);
  double bound = error_bound(c->plan);

  model_rows_read(c->rows, row, c->wanted, c->scratch);
  model_tensor_read_rows(c->file, row, 1, c->found);
  for (uint64_t at = 0; at < columns; at += block) {
    uint64_t end = at + block < columns ? at + block : columns;
    double most = 0, error = 0;
    for (uint64_t i = at; i < end; i++) {
      double difference = fabs((double)c->wanted[i] - (double)c->found[i]);
      most = fmax(most, fabs((double)c->wanted[i]));
      error = difference >= error ? difference : error;
      if (isnan(difference))
        error = c->wanted[i] == c->found[i] ? error : INFINITY;
    }
    /* Near zero the 16 bits of a value, or of a block's scale, end. */
    if (!(error <= bound * most + (type == MODEL_TYPE_F32 ? 0 : 0x1p-18)))
      return model_fail(
          err, MODEL_ERROR_IO,
          "%s: tensor %s row %llu, from column %llu on: written is up to %g away from "
          "the source, expected at most %g; the file is not kept",
          c->path, c->plan->role.name, (unsigned long long)row, (unsigned long long)at, error,
          bound * most);
    if (most > 0 && error / most > c->report->worst_error && error > 0x1p-18) {
      c->report->worst_error = error / most;
      snprintf(c->report->worst_tensor, sizeof c->report->worst_tensor, "%s", c->plan->role.name);
    }
  }
  c->report->n_verified_rows++;
  return true;
}

static bool
check_rows(const Check *c, bool all, ModelError *err)
{
  uint64_t n = c->plan->rows, samples = all || n < SAMPLES ? n : SAMPLES;
  bool ok = true;

  /* The first, the last, and between them evenly, moved a little so that not only rows of one place
   * in a head or a group are seen. */
  for (uint64_t i = 0; ok && i < samples; i++) {
    uint64_t row = samples < 2 ? 0 : i * (n - 1) / (samples - 1);
    if (samples < n && i > 0 && i + 1 < samples)
      row -= i * 7 % ((n - 1) / (samples - 1));
    ok = check_row(c, row, err);
  }
  return ok;
}

static bool
check_tensor(const ModelCheckpoint *checkpoint, const ModelPlanTensor *plan,
             const ModelTensor *file, bool all, const char *path, ModelConvertReport *report,
             ModelError *err)
{
  uint64_t n = plan->columns * 2 + model_rows_scratch(checkpoint, plan);
  float *memory = malloc(n * sizeof *memory);
  ModelRows rows;
  Check c = {.plan = plan,
             .rows = &rows,
             .file = file,
             .path = path,
             .wanted = memory,
             .found = memory + plan->columns,
             .scratch = memory + 2 * plan->columns,
             .report = report};
  bool ok = memory || model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", path);

  ok = ok && model_rows_init(&rows, checkpoint, plan, err);
  if (ok) {
    ok = check_rows(&c, all, err);
    model_rows_clear(&rows);
  }
  free(memory);
  return ok;
}

static bool
check_all(const ModelCheckpoint *checkpoint, const ModelPlan *plan,
          const ModelWriteOptions *options, const ModelMapping *mapping, const ModelTable *table,
          ModelConvertReport *report, ModelError *err)
{
  bool all = options->verify == MODEL_VERIFY_ALL;
  uint64_t total = (all ? 2 : 1) * plan->n_bytes;

  for (uint32_t i = 0; i < plan->n; i++) {
    const ModelPlanTensor *tensor = &plan->tensors[i];
    const ModelTableEntry *entry = model_table_find(table, tensor->role.gguf);
    if (!entry || entry->tensor.type != tensor->type || entry->tensor.n_bytes != tensor->n_bytes)
      return model_fail(err, MODEL_ERROR_IO,
                        "%s: tensor %s is not there again as it was written; the file is not kept",
                        mapping->path, tensor->role.gguf);
    if (!check_tensor(checkpoint, tensor, &entry->tensor, all, mapping->path, report, err))
      return false;
    model_mapping_drop(mapping, entry->tensor.data, entry->tensor.n_bytes);
    if (options->progress &&
        !options->progress(all ? plan->n_bytes + tensor->offset : total, total, options->user))
      return model_fail(err, MODEL_ERROR_CANCELLED, "%s: cancelled while it was checked",
                        mapping->path);
  }
  return true;
}

bool
model_verify_file(const ModelCheckpoint *checkpoint, const ModelPlan *plan,
                  const ModelWriteOptions *options, const char *path, ModelConvertReport *report,
                  ModelError *err)
{
  ModelMapping *mapping = NULL;
  ModelGguf gguf = {0};
  bool ok;

  if (options->verify == MODEL_VERIFY_NONE)
    return true;
  ok = model_mapping_open(path, &mapping, err) && model_gguf_parse(mapping, &gguf, err);
  if (ok && gguf.table.n != plan->n)
    ok = model_fail(err, MODEL_ERROR_IO, "%s: holds %u tensors, %u were written", path,
                    gguf.table.n, plan->n);
  ok = ok && check_all(checkpoint, plan, options, mapping, &gguf.table, report, err);
  model_gguf_clear(&gguf);
  model_mapping_free(mapping);
  return ok;
}
