/* guard.c - what becomes of a model whose file is cut short or written over while it is in use.
 *
 * Weights are read where they lie in the file. When another process cuts that file short, reading
 * them raises SIGBUS in whichever thread comes by. A program that called app_guard_files() goes on
 * with zeros in their place, the model counts as lost from then on, and whoever asked it gets an
 * error in the place of an answer (app_engine_is_lost()). SIGBUS of any other memory ends the
 * program, as it always did.
 *
 * Invariants:
 * 1. `files` is the one thing here that changes: a signal handler is told of nothing else. An entry
 *    counts while `start` is not 0; `size` and `path` are set before and cleared after.
 * 2. The handler reads `start` and `size`, writes `lost`, and takes no lock.
 * 3. Entries come and go under `lock`.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "private.h"

/* A model in shards has some tens of files; those beyond are not guarded. */
#define MOST_FILES 512

typedef struct {
  gintptr start; /* atomic; 0: free */
  gsize size;
  gint lost; /* atomic */
  char *path;
  struct stat stamp; /* of the file when it was mapped */
} File;

static File files[MOST_FILES];
static GMutex lock;

static File *
find(gintptr at)
{
  for (guint i = 0; i < MOST_FILES; i++) {
    gintptr start = g_atomic_pointer_get(&files[i].start);

    if (start != 0 && at >= start && at - start < (gintptr)files[i].size) {
      return &files[i];
    }
  }
  return NULL;
}

/* ---- the signal --------------------------------------------------------------------------- */

/* From the page that is gone to the end of the file: one piece, however many pages are read. */
static void
on_bus_error(int number, siginfo_t *info, void *context)
{
  const gintptr page = ~((gintptr)sysconf(_SC_PAGESIZE) - 1);
  const int before = errno;
  gintptr at = (gintptr)info->si_addr & page;
  File *file = find((gintptr)info->si_addr);

  if (file && mmap((void *)at, (gsize)(file->start + (gintptr)file->size - at), PROT_READ,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != MAP_FAILED) {
    g_atomic_int_set(&file->lost, 1);
  } else {
    signal(number, SIG_DFL); /* it comes again, and ends the program */
  }
  errno = before;
}

void
app_guard_files(void)
{
  struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};

  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, NULL);
  signal(SIGXFSZ, SIG_IGN); /* the write fails instead, and is told of */
}

/* ---- what the model room tells ------------------------------------------------------------- */

static void
on_mapped(const char *path, const void *data, size_t n)
{
  g_mutex_lock(&lock);
  for (guint i = 0; i < MOST_FILES; i++) {
    File *file = &files[i];

    if (file->start == 0) {
      file->size = n;
      file->path = g_strdup(path);
      if (stat(path, &file->stamp) != 0) {
        memset(&file->stamp, 0, sizeof file->stamp);
      }
      g_atomic_int_set(&file->lost, 0);
      g_atomic_pointer_set(&file->start, (gintptr)data);
      break;
    }
  }
  g_mutex_unlock(&lock);
}

static void
on_unmapped(const void *data, size_t n)
{
  File *file;

  g_mutex_lock(&lock);
  file = find((gintptr)data);
  if (file) {
    g_atomic_pointer_set(&file->start, 0);
    g_clear_pointer(&file->path, g_free);
  }
  g_mutex_unlock(&lock);
}

/* The same file with other bytes; one that was renamed or replaced leaves ours as it was. */
static gboolean
was_written_over(const File *file)
{
  const struct stat *was = &file->stamp;
  struct stat now;

  return was->st_ino != 0 && stat(file->path, &now) == 0 && now.st_dev == was->st_dev &&
         now.st_ino == was->st_ino &&
         (now.st_size != was->st_size || now.st_mtim.tv_sec != was->st_mtim.tv_sec ||
          now.st_mtim.tv_nsec != was->st_mtim.tv_nsec);
}

static bool
is_intact(const void *data, size_t n)
{
  gboolean intact = TRUE;
  File *file;

  g_mutex_lock(&lock);
  file = find((gintptr)data);
  if (file) {
    if (was_written_over(file)) {
      g_atomic_int_set(&file->lost, 1);
    }
    intact = !g_atomic_int_get(&file->lost);
  }
  g_mutex_unlock(&lock);
  return intact;
}

const ModelGuard *
app_guard(void)
{
  static const ModelGuard guard = {on_mapped, on_unmapped, is_intact};

  return &guard;
}

gboolean
app_engine_is_lost(const ModelEngine *engine, GError **error)
{
  if (model_engine_is_intact(engine)) {
    return FALSE;
  }
  g_set_error(error, APP_ERROR, APP_ERROR_MODEL_LOST,
              "%s: the model's file was changed or cut short while it was in use; the model has to "
              "be loaded again",
              model_engine_info(engine)->path);
  return TRUE;
}
