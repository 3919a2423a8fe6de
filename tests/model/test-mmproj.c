/* llama.cpp's second file: the tower and the projector as its converters of several years wrote
 * them, made here from a tiny model. */
#include "checkpoint/gguf-header.h"
#include "checkpoint/roles.h"

#include "model/checkpoint-fixture.h"

typedef struct {
  gboolean swapped, no_type, all_blocks, feature_layer, newline;
  const char *projector;
  guint run; /* blocks that must be run */
} Mmproj;

static void
put_key(ModelBytes *b, const char *name, guint32 type)
{
  model_bytes_string(b, name, strlen(name));
  model_bytes_u32(b, type);
}

static guint
put_mmproj_keys(ModelBytes *b, const Mmproj *m)
{
  const struct {
    const char *name;
    guint32 value;
  } numbers[] = {{"clip.vision.image_size", TINY_IMAGE},
                 {"clip.vision.patch_size", TINY_PATCH},
                 {"clip.vision.embedding_length", TINY_VISION},
                 {"clip.vision.feed_forward_length", TINY_VISION_FFN},
                 {"clip.vision.block_count", m->all_blocks ? TINY_BLOCKS : TINY_BLOCKS - 1},
                 {"clip.vision.attention.head_count", 3}};
  guint n = 1;

  put_key(b, "general.architecture", MODEL_GGUF_STRING);
  model_bytes_string(b, "clip", 4);
  for (guint i = 0; i < G_N_ELEMENTS(numbers); i++, n++) {
    put_key(b, numbers[i].name, MODEL_GGUF_U32);
    model_bytes_u32(b, numbers[i].value);
  }
  if (!m->no_type) {
    const char *type = m->projector ? m->projector : "mlp";
    put_key(b, "clip.projector_type", MODEL_GGUF_STRING);
    model_bytes_string(b, type, strlen(type));
    n++;
  }
  if (m->feature_layer) {
    put_key(b, "clip.vision.feature_layer", MODEL_GGUF_ARRAY);
    model_bytes_u32(b, MODEL_GGUF_I32);
    model_bytes_u64(b, 1);
    model_bytes_u32(b, m->run);
    n++;
  }
  return n;
}

/* NAME as the legacy converter wrote it. */
static char *
mmproj_name(const char *name, gboolean swapped)
{
  g_autoptr(GString) other = g_string_new(name);

  if (swapped && strstr(name, "ffn_up"))
    g_string_replace(other, "ffn_up", "ffn_down", 1);
  else if (swapped)
    g_string_replace(other, "ffn_down", "ffn_up", 1);
  return g_strdup(other->str);
}

/* The picture side of FROM, in float32, as FOLDER/mmproj.gguf. */
static char *
write_mmproj(const char *folder, ModelCheckpoint *from, const Mmproj *m)
{
  ModelBytes keys = {0}, infos = {0}, data = {0}, all = {0};
  guint n_keys = put_mmproj_keys(&keys, m), n_tensors = 0;
  g_autofree float *row = NULL;
  ModelRole role;

  for (guint i = 0; model_role_at(&from->config, &from->weights, i, &role); i++) {
    g_autofree char *name = mmproj_name(role.gguf, m->swapped);
    if (role.part == MODEL_PART_DECODER ||
        (!m->all_blocks && (strstr(role.gguf, "v.blk.1.") || strstr(role.gguf, "post_ln"))))
      continue;
    model_bytes_string(&infos, name, strlen(name));
    model_bytes_u32(&infos, role.n_dims);
    for (guint d = role.n_dims; d-- > 0;)
      model_bytes_u64(&infos, role.shape[d]);
    model_bytes_u32(&infos, MODEL_TYPE_F32);
    model_bytes_u64(&infos, data.n);
    for (guint64 r = 0; r < model_tensor_rows(role.tensor); r++) {
      read_row(role.tensor, r, &row);
      model_bytes_put(&data, row, model_tensor_columns(role.tensor) * 4);
    }
    while (data.n % 32)
      model_bytes_put(&data, "", 1);
    n_tensors++;
  }
  if (m->newline) {
    model_bytes_string(&infos, "v.image_newline", 15);
    model_bytes_u32(&infos, 1);
    model_bytes_u64(&infos, 1);
    model_bytes_u32(&infos, MODEL_TYPE_F32);
    model_bytes_u64(&infos, data.n);
    model_bytes_u32(&data, 0);
    n_tensors++;
  }
  model_bytes_put(&all, "GGUF", 4);
  model_bytes_u32(&all, 3);
  model_bytes_u64(&all, n_tensors);
  model_bytes_u64(&all, n_keys);
  model_bytes_put(&all, keys.data, keys.n);
  model_bytes_put(&all, infos.data, infos.n);
  while (all.n % 32)
    model_bytes_put(&all, "", 1);
  model_bytes_put(&all, data.data, data.n);
  write_file(folder, "mmproj.gguf", all.data, all.n);
  free(keys.data);
  free(infos.data);
  free(data.data);
  free(all.data);
  return g_build_filename(folder, "mmproj.gguf", NULL);
}

static void
test_mmproj(void)
{
  static const Mmproj cases[] = {
      {.run = 1},
      {.swapped = TRUE, .no_type = TRUE, .run = 1},
      {.all_blocks = TRUE, .feature_layer = TRUE, .run = 1},
      {.all_blocks = TRUE, .feature_layer = TRUE, .run = 2},
      {.all_blocks = TRUE, .run = 1}, /* post_ln gives it away */
      {.all_blocks = TRUE, .swapped = TRUE, .run = 1},
  };
  const TinyOptions whole = {.layout = LAYOUT_ORIGINAL}, text = {.text_only = TRUE};
  g_autofree char *folder = tiny_folder(&whole), *decoder = tiny_folder(&text);
  g_autofree char *llm = g_build_filename(decoder, "llm.gguf", NULL);
  ModelCheckpoint from, c;

  open_checkpoint(decoder, NULL, &c);
  g_assert_true(model_gguf_write(&c, "f16", NULL, llm, NULL, NULL, NULL));
  model_checkpoint_close(&c);
  open_checkpoint(folder, NULL, &from);
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = write_mmproj(decoder, &from, &cases[i]);
    ModelEngineOptions options = {.mmproj = path};
    const char *const models[] = {llm, folder};
    g_test_message("case %u", i);
    for (guint k = 0; k < 2; k++) {
      open_checkpoint(models[k], &options, &c);
      g_assert_cmpuint(assert_tiny_values(&c), ==,
                       3 + 9 * TINY_LAYERS + 4 + 5 + (cases[i].all_blocks ? 34 : 16));
      g_assert_cmpuint(c.config.vision.blocks_run, ==, cases[i].run);
      g_assert_cmpuint(c.config.vision.blocks_stored, ==, cases[i].all_blocks ? 2 : 1);
      g_assert_cmpint(c.config.projector, ==, MODEL_PROJECTOR_MLP2X_GELU);
      model_checkpoint_close(&c);
    }
  }
  model_checkpoint_close(&from);
  remove_tree(folder);
  remove_tree(decoder);
}

static void
test_mmproj_refused(void)
{
  static const struct {
    Mmproj m;
    ModelErrorCode code;
    const char *pattern;
  } cases[] = {
      {{.projector = "ldpv2"}, MODEL_ERROR_UNSUPPORTED, "*clip.projector_type is \"ldpv2\"*"},
      {{.newline = TRUE}, MODEL_ERROR_UNSUPPORTED, "*image_newline*"},
      {{.feature_layer = TRUE, .run = 9}, MODEL_ERROR_CORRUPT, "*feature_layer gives 9, but*1 b*"},
  };
  const TinyOptions whole = {.layout = LAYOUT_ORIGINAL};
  g_autofree char *folder = tiny_folder(&whole), *place = new_folder();
  ModelCheckpoint from, c;
  ModelError err = {0};

  open_checkpoint(folder, NULL, &from);
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = write_mmproj(place, &from, &cases[i].m);
    ModelEngineOptions options = {.mmproj = path};
    g_assert_false(model_checkpoint_open(folder, &options, &c, &err));
    assert_message(&err, cases[i].code, cases[i].pattern);
    g_assert_false(model_checkpoint_open(path, NULL, &c, &err));
    assert_message(&err, MODEL_ERROR_UNSUPPORTED, "*architecture is \"clip\", expected llama (a*");
  }
  model_checkpoint_close(&from);
  remove_tree(folder);
  remove_tree(place);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/mmproj/styles", test_mmproj);
  g_test_add_func("/mmproj/refused", test_mmproj_refused);
  return g_test_run();
}
