/* Which type each tensor of a mix gets. */
#include "checkpoint/mix.h"

#include <glib.h>

static ModelType
type_of(ModelMix mix, const char *name, guint64 columns, gboolean tied)
{
  guint64 shape[2] = {7, columns};

  return model_mix_type(mix, name, 2, shape, 32, tied);
}

static void
test_mix_names(void)
{
  ModelMix mix = MODEL_MIX_F32;

  for (guint i = 0; i < MODEL_N_MIXES; i++) {
    g_assert_true(model_mix_parse(model_mix_name((ModelMix)i), &mix));
    g_assert_cmpint(mix, ==, i);
  }
  g_assert_null(model_mix_name(MODEL_N_MIXES));
  g_assert_true(model_mix_parse("Q4_K_M", &mix));
  g_assert_cmpint(mix, ==, MODEL_MIX_Q4_K_M);
  g_assert_cmpuint(model_mix_file_type(mix), ==, 15);
  g_assert_false(model_mix_parse("q4_k", &mix));
  g_assert_false(model_mix_parse("", &mix));
}

/* The layers of a 32-layer model whose attn_v and ffn_down llama.cpp writes as Q6_K: the first and
 * last four, and every third between. */
static void
test_mix_q4_k_m(void)
{
  static const guint more[] = {0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31};
  guint n = 0;

  for (guint layer = 0; layer < 32; layer++) {
    g_autofree char *v = g_strdup_printf("blk.%u.attn_v.weight", layer);
    g_autofree char *down = g_strdup_printf("blk.%u.ffn_down.weight", layer);
    g_autofree char *up = g_strdup_printf("blk.%u.ffn_up.weight", layer);
    gboolean is_more = n < G_N_ELEMENTS(more) && more[n] == layer;
    ModelType expected = is_more ? MODEL_TYPE_Q6_K : MODEL_TYPE_Q4_K;
    g_assert_cmpint(type_of(MODEL_MIX_Q4_K_M, v, 4096, FALSE), ==, expected);
    g_assert_cmpint(type_of(MODEL_MIX_Q4_K_M, down, 14336, FALSE), ==, expected);
    g_assert_cmpint(type_of(MODEL_MIX_Q4_K_M, up, 4096, FALSE), ==, MODEL_TYPE_Q4_K);
    g_assert_cmpint(type_of(MODEL_MIX_Q4_0, v, 4096, FALSE), ==, MODEL_TYPE_Q4_0);
    n += is_more;
  }
  g_assert_cmpuint(n, ==, G_N_ELEMENTS(more));
}

static void
test_mix_others(void)
{
  guint64 patches[4] = {1024, 3, 14, 14}, vector[1] = {4096};

  g_assert_cmpint(type_of(MODEL_MIX_Q4_K_M, "output.weight", 4096, FALSE), ==, MODEL_TYPE_Q6_K);
  g_assert_cmpint(type_of(MODEL_MIX_Q4_0, "output.weight", 4096, FALSE), ==, MODEL_TYPE_Q6_K);
  g_assert_cmpint(type_of(MODEL_MIX_Q8_0, "output.weight", 4096, FALSE), ==, MODEL_TYPE_Q8_0);
  g_assert_cmpint(type_of(MODEL_MIX_Q4_K_M, "token_embd.weight", 4096, FALSE), ==, MODEL_TYPE_Q4_K);
  g_assert_cmpint(type_of(MODEL_MIX_Q4_K_M, "token_embd.weight", 4096, TRUE), ==, MODEL_TYPE_Q6_K);
  /* Rows that do not divide. */
  g_assert_cmpint(type_of(MODEL_MIX_Q4_K_M, "blk.5.attn_q.weight", 288, FALSE), ==,
                  MODEL_TYPE_Q8_0);
  g_assert_cmpint(type_of(MODEL_MIX_Q4_0, "blk.5.attn_q.weight", 288, FALSE), ==, MODEL_TYPE_Q4_0);
  g_assert_cmpint(type_of(MODEL_MIX_Q4_0, "output.weight", 288, FALSE), ==, MODEL_TYPE_Q8_0);
  g_assert_cmpint(type_of(MODEL_MIX_Q4_K_M, "blk.5.attn_q.weight", 40, FALSE), ==, MODEL_TYPE_F16);
  g_assert_cmpint(type_of(MODEL_MIX_BF16, "blk.5.attn_q.weight", 40, FALSE), ==, MODEL_TYPE_BF16);
  /* The tower and projector, even where a block has the decoder's ending. */
  g_assert_cmpint(type_of(MODEL_MIX_Q4_K_M, "v.blk.0.attn_v.weight", 1024, FALSE), ==,
                  MODEL_TYPE_Q8_0);
  g_assert_cmpint(type_of(MODEL_MIX_Q4_0, "mm.2.weight", 4096, FALSE), ==, MODEL_TYPE_Q8_0);
  g_assert_cmpint(type_of(MODEL_MIX_Q8_0, "v.position_embd.weight", 1024, FALSE), ==,
                  MODEL_TYPE_F32);
  g_assert_cmpint(model_mix_type(MODEL_MIX_Q8_0, "v.patch_embd.weight", 4, patches, 32, FALSE), ==,
                  MODEL_TYPE_F16);
  g_assert_cmpint(model_mix_type(MODEL_MIX_F32, "v.patch_embd.weight", 4, patches, 32, FALSE), ==,
                  MODEL_TYPE_F32);
  g_assert_cmpint(model_mix_type(MODEL_MIX_Q4_0, "output_norm.weight", 1, vector, 32, FALSE), ==,
                  MODEL_TYPE_F32);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/mix/names", test_mix_names);
  g_test_add_func("/mix/q4_k_m", test_mix_q4_k_m);
  g_test_add_func("/mix/others", test_mix_others);
  return g_test_run();
}
