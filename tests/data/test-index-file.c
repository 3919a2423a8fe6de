/* test-index-file.c - a database whose pages are sealed: nothing of it is to be read, nothing that
 * was changed is believed, and no write that was cut short goes unseen.
 */
#include "fault-vfs.h"
#include "log-fixture.h"
#include "log/index-file.h"
#include "shared.h"
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096u
#define ENDLESS 5000

static const guint8 key[32] = {7, 1, 2, 3};
static const guint8 other_key[32] = {7, 1, 2, 4};

static const char schema[] =
    "CREATE TABLE plain (id INTEGER PRIMARY KEY, word TEXT);"
    "CREATE VIRTUAL TABLE words USING fts5(text, content='', tokenize='unicode61');";

static sqlite3 *
open_index(const char *path, gboolean read_only)
{
  g_autoptr(GError) error = NULL;
  sqlite3 *db = store_index_file_open(path, key, read_only, &error);

  g_assert_no_error(error);
  g_assert_nonnull(db);
  return db;
}

static void
assert_not_opened(const char *path, const guint8 *with, StoreError code)
{
  g_autoptr(GError) error = NULL;

  g_assert_null(store_index_file_open(path, with, FALSE, &error));
  g_assert_error(error, STORE_ERROR, (int)code);
}

static void
run(sqlite3 *db, const char *sql)
{
  int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

  if (rc != SQLITE_OK) {
    g_error("%s: %s", sql, sqlite3_errmsg(db));
  }
}

static void
begin(sqlite3 *db)
{
  g_autoptr(GError) error = NULL;
  gboolean good = store_index_file_begin(db, &error);

  g_assert_no_error(error);
  g_assert_true(good);
}

static void
commit(sqlite3 *db)
{
  g_autoptr(GError) error = NULL;
  gboolean good = store_index_file_commit(db, &error);

  g_assert_no_error(error);
  g_assert_true(good);
}

/* Rows FIRST to LAST: "wordN" and a text of 200 bytes. */
static int
add_rows(sqlite3 *db, guint first, guint last)
{
  int rc = SQLITE_OK;

  for (guint i = first; i <= last && rc == SQLITE_OK; i++) {
    g_autofree char *fill = g_strnfill(200, (char)('a' + i % 26));
    g_autofree char *sql = g_strdup_printf(
        "INSERT INTO plain VALUES (%u, 'word%u %s');"
        "INSERT INTO words (rowid, text) VALUES (%u, 'pneumothorax word%u secretname')",
        i, i, fill, i, i);
    rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
  }
  return rc;
}

static void
make_index(const char *path, guint rows)
{
  sqlite3 *db = open_index(path, FALSE);

  begin(db);
  run(db, schema);
  g_assert_cmpint(add_rows(db, 1, rows), ==, SQLITE_OK);
  commit(db);
  store_index_file_close(db);
}

/* -1 when it cannot be read; *rc says why. */
static gint64
number(sqlite3 *db, const char *sql, int *rc)
{
  sqlite3_stmt *statement = NULL;
  gint64 value = -1;
  int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

  if (code == SQLITE_OK) {
    code = sqlite3_step(statement);
    value = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
  }
  sqlite3_finalize(statement);
  if (rc) {
    *rc = code == SQLITE_ROW ? SQLITE_OK : code;
  }
  return value;
}

static gint64
found(sqlite3 *db, const char *word, int *rc)
{
  g_autofree char *sql = g_strdup_printf("SELECT count(*) FROM words WHERE words MATCH '%s'", word);

  return number(db, sql, rc);
}

/* All of it: the sum of what is in the rows, -1 when something cannot be read. */
static gint64
sum(sqlite3 *db, int *rc)
{
  return number(db,
                "SELECT sum(id * length(word) * unicode(word) * unicode(substr(word, 100)))"
                " FROM plain",
                rc);
}

static GByteArray *
bytes_of(const char *path)
{
  char *bytes = NULL;
  gsize n = 0;

  g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
  return g_byte_array_new_take((guint8 *)bytes, n);
}

static void
put_bytes(const char *path, const guint8 *bytes, gsize n)
{
  g_assert_true(g_file_set_contents(path, (const char *)bytes, (gssize)n, NULL));
  g_chmod(path, 0600);
}

/* ---- as it should be ------------------------------------------------------------------------- */

static void
test_works(LogFolder *folder, gconstpointer data)
{
  sqlite3 *db, *reader;
  g_autoptr(GDir) dir = NULL;
  g_autoptr(GError) error = NULL;
  const char *name;
  struct stat st;

  g_assert_null(store_index_file_open(folder->path, key, TRUE, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_NOT_FOUND);
  g_clear_error(&error);
  make_index(folder->path, 500);
  db = open_index(folder->path, FALSE);
  reader = open_index(folder->path, TRUE);
  g_assert_cmpint(found(db, "pneumothorax", NULL), ==, 500);
  g_assert_cmpint(found(reader, "pneumothor*", NULL), ==, 500);
  g_assert_cmpint(found(reader, "word77", NULL), ==, 1);
  begin(db);
  g_assert_cmpint(add_rows(db, 501, 600), ==, SQLITE_OK);
  g_assert_cmpint(found(reader, "pneumothorax", NULL), ==, 500);
  commit(db);
  g_assert_cmpint(found(reader, "pneumothorax", NULL), ==, 600);
  begin(db);
  g_assert_cmpint(add_rows(db, 601, 700), ==, SQLITE_OK);
  run(db, "DELETE FROM plain WHERE id < 300");
  store_index_file_rollback(db);
  g_assert_cmpint(found(db, "pneumothorax", NULL), ==, 600);
  begin(db);
  run(db, "DELETE FROM plain WHERE id > 100; INSERT INTO words(words) VALUES ('optimize')");
  commit(db);
  g_assert_cmpint(number(reader, "SELECT count(*) FROM plain", NULL), ==, 100);
  /* Not without begin(), and not by a reader. */
  g_assert_cmpint(sqlite3_exec(db, "DELETE FROM plain", NULL, NULL, NULL), !=, SQLITE_OK);
  g_assert_false(store_index_file_begin(reader, &error));
  store_index_file_close(reader);
  store_index_file_close(db);
  db = open_index(folder->path, FALSE);
  g_assert_cmpint(number(db, "SELECT count(*) FROM plain", NULL), ==, 100);
  g_assert_cmpint(number(db, "SELECT integrity_check = 'ok' FROM pragma_integrity_check", NULL), ==,
                  1);
  store_index_file_close(db);
  g_assert_cmpint(stat(folder->path, &st), ==, 0);
  g_assert_cmpuint(st.st_mode & 07777, ==, 0600);
  dir = g_dir_open(folder->folder, 0, NULL);
  while ((name = g_dir_read_name(dir))) {
    g_assert_true(g_str_equal(name, "log.sqlite") || g_str_equal(name, "log.sqlite-busy"));
  }
}

/* Neither words nor terms nor anything of SQLite's. */
static void
test_nothing_seen(LogFolder *folder, gconstpointer data)
{
  static const char *const texts[] = {"pneumothorax",  "pneumo", "secretname", "word",
                                      "SQLite format", "CREATE", "plain",      "aaaaaaaa"};
  g_autoptr(GByteArray) bytes = NULL;
  guint zeros = 0;

  make_index(folder->path, 300);
  bytes = bytes_of(folder->path);
  g_assert_cmpuint(bytes->len % PAGE, ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_assert_null(memmem(bytes->data, bytes->len, texts[i], strlen(texts[i])));
  }
  for (guint i = 0; i < bytes->len; i++) {
    zeros += bytes->data[i] == 0;
  }
  g_assert_cmpuint(zeros, <, bytes->len / 128); /* a 256th of random bytes */
}

/* ---- other hands ----------------------------------------------------------------------------- */

/* The file may not be opened, or not be read, but what is read is right. */
static gboolean
is_found_out(const char *path, gint64 right)
{
  g_autoptr(GError) error = NULL;
  sqlite3 *db = store_index_file_open(path, key, FALSE, &error);
  int rc = SQLITE_OK, rc_words = SQLITE_OK;
  gint64 all, words;

  if (!db) {
    g_assert_error(error, STORE_ERROR, STORE_ERROR_CORRUPT);
    return TRUE;
  }
  all = sum(db, &rc);
  words = found(db, "pneumothorax", &rc_words);
  g_assert_true(all == right || rc == SQLITE_IOERR_AUTH || (rc & 0xff) == SQLITE_CORRUPT);
  g_assert_true(words == 300 || rc_words == SQLITE_IOERR_AUTH ||
                (rc_words & 0xff) == SQLITE_CORRUPT);
  store_index_file_close(db);
  return rc != SQLITE_OK || rc_words != SQLITE_OK;
}

static gint64
right_sum(const char *path)
{
  sqlite3 *db = open_index(path, TRUE);
  gint64 right = sum(db, NULL);

  g_assert_cmpint(right, >, 0);
  store_index_file_close(db);
  return right;
}

static void
test_changed(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GByteArray) bytes = NULL;
  g_autoptr(GRand) random = g_rand_new_with_seed(9);
  guint found_out = 0;
  const guint rounds = test_rounds(300);
  gint64 right;

  make_index(folder->path, 300);
  right = right_sum(folder->path);
  bytes = bytes_of(folder->path);
  for (guint i = 0; i < rounds; i++) {
    const guint at = i < 100 ? i : (guint)g_rand_int_range(random, 0, (gint32)bytes->len);
    const guint8 bit = (guint8)(1u << (i % 8));
    bytes->data[at] ^= bit;
    put_bytes(folder->path, bytes->data, bytes->len);
    bytes->data[at] ^= bit;
    found_out += is_found_out(folder->path, right);
  }
  /* Pages that these two questions do not touch may go unseen, and they are few. */
  g_assert_cmpuint(found_out, >, rounds / 2);
}

static void
test_pages(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GByteArray) bytes = NULL;
  g_autofree guint8 *changed = NULL;
  guint n, found_out = 0;
  gint64 right;

  make_index(folder->path, 300);
  right = right_sum(folder->path);
  bytes = bytes_of(folder->path);
  n = bytes->len / PAGE;
  g_assert_cmpuint(n, >, 12);
  for (guint i = 0; i < n; i++) { /* swapped with the next */
    const guint j = (i + 1) % n;
    changed = g_memdup2(bytes->data, bytes->len);
    memcpy(changed + i * PAGE, bytes->data + j * PAGE, PAGE);
    memcpy(changed + j * PAGE, bytes->data + i * PAGE, PAGE);
    put_bytes(folder->path, changed, bytes->len);
    found_out += is_found_out(folder->path, right);
    g_clear_pointer(&changed, g_free);
  }
  for (guint i = 0; i < n; i++) { /* of zeros */
    changed = g_memdup2(bytes->data, bytes->len);
    memset(changed + i * PAGE, 0, PAGE);
    put_bytes(folder->path, changed, bytes->len);
    found_out += is_found_out(folder->path, right);
    g_clear_pointer(&changed, g_free);
  }
  g_assert_cmpuint(found_out, >, n);
  for (guint i = 1; i < n; i++) { /* cut, at a page's end and within it */
    put_bytes(folder->path, bytes->data, i * PAGE);
    g_assert_true(is_found_out(folder->path, right));
    put_bytes(folder->path, bytes->data, i * PAGE + 100 * i % PAGE);
    g_assert_true(is_found_out(folder->path, right));
  }
  put_bytes(folder->path, bytes->data, bytes->len);
  g_assert_false(is_found_out(folder->path, right));
  assert_not_opened(folder->path, other_key, STORE_ERROR_CORRUPT);
}

/* What is no sealed file, and what lies beside it. */
static void
test_foreign(LogFolder *folder, gconstpointer data)
{
  g_autofree char *journal = g_strconcat(folder->path, "-journal", NULL);
  g_autofree char *wal = g_strconcat(folder->path, "-wal", NULL);
  g_autofree char *mark = g_strconcat(folder->path, "-busy", NULL);

  g_assert_cmpint(try_sql(folder->path, "CREATE TABLE a (b)"), ==, SQLITE_OK);
  assert_not_opened(folder->path, key, STORE_ERROR_CORRUPT);
  g_remove(folder->path);
  make_index(folder->path, 300);
  put_bytes(journal, (const guint8 *)"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7 more than that", 24);
  put_bytes(wal, (const guint8 *)"\x37\x7f\x06\x82 more than that", 20);
  g_assert_false(is_found_out(folder->path, right_sum(folder->path)));
  g_remove(mark);
  g_assert_cmpint(symlink("/dev/null", mark), ==, 0);
  assert_not_opened(folder->path, key, STORE_ERROR_IO);
  g_remove(mark);
  g_remove(folder->path);
  g_assert_cmpint(symlink("/dev/null", folder->path), ==, 0);
  assert_not_opened(folder->path, key, STORE_ERROR_FORMAT);
}

static void
test_removed(LogFolder *folder, gconstpointer data)
{
  g_autofree char *link_path = g_build_filename(folder->folder, "link", NULL);
  g_autoptr(GByteArray) bytes = NULL;
  g_autoptr(GError) error = NULL;
  sqlite3 *db;
  int rc = SQLITE_OK;

  make_index(folder->path, 300);
  g_assert_cmpint(link(folder->path, link_path), ==, 0);
  db = open_index(folder->path, FALSE);
  g_assert_cmpint(found(db, "pneumothorax", NULL), ==, 300);
  g_assert_true(store_index_file_remove(folder->path, &error));
  g_assert_no_error(error);
  bytes = bytes_of(link_path);
  for (guint i = 0; i < bytes->len; i++) {
    g_assert_cmpuint(bytes->data[i], ==, 0);
  }
  g_assert_false(g_file_test(folder->path, G_FILE_TEST_EXISTS));
  /* Who has it open hears of it, also when there is a new one. */
  make_index(folder->path, 2);
  g_assert_cmpint(found(db, "pneumothorax", &rc), ==, -1);
  g_assert_cmpint(rc, ==, SQLITE_IOERR_AUTH);
  g_assert_false(store_index_file_begin(db, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_CORRUPT);
  g_clear_error(&error);
  store_index_file_close(db);
  db = open_index(folder->path, FALSE);
  g_assert_cmpint(found(db, "pneumothorax", NULL), ==, 2);
  store_index_file_close(db);
  /* What is not there is removed already. */
  g_assert_true(store_index_file_remove(folder->path, &error));
  g_assert_true(store_index_file_remove(folder->path, &error));
  g_assert_no_error(error);
}

/* ---- cut short ------------------------------------------------------------------------------- */

/* The file holds 40 rows, or 80, or it is known to be torn. */
static gboolean
is_known(const char *path, gboolean reported)
{
  g_autoptr(GError) error = NULL;
  sqlite3 *db = store_index_file_open(path, key, FALSE, &error);
  gint64 rows, words;
  int rc = SQLITE_OK, rc_words = SQLITE_OK;

  if (!db) {
    g_assert_error(error, STORE_ERROR, STORE_ERROR_CORRUPT);
    return TRUE;
  }
  rows = number(db, "SELECT count(*) FROM plain", &rc);
  words = found(db, "pneumothorax", &rc_words);
  g_assert_cmpint(rc, ==, SQLITE_OK);
  g_assert_cmpint(rc_words, ==, SQLITE_OK);
  g_assert_true((rows == 40 && !reported) || rows == 80);
  g_assert_cmpint(words, ==, rows);
  store_index_file_close(db);
  return FALSE;
}

static gboolean
write_more(const char *path)
{
  sqlite3 *db = store_index_file_open(path, key, FALSE, NULL);
  gboolean good = db && store_index_file_begin(db, NULL);

  if (good) {
    sqlite3_exec(db, "PRAGMA cache_size = 2", NULL, NULL, NULL); /* pages go out before the end */
    if (add_rows(db, 41, 80) == SQLITE_OK) {
      good = store_index_file_commit(db, NULL);
    } else {
      store_index_file_rollback(db);
      good = FALSE;
    }
  }
  store_index_file_close(db);
  return good;
}

static void
test_killed(LogFolder *folder, gconstpointer data)
{
  g_autofree char *copy = g_strconcat(folder->path, "-copy", NULL);
  g_autofree char *mark = g_strconcat(folder->path, "-busy", NULL);
  g_autoptr(GByteArray) bytes = NULL;
  guint torn = 0, at;
  int status = 0;

  make_index(folder->path, 40);
  bytes = bytes_of(folder->path);
  for (at = 1; at < ENDLESS; at++) {
    sqlite3 *watcher;
    pid_t pid;
    g_remove(mark);
    put_bytes(folder->path, bytes->data, bytes->len);
    watcher = open_index(folder->path, TRUE);
    g_assert_cmpint(found(watcher, "pneumothorax", NULL), ==, 40);
    pid = fork();
    if (pid == 0) {
      fault_arm(at, FAULT_KILL, FALSE);
      _exit(write_more(folder->path) ? 0 : 1);
    }
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    if (!WIFSIGNALED(status)) {
      g_assert_cmpint(status, ==, 0);
      g_assert_cmpint(found(watcher, "pneumothorax", NULL), ==, 80);
      store_index_file_close(watcher);
      break;
    }
    {
      /* Who had it open sees it, too. */
      int rc = SQLITE_OK;
      g_assert_cmpint(found(watcher, "pneumothorax", &rc), ==, -1);
      g_assert_cmpint(rc, ==, SQLITE_IOERR_AUTH);
      store_index_file_close(watcher);
    }
    torn += is_known(folder->path, FALSE);
  }
  g_assert_cmpuint(at, >, 10);
  g_assert_cmpuint(torn, ==, at - 1);
  g_assert_false(is_known(folder->path, TRUE));
}

static void
test_fails(LogFolder *folder, gconstpointer data)
{
  g_autofree char *mark = g_strconcat(folder->path, "-busy", NULL);
  g_autoptr(GByteArray) bytes = NULL;
  guint at, hits = 1;

  make_index(folder->path, 40);
  bytes = bytes_of(folder->path);
  for (guint round = 0; round < 4; round++) {
    for (at = 1, hits = 1; hits && at < ENDLESS; at++) {
      gboolean good;
      g_remove(mark);
      put_bytes(folder->path, bytes->data, bytes->len);
      fault_arm(at, round & 1 ? FAULT_FULL : FAULT_IO, round >> 1);
      good = write_more(folder->path);
      hits = fault.hits;
      fault_arm(0, FAULT_IO, FALSE);
      g_assert_true(good || hits);
      is_known(folder->path, good);
    }
    g_assert_cmpuint(at, >, 10);
  }
}

/* ---- several processes ----------------------------------------------------------------------- */

static void
write_in_turns(const char *path, guint who)
{
  sqlite3 *db = open_index(path, FALSE);

  for (guint i = 0; i < 30; i++) {
    begin(db);
    g_assert_cmpint(add_rows(db, 1000 * who + i, 1000 * who + i), ==, SQLITE_OK);
    if (i % 5 == 4) {
      store_index_file_rollback(db);
    } else {
      commit(db);
    }
    g_assert_cmpint(found(db, "pneumothorax", NULL), >, (gint64)(i - i / 5) - 1);
  }
  store_index_file_close(db);
}

static void
test_processes(LogFolder *folder, gconstpointer data)
{
  pid_t pids[3];
  sqlite3 *db;

  make_index(folder->path, 10);
  for (guint i = 0; i < 3; i++) {
    pids[i] = fork();
    if (pids[i] == 0) {
      write_in_turns(folder->path, i + 1);
      _exit(0);
    }
  }
  for (guint i = 0; i < 3; i++) {
    int status = -1;
    g_assert_cmpint(waitpid(pids[i], &status, 0), ==, pids[i]);
    g_assert_cmpint(status, ==, 0);
  }
  db = open_index(folder->path, TRUE);
  g_assert_cmpint(found(db, "pneumothorax", NULL), ==, 10 + 3 * 24);
  g_assert_cmpint(number(db, "SELECT count(*) FROM plain", NULL), ==, 10 + 3 * 24);
  store_index_file_close(db);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  fault_install();
  LOG_TEST("/index-file/works", test_works);
  LOG_TEST("/index-file/nothing-seen", test_nothing_seen);
  LOG_TEST("/index-file/changed", test_changed);
  LOG_TEST("/index-file/pages", test_pages);
  LOG_TEST("/index-file/foreign", test_foreign);
  LOG_TEST("/index-file/removed", test_removed);
  LOG_TEST("/index-file/killed", test_killed);
  LOG_TEST("/index-file/fails", test_fails);
  LOG_TEST("/index-file/processes", test_processes);
  return g_test_run();
}
