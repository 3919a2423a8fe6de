/* recover-scan.c - see recover-scan.h.
 *
 * 1. Of rows with the same number the one counts whose hash is right and that follows the one
 *    before it; then one whose hash is right, committed before not; then any.
 * 2. No number that a row claims is counted up to: rows are met in the order of their numbers.
 */
#include "recover-scan.h"

#include "head.h"
#include "limits.h"
#include <sodium.h>
#include <string.h>

#define DOING "looking for rows"
#define COLUMNS 8
#define PROGRESS_PAGES 256
#define MOST_LOST 400 /* characters of the list of what is lost */
/* No row takes less of the file than this: what it says of its number is held against it. */
#define LEAST_ROW 100

static const char scratch_sql[] =
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;"
    "CREATE TABLE found (seq INTEGER NOT NULL, rank INTEGER NOT NULL, page INTEGER NOT NULL,"
    " cell INTEGER NOT NULL, previous BLOB, hash BLOB, proof INTEGER,"
    " PRIMARY KEY (seq, rank, page, cell)) WITHOUT ROWID;"
    "CREATE TABLE taken (kind INTEGER NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL,"
    " PRIMARY KEY (kind, a, b)) WITHOUT ROWID;"
    "BEGIN";

struct _StoreScan {
  StorePages *pages;
  char *name;
  sqlite3 *db;
  sqlite3_stmt *add, *take, *taken, *each;
  GByteArray *record, *scratch;
  GString *time, *kind, *body;
  guint64 done, total;
  StoreProgress progress;
  gpointer user;
};

static const char *const kinds[STORE_N_KINDS] = {"model", "image",   "conversation",
                                                 "turn",  "verdict", "check"};

const char *
store_proof_name(StoreProof proof)
{
  static const char *const names[] = {"signed", "chained", "own", "none"};

  return names[proof];
}

StoreKind
store_kind_of(const char *kind)
{
  guint i = 0;

  while (i < STORE_N_KINDS && strcmp(kinds[i], kind) != 0) {
    i++;
  }
  return (StoreKind)i;
}

void
store_found_clear(StoreFound *found)
{
  if (found->lost) {
    g_string_free(found->lost, TRUE);
    found->lost = NULL;
  }
}

/* ---- a row ----------------------------------------------------------------------------------- */

static gboolean
take_text(const StoreColumn *column, gsize least, gsize most, GString *to)
{
  if (column->type != SQLITE_TEXT || column->n < least || column->n > most ||
      !g_utf8_validate_len((const char *)column->bytes, column->n, NULL)) {
    return FALSE;
  }
  g_string_truncate(to, 0);
  g_string_append_len(to, (const char *)column->bytes, (gssize)column->n);
  return TRUE;
}

static gboolean
take_hash(const StoreColumn *column, StoreHash *hash)
{
  if (column->type != SQLITE_BLOB || column->n != sizeof hash->bytes) {
    return FALSE;
  }
  memcpy(hash->bytes, column->bytes, sizeof hash->bytes);
  return TRUE;
}

/* Row CELL of PAGE, if it looks like one of the table "event". */
static gboolean
read_row(StoreScan *scan, guint64 page, guint cell, StoreRow *row)
{
  StoreColumn columns[COLUMNS];

  memset(row, 0, sizeof *row);
  if (!store_pages_row(scan->pages, page, cell, &row->number, scan->record) || row->number < 1 ||
      store_record_columns(scan->record, columns, COLUMNS) != COLUMNS ||
      columns[0].type != SQLITE_NULL || !take_text(&columns[1], 24, 24, scan->time) ||
      !take_text(&columns[2], 1, 32 * 4, scan->kind) ||
      !take_text(&columns[4], 2, STORE_MAX_BODY, scan->body) ||
      !take_hash(&columns[6], &row->previous) || !take_hash(&columns[7], &row->hash)) {
    return FALSE;
  }
  if (columns[3].type == SQLITE_INTEGER && columns[3].number > 0 &&
      columns[5].type == SQLITE_BLOB) {
    row->subject = columns[3].number;
    row->sealed = columns[5].bytes;
    row->n_sealed = columns[5].n;
  } else if (columns[3].type != SQLITE_NULL || columns[5].type != SQLITE_NULL) {
    return FALSE;
  }
  row->time = scan->time->str;
  row->kind = scan->kind->str;
  row->body = scan->body->str;
  row->n_body = scan->body->len;
  return TRUE;
}

/* ---- all rows -------------------------------------------------------------------------------- */

static gboolean
fail_scratch(StoreScan *scan, int rc, GError **error)
{
  return store_fail_sqlite(error, scan->db, scan->name, DOING, rc);
}

static gboolean
tell_progress(StoreScan *scan, GError **error)
{
  return !scan->progress ||
         scan->progress((gint64)MIN(scan->done, scan->total), (gint64)scan->total, scan->user) ||
         store_fail(error, STORE_ERROR_CANCELLED, scan->name, DOING ": cancelled");
}

/* Member NAME, a number, of a body that Hilum wrote: no text in it holds a quote that is not
 * escaped. 0 when there is none. */
static gint64
number_in(const StoreRow *row, const char *name)
{
  const char *at = strstr(row->body, name);
  const gint64 number = at ? g_ascii_strtoll(at + strlen(name), NULL, 10) : 0;

  return number > 0 && number < G_MAXINT64 / 2 ? number : 0;
}

static gboolean
take(StoreScan *scan, int kind, gint64 a, gint64 b, GError **error)
{
  int rc;

  sqlite3_reset(scan->take);
  sqlite3_bind_int(scan->take, 1, kind);
  sqlite3_bind_int64(scan->take, 2, a);
  sqlite3_bind_int64(scan->take, 3, b);
  rc = sqlite3_step(scan->take);
  return rc == SQLITE_DONE || fail_scratch(scan, rc, error);
}

/* The first event of a log names it. */
static void
note_log_id(const StoreRow *row, StoreFound *found)
{
  const char *at = row->number == 1 ? strstr(row->body, "\"log_id\": \"") : NULL;

  if (at && strspn(at + 11, "0123456789abcdef") == 32) {
    memcpy(found->log_id, at + 11, 32);
  }
}

/* What ids a row takes whose hash is right. */
static gboolean
note_ids(StoreScan *scan, const StoreRow *row, StoreFound *found, GError **error)
{
  const StoreKind kind = store_kind_of(row->kind);
  const gint64 id = kind < STORE_N_KINDS ? number_in(row, "\"id\": ") : 0;

  if (!id) {
    return TRUE;
  }
  found->ids[kind] = MAX(found->ids[kind], id);
  return take(scan, kind, id, 0, error) &&
         (kind != STORE_KIND_TURN || take(scan, STORE_N_KINDS, number_in(row, "\"conversation\": "),
                                          number_in(row, "\"number\": "), error));
}

static gboolean
is_taken(StoreScan *scan, int kind, gint64 a, gint64 b)
{
  gboolean taken;

  sqlite3_reset(scan->taken);
  sqlite3_bind_int(scan->taken, 1, kind);
  sqlite3_bind_int64(scan->taken, 2, a);
  sqlite3_bind_int64(scan->taken, 3, b);
  taken = sqlite3_step(scan->taken) == SQLITE_ROW;
  sqlite3_reset(scan->taken);
  return taken;
}

gboolean
store_scan_has_id(StoreScan *scan, StoreKind kind, gint64 id)
{
  return is_taken(scan, kind, id, 0);
}

gboolean
store_scan_has_turn(StoreScan *scan, gint64 conversation, gint64 number)
{
  return is_taken(scan, STORE_N_KINDS, conversation, number);
}

static gboolean
add_row(StoreScan *scan, guint64 page, guint cell, const StoreRow *row, StoreFound *found,
        GError **error)
{
  const StoreHash hash = store_row_hash(row, scan->scratch);
  const gboolean good = store_hash_equal(&hash, &row->hash);
  int rc;

  if (good) {
    note_log_id(row, found);
  }
  if (good && !note_ids(scan, row, found, error)) {
    return FALSE;
  }
  sqlite3_reset(scan->add);
  sqlite3_bind_int64(scan->add, 1, row->number);
  sqlite3_bind_int(scan->add, 2, !good ? 2 : store_pages_is_committed(scan->pages, page) ? 0 : 1);
  sqlite3_bind_int64(scan->add, 3, (gint64)page);
  sqlite3_bind_int(scan->add, 4, (int)cell);
  sqlite3_bind_blob(scan->add, 5, row->previous.bytes, sizeof row->previous.bytes,
                    SQLITE_TRANSIENT);
  sqlite3_bind_blob(scan->add, 6, row->hash.bytes, sizeof row->hash.bytes, SQLITE_TRANSIENT);
  rc = sqlite3_step(scan->add);
  return rc == SQLITE_DONE || fail_scratch(scan, rc, error);
}

static gboolean
scan_pages(StoreScan *scan, StoreFound *found, GError **error)
{
  const guint64 n = store_pages_count(scan->pages);
  StoreRow row;

  scan->total = 2 * n;
  for (guint64 page = 0; page < n; page++) {
    const guint rows = store_pages_rows(scan->pages, page);
    for (guint i = 0; i < rows; i++) {
      if (read_row(scan, page, i, &row) && !add_row(scan, page, i, &row, found, error)) {
        return FALSE;
      }
    }
    scan->done = page;
    if (page % PROGRESS_PAGES == 0 && !tell_progress(scan, error)) {
      return FALSE;
    }
  }
  return TRUE;
}

/* ---- what each is worth ---------------------------------------------------------------------- */

typedef struct {
  gint64 number; /* of the row that was met last, 0: none */
  gboolean good; /* ... and its hash is right */
  StoreHash hash;
  gboolean whole; /* no row was missing or changed so far */
  StoreMerkle tree;
  guint head;
} Chain;

static void
note_lost(StoreFound *found, gint64 first, gint64 last)
{
  if (first > last || found->lost->len > MOST_LOST) {
    return;
  }
  if (found->lost->len > 0) {
    g_string_append(found->lost, ", ");
  }
  g_string_append_printf(found->lost, "%" G_GINT64_FORMAT, first);
  if (last > first) {
    g_string_append_printf(found->lost, "-%" G_GINT64_FORMAT, last);
  }
  if (found->lost->len > MOST_LOST) {
    g_string_append(found->lost, " ...");
  }
}

/* A root that was signed over as many rows as are whole. */
static void
check_heads(Chain *chain, GPtrArray *heads, StoreFound *found)
{
  for (; chain->head < heads->len; chain->head++) {
    const StoreHead *head = heads->pdata[chain->head];
    StoreHash root;

    if (head->checkpoint.size > chain->tree.size) {
      return;
    }
    root = store_merkle_root(&chain->tree);
    if (head->checkpoint.size == chain->tree.size &&
        store_hash_equal(&root, &head->checkpoint.root)) {
      found->proved = (gint64)chain->tree.size;
      sodium_bin2hex(found->root, sizeof found->root, root.bytes, sizeof root.bytes);
    }
  }
}

static StoreProof
judge(Chain *chain, gint64 number, gboolean good, const StoreHash *previous, const StoreHash *hash,
      GPtrArray *heads, StoreFound *found)
{
  const gboolean follows =
      number == chain->number + 1 && chain->good && store_hash_equal(previous, &chain->hash);

  note_lost(found, chain->number + 1, number - 1);
  chain->whole = chain->whole && good && follows;
  chain->number = number;
  chain->good = good;
  chain->hash = *hash;
  if (chain->whole) {
    const StoreHash leaf = store_hash_leaf(hash->bytes, sizeof hash->bytes);
    store_merkle_add(&chain->tree, &leaf);
    check_heads(chain, heads, found);
  }
  return !good ? STORE_PROOF_NONE : follows ? STORE_PROOF_CHAINED : STORE_PROOF_OWN;
}

/* One of the rows with a number. */
typedef struct {
  gint64 number, page; /* 0: none */
  int cell, rank;
  gboolean follows; /* the row before it */
  StoreHash previous, hash;
} Choice;

static gboolean
take_choice(StoreScan *scan, sqlite3_stmt *set, Choice *choice, Chain *chain, GPtrArray *heads,
            StoreFound *found, GError **error)
{
  StoreProof proof;
  int rc;

  if (!choice->number) {
    return TRUE;
  }
  proof = judge(chain, choice->number, choice->rank < 2, &choice->previous, &choice->hash, heads,
                found);
  found->rows++;
  found->changed += proof == STORE_PROOF_NONE;
  sqlite3_reset(set);
  sqlite3_bind_int(set, 1, proof);
  sqlite3_bind_int64(set, 2, choice->number);
  sqlite3_bind_int(set, 3, choice->rank);
  sqlite3_bind_int64(set, 4, choice->page);
  sqlite3_bind_int(set, 5, choice->cell);
  rc = sqlite3_step(set);
  choice->number = 0;
  return rc == SQLITE_DONE || fail_scratch(scan, rc, error);
}

static gboolean
column_hash(sqlite3_stmt *statement, int index, StoreHash *hash)
{
  const void *bytes = sqlite3_column_blob(statement, index);

  if (!bytes || sqlite3_column_bytes(statement, index) != (int)sizeof hash->bytes) {
    return FALSE;
  }
  memcpy(hash->bytes, bytes, sizeof hash->bytes);
  return TRUE;
}

static gboolean
choose_rows(StoreScan *scan, sqlite3_stmt *all, sqlite3_stmt *set, GPtrArray *heads, gint64 most,
            StoreFound *found, GError **error)
{
  Chain chain = {.good = TRUE, .whole = TRUE};
  Choice choice = {0};
  int rc;

  while ((rc = sqlite3_step(all)) == SQLITE_ROW) {
    Choice next = {.number = sqlite3_column_int64(all, 0),
                   .rank = sqlite3_column_int(all, 1),
                   .page = sqlite3_column_int64(all, 2),
                   .cell = sqlite3_column_int(all, 3)};
    if (!column_hash(all, 4, &next.previous) || !column_hash(all, 5, &next.hash) ||
        (next.rank == 2 && next.number > most)) {
      continue;
    }
    if (next.number != choice.number &&
        !take_choice(scan, set, &choice, &chain, heads, found, error)) {
      return FALSE;
    }
    next.follows = next.rank < 2 && next.number == chain.number + 1 && chain.good &&
                   store_hash_equal(&next.previous, &chain.hash);
    if (!choice.number || (next.follows && !choice.follows)) {
      choice = next;
    }
  }
  if (rc != SQLITE_DONE) {
    return fail_scratch(scan, rc, error);
  }
  if (!take_choice(scan, set, &choice, &chain, heads, found, error)) {
    return FALSE;
  }
  found->last = MAX(found->last, chain.number);
  note_lost(found, chain.number + 1, found->last);
  return TRUE;
}

/* How many rows the log had at least. */
static void
count_signed(GPtrArray *heads, StoreFound *found)
{
  for (guint i = 0; i < heads->len; i++) {
    const StoreHead *head = heads->pdata[i];
    if (head->checkpoint.size < G_MAXINT64) {
      found->last = MAX(found->last, (gint64)head->checkpoint.size);
    }
  }
}

static gboolean
judge_rows(StoreScan *scan, GPtrArray *heads, StoreFound *found, GError **error)
{
  g_autoptr(StoreOwnedStatement) all = NULL, set = NULL;
  const guint64 bytes = store_pages_bytes(scan->pages);
  int rc = sqlite3_prepare_v2(scan->db,
                              "SELECT seq, rank, page, cell, previous, hash FROM found"
                              " ORDER BY seq, rank, page, cell",
                              -1, &all, NULL);

  if (rc == SQLITE_OK) {
    rc = sqlite3_prepare_v2(scan->db,
                            "UPDATE found SET proof = ?1 WHERE seq = ?2 AND rank = ?3"
                            " AND page = ?4 AND cell = ?5",
                            -1, &set, NULL);
  }
  if (rc != SQLITE_OK) {
    return fail_scratch(scan, rc, error);
  }
  count_signed(heads, found);
  return choose_rows(scan, all, set, heads, MAX(found->last, (gint64)(bytes / LEAST_ROW)), found,
                     error);
}

/* ---- life ------------------------------------------------------------------------------------ */

static gboolean
make_scratch(StoreScan *scan, const char *scratch, GError **error)
{
  int rc = sqlite3_open_v2(scratch, &scan->db,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW, NULL);

  if (rc == SQLITE_OK) {
    rc = sqlite3_exec(scan->db, scratch_sql, NULL, NULL, NULL);
  }
  if (rc == SQLITE_OK) {
    rc = sqlite3_prepare_v2(scan->db,
                            "INSERT INTO found (seq, rank, page, cell, previous, hash)"
                            " SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (SELECT 1 FROM found"
                            " WHERE seq = ?1 AND rank <= ?2 AND hash = ?6 AND ?2 < 2)",
                            -1, &scan->add, NULL);
  }
  if (rc == SQLITE_OK) {
    rc =
        sqlite3_prepare_v2(scan->db, "INSERT OR IGNORE INTO taken (kind, a, b) VALUES (?1, ?2, ?3)",
                           -1, &scan->take, NULL);
  }
  if (rc == SQLITE_OK) {
    rc = sqlite3_prepare_v2(scan->db, "SELECT 1 FROM taken WHERE kind = ?1 AND a = ?2 AND b = ?3",
                            -1, &scan->taken, NULL);
  }
  return rc == SQLITE_OK || fail_scratch(scan, rc, error);
}

static gboolean
scan_all(StoreScan *scan, GPtrArray *heads, StoreFound *found, GError **error)
{
  const guint *sizes = store_pages_sizes(scan->pages);

  found->lost = g_string_new("");
  for (guint i = 0; sizes[i]; i++) {
    gint64 n;
    store_pages_use(scan->pages, sizes[i]);
    if (!scan_pages(scan, found, error)) {
      return FALSE;
    }
    n = sqlite3_total_changes(scan->db);
    if (n > 0) {
      break;
    }
  }
  return judge_rows(scan, heads, found, error);
}

StoreScan *
store_scan_new(StorePages *pages, const char *scratch, const char *name, GPtrArray *heads,
               StoreProgress progress, gpointer user, StoreFound *found, GError **error)
{
  g_autoptr(StoreScan) scan = g_new0(StoreScan, 1);
  int rc;

  scan->pages = pages;
  scan->name = g_strdup(name);
  scan->progress = progress;
  scan->user = user;
  scan->record = g_byte_array_new();
  scan->scratch = g_byte_array_new();
  scan->time = g_string_new("");
  scan->kind = g_string_new("");
  scan->body = g_string_new("");
  if (!make_scratch(scan, scratch, error) || !scan_all(scan, heads, found, error)) {
    return NULL;
  }
  rc = sqlite3_prepare_v2(scan->db,
                          "SELECT seq, page, cell, proof FROM found WHERE proof IS NOT NULL"
                          " ORDER BY seq",
                          -1, &scan->each, NULL);
  if (rc != SQLITE_OK) {
    fail_scratch(scan, rc, error);
    return NULL;
  }
  scan->done = scan->total / 2;
  return g_steal_pointer(&scan);
}

void
store_scan_free(StoreScan *scan)
{
  if (!scan) {
    return;
  }
  sqlite3_finalize(scan->add);
  sqlite3_finalize(scan->take);
  sqlite3_finalize(scan->taken);
  sqlite3_finalize(scan->each);
  sqlite3_close(scan->db);
  g_byte_array_unref(scan->record);
  g_byte_array_unref(scan->scratch);
  g_string_free(scan->time, TRUE);
  g_string_free(scan->kind, TRUE);
  g_string_free(scan->body, TRUE);
  g_free(scan->name);
  g_free(scan);
}

gboolean
store_scan_next(StoreScan *scan, StoreLeft *left, gboolean *more, GError **error)
{
  int rc;

  for (;;) {
    rc = sqlite3_step(scan->each);
    *more = rc == SQLITE_ROW;
    if (rc != SQLITE_ROW) {
      return rc == SQLITE_DONE || fail_scratch(scan, rc, error);
    }
    left->proof = (StoreProof)sqlite3_column_int(scan->each, 3);
    if (read_row(scan, (guint64)sqlite3_column_int64(scan->each, 1),
                 (guint)sqlite3_column_int(scan->each, 2), &left->row)) {
      return TRUE;
    }
  }
}
