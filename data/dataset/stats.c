/* stats.c - what is in a set: kinds, lengths, what is asked. */
#include "dataset.h"

#include <string.h>

#include "dataset/domain.h"
#include "dataset/problem.h"
#include "dataset/scan.h"
#include "dataset/verbs.h"

DataStats *
data_stats_new(void)
{
  DataStats *stats = g_new0(DataStats, 1);

  stats->pairs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  return stats;
}

void
data_stats_free(DataStats *stats)
{
  if (stats) {
    g_hash_table_unref(stats->pairs);
    g_free(stats);
  }
}

void
data_share_clear(gpointer data)
{
  DataShare *share = data;

  g_clear_pointer(&share->name, g_free);
  g_clear_pointer(&share->parts, g_array_unref);
}

static void
count_pair(GHashTable *pairs, const char *key, gsize n)
{
  const gsize before = GPOINTER_TO_SIZE(g_hash_table_lookup(pairs, key));

  g_hash_table_replace(pairs, g_strdup(key), GSIZE_TO_POINTER(before + n));
}

static void
add_lengths(DataLengths *to, const DataLengths *more)
{
  to->texts += more->texts;
  to->words += more->words;
  for (guint i = 0; i <= DATA_MOST_WORDS; i++) {
    to->lengths[i] += more->lengths[i];
  }
}

void
data_stats_add(DataStats *stats, const DataStats *more)
{
  GHashTableIter iter;
  gpointer key, value;

  stats->records += more->records;
  stats->questions += more->questions;
  stats->with_image += more->with_image;
  for (guint i = 0; i < DATA_N_DOMAINS; i++) {
    stats->domains[i] += more->domains[i];
    stats->domain_questions[i] += more->domain_questions[i];
  }
  for (guint i = 0; i <= DATA_MOST_TURNS; i++) {
    stats->turns[i] += more->turns[i];
  }
  add_lengths(&stats->asked, &more->asked);
  add_lengths(&stats->answered, &more->answered);
  g_hash_table_iter_init(&iter, more->pairs);
  while (g_hash_table_iter_next(&iter, &key, &value)) {
    count_pair(stats->pairs, key, GPOINTER_TO_SIZE(value));
  }
}

guint
data_lengths_quantile(const DataLengths *lengths, double share)
{
  guint64 sum = 0;

  for (guint i = 0; i <= DATA_MOST_WORDS; i++) {
    sum += lengths->lengths[i];
    if (sum > 0 && (double)sum >= share * (double)lengths->texts) {
      return i;
    }
  }
  return 0;
}

/* ---- counting ----------------------------------------------------------------------------------
 */

enum { IMAGE, FILE_NAME, DOMAIN, KEY, CONVERSATIONS, CONVERSATONS, CAPTION, FIG_CAPTION, TEXT, N };
static const char *const members[] = {
    "image",        "file_name", "domain",      "@key", "conversations",
    "conversatons", "caption",   "fig_caption", "text", NULL};

typedef struct {
  DataStats *stats;
  DataCounts *counts;
  GArray *problems;
  guint64 line;
  GString *scratch;
} Work;

static void
malformed(Work *work, const char *what)
{
  work->counts->dropped[DATA_DROPPED_MALFORMED]++;
  data_problem_add(work->problems, work->line, "%s", what);
}

/* Words are what stands between blanks. */
static void
count_words(DataLengths *lengths, const char *text)
{
  guint n = 0;

  for (gboolean within = FALSE; *text; text++) {
    const gboolean blank = g_ascii_isspace(*text);
    n += !blank && !within;
    within = !blank;
  }
  lengths->texts++;
  lengths->words += n;
  lengths->lengths[MIN(n, DATA_MOST_WORDS)]++;
}

static void
hear_question(Work *work, const DataValue *value)
{
  char verb[32], noun[32], key[72];
  char *mark;

  g_string_truncate(work->scratch, 0);
  data_value_decode(value, work->scratch);
  while ((mark = strstr(work->scratch->str, "<image>"))) {
    g_string_erase(work->scratch, mark - work->scratch->str, 7);
  }
  count_words(&work->stats->asked, work->scratch->str);
  data_verb_noun(work->scratch->str, verb, noun);
  if (*verb) {
    g_snprintf(key, sizeof key, "%s %s", verb, noun);
    count_pair(work->stats->pairs, key, 1);
  }
}

static void
hear_answer(Work *work, const DataValue *value)
{
  g_string_truncate(work->scratch, 0);
  data_value_decode(value, work->scratch);
  count_words(&work->stats->answered, work->scratch->str);
}

/* The number of questions; -1: they are no turns. */
static gint
hear_turns(Work *work, const DataValue *turns)
{
  static const char *const names[] = {"from", "value", NULL};
  DataValue turn, parts[2];
  const char *why;
  gsize at = 0, where;
  gint n = 0;

  if (turns->kind != DATA_VALUE_OTHER || *turns->text != '[') {
    return -1;
  }
  while (data_array_next(turns, &at, &turn)) {
    if (turn.kind != DATA_VALUE_OTHER ||
        !data_scan(turn.text, turn.n, names, parts, &why, &where) ||
        parts[0].kind != DATA_VALUE_STRING || parts[1].kind != DATA_VALUE_STRING) {
      return -1;
    }
    if (data_value_is(&parts[0], "human")) {
      hear_question(work, &parts[1]);
      n++;
    } else {
      hear_answer(work, &parts[1]);
    }
  }
  return n;
}

static void
work_line(Work *work, const char *line, gsize n)
{
  DataValue v[N];
  DataStats *stats = work->stats;
  const char *why;
  DataDomain domain;
  gsize at;
  gint questions = 0;
  guint caption = FIG_CAPTION;

  if (n > DATA_MOST_LINE_BYTES || !data_scan(line, n, members, v, &why, &at)) {
    malformed(work, n > DATA_MOST_LINE_BYTES ? "longer than any record" : why);
    return;
  }
  if (v[CONVERSATIONS].kind != DATA_VALUE_ABSENT || v[CONVERSATONS].kind != DATA_VALUE_ABSENT) {
    questions = hear_turns(
        work, &v[v[CONVERSATIONS].kind != DATA_VALUE_ABSENT ? CONVERSATIONS : CONVERSATONS]);
    if (questions < 0) {
      malformed(work, "conversations: expected an array of objects with the texts from and value");
      return;
    }
  } else {
    caption = v[FIG_CAPTION].kind == DATA_VALUE_STRING ? FIG_CAPTION
              : v[CAPTION].kind == DATA_VALUE_STRING   ? CAPTION
                                                       : TEXT;
    if (v[caption].kind == DATA_VALUE_STRING) {
      hear_answer(work, &v[caption]);
    }
  }
  domain = data_domain_of(v[DOMAIN].kind == DATA_VALUE_ABSENT ? &v[KEY] : &v[DOMAIN]);
  stats->records++;
  stats->questions += (guint64)questions;
  stats->with_image += v[IMAGE].kind == DATA_VALUE_STRING || v[FILE_NAME].kind == DATA_VALUE_STRING;
  stats->domains[domain]++;
  stats->domain_questions[domain] += (guint64)questions;
  stats->turns[MIN((guint)questions, DATA_MOST_TURNS)]++;
}

void
data_stats_lines(DataStats *stats, const DataLayout *layout, const char *bytes, gsize n,
                 DataCounts *counts, GArray *problems)
{
  const gboolean list = layout->format != DATA_FORMAT_LLAVA &&
                        layout->format != DATA_FORMAT_IMAGEFOLDER &&
                        (layout->format != DATA_FORMAT_PAIRS || layout->container);
  g_autoptr(GByteArray) pairs = list ? g_byte_array_new() : NULL;
  g_autoptr(GString) scratch = g_string_new(NULL);
  Work work = {stats, counts, list ? NULL : problems, 0, scratch};
  const char *end;

  if (list) {
    data_list_pairs(layout, bytes, n, pairs, counts, problems);
    bytes = (const char *)pairs->data;
    n = pairs->len;
  }
  for (end = bytes + n; bytes < end; work.line++) {
    const char *stop = memchr(bytes, '\n', (gsize)(end - bytes));
    const gsize length = (gsize)((stop ? stop : end) - bytes);
    gsize text = length;

    while (text > 0 && g_ascii_isspace(bytes[text - 1])) {
      text--;
    }
    if (text > 0) {
      work_line(&work, bytes, text);
    }
    bytes += length + (stop != NULL);
  }
  counts->lines += list ? 0 : work.line;
}

/* ---- verbs and nouns ---------------------------------------------------------------------------
 */

static int
compare_shares(gconstpointer a, gconstpointer b)
{
  const DataShare *one = a, *other = b;

  return one->count != other->count ? (one->count < other->count ? 1 : -1)
                                    : strcmp(one->name, other->name);
}

static void
keep_most(GArray *shares, guint most)
{
  g_array_sort(shares, compare_shares);
  if (shares->len > most) {
    g_array_set_size(shares, most);
  }
}

static GArray *
shares_new(void)
{
  GArray *shares = g_array_new(FALSE, FALSE, sizeof(DataShare));

  g_array_set_clear_func(shares, data_share_clear);
  return shares;
}

static DataShare *
share_named(GArray *shares, GHashTable *where, const char *name)
{
  gpointer at = g_hash_table_lookup(where, name);
  DataShare share = {NULL, 0, NULL};

  if (!at) {
    share.name = g_strdup(name);
    g_array_append_val(shares, share);
    at = GUINT_TO_POINTER(shares->len);
    g_hash_table_insert(where, g_strdup(name), at);
  }
  return &g_array_index(shares, DataShare, GPOINTER_TO_UINT(at) - 1);
}

GArray *
data_stats_verbs(const DataStats *stats, guint most, guint most_nouns)
{
  g_autoptr(GHashTable) where = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  GArray *verbs = shares_new();
  GHashTableIter iter;
  gpointer key, value;

  g_hash_table_iter_init(&iter, stats->pairs);
  while (g_hash_table_iter_next(&iter, &key, &value)) {
    g_auto(GStrv) parts = g_strsplit(key, " ", 2);
    DataShare *verb = share_named(verbs, where, parts[0]);
    DataShare noun = {g_strdup(parts[1]), GPOINTER_TO_SIZE(value), NULL};

    verb->count += noun.count;
    if (*noun.name) {
      verb->parts = verb->parts ? verb->parts : shares_new();
      g_array_append_val(verb->parts, noun);
    } else {
      g_free(noun.name);
    }
  }
  keep_most(verbs, most);
  for (guint i = 0; i < verbs->len; i++) {
    if (g_array_index(verbs, DataShare, i).parts) {
      keep_most(g_array_index(verbs, DataShare, i).parts, most_nouns);
    }
  }
  return verbs;
}
