/* jpeg-bits.c - Huffman tables of JPEG (T.81 annex C), and where the bits of a scan end. */
#include "jpeg-bits.h"

/* Bytes between the end of a scan's data and the next marker that some encoders leave there; more
 * of them mean that the decoder lost its way and did not see it. */
#define MAX_SURPLUS 2

/* The lookup entries of all bits that begin with a code. A difference of category 16 has no bits
 * behind its code, or has 16, and is rare: it is left to the slow way. */
static void
enter_code(JpegTable *table, guint code, guint length, guint symbol, gboolean is_ac)
{
  const guint category = is_ac ? symbol & 15 : symbol, run = is_ac ? symbol >> 4 : 0;

  if (length > JPEG_LOOKUP_BITS || category >= 16) {
    return;
  }
  const guint spare = JPEG_LOOKUP_BITS - length, first = code << spare;
  const JpegEntry entry = {(guint8)(length + category), (guint8)length, (guint8)category,
                           (guint8)run};

  for (guint i = 0; i < 1u << spare; i++) {
    table->lookup[first + i] = entry;
  }
}

/* Annex C: codes of each length count on from the one before. */
static gboolean
make_table(JpegTable *table, const guint8 counts[16], const guint8 *symbols, gboolean is_ac)
{
  guint code = 0, index = 0;

  memset(table, 0, sizeof *table);
  for (guint length = 1; length <= 16; length++) {
    const guint n = counts[length - 1];

    if (code + n > 1u << length) {
      return FALSE;
    }
    table->first[length] = (gint32)index - (gint32)code;
    for (guint i = 0; i < n; i++) {
      if (symbols[index] == 0 && table->zero_length == 0) {
        table->zero_code = code;
        table->zero_length = length;
      }
      table->largest = MAX(table->largest, symbols[index]);
      table->symbols[index] = symbols[index];
      enter_code(table, code++, length, symbols[index++], is_ac);
    }
    table->limit[length] = code << (16 - length);
    code <<= 1;
  }
  table->defined = TRUE;
  return TRUE;
}

gboolean
dicom_jpeg_read_tables(const DicomJpegSegment *segment, JpegTable *dc, JpegTable *ac)
{
  const guint8 *p = segment->data;
  gsize left = segment->n;

  while (left > 0) {
    guint total = 0;

    if (left < 17) {
      return FALSE;
    }
    for (guint i = 1; i <= 16; i++) {
      total += p[i];
    }
    if (total > 256 || left - 17 < total || (p[0] & 15) > 3 || p[0] >> 4 > 1) {
      return FALSE;
    }
    JpegTable *tables = p[0] >> 4 == 1 ? ac : dc;
    if (tables && !make_table(&tables[p[0] & 15], p + 1, p + 17, p[0] >> 4 == 1)) {
      return FALSE;
    }
    p += 17 + total;
    left -= 17 + total;
  }
  return TRUE;
}

/* Between the last code and the next marker there may be the rest of a byte, and little more.
 * Leaves the reader at the marker, empty. */
const char *
dicom_jpeg_end_interval(JpegBits *bits)
{
  gsize surplus = bits->count > bits->padding ? (bits->count - bits->padding) / 8 : 0;

  while (bits->at < bits->end && (bits->at[0] != 0xff || bits->at[1] == 0 || bits->at[1] == 0xff)) {
    surplus += bits->at[0] != 0xff || bits->at[1] == 0;
    bits->at++;
  }
  bits->bits = 0;
  bits->count = 0;
  bits->padding = 0;
  return surplus > MAX_SURPLUS ? "the code stream is damaged: a scan goes on behind its last row"
                               : NULL;
}

const char *
dicom_jpeg_restart(JpegBits *bits, guint number)
{
  const char *wrong = dicom_jpeg_end_interval(bits);

  if (!wrong && (bits->end - bits->at < 2 || bits->at[1] != MARKER_RST0 + number % 8)) {
    wrong = "the code stream is damaged: a restart marker is not where it belongs";
  }
  bits->at += wrong ? 0 : 2;
  return wrong;
}
