/* row.c - see row.h.
 *
 * 1. Number, previous hash and blocks are read and written within the caller's transaction, which
 *    holds the write lock: whoever else writes, the chain has one end.
 * 2. A key for a subject is on the disk before the row that needs it.
 */
#include "row.h"

#include "canonical.h"
#include "keys.h"
#include "limits.h"
#include "seal.h"
#include <sodium.h>
#include <string.h>

/* ---- reading -------------------------------------------------------------------------------- */

static const guint8 *
read_blob(StoreReader *reader, const char *field, gsize *n)
{
  const int index = reader->index++;
  const int type = sqlite3_column_type(reader->statement, index);

  *n = 0;
  if (reader->failed || type == SQLITE_NULL) {
    return NULL;
  }
  if (type != SQLITE_BLOB) {
    store_corrupt(reader, field, "found something else, expected a blob");
    return NULL;
  }
  *n = (gsize)sqlite3_column_bytes(reader->statement, index);
  return sqlite3_column_blob(reader->statement, index);
}

static void
read_hash(StoreReader *reader, const char *field, StoreHash *hash)
{
  gsize n = 0;
  const guint8 *bytes = read_blob(reader, field, &n);

  if (!reader->failed && (!bytes || n != sizeof hash->bytes)) {
    store_corrupt(reader, field, "found %" G_GSIZE_FORMAT " bytes, expected 32", n);
    return;
  }
  if (bytes) {
    memcpy(hash->bytes, bytes, sizeof hash->bytes);
  }
}

gboolean
store_row_read(StoreReader *reader, StoreRow *row)
{
  memset(row, 0, sizeof *row);
  row->number = reader->row = store_read_id(reader, "seq", STORE_REQUIRED);
  row->time = store_read_text(reader, "time", STORE_REQUIRED);
  row->kind = store_read_text(reader, "kind", STORE_REQUIRED);
  row->subject = store_read_id(reader, "subject", STORE_NULLABLE);
  row->body = store_read_long_text(reader, "body", STORE_MAX_BODY, &row->n_body);
  row->sealed = read_blob(reader, "sealed", &row->n_sealed);
  read_hash(reader, "previous", &row->previous);
  read_hash(reader, "hash", &row->hash);
  if (!reader->failed && (row->subject != 0) != (row->sealed != NULL)) {
    store_corrupt(reader, "sealed", "found it without a subject, or a subject without it");
  }
  return !reader->failed;
}

static void
add_columns(const StoreRow *row, gboolean whole, GByteArray *bytes)
{
  static const char *const names[] = {"seq",  "time",   "kind",    "subject",
                                      "body", "sealed", "previous"};
  const guint n = whole ? 7 : 5;

  g_byte_array_set_size(bytes, 0);
  store_canonical_begin(bytes, "event", n);
  for (guint i = 0; i < n; i++) {
    store_canonical_text(bytes, names[i], strlen(names[i]));
    switch (i) {
    case 0:
      store_canonical_integer(bytes, row->number);
      break;
    case 1:
      store_canonical_text(bytes, row->time, strlen(row->time));
      break;
    case 2:
      store_canonical_text(bytes, row->kind, strlen(row->kind));
      break;
    case 3:
      if (row->subject) {
        store_canonical_integer(bytes, row->subject);
      } else {
        store_canonical_null(bytes);
      }
      break;
    case 4:
      store_canonical_text(bytes, row->body, row->n_body);
      break;
    case 5:
      if (row->sealed) {
        store_canonical_blob(bytes, row->sealed, row->n_sealed);
      } else {
        store_canonical_null(bytes);
      }
      break;
    default:
      store_canonical_blob(bytes, row->previous.bytes, sizeof row->previous.bytes);
    }
  }
}

void
store_row_bound(const StoreRow *row, GByteArray *bytes)
{
  add_columns(row, FALSE, bytes);
}

void
store_row_bytes(const StoreRow *row, GByteArray *bytes)
{
  add_columns(row, TRUE, bytes);
}

StoreHash
store_row_hash(const StoreRow *row, GByteArray *scratch)
{
  store_row_bytes(row, scratch);
  return store_hash(scratch->data, scratch->len);
}

/* ---- what a row says ------------------------------------------------------------------------ */

gboolean
store_row_key(StoreLog *log, const StoreRow *row, guint8 key[32], gboolean *there, GError **error)
{
  guint8 subject_key[STORE_KEY_BYTES];

  *there = FALSE;
  if (!row->subject || !log->keys) {
    return TRUE;
  }
  if (!store_keys_get_subject(log->keys, row->subject, subject_key, there, error)) {
    return FALSE;
  }
  if (*there) {
    store_seal_key(subject_key, row->number, key);
    sodium_memzero(subject_key, sizeof subject_key);
  }
  return TRUE;
}

gboolean
store_row_text(StoreLog *log, const StoreRow *row, char **text, gsize *n, gboolean *erased,
               GError **error)
{
  g_autoptr(GByteArray) bound = NULL;
  guint8 key[STORE_SEAL_KEY_BYTES];
  gboolean there = FALSE;

  *text = NULL;
  *erased = FALSE;
  if (!row->subject) {
    return TRUE;
  }
  if (!store_row_key(log, row, key, &there, error)) {
    return FALSE;
  }
  if (!there) {
    *erased = log->keys != NULL;
    return TRUE;
  }
  bound = g_byte_array_new();
  store_row_bound(row, bound);
  *text = store_unseal(key, row->sealed, row->n_sealed, bound, n);
  sodium_memzero(key, sizeof key);
  return *text || store_fail(error, STORE_ERROR_CORRUPT, log->name,
                             "event %" G_GINT64_FORMAT " (%s): sealed: found what its key does not "
                             "open",
                             row->number, row->kind);
}

/* BODY outlives the row, and its messages name the kind. */
static const char *
kind_name(const char *kind)
{
  static const char *const kinds[] = {"model", "image", "conversation", "turn", "verdict", "check"};

  for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
    if (strcmp(kinds[i], kind) == 0) {
      return kinds[i];
    }
  }
  return "event";
}

gboolean
store_row_parse(StoreLog *log, const StoreRow *row, StoreBody *body, gboolean *erased,
                GError **error)
{
  gboolean gone = FALSE, ok;
  char *text = NULL;
  gsize n = 0;

  *body = (StoreBody){.name = log->name,
                      .kind = row->kind,
                      .number = row->number,
                      .without_lists = body->without_lists,
                      .without_clear = body->without_clear,
                      .error = error};
  if (!store_row_text(log, row, &text, &n, erased ? erased : &gone, error)) {
    return FALSE;
  }
  ok = (body->without_clear || store_body_parse(body, STORE_CLEAR, row->body, row->n_body)) &&
       store_body_parse(body, STORE_SEALED, text, n);
  store_wipe(text, n);
  body->kind = kind_name(row->kind);
  if (!ok) {
    store_body_clear(body);
  }
  return ok;
}

static gboolean
check_row(StoreReader *reader, const StoreRow *row, gint64 number, const char *kind)
{
  g_autoptr(GByteArray) scratch = g_byte_array_new();
  const StoreHash hash = store_row_hash(row, scratch);

  if (row->number != number) {
    store_corrupt(reader, "seq", "found %" G_GINT64_FORMAT ", expected %" G_GINT64_FORMAT,
                  row->number, number);
  } else if (!reader->log->other_rows && !store_hash_equal(&hash, &row->hash)) {
    store_corrupt(reader, "hash", "found one that is not of this row: it was changed");
  } else if (kind && strcmp(row->kind, kind) != 0) {
    store_corrupt(reader, "kind", "found another, expected \"%s\"", kind);
  }
  return !reader->failed;
}

gboolean
store_row_open(StoreLog *log, gint64 number, const char *kind, StoreBody *body, char **time,
               gint64 *subject, GError **error)
{
  const char *doing = "reading an event";
  g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_EVENT, doing, error);
  StoreBinder binder = {log, statement, "event", 0, FALSE, error};
  StoreReader reader = {log, statement, "event", number, 0, FALSE, error};
  StoreRow row;
  gboolean found = FALSE;

  if (!statement) {
    return FALSE;
  }
  store_bind_int(&binder, number);
  if (binder.failed || !store_step(log, statement, doing, &found, error)) {
    return FALSE;
  }
  if (!found) {
    return store_fail(error, STORE_ERROR_CORRUPT, log->name,
                      "event %" G_GINT64_FORMAT ": found nothing, expected one", number);
  }
  if (!store_row_read(&reader, &row) || !check_row(&reader, &row, number, kind) ||
      !store_row_parse(log, &row, body, NULL, error)) {
    return FALSE;
  }
  if (time) {
    *time = g_strdup(row.time);
  }
  if (subject) {
    *subject = row.subject;
  }
  return TRUE;
}

/* ---- adding --------------------------------------------------------------------------------- */

/* Number and hash of the last row; 0 and zeros where there is none. */
static gboolean
last_row(StoreLog *log, const char *doing, gint64 *number, StoreHash *hash, GError **error)
{
  g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_LAST_EVENT, doing, error);
  StoreReader reader = {log, statement, "event", 0, 0, FALSE, error};
  gboolean found = FALSE;

  memset(hash, 0, sizeof *hash);
  *number = 0;
  if (!statement || !store_step(log, statement, doing, &found, error)) {
    return FALSE;
  }
  if (found) {
    *number = store_read_id(&reader, "seq", STORE_REQUIRED);
    read_hash(&reader, "hash", hash);
  }
  return !reader.failed;
}

gboolean
store_row_next(StoreLog *log, const char *doing, gint64 *number, GError **error)
{
  StoreHash hash;
  gint64 last = 0;

  if (!last_row(log, doing, &last, &hash, error)) {
    return FALSE;
  }
  *number = last + 1;
  return TRUE;
}

static char *
now_text(StoreLog *log)
{
  g_autoptr(GDateTime) clock = g_date_time_new_now_utc();
  g_autoptr(GDateTime) now = g_date_time_add(clock, log->clock_offset);
  g_autofree char *seconds = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S");

  return g_strdup_printf("%s.%03dZ", seconds, g_date_time_get_microsecond(now) / 1000);
}

static gboolean
insert_row(StoreLog *log, const StoreRow *row, const char *doing, GError **error)
{
  g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_ADD_EVENT, doing, error);
  StoreBinder binder = {log, statement, "event", 0, FALSE, error};
  gboolean more = FALSE;

  if (!statement) {
    return FALSE;
  }
  store_bind_int(&binder, row->number);
  store_bind_text(&binder, "time", row->time);
  store_bind_text(&binder, "kind", row->kind);
  store_bind_id(&binder, row->subject);
  store_bind_long_text(&binder, row->body, row->n_body);
  store_bind_blob(&binder, row->sealed, row->n_sealed);
  store_bind_blob(&binder, row->previous.bytes, sizeof row->previous.bytes);
  store_bind_blob(&binder, row->hash.bytes, sizeof row->hash.bytes);
  return !binder.failed && store_step(log, statement, doing, &more, error);
}

/* The tree over the N rows from FIRST on. */
static gboolean
tree_of(StoreLog *log, gint64 first, gint64 n, const char *doing, StoreMerkle *tree, GError **error)
{
  g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_HASHES, doing, error);
  StoreBinder binder = {log, statement, "event", 0, FALSE, error};
  gint64 expected = first;

  memset(tree, 0, sizeof *tree);
  if (!statement) {
    return FALSE;
  }
  store_bind_int(&binder, first);
  store_bind_int(&binder, first + n - 1);
  for (gboolean more = !binder.failed; more;) {
    StoreReader reader = {log, statement, "event", expected, 0, FALSE, error};
    StoreHash hash;

    if (!store_step(log, statement, doing, &more, error)) {
      return FALSE;
    }
    if (more) {
      if (store_read_id(&reader, "seq", STORE_REQUIRED) != expected) {
        break;
      }
      read_hash(&reader, "hash", &hash);
      if (reader.failed) {
        return FALSE;
      }
      hash = store_hash_leaf(hash.bytes, sizeof hash.bytes);
      store_merkle_add(tree, &hash);
      expected++;
    }
  }
  return !binder.failed &&
         (expected == first + n ||
          store_fail(error, STORE_ERROR_CORRUPT, log->name,
                     "event %" G_GINT64_FORMAT ": found nothing, expected one", expected));
}

static gboolean
add_block(StoreLog *log, gint64 last, const char *doing, GError **error)
{
  g_autoptr(StoreStatement) statement = NULL;
  StoreMerkle tree;
  StoreHash root;
  gboolean more = FALSE;

  if (last % STORE_BLOCK_ROWS != 0) {
    return TRUE;
  }
  if (!tree_of(log, last - STORE_BLOCK_ROWS + 1, STORE_BLOCK_ROWS, doing, &tree, error)) {
    return FALSE;
  }
  statement = store_statement(log, STORE_SQL_ADD_BLOCK, doing, error);
  if (!statement) {
    return FALSE;
  }
  root = store_merkle_root(&tree);
  {
    StoreBinder binder = {log, statement, "block", 0, FALSE, error};
    store_bind_int(&binder, last / STORE_BLOCK_ROWS);
    store_bind_int(&binder, last);
    store_bind_blob(&binder, root.bytes, sizeof root.bytes);
    return !binder.failed && store_step(log, statement, doing, &more, error);
  }
}

static gboolean
seal_row(StoreLog *log, StoreRow *row, const StoreDraft *draft, GByteArray **sealed, GError **error)
{
  g_autoptr(GByteArray) bound = g_byte_array_new();
  g_autoptr(GString) text =
      g_string_new_len(draft->json[STORE_SEALED]->str, (gssize)draft->json[STORE_SEALED]->len);
  guint8 key[STORE_SEAL_KEY_BYTES];
  gboolean there = FALSE;

  if (draft->numbers->len) { /* numbers.h */
    g_string_append_c(text, '\0');
    g_string_append_len(text, (const char *)draft->numbers->data, draft->numbers->len);
  }
  if (!store_row_key(log, row, key, &there, error)) {
    return FALSE;
  }
  if (!there && draft->erased) {
    randombytes_buf(key, sizeof key);
  } else if (!there) {
    return store_fail(error, STORE_ERROR_LOCKED, log->name,
                      "the key of what is written about was erased, or the log is locked");
  }
  store_row_bound(row, bound);
  *sealed = store_seal(key, text->str, text->len, bound);
  sodium_memzero(key, sizeof key);
  row->sealed = (*sealed)->data;
  row->n_sealed = (*sealed)->len;
  return TRUE;
}

gint64
store_row_add(StoreLog *log, const char *kind, const char *time, gint64 subject, StoreDraft *draft,
              const char *doing, GError **error)
{
  g_autofree char *now = time ? NULL : now_text(log);
  g_autoptr(GByteArray) sealed = NULL, scratch = g_byte_array_new();
  StoreRow row = {.time = time ? time : now, .kind = kind, .subject = subject};

  if (draft->failed || !last_row(log, doing, &row.number, &row.previous, error)) {
    return 0;
  }
  row.number++;
  row.body = draft->json[STORE_CLEAR]->str;
  row.n_body = draft->json[STORE_CLEAR]->len;
  if (row.n_body > STORE_MAX_BODY ||
      draft->json[STORE_SEALED]->len + draft->numbers->len > STORE_MAX_BODY) {
    store_fail(error, STORE_ERROR_INVALID, log->name, "%s: found more than %u bytes", doing,
               STORE_MAX_BODY);
    return 0;
  }
  if (subject && !seal_row(log, &row, draft, &sealed, error)) {
    return 0;
  }
  row.hash = store_row_hash(&row, scratch);
  return insert_row(log, &row, doing, error) && add_block(log, row.number, doing, error)
             ? row.number
             : 0;
}

/* ---- the tree ------------------------------------------------------------------------------- */

gboolean
store_tree_size(StoreLog *log, guint64 *size, GError **error)
{
  StoreHash hash;
  gint64 last = 0;

  if (!last_row(log, "looking for the last event", &last, &hash, error)) {
    return FALSE;
  }
  *size = (guint64)last;
  return TRUE;
}

/* The roots of the first N blocks, which are leaves of a tree of their own: that of all rows. */
static gboolean
add_blocks(StoreLog *log, gint64 n, StoreMerkle *tree, GError **error)
{
  const char *doing = "reading the blocks";
  g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_BLOCKS, doing, error);
  StoreBinder binder = {log, statement, "block", 0, FALSE, error};
  gint64 expected = 1;

  if (!statement) {
    return FALSE;
  }
  store_bind_int(&binder, n);
  for (gboolean more = !binder.failed; more;) {
    StoreReader reader = {log, statement, "block", expected, 0, FALSE, error};
    StoreHash root;

    if (!store_step(log, statement, doing, &more, error)) {
      return FALSE;
    }
    if (more) {
      if (store_read_id(&reader, "id", STORE_REQUIRED) != expected) {
        break;
      }
      read_hash(&reader, "root", &root);
      if (reader.failed) {
        return FALSE;
      }
      store_merkle_add(tree, &root);
      expected++;
    }
  }
  return !binder.failed &&
         (expected == n + 1 ||
          store_fail(error, STORE_ERROR_CORRUPT, log->name,
                     "block %" G_GINT64_FORMAT ": found nothing, expected one", expected));
}

gboolean
store_tree_root(StoreLog *log, guint64 size, StoreHash *root, GError **error)
{
  const gint64 blocks = (gint64)(size / STORE_BLOCK_ROWS), rest = (gint64)(size % STORE_BLOCK_ROWS);
  StoreMerkle high = {0}, low = {0};

  if (size > G_MAXINT64 || !add_blocks(log, blocks, &high, error) ||
      (rest &&
       !tree_of(log, blocks * STORE_BLOCK_ROWS + 1, rest, "reading the hashes", &low, error))) {
    return FALSE;
  }
  *root = store_merkle_join(&high, &low);
  return TRUE;
}
