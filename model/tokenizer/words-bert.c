/* words-bert.c - BERT's words, and the longest pieces of each. */
#include <string.h>

#include "tokenizer/tokenizer.h"
#include "tokenizer/words-private.h"

#define MOST_CHARACTERS 100u /* of a word; longer ones are [UNK] */

static bool
is_ideograph(uint32_t code)
{
  return (code >= 0x4E00 && code <= 0x9FFF) || (code >= 0x3400 && code <= 0x4DBF) ||
         (code >= 0x20000 && code <= 0x2A6DF) || (code >= 0x2A700 && code <= 0x2B73F) ||
         (code >= 0x2B740 && code <= 0x2B81F) || (code >= 0x2B920 && code <= 0x2CEAF) ||
         (code >= 0xF900 && code <= 0xFAFF) || (code >= 0x2F800 && code <= 0x2FA1F);
}

/* The signs of ASCII are punctuation, also those that Unicode calls symbols. */
static bool
is_sign(uint32_t code)
{
  return (code >= 33 && code <= 47) || (code >= 58 && code <= 64) || (code >= 91 && code <= 96) ||
         (code >= 123 && code <= 126) || model_unicode_is_punctuation(code);
}

/* Without controls, with blanks for spaces and around ideographs. */
static bool
clean(ModelCodes *codes)
{
  ModelCodes out = {0};
  bool ok = true;

  for (size_t i = 0; i < codes->n && ok; i++) {
    const uint32_t code = codes->codes[i];
    const bool space = code == '\t' || code == '\n' || code == '\r' || code == ' ' ||
                       (code > 0x7F && model_unicode_is_space(code) && code != 0x85);

    if (space || is_ideograph(code)) {
      ok = model_codes_push(&out, ' ');
    }
    if (!space && code != 0 && code != 0xFFFD && !model_unicode_is_control(code)) {
      ok = ok && model_codes_push(&out, code);
    }
    if (is_ideograph(code)) {
      ok = ok && model_codes_push(&out, ' ');
    }
  }
  model_codes_clear(codes);
  *codes = out;
  return ok;
}

static bool
strip_accents(ModelCodes *codes)
{
  size_t n = 0;

  if (!model_codes_decompose(codes)) {
    return false;
  }
  for (size_t i = 0; i < codes->n; i++) {
    if (!model_unicode_is_mark(codes->codes[i])) {
      codes->codes[n++] = codes->codes[i];
    }
  }
  codes->n = n;
  return true;
}

/* The longest piece from character FROM on, with "##" before it inside of the word; its id, and
 * where it ends. ENDS: bytes up to the end of each character. */
static int32_t
longest(const ModelWords *words, const char *text, const size_t *ends, size_t n, size_t from,
        size_t *to)
{
  char piece[2 + 4 * MOST_CHARACTERS] = "##";
  const size_t start = from > 0 ? ends[from - 1] : 0, hashes = from > 0 ? 2 : 0;

  memcpy(piece + hashes, text + start, ends[n - 1] - start);
  for (*to = n; *to > from; --*to) {
    const int32_t id = model_words_find(words, piece, hashes + ends[*to - 1] - start);
    if (id >= 0) {
      return id;
    }
  }
  return -1;
}

static bool
push_word(ModelWordWork *work, const uint32_t *codes, size_t n)
{
  char text[4 * MOST_CHARACTERS];
  size_t ends[MOST_CHARACTERS], length = 0, before = work->ids->n;

  if (n > MOST_CHARACTERS) {
    return model_ids_push(work->ids, work->words->unknown);
  }
  for (size_t i = 0; i < n; i++) {
    length += model_utf8_encode(codes[i], text + length);
    ends[i] = length;
  }
  for (size_t from = 0, to; from < n; from = to) {
    const int32_t id = longest(work->words, text, ends, n, from, &to);
    if (id < 0) {
      work->ids->n = before;
      return model_ids_push(work->ids, work->words->unknown);
    }
    if (!model_ids_push(work->ids, id)) {
      return false;
    }
  }
  return true;
}

bool
model_words_split_bert(ModelWordWork *work, const char *text, size_t length)
{
  const ModelCodes *codes = &work->codes;
  const bool cased = work->words->cased;

  work->codes.n = 0;
  if (!model_codes_read(&work->codes, text, length) || !clean(&work->codes) ||
      (!cased && (!strip_accents(&work->codes) || !model_codes_lower(&work->codes)))) {
    return false;
  }
  for (size_t i = 0, n; i < codes->n && work->ids->n < work->most; i += n) {
    n = 1;
    if (model_unicode_is_space(codes->codes[i])) {
      continue;
    }
    while (!is_sign(codes->codes[i]) && i + n < codes->n &&
           !model_unicode_is_space(codes->codes[i + n]) && !is_sign(codes->codes[i + n])) {
      n++;
    }
    if (!push_word(work, codes->codes + i, n)) {
      return false;
    }
  }
  return true;
}
