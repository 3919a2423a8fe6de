/* teacher-fixture.h - a teacher on a server of our own, and questions for it. */
#ifndef HILUM_TESTS_TEACHER_FIXTURE_H
#define HILUM_TESTS_TEACHER_FIXTURE_H

#include "mock-server.h"
#include "teacher.h"
#include "tiny.h"

#define TEACHER_KEY "sk-Hq7mTz90aLb"
#define JSON_OK "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
#define HTTP(status, type, body)                                                                   \
  "HTTP/1.1 " status "\r\nContent-Type: " type "\r\nConnection: close\r\n\r\n" body
#define SAYS_WITH(text, finish)                                                                    \
  JSON_OK "{\"model\": \"served\", \"choices\": [{\"message\": {\"role\": \"assistant\", "         \
          "\"content\": \"" text "\"}, \"finish_reason\": \"" finish                               \
          "\"}], \"usage\": {\"prompt_tokens\": 30, \"completion_tokens\": 20}}"
#define SAYS(text) SAYS_WITH(text, "stop")

typedef struct {
  MockServer *server;
  char *folder, *journal;
  AppTeacherOptions options;
  /* What is asked, and what came back: one text for each question. */
  guint first, n, asked, stop_after; /* FIRST of a model here; stop_after 0: never */
  GPtrArray *replies;                /* of char *: "answered:TEXT" or "OUTCOME:WHY" */
  guint kept, freed;
  AppTeacherCounts counts;
} Fixture;

static inline void
set_up(Fixture *f, gconstpointer data)
{
  f->server = mock_server_new();
  f->folder = tiny_folder_new();
  f->journal = g_build_filename(f->folder, "journal.jsonl", NULL);
  f->replies = g_ptr_array_new_with_free_func(g_free);
  f->options = (AppTeacherOptions){
      .remote = {.role = "teacher", .url = f->server->url, .model = "asked-for", .timeout_s = 60},
      .journal = f->journal,
      .n_parallel = 1,
      .n_tries = 3,
      .wait_ms = 1};
}

static inline void
tear_down(Fixture *f, gconstpointer data)
{
  mock_server_free(f->server);
  g_free(f->journal);
  g_ptr_array_unref(f->replies);
  tiny_folder_free(f->folder);
}

static inline gboolean
fixture_next(AppTeacherRequest *request, gpointer *item, gpointer user)
{
  Fixture *f = user;
  g_autofree char *question = g_strdup_printf("Quellenbaum %u?", f->asked);

  if (f->asked == f->n) {
    return FALSE;
  }
  app_teacher_say(request, "system", "Be brief.");
  app_teacher_say(request, "user", question);
  *item = GUINT_TO_POINTER(++f->asked);
  return TRUE;
}

static inline gboolean
fixture_reply(gpointer item, const AppTeacherReply *reply, gpointer user, GError **error)
{
  Fixture *f = user;

  g_assert_cmpuint(GPOINTER_TO_UINT(item), ==, f->replies->len + 1);
  g_assert_true((reply->text != NULL) == (reply->outcome == APP_TEACHER_ANSWERED));
  g_assert_true((reply->why != NULL) == (reply->outcome != APP_TEACHER_ANSWERED));
  g_assert_cmpuint(strlen(reply->key), ==, 64);
  f->kept += reply->is_kept;
  g_ptr_array_add(f->replies, g_strdup_printf("%s:%s", app_teacher_outcome_name(reply->outcome),
                                              reply->text ? reply->text : reply->why));
  return TRUE;
}

static inline gboolean
fixture_go_on(const AppTeacherCounts *counts, gpointer user)
{
  const Fixture *f = user;

  g_assert_cmpuint(counts->under_way, <=, f->options.n_parallel ? f->options.n_parallel : 4);
  return f->stop_after == 0 || counts->requests < f->stop_after;
}

static inline void
fixture_free_item(gpointer item)
{
}

/* Asks N questions anew; the replies of before are forgotten. */
static inline gboolean
fixture_ask(Fixture *f, guint n, GError **error)
{
  const AppTeacherSource source = {fixture_next, fixture_reply, fixture_go_on, fixture_free_item,
                                   f};
  g_autoptr(AppTeacher) teacher = app_teacher_new(&f->options, error);
  gboolean ok;

  f->n = n;
  f->asked = f->kept = 0;
  g_ptr_array_set_size(f->replies, 0);
  ok = teacher && app_teacher_run(teacher, &source, error);
  if (teacher) {
    app_teacher_counts(teacher, &f->counts);
  }
  return ok;
}

static inline void
fixture_asked(Fixture *f, guint n)
{
  g_autoptr(GError) error = NULL;

  fixture_ask(f, n, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(f->replies->len, ==, n);
}

#define assert_reply(f, i, pattern)                                                                \
  G_STMT_START                                                                                     \
  {                                                                                                \
    const char *said = (f)->replies->pdata[i];                                                     \
    if (!g_pattern_match_simple(pattern, said)) {                                                  \
      g_error("reply %u: found \"%s\", expected \"%s\"", (guint)(i), said, pattern);               \
    }                                                                                              \
  }                                                                                                \
  G_STMT_END

typedef struct {
  const char *name;
  void (*run)(Fixture *f, gconstpointer data);
} TeacherTest;

static inline int
run_teacher_tests(int argc, char **argv, const TeacherTest *tests, guint n)
{
  g_setenv("HILUM_TEACHER_KEY", TEACHER_KEY, TRUE);
  g_test_init(&argc, &argv, NULL);
  for (guint i = 0; i < n; i++) {
    g_test_add(tests[i].name, Fixture, NULL, set_up, tests[i].run, tear_down);
  }
  return g_test_run();
}

#endif
