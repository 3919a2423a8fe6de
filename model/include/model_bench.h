/* model_bench.h - what measures: models with random weights, the machine's limits, a model's speed.
 *
 * Errors and threads as in model.h. */
#ifndef HILUM_MODEL_BENCH_H
#define HILUM_MODEL_BENCH_H

#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- models with random weights ----------------------------------------------------------- */

/* Name of shape INDEX ("llava-med-v1.5", "tinyllama", ...); NULL past the last. Static. */
const char *model_random_shape(uint32_t index);

typedef enum {
  MODEL_RANDOM_WHOLE,   /* our single file */
  MODEL_RANDOM_DECODER, /* of the pair that llama.cpp reads: the decoder, */
  MODEL_RANDOM_TOWER,   /* or tower and projector ("mmproj") */
} ModelRandomPart;

typedef struct {
  const char *shape;      /* of model_random_shape() */
  const char *type;       /* as in model_convert() */
  const char *tower_type; /* as there */
  uint64_t seed;
  ModelRandomPart part;
  ModelConvertProgress progress; /* may be NULL */
  void *user;
} ModelRandomOptions;

/* Writes a model of a well-known shape with random weights as GGUF at OUT, for benchmarks and tests
 * of memory that need no download. The parts have the weights of the whole with the same seed.
 * Floats are normal; quantised blocks are drawn as they are stored, valid and with the right mean
 * square. Activations stay near 1. The same options give the same bytes on every machine.
 * Streamed: takes a few MiB of memory. The room on the disk is checked first; written aside,
 * synced, renamed: on error OUT is untouched and nothing is left beside it. */
bool model_random_write(const ModelRandomOptions *options, const char *out, ModelError *err);

/* ---- the machine -------------------------------------------------------------------------- */

typedef struct {
  uint32_t n_threads;
  double read_bytes_per_s; /* streaming, in one order, all threads */
  /* Multiplications and additions, counted apart, all threads; 0 and NULL without such an
   * instruction. Names are static: "vpdpbusd 512". */
  double int8_ops_per_s, bf16_ops_per_s, f32_ops_per_s;
  const char *int8_name, *bf16_name, *f32_name;
} ModelMachine;

/* Measures what this machine could give to N_THREADS (0: one per core): reads a buffer of
 * BUFFER_BYTES (huge pages where the system has them; less when memory is short), and computes for
 * SECONDS each. Medians of five. SECONDS 0: reading alone. */
bool model_machine_measure(uint32_t n_threads, uint64_t buffer_bytes, double seconds,
                           ModelMachine *machine, ModelError *err);

/* ---- a model's speed ------------------------------------------------------------------------ */

typedef struct {
  uint32_t prompt;   /* random ids that are run as one prompt */
  uint32_t tokens;   /* tokens that are decoded one by one, */
  uint32_t depth;    /* after so many positions */
  uint32_t question; /* tokens of the questions, about */
  bool image;        /* the first question has a picture */
  uint32_t context;  /* positions of the conversation; 0: as sessions have by default */
  uint32_t repeats;
  bool read; /* the memory's speed is measured between the tokens */
  /* After each measurement; false cancels. May be NULL. */
  bool (*progress)(const char *what, uint32_t done, uint32_t total, void *user);
  void *user;
} ModelBenchOptions;

/* Medians of the repeats. */
typedef struct {
  double prompt_s, decode_s; /* all ids of the prompt; all tokens */
  /* Streaming the packed weights, measured between the tokens; 0: there are none. */
  double read_bytes_per_s;
  double image_s;       /* preparing and encoding */
  double first_token_s; /* from the first question, with the picture, to its first token */
  double follow_up_first_token_s;
  uint32_t first_positions, follow_up_positions; /* that these two computed */
  /* The work: products of one position in the layers, of one row of logits, of a picture; bytes of
   * the weights that a decoded token reads. */
  uint64_t layer_products, output_products, picture_products, token_bytes;
  const char *kernels; /* static */
  uint32_t n_threads;
} ModelBench;

/* Measures ENGINE, which nobody else uses meanwhile. */
bool model_bench_run(ModelEngine *engine, const ModelBenchOptions *options, ModelBench *result,
                     ModelError *err);

/* The median of N values, which are sorted; 0 of none. */
double model_median(double *values, uint32_t n);

/* ---- how near two models are ---------------------------------------------------------------- */

typedef struct ModelComparison ModelComparison;

/* Over all positions that were added. */
typedef struct {
  uint32_t window;
  uint64_t positions;
  /* Kullback-Leibler divergence of B's distribution of the next token from A's, in nats. */
  double mean_divergence, median_divergence, p99_divergence, largest_divergence;
  double agreement; /* how often both find the same token the likeliest */
  double perplexity_a, perplexity_b;
} ModelCompared;

/* Compares B with A, the reference; both are borrowed, and may be one. WINDOW: positions that a
 * text is cut into, each window beginning a text of its own. ARGUMENT when the vocabularies
 * differ.
 * 0: 512, or the context of the models where that is less. */
ModelComparison *model_comparison_new(ModelEngine *a, ModelEngine *b, uint32_t window,
                                      ModelError *err);
void model_comparison_free(ModelComparison *comparison); /* NULL: nothing */
/* Gives both TEXT (UTF-8), token by token, whatever they would say themselves. */
bool model_comparison_add(ModelComparison *comparison, const char *text, size_t length,
                          ModelError *err);
void model_comparison_result(ModelComparison *comparison, ModelCompared *result);

#ifdef __cplusplus
}
#endif
#endif
