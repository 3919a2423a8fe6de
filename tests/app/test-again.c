/* test-again.c - asking the same again, and going on with a conversation of another day. */
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include "app_trust.h"
#include "backend.h"
#include "private.h"
#include "review-fixture.h"
#include "trust.h"
#include "wait.h"

typedef struct {
  JsonNode *node;
  GError *error;
  gboolean done;
} Told;

static void
told_clear(Told *told)
{
  g_clear_pointer(&told->node, json_node_unref);
  g_clear_error(&told->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Told, told_clear)

static void
on_checked(GObject *source, GAsyncResult *result, gpointer user)
{
  Told *told = user;

  told->node = app_review_check_finish(NULL, result, &told->error);
  told->done = TRUE;
}

static void
on_resumed(GObject *source, GAsyncResult *result, gpointer user)
{
  Told *told = user;

  app_review_resume_finish(NULL, result, &told->error);
  told->done = TRUE;
}

static void
on_answered(GObject *source, GAsyncResult *result, gpointer user)
{
  Told *told = user;

  told->node = app_review_ask_finish(NULL, result, &told->error);
  told->done = TRUE;
}

static void
on_shown(GObject *source, GAsyncResult *result, gpointer user)
{
  Told *told = user;

  told->node = app_history_show_finish(result, &told->error);
  told->done = TRUE;
}

static AppQuestion
warm(const AppImageChoice *choice, const char *text, guint64 seed)
{
  return (AppQuestion){.question = text,
                       .image = choice,
                       .sampling = {.temperature = 0.9, .top_p = 1, .seed = seed, .max_tokens = 8}};
}

static JsonObject *
ask(AppReview *review, const AppQuestion *question, JsonNode **keep)
{
  g_autoptr(GError) error = NULL;

  g_clear_pointer(keep, json_node_unref);
  *keep = app_review_ask(review, question, NULL, NULL, &error);
  g_assert_no_error(error);
  return json_node_get_object(*keep);
}

static JsonObject *
check(AppReview *review, guint turn, AppCheck kind, guint n, Told *told)
{
  app_review_check_async(review, turn, kind, n, NULL, on_checked, told);
  wait_until(told->done);
  g_assert_no_error(told->error);
  return json_node_get_object(told->node);
}

static const char *
answer_of(JsonObject *checked, guint i)
{
  return json_object_get_string_member(
      json_array_get_object_element(json_object_get_array_member(checked, "answers"), i), "answer");
}

/* ---- what is the same --------------------------------------------------------------------- */

static void
test_agreement(void)
{
  static const struct {
    const char *texts[4];
    gboolean same;
    double agreement;
  } cases[] = {
      {{"No.", "no", NULL}, TRUE, 1},
      {{"The left lung", "the  LEFT lung!", NULL}, TRUE, 1},
      {{"Öl", "ÖL", NULL}, TRUE, 1},
      {{"yes", "no", NULL}, FALSE, 0},
      {{"a b", "b a", NULL}, FALSE, 1}, /* the same words, in another order */
      {{"a b", "b c", NULL}, FALSE, 1.0 / 3},
      {{"a", "a", "b", NULL}, FALSE, 1.0 / 3},
      {{"", "?!", NULL}, TRUE, 1},
      {{"", "x", NULL}, FALSE, 0},
      {{"x", NULL}, TRUE, 1},
  };
  g_autofree char *words = app_check_words("  Well-known:\tT2, 3.5 cm \n");

  g_assert_cmpstr(words, ==, "wellknown t2 35 cm");
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    gboolean same;
    double agreement = app_check_agreement(cases[i].texts, &same);
    g_assert_cmpint(same, ==, cases[i].same);
    g_assert_cmpfloat_with_epsilon(agreement, cases[i].agreement, 1e-12);
  }
}

/* ---- checks ------------------------------------------------------------------------------- */

static void
test_blank(Kept *k, gconstpointer data)
{
  g_autoptr(AppReview) review = kept_review(k, TRUE), other = kept_review(k, TRUE);
  const AppImageChoice choice = {.path = k->image, .region = {3, 4, 30, 20}, .turns = 1};
  AppImageChoice blank = choice;
  AppQuestion q = warm(&choice, "What is it?", 3);
  g_autoptr(JsonNode) a = NULL, b = NULL, log = NULL;
  g_autoptr(GError) error = NULL;
  g_auto(Told) told = {0}, none = {0};
  JsonObject *checked, *logged;

  ask(review, &q, &a);
  checked = check(review, 0, APP_CHECK_BLANK, 0, &told);
  g_assert_cmpstr(json_object_get_string_member(checked, "check"), ==, "blank");
  g_assert_cmpint(json_object_get_boolean_member(checked, "same"), !=,
                  json_object_get_boolean_member(checked, "depends_on_image"));
  q.sampling.temperature = 0;
  ask(other, &q, &b);
  g_assert_cmpstr(answer_of(checked, 0), ==,
                  json_object_get_string_member(json_node_get_object(b), "answer"));
  blank.blank = TRUE;
  q.image = &blank;
  ask(other, &q, &b);
  g_assert_cmpstr(answer_of(checked, 1), ==,
                  json_object_get_string_member(json_node_get_object(b), "answer"));

  log = app_log_show(k->log, 1, &error);
  g_assert_no_error(error);
  logged = json_array_get_object_element(json_node_get_array(log), 0);
  logged = json_array_get_object_element(json_object_get_array_member(logged, "checks"), 0);
  g_assert_true(json_node_equal(json_object_get_member(logged, "answers"),
                                json_object_get_member(checked, "answers")));
  app_review_check_async(review, 5, APP_CHECK_BLANK, 0, NULL, on_checked, &none);
  wait_until(none.done);
  g_assert_error(none.error, APP_ERROR, APP_ERROR_ARGUMENT);
}

static void
no_progress(const char *phase, guint done, guint total, gpointer user)
{
}

static gboolean
go_on_text(const char *bytes, gsize length, gpointer user)
{
  return TRUE;
}

/* Another conversation with the same model has what was computed for the picture, and room enough,
 * and no more. */
static void
test_another(Kept *k, gconstpointer data)
{
  const AppModelOptions options = {.model = k->model};
  const AppBackendListener listener = {no_progress, go_on_text, NULL};
  g_autoptr(GError) error = NULL;
  g_autoptr(AppBackend) backend = app_backend_local_new(&options, NULL, &error);
  g_autoptr(AppBackend) other = NULL;
  g_autoptr(AppShot) shot = app_shot_new(&(AppImageChoice){.path = k->image}, NULL);
  AppBackendQuestion question = {shot, "What?", {.top_p = 1, .max_tokens = 5}};
  ModelAnswer one = {0}, two = {0}, long_one = {0};

  g_assert_no_error(error);
  g_assert_true(backend->class->ask(backend, &question, &listener, &one, NULL, &error));
  other = backend->class->another(backend, shot, 5, &error);
  g_assert_no_error(error);
  g_assert_true(other->class->ask(other, &question, &listener, &two, NULL, &error));
  g_assert_cmpstr(one.text, ==, two.text);
  g_assert_cmpuint(two.timing.prompt_cached_tokens, >=, 4); /* the four rows of the picture */
  g_assert_cmpuint(two.timing.prompt_tokens, <, one.timing.prompt_tokens);
  g_assert_true(two.timing.image_cached);
  question.shot = NULL;
  question.sampling.max_tokens = 900;
  g_assert_true(other->class->ask(other, &question, &listener, &long_one, NULL, &error));
  g_assert_cmpuint(long_one.timing.answer_tokens, <, 200);
  g_clear_pointer(&other, app_backend_free); /* before the one whose model it is */
  model_answer_clear(&one);
  model_answer_clear(&two);
  model_answer_clear(&long_one);
}

/* A later turn, with what was said before it, from two pictures; and the conversation goes on as if
 * nothing had happened. */
static void
test_seeds(Kept *k, gconstpointer data)
{
  g_autoptr(AppReview) review = kept_review(k, TRUE), other = kept_review(k, TRUE);
  const AppImageChoice first = {.path = k->image}, second = {.path = k->other, .frame = 1};
  AppQuestion one = warm(&first, "What is it?", 3), two = warm(&second, "And this?", 20),
              three = warm(NULL, "Sure?", 4);
  g_autoptr(JsonNode) a = NULL, b = NULL, c = NULL;
  g_autoptr(GError) error = NULL;
  g_auto(Told) told = {0};
  JsonObject *checked, *timing;
  gboolean differs = FALSE;

  two.add_image = TRUE;
  ask(review, &one, &a);
  ask(review, &two, &a);
  checked = check(review, 1, APP_CHECK_SEEDS, 4, &told);
  g_assert_cmpuint(json_array_get_length(json_object_get_array_member(checked, "answers")), ==, 4);
  g_assert_true(json_object_get_null_member(checked, "depends_on_image"));
  ask(other, &one, &b);
  for (guint i = 0; i < 4; i++) {
    two.sampling.seed = 21 + i;
    ask(other, &two, &b);
    g_assert_cmpstr(answer_of(checked, i), ==,
                    json_object_get_string_member(json_node_get_object(b), "answer"));
    differs = differs || strcmp(answer_of(checked, i), answer_of(checked, 0)) != 0;
    g_assert_true(app_review_rewind(other, 1, &error));
  }
  g_assert_true(differs);
  g_assert_false(json_object_get_boolean_member(checked, "same"));
  two.sampling.seed = 20;
  ask(other, &two, &b);
  ask(other, &three, &b);
  timing = json_object_get_object_member(ask(review, &three, &c), "timing");
  g_assert_true(json_node_equal(json_object_get_member(json_node_get_object(b), "prompt_ids"),
                                json_object_get_member(json_node_get_object(c), "prompt_ids")));
  g_assert_true(json_node_equal(json_object_get_member(json_node_get_object(b), "answer_ids"),
                                json_object_get_member(json_node_get_object(c), "answer_ids")));
  /* Only the new question was computed. */
  g_assert_cmpint(json_object_get_int_member(timing, "prompt_tokens"), <, 40);
}

/* A question that comes meanwhile is answered at once, and nothing of the check is kept. */
static void
test_check_gives_way(Kept *k, gconstpointer data)
{
  AppReview *review = kept_review(k, TRUE);
  const AppImageChoice choice = {.path = k->image};
  AppQuestion q = warm(&choice, "What is it?", 3);
  g_autoptr(GCancellable) cancellable = g_cancellable_new();
  g_autoptr(JsonNode) a = NULL, log = NULL;
  g_autoptr(GError) error = NULL;
  g_auto(Told) first = {0}, second = {0}, answer = {0}, cancelled = {0}, closed = {0};
  JsonObject *logged;

  q.sampling.max_tokens = 300;
  ask(review, &q, &a);
  app_review_check_async(review, 0, APP_CHECK_SEEDS, 16, NULL, on_checked, &first);
  app_review_check_async(review, 0, APP_CHECK_BLANK, 0, NULL, on_checked, &second);
  q.sampling.max_tokens = 4;
  q.question = "And?";
  app_review_ask_async(review, &q, NULL, NULL, on_answered, &answer);
  wait_until(answer.done);
  g_assert_no_error(answer.error);
  g_assert_true(first.done && second.done); /* they are over before */
  g_assert_error(first.error, APP_ERROR, APP_ERROR_CANCELLED);
  g_assert_error(second.error, APP_ERROR, APP_ERROR_CANCELLED);

  app_review_check_async(review, 0, APP_CHECK_SEEDS, 16, cancellable, on_checked, &cancelled);
  g_cancellable_cancel(cancellable);
  wait_until(cancelled.done);
  g_assert_error(cancelled.error, APP_ERROR, APP_ERROR_CANCELLED);
  log = app_log_show(k->log, 1, &error);
  g_assert_no_error(error);
  logged = json_array_get_object_element(json_node_get_array(log), 0);
  g_assert_cmpuint(json_array_get_length(json_object_get_array_member(logged, "checks")), ==, 0);

  app_review_check_async(review, 0, APP_CHECK_SEEDS, 16, NULL, on_checked, &closed);
  app_review_free(review);
  wait_until(closed.done);
  g_assert_error(closed.error, APP_ERROR, APP_ERROR_CANCELLED);
}

/* ---- a log that cannot be written ---------------------------------------------------------- */

static void
on_judged(GObject *source, GAsyncResult *result, gpointer user)
{
  Told *told = user;

  told->node = app_review_judge_finish(NULL, result, &told->error);
  told->done = TRUE;
}

static JsonArray *
logged(Kept *k, const char *member, JsonNode **keep)
{
  g_autoptr(GError) error = NULL;

  g_clear_pointer(keep, json_node_unref);
  *keep = app_log_show(k->log, 1, &error);
  g_assert_no_error(error);
  return json_object_get_array_member(json_array_get_object_element(json_node_get_array(*keep), 0),
                                      member);
}

/* No file may grow any more: writes fail as on a full disk. */
static void
fill_disk(gboolean full)
{
  struct rlimit limit;

  signal(SIGXFSZ, SIG_IGN);
  g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
  limit.rlim_cur = full ? 1 : limit.rlim_max;
  g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

/* A check is told and kept for later, a verdict is not kept and that is said. */
static void
test_full_disk(Kept *k, gconstpointer data)
{
  g_autoptr(AppReview) review = kept_review(k, TRUE);
  const AppImageChoice choice = {.path = k->image};
  AppQuestion q = warm(&choice, "What is it?", 3);
  g_autoptr(JsonNode) a = NULL, b = NULL, log = NULL;
  g_autoptr(GError) error = NULL;
  g_auto(Told) checked = {0}, judged = {0}, again = {0};
  JsonObject *turn;

  ask(review, &q, &a);
  fill_disk(TRUE);
  check(review, 0, APP_CHECK_SEEDS, 2, &checked);
  app_review_judge_async(review, 1, APP_VERDICT_EDITED, "Nothing.", on_judged, &judged);
  wait_until(judged.done);
  turn = ask(review, &q, &b);
  g_assert_false(app_review_save(review, &error));
  fill_disk(FALSE);
  g_assert_nonnull(judged.error);
  g_assert_nonnull(strstr(judged.error->message, k->log));
  g_assert_null(strstr(judged.error->message, "Nothing."));
  g_assert_nonnull(strstr(error->message, k->log));
  g_clear_error(&error);
  g_assert_true(json_object_get_null_member(turn, "turn_id"));
  g_assert_cmpint(app_review_turn_id(review, 1), ==, 0);

  g_assert_true(app_review_save(review, &error));
  g_assert_no_error(error);
  g_assert_cmpint(app_review_turn_id(review, 1), ==, 2);
  g_assert_cmpuint(json_array_get_length(logged(k, "checks", &log)), ==, 1);
  g_assert_cmpuint(json_array_get_length(logged(k, "verdicts", &log)), ==, 0);
  app_review_judge_async(review, 1, APP_VERDICT_EDITED, "Nothing.", on_judged, &again);
  wait_until(again.done);
  g_assert_no_error(again.error);
  g_assert_cmpuint(json_array_get_length(logged(k, "verdicts", &log)), ==, 1);
}

/* Another program holds the log for longer than anybody waits: the answer is there, and what could
 * not be kept is said. */
static void
test_locked(Kept *k, gconstpointer slow)
{
  g_autoptr(AppReview) review = kept_review(k, TRUE);
  const AppImageChoice choice = {.path = k->image};
  AppQuestion q = warm(&choice, "What is it?", 3);
  g_autoptr(JsonNode) a = NULL, b = NULL;
  g_autoptr(GError) error = NULL;
  g_auto(Told) judged = {0};
  sqlite3 *db = NULL;
  JsonObject *turn;

  ask(review, &q, &a);
  g_assert_cmpint(sqlite3_open(k->log, &db), ==, SQLITE_OK);
  g_assert_cmpint(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==, SQLITE_OK);
  app_review_judge_async(review, 1, APP_VERDICT_ACCEPTED, NULL, on_judged, &judged);
  turn = ask(review, &q, &b); /* both wait for ten seconds */
  g_assert_true(json_object_get_null_member(turn, "turn_id"));
  wait_until(judged.done);
  sqlite3_close(db);
  g_assert_error(judged.error, STORE_ERROR, STORE_ERROR_BUSY);
  g_assert_nonnull(strstr(judged.error->message, "another program is using the log"));
  g_assert_true(app_review_save(review, &error));
  g_assert_no_error(error);
  g_assert_cmpint(app_review_turn_id(review, 1), ==, 2);
}

/* ---- another day -------------------------------------------------------------------------- */

static void
resume(AppReview *review, gint64 conversation, Told *told)
{
  app_review_resume_async(review, conversation, NULL, on_resumed, told);
  wait_until(told->done);
}

static void
said_again(JsonObject *a, JsonObject *b)
{
  static const char *const same[] = {"turn", "prompt_ids", "answer_ids", "answer"};

  for (guint i = 0; i < G_N_ELEMENTS(same); i++) {
    g_assert_true(
        json_node_equal(json_object_get_member(a, same[i]), json_object_get_member(b, same[i])));
  }
}

/* Of the log's newest conversation. */
static JsonObject *
newest(Kept *k, JsonNode **keep)
{
  g_autoptr(GError) error = NULL;

  g_clear_pointer(keep, json_node_unref);
  *keep = app_log_list(k->log, 1, &error);
  g_assert_no_error(error);
  return json_array_get_object_element(json_node_get_array(*keep), 0);
}

static void
test_resume(Kept *k, gconstpointer data)
{
  AppReview *review = kept_review(k, TRUE);
  const AppImageChoice first = {.path = k->image,
                                .region = {2, 3, 40, 30},
                                .flip = TRUE,
                                .window = {.set = TRUE, .center = 100, .width = 700}};
  const AppImageChoice second = {.path = k->other, .frame = 7};
  AppQuestion one = warm(&first, "What is it?", 3), two = warm(&second, "And this?", 20),
              three = warm(NULL, "Sure?", 4);
  g_autoptr(JsonNode) a = NULL, b = NULL, c = NULL, list = NULL;
  g_autoptr(GError) error = NULL;
  g_auto(Told) told = {0}, child = {0}, shown = {0};
  JsonObject *conversation;

  one.form = APP_ANSWER_YES_NO;
  two.add_image = TRUE;
  ask(review, &one, &a);
  ask(review, &two, &a);
  app_review_free(review);

  review = kept_review(k, TRUE);
  resume(review, 1, &told);
  g_assert_no_error(told.error);
  g_assert_cmpuint(app_review_turns(review), ==, 2);
  g_assert_cmpint(app_review_turn_id(review, 1), ==, 2);
  ask(review, &three, &b);
  conversation = newest(k, &list);
  g_assert_cmpint(json_object_get_int_member(conversation, "rewound_from"), ==, 1);
  g_assert_cmpint(json_object_get_int_member(conversation, "rewound_turn"), ==, 2);
  /* The same picture goes on, the window being given by its numbers or as it was. */
  three.image = &first;
  three.question = "Where?";
  ask(review, &three, &c);
  g_assert_cmpint(json_object_get_int_member(json_node_get_object(c), "turn"), ==, 4);
  /* Going back into what was said on the other day branches off there. */
  g_assert_true(app_review_rewind(review, 1, &error));
  ask(review, &two, &c);
  said_again(json_node_get_object(a), json_node_get_object(c));
  conversation = newest(k, &list);
  g_assert_cmpint(json_object_get_int_member(conversation, "rewound_from"), ==, 1);
  g_assert_cmpint(json_object_get_int_member(conversation, "rewound_turn"), ==, 1);
  app_review_free(review);

  /* As if nobody had gone away; and a branch has the turns of its trunk. */
  review = kept_review(k, TRUE);
  resume(review, 2, &child);
  g_assert_no_error(child.error);
  g_assert_cmpuint(app_review_turns(review), ==, 4);
  app_history_show_async(k->log, 2, NULL, on_shown, &shown);
  wait_until(shown.done);
  g_assert_cmpuint(json_array_get_length(json_node_get_array(shown.node)), ==, 4);
  for (guint i = 0; i < 4; i++) {
    JsonObject *turn = json_array_get_object_element(json_node_get_array(shown.node), i);
    g_assert_cmpint(json_object_get_int_member(turn, "turn"), ==, i + 1);
    g_assert_cmpint(json_object_get_int_member(turn, "conversation"), ==, i < 2 ? 1 : 2);
    g_assert_cmpint(json_object_get_int_member(turn, "turn_id"), ==, app_review_turn_id(review, i));
  }
  g_assert_true(app_review_rewind(review, 2, &error));
  three.image = NULL;
  three.question = "Sure?";
  ask(review, &three, &c);
  said_again(json_node_get_object(b), json_node_get_object(c));
  conversation = newest(k, &list);
  g_assert_cmpint(json_object_get_int_member(conversation, "rewound_from"), ==, 1);
  app_review_free(review);
}

static void
test_resume_fails(Kept *k, gconstpointer data)
{
  const TinyDicom changed = {.rows = 41, .columns = 60, .uid = "1.2.3.1", .instance = 1};
  AppReview *review = kept_review(k, TRUE);
  const AppImageChoice first = {.path = k->image}, second = {.path = k->other};
  AppQuestion one = warm(&first, "What is it?", 3), two = warm(&second, "And this?", 20);
  g_autoptr(JsonNode) a = NULL;
  g_auto(Told) not_there = {0}, was_changed = {0}, gone = {0};

  two.add_image = TRUE;
  ask(review, &one, &a);
  ask(review, &two, &a);
  resume(review, 99, &not_there);
  g_assert_nonnull(strstr(not_there.error->message, "conversation 99 is not in the log"));
  g_assert_cmpuint(app_review_turns(review), ==, 2); /* the present one goes on */
  tiny_dicom_write(k->image, &changed);
  resume(review, 1, &was_changed);
  g_assert_error(was_changed.error, APP_ERROR, APP_ERROR_FAILED);
  g_assert_nonnull(strstr(was_changed.error->message, "image 1 of the conversation has changed"));
  g_assert_nonnull(strstr(was_changed.error->message, k->image));
  g_remove(k->image);
  resume(review, 1, &gone);
  g_assert_nonnull(strstr(gone.error->message, "image 1 of the conversation is gone"));
  g_assert_cmpuint(app_review_turns(review), ==, 2);
  app_review_free(review);
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*test)(Kept *k, gconstpointer data);
  } tests[] = {
      {"/again/blank", test_blank},         {"/again/another", test_another},
      {"/again/seeds", test_seeds},         {"/again/check-gives-way", test_check_gives_way},
      {"/again/full-disk", test_full_disk}, {"/again/locked", test_locked},
      {"/again/resume", test_resume},       {"/again/resume-fails", test_resume_fails}};

  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/again/agreement", test_agreement);
  for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
    g_test_add(tests[i].path, Kept, NULL, kept_set_up, tests[i].test, kept_tear_down);
  }
  return g_test_run();
}
