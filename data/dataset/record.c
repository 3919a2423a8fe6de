/* record.c - training sets from one layout to another, member by member, to the byte. */
#include "dataset/record.h"

#include <string.h>

#include "dataset/problem.h"

gboolean
data_record_drop(DataRecordWork *work, DataDropped reason)
{
  work->counts->dropped[reason]++;
  return FALSE;
}

gboolean
data_record_malformed(DataRecordWork *work, const char *format, ...)
{
  va_list arguments;

  va_start(arguments, format);
  data_problem_add_va(work->problems, work->line, format, arguments);
  va_end(arguments);
  return data_record_drop(work, DATA_DROPPED_MALFORMED);
}

void
data_record_put(DataRecordWork *work, const char *text, gsize n)
{
  g_byte_array_append(work->out, (const guint8 *)text, (guint)n);
}

void
data_record_put_text(DataRecordWork *work, const char *text)
{
  data_record_put(work, text, strlen(text));
}

gboolean
data_convert_is_known(DataFormat from, DataFormat to)
{
  switch (to) {
  case DATA_FORMAT_PAIRS:
    return from != DATA_FORMAT_LLAVA && from != DATA_FORMAT_SCIENCEQA;
  case DATA_FORMAT_LLAVA:
    return from == DATA_FORMAT_LLAVA || from == DATA_FORMAT_IMAGEFOLDER ||
           from == DATA_FORMAT_SCIENCEQA;
  case DATA_FORMAT_IMAGEFOLDER:
    return from != DATA_FORMAT_SCIENCEQA && from != DATA_FORMAT_IMAGE_URLS;
  default:
    return FALSE;
  }
}

/* ---- one record --------------------------------------------------------------------------------
 */

static void
put_member(DataRecordWork *work, const char *name, gsize n_name, const DataValue *value,
           gboolean *first)
{
  const gboolean quotes = value->kind == DATA_VALUE_STRING;

  data_record_put_text(work, *first ? "\"" : ", \"");
  data_record_put(work, name, n_name);
  data_record_put_text(work, quotes ? "\": \"" : "\": ");
  data_record_put(work, value->text, value->n);
  data_record_put_text(work, quotes ? "\"" : "");
  *first = FALSE;
}

/* What a member of OBJECT is called in the layout that is asked for; NULL: it is written already,
 * or is none of the record's own. */
static const char *
name_in(const DataRecordWork *work, const DataValue *name)
{
  const gboolean to_folder = work->convert->to == DATA_FORMAT_IMAGEFOLDER;

  if (data_value_is(name, "@key")) {
    return NULL;
  }
  if (data_value_is(name, "image") || data_value_is(name, "file_name")) {
    return to_folder ? NULL : "image";
  }
  if (data_value_is(name, "conversatons")) {
    return "conversations";
  }
  if (to_folder && (data_value_is(name, "fig_caption") || data_value_is(name, "caption"))) {
    return "text";
  }
  return "";
}

/* The picture's name goes first: a folder of images is read by it. */
static gboolean
put_file_name(DataRecordWork *work, const DataValue *image, const DataValue *id, gboolean *first)
{
  if (image->kind == DATA_VALUE_STRING && image->n > 0) {
    put_member(work, "file_name", 9, image, first);
    return TRUE;
  }
  if (work->layout->format != DATA_FORMAT_LLAVA && id->kind == DATA_VALUE_STRING && id->n > 0) {
    data_record_put_text(work, "\"file_name\": \"");
    data_record_put(work, id->text, id->n);
    data_record_put_text(work, ".jpg\"");
    *first = FALSE;
    return TRUE;
  }
  return FALSE;
}

static gboolean
check_record(DataRecordWork *work, const DataValue *values, gboolean conversations)
{
  if (values[0].kind == DATA_VALUE_OTHER || values[1].kind == DATA_VALUE_OTHER) {
    return data_record_malformed(
        work, "image: found %s, expected a string",
        data_value_what(&values[values[0].kind == DATA_VALUE_OTHER ? 0 : 1]));
  }
  if (conversations) {
    const DataValue *turns = &values[values[4].kind == DATA_VALUE_ABSENT ? 5 : 4];
    if (turns->kind == DATA_VALUE_ABSENT || turns->kind == DATA_VALUE_NULL) {
      return data_record_drop(work, DATA_DROPPED_NO_CAPTION);
    }
    if (turns->kind != DATA_VALUE_OTHER || *turns->text != '[') {
      return data_record_malformed(work, "conversations: found %s, expected an array",
                                   data_value_what(turns));
    }
  }
  return TRUE;
}

static void
work_record(DataRecordWork *work, const char *line, gsize n, gboolean conversations)
{
  static const char *const names[] = {"image",         "file_name",    "pair_id", "id",
                                      "conversations", "conversatons", NULL};
  const DataValue object = {DATA_VALUE_OTHER, FALSE, line + strspn(line, " \t"),
                            n - strspn(line, " \t")};
  const guint start = work->out->len;
  const gboolean array = work->convert->array;
  DataValue values[6], name, value;
  gboolean first = TRUE;
  const char *why;
  gsize at;

  if (!data_scan(line, n, names, values, &why, &at)) {
    data_record_malformed(work, "%s, at byte %" G_GSIZE_FORMAT, why, at + 1);
    return;
  }
  if (!check_record(work, values, conversations)) {
    return;
  }
  data_record_put_text(work, array ? ",\n{" : "{");
  if (work->convert->to == DATA_FORMAT_IMAGEFOLDER &&
      !put_file_name(work, &values[values[0].kind == DATA_VALUE_STRING ? 0 : 1],
                     &values[values[2].kind == DATA_VALUE_STRING ? 2 : 3], &first)) {
    g_byte_array_set_size(work->out, start);
    data_record_drop(work, DATA_DROPPED_NO_IMAGE);
    return;
  }
  for (at = 0; data_object_next(&object, &at, &name, &value);) {
    const char *called = name_in(work, &name);
    if (called) {
      put_member(work, *called ? called : name.text, *called ? strlen(called) : name.n, &value,
                 &first);
    }
  }
  data_record_put_text(work, array ? "}" : "}\n");
  work->counts->written++;
}

/* ---- lines -------------------------------------------------------------------------------------
 */

static void
work_lines(DataRecordWork *work, const char *bytes, gsize n, gboolean conversations)
{
  const char *end = bytes + n;

  while (bytes < end) {
    const char *stop = memchr(bytes, '\n', (gsize)(end - bytes));
    gsize length = (gsize)((stop ? stop : end) - bytes), text;

    for (text = length; text > 0 && g_ascii_isspace(bytes[text - 1]); text--) {
    }
    if (text > DATA_MOST_LINE_BYTES) {
      data_record_malformed(work, "over %u MiB, more than any record has",
                            DATA_MOST_LINE_BYTES >> 20);
    } else if (text > 0 && work->layout->format == DATA_FORMAT_SCIENCEQA) {
      data_record_scienceqa(work, bytes, text);
    } else if (text > 0) {
      work_record(work, bytes, text, conversations);
    }
    work->line++;
    bytes += length + (stop != NULL);
  }
}

void
data_convert(const DataConvert *convert, const DataLayout *layout, const char *bytes, gsize n,
             GByteArray *out, DataCounts *counts, GArray *problems)
{
  DataRecordWork work = {convert, layout, out, counts, problems, 0};
  const gboolean conversations =
      layout->format == DATA_FORMAT_LLAVA ||
      (layout->format == DATA_FORMAT_IMAGEFOLDER && convert->to == DATA_FORMAT_LLAVA);

  if (conversations || layout->format == DATA_FORMAT_SCIENCEQA ||
      (layout->format == DATA_FORMAT_IMAGEFOLDER && convert->to == DATA_FORMAT_IMAGEFOLDER)) {
    work_lines(&work, bytes, n, conversations);
    counts->lines += work.line;
  } else if (convert->to == DATA_FORMAT_PAIRS) {
    data_list_pairs(layout, bytes, n, out, counts, problems);
  } else {
    g_autoptr(GByteArray) pairs = g_byte_array_new();

    data_list_pairs(layout, bytes, n, pairs, counts, problems);
    counts->written = 0;
    work_lines(&work, (const char *)pairs->data, pairs->len, FALSE);
  }
}
