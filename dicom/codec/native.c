/* native.c - a frame without compression (PS3.5 clause 8.1 and 8.2). */
#include "native.h"

#include <string.h>

guint64
dicom_native_bits(const DicomNative *native)
{
  guint64 pixels = (guint64)native->columns * native->rows;

  if (native->subsampled) {
    return (pixels + 1) / 2 * 4 * native->bits;
  }
  return pixels * native->samples * native->bits;
}

gboolean
dicom_native_is_plain(const DicomNative *native)
{
  return native->bits > 1 && !native->subsampled && !(native->planar && native->samples > 1);
}

/* Eight pixels to a byte, lowest bit first; a frame may begin inside a byte (PS3.5 8.1.1). */
static void
unpack_bits(const guint8 *in, guint first_bit, guint8 *out, gsize n)
{
  gsize i = 0;

  for (; first_bit > 0 && i < n; i++) {
    out[i] = in[0] >> first_bit & 1;
    first_bit = (first_bit + 1) % 8;
    in += first_bit == 0;
  }
  for (; n - i >= 8; i += 8, in++) {
    /* Bit K of the byte alone in byte K, and from there to the lowest bit. */
    guint64 bits =
        *in * G_GUINT64_CONSTANT(0x0101010101010101) & G_GUINT64_CONSTANT(0x8040201008040201);

    bits = (bits + G_GUINT64_CONSTANT(0x7f7f7f7f7f7f7f7f)) >> 7 &
           G_GUINT64_CONSTANT(0x0101010101010101);
    bits = GUINT64_TO_LE(bits);
    memcpy(out + i, &bits, sizeof bits);
  }
  for (guint bit = 0; i < n; i++, bit++) {
    out[i] = *in >> bit & 1;
  }
}

static inline void
expand_422(const guint8 *in, guint8 *out, gsize pixels, gsize bytes)
{
  for (gsize i = 0; i < pixels; i++) {
    const guint8 *group = in + i / 2 * 4 * bytes;

    memcpy(out, group + i % 2 * bytes, bytes);
    memcpy(out + bytes, group + 2 * bytes, bytes);
    memcpy(out + 2 * bytes, group + 3 * bytes, bytes);
    out += 3 * bytes;
  }
}

static inline void
interleave(const guint8 *in, guint8 *out, gsize pixels, guint samples, gsize bytes)
{
  for (gsize i = 0; i < pixels; i++) {
    for (guint s = 0; s < samples; s++) {
      memcpy(out, in + (s * pixels + i) * bytes, bytes);
      out += bytes;
    }
  }
}

void
dicom_native_arrange(const DicomNative *native, const guint8 *raw, guint first_bit, guint8 *out)
{
  gsize pixels = (gsize)native->columns * native->rows, bytes = native->bits / 8;

  if (native->bits == 1) {
    unpack_bits(raw, first_bit, out, pixels * native->samples);
  } else if (native->subsampled && bytes == 1) {
    expand_422(raw, out, pixels, 1);
  } else if (native->subsampled) {
    expand_422(raw, out, pixels, bytes);
  } else if (native->planar && native->samples == 3 && bytes == 1) {
    interleave(raw, out, pixels, 3, 1);
  } else if (native->planar && native->samples > 1) {
    interleave(raw, out, pixels, native->samples, bytes);
  } else {
    memcpy(out, raw, pixels * native->samples * bytes);
  }
}

/* Bytes in one go: a number that is known, so that the compiler makes vectors of the loops. */
#define BLOCK 256

static inline void
swap_block(guint8 *bytes, gsize n, guint word)
{
  for (gsize i = 0; i + word <= n; i += word) {
    if (word == 2) {
      guint16 value;

      memcpy(&value, bytes + i, 2);
      value = GUINT16_SWAP_LE_BE(value);
      memcpy(bytes + i, &value, 2);
    } else if (word == 4) {
      guint32 value;

      memcpy(&value, bytes + i, 4);
      value = GUINT32_SWAP_LE_BE(value);
      memcpy(bytes + i, &value, 4);
    } else {
      guint64 value;

      memcpy(&value, bytes + i, 8);
      value = GUINT64_SWAP_LE_BE(value);
      memcpy(bytes + i, &value, 8);
    }
  }
}

void
dicom_native_swap(guint8 *bytes, gsize n, guint word)
{
  if (word == 2) {
    for (; n >= BLOCK; n -= BLOCK, bytes += BLOCK) {
      swap_block(bytes, BLOCK, 2);
    }
  }
  if (word == 2) {
    swap_block(bytes, n, 2);
  } else if (word == 4) {
    swap_block(bytes, n, 4);
  } else if (word == 8) {
    swap_block(bytes, n, 8);
  }
}
