/* save.c - see save.h. The layout is that of this machine (little-endian, IEEE 754): a checkpoint
 * is for going on, the trained model travels as GGUF. */
#include "save.h"

#include "base/error.h"
#include "base/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "HILUMTR1"
#define VERSION 1u
#define PIECE ((size_t)4 << 20)

typedef struct {
  int fd;
  const char *path;
  ModelSha256 sha; /* of what was written, or of what is checked */
  ModelError *err;
} File;

static bool
write_bytes(File *file, const void *data, size_t n)
{
  const uint8_t *at = data;

  while (n > 0) {
    ssize_t done = write(file->fd, at, n < PIECE ? n : PIECE);

    if (done < 0 && errno == EINTR) {
      continue;
    }
    if (done <= 0) {
      return model_fail(file->err, MODEL_ERROR_IO, "%s: cannot write the checkpoint: %s",
                        file->path, strerror(done < 0 ? errno : EIO));
    }
    model_sha256_update(&file->sha, at, (size_t)done);
    at += done;
    n -= (size_t)done;
  }
  return true;
}

static bool
read_bytes(File *file, void *data, size_t n)
{
  uint8_t *at = data;

  while (n > 0) {
    ssize_t done = read(file->fd, at, n < PIECE ? n : PIECE);

    if (done < 0 && errno == EINTR) {
      continue;
    }
    if (done <= 0) {
      return model_fail(file->err, done < 0 ? MODEL_ERROR_IO : MODEL_ERROR_CORRUPT,
                        "%s: cannot read the checkpoint: %s", file->path,
                        done < 0 ? strerror(errno) : "it ends too early");
    }
    at += done;
    n -= (size_t)done;
  }
  return true;
}

/* Weights that train, then the moments. */
static bool
each_block(const TrainCore *core, File *file, bool (*move)(File *, float *, size_t))
{
  for (uint32_t i = 0; i < core->params.n_tensors; i++) {
    const TrainTensor *tensor = &core->params.tensors[i];

    if (tensor->gradient != TRAIN_NO_GRADIENT &&
        !move(file, core->params.data + tensor->offset, tensor->n)) {
      return false;
    }
  }
  return move(file, core->m, core->params.n_gradient) &&
         move(file, core->v, core->params.n_gradient);
}

static bool
write_floats(File *file, float *data, size_t n)
{
  return write_bytes(file, data, n * sizeof *data);
}

static bool
read_floats(File *file, float *data, size_t n)
{
  return read_bytes(file, data, n * sizeof *data);
}

static bool
write_all(File *file, const TrainSaved *saved, const TrainCore *core)
{
  char hex[65];

  if (!write_bytes(file, saved, sizeof *saved) || !each_block(core, file, write_floats)) {
    return false;
  }
  model_sha256_finish(&file->sha, hex);
  if (!write_bytes(file, hex, 64)) {
    return false;
  }
  if (fsync(file->fd) != 0) {
    return model_fail(file->err, MODEL_ERROR_IO, "%s: cannot sync: %s", file->path,
                      strerror(errno));
  }
  return true;
}

/* The rename itself must reach the disk as well. */
static void
sync_folder(const char *folder)
{
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd >= 0) {
    (void)fsync(fd);
    close(fd);
  }
}

static bool
make_paths(const char *folder, char path[4096], char aside[4200], ModelError *err)
{
  int n = snprintf(path, 4096, "%s/%s", folder, TRAIN_CHECKPOINT_NAME);

  if (n < 0 || n >= 4096) {
    return model_fail(err, MODEL_ERROR_ARGUMENT, "%.200s...: the folder's name is too long",
                      folder);
  }
  /* One name: what a killed run has left there is written over by the next. */
  snprintf(aside, 4200, "%s.part", path);
  return true;
}

bool
train_save(const char *folder, const TrainSaved *saved, const TrainCore *core, ModelError *err)
{
  char path[4096], aside[4200];
  TrainSaved whole = *saved;
  File file = {.err = err};
  bool ok;

  if (!make_paths(folder, path, aside, err)) {
    return false;
  }
  if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
    return model_fail(err, MODEL_ERROR_IO, "%s: cannot make the folder: %s", folder,
                      strerror(errno));
  }
  memcpy(whole.magic, MAGIC, sizeof whole.magic);
  whole.version = VERSION;
  file.path = aside;
  file.fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file.fd < 0) {
    return model_fail(err, MODEL_ERROR_IO, "%s: cannot create: %s", aside, strerror(errno));
  }
  model_sha256_init(&file.sha);
  ok = write_all(&file, &whole, core);
  ok = (close(file.fd) == 0 || model_fail(err, MODEL_ERROR_IO, "%s: %s", aside, strerror(errno))) &&
       ok;
  if (ok && rename(aside, path) != 0) {
    ok = model_fail(err, MODEL_ERROR_IO, "%s: cannot rename to %s: %s", aside,
                    TRAIN_CHECKPOINT_NAME, strerror(errno));
  }
  if (!ok) {
    unlink(aside);
    return false;
  }
  sync_folder(folder);
  return true;
}

static bool
check_header(const char *path, uint64_t size, const TrainSaved *expected, const TrainCore *core,
             TrainSaved *saved, ModelError *err)
{
  uint64_t want = sizeof *saved + core->params.n_gradient * sizeof(float) * 3 + 64;

  if (memcmp(saved->magic, MAGIC, sizeof saved->magic) != 0) {
    return model_fail(err, MODEL_ERROR_FORMAT, "%s: not a checkpoint of a training run", path);
  }
  if (saved->version != VERSION) {
    return model_fail(err, saved->version > VERSION ? MODEL_ERROR_NEWER : MODEL_ERROR_UNSUPPORTED,
                      "%s: version %u, expected %u", path, saved->version, VERSION);
  }
  saved->fingerprint[64] = '\0';
  if (strcmp(saved->fingerprint, expected->fingerprint) != 0) {
    return model_fail(err, MODEL_ERROR_ARGUMENT,
                      "%s: a checkpoint of another run (other options, data or starting model); "
                      "name another folder or remove it",
                      path);
  }
  if (saved->n_gradient != core->params.n_gradient || size != want ||
      saved->step > expected->steps) {
    return model_fail(err, MODEL_ERROR_CORRUPT,
                      "%s: %llu bytes with %llu trained values at step %llu, expected %llu bytes "
                      "with %zu and at most step %llu",
                      path, (unsigned long long)size, (unsigned long long)saved->n_gradient,
                      (unsigned long long)saved->step, (unsigned long long)want,
                      core->params.n_gradient, (unsigned long long)expected->steps);
  }
  return true;
}

static bool
seek_to(File *file, size_t place)
{
  return lseek(file->fd, (off_t)place, SEEK_SET) >= 0 ||
         model_fail(file->err, MODEL_ERROR_IO, "%s: cannot read the checkpoint: %s", file->path,
                    strerror(errno));
}

/* Reads the file of SIZE bytes from its beginning, without keeping anything. */
static bool
check_sha256(File *file, uint64_t size)
{
  uint8_t piece[1 << 16];
  char hex[65], stored[65] = {0};
  uint64_t left = size - 64;

  if (!seek_to(file, 0)) {
    return false;
  }
  model_sha256_init(&file->sha);
  while (left > 0) {
    size_t n = left < sizeof piece ? (size_t)left : sizeof piece;

    if (!read_bytes(file, piece, n)) {
      return false;
    }
    model_sha256_update(&file->sha, piece, n);
    left -= n;
  }
  model_sha256_finish(&file->sha, hex);
  if (!read_bytes(file, stored, 64)) {
    return false;
  }
  if (strcmp(hex, stored) != 0) {
    return model_fail(file->err, MODEL_ERROR_CORRUPT,
                      "%s: its contents have SHA-256 %.16s..., expected %.16s...", file->path, hex,
                      stored);
  }
  return true;
}

/* Twice through the file: a damaged one must leave CORE as it was. */
static bool
read_all(File *file, const TrainSaved *expected, TrainSaved *saved, TrainCore *core)
{
  struct stat status;

  if (fstat(file->fd, &status) != 0) {
    return model_fail(file->err, MODEL_ERROR_IO, "%s: %s", file->path, strerror(errno));
  }
  return read_bytes(file, saved, sizeof *saved) &&
         check_header(file->path, (uint64_t)status.st_size, expected, core, saved, file->err) &&
         check_sha256(file, (uint64_t)status.st_size) && seek_to(file, sizeof *saved) &&
         each_block(core, file, read_floats);
}

bool
train_load(const char *folder, const TrainSaved *expected, TrainSaved *saved, TrainCore *core,
           bool *found, ModelError *err)
{
  char path[4096], aside[4200];
  File file = {.err = err, .path = path};
  bool ok;

  *found = false;
  if (!make_paths(folder, path, aside, err)) {
    return false;
  }
  file.fd = open(path, O_RDONLY | O_CLOEXEC);
  if (file.fd < 0) {
    return errno == ENOENT ||
           model_fail(err, MODEL_ERROR_IO, "%s: cannot open: %s", path, strerror(errno));
  }
  ok = read_all(&file, expected, saved, core);
  close(file.fd);
  core->updates = ok ? saved->updates : core->updates;
  *found = ok;
  return ok;
}
