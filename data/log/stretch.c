/* stretch.c - see stretch.h.
 *
 * 1. Events are read once, in order; each one's hash, its place in the chain, its derived row and
 *    each block's root are held against what they give.
 * 2. What is found ends the looking: behind it nothing can be said.
 * 3. Two rows are hashed at once, so one waits for the next.
 */
#include "stretch.h"

#include "sha256.h"
#include <string.h>

#define DOING "verifying the log"
#define GO_ON_ROWS 1024u

/* What is kept of a row until its hash is known. */
typedef struct {
  gint64 number;
  StoreHash previous, hash;
  GString *time, *kind, *body;
  gboolean migrated; /* or recovered */
  GByteArray *bytes;
} Waiting;

typedef struct {
  StoreStretch *stretch;
  StoreLog *log;
  StoreDerived *derived;
  sqlite3_stmt *blocks;
  const GArray *sizes;
  guint size;        /* the next of SIZES to be met */
  StoreMerkle block; /* what is not a whole one yet */
  Waiting waiting[2];
  guint n_waiting;
} Looker;

StoreStretch *
store_stretch_new(guint index, gint64 first, gint64 last)
{
  StoreStretch *stretch = g_new0(StoreStretch, 1);

  stretch->index = index;
  stretch->first = first;
  stretch->last = last;
  stretch->done = first - 1;
  stretch->blocks = g_array_new(FALSE, FALSE, sizeof(StoreHash));
  stretch->rests = g_array_new(FALSE, FALSE, sizeof(StoreHash));
  return stretch;
}

void
store_stretch_free(StoreStretch *stretch)
{
  if (stretch) {
    g_array_unref(stretch->blocks);
    g_array_unref(stretch->rests);
    g_free(stretch->first_time);
    g_free(stretch->last_time);
    g_free(stretch->found);
    g_clear_error(&stretch->error);
    g_free(stretch);
  }
}

guint
store_stretch_size_from(const GArray *sizes, guint64 size)
{
  guint low = 0, high = sizes->len;

  while (low < high) {
    const guint middle = low + (high - low) / 2;
    if (g_array_index(sizes, guint64, middle) < size) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

static void G_GNUC_PRINTF(3, 4) find(Looker *looker, gint64 event, const char *format, ...)
{
  StoreStretch *stretch = looker->stretch;
  va_list args;

  if (!stretch->found) {
    va_start(args, format);
    stretch->found = g_strdup_vprintf(format, args);
    va_end(args);
    stretch->event = event;
  }
}

/* ---- blocks and roots ------------------------------------------------------------------------ */

static gboolean
check_block(Looker *looker, gint64 number)
{
  const StoreHash root = store_merkle_root(&looker->block);
  const gint64 id = number / STORE_BLOCK_ROWS;
  int rc;

  sqlite3_reset(looker->blocks);
  sqlite3_bind_int64(looker->blocks, 1, id);
  rc = sqlite3_step(looker->blocks);
  if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
    return store_fail_sqlite(&looker->stretch->error, looker->log->db, looker->log->name, DOING,
                             rc);
  }
  if (rc == SQLITE_DONE || sqlite3_column_int64(looker->blocks, 1) != number ||
      sqlite3_column_bytes(looker->blocks, 0) != (int)sizeof root.bytes ||
      memcmp(sqlite3_column_blob(looker->blocks, 0), root.bytes, sizeof root.bytes) != 0) {
    find(looker, 0, "block %" G_GINT64_FORMAT " is missing or is not that of its events", id);
  }
  g_array_append_val(looker->stretch->blocks, root);
  memset(&looker->block, 0, sizeof looker->block);
  return TRUE;
}

/* The root over what lies behind the last whole block, for whoever signed just as many. */
static void
note_rests(Looker *looker, guint64 size)
{
  while (looker->size < looker->sizes->len &&
         g_array_index(looker->sizes, guint64, looker->size) == size) {
    const StoreHash root = store_merkle_root(&looker->block);
    g_array_append_val(looker->stretch->rests, root);
    looker->size++;
  }
}

/* ---- events ---------------------------------------------------------------------------------- */

/* Rows that came from an older or a damaged log keep their times, which are from before that. */
static void
check_time(StoreStretch *stretch, const Waiting *row)
{
  if (row->migrated) {
    return;
  }
  if (!stretch->first_time) {
    stretch->first_time = g_strdup(row->time->str);
    stretch->first_timed = row->number;
  }
  if (stretch->last_time && strcmp(row->time->str, stretch->last_time) < 0) {
    stretch->clock_back++;
    if (!stretch->clock_back_first) {
      stretch->clock_back_first = row->number;
    }
  }
  if (!stretch->last_time || strcmp(row->time->str, stretch->last_time) != 0) {
    g_free(stretch->last_time);
    stretch->last_time = g_strdup(row->time->str);
  }
}

static void
check_derived(Looker *looker, const Waiting *row)
{
  const guint which = store_derived_of(row->kind->str);

  if (which < STORE_N_DERIVED) {
    looker->stretch->counts[which]++;
    if (!looker->stretch->differs[which] &&
        !store_derived_same(looker->derived, looker->log->db, which, row->number, row->body->str,
                            row->body->len)) {
      looker->stretch->differs[which] = TRUE;
    }
  }
}

static gboolean
same_hash(const StoreHash *a, const void *b)
{
  return memcmp(a->bytes, b, sizeof a->bytes) == 0;
}

static gboolean
check_event(Looker *looker, const Waiting *row, const guint8 *hash)
{
  StoreStretch *stretch = looker->stretch;
  const gint64 expected = stretch->done + 1;
  StoreHash leaf;

  if (row->number != expected) {
    find(looker, expected, "event %" G_GINT64_FORMAT " is missing", expected);
  } else if (!same_hash(&row->hash, hash)) {
    find(looker, expected, "event %" G_GINT64_FORMAT " is not what its hash is of: it was changed",
         expected);
  } else if (expected > stretch->first && !same_hash(&row->previous, stretch->end.bytes)) {
    find(looker, expected, STORE_STRETCH_UNLINKED, expected);
  }
  if (stretch->found) {
    return TRUE;
  }
  if (expected == stretch->first) {
    stretch->before = row->previous;
  }
  stretch->end = row->hash;
  stretch->done = expected;
  leaf = store_hash_leaf(hash, sizeof row->hash.bytes);
  store_merkle_add(&looker->block, &leaf);
  check_time(stretch, row);
  check_derived(looker, row);
  if (expected % STORE_BLOCK_ROWS == 0 && !check_block(looker, expected)) {
    return FALSE;
  }
  note_rests(looker, (guint64)expected);
  return TRUE;
}

/* Checks the rows that wait. */
static gboolean
check_waiting(Looker *looker)
{
  const guint n = looker->n_waiting;
  StoreMessage messages[2];

  for (guint i = 0; i < n; i++) {
    const GByteArray *bytes = looker->waiting[i].bytes;
    messages[i] = (StoreMessage){.bytes = bytes->data, .n = bytes->len};
  }
  if (n == 2) {
    store_sha256_two(&messages[0], &messages[1]);
  } else if (n == 1) {
    store_sha256(&messages[0]);
  }
  looker->n_waiting = 0;
  for (guint i = 0; i < n && !looker->stretch->found; i++) {
    if (!check_event(looker, &looker->waiting[i], messages[i].hash)) {
      return FALSE;
    }
  }
  return TRUE;
}

/* ROW is borrowed until the next step. */
static gboolean
add_waiting(Looker *looker, const StoreRow *row)
{
  Waiting *waiting = &looker->waiting[looker->n_waiting++];

  waiting->number = row->number;
  waiting->previous = row->previous;
  waiting->hash = row->hash;
  waiting->migrated = strstr(row->body, "\"migrated\": true}") != NULL ||
                      g_str_has_suffix(row->body, "\"recovered\": true}");
  g_string_assign(waiting->time, row->time);
  g_string_assign(waiting->kind, row->kind);
  g_string_truncate(waiting->body, 0);
  g_string_append_len(waiting->body, row->body, (gssize)row->n_body);
  store_row_bytes(row, waiting->bytes);
  return looker->n_waiting < G_N_ELEMENTS(looker->waiting) || check_waiting(looker);
}

/* What SQLite says of a row that cannot be read is found; what it says of the disk is no finding.
 */
static void
note_failure(Looker *looker, GError **local)
{
  StoreStretch *stretch = looker->stretch;

  if (!g_error_matches(*local, STORE_ERROR, STORE_ERROR_CORRUPT)) {
    g_propagate_error(&stretch->error, g_steal_pointer(local));
  } else if (check_waiting(looker)) {
    find(looker, stretch->done + 1, "event %" G_GINT64_FORMAT " cannot be read: %s",
         stretch->done + 1, (*local)->message);
  }
}

/* The next row, if any, and whether to go on. */
static gboolean
look_at_next(Looker *looker, StoreStatement *statement)
{
  StoreStretch *stretch = looker->stretch;
  g_autoptr(GError) local = NULL;
  StoreReader reader = {looker->log, statement, "event", 0, 0, FALSE, &local};
  gboolean more = FALSE;
  StoreRow row;

  if (!store_step(looker->log, statement, DOING, &more, &local) ||
      (more && !store_row_read(&reader, &row))) {
    note_failure(looker, &local);
    return FALSE;
  }
  if (!(more ? add_waiting(looker, &row) : check_waiting(looker)) || stretch->found) {
    return FALSE;
  }
  if (!more && stretch->done < stretch->last) {
    find(looker, stretch->done + 1, "event %" G_GINT64_FORMAT " is missing", stretch->done + 1);
  }
  return more;
}

static void
look(Looker *looker, StoreStretchGoOn go_on, gpointer user)
{
  StoreStretch *stretch = looker->stretch;
  g_autoptr(StoreStatement) statement =
      store_statement(looker->log, STORE_SQL_EVENTS, DOING, &stretch->error);
  StoreBinder binder = {looker->log, statement, "event", 0, FALSE, &stretch->error};
  guint rows = 0;

  if (!statement) {
    return;
  }
  /* A row with a number below 1 is one that should not be there. */
  store_bind_int(&binder, stretch->first == 1 ? G_MININT64 : stretch->first);
  store_bind_int(&binder, stretch->last);
  while (!binder.failed && look_at_next(looker, statement)) {
    if (++rows == GO_ON_ROWS) {
      if (!go_on(stretch, rows, user)) {
        return;
      }
      rows = 0;
    }
  }
  go_on(stretch, rows, user);
}

void
store_stretch_look(StoreStretch *stretch, StoreLog *log, StoreDerived *derived, const GArray *sizes,
                   StoreStretchGoOn go_on, gpointer user)
{
  Looker looker = {.stretch = stretch, .log = log, .derived = derived, .sizes = sizes};
  int rc = sqlite3_prepare_v2(log->db, "SELECT root, event FROM block WHERE id = ?1", -1,
                              &looker.blocks, NULL);

  if (rc != SQLITE_OK) {
    store_fail_sqlite(&stretch->error, log->db, log->name, DOING, rc);
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS(looker.waiting); i++) {
    looker.waiting[i].time = g_string_new("");
    looker.waiting[i].kind = g_string_new("");
    looker.waiting[i].body = g_string_new("");
    looker.waiting[i].bytes = g_byte_array_new();
  }
  looker.size = store_stretch_size_from(sizes, (guint64)stretch->first);
  look(&looker, go_on, user);
  stretch->rest = store_merkle_root(&looker.block);
  sqlite3_finalize(looker.blocks);
  for (guint i = 0; i < G_N_ELEMENTS(looker.waiting); i++) {
    g_string_free(looker.waiting[i].time, TRUE);
    g_string_free(looker.waiting[i].kind, TRUE);
    g_string_free(looker.waiting[i].body, TRUE);
    g_byte_array_unref(looker.waiting[i].bytes);
  }
}
