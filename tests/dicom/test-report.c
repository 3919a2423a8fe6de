/* test-report.c - structured reports and encapsulated PDFs: everything that they say, and nothing
 * that hurts. */
#include "build.h"
#include "dicom.h"
#include "dicom/dataset/dataset.h"
#include "dicom/file.h"
#include "dicom/limits.h"
#include "dicom/document/report.h"
#include "shared.h"

#include <unistd.h>

#define PYDICOM "/usr/lib/python3/dist-packages/pydicom/data/test_files"
#define COMPREHENSIVE_SR "1.2.840.10008.5.1.4.1.1.88.33"
#define ENCAPSULATED_PDF "1.2.840.10008.5.1.4.1.1.104.1"

enum {
  CONTENT = 0x0040a730,
  CONCEPT_NAME = 0x0040a043,
  CONCEPT_CODE = 0x0040a168,
};

/* ---- making reports ----------------------------------------------------------------------------
 */

static void
build_code(Build *b, guint32 sequence, const char *value, const char *scheme, const char *meaning)
{
  build_open(b, sequence);
  build_item(b, UNDEFINED);
  build_text(b, 0x00080100, "SH", value);
  build_text(b, 0x00080102, "SH", scheme);
  build_text(b, 0x00080104, "LO", meaning);
  build_item_end(b);
  build_close(b);
}

static void
build_report(Build *b, const char *syntax)
{
  build_start(b, syntax);
  build_text(b, 0x00080005, "CS", "ISO_IR 192");
  build_text(b, 0x00080016, "UI", COMPREHENSIVE_SR);
  build_text(b, 0x00080018, "UI", "1.2.3.4");
  build_text(b, 0x00080060, "CS", "SR");
  build_text(b, 0x0040a040, "CS", "CONTAINER");
  build_code(b, CONCEPT_NAME, "1", "99TEST", "Chest report");
}

/* The start of a content item, up to its value; NULL: absent. */
static void
open_content(Build *b, const char *relationship, const char *type, const char *name)
{
  build_item(b, UNDEFINED);
  if (relationship) {
    build_text(b, 0x0040a010, "CS", relationship);
  }
  if (type) {
    build_text(b, 0x0040a040, "CS", type);
  }
  if (name) {
    build_code(b, CONCEPT_NAME, "2", "99TEST", name);
  }
}

static void
add_text(Build *b, const char *name, const char *text)
{
  open_content(b, "CONTAINS", "TEXT", name);
  build_text(b, 0x0040a160, "UT", text);
  build_item_end(b);
}

static void
add_value(Build *b, const char *type, guint32 tag, const char *vr, const char *value)
{
  open_content(b, "CONTAINS", type, type);
  build_text(b, tag, vr, value);
  build_item_end(b);
}

static void
build_reference(Build *b, const char *class, const char *uid, const char *frames)
{
  build_open(b, 0x00081199);
  build_item(b, UNDEFINED);
  build_text(b, 0x00081150, "UI", class);
  build_text(b, 0x00081155, "UI", uid);
  if (frames) {
    build_text(b, 0x00081160, "IS", frames);
  }
  build_item_end(b);
  build_close(b);
}

static void
build_link(Build *b, const char *relationship, const guint32 *to, guint n)
{
  build_item(b, UNDEFINED);
  build_text(b, 0x0040a010, "CS", relationship);
  build_header(b, 0x0040db73, "UL", 4 * n);
  for (guint i = 0; i < n; i++) {
    build_u32(b, to[i]);
  }
  build_item_end(b);
}

/* ---- asking ------------------------------------------------------------------------------------
 */

/* What holds of every text: UTF-8, no steering of terminals, bounded, and lines that end. */
static void
check_text(const char *text)
{
  gsize n = strlen(text);

  g_assert_cmpuint(n, <=, DICOM_MAX_REPORT);
  g_assert_true(g_utf8_validate(text, (gssize)n, NULL));
  g_assert_true(n > 0 && text[n - 1] == '\n');
  for (const char *p = text; *p; p = g_utf8_next_char(p)) {
    gunichar c = g_utf8_get_char(p);

    g_assert_true((c >= 0x20 && c < 0x7f) || c >= 0xa0 || c == '\n' || c == '\t');
    g_assert_false(c >= 0x202a && c <= 0x202e);
  }
}

static char *
text_of(const char *path)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);

  g_assert_no_error(error);
  char *text = dicom_file_report_text(file, &error);
  g_assert_no_error(error);
  check_text(text);
  return text;
}

static char *
text_of_built(Build *b)
{
  g_autofree char *path = build_write(b, "report.dcm");

  return text_of(path);
}

static void
assert_has(const char *text, const char *part)
{
  if (!strstr(text, part)) {
    g_test_message("missing: %s", part);
    g_test_fail();
  }
}

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

/* ---- what would hurt ---------------------------------------------------------------------------
 */

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

/* ---- PDF ---------------------------------------------------------------------------------------
 */

typedef struct {
  const char *mime, *bytes;
  gsize n;
  guint32 length;        /* EncapsulatedDocumentLength, 0: absent */
  gsize expected;        /* bytes of the document, 0: refused */
  const char *complaint; /* part of the message */
} PdfCase;

#define PDF(text) text, sizeof text - 1
#define TYPE "application/pdf"

static GBytes *
pdf_of(const PdfCase *c, gsize chop, GError **error)
{
  g_auto(Build) b = {0};

  build_start(&b, TS_EXPLICIT);
  build_text(&b, 0x00080016, "UI", ENCAPSULATED_PDF);
  build_text(&b, 0x00080060, "CS", "DOC");
  if (c->bytes) {
    build_bytes(&b, 0x00420011, "OB", c->bytes, c->n);
  }
  if (c->mime) {
    build_text(&b, 0x00420012, "LO", c->mime);
  }
  if (c->length > 0) {
    build_header(&b, 0x00420015, "UL", 4);
    build_u32(&b, c->length);
  }
  g_byte_array_set_size(b.bytes, b.bytes->len - (guint)chop);
  g_autofree char *path = build_write(&b, "pdf.dcm");
  g_autoptr(DicomFile) file = dicom_file_open(path, error);
  return file ? dicom_file_pdf(file, error) : NULL;
}

static void
test_pdf(void)
{
  static const PdfCase cases[] = {
      {TYPE, PDF("%PDF-1.4\nx\n%%EOF\n"), 17, 17, NULL},
      {TYPE, PDF("%PDF-1.4\nx\n%%EOF\n"), 0, 17, NULL},    /* a zero is added, and taken off */
      {TYPE, PDF("%PDF-1.4\nxy\n%%EOF\n"), 0, 18, NULL},   /* none was needed */
      {TYPE, PDF("%PDF-1.4\nx\n%%EOF\n\0"), 18, 18, NULL}, /* the document's own zero */
      {TYPE, PDF("%PDF-1.4\nxy\n%%EOF"), 5, 17, NULL},     /* a length that cannot be */
      {TYPE, PDF("%PDF-1.4\nxy\n%%EOF"), 4000, 17, NULL},
      {TYPE, PDF("%PDF-1.4 without an en"), 0, 22, NULL},
      {TYPE, PDF("%PDF-1.4 without an end"), 0, 24, NULL},  /* whose is the zero? */
      {"APPLICATION/PDF", PDF("\n\n  %PDF-"), 0, 10, NULL}, /* the zero is nobody's end */
      {NULL, PDF("%PDF-1.4\n"), 9, 9, NULL},
      {TYPE, PDF("%PD"), 0, 0, "EncapsulatedDocument is something else; expected %PDF"},
      {TYPE, PDF("PK\003\004 and so on"), 0, 0, "is a ZIP archive; expected %PDF within its first"},
      {TYPE, PDF("<?xml version"), 0, 0, "is XML"},
      {"text/XML", PDF("%PDF-1.4\n"), 0, 0, "MIMETypeOfEncapsulatedDocument is text/XML; expected"},
      {"Doe, Jane", PDF("%PDF-1.4\n"), 0, 0, "is no MIME type; expected application/pdf"},
      {TYPE, NULL, 0, 0, 0, "EncapsulatedDocument is missing"},
      {TYPE, PDF(""), 0, 0, "EncapsulatedDocument is empty"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const PdfCase *c = &cases[i];
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) pdf = pdf_of(c, 0, &error);

    g_test_message("case %u: %s", i, error ? error->message : "a document");
    if (c->expected > 0) {
      g_assert_no_error(error);
      g_assert_cmpuint(g_bytes_get_size(pdf), ==, c->expected);
      g_assert_cmpmem(g_bytes_get_data(pdf, NULL), MIN(c->n, c->expected), c->bytes,
                      MIN(c->n, c->expected));
    } else {
      g_assert_null(pdf);
      g_assert_nonnull(error);
      assert_has(error->message, c->complaint);
      g_assert_null(strstr(error->message, "Doe"));
    }
  }
}

/* The beginning may be anywhere in the first 1024 bytes; the end of the file may be missing. */
static void
test_pdf_places(void)
{
  g_autofree char *bytes = g_strnfill(3000, ' ');
  PdfCase c = {NULL, bytes, 3000, 0, 0, NULL};
  g_autoptr(GError) error = NULL, late = NULL, cut = NULL;

  memcpy(bytes + 1020, "%PDF", 4);
  g_autoptr(GBytes) early = pdf_of(&c, 0, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(g_bytes_get_size(early), ==, 3000);
  memcpy(bytes + 1020, " %PDF", 5);
  g_assert_null(pdf_of(&c, 0, &late));
  g_assert_error(late, DICOM_ERROR, DICOM_ERROR_FORMAT);
  memcpy(bytes, "%PDF", 4);
  g_assert_null(pdf_of(&c, 100, &cut));
  g_assert_error(cut, DICOM_ERROR, DICOM_ERROR_CORRUPT);
  assert_has(cut->message,
             "EncapsulatedDocument is said to be 3000 bytes long, but 2900 are there");
}

static void
test_pdf_too_large(void)
{
  g_auto(Build) b = {0};
  g_autoptr(GError) error = NULL;
  guint32 size = (guint32)DICOM_MAX_PDF + 2;

  build_start(&b, TS_EXPLICIT);
  build_text(&b, 0x00080016, "UI", ENCAPSULATED_PDF);
  build_header(&b, 0x00420011, "OB", size);
  g_autofree char *path = build_write(&b, "large.dcm");
  g_assert_cmpint(truncate(path, (off_t)b.bytes->len + size), ==, 0); /* a hole takes no space */
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);
  g_assert_no_error(error);
  g_assert_null(dicom_file_pdf(file, &error));
  g_assert_error(error, DICOM_ERROR, DICOM_ERROR_TOO_LARGE);
  assert_has(error->message, "has 268435458 bytes; the limit is 268435456");
}

static void
test_pdf_corpus(void)
{
  g_autofree char *path = shared_path("corpus/dicom/non-image/encapsulated-pdf.dcm");
  g_autoptr(GError) error = NULL;

  if (!path) {
    return;
  }
  g_autoptr(DicomFile) file = dicom_file_open(path, &error);
  g_assert_no_error(error);
  g_autoptr(GBytes) pdf = dicom_file_pdf(file, &error);
  g_assert_no_error(error);
  gsize n;
  const char *bytes = g_bytes_get_data(pdf, &n);
  g_assert_cmpuint(n, ==, 20575); /* 20576 with the padding, by pydicom */
  g_assert_cmpmem(bytes, 8, "%PDF-1.4", 8);
  g_assert_cmpmem(bytes + n - 6, 6, "%%EOF\n", 6);
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
  g_test_add_func("/dicom/report/deep", test_deep);
  g_test_add_func("/dicom/report/control-characters", test_control_characters);
  g_test_add_func("/dicom/report/giant", test_giant);
  g_test_add_func("/dicom/report/many-references", test_many_references);
  g_test_add_func("/dicom/report/damaged", test_damaged);
  g_test_add_func("/dicom/report/no-report", test_no_report);
  g_test_add_func("/dicom/report/real", test_real);
  g_test_add_func("/dicom/report/corpus", test_corpus);
  g_test_add_func("/dicom/pdf/bytes", test_pdf);
  g_test_add_func("/dicom/pdf/places", test_pdf_places);
  g_test_add_func("/dicom/pdf/too-large", test_pdf_too_large);
  g_test_add_func("/dicom/pdf/corpus", test_pdf_corpus);
  int status = g_test_run();
  build_remove(build_folder());
  return status;
}
