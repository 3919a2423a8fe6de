/* cross.h - the parts of model-cross. */
#ifndef HILUM_TESTS_CROSS_H
#define HILUM_TESTS_CROSS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"

/* Says WHAT, with two numbers, and ends the program. */
void cross_fail(const char *what, uint64_t a, uint64_t b);
/* N bytes of zeros, 64-byte aligned; free(). */
void *cross_aligned(uint64_t n);
/* In -1 .. 1; EXTREME: infinities, numbers that are none, large, tiny and zero among them. */
void cross_fill(ModelRandom *random, float *x, uint64_t n, bool extreme);
/* The same bits, any NaN like another. */
void cross_compare(const float *a, const float *b, uint64_t n, const char *kernels);

/* Attention and vectors by every float kernel beside the portable one. How many comparisons. */
uint64_t cross_floats(ModelRandom *random);

#endif
