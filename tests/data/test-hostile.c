/* test-hostile.c - files that are no log, logs that other hands have changed, and broken pages.
 * Each gives a message that names the file and what is wrong, and is left as it was.
 */
#include "log-fixture.h"
#include "log/private.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void
write_bytes(const char *path, gconstpointer bytes, gsize length)
{
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

  g_assert_cmpint(fd, >=, 0);
  g_assert_cmpint(write(fd, bytes, length), ==, (gssize)length);
  close(fd);
}

static GBytes *
read_bytes(const char *path)
{
  char *bytes = NULL;
  gsize length = 0;

  g_assert_true(g_file_get_contents(path, &bytes, &length, NULL));
  return g_bytes_new_take(bytes, length);
}

/* Refused for writing and for reading, with the same message, and not a byte of it changed. */
static void
assert_refused_untouched(const char *path, int code, const char *pattern)
{
  g_autoptr(GBytes) before = read_bytes(path);

  for (int read_only = 0; read_only < 2; read_only++) {
    g_autoptr(GBytes) after = NULL;
    assert_refused(path, read_only, code, pattern);
    after = read_bytes(path);
    g_assert_true(g_bytes_equal(before, after));
  }
}

/* ---- no log at all -------------------------------------------------------------------------- */

static void
test_no_database(LogFolder *folder, gconstpointer data)
{
  static const gsize lengths[] = {1, 20, 100, 511, 512, 4096, 100000};
  g_autofree char *text = g_strnfill(100000, 'x');

  for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
    write_bytes(folder->path, text, lengths[i]);
    assert_refused_untouched(folder->path, STORE_ERROR_FORMAT,
                             "*found no SQLite database, expected a Hilum log");
  }
}

static void
test_empty(LogFolder *folder, gconstpointer data)
{
  write_bytes(folder->path, "", 0);
  assert_refused(folder->path, TRUE, STORE_ERROR_FORMAT, "found an empty database*");
  store_log_close(open_log(folder->path, FALSE)); /* as a killed process leaves it */
  store_log_close(open_log(folder->path, TRUE));
}

static void
test_no_regular_file(LogFolder *folder, gconstpointer data)
{
  g_autofree char *link = g_build_filename(folder->folder, "link", NULL);
  g_autofree char *nowhere = g_build_filename(folder->folder, "nowhere", NULL);
  g_autofree char *target = g_build_filename(folder->folder, "target", NULL);
  g_autofree char *pipe_path = g_build_filename(folder->folder, "pipe", NULL);
  g_autofree char *slash = g_strconcat(folder->folder, "/", NULL);
  g_autofree char *below = g_build_filename(folder->path, "log.sqlite", NULL);

  make_log(folder->path, 1);
  g_assert_cmpint(symlink(folder->path, link), ==, 0);
  g_assert_cmpint(symlink(target, nowhere), ==, 0);
  g_assert_cmpint(mkfifo(pipe_path, 0600), ==, 0);
  for (int read_only = 0; read_only < 2; read_only++) {
    assert_refused(link, read_only, STORE_ERROR_FORMAT,
                   "found a symbolic link, expected a regular file");
    assert_refused(nowhere, read_only, STORE_ERROR_FORMAT, "found a symbolic link*");
    assert_refused(pipe_path, read_only, STORE_ERROR_FORMAT, "found a pipe*");
    assert_refused(folder->folder, read_only, STORE_ERROR_FORMAT, "found a folder*");
    assert_refused(slash, read_only, STORE_ERROR_IO, "found no file name*");
    assert_refused("", read_only, STORE_ERROR_IO, "found no file name*");
    assert_refused(below, read_only, STORE_ERROR_IO, "*: *"); /* its folder is a file */
  }
  g_assert_false(g_file_test(target, G_FILE_TEST_EXISTS));
}

/* A link among the folders is somebody's home, and fine. */
static void
test_linked_folder(LogFolder *folder, gconstpointer data)
{
  g_autofree char *real = g_build_filename(folder->folder, "real", NULL);
  g_autofree char *link = g_build_filename(folder->folder, "link", NULL);
  g_autofree char *path = g_build_filename(link, "log 100% ?#.sqlite", NULL);

  g_assert_cmpint(g_mkdir(real, 0700), ==, 0);
  g_assert_cmpint(symlink(real, link), ==, 0);
  make_log(path, 1);
  store_log_close(open_log(path, TRUE));
  g_assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
}

static void
test_other_database(LogFolder *folder, gconstpointer data)
{
  run_sql(folder->path, "CREATE TABLE \"" SECRET_NAME "\" (id INTEGER)");
  assert_refused_untouched(folder->path, STORE_ERROR_FORMAT,
                           "application id: found 0x00000000, expected 0x48494c4d: not a*");
  run_sql(folder->path, "PRAGMA application_id = 0x0f055112");
  assert_refused_untouched(folder->path, STORE_ERROR_FORMAT, "application id: found 0x0f055112,*");
  run_sql(folder->path, "PRAGMA application_id = 0x48494c4d");
  assert_refused_untouched(folder->path, STORE_ERROR_FORMAT, "schema version: found 0, expected 4");
  run_sql(folder->path, "PRAGMA user_version = -3");
  assert_refused_untouched(folder->path, STORE_ERROR_FORMAT,
                           "schema version: found -3, expected 1 to 4*");
}

/* ---- a schema that other hands have changed ------------------------------------------------- */

static const struct {
  const char *name, *sql, *pattern;
} changed_schemas[] = {
    {"no-table", "DROP TABLE turns", "schema: table turns is missing"},
    {"no-trigger", "DROP TRIGGER turns_no_delete", "schema: trigger turns_no_delete is missing"},
    {"no-index", "DROP INDEX images_by_uid", "schema: index images_by_uid is missing"},
    {"more-tables", "CREATE TABLE \"" SECRET_NAME "\" (id)", "schema: found an object*no part*"},
    {"trigger", "CREATE TRIGGER aaa AFTER INSERT ON turns BEGIN DELETE FROM models; END",
     "schema: found an object*no part*"},
    {"view", "CREATE VIEW zzz AS SELECT 1", "schema: found an object*no part*"},
    {"column", "ALTER TABLE turns ADD COLUMN more TEXT", "schema: table turns is not as*"},
    {"weak-trigger",
     "DROP TRIGGER turns_no_update;"
     "CREATE TRIGGER turns_no_update BEFORE UPDATE ON turns BEGIN SELECT 1; END",
     "schema: trigger turns_no_update is not as*"},
    {"garbage",
     "PRAGMA writable_schema = ON;"
     "UPDATE sqlite_schema SET sql = 'CREATE " SECRET_NAME "' WHERE name = 'turns'",
     "*: *malformed*"},
};

static void
test_changed_schema(LogFolder *folder, gconstpointer data)
{
  guint i = GPOINTER_TO_UINT(data);

  make_log(folder->path, 1);
  run_sql(folder->path, changed_schemas[i].sql);
  assert_refused(folder->path, TRUE, STORE_ERROR_CORRUPT, changed_schemas[i].pattern);
  assert_refused(folder->path, FALSE, STORE_ERROR_CORRUPT, changed_schemas[i].pattern);
}

static void
test_statistics_are_allowed(LogFolder *folder, gconstpointer data)
{
  make_log(folder->path, 1);
  run_sql(folder->path, "ANALYZE");
  store_log_close(open_log(folder->path, FALSE));
}

/* ---- rows that other hands have put there --------------------------------------------------- */

/* Lifts types, NOT NULL and CHECK from the tables, runs SQL, and puts the texts back. */
static void
poison(const char *path, const char *sql)
{
  g_autofree char *side = g_strconcat(path, "-side", NULL);
  g_autofree char *attach = g_strdup_printf("ATTACH '%s' AS side", side);
  g_autofree char *lift = g_strconcat(
      attach,
      "; CREATE TABLE side.texts AS SELECT name, sql FROM main.sqlite_schema WHERE type = 'table';"
      "PRAGMA writable_schema = ON;"
      "UPDATE sqlite_schema SET sql = replace(replace(replace(sql, ' STRICT', ''),"
      " ' TEXT', ''), ' REAL', '') WHERE type = 'table';"
      "UPDATE sqlite_schema SET sql = replace(replace(replace(sql, ' BLOB', ''),"
      " ' NOT NULL CHECK', ' CHECK'), ' NOT NULL,', ',') WHERE type = 'table';"
      "UPDATE sqlite_schema SET sql = replace(replace(sql, ' INTEGER CHECK', ' CHECK'),"
      " ' INTEGER,', ',') WHERE type = 'table'",
      NULL);
  g_autofree char *insert = g_strconcat("PRAGMA ignore_check_constraints = ON;", sql, NULL);
  g_autofree char *restore = g_strconcat(
      attach,
      "; PRAGMA writable_schema = ON; UPDATE main.sqlite_master SET sql ="
      " (SELECT sql FROM side.texts AS t WHERE t.name = sqlite_master.name) WHERE type = 'table';"
      "DROP TABLE side.texts",
      NULL);

  run_sql(path, lift);
  run_sql(path, insert);
  run_sql(path, restore);
  g_remove(side);
}

#define TIME "'2024-01-01T00:00:00.000Z'"
/* A second turn of conversation 1, one value of which is replaced. */
#define TURN(number, image, question, prompt_ids, seed, top_p)                                     \
  "INSERT INTO turns (conversation, number, image, time, question, answer, prompt_ids,"            \
  " answer_ids, seed, top_p, max_tokens, prompt_tokens, answer_tokens, instruction_words,"         \
  " instruction_threshold) VALUES (1, " number ", " image ", " TIME ", " question                  \
  ", '', " prompt_ids ", x'', " seed ", " top_p ", 0, 0, 0, 0, 0)"

static const struct {
  const char *name, *sql;
  gboolean listed; /* the list shows it too */
  const char *pattern;
} poisons[] = {
    {"blob-for-text", TURN("2", "NULL", "x'53656372'", "x''", "0", "0.5"), FALSE,
     "turns row 2: question: found a blob, expected a text"},
    {"integer-for-text", TURN("2", "NULL", "5", "x''", "0", "0.5"), FALSE,
     "turns row 2: question: found an integer, expected a text"},
    {"null-text", TURN("2", "NULL", "NULL", "x''", "0", "0.5"), FALSE,
     "turns row 2: question: found nothing, expected a text"},
    {"no-utf8", TURN("2", "NULL", "CAST(x'ff' AS TEXT)", "x''", "0", "0.5"), FALSE,
     "turns row 2: question: *no UTF-8*"},
    {"nul-in-text", TURN("2", "NULL", "CAST(x'610062' AS TEXT)", "x''", "0", "0.5"), FALSE,
     "turns row 2: question: *no UTF-8*"},
    {"huge-text",
     TURN("2", "NULL", "CAST(replace(hex(zeroblob(2500000)), '0', 'a') AS TEXT)", "x''", "0",
          "0.5"),
     FALSE, "turns row 2: question: found 5000000 bytes, expected at most 4194304"},
    {"odd-ids", TURN("2", "NULL", "'q'", "x'010203'", "0", "0.5"), FALSE,
     "turns row 2: prompt_ids: found 3 bytes, expected a multiple of 4*"},
    {"huge-ids", TURN("2", "NULL", "'q'", "zeroblob(4194308)", "0", "0.5"), FALSE,
     "turns row 2: prompt_ids: found 4194308 bytes*"},
    {"text-for-ids", TURN("2", "NULL", "'q'", "'abcd'", "0", "0.5"), FALSE,
     "turns row 2: prompt_ids: found a text, expected a blob"},
    {"null-ids", TURN("2", "NULL", "'q'", "NULL", "0", "0.5"), FALSE,
     "turns row 2: prompt_ids: found nothing, expected a blob"},
    {"real-for-integer", TURN("2", "NULL", "'q'", "x''", "0.5", "0.5"), FALSE,
     "turns row 2: seed: found a real, expected an integer"},
    {"text-for-real", TURN("2", "NULL", "'q'", "x''", "0", "'high'"), FALSE,
     "turns row 2: top_p: found a text, expected a real"},
    {"no-image", TURN("2", "99", "'q'", "x''", "0", "0.5"), FALSE,
     "turns row 2: image: found 99, which is not in the log"},
    {"no-series",
     "INSERT INTO images (time, series, frame, has_window, inverted, blank)"
     " VALUES (" TIME ", 98, 0, 0, 0, 0);" TURN("2", "2", "'q'", "x''", "0", "0.5"),
     FALSE, "turns row 2: series: found 98, which is not in the log"},
    {"no-patient",
     "INSERT INTO studies (time, patient) VALUES (" TIME ", 97);"
     "INSERT INTO series (time, study) VALUES (" TIME ", 2);"
     "INSERT INTO images (time, series, frame, has_window, inverted, blank)"
     " VALUES (" TIME ", 2, 0, 0, 0, 0);" TURN("2", "2", "'q'", "x''", "0", "0.5"),
     FALSE, "turns row 2: patient: found 97, which is not in the log"},
    {"negative-image", TURN("2", "-1", "'q'", "x''", "0", "0.5"), FALSE,
     "turns row 2: image: found -1, expected an id of 1 or more"},
    {"gap", TURN("3", "NULL", "'q'", "x''", "0", "0.5"), FALSE,
     "turns row 2: number: found 3, expected 2"},
    {"huge-number", TURN("9223372036854775807", "NULL", "'q'", "x''", "0", "0.5"), TRUE,
     "*: found 9223372036854775807, expected 0 to 4294967295"},
    {"no-model", "INSERT INTO conversations (time, model) VALUES (" TIME ", 99)", TRUE,
     "conversations row 2: model: found 99, which is not in the log"},
    {"negative-conversation",
     "INSERT INTO conversations (id, time, model) VALUES (-5, " TIME ", 1)", TRUE,
     "conversations row *: id: found -5, expected an id of 1 or more"},
    {"text-for-branch",
     "INSERT INTO conversations (time, model, rewound_from) VALUES (" TIME ", 1, 'x')", TRUE,
     "conversations row 2: rewound from: found a text, expected an integer"},
};

/* The log is open already, so that the rows are met by the reading and not by the opening. */
static void
test_poisoned_row(LogFolder *folder, gconstpointer data)
{
  guint i = GPOINTER_TO_UINT(data);
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = NULL;
  g_autoptr(StoreLog) again = NULL;
  GPtrArray *rows;

  make_log(folder->path, 1);
  log = open_log(folder->path, FALSE);
  poison(folder->path, poisons[i].sql);
  if (poisons[i].listed) {
    rows = store_log_list(log, 0, &error);
  } else {
    rows = store_log_show(log, 1, &error);
  }
  g_assert_null(rows);
  assert_message(&error, STORE_ERROR_CORRUPT, folder->path, poisons[i].pattern);

  /* At the next opening: most are found at once, the others again when they are read. */
  g_clear_pointer(&log, store_log_close);
  again = store_log_open(folder->path, TRUE, &error);
  if (!again) {
    assert_message(&error, STORE_ERROR_CORRUPT, folder->path, "checking the pages: found *");
  }
}

/* ---- broken pages --------------------------------------------------------------------------- */

/* Opens, lists and shows. Anything but a crash, a hang or a message with a patient in it will do.
 */
static gboolean
try_all(const char *path)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = store_log_open(path, TRUE, &error);
  g_autoptr(GPtrArray) list = log ? store_log_list(log, 0, &error) : NULL;

  for (guint i = 0; list && i < list->len && !error; i++) {
    g_autoptr(GPtrArray) rows =
        store_log_show(log, ((StoreConversation *)list->pdata[i])->id, &error);
    g_assert_true((rows != NULL) == (error == NULL));
  }
  if (error) {
    g_assert_true(error->domain == STORE_ERROR);
    g_assert_true(g_str_has_prefix(error->message, path));
    g_assert_null(strstr(error->message, SECRET_NAME));
    g_assert_null(strstr(error->message, "nodule"));
    g_assert_true(g_utf8_validate(error->message, -1, NULL));
  }
  return error == NULL;
}

static void
test_truncated(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GBytes) whole = NULL;
  gsize length;
  const char *bytes;

  make_log(folder->path, 3);
  whole = read_bytes(folder->path);
  bytes = g_bytes_get_data(whole, &length);
  for (gsize n = 1; n < length; n += n < 600 ? 37 : 1361) {
    write_bytes(folder->path, bytes, n);
    g_assert_false(try_all(folder->path));
  }
  write_bytes(folder->path, bytes, length);
  g_assert_true(try_all(folder->path));
  write_bytes(folder->path, bytes, length - 4096);
  assert_refused(folder->path, FALSE, STORE_ERROR_CORRUPT, "*malformed*");
}

static void
test_flipped_bytes(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GBytes) whole = NULL;
  g_autofree guint8 *bytes = NULL;
  gsize length;
  guint refused = 0, tried = 0;

  make_log(folder->path, 3);
  whole = read_bytes(folder->path);
  bytes = g_memdup2(g_bytes_get_data(whole, &length), g_bytes_get_size(whole));
  length = g_bytes_get_size(whole);
  /* Every bit of the header; elsewhere the head of each page, where its structure is, and a sample.
   */
  for (gsize at = 0; at < length; at += at < 100 || at % 4096 < 24 ? 1 : 211) {
    for (guint bit = at < 100 ? 0 : 7; bit < 8; bit++) {
      guint8 mask = at < 100 ? (guint8)(1u << bit) : (guint8)(0xff ^ (at & 0x7f));
      bytes[at] ^= mask;
      write_bytes(folder->path, bytes, length);
      refused += !try_all(folder->path);
      tried++;
      bytes[at] ^= mask;
    }
  }
  g_test_message("%u of %u refused", refused, tried);
  g_assert_cmpuint(refused, >, tried / 4);
}

static void
test_garbage_beside(LogFolder *folder, gconstpointer data)
{
  g_autofree char *wal = g_strconcat(folder->path, "-wal", NULL);
  g_autofree char *shm = g_strconcat(folder->path, "-shm", NULL);
  g_autofree char *journal = g_strconcat(folder->path, "-journal", NULL);
  g_autofree char *garbage = g_strnfill(70000, '7');

  make_log(folder->path, 3);
  write_bytes(wal, garbage, 70000);
  write_bytes(shm, garbage, 70000);
  write_bytes(journal, garbage, 70000);
  store_log_close(open_log(folder->path, FALSE));
  g_assert_true(try_all(folder->path));
  assert_sound(folder->path);
}

static guint32
big_endian(const guint8 *bytes)
{
  return (guint32)bytes[0] << 24 | (guint32)bytes[1] << 16 | (guint32)bytes[2] << 8 | bytes[3];
}

/* The root page of the index of turns sends every child to the first one, in a file that is too
 * large to be checked whole: the same turns come again and again. */
static void
test_pages_in_a_circle(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = NULL;
  g_autofree char *root_text = NULL;
  gsize root;
  guint8 page[4096];
  guint cells;
  int fd;

  make_log(folder->path, 1);
  run_sql(folder->path,
          "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
          "INSERT INTO turns (conversation, number, time, question, answer, prompt_ids, answer_ids,"
          " seed, max_tokens, prompt_tokens, answer_tokens, instruction_words,"
          " instruction_threshold) SELECT 1, i, " TIME ", hex(zeroblob(1000)), '', x'', x'',"
          " 0, 0, 0, 0, 0, 0 FROM n");
  g_assert_cmpint(store_file_size(folder->path, ""), >, 8 << 20);
  root_text = ask_sql(folder->path,
                      "SELECT rootpage FROM sqlite_schema WHERE name = 'turns_by_conversation'");
  root = (gsize)(g_ascii_strtoull(root_text, NULL, 10) - 1) * 4096;
  g_assert_true(try_all(folder->path));

  fd = open(folder->path, O_RDWR);
  g_assert_cmpint(pread(fd, page, sizeof page, (off_t)root), ==, 4096);
  g_assert_cmpuint(page[0], ==, 2); /* interior page of an index */
  cells = (guint)page[3] << 8 | page[4];
  g_assert_cmpuint(cells, >, 2);
  for (guint i = 1; i < cells; i++) {
    guint first = (guint)page[12] << 8 | page[13];
    guint cell = (guint)page[12 + 2 * i] << 8 | page[13 + 2 * i];
    g_assert_cmpuint(big_endian(page + cell), !=, big_endian(page + first));
    memcpy(page + cell, page + first, 4);
  }
  g_assert_cmpint(pwrite(fd, page, sizeof page, (off_t)root), ==, 4096);
  close(fd);

  log = open_log(folder->path, TRUE);
  g_assert_null(store_log_show(log, 1, &error));
  assert_message(&error, STORE_ERROR_CORRUPT, folder->path, "turns row *: number: found 1, *");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  LOG_TEST("/hostile/no-database", test_no_database);
  LOG_TEST("/hostile/empty", test_empty);
  LOG_TEST("/hostile/no-regular-file", test_no_regular_file);
  LOG_TEST("/hostile/linked-folder", test_linked_folder);
  LOG_TEST("/hostile/other-database", test_other_database);
  for (guint i = 0; i < G_N_ELEMENTS(changed_schemas); i++) {
    g_autofree char *name = g_strconcat("/hostile/schema-", changed_schemas[i].name, NULL);
    g_test_add(name, LogFolder, GUINT_TO_POINTER(i), log_folder_set_up, test_changed_schema,
               log_folder_tear_down);
  }
  for (guint i = 0; i < G_N_ELEMENTS(poisons); i++) {
    g_autofree char *name = g_strconcat("/hostile/row-", poisons[i].name, NULL);
    g_test_add(name, LogFolder, GUINT_TO_POINTER(i), log_folder_set_up, test_poisoned_row,
               log_folder_tear_down);
  }
  LOG_TEST("/hostile/statistics-are-allowed", test_statistics_are_allowed);
  LOG_TEST("/hostile/truncated", test_truncated);
  LOG_TEST("/hostile/flipped-bytes", test_flipped_bytes);
  LOG_TEST("/hostile/garbage-beside", test_garbage_beside);
  LOG_TEST("/hostile/pages-in-a-circle", test_pages_in_a_circle);
  return g_test_run();
}
