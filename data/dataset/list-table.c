/* list-table.c - tables of captions: tabs, or commas with quotes (RFC 4180, a row a line). */
#include <string.h>

#include "dataset/list.h"
#include "json-text.h"

/* The next field from *AT on, quotes resolved in tables with commas (RFC 4180, a row a line). FALSE
 * behind the last. */
static gboolean
next_field(const DataListWork *work, const char *line, gsize n, gsize *at, GString *field)
{
  const char separator = work->layout->separator;
  const gboolean quoted = separator == ',' && *at < n && line[*at] == '"';

  if (*at > n) {
    return FALSE;
  }
  g_string_truncate(field, 0);
  if (quoted) {
    for (++*at; *at < n && (line[*at] != '"' || (*at + 1 < n && line[*at + 1] == '"')); ++*at) {
      *at += line[*at] == '"';
      g_string_append_c(field, line[*at]);
    }
    *at += *at < n;
  }
  while (*at < n && line[*at] != separator) {
    g_string_append_c(field, line[*at]);
    ++*at;
  }
  ++*at;
  return TRUE;
}

/* FIELD as the value of ROLE, escaped as JSON asks. */
static void
set_field(DataListWork *work, DataListRecord *record, DataListRole role, const char *field, gsize n)
{
  GString *text = work->scratch[role];

  store_json_append(text, field, n);
  record->values[role] = data_list_text_value(text->str + 1, text->len - 2);
}

/* A file of ROCO's says which article it is of; a row of CC3M is called by its address. */
static void
finish_row(DataListWork *work, DataListRecord *record)
{
  const DataValue *file = &record->values[DATA_ROLE_IMAGE_FILE],
                  *url = &record->values[DATA_ROLE_IMAGE_URL];

  file = data_list_has_text(file) ? file : &record->values[DATA_ROLE_IMAGE];
  if (data_list_has_text(file) && g_str_has_prefix(file->text, "PMC")) {
    record->values[DATA_ROLE_PMCID] =
        data_list_text_value(file->text + 3, strspn(file->text + 3, "0123456789"));
  }
  if (!data_list_has_text(&record->values[DATA_ROLE_ID]) && data_list_has_text(url)) {
    g_autofree char *sum =
        g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)url->text, url->n);
    set_field(work, record, DATA_ROLE_ID, sum, 16);
  }
  data_list_finish(work, record);
}

static gboolean
is_header(const DataListWork *work, const char *line, gsize n)
{
  const char *header = work->layout->header;

  return header && n == strlen(header) && memcmp(line, header, n) == 0;
}

void
data_list_row(DataListWork *work, const char *line, gsize n)
{
  static const DataListRole roles[DATA_N_COLUMNS] = {
      DATA_ROLE_ID, DATA_ROLE_CAPTION, DATA_ROLE_IMAGE, DATA_ROLE_IMAGE_FILE, DATA_ROLE_IMAGE_URL};
  g_autoptr(GString) field = g_string_new(NULL);
  DataListRecord record = {.domain = DATA_DOMAIN_NONE};
  const gint *columns = work->layout->columns;
  gint most = -1, column = 0;

  n -= n > 0 && line[n - 1] == '\r';
  if (is_header(work, line, n)) {
    return;
  }
  if (!g_utf8_validate_len(line, n, NULL)) {
    data_list_malformed(work, "bytes that are no UTF-8");
    return;
  }
  for (gsize at = 0; next_field(work, line, n, &at, field); column++) {
    for (guint i = 0; i < DATA_N_COLUMNS; i++) {
      if (columns[i] == column) {
        g_strstrip(field->str);
        set_field(work, &record, roles[i], field->str, strlen(field->str));
      }
    }
  }
  for (guint i = 0; i < DATA_N_COLUMNS; i++) {
    most = MAX(most, columns[i]);
  }
  if (column <= most) {
    data_list_malformed(work, "found %d columns, expected %d or more", column, most + 1);
    return;
  }
  finish_row(work, &record);
}
