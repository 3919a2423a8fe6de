/* test-instruct-turns.c - what becomes of a teacher's reply: as LLaVA-Med's own script, case by
 * case, and as ours, which keeps what is worth it. */
#include <string.h>

#include <json-glib/json-glib.h>

#include "dataset/instruct-turns.h"
#include "shared.h"

#define turn_at(turns, i) (&g_array_index(turns, DataTurn, i))

static void
assert_turn(const GArray *turns, guint i, const char *question, const char *answer)
{
  g_assert_cmpuint(i, <, turns->len);
  g_assert_cmpstr(data_turn_fate_name(turn_at(turns, i)->fate), ==, "kept");
  g_assert_cmpstr(turn_at(turns, i)->question, ==, question);
  g_assert_cmpstr(turn_at(turns, i)->answer, ==, answer);
}

static void
assert_fate(const GArray *turns, guint i, DataTurnFate fate, const char *phrase)
{
  g_assert_cmpuint(i, <, turns->len);
  g_assert_cmpstr(data_turn_fate_name(turn_at(turns, i)->fate), ==, data_turn_fate_name(fate));
  g_assert_cmpstr(turn_at(turns, i)->phrase, ==, phrase);
}

/* ---- compatible ---------------------------------------------------------------------------- */

static void
assert_conversation(const GArray *turns, JsonArray *expected)
{
  guint at = 0;

  for (guint i = 0; i < turns->len; i++) {
    const DataTurn *turn = turn_at(turns, i);

    if (turn->fate == DATA_TURN_KEPT) {
      JsonObject *human = json_array_get_object_element(expected, at++);
      JsonObject *gpt = json_array_get_object_element(expected, at++);

      g_assert_cmpstr(json_object_get_string_member(human, "from"), ==, "human");
      g_assert_cmpstr(turn->question, ==, json_object_get_string_member(human, "value"));
      g_assert_cmpstr(json_object_get_string_member(gpt, "from"), ==, "gpt");
      g_assert_cmpstr(turn->answer, ==, json_object_get_string_member(gpt, "value"));
    }
  }
  g_assert_cmpuint(at, ==, json_array_get_length(expected));
}

static void
test_golden(void)
{
  g_autofree char *path = shared_path("vectors/golden/instruct_postprocess.json");
  g_autoptr(JsonParser) parser = json_parser_new();
  JsonArray *cases;

  if (!path) {
    return;
  }
  g_assert_true(json_parser_load_from_file(parser, path, NULL));
  cases = json_node_get_array(json_parser_get_root(parser));
  g_assert_cmpuint(json_array_get_length(cases), ==, 16);
  for (guint i = 0; i < json_array_get_length(cases); i++) {
    JsonObject *one = json_array_get_object_element(cases, i);
    g_autoptr(GArray) turns =
        data_turns_compatible_split(json_object_get_string_member(one, "result"));

    g_test_message("case %u", i);
    if (json_object_has_member(one, "error")) {
      g_assert_cmpuint(data_turns_kept(turns), ==, 0);
      continue;
    }
    data_turns_place_mark(turns, json_object_get_boolean_member(one, "image_first"));
    assert_conversation(turns, json_object_get_array_member(one, "formatted"));
    data_turns_compatible_clean(turns);
    JsonArray *cleaned = json_object_get_array_member(one, "cleaned");
    g_assert_cmpuint(json_array_get_length(cleaned), ==, data_turns_kept(turns) > 0);
    if (data_turns_kept(turns) > 0) {
      assert_conversation(turns, json_array_get_array_element(cleaned, 0));
    }
  }
}

/* The lists themselves, against those that were read out of the script. */
static void
test_phrases(void)
{
  static const char *const names[] = {"drop_turn_if_answer_contains(lowercased)",
                                      "strip_prefix(lowercased startswith, then capitalize)",
                                      "remove_substring(case sensitive)", "final_drop_if_contains"};
  const char *const *const lists[] = {data_phrases_refusal, data_phrases_prefix, data_phrases_inner,
                                      data_phrases_left};
  g_autofree char *path = shared_path("vectors/golden/instruct_phrases.json");
  g_autoptr(JsonParser) parser = json_parser_new();

  if (!path) {
    return;
  }
  g_assert_true(json_parser_load_from_file(parser, path, NULL));
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    JsonArray *expected =
        json_object_get_array_member(json_node_get_object(json_parser_get_root(parser)), names[i]);
    guint n = 0;

    for (; lists[i][n]; n++) {
      g_assert_cmpstr(lists[i][n], ==, json_array_get_string_element(expected, n));
    }
    g_assert_cmpuint(n, ==, json_array_get_length(expected));
  }
}

static GArray *
compatible(const char *answer)
{
  g_autofree char *reply = g_strdup_printf("User: Q?\n\nAssistant: %s", answer);
  GArray *turns = data_turns_compatible_split(reply);

  data_turns_compatible_clean(turns);
  return turns;
}

/* Steps that the golden cases do not take, by the script as it is written. */
static void
test_compatible(void)
{
  static const struct {
    const char *answer, *result; /* NULL: the turn goes */
  } cases[] = {
      /* One prefix goes, and what stands inside stays then. */
      {"Based on the caption, it is, as mentioned in the provided context, A.",
       "It is, as mentioned in the provided context, a."},
      {"Based on the caption, the description is short.", NULL},
      /* All that stand inside go, each wherever it is. */
      {"In the context provided, A, as described in the provided context, and B in the provided "
       "context.",
       "A, and B."},
      {"As an AI, I am unable to view the actual image. However, based on the figure caption, A.",
       NULL},
      {"The Caption is in capitals.", "The Caption is in capitals."},
      {"BASED ON THE CAPTION, \xc3\x84 \xc3\x9c\xce\xa3", "\xc3\x84 \xc3\xbc\xcf\x82"},
      {"based on the caption, \xc3\x9ftra\xc3\x9f"
       "E",
       "Sstra\xc3\x9f"
       "e"},
      {"Based on the caption, ", "Based on the caption,"}};

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GArray) turns = compatible(cases[i].answer);

    g_test_message("case %u", i);
    g_assert_cmpuint(turns->len, ==, 1);
    if (i + 1 == G_N_ELEMENTS(cases)) { /* stripped, it has no blank any more, and says "caption" */
      assert_fate(turns, 0, DATA_TURN_ANSWER_TELLS, "caption");
    } else if (cases[i].result) {
      assert_turn(turns, 0, "Q?", cases[i].result);
    } else {
      g_assert_cmpuint(data_turns_kept(turns), ==, 0);
    }
  }
  g_autoptr(GArray) white =
      data_turns_compatible_split("User:\xc2\xa0 a\x1f\n\nAssistant: b\xe3\x80\x80");
  assert_turn(white, 0, "a", "b");
}

/* ---- ours ---------------------------------------------------------------------------------- */

static GArray *
strict(const char *reply, gboolean is_cut)
{
  GArray *turns = data_turns_split(reply);

  data_turns_strict_clean(turns, is_cut, FALSE);
  return turns;
}

/* However a teacher writes who speaks. */
static void
test_split(void)
{
  static const char *const replies[] = {
      "User: What?\n\nAssistant: A lung.\n\nUser: Where?\n\nAssistant: On the right.",
      "User: What?\r\nAssistant: A lung.\r\nUser: Where?\r\nAssistant: On the right.\r\n",
      "Here is a conversation:\n\n**User:** What?\n**Assistant:** A lung.\n**User**: Where?\n"
      "**Assistant**: On the right.",
      "### User: What?\n### Assistant: A lung.\n---\n### User: Where?\n### Assistant: On the "
      "right.",
      "Question:\nWhat?\n===\nAnswer:\nA lung.\n===\nQuestion:\nWhere?\n===\nAnswer:\nOn the "
      "right.",
      "1. Q: What?\n   A: A lung.\n2. Q: Where?\n   A: On the right.",
      "Q1: What?\nA1: A lung.\nQ2: Where?\nA2: On the right.",
      "```\nUSER: What?\nASSISTANT: A lung.\nHuman: Where?\nAI: On the right.\n```",
      "<think>User: no\nAssistant: no</think>\nUser: What?\nAssistant: A lung.\nUser: Where?\n"
      "Assistant: On the right."};

  for (guint i = 0; i < G_N_ELEMENTS(replies); i++) {
    g_autoptr(GArray) turns = strict(replies[i], FALSE);

    g_test_message("reply %u", i);
    g_assert_cmpuint(turns->len, ==, 2);
    assert_turn(turns, 0, "What?", "A lung.");
    assert_turn(turns, 1, "Where?", "On the right.");
  }
  g_autoptr(GArray) odd = strict(
      "Assistant: hello\nUser: A?\nUser: B?\nAssistant: b\nA: more\nUser: C: what?\nAssistant: "
      "Note: two\nlines, and a: colon",
      FALSE);
  g_assert_cmpuint(odd->len, ==, 5);
  assert_fate(odd, 0, DATA_TURN_NO_QUESTION, NULL);
  assert_fate(odd, 1, DATA_TURN_NO_ANSWER, NULL);
  assert_turn(odd, 2, "B?", "b");
  assert_fate(odd, 3, DATA_TURN_NO_QUESTION, NULL);
  assert_turn(odd, 4, "C: what?", "Note: two\nlines, and a: colon");
  g_autoptr(GArray) none = strict("no turns here", FALSE);
  g_assert_cmpuint(none->len, ==, 0);
}

/* What gives the caption away goes; capitals, Yes and No, and the rest stay. */
static void
test_strict(void)
{
  static const struct {
    const char *answer, *result;
  } cases[] = {
      {"Based on the caption, the MRI shows a T2 Lesion.", "The MRI shows a T2 Lesion."},
      {"Yes, according to the figure caption, the Mass is big.", "Yes, the Mass is big."},
      {"No, the context provided indicates that no Mass is seen.", "No, no Mass is seen."},
      {"The figure caption mentions that the CT is normal.", "The CT is normal."},
      {"According to the image description, the Mass is big.", "The Mass is big."},
      {"In the left lobe, as mentioned in the figure caption.", "In the left lobe."},
      {"The MRI, as described in the provided context, shows a T2 Lesion.",
       "The MRI shows a T2 Lesion."},
      {"Based on the CT image and the provided context, \xc3\xa4hnlich.", "\xc3\x84hnlich."},
      {"The effusion is large, based on the figure caption.", "The effusion is large."},
      {"In the context of pneumonia, this is common.",
       "In the context of pneumonia, this is common."},
      {"From the apex to the base, the Lung is clear.",
       "From the apex to the base, the Lung is clear."},
      {"A T2-weighted MRI.", "A T2-weighted MRI."}};

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *reply = g_strdup_printf("User: Q?\nAssistant: %s", cases[i].answer);
    g_autoptr(GArray) turns = strict(reply, FALSE);

    g_test_message("case %u", i);
    assert_turn(turns, 0, "Q?", cases[i].result);
    g_assert_true((turn_at(turns, 0)->removed != NULL) ==
                  (strcmp(cases[i].answer, cases[i].result) != 0));
  }
}

static void
test_fates(void)
{
  static const struct {
    const char *reply;
    DataTurnFate fate;
    const char *phrase;
  } cases[] = {
      {"User: Q?\nAssistant: Sorry, I see nothing.", DATA_TURN_REFUSAL, "sorry"},
      {"User: Q?\nAssistant: As an AI I guess.", DATA_TURN_REFUSAL, "as an ai"},
      {"User: Q?\nAssistant: I can\xe2\x80\x99t say.", DATA_TURN_REFUSAL, "i can\xe2\x80\x99t"},
      {"User: What does the caption say?\nAssistant: A.", DATA_TURN_QUESTION_TELLS, "caption"},
      {"User: Q?\nAssistant: The Caption is long.", DATA_TURN_ANSWER_TELLS, "caption"},
      {"User: Q?\nAssistant: It is mentioned.", DATA_TURN_ANSWER_TELLS, "mentioned"},
      {"User: Q?\nAssistant:", DATA_TURN_EMPTY, NULL},
      {"User: <image>\nAssistant: A.", DATA_TURN_EMPTY, NULL},
      {"User: <im<image>age>\nAssistant: A.", DATA_TURN_EMPTY, NULL},
      {"User: Q?\nAssistant: A.</s>", DATA_TURN_MARKER, "</s>"},
      {"User: [INST] Q?\nAssistant: A.", DATA_TURN_MARKER, "[INST]"},
      {"User: Q?\nAssistant: A\xef\xbf\xbd.", DATA_TURN_CHARACTERS, NULL},
      {"User: Q?\nAssistant: A\x1b[31m.", DATA_TURN_CHARACTERS, NULL},
      {"User: Q?\nAssistant: Based on the figure caption, ", DATA_TURN_ANSWER_TELLS, "caption"}};

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GArray) turns = strict(cases[i].reply, FALSE);

    g_test_message("case %u", i);
    g_assert_cmpuint(turns->len, ==, 1);
    assert_fate(turns, 0, cases[i].fate, cases[i].phrase);
  }
  g_autoptr(GArray) same = strict("User: Q?\nAssistant: A.\nUser: q?\nAssistant: B.\nUser: C?\n"
                                  "Assistant: It ends in the mid",
                                  TRUE);
  g_assert_cmpuint(same->len, ==, 3);
  assert_turn(same, 0, "Q?", "A.");
  assert_fate(same, 1, DATA_TURN_REPEATED, NULL);
  assert_fate(same, 2, DATA_TURN_CUT, NULL);
}

/* A reply as long as any, made to keep patterns busy. */
static void
test_long(void)
{
  g_autofree char *much = g_strnfill(200000, ' '), *reply = NULL;

  for (guint i = 0; i + 12 < 200000; i += 12) {
    memcpy(much + i, ", based on a", 12);
  }
  reply = g_strconcat("User: Q?\nAssistant: ", much, " caption\n", NULL);
  g_autoptr(GArray) turns = strict(reply, FALSE);
  g_assert_cmpuint(turns->len, ==, 1);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/instruct-turns/golden", test_golden);
  g_test_add_func("/instruct-turns/phrases", test_phrases);
  g_test_add_func("/instruct-turns/compatible", test_compatible);
  g_test_add_func("/instruct-turns/split", test_split);
  g_test_add_func("/instruct-turns/strict", test_strict);
  g_test_add_func("/instruct-turns/fates", test_fates);
  g_test_add_func("/instruct-turns/long", test_long);
  return g_test_run();
}
