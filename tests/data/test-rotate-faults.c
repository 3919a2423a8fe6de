/* test-rotate-faults.c - every call that a rotation makes to the disk fails once, or kills the
 * process: there is the old log, or both, after the next opening.
 *
 * Beside what SQLite does, the calls of the C library that move and sync files are counted: those
 * here take the place of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault-vfs.h"
#include "log/private.h"
#include "rotate-fixture.h"
#include "shared.h"
#include "store_person.h"

static gboolean counting; /* what the program does between the rotations is no part of it */

static gboolean
strikes(void)
{
  if (!counting || !fault_strikes()) {
    return FALSE;
  }
  fault_code(0);
  errno = EIO;
  return TRUE;
}

int rename(const char *from, const char *to);
int
rename(const char *from, const char *to)
{
  return strikes() ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned int flags);
int
renameat2(int from_at, const char *from, int to_at, const char *to, unsigned int flags)
{
  return strikes() ? -1 : (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags);
}

int fsync(int fd);
int
fsync(int fd)
{
  return strikes() ? -1 : (int)syscall(SYS_fsync, fd);
}

int unlink(const char *path);
int
unlink(const char *path)
{
  return strikes() ? -1 : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int rmdir(const char *path);
int
rmdir(const char *path)
{
  return strikes() ? -1 : (int)syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
}

int mkdir(const char *path, mode_t mode);
int
mkdir(const char *path, mode_t mode)
{
  return strikes() ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

/* ---- what there is after it ------------------------------------------------------------------ */

/* Whose verdict alone counts, in whichever log. */
static void
enrol_one(const char *path)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(path, FALSE);

  g_assert_cmpint(store_log_enrol(log, "Ann", NULL, "4711-x", &error), >, 0);
  g_assert_true(store_log_require_person(log, TRUE, &error));
  g_assert_no_error(error);
}

static void
assert_required(StoreLog *log)
{
  g_autoptr(GError) error = NULL;
  gboolean required = FALSE;
  g_autoptr(GPtrArray) people = store_log_people(log, &required, &error);

  g_assert_no_error(error);
  g_assert_cmpuint(people->len, ==, 1);
  g_assert_true(required);
}

/* The folder holds a log of one turn alone. It is a copy: making one takes longer. */
static void
begin_anew(LogFolder *folder)
{
  static const char *const suffixes[] = {"", ".pub", ".head", ".key", ".keys"};
  static char *bytes[G_N_ELEMENTS(suffixes)];
  static gsize n[G_N_ELEMENTS(suffixes)];

  log_folder_remove(folder->folder);
  g_assert_cmpint(g_mkdir(folder->folder, 0700), ==, 0);
  if (!bytes[0]) {
    make_log(folder->path, 1);
    enrol_one(folder->path);
  }
  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
    g_autofree char *path = g_strconcat(folder->path, suffixes[i], NULL);
    g_assert_true(bytes[i] ? g_file_set_contents_full(path, bytes[i], (gssize)n[i],
                                                      G_FILE_SET_CONTENTS_NONE, 0600, NULL)
                           : g_file_get_contents(path, &bytes[i], &n[i], NULL));
  }
}

static void
assert_nothing_left(LogFolder *folder)
{
  g_autoptr(GDir) dir = g_dir_open(folder->folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name(dir))) {
    g_assert_false(g_str_has_suffix(name, ".next"));
    g_assert_false(g_str_has_suffix(name, ".begin"));
  }
}

/* The next opening for writing leaves one of two: the old log, to be written on, or both. Whether
 * it is both. */
static gboolean
look(LogFolder *folder)
{
  g_autofree char *archive = in_folder(folder, "log-0001.sqlite"), *question = NULL;
  g_autoptr(GError) error = NULL;
  StoreLog *log = open_log(folder->path, FALSE);
  gboolean both;

  g_assert_null(store_log_trouble(log));
  assert_required(log);
  new_conversation(log);
  g_assert_cmpint(add_numbered_turn(log, 1, 9, &error), >, 0);
  g_assert_no_error(error);
  store_log_close(log);
  both = exists(archive, "");
  question = first_question(both ? archive : folder->path, NULL);
  g_assert_cmpstr(question, ==, SECRET_QUESTION);
  assert_whole(folder->path);
  if (both) {
    assert_links_whole(folder->path, 1);
  }
  return both;
}

static void
test_faults(LogFolder *folder, gconstpointer data)
{
  const FaultKind kind = (FaultKind)GPOINTER_TO_INT(data);
  const StoreOpen how = {0};
  gboolean struck = TRUE;
  const guint step = test_rounds(1) > 1 ? 1 : kind == FAULT_KILL ? 5 : 7;
  guint at, n_old = 0, n_both = 0;

  /* Each call to the disk with --long; a sample of them otherwise. */
  for (at = 1; struck && at < 600; at += step) {
    int status = 0;
    pid_t child;
    begin_anew(folder);
    child = fork();
    if (child == 0) {
      g_autoptr(StoreLink) link = NULL;
      fault_arm(at, kind, FALSE);
      counting = TRUE;
      link = store_log_rotate(folder->path, &how, NULL);
      _exit(fault.hits ? 1 : link ? 0 : 2);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    struck = WIFSIGNALED(status) || WEXITSTATUS(status) == 1;
    g_assert_true(struck || WEXITSTATUS(status) == 0);
    *(look(folder) ? &n_both : &n_old) += 1;
    if (exists(folder->path, ".begin")) { /* it is of no use, and the next rotation removes it */
      g_autoptr(StoreLink) link = rotate(folder->path, NULL, 0);
    }
    assert_nothing_left(folder);
  }
  g_assert_cmpuint(n_old, >, 25 / step);
  g_assert_cmpuint(n_both, >, 200 / step);
  g_assert_false(struck);
  g_test_message("%u calls to the disk: %u times the old log, %u times both", at - 1, n_old,
                 n_both);
}

/* In a child process that dies at call AT. */
static void
die_at(const char *path, guint at, gboolean rotating)
{
  const StoreOpen how = {0};
  int status = 0;
  pid_t child = fork();

  if (child == 0) {
    g_autoptr(StoreLink) link = NULL;
    g_autoptr(StoreLog) log = NULL;
    fault_arm(at, FAULT_KILL, FALSE);
    counting = TRUE;
    if (rotating) {
      link = store_log_rotate(path, &how, NULL);
    } else {
      log = store_log_open(path, FALSE, NULL);
    }
    _exit(0);
  }
  g_assert_cmpint(waitpid(child, &status, 0), ==, child);
}

/* The process dies, and so does the next one, which finishes what was cut short. */
static void
test_again(LogFolder *folder, gconstpointer data)
{
  for (guint at = 28; at<400; at += test_rounds(1)> 1 ? 1 : 23) {
    begin_anew(folder);
    die_at(folder->path, at, TRUE);
    die_at(folder->path, 1 + at % 23, FALSE);
    look(folder);
  }
}

/* A reader does not finish it, and says so. */
static void
test_reader(LogFolder *folder, gconstpointer data)
{
  g_autofree char *waiting = g_strconcat(folder->path, ".next", NULL), *empty = NULL;
  g_autofree char *note = g_build_filename(waiting, "sealed-as", NULL);

  make_log(folder->path, 1);
  g_assert_cmpint(g_mkdir(waiting, 0700), ==, 0);
  g_assert_true(g_file_set_contents(note, "log-0001.sqlite", -1, NULL));
  assert_refused(folder->path, TRUE, STORE_ERROR_OLDER, "its rotation was cut short*");
  /* A name that leads elsewhere is none. */
  g_assert_true(g_file_set_contents(note, "../elsewhere", -1, NULL));
  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    g_assert_true(exists(folder->path, ".keys"));
  }
}

int
main(int argc, char **argv)
{
  fault_install();
  g_test_init(&argc, &argv, NULL);
  g_test_add("/rotate-faults/faults", LogFolder, GINT_TO_POINTER(FAULT_IO), log_folder_set_up,
             test_faults, log_folder_tear_down);
  g_test_add("/rotate-faults/kills", LogFolder, GINT_TO_POINTER(FAULT_KILL), log_folder_set_up,
             test_faults, log_folder_tear_down);
  LOG_TEST("/rotate-faults/again", test_again);
  LOG_TEST("/rotate-faults/reader", test_reader);
  return g_test_run();
}
