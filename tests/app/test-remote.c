/* test-remote.c - a review whose model is on a server: what goes there, what comes back, what is
 * kept. */
#include "remote-fixture.h"

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
  report = app_eval_vqa(&options, NULL, NULL, &error);
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
  g_assert_null(app_eval_vqa(&options, NULL, NULL, &error));
  g_assert_nonnull(strstr(error->message, "broke off"));
}

int
main(int argc, char **argv)
{
  static const RemoteTest tests[] = {{"/remote/answer", test_answer},
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
                                     {"/remote/eval", test_eval}};

  return run_remote_tests(argc, argv, tests, G_N_ELEMENTS(tests));
}
