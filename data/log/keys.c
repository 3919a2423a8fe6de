/* keys.c - see keys.h: the keys of a log, made, found and derived. How the file is kept is in
 * keys-file.c, how one root key follows another in keys-root.c.
 */
#include "keys.h"

#include <string.h>

#include "keys-private.h"

/* ---- making ---------------------------------------------------------------------------------- */

static gboolean
is_log_id(const char *log_id)
{
  return log_id && strlen(log_id) == 32 && strspn(log_id, "0123456789abcdef") == 32;
}

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

/* Within a transaction: the root key is in its place before the file can be one. */
static gboolean
fill(StoreKeys *keys, GError **error)
{
  guint8 seed[STORE_KEY_BYTES];
  gboolean good;

  randombytes_buf(seed, sizeof seed);
  randombytes_buf(keys->secret->log, sizeof keys->secret->log);
  good = store_keys_create(keys, error) && store_place_clear(keys, keys->root.log_id, error) &&
         store_place_put(keys, &keys->root, &keys->secrets, keys->secret->root, error) &&
         store_root_save(keys, error) &&
         add_log_key(keys, STORE_LOG_KEY_SIGNER, STORE_WRAP_SIGNER, seed, error) &&
         add_log_key(keys, STORE_LOG_KEY_LOG, STORE_WRAP_LOG, keys->secret->log, error);
  sodium_memzero(seed, sizeof seed);
  return good;
}

/* LIKE (may be NULL): whose root key a passphrase gives here, too. */
static gboolean
choose_root(StoreKeys *keys, StoreKeys *like, const StoreSecrets *secrets, GError **error)
{
  if (!like || keys->root.protection != STORE_PROTECTION_PASSPHRASE) {
    return store_place_new(keys, &keys->root, secrets, keys->secret->root, error);
  }
  memcpy(keys->root.salt, like->root.salt, sizeof keys->root.salt);
  keys->root.ops = like->root.ops;
  keys->root.memory = like->root.memory;
  memcpy(keys->secret->root, like->secret->root, STORE_KEY_BYTES);
  return TRUE;
}

static StoreKeys *
make(const char *log_path, const char *log_id, StoreProtection protection, StoreKeys *like,
     const StoreSecrets *secrets, GError **error)
{
  g_autoptr(StoreKeys) keys = store_keys_new(log_path, FALSE, secrets, error);

  if (!keys) {
    return NULL;
  }
  if (log_id && !is_log_id(log_id)) {
    store_fail(error, STORE_ERROR_INVALID, keys->name,
               "the log's id: expected 32 hexadecimal digits");
    return NULL;
  }
  keys->root.protection = protection;
  if (!store_keys_connect(keys, log_path, TRUE, error)) {
    return NULL;
  }
  if (log_id) {
    memcpy(keys->root.log_id, log_id, 33);
  } else {
    store_place_log_id(keys, keys->root.log_id);
  }
  if (!store_keys_require_none(keys, error) || !choose_root(keys, like, secrets, error)) {
    return NULL;
  }
  store_root_check(&keys->root, keys->secret->root, keys->root.check);
  if (!store_keys_run(keys, STORE_KEYS_BEGIN_WRITE, error) ||
      !store_keys_end(keys, fill(keys, error), error)) {
    return NULL;
  }
  return g_steal_pointer(&keys);
}

StoreKeys *
store_keys_make(const char *log_path, const char *log_id, StoreProtection protection,
                const StoreSecrets *secrets, GError **error)
{
  return make(log_path, log_id, protection, NULL, secrets, error);
}

StoreKeys *
store_keys_make_like(const char *log_path, StoreKeys *other, GError **error)
{
  return make(log_path, NULL, other->root.protection, other, &other->secrets, error);
}

StoreKeys *
store_keys_open(const char *log_path, gboolean read_only, const StoreSecrets *secrets,
                GError **error)
{
  g_autoptr(StoreKeys) keys = store_keys_new(log_path, read_only, secrets, error);

  if (!keys || !store_keys_connect(keys, log_path, FALSE, error) ||
      !store_root_unlock(keys, error)) {
    return NULL;
  }
  return g_steal_pointer(&keys);
}

const char *
store_keys_log_id(StoreKeys *keys)
{
  return keys->root.log_id;
}

StoreProtection
store_keys_protection(StoreKeys *keys)
{
  return keys->root.protection;
}

/* ---- keys of the log ------------------------------------------------------------------------- */

gboolean
store_keys_signer(StoreKeys *keys, const char *name, StoreSigner *signer, GError **error)
{
  guint8 seed[STORE_KEY_BYTES] = {0};
  gboolean good;

  memset(signer, 0, sizeof *signer);
  if (!store_root_begin(keys, FALSE, error)) {
    return FALSE;
  }
  good = store_root_log_key(keys, STORE_LOG_KEY_SIGNER, seed, error);
  good = store_keys_end(keys, good, error) && store_signer_init(signer, name, seed, error);
  sodium_memzero(seed, sizeof seed);
  return good;
}

gboolean
store_keys_derive(StoreKeys *keys, const char *purpose, guint8 key[STORE_KEY_BYTES], GError **error)
{
  g_return_val_if_fail(purpose && *purpose, FALSE);
  /* The log's key never changes, so it is not read again. */
  store_keys_hash(keys->secret->log, "hilum derived key 1", purpose, strlen(purpose), key);
  return TRUE;
}

/* ---- subjects -------------------------------------------------------------------------------- */

static void
hash_identity(StoreKeys *keys, const void *identity, gsize n, guint8 hash[32])
{
  store_keys_hash(keys->secret->log, "hilum identity 1", identity ? identity : "", n, hash);
}

/* Within a transaction. *subject is 0 where there is none. */
static gboolean
find(StoreKeys *keys, const guint8 hash[32], gint64 *subject, GError **error)
{
  sqlite3_stmt *statement = store_keys_sql(keys, STORE_KEYS_FIND, error);
  gboolean row = FALSE;

  *subject = 0;
  if (!statement) {
    return FALSE;
  }
  sqlite3_bind_blob(statement, 1, hash, 32, SQLITE_TRANSIENT);
  if (!store_keys_step(keys, statement, &row, error)) {
    return FALSE;
  }
  if (row) {
    *subject = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
  }
  return !row || *subject > 0 ||
         store_fail(error, STORE_ERROR_CORRUPT, keys->name,
                    "subject: found number %" G_GINT64_FORMAT ", expected one above 0", *subject);
}

/* The highest number that is, or was, or must not be any more. */
static gboolean
find_last(StoreKeys *keys, gint64 at_least, gint64 *last, GError **error)
{
  sqlite3_stmt *statement = store_keys_sql(keys, STORE_KEYS_LAST, error);
  gboolean row = FALSE;

  if (!statement || !store_keys_step(keys, statement, &row, error)) {
    return FALSE;
  }
  *last = MAX(keys->root.last_subject, at_least);
  if (row) {
    *last = MAX(*last, sqlite3_column_int64(statement, 0));
    sqlite3_reset(statement);
  }
  return *last < G_MAXINT64 - 1 ||
         store_fail(error, STORE_ERROR_INVALID, keys->name, "there are no more numbers");
}

/* Within a transaction for writing. */
static gboolean
add(StoreKeys *keys, const guint8 hash[32], gint64 at_least, gint64 *subject, GError **error)
{
  guint8 key[STORE_KEY_BYTES], wrapped[STORE_WRAPPED_BYTES];
  sqlite3_stmt *statement;
  gint64 last;

  if (!find_last(keys, at_least, &last, error)) {
    return FALSE;
  }
  *subject = keys->root.last_subject = last + 1;
  randombytes_buf(key, sizeof key);
  store_keys_wrap(keys->root.log_id, STORE_WRAP_SUBJECT, *subject, hash, keys->secret->root, key,
                  wrapped);
  sodium_memzero(key, sizeof key);
  statement = store_keys_sql(keys, STORE_KEYS_ADD, error);
  if (!statement) {
    return FALSE;
  }
  sqlite3_bind_int64(statement, 1, *subject);
  sqlite3_bind_blob(statement, 2, hash, 32, SQLITE_TRANSIENT);
  sqlite3_bind_blob(statement, 3, wrapped, sizeof wrapped, SQLITE_TRANSIENT);
  return store_keys_step(keys, statement, NULL, error) && store_root_save(keys, error);
}

gboolean
store_keys_find_subject(StoreKeys *keys, const void *identity, gsize n, gboolean make,
                        gint64 at_least, gint64 *subject, GError **error)
{
  guint8 hash[32];
  gboolean good;

  *subject = 0;
  hash_identity(keys, identity, n, hash);
  if (!store_root_begin(keys, FALSE, error)) {
    return FALSE;
  }
  good = find(keys, hash, subject, error);
  if (!store_keys_end(keys, good, error) || *subject || !make) {
    return good;
  }
  if (keys->read_only) {
    return store_fail(error, STORE_ERROR_INVALID, keys->name, "it was opened for reading only");
  }
  if (!store_root_begin(keys, TRUE, error)) {
    return FALSE;
  }
  good =
      find(keys, hash, subject, error) && (*subject || add(keys, hash, at_least, subject, error));
  if (!store_keys_end(keys, good, error)) {
    *subject = 0;
    return FALSE;
  }
  return TRUE;
}

gboolean
store_keys_get_subject(StoreKeys *keys, gint64 subject, guint8 key[STORE_KEY_BYTES],
                       gboolean *there, GError **error)
{
  guint8 identity[32], wrapped[STORE_WRAPPED_BYTES];
  sqlite3_stmt *statement;
  gboolean good;

  *there = FALSE;
  if (!store_root_begin(keys, FALSE, error)) {
    return FALSE;
  }
  statement = store_keys_sql(keys, STORE_KEYS_GET, error);
  if (statement) {
    sqlite3_bind_int64(statement, 1, subject);
  }
  good = statement && store_keys_step(keys, statement, there, error);
  if (good && *there) {
    good = store_keys_blob(keys, statement, 0, identity, sizeof identity, error) &&
           store_keys_blob(keys, statement, 1, wrapped, sizeof wrapped, error) &&
           (store_keys_unwrap(keys->root.log_id, STORE_WRAP_SUBJECT, subject, identity,
                              keys->secret->root, wrapped, key) ||
            store_fail(error, STORE_ERROR_CORRUPT, keys->name,
                       "the key of subject %" G_GINT64_FORMAT " was changed", subject));
  }
  good = store_keys_end(keys, good, error);
  *there = *there && good;
  return good;
}
