#include "checkpoint/mapping.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* O_NONBLOCK so that a FIFO in a file's place does not hang the opener. */
static int
open_regular(const char *path, uint64_t *size, ModelError *err)
{
  struct stat st;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

  if (fd < 0) {
    model_fail(err, MODEL_ERROR_IO, "%s: cannot open: %s", path, strerror(errno));
    return -1;
  }
  if (fstat(fd, &st) != 0) {
    model_fail(err, MODEL_ERROR_IO, "%s: cannot read its size: %s", path, strerror(errno));
  } else if (!S_ISREG(st.st_mode)) {
    model_fail(err, MODEL_ERROR_FORMAT, "%s: found something that is not a regular file", path);
  } else if (st.st_size <= 0) {
    model_fail(err, MODEL_ERROR_CORRUPT, "%s: the file is empty", path);
  } else if ((uint64_t)st.st_size > SIZE_MAX / 2) {
    model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: %lld bytes do not fit into memory", path,
               (long long)st.st_size);
  } else {
    *size = (uint64_t)st.st_size;
    return fd;
  }
  close(fd);
  return -1;
}

bool
model_mapping_open(const char *path, ModelMapping **mapping, ModelError *err)
{
  uint64_t size = 0;
  int fd = open_regular(path, &size, err), error;
  ModelMapping *made;
  void *data;

  if (fd < 0)
    return false;
  data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
  error = errno;
  close(fd);
  if (data == MAP_FAILED)
    return model_fail(err, MODEL_ERROR_IO, "%s: cannot map %llu bytes: %s", path,
                      (unsigned long long)size, strerror(error));
  made = calloc(1, sizeof *made);
  if (made)
    made->path = strdup(path);
  if (!made || !made->path) {
    munmap(data, size);
    free(made);
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", path);
  }
  made->data = data;
  made->size = size;
  *mapping = made;
  return true;
}

void
model_mapping_free(ModelMapping *mapping)
{
  if (!mapping)
    return;
  if (mapping->guard)
    mapping->guard->unmapped(mapping->data, mapping->size);
  munmap((void *)mapping->data, mapping->size);
  free(mapping->names);
  free(mapping->path);
  free(mapping);
}

static void
advise(const ModelMapping *mapping, const uint8_t *data, uint64_t n, int advice)
{
  uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), begin = (uint64_t)(data - mapping->data);

  n += begin % page;
  begin -= begin % page;
  madvise((void *)(mapping->data + begin), (size_t)n, advice);
}

void
model_mapping_drop(const ModelMapping *mapping, const uint8_t *data, uint64_t n)
{
  advise(mapping, data, n, MADV_DONTNEED);
}

static void
advise_tensor(const ModelCheckpoint *checkpoint, const ModelTensor *tensor, int advice)
{
  for (uint32_t i = 0; i < checkpoint->n_mappings; i++) {
    const ModelMapping *mapping = checkpoint->mappings[i];
    if (tensor->data >= mapping->data && tensor->data < mapping->data + mapping->size)
      advise(mapping, tensor->data, tensor->n_bytes, advice);
  }
}

void
model_checkpoint_expect(const ModelCheckpoint *checkpoint, const ModelTensor *tensor)
{
  advise_tensor(checkpoint, tensor, MADV_WILLNEED);
}

void
model_checkpoint_drop(const ModelCheckpoint *checkpoint, const ModelTensor *tensor)
{
  advise_tensor(checkpoint, tensor, MADV_DONTNEED);
}

ModelMapping *
model_checkpoint_map(ModelCheckpoint *checkpoint, const char *path, ModelError *err)
{
  ModelMapping *mapping = NULL, **grown;

  if (!model_mapping_open(path, &mapping, err))
    return NULL;
  grown = realloc(checkpoint->mappings, (checkpoint->n_mappings + 1) * sizeof *grown);
  if (!grown) {
    model_mapping_free(mapping);
    model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", path);
    return NULL;
  }
  checkpoint->mappings = grown;
  mapping->guard = checkpoint->guard;
  if (mapping->guard)
    mapping->guard->mapped(path, mapping->data, mapping->size);
  grown[checkpoint->n_mappings++] = mapping;
  return mapping;
}

bool
model_file_read(const char *path, uint64_t max_bytes, char **data, size_t *n, ModelError *err)
{
  uint64_t size = 0, got = 0;
  int fd = open_regular(path, &size, err);
  char *bytes;

  if (fd < 0)
    return false;
  if (size > max_bytes) {
    close(fd);
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: %llu bytes, at most %llu are read", path,
                      (unsigned long long)size, (unsigned long long)max_bytes);
  }
  bytes = malloc(size + 1);
  while (bytes && got < size) {
    ssize_t part = read(fd, bytes + got, size - got);
    if (part < 0 && errno == EINTR)
      continue;
    if (part <= 0) {
      int error = errno;
      free(bytes);
      close(fd);
      return model_fail(err, MODEL_ERROR_IO, "%s: cannot read byte %llu of %llu: %s", path,
                        (unsigned long long)got, (unsigned long long)size,
                        part < 0 ? strerror(error) : "the file ends");
    }
    got += (uint64_t)part;
  }
  close(fd);
  if (!bytes)
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "%s: out of memory", path);
  bytes[size] = '\0';
  *data = bytes;
  *n = size;
  return true;
}

char *
model_path_join(const char *folder, const char *name)
{
  size_t n = strlen(folder), n_name = strlen(name);
  char *path = malloc(n + n_name + 2);

  if (!path)
    return NULL;
  while (n > 1 && folder[n - 1] == '/')
    n--;
  memcpy(path, folder, n);
  path[n] = '/';
  memcpy(path + n + 1, name, n_name + 1);
  return path;
}

bool
model_path_is_folder(const char *path)
{
  struct stat st;

  return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool
model_path_exists(const char *path)
{
  struct stat st;

  return stat(path, &st) == 0;
}
