/* test-cli-documents.c - `hilum image text`, `extract` and `info` from outside, on what is no image
 * and on what is one. */
#include "cli-run.h"
#include "dicom/build.h"
#include "shared.h"

#define TABLE_KEYS                                                                                 \
  "file transfer_syntax sop_class modality rows cols frames samples photometric planar "           \
  "bits_alloc bits_stored pixel_rep window_center window_width slope intercept"
#define FACT_KEYS                                                                                  \
  " content content_name transfer_syntax_name title body_part view laterality warnings "           \
  "warning_texts image_type orientation spacing_mm calibration frame_rate burned_in_annotation "   \
  "lossy damage"
#define INFO_KEYS TABLE_KEYS FACT_KEYS
#define PIXEL_KEYS TABLE_KEYS " md5_pixels pix_min pix_max" FACT_KEYS

static char *report, *pdf, *cine;

static void
build_code(Build *b, guint32 sequence, const char *meaning)
{
  build_open(b, sequence);
  build_item(b, UNDEFINED);
  build_text(b, 0x00080104, "LO", meaning);
  build_item_end(b);
  build_close(b);
}

static char *
write_report(void)
{
  g_auto(Build) b = {0};

  build_start(&b, TS_EXPLICIT);
  build_text(&b, 0x00080005, "CS", "ISO_IR 192");
  build_text(&b, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.88.11");
  build_text(&b, 0x00080060, "CS", "SR");
  build_text(&b, 0x0040a040, "CS", "CONTAINER");
  build_code(&b, 0x0040a043, "Chest report");
  build_open(&b, 0x0040a730);
  build_item(&b, UNDEFINED);
  build_text(&b, 0x0040a010, "CS", "CONTAINS");
  build_text(&b, 0x0040a040, "CS", "TEXT");
  build_code(&b, 0x0040a043, "Findings");
  build_text(&b, 0x0040a160, "UT", "clear\x1b[2J lungs\nno effusion");
  build_item_end(&b);
  build_close(&b);
  return build_write(&b, "report.dcm");
}

static char *
write_pdf(const char *name, const char *bytes)
{
  g_auto(Build) b = {0};

  build_start(&b, TS_EXPLICIT);
  build_text(&b, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.104.1");
  build_text(&b, 0x00080060, "CS", "DOC");
  build_text(&b, 0x00420010, "ST", "Letter");
  build_bytes(&b, 0x00420011, "OB", bytes, strlen(bytes));
  build_text(&b, 0x00420012, "LO", "application/pdf");
  return build_write(&b, name);
}

/* Three frames with whatever the header can say of an image. */
static char *
write_cine(void)
{
  static const Shape shape = {.rows = 2,
                              .columns = 2,
                              .frames = 3,
                              .samples = 1,
                              .bits = 8,
                              .stored = 8,
                              .high = 7,
                              .photometric = "MONOCHROME2",
                              .planar = -1};
  g_auto(Build) b = {0};

  build_start(&b, TS_EXPLICIT);
  build_text(&b, 0x00080008, "CS", "DERIVED\\PRIMARY");
  build_text(&b, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.12.1");
  build_text(&b, 0x00080060, "CS", "XA");
  build_text(&b, 0x00180015, "CS", "HEART");
  build_text(&b, 0x00181063, "DS", "40");
  build_text(&b, 0x00181164, "DS", "0.5\\0.25");
  build_text(&b, 0x00200020, "CS", "L\\F");
  build_text(&b, 0x00200062, "CS", "L");
  build_shape(&b, &shape);
  build_text(&b, 0x00280301, "CS", "YES");
  build_text(&b, 0x00282110, "CS", "01");
  build_bytes(&b, 0x7fe00010, "OB", "abcdefghijkl", 12);
  return build_write(&b, "cine.dcm");
}

static JsonObject *
only_object(GPtrArray *nodes)
{
  g_assert_cmpuint(nodes->len, ==, 1);
  return json_node_get_object(nodes->pdata[0]);
}

/* ---- reports -----------------------------------------------------------------------------------
 */

static void
test_text(void)
{
  g_auto(CliRun) plain = {0}, json = {0}, image = {0}, document = {0};
  static const char text[] = "Chest report\n\nFindings: clear\xef\xbf\xbd[2J lungs\n"
                             "    no effusion\n";

  cli_run(&plain, NULL, "image", "text", report, NULL);
  g_assert_cmpint(plain.status, ==, 0);
  g_assert_cmpstr(plain.out, ==, text);
  g_assert_cmpstr(plain.err, ==, "");
  cli_run(&json, NULL, "image", "text", report, "--json", NULL);
  g_assert_cmpint(json.status, ==, 0);
  g_autoptr(GPtrArray) nodes = cli_json_lines(json.out);
  JsonObject *object = only_object(nodes);
  cli_assert_keys(object, "file kind title text");
  g_assert_cmpstr(json_object_get_string_member(object, "kind"), ==, "report");
  g_assert_cmpstr(json_object_get_string_member(object, "title"), ==, "Chest report");
  g_assert_cmpstr(json_object_get_string_member(object, "text"), ==, text);
  cli_run(&image, NULL, "image", "text", cine, NULL);
  g_assert_cmpint(image.status, ==, 1);
  g_assert_nonnull(strstr(image.err, "is no structured report"));
  cli_run(&document, NULL, "image", "text", pdf, "--json", NULL);
  g_assert_cmpint(document.status, ==, 1);
  g_assert_cmpstr(document.out, ==, "");
  g_assert_nonnull(strstr(document.err, "hilum image extract"));
}

/* ---- PDF ---------------------------------------------------------------------------------------
 */

#define DOCUMENT "%PDF-1.4\nanything\n%%EOF\n"

static void
assert_contents(const char *path, const char *expected)
{
  g_autofree char *bytes = NULL;
  gsize n;

  g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
  g_assert_cmpmem(bytes, n, expected, strlen(expected));
}

static void
test_extract(void)
{
  g_autofree char *out = g_build_filename(build_folder(), "out.pdf", NULL);
  g_auto(CliRun) json = {0}, plain = {0};

  cli_run(&json, NULL, "image", "extract", pdf, "--out", out, "--json", NULL);
  g_test_message("%s", json.err);
  g_assert_cmpint(json.status, ==, 0);
  g_autoptr(GPtrArray) nodes = cli_json_lines(json.out);
  JsonObject *object = only_object(nodes);
  cli_assert_keys(object, "file out bytes title");
  g_assert_cmpint(json_object_get_int_member(object, "bytes"), ==, strlen(DOCUMENT));
  g_assert_cmpstr(json_object_get_string_member(object, "title"), ==, "Letter");
  assert_contents(out, DOCUMENT);
  cli_run(&plain, NULL, "image", "extract", "-o", out, pdf, NULL);
  g_assert_cmpint(plain.status, ==, 0);
  g_assert_nonnull(strstr(plain.out, "Letter"));
  assert_contents(out, DOCUMENT);
}

/* What goes wrong leaves no file, and none half. */
static void
test_extract_fails(void)
{
  g_autofree char *fake = write_pdf("fake.dcm", "PK\003\004 no PDF at all");
  g_autofree char *out = g_build_filename(build_folder(), "none.pdf", NULL);
  g_autofree char *lost = g_build_filename(build_folder(), "no", "folder.pdf", NULL);
  g_autofree char *before = NULL;
  gsize n_before;
  const struct {
    const char *in, *out, *message;
    int status;
  } rows[] = {
      {pdf, NULL, "--out says which PDF file to write", 2},
      {pdf, pdf, "names the very file to read from", 2},
      {pdf, lost, "there is no folder", 1},
      {fake, out, "is a ZIP archive; expected %PDF", 1},
      {report, out, "is no encapsulated PDF", 1},
      {cine, out, "is no encapsulated PDF", 1},
      {lost, out, "cannot be opened", 1},
  };

  g_assert_true(g_file_get_contents(pdf, &before, &n_before, NULL));
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_auto(CliRun) run = {0};

    cli_run(&run, NULL, "image", "extract", rows[i].in, rows[i].out ? "--out" : NULL, rows[i].out,
            NULL);
    g_test_message("%s", run.err);
    g_assert_cmpint(run.status, ==, rows[i].status);
    g_assert_cmpstr(run.out, ==, "");
    g_assert_nonnull(strstr(run.err, rows[i].message));
    g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
  }
  g_auto(CliRun) full = {0};
  cli_run_limited(&full, 10, "image", "extract", pdf, "--out", out, NULL);
  g_test_message("%s", full.err);
  g_assert_cmpint(full.status, ==, 1);
  g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
  g_autofree char *after = NULL;
  gsize n_after;
  g_assert_true(g_file_get_contents(pdf, &after, &n_after, NULL));
  g_assert_cmpmem(before, n_before, after, n_after);
}

/* ---- facts -------------------------------------------------------------------------------------
 */

static void
test_info_of_documents(void)
{
  const struct {
    const char *path, *content, *name, *title;
  } rows[] = {{report, "report", "Basic Text SR Storage", "Chest report"},
              {pdf, "pdf", "Encapsulated PDF Storage", "Letter"}};
  static const char *const nulls[] = {"rows",       "cols",     "frames",        "samples",
                                      "warnings",   "planar",   "warning_texts", "spacing_mm",
                                      "frame_rate", "body_part"};

  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_auto(CliRun) run = {0}, pixels = {0}, plain = {0};

    cli_run(&run, NULL, "image", "info", "--json", rows[i].path, NULL);
    g_test_message("%s%s", run.out, run.err);
    g_assert_cmpint(run.status, ==, 0);
    g_autoptr(GPtrArray) nodes = cli_json_lines(run.out);
    JsonObject *object = only_object(nodes);
    cli_assert_keys(object, INFO_KEYS);
    g_assert_cmpstr(json_object_get_string_member(object, "content"), ==, rows[i].content);
    g_assert_cmpstr(json_object_get_string_member(object, "content_name"), ==, rows[i].name);
    g_assert_cmpstr(json_object_get_string_member(object, "title"), ==, rows[i].title);
    for (guint k = 0; k < G_N_ELEMENTS(nulls); k++) {
      g_assert_true(json_object_get_null_member(object, nulls[k]));
    }
    cli_run(&pixels, NULL, "image", "info", "--pixels", rows[i].path, NULL);
    g_assert_cmpint(pixels.status, ==, 1);
    g_assert_cmpstr(pixels.out, ==, "");
    g_assert_nonnull(strstr(pixels.err, ": is no image: "));
    cli_run(&plain, NULL, "image", "info", rows[i].path, NULL);
    g_assert_cmpint(plain.status, ==, 0);
    g_assert_nonnull(strstr(plain.out, rows[i].name));
  }
}

static void
assert_texts(JsonObject *object, const char *const (*texts)[2], guint n)
{
  for (guint i = 0; i < n; i++) {
    g_assert_cmpstr(json_object_get_string_member(object, texts[i][0]), ==, texts[i][1]);
  }
}

static void
test_info_of_image(void)
{
  static const char *const texts[][2] = {
      {"content", "image"},
      {"content_name", "X-Ray Angiographic Image Storage"},
      {"body_part", "HEART"},
      {"laterality", "L"},
      {"image_type", "DERIVED\\PRIMARY"},
      {"calibration", "detector"},
      {"burned_in_annotation", "YES"},
      {"md5_pixels", "9fc9d606912030dca86582ed62595cf7"}, /* of "abcdefghijkl" */
  };
  static const char *const edges[][2] = {
      {"left", "R"}, {"right", "L"}, {"top", "H"}, {"bottom", "F"}};
  g_auto(CliRun) run = {0}, plain = {0};

  cli_run(&run, NULL, "image", "info", "--json", "--pixels", cine, NULL);
  g_test_message("%s%s", run.out, run.err);
  g_assert_cmpint(run.status, ==, 0);
  g_autoptr(GPtrArray) nodes = cli_json_lines(run.out);
  JsonObject *object = only_object(nodes);
  cli_assert_keys(object, PIXEL_KEYS);
  assert_texts(object, texts, G_N_ELEMENTS(texts));
  assert_texts(json_object_get_object_member(object, "orientation"), edges, G_N_ELEMENTS(edges));
  g_assert_true(json_object_get_null_member(object, "view"));
  g_assert_true(json_object_get_null_member(object, "title"));
  g_assert_true(json_object_get_null_member(object, "damage"));
  g_assert_true(json_object_get_boolean_member(object, "lossy"));
  g_assert_cmpfloat(json_object_get_double_member(object, "frame_rate"), ==, 25);
  g_assert_cmpint(json_object_get_int_member(object, "frames"), ==, 3);
  JsonArray *spacing = json_object_get_array_member(object, "spacing_mm");
  g_assert_cmpfloat(json_array_get_double_element(spacing, 0), ==, 0.5);
  g_assert_cmpfloat(json_array_get_double_element(spacing, 1), ==, 0.25);
  JsonArray *warnings = json_object_get_array_member(object, "warnings");
  JsonArray *sentences = json_object_get_array_member(object, "warning_texts");
  g_assert_cmpuint(json_array_get_length(warnings), ==, 3);
  g_assert_cmpstr(json_array_get_string_element(warnings, 0), ==, "other-modality");
  g_assert_cmpstr(json_array_get_string_element(warnings, 1), ==, "burned-in-annotation");
  g_assert_cmpstr(json_array_get_string_element(warnings, 2), ==, "lossy");
  g_assert_cmpuint(json_array_get_length(sentences), ==, 3);
  /* For people: a line for each warning, and the edges in words. */
  cli_run(&plain, NULL, "image", "info", cine, NULL);
  g_assert_cmpint(plain.status, ==, 0);
  g_assert_nonnull(strstr(plain.out, "left R, right L, top H, bottom F\n"));
  g_assert_nonnull(strstr(plain.out, "other-modality\n"));
  g_assert_nonnull(strstr(plain.out, " burned-in-annotation\n"));
}

/* The dog among the chest radiographs, and a person. */
static void
test_info_of_animal(void)
{
  static const char *const rows[][2] = {
      {"corpus/dicom/cxr-dicom/DX_thorax_fuji_mono1_8bit_small.dcm", "non-human"},
      {"corpus/dicom/cxr-dicom/DX_chest-pa_canon_mono1_12bit_j2k-lossless.dcm", NULL}};

  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *path = shared_path(rows[i][0]);
    g_auto(CliRun) run = {0};

    if (!path) {
      return;
    }
    cli_run(&run, NULL, "image", "info", "--json", path, NULL);
    g_assert_cmpint(run.status, ==, 0);
    g_assert_true((strstr(run.out, "\"non-human\"") != NULL) == (rows[i][1] != NULL));
  }
}

static void
test_corpus(void)
{
  g_autofree char *pdf_path = shared_path("corpus/dicom/non-image/encapsulated-pdf.dcm");
  g_autofree char *sr_path = shared_path("corpus/dicom/non-image/SR_highdicom.dcm");
  g_autofree char *out = g_build_filename(build_folder(), "corpus.pdf", NULL);
  g_auto(CliRun) extracted = {0}, text = {0};

  if (!pdf_path || !sr_path) {
    return;
  }
  cli_run(&extracted, NULL, "image", "extract", pdf_path, "--out", out, NULL);
  g_assert_cmpint(extracted.status, ==, 0);
  g_autofree char *bytes = NULL;
  gsize n;
  g_assert_true(g_file_get_contents(out, &bytes, &n, NULL));
  g_assert_cmpuint(n, ==, 20575);
  cli_run(&text, NULL, "image", "text", sr_path, NULL);
  g_assert_cmpint(text.status, ==, 0);
  g_assert_nonnull(strstr(text.out, "\n    Area of defined region: 1.7 cm2\n"));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_setenv("XDG_DATA_HOME", build_folder(), TRUE);
  report = write_report();
  pdf = write_pdf("pdf.dcm", DOCUMENT);
  cine = write_cine();
  g_test_add_func("/cli/documents/text", test_text);
  g_test_add_func("/cli/documents/extract", test_extract);
  g_test_add_func("/cli/documents/extract-fails", test_extract_fails);
  g_test_add_func("/cli/documents/info-of-documents", test_info_of_documents);
  g_test_add_func("/cli/documents/info-of-image", test_info_of_image);
  g_test_add_func("/cli/documents/info-of-animal", test_info_of_animal);
  g_test_add_func("/cli/documents/corpus", test_corpus);
  int status = g_test_run();
  build_remove(build_folder());
  g_free(report);
  g_free(pdf);
  g_free(cine);
  return status;
}
