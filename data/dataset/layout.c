/* layout.c - which of the lists that people have a file is, by how it begins. */
#include "dataset.h"

#include <string.h>

static const char *const format_names[] = {"pairs",   "pmc15m",   "image-urls", "fig-captions",
                                           "medicat", "roco",     "cc3m",       "imagefolder",
                                           "llava",   "scienceqa"};
G_STATIC_ASSERT(G_N_ELEMENTS(format_names) == DATA_N_FORMATS);

const char *
data_format_name(DataFormat format)
{
  return format_names[format];
}

DataFormat
data_format_of_name(const char *name)
{
  guint i = 0;

  while (i < DATA_N_FORMATS && strcmp(format_names[i], name) != 0) {
    i++;
  }
  return (DataFormat)i;
}

void
data_layout_clear(DataLayout *layout)
{
  g_clear_pointer(&layout->header, g_free);
}

/* ---- JSON --------------------------------------------------------------------------------------
 */

static gsize
skip_blanks(const char *text, gsize n, gsize at)
{
  while (at < n && g_ascii_isspace(text[at])) {
    at++;
  }
  return at;
}

/* The first name of the object at START, and what its value begins with. */
static char
first_value(const char *text, gsize n, gsize start, char **name)
{
  gsize at = skip_blanks(text, n, start + 1), from;

  if (at >= n || text[at] != '"') {
    return '\0';
  }
  from = ++at;
  while (at < n && text[at] != '"' && text[at] != '\n') {
    at++;
  }
  *name = g_strndup(text + from, at - from);
  at = skip_blanks(text, n, at + 1);
  if (at >= n || text[at] != ':') {
    return '\0';
  }
  at = skip_blanks(text, n, at + 1);
  return at < n ? text[at] : '\0';
}

/* {"ct_scan": [...]} and {"1": {...}} are one value; a record may begin with such a member, too. */
static gboolean
is_container(const char *text, gsize n, gsize start)
{
  static const char *const of_records[] = {
      "figures", "conversations", "conversatons", "in_text_mention",  "domain",
      "oa_info", "choices",       "messages",     "s2orc_references", NULL};
  g_autofree char *name = NULL;
  char value;

  if (text[start] == '[') {
    return TRUE;
  }
  value = first_value(text, n, start, &name);
  return (value == '[' || value == '{') && !g_strv_contains(of_records, name);
}

/* Whether the text holds "NAME" and a colon. */
static gboolean
has_name(const char *text, gsize n, const char *name)
{
  g_autofree char *quoted = g_strdup_printf("\"%s\"", name);
  const char *at = text, *end = text + n;

  while ((at = g_strstr_len(at, end - at, quoted))) {
    gsize i = skip_blanks(text, n, (gsize)(at - text) + strlen(quoted));
    if (i < n && text[i] == ':') {
      return TRUE;
    }
    at++;
  }
  return FALSE;
}

static DataFormat
find_json(const char *text, gsize n, gboolean container)
{
  static const struct {
    const char *first, *second;
    DataFormat format;
  } signs[] = {
      {"pmc_tar_url", NULL, DATA_FORMAT_IMAGE_URLS}, {"figures", "pmid", DATA_FORMAT_PMC15M},
      {"figures", "pmc", DATA_FORMAT_PMC15M},        {"s2_caption", NULL, DATA_FORMAT_MEDICAT},
      {"s2orc_caption", NULL, DATA_FORMAT_MEDICAT},  {"choices", "question", DATA_FORMAT_SCIENCEQA},
      {"file_name", NULL, DATA_FORMAT_IMAGEFOLDER},  {"conversations", NULL, DATA_FORMAT_LLAVA},
      {"conversatons", NULL, DATA_FORMAT_LLAVA},     {"fig_caption", NULL, DATA_FORMAT_PAIRS},
      {"pair_id", NULL, DATA_FORMAT_PAIRS},          {"caption", NULL, DATA_FORMAT_PAIRS}};

  for (guint i = 0; i < G_N_ELEMENTS(signs); i++) {
    if (has_name(text, n, signs[i].first) &&
        (!signs[i].second || has_name(text, n, signs[i].second))) {
      const gboolean of_captions =
          signs[i].format == DATA_FORMAT_PAIRS && container && *text == '{';
      return of_captions ? DATA_FORMAT_FIG_CAPTIONS : signs[i].format;
    }
  }
  return DATA_N_FORMATS;
}

/* ---- tables ------------------------------------------------------------------------------------
 */

static gint
column_named(char **fields, const char *const *names)
{
  for (gint i = 0; fields[i]; i++) {
    g_autofree char *field = g_ascii_strdown(g_strstrip(fields[i]), -1);
    if (g_strv_contains(names, field)) {
      return i;
    }
  }
  return -1;
}

static void
read_names(DataLayout *layout, char **fields)
{
  static const char *const ids[] = {"roco_id", "id", "image_id", "pair_id", NULL},
                           *const captions[] = {"caption", "captions", "text", NULL},
                           *const images[] = {"name", "image", "file_name", NULL},
                           *const files[] = {"pmc_file", "image_file", NULL},
                           *const urls[] = {"url", "image_url", NULL};
  const char *const *const names[DATA_N_COLUMNS] = {ids, captions, images, files, urls};

  for (guint i = 0; i < DATA_N_COLUMNS; i++) {
    layout->columns[i] = column_named(fields, names[i]);
  }
}

/* Without a row of names: an id and a caption (ROCO), or a caption and an address (CC3M). */
static gboolean
find_table(DataLayout *layout, const char *text, gsize n)
{
  const char *stop = memchr(text, '\n', n);
  g_autofree char *line = g_strndup(text, stop ? (gsize)(stop - text) : n);
  char separator[2] = {strchr(line, '\t') ? '\t' : ',', '\0'};
  g_auto(GStrv) fields = NULL;

  g_strchomp(line);
  fields = g_strsplit(line, separator, -1);
  layout->separator = *separator;
  read_names(layout, fields);
  if (layout->columns[1] >= 0) {
    layout->header = g_steal_pointer(&line);
    layout->format =
        layout->columns[0] < 0 && layout->columns[4] >= 0 ? DATA_FORMAT_CC3M : DATA_FORMAT_ROCO;
    return TRUE;
  }
  for (guint i = 0; i < DATA_N_COLUMNS; i++) {
    layout->columns[i] = -1;
  }
  if (*separator != '\t' || g_strv_length(fields) != 2) {
    return FALSE;
  }
  layout->format = g_str_has_prefix(fields[1], "http") ? DATA_FORMAT_CC3M : DATA_FORMAT_ROCO;
  layout->columns[layout->format == DATA_FORMAT_CC3M ? 4 : 0] =
      layout->format == DATA_FORMAT_CC3M ? 1 : 0;
  layout->columns[1] = layout->format == DATA_FORMAT_CC3M ? 0 : 1;
  return TRUE;
}

gboolean
data_layout_find(DataLayout *layout, DataFormat format, const char *head, gsize n)
{
  const gsize mark = n >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
  gsize start = skip_blanks(head, n, mark);
  DataFormat found;

  *layout = (DataLayout){.format = format, .columns = {-1, -1, -1, -1, -1}};
  if (start < n && (head[start] == '{' || head[start] == '[')) {
    layout->container = is_container(head, n, start);
    found = find_json(head + start, n - start, layout->container);
    if (format == DATA_N_FORMATS) {
      layout->format = found;
    }
    return layout->format != DATA_N_FORMATS && layout->format != DATA_FORMAT_ROCO &&
           layout->format != DATA_FORMAT_CC3M;
  }
  return start < n &&
         (format == DATA_N_FORMATS || format == DATA_FORMAT_ROCO || format == DATA_FORMAT_CC3M) &&
         find_table(layout, head + mark, n - mark);
}
