/* test-cli-list.c - `hilum image list` from outside. */
#include "app/tiny.h"
#include "cli-run.h"
#include "shared.h"

static char *folder; /* of all tests */

#define SERIES_KEYS                                                                                \
  "type patient study series series_instance_uid modality description number stack n_stacks "      \
  "images files sorted_by spacing_mm frame_rate localizer notes"

/* Lines of TYPE among NODES. */
static GPtrArray *
of_type(GPtrArray *nodes, const char *type)
{
  GPtrArray *found = g_ptr_array_new();

  for (guint i = 0; i < nodes->len; i++) {
    JsonObject *object = json_node_get_object(nodes->pdata[i]);

    if (strcmp(json_object_get_string_member(object, "type"), type) == 0) {
      g_ptr_array_add(found, object);
    }
  }
  return found;
}

/* What holds of every list: keys, indices, counts, and no person outside "patient". */
static void
check_lines(GPtrArray *nodes)
{
  static const char *const keys[][2] = {
      {"patient", "type patient name patient_id birth_date sex"},
      {"study", "type patient study study_instance_uid date description accession_number"},
      {"document", "type study kind name title file"},
      {"refused", "type file reason"},
      {"summary", "type files images documents refused text"},
  };
  g_autoptr(GPtrArray) series = of_type(nodes, "series"), summaries = of_type(nodes, "summary");
  g_autoptr(GPtrArray) documents = of_type(nodes, "document"), refused = of_type(nodes, "refused");
  JsonObject *summary = json_node_get_object(nodes->pdata[nodes->len - 1]);
  gint64 n_images = json_object_get_int_member(summary, "images");

  for (guint k = 0; k < G_N_ELEMENTS(keys); k++) {
    g_autoptr(GPtrArray) lines = of_type(nodes, keys[k][0]);
    for (guint i = 0; i < lines->len; i++) {
      cli_assert_keys(lines->pdata[i], keys[k][1]);
    }
  }
  for (guint i = 0; i < series->len; i++) {
    g_assert_cmpint(json_object_get_int_member(series->pdata[i], "series"), ==, i + 1);
  }
  g_assert_cmpuint(summaries->len, ==, 1);
  g_assert_true(summaries->pdata[0] == summary);
  g_assert_cmpint(json_object_get_int_member(summary, "documents"), ==, documents->len);
  g_assert_cmpint(json_object_get_int_member(summary, "refused"), ==, refused->len);
  g_assert_cmpint(json_object_get_int_member(summary, "files"), ==,
                  n_images + documents->len + refused->len);
  g_autofree char *text =
      g_strdup_printf("%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " shown, %u refused", n_images,
                      json_object_get_int_member(summary, "files"), refused->len);
  g_assert_true(g_str_has_prefix(json_object_get_string_member(summary, "text"), text));
}

static GPtrArray *
list(const char *path, const char *more)
{
  g_auto(CliRun) run = {0};

  cli_run(&run, NULL, "image", "list", path, "--json", more, NULL);
  g_test_message("%s%s", run.out, run.err);
  g_assert_cmpint(run.status, ==, 0);
  g_assert_cmpstr(run.err, ==, "");
  GPtrArray *nodes = cli_json_lines(run.out);
  check_lines(nodes);
  return nodes;
}

static void
test_phantoms(void)
{
  g_autofree char *stack = g_build_filename(folder, "stack", NULL);
  g_autofree char *letter = g_build_filename(stack, "letter.txt", NULL);
  g_auto(CliRun) made = {0}, plain = {0};

  cli_run(&made, NULL, "phantom", "--out", stack, "--stack", "12", "--size", "32", NULL);
  g_assert_cmpint(made.status, ==, 0);
  g_assert_true(g_file_set_contents(letter, "Dear colleague", -1, NULL));
  g_autoptr(GPtrArray) nodes = list(stack, "--files");
  g_autoptr(GPtrArray) series = of_type(nodes, "series"), refused = of_type(nodes, "refused");
  g_assert_cmpuint(series->len, ==, 1);
  cli_assert_keys(series->pdata[0], SERIES_KEYS " items");
  JsonObject *one = series->pdata[0];
  g_assert_cmpint(json_object_get_int_member(one, "images"), ==, 12);
  g_assert_cmpint(json_object_get_int_member(one, "stack"), ==, 1);
  g_assert_cmpint(json_object_get_int_member(one, "n_stacks"), ==, 1);
  g_assert_cmpstr(json_object_get_string_member(one, "sorted_by"), ==, "geometry");
  g_assert_cmpfloat(json_object_get_double_member(one, "spacing_mm"), >, 0);
  g_assert_true(json_object_get_null_member(one, "frame_rate"));
  g_assert_cmpuint(json_array_get_length(json_object_get_array_member(one, "notes")), ==, 0);
  JsonArray *items = json_object_get_array_member(one, "items");
  g_assert_cmpuint(json_array_get_length(items), ==, 12);
  cli_assert_keys(json_array_get_object_element(items, 0), "file images frames");
  /* Of a truth file and a letter. */
  for (guint i = 0; i < refused->len; i++) {
    g_assert_nonnull(strstr(json_object_get_string_member(refused->pdata[i], "reason"),
                            "is neither DICOM, JPEG nor PNG"));
    g_assert_true(
        g_str_has_prefix(json_object_get_string_member(refused->pdata[i], "file"), stack));
  }
  cli_run(&plain, NULL, "image", "list", stack, NULL);
  g_assert_cmpint(plain.status, ==, 0);
  g_test_message("%s", plain.out);
  g_assert_true(g_str_has_prefix(plain.out, "Patient: "));
  g_assert_nonnull(strstr(plain.out, "\n  Study: "));
  g_assert_nonnull(strstr(plain.out, "12 images by geometry, "));
  g_assert_nonnull(strstr(plain.out, "\n12 of "));
}

/* A slice taken away, a slice copied. */
static void
test_oddities(void)
{
  g_autofree char *odd = g_build_filename(folder, "odd", NULL);
  g_autofree char *twin = g_build_filename(odd, "zz-twin.dcm", NULL);
  g_autofree char *bytes = NULL;
  gsize n;
  g_auto(CliRun) made = {0};

  cli_run(&made, NULL, "phantom", "--out", odd, "--stack", "8", "--size", "32", NULL);
  g_assert_cmpint(made.status, ==, 0);
  g_autoptr(GPtrArray) whole = list(odd, "--files");
  g_autoptr(GPtrArray) before = of_type(whole, "series");
  JsonArray *items = json_object_get_array_member(before->pdata[0], "items");
  const char *fourth =
      json_object_get_string_member(json_array_get_object_element(items, 3), "file");
  const char *first =
      json_object_get_string_member(json_array_get_object_element(items, 0), "file");
  g_assert_cmpint(g_unlink(fourth), ==, 0);
  g_assert_true(g_file_get_contents(first, &bytes, &n, NULL));
  g_assert_true(g_file_set_contents(twin, bytes, (gssize)n, NULL));

  g_autoptr(GPtrArray) nodes = list(odd, NULL);
  g_autoptr(GPtrArray) after = of_type(nodes, "series"), refused = of_type(nodes, "refused");
  g_assert_cmpuint(after->len, ==, 1);
  cli_assert_keys(after->pdata[0], SERIES_KEYS);
  JsonArray *notes = json_object_get_array_member(after->pdata[0], "notes");
  g_assert_cmpuint(json_array_get_length(notes), ==, 1);
  g_assert_cmpstr(json_array_get_string_element(notes, 0), ==,
                  "1 slice is missing between images 3 and 4");
  JsonObject *last = refused->pdata[refused->len - 1];
  g_assert_cmpstr(json_object_get_string_member(last, "file"), ==, twin);
  g_assert_true(g_str_has_prefix(json_object_get_string_member(last, "reason"),
                                 "has the same SOPInstanceUID as "));
}

static void
test_failures(void)
{
  g_autofree char *empty = g_build_filename(folder, "empty", NULL);
  g_autofree char *missing = g_build_filename(folder, "missing", NULL);
  g_auto(CliRun) nothing = {0}, lost = {0}, misused = {0}, help = {0}, full = {0};

  g_assert_cmpint(g_mkdir_with_parents(empty, 0700), ==, 0);
  cli_run(&nothing, NULL, "image", "list", empty, NULL);
  g_assert_cmpint(nothing.status, ==, 1);
  g_assert_cmpstr(nothing.out, ==, "0 of 0 shown, 0 refused\n");
  cli_run(&lost, NULL, "image", "list", empty, missing, "--json", NULL);
  g_assert_cmpint(lost.status, ==, 1);
  g_assert_cmpstr(lost.out, ==, "");
  g_assert_nonnull(strstr(lost.err, "there is no such file or folder"));
  cli_run(&misused, NULL, "image", "list", NULL);
  g_assert_cmpint(misused.status, ==, 2);
  cli_run(&help, NULL, "image", "list", "--help", NULL);
  g_assert_cmpint(help.status, ==, 0);
  g_assert_nonnull(strstr(help.out, "--files"));
  cli_run_full(&full, "image", "list", empty, NULL);
  g_assert_cmpint(full.status, ==, 1);
}

/* Names that would steer a terminal, and what is not UTF-8. */
static void
test_names(void)
{
  g_autofree char *names = g_build_filename(folder, "names", NULL);
  g_autofree char *red = g_build_filename(names, "\x1b[31mred\n", NULL);
  g_autofree char *latin = g_build_filename(names, "M\xfcller", NULL);
  g_auto(CliRun) plain = {0}, json = {0};

  g_assert_cmpint(g_mkdir_with_parents(names, 0700), ==, 0);
  g_assert_true(g_file_set_contents(red, "x", 1, NULL));
  g_assert_true(g_file_set_contents(latin, "x", 1, NULL));
  cli_run(&plain, NULL, "image", "list", names, NULL);
  g_assert_cmpint(plain.status, ==, 1);
  g_assert_null(strchr(plain.out, '\x1b'));
  g_assert_true(g_utf8_validate(plain.out, -1, NULL));
  g_auto(GStrv) lines = g_strsplit(plain.out, "\n", -1);
  g_assert_cmpuint(g_strv_length(lines), ==, 4); /* two, the summary, and the end */
  cli_run(&json, NULL, "image", "list", names, "--json", NULL);
  g_autoptr(GPtrArray) nodes = cli_json_lines(json.out);
  check_lines(nodes);
}

static void
test_corpus(void)
{
  g_autofree char *corpus = shared_path("corpus/dicom");
  static const char *const names[] = {"dicomdir", "enhanced-multiframe", "mr-nm-pt",
                                      "series-ct-head-gantrytilt-28-jpegls"};

  for (guint i = 0; corpus && i < G_N_ELEMENTS(names); i++) {
    g_autofree char *path = g_build_filename(corpus, names[i], NULL);
    g_autoptr(GPtrArray) nodes = list(path, "--files");
    g_autoptr(GPtrArray) series = of_type(nodes, "series");

    g_assert_cmpuint(series->len, >, 0);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  folder = tiny_folder_new();
  g_test_add_func("/ui/cli-list/phantoms", test_phantoms);
  g_test_add_func("/ui/cli-list/oddities", test_oddities);
  g_test_add_func("/ui/cli-list/failures", test_failures);
  g_test_add_func("/ui/cli-list/names", test_names);
  g_test_add_func("/ui/cli-list/corpus", test_corpus);
  int rc = g_test_run();
  tiny_folder_free(folder);
  return rc;
}
