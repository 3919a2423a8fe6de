/* prompt.h - templates on token level: incremental turns and label masks. Private to model/. */
#ifndef HILUM_MODEL_PROMPT_PRIVATE_H
#define HILUM_MODEL_PROMPT_PRIVATE_H

#include "model_prompt.h"
#include "tokenizer/tokenizer.h"

/* Ids that turn number TURN (0: the first) adds to the timeline before the assistant speaks.
 * TURN 0: BOS, system part, question (with the picture when HAS_IMAGE). TURN > 0: the part that
 * closes the previous answer (ANSWER_ENDED_EOS: the model gave its EOS, which is already in the
 * timeline or not according to the flag's name) and the question. Appending these, with answers
 * between, gives the same ids as tokenizing the whole rendered prompt whenever the answer
 * re-tokenizes to itself. Text of the question that looks like a special string stays text for
 * safety, except that the template's own marks are honoured. */
bool model_prompt_turn_ids(const ModelTokenizer *tokenizer, const ModelConfig *config,
                           uint32_t turn, const char *question, bool has_image, ModelIds *ids,
                           ModelError *err);

/* Stop strings of the template (NULL past the end): "</s>", "[INST]", "###" ... never "". */
const char *model_prompt_stop_string(const char *template_name, uint32_t index);

/* Label masks for training (facts 5). */
typedef enum { MODEL_MASK_PLAIN, MODEL_MASK_LLAMA_2, MODEL_MASK_V1, MODEL_MASK_V0 } ModelMask;
#define MODEL_IGNORE_INDEX (-100)

/* TURNS: question, answer, question, answer ... with "<image>" where the picture goes (PLAIN: one
 * string, the caption). TEMPLATE_NAME: for LLAMA_2 and V1 the template ("mistral_instruct",
 * "vicuna_v1"); for V0 the system text is that of the template. IDS and LABELS get equal lengths;
 * labels are MODEL_IGNORE_INDEX or the id. *MISMATCH (may be NULL): lengths did not add up, so that
 * nothing counts ("tokenization mismatch"). MAX_LENGTH cuts both. */
bool model_prompt_labels(const ModelTokenizer *tokenizer, ModelMask mask,
                         const char *template_name, const char *const *turns, size_t n_turns,
                         uint32_t max_length, ModelIds *ids, ModelIds *labels, bool *mismatch,
                         ModelError *err);

#endif
