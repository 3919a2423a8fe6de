/* test-migrate.c - older and newer logs, and migrations that fail half-way. The later versions here
 * are made up; the mechanism is the one that the log itself uses. */
#include "log-fixture.h"
#include "log/private.h"
#include "log/schema.h"
#include "log/schema-v1.h"
#include "log/schema-v2.h"
#include "log/schema-v3.h"
#include "log/schema-v4.h"
#include <sys/wait.h>
#include <unistd.h>

static const char v5[] = "ALTER TABLE turns ADD COLUMN verdict TEXT;"
                         "CREATE TABLE events (id INTEGER PRIMARY KEY, text TEXT) STRICT;";
static const char v6[] = "INSERT INTO events (text) VALUES ('migrated');"
                         "CREATE INDEX events_by_text ON events (text);";
static const char broken[] = "CREATE TABLE half (id INTEGER PRIMARY KEY) STRICT;"
                             "INSERT INTO nowhere VALUES (1);";

static const char *const six[] = {
    store_schema_v1, store_schema_v2, store_schema_v3, store_schema_v4, v5, v6};
static const StoreSchema schema_5 = {six, 5};
static const StoreSchema schema_6 = {six, 6};
static const char *const bad[] = {
    store_schema_v1, store_schema_v2, store_schema_v3, store_schema_v4, v5, broken};
static const StoreSchema schema_bad = {bad, 6};

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
test_version_4_is_what_is_released(LogFolder *folder, gconstpointer data)
{
  g_assert_cmpint(store_schema.version, ==, 4); /* a new version extends this test and the next */
  make_log(folder->path, 1);
  assert_version(folder->path, "4");
}

/* The texts of older versions are on other people's disks: they may never change again. */
static void
test_older_versions_are_frozen(void)
{
  g_autofree char *v1 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, store_schema_v1, -1);
  g_autofree char *v3 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, store_schema_v3, -1);
  g_autofree char *v2 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, store_schema_v2, -1);

  g_assert_cmpstr(v1, ==, "6f7905c954a1f87a7a14f47b75c729f0e10da1e3fb41b2b19c2fb9498311f908");
  g_assert_cmpstr(v3, ==, "9325c1661a6e4d94ead54d864596b2b8cb9a5c207f92dbd817ce55adfb7c7f88");
  g_assert_cmpstr(v2, ==, "168953789f38d10828dae990a2f5a9fbb15f92101ca7da7af337c2612d8f3014");
}

/* A log of version 1 on somebody's disk: its rows stay, and say nothing of what came later. */
static void
test_version_1_to_4(LogFolder *folder, gconstpointer data)
{
  static const char *const one[] = {store_schema_v1};
  static const StoreSchema schema_1 = {one, 1};
  const StoreModel here = {.name = "old"}, there = {.name = "old", .engine = "https://gpu.example"};
  g_autoptr(GError) error = NULL;
  sqlite3 *db = open_plain(folder->path);
  g_autofree char *warnings = NULL;
  gint64 image;

  g_assert_true(store_schema_migrate(db, "LOG", &schema_1, &error));
  g_assert_no_error(error);
  sqlite3_close(db);
  run_sql(folder->path,
          "INSERT INTO images (time, frame, has_window, inverted, blank, path)"
          " VALUES ('2024-01-01T00:00:00.000Z', 3, 0, 0, 0, '/old.dcm');"
          "INSERT INTO models (time, name) VALUES ('2024-01-01T00:00:00.000Z', 'old')");
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  assert_version(folder->path, "4");
  warnings = ask_sql(folder->path, "SELECT coalesce(warnings, 'unknown') FROM images");
  g_assert_cmpstr(warnings, ==, "unknown");
  image = store_log_add_image(log, &sample_image, &error);
  g_assert_no_error(error);
  g_assert_cmpint(image, ==, 2);
  /* All models were in the program then: the row is that of one that still is, and of no other. */
  g_assert_cmpint(store_log_add_model(log, &here, &error), ==, 1);
  g_assert_cmpint(store_log_add_model(log, &there, &error), ==, 2);
  g_assert_no_error(error);
  assert_sound(folder->path);
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
  g_assert_true(store_schema_check(db, "LOG", &schema_6, FALSE, &version, &error));
  g_assert_cmpint(version, ==, 4);
  g_assert_false(store_schema_compare(db, "LOG", &schema_6, &error));
  g_clear_error(&error);
  g_assert_true(store_schema_migrate(db, "LOG", &schema_6, &error));
  g_assert_no_error(error);
  g_assert_true(store_schema_compare(db, "LOG", &schema_6, &error));
  g_assert_true(store_schema_migrate(db, "LOG", &schema_6, &error)); /* nothing left to do */
  sqlite3_close(db);
  assert_version(folder->path, "6");
  question = ask_sql(folder->path, "SELECT question FROM turns WHERE number = 2");
  g_assert_cmpstr(question, ==, SECRET_QUESTION);
  event = ask_sql(folder->path, "SELECT count(*) FROM events");
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
  g_assert_false(store_schema_check(db, "LOG", &schema_6, TRUE, &version, &error));
  assert_message(&error, STORE_ERROR_OLDER, "LOG", "schema version: found 4, expected 6: open*");
  sqlite3_close(db);
}

static void
test_newer(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  sqlite3 *db;

  make_log(folder->path, 1);
  db = open_plain(folder->path);
  g_assert_true(store_schema_migrate(db, "LOG", &schema_6, &error));
  /* Migrating downwards is refused as well as opening. */
  g_assert_false(store_schema_migrate(db, "LOG", &schema_5, &error));
  assert_message(&error, STORE_ERROR_NEWER, "LOG", "schema version: found 6, expected at most 5*");
  sqlite3_close(db);
  for (int read_only = 0; read_only < 2; read_only++) {
    assert_refused(folder->path, read_only, STORE_ERROR_NEWER,
                   "schema version: found 6, expected at most 4: a newer Hilum wrote this log");
  }
  run_sql(folder->path, "PRAGMA user_version = 2147483647");
  assert_refused(folder->path, FALSE, STORE_ERROR_NEWER, "*found 2147483647*");
  assert_version(folder->path, "2147483647");
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
  g_assert_false(store_schema_migrate(db, "LOG", &schema_bad, &error));
  assert_message(&error, STORE_ERROR_CORRUPT, "LOG", "bringing schema version 5 to 6: *");
  g_assert_true(sqlite3_get_autocommit(db));
  assert_version(folder->path, "5");
  half = ask_sql(folder->path, "SELECT count(*) FROM sqlite_schema WHERE name = 'half'");
  g_assert_cmpstr(half, ==, "0");
  g_assert_true(store_schema_migrate(db, "LOG", &schema_6, &error)); /* a better text, later */
  g_assert_no_error(error);
  sqlite3_close(db);
  assert_version(folder->path, "6");
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
  gboolean ok = store_schema_migrate(db, "LOG", &schema_6, &error);

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
  assert_version(folder->path, "4");
  models = ask_sql(folder->path, "SELECT count(*) FROM models");
  g_assert_cmpstr(models, ==, "1"); /* equal models are one row, whoever adds them */
  run_children(4, migrate_child, folder->path);
  assert_version(folder->path, "6");
  events = ask_sql(folder->path, "SELECT count(*) FROM events");
  g_assert_cmpstr(events, ==, "1");
  assert_sound(folder->path);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/migrate/older-versions-are-frozen", test_older_versions_are_frozen);
  LOG_TEST("/migrate/version-4-is-what-is-released", test_version_4_is_what_is_released);
  LOG_TEST("/migrate/version-1-to-4", test_version_1_to_4);
  LOG_TEST("/migrate/older", test_older);
  LOG_TEST("/migrate/older-read-only", test_older_read_only);
  LOG_TEST("/migrate/newer", test_newer);
  LOG_TEST("/migrate/failing-step", test_failing_step);
  LOG_TEST("/migrate/at-once", test_at_once);
  return g_test_run();
}
