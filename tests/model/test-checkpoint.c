/* The readers of whole checkpoints: the reference's models in every file format, and tiny
 * ones made here in every layout. */
#include "checkpoint/checkpoint.h"

#include "model/checkpoint-fixture.h"
#include "model/golden.h"
#include "shared.h"

/* ---- the reference's models --------------------------------------------------------------- */

static void
compare_config(const ModelCheckpoint *checkpoint, JsonObject *golden, gboolean used_blocks_only)
{
  const ModelConfig *c = &checkpoint->config;
  JsonObject *v = json_object_get_object_member(golden, "vision");
  JsonObject *l = json_object_get_object_member(golden, "llm");
  const char *aspect = json_object_get_string_member(golden, "aspect");
  const char *projector = json_object_get_string_member(golden, "projector");
  gint64 layers = json_object_get_int_member(v, "layers");

#define SAME(found, object, key) g_assert_cmpint(found, ==, json_object_get_int_member(object, key))
  g_assert_true(c->has_vision);
  SAME(c->vision.image_size, v, "image");
  SAME(c->vision.patch_size, v, "patch");
  SAME(c->vision.hidden, v, "hidden");
  SAME(c->vision.heads, v, "heads");
  SAME(c->vision.ffn, v, "ffn");
  g_assert_cmpint(c->vision.blocks_stored, ==, used_blocks_only ? layers - 1 : layers);
  g_assert_cmpint(c->vision.blocks_run, ==, layers - 1);
  g_assert_cmpfloat(c->vision.eps, ==, (float)json_object_get_double_member(v, "eps"));
  g_assert_false(c->vision.gelu_erf);
  g_assert_cmpfloat(c->vision.mean[0], ==, 0.48145466f);
  g_assert_cmpfloat(c->vision.std[2], ==, 0.27577711f);
  SAME(c->decoder.hidden, l, "hidden");
  SAME(c->decoder.layers, l, "layers");
  SAME(c->decoder.heads, l, "heads");
  SAME(c->decoder.kv_heads, l, "kv_heads");
  SAME(c->decoder.head_dim, l, "head_dim");
  SAME(c->decoder.ffn, l, "ffn");
  SAME(c->decoder.vocab, l, "vocab");
  g_assert_cmpfloat(c->decoder.theta, ==, (float)json_object_get_double_member(l, "theta"));
  g_assert_cmpfloat(c->decoder.eps, ==, (float)json_object_get_double_member(l, "eps"));
  g_assert_cmpuint(c->decoder.context, ==, 2048);
  SAME(c->bos, golden, "bos");
  SAME(c->eos, golden, "eos");
  SAME(c->pad, golden, "pad");
  g_assert_cmpint(c->image_start_end, ==, json_object_get_boolean_member(golden, "im_start_end"));
  g_assert_cmpstr(c->template_name, ==, json_object_get_string_member(golden, "template"));
  g_assert_cmpint(c->aspect, ==,
                  g_str_equal(aspect, "pad") ? MODEL_ASPECT_PAD : MODEL_ASPECT_SQUARE);
  g_assert_cmpint(c->projector, ==,
                  g_str_equal(projector, "linear") ? MODEL_PROJECTOR_LINEAR
                                                   : MODEL_PROJECTOR_MLP2X_GELU);
#undef SAME
}

static void
compare_added(const ModelCheckpoint *checkpoint, JsonObject *golden)
{
  JsonObject *added = json_object_get_object_member(golden, "added");
  const ModelVocabulary *v = &checkpoint->vocabulary;

  g_assert_cmpuint(v->n_added, ==, json_object_get_size(added));
  g_assert_cmpuint(v->n_pieces + v->n_added, ==, checkpoint->config.decoder.vocab);
  for (guint i = 0; i < v->n_added; i++)
    g_assert_cmpint(v->added[i].id, ==, json_object_get_int_member(added, v->added[i].text));
  if (v->n_added) {
    g_assert_cmpint(checkpoint->config.id_im_patch, ==, 32001);
    g_assert_cmpint(checkpoint->config.id_im_start, ==, 32002);
    g_assert_cmpint(checkpoint->config.id_im_end, ==, 32003);
  } else {
    g_assert_cmpint(checkpoint->config.id_im_patch, ==, -1);
  }
}

static void
compare_vocabularies(const ModelVocabulary *a, const ModelVocabulary *b)
{
  g_assert_cmpuint(a->n_pieces, ==, b->n_pieces);
  g_assert_cmpuint(a->n_added, ==, b->n_added);
  for (guint i = 0; i < a->n_pieces; i++) {
    g_assert_cmpmem(a->pieces[i].text, a->pieces[i].length, b->pieces[i].text, b->pieces[i].length);
    g_assert_cmpfloat(a->pieces[i].score, ==, b->pieces[i].score);
    g_assert_cmpint(a->pieces[i].kind, ==, b->pieces[i].kind);
  }
  for (guint i = 0; i < a->n_added; i++)
    g_assert_cmpstr(a->added[i].text, ==, b->added[i].text);
  g_assert_cmpint(a->add_dummy_prefix, ==, b->add_dummy_prefix);
  g_assert_cmpint(a->remove_extra_whitespaces, ==, b->remove_extra_whitespaces);
  g_assert_cmpint(a->bos, ==, b->bos);
  g_assert_cmpint(a->eos, ==, b->eos);
  g_assert_cmpint(a->unk, ==, b->unk);
  g_assert_cmpint(a->pad, ==, b->pad);
}

/* The files hold the same numbers; llama.cpp's have the rows of q and k in another order. */
static void
compare_tensors(const ModelCheckpoint *hf, const ModelCheckpoint *gguf)
{
  g_autofree float *a = NULL, *b = NULL;
  const ModelTensor *x, *y;
  char name[256], other[256];
  guint n = 0, d = hf->config.decoder.head_dim;

  for (guint i = 0, j = 0; (y = model_checkpoint_tensor(gguf, j, other)); j++, n++) {
    gboolean permuted = g_str_has_prefix(other, "model.layers.") &&
                        (strstr(other, "q_proj") || strstr(other, "k_proj"));
    /* A file of the blocks that are used lacks the last one. */
    do {
      x = model_checkpoint_tensor(hf, i++, name);
      g_assert_nonnull(x);
    } while (!g_str_equal(name, other));
    g_assert_cmpuint(model_tensor_rows(x), ==, model_tensor_rows(y));
    g_assert_cmpuint(model_tensor_columns(x), ==, model_tensor_columns(y));
    for (guint64 row = 0; row < model_tensor_rows(y); row++) {
      guint64 from = permuted ? row / d * d + row % 2 * (d / 2) + row % d / 2 : row;
      read_row(x, from, &a);
      read_row(y, row, &b);
      if (memcmp(a, b, model_tensor_columns(x) * sizeof *a) != 0)
        g_error("%s row %" G_GUINT64_FORMAT " differs", name, row);
    }
  }
  g_assert_cmpuint(n, >=, 9 * gguf->config.decoder.layers + 3);
}

static void
test_reference(gconstpointer data)
{
  static const char *const styles[] = {"mmproj-f16", "mmproj-legacy-f16", "mmproj-full-f16"};
  const char *model = data;
  g_autoptr(JsonParser) parser = golden_load(model);
  g_autofree char *hf_relative = g_strdup_printf("vectors/%s/hf", model);
  g_autofree char *llm_relative = g_strdup_printf("vectors/%s/gguf/llm-f16.gguf", model);
  g_autofree char *hf_path = parser ? shared_path(hf_relative) : NULL;
  g_autofree char *llm_path = hf_path ? shared_path(llm_relative) : NULL;
  JsonObject *golden;
  ModelCheckpoint hf;

  if (!llm_path)
    return;
  golden = json_object_get_object_member(golden_root(parser), "config");
  open_checkpoint(hf_path, NULL, &hf);
  compare_config(&hf, golden, FALSE);
  compare_added(&hf, golden);
  g_assert_cmpstr(hf.format, ==, "huggingface");
  g_assert_cmpstr(hf.tower_origin, ==, hf.config.image_start_end ? "stock" : "checkpoint");
  g_assert_false(hf.config.decoder.rope_adjacent);
  for (guint i = 0; i < G_N_ELEMENTS(styles); i++) {
    g_autofree char *relative = g_strdup_printf("vectors/%s/gguf/%s.gguf", model, styles[i]);
    g_autofree char *mmproj = shared_path(relative);
    ModelEngineOptions options = {.mmproj = mmproj};
    ModelCheckpoint gguf, mixed;
    g_assert_nonnull(mmproj);
    open_checkpoint(llm_path, &options, &gguf);
    compare_config(&gguf, golden, i != 2);
    compare_added(&gguf, golden);
    compare_vocabularies(&hf.vocabulary, &gguf.vocabulary);
    compare_tensors(&hf, &gguf);
    g_assert_cmpstr(gguf.config.name, ==, json_object_get_string_member(golden, "name"));
    g_assert_cmpstr(gguf.format, ==, "gguf+mmproj");
    g_assert_true(gguf.config.decoder.rope_adjacent);
    model_checkpoint_close(&gguf);
    open_checkpoint(hf_path, &options, &mixed);
    compare_config(&mixed, golden, i != 2);
    g_assert_cmpstr(mixed.format, ==, "huggingface+mmproj");
    model_checkpoint_close(&mixed);
  }
  model_checkpoint_close(&hf);
}

static void
test_stories(void)
{
  g_autofree char *folder = shared_path("corpus/weights/stories15M");
  g_autofree char *file = folder ? shared_path("corpus/weights/stories260K.gguf") : NULL;
  ModelCheckpoint c;

  if (!file)
    return;
  open_checkpoint(folder, NULL, &c);
  g_assert_false(c.config.has_vision);
  g_assert_true(c.weights.tied);
  g_assert_true(c.weights.output.data == c.weights.token_embedding.data);
  g_assert_cmpuint(c.config.decoder.context, ==, 256);
  g_assert_cmpuint(c.config.decoder.vocab, ==, 32000);
  g_assert_cmpstr(c.config.template_name, ==, "plain");
  g_assert_cmpstr(c.config.name, ==, "stories15M");
  g_assert_cmpstr(c.tower_origin, ==, "none");
  model_checkpoint_close(&c);
  open_checkpoint(file, NULL, &c);
  g_assert_true(c.weights.tied);
  g_assert_cmpuint(c.config.decoder.kv_heads, ==, 4);
  g_assert_cmpuint(c.config.decoder.vocab, ==, 512);
  g_assert_cmpint(c.config.pad, ==, -1);
  model_checkpoint_close(&c);
}

/* ---- tiny models in every layout ---------------------------------------------------------- */

static const TinyOptions layouts[] = {
    {.layout = LAYOUT_ORIGINAL},
    {.layout = LAYOUT_CONVERTED},
    {.layout = LAYOUT_NEWEST},
    {.layout = LAYOUT_ORIGINAL, .linear = TRUE, .v10 = TRUE},
    {.layout = LAYOUT_ORIGINAL, .text_only = TRUE},
    {.layout = LAYOUT_ORIGINAL, .text_only = TRUE, .tied = TRUE},
    {.layout = LAYOUT_CONVERTED, .extra_rows = 5},
    {.layout = LAYOUT_NEWEST, .tied = TRUE, .extra_rows = 1},
};

static void
check_tiny(const ModelCheckpoint *c, const TinyOptions *o)
{
  guint n_tensors = 1 + 9 * TINY_LAYERS + 1 + (o->tied ? 0 : 1);

  if (!o->text_only)
    n_tensors += (o->linear ? 2 : 4) + 5 + 16 * TINY_BLOCKS + 2;
  g_assert_cmpuint(assert_tiny_values(c), ==, n_tensors);
  g_assert_cmpuint(c->config.decoder.vocab, ==, TINY_PIECES + (o->v10 ? 4 : 0));
  g_assert_cmpuint(c->config.decoder.head_dim, ==, TINY_HEAD);
  g_assert_cmpuint(c->config.decoder.context, ==, 512);
  g_assert_cmpint(c->config.bos, ==, o->v10 ? 2 : 1);
  g_assert_cmpint(c->config.eos, ==, 2);
  g_assert_cmpint(c->config.pad, ==, o->v10 ? 16 : -1);
  g_assert_cmpint(c->weights.tied, ==, o->tied);
  g_assert_cmpint(c->config.has_vision, ==, !o->text_only);
  g_assert_cmpstr(c->config.template_name, ==,
                  o->text_only                   ? "plain"
                  : o->v10                       ? "multimodal"
                  : o->layout == LAYOUT_ORIGINAL ? "mistral_instruct"
                                                 : "vicuna_v1");
  if (o->text_only)
    return;
  g_assert_cmpint(c->config.aspect, ==, o->v10 ? MODEL_ASPECT_SQUARE : MODEL_ASPECT_PAD);
  g_assert_cmpuint(c->config.vision.blocks_stored, ==, TINY_BLOCKS);
  g_assert_cmpuint(c->config.vision.blocks_run, ==, TINY_BLOCKS - 1);
  g_assert_cmpstr(c->tower_origin, ==, o->v10 ? "stock" : "checkpoint");
}

static void
test_layouts(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(layouts); i++) {
    g_autofree char *folder = tiny_folder(&layouts[i]);
    ModelCheckpoint c;
    g_test_message("layout %u", i);
    open_checkpoint(folder, NULL, &c);
    check_tiny(&c, &layouts[i]);
    model_checkpoint_close(&c);
    remove_tree(folder);
  }
}

/* Decoder and picture side in a shard each. */
static char *
tiny_sharded(const char *projector_shard)
{
  const TinyOptions o = {.layout = LAYOUT_ORIGINAL};
  char *folder = tiny_folder(&o);
  g_autofree char *single = g_build_filename(folder, "model.safetensors", NULL);
  g_autofree char *index = NULL;
  g_autoptr(GByteArray) one = NULL, two = NULL;
  TinyFile file;

  g_remove(single);
  tiny_file_init(&file);
  tiny_decoder(&file, &o);
  one = tiny_file_bytes(&file);
  tiny_file_init(&file);
  tiny_projector(&file, &o);
  tiny_tower(&file, "model.vision_tower.vision_tower.vision_model.");
  two = tiny_file_bytes(&file);
  write_file(folder, "model-00001-of-00002.safetensors", one->data, one->len);
  write_file(folder, "model-00002-of-00002.safetensors", two->data, two->len);
  index = g_strdup_printf(
      "{\"metadata\":{\"total_size\":1},\"weight_map\":{\"model.norm.weight\":"
      "\"model-00001-of-00002.safetensors\",\"model.mm_projector.0.weight\":\"%s\"}}",
      projector_shard);
  write_file(folder, "model.safetensors.index.json", index, strlen(index));
  return folder;
}

static void
test_shards(void)
{
  static const struct {
    const char *shard;
    ModelErrorCode code;
    const char *pattern;
  } cases[] = {
      {"model-00001-of-00002.safetensors", MODEL_ERROR_CORRUPT,
       "*index.json: tensor model.mm_projector.0.weight is missing from model-00001*"},
      {"model-00003-of-00002.safetensors", MODEL_ERROR_IO, "*model-00003-of-00002*: cannot open*"},
      {"../model-00002-of-00002.safetensors", MODEL_ERROR_CORRUPT,
       "*weight_map puts model.mm_projector.0.weight into ../model*, expected the name*"},
      {"config.json", MODEL_ERROR_CORRUPT, "*weight_map puts*into config.json, expected*"},
      {".safetensors", MODEL_ERROR_CORRUPT, "*weight_map puts*into .safetensors, expected*"},
  };
  const TinyOptions o = {.layout = LAYOUT_ORIGINAL};
  g_autofree char *good = tiny_sharded("model-00002-of-00002.safetensors");
  ModelCheckpoint c;

  open_checkpoint(good, NULL, &c);
  check_tiny(&c, &o);
  g_assert_cmpuint(c.n_mappings, ==, 2);
  model_checkpoint_close(&c);
  remove_tree(good);
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *folder = tiny_sharded(cases[i].shard);
    ModelError err = {0};
    g_assert_false(model_checkpoint_open(folder, NULL, &c, &err));
    assert_message(&err, cases[i].code, cases[i].pattern);
    remove_tree(folder);
  }
}

/* Original v1.5 checkpoints name their tower and give no sizes. */
static void
test_no_vision_config(void)
{
  const TinyOptions o = {.layout = LAYOUT_ORIGINAL};
  g_autofree char *folder = tiny_folder(&o);
  static const char json[] =
      "{\"mm_projector_type\":\"mlp2x_gelu\",\"model_type\":\"llava_mistral\","
      "\"mm_vision_tower\":\"openai/clip-vit-large-patch14-336\"," TINY_TEXT_JSON "}";
  ModelError err = {0};
  ModelCheckpoint c;

  write_file(folder, "config.json", json, sizeof json - 1);
  /* Everything but the heads is in the tensors; six columns are no heads of 64. */
  g_assert_false(model_checkpoint_open(folder, NULL, &c, &err));
  assert_message(&err, MODEL_ERROR_CORRUPT, "*the tower's number of heads is 0, expected 1 to 6");
  remove_tree(folder);
}

static void
test_tower_options(void)
{
  const TinyOptions own = {.layout = LAYOUT_ORIGINAL}, v10 = layouts[3], text = layouts[4];
  g_autofree char *with = tiny_folder(&own), *without = tiny_folder(&v10);
  g_autofree char *plain = tiny_folder(&text);
  g_autofree char *clip = g_build_filename(without, "clip", NULL);
  g_autofree char *moved = g_build_filename(plain, "tower", NULL);
  ModelEngineOptions options = {.vision_tower = clip, .template_name = "vicuna_v1"};
  ModelError err = {0};
  ModelCheckpoint c;

  /* The switch takes the stock tower in place of the checkpoint's own. */
  open_checkpoint(with, &options, &c);
  g_assert_cmpstr(c.tower_origin, ==, "stock");
  g_assert_cmpstr(c.config.template_name, ==, "vicuna_v1");
  g_assert_true(g_str_has_prefix(c.weights.class_embedding.name, "vision_model."));
  assert_tiny_values(&c);
  model_checkpoint_close(&c);
  /* v1.0 without its tower says how to give one. */
  g_assert_cmpint(g_rename(clip, moved), ==, 0);
  g_assert_false(model_checkpoint_open(without, NULL, &c, &err));
  assert_message(&err, MODEL_ERROR_UNSUPPORTED,
                 "*holds no vision tower (its mm_vision_tower is \"clip\"); give the folder*");
  options = (ModelEngineOptions){.vision_tower = moved};
  open_checkpoint(without, &options, &c);
  check_tiny(&c, &(TinyOptions){.linear = TRUE, .v10 = TRUE, .text_only = FALSE});
  model_checkpoint_close(&c);
  g_assert_false(model_checkpoint_open(plain, &options, &c, &err));
  assert_message(&err, MODEL_ERROR_ARGUMENT, "*a text-only model, which has no use for*");
  options.vision_tower = "/nowhere";
  g_assert_false(model_checkpoint_open(with, &options, &c, &err));
  assert_message(&err, MODEL_ERROR_FORMAT, "/nowhere: found neither model.safetensors*");
  remove_tree(with);
  remove_tree(without);
  remove_tree(plain);
}

/* LLaVA's programs stop at max_sequence_length if there is one, else at 2048; sliding attention is
 * full attention within one window. */
static void
test_context(void)
{
  static const struct {
    gboolean text_only;
    const char *to;
    guint context;
  } cases[] = {
      {FALSE, "\"max_position_embeddings\":512", 512},
      {FALSE, "\"max_position_embeddings\":32768", 2048},
      {FALSE, "\"max_position_embeddings\":32768,\"max_sequence_length\":4096", 4096},
      {FALSE, "\"max_position_embeddings\":32768,\"sliding_window\":1024", 1024},
      {FALSE, "\"max_position_embeddings\":32768,\"sliding_window\":null", 2048},
      {TRUE, "\"max_position_embeddings\":32768", 32768},
      {TRUE, "\"max_position_embeddings\":32768,\"sliding_window\":4096", 4096},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const TinyOptions o = {.layout = LAYOUT_ORIGINAL, .text_only = cases[i].text_only};
    g_autofree char *folder = tiny_folder(&o);
    ModelCheckpoint c;
    edit_config(folder, "\"max_position_embeddings\":512", cases[i].to);
    open_checkpoint(folder, NULL, &c);
    g_assert_cmpuint(c.config.decoder.context, ==, cases[i].context);
    model_checkpoint_close(&c);
    remove_tree(folder);
  }
}

/* ---- vocabularies ------------------------------------------------------------------------- */

/* Newer folders list added tokens in tokenizer_config.json; ids without a row are passed over. */
static void
test_added_tokens(void)
{
  const TinyOptions o = {.layout = LAYOUT_ORIGINAL, .extra_rows = 3};
  g_autofree char *folder = tiny_folder(&o);
  static const char added[] = "{\"<s>\":1,\"far\":500,\"b c\":18}";
  static const char decoder[] =
      "{\"added_tokens_decoder\":{\"0\":{\"content\":\"<unk>\"},\"16\":{\"content\":\"[X]\"},"
      "\"18\":{\"content\":\"b c\"}},\"pad_token\":\"[X]\",\"chat_template\":\"[INST]\"}";
  static const char both[] = "{\"other\":18}";
  ModelError err = {0};
  ModelCheckpoint c;

  write_file(folder, "added_tokens.json", added, sizeof added - 1);
  write_file(folder, "tokenizer_config.json", decoder, sizeof decoder - 1);
  open_checkpoint(folder, NULL, &c);
  g_assert_cmpuint(c.vocabulary.n_added, ==, 2);
  g_assert_cmpstr(c.vocabulary.added[0].text, ==, "[X]");
  g_assert_cmpint(c.vocabulary.added[0].id, ==, 16);
  g_assert_cmpstr(c.vocabulary.added[1].text, ==, "b c");
  g_assert_cmpuint(c.config.decoder.vocab, ==, 19);
  g_assert_cmpint(c.config.pad, ==, 16);
  model_checkpoint_close(&c);
  write_file(folder, "added_tokens.json", both, sizeof both - 1);
  g_assert_false(model_checkpoint_open(folder, NULL, &c, &err));
  assert_message(&err, MODEL_ERROR_CORRUPT, "*id 18 is both other and b c");
  remove_tree(folder);
}

/* The Hugging Face conversion of a Mistral says so in its chat template alone. */
static void
test_chat_template(void)
{
  const TinyOptions o = {.layout = LAYOUT_CONVERTED};
  g_autofree char *folder = tiny_folder(&o);
  static const char chat[] = "{\"chat_template\":\"{{ '[INST] ' }}\"}";
  ModelCheckpoint c;

  write_file(folder, "chat_template.json", chat, sizeof chat - 1);
  open_checkpoint(folder, NULL, &c);
  g_assert_cmpstr(c.config.template_name, ==, "mistral_instruct");
  model_checkpoint_close(&c);
  remove_tree(folder);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS(golden_names); i++) {
    g_autofree char *path = g_strconcat("/checkpoint/reference/", golden_names[i], NULL);
    g_test_add_data_func(path, golden_names[i], test_reference);
  }
  g_test_add_func("/checkpoint/stories", test_stories);
  g_test_add_func("/checkpoint/layouts", test_layouts);
  g_test_add_func("/checkpoint/shards", test_shards);
  g_test_add_func("/checkpoint/no-vision-config", test_no_vision_config);
  g_test_add_func("/checkpoint/tower-options", test_tower_options);
  g_test_add_func("/checkpoint/context", test_context);
  g_test_add_func("/checkpoint/added-tokens", test_added_tokens);
  g_test_add_func("/checkpoint/chat-template", test_chat_template);
  return g_test_run();
}
