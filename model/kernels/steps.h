/* steps.h - the end of a kernel that is made from one body: its functions for each type, and the
 * product. Wants TARGET, MOST_DIRECT(type), expand() and tile(). Private to such kernels. */
#define STEPS(TYPE, type)                                                                          \
  static TARGET void expand_##type(const uint8_t *unit, uint8_t *expanded)                         \
  {                                                                                                \
    expand(TYPE, unit, expanded);                                                                  \
  }                                                                                                \
  static TARGET void packed_##type(const uint8_t *units, uint64_t n, const ModelTileView *x,       \
                                   float *acc)                                                     \
  {                                                                                                \
    tile((Source){TYPE, false}, units, n, x, acc);                                                 \
  }                                                                                                \
  static TARGET void expanded_##type(const uint8_t *units, uint64_t n, const ModelTileView *x,     \
                                     float *acc)                                                   \
  {                                                                                                \
    tile((Source){TYPE, true}, units, n, x, acc);                                                  \
  }

STEPS(Q8_0, q8_0)
STEPS(Q4_0, q4_0)
STEPS(Q4_K, q4_k)
STEPS(Q5_K, q5_k)
STEPS(Q6_K, q6_k)

static const ModelSweep sweeps[] = {
    {MODEL_TYPE_PACKED_Q8_0, 18 * LINE, MOST_DIRECT(Q8_0), expand_q8_0, packed_q8_0, expanded_q8_0},
    {MODEL_TYPE_PACKED_Q4_0, 18 * LINE, MOST_DIRECT(Q4_0), expand_q4_0, packed_q4_0, expanded_q4_0},
    {MODEL_TYPE_PACKED_Q4_K, 77 * LINE, MOST_DIRECT(Q4_K), expand_q4_k, packed_q4_k, expanded_q4_k},
    {MODEL_TYPE_PACKED_Q5_K, 77 * LINE, MOST_DIRECT(Q5_K), expand_q5_k, packed_q5_k, expanded_q5_k},
    {MODEL_TYPE_PACKED_Q6_K, 80 * LINE, MOST_DIRECT(Q6_K), expand_q6_k, packed_q6_k, expanded_q6_k},
};

static void
product(const ModelTensor *w, uint64_t first, uint64_t n, const ModelActivations *x,
        const float *bias, float *y, uint64_t y_stride, uint8_t *scratch)
{
  for (size_t i = 0; i < sizeof sweeps / sizeof *sweeps; i++) {
    if (sweeps[i].type == w->type) {
      model_sweep(&sweeps[i], w, first, n, x, bias, y, y_stride, scratch);
    }
  }
}
