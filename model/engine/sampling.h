/* sampling.h - from logits to the next id. Private to model/engine. */
#ifndef HILUM_MODEL_SAMPLING_H
#define HILUM_MODEL_SAMPLING_H

#include "base/random.h"
#include "model.h"

typedef struct {
  uint32_t n;          /* ids 0 .. n - 1 can be drawn */
  double *probability; /* [n] */
  uint32_t *heap;      /* [n] */
  float *soft;         /* [n] */
  float temperature, top_p;
  ModelRandom random;
} ModelSampler;

bool model_sampler_init(ModelSampler *sampler, uint32_t n, ModelError *err);
void model_sampler_clear(ModelSampler *sampler);

/* MODEL_ERROR_ARGUMENT unless temperature >= 0 and 0 < top_p <= 1 (no NaN, no infinity). */
bool model_sampling_check(const ModelSampling *sampling, ModelError *err);
/* Starts the generator over: the same seed gives the same draws. */
void model_sampler_start(ModelSampler *sampler, const ModelSampling *sampling);
/* The next id, or -1 when a logit is not a finite number. Allocates nothing. */
int32_t model_sampler_pick(ModelSampler *sampler, const float *logits);
/* What the model gave to ID: its share at temperature 1, before top-p, whatever it was drawn by.
 * LOGITS are finite. */
float model_sampler_probability(ModelSampler *sampler, const float *logits, int32_t id);

#endif
