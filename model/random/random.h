/* random.h - models of well-known sizes with random weights, for measuring without any download.
 * Private to model/random; what others call is in model_bench.h. */
#ifndef HILUM_MODEL_RANDOM_H
#define HILUM_MODEL_RANDOM_H

#include "base/random.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/output.h"
#include "model_bench.h"

/* NULL when there is no shape of this name. Static. */
const ModelConfig *model_shape_find(const char *name);

/* A vocabulary of our own making for CONFIG: <unk>, <s>, </s>, the 256 bytes, printable ASCII, and
 * then pairs and triples of letters, each with and without the blank before it, until there are
 * enough. Every piece can be merged from two others. The image tokens of v1.0 stand behind. */
bool model_random_vocabulary(const ModelConfig *config, ModelVocabulary *vocabulary,
                             ModelError *err);

/* model_random_write() through other system calls (NULL: the system's). */
bool model_random_write_with(const ModelRandomOptions *options, const char *out,
                             const ModelFileOps *ops, ModelError *err);

/* What a tensor's values are like: normal around MEAN. */
typedef struct {
  double mean, deviation;
} ModelSpread;

/* Draws N values as rows of TYPE into OUT; N is a whole number of blocks. Floats are normal (the
 * sum of four uniform numbers). Quantised blocks are drawn as they are stored: valid scales around
 * DEVIATION, uniform quants; so they have the right mean square, but are uniform within a block.
 * MEAN is for floats only. TYPE: one that model_mix_type() gives. */
void model_random_values(ModelRandom *random, ModelType type, ModelSpread spread, uint64_t n,
                         uint8_t *out);

#endif
