/* test-faults.c - full disks, failing disks, killed processes, several writers. After each: the log
 * opens, its pages are sound, and every turn whose adding was reported as done is there.
 */
#include "fault-vfs.h"
#include "log-fixture.h"
#include "log/private.h"
#include "record.h"
#include "shared.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define TURNS 4
/* More calls than any run makes: a loop that reaches it does not end by itself. */
#define ENDLESS 100000

/* What a run told its caller. Turn k has the question "question k". */
typedef struct {
  gboolean done[TURNS + 1];
  gboolean failed;        /* something was reported as an error */
  gboolean unsynced_turn; /* a turn was reported as done before it was on the disk */
} Outcome;

static void
note_error(Outcome *outcome, const char *path, GError **error)
{
  if (*error) {
    outcome->failed = TRUE;
    g_assert_error(*error, STORE_ERROR, STORE_ERROR_IO);
    g_assert_true(g_str_has_prefix((*error)->message, path)); /* or a file beside it */
    g_assert_true(fault.kind != FAULT_FULL || strstr((*error)->message, "disk full"));
    g_assert_null(strstr((*error)->message, "nodule"));
    g_clear_error(error);
  }
}

/* Opens (or makes) the log and writes TURNS turns, going on after failures as a program would. */
static void
write_log(const char *path, const char *pragma, int report, Outcome *outcome)
{
  g_autoptr(GError) error = NULL;
  StoreLog *log = store_log_open(path, FALSE, &error);
  gint64 model = 0, conversation = 0;

  note_error(outcome, path, &error);
  if (!log) {
    return;
  }
  g_assert_cmpint(sqlite3_exec(log->db, pragma, NULL, NULL, NULL), ==, SQLITE_OK);
  model = store_log_add_model(log, &sample_model, &error);
  note_error(outcome, path, &error);
  if (model) {
    conversation = store_log_add_conversation(log, model, "0.1.0", 0, 0, &error);
    note_error(outcome, path, &error);
  }
  for (guint i = 1; conversation && i <= TURNS; i++) {
    guint before = fault.hits;
    if (add_numbered_turn(log, conversation, i, &error)) {
      outcome->done[i] = TRUE;
      outcome->unsynced_turn |= fault.unsynced && fault.hits == before;
      if (report >= 0) {
        const char byte = (char)i;
        g_assert_cmpint(write(report, &byte, 1), ==, 1);
      }
    }
    note_error(outcome, path, &error);
  }
  store_log_close(log);
}

/* The chain, the tables and the checkpoints fit, and the last one covers the end. */
static void
assert_proves(const char *path)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(path, TRUE);
  g_autoptr(StoreReport) report = store_log_verify(log, NULL, NULL, NULL, &error);

  g_assert_no_error(error);
  g_assert_null(report->found);
  g_assert_cmpint(report->signed_events, ==, report->events);
}

/* The log can be read, is sound, proves itself, holds what was acknowledged, and takes another turn. */
static void
verify_log(const char *path, const Outcome *outcome)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = NULL;
  g_autoptr(GPtrArray) list = NULL;
  gboolean found[TURNS + 1] = {FALSE};

  fault_arm(0, FAULT_IO, FALSE);
  log = open_log(path, FALSE);
  list = store_log_list(log, 0, &error);
  g_assert_no_error(error);
  for (guint i = 0; i < list->len; i++) {
    g_autoptr(GPtrArray) rows =
        store_log_show(log, ((StoreConversation *)list->pdata[i])->id, &error);
    g_assert_no_error(error);
    for (guint j = 0; j < rows->len; j++) {
      const char *question = ((StoreTurnRow *)rows->pdata[j])->turn.question;
      guint64 number = 0;
      if (g_str_has_prefix(question, "question ") &&
          g_ascii_string_to_unsigned(question + 9, 10, 1, TURNS, &number, NULL)) {
        found[number] = TRUE;
      }
    }
  }
  for (guint i = 1; i <= TURNS; i++) {
    g_assert_true(found[i] || !outcome->done[i]);
  }
  g_assert_cmpint(add_numbered_turn(log, new_conversation(log), 99, &error), >, 0);
  g_assert_no_error(error);
  g_clear_pointer(&log, store_log_close);
  assert_sound(path);
  assert_proves(path);
}

/* The call to fail next: each in turn for --long, else the first ones and then a sample. */
static guint
next_call(guint at)
{
  return at < 12 || test_rounds(1) > 1 ? at + 1 : at + 1 + at / 6;
}

static void
remove_log(const char *path)
{
  static const char *const suffixes[] = {"",         "-wal",          "-shm", "-journal",
                                         ".keys",    ".keys-journal", ".key", ".key-aside",
                                         ".key.new", ".pub",          ".head"};

  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
    g_autofree char *whole = g_strconcat(path, suffixes[i], NULL);
    g_remove(whole);
  }
}

/* ---- a disk that fails ---------------------------------------------------------------------- */

typedef struct {
  FaultKind kind;
  gboolean sticky, existing, no_shared_memory;
  const char *pragma;
} FaultCase;

#define PLAIN "PRAGMA wal_autocheckpoint = 1000"
/* Copies each turn from -wal to the log at once: failures there lose nothing either. */
#define EAGER "PRAGMA wal_autocheckpoint = 1"

static const FaultCase fault_cases[] = {
    {FAULT_IO, FALSE, FALSE, FALSE, PLAIN},   {FAULT_IO, TRUE, FALSE, FALSE, PLAIN},
    {FAULT_FULL, FALSE, FALSE, FALSE, PLAIN}, {FAULT_FULL, TRUE, FALSE, FALSE, PLAIN},
    {FAULT_IO, FALSE, TRUE, FALSE, EAGER},    {FAULT_FULL, TRUE, TRUE, FALSE, EAGER},
    {FAULT_IO, FALSE, FALSE, TRUE, PLAIN},    {FAULT_FULL, TRUE, TRUE, TRUE, PLAIN},
};

/* One run with the fault at call AT. Returns whether the run was clean. */
static gboolean
run_fault(const FaultCase *kind, const char *path, guint at)
{
  Outcome outcome = {0};
  guint hits, done = 0;

  remove_log(path);
  fault_arm(0, FAULT_IO, FALSE);
  if (kind->existing) {
    make_log(path, 3);
  }
  fault_arm(at, kind->kind, kind->sticky);
  write_log(path, kind->pragma, -1, &outcome);
  hits = fault.hits;
  for (guint i = 1; i <= TURNS; i++) {
    done += outcome.done[i];
  }
  g_assert_false(outcome.unsynced_turn);
  /* A loss is never silent: what is missing was reported. */
  g_assert_true(done == TURNS || outcome.failed);
  if (hits == 0) {
    g_assert_cmpuint(done, ==, TURNS);
    g_assert_false(outcome.failed);
  }
  verify_log(path, &outcome);
  if (kind->existing) {
    g_autofree char *old = ask_sql(path, "SELECT count(*) FROM turn WHERE conversation = 1");
    g_assert_cmpstr(old, ==, "3");
  }
  return hits == 0;
}

static void
test_failing_disk(LogFolder *folder, gconstpointer data)
{
  const FaultCase *kind = data;
  guint at = 1;

  fault.no_shared_memory = kind->no_shared_memory;
  while (at < ENDLESS && !run_fault(kind, folder->path, at)) {
    at = next_call(at);
  }
  fault.no_shared_memory = FALSE;
  g_test_message("up to call %u", at);
  g_assert_cmpuint(at, >, 20); /* the faults did reach the log */
  g_assert_cmpuint(at, <, ENDLESS);
}

/* A write that fails inside a turn is an error of that very turn. */
static void
test_turn_reports_its_fault(LogFolder *folder, gconstpointer data)
{
  gint64 conversation = make_log(folder->path, 1);
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  guint at;

  g_assert_cmpint(add_numbered_turn(log, conversation, 1, NULL), >, 0);
  for (at = 1; at < 100; at++) {
    g_autoptr(GError) error = NULL;
    gint64 id;
    fault_arm(at, FAULT_FULL, TRUE);
    id = add_numbered_turn(log, conversation, 1, &error);
    if (fault.hits == 0) {
      g_assert_no_error(error);
      g_assert_cmpint(id, >, 0);
      break;
    }
    g_assert_cmpint(id, ==, 0);
    assert_message(&error, STORE_ERROR_IO, folder->path, "adding a turn: disk full");
  }
  fault_arm(0, FAULT_IO, FALSE);
  g_assert_cmpuint(at, >, 2); /* at least a write and a sync */
  g_assert_cmpuint(at, <, 100);
}

static void
test_no_shared_memory(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = NULL;
  sqlite3_stmt *statement = NULL;

  fault_arm(0, FAULT_IO, FALSE);
  fault.no_shared_memory = TRUE;
  log = open_log(folder->path, FALSE);
  g_assert_cmpint(sqlite3_prepare_v2(log->db, "PRAGMA synchronous", -1, &statement, NULL), ==,
                  SQLITE_OK);
  g_assert_cmpint(sqlite3_step(statement), ==, SQLITE_ROW);
  g_assert_cmpint(sqlite3_column_int(statement, 0), ==, 3); /* EXTRA */
  sqlite3_finalize(statement);
  g_assert_cmpint(add_numbered_turn(log, new_conversation(log), 1, &error), >, 0);
  g_assert_no_error(error);
  g_clear_pointer(&log, store_log_close);
  fault.no_shared_memory = FALSE;
  log = open_log(folder->path, FALSE); /* on a better file system later: WAL */
  g_clear_pointer(&log, store_log_close);
  assert_sound(folder->path);
}

/* ---- a process that is killed --------------------------------------------------------------- */

/* Starts a child that writes the log, reporting each finished turn. */
static pid_t
start_writer(const char *path, guint kill_at, int *report)
{
  int ends[2];
  pid_t child;

  g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
  child = fork();
  g_assert_cmpint(child, >=, 0);
  if (child == 0) {
    Outcome outcome = {0};
    fault_arm(kill_at, FAULT_KILL, FALSE);
    write_log(path, EAGER, ends[1], &outcome);
    _exit(outcome.failed ? 1 : 0);
  }
  close(ends[1]);
  *report = ends[0];
  return child;
}

/* Reads the reports to their end. TRUE when the child was killed, FALSE when it ended well. */
static gboolean
finish_writer(pid_t child, int report, Outcome *outcome)
{
  int status = 0;
  char byte;

  while (read(report, &byte, 1) == 1) {
    g_assert_cmpint(byte, >=, 1);
    g_assert_cmpint(byte, <=, TURNS);
    outcome->done[(guint)byte] = TRUE;
  }
  close(report);
  g_assert_cmpint(waitpid(child, &status, 0), ==, child);
  if (WIFSIGNALED(status)) {
    g_assert_cmpint(WTERMSIG(status), ==, SIGKILL);
    return TRUE;
  }
  g_assert_cmpint(WEXITSTATUS(status), ==, 0);
  return FALSE;
}

static void
test_killed_at_each_call(LogFolder *folder, gconstpointer data)
{
  gboolean killed = TRUE;
  guint at;

  for (at = 1; killed && at < ENDLESS; at = next_call(at)) {
    Outcome outcome = {0};
    int report;
    pid_t child;

    remove_log(folder->path);
    child = start_writer(folder->path, at, &report);
    killed = finish_writer(child, report, &outcome);
    verify_log(folder->path, &outcome);
  }
  g_test_message("up to call %u", at);
  g_assert_cmpuint(at, >, 20);
  g_assert_cmpuint(at, <, ENDLESS);
}

/* At any instant, not only between calls: the same log is written on and killed 20 times. */
static void
test_killed_at_any_time(LogFolder *folder, gconstpointer data)
{
  guint kills = 0;

  for (guint i = 0; i < test_rounds(20); i++) {
    Outcome outcome = {0};
    int report;
    pid_t child = start_writer(folder->path, 0, &report);

    g_usleep(500 + i * 400);
    kill(child, SIGKILL);
    kills += finish_writer(child, report, &outcome);
    verify_log(folder->path, &outcome);
  }
  g_test_message("%u of 20 children were still writing", kills);
}

/* ---- two writers ---------------------------------------------------------------------------- */

#define EACH 60

static int
write_many(const char *path, gint64 shared)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = store_log_open(path, FALSE, &error);

  for (guint i = 0; log && !error && i < EACH; i++) {
    add_numbered_turn(log, shared, 1, &error);
  }
  if (error) {
    g_printerr("%s\n", error->message);
  }
  return error != NULL;
}

/* All turns of both are in one conversation, numbered without a gap. */
static void
test_two_writers(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  gint64 shared;
  g_autoptr(StoreLog) log = NULL;
  g_autoptr(GPtrArray) rows = NULL;
  pid_t children[2];

  fault_arm(0, FAULT_IO, FALSE);
  shared = make_log(folder->path, 1);
  for (guint i = 0; i < 2; i++) {
    children[i] = fork();
    if (children[i] == 0) {
      _exit(write_many(folder->path, shared));
    }
  }
  for (guint i = 0; i < 2; i++) {
    int status = 0;
    g_assert_cmpint(waitpid(children[i], &status, 0), ==, children[i]);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
  }
  log = open_log(folder->path, TRUE);
  rows = store_log_show(log, shared, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(rows->len, ==, 1 + 2 * EACH);
  g_clear_pointer(&log, store_log_close);
  assert_sound(folder->path);
  assert_proves(folder->path);
}

/* A file that may not grow: the system's own error, through SQLite's own VFS. */
static int
open_within_limit(const char *path)
{
  const struct rlimit limit = {40000, 40000}; /* bytes: less than the schema needs */
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = NULL;

  signal(SIGXFSZ, SIG_IGN);
  if (setrlimit(RLIMIT_FSIZE, &limit) != 0) {
    return 10;
  }
  log = store_log_open(path, FALSE, &error);
  if (log || !g_error_matches(error, STORE_ERROR, STORE_ERROR_IO) ||
      !g_str_has_prefix(error->message, path) || !strstr(error->message, "disk full")) {
    g_printerr("%s\n", error ? error->message : "no error");
    return 11;
  }
  return 0;
}

static void
test_file_size_limit(LogFolder *folder, gconstpointer data)
{
  int status = 0;
  pid_t child = fork();

  if (child == 0) {
    _exit(open_within_limit(folder->path));
  }
  g_assert_cmpint(waitpid(child, &status, 0), ==, child);
  g_assert_true(WIFEXITED(status));
  g_assert_cmpint(WEXITSTATUS(status), ==, 0);
  verify_log(folder->path, &(Outcome){0});
}

/* ---- no memory ------------------------------------------------------------------------------ */

static sqlite3_mem_methods real_memory;
static struct {
  guint at, calls, hits; /* as in FaultState; one failure */
} memory;

static gboolean
memory_strikes(void)
{
  gboolean strikes = memory.at && ++memory.calls == memory.at;

  memory.hits += strikes;
  return strikes;
}

static void *
failing_malloc(int n)
{
  return memory_strikes() ? NULL : real_memory.xMalloc(n);
}

static void *
failing_realloc(void *old, int n)
{
  return memory_strikes() ? NULL : real_memory.xRealloc(old, n);
}

/* Before SQLite is used at all. */
static void
memory_install(void)
{
  sqlite3_mem_methods methods;

  g_assert_cmpint(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory), ==, SQLITE_OK);
  methods = real_memory;
  methods.xMalloc = failing_malloc;
  methods.xRealloc = failing_realloc;
  g_assert_cmpint(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods), ==, SQLITE_OK);
}

/* Opens, adds and reads. TRUE when all of it went well, else *error. */
static gboolean
use_log(const char *path, guint *added, GError **error)
{
  g_autoptr(StoreLog) log = store_log_open(path, FALSE, error);
  g_autoptr(GPtrArray) rows = NULL;
  g_autoptr(GPtrArray) list = NULL;

  if (!log || !store_log_add_image(log, &sample_image, error) ||
      !store_log_add_turn(log, 1, &sample_turn, error)) {
    return FALSE;
  }
  ++*added;
  rows = store_log_show(log, 1, error);
  list = rows ? store_log_list(log, 0, error) : NULL;
  return list != NULL;
}

static void
test_no_memory(LogFolder *folder, gconstpointer data)
{
  guint added = 1, failures = 0, at;
  g_autofree char *count = NULL;

  fault_arm(0, FAULT_IO, FALSE);
  make_log(folder->path, 1);
  /* Every early call, where opening is; then a sample. */
  for (at = 1, memory.hits = 1; at < ENDLESS && memory.hits; at += 1 + at / 50) {
    g_autoptr(GError) error = NULL;
    gboolean ok;
    memory.calls = memory.hits = 0;
    memory.at = at;
    ok = use_log(folder->path, &added, &error);
    memory.at = 0;
    g_assert_true(ok == (error == NULL));
    if (error) {
      failures++;
      g_assert_error(error, STORE_ERROR, STORE_ERROR_IO);
      g_assert_true(g_str_has_prefix(error->message, folder->path)); /* or a file beside it */
      g_assert_true(g_str_has_suffix(error->message, "out of memory"));
    }
  }
  g_test_message("%u failures up to call %u", failures, at);
  g_assert_cmpuint(failures, >, 50);
  g_assert_cmpuint(at, <, ENDLESS);
  assert_sound(folder->path);
  count = ask_sql(folder->path, "SELECT count(*) FROM turn");
  g_assert_cmpuint(g_ascii_strtoull(count, NULL, 10), ==, added);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  memory_install();
  fault_install();
  for (guint i = 0; i < G_N_ELEMENTS(fault_cases); i++) {
    const FaultCase *kind = &fault_cases[i];
    g_autofree char *name = g_strdup_printf(
        "/faults/%s-%s-%s%s", kind->kind == FAULT_IO ? "failing" : "full",
        kind->sticky ? "from-then-on" : "once", kind->existing ? "old-log" : "new-log",
        kind->no_shared_memory ? "-without-wal" : "");
    g_test_add(name, LogFolder, kind, log_folder_set_up, test_failing_disk, log_folder_tear_down);
  }
  LOG_TEST("/faults/turn-reports-its-fault", test_turn_reports_its_fault);
  LOG_TEST("/faults/no-shared-memory", test_no_shared_memory);
  LOG_TEST("/faults/killed-at-each-call", test_killed_at_each_call);
  LOG_TEST("/faults/killed-at-any-time", test_killed_at_any_time);
  LOG_TEST("/faults/two-writers", test_two_writers);
  LOG_TEST("/faults/file-size-limit", test_file_size_limit);
  LOG_TEST("/faults/no-memory", test_no_memory);
  return g_test_run();
}
