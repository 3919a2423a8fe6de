/* jpegls-bits.h - the bits of a JPEG-LS scan (T.87 A.1). Private to jpegls-scan.c; in a header of
 * its own because these functions must be inlined.
 *
 * Behind a byte 0xFF a zero bit is stuffed in, so that no marker occurs in the data. The bits of a
 * whole interval are laid side by side without them first, at less than a cycle a byte; then the
 * next bits are one load and one shift away, wherever they begin, and nothing has to be refilled.
 */
#ifndef HILUM_DICOM_JPEGLS_BITS_H
#define HILUM_DICOM_JPEGLS_BITS_H

#include <glib.h>
#include <string.h>

/* Zero bytes behind the bits. Every code but the longest, whose reader looks for the end, has a bit
 * that is set, so that no more than two codes are read there. */
#define LS_PADDING 64

static inline guint64
ls_load(const guint8 *from)
{
  guint64 word;

  memcpy(&word, from, 8);
  return GUINT64_FROM_BE(word);
}

static inline void
ls_store(guint8 *to, guint64 word)
{
  word = GUINT64_TO_BE(word);
  memcpy(to, &word, 8);
}

/* At least 57 bits from bit AT on, from the highest of the word down. */
static inline guint64
ls_peek(const guint8 *bits, gsize at)
{
  return ls_load(bits + (at >> 3)) << (at & 7);
}

/* The bits of [AT, END) up to the first marker, into OUT, which has room for END - AT + LS_PADDING
 * bytes. Sets their number and gives the marker's address, or END. 16 bytes behind END can be
 * read. */
static inline const guint8 *
ls_unstuff(const guint8 *at, const guint8 *end, guint8 *out, gsize *n_bits)
{
  const guint8 *const first = out;
  guint64 held = 0; /* COUNT bits, below 8 between words, from the highest down */
  guint count = 0;

  while (at < end) {
    const guint64 word = ls_load(at), inverse = ~word;
    const guint64 has_ff = (inverse - G_GUINT64_CONSTANT(0x0101010101010101)) & word &
                           G_GUINT64_CONSTANT(0x8080808080808080);

    if (G_LIKELY(has_ff == 0 && end - at >= 8)) {
      ls_store(out, held | word >> count);
      held = word << 1 << (63 - count);
      held = count > 0 ? held : 0;
      out += 8;
      at += 8;
      continue;
    }
    guint64 bits = *at++;
    guint n = 8;
    if (bits == 0xff) {
      if (at == end || *at >= 0x80) {
        at--; /* a marker, whole or half */
        break;
      }
      bits = bits << 7 | *at++;
      n = 15;
    }
    held |= bits << (64 - n - count);
    for (count += n; count >= 8; count -= 8) {
      *out++ = (guint8)(held >> 56);
      held <<= 8;
    }
  }
  *n_bits = (gsize)(out - first) * 8 + count;
  ls_store(out, held);
  memset(out + 8, 0, LS_PADDING - 8);
  return at;
}

#endif
