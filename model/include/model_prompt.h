/* model_prompt.h - caption-length-aware prompting, the one place for it (model/prompt).
 *
 * LLaVA-Med's rule (arXiv 2306.00890, section 3.1): a caption under 30 words is paired with a
 * request for a brief description, a longer one with a request for a detailed one. A word is what
 * white space separates. Pure functions, any thread; only model_prompt_render() allocates. Used by
 * the application, the data tools and training alike.
 */
#ifndef HILUM_MODEL_PROMPT_H
#define HILUM_MODEL_PROMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MODEL_PROMPT_THRESHOLD_WORDS 30

typedef enum { MODEL_LENGTH_AUTO, MODEL_LENGTH_BRIEF, MODEL_LENGTH_DETAILED } ModelLength;

typedef struct {
  const char *rule;    /* "caption" (counted), "no-caption" (detailed) or "override"; static */
  uint32_t words;      /* of the caption; 0 without one */
  uint32_t threshold;  /* MODEL_PROMPT_THRESHOLD_WORDS */
  const char *list;    /* "brief" or "detailed"; static */
  uint32_t index;      /* in that list */
  const char *text;    /* the instruction; static */
  uint32_t max_tokens; /* budget that goes with the list */
} ModelInstruction;

/* White space separated words of TEXT (UTF-8; Unicode white space as Python's str.split()). */
uint32_t model_prompt_words(const char *text, size_t length);

/* CAPTION may be NULL; one without a word is none. The same SEED gives the same instruction on
 * every machine. */
ModelInstruction model_prompt_instruction(ModelLength length, const char *caption, uint64_t seed);

/* The lists themselves: LIST "brief" (11) or "detailed" (16). NULL past the end. */
const char *model_prompt_instruction_at(const char *list, uint32_t index);

/* How a closed question is put. SHORT: LLaVA-1.5's "\nAnswer the question using a single word or
 * phrase."; YES_NO: VQA-RAD's " Please choose from the following two options: [yes, no]". */
typedef enum { MODEL_ANSWER_FREE, MODEL_ANSWER_SHORT, MODEL_ANSWER_YES_NO } ModelAnswerForm;
/* The suffix to append to the question; "" for FREE. Static. */
const char *model_prompt_answer_suffix(ModelAnswerForm form);

/* Every conversation template by name ("mistral_instruct", "vicuna_v1", "multimodal", ...). NULL
 * past the end. Where v1.0 and v1.5 give one name to two texts, each text has a name of its own
 * here: v1.5's "v1" is "vicuna_v1_med15", v1.0's "v1" and "default" are "v0", v1.0's "llava_v1" is
 * "llava_v1_v10". */
const char *model_prompt_template_name(uint32_t index);

/* Renders TURNS (question, answer, question, ...; n strings). OPEN_TURN: end where the assistant
 * must speak. Caller frees with free(); NULL when the template is unknown or memory is out. */
char *model_prompt_render(const char *template_name, const char *const *turns, size_t n,
                          bool open_turn);

#ifdef __cplusplus
}
#endif
#endif
