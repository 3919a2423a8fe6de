/* test-keys.c - the keys of a log: kept in three ways, found, erased, and refused. */
#include "keys-fixture.h"
#include "shared.h"
#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const StoreProtection each[] = {STORE_PROTECTION_FILE, STORE_PROTECTION_PASSPHRASE,
                                       STORE_PROTECTION_KEYRING};

static void
copy_file(const char *from, const char *to)
{
  g_autofree char *bytes = NULL;
  gsize n = 0;

  g_assert_true(g_file_get_contents(from, &bytes, &n, NULL));
  g_assert_true(g_file_set_contents(to, bytes, (gssize)n, NULL));
  g_chmod(to, 0600);
}

static guint
mode_of(const char *path)
{
  struct stat st;

  g_assert_cmpint(lstat(path, &st), ==, 0);
  return st.st_mode & 07777;
}

/* ---- as it should be ------------------------------------------------------------------------- */

static void
test_kept(KeysFixture *fixture, gconstpointer data)
{
  const StoreProtection protection = *(const StoreProtection *)data;
  g_autoptr(GError) error = NULL;
  KeysSeen made, again;

  make_two(fixture, protection, &made);
  g_assert_true(made.has_two);
  g_assert_cmpint(memcmp(made.one, made.two, 32), !=, 0);
  g_assert_cmpint(memcmp(made.one, made.index, 32), !=, 0);
  for (guint read_only = 0; read_only < 2; read_only++) {
    g_autoptr(StoreKeys) keys = open_keys(fixture, (gboolean)read_only);
    see(keys, &again);
    assert_same(&made, &again);
    g_assert_cmpint(store_keys_protection(keys), ==, protection);
    g_assert_cmpint(find_subject(keys, "three", FALSE, 0), ==, 0);
  }
  g_assert_cmpuint(mode_of(fixture->keys_path), ==, 0600);
  g_assert_cmpint(g_file_test(fixture->key_path, G_FILE_TEST_EXISTS), ==,
                  protection == STORE_PROTECTION_FILE);
  if (protection == STORE_PROTECTION_FILE) {
    g_assert_cmpuint(mode_of(fixture->key_path), ==, 0600);
  }
  g_assert_false(file_holds(fixture->keys_path, made.one, 32));
  g_assert_false(file_holds(fixture->keys_path, made.index, 32));
  /* Once made, never made again. */
  g_assert_null(store_keys_make(fixture->log.path, LOG_ID, protection, &fixture->secrets, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_INVALID);
}

static void
test_none(KeysFixture *fixture, gconstpointer data)
{
  g_autoptr(GError) error = NULL;

  assert_not_opened(fixture, STORE_ERROR_NOT_FOUND);
  g_assert_false(g_file_test(fixture->keys_path, G_FILE_TEST_EXISTS));
  /* A file that was only begun is none, and can be made. */
  g_assert_true(g_file_set_contents(fixture->keys_path, "", 0, NULL));
  assert_not_opened(fixture, STORE_ERROR_NOT_FOUND);
  g_assert_null(store_keys_make(fixture->log.path, "no id", STORE_PROTECTION_FILE, NULL, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_INVALID);
  g_clear_error(&error);
  g_assert_null(store_keys_make(fixture->log.path, LOG_ID, STORE_PROTECTION_KEYRING, NULL, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_LOCKED);
  g_clear_error(&error);
  g_assert_null(
      store_keys_make(fixture->log.path, LOG_ID, STORE_PROTECTION_PASSPHRASE, NULL, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_LOCKED);
  store_keys_close(make_keys(fixture, STORE_PROTECTION_FILE));
}

/* Identities are bytes, and no two stand for the same subject. */
static void
test_subjects(KeysFixture *fixture, gconstpointer data)
{
  g_autoptr(StoreKeys) keys = make_keys(fixture, STORE_PROTECTION_FILE);
  g_autoptr(StoreKeys) reader = NULL;
  g_autoptr(GError) error = NULL;
  guint8 key[32], later[32];
  gint64 subject = -1;

  g_assert_cmpint(find_subject(keys, SECRET_ID, TRUE, 0), ==, 1);
  g_assert_cmpint(find_subject(keys, SECRET_ID, TRUE, 0), ==, 1);
  g_assert_cmpint(find_subject(keys, "PID-471", TRUE, 0), ==, 2);
  g_assert_cmpint(find_subject(keys, "", TRUE, 0), ==, 3);
  g_assert_true(store_keys_find_subject(keys, NULL, 0, FALSE, 0, &subject, &error));
  g_assert_cmpint(subject, ==, 3);
  g_assert_true(store_keys_find_subject(keys, "a\0b", 3, TRUE, 0, &subject, &error));
  g_assert_cmpint(subject, ==, 4);
  g_assert_cmpint(find_subject(keys, "a", FALSE, 0), ==, 0);
  /* Numbers that the log has seen and the file has not, as after an older copy was put back. */
  g_assert_cmpint(find_subject(keys, "b", TRUE, 100), ==, 101);
  g_assert_cmpint(find_subject(keys, "c", TRUE, 7), ==, 102);
  g_assert_true(get_key(keys, 1, key));
  erase(keys, 1);
  g_assert_false(get_key(keys, 1, later));
  g_assert_cmpint(find_subject(keys, SECRET_ID, FALSE, 0), ==, 0);
  g_assert_cmpint(find_subject(keys, SECRET_ID, TRUE, 0), ==, 103);
  g_assert_true(get_key(keys, 103, later));
  g_assert_cmpint(memcmp(key, later, 32), !=, 0);
  /* The last number is never given again either. */
  erase(keys, 103);
  g_assert_cmpint(find_subject(keys, SECRET_ID, TRUE, 0), ==, 104);
  g_assert_false(store_keys_erase_subject(keys, 103, NULL, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_NOT_FOUND);
  g_clear_error(&error);
  g_assert_false(store_keys_find_subject(keys, "d", 1, TRUE, G_MAXINT64, &subject, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_INVALID);
  g_clear_error(&error);
  g_assert_false(file_holds(fixture->keys_path, SECRET_ID, strlen(SECRET_ID)));
  reader = open_keys(fixture, TRUE);
  g_assert_cmpint(find_subject(reader, "b", TRUE, 0), ==, 101);
  g_assert_false(store_keys_find_subject(reader, "e", 1, TRUE, 0, &subject, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_INVALID);
  g_clear_error(&error);
  g_assert_false(store_keys_erase_subject(reader, 101, NULL, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_INVALID);
  g_clear_error(&error);
  g_assert_false(store_keys_protect(reader, STORE_PROTECTION_FILE, NULL, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_INVALID);
}

/* ---- another root key ------------------------------------------------------------------------ */

static void
test_protect(KeysFixture *fixture, gconstpointer data)
{
  g_autoptr(StoreKeys) keys = NULL;
  g_autofree char *old_keys = g_build_filename(fixture->log.folder, "old.keys", NULL);
  KeysSeen made, seen;

  make_two(fixture, STORE_PROTECTION_FILE, &made);
  keys = open_keys(fixture, FALSE);
  for (guint from = 0; from < G_N_ELEMENTS(each); from++) {
    for (guint to = 0; to < G_N_ELEMENTS(each); to++) {
      protect(fixture, keys, each[from]);
      copy_file(fixture->keys_path, old_keys);
      protect(fixture, keys, each[to]);
      g_assert_cmpint(store_keys_protection(keys), ==, each[to]);
      see(keys, &seen);
      assert_same(&made, &seen);
      /* Nothing lies where nothing belongs. */
      g_assert_cmpint(g_file_test(fixture->key_path, G_FILE_TEST_EXISTS), ==,
                      each[to] == STORE_PROTECTION_FILE);
      g_assert_cmpint(g_file_test(fixture->ring, G_FILE_TEST_EXISTS), ==,
                      each[to] == STORE_PROTECTION_KEYRING);
      g_clear_pointer(&keys, store_keys_close);
      keys = open_keys(fixture, FALSE);
      see(keys, &seen);
      assert_same(&made, &seen);
      /* The old copy opens no more, but by a passphrase that somebody still knows. */
      if (each[from] != STORE_PROTECTION_PASSPHRASE) {
        g_autofree char *now = g_build_filename(fixture->log.folder, "now.keys", NULL);
        g_clear_pointer(&keys, store_keys_close);
        copy_file(fixture->keys_path, now);
        copy_file(old_keys, fixture->keys_path);
        assert_not_opened(fixture, STORE_ERROR_LOCKED);
        copy_file(now, fixture->keys_path);
        keys = open_keys(fixture, FALSE);
      }
    }
  }
}

/* Another handle goes on with the new root key, or says that it cannot. */
static void
test_protect_beside(KeysFixture *fixture, gconstpointer data)
{
  g_autoptr(StoreKeys) one = NULL;
  g_autoptr(StoreKeys) other = NULL;
  g_autoptr(GError) error = NULL;
  KeysSeen made, seen;
  guint8 key[32];
  gboolean there;

  make_two(fixture, STORE_PROTECTION_FILE, &made);
  one = open_keys(fixture, FALSE);
  other = open_keys(fixture, FALSE);
  protect(fixture, one, STORE_PROTECTION_FILE);
  see(other, &seen);
  assert_same(&made, &seen);
  protect(fixture, one, STORE_PROTECTION_KEYRING);
  g_assert_cmpint(find_subject(other, "three", TRUE, 0), ==, 3);
  see(other, &seen);
  assert_same(&made, &seen);
  erase(other, 3);
  see(one, &seen);
  assert_same(&made, &seen);
  g_assert_cmpint(find_subject(one, "three", FALSE, 0), ==, 0);
  protect(fixture, one, STORE_PROTECTION_PASSPHRASE);
  fixture->asked = 0;
  g_assert_false(store_keys_get_subject(other, 1, key, &there, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_LOCKED);
  g_assert_cmpuint(fixture->asked, ==, 0);
  see(one, &seen);
  assert_same(&made, &seen);
}

/* What was erased is in no file any more, and old copies of the keys do not bring it back. */
static void
test_erased(KeysFixture *fixture, gconstpointer data)
{
  const StoreProtection protection = *(const StoreProtection *)data;
  g_autofree char *before = NULL;
  g_autofree char *journal = g_strconcat(fixture->keys_path, "-journal", NULL);
  const guint8 *wrapped = NULL;
  KeysSeen made, seen;
  gsize n = 0;

  make_two(fixture, protection, &made);
  g_assert_true(g_file_get_contents(fixture->keys_path, &before, &n, NULL));
  {
    g_autoptr(StoreKeys) keys = open_keys(fixture, FALSE);
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    guint8 blob[72];
    g_assert_cmpint(sqlite3_open(fixture->keys_path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_prepare_v2(db, "SELECT wrapped FROM subjects WHERE number = 2", -1,
                                       &statement, NULL),
                    ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_step(statement), ==, SQLITE_ROW);
    memcpy(blob, sqlite3_column_blob(statement, 0), sizeof blob);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    wrapped = memmem(before, n, blob, sizeof blob);
    g_assert_nonnull(wrapped);
    erase(keys, 2);
    see(keys, &seen);
    g_assert_false(file_holds(fixture->keys_path, wrapped, 72));
    g_assert_false(file_holds(journal, wrapped, 72));
    g_assert_false(file_holds(journal, wrapped + 24, 8));
  }
  g_assert_false(seen.has_two);
  seen.has_two = TRUE;
  memcpy(seen.two, made.two, 32);
  assert_same(&made, &seen);
  g_assert_true(g_file_set_contents(fixture->keys_path, before, (gssize)n, NULL));
  if (protection != STORE_PROTECTION_PASSPHRASE) {
    assert_not_opened(fixture, STORE_ERROR_LOCKED);
  }
}

/* ---- refused --------------------------------------------------------------------------------- */

static void
test_locked(KeysFixture *fixture, gconstpointer data)
{
  g_autofree char *line = NULL;
  g_autofree char *moved = g_strconcat(fixture->key_path, "-moved", NULL);
  StoreKeys *keys;
  KeysSeen made, seen;
  gsize n;

  make_two(fixture, STORE_PROTECTION_FILE, &made);
  g_assert_true(g_file_get_contents(fixture->key_path, &line, &n, NULL));
  g_assert_cmpint(g_rename(fixture->key_path, moved), ==, 0);
  assert_not_opened(fixture, STORE_ERROR_LOCKED);
  g_assert_cmpint(symlink(moved, fixture->key_path), ==, 0);
  assert_not_opened(fixture, STORE_ERROR_FORMAT);
  g_remove(fixture->key_path);
  g_assert_cmpint(g_mkdir(fixture->key_path, 0700), ==, 0);
  assert_not_opened(fixture, STORE_ERROR_FORMAT);
  g_remove(fixture->key_path);
  for (gsize i = 0; i < n; i++) {
    g_autofree char *changed = g_memdup2(line, n);
    g_autoptr(GError) error = NULL;
    changed[i] ^= 1;
    g_assert_true(g_file_set_contents(fixture->key_path, changed, (gssize)n, NULL));
    g_chmod(fixture->key_path, 0600);
    g_assert_null(store_keys_open(fixture->log.path, FALSE, &fixture->secrets, &error));
    g_assert_true(g_error_matches(error, STORE_ERROR, STORE_ERROR_LOCKED) ||
                  g_error_matches(error, STORE_ERROR, STORE_ERROR_CORRUPT));
  }
  g_assert_true(g_file_set_contents(fixture->key_path, line, (gssize)n - 1, NULL));
  assert_not_opened(fixture, STORE_ERROR_CORRUPT);
  g_assert_cmpint(g_rename(moved, fixture->key_path), ==, 0);
  keys = open_keys(fixture, FALSE);
  see(keys, &seen);
  assert_same(&made, &seen);
  protect(fixture, keys, STORE_PROTECTION_KEYRING);
  store_keys_close(keys);
  g_remove(fixture->ring);
  assert_not_opened(fixture, STORE_ERROR_LOCKED);
  fixture->secrets.fetch = NULL;
  assert_not_opened(fixture, STORE_ERROR_LOCKED);
}

static void
test_passphrase(KeysFixture *fixture, gconstpointer data)
{
  static const char *const wrong[] = {"correct hors", "Correct horse", "", NULL};
  g_autofree char *endless = g_strnfill(5000, 'a');
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreKeys) keys = NULL;
  KeysSeen made, seen;

  /* e with an acute accent, as one character and as two. */
  fixture->passphrase = "caf\xc3\xa9 horse";
  make_two(fixture, STORE_PROTECTION_PASSPHRASE, &made);
  g_assert_cmpuint(fixture->asked, ==, 1);
  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    fixture->passphrase = wrong[i];
    assert_not_opened(fixture, STORE_ERROR_LOCKED);
  }
  fixture->passphrase = endless;
  assert_not_opened(fixture, STORE_ERROR_LOCKED);
  fixture->passphrase = "cafe\xcc\x81 horse";
  keys = open_keys(fixture, FALSE);
  see(keys, &seen);
  assert_same(&made, &seen);
  /* A new one that is none changes nothing. */
  fixture->passphrase = "";
  g_assert_false(store_keys_protect(keys, STORE_PROTECTION_PASSPHRASE, &fixture->secrets, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_INVALID);
  g_clear_error(&error);
  fixture->refuses = TRUE;
  g_assert_false(store_keys_protect(keys, STORE_PROTECTION_KEYRING, &fixture->secrets, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_LOCKED);
  see(keys, &seen);
  assert_same(&made, &seen);
}

/* Limits that a hostile file asks for are refused before any memory is taken. */
static void
test_limits(KeysFixture *fixture, gconstpointer data)
{
  static const char *const changes[] = {"UPDATE root SET memory = 1099511627776",
                                        "UPDATE root SET memory = 8192",
                                        "UPDATE root SET memory = 268435456, ops = 1000000",
                                        "UPDATE root SET ops = 1", "UPDATE root SET ops = -1"};

  store_keys_close(make_keys(fixture, STORE_PROTECTION_PASSPHRASE));
  fixture->asked = 0;
  for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
    g_assert_cmpint(try_sql(fixture->keys_path, changes[i]), ==, SQLITE_OK);
    assert_not_opened(fixture, STORE_ERROR_CORRUPT);
  }
  g_assert_cmpuint(fixture->asked, ==, 0);
}

/* A key that others could read is made theirs no longer. */
static void
test_loose(KeysFixture *fixture, gconstpointer data)
{
  g_autofree char *line = NULL;
  g_autofree char *later = NULL;
  KeysSeen made, seen;

  make_two(fixture, STORE_PROTECTION_FILE, &made);
  g_assert_true(g_file_get_contents(fixture->key_path, &line, NULL, NULL));
  g_assert_cmpint(g_chmod(fixture->key_path, 0644), ==, 0);
  store_keys_close(open_keys(fixture, TRUE));
  g_assert_cmpuint(mode_of(fixture->key_path), ==, 0644);
  for (guint i = 0; i < 2; i++) {
    g_autoptr(StoreKeys) keys = open_keys(fixture, FALSE);
    see(keys, &seen);
    assert_same(&made, &seen);
    g_assert_cmpuint(mode_of(fixture->key_path), ==, 0600);
  }
  g_assert_true(g_file_get_contents(fixture->key_path, &later, NULL, NULL));
  g_assert_cmpstr(line, !=, later);
}

/* A LOG.key that was there before: another log's is kept, this one's is of no use to anyone. */
static void
test_key_before(KeysFixture *fixture, gconstpointer data)
{
  g_autofree char *aside = g_strconcat(fixture->key_path, "-aside", NULL);
  g_autofree char *line = NULL;
  g_autofree char *kept = NULL;
  g_autoptr(GError) error = NULL;

  store_keys_close(
      store_keys_make(fixture->log.path, OTHER_ID, STORE_PROTECTION_FILE, NULL, &error));
  g_assert_no_error(error);
  g_assert_true(g_file_get_contents(fixture->key_path, &line, NULL, NULL));
  g_remove(fixture->keys_path);
  store_keys_close(make_keys(fixture, STORE_PROTECTION_FILE));
  g_assert_true(g_file_get_contents(aside, &kept, NULL, NULL));
  g_assert_cmpstr(line, ==, kept);
  g_remove(fixture->keys_path);
  store_keys_close(make_keys(fixture, STORE_PROTECTION_FILE));
  g_remove(fixture->keys_path);
  g_assert_null(store_keys_make(fixture->log.path, OTHER_ID, STORE_PROTECTION_FILE, NULL, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_INVALID);
}

/* ---- other hands ----------------------------------------------------------------------------- */

/* Each column of each table: found, and never another key. */
static void
test_changed(KeysFixture *fixture, gconstpointer data)
{
  static const struct {
    const char *sql;
    gboolean at_opening;
  } changes[] = {
      {"UPDATE root SET log_id = 'ffeeddccbbaa99887766554433221100'", TRUE},
      {"UPDATE root SET log_id = 'no'", TRUE},
      {"UPDATE root SET protection = 9", TRUE},
      {"UPDATE root SET last_subject = 0", TRUE},
      {"UPDATE root SET last_subject = 9223372036854775807", TRUE},
      {"UPDATE root SET salt = randomblob(16)", TRUE},
      {"UPDATE root SET salt = zeroblob(15)", TRUE},
      {"UPDATE root SET ops = 3", TRUE},
      {"UPDATE root SET memory = 'much'", TRUE},
      {"UPDATE root SET root_check = randomblob(32)", TRUE},
      {"UPDATE root SET pending = randomblob(72)", TRUE},
      {"UPDATE root SET leftover = 4", TRUE},
      {"UPDATE root SET mac = randomblob(32)", TRUE},
      {"DELETE FROM root", TRUE},
      {"UPDATE log_keys SET wrapped = randomblob(72) WHERE id = 2", TRUE},
      {"UPDATE log_keys SET wrapped = (SELECT wrapped FROM log_keys WHERE id = 1) WHERE id = 2",
       TRUE},
      {"DELETE FROM log_keys", TRUE},
      {"CREATE TABLE more (a)", TRUE},
      {"CREATE TRIGGER t AFTER INSERT ON subjects BEGIN DELETE FROM log_keys; END", TRUE},
      {"DROP TABLE subjects", TRUE},
      {"PRAGMA user_version = 0", TRUE},
      {"UPDATE subjects SET wrapped = randomblob(72) WHERE number = 1", FALSE},
      {"UPDATE subjects SET wrapped = randomblob(71) WHERE number = 1", FALSE},
      {"UPDATE subjects SET identity = randomblob(32) WHERE number = 1", FALSE},
      {"UPDATE subjects SET wrapped = (SELECT wrapped FROM subjects WHERE number = 2)", FALSE},
      {"UPDATE subjects SET number = 3 WHERE number = 1;"
       "UPDATE subjects SET number = 1 WHERE number = 2",
       FALSE},
  };
  g_autofree char *good = g_build_filename(fixture->log.folder, "good", NULL);
  KeysSeen made;

  make_two(fixture, STORE_PROTECTION_FILE, &made);
  copy_file(fixture->keys_path, good);
  for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(StoreKeys) keys = NULL;
    guint8 key[32] = {0};
    gboolean there = FALSE;
    copy_file(good, fixture->keys_path);
    g_assert_cmpint(try_sql(fixture->keys_path, changes[i].sql), ==, SQLITE_OK);
    g_test_message("%s", changes[i].sql);
    keys = store_keys_open(fixture->log.path, FALSE, &fixture->secrets, &error);
    g_assert_cmpint(!keys, ==, changes[i].at_opening);
    if (keys) {
      g_assert_false(store_keys_get_subject(keys, 1, key, &there, &error));
      g_assert_false(there);
      g_assert_false(store_keys_protect(keys, STORE_PROTECTION_FILE, NULL, NULL));
    }
    g_assert_true(g_error_matches(error, STORE_ERROR, STORE_ERROR_CORRUPT) ||
                  g_error_matches(error, STORE_ERROR, STORE_ERROR_LOCKED));
    if (keys && g_str_has_prefix(changes[i].sql, "UPDATE subjects SET wrapped = random")) {
      erase(keys, 1); /* a key that was changed can still be erased */
      g_assert_false(get_key(keys, 1, key));
      g_assert_true(get_key(keys, 2, key));
      g_assert_cmpmem(key, 32, made.two, 32);
    }
    if (keys) { /* a new root key: the good copy opens no more */
      g_clear_pointer(&keys, store_keys_close);
      g_remove(fixture->keys_path);
      g_remove(fixture->key_path);
      make_two(fixture, STORE_PROTECTION_FILE, &made);
      copy_file(fixture->keys_path, good);
    }
  }
}

static void
test_foreign(KeysFixture *fixture, gconstpointer data)
{
  g_assert_cmpint(try_sql(fixture->keys_path, "CREATE TABLE a (b); PRAGMA application_id = 7"), ==,
                  SQLITE_OK);
  assert_not_opened(fixture, STORE_ERROR_FORMAT);
  g_remove(fixture->keys_path);
  store_keys_close(make_keys(fixture, STORE_PROTECTION_FILE));
  g_assert_cmpint(try_sql(fixture->keys_path, "PRAGMA user_version = 2"), ==, SQLITE_OK);
  assert_not_opened(fixture, STORE_ERROR_NEWER);
  g_remove(fixture->keys_path);
  g_assert_true(g_file_set_contents(fixture->keys_path, "short", 5, NULL));
  assert_not_opened(fixture, STORE_ERROR_FORMAT);
  g_remove(fixture->keys_path);
  g_assert_cmpint(symlink("/etc/passwd", fixture->keys_path), ==, 0);
  assert_not_opened(fixture, STORE_ERROR_FORMAT);
}

/* Any bit of the file: the keys are the same, or there are none. */
static void
test_bits(KeysFixture *fixture, gconstpointer data)
{
  g_autofree char *bytes = NULL;
  g_autoptr(GRand) random = g_rand_new_with_seed(6);
  KeysSeen made;
  gsize n = 0;

  make_two(fixture, STORE_PROTECTION_FILE, &made);
  g_assert_true(g_file_get_contents(fixture->keys_path, &bytes, &n, NULL));
  for (guint i = 0; i < test_rounds(400); i++) {
    const gsize at = (gsize)g_rand_int_range(random, 0, (gint32)n);
    const char bit = (char)(1 << g_rand_int_range(random, 0, 8));
    g_autoptr(StoreKeys) keys = NULL;
    guint8 key[32];
    gboolean there = FALSE;
    bytes[at] ^= bit;
    g_assert_true(g_file_set_contents(fixture->keys_path, bytes, (gssize)n, NULL));
    bytes[at] ^= bit;
    keys = store_keys_open(fixture->log.path, TRUE, &fixture->secrets, NULL);
    if (keys && store_keys_get_subject(keys, 1, key, &there, NULL) && there) {
      g_assert_cmpmem(key, 32, made.one, 32);
    }
    if (keys && store_keys_derive(keys, "index", key, NULL)) {
      g_assert_cmpmem(key, 32, made.index, 32);
    }
  }
}

/* ---- several processes ----------------------------------------------------------------------- */

#define IDENTITIES 40

/* Finds or makes all of them, from another one on, and writes the numbers to FD. */
static void
number_all(KeysFixture *fixture, guint first, int fd)
{
  g_autoptr(StoreKeys) keys = open_keys(fixture, FALSE);
  gint64 numbers[IDENTITIES];

  for (guint i = 0; i < IDENTITIES; i++) {
    const guint at = (first + i) % IDENTITIES;
    g_autofree char *identity = g_strdup_printf("patient %u", at);
    numbers[at] = find_subject(keys, identity, TRUE, 0);
    if (first <= 5 && i % 8 == 4) {
      protect(fixture, keys, STORE_PROTECTION_KEYRING);
    }
  }
  g_assert_cmpint(write(fd, numbers, sizeof numbers), ==, sizeof numbers);
}

static void
test_processes(KeysFixture *fixture, gconstpointer data)
{
  gint64 numbers[3][IDENTITIES];
  gint64 seen = 0;
  int pipes[3][2];
  pid_t pids[3];

  store_keys_close(make_keys(fixture, STORE_PROTECTION_KEYRING));
  for (guint i = 0; i < 3; i++) {
    g_assert_cmpint(pipe(pipes[i]), ==, 0);
    pids[i] = fork();
    if (pids[i] == 0) {
      number_all(fixture, i * 5, pipes[i][1]);
      _exit(0);
    }
  }
  for (guint i = 0; i < 3; i++) {
    int status = -1;
    g_assert_cmpint(read(pipes[i][0], numbers[i], sizeof numbers[i]), ==, sizeof numbers[i]);
    g_assert_cmpint(waitpid(pids[i], &status, 0), ==, pids[i]);
    g_assert_cmpint(status, ==, 0);
    g_assert_cmpmem(numbers[i], sizeof numbers[i], numbers[0], sizeof numbers[0]);
    close(pipes[i][0]);
    close(pipes[i][1]);
  }
  for (guint i = 0; i < IDENTITIES; i++) {
    g_assert_true(numbers[0][i] >= 1 && numbers[0][i] <= IDENTITIES);
    seen |= G_GINT64_CONSTANT(1) << numbers[0][i];
  }
  g_assert_cmpint(seen, ==, (G_GINT64_CONSTANT(1) << (IDENTITIES + 1)) - 2);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  fault_install();
  KEYS_TEST("/keys/kept/file", &each[0], test_kept);
  KEYS_TEST("/keys/kept/passphrase", &each[1], test_kept);
  KEYS_TEST("/keys/kept/keyring", &each[2], test_kept);
  KEYS_TEST("/keys/none", NULL, test_none);
  KEYS_TEST("/keys/subjects", NULL, test_subjects);
  KEYS_TEST("/keys/protect", NULL, test_protect);
  KEYS_TEST("/keys/protect-beside", NULL, test_protect_beside);
  KEYS_TEST("/keys/erased/file", &each[0], test_erased);
  KEYS_TEST("/keys/erased/passphrase", &each[1], test_erased);
  KEYS_TEST("/keys/erased/keyring", &each[2], test_erased);
  KEYS_TEST("/keys/locked", NULL, test_locked);
  KEYS_TEST("/keys/passphrase", NULL, test_passphrase);
  KEYS_TEST("/keys/limits", NULL, test_limits);
  KEYS_TEST("/keys/loose", NULL, test_loose);
  KEYS_TEST("/keys/key-before", NULL, test_key_before);
  KEYS_TEST("/keys/changed", NULL, test_changed);
  KEYS_TEST("/keys/foreign", NULL, test_foreign);
  KEYS_TEST("/keys/bits", NULL, test_bits);
  KEYS_TEST("/keys/processes", NULL, test_processes);
  return g_test_run();
}
