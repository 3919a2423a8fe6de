/* keys-destroy.c - the keys of a log that is to be read no more.
 *
 * LOG.keys goes first: without it no root key opens anything, so whatever is cut short behind it
 * leaves nothing that could be read.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys-private.h"

static gboolean
fill_with_zeros(int fd, off_t size)
{
  static const guint8 zeros[65536];

  for (off_t at = 0; at < size;) {
    const gsize n = MIN(sizeof zeros, (gsize)(size - at));
    const gssize done = pwrite(fd, zeros, n, at);
    if (done < 0 && errno != EINTR) {
      return FALSE;
    }
    at += MAX(done, 0);
  }
  return fsync(fd) == 0;
}

/* Overwrites the file and removes it; one that is not there is well. */
static gboolean
destroy_file(const char *log_path, const char *suffix, GError **error)
{
  g_autofree char *path = g_strconcat(log_path, suffix, NULL);
  int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  struct stat st;
  gboolean good;
  int number;

  if (fd < 0) {
    return errno == ENOENT || store_fail_errno(error, path, "destroying keys", errno);
  }
  good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && fill_with_zeros(fd, st.st_size) &&
         g_unlink(path) == 0;
  number = errno;
  close(fd);
  return good || store_fail_errno(error, path, "destroying keys", number == ENOENT ? EIO : number);
}

/* Where the root key lies; FALSE when LOG.keys does not tell any more. */
static gboolean
read_protection(const char *log_path, const StoreSecrets *secrets, StoreProtection *protection)
{
  g_autoptr(StoreKeys) keys = store_keys_new(log_path, TRUE, secrets, NULL);
  StoreRoot root;
  gboolean good = keys && store_keys_connect(keys, log_path, FALSE, NULL) &&
                  store_keys_run(keys, STORE_KEYS_BEGIN_READ, NULL);

  if (!good) {
    return FALSE;
  }
  good = store_keys_read_root(keys, &root, NULL);
  store_keys_end(keys, FALSE, NULL);
  *protection = root.protection;
  return good;
}

gboolean
store_keys_destroy(const char *log_path, const char *log_id, const StoreSecrets *secrets,
                   GError **error)
{
  static const char *const suffixes[] = {".keys", ".keys-journal", ".key", ".key.new"};
  StoreProtection protection = STORE_PROTECTION_FILE;
  const gboolean known = read_protection(log_path, secrets, &protection);

  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
    if (!destroy_file(log_path, suffixes[i], error)) {
      return FALSE;
    }
  }
  if (!secrets || !secrets->forget || (known && protection != STORE_PROTECTION_KEYRING)) {
    return TRUE;
  }
  /* Where LOG.keys is gone already, the keyring may hold nothing: no error. */
  return secrets->forget(log_id, secrets->user, known ? error : NULL) || !known;
}
