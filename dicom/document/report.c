/* report.c - structured reports and key object selections as text (PS3.3 A.35, C.17.3).
 *
 * One content item a line, two blanks for each level. A line that goes on inside a value is
 * indented by two levels more than its item, which no item below it is, so that a text cannot pass
 * for other items. Items that others refer to have their number before them. The tree is walked
 * with a stack of its own; references between items are named and never followed.
 *
 * The names of persons in the content are shown, as who opened the file asked for its text. Whose
 * report it is, DicomInfo says.
 */
#include "dicom/file.h"
#include "dicom/limits.h"
#include "report.h"
#include "dicom/tags.h"

#include <string.h>

typedef struct {
  const DicomItem *item;
  guint element; /* its ContentSequence */
  guint next, n; /* of the items in there */
} Level;

typedef struct {
  const DicomItem *root;
  /* What is referred to: from "1.2.3" to the name of that item, "" until it was met. */
  GHashTable *marks;
  Level levels[DICOM_MAX_DEPTH + 1];
  guint depth; /* of the item under way; its parents are in LEVELS */
  GString *text;
  gboolean full;
} Report;

typedef void (*Visit)(Report *report, const DicomItem *item);

/* ---- the tree ----------------------------------------------------------------------------------
 */

/* FALSE: ITEM has no content. */
static gboolean
find_content(const DicomItem *item, Level *level)
{
  DicomElementInfo info;
  guint n = dicom_item_n_elements(item);

  for (guint i = 0; i < n && dicom_item_element(item, i, &info); i++) {
    if (info.tag == TAG_ContentSequence && info.n_items > 0) {
      *level = (Level){.item = item, .element = i, .n = info.n_items};
      return TRUE;
    }
  }
  return FALSE;
}

/* Every item but the root, each before its own content. */
static void
walk(Report *report, Visit visit)
{
  guint n_levels = find_content(report->root, &report->levels[0]) ? 1 : 0;

  while (n_levels > 0 && !report->full) {
    Level *level = &report->levels[n_levels - 1];

    if (level->next == level->n) {
      n_levels--;
      continue;
    }
    const DicomItem *item = dicom_item_element_item(level->item, level->element, level->next++);
    report->depth = n_levels - 1;
    visit(report, item);
    /* The reader refuses what is deeper than this. */
    if (n_levels < G_N_ELEMENTS(report->levels) && find_content(item, &report->levels[n_levels])) {
      n_levels++;
    }
  }
}

/* "1.2.3": the second item of the root, and in there the third (PS3.3 C.17.3.2.5). */
static char *
position(const Report *report)
{
  g_autoptr(GString) text = g_string_new("1");

  for (guint i = 0; i <= report->depth; i++) {
    g_string_append_printf(text, ".%u", report->levels[i].next);
  }
  return g_string_free(g_steal_pointer(&text), FALSE);
}

/* ---- references between items ------------------------------------------------------------------
 */

/* "" when ITEM is no reference. g_free(). */
static char *
referred_to(const DicomItem *item)
{
  double numbers[DICOM_MAX_DEPTH + 2];
  g_autoptr(GString) text = g_string_new(NULL);
  guint n =
      dicom_item_numbers(item, TAG_ReferencedContentItemIdentifier, numbers, G_N_ELEMENTS(numbers));

  for (guint i = 0; i < n; i++) {
    g_string_append_printf(text, "%s%.0f", i > 0 ? "." : "", numbers[i]);
  }
  return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
collect_reference(Report *report, const DicomItem *item)
{
  char *to = referred_to(item);

  if (to[0] && g_hash_table_size(report->marks) < DICOM_MAX_REFERENCES) {
    g_hash_table_insert(report->marks, to, g_strdup(""));
  } else {
    g_free(to);
  }
}

static char *
name_of(const DicomItem *item)
{
  g_autofree char *type = dicom_item_text(item, TAG_ValueType);
  g_autofree char *name = dicom_report_meaning(item, TAG_ConceptNameCodeSequence);

  return name[0] ? g_steal_pointer(&name) : g_strdup(dicom_report_noun(type));
}

static void
name_target(Report *report, const DicomItem *item)
{
  char *here = position(report);

  if (g_hash_table_contains(report->marks, here)) {
    g_autofree char *name = name_of(item);

    /* CodeMeaning has 64 characters at most. */
    g_hash_table_insert(report->marks, here,
                        g_utf8_substring(name, 0, MIN(g_utf8_strlen(name, -1), 64)));
  } else {
    g_free(here);
  }
}

static void
find_references(Report *report)
{
  walk(report, collect_reference);
  if (g_hash_table_contains(report->marks, "1")) {
    g_hash_table_insert(report->marks, g_strdup("1"), g_strdup("the whole report"));
  }
  if (g_hash_table_size(report->marks) > 0) {
    walk(report, name_target);
  }
}

/* ---- lines -------------------------------------------------------------------------------------
 */

/* Characters that would steer a terminal, or show a text in another order than it is stored in. */
static gboolean
is_harmful(gunichar c)
{
  return (c < 0x20 && c != '\t') || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069);
}

static gboolean
is_line_end(gunichar c)
{
  return c == '\n' || c == '\r' || c == '\f' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

static void
indent(GString *text, guint levels)
{
  for (guint i = 0; i < levels; i++) {
    g_string_append(text, "  ");
  }
}

static void
append_line(Report *report, guint depth, const char *line)
{
  GString *out = report->text;
  guint pending = depth; /* levels to indent by before the next character */

  for (const char *p = line; *p && !report->full; p = g_utf8_next_char(p)) {
    gunichar c = g_utf8_get_char(p);

    if (is_line_end(c)) {
      p += c == '\r' && p[1] == '\n' ? 1 : 0;
      g_string_append_c(out, '\n');
      pending = depth + 2;
    } else {
      indent(out, pending);
      pending = 0;
      g_string_append_unichar(out, is_harmful(c) ? 0xfffd : c);
    }
    report->full = out->len > DICOM_MAX_REPORT - 512; /* with room for the last line */
  }
  g_string_append_c(out, '\n');
  report->full = report->full || out->len > DICOM_MAX_REPORT - 512;
}

static void G_GNUC_PRINTF(2, 3) append_fact(Report *report, const char *format, ...)
{
  g_autofree char *line = NULL;
  va_list args;

  va_start(args, format);
  line = g_strdup_vprintf(format, args);
  va_end(args);
  append_line(report, 0, line);
}

/* ---- content items -----------------------------------------------------------------------------
 */

/* PS3.3 table C.17.3-8; that a section contains something, the indentation says. */
static void
append_relationship(GString *line, const DicomItem *item)
{
  static const char *const words[][2] = {
      {"CONTAINS", ""},
      {"HAS OBS CONTEXT", "has observation context"},
      {"HAS ACQ CONTEXT", "has acquisition context"},
      {"HAS CONCEPT MOD", "has concept modifier"},
  };
  g_autofree char *type = dicom_item_text(item, TAG_RelationshipType);
  g_autofree char *lower = g_utf8_strdown(type, -1);
  const char *shown = lower;

  for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
    shown = strcmp(type, words[i][0]) == 0 ? words[i][1] : shown;
  }
  if (shown[0]) {
    g_string_append_printf(line, "(%s) ", shown);
  }
}

static void
append_reference(GString *line, const Report *report, const char *to)
{
  const char *name = g_hash_table_lookup(report->marks, to);

  g_string_append_printf(line, "see [%s]%s%s", to, name && name[0] ? " " : "", name ? name : "");
}

static void
append_moment(GString *line, const DicomItem *item)
{
  g_autofree char *moment = dicom_item_text(item, TAG_ObservationDateTime);

  if (moment[0]) {
    g_string_append(line, " (observed ");
    dicom_report_date_time(line, moment);
    g_string_append_c(line, ')');
  }
}

static void
append_item(Report *report, const DicomItem *item)
{
  g_autoptr(GString) line = g_string_new(NULL), value = g_string_new(NULL);
  g_autofree char *to = referred_to(item), *name = name_of(item);

  if (g_hash_table_size(report->marks) > 0) {
    g_autofree char *here = position(report);

    if (g_hash_table_contains(report->marks, here)) {
      g_string_append_printf(line, "[%s] ", here);
    }
  }
  append_relationship(line, item);
  if (to[0] && !dicom_item_has(item, TAG_ValueType)) {
    append_reference(value, report, to);
  } else {
    dicom_report_value(value, item);
  }
  g_string_append(line, name);
  if (name[0] && value->len > 0) {
    g_string_append(line, ": ");
  }
  g_string_append_len(line, value->str, (gssize)value->len);
  append_moment(line, item);
  append_line(report, report->depth, line->str);
}

/* ---- the document (PS3.3 C.17.2) ---------------------------------------------------------------
 */

static void
append_dates(Report *report)
{
  g_autofree char *date = dicom_item_text(report->root, TAG_ContentDate);
  g_autofree char *time = dicom_item_text(report->root, TAG_ContentTime);
  g_autofree char *observed = dicom_item_text(report->root, TAG_ObservationDateTime);
  g_autoptr(GString) line = g_string_new(NULL);

  if (date[0] || time[0]) {
    dicom_report_date(line, date[0] ? date : "no date");
    g_string_append(line, time[0] ? " " : "");
    dicom_report_time(line, time);
    append_fact(report, "Content date: %s", line->str);
  }
  if (observed[0]) {
    g_string_truncate(line, 0);
    dicom_report_date_time(line, observed);
    append_fact(report, "Observed: %s", line->str);
  }
}

static void
append_flag(Report *report, const char *label, guint32 tag, guint32 description)
{
  g_autofree char *flag = dicom_item_text(report->root, tag);
  g_autofree char *lower = g_utf8_strdown(flag, -1);
  g_autofree char *more = description ? dicom_item_text(report->root, description) : g_strdup("");

  if (flag[0] || more[0]) {
    append_fact(report, more[0] ? "%s: %s (%s)" : "%s: %s", label, lower[0] ? lower : "not said",
                more);
  }
}

static void
append_verifiers(Report *report)
{
  guint n = dicom_item_count(report->root, TAG_VerifyingObserverSequence);

  for (guint i = 0; i < n && !report->full; i++) {
    const DicomItem *item = dicom_item_nested(report->root, TAG_VerifyingObserverSequence, i);
    g_autofree char *name = dicom_item_text(item, TAG_VerifyingObserverName);
    g_autofree char *organization = dicom_item_text(item, TAG_VerifyingOrganization);
    g_autofree char *moment = dicom_item_text(item, TAG_VerificationDateTime);
    g_autoptr(GString) line = g_string_new("Verified by: ");

    dicom_report_person(line, name[0] ? name : "somebody not named");
    if (organization[0]) {
      g_string_append_printf(line, " (%s)", organization);
    }
    if (moment[0]) {
      g_string_append(line, ", ");
      dicom_report_date_time(line, moment);
    }
    append_line(report, 0, line->str);
  }
}

static void
append_document(Report *report, const DicomInfo *info)
{
  g_autofree char *title = dicom_report_meaning(report->root, TAG_ConceptNameCodeSequence);
  g_autofree char *type = dicom_item_text(report->root, TAG_ValueType);
  guint n_earlier = dicom_item_count(report->root, TAG_PredecessorDocumentsSequence);

  append_line(report, 0, title[0] ? title : info->content_name);
  append_dates(report);
  append_flag(report, "Status", TAG_PreliminaryFlag, 0);
  append_flag(report, "Completion", TAG_CompletionFlag, TAG_CompletionFlagDescription);
  append_flag(report, "Verification", TAG_VerificationFlag, 0);
  append_verifiers(report);
  if (n_earlier > 0) {
    append_fact(report, "Earlier documents that this one is based on: in %u %s", n_earlier,
                n_earlier == 1 ? "study" : "studies");
  }
  if (info->damage[0]) {
    append_fact(report, "The file is damaged, and what follows may not be all of it: %s",
                info->damage);
  }
  g_string_append_c(report->text, '\n');
  /* The root is a section in every standard document. */
  if (strcmp(type, "CONTAINER") != 0) {
    g_autoptr(GString) value = g_string_new(NULL);

    dicom_report_value(value, report->root);
    append_line(report, 0, value->str);
  }
  if (dicom_item_count(report->root, TAG_ContentSequence) == 0) {
    append_line(report, 0, "(no content)");
  }
}

char *
dicom_file_report_text(DicomFile *file, GError **error)
{
  const DicomInfo *info = &file->info;
  const DicomItem *root = file->dataset ? dicom_dataset_root(file->dataset) : NULL;

  /* Reports of private classes are known by their content. */
  if (!root || (info->content != DICOM_CONTENT_REPORT &&
                (info->content != DICOM_CONTENT_OTHER || !dicom_item_has(root, TAG_ValueType)))) {
    g_autofree char *class = dicom_info_class_text(info, info->sop_class);

    g_set_error(error, DICOM_ERROR, DICOM_ERROR_UNSUPPORTED,
                "%s: is no structured report: SOPClassUID is %s", file->name, class);
    return NULL;
  }
  g_autoptr(GHashTable) marks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr(GString) text = g_string_new(NULL);
  g_autofree Report *report = g_new0(Report, 1);
  report->root = root;
  report->marks = marks;
  report->text = text;
  find_references(report);
  append_document(report, info);
  walk(report, append_item);
  if (report->full) {
    g_string_append(text, "[The report goes on. Its text was cut here.]\n");
  }
  return g_string_free(g_steal_pointer(&text), FALSE);
}
