/* fuzz-vocabulary.c - a SentencePiece tokenizer.model, and text through what it holds. */
#include "fuzz-tokenizer.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  static const char text[] = "<s> abba\u2581 caf\u00e9 \xff 12 </s>";
  ModelVocabulary vocabulary = {0};
  ModelError err = {0};

  fuzz_start();
  if (model_vocabulary_parse(data, n, "fuzz.model", &vocabulary, &err)) {
    const ModelConfig config = {.bos = vocabulary.bos,
                                .eos = vocabulary.eos,
                                .pad = vocabulary.pad,
                                .id_im_patch = -1,
                                .id_im_start = -1,
                                .id_im_end = -1};
    ModelTokenizer *tokenizer = model_tokenizer_new(&vocabulary, &config, &err);

    if (tokenizer) {
      fuzz_tokenize(tokenizer, text, sizeof text - 1);
      model_tokenizer_free(tokenizer);
    } else {
      fuzz_check_message(err.message);
    }
  } else {
    fuzz_check_message(err.message);
  }
  model_vocabulary_clear(&vocabulary);
  return 0;
}
