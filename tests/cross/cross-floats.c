/* cross-floats.c - attention and operations on vectors, each kernel beside the portable one. */
#include "cross.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/floats.h"

enum { ROWS = 7, MOST_DIM = 80, MOST_N = 101 };

static void
attend(const ModelFloats *floats, const ModelKv *kv, const float *q, uint32_t positions,
       float *scratch, float *out)
{
  ModelAttend a = {.kv = kv, .layer = 1, .head = 1, .n = ROWS, .scratch = scratch};

  a.scale = (float)(1 / sqrt(kv->head_dim));
  for (uint32_t i = 0; i < ROWS; i++) {
    a.q[i] = q + i * kv->head_dim;
    a.out[i] = out + i * kv->head_dim;
    a.seen[i] = positions - ROWS + 1 + i;
  }
  floats->attend(&a);
}

static uint64_t
check_attention(ModelRandom *random, ModelKvType type, uint32_t head_dim, uint32_t positions)
{
  const uint64_t width = (uint64_t)2 * head_dim;
  float *k = cross_aligned(positions * width * 4), *v = cross_aligned(positions * width * 4);
  float *q = cross_aligned(ROWS * MOST_DIM * 4);
  float *scratch = cross_aligned(model_attend_floats(head_dim, ROWS) * 4);
  float expected[ROWS * MOST_DIM] = {0}, found[ROWS * MOST_DIM] = {0};
  const ModelFloats *floats;
  ModelKv kv;
  uint64_t n = 0;

  if (!model_kv_init(&kv, type, 2, 2, head_dim, positions, NULL)) {
    cross_fail("no room for keys and values", head_dim, positions);
  }
  cross_fill(random, k, positions * width, false);
  cross_fill(random, v, positions * width, false);
  cross_fill(random, q, ROWS * MOST_DIM, false);
  model_kv_write(&kv, 1, 0, positions, k, v, width);
  attend(&model_floats_portable, &kv, q, positions, scratch, expected);
  for (uint32_t i = 0; (floats = model_floats_at(i)) != NULL; i++, n++) {
    attend(floats, &kv, q, positions, scratch, found);
    cross_compare(found, expected, (uint64_t)ROWS * head_dim, floats->name);
  }
  model_kv_clear(&kv);
  free(k);
  free(v);
  free(q);
  free(scratch);
  return n;
}

/* Everything that FLOATS does to a vector of N, one after the other in OUT. */
static void
vectors(const ModelFloats *floats, const float *x, const float *w, uint64_t n, float *out)
{
  uint16_t halves[MOST_N];

  memset(out, 0, sizeof(float) * 9 * MOST_N);
  floats->rms_norm(x, w, n, 1e-5f, out);
  floats->layer_norm(x, w, w, n, 1e-5f, out + MOST_N);
  for (uint32_t i = 2; i < 7; i++) {
    memcpy(out + i * MOST_N, x, n * sizeof *x);
  }
  floats->softmax(out + 2 * MOST_N, n);
  floats->quick_gelu(out + 3 * MOST_N, n);
  floats->gelu_erf(out + 4 * MOST_N, n);
  floats->add(out + 5 * MOST_N, w, n);
  floats->rope(out + 6 * MOST_N, 1, (uint32_t)n / 2 * 2, n % 2 != 0, w, w + n / 2);
  floats->silu_multiply(x, w, n, out + 7 * MOST_N);
  floats->to_f16(x, n, halves);
  for (uint64_t i = 0; i < n; i++) {
    out[8 * MOST_N + i] = halves[i];
  }
}

uint64_t
cross_floats(ModelRandom *random)
{
  static const ModelKvType types[] = {MODEL_KV_F32, MODEL_KV_F16, MODEL_KV_Q8_0};
  static const uint32_t dims[] = {14, 32, MOST_DIM}, positions[] = {ROWS, 64, 150};
  static const uint64_t lengths[] = {1, 15, 16, 33, MOST_N};
  float x[MOST_N], w[2 * MOST_N], expected[9 * MOST_N], found[9 * MOST_N];
  const ModelFloats *floats;
  uint64_t n = 0;

  for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
    for (size_t i = 0; i < 9; i++) {
      n += check_attention(random, types[t], dims[i / 3], positions[i % 3]);
    }
  }
  for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
    cross_fill(random, x, MOST_N, false);
    cross_fill(random, w, MOST_N, false);
    cross_fill(random, w + MOST_N, MOST_N, false);
    for (uint64_t i = 0; i < MOST_N; i++) {
      x[i] *= 12;
    }
    vectors(&model_floats_portable, x, w, lengths[l], expected);
    for (uint32_t i = 0; (floats = model_floats_at(i)) != NULL; i++, n++) {
      vectors(floats, x, w, lengths[l], found);
      cross_compare(found, expected, (uint64_t)9 * MOST_N, floats->name);
    }
  }
  return n;
}
