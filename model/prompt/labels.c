/* labels.c - which ids count in the loss (LLaVA 1.x and LLaVA-Med v1.0, llava/train/train.py:
 * preprocess_plain, preprocess_v1, preprocess_llama_2 and v1.0's preprocess with _mask_targets).
 *
 * The masks of the reference are kept as they are, with their arithmetic on the lengths of pieces
 * that are encoded alone. Each text is encoded at most three times, so a sample costs no more than
 * a constant times its length. */
#include "base/error.h"
#include "prompt/prompt.h"
#include "prompt/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const ModelTokenizer *tokenizer;
  ModelIds *ids, *labels;
  ModelError *err;
  size_t max_length; /* SIZE_MAX: none */
  bool mismatch;
} Labelling;

static bool
out_of_memory(Labelling *l)
{
  return model_fail(l->err, MODEL_ERROR_TOO_LARGE, "out of memory for a training sample");
}

/* Number of ids of TEXT encoded alone, BOS included. */
static bool
count_ids(Labelling *l, const char *text, size_t length, size_t *n)
{
  ModelIds ids = {0};
  bool done = model_tokenizer_encode_prompt(l->tokenizer, text, length, &ids, l->err);

  *n = ids.n;
  model_ids_clear(&ids);
  return done;
}

/* ids of the whole text, labels equal to them */
static bool
encode_whole(Labelling *l, const char *text, size_t length)
{
  if (!model_tokenizer_encode_prompt(l->tokenizer, text, length, l->ids, l->err)) {
    return false;
  }
  for (size_t i = 0; i < l->ids->n; i++) {
    if (!model_ids_push(l->labels, l->ids->ids[i])) {
      return out_of_memory(l);
    }
  }
  return true;
}

static void
ignore(Labelling *l, size_t from, size_t to)
{
  for (size_t i = from; i < to && i < l->labels->n; i++) {
    l->labels->ids[i] = MODEL_IGNORE_INDEX;
  }
}

/* ---- plain: the picture, the caption and a newline ------------------------------------------ */

static bool
label_plain(Labelling *l, const char *caption)
{
  static const char mark[] = "<image>";
  size_t length = strlen(caption), head;
  char *text = malloc(sizeof mark + length + 1);
  bool done;

  if (!text) {
    return out_of_memory(l);
  }
  memcpy(text, mark, sizeof mark - 1);
  memcpy(text + sizeof mark - 1, caption, length);
  text[sizeof mark - 1 + length] = '\n';
  done = encode_whole(l, text, sizeof mark + length) && count_ids(l, mark, sizeof mark - 1, &head);
  free(text);
  if (done) {
    ignore(l, 0, head);
  }
  return done;
}

/* ---- v1 and llama_2: rounds that end in "</s>" ---------------------------------------------- */

/* Where the only MARK in the round ends; 0: there is none or more than one. */
static size_t
only_mark(const char *round, size_t n, const char *mark)
{
  size_t length = strlen(mark);
  const char *at = memmem(round, n, mark, length), *rest;

  if (!at) {
    return 0;
  }
  rest = at + length;
  return memmem(rest, n - (size_t)(rest - round), mark, length) ? 0 : (size_t)(rest - round);
}

static bool
mask_rounds(Labelling *l, const ModelTemplate *template, const char *mark, const char *text)
{
  size_t at = 1, left = strlen(text), length_sep = strlen(template->sep2);

  ignore(l, 0, 1);
  while (left > 0) {
    const char *end = memmem(text, left, template->sep2, length_sep);
    size_t n = end ? (size_t)(end - text) : left, n_round, n_head;
    size_t head = only_mark(text, n, mark);
    if (head == 0) {
      break;
    }
    if (!count_ids(l, text, n, &n_round) || !count_ids(l, text, head, &n_head)) {
      return false;
    }
    /* The round's own BOS makes up for the "</s>" that was cut off. The head loses its BOS and the
     * bare space id that stands for the mark's last character. */
    ignore(l, at, at + (n_head > 2 ? n_head - 2 : 0));
    at += n_round;
    text += n;
    left -= n;
    if (end) {
      text += length_sep;
      left -= length_sep;
    }
  }
  ignore(l, at, l->labels->n);
  if (at < l->max_length && at != l->ids->n) {
    ignore(l, 0, l->labels->n);
    l->mismatch = true;
  }
  return true;
}

static bool
label_rounds(Labelling *l, const ModelTemplate *template, const char *const *turns, size_t n)
{
  char mark[64], *text = model_prompt_render(template->name, turns, n, true);
  bool done;

  if (!text) {
    return out_of_memory(l);
  }
  if (template->style == MODEL_STYLE_LLAMA_2) {
    snprintf(mark, sizeof mark, "[/INST] ");
  } else {
    snprintf(mark, sizeof mark, "%s%s: ", template->sep, template->roles[1]);
  }
  done = encode_whole(l, text, strlen(text)) && mask_rounds(l, template, mark, text);
  free(text);
  return done;
}

/* ---- v0: "### Human: q\n### Assistant: a\n### " --------------------------------------------- */

static bool
label_v0(Labelling *l, const ModelTemplate *template, const char *const *turns, size_t n)
{
  static const char begin[] = "### ", between[] = ": ", end[] = "\n", after_system[] = "\n\n";
  size_t capacity = strlen(template->system) + sizeof after_system + sizeof begin, at = 0, start;
  size_t n_part, done_ids = 0;
  char *text;
  bool done;

  for (size_t i = 0; i < n; i++) {
    capacity += sizeof begin + strlen(template->roles[i % 2]) + sizeof between + strlen(turns[i]) +
                sizeof end;
  }
  text = malloc(capacity);
  if (!text) {
    return out_of_memory(l);
  }
  /* Twice over the same parts: once for the text, once for the masks. */
  at = (size_t)snprintf(text, capacity, "%s%s", template->system, after_system);
  for (size_t i = 0; i < n; i++) {
    at += (size_t)snprintf(text + at, capacity - at, "%s%s%s%s%s", begin, template->roles[i % 2],
                           between, turns[i], end);
  }
  at += (size_t)snprintf(text + at, capacity - at, "%s", begin);
  start = strlen(template->system) + strlen(after_system);
  done = encode_whole(l, text, at) && count_ids(l, text, start, &done_ids);
  if (done) {
    ignore(l, 0, done_ids);
  }
  for (size_t i = 0; done && i < n; i++) {
    size_t length = strlen(begin) + strlen(template->roles[i % 2]) + strlen(between) +
                    strlen(turns[i]) + strlen(end);
    /* A part alone has a BOS, which stands for the second of the two ids of "###" inside a text. */
    done = count_ids(l, text + start, length, &n_part);
    if (done && i % 2 == 0) {
      ignore(l, done_ids + 2, done_ids + n_part);
    }
    start += length;
    done_ids += n_part;
  }
  free(text);
  return done;
}

/* ---- the choice ----------------------------------------------------------------------------- */

static bool
check(ModelMask mask, const char *name, const ModelTemplate *template, size_t n_turns,
      ModelError *err)
{
  bool fits;

  if (mask == MODEL_MASK_PLAIN) {
    return n_turns == 1 || model_fail(err, MODEL_ERROR_ARGUMENT,
                                      "label mask plain: %zu turns, expected 1", n_turns);
  }
  if (!template) {
    return model_fail(err, MODEL_ERROR_UNSUPPORTED, "conversation template \"%s\" is not known",
                      name ? name : "");
  }
  fits = mask == MODEL_MASK_LLAMA_2 ? template->style == MODEL_STYLE_LLAMA_2
         : mask == MODEL_MASK_V1
             ? template->style == MODEL_STYLE_TWO || template->style == MODEL_STYLE_TWO_SPACE
             : template->style == MODEL_STYLE_SINGLE;
  if (!fits) {
    return model_fail(err, MODEL_ERROR_ARGUMENT,
                      "conversation template \"%s\" does not go with the label mask %s", name,
                      mask == MODEL_MASK_LLAMA_2 ? "llama_2"
                      : mask == MODEL_MASK_V1    ? "v1"
                                                 : "v0");
  }
  if (n_turns < 2 || n_turns % 2 != 0) {
    return model_fail(err, MODEL_ERROR_ARGUMENT,
                      "a training conversation has %zu turns, expected question and answer in "
                      "pairs",
                      n_turns);
  }
  return true;
}

bool
model_prompt_labels(const ModelTokenizer *tokenizer, ModelMask mask, const char *template_name,
                    const char *const *turns, size_t n_turns, uint32_t max_length, ModelIds *ids,
                    ModelIds *labels, bool *mismatch, ModelError *err)
{
  const ModelTemplate *template =
      model_template_find(!template_name && mask == MODEL_MASK_V0 ? "v0" : template_name);
  Labelling l = {.tokenizer = tokenizer,
                 .ids = ids,
                 .labels = labels,
                 .err = err,
                 .max_length = max_length ? max_length : SIZE_MAX};
  bool done;

  ids->n = 0;
  labels->n = 0;
  if (mismatch) {
    *mismatch = false;
  }
  if (!check(mask, template_name, template, n_turns, err)) {
    return false;
  }
  done = mask == MODEL_MASK_PLAIN ? label_plain(&l, turns[0])
         : mask == MODEL_MASK_V0  ? label_v0(&l, template, turns, n_turns)
                                  : label_rounds(&l, template, turns, n_turns);
  if (!done) {
    ids->n = 0;
    labels->n = 0;
    return false;
  }
  for (size_t i = 0; i < ids->n; i++) {
    if (ids->ids[i] == MODEL_IMAGE_ID) {
      labels->ids[i] = MODEL_IGNORE_INDEX;
    }
  }
  if (ids->n > l.max_length) {
    ids->n = labels->n = l.max_length;
  }
  if (mismatch) {
    *mismatch = l.mismatch;
  }
  return true;
}
