/* test-train.c - the training use case: data files good and bad, pictures, stopping, results. */
#include <signal.h>
#include <string.h>

#include "app_train.h"
#include "tiny.h"

typedef struct {
  char *folder, *model, *data, *more, *out, *checkpoints;
  const char *files[3];
  AppTrainOptions options;
  guint pictures, steps, stop_at;
  double last_loss;
} Fixture;

#define QA(q, a) "[{\"from\":\"human\",\"value\":\"" q "\"},{\"from\":\"gpt\",\"value\":\"" a "\"}]"

static void
set_up(Fixture *f, gconstpointer data)
{
  const TinyDicom first = {.rows = 40, .columns = 60, .uid = "1.2.3.1", .instance = 1};
  const TinyDicom second = {.rows = 64, .columns = 60, .uid = "1.2.3.2", .instance = 2};
  g_autofree char *a = NULL, *b = NULL;

  f->folder = tiny_folder_new();
  f->model = g_build_filename(f->folder, "tiny.gguf", NULL);
  f->data = g_build_filename(f->folder, "data.json", NULL);
  f->more = g_build_filename(f->folder, "more.jsonl", NULL);
  f->out = g_build_filename(f->folder, "out.gguf", NULL);
  f->checkpoints = g_build_filename(f->folder, "checkpoints", NULL);
  a = g_build_filename(f->folder, "a.dcm", NULL);
  b = g_build_filename(f->folder, "b.dcm", NULL);
  tiny_model_write(f->folder, f->model);
  tiny_dicom_write(a, &first);
  tiny_dicom_write(b, &second);
  g_assert_true(g_file_set_contents(
      f->data,
      "\xEF\xBB\xBF [ {\"id\": 1, \"image\": \"a.dcm\", \"extra\": {\"deep\": [1, \"}]\"]}, "
      "\"conversations\": " QA("Which?\\n<image>",
                               "first") "},\n"
                                        "{\"image\": \"b.dcm\", \"conversatons\": " QA(
                                            "<image>\\nWhich \\\"one\\\"?", "second") "}]\n",
      -1, NULL));
  g_assert_true(g_file_set_contents(
      f->more,
      "{\"conversations\": " QA("Say.", "no") "}\n\n"
                                              "{\"image\": null, \"conversations\": " QA("Say.",
                                                                                         "yes") "}",
      -1, NULL));
  app_train_options_init(&f->options);
  f->files[0] = f->data;
  f->files[1] = f->more;
  f->options.model.model = f->model;
  f->options.model.n_threads = 2;
  f->options.data = f->files;
  f->options.images = f->folder;
  f->options.train = "vision,projector,llm";
  f->options.lr = 1e-3;
  f->options.batch = 4;
  f->options.accumulate = 1;
  f->options.steps = 6;
  f->options.out = f->out;
  f->options.type = "f32";
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  g_free(f->model);
  g_free(f->data);
  g_free(f->more);
  g_free(f->out);
  g_free(f->checkpoints);
  tiny_folder_free(f->folder);
}

static gboolean
report(const AppTrainProgress *progress, gpointer user)
{
  Fixture *f = user;

  if (g_str_equal(progress->phase, "pictures")) {
    f->pictures++;
    return TRUE;
  }
  f->steps++;
  f->last_loss = progress->loss;
  return progress->done != f->stop_at;
}

static char *
sha_of(Fixture *f)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = app_train(&f->options, report, f, &error);

  g_assert_no_error(error);
  return g_strdup(json_object_get_string_member(json_node_get_object(node), "sha256"));
}

static void
test_trains(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = app_train(&f->options, report, f, &error);
  JsonObject *object;

  g_assert_no_error(error);
  object = json_node_get_object(node);
  g_assert_cmpuint(f->pictures, ==, 2);
  g_assert_cmpuint(f->steps, ==, 6);
  g_assert_cmpint(json_object_get_int_member(object, "steps"), ==, 6);
  g_assert_cmpint(json_object_get_int_member(object, "samples"), ==, 24);
  g_assert_cmpint(json_object_get_int_member(object, "mismatches"), ==, 0);
  g_assert_cmpfloat(json_object_get_double_member(object, "loss"), >, 0);
  g_assert_true(g_file_test(f->out, G_FILE_TEST_IS_REGULAR));
}

/* Pictures kept or decoded each time, one thread or two: the same weights. */
static void
test_same_weights(Fixture *f, gconstpointer data)
{
  g_autofree char *kept = sha_of(f), *decoded = NULL, *alone = NULL;

  f->options.picture_bytes = 0;
  f->pictures = 0;
  decoded = sha_of(f);
  g_assert_cmpuint(f->pictures, ==, 0);
  g_assert_cmpstr(kept, ==, decoded);
  f->options.model.n_threads = 1;
  alone = sha_of(f);
  g_assert_cmpstr(kept, ==, alone);
}

static void
test_stops_and_goes_on(Fixture *f, gconstpointer data)
{
  g_autofree char *straight = sha_of(f), *resumed = NULL;
  g_autoptr(GError) error = NULL;

  g_remove(f->out);
  f->options.checkpoint_dir = f->checkpoints;
  f->stop_at = 4;
  g_assert_null(app_train(&f->options, report, f, &error));
  g_assert_error(error, APP_ERROR, APP_ERROR_CANCELLED);
  g_assert_nonnull(strstr(error->message, "step 4 of 6"));
  g_assert_false(g_file_test(f->out, G_FILE_TEST_EXISTS));
  f->stop_at = f->steps = 0;
  resumed = sha_of(f);
  g_assert_cmpuint(f->steps, ==, 2);
  g_assert_cmpstr(resumed, ==, straight);
}

static void
test_plain(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;

  f->files[1] = NULL;
  f->options.mask = "plain";
  f->options.train = "projector";
  node = app_train(&f->options, report, f, &error);
  g_assert_no_error(error);
  g_assert_nonnull(node);
}

static void
fails(Fixture *f, const char *expected)
{
  g_autoptr(GError) error = NULL;

  g_assert_null(app_train(&f->options, NULL, NULL, &error));
  g_assert_nonnull(error);
  if (!strstr(error->message, expected)) {
    g_test_message("found \"%s\", expected \"%s\"", error->message, expected);
    g_test_fail();
  }
  g_assert_false(g_file_test(f->out, G_FILE_TEST_EXISTS));
}

static void
test_bad_data(Fixture *f, gconstpointer data)
{
  static const struct {
    const char *text, *expected;
  } cases[] = {
      {"", "empty"},
      {"  ", "0 records"},
      {"[]", "0 records"},
      {"7", "byte 0"},
      {"[{\"conversations\": " QA("q", "a") "}", "does not end"},
      {"[{\"conversations\": " QA("q", "a") "}] x", "byte"},
      {"[{\"conversations\": " QA("q", "a") "} {}]", "record 2"},
      {"{\"conversations\": " QA("q", "a"), "whole JSON object"},
      {"{\"conversations\": \"", "whole JSON object"},
      {"{\"a\": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "whole JSON object"},
      {"{\"conversations\" " QA("q", "a") "}", "record 1"},
      {"{\"conversation\": " QA("q", "a") "}", "no array"},
      {"{\"conversations\": {}}", "no array"},
      {"{\"conversations\": []}", "questions and answers"},
      {"{\"conversations\": [{\"from\":\"human\",\"value\":\"q\"}]}", "questions and answers"},
      {"{\"conversations\": [1, 2]}", "a turn lacks"},
      {"{\"conversations\": "
       "[{\"from\":\"gpt\",\"value\":\"q\"},{\"from\":\"gpt\",\"value\":\"a\"}]}",
       "a turn lacks"},
      {"{\"conversations\": [{\"from\":\"human\",\"value\":5},{\"from\":\"gpt\",\"value\":\"a\"}]}",
       "a turn lacks"},
      {"{\"conversations\": " QA("q", "<image>") "}", "<image>"},
      {"{\"conversations\": " QA("<image> and <image>", "a") "}", "<image>"},
      {"{\"image\": 5, \"conversations\": " QA("q", "a") "}", "not a string"},
      {"{\"image\": \"../a.dcm\", \"conversations\": " QA("q", "a") "}", "below the folder"},
      {"{\"image\": \"/etc/passwd\", \"conversations\": " QA("q", "a") "}", "below the folder"},
      {"{\"image\": \"\", \"conversations\": " QA("q", "a") "}", "below the folder"},
      {"{\"image\": \"none.dcm\", \"conversations\": " QA("q", "a") "}", "none.dcm"},
      {"{\"image\": \"data.json\", \"conversations\": " QA("q", "a") "}", "data.json"},
      {"{\"image\": \"a.dcm\", \"conversations\": " QA("\\ud800", "a") "}", "record 1"},
  };

  f->files[1] = NULL;
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_assert_true(g_file_set_contents(f->data, cases[i].text, -1, NULL));
    fails(f, cases[i].expected);
  }
}

static void
test_misuse(Fixture *f, gconstpointer data)
{
  AppTrainOptions good = f->options;

  f->options.train = "tower";
  fails(f, "tower");
  f->options = good;
  f->options.mask = "v9";
  fails(f, "v9");
  f->options = good;
  f->options.type = "q4_k";
  fails(f, "f32, f16, q8_0");
  f->options = good;
  f->options.init_shape = "";
  fails(f, "not both");
  f->options = good;
  f->options.model.model = NULL;
  fails(f, "model to start from");
  f->options.init_shape = "hidden=12";
  fails(f, "tokenizer");
  f->options = good;
  f->options.card = f->checkpoints;
  fails(f, "checkpoints");
  f->options = good;
  f->options.model.model = f->data;
  fails(f, "data.json");
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*run)(Fixture *, gconstpointer);
  } tests[] = {
      {"/app/train/trains", test_trains},
      {"/app/train/same-weights", test_same_weights},
      {"/app/train/stops-and-goes-on", test_stops_and_goes_on},
      {"/app/train/plain", test_plain},
      {"/app/train/bad-data", test_bad_data},
      {"/app/train/misuse", test_misuse},
  };

  g_test_init(&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
    g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].run, tear_down);
  }
  return g_test_run();
}
