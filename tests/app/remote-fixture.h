/* remote-fixture.h - a review whose model is on a server of our own, for the tests of what goes
 * there and of what goes wrong. */
#ifndef HILUM_TESTS_REMOTE_FIXTURE_H
#define HILUM_TESTS_REMOTE_FIXTURE_H

#include <string.h>

#include <png.h>

#include "app_eval.h"
#include "app_trust.h"
#include "mock-server.h"
#include "private.h"
#include "tiny.h"
#include "wait.h"

#define KEY "sk-Hq7mTz90aLb"
#define QUESTION "Does Mrs Quellenbaum have a nodule?"

typedef struct {
  MockServer *server;
  char *folder, *image, *log;
  AppReview *review;
  AppImageChoice choice;
  GString *heard; /* by the listener */
  GString *phases;
} Fixture;

static inline AppReview *
open_review(Fixture *f, guint timeout_s)
{
  const AppReviewOptions options = {
      .remote = {.url = f->server->url, .model = "asked-for", .timeout_s = timeout_s},
      .log_path = f->log};
  g_autoptr(GError) error = NULL;
  AppReview *review = app_review_new(&options, &error);

  g_assert_no_error(error);
  return review;
}

static inline void
set_up(Fixture *f, gconstpointer data)
{
  const TinyDicom dicom = {.rows = 40,
                           .columns = 60,
                           .uid = "1.2.3.1",
                           .instance = 1,
                           .window = "300\\400",
                           .image_comments = "Axial slice. No contrast was given."};

  f->server = mock_server_new();
  f->folder = tiny_folder_new();
  f->image = g_build_filename(f->folder, "a.dcm", NULL);
  f->log = g_build_filename(f->folder, "log.sqlite", NULL);
  tiny_dicom_write(f->image, &dicom);
  f->choice = (AppImageChoice){.path = f->image};
  f->heard = g_string_new(NULL);
  f->phases = g_string_new(NULL);
  f->review = open_review(f, 1);
}

static inline void
tear_down(Fixture *f, gconstpointer data)
{
  app_review_free(f->review);
  mock_server_free(f->server);
  g_free(f->image);
  g_free(f->log);
  tiny_folder_free(f->folder);
  g_string_free(f->heard, TRUE);
  g_string_free(f->phases, TRUE);
}

static inline void
hear(const char *bytes, gsize length, gpointer user)
{
  g_string_append_len(((Fixture *)user)->heard, bytes, (gssize)length);
}

static inline void
see(const char *phase, guint done, guint total, gpointer user)
{
  GString *phases = ((Fixture *)user)->phases;

  if (!g_str_has_suffix(phases->str, phase)) {
    g_string_append_printf(phases, " %s", phase);
  }
}

static inline AppQuestion
question(const Fixture *f, const char *text)
{
  return (AppQuestion){.question = text,
                       .image = &f->choice,
                       .sampling = {.temperature = 0.2, .top_p = 0.7, .seed = 5, .max_tokens = 20}};
}

static inline JsonNode *
try_ask(Fixture *f, const char *text, GError **error)
{
  const AppQuestion q = question(f, text);
  const AppListener listener = {hear, see, f};

  g_string_truncate(f->heard, 0);
  return app_review_ask(f->review, &q, &listener, NULL, error);
}

static inline JsonObject *
ask(Fixture *f, const char *text, JsonNode **keep)
{
  g_autoptr(GError) error = NULL;

  *keep = try_ask(f, text, &error);
  g_assert_no_error(error);
  g_assert_true(app_review_save(f->review, &error));
  g_assert_no_error(error);
  return json_node_get_object(*keep);
}

#define assert_text(object, member, text)                                                          \
  g_assert_cmpstr(json_object_get_string_member(object, member), ==, text)

/* The messages of request I; *keep owns them. */
static inline JsonArray *
messages(Fixture *f, guint i, JsonNode **keep)
{
  g_autoptr(GError) error = NULL;

  *keep = json_from_string(mock_body(f->server, i), &error);
  g_assert_no_error(error);
  return json_object_get_array_member(json_node_get_object(*keep), "messages");
}

/* Everything in the log's files. */
static inline char *
log_bytes(const Fixture *f)
{
  GString *all = g_string_new(NULL);

  for (guint i = 0; i < 2; i++) {
    g_autofree char *path = g_strconcat(f->log, i ? "-wal" : "", NULL);
    g_autofree char *bytes = NULL;
    gsize n = 0;
    if (g_file_get_contents(path, &bytes, &n, NULL)) {
      for (gsize k = 0; k < n; k++) {
        g_string_append_c(all, bytes[k] ? bytes[k] : '.');
      }
    }
  }
  return g_string_free(all, FALSE);
}

/* The PNG of the picture in CONTENT, as it was sent; NULL when there is none. */
static inline const char *
picture_of(JsonObject *message)
{
  JsonNode *content = json_object_get_member(message, "content");
  JsonObject *part;

  if (!JSON_NODE_HOLDS_ARRAY(content)) {
    return NULL;
  }
  part = json_array_get_object_element(json_node_get_array(content), 0);
  return json_object_get_string_member(json_object_get_object_member(part, "image_url"), "url");
}

/* Runs TESTS, whose PATHS begin with "/". */
typedef struct {
  const char *path;
  void (*test)(Fixture *f, gconstpointer data);
} RemoteTest;

static inline int
run_remote_tests(int argc, char **argv, const RemoteTest *tests, guint n)
{
  g_test_init(&argc, &argv, NULL);
  g_setenv("HILUM_ENGINE_KEY", KEY, TRUE);
  /* Neither may matter. */
  g_setenv("http_proxy", "http://127.0.0.1:1", TRUE);
  g_setenv("all_proxy", "http://127.0.0.1:1", TRUE);
  for (guint i = 0; i < n; i++) {
    g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
  }
  return g_test_run();
}

#endif
