/* test-kernel-choice.c - a packed model gives the same numbers, to the last bit, and the same ids
 * with every kernel of this machine, on any number of threads. */
#include "golden.h"

#include "engine/engine.h"
#include "kernels/packed.h"

#define MOST_IDS 12

static ModelEngine *
open_packed(const char *path, const char *mmproj, const char *kernels, guint n_threads)
{
  const ModelEngineOptions options = {.mmproj = mmproj, .n_threads = n_threads, .kernels = kernels};
  ModelCheckpoint checkpoint;
  ModelError err = {0};
  ModelEngine *engine = NULL;

  if (model_checkpoint_open(path, &options, &checkpoint, &err)) {
    /* No room for float32: the matrices are packed, however small they are. */
    engine = model_engine_new(&checkpoint, &options, 0, &err);
  }
  g_assert_cmpstr(err.message, ==, "");
  g_assert_nonnull(engine);
  g_assert_true(engine->packs);
  return engine;
}

static void
trace_with(const char *path, const char *mmproj, const char *kernels, guint n_threads,
           const ModelImage *image, const char *prompt, ModelTrace *trace)
{
  ModelEngine *engine = open_packed(path, mmproj, kernels, n_threads);
  ModelError err = {0};

  g_assert_true(model_trace(engine, image, prompt, MOST_IDS, trace, &err));
  model_engine_free(engine);
}

static void
assert_same_trace(const ModelTrace *a, const ModelTrace *b)
{
  g_assert_cmpmem(a->logits, a->vocab * sizeof(float), b->logits, b->vocab * sizeof(float));
  g_assert_cmpmem(a->greedy.ids, a->greedy.n * sizeof(int32_t), b->greedy.ids,
                  b->greedy.n * sizeof(int32_t));
  g_assert_cmpuint(a->n_patches, ==, b->n_patches);
  g_assert_cmpmem(a->projected, (gsize)a->n_patches * a->hidden * sizeof(float), b->projected,
                  (gsize)b->n_patches * b->hidden * sizeof(float));
}

static void
compare_all(const char *path, const char *mmproj, const ModelImage *image, const char *prompt)
{
  ModelTrace expected;
  const ModelKernels *kernels;

  trace_with(path, mmproj, "portable", 2, image, prompt, &expected);
  g_assert_cmpuint(expected.greedy.n, >, 0);
  for (uint32_t i = 0; (kernels = model_kernels_at(i)); i++) {
    ModelTrace trace;
    g_test_message("%s", kernels->name);
    trace_with(path, mmproj, kernels->name, 1 + i % 3, image, prompt, &trace);
    assert_same_trace(&trace, &expected);
    model_trace_clear(&trace);
  }
  model_trace_clear(&expected);
}

static void
test_golden(gconstpointer data)
{
  g_auto(GStrv) parts = g_strsplit(data, "/", 2); /* model, type */
  g_autoptr(JsonParser) parser = golden_load(parts[0]);
  g_autofree char *llm = g_strdup_printf("vectors/%s/gguf/llm-%s.gguf", parts[0], parts[1]);
  g_autofree char *picture = g_strdup_printf("vectors/%s/gguf/mmproj-f16.gguf", parts[0]);
  g_autofree char *path = NULL, *mmproj = NULL;
  static const char *const cases[] = {"pic1", "two_turns", "text_only"};

  if (!parser) {
    return;
  }
  path = shared_path(llm);
  mmproj = shared_path(picture);
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    JsonObject *object = golden_case(golden_root(parser), cases[i]);
    ModelImage image;
    gboolean sees;
    if (!object) {
      continue;
    }
    sees = golden_image(parts[0], object, &image);
    compare_all(path, mmproj, sees ? &image : NULL,
                json_object_get_string_member(object, "prompt"));
    g_free((void *)image.pixels);
  }
}

/* The same where no shared data are: the demo model's file holds Q8_0 rows. */
static void
test_demo(void)
{
  g_autofree char *path =
      g_build_filename(g_getenv("G_TEST_SRCDIR"), "..", "data", "demo", "hilum-demo.gguf", NULL);
  guint8 pixels[40 * 30];
  const ModelImage image = {40, 30, 1, pixels};

  for (gsize i = 0; i < sizeof pixels; i++) {
    pixels[i] = (guint8)(i * 7 % 251);
  }
  compare_all(path, NULL, &image, "<image>\nWhat does the picture show?");
}

int
main(int argc, char **argv)
{
  static const char *const files[] = {"A-v15-tiny/Q4_0", "A-v15-tiny/Q4_K_M", "A-v15-tiny/Q5_K_M",
                                      "A-v15-tiny/Q6_K", "A-v15-tiny/Q8_0",   "C-odd/Q4_K_M",
                                      "C-odd/Q8_0"};

  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/kernel-choice/demo", test_demo);
  for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
    g_autofree char *name = g_strdup_printf("/kernel-choice/%s", files[i]);
    g_test_add_data_func(name, files[i], test_golden);
  }
  return g_test_run();
}
