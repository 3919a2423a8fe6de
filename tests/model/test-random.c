/* Models with random weights: valid files with sensible values, the same for the same seed. */
#include "base/half.h"
#include "engine/engine.h"
#include "model_bench.h"
#include "random/random.h"

#include "model/checkpoint-fixture.h"

#include <errno.h>
#include <math.h>
#include <unistd.h>

static const char *const types[] = {"f32",  "f16",    "bf16",   "q8_0",
                                    "q6_k", "q5_k_m", "q4_k_m", "q4_0"};

static void
write_tiny(const char *type, guint64 seed, const char *out)
{
  const ModelRandomOptions options = {.shape = "tiny", .type = type, .seed = seed};
  ModelError err = {0};

  if (!model_random_write(&options, out, &err))
    g_error("%s", err.message);
}

static void
hash_file(const char *path, char hex[65])
{
  g_autofree char *data = NULL;
  gsize n;

  g_assert_true(g_file_get_contents(path, &data, &n, NULL));
  model_sha256(data, n, hex);
}

/* ---- the same bytes ----------------------------------------------------------------------- */

static void
test_same(void)
{
  g_autofree char *folder = new_folder();
  g_autofree char *a = g_build_filename(folder, "a.gguf", NULL);
  char one[65], two[65], other[65];

  write_tiny("q8_0", 1, a);
  hash_file(a, one);
  write_tiny("q8_0", 1, a);
  hash_file(a, two);
  write_tiny("q8_0", 2, a);
  hash_file(a, other);
  g_assert_cmpstr(one, ==, two);
  g_assert_cmpstr(one, !=, other);
  remove_tree(folder);
}

/* ---- values ------------------------------------------------------------------------------- */

/* The hashes change only when what is drawn changes on purpose; they hold on every machine. */
static const struct {
  ModelType type;
  const char *sha256; /* its first 16 digits */
} drawn[] = {
    {MODEL_TYPE_F32, "35f59be6a30c5f70"},  {MODEL_TYPE_F16, "1efdd10818b19a54"},
    {MODEL_TYPE_BF16, "83bf3dd95a14e045"}, {MODEL_TYPE_Q8_0, "d879c2c89d15847b"},
    {MODEL_TYPE_Q6_K, "6af021a4675034c9"}, {MODEL_TYPE_Q5_K, "51d6b8ec5977dd87"},
    {MODEL_TYPE_Q4_K, "216fd10373dff43b"}, {MODEL_TYPE_Q4_0, "90af976052e7867d"},
};

/* Blocks of every type: finite, around 0, with the deviation that was asked for. Scales are uniform
 * from 3/4 to 5/4, the mean of 65,536 values is within 4 deviations / 256 of 0 (for Q4_0, whose
 * blocks are half a step off: 2,048 blocks of 0.11 deviations make 0.01), the deviation within
 * 6 %, which covers the spread of the scales' squares (2 %) and the rounding of the constants. */
static void
test_values(void)
{
  const guint n = 65536;
  g_autofree guint8 *bytes = g_malloc(4 * n);
  g_autofree float *values = g_new(float, n);

  for (guint i = 0; i < G_N_ELEMENTS(drawn); i++) {
    ModelTensor tensor = {.data = bytes,
                          .n_bytes = model_type_row_bytes(drawn[i].type, n),
                          .shape = {1, n},
                          .n_dims = 2,
                          .type = drawn[i].type};
    ModelRandom random;
    double sum = 0, squares = 0;
    char hex[65];
    model_random_seed(&random, 5);
    model_random_values(&random, drawn[i].type, (ModelSpread){0, 0.125}, n, bytes);
    model_tensor_read_rows(&tensor, 0, 1, values);
    for (guint k = 0; k < n; k++) {
      g_assert_true(isfinite(values[k]));
      sum += (double)values[k];
      squares += (double)values[k] * (double)values[k];
    }
    g_test_message("%s: mean %g, deviation %g", model_type_name(drawn[i].type), sum / n,
                   sqrt(squares / n));
    model_sha256(bytes, tensor.n_bytes, hex);
    hex[16] = '\0';
    g_assert_cmpstr(hex, ==, drawn[i].sha256);
    g_assert_cmpfloat(fabs(sum / n), <, 0.125 * 4 / 256);
    g_assert_cmpfloat(fabs(sqrt(squares / n) / 0.125 - 1), <, 0.06);
  }
}

/* What no quantiser writes: kernels may count on it. */
static void
test_valid(void)
{
  const guint n = 65536;
  g_autofree guint8 *bytes = g_malloc(2 * n);
  ModelRandom random;

  model_random_seed(&random, 6);
  model_random_values(&random, MODEL_TYPE_Q8_0, (ModelSpread){0, 1}, n, bytes);
  for (guint block = 0; block < n / 32; block++)
    for (guint i = 2; i < 34; i++)
      g_assert_cmpuint(bytes[block * 34 + i], !=, 0x80);
  model_random_values(&random, MODEL_TYPE_Q4_K, (ModelSpread){0, 1}, n, bytes);
  for (guint block = 0; block < n / 256; block++) {
    g_assert_cmpfloat(model_f16_to_float(model_load16(bytes + block * 144)), >, 0);
    g_assert_cmpfloat(model_f16_to_float(model_load16(bytes + block * 144 + 2)), >, 0);
  }
}

/* ---- the vocabulary ----------------------------------------------------------------------- */

static void
check_vocabulary(const ModelConfig *config)
{
  ModelVocabulary v;
  ModelError err = {0};
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  const guint pieces = config->decoder.vocab - (config->image_start_end ? 4 : 0);

  g_assert_true(model_random_vocabulary(config, &v, &err));
  g_assert_cmpuint(v.n_pieces, ==, pieces);
  g_assert_cmpuint(v.n_added, ==, config->image_start_end ? 4 : 0);
  for (guint i = 0; i < v.n_pieces; i++) {
    g_autofree char *text = g_strndup(v.pieces[i].text, v.pieces[i].length);
    gboolean made = v.pieces[i].kind != MODEL_PIECE_NORMAL || g_utf8_strlen(text, -1) == 1;
    g_assert_true(g_utf8_validate(text, -1, NULL));
    g_assert_cmpint(v.pieces[i].kind, !=, MODEL_PIECE_UNUSED);
    /* All but the last character, and the last one, stand before it. */
    if (!made) {
      const char *last = g_utf8_prev_char(text + strlen(text));
      g_autofree char *rest = g_strndup(text, (gsize)(last - text));
      made = g_hash_table_contains(seen, rest) && g_hash_table_contains(seen, last);
    }
    if (!made)
      g_error("piece %u, \"%s\", cannot be merged", i, text);
    if (!g_hash_table_add(seen, g_steal_pointer(&text)))
      g_error("piece %u is there twice", i);
  }
  model_vocabulary_clear(&v);
}

static void
test_vocabulary(void)
{
  const char *name;

  for (guint i = 0; (name = model_random_shape(i)); i++)
    check_vocabulary(model_shape_find(name));
}

/* ---- files -------------------------------------------------------------------------------- */

static void
check_answers(const char *path, const char *type)
{
  static const char question[] = "<s>[INST] <image>\nWhat does it show? [/INST]";
  guint8 pixels[28 * 28];
  const ModelImage image = {28, 28, 1, pixels};
  const ModelEngineOptions options = {.n_threads = 2};
  ModelError err = {0};
  ModelTrace trace;
  ModelEngine *engine = model_engine_open(path, &options, &err);

  for (guint i = 0; i < sizeof pixels; i++)
    pixels[i] = (guint8)(i * 7);
  g_assert_cmpstr(err.message, ==, "");
  g_assert_nonnull(engine);
  g_assert_cmpstr(model_engine_info(engine)->name, ==, "random tiny");
  if (!model_trace(engine, &image, question, 4, &trace, &err))
    g_error("%s: %s", type, err.message);
  for (guint i = 0; i < trace.vocab; i++)
    g_assert_true(isfinite(trace.logits[i]) && fabsf(trace.logits[i]) < 100);
  for (guint i = 0; i < trace.n_patches * trace.hidden; i++)
    g_assert_true(isfinite(trace.projected[i]) && fabsf(trace.projected[i]) < 100);
  model_trace_clear(&trace);
  model_engine_free(engine);
}

static void
test_files(void)
{
  g_autofree char *folder = new_folder();
  g_autofree char *out = g_build_filename(folder, "out.gguf", NULL);

  for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
    write_tiny(types[i], 3, out);
    check_answers(out, types[i]);
  }
  g_assert_cmpuint(count_files(folder), ==, 1);
  remove_tree(folder);
}

/* A type's own tensors, as llama.cpp mixes them. */
static void
test_mix(void)
{
  g_autofree char *folder = new_folder();
  g_autofree char *out = g_build_filename(folder, "out.gguf", NULL);
  ModelCheckpoint c;
  ModelError err = {0};

  write_tiny("q4_k_m", 3, out);
  g_assert_true(model_checkpoint_open(out, NULL, &c, &err));
  g_assert_cmpint(c.weights.output.type, ==, MODEL_TYPE_Q6_K);
  g_assert_cmpint(c.weights.token_embedding.type, ==, MODEL_TYPE_Q4_K);
  g_assert_cmpint(c.weights.layers[0].q.type, ==, MODEL_TYPE_Q4_K);
  g_assert_cmpint(c.weights.layers[2].v.type, ==, MODEL_TYPE_Q6_K);
  g_assert_cmpint(c.weights.layers[2].down.type, ==, MODEL_TYPE_Q6_K);
  g_assert_cmpint(c.weights.layers[0].attn_norm.type, ==, MODEL_TYPE_F32);
  model_checkpoint_close(&c);
  remove_tree(folder);
}

/* The pair of files is the model that the whole is. */
static void
test_pair(void)
{
  g_autofree char *folder = new_folder();
  g_autofree char *whole = g_build_filename(folder, "whole.gguf", NULL);
  g_autofree char *decoder = g_build_filename(folder, "decoder.gguf", NULL);
  g_autofree char *tower = g_build_filename(folder, "tower.gguf", NULL);
  ModelRandomOptions options = {.shape = "tiny", .type = "q4_0", .tower_type = "f16", .seed = 4};
  const ModelEngineOptions with = {.mmproj = tower};
  ModelCheckpoint a, b;
  const ModelTensor *x;
  ModelError err = {0};
  char name[256];

  g_assert_true(model_random_write(&options, whole, &err));
  options.part = MODEL_RANDOM_DECODER;
  g_assert_true(model_random_write(&options, decoder, &err));
  options.part = MODEL_RANDOM_TOWER;
  g_assert_true(model_random_write(&options, tower, &err));
  g_assert_true(model_checkpoint_open(whole, NULL, &a, &err));
  g_assert_true(model_checkpoint_open(decoder, &with, &b, &err));
  g_assert_cmpint(b.config.has_vision, ==, true);
  for (guint i = 0; (x = model_checkpoint_tensor(&b, i, name)); i++) {
    const ModelTensor *y = NULL;
    char other[256] = "";
    for (guint k = 0; strcmp(name, other) != 0; k++) {
      y = model_checkpoint_tensor(&a, k, other);
      g_assert_nonnull(y);
    }
    g_assert_cmpmem(x->data, x->n_bytes, y->data, y->n_bytes);
  }
  model_checkpoint_close(&a);
  model_checkpoint_close(&b);
  remove_tree(folder);
}

/* ---- what can go wrong -------------------------------------------------------------------- */

static bool
stop_half_way(uint64_t done, uint64_t total, void *user)
{
  g_assert_cmpuint(done, <=, total);
  *(guint *)user += 1;
  return done < total / 2;
}

static uint64_t
little_room(const char *path)
{
  return 1000;
}

static ssize_t
full_disk(int fd, const void *data, size_t n)
{
  errno = ENOSPC;
  return -1;
}

static void
test_failures(void)
{
  g_autofree char *folder = new_folder();
  g_autofree char *out = g_build_filename(folder, "out.gguf", NULL);
  const ModelFileOps little = {write, fsync, rename, little_room},
                     full = {full_disk, fsync, rename};
  ModelRandomOptions options = {.shape = "vast", .type = "f16"};
  ModelError err = {0};
  guint calls = 0;

  g_assert_false(model_random_write(&options, out, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  g_assert_nonnull(strstr(err.message, "vast"));
  options.shape = "tinyllama";
  options.part = MODEL_RANDOM_TOWER;
  g_assert_false(model_random_write(&options, out, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  options = (ModelRandomOptions){.shape = "tiny", .type = "q9"};
  g_assert_false(model_random_write(&options, out, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  options.type = "f16";
  options.progress = stop_half_way;
  options.user = &calls;
  g_assert_false(model_random_write(&options, out, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_CANCELLED);
  g_assert_cmpuint(calls, >, 1);
  options.progress = NULL;
  g_assert_false(model_random_write_with(&options, out, &little, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_IO);
  g_assert_nonnull(strstr(err.message, "room"));
  g_assert_false(model_random_write_with(&options, out, &full, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_IO);
  g_assert_cmpuint(count_files(folder), ==, 0);
  remove_tree(folder);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/random/values", test_values);
  g_test_add_func("/random/valid", test_valid);
  g_test_add_func("/random/vocabulary", test_vocabulary);
  g_test_add_func("/random/files", test_files);
  g_test_add_func("/random/mix", test_mix);
  g_test_add_func("/random/pair", test_pair);
  g_test_add_func("/random/same", test_same);
  g_test_add_func("/random/failures", test_failures);
  return g_test_run();
}
