/* test-prepare.c - work that a review does before a question comes. */
#include "review-fixture.h"
#include "wait.h"

typedef struct {
  JsonNode *node;
  GError *error;
  gboolean done;
  guint n_encodings;
} Asked;

static void
on_answered(GObject *source, GAsyncResult *result, gpointer user)
{
  Asked *asked = user;

  asked->node = app_review_ask_finish(NULL, result, &asked->error);
  asked->done = TRUE;
}

static Said
ask_async(AppReview *review, const char *path, guint frame)
{
  const AppImageChoice choice = {.path = path, .frame = frame};
  const AppQuestion question = {
      .question = "What?", .image = &choice, .sampling = {.top_p = 1, .max_tokens = 6}};
  Asked asked = {0};
  const AppListener listener = {NULL, count_encodings, &asked.n_encodings};
  Said said;

  app_review_ask_async(review, &question, &listener, NULL, on_answered, &asked);
  wait_until(asked.done);
  g_assert_no_error(asked.error);
  said = said_of(asked.node, asked.n_encodings);
  json_node_unref(asked.node);
  return said;
}

/* A prepared image is neither decoded nor encoded again, and nothing of it is logged. The progress
 * of an encoding may be too fast to be delivered, so what the answer says of itself counts. */
static void
test_prepared(Kept *k, gconstpointer data)
{
  AppReview *review = kept_review(k, TRUE), *plain = kept_review(k, TRUE);
  const AppImageChoice choice = {.path = k->image};
  g_auto(Said) first = kept_ask(plain, k->image, 0, "What?"), said = {0}, again = {0};
  g_autoptr(JsonNode) before = NULL, after = NULL;

  app_review_free(plain);
  before = app_log_list(k->log, 0, NULL);
  app_review_prepare(review, &choice);
  app_review_prepare(review, &choice);
  g_usleep(300000); /* it takes some ms; a question that came earlier would wait for it */
  g_assert_cmpuint(app_review_turns(review), ==, 0);
  after = app_log_list(k->log, 0, NULL);
  g_assert_true(json_node_equal(before, after));
  g_remove(k->image);
  said = ask_async(review, k->image, 0);
  g_assert_cmpstr(said.ids, ==, first.ids);
  g_assert_true(said.image_cached);
  g_assert_cmpuint(said.n_cached, >, 4);
  g_assert_false(first.image_cached);

  /* The conversation goes on; so it does when something else is prepared, and dropped. */
  app_review_prepare(review, &choice);
  app_review_prepare(review, &(AppImageChoice){.path = k->other, .frame = 3});
  app_review_prepare(review, NULL);
  again = ask_async(review, k->image, 0);
  g_assert_cmpuint(app_review_turns(review), ==, 2);
  app_review_free(review);
}

/* Leafing through a stack, a question now and then at once: always about its own image. */
static void
test_leafing(Kept *k, gconstpointer data)
{
  AppReview *review = kept_review(k, FALSE), *plain = kept_review(k, TRUE);

  for (guint i = 0; i < 60; i++) {
    const AppImageChoice choice = {.path = k->other, .frame = i % 30};
    app_review_prepare(review, &choice);
    if (i % 7 == 3) {
      g_usleep(i * 300);
      g_auto(Said) said = ask_async(review, k->other, i % 2 ? i % 30 : (i + 1) % 30);
      g_auto(Said) expected = kept_ask(plain, k->other, i % 2 ? i % 30 : (i + 1) % 30, "What?");
      g_assert_cmpstr(said.ids, ==, expected.ids);
      g_assert_cmpuint(app_review_turns(review), ==, 1);
    }
    if (i % 11 == 5) {
      app_review_reset(review);
      g_assert_cmpuint(app_review_turns(review), ==, 0);
    }
  }
  app_review_free(plain);
  app_review_free(review);
}

/* Closing, and images that are none, in the middle of it. */
static void
test_ends(Kept *k, gconstpointer data)
{
  for (guint i = 0; i < 12; i++) {
    AppReview *review = kept_review(k, i % 2);
    app_review_prepare(review, NULL);
    app_review_prepare(review, &(AppImageChoice){.path = i % 3 ? k->image : "/nowhere/x.dcm"});
    if (i % 4 == 3) {
      g_auto(Said) said = ask_async(review, k->image, 0);
    }
    g_usleep(i * 400);
    app_review_free(review);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add("/prepare/prepared", Kept, NULL, kept_set_up, test_prepared, kept_tear_down);
  g_test_add("/prepare/leafing", Kept, NULL, kept_set_up, test_leafing, kept_tear_down);
  g_test_add("/prepare/ends", Kept, NULL, kept_set_up, test_ends, kept_tear_down);
  return g_test_run();
}
