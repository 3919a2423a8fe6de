/* test-remote-faults.c - a review whose server is slow, wrong, broken or gone, and one that is
 * stopped. */
#include "remote-fixture.h"

/* ---- a bad server ------------------------------------------------------------------------- */

/* Fails so, says neither key nor question, and the question can be asked again. */
static void
assert_failure(Fixture *f, const char *pattern)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = try_ask(f, QUESTION, &error), again = NULL;
  g_autofree char *whole = g_strconcat(f->server->host, ": ", pattern, NULL);

  g_assert_null(node);
  g_assert_error(error, APP_ERROR, APP_ERROR_FAILED);
  if (!g_pattern_match_simple(whole, error->message)) {
    g_error("found \"%s\", expected \"%s\"", error->message, whole);
  }
  g_assert_null(strstr(error->message, KEY));
  g_assert_null(strstr(error->message, "Quellenbaum"));
  g_assert_cmpuint(app_review_turns(f->review), ==, 0);

  mock_reply(f->server, MOCK_OK, MOCK_TEXT("Yes."), MOCK_DONE, NULL);
  assert_text(ask(f, QUESTION, &again), "answer", "Yes.");
  app_review_reset(f->review);
}

#define HTTP(status, type, body)                                                                   \
  "HTTP/1.1 " status "\r\nContent-Type: " type "\r\nConnection: close\r\n\r\n" body

static void
test_refusals(Fixture *f, gconstpointer data)
{
  static const struct {
    const char *reply, *pattern;
  } cases[] = {
      {HTTP("401 Unauthorized", "application/json", "{\"error\": {\"message\": \"bad key\"}}"),
       "HTTP 401, the server does not accept the key in HILUM_ENGINE_KEY: bad key"},
      {HTTP("401 Unauthorized", "application/json",
            "{\"error\": {\"message\": \"bad key " KEY "\"}}"),
       "HTTP 401, the server does not accept the key in HILUM_ENGINE_KEY"},
      {HTTP("403 No", "text/html", "<html>secret page</html>"),
       "HTTP 403, the server does not allow this"},
      {HTTP("404 Not Found", "application/json", "{\"detail\": \"no model \\u001b[31m'x'\"}"),
       "HTTP 404, the server knows no such address or model: no model ?[31m'x'"},
      {HTTP("413 Large", "text/plain", "too big"),
       "HTTP 413, the picture is too large for the server: too big"},
      {HTTP("422 No", "application/json",
            "{\"detail\": [{\"msg\": \"bad: " QUESTION "\", \"input\": \"x\"}]}"),
       "HTTP 422, the server does not take this question"},
      {HTTP("429 Slow", "application/json", "{\"error\": \"wait\"}"),
       "HTTP 429, the server has too many requests; try again later: wait"},
      {HTTP("500 Oops", "application/json", "{\"error\": {\"message\": \"out of memory\"}}"),
       "HTTP 500, the server failed: out of memory"},
      {HTTP("500 Oops", "text/plain", ""), "HTTP 500, the server failed"},
      {"HTTP/1.1 503 Wait\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
       "HTTP 503, the server is not ready; try again later"},
      {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2/\r\nContent-Length: 0\r\n\r\n",
       "HTTP 302, the server sends on to another address*"},
      /* An error page that is cut short is one. */
      {"HTTP/1.1 500 Oops\r\nContent-Type: text/plain\r\nContent-Length: 999\r\n\r\nhalf a",
       "HTTP 500, the server failed: half a"},
      {HTTP("200 OK", "text/html", "<html>Welcome to the proxy</html>"),
       "answered with a web page and not with a stream*"},
      {HTTP("200 OK", "application/json", "{\"error\": {\"message\": \"no stream\"}}"),
       "answered with application/json and not with a stream of chat completions: no stream"},
      {HTTP("200 OK", "application/json", "{\"choices\": []}"),
       "answered with application/json and not with a stream*"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_test_message("case %u", i);
    mock_reply(f->server, cases[i].reply, NULL);
    assert_failure(f, cases[i].pattern);
  }
  g_assert_cmpuint(mock_n_requests(f->server), ==, 2 * G_N_ELEMENTS(cases));
}

static void
test_nonsense(Fixture *f, gconstpointer data)
{
  static const char *const streams[][2] = {
      {"data: nonsense\n\n", "sent what is no piece of a chat completion (*"},
      {"data: {\"hello\": 1}\n\n", "sent what is no piece of a chat completion (*"},
      {"data: {\"choices\": [\n\n", "sent what is no piece of a chat completion (*"},
      {"data: {\"error\": {\"message\": \"slot lost\"}}\n\n", "the server failed: slot lost"},
      {"error: {\"code\": 500, \"message\": \"slot lost\"}\n\n", "the server failed: slot lost"},
      {"data: {\"error\": {\"message\": \"bad key " KEY "\"}}\n\n", "the server failed"},
      {"Hello, world\n", "answered with nothing that is a chat completion"},
      {"\x01\x02\xff\xfe\x80", "answered with nothing that is a chat completion"},
      {"", "answered with nothing that is a chat completion"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(streams); i++) {
    g_test_message("case %u", i);
    mock_reply(f->server, MOCK_OK, streams[i][0], NULL);
    assert_failure(f, streams[i][1]);
  }
  mock_reply(f->server, "I am no web server\r\n", NULL);
  assert_failure(f, "*");
  mock_reply(f->server, "", NULL);
  assert_failure(f, "the connection broke off before there was an answer");
}

static void
test_silence(Fixture *f, gconstpointer data)
{
  mock_reply(f->server, MOCK_HANG, NULL);
  assert_failure(f, "no answer within 1 s");
  mock_reply(f->server, MOCK_OK, MOCK_HANG, NULL);
  assert_failure(f, "no answer within 1 s");
  mock_reply(f->server, MOCK_OK, ": wait\n\n", MOCK_HANG, NULL);
  assert_failure(f, "the answer stopped: nothing came for 1 s");
}

/* Breaks off after some text: what was said is a turn, in the log too, and the talk goes on. */
static void
assert_interrupted(Fixture *f, const char *pattern)
{
  g_autoptr(JsonNode) node = NULL, next = NULL, asked = NULL, list = NULL;
  g_autoptr(GError) error = NULL;
  JsonObject *turn = ask(f, QUESTION, &node);
  const char *why = json_object_get_string_member(turn, "interruption");
  g_autofree char *whole = g_strconcat(f->server->host, ": ", pattern, NULL);
  JsonArray *all;

  assert_text(turn, "answer", "Half an");
  assert_text(turn, "stop", "interrupted");
  if (!g_pattern_match_simple(whole, why)) {
    g_error("found \"%s\", expected \"%s\"", why, whole);
  }
  mock_reply(f->server, MOCK_OK, MOCK_TEXT(" answer."), MOCK_DONE, NULL);
  g_assert_cmpint(json_object_get_int_member(ask(f, "Go on.", &next), "turn"), ==, 2);
  g_assert_false(json_object_has_member(json_node_get_object(next), "interruption"));
  all = messages(f, mock_n_requests(f->server) - 1, &asked);
  assert_text(json_array_get_object_element(all, 1), "content", "Half an");
  list = app_log_list(f->log, 1, &error);
  g_assert_cmpint(json_object_get_int_member(
                      json_array_get_object_element(json_node_get_array(list), 0), "turns"),
                  ==, 2);
  app_review_reset(f->review);
}

static void
test_interrupted(Fixture *f, gconstpointer data)
{
  static const char half[] = "40\r\n" /* more than will come */
                             "data: {\"choices\": [{\"delta\": {\"content\": \"Half an\"}}]}\n\n";
  g_autofree char *huge = g_strnfill(APP_JSON_MAX_OBJECT, 'x');

  mock_reply(f->server, MOCK_OK, MOCK_TEXT("Half an"), NULL);
  assert_interrupted(f, "the connection broke off within the answer");
  mock_reply(f->server, MOCK_CHUNKED, half, NULL);
  assert_interrupted(f, "the connection broke off within the answer");
  mock_reply(f->server, MOCK_OK, MOCK_TEXT("Half an"), MOCK_HANG, NULL);
  assert_interrupted(f, "the answer stopped: nothing came for 1 s");
  mock_reply(f->server, MOCK_OK, MOCK_TEXT("Half an"), "data: nonsense\n\n", MOCK_HANG, NULL);
  assert_interrupted(f, "sent what is no piece of a chat completion*");
  mock_reply(f->server, MOCK_OK, MOCK_TEXT("Half an"), "data: {\"error\": {}}\n\n", NULL);
  assert_interrupted(f, "the server failed");
  mock_reply(f->server, MOCK_OK, MOCK_TEXT("Half an"), "data: ", huge, NULL);
  assert_interrupted(f, "sent a piece of over 1048576 bytes");
}

/* A server without an end is left, and what it said is bounded. */
static void
test_flood(Fixture *f, gconstpointer data)
{
  g_autofree char *much = g_strnfill(60000, 'x');
  g_autofree char *event =
      g_strdup_printf("data: {\"choices\": [{\"delta\": {\"content\": \"%s\"}}]}\n\n", much);
  g_autoptr(JsonNode) node = NULL;
  JsonObject *turn;

  mock_reply(f->server, MOCK_OK, MOCK_FLOOD, event, NULL);
  turn = ask(f, QUESTION, &node);
  assert_text(turn, "stop", "interrupted");
  g_assert_cmpuint(strlen(json_object_get_string_member(turn, "answer")), <=, 4u << 20);
  app_review_reset(f->review);
  mock_reply(f->server, "HTTP/1.1 200 OK\r\n", MOCK_FLOOD, "X-Header: the head has no end\r\n",
             NULL);
  assert_failure(f, "the head of the answer is too long");
  mock_reply(f->server, HTTP("500 Oops", "text/plain", "boom "), MOCK_FLOOD, much, NULL);
  assert_failure(f, "HTTP 500, the server failed: boom xxx*");
}

static void
test_nobody_there(Fixture *f, gconstpointer data)
{
  AppReviewOptions options = {.remote = {.model = "m", .timeout_s = 1}, .no_log = TRUE};
  const AppQuestion q = question(f, QUESTION);
  static const char *const urls[][2] = {
      {"http://127.0.0.1:1", "127.0.0.1:1: no server answers there (*"},
      /* A name that never exists (RFC 6761). */
      {"https://gpu.invalid", "gpu.invalid: *"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(urls); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(AppReview) review = NULL;

    options.remote.url = urls[i][0];
    review = app_review_new(&options, &error);
    g_assert_no_error(error);
    g_assert_null(app_review_ask(review, &q, NULL, NULL, &error));
    g_assert_error(error, APP_ERROR, APP_ERROR_FAILED);
    if (!g_pattern_match_simple(urls[i][1], error->message)) {
      g_error("found \"%s\", expected \"%s\"", error->message, urls[i][1]);
    }
  }
  /* A plain server where a secure one was named. */
  g_autofree char *secure = g_strconcat("https://", f->server->host, NULL);
  g_autoptr(GError) error = NULL;
  options.remote.url = secure;
  g_autoptr(AppReview) review = app_review_new(&options, &error);
  g_assert_null(app_review_ask(review, &q, NULL, NULL, &error));
  g_assert_nonnull(strstr(error->message, ": no secure connection ("));
  g_assert_nonnull(strstr(error->message, "nothing was sent"));
}

static void
test_options(Fixture *f, gconstpointer data)
{
  const struct {
    AppRemoteOptions options;
    const char *pattern;
  } bad[] = {
      {{.url = f->server->url}, "*--engine-model*"},
      {{.url = f->server->url, .model = ""}, "*--engine-model*"},
      {{.url = "http://gpu.example", .model = "m"}, "*unencrypted*"},
      {{.url = "nonsense", .model = "m"}, "*cannot be read*"},
  };
  AppReviewOptions options = {.log_path = "/nowhere/log.sqlite"};

  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    options.remote = bad[i].options;
    g_assert_null(app_review_new(&options, &error));
    g_assert_error(error, APP_ERROR, APP_ERROR_ARGUMENT);
    g_assert_true(g_pattern_match_simple(bad[i].pattern, error->message));
  }
  g_assert_cmpuint(mock_n_requests(f->server), ==, 0);
}

/* ---- stopping ----------------------------------------------------------------------------- */

typedef struct {
  MockServer *server;
  GCancellable *cancellable;
} Stopper;

static gpointer
stop_when_asked(gpointer data)
{
  Stopper *stopper = data;

  while (mock_n_requests(stopper->server) == 0) {
    g_usleep(1000);
  }
  g_cancellable_cancel(stopper->cancellable);
  return NULL;
}

static void
stop_at_text(const char *bytes, gsize length, gpointer cancellable)
{
  g_cancellable_cancel(cancellable);
}

/* Each wait of the review here is for a server that would stay silent for ever. */
static void
test_cancel(Fixture *f, gconstpointer data)
{
  const AppQuestion q = question(f, QUESTION);
  g_autoptr(GCancellable) early = g_cancellable_new(), silent = g_cancellable_new();
  g_autoptr(GCancellable) talking = g_cancellable_new();
  const AppListener listener = {stop_at_text, NULL, talking};
  Stopper stopper = {f->server, silent};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  GThread *thread;

  app_review_free(f->review);
  f->review = open_review(f, 0);
  g_cancellable_cancel(early);
  g_assert_null(app_review_ask(f->review, &q, NULL, early, &error));
  g_assert_error(error, APP_ERROR, APP_ERROR_CANCELLED);
  g_clear_error(&error);
  g_assert_cmpuint(mock_n_requests(f->server), ==, 0);

  mock_reply(f->server, MOCK_HANG, NULL);
  thread = g_thread_new("stopper", stop_when_asked, &stopper);
  g_assert_null(app_review_ask(f->review, &q, NULL, silent, &error));
  g_assert_error(error, APP_ERROR, APP_ERROR_CANCELLED);
  g_clear_error(&error);
  g_thread_join(thread);
  g_assert_cmpuint(app_review_turns(f->review), ==, 0);

  mock_reply(f->server, MOCK_OK, MOCK_TEXT("Half an"), MOCK_HANG, NULL);
  node = app_review_ask(f->review, &q, &listener, talking, &error);
  g_assert_no_error(error);
  assert_text(json_node_get_object(node), "stop", "cancelled");
  assert_text(json_node_get_object(node), "answer", "Half an");
  g_assert_cmpuint(app_review_turns(f->review), ==, 1);
  wait_until(g_atomic_int_get(&f->server->n_hung_up) == 2); /* the server knows, and can stop too */
}

static void
on_answered(GObject *source, GAsyncResult *result, gpointer user)
{
  GError **error = user;
  g_autoptr(JsonNode) node = app_review_ask_finish(NULL, result, error);

  g_assert_null(node);
}

/* A window that closes does not wait for a server. */
static void
test_close(Fixture *f, gconstpointer data)
{
  const AppQuestion q = question(f, QUESTION);
  g_autoptr(GError) error = NULL;

  app_review_free(f->review);
  f->review = open_review(f, 0);
  mock_reply(f->server, MOCK_HANG, NULL);
  app_review_ask_async(f->review, &q, NULL, NULL, on_answered, &error);
  wait_until(mock_n_requests(f->server) == 1);
  app_review_free(g_steal_pointer(&f->review));
  wait_until(error != NULL);
  g_assert_error(error, APP_ERROR, APP_ERROR_CANCELLED);
}

int
main(int argc, char **argv)
{
  static const RemoteTest tests[] = {
      {"/remote/refusals", test_refusals}, {"/remote/nonsense", test_nonsense},
      {"/remote/silence", test_silence},   {"/remote/interrupted", test_interrupted},
      {"/remote/flood", test_flood},       {"/remote/nobody-there", test_nobody_there},
      {"/remote/options", test_options},   {"/remote/cancel", test_cancel},
      {"/remote/close", test_close}};

  return run_remote_tests(argc, argv, tests, G_N_ELEMENTS(tests));
}
