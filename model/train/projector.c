/* projector.c - from picture features to the decoder's width: linear, or two with exact GELU. */
#include "arithmetic.h"
#include "stages.h"

void
train_projector_layout(const TrainParams *params, uint32_t n_rows, TrainArena *arena,
                       TrainProjector *projector)
{
  size_t in = params->config.vision.hidden, out = params->config.decoder.hidden;

  projector->n_rows = n_rows;
  projector->hidden = train_arena_take(arena, n_rows * out);
  projector->act = train_arena_take(arena, n_rows * out);
  projector->out = train_arena_take(arena, n_rows * out);
  projector->dout = train_arena_take(arena, n_rows * out);
  projector->dhidden = train_arena_take(arena, n_rows * out);
  projector->dfeatures = train_arena_take(arena, n_rows * in);
}

void
train_projector_forward(const TrainParams *params, const float *features, TrainProjector *projector)
{
  size_t in = params->config.vision.hidden, out = params->config.decoder.hidden;
  size_t n = projector->n_rows;
  const float *w0 = train_p(params, params->mm_w[0]), *b0 = train_p(params, params->mm_b[0]);

  if (params->config.projector == MODEL_PROJECTOR_LINEAR) {
    train_linear(features, w0, b0, n, in, out, projector->out);
    return;
  }
  train_linear(features, w0, b0, n, in, out, projector->hidden);
  train_gelu(projector->hidden, n * out, true, projector->act);
  train_linear(projector->act, train_p(params, params->mm_w[1]), train_p(params, params->mm_b[1]),
               n, out, out, projector->out);
}

void
train_projector_backward(const TrainParams *params, const float *features, bool want_features,
                         TrainProjector *projector, float *gradient)
{
  size_t in = params->config.vision.hidden, out = params->config.decoder.hidden;
  size_t n = projector->n_rows;
  const float *d = projector->dout;

  if (params->config.projector != MODEL_PROJECTOR_LINEAR) {
    train_linear_backward(d, projector->act, train_p(params, params->mm_w[1]), n, out, out,
                          projector->dhidden, train_g(params, gradient, params->mm_w[1]),
                          train_g(params, gradient, params->mm_b[1]));
    train_gelu_backward(projector->hidden, n * out, true, projector->dhidden);
    d = projector->dhidden;
  }
  train_linear_backward(d, features, train_p(params, params->mm_w[0]), n, in, out,
                        want_features ? projector->dfeatures : NULL,
                        train_g(params, gradient, params->mm_w[0]),
                        train_g(params, gradient, params->mm_b[0]));
}
