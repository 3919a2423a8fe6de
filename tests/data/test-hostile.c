/* test-hostile.c - files that are no log, logs that other hands have changed, and broken pages.
 * Each gives a message that names the file and what is wrong, and is left as it was.
 */
#include "log-fixture.h"
#include "log/keys.h"
#include "log/private.h"
#include "log/row.h"
#include "log/write.h"
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
  assert_refused_untouched(folder->path, STORE_ERROR_FORMAT, "schema version: found 0, expected 5");
  run_sql(folder->path, "PRAGMA user_version = -3");
  assert_refused_untouched(folder->path, STORE_ERROR_FORMAT,
                           "schema version: found -3, expected 1 to 5*");
}

/* ---- a schema that other hands have changed ------------------------------------------------- */

static const struct {
  const char *name, *sql, *pattern;
} changed_schemas[] = {
    {"no-table", "DROP TABLE turn", "schema: table turn is missing"},
    {"no-trigger", "DROP TRIGGER event_no_delete", "schema: trigger event_no_delete is missing"},
    {"no-index", "DROP INDEX image_by_lookup", "schema: index image_by_lookup is missing"},
    {"more-tables", "CREATE TABLE \"" SECRET_NAME "\" (id)", "schema: found an object*no part*"},
    {"trigger", "CREATE TRIGGER aaa AFTER INSERT ON event BEGIN DELETE FROM model; END",
     "schema: found an object*no part*"},
    {"view", "CREATE VIEW zzz AS SELECT 1", "schema: found an object*no part*"},
    {"column", "ALTER TABLE event ADD COLUMN more TEXT", "schema: table event is not as*"},
    {"weak-trigger",
     "DROP TRIGGER event_no_update;"
     "CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN SELECT 1; END",
     "schema: trigger event_no_update is not as*"},
    {"garbage",
     "PRAGMA writable_schema = ON;"
     "UPDATE sqlite_schema SET sql = 'CREATE " SECRET_NAME "' WHERE name = 'turn'",
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

#define TIME "'2024-01-01T00:00:00.000Z'"
#define CLEAR_2 "{\"conversation\":1,\"number\":2,\"id\":2"
#define TURN_2 CLEAR_2 "}"
#define SAID "{\"question\":\"q\",\"answer\":\"a\""

/* Events that hands with all keys have made: their hashes, their chain and their seals are right,
 * and what they say is not. */
static const struct {
  const char *name, *clear, *sealed, *pattern;
  const char *numbers; /* behind what is sealed */
} poisons[] = {
    {"no-object", "[1]", "{}", "event * (turn): body: found something else*"},
    {"no-json", "{\"a\"", "{}", "event * (turn): body: found no JSON*"},
    {"deep", "{\"a\":[[[[[[[[]]]]]]]]}", "{}", "event * (turn): body: found no JSON*"},
    {"sealed-no-json", TURN_2, "{\"question", "event * (turn): sealed: found no JSON*"},
    {"no-utf8", TURN_2, "{\"question\":\"\xff\"}", "event * (turn): sealed: found no JSON*"},
    {"integer-for-text", TURN_2, "{\"question\":5,\"answer\":\"\"}",
     "event * (turn): question: found something else, expected a text"},
    {"null-text", TURN_2, "{\"question\":null,\"answer\":\"\"}",
     "event * (turn): question: found something else, expected a text"},
    {"no-text", TURN_2, "{\"question\":\"q\"}",
     "event * (turn): answer: found nothing, expected a text"},
    {"text-for-ids", TURN_2, SAID ",\"prompt_ids\":\"abcd\"}",
     "event * (turn): prompt_ids: found something else, expected a list"},
    {"odd-ids", TURN_2, SAID ",\"prompt_ids\":[1,\"2\"]}",
     "event * (turn): prompt_ids: found something else, expected a whole number"},
    {"huge-id", TURN_2, SAID ",\"prompt_ids\":[4294967296]}",
     "event * (turn): prompt_ids: found 4294967296, expected *"},
    {"pieces-beyond", TURN_2, SAID ",\"pieces\":[[9,0.5]]}",
     "event * (turn): pieces: found a piece*"},
    {"pieces-falling", TURN_2, SAID ",\"pieces\":[[1,0.5],[0,0.5]]}",
     "event * (turn): pieces: found a piece*"},
    {"pieces-unlikely", TURN_2, SAID ",\"pieces\":[[1,1.5]]}",
     "event * (turn): pieces: found a piece*"},
    {"pieces-no-pairs", TURN_2, SAID ",\"pieces\":[1]}", "event * (turn): pieces: *pairs"},
    {"ids-beyond", TURN_2, SAID ",\"prompt_ids\":{\"i16\":3,\"at\":0}}",
     "event * (turn): prompt_ids: found 3 numbers from byte 0 on, and 4 bytes in all", "abcd"},
    {"ids-far", TURN_2, SAID ",\"prompt_ids\":{\"i32\":1,\"at\":9223372036854775807}}",
     "event * (turn): prompt_ids: found 1 numbers from byte 9223372036854775807 on*", "abcd"},
    {"ids-before", TURN_2, SAID ",\"prompt_ids\":{\"i16\":1,\"at\":-2}}",
     "event * (turn): prompt_ids: found -2, expected 0 to *", "abcd"},
    {"ids-nowhere", TURN_2, SAID ",\"answer_ids\":{\"i16\":1,\"at\":0}}",
     "event * (turn): answer_ids: found 1 numbers from byte 0 on, and 0 bytes in all"},
    {"ids-many", TURN_2, SAID ",\"prompt_ids\":{\"i16\":1048577,\"at\":0}}",
     "event * (turn): prompt_ids: found 1048577, expected 0 to 1048576", "abcd"},
    {"ids-no-place", TURN_2, SAID ",\"prompt_ids\":{\"i16\":1}}",
     "event * (turn): prompt_ids: found something else, expected a list", "abcd"},
    {"ids-reals", TURN_2, SAID ",\"prompt_ids\":{\"f32\":1,\"at\":0}}",
     "event * (turn): prompt_ids: found something else, expected a list", "abcd"},
    {"dense-pieces-odd", TURN_2,
     SAID ",\"pieces\":{\"ends\":{\"i16\":2,\"at\":0},\"p\":{\"f32\":1,\"at\":0}}}",
     "event * (turn): pieces: *pairs", "abcd"},
    {"dense-pieces-beyond", TURN_2,
     SAID ",\"pieces\":{\"ends\":{\"i16\":1,\"at\":0},\"p\":{\"f32\":1,\"at\":2}}}",
     "event * (turn): pieces: found a piece*", "ab\1\1\1\1"},
    {"dense-pieces-no-reals", TURN_2, SAID ",\"pieces\":{\"ends\":{\"i16\":1,\"at\":0}}}",
     "event * (turn): pieces: found something else, expected a list", "ab"},
    {"seed-no-number", CLEAR_2 ",\"seed\":\"x\"}", SAID "}", "event * (turn): seed: *"},
    {"negative-count", CLEAR_2 ",\"max_tokens\":-1}", SAID "}",
     "event * (turn): max_tokens: found -1, expected 0 to *"},
    {"real-for-integer", CLEAR_2 ",\"max_tokens\":0.5}", SAID "}",
     "event * (turn): max_tokens: found something else*"},
    {"text-for-real", CLEAR_2 ",\"top_p\":\"high\"}", SAID "}",
     "event * (turn): top_p: found something else*"},
    {"no-image", CLEAR_2 ",\"image\":99}", SAID "}", "image: found 99, which is not in the log"},
    {"negative-image", CLEAR_2 ",\"image\":-1}", SAID "}", "event * (turn): image: found -1*"},
    {"earlier-no-image", CLEAR_2 ",\"image\":1,\"earlier_images\":[98]}", SAID "}",
     "image: found 98, which is not in the log"},
    {"other-number", "{\"conversation\":1,\"number\":3,\"id\":2}", SAID "}",
     "event * (turn): number: found 3, expected 2"},
    {"other-conversation", "{\"conversation\":7,\"number\":2,\"id\":2}", SAID "}",
     "event * (turn): conversation: found 7, expected 1"},
    {"other-id", "{\"conversation\":1,\"number\":2,\"id\":9}", SAID "}",
     "event * (turn): id: found 9, expected 2"},
};

static gint64
add_raw(StoreLog *log, const char *kind, const char *clear, const char *sealed, const char *numbers)
{
  g_auto(StoreDraft) draft = {0};
  g_autoptr(GError) error = NULL;
  gint64 subject = 0, event;

  store_draft_init(&draft, log->name, "raw", &error);
  g_string_assign(draft.json[STORE_CLEAR], clear);
  g_string_assign(draft.json[STORE_SEALED], sealed);
  if (numbers) {
    g_byte_array_append(draft.numbers, (const guint8 *)numbers, (guint)strlen(numbers));
  }
  g_assert_true(store_begin(log, "adding", &error));
  g_assert_true(store_keys_find_subject(log->keys, "raw", 3, TRUE, 1, &subject, &error));
  event = store_row_add(log, kind, NULL, subject, &draft, "adding", &error);
  g_assert_true(store_derive_row(log, STORE_SQL_ADD_TURN, "adding",
                                 (const gint64[]){2, event, 1, 2, 0}, 5, &error));
  g_assert_cmpint(store_finish(log, "adding", event, &error), ==, event);
  g_assert_no_error(error);
  return event;
}

static void
test_poisoned_event(LogFolder *folder, gconstpointer data)
{
  guint i = GPOINTER_TO_UINT(data);
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = NULL;

  make_log(folder->path, 1);
  log = open_log(folder->path, FALSE);
  add_raw(log, "turn", poisons[i].clear, poisons[i].sealed, poisons[i].numbers);
  g_assert_null(store_log_show(log, 1, &error));
  assert_message(&error, STORE_ERROR_CORRUPT, folder->path, poisons[i].pattern);
}

/* Events from before their numbers lay behind the object. */
static void
test_listed_numbers(LogFolder *folder, gconstpointer data)
{
  const gint32 ids[] = {1, -200, 70000};
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) rows = NULL;
  g_autoptr(StoreLog) log = NULL;
  const StoreTurn *turn;

  make_log(folder->path, 1);
  log = open_log(folder->path, FALSE);
  add_raw(log, "turn", TURN_2,
          "{\"question\":\"q\",\"answer\":\"ab\",\"prompt_ids\":[1,-200,70000],\"answer_ids\":[],"
          "\"pieces\":[[1,0.5],[2,1]]}",
          NULL);
  rows = store_log_show(log, 1, &error);
  g_assert_no_error(error);
  turn = &((StoreTurnRow *)rows->pdata[1])->turn;
  g_assert_cmpmem(turn->prompt_ids, turn->n_prompt_ids * 4, ids, sizeof ids);
  g_assert_cmpuint(turn->n_answer_ids, ==, 0);
  g_assert_cmpuint(turn->n_pieces, ==, 2);
  g_assert_cmpuint(turn->pieces[1].end, ==, 2);
  g_assert_cmpfloat(turn->pieces[0].p, ==, 0.5f);
}

/* Rows that hands without keys have changed: each is found when it is read. */
static const struct {
  const char *name, *sql, *pattern;
} changes[] = {
    {"body", "UPDATE event SET body = replace(body, 'eos', 'eot') WHERE kind = 'turn'",
     "event row *: hash: *it was changed"},
    {"time", "UPDATE event SET time = '2001-01-01T00:00:00.000Z' WHERE kind = 'turn'",
     "event row *: hash: *it was changed"},
    {"subject", "UPDATE event SET subject = subject + 1 WHERE kind = 'turn'",
     "event row *: hash: *it was changed"},
    {"sealed", "UPDATE event SET sealed = zeroblob(length(sealed)) WHERE kind = 'turn'",
     "event row *: hash: *it was changed"},
    {"previous", "UPDATE event SET previous = zeroblob(32) WHERE kind = 'turn'",
     "event row *: hash: *it was changed"},
    {"hash", "UPDATE event SET hash = zeroblob(32) WHERE kind = 'turn'",
     "event row *: hash: *it was changed"},
    {"another-event", "UPDATE turn SET event = 2", "event row *: kind: found another*"},
    {"no-event", "PRAGMA foreign_keys = OFF; UPDATE turn SET event = 999",
     "event 999: found nothing, expected one"},
    {"gap", "UPDATE turn SET number = 3", "turn row 1: number: found 3, expected 1"},
    {"deleted", "PRAGMA foreign_keys = OFF; DELETE FROM event WHERE kind = 'turn'",
     "event *: found nothing, expected one"},
};

static void
test_changed_row(LogFolder *folder, gconstpointer data)
{
  guint i = GPOINTER_TO_UINT(data);
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = NULL;
  g_autofree char *sql = NULL;

  make_log(folder->path, 1);
  sql = g_strconcat("DROP TRIGGER event_no_update; DROP TRIGGER event_no_delete;"
                    "DROP TRIGGER turn_no_update;",
                    changes[i].sql, NULL);
  log = open_log(folder->path, TRUE);
  run_sql(folder->path, sql);
  g_assert_null(store_log_show(log, 1, &error));
  assert_message(&error, STORE_ERROR_CORRUPT, folder->path, changes[i].pattern);
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
    /* What is cut from a page of zeros is read as zeros. */
    g_assert_true(!try_all(folder->path) || n > length - 4096);
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
  g_assert_cmpuint(refused, >, tried / 5);
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
  g_autofree char *question = g_strnfill(1500, 'q');
  StoreTurn turn = sample_turn;
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = NULL;
  g_autofree char *root_text = NULL;
  gsize root;
  guint8 page[4096];
  guint cells;
  int fd;

  make_log(folder->path, 1);
  turn.question = question;
  log = open_log(folder->path, FALSE);
  g_assert_true(store_begin(log, "adding", &error)); /* many turns at the price of one */
  for (guint i = 0; i < 5000; i++) {
    g_assert_cmpint(store_write_turn(log, 1, &turn, NULL, &error), >, 0);
  }
  g_assert_cmpint(store_finish(log, "adding", 1, &error), ==, 1);
  g_assert_no_error(error);
  g_clear_pointer(&log, store_log_close);
  g_assert_cmpint(store_file_size(folder->path, ""), >, 8 << 20);
  root_text = ask_sql(folder->path,
                      "SELECT rootpage FROM sqlite_schema WHERE name = 'turn_by_conversation'");
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
  assert_message(&error, STORE_ERROR_CORRUPT, folder->path,
                 "turn row *: number: found *, expected *");
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
    g_autofree char *name = g_strconcat("/hostile/event-", poisons[i].name, NULL);
    g_test_add(name, LogFolder, GUINT_TO_POINTER(i), log_folder_set_up, test_poisoned_event,
               log_folder_tear_down);
  }
  for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
    g_autofree char *name = g_strconcat("/hostile/changed-", changes[i].name, NULL);
    g_test_add(name, LogFolder, GUINT_TO_POINTER(i), log_folder_set_up, test_changed_row,
               log_folder_tear_down);
  }
  LOG_TEST("/hostile/listed-numbers", test_listed_numbers);
  LOG_TEST("/hostile/statistics-are-allowed", test_statistics_are_allowed);
  LOG_TEST("/hostile/truncated", test_truncated);
  LOG_TEST("/hostile/flipped-bytes", test_flipped_bytes);
  LOG_TEST("/hostile/garbage-beside", test_garbage_beside);
  LOG_TEST("/hostile/pages-in-a-circle", test_pages_in_a_circle);
  return g_test_run();
}
