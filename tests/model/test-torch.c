/* Files of torch.save(): the same model as from safetensors; what is no dictionary of tensors is
 * refused by its name, what is damaged with the place. */
#include "checkpoint/table.h"
#include "checkpoint/write.h"

#include "model/torch-fixture.h"

static char *
identity(const char *path, const ModelEngineOptions *options)
{
  ModelCheckpoint c;
  char hex[65];

  open_checkpoint(path, options, &c);
  g_assert_true(model_checkpoint_sha256(&c, hex, NULL));
  model_checkpoint_close(&c);
  return g_strdup(hex);
}

static void
remove_in(const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename(folder, name, NULL);

  g_assert_cmpint(g_remove(path), ==, 0);
}

/* One file, and its tower's too. */
static void
test_single(void)
{
  static const TinyOptions cases[] = {
      {.layout = LAYOUT_ORIGINAL},
      {.layout = LAYOUT_CONVERTED, .extra_rows = 5},
      {.layout = LAYOUT_ORIGINAL, .linear = TRUE, .v10 = TRUE},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *folder = tiny_folder(&cases[i]);
    g_autofree char *before = identity(folder, NULL), *after = NULL;
    torch_from_safetensors(folder, "model.safetensors", "pytorch_model.bin", i % 2);
    remove_in(folder, "model.safetensors");
    if (cases[i].v10) {
      g_autofree char *clip = g_build_filename(folder, "clip", NULL);
      torch_from_safetensors(clip, "model.safetensors", "pytorch_model.bin", FALSE);
      remove_in(clip, "model.safetensors");
    }
    after = identity(folder, NULL);
    g_assert_cmpstr(before, ==, after);
    remove_tree(folder);
  }
}

static void
test_shards(void)
{
  const TinyOptions o = {.layout = LAYOUT_ORIGINAL};
  g_autofree char *folder = tiny_folder(&o), *before = identity(folder, NULL), *after = NULL;
  g_autofree char *path = g_build_filename(folder, "model.safetensors", NULL);
  g_autoptr(GString) index = g_string_new("{\"weight_map\":{");
  ModelMapping *mapping = NULL;
  ModelTable table = {0};
  ModelCheckpoint c;
  ModelError err = {0};
  TorchFile files[2];

  g_assert_true(model_mapping_open(path, &mapping, NULL));
  g_assert_true(model_safetensors_read(mapping, &table, NULL));
  for (guint i = 0; i < 2; i++)
    torch_file_init(&files[i], FALSE);
  for (guint i = 0; i < table.n; i++) {
    const ModelTensor *t = &table.entries[i].tensor;
    guint dims[5] = {0};
    for (guint d = 0; d < t->n_dims; d++)
      dims[d] = (guint)t->shape[d];
    torch_file_add(&files[i % 2], t->name, dims, (const float *)t->data);
    g_string_append_printf(index, "%s\"%s\":\"pytorch_model-0000%u-of-00002.bin\"", i ? "," : "",
                           t->name, i % 2 + 1);
  }
  g_string_append(index, "}}");
  for (guint i = 0; i < 2; i++) {
    g_autoptr(GByteArray) bytes = torch_file_end(&files[i]);
    g_autofree char *name = g_strdup_printf("pytorch_model-0000%u-of-00002.bin", i + 1);
    write_file(folder, name, bytes->data, bytes->len);
  }
  write_file(folder, "pytorch_model.bin.index.json", index->str, index->len);
  model_table_clear(&table);
  model_mapping_free(mapping);
  remove_in(folder, "model.safetensors");
  after = identity(folder, NULL);
  g_assert_cmpstr(before, ==, after);
  remove_in(folder, "pytorch_model-00002-of-00002.bin");
  g_assert_false(model_checkpoint_open(folder, NULL, &c, &err));
  assert_message(&err, MODEL_ERROR_IO, "*pytorch_model-00002-of-00002.bin: cannot open*");
  remove_tree(folder);
}

/* LLaVA's mm_projector.bin makes a picture model of a text model. */
static void
test_projector(void)
{
  const TinyOptions text = {.layout = LAYOUT_ORIGINAL, .text_only = TRUE}, whole = {0};
  const TinyOptions v10 = {.layout = LAYOUT_ORIGINAL, .linear = TRUE, .v10 = TRUE};
  g_autofree char *folder = tiny_folder(&text), *extra = tiny_folder(&whole);
  g_autofree char *tower = tiny_folder(&v10), *clip = g_build_filename(tower, "clip", NULL);
  g_autofree char *bin = g_build_filename(extra, "mm_projector.bin", NULL);
  const ModelEngineOptions options = {.mmproj = bin, .vision_tower = clip};
  const ModelEngineOptions none = {.mmproj = bin};
  ModelCheckpoint c;
  ModelError err = {0};

  torch_from_safetensors(extra, "model.safetensors", "mm_projector.bin", FALSE);
  open_checkpoint(folder, &options, &c);
  g_assert_true(c.config.has_vision);
  g_assert_cmpint(c.config.projector, ==, MODEL_PROJECTOR_MLP2X_GELU);
  g_assert_cmpint(c.config.aspect, ==, MODEL_ASPECT_PAD);
  g_assert_cmpstr(c.config.template_name, ==, "mistral_instruct");
  g_assert_cmpstr(c.tower_origin, ==, "stock");
  assert_tiny_values(&c);
  model_checkpoint_close(&c);
  g_assert_false(model_checkpoint_open(folder, &none, &c, &err));
  assert_message(&err, MODEL_ERROR_UNSUPPORTED, "*holds no vision tower*");
  /* A file without a projector. */
  torch_from_safetensors(folder, "model.safetensors", "other.bin", FALSE);
  g_free(bin);
  bin = g_build_filename(folder, "other.bin", NULL);
  g_assert_false(model_checkpoint_open(
      folder, &(ModelEngineOptions){.mmproj = bin, .vision_tower = clip}, &c, &err));
  assert_message(&err, MODEL_ERROR_FORMAT, "*other.bin: found no tensor mm_projector*");
  remove_tree(folder);
  remove_tree(extra);
  remove_tree(tower);
}

/* ---- what is refused ---------------------------------------------------------------------- */

static bool
read_bytes(const GByteArray *bytes, ModelError *err)
{
  g_autofree char *folder = new_folder(), *path = g_build_filename(folder, "x.bin", NULL);
  ModelMapping *mapping = NULL;
  ModelTable table = {0};
  bool ok;

  *err = (ModelError){0};
  write_file(folder, "x.bin", bytes->data, bytes->len);
  g_assert_true(model_mapping_open(path, &mapping, err));
  ok = model_torch_read(mapping, &table, err);
  model_table_clear(&table);
  model_mapping_free(mapping);
  remove_tree(folder);
  return ok;
}

static bool
read_pickle(const char *pickle, gsize n, ModelError *err)
{
  static const guint8 storage[64];
  g_autoptr(GByteArray) bytes = NULL;
  TorchZip zip;

  torch_zip_init(&zip, FALSE);
  torch_zip_add(&zip, "x/data/0", storage, sizeof storage);
  torch_zip_add(&zip, "x/data.pkl", pickle, n);
  bytes = torch_zip_end(&zip);
  return read_bytes(bytes, err);
}

#define OPENING "\x80\x02}("
#define NAME "X\1\0\0\0a"
#define STORAGE(class, key, n)                                                                     \
  "((X\7\0\0\0storagectorch\n" class "\nX\1\0\0\0" key "X\3\0\0\0cpuK" n "tQ"
#define BUILD "ctorch._utils\n_rebuild_tensor_v2\n"

static void
test_refused(void)
{
  static const struct {
    const char *pickle;
    gsize n;
    ModelErrorCode code;
    const char *pattern;
  } cases[] = {
#define CASE(text, code, pattern) {text, sizeof text - 1, code, pattern}
      CASE("\x80\x02"
           "cos\nsystem\nX\4\0\0\0true\x85R.",
           MODEL_ERROR_UNSUPPORTED,
           "*asks for os.system, which a dictionary of tensors does not need*never run*"),
      CASE("\x80\x04\x8c\2os\x8c\6system\x93.", MODEL_ERROR_UNSUPPORTED, "*asks for os.system*"),
      CASE("\x80\x02"
           "c__builtin__\neval\n.",
           MODEL_ERROR_UNSUPPORTED, "*__builtin__.eval*"),
      CASE("\x80\x02]q\0.", MODEL_ERROR_UNSUPPORTED, "*holds a list, expected a dictionary*"),
      CASE(OPENING NAME "K\1u.", MODEL_ERROR_UNSUPPORTED, "*\"a\" is a number, expected*"),
      CASE(OPENING "X\5\0\0\0model}u.", MODEL_ERROR_UNSUPPORTED, "*\"model\" is a dictionary*"),
      CASE(OPENING "K\1K\1u.", MODEL_ERROR_CORRUPT, "*a key that is no name*"),
      CASE(OPENING NAME "u.", MODEL_ERROR_CORRUPT, "*1 keys and values*"),
      CASE(OPENING NAME BUILD STORAGE("FloatStorage", "0", "\x10") "K\1K\x10\x85K\1\x85tRu.",
           MODEL_ERROR_CORRUPT, "*a tensor of 16 values at 1 of a storage of 16*"),
      CASE(OPENING NAME BUILD STORAGE("FloatStorage", "0", "\x11") "K\0K\1\x85K\1\x85tRu.",
           MODEL_ERROR_CORRUPT, "*data/0: 17 values of float32, but 64 bytes*"),
      CASE(OPENING NAME BUILD STORAGE("FloatStorage", "9", "\x10") "K\0K\1\x85K\1\x85tRu.",
           MODEL_ERROR_CORRUPT, "*storage data/9 is not in the archive*"),
      CASE(OPENING NAME BUILD STORAGE("QuantStorage", "0", "\x10") "K\0K\1\x85K\1\x85tRu.",
           MODEL_ERROR_UNSUPPORTED, "*asks for torch.QuantStorage*"),
      CASE("\x80\x02}R.", MODEL_ERROR_CORRUPT, "*2 values are needed, 1*"),
      CASE("\x80\x02}}R.", MODEL_ERROR_CORRUPT, "*a call of a dictionary with a dictionary*"),
      CASE("\x80\x02u.", MODEL_ERROR_CORRUPT, "*no mark*"),
      CASE("\x80\x02h\5.", MODEL_ERROR_CORRUPT, "*memo 5 was never put*"),
      CASE("\x80\x02}r\xff\xff\xff\x7f.", MODEL_ERROR_CORRUPT, "*memo 2147483647*"),
      CASE("\x80\x02X\xff\0\0\0a", MODEL_ERROR_CORRUPT, "*255 bytes are needed, 1*"),
      CASE("\x80\x02}\x81.", MODEL_ERROR_CORRUPT, "*operation 0x81, which*"),
      CASE("\x80\x02}", MODEL_ERROR_CORRUPT, "*1 bytes are needed, 0 are left*"),
#undef CASE
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    ModelError err;
    g_test_message("case %u", i);
    g_assert_false(read_pickle(cases[i].pickle, cases[i].n, &err));
    assert_message(&err, cases[i].code, cases[i].pattern);
  }
}

/* Steps of a transposed matrix; its type says so where a role would need it. */
static void
test_view(void)
{
  static const char pickle[] =
      OPENING NAME BUILD STORAGE("FloatStorage", "0", "\x10") "K\0K\2K\3\x86K\1K\2\x86tRu.";
  g_autofree char *folder = new_folder(), *path = g_build_filename(folder, "x.bin", NULL);
  static const guint8 storage[64];
  g_autoptr(GByteArray) bytes = NULL;
  ModelMapping *mapping = NULL;
  ModelTable table = {0};
  TorchZip zip;

  torch_zip_init(&zip, FALSE);
  torch_zip_add(&zip, "x/data/0", storage, sizeof storage);
  torch_zip_add(&zip, "x/data.pkl", pickle, sizeof pickle - 1);
  bytes = torch_zip_end(&zip);
  write_file(folder, "x.bin", bytes->data, bytes->len);
  g_assert_true(model_mapping_open(path, &mapping, NULL));
  g_assert_true(model_torch_read(mapping, &table, NULL));
  g_assert_cmpuint(table.n, ==, 1);
  g_assert_cmpint(table.entries[0].tensor.type, ==, MODEL_TYPE_NOT_READ);
  g_assert_cmpstr(table.entries[0].type_name, ==, "of a view that is not contiguous");
  model_table_clear(&table);
  model_mapping_free(mapping);
  remove_tree(folder);
}

static void
test_archive(void)
{
  static const char old[] = "\x80\x02\x8a\x0al\xfc\x9c"
                            "F\xf9 j\xa8P\x19.";
  g_autoptr(GByteArray) bytes = g_byte_array_new(), empty = NULL, big = NULL;
  const guint dims[] = {2, 0};
  const float values[] = {1, 2};
  ModelError err;
  TorchFile file;
  TorchZip zip;

  g_byte_array_append(bytes, (const guint8 *)old, sizeof old);
  g_assert_false(read_bytes(bytes, &err));
  assert_message(&err, MODEL_ERROR_UNSUPPORTED, "*from before PyTorch 1.6*save it again*");
  g_byte_array_set_size(bytes, 0);
  g_byte_array_append(bytes, (const guint8 *)"GGUF", 4);
  g_assert_false(read_bytes(bytes, &err));
  assert_message(&err, MODEL_ERROR_FORMAT, "*expected the zip archive of torch.save()");
  torch_zip_init(&zip, FALSE);
  torch_zip_add(&zip, "word/document.xml", "<x/>", 4);
  empty = torch_zip_end(&zip);
  g_assert_false(read_bytes(empty, &err));
  assert_message(&err, MODEL_ERROR_FORMAT, "*a zip archive without data.pkl*");
  torch_zip_init(&zip, FALSE);
  torch_zip_add(&zip, "x/data.pkl", "\x80\x02}.", 4);
  torch_zip_add(&zip, "x/byteorder", "big", 3);
  big = torch_zip_end(&zip);
  g_assert_false(read_bytes(big, &err));
  assert_message(&err, MODEL_ERROR_UNSUPPORTED, "*byteorder is not little*");
  /* Cut short anywhere. */
  g_byte_array_unref(bytes);
  torch_file_init(&file, TRUE);
  torch_file_add(&file, "a", dims, values);
  bytes = torch_file_end(&file);
  g_assert_true(read_bytes(bytes, &err));
  while (bytes->len > 1) {
    g_byte_array_set_size(bytes, bytes->len - 1);
    g_assert_false(read_bytes(bytes, &err));
    g_assert_cmpint(err.code, !=, MODEL_OK);
  }
}

/* A compressed entry, which other programs may write. */
static void
test_compressed(void)
{
  g_autoptr(GByteArray) bytes = NULL;
  ModelError err;
  TorchZip zip;

  torch_zip_init(&zip, FALSE);
  torch_zip_add(&zip, "x/data.pkl", "\x80\x02}.", 4);
  zip.central->data[10] = 8;
  bytes = torch_zip_end(&zip);
  g_assert_false(read_bytes(bytes, &err));
  assert_message(&err, MODEL_ERROR_UNSUPPORTED, "*is compressed or encrypted*");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/torch/single", test_single);
  g_test_add_func("/torch/shards", test_shards);
  g_test_add_func("/torch/projector", test_projector);
  g_test_add_func("/torch/refused", test_refused);
  g_test_add_func("/torch/view", test_view);
  g_test_add_func("/torch/archive", test_archive);
  g_test_add_func("/torch/compressed", test_compressed);
  return g_test_run();
}
