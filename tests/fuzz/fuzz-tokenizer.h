/* fuzz-tokenizer.h - text to ids and back, by every way that there is. */
#ifndef HILUM_TESTS_FUZZ_TOKENIZER_H
#define HILUM_TESTS_FUZZ_TOKENIZER_H

#include "fuzz.h"

#include "tokenizer/tokenizer.h"

#include <string.h>

static inline void
fuzz_decode(const ModelTokenizer *tokenizer, const ModelIds *ids)
{
  ModelError err = {0};
  char *text = model_tokenizer_decode(tokenizer, ids->ids, ids->n, &err);

  g_assert(text ? g_utf8_validate(text, -1, NULL) : err.code != MODEL_OK);
  free(text);
  for (size_t i = 0; i < ids->n; i++) {
    char bytes[256];

    g_assert(model_tokenizer_bytes(tokenizer, ids->ids[i], i == 0, bytes) <= sizeof bytes);
    model_tokenizer_is_stop(tokenizer, ids->ids[i]);
  }
}

static inline void
fuzz_tokenize(const ModelTokenizer *tokenizer, const char *text, size_t n)
{
  size_t at;
  int32_t id;

  for (int way = 0; way < 5; way++) {
    ModelIds ids = {0};
    ModelError err = {0};
    const bool done =
        way == 0   ? model_tokenizer_encode(tokenizer, text, n, &ids, &err)
        : way == 1 ? model_tokenizer_encode_special(tokenizer, text, n, true, &ids, &err)
        : way == 2 ? model_tokenizer_encode_special(tokenizer, text, n, false, &ids, &err)
        : way == 3 ? model_tokenizer_encode_prompt(tokenizer, text, n, &ids, &err)
                   : model_tokenizer_encode_part(tokenizer, text, n, false, &ids, &err);

    g_assert(done == (err.code == MODEL_OK));
    if (done) {
      fuzz_decode(tokenizer, &ids);
    } else {
      g_assert(ids.n == 0);
      fuzz_check_message(err.message);
    }
    model_ids_clear(&ids);
  }
  g_assert(model_tokenizer_find_special(tokenizer, text, n, &at, &id) <= n);
}

#endif
