/* list.c - records of the lists that people have, as lines of pairs.
 *
 * Texts travel as JSON spells them: what a list says is said again to the byte, and only a table's
 * fields are escaped anew.
 */
#include "dataset.h"

#include <string.h>

#include "dataset/domain.h"
#include "dataset/problem.h"
#include "dataset/scan.h"
#include "json-text.h"

typedef enum {
  ROLE_ID,
  ROLE_CAPTION,
  ROLE_IMAGE,
  ROLE_PMID,
  ROLE_PMCID,
  ROLE_FIG_ID,
  ROLE_FIG_LABEL,
  ROLE_IMAGE_FILE,
  ROLE_TAR_URL,
  ROLE_IMAGE_URL,
  ROLE_LICENCE,
  ROLE_TITLE,
  N_TEXTS, /* the ones above are texts */
  ROLE_DOMAIN = N_TEXTS,
  ROLE_KEY,
  ROLE_MENTIONS,
  ROLE_FIGURES,
  ROLE_HASH,
  ROLE_URI,
  ROLE_OPEN_ACCESS,
  N_ROLES,
} Role;
static const char *const text_names[N_TEXTS] = {
    "pair_id",   "fig_caption", "image",       "pmid",      "pmcid",   "fig_id",
    "fig_label", "image_file",  "pmc_tar_url", "image_url", "licence", "article_title"};

/* Of several names for one thing the first that is there counts. */
static const struct {
  const char *name;
  Role role;
} members[] = {{"pair_id", ROLE_ID},
               {"id", ROLE_ID},
               {"fig_caption", ROLE_CAPTION},
               {"caption", ROLE_CAPTION},
               {"s2_caption", ROLE_CAPTION},
               {"s2orc_caption", ROLE_CAPTION},
               {"text", ROLE_CAPTION},
               {"image", ROLE_IMAGE},
               {"file_name", ROLE_IMAGE},
               {"pmid", ROLE_PMID},
               {"pmcid", ROLE_PMCID},
               {"pmc", ROLE_PMCID},
               {"fig_id", ROLE_FIG_ID},
               {"fig_label", ROLE_FIG_LABEL},
               {"fig_key", ROLE_FIG_LABEL},
               {"image_file", ROLE_IMAGE_FILE},
               {"image_file_path", ROLE_IMAGE_FILE},
               {"graphic_ref", ROLE_IMAGE_FILE},
               {"pmc_tar_url", ROLE_TAR_URL},
               {"image_url", ROLE_IMAGE_URL},
               {"url", ROLE_IMAGE_URL},
               {"licence", ROLE_LICENCE},
               {"license", ROLE_LICENCE},
               {"article_title", ROLE_TITLE},
               {"domain", ROLE_DOMAIN},
               {"modality", ROLE_DOMAIN},
               {"@key", ROLE_KEY},
               {"in_text_mention", ROLE_MENTIONS},
               {"s2orc_references", ROLE_MENTIONS},
               {"inline_references", ROLE_MENTIONS},
               {"figures", ROLE_FIGURES},
               {"pdf_hash", ROLE_HASH},
               {"fig_uri", ROLE_URI},
               {"oa_info", ROLE_OPEN_ACCESS}};
#define N_MEMBERS G_N_ELEMENTS(members)

typedef struct {
  const DataLayout *layout;
  GByteArray *out;
  DataCounts *counts;
  GArray *problems;
  guint64 line;
  GString *scratch[N_TEXTS]; /* what a list does not spell as it is written */
  const char *names[N_MEMBERS + 1];
} Work;

/* A record, and for a figure of an article what the article says, too. */
typedef struct {
  DataValue values[N_ROLES];
  DataDomain domain;
} Record;

static gboolean
drop(Work *work, DataDropped reason)
{
  work->counts->dropped[reason]++;
  return FALSE;
}

static gboolean G_GNUC_PRINTF(2, 3) malformed(Work *work, const char *format, ...)
{
  va_list arguments;

  va_start(arguments, format);
  data_problem_add_va(work->problems, work->line, format, arguments);
  va_end(arguments);
  return drop(work, DATA_DROPPED_MALFORMED);
}

static DataValue
text_value(const char *text, gsize n)
{
  return (DataValue){DATA_VALUE_STRING, TRUE, text, n};
}

static gboolean
has_text(const DataValue *value)
{
  return value->kind == DATA_VALUE_STRING && value->n > 0;
}

static gboolean
is_number(const DataValue *value)
{
  return value->kind == DATA_VALUE_OTHER && (*value->text == '-' || g_ascii_isdigit(*value->text));
}

/* ---- writing -----------------------------------------------------------------------------------
 */

static void
put(Work *work, const char *text, gsize n)
{
  g_byte_array_append(work->out, (const guint8 *)text, (guint)n);
}

static void
put_text(Work *work, const char *text)
{
  put(work, text, strlen(text));
}

static void
put_name(Work *work, const char *name, gboolean first)
{
  put_text(work, first ? "{\"" : ", \"");
  put_text(work, name);
  put_text(work, "\": ");
}

static void
put_string(Work *work, const DataValue *value)
{
  put(work, "\"", 1);
  put(work, value->text, value->n);
  put(work, "\"", 1);
}

/* A sentence: a string, {"text": "..."}, or {"tokens": ["...", ...]}. FALSE: it says nothing. */
static gboolean
put_mention(Work *work, const DataValue *mention, gboolean first)
{
  static const char *const names[] = {"text", "tokens", NULL};
  DataValue values[2], token;
  const char *why;
  gsize at, token_at = 0;
  gboolean begun = FALSE;

  if (mention->kind == DATA_VALUE_STRING || mention->kind == DATA_VALUE_NULL) {
    if (has_text(mention)) {
      put_text(work, first ? "" : ", ");
      put_string(work, mention);
    }
    return has_text(mention);
  }
  if (*mention->text != '{' || !data_scan(mention->text, mention->n, names, values, &why, &at)) {
    return FALSE;
  }
  if (has_text(&values[0])) {
    put_text(work, first ? "" : ", ");
    put_string(work, &values[0]);
    return TRUE;
  }
  while (data_array_next(&values[1], &token_at, &token)) {
    if (has_text(&token)) {
      put_text(work, begun ? " " : first ? "\"" : ", \"");
      put(work, token.text, token.n);
      begun = TRUE;
    }
  }
  put_text(work, begun ? "\"" : "");
  return begun;
}

static void
put_mentions(Work *work, const DataValue *mentions)
{
  DataValue mention;
  gsize at = 0;
  gboolean first = TRUE;

  put_name(work, "in_text_mention", FALSE);
  put(work, "[", 1);
  while (data_array_next(mentions, &at, &mention)) {
    first &= !put_mention(work, &mention, first);
  }
  if (first) {
    g_byte_array_set_size(work->out, work->out->len - 1);
    put_text(work, "null");
  } else {
    put(work, "]", 1);
  }
}

static void
put_pair(Work *work, const Record *record)
{
  gboolean first = TRUE;

  for (guint i = 0; i < N_TEXTS; i++) {
    if (has_text(&record->values[i])) {
      put_name(work, text_names[i], first);
      put_string(work, &record->values[i]);
      first = FALSE;
    }
  }
  if (record->values[ROLE_MENTIONS].kind != DATA_VALUE_ABSENT) {
    put_mentions(work, &record->values[ROLE_MENTIONS]);
  }
  if (record->domain != DATA_DOMAIN_NONE) {
    put_name(work, "domain", FALSE);
    put(work, "\"", 1);
    put_text(work, data_domain_name(record->domain));
    put(work, "\"", 1);
  }
  put_text(work, "}\n");
  work->counts->written++;
  work->counts->domains[record->domain]++;
}

/* ---- one record --------------------------------------------------------------------------------
 */

/* Texts may be numbers; everything else is not what somebody meant. */
static gboolean
check_texts(Work *work, Record *record, const DataValue *found)
{
  for (guint i = 0; i < N_MEMBERS; i++) {
    const Role role = members[i].role;
    DataValue *value = &record->values[role];

    if (role >= N_TEXTS && role != ROLE_HASH && role != ROLE_URI) {
      continue;
    }
    if (found[i].kind == DATA_VALUE_OTHER) {
      if (role == ROLE_ID || role == ROLE_CAPTION || role == ROLE_IMAGE || !is_number(&found[i])) {
        return malformed(work, "%s: found %s, expected a string", members[i].name,
                         data_value_what(&found[i]));
      }
      if (value->text == found[i].text) {
        value->kind = DATA_VALUE_STRING;
      }
    }
  }
  return TRUE;
}

/* Fills what TEXT, an object, says in the place of what RECORD said. */
static gboolean
read_members(Work *work, Record *record, const char *text, gsize n)
{
  DataValue found[N_MEMBERS];
  gboolean set[N_ROLES] = {FALSE};
  const char *why;
  gsize at;

  if (!data_scan(text, n, work->names, found, &why, &at)) {
    return malformed(work, "%s, at byte %" G_GSIZE_FORMAT, why, at + 1);
  }
  for (guint i = 0; i < N_MEMBERS; i++) {
    const Role role = members[i].role;
    const gboolean there = found[i].kind == DATA_VALUE_STRING || found[i].kind == DATA_VALUE_OTHER;

    if (!set[role] && (there || (record->values[role].kind == DATA_VALUE_ABSENT &&
                                 found[i].kind != DATA_VALUE_ABSENT))) {
      record->values[role] = found[i];
      set[role] = there;
    }
  }
  if (record->values[ROLE_MENTIONS].kind == DATA_VALUE_STRING ||
      (record->values[ROLE_MENTIONS].kind == DATA_VALUE_OTHER &&
       *record->values[ROLE_MENTIONS].text != '[')) {
    return malformed(work, "in_text_mention: found %s, expected an array of sentences or null",
                     data_value_what(&record->values[ROLE_MENTIONS]));
  }
  return check_texts(work, record, found);
}

static gboolean
finish(Work *work, Record *record)
{
  record->domain = data_domain_of(&record->values[ROLE_DOMAIN]);
  if (record->domain == DATA_DOMAIN_NONE) {
    record->domain = data_domain_of(&record->values[ROLE_KEY]);
  }
  if (!has_text(&record->values[ROLE_ID])) {
    return drop(work, DATA_DROPPED_NO_ID);
  }
  if (!has_text(&record->values[ROLE_CAPTION]) && work->layout->format != DATA_FORMAT_IMAGE_URLS) {
    return drop(work, DATA_DROPPED_NO_CAPTION);
  }
  put_pair(work, record);
  return TRUE;
}

/* ---- what is particular to a list --------------------------------------------------------------
 */

/* Behind "Figure 3.", "Fig 3A:" and the like. */
static gsize
label_length(const char *text, gsize n)
{
  gsize at = n > 6 && g_ascii_strncasecmp(text, "figure", 6) == 0 ? 6
             : n > 3 && g_ascii_strncasecmp(text, "fig", 3) == 0  ? 3
                                                                  : 0;
  gsize digits;

  if (at == 0) {
    return 0;
  }
  at += at < n && text[at] == '.';
  while (at < n && text[at] == ' ') {
    at++;
  }
  for (digits = at; at < n && g_ascii_isdigit(text[at]); at++) {
  }
  if (at == digits) {
    return 0;
  }
  at += at + 1 < n && g_ascii_isalpha(text[at]) && !g_ascii_isalpha(text[at + 1]);
  while (at < n && strchr(".:|- ", text[at])) {
    at++;
  }
  return at;
}

/* Its files are called PDF_HASH and FIG_URI, which together name the figure, too. */
static void
finish_medicat(Work *work, Record *record)
{
  const DataValue *hash = &record->values[ROLE_HASH], *uri = &record->values[ROLE_URI];
  DataValue *caption = &record->values[ROLE_CAPTION], license[1], oa[1];
  static const char *const oa_names[] = {"oa", NULL}, *const license_names[] = {"license", NULL};
  GString *image = work->scratch[ROLE_IMAGE], *id = work->scratch[ROLE_ID];
  const char *why, *dot;
  gsize at;

  if (has_text(hash) && has_text(uri)) {
    g_string_append_len(image, hash->text, (gssize)hash->n);
    g_string_append_c(image, '_');
    g_string_append_len(image, uri->text, (gssize)uri->n);
    dot = strrchr(image->str, '.');
    g_string_append_len(id, image->str, dot ? dot - image->str : (gssize)image->len);
    record->values[ROLE_IMAGE] = text_value(image->str, image->len);
    record->values[ROLE_ID] = text_value(id->str, id->len);
  }
  if (has_text(caption)) {
    at = label_length(caption->text, caption->n);
    caption->text += at;
    caption->n -= at;
  }
  if (record->values[ROLE_OPEN_ACCESS].kind == DATA_VALUE_OTHER &&
      data_scan(record->values[ROLE_OPEN_ACCESS].text, record->values[ROLE_OPEN_ACCESS].n, oa_names,
                oa, &why, &at) &&
      oa->kind == DATA_VALUE_OTHER &&
      data_scan(oa->text, oa->n, license_names, license, &why, &at) && has_text(license)) {
    record->values[ROLE_LICENCE] = *license;
  }
}

/* The name of a file without its folders, and with SUFFIX FALSE without ".jpg". */
static DataValue
base_name(const DataValue *path, gboolean suffix)
{
  DataValue base = *path;
  const char *slash = has_text(path) ? memrchr(path->text, '/', path->n) : NULL;
  const char *dot;

  if (slash) {
    base.text = slash + 1;
    base.n = path->n - (gsize)(slash + 1 - path->text);
  }
  dot = has_text(&base) && !suffix ? memrchr(base.text, '.', base.n) : NULL;
  if (dot && dot > base.text) {
    base.n = (gsize)(dot - base.text);
  }
  return base;
}

static void
work_article(Work *work, const Record *article)
{
  DataValue figure;
  gsize at = 0;

  if (article->values[ROLE_FIGURES].kind != DATA_VALUE_OTHER ||
      *article->values[ROLE_FIGURES].text != '[') {
    malformed(work, "figures: found %s, expected an array",
              data_value_what(&article->values[ROLE_FIGURES]));
    return;
  }
  while (data_array_next(&article->values[ROLE_FIGURES], &at, &figure)) {
    Record record = *article;

    record.values[ROLE_ID] = (DataValue){DATA_VALUE_ABSENT, FALSE, NULL, 0};
    if (figure.kind != DATA_VALUE_OTHER || *figure.text != '{') {
      malformed(work, "figures: found %s, expected objects", data_value_what(&figure));
    } else if (read_members(work, &record, figure.text, figure.n)) {
      record.values[ROLE_IMAGE_FILE] = base_name(&record.values[ROLE_IMAGE_FILE], TRUE);
      finish(work, &record);
    }
  }
}

static void
work_object(Work *work, const char *line, gsize n)
{
  Record record = {.domain = DATA_DOMAIN_NONE};

  if (!read_members(work, &record, line, n)) {
    return;
  }
  switch (work->layout->format) {
  case DATA_FORMAT_PMC15M:
    work_article(work, &record);
    return;
  case DATA_FORMAT_MEDICAT:
    finish_medicat(work, &record);
    break;
  case DATA_FORMAT_IMAGEFOLDER:
    if (!has_text(&record.values[ROLE_ID])) {
      record.values[ROLE_ID] = base_name(&record.values[ROLE_IMAGE], FALSE);
    }
    break;
  default:
    break;
  }
  finish(work, &record);
}

/* ---- tables ------------------------------------------------------------------------------------
 */

/* The next field from *AT on, quotes resolved in tables with commas (RFC 4180, a row a line). FALSE
 * behind the last. */
static gboolean
next_field(const Work *work, const char *line, gsize n, gsize *at, GString *field)
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
set_field(Work *work, Record *record, Role role, const char *field, gsize n)
{
  GString *text = work->scratch[role];

  store_json_append(text, field, n);
  record->values[role] = text_value(text->str + 1, text->len - 2);
}

/* A file of ROCO's says which article it is of; a row of CC3M is called by its address. */
static void
finish_row(Work *work, Record *record)
{
  const DataValue *file = &record->values[ROLE_IMAGE_FILE], *url = &record->values[ROLE_IMAGE_URL];

  file = has_text(file) ? file : &record->values[ROLE_IMAGE];
  if (has_text(file) && g_str_has_prefix(file->text, "PMC")) {
    record->values[ROLE_PMCID] = text_value(file->text + 3, strspn(file->text + 3, "0123456789"));
  }
  if (!has_text(&record->values[ROLE_ID]) && has_text(url)) {
    g_autofree char *sum =
        g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)url->text, url->n);
    set_field(work, record, ROLE_ID, sum, 16);
  }
  finish(work, record);
}

static gboolean
is_header(const Work *work, const char *line, gsize n)
{
  const char *header = work->layout->header;

  return header && n == strlen(header) && memcmp(line, header, n) == 0;
}

static void
work_row(Work *work, const char *line, gsize n)
{
  static const Role roles[DATA_N_COLUMNS] = {ROLE_ID, ROLE_CAPTION, ROLE_IMAGE, ROLE_IMAGE_FILE,
                                             ROLE_IMAGE_URL};
  g_autoptr(GString) field = g_string_new(NULL);
  Record record = {.domain = DATA_DOMAIN_NONE};
  const gint *columns = work->layout->columns;
  gint most = -1, column = 0;

  n -= n > 0 && line[n - 1] == '\r';
  if (is_header(work, line, n)) {
    return;
  }
  if (!g_utf8_validate_len(line, n, NULL)) {
    malformed(work, "bytes that are no UTF-8");
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
    malformed(work, "found %d columns, expected %d or more", column, most + 1);
    return;
  }
  finish_row(work, &record);
}

/* ---- lines -------------------------------------------------------------------------------------
 */

static gboolean
is_blank(const char *line, gsize n)
{
  while (n > 0 && g_ascii_isspace(line[n - 1])) {
    n--;
  }
  return n == 0;
}

static void
work_line(Work *work, const char *line, gsize n)
{
  if (work->line == 0 && n >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
    line += 3;
    n -= 3;
  }
  if (is_blank(line, n)) {
    return;
  }
  if (n > DATA_MOST_LINE_BYTES) {
    malformed(work, "over %u MiB, more than any pair has", DATA_MOST_LINE_BYTES >> 20);
    return;
  }
  for (guint i = 0; i < N_TEXTS; i++) {
    g_string_truncate(work->scratch[i], 0);
  }
  if (work->layout->separator) {
    work_row(work, line, n);
  } else {
    work_object(work, line, n);
  }
}

void
data_list_pairs(const DataLayout *layout, const char *bytes, gsize n, GByteArray *out,
                DataCounts *counts, GArray *problems)
{
  Work work = {.layout = layout, .out = out, .counts = counts, .problems = problems};
  const char *end = bytes + n;

  for (guint i = 0; i < N_TEXTS; i++) {
    work.scratch[i] = g_string_new(NULL);
  }
  for (guint i = 0; i < N_MEMBERS; i++) {
    work.names[i] = members[i].name;
  }
  while (bytes < end) {
    const char *stop = memchr(bytes, '\n', (gsize)(end - bytes));
    const gsize length = (gsize)((stop ? stop : end) - bytes);

    work_line(&work, bytes, length);
    work.line++;
    bytes += length + (stop != NULL);
  }
  counts->lines += work.line;
  for (guint i = 0; i < N_TEXTS; i++) {
    g_string_free(work.scratch[i], TRUE);
  }
}
