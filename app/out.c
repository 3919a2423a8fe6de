/* out.c - see out.h. */
#include "out.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "private.h"

#define BUFFER (1u << 20)

struct _AppOut {
  char *path, *aside;
  int fd;
  guint64 n_bytes;
  gsize n;
  guint8 buffer[BUFFER];
};

static gboolean
fail(const AppOut *out, GError **error)
{
  const int why = errno;

  g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: cannot be written: %s", out->path,
              g_strerror(why));
  return FALSE;
}

void
app_out_abandon(AppOut *out)
{
  if (!out) {
    return;
  }
  if (out->fd >= 0) {
    close(out->fd);
    g_unlink(out->aside);
  }
  g_free(out->path);
  g_free(out->aside);
  g_free(out);
}

AppOut *
app_out_new(const char *path, GError **error)
{
  AppOut *out;

  if (!app_file_has_folder(path, error)) {
    return NULL;
  }
  out = g_new0(AppOut, 1);
  out->path = g_strdup(path);
  out->aside = g_strconcat(path, ".XXXXXX", NULL);
  out->fd = g_mkstemp_full(out->aside, O_WRONLY | O_CLOEXEC, 0644);
  if (out->fd < 0) {
    fail(out, error);
    app_out_abandon(out);
    return NULL;
  }
  return out;
}

static gboolean
write_all(AppOut *out, const guint8 *bytes, gsize n, GError **error)
{
  while (n > 0) {
    const gssize done = write(out->fd, bytes, n);

    if (done < 0 && errno == EINTR) {
      continue;
    }
    if (done <= 0) {
      return fail(out, error);
    }
    bytes += done;
    n -= (gsize)done;
  }
  return TRUE;
}

static gboolean
flush(AppOut *out, GError **error)
{
  const gsize n = out->n;

  out->n = 0;
  return write_all(out, out->buffer, n, error);
}

gboolean
app_out_write(AppOut *out, const void *bytes, gsize n, GError **error)
{
  if (n == 0) { /* BYTES may be NULL then */
    return TRUE;
  }
  out->n_bytes += n;
  if (out->n + n > BUFFER && !flush(out, error)) {
    return FALSE;
  }
  if (n > BUFFER) {
    return write_all(out, bytes, n, error);
  }
  memcpy(out->buffer + out->n, bytes, n);
  out->n += n;
  return TRUE;
}

guint64
app_out_bytes(const AppOut *out)
{
  return out->n_bytes;
}

gboolean
app_out_finish(AppOut *out, GError **error)
{
  g_autoptr(AppOut) owned = out;

  if (!flush(out, error)) {
    return FALSE;
  }
  if (fsync(out->fd) != 0 || close(out->fd) != 0) {
    return fail(out, error);
  }
  out->fd = -1;
  if (g_rename(out->aside, out->path) != 0) {
    fail(out, error);
    g_unlink(out->aside);
    return FALSE;
  }
  return TRUE;
}
