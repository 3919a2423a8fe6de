/* instruction.c - which instruction goes with which caption (LLaVA-Med, arXiv 2306.00890, 3.1), and
 * how closed questions are put. */
#include "model_prompt.h"

#include "base/random.h"
#include "prompt/space.h"

#include <string.h>

/* As in the released alignment data: the brief ones end in a full stop and one has a typographic
 * apostrophe; the detailed ones have no full stop. */
static const char *const brief[] = {
    "Describe the image concisely.",
    "Provide a brief description of the given image.",
    "Offer a succinct explanation of the picture presented.",
    "Summarize the visual content of the image.",
    "Give a short and clear explanation of the subsequent image.",
    "Share a concise interpretation of the image provided.",
    "Present a compact description of the photo\xE2\x80\x99s key features.",
    "Relay a brief, clear account of the picture shown.",
    "Render a clear and concise summary of the photo.",
    "Write a terse but informative summary of the picture.",
    "Create a compact narrative representing the image presented.",
};

static const char *const detailed[] = {
    "Describe the following image in detail",
    "Provide a detailed description of the given image",
    "Give an elaborate explanation of the image you see",
    "Share a comprehensive rundown of the presented image",
    "Offer a thorough analysis of the image",
    "Explain the various aspects of the image before you",
    "Clarify the contents of the displayed image with great detail",
    "Characterize the image using a well-detailed description",
    "Break down the elements of the image in a detailed manner",
    "Walk through the important details of the image",
    "Portray the image with a rich, descriptive narrative",
    "Narrate the contents of the image with precision",
    "Analyze the image in a comprehensive and detailed manner",
    "Illustrate the image through a descriptive explanation",
    "Examine the image closely and share its details",
    "Write an exhaustive depiction of the given image",
};

enum {
  N_BRIEF = sizeof brief / sizeof *brief,
  N_DETAILED = sizeof detailed / sizeof *detailed,
  /* A caption under 30 words is at most about 60 tokens long; a long one may fill LLaVA's 512. */
  BRIEF_TOKENS = 96,
  DETAILED_TOKENS = 512,
};

uint32_t
model_prompt_words(const char *text, size_t length)
{
  uint32_t words = 0;
  bool inside = false;

  for (size_t i = 0, step; i < length; i += step) {
    bool space;
    step = model_space_step(text + i, length - i, &space);
    words += !space && !inside && words < UINT32_MAX;
    inside = !space;
  }
  return words;
}

/* Uniform in 0..n-1: draws from the incomplete last stretch of n are thrown away. */
static uint32_t
choose(uint64_t seed, uint32_t n)
{
  uint64_t state = seed, draw, end = UINT64_MAX - UINT64_MAX % n;

  do {
    draw = model_splitmix64(&state);
  } while (draw >= end);
  return (uint32_t)(draw % n);
}

ModelInstruction
model_prompt_instruction(ModelLength length, const char *caption, uint64_t seed)
{
  ModelInstruction chosen = {.threshold = MODEL_PROMPT_THRESHOLD_WORDS};
  bool is_brief = length == MODEL_LENGTH_BRIEF;

  chosen.words = caption ? model_prompt_words(caption, strlen(caption)) : 0;
  if (length != MODEL_LENGTH_AUTO) {
    chosen.rule = "override";
  } else if (chosen.words == 0) {
    chosen.rule = "no-caption";
  } else {
    chosen.rule = "caption";
    is_brief = chosen.words < MODEL_PROMPT_THRESHOLD_WORDS;
  }
  chosen.list = is_brief ? "brief" : "detailed";
  chosen.index = choose(seed, is_brief ? N_BRIEF : N_DETAILED);
  chosen.text = is_brief ? brief[chosen.index] : detailed[chosen.index];
  chosen.max_tokens = is_brief ? BRIEF_TOKENS : DETAILED_TOKENS;
  return chosen;
}

const char *
model_prompt_instruction_at(const char *list, uint32_t index)
{
  if (strcmp(list, "brief") == 0) {
    return index < N_BRIEF ? brief[index] : NULL;
  }
  if (strcmp(list, "detailed") == 0) {
    return index < N_DETAILED ? detailed[index] : NULL;
  }
  return NULL;
}

const char *
model_prompt_answer_suffix(ModelAnswerForm form)
{
  switch (form) {
  case MODEL_ANSWER_SHORT:
    return "\nAnswer the question using a single word or phrase.";
  case MODEL_ANSWER_YES_NO:
    return " Please choose from the following two options: [yes, no]";
  case MODEL_ANSWER_FREE:
    break;
  }
  return "";
}
