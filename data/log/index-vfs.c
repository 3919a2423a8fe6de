/* index-vfs.c - the SQLite VFS between SQLite and a sealed file, one for each connection, which
 * seals and opens pages.
 *
 * 1. All pages have PAGE bytes, the last of which SQLite leaves alone: nonce and tag. Page 1 is
 *    sealed as a whole, too, so nothing of the file looks like SQLite's.
 * 2. There are no holes: a write behind the end seals the pages between, so a page of zeros is a
 *    page that was changed.
 * 3. No other file is opened, made or looked for: no journal, nothing temporary.
 */
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "index-private.h"

#define PAGE 4096
#define TEXT (PAGE - STORE_SEALED_RESERVED)

typedef struct {
  sqlite3_file base;
  StoreSealed *sealed;
  gboolean shared;     /* holds the shared lock at least */
  guint8 *scratch;     /* one page */
  sqlite3_file real[]; /* as large as the VFS below says */
} SealedFile;

static inline sqlite3_file *
real_of(sqlite3_file *file)
{
  return ((SealedFile *)file)->real;
}

/* ---- pages ----------------------------------------------------------------------------------- */

static void
bind_to(gint64 page, guint8 bound[24])
{
  guint64 number = GUINT64_TO_BE((guint64)page);

  memcpy(bound, "hilum sealed pg1", 16);
  memcpy(bound + 16, &number, sizeof number);
}

/* TO may be FROM. */
static void
seal(const StoreSealed *sealed, gint64 page, const guint8 *from, guint8 to[PAGE])
{
  guint8 bound[24];

  bind_to(page, bound);
  randombytes_buf(to + TEXT, STORE_SEALED_NONCE);
  crypto_aead_xchacha20poly1305_ietf_encrypt_detached(to, to + TEXT + STORE_SEALED_NONCE, NULL,
                                                      from, TEXT, bound, sizeof bound, NULL,
                                                      to + TEXT, sealed->key);
}

static gboolean
unseal(const StoreSealed *sealed, gint64 page, const guint8 from[PAGE], guint8 to[PAGE])
{
  guint8 bound[24];

  bind_to(page, bound);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
          to, NULL, from, TEXT, from + TEXT + STORE_SEALED_NONCE, bound, sizeof bound, from + TEXT,
          sealed->key) != 0) {
    return FALSE;
  }
  memset(to + TEXT, 0, STORE_SEALED_RESERVED);
  return TRUE;
}

/* SQLite reads whole pages, and of page 1 pieces. */
static int
sealed_read(sqlite3_file *file, void *bytes, int n, sqlite3_int64 offset)
{
  SealedFile *own = (SealedFile *)file;
  const gint64 page = offset / PAGE;
  const gint64 at = offset % PAGE;
  gboolean whole = at == 0 && n == PAGE;
  guint8 *to = whole ? bytes : own->scratch;
  sqlite3_int64 size = 0;
  int rc;

  if (n < 0 || at + n > PAGE) {
    return SQLITE_IOERR_READ;
  }
  rc = real_of(file)->pMethods->xFileSize(real_of(file), &size);
  if (rc == SQLITE_OK && page * PAGE >= size) {
    memset(bytes, 0, (gsize)n);
    return SQLITE_IOERR_SHORT_READ;
  }
  if (rc == SQLITE_OK) {
    rc = real_of(file)->pMethods->xRead(real_of(file), own->scratch, PAGE, page * PAGE);
  }
  if (rc == SQLITE_IOERR_SHORT_READ || /* a page that was cut */
      (rc == SQLITE_OK && !unseal(own->sealed, page + 1, own->scratch, to))) {
    return SQLITE_IOERR_AUTH;
  }
  if (rc == SQLITE_OK && !whole) {
    memcpy(bytes, to + at, (gsize)n);
  }
  return rc;
}

static int
write_page(SealedFile *own, gint64 page, const void *bytes)
{
  seal(own->sealed, page + 1, bytes, own->scratch);
  return own->real->pMethods->xWrite(own->real, own->scratch, PAGE, page * PAGE);
}

static int
sealed_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 offset)
{
  static const guint8 zeros[PAGE];
  SealedFile *own = (SealedFile *)file;
  const gint64 page = offset / PAGE;
  sqlite3_int64 size = 0;
  int rc;

  if (n != PAGE || offset % PAGE || !own->sealed->writing) {
    return SQLITE_IOERR_WRITE;
  }
  rc = own->real->pMethods->xFileSize(own->real, &size);
  for (gint64 i = size / PAGE; i < page && rc == SQLITE_OK; i++) {
    rc = write_page(own, i, zeros);
  }
  return rc == SQLITE_OK ? write_page(own, page, bytes) : rc;
}

/* ---- the mark -------------------------------------------------------------------------------- */

char
store_sealed_mark(int busy)
{
  char mark = STORE_SEALED_IDLE;

  return busy >= 0 && pread(busy, &mark, 1, 0) == 1 ? mark : STORE_SEALED_IDLE;
}

/* Whether a writer died, or the file was made anew under this connection. */
static gboolean
is_lost(const StoreSealed *sealed)
{
  struct stat st;
  gboolean lost = FALSE;

  if (sealed->writing || sealed->busy < 0) {
    return FALSE;
  }
  if (fstat(sealed->busy, &st) == 0 && st.st_nlink == 0) {
    return TRUE;
  }
  if (store_sealed_mark(sealed->busy) == STORE_SEALED_WRITING &&
      flock(sealed->busy, LOCK_SH | LOCK_NB) == 0) {
    lost = store_sealed_mark(sealed->busy) == STORE_SEALED_WRITING;
    flock(sealed->busy, LOCK_UN);
  }
  return lost;
}

/* ---- the file as SQLite sees it -------------------------------------------------------------- */

static int
sealed_close(sqlite3_file *file)
{
  SealedFile *own = (SealedFile *)file;

  sodium_memzero(own->scratch, PAGE);
  g_clear_pointer(&own->scratch, g_free);
  return own->real->pMethods->xClose(own->real);
}

static int
sealed_truncate(sqlite3_file *file, sqlite3_int64 size)
{
  return ((SealedFile *)file)->sealed->writing
             ? real_of(file)->pMethods->xTruncate(real_of(file), size)
             : SQLITE_IOERR_TRUNCATE;
}

static int
sealed_sync(sqlite3_file *file, int flags)
{
  return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int
sealed_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
  return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int
sealed_lock(sqlite3_file *file, int level)
{
  SealedFile *own = (SealedFile *)file;
  int rc = own->real->pMethods->xLock(own->real, level);

  if (rc == SQLITE_OK && !own->shared && is_lost(own->sealed)) {
    own->real->pMethods->xUnlock(own->real, SQLITE_LOCK_NONE);
    return SQLITE_IOERR_AUTH;
  }
  own->shared = own->shared || rc == SQLITE_OK;
  return rc;
}

static int
sealed_unlock(sqlite3_file *file, int level)
{
  ((SealedFile *)file)->shared = level != SQLITE_LOCK_NONE;
  return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int
sealed_check_reserved(sqlite3_file *file, int *out)
{
  return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

/* What would make the file larger without its pages, or map it, is not passed on. */
static int
sealed_control(sqlite3_file *file, int op, void *argument)
{
  switch (op) {
  case SQLITE_FCNTL_SIZE_HINT:
  case SQLITE_FCNTL_CHUNK_SIZE:
  case SQLITE_FCNTL_MMAP_SIZE:
  case SQLITE_FCNTL_BEGIN_ATOMIC_WRITE:
    return SQLITE_NOTFOUND;
  default:
    return real_of(file)->pMethods->xFileControl(real_of(file), op, argument);
  }
}

static int
sealed_sector_size(sqlite3_file *file)
{
  return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int
sealed_characteristics(sqlite3_file *file)
{
  return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file)) &
         SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* Version 1: no shared memory, so no -wal, and no mapping. */
static const sqlite3_io_methods sealed_methods = {
    1,
    sealed_close,
    sealed_read,
    sealed_write,
    sealed_truncate,
    sealed_sync,
    sealed_file_size,
    sealed_lock,
    sealed_unlock,
    sealed_check_reserved,
    sealed_control,
    sealed_sector_size,
    sealed_characteristics,
};

static int
sealed_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
  StoreSealed *sealed = (StoreSealed *)vfs;
  SealedFile *own = (SealedFile *)file;
  int rc;

  own->base.pMethods = NULL;
  if (!(flags & SQLITE_OPEN_MAIN_DB)) {
    return SQLITE_CANTOPEN; /* no journal and nothing temporary on the disk */
  }
  memset(own->real, 0, (gsize)sealed->real->szOsFile);
  rc = sealed->real->xOpen(sealed->real, name, own->real, flags, out);
  if (rc != SQLITE_OK) {
    return rc;
  }
  own->sealed = sealed;
  own->shared = FALSE;
  own->scratch = g_malloc0(PAGE);
  own->base.pMethods = &sealed_methods;
  return SQLITE_OK;
}

static int
sealed_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
  return SQLITE_OK;
}

/* There is no journal, and one that lies there is not ours. */
static int
sealed_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
  *out = 0;
  return SQLITE_OK;
}

static int
sealed_full_pathname(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
  sqlite3_vfs *real = ((StoreSealed *)vfs)->real;

  return real->xFullPathname(real, name, n, out);
}

static int
sealed_randomness(sqlite3_vfs *vfs, int n, char *out)
{
  sqlite3_vfs *real = ((StoreSealed *)vfs)->real;

  return real->xRandomness(real, n, out);
}

static int
sealed_sleep(sqlite3_vfs *vfs, int microseconds)
{
  sqlite3_vfs *real = ((StoreSealed *)vfs)->real;

  return real->xSleep(real, microseconds);
}

static int
sealed_current_time(sqlite3_vfs *vfs, double *time)
{
  sqlite3_vfs *real = ((StoreSealed *)vfs)->real;

  return real->xCurrentTime(real, time);
}

static int
sealed_last_error(sqlite3_vfs *vfs, int n, char *out)
{
  sqlite3_vfs *real = ((StoreSealed *)vfs)->real;

  return real->xGetLastError ? real->xGetLastError(real, n, out) : 0;
}

/* ---- life ------------------------------------------------------------------------------------ */

void
store_sealed_free(StoreSealed *sealed)
{
  if (!sealed) {
    return;
  }
  if (sealed->busy >= 0) {
    close(sealed->busy);
  }
  sodium_free(sealed->key);
  g_free(sealed->vfs_name);
  g_free(sealed->name);
  g_free(sealed);
}

StoreSealed *
store_sealed_new(const char *path, const guint8 key[32], gboolean read_only)
{
  guint8 *kept = sodium_init() < 0 ? NULL : sodium_malloc(32);
  StoreSealed *sealed = kept ? g_new0(StoreSealed, 1) : NULL;

  if (!sealed) {
    return NULL;
  }
  sealed->key = kept;
  memcpy(sealed->key, key, 32);
  sealed->busy = -1;
  sealed->read_only = read_only;
  sealed->name = g_filename_display_name(path);
  sealed->vfs_name = g_strdup_printf("hilum-sealed-%p", (void *)sealed);
  sealed->real = sqlite3_vfs_find(NULL);
  sealed->base = (sqlite3_vfs){
      .iVersion = 1,
      .szOsFile = (int)sizeof(SealedFile) + sealed->real->szOsFile,
      .mxPathname = sealed->real->mxPathname,
      .zName = sealed->vfs_name,
      .xOpen = sealed_open,
      .xDelete = sealed_delete,
      .xAccess = sealed_access,
      .xFullPathname = sealed_full_pathname,
      .xRandomness = sealed_randomness,
      .xSleep = sealed_sleep,
      .xCurrentTime = sealed_current_time,
      .xGetLastError = sealed_last_error,
  };
  return sealed;
}

StoreSealed *
store_sealed_of(sqlite3 *db)
{
  sqlite3_vfs *vfs = NULL;

  sqlite3_file_control(db, "main", SQLITE_FCNTL_VFS_POINTER, &vfs);
  g_assert(vfs && vfs->xOpen == sealed_open);
  return (StoreSealed *)vfs;
}
