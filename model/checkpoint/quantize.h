/* quantize.h - float32 rows to the types that files are written in. Private to model/.
 *
 * The result depends on the row and the importance alone: rows may be split among any number of
 * threads. No allocation, no state. */
#ifndef HILUM_MODEL_CHECKPOINT_QUANTIZE_H
#define HILUM_MODEL_CHECKPOINT_QUANTIZE_H

#include "checkpoint/checkpoint.h"

/* F32, F16, BF16, Q4_0, Q5_0, Q8_0, Q4_K, Q5_K, Q6_K. */
bool model_type_is_written(ModelType type);
/* The largest magnitude that a type which is written can hold. */
float model_type_largest(ModelType type);

/* Quantises in[n_rows][n_columns] to OUT (n_rows * model_type_row_bytes()). IMPORTANCE[n_columns]
 * weighs the squared error of each column (mean squares of what the product's input holds there,
 * never negative); NULL: all alike. Values are finite and not beyond model_type_largest(). */
void model_quantize_rows(ModelType type, const float *in, uint64_t n_rows, uint64_t n_columns,
                         const float *importance, uint8_t *out);

/* The same with "plain", "avx2" or "avx512" INSTRUCTIONS, which all give the same bytes; NULL: the
 * best. False when this processor has none of that name. */
bool model_quantize_rows_with(const char *instructions, ModelType type, const float *in,
                              uint64_t n_rows, uint64_t n_columns, const float *importance,
                              uint8_t *out);

/* ---- behind it ---------------------------------------------------------------------------- */

/* Weights of columns: columns[i] * scale, 1 on average. */
typedef struct {
  const float *columns; /* NULL: all 1 */
  float scale;
} ModelColumnWeights;

/* N values of one row from its beginning, a whole number of blocks of a type that is no float's. */
typedef void ModelQuantizeBlocks(ModelType type, const float *in, const ModelColumnWeights *weights,
                                 uint64_t n, uint8_t *out);
ModelQuantizeBlocks model_quantize_blocks_plain, model_quantize_blocks_avx2,
    model_quantize_blocks_avx512;

#endif
