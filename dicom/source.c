/* source.c - bytes of a file, by offset. */
#include "source.h"

#include "dicom.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean
fail_errno(const char *path, const char *what, int saved, GError **error)
{
  g_autofree char *name = g_filename_display_name(path);

  g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO, "%s: %s: %s", name, what, g_strerror(saved));
  return FALSE;
}

DicomSource *
dicom_source_open(const char *path, GError **error)
{
  struct stat st;
  /* A FIFO must not hang the program, hence O_NONBLOCK; for regular files it changes nothing. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

  if (fd < 0) {
    fail_errno(path, "cannot be opened", errno, error);
    return NULL;
  }
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
    g_autofree char *name = g_filename_display_name(path);

    g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO, "%s: is not a regular file", name);
    close(fd);
    return NULL;
  }
  g_autoptr(DicomSource) source = g_new0(DicomSource, 1);
  source->fd = fd;
  source->size = (guint64)st.st_size;
  return g_steal_pointer(&source);
}

DicomSource *
dicom_source_memory(guint8 *bytes, gsize size)
{
  DicomSource *source = g_new0(DicomSource, 1);

  source->fd = -1;
  source->memory = bytes;
  source->size = size;
  return source;
}

void
dicom_source_free(DicomSource *source)
{
  if (source->fd >= 0) {
    close(source->fd);
  }
  g_free(source->memory);
  g_free(source);
}

static gsize
read_at(int fd, guint64 offset, guint8 *out, gsize n)
{
  gsize done = 0;

  while (done < n) {
    ssize_t got = pread(fd, out + done, n - done, (off_t)(offset + done));

    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      break;
    }
    done += (gsize)got;
  }
  return done;
}

const guint8 *
dicom_source_peek(DicomSource *source, guint64 offset, gsize n)
{
  g_return_val_if_fail(n <= 1024, NULL);
  if (offset > source->size || n > source->size - offset) {
    return NULL;
  }
  if (source->memory) {
    return source->memory + offset;
  }
  if (offset < source->start || offset + n > source->start + source->have) {
    gsize want = MIN((guint64)sizeof source->buffer, source->size - offset);

    source->start = offset;
    source->have = read_at(source->fd, offset, source->buffer, want);
    if (source->have < n) {
      return NULL;
    }
  }
  return source->buffer + (offset - source->start);
}

gboolean
dicom_source_read(DicomSource *source, guint64 offset, void *out, gsize n)
{
  if (offset > source->size || n > source->size - offset) {
    return FALSE;
  }
  if (source->memory) {
    memcpy(out, source->memory + offset, n);
    return TRUE;
  }
  return read_at(source->fd, offset, out, n) == n;
}
