/* test-teacher.c - what is sent to a teacher, what its journal keeps, and what it may cost. */
#include "teacher-fixture.h"

#include <sys/resource.h>
#include <signal.h>

#include "teacher-journal.h"

static void
test_request(Fixture *f, gconstpointer data)
{
  g_autoptr(JsonNode) node = NULL;
  JsonObject *o, *message;

  f->options.sampling = (AppSampling){.temperature = 0.2, .top_p = 1, .seed = 7, .max_tokens = 50};
  mock_reply(f->server, SAYS("Yes, \\u00e9."), NULL);
  fixture_asked(f, 1);
  assert_reply(f, 0, "answered:Yes, \xc3\xa9.");
  g_assert_nonnull(strstr(mock_request(f->server, 0), "POST /v1/chat/completions HTTP/1.1"));
  g_assert_nonnull(strstr(mock_request(f->server, 0), "Authorization: Bearer " TEACHER_KEY));
  g_assert_nonnull(strstr(mock_request(f->server, 0), "Accept: application/json"));
  node = json_from_string(mock_body(f->server, 0), NULL);
  o = json_node_get_object(node);
  g_assert_cmpstr(json_object_get_string_member(o, "model"), ==, "asked-for");
  g_assert_false(json_object_get_boolean_member(o, "stream"));
  g_assert_cmpint(json_object_get_int_member(o, "max_tokens"), ==, 50);
  g_assert_cmpint(json_object_get_int_member(o, "seed"), ==, 7);
  g_assert_cmpuint(json_array_get_length(json_object_get_array_member(o, "messages")), ==, 2);
  message = json_array_get_object_element(json_object_get_array_member(o, "messages"), 1);
  g_assert_cmpstr(json_object_get_string_member(message, "role"), ==, "user");
  g_assert_cmpstr(json_object_get_string_member(message, "content"), ==, "Quellenbaum 0?");
  g_assert_cmpuint(f->counts.tokens_in, ==, 30);
  g_assert_cmpuint(f->counts.tokens_out, ==, 20);
}

/* Models that know max_tokens no more are asked in their way, and it is learnt once. */
static void
test_other_limit(Fixture *f, gconstpointer data)
{
  mock_reply(f->server,
             HTTP("400 Bad", "application/json",
                  "{\"error\": {\"message\": \"Use 'max_completion_tokens' instead.\"}}"),
             NULL);
  mock_reply(f->server, SAYS("A"), NULL);
  mock_reply(f->server, SAYS("B"), NULL);
  fixture_asked(f, 2);
  assert_reply(f, 0, "answered:A");
  assert_reply(f, 1, "answered:B");
  g_assert_nonnull(strstr(mock_body(f->server, 1), "\"max_completion_tokens\": 1024"));
  g_assert_null(strstr(mock_body(f->server, 2), "\"max_tokens\""));
  g_assert_cmpuint(mock_n_requests(f->server), ==, 3);
}

/* ---- beside each other ---------------------------------------------------------------------- */

/* Says the question again. Some are answered late, so that ends come in another order. */
static char **
echo(const char *request, gpointer user)
{
  const char *question = strstr(request, "Quellenbaum ");
  const guint number = question ? (guint)g_ascii_strtoull(question + 12, NULL, 10) : 0;
  g_autofree char *body = g_strdup_printf(SAYS("Number %u."), number);
  const char *pieces[] = {number % 3 == 0 ? MOCK_PAUSE : body, number % 3 == 0 ? body : NULL, NULL};

  return g_strdupv((char **)pieces);
}

static void
test_order(Fixture *f, gconstpointer data)
{
  f->server->answer = echo;
  for (guint parallel = 1; parallel <= 8; parallel += 7) {
    f->options.n_parallel = parallel;
    g_unlink(f->journal);
    fixture_asked(f, 40);
    for (guint i = 0; i < 40; i++) {
      g_autofree char *expected = g_strdup_printf("answered:Number %u.", i);
      g_assert_cmpstr(f->replies->pdata[i], ==, expected);
    }
  }
  g_assert_cmpuint(mock_n_requests(f->server), ==, 80);
  g_assert_cmpuint(f->counts.under_way, ==, 0);
  g_assert_cmpuint(f->counts.outcomes[APP_TEACHER_ANSWERED], ==, 40);
}

/* ---- the journal ---------------------------------------------------------------------------- */

static void
test_kept(Fixture *f, gconstpointer data)
{
  f->server->answer = echo;
  fixture_asked(f, 5);
  fixture_asked(f, 8);
  g_assert_cmpuint(f->kept, ==, 5);
  g_assert_cmpuint(mock_n_requests(f->server), ==, 8);
  assert_reply(f, 7, "answered:Number 7.");
  g_assert_cmpuint(f->counts.spent_tokens, ==, 8 * 50);
  g_assert_cmpuint(f->counts.tokens_in, ==, 3 * 30);
  /* Another temperature is another question. */
  f->options.sampling.temperature = 0.5;
  fixture_asked(f, 1);
  g_assert_cmpuint(f->kept, ==, 0);
  g_assert_cmpuint(mock_n_requests(f->server), ==, 9);
}

static gboolean
next_twin(AppTeacherRequest *request, gpointer *item, gpointer user)
{
  Fixture *f = user;

  app_teacher_say(request, "user", f->asked % 2 ? "Quellenbaum 1?" : "Quellenbaum 2?");
  *item = GUINT_TO_POINTER(f->asked + 1);
  return f->asked++ < f->n;
}

/* The same question twice in one run is asked once. */
static void
test_twins(Fixture *f, gconstpointer data)
{
  const AppTeacherSource source = {.next = next_twin, .reply = fixture_reply, .user = f};
  g_autoptr(GError) error = NULL;
  g_autoptr(AppTeacher) teacher = NULL;

  f->server->answer = echo;
  f->options.n_parallel = 4;
  f->n = 10;
  teacher = app_teacher_new(&f->options, &error);
  g_assert_no_error(error);
  g_assert_true(app_teacher_run(teacher, &source, &error));
  g_assert_cmpuint(f->replies->len, ==, 10);
  assert_reply(f, 9, "answered:Number 1.");
  g_assert_cmpuint(mock_n_requests(f->server), ==, 2);
}

/* A journal that was cut off at any byte goes on with what is whole. */
static void
test_torn(Fixture *f, gconstpointer data)
{
  g_autofree char *whole = NULL, *after = NULL;
  gsize n, first;

  f->server->answer = echo;
  fixture_asked(f, 3);
  g_assert_true(g_file_get_contents(f->journal, &whole, &n, NULL));
  first = (gsize)(strchr(whole, '\n') - whole) + 1;
  for (gsize cut = 0; cut < n; cut += cut < first + 3 || cut > n - 4 ? 1 : 37) {
    g_autoptr(GError) error = NULL;
    AppJournalFacts facts;
    AppJournal *journal;
    guint lines = 0;

    for (gsize i = first; i < cut; i++) {
      /* The break that ends a line may itself be what is missing. */
      lines += whole[i] == '\n' || (i + 1 == cut && whole[cut] == '\n');
    }
    g_assert_true(g_file_set_contents(f->journal, whole, (gssize)cut, NULL));
    journal = app_journal_open(f->journal, &facts, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(facts.entries, ==, lines);
    g_assert_cmpuint(facts.damaged, ==, 0);
    app_journal_free(journal);
    g_clear_pointer(&after, g_free);
    g_assert_true(g_file_get_contents(f->journal, &after, NULL, NULL));
    g_assert_true(g_str_has_prefix(whole, after));
    g_assert_true(g_str_has_suffix(after, "\n"));
  }
}

/* A line in the middle that cannot be read is left alone, and its question asked again. */
static void
test_damaged(Fixture *f, gconstpointer data)
{
  g_autofree char *text = NULL;
  g_autoptr(AppTeacher) teacher = NULL;
  g_autoptr(GError) error = NULL;
  gboolean torn;
  char *second;

  f->server->answer = echo;
  fixture_asked(f, 3);
  g_assert_true(g_file_get_contents(f->journal, &text, NULL, NULL));
  second = strchr(strchr(text, '\n') + 1, '\n') + 1;
  second[5] = '\x01';
  g_assert_true(g_file_set_contents(f->journal, text, -1, NULL));
  teacher = app_teacher_new(&f->options, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(app_teacher_damaged(teacher, &torn), ==, 1);
  g_assert_false(torn);
  g_clear_pointer(&teacher, app_teacher_free);
  fixture_asked(f, 3);
  g_assert_cmpuint(f->kept, ==, 2);
  g_assert_cmpuint(mock_n_requests(f->server), ==, 4);
}

static void
test_not_a_journal(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *text = NULL;

  g_assert_true(g_file_set_contents(f->journal, "My thesis.\n", -1, NULL));
  g_assert_false(fixture_ask(f, 1, &error));
  g_assert_error(error, APP_ERROR, APP_ERROR_ARGUMENT);
  g_assert_nonnull(strstr(error->message, "is no journal of a teacher"));
  g_assert_true(g_file_get_contents(f->journal, &text, NULL, NULL));
  g_assert_cmpstr(text, ==, "My thesis.\n");
  g_assert_cmpuint(mock_n_requests(f->server), ==, 0);
}

static void
test_one_run_at_a_time(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  AppTeacher *first = app_teacher_new(&f->options, &error), *second;

  g_assert_no_error(error);
  second = app_teacher_new(&f->options, &error);
  g_assert_null(second);
  g_assert_error(error, APP_ERROR, APP_ERROR_ARGUMENT);
  app_teacher_free(first);
}

/* A full disk: what was answered is given back once, nothing more is asked, the journal is whole.
 */
static void
test_full_disk(Fixture *f, gconstpointer data)
{
  struct rlimit limit, small;
  g_autofree char *text = NULL;
  guint asked;

  f->server->answer = echo;
  signal(SIGXFSZ, SIG_IGN);
  g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
  small = limit;
  small.rlim_cur = 600;
  g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
  fixture_asked(f, 20);
  g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
  asked = mock_n_requests(f->server);
  g_assert_cmpuint(asked, <, 5);
  g_assert_cmpstr(f->counts.ended, ==, "journal");
  for (guint i = 0; i < 20; i++) {
    assert_reply(f, i, i < asked ? "answered:*" : "not_asked:*the journal cannot be written*");
  }
  g_assert_true(g_file_get_contents(f->journal, &text, NULL, NULL));
  g_assert_true(g_str_has_suffix(text, "}\n"));
  /* With room again, only what is not in it is asked. */
  fixture_asked(f, 20);
  g_assert_cmpuint(f->kept, ==, asked - 1);
  g_assert_cmpuint(f->counts.outcomes[APP_TEACHER_ANSWERED], ==, 20);
}

/* ---- what it costs -------------------------------------------------------------------------- */

static void
test_budget(Fixture *f, gconstpointer data)
{
  guint asked;

  f->server->answer = echo;
  f->options.n_parallel = 4;
  f->options.sampling.max_tokens = 20;
  f->options.most_tokens = 300; /* a question takes 50, and may come to 55 */
  fixture_asked(f, 30);
  asked = mock_n_requests(f->server);
  g_assert_cmpstr(f->counts.ended, ==, "tokens");
  g_assert_cmpuint(asked, ==, 5);
  g_assert_cmpuint(f->counts.spent_tokens, ==, 50 * asked);
  assert_reply(f, 29, "not_asked:the limit of tokens is reached");
  /* The journal's count, too; with more to spend it goes on. */
  fixture_asked(f, 30);
  g_assert_cmpuint(mock_n_requests(f->server), ==, asked);
  f->options.most_tokens = 0;
  f->options.price_in = 10000;
  f->options.price_out = 50000;
  f->options.most_cost = 10; /* a question takes 1.3 */
  fixture_asked(f, 30);
  g_assert_cmpstr(f->counts.ended, ==, "cost");
  g_assert_cmpfloat(f->counts.spent_cost, <=, 10);
  g_assert_cmpuint(mock_n_requests(f->server), >, asked);
}

static void
test_options(Fixture *f, gconstpointer data)
{
  const AppTeacherOptions good = f->options;

  for (guint i = 0; i < 6; i++) {
    g_autoptr(GError) error = NULL;

    f->options = good;
    switch (i) {
    case 0:
      f->options.journal = NULL;
      break;
    case 1:
      f->options.n_parallel = 65;
      break;
    case 2:
      f->options.most_cost = 5;
      break;
    case 3:
      f->options.price_in = -1;
      break;
    case 4:
      f->options.remote.model = NULL;
      break;
    default:
      f->options.remote.url = "http://gpu.example";
      break;
    }
    g_assert_false(fixture_ask(f, 1, &error));
    g_assert_error(error, APP_ERROR, APP_ERROR_ARGUMENT);
    g_assert_null(strstr(error->message, "engine"));
  }
  g_assert_cmpuint(mock_n_requests(f->server), ==, 0);
}

int
main(int argc, char **argv)
{
  static const TeacherTest tests[] = {{"/teacher/request", test_request},
                                      {"/teacher/other-limit", test_other_limit},
                                      {"/teacher/order", test_order},
                                      {"/teacher/kept", test_kept},
                                      {"/teacher/twins", test_twins},
                                      {"/teacher/torn", test_torn},
                                      {"/teacher/damaged", test_damaged},
                                      {"/teacher/not-a-journal", test_not_a_journal},
                                      {"/teacher/one-run-at-a-time", test_one_run_at_a_time},
                                      {"/teacher/full-disk", test_full_disk},
                                      {"/teacher/budget", test_budget},
                                      {"/teacher/options", test_options}};

  return run_teacher_tests(argc, argv, tests, G_N_ELEMENTS(tests));
}
