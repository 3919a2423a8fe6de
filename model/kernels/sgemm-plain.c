/* sgemm-plain.c - float32 products for builds without OpenBLAS: 16 rows of w turned on their side in
 * the first cache, and 4 rows of x by them in registers. */
#include "kernels/sgemm.h"

#include <string.h>

#define WIDE 16u  /* rows of w at a time: the compiler's vectors run along them */
#define TALL 4u   /* rows of x at a time */
#define DEEP 256u /* columns at a time: the panel takes 16 KB */

/* y[rows of x][n] += x . panel. ROWS <= TALL, N <= WIDE. */
static void
multiply(const float *x, uint64_t x_stride, uint64_t rows, const float panel[DEEP][WIDE],
         uint64_t depth, float *y, uint64_t y_stride, uint64_t n)
{
  float sums[TALL][WIDE] = {{0}};

  for (uint64_t i = 0; i < rows; i++) {
    memcpy(sums[i], y + i * y_stride, n * sizeof *y);
  }
  if (rows == TALL) {
    for (uint64_t l = 0; l < depth; l++) {
      for (uint32_t i = 0; i < TALL; i++) {
        for (uint32_t j = 0; j < WIDE; j++) {
          sums[i][j] += x[i * x_stride + l] * panel[l][j];
        }
      }
    }
  } else {
    for (uint64_t i = 0; i < rows; i++) {
      for (uint64_t l = 0; l < depth; l++) {
        for (uint32_t j = 0; j < WIDE; j++) {
          sums[i][j] += x[i * x_stride + l] * panel[l][j];
        }
      }
    }
  }
  for (uint64_t i = 0; i < rows; i++) {
    memcpy(y + i * y_stride, sums[i], n * sizeof *y);
  }
}

void
model_sgemm(uint64_t m, uint64_t n, uint64_t k, const float *x, uint64_t x_stride, const float *w,
            uint64_t w_stride, float *y, uint64_t y_stride)
{
  float panel[DEEP][WIDE];

  for (uint64_t i = 0; i < m; i++) {
    memset(y + i * y_stride, 0, n * sizeof *y);
  }
  for (uint64_t row = 0; row < n; row += WIDE) {
    const uint64_t wide = n - row < WIDE ? n - row : WIDE;
    memset(panel, 0, sizeof panel);
    for (uint64_t l = 0; l < k; l += DEEP) {
      const uint64_t depth = k - l < DEEP ? k - l : DEEP;
      for (uint64_t j = 0; j < wide; j++) {
        for (uint64_t c = 0; c < depth; c++) {
          panel[c][j] = w[(row + j) * w_stride + l + c];
        }
      }
      for (uint64_t i = 0; i < m; i += TALL) {
        multiply(x + i * x_stride + l, x_stride, m - i < TALL ? m - i : TALL,
                 (const float(*)[WIDE])panel, depth, y + i * y_stride + row, y_stride, wide);
      }
    }
  }
}
