/* trace.c - every stage for one rendered prompt, for comparison with references. */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/sampling.h"

void
model_trace_clear(ModelTrace *trace)
{
  free(trace->u8);
  model_ids_clear(&trace->ids);
  free(trace->vision);
  free(trace->projected);
  free(trace->logits);
  model_ids_clear(&trace->greedy);
  free(trace->text);
  *trace = (ModelTrace){0};
}

static bool
trace_picture(const ModelEngine *engine, const ModelImage *image, ModelTrace *trace,
              ModelError *err)
{
  const ModelConfig *config = &engine->checkpoint.config;

  trace->u8 = model_preprocess(engine, image, &trace->side, err);
  if (!trace->u8) {
    return false;
  }
  trace->n_patches = engine->n_patches;
  trace->vision_hidden = config->vision.hidden;
  trace->hidden = config->decoder.hidden;
  trace->vision = calloc(engine->n_patches, config->vision.hidden * sizeof(float));
  trace->projected = calloc(engine->n_patches, config->decoder.hidden * sizeof(float));
  if (!trace->vision || !trace->projected) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for a trace");
  }
  return model_picture_rows(engine, trace->u8, NULL, trace->vision, trace->projected, err);
}

float *
model_see(const ModelEngine *engine, const ModelImage *image, uint32_t *n_patches, uint32_t *width,
          ModelError *err)
{
  ModelTrace trace = {0};
  float *vision = NULL;

  if (model_engine_check_ready(engine, err) && trace_picture(engine, image, &trace, err)) {
    *n_patches = trace.n_patches;
    *width = trace.vision_hidden;
    vision = trace.vision;
    trace.vision = NULL;
  }
  model_trace_clear(&trace);
  return vision;
}

static bool
trace_greedy(const ModelEngine *engine, ModelDecoder *decoder, uint32_t max_tokens,
             ModelTrace *trace, ModelError *err)
{
  const ModelSampling greedy = {.top_p = 1};
  ModelSampler sampler;
  bool ok = model_sampler_init(&sampler, engine->n_usable, err);

  if (ok) {
    model_sampler_start(&sampler, &greedy);
  }
  for (uint32_t i = 0; i < max_tokens && ok; i++) {
    const int32_t id = model_sampler_pick(&sampler, decoder->logits);
    if (id < 0) {
      ok = model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: the weights give a logit that is not a finite number at position %u",
                      engine->checkpoint.path, trace->n_positions + i);
    } else if (model_tokenizer_is_stop(engine->tokenizer, id)) {
      break;
    } else if (!model_ids_push(&trace->greedy, id)) {
      ok = model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for a trace");
    } else if (i + 1 < max_tokens) {
      ok = model_decoder_step(decoder, id, trace->n_positions + i, NULL, err);
    }
  }
  model_sampler_clear(&sampler);
  return ok;
}

static bool
trace_decoder(const ModelEngine *engine, uint32_t max_tokens, ModelTrace *trace, ModelError *err)
{
  const ModelDecoderConfig *config = &engine->checkpoint.config.decoder;
  ModelSpan span = {.ids = trace->ids.ids, .n = trace->ids.n, .rows = trace->projected};
  ModelDecoder decoder = {0};
  uint64_t positions;
  bool ok;

  if (!model_span_positions(engine, &span, trace->projected != NULL, &positions, err)) {
    return false;
  }
  if (positions + max_tokens > config->context) {
    return model_fail(err, MODEL_ERROR_CONTEXT,
                      "the prompt needs %llu positions and %u for tokens, but the context has %u",
                      (unsigned long long)positions, max_tokens, config->context);
  }
  trace->n_positions = (uint32_t)positions;
  trace->vocab = config->vocab;
  trace->logits = calloc(config->vocab, sizeof *trace->logits);
  ok = trace->logits ? model_decoder_init(&decoder, engine, trace->n_positions + max_tokens, err)
                     : model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for a trace");
  ok = ok && model_decoder_run(&decoder, &span, 0, NULL, err);
  if (ok) {
    memcpy(trace->logits, decoder.logits, config->vocab * sizeof *trace->logits);
    ok = trace_greedy(engine, &decoder, max_tokens, trace, err);
  }
  model_decoder_clear(&decoder);
  return ok;
}

bool
model_trace(ModelEngine *engine, const ModelImage *image, const char *prompt, uint32_t max_tokens,
            ModelTrace *trace, ModelError *err)
{
  bool ok;

  *trace = (ModelTrace){0};
  ok = model_engine_check_ready(engine, err) &&
       model_tokenizer_encode_prompt(engine->tokenizer, prompt, strlen(prompt), &trace->ids, err) &&
       (!image || trace_picture(engine, image, trace, err)) &&
       trace_decoder(engine, max_tokens, trace, err);
  if (ok) {
    trace->text =
        model_tokenizer_decode(engine->tokenizer, trace->greedy.ids, trace->greedy.n, err);
    ok = trace->text != NULL;
  }
  if (!ok) {
    model_trace_clear(trace);
  }
  return ok;
}
