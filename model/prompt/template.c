/* template.c - the published templates, and how their parts are joined (facts 3). */
#include "prompt/template.h"

#include "model_prompt.h"
#include "prompt/space.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The published texts, letter for letter, with their missing spaces (facts: LLaVA-Med v1.0 and
 * v1.5, llava/conversation.py). */
#define CHAT(who) "A chat between a curious " who " and an artificial intelligence assistant."
#define HELPFUL(who)                                                                               \
  " The assistant gives helpful, detailed, and polite answers to the " who "'s questions."
#define S1 CHAT("user") HELPFUL("user")
#define S2 CHAT("human") HELPFUL("human")
#define MED                                                                                        \
  "You are LLaVA-Med, a large language and vision assistant trained by a group of researchers at " \
  "Microsoft, based on the general domain LLaVA architecture."
#define MED_TASKS(what)                                                                            \
  MED "You are able to understand the visual content that the user provides, and assist the user " \
      "with a variety of medical and clinical " what " using natural language."                    \
      "Follow the instructions carefully and explain your answers in detail."
#define MED_LEGACY                                                                                 \
  MED "You are designed to assist human with a variety of medical and clinical research tasks "    \
      "using natural language.Follow the instructions carefully."
#define LLAMA_2_SYSTEM                                                                             \
  "You are a helpful, respectful and honest assistant. Always answer as helpfully as possible, "   \
  "while being safe.  Your answers should not include any harmful, unethical, racist, sexist, "    \
  "toxic, dangerous, or illegal content. Please ensure that your responses are socially unbiased " \
  "and positive in nature.\n\nIf a question does not make any sense, or is not factually "         \
  "coherent, explain why instead of answering something not correct. If you don't know the "       \
  "answer to a question, please don't share false information."
#define LLAVA_LLAMA_2_SYSTEM                                                                       \
  "You are a helpful language and vision assistant. You are able to understand the visual "        \
  "content that the user provides, and assist the user with a variety of tasks using natural "     \
  "language."
#define MMTAG                                                                                      \
  CHAT("user")                                                                                     \
  " The assistant is able to understand the visual content that the user provides, and assist "    \
  "the user with a variety of tasks using natural language.The visual content will be provided "   \
  "with the following format: <Image>visual content</Image>."
#define MPT_SYSTEM                                                                                 \
  "<|im_start|>system\nA conversation between a user and an LLM-based AI assistant. The "          \
  "assistant "                                                                                     \
  "gives helpful and honest answers."
#define HELLO "Hi there!  How can I help you today?\n"
#define ENERGY_QUESTION                                                                            \
  "What are the key differences between renewable and non-renewable energy sources?"
#define ENERGY_ANSWER                                                                              \
  "Renewable energy sources are those that can be replenished naturally in a relatively short "    \
  "amount of time, such as solar, wind, hydro, geothermal, and biomass. Non-renewable energy "     \
  "sources, on the other hand, are finite and will eventually be depleted, such as coal, oil, "    \
  "and natural gas. Here are some key differences between renewable and non-renewable energy "     \
  "sources:\n"                                                                                     \
  "1. Availability: Renewable energy sources are virtually inexhaustible, while non-renewable "    \
  "energy sources are finite and will eventually run out.\n"                                       \
  "2. Environmental impact: Renewable energy sources have a much lower environmental impact "      \
  "than non-renewable sources, which can lead to air and water pollution, greenhouse gas "         \
  "emissions, and other negative effects.\n"                                                       \
  "3. Cost: Renewable energy sources can be more expensive to initially set up, but they "         \
  "typically have lower operational costs than non-renewable sources.\n"                           \
  "4. Reliability: Renewable energy sources are often more reliable and can be used in more "      \
  "remote locations than non-renewable sources.\n"                                                 \
  "5. Flexibility: Renewable energy sources are often more flexible and can be adapted to "        \
  "different situations and needs, while non-renewable sources are more rigid and inflexible.\n"   \
  "6. Sustainability: Renewable energy sources are more sustainable over the long term, while "    \
  "non-renewable sources are not, and their depletion can lead to economic and social "            \
  "instability.\n"

#define SINGLE_HUMAN(title, text, ...)                                                             \
  {                                                                                                \
    .name = title, .style = MODEL_STYLE_SINGLE, .system = text, .roles = {"Human", "Assistant"},   \
    .sep = "###", .stops = {"###"}, __VA_ARGS__                                                    \
  }
#define TWO_USER(title, joined, text, ...)                                                         \
  {                                                                                                \
    .name = title, .style = joined, .system = text, .roles = {"USER", "ASSISTANT"}, .sep = " ",    \
    .sep2 = "</s>", .stops = {"</s>"}, __VA_ARGS__                                                 \
  }
#define LLAMA_2(title, text, before)                                                               \
  {                                                                                                \
    .name = title, .style = MODEL_STYLE_LLAMA_2, .system = text, .roles = {"USER", "ASSISTANT"},   \
    .sep = before, .sep2 = "</s>", .stops = {                                                      \
      "</s>",                                                                                      \
      "[INST]"                                                                                     \
    }                                                                                              \
  }

/* v1.0 and v1.5 give the names "v1", "default" and "llava_v1" to different texts. Here each text
 * has one name: v1.5's "v1" is vicuna_v1_med15 (upstream LLaVA's, without the space, is vicuna_v1),
 * v1.0's "v1" and "default" are v0, v1.0's "llava_v1" is llava_v1_v10. */
static const ModelTemplate templates[] = {
    LLAMA_2("mistral_instruct", "", ""),
    LLAMA_2("llama_2", LLAMA_2_SYSTEM, "<s>"),
    LLAMA_2("llava_llama_2", LLAVA_LLAMA_2_SYSTEM, "<s>"),
    TWO_USER("vicuna_v1", MODEL_STYLE_TWO, S1, ),
    TWO_USER("vicuna_v1_med15", MODEL_STYLE_TWO_SPACE, S1, ),
    TWO_USER("vicuna_v1_1", MODEL_STYLE_TWO, S1, .image_last = true),
    TWO_USER("llava_v1", MODEL_STYLE_TWO_SPACE, S2, ),
    TWO_USER("llava_v1_v10", MODEL_STYLE_TWO, MED_TASKS("research tasks"), .image_last = true),
    TWO_USER("v1_mmtag", MODEL_STYLE_TWO_SPACE, MMTAG, ),
    {.name = "bair_v1",
     .style = MODEL_STYLE_TWO,
     .system = "BEGINNING OF CONVERSATION:",
     .roles = {"USER", "GPT"},
     .sep = " ",
     .sep2 = "</s>",
     .image_last = true,
     .stops = {"</s>"}},
    SINGLE_HUMAN("v0", S2, .first = {ENERGY_QUESTION, ENERGY_ANSWER}),
    SINGLE_HUMAN("llava_v0", S2, ),
    SINGLE_HUMAN("v0_mmtag", MMTAG, ),
    SINGLE_HUMAN("simple", S2, .first = {"Hi!", HELLO}, .image_last = true),
    SINGLE_HUMAN("simple_legacy", MED_LEGACY, .first = {"Hi!\n\n### Response:", HELLO},
                 .image_last = true),
    SINGLE_HUMAN("multimodal", MED_TASKS("tasks"), .first = {"Hi!", HELLO}, .image_last = true),
    {.name = "mpt",
     .style = MODEL_STYLE_MPT,
     .system = MPT_SYSTEM,
     .roles = {"<|im_start|>user\n", "<|im_start|>assistant\n"},
     .sep = "<|im_end|>",
     .stops = {"<|im_end|>"}},
    {.name = "plain",
     .style = MODEL_STYLE_PLAIN,
     .system = "",
     .roles = {"", ""},
     .sep = "\n",
     .stops = {"\n"}},
};

const ModelTemplate *
model_template_find(const char *name)
{
  for (size_t i = 0; name && i < sizeof templates / sizeof *templates; i++) {
    if (strcmp(templates[i].name, name) == 0) {
      return &templates[i];
    }
  }
  return NULL;
}

const char *
model_prompt_template_name(uint32_t index)
{
  return index < sizeof templates / sizeof *templates ? templates[index].name : NULL;
}

static bool
put(const ModelTemplateSink *sink, const char *text)
{
  return *text == '\0' || sink->put(sink->user, text, strlen(text), true);
}

bool
model_template_put_question_start(const ModelTemplate *template, bool first,
                                  const ModelTemplateSink *sink)
{
  switch (template->style) {
  case MODEL_STYLE_SINGLE:
  case MODEL_STYLE_TWO:
  case MODEL_STYLE_TWO_SPACE:
    return put(sink, template->roles[0]) && put(sink, ": ");
  case MODEL_STYLE_LLAMA_2:
    /* The reference writes the separator before each turn and strips the first one. */
    if (!(first || put(sink, template->sep)) || !put(sink, "[INST] ")) {
      return false;
    }
    return !first || *template->system == '\0' ||
           (put(sink, "<<SYS>>\n") && put(sink, template->system) && put(sink, "\n<</SYS>>\n\n"));
  case MODEL_STYLE_MPT:
    return put(sink, template->roles[0]);
  case MODEL_STYLE_PLAIN:
    break;
  }
  return true;
}

bool
model_template_put_question_end(const ModelTemplate *template, const ModelTemplateSink *sink)
{
  return put(sink, template->style == MODEL_STYLE_LLAMA_2 ? " [/INST]" : template->sep);
}

bool
model_template_put_open(const ModelTemplate *template, const ModelTemplateSink *sink)
{
  switch (template->style) {
  case MODEL_STYLE_SINGLE:
  case MODEL_STYLE_TWO:
  case MODEL_STYLE_TWO_SPACE:
    return put(sink, template->roles[1]) && put(sink, ":");
  case MODEL_STYLE_MPT:
    return put(sink, template->roles[1]);
  case MODEL_STYLE_LLAMA_2:
  case MODEL_STYLE_PLAIN:
    break;
  }
  return true;
}

bool
model_template_put_answer_start(const ModelTemplate *template, const ModelTemplateSink *sink)
{
  return model_template_put_open(template, sink) &&
         (template->style == MODEL_STYLE_MPT || template->style == MODEL_STYLE_PLAIN ||
          put(sink, " "));
}

bool
model_template_put_answer_end(const ModelTemplate *template, const ModelTemplateSink *sink)
{
  switch (template->style) {
  case MODEL_STYLE_LLAMA_2:
    return put(sink, " ") && put(sink, template->sep2);
  case MODEL_STYLE_TWO_SPACE:
    return put(sink, template->sep2) && put(sink, " ");
  case MODEL_STYLE_TWO:
    return put(sink, template->sep2);
  case MODEL_STYLE_SINGLE:
  case MODEL_STYLE_MPT:
  case MODEL_STYLE_PLAIN:
    break;
  }
  return put(sink, template->sep);
}

bool
model_template_put_system(const ModelTemplate *template, const ModelTemplateSink *sink)
{
  if (template->style == MODEL_STYLE_LLAMA_2 || template->style == MODEL_STYLE_PLAIN) {
    return true; /* inside the first question, or none */
  }
  return put(sink, template->system) && put(sink, template->sep) &&
         (!template->first[0] ||
          (model_template_put_question_start(template, true, sink) &&
           put(sink, template->first[0]) && model_template_put_question_end(template, sink) &&
           model_template_put_answer_start(template, sink) && put(sink, template->first[1]) &&
           model_template_put_answer_end(template, sink)));
}

/* ---- rendering ---------------------------------------------------------------------------- */

typedef struct {
  char *text;
  size_t n, capacity;
} Rendered;

static bool
append(void *user, const char *text, size_t length, bool trusted)
{
  Rendered *out = user;
  size_t need;

  if (__builtin_add_overflow(out->n, length, &need) || need > SIZE_MAX / 4) {
    return false;
  }
  if (need + 1 > out->capacity) {
    char *grown = realloc(out->text, 2 * need + 1);
    if (!grown) {
      return false;
    }
    out->text = grown;
    out->capacity = 2 * need + 1;
  }
  memcpy(out->text + out->n, text, length);
  out->n = need;
  out->text[need] = '\0';
  return true;
}

static bool
render(const ModelTemplate *template, const char *const *turns, size_t n, bool open_turn,
       const ModelTemplateSink *sink)
{
  if (!model_template_put_system(template, sink)) {
    return false;
  }
  for (size_t i = 0; i < n; i++) {
    bool question = i % 2 == 0;
    if (question ? !model_template_put_question_start(template, i == 0, sink)
                 : !model_template_put_answer_start(template, sink)) {
      return false;
    }
    if (!sink->put(sink->user, turns[i], strlen(turns[i]), false)) {
      return false;
    }
    if (question ? !model_template_put_question_end(template, sink)
                 : !model_template_put_answer_end(template, sink)) {
      return false;
    }
  }
  return !open_turn || n % 2 == 0 || model_template_put_open(template, sink);
}

static void
strip(Rendered *out)
{
  size_t from = out->n, to = 0;

  for (size_t i = 0, step; i < out->n; i += step) {
    bool space;
    step = model_space_step(out->text + i, out->n - i, &space);
    if (!space) {
      from = from == out->n ? i : from;
      to = i + step;
    }
  }
  out->n = to > from ? to - from : 0;
  memmove(out->text, out->text + from, out->n);
  out->text[out->n] = '\0';
}

char *
model_prompt_render(const char *template_name, const char *const *turns, size_t n, bool open_turn)
{
  const ModelTemplate *template = model_template_find(template_name);
  Rendered out = {0};
  const ModelTemplateSink sink = {append, &out};

  if (!template || !append(&out, "", 0, true) || !render(template, turns, n, open_turn, &sink)) {
    free(out.text);
    return NULL;
  }
  if (template->style == MODEL_STYLE_TWO_SPACE) {
    strip(&out);
  }
  return out.text;
}
