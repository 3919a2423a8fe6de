/* keys-fixture.h - keys of a log in a folder of its own; a keyring that is a file in it, so that
 * processes share it, and a person who knows a passphrase.
 */
#ifndef HILUM_TESTS_DATA_KEYS_FIXTURE_H
#define HILUM_TESTS_DATA_KEYS_FIXTURE_H

#include "fault-vfs.h"
#include "log-fixture.h"
#include "log/keys.h"

#define LOG_ID "00112233445566778899aabbccddeeff"
#define OTHER_ID "ffeeddccbbaa99887766554433221100"

typedef struct {
  LogFolder log;
  char *ring;             /* the keyring's file */
  const char *passphrase; /* NULL: nobody answers */
  guint asked;
  gboolean refuses; /* the keyring takes nothing */
  char *keys_path, *key_path;
  StoreSecrets secrets;
} KeysFixture;

static inline gboolean
ring_fail(GError **error, const char *what)
{
  g_set_error(error, STORE_ERROR, STORE_ERROR_LOCKED, "keyring: %s", what);
  return FALSE;
}

static inline gboolean
ring_fetch(const char *log_id, guint8 key[32], gpointer user, GError **error)
{
  KeysFixture *fixture = user;
  g_autofree char *bytes = NULL;
  gsize n = 0;

  if (!g_file_get_contents(fixture->ring, &bytes, &n, NULL) || n != 64 ||
      memcmp(bytes, log_id, 32) != 0) {
    return ring_fail(error, "nothing there");
  }
  memcpy(key, bytes + 32, 32);
  return TRUE;
}

/* It may fail, or the process die, before the key is kept and after it is. */
static inline gboolean
ring_keep(const char *log_id, const guint8 key[32], gpointer user, GError **error)
{
  KeysFixture *fixture = user;
  char bytes[64];

  memcpy(bytes, log_id, 32);
  memcpy(bytes + 32, key, 32);
  if (fixture->refuses || fault_strikes()) {
    fault_code(0);
    return ring_fail(error, "takes nothing");
  }
  g_assert_true(g_file_set_contents(fixture->ring, bytes, sizeof bytes, NULL));
  if (fault_strikes()) {
    fault_code(0);
    return ring_fail(error, "says that it took nothing");
  }
  return TRUE;
}

static inline gboolean
ring_forget(const char *log_id, gpointer user, GError **error)
{
  KeysFixture *fixture = user;

  g_remove(fixture->ring);
  return TRUE;
}

static inline char *
person_ask(gboolean again, gpointer user, GError **error)
{
  KeysFixture *fixture = user;

  fixture->asked++;
  if (!fixture->passphrase) {
    ring_fail(error, "nobody answers");
  }
  return g_strdup(fixture->passphrase);
}

static inline void
keys_set_up(KeysFixture *fixture, gconstpointer data)
{
  log_folder_set_up(&fixture->log, NULL);
  fixture->ring = g_build_filename(fixture->log.folder, "ring", NULL);
  fixture->keys_path = g_strconcat(fixture->log.path, ".keys", NULL);
  fixture->key_path = g_strconcat(fixture->log.path, ".key", NULL);
  fixture->passphrase = "correct horse";
  fixture->secrets = (StoreSecrets){ring_fetch, ring_keep, ring_forget, person_ask, fixture};
  fault_arm(0, FAULT_IO, FALSE);
}

static inline void
keys_tear_down(KeysFixture *fixture, gconstpointer data)
{
  log_folder_tear_down(&fixture->log, NULL);
  g_free(fixture->ring);
  g_free(fixture->keys_path);
  g_free(fixture->key_path);
}

#define KEYS_TEST(name, data, function)                                                            \
  g_test_add(name, KeysFixture, data, keys_set_up, function, keys_tear_down)

/* ---- what must go well ----------------------------------------------------------------------- */

static inline StoreKeys *
make_keys(KeysFixture *fixture, StoreProtection protection)
{
  g_autoptr(GError) error = NULL;
  StoreKeys *keys =
      store_keys_make(fixture->log.path, LOG_ID, protection, &fixture->secrets, &error);

  g_assert_no_error(error);
  g_assert_nonnull(keys);
  return keys;
}

static inline StoreKeys *
open_keys(KeysFixture *fixture, gboolean read_only)
{
  g_autoptr(GError) error = NULL;
  StoreKeys *keys = store_keys_open(fixture->log.path, read_only, &fixture->secrets, &error);

  g_assert_no_error(error);
  g_assert_nonnull(keys);
  return keys;
}

static inline void
assert_not_opened(KeysFixture *fixture, StoreError code)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreKeys) keys = store_keys_open(fixture->log.path, FALSE, &fixture->secrets, &error);

  g_assert_null(keys);
  g_assert_error(error, STORE_ERROR, (int)code);
}

static inline gint64
find_subject(StoreKeys *keys, const char *identity, gboolean make, gint64 at_least)
{
  g_autoptr(GError) error = NULL;
  gint64 subject = -1;
  gboolean good =
      store_keys_find_subject(keys, identity, strlen(identity), make, at_least, &subject, &error);

  g_assert_no_error(error);
  g_assert_true(good);
  return subject;
}

/* Whether the subject has a key. */
static inline gboolean
get_key(StoreKeys *keys, gint64 subject, guint8 key[32])
{
  g_autoptr(GError) error = NULL;
  gboolean there = FALSE, good;

  memset(key, 0, 32);
  good = store_keys_get_subject(keys, subject, key, &there, &error);
  g_assert_no_error(error);
  g_assert_true(good);
  return there;
}

static inline void
erase(StoreKeys *keys, gint64 subject)
{
  g_autoptr(GError) error = NULL;
  gboolean good = store_keys_erase_subject(keys, subject, NULL, &error);

  g_assert_no_error(error);
  g_assert_true(good);
}

static inline void
protect(KeysFixture *fixture, StoreKeys *keys, StoreProtection protection)
{
  g_autoptr(GError) error = NULL;
  gboolean good = store_keys_protect(keys, protection, &fixture->secrets, &error);

  g_assert_no_error(error);
  g_assert_true(good);
}

/* All that must stay as it is, whatever happens to the root key. */
typedef struct {
  guint8 index[32], public_key[32], one[32], two[32];
  gboolean has_two;
} KeysSeen;

static inline void
see(StoreKeys *keys, KeysSeen *seen)
{
  g_auto(StoreSigner) signer = {0};
  g_autoptr(GError) error = NULL;

  memset(seen, 0, sizeof *seen);
  g_assert_cmpstr(store_keys_log_id(keys), ==, LOG_ID);
  g_assert_true(store_keys_derive(keys, "index", seen->index, &error));
  g_assert_true(store_keys_signer(keys, "hilum/test", &signer, &error));
  g_assert_no_error(error);
  memcpy(seen->public_key, signer.verifier.public_key, 32);
  g_assert_true(get_key(keys, 1, seen->one));
  seen->has_two = get_key(keys, 2, seen->two);
  g_assert_cmpint(find_subject(keys, "one", FALSE, 0), ==, 1);
  g_assert_cmpint(find_subject(keys, "two", FALSE, 0), ==, seen->has_two ? 2 : 0);
}

/* Keys with the subjects 1 ("one") and 2 ("two"). */
static inline void
make_two(KeysFixture *fixture, StoreProtection protection, KeysSeen *seen)
{
  g_autoptr(StoreKeys) keys = make_keys(fixture, protection);

  g_assert_cmpint(find_subject(keys, "one", TRUE, 0), ==, 1);
  g_assert_cmpint(find_subject(keys, "two", TRUE, 0), ==, 2);
  see(keys, seen);
}

static inline void
assert_same(const KeysSeen *a, const KeysSeen *b)
{
  g_assert_cmpmem(a, sizeof *a, b, sizeof *b);
}

/* Whether the file at PATH holds the N bytes. */
static inline gboolean
file_holds(const char *path, const void *bytes, gsize n)
{
  g_autofree char *content = NULL;
  gsize length = 0;

  return g_file_get_contents(path, &content, &length, NULL) &&
         memmem(content, length, bytes, n) != NULL;
}

#endif
