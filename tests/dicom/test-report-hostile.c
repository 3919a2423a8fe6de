/* test-report-hostile.c - structured reports that would hurt, and files that are none. */
#include "report-build.h"
#include "shared.h"

static void
build_deep(Build *b, guint depth)
{
  build_report(b, TS_EXPLICIT);
  for (guint i = 0; i < depth; i++) {
    g_autofree char *name = g_strdup_printf("level %u", i);

    build_open(b, CONTENT);
    open_content(b, "CONTAINS", "CONTAINER", name);
  }
  for (guint i = 0; i < depth; i++) {
    build_item_end(b);
    build_close(b);
  }
}

/* As deep as the reader goes, and one more. The code of the last name is a sequence too. */
static void
test_deep(void)
{
  g_auto(Build) b = {0}, deeper = {0};
  g_autoptr(GError) error = NULL;
  const guint most = DICOM_MAX_DEPTH - 1;

  build_deep(&b, most);
  g_autofree char *text = text_of_built(&b);
  g_autofree char *last = g_strdup_printf("\n%*slevel %u\n", (int)(2 * (most - 1)), "", most - 1);
  assert_has(text, last);
  build_deep(&deeper, 4 * DICOM_MAX_DEPTH);
  g_autofree char *path = build_write(&deeper, "deeper.dcm");
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);
  g_assert_null(file);
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT);
}

static void
test_control_characters(void)
{
  g_auto(Build) b = {0};

  build_report(&b, TS_EXPLICIT);
  build_open(&b, CONTENT);
  add_text(&b, "Bell\a",
           "\x1b[2Jgone\x7f \xc2\x9b"
           "31m \xe2\x80\xae"
           "desrever\ttab");
  add_text(&b, "Forged", "a\n\n\rDiagnosis: none\xe2\x80\xa8last\f.");
  add_value(&b, "CODE\x1b", 0x0040a124, "UI", "1.2\x1b]0;x");
  build_close(&b);
  g_autofree char *text = text_of_built(&b);
  assert_has(text, "\nBell\xef\xbf\xbd: \xef\xbf\xbd[2Jgone\xef\xbf\xbd \xef\xbf\xbd"
                   "31m \xef\xbf\xbd"
                   "desrever\ttab\n");
  /* No line of a value looks like an item. */
  assert_has(text, "\nForged: a\n\n\n    Diagnosis: none\n    last\n    .\n");
  g_assert_null(strchr(text, 0x1b));
}

static char *
long_text(gsize n)
{
  char *text = g_malloc(n + 1);

  for (gsize i = 0; i < n; i++) {
    text[i] = i % 100 == 99 ? '\n' : (char)('a' + i % 26);
  }
  text[n] = '\0';
  return text;
}

static void
test_giant(void)
{
  g_auto(Build) one = {0}, many = {0}, lines = {0};
  g_autofree char *text = long_text(DICOM_MAX_TEXT + 1000);
  g_autofree char *feeds = g_strnfill(DICOM_MAX_TEXT, '\n');

  build_report(&one, TS_EXPLICIT);
  build_open(&one, CONTENT);
  add_text(&one, "Long", text);
  add_text(&one, "Next", "there");
  build_close(&one);
  g_autofree char *cut = text_of_built(&one);
  assert_has(cut, "[cut after 1048576 bytes; TextValue has 1049576 bytes]\nNext: there\n");

  build_report(&many, TS_EXPLICIT);
  build_open(&many, CONTENT);
  for (guint i = 0; i < 6; i++) {
    add_text(&many, "Long", text);
  }
  build_close(&many);
  g_autofree char *whole = text_of_built(&many);
  g_assert_true(g_str_has_suffix(whole, "\n[The report goes on. Its text was cut here.]\n"));
  g_assert_cmpuint(strlen(whole), >, DICOM_MAX_REPORT - 2048);

  feeds[0] = feeds[DICOM_MAX_TEXT - 1] = 'x'; /* line feeds around a text are cut off */
  build_report(&lines, TS_EXPLICIT);
  build_open(&lines, CONTENT);
  for (guint i = 0; i < 8; i++) {
    add_text(&lines, "Lines", feeds);
  }
  build_close(&lines);
  g_autofree char *fed = text_of_built(&lines);
  g_assert_true(g_str_has_suffix(fed, "\n[The report goes on. Its text was cut here.]\n"));
}

/* More references than are kept, each to another item; and as many to one. */
static void
test_many_references(void)
{
  g_auto(Build) b = {0};

  build_report(&b, TS_EXPLICIT);
  build_open(&b, CONTENT);
  for (guint32 i = 0; i < 2 * DICOM_MAX_REFERENCES; i++) {
    const guint32 to[] = {1, i + 1};

    build_link(&b, "INFERRED FROM", to, 2);
  }
  build_close(&b);
  g_autofree char *text = text_of_built(&b);
  assert_has(text, "[1.1] (inferred from) see [1.1]\n");
  assert_has(text, "\n(inferred from) see [1.20000]\n");
}

/* Bytes of a real report changed at random: a text or an error, whatever comes. */
static void
test_damaged(void)
{
  g_autofree char *path = g_build_filename(PYDICOM, "test-SR.dcm", NULL);
  g_autoptr(GRand) rand = g_rand_new_with_seed(20);
  g_autofree char *bytes = NULL;
  guint n_texts = 0, rounds = test_rounds(400);
  gsize n;

  if (!g_file_get_contents(path, &bytes, &n, NULL)) {
    g_test_skip("python3-pydicom's files are not there");
    return;
  }
  for (guint i = 0; i < rounds; i++) {
    g_autofree char *copy = g_memdup2(bytes, n);
    g_autoptr(GError) error = NULL;

    for (guint k = 0; k < 8; k++) {
      copy[g_rand_int_range(rand, 132, (gint32)n)] = (char)g_rand_int_range(rand, 0, 256);
    }
    g_autofree char *damaged = build_write_bytes("damaged.dcm", copy, n);
    g_autoptr(DicomFile) file = dicom_file_open(damaged, &error);
    g_autofree char *text = file ? dicom_file_report_text(file, &error) : NULL;
    g_assert_true((text != NULL) == (error == NULL));
    if (text) {
      check_text(text);
      n_texts++;
    }
  }
  g_test_message("%u of %u damaged reports have a text", n_texts, rounds);
  g_assert_cmpuint(n_texts, >, rounds / 4);
}

static void
test_no_report(void)
{
  static const Shape shape = {.rows = 1,
                              .columns = 2,
                              .samples = 1,
                              .bits = 8,
                              .stored = 8,
                              .high = 7,
                              .photometric = "MONOCHROME2",
                              .planar = -1};
  g_auto(Build) b = {0};
  g_autoptr(GError) error = NULL, other = NULL;

  build_start(&b, TS_EXPLICIT);
  build_ids(&b);
  build_shape(&b, &shape);
  build_bytes(&b, 0x7fe00010, "OB", "ab", 2);
  g_autofree char *path = build_write(&b, "image.dcm");
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);
  g_assert_no_error(error);
  g_assert_null(dicom_file_report_text(file, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED);
  assert_has(error->message, "is no structured report: SOPClassUID is 1.2.840.10008.5.1.4.1.1.7 "
                             "(Secondary Capture Image Storage)");
  g_assert_null(dicom_file_pdf(file, &other));
  g_assert_error(other, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED);
  assert_has(other->message, "is no encapsulated PDF: SOPClassUID is 1.2.840.10008.5.1.4.1.1.7");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/report/deep", test_deep);
  g_test_add_func("/dicom/report/control-characters", test_control_characters);
  g_test_add_func("/dicom/report/giant", test_giant);
  g_test_add_func("/dicom/report/many-references", test_many_references);
  g_test_add_func("/dicom/report/damaged", test_damaged);
  g_test_add_func("/dicom/report/no-report", test_no_report);
  int status = g_test_run();
  build_remove(build_folder());
  return status;
}
