/* The pair of files that llama.cpp reads, and conversions by path: the same bytes on any number of
 * threads, the identity that is reported, nothing left behind. */
#include "checkpoint/gguf-file.h"
#include "checkpoint/write.h"

#include "model/checkpoint-fixture.h"
#include "shared.h"

typedef struct {
  char *folder, *out, *mmproj;
} Place;

static void
place_make(Place *place)
{
  place->folder = new_folder();
  place->out = g_build_filename(place->folder, "out.gguf", NULL);
  place->mmproj = g_build_filename(place->folder, "out-mmproj.gguf", NULL);
}

static void
place_clear(Place *place)
{
  remove_tree(place->folder);
  g_free(place->folder);
  g_free(place->out);
  g_free(place->mmproj);
}

static void
convert(const char *path, guint threads, const ModelConvertOptions *options, const char *out,
        ModelConvertReport *report)
{
  const ModelEngineOptions open = {.n_threads = threads};
  ModelError err = {0};

  if (!model_convert(path, &open, options, out, NULL, NULL, report, &err))
    g_error("%s", err.message);
}

static GBytes *
bytes_of(const char *path)
{
  char *text;
  gsize n;

  g_assert_true(g_file_get_contents(path, &text, &n, NULL));
  return g_bytes_new_take(text, n);
}

static guint64
size_of(const char *path)
{
  g_autoptr(GBytes) bytes = bytes_of(path);

  return g_bytes_get_size(bytes);
}

/* Every tensor of A, but those that a pair leaves out, is in B with the same values. */
static guint
compare_values(const ModelCheckpoint *a, const ModelCheckpoint *b)
{
  const ModelTensor *x, *y;
  g_autofree float *one = NULL, *two = NULL;
  char name[256], other[256];
  guint left_out = 0;

  for (guint i = 0, k = 0; (x = model_checkpoint_tensor(a, i, name)); i++) {
    y = model_checkpoint_tensor(b, k, other);
    if (!y || strcmp(name, other) != 0) {
      left_out++;
      continue;
    }
    k++;
    for (guint64 row = 0; row < model_tensor_rows(x); row++) {
      read_row(x, row, &one);
      read_row(y, row, &two);
      g_assert_cmpmem(one, model_tensor_columns(x) * sizeof *one, two,
                      model_tensor_columns(y) * sizeof *two);
    }
  }
  return left_out;
}

static void
check_keys(const char *path, gboolean picture)
{
  ModelMapping *mapping = NULL;
  ModelGguf gguf;
  gint64 blocks = -1;

  g_assert_true(model_mapping_open(path, &mapping, NULL));
  g_assert_true(model_gguf_parse(mapping, &gguf, NULL));
  g_assert_true(model_gguf_string_is(&gguf, "general.architecture", picture ? "clip" : "llama"));
  g_assert_cmpint(model_gguf_find(&gguf, "clip.has_vision_encoder") != NULL, ==, picture);
  g_assert_cmpint(model_gguf_find(&gguf, "llama.block_count") != NULL, ==, !picture);
  g_assert_cmpint(model_gguf_find(&gguf, "tokenizer.ggml.tokens") != NULL, ==, !picture);
  if (picture) {
    const ModelGgufKey *run = model_gguf_find(&gguf, "clip.vision.feature_layer");
    g_assert_true(model_gguf_i64(&gguf, "clip.vision.block_count", &blocks, NULL));
    g_assert_cmpint(model_gguf_item_i32(run, 0), ==, blocks);
    g_assert_null(model_table_find(&gguf.table, "v.post_ln.weight"));
    g_assert_null(model_table_find(&gguf.table, "token_embd.weight"));
    g_assert_nonnull(model_table_find(&gguf.table, "mm.0.weight"));
  } else {
    for (guint i = 0; i < gguf.table.n; i++)
      g_assert_false(g_str_has_prefix(gguf.table.entries[i].tensor.name, "v."));
  }
  model_gguf_clear(&gguf);
  model_mapping_free(mapping);
}

/* FROM as one file and as a pair: the pair reads back as the same model. */
static void
check_pair(const char *from)
{
  const ModelConvertOptions single = {.type = "f16"}, split = {.type = "f16", .split = true};
  ModelConvertReport report;
  ModelEngineOptions options;
  ModelCheckpoint whole, pair, alone;
  char sha256[65];
  Place place, other;

  place_make(&place);
  place_make(&other);
  convert(from, 2, &single, other.out, &report);
  open_checkpoint(other.out, NULL, &whole);
  g_assert_true(model_checkpoint_sha256(&whole, sha256, NULL));
  g_assert_cmpstr(report.sha256, ==, sha256);
  g_assert_cmpuint(report.n_bytes, ==, size_of(other.out));
  g_assert_cmpuint(report.n_verified_rows, >, report.n_tensors);
  /* From the source, and from our single file. */
  for (guint i = 0; i < 2; i++) {
    convert(i ? other.out : from, 2, &split, place.out, &report);
    g_assert_cmpuint(report.n_bytes, ==, size_of(place.out) + size_of(place.mmproj));
    check_keys(place.out, FALSE);
    check_keys(place.mmproj, TRUE);
    options = (ModelEngineOptions){.mmproj = place.mmproj};
    open_checkpoint(place.out, &options, &pair);
    g_assert_cmpstr(pair.format, ==, "gguf+mmproj");
    g_assert_cmpstr(pair.tower_origin, ==, whole.tower_origin);
    g_assert_cmpstr(pair.config.template_name, ==, whole.config.template_name);
    g_assert_cmpint(pair.config.aspect, ==, whole.config.aspect);
    g_assert_cmpint(pair.config.image_start_end, ==, whole.config.image_start_end);
    g_assert_cmpuint(pair.config.decoder.context, ==, whole.config.decoder.context);
    g_assert_cmpuint(pair.config.vision.blocks_run, ==, whole.config.vision.blocks_run);
    g_assert_cmpuint(pair.config.vision.blocks_stored, ==, whole.config.vision.blocks_run);
    g_assert_cmpuint(compare_values(&whole, &pair), ==,
                     16 * (whole.config.vision.blocks_stored - whole.config.vision.blocks_run) +
                         (whole.weights.post_ln_w.data ? 2 : 0));
    g_assert_true(model_checkpoint_sha256(&pair, sha256, NULL));
    g_assert_cmpstr(report.sha256, ==, sha256);
    model_checkpoint_close(&pair);
    open_checkpoint(place.out, NULL, &alone);
    g_assert_false(alone.config.has_vision);
    model_checkpoint_close(&alone);
  }
  g_assert_cmpuint(count_files(place.folder), ==, 2);
  model_checkpoint_close(&whole);
  place_clear(&place);
  place_clear(&other);
}

static void
test_tiny(void)
{
  static const TinyOptions cases[] = {
      {.layout = LAYOUT_ORIGINAL},
      {.layout = LAYOUT_CONVERTED, .extra_rows = 5},
      {.layout = LAYOUT_ORIGINAL, .linear = TRUE, .v10 = TRUE},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *folder = tiny_folder(&cases[i]);
    check_pair(folder);
    remove_tree(folder);
  }
}

static void
test_golden(gconstpointer data)
{
  g_autofree char *path = shared_path(data);

  if (path)
    check_pair(path);
}

/* A text model has one file whatever is asked for, a name without an ending gets one. */
static void
test_names(void)
{
  const TinyOptions text = {.layout = LAYOUT_ORIGINAL, .text_only = TRUE}, whole = {0};
  g_autofree char *folder = tiny_folder(&text), *picture = tiny_folder(&whole);
  const ModelConvertOptions split = {.type = "f16", .split = true};
  Place place;
  g_autofree char *plain = NULL, *plain_mmproj = NULL;

  place_make(&place);
  convert(folder, 1, &split, place.out, NULL);
  g_assert_cmpuint(count_files(place.folder), ==, 1);
  plain = g_build_filename(place.folder, "gguf", NULL);
  plain_mmproj = g_build_filename(place.folder, "gguf-mmproj.gguf", NULL);
  convert(picture, 1, &split, plain, NULL);
  g_assert_true(g_file_test(plain_mmproj, G_FILE_TEST_EXISTS));
  place_clear(&place);
  remove_tree(folder);
  remove_tree(picture);
}

/* The last columns are the threads; 0 is one per core. */
static void
test_threads(void)
{
  static const char *const types[] = {"f32", "bf16", "q8_0", "q6_k", "q5_k_m", "q4_k_m", "q4_0"};
  g_autofree char *path = shared_path("corpus/weights/stories15M");
  Place one, many;

  if (!path)
    return;
  place_make(&one);
  place_make(&many);
  for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
    const ModelConvertOptions options = {.type = types[i], .verify = MODEL_VERIFY_ALL};
    g_autoptr(GBytes) a = NULL, b = NULL;
    ModelConvertReport first, second;
    convert(path, 1, &options, one.out, &first);
    convert(path, 3, &options, many.out, &second);
    a = bytes_of(one.out);
    b = bytes_of(many.out);
    g_test_message("%s: %" G_GUINT64_FORMAT " bytes, worst error %g in %s", types[i], first.n_bytes,
                   first.worst_error, first.worst_tensor);
    g_assert_true(g_bytes_equal(a, b));
    g_assert_cmpstr(first.sha256, ==, second.sha256);
    g_assert_cmpuint(first.n_verified_rows, ==, second.n_verified_rows);
  }
  place_clear(&one);
  place_clear(&many);
}

/* From a type into itself: the tensors' bytes are copied. */
static void
test_same_type(void)
{
  g_autofree char *path = shared_path("vectors/A-v15-tiny/gguf/llm-Q4_K_M.gguf");
  const ModelConvertOptions options = {.type = "q4_k_m", .tower_type = "f16"};
  ModelCheckpoint before, after;
  const ModelTensor *x, *y;
  guint same = 0;
  char name[256];
  Place place;

  if (!path)
    return;
  place_make(&place);
  convert(path, 2, &options, place.out, NULL);
  open_checkpoint(path, NULL, &before);
  open_checkpoint(place.out, NULL, &after);
  for (guint i = 0; (x = model_checkpoint_tensor(&before, i, name)); i++) {
    y = model_checkpoint_tensor(&after, i, name);
    if (x->type == y->type) {
      g_assert_cmpmem(x->data, x->n_bytes, y->data, y->n_bytes);
      same++;
    }
  }
  g_assert_cmpuint(same, >, 20);
  model_checkpoint_close(&before);
  model_checkpoint_close(&after);
  place_clear(&place);
}

typedef struct {
  guint calls, stop_at;
  guint64 last;
} Progress;

static bool
on_progress(uint64_t done, uint64_t total, void *user)
{
  Progress *p = user;

  g_assert_cmpuint(done, >=, p->last);
  g_assert_cmpuint(done, <=, total);
  p->last = done;
  return ++p->calls != p->stop_at;
}

/* Cancelled at any moment, a pair leaves nothing and takes nothing away. */
static void
test_cancel(void)
{
  const TinyOptions whole = {.layout = LAYOUT_ORIGINAL};
  g_autofree char *folder = tiny_folder(&whole);
  Progress all = {0};
  Place place;

  place_make(&place);
  for (guint v = 0; v < 2; v++) {
    const ModelConvertOptions options = {
        .type = "q8_0", .split = true, .verify = v ? MODEL_VERIFY_ALL : MODEL_VERIFY_SAMPLE};
    all = (Progress){0};
    g_assert_true(model_convert(folder, NULL, &options, place.out, on_progress, &all, NULL, NULL));
    write_file(place.folder, "out.gguf", "old", 3);
    write_file(place.folder, "out-mmproj.gguf", "older", 5);
    for (guint n = 1; n <= all.calls; n += 3) {
      Progress p = {.stop_at = n};
      ModelError err = {0};
      g_assert_false(model_convert(folder, NULL, &options, place.out, on_progress, &p, NULL, &err));
      assert_message(&err, MODEL_ERROR_CANCELLED, "*cancelled *");
      g_assert_cmpuint(count_files(place.folder), ==, 2);
      g_assert_cmpuint(size_of(place.out), ==, 3);
      g_assert_cmpuint(size_of(place.mmproj), ==, 5);
    }
  }
  place_clear(&place);
  remove_tree(folder);
}

/* The card of a file that is converted again does not grow. */
static void
test_card(void)
{
  const TinyOptions whole = {.layout = LAYOUT_ORIGINAL};
  g_autofree char *folder = tiny_folder(&whole), *again = NULL;
  ModelConvertOptions options = {.type = "q8_0"};
  ModelCheckpoint c;
  Place place;

  place_make(&place);
  again = g_build_filename(place.folder, "again.gguf", NULL);
  convert(folder, 1, &options, place.out, NULL);
  open_checkpoint(place.out, NULL, &c);
  g_assert_cmpstr(c.card, ==,
                  "# tiny\n\n## Conversion\n\n- from: tiny, format huggingface, mostly F32\n"
                  "- decoder: q8_0\n- vision tower: the checkpoint's own, q8_0; projector: q8_0\n"
                  "- conversation template: mistral_instruct\n");
  model_checkpoint_close(&c);
  options.type = "f16";
  options.tower_type = "f32";
  convert(place.out, 1, &options, again, NULL);
  open_checkpoint(again, NULL, &c);
  g_assert_cmpstr(c.card, ==,
                  "# tiny\n\n## Conversion\n\n- from: tiny, format gguf, mostly F16\n"
                  "- decoder: f16\n- vision tower: the checkpoint's own, f32; projector: f32\n"
                  "- conversation template: mistral_instruct\n");
  g_assert_cmpint(c.weights.mm_w[0].type, ==, MODEL_TYPE_F32);
  g_assert_cmpint(c.weights.layers[0].gate.type, ==, MODEL_TYPE_F16);
  model_checkpoint_close(&c);
  place_clear(&place);
  remove_tree(folder);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/split/tiny", test_tiny);
  g_test_add_data_func("/split/A", "vectors/A-v15-tiny/hf", test_golden);
  g_test_add_data_func("/split/B", "vectors/B-v10-tiny/hf", test_golden);
  g_test_add_func("/split/names", test_names);
  g_test_add_func("/split/threads", test_threads);
  g_test_add_func("/split/same-type", test_same_type);
  g_test_add_func("/split/cancel", test_cancel);
  g_test_add_func("/split/card", test_card);
  return g_test_run();
}
