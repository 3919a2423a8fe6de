/* recover-pages.c - see recover-pages.h.
 *
 * 1. Every number on a page is held against the page, the file and limits.h before it is used.
 * 2. A page that the disk does not give is one without rows.
 */
#include "recover-pages.h"

#include "limits.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_PAGE 65536u
#define LEAST_PAGE 512u
#define USUAL_PAGE 4096u
#define LEAF 0x0du
#define WAL_HEADER 32u
#define FRAME_HEADER 24u
/* The bytes that SQLite locks, which no page ever is at. */
#define LOCK_FIRST 0x40000000
#define LOCK_BYTES 512

struct _StorePages {
  char *name;
  int fd, wal; /* wal: -1 when there is none */
  guint64 size, wal_size;
  guint sizes[4], reserved;
  guint page, usable;       /* bytes of a page, and of those what SQLite uses */
  guint64 n_main, n_frames; /* pages of the file, frames of the -wal */
  guint64 n_committed;      /* frames up to the last that ended a transaction */
  GHashTable *latest;       /* of the committed frames, by page: guint64 keys, frame + 1 */
  guint64 loaded;           /* index + 1 of what BUFFER holds, 0: nothing */
  guint8 *buffer, *other;
};

static guint
get16(const guint8 *bytes)
{
  return (guint)bytes[0] << 8 | bytes[1];
}

static guint32
get32(const guint8 *bytes)
{
  return (guint32)bytes[0] << 24 | (guint32)bytes[1] << 16 | (guint32)bytes[2] << 8 | bytes[3];
}

static gboolean
read_at(int fd, void *bytes, gsize n, guint64 at)
{
  gsize done = 0;

  while (done < n) {
    gssize part = pread(fd, (char *)bytes + done, n - done, (off_t)(at + done));
    if (part < 0 && errno == EINTR) {
      continue;
    }
    if (part <= 0) {
      return FALSE;
    }
    done += (gsize)part;
  }
  return TRUE;
}

/* ---- life ------------------------------------------------------------------------------------ */

static gboolean
is_page_size(guint size)
{
  return size >= LEAST_PAGE && size <= MOST_PAGE && (size & (size - 1)) == 0;
}

static void
add_size(StorePages *pages, guint size)
{
  guint i = 0;

  while (pages->sizes[i] && pages->sizes[i] != size) {
    i++;
  }
  if (is_page_size(size) && i < G_N_ELEMENTS(pages->sizes) - 1) {
    pages->sizes[i] = size;
  }
}

static void
look_at_headers(StorePages *pages)
{
  guint8 head[100];

  if (read_at(pages->fd, head, sizeof head, 0)) {
    const guint size = get16(head + 16);
    add_size(pages, size == 1 ? MOST_PAGE : size);
    if (memcmp(head, "SQLite format 3", 16) == 0 && head[20] <= 32) {
      pages->reserved = head[20];
    }
  }
  if (pages->wal >= 0 && read_at(pages->wal, head, WAL_HEADER, 0)) {
    add_size(pages, get32(head + 8));
  }
  add_size(pages, USUAL_PAGE);
}

/* A regular file's descriptor; -1 with *error set. */
static int
open_file(const char *path, int flags, guint64 *size, GError **error)
{
  int fd = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  struct stat st;

  if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
    store_fail_errno(error, path, "opening", fd < 0 ? errno : EINVAL);
    if (fd >= 0) {
      close(fd);
    }
    return -1;
  }
  *size = (guint64)st.st_size;
  return fd;
}

/* Who has the log open holds a lock of some of these bytes: POSIX locks, which those of an open
 * file description respect and are not dropped by. */
static gboolean
hold(StorePages *pages, GError **error)
{
  struct flock lock = {
      .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCK_FIRST, .l_len = LOCK_BYTES};

  if (fcntl(pages->fd, F_OFD_SETLK, &lock) == 0) {
    return TRUE;
  }
  return errno == EAGAIN || errno == EACCES
             ? store_fail(error, STORE_ERROR_BUSY, pages->name,
                          "another program is using the log: close it first")
             : store_fail(error, STORE_ERROR_IO, pages->name, "locking the log: %s",
                          g_strerror(errno));
}

StorePages *
store_pages_open(const char *path, GError **error)
{
  g_autoptr(StorePages) pages = g_new0(StorePages, 1);
  g_autofree char *wal = g_strconcat(path, "-wal", NULL);

  pages->name = g_filename_display_name(path);
  pages->wal = -1;
  pages->fd = open_file(path, O_RDWR, &pages->size, error);
  if (pages->fd < 0 || !hold(pages, error)) {
    return NULL;
  }
  if (g_file_test(wal, G_FILE_TEST_EXISTS)) {
    pages->wal = open_file(wal, O_RDONLY, &pages->wal_size, error);
    if (pages->wal < 0) {
      return NULL;
    }
  }
  pages->buffer = g_malloc(MOST_PAGE);
  pages->other = g_malloc(MOST_PAGE);
  look_at_headers(pages);
  store_pages_use(pages, pages->sizes[0]);
  return g_steal_pointer(&pages);
}

void
store_pages_close(StorePages *pages)
{
  if (!pages) {
    return;
  }
  if (pages->wal >= 0) {
    close(pages->wal);
  }
  if (pages->fd >= 0) {
    close(pages->fd);
  }
  g_clear_pointer(&pages->latest, g_hash_table_unref);
  g_free(pages->buffer);
  g_free(pages->other);
  g_free(pages->name);
  g_free(pages);
}

const guint *
store_pages_sizes(StorePages *pages)
{
  return pages->sizes;
}

/* ---- the -wal -------------------------------------------------------------------------------- */

/* Section 4.2 of the file format: the sums run over the header and all frames. */
static void
checksum(const guint8 *bytes, gsize n, gboolean big, guint32 sums[2])
{
  for (gsize i = 0; i + 8 <= n; i += 8) {
    guint32 x, y;
    memcpy(&x, bytes + i, 4);
    memcpy(&y, bytes + i + 4, 4);
    sums[0] += (big ? GUINT32_FROM_BE(x) : GUINT32_FROM_LE(x)) + sums[1];
    sums[1] += (big ? GUINT32_FROM_BE(y) : GUINT32_FROM_LE(y)) + sums[0];
  }
}

static guint64
frame_at(const StorePages *pages, guint64 frame)
{
  return WAL_HEADER + frame * (FRAME_HEADER + (guint64)pages->page);
}

static void
remember_frame(StorePages *pages, guint32 number, guint64 frame)
{
  gint64 *key = g_new(gint64, 1);

  *key = number;
  g_hash_table_replace(pages->latest, key, GSIZE_TO_POINTER((gsize)frame + 1));
}

/* Which frames SQLite would believe: those of the present salts, up to the last commit whose sums
 * are right. */
static void
read_wal(StorePages *pages)
{
  guint8 head[WAL_HEADER], frame[FRAME_HEADER];
  g_autoptr(GArray) open = g_array_new(FALSE, FALSE, sizeof(guint32));
  guint32 sums[2] = {0, 0};
  gboolean big;

  if (!read_at(pages->wal, head, sizeof head, 0) || (get32(head) & ~1u) != 0x377f0682u) {
    return;
  }
  big = get32(head) & 1;
  checksum(head, 24, big, sums);
  if (sums[0] != get32(head + 24) || sums[1] != get32(head + 28)) {
    return;
  }
  for (guint64 i = 0; i < pages->n_frames; i++) {
    guint32 number;
    if (!read_at(pages->wal, frame, sizeof frame, frame_at(pages, i)) ||
        !read_at(pages->wal, pages->other, pages->page, frame_at(pages, i) + FRAME_HEADER) ||
        memcmp(frame + 8, head + 16, 8) != 0) {
      return;
    }
    checksum(frame, 8, big, sums);
    checksum(pages->other, pages->page, big, sums);
    if (sums[0] != get32(frame + 16) || sums[1] != get32(frame + 20)) {
      return;
    }
    number = get32(frame);
    g_array_append_val(open, number);
    if (get32(frame + 4) != 0) { /* a commit */
      for (guint j = 0; j < open->len; j++) {
        remember_frame(pages, g_array_index(open, guint32, j), pages->n_committed + j);
      }
      pages->n_committed = i + 1;
      g_array_set_size(open, 0);
    }
  }
}

void
store_pages_use(StorePages *pages, guint size)
{
  pages->page = size;
  pages->usable = size - pages->reserved;
  pages->n_main = pages->size / size;
  pages->n_frames = pages->wal_size > WAL_HEADER
                        ? (pages->wal_size - WAL_HEADER) / (FRAME_HEADER + (guint64)size)
                        : 0;
  pages->n_committed = 0;
  pages->loaded = 0;
  g_clear_pointer(&pages->latest, g_hash_table_unref);
  pages->latest = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
  if (pages->n_frames > 0) {
    read_wal(pages);
  }
}

guint64
store_pages_count(StorePages *pages)
{
  return pages->n_main + pages->n_frames;
}

guint64
store_pages_bytes(StorePages *pages)
{
  return pages->size + pages->wal_size;
}

gboolean
store_pages_is_committed(StorePages *pages, guint64 index)
{
  return index < pages->n_main + pages->n_committed;
}

/* ---- pages ----------------------------------------------------------------------------------- */

static gboolean
read_page(StorePages *pages, guint64 index, guint8 *to)
{
  return index < pages->n_main ? read_at(pages->fd, to, pages->page, index * pages->page)
                               : index < store_pages_count(pages) &&
                                     read_at(pages->wal, to, pages->page,
                                             frame_at(pages, index - pages->n_main) + FRAME_HEADER);
}

/* Page NUMBER, counted from 1, as SQLite would see it. */
static gboolean
read_number(StorePages *pages, guint32 number, guint8 *to)
{
  const gint64 key = number;
  const gsize frame = GPOINTER_TO_SIZE(g_hash_table_lookup(pages->latest, &key));

  if (frame) {
    return read_page(pages, pages->n_main + frame - 1, to);
  }
  return number > 0 && number <= pages->n_main && read_page(pages, number - 1u, to);
}

/* Where the header of a page's tree begins: behind the file's own on the first. */
static guint
header_of(const StorePages *pages, guint64 index)
{
  return index == 0 || (index >= pages->n_main && memcmp(pages->buffer, "SQLite format 3", 16) == 0)
             ? 100
             : 0;
}

static gboolean
load(StorePages *pages, guint64 index)
{
  if (pages->loaded != index + 1) {
    pages->loaded = 0;
    if (!read_page(pages, index, pages->buffer)) {
      return FALSE;
    }
    pages->loaded = index + 1;
  }
  return TRUE;
}

guint
store_pages_rows(StorePages *pages, guint64 index)
{
  guint at, n;

  if (!load(pages, index)) {
    return 0;
  }
  at = header_of(pages, index);
  n = get16(pages->buffer + at + 3);
  return pages->buffer[at] == LEAF && at + 8 + 2 * n <= pages->usable ? n : 0;
}

/* A number of 1 to 9 bytes; how many, 0 beyond END. */
static guint
get_varint(const guint8 *at, const guint8 *end, guint64 *value)
{
  *value = 0;
  for (guint i = 0; i < 9 && at + i < end; i++) {
    if (i == 8) {
      *value = *value << 8 | at[i];
      return 9;
    }
    *value = *value << 7 | (at[i] & 0x7f);
    if (!(at[i] & 0x80)) {
      return i + 1;
    }
  }
  return 0;
}

/* The rest of a record, on pages of its own from NUMBER on. */
static gboolean
follow(StorePages *pages, guint32 number, gsize left, GByteArray *record)
{
  const gsize each = pages->usable - 4;

  while (left > 0) {
    const gsize n = MIN(left, each);
    if (!read_number(pages, number, pages->other)) {
      return FALSE;
    }
    g_byte_array_append(record, pages->other + 4, (guint)n);
    number = get32(pages->other);
    left -= n;
  }
  return TRUE;
}

gboolean
store_pages_row(StorePages *pages, guint64 index, guint i, gint64 *rowid, GByteArray *record)
{
  const guint rows = store_pages_rows(pages, index);
  const guint8 *end = pages->buffer + pages->usable, *at;
  guint64 length = 0, number = 0, most, local;
  guint used;

  g_byte_array_set_size(record, 0);
  if (i >= rows) {
    return FALSE;
  }
  used = get16(pages->buffer + header_of(pages, index) + 8 + 2 * i);
  at = pages->buffer + used;
  if (used >= pages->usable || !(used = get_varint(at, end, &length))) {
    return FALSE;
  }
  at += used;
  used = get_varint(at, end, &number);
  at += used;
  if (!used || length == 0 || length > STORE_MAX_ROW || length > pages->size + pages->wal_size) {
    return FALSE;
  }
  memcpy(rowid, &number, sizeof *rowid);
  most = pages->usable - 35;
  local = length;
  if (length > most) {
    const guint64 least = (pages->usable - 12) * 32 / 255 - 23;
    local = least + (length - least) % (pages->usable - 4);
    local = local <= most ? local : least;
  }
  if (local + (local < length ? 4 : 0) > (guint64)(end - at)) {
    return FALSE;
  }
  g_byte_array_append(record, at, (guint)local);
  return local == length || follow(pages, get32(at + local), (gsize)(length - local), record);
}

/* ---- records --------------------------------------------------------------------------------- */

/* The column of serial type TYPE (section 2.1), whose bytes begin at AT. */
static gboolean
read_column(guint64 type, const guint8 *at, const guint8 *end, StoreColumn *column)
{
  static const guint8 lengths[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};
  guint64 bits;

  *column = (StoreColumn){.type = SQLITE_NULL, .bytes = at};
  if (type == 10 || type == 11) {
    return FALSE;
  }
  column->n = type < 12 ? lengths[type] : (gsize)((type - 12) / 2);
  if (column->n > (gsize)(end - at)) {
    return FALSE;
  }
  if (type >= 12) {
    column->type = type & 1 ? SQLITE_TEXT : SQLITE_BLOB;
  } else if (type == 7) {
    column->type = SQLITE_FLOAT;
  } else if (type > 0) {
    column->type = SQLITE_INTEGER;
    bits = type == 9 ? 1 : column->n > 0 && at[0] & 0x80 ? G_MAXUINT64 : 0;
    for (gsize i = 0; i < column->n; i++) {
      bits = bits << 8 | at[i];
    }
    memcpy(&column->number, &bits, sizeof bits);
  }
  return TRUE;
}

guint
store_record_columns(const GByteArray *record, StoreColumn *columns, guint most)
{
  const guint8 *at = record->data, *end = record->data + record->len, *body, *types_end;
  guint64 header = 0, type = 0;
  guint n = 0, used = get_varint(at, end, &header);

  if (!used || header < used || header > record->len) {
    return 0;
  }
  body = types_end = at + header;
  for (at += used; at < types_end; at += used, n++) {
    StoreColumn column;
    used = get_varint(at, types_end, &type);
    if (!used || !read_column(type, body, end, &column)) {
      return 0;
    }
    if (n < most) {
      columns[n] = column;
    }
    body += column.n;
  }
  return n;
}
