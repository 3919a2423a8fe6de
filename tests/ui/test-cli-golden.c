/* test-cli-golden.c - `hilum` against the golden numbers, for every file format. */
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "cli-run.h"
#include "shared.h"

typedef struct {
  const char *set;   /* folder below vectors/ */
  const char *tower; /* stock tower of the hf/ folder, or NULL */
} Set;

static const Set sets[] = {{"A-v15-tiny", NULL}, {"B-v10-tiny", "hf/clip"}, {"C-odd", NULL}};

static JsonNode *
load_json(const char *path)
{
  g_autoptr(JsonParser) parser = json_parser_new();
  g_autoptr(GError) error = NULL;

  json_parser_load_from_file(parser, path, &error);
  g_assert_no_error(error);
  return json_parser_steal_root(parser);
}

/* Fair limits of the vectors' README for float32: 1e-4 of the largest value; a norm averages. */
static void
check_norm(JsonObject *got, JsonObject *expected, const char *name)
{
  JsonObject *a = json_object_get_object_member(got, name);
  JsonObject *b = json_object_get_object_member(expected, name);
  double reference = json_object_get_double_member(b, "norm");

  g_assert_true(
      json_node_equal(json_object_get_member(a, "shape"), json_object_get_member(b, "shape")));
  g_assert_cmpfloat_with_epsilon(json_object_get_double_member(a, "norm"), reference,
                                 1e-4 + 1e-5 * fabs(reference));
}

static void
check_logits(JsonObject *got, JsonObject *expected)
{
  JsonObject *a = json_object_get_object_member(got, "logits_last");
  JsonObject *b = json_object_get_object_member(expected, "logits_last");
  JsonArray *x = json_object_get_array_member(a, "top10");
  JsonArray *y = json_object_get_array_member(b, "top10");

  g_assert_cmpuint(json_array_get_length(x), ==, 10);
  for (guint i = 0; i < 10; i++) {
    JsonArray *p = json_array_get_array_element(x, i), *q = json_array_get_array_element(y, i);
    g_assert_cmpint(json_array_get_int_element(p, 0), ==, json_array_get_int_element(q, 0));
    /* 2e-4 absolute: the README's fair limit for float32 arithmetic. */
    g_assert_cmpfloat_with_epsilon(json_array_get_double_element(p, 1),
                                   json_array_get_double_element(q, 1), 2e-4);
  }
  g_assert_cmpfloat_with_epsilon(json_object_get_double_member(a, "norm"),
                                 json_object_get_double_member(b, "norm"),
                                 1e-5 * json_object_get_double_member(b, "norm"));
  g_assert_cmpfloat_with_epsilon(json_object_get_double_member(a, "std"),
                                 json_object_get_double_member(b, "std"), 2e-4);
}

static void
check_case(JsonObject *got, JsonObject *expected)
{
  static const char *const same[] = {"ids", "n_positions", "text"};

  if (!json_object_get_null_member(expected, "image")) {
    JsonObject *a = json_object_get_object_member(got, "preprocess");
    JsonObject *b = json_object_get_object_member(expected, "preprocess");
    g_assert_true(json_node_equal(json_object_get_member(a, "u8_shape"),
                                  json_object_get_member(b, "u8_shape")));
    g_assert_cmpstr(json_object_get_string_member(a, "u8_sha256"), ==,
                    json_object_get_string_member(b, "u8_sha256"));
    check_norm(got, expected, "vision");
    check_norm(got, expected, "projected");
  }
  for (guint i = 0; i < G_N_ELEMENTS(same); i++) {
    g_assert_true(json_node_equal(json_object_get_member(got, same[i]),
                                  json_object_get_member(expected, same[i])));
  }
  check_logits(got, expected);
  g_assert_true(json_node_equal(
      json_object_get_member(json_object_get_object_member(got, "greedy"), "ids"),
      json_object_get_member(json_object_get_object_member(expected, "greedy"), "ids")));
}

/* MODEL: the options that name one. */
static void
check_cases(const char *root, JsonObject *golden, const char *const *model)
{
  JsonArray *cases = json_object_get_array_member(golden, "cases");

  for (guint i = 0; i < json_array_get_length(cases); i++) {
    JsonObject *expected = json_array_get_object_element(cases, i);
    g_auto(CliRun) run = {0};
    g_autoptr(GPtrArray) args = g_ptr_array_new(), lines = NULL;
    g_autofree char *image = NULL;

    g_test_message("%s: %s", model[1], json_object_get_string_member(expected, "name"));
    g_ptr_array_add(args, (gpointer) "model");
    g_ptr_array_add(args, (gpointer) "trace");
    for (guint k = 0; model[k]; k++) {
      g_ptr_array_add(args, (gpointer)model[k]);
    }
    if (!json_object_get_null_member(expected, "image")) {
      image = g_build_filename(root, json_object_get_string_member(expected, "image"), NULL);
      g_ptr_array_add(args, (gpointer) "--image");
      g_ptr_array_add(args, image);
    }
    g_ptr_array_add(args, (gpointer) "--json");
    g_ptr_array_add(args, (gpointer) "--prompt");
    g_ptr_array_add(args, (gpointer)json_object_get_string_member(expected, "prompt"));
    g_ptr_array_add(args, NULL);
    cli_runv(&run, NULL, (const char *const *)args->pdata);
    g_test_message("%s", run.err);
    g_assert_cmpint(run.status, ==, 0);
    lines = cli_json_lines(run.out);
    g_assert_cmpuint(lines->len, ==, 1);
    check_case(json_node_get_object(lines->pdata[0]), expected);
  }
}

static void
test_trace(gconstpointer data)
{
  static const char *const projectors[] = {"mmproj-f16.gguf", "mmproj-full-f16.gguf",
                                           "mmproj-legacy-f16.gguf"};
  const Set *set = data;
  g_autofree char *below = g_build_filename("vectors", set->set, NULL);
  g_autofree char *root = shared_path(below);
  g_autofree char *golden_path = NULL, *hf = NULL, *gguf = NULL, *tower = NULL;
  g_autoptr(JsonNode) golden = NULL;

  if (!root) {
    return;
  }
  golden_path = g_build_filename(root, "golden.json", NULL);
  golden = load_json(golden_path);
  hf = g_build_filename(root, "hf", NULL);
  tower = set->tower ? g_build_filename(root, set->tower, NULL) : NULL;
  check_cases(root, json_node_get_object(golden),
              (const char *const[]){"--model", hf, tower ? "--vision-tower" : NULL, tower, NULL});
  gguf = g_build_filename(root, "gguf", "llm-f16.gguf", NULL);
  for (guint i = 0; i < G_N_ELEMENTS(projectors); i++) {
    g_autofree char *mmproj = g_build_filename(root, "gguf", projectors[i], NULL);
    check_cases(root, json_node_get_object(golden),
                (const char *const[]){"--model", gguf, "--mmproj", mmproj, NULL});
  }
}

/* A conversation gives the ids and answers of the golden turns. */
static void
test_ask(gconstpointer data)
{
  const Set *set = data;
  g_autofree char *below = g_build_filename("vectors", set->set, NULL);
  g_autofree char *root = shared_path(below);
  g_autofree char *golden_path = NULL, *hf = NULL, *tower = NULL;
  g_autoptr(JsonNode) golden = NULL;
  JsonArray *cases;

  if (!root) {
    return;
  }
  golden_path = g_build_filename(root, "golden.json", NULL);
  golden = load_json(golden_path);
  hf = g_build_filename(root, "hf", NULL);
  tower = g_build_filename(root, set->tower ? set->tower : "", NULL);
  cases = json_object_get_array_member(json_node_get_object(golden), "cases");
  for (guint i = 0; i < json_array_get_length(cases); i++) {
    JsonObject *expected = json_array_get_object_element(cases, i);
    JsonArray *turns = json_object_get_array_member(expected, "turns");
    g_auto(CliRun) run = {0};
    g_autoptr(GPtrArray) lines = NULL;
    g_autofree char *image = NULL;

    if (json_object_get_null_member(expected, "image") || json_array_get_length(turns) != 1 ||
        strcmp(json_object_get_string_member(expected, "name"), "user_only") == 0) {
      continue;
    }
    image = g_build_filename(root, json_object_get_string_member(expected, "image"), NULL);
    cli_run(&run, NULL, "ask", "--model", hf, "--image", image, "--question",
            json_array_get_string_element(turns, 0), "--greedy", "--max-tokens", "16", "--no-log",
            "--json", set->tower ? "--vision-tower" : NULL, tower, NULL);
    g_test_message("%s %s: %s", set->set, json_object_get_string_member(expected, "name"), run.err);
    g_assert_cmpint(run.status, ==, 0);
    lines = cli_json_lines(run.out);
    g_assert_true(json_node_equal(
        json_object_get_member(json_node_get_object(lines->pdata[0]), "answer_ids"),
        json_object_get_member(json_object_get_object_member(expected, "greedy"), "ids")));
  }
}

static void
test_dump(void)
{
  g_autofree char *root = shared_path("vectors/A-v15-tiny");
  g_autofree char *hf = NULL, *image = NULL, *array = NULL, *vision = NULL;
  g_autofree char *folder = g_dir_make_tmp("hilum-dump-XXXXXX", NULL);
  static const char *const names[] = {"vision.npy", "projected.npy", "logits_last.npy"};
  g_auto(CliRun) run = {0};
  gsize n;

  if (!root) {
    g_rmdir(folder);
    return;
  }
  hf = g_build_filename(root, "hf", NULL);
  image = g_build_filename(root, "gradient_90x61.png", NULL);
  cli_run(&run, NULL, "model", "trace", "--model", hf, "--image", image, "--prompt",
          "<image> What?", "--dump", folder, NULL);
  g_assert_cmpint(run.status, ==, 0);
  vision = g_build_filename(folder, names[0], NULL);
  g_assert_true(g_file_get_contents(vision, &array, &n, NULL));
  g_assert_cmpmem(array, 6, "\x93NUMPY", 6);
  g_assert_nonnull(strstr(array + 10, "'descr': '<f4'"));
  g_assert_nonnull(strstr(array + 10, "'shape': (16, 64,)"));
  g_assert_cmpuint(n % 64, ==, 0);
  g_assert_cmpuint(n, >, 16 * 64 * 4);
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *path = g_build_filename(folder, names[i], NULL);
    g_assert_cmpint(g_remove(path), ==, 0);
  }
  g_assert_cmpint(g_rmdir(folder), ==, 0);
}

/* The whole Llama vocabulary, against SentencePiece itself. */
static void
test_tokenizer(void)
{
  g_autofree char *vectors = shared_path("vectors/tokenizer.json");
  g_autofree char *model = vectors ? shared_path("corpus/weights/stories15M") : NULL;
  g_autoptr(JsonNode) root = NULL;
  g_autoptr(GString) input = g_string_new(NULL);
  g_autoptr(GPtrArray) lines = NULL;
  g_auto(CliRun) run = {0};
  JsonArray *strings;

  if (!model) {
    return;
  }
  root = load_json(vectors);
  strings = json_object_get_array_member(json_node_get_object(root), "strings");
  for (guint i = 0; i < json_array_get_length(strings); i++) {
    JsonObject *string = json_array_get_object_element(strings, i);
    g_autofree char *text = json_to_string(json_object_get_member(string, "text"), FALSE);
    g_string_append_printf(input, "%s\n", text);
  }
  cli_run(&run, input->str, "tokenize", "--model", model, "--json", "--json-strings", NULL);
  g_assert_cmpint(run.status, ==, 0);
  lines = cli_json_lines(run.out);
  g_assert_cmpuint(lines->len, ==, json_array_get_length(strings));
  for (guint i = 0; i < lines->len; i++) {
    JsonObject *expected = json_array_get_object_element(strings, i);
    JsonObject *got = json_node_get_object(lines->pdata[i]);
    g_assert_true(json_node_equal(json_object_get_member(got, "ids"),
                                  json_object_get_member(expected, "ids")));
    g_assert_true(json_node_equal(json_object_get_member(got, "ids_special"),
                                  json_object_get_member(expected, "ids_special")));
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS(sets); i++) {
    g_autofree char *trace = g_strdup_printf("/cli-golden/trace/%s", sets[i].set);
    g_autofree char *ask = g_strdup_printf("/cli-golden/ask/%s", sets[i].set);
    g_test_add_data_func(trace, &sets[i], test_trace);
    g_test_add_data_func(ask, &sets[i], test_ask);
  }
  g_test_add_func("/cli-golden/dump", test_dump);
  g_test_add_func("/cli-golden/tokenizer", test_tokenizer);
  return g_test_run();
}
