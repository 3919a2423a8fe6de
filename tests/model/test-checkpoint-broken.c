/* Broken checkpoints: a table of what can be wrong with a folder, and files changed at random. */
#include "model/checkpoint-fixture.h"
#include "shared.h"

static void
test_configs(void)
{
  static const struct {
    Layout layout;
    const char *from, *to;
    ModelErrorCode code;
    const char *pattern;
  } cases[] = {
      {0, "\"hidden_size\":8", "\"hidden_size\":\"8\"", MODEL_ERROR_CORRUPT,
       "*config.json: \"hidden_size\" is 8, expected a whole number*"},
      {0, "\"hidden_size\":8,", "", MODEL_ERROR_CORRUPT, "*expected none to be 0 or missing"},
      {0, "\"hidden_size\":8", "\"hidden_size\":9", MODEL_ERROR_CORRUPT,
       "*2 attention heads do not divide the hidden size 9"},
      {0, "\"hidden_size\":8", "\"hidden_size\":16", MODEL_ERROR_CORRUPT,
       "*tensor model.embed_tokens.weight has shape ?16, 8?, expected ?16, 16? or more rows"},
      {0, "\"hidden_size\":8", "\"hidden_size\":65538", MODEL_ERROR_TOO_LARGE,
       "*the hidden size is 65538, expected 1 to 65536"},
      {0, "\"num_hidden_layers\":2", "\"num_hidden_layers\":3", MODEL_ERROR_CORRUPT,
       "*tensor model.layers.2.input_layernorm.weight is missing"},
      {0, "\"num_hidden_layers\":2", "\"num_hidden_layers\":4000000000", MODEL_ERROR_TOO_LARGE,
       "*the number of layers is 4000000000, expected 1 to 256"},
      {0, "\"num_attention_heads\":2", "\"num_attention_heads\":0", MODEL_ERROR_CORRUPT,
       "*expected none to be 0*"},
      {0, "\"num_attention_heads\":2", "\"num_attention_heads\":8", MODEL_ERROR_CORRUPT,
       "*the head size is 1, expected 2 to 65536"},
      {0, "\"num_key_value_heads\":1", "\"num_key_value_heads\":3", MODEL_ERROR_TOO_LARGE,
       "*the number of key/value heads is 3, expected 1 to 2"},
      {0, "\"num_key_value_heads\":1", "\"head_dim\":3", MODEL_ERROR_CORRUPT,
       "*the head size is 3, expected an even number"},
      {0, "\"intermediate_size\":12", "\"intermediate_size\":13", MODEL_ERROR_CORRUPT,
       "*tensor model.layers.0.mlp.gate_proj.weight has shape ?12, 8?, expected ?13, 8?"},
      {0, "\"rms_norm_eps\":1e-06", "\"rms_norm_eps\":0", MODEL_ERROR_CORRUPT,
       "*the RMS norm epsilon is 0*"},
      {0, "\"rope_theta\":10000.0", "\"rope_theta\":-1", MODEL_ERROR_CORRUPT,
       "*the rope theta is -1*"},
      {0, "\"rope_theta\":10000.0", "\"rope_scaling\":{\"type\":\"linear\",\"factor\":2}",
       MODEL_ERROR_UNSUPPORTED, "*rope scaling \"linear\" is not supported"},
      {0, "\"hidden_act\":\"silu\"", "\"hidden_act\":\"gelu\"", MODEL_ERROR_UNSUPPORTED,
       "*hidden_act is \"gelu\", expected silu"},
      {0, "\"hidden_act\":\"silu\"", "\"attention_bias\":true", MODEL_ERROR_UNSUPPORTED,
       "*attention_bias true*"},
      {0, "\"mm_projector_type\":\"mlp2x_gelu\"", "\"mm_projector_type\":\"mlp3x_gelu\"",
       MODEL_ERROR_UNSUPPORTED, "*projector \"mlp3x_gelu\"*is not supported*"},
      {0, "\"mm_projector_type\":\"mlp2x_gelu\"", "\"mm_projector_type\":\"linear\"",
       MODEL_ERROR_CORRUPT, "*tensor model.mm_projector.weight is missing"},
      {0, "\"mm_projector_type\":", "\"mm_vision_select_layer\":-4,\"mm_projector_type\":",
       MODEL_ERROR_CORRUPT, "*mm_vision_select_layer is -4, but the tower has 2 blocks"},
      {0, "\"mm_projector_type\":", "\"mm_vision_select_feature\":\"cls_patch\",\"x\":",
       MODEL_ERROR_UNSUPPORTED, "*mm_vision_select_feature is \"cls_patch\", expected patch"},
      {0, "\"mm_projector_type\":", "\"image_aspect_ratio\":\"anyres\",\"mm_projector_type\":",
       MODEL_ERROR_UNSUPPORTED, "*image_aspect_ratio is \"anyres\"*"},
      {0, "\"mm_use_im_start_end\":false", "\"mm_use_im_start_end\":true", MODEL_ERROR_CORRUPT,
       "*mm_use_im_start_end is set, but added_tokens.json lacks*"},
      {0, "\"model_type\":\"clip_vision_model\"", "\"model_type\":\"siglip_vision_model\"",
       MODEL_ERROR_UNSUPPORTED, "*tower is of type \"siglip_vision_model\"*"},
      {0, "\"hidden_act\":\"quick_gelu\"", "\"hidden_act\":\"relu\"", MODEL_ERROR_UNSUPPORTED,
       "*tower's hidden_act is \"relu\"*"},
      {0, "\"image_size\":4", "\"image_size\":5", MODEL_ERROR_CORRUPT,
       "*patches of 2 pixels do not divide the tower's image of 5"},
      {0, "\"image_size\":4", "\"image_size\":6", MODEL_ERROR_CORRUPT,
       "*embeddings.position_embedding.weight has shape ?5, 6?, expected ?10, 6?"},
      {0, "\"patch_size\":2", "\"patch_size\":0", MODEL_ERROR_CORRUPT,
       "*the tower's patch size is 0*"},
      {0, "\"num_attention_heads\":3", "\"num_attention_heads\":4", MODEL_ERROR_CORRUPT,
       "*the tower's 4 heads do not divide its hidden size 6"},
      {0, "\"num_hidden_layers\":2,\"num_attention_heads\":3",
       "\"num_hidden_layers\":3,"
       "\"num_attention_heads\":3",
       MODEL_ERROR_CORRUPT, "*encoder.layers.2.*is missing"},
      {0, "{\"model_type\"", "[{\"model_type\"", MODEL_ERROR_CORRUPT, "*config.json: JSON*"},
      {0, "\"model_type\":\"llava_mistral\"", "\"model_type\":\"gemma\"", MODEL_ERROR_UNSUPPORTED,
       "*model_type is \"gemma\"; Llama's and Mistral's*"},
      {1, "\"vision_feature_layer\":-2", "\"vision_feature_layer\":[-2,-5]", MODEL_ERROR_CORRUPT,
       "*\"vision_feature_layer\" is a list*"},
      {1, "\"vision_feature_layer\":-2", "\"vision_feature_select_strategy\":\"full\"",
       MODEL_ERROR_UNSUPPORTED, "*vision_feature_select_strategy is \"full\", expected default"},
      {1, "\"vision_feature_layer\":-2", "\"projector_hidden_act\":\"relu\"",
       MODEL_ERROR_UNSUPPORTED, "*projector \"mlp2x_gelu\" with \"relu\"*"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const TinyOptions o = {.layout = cases[i].layout};
    g_autofree char *folder = tiny_folder(&o);
    ModelError err = {0};
    ModelCheckpoint c;
    g_test_message("%s", cases[i].to);
    edit_config(folder, cases[i].from, cases[i].to);
    g_assert_false(model_checkpoint_open(folder, NULL, &c, &err));
    assert_message(&err, cases[i].code, cases[i].pattern);
    remove_tree(folder);
  }
}

static void
test_folders(void)
{
  static const struct {
    const char *remove, *write, *text;
    ModelErrorCode code;
    const char *pattern;
  } cases[] = {
      {"config.json", NULL, NULL, MODEL_ERROR_FORMAT, "*the folder has no config.json"},
      {"tokenizer.model", NULL, NULL, MODEL_ERROR_UNSUPPORTED, "*there is no tokenizer.model*"},
      {"model.safetensors", NULL, NULL, MODEL_ERROR_FORMAT,
       "*found neither model.safetensors nor*"},
      {"model.safetensors", "pytorch_model.bin", "x", MODEL_ERROR_FORMAT,
       "*pytorch_model.bin: expected the zip archive of torch.save()"},
      {NULL, "config.json", "[]", MODEL_ERROR_CORRUPT, "*config.json: found a list, expected an*"},
      {NULL, "config.json", "{", MODEL_ERROR_CORRUPT, "*config.json: JSON, byte 1: *"},
      {NULL, "tokenizer.model", "xyz", MODEL_ERROR_FORMAT, "*tokenizer.model: *"},
      {NULL, "added_tokens.json", "{\"a\":-1}", MODEL_ERROR_CORRUPT,
       "*added_tokens.json: the id of a is -1*"},
      {NULL, "added_tokens.json", "{\"a\":99999999}", MODEL_ERROR_CORRUPT,
       "*the id of a is 99999999*"},
      {NULL, "tokenizer_config.json", "{\"added_tokens_decoder\":{\"x\":{\"content\":\"y\"}}}",
       MODEL_ERROR_CORRUPT, "*tokenizer_config.json: added_tokens_decoder: x is not an id*"},
      {NULL, "model.safetensors.index.json", "{\"weight_map\":{}}", MODEL_ERROR_CORRUPT,
       "*no object \"weight_map\" with entries"},
      {NULL, "preprocessor_config.json", "{\"image_mean\":[1,2]}", MODEL_ERROR_CORRUPT,
       "*\"image_mean\" is not a list of three numbers"},
      {NULL, "preprocessor_config.json", "{\"image_std\":[1,0,1]}", MODEL_ERROR_CORRUPT,
       "*std 0 of channel 1*"},
  };
  const TinyOptions o = {.layout = LAYOUT_ORIGINAL};

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *folder = tiny_folder(&o);
    ModelError err = {0};
    ModelCheckpoint c;
    g_test_message("%s", cases[i].pattern);
    if (cases[i].remove) {
      g_autofree char *path = g_build_filename(folder, cases[i].remove, NULL);
      g_remove(path);
    }
    if (cases[i].write)
      write_file(folder, cases[i].write, cases[i].text, strlen(cases[i].text));
    g_assert_false(model_checkpoint_open(folder, NULL, &c, &err));
    assert_message(&err, cases[i].code, cases[i].pattern);
    remove_tree(folder);
  }
}

/* ---- mutations ---------------------------------------------------------------------------- */

/* The layout with the most files. */
static const TinyOptions most_files = {.layout = LAYOUT_ORIGINAL, .linear = TRUE, .v10 = TRUE};

/* Opens PATH; whatever comes out, everything in it must be readable. */
static gboolean
open_and_touch(const char *path)
{
  g_autofree float *values = NULL;
  const ModelTensor *tensor;
  ModelError err = {0};
  ModelCheckpoint c;
  char name[256], hex[65];

  if (!model_checkpoint_open(path, NULL, &c, &err)) {
    g_assert_cmpint(err.code, !=, MODEL_OK);
    g_assert_cmpuint(strlen(err.message), >, 0);
    return FALSE;
  }
  for (guint i = 0; (tensor = model_checkpoint_tensor(&c, i, name)); i++)
    read_row(tensor, model_tensor_rows(tensor) - 1, &values);
  g_assert_true(model_checkpoint_sha256(&c, hex, NULL));
  model_checkpoint_close(&c);
  return TRUE;
}

/* BYTES with one to three bytes of its first HEAD changed, or cut short, as NAME in FOLDER. */
static guint
mutate(const char *folder, const char *name, const char *open_path, const guint8 *bytes, gsize n,
       gsize head, guint rounds)
{
  g_autoptr(GRand) rand = g_rand_new_with_seed(23);
  guint taken = 0;

  for (guint i = 0; i < rounds; i++) {
    g_autofree guint8 *copy = g_memdup2(bytes, n);
    gsize length = n;
    for (guint k = 0; k < 1 + i % 3; k++)
      copy[g_rand_int_range(rand, 0, (gint32)head)] = (guint8)g_rand_int_range(rand, 0, 256);
    if (i % 16 == 0)
      length = (gsize)g_rand_int_range(rand, 1, (gint32)n);
    write_file(folder, name, copy, length);
    taken += open_and_touch(open_path);
  }
  write_file(folder, name, bytes, n);
  return taken;
}

static void
test_mutations_folder(void)
{
  static const char *const names[] = {"config.json", "model.safetensors", "added_tokens.json",
                                      "tokenizer.model"};
  const TinyOptions o = most_files;
  g_autofree char *folder = tiny_folder(&o);

  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *path = g_build_filename(folder, names[i], NULL), *bytes = NULL;
    gsize n, head;
    guint taken;
    g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
    head = i == 1 ? MIN(n, 2000) : n;
    taken = mutate(folder, names[i], folder, (const guint8 *)bytes, n, head, test_rounds(1500));
    g_test_message("%s: %u of 1500 taken", names[i], taken);
    g_assert_cmpuint(taken, <, 1500);
  }
  g_assert_true(open_and_touch(folder));
  remove_tree(folder);
}

static void
test_mutations_gguf(void)
{
  const TinyOptions o = most_files;
  g_autofree char *folder = tiny_folder(&o);
  g_autofree char *path = g_build_filename(folder, "m.gguf", NULL), *bytes = NULL;
  ModelError err = {0};
  ModelCheckpoint c;
  gsize n;
  guint taken;

  open_checkpoint(folder, NULL, &c);
  g_assert_true(model_gguf_write(&c, "f16", "a card", path, NULL, NULL, &err));
  model_checkpoint_close(&c);
  g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
  g_assert_cmpuint(n, >, 6000);
  taken = mutate(folder, "m.gguf", path, (const guint8 *)bytes, n, 6000, test_rounds(5000));
  g_test_message("%u of 5000 taken", taken);
  g_assert_cmpuint(taken, <, 4900);
  g_assert_true(open_and_touch(path));
  remove_tree(folder);
}

/* An index that names N_SHARDS files, each REPEATS times, mixed; none of them is there. */
static void
check_index(const char *folder, guint n_shards, guint repeats, ModelErrorCode code,
            const char *pattern)
{
  g_autoptr(GString) index = g_string_new("{\"weight_map\":{");
  ModelError err = {0};
  ModelCheckpoint c;

  for (guint i = 0; i < n_shards * repeats; i++) {
    /* 7 has no common factor with the numbers of shards below: every name comes in turn. */
    g_string_append_printf(index, "%s\"t%u\":\"shard-%04u.safetensors\"", i ? "," : "", i,
                           i * 7 % n_shards);
  }
  g_string_append(index, "}}");
  write_file(folder, "model.safetensors.index.json", index->str, index->len);
  g_assert_false(model_checkpoint_open(folder, NULL, &c, &err));
  assert_message(&err, code, pattern);
}

static void
test_many_shards(void)
{
  g_autofree char *folder = tiny_folder(&most_files);

  check_index(folder, 1024, 3, MODEL_ERROR_IO, "*shard-0000.safetensors: cannot open*");
  check_index(folder, 1025, 3, MODEL_ERROR_TOO_LARGE, "*index.json: more than 1024 shards");
  /* As many entries as fit: cheap, whatever the order. */
  check_index(folder, 1024, 1000, MODEL_ERROR_IO, "*shard-0000.safetensors: cannot open*");
  remove_tree(folder);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/checkpoint-broken/configs", test_configs);
  g_test_add_func("/checkpoint-broken/folders", test_folders);
  g_test_add_func("/checkpoint-broken/many-shards", test_many_shards);
  g_test_add_func("/checkpoint-broken/mutations/folder", test_mutations_folder);
  g_test_add_func("/checkpoint-broken/mutations/gguf", test_mutations_gguf);
  return g_test_run();
}
