/* answer_text.c - holds back what may still become a stop string or is half a character.
 *
 * Invariants:
 * 1. text is the UTF-8 form of raw[0 .. settled): whole characters as they are, each byte that
 *    belongs to none as U+FFFD (SentencePiece's rule).
 * 2. text only grows, so what was streamed is always a prefix of the final answer. White space at
 *    its end waits for what follows: at the end of an answer it belongs to the template.
 */
#include "engine/answer_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"

static bool
reserve(char **buffer, size_t *capacity, size_t n, ModelError *err)
{
  size_t larger = *capacity ? *capacity : 4096;
  char *moved;

  while (larger < n) {
    larger *= 2;
  }
  if (*buffer && larger == *capacity) {
    return true;
  }
  moved = realloc(*buffer, larger);
  if (!moved) {
    return model_fail(err, MODEL_ERROR_TOO_LARGE, "out of memory for an answer of %zu bytes", n);
  }
  *buffer = moved;
  *capacity = larger;
  return true;
}

bool
model_answer_text_init(ModelAnswerText *text, ModelError *err)
{
  *text = (ModelAnswerText){0};
  if (!reserve(&text->raw, &text->raw_capacity, 1, err) ||
      !reserve(&text->text, &text->text_capacity, 1, err)) {
    return false;
  }
  text->text[0] = '\0';
  return true;
}

void
model_answer_text_clear(ModelAnswerText *text)
{
  free(text->raw);
  free(text->text);
  *text = (ModelAnswerText){0};
}

void
model_answer_text_stop_at(ModelAnswerText *text, const char *stop)
{
  const size_t n = strlen(stop);

  if (n > 0 && text->n_stops < MODEL_MAX_STOPS) {
    text->stops[text->n_stops++] = stop;
    text->longest_stop = n > text->longest_stop ? n : text->longest_stop;
  }
}

/* Length of the character at S (N bytes left): 1 to 4, 0 when S could be the start of one that is
 * not all there yet, -1 when it is none. Overlong forms and surrogates are none, and so is a NUL,
 * which a C string cannot hold. */
static int
utf8_length(const uint8_t *s, size_t n)
{
  const int length = s[0] == 0     ? -1
                     : s[0] < 0x80 ? 1
                     : s[0] < 0xc2 ? -1
                     : s[0] < 0xe0 ? 2
                     : s[0] < 0xf0 ? 3
                     : s[0] < 0xf5 ? 4
                                   : -1;

  for (int i = 1; i < length; i++) {
    uint8_t low = 0x80, high = 0xbf;
    if ((size_t)i == n) {
      return 0;
    }
    if (i == 1) {
      low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80;
      high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;
    }
    if (s[i] < low || s[i] > high) {
      return -1;
    }
  }
  return length;
}

/* Moves raw bytes up to END into the text. LAST: nothing follows, so half a character is broken. */
static bool
settle(ModelAnswerText *text, size_t end, bool last, size_t *grown, ModelError *err)
{
  const size_t before = text->n_text;

  /* Each byte becomes three at most. */
  if (!reserve(&text->text, &text->text_capacity, text->n_text + 3 * (end - text->settled) + 1,
               err)) {
    return false;
  }
  while (text->settled < end) {
    const char *s = text->raw + text->settled;
    const int length = utf8_length((const uint8_t *)s, end - text->settled);
    if (length == 0 && !last) {
      break;
    }
    if (length > 0) {
      memcpy(text->text + text->n_text, s, (size_t)length);
      text->n_text += (size_t)length;
      text->settled += (size_t)length;
    } else {
      memcpy(text->text + text->n_text, MODEL_UTF8_REPLACEMENT, 3);
      text->n_text += 3;
      text->settled++;
    }
  }
  text->text[text->n_text] = '\0';
  *grown = text->n_text - before;
  return true;
}

/* Where the earliest stop string begins among the bytes that arrived since FROM, or n_raw. */
static size_t
find_stop(const ModelAnswerText *text, size_t from)
{
  size_t start = from > text->longest_stop ? from - text->longest_stop : 0;

  start = start > text->settled ? start : text->settled;
  for (size_t i = start; i < text->n_raw; i++) {
    for (uint32_t k = 0; k < text->n_stops; k++) {
      const size_t n = strlen(text->stops[k]);
      if (n <= text->n_raw - i && memcmp(text->raw + i, text->stops[k], n) == 0) {
        return i;
      }
    }
  }
  return text->n_raw;
}

/* Where the white space begins that N raw bytes end with; what is settled stays. */
static size_t
without_trailing_space(const ModelAnswerText *text, size_t n)
{
  while (n > text->settled && strchr(" \t\r\n", text->raw[n - 1]) && text->raw[n - 1] != '\0') {
    n--;
  }
  return n;
}

/* Where the longest tail begins that is the start of a stop string, or n_raw. */
static size_t
find_partial_stop(const ModelAnswerText *text)
{
  size_t start = text->n_raw > text->longest_stop ? text->n_raw - text->longest_stop : 0;

  start = start > text->settled ? start : text->settled;
  for (size_t i = start; i < text->n_raw; i++) {
    for (uint32_t k = 0; k < text->n_stops; k++) {
      const size_t n = text->n_raw - i;
      if (n < strlen(text->stops[k]) && memcmp(text->raw + i, text->stops[k], n) == 0) {
        return i;
      }
    }
  }
  return text->n_raw;
}

bool
model_answer_text_add(ModelAnswerText *text, const char *bytes, size_t n, bool *stopped,
                      size_t *cut, size_t *grown, ModelError *err)
{
  const size_t from = text->n_raw;

  *stopped = false;
  *grown = 0;
  if (!reserve(&text->raw, &text->raw_capacity, text->n_raw + n + 1, err)) {
    return false;
  }
  memcpy(text->raw + text->n_raw, bytes, n);
  text->n_raw += n;
  *cut = find_stop(text, from);
  if (*cut < text->n_raw) {
    *stopped = true;
    text->n_raw = *cut = without_trailing_space(text, *cut);
    return settle(text, text->n_raw, true, grown, err);
  }
  return settle(text, without_trailing_space(text, find_partial_stop(text)), false, grown, err);
}

size_t
model_answer_text_trim(ModelAnswerText *text)
{
  text->n_raw = without_trailing_space(text, text->n_raw);
  return text->n_raw;
}

bool
model_answer_text_finish(ModelAnswerText *text, size_t *grown, ModelError *err)
{
  return settle(text, text->n_raw, true, grown, err);
}

void
model_answer_text_ends(const ModelAnswerText *text, size_t *ends, size_t n)
{
  size_t raw = 0, settled = 0;

  for (size_t i = 0; i < n; i++) {
    while (raw < text->n_raw) {
      const int length = utf8_length((const uint8_t *)text->raw + raw, text->n_raw - raw);
      const size_t taken = length > 0 ? (size_t)length : 1;
      if (raw + taken > ends[i]) {
        break;
      }
      raw += taken;
      settled += length > 0 ? (size_t)length : 3; /* U+FFFD */
    }
    ends[i] = settled;
  }
}
