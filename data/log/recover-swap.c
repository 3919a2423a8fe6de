/* recover-swap.c - see recover-swap.h.
 *
 * 1. Nothing is ever overwritten: files are renamed to names that are free.
 * 2. Each step can be done again: a file of the new set that is not in its folder any more has been
 *    moved, and one of the old set that is not in its place as well.
 */
#include "recover-swap.h"

#include "copy.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "hilum-recover-1"
#define MOST_BYTES 4096
#define MOST_NAMES 100u

/* All that belongs to a log; its keys come last. */
static const char *const suffixes[] = {"",       "-wal",           "-shm", "-journal",
                                       ".index", ".index-journal", ".pub", ".head",
                                       ".key",   ".keys-journal",  ".keys"};
#define N_SUFFIXES G_N_ELEMENTS(suffixes)

/* What LOG.recover says. */
typedef struct {
  char *next, *aside; /* names in the log's own folder */
  gboolean is_new[N_SUFFIXES];
} Plan;

static void
plan_clear(Plan *plan)
{
  g_free(plan->next);
  g_free(plan->aside);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Plan, plan_clear)

char *
store_swap_name(const char *path)
{
  g_autoptr(GDateTime) now = g_date_time_new_now_utc();
  g_autofree char *stamp = g_date_time_format(now, ".corrupt-%Y%m%dT%H%M%SZ");
  g_autofree char *name = g_strconcat(path, stamp, NULL);

  for (guint i = 2; i < MOST_NAMES; i++) {
    gboolean taken = FALSE;
    for (guint j = 0; j < N_SUFFIXES; j++) {
      g_autofree char *file = g_strconcat(name, suffixes[j], NULL);
      taken = taken || store_file_is_there(file);
    }
    if (!taken) {
      break;
    }
    g_free(name);
    name = g_strdup_printf("%s%s-%u", path, stamp, i);
  }
  return g_steal_pointer(&name);
}

/* ---- what is written down -------------------------------------------------------------------- */

static char *
plan_text(const Plan *plan)
{
  GString *text = g_string_new(MAGIC "\n");

  g_string_append_printf(text, "%s\n%s\n", plan->next, plan->aside);
  for (guint i = 0; i < N_SUFFIXES; i++) {
    g_string_append_c(text, plan->is_new[i] ? '1' : '0');
  }
  g_string_append(text, "\nend\n");
  return g_string_free(text, FALSE);
}

/* NAME is that of something beside the log BASE. */
static gboolean
is_beside(const char *name, const char *base, const char *mark)
{
  return g_str_has_prefix(name, base) && g_str_has_prefix(name + strlen(base), mark) &&
         !strchr(name, '/');
}

static gboolean
parse_plan(const char *text, const char *path, Plan *plan)
{
  g_autofree char *base = g_path_get_basename(path);
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

  if (g_strv_length(lines) != 6 || strcmp(lines[0], MAGIC) != 0 ||
      !is_beside(lines[1], base, ".new-") || !is_beside(lines[2], base, ".corrupt-") ||
      strlen(lines[3]) != N_SUFFIXES || strspn(lines[3], "01") != N_SUFFIXES ||
      strcmp(lines[4], "end") != 0) {
    return FALSE;
  }
  plan->next = g_strdup(lines[1]);
  plan->aside = g_strdup(lines[2]);
  for (guint i = 0; i < N_SUFFIXES; i++) {
    plan->is_new[i] = lines[3][i] == '1';
  }
  return TRUE;
}

static gboolean
write_plan(const char *marker, const char *text)
{
  g_autofree char *aside = g_strconcat(marker, ".tmp", NULL);
  const gsize n = strlen(text);
  gboolean good;
  int fd;

  g_unlink(aside); /* of one that was never begun */
  fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) {
    return FALSE;
  }
  good = write(fd, text, n) == (gssize)n && fsync(fd) == 0;
  good = close(fd) == 0 && good;
  if (good && rename(aside, marker) == 0) {
    return TRUE;
  }
  g_unlink(aside);
  return FALSE;
}

/* ---- moving ---------------------------------------------------------------------------------- */

/* FROM to the name TO, which must be free. */
static gboolean
move(const char *from, const char *to)
{
  if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) {
    return TRUE;
  }
  if (errno != EINVAL && errno != ENOSYS) {
    return FALSE;
  }
  if (store_file_is_there(to)) {
    errno = EEXIST;
    return FALSE;
  }
  return rename(from, to) == 0;
}

/* What lies in the place of the log's file: another process may have begun an empty one there since
 * the first was moved. */
static gboolean
move_aside(const char *from, const char *to)
{
  gboolean moved = move(from, to);

  for (guint i = 2; !moved && errno == EEXIST && i < MOST_NAMES; i++) {
    g_autofree char *other = g_strdup_printf("%s-%u", to, i);
    moved = move(from, other);
  }
  return moved;
}

static gboolean
move_one(const char *path, const Plan *plan, guint i, GError **error)
{
  g_autofree char *folder = g_path_get_dirname(path);
  g_autofree char *next =
      g_strconcat(folder, "/", plan->next, "/" STORE_COPY_NAME, suffixes[i], NULL);
  g_autofree char *aside = g_strconcat(folder, "/", plan->aside, suffixes[i], NULL);
  g_autofree char *place = g_strconcat(path, suffixes[i], NULL);

  if (plan->is_new[i] && !store_file_is_there(next)) {
    return TRUE;
  }
  if (store_file_is_there(place) && !move_aside(place, aside)) {
    return store_fail_errno(error, place, "setting it aside", errno == ENOENT ? EIO : errno);
  }
  return !plan->is_new[i] || move(next, place) ||
         store_fail_errno(error, place, "setting the recovered log in its place",
                          errno == ENOENT ? EIO : errno);
}

static gboolean
carry_out(const char *path, const char *marker, const Plan *plan, GError **error)
{
  g_autofree char *folder = g_path_get_dirname(path);
  g_autofree char *next = g_build_filename(folder, plan->next, NULL);

  for (guint i = 0; i < N_SUFFIXES; i++) {
    if (!move_one(path, plan, i, error)) {
      return FALSE;
    }
  }
  if (!store_file_sync_folder(path) || g_unlink(marker) != 0 || !store_file_sync_folder(path)) {
    return store_fail_errno(error, marker, "finishing the recovery", errno == ENOENT ? EIO : errno);
  }
  store_copy_discard(next);
  return TRUE;
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* Whether the file of FD still has the name MARKER: who waited for the lock may come too late. */
static gboolean
still_there(int fd, const char *marker)
{
  struct stat own, named;

  return fstat(fd, &own) == 0 && lstat(marker, &named) == 0 && own.st_ino == named.st_ino &&
         own.st_dev == named.st_dev;
}

static gboolean
finish_locked(const char *path, const char *marker, int fd, GError **error)
{
  g_autofree char *name = g_filename_display_name(marker);
  g_auto(Plan) plan = {0};
  char text[MOST_BYTES + 1];
  gssize n;

  if (flock(fd, LOCK_EX) != 0) {
    return store_fail_errno(error, marker, "locking", errno);
  }
  if (!still_there(fd, marker)) {
    return TRUE;
  }
  n = pread(fd, text, MOST_BYTES, 0);
  text[MAX(n, 0)] = '\0';
  if (n <= 0 || !parse_plan(text, path, &plan)) {
    return store_fail(error, STORE_ERROR_FORMAT, name,
                      "found something else, expected how a recovery is to be finished");
  }
  return carry_out(path, marker, &plan, error);
}

gboolean
store_swap_finish(const char *path, GError **error)
{
  g_autofree char *marker = g_strconcat(path, ".recover", NULL);
  gboolean good;
  int fd;

  if (!store_file_is_there(marker)) {
    return TRUE;
  }
  fd = open(marker, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) {
    return errno == ENOENT ||
           store_fail_errno(error, marker, "finishing a recovery that was cut short", errno);
  }
  good = finish_locked(path, marker, fd, error);
  close(fd);
  return good;
}

gboolean
store_swap(const char *path, const char *next, const char *aside_name, GError **error)
{
  g_autofree char *marker = g_strconcat(path, ".recover", NULL);
  g_autofree char *text = NULL;
  g_auto(Plan) plan = {.next = g_path_get_basename(next), .aside = g_path_get_basename(aside_name)};

  for (guint i = 0; i < N_SUFFIXES; i++) {
    g_autofree char *file = g_strconcat(next, "/" STORE_COPY_NAME, suffixes[i], NULL);
    plan.is_new[i] = store_file_is_there(file);
  }
  text = plan_text(&plan);
  if (!store_file_sync_folder(path) || !write_plan(marker, text)) {
    return store_fail_errno(error, marker, "writing down what is to be done", errno);
  }
  return store_file_sync_folder(path)
             ? store_swap_finish(path, error)
             : store_fail_errno(error, marker, "writing it to the disk", errno);
}
