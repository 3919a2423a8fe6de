#include "kernels/sweep.h"

#include <assert.h>
#include <string.h>

/* Columns that are expanded at a time: those of a whole unit of a K type. With four groups the
 * panel takes 20 KB at most and leaves room for a tile in a first cache of 32 KB. */
#define BLOCK_COLUMNS 256u
#define MOST_GROUPS 4u
#define PANEL_BYTES (64u << 10)
/* Rows of activations at a time: their running sums stay in the second cache. */
#define MOST_ROWS (128u * MODEL_TILE)
/* Up to here the weights' one stream matters more than what a panel saves. */
#define ONE_GROUP_ROWS 48u

typedef struct {
  const ModelSweep *sweep;
  const ModelTensor *w;
  const ModelActivations *x;
  uint64_t columns, group_bytes;
  uint32_t unit_columns, unit_bytes;
  uint64_t first_row, n_rows; /* of activations */
  uint8_t *panel;
  float *acc; /* [tile][group][c][16] */
} Job;

/* Row ROW begins a tile. */
static ModelTileView
view(const ModelActivations *x, uint64_t row, uint64_t column)
{
  const uint64_t c = x->m - row < MODEL_TILE ? x->m - row : MODEL_TILE, base = row * x->columns;
  ModelTileView tile = {.q = x->q + base + column * c,
                        .d = x->d + base / x->block + column / x->block * c,
                        .c = (uint32_t)c};

  if (x->block == 32) {
    tile.sums = x->sums + base / 32 + column / 32 * c;
  } else {
    tile.sums16 = x->sums16 + base / 16 + column / 16 * c;
    tile.pairs = x->pairs + base / 32 + column / 32 * c;
  }
  return tile;
}

static void
sweep_packed(const Job *job, uint64_t group)
{
  const uint64_t n_units = (job->columns + job->unit_columns - 1) / job->unit_columns;

  for (uint64_t row = 0; row < job->n_rows; row += MODEL_TILE) {
    const ModelTileView tile = view(job->x, job->first_row + row, 0);
    job->sweep->packed(job->w->data + group * job->group_bytes, n_units, &tile,
                       job->acc + 16 * row);
  }
}

static void
sweep_panel(const Job *job, uint64_t group, uint32_t n_groups, uint64_t column)
{
  const ModelSweep *s = job->sweep;
  const uint64_t left = job->columns - column;
  const uint32_t n = (uint32_t)(left < BLOCK_COLUMNS ? left : BLOCK_COLUMNS);
  const uint32_t n_units = (n + job->unit_columns - 1) / job->unit_columns;

  for (uint32_t g = 0; g < n_groups; g++) {
    const uint8_t *units = job->w->data + (group + g) * job->group_bytes +
                           column / job->unit_columns * job->unit_bytes;
    for (uint32_t u = 0; u < n_units; u++) {
      s->expand(units + u * job->unit_bytes,
                job->panel + (uint64_t)(g * n_units + u) * s->expanded_bytes);
    }
  }
  for (uint64_t row = 0; row < job->n_rows; row += MODEL_TILE) {
    const ModelTileView tile = view(job->x, job->first_row + row, column);
    for (uint32_t g = 0; g < n_groups; g++) {
      s->expanded(job->panel + (uint64_t)(g * n_units) * s->expanded_bytes, n_units, &tile,
                  job->acc + 16 * (row * n_groups + g * tile.c));
    }
  }
}

static void
finish(const Job *job, uint64_t group, uint32_t n_groups, const float *bias, float *y,
       uint64_t y_stride)
{
  const uint64_t rows = model_tensor_rows(job->w);

  for (uint64_t i = 0; i < job->n_rows; i++) {
    const uint64_t row = i / MODEL_TILE * MODEL_TILE;
    const uint64_t c = job->n_rows - row < MODEL_TILE ? job->n_rows - row : MODEL_TILE;
    for (uint32_t g = 0; g < n_groups; g++) {
      const uint64_t row0 = (group + g) * MODEL_GROUP_ROWS;
      const uint64_t n = rows - row0 < MODEL_GROUP_ROWS ? rows - row0 : MODEL_GROUP_ROWS;
      const float *acc = job->acc + 16 * (row * n_groups + g * c + i - row);
      float *out = y + (job->first_row + i) * y_stride + row0;
      for (uint64_t r = 0; r < n; r++) {
        out[r] = bias ? acc[r] + bias[row0 + r] : acc[r];
      }
    }
  }
}

void
model_sweep(const ModelSweep *sweep, const ModelTensor *w, uint64_t first, uint64_t n,
            const ModelActivations *x, const float *bias, float *y, uint64_t y_stride,
            uint8_t *scratch)
{
  Job job = {.sweep = sweep,
             .w = w,
             .x = x,
             .columns = model_tensor_columns(w),
             .unit_columns = model_packed_unit_columns(w->type),
             .unit_bytes = model_packed_unit_bytes(w->type),
             .panel = scratch,
             .acc = (float *)(void *)(scratch + PANEL_BYTES)};
  const uint32_t most_groups = x->m <= ONE_GROUP_ROWS ? 1 : MOST_GROUPS;
  const uint64_t end = first + n;

  job.group_bytes = model_packed_group_bytes(w->type, job.columns);
  assert(x->block == model_activation_block(w->type) && x->columns >= job.columns);
  assert(MOST_GROUPS * BLOCK_COLUMNS / job.unit_columns * sweep->expanded_bytes <= PANEL_BYTES);
  static_assert(PANEL_BYTES + MOST_ROWS * MOST_GROUPS * 64 <= MODEL_KERNEL_SCRATCH, "scratch");
  for (uint64_t i = 0; i < x->m; i += MOST_ROWS) {
    job.first_row = i;
    job.n_rows = x->m - i < MOST_ROWS ? x->m - i : MOST_ROWS;
    for (uint64_t g = first, step; g < end; g += step) {
      step = end - g < most_groups ? end - g : most_groups;
      memset(job.acc, 0, job.n_rows * step * 16 * sizeof *job.acc);
      if (x->m <= sweep->most_direct) {
        sweep_packed(&job, g);
      } else {
        for (uint64_t column = 0; column < job.columns; column += BLOCK_COLUMNS) {
          sweep_panel(&job, g, (uint32_t)step, column);
        }
      }
      finish(&job, g, (uint32_t)step, bias, y, y_stride);
    }
  }
}
