/* test-labels.c - which ids of a training conversation count is what the reference says. */
#include "tokenizer-fixture.h"

#include "prompt/prompt.h"

static ModelMask
mask_of(const char *name)
{
  return g_str_equal(name, "plain")     ? MODEL_MASK_PLAIN
         : g_str_equal(name, "llama_2") ? MODEL_MASK_LLAMA_2
         : g_str_equal(name, "v1")      ? MODEL_MASK_V1
                                        : MODEL_MASK_V0;
}

/* "1 2 (3) 4": ids, those that count in brackets. */
static char *
marked(const ModelIds *ids, const ModelIds *labels)
{
  GString *text = g_string_new(NULL);

  g_assert_cmpuint(ids->n, ==, labels->n);
  for (gsize i = 0; i < ids->n; i++) {
    if (labels->ids[i] == MODEL_IGNORE_INDEX) {
      g_string_append_printf(text, "%s%d", i ? " " : "", ids->ids[i]);
    } else {
      g_assert_cmpint(ids->ids[i], ==, labels->ids[i]);
      g_string_append_printf(text, "%s(%d)", i ? " " : "", ids->ids[i]);
    }
  }
  return g_string_free(text, FALSE);
}

static void
assert_labels(const Fixture *fixture, ModelMask mask, const char *template_name,
              const char *const *turns, gsize n, JsonObject *expected)
{
  g_auto(ModelIds) ids = {0}, labels = {0};
  ModelError err = {0};
  bool mismatch = true;

  g_assert_true(model_prompt_labels(fixture->tokenizer, mask, template_name, turns, n, 2048, &ids,
                                    &labels, &mismatch, &err));
  g_assert_false(mismatch);
  assert_ids(&ids, json_object_get_array_member(expected, "ids"));
  assert_ids(&labels, json_object_get_array_member(expected, "labels"));
}

static void
test_golden(void)
{
  g_autoptr(Fixture) fixture = fixture_from_shared("corpus/tokenizer/llama_tokenizer.model", NULL);
  g_autoptr(JsonParser) parser = fixture ? shared_json("vectors/tokenizer.json") : NULL;
  JsonArray *masks;

  if (!parser) {
    return;
  }
  masks = json_object_get_array_member(json_node_get_object(json_parser_get_root(parser)), "masks");
  g_assert_cmpuint(json_array_get_length(masks), >=, 8);
  for (guint i = 0; i < json_array_get_length(masks); i++) {
    JsonObject *entry = json_array_get_object_element(masks, i);
    const ModelMask mask = mask_of(json_object_get_string_member(entry, "mask"));
    g_autofree char *caption = NULL;
    g_autofree const char **turns = NULL;
    gsize n = 1;
    if (mask == MODEL_MASK_PLAIN) {
      const char *text = json_object_get_string_member(entry, "text");
      caption = g_strndup(text + strlen("<image>"), strlen(text) - strlen("<image>\n"));
      turns = g_new0(const char *, 2);
      turns[0] = caption;
    } else {
      turns = json_strings(json_object_get_array_member(entry, "turns"));
      n = json_array_get_length(json_object_get_array_member(entry, "turns"));
    }
    assert_labels(fixture, mask,
                  json_object_has_member(entry, "template")
                      ? json_object_get_string_member(entry, "template")
                      : NULL,
                  turns, n, entry);
  }
}

/* ---- the training samples of the golden models ---------------------------------------------- */

/* Their turns, taken out of the text again; v1.0's run of patch ids becomes "<image>". */
static GPtrArray *
turns_of(const char *text, ModelMask mask)
{
  GPtrArray *turns = g_ptr_array_new_with_free_func(g_free);
  static const char *const marks[][3] = {
      [MODEL_MASK_PLAIN] = {"<image>", "\n", NULL},
      [MODEL_MASK_LLAMA_2] = {"[INST] ", " [/INST] ", " </s>"},
      [MODEL_MASK_V1] = {"USER: ", " ASSISTANT: ", "</s>"},
      [MODEL_MASK_V0] = {"### Human: ", "\n### Assistant: ", "\n### "}};
  const char *const *mark = marks[mask];
  g_autoptr(GRegex) run =
      g_regex_new("<im_start>(<im_patch>)+<im_end>", G_REGEX_DEFAULT, G_REGEX_MATCH_DEFAULT, NULL);
  g_autofree char *plain = g_regex_replace_literal(run, text, -1, 0, "<image>", 0, NULL);
  const char *at = plain;

  while ((at = strstr(at, mark[0]))) {
    const char *question = at + strlen(mark[0]), *end = strstr(question, mark[1]);
    g_assert_nonnull(end);
    g_ptr_array_add(turns, g_strndup(question, (gsize)(end - question)));
    if (mark[2]) {
      const char *answer = end + strlen(mark[1]);
      end = strstr(answer, mark[2]);
      g_assert_nonnull(end);
      g_ptr_array_add(turns, g_strndup(answer, (gsize)(end - answer)));
    }
    at = end;
  }
  return turns;
}

static void
check_training(const char *golden, const Fixture *fixture)
{
  g_autoptr(JsonParser) parser = shared_json(golden);
  JsonObject *training;
  g_autoptr(GList) names = NULL;
  guint n_checked = 0;

  g_assert_nonnull(parser);
  training =
      json_object_get_object_member(json_node_get_object(json_parser_get_root(parser)), "training");
  names = json_object_get_members(training);
  for (GList *name = names; name; name = name->next) {
    JsonNode *node = json_object_get_member(training, name->data);
    const char *suffix = strchr(name->data, '_');
    JsonArray *samples;
    if (!JSON_NODE_HOLDS_OBJECT(node) || !g_str_has_prefix(name->data, "stage")) {
      continue;
    }
    samples = json_object_get_array_member(json_node_get_object(node), "samples");
    for (guint i = 0; i < json_array_get_length(samples); i++) {
      JsonObject *sample = json_array_get_object_element(samples, i);
      const ModelMask mask = mask_of(suffix + 1);
      g_autoptr(GPtrArray) turns = turns_of(json_object_get_string_member(sample, "text"), mask);
      assert_labels(fixture, mask,
                    mask == MODEL_MASK_LLAMA_2 ? "mistral_instruct"
                    : mask == MODEL_MASK_V1    ? "vicuna_v1"
                                               : NULL,
                    (const char *const *)turns->pdata, turns->len, sample);
      n_checked++;
    }
  }
  g_assert_cmpuint(n_checked, >=, 4);
}

static void
test_golden_training(void)
{
  g_autoptr(Fixture) a = fixture_from_shared("vectors/A-v15-tiny/hf/tokenizer.model", NULL);
  g_autoptr(Fixture) c = a ? fixture_from_shared("vectors/C-odd/hf/tokenizer.model", NULL) : NULL;
  g_autoptr(Fixture) b = c ? fixture_v10(56) : NULL;

  if (!b) {
    return;
  }
  check_training("vectors/A-v15-tiny/golden.json", a);
  check_training("vectors/B-v10-tiny/golden.json", b);
  check_training("vectors/C-odd/golden.json", c);
}

/* ---- a vocabulary made here ------------------------------------------------------------------ */

static char *
labels_text(const Fixture *fixture, ModelMask mask, const char *template_name,
            const char *const *turns, gsize n, guint32 max_length, gboolean expect_mismatch)
{
  g_auto(ModelIds) ids = {0}, labels = {0};
  ModelError err = {0};
  bool mismatch;

  g_assert_true(model_prompt_labels(fixture->tokenizer, mask, template_name, turns, n, max_length,
                                    &ids, &labels, &mismatch, &err));
  g_assert_cmpint(mismatch, ==, expect_mismatch);
  return marked(&ids, &labels);
}

/* Pieces for the marks, so that a whole sample is a handful of ids. */
static Fixture *
fixture_marks(gboolean bytes)
{
  static const HandPiece pieces[] = {{"<unk>", 0, MODEL_PIECE_UNKNOWN}, /* 0 */
                                     {"<s>", 0, MODEL_PIECE_CONTROL},
                                     {"</s>", 0, MODEL_PIECE_CONTROL},
                                     {"[INST]", 0, MODEL_PIECE_USER}, /* 3 */
                                     {"[/INST]", 0, MODEL_PIECE_USER},
                                     {"\u2581", -2, MODEL_PIECE_NORMAL}, /* 5 */
                                     {"q", -3, MODEL_PIECE_NORMAL},
                                     {"a", -4, MODEL_PIECE_NORMAL},
                                     {"\n", -5, MODEL_PIECE_NORMAL}, /* 8 */
                                     {"\u2581a", -1, MODEL_PIECE_NORMAL},
                                     {"#", -6, MODEL_PIECE_NORMAL}, /* 10 */
                                     {"Human:", 0, MODEL_PIECE_USER},
                                     {"Assistant:", 0, MODEL_PIECE_USER}, /* 12 */
                                     {"USER:", 0, MODEL_PIECE_USER},
                                     {"ASSISTANT:", 0, MODEL_PIECE_USER}, /* 14 */
                                     {"\u2581#", -1.5, MODEL_PIECE_NORMAL},
                                     {"##", -1.6, MODEL_PIECE_NORMAL}, /* 16 */
                                     {"\u2581##", -1.4, MODEL_PIECE_NORMAL},
                                     {"\u2581###", -1.5, MODEL_PIECE_NORMAL}}; /* 18, as Llama's */
  const HandOptions options = {2, 1, 0, bytes};

  return hand_fixture(pieces, G_N_ELEMENTS(pieces), &options);
}

static void
test_plain(void)
{
  g_autoptr(Fixture) fixture = fixture_marks(FALSE);
  static const char *const caption[] = {"a q"}, *const with_special[] = {"a</s>"},
                           *const with_image[] = {"a<image>"}, *const empty[] = {""};
  g_autofree char *labels = labels_text(fixture, MODEL_MASK_PLAIN, NULL, caption, 1, 0, FALSE);
  g_autofree char *special =
      labels_text(fixture, MODEL_MASK_PLAIN, NULL, with_special, 1, 0, FALSE);
  g_autofree char *image = labels_text(fixture, MODEL_MASK_PLAIN, "v0", with_image, 1, 0, FALSE);
  g_autofree char *none = labels_text(fixture, MODEL_MASK_PLAIN, "?", empty, 1, 0, FALSE);
  g_autofree char *cut = labels_text(fixture, MODEL_MASK_PLAIN, NULL, caption, 1, 4, FALSE);

  g_assert_cmpstr(labels, ==, "1 -200 (9) (5) (6) (8)");
  g_assert_cmpstr(special, ==, "1 -200 (9) (2) (5) (8)");
  /* A picture never counts, wherever it stands. */
  g_assert_cmpstr(image, ==, "1 -200 (9) -200 (5) (8)");
  g_assert_cmpstr(none, ==, "1 -200 (5) (8)");
  g_assert_cmpstr(cut, ==, "1 -200 (9) (5)");
}

static void
test_llama_2(void)
{
  g_autoptr(Fixture) fixture = fixture_marks(FALSE);
  static const char *const turns[] = {"<image>\nq", "a", "q", "a a"};
  g_autofree char *one =
      labels_text(fixture, MODEL_MASK_LLAMA_2, "mistral_instruct", turns, 2, 0, FALSE);
  g_autofree char *two =
      labels_text(fixture, MODEL_MASK_LLAMA_2, "mistral_instruct", turns, 4, 2048, FALSE);
  g_autofree char *cut =
      labels_text(fixture, MODEL_MASK_LLAMA_2, "mistral_instruct", turns, 4, 12, FALSE);

  /* [INST] has the dummy prefix before it; the head's two spare ids are its BOS and last space. */
  g_assert_cmpstr(one, ==, "1 5 3 5 -200 5 8 6 5 4 (9) (5) (2)");
  g_assert_cmpstr(two, ==, "1 5 3 5 -200 5 8 6 5 4 (9) (5) (2) 5 3 5 6 5 4 (9) (9) (5) (2)");
  g_assert_cmpstr(cut, ==, "1 5 3 5 -200 5 8 6 5 4 (9) (5)");
}

/* An answer that holds the assistant's mark, or one that ends the round, makes the lengths differ.
 * Then nothing counts, as in the reference ("tokenization mismatch"). */
static void
test_mismatch(void)
{
  g_autoptr(Fixture) fixture = fixture_marks(FALSE);
  static const char *const turns[] = {"q", "a", "q", "a [/INST] a"};
  static const char *const ended[] = {"q", "a</s>a"};
  g_autofree char *two =
      labels_text(fixture, MODEL_MASK_LLAMA_2, "mistral_instruct", turns, 4, 2048, TRUE);
  g_autofree char *end =
      labels_text(fixture, MODEL_MASK_LLAMA_2, "mistral_instruct", ended, 2, 2048, TRUE);
  /* Past the longest length the reference does not look. */
  g_autofree char *cut =
      labels_text(fixture, MODEL_MASK_LLAMA_2, "mistral_instruct", turns, 4, 9, FALSE);

  g_assert_null(strchr(two, '('));
  g_assert_null(strchr(end, '('));
  g_assert_true(g_str_has_prefix(two, "1 5 3 5 6 5 4 9 5 2 "));
  g_assert_cmpstr(cut, ==, "1 5 3 5 6 5 4 (9) (5)");
}

static void
test_v1(void)
{
  g_autoptr(Fixture) fixture = fixture_marks(TRUE);
  static const char *const turns[] = {"<image>\nq", "a", "q", "a"};
  static const char *const names[] = {"vicuna_v1", "vicuna_v1_med15", "llava_v1_v10", "v1_mmtag"};

  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *labels = labels_text(fixture, MODEL_MASK_V1, names[i], turns, 4, 2048, FALSE);
    g_auto(GStrv) counted = g_strsplit(labels, "(", -1);
    /* "a" and "</s>", twice */
    g_assert_cmpuint(g_strv_length(counted), ==, 5);
    g_assert_true(g_str_has_prefix(counted[1], "9) "));
    g_assert_true(g_str_has_prefix(counted[2], "2) "));
    g_assert_true(g_str_has_prefix(counted[3], "9) "));
    g_assert_cmpstr(counted[4], ==, "2)");
  }
}

static void
test_v0(void)
{
  g_autoptr(Fixture) fixture = fixture_marks(TRUE);
  static const char *const turns[] = {"q\n<image>", "a", "q", "a"};
  g_autofree char *labels = labels_text(fixture, MODEL_MASK_V0, NULL, turns, 4, 0, FALSE);
  const char *body = strstr(labels, " 8 8 "); /* after the system text */

  g_assert_nonnull(body);
  g_assert_null(memchr(labels, '(', (gsize)(body - labels)));
  /* "### Human: q\n<image>\n", "### Assistant: a\n", ..., "### ": of a human turn the first two ids
   * count, of an answer all, and so do those of the mark that ends the text. */
  g_assert_cmpstr(body, ==,
                  " 8 8 (16) (10) 5 11 5 6 8 -200 5 8 (16) (10) (5) (12) (9) (8)"
                  " (16) (10) 5 11 5 6 8 (16) (10) (5) (12) (9) (8) (16) (10) (5)");
}

static void
test_arguments(void)
{
  static const char *const turns[] = {"q", "a", "q"};
  static const struct {
    ModelMask mask;
    const char *template_name;
    gsize n;
    ModelErrorCode code;
    const char *pattern;
  } cases[] = {
      {MODEL_MASK_PLAIN, "plain", 2, MODEL_ERROR_ARGUMENT, "label mask plain: 2 turns, expected 1"},
      {MODEL_MASK_V1, "nothing", 2, MODEL_ERROR_UNSUPPORTED, "*template \"nothing\"*"},
      {MODEL_MASK_V1, NULL, 2, MODEL_ERROR_UNSUPPORTED, "*template \"\"*"},
      {MODEL_MASK_V1, "mistral_instruct", 2, MODEL_ERROR_ARGUMENT, "*does not go with*v1"},
      {MODEL_MASK_LLAMA_2, "vicuna_v1", 2, MODEL_ERROR_ARGUMENT, "*does not go with*llama_2"},
      {MODEL_MASK_V0, "mpt", 2, MODEL_ERROR_ARGUMENT, "*does not go with*v0"},
      {MODEL_MASK_V0, "v0", 3, MODEL_ERROR_ARGUMENT, "*3 turns, expected question and answer*"},
      {MODEL_MASK_V0, "v0", 0, MODEL_ERROR_ARGUMENT, "*0 turns*"},
  };
  g_autoptr(Fixture) fixture = fixture_marks(FALSE);

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_auto(ModelIds) ids = {0}, labels = {0};
    ModelError err = {0};
    bool mismatch = true;
    g_assert_false(model_prompt_labels(fixture->tokenizer, cases[i].mask, cases[i].template_name,
                                       turns, cases[i].n, 0, &ids, &labels, &mismatch, &err));
    g_assert_cmpint(err.code, ==, cases[i].code);
    if (!g_pattern_match_simple(cases[i].pattern, err.message)) {
      g_error("\"%s\" is not like \"%s\"", err.message, cases[i].pattern);
    }
    g_assert_false(mismatch);
    g_assert_cmpuint(ids.n, ==, 0);
  }
}

/* Used again for each sample: what was in IDS and LABELS is replaced. */
static void
test_reuse(void)
{
  g_autoptr(Fixture) fixture = fixture_marks(FALSE);
  static const char *const first[] = {"a a a a a a"}, *const second[] = {"q"};
  g_auto(ModelIds) ids = {0}, labels = {0};
  g_autofree char *found = NULL;

  g_assert_true(model_prompt_labels(fixture->tokenizer, MODEL_MASK_PLAIN, NULL, first, 1, 0, &ids,
                                    &labels, NULL, NULL));
  g_assert_true(model_prompt_labels(fixture->tokenizer, MODEL_MASK_PLAIN, NULL, second, 1, 0, &ids,
                                    &labels, NULL, NULL));
  found = marked(&ids, &labels);
  g_assert_cmpstr(found, ==, "1 -200 (5) (6) (8)");
}

/* 2,000 rounds: the masks are laid in one pass. */
static void
test_many_rounds(void)
{
  g_autoptr(Fixture) fixture = fixture_marks(FALSE);
  g_autofree const char **turns = g_new0(const char *, 4000);
  g_auto(ModelIds) ids = {0}, labels = {0};
  gsize counted = 0;
  bool mismatch;

  for (guint i = 0; i < 4000; i++) {
    turns[i] = i % 2 ? "a" : "q";
  }
  g_assert_true(model_prompt_labels(fixture->tokenizer, MODEL_MASK_LLAMA_2, "mistral_instruct",
                                    turns, 4000, 0, &ids, &labels, &mismatch, NULL));
  g_assert_false(mismatch);
  g_assert_cmpuint(ids.n, ==, 1 + 2000 * 9);
  for (gsize i = 0; i < labels.n; i++) {
    counted += labels.ids[i] != MODEL_IGNORE_INDEX;
  }
  g_assert_cmpuint(counted, ==, 2000 * 3);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/labels/golden", test_golden);
  g_test_add_func("/labels/golden-training", test_golden_training);
  g_test_add_func("/labels/plain", test_plain);
  g_test_add_func("/labels/llama-2", test_llama_2);
  g_test_add_func("/labels/mismatch", test_mismatch);
  g_test_add_func("/labels/v1", test_v1);
  g_test_add_func("/labels/v0", test_v0);
  g_test_add_func("/labels/arguments", test_arguments);
  g_test_add_func("/labels/reuse", test_reuse);
  g_test_add_func("/labels/many-rounds", test_many_rounds);
  return g_test_run();
}
