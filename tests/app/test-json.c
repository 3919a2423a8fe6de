/* test-json.c - JSON as this program writes it. */
#include <math.h>

#include "app.h"

static void
check_double(double value, const char *expected)
{
  g_autoptr(JsonNode) node = json_node_init_double(json_node_alloc(), value);
  g_autofree char *text = app_json_text(node);

  g_assert_cmpstr(text, ==, expected);
}

static void
test_numbers(void)
{
  check_double(0.2, "0.2");
  check_double(0, "0.0");
  check_double(-450, "-450.0");
  check_double(1.0 / 3, "0.3333333333333333");
  check_double(1e300, "1e+300");
  check_double(5e-324, "4.94066e-324");
  check_double(NAN, "null");
  check_double(-INFINITY, "null");
}

static void
test_strings(void)
{
  g_autoptr(JsonNode) node = json_node_init_string(json_node_alloc(), "a\"b\\\n\x01\x7fü\xff");
  g_autofree char *text = app_json_text(node);

  g_assert_cmpstr(text, ==, "\"a\\\"b\\\\\\n\\u0001\\u007fü\xef\xbf\xbd\"");
}

static void
test_reads_back(void)
{
  static const char source[] =
      "{\"a\": [1, -2, 9007199254740993], \"b\": {\"c\": null, \"d\": true}, \"e\": \"x\", "
      "\"f\": [], \"g\": 2.5}";
  g_autoptr(JsonNode) node = json_from_string(source, NULL);
  g_autofree char *text = app_json_text(node);

  g_assert_cmpstr(text, ==, source);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/json/numbers", test_numbers);
  g_test_add_func("/json/strings", test_strings);
  g_test_add_func("/json/reads-back", test_reads_back);
  return g_test_run();
}
