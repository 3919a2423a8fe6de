/* report-build.h - makes small structured reports, and asks for their text. */
#ifndef HILUM_TESTS_REPORT_BUILD_H
#define HILUM_TESTS_REPORT_BUILD_H

#include "build.h"
#include "dicom.h"
#include "dicom/file.h"
#include "dicom/limits.h"

#define PYDICOM "/usr/lib/python3/dist-packages/pydicom/data/test_files"
#define COMPREHENSIVE_SR "1.2.840.10008.5.1.4.1.1.88.33"

enum {
  CONTENT = 0x0040a730,
  CONCEPT_NAME = 0x0040a043,
  CONCEPT_CODE = 0x0040a168,
};

/* ---- making reports ----------------------------------------------------------------------------
 */

static inline void
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

static inline void
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
static inline void
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

static inline void
add_text(Build *b, const char *name, const char *text)
{
  open_content(b, "CONTAINS", "TEXT", name);
  build_text(b, 0x0040a160, "UT", text);
  build_item_end(b);
}

static inline void
add_value(Build *b, const char *type, guint32 tag, const char *vr, const char *value)
{
  open_content(b, "CONTAINS", type, type);
  build_text(b, tag, vr, value);
  build_item_end(b);
}

static inline void
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

static inline void
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
static inline void
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

static inline char *
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

static inline char *
text_of_built(Build *b)
{
  g_autofree char *path = build_write(b, "report.dcm");

  return text_of(path);
}

static inline void
assert_has(const char *text, const char *part)
{
  if (!strstr(text, part)) {
    g_test_message("missing: %s", part);
    g_test_fail();
  }
}

#endif
