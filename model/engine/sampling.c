/* sampling.c - greedy, or temperature and top-p with a seeded generator.
 *
 * The generator is base/random.h's, so a seed means the same on every machine. Ties go to the lower
 * id.
 */
#include "engine/sampling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "kernels/kernels.h"

/* Uniform in [0, 1) with 53 bits. */
static double
draw(ModelSampler *sampler)
{
  return (double)(model_random_next(&sampler->random) >> 11) * 0x1.0p-53;
}

bool
model_sampler_init(ModelSampler *sampler, uint32_t n, ModelError *err)
{
  *sampler = (ModelSampler){.n = n, .top_p = 1};
  sampler->probability = calloc(n, sizeof *sampler->probability);
  sampler->heap = calloc(n, sizeof *sampler->heap);
  sampler->soft = calloc(n, sizeof *sampler->soft);
  if (!sampler->probability || !sampler->heap || !sampler->soft) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for sampling from %u ids", n);
  }
  return true;
}

void
model_sampler_clear(ModelSampler *sampler)
{
  free(sampler->probability);
  free(sampler->heap);
  free(sampler->soft);
  *sampler = (ModelSampler){0};
}

bool
model_sampling_check(const ModelSampling *sampling, ModelError *err)
{
  /* Written so that NaN fails. */
  if (!(sampling->temperature >= 0) || isinf(sampling->temperature)) {
    return model_fail(err, MODEL_ERROR_ARGUMENT,
                      "temperature: found %g, expected a finite number of at least 0",
                      (double)sampling->temperature);
  }
  if (!(sampling->top_p > 0 && sampling->top_p <= 1)) {
    return model_fail(err, MODEL_ERROR_ARGUMENT, "top_p: found %g, expected above 0 and at most 1",
                      (double)sampling->top_p);
  }
  return true;
}

void
model_sampler_start(ModelSampler *sampler, const ModelSampling *sampling)
{
  sampler->temperature = sampling->temperature;
  sampler->top_p = sampling->top_p;
  model_random_seed(&sampler->random, sampling->seed);
}

/* Likelier first; among equals the lower id. */
static bool
before(const double *p, uint32_t a, uint32_t b)
{
  return p[a] > p[b] || (p[a] == p[b] && a < b);
}

static void
sift(const double *p, uint32_t *heap, uint32_t n, uint32_t at)
{
  for (;;) {
    uint32_t child = 2 * at + 1;
    uint32_t swap;
    if (child >= n) {
      return;
    }
    if (child + 1 < n && before(p, heap[child + 1], heap[child])) {
      child++;
    }
    if (!before(p, heap[child], heap[at])) {
      return;
    }
    swap = heap[at];
    heap[at] = heap[child];
    heap[child] = swap;
    at = child;
  }
}

/* Draws from the likeliest ids whose sum first reaches top_p: they come off a heap one by one,
 * which is cheap since they are few. They gather at the end of the array in falling order. */
static int32_t
pick_nucleus(ModelSampler *s, double sum)
{
  double kept = 0, mark;
  uint32_t n = s->n;

  for (uint32_t i = 0; i < s->n; i++) {
    s->heap[i] = i;
  }
  for (uint32_t i = s->n / 2; i-- > 0;) {
    sift(s->probability, s->heap, s->n, i);
  }
  do {
    const uint32_t id = s->heap[0];
    kept += s->probability[id];
    s->heap[0] = s->heap[--n];
    s->heap[n] = id;
    sift(s->probability, s->heap, n, 0);
  } while (n > 0 && kept < (double)s->top_p * sum);
  mark = draw(s) * kept;
  for (uint32_t i = s->n; i-- > n;) {
    mark -= s->probability[s->heap[i]];
    if (mark < 0) {
      return (int32_t)s->heap[i];
    }
  }
  return (int32_t)s->heap[s->n - 1]; /* rounding left a crumb: the likeliest id */
}

int32_t
model_sampler_pick(ModelSampler *s, const float *logits)
{
  uint32_t best = 0;
  double sum = 0, mark;

  for (uint32_t i = 0; i < s->n; i++) {
    if (!isfinite(logits[i])) {
      return -1;
    }
    best = logits[i] > logits[best] ? i : best;
  }
  if (s->temperature == 0) {
    return (int32_t)best;
  }
  for (uint32_t i = 0; i < s->n; i++) {
    s->probability[i] = exp(((double)logits[i] - logits[best]) / s->temperature);
    sum += s->probability[i];
  }
  if (s->top_p < 1) {
    return pick_nucleus(s, sum);
  }
  mark = draw(s) * sum;
  for (uint32_t i = 0; i < s->n; i++) {
    mark -= s->probability[i];
    if (mark < 0) {
      return (int32_t)i;
    }
  }
  return (int32_t)best;
}

float
model_sampler_probability(ModelSampler *s, const float *logits, int32_t id)
{
  float p;

  memcpy(s->soft, logits, s->n * sizeof *s->soft);
  model_softmax(s->soft, s->n);
  p = s->soft[id];
  return p < 1 ? p : 1; /* its last bit may be too much */
}
