/* test-remote.c - a review whose model is on a server: what goes there, what comes back, what is
 * kept, and what happens when the server is slow, wrong, broken or gone. */
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

static AppReview *
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

static void
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

static void
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

static void
hear(const char *bytes, gsize length, gpointer user)
{
  g_string_append_len(((Fixture *)user)->heard, bytes, (gssize)length);
}

static void
see(const char *phase, guint done, guint total, gpointer user)
{
  GString *phases = ((Fixture *)user)->phases;

  if (!g_str_has_suffix(phases->str, phase)) {
    g_string_append_printf(phases, " %s", phase);
  }
}

static AppQuestion
question(const Fixture *f, const char *text)
{
  return (AppQuestion){.question = text,
                       .image = &f->choice,
                       .sampling = {.temperature = 0.2, .top_p = 0.7, .seed = 5, .max_tokens = 20}};
}

static JsonNode *
try_ask(Fixture *f, const char *text, GError **error)
{
  const AppQuestion q = question(f, text);
  const AppListener listener = {hear, see, f};

  g_string_truncate(f->heard, 0);
  return app_review_ask(f->review, &q, &listener, NULL, error);
}

static JsonObject *
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
static JsonArray *
messages(Fixture *f, guint i, JsonNode **keep)
{
  g_autoptr(GError) error = NULL;

  *keep = json_from_string(mock_body(f->server, i), &error);
  g_assert_no_error(error);
  return json_object_get_array_member(json_node_get_object(*keep), "messages");
}

/* Everything in the log's files. */
static char *
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
static const char *
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

/* A second picture goes with the question that it joined with, then and ever after. */
static void
test_add_image(Fixture *f, gconstpointer data)
{
  const TinyDicom dicom = {.rows = 30, .columns = 30, .uid = "1.2.3.9", .instance = 1};
  g_autofree char *other = g_build_filename(f->folder, "b.dcm", NULL);
  const AppImageChoice second = {.path = other};
  g_autoptr(JsonNode) one = NULL, two = NULL, three = NULL, keep = NULL, keep2 = NULL;
  g_autoptr(GError) error = NULL;
  AppQuestion q = question(f, "And this?");
  JsonArray *sent;

  tiny_dicom_write(other, &dicom);
  for (guint i = 0; i < 3; i++) {
    mock_reply(f->server, MOCK_OK, MOCK_TEXT("Yes."), MOCK_FINISH("stop"), MOCK_DONE, NULL);
  }
  ask(f, "What?", &one);
  q.image = &second;
  q.add_image = TRUE;
  two = app_review_ask(f->review, &q, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(
      json_array_get_length(json_object_get_array_member(json_node_get_object(two), "images")), ==,
      2);
  ask(f, "Compare them.", &three);
  sent = messages(f, 2, &keep);
  g_assert_cmpuint(json_array_get_length(sent), ==, 5);
  g_assert_nonnull(picture_of(json_array_get_object_element(sent, 0)));
  g_assert_null(picture_of(json_array_get_object_element(sent, 1)));
  g_assert_nonnull(picture_of(json_array_get_object_element(sent, 2)));
  g_assert_cmpstr(picture_of(json_array_get_object_element(sent, 0)), !=,
                  picture_of(json_array_get_object_element(sent, 2)));
  g_assert_null(picture_of(json_array_get_object_element(sent, 4)));

  /* Back to before it joined, it is sent no more. */
  g_assert_true(app_review_rewind(f->review, 1, &error));
  mock_reply(f->server, MOCK_OK, MOCK_TEXT("Yes."), MOCK_FINISH("stop"), MOCK_DONE, NULL);
  g_clear_pointer(&three, json_node_unref);
  ask(f, "Alone?", &three);
  sent = messages(f, 3, &keep2);
  g_assert_cmpuint(json_array_get_length(sent), ==, 3);
  g_assert_nonnull(picture_of(json_array_get_object_element(sent, 0)));
  g_assert_null(picture_of(json_array_get_object_element(sent, 2)));
}

#define MOCK_LIKELY(text, tokens)                                                                  \
  "data: {\"choices\": [{\"index\": 0, \"delta\": {\"content\": \"" text                           \
  "\"}, \"logprobs\": {\"content\": [" tokens "]}, \"finish_reason\": null}]}\n\n"

/* How likely the tokens were, "Yes=0.5 ..." */
static char *
tokens_of(JsonObject *turn)
{
  JsonNode *node = json_object_get_member(turn, "tokens");
  GString *text = g_string_new(NULL);

  for (guint i = 0;
       JSON_NODE_HOLDS_ARRAY(node) && i < json_array_get_length(json_node_get_array(node)); i++) {
    JsonObject *token = json_array_get_object_element(json_node_get_array(node), i);
    g_string_append_printf(text, "[%s]%.2f", json_object_get_string_member(token, "text"),
                           json_object_get_double_member(token, "p"));
  }
  return g_string_free(text, FALSE);
}

static void
test_likely(Fixture *f, gconstpointer data)
{
  g_autoptr(JsonNode) one = NULL, two = NULL, three = NULL, four = NULL;
  g_autofree char *whole = NULL, *split = NULL, *other = NULL, *none = NULL;

  mock_reply(
      f->server, MOCK_OK,
      MOCK_LIKELY(" No", "{\"token\": \" No\", \"logprob\": -0.693147, \"bytes\": [32, 78, 111]}"),
      MOCK_LIKELY(". ", "{\"token\": \".\", \"logprob\": 0}, {\"token\": \" \", \"logprob\": -1}"),
      MOCK_FINISH("stop"), MOCK_DONE, NULL);
  whole = tokens_of(ask(f, "What?", &one));
  g_assert_cmpstr(whole, ==, "[No]0.50[.]1.00");
  g_assert_nonnull(strstr(mock_body(f->server, 0), "\"logprobs\": true"));
  /* A character of two tokens belongs to the second. */
  mock_reply(f->server, MOCK_OK,
             MOCK_LIKELY("\\u00e4", "{\"token\": \"?\", \"logprob\": -0.693147, \"bytes\": [195]},"
                                    "{\"token\": \"?\", \"logprob\": -1.386294, \"bytes\": [164]}"),
             MOCK_FINISH("stop"), MOCK_DONE, NULL);
  split = tokens_of(ask(f, "And?", &two));
  g_assert_cmpstr(split, ==, "[]0.50[ä]0.25");
  /* Tokens that do not make up the answer, and numbers that are none, say nothing. */
  mock_reply(f->server, MOCK_OK,
             MOCK_LIKELY("Yes", "{\"token\": \"No\", \"logprob\": -1}, {\"token\": 5}, 7, null"),
             MOCK_FINISH("stop"), MOCK_DONE, NULL);
  other = tokens_of(ask(f, "Sure?", &three));
  g_assert_cmpstr(other, ==, "");
  mock_reply(f->server, MOCK_OK, MOCK_TEXT("Yes."), MOCK_FINISH("stop"), MOCK_DONE, NULL);
  none = tokens_of(ask(f, "Really?", &four));
  g_assert_cmpstr(none, ==, "");
  g_assert_true(json_object_get_null_member(json_node_get_object(four), "tokens"));
}

/* A server that refuses to be asked for them is asked without, now and from then on. */
static void
test_no_logprobs(Fixture *f, gconstpointer data)
{
  g_autoptr(JsonNode) one = NULL, two = NULL;

  mock_reply(
      f->server,
      "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n",
      "{\"error\": {\"message\": \"logprobs is not supported\"}}", NULL);
  for (guint i = 0; i < 2; i++) {
    mock_reply(f->server, MOCK_OK, MOCK_TEXT("Yes."), MOCK_FINISH("stop"), MOCK_DONE, NULL);
  }
  ask(f, "What?", &one);
  ask(f, "And?", &two);
  g_assert_cmpuint(mock_n_requests(f->server), ==, 3);
  g_assert_nonnull(strstr(mock_body(f->server, 0), "logprobs"));
  g_assert_null(strstr(mock_body(f->server, 1), "logprobs"));
  g_assert_null(strstr(mock_body(f->server, 2), "logprobs"));
}

static void
on_checked(GObject *source, GAsyncResult *result, gpointer user)
{
  g_autoptr(GError) error = NULL;

  *(JsonNode **)user = app_review_check_finish(NULL, result, &error);
  g_assert_no_error(error);
}

static void
on_resumed(GObject *source, GAsyncResult *result, gpointer user)
{
  g_autoptr(GError) error = NULL;

  app_review_resume_finish(NULL, result, &error);
  g_assert_no_error(error);
  *(gboolean *)user = TRUE;
}

/* The server is asked the same with other seeds, and a conversation of the log is told to it again.
 */
static void
test_check_and_resume(Fixture *f, gconstpointer data)
{
  g_autoptr(JsonNode) one = NULL, checked = NULL, two = NULL, first = NULL, second = NULL,
                      third = NULL;
  JsonNode **const keep[] = {&third, &first, &second};
  gboolean resumed = FALSE;
  JsonArray *sent;
  AppReview *review;
  AppQuestion q = question(f, "And now?");
  g_autoptr(GError) error = NULL;

  for (guint i = 0; i < 4; i++) {
    mock_reply(f->server, MOCK_OK, i == 2 ? MOCK_TEXT("No.") : MOCK_TEXT("Yes."),
               MOCK_FINISH("stop"), MOCK_DONE, NULL);
  }
  ask(f, "What?", &one);
  app_review_check_async(f->review, 0, APP_CHECK_SEEDS, 2, NULL, on_checked, &checked);
  wait_until(checked);
  g_assert_false(json_object_get_boolean_member(json_node_get_object(checked), "same"));
  for (guint i = 1; i < 3; i++) {
    sent = messages(f, i, keep[i]);
    g_assert_cmpuint(json_array_get_length(sent), ==, 1);
    g_assert_nonnull(picture_of(json_array_get_object_element(sent, 0)));
    g_assert_cmpint(json_object_get_int_member(json_node_get_object(*keep[i]), "seed"), ==, 5 + i);
  }

  review = open_review(f, 1);
  app_review_resume_async(review, 1, NULL, on_resumed, &resumed);
  wait_until(resumed);
  q.image = NULL;
  two = app_review_ask(review, &q, NULL, NULL, &error);
  g_assert_no_error(error);
  sent = messages(f, 3, keep[0]);
  g_assert_cmpuint(json_array_get_length(sent), ==, 3);
  g_assert_nonnull(picture_of(json_array_get_object_element(sent, 0)));
  g_assert_cmpstr(json_object_get_string_member(json_array_get_object_element(sent, 1), "content"),
                  ==, "Yes.");
  app_review_free(review);
}

/* ---- a good server ------------------------------------------------------------------------ */

static void
test_answer(Fixture *f, gconstpointer data)
{
  g_autoptr(JsonNode) node = NULL, asked = NULL, log = NULL;
  g_autoptr(GError) error = NULL;
  JsonObject *turn, *request, *model, *logged;
  g_autofree char *engine = g_strconcat(f->server->url, "/v1", NULL), *bytes = NULL;

  mock_reply(f->server, MOCK_OK, ": hello\n\n", MOCK_TEXT("No, "), MOCK_TEXT("none\\u2026"),
             MOCK_FINISH("stop"), MOCK_USAGE, MOCK_DONE, NULL);
  turn = ask(f, QUESTION, &node);
  assert_text(turn, "answer", "No, none…");
  assert_text(turn, "stop", "eos");
  g_assert_cmpstr(f->heard->str, ==, "No, none…");
  g_assert_cmpstr(f->phases->str, ==, " sending waiting answer");
  g_assert_cmpint(json_object_get_int_member(turn, "turn"), ==, 1);
  model = json_object_get_object_member(turn, "model");
  assert_text(model, "name", "served");
  assert_text(model, "engine", engine);
  g_assert_true(json_object_get_null_member(model, "sha256"));
  g_assert_cmpint(
      json_object_get_int_member(json_object_get_object_member(turn, "timing"), "prompt_tokens"),
      ==, 600);

  /* What was sent. */
  g_assert_true(g_str_has_prefix(mock_request(f->server, 0), "POST /v1/chat/completions HTTP/1.1"));
  g_assert_nonnull(strstr(mock_request(f->server, 0), "\r\nAuthorization: Bearer " KEY "\r\n"));
  asked = json_from_string(mock_body(f->server, 0), &error);
  g_assert_no_error(error);
  request = json_node_get_object(asked);
  assert_text(request, "model", "asked-for");
  g_assert_true(json_object_get_boolean_member(request, "stream"));
  g_assert_cmpfloat(json_object_get_double_member(request, "temperature"), ==, 0.2);
  g_assert_cmpfloat(json_object_get_double_member(request, "top_p"), ==, 0.7);
  g_assert_cmpint(json_object_get_int_member(request, "seed"), ==, 5);
  g_assert_cmpint(json_object_get_int_member(request, "max_tokens"), ==, 20);

  /* What was kept. */
  log = app_log_show(f->log, 1, &error);
  g_assert_no_error(error);
  logged = json_array_get_object_element(json_node_get_array(log), 0);
  assert_text(logged, "answer", "No, none…");
  assert_text(json_object_get_object_member(logged, "model"), "engine", engine);
  assert_text(json_object_get_object_member(logged, "model"), "name", "served");
  bytes = log_bytes(f);
  g_assert_nonnull(strstr(bytes, engine));
  g_assert_null(strstr(bytes, KEY));
}

/* The picture in the request is the very one whose hash is in the report. */
static void
test_picture(Fixture *f, gconstpointer data)
{
  static const char prefix[] = "data:image/png;base64,";
  g_autoptr(JsonNode) node = NULL, asked = NULL;
  JsonObject *turn, *part;
  JsonArray *content;
  png_image png = {.version = PNG_IMAGE_VERSION};
  g_autofree guchar *bytes = NULL, *pixels = NULL;
  g_autofree char *sha256 = NULL;
  const char *url;
  gsize n;

  mock_reply(f->server, MOCK_OK, MOCK_TEXT("No."), MOCK_DONE, NULL);
  turn = ask(f, "Is it normal?", &node);
  content = json_object_get_array_member(json_array_get_object_element(messages(f, 0, &asked), 0),
                                         "content");
  part = json_array_get_object_element(content, 0);
  assert_text(part, "type", "image_url");
  url = json_object_get_string_member(json_object_get_object_member(part, "image_url"), "url");
  g_assert_true(g_str_has_prefix(url, prefix));
  assert_text(json_array_get_object_element(content, 1), "text", "Is it normal?");
  bytes = g_base64_decode(url + strlen(prefix), &n);
  g_assert_true(png_image_begin_read_from_memory(&png, bytes, n));
  g_assert_cmpuint(png.width, ==, 60);
  g_assert_cmpuint(png.height, ==, 40);
  png.format = PNG_FORMAT_RGB;
  pixels = g_malloc(PNG_IMAGE_SIZE(png));
  g_assert_true(png_image_finish_read(&png, NULL, pixels, 0, NULL));
  sha256 = g_compute_checksum_for_data(G_CHECKSUM_SHA256, pixels, PNG_IMAGE_SIZE(png));
  assert_text(json_object_get_object_member(turn, "image"), "sent_sha256", sha256);
}

/* Bytes one by one, comments, every kind of line end, chunked and not: the same answer. */
static void
test_any_pieces(Fixture *f, gconstpointer data)
{
  static const char *const ends[] = {"\n", "\r\n", "\r"};

  for (guint i = 0; i < G_N_ELEMENTS(ends); i++) {
    g_autoptr(JsonNode) node = NULL;
    g_auto(GStrv) lines =
        g_strsplit(": comment\n\n" MOCK_TEXT("caf\xc3\xa9 ") ":\n\n" MOCK_TEXT("\\ud83e\\udec1")
                       MOCK_FINISH("stop") MOCK_DONE,
                   "\n", -1);
    g_autofree char *stream = g_strjoinv(ends[i], lines);

    mock_reply(f->server, MOCK_BYTEWISE, MOCK_OK, stream, NULL);
    assert_text(ask(f, QUESTION, &node), "answer", "caf\xc3\xa9 \xf0\x9f\xab\x81");
  }
  g_autoptr(JsonNode) node = NULL;
  mock_reply(f->server, MOCK_CHUNKED, "b\r\ndata: {\"cho\r\n", MOCK_PAUSE,
             "31\r\nices\": [{\"delta\": {\"content\": \"in chunks\"}}]}\n\r\n", MOCK_PAUSE,
             "f\r\n\ndata: [DONE]\n\n\r\n", "0\r\n\r\n", NULL);
  assert_text(ask(f, QUESTION, &node), "answer", "in chunks");
}

static void
test_follow_up(Fixture *f, gconstpointer data)
{
  g_autoptr(JsonNode) first = NULL, second = NULL, third = NULL, asked = NULL, again = NULL;
  g_autoptr(GError) error = NULL;
  JsonArray *all;

  mock_reply(f->server, MOCK_OK, MOCK_TEXT("One."), MOCK_DONE, NULL);
  mock_reply(f->server, MOCK_OK, MOCK_TEXT("Two."), MOCK_DONE, NULL);
  mock_reply(f->server, MOCK_OK, MOCK_TEXT("Three."), MOCK_DONE, NULL);
  ask(f, "First?", &first);
  g_assert_cmpint(json_object_get_int_member(ask(f, "Second?", &second), "turn"), ==, 2);
  all = messages(f, 1, &asked);
  g_assert_cmpuint(json_array_get_length(all), ==, 3);
  g_assert_true(JSON_NODE_HOLDS_ARRAY(
      json_object_get_member(json_array_get_object_element(all, 0), "content")));
  assert_text(json_array_get_object_element(all, 1), "role", "assistant");
  assert_text(json_array_get_object_element(all, 1), "content", "One.");
  assert_text(json_array_get_object_element(all, 2), "role", "user");
  assert_text(json_array_get_object_element(all, 2), "content", "Second?");

  g_assert_true(app_review_rewind(f->review, 1, &error));
  g_assert_cmpint(json_object_get_int_member(ask(f, "Instead?", &third), "turn"), ==, 2);
  all = messages(f, 2, &again);
  g_assert_cmpuint(json_array_get_length(all), ==, 3);
  assert_text(json_array_get_object_element(all, 2), "content", "Instead?");
}

/* The caption's length decides what is asked, as it does here. */
static void
test_describe(Fixture *f, gconstpointer data)
{
  const AppQuestion q = {.image = &f->choice, .sampling = {.top_p = 1, .seed = 3}};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL, asked = NULL;
  JsonObject *turn, *instruction, *request;

  mock_reply(f->server, MOCK_OK, MOCK_TEXT("A slice."), MOCK_DONE, NULL);
  node = app_review_ask(f->review, &q, NULL, NULL, &error);
  g_assert_no_error(error);
  turn = json_node_get_object(node);
  instruction = json_object_get_object_member(turn, "instruction");
  assert_text(instruction, "list", "brief");
  asked = json_from_string(mock_body(f->server, 0), NULL);
  request = json_node_get_object(asked);
  g_assert_nonnull(
      strstr(mock_body(f->server, 0), json_object_get_string_member(instruction, "text")));
  g_assert_cmpint(json_object_get_int_member(request, "max_tokens"), >, 0);
  g_assert_cmpfloat(json_object_get_double_member(request, "temperature"), ==, 0);
}

/* Blanks belong to an answer between its words alone, as they come in pieces. */
static void
test_blanks(Fixture *f, gconstpointer data)
{
  g_autoptr(JsonNode) node = NULL, blank = NULL;

  mock_reply(f->server, MOCK_OK, MOCK_TEXT(" "), MOCK_TEXT("\\n One"), MOCK_TEXT(" "),
             MOCK_TEXT("\\n"), MOCK_TEXT("two "), MOCK_TEXT(" \\n"), MOCK_DONE, NULL);
  assert_text(ask(f, QUESTION, &node), "answer", "One \ntwo");
  g_assert_cmpstr(f->heard->str, ==, "One \ntwo");
  mock_reply(f->server, MOCK_OK, MOCK_TEXT(" \\n"), MOCK_DONE, NULL);
  assert_text(ask(f, QUESTION, &blank), "answer", "");
}

/* Why it ends, in our words. */
static void
test_ends(Fixture *f, gconstpointer data)
{
  g_autoptr(JsonNode) a = NULL, b = NULL, c = NULL, d = NULL;

  mock_reply(f->server, MOCK_OK, MOCK_TEXT("x"), MOCK_FINISH("length"), MOCK_DONE, NULL);
  mock_reply(f->server, MOCK_OK, MOCK_TEXT("x"), MOCK_FINISH("length"), MOCK_USAGE, MOCK_DONE,
             NULL);
  mock_reply(f->server, MOCK_OK, MOCK_TEXT("x"), MOCK_FINISH("content_filter"), MOCK_DONE, NULL);
  /* No [DONE], but a reason. */
  mock_reply(f->server, MOCK_OK, MOCK_TEXT("x"), MOCK_FINISH("stop"), NULL);
  assert_text(ask(f, "a?", &a), "stop", "max-tokens");
  assert_text(ask(f, "b?", &b), "stop", "context");
  assert_text(ask(f, "c?", &c), "stop", "content-filter");
  assert_text(ask(f, "d?", &d), "stop", "eos");
}

/* A server that answers with another model than a turn ago: the log does not mix them up. */
static void
test_model_changes(Fixture *f, gconstpointer data)
{
  static const char other[] =
      "data: {\"model\": \"spare\", \"choices\": [{\"delta\": {\"content\": \"Two.\"}}]}\n\n";
  g_autoptr(JsonNode) a = NULL, b = NULL, c = NULL, list = NULL, shown = NULL;
  g_autoptr(GError) error = NULL;
  JsonObject *newest;

  mock_reply(f->server, MOCK_OK, MOCK_TEXT("One."), MOCK_DONE, NULL);
  mock_reply(f->server, MOCK_OK, other, MOCK_DONE, NULL);
  mock_reply(f->server, MOCK_OK, other, MOCK_DONE, NULL);
  ask(f, "First?", &a);
  assert_text(json_object_get_object_member(ask(f, "Second?", &b), "model"), "name", "spare");
  g_assert_cmpint(json_object_get_int_member(ask(f, "Third?", &c), "turn"), ==, 3);
  list = app_log_list(f->log, 0, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(json_array_get_length(json_node_get_array(list)), ==, 2);
  newest = json_array_get_object_element(json_node_get_array(list), 0);
  assert_text(newest, "model", "spare");
  g_assert_cmpint(json_object_get_int_member(newest, "turns"), ==, 2);
  g_assert_cmpint(json_object_get_int_member(newest, "rewound_from"), ==, 1);
  g_assert_cmpint(json_object_get_int_member(newest, "rewound_turn"), ==, 1);
  shown = app_log_show(f->log, 1, &error);
  assert_text(json_object_get_object_member(
                  json_array_get_object_element(json_node_get_array(shown), 0), "model"),
              "name", "served");
}

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

/* ---- scores ------------------------------------------------------------------------------- */

static void
test_eval(Fixture *f, gconstpointer data)
{
  g_autofree char *questions = g_build_filename(f->folder, "q.jsonl", NULL);
  const AppEvalOptions options = {.remote = {.url = f->server->url, .model = "m", .timeout_s = 1},
                                  .questions = questions,
                                  .images = f->folder};
  static const char lines[] = "{\"image\": \"a.dcm\", \"text\": \"One?\", \"answer\": \"yes\", "
                              "\"answer_type\": \"CLOSED\"}\n"
                              "{\"image\": \"a.dcm\", \"text\": \"Two?\", \"answer\": \"no\", "
                              "\"answer_type\": \"CLOSED\"}\n";
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) report = NULL;
  JsonObject *object;

  g_assert_true(g_file_set_contents(questions, lines, -1, &error));
  mock_reply(f->server, MOCK_OK, MOCK_TEXT("yes"), MOCK_DONE, NULL);
  mock_reply(f->server, MOCK_OK, MOCK_TEXT("yes"), MOCK_DONE, NULL);
  report = app_eval_vqa(&options, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
  object = json_node_get_object(report);
  assert_text(object, "model", "served");
  g_assert_true(json_object_get_null_member(object, "model_sha256"));
  g_assert_cmpfloat(
      json_object_get_double_member(
          json_array_get_object_element(json_object_get_array_member(object, "groups"), 0),
          "exact"),
      ==, 0.5);
  /* Questions do not see each other. */
  g_assert_null(strstr(mock_body(f->server, 1), "One?"));

  /* Half an answer is not scored. */
  mock_reply(f->server, MOCK_OK, MOCK_TEXT("yes"), NULL);
  g_assert_null(app_eval_vqa(&options, NULL, NULL, NULL, &error));
  g_assert_nonnull(strstr(error->message, "broke off"));
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*test)(Fixture *f, gconstpointer data);
  } tests[] = {{"/remote/answer", test_answer},
               {"/remote/picture", test_picture},
               {"/remote/add-image", test_add_image},
               {"/remote/likely", test_likely},
               {"/remote/check-and-resume", test_check_and_resume},
               {"/remote/no-logprobs", test_no_logprobs},
               {"/remote/any-pieces", test_any_pieces},
               {"/remote/follow-up", test_follow_up},
               {"/remote/describe", test_describe},
               {"/remote/blanks", test_blanks},
               {"/remote/ends", test_ends},
               {"/remote/model-changes", test_model_changes},
               {"/remote/refusals", test_refusals},
               {"/remote/nonsense", test_nonsense},
               {"/remote/silence", test_silence},
               {"/remote/interrupted", test_interrupted},
               {"/remote/flood", test_flood},
               {"/remote/nobody-there", test_nobody_there},
               {"/remote/options", test_options},
               {"/remote/cancel", test_cancel},
               {"/remote/close", test_close},
               {"/remote/eval", test_eval}};

  g_test_init(&argc, &argv, NULL);
  g_setenv("HILUM_ENGINE_KEY", KEY, TRUE);
  /* Neither may matter. */
  g_setenv("http_proxy", "http://127.0.0.1:1", TRUE);
  g_setenv("all_proxy", "http://127.0.0.1:1", TRUE);
  for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
    g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
  }
  return g_test_run();
}
