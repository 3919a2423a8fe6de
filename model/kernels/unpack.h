/* unpack.h - the values inside packed units, plainly: for the portable kernel, for reading rows
 * back, and as the statement of the layouts in code. Private to model/kernels and its tests. */
#ifndef HILUM_MODEL_UNPACK_H
#define HILUM_MODEL_UNPACK_H

#include "kernels/packed.h"

/* 32 columns of 16 rows. */
typedef struct {
  uint8_t u[8][16][4]; /* [4 columns each][row][column] */
  float scale[2][16];  /* of columns 0-15 and 16-31: d, d * sc; equal but for Q6_K */
  float dmin[16];      /* of the whole unit; 0 where there is none */
  uint8_t m[16];       /* minimum's factor */
  int32_t zero;        /* w = scale * (u - zero) - dmin * m */
} ModelBlock;

/* Block B of the unit at UNIT. */
void model_unpack_block(ModelType packed, const uint8_t *unit, uint32_t b, ModelBlock *block);

#endif
