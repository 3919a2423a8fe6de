/* vision.c - CLIP's tower up to the hidden state that LLaVA takes, all pictures of a shard as one
 * matrix of pictures * (1 + patches) rows, the class token first. */
#include "image/preprocess.h"
#include "arithmetic.h"
#include "stages.h"

static TrainAttention
attention_of(const TrainParams *params, const TrainVision *vision)
{
  const ModelVisionConfig *v = &params->config.vision;

  return (TrainAttention){.n_sequences = vision->n_pictures,
                          .start = vision->start,
                          .length = vision->length,
                          .heads = v->heads,
                          .kv_heads = v->heads,
                          .head_dim = v->hidden / v->heads,
                          .causal = false};
}

static void
block_layout(const ModelVisionConfig *v, size_t n, size_t probabilities, TrainArena *arena,
             TrainBlockActs *acts)
{
  acts->x = train_arena_take(arena, n * v->hidden);
  acts->stats1 = train_arena_take(arena, 2 * n);
  acts->h1 = train_arena_take(arena, n * v->hidden);
  acts->qkv = train_arena_take(arena, n * 3 * v->hidden);
  acts->probabilities = train_arena_take(arena, probabilities);
  acts->attended = train_arena_take(arena, n * v->hidden);
  acts->x2 = train_arena_take(arena, n * v->hidden);
  acts->stats2 = train_arena_take(arena, 2 * n);
  acts->h2 = train_arena_take(arena, n * v->hidden);
  acts->fc1 = train_arena_take(arena, n * v->ffn);
  acts->act = train_arena_take(arena, n * v->ffn);
}

void
train_vision_layout(const TrainParams *params, uint32_t n_pictures, bool save, TrainArena *arena,
                    TrainVision *vision)
{
  const ModelVisionConfig *v = &params->config.vision;
  size_t side = v->image_size / v->patch_size, per = side * side, n = n_pictures * (per + 1);
  size_t patch = (size_t)3 * v->patch_size * v->patch_size, square = per + 1;
  size_t probabilities = n_pictures * v->heads * square * square;
  size_t wide = 3 * v->hidden > v->ffn ? 3 * v->hidden : v->ffn;
  TrainBlockActs shared = {0};

  vision->n_pictures = n_pictures;
  vision->n_patches = (uint32_t)per;
  vision->n_rows = (uint32_t)n;
  vision->start = (uint32_t *)train_arena_take(arena, n_pictures);
  vision->length = (uint32_t *)train_arena_take(arena, n_pictures);
  vision->pixels = train_arena_take(arena, (size_t)3 * v->image_size * v->image_size);
  vision->patches = train_arena_take(arena, n_pictures * per * patch);
  vision->embedded = train_arena_take(arena, n * v->hidden);
  vision->pre_stats = train_arena_take(arena, 2 * n);
  vision->blocks = (TrainBlockActs *)train_arena_take(
      arena, (v->blocks_run + 1) * sizeof(TrainBlockActs) / sizeof(float));
  /* The last entry's x is the output. A frozen tower passes through one set of buffers. */
  for (uint32_t b = 0; b <= v->blocks_run; b++) {
    if (b == 0 || (save && b < v->blocks_run)) {
      block_layout(v, n, probabilities, arena, &shared);
    } else if (save) {
      shared.x = train_arena_take(arena, n * v->hidden);
    }
    if (vision->blocks) {
      vision->blocks[b] = shared;
    }
  }
  vision->features = train_arena_take(arena, n_pictures * per * v->hidden);
  if (save) {
    vision->d = train_arena_take(arena, n * v->hidden);
    vision->dh = train_arena_take(arena, n * v->hidden);
    vision->dwide = train_arena_take(arena, n * wide);
    vision->scratch = train_arena_take(arena, square * square);
  }
}

/* pixels [3][S][S] -> rows of patches, each in channel, row, column order like the kernel. */
static void
cut_patches(const ModelVisionConfig *v, const float *pixels, float *out)
{
  uint32_t side = v->image_size / v->patch_size, p = v->patch_size, s = v->image_size;

  for (uint32_t y = 0; y < side; y++) {
    for (uint32_t x = 0; x < side; x++) {
      for (uint32_t c = 0; c < 3; c++) {
        for (uint32_t r = 0; r < p; r++, out += p) {
          memcpy(out, pixels + ((size_t)c * s + y * p + r) * s + x * p, p * sizeof *out);
        }
      }
    }
  }
}

static void
embed(const TrainParams *params, const TrainShard *shard, TrainVision *vision)
{
  const ModelVisionConfig *v = &params->config.vision;
  size_t h = v->hidden, per = vision->n_patches, k = (size_t)3 * v->patch_size * v->patch_size;
  const float *positions = train_p(params, params->position_embedding);
  float *rows = vision->embedded;
  uint32_t picture = 0;

  for (uint32_t i = 0; i < shard->n_items; i++) {
    if (!shard->items[i]->has_picture) {
      continue;
    }
    vision->start[picture] = (uint32_t)(picture * (per + 1));
    vision->length[picture] = (uint32_t)(per + 1);
    model_image_normalise(v, shard->items[i]->picture, vision->pixels);
    cut_patches(v, vision->pixels, vision->patches + picture * per * k);
    /* The product goes to where the rows belong, behind the class token. */
    memcpy(rows, positions, (per + 1) * h * sizeof *rows);
    train_add(train_p(params, params->class_embedding), h, rows);
    train_linear_residual(vision->patches + picture * per * k,
                          train_p(params, params->patch_embedding), NULL, rows + h, per, k, h,
                          rows + h);
    rows += (per + 1) * h;
    picture++;
  }
}

static void
block_forward(const TrainParams *params, const TrainBlockPlaces *at, const TrainAttention *a,
              size_t n, TrainBlockActs *acts, float *out)
{
  const ModelVisionConfig *v = &params->config.vision;
  size_t h = v->hidden, f = v->ffn;

  train_layer_norm(acts->x, train_p(params, at->ln1_w), train_p(params, at->ln1_b), n, h, v->eps,
                   acts->h1, acts->stats1);
  train_linear(acts->h1, train_p(params, at->qkv_w), train_p(params, at->qkv_b), n, h, 3 * h,
               acts->qkv);
  train_attention_forward(a, acts->qkv, acts->probabilities, acts->attended);
  train_linear_residual(acts->attended, train_p(params, at->o_w), train_p(params, at->o_b), acts->x,
                        n, h, h, acts->x2);
  train_layer_norm(acts->x2, train_p(params, at->ln2_w), train_p(params, at->ln2_b), n, h, v->eps,
                   acts->h2, acts->stats2);
  train_linear(acts->h2, train_p(params, at->fc1_w), train_p(params, at->fc1_b), n, h, f,
               acts->fc1);
  train_gelu(acts->fc1, n * f, v->gelu_erf, acts->act);
  train_linear_residual(acts->act, train_p(params, at->fc2_w), train_p(params, at->fc2_b), acts->x2,
                        n, f, h, out);
}

void
train_vision_forward(const TrainParams *params, const TrainShard *shard, TrainVision *vision)
{
  const ModelVisionConfig *v = &params->config.vision;
  size_t n = vision->n_rows, h = v->hidden, per = vision->n_patches;
  TrainAttention a;

  embed(params, shard, vision);
  a = attention_of(params, vision);
  train_layer_norm(vision->embedded, train_p(params, params->pre_ln_w),
                   train_p(params, params->pre_ln_b), n, h, v->eps, vision->blocks[0].x,
                   vision->pre_stats);
  for (uint32_t b = 0; b < v->blocks_run; b++) {
    block_forward(params, &params->blocks[b], &a, n, &vision->blocks[b], vision->blocks[b + 1].x);
  }
  for (uint32_t i = 0; i < vision->n_pictures; i++) {
    memcpy(vision->features + i * per * h,
           vision->blocks[v->blocks_run].x + (i * (per + 1) + 1) * h, per * h * sizeof(float));
  }
}

static void
block_backward(const TrainParams *params, const TrainBlockPlaces *at, const TrainAttention *a,
               const TrainBlockActs *acts, TrainVision *vision, float *gradient)
{
  const ModelVisionConfig *v = &params->config.vision;
  size_t n = vision->n_rows, h = v->hidden, f = v->ffn;
#define G(place) train_g(params, gradient, at->place)
  train_linear_backward(vision->d, acts->act, train_p(params, at->fc2_w), n, f, h, vision->dwide,
                        G(fc2_w), G(fc2_b));
  train_gelu_backward(acts->fc1, n * f, v->gelu_erf, vision->dwide);
  train_linear_backward(vision->dwide, acts->h2, train_p(params, at->fc1_w), n, h, f, vision->dh,
                        G(fc1_w), G(fc1_b));
  train_layer_norm_backward(vision->dh, acts->x2, train_p(params, at->ln2_w), acts->stats2, n, h,
                            true, vision->d, G(ln2_w), G(ln2_b));
  train_linear_backward(vision->d, acts->attended, train_p(params, at->o_w), n, h, h, vision->dh,
                        G(o_w), G(o_b));
  train_attention_backward(a, acts->qkv, acts->probabilities, acts->attended, vision->dh,
                           vision->scratch, vision->dwide);
  train_linear_backward(vision->dwide, acts->h1, train_p(params, at->qkv_w), n, h, 3 * h,
                        vision->dh, G(qkv_w), G(qkv_b));
  train_layer_norm_backward(vision->dh, acts->x, train_p(params, at->ln1_w), acts->stats1, n, h,
                            true, vision->d, G(ln1_w), G(ln1_b));
#undef G
}

void
train_vision_backward(const TrainParams *params, const float *dfeatures, TrainVision *vision,
                      float *gradient)
{
  const ModelVisionConfig *v = &params->config.vision;
  size_t h = v->hidden, per = vision->n_patches, k = (size_t)3 * v->patch_size * v->patch_size;
  TrainAttention a = attention_of(params, vision);
  float *dclass = train_g(params, gradient, params->class_embedding);
  float *dpositions = train_g(params, gradient, params->position_embedding);

  for (uint32_t i = 0; i < vision->n_pictures; i++) {
    float *rows = vision->d + i * (per + 1) * h;

    memset(rows, 0, h * sizeof *rows); /* the class token is dropped */
    memcpy(rows + h, dfeatures + i * per * h, per * h * sizeof *rows);
  }
  for (uint32_t b = v->blocks_run; b-- > 0;) {
    block_backward(params, &params->blocks[b], &a, &vision->blocks[b], vision, gradient);
  }
  train_layer_norm_backward(vision->d, vision->embedded, train_p(params, params->pre_ln_w),
                            vision->pre_stats, vision->n_rows, h, false, vision->dh,
                            train_g(params, gradient, params->pre_ln_w),
                            train_g(params, gradient, params->pre_ln_b));
  memset(dclass, 0, h * sizeof *dclass);
  memset(dpositions, 0, (per + 1) * h * sizeof *dpositions);
  for (uint32_t i = 0; i < vision->n_pictures; i++) {
    const float *rows = vision->dh + i * (per + 1) * h;

    train_add(rows, h, dclass);
    train_add(rows, (per + 1) * h, dpositions);
    memcpy(vision->d + i * per * h, rows + h, per * h * sizeof *rows); /* rows of the kernel */
  }
  train_linear_backward(vision->d, vision->patches, NULL, vision->n_pictures * per, k, h, NULL,
                        train_g(params, gradient, params->patch_embedding), NULL);
}
