/* test-clip.c - CLIP pairs: both towers beside transformers' and timm's numbers, and what is
 * refused. */
#include "clip-open.h"
#include "torch-fixture.h"

/* ---- features -------------------------------------------------------------------------------- */

/* The references are doubles; float32 through two blocks leaves 4e-7 of numbers around 1. */
static void
assert_near(const float *found, const double *expected, double atol)
{
  double worst = 0;

  for (guint i = 0; i < CLIP_WIDTH; i++) {
    worst = MAX(worst, fabs(found[i] - expected[i]) / (1 + fabs(expected[i])));
  }
  g_test_message("worst difference %.2g", worst);
  g_assert_cmpfloat(worst, <, atol);
}

static void
check_open_features(const ModelClip *clip, const GoldenText *texts, guint n,
                    const double (*pictures)[24], double atol, gboolean half)
{
  static const char *const names[] = {"pixels1", "pixels2"};
  float out[CLIP_WIDTH], pixels[3 * CLIP_SIDE * CLIP_SIDE];
  ModelClipInfo info;
  ModelError err = {0};

  for (guint i = 0; i < n; i++) {
    gsize length = 0;
    while (texts[i].ids[length] >= 0) {
      length++;
    }
    g_assert_true(model_clip_encode_ids(clip, texts[i].ids, length, out, &err));
    assert_near(out, texts[i].features, atol);
  }
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    for (guint k = 0; k < G_N_ELEMENTS(pixels); k++) {
      pixels[k] = clip_value(names[i], k, FALSE) * 4;
    }
    g_assert_true(model_clip_encode_pixels(clip, pixels, out, &err));
    assert_near(out, pictures[i], atol);
  }
  model_clip_info(clip, &info);
  g_assert_cmpuint(info.width, ==, CLIP_WIDTH);
  g_assert_cmpuint(info.image_size, ==, CLIP_SIDE);
  /* In bfloat16 the logarithm of the scale is 2.65625. */
  g_assert_cmpfloat_with_epsilon(info.scale, half ? 14.2429 : 14.285714, 1e-3);
}

static void
check_features(ClipKind kind, const GoldenText *texts, guint n, const double (*pictures)[24],
               double atol, gboolean half)
{
  g_autofree char *folder = make(kind, half, NULL);
  ModelClip *clip = open_clip(folder, 2);

  check_open_features(clip, texts, n, pictures, atol, half);
  model_clip_free(clip);
  remove_tree(folder);
}

static void
test_features(void)
{
  check_features(CLIP_QUICK, quick_texts, G_N_ELEMENTS(quick_texts), quick_pictures, 5e-6, FALSE);
  check_features(CLIP_GELU, gelu_texts, G_N_ELEMENTS(gelu_texts), gelu_pictures, 5e-6, FALSE);
  check_features(CLIP_OPENAI, quick_texts, G_N_ELEMENTS(quick_texts), quick_pictures, 5e-6, FALSE);
  check_features(CLIP_BIOMED, biomed_texts, G_N_ELEMENTS(biomed_texts), biomed_pictures, 5e-6,
                 FALSE);
}

/* As torch.save() writes them, which is how BiomedCLIP comes. */
static void
test_torch(void)
{
  g_autofree char *quick = make(CLIP_QUICK, FALSE, NULL), *biomed = make(CLIP_BIOMED, FALSE, NULL);
  g_autofree char *model = g_build_filename(quick, "model.safetensors", NULL);
  g_autofree char *open_clip_model = g_build_filename(biomed, "open_clip_model.safetensors", NULL);
  ModelClip *clip;

  torch_from_safetensors(quick, "model.safetensors", "pytorch_model.bin", FALSE);
  torch_from_safetensors(biomed, "open_clip_model.safetensors", "open_clip_pytorch_model.bin",
                         FALSE);
  g_unlink(model);
  g_unlink(open_clip_model);
  clip = open_clip(quick, 1);
  check_open_features(clip, quick_texts, G_N_ELEMENTS(quick_texts), quick_pictures, 5e-6, FALSE);
  model_clip_free(clip);
  clip = open_clip(biomed, 1);
  check_open_features(clip, biomed_texts, G_N_ELEMENTS(biomed_texts), biomed_pictures, 5e-6, FALSE);
  model_clip_free(clip);
  remove_tree(quick);
  remove_tree(biomed);
}

/* What comes behind the id that ends a text is not seen: the highest id, or the one that the
 * configuration names, whatever is higher. */
static void
test_end(void)
{
  g_autofree char *quick = make(CLIP_QUICK, FALSE, NULL), *gelu = make(CLIP_GELU, FALSE, NULL);
  ModelClip *highest = open_clip(quick, 1), *named = open_clip(gelu, 1);
  float out[CLIP_WIDTH];
  ModelError err = {0};

  g_assert_true(model_clip_encode_ids(highest, (const int[]){62, 10, 63, 63, 2, 61}, 6, out, &err));
  assert_near(out, quick_texts[1].features, 5e-6);
  g_assert_true(model_clip_encode_ids(named, (const int[]){62, 10, 63, 63, 2, 500}, 6, out, &err));
  assert_near(out, gelu_texts[1].features, 5e-6);
  model_clip_free(highest);
  model_clip_free(named);
  remove_tree(quick);
  remove_tree(gelu);
}

/* Weights of 8 bits, in a file where nothing is aligned: near, and the layouts agree. */
static void
test_half(void)
{
  check_features(CLIP_QUICK, quick_texts, G_N_ELEMENTS(quick_texts), quick_pictures, 0.1, TRUE);
  check_features(CLIP_OPENAI, quick_texts, G_N_ELEMENTS(quick_texts), quick_pictures, 0.1, TRUE);
  check_features(CLIP_BIOMED, biomed_texts, G_N_ELEMENTS(biomed_texts), biomed_pictures, 0.1, TRUE);
}

/* ---- directions ------------------------------------------------------------------------------ */

static double
length_of(const float *out)
{
  double sum = 0;

  for (guint i = 0; i < CLIP_WIDTH; i++) {
    sum += (double)out[i] * out[i];
  }
  return sqrt(sum);
}

static void
test_directions(void)
{
  static const char text[] = "a chest x-ray";
  const int ids[] = {535, 320, 519, 343, 268, 522, 536};
  g_autofree char *folder = make(CLIP_QUICK, FALSE, NULL);
  ModelClip *one = open_clip(folder, 1), *three = open_clip(folder, 3);
  guint8 pixels[40 * 30 * 3];
  const ModelImage picture = {40, 30, 3, pixels}, none = {0, 30, 3, pixels};
  float a[CLIP_WIDTH], b[CLIP_WIDTH];
  ModelError err = {0};

  for (guint i = 0; i < sizeof pixels; i++) {
    pixels[i] = (guint8)(i * 7);
  }
  g_assert_true(model_clip_is(folder));
  g_assert_true(model_clip_text(one, text, strlen(text), a, &err));
  g_assert_true(model_clip_text(three, text, strlen(text), b, &err));
  g_assert_cmpmem(a, sizeof a, b, sizeof b);
  g_assert_cmpfloat_with_epsilon(length_of(a), 1, 1e-6);
  g_assert_true(model_clip_encode_ids(one, ids, G_N_ELEMENTS(ids), b, &err));
  for (guint i = 0; i < CLIP_WIDTH; i++) {
    g_assert_cmpfloat_with_epsilon(a[i] * length_of(b), b[i], 1e-6);
  }
  g_assert_true(model_clip_picture(one, &picture, a, &err));
  g_assert_true(model_clip_picture(three, &picture, b, &err));
  g_assert_cmpmem(a, sizeof a, b, sizeof b);
  g_assert_cmpfloat_with_epsilon(length_of(a), 1, 1e-6);
  g_assert_false(model_clip_picture(one, &none, a, &err));
  g_assert_false(model_clip_encode_ids(one, (const int[]){535, 537}, 2, a, &err));
  assert_message(&err, MODEL_ERROR_ARGUMENT, "id 537, expected 0 to 536");
  g_assert_false(model_clip_encode_ids(one, ids, 0, a, &err));
  g_assert_false(model_clip_encode_ids(one, (const int[17]){0}, 17, a, &err));
  assert_message(&err, MODEL_ERROR_ARGUMENT, "a text of 17 ids, expected 1 to 16");
  model_clip_free(one);
  model_clip_free(three);
  remove_tree(folder);
}

/* A square out of a picture that is three pixels wider: transformers begins at 1, torchvision (and
 * OpenCLIP with it) at 2. */
static void
test_crop(void)
{
  static const ClipKind kinds[] = {CLIP_QUICK, CLIP_OPENAI};
  guint8 wide[31 * 28 * 3], square[28 * 28 * 3];
  const ModelImage whole = {31, 28, 3, wide}, middle = {28, 28, 3, square};

  for (guint i = 0; i < sizeof wide; i++) {
    wide[i] = (guint8)(i * 41 % 251);
  }
  for (guint k = 0; k < G_N_ELEMENTS(kinds); k++) {
    g_autofree char *folder = make(kinds[k], FALSE, NULL);
    ModelClip *clip = open_clip(folder, 1);
    float a[CLIP_WIDTH], b[CLIP_WIDTH];
    ModelError err = {0};

    for (guint row = 0; row < 28; row++) {
      memcpy(square + row * 28 * 3, wide + (row * 31 + 1 + k) * 3, 28 * 3);
    }
    g_assert_true(model_clip_picture(clip, &whole, a, &err));
    g_assert_true(model_clip_picture(clip, &middle, b, &err));
    g_assert_cmpmem(a, sizeof a, b, sizeof b);
    model_clip_free(clip);
    remove_tree(folder);
  }
}

/* ---- what is refused ------------------------------------------------------------------------- */

/* FROM becomes TO in a pair's configuration, which is refused then. */
static void
assert_config_refused(ClipKind kind, const char *from, const char *to, ModelErrorCode code,
                      const char *pattern)
{
  g_autofree char *folder = make(kind, FALSE, NULL), *config = clip_config(kind);
  g_auto(GStrv) parts = g_strsplit(config, from, 2);
  g_autofree char *other = g_strjoinv(to, parts);

  g_assert_cmpuint(g_strv_length(parts), ==, 2);
  clip_write_text(
      folder, kind == CLIP_OPENAI || kind == CLIP_BIOMED ? "open_clip_config.json" : "config.json",
      other);
  assert_refused(folder, code, pattern);
  remove_tree(folder);
}

static void
test_configurations(void)
{
  assert_config_refused(CLIP_QUICK, "\"vocab_size\": 537", "\"vocab_size\": 538",
                        MODEL_ERROR_CORRUPT, "*token_embedding.weight has shape [537, 32*");
  assert_config_refused(CLIP_QUICK, "\"hidden_size\": 32", "\"hidden_size\": 4000000000",
                        MODEL_ERROR_CORRUPT, "*4000000000 wide*out of bounds");
  assert_config_refused(CLIP_QUICK, "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3",
                        MODEL_ERROR_CORRUPT, "*text_model.encoder.layers.2.*missing");
  assert_config_refused(CLIP_QUICK, "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1",
                        MODEL_ERROR_UNSUPPORTED, "*text_model.encoder.layers.1.*no tower*");
  assert_config_refused(CLIP_QUICK, "\"num_attention_heads\": 4, \"num_hidden",
                        "\"num_attention_heads\": 5, \"num_hidden", MODEL_ERROR_CORRUPT,
                        "*5 heads do not divide*");
  assert_config_refused(CLIP_QUICK, "quick_gelu", "relu", MODEL_ERROR_UNSUPPORTED, "*\"relu\"*");
  assert_config_refused(CLIP_QUICK, "\"projection_dim\": 24", "\"projection_dim\": 25",
                        MODEL_ERROR_CORRUPT, "*projection.weight has shape*");
  assert_config_refused(CLIP_QUICK, "\"image_size\": 28", "\"image_size\": 35", MODEL_ERROR_CORRUPT,
                        "*position_embedding.weight has shape*");
  assert_config_refused(CLIP_QUICK, "\"model_type\": \"clip\"", "\"model_type\": \"llava\"",
                        MODEL_ERROR_FORMAT, "*no CLIP checkpoint*");
  assert_config_refused(CLIP_GELU, "\"eos_token_id\": 63", "\"eos_token_id\": 62",
                        MODEL_ERROR_CORRUPT, "*eos_token_id is 62, but*63");
  assert_config_refused(CLIP_OPENAI, "\"width\": 48", "\"no_ln_pre\": true",
                        MODEL_ERROR_UNSUPPORTED, "*\"no_ln_pre\" is set*");
  assert_config_refused(CLIP_OPENAI, "shortest", "squash", MODEL_ERROR_UNSUPPORTED,
                        "*resize_mode is \"squash\", expected \"shortest\"");
  assert_config_refused(CLIP_OPENAI, "\"context_length\": 16", "\"context_length\": 17",
                        MODEL_ERROR_CORRUPT, "*texts of 17 ids, and 16 positions*");
  assert_config_refused(CLIP_BIOMED, "\"timm_pool\": \"\"", "\"timm_pool\": \"avg\"",
                        MODEL_ERROR_UNSUPPORTED, "*timm_pool is \"avg\"*");
  assert_config_refused(CLIP_BIOMED, "\"mlp\"", "\"linear\"", MODEL_ERROR_UNSUPPORTED,
                        "*hf_proj_type is \"linear\", expected \"mlp\"");
  assert_config_refused(CLIP_BIOMED, "cls_last_hidden_state_pooler", "mean_pooler",
                        MODEL_ERROR_UNSUPPORTED, "*hf_pooler_type is \"mean_pooler\"*");
  assert_config_refused(CLIP_BIOMED, "[0.48145466, 0.4578275, 0.40821073]", "[1, 2]",
                        MODEL_ERROR_CORRUPT, "*\"mean\" is not a list of three numbers");
}

static void
test_tensors(void)
{
  static const struct {
    ClipKind kind;
    const char *name, *pattern;
  } rows[] = {
      {CLIP_QUICK, "logit_scale", "*logit_scale is missing"},
      {CLIP_QUICK, "text_projection.weight", "*text_projection.weight is missing"},
      {CLIP_QUICK, "text_model.encoder.layers.1.self_attn.k_proj.bias", "*k_proj.bias is missing"},
      {CLIP_QUICK, "vision_model.post_layernorm.weight", "*post_layernorm.weight is missing"},
      {CLIP_OPENAI, "visual.transformer.resblocks.0.attn.in_proj_bias", "*in_proj_bias is missing"},
      {CLIP_BIOMED, "visual.trunk.pos_embed", "*pos_embed is missing"},
      {CLIP_BIOMED, "text.transformer.encoder.layer.0.output.LayerNorm.bias", "*is missing"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *folder = make(rows[i].kind, FALSE, rows[i].name);
    assert_refused(folder, MODEL_ERROR_CORRUPT, rows[i].pattern);
    remove_tree(folder);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/clip/features", test_features);
  g_test_add_func("/clip/half", test_half);
  g_test_add_func("/clip/torch", test_torch);
  g_test_add_func("/clip/end", test_end);
  g_test_add_func("/clip/directions", test_directions);
  g_test_add_func("/clip/crop", test_crop);
  g_test_add_func("/clip/configurations", test_configurations);
  g_test_add_func("/clip/tensors", test_tensors);
  return g_test_run();
}
