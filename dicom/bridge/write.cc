// write.cc - a Part 10 file from attributes and pixels.
#include "write.h"

#include "internal.h"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

#include <glib/gstdio.h>

namespace
{

gboolean
fail(GError **error, const char *path, const char *what, const char *why)
{
  return bridge_fail(error, DICOM_ERROR_IO, path, "cannot write %s: %s", what, why);
}

gboolean
sync_file(const char *path, GError **error)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  bool done = fd >= 0 && fsync(fd) == 0;
  int code = errno;
  if (fd >= 0) {
    close(fd);
  }
  return done ? TRUE : fail(error, path, "the file", g_strerror(code));
}

gboolean
fill(DcmDataset *dataset, const char *path, const DicomBridgeValue *values, guint n,
     const guint16 *pixels, gsize n_pixels, GError **error)
{
  for (guint i = 0; i < n; i++) {
    DcmTag tag(static_cast<Uint16>(values[i].tag >> 16),
               static_cast<Uint16>(values[i].tag & 0xffff));
    OFCondition status = dataset->putAndInsertString(tag, values[i].value);
    if (status.bad()) {
      g_autofree char *what = g_strdup_printf("(%04X,%04X)", tag.getGroup(), tag.getElement());
      return fail(error, path, what, status.text());
    }
  }
  OFCondition status = dataset->putAndInsertUint16Array(DCM_PixelData, pixels, n_pixels);
  return status.good() ? TRUE : fail(error, path, "PixelData", status.text());
}

gboolean
write_file(const char *path, const DicomBridgeValue *values, guint n, const guint16 *pixels,
           gsize n_pixels, gboolean sync, GError **error)
{
  DcmFileFormat file;
  if (!fill(file.getDataset(), path, values, n, pixels, n_pixels, error)) {
    return FALSE;
  }
  g_autofree char *aside = sync ? g_strconcat(path, ".part", nullptr) : g_strdup(path);
  OFCondition status = file.saveFile(aside, EXS_LittleEndianExplicit, EET_UndefinedLength,
                                     EGL_recalcGL, EPD_noChange);
  gboolean done = status.good() ? TRUE : fail(error, path, "the file", status.text());
  if (done && sync) {
    done = sync_file(aside, error);
  }
  if (done && sync && g_rename(aside, path) != 0) {
    done = fail(error, path, "the file", g_strerror(errno));
  }
  if (!done) {
    g_unlink(aside);
  }
  return done;
}

} // namespace

gboolean
dicom_bridge_write(const char *path, const DicomBridgeValue *values, guint n, const guint16 *pixels,
                   gsize n_pixels, gboolean sync, GError **error)
{
  if (!bridge_start(error)) {
    return FALSE;
  }
  try {
    return write_file(path, values, n, pixels, n_pixels, sync, error);
  } catch (...) {
    bridge_caught(path, error);
    return FALSE;
  }
}
