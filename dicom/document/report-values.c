/* report-values.c - values of content items as words (PS3.3 C.17.3.2, C.18).
 *
 * Names of persons are shown: who reads a report needs to know who said what, and the text goes
 * nowhere but to who opened the file. */
#include "dicom/info/content.h"
#include "dicom/limits.h"
#include "report.h"
#include "dicom/tags.h"

#include <math.h>
#include <string.h>

/* ", " between what is there already since START and what comes. */
static void
separate(GString *line, gsize start)
{
  if (line->len > start) {
    g_string_append(line, ", ");
  }
}

/* Several values, which the data set joins by backslashes. */
static void
append_list(GString *line, const char *values)
{
  for (const char *p = values; *p; p++) {
    if (*p == '\\') {
      g_string_append(line, ", ");
    } else {
      g_string_append_c(line, *p);
    }
  }
}

/* Bytes of the value of TAG, which may be more than anybody keeps. */
static guint64
value_length(const DicomItem *item, guint32 tag)
{
  DicomElementInfo info;
  guint n = dicom_item_n_elements(item);

  for (guint i = 0; i < n && dicom_item_element(item, i, &info); i++) {
    if (info.tag == tag) {
      return info.end - info.value;
    }
  }
  return 0;
}

/* ---- dates, times, names -----------------------------------------------------------------------
 */

static gsize
count_digits(const char *text)
{
  return strspn(text, "0123456789");
}

/* N digits as groups of two (the first of FIRST), with SEPARATOR between. */
static void
append_groups(GString *line, const char *digits, gsize n, gsize first, char separator)
{
  for (gsize i = 0; i < n; i++) {
    if (i >= first && (i - first) % 2 == 0) {
      g_string_append_c(line, separator);
    }
    g_string_append_c(line, digits[i]);
  }
}

void
dicom_report_date(GString *line, const char *text)
{
  if (strlen(text) == 8 && count_digits(text) == 8) {
    append_groups(line, text, 8, 4, '-');
  } else {
    append_list(line, text);
  }
}

void
dicom_report_time(GString *line, const char *text)
{
  gsize n = count_digits(text), fraction = text[n] == '.' ? count_digits(text + n + 1) : 0;
  gsize all = n + (fraction > 0 ? fraction + 1 : 0);

  if ((n == 2 || n == 4 || n == 6) && (fraction == 0 || n == 6) && text[all] == '\0') {
    append_groups(line, text, n, 2, ':');
    g_string_append(line, text + n);
  } else {
    append_list(line, text);
  }
}

/* YYYYMMDDHHMMSS.FFFFFF&ZZXX, and any shorter (PS3.5 table 6.2-1, DT). */
void
dicom_report_date_time(GString *line, const char *text)
{
  gsize n = count_digits(text);
  const char *zone = text + n + strcspn(text + n, "+-");
  gboolean zoned = *zone != '\0';
  gboolean plain = n >= 4 && n <= 14 && n % 2 == 0 && (text[n] != '.' || n == 14);

  if (!plain || (text[n] != '\0' && text[n] != '.' && text + n != zone) ||
      (zoned && (strlen(zone) != 5 || count_digits(zone + 1) != 4))) {
    append_list(line, text);
    return;
  }
  append_groups(line, text, MIN(n, 8), 4, '-');
  if (n > 8) {
    g_autofree char *time = g_strndup(text + 8, (gsize)(zone - text) - 8);

    g_string_append_c(line, ' ');
    dicom_report_time(line, time);
  }
  if (zoned) {
    g_string_append_printf(line, "%.3s:%s", zone, zone + 3);
  }
}

/* One of the three ways to write a name (PS3.5 clause 6.2.1.1). */
static void
append_name_group(GString *line, const char *group)
{
  g_auto(GStrv) parts = g_strsplit(group, "^", 5);
  gsize start = line->len;

  for (guint i = 0; parts[i]; i++) {
    if (!g_strstrip(parts[i])[0]) {
      continue;
    }
    if (i == 2 && parts[1][0]) {
      g_string_append_c(line, ' ');
    } else {
      separate(line, start);
    }
    g_string_append(line, parts[i]);
  }
}

void
dicom_report_person(GString *line, const char *text)
{
  g_auto(GStrv) groups = g_strsplit(text, "=", 3);
  gsize start = line->len;
  gboolean bracket = FALSE;

  for (guint i = 0; groups[i]; i++) {
    g_autoptr(GString) name = g_string_new(NULL);

    append_name_group(name, groups[i]);
    if (name->len == 0) {
      continue;
    }
    if (line->len > start) {
      g_string_append(line, bracket ? "; " : " (");
      bracket = TRUE;
    }
    g_string_append(line, name->str);
  }
  g_string_append(line, bracket ? ")" : "");
}

/* ---- codes (PS3.3 table 8.8-1) -----------------------------------------------------------------
 */

static char *
code_value(const DicomItem *code)
{
  static const guint32 tags[] = {TAG_CodeValue, TAG_LongCodeValue, TAG_URNCodeValue};
  char *value = g_strdup("");

  for (guint i = 0; i < G_N_ELEMENTS(tags) && !value[0]; i++) {
    g_free(value);
    value = dicom_item_text(code, tags[i]);
  }
  return value;
}

/* GAP and "[SCT 123]", with the scheme's version in brackets; nothing when both are missing. */
static void
append_code(GString *line, const char *gap, const DicomItem *code)
{
  g_autofree char *scheme = dicom_item_text(code, TAG_CodingSchemeDesignator);
  g_autofree char *version = dicom_item_text(code, TAG_CodingSchemeVersion);
  g_autofree char *value = code_value(code);

  if (!scheme[0] && !value[0]) {
    return;
  }
  g_string_append_printf(line, "%s[%s", gap, scheme[0] ? scheme : "no scheme");
  if (version[0]) {
    g_string_append_printf(line, " (%s)", version);
  }
  g_string_append_printf(line, " %s]", value[0] ? value : "no value");
}

char *
dicom_report_meaning(const DicomItem *item, guint32 sequence)
{
  const DicomItem *code = dicom_item_nested(item, sequence, 0);
  g_autofree char *meaning = code ? dicom_item_text(code, TAG_CodeMeaning) : g_strdup("");
  g_autoptr(GString) text = g_string_new(NULL);

  if (code && !meaning[0]) {
    append_code(text, "", code);
    return g_string_free(g_steal_pointer(&text), FALSE);
  }
  return g_steal_pointer(&meaning);
}

static void
append_codes(GString *line, const DicomItem *item, guint32 sequence)
{
  guint n = dicom_item_count(item, sequence);
  gsize start = line->len;

  for (guint i = 0; i < n && line->len < DICOM_MAX_REPORT; i++) {
    const DicomItem *code = dicom_item_nested(item, sequence, i);
    g_autofree char *meaning = dicom_item_text(code, TAG_CodeMeaning);

    separate(line, start);
    g_string_append(line, meaning);
    append_code(line, meaning[0] ? " " : "", code);
  }
}

/* ---- value types -------------------------------------------------------------------------------
 */

static void
append_text(GString *line, const DicomItem *item)
{
  g_autofree char *text = dicom_item_text(item, TAG_TextValue);
  guint64 length = value_length(item, TAG_TextValue);

  g_string_append(line, text);
  if (length > DICOM_MAX_TEXT) {
    g_string_append_printf(line, " [cut after %d bytes; TextValue has %" G_GUINT64_FORMAT " bytes]",
                           DICOM_MAX_TEXT, length);
  }
}

static void
append_concept_code(GString *line, const DicomItem *item)
{
  append_codes(line, item, TAG_ConceptCodeSequence);
}

/* UCUM's codes are what people write, but for its annotations in braces, which are words; its unit
 * 1 is none. A code of another scheme goes beside its meaning. */
static void
append_unit(GString *line, const DicomItem *measured)
{
  const DicomItem *unit = dicom_item_nested(measured, TAG_MeasurementUnitsCodeSequence, 0);

  if (!unit) {
    return;
  }
  g_autofree char *scheme = dicom_item_text(unit, TAG_CodingSchemeDesignator);
  g_autofree char *meaning = dicom_item_text(unit, TAG_CodeMeaning);
  g_autofree char *value = code_value(unit);
  const char *brace = strchr(value, '}');
  gboolean is_ucum = strcmp(scheme, "UCUM") == 0;
  gboolean is_word = value[0] == '{' && brace && brace[1] == '\0';

  if (is_ucum && value[0] && !strchr(value, '{')) {
    g_string_append_printf(line, strcmp(value, "1") == 0 ? "" : " %s", value);
    return;
  }
  g_string_append_printf(line, "%s%s", meaning[0] ? " " : "", meaning);
  if (!is_ucum || !is_word || !meaning[0]) {
    append_code(line, " ", unit);
  }
}

/* The digits that read back to the same value. */
static void
append_double(GString *line, double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  for (int digits = 6; digits <= 17; digits++) {
    char format[8];

    g_snprintf(format, sizeof format, "%%.%dg", digits);
    g_ascii_formatd(buffer, sizeof buffer, format, value);
    if (g_ascii_strtod(buffer, NULL) == value) {
      break;
    }
  }
  g_string_append(line, buffer);
}

/* PS3.3 table C.18.1-1: the value once more, where it is not what NumericValue rounds to 16
 * characters, or as a ratio. */
static void
append_other_forms(GString *number, const DicomItem *measured)
{
  double rounded, given, numerator, denominator;
  gboolean alone = dicom_item_numbers(measured, TAG_NumericValue, &rounded, 1) != 1;

  if (dicom_item_numbers(measured, TAG_FloatingPointValue, &given, 1) == 1 &&
      (alone || fabs(given - rounded) > 1e-9 * fabs(given))) {
    gboolean beside = number->len > 0;

    g_string_append(number, beside ? " (FloatingPointValue is " : "");
    append_double(number, given);
    g_string_append(number, beside ? ")" : "");
  }
  if (dicom_item_numbers(measured, TAG_RationalNumeratorValue, &numerator, 1) == 1 &&
      dicom_item_numbers(measured, TAG_RationalDenominatorValue, &denominator, 1) == 1) {
    g_string_append_printf(number, "%s(as a ratio %.0f/%.0f)", number->len > 0 ? " " : "",
                           numerator, denominator);
  }
}

static void
append_measured(GString *line, const DicomItem *item)
{
  guint n = dicom_item_count(item, TAG_MeasuredValueSequence);
  g_autofree char *why = dicom_report_meaning(item, TAG_NumericValueQualifierCodeSequence);
  gsize start = line->len;

  for (guint i = 0; i < n && line->len < DICOM_MAX_REPORT; i++) {
    const DicomItem *measured = dicom_item_nested(item, TAG_MeasuredValueSequence, i);
    g_autofree char *text = dicom_item_text(measured, TAG_NumericValue);
    g_autoptr(GString) number = g_string_new(NULL);

    append_list(number, text);
    append_other_forms(number, measured);
    separate(line, start);
    g_string_append(line, number->len > 0 ? number->str : "no number");
    append_unit(line, measured);
  }
  if (why[0]) {
    g_string_append_printf(line, n > 0 ? " (%s)" : "no value (%s)", why);
  }
}

static void
append_date_value(GString *line, const DicomItem *item)
{
  g_autofree char *text = dicom_item_text(item, TAG_Date);

  dicom_report_date(line, text);
}

static void
append_time_value(GString *line, const DicomItem *item)
{
  g_autofree char *text = dicom_item_text(item, TAG_Time);

  dicom_report_time(line, text);
}

static void
append_date_time_value(GString *line, const DicomItem *item)
{
  g_autofree char *text = dicom_item_text(item, TAG_DateTime);

  dicom_report_date_time(line, text);
}

static void
append_person_value(GString *line, const DicomItem *item)
{
  g_autofree char *text = dicom_item_text(item, TAG_PersonName);

  dicom_report_person(line, text);
}

static void
append_uid_value(GString *line, const DicomItem *item)
{
  g_autofree char *text = dicom_item_text(item, TAG_UID);

  append_list(line, text);
}

/* "CT Image 1.2.3" (PS3.3 table 10-11). */
static void
append_instance(GString *line, const DicomItem *reference)
{
  g_autofree char *class = dicom_item_text(reference, TAG_ReferencedSOPClassUID);
  g_autofree char *uid = dicom_item_text(reference, TAG_ReferencedSOPInstanceUID);
  DicomContent content;
  const char *name = dicom_content_of_class(class, &content);

  if (name) {
    gsize n = strlen(name) - (g_str_has_suffix(name, " Storage") ? strlen(" Storage") : 0);

    g_string_append_len(line, name, (gssize)n);
  } else {
    g_string_append_printf(line, "object of SOP class %s,", class[0] ? class : "unknown");
  }
  g_string_append_printf(line, " %s", uid[0] ? uid : "without a UID");
}

/* ", frames 1, 2" for the values of TAG; of RATIOS, every second value belongs to the one before.
 */
static void
append_numbers(GString *line, const DicomItem *item, guint32 tag, const char *one, const char *many,
               gboolean ratios)
{
  g_autofree char *text = dicom_item_text(item, tag);

  if (!text[0]) {
    return;
  }
  gboolean first = TRUE;
  g_string_append_printf(line, ", %s ", strchr(text, '\\') ? many : one);
  for (char *p = text; (p = strchr(p, '\\')) && ratios; first = !first, p++) {
    *p = first ? '/' : '\\';
  }
  append_list(line, text);
}

static void
append_references(GString *line, const DicomItem *item)
{
  guint n = dicom_item_count(item, TAG_ReferencedSOPSequence);
  gsize start = line->len;

  for (guint i = 0; i < n && line->len < DICOM_MAX_REPORT; i++) {
    const DicomItem *reference = dicom_item_nested(item, TAG_ReferencedSOPSequence, i);
    const DicomItem *other = dicom_item_nested(reference, TAG_ReferencedSOPSequence, 0);

    separate(line, start);
    append_instance(line, reference);
    append_numbers(line, reference, TAG_ReferencedFrameNumber, "frame", "frames", FALSE);
    append_numbers(line, reference, TAG_ReferencedSegmentNumber, "segment", "segments", FALSE);
    append_numbers(line, reference, TAG_ReferencedWaveformChannels, "channel", "channels", TRUE);
    if (other) { /* the presentation state to show it by */
      g_string_append(line, ", as shown by ");
      append_instance(line, other);
    }
  }
}

/* PS3.3 C.18.6 and C.18.9: DIMENSIONS coordinates make a point, each of 4 bytes. */
static void
append_shape(GString *line, const DicomItem *item, guint dimensions)
{
  g_autofree char *type = dicom_item_text(item, TAG_GraphicType);
  g_autofree char *frame_of_reference = dicom_item_text(item, TAG_ReferencedFrameOfReferenceUID);
  guint64 n = value_length(item, TAG_GraphicData) / 4 / dimensions;

  if (!type[0] && n == 0) {
    return;
  }
  g_string_append_printf(line, "%s, %" G_GUINT64_FORMAT " %s",
                         type[0] ? type : "shape of unknown type", n, n == 1 ? "point" : "points");
  if (frame_of_reference[0]) {
    g_string_append_printf(line, ", in the frame of reference %s", frame_of_reference);
  }
}

static void
append_shape_2d(GString *line, const DicomItem *item)
{
  append_shape(line, item, 2);
}

static void
append_shape_3d(GString *line, const DicomItem *item)
{
  append_shape(line, item, 3);
}

/* PS3.3 C.18.7. */
static void
append_time_range(GString *line, const DicomItem *item)
{
  g_autofree char *type = dicom_item_text(item, TAG_TemporalRangeType);
  g_autofree char *moments = dicom_item_text(item, TAG_ReferencedDateTime);

  g_string_append(line, type);
  append_numbers(line, item, TAG_ReferencedSamplePositions, "sample", "samples", FALSE);
  append_numbers(line, item, TAG_ReferencedTimeOffsets, "at second", "at seconds", FALSE);
  if (moments[0]) {
    g_auto(GStrv) parts = g_strsplit(moments, "\\", -1);

    for (guint i = 0; parts[i]; i++) {
      g_string_append(line, i == 0 ? ", at " : ", ");
      dicom_report_date_time(line, parts[i]);
    }
  }
}

static void
append_table(GString *line, const DicomItem *item)
{
  g_autofree char *rows = dicom_item_text(item, TAG_NumberOfTableRows);
  g_autofree char *columns = dicom_item_text(item, TAG_NumberOfTableColumns);

  if (rows[0] || columns[0]) {
    g_string_append_printf(line, "of %s rows and %s columns; its cells are not shown here", rows,
                           columns);
  }
}

typedef void (*Append)(GString *line, const DicomItem *item);

static const struct {
  const char *type, *noun;
  Append append;
} kinds[] = {
    {"CONTAINER", "Section", NULL},
    {"TEXT", "", append_text},
    {"CODE", "", append_concept_code},
    {"NUM", "", append_measured},
    {"DATE", "", append_date_value},
    {"TIME", "", append_time_value},
    {"DATETIME", "", append_date_time_value},
    {"PNAME", "", append_person_value},
    {"UIDREF", "", append_uid_value},
    {"IMAGE", "Image", append_references},
    {"COMPOSITE", "Object", append_references},
    {"WAVEFORM", "Waveform", append_references},
    {"SCOORD", "Region", append_shape_2d},
    {"SCOORD3D", "Region", append_shape_3d},
    {"TCOORD", "Time range", append_time_range},
    {"TABLE", "Table", append_table},
};

const char *
dicom_report_noun(const char *value_type)
{
  for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
    if (strcmp(kinds[i].type, value_type) == 0) {
      return kinds[i].noun;
    }
  }
  return "";
}

/* Of an item that does not say what its value is: every value that it has, but no shape twice, nor
 * the same references for each kind of object. */
static void
append_whatever(GString *line, const DicomItem *item)
{
  gsize start = line->len;

  for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
    g_autoptr(GString) value = g_string_new(NULL);

    if (kinds[i].append && kinds[i].append != append_shape_3d &&
        (kinds[i].append != append_references || strcmp(kinds[i].type, "IMAGE") == 0)) {
      kinds[i].append(value, item);
    }
    if (value->len > 0) {
      separate(line, start);
      g_string_append_len(line, value->str, (gssize)value->len);
    }
  }
}

void
dicom_report_value(GString *line, const DicomItem *item)
{
  g_autofree char *type = dicom_item_text(item, TAG_ValueType);
  gsize start = line->len;

  for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
    if (strcmp(kinds[i].type, type) == 0) {
      if (kinds[i].append) {
        kinds[i].append(line, item);
        g_string_append(line, line->len == start ? "(no value)" : "");
      }
      return;
    }
  }
  append_whatever(line, item);
  g_string_append_printf(line, "%s[ValueType is %s]", line->len > start ? " " : "",
                         type[0] ? type : "missing");
}
