/* test-guard.c - a model's file that is cut short, written over or replaced while it is in use. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "private.h"
#include "review-fixture.h"

static gboolean
try_to_ask(Kept *k, AppReview *review, GError **error)
{
  const AppImageChoice choice = {.path = k->image};
  const AppQuestion question = {
      .question = "What?", .image = &choice, .sampling = {.top_p = 1, .max_tokens = 6}};
  g_autoptr(JsonNode) node = app_review_ask(review, &question, NULL, NULL, error);

  return node != NULL;
}

static void
cut(const char *path, off_t length)
{
  g_assert_cmpint(truncate(path, length), ==, 0);
}

static void
check_lost(Kept *k, AppReview *review)
{
  g_autoptr(GError) error = NULL;

  g_assert_false(try_to_ask(k, review, &error));
  g_assert_error(error, APP_ERROR, APP_ERROR_MODEL_LOST);
  g_assert_nonnull(strstr(error->message, "tiny.gguf"));
  g_assert_nonnull(strstr(error->message, "loaded again"));
}

static guint
n_logged(Kept *k)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) list = app_log_list(k->log, 100, &error);
  guint n = 0;

  g_assert_no_error(error);
  for (guint i = 0; i < json_array_get_length(json_node_get_array(list)); i++) {
    n += (guint)json_object_get_int_member(
        json_array_get_object_element(json_node_get_array(list), i), "turns");
  }
  return n;
}

/* No answer, nothing in the log, and with the file back in place the next model answers as ever. */
static void
test_cut_short(Kept *k, gconstpointer data)
{
  g_autofree char *bytes = NULL;
  gsize n;
  AppReview *review = kept_review(k, FALSE);
  g_auto(Said) before = kept_ask(review, k->image, 0, "What?");
  g_auto(Said) after = {0};

  g_assert_true(g_file_get_contents(k->model, &bytes, &n, NULL));
  cut(k->model, 4096); /* the header stays */
  check_lost(k, review);
  check_lost(k, review);
  g_assert_cmpuint(app_review_turns(review), ==, 1);
  app_review_free(review);
  g_assert_cmpuint(n_logged(k), ==, 1);

  g_assert_true(g_file_set_contents(k->model, bytes, (gssize)n, NULL));
  review = kept_review(k, FALSE);
  after = kept_ask(review, k->image, 0, "What?");
  g_assert_cmpstr(after.ids, ==, before.ids);
  app_review_free(review);
}

typedef struct {
  Kept *k;
  guint n_told;
} Cutter;

static void
cut_now(const char *phase, guint done, guint total, gpointer user)
{
  Cutter *cutter = user;

  if (cutter->n_told++ == 0) {
    cut(cutter->k->model, 0);
  }
}

static void
never(const char *bytes, gsize length, gpointer user)
{
  g_assert_not_reached();
}

/* In the middle of it: the weights that are read next are not there. */
static void
test_cut_while_answering(Kept *k, gconstpointer data)
{
  Cutter cutter = {.k = k};
  AppReview *review = kept_review(k, TRUE);
  const AppImageChoice choice = {.path = k->image};
  const AppQuestion question = {
      .question = "What?", .image = &choice, .sampling = {.top_p = 1, .max_tokens = 60}};
  const AppListener listener = {never, cut_now, &cutter};
  g_autoptr(GError) error = NULL;

  g_assert_null(app_review_ask(review, &question, &listener, NULL, &error));
  g_assert_error(error, APP_ERROR, APP_ERROR_MODEL_LOST);
  g_assert_cmpuint(cutter.n_told, >, 0);
  g_assert_cmpuint(app_review_turns(review), ==, 0);
  app_review_free(review);
}

/* As long as before, and other bytes. */
static void
test_written_over(Kept *k, gconstpointer data)
{
  AppReview *review = kept_review(k, TRUE);
  g_auto(Said) said = kept_ask(review, k->image, 0, "What?");
  int fd = open(k->model, O_WRONLY | O_CLOEXEC);

  g_assert_cmpint(fd, >=, 0);
  g_usleep(20000); /* a tick of the file system's clock */
  g_assert_cmpint(pwrite(fd, "GGUF", 4, 0), ==, 4);
  close(fd);
  check_lost(k, review);
  app_review_free(review);
}

/* By renaming, as it is to be done: the one that is in use stays what it is. */
static void
test_replaced(Kept *k, gconstpointer data)
{
  AppReview *review = kept_review(k, TRUE);
  g_auto(Said) before = kept_ask(review, k->image, 0, "What?"), after = {0};

  g_assert_true(g_file_set_contents(k->model, "nothing", -1, NULL));
  app_review_reset(review);
  after = kept_ask(review, k->image, 0, "What?");
  g_assert_cmpstr(after.ids, ==, before.ids);
  g_assert_cmpint(g_unlink(k->model), ==, 0);
  app_review_reset(review);
  g_assert_true(try_to_ask(k, review, NULL));
  app_review_free(review);
}

static gboolean
cut_source(guint64 done, guint64 total, gpointer user)
{
  cut_now("", 0, 0, user);
  return TRUE;
}

/* Zeros are no weights: nothing is left behind. */
static void
test_converted(Kept *k, gconstpointer data)
{
  g_autofree char *out = g_build_filename(k->folder, "out.gguf", NULL);
  const AppModelOptions model = {.model = k->model};
  const AppConvertOptions options = {.type = "q8_0", .out = out, .verify = APP_VERIFY_NONE};
  Cutter cutter = {.k = k};
  g_autoptr(GError) error = NULL;

  g_assert_null(app_model_convert(&model, &options, cut_source, &cutter, &error));
  g_assert_error(error, APP_ERROR, APP_ERROR_MODEL);
  g_assert_nonnull(strstr(error->message, "cut short"));
  g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
}

static bool
no_more(void *user)
{
  return --*(int *)user > 0;
}

/* Closing does not wait for a big file to be read to its end. */
static void
test_opening_ends(Kept *k, gconstpointer data)
{
  g_autoptr(GCancellable) cancellable = g_cancellable_new();
  const AppReviewOptions options = {.model = {.model = k->model, .cancellable = cancellable},
                                    .no_log = TRUE};
  g_autoptr(GError) error = NULL, other = NULL;
  int more = 1;

  g_cancellable_cancel(cancellable);
  g_assert_null(app_review_new(&options, &error));
  g_assert_error(error, APP_ERROR, APP_ERROR_CANCELLED);
  g_assert_null(app_engine_open_while(&options.model, no_more, &more, &other));
  g_assert_error(other, APP_ERROR, APP_ERROR_CANCELLED);
}

/* Other memory's SIGBUS is what it was. */
static void
test_other_memory(void)
{
  if (g_test_subprocess()) {
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("guard-XXXXXX", &path, NULL);
    volatile const char *data;

    app_guard_files();
    g_assert_cmpint(ftruncate(fd, 8192), ==, 0);
    data = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
    g_unlink(path);
    g_assert_cmpint(ftruncate(fd, 0), ==, 0);
    exit(data[5000] == 0 ? 0 : 1);
  }
  g_test_trap_subprocess(NULL, 0, 0);
  g_test_trap_assert_failed();
  g_test_trap_assert_stderr_unmatched("*not reached*");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  app_guard_files();
  g_test_add("/guard/cut-short", Kept, NULL, kept_set_up, test_cut_short, kept_tear_down);
  g_test_add("/guard/cut-while-answering", Kept, NULL, kept_set_up, test_cut_while_answering,
             kept_tear_down);
  g_test_add("/guard/written-over", Kept, NULL, kept_set_up, test_written_over, kept_tear_down);
  g_test_add("/guard/replaced", Kept, NULL, kept_set_up, test_replaced, kept_tear_down);
  g_test_add("/guard/converted", Kept, NULL, kept_set_up, test_converted, kept_tear_down);
  g_test_add("/guard/opening-ends", Kept, NULL, kept_set_up, test_opening_ends, kept_tear_down);
  g_test_add_func("/guard/other-memory", test_other_memory);
  return g_test_run();
}
