/* error.c - see error.h. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

bool
model_fail(ModelError *err, ModelErrorCode code, const char *format, ...)
{
  if (err) {
    va_list args;
    err->code = code;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
  }
  return false;
}
