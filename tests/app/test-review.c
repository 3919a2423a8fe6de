/* test-review.c - asking, going back, stopping, and the log, without a user interface. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "app_async.h"
#include "tiny.h"

typedef struct {
  char *folder, *model, *image, *other, *log;
  AppReview *review;
  AppImageChoice choice;
} Fixture;

static AppReview *
open_review(Fixture *f)
{
  const AppReviewOptions options = {.model = {.model = f->model}, .log_path = f->log};
  g_autoptr(GError) error = NULL;
  AppReview *review = app_review_new(&options, &error);

  g_assert_no_error(error);
  return review;
}

static void
set_up(Fixture *f, gconstpointer data)
{
  const TinyDicom first = {
      .rows = 40, .columns = 60, .uid = "1.2.3.1", .instance = 1, .window = "300\\400"};
  const TinyDicom second = {
      .rows = 64, .columns = 60, .frames = 2, .uid = "1.2.3.2", .instance = 2};

  f->folder = tiny_folder_new();
  f->model = g_build_filename(f->folder, "tiny.gguf", NULL);
  f->image = g_build_filename(f->folder, "a.dcm", NULL);
  f->other = g_build_filename(f->folder, "b.dcm", NULL);
  f->log = g_build_filename(f->folder, "log.sqlite", NULL);
  tiny_model_write(f->folder, f->model);
  tiny_dicom_write(f->image, &first);
  tiny_dicom_write(f->other, &second);
  f->choice = (AppImageChoice){.path = f->image};
  f->review = open_review(f);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  app_review_free(f->review);
  g_free(f->model);
  g_free(f->image);
  g_free(f->other);
  g_free(f->log);
  tiny_folder_free(f->folder);
}

static AppQuestion
question(const Fixture *f, const char *text, guint max_tokens)
{
  return (AppQuestion){.question = text,
                       .image = &f->choice,
                       .sampling = {.temperature = 0, .top_p = 1, .max_tokens = max_tokens}};
}

static JsonNode *
ask(Fixture *f, const char *text)
{
  const AppQuestion q = question(f, text, 5);
  g_autoptr(GError) error = NULL;
  JsonNode *node = app_review_ask(f->review, &q, NULL, NULL, &error);

  g_assert_no_error(error);
  g_assert_true(app_review_save(f->review, &error));
  g_assert_no_error(error);
  return node;
}

static gint64
int_member(JsonNode *node, const char *name)
{
  return json_object_get_int_member(json_node_get_object(node), name);
}

/* Of the log's newest conversation but SKIP. */
static JsonObject *
conversation(Fixture *f, guint skip, JsonNode **keep)
{
  g_autoptr(GError) error = NULL;

  *keep = app_log_list(f->log, 0, &error);
  g_assert_no_error(error);
  return json_array_get_object_element(json_node_get_array(*keep), skip);
}

static void
test_follow_up(Fixture *f, gconstpointer data)
{
  g_autoptr(JsonNode) first = ask(f, "Is it normal?"), second = ask(f, "Where?");
  g_autoptr(JsonNode) list = NULL;
  JsonObject *logged = conversation(f, 0, &list);

  g_assert_cmpint(int_member(first, "turn"), ==, 1);
  g_assert_cmpint(int_member(second, "turn"), ==, 2);
  g_assert_cmpuint(app_review_turns(f->review), ==, 2);
  g_assert_cmpint(json_object_get_int_member(logged, "turns"), ==, 2);
}

static void
test_new_image(Fixture *f, gconstpointer data)
{
  g_autoptr(JsonNode) first = ask(f, "Is it normal?"), second = NULL, third = NULL, list = NULL;

  f->choice.path = f->other;
  f->choice.frame = 1;
  second = ask(f, "Is it normal?");
  g_assert_cmpint(int_member(second, "turn"), ==, 1);
  f->choice.window = (AppWindow){TRUE, 100, 200};
  third = ask(f, "Is it normal?");
  g_assert_cmpint(int_member(third, "turn"), ==, 1);
  conversation(f, 0, &list);
  g_assert_cmpuint(json_array_get_length(json_node_get_array(list)), ==, 3);
}

static void
test_rewind(Fixture *f, gconstpointer data)
{
  g_autoptr(JsonNode) a = ask(f, "One?"), b = ask(f, "Two?"), c = ask(f, "Three?");
  g_autoptr(JsonNode) again = NULL, early = NULL, list = NULL, list2 = NULL;
  g_autoptr(GError) error = NULL;
  JsonObject *branch;

  /* Asked again after going back, a question gets the same answer from the same ids. */
  g_assert_true(app_review_rewind(f->review, 1, &error));
  again = ask(f, "Two?");
  g_assert_true(json_node_equal(json_object_get_member(json_node_get_object(b), "answer_ids"),
                                json_object_get_member(json_node_get_object(again), "answer_ids")));
  branch = conversation(f, 0, &list);
  g_assert_cmpint(json_object_get_int_member(branch, "rewound_from"), ==, 1);
  g_assert_cmpint(json_object_get_int_member(branch, "rewound_turn"), ==, 1);

  /* Back to before the branch: the new one leaves the trunk, not the branch. */
  g_assert_true(app_review_rewind(f->review, 0, &error));
  early = ask(f, "One?");
  g_assert_true(json_node_equal(json_object_get_member(json_node_get_object(a), "prompt_ids"),
                                json_object_get_member(json_node_get_object(early), "prompt_ids")));
  branch = conversation(f, 0, &list2);
  g_assert_cmpint(json_object_get_int_member(branch, "rewound_from"), ==, 1);
  g_assert_cmpint(json_object_get_int_member(branch, "rewound_turn"), ==, 0);

  g_assert_false(app_review_rewind(f->review, 7, &error));
  g_assert_error(error, APP_ERROR, APP_ERROR_ARGUMENT);
}

/* ---- stopping ----------------------------------------------------------------------------- */

static void
stop_at_text(const char *bytes, gsize length, gpointer cancellable)
{
  g_cancellable_cancel(cancellable);
}

static void
stop_at_picture(const char *phase, guint done, guint total, gpointer cancellable)
{
  g_cancellable_cancel(cancellable);
}

static void
test_cancel_answer(Fixture *f, gconstpointer data)
{
  g_autoptr(GCancellable) cancellable = g_cancellable_new();
  const AppListener listener = {stop_at_text, NULL, cancellable};
  const AppQuestion q = question(f, "Tell me all.", 400);
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = app_review_ask(f->review, &q, &listener, cancellable, &error);
  g_autoptr(JsonNode) next = NULL, list = NULL;

  g_assert_no_error(error);
  g_assert_cmpstr(json_object_get_string_member(json_node_get_object(node), "stop"), ==,
                  "cancelled");
  /* What was said is a turn, and the conversation goes on. */
  next = ask(f, "Go on.");
  g_assert_cmpint(int_member(next, "turn"), ==, 2);
  g_assert_cmpint(json_object_get_int_member(conversation(f, 0, &list), "turns"), ==, 2);
}

static void
test_cancel_before(Fixture *f, gconstpointer data)
{
  g_autoptr(GCancellable) early = g_cancellable_new(), late = g_cancellable_new();
  const AppListener listener = {NULL, stop_at_picture, late};
  const AppQuestion q = question(f, "Tell me all.", 400);
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) next = NULL;

  g_cancellable_cancel(early);
  g_assert_null(app_review_ask(f->review, &q, NULL, early, &error));
  g_assert_error(error, APP_ERROR, APP_ERROR_CANCELLED);
  g_clear_error(&error);
  g_assert_null(app_review_ask(f->review, &q, &listener, late, &error));
  g_assert_error(error, APP_ERROR, APP_ERROR_CANCELLED);
  g_assert_cmpuint(app_review_turns(f->review), ==, 0);
  next = ask(f, "And now?");
  g_assert_cmpint(int_member(next, "turn"), ==, 1);
}

/* ---- asynchronous ------------------------------------------------------------------------- */

typedef struct {
  GMainLoop *loop;
  GString *text;
  GThread *home;
  JsonNode *node;
  GError *error;
  guint n_pending;
} Heard;

static void
hear(const char *bytes, gsize length, gpointer user)
{
  Heard *heard = user;

  g_assert_true(g_thread_self() == heard->home);
  g_string_append_len(heard->text, bytes, (gssize)length);
}

static void
on_answered(GObject *source, GAsyncResult *result, gpointer user)
{
  Heard *heard = user;

  g_clear_pointer(&heard->node, json_node_unref);
  g_clear_error(&heard->error);
  heard->node = app_review_ask_finish(NULL, result, &heard->error);
  if (--heard->n_pending == 0) {
    g_main_loop_quit(heard->loop);
  }
}

static void
heard_clear(Heard *heard)
{
  g_main_loop_unref(heard->loop);
  g_string_free(heard->text, TRUE);
  g_clear_pointer(&heard->node, json_node_unref);
  g_clear_error(&heard->error);
}

static void
test_async(Fixture *f, gconstpointer data)
{
  Heard heard = {g_main_loop_new(NULL, FALSE), g_string_new(NULL), g_thread_self(), NULL, NULL, 1};
  const AppListener listener = {hear, NULL, &heard};

  {
    /* Question and choice need not live longer than the call. */
    g_autofree char *text = g_strdup("Tell me all.");
    const AppQuestion q = question(f, text, 300);
    app_review_ask_async(f->review, &q, &listener, NULL, on_answered, &heard);
    memset(text, 'x', strlen(text));
  }
  g_main_loop_run(heard.loop);
  g_assert_no_error(heard.error);
  g_assert_cmpstr(heard.text->str, ==,
                  json_object_get_string_member(json_node_get_object(heard.node), "answer"));
  g_assert_cmpstr("Tell me all.", ==,
                  json_object_get_string_member(json_node_get_object(heard.node), "question"));
  heard_clear(&heard);
}

static void
test_async_close(Fixture *f, gconstpointer data)
{
  Heard heard = {g_main_loop_new(NULL, FALSE), g_string_new(NULL), g_thread_self(), NULL, NULL, 3};
  const AppListener listener = {hear, NULL, &heard};
  const AppQuestion q = question(f, "Tell me all.", 400);

  for (int i = 0; i < 3; i++) {
    app_review_ask_async(f->review, &q, &listener, NULL, on_answered, &heard);
  }
  /* Closing stops the one under way and refuses those in line; every callback still comes. */
  app_review_free(g_steal_pointer(&f->review));
  g_main_loop_run(heard.loop);
  g_assert_error(heard.error, APP_ERROR, APP_ERROR_CANCELLED);
  heard_clear(&heard);
}

/* ---- a log that cannot be written ---------------------------------------------------------- */

static void
test_full_disk(Fixture *f, gconstpointer data)
{
  g_autoptr(JsonNode) first = ask(f, "One?"), second = NULL, third = NULL, list = NULL;
  const AppQuestion q = question(f, "Two?", 5);
  g_autoptr(GError) error = NULL;
  struct rlimit before, full;

  /* No file may grow any more: writes fail as on a full disk. */
  signal(SIGXFSZ, SIG_IGN);
  g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
  full = before;
  full.rlim_cur = 1;
  g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &full), ==, 0);
  second = app_review_ask(f->review, &q, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_false(app_review_save(f->review, &error));
  g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &before), ==, 0);
  g_assert_nonnull(strstr(error->message, f->log));
  g_clear_error(&error);
  g_assert_cmpint(int_member(second, "turn"), ==, 2);

  /* With room again, what waited is written first. */
  third = ask(f, "Three?");
  g_assert_cmpint(json_object_get_int_member(conversation(f, 0, &list), "turns"), ==, 3);
}

/* ---- opening with an image ---------------------------------------------------------------- */

static void
on_opened(GObject *source, GAsyncResult *result, gpointer user)
{
  *(GAsyncResult **)user = g_object_ref(result);
}

/* Options of a caller that goes on: all of them are copied. */
static void
open_soon(const Fixture *f, const char *path, GAsyncResult **result)
{
  g_autofree char *borrowed = g_strdup(path);
  AppImageChoice choice = {.path = borrowed};
  const AppReviewOptions options = {.model = {.model = f->model}, .no_log = TRUE, .image = &choice};

  app_review_new_async(&options, NULL, on_opened, result);
  memset(&choice, 0xff, sizeof choice);
}

static void
test_open_with_image(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GAsyncResult) good = NULL, bad = NULL;
  g_autoptr(AppReview) review = NULL;
  g_autoptr(JsonNode) node = NULL;
  AppQuestion q = question(f, "What?", 2);

  open_soon(f, f->image, &good);
  open_soon(f, "/nowhere/x.dcm", &bad);
  while (!good || !bad) {
    g_main_context_iteration(NULL, TRUE);
  }
  g_assert_null(app_review_new_finish(bad, &error));
  g_assert_nonnull(strstr(error->message, "/nowhere/x.dcm"));
  g_clear_error(&error);
  review = app_review_new_finish(good, &error);
  g_assert_no_error(error);
  /* The picture is decoded already: its file is not needed again. */
  g_remove(f->image);
  node = app_review_ask(review, &q, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_false(json_object_get_null_member(json_node_get_object(node), "image"));
}

static void
test_arguments(Fixture *f, gconstpointer data)
{
  AppQuestion wrong[5];
  AppImageChoice gone = {.path = "/nowhere/x.dcm"};

  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    wrong[i] = question(f, "What?", 5);
  }
  wrong[0].question = " \n";
  wrong[1].sampling.temperature = -1;
  wrong[2].sampling.top_p = 0;
  wrong[3].sampling.max_tokens = G_MAXUINT;
  wrong[4].image = &gone;
  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_null(app_review_ask(f->review, &wrong[i], NULL, NULL, &error));
    g_assert_nonnull(error);
    g_assert_true(i == 4 || g_error_matches(error, APP_ERROR, APP_ERROR_ARGUMENT));
  }
  g_assert_cmpuint(app_review_turns(f->review), ==, 0);
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*test)(Fixture *f, gconstpointer data);
  } tests[] = {{"/review/follow-up", test_follow_up},
               {"/review/new-image", test_new_image},
               {"/review/rewind", test_rewind},
               {"/review/cancel-answer", test_cancel_answer},
               {"/review/cancel-before", test_cancel_before},
               {"/review/async", test_async},
               {"/review/async-close", test_async_close},
               {"/review/full-disk", test_full_disk},
               {"/review/open-with-image", test_open_with_image},
               {"/review/arguments", test_arguments}};

  g_test_init(&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
    g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
  }
  return g_test_run();
}
