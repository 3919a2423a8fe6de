/* bench.c - how fast a model is on this machine: a prompt, tokens one by one, a picture, a first
 * question and a follow-up. */
#include "base/error.h"
#include "base/random.h"
#include "bench/machine.h"
#include "engine/engine.h"
#include "kernels/packed.h"
#include "model_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PICTURE_SIDE 512u /* larger than any tower's square: it is scaled, as real ones are */
#define ANSWER_TOKENS 8u  /* between a question and its follow-up */
#define READ_EVERY 4u     /* tokens */
#define MOST_READ (1u << 30)

typedef struct {
  ModelEngine *engine;
  const ModelBenchOptions *options;
  ModelBench *result;
  uint32_t done, total;      /* measurements */
  double *a, *b, *c;         /* [repeats] */
  double read_bytes, read_s; /* between tokens, */
  size_t ahead;              /* fetching so many bytes ahead */
  ModelError *err;
} Bench;

static double
now(void)
{
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool
step_done(Bench *b, const char *what)
{
  b->done++;
  if (!b->options->progress || b->options->progress(what, b->done, b->total, b->options->user))
    return true;
  return model_fail(b->err, MODEL_ERROR_CANCELLED, "cancelled after %u of %u measurements", b->done,
                    b->total);
}

/* ---- the work ------------------------------------------------------------------------------ */

static void
count_tensor(const ModelTensor *file, const ModelTensor *used, uint64_t *products, uint64_t *bytes)
{
  uint64_t rows = model_tensor_rows(file), columns = model_tensor_columns(file);
  /* What was made float32 for speed is read as such; packed weights count as the file has them. */
  ModelType type = used->type == MODEL_TYPE_F32 ? MODEL_TYPE_F32 : file->type;

  *products += rows * columns;
  *bytes += model_packed_unit_columns(type) > 0 /* as the file has them, too */
                ? (rows + MODEL_GROUP_ROWS - 1) / MODEL_GROUP_ROWS *
                      model_packed_group_bytes(type, columns)
                : rows * model_type_row_bytes(type, columns);
}

static void
count_decoder(const ModelEngine *engine, ModelBench *result)
{
  const ModelWeights *file = &engine->checkpoint.weights, *used = &engine->weights;

  for (uint32_t i = 0; i < engine->checkpoint.config.decoder.layers; i++) {
    const ModelLayer *f = &file->layers[i], *u = &used->layers[i];
    const ModelTensor *pairs[][2] = {{&f->q, &u->q},      {&f->k, &u->k},       {&f->v, &u->v},
                                     {&f->o, &u->o},      {&f->gate, &u->gate}, {&f->up, &u->up},
                                     {&f->down, &u->down}};
    for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++)
      count_tensor(pairs[k][0], pairs[k][1], &result->layer_products, &result->token_bytes);
  }
  count_tensor(&file->output, &used->output, &result->output_products, &result->token_bytes);
}

static void
count_picture(const ModelEngine *engine, ModelBench *result)
{
  const ModelConfig *config = &engine->checkpoint.config;
  const ModelVisionConfig *c = &config->vision;
  uint64_t patches = engine->n_patches, rows = patches + 1, h = c->hidden;
  uint64_t block = 4 * h * h + 2 * h * c->ffn + 2 * rows * h; /* weights, then attention */
  uint64_t projector = h * config->decoder.hidden;

  if (config->projector == MODEL_PROJECTOR_MLP2X_GELU)
    projector += (uint64_t)config->decoder.hidden * config->decoder.hidden;
  result->picture_products = patches * 3 * c->patch_size * c->patch_size * h +
                             rows * block * c->blocks_run + patches * projector;
}

/* ---- ids alone ------------------------------------------------------------------------------ */

static int32_t
random_id(const ModelEngine *engine, ModelRandom *random)
{
  uint32_t n = engine->n_usable, first = n > 3 ? 3 : 0; /* not <unk>, <s> or </s> */

  return (int32_t)(first + model_random_next(random) % (n - first));
}

static bool
measure_prompt(Bench *b, ModelDecoder *decoder, ModelRandom *random, double *seconds)
{
  uint32_t n = b->options->prompt, done;
  ModelInput *inputs = calloc(n, sizeof *inputs);
  const ModelWatch watch = {0};
  double start = now();
  bool ok;

  if (!inputs)
    return model_fail(b->err, MODEL_ERROR_TOO_LARGE, "out of memory for %u ids", n);
  for (uint32_t i = 0; i < n; i++)
    inputs[i].id = random_id(b->engine, random);
  ok = model_decoder_feed(decoder, inputs, n, 0, &watch, &done, b->err);
  *seconds = now() - start;
  free(inputs);
  return ok;
}

/* Reads as many bytes of the weights as a few tokens' time allows, in the better of two ways. */
static void
read_weights(Bench *b)
{
  const ModelEngine *engine = b->engine;
  const uint64_t all = engine->packed_bytes, n = (all < MOST_READ ? all : MOST_READ) / 256 * 256;

  if (n == 0)
    return;
  if (b->read_s == 0) {
    const double told = model_stream_pass(engine->pool, engine->packed, n, MODEL_STREAM_AHEAD);
    const double plain = model_stream_pass(engine->pool, engine->packed, n, 0);
    b->ahead = told < plain ? MODEL_STREAM_AHEAD : 0;
  }
  b->read_s += model_stream_pass(engine->pool, engine->packed, n, b->ahead);
  b->read_bytes += (double)n;
}

/* The speed of a shared memory changes within seconds: reading is measured every few tokens. */
static bool
measure_decode(Bench *b, ModelDecoder *decoder, ModelRandom *random, double *seconds)
{
  const ModelWatch watch = {0};

  *seconds = 0;
  for (uint32_t i = 0; i < b->options->tokens; i++) {
    const int32_t id = random_id(b->engine, random);
    double start;

    if (b->options->read && i % READ_EVERY == 0)
      read_weights(b);
    start = now();
    if (!model_decoder_step(decoder, id, b->options->depth + i, &watch, b->err))
      return false;
    *seconds += now() - start;
  }
  return true;
}

static bool
measure_ids(Bench *b)
{
  const ModelBenchOptions *o = b->options;
  uint32_t context = o->prompt > o->depth + o->tokens ? o->prompt : o->depth + o->tokens;
  ModelDecoder decoder = {0};
  ModelRandom random;
  /* What lies at the depth is never computed: its numbers do not change the work. */
  bool ok = model_decoder_init(&decoder, b->engine, context, b->err);

  model_random_seed(&random, 1);
  for (uint32_t i = 0; ok && i < o->repeats; i++)
    ok = measure_prompt(b, &decoder, &random, &b->a[i]) && step_done(b, "prompt") &&
         measure_decode(b, &decoder, &random, &b->b[i]) && step_done(b, "decode");
  model_decoder_clear(&decoder);
  if (!ok)
    return false;
  b->result->prompt_s = model_median(b->a, o->repeats);
  b->result->decode_s = model_median(b->b, o->repeats);
  b->result->read_bytes_per_s = b->read_s > 0 ? b->read_bytes / b->read_s : 0;
  return true;
}

/* ---- a conversation -------------------------------------------------------------------------- */

/* Words until they make N tokens. Caller frees. */
static char *
make_question(Bench *b, uint32_t n)
{
  static const char *const words[] = {
      "describe", " the",   " lungs", ",",    " the", " heart", " and", " the",     " bones", " in",
      " this",    " image", ",",      " and", " say", " what",  " has", " changed", " since"};
  size_t most = 16u * (size_t)n + 16, at = 0;
  char *text = calloc(most, 1);
  ModelIds ids = {0};
  bool ok = text != NULL;

  for (size_t i = 0; ok && ids.n < n && at + 16 < most; i++) {
    at += (size_t)snprintf(text + at, most - at, "%s", words[i % (sizeof words / sizeof *words)]);
    model_ids_clear(&ids);
    ok = model_tokenize(b->engine, text, at, &ids, b->err);
  }
  model_ids_clear(&ids);
  if (!text)
    model_fail(b->err, MODEL_ERROR_TOO_LARGE, "out of memory for a question");
  if (!ok) {
    free(text);
    return NULL;
  }
  return text;
}

static bool
ask(Bench *b, ModelSession *session, const ModelImage *image, const char *question, uint32_t n,
    ModelTiming *timing)
{
  const ModelSampling sampling = {.top_p = 1, .max_tokens = n};
  ModelAnswer answer = {0};
  bool ok = model_session_ask(session, image, question, &sampling, NULL, &answer, b->err);

  *timing = answer.timing;
  model_answer_clear(&answer);
  return ok;
}

/* One picture, one question, one follow-up. */
static bool
converse(Bench *b, const char *question, uint32_t index, uint8_t *pixels)
{
  const ModelImage image = {PICTURE_SIDE, PICTURE_SIDE, 1, pixels};
  const ModelSessionOptions options = {.context = b->options->context};
  ModelSession *session = model_session_new(b->engine, &options, b->err);
  ModelTiming first = {0}, second = {0};
  ModelRandom random;
  bool ok = session != NULL;

  /* Another one each time: a known picture costs nothing. */
  model_random_seed(&random, index);
  for (size_t i = 0; i < (size_t)PICTURE_SIDE * PICTURE_SIDE; i++)
    pixels[i] = (uint8_t)model_random_next(&random);
  ok = ok && ask(b, session, b->options->image ? &image : NULL, question, ANSWER_TOKENS, &first) &&
       step_done(b, "first question") && ask(b, session, NULL, question, 1, &second) &&
       step_done(b, "follow-up");
  model_session_free(session);
  b->a[index] = first.image_s;
  b->b[index] = first.first_token_s;
  b->c[index] = second.first_token_s;
  b->result->first_positions = first.prompt_tokens;
  b->result->follow_up_positions = second.prompt_tokens;
  return ok;
}

static bool
measure_conversation(Bench *b)
{
  char *question = make_question(b, b->options->question);
  uint8_t *pixels = malloc((size_t)PICTURE_SIDE * PICTURE_SIDE);
  bool ok = question && (pixels || model_fail(b->err, MODEL_ERROR_TOO_LARGE, "out of memory"));

  for (uint32_t i = 0; ok && i < b->options->repeats; i++)
    ok = converse(b, question, i, pixels);
  free(question);
  free(pixels);
  if (!ok)
    return false;
  b->result->image_s = model_median(b->a, b->options->repeats);
  b->result->first_token_s = model_median(b->b, b->options->repeats);
  b->result->follow_up_first_token_s = model_median(b->c, b->options->repeats);
  return true;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool
check_options(const ModelEngine *engine, const ModelBenchOptions *o, ModelError *err)
{
  const ModelConfig *config = &engine->checkpoint.config;
  uint64_t context = config->decoder.context;

  if (o->prompt < 1 || o->tokens < 1 || o->question < 1 || o->repeats < 1 || o->repeats > 1000)
    return model_fail(err, MODEL_ERROR_ARGUMENT,
                      "%u ids, %u tokens, a question of %u and %u repeats: expected at least 1 of "
                      "each, and at most 1,000 repeats",
                      o->prompt, o->tokens, o->question, o->repeats);
  if (o->prompt > context || (uint64_t)o->depth + o->tokens > context)
    return model_fail(err, MODEL_ERROR_ARGUMENT,
                      "%u ids, and %u tokens after %u: more than the model's context of %llu",
                      o->prompt, o->tokens, o->depth, (unsigned long long)context);
  if (o->image && !config->has_vision)
    return model_fail(err, MODEL_ERROR_ARGUMENT, "%s: the model sees no pictures",
                      engine->checkpoint.path);
  return true;
}

bool
model_bench_run(ModelEngine *engine, const ModelBenchOptions *options, ModelBench *result,
                ModelError *err)
{
  Bench b = {.engine = engine, .options = options, .result = result, .err = err};
  bool ok;

  memset(result, 0, sizeof *result);
  if (!check_options(engine, options, err))
    return false;
  b.total = options->repeats * 4;
  b.a = calloc(3 * (size_t)options->repeats, sizeof *b.a);
  if (!b.a)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory");
  b.b = b.a + options->repeats;
  b.c = b.b + options->repeats;
  result->kernels = model_pool_kernels(engine->pool)->name;
  result->n_threads = model_pool_threads(engine->pool);
  count_decoder(engine, result);
  if (options->image)
    count_picture(engine, result);
  ok = measure_ids(&b) && measure_conversation(&b);
  free(b.a);
  return ok;
}
