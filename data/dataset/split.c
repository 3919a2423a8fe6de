/* split.c - records to the parts of a split, by chance, groups whole. */
#include "dataset.h"

#include <string.h>

#include "dataset/chance.h"
#include "dataset/problem.h"
#include "dataset/scan.h"

enum { PAIR_ID, ID, QUESTION_ID, IMAGE, FILE_NAME, PMID, OWN, N_MEMBERS };
enum { FOR_PART = 11, FOR_SHARD };

typedef struct {
  const DataSplit *split;
  const char *names[N_MEMBERS + 1];
  GByteArray *out;
  DataCounts *counts;
  GArray *problems;
  guint64 line;
} Work;

/* "11_F1" and "PMC22_F1" are of articles 11 and PMC22. */
static gsize
article_length(const DataValue *id)
{
  const gsize letters = id->n > 3 && memcmp(id->text, "PMC", 3) == 0 ? 3 : 0;
  gsize at = letters;

  while (at < id->n && g_ascii_isdigit(id->text[at])) {
    at++;
  }
  return at > letters && at < id->n && id->text[at] == '_' ? at : 0;
}

/* What identifies a value, numbers as they are written. FALSE: it is not there. */
static gboolean
is_key(const DataValue *value)
{
  return (value->kind == DATA_VALUE_STRING || value->kind == DATA_VALUE_OTHER) && value->n > 0;
}

/* The group that a record belongs to. FALSE: it has none. */
static gboolean
find_group(const Work *work, const DataValue *v, DataValue *group)
{
  const char *by = work->split->group;
  const DataValue *id = is_key(&v[PAIR_ID]) ? &v[PAIR_ID]
                        : is_key(&v[ID])    ? &v[ID]
                                            : &v[QUESTION_ID];
  const DataValue *image = is_key(&v[IMAGE]) ? &v[IMAGE] : &v[FILE_NAME];
  const gsize article = id->kind == DATA_VALUE_STRING ? article_length(id) : 0;
  const gboolean any = !by;

  if (by && strcmp(by, "article") != 0 && strcmp(by, "image") != 0 && strcmp(by, "id") != 0) {
    *group = v[OWN];
    return is_key(group);
  }
  if (any || strcmp(by, "article") == 0) {
    *group = *id;
    group->n = article;
    if (article > 0) {
      return TRUE;
    }
    *group = v[PMID];
    if (is_key(group)) {
      return TRUE;
    }
  }
  if (any || strcmp(by, "image") == 0) {
    *group = *image;
    if (is_key(group)) {
      return TRUE;
    }
  }
  *group = *id;
  return (any || strcmp(by, "id") == 0) && is_key(group);
}

static void
work_line(Work *work, const char *line, gsize n)
{
  const DataSplit *split = work->split;
  DataValue v[N_MEMBERS], group;
  const char *why;
  gsize at;
  guint32 head[2] = {0, (guint32)n};
  double chance, sum = 0;

  if (n > DATA_MOST_LINE_BYTES || !data_scan(line, n, work->names, v, &why, &at)) {
    work->counts->dropped[DATA_DROPPED_MALFORMED]++;
    data_problem_add(work->problems, work->line, "%s",
                     n > DATA_MOST_LINE_BYTES ? "longer than any record" : why);
    return;
  }
  if (!find_group(work, v, &group)) {
    work->counts->dropped[DATA_DROPPED_NO_ID]++;
    return;
  }
  chance = (double)(data_chance_for(data_chance_text(split->seed, group.text, group.n), FOR_PART) >>
                    11) *
           0x1p-53;
  for (sum = split->shares[0]; head[0] + 1 < split->n_parts && chance >= sum;) {
    sum += split->shares[++head[0]];
  }
  work->counts->written++;
  /* A set's shards are for reading side by side: any record goes to any. */
  head[0] = head[0] * split->n_shards +
            (guint32)(data_chance_for(data_chance_text(split->seed, line, n), FOR_SHARD) %
                      split->n_shards);
  g_byte_array_append(work->out, (const guint8 *)head, sizeof head);
  g_byte_array_append(work->out, (const guint8 *)line, (guint)n);
}

void
data_split_lines(const DataSplit *split, const char *bytes, gsize n, GByteArray *out,
                 DataCounts *counts, GArray *problems)
{
  Work work = {split,
               {"pair_id", "id", "question_id", "image", "file_name", "pmid",
                split->group ? split->group : "@none", NULL},
               out,
               counts,
               problems,
               0};
  const char *end = bytes + n;

  while (bytes < end) {
    const char *stop = memchr(bytes, '\n', (gsize)(end - bytes));
    const gsize length = (gsize)((stop ? stop : end) - bytes);
    gsize text = length;

    while (text > 0 && g_ascii_isspace(bytes[text - 1])) {
      text--;
    }
    if (text > 0) {
      work_line(&work, bytes, text);
    }
    work.line++;
    bytes += length + (stop != NULL);
  }
  counts->lines += work.line;
}
