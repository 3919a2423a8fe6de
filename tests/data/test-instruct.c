/* test-instruct.c - what a teacher is told of a pair, and the records and stories that come of it.
 */
#include <string.h>

#include <json-glib/json-glib.h>

#include "dataset/instruct-examples.h"
#include "dataset/instruct-turns.h"

static const char *
instruction(guint64 seed, gpointer user)
{
  return seed & 1 ? "Give a detailed description" : "Describe the following image in detail";
}

static gboolean
has_image(const char *name, gpointer user)
{
  return strcmp(name, "gone.jpg") != 0;
}

static DataInstruct
work(void)
{
  return (DataInstruct){.seed = 1, .instruction = instruction, .has_image = has_image};
}

/* ---- pairs --------------------------------------------------------------------------------- */

static void
test_pair(void)
{
  static const char line[] =
      "{\"pair_id\": \"1_F1\", \"fig_label\": \"Figure 1\", \"fig_caption\": \" A \\\"lung\\\". "
      "\", "
      "\"in_text_mention\": [\"See (Figure 1).\", {\"tokens\": [\"Two\", \"words\"], \"entities\": "
      "[]}, null], \"domain\": {\"ct_scan\": true}, \"other\": [1]}";
  static const char photo[] =
      "{\"id\": \"5\", \"image\": \"a/5.png\", \"captions\": [\"One.\", \"Two.\"], \"instances\": "
      "[{\"category\": \"red dog\", \"bbox\": [0.1, 0.2, 0.5, 1]}]}";
  const DataInstruct instruct = work();
  g_auto(DataPair) pair = {0}, other = {0};
  g_autofree char *problem = NULL;
  DataDropped reason;

  g_assert_true(data_instruct_read(&instruct, line, strlen(line), &pair, &reason, &problem));
  g_assert_cmpstr(pair.id, ==, "1_F1");
  g_assert_cmpstr(pair.image, ==, "1_F1.jpg");
  g_assert_cmpint(pair.domain, ==, DATA_DOMAIN_CT_SCAN);
  g_assert_cmpstr(pair.label, ==, "Figure 1");
  g_assert_cmpuint(pair.captions->len, ==, 1);
  g_assert_cmpstr(pair.captions->pdata[0], ==, "A \"lung\".");
  g_assert_cmpuint(pair.mentions->len, ==, 2);
  g_assert_cmpstr(pair.mentions->pdata[1], ==, "Two words");
  g_assert_true(data_instruct_read(&instruct, photo, strlen(photo), &other, &reason, &problem));
  g_assert_cmpuint(other.captions->len, ==, 2);
  g_assert_cmpstr(other.image, ==, "a/5.png");
  g_assert_cmpuint(other.boxes->len, ==, 1);
  g_assert_cmpstr(g_array_index(other.boxes, DataBox, 0).category, ==, "red dog");
  g_assert_cmpfloat(g_array_index(other.boxes, DataBox, 0).y2, ==, 1);
}

static void
test_no_pair(void)
{
  g_autofree char *much = g_strnfill(2u << 20, 'x');
  g_autofree char *huge = g_strdup_printf("{\"id\": \"1\", \"caption\": \"%s\"}", much);
  const struct {
    const char *line;
    DataDropped reason;
    const char *problem;
  } cases[] = {
      {"not JSON", DATA_DROPPED_MALFORMED, "no object, at byte 1"},
      {"{\"id\": 5, \"caption\": \"x\"}", DATA_DROPPED_MALFORMED,
       "id: found a number, expected a string"},
      {"{\"id\": \"1\", \"caption\": {}}", DATA_DROPPED_MALFORMED,
       "caption: found an object, expected a string"},
      {"{\"id\": \"1\", \"caption\": \"x\", \"in_text_mention\": {\"a\": 1}}",
       DATA_DROPPED_MALFORMED, "in_text_mention: found an object, expected an array of strings"},
      {"{\"id\": \"1\", \"captions\": [\"x\", 5]}", DATA_DROPPED_MALFORMED,
       "captions: found a number in it, expected strings"},
      {"{\"id\": \"1\", \"caption\": \"x\", \"boxes\": [{\"category\": \"a\", \"bbox\": [0, 0, 2, "
       "1]}]}",
       DATA_DROPPED_MALFORMED, "boxes: box 1 is none; *"},
      {"{\"id\": \"1\", \"caption\": \"x\", \"boxes\": [{\"bbox\": [0, 0, 1, 1]}]}",
       DATA_DROPPED_MALFORMED, "boxes: box 1 is none; *"},
      {"{\"id\": \"1\", \"caption\": \"x\", \"boxes\": [{\"category\": \"a\", \"bbox\": [0, 1]}]}",
       DATA_DROPPED_MALFORMED, "boxes: box 1 is none; *"},
      {huge, DATA_DROPPED_MALFORMED, "caption: more than 64 texts, or 32768 bytes"},
      {"{\"caption\": \"x\"}", DATA_DROPPED_NO_ID, NULL},
      {"{\"id\": \"  \", \"caption\": \"x\"}", DATA_DROPPED_NO_ID, NULL},
      {"{\"id\": \"1\"}", DATA_DROPPED_NO_CAPTION, NULL},
      {"{\"id\": \"1\", \"caption\": \" \\n\"}", DATA_DROPPED_NO_CAPTION, NULL},
      {"{\"id\": \"gone\", \"caption\": \"x\"}", DATA_DROPPED_NO_IMAGE, NULL}};
  const DataInstruct instruct = work();

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_auto(DataPair) pair = {0};
    g_autofree char *problem = NULL;
    DataDropped reason;

    g_test_message("case %u", i);
    g_assert_false(data_instruct_read(&instruct, cases[i].line, strlen(cases[i].line), &pair,
                                      &reason, &problem));
    g_assert_cmpstr(data_dropped_name(reason), ==, data_dropped_name(cases[i].reason));
    g_assert_true((problem != NULL) == (cases[i].problem != NULL));
    if (problem && !g_pattern_match_simple(cases[i].problem, problem)) {
      g_error("found \"%s\", expected \"%s\"", problem, cases[i].problem);
    }
  }
}

/* ---- what a teacher is told ---------------------------------------------------------------- */

static void
keep(const char *role, const char *text, gpointer user)
{
  g_string_append_printf(user, "<%s>%s", role, text);
}

static char *
told(const DataInstruct *instruct, const char *line, DataKind kind)
{
  g_auto(DataPair) pair = {0};
  g_autofree char *problem = NULL;
  DataDropped reason;
  GString *text = g_string_new(NULL);

  g_assert_true(data_instruct_read(instruct, line, strlen(line), &pair, &reason, &problem));
  data_instruct_ask(instruct, &pair, kind, keep, text);
  return g_string_free(text, FALSE);
}

static guint
count(const char *text, const char *what)
{
  guint n = 0;

  for (; (text = strstr(text, what)); text += strlen(what)) {
    n++;
  }
  return n;
}

#define CT                                                                                         \
  "{\"id\": \"1\", \"caption\": \"A liver.\", \"fig_label\": \"Fig. 9\", \"in_text_mention\": "    \
  "[\"M one.\", \"M two.\"], \"domain\": \"ct\"}"

static void
test_told(void)
{
  g_autoptr(DataExamples) examples = data_examples_new();
  DataInstruct instruct = work();
  g_autofree char *plain = NULL, *mentions = NULL, *shown = NULL, *many = NULL, *photo = NULL;

  plain = told(&instruct, CT, DATA_KIND_CONVERSATION);
  g_assert_true(g_str_has_prefix(plain, "<system>You write training data"));
  g_assert_true(g_str_has_suffix(plain, "<user>Figure Caption:\nFig. 9: A liver."));
  g_assert_cmpuint(count(plain, "<user>"), ==, 1);
  instruct.mentions = TRUE;
  mentions = told(&instruct, CT, DATA_KIND_CONVERSATION);
  g_assert_true(g_str_has_suffix(
      mentions,
      "<user>Figure Caption:\nFig. 9: A liver.\n\nFigure Context:\n\t- M one.\n\t- M two."));
  instruct.examples = examples;
  instruct.n_examples = 2;
  shown = told(&instruct, CT, DATA_KIND_CONVERSATION);
  g_assert_cmpuint(count(shown, "<user>"), ==, 3);
  g_assert_cmpuint(count(shown, "<assistant>User: "), ==, 2);
  g_assert_nonnull(strstr(shown, "hemangioma"));
  g_assert_nonnull(strstr(shown, "filled in on delayed images"));
  instruct.n_examples = 100;
  many = told(&instruct, CT, DATA_KIND_DETAIL);
  g_assert_cmpuint(count(many, "<assistant>"), ==, 5); /* one a domain */
  g_assert_true(strstr(many, "hemangioma") < strstr(many, "pleural effusion"));
  photo = told(&instruct,
               "{\"id\": \"5\", \"captions\": [\"One.\", \"Two.\"], \"instances\": "
               "[{\"category\": \"dog\", \"bbox\": [0.1, 0.25, 0.5, 1]}]}",
               DATA_KIND_REASONING);
  g_assert_cmpuint(count(photo, "<assistant>"), ==, 2);
  g_assert_nonnull(strstr(photo, "photographs"));
  g_assert_true(g_str_has_suffix(photo, "<user>One.\nTwo.\n\ndog: [0.100, 0.250, 0.500, 1.000]"));
}

/* ---- examples ------------------------------------------------------------------------------ */

/* Each kind of picture has its examples, and they are as we would have a teacher's replies be. */
static void
test_examples(void)
{
  g_autoptr(DataExamples) examples = data_examples_new();
  guint n[DATA_N_DOMAINS][DATA_N_KINDS] = {{0}};

  for (guint i = 0; i < examples->all->len; i++) {
    const DataExample *example = examples->all->pdata[i];

    g_assert_true(example->is_photo == (example->pair.domain == DATA_DOMAIN_NONE));
    for (guint kind = 0; kind < DATA_N_KINDS; kind++) {
      g_autoptr(GArray) turns = NULL;

      if (!example->replies[kind]) {
        continue;
      }
      n[example->pair.domain][kind]++;
      turns = kind == DATA_KIND_DETAIL ? data_turns_whole("Q", example->replies[kind])
                                       : data_turns_split(example->replies[kind]);
      g_assert_cmpuint(turns->len, >=, kind == DATA_KIND_CONVERSATION ? 3 : 1);
      data_turns_strict_clean(turns, FALSE, FALSE);
      for (guint t = 0; t < turns->len; t++) {
        const DataTurn *turn = &g_array_index(turns, DataTurn, t);
        g_test_message("example %u, kind %u, turn %u: %s", i, kind, t, turn->phrase);
        g_assert_cmpstr(data_turn_fate_name(turn->fate), ==, "kept");
        g_assert_null(turn->removed);
      }
    }
  }
  for (guint domain = 0; domain < DATA_N_DOMAINS; domain++) {
    g_assert_cmpuint(n[domain][DATA_KIND_CONVERSATION], >=, 2);
    g_assert_cmpuint(n[domain][DATA_KIND_DETAIL], >=, 1);
    g_assert_cmpuint(n[domain][DATA_KIND_REASONING], >=, 1);
  }
}

static void
test_examples_text(void)
{
  static const struct {
    const char *text, *problem;
  } bad[] = {{"", "line 1: no example"},
             {"hello", "line 1: expected \"== DOMAIN\""},
             {"== brain", "line 1: expected chest_xray*"},
             {"== mri\ntitle: x", "line 2: expected \"label:\"*"},
             {"== mri\ncaption:", "line 2: expected \"label:\"*"},
             {"== mri\ncaption: x\n-- poem\n", "line 3: expected conversation*"},
             {"== photo\nbox: dog 1 2", "line 2: expected a category*"},
             {"== photo\nbox: dog 0 0 2 1", "line 2: expected four numbers*"},
             {"== mri\ncaption: x\n", "*: an example without a caption, or without*"},
             {"== mri\n-- detail\nx", "*: an example without a caption, or without*"},
             {"== mri\ncaption: \xff\n-- detail\nx", "line 1: bytes that are no UTF-8"}};
  static const char good[] = "# hello\n== photo\ncaption: A\r\nbox: red dog 0 0.5 1 1\n-- detail\n"
                             "Text\n# of it\n\n-- reasoning\nUser: a\nAssistant: b";
  g_autofree char *problem = NULL;
  g_autoptr(DataExamples) examples = data_examples_parse(good, strlen(good), &problem);
  const DataExample *example;

  g_assert_null(problem);
  example = examples->all->pdata[0];
  g_assert_cmpstr(example->replies[DATA_KIND_DETAIL], ==, "Text\n# of it");
  g_assert_cmpstr(example->replies[DATA_KIND_REASONING], ==, "User: a\nAssistant: b");
  g_assert_cmpstr(g_array_index(example->pair.boxes, DataBox, 0).category, ==, "red dog");
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autofree char *what = NULL;

    g_assert_null(data_examples_parse(bad[i].text, strlen(bad[i].text), &what));
    if (!g_pattern_match_simple(bad[i].problem, what)) {
      g_error("found \"%s\", expected \"%s\"", what, bad[i].problem);
    }
  }
}

/* ---- records ------------------------------------------------------------------------------- */

#define REPLY                                                                                      \
  "User: One?\n\nAssistant: Sorry.\n\nUser: Two \"2\"?\n\nAssistant: Yes, A T2 \xc3\xa9.\n\n"      \
  "User: Three?\n\nAssistant: Based on the caption, B."

static JsonObject *
record(const DataInstruct *instruct, const char *id, DataKind kind, const char *reply,
       JsonNode **node, GArray **turns)
{
  g_autofree char *line =
      g_strdup_printf("{\"id\": \"%s\", \"caption\": \"x\", \"domain\": \"mri\"}", id);
  g_autoptr(GByteArray) out = g_byte_array_new();
  g_auto(DataPair) pair = {0};
  g_autofree char *problem = NULL, *text = NULL;
  DataDropped reason;

  g_assert_true(data_instruct_read(instruct, line, strlen(line), &pair, &reason, &problem));
  *turns = data_instruct_turns(instruct, &pair, kind, reply, FALSE);
  data_instruct_write(instruct, &pair, kind, *turns, out);
  text = g_strndup((const char *)out->data, out->len);
  g_assert_true(g_str_has_suffix(text, "}\n"));
  *node = json_from_string(text, NULL);
  g_assert_nonnull(*node);
  return json_node_get_object(*node);
}

static const char *
said(JsonObject *o, guint turn)
{
  JsonArray *turns = json_object_get_array_member(o, "conversations");

  return json_object_get_string_member(json_array_get_object_element(turns, turn), "value");
}

static void
test_record(void)
{
  DataInstruct instruct = work();
  g_autoptr(JsonNode) node = NULL, detail = NULL;
  g_autoptr(GArray) turns = NULL, whole = NULL;
  JsonObject *o = record(&instruct, "1_F1", DATA_KIND_CONVERSATION, REPLY, &node, &turns);

  g_assert_cmpstr(json_object_get_string_member(o, "id"), ==, "1_F1");
  g_assert_cmpstr(json_object_get_string_member(o, "image"), ==, "1_F1.jpg");
  g_assert_cmpstr(json_object_get_string_member(o, "type"), ==, "conversation");
  g_assert_true(json_object_get_boolean_member(json_object_get_object_member(o, "domain"), "mri"));
  g_assert_cmpuint(json_array_get_length(json_object_get_array_member(o, "conversations")), ==, 4);
  /* The first turn went, the picture did not. */
  g_assert_true(strcmp(said(o, 0), "<image>\nTwo \"2\"?") == 0 ||
                strcmp(said(o, 0), "Two \"2\"?\n<image>") == 0);
  g_assert_cmpstr(said(o, 1), ==, "Yes, A T2 \xc3\xa9.");
  g_assert_cmpstr(said(o, 3), ==, "B.");

  instruct.many_kinds = TRUE;
  o = record(&instruct, "2", DATA_KIND_DETAIL, "Assistant: A long text.\n\nWith more.", &detail,
             &whole);
  g_assert_cmpstr(json_object_get_string_member(o, "id"), ==, "2_detail");
  g_assert_nonnull(strstr(said(o, 0), "detail"));
  g_assert_nonnull(strstr(said(o, 0), "<image>"));
  g_assert_cmpstr(said(o, 1), ==, "A long text.\n\nWith more.");
}

static void
test_chance(void)
{
  const DataInstruct instruct = work();
  guint first = 0;

  for (guint i = 0; i < 1000; i++) {
    g_autofree char *id = g_strdup_printf("%u", i);
    g_autoptr(JsonNode) node = NULL;
    g_autoptr(GArray) turns = NULL;
    JsonObject *o =
        record(&instruct, id, DATA_KIND_CONVERSATION, "User: a\nAssistant: b", &node, &turns);

    first += g_str_has_prefix(said(o, 0), "<image>\n");
  }
  /* Of 1000, five standard deviations to either side of a half. */
  g_assert_cmpuint(first, >, 500 - 79);
  g_assert_cmpuint(first, <, 500 + 79);
}

static void
test_story(void)
{
  DataInstruct instruct = work();
  g_autoptr(JsonNode) node = NULL, story_node = NULL;
  g_autoptr(GArray) turns = NULL;
  g_autoptr(GByteArray) out = g_byte_array_new();
  const DataPair pair = {.domain = DATA_DOMAIN_MRI};
  DataInstructCounts counts = {0};
  DataStory story = {.line = 7, .id = "1", .kind = "conversation", .request = "abc"};
  JsonObject *o, *turn;

  record(&instruct, "1", DATA_KIND_CONVERSATION, REPLY, &node, &turns);
  story.why = data_instruct_count(&counts, &pair, DATA_KIND_CONVERSATION, turns);
  story.turns = turns;
  data_story_write(&story, out);
  g_byte_array_append(out, (const guint8 *)"", 1);
  story_node = json_from_string((const char *)out->data, NULL);
  o = json_node_get_object(story_node);
  g_assert_true(json_object_get_boolean_member(o, "in"));
  g_assert_cmpint(json_object_get_int_member(o, "line"), ==, 7);
  g_assert_cmpuint(json_array_get_length(json_object_get_array_member(o, "turns")), ==, 3);
  turn = json_array_get_object_element(json_object_get_array_member(o, "turns"), 0);
  g_assert_cmpstr(json_object_get_string_member(turn, "why"), ==, "refusal");
  g_assert_cmpstr(json_object_get_string_member(turn, "phrase"), ==, "sorry");
  turn = json_array_get_object_element(json_object_get_array_member(o, "turns"), 2);
  g_assert_cmpstr(json_object_get_string_member(turn, "removed"), ==, "Based on the caption, ");
  g_assert_cmpuint(counts.written, ==, 1);
  g_assert_cmpuint(counts.domains[DATA_DOMAIN_MRI], ==, 1);
  g_assert_cmpuint(counts.fates[DATA_TURN_KEPT], ==, 2);
  g_assert_cmpuint(counts.fates[DATA_TURN_REFUSAL], ==, 1);
  g_assert_cmpuint(counts.edited, ==, 1);
  g_array_set_size(turns, 1);
  g_assert_cmpstr(data_instruct_count(&counts, &pair, 0, turns), ==, "no_turn_left");
  g_array_set_size(turns, 0);
  g_assert_cmpstr(data_instruct_count(&counts, &pair, 0, turns), ==, "no_turns");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/instruct/pair", test_pair);
  g_test_add_func("/instruct/no-pair", test_no_pair);
  g_test_add_func("/instruct/told", test_told);
  g_test_add_func("/instruct/examples", test_examples);
  g_test_add_func("/instruct/examples-text", test_examples_text);
  g_test_add_func("/instruct/record", test_record);
  g_test_add_func("/instruct/chance", test_chance);
  g_test_add_func("/instruct/story", test_story);
  return g_test_run();
}
