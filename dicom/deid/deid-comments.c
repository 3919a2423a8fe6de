/* deid-comments.c - what a JPEG or JPEG 2000 code stream says beside the picture.
 *
 * Comments and application segments (T.81 B.2.4.5 and B.2.4.6, T.800 A.9.2) may hold names. They
 * are overwritten in place, so that no length and no offset table changes. */
#include "deid.h"

static guint
word(const guint8 *p)
{
  return (guint)p[0] << 8 | p[1];
}

static gboolean
begins(const guint8 *bytes, gsize n, const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++) {
    if (i >= n || bytes[i] != (guint8)text[i]) {
      return FALSE;
    }
  }
  return TRUE;
}

/* How much of a segment's head says how to decode: JFIF and SPIFF whole but for a thumbnail,
 * Adobe's colour transform, HP's mark of lossless files; the kind of a JPEG 2000 comment. -1: not a
 * comment.
 */
static gssize
kept_bytes(guint marker, const guint8 *payload, gsize n)
{
  if (marker == 0xfffe) {
    return 0;
  }
  if (marker == 0xff64) {
    return MIN(n, 2);
  }
  if (marker < 0xffe0 || marker > 0xffef) {
    return -1;
  }
  if (begins(payload, n, "JFIF\0", 5)) {
    return MIN(n, 14);
  }
  if (begins(payload, n, "SPIFF\0", 6)) {
    return MIN(n, 30);
  }
  if (begins(payload, n, "Adobe", 5)) {
    return MIN(n, 12);
  }
  if (begins(payload, n, "ICC_PROFILE\0", 12)) {
    return (gssize)n;
  }
  /* JPEG-LS keeps its colour transform in application segment 8 ("mrfx"). */
  return begins(payload, n, "mrfx", 4) ? MIN(n, 5) : 0;
}

/* Markers without a length: padding, TEM, RSTn, SOI, SOC, EPH. */
static gboolean
is_bare(guint marker)
{
  return marker == 0xffff || marker == 0xff01 || (marker >= 0xffd0 && marker <= 0xffd8) ||
         marker == 0xff4f || marker == 0xff92;
}

GArray *
dicom_deid_comments(const guint8 *bytes, gsize n)
{
  GArray *ranges = g_array_new(FALSE, FALSE, sizeof(DicomDeidRange));
  gsize at = 2;

  if (n < 4 || bytes[0] != 0xff || (bytes[1] != 0xd8 && bytes[1] != 0x4f)) {
    return ranges;
  }
  while (at + 4 <= n && bytes[at] == 0xff) {
    guint marker = word(bytes + at);

    if (is_bare(marker)) {
      at += marker == 0xffff ? 1 : 2;
      continue;
    }
    guint length = word(bytes + at + 2);
    /* SOS, SOT, SOD, EOC: the picture itself begins. */
    if (marker == 0xffda || marker == 0xff90 || marker == 0xff93 || marker == 0xffd9 ||
        length < 2) {
      break;
    }
    gsize payload = at + 4, size = MIN(length - 2, n - payload);
    gssize kept = kept_bytes(marker, bytes + payload, size);
    if (kept >= 0 && (gsize)kept < size) {
      DicomDeidRange range = {payload + (gsize)kept, size - (gsize)kept};
      g_array_append_val(ranges, range);
    }
    at += 2 + length;
  }
  return ranges;
}
