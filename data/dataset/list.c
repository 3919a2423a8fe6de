/* list.c - records of the lists that people have, as lines of pairs.
 *
 * Texts travel as JSON spells them: what a list says is said again to the byte, and only a table's
 * fields are escaped anew.
 */
#include "dataset.h"

#include <string.h>

#include "dataset/domain.h"
#include "dataset/list.h"
#include "dataset/problem.h"

static const char *const text_names[DATA_N_TEXTS] = {
    "pair_id",   "fig_caption", "image",       "pmid",      "pmcid",   "fig_id",
    "fig_label", "image_file",  "pmc_tar_url", "image_url", "licence", "article_title"};

/* Of several names for one thing the first that is there counts. */
static const struct {
  const char *name;
  DataListRole role;
} members[] = {{"pair_id", DATA_ROLE_ID},
               {"id", DATA_ROLE_ID},
               {"fig_caption", DATA_ROLE_CAPTION},
               {"caption", DATA_ROLE_CAPTION},
               {"s2_caption", DATA_ROLE_CAPTION},
               {"s2orc_caption", DATA_ROLE_CAPTION},
               {"text", DATA_ROLE_CAPTION},
               {"image", DATA_ROLE_IMAGE},
               {"file_name", DATA_ROLE_IMAGE},
               {"pmid", DATA_ROLE_PMID},
               {"pmcid", DATA_ROLE_PMCID},
               {"pmc", DATA_ROLE_PMCID},
               {"fig_id", DATA_ROLE_FIG_ID},
               {"fig_label", DATA_ROLE_FIG_LABEL},
               {"fig_key", DATA_ROLE_FIG_LABEL},
               {"image_file", DATA_ROLE_IMAGE_FILE},
               {"image_file_path", DATA_ROLE_IMAGE_FILE},
               {"graphic_ref", DATA_ROLE_IMAGE_FILE},
               {"pmc_tar_url", DATA_ROLE_TAR_URL},
               {"image_url", DATA_ROLE_IMAGE_URL},
               {"url", DATA_ROLE_IMAGE_URL},
               {"licence", DATA_ROLE_LICENCE},
               {"license", DATA_ROLE_LICENCE},
               {"article_title", DATA_ROLE_TITLE},
               {"domain", DATA_ROLE_DOMAIN},
               {"modality", DATA_ROLE_DOMAIN},
               {"@key", DATA_ROLE_KEY},
               {"in_text_mention", DATA_ROLE_MENTIONS},
               {"s2orc_references", DATA_ROLE_MENTIONS},
               {"inline_references", DATA_ROLE_MENTIONS},
               {"figures", DATA_ROLE_FIGURES},
               {"pdf_hash", DATA_ROLE_HASH},
               {"fig_uri", DATA_ROLE_URI},
               {"oa_info", DATA_ROLE_OPEN_ACCESS}};
#define N_MEMBERS G_N_ELEMENTS(members)

static gboolean
drop(DataListWork *work, DataDropped reason)
{
  work->counts->dropped[reason]++;
  return FALSE;
}

gboolean
data_list_malformed(DataListWork *work, const char *format, ...)
{
  va_list arguments;

  va_start(arguments, format);
  data_problem_add_va(work->problems, work->line, format, arguments);
  va_end(arguments);
  return drop(work, DATA_DROPPED_MALFORMED);
}

DataValue
data_list_text_value(const char *text, gsize n)
{
  return (DataValue){DATA_VALUE_STRING, TRUE, text, n};
}

gboolean
data_list_has_text(const DataValue *value)
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
put(DataListWork *work, const char *text, gsize n)
{
  g_byte_array_append(work->out, (const guint8 *)text, (guint)n);
}

static void
put_text(DataListWork *work, const char *text)
{
  put(work, text, strlen(text));
}

static void
put_name(DataListWork *work, const char *name, gboolean first)
{
  put_text(work, first ? "{\"" : ", \"");
  put_text(work, name);
  put_text(work, "\": ");
}

static void
put_string(DataListWork *work, const DataValue *value)
{
  put(work, "\"", 1);
  put(work, value->text, value->n);
  put(work, "\"", 1);
}

/* A sentence: a string, {"text": "..."}, or {"tokens": ["...", ...]}. FALSE: it says nothing. */
static gboolean
put_mention(DataListWork *work, const DataValue *mention, gboolean first)
{
  static const char *const names[] = {"text", "tokens", NULL};
  DataValue values[2], token;
  const char *why;
  gsize at, token_at = 0;
  gboolean begun = FALSE;

  if (mention->kind == DATA_VALUE_STRING || mention->kind == DATA_VALUE_NULL) {
    if (data_list_has_text(mention)) {
      put_text(work, first ? "" : ", ");
      put_string(work, mention);
    }
    return data_list_has_text(mention);
  }
  if (*mention->text != '{' || !data_scan(mention->text, mention->n, names, values, &why, &at)) {
    return FALSE;
  }
  if (data_list_has_text(&values[0])) {
    put_text(work, first ? "" : ", ");
    put_string(work, &values[0]);
    return TRUE;
  }
  while (data_array_next(&values[1], &token_at, &token)) {
    if (data_list_has_text(&token)) {
      put_text(work, begun ? " " : first ? "\"" : ", \"");
      put(work, token.text, token.n);
      begun = TRUE;
    }
  }
  put_text(work, begun ? "\"" : "");
  return begun;
}

static void
put_mentions(DataListWork *work, const DataValue *mentions)
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
put_pair(DataListWork *work, const DataListRecord *record)
{
  gboolean first = TRUE;

  for (guint i = 0; i < DATA_N_TEXTS; i++) {
    if (data_list_has_text(&record->values[i])) {
      put_name(work, text_names[i], first);
      put_string(work, &record->values[i]);
      first = FALSE;
    }
  }
  if (record->values[DATA_ROLE_MENTIONS].kind != DATA_VALUE_ABSENT) {
    put_mentions(work, &record->values[DATA_ROLE_MENTIONS]);
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
check_texts(DataListWork *work, DataListRecord *record, const DataValue *found)
{
  for (guint i = 0; i < N_MEMBERS; i++) {
    const DataListRole role = members[i].role;
    DataValue *value = &record->values[role];

    if (role >= DATA_N_TEXTS && role != DATA_ROLE_HASH && role != DATA_ROLE_URI) {
      continue;
    }
    if (found[i].kind == DATA_VALUE_OTHER) {
      if (role == DATA_ROLE_ID || role == DATA_ROLE_CAPTION || role == DATA_ROLE_IMAGE ||
          !is_number(&found[i])) {
        return data_list_malformed(work, "%s: found %s, expected a string", members[i].name,
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
read_members(DataListWork *work, DataListRecord *record, const char *text, gsize n)
{
  DataValue found[N_MEMBERS];
  gboolean set[DATA_N_ROLES] = {FALSE};
  const char *why;
  gsize at;

  if (!data_scan(text, n, work->names, found, &why, &at)) {
    return data_list_malformed(work, "%s, at byte %" G_GSIZE_FORMAT, why, at + 1);
  }
  for (guint i = 0; i < N_MEMBERS; i++) {
    const DataListRole role = members[i].role;
    const gboolean there = found[i].kind == DATA_VALUE_STRING || found[i].kind == DATA_VALUE_OTHER;

    if (!set[role] && (there || (record->values[role].kind == DATA_VALUE_ABSENT &&
                                 found[i].kind != DATA_VALUE_ABSENT))) {
      record->values[role] = found[i];
      set[role] = there;
    }
  }
  if (record->values[DATA_ROLE_MENTIONS].kind == DATA_VALUE_STRING ||
      (record->values[DATA_ROLE_MENTIONS].kind == DATA_VALUE_OTHER &&
       *record->values[DATA_ROLE_MENTIONS].text != '[')) {
    return data_list_malformed(work,
                               "in_text_mention: found %s, expected an array of sentences or null",
                               data_value_what(&record->values[DATA_ROLE_MENTIONS]));
  }
  return check_texts(work, record, found);
}

gboolean
data_list_finish(DataListWork *work, DataListRecord *record)
{
  record->domain = data_domain_of(&record->values[DATA_ROLE_DOMAIN]);
  if (record->domain == DATA_DOMAIN_NONE) {
    record->domain = data_domain_of(&record->values[DATA_ROLE_KEY]);
  }
  if (!data_list_has_text(&record->values[DATA_ROLE_ID])) {
    return drop(work, DATA_DROPPED_NO_ID);
  }
  if (!data_list_has_text(&record->values[DATA_ROLE_CAPTION]) &&
      work->layout->format != DATA_FORMAT_IMAGE_URLS) {
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
finish_medicat(DataListWork *work, DataListRecord *record)
{
  const DataValue *hash = &record->values[DATA_ROLE_HASH], *uri = &record->values[DATA_ROLE_URI];
  DataValue *caption = &record->values[DATA_ROLE_CAPTION], license[1], oa[1];
  static const char *const oa_names[] = {"oa", NULL}, *const license_names[] = {"license", NULL};
  GString *image = work->scratch[DATA_ROLE_IMAGE], *id = work->scratch[DATA_ROLE_ID];
  const char *why, *dot;
  gsize at;

  if (data_list_has_text(hash) && data_list_has_text(uri)) {
    g_string_append_len(image, hash->text, (gssize)hash->n);
    g_string_append_c(image, '_');
    g_string_append_len(image, uri->text, (gssize)uri->n);
    dot = strrchr(image->str, '.');
    g_string_append_len(id, image->str, dot ? dot - image->str : (gssize)image->len);
    record->values[DATA_ROLE_IMAGE] = data_list_text_value(image->str, image->len);
    record->values[DATA_ROLE_ID] = data_list_text_value(id->str, id->len);
  }
  if (data_list_has_text(caption)) {
    at = label_length(caption->text, caption->n);
    caption->text += at;
    caption->n -= at;
  }
  if (record->values[DATA_ROLE_OPEN_ACCESS].kind == DATA_VALUE_OTHER &&
      data_scan(record->values[DATA_ROLE_OPEN_ACCESS].text, record->values[DATA_ROLE_OPEN_ACCESS].n,
                oa_names, oa, &why, &at) &&
      oa->kind == DATA_VALUE_OTHER &&
      data_scan(oa->text, oa->n, license_names, license, &why, &at) &&
      data_list_has_text(license)) {
    record->values[DATA_ROLE_LICENCE] = *license;
  }
}

/* The name of a file without its folders, and with SUFFIX FALSE without ".jpg". */
static DataValue
base_name(const DataValue *path, gboolean suffix)
{
  DataValue base = *path;
  const char *slash = data_list_has_text(path) ? memrchr(path->text, '/', path->n) : NULL;
  const char *dot;

  if (slash) {
    base.text = slash + 1;
    base.n = path->n - (gsize)(slash + 1 - path->text);
  }
  dot = data_list_has_text(&base) && !suffix ? memrchr(base.text, '.', base.n) : NULL;
  if (dot && dot > base.text) {
    base.n = (gsize)(dot - base.text);
  }
  return base;
}

static void
work_article(DataListWork *work, const DataListRecord *article)
{
  DataValue figure;
  gsize at = 0;

  if (article->values[DATA_ROLE_FIGURES].kind != DATA_VALUE_OTHER ||
      *article->values[DATA_ROLE_FIGURES].text != '[') {
    data_list_malformed(work, "figures: found %s, expected an array",
                        data_value_what(&article->values[DATA_ROLE_FIGURES]));
    return;
  }
  while (data_array_next(&article->values[DATA_ROLE_FIGURES], &at, &figure)) {
    DataListRecord record = *article;

    record.values[DATA_ROLE_ID] = (DataValue){DATA_VALUE_ABSENT, FALSE, NULL, 0};
    if (figure.kind != DATA_VALUE_OTHER || *figure.text != '{') {
      data_list_malformed(work, "figures: found %s, expected objects", data_value_what(&figure));
    } else if (read_members(work, &record, figure.text, figure.n)) {
      record.values[DATA_ROLE_IMAGE_FILE] = base_name(&record.values[DATA_ROLE_IMAGE_FILE], TRUE);
      data_list_finish(work, &record);
    }
  }
}

static void
work_object(DataListWork *work, const char *line, gsize n)
{
  DataListRecord record = {.domain = DATA_DOMAIN_NONE};

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
    if (!data_list_has_text(&record.values[DATA_ROLE_ID])) {
      record.values[DATA_ROLE_ID] = base_name(&record.values[DATA_ROLE_IMAGE], FALSE);
    }
    break;
  default:
    break;
  }
  data_list_finish(work, &record);
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
work_line(DataListWork *work, const char *line, gsize n)
{
  if (work->line == 0 && n >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
    line += 3;
    n -= 3;
  }
  if (is_blank(line, n)) {
    return;
  }
  if (n > DATA_MOST_LINE_BYTES) {
    data_list_malformed(work, "over %u MiB, more than any pair has", DATA_MOST_LINE_BYTES >> 20);
    return;
  }
  for (guint i = 0; i < DATA_N_TEXTS; i++) {
    g_string_truncate(work->scratch[i], 0);
  }
  if (work->layout->separator) {
    data_list_row(work, line, n);
  } else {
    work_object(work, line, n);
  }
}

void
data_list_pairs(const DataLayout *layout, const char *bytes, gsize n, GByteArray *out,
                DataCounts *counts, GArray *problems)
{
  DataListWork work = {.layout = layout, .out = out, .counts = counts, .problems = problems};
  const char *names[N_MEMBERS + 1] = {NULL}, *end = bytes + n;

  for (guint i = 0; i < DATA_N_TEXTS; i++) {
    work.scratch[i] = g_string_new(NULL);
  }
  work.names = names;
  for (guint i = 0; i < N_MEMBERS; i++) {
    names[i] = members[i].name;
  }
  while (bytes < end) {
    const char *stop = memchr(bytes, '\n', (gsize)(end - bytes));
    const gsize length = (gsize)((stop ? stop : end) - bytes);

    work_line(&work, bytes, length);
    work.line++;
    bytes += length + (stop != NULL);
  }
  counts->lines += work.line;
  for (guint i = 0; i < DATA_N_TEXTS; i++) {
    g_string_free(work.scratch[i], TRUE);
  }
}
