/* deid-write.c - a Part 10 file, written aside element by element. */
#include "deid.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* This program as a writer of files (PS3.10 7.1). */
#define IMPLEMENTATION_UID "2.25.261235444999018948144348839455885061829"
#define IMPLEMENTATION_VERSION "HILUM_DEID"

enum { BUFFER = 65536 };

struct _DicomDeidOut {
  int fd;
  char *aside;       /* NULL: the file has no name yet, and goes with the program */
  const char *doing; /* NULL while all went well, else what failed */
  int saved;         /* and its errno */
  gboolean explicit_vr, big_endian, deflated;
  z_stream stream;
  guint64 written; /* since deflate began */
  gsize used;
  guint8 buffer[BUFFER];
};

static gboolean
fail_errno(const char *path, const char *what, int saved, GError **error)
{
  g_autofree char *name = g_filename_display_name(path);

  g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO, "%s: %s: %s", name, what, g_strerror(saved));
  return FALSE;
}

DicomDeidOut *
dicom_deid_out_new(const char *folder, GError **error)
{
  g_autoptr(DicomDeidOut) out = g_new0(DicomDeidOut, 1);

  out->fd = -1;
  if (g_mkdir_with_parents(folder, 0777) != 0) {
    fail_errno(folder, "the folder cannot be made", errno, error);
    return NULL;
  }
  /* Not every file system has files without names. */
  out->fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
  if (out->fd < 0) {
    out->aside = g_build_filename(folder, ".hilum-XXXXXX", NULL);
    out->fd = g_mkstemp_full(out->aside, O_RDWR | O_CLOEXEC, 0644);
  }
  if (out->fd < 0) {
    fail_errno(folder, "no file can be made in it", errno, error);
    return NULL;
  }
  return g_steal_pointer(&out);
}

void
dicom_deid_out_free(DicomDeidOut *out)
{
  if (out->fd >= 0) {
    close(out->fd);
    if (out->aside) {
      g_unlink(out->aside);
    }
  }
  if (out->deflated) {
    deflateEnd(&out->stream);
  }
  g_free(out->aside);
  g_free(out);
}

static void
remember(DicomDeidOut *out, const char *doing, int saved)
{
  if (!out->doing) {
    out->doing = doing;
    out->saved = saved;
  }
}

static void
write_all(DicomDeidOut *out, const guint8 *bytes, gsize n)
{
  while (n > 0 && !out->doing) {
    ssize_t done = write(out->fd, bytes, n);

    if (done < 0 && errno == EINTR) {
      continue;
    }
    if (done <= 0) {
      remember(out, "cannot be written", done < 0 ? errno : EIO);
      return;
    }
    bytes += done;
    n -= (gsize)done;
  }
}

static void
deflate_all(DicomDeidOut *out, const guint8 *bytes, gsize n, int flush)
{
  guint8 packed[16384];
  int status = Z_OK;

  out->stream.next_in = (Bytef *)bytes;
  out->stream.avail_in = (uInt)n;
  do {
    out->stream.next_out = packed;
    out->stream.avail_out = sizeof packed;
    status = deflate(&out->stream, flush);
    gsize got = sizeof packed - out->stream.avail_out;
    write_all(out, packed, got);
    out->written += got;
  } while (status == Z_OK && out->stream.avail_out == 0);
  if (status == Z_STREAM_ERROR) {
    remember(out, "cannot be deflated", EINVAL);
  }
}

static void
flush_buffer(DicomDeidOut *out)
{
  if (out->deflated) {
    deflate_all(out, out->buffer, out->used, Z_NO_FLUSH);
  } else {
    write_all(out, out->buffer, out->used);
  }
  out->used = 0;
}

gboolean
dicom_deid_out_bytes(DicomDeidOut *out, const void *bytes, gsize n)
{
  const guint8 *from = bytes;

  while (n > 0 && !out->doing) {
    gsize part = MIN(n, BUFFER - out->used);

    memcpy(out->buffer + out->used, from, part);
    out->used += part;
    from += part;
    n -= part;
    if (out->used == BUFFER) {
      flush_buffer(out);
    }
  }
  return out->doing == NULL;
}

gboolean
dicom_deid_out_big_endian(const DicomDeidOut *out)
{
  return out->big_endian;
}

static void
put16(DicomDeidOut *out, guint value)
{
  guint8 p[2] = {(guint8)value, (guint8)(value >> 8)};

  if (out->big_endian) {
    p[0] = (guint8)(value >> 8);
    p[1] = (guint8)value;
  }
  dicom_deid_out_bytes(out, p, sizeof p);
}

static void
put32(DicomDeidOut *out, guint32 value)
{
  put16(out, out->big_endian ? value >> 16 : value & 0xffff);
  put16(out, out->big_endian ? value & 0xffff : value >> 16);
}

gboolean
dicom_deid_out_header(DicomDeidOut *out, guint32 tag, const char *vr, guint32 length)
{
  static const char long_ones[] = "OB OD OF OL OV OW SQ SV UC UN UR UT UV";

  put16(out, tag >> 16);
  put16(out, tag & 0xffff);
  if (!vr || !out->explicit_vr) {
    put32(out, length);
    return out->doing == NULL;
  }
  gboolean is_long = strstr(long_ones, vr) != NULL;
  if (!is_long && length > 0xfffe) {
    vr = "UN"; /* PS3.5 6.2.2, note 4 */
    is_long = TRUE;
  }
  dicom_deid_out_bytes(out, vr, 2);
  put16(out, is_long ? 0 : length);
  if (is_long) {
    put32(out, length);
  }
  return out->doing == NULL;
}

gboolean
dicom_deid_out_text(DicomDeidOut *out, guint32 tag, const char *vr, const char *text)
{
  gsize n = strlen(text);

  dicom_deid_out_header(out, tag, vr, (guint32)(n + n % 2));
  dicom_deid_out_bytes(out, text, n);
  if (n % 2) {
    dicom_deid_out_bytes(out, strcmp(vr, "UI") == 0 ? "" : " ", 1);
  }
  return out->doing == NULL;
}

gboolean
dicom_deid_out_us(DicomDeidOut *out, guint32 tag, guint value)
{
  dicom_deid_out_header(out, tag, "US", 2);
  put16(out, value);
  return out->doing == NULL;
}

void
dicom_deid_out_begin(DicomDeidOut *out, const char *sop_class, const char *sop_instance,
                     const char *syntax_uid, const DicomSyntax *syntax)
{
  static const guint8 preamble[132] = {[128] = 'D', 'I', 'C', 'M'};
  const struct {
    guint32 tag;
    const char *vr, *text;
  } texts[] = {{0x00020002, "UI", sop_class},
               {0x00020003, "UI", sop_instance},
               {0x00020010, "UI", syntax_uid},
               {0x00020012, "UI", IMPLEMENTATION_UID},
               {0x00020013, "SH", IMPLEMENTATION_VERSION}};
  gsize length = 14;

  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    gsize n = strlen(texts[i].text);
    length += 8 + n + n % 2;
  }
  out->explicit_vr = TRUE;
  dicom_deid_out_bytes(out, preamble, sizeof preamble);
  dicom_deid_out_header(out, 0x00020000, "UL", 4);
  put32(out, (guint32)length);
  dicom_deid_out_header(out, 0x00020001, "OB", 2);
  dicom_deid_out_bytes(out, "\0\1", 2);
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    dicom_deid_out_text(out, texts[i].tag, texts[i].vr, texts[i].text);
  }
  flush_buffer(out);
  out->explicit_vr = syntax->explicit_vr;
  out->big_endian = syntax->big_endian;
  if (syntax->deflated) {
    /* A raw stream, without zlib's header (PS3.5 A.5). */
    if (deflateInit2(&out->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8,
                     Z_DEFAULT_STRATEGY) == Z_OK) {
      out->deflated = TRUE;
    } else {
      remember(out, "cannot be deflated", ENOMEM);
    }
  }
}

int
dicom_deid_out_errno(const DicomDeidOut *out)
{
  return out->doing ? out->saved : 0;
}

/* Never over another file: linking fails where the name is taken. File systems without links get a
 * look and a rename. */
static gboolean
take_name(const DicomDeidOut *out, const char *path, GError **error)
{
  char self[64];

  g_snprintf(self, sizeof self, "/proc/self/fd/%d", out->fd);
  if (linkat(AT_FDCWD, out->aside ? out->aside : self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0) {
    if (out->aside) {
      g_unlink(out->aside);
    }
    return TRUE;
  }
  int saved = errno;
  if (saved == EEXIST || g_file_test(path, G_FILE_TEST_EXISTS)) {
    g_autofree char *name = g_filename_display_name(path);

    g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO,
                "%s: there is such a file already, and it stays", name);
    return FALSE;
  }
  if (out->aside && g_rename(out->aside, path) == 0) {
    return TRUE;
  }
  return fail_errno(path, "cannot be written", out->aside ? errno : saved, error);
}

gboolean
dicom_deid_out_finish(DicomDeidOut *out, const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname(path);

  flush_buffer(out);
  if (out->deflated) {
    deflate_all(out, NULL, 0, Z_FINISH);
    if (out->written % 2) {
      write_all(out, (const guint8 *)"", 1);
    }
  }
  if (!out->doing && fsync(out->fd) != 0) {
    remember(out, "cannot be written", errno);
  }
  if (out->doing) {
    return fail_errno(path, out->doing, out->saved, error);
  }
  if (g_mkdir_with_parents(folder, 0777) != 0) {
    return fail_errno(folder, "the folder cannot be made", errno, error);
  }
  if (!take_name(out, path, error)) {
    return FALSE;
  }
  close(out->fd);
  out->fd = -1;
  return TRUE;
}
