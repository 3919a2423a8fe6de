/* test-teacher-faults.c - a teacher that is busy, silent, broken, gone, or talks nonsense; and the
 * one in this program. */
#include "teacher-fixture.h"

/* One question to what REPLIES say in turn (ends with NULL). */
static void
ask_one(Fixture *f, const char *const *replies)
{
  g_unlink(f->journal);
  for (; *replies; replies++) {
    mock_reply(f->server, *replies, NULL);
  }
  fixture_asked(f, 1);
}

/* Whatever it says in an answer's place has a name, and none repeats key or question. */
static void
test_nonsense(Fixture *f, gconstpointer data)
{
  static const struct {
    const char *reply, *pattern;
    guint tries;
  } cases[] = {
      {JSON_OK, "nonsense:nothing at all", 2},
      {JSON_OK "I cannot answer.", "nonsense:no JSON object*", 2},
      {JSON_OK "{\"choices\": [{\"message\": {\"content\": \"Half", "nonsense:no JSON object*", 2},
      {JSON_OK "[]", "nonsense:no JSON object*", 2},
      {JSON_OK "{}", "nonsense:JSON without a choice*", 2},
      {JSON_OK "{\"choices\": []}", "nonsense:JSON without a choice*", 2},
      {JSON_OK "{\"choices\": [1]}", "nonsense:JSON without a choice*", 2},
      {JSON_OK "{\"choices\": {\"message\": 1}}", "nonsense:JSON without a choice*", 2},
      {JSON_OK "{\"choices\": [{\"text\": \"x\"}]}", "nonsense:a choice without a message", 2},
      {JSON_OK "{\"choices\": [{\"message\": {\"content\": 5}}]}", "empty:*", 2},
      {JSON_OK "{\"choices\": [{\"message\": {\"content\": null}}]}", "empty:*", 2},
      {SAYS(" \\n\\t "), "empty:an answer without a word", 2},
      {SAYS("a \\ud800 b"), "nonsense:*", 2},
      {JSON_OK "{\"choices\": [{\"message\": {\"content\": \"\xff\xfe\"}}]}", "nonsense:*", 2},
      {HTTP("200 OK", "text/html; charset=utf-8", "<html>Welcome</html>"), "nonsense:a web page",
       2},
      {SAYS_WITH("x", "content_filter"), "filtered:*", 1},
      {JSON_OK "{\"choices\": [{\"message\": {\"content\": null, \"refusal\": \"I will not.\"}}]}",
       "filtered:the model refused", 1},
      {HTTP("400 Bad", "application/json", "{\"error\": {\"message\": \"too long\"}}"),
       "refused:HTTP 400, the server does not take this question: too long", 1},
      {HTTP("422 No", "application/json", "{\"detail\": [{\"msg\": \"bad: Quellenbaum 0?\"}]}"),
       "refused:HTTP 422, the server does not take this question", 1},
      {HTTP("413 Large", "text/plain", ""), "refused:HTTP 413, the question is too large*", 1},
      {HTTP("500 Oops", "application/json",
            "{\"error\": {\"message\": \"bad key " TEACHER_KEY "\"}}"),
       "failed:HTTP 500, the server failed", 3},
      {HTTP("503 Wait", "text/plain", "loading"), "failed:HTTP 503*: loading", 3},
      {HTTP("429 Slow", "application/json", "{\"error\": \"wait\"}"), "busy:HTTP 429*: wait", 12},
      {HTTP("429 Slow", "application/json", "{\"error\": {\"code\": \"insufficient_quota\"}}"),
       "denied:HTTP 429*", 1},
      {JSON_OK "{\"error\": {\"message\": \"slot lost\"}}", "failed:the server failed", 3},
      {HTTP("401 No", "text/plain", ""), "denied:HTTP 401, the server does not accept the key", 1},
      {HTTP("404 No", "text/plain", ""), "denied:HTTP 404*", 1},
      {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2/\r\nContent-Length: 0\r\n\r\n",
       "denied:HTTP 302*", 1},
      {"", "connection:*the connection broke off*", 3},
      {"I am no web server\r\n", "connection:*", 3},
      {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{\"a",
       "connection:*broke off within the answer", 3},
      {MOCK_HANG, "silent:*no answer within 1 s", 3},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    const char *replies[16] = {NULL};
    const guint before = mock_n_requests(f->server);

    g_test_message("case %u", i);
    f->options.n_tries = strcmp(cases[i].reply, MOCK_HANG) == 0 ? 1 : 3;
    f->options.remote.timeout_s = f->options.n_tries == 1 ? 1 : 60;
    for (guint j = 0; j < cases[i].tries; j++) {
      replies[j] = cases[i].reply;
    }
    ask_one(f, replies);
    assert_reply(f, 0, cases[i].pattern);
    g_assert_null(strstr(f->replies->pdata[0], TEACHER_KEY));
    g_assert_null(strstr(f->replies->pdata[0], "Quellenbaum"));
    g_assert_cmpuint(mock_n_requests(f->server) - before, ==,
                     f->options.n_tries == 1 ? 1 : cases[i].tries);
  }
}

static void
test_too_long(Fixture *f, gconstpointer data)
{
  g_autofree char *much = g_strnfill(10u << 20, 'x'), *medium = g_strnfill(600u << 10, 'x');

  for (guint i = 0; i < 2; i++) {
    mock_reply(f->server, JSON_OK "{\"choices\": [{\"message\": {\"content\": \"", much, "\"}}]}",
               NULL);
  }
  for (guint i = 0; i < 2; i++) {
    mock_reply(f->server, JSON_OK "{\"choices\": [{\"message\": {\"content\": \"", medium, "\"}}]}",
               NULL);
  }
  mock_reply(f->server, SAYS("Yes."), NULL);
  fixture_asked(f, 3);
  assert_reply(f, 0, "too_long:a reply of more than*");
  assert_reply(f, 1, "too_long:an answer of 614400 bytes*");
  assert_reply(f, 2, "answered:Yes.");
}

/* What is wrong once is asked again, and of the answer nothing is lost. */
static void
test_again(Fixture *f, gconstpointer data)
{
  static const char *const replies[][4] = {
      {HTTP("500 Oops", "text/plain", ""), SAYS("A")},
      {HTTP("429 Slow", "text/plain", ""), HTTP("503 Wait", "text/plain", ""), SAYS("A")},
      {"", SAYS("A")},
      {JSON_OK "nonsense", SAYS("A")},
      {SAYS(""), SAYS("A")},
      {MOCK_HANG, SAYS("A")}};

  for (guint i = 0; i < G_N_ELEMENTS(replies); i++) {
    f->options.remote.timeout_s = strcmp(replies[i][0], MOCK_HANG) == 0 ? 1 : 60;
    ask_one(f, replies[i]);
    assert_reply(f, 0, "answered:A");
    g_assert_cmpuint(f->counts.tries_again, >=, 1);
  }
  /* The nonsense that was computed is counted beside the answer. */
  ask_one(f, replies[4]);
  g_assert_cmpuint(f->counts.tokens_out, ==, 40);
}

static void
test_retry_after(Fixture *f, gconstpointer data)
{
  static const char *const replies[] = {
      "HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", SAYS("A"), NULL};
  const gint64 start = g_get_monotonic_time();

  ask_one(f, replies);
  assert_reply(f, 0, "answered:A");
  g_assert_cmpint(g_get_monotonic_time() - start, >=, G_USEC_PER_SEC);
}

/* Final ends are not asked for again, unless somebody wants it; the others are. */
static void
test_failures_kept(Fixture *f, gconstpointer data)
{
  static const char *const nonsense[] = {JSON_OK "x", JSON_OK "x", NULL};
  static const char *const broken[] = {"", "", "", NULL};

  ask_one(f, nonsense);
  fixture_asked(f, 1);
  assert_reply(f, 0, "nonsense:no JSON object*");
  g_assert_cmpuint(f->kept, ==, 1);
  f->options.ask_failed = TRUE;
  mock_reply(f->server, SAYS("A"), NULL);
  fixture_asked(f, 1);
  assert_reply(f, 0, "answered:A");
  f->options.ask_failed = FALSE;
  fixture_asked(f, 1);
  assert_reply(f, 0, "answered:A");

  ask_one(f, broken);
  mock_reply(f->server, SAYS("B"), NULL);
  fixture_asked(f, 1);
  assert_reply(f, 0, "answered:B");
  g_assert_cmpuint(f->kept, ==, 0);
}

/* Nobody there: it is noticed, and the rest is not asked. */
static void
test_gone(Fixture *f, gconstpointer data)
{
  f->options.n_tries = 1;
  f->options.remote.url = "http://127.0.0.1:1";
  fixture_asked(f, 50);
  assert_reply(f, 0, "connection:*no server answers there*");
  assert_reply(f, 49, "not_asked:8 questions in a row*");
  g_assert_cmpstr(f->counts.ended, ==, "gone");
  g_assert_cmpuint(f->counts.outcomes[APP_TEACHER_CONNECTION], ==, 8);
}

static void
test_denied(Fixture *f, gconstpointer data)
{
  mock_reply(f->server, SAYS("A"), NULL);
  mock_reply(f->server, HTTP("401 No", "text/plain", ""), NULL);
  fixture_asked(f, 30);
  assert_reply(f, 0, "answered:A");
  assert_reply(f, 1, "denied:*");
  assert_reply(f, 29, "not_asked:HTTP 401*");
  g_assert_cmpuint(mock_n_requests(f->server), ==, 2);
  /* Put right, it goes on. */
  mock_reply(f->server, SAYS("B"), NULL);
  fixture_asked(f, 2);
  g_assert_cmpuint(f->kept, ==, 1);
  assert_reply(f, 1, "answered:B");
}

static char **
yes(const char *request, gpointer user)
{
  const char *pieces[] = {SAYS("Yes."), NULL};

  return g_strdupv((char **)pieces);
}

/* Stopped: what is under way is still answered, into the journal, and the next run goes on. */
static void
test_stop(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  guint asked;

  f->server->answer = yes;
  f->options.n_parallel = 2;
  f->stop_after = 6;
  g_assert_false(fixture_ask(f, 1000000, &error));
  g_assert_error(error, APP_ERROR, APP_ERROR_CANCELLED);
  asked = mock_n_requests(f->server);
  g_assert_cmpuint(asked, >=, 6);
  f->stop_after = 0;
  f->options.n_parallel = 1;
  fixture_asked(f, asked);
  g_assert_cmpuint(f->kept, ==, asked);
  g_assert_cmpuint(mock_n_requests(f->server), ==, asked);
}

/* ---- the model in this program -------------------------------------------------------------- */

static gboolean
next_local(AppTeacherRequest *request, gpointer *item, gpointer user)
{
  Fixture *f = user;
  g_autofree char *question = g_strdup_printf("Q%u", f->asked);

  if (f->asked == f->n) {
    return FALSE;
  }
  app_teacher_say(request, "system", "Be.");
  app_teacher_say(request, "user", f->asked < 3 ? "An example" : "Another");
  app_teacher_say(request, "assistant", "Its answer");
  app_teacher_say(request, "user", question);
  f->asked++;
  *item = GUINT_TO_POINTER(f->asked - f->first);
  return TRUE;
}

static void
ask_local(Fixture *f, guint n)
{
  const AppTeacherSource source = {.next = next_local, .reply = fixture_reply, .user = f};
  g_autoptr(GError) error = NULL;
  g_autoptr(AppTeacher) teacher = app_teacher_new(&f->options, &error);

  g_assert_no_error(error);
  f->n = n;
  f->asked = f->first;
  f->kept = 0;
  g_ptr_array_set_size(f->replies, 0);
  g_assert_true(app_teacher_run(teacher, &source, &error));
  g_assert_no_error(error);
}

static void
test_local(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *model = app_demo_model_path(&error);
  g_autoptr(GPtrArray) first = NULL;

  g_assert_no_error(error);
  f->options.remote = (AppRemoteOptions){0};
  f->options.model.model = model;
  /* Drawn, so that whatever is different in the numbers is different in the text. */
  f->options.sampling = (AppSampling){.temperature = 1, .top_p = 1, .seed = 3, .max_tokens = 12};
  ask_local(f, 5);
  g_assert_cmpuint(f->replies->len, ==, 5);
  first = g_steal_pointer(&f->replies);
  f->replies = g_ptr_array_new_with_free_func(g_free);
  /* Alone, without what was said before it, each is answered the same. */
  for (guint i = 0; i < 5; i++) {
    g_unlink(f->journal);
    f->first = i;
    ask_local(f, i + 1);
    g_assert_cmpstr(f->replies->pdata[0], ==, first->pdata[i]);
  }
  f->first = 0;
  ask_local(f, 5);
  g_assert_cmpuint(f->kept, ==, 1); /* the last one is in the journal */
  g_assert_cmpuint(mock_n_requests(f->server), ==, 0);
}

int
main(int argc, char **argv)
{
  static const TeacherTest tests[] = {{"/teacher-faults/nonsense", test_nonsense},
                                      {"/teacher-faults/too-long", test_too_long},
                                      {"/teacher-faults/again", test_again},
                                      {"/teacher-faults/retry-after", test_retry_after},
                                      {"/teacher-faults/failures-kept", test_failures_kept},
                                      {"/teacher-faults/gone", test_gone},
                                      {"/teacher-faults/denied", test_denied},
                                      {"/teacher-faults/stop", test_stop},
                                      {"/teacher-faults/local", test_local}};

  return run_teacher_tests(argc, argv, tests, G_N_ELEMENTS(tests));
}
