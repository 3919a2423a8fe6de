/* A delta and its base, an adapter and its model: merged while they are converted, refused before
 * that where they do not go together. */
#include "checkpoint/write.h"

#include "model/torch-fixture.h"

#include <math.h>

#define SMALL 128.0f /* a delta's values are this much smaller; all sums are exact in float32 */

/* The decoder's values in model.safetensors of FOLDER divided by SMALL. */
static void
make_delta(const char *folder)
{
  g_autofree char *path = g_build_filename(folder, "model.safetensors", NULL), *bytes = NULL;
  ModelMapping *mapping = NULL;
  ModelTable table = {0};
  gsize n;

  g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
  g_assert_true(model_mapping_open(path, &mapping, NULL));
  g_assert_true(model_safetensors_read(mapping, &table, NULL));
  for (guint i = 0; i < table.n; i++) {
    const ModelTensor *t = &table.entries[i].tensor;
    char *at = bytes + (t->data - mapping->data);
    for (gsize k = 0; !strstr(t->name, "mm_projector") && k < t->n_bytes; k += 4) {
      float value;
      memcpy(&value, at + k, 4);
      value /= SMALL;
      memcpy(at + k, &value, 4);
    }
  }
  model_table_clear(&table);
  model_mapping_free(mapping);
  write_file(folder, "model.safetensors", bytes, n);
}

static bool
convert(const char *path, const ModelEngineOptions *open, const char *out, ModelError *err)
{
  const ModelConvertOptions options = {.type = "f32", .verify = MODEL_VERIFY_ALL};

  *err = (ModelError){0};
  return model_convert(path, open, &options, out, NULL, NULL, NULL, err);
}

/* The row of the original that row ROW of a GGUF's q or k is; heads of four. */
static guint64
original_row(const char *name, guint64 row)
{
  gboolean permuted =
      g_str_has_prefix(name, "model.layers.") && (strstr(name, "q_proj") || strstr(name, "k_proj"));

  return permuted ? row / 4 * 4 + row % 2 * 2 + row % 4 / 2 : row;
}

/* ---- deltas ------------------------------------------------------------------------------- */

static const TinyOptions delta_options = {.layout = LAYOUT_ORIGINAL, .linear = TRUE, .v10 = TRUE};
static const TinyOptions base_options = {.layout = LAYOUT_ORIGINAL, .text_only = TRUE};

static void
check_sum(const char *path)
{
  g_autofree float *values = NULL;
  const ModelTensor *tensor;
  ModelCheckpoint c;
  char name[256];

  open_checkpoint(path, NULL, &c);
  g_assert_nonnull(strstr(c.card, "- a delta, added to: "));
  for (guint i = 0; (tensor = model_checkpoint_tensor(&c, i, name)); i++) {
    gboolean decoder = !strstr(name, "vision") && !strstr(name, "mm_projector");
    gboolean table = strstr(name, "embed_tokens") || strstr(name, "lm_head");
    guint64 columns = model_tensor_columns(tensor);
    for (guint64 row = 0; row < model_tensor_rows(tensor); row++) {
      guint64 from = original_row(name, row);
      read_row(tensor, row, &values);
      for (guint64 k = 0; k < columns; k++) {
        float value = tiny_value(name, from * columns + k);
        if (decoder)
          value = value / SMALL + (table && row >= TINY_PIECES ? 0 : value);
        g_assert_cmpfloat(values[k], ==, value);
      }
    }
  }
  model_checkpoint_close(&c);
}

static void
test_delta(void)
{
  g_autofree char *delta = tiny_folder(&delta_options), *base = tiny_folder(&base_options);
  g_autofree char *out = g_build_filename(delta, "out.gguf", NULL);
  const ModelEngineOptions options = {.base = base};
  ModelError err;

  make_delta(delta);
  if (!convert(delta, &options, out, &err))
    g_error("%s", err.message);
  check_sum(out);
  /* The same from pickles. */
  torch_from_safetensors(base, "model.safetensors", "pytorch_model.bin", TRUE);
  torch_from_safetensors(delta, "model.safetensors", "pytorch_model.bin", FALSE);
  for (guint i = 0; i < 2; i++) {
    g_autofree char *path = g_build_filename(i ? base : delta, "model.safetensors", NULL);
    g_remove(path);
  }
  g_assert_true(convert(delta, &options, out, &err));
  check_sum(out);
  remove_tree(delta);
  remove_tree(base);
}

static void
test_delta_refused(void)
{
  g_autofree char *delta = tiny_folder(&delta_options), *base = tiny_folder(&base_options);
  g_autofree char *whole = tiny_folder(&delta_options);
  g_autofree char *out = g_build_filename(delta, "out.gguf", NULL);
  ModelEngineOptions options = {.base = base};
  ModelCheckpoint c;
  ModelError err = {0};

  make_delta(delta);
  g_assert_false(model_checkpoint_open(delta, NULL, &c, &err));
  assert_message(&err, MODEL_ERROR_UNSUPPORTED,
                 "*this is a delta, not a model*LLaMA-7B*convert DELTA --base LLAMA*");
  g_assert_null(model_engine_open(delta, NULL, &err));
  g_assert_null(model_engine_open(delta, &options, &err));
  assert_message(&err, MODEL_ERROR_ARGUMENT, "*merged by converting it*");
  g_assert_false(convert(whole, &options, out, &err));
  assert_message(&err, MODEL_ERROR_ARGUMENT, "*a whole model and no delta*");
  options.base = whole; /* four rows more than the delta's base */
  g_assert_false(convert(base, &options, out, &err));
  options.base = delta;
  g_assert_true(convert(delta, &options, out, &err)); /* nonsense, but of the right shape */
  options.base = "/nonexistent";
  g_assert_false(convert(delta, &options, out, &err));
  g_assert_nonnull(strstr(err.message, "/nonexistent"));
  /* A base of another size, and one that lacks a tensor. */
  edit_config(base, "\"num_hidden_layers\":2", "\"num_hidden_layers\":2 ");
  {
    TinyFile file;
    g_autoptr(GByteArray) bytes = NULL;
    tiny_file_init(&file);
    tiny_add(&file, "model.embed_tokens.weight", "model.embed_tokens.weight", 16, 9, 0, 0);
    bytes = tiny_file_bytes(&file);
    write_file(base, "model.safetensors", bytes->data, bytes->len);
  }
  options.base = base;
  g_assert_false(convert(delta, &options, out, &err));
  assert_message(&err, MODEL_ERROR_CORRUPT,
                 "*embed_tokens.weight has shape [16, 9], the delta's has [20, 8]*");
  {
    TinyFile file;
    g_autoptr(GByteArray) bytes = NULL;
    tiny_file_init(&file);
    tiny_add(&file, "model.embed_tokens.weight", "model.embed_tokens.weight", 16, 8, 0, 0);
    bytes = tiny_file_bytes(&file);
    write_file(base, "model.safetensors", bytes->data, bytes->len);
  }
  g_assert_false(convert(delta, &options, out, &err));
  assert_message(&err, MODEL_ERROR_CORRUPT, "*layers.0.input_layernorm.weight is missing, which*");
  remove_tree(delta);
  remove_tree(base);
  remove_tree(whole);
}

/* ---- adapters ----------------------------------------------------------------------------- */

#define RANK 3

typedef struct {
  const char *module; /* in the original's names, without ".weight" */
  guint rows, columns;
} Adapted;

static const Adapted adapted[] = {
    {"model.layers.0.self_attn.q_proj", TINY_HEADS *TINY_HEAD, TINY_HIDDEN},
    {"model.layers.1.self_attn.k_proj", TINY_KV *TINY_HEAD, TINY_HIDDEN},
    {"model.layers.1.mlp.down_proj", TINY_HIDDEN, TINY_FFN},
    {"model.layers.0.mlp.up_proj", TINY_FFN, TINY_HIDDEN},
};

static void
add_half(TinyFile *file, const char *prefix, const char *module, const char *half, guint rows,
         guint columns)
{
  g_autofree char *original = g_strconcat(module, half, NULL);
  g_autofree char *name = g_strdup_printf("base_model.model.%s%s.lora_%s.weight", prefix,
                                          module + strlen(*prefix ? "model." : ""), half);

  tiny_add(file, original, name, rows, columns, 0, 0);
}

/* PREFIX: stands for "model." in the names; "" keeps them. */
static char *
make_adapter(const char *prefix, const char *config)
{
  char *folder = new_folder();
  g_autoptr(GByteArray) bytes = NULL;
  TinyFile file;

  tiny_file_init(&file);
  for (guint i = 0; i < G_N_ELEMENTS(adapted); i++) {
    add_half(&file, prefix, adapted[i].module, "A", RANK, adapted[i].columns);
    add_half(&file, prefix, adapted[i].module, "B", adapted[i].rows, RANK);
  }
  bytes = tiny_file_bytes(&file);
  write_file(folder, "adapter_model.safetensors", bytes->data, bytes->len);
  write_file(folder, "adapter_config.json", config, strlen(config));
  return folder;
}

/* BA of the module's weight at ROW and COLUMN. */
static double
product(const char *module, guint64 row, guint64 column, guint columns)
{
  g_autofree char *a = g_strconcat(module, "A", NULL), *b = g_strconcat(module, "B", NULL);
  double sum = 0;

  for (guint r = 0; r < RANK; r++)
    sum += (double)tiny_value(b, row * RANK + r) * (double)tiny_value(a, r * columns + column);
  return sum;
}

static void
check_adapted(const char *path, double scale)
{
  g_autofree float *values = NULL;
  const ModelTensor *tensor;
  ModelCheckpoint c;
  char name[256];
  guint n = 0;

  open_checkpoint(path, NULL, &c);
  g_assert_nonnull(strstr(c.card, ", rank 3, alpha "));
  for (guint i = 0; (tensor = model_checkpoint_tensor(&c, i, name)); i++) {
    guint64 columns = model_tensor_columns(tensor);
    const Adapted *by = NULL;
    for (guint k = 0; k < G_N_ELEMENTS(adapted); k++)
      if (g_str_has_prefix(name, adapted[k].module))
        by = &adapted[k];
    n += by != NULL;
    for (guint64 row = 0; row < model_tensor_rows(tensor); row++) {
      guint64 from = original_row(name, row);
      read_row(tensor, row, &values);
      for (guint64 k = 0; k < columns; k++) {
        double value = (double)tiny_value(name, from * columns + k);
        if (by)
          value += scale * product(by->module, from, k, by->columns);
        /* One rounding of a sum of about 10. */
        g_assert_cmpfloat(fabs((double)values[k] - value), <=, by ? 1e-5 : 0);
      }
    }
  }
  g_assert_cmpuint(n, ==, G_N_ELEMENTS(adapted));
  model_checkpoint_close(&c);
}

static void
test_lora(void)
{
  static const struct {
    Layout layout;
    const char *prefix, *config;
    double scale;
  } cases[] = {
      {LAYOUT_ORIGINAL, "", "{\"peft_type\":\"LORA\",\"r\":3,\"lora_alpha\":6}", 2},
      {LAYOUT_ORIGINAL, "", "{\"r\":3,\"lora_alpha\":1.5,\"use_rslora\":true}", 0.866025404},
      {LAYOUT_CONVERTED, "language_model.model.", "{\"lora_alpha\":3,\"alpha_pattern\":{}}", 1},
      {LAYOUT_NEWEST, "model.language_model.", "{\"lora_alpha\":3,\"use_dora\":false}", 1},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const TinyOptions o = {.layout = cases[i].layout};
    g_autofree char *folder = tiny_folder(&o);
    g_autofree char *lora = make_adapter(cases[i].prefix, cases[i].config);
    g_autofree char *out = g_build_filename(lora, "out.gguf", NULL);
    g_autofree char *plain = g_build_filename(lora, "plain.gguf", NULL);
    const ModelEngineOptions options = {.lora = lora};
    ModelError err;
    g_test_message("case %u", i);
    if (!convert(folder, &options, out, &err))
      g_error("%s", err.message);
    check_adapted(out, cases[i].scale);
    /* Into a GGUF, whose rows are in another order, and from a pickle. */
    torch_from_safetensors(lora, "adapter_model.safetensors", "adapter_model.bin", FALSE);
    {
      g_autofree char *path = g_build_filename(lora, "adapter_model.safetensors", NULL);
      g_remove(path);
    }
    g_assert_true(convert(folder, NULL, plain, &err));
    g_assert_true(convert(plain, &options, out, &err));
    check_adapted(out, cases[i].scale);
    remove_tree(folder);
    remove_tree(lora);
  }
}

/* A text model, an adapter to it, and the projector that was trained beside it: LLaVA's usual LoRA
 * folder. */
static void
test_lora_picture(void)
{
  const TinyOptions whole = {.layout = LAYOUT_ORIGINAL};
  g_autofree char *folder = tiny_folder(&base_options), *other = tiny_folder(&whole);
  g_autofree char *v10 = tiny_folder(&delta_options), *clip = g_build_filename(v10, "clip", NULL);
  g_autofree char *lora = make_adapter("", "{\"r\":3,\"lora_alpha\":6}");
  g_autofree char *out = g_build_filename(lora, "out.gguf", NULL), *config = NULL;
  g_autofree char *from = g_build_filename(other, "config.json", NULL);
  const ModelEngineOptions options = {.lora = lora, .vision_tower = clip};
  g_autoptr(GByteArray) bytes = NULL;
  ModelCheckpoint c;
  ModelError err;
  TinyFile file;
  gsize n;

  tiny_file_init(&file);
  for (guint i = 0; i < 4; i++) {
    g_autofree char *name =
        g_strdup_printf("model.mm_projector.%u.%s", i / 2 * 2, i % 2 ? "bias" : "weight");
    g_autofree char *full = g_strdup_printf("base_model.model.%s", name);
    tiny_add(&file, name, full, TINY_HIDDEN, i % 2 ? 0 : i ? TINY_HIDDEN : TINY_VISION, 0, 0);
  }
  bytes = tiny_file_bytes(&file);
  write_file(lora, "n.safetensors", bytes->data, bytes->len);
  torch_from_safetensors(lora, "n.safetensors", "non_lora_trainables.bin", FALSE);
  g_assert_true(g_file_get_contents(from, &config, &n, NULL));
  write_file(lora, "config.json", config, n);
  if (!convert(folder, &options, out, &err))
    g_error("%s", err.message);
  check_adapted(out, 2);
  open_checkpoint(out, NULL, &c);
  g_assert_true(c.config.has_vision);
  g_assert_cmpint(c.config.projector, ==, MODEL_PROJECTOR_MLP2X_GELU);
  model_checkpoint_close(&c);
  /* A GGUF cannot be made a picture model that way. */
  g_assert_false(convert(out, &(ModelEngineOptions){.lora = lora}, out, &err));
  assert_message(&err, MODEL_ERROR_UNSUPPORTED, "*non_lora_trainables*GGUF file");
  remove_tree(folder);
  remove_tree(other);
  remove_tree(v10);
  remove_tree(lora);
}

/* modules_to_save: a whole tensor. */
static void
test_lora_whole(void)
{
  const TinyOptions whole = {.layout = LAYOUT_ORIGINAL};
  g_autofree char *folder = tiny_folder(&whole), *lora = new_folder();
  g_autofree char *out = g_build_filename(lora, "out.gguf", NULL);
  const char *config = "{\"r\":3}";
  const ModelEngineOptions options = {.lora = lora};
  g_autoptr(GByteArray) bytes = NULL;
  g_autofree float *values = NULL;
  ModelCheckpoint c;
  ModelError err;
  TinyFile file;

  tiny_file_init(&file);
  add_half(&file, "", adapted[0].module, "A", RANK, adapted[0].columns);
  add_half(&file, "", adapted[0].module, "B", adapted[0].rows, RANK);
  tiny_add(&file, "another", "base_model.model.lm_head.weight", TINY_PIECES, TINY_HIDDEN, 0, 0);
  bytes = tiny_file_bytes(&file);
  write_file(lora, "adapter_model.safetensors", bytes->data, bytes->len);
  write_file(lora, "adapter_config.json", config, strlen(config));
  g_assert_true(convert(folder, &options, out, &err));
  open_checkpoint(out, NULL, &c);
  read_row(&c.weights.output, 5, &values);
  for (guint i = 0; i < TINY_HIDDEN; i++)
    g_assert_cmpfloat(values[i], ==, tiny_value("another", 5 * TINY_HIDDEN + i));
  model_checkpoint_close(&c);
  remove_tree(folder);
  remove_tree(lora);
}

static void
test_lora_refused(void)
{
  static const struct {
    const char *config, *name; /* of one more tensor */
    guint rows, columns;
    ModelErrorCode code;
    const char *pattern;
  } cases[] = {
      {"{\"use_dora\":true}", NULL, 0, 0, MODEL_ERROR_UNSUPPORTED, "*use_dora is not supported"},
      {"{\"alpha_pattern\":{\"x\":4}}", NULL, 0, 0, MODEL_ERROR_UNSUPPORTED, "*alpha_pattern*"},
      {"{\"peft_type\":\"IA3\"}", NULL, 0, 0, MODEL_ERROR_UNSUPPORTED, "*\"IA3\", expected LORA"},
      {"{\"lora_alpha\":\"x\"}", NULL, 0, 0, MODEL_ERROR_CORRUPT, "*lora_alpha*"},
      {"{}", "base_model.model.model.layers.7.mlp.up_proj.lora_A.weight", 3, 8,
       MODEL_ERROR_UNSUPPORTED, "*layers.7.mlp.up_proj.lora_A.weight belongs to no tensor of*"},
      {"{}", "base_model.model.model.layers.0.mlp.gate_proj.lora_A.weight", 3, 8,
       MODEL_ERROR_CORRUPT, "*gate_proj.lora_A.weight is there without its other half"},
      {"{}", "base_model.model.lm_head.weight", 16, 9, MODEL_ERROR_CORRUPT,
       "*lm_head.weight has shape [16, 9], expected [16, 8]*"},
  };
  g_autofree char *folder = tiny_folder(&base_options);
  g_autofree char *out = g_build_filename(folder, "out.gguf", NULL);
  ModelEngineOptions options = {.lora = folder};
  ModelError err;

  g_assert_false(convert(folder, &options, out, &err));
  assert_message(&err, MODEL_ERROR_FORMAT, "*no adapter_config.json, so it holds no PEFT adapter");
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *lora = new_folder();
    g_autoptr(GByteArray) bytes = NULL;
    TinyFile file;
    tiny_file_init(&file);
    add_half(&file, "", adapted[0].module, "A", RANK, adapted[0].columns);
    add_half(&file, "", adapted[0].module, "B", adapted[0].rows, RANK);
    if (cases[i].name)
      tiny_add(&file, "x", cases[i].name, cases[i].rows, cases[i].columns, 0, 0);
    bytes = tiny_file_bytes(&file);
    write_file(lora, "adapter_model.safetensors", bytes->data, bytes->len);
    write_file(lora, "adapter_config.json", cases[i].config, strlen(cases[i].config));
    options.lora = lora;
    g_assert_false(convert(folder, &options, out, &err));
    assert_message(&err, cases[i].code, cases[i].pattern);
    remove_tree(lora);
  }
  /* An adapter to a wider model. */
  {
    g_autofree char *lora = new_folder();
    g_autoptr(GByteArray) bytes = NULL;
    TinyFile file;
    tiny_file_init(&file);
    add_half(&file, "", adapted[0].module, "A", RANK, adapted[0].columns + 1);
    add_half(&file, "", adapted[0].module, "B", adapted[0].rows, RANK);
    bytes = tiny_file_bytes(&file);
    write_file(lora, "adapter_model.safetensors", bytes->data, bytes->len);
    write_file(lora, "adapter_config.json", "{}", 2);
    options.lora = lora;
    g_assert_false(convert(folder, &options, out, &err));
    assert_message(&err, MODEL_ERROR_CORRUPT,
                   "*found halves of shape [3, 9] and [8, 3], expected [r, 8] and [8, r]*another "
                   "model");
    remove_tree(lora);
  }
  g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
  remove_tree(folder);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/merge/delta", test_delta);
  g_test_add_func("/merge/delta-refused", test_delta_refused);
  g_test_add_func("/merge/lora", test_lora);
  g_test_add_func("/merge/lora-picture", test_lora_picture);
  g_test_add_func("/merge/lora-whole", test_lora_whole);
  g_test_add_func("/merge/lora-refused", test_lora_refused);
  return g_test_run();
}
