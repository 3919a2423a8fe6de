/* align.c - pairs to concept alignment data (LLaVA-Med, arXiv 2306.00890, 3.1). */
#include "dataset.h"

#include <string.h>

#include "dataset/chance.h"
#include "dataset/domain.h"
#include "dataset/problem.h"
#include "dataset/scan.h"

enum { PAIR_ID, ID, FIG_CAPTION, CAPTION, IMAGE, DOMAIN, MODALITY, N_MEMBERS };
static const char *const members[] = {"pair_id", "id",     "fig_caption", "caption",
                                      "image",   "domain", "modality",    NULL};

/* ---- chance ------------------------------------------------------------------------------------
 */

/* The pair's own number: of the seed and the pair_id as the line spells it. */
static guint64
pair_number(guint64 seed, const DataValue *id)
{
  return data_chance_text(seed, id->text, id->n);
}

/* Numbers of one pair for different ends. */
enum { FOR_INSTRUCTION = 1, FOR_PLACE, FOR_SAMPLE };
static guint64
number_for(guint64 pair, guint end)
{
  return data_chance_for(pair, end);
}

/* ---- one pair ----------------------------------------------------------------------------------
 */

typedef struct {
  const DataAlign *align;
  GByteArray *out;
  DataCounts *counts;
  GArray *problems, *tickets; /* one of the two, and with the latter no OUT */
  GString *scratch;
  guint64 line;
} Work;

typedef struct {
  DataValue id, caption, image, domain;
  DataDomain in;
  const char *instruction;
  gboolean brief;
  guint64 number;
} Pair;

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

/* The first of two members that is there; it must be a string or null. */
static gboolean
choose_text(Work *work, const DataValue *values, guint first, guint second, DataValue *chosen)
{
  const guint which =
      values[first].kind == DATA_VALUE_STRING || values[first].kind == DATA_VALUE_OTHER ? first
                                                                                        : second;

  *chosen = values[which];
  if (chosen->kind == DATA_VALUE_OTHER) {
    return malformed(work, "%s: found %s, expected a string", members[which],
                     data_value_what(chosen));
  }
  return TRUE;
}

/* The name of the picture, "<pair_id>.jpg" if the pair does not say, decoded into the scratch. */
static gboolean
has_image(Work *work, const Pair *pair)
{
  if (!work->align->has_image) {
    return TRUE;
  }
  g_string_truncate(work->scratch, 0);
  if (pair->image.kind == DATA_VALUE_STRING) {
    data_value_decode(&pair->image, work->scratch);
  } else {
    data_value_decode(&pair->id, work->scratch);
    g_string_append(work->scratch, ".jpg");
  }
  return work->align->has_image(work->scratch->str, work->align->user);
}

static gboolean
read_pair(Work *work, const char *line, gsize n, Pair *pair)
{
  DataValue values[N_MEMBERS];
  const char *why;
  gsize at;

  if (n > DATA_MOST_LINE_BYTES) {
    return malformed(work, "%" G_GSIZE_FORMAT " bytes, more than any pair has", n);
  }
  if (!data_scan(line, n, members, values, &why, &at)) {
    return malformed(work, "%s, at byte %" G_GSIZE_FORMAT, why, at + 1);
  }
  if (!choose_text(work, values, PAIR_ID, ID, &pair->id) ||
      !choose_text(work, values, FIG_CAPTION, CAPTION, &pair->caption) ||
      !choose_text(work, values, IMAGE, IMAGE, &pair->image)) {
    return FALSE;
  }
  if (pair->id.kind != DATA_VALUE_STRING || pair->id.n == 0) {
    return drop(work, DATA_DROPPED_NO_ID);
  }
  if (pair->caption.kind != DATA_VALUE_STRING) {
    return drop(work, DATA_DROPPED_NO_CAPTION);
  }
  pair->domain = values[DOMAIN].kind == DATA_VALUE_ABSENT ? values[MODALITY] : values[DOMAIN];
  pair->in = data_domain_of(&pair->domain);
  pair->number = pair_number(work->align->seed, &pair->id);
  g_string_truncate(work->scratch, 0);
  data_value_decode(&pair->caption, work->scratch);
  pair->instruction = work->align->instruction(work->scratch->str, work->scratch->len,
                                               number_for(pair->number, FOR_INSTRUCTION),
                                               &pair->brief, work->align->user);
  if (!pair->instruction) {
    return drop(work, DATA_DROPPED_NO_CAPTION);
  }
  return has_image(work, pair) || drop(work, DATA_DROPPED_NO_IMAGE);
}

static gboolean
is_sampled(const DataSample *sample, const Pair *pair)
{
  const DataDomain domain = sample->domains ? pair->in : DATA_DOMAIN_NONE;

  return number_for(pair->number, FOR_SAMPLE) < sample->limits[domain];
}

/* ---- one conversation --------------------------------------------------------------------------
 */

static void
put(GByteArray *out, const char *text, gsize n)
{
  g_byte_array_append(out, (const guint8 *)text, (guint)n);
}

static void
put_text(GByteArray *out, const char *text)
{
  put(out, text, strlen(text));
}

static void
put_domain(GByteArray *out, DataDomain domain)
{
  put_text(out, ", \"domain\": {");
  for (guint i = 0; i < DATA_DOMAIN_NONE; i++) {
    put_text(out, i ? ", \"" : "\"");
    put_text(out, data_domain_name((DataDomain)i));
    put_text(out, domain == i ? "\": true" : "\": false");
  }
  put_text(out, "}");
}

/* Strings go as the line spells them: whatever they say, they say it again. Instructions need no
 * escapes. */
static void
write_conversation(Work *work, const Pair *pair)
{
  GByteArray *out = work->out;
  const gboolean first = number_for(pair->number, FOR_PLACE) & 1;

  put_text(out, work->align->array ? ",\n{\"id\": \"" : "{\"id\": \"");
  put(out, pair->id.text, pair->id.n);
  put_text(out, "\", \"image\": \"");
  if (pair->image.kind == DATA_VALUE_STRING) {
    put(out, pair->image.text, pair->image.n);
  } else {
    put(out, pair->id.text, pair->id.n);
    put_text(out, ".jpg");
  }
  put_text(out, "\"");
  if (pair->in != DATA_DOMAIN_NONE) {
    put_domain(out, pair->in);
  }
  put_text(out, ", \"conversations\": [{\"from\": \"human\", \"value\": \"");
  put_text(out, first ? "<image>\\n" : "");
  put_text(out, pair->instruction);
  put_text(out, first ? "" : "\\n<image>");
  put_text(out, "\"}, {\"from\": \"gpt\", \"value\": \"");
  put(out, pair->caption.text, pair->caption.n);
  put_text(out, work->align->array ? "\"}]}" : "\"}]}\n");
}

static void
work_line(Work *work, const char *line, gsize n)
{
  DataCounts *counts = work->counts;
  Pair pair;

  if (!read_pair(work, line, n, &pair)) {
    return;
  }
  if (work->tickets) {
    const DataTicket ticket = {number_for(pair.number, FOR_SAMPLE), pair.in};
    g_array_append_val(work->tickets, ticket);
    return;
  }
  if (work->align->sample && !is_sampled(work->align->sample, &pair)) {
    drop(work, DATA_DROPPED_NOT_SAMPLED);
    return;
  }
  write_conversation(work, &pair);
  counts->written++;
  counts->domains[pair.in]++;
  *(pair.brief ? &counts->brief : &counts->detailed) += 1;
}

static gboolean
is_blank(const char *line, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    if (!g_ascii_isspace(line[i])) {
      return FALSE;
    }
  }
  return TRUE;
}

static void
work_lines(Work *work, const char *bytes, gsize n)
{
  const char *end = bytes + n;

  while (bytes < end) {
    const char *stop = memchr(bytes, '\n', (gsize)(end - bytes));
    const gsize length = (gsize)((stop ? stop : end) - bytes);

    if (!is_blank(bytes, length)) {
      work_line(work, bytes, length);
    }
    work->line++;
    bytes += length + (stop != NULL);
  }
  work->counts->lines += work->line;
}

void
data_align(const DataAlign *align, const char *bytes, gsize n, GByteArray *out, DataCounts *counts,
           GArray *problems)
{
  g_autoptr(GString) scratch = g_string_new(NULL);
  Work work = {
      .align = align, .out = out, .counts = counts, .problems = problems, .scratch = scratch};

  work_lines(&work, bytes, n);
}

void
data_align_tickets(const DataAlign *align, const char *bytes, gsize n, GArray *tickets)
{
  g_autoptr(GString) scratch = g_string_new(NULL);
  DataCounts counts = {0};
  Work work = {.align = align, .counts = &counts, .tickets = tickets, .scratch = scratch};

  work_lines(&work, bytes, n);
}
