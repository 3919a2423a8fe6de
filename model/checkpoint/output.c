#include "checkpoint/output.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static uint64_t
room(const char *path)
{
  struct statvfs fs;
  uint64_t n_bytes;

  /* Some file systems over a network say 0 of everything. */
  if (statvfs(path, &fs) != 0 || fs.f_blocks == 0 ||
      __builtin_mul_overflow((uint64_t)fs.f_bavail, (uint64_t)fs.f_frsize, &n_bytes))
    return UINT64_MAX;
  return n_bytes;
}

const ModelFileOps model_file_ops = {write, fsync, rename, room};

static bool
fail(const ModelOutput *output, const char *verb, int error, ModelError *err)
{
  return model_fail(err, MODEL_ERROR_IO, "%s: cannot %s after %llu bytes: %s", output->path, verb,
                    (unsigned long long)output->n_bytes, strerror(error));
}

void
model_output_none(ModelOutput *output)
{
  memset(output, 0, sizeof *output);
  output->fd = -1;
}

bool
model_output_open(ModelOutput *output, const char *path, const ModelFileOps *ops, ModelError *err)
{
  size_t n = strlen(path) + 48;

  model_output_none(output);
  output->ops = ops ? ops : &model_file_ops;
  output->path = strdup(path);
  output->part = malloc(n);
  if (!output->path || !output->part)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", path);
  for (int i = 0; output->fd < 0 && i < 100; i++) {
    snprintf(output->part, n, "%s.part-%ld-%d", path, (long)getpid(), i);
    output->fd = open(output->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (output->fd < 0 && errno != EEXIST)
      break;
  }
  return output->fd >= 0 || fail(output, "create a file beside it", errno, err);
}

bool
model_output_room(const ModelOutput *output, uint64_t n, ModelError *err)
{
  uint64_t there = output->ops->room ? output->ops->room(output->part) : UINT64_MAX;

  if (n <= there)
    return true;
  return model_fail(
      err, MODEL_ERROR_IO,
      "%s: the file will have %.1f MB, but the disk has room for %.1f MB: %.1f MB are "
      "missing",
      output->path, (double)n / 1e6, (double)there / 1e6, (double)(n - there) / 1e6);
}

bool
model_output_write(ModelOutput *output, const void *data, size_t n, ModelError *err)
{
  const uint8_t *bytes = data;

  while (n) {
    ssize_t part = output->ops->write(output->fd, bytes, n);
    if (part < 0 && errno == EINTR)
      continue;
    if (part <= 0)
      return fail(output, "write", part < 0 ? errno : ENOSPC, err);
    bytes += part;
    n -= (size_t)part;
    output->n_bytes += (uint64_t)part;
    output->synced = false;
  }
  return true;
}

/* The name's way to the disk. The file is whole and in its place whatever this says, so a file
 * system that cannot sync folders is no error. */
static void
sync_folder(const char *path)
{
  const char *slash = strrchr(path, '/');
  char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
  int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

  if (fd >= 0) {
    (void)fsync(fd);
    close(fd);
  }
  free(folder);
}

bool
model_output_sync(ModelOutput *output, ModelError *err)
{
  if (!output->synced && output->ops->fsync(output->fd) != 0)
    return fail(output, "sync", errno, err);
  output->synced = true;
  return true;
}

bool
model_output_commit(ModelOutput *output, ModelError *err)
{
  int fd = output->fd;

  if (!model_output_sync(output, err))
    return false;
  output->fd = -1;
  if (close(fd) != 0) {
    int error = errno;
    unlink(output->part);
    return fail(output, "close", error, err);
  }
  if (output->ops->rename(output->part, output->path) != 0) {
    int error = errno;
    unlink(output->part);
    return fail(output, "put the file into its place", error, err);
  }
  sync_folder(output->path);
  return true;
}

void
model_output_close(ModelOutput *output)
{
  if (output->fd >= 0) {
    close(output->fd);
    unlink(output->part);
  }
  free(output->path);
  free(output->part);
  model_output_none(output);
}
