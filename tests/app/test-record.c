/* test-record.c - the log as people look at it: opened, read by pages, looked through. */
#include <sqlite3.h>
#include <string.h>

#include "app_record.h"
#include "private.h"
#include "tiny.h"
#include "wait.h"

#define N 600 /* more than are looked at in one go */

typedef struct {
  char *folder, *log;
} Fixture;

/* N settings, of which each tenth failed. */
static void
set_up(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = NULL;

  f->folder = tiny_folder_new();
  f->log = g_build_filename(f->folder, "log.sqlite", NULL);
  log = store_log_open(f->log, FALSE, &error);
  g_assert_no_error(error);
  for (guint i = 0; i < N; i++) {
    g_autofree char *key = g_strdup_printf("key-%03u", i);
    const StoreField field = {"key", key};
    const StoreEvent event = {.kind = i % 3 == 0 ? "setting" : "import",
                              .action = "change",
                              .failed = i % 10 == 0,
                              .fields = &field,
                              .n_fields = 1};

    g_assert_cmpint(store_log_add_event(log, &event, &error), >, 0);
    g_assert_no_error(error);
  }
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  tiny_folder_free(f->folder);
  g_free(f->log);
}

typedef struct {
  gboolean done;
  gpointer value;
  GError *error;
  guint64 told;
  GArray *found;
} Answer;

static void
on_opened(GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->value = app_record_open_finish(result, &answer->error);
  answer->done = TRUE;
}

static AppRecord *
open_record(const char *path, GError **error)
{
  Answer answer = {0};

  app_record_open_async(path, NULL, on_opened, &answer);
  wait_until(answer.done);
  if (answer.error) {
    g_propagate_error(error, answer.error);
  }
  return answer.value;
}

static void
on_read(GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->value = app_record_read_finish(NULL, result, &answer->error);
  answer->done = TRUE;
}

static GPtrArray *
read_events(AppRecord *record, const gint64 *numbers, gsize n)
{
  Answer answer = {0};

  app_record_read_async(record, numbers, n, NULL, on_read, &answer);
  wait_until(answer.done);
  g_assert_no_error(answer.error);
  return answer.value;
}

static void
on_found(GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  g_assert_cmpint(app_record_find_finish(NULL, result, &answer->error), ==, !answer->error);
  answer->done = TRUE;
}

static void
on_part(const gint64 *numbers, gsize n, guint64 done, guint64 total, gpointer user)
{
  Answer *answer = user;

  g_assert_false(answer->done);
  g_assert_cmpuint(done, >, answer->told);
  g_assert_cmpuint(done, <=, total);
  answer->told = done;
  g_array_append_vals(answer->found, numbers, (guint)n);
}

static GArray *
find(AppRecord *record, AppRecordFilter filter)
{
  Answer answer = {.found = g_array_new(FALSE, FALSE, sizeof(gint64))};

  app_record_find_async(record, &filter, on_part, &answer, NULL, on_found, &answer);
  wait_until(answer.done);
  g_assert_no_error(answer.error);
  g_assert_cmpuint(answer.told, ==, app_record_n_events(record));
  return answer.found;
}

/* Who looks is in the log himself. */
static void
test_opened(Fixture *f, gconstpointer data)
{
  g_autoptr(AppRecord) first = open_record(f->log, NULL), second = open_record(f->log, NULL);
  const gint64 n = app_record_n_events(second);
  g_autoptr(GPtrArray) events = read_events(second, &n, 1);
  const AppEvent *last = events->pdata[0];

  g_assert_cmpint(app_record_n_events(first), >, N);
  g_assert_cmpint(n, ==, app_record_n_events(first) + 1);
  g_assert_cmpstr(last->kind, ==, "viewed");
  g_assert_cmpstr(app_event_title(last->kind, last->action), ==, "Log looked at");
  g_assert_cmpstr(last->who, !=, "");
  g_assert_cmpuint(strlen(last->sha256), ==, 64);
}

/* Any events, in any order, runs and single ones. */
static void
test_pages(Fixture *f, gconstpointer data)
{
  g_autoptr(AppRecord) record = open_record(f->log, NULL);
  static const gint64 numbers[] = {200, 199, 198, 50, 51, 3, 200};
  g_autoptr(GPtrArray) events = read_events(record, numbers, G_N_ELEMENTS(numbers));

  g_assert_cmpuint(events->len, ==, G_N_ELEMENTS(numbers));
  for (guint i = 0; i < events->len; i++) {
    const AppEvent *event = events->pdata[i];

    g_assert_cmpint(event->number, ==, numbers[i]);
    g_assert_nonnull(strstr(event->facts, event->summary));
    g_assert_true(g_str_has_prefix(event->summary, "key-"));
  }
}

static void
test_found(Fixture *f, gconstpointer data)
{
  g_autoptr(AppRecord) record = open_record(f->log, NULL);
  g_autoptr(GArray) failed = find(record, (AppRecordFilter){.failed = TRUE});
  g_autoptr(GArray) kind = find(record, (AppRecordFilter){.kind = "setting"});
  g_autoptr(GArray) words = find(record, (AppRecordFilter){.words = " KEY-123  change "});
  g_autoptr(GArray) none = find(record, (AppRecordFilter){.words = "zebra"});
  g_autoptr(GArray) both = find(record, (AppRecordFilter){.kind = "import", .failed = TRUE});

  g_assert_cmpuint(failed->len, ==, N / 10);
  g_assert_cmpuint(kind->len, ==, N / 3);
  g_assert_cmpuint(words->len, ==, 1);
  g_assert_cmpuint(none->len, ==, 0);
  g_assert_cmpuint(both->len, ==, N / 15);
  for (guint i = 1; i < failed->len; i++) {
    g_assert_cmpint(g_array_index(failed, gint64, i), <, g_array_index(failed, gint64, i - 1));
  }
}

/* The record goes while somebody still reads for it. */
static void
test_gone(Fixture *f, gconstpointer data)
{
  AppRecord *record = open_record(f->log, NULL);
  const AppRecordFilter filter = {.words = "key"};
  g_autoptr(GCancellable) cancellable = g_cancellable_new();
  Answer answer = {0};

  app_record_find_async(record, &filter, NULL, NULL, cancellable, on_found, &answer);
  app_record_free(record);
  g_cancellable_cancel(cancellable);
  wait_until(answer.done);
  g_assert_true(g_error_matches(answer.error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
  g_clear_error(&answer.error);
}

/* One event was changed, one removed: they say so, and all others are there. */
static void
test_broken(Fixture *f, gconstpointer data)
{
  g_autoptr(AppRecord) record = NULL;
  g_autoptr(GPtrArray) events = NULL;
  g_autoptr(GArray) failed = NULL;
  gint64 numbers[N];
  gint64 n;
  sqlite3 *db = NULL;

  record = open_record(f->log, NULL);
  n = app_record_n_events(record);
  g_clear_pointer(&record, app_record_free);
  g_assert_cmpint(sqlite3_open(f->log, &db), ==, SQLITE_OK);
  /* 512 and 544 are looked at to find how many there are. */
  g_assert_cmpint(sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL), ==, SQLITE_OK);
  g_assert_cmpint(sqlite3_exec(db,
                               "PRAGMA foreign_keys = OFF; "
                               "UPDATE event SET body = '{}' WHERE seq = 512; "
                               "DELETE FROM event WHERE seq = 544",
                               NULL, NULL, NULL),
                  ==, SQLITE_OK);
  sqlite3_close(db);
  record = open_record(f->log, NULL);
  g_assert_nonnull(record);
  g_assert_cmpint(app_record_n_events(record), >=, n);
  for (guint i = 0; i < 64; i++) {
    numbers[i] = 560 - i;
  }
  events = read_events(record, numbers, 64);
  for (guint i = 0; i < 64; i++) {
    const AppEvent *event = events->pdata[i];

    g_assert_cmpint(event->number, ==, numbers[i]);
    g_assert_cmpint(*event->kind == '\0', ==, event->number == 512 || event->number == 544);
  }
  failed = find(record, (AppRecordFilter){.failed = TRUE});
  n = 0;
  for (guint i = 0; i < failed->len; i++) {
    const gint64 number = g_array_index(failed, gint64, i);
    n += number == 512 || number == 544;
  }
  g_assert_cmpint(n, ==, 2);
}

static void
test_no_log(Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename(f->folder, "none.sqlite", NULL);
  g_autoptr(GError) error = NULL;

  g_assert_null(open_record(path, &error));
  g_assert_nonnull(error);
  g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void
add(const char *name, void (*test)(Fixture *, gconstpointer))
{
  g_autofree char *path = g_strdup_printf("/app/record/%s", name);

  g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  add("opened", test_opened);
  add("pages", test_pages);
  add("found", test_found);
  add("gone", test_gone);
  add("broken", test_broken);
  add("no-log", test_no_log);
  return g_test_run();
}
