/* template.h - conversation templates as data, and the one place that turns them into text. Private
 * to model/prompt. */
#ifndef HILUM_MODEL_PROMPT_TEMPLATE_H
#define HILUM_MODEL_PROMPT_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

/* How turns are joined (the reference's SeparatorStyle). TWO_SPACE is LLaVA-Med v1.5's own TWO: one
 * more space after each answer's end, and white space cut off at both ends of the whole. */
typedef enum {
  MODEL_STYLE_SINGLE,
  MODEL_STYLE_TWO,
  MODEL_STYLE_TWO_SPACE,
  MODEL_STYLE_LLAMA_2,
  MODEL_STYLE_MPT,
  MODEL_STYLE_PLAIN,
} ModelTemplateStyle;

typedef struct {
  const char *name;
  ModelTemplateStyle style;
  const char *system;
  const char *roles[2];
  const char *sep, *sep2; /* sep2: after an answer; NULL in styles that know one separator */
  const char *first[2];   /* one example exchange after the system text, or NULLs */
  bool image_last;        /* v1.0: question, newline, picture; else picture, newline, question */
  const char *stops[3];   /* NULL-terminated */
} ModelTemplate;

/* NULL when there is none of this name. NAME may be NULL. */
const ModelTemplate *model_template_find(const char *name);

/* Receives a template's text piece by piece. TRUSTED: it is the template's own text. False: stop.
 */
typedef struct {
  bool (*put)(void *user, const char *text, size_t length, bool trusted);
  void *user;
} ModelTemplateSink;

/* The system text and the example exchange. */
bool model_template_put_system(const ModelTemplate *template, const ModelTemplateSink *sink);
/* What stands before and after the question's text; FIRST: the conversation's first question. */
bool model_template_put_question_start(const ModelTemplate *template, bool first,
                                       const ModelTemplateSink *sink);
bool model_template_put_question_end(const ModelTemplate *template, const ModelTemplateSink *sink);
/* Where the assistant must speak. */
bool model_template_put_open(const ModelTemplate *template, const ModelTemplateSink *sink);
/* What stands before the answer's text; it begins with what put_open() gives. */
bool model_template_put_answer_start(const ModelTemplate *template, const ModelTemplateSink *sink);
bool model_template_put_answer_end(const ModelTemplate *template, const ModelTemplateSink *sink);

#endif
