/* inflate.c - the deflated transfer syntax (PS3.5 A.5). */
#include "inflate.h"

#include "dicom.h"
#include "dicom/limits.h"

#include <zlib.h>

/* Grows OUT by what one input chunk inflates to. */
static int
inflate_chunk(z_stream *stream, GByteArray *out, GError **error, const char *name)
{
  guint8 buffer[65536];
  int rc;

  do {
    stream->next_out = buffer;
    stream->avail_out = sizeof buffer;
    rc = inflate(stream, Z_NO_FLUSH);
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) {
      g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT,
                  "%s: the deflated data set is damaged after %u bytes", name, out->len);
      return Z_DATA_ERROR;
    }
    gsize got = sizeof buffer - stream->avail_out;
    if (out->len + got > DICOM_MAX_INFLATED) {
      g_set_error(error, DICOM_ERROR, DICOM_ERROR_TOO_LARGE,
                  "%s: the deflated data set is larger than %d MiB", name,
                  (int)(DICOM_MAX_INFLATED >> 20));
      return Z_MEM_ERROR;
    }
    g_byte_array_append(out, buffer, (guint)got);
  } while (rc == Z_OK && stream->avail_out == 0);
  return rc == Z_BUF_ERROR ? Z_OK : rc;
}

DicomSource *
dicom_inflate(DicomSource *source, const char *name, guint64 offset, GError **error)
{
  g_autoptr(GByteArray) out = g_byte_array_new();
  z_stream stream = {0};
  int rc = Z_OK;

  /* PS3.5 A.5: a raw deflate stream, no zlib header. */
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO, "%s: zlib cannot start", name);
    return NULL;
  }
  while (rc == Z_OK && offset < source->size) {
    guint8 chunk[16384];
    gsize n = MIN(sizeof chunk, source->size - offset);

    if (!dicom_source_read(source, offset, chunk, n)) {
      g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO, "%s: cannot be read", name);
      rc = Z_ERRNO;
      break;
    }
    stream.next_in = chunk;
    stream.avail_in = (uInt)n;
    offset += n;
    rc = inflate_chunk(&stream, out, error, name);
  }
  inflateEnd(&stream);
  if (rc == Z_OK) {
    g_set_error(error, DICOM_ERROR, DICOM_ERROR_CORRUPT,
                "%s: the deflated data set ends early, after %u bytes", name, out->len);
  }
  if (rc != Z_STREAM_END) {
    return NULL;
  }
  gsize size = out->len;
  return dicom_source_memory(g_byte_array_free(g_steal_pointer(&out), FALSE), size);
}
