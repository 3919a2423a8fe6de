/* loss.c - last norm, output table and softmax cross-entropy, at the counted rows alone and in
 * chunks, so that a large vocabulary needs little memory. */
#include "arithmetic.h"
#include "stages.h"

#include <cblas.h>

#define CHUNK 256u

void
train_loss_layout(const TrainParams *params, uint32_t n_counted, TrainArena *arena, TrainLoss *loss)
{
  const ModelDecoderConfig *c = &params->config.decoder;

  loss->normed = train_arena_take(arena, (size_t)n_counted * c->hidden);
  loss->rstd = train_arena_take(arena, n_counted);
  loss->logits =
      train_arena_take(arena, (size_t)(n_counted < CHUNK ? n_counted : CHUNK) * c->vocab);
  loss->dnormed = train_arena_take(arena, (size_t)n_counted * c->hidden);
}

double
train_loss_run(const TrainParams *params, const TrainRows *rows, const float *last, bool backward,
               TrainLoss *loss, float *d, float *gradient)
{
  const ModelDecoderConfig *c = &params->config.decoder;
  size_t h = c->hidden, vocab = c->vocab;
  const float *norm = train_p(params, params->output_norm), *w = train_p(params, params->output);
  float *dw = train_g(params, gradient, params->output);
  double sum = 0;

  train_rms_norm(last, norm, rows->n_counted, h, c->eps, loss->normed, loss->rstd);
  for (uint32_t first = 0; first < rows->n_counted; first += CHUNK) {
    size_t n = rows->n_counted - first < CHUNK ? rows->n_counted - first : CHUNK;
    const float *x = loss->normed + first * h;

    train_linear(x, w, NULL, n, h, vocab, loss->logits);
    for (size_t i = 0; i < n; i++) {
      sum +=
          train_cross_entropy_row(loss->logits + i * vocab, vocab, (size_t)rows->target[first + i]);
    }
    if (backward) {
      train_linear_backward(loss->logits, x, w, n, h, vocab, loss->dnormed + first * h, NULL, NULL);
    }
    if (dw) {
      cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)vocab, (int)h, (int)n, 1.0f,
                  loss->logits, (int)vocab, x, (int)h, first ? 1.0f : 0.0f, dw, (int)h);
    }
  }
  if (backward) {
    memset(d, 0, rows->n_counted * h * sizeof *d);
    train_rms_norm_backward(loss->dnormed, last, norm, loss->rstd, rows->n_counted, h, d,
                            train_g(params, gradient, params->output_norm));
  }
  return sum;
}
