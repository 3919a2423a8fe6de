/* test-json-read.c - JSON from elsewhere: what is no JSON, nests too deep, or would be counted
 * otherwise than it is parsed. */
#include <string.h>

#include "private.h"

static gboolean
reads(const char *text)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonObject) object = app_json_object_read(text, strlen(text), &error);

  g_assert_true((object == NULL) == (error != NULL));
  if (error) {
    /* What the text says is nobody's business. */
    g_assert_null(strstr(error->message, "Quellenbaum"));
    g_test_message("%s", error->message);
  }
  return object != NULL;
}

static void
test_good(void)
{
  g_assert_true(reads("{}"));
  g_assert_true(reads("{\"a\": [1, -2.5e+3, true, null, \"}]\\\"\", {\"b\": \"/*\"}]} \t\r"));
  g_assert_true(reads("{\"a\": \"Stra\xc3\x9f"
                      "e\"}"));
}

static void
test_bad(void)
{
  static const char *const wrong[] = {"",
                                      " {}",
                                      "[]",
                                      "{",
                                      "{\"a\": \"Quellenbaum",
                                      "{\"a\": \"b\\",
                                      "{\"a\": Quellenbaum}",
                                      "{\"a\" \"Quellenbaum\"}",
                                      "{\"a\": 1} {}",
                                      "{\"a\": 1} x",
                                      "{\"a\": [1}",
                                      "{'a': 1}",
                                      "{\"a\": 1 /* Quellenbaum */}",
                                      "{\"a\": 1 // x\n}",
                                      "{# x\n}",
                                      "{\"a\": \"\xff\"}"};

  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_test_message("row %u", i);
    g_assert_false(reads(wrong[i]));
  }
}

/* Thirty-two levels are read, one more is not; a million are refused and not descended into, nor
 * when a comment or a single quote would hide them from a scanner of strings. */
static void
test_depth(void)
{
  static const char *const begins[] = {"{\"a\":", "{\"a\":/*\"*/",
                                       "{\"a\":'\"',\"b\":", "{\"a\":1 //\"\n,\"b\":"};

  for (guint depth = 31; depth <= 32; depth++) {
    g_autofree char *open = g_strnfill(depth, '['), *close = g_strnfill(depth, ']');
    g_autofree char *text = g_strdup_printf("{\"a\":%s%s}", open, close);
    g_assert_true(reads(text) == (depth == 31));
  }
  for (guint i = 0; i < G_N_ELEMENTS(begins); i++) {
    g_autofree char *many = g_strnfill(1000000, '['), *ends = g_strnfill(1000000, ']');
    g_autofree char *text = g_strconcat(begins[i], many, ends, "}", NULL);
    g_assert_false(reads(text));
  }
}

/* Nothing past the N bytes is looked at: AddressSanitizer sees it. */
static void
test_bounds(void)
{
  g_autofree char *exact = g_memdup2("{\"a\":1}", 7);
  g_autoptr(JsonObject) object = app_json_object_read(exact, 7, NULL);

  g_assert_nonnull(object);
  for (gsize n = 0; n < 7; n++) {
    g_autofree char *cut = g_memdup2("{\"a\":1}", n);
    g_assert_null(app_json_object_read(cut, n, NULL));
  }
}

static void
test_below(void)
{
  static const char *const out[] = {"", "/etc/passwd", "..", "../a", "a/../../b", "a/.."};
  g_autofree char *in = app_file_below("images", "a/..b/c.png", NULL);

  g_assert_cmpstr(in, ==, "images/a/..b/c.png");
  for (guint i = 0; i < G_N_ELEMENTS(out); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_null(app_file_below("images", out[i], &error));
    g_assert_error(error, APP_ERROR, APP_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "below the folder images"));
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/app/json-read/good", test_good);
  g_test_add_func("/app/json-read/bad", test_bad);
  g_test_add_func("/app/json-read/depth", test_depth);
  g_test_add_func("/app/json-read/bounds", test_bounds);
  g_test_add_func("/app/file/below", test_below);
  return g_test_run();
}
