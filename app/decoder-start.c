/* decoder-start.c - finding and starting the helper program, and how it ended. */
#include "decoder-pool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "hilum-decode"
/* Where the helper looks for its socket. */
#define HELPER_SOCKET 3

/* A program that runs where it was built takes the helper of its own build, any other one the
 * helper that was installed with it. */
static void
add_places(GPtrArray *places)
{
  g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
  gboolean is_built = self && g_str_has_prefix(self, HILUM_BUILD_ROOT "/");
  char *built = g_build_filename(HILUM_BUILD_ROOT, "dicom", "helper", PROGRAM, NULL);

  if (is_built) {
    g_ptr_array_add(places, built);
  }
  if (self) {
    g_autofree char *folder = g_path_get_dirname(self);

    g_ptr_array_add(places, g_build_filename(folder, PROGRAM, NULL));
  }
  g_ptr_array_add(places, g_build_filename(HILUM_LIBEXECDIR, "hilum", PROGRAM, NULL));
  if (!is_built) {
    g_ptr_array_add(places, built);
  }
}

static char *
find_program(GError **error)
{
  const char *chosen = g_getenv("HILUM_DECODE");
  g_autoptr(GPtrArray) places = g_ptr_array_new_with_free_func(g_free);
  g_autofree char *list = NULL;

  if (chosen && *chosen) {
    g_ptr_array_add(places, g_strdup(chosen));
  } else {
    add_places(places);
  }
  for (guint i = 0; i < places->len; i++) {
    if (g_file_test(places->pdata[i], G_FILE_TEST_IS_EXECUTABLE) &&
        !g_file_test(places->pdata[i], G_FILE_TEST_IS_DIR)) {
      return g_strdup(places->pdata[i]);
    }
  }
  g_ptr_array_add(places, NULL);
  list = g_strjoinv(", ", (char **)places->pdata);
  g_set_error(error, DICOM_ERROR, DICOM_ERROR_HELPER,
              "the decoding program " PROGRAM " is not there or no program; looked at %s%s", list,
              chosen && *chosen ? " ($HILUM_DECODE)" : "");
  return NULL;
}

/* What the helper needs of the environment: where its libraries are, and how sanitizers report. The
 * rest is not its business, a server's key least of all. */
static char **
environment(void)
{
  static const char *const kept[] = {"LD_",   "ASAN_",  "LSAN_", "UBSAN_",
                                     "LLVM_", "HILUM_", "GCOV_", "GCONV_"};
  g_auto(GStrv) all = g_get_environ();
  g_autoptr(GPtrArray) some = g_ptr_array_new();

  for (guint i = 0; all[i]; i++) {
    for (guint k = 0; k < G_N_ELEMENTS(kept); k++) {
      if (g_str_has_prefix(all[i], kept[k]) && !g_str_has_prefix(all[i], "HILUM_ENGINE_")) {
        g_ptr_array_add(some, g_strdup(all[i]));
        break;
      }
    }
  }
  g_ptr_array_add(some, NULL);
  return (char **)g_ptr_array_free(g_steal_pointer(&some), FALSE);
}

/* posix_spawn() and not fork(): the application has threads and perhaps gigabytes of weights. */
static int
spawn(const char *program, int socket, pid_t *pid)
{
  char *const arguments[] = {(char *)PROGRAM, NULL};
  g_auto(GStrv) env = environment();
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  gboolean loud = g_getenv("HILUM_DEBUG") != NULL;
  sigset_t none, defaults;
  int status;

  sigemptyset(&none);
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  sigaddset(&defaults, SIGALRM);
  sigaddset(&defaults, SIGXCPU);
  /* Ctrl-C at the terminal is for the application, which ends a helper when it wants to. */
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, socket, HELPER_SOCKET);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  if (!loud) {
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  }
  posix_spawn_file_actions_addclosefrom_np(&actions, HELPER_SOCKET + 1);
  status = posix_spawn(pid, program, &actions, &attributes, arguments, env);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return status;
}

gboolean
app_helper_spawn(pid_t *pid, int *out, GError **error)
{
  g_autofree char *program = find_program(error);
  int ends[2], status;

  if (!program) {
    return FALSE;
  }
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_HELPER,
                "no socket for the decoding process could be made: %s", g_strerror(errno));
    return FALSE;
  }
  /* dup2() onto itself would leave the descriptor to be closed by the exec. */
  if (ends[1] == HELPER_SOCKET) {
    int moved = fcntl(ends[1], F_DUPFD_CLOEXEC, HELPER_SOCKET + 1);

    close(ends[1]);
    ends[1] = moved;
  }
  status = ends[1] < 0 ? errno : spawn(program, ends[1], pid);
  if (ends[1] >= 0) {
    close(ends[1]);
  }
  if (status != 0) {
    close(ends[0]);
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_HELPER, "%s could not be started: %s", program,
                g_strerror(status));
    return FALSE;
  }
  *out = ends[0];
  return TRUE;
}

char *
app_helper_reap(pid_t pid)
{
  int status = 0;
  pid_t got;

  do {
    got = waitpid(pid, &status, 0);
  } while (got < 0 && errno == EINTR);
  if (got != pid) {
    return g_strdup("for a reason that is not known");
  }
  if (WIFSIGNALED(status)) {
    return g_strdup_printf("signal %d, %s", WTERMSIG(status), strsignal(WTERMSIG(status)));
  }
  return g_strdup_printf("exit status %d", WEXITSTATUS(status));
}
