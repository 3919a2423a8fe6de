/* utf8.h - the one decoder that all of model/ agrees on: SentencePiece's
 * (util.cc, DecodeUTF8). Private to model/. */
#ifndef HILUM_MODEL_BASE_UTF8_H
#define HILUM_MODEL_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_UTF8_REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */
#define MODEL_UTF8_SPACE "\xE2\x96\x81"       /* U+2581, SentencePiece's visible space */

/* Length in bytes of the well-formed character at TEXT (N > 0 bytes are there) and its code point;
 * 0 when it is overlong, a surrogate, past U+10FFFF, cut off or no lead byte. */
static inline size_t
model_utf8_decode(const char *text, size_t n, uint32_t *code)
{
  const uint8_t *b = (const uint8_t *)text;
  size_t length = b[0] < 0x80 ? 1 : b[0] < 0xC2 ? 0 : b[0] < 0xE0 ? 2 : b[0] < 0xF0 ? 3 : 4;
  uint32_t c;

  if (length == 0 || b[0] > 0xF4 || length > n) {
    return 0;
  }
  c = length == 1 ? b[0] : b[0] & (0x7Fu >> length);
  for (size_t i = 1; i < length; i++) {
    if ((b[i] & 0xC0) != 0x80) {
      return 0;
    }
    c = c << 6 | (b[i] & 0x3F);
  }
  if ((length == 3 && (c < 0x800 || (c >= 0xD800 && c <= 0xDFFF))) ||
      (length == 4 && (c < 0x10000 || c > 0x10FFFF))) {
    return 0;
  }
  *code = c;
  return length;
}

static inline bool
model_utf8_valid(const char *text, size_t n)
{
  uint32_t code;

  for (size_t i = 0, step; i < n; i += step) {
    step = model_utf8_decode(text + i, n - i, &code);
    if (step == 0) {
      return false;
    }
  }
  return true;
}

#endif
