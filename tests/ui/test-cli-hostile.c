/* test-cli-hostile.c - `hilum image info --pixels` over files made to hurt: one process each, so
 * that a signal has a name. No signal, no hang, bounded memory, and a message that begins with the
 * file where it is refused. */
#include "cli-run.h"
#include "shared.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#define PARALLEL 2
#define SECONDS 5 /* of processor time, and ten times as much by the clock, for busy machines */
#define MEMORY_KB (1l << 20)

typedef struct {
  pid_t pid;
  char *path, *err_path;
} HostileRun;

static guint n_opened, n_refused, n_helpers;
static double most_seconds;
static long most_kb;

static void
find_files(const char *folder, GPtrArray *files)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name(dir))) {
    g_autofree char *path = g_build_filename(folder, name, NULL);

    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
      find_files(path, files);
    } else {
      g_ptr_array_add(files, g_steal_pointer(&path));
    }
  }
}

static void
start(HostileRun *run, const char *path, const char *err_path)
{
  const char *binary = g_getenv("HILUM_BIN");

  run->path = g_strdup(path);
  run->err_path = g_strdup(err_path);
  run->pid = fork();
  g_assert_cmpint(run->pid, >=, 0);
  if (run->pid == 0) {
    const int err = open(err_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int null = open("/dev/null", O_RDWR);

    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    alarm(10 * SECONDS); /* survives execv(), and ends a hang by a signal */
    execl(binary, binary, "image", "info", "--pixels", "--json", path, NULL);
    _exit(127);
  }
}

/* The message of a refusal, behind "hilum: ". */
static gboolean
names_file(const char *err, const char *path)
{
  g_autofree char *prefix = g_strconcat("hilum: ", path, ": ", NULL);
  const char *found = strstr(err, prefix);

  return found && (found == err || found[-1] == '\n') && strlen(found) > strlen(prefix) + 3;
}

static void
complain(const HostileRun *run, const char *what, double number)
{
  g_test_message("%s: %s (%g)", run->path ? run->path : "a helper", what, number);
  g_test_fail();
}

/* Of the command, or of a helper that worked for it. */
static void
judge_use(const HostileRun *run, const struct rusage *used)
{
  const double seconds = (double)(used->ru_utime.tv_sec + used->ru_stime.tv_sec) +
                         (double)(used->ru_utime.tv_usec + used->ru_stime.tv_usec) * 1e-6;

  most_seconds = MAX(most_seconds, seconds);
  most_kb = MAX(most_kb, used->ru_maxrss);
#ifndef __SANITIZE_ADDRESS__ /* which takes both many times over */
  if (seconds > SECONDS) {
    complain(run, "seconds of processor time", seconds);
  }
  if (used->ru_maxrss > MEMORY_KB) {
    complain(run, "KiB of memory", (double)used->ru_maxrss);
  }
#endif
}

static void
judge(const HostileRun *run, int status, const struct rusage *used)
{
  g_autofree char *err = NULL;

  g_assert_true(g_file_get_contents(run->err_path, &err, NULL, NULL));
  if (!WIFEXITED(status)) {
    complain(run, "ended by a signal", WTERMSIG(status));
  } else if (WEXITSTATUS(status) > 1) {
    complain(run, "exit status", WEXITSTATUS(status));
  } else if (WEXITSTATUS(status) == 1 && !names_file(err, run->path)) {
    complain(run, "refused, and the message does not begin with the file", 1);
  } else if (WEXITSTATUS(status) == 1 && strstr(err, "decoding process")) {
    complain(run, "refused only because a helper ended", 1);
  }
  n_refused += WIFEXITED(status) && WEXITSTATUS(status) == 1;
  n_opened += WIFEXITED(status) && WEXITSTATUS(status) == 0;
  judge_use(run, used);
}

/* A helper that its command left behind, which comes to us then. The commands that run now are the
 * ones that it can have worked for. */
static void
judge_helper(const HostileRun *runs, int status, const struct rusage *used)
{
  const gboolean ended = WIFEXITED(status) || WTERMSIG(status) == SIGKILL;

  n_helpers++;
  for (guint i = 0; i < PARALLEL; i++) {
    if (runs[i].pid != 0 && !ended) {
      complain(&runs[i], "this or the other one's helper ended by a signal", WTERMSIG(status));
    }
  }
  if (!ended) {
    g_test_fail();
  }
  judge_use(&runs[0], used);
}

/* FALSE: nobody is left. What a command has waited for is in its own use. */
static gboolean
finish(HostileRun *runs, guint *running)
{
  struct rusage used;
  int status;
  const pid_t pid = wait4(-1, &status, 0, &used);

  for (guint i = 0; pid > 0 && i < PARALLEL; i++) {
    if (runs[i].pid == pid) {
      judge(&runs[i], status, &used);
      g_unlink(runs[i].err_path);
      g_clear_pointer(&runs[i].path, g_free);
      g_clear_pointer(&runs[i].err_path, g_free);
      runs[i].pid = 0;
      --*running;
      return TRUE;
    }
  }
  if (pid > 0) {
    judge_helper(runs, status, &used);
  }
  return pid > 0;
}

static void
run_folder(const char *folder)
{
  g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
  g_autofree char *scratch = g_dir_make_tmp("hilum-hostile-XXXXXX", NULL);
  HostileRun runs[PARALLEL] = {0};
  guint next = 0, running = 0;

  n_opened = n_refused = n_helpers = 0;
  most_seconds = 0;
  most_kb = 0;
  find_files(folder, files);
  g_assert_cmpuint(files->len, >, 0);
  while (next < files->len || running > 0) {
    for (guint i = 0; i < PARALLEL && next < files->len; i++) {
      if (runs[i].pid == 0) {
        g_autofree char *name = g_strdup_printf("err-%u", i);
        g_autofree char *err_path = g_build_filename(scratch, name, NULL);

        start(&runs[i], files->pdata[next++], err_path);
        running++;
      }
    }
    g_assert_true(finish(runs, &running));
  }
  while (finish(runs, &running)) {
    /* helpers that live a little longer */
  }
  g_rmdir(scratch);
  g_test_message("%u files: %u opened, %u refused, %u helpers left; at most %.2f s and %ld MiB",
                 files->len, n_opened, n_refused, n_helpers, most_seconds, most_kb / 1024);
  /* Nothing vanished. */
  if (!g_test_failed()) {
    g_assert_cmpuint(n_opened + n_refused, ==, files->len);
  }
}

/* Our own broken files are there on every machine. */
static void
test_cases(void)
{
  g_autofree char *folder = g_test_build_filename(G_TEST_DIST, "cases", NULL);

  run_folder(folder);
}

static void
test_shared(gconstpointer relative)
{
  g_autofree char *folder = shared_path(relative);

  if (folder) {
    run_folder(folder);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  g_test_add_func("/cli/hostile/cases", test_cases);
  g_test_add_data_func("/cli/hostile/broken", "corpus/dicom/broken", test_shared);
  g_test_add_data_func("/cli/hostile/fuzz", "corpus/dicom/hostile-fuzz", test_shared);
  return g_test_run();
}
