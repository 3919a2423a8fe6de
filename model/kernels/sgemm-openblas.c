/* sgemm-openblas.c - OpenBLAS, on the caller's thread. */
#include "kernels/sgemm.h"

#include <cblas.h>

/* OpenBLAS ends its threads by this, before a fork. Weak: builds of it without threads have none.
 */
int blas_thread_shutdown_(void) __attribute__((weak));

/* OpenBLAS starts a thread for each core when the program is loaded, whatever the program is for,
 * and each of them turns in circles for some milliseconds before it sleeps. None is ever needed:
 * our blocks are the unit of work, and a second layer of threads would only fight with them. */
__attribute__((constructor)) static void
stop_blas_threads(void)
{
  openblas_set_num_threads(1);
  if (blas_thread_shutdown_) {
    blas_thread_shutdown_();
  }
}

void
model_sgemm(uint64_t m, uint64_t n, uint64_t k, const float *x, uint64_t x_stride, const float *w,
            uint64_t w_stride, float *y, uint64_t y_stride)
{
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m, (int)n, (int)k, 1.0f, x,
              (int)x_stride, w, (int)w_stride, 0.0f, y, (int)y_stride);
}
