/* prompt.h - templates on token level: incremental turns and label masks. Private to model/. */
#ifndef HILUM_MODEL_PROMPT_PRIVATE_H
#define HILUM_MODEL_PROMPT_PRIVATE_H

#include "model_prompt.h"
#include "tokenizer/tokenizer.h"

/* Ids that turn number TURN (0: the first) appends to the timeline before the assistant speaks,
 * with the template that CONFIG names. TURN 0: BOS, the system part, the question (with the picture
 * when HAS_IMAGE), the assistant's mark. TURN > 0: what closes the previous answer (for most
 * templates "</s>" as EOS or "###"), then the question and the mark. The timeline must end with the
 * previous answer's own ids: an EOS or a stop string that the model gave is left out of it, because
 * the closing part supplies both.
 *
 * Appending these, with the answers' ids between, gives the ids of the whole rendered prompt
 * whenever the answer re-tokenizes to itself. The picture stands before the question
 * ("<image>\nQ"), in v1.0's templates and for checkpoints with image start and end ids after it
 * ("Q\n<image>"). In the question nothing is special: "</s>" or "<image>" typed by a user stays
 * text. Unknown template: UNSUPPORTED. On error IDS is as before. */
bool model_prompt_turn_ids(const ModelTokenizer *tokenizer, const ModelConfig *config,
                           uint32_t turn, const char *question, bool has_image, ModelIds *ids,
                           ModelError *err);

/* Stop strings of the template (NULL past the end): "</s>", "[INST]", "###" ... never "". */
const char *model_prompt_stop_string(const char *template_name, uint32_t index);

/* Label masks for training (facts 5). */
typedef enum { MODEL_MASK_PLAIN, MODEL_MASK_LLAMA_2, MODEL_MASK_V1, MODEL_MASK_V0 } ModelMask;
#define MODEL_IGNORE_INDEX (-100)

/* TURNS: question, answer, question, answer ... with "<image>" where the picture goes (PLAIN: one
 * string, the caption, before which the picture is put). TEMPLATE_NAME: for LLAMA_2 and V1 the
 * template ("mistral_instruct", "vicuna_v1"); for V0 one with "###", whose system text and roles
 * are used (NULL: "v0", as v1.0 trained); PLAIN ignores it. Special strings count in the turns, as
 * in the reference. IDS and LABELS are filled anew with equal lengths; labels are
 * MODEL_IGNORE_INDEX (always for the picture's MODEL_IMAGE_ID) or the id. *MISMATCH (may be NULL):
 * lengths did not add up, so that nothing counts ("tokenization mismatch"). MAX_LENGTH cuts both.
 */
bool model_prompt_labels(const ModelTokenizer *tokenizer, ModelMask mask, const char *template_name,
                         const char *const *turns, size_t n_turns, uint32_t max_length,
                         ModelIds *ids, ModelIds *labels, bool *mismatch, ModelError *err);

#endif
