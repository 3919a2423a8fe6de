/* rotate-files.c - the files of a log make room for those of the one that goes on from it.
 *
 * 1. A whole log waits in the folder LOG.next, with the name under which the old one is to lie.
 * From then on nothing but renaming is left, which needs no key, and whoever opens the log finishes
 *    it, one at a time: the folder is locked.
 * 2. All files of the old log move before the first of the new one is set; the keys move last, so
 *    that where they are tells how far it came.
 * 3. No file is ever moved over another.
 */
#include "chain.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copy.h"
#include "rotate.h"

#define DOING "moving the files of a sealed log"

/* What may belong to the old log, the keys last. */
static const char *const old_files[] = {"",      "-wal",          "-journal",    ".pub",
                                        ".head", ".index",        ".index-busy", ".people",
                                        ".key",  ".keys-journal", ".keys"};
static const char *const new_files[] = {"", ".pub", ".head", ".key", ".keys"};

char *
store_rotate_waiting(const char *path)
{
  return g_strconcat(path, ".next", NULL);
}

/* The file systems that cannot refuse to move over another have nobody else who writes there: the
 * folder is locked. */
static gboolean
move_file(const char *from, const char *to, GError **error)
{
  if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) {
    return TRUE;
  }
  if (errno == EINVAL || errno == ENOSYS) {
    if (store_file_is_there(to)) {
      errno = EEXIST;
    } else if (g_rename(from, to) == 0) {
      return TRUE;
    }
  }
  return store_fail_errno(error, from, DOING, errno == ENOENT ? EIO : errno);
}

gboolean
store_rotate_sync(const char *folder, GError **error)
{
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean good = fd >= 0 && fsync(fd) == 0;
  int number = errno;

  if (fd >= 0) {
    close(fd);
  }
  return good || store_fail_errno(error, folder, DOING, number);
}

static gboolean
move_old(const char *path, const char *archive, GError **error)
{
  g_autofree char *keys = g_strconcat(archive, ".keys", NULL);

  for (guint i = 0; !store_file_is_there(keys) && i < G_N_ELEMENTS(old_files); i++) {
    g_autofree char *from = g_strconcat(path, old_files[i], NULL);
    g_autofree char *to = g_strconcat(archive, old_files[i], NULL);
    if (store_file_is_there(from) && !move_file(from, to, error)) {
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
set_new(const char *waiting, const char *path, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS(new_files); i++) {
    g_autofree char *from = g_strconcat(waiting, "/" STORE_COPY_NAME, new_files[i], NULL);
    g_autofree char *to = g_strconcat(path, new_files[i], NULL);
    if (store_file_is_there(from) && !move_file(from, to, error)) {
      return FALSE;
    }
  }
  return TRUE;
}

/* Rights alone keep nobody out who may change them; they keep mistakes out. The keys stay as they
 * are: they can be erased. */
static void
close_archive(const char *archive)
{
  static const char *const suffixes[] = {"", ".pub", ".head"};

  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
    g_autofree char *path = g_strconcat(archive, suffixes[i], NULL);
    g_chmod(path, 0400);
  }
}

/* The note goes last: while it is there, this is done again. */
static void
empty_folder(const char *waiting)
{
  g_autofree char *note = g_build_filename(waiting, STORE_ROTATE_NAME, NULL);
  g_autoptr(GDir) folder = g_dir_open(waiting, 0, NULL);
  const char *name;

  while (folder && (name = g_dir_read_name(folder))) {
    g_autofree char *path = g_build_filename(waiting, name, NULL);
    if (!g_str_equal(name, STORE_ROTATE_NAME)) {
      g_unlink(path);
    }
  }
  g_unlink(note);
  g_rmdir(waiting);
}

/* The folder is locked. NAME: of the old log's file from now on. */
static gboolean
settle(const char *path, const char *waiting, const char *name, GError **error)
{
  g_autofree char *folder = g_path_get_dirname(path);
  g_autofree char *archive = g_build_filename(folder, name, NULL);

  if (!move_old(path, archive, error) || !store_rotate_sync(folder, error) ||
      !set_new(waiting, path, error)) {
    return FALSE;
  }
  close_archive(archive);
  if (!store_rotate_sync(folder, error)) {
    return FALSE;
  }
  empty_folder(waiting);
  return store_rotate_sync(folder, error);
}

/* The name that waits in the folder; NULL: none does. */
static char *
read_name(const char *waiting, const char *path)
{
  g_autofree char *note = g_build_filename(waiting, STORE_ROTATE_NAME, NULL), *name = NULL;
  g_autofree char *own = g_path_get_basename(path);
  gsize n = 0;

  if (!g_file_get_contents(note, &name, &n, NULL) || n > 256 || strlen(name) != n) {
    return NULL;
  }
  g_strchomp(name);
  return store_chain_is_name(name) && !g_str_equal(name, own) ? g_steal_pointer(&name) : NULL;
}

/* A lock of the folder that is there, -1: it went meanwhile. */
static int
lock_folder(const char *waiting)
{
  int fd = open(waiting, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  struct stat held, there;

  if (fd < 0) {
    return -1;
  }
  if (flock(fd, LOCK_EX) == 0 && fstat(fd, &held) == 0 && lstat(waiting, &there) == 0 &&
      held.st_ino == there.st_ino && held.st_dev == there.st_dev) {
    return fd;
  }
  close(fd);
  return -1;
}

gboolean
store_rotate_settle(const char *path, gboolean read_only, GError **error)
{
  g_autofree char *waiting = store_rotate_waiting(path), *name = NULL;
  gboolean good = TRUE;
  struct stat st;
  int fd;

  if (lstat(waiting, &st) != 0 || !S_ISDIR(st.st_mode)) {
    return TRUE;
  }
  if (read_only) {
    g_autofree char *shown = g_filename_display_name(path);
    name = read_name(waiting, path);
    return !name || store_fail(error, STORE_ERROR_OLDER, shown,
                               "its rotation was cut short: open the log for writing once, to "
                               "finish it");
  }
  fd = lock_folder(waiting);
  if (fd < 0) {
    return TRUE;
  }
  name = read_name(waiting, path);
  if (name) {
    good = settle(path, waiting, name, error);
  } else {
    g_rmdir(waiting); /* all was done but this; what is not empty is not ours */
  }
  close(fd);
  return good;
}
