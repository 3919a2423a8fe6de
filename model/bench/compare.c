/* compare.c - how near two models with one vocabulary are: what each expects after every token of a
 * text that both are given. */
#include "base/error.h"
#include "engine/engine.h"
#include "model_bench.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_WINDOW 512u
#define PIECE 16u /* positions whose logits are in memory at a time: 16 * 32,000 floats, twice */

struct ModelComparison {
  ModelEngine *engines[2];
  ModelDecoder decoders[2];
  uint32_t window, vocab;
  float *logits[2];  /* [PIECE][vocab] */
  float *divergence; /* of every position so far */
  size_t n, capacity;
  double nll[2], divergence_sum;
  uint64_t same_top;
};

static bool
check_vocabularies(const ModelEngine *a, const ModelEngine *b, ModelError *err)
{
  const ModelVocabulary *x = &a->checkpoint.vocabulary, *y = &b->checkpoint.vocabulary;
  bool same = x->n_pieces == y->n_pieces && a->n_usable == b->n_usable;

  for (uint32_t i = 0; same && i < x->n_pieces; i++)
    same = x->pieces[i].length == y->pieces[i].length &&
           memcmp(x->pieces[i].text, y->pieces[i].text, x->pieces[i].length) == 0;
  return same || model_fail(err, MODEL_ERROR_ARGUMENT,
                            "%s and %s have different vocabularies (%u and %u pieces): their "
                            "answers cannot be compared token by token",
                            a->checkpoint.path, b->checkpoint.path, x->n_pieces, y->n_pieces);
}

ModelComparison *
model_comparison_new(ModelEngine *a, ModelEngine *b, uint32_t window, ModelError *err)
{
  ModelComparison *c;
  uint32_t most = a->checkpoint.config.decoder.context < b->checkpoint.config.decoder.context
                      ? a->checkpoint.config.decoder.context
                      : b->checkpoint.config.decoder.context;

  if (!check_vocabularies(a, b, err))
    return NULL;
  if (window == 0)
    window = most < DEFAULT_WINDOW ? most : DEFAULT_WINDOW;
  if (window < 2 || window > most) {
    model_fail(err, MODEL_ERROR_ARGUMENT, "windows of %u positions, expected 2 to %u", window,
               most);
    return NULL;
  }
  c = calloc(1, sizeof *c);
  if (!c) {
    model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for a comparison");
    return NULL;
  }
  c->engines[0] = a;
  c->engines[1] = b;
  c->window = window;
  c->vocab = a->n_usable;
  for (int i = 0; i < 2; i++) {
    size_t floats = (size_t)PIECE * c->engines[i]->checkpoint.config.decoder.vocab;
    c->logits[i] = malloc(floats * sizeof(float));
    if (!c->logits[i])
      model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for %zu logits", floats);
    if (!c->logits[i] || !model_decoder_init(&c->decoders[i], c->engines[i], window, err)) {
      model_comparison_free(c);
      return NULL;
    }
  }
  return c;
}

void
model_comparison_free(ModelComparison *c)
{
  if (!c)
    return;
  for (int i = 0; i < 2; i++) {
    model_decoder_clear(&c->decoders[i]);
    free(c->logits[i]);
  }
  free(c->divergence);
  free(c);
}

/* ---- one position ------------------------------------------------------------------------- */

/* log of the sum of exponentials, and where the largest is. */
static double
log_sum(const float *logits, uint32_t n, uint32_t *top)
{
  double sum = 0;

  *top = 0;
  for (uint32_t i = 1; i < n; i++)
    if (logits[i] > logits[*top])
      *top = i;
  for (uint32_t i = 0; i < n; i++)
    sum += exp((double)logits[i] - (double)logits[*top]);
  return log(sum) + (double)logits[*top];
}

static bool
add_position(ModelComparison *c, const float *a, const float *b, int32_t next, ModelError *err)
{
  uint32_t top_a, top_b;
  double log_a = log_sum(a, c->vocab, &top_a), log_b = log_sum(b, c->vocab, &top_b), sum = 0;

  if (c->n == c->capacity) {
    size_t capacity = 2 * c->capacity + 1024;
    float *grown = realloc(c->divergence, capacity * sizeof *grown);
    if (!grown)
      return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for %zu positions", capacity);
    c->divergence = grown;
    c->capacity = capacity;
  }
  for (uint32_t i = 0; i < c->vocab; i++) {
    double p = (double)a[i] - log_a;
    sum += exp(p) * (p - ((double)b[i] - log_b));
  }
  if (!isfinite(sum))
    return model_fail(err, MODEL_ERROR_CORRUPT, "position %zu: the logits are not numbers", c->n);
  sum = sum > 0 ? sum : 0; /* rounding */
  c->divergence[c->n++] = (float)sum;
  c->divergence_sum += sum;
  c->nll[0] += log_a - (double)a[next];
  c->nll[1] += log_b - (double)b[next];
  c->same_top += top_a == top_b;
  return true;
}

/* ---- texts -------------------------------------------------------------------------------- */

/* IDS[0] is the token that begins a text; what follows it is predicted. */
static bool
add_window(ModelComparison *c, const int32_t *ids, uint32_t n, ModelError *err)
{
  const ModelWatch watch = {0};

  for (uint32_t at = 0; at + 1 < n; at += PIECE) {
    uint32_t part = n - 1 - at < PIECE ? n - 1 - at : PIECE;
    for (int k = 0; k < 2; k++)
      if (!model_decoder_verify(&c->decoders[k], ids + at, part, at, c->logits[k], &watch, err))
        return false;
    for (uint32_t i = 0; i < part; i++)
      if (!add_position(c,
                        c->logits[0] + (size_t)i * c->engines[0]->checkpoint.config.decoder.vocab,
                        c->logits[1] + (size_t)i * c->engines[1]->checkpoint.config.decoder.vocab,
                        ids[at + i + 1], err))
        return false;
  }
  return true;
}

bool
model_comparison_add(ModelComparison *c, const char *text, size_t length, ModelError *err)
{
  ModelIds ids = {0};
  int32_t *window = calloc(c->window, sizeof *window);
  bool ok = window || model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for a window");

  ok = ok && model_tokenize(c->engines[0], text, length, &ids, err);
  for (size_t at = 0; ok && at < ids.n; at += c->window - 1) {
    size_t part = ids.n - at < c->window - 1 ? ids.n - at : c->window - 1;
    window[0] = c->engines[0]->checkpoint.config.bos;
    memcpy(window + 1, ids.ids + at, part * sizeof *window);
    ok = add_window(c, window, (uint32_t)part + 1, err);
  }
  free(window);
  model_ids_clear(&ids);
  return ok;
}

static int
compare_floats(const void *a, const void *b)
{
  float x = *(const float *)a, y = *(const float *)b;

  return x < y ? -1 : x > y;
}

void
model_comparison_result(ModelComparison *c, ModelCompared *result)
{
  double n = (double)c->n;

  memset(result, 0, sizeof *result);
  result->window = c->window;
  result->positions = c->n;
  if (c->n == 0)
    return;
  qsort(c->divergence, c->n, sizeof *c->divergence, compare_floats);
  result->mean_divergence = c->divergence_sum / n;
  result->median_divergence = (double)c->divergence[c->n / 2];
  result->p99_divergence = (double)c->divergence[(size_t)(0.99 * (n - 1) + 0.5)];
  result->largest_divergence = (double)c->divergence[c->n - 1];
  result->agreement = (double)c->same_top / n;
  result->perplexity_a = exp(c->nll[0] / n);
  result->perplexity_b = exp(c->nll[1] / n);
}
