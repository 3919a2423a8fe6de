/* Our single GGUF: what is written is what is read back; a failure leaves nothing behind. */
#include "base/limits.h"
#include "checkpoint/gguf-file.h"
#include "checkpoint/write.h"

#include "model/checkpoint-fixture.h"
#include "shared.h"

#include <errno.h>
#include <math.h>
#include <unistd.h>

static const char *const types[] = {"f32", "f16", "q8_0"};

/* Largest difference that a row whose largest value is MOST may have: none when the type was wide
 * enough; F16 rounds to 11 bits (and to 2^-25 near zero); Q8_0 to half of a step that is itself
 * rounded to 11 bits. */
static double
tolerance(ModelType from, ModelType to, double most)
{
  if (to == MODEL_TYPE_Q8_0)
    return most * (0.5 / 127 + 1.0 / 2048);
  return from == MODEL_TYPE_F32 && to == MODEL_TYPE_F16 ? most / 2048 + 0x1p-25 : 0;
}

static void
compare_rows(const ModelTensor *a, guint64 row_a, const ModelTensor *b, guint64 row_b,
             const char *name)
{
  g_autofree float *x = NULL, *y = NULL;
  double most = 0;

  read_row(a, row_a, &x);
  read_row(b, row_b, &y);
  for (guint64 i = 0; i < model_tensor_columns(a); i++)
    most = MAX(most, fabs((double)x[i]));
  for (guint64 i = 0; i < model_tensor_columns(a); i++)
    if (!(fabs((double)x[i] - (double)y[i]) <= tolerance(a->type, b->type, most)))
      g_error("%s row %" G_GUINT64_FORMAT ": %g became %g", name, row_a, (double)x[i],
              (double)y[i]);
}

static void
compare(const ModelCheckpoint *a, const ModelCheckpoint *b)
{
  ModelConfig config = a->config;
  const ModelTensor *x, *y;
  char name[256], other[256];
  guint d = config.decoder.head_dim;

  config.decoder.rope_adjacent = true;
  g_assert_cmpmem(&config.decoder, sizeof config.decoder, &b->config.decoder,
                  sizeof b->config.decoder);
  g_assert_cmpint(a->config.has_vision, ==, b->config.has_vision);
  g_assert_cmpmem(&config.vision, sizeof config.vision, &b->config.vision, sizeof b->config.vision);
  g_assert_cmpint(config.projector, ==, b->config.projector);
  g_assert_cmpint(config.aspect, ==, b->config.aspect);
  g_assert_cmpint(config.image_start_end, ==, b->config.image_start_end);
  g_assert_cmpint(config.id_im_patch, ==, b->config.id_im_patch);
  g_assert_cmpint(config.id_im_start, ==, b->config.id_im_start);
  g_assert_cmpint(config.id_im_end, ==, b->config.id_im_end);
  g_assert_cmpint(config.bos, ==, b->config.bos);
  g_assert_cmpint(config.eos, ==, b->config.eos);
  g_assert_cmpint(config.pad, ==, b->config.pad);
  g_assert_cmpstr(config.template_name, ==, b->config.template_name);
  g_assert_cmpstr(config.name, ==, b->config.name);
  g_assert_cmpstr(a->tower_origin, ==, b->tower_origin);
  g_assert_cmpint(a->weights.tied, ==, b->weights.tied);
  g_assert_cmpuint(a->vocabulary.n_pieces, ==, b->vocabulary.n_pieces);
  g_assert_cmpuint(a->vocabulary.n_added, ==, b->vocabulary.n_added);
  for (guint i = 0; i < a->vocabulary.n_pieces; i++)
    g_assert_cmpmem(a->vocabulary.pieces[i].text, a->vocabulary.pieces[i].length,
                    b->vocabulary.pieces[i].text, b->vocabulary.pieces[i].length);
  for (guint i = 0; i < a->vocabulary.n_added; i++) {
    g_assert_cmpstr(a->vocabulary.added[i].text, ==, b->vocabulary.added[i].text);
    g_assert_cmpint(a->vocabulary.added[i].id, ==, b->vocabulary.added[i].id);
  }
  for (guint i = 0;; i++) {
    gboolean permuted;
    x = model_checkpoint_tensor(a, i, name);
    y = model_checkpoint_tensor(b, i, other);
    g_assert_cmpint(x == NULL, ==, y == NULL);
    if (!x)
      break;
    g_assert_cmpstr(name, ==, other);
    permuted = !a->config.decoder.rope_adjacent && g_str_has_prefix(name, "model.layers.") &&
               (strstr(name, "q_proj") || strstr(name, "k_proj"));
    for (guint64 row = 0; row < model_tensor_rows(x); row++)
      compare_rows(x, permuted ? row / d * d + row % 2 * (d / 2) + row % d / 2 : row, y, row, name);
  }
}

/* norms, biases and the tower's embeddings are f32, rows that do not divide stay f16. */
static void
check_types(const ModelCheckpoint *c, const char *type)
{
  const ModelTensor *tensor;
  char name[256];

  for (guint i = 0; (tensor = model_checkpoint_tensor(c, i, name)); i++) {
    ModelType expected = MODEL_TYPE_F16;
    if (tensor->n_dims == 1 || strstr(name, "position_embedding") || g_str_equal(type, "f32"))
      expected = MODEL_TYPE_F32;
    else if (g_str_equal(type, "q8_0") && tensor->n_dims == 2 && tensor->shape[1] % 32 == 0)
      expected = MODEL_TYPE_Q8_0;
    g_assert_cmpint(tensor->type, ==, expected);
    g_assert_cmpuint((gsize)tensor->data % 32, ==, 0);
  }
}

/* Into every type and back, and from there once more: a second time changes nothing. */
static void
round_trip(const char *path, const ModelEngineOptions *options)
{
  g_autofree char *folder = new_folder();
  g_autofree char *out = g_build_filename(folder, "out.gguf", NULL);
  g_autofree char *again = g_build_filename(folder, "again.gguf", NULL);
  ModelCheckpoint before, after;
  ModelError err = {0};

  open_checkpoint(path, options, &before);
  for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
    g_autofree char *first = NULL, *second = NULL;
    gsize n_first, n_second;
    if (!model_gguf_write(&before, types[i], "# Card\nümlaut", out, NULL, NULL, &err))
      g_error("%s", err.message);
    open_checkpoint(out, NULL, &after);
    compare(&before, &after);
    check_types(&after, types[i]);
    g_assert_cmpstr(after.card, ==, "# Card\nümlaut");
    g_assert_cmpstr(after.format, ==, "gguf");
    g_assert_true(model_gguf_write(&after, types[i], NULL, again, NULL, NULL, &err));
    model_checkpoint_close(&after);
    g_assert_true(g_file_get_contents(out, &first, &n_first, NULL));
    g_assert_true(g_file_get_contents(again, &second, &n_second, NULL));
    g_assert_cmpmem(first, n_first, second, n_second);
  }
  g_assert_cmpuint(count_files(folder), ==, 2);
  model_checkpoint_close(&before);
  remove_tree(folder);
}

static void
test_round_trip(gconstpointer data)
{
  g_autofree char *path = shared_path(data);

  if (path)
    round_trip(path, NULL);
}

static void
test_round_trip_mmproj(void)
{
  g_autofree char *llm = shared_path("vectors/A-v15-tiny/gguf/llm-Q4_K_M.gguf");
  g_autofree char *mmproj = llm ? shared_path("vectors/A-v15-tiny/gguf/mmproj-f16.gguf") : NULL;
  ModelEngineOptions options = {.mmproj = mmproj};
  g_autofree char *folder = NULL, *out = NULL;
  ModelCheckpoint before, after;
  ModelError err = {0};

  if (!mmproj)
    return;
  folder = new_folder();
  out = g_build_filename(folder, "out.gguf", NULL);
  open_checkpoint(llm, &options, &before);
  /* f32 holds what the blocks give exactly. */
  g_assert_true(model_gguf_write(&before, "f32", NULL, out, NULL, NULL, &err));
  open_checkpoint(out, NULL, &after);
  compare(&before, &after);
  model_checkpoint_close(&after);
  model_checkpoint_close(&before);
  remove_tree(folder);
}

static void
test_tiny(void)
{
  static const TinyOptions cases[] = {
      {.layout = LAYOUT_ORIGINAL},
      {.layout = LAYOUT_CONVERTED, .extra_rows = 5},
      {.layout = LAYOUT_ORIGINAL, .linear = TRUE, .v10 = TRUE},
      {.layout = LAYOUT_ORIGINAL, .text_only = TRUE, .tied = TRUE},
      {.layout = LAYOUT_ORIGINAL, .text_only = TRUE},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *folder = tiny_folder(&cases[i]);
    g_autofree char *out = g_build_filename(folder, "out.gguf", NULL);
    ModelCheckpoint c;
    g_test_message("case %u", i);
    round_trip(folder, NULL);
    open_checkpoint(folder, NULL, &c);
    g_assert_true(model_gguf_write(&c, "f16", NULL, out, NULL, NULL, NULL));
    model_checkpoint_close(&c);
    open_checkpoint(out, NULL, &c);
    g_assert_null(c.card);
    assert_tiny_values(&c);
    model_checkpoint_close(&c);
    remove_tree(folder);
  }
}

/* An added token behind a hole of ids that have none. */
static void
test_hole(void)
{
  const TinyOptions o = {.layout = LAYOUT_ORIGINAL, .extra_rows = 4};
  g_autofree char *folder = tiny_folder(&o);

  write_file(folder, "added_tokens.json", "{\"x y\":18}", 10);
  round_trip(folder, NULL);
  remove_tree(folder);
}

/* A stock tower stays a stock tower. */
static void
test_stock_tower(void)
{
  const TinyOptions own = {.layout = LAYOUT_ORIGINAL};
  const TinyOptions v10 = {.layout = LAYOUT_ORIGINAL, .linear = TRUE, .v10 = TRUE};
  g_autofree char *with = tiny_folder(&own), *without = tiny_folder(&v10);
  g_autofree char *clip = g_build_filename(without, "clip", NULL);
  ModelEngineOptions options = {.vision_tower = clip};

  round_trip(with, &options);
  remove_tree(with);
  remove_tree(without);
}

/* ---- a model built in memory -------------------------------------------------------------- */

static void
fill(ModelTensor *tensor, GPtrArray *arrays, const char *name, guint rows, guint columns)
{
  guint n = MAX(rows, 1) * columns;
  float *values = g_new(float, n);

  for (guint i = 0; i < n; i++)
    values[i] = tiny_value(name, i);
  g_ptr_array_add(arrays, values);
  *tensor = (ModelTensor){.name = "m",
                          .data = (const uint8_t *)values,
                          .n_bytes = n * sizeof(float),
                          .shape = {rows ? rows : columns, rows ? columns : 0},
                          .n_dims = rows ? 2 : 1,
                          .type = MODEL_TYPE_F32};
}

static void
test_memory(gconstpointer data)
{
  gboolean adjacent = GPOINTER_TO_INT(data);
  g_autoptr(GPtrArray) arrays = g_ptr_array_new_with_free_func(g_free);
  ModelPiece pieces[3] = {{"<unk>", 5, 0, 2}, {"<s>", 3, 0, 3}, {"</s>", 4, 0, 3}};
  ModelLayer layer = {0};
  ModelCheckpoint made = {
      .config = {.decoder = {.hidden = 32,
                             .layers = 1,
                             .heads = 2,
                             .kv_heads = 1,
                             .head_dim = 8,
                             .ffn = 64,
                             .vocab = 5,
                             .context = 16,
                             .theta = 1e4f,
                             .eps = 1e-5f,
                             .rope_adjacent = adjacent},
                 .bos = 1,
                 .eos = 2,
                 .pad = -1,
                 .id_im_patch = -1,
                 .id_im_start = -1,
                 .id_im_end = -1,
                 .template_name = "plain",
                 .name = "made"},
      .weights = {.layers = &layer, .tied = true},
      .vocabulary = {.pieces = pieces, .n_pieces = 3, .unk = 0, .bos = 1, .eos = 2, .pad = -1},
      .tower_origin = "none",
  };
  g_autofree char *folder = new_folder(), *out = g_build_filename(folder, "out.gguf", NULL);
  ModelCheckpoint read;
  ModelError err = {0};

  fill(&made.weights.token_embedding, arrays, "e", 5, 32);
  fill(&layer.attn_norm, arrays, "n", 0, 32);
  fill(&layer.q, arrays, "q", 16, 32);
  fill(&layer.k, arrays, "k", 8, 32);
  fill(&layer.v, arrays, "v", 8, 32);
  fill(&layer.o, arrays, "o", 32, 16);
  fill(&layer.ffn_norm, arrays, "f", 0, 32);
  fill(&layer.gate, arrays, "g", 64, 32);
  fill(&layer.up, arrays, "u", 64, 32);
  fill(&layer.down, arrays, "d", 32, 64);
  fill(&made.weights.output_norm, arrays, "x", 0, 32);
  made.weights.output = made.weights.token_embedding;
  for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
    if (!model_gguf_write(&made, types[i], NULL, out, NULL, NULL, &err))
      g_error("%s", err.message);
    open_checkpoint(out, NULL, &read);
    compare(&made, &read);
    g_assert_true(read.config.decoder.rope_adjacent);
    model_checkpoint_close(&read);
  }
  layer.v.shape[0] = 7;
  g_assert_false(model_gguf_write(&made, "f32", NULL, out, NULL, NULL, &err));
  assert_message(&err, MODEL_ERROR_ARGUMENT,
                 "tensor model.layers.0.self_attn.v_proj.weight is missing or not of*");
  layer.v.shape[0] = 8;
  ((float *)layer.v.data)[3] = 1e6f;
  g_assert_false(model_gguf_write(&made, "f16", NULL, out, NULL, NULL, &err));
  assert_message(&err, MODEL_ERROR_UNSUPPORTED,
                 "*v_proj.weight holds 1e+06, which F16 cannot hold; convert to f32");
  ((float *)layer.v.data)[3] = NAN;
  g_assert_false(model_gguf_write(&made, "q8_0", NULL, out, NULL, NULL, &err));
  assert_message(&err, MODEL_ERROR_UNSUPPORTED, "*v_proj.weight holds*nan, which Q8_0*");
  g_assert_false(model_gguf_write(&made, "q9", NULL, out, NULL, NULL, &err));
  assert_message(&err, MODEL_ERROR_ARGUMENT, "type \"q9\", expected one of f32, f16, *, q4_0");
  g_assert_cmpuint(count_files(folder), ==, 1);
  remove_tree(folder);
}

/* ---- failures ----------------------------------------------------------------------------- */

/* Which call fails; every call counts it down. A test program has one thread. */
static gint calls_left;

static ssize_t
failing_write(int fd, const void *data, size_t n)
{
  if (calls_left-- == 0) {
    errno = ENOSPC;
    return -1;
  }
  /* Half of what was asked for is written, as a pipe or a full disk may do. */
  return write(fd, data, n > 1 ? n / 2 : n);
}

static int
failing_fsync(int fd)
{
  errno = EIO;
  return calls_left-- == 0 ? -1 : fsync(fd);
}

static int
failing_rename(const char *from, const char *to)
{
  errno = EACCES;
  return calls_left-- == 0 ? -1 : rename(from, to);
}

static void
test_faults(void)
{
  const ModelFileOps ops = {failing_write, failing_fsync, failing_rename, NULL};
  const ModelWriteOptions options = {.type = "f32", .ops = &ops};
  const TinyOptions o = {.layout = LAYOUT_ORIGINAL, .text_only = TRUE};
  g_autofree char *model = tiny_folder(&o), *folder = new_folder();
  g_autofree char *out = g_build_filename(folder, "out.gguf", NULL);
  ModelCheckpoint c;
  gint n = 0;

  open_checkpoint(model, NULL, &c);
  write_file(folder, "out.gguf", "old", 3);
  for (;; n++) {
    g_autofree char *text = NULL;
    ModelError err = {0};
    gsize length;
    calls_left = n;
    if (model_gguf_write_file(&c, &options, out, NULL, &err))
      break;
    assert_message(&err, MODEL_ERROR_IO, "*out.gguf: cannot *");
    g_assert_cmpuint(count_files(folder), ==, 1);
    g_assert_true(g_file_get_contents(out, &text, &length, NULL));
    g_assert_cmpmem(text, length, "old", 3);
  }
  g_assert_cmpint(n, >, 50);
  g_assert_cmpuint(count_files(folder), ==, 1);
  model_checkpoint_close(&c);
  open_checkpoint(out, NULL, &c);
  assert_tiny_values(&c);
  model_checkpoint_close(&c);
  remove_tree(model);
  remove_tree(folder);
}

typedef struct {
  guint64 last, total, calls, stop_at;
} Progress;

static bool
on_progress(uint64_t done, uint64_t total, void *user)
{
  Progress *p = user;

  g_assert_cmpuint(done, >, p->last);
  g_assert_cmpuint(done, <=, total);
  p->last = done;
  p->total = total;
  return ++p->calls != p->stop_at;
}

static void
test_cancel(void)
{
  const TinyOptions o = {.layout = LAYOUT_ORIGINAL};
  g_autofree char *model = tiny_folder(&o), *folder = new_folder();
  g_autofree char *out = g_build_filename(folder, "out.gguf", NULL);
  g_autofree char *nowhere = g_build_filename(folder, "no", "out.gguf", NULL);
  Progress whole = {0};
  ModelError err = {0};
  ModelCheckpoint c;

  open_checkpoint(model, NULL, &c);
  g_assert_true(model_gguf_write(&c, "f32", NULL, out, on_progress, &whole, &err));
  g_assert_cmpuint(whole.last, ==, whole.total);
  g_remove(out);
  for (guint n = 1; n <= whole.calls; n++) {
    Progress p = {.stop_at = n};
    g_assert_false(model_gguf_write(&c, "f32", NULL, out, on_progress, &p, &err));
    assert_message(&err, MODEL_ERROR_CANCELLED, "*out.gguf: cancelled after * of * bytes");
    g_assert_cmpuint(count_files(folder), ==, 0);
  }
  g_assert_false(model_gguf_write(&c, "f32", NULL, nowhere, NULL, NULL, &err));
  assert_message(&err, MODEL_ERROR_IO, "*cannot create a file beside it*");
  model_checkpoint_close(&c);
  remove_tree(model);
  remove_tree(folder);
}

/* ---- our own files, changed --------------------------------------------------------------- */

/* The value of key NAME in the bytes of a file. */
static guint8 *
key_value(guint8 *bytes, gsize n, const char *name)
{
  gsize length = strlen(name);

  for (gsize i = 0; i + length + 12 < n; i++)
    if (memcmp(bytes + i, name, length) == 0 && bytes[i - 8] == length)
      return bytes + i + length + 4;
  g_assert_not_reached();
}

static void
test_changed(void)
{
  static const struct {
    const char *key;
    guint at; /* of the value's bytes */
    guint8 value;
    ModelErrorCode code;
    const char *pattern;
  } cases[] = {
      {"hilum.format_version", 0, 2, MODEL_ERROR_NEWER,
       "*hilum.format_version is 2, this program reads up to 1"},
      {"general.architecture", 8, 'L', MODEL_ERROR_UNSUPPORTED,
       "*general.architecture is \"Llama\", expected llama"},
      {"hilum.n_pieces", 0, 200, MODEL_ERROR_CORRUPT,
       "*hilum.n_pieces is 200, but there are 20 tokens"},
      {"hilum.image_start_end", 0, 2, MODEL_ERROR_CORRUPT,
       "*hilum.image_start_end is 2, expected 0 or 1"},
      {"hilum.aspect", 8, 'S', MODEL_ERROR_CORRUPT, "*hilum.aspect is \"Square\"*"},
      {"tokenizer.ggml.model", 8, 'g', MODEL_ERROR_UNSUPPORTED,
       "*tokenizer.ggml.model is \"glama\"*"},
      {"tokenizer.ggml.scores", 0, 5, MODEL_ERROR_CORRUPT,
       "*key tokenizer.ggml.scores has value type 9 of items of type 5, expected a list of type 6"},
      {"tokenizer.ggml.token_type", 12, 9, MODEL_ERROR_CORRUPT,
       "*token 0 has 5 bytes, score -0 and type 9*"},
      {"tokenizer.ggml.eos_token_id", 0, 20, MODEL_ERROR_CORRUPT,
       "*the tokens that begin (2) and end (-1) a text are not among the 20"},
      {"llama.block_count", 0, 3, MODEL_ERROR_CORRUPT, "*tensor blk.2.attn_norm.weight is missing"},
      {"llama.attention.head_count", 0, 0, MODEL_ERROR_CORRUPT, "*expected neither to be 0*"},
      {"llama.attention.head_count", 0, 3, MODEL_ERROR_CORRUPT,
       "*tensor blk.0.attn_q.weight has shape ?8, 8?, expected ?12, 8?"},
      {"llama.attention.key_length", 0, 2, MODEL_ERROR_UNSUPPORTED, "*heads of 2*rotated*"},
      {"llama.embedding_length", 0, 4, MODEL_ERROR_CORRUPT,
       "*tensor mm.0.weight has shape ?8, 6?, expected ?4, 6?"},
      {"clip.vision.block_count", 0, 9, MODEL_ERROR_CORRUPT, "*tensor v.blk.2.ln1.weight is*"},
      {"clip.vision.patch_size", 0, 3, MODEL_ERROR_CORRUPT, "*do not divide*"},
      {"clip.vision.feature_layer", 12, 7, MODEL_ERROR_CORRUPT,
       "*clip.vision.feature_layer gives 7, but there are 2 blocks"},
      {"clip.projector_type", 8, 'x', MODEL_ERROR_UNSUPPORTED,
       "*clip.projector_type is \"xinear\", expected mlp or linear"},
      {"clip.vision.image_std", 15, 0x80, MODEL_ERROR_CORRUPT, "*std*of channel 0*"},
  };
  const TinyOptions o = {.layout = LAYOUT_ORIGINAL, .linear = TRUE, .v10 = TRUE};
  g_autofree char *folder = tiny_folder(&o);
  g_autofree char *path = g_build_filename(folder, "m.gguf", NULL), *bytes = NULL;
  ModelCheckpoint c;
  gsize n;

  open_checkpoint(folder, NULL, &c);
  g_assert_true(model_gguf_write(&c, "f32", NULL, path, NULL, NULL, NULL));
  model_checkpoint_close(&c);
  g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree guint8 *copy = g_memdup2(bytes, n);
    ModelError err = {0};
    g_test_message("%s = %u", cases[i].key, cases[i].value);
    key_value(copy, n, cases[i].key)[cases[i].at] = cases[i].value;
    write_file(folder, "m.gguf", copy, n);
    g_assert_false(model_checkpoint_open(path, NULL, &c, &err));
    assert_message(&err, cases[i].code, cases[i].pattern);
  }
  remove_tree(folder);
}

/* ---- identity ----------------------------------------------------------------------------- */

static void
sha256_of(const char *path, char hex[65])
{
  ModelCheckpoint c;

  open_checkpoint(path, NULL, &c);
  g_assert_true(model_checkpoint_sha256(&c, hex, NULL));
  model_checkpoint_close(&c);
}

static void
test_identity(void)
{
  const TinyOptions o = {.layout = LAYOUT_ORIGINAL, .linear = TRUE, .v10 = TRUE};
  g_autofree char *folder = tiny_folder(&o), *other = tiny_folder(&o);
  g_autofree char *path = g_build_filename(other, "model.safetensors", NULL), *bytes = NULL;
  g_autofree char *gguf = g_build_filename(folder, "m.gguf", NULL);
  g_autofree char *moved = g_build_filename(folder, "moved.gguf", NULL);
  char first[65], second[65];
  ModelCheckpoint c;
  gsize n;

  sha256_of(folder, first);
  sha256_of(other, second); /* another place */
  g_assert_cmpstr(first, ==, second);
  g_assert_cmpuint(strlen(first), ==, 64);
  g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
  bytes[n - 3] ^= 1; /* one bit of a weight */
  write_file(other, "model.safetensors", bytes, n);
  sha256_of(other, second);
  g_assert_cmpstr(first, !=, second);

  open_checkpoint(folder, NULL, &c);
  g_assert_true(model_gguf_write(&c, "f16", NULL, gguf, NULL, NULL, NULL));
  g_assert_true(model_gguf_write(&c, "f16", "a card", moved, NULL, NULL, NULL));
  model_checkpoint_close(&c);
  sha256_of(gguf, first);
  sha256_of(moved, second); /* the card changes no answer */
  g_assert_cmpstr(first, ==, second);
  remove_tree(folder);
  remove_tree(other);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_data_func("/convert/round-trip/A", "vectors/A-v15-tiny/hf", test_round_trip);
  g_test_add_data_func("/convert/round-trip/B", "vectors/B-v10-tiny/hf", test_round_trip);
  g_test_add_data_func("/convert/round-trip/C", "vectors/C-odd/hf", test_round_trip);
  g_test_add_data_func("/convert/round-trip/stories260K", "corpus/weights/stories260K.gguf",
                       test_round_trip);
  g_test_add_data_func("/convert/round-trip/stories15M", "corpus/weights/stories15M",
                       test_round_trip);
  g_test_add_func("/convert/round-trip/mmproj", test_round_trip_mmproj);
  g_test_add_func("/convert/tiny", test_tiny);
  g_test_add_func("/convert/hole", test_hole);
  g_test_add_func("/convert/stock-tower", test_stock_tower);
  g_test_add_data_func("/convert/memory/halves", GINT_TO_POINTER(0), test_memory);
  g_test_add_data_func("/convert/memory/adjacent", GINT_TO_POINTER(1), test_memory);
  g_test_add_func("/convert/faults", test_faults);
  g_test_add_func("/convert/cancel", test_cancel);
  g_test_add_func("/convert/changed", test_changed);
  g_test_add_func("/convert/identity", test_identity);
  return g_test_run();
}
