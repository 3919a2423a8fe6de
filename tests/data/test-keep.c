/* test-keep.c - copies of the log: made while others write, proved, and set back; whatever fails on
 * the way leaves the log as it was and no half copy. */
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault-vfs.h"
#include "log-fixture.h"
#include "log/private.h"
#include "record.h"

static char *
in_folder(LogFolder *folder, const char *name)
{
  return g_build_filename(folder->folder, name, NULL);
}

static gboolean
exists(const char *path, const char *suffix)
{
  g_autofree char *whole = g_strconcat(path, suffix, NULL);

  return g_file_test(whole, G_FILE_TEST_EXISTS);
}

static void
assert_whole(const char *path, gint64 least)
{
  const StoreOpen how = {.locked = TRUE};
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = store_log_open_with(path, &how, &error);
  g_autoptr(StoreReport) report = NULL;

  g_assert_no_error(error);
  report = store_log_verify(log, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(report->found, ==, NULL);
  g_assert_cmpint(report->events, >=, least);
}

/* Nothing but the log and what belongs to it: no folder that was begun. */
static void
assert_nothing_aside(LogFolder *folder)
{
  g_autoptr(GDir) dir = g_dir_open(folder->folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name(dir))) {
    g_assert_null(strstr(name, ".new-"));
  }
}

static void
backup(const char *path, const char *out, gboolean with_key)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(path, FALSE);
  g_autoptr(StoreReport) report = store_log_backup(log, out, with_key, NULL, NULL, &error);

  g_assert_no_error(error);
  g_assert_true(report->whole);
}

static void
test_there_and_back(LogFolder *folder, gconstpointer data)
{
  g_autofree char *out = in_folder(folder, "copy"), *copy = g_strconcat(out, "/log.sqlite", NULL);
  g_autofree char *back = in_folder(folder, "new/place.sqlite");
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreReport) report = NULL;
  g_autoptr(StoreLog) log = NULL;
  g_autoptr(GPtrArray) turns = NULL;
  gboolean with_key = FALSE;

  make_log(folder->path, 3);
  backup(folder->path, out, TRUE);
  g_assert_false(exists(copy, "-wal"));
  g_assert_false(exists(copy, "-shm"));
  report = store_restore(out, back, &with_key, &error);
  g_assert_no_error(error);
  g_assert_true(with_key);
  g_assert_cmpint(report->events, ==, 8); /* seven, and that of the copying */
  log = open_log(back, FALSE);
  g_assert_null(store_log_trouble(log));
  turns = store_log_show(log, 1, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(turns->len, ==, 3);
  g_assert_cmpstr(((StoreTurnRow *)turns->pdata[0])->turn.question, ==, SECRET_QUESTION);
  g_assert_cmpint(add_numbered_turn(log, 1, 4, &error), >, 0);
  g_clear_pointer(&log, store_log_close);
  assert_whole(back, 9);
  assert_nothing_aside(folder);
}

/* Without the key nobody reads the copy, and it is proved all the same. */
static void
test_without_key(LogFolder *folder, gconstpointer data)
{
  g_autofree char *out = in_folder(folder, "copy"), *copy = g_strconcat(out, "/log.sqlite", NULL);
  g_autofree char *back = in_folder(folder, "back.sqlite");
  g_autofree char *key = g_strconcat(folder->path, ".key", NULL), *bytes = NULL;
  g_autofree char *put = g_strconcat(back, ".key", NULL);
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreReport) report = NULL;
  g_autoptr(StoreLog) log = NULL;
  gboolean with_key = TRUE;
  gsize n = 0;

  make_log(folder->path, 1);
  backup(folder->path, out, FALSE);
  g_assert_false(exists(copy, ".key"));
  assert_whole(copy, 6);
  log = store_log_open(copy, TRUE, &error);
  g_assert_error(error, STORE_ERROR, STORE_ERROR_LOCKED);
  g_clear_error(&error);
  /* The key that was kept apart is there before the log is. */
  g_assert_true(g_file_get_contents(key, &bytes, &n, NULL));
  g_assert_true(
      g_file_set_contents_full(put, bytes, (gssize)n, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  report = store_restore(out, back, &with_key, &error);
  g_assert_no_error(error);
  g_assert_false(with_key);
  log = open_log(back, FALSE);
}

static void
test_refused(LogFolder *folder, gconstpointer data)
{
  g_autofree char *out = in_folder(folder, "copy"), *copy = g_strconcat(out, "/log.sqlite", NULL);
  g_autofree char *back = in_folder(folder, "back.sqlite"),
                  *head = g_strconcat(back, ".head", NULL);
  g_autofree char *before = NULL, *after = NULL;
  g_autoptr(GError) error = NULL;
  gsize n = 0, n_after = 0;

  make_log(folder->path, 2);
  backup(folder->path, out, TRUE);
  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    g_assert_null(store_log_backup(log, out, FALSE, NULL, NULL, &error));
    assert_message(&error, STORE_ERROR_INVALID, out, "found something there*");
  }
  g_assert_true(g_file_get_contents(folder->path, &before, &n, NULL));
  g_assert_null(store_restore(out, folder->path, NULL, &error));
  assert_message(&error, STORE_ERROR_INVALID, folder->path, "found LOG, expected nothing*");
  g_assert_true(g_file_get_contents(folder->path, &after, &n_after, NULL));
  g_assert_cmpmem(before, n, after, n_after);
  /* What only belongs to a log is not overwritten either. */
  g_assert_true(g_file_set_contents(head, "mine", -1, NULL));
  g_assert_null(store_restore(out, back, NULL, &error));
  assert_message(&error, STORE_ERROR_INVALID, back, "found LOG.head, expected nothing*");
  g_remove(head);
  /* A copy that was changed. */
  run_sql(copy, "DROP TRIGGER event_no_update; UPDATE event SET body = '{}' WHERE seq = 4;");
  g_assert_null(store_restore(out, back, NULL, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_CORRUPT);
  g_clear_error(&error);
  for (guint i = 0; i < 5; i++) {
    static const char *const suffixes[] = {"", ".keys", ".key", ".head", ".pub"};
    g_assert_false(exists(back, suffixes[i]));
  }
  assert_nothing_aside(folder);
}

static gboolean
refuse(gint64 done, gint64 total, gpointer user)
{
  return FALSE;
}

static void
test_cancelled(LogFolder *folder, gconstpointer data)
{
  g_autofree char *out = in_folder(folder, "copy");
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = NULL;

  make_log(folder->path, 2);
  log = open_log(folder->path, FALSE);
  g_assert_null(store_log_backup(log, out, FALSE, refuse, NULL, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_CANCELLED);
  g_assert_false(exists(out, ""));
  assert_nothing_aside(folder);
}

/* ---- while others write ---------------------------------------------------------------------- */

typedef struct {
  StoreLog *other;
  guint written;
} Writer;

/* Between two steps another connection adds a turn: it is not held up, and the copy does not begin
 * anew for it. */
static gboolean
write_meanwhile(gint64 done, gint64 total, gpointer user)
{
  Writer *writer = user;
  g_autoptr(GError) error = NULL;

  g_assert_cmpint(add_numbered_turn(writer->other, 1, 1, &error), >, 0);
  g_assert_no_error(error);
  return ++writer->written < 1000;
}

static void
test_while_writing(LogFolder *folder, gconstpointer data)
{
  g_autofree char *out = in_folder(folder, "copy"), *copy = g_strconcat(out, "/log.sqlite", NULL);
  g_autofree char *long_text = g_strnfill(3 << 20, 'x');
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = NULL;
  g_autoptr(StoreReport) report = NULL;
  Writer writer = {NULL, 0};
  StoreTurn turn = sample_turn;
  gint64 before;

  make_log(folder->path, 1);
  log = open_log(folder->path, FALSE);
  turn.answer = long_text; /* more than two steps */
  g_assert_cmpint(store_log_add_turn(log, 1, &turn, &error), >, 0);
  g_assert_no_error(error);
  writer.other = open_log(folder->path, FALSE);
  store_log_set_busy_timeout(writer.other, 100);
  before = 6 + 1;
  report = store_log_backup(log, out, FALSE, write_meanwhile, &writer, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(writer.written, >, 2);
  g_assert_cmpint(report->events, ==, before); /* one moment: none of those */
  g_clear_pointer(&writer.other, store_log_close);
  g_clear_pointer(&log, store_log_close);
  assert_whole(copy, before);
  assert_whole(folder->path, before + (gint64)writer.written);
}

/* ---- faults ---------------------------------------------------------------------------------- */

static gboolean
try_backup(const char *path, const char *out)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = store_log_open(path, FALSE, &error);
  g_autoptr(StoreReport) report = log ? store_log_backup(log, out, TRUE, NULL, NULL, &error) : NULL;

  return report != NULL;
}

/* Every single write, sync or truncation fails once, or kills the process: FOLDER is a whole copy
 * or is not there, and the log is whole. */
static void
test_faults(LogFolder *folder, gconstpointer data)
{
  const FaultKind kind = (FaultKind)GPOINTER_TO_INT(data);
  g_autofree char *out = in_folder(folder, "copy"), *copy = g_strconcat(out, "/log.sqlite", NULL);
  gboolean struck = TRUE;
  guint at;

  fault_arm(0, FAULT_IO, FALSE);
  make_log(folder->path, 2);
  for (at = 1; struck && at < 400; at++) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
      fault_arm(at, kind, FALSE);
      (void)try_backup(folder->path, out);
      _exit(fault.hits ? 1 : 0);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    struck = WIFSIGNALED(status) || WEXITSTATUS(status) != 0;
    if (exists(out, "")) {
      assert_whole(copy, 7);
      log_folder_remove(out);
    } else {
      g_assert_true(struck);
    }
    assert_whole(folder->path, 6);
    if (kind != FAULT_KILL) {
      assert_nothing_aside(folder);
    }
  }
  g_assert_cmpuint(at, >, 10);
  g_test_message("%u calls to the disk", at - 1);
}

int
main(int argc, char **argv)
{
  fault_install();
  g_test_init(&argc, &argv, NULL);
  LOG_TEST("/keep/there-and-back", test_there_and_back);
  LOG_TEST("/keep/without-key", test_without_key);
  LOG_TEST("/keep/refused", test_refused);
  LOG_TEST("/keep/cancelled", test_cancelled);
  LOG_TEST("/keep/while-writing", test_while_writing);
  g_test_add("/keep/faults", LogFolder, GINT_TO_POINTER(FAULT_IO), log_folder_set_up, test_faults,
             log_folder_tear_down);
  g_test_add("/keep/kills", LogFolder, GINT_TO_POINTER(FAULT_KILL), log_folder_set_up, test_faults,
             log_folder_tear_down);
  return g_test_run();
}
