/* fuzz-text.c - any text through a sound tokenizer, and any ids back; and through a template. */
#include "fuzz-tokenizer.h"

#include "../model/tokenizer-fixture.h"
#include "model_prompt.h"

static void
use_ids(const ModelTokenizer *tokenizer, const uint8_t *data, size_t n)
{
  ModelIds ids = {0};

  for (size_t i = 0; i + 2 <= n && i < 512; i += 2) {
    /* Around the vocabulary's ends too: the signed word reaches below 0. */
    g_assert(model_ids_push(&ids, (int16_t)(data[i] | data[i + 1] << 8) / 64));
  }
  fuzz_decode(tokenizer, &ids);
  model_ids_clear(&ids);
}

static void
use_template(const uint8_t *data, size_t n)
{
  g_autofree char *text = g_strndup((const char *)data, n);
  const char *turns[] = {text, "yes", text};
  uint32_t n_templates = 0;
  char *rendered;

  while (model_prompt_template_name(n_templates)) {
    n_templates++;
  }
  rendered = model_prompt_render(model_prompt_template_name(n ? data[0] % n_templates : 0), turns,
                                 3, true);
  g_assert(rendered);
  free(rendered);
  model_prompt_words((const char *)data, n);
  model_prompt_instruction(MODEL_LENGTH_AUTO, text, n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  static Fixture *fixture = NULL;

  fuzz_start();
  if (!fixture) {
    fixture = hand_fixture_small();
  }
  fuzz_tokenize(fixture->tokenizer, (const char *)data, n);
  use_ids(fixture->tokenizer, data, n);
  use_template(data, n);
  return 0;
}
