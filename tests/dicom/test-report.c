/* test-report.c - structured reports: everything that they say. */
#include "dicom/dataset/dataset.h"
#include "dicom/document/report.h"
#include "report-build.h"
#include "shared.h"

/* ---- the words of values -----------------------------------------------------------------------
 */

static void
test_words(void)
{
  static const struct {
    void (*append)(GString *line, const char *text);
    const char *in, *out;
  } rows[] = {
      {dicom_report_date, "20240229", "2024-02-29"},
      {dicom_report_date, "2024.02.29", "2024.02.29"},
      {dicom_report_date, "202402", "202402"},
      {dicom_report_date, "", ""},
      {dicom_report_time, "235959.000001", "23:59:59.000001"},
      {dicom_report_time, "2359", "23:59"},
      {dicom_report_time, "23", "23"},
      {dicom_report_time, "235", "235"},
      {dicom_report_time, "2359.5", "2359.5"},
      {dicom_report_time, "235959.", "235959."},
      {dicom_report_time, "noon", "noon"},
      {dicom_report_date_time, "20010213184746", "2001-02-13 18:47:46"},
      {dicom_report_date_time, "20010213184746.5+0130", "2001-02-13 18:47:46.5+01:30"},
      {dicom_report_date_time, "20010213-0500", "2001-02-13-05:00"},
      {dicom_report_date_time, "200102", "2001-02"},
      {dicom_report_date_time, "2001021318", "2001-02-13 18"},
      {dicom_report_date_time, "20010213184746+01", "20010213184746+01"},
      {dicom_report_date_time, "200102131847461", "200102131847461"},
      {dicom_report_date_time, "20010213 1847", "20010213 1847"},
      {dicom_report_date_time, "2001.5", "2001.5"},
      {dicom_report_date_time, "+0100", "+0100"},
      {dicom_report_person, "Doe^Jane^Q.^Dr.^MD", "Doe, Jane Q., Dr., MD"},
      {dicom_report_person, "Doe", "Doe"},
      {dicom_report_person, "^Jane", "Jane"},
      {dicom_report_person, "Packer^David^^^M. D.", "Packer, David, M. D."},
      {dicom_report_person, "Yamada^Tarou=山田^太郎=やまだ^たろう",
       "Yamada, Tarou (山田, 太郎; やまだ, たろう)"},
      {dicom_report_person, "=山田^太郎", "山田, 太郎"},
      {dicom_report_person, "^^^^", ""},
      {dicom_report_person, "a^b^c^d^e^f=g=h=i", "a, b c, d, e^f (g; h=i)"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GString) line = g_string_new(NULL);

    rows[i].append(line, rows[i].in);
    g_assert_cmpstr(line->str, ==, rows[i].out);
  }
}

/* ---- every kind of value -----------------------------------------------------------------------
 */

static void
add_number(Build *b, const char *value, const char *unit, const char *scheme, const char *meaning,
           double exact)
{
  open_content(b, "CONTAINS", "NUM", "Size");
  build_open(b, 0x0040a300);
  build_item(b, UNDEFINED);
  if (exact != 0) {
    build_bytes(b, 0x0040a161, "FD", &exact, 8);
  }
  build_text(b, 0x0040a30a, "DS", value);
  build_code(b, 0x004008ea, unit, scheme, meaning);
  build_item_end(b);
  build_close(b);
  build_item_end(b);
}

static void
add_numbers(Build *b)
{
  add_number(b, "12.5", "mm", "UCUM", "millimeter", 12.5);
  add_number(b, "0.333333333333", "1", "UCUM", "no units", 0.3333333333333333);
  add_number(b, "0.5", "mm", "UCUM", "millimeter", 0.51);
  add_number(b, "", "mm", "UCUM", "millimeter", 0.1);
  add_number(b, "3", "{nodules}", "UCUM", "nodules", 0);
  add_number(b, "2.1", "g/ml{SUVbw}", "UCUM", "SUV body weight", 0);
  add_number(b, "4", "cm", "99LEN", "Length", 0);
  open_content(b, "CONTAINS", "NUM", "Ratio");
  build_open(b, 0x0040a300);
  build_close(b);
  build_code(b, 0x0040a301, "114007", "DCM", "Measurement not attempted");
  build_item_end(b);
}

static void
add_shapes(Build *b)
{
  const float points[6] = {1, 2, 3, 4, 5, 6};
  const guint32 samples[2] = {7, 9};

  open_content(b, "CONTAINS", "SCOORD", "Outline");
  build_bytes(b, 0x00700022, "FL", points, sizeof points);
  build_text(b, 0x00700023, "CS", "POLYLINE");
  build_item_end(b);
  open_content(b, "CONTAINS", "SCOORD3D", NULL);
  build_text(b, 0x30060024, "UI", "1.2.99");
  build_bytes(b, 0x00700022, "FL", points, 12);
  build_text(b, 0x00700023, "CS", "POINT");
  build_item_end(b);
  open_content(b, "CONTAINS", "TCOORD", NULL);
  build_text(b, 0x0040a130, "CS", "SEGMENT");
  build_bytes(b, 0x0040a132, "UL", samples, sizeof samples);
  build_item_end(b);
}

static void
add_references(Build *b)
{
  const guint16 channels[4] = {1, 2, 1, 0};

  open_content(b, "CONTAINS", "IMAGE", NULL);
  build_reference(b, "1.2.840.10008.5.1.4.1.1.2", "1.2.5", "3\\4");
  build_item_end(b);
  open_content(b, "CONTAINS", "COMPOSITE", "Source");
  build_reference(b, "1.2.777", "1.2.6", NULL);
  build_item_end(b);
  open_content(b, "CONTAINS", "WAVEFORM", NULL);
  build_open(b, 0x00081199);
  build_item(b, UNDEFINED);
  build_text(b, 0x00081150, "UI", "1.2.840.10008.5.1.4.1.1.9.2.1");
  build_text(b, 0x00081155, "UI", "1.2.7");
  build_words(b, 0x0040a0b0, "US", channels, 4);
  build_item_end(b);
  build_close(b);
  build_item_end(b);
}

static void
test_values(void)
{
  static const char expected[] = "Chest report\n"
                                 "Completion: partial\n"
                                 "\n"
                                 "(has observation context) Who: Doe, Jane\n"
                                 "Findings\n"
                                 "  Finding: Nodule [SCT 27925004]\n"
                                 "    (has concept modifier) Side: Left [SCT 7771000]\n"
                                 "DATE: 2024-02-29\n"
                                 "TIME: 12:30\n"
                                 "DATETIME: 2024-02-29 12:30 (observed 2024-03-01)\n"
                                 "UIDREF: 1.2.3.4.5\n"
                                 "Size: 12.5 mm\n"
                                 "Size: 0.333333333333\n"
                                 "Size: 0.5 (FloatingPointValue is 0.51) mm\n"
                                 "Size: 0.1 mm\n"
                                 "Size: 3 nodules\n"
                                 "Size: 2.1 SUV body weight [UCUM g/ml{SUVbw}]\n"
                                 "Size: 4 Length [99LEN cm]\n"
                                 "Ratio: no value (Measurement not attempted)\n"
                                 "Outline: POLYLINE, 3 points\n"
                                 "Region: POINT, 1 point, in the frame of reference 1.2.99\n"
                                 "Time range: SEGMENT, samples 7, 9\n"
                                 "Image: CT Image 1.2.5, frames 3, 4\n"
                                 "Source: object of SOP class 1.2.777, 1.2.6\n"
                                 "Waveform: Hemodynamic Waveform 1.2.7, channels 1/2, 1/0\n"
                                 "Impression: first line\n"
                                 "    second line\n"
                                 "TEXT: (no value)\n";
  static const char *const syntaxes[] = {TS_EXPLICIT, TS_IMPLICIT};

  for (guint i = 0; i < G_N_ELEMENTS(syntaxes); i++) {
    g_auto(Build) b = {0};

    build_report(&b, syntaxes[i]);
    build_text(&b, 0x0040a491, "CS", "PARTIAL");
    build_open(&b, CONTENT);
    open_content(&b, "HAS OBS CONTEXT", "PNAME", "Who");
    build_text(&b, 0x0040a123, "PN", "Doe^Jane");
    build_item_end(&b);
    open_content(&b, "CONTAINS", "CONTAINER", "Findings");
    build_open(&b, CONTENT);
    open_content(&b, "CONTAINS", "CODE", "Finding");
    build_code(&b, CONCEPT_CODE, "27925004", "SCT", "Nodule");
    build_open(&b, CONTENT);
    open_content(&b, "HAS CONCEPT MOD", "CODE", "Side");
    build_code(&b, CONCEPT_CODE, "7771000", "SCT", "Left");
    build_item_end(&b);
    build_close(&b);
    build_item_end(&b);
    build_close(&b);
    build_item_end(&b);
    add_value(&b, "DATE", 0x0040a121, "DA", "20240229");
    add_value(&b, "TIME", 0x0040a122, "TM", "1230");
    open_content(&b, "CONTAINS", "DATETIME", "DATETIME");
    build_text(&b, 0x0040a032, "DT", "20240301");
    build_text(&b, 0x0040a120, "DT", "202402291230");
    build_item_end(&b);
    add_value(&b, "UIDREF", 0x0040a124, "UI", "1.2.3.4.5");
    add_numbers(&b);
    add_shapes(&b);
    add_references(&b);
    add_text(&b, "Impression", "first line\r\nsecond line");
    add_value(&b, "TEXT", 0x0040a160, "UT", "");
    build_close(&b);
    g_autofree char *text = text_of_built(&b);
    g_assert_cmpstr(text, ==, expected);
  }
}

static void
test_document(void)
{
  g_auto(Build) b = {0};

  build_start(&b, TS_EXPLICIT);
  build_text(&b, 0x00080005, "CS", "ISO_IR 100");
  build_text(&b, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.88.59");
  build_text(&b, 0x00080023, "DA", "20240229");
  build_text(&b, 0x00080033, "TM", "101112.5");
  build_text(&b, 0x00080060, "CS", "KO");
  build_text(&b, 0x0040a040, "CS", "CONTAINER");
  build_code(&b, CONCEPT_NAME, "113000", "DCM", "Of Interest");
  build_open(&b, 0x0040a073);
  build_item(&b, UNDEFINED);
  build_text(&b, 0x0040a027, "LO", "Clinic");
  build_text(&b, 0x0040a030, "DT", "20240301");
  build_text(&b, 0x0040a075, "PN", "M\xfcller^Eva");
  build_item_end(&b);
  build_close(&b);
  build_text(&b, 0x0040a491, "CS", "COMPLETE");
  build_text(&b, 0x0040a492, "LO", "all read");
  build_text(&b, 0x0040a493, "CS", "VERIFIED");
  build_text(&b, 0x0040a496, "CS", "FINAL");
  build_open(&b, CONTENT);
  add_text(&b, "Key Object Description", "the nodule");
  open_content(&b, "CONTAINS", "IMAGE", NULL);
  build_reference(&b, "1.2.840.10008.5.1.4.1.1.2", "1.2.5", "3");
  build_item_end(&b);
  build_close(&b);
  g_autofree char *text = text_of_built(&b);
  g_assert_cmpstr(text, ==,
                  "Of Interest\n"
                  "Content date: 2024-02-29 10:11:12.5\n"
                  "Status: final\n"
                  "Completion: complete (all read)\n"
                  "Verification: verified\n"
                  "Verified by: Müller, Eva (Clinic), 2024-03-01\n"
                  "\n"
                  "Key Object Description: the nodule\n"
                  "Image: CT Image 1.2.5, frame 3\n");
}

static void
test_empty(void)
{
  g_auto(Build) b = {0};

  build_start(&b, TS_EXPLICIT);
  build_text(&b, 0x00080016, "UI", COMPREHENSIVE_SR);
  g_autofree char *text = text_of_built(&b);
  g_assert_cmpstr(text, ==, "Comprehensive SR Storage\n\n[ValueType is missing]\n(no content)\n");
}

/* ---- references, loops, depth ------------------------------------------------------------------
 */

static void
test_references(void)
{
  static const guint32 diagnosis[] = {1, 1}, root[] = {1}, itself[] = {1, 3, 1},
                       nowhere[] = {1, 77}, far[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 4294967295u};
  g_auto(Build) b = {0};

  build_report(&b, TS_EXPLICIT);
  build_open(&b, CONTENT);
  add_text(&b, "Diagnosis", "pneumonia");
  open_content(&b, "CONTAINS", "TEXT", "Why");
  build_text(&b, 0x0040a160, "UT", "opacity");
  build_open(&b, CONTENT);
  build_link(&b, "INFERRED FROM", diagnosis, 2);
  build_close(&b);
  build_item_end(&b);
  open_content(&b, "CONTAINS", "CONTAINER", "Loops");
  build_open(&b, CONTENT);
  build_link(&b, "CONTAINS", itself, 3);
  build_link(&b, "CONTAINS", root, 1);
  build_link(&b, "SELECTED FROM", nowhere, 2);
  build_link(&b, "SELECTED FROM", far, 10);
  build_close(&b);
  build_item_end(&b);
  build_close(&b);
  g_autofree char *text = text_of_built(&b);
  g_assert_cmpstr(text, ==,
                  "Chest report\n\n"
                  "[1.1] Diagnosis: pneumonia\n"
                  "Why: opacity\n"
                  "  (inferred from) see [1.1] Diagnosis\n"
                  "Loops\n"
                  "  [1.3.1] see [1.3.1]\n"
                  "  see [1] the whole report\n"
                  "  (selected from) see [1.77]\n"
                  "  (selected from) see [1.2.3.4.5.6.7.8.9.4294967295]\n");
}

static void
test_no_type(void)
{
  g_auto(Build) b = {0};

  build_report(&b, TS_EXPLICIT);
  build_open(&b, CONTENT);
  open_content(&b, NULL, NULL, "Lost");
  build_text(&b, 0x0040a160, "UT", "but not gone");
  build_code(&b, CONCEPT_CODE, "7", "99TEST", "Coded");
  build_item_end(&b);
  open_content(&b, "MADE UP", "HOLOGRAM", NULL);
  build_reference(&b, "1.2.840.10008.5.1.4.1.1.2", "1.2.5", NULL);
  build_item_end(&b);
  build_item(&b, UNDEFINED);
  build_item_end(&b);
  build_close(&b);
  g_autofree char *text = text_of_built(&b);
  g_assert_cmpstr(text, ==,
                  "Chest report\n\n"
                  "Lost: but not gone, Coded [99TEST 7] [ValueType is missing]\n"
                  "(made up) CT Image 1.2.5 [ValueType is HOLOGRAM]\n"
                  "[ValueType is missing]\n");
}

/* ---- real reports ------------------------------------------------------------------------------
 */

/* Each line of what the data set says at TAG is in TEXT. */
static guint
check_said(const char *text, const DicomItem *item, guint32 tag)
{
  g_autofree char *said = dicom_item_text(item, tag);
  g_auto(GStrv) lines = g_strsplit_set(said, "\r\n^=\\", -1);
  guint n = 0;

  for (guint i = 0; lines[i]; i++) {
    if (g_strstrip(lines[i])[0]) {
      assert_has(text, lines[i]);
      n++;
    }
  }
  return n;
}

/* Every text, number, code, name and UID of ITEM, and what is in its sequences. Recursive, as the
 * reader has bounded the depth. */
static guint
check_item(const char *text, const DicomItem *item)
{
  static const guint32 tags[] = {
      0x00081155, /* ReferencedSOPInstanceUID */
      0x00081160, /* ReferencedFrameNumber */
      0x0040a0b0, /* ReferencedWaveformChannels */
      0x0040a123, /* PersonName */
      0x0040a124, /* UID */
      0x0040a138, /* ReferencedTimeOffsets */
      0x0040a160, /* TextValue */
      0x0040a30a, /* NumericValue */
      0x00700023, /* GraphicType */
  };
  static const guint32 nested[] = {CONTENT, CONCEPT_NAME, CONCEPT_CODE, 0x0040a300, 0x00081199};
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS(tags); i++) {
    n += check_said(text, item, tags[i]);
  }
  for (guint i = 0; i < G_N_ELEMENTS(nested); i++) {
    for (guint k = 0; k < dicom_item_count(item, nested[i]); k++) {
      const DicomItem *inner = dicom_item_nested(item, nested[i], k);

      n += check_item(text, inner);
      n += nested[i] == CONCEPT_NAME || nested[i] == CONCEPT_CODE
               ? check_said(text, inner, 0x00080104)
               : 0;
      n += nested[i] == CONCEPT_CODE ? check_said(text, inner, 0x00080100) : 0;
    }
  }
  return n;
}

static void
check_whole(const char *path)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);

  g_assert_no_error(error);
  g_autofree char *text = dicom_file_report_text(file, &error);
  g_assert_no_error(error);
  check_text(text);
  guint n = check_item(text, dicom_dataset_root(file->dataset));
  g_test_message("%s: %u values in %" G_GSIZE_FORMAT " bytes of text", path, n, strlen(text));
  g_assert_cmpuint(n, >, 10);
}

static void
test_real(void)
{
  static const char *const names[] = {"test-SR.dcm", "reportsi.dcm",
                                      "reportsi_with_empty_number_tags.dcm"};

  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *path = g_build_filename(PYDICOM, names[i], NULL);

    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
      g_test_skip("python3-pydicom's files are not there");
      return;
    }
    check_whole(path);
  }
}

static void
test_corpus(void)
{
  static const char *const names[] = {
      "SR_deflated_dcm4che.dcm",      "SR_highdicom.dcm", "SR_pydicom.dcm", "SR_tid1500_dcmqi.dcm",
      "SR_tid1500_dwv_rectangle.dcm", "no-pixel-data.dcm"};
  g_autofree char *folder = shared_path("corpus/dicom/non-image");

  for (guint i = 0; folder && i < G_N_ELEMENTS(names); i++) {
    g_autofree char *path = g_build_filename(folder, names[i], NULL);

    check_whole(path);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/dicom/report/words", test_words);
  g_test_add_func("/dicom/report/values", test_values);
  g_test_add_func("/dicom/report/document", test_document);
  g_test_add_func("/dicom/report/empty", test_empty);
  g_test_add_func("/dicom/report/references", test_references);
  g_test_add_func("/dicom/report/no-type", test_no_type);
  g_test_add_func("/dicom/report/real", test_real);
  g_test_add_func("/dicom/report/corpus", test_corpus);
  int status = g_test_run();
  build_remove(build_folder());
  return status;
}
