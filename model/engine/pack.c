#include "engine/pack.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/error.h"
#include "checkpoint/mapping.h"
#include "kernels/pool.h"

#define HUGE_PAGE (2u << 20)
#define TASK_GROUPS 8u /* of 16 rows */

void
model_packing_add(ModelPacking *packing, ModelTensor *matrix)
{
  packing->matrices[packing->n++] = matrix;
}

/* The packed type that MATRIX will have, or 0: it stays what it is. */
static ModelType
target(const ModelTensor *matrix, bool floats_too)
{
  const ModelType type = model_packed_type(matrix->type);

  if (type == 0 && floats_too && model_packed_unit_columns(matrix->type) == 0 &&
      model_tensor_columns(matrix) % 32 == 0) {
    return MODEL_TYPE_PACKED_Q8_0;
  }
  return type;
}

/* ---- one matrix ---------------------------------------------------------------------------- */

typedef struct {
  ModelPool *pool;
  const ModelTensor *from;
  uint8_t *to;
  uint64_t n_groups, group_bytes;
} Matrix;

/* 16 rows of floats as Q8_0. SCRATCH: 4 bytes for each number of a row, then the rows. */
static void
pack_floats(const Matrix *matrix, uint64_t group, float *scratch)
{
  const uint64_t rows = model_tensor_rows(matrix->from), first = group * MODEL_GROUP_ROWS;
  const uint64_t columns = model_tensor_columns(matrix->from);
  const uint64_t row_bytes = model_type_row_bytes(MODEL_TYPE_Q8_0, columns);
  uint8_t *q8 = (uint8_t *)(scratch + columns);
  ModelTensor block = {.name = matrix->from->name,
                       .data = q8,
                       .n_dims = 2,
                       .shape = {0, columns},
                       .type = MODEL_TYPE_Q8_0};

  for (uint64_t row = first; row < rows && row < first + MODEL_GROUP_ROWS; row++) {
    model_tensor_read_rows(matrix->from, row, 1, scratch);
    model_type_write_row(MODEL_TYPE_Q8_0, scratch, columns, q8 + block.shape[0]++ * row_bytes);
  }
  model_pack_groups(&block, 0, 1, matrix->to + group * matrix->group_bytes, scratch);
}

static void
pack_task(uint32_t index, uint32_t worker, void *user)
{
  const Matrix *matrix = user;
  const uint64_t first = (uint64_t)index * TASK_GROUPS;
  const uint64_t left = matrix->n_groups - first;
  const uint64_t n = left < TASK_GROUPS ? left : TASK_GROUPS;
  float *scratch = model_pool_scratch(matrix->pool, worker);

  if (model_packed_type(matrix->from->type) != 0) {
    model_pack_groups(matrix->from, first, n, matrix->to + first * matrix->group_bytes, scratch);
    return;
  }
  for (uint64_t group = first; group < first + n; group++) {
    pack_floats(matrix, group, scratch);
  }
}

static void
pack_matrix(const ModelPacking *packing, ModelPool *pool, ModelTensor *matrix, ModelType type,
            uint8_t *to)
{
  const uint64_t rows = model_tensor_rows(matrix), columns = model_tensor_columns(matrix);
  Matrix job = {.pool = pool, .from = matrix, .to = to};

  job.n_groups = (rows + MODEL_GROUP_ROWS - 1) / MODEL_GROUP_ROWS;
  job.group_bytes = model_packed_group_bytes(type, columns);
  model_pool_run(pool, (uint32_t)((job.n_groups + TASK_GROUPS - 1) / TASK_GROUPS), pack_task, &job);
  model_checkpoint_drop(packing->checkpoint, matrix);
  *matrix = (ModelTensor){.name = matrix->name,
                          .data = to,
                          .n_bytes = model_packed_bytes(type, rows, columns),
                          .shape = {rows, columns},
                          .n_dims = 2,
                          .type = type};
}

/* ---- all of them --------------------------------------------------------------------------- */

/* Pages of 2 MiB, where the system has them: a token reads all of it, and the processor fetches
 * ahead within a page only. */
static uint8_t *
take(size_t n, ModelError *err)
{
  const size_t whole = n + HUGE_PAGE;
  uint8_t *memory = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  size_t before;

  if (memory == MAP_FAILED) {
    model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for %zu bytes of packed weights", n);
    return NULL;
  }
  before = (HUGE_PAGE - (uintptr_t)memory % HUGE_PAGE) % HUGE_PAGE;
  if (before > 0) {
    munmap(memory, before);
  }
  if (before < HUGE_PAGE) {
    munmap(memory + before + n, HUGE_PAGE - before);
  }
  memory += before;
  madvise(memory, n, MADV_HUGEPAGE);
  return memory;
}

/* A matrix of the decoder is quantised: then the picture's are made so too. */
static bool
is_quantised(const ModelPacking *packing)
{
  for (size_t i = 0; i < packing->n_decoder; i++) {
    if (target(packing->matrices[i], false) != 0 ||
        model_packed_unit_columns(packing->matrices[i]->type) > 0) {
      return true;
    }
  }
  return false;
}

bool
model_packing_plan(const ModelPacking *packing, size_t *packed_bytes, uint64_t *in_place_bytes,
                   ModelError *err)
{
  const bool quantised = is_quantised(packing);
  size_t total = 0;

  *packed_bytes = 0;
  *in_place_bytes = 0;
  for (size_t i = 0; i < packing->n; i++) {
    const ModelTensor *matrix = packing->matrices[i];
    const ModelType type = target(matrix, quantised && i >= packing->n_decoder);
    if (type == 0) {
      *in_place_bytes += matrix->n_bytes;
    } else if (__builtin_add_overflow(total,
                                      model_packed_bytes(type, model_tensor_rows(matrix),
                                                         model_tensor_columns(matrix)),
                                      &total)) {
      return model_fail(err, MODEL_ERROR_TOO_LARGE, "the packed weights do not fit into memory");
    }
  }
  *packed_bytes = (total + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
  return true;
}

bool
model_packing_run(ModelPacking *packing, ModelPool *pool, uint8_t **memory, size_t *n_bytes,
                  ModelError *err)
{
  const bool quantised = is_quantised(packing);
  uint64_t in_place;
  size_t at = 0;

  if (!model_packing_plan(packing, n_bytes, &in_place, err)) {
    return false;
  }
  if (*n_bytes == 0) {
    return true;
  }
  *memory = take(*n_bytes, err);
  if (!*memory) {
    return false;
  }
  for (size_t i = 0; i < packing->n; i++) {
    ModelTensor *matrix = packing->matrices[i];
    const ModelType type = target(matrix, quantised && i >= packing->n_decoder);
    if (!model_checkpoint_go_on(packing->checkpoint, err)) {
      return false;
    }
    if (type != 0) {
      pack_matrix(packing, pool, matrix, type, *memory + at);
      at += matrix->n_bytes;
    }
  }
  assert(at <= *n_bytes);
  return true;
}

void
model_packing_free(uint8_t *memory, size_t n_bytes)
{
  if (memory) {
    munmap(memory, n_bytes);
  }
}
