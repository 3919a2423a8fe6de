/* verify.c - whether the log is what it was.
 *
 * 1. The events are read once, in order; each row's hash, its place in the chain, the blocks and
 *    the roots that were signed are held against what they give.
 * 2. The derived tables are held against the events by SQLite itself, table by table: every row
 *    tells of an event that says the same, and there are as many as such events.
 * 3. What is found ends the looking: behind it nothing can be said.
 */
#include "record.h"

#include "head.h"
#include "row.h"
#include "sha256.h"
#include <sodium.h>
#include <string.h>

#define DOING "verifying the log"
#define PROGRESS_ROWS 4096

/* The kinds that have derived tables. */
static const struct {
  const char *kind, *table, *differs;
} derived[] = {
    {"model", "model", "lower(hex(d.lookup)) IS NOT json_extract(e.body, '$.lookup')"},
    {"image", "image", "lower(hex(d.lookup)) IS NOT json_extract(e.body, '$.lookup')"},
    {"conversation", "conversation",
     "d.model IS NOT json_extract(e.body, '$.model')"
     " OR d.rewound_from IS NOT json_extract(e.body, '$.rewound_from')"},
    {"turn", "turn",
     "d.conversation IS NOT json_extract(e.body, '$.conversation')"
     " OR d.number IS NOT json_extract(e.body, '$.number')"
     " OR d.image IS NOT json_extract(e.body, '$.image')"},
    {"verdict", "verdict", "d.turn IS NOT json_extract(e.body, '$.turn')"},
    {"check", "answer_check", "d.turn IS NOT json_extract(e.body, '$.turn')"},
};

/* What is kept of a row until its hash is known: two are hashed at once. */
typedef struct {
  gint64 number;
  StoreHash previous, hash;
  GString *time, *kind;
  gboolean migrated;
  GByteArray *bytes;
} Waiting;

typedef struct {
  StoreLog *log;
  StoreReport *report;
  Waiting waiting[2];
  guint n_waiting;
  GPtrArray *heads; /* of StoreHead, by size */
  guint head;       /* the next to be met */
  StoreMerkle tree, block;
  StoreOwnedStatement *blocks;
  StoreHash last;
  char *time; /* of the event before */
  gint64 counts[G_N_ELEMENTS(derived)];
} Verifier;

void
store_report_free(StoreReport *report)
{
  if (report) {
    g_free(report->found);
    g_free(report->log_id);
    g_free(report->root);
    g_free(report->signed_at);
    g_free(report);
  }
}

static void G_GNUC_PRINTF(3, 4) find(Verifier *verifier, gint64 event, const char *format, ...)
{
  va_list args;

  if (verifier->report->found) {
    return;
  }
  va_start(args, format);
  verifier->report->found = g_strdup_vprintf(format, args);
  va_end(args);
  verifier->report->first = event;
}

/* ---- blocks and checkpoints ------------------------------------------------------------------ */

static gboolean
check_block(Verifier *verifier, gint64 number, GError **error)
{
  const StoreHash root = store_merkle_root(&verifier->block);
  int rc;

  sqlite3_reset(verifier->blocks);
  sqlite3_bind_int64(verifier->blocks, 1, number / STORE_BLOCK_ROWS);
  rc = sqlite3_step(verifier->blocks);
  if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
    return store_fail_sqlite(error, verifier->log->db, verifier->log->name, DOING, rc);
  }
  if (rc == SQLITE_DONE || sqlite3_column_int64(verifier->blocks, 1) != number ||
      sqlite3_column_bytes(verifier->blocks, 0) != (int)sizeof root.bytes ||
      memcmp(sqlite3_column_blob(verifier->blocks, 0), root.bytes, sizeof root.bytes) != 0) {
    find(verifier, 0, "block %" G_GINT64_FORMAT " is missing or is not that of its events",
         number / STORE_BLOCK_ROWS);
  }
  memset(&verifier->block, 0, sizeof verifier->block);
  return TRUE;
}

static int
smaller_first(gconstpointer a, gconstpointer b)
{
  const guint64 x = (*(StoreHead *const *)a)->checkpoint.size,
                y = (*(StoreHead *const *)b)->checkpoint.size;

  return (x > y) - (x < y);
}

/* The checkpoints over as many events as were looked at. */
static void
check_heads(Verifier *verifier)
{
  while (verifier->head < verifier->heads->len) {
    const StoreHead *head = verifier->heads->pdata[verifier->head];
    StoreHash root;

    if (head->checkpoint.size != verifier->tree.size) {
      return;
    }
    root = store_merkle_root(&verifier->tree);
    if (!store_hash_equal(&root, &head->checkpoint.root)) {
      find(verifier, 0,
           "the first %" G_GUINT64_FORMAT " events are not those that were signed%s%s%s",
           head->checkpoint.size, head->time ? " at " : "", head->time ? head->time : "",
           head->kept ? ", says a checkpoint that was kept elsewhere" : "");
      return;
    }
    verifier->head++;
    verifier->report->checkpoints += !head->kept;
    verifier->report->kept += head->kept;
    verifier->report->signed_events = (gint64)head->checkpoint.size;
    g_free(verifier->report->signed_at);
    verifier->report->signed_at = g_strdup(head->time);
  }
}

/* ---- events ---------------------------------------------------------------------------------- */

/* An older log's rows keep their times, which are from before the log was brought over. */
static void
check_time(Verifier *verifier, const Waiting *row)
{
  if (row->migrated) {
    return;
  }
  if (verifier->time && strcmp(row->time->str, verifier->time) < 0) {
    verifier->report->clock_back++;
    if (!verifier->report->clock_back_first) {
      verifier->report->clock_back_first = row->number;
    }
  }
  if (!verifier->time || strcmp(row->time->str, verifier->time) != 0) {
    g_free(verifier->time);
    verifier->time = g_strdup(row->time->str);
  }
}

static void
count_kind(Verifier *verifier, const char *kind)
{
  for (guint i = 0; i < G_N_ELEMENTS(derived); i++) {
    if (strcmp(derived[i].kind, kind) == 0) {
      verifier->counts[i]++;
    }
  }
}

static gboolean
check_event(Verifier *verifier, const Waiting *row, const guint8 *hash_bytes, GError **error)
{
  const gint64 expected = verifier->report->events + 1;
  StoreHash hash, leaf;

  memcpy(hash.bytes, hash_bytes, sizeof hash.bytes);
  if (row->number != expected) {
    find(verifier, expected, "event %" G_GINT64_FORMAT " is missing", expected);
  } else if (!store_hash_equal(&hash, &row->hash)) {
    find(verifier, expected,
         "event %" G_GINT64_FORMAT " is not what its hash is of: it was changed", expected);
  } else if (!store_hash_equal(&row->previous, &verifier->last)) {
    find(verifier, expected,
         "event %" G_GINT64_FORMAT " does not follow the one before it: one of the two is another",
         expected);
  }
  if (verifier->report->found) {
    return TRUE;
  }
  verifier->last = hash;
  leaf = store_hash_leaf(hash.bytes, sizeof hash.bytes);
  store_merkle_add(&verifier->tree, &leaf);
  store_merkle_add(&verifier->block, &leaf);
  verifier->report->events = expected;
  check_time(verifier, row);
  count_kind(verifier, row->kind->str);
  check_heads(verifier);
  return expected % STORE_BLOCK_ROWS != 0 || check_block(verifier, expected, error);
}

/* Checks the rows that wait. */
static gboolean
check_waiting(Verifier *verifier, GError **error)
{
  const guint n = verifier->n_waiting;
  StoreMessage messages[2];

  for (guint i = 0; i < n; i++) {
    const GByteArray *bytes = verifier->waiting[i].bytes;
    messages[i] = (StoreMessage){.bytes = bytes->data, .n = bytes->len};
  }
  if (n == 2) {
    store_sha256_two(&messages[0], &messages[1]);
  } else if (n == 1) {
    store_sha256(&messages[0]);
  }
  verifier->n_waiting = 0;
  for (guint i = 0; i < n && !verifier->report->found; i++) {
    if (!check_event(verifier, &verifier->waiting[i], messages[i].hash, error)) {
      return FALSE;
    }
  }
  return TRUE;
}

/* ROW is borrowed until the next step. */
static gboolean
add_waiting(Verifier *verifier, const StoreRow *row, GError **error)
{
  Waiting *waiting = &verifier->waiting[verifier->n_waiting++];

  waiting->number = row->number;
  waiting->previous = row->previous;
  waiting->hash = row->hash;
  waiting->migrated = strstr(row->body, "\"migrated\": true}") != NULL ||
                      g_str_has_suffix(row->body, "\"recovered\": true}");
  g_string_assign(waiting->time, row->time);
  g_string_assign(waiting->kind, row->kind);
  store_row_bytes(row, waiting->bytes);
  return verifier->n_waiting < G_N_ELEMENTS(verifier->waiting) || check_waiting(verifier, error);
}

static gboolean
check_events(Verifier *verifier, gint64 total, StoreProgress progress, gpointer user,
             GError **error)
{
  StoreLog *log = verifier->log;
  g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_EVENTS, DOING, error);
  StoreBinder binder = {log, statement, "event", 0, FALSE, error};

  if (!statement) {
    return FALSE;
  }
  store_bind_int(&binder, G_MININT64);
  store_bind_int(&binder, G_MAXINT64);
  for (gboolean more = !binder.failed; more && !verifier->report->found;) {
    g_autoptr(GError) local = NULL;
    StoreReader reader = {log, statement, "event", 0, 0, FALSE, &local};
    StoreRow row;

    if (!store_step(log, statement, DOING, &more, &local) ||
        (more && !store_row_read(&reader, &row))) {
      if (!g_error_matches(local, STORE_ERROR, STORE_ERROR_CORRUPT)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
      }
      if (!check_waiting(verifier, error)) {
        return FALSE;
      }
      find(verifier, verifier->report->events + 1, "event %" G_GINT64_FORMAT " cannot be read: %s",
           verifier->report->events + 1, local->message);
      return TRUE;
    }
    if (!(more ? add_waiting(verifier, &row, error) : check_waiting(verifier, error))) {
      return FALSE;
    }
    if (progress && verifier->report->events % PROGRESS_ROWS == 0 &&
        !progress(verifier->report->events, total, user)) {
      return store_fail(error, STORE_ERROR_CANCELLED, log->name, DOING ": cancelled");
    }
  }
  return !binder.failed;
}

/* ---- derived tables -------------------------------------------------------------------------- */

static gboolean
ask(Verifier *verifier, const char *sql, gint64 found[2], GError **error)
{
  g_autoptr(StoreOwnedStatement) statement = NULL;
  int rc = sqlite3_prepare_v2(verifier->log->db, sql, -1, &statement, NULL);

  found[0] = found[1] = 0;
  if (rc == SQLITE_OK) {
    rc = sqlite3_step(statement);
  }
  if (rc == SQLITE_ROW) {
    found[0] = sqlite3_column_int64(statement, 0);
    found[1] = sqlite3_column_int64(statement, 1);
  }
  return rc == SQLITE_ROW || rc == SQLITE_DONE ||
         store_fail_sqlite(error, verifier->log->db, verifier->log->name, DOING, rc);
}

static gboolean
check_derived(Verifier *verifier, guint i, GError **error)
{
  const char *table = derived[i].table;
  g_autofree char *differ = g_strdup_printf(
      "SELECT d.id, d.event FROM %s AS d LEFT JOIN event AS e ON e.seq = d.event"
      " WHERE d.event <= %" G_GINT64_FORMAT
      " AND (e.kind IS NOT '%s' OR d.id IS NOT json_extract(e.body, '$.id') OR %s) LIMIT 1",
      table, verifier->report->events, derived[i].kind, derived[i].differs);
  g_autofree char *count =
      g_strdup_printf("SELECT count(*), 0 FROM %s WHERE event <= %" G_GINT64_FORMAT, table,
                      verifier->report->events);
  gint64 found[2];

  if (!ask(verifier, differ, found, error)) {
    return FALSE;
  }
  if (found[0] || found[1]) {
    find(verifier, found[1], "table %s, row %" G_GINT64_FORMAT " is not what its event says", table,
         found[0]);
    return TRUE;
  }
  if (!ask(verifier, count, found, error)) {
    return FALSE;
  }
  if (found[0] != verifier->counts[i]) {
    find(verifier, 0,
         "table %s has %" G_GINT64_FORMAT " rows, expected %" G_GINT64_FORMAT
         ", one for each event",
         table, found[0], verifier->counts[i]);
  }
  return TRUE;
}

static gboolean
check_tables(Verifier *verifier, GError **error)
{
  gint64 found[2];

  for (guint i = 0; i < G_N_ELEMENTS(derived) && !verifier->report->found; i++) {
    if (!check_derived(verifier, i, error)) {
      return FALSE;
    }
  }
  if (verifier->report->found) {
    return TRUE;
  }
  if (!ask(verifier, "SELECT coalesce(max(id), 0), max(event) FROM block", found, error)) {
    return FALSE;
  }
  if (found[0] * (gint64)STORE_BLOCK_ROWS > verifier->report->events) {
    find(verifier, 0, "table block has rows beyond the log's end");
  }
  return TRUE;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static gboolean
read_key(StoreLog *log, const char *public_key, StoreVerifier *key, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr(GError) local = NULL;

  if (!public_key) {
    return store_head_verifier(log->path, key, error);
  }
  if (!g_file_get_contents(public_key, &text, NULL, &local)) {
    return store_fail(error, STORE_ERROR_NOT_FOUND, public_key, "%s", local->message);
  }
  if (!store_verifier_parse(key, text, error)) {
    g_prefix_error(error, "%s: ", public_key);
    return FALSE;
  }
  return TRUE;
}

/* What was kept elsewhere is held against the log with the checkpoints of its own. */
static gboolean
add_kept(Verifier *verifier, const char *text, const StoreVerifier *key, GError **error)
{
  const guint before = verifier->heads->len;
  g_autoptr(GPtrArray) kept = NULL;
  gboolean cut = FALSE;

  kept = store_head_parse(text, "the checkpoints that were kept", key, &cut, error);
  if (!kept) {
    return FALSE;
  }
  for (guint i = 0; i < kept->len; i++) {
    ((StoreHead *)kept->pdata[i])->kept = TRUE;
  }
  g_ptr_array_extend_and_steal(verifier->heads, g_steal_pointer(&kept));
  return verifier->heads->len > before ||
         store_fail(error, STORE_ERROR_FORMAT, "the checkpoints that were kept",
                    "found none, expected a signed checkpoint of this log");
}

/* A LOG.head that says nothing, or what its key did not sign, is something found. */
static gboolean
read_heads(Verifier *verifier, const StoreVerifier *key, GError **error)
{
  g_autofree char *path = g_strconcat(verifier->log->path, ".head", NULL);
  g_autofree char *name = store_head_name(verifier->log->log_id);
  g_autoptr(GError) local = NULL;

  if (strcmp(name, key->name) != 0) {
    find(verifier, 0, "the public key is that of another log");
    return TRUE;
  }
  verifier->heads = store_head_read(path, key, &verifier->report->cut, &local);
  if (!verifier->heads) {
    if (g_error_matches(local, STORE_ERROR, STORE_ERROR_IO)) {
      g_propagate_error(error, g_steal_pointer(&local));
      return FALSE;
    }
    if (g_error_matches(local, STORE_ERROR, STORE_ERROR_NOT_FOUND)) {
      verifier->heads = g_ptr_array_new_with_free_func((GDestroyNotify)store_head_free);
      return TRUE; /* that nothing is signed is said at the end */
    }
    find(verifier, 0, "%s", local->message);
  }
  return TRUE;
}

static void
check_end(Verifier *verifier)
{
  const StoreHead *next;

  if (!verifier->report->found && verifier->heads->len == 0 &&
      verifier->report->events > (gint64)STORE_HEAD_ROWS) {
    find(verifier, 0, "LOG.head has no checkpoint, and a log of this length has signed some");
  }
  if (verifier->report->found || verifier->head >= verifier->heads->len) {
    return;
  }
  next = verifier->heads->pdata[verifier->head];
  find(verifier, verifier->report->events + 1,
       "%" G_GUINT64_FORMAT " events were signed, and there are %" G_GINT64_FORMAT
       ": the end is missing%s",
       next->checkpoint.size, verifier->report->events,
       next->kept ? ", says a checkpoint that was kept elsewhere" : "");
}

static gboolean
run(Verifier *verifier, const StoreKept *kept, StoreProgress progress, gpointer user,
    GError **error)
{
  StoreLog *log = verifier->log;
  const char *public_key = kept ? kept->public_key : NULL;
  g_auto(StoreVerifier) key = {0};
  gint64 total[2] = {0, 0};
  int rc;

  if (!read_key(log, public_key, &key, error) || !read_heads(verifier, &key, error)) {
    return FALSE;
  }
  if (verifier->report->found) {
    return TRUE;
  }
  if (kept && kept->checkpoints && !add_kept(verifier, kept->checkpoints, &key, error)) {
    return FALSE;
  }
  g_ptr_array_sort(verifier->heads, smaller_first);
  rc = sqlite3_prepare_v2(log->db, "SELECT root, event FROM block WHERE id = ?1", -1,
                          &verifier->blocks, NULL);
  if (rc != SQLITE_OK) {
    return store_fail_sqlite(error, log->db, log->name, DOING, rc);
  }
  if (!ask(verifier, "SELECT max(seq), 0 FROM event", total, error) ||
      !check_events(verifier, total[0], progress, user, error)) {
    return FALSE;
  }
  check_end(verifier);
  if (!verifier->report->found && !check_tables(verifier, error)) {
    return FALSE;
  }
  return TRUE;
}

StoreReport *
store_log_verify(StoreLog *log, const StoreKept *kept, StoreProgress progress, gpointer user,
                 GError **error)
{
  g_autoptr(StoreReport) report = g_new0(StoreReport, 1);
  Verifier verifier = {.log = log, .report = report};
  gboolean ok;

  g_return_val_if_fail(log, NULL);
  report->log_id = g_strdup(log->log_id);
  for (guint i = 0; i < G_N_ELEMENTS(verifier.waiting); i++) {
    verifier.waiting[i].time = g_string_new("");
    verifier.waiting[i].kind = g_string_new("");
    verifier.waiting[i].bytes = g_byte_array_new();
  }
  /* One moment of the log, whoever else writes. */
  ok = store_exec(log->db, log->name, DOING, "BEGIN", error);
  if (ok) {
    StoreHash root;
    ok = run(&verifier, kept, progress, user, error);
    sqlite3_finalize(verifier.blocks);
    sqlite3_exec(log->db, "ROLLBACK", NULL, NULL, NULL);
    root = store_merkle_root(&verifier.tree);
    report->root = g_malloc(65);
    sodium_bin2hex(report->root, 65, root.bytes, sizeof root.bytes);
    report->whole = report->found == NULL;
  }
  g_clear_pointer(&verifier.heads, g_ptr_array_unref);
  for (guint i = 0; i < G_N_ELEMENTS(verifier.waiting); i++) {
    g_string_free(verifier.waiting[i].time, TRUE);
    g_string_free(verifier.waiting[i].kind, TRUE);
    g_byte_array_unref(verifier.waiting[i].bytes);
  }
  g_free(verifier.time);
  return ok ? g_steal_pointer(&report) : NULL;
}
