/* The JSON reader: what it takes, what it refuses, and where it says the fault is. */
#include "checkpoint/json.h"
#include "base/limits.h"

#include "model/checkpoint-fixture.h"
#include "shared.h"

#include <locale.h>
#include <math.h>

static gboolean
parse(const char *text, ModelJson *json, ModelError *err)
{
  return model_json_parse(text, strlen(text), "f.json", json, err);
}

static void
test_values(void)
{
  ModelJson json;
  ModelError err = {0};
  const ModelJsonNode *list, *n;
  uint64_t big = 0;

  g_assert_true(
      parse(" {\"a\" : [1, -2.5e2, true,false,null, \"\\u00e9\\uD83D\\uDE00\\n\\/\", {}, []],\n"
            "\"b\":18446744073709551615,\"b\":7 , \"c\":\"é\"}\r\n",
            &json, &err));
  list = model_json_get(json.nodes, "a");
  g_assert_cmpuint(list->n_children, ==, 8);
  n = list->child;
  g_assert_cmpfloat(n->number, ==, 1);
  n = n->next;
  g_assert_cmpfloat(n->number, ==, -250);
  n = n->next;
  g_assert_cmpint(n->type, ==, MODEL_JSON_TRUE);
  n = n->next;
  g_assert_cmpint(n->type, ==, MODEL_JSON_FALSE);
  n = n->next;
  g_assert_cmpint(n->type, ==, MODEL_JSON_NULL);
  n = n->next;
  g_assert_cmpstr(n->text, ==, "é😀\n/");
  n = n->next;
  g_assert_cmpint(n->type, ==, MODEL_JSON_OBJECT);
  n = n->next;
  g_assert_cmpint(n->type, ==, MODEL_JSON_ARRAY);
  g_assert_null(n->next);
  /* The last of two equal keys counts, and the largest 64-bit number is exact. */
  g_assert_true(model_json_to_u64(model_json_get(json.nodes, "b"), &big));
  g_assert_cmpuint(big, ==, 7);
  g_assert_true(model_json_to_u64(list->next, &big));
  g_assert_cmpuint(big, ==, G_MAXUINT64);
  g_assert_cmpstr(model_json_get(json.nodes, "c")->text, ==, "é");
  g_assert_null(model_json_get(json.nodes, "d"));
  g_assert_null(model_json_get(list, "d"));
  model_json_clear(&json);
}

static void
test_getters(void)
{
  ModelJson json;
  ModelError err = {0};
  uint32_t u = 5;
  int32_t i = 5;
  float f = 5;
  bool b = true;
  const char *s = "x";

  g_assert_true(parse("{\"u\":4294967295,\"big\":4294967296,\"i\":-2,\"f\":1e-05,\"huge\":1e40,"
                      "\"b\":false,\"s\":\"t\",\"null\":null,\"half\":0.5}",
                      &json, &err));
  g_assert_true(model_json_u32(&json, json.nodes, "absent", &u, &err));
  g_assert_true(model_json_u32(&json, json.nodes, "null", &u, &err));
  g_assert_cmpuint(u, ==, 5);
  g_assert_true(model_json_u32(&json, json.nodes, "u", &u, &err));
  g_assert_cmpuint(u, ==, 4294967295u);
  g_assert_true(model_json_i32(&json, json.nodes, "i", &i, &err));
  g_assert_cmpint(i, ==, -2);
  g_assert_true(model_json_float(&json, json.nodes, "f", &f, &err));
  g_assert_cmpfloat(f, ==, 1e-05f);
  g_assert_true(model_json_bool(&json, json.nodes, "b", &b, &err));
  g_assert_false(b);
  g_assert_true(model_json_string(&json, json.nodes, "s", &s, &err));
  g_assert_cmpstr(s, ==, "t");

  g_assert_false(model_json_u32(&json, json.nodes, "big", &u, &err));
  assert_message(&err, MODEL_ERROR_CORRUPT, "f.json: \"big\" is 4294967296, expected a whole*");
  g_assert_false(model_json_u32(&json, json.nodes, "half", &u, &err));
  g_assert_false(model_json_u32(&json, json.nodes, "i", &u, &err));
  g_assert_false(model_json_i32(&json, json.nodes, "half", &i, &err));
  g_assert_false(model_json_i32(&json, json.nodes, "big", &i, &err));
  g_assert_false(model_json_float(&json, json.nodes, "huge", &f, &err));
  g_assert_false(model_json_float(&json, json.nodes, "s", &f, &err));
  assert_message(&err, MODEL_ERROR_CORRUPT, "f.json: \"s\" is t, expected a number");
  g_assert_false(model_json_bool(&json, json.nodes, "u", &b, &err));
  g_assert_false(model_json_string(&json, json.nodes, "b", &s, &err));
  assert_message(&err, MODEL_ERROR_CORRUPT, "f.json: \"b\" is false, expected a string");
  model_json_clear(&json);
}

static void
test_refused(void)
{
  static const struct {
    const char *text, *pattern;
  } cases[] = {
      {"", "f.json: JSON, byte 0: expected a value, found the end of the text"},
      {"  ", "*byte 2: expected a value, found the end*"},
      {"{", "*byte 1: expected a key in quotes, found the end*"},
      {"{\"a\"}", "*byte 4: expected ':' behind a key, found 0x7d"},
      {"{\"a\":1,}", "*byte 7: expected a key in quotes, found 0x7d"},
      {"{\"a\":1 \"b\":2}", "*byte 7: expected ',' or '}', found 0x22"},
      {"{,}", "*byte 1: expected a key*"},
      {"[1 2]", "*byte 3: expected ',' or ']', found 0x32"},
      {"[1,]", "*byte 3: expected a value, found 0x5d"},
      {"[,1]", "*byte 1: expected a value*"},
      {"[1}", "*byte 2: expected ',' or ']', found 0x7d"},
      {"[1", "*byte 2: expected ',' or ']', found the end*"},
      {"1 2", "*byte 2: expected the end of the text*"},
      {"]", "*byte 0: expected a value*"},
      {"01", "*byte 1: expected the end*"},
      {"-", "*expected a digit*"},
      {"+1", "*expected a value*"},
      {"1.", "*expected a digit*"},
      {".5", "*expected a value*"},
      {"1e", "*expected a digit*"},
      {"1e+", "*expected a digit*"},
      {"NaN", "*expected a value*"},
      {"Infinity", "*expected a value*"},
      {"tru", "*expected a value*"},
      {"nul", "*expected a value*"},
      {"truex", "*byte 4: expected the end*"},
      {"'a'", "*expected a value, found 0x27"},
      {"\"a", "*byte 2: expected the closing quote*"},
      {"\"\\", "*expected an escape*"},
      {"\"\\x\"", "*byte 2: expected an escape, found 0x78"},
      {"\"\\u12g4\"", "*byte 5: expected four hexadecimal digits, found 0x67"},
      {"\"\\u12", "*expected four hexadecimal digits, found the end*"},
      {"\"\\u0000\"", "*expected a character other than U+0000*"},
      {"\"\\uDC00\"", "*half a surrogate*"},
      {"\"\\uD800\"", "*second half of a surrogate*"},
      {"\"\\uD800\\u0041\"", "*second half of a surrogate*"},
      {"\"a\nb\"", "*byte 2: expected a UTF-8 character of a string, found 0x0a"},
      {"\"\xff\"", "*byte 1: expected a UTF-8 character*"},
      {"\"\xc0\xaf\"", "*byte 1: expected a UTF-8 character*"},
      {"\"\xed\xa0\x80\"", "*byte 1: expected a UTF-8 character*"},
      {"\"\xf4\x90\x80\x80\"", "*byte 1: expected a UTF-8 character*"},
      {"\"\xe2\x82", "*byte 1: expected a UTF-8 character*"},
      {"/* */1", "*expected a value*"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    ModelError err = {0};
    ModelJson json;
    g_autofree char *shown = g_strescape(cases[i].text, NULL);
    g_test_message("%s", shown);
    g_assert_false(parse(cases[i].text, &json, &err));
    assert_message(&err, MODEL_ERROR_CORRUPT, cases[i].pattern);
    g_assert_null(json.nodes);
  }
}

static void
test_limits(void)
{
  g_autoptr(GString) deep = g_string_new("");
  g_autoptr(GString) wide = g_string_new("[0");
  ModelError err = {0};
  ModelJson json;

  for (guint i = 0; i < MODEL_MAX_JSON_DEPTH; i++)
    g_string_append_c(deep, '[');
  for (guint i = 0; i < MODEL_MAX_JSON_DEPTH; i++)
    g_string_append_c(deep, ']');
  g_assert_true(parse(deep->str, &json, &err));
  model_json_clear(&json);
  g_string_prepend_c(deep, '[');
  g_string_append_c(deep, ']');
  g_assert_false(parse(deep->str, &json, &err));
  assert_message(&err, MODEL_ERROR_TOO_LARGE, "f.json: JSON, byte 65: nested deeper than 64");
  /* A million opening brackets need neither the stack nor more than the limit. */
  for (guint i = 0; i < 1000000; i++)
    g_string_append_c(deep, '[');
  g_assert_false(parse(deep->str + 130, &json, &err));
  assert_message(&err, MODEL_ERROR_TOO_LARGE, "*nested deeper than 64");

  for (guint i = 0; i < MODEL_MAX_JSON_VALUES; i++)
    g_string_append(wide, ",0");
  g_string_append_c(wide, ']');
  g_assert_false(parse(wide->str, &json, &err));
  assert_message(&err, MODEL_ERROR_TOO_LARGE, "*more than 1048576 values");
  /* Commas inside a string are no values. */
  for (gsize i = 1; i < wide->len; i++)
    wide->str[i] = ',';
  wide->str[0] = wide->str[wide->len - 1] = '"';
  g_assert_true(parse(wide->str, &json, &err));
  model_json_clear(&json);
}

/* The decimal point stays a point whatever the program's locale is. */
static void
test_locale(void)
{
  static const char *const commas[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
  const char *found = NULL;
  ModelError err = {0};
  ModelJson json;

  for (guint i = 0; i < G_N_ELEMENTS(commas) && !found; i++)
    found = setlocale(LC_NUMERIC, commas[i]);
  g_assert_true(parse("[0.25]", &json, &err));
  g_assert_cmpfloat(json.nodes->child->number, ==, 0.25);
  model_json_clear(&json);
  setlocale(LC_NUMERIC, "C");
  if (!found)
    g_test_skip("no locale with a decimal comma is installed");
}

static void
test_mutations(void)
{
  static const char text[] = "{\"a\":[1,-2.5e2,true,null,\"\\u00e9\\ud83d\\ude00\xc3\xa9\"],"
                             "\"b\":{\"c\":{},\"d\":[[]]}}";
  g_autoptr(GRand) rand = g_rand_new_with_seed(7);
  guint taken = 0;

  for (guint i = 0; i < test_rounds(40000); i++) {
    g_autofree char *copy = g_memdup2(text, sizeof text);
    gsize n = sizeof text - 1;
    ModelJson json;
    ModelError err = {0};
    for (guint k = 0; k < 1 + i % 3; k++)
      copy[g_rand_int_range(rand, 0, (gint32)n)] = (char)g_rand_int(rand);
    if (i % 5 == 0)
      n = (gsize)g_rand_int_range(rand, 0, (gint32)n);
    if (model_json_parse(copy, n, "f.json", &json, &err)) {
      taken++;
      model_json_clear(&json);
    } else {
      g_assert_cmpint(err.code, !=, MODEL_OK);
    }
  }
  g_assert_cmpuint(taken, >, 100);
  g_assert_cmpuint(taken, <, 39000);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/json/values", test_values);
  g_test_add_func("/json/getters", test_getters);
  g_test_add_func("/json/refused", test_refused);
  g_test_add_func("/json/limits", test_limits);
  g_test_add_func("/json/locale", test_locale);
  g_test_add_func("/json/mutations", test_mutations);
  return g_test_run();
}
