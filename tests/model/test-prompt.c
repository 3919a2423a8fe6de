/* test-prompt.c - templates letter for letter, turns id for id, and the caption rule. */
#include "tokenizer-fixture.h"

#include "prompt/prompt.h"

#define LLAMA "corpus/tokenizer/llama_tokenizer.model"

/* ---- templates ------------------------------------------------------------------------------ */

/* The golden files' names, which v1.0 and v1.5 use for different texts, and ours. */
static const struct {
  const char *golden, *ours;
} names_v10[] = {{"default", "v0"},
                 {"simple", "simple"},
                 {"simple_legacy", "simple_legacy"},
                 {"multimodal", "multimodal"},
                 {"llava_v1", "llava_v1_v10"},
                 {"v1", "v0"},
                 {"bair_v1", "bair_v1"},
                 {"vicuna_v1_1", "vicuna_v1_1"}},
  names_v15[] = {{"v0", "v0"},
                 {"v1", "vicuna_v1_med15"},
                 {"llava_v0", "llava_v0"},
                 {"llava_v1", "llava_v1"},
                 {"mistral_instruct", "mistral_instruct"},
                 {"llama_2", "llama_2"},
                 {"llava_llama_2", "llava_llama_2"},
                 {"mpt", "mpt"},
                 {"v0_mmtag", "v0_mmtag"},
                 {"v1_mmtag", "v1_mmtag"}};

static void
assert_renders(const char *name, const char *const *turns, gsize n, gboolean open,
               const char *expected)
{
  char *text = model_prompt_render(name, turns, n, open);

  g_assert_cmpstr(text, ==, expected);
  free(text);
}

static void
check_template(JsonObject *root, const char *golden, const char *ours, const char *question)
{
  JsonObject *entry = json_object_get_object_member(root, golden);
  const char *const turns[] = {question, "A1", "Q2"};

  assert_renders(ours, turns, 1, TRUE, json_object_get_string_member(entry, "turn1"));
  assert_renders(ours, turns, 3, TRUE, json_object_get_string_member(entry, "turn2"));
  if (json_object_has_member(entry, "user_only")) {
    assert_renders(ours, turns, 1, FALSE, json_object_get_string_member(entry, "user_only"));
  }
}

static void
test_golden_templates(void)
{
  g_autoptr(JsonParser) v10 = shared_json("vectors/golden/prompts_v1.0.json");
  g_autoptr(JsonParser) v15 = v10 ? shared_json("vectors/golden/prompts_v1.5.json") : NULL;
  JsonObject *root;

  if (!v15) {
    return;
  }
  root = json_node_get_object(json_parser_get_root(v10));
  g_assert_cmpuint(json_object_get_size(root), ==, G_N_ELEMENTS(names_v10));
  for (guint i = 0; i < G_N_ELEMENTS(names_v10); i++) {
    check_template(root, names_v10[i].golden, names_v10[i].ours, "Q1\n<image>");
  }
  /* v1.5's "plain" cannot be rendered with an open turn: the reference raises an error. */
  root = json_node_get_object(json_parser_get_root(v15));
  g_assert_cmpuint(json_object_get_size(root), ==, G_N_ELEMENTS(names_v15) + 1);
  g_assert_true(g_str_has_prefix(json_object_get_string_member(root, "plain"), "TypeError"));
  for (guint i = 0; i < G_N_ELEMENTS(names_v15); i++) {
    check_template(root, names_v15[i].golden, names_v15[i].ours, "<image>\nQ1");
  }
}

/* The prompts whose ids the tokenizer test compares: upstream LLaVA's vicuna_v1 is among them. */
static void
test_golden_prompts(void)
{
  g_autoptr(JsonParser) parser = shared_json("vectors/tokenizer.json");
  JsonArray *prompts;

  if (!parser) {
    return;
  }
  prompts =
      json_object_get_array_member(json_node_get_object(json_parser_get_root(parser)), "prompts");
  for (guint i = 0; i < json_array_get_length(prompts); i++) {
    JsonObject *entry = json_array_get_object_element(prompts, i);
    JsonArray *array = json_object_get_array_member(entry, "turns");
    g_autofree const char **turns = json_strings(array);
    assert_renders(json_object_get_string_member(entry, "template"), turns,
                   json_array_get_length(array), TRUE,
                   json_object_get_string_member(entry, "prompt"));
  }
}

/* Without any data from outside: one template of each style, open and closed. */
static void
test_styles(void)
{
  static const char *const turns[] = {"Q1", "A1", "Q2", "A2"};
  static const char *const spaced[] = {"Q1 \xC2\xA0\xE2\x80\x83"};
  char *text;

  assert_renders("mistral_instruct", turns, 1, TRUE, "[INST] Q1 [/INST]");
  assert_renders("mistral_instruct", turns, 4, FALSE,
                 "[INST] Q1 [/INST] A1 </s>[INST] Q2 [/INST] A2 </s>");
  assert_renders("bair_v1", turns, 3, TRUE,
                 "BEGINNING OF CONVERSATION: USER: Q1 GPT: A1</s>USER: Q2 GPT:");
  assert_renders("bair_v1", turns, 4, TRUE,
                 "BEGINNING OF CONVERSATION: USER: Q1 GPT: A1</s>USER: Q2 GPT: A2</s>");
  assert_renders("plain", turns, 2, TRUE, "Q1\nA1\n");
  assert_renders("plain", turns, 0, TRUE, "");
  text = model_prompt_render("llama_2", turns, 3, TRUE);
  g_assert_true(g_str_has_prefix(text, "[INST] <<SYS>>\nYou are a helpful, respectful"));
  g_assert_true(g_str_has_suffix(text, "\n<</SYS>>\n\nQ1 [/INST] A1 </s><s>[INST] Q2 [/INST]"));
  free(text);
  text = model_prompt_render("multimodal", turns, 3, TRUE);
  g_assert_true(g_str_has_suffix(
      text, "###Assistant: Hi there!  How can I help you today?\n###Human: Q1###Assistant: "
            "A1###Human: Q2###Assistant:"));
  free(text);
  text = model_prompt_render("mpt", turns, 2, FALSE);
  g_assert_true(g_str_has_suffix(
      text, "<|im_end|><|im_start|>user\nQ1<|im_end|><|im_start|>assistant\nA1<|im_end|>"));
  free(text);
  /* v1.5's own two-separator style cuts white space off at the ends, as Python's strip() */
  text = model_prompt_render("llava_v1", turns, 2, FALSE);
  g_assert_true(g_str_has_suffix(text, " USER: Q1 ASSISTANT: A1</s>"));
  free(text);
  text = model_prompt_render("llava_v1", spaced, 1, FALSE);
  g_assert_true(g_str_has_suffix(text, " USER: Q1"));
  free(text);

  g_assert_null(model_prompt_render("v1", turns, 1, TRUE));
  g_assert_null(model_prompt_render(NULL, turns, 1, TRUE));
}

static void
test_names(void)
{
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  guint n = 0;

  for (; model_prompt_template_name(n); n++) {
    g_assert_true(g_hash_table_add(seen, (gpointer)model_prompt_template_name(n)));
  }
  g_assert_cmpuint(n, ==, 18);
  for (guint i = 0; i < G_N_ELEMENTS(names_v10); i++) {
    g_assert_true(g_hash_table_contains(seen, names_v10[i].ours));
  }
  for (guint i = 0; i < G_N_ELEMENTS(names_v15); i++) {
    g_assert_true(g_hash_table_contains(seen, names_v15[i].ours));
  }
}

/* No stop string is empty: v1.5's own command line stopped after one word because of that. */
static void
test_stop_strings(void)
{
  for (guint i = 0; model_prompt_template_name(i); i++) {
    const char *name = model_prompt_template_name(i);
    guint n = 0;
    for (; model_prompt_stop_string(name, n); n++) {
      g_assert_cmpstr(model_prompt_stop_string(name, n), !=, "");
    }
    g_assert_cmpuint(n, >, 0);
    g_assert_null(model_prompt_stop_string(name, n + 1));
  }
  g_assert_cmpstr(model_prompt_stop_string("multimodal", 0), ==, "###");
  g_assert_cmpstr(model_prompt_stop_string("mistral_instruct", 0), ==, "</s>");
  g_assert_cmpstr(model_prompt_stop_string("mistral_instruct", 1), ==, "[INST]");
  g_assert_cmpstr(model_prompt_stop_string("vicuna_v1", 0), ==, "</s>");
  g_assert_null(model_prompt_stop_string("nothing", 0));
}

/* ---- turns ---------------------------------------------------------------------------------- */

static gboolean
image_is_last(const char *name)
{
  static const char *const v10[] = {"simple",  "simple_legacy", "multimodal", "llava_v1_v10",
                                    "bair_v1", "vicuna_v1_1",   NULL};
  return g_strv_contains(v10, name);
}

static gboolean
answer_has_space(const char *name)
{
  return !g_str_equal(name, "mpt") && !g_str_equal(name, "plain");
}

/* What the model says is taken as the ids that its text has at this place of the timeline. */
static void
push_answer(const Fixture *fixture, const char *name, const char *answer, ModelIds *ids)
{
  g_autofree char *text = g_strconcat(answer_has_space(name) ? " " : "", answer, NULL);
  ModelError err = {0};

  g_assert_true(
      model_tokenizer_encode_part(fixture->tokenizer, text, strlen(text), false, ids, &err));
}

/* IMAGES: bit i, turn i has a picture. The answers end in letters, because what ends in ".", say,
 * may become another piece with what follows (".<" before "<|im_end|>"): such an answer does not
 * re-tokenize to itself. */
static void
check_turns(const Fixture *fixture, const char *name, guint n_turns, guint images)
{
  static const char *const questions[] = {"Is the lung in the image normal?",
                                          "a\nthin hat # 3.5 mm", "\xE2\x89\xA5 2?"};
  static const char *const answers[] = {"No, the onion", "12 mm\nin the hat", "\xF0\x9F\xA9\xBB"};
  ModelConfig config = fixture->config;
  g_autoptr(GPtrArray) turns = g_ptr_array_new_with_free_func(g_free);
  g_auto(ModelIds) timeline = {0}, whole = {0};
  g_autofree char *found = NULL, *expected = NULL;
  ModelError err = {0};
  char *text;

  g_strlcpy(config.template_name, name, sizeof config.template_name);
  for (guint i = 0; i < n_turns; i++) {
    const gboolean has_image = images >> i & 1;
    g_assert_true(model_prompt_turn_ids(fixture->tokenizer, &config, i, questions[i], has_image,
                                        &timeline, &err));
    g_ptr_array_add(turns, !has_image ? g_strdup(questions[i])
                           : image_is_last(name) || config.image_start_end
                               ? g_strconcat(questions[i], "\n<image>", NULL)
                               : g_strconcat("<image>\n", questions[i], NULL));
    if (i + 1 < n_turns) {
      push_answer(fixture, name, answers[i], &timeline);
      g_ptr_array_add(turns, g_strdup(answers[i]));
    }
  }
  text = model_prompt_render(name, (const char *const *)turns->pdata, turns->len, TRUE);
  g_assert_true(
      model_tokenizer_encode_prompt(fixture->tokenizer, text, strlen(text), &whole, &err));
  free(text);
  found = ids_text(&timeline);
  expected = ids_text(&whole);
  g_test_message("%s, %u turns, pictures %x", name, n_turns, images);
  g_assert_cmpstr(found, ==, expected);
}

static void
check_all_turns(const Fixture *fixture)
{
  for (guint i = 0; model_prompt_template_name(i); i++) {
    for (guint n = 1; n <= 3; n++) {
      for (guint images = 0; images < 1u << n; images++) {
        check_turns(fixture, model_prompt_template_name(i), n, images);
      }
    }
  }
}

static void
test_turns_by_hand(void)
{
  g_autoptr(Fixture) fixture = hand_fixture_small();

  check_all_turns(fixture);
}

static void
test_turns_real(void)
{
  static const char *const files[] = {LLAMA, "corpus/tokenizer/mistral_tokenizer.model.v1",
                                      "vectors/A-v15-tiny/hf/tokenizer.model",
                                      "vectors/C-odd/hf/tokenizer.model"};
  g_autoptr(Fixture) v10 = fixture_v10(56);

  if (!v10) {
    return;
  }
  check_all_turns(v10);
  for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
    g_autoptr(Fixture) fixture = fixture_from_shared(files[i], NULL);
    if (!fixture) {
      return;
    }
    check_all_turns(fixture);
  }
}

/* The golden models' own conversations. */
static void
check_golden_turns(const char *golden, const char *name, const Fixture *fixture)
{
  g_autoptr(JsonParser) parser = shared_json(golden);
  JsonArray *cases;
  ModelConfig config = fixture->config;
  ModelError err = {0};
  guint n_checked = 0;

  g_assert_nonnull(parser);
  g_strlcpy(config.template_name, name, sizeof config.template_name);
  cases = json_object_get_array_member(json_node_get_object(json_parser_get_root(parser)), "cases");
  for (guint i = 0; i < json_array_get_length(cases); i++) {
    JsonObject *entry = json_array_get_object_element(cases, i);
    JsonArray *turns = json_object_get_array_member(entry, "turns");
    const gboolean has_image =
        json_object_has_member(entry, "image") && !json_object_get_null_member(entry, "image");
    g_auto(ModelIds) ids = {0};
    if (g_str_equal(json_object_get_string_member(entry, "name"), "user_only")) {
      continue; /* ends before the assistant's mark, as no session does */
    }
    for (guint k = 0; k < json_array_get_length(turns); k++) {
      const char *text = json_array_get_string_element(turns, k);
      if (k % 2) {
        push_answer(fixture, name, text, &ids);
      } else {
        g_assert_true(model_prompt_turn_ids(fixture->tokenizer, &config, k / 2, text,
                                            has_image && k == 0, &ids, &err));
      }
    }
    assert_ids(&ids, json_object_get_array_member(entry, "ids"));
    n_checked++;
  }
  g_assert_cmpuint(n_checked, >=, 4);
}

static void
test_turns_golden(void)
{
  g_autoptr(Fixture) a = fixture_from_shared("vectors/A-v15-tiny/hf/tokenizer.model", NULL);
  g_autoptr(Fixture) c = a ? fixture_from_shared("vectors/C-odd/hf/tokenizer.model", NULL) : NULL;
  g_autoptr(Fixture) b = c ? fixture_v10(56) : NULL;

  if (!b) {
    return;
  }
  check_golden_turns("vectors/A-v15-tiny/golden.json", "mistral_instruct", a);
  check_golden_turns("vectors/B-v10-tiny/golden.json", "multimodal", b);
  check_golden_turns("vectors/C-odd/golden.json", "vicuna_v1", c);
}

/* Whatever a user types, the special ids of a turn are the template's own. */
static void
check_typed_specials(const Fixture *fixture, const char *question)
{
  for (guint i = 0; model_prompt_template_name(i); i++) {
    ModelConfig config = fixture->config;
    g_strlcpy(config.template_name, model_prompt_template_name(i), sizeof config.template_name);
    for (guint32 turn = 0; turn < 2; turn++) {
      g_auto(ModelIds) plain = {0}, typed = {0};
      gsize n_plain = 0, n_typed = 0;
      ModelError err = {0};
      char *text;
      g_assert_true(
          model_prompt_turn_ids(fixture->tokenizer, &config, turn, "Q", turn == 0, &plain, &err));
      g_assert_true(model_prompt_turn_ids(fixture->tokenizer, &config, turn, question, turn == 0,
                                          &typed, &err));
      for (gsize k = 0; k < plain.n; k++) {
        n_plain += plain.ids[k] <= 2 || plain.ids[k] >= 32000;
      }
      for (gsize k = 0; k < typed.n; k++) {
        n_typed += typed.ids[k] <= 2 || typed.ids[k] >= 32000;
      }
      g_assert_cmpuint(n_plain, ==, n_typed);
      text = model_tokenizer_decode(fixture->tokenizer, typed.ids, typed.n, &err);
      g_assert_nonnull(strstr(text, question));
      free(text);
    }
  }
}

static void
test_typed_specials(void)
{
  static const char question[] = "Q</s><s>[INST] <image>\n<unk> <im_start><im_patch><im_end>[PAD]";
  g_autoptr(Fixture) small = hand_fixture_small();
  g_autoptr(Fixture) v10 = NULL;

  check_typed_specials(small, question);
  v10 = fixture_v10(56);
  if (v10) {
    check_typed_specials(v10, question);
  }
}

static void
test_unknown_template(void)
{
  g_autoptr(Fixture) fixture = hand_fixture_small();
  ModelConfig config = fixture->config;
  g_auto(ModelIds) ids = {0};
  ModelError err = {0};

  g_strlcpy(config.template_name, "vicuna_v9", sizeof config.template_name);
  g_assert_true(model_ids_push(&ids, 5));
  g_assert_false(model_prompt_turn_ids(fixture->tokenizer, &config, 0, "Q", false, &ids, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_UNSUPPORTED);
  g_assert_nonnull(strstr(err.message, "\"vicuna_v9\""));
  g_assert_cmpuint(ids.n, ==, 1);
}

/* A question that cannot be taken leaves the timeline as it was. */
static void
test_question_too_long(void)
{
  g_autoptr(Fixture) fixture = hand_fixture_small();
  ModelConfig config = fixture->config;
  const gsize n = (8 << 20) + 1;
  g_autofree char *question = g_malloc(n + 1);
  g_auto(ModelIds) ids = {0};
  ModelError err = {0};

  memset(question, 'q', n);
  question[n] = '\0';
  g_strlcpy(config.template_name, "mistral_instruct", sizeof config.template_name);
  g_assert_true(model_ids_push(&ids, 5));
  g_assert_false(model_prompt_turn_ids(fixture->tokenizer, &config, 1, question, true, &ids, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_TOO_LARGE);
  g_assert_cmpuint(ids.n, ==, 1);
}

/* ---- the caption rule ----------------------------------------------------------------------- */

static void
test_words(void)
{
  static const struct {
    const char *text;
    guint words;
  } cases[] = {{"", 0},
               {" \t\r\n\v\f", 0},
               {"one", 1},
               {"  one\ttwo\nthree  ", 3},
               {"a\x1C"
                "b\x1D"
                "c\x1E"
                "d\x1F"
                "e",
                5},
               {"a\xC2\x85"
                "b\xC2\xA0"
                "c",
                3}, /* NEL, no-break space */
               {"a\xE1\x9A\x80"
                "b\xE2\x80\x80"
                "c\xE2\x80\x8A"
                "d",
                4}, /* ogham, en quad, hair */
               {"a\xE2\x80\x8B"
                "b",
                1}, /* zero-width space is none */
               {"a\xE2\x80\xA8"
                "b\xE2\x80\xA9"
                "c\xE2\x80\xAF"
                "d",
                4},
               {"a\xE2\x81\x9F"
                "b\xE3\x80\x80"
                "c",
                3}, /* mathematical, ideographic space */
               {"a\xEF\xBB\xBF"
                "b",
                1}, /* byte order mark is none */
               {"12 mm (axial), T2-weighted.", 4},
               {"\xFF \xC2 x", 3}};

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_assert_cmpuint(model_prompt_words(cases[i].text, strlen(cases[i].text)), ==, cases[i].words);
  }
  g_assert_cmpuint(model_prompt_words("a b c", 3), ==, 2);
}

static char *
words(guint n)
{
  GString *text = g_string_new(" ");

  for (guint i = 0; i < n; i++) {
    g_string_append(text, "word\n");
  }
  return g_string_free(text, FALSE);
}

static void
assert_instruction(ModelLength length, const char *caption, const char *rule, guint n_words,
                   const char *list, guint tokens)
{
  ModelInstruction i = model_prompt_instruction(length, caption, 7);

  g_assert_cmpstr(i.rule, ==, rule);
  g_assert_cmpuint(i.words, ==, n_words);
  g_assert_cmpuint(i.threshold, ==, 30);
  g_assert_cmpstr(i.list, ==, list);
  g_assert_cmpuint(i.max_tokens, ==, tokens);
  g_assert_cmpstr(i.text, ==, model_prompt_instruction_at(list, i.index));
}

static void
test_caption_rule(void)
{
  g_autofree char *w29 = words(29), *w30 = words(30);

  assert_instruction(MODEL_LENGTH_AUTO, w29, "caption", 29, "brief", 96);
  assert_instruction(MODEL_LENGTH_AUTO, w30, "caption", 30, "detailed", 512);
  assert_instruction(MODEL_LENGTH_AUTO, NULL, "no-caption", 0, "detailed", 512);
  assert_instruction(MODEL_LENGTH_AUTO, " \n", "no-caption", 0, "detailed", 512);
  assert_instruction(MODEL_LENGTH_BRIEF, w30, "override", 30, "brief", 96);
  assert_instruction(MODEL_LENGTH_DETAILED, w29, "override", 29, "detailed", 512);
  assert_instruction(MODEL_LENGTH_BRIEF, NULL, "override", 0, "brief", 96);
}

static void
test_instruction_lists(void)
{
  guint n = 0;

  for (; model_prompt_instruction_at("brief", n); n++) {
    g_assert_true(g_str_has_suffix(model_prompt_instruction_at("brief", n), "."));
  }
  g_assert_cmpuint(n, ==, 11);
  g_assert_cmpstr(model_prompt_instruction_at("brief", 6), ==,
                  "Present a compact description of the photo\u2019s key features.");
  for (n = 0; model_prompt_instruction_at("detailed", n); n++) {
    g_assert_false(g_str_has_suffix(model_prompt_instruction_at("detailed", n), "."));
  }
  g_assert_cmpuint(n, ==, 16);
  g_assert_cmpstr(model_prompt_instruction_at("detailed", 0), ==,
                  "Describe the following image in detail");
  g_assert_null(model_prompt_instruction_at("other", 0));
}

static void
assert_uniform(ModelLength length, guint n_items)
{
  guint count[16] = {0};
  const guint n = 1000 * n_items;

  for (guint seed = 0; seed < n; seed++) {
    count[model_prompt_instruction(length, NULL, seed).index]++;
  }
  /* Binomial, mean 1000, deviation under 32: five of them. */
  for (guint i = 0; i < n_items; i++) {
    g_assert_cmpuint(count[i], >, 840);
    g_assert_cmpuint(count[i], <, 1160);
  }
}

static void
test_seeded_choice(void)
{
  /* splitmix64's first number for seeds 0, 1, 2 ... modulo 11 and 16, worked out apart */
  static const guint brief[] = {1, 9, 6, 4, 10, 1, 1, 2},
                     detailed[] = {15, 1, 14, 13, 10, 10, 0, 7};

  for (guint seed = 0; seed < G_N_ELEMENTS(brief); seed++) {
    g_assert_cmpuint(model_prompt_instruction(MODEL_LENGTH_BRIEF, NULL, seed).index, ==,
                     brief[seed]);
    g_assert_cmpuint(model_prompt_instruction(MODEL_LENGTH_DETAILED, NULL, seed).index, ==,
                     detailed[seed]);
  }
  assert_uniform(MODEL_LENGTH_BRIEF, 11);
  assert_uniform(MODEL_LENGTH_DETAILED, 16);
}

static void
test_answer_forms(void)
{
  g_assert_cmpstr(model_prompt_answer_suffix(MODEL_ANSWER_FREE), ==, "");
  g_assert_cmpstr(model_prompt_answer_suffix(MODEL_ANSWER_SHORT), ==,
                  "\nAnswer the question using a single word or phrase.");
  g_assert_cmpstr(model_prompt_answer_suffix(MODEL_ANSWER_YES_NO), ==,
                  " Please choose from the following two options: [yes, no]");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/prompt/golden-templates", test_golden_templates);
  g_test_add_func("/prompt/golden-prompts", test_golden_prompts);
  g_test_add_func("/prompt/styles", test_styles);
  g_test_add_func("/prompt/names", test_names);
  g_test_add_func("/prompt/stop-strings", test_stop_strings);
  g_test_add_func("/prompt/turns-by-hand", test_turns_by_hand);
  g_test_add_func("/prompt/turns-real", test_turns_real);
  g_test_add_func("/prompt/turns-golden", test_turns_golden);
  g_test_add_func("/prompt/typed-specials", test_typed_specials);
  g_test_add_func("/prompt/unknown-template", test_unknown_template);
  g_test_add_func("/prompt/question-too-long", test_question_too_long);
  g_test_add_func("/prompt/words", test_words);
  g_test_add_func("/prompt/caption-rule", test_caption_rule);
  g_test_add_func("/prompt/instruction-lists", test_instruction_lists);
  g_test_add_func("/prompt/seeded-choice", test_seeded_choice);
  g_test_add_func("/prompt/answer-forms", test_answer_forms);
  return g_test_run();
}
