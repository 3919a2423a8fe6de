/* file.c - the log as a file: who may read it, and what is refused before SQLite sees it.
 *
 * 1. The file is made empty with mode 0600 whatever the umask says, and SQLite gives -wal and -shm
 *    the mode of the file, so that no byte is ever readable by others.
 * 2. An existing log is looked at by name and never opened here: closing a descriptor of the file
 *    would drop the POSIX locks that another connection of this process holds on it.
 * 3. An empty file is a log without rows (a process died between making the file and the first
 *    write), so a failed opening leaves it there. Removing it could take another process's log.
 */
#include "private.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define OTHERS (S_IRWXG | S_IRWXO)

char *
store_default_path(void)
{
  return g_build_filename(g_get_user_data_dir(), "hilum", "log.sqlite", NULL);
}

gint64
store_file_size(const char *path, const char *suffix)
{
  g_autofree char *whole = g_strconcat(path, suffix, NULL);
  struct stat st;

  return lstat(whole, &st) == 0 ? (gint64)st.st_size : 0;
}

gboolean
store_file_is_there(const char *path)
{
  struct stat st;

  return lstat(path, &st) == 0;
}

gboolean
store_file_sync_folder(const char *path)
{
  g_autofree char *folder = g_path_get_dirname(path);
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean good = fd >= 0 && fsync(fd) == 0;
  int number = errno;

  if (fd >= 0) {
    close(fd);
  }
  errno = number;
  return good;
}

/* Missing folders get mode 0700; one that is there stays as it is: it may be /tmp. */
static gboolean
make_folder(const char *folder, const char *name, GError **error)
{
  g_autofree char *parent = g_path_get_dirname(folder);

  if (g_file_test(folder, G_FILE_TEST_IS_DIR)) {
    return TRUE;
  }
  if (g_mkdir_with_parents(parent, 0700) == 0 && g_mkdir(folder, 0700) == 0) {
    /* The umask may have taken the owner's own rights. */
    return g_chmod(folder, 0700) == 0 || store_fail_errno(error, name, "making its folder", errno);
  }
  return g_file_test(folder, G_FILE_TEST_IS_DIR) || /* another process was faster */
         store_fail_errno(error, name, "making its folder", errno);
}

/* A file that already has the right mode, or is not there, is left alone. */
static gboolean
tighten(const char *path, const char *suffix, const char *name, GError **error)
{
  g_autofree char *whole = g_strconcat(path, suffix, NULL);
  struct stat st;

  if (lstat(whole, &st) != 0 || !S_ISREG(st.st_mode) || !(st.st_mode & OTHERS)) {
    return TRUE;
  }
  if (g_chmod(whole, st.st_mode & 07777 & ~OTHERS) != 0) {
    return store_fail(
        error, STORE_ERROR_IO, name,
        "mode of the file%s: found %04o, expected 0600, and it could not be changed (%s)", suffix,
        (guint)(st.st_mode & 07777), g_strerror(errno));
  }
  return TRUE;
}

/* Sets *made when this call made the file. */
static gboolean
make_file(const char *path, const char *name, gboolean *made, GError **error)
{
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  int number = errno;
  gboolean ok;

  *made = fd >= 0;
  if (fd < 0) {
    return number == EEXIST || store_fail_errno(error, name, "making the file", number);
  }
  ok = fchmod(fd, 0600) == 0; /* against a umask that takes the owner's own rights */
  number = errno;
  close(fd);
  return ok || store_fail_errno(error, name, "setting mode 0600", number);
}

static const char *
kind_of(mode_t mode)
{
  return S_ISLNK(mode)    ? "a symbolic link"
         : S_ISDIR(mode)  ? "a folder"
         : S_ISFIFO(mode) ? "a pipe"
         : S_ISSOCK(mode) ? "a socket"
                          : "a device";
}

static gboolean
check_existing(const char *path, const char *name, gboolean read_only, GError **error)
{
  struct stat st;

  if (lstat(path, &st) != 0) {
    return store_fail_errno(error, name, "looking at the file", errno);
  }
  if (!S_ISREG(st.st_mode)) {
    return store_fail(error, STORE_ERROR_FORMAT, name, "found %s, expected a regular file",
                      kind_of(st.st_mode));
  }
  /* SQLite takes what is shorter than its smallest page for an empty file, and would write over it.
   */
  if (st.st_size > 0 && st.st_size < 512) {
    return store_fail(error, STORE_ERROR_FORMAT, name,
                      "found no SQLite database, expected a Hilum log");
  }
  return read_only || (tighten(path, "", name, error) && tighten(path, "-wal", name, error) &&
                       tighten(path, "-shm", name, error));
}

char *
store_file_prepare(const char *path, gboolean read_only, GError **error)
{
  g_autofree char *name = g_filename_display_name(path);
  g_autofree char *folder = g_path_get_dirname(path);
  g_autofree char *base = g_path_get_basename(path);
  g_autofree char *resolved = NULL;
  g_autofree char *real = NULL;
  gboolean made = FALSE;

  if (!*path || g_str_has_suffix(path, G_DIR_SEPARATOR_S)) {
    store_fail(error, STORE_ERROR_IO, name, "found no file name, expected a path to a log");
    return NULL;
  }
  if (!read_only && !make_folder(folder, name, error)) {
    return NULL;
  }
  /* SQLite is told to follow no link at all, so links among the folders are resolved here. */
  resolved = realpath(folder, NULL);
  if (!resolved) {
    store_fail_errno(error, name, "finding its folder", errno);
    return NULL;
  }
  real = g_build_filename(resolved, base, NULL);
  if (!read_only && !make_file(real, name, &made, error)) {
    return NULL;
  }
  if (!made && !check_existing(real, name, read_only, error)) {
    return NULL;
  }
  return g_steal_pointer(&real);
}
