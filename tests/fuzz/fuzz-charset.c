/* fuzz-charset.c - text in any SpecificCharacterSet as UTF-8.
 *
 * Input: one byte (whether it is a name), the values of SpecificCharacterSet up to a line end, and
 * the text. */
#include "fuzz.h"

#include "dicom/dataset/dataset.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  FuzzInput input = {data, n};
  const gboolean is_name = fuzz_u8(&input) % 2;
  const uint8_t *end = input.n > 0 ? memchr(input.data, '\n', input.n) : NULL;
  const size_t length = end ? (size_t)(end - input.data) : 0, skip = end ? length + 1 : 0;
  g_autofree char *charsets = g_strndup((const char *)input.data, length), *text = NULL;

  fuzz_start();
  text = dicom_charset_to_utf8((const char *)input.data + skip, input.n - skip, charsets, is_name);
  g_assert(text && g_utf8_validate(text, -1, NULL));
  return 0;
}
