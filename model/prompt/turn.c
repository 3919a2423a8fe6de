/* turn.c - the ids that one turn adds to a timeline.
 *
 * The text of a turn is cut where a special string of the template or a picture stands, and each
 * part between is encoded on its own, as model_tokenizer_encode_prompt() does with the whole text.
 * Special strings are looked for in the template's own text alone: what the user typed is text. */
#include "base/error.h"
#include "prompt/prompt.h"
#include "prompt/template.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
  const ModelTokenizer *tokenizer;
  ModelIds *ids;
  ModelError *err;
  char *part; /* since the last cut */
  size_t n, capacity;
  bool dummy_prefix; /* PART begins a piece of text, or goes on from the ids before it */
} Builder;

static bool
out_of_memory(Builder *builder)
{
  return model_fail(builder->err, MODEL_ERROR_TOO_LARGE, "out of memory for a turn's ids");
}

static bool
hold(Builder *builder, const char *text, size_t length)
{
  size_t need;

  if (length == 0) {
    return true;
  }
  if (__builtin_add_overflow(builder->n, length, &need) || need > SIZE_MAX / 4) {
    return out_of_memory(builder);
  }
  if (need > builder->capacity) {
    char *grown = realloc(builder->part, 2 * need);
    if (!grown) {
      return out_of_memory(builder);
    }
    builder->part = grown;
    builder->capacity = 2 * need;
  }
  memcpy(builder->part + builder->n, text, length);
  builder->n = need;
  return true;
}

static bool
flush(Builder *builder)
{
  bool done = builder->n == 0 ||
              model_tokenizer_encode_part(builder->tokenizer, builder->part, builder->n,
                                          builder->dummy_prefix, builder->ids, builder->err);

  builder->n = 0;
  builder->dummy_prefix = true;
  return done;
}

static bool
put(void *user, const char *text, size_t length, bool trusted)
{
  Builder *builder = user;

  while (trusted && length > 0) {
    size_t at;
    int32_t id;
    size_t found = model_tokenizer_find_special(builder->tokenizer, text, length, &at, &id);
    if (found == 0) {
      break;
    }
    if (!hold(builder, text, at) || !flush(builder)) {
      return false;
    }
    if (!model_ids_push(builder->ids, id)) {
      return out_of_memory(builder);
    }
    text += at + found;
    length -= at + found;
  }
  return length == 0 || hold(builder, text, length);
}

static bool
put_image(Builder *builder)
{
  if (!flush(builder)) {
    return false;
  }
  return model_tokenizer_push_image(builder->tokenizer, builder->ids) || out_of_memory(builder);
}

static bool
put_question(Builder *builder, const char *question, bool has_image, bool image_last)
{
  if (has_image && !image_last && (!put_image(builder) || !put(builder, "\n", 1, true))) {
    return false;
  }
  return put(builder, question, strlen(question), false) &&
         (!has_image || !image_last || (put(builder, "\n", 1, true) && put_image(builder)));
}

static bool
build(Builder *builder, const ModelTemplate *template, const ModelConfig *config, uint32_t turn,
      const char *question, bool has_image)
{
  const ModelTemplateSink sink = {put, builder};
  int32_t bos = model_tokenizer_bos(builder->tokenizer);

  if (turn == 0 && bos >= 0 && !model_ids_push(builder->ids, bos)) {
    return out_of_memory(builder);
  }
  return (turn == 0 ? model_template_put_system(template, &sink)
                    : model_template_put_answer_end(template, &sink)) &&
         model_template_put_question_start(template, turn == 0, &sink) &&
         put_question(builder, question, has_image,
                      template->image_last || config->image_start_end) &&
         model_template_put_question_end(template, &sink) &&
         model_template_put_open(template, &sink) && flush(builder);
}

bool
model_prompt_turn_ids(const ModelTokenizer *tokenizer, const ModelConfig *config, uint32_t turn,
                      const char *question, bool has_image, ModelIds *ids, ModelError *err)
{
  const ModelTemplate *template = model_template_find(config->template_name);
  Builder builder = {.tokenizer = tokenizer, .ids = ids, .err = err, .dummy_prefix = turn == 0};
  size_t n = ids->n;
  bool done;

  if (!template) {
    return model_fail(err, MODEL_ERROR_UNSUPPORTED, "conversation template \"%s\" is not known",
                      config->template_name);
  }
  done = build(&builder, template, config, turn, question, has_image);
  free(builder.part);
  if (!done) {
    ids->n = n;
  }
  return done;
}

const char *
model_prompt_stop_string(const char *template_name, uint32_t index)
{
  const ModelTemplate *template = model_template_find(template_name);

  for (uint32_t i = 0; template && template->stops[i]; i++) {
    if (i == index) {
      return template->stops[i];
    }
  }
  return NULL;
}
