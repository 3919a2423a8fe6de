/* rle.c - RLE compression of PS3.5 annex G.
 *
 * Our own, because DCMTK's decoder fills what a short segment leaves out with black and says
 * nothing, and does not join a frame that lies in several fragments. */
#include "rle.h"

#define MAX_SEGMENTS 15

static guint32
word(const guint8 *p)
{
  return p[0] | (guint32)p[1] << 8 | (guint32)p[2] << 16 | (guint32)p[3] << 24;
}

/* One segment (G.3.1) to every STRIDE-th byte of OUT; FALSE when it gives fewer than N bytes. */
static gboolean
decode_segment(const guint8 *in, gsize size, guint8 *out, gsize n, gsize stride)
{
  gsize at = 0, done = 0;

  while (done < n && at < size) {
    guint code = in[at++];

    if (code < 128) {
      gsize count = MIN((gsize)code + 1, n - done);

      if (count > size - at) {
        return FALSE;
      }
      for (gsize i = 0; i < count; i++) {
        out[(done + i) * stride] = in[at + i];
      }
      at += (gsize)code + 1;
      done += count;
    } else if (code > 128) {
      gsize count = MIN(257 - (gsize)code, n - done);

      if (at >= size) {
        return FALSE;
      }
      for (gsize i = 0; i < count; i++) {
        out[(done + i) * stride] = in[at];
      }
      at++;
      done += count;
    }
  }
  return done == n;
}

const char *
dicom_rle_decode(const guint8 *data, gsize size, guint8 *out, gsize n_pixels, guint samples,
                 guint bytes)
{
  guint32 offsets[MAX_SEGMENTS + 1];

  if (size < 64) {
    return "the RLE header is shorter than 64 bytes";
  }
  if (samples * bytes > MAX_SEGMENTS || word(data) != samples * bytes) {
    return "the number of RLE segments is not SamplesPerPixel times bytes per sample";
  }
  for (guint i = 0; i < samples * bytes; i++) {
    offsets[i] = word(data + 4 + 4 * i);
    if (offsets[i] < 64 || offsets[i] > size || (i > 0 && offsets[i] < offsets[i - 1])) {
      return "an RLE segment begins outside the frame";
    }
  }
  offsets[samples * bytes] = (guint32)MIN(size, G_MAXUINT32);
  for (guint i = 0; i < samples * bytes; i++) {
    /* Segments go sample by sample, the most significant byte first. */
    guint8 *first = out + i / bytes * bytes + (bytes - 1 - i % bytes);

    if (!decode_segment(data + offsets[i], offsets[i + 1] - offsets[i], first, n_pixels,
                        (gsize)samples * bytes)) {
      return "an RLE segment ends before its pixels do";
    }
  }
  return NULL;
}
