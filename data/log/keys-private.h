/* keys-private.h - what the files of the keys share; see keys.h.
 *
 * LOG.keys holds three tables: "root", one row, says how the root key is kept; "log_keys" holds the
 * keys of the log; "subjects" one row for each subject that has a key. Each key is 72 bytes there:
 * nonce, 32 bytes of ciphertext, tag. What a key is for is bound to it (log id, kind, number, the
 * hash of the identity), so that no row can take another's place.
 */
#ifndef HILUM_DATA_LOG_KEYS_PRIVATE_H
#define HILUM_DATA_LOG_KEYS_PRIVATE_H

#include <sodium.h>
#include <sqlite3.h>

#include "keys.h"
#include "private.h"

#define STORE_WRAPPED_BYTES 72u
#define STORE_SALT_BYTES 16u

typedef enum {
  STORE_KEYS_BEGIN_READ,
  STORE_KEYS_BEGIN_WRITE,
  STORE_KEYS_COMMIT,
  STORE_KEYS_ROLLBACK,
  STORE_KEYS_ROOT,
  STORE_KEYS_SET_ROOT,
  STORE_KEYS_LOG_KEY,
  STORE_KEYS_SET_LOG_KEY,
  STORE_KEYS_FIND,
  STORE_KEYS_GET,
  STORE_KEYS_ADD,
  STORE_KEYS_REWRAP,
  STORE_KEYS_ERASE,
  STORE_KEYS_NEXT,
  STORE_KEYS_LAST,
  STORE_KEYS_N_SQL,
} StoreKeysSql;

/* The row of "root". */
typedef struct {
  char log_id[33];
  StoreProtection protection;
  gint64 last_subject; /* the highest number that was ever given */
  guint8 salt[STORE_SALT_BYTES];
  gint64 ops, memory;   /* Argon2id's limits; 0 without a passphrase */
  guint8 check[32];     /* of the root key, a keyed hash: whether it is the right one */
  gboolean has_pending; /* the root key is being replaced where it lies: */
  guint8 pending[STORE_WRAPPED_BYTES]; /* ... the present one, wrapped by the next */
  gint64 leftover; /* bit 1 << protection: its place still holds an old root key */
  guint8 mac[32];  /* over all of these, keyed by the root key */
} StoreRoot;

/* The rows of "log_keys". */
typedef enum {
  STORE_LOG_KEY_SIGNER = 1, /* seed of the key that signs */
  STORE_LOG_KEY_LOG,        /* what others are derived from */
} StoreLogKey;

/* Kept in locked memory. */
typedef struct {
  guint8 root[STORE_KEY_BYTES], log[STORE_KEY_BYTES];
} StoreKeysSecret;

struct _StoreKeys {
  sqlite3 *db;
  char *name;     /* of LOG.keys, as messages show it */
  char *path;     /* of LOG.keys */
  char *key_path; /* of LOG.key */
  gboolean read_only;
  StoreSecrets secrets; /* zeroes: none */
  StoreRoot root;       /* as it was read last */
  StoreKeysSecret *secret;
  sqlite3_stmt *statements[STORE_KEYS_N_SQL];
};

/* ---- keys-file.c: the SQLite file --------------------------------------------------------------
 */

/* Without db: names and memory. */
StoreKeys *store_keys_new(const char *log_path, gboolean read_only, const StoreSecrets *secrets,
                          GError **error);
/* MAKE: makes the file, which holds nothing then; else NOT_FOUND when it is not there, or is
 * nothing but begun. */
gboolean store_keys_connect(StoreKeys *keys, const char *log_path, gboolean make, GError **error);
/* INVALID when there are keys already. */
gboolean store_keys_require_none(StoreKeys *keys, GError **error);
/* Makes the tables, within a transaction for writing: INVALID when there are keys already. */
gboolean store_keys_create(StoreKeys *keys, GError **error);
/* A statement, reset and without values; NULL with *error set. */
sqlite3_stmt *store_keys_sql(StoreKeys *keys, StoreKeysSql sql, GError **error);
/* Steps and, where there is no row, resets. *row may be NULL. */
gboolean store_keys_step(StoreKeys *keys, sqlite3_stmt *statement, gboolean *row, GError **error);
gboolean store_keys_run(StoreKeys *keys, StoreKeysSql sql, GError **error);
/* COMMIT when GOOD, else ROLLBACK; FALSE unless all is well. */
gboolean store_keys_end(StoreKeys *keys, gboolean good, GError **error);
/* Within a transaction. */
gboolean store_keys_read_root(StoreKeys *keys, StoreRoot *root, GError **error);
gboolean store_keys_write_root(StoreKeys *keys, const StoreRoot *root, GError **error);
/* Column INDEX holds N bytes: copied to BYTES. */
gboolean store_keys_blob(StoreKeys *keys, sqlite3_stmt *statement, int index, guint8 *bytes, int n,
                         GError **error);
/* Whoever changes the root key holds the file alone, over several transactions. Letting it go
 * overwrites the journal with zeros. */
gboolean store_keys_hold(StoreKeys *keys, GError **error);
void store_keys_let_go(StoreKeys *keys);

/* ---- keys-wrap.c: what is under a key ----------------------------------------------------------
 */

/* What a wrapped key is for. */
typedef enum {
  STORE_WRAP_SIGNER = 's',
  STORE_WRAP_LOG = 'l',
  STORE_WRAP_SUBJECT = 'p',
  STORE_WRAP_ROOT = 'r',
} StoreWrap;
/* IDENTITY: 32 bytes, of a subject; else NULL. */
void store_keys_wrap(const char *log_id, StoreWrap kind, gint64 number, const guint8 *identity,
                     const guint8 by[STORE_KEY_BYTES], const guint8 key[STORE_KEY_BYTES],
                     guint8 wrapped[STORE_WRAPPED_BYTES]);
gboolean store_keys_unwrap(const char *log_id, StoreWrap kind, gint64 number,
                           const guint8 *identity, const guint8 by[STORE_KEY_BYTES],
                           const guint8 wrapped[STORE_WRAPPED_BYTES], guint8 key[STORE_KEY_BYTES]);
void store_keys_hash(const guint8 key[STORE_KEY_BYTES], const char *purpose, const void *bytes,
                     gsize n, guint8 hash[32]);
void store_root_check(const StoreRoot *root, const guint8 key[STORE_KEY_BYTES], guint8 check[32]);
void store_root_mac(const StoreRoot *root, const guint8 key[STORE_KEY_BYTES], guint8 mac[32]);

/* ---- keys-place.c: where the root key is kept --------------------------------------------------
 */

/* The root key that ROOT speaks of; *loose (may be NULL): others could have read it. ASK: whether
 * the user may be asked. */
gboolean store_place_get(StoreKeys *keys, const StoreRoot *root, gboolean ask, guint8 *key,
                         gboolean *loose, GError **error);
/* A new root key: random, or (with salt and limits in ROOT) out of a passphrase; not kept yet. */
gboolean store_place_new(StoreKeys *keys, StoreRoot *root, const StoreSecrets *secrets, guint8 *key,
                         GError **error);
/* Durable when it returns; what was there is overwritten. A passphrase is kept nowhere. */
gboolean store_place_put(StoreKeys *keys, const StoreRoot *root, const StoreSecrets *secrets,
                         const guint8 *key, GError **error);
gboolean store_place_forget(StoreKeys *keys, const char *log_id, StoreProtection protection,
                            const StoreSecrets *secrets, GError **error);
/* The log's id in a LOG.key that a making of these very keys, which was cut short, has left; or a
 * random one. */
void store_place_log_id(StoreKeys *keys, char log_id[33]);
/* Before the first root key is put there: a LOG.key of another log is set aside. */
gboolean store_place_clear(StoreKeys *keys, const char *log_id, GError **error);

/* ---- keys-root.c: one root key after another ---------------------------------------------------
 */

/* Finds the root key of the file, asking where it must, reads the log's key, and finishes what was
 * cut short. */
gboolean store_root_unlock(StoreKeys *keys, GError **error);
/* Begins a transaction in which keys->root is as in the file and keys->secret->root opens it. */
gboolean store_root_begin(StoreKeys *keys, gboolean write, GError **error);
/* Within a transaction. */
gboolean store_root_log_key(StoreKeys *keys, StoreLogKey id, guint8 *key, GError **error);
/* keys->root, with its mac, into the file. */
gboolean store_root_save(StoreKeys *keys, GError **error);

#endif
