/* model-cross.c - the model room on another processor, where GLib is not at hand.
 *
 * "twins": every kernel of this machine beside the portable one, bit by bit, and float32 products
 * beside double. "ids GGUF [MMPROJ]": greedy ids of two questions, one of them to a picture, with
 * the weights as float32, then packed for each kernel; a line each, to compare machines by.
 *
 * Exit status 1 after a message when something is wrong. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/half.h"
#include "cross.h"
#include "engine/engine.h"
#include "kernels/packed.h"
#include "kernels/sgemm.h"

void
cross_fail(const char *what, uint64_t a, uint64_t b)
{
  fprintf(stderr, "model-cross: %s (%" PRIu64 ", %" PRIu64 ")\n", what, a, b);
  exit(1);
}

void *
cross_aligned(uint64_t n)
{
  void *p = aligned_alloc(64, (n + 127) / 64 * 64);

  if (!p) {
    cross_fail("out of memory", n, 0);
  }
  memset(p, 0, (n + 127) / 64 * 64);
  return p;
}

/* In -1 .. 1. */
static float
random_float(ModelRandom *random)
{
  return (float)((double)(model_random_next(random) >> 11) * 0x1p-52 - 1);
}

/* Random units: any bytes, but for the 16-bit scales, which stay finite (some are 0). EXTREME:
 * bytes of ones or of zeros. */
static void
fill_weights(ModelRandom *random, ModelType type, uint8_t *data, uint64_t n, bool extreme)
{
  const uint32_t unit = model_packed_unit_bytes(type);

  for (uint64_t i = 0; i < n; i++) {
    data[i] = (uint8_t)model_random_next(random);
  }
  for (uint64_t at = 0; at < n; at += unit) {
    const uint64_t kind = extreme ? model_random_next(random) % 3 : 0;
    if (kind > 0) {
      memset(data + at, kind == 1 ? 0xFF : 0, unit);
    }
    for (uint32_t i = 0; i < 32; i++) {
      const uint64_t r = model_random_next(random);
      const uint16_t h = (uint16_t)((r & 0x83FFu) | (r >> 32) % 20 << 10);
      model_store16(data + at + 2 * i, r >> 60 == 0 ? 0 : h);
    }
  }
}

void
cross_fill(ModelRandom *random, float *x, uint64_t n, bool extreme)
{
  for (uint64_t i = 0; i < n; i++) {
    x[i] = random_float(random);
    if (extreme && i % 32 == 0) {
      const float odd[] = {x[i], NAN, INFINITY, 1e30f, 1e-42f, 0};
      x[i] = odd[model_random_next(random) % 40 < 6 ? model_random_next(random) % 6 : 0];
    }
    if (extreme && i / 64 % 7 == 0) {
      x[i] = i / 64 % 2 ? 0 : x[i] < 0 ? -1.0f : 1.0f;
    }
  }
}

void
cross_compare(const float *a, const float *b, uint64_t n, const char *kernels)
{
  for (uint64_t i = 0; i < n; i++) {
    if (model_float_to_bits(a[i]) != model_float_to_bits(b[i]) && !(isnan(a[i]) && isnan(b[i]))) {
      fprintf(stderr, "model-cross: %s: %.9g, expected %.9g\n", kernels, (double)a[i],
              (double)b[i]);
      cross_fail("kernels differ at", i, n);
    }
  }
}

static void
compare_activations(const ModelActivations *a, const ModelActivations *b, const char *kernels)
{
  const uint64_t n = a->m * a->columns;

  if (memcmp(a->q, b->q, n) != 0 ||
      (a->block == 32 ? memcmp(a->sums, b->sums, n / 32 * 4) != 0
                      : memcmp(a->sums16, b->sums16, n / 16 * 4) != 0 ||
                            memcmp(a->pairs, b->pairs, n / 32 * 2) != 0)) {
    fprintf(stderr, "model-cross: %s\n", kernels);
    cross_fail("quantised activations differ", a->m, a->columns);
  }
  cross_compare(a->d, b->d, n / a->block, kernels);
}

static void
twins_of(ModelRandom *random, ModelType type, uint64_t rows, uint64_t columns, uint64_t m,
         bool extreme)
{
  const uint64_t bytes = model_packed_bytes(type, rows, columns), groups = (rows + 15) / 16;
  const ModelTensor w = {.name = "random",
                         .data = cross_aligned(bytes),
                         .n_bytes = bytes,
                         .n_dims = 2,
                         .shape = {rows, columns},
                         .type = type};
  float *x = cross_aligned(m * columns * 4), *bias = cross_aligned(rows * 4);
  float *expected = cross_aligned(m * rows * 4), *found = cross_aligned(m * rows * 4);
  uint8_t *scratch = cross_aligned(MODEL_KERNEL_SCRATCH);
  uint8_t *memory[2] = {cross_aligned(model_activations_bytes(m, columns)),
                        cross_aligned(model_activations_bytes(m, columns))};
  const ModelKernels *kernels, *plain = &model_kernels_portable;
  ModelActivations right, mine;

  fill_weights(random, type, (uint8_t *)w.data, bytes, extreme);
  cross_fill(random, x, m * columns, extreme);
  cross_fill(random, bias, rows, false);
  model_activations_place(&right, m, columns, model_activation_block(type), memory[0]);
  plain->quantize(&right, x, columns, columns, 0, (m + MODEL_TILE - 1) / MODEL_TILE);
  plain->product(&w, 0, groups, &right, bias, expected, rows, scratch);
  for (uint32_t i = 0; (kernels = model_kernels_at(i)) != NULL; i++) {
    model_activations_place(&mine, m, columns, model_activation_block(type), memory[1]);
    kernels->quantize(&mine, x, columns, columns, 0, (m + MODEL_TILE - 1) / MODEL_TILE);
    compare_activations(&mine, &right, kernels->name);
    memset(found, 0, m * rows * 4);
    kernels->product(&w, 0, groups / 2, &mine, bias, found, rows, scratch);
    kernels->product(&w, groups / 2, groups - groups / 2, &mine, bias, found, rows, scratch);
    cross_compare(found, expected, m * rows, kernels->name);
  }
  free((void *)w.data);
  free(x);
  free(bias);
  free(expected);
  free(found);
  free(scratch);
  free(memory[0]);
  free(memory[1]);
}

static void
check_sgemm(ModelRandom *random, uint64_t m, uint64_t n, uint64_t k)
{
  const uint64_t xs = k + 1, ws = k + 2, ys = n + 3;
  float *x = cross_aligned(m * xs * 4), *w = cross_aligned(n * ws * 4),
        *y = cross_aligned(m * ys * 4);

  cross_fill(random, x, m * xs, false);
  cross_fill(random, w, n * ws, false);
  model_sgemm(m, n, k, x, xs, w, ws, y, ys);
  for (uint64_t i = 0; i < m; i++) {
    for (uint64_t j = 0; j < n; j++) {
      double sum = 0;
      for (uint64_t l = 0; l < k; l++) {
        sum += (double)x[i * xs + l] * w[j * ws + l];
      }
      /* k roundings of numbers below k, at 2^-24 each, at the very worst. */
      if (!(fabs(sum - y[i * ys + j]) <= (double)(k * k) * 0x1p-24)) {
        cross_fail("a float32 product is wrong at", i, j);
      }
    }
    if (y[i * ys + n] != 0) {
      cross_fail("a float32 product writes past its row", i, n);
    }
  }
  free(x);
  free(w);
  free(y);
}

static void
twins(void)
{
  static const ModelType types[] = {MODEL_TYPE_PACKED_Q8_0, MODEL_TYPE_PACKED_Q4_0,
                                    MODEL_TYPE_PACKED_Q4_K, MODEL_TYPE_PACKED_Q5_K,
                                    MODEL_TYPE_PACKED_Q6_K};
  static const uint64_t batches[] = {1, 2, 3, 4, 5, 6, 7, 11, 24, 49};
  ModelRandom random;
  const ModelKernels *kernels;
  uint64_t n = 0;

  model_random_seed(&random, 1);
  for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
      const uint64_t rows = 1 + model_random_next(&random) % 90;
      const uint64_t blocks = 1 + model_random_next(&random) % 5;
      const uint64_t columns = model_activation_block(types[t]) * blocks;
      twins_of(&random, types[t], rows, columns, batches[b], false);
      twins_of(&random, types[t], rows, columns, batches[b], true);
      n += 2;
    }
  }
  check_sgemm(&random, 1, 1, 1);
  check_sgemm(&random, 3, 17, 300);
  check_sgemm(&random, 9, 32, 256);
  check_sgemm(&random, 4, 5, 513);
  printf("kernels:");
  for (uint32_t i = 0; (kernels = model_kernels_at(i)) != NULL; i++) {
    printf(" %s", kernels->name);
  }
  printf("\n%" PRIu64 " products and quantised batches by each: same bits\n", n);
  printf("%" PRIu64 " comparisons of attention and vectors: same bits\n", cross_floats(&random));
}

/* ---- ids ----------------------------------------------------------------------------------- */

/* Two machines add up float32 numbers in different orders, and a number that lies in the middle of
 * two 8-bit ones may go either way: a choice between two ids closer than this says nothing. */
#define CLOSE 0.1f
#define MOST_IDS 10

/* The best of N logits, or -1 when another is close. */
static int32_t
clear_best(const float *logits, uint32_t n)
{
  uint32_t best = 0;
  float second = -INFINITY;

  for (uint32_t i = 1; i < n; i++) {
    if (logits[i] > logits[best]) {
      second = logits[best];
      best = i;
    } else if (logits[i] > second) {
      second = logits[i];
    }
  }
  return logits[best] - second > CLOSE ? (int32_t)best : -1;
}

static bool
print_ids(const ModelEngine *engine, const ModelTrace *trace, ModelError *err)
{
  ModelSpan span = {.ids = trace->ids.ids, .n = trace->ids.n, .rows = trace->projected};
  ModelDecoder decoder = {0};
  bool ok = model_decoder_init(&decoder, engine, trace->n_positions + MOST_IDS, err) &&
            model_decoder_run(&decoder, &span, 0, NULL, err);

  for (uint32_t i = 0; i < MOST_IDS && ok; i++) {
    const int32_t id = clear_best(decoder.logits, engine->n_usable);
    if (id < 0) {
      break;
    }
    printf(" %" PRId32, id);
    ok = model_decoder_step(&decoder, id, trace->n_positions + i, NULL, err);
  }
  printf("\n");
  model_decoder_clear(&decoder);
  return ok;
}

static void
ids_of(const char *path, const char *mmproj, const char *kernels, bool packed)
{
  static const char *const questions[] = {"What does the picture show?", "Once upon a time"};
  const ModelEngineOptions options = {.mmproj = mmproj, .n_threads = 2, .kernels = kernels};
  ModelCheckpoint checkpoint;
  ModelError err = {0};
  ModelEngine *engine = NULL;
  uint8_t pixels[61 * 47];
  const ModelImage image = {61, 47, 1, pixels};
  bool ok;

  for (uint32_t i = 0; i < sizeof pixels; i++) {
    pixels[i] = (uint8_t)(i % 61 * 4 + i / 61 * 2 % 13);
  }
  if (model_checkpoint_open(path, &options, &checkpoint, &err)) {
    engine = model_engine_new(&checkpoint, &options, packed ? 0 : MODEL_ARENA_BYTES, &err);
  }
  ok = engine != NULL;
  for (size_t q = 0; q < sizeof questions / sizeof *questions && ok; q++) {
    const bool sees = model_engine_info(engine)->has_vision && q == 0;
    ModelTrace trace = {0};
    char prompt[128];
    snprintf(prompt, sizeof prompt, "%s%s", sees ? "<image>\n" : "", questions[q]);
    printf("%s %zu:", packed ? "packed" : "float32", q);
    ok = model_trace(engine, sees ? &image : NULL, prompt, 1, &trace, &err) &&
         print_ids(engine, &trace, &err);
    model_trace_clear(&trace);
  }
  model_engine_free(engine);
  if (!ok) {
    fprintf(stderr, "model-cross: %s\n", err.message);
    exit(1);
  }
}

int
main(int argc, char **argv)
{
  const ModelKernels *kernels;

  if (argc == 2 && strcmp(argv[1], "twins") == 0) {
    twins();
    return 0;
  }
  if ((argc == 3 || argc == 4) && strcmp(argv[1], "ids") == 0) {
    const char *mmproj = argc == 4 ? argv[3] : NULL;
    ids_of(argv[2], mmproj, NULL, false);
    for (uint32_t i = 0; (kernels = model_kernels_at(i)) != NULL; i++) {
      ids_of(argv[2], mmproj, kernels->name, true);
    }
    return 0;
  }
  fprintf(stderr, "usage: model-cross twins | ids GGUF [MMPROJ]\n");
  return 2;
}
