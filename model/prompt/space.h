/* space.h - white space as Python's str.split() and str.strip() see it. Private to model/prompt. */
#ifndef HILUM_MODEL_PROMPT_SPACE_H
#define HILUM_MODEL_PROMPT_SPACE_H

#include "base/utf8.h"

static inline bool
model_space_code(uint32_t c)
{
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

/* Length in bytes of the character at TEXT (N > 0 bytes are there); *SPACE whether it is white
 * space. A broken byte is a character of its own and no space. */
static inline size_t
model_space_step(const char *text, size_t n, bool *space)
{
  uint32_t code;
  size_t length = model_utf8_decode(text, n, &code);

  *space = length > 0 && model_space_code(code);
  return length > 0 ? length : 1;
}

#endif
