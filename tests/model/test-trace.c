/* test-trace.c - every stage of every case of the golden models, from every file that holds them.
 *
 * Tolerances are those of vectors/README.md: float32 against a float64 run differs by 7e-6 in the
 * tower and 1.2e-5 in the logits; 1e-4 and 2e-4 leave room for another order of adding.
 */
#include <glib/gstdio.h>

#include "golden.h"

#define VISION_ATOL 1e-4
#define LOGITS_ATOL 2e-4

static void
check_logits(const float *logits, guint vocab, JsonObject *expected)
{
  const double norm = json_object_get_double_member(expected, "norm");
  double mean = 0, variance = 0;

  golden_check_pairs(logits, vocab, json_object_get_array_member(expected, "top10"), LOGITS_ATOL);
  golden_check_pairs(logits, vocab, json_object_get_array_member(expected, "samples"), LOGITS_ATOL);
  g_assert_cmpfloat(fabs(golden_norm(logits, vocab) - norm), <=, 1e-4 + 1e-5 * norm);
  for (guint i = 0; i < vocab; i++) {
    mean += logits[i] / (double)vocab;
  }
  for (guint i = 0; i < vocab; i++) {
    variance += (logits[i] - mean) * (logits[i] - mean) / vocab;
  }
  /* The file does not say whether it divides by n or n - 1. */
  g_assert_cmpfloat(fabs(sqrt(variance) - json_object_get_double_member(expected, "std")), <=,
                    1e-4 + 1.0 / vocab * sqrt(variance));
}

static void
check_case(const char *name, ModelEngine *engine, JsonObject *object)
{
  const char *prompt = json_object_get_string_member(object, "prompt");
  JsonObject *greedy = json_object_get_object_member(object, "greedy");
  JsonArray *ids = json_object_get_array_member(greedy, "ids");
  ModelImage image;
  const gboolean has_image = golden_image(name, object, &image);
  ModelTrace trace;
  ModelError err = {0};
  char hex[65];

  model_trace(engine, has_image ? &image : NULL, prompt, json_array_get_length(ids), &trace, &err);
  g_assert_cmpstr(err.message, ==, "");
  golden_check_ids(&trace.ids, json_object_get_array_member(object, "ids"));
  g_assert_cmpint(trace.n_positions, ==, json_object_get_int_member(object, "n_positions"));
  if (has_image) {
    JsonObject *preprocess = json_object_get_object_member(object, "preprocess");
    model_sha256(trace.u8, 3 * (gsize)trace.side * trace.side, hex);
    g_assert_cmpstr(hex, ==, json_object_get_string_member(preprocess, "u8_sha256"));
    golden_check_matrix(trace.vision, trace.n_patches, trace.vision_hidden,
                        json_object_get_object_member(object, "vision"), VISION_ATOL);
    golden_check_matrix(trace.projected, trace.n_patches, trace.hidden,
                        json_object_get_object_member(object, "projected"), VISION_ATOL);
  } else {
    g_assert_null(trace.u8);
    g_assert_null(trace.vision);
  }
  check_logits(trace.logits, trace.vocab, json_object_get_object_member(object, "logits_last"));
  golden_check_ids(&trace.greedy, ids);
  g_assert_cmpstr(trace.text, ==, json_object_get_string_member(object, "text"));
  model_trace_clear(&trace);
  g_free((void *)image.pixels);
}

/* One way of storing a golden model. */
typedef struct {
  const char *name, *model, *mmproj, *tower;
} Stored;

static void
test_stored(gconstpointer data)
{
  const Stored *stored = data;
  g_autoptr(JsonParser) parser = golden_load(stored->name);
  JsonArray *cases;
  ModelEngine *engine;

  if (!parser) {
    return;
  }
  cases = json_object_get_array_member(golden_root(parser), "cases");
  engine = golden_open(stored->name, stored->model, stored->mmproj, stored->tower, 2);
  for (guint i = 0; i < json_array_get_length(cases); i++) {
    JsonObject *object = json_array_get_object_element(cases, i);
    g_test_message("%s %s: %s", stored->name, stored->model,
                   json_object_get_string_member(object, "name"));
    check_case(stored->name, engine, object);
  }
  model_engine_free(engine);
}

/* Our single GGUF, written from a Hugging Face folder. Every weight of the golden models is exact
 * in 16 bits, so F32 and F16 files must give the golden numbers too. */
static void
test_converted(gconstpointer data)
{
  const char *name = data;
  static const char *const types[] = {"f32", "f16"};
  g_autoptr(JsonParser) parser = golden_load(name);
  g_autofree char *relative = g_strdup_printf("vectors/%s/hf", name);
  g_autofree char *folder = NULL, *out = NULL, *hf = NULL;
  JsonArray *cases;
  ModelEngine *engine;
  ModelError err = {0};
  char hex[2][65];

  if (!parser) {
    return;
  }
  cases = json_object_get_array_member(golden_root(parser), "cases");
  folder = g_dir_make_tmp("hilum-XXXXXX", NULL);
  out = g_build_filename(folder, "converted.gguf", NULL);
  engine = golden_open_hf(name, 2);
  hf = shared_path(relative);
  for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
    const ModelEngineOptions options = {.n_threads = 2};
    ModelEngine *converted;
    const ModelConvertOptions convert = {.type = types[i], .card = "a card"};
    ModelConvertReport report;
    g_assert_true(model_convert(hf, &options, &convert, out, NULL, NULL, &report, &err));
    converted = model_engine_open(out, &options, &err);
    g_assert_cmpstr(err.message, ==, "");
    g_assert_cmpstr(model_engine_info(converted)->model_card, ==, "a card");
    g_assert_cmpstr(model_engine_info(converted)->template_name, ==,
                    model_engine_info(engine)->template_name);
    g_assert_cmpuint(model_engine_info(converted)->vocab, ==, model_engine_info(engine)->vocab);
    for (guint k = 0; k < json_array_get_length(cases); k++) {
      check_case(name, converted, json_array_get_object_element(cases, k));
    }
    g_assert_true(model_engine_sha256(converted, hex[i], &err));
    g_assert_cmpstr(report.sha256, ==, hex[i]);
    model_engine_free(converted);
    g_assert_cmpint(g_remove(out), ==, 0);
  }
  g_assert_cmpstr(hex[0], !=, hex[1]);
  model_engine_free(engine);
  g_rmdir(folder);
}

static void
test_info(void)
{
  g_autoptr(JsonParser) parser = golden_load("A-v15-tiny");
  ModelEngine *engine;
  const ModelInfo *info;

  if (!parser) {
    return;
  }
  engine = golden_open("A-v15-tiny", "gguf/llm-Q4_K_M.gguf", "gguf/mmproj-f16.gguf", NULL, 1);
  info = model_engine_info(engine);
  g_assert_cmpstr(info->quantization, ==, "mixed Q4_K");
  g_assert_cmpstr(info->format, ==, "gguf+mmproj");
  g_assert_cmpstr(info->projector, ==, "mlp2x_gelu");
  g_assert_cmpstr(info->aspect, ==, "pad");
  g_assert_cmpuint(info->n_image_tokens, ==, 16);
  g_assert_cmpuint(info->vision_blocks_run, ==, 3);
  g_assert_cmpuint(model_engine_image_positions(engine), ==, 16);
  model_engine_free(engine);
  engine = golden_open_hf("B-v10-tiny", 1);
  info = model_engine_info(engine);
  g_assert_cmpstr(info->quantization, ==, "mixed F16"); /* the tower is F32 */
  g_assert_cmpstr(info->projector, ==, "linear");
  g_assert_cmpstr(info->aspect, ==, "square");
  g_assert_cmpuint(model_engine_image_positions(engine), ==, 18);
  model_engine_free(engine);
}

static void
test_refusals(void)
{
  g_autoptr(JsonParser) parser = golden_load("A-v15-tiny");
  ModelEngine *engine;
  ModelImage image;
  ModelTrace trace;
  ModelError err = {0};

  if (!parser) {
    return;
  }
  engine = golden_open_hf("A-v15-tiny", 1);
  golden_image("A-v15-tiny", golden_case(golden_root(parser), "pic1"), &image);
  g_assert_false(model_trace(engine, NULL, "a <image> b", 1, &trace, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  g_assert_false(model_trace(engine, &image, "no mark", 1, &trace, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  g_assert_false(model_trace(engine, &image, "<image> <image>", 1, &trace, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  g_assert_false(model_trace(engine, NULL, "a", 1u << 30, &trace, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_CONTEXT);
  model_trace_clear(&trace);
  g_free((void *)image.pixels);
  model_engine_free(engine);
}

int
main(int argc, char **argv)
{
  static const Stored stored[] = {
      {"A-v15-tiny", "hf", NULL, NULL},
      {"B-v10-tiny", "hf", NULL, "hf/clip"},
      {"C-odd", "hf", NULL, NULL},
      {"A-v15-tiny", "gguf/llm-f16.gguf", "gguf/mmproj-f16.gguf", NULL},
      {"A-v15-tiny", "gguf/llm-f16.gguf", "gguf/mmproj-legacy-f16.gguf", NULL},
      {"A-v15-tiny", "gguf/llm-f16.gguf", "gguf/mmproj-full-f16.gguf", NULL},
      {"B-v10-tiny", "gguf/llm-f16.gguf", "gguf/mmproj-f16.gguf", NULL},
      {"B-v10-tiny", "gguf/llm-f16.gguf", "gguf/mmproj-legacy-f16.gguf", NULL},
      {"B-v10-tiny", "gguf/llm-f16.gguf", "gguf/mmproj-full-f16.gguf", NULL},
      {"C-odd", "gguf/llm-f16.gguf", "gguf/mmproj-f16.gguf", NULL},
      {"C-odd", "gguf/llm-f16.gguf", "gguf/mmproj-legacy-f16.gguf", NULL},
      {"C-odd", "gguf/llm-f16.gguf", "gguf/mmproj-full-f16.gguf", NULL},
  };

  g_test_init(&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS(stored); i++) {
    g_autofree char *path =
        g_strdup_printf("/trace/%s/%s%s%s", stored[i].name, stored[i].model,
                        stored[i].mmproj ? "+" : "", stored[i].mmproj ? stored[i].mmproj + 5 : "");
    g_test_add_data_func(path, &stored[i], test_stored);
  }
  for (guint i = 0; i < G_N_ELEMENTS(golden_names); i++) {
    g_autofree char *path = g_strdup_printf("/trace/%s/converted", golden_names[i]);
    g_test_add_data_func(path, golden_names[i], test_converted);
  }
  g_test_add_func("/trace/info", test_info);
  g_test_add_func("/trace/refusals", test_refusals);
  return g_test_run();
}
