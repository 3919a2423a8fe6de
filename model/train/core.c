/* core.c - a micro-batch over the threads: shards, the sum of their gradients, and its norm. */
#include "core.h"

#include "arithmetic.h"
#include "base/error.h"

#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>

#define BLOCK ((size_t)1 << 15) /* floats that one task adds up */
#define HUGE_PAGE ((size_t)2 << 20)
#define MOST_GRADIENT_BYTES ((size_t)2 << 30) /* of all shards together */

void *
train_memory_new(size_t bytes)
{
  size_t whole = (bytes + HUGE_PAGE) & ~(HUGE_PAGE - 1);
  void *memory = bytes < SIZE_MAX - 2 * HUGE_PAGE ? aligned_alloc(HUGE_PAGE, whole) : NULL;

  if (memory) {
    (void)madvise(memory, whole, MADV_HUGEPAGE);
    memset(memory, 0, whole);
  }
  return memory;
}

/* Four samples or more to a shard, so that products stay large, but at least four shards, so that
 * four cores have work; fewer when the gradients would not fit. */
static uint32_t
shards_for(uint32_t batch, size_t n_gradient)
{
  uint32_t n = batch / 4 > 4 ? batch / 4 : 4;
  size_t fit = MOST_GRADIENT_BYTES / (n_gradient * sizeof(float) + 1);

  n = n > TRAIN_MAX_SHARDS ? TRAIN_MAX_SHARDS : n;
  n = n > batch ? batch : n;
  n = n > fit ? (uint32_t)fit : n;
  return n ? n : 1;
}

bool
train_core_init(TrainCore *core, TrainParams *params, unsigned parts, uint32_t batch,
                uint32_t n_positions, uint32_t n_threads, ModelError *err)
{
  size_t bytes;
  bool ok;

  memset(core, 0, sizeof *core);
  core->params = *params;
  memset(params, 0, sizeof *params);
  train_params_choose(&core->params, parts);
  if (core->params.n_gradient == 0) {
    return model_fail(err, MODEL_ERROR_ARGUMENT, "%s: none of the parts to train is in the model",
                      core->params.config.name);
  }
  if (!train_rope_init(&core->rope, &core->params.config.decoder, n_positions, err) ||
      !(core->pool = model_pool_new(n_threads, err))) {
    return false;
  }
  bytes = core->params.n_gradient * sizeof(float);
  core->n_shards = shards_for(batch, core->params.n_gradient);
  core->n_arenas = model_pool_threads(core->pool);
  core->arenas = calloc(core->n_arenas, sizeof *core->arenas);
  core->gradient = train_memory_new(bytes);
  core->m = train_memory_new(bytes);
  core->v = train_memory_new(bytes);
  core->block_squares = calloc(core->params.n_gradient / BLOCK + 1, sizeof(double));
  ok = core->arenas && core->gradient && core->m && core->v && core->block_squares;
  for (uint32_t s = 0; s < core->n_shards && ok; s++) {
    core->shard_gradients[s] = train_memory_new(bytes);
    core->shards[s].items = calloc(batch, sizeof *core->shards[s].items);
    core->shards[s].start = calloc(batch, sizeof *core->shards[s].start);
    core->shards[s].length = calloc(batch, sizeof *core->shards[s].length);
    ok = core->shard_gradients[s] && core->shards[s].items && core->shards[s].start &&
         core->shards[s].length;
  }
  return ok || model_fail(err, MODEL_ERROR_TOO_LARGE,
                          "%s: no memory for %u gradients of %zu bytes and two moments",
                          core->params.config.name, core->n_shards + 1, bytes);
}

void
train_core_clear(TrainCore *core)
{
  for (uint32_t s = 0; s < TRAIN_MAX_SHARDS; s++) {
    free(core->shard_gradients[s]);
    free(core->shards[s].items);
    free(core->shards[s].start);
    free(core->shards[s].length);
  }
  for (uint32_t i = 0; core->arenas && i < core->n_arenas; i++) {
    free(core->arenas[i].base);
  }
  free(core->arenas);
  free(core->gradient);
  free(core->m);
  free(core->v);
  free(core->block_squares);
  model_pool_free(core->pool);
  train_rope_clear(&core->rope);
  train_params_clear(&core->params);
  memset(core, 0, sizeof *core);
}

void
train_core_begin(TrainCore *core)
{
  core->loss_sum = core->norm = 0;
  core->counted = 0;
}

double
train_core_loss(const TrainCore *core)
{
  return core->counted ? core->loss_sum / (double)core->counted : 0;
}

/* ---- shards --------------------------------------------------------------------------------- */

static int
longer_first(const void *a, const void *b)
{
  const TrainItem *x = *(const TrainItem *const *)a, *y = *(const TrainItem *const *)b;

  /* Equal lengths: by place in the batch, so that the order is defined. */
  return x->n_rows != y->n_rows ? (x->n_rows < y->n_rows) - (x->n_rows > y->n_rows)
                                : (x > y) - (x < y);
}

static void
shard_push(TrainShard *shard, const TrainItem *item)
{
  shard->start[shard->n_items] = (uint32_t)shard->n_rows;
  shard->length[shard->n_items] = item->n_rows;
  shard->items[shard->n_items++] = item;
  shard->n_rows += item->n_rows;
  shard->n_pictures += item->has_picture;
  shard->n_counted += item->n_counted;
}

/* Longest first, each to the shard with the fewest rows so far. */
static uint32_t
deal(TrainCore *core, const TrainItem **sorted, uint32_t n_items)
{
  uint32_t n = n_items < core->n_shards ? n_items : core->n_shards;

  for (uint32_t s = 0; s < n; s++) {
    TrainShard *shard = &core->shards[s];

    shard->n_items = 0;
    shard->n_rows = shard->n_pictures = shard->n_counted = 0;
    shard->loss = 0;
  }
  for (uint32_t i = 0; i < n_items; i++) {
    uint32_t least = 0;

    for (uint32_t s = 1; s < n; s++) {
      least = core->shards[s].n_rows < core->shards[least].n_rows ? s : least;
    }
    shard_push(&core->shards[least], sorted[i]);
  }
  return n;
}

static bool
arena_reserve(TrainArena *arena, size_t need)
{
  if (arena->capacity >= need) {
    return true;
  }
  free(arena->base);
  arena->capacity = 0;
  /* A little more than asked, so that slightly longer batches do not take memory again. */
  arena->base = train_memory_new((need + need / 8) * sizeof(float));
  arena->capacity = arena->base ? need + need / 8 : 0;
  return arena->base != NULL;
}

static void
run_shard(uint32_t index, uint32_t worker, void *user)
{
  TrainCore *core = user;
  TrainShard *shard = &core->shards[index];
  TrainArena *arena = &core->arenas[worker];

  shard->failed = !arena_reserve(arena, train_shard_need(&core->params, shard));
  if (!shard->failed) {
    train_shard_run(&core->params, &core->rope, shard, arena, core->shard_gradients[index]);
  }
}

/* ---- sum of the shards' gradients ----------------------------------------------------------- */

typedef struct {
  TrainCore *core;
  uint32_t n_shards;
  bool first;
} Sum;

TRAIN_CLONES static double
sum_block(float *restrict to, const float *const *from, size_t n_from, size_t n, bool first)
{
  double lanes[8] = {0}, total = 0;
  size_t i = 0;

  for (size_t s = 0; s < n_from; s++) {
    const float *add = from[s];

    if (s == 0 && first) {
      memcpy(to, add, n * sizeof *to);
      continue;
    }
    for (i = 0; i < n; i++) {
      to[i] += add[i];
    }
  }
  for (i = 0; i + 8 <= n; i += 8) {
    for (int l = 0; l < 8; l++) {
      lanes[l] += (double)to[i + l] * (double)to[i + l];
    }
  }
  for (; i < n; i++) {
    total += (double)to[i] * (double)to[i];
  }
  for (int l = 0; l < 8; l++) {
    total += lanes[l];
  }
  return total;
}

static void
sum_task(uint32_t index, uint32_t worker, void *user)
{
  const Sum *sum = user;
  TrainCore *core = sum->core;
  size_t at = index * BLOCK, left = core->params.n_gradient - at;
  const float *from[TRAIN_MAX_SHARDS];

  for (uint32_t s = 0; s < sum->n_shards; s++) {
    from[s] = core->shard_gradients[s] + at;
  }
  core->block_squares[index] =
      sum_block(core->gradient + at, from, sum->n_shards, left < BLOCK ? left : BLOCK, sum->first);
}

static uint32_t
n_blocks(const TrainCore *core)
{
  return (uint32_t)((core->params.n_gradient + BLOCK - 1) / BLOCK);
}

bool
train_core_add(TrainCore *core, const TrainItem *items, uint32_t n_items, ModelError *err)
{
  const TrainItem **sorted = calloc(n_items + 1, sizeof *sorted);
  Sum sum = {.core = core, .first = core->counted == 0};
  double squares = 0;

  if (!sorted) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "no memory for a batch of %u", n_items);
  }
  for (uint32_t i = 0; i < n_items; i++) {
    sorted[i] = &items[i];
  }
  qsort(sorted, n_items, sizeof *sorted, longer_first);
  sum.n_shards = deal(core, sorted, n_items);
  free(sorted);
  model_pool_run(core->pool, sum.n_shards, run_shard, core);
  for (uint32_t s = 0; s < sum.n_shards; s++) {
    if (core->shards[s].failed) {
      return model_fail(err, MODEL_ERROR_TOO_LARGE,
                        "no memory for the activations of %u samples, %llu positions",
                        core->shards[s].n_items, (unsigned long long)core->shards[s].n_rows);
    }
    core->loss_sum += core->shards[s].loss;
    core->counted += core->shards[s].n_counted;
  }
  model_pool_run(core->pool, n_blocks(core), sum_task, &sum);
  for (uint32_t b = 0; b < n_blocks(core); b++) {
    squares += core->block_squares[b];
  }
  core->norm = core->counted ? sqrt(squares) / (double)core->counted : 0;
  return true;
}

/* ---- AdamW ---------------------------------------------------------------------------------- */

typedef struct {
  TrainCore *core;
  float beta1, beta2, one_minus1, one_minus2, scale, step, root2, eps, decay;
} Update;

TRAIN_CLONES static void
update_block(const Update *u, const float *restrict g, size_t n, float *restrict p,
             float *restrict m, float *restrict v)
{
  const float b1 = u->beta1, b2 = u->beta2, c1 = u->one_minus1, c2 = u->one_minus2;
  const float scale = u->scale, step = u->step, root2 = u->root2, eps = u->eps, decay = u->decay;

  for (size_t i = 0; i < n; i++) {
    float d = g[i] * scale;

    m[i] = b1 * m[i] + c1 * d;
    v[i] = b2 * v[i] + c2 * d * d;
    p[i] = p[i] * decay - step * m[i] / (sqrtf(v[i]) * root2 + eps);
  }
}

/* Runs of tensors that train lie together in both the arena and the gradient. */
static void
update_task(uint32_t index, uint32_t worker, void *user)
{
  const Update *u = user;
  TrainCore *core = u->core;
  const TrainTensor *t = core->params.tensors, *end = t + core->params.n_tensors;
  size_t from = index * BLOCK, to = from + BLOCK;

  for (; t < end; t++) {
    size_t a, b;

    if (t->gradient == TRAIN_NO_GRADIENT || t->gradient + t->n <= from) {
      continue;
    }
    if (t->gradient >= to) {
      break;
    }
    a = t->gradient > from ? t->gradient : from;
    b = t->gradient + t->n < to ? t->gradient + t->n : to;
    update_block(u, core->gradient + a, b - a, core->params.data + t->offset + (a - t->gradient),
                 core->m + a, core->v + a);
  }
}

void
train_core_update(TrainCore *core, const TrainAdamW *adamw, double lr)
{
  double t = (double)++core->updates, clip = 1.0;
  Update u = {.core = core,
              .beta1 = (float)adamw->beta1,
              .beta2 = (float)adamw->beta2,
              .one_minus1 = (float)(1.0 - adamw->beta1),
              .one_minus2 = (float)(1.0 - adamw->beta2),
              .eps = (float)adamw->eps,
              .decay = (float)(1.0 - lr * adamw->weight_decay)};

  if (adamw->clip_norm > 0 && adamw->clip_norm / (core->norm + 1e-6) < 1.0) {
    clip = adamw->clip_norm / (core->norm + 1e-6);
  }
  u.scale = (float)(clip / (double)(core->counted ? core->counted : 1));
  u.step = (float)(lr / (1.0 - pow(adamw->beta1, t)));
  u.root2 = (float)(1.0 / sqrt(1.0 - pow(adamw->beta2, t)));
  model_pool_run(core->pool, n_blocks(core), update_task, &u);
}

double
train_schedule(uint64_t step, uint64_t steps, double lr, double warmup_ratio, bool constant)
{
  double warm = ceil(warmup_ratio * (double)steps), s = (double)step, rest;

  if (constant) {
    return lr;
  }
  if (s < warm) {
    return lr * s / (warm > 1 ? warm : 1);
  }
  rest = (double)steps - warm;
  return lr * 0.5 * (1.0 + cos(3.14159265358979323846 * (s - warm) / (rest > 1 ? rest : 1)));
}
