/* test-align.c - lines of JSON, read without a tree, become conversations. */
#include <string.h>

#include <json-glib/json-glib.h>

#include "dataset.h"
#include "dataset/scan.h"

/* ---- scanning ----------------------------------------------------------------------------------
 */

static const char *const names[] = {"a", "b", NULL};

static gboolean
scan(const char *line, DataValue values[2])
{
  const char *why;
  gsize at;
  gboolean ok = data_scan(line, strlen(line), names, values, &why, &at);

  g_assert_true(ok == (why == NULL));
  g_assert_cmpuint(at, <=, strlen(line));
  return ok;
}

static void
assert_text(const DataValue *value, const char *text)
{
  g_autoptr(GString) out = g_string_new(NULL);

  g_assert_cmpint(value->kind, ==, DATA_VALUE_STRING);
  data_value_decode(value, out);
  g_assert_cmpstr(out->str, ==, text);
}

static void
test_scan(void)
{
  DataValue v[2];

  g_assert_true(scan(" {\"a\":\"x\" , \"c\":[1,{\"a\":\"no\"},[]],\"b\":{\"d\":{}}}\t", v));
  assert_text(&v[0], "x");
  g_assert_cmpint(v[1].kind, ==, DATA_VALUE_OTHER);
  g_assert_cmpuint(v[1].n, ==, strlen("{\"d\":{}}"));
  g_assert_true(scan("{}", v));
  g_assert_cmpint(v[0].kind, ==, DATA_VALUE_ABSENT);
  g_assert_true(scan("{\"a\":null,\"a\":\"last\",\"b\":-0.5e+3}", v));
  assert_text(&v[0], "last");
  g_assert_true(scan("{\"a\":\"\\u00e9\\ud83d\\ude00\\n\\\"\\/\\\\ \\ud800x \\u0000\",\"b\":\"a "
                     "long text without anything in it at all\"}",
                     v));
  assert_text(&v[0], "\xc3\xa9\xf0\x9f\x98\x80\n\"/\\ \xef\xbf\xbdx \xef\xbf\xbd");
  assert_text(&v[1], "a long text without anything in it at all");
}

/* What a library that everybody uses refuses, and what it takes: the same here. */
static void
test_like_others(void)
{
  static const char *const lines[] = {"",
                                      " ",
                                      "{",
                                      "}",
                                      "[]",
                                      "1",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{\"a\":1,}",
                                      "{,}",
                                      "{\"a\":1 \"b\":2}",
                                      "{\"a\":01}",
                                      "{\"a\":1.}",
                                      "{\"a\":.5}",
                                      "{\"a\":1e}",
                                      "{\"a\":+1}",
                                      "{\"a\":tru}",
                                      "{\"a\":\"\\x\"}",
                                      "{\"a\":\"\\u12g4\"}",
                                      "{\"a\":\"",
                                      "{\"a\":\"\\",
                                      "{\"a\":\"\\u12\"}",
                                      "{\"a\":[1,2}",
                                      "{\"a\":[1 2]}",
                                      "{\"a\":{\"b\":1]}",
                                      "{\"a\":[}",
                                      "{\"a\":1}{}",
                                      "{\"a\":1}x",
                                      "{a:1}",
                                      "{'a':1}",
                                      "{\"a\":[],\"b\":{}}",
                                      "{\"a\":[[[]]],\"b\":[{\"c\":[{}]},2]}",
                                      "{\"a\":true,\"b\":false}",
                                      "{\"a\":1E5,\"b\":-0}",
                                      "{\"a\":\"\xc3\xa9\"}",
                                      "{\"a\":\"\xff\"}"};
  static const gboolean good[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0};
  DataValue v[2];

  G_STATIC_ASSERT(G_N_ELEMENTS(lines) == G_N_ELEMENTS(good));
  for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
    g_test_message("%u", i);
    g_assert_true(scan(lines[i], v) == good[i]);
  }
}

/* Any byte changed, any length: an answer, within the line. */
static void
test_any_byte(void)
{
  const char *line =
      "{\"a\":\"x\\u00e9y\",\"c\":[1,{\"d\":null}],\"b\":-1.5e3,\"e\":{\"f\":\"g\"}}";
  const gsize n = strlen(line);

  for (gsize i = 0; i < n; i++) {
    g_autofree char *cut = g_memdup2(line, i);
    DataValue v[2];
    const char *why;
    gsize at;

    g_assert_false(data_scan(cut, i, names, v, &why, &at));
    for (guint byte = 1; byte < 256; byte += 7) {
      g_autofree char *copy = g_strdup(line);
      copy[i] = (char)byte;
      scan(copy, v);
    }
  }
}

static void
test_depth(void)
{
  for (guint depth = 62; depth <= 70; depth += 2) {
    g_autoptr(GString) line = g_string_new("{\"a\":");
    DataValue v[2];

    for (guint i = 0; i < depth; i++) {
      g_string_append_c(line, '[');
    }
    for (guint i = 0; i < depth; i++) {
      g_string_append_c(line, ']');
    }
    g_string_append_c(line, '}');
    g_assert_true(scan(line->str, v) == (depth <= 64));
  }
}

/* ---- conversations -----------------------------------------------------------------------------
 */

static const char *
instruction(const char *caption, gsize n, guint64 seed, gboolean *brief, gpointer user)
{
  g_assert_cmpuint(strlen(caption), ==, n);
  *brief = n < 10;
  return n == 0 ? NULL : *brief ? "Brief." : "Detailed";
}

static gboolean
has_image(const char *name, gpointer user)
{
  return strcmp(name, "gone.jpg") != 0;
}

static const char lines[] =
    "{\"pair_id\": \"1_F1\", \"fig_caption\": \"A lung.\", \"domain\": {\"ct_scan\": true}}\n"
    "\n"
    "{\"id\": \"2\", \"caption\": \"A caption that is \\\"longer\\\".\", \"image\": \"x/y.png\", "
    "\"modality\": \"CXR\"}\r\n"
    "{\"pair_id\": \"3\", \"fig_caption\": null}\n"
    "{\"pair_id\": \"3\", \"fig_caption\": \"\"}\n"
    "{\"fig_caption\": \"No id\"}\n"
    "{\"pair_id\": 5, \"fig_caption\": \"x\"}\n"
    "{\"pair_id\": \"gone\", \"fig_caption\": \"x\"}\n"
    "not JSON\n"
    "{\"pair_id\": \"6\", \"fig_caption\": \"Last\"}";

static GPtrArray *
conversations(const char *text, gsize n)
{
  GPtrArray *nodes = g_ptr_array_new_with_free_func((GDestroyNotify)json_node_unref);
  g_autofree char *copy = g_strndup(text, n);
  g_auto(GStrv) split = g_strsplit(copy, "\n", -1);

  for (guint i = 0; split[i]; i++) {
    if (*split[i]) {
      g_autoptr(GError) error = NULL;
      g_ptr_array_add(nodes, json_from_string(split[i], &error));
      g_assert_no_error(error);
    }
  }
  return nodes;
}

static const char *
said(JsonNode *node, guint turn)
{
  JsonArray *turns = json_object_get_array_member(json_node_get_object(node), "conversations");

  g_assert_cmpuint(json_array_get_length(turns), ==, 2);
  return json_object_get_string_member(json_array_get_object_element(turns, turn), "value");
}

static void
test_align(void)
{
  DataAlign align = {.seed = 1, .instruction = instruction, .has_image = has_image};
  g_autoptr(GByteArray) out = g_byte_array_new(), array = g_byte_array_new();
  g_autoptr(GArray) problems = g_array_new(FALSE, FALSE, sizeof(DataProblem));
  g_autoptr(GPtrArray) nodes = NULL;
  DataCounts counts = {0}, again = {0};
  JsonObject *o;

  g_array_set_clear_func(problems, data_problem_clear);
  data_align(&align, lines, strlen(lines), out, &counts, problems);
  g_assert_cmpuint(counts.lines, ==, 10);
  g_assert_cmpuint(counts.written, ==, 3);
  g_assert_cmpuint(counts.brief, ==, 2);
  g_assert_cmpuint(counts.detailed, ==, 1);
  g_assert_cmpuint(counts.dropped[DATA_DROPPED_MALFORMED], ==, 2);
  g_assert_cmpuint(counts.dropped[DATA_DROPPED_NO_ID], ==, 1);
  g_assert_cmpuint(counts.dropped[DATA_DROPPED_NO_CAPTION], ==, 2);
  g_assert_cmpuint(counts.dropped[DATA_DROPPED_NO_IMAGE], ==, 1);
  g_assert_cmpuint(counts.domains[DATA_DOMAIN_CT_SCAN], ==, 1);
  g_assert_cmpuint(counts.domains[DATA_DOMAIN_CHEST_XRAY], ==, 1);
  g_assert_cmpuint(counts.domains[DATA_DOMAIN_NONE], ==, 1);
  g_assert_cmpuint(problems->len, ==, 2);
  g_assert_cmpuint(g_array_index(problems, DataProblem, 0).line, ==, 6);
  g_assert_cmpstr(g_array_index(problems, DataProblem, 0).text, ==,
                  "pair_id: found a number, expected a string");
  g_assert_cmpuint(g_array_index(problems, DataProblem, 1).line, ==, 8);

  nodes = conversations((const char *)out->data, out->len);
  g_assert_cmpuint(nodes->len, ==, 3);
  o = json_node_get_object(nodes->pdata[0]);
  g_assert_cmpstr(json_object_get_string_member(o, "id"), ==, "1_F1");
  g_assert_cmpstr(json_object_get_string_member(o, "image"), ==, "1_F1.jpg");
  g_assert_true(
      json_object_get_boolean_member(json_object_get_object_member(o, "domain"), "ct_scan"));
  g_assert_false(json_object_get_boolean_member(json_object_get_object_member(o, "domain"), "mri"));
  g_assert_cmpstr(said(nodes->pdata[0], 1), ==, "A lung.");
  o = json_node_get_object(nodes->pdata[1]);
  g_assert_cmpstr(json_object_get_string_member(o, "image"), ==, "x/y.png");
  g_assert_cmpstr(said(nodes->pdata[1], 1), ==, "A caption that is \"longer\".");
  g_assert_true(g_strcmp0(said(nodes->pdata[1], 0), "<image>\nDetailed") == 0 ||
                g_strcmp0(said(nodes->pdata[1], 0), "Detailed\n<image>") == 0);
  g_assert_false(json_object_has_member(json_node_get_object(nodes->pdata[2]), "domain"));

  align.array = TRUE;
  data_align(&align, lines, strlen(lines), array, &again, NULL);
  g_assert_cmpmem(array->data, 3, ",\n{", 3);
}

/* The image comes first in half of them, and a pair has its fate wherever it stands. */
static void
test_chance(void)
{
  const DataAlign align = {.seed = 7, .instruction = instruction};
  g_autoptr(GByteArray) out = g_byte_array_new();
  g_autoptr(GString) text = g_string_new(NULL);
  g_autoptr(GPtrArray) nodes = NULL;
  DataCounts counts = {0};
  guint first = 0;

  for (guint i = 0; i < 4000; i++) {
    g_string_append_printf(text, "{\"pair_id\": \"%u_F1\", \"fig_caption\": \"c\"}\n", i);
  }
  data_align(&align, text->str, text->len, out, &counts, NULL);
  nodes = conversations((const char *)out->data, out->len);
  for (guint i = 0; i < nodes->len; i++) {
    g_autofree char *one = g_strdup_printf("{\"fig_caption\":\"c\",\"pair_id\":\"%u_F1\"}", i);
    g_autoptr(GByteArray) alone = g_byte_array_new();

    first += g_str_has_prefix(said(nodes->pdata[i], 0), "<image>");
    if (i % 100 == 0) {
      g_autoptr(GPtrArray) same = NULL;
      data_align(&align, one, strlen(one), alone, &counts, NULL);
      same = conversations((const char *)alone->data, alone->len);
      g_assert_cmpstr(said(same->pdata[0], 0), ==, said(nodes->pdata[i], 0));
    }
  }
  /* Of 4000, five standard deviations to either side of a half. */
  g_assert_cmpuint(first, >, 2000 - 158);
  g_assert_cmpuint(first, <, 2000 + 158);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/align/scan", test_scan);
  g_test_add_func("/align/like-others", test_like_others);
  g_test_add_func("/align/any-byte", test_any_byte);
  g_test_add_func("/align/depth", test_depth);
  g_test_add_func("/align/conversations", test_align);
  g_test_add_func("/align/chance", test_chance);
  return g_test_run();
}
