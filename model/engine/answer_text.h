/* answer_text.h - an answer's text as it grows. Private to model/engine. */
#ifndef HILUM_MODEL_ANSWER_TEXT_H
#define HILUM_MODEL_ANSWER_TEXT_H

#include "model.h"

#define MODEL_MAX_STOPS 8

typedef struct {
  const char *stops[MODEL_MAX_STOPS]; /* borrowed; none is "" */
  uint32_t n_stops;
  size_t longest_stop;
  char *raw;                           /* bytes as the ids gave them */
  size_t n_raw, raw_capacity, settled; /* raw[0 .. settled) is in text */
  char *text;                          /* valid UTF-8, ends in NUL */
  size_t n_text, text_capacity;
} ModelAnswerText;

bool model_answer_text_init(ModelAnswerText *text, ModelError *err);
void model_answer_text_clear(ModelAnswerText *text);
/* STOP is borrowed; "" is passed over: LLaVA-Med's own scripts once stopped at the empty string,
 * which ends every answer after one word (facts 3). */
void model_answer_text_stop_at(ModelAnswerText *text, const char *stop);

/* Appends N bytes. *STOPPED: a stop string is complete; the text is cut before it, at *CUT of the
 * raw bytes. Then everything in front of it that cannot be part of a stop string or of a broken
 * character is settled: what the text has grown by is *GROWN bytes at its end. */
bool model_answer_text_add(ModelAnswerText *text, const char *bytes, size_t n, bool *stopped,
                           size_t *cut, size_t *grown, ModelError *err);
/* The answer is whole: drops the white space that it ends with, and returns the raw bytes left. The
 * templates of LLaVA-Med write a space in front of "</s>", so its models say it, and LLaVA's
 * scripts strip it; the next turn's closing part brings it again. */
size_t model_answer_text_trim(ModelAnswerText *text);
/* Turns each of the N ENDS, which are raw bytes and never fall, into the bytes of the finished text
 * that are whole by then. */
void model_answer_text_ends(const ModelAnswerText *text, size_t *ends, size_t n);
/* Settles what was held back; broken bytes become U+FFFD, one each. */
bool model_answer_text_finish(ModelAnswerText *text, size_t *grown, ModelError *err);

#endif
