/* Files of packed matrices: the values of the same file unpacked, read where they lie. */
#include "checkpoint/gguf-file.h"
#include "checkpoint/write.h"
#include "engine/engine.h"
#include "kernels/packed.h"

#include "model/checkpoint-fixture.h"
#include "shared.h"

static void
convert(const char *path, const char *type, bool packed, const char *out, char sha256[65])
{
  const ModelConvertOptions options = {.type = type, .packed = packed, .verify = MODEL_VERIFY_ALL};
  ModelConvertReport report;
  ModelError err = {0};

  if (!model_convert(path, NULL, &options, out, NULL, NULL, &report, &err))
    g_error("%s", err.message);
  memcpy(sha256, report.sha256, 65);
}

/* Every tensor of B is that of A, packed where there is a layout for its type. */
static void
compare(const char *plain, const char *packed, const char *sha256)
{
  g_autofree float *one = NULL, *two = NULL;
  const ModelTensor *x, *y;
  ModelCheckpoint a, b;
  guint n_packed = 0;
  char name[256], hex[65];

  open_checkpoint(plain, NULL, &a);
  open_checkpoint(packed, NULL, &b);
  for (guint i = 0; (x = model_checkpoint_tensor(&a, i, name)); i++) {
    y = model_checkpoint_tensor(&b, i, name);
    g_assert_cmpint(x->type, ==, model_type_plain(y->type));
    if (y->type != x->type) {
      n_packed++;
      g_assert_cmpuint((gsize)y->data % MODEL_PACKED_ALIGNMENT, ==, 0);
      g_assert_cmpuint(y->n_bytes, ==,
                       model_packed_bytes(y->type, model_tensor_rows(y), model_tensor_columns(y)));
    } else {
      g_assert_true(x->n_dims != 2 || model_packed_type(x->type) == 0 ||
                    strstr(name, "embed_tokens"));
    }
    for (guint64 row = 0; row < model_tensor_rows(x); row++) {
      read_row(x, row, &one);
      read_row(y, row, &two);
      for (guint64 k = 0; k < model_tensor_columns(x); k++)
        g_assert_cmpfloat(one[k], ==, two[k]);
    }
  }
  g_assert_cmpuint(n_packed, >, 6);
  g_assert_true(model_checkpoint_sha256(&b, hex, NULL));
  g_assert_cmpstr(hex, ==, sha256);
  model_checkpoint_close(&a);
  model_checkpoint_close(&b);
}

static void
check(const char *path)
{
  static const char *const types[] = {"q8_0", "q6_k", "q5_k_m", "q4_k_m", "q4_0"};
  g_autofree char *folder = new_folder();
  g_autofree char *plain = g_build_filename(folder, "plain.gguf", NULL);
  g_autofree char *packed = g_build_filename(folder, "packed.gguf", NULL);
  g_autofree char *again = g_build_filename(folder, "again.gguf", NULL);

  for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
    char sha256[3][65];
    g_test_message("%s", types[i]);
    convert(path, types[i], false, plain, sha256[0]);
    convert(path, types[i], true, packed, sha256[1]);
    compare(plain, packed, sha256[1]);
    g_assert_cmpstr(sha256[0], !=, sha256[1]);
    /* From the plain file, and from the packed one itself. */
    convert(plain, types[i], true, again, sha256[2]);
    g_assert_cmpstr(sha256[1], ==, sha256[2]);
    convert(packed, types[i], true, again, sha256[2]);
    g_assert_cmpstr(sha256[1], ==, sha256[2]);
  }
  remove_tree(folder);
}

static void
test_shared(gconstpointer data)
{
  g_autofree char *path = shared_path(data);

  if (path)
    check(path);
}

/* Without a layout of its own nothing is packed; a float model stays one. */
static void
test_float(void)
{
  const TinyOptions whole = {.layout = LAYOUT_ORIGINAL};
  g_autofree char *folder = tiny_folder(&whole);
  g_autofree char *out = g_build_filename(folder, "out.gguf", NULL);
  char sha256[65];
  ModelCheckpoint c;

  convert(folder, "f16", true, out, sha256);
  open_checkpoint(out, NULL, &c);
  assert_tiny_values(&c);
  model_checkpoint_close(&c);
  remove_tree(folder);
}

/* An engine takes the packed matrices from where they lie, and computes the same. */
static void
test_engine(void)
{
  g_autofree char *path = shared_path("corpus/weights/stories15M");
  g_autofree char *folder = NULL, *files[2] = {NULL, NULL};
  ModelTrace traces[2];
  char sha256[65];

  if (!path)
    return;
  folder = new_folder();
  for (guint i = 0; i < 2; i++) {
    ModelCheckpoint c;
    ModelEngine *engine;
    ModelError err = {0};
    files[i] = g_build_filename(folder, i ? "packed.gguf" : "plain.gguf", NULL);
    convert(path, "q4_k_m", i, files[i], sha256);
    open_checkpoint(files[i], NULL, &c);
    engine = model_engine_new(&c, NULL, 0, &err); /* no arena: matrices stay packed */
    g_assert_cmpstr(err.message, ==, "");
    if (i)
      g_assert_true(engine->weights.layers[1].up.data ==
                    engine->checkpoint.weights.layers[1].up.data);
    g_assert_true(model_trace(engine, NULL, "Once upon a time", 8, &traces[i], &err));
    model_engine_free(engine);
  }
  g_assert_cmpmem(traces[0].logits, traces[0].vocab * sizeof(float), traces[1].logits,
                  traces[1].vocab * sizeof(float));
  g_assert_cmpstr(traces[0].text, ==, traces[1].text);
  for (guint i = 0; i < 2; i++) {
    model_trace_clear(&traces[i]);
    g_free(files[i]);
    files[i] = NULL;
  }
  remove_tree(folder);
}

/* ---- what is refused ---------------------------------------------------------------------- */

static void
replace(char *bytes, gsize n, const char *from, gsize n_from, const char *to)
{
  char *at = memmem(bytes, n, from, n_from);

  g_assert_nonnull(at);
  memcpy(at, to, n_from);
}

static void
test_refused(void)
{
  static const struct {
    const char *from, *to;
    gsize n;
    ModelErrorCode code;
    const char *pattern;
  } cases[] = {
      {"hilum.packed\4\0\0\0\1", "hilum.packed\4\0\0\0\2", 17, MODEL_ERROR_NEWER,
       "*hilum.packed is 2, this program reads up to 1"},
      {"hilum.packed", "hilum.pocked", 12, MODEL_ERROR_CORRUPT,
       "*has type PACKED_Q8_0, but the key hilum.packed is missing"},
      {"general.alignment\4\0\0\0\0\x10", "general.alignment\4\0\0\0\1\0", 23, MODEL_ERROR_CORRUPT,
       "*packed rows begin at byte *, expected a multiple of 64"},
      {"\xf0\3\0\0", "\xf1\3\0\0", 4, MODEL_ERROR_UNSUPPORTED, "*has type 1009 (unknown), which*"},
  };
  const TinyOptions text = {.layout = LAYOUT_ORIGINAL, .text_only = TRUE};
  g_autofree char *path = shared_path("corpus/weights/stories15M");
  g_autofree char *folder = tiny_folder(&text), *out = g_build_filename(folder, "o.gguf", NULL);
  g_autofree char *bytes = NULL;
  const ModelConvertOptions both = {.type = "q8_0", .packed = true, .split = true};
  ModelCheckpoint c;
  ModelError err = {0};
  char sha256[65];
  gsize n;

  g_assert_false(model_convert(folder, NULL, &both, out, NULL, NULL, NULL, &err));
  assert_message(&err, MODEL_ERROR_ARGUMENT, "*cannot be packed*");
  if (!path)
    return;
  convert(path, "q8_0", true, out, sha256);
  g_assert_true(g_file_get_contents(out, &bytes, &n, NULL));
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *copy = g_memdup2(bytes, n);
    g_test_message("case %u", i);
    replace(copy, n, cases[i].from, cases[i].n, cases[i].to);
    write_file(folder, "o.gguf", copy, n);
    g_assert_false(model_checkpoint_open(out, NULL, &c, &err));
    assert_message(&err, cases[i].code, cases[i].pattern);
  }
  remove_tree(folder);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_data_func("/packed-file/stories15M", "corpus/weights/stories15M", test_shared);
  g_test_add_data_func("/packed-file/A", "vectors/A-v15-tiny/hf", test_shared);
  g_test_add_func("/packed-file/float", test_float);
  g_test_add_func("/packed-file/engine", test_engine);
  g_test_add_func("/packed-file/refused", test_refused);
  return g_test_run();
}
