/* test-cli-phantom.c - `hilum phantom` from outside. */
#include "cli-tools.h"

static void
test_phantom_report(void)
{
  g_autofree char *out = in_folder("reported");
  g_auto(CliRun) run = {0};
  g_autoptr(GPtrArray) lines = NULL;
  JsonObject *report;

  cli_run(&run, NULL, "phantom", "--out", out, "--count", "3", "--size", "32", "--kind",
          "chest-cr,head-ct", "--json", NULL);
  g_assert_cmpint(run.status, ==, 0);
  g_assert_cmpstr(run.err, ==, "");
  lines = cli_json_lines(run.out);
  g_assert_cmpuint(lines->len, ==, 1);
  report = json_node_get_object(lines->pdata[0]);
  cli_assert_keys(report, "out split images captions turns seconds balance");
  g_assert_cmpint(json_object_get_int_member(report, "images"), ==, 3);
  for (guint i = 0; i < 3; i++) {
    g_autofree char *name = g_strdup_printf("images/%06u.dcm", i);
    g_autofree char *path = g_build_filename(out, name, NULL);
    g_auto(CliRun) info = {0};
    cli_run(&info, NULL, "image", "info", path, "--json", NULL);
    g_assert_cmpint(info.status, ==, 0);
    g_assert_nonnull(
        strstr(info.out, i % 2 == 0 ? "\"modality\": \"CR\"" : "\"modality\": \"CT\""));
    g_assert_nonnull(strstr(info.out, "\"rows\": 32, \"cols\": 32"));
  }
}

/* Records of a JSON array file: each names a picture that is there. */
static guint
count_records(const char *name)
{
  g_autofree char *path = g_build_filename(phantoms, name, NULL);
  g_autofree char *text = contents(path, NULL);
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) root = json_from_string(text, &error);
  JsonArray *records;

  g_assert_no_error(error);
  records = json_node_get_array(root);
  for (guint i = 0; i < json_array_get_length(records); i++) {
    JsonObject *record = json_array_get_object_element(records, i);
    g_autofree char *image =
        g_build_filename(phantoms, json_object_get_string_member(record, "image"), NULL);
    JsonArray *turns = json_object_get_array_member(record, "conversations");

    cli_assert_keys(record, "id image domain conversations");
    g_assert_true(g_file_test(image, G_FILE_TEST_IS_REGULAR));
    g_assert_cmpuint(json_array_get_length(turns), >=, 2);
    g_assert_cmpuint(json_array_get_length(turns) % 2, ==, 0);
  }
  return json_array_get_length(records);
}

static void
test_phantom_files(void)
{
  g_autofree char *truths = g_build_filename(phantoms, "truth.jsonl", NULL);
  g_autofree char *text = contents(truths, NULL);
  g_autoptr(GPtrArray) lines = cli_json_lines(text);
  guint n = (guint)g_ascii_strtoull(N_PHANTOMS, NULL, 10);

  g_assert_cmpuint(lines->len, ==, n);
  g_assert_cmpuint(count_records("captions.json"), ==, n);
  g_assert_cmpuint(count_records("instruct.json"), >, n / 2);
}

static void
check_seed(const char *format, const char *split, const char *const *files)
{
  g_autofree char *a = in_folder("seed-a"), *b = in_folder("seed-b"), *c = in_folder("seed-c");

  write_phantoms(a, "7", format, split);
  write_phantoms(b, "7", format, split);
  write_phantoms(c, "8", format, split);
  for (guint i = 0; files[i]; i++) {
    g_autofree char *one = g_build_filename(a, files[i], NULL);
    g_autofree char *same = g_build_filename(b, files[i], NULL);
    g_autofree char *other = g_build_filename(c, files[i], NULL);
    g_autofree char *x = NULL, *y = NULL;
    gsize n_x, n_y;
    assert_same_file(one, same);
    x = contents(one, &n_x);
    y = contents(other, &n_y);
    g_assert_false(n_x == n_y && memcmp(x, y, n_x) == 0);
  }
  tiny_folder_remove(a);
  tiny_folder_remove(b);
  tiny_folder_remove(c);
}

static void
test_phantom_seed(void)
{
  static const char *const dicom[] = {"images/000000.dcm", "images/000019.dcm", "truth.jsonl",
                                      "captions.json",     "instruct.json",     NULL};
  static const char *const png[] = {"images/000000.png", "images/000019.png", "eval.jsonl", NULL};

  check_seed("dicom", "train", dicom);
  check_seed("png", "eval", png);
}

/* Within a key all answers come equally often, so that a question's text does not answer it. */
static void
test_phantom_balance(void)
{
  g_autofree char *text = contents(questions, NULL);
  g_autoptr(GPtrArray) lines = cli_json_lines(text);
  g_autoptr(GHashTable) keys =
      g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_hash_table_unref);
  GHashTableIter at;
  gpointer key, counts;

  g_assert_cmpuint(lines->len, >, 10);
  for (guint i = 0; i < lines->len; i++) {
    JsonObject *q = json_node_get_object(lines->pdata[i]);
    const char *name = json_object_get_string_member(q, "key");
    const char *answer = json_object_get_string_member(q, "answer");
    GHashTable *answers = g_hash_table_lookup(keys, name);
    gboolean closed = g_str_equal(json_object_get_string_member(q, "answer_type"), "CLOSED");

    cli_assert_keys(q, "question_id image text answer answer_type kind key");
    g_assert_true(closed == (g_str_equal(answer, "Yes") || g_str_equal(answer, "No")));
    if (!answers) {
      answers = g_hash_table_new(g_str_hash, g_str_equal);
      g_hash_table_insert(keys, (gpointer)name, answers);
    }
    g_hash_table_insert(
        answers, (gpointer)answer,
        GUINT_TO_POINTER(GPOINTER_TO_UINT(g_hash_table_lookup(answers, answer)) + 1));
  }
  g_hash_table_iter_init(&at, keys);
  while (g_hash_table_iter_next(&at, &key, &counts)) {
    GHashTableIter each;
    gpointer answer, count, first = NULL;
    g_assert_cmpuint(g_hash_table_size(counts), >=, 2);
    g_hash_table_iter_init(&each, counts);
    while (g_hash_table_iter_next(&each, &answer, &count)) {
      first = first ? first : count;
      g_test_message("%s: %s %u", (char *)key, (char *)answer, GPOINTER_TO_UINT(count));
      g_assert_true(count == first);
    }
  }
}

static void
test_phantom_misuse(void)
{
  g_autofree char *out = in_folder("never");
  const char *const wrong[][12] = {
      {"phantom"},
      {"phantom", out},
      {"phantom", "--out", out, "--count", "0"},
      {"phantom", "--out", out, "--count", "x"},
      {"phantom", "--out", out, "--size", "8"},
      {"phantom", "--out", out, "--size", "100000"},
      {"phantom", "--out", out, "--format", "jpeg"},
      {"phantom", "--out", out, "--split", "test"},
      {"phantom", "--out", out, "--kind", "knee-mr"},
      {"phantom", "--out", out, "--kind", "chest-cr,chest-cr"},
      {"phantom", "--out", out, "--seed", "-1"},
      {"phantom", "--out", out, "--questions-per-image", "1000"},
      {"phantom", "--out", out, "--nonsense"},
  };

  check_misuse(wrong, G_N_ELEMENTS(wrong));
  g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
}

static void
test_phantom_no_folder(void)
{
  g_autofree char *out = g_build_filename(tokenizer, "below-a-file", NULL);
  g_auto(CliRun) run = {0}, full = {0};
  g_autofree char *small = in_folder("small"), *captions = NULL;

  cli_run(&run, NULL, "phantom", "--out", out, "--count", "1", NULL);
  g_assert_cmpint(run.status, ==, 1);
  g_assert_cmpstr(run.out, ==, "");
  g_assert_nonnull(strstr(run.err, out));
  /* A full disk: no JSON file that says the set is whole. */
  cli_run_limited(&full, 1024, "phantom", "--out", small, "--count", "4", NULL);
  g_assert_cmpint(full.status, ==, 1);
  g_assert_nonnull(strstr(full.err, small));
  captions = g_build_filename(small, "captions.json", NULL);
  g_assert_false(g_file_test(captions, G_FILE_TEST_EXISTS));
}

int
main(int argc, char **argv)
{
  int status;

  g_test_init(&argc, &argv, NULL);
  cli_tools_set_up();
  g_test_add_func("/cli/phantom/report", test_phantom_report);
  g_test_add_func("/cli/phantom/files", test_phantom_files);
  g_test_add_func("/cli/phantom/seed", test_phantom_seed);
  g_test_add_func("/cli/phantom/balance", test_phantom_balance);
  g_test_add_func("/cli/phantom/misuse", test_phantom_misuse);
  g_test_add_func("/cli/phantom/no-folder", test_phantom_no_folder);
  status = g_test_run();
  cli_tools_clear();
  return status;
}
