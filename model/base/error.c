/* error.c - see error.h. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Names out of a file go into messages, and messages to terminals and logs: what is no printable
 * UTF-8 becomes a question mark, a character that the message's end has cut goes. */
static void
make_printable(char *message)
{
  const size_t n = strlen(message);
  size_t length;

  for (size_t at = 0; at < n; at += length) {
    uint32_t code;

    length = model_utf8_decode(message + at, n - at, &code);
    if (length == 0 && n - at < 4 && (uint8_t)message[at] >= 0xC2) {
      message[at] = '\0';
      return;
    }
    if (length == 0 || code < 0x20 || (code >= 0x7F && code < 0xA0)) {
      length = length ? length : 1;
      memset(message + at, '?', length);
    }
  }
}

bool
model_fail(ModelError *err, ModelErrorCode code, const char *format, ...)
{
  if (err) {
    va_list args;
    err->code = code;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    make_printable(err->message);
  }
  return false;
}

bool
model_fail_in(const char *path, ModelError *err)
{
  if (err) {
    const ModelError inner = *err;
    model_fail(err, inner.code, "%s: %s", path, inner.message);
  }
  return false;
}
