/* test-remote-parts.c - addresses, streams and messages of servers, without a server. */
#include <string.h>

#include "remote.h"

/* ---- addresses ---------------------------------------------------------------------------- */

static void
test_address(void)
{
  static const struct {
    const char *url;
    gboolean insecure;
    const char *base, *host;
    gboolean loopback;
  } good[] = {
      {"http://127.0.0.1:8080", FALSE, "http://127.0.0.1:8080/v1", "127.0.0.1:8080", TRUE},
      {"http://localhost:8080/", FALSE, "http://localhost:8080/v1", "localhost:8080", TRUE},
      {"http://[::1]:80/v1/", FALSE, "http://[::1]:80/v1", "[::1]:80", TRUE},
      {"https://gpu.example", FALSE, "https://gpu.example/v1", "gpu.example", FALSE},
      {"HTTPS://gpu.example/a/b//", FALSE, "https://gpu.example/a/b", "gpu.example", FALSE},
      {"http://10.1.2.3:8000/v1", TRUE, "http://10.1.2.3:8000/v1", "10.1.2.3:8000", FALSE},
      /* Letters that look like others are seen for what they are. */
      {"https://gpu\xc3\xa9.example", FALSE, "https://xn--gpu-dma.example/v1",
       "xn--gpu-dma.example", FALSE},
  };

  for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
    const AppRemoteOptions options = {.url = good[i].url, .insecure = good[i].insecure};
    g_auto(AppRemoteAddress) address = {0};
    g_autoptr(GError) error = NULL;
    g_autofree char *endpoint = g_strconcat(good[i].base, "/chat/completions", NULL);

    g_assert_true(app_remote_address_parse(&options, &address, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(address.base, ==, good[i].base);
    g_assert_cmpstr(address.host, ==, good[i].host);
    g_assert_cmpstr(address.endpoint, ==, endpoint);
    g_assert_cmpint(address.loopback, ==, good[i].loopback);
  }
}

static void
test_address_refused(void)
{
  static const char *const bad[][2] = {
      {"", "*cannot be read*"},
      {"gpu.example", "*cannot be read*"},
      {"ftp://gpu.example", "*neither https:// nor http://*"},
      {"file:///etc/passwd", "*neither https:// nor http://*"},
      {"https://", "*names no host*"},
      {"https:///v1", "*names no host*"},
      {"https://user:hunter2@gpu.example", "*user name or password*"},
      {"https://gpu.example/v1?key=hunter2", "*query*"},
      {"https://gpu.example/#hunter2", "*fragment*"},
      {"http://gpu.example", "*unencrypted*--engine-insecure*"},
      {"http://127.1:8080", "*unencrypted*"},
      {"http://localhost.evil.example", "*unencrypted*"},
      {"http://10.0.0.1", "*unencrypted*"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    const AppRemoteOptions options = {.url = bad[i][0]};
    g_auto(AppRemoteAddress) address = {0};
    g_autoptr(GError) error = NULL;

    g_test_message("case %u", i);
    g_assert_false(app_remote_address_parse(&options, &address, &error));
    g_assert_error(error, APP_ERROR, APP_ERROR_ARGUMENT);
    if (!g_pattern_match_simple(bad[i][1], error->message)) {
      g_error("%s: \"%s\"", bad[i][0], error->message);
    }
    g_assert_null(strstr(error->message, "hunter2"));
  }
}

static void
test_key(void)
{
  const AppRemoteOptions engine = {0};
  static const char *const bad[] = {"two words", "line\nend", "caf\xc3\xa9"};
  g_autofree char *key = NULL;

  g_setenv("HILUM_ENGINE_KEY", "sk-Abc_123", TRUE);
  g_assert_true(app_remote_key(&engine, &key, NULL));
  g_assert_cmpstr(key, ==, "sk-Abc_123");
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autofree char *none = NULL;
    g_autoptr(GError) error = NULL;

    g_setenv("HILUM_ENGINE_KEY", bad[i], TRUE);
    g_assert_false(app_remote_key(&engine, &none, &error));
    g_assert_null(none);
    g_assert_null(strstr(error->message, bad[i]));
  }
  g_setenv("HILUM_ENGINE_KEY", "", TRUE);
  g_free(g_steal_pointer(&key));
  g_assert_true(app_remote_key(&engine, &key, NULL));
  g_assert_null(key);
  g_unsetenv("HILUM_ENGINE_KEY");
}

/* ---- server-sent events ------------------------------------------------------------------- */

static gboolean
keep_event(const char *data, gsize length, gpointer heard)
{
  g_assert_cmpuint(strlen(data), ==, length);
  g_string_append_printf(heard, "<%s>", data);
  return strcmp(data, "enough") != 0;
}

/* STREAM in pieces of STEP bytes; EXPECTED: its events. */
static void
check_stream(const char *stream, gsize step, const char *expected, AppSseState end)
{
  g_autoptr(GString) heard = g_string_new(NULL);
  AppSse sse;
  AppSseState state = APP_SSE_MORE;

  app_sse_init(&sse);
  for (gsize i = 0, n = strlen(stream); i < n && state == APP_SSE_MORE; i += step) {
    state = app_sse_feed(&sse, stream + i, MIN(step, n - i), keep_event, heard);
  }
  if (state == APP_SSE_MORE) {
    state = app_sse_end(&sse, keep_event, heard);
  }
  g_assert_cmpint(state, ==, end);
  g_assert_cmpstr(heard->str, ==, expected);
  app_sse_clear(&sse);
}

static void
test_events(void)
{
  static const struct {
    const char *stream, *events;
  } cases[] = {
      {"data: a\n\ndata:b\n\n", "<a><b>"},
      {"data: a\r\n\r\ndata: b\r\n\r\n", "<a><b>"},
      {"data: a\r\rdata: b\r\r", "<a><b>"},
      {"\xef\xbb\xbf"
       "data: a\n\n",
       "<a>"},
      {": a comment\n\n:\n\ndata: a\n: another\n\n", "<a>"},
      {"event: x\nid: 1\nretry: 5\ndata: a\ndata: b\n\n", "<a\nb>"},
      {"data\n\n", "<>"},
      {"data:  two blanks\n\n", "< two blanks>"},
      {"database: no\n\n", ""},
      {"error: {}\n\n", "<{}>"},
      {"data: a\n\ndata: the blank line is missing\n", "<a><the blank line is missing>"},
      {"data: a\n\ndata: the end is missing", "<a><the end is missing>"},
      {"\n\n\n\n", ""},
      {"", ""},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    for (gsize step = 1; step < 12; step++) {
      check_stream(cases[i].stream, step, cases[i].events, APP_SSE_MORE);
    }
    check_stream(cases[i].stream, 1000, cases[i].events, APP_SSE_MORE);
  }
  check_stream("data: a\n\ndata: enough\n\ndata: more\n\n", 1000, "<a><enough>", APP_SSE_ENOUGH);
  check_stream("data: a\n\ndata: enough\n\ndata: more\n\n", 3, "<a><enough>", APP_SSE_ENOUGH);
}

/* Neither one line nor one event of many lines grows for ever. */
static void
test_events_too_long(void)
{
  g_autofree char *line = g_strnfill(APP_REMOTE_MAX_EVENT + 100, 'x');
  g_autofree char *one = g_strconcat("data: ", line, "\n\n", NULL);
  g_autoptr(GString) many = g_string_new(NULL);
  g_autofree char *comment = g_strconcat(": ", line, "\n\n", NULL);

  check_stream(one, 1000, "", APP_SSE_TOO_LONG);
  check_stream(one, strlen(one), "", APP_SSE_TOO_LONG);
  check_stream(comment, 4096, "", APP_SSE_TOO_LONG);
  while (many->len < 2 * APP_REMOTE_MAX_EVENT) {
    g_string_append(many, "data: a line of an event that does not end\n");
  }
  check_stream(many->str, 5000, "", APP_SSE_TOO_LONG);
}

/* ---- chunks ------------------------------------------------------------------------------- */

static void
test_chunk(void)
{
  static const char data[] =
      "{\"id\": \"x\", \"object\": \"chat.completion.chunk\", \"model\": \"served\", \"error\": "
      "null,"
      " \"choices\": [{\"index\": 1, \"delta\": {\"content\": \"other\"}},"
      " {\"index\": 0, \"delta\": {\"role\": \"assistant\", \"content\": \"caf\\u00e9 "
      "\\ud83e\\udec1\"},"
      " \"finish_reason\": \"length\"}], \"usage\": {\"prompt_tokens\": 7, \"completion_tokens\": "
      "-3}}";
  g_auto(AppRemoteChunk) chunk = {0};
  g_autoptr(GError) error = NULL;

  g_assert_true(app_remote_chunk_read(data, strlen(data), &chunk, &error));
  g_assert_no_error(error);
  g_assert_cmpstr(chunk.text, ==, "caf\xc3\xa9 \xf0\x9f\xab\x81");
  g_assert_cmpstr(chunk.model, ==, "served");
  g_assert_cmpstr(chunk.finish, ==, "length");
  g_assert_null(chunk.failure);
  g_assert_true(chunk.has_usage);
  g_assert_cmpuint(chunk.prompt_tokens, ==, 7);
  g_assert_cmpuint(chunk.answer_tokens, ==, 0);
}

/* All that may stand in a chunk's place: text is what is expected, NULL none; FALSE: nonsense. */
static void
test_chunk_odd(void)
{
  static const struct {
    const char *data;
    gboolean ok;
    const char *text, *failure;
  } cases[] = {
      {"{\"choices\": []}", TRUE, NULL, NULL},
      {"{\"choices\": null}", TRUE, NULL, NULL},
      {"{\"choices\": [null, 3, []]}", TRUE, NULL, NULL},
      {"{\"choices\": [{\"delta\": null}]}", TRUE, NULL, NULL},
      {"{\"choices\": [{\"delta\": {\"content\": null, \"reasoning_content\": \"hm\"}}]}", TRUE,
       NULL, NULL},
      {"{\"choices\": [{\"delta\": {\"content\": 5}}]}", TRUE, NULL, NULL},
      {"{\"choices\": [{\"delta\": {\"content\": \"a\"}, \"finish_reason\": 4}], \"usage\": []}",
       TRUE, "a", NULL},
      {"{\"error\": {\"message\": \"out of memory\", \"code\": 500}}", TRUE, NULL, "out of memory"},
      {"{\"error\": \"gone\"}", TRUE, NULL, "gone"},
      {"{\"error\": {}}", TRUE, NULL, ""},
      {"{\"code\": 500, \"message\": \"slot unavailable\"}", TRUE, NULL, "slot unavailable"},
      {"{\"choices\": [{\"delta\": {\"content\": \"half \\ud83d\"}}]}", FALSE, NULL, NULL},
      {"{\"choices\": [{\"delta\": {\"content\": \"a\\u0000b\"}}]}", TRUE, "a", NULL},
      {"{\"hello\": 1}", FALSE, NULL, NULL},
      {"[1, 2]", FALSE, NULL, NULL},
      {"{\"choices\": [", FALSE, NULL, NULL},
      {"{'choices': []}", FALSE, NULL, NULL},
      {"{\"choices\": [{\"delta\": {\"content\": \"\xff\xfe\"}}]}", FALSE, NULL, NULL},
      {"", FALSE, NULL, NULL},
      {"[DONE", FALSE, NULL, NULL},
      {"<html>", FALSE, NULL, NULL},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_auto(AppRemoteChunk) chunk = {0};
    g_autoptr(GError) error = NULL;
    gboolean ok = app_remote_chunk_read(cases[i].data, strlen(cases[i].data), &chunk, &error);

    g_test_message("case %u", i);
    g_assert_cmpint(ok, ==, cases[i].ok);
    g_assert_cmpint(ok, ==, error == NULL);
    g_assert_cmpstr(chunk.text, ==, cases[i].text);
    g_assert_cmpstr(chunk.failure, ==, cases[i].failure);
  }
}

/* ---- messages ----------------------------------------------------------------------------- */

static void
test_complaints(void)
{
  static const char *const cases[][3] = {
      {"{\"error\": {\"message\": \"no\"}}", "application/json", "no"},
      {"{\"error\": \"no\"}", "application/json", "no"},
      {"{\"object\": \"error\", \"message\": \"no\"}", "application/json", "no"},
      {"{\"detail\": \"Not Found\"}", "application/json", "Not Found"},
      {"{\"detail\": [{\"loc\": [\"body\"], \"msg\": \"bad\", \"input\": \"SECRET\"}]}", "", "bad"},
      {"{\"detail\": []}", "application/json", NULL},
      {"{\"error\": {\"message\": 7}}", "application/json", NULL},
      {"gateway down", "text/plain", "gateway down"},
      {"<html>down</html>", "text/html", NULL},
      {"", "", NULL},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *text = app_remote_complaint(cases[i][0], strlen(cases[i][0]), cases[i][1]);
    g_assert_cmpstr(text, ==, cases[i][2]);
  }
}

static void
test_printable(void)
{
  static const char *const cases[][2] = {
      {" one\n two\t\r\n", "one two"},
      {"\x1b[31mred\x07", "?[31mred?"},
      {"a\xe2\x80\xae"
       "b",
       "a?b"},
      {"caf\xc3\xa9", "caf\xc3\xa9"},
      {"", ""},
      {"\n", ""},
  };
  g_autofree char *wrong = app_remote_printable("caf\xe9");
  g_autofree char *endless = g_strnfill(5000, 'x');
  g_autofree char *cut = app_remote_printable(endless);

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *text = app_remote_printable(cases[i][0]);
    g_assert_cmpstr(text, ==, cases[i][1]);
  }
  g_assert_true(g_utf8_validate(wrong, -1, NULL));
  g_assert_cmpint(g_utf8_strlen(cut, -1), ==, APP_REMOTE_MAX_MESSAGE + 1);
}

/* Neither the key nor what was asked comes back in a message. */
static void
test_repeatable(void)
{
  static const char *const sent[] = {"Does Mrs Quellenbaum of ward 7 have a nodule?", "Hm",
                                     "Where?", NULL};
  static const struct {
    const char *message;
    gboolean shown;
  } cases[] = {
      {"the model 'x' does not exist", TRUE},
      {"invalid key sk-12345678 was given", FALSE},
      {"invalid key sk-12345678\n was given", FALSE},
      {"bad input: Does Mrs Quellenbaum of ward 7 have a nodule?", FALSE},
      {"bad input: ...rs Quellenbaum of war...", FALSE},
      {"at 'Where?'", FALSE},
      {"Hm, no", TRUE},
      {"bad url data:image/png;base64,iVBORw0K", FALSE},
      {" \n", FALSE},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *text = app_remote_repeatable(cases[i].message, "sk-12345678", sent);
    g_test_message("case %u", i);
    g_assert_cmpint(text != NULL, ==, cases[i].shown);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/remote/address", test_address);
  g_test_add_func("/remote/address-refused", test_address_refused);
  g_test_add_func("/remote/key", test_key);
  g_test_add_func("/remote/events", test_events);
  g_test_add_func("/remote/events-too-long", test_events_too_long);
  g_test_add_func("/remote/chunk", test_chunk);
  g_test_add_func("/remote/chunk-odd", test_chunk_odd);
  g_test_add_func("/remote/complaints", test_complaints);
  g_test_add_func("/remote/printable", test_printable);
  g_test_add_func("/remote/repeatable", test_repeatable);
  return g_test_run();
}
