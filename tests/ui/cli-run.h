/* cli-run.h - runs the built `hilum` ($HILUM_BIN) and keeps what it said. */
#ifndef HILUM_TESTS_CLI_RUN_H
#define HILUM_TESTS_CLI_RUN_H

#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>

typedef struct {
  int status; /* exit status, or -signal */
  char *out, *err;
} CliRun;

static inline void
cli_run_clear(CliRun *run)
{
  g_free(run->out);
  g_free(run->err);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CliRun, cli_run_clear)

/* An empty GBytes has no data at all. */
static inline char *
cli_run_text(GBytes *bytes)
{
  return bytes && g_bytes_get_size(bytes) > 0
             ? g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes))
             : g_strdup("");
}

static inline void
cli_run_launched(CliRun *run, GSubprocessLauncher *launcher, const char *input,
                 const char *const *args)
{
  const char *binary = g_getenv("HILUM_BIN");
  g_autoptr(GPtrArray) all = g_ptr_array_new();
  g_autoptr(GSubprocess) process = NULL;
  g_autoptr(GBytes) in = g_bytes_new(input ? input : "", input ? strlen(input) : 0);
  g_autoptr(GBytes) out = NULL, err = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_nonnull(binary);
  g_ptr_array_add(all, (gpointer)binary);
  for (guint i = 0; args[i]; i++) {
    g_ptr_array_add(all, (gpointer)args[i]);
  }
  g_ptr_array_add(all, NULL);
  process = g_subprocess_launcher_spawnv(launcher, (const char *const *)all->pdata, &error);
  g_assert_no_error(error);
  /* A program that does not read its input to the end is no failure here. */
  if (!g_subprocess_communicate(process, in, NULL, &out, &err, &error)) {
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
  }
  g_subprocess_wait(process, NULL, NULL);
  run->status = g_subprocess_get_if_exited(process) ? g_subprocess_get_exit_status(process)
                                                    : -g_subprocess_get_term_sig(process);
  run->out = cli_run_text(out);
  run->err = cli_run_text(err);
}

#define CLI_RUN_PIPES                                                                              \
  (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE)

/* INPUT NULL: empty. ARGS ends with NULL. */
static inline void
cli_runv(CliRun *run, const char *input, const char *const *args)
{
  g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(CLI_RUN_PIPES);

  cli_run_launched(run, launcher, input, args);
}

/* COMMON, N of them, and then MORE (ends with NULL; may be NULL). */
static inline void
cli_run_more(CliRun *run, const char *const *common, gsize n, const char *const *more)
{
  g_autoptr(GPtrArray) args = g_ptr_array_new();

  for (gsize i = 0; i < n; i++) {
    g_ptr_array_add(args, (gpointer)common[i]);
  }
  for (gsize i = 0; more && more[i]; i++) {
    g_ptr_array_add(args, (gpointer)more[i]);
  }
  g_ptr_array_add(args, NULL);
  cli_runv(run, NULL, (const char *const *)args->pdata);
  g_test_message("%s", run->err);
}

static inline GPtrArray *
cli_run_args(const char *first, va_list list)
{
  GPtrArray *args = g_ptr_array_new();

  for (const char *arg = first; arg; arg = va_arg(list, const char *)) {
    g_ptr_array_add(args, (gpointer)arg);
  }
  g_ptr_array_add(args, NULL);
  return args;
}

static inline void G_GNUC_NULL_TERMINATED
cli_run(CliRun *run, const char *input, const char *first, ...)
{
  g_autoptr(GPtrArray) args = NULL;
  va_list list;

  va_start(list, first);
  args = cli_run_args(first, list);
  va_end(list);
  cli_runv(run, input, (const char *const *)args->pdata);
}

static inline void
cli_run_set_limit(gpointer bytes)
{
  const struct rlimit limit = {GPOINTER_TO_SIZE(bytes), GPOINTER_TO_SIZE(bytes)};

  /* Past the limit a write fails (EFBIG) once the signal is ignored, as on a full disk. */
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &limit);
}

/* No file of the program may grow over BYTES. */
static inline void G_GNUC_NULL_TERMINATED
cli_run_limited(CliRun *run, gsize bytes, const char *first, ...)
{
  g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(CLI_RUN_PIPES);
  g_autoptr(GPtrArray) args = NULL;
  va_list list;

  va_start(list, first);
  args = cli_run_args(first, list);
  va_end(list);
  g_subprocess_launcher_set_child_setup(launcher, cli_run_set_limit, GSIZE_TO_POINTER(bytes), NULL);
  cli_run_launched(run, launcher, NULL, (const char *const *)args->pdata);
}

/* Standard output is a full device. */
static inline void G_GNUC_NULL_TERMINATED
cli_run_full(CliRun *run, const char *first, ...)
{
  g_autoptr(GSubprocessLauncher) launcher =
      g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autoptr(GPtrArray) args = NULL;
  va_list list;

  va_start(list, first);
  args = cli_run_args(first, list);
  va_end(list);
  g_subprocess_launcher_set_stdout_file_path(launcher, "/dev/full");
  cli_run_launched(run, launcher, NULL, (const char *const *)args->pdata);
}

/* Of JsonNode *, one per line of TEXT. */
static inline GPtrArray *
cli_json_lines(const char *text)
{
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  GPtrArray *nodes = g_ptr_array_new_with_free_func((GDestroyNotify)json_node_unref);

  for (char **line = lines; *line; line++) {
    if (**line) {
      g_autoptr(GError) error = NULL;
      JsonNode *node = json_from_string(*line, &error);
      g_assert_no_error(error);
      g_ptr_array_add(nodes, node);
    }
  }
  return nodes;
}

/* KEYS: the names of OBJECT's members, in order, with blanks between. */
static inline void
cli_assert_keys(JsonObject *object, const char *keys)
{
  g_autoptr(GList) names = json_object_get_members(object);
  g_autoptr(GString) joined = g_string_new(NULL);

  for (GList *l = names; l; l = l->next) {
    g_string_append_printf(joined, "%s%s", joined->len ? " " : "", (char *)l->data);
  }
  g_assert_cmpstr(joined->str, ==, keys);
}

#endif
