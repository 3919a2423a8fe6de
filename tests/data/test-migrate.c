/* test-migrate.c - older and newer logs, and migrations that fail half-way. The later versions here
 * are made up; the mechanism is the one that the log itself uses. */
#include "log-fixture.h"
#include "log/private.h"
#include "log/schema.h"
#include "log/schema-v1.h"
#include "log/schema-v2.h"
#include "log/schema-v3.h"
#include "log/schema-v4.h"
#include "log/schema-v5.h"
#include "record.h"
#include <math.h>
#include <sys/wait.h>
#include <unistd.h>

static const char v6[] = "ALTER TABLE turn ADD COLUMN mood TEXT;"
                         "CREATE TABLE more (id INTEGER PRIMARY KEY, text TEXT) STRICT;";
static const char v7[] = "INSERT INTO more (text) VALUES ('migrated');"
                         "CREATE INDEX more_by_text ON more (text);";
static const char broken[] = "CREATE TABLE half (id INTEGER PRIMARY KEY) STRICT;"
                             "INSERT INTO nowhere VALUES (1);";

#define RELEASED store_schema_v1, store_schema_v2, store_schema_v3, store_schema_v4, store_schema_v5

static const char *const seven[] = {RELEASED, v6, v7};
static const StoreSchema schema_4 = {seven, 4};
static const StoreSchema schema_6 = {seven, 6};
static const StoreSchema schema_7 = {seven, 7};
static const char *const bad[] = {RELEASED, v6, broken};
static const StoreSchema schema_bad = {bad, 7};

static sqlite3 *
open_plain(const char *path)
{
  sqlite3 *db = NULL;

  g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
  sqlite3_busy_timeout(db, 10000);
  return db;
}

static void
assert_version(const char *path, const char *version)
{
  g_autofree char *found = ask_sql(path, "PRAGMA user_version");

  g_assert_cmpstr(found, ==, version);
}

static void
test_version_5_is_what_is_released(LogFolder *folder, gconstpointer data)
{
  g_assert_cmpint(store_schema.version, ==, 5); /* a new version extends this test and the next */
  make_log(folder->path, 1);
  assert_version(folder->path, "5");
}

/* The texts of older versions are on other people's disks: they may never change again. */
static void
test_older_versions_are_frozen(void)
{
  g_autofree char *v1 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, store_schema_v1, -1);
  g_autofree char *v3 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, store_schema_v3, -1);
  g_autofree char *v4 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, store_schema_v4, -1);
  g_autofree char *v2 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, store_schema_v2, -1);

  g_assert_cmpstr(v1, ==, "6f7905c954a1f87a7a14f47b75c729f0e10da1e3fb41b2b19c2fb9498311f908");
  g_assert_cmpstr(v3, ==, "9325c1661a6e4d94ead54d864596b2b8cb9a5c207f92dbd817ce55adfb7c7f88");
  g_assert_cmpstr(v4, ==, "2ace85e2384d73c0c1ad1762dc922253b11813823aad5281502197d8e71d2248");
  g_assert_cmpstr(v2, ==, "168953789f38d10828dae990a2f5a9fbb15f92101ca7da7af337c2612d8f3014");
}

/* What is in the file's bytes, wherever. */
static gboolean
holds(const char *path, const char *suffix, const char *text)
{
  g_autofree char *whole = g_strconcat(path, suffix, NULL);
  g_autofree char *bytes = NULL;
  gsize n = 0;

  return g_file_get_contents(whole, &bytes, &n, NULL) &&
         memmem(bytes, n, text, strlen(text)) != NULL;
}

static gboolean
anywhere(const char *path, const char *text)
{
  return holds(path, "", text) || holds(path, "-wal", text) || holds(path, "-journal", text);
}

static void
make_old(const char *path, const StoreSchema *schema, const char *sql)
{
  g_autoptr(GError) error = NULL;
  sqlite3 *db = open_plain(path);

  g_assert_true(store_schema_migrate(db, "LOG", schema, NULL, &error));
  g_assert_no_error(error);
  sqlite3_close(db);
  run_sql(path, sql);
}

#define T(n) "'2024-01-0" #n "T00:00:00.000Z'"

/* A log of version 1 on somebody's disk: its rows stay, and say nothing of what came later. */
static void
test_version_1(LogFolder *folder, gconstpointer data)
{
  static const StoreSchema schema_1 = {seven, 1};
  const StoreModel here = {.name = "old"}, there = {.name = "old", .engine = "https://gpu.example"};
  g_autoptr(GError) error = NULL;

  make_old(folder->path, &schema_1,
           "INSERT INTO images (time, frame, has_window, inverted, blank, path)"
           " VALUES (" T(1) ", 3, 0, 0, 0, '/old.dcm');"
                            "INSERT INTO models (time, name) VALUES (" T(1) ", 'old')");
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  assert_version(folder->path, "5");
  g_assert_cmpint(store_log_add_image(log, &sample_image, &error), ==, 2);
  /* All models were in the program then: the row is that of one that still is, and of no other. */
  g_assert_cmpint(store_log_add_model(log, &here, &error), ==, 1);
  g_assert_cmpint(store_log_add_model(log, &there, &error), ==, 2);
  g_assert_no_error(error);
  assert_sound(folder->path);
}

static const char version_4_rows[] =
    "INSERT INTO patients (time, patient_id, patient_name)"
    " VALUES (" T(
        1) ", '" SECRET_ID "', '" SECRET_NAME "');"
           "INSERT INTO studies (time, patient, study_instance_uid, study_date, study_description)"
           " VALUES (" T(
               1) ", 1, '1.2.3', '20240229', 'CHEST');"
                  "INSERT INTO series (time, study, series_instance_uid, modality)"
                  " VALUES (" T(
                      1) ", 1, '1.2.3.4', 'CT');"
                         "INSERT INTO images (time, series, path, sop_instance_uid, frame, "
                         "has_window, window_center,"
                         " window_width, inverted, blank, sent_sha256, turns, flip, voi_lut)"
                         " VALUES (" T(
                             1) ", 1, '/a/" SECRET_NAME ".dcm', '1.5', 7, 1, -600.5, NULL, 1, 0,"
                                " '" SHA_B "', 3, 1, 1), (" T(
                                    1) ", NULL, '/b.png', NULL, 0, 0, 0.0, 0.0, 0, 1, NULL, 0, 0,"
                                       " NULL);"
                                       "INSERT INTO models (time, name, sha256) VALUES (" T(
                                           2) ", 'm', '" SHA_A "');"
                                              "INSERT INTO conversations (time, model, "
                                              "program_version, rewound_from, rewound_turn)"
                                              " VALUES (" T(3) ", 1, '0.1.0', NULL, NULL), (" T(
                                                  2) ", 1, '0.1.0', 1, 0);"
                                                     "INSERT INTO turns (conversation, number, "
                                                     "image, time, question, answer, prompt_ids,"
                                                     " answer_ids, seed, temperature, max_tokens, "
                                                     "prompt_tokens, answer_tokens, "
                                                     "instruction_words,"
                                                     " instruction_threshold, pieces) VALUES (1, "
                                                     "1, 1, " T(
                                                         4) ", '" SECRET_QUESTION "', 'Yes.',"
                                                            " x'01000000007d0000', "
                                                            "x'0200000004030201', -6, 0.2, 9, 8, "
                                                            "7, 6, 5,"
                                                            " x'020000000000003f040000000000803f'),"
                                                            " (1, 2, 1, " T(
                                                                5) ", 'And?', 'No.', x'', x'', 0, "
                                                                   "NULL, 0, 0, 0, 0, 0, NULL);"
                                                                   "INSERT INTO turn_images (turn, "
                                                                   "number, image, time) VALUES "
                                                                   "(1, 1, 2, " T(
                                                                       4) ");"
                                                                          "INSERT INTO verdicts "
                                                                          "(turn, verdict, text, "
                                                                          "user_name, time)"
                                                                          " VALUES (1, 'edited', "
                                                                          "'Nodule of " SECRET_NAME
                                                                          "', 'ada', " T(
                                                                              6) ");"
                                                                                 "INSERT INTO "
                                                                                 "checks (turn, "
                                                                                 "kind, same, "
                                                                                 "agreement, time) "
                                                                                 "VALUES (2, "
                                                                                 "'seeds', 1, "
                                                                                 "0.5, " T(
                                                                                     7) ");"
                                                                                        "INSERT "
                                                                                        "INTO "
                                                                                        "check_"
                                                                                        "answers "
                                                                                        "(of_check,"
                                                                                        " number, "
                                                                                        "answer, "
                                                                                        "seed, "
                                                                                        "blank, "
                                                                                        "time)"
                                                                                        " VALUES "
                                                                                        "(1, 1, "
                                                                                        "'Maybe"
                                                                                        " " SECRET_NAME
                                                                                        "', -1, "
                                                                                        "0, " T(
                                                                                            7) ");";

static void
check_version_4_turns(StoreLog *log)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) rows = store_log_show(log, 1, &error);
  const StoreTurnRow *first;

  g_assert_no_error(error);
  g_assert_cmpuint(rows->len, ==, 2);
  first = rows->pdata[0];
  g_assert_cmpstr(first->time, ==, "2024-01-04T00:00:00.000Z");
  g_assert_cmpstr(first->turn.question, ==, SECRET_QUESTION);
  g_assert_cmpstr(first->turn.answer, ==, "Yes.");
  g_assert_cmpuint(first->turn.n_answer_ids, ==, 2);
  g_assert_cmpint(first->turn.answer_ids[1], ==, 0x01020304);
  g_assert_cmpuint(first->turn.seed, ==, G_MAXUINT64 - 5);
  g_assert_true(isnan(first->turn.answer_s));
  g_assert_cmpuint(first->turn.n_pieces, ==, 2);
  g_assert_cmpfloat((double)first->turn.pieces[0].p, ==, 0.5);
  g_assert_cmpint(first->turn.image, ==, 1);
  g_assert_cmpuint(first->turn.n_earlier_images, ==, 1);
  g_assert_cmpstr(first->earlier[0].path, ==, "/b.png");
  g_assert_cmpstr(first->image.patient_name, ==, SECRET_NAME);
  g_assert_cmpstr(first->image.modality, ==, "CT");
  g_assert_cmpfloat(first->image.window_center, ==, -600.5);
  g_assert_true(isnan(first->image.window_width));
  g_assert_true(first->image.has_voi_lut && first->image.flip);
  g_assert_cmpstr(first->model.sha256, ==, SHA_A);
}

/* All that a log of version 4 says is there afterwards, with its ids and times, and the file no
 * longer holds a name in the clear. */
static void
test_version_4(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) verdicts = NULL, checks = NULL, list = NULL, found = NULL;

  make_old(folder->path, &schema_4, version_4_rows);
  g_assert_true(anywhere(folder->path, SECRET_NAME));
  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    check_version_4_turns(log);
    list = store_log_list(log, 0, &error);
    g_assert_no_error(error);
    g_assert_cmpint(((StoreConversation *)list->pdata[0])->rewound_from, ==, 1);
    g_assert_cmpstr(((StoreConversation *)list->pdata[1])->started, ==, "2024-01-03T00:00:00.000Z");
    verdicts = store_log_verdicts(log, 1, &error);
    g_assert_cmpstr(((StoreVerdictRow *)verdicts->pdata[0])->verdict.text, ==,
                    "Nodule of " SECRET_NAME);
    checks = store_log_checks(log, 2, &error);
    g_assert_cmpstr(((StoreCheckRow *)checks->pdata[0])->check.answers[0].answer, ==,
                    "Maybe " SECRET_NAME);
    g_assert_cmpuint(((StoreCheckRow *)checks->pdata[0])->check.answers[0].seed, ==, G_MAXUINT64);
    found = store_log_search(log, "nodule", 0, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(found->len, ==, 1);
    g_assert_cmpint(add_numbered_turn(log, 1, 3, &error), >, 0);
    g_assert_no_error(error);
  }
  g_assert_false(anywhere(folder->path, SECRET_NAME));
  g_assert_false(anywhere(folder->path, SECRET_ID));
  g_assert_false(anywhere(folder->path, "nodule"));
  g_assert_false(anywhere(folder->path, SHA_B));
  assert_sound(folder->path);
}

/* A value that no version ever wrote: the log stays what it was, and says where. */
static void
test_damaged_version_4(LogFolder *folder, gconstpointer data)
{
  make_old(folder->path, &schema_4,
           "INSERT INTO models (time, name) VALUES (" T(1) ", CAST(x'ff' AS TEXT))");
  assert_refused(folder->path, FALSE, STORE_ERROR_CORRUPT, "models row 1: name: *no UTF-8*");
  assert_version(folder->path, "4");
}

static void
test_older(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  sqlite3 *db;
  int version = 0;
  g_autofree char *question = NULL;
  g_autofree char *event = NULL;

  make_log(folder->path, 2);
  db = open_plain(folder->path);
  g_assert_true(store_schema_check(db, "LOG", &schema_7, FALSE, &version, &error));
  g_assert_cmpint(version, ==, 5);
  g_assert_false(store_schema_compare(db, "LOG", &schema_7, &error));
  g_clear_error(&error);
  g_assert_true(store_schema_migrate(db, "LOG", &schema_7, NULL, &error));
  g_assert_no_error(error);
  g_assert_true(store_schema_compare(db, "LOG", &schema_7, &error));
  g_assert_true(store_schema_migrate(db, "LOG", &schema_7, NULL, &error)); /* nothing left to do */
  sqlite3_close(db);
  assert_version(folder->path, "7");
  question = ask_sql(folder->path, "SELECT conversation FROM turn WHERE number = 2");
  g_assert_cmpstr(question, ==, "1");
  event = ask_sql(folder->path, "SELECT count(*) FROM more");
  g_assert_cmpstr(event, ==, "1");
  assert_sound(folder->path);
}

static void
test_older_read_only(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  sqlite3 *db;
  int version = 0;

  make_log(folder->path, 1);
  db = open_plain(folder->path);
  g_assert_false(store_schema_check(db, "LOG", &schema_7, TRUE, &version, &error));
  assert_message(&error, STORE_ERROR_OLDER, "LOG", "schema version: found 5, expected 7: open*");
  sqlite3_close(db);
}

static void
test_newer(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  sqlite3 *db;

  make_log(folder->path, 1);
  db = open_plain(folder->path);
  g_assert_true(store_schema_migrate(db, "LOG", &schema_7, NULL, &error));
  /* Migrating downwards is refused as well as opening. */
  g_assert_false(store_schema_migrate(db, "LOG", &schema_6, NULL, &error));
  assert_message(&error, STORE_ERROR_NEWER, "LOG", "schema version: found 7, expected at most 6*");
  sqlite3_close(db);
  assert_refused(folder->path, FALSE, STORE_ERROR_NEWER,
                 "schema version: found 7, expected at most 5: a newer Hilum wrote this log, which "
                 "this one reads and does not write to: update Hilum, or use another log");
  run_sql(folder->path, "PRAGMA user_version = 2147483647");
  assert_refused(folder->path, FALSE, STORE_ERROR_NEWER, "*found 2147483647*");
  assert_version(folder->path, "2147483647");
}

static StoreLog *
open_newer(const char *path)
{
  StoreLog *log = open_log(path, TRUE);
  int known = 0;

  g_assert_cmpint(store_log_newer(log, &known), ==, 7);
  g_assert_cmpint(known, ==, 5);
  return log;
}

static gboolean
see_kinds(const StoreEventRow *event, gpointer user, GError **error)
{
  g_string_append_printf(user, "%s ", event->kind);
  return TRUE;
}

/* What this version knows of a log of a newer one is read, found and proved, and the log stays as
 * it is. */
static void
test_newer_is_read(LogFolder *folder, gconstpointer data)
{
  const StoreEvent dreamt = {.kind = "dreamt", .action = "of"};
  g_autofree char *index = g_strconcat(folder->path, ".index", NULL), *before = NULL, *after = NULL;
  g_autoptr(GPtrArray) list = NULL, rows = NULL, found = NULL;
  g_autoptr(GString) kinds = g_string_new("");
  g_autoptr(StoreReport) report = NULL;
  g_autoptr(GError) error = NULL;
  StoreLog *log;
  gsize n = 0, n_after = 0;
  sqlite3 *db;

  make_log(folder->path, 1);
  log = open_log(folder->path, FALSE);
  g_assert_cmpint(store_log_add_event(log, &dreamt, &error), >, 0);
  store_log_close(log);
  db = open_plain(folder->path);
  g_assert_true(store_schema_migrate(db, "LOG", &schema_7, NULL, &error));
  sqlite3_close(db);
  g_remove(index);
  g_assert_true(g_file_get_contents(folder->path, &before, &n, NULL));
  log = open_newer(folder->path);
  list = store_log_list(log, 0, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(list->len, ==, 1);
  rows = store_log_show(log, 1, &error);
  g_assert_cmpstr(((StoreTurnRow *)rows->pdata[0])->turn.question, ==, SECRET_QUESTION);
  found = store_log_search(log, "nodule", 0, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(found->len, ==, 1);
  g_assert_false(g_file_test(index, G_FILE_TEST_EXISTS)); /* it is the newer one's */
  g_assert_true(store_log_each_event(log, 1, 0, see_kinds, kinds, &error));
  g_assert_nonnull(strstr(kinds->str, "turn dreamt "));
  report = store_log_verify(log, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_true(report->whole);
  g_assert_cmpint(report->newer, ==, 7);
  g_assert_cmpint(store_log_add_event(log, &dreamt, &error), ==, 0);
  g_assert_error(error, STORE_ERROR, STORE_ERROR_IO);
  g_clear_error(&error);
  store_log_close(log);
  g_assert_null(store_recover(folder->path, NULL, NULL, NULL, &error));
  assert_message(&error, STORE_ERROR_NEWER, folder->path, "*found 7*only that one can recover it");
  g_assert_true(g_file_get_contents(folder->path, &after, &n_after, NULL));
  g_assert_cmpmem(before, n, after, n_after);
}

/* Events that say more than this version knows are read, and not called changed or proved; tables
 * that are others are refused. */
static void
test_newer_is_other(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GPtrArray) rows = NULL;
  g_autoptr(GError) error = NULL;
  StoreLog *log;

  make_log(folder->path, 1);
  run_sql(folder->path, "ALTER TABLE event ADD COLUMN place TEXT; PRAGMA user_version = 7;"
                        "DROP TRIGGER event_no_update; UPDATE event SET hash = zeroblob(32)");
  log = open_newer(folder->path);
  rows = store_log_show(log, 1, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(rows->len, ==, 1);
  g_assert_null(store_log_verify(log, NULL, NULL, NULL, &error));
  assert_message(&error, STORE_ERROR_NEWER, folder->path, "*only that one can prove them");
  store_log_close(log);
  run_sql(folder->path, "ALTER TABLE turn RENAME COLUMN number TO place");
  assert_refused(folder->path, TRUE, STORE_ERROR_NEWER, "*found 7*not any this one can read*");
}

/* The step that fails leaves nothing, and the steps before it stay. */
static void
test_failing_step(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  sqlite3 *db;
  g_autofree char *half = NULL;

  make_log(folder->path, 1);
  db = open_plain(folder->path);
  g_assert_false(store_schema_migrate(db, "LOG", &schema_bad, NULL, &error));
  assert_message(&error, STORE_ERROR_CORRUPT, "LOG", "bringing schema version 6 to 7: *");
  g_assert_true(sqlite3_get_autocommit(db));
  assert_version(folder->path, "6");
  half = ask_sql(folder->path, "SELECT count(*) FROM sqlite_schema WHERE name = 'half'");
  g_assert_cmpstr(half, ==, "0");
  g_assert_true(
      store_schema_migrate(db, "LOG", &schema_7, NULL, &error)); /* a better text, later */
  g_assert_no_error(error);
  sqlite3_close(db);
  assert_version(folder->path, "7");
  assert_sound(folder->path);
}

/* Several processes make the same log, or migrate it, at once: each step happens once. */
static void
run_children(guint n, int (*run)(const char *path), const char *path)
{
  int gate[2];

  g_assert_cmpint(pipe(gate), ==, 0);
  for (guint i = 0; i < n; i++) {
    if (fork() == 0) {
      char byte;
      close(gate[1]);
      _exit(read(gate[0], &byte, 1) == 0 ? run(path) : 99); /* all start when the pipe closes */
    }
  }
  close(gate[0]);
  close(gate[1]);
  for (guint i = 0; i < n; i++) {
    int status = 0;
    g_assert_cmpint(wait(&status), >, 0);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
  }
}

static int
migrate_child(const char *path)
{
  g_autoptr(GError) error = NULL;
  sqlite3 *db = open_plain(path);
  gboolean ok = store_schema_migrate(db, "LOG", &schema_7, NULL, &error);

  if (!ok) {
    g_printerr("%s\n", error->message);
  }
  sqlite3_close(db);
  return !ok;
}

static int
open_child(const char *path)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = store_log_open(path, FALSE, &error);

  if (!log || !store_log_add_model(log, &sample_model, &error)) {
    g_printerr("%s\n", error->message);
    return 1;
  }
  return 0;
}

static void
test_at_once(LogFolder *folder, gconstpointer data)
{
  g_autofree char *events = NULL;
  g_autofree char *models = NULL;

  run_children(6, open_child, folder->path);
  assert_version(folder->path, "5");
  models = ask_sql(folder->path, "SELECT count(*) FROM model");
  g_assert_cmpstr(models, ==, "1"); /* equal models are one row, whoever adds them */
  run_children(4, migrate_child, folder->path);
  assert_version(folder->path, "7");
  events = ask_sql(folder->path, "SELECT count(*) FROM more");
  g_assert_cmpstr(events, ==, "1");
  assert_sound(folder->path);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/migrate/older-versions-are-frozen", test_older_versions_are_frozen);
  LOG_TEST("/migrate/version-5-is-what-is-released", test_version_5_is_what_is_released);
  LOG_TEST("/migrate/version-1", test_version_1);
  LOG_TEST("/migrate/version-4", test_version_4);
  LOG_TEST("/migrate/damaged-version-4", test_damaged_version_4);
  LOG_TEST("/migrate/older", test_older);
  LOG_TEST("/migrate/older-read-only", test_older_read_only);
  LOG_TEST("/migrate/newer", test_newer);
  LOG_TEST("/migrate/newer-is-read", test_newer_is_read);
  LOG_TEST("/migrate/newer-is-other", test_newer_is_other);
  LOG_TEST("/migrate/failing-step", test_failing_step);
  LOG_TEST("/migrate/at-once", test_at_once);
  return g_test_run();
}
