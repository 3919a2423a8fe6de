/* recover-keys.c - see recover-keys.h.
 *
 * 1. The subjects' keys are never on the disk but wrapped, and wiped from memory one by one.
 * 2. The number that was given last is kept: no subject of the new log gets one that was erased.
 */
#include "recover-keys.h"

#include <string.h>

#include "keys-private.h"

static gboolean
add_log_key(StoreKeys *keys, gint64 id, StoreWrap kind, const guint8 *key, GError **error)
{
  sqlite3_stmt *statement = store_keys_sql(keys, STORE_KEYS_SET_LOG_KEY, error);
  guint8 wrapped[STORE_WRAPPED_BYTES];

  if (!statement) {
    return FALSE;
  }
  store_keys_wrap(keys->root.log_id, kind, id, NULL, keys->secret->root, key, wrapped);
  sqlite3_bind_int64(statement, 1, id);
  sqlite3_bind_blob(statement, 2, wrapped, sizeof wrapped, SQLITE_TRANSIENT);
  return store_keys_step(keys, statement, NULL, error);
}

/* The subject that NEXT stands on; *lost counts one whose key cannot be read. */
static gboolean
copy_subject(StoreKeys *from, sqlite3_stmt *next, StoreKeys *to, guint *lost, GError **error)
{
  const gint64 number = sqlite3_column_int64(next, 0);
  guint8 identity[32], wrapped[STORE_WRAPPED_BYTES], key[STORE_KEY_BYTES];
  sqlite3_stmt *statement;

  if (!store_keys_blob(from, next, 1, identity, sizeof identity, NULL) ||
      !store_keys_blob(from, next, 2, wrapped, sizeof wrapped, NULL) ||
      !store_keys_unwrap(from->root.log_id, STORE_WRAP_SUBJECT, number, identity,
                         from->secret->root, wrapped, key)) {
    ++*lost;
    return TRUE;
  }
  store_keys_wrap(to->root.log_id, STORE_WRAP_SUBJECT, number, identity, to->secret->root, key,
                  wrapped);
  sodium_memzero(key, sizeof key);
  statement = store_keys_sql(to, STORE_KEYS_ADD, error);
  if (!statement) {
    return FALSE;
  }
  sqlite3_bind_int64(statement, 1, number);
  sqlite3_bind_blob(statement, 2, identity, sizeof identity, SQLITE_TRANSIENT);
  sqlite3_bind_blob(statement, 3, wrapped, sizeof wrapped, SQLITE_TRANSIENT);
  return store_keys_step(to, statement, NULL, error);
}

static gboolean
copy_subjects(StoreKeys *from, StoreKeys *to, guint *lost, GError **error)
{
  gint64 number = 0;

  for (;;) {
    sqlite3_stmt *next = store_keys_sql(from, STORE_KEYS_NEXT, error);
    gboolean row = FALSE;
    if (!next) {
      return FALSE;
    }
    sqlite3_bind_int64(next, 1, number);
    if (!store_keys_step(from, next, &row, error)) {
      return FALSE;
    }
    if (!row) {
      return TRUE;
    }
    number = sqlite3_column_int64(next, 0);
    if (!copy_subject(from, next, to, lost, error)) {
      return FALSE;
    }
  }
}

/* Within a transaction of each. */
static gboolean
fill(StoreKeys *from, StoreKeys *keys, guint *lost, GError **error)
{
  guint8 seed[STORE_KEY_BYTES];
  gboolean good;

  randombytes_buf(seed, sizeof seed);
  good = store_keys_create(keys, error) &&
         store_place_put(keys, &keys->root, &keys->secrets, keys->secret->root, error) &&
         store_root_save(keys, error) &&
         add_log_key(keys, STORE_LOG_KEY_SIGNER, STORE_WRAP_SIGNER, seed, error) &&
         add_log_key(keys, STORE_LOG_KEY_LOG, STORE_WRAP_LOG, keys->secret->log, error) &&
         copy_subjects(from, keys, lost, error);
  sodium_memzero(seed, sizeof seed);
  return good;
}

static void
take_over_root(StoreKeys *from, StoreKeys *keys)
{
  guint8 id[16];

  keys->root = from->root;
  randombytes_buf(id, sizeof id);
  sodium_bin2hex(keys->root.log_id, sizeof keys->root.log_id, id, sizeof id);
  keys->root.has_pending = FALSE;
  memset(keys->root.pending, 0, sizeof keys->root.pending);
  keys->root.leftover = 0;
  *keys->secret = *from->secret;
  store_root_check(&keys->root, keys->secret->root, keys->root.check);
}

StoreKeys *
store_keys_succeed(StoreKeys *from, const char *log_path, guint *lost, GError **error)
{
  g_autoptr(StoreKeys) keys = store_keys_new(log_path, FALSE, &from->secrets, error);
  gboolean good;

  *lost = 0;
  if (!keys || !store_keys_connect(keys, log_path, TRUE, error) ||
      !store_root_begin(from, FALSE, error)) {
    return NULL;
  }
  take_over_root(from, keys);
  good = store_keys_run(keys, STORE_KEYS_BEGIN_WRITE, error) &&
         store_keys_end(keys, fill(from, keys, lost, error), error);
  if (!store_keys_end(from, good, error)) {
    store_keys_forget_place(keys);
    return NULL;
  }
  return g_steal_pointer(&keys);
}

void
store_keys_forget_place(StoreKeys *keys)
{
  store_place_forget(keys, keys->root.log_id, keys->root.protection, &keys->secrets, NULL);
}
