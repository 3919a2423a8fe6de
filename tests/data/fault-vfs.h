/* fault-vfs.h - a layer over SQLite's own VFS that fails, or kills the process, at the n-th call
 * that changes a file. It is registered as the default, so the log under test knows nothing of it.
 */
#ifndef HILUM_TESTS_DATA_FAULT_VFS_H
#define HILUM_TESTS_DATA_FAULT_VFS_H

#include <glib.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

typedef enum { FAULT_IO, FAULT_FULL, FAULT_KILL } FaultKind;

typedef struct {
  guint at; /* the call that fails, counted from 1; 0: none */
  FaultKind kind;
  gboolean sticky; /* all later ones fail too, as on a disk that stays full */
  guint calls, hits;
  gboolean unsynced; /* bytes in a -wal or the main file that no sync has followed */
  gboolean no_shared_memory;
  sqlite3_vfs *real;
} FaultState;

static FaultState fault;

typedef struct {
  sqlite3_file base;
  gboolean watched;    /* -wal, or the main file where there is no shared memory */
  sqlite3_file real[]; /* as large as the VFS below says */
} FaultFile;

static inline sqlite3_file *
real_file(sqlite3_file *file)
{
  return ((FaultFile *)file)->real;
}

/* Whether this call is to fail. */
static inline gboolean
fault_strikes(void)
{
  fault.calls++;
  if (!fault.at || fault.calls < fault.at || (fault.calls > fault.at && !fault.sticky)) {
    return FALSE;
  }
  fault.hits++;
  return TRUE;
}

static inline int
fault_code(int io_code)
{
  if (fault.kind == FAULT_KILL) {
    kill(getpid(), SIGKILL);
  }
  return fault.kind == FAULT_FULL ? SQLITE_FULL : io_code;
}

static int
fault_close(sqlite3_file *file)
{
  return real_file(file)->pMethods->xClose(real_file(file));
}

static int
fault_read(sqlite3_file *file, void *bytes, int n, sqlite3_int64 offset)
{
  return real_file(file)->pMethods->xRead(real_file(file), bytes, n, offset);
}

/* A write that fails has written its first half: what is torn must be seen to be torn. */
static int
fault_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 offset)
{
  sqlite3_file *real = real_file(file);

  if (((FaultFile *)file)->watched) {
    fault.unsynced = TRUE;
  }
  if (fault_strikes()) {
    real->pMethods->xWrite(real, bytes, n / 2, offset);
    return fault_code(SQLITE_IOERR_WRITE);
  }
  return real->pMethods->xWrite(real, bytes, n, offset);
}

static int
fault_truncate(sqlite3_file *file, sqlite3_int64 size)
{
  if (fault_strikes()) {
    return fault_code(SQLITE_IOERR_TRUNCATE);
  }
  return real_file(file)->pMethods->xTruncate(real_file(file), size);
}

static int
fault_sync(sqlite3_file *file, int flags)
{
  if (fault_strikes()) {
    return fault_code(SQLITE_IOERR_FSYNC);
  }
  if (((FaultFile *)file)->watched) {
    fault.unsynced = FALSE;
  }
  return real_file(file)->pMethods->xSync(real_file(file), flags);
}

static int
fault_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
  return real_file(file)->pMethods->xFileSize(real_file(file), size);
}

static int
fault_lock(sqlite3_file *file, int level)
{
  return real_file(file)->pMethods->xLock(real_file(file), level);
}

static int
fault_unlock(sqlite3_file *file, int level)
{
  return real_file(file)->pMethods->xUnlock(real_file(file), level);
}

static int
fault_check_reserved(sqlite3_file *file, int *out)
{
  return real_file(file)->pMethods->xCheckReservedLock(real_file(file), out);
}

static int
fault_control(sqlite3_file *file, int op, void *argument)
{
  return real_file(file)->pMethods->xFileControl(real_file(file), op, argument);
}

static int
fault_sector_size(sqlite3_file *file)
{
  return real_file(file)->pMethods->xSectorSize(real_file(file));
}

static int
fault_characteristics(sqlite3_file *file)
{
  return real_file(file)->pMethods->xDeviceCharacteristics(real_file(file));
}

static int
fault_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
  if (extend && fault_strikes()) {
    *out = NULL;
    return fault_code(SQLITE_IOERR_SHMMAP);
  }
  return real_file(file)->pMethods->xShmMap(real_file(file), page, size, extend, out);
}

static int
fault_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
  return real_file(file)->pMethods->xShmLock(real_file(file), offset, n, flags);
}

static void
fault_shm_barrier(sqlite3_file *file)
{
  real_file(file)->pMethods->xShmBarrier(real_file(file));
}

static int
fault_shm_unmap(sqlite3_file *file, int delete)
{
  return real_file(file)->pMethods->xShmUnmap(real_file(file), delete);
}

#define FAULT_METHODS                                                                              \
  fault_close, fault_read, fault_write, fault_truncate, fault_sync, fault_file_size, fault_lock,   \
      fault_unlock, fault_check_reserved, fault_control, fault_sector_size, fault_characteristics

static const sqlite3_io_methods fault_methods = {
    2, FAULT_METHODS, fault_shm_map, fault_shm_lock, fault_shm_barrier, fault_shm_unmap};
static const sqlite3_io_methods fault_methods_no_shm = {1, FAULT_METHODS};

static int
fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
  FaultFile *own = (FaultFile *)file;
  int rc;

  memset(own, 0, sizeof *own);
  if ((flags & SQLITE_OPEN_CREATE) && fault_strikes()) {
    return fault_code(SQLITE_CANTOPEN);
  }
  rc = fault.real->xOpen(fault.real, name, own->real, flags, out);
  if (rc == SQLITE_OK) {
    own->base.pMethods = fault.no_shared_memory ? &fault_methods_no_shm : &fault_methods;
    own->watched = (flags & (fault.no_shared_memory ? SQLITE_OPEN_MAIN_DB : SQLITE_OPEN_WAL)) != 0;
  }
  return rc;
}

static int
fault_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
  if (fault_strikes()) {
    return fault_code(SQLITE_IOERR_DELETE);
  }
  return fault.real->xDelete(fault.real, name, sync);
}

/* Once, before the first log is opened. */
static inline void
fault_install(void)
{
  static sqlite3_vfs vfs;

  fault.real = sqlite3_vfs_find(NULL);
  vfs = *fault.real;
  vfs.zName = "fault";
  vfs.pNext = NULL;
  vfs.szOsFile = (int)sizeof(FaultFile) + fault.real->szOsFile;
  vfs.xOpen = fault_open;
  vfs.xDelete = fault_delete;
  g_assert_cmpint(sqlite3_vfs_register(&vfs, 1), ==, SQLITE_OK);
}

static inline void
fault_arm(guint at, FaultKind kind, gboolean sticky)
{
  fault.at = at;
  fault.kind = kind;
  fault.sticky = sticky;
  fault.calls = fault.hits = 0;
  fault.unsynced = FALSE;
}

#endif
