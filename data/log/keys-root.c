/* keys-root.c - one root key after another.
 *
 * 1. At every moment the key that lies in the place that the file names opens the whole file.
 *    Between two places: the new key is in its place before the file, in one transaction, goes
 *    over to it, and the old one is forgotten after that (LEFTOVER says until then that it must
 *    be). Within one place, which holds one key: first the file learns the present key wrapped by
 *    the next one (PENDING), then the next one takes the place, then the file goes over to it. So
 *    whichever of the two lies there after a crash, it opens the file.
 * 2. Whoever can write finishes at the next opening what was cut short.
 * 3. Another process may have changed the root key since it was last seen: each transaction looks,
 *    by the root key's check.
 * 4. A subject is erased in the same transaction in which the file goes over to a new root key, so
 *    that with an error nothing was erased.
 */
#include <string.h>

#include "keys-private.h"

/* ---- finding the root key -------------------------------------------------------------------- */

static gboolean
opens(const StoreRoot *root, const guint8 *key)
{
  guint8 check[32];

  store_root_check(root, key, check);
  return sodium_memcmp(check, root->check, sizeof check) == 0;
}

static const struct {
  StoreLogKey id;
  StoreWrap kind;
} log_keys[] = {{STORE_LOG_KEY_SIGNER, STORE_WRAP_SIGNER}, {STORE_LOG_KEY_LOG, STORE_WRAP_LOG}};

gboolean
store_root_log_key(StoreKeys *keys, StoreLogKey id, guint8 *key, GError **error)
{
  const StoreWrap kind = log_keys[id - STORE_LOG_KEY_SIGNER].kind;
  sqlite3_stmt *statement = store_keys_sql(keys, STORE_KEYS_LOG_KEY, error);
  guint8 wrapped[STORE_WRAPPED_BYTES];
  gboolean row = FALSE, good;

  if (!statement) {
    return FALSE;
  }
  sqlite3_bind_int64(statement, 1, id);
  if (!store_keys_step(keys, statement, &row, error)) {
    return FALSE;
  }
  if (!row) {
    return store_fail(error, STORE_ERROR_CORRUPT, keys->name, "a key of the log is missing");
  }
  good = store_keys_blob(keys, statement, 0, wrapped, sizeof wrapped, error);
  sqlite3_reset(statement);
  return good &&
         (store_keys_unwrap(keys->root.log_id, kind, id, NULL, keys->secret->root, wrapped, key) ||
          store_fail(error, STORE_ERROR_CORRUPT, keys->name, "a key of the log was changed"));
}

/* KEY is what lies in the place. Sets keys->secret->root when it, or what is pending under it,
 * opens the file. */
static gboolean
try_key(StoreKeys *keys, const guint8 *key)
{
  const StoreRoot *root = &keys->root;
  guint8 *present = keys->secret->root;

  if (opens(root, key)) {
    memcpy(present, key, STORE_KEY_BYTES);
    return TRUE;
  }
  if (root->has_pending &&
      store_keys_unwrap(root->log_id, STORE_WRAP_ROOT, 0, NULL, key, root->pending, present)) {
    if (opens(root, present)) {
      return TRUE;
    }
  }
  sodium_memzero(present, STORE_KEY_BYTES);
  return FALSE;
}

static gboolean
check_row(StoreKeys *keys, GError **error)
{
  guint8 mac[32];

  store_root_mac(&keys->root, keys->secret->root, mac);
  return sodium_memcmp(mac, keys->root.mac, sizeof mac) == 0 ||
         store_fail(error, STORE_ERROR_CORRUPT, keys->name, "what it says of itself was changed");
}

static const char *
wrong_key(StoreProtection protection)
{
  switch (protection) {
  case STORE_PROTECTION_PASSPHRASE:
    return "this is not its passphrase";
  case STORE_PROTECTION_KEYRING:
    return "the root key in the keyring is not the one that opens it";
  case STORE_PROTECTION_FILE:
  default:
    return "the root key in the .key file beside it is not the one that opens it";
  }
}

static gboolean
same_place(const StoreRoot *a, const StoreRoot *b)
{
  return a->protection == b->protection && memcmp(a->check, b->check, sizeof a->check) == 0 &&
         a->has_pending == b->has_pending && memcmp(a->pending, b->pending, sizeof a->pending) == 0;
}

static gboolean
read_root(StoreKeys *keys, StoreRoot *root, GError **error)
{
  gboolean good =
      store_keys_run(keys, STORE_KEYS_BEGIN_READ, error) && store_keys_read_root(keys, root, error);

  return store_keys_end(keys, good, error) && good;
}

/* Another process may give the file another root key while this one looks for the first. */
static gboolean
find_root(StoreKeys *keys, gboolean ask, gboolean *in_place, gboolean *loose, GError **error)
{
  guint8 key[STORE_KEY_BYTES] = {0};
  gboolean good = FALSE, again = TRUE;

  if (!read_root(keys, &keys->root, error)) {
    return FALSE;
  }
  for (guint tries = 0; again && !good && tries < 8; tries++) {
    g_autoptr(GError) local = NULL;
    StoreRoot now;
    gboolean got = store_place_get(keys, &keys->root, ask, key, loose, &local);
    good = got && try_key(keys, key);
    if (good) {
      break;
    }
    if (!read_root(keys, &now, error)) {
      sodium_memzero(key, sizeof key);
      return FALSE;
    }
    again = !same_place(&now, &keys->root);
    keys->root = now;
    if (!again && !got) {
      g_propagate_error(error, g_steal_pointer(&local));
      sodium_memzero(key, sizeof key);
      return FALSE;
    }
  }
  *in_place = good && sodium_memcmp(key, keys->secret->root, sizeof key) == 0;
  sodium_memzero(key, sizeof key);
  return good ||
         store_fail(error, STORE_ERROR_LOCKED, keys->name, "%s", wrong_key(keys->root.protection));
}

gboolean
store_root_begin(StoreKeys *keys, gboolean write, GError **error)
{
  const StoreKeysSql begin = write ? STORE_KEYS_BEGIN_WRITE : STORE_KEYS_BEGIN_READ;
  gboolean in_place, loose;

  for (guint tries = 0; tries < 8; tries++) {
    if (!store_keys_run(keys, begin, error)) {
      return FALSE;
    }
    if (!store_keys_read_root(keys, &keys->root, error)) {
      return store_keys_end(keys, FALSE, NULL);
    }
    if (opens(&keys->root, keys->secret->root)) {
      return check_row(keys, error) || store_keys_end(keys, FALSE, NULL);
    }
    store_keys_end(keys, FALSE, NULL);
    if (!find_root(keys, FALSE, &in_place, &loose, error)) {
      return FALSE;
    }
  }
  return store_fail(error, STORE_ERROR_BUSY, keys->name, "another program is changing the keys");
}

gboolean
store_root_save(StoreKeys *keys, GError **error)
{
  store_root_mac(&keys->root, keys->secret->root, keys->root.mac);
  return store_keys_write_root(keys, &keys->root, error);
}

/* ---- going over to another root key ---------------------------------------------------------- */

/* What is to be done to the file in one transaction. */
typedef struct {
  StoreRoot root;  /* protection, salt and limits of the new root key */
  guint8 *key;     /* the new root key; NULL: it stays */
  gint64 erase;    /* a subject, or 0 */
  gboolean strict; /* a key that was changed is an error; else it stays unreadable */
} Change;

static gboolean
rewrap_log_keys(StoreKeys *keys, const guint8 *by, GError **error)
{
  guint8 key[STORE_KEY_BYTES], wrapped[STORE_WRAPPED_BYTES];
  gboolean good = TRUE;

  for (guint i = 0; good && i < G_N_ELEMENTS(log_keys); i++) {
    sqlite3_stmt *statement;
    good = store_root_log_key(keys, log_keys[i].id, key, error);
    statement = good ? store_keys_sql(keys, STORE_KEYS_SET_LOG_KEY, error) : NULL;
    if (statement) {
      store_keys_wrap(keys->root.log_id, log_keys[i].kind, log_keys[i].id, NULL, by, key, wrapped);
      sqlite3_bind_int64(statement, 1, log_keys[i].id);
      sqlite3_bind_blob(statement, 2, wrapped, sizeof wrapped, SQLITE_TRANSIENT);
    }
    good = statement && store_keys_step(keys, statement, NULL, error);
  }
  sodium_memzero(key, sizeof key);
  return good;
}

/* The subject that STATEMENT stands on. */
static gboolean
rewrap_subject(StoreKeys *keys, sqlite3_stmt *next, gint64 number, const Change *change,
               GError **error)
{
  guint8 identity[32], key[STORE_KEY_BYTES], wrapped[STORE_WRAPPED_BYTES];
  sqlite3_stmt *statement;
  g_autoptr(GError) local = NULL;
  gboolean good = store_keys_blob(keys, next, 1, identity, sizeof identity, &local) &&
                  store_keys_blob(keys, next, 2, wrapped, sizeof wrapped, &local) &&
                  store_keys_unwrap(keys->root.log_id, STORE_WRAP_SUBJECT, number, identity,
                                    keys->secret->root, wrapped, key);

  if (!good) {
    return !change->strict ||
           store_fail(error, STORE_ERROR_CORRUPT, keys->name,
                      "the key of subject %" G_GINT64_FORMAT " was changed", number);
  }
  store_keys_wrap(keys->root.log_id, STORE_WRAP_SUBJECT, number, identity, change->key, key,
                  wrapped);
  sodium_memzero(key, sizeof key);
  statement = store_keys_sql(keys, STORE_KEYS_REWRAP, error);
  if (!statement) {
    return FALSE;
  }
  sqlite3_bind_int64(statement, 1, number);
  sqlite3_bind_blob(statement, 2, wrapped, sizeof wrapped, SQLITE_TRANSIENT);
  return store_keys_step(keys, statement, NULL, error);
}

static gboolean
rewrap_subjects(StoreKeys *keys, const Change *change, GError **error)
{
  gint64 number = 0;

  for (;;) {
    sqlite3_stmt *statement = store_keys_sql(keys, STORE_KEYS_NEXT, error);
    gboolean row = FALSE;
    if (!statement) {
      return FALSE;
    }
    sqlite3_bind_int64(statement, 1, number);
    if (!store_keys_step(keys, statement, &row, error)) {
      return FALSE;
    }
    if (!row) {
      return TRUE;
    }
    number = sqlite3_column_int64(statement, 0);
    if (!rewrap_subject(keys, statement, number, change, error)) {
      return FALSE;
    }
  }
}

static gboolean
erase_row(StoreKeys *keys, gint64 subject, GError **error)
{
  sqlite3_stmt *statement = store_keys_sql(keys, STORE_KEYS_ERASE, error);

  if (!statement) {
    return FALSE;
  }
  sqlite3_bind_int64(statement, 1, subject);
  return store_keys_step(keys, statement, NULL, error) &&
         (sqlite3_changes(keys->db) == 1 ||
          store_fail(error, STORE_ERROR_NOT_FOUND, keys->name,
                     "subject %" G_GINT64_FORMAT " has no key", subject));
}

/* Within a transaction, which it ends. keys->root and the root key are the new ones after it. */
static gboolean
apply(StoreKeys *keys, const Change *change, GError **error)
{
  const StoreRoot before = keys->root;
  guint8 old[STORE_KEY_BYTES];
  gboolean good;

  memcpy(old, keys->secret->root, sizeof old);
  good = (!change->erase || erase_row(keys, change->erase, error)) &&
         (!change->key ||
          (rewrap_log_keys(keys, change->key, error) && rewrap_subjects(keys, change, error)));
  if (change->key) {
    keys->root.protection = change->root.protection;
    memcpy(keys->root.salt, change->root.salt, sizeof keys->root.salt);
    keys->root.ops = change->root.ops;
    keys->root.memory = change->root.memory;
    keys->root.has_pending = FALSE;
    memset(keys->root.pending, 0, sizeof keys->root.pending);
    keys->root.leftover |= G_GINT64_CONSTANT(1) << before.protection;
    keys->root.leftover &= ~(G_GINT64_CONSTANT(1) << change->root.protection);
    store_root_check(&keys->root, change->key, keys->root.check);
    memcpy(keys->secret->root, change->key, STORE_KEY_BYTES);
  }
  good = store_keys_end(keys, good && store_root_save(keys, error), error);
  if (!good) {
    keys->root = before;
    memcpy(keys->secret->root, old, sizeof old);
  }
  sodium_memzero(old, sizeof old);
  return good;
}

/* The file learns that change->key may come next. Within a transaction, which it ends; the next one
 * is begun. */
static gboolean
announce(StoreKeys *keys, const Change *change, GError **error)
{
  keys->root.has_pending = TRUE;
  store_keys_wrap(keys->root.log_id, STORE_WRAP_ROOT, 0, NULL, change->key, keys->secret->root,
                  keys->root.pending);
  return store_keys_end(keys, store_root_save(keys, error), error) &&
         store_root_begin(keys, TRUE, error);
}

/* Holds the file; in a transaction for writing, with keys->root as it is. */
static gboolean
hold(StoreKeys *keys, GError **error)
{
  if (!store_keys_hold(keys, error)) {
    return FALSE;
  }
  store_keys_end(keys, FALSE, NULL);
  if (!store_root_begin(keys, TRUE, error)) {
    store_keys_let_go(keys);
    return FALSE;
  }
  return TRUE;
}

/* IN_PLACE: change->key lies there already. */
static gboolean
go_over(StoreKeys *keys, const Change *change, const StoreSecrets *secrets, gboolean in_place,
        GError **error)
{
  const StoreProtection before = keys->root.protection;
  gboolean good = TRUE;

  if (change->key && !in_place) {
    if (before == change->root.protection && before != STORE_PROTECTION_PASSPHRASE) {
      good = announce(keys, change, error);
    }
    good = good && store_place_put(keys, &change->root, secrets, change->key, error);
  }
  return good && apply(keys, change, error);
}

/* Forgets the keys that lie where none belongs any more, and says so in the file. No error: the
 * next opening tries again. */
static void
forget_leftover(StoreKeys *keys, const StoreSecrets *secrets)
{
  gint64 left = keys->root.leftover;

  for (guint i = 0; i <= STORE_PROTECTION_KEYRING; i++) {
    if (left >> i & 1 && store_place_forget(keys, keys->root.log_id, i, secrets, NULL)) {
      left &= ~(G_GINT64_CONSTANT(1) << i);
    }
  }
  if (left != keys->root.leftover && store_root_begin(keys, TRUE, NULL)) {
    keys->root.leftover &= left;
    store_keys_end(keys, store_root_save(keys, NULL), NULL);
  }
}

/* ---- what keys.h promises -------------------------------------------------------------------- */

gboolean
store_keys_protect(StoreKeys *keys, StoreProtection protection, const StoreSecrets *secrets,
                   GError **error)
{
  Change change = {.strict = TRUE};
  guint8 key[STORE_KEY_BYTES];
  gboolean good;

  if (keys->read_only) {
    return store_fail(error, STORE_ERROR_INVALID, keys->name, "it was opened for reading only");
  }
  memcpy(change.root.log_id, keys->root.log_id, sizeof change.root.log_id);
  change.root.protection = protection;
  change.key = key;
  /* The user is asked while nobody waits for the file. */
  good = store_place_new(keys, &change.root, secrets, key, error);
  if (good) {
    good = hold(keys, error);
    if (good) {
      good = go_over(keys, &change, secrets, FALSE, error);
      store_keys_let_go(keys);
    }
  }
  sodium_memzero(key, sizeof key);
  if (good) {
    forget_leftover(keys, secrets && secrets->forget ? secrets : &keys->secrets);
    if (secrets) {
      keys->secrets = *secrets;
    }
  }
  return good;
}

/* Whether there is a root key that can be replaced without asking. */
static gboolean
can_replace(const StoreRoot *root, const StoreSecrets *secrets)
{
  return root->protection == STORE_PROTECTION_FILE ||
         (root->protection == STORE_PROTECTION_KEYRING && secrets->keep);
}

/* One more root key for the same place, and ERASE (or 0) is gone. */
static gboolean
replace(StoreKeys *keys, gint64 erase, const StoreSecrets *secrets, GError **error)
{
  Change change = {.erase = erase};
  guint8 key[STORE_KEY_BYTES];
  gboolean good = hold(keys, error);

  if (!good) {
    return FALSE;
  }
  if (can_replace(&keys->root, secrets)) {
    change.root = keys->root;
    good = store_place_new(keys, &change.root, secrets, key, error);
    change.key = key;
  }
  good = good && go_over(keys, &change, secrets, FALSE, error);
  store_keys_let_go(keys);
  sodium_memzero(key, sizeof key);
  return good;
}

gboolean
store_keys_erase_subject(StoreKeys *keys, gint64 subject, const StoreSecrets *secrets,
                         GError **error)
{
  guint8 key[STORE_KEY_BYTES];
  gboolean there = FALSE;
  g_autoptr(GError) local = NULL;

  if (keys->read_only) {
    return store_fail(error, STORE_ERROR_INVALID, keys->name, "it was opened for reading only");
  }
  /* Nobody gets a new root key for nothing. A key that was changed is there, and can be erased. */
  if (store_keys_get_subject(keys, subject, key, &there, &local)) {
    sodium_memzero(key, sizeof key);
    if (!there) {
      return store_fail(error, STORE_ERROR_NOT_FOUND, keys->name,
                        "subject %" G_GINT64_FORMAT " has no key", subject);
    }
  } else if (!g_error_matches(local, STORE_ERROR, STORE_ERROR_CORRUPT)) {
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
  }
  return replace(keys, subject, secrets ? secrets : &keys->secrets, error);
}

/* The key that lies in the place is the next one, and the file has yet to go over to it. */
static void
finish(StoreKeys *keys)
{
  Change change = {0};
  guint8 key[STORE_KEY_BYTES];

  if (!hold(keys, NULL)) {
    return;
  }
  change.root = keys->root;
  change.key = key;
  if (keys->root.has_pending && store_place_get(keys, &keys->root, FALSE, key, NULL, NULL) &&
      !opens(&keys->root, key)) {
    go_over(keys, &change, &keys->secrets, TRUE, NULL);
  }
  store_keys_let_go(keys);
  sodium_memzero(key, sizeof key);
}

gboolean
store_root_unlock(StoreKeys *keys, GError **error)
{
  gboolean in_place = FALSE, loose = FALSE;

  if (!find_root(keys, TRUE, &in_place, &loose, error) || !check_row(keys, error) ||
      !store_root_log_key(keys, STORE_LOG_KEY_LOG, keys->secret->log, error)) {
    return FALSE;
  }
  if (!keys->read_only) {
    if (keys->root.has_pending && !in_place) {
      finish(keys);
    } else if (keys->root.has_pending || loose) {
      replace(keys, 0, &keys->secrets, NULL);
    }
    forget_leftover(keys, &keys->secrets);
  }
  return TRUE;
}
