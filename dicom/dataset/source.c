/* source.c - bytes of a file, by offset. */
#include "source.h"

#include "dicom.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The buffer is not cleared: it is large beside what most headers need. */
static DicomSource *
source_new(int fd, guint8 *memory, guint64 size)
{
  DicomSource *source = g_malloc(sizeof *source);

  source->fd = fd;
  source->memory = memory;
  source->size = size;
  source->start = 0;
  source->have = 0;
  return source;
}

DicomSource *
dicom_source_open(const char *path, GError **error)
{
  /* A FIFO must not hang the program, hence O_NONBLOCK; for regular files it changes nothing. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  int saved = errno;

  g_autofree char *name = g_filename_display_name(path);
  if (fd < 0) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO, "%s: cannot be opened: %s", name,
                g_strerror(saved));
    return NULL;
  }
  return dicom_source_open_fd(fd, name, error);
}

DicomSource *
dicom_source_open_fd(int fd, const char *name, GError **error)
{
  struct stat st;

  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO, "%s: is not a regular file", name);
    close(fd);
    return NULL;
  }
  return source_new(fd, NULL, (guint64)st.st_size);
}

DicomSource *
dicom_source_memory(guint8 *bytes, gsize size)
{
  return source_new(-1, bytes, size);
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
  if (offset >= source->start && offset + n <= source->start + source->have) {
    memcpy(out, source->buffer + (offset - source->start), n);
    return TRUE;
  }
  return read_at(source->fd, offset, out, n) == n;
}

/* ---- as a stream -------------------------------------------------------------------------------
 */

typedef struct {
  DicomSource *source;
  guint64 at;
} Cookie;

static ssize_t
cookie_read(void *data, char *out, size_t n)
{
  Cookie *cookie = data;
  gsize want = (gsize)MIN((guint64)n, cookie->source->size - cookie->at);

  if (!dicom_source_read(cookie->source, cookie->at, out, want)) {
    errno = EIO;
    return -1;
  }
  cookie->at += want;
  return (ssize_t)want;
}

static int
cookie_close(void *data)
{
  g_free(data);
  return 0;
}

FILE *
dicom_source_stream(DicomSource *source)
{
  const cookie_io_functions_t functions = {.read = cookie_read, .close = cookie_close};
  Cookie *cookie = g_new0(Cookie, 1);
  FILE *stream;

  cookie->source = source;
  stream = fopencookie(cookie, "rb", functions);
  if (!stream) {
    g_free(cookie);
  }
  return stream;
}
