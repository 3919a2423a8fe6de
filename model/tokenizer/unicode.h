/* unicode.h - what text towers' tokenizers ask of characters, without the system's locale. Private
 * to model/tokenizer and its test.
 *
 * Classes are the Unicode Character Database's general categories (unicode-table.h says of which
 * version). Normal forms leave the compatibility ideographs of East Asia as they are. */
#ifndef HILUM_MODEL_TOKENIZER_UNICODE_H
#define HILUM_MODEL_TOKENIZER_UNICODE_H

#include "model.h"

bool model_unicode_is_letter(uint32_t code);      /* L */
bool model_unicode_is_number(uint32_t code);      /* N */
bool model_unicode_is_punctuation(uint32_t code); /* P */
bool model_unicode_is_mark(uint32_t code);        /* Mn */
bool model_unicode_is_control(uint32_t code);     /* Cc, Cf, Co */
bool model_unicode_is_space(uint32_t code);       /* White_Space */

/* A text as code points; owned. */
typedef struct {
  uint32_t *codes;
  size_t n, capacity;
} ModelCodes;
void model_codes_clear(ModelCodes *codes);
bool model_codes_push(ModelCodes *codes, uint32_t code); /* false: out of memory */

/* Appends TEXT; each byte that is no UTF-8 becomes U+FFFD. False, as below: out of memory. */
bool model_codes_read(ModelCodes *codes, const char *text, size_t length);
/* Canonical decomposition (NFD), and what composes it again (NFC). */
bool model_codes_decompose(ModelCodes *codes);
bool model_codes_compose(ModelCodes *codes);
/* Small letters, one character at a time. */
bool model_codes_lower(ModelCodes *codes);

/* Bytes of CODE as UTF-8, 1 to 4. */
size_t model_utf8_encode(uint32_t code, char out[4]);

#endif
