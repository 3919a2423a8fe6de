/* list-pipe.c - see list-pipe.h. */
#include "list-pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "private.h"

#define HEAD (256u << 10)
#define PART (1u << 20)
#define MOST_PROBLEMS 20u /* are told; the rest is counted */

static gboolean
refuse_name(const char *from, GError **error)
{
  g_autoptr(GString) names = g_string_new(NULL);

  for (guint i = 0; i < DATA_N_FORMATS; i++) {
    g_string_append_printf(names, "%s%s", i ? ", " : "", data_format_name((DataFormat)i));
  }
  g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT, "--from: found \"%s\", expected one of %s",
              from, names->str);
  return FALSE;
}

static gboolean
fail(const char *path, GError **error)
{
  const int why = errno;
  g_autofree char *name = g_filename_display_name(path);

  g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: cannot be read: %s", name, g_strerror(why));
  return FALSE;
}

/* Up to N bytes; fewer at the end alone. Below 0: failed. */
static gssize
read_part(int fd, char *to, gsize n)
{
  gsize got = 0;

  while (got < n) {
    const gssize part = read(fd, to + got, n - got);

    if (part < 0 && errno == EINTR) {
      continue;
    }
    if (part < 0) {
      return part;
    }
    if (part == 0) {
      break;
    }
    got += (gsize)part;
  }
  return (gssize)got;
}

gboolean
app_list_find(const char *path, const char *from, DataLayout *layout, GError **error)
{
  const DataFormat format = from ? data_format_of_name(from) : DATA_N_FORMATS;
  g_autofree char *head = g_malloc(HEAD), *name = g_filename_display_name(path);
  gssize n;
  int fd;

  if (from && format == DATA_N_FORMATS) {
    return refuse_name(from, error);
  }
  fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return fail(path, error);
  }
  n = read_part(fd, head, HEAD);
  close(fd);
  if (n < 0) {
    return fail(path, error);
  }
  if (!data_layout_find(layout, format, head, (gsize)n)) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "%s: begins like none of the lists that are known; expected JSON, or a table with "
                "a caption",
                name);
    data_layout_clear(layout);
    return FALSE;
  }
  return TRUE;
}

/* ---- one value ---------------------------------------------------------------------------------
 */

typedef struct {
  const AppLinePipe *pipe;
  DataUnwrap *unwrap;
  GByteArray *lines;
  GArray *numbers; /* of guint64: where each of LINES began */
  AppPiece piece;
} Whole;

static void
whole_clear(Whole *whole)
{
  g_clear_pointer(&whole->unwrap, data_unwrap_free);
  g_clear_pointer(&whole->lines, g_byte_array_unref);
  g_clear_pointer(&whole->numbers, g_array_unref);
  app_piece_clear(&whole->piece);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Whole, whole_clear)

static gboolean
work_lines(Whole *whole, guint64 bytes, gboolean at_end, GError **error)
{
  AppPiece *piece = &whole->piece;
  guint64 line;
  gboolean ok;

  whole->pipe->work((const char *)whole->lines->data, whole->lines->len, piece, whole->pipe->user);
  for (guint i = 0; i < piece->problems->len; i++) {
    DataProblem *problem = &g_array_index(piece->problems, DataProblem, i);
    problem->line = g_array_index(whole->numbers, guint64, problem->line);
  }
  if (at_end && !data_unwrap_end(whole->unwrap, &line)) {
    const DataProblem problem = {
        line, g_strdup("the file ends before its records do, as a download that broke off does")};
    g_array_append_val(piece->problems, problem);
    piece->counts.dropped[DATA_DROPPED_MALFORMED]++;
  }
  ok = whole->pipe->take(piece, 0, bytes, whole->pipe->user, error);
  app_piece_reset(piece);
  g_byte_array_set_size(whole->lines, 0);
  g_array_set_size(whole->numbers, 0);
  return ok;
}

static gboolean
run_whole(const AppLinePipe *pipe, int fd, const char *path, GError **error)
{
  g_auto(Whole) whole = {.pipe = pipe,
                         .unwrap = data_unwrap_new(),
                         .lines = g_byte_array_new(),
                         .numbers = g_array_new(FALSE, FALSE, sizeof(guint64))};
  g_autofree char *part = g_malloc(PART);
  guint64 bytes = 0;
  gssize n;

  app_piece_init(&whole.piece);
  do {
    n = read_part(fd, part, PART);
    if (n < 0) {
      return fail(path, error);
    }
    bytes += (guint64)n;
    data_unwrap(whole.unwrap, part, (gsize)n, whole.lines, whole.numbers);
    if (!work_lines(&whole, bytes, (gsize)n < PART, error)) {
      return FALSE;
    }
  } while ((gsize)n == PART);
  return TRUE;
}

gboolean
app_list_run(const AppLinePipe *pipe, const char *path, const DataLayout *layout, guint64 from,
             guint64 to, GError **error)
{
  gboolean ok;
  int fd;

  if (!layout->container) {
    return app_line_pipe_run(pipe, path, from, to, error);
  }
  fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return fail(path, error);
  }
  ok = run_whole(pipe, fd, path, error);
  close(fd);
  return ok;
}

/* ---- what their callers share ------------------------------------------------------------------
 */

void
app_list_tell(const AppPiece *piece, guint64 first_line, const char *path, gboolean part,
              const AppDatasetListener *listener, guint *n_told)
{
  for (guint i = 0; i < piece->problems->len && *n_told < MOST_PROBLEMS; i++) {
    const DataProblem *problem = &g_array_index(piece->problems, DataProblem, i);
    g_autofree char *name = g_filename_display_name(path);
    g_autofree char *text =
        g_strdup_printf("%s: line %" G_GUINT64_FORMAT "%s: %s", name,
                        first_line + problem->line + 1, part ? " of the shard" : "", problem->text);

    ++*n_told;
    if (listener->problem) {
      listener->problem(text, listener->user);
    }
  }
}

gboolean
app_list_go_on(const AppDatasetListener *listener, guint64 bytes, guint64 total, GError **error)
{
  if (listener->go_on && !listener->go_on(bytes, total, listener->user)) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_CANCELLED, "stopped; nothing was written");
    return FALSE;
  }
  return TRUE;
}

gboolean
app_list_size(const char *path, guint64 *size, GError **error)
{
  g_autofree char *name = g_filename_display_name(path);
  struct stat status;

  if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: no such file", name);
    return FALSE;
  }
  *size = (guint64)status.st_size;
  return TRUE;
}

JsonObject *
app_list_dropped(const DataCounts *counts)
{
  JsonObject *dropped = json_object_new();

  for (guint i = 0; i < DATA_N_DROPPED; i++) {
    json_object_set_int_member(dropped, data_dropped_name((DataDropped)i),
                               (gint64)counts->dropped[i]);
  }
  return dropped;
}
