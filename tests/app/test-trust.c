/* test-trust.c - what exactly the model saw: parts of pictures, several of them, and the square. */
#include "app_trust.h"
#include "private.h"
#include "review-fixture.h"
#include "wait.h"

/* ---- parts -------------------------------------------------------------------------------- */

static DicomPicture *
numbered(guint width, guint height)
{
  DicomPicture *picture = dicom_picture_new(width, height);

  for (guint i = 0; i < width * height; i++) {
    picture->pixels[3 * i] = (guint8)i;
    picture->pixels[3 * i + 1] = (guint8)(i + 100);
    picture->pixels[3 * i + 2] = (guint8)(i + 50);
  }
  return picture;
}

/* The reds, row by row, rows apart by "/". */
static char *
reds(const DicomPicture *picture)
{
  GString *text = g_string_new(NULL);

  for (guint i = 0; i < picture->width * picture->height; i++) {
    const guint8 *pixel = picture->pixels + 3 * i;
    g_assert_cmpuint(pixel[1], ==, (guint8)(pixel[0] + 100));
    g_string_append_printf(text, "%s%u",
                           i == 0                    ? ""
                           : i % picture->width == 0 ? "/"
                                                     : " ",
                           pixel[0]);
  }
  return g_string_free(text, FALSE);
}

static void
test_parts(void)
{
  /* 0 1 2 / 3 4 5: turned clockwise, the first column is the first row from the right. */
  static const struct {
    AppImageChoice choice;
    const char *expected;
  } cases[] = {
      {{.path = "p"}, "0 1 2/3 4 5"},
      {{.path = "p", .turns = 1}, "3 0/4 1/5 2"},
      {{.path = "p", .turns = 2}, "5 4 3/2 1 0"},
      {{.path = "p", .turns = 3}, "2 5/1 4/0 3"},
      {{.path = "p", .flip = TRUE}, "2 1 0/5 4 3"},
      {{.path = "p", .turns = 1, .flip = TRUE}, "0 3/1 4/2 5"},
      {{.path = "p", .turns = 2, .flip = TRUE}, "3 4 5/0 1 2"},
      {{.path = "p", .turns = 3, .flip = TRUE}, "5 2/4 1/3 0"},
      {{.path = "p", .region = {1, 0, 2, 2}}, "1 2/4 5"},
      {{.path = "p", .region = {1, 0, 2, 2}, .turns = 1}, "4 1/5 2"},
      {{.path = "p", .region = {2, 1, 1, 1}}, "5"},
      {{.path = "p", .region = {1, 1, 2, 1}, .turns = 3, .flip = TRUE}, "5/4"},
  };
  static const AppImageChoice wrong[] = {
      {.path = "p", .region = {2, 0, 2, 1}},
      {.path = "p", .region = {0, 2, 1, 1}},
      {.path = "p", .region = {0, 0, 1, 0}},
      {.path = "p", .region = {G_MAXUINT, 0, 2, 1}},
      {.path = "p", .region = {1, G_MAXUINT, 1, G_MAXUINT}},
      {.path = "p", .turns = 4},
  };

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(DicomPicture) picture = numbered(3, 2);
    g_autofree char *found = NULL;
    g_assert_true(app_picture_cut(&picture, &cases[i].choice, &error));
    found = reds(picture);
    g_assert_cmpstr(found, ==, cases[i].expected);
  }
  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(DicomPicture) picture = numbered(3, 2);
    g_assert_false(app_picture_cut(&picture, &wrong[i], &error));
    g_assert_error(error, APP_ERROR, APP_ERROR_ARGUMENT);
    g_assert_cmpuint(picture->width, ==, 3);
  }
}

/* ---- asking about a part ------------------------------------------------------------------ */

static AppQuestion
about(const AppImageChoice *choice, const char *text)
{
  return (AppQuestion){
      .question = text, .image = choice, .sampling = {.top_p = 1, .max_tokens = 6}};
}

static JsonObject *
ask(AppReview *review, const AppQuestion *question, JsonNode **keep)
{
  g_autoptr(GError) error = NULL;

  *keep = app_review_ask(review, question, NULL, NULL, &error);
  g_assert_no_error(error);
  return json_node_get_object(*keep);
}

/* Element I of ARRAY's member NAME. */
static JsonObject *
element(JsonObject *object, const char *name, guint i)
{
  return json_array_get_object_element(json_object_get_array_member(object, name), i);
}

static guint
n_elements(JsonObject *object, const char *name)
{
  return json_array_get_length(json_object_get_array_member(object, name));
}

static void
test_ask_about_part(Kept *k, gconstpointer data)
{
  g_autoptr(AppReview) review = kept_review(k, TRUE);
  g_autoptr(JsonNode) a = NULL, b = NULL, c = NULL, d = NULL, log = NULL;
  g_autoptr(GError) error = NULL;
  AppImageChoice choice = {.path = k->image};
  AppQuestion q = about(&choice, "What?");
  JsonObject *turn, *image, *logged;

  ask(review, &q, &a);
  choice.region = (AppRegion){10, 5, 30, 20};
  choice.turns = 1;
  choice.flip = TRUE;
  turn = ask(review, &q, &b); /* another picture is another conversation */
  g_assert_cmpint(json_object_get_int_member(turn, "turn"), ==, 1);
  g_assert_cmpint(json_object_get_int_member(turn, "turn_id"), ==, 2);
  g_assert_cmpuint(n_elements(turn, "images"), ==, 1);
  image = element(turn, "images", 0);
  g_assert_cmpstr(json_object_get_string_member(image, "path"), ==, k->image);
  g_assert_cmpint(json_object_get_int_member(image, "turns"), ==, 1);
  g_assert_true(json_object_get_boolean_member(image, "flip"));
  g_assert_cmpint(
      json_object_get_int_member(json_object_get_object_member(image, "region"), "width"), ==, 30);
  g_assert_cmpstr(
      json_object_get_string_member(image, "sent_sha256"), ==,
      json_object_get_string_member(json_object_get_object_member(turn, "image"), "sent_sha256"));
  turn = ask(review, &q, &c); /* the same goes on */
  g_assert_cmpint(json_object_get_int_member(turn, "turn"), ==, 2);
  /* So it does when the window that the file has is given by its numbers. */
  choice.window = (AppWindow){.set = TRUE, .center = 300, .width = 400};
  turn = ask(review, &q, &d);
  g_assert_cmpint(json_object_get_int_member(turn, "turn"), ==, 3);

  log = app_log_show(k->log, 2, &error);
  g_assert_no_error(error);
  logged = json_array_get_object_element(json_node_get_array(log), 0);
  g_assert_cmpint(json_object_get_int_member(logged, "turn_id"), ==, 2);
  image = json_object_get_object_member(logged, "image");
  g_assert_cmpint(json_object_get_int_member(image, "turns"), ==, 1);
  g_assert_true(json_object_get_boolean_member(image, "flip"));
  image = json_object_get_object_member(image, "region");
  g_assert_cmpint(json_object_get_int_member(image, "x"), ==, 10);
  g_assert_cmpint(json_object_get_int_member(image, "y"), ==, 5);
  g_assert_cmpint(json_object_get_int_member(image, "width"), ==, 30);
  g_assert_cmpint(json_object_get_int_member(image, "height"), ==, 20);

  choice.region.width = 60;
  g_assert_null(app_review_ask(review, &q, NULL, NULL, &error));
  g_assert_error(error, APP_ERROR, APP_ERROR_ARGUMENT);
  g_assert_nonnull(strstr(error->message, "60 x 40"));
  g_assert_cmpuint(app_review_turns(review), ==, 3);
}

/* An inverted window is another picture, and a table of the file is told by its number. */
static void
test_windows(Kept *k, gconstpointer data)
{
  g_autoptr(AppReview) review = kept_review(k, TRUE);
  g_autoptr(JsonNode) a = NULL, b = NULL, c = NULL;
  AppImageChoice choice = {.path = k->image};
  AppQuestion q = about(&choice, "What?");
  JsonObject *plain, *inverted, *turn;
  AppShot shot = {.choice = {.path = k->image},
                  .own = {.voi = DICOM_VOI_LUT},
                  .window = {.voi = DICOM_VOI_LUT, .lut = 1}};

  plain = json_object_get_object_member(ask(review, &q, &a), "image");
  choice.window.invert = TRUE;
  turn = ask(review, &q, &b);
  g_assert_cmpint(json_object_get_int_member(turn, "turn"), ==, 1);
  inverted = json_object_get_object_member(turn, "image");
  g_assert_cmpstr(json_object_get_string_member(plain, "sent_sha256"), !=,
                  json_object_get_string_member(inverted, "sent_sha256"));
  inverted = json_object_get_object_member(inverted, "window");
  g_assert_true(json_object_get_boolean_member(inverted, "invert"));
  g_assert_cmpfloat(json_object_get_double_member(inverted, "center"), ==, 300);
  choice.window = (AppWindow){.set = TRUE, .center = 300, .width = 400, .invert = TRUE};
  turn = ask(review, &q, &c);
  g_assert_cmpint(json_object_get_int_member(turn, "turn"), ==, 2);

  choice.window = (AppWindow){.set = TRUE, .lut = 2};
  g_assert_true(app_shot_is_of(&shot, &choice));
  choice.window.lut = 1;
  g_assert_false(app_shot_is_of(&shot, &choice));
  choice.window.set = FALSE; /* the file's own is the first table */
  g_assert_false(app_shot_is_of(&shot, &choice));
  shot.window.lut = 0;
  g_assert_true(app_shot_is_of(&shot, &choice));
  choice.window = (AppWindow){.set = TRUE, .center = 300, .width = 400};
  g_assert_false(app_shot_is_of(&shot, &choice));
}

/* ---- the square --------------------------------------------------------------------------- */

typedef struct {
  AppPicture *picture;
  GError *error;
  gboolean done;
} Seen;

static void
on_seen(GObject *source, GAsyncResult *result, gpointer user)
{
  Seen *seen = user;

  seen->picture = app_review_seen_finish(NULL, result, &seen->error);
  seen->done = TRUE;
}

static void
test_seen(Kept *k, gconstpointer data)
{
  g_autoptr(AppReview) review = kept_review(k, TRUE);
  g_autoptr(GError) error = NULL;
  Seen part = {0}, all = {0}, gone = {0};
  /* As large as the tower's square: what comes out is the part itself. */
  const AppImageChoice choice = {.path = k->image, .region = {3, 4, 28, 28}};
  g_autoptr(AppShot) shot = app_shot_new(&choice, &error);

  g_assert_no_error(error);
  app_review_seen_async(review, &choice, NULL, on_seen, &part);
  app_review_seen_async(review, &(AppImageChoice){.path = k->image}, NULL, on_seen, &all);
  app_review_seen_async(review, &(AppImageChoice){.path = "/nowhere/x"}, NULL, on_seen, &gone);
  /* Closing waits for who looks, and the callbacks still come. */
  g_clear_pointer(&review, app_review_free);
  wait_until(part.done && all.done && gone.done);
  if (part.picture) {
    g_assert_cmpuint(part.picture->width, ==, 28);
    g_assert_cmpmem(part.picture->pixels, 28 * 28 * 3, shot->picture->pixels, 28 * 28 * 3);
    app_picture_free(part.picture);
  } else {
    g_assert_error(part.error, APP_ERROR, APP_ERROR_CANCELLED);
  }
  g_assert_nonnull(gone.error);
  g_clear_pointer(&all.picture, app_picture_free);
  g_clear_error(&part.error);
  g_clear_error(&all.error);
  g_clear_error(&gone.error);

  /* Padded to a square in full, and beside an answer that is under way. */
  review = kept_review(k, TRUE);
  part = all = (Seen){0};
  app_review_seen_async(review, &choice, NULL, on_seen, &part);
  app_review_seen_async(review, &(AppImageChoice){.path = k->image}, NULL, on_seen, &all);
  wait_until(part.done && all.done);
  g_assert_no_error(part.error);
  g_assert_no_error(all.error);
  g_assert_cmpmem(part.picture->pixels, 28 * 28 * 3, shot->picture->pixels, 28 * 28 * 3);
  g_assert_cmpuint(all.picture->width, ==, 28);
  g_assert_cmpuint(all.picture->height, ==, 28);
  app_picture_free(part.picture);
  app_picture_free(all.picture);
}

/* ---- another picture ---------------------------------------------------------------------- */

/* What the model room says to the same, asked of it directly. */
static char *
by_model(Kept *k, const AppImageChoice *first, const AppImageChoice *second)
{
  g_autoptr(AppShot) a = app_shot_new(first, NULL), b = app_shot_new(second, NULL);
  const ModelImage images[] = {app_shot_image(a), app_shot_image(b)};
  const ModelSampling greedy = {.top_p = 1, .max_tokens = 6};
  g_autoptr(ModelEngine) engine = model_engine_open(k->model, NULL, NULL);
  g_autoptr(ModelSession) session = model_session_new(engine, NULL, NULL);
  ModelAnswer one, two;
  char *text;

  g_assert_true(model_session_ask(session, &images[0], "What?", &greedy, NULL, &one, NULL));
  g_assert_true(model_session_ask(session, &images[1], "And this?", &greedy, NULL, &two, NULL));
  text = g_strdup(two.text);
  model_answer_clear(&one);
  model_answer_clear(&two);
  return text;
}

static void
test_add_image(Kept *k, gconstpointer data)
{
  g_autoptr(AppReview) review = kept_review(k, FALSE);
  const AppImageChoice first = {.path = k->image}, second = {.path = k->other, .frame = 2};
  AppQuestion q = about(&first, "What?");
  g_autoptr(JsonNode) a = NULL, b = NULL, c = NULL, d = NULL, e = NULL, log = NULL;
  g_autofree char *expected = by_model(k, &first, &second);
  g_autoptr(GError) error = NULL;
  JsonObject *turn, *logged;

  ask(review, &q, &a);
  q = about(&second, "And this?");
  q.add_image = TRUE;
  turn = ask(review, &q, &b);
  g_assert_cmpint(json_object_get_int_member(turn, "turn"), ==, 2);
  g_assert_cmpstr(json_object_get_string_member(turn, "answer"), ==, expected);
  g_assert_cmpuint(n_elements(turn, "images"), ==, 2);
  g_assert_cmpstr(json_object_get_string_member(element(turn, "images", 0), "path"), ==, k->image);
  g_assert_cmpstr(json_object_get_string_member(element(turn, "images", 1), "path"), ==, k->other);
  g_assert_cmpint(json_object_get_int_member(element(turn, "images", 1), "frame"), ==, 2);
  g_assert_cmpstr(
      json_object_get_string_member(json_object_get_object_member(turn, "image"), "path"), ==,
      k->other);

  /* Either of them is the conversation's. */
  q = about(&second, "Go on?");
  turn = ask(review, &q, &c);
  g_assert_cmpint(json_object_get_int_member(turn, "turn"), ==, 3);
  q = about(&first, "Go on?");
  q.add_image = TRUE;
  turn = ask(review, &q, &d);
  g_assert_cmpint(json_object_get_int_member(turn, "turn"), ==, 4);
  g_assert_cmpuint(n_elements(turn, "images"), ==, 2);

  log = app_log_show(k->log, 1, &error);
  g_assert_no_error(error);
  for (guint i = 0; i < 4; i++) {
    logged = json_array_get_object_element(json_node_get_array(log), i);
    g_assert_cmpuint(n_elements(logged, "images"), ==, i == 0 ? 1 : 2);
  }

  /* Back to before it joined: it is gone, and can join again. */
  g_assert_true(app_review_rewind(review, 1, &error));
  q = about(&first, "Alone?");
  turn = ask(review, &q, &e);
  g_assert_cmpint(json_object_get_int_member(turn, "turn"), ==, 2);
  g_assert_cmpuint(n_elements(turn, "images"), ==, 1);
  g_assert_true(app_review_rewind(review, 1, &error));
  q = about(&second, "And this?");
  q.add_image = TRUE;
  g_clear_pointer(&b, json_node_unref);
  turn = ask(review, &q, &b);
  g_assert_cmpstr(json_object_get_string_member(turn, "answer"), ==, expected);
  g_assert_cmpuint(n_elements(turn, "images"), ==, 2);
  /* Back to the beginning: the first one stays to be asked about. */
  g_assert_true(app_review_rewind(review, 0, &error));
  q = about(NULL, "What?");
  g_clear_pointer(&c, json_node_unref);
  turn = ask(review, &q, &c);
  g_assert_cmpuint(n_elements(turn, "images"), ==, 1);
  g_assert_cmpstr(json_object_get_string_member(element(turn, "images", 0), "path"), ==, k->image);
}

/* A question that fails leaves the conversation as it was. */
static void
test_add_image_fails(Kept *k, gconstpointer data)
{
  g_autoptr(AppReview) review = kept_review(k, TRUE);
  const AppImageChoice first = {.path = k->image}, second = {.path = k->other};
  const AppImageChoice gone = {.path = "/nowhere/x.dcm"};
  g_autofree char *huge = g_strnfill(4000, 'x'); /* more than the context holds */
  AppQuestion q = about(&first, "What?");
  g_autoptr(JsonNode) a = NULL, b = NULL;
  g_autoptr(GError) error = NULL;
  JsonObject *turn;

  ask(review, &q, &a);
  q = about(&second, huge);
  q.add_image = TRUE;
  g_assert_null(app_review_ask(review, &q, NULL, NULL, &error));
  g_assert_error(error, APP_ERROR, APP_ERROR_MODEL);
  g_clear_error(&error);
  q.image = &gone;
  g_assert_null(app_review_ask(review, &q, NULL, NULL, &error));
  g_assert_nonnull(error);
  q = about(&first, "Go on?");
  turn = ask(review, &q, &b);
  g_assert_cmpint(json_object_get_int_member(turn, "turn"), ==, 2);
  g_assert_cmpuint(n_elements(turn, "images"), ==, 1);
}

/* ---- how sure it was ---------------------------------------------------------------------- */

static char *
joined_tokens(JsonObject *turn)
{
  JsonArray *tokens = json_object_get_array_member(turn, "tokens");
  GString *text = g_string_new(NULL);

  for (guint i = 0; i < json_array_get_length(tokens); i++) {
    JsonObject *token = json_array_get_object_element(tokens, i);
    double p = json_object_get_double_member(token, "p");
    g_assert_true(p >= 0 && p <= 1);
    g_string_append(text, json_object_get_string_member(token, "text"));
  }
  return g_string_free(text, FALSE);
}

static void
test_tokens(Kept *k, gconstpointer data)
{
  g_autoptr(AppReview) review = kept_review(k, TRUE);
  const AppImageChoice choice = {.path = k->image};
  AppQuestion q = about(&choice, "What?");
  g_autoptr(JsonNode) plain = NULL, looked = NULL, log = NULL;
  g_autofree char *text = NULL;
  g_autoptr(GError) error = NULL;
  JsonObject *turn;

  q.sampling = (AppSampling){.temperature = 1, .top_p = 0.9, .seed = 4, .max_tokens = 60};
  turn = ask(review, &q, &plain);
  text = joined_tokens(turn);
  g_assert_cmpstr(text, ==, json_object_get_string_member(turn, "answer"));
  g_assert_true(app_review_rewind(review, 0, &error));
  q.sampling.lookup = 16;
  turn = ask(review, &q, &looked);
  g_assert_true(json_node_equal(json_object_get_member(turn, "tokens"),
                                json_object_get_member(json_node_get_object(plain), "tokens")));
  log = app_log_show(k->log, 1, &error);
  g_assert_no_error(error);
  g_assert_true(json_node_equal(
      json_object_get_member(json_array_get_object_element(json_node_get_array(log), 0), "tokens"),
      json_object_get_member(turn, "tokens")));
}

/* ---- verdicts and history ----------------------------------------------------------------- */

typedef struct {
  JsonNode *node;
  GPtrArray *entries;
  GError *error;
  gboolean done;
} Told;

static void
on_judged(GObject *source, GAsyncResult *result, gpointer user)
{
  Told *told = user;

  told->node = app_review_judge_finish(NULL, result, &told->error);
  told->done = TRUE;
}

static void
on_found(GObject *source, GAsyncResult *result, gpointer user)
{
  Told *told = user;

  told->entries = app_history_search_finish(result, &told->error);
  told->done = TRUE;
}

static void
on_shown(GObject *source, GAsyncResult *result, gpointer user)
{
  Told *told = user;

  told->node = app_history_show_finish(result, &told->error);
  told->done = TRUE;
}

static void
told_clear(Told *told)
{
  g_clear_pointer(&told->node, json_node_unref);
  g_clear_pointer(&told->entries, g_ptr_array_unref);
  g_clear_error(&told->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Told, told_clear)

static void
test_judge(Kept *k, gconstpointer data)
{
  g_autoptr(AppReview) review = kept_review(k, TRUE);
  const AppImageChoice choice = {.path = k->image};
  AppQuestion q = about(&choice, "Is it Pneumonia?");
  g_autoptr(JsonNode) a = NULL;
  g_auto(Told) edited = {0}, accepted = {0}, wrong = {0}, gone = {0}, shown = {0}, found = {0};
  JsonArray *verdicts;
  JsonObject *verdict, *turn;
  const AppHistoryEntry *entry;

  turn = ask(review, &q, &a);
  g_assert_cmpint(app_review_turn_id(review, 0), ==, json_object_get_int_member(turn, "turn_id"));
  g_assert_cmpint(app_review_turn_id(review, 1), ==, 0);
  app_review_judge_async(review, 1, APP_VERDICT_EDITED, "A granuloma.", on_judged, &edited);
  wait_until(edited.done);
  g_assert_no_error(edited.error);
  verdict = json_node_get_object(edited.node);
  g_assert_cmpstr(json_object_get_string_member(verdict, "verdict"), ==, "edited");
  g_assert_cmpstr(json_object_get_string_member(verdict, "text"), ==, "A granuloma.");
  g_assert_nonnull(strstr(json_object_get_string_member(verdict, "by"), g_get_user_name()));
  app_review_judge_async(review, 1, APP_VERDICT_ACCEPTED, NULL, on_judged, &accepted);
  app_review_judge_async(review, 1, APP_VERDICT_EDITED, NULL, on_judged, &wrong);
  app_review_judge_async(review, 99, APP_VERDICT_REJECTED, NULL, on_judged, &gone);
  wait_until(accepted.done && wrong.done && gone.done);
  g_assert_no_error(accepted.error);
  g_assert_error(wrong.error, APP_ERROR, APP_ERROR_ARGUMENT);
  g_assert_nonnull(strstr(gone.error->message, "turn 99 is not in the log"));

  app_history_show_async(k->log, 1, NULL, on_shown, &shown);
  app_history_search_async(k->log, "granul PNEUMONIA", 0, NULL, on_found, &found);
  wait_until(shown.done && found.done);
  g_assert_no_error(shown.error);
  turn = json_array_get_object_element(json_node_get_array(shown.node), 0);
  verdicts = json_object_get_array_member(turn, "verdicts");
  g_assert_cmpuint(json_array_get_length(verdicts), ==, 2); /* none is lost, the last one counts */
  verdict = json_array_get_object_element(verdicts, 1);
  g_assert_cmpstr(json_object_get_string_member(verdict, "verdict"), ==, "accepted");
  g_assert_true(json_object_get_null_member(verdict, "text"));
  g_assert_cmpuint(n_elements(turn, "checks"), ==, 0);
  g_assert_no_error(found.error);
  g_assert_cmpuint(found.entries->len, ==, 1);
  entry = found.entries->pdata[0];
  g_assert_cmpint(entry->id, ==, 1);
  g_assert_cmpstr(entry->first_question, ==, "Is it Pneumonia?");
  g_assert_cmpstr(entry->modality, ==, "CT");
  g_assert_cmpstr(entry->image_path, ==, k->image);
  g_assert_cmpuint(entry->n_turns, ==, 1);
  g_assert_nonnull(strstr(entry->snippet, "Pneumonia"));
}

/* A review that keeps no log has no place for a verdict; a log that is locked says so. */
static void
test_judge_fails(Kept *k, gconstpointer data)
{
  const AppReviewOptions options = {.model = {.model = k->model}, .no_log = TRUE};
  g_autoptr(GError) error = NULL;
  g_autoptr(AppReview) review = app_review_new(&options, &error);
  g_auto(Told) told = {0}, nowhere = {0};

  g_assert_no_error(error);
  app_review_judge_async(review, 1, APP_VERDICT_ACCEPTED, NULL, on_judged, &told);
  wait_until(told.done);
  g_assert_error(told.error, APP_ERROR, APP_ERROR_ARGUMENT);
  app_history_search_async("/nowhere/log.sqlite", "x", 0, NULL, on_found, &nowhere);
  wait_until(nowhere.done);
  g_assert_nonnull(nowhere.error);
}

/* ---- a model that is blind ---------------------------------------------------------------- */

static guint64
number_at(const guint8 *bytes, gsize *at, guint size)
{
  guint64 value = 0;

  for (guint i = 0; i < size; i++) {
    value |= (guint64)bytes[*at + i] << (8 * i);
  }
  *at += size;
  return value;
}

/* One entry of a GGUF's table of tensors: FALSE where none begins. */
static gboolean
read_tensor(const guint8 *bytes, gsize n, gsize *at, guint64 *values, guint64 *offset)
{
  gsize end = *at;
  guint64 length, dims;

  if (end + 8 > n || (length = number_at(bytes, &end, 8)) == 0 || length > 100) {
    return FALSE;
  }
  end += length;
  dims = number_at(bytes, &end, 4);
  if (dims == 0 || dims > 4) {
    return FALSE;
  }
  *values = 1;
  for (guint i = 0; i < dims; i++) {
    *values *= number_at(bytes, &end, 8);
  }
  number_at(bytes, &end, 4); /* its type */
  *offset = number_at(bytes, &end, 8);
  *at = end;
  return TRUE;
}

/* Empties the tower's first layer in the model's file. */
static void
blind(const char *path)
{
  static const char name[] = "v.patch_embd.weight";
  g_autoptr(GError) error = NULL;
  g_autofree char *bytes = NULL;
  gsize n = 0, at, begin;
  guint64 values = 0, offset = 0, other_values, other_offset;
  char *found;

  g_assert_true(g_file_get_contents(path, &bytes, &n, &error));
  found = memmem(bytes, n, name, strlen(name));
  g_assert_nonnull(found);
  at = (gsize)(found - bytes) - 8;
  g_assert_true(read_tensor((const guint8 *)bytes, n, &at, &values, &offset));
  while (read_tensor((const guint8 *)bytes, n, &at, &other_values, &other_offset)) {
  }
  begin = (at + 31) / 32 * 32 + offset; /* float32, behind a table that ends on a multiple of 32 */
  g_assert_cmpuint(begin + 4 * values, <=, n);
  memset(bytes + begin, 0, 4 * values);
  g_assert_true(g_file_set_contents(path, bytes, (gssize)n, &error));
}

static void
test_blind_model(Kept *k, gconstpointer data)
{
  const AppReviewOptions options = {.model = {.model = k->model}, .no_log = TRUE};
  g_autoptr(GError) error = NULL;
  g_autoptr(AppReview) review = NULL;

  blind(k->model);
  review = app_review_new(&options, &error);
  g_assert_null(review);
  g_assert_error(error, APP_ERROR, APP_ERROR_MODEL);
  g_assert_nonnull(strstr(error->message, k->model));
  g_assert_nonnull(strstr(error->message, "the model is blind"));
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*test)(Kept *k, gconstpointer data);
  } tests[] = {{"/trust/ask-about-part", test_ask_about_part},
               {"/trust/windows", test_windows},
               {"/trust/seen", test_seen},
               {"/trust/tokens", test_tokens},
               {"/trust/blind-model", test_blind_model},
               {"/trust/judge", test_judge},
               {"/trust/judge-fails", test_judge_fails},
               {"/trust/add-image", test_add_image},
               {"/trust/add-image-fails", test_add_image_fails}};

  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/trust/parts", test_parts);
  for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
    g_test_add(tests[i].path, Kept, NULL, kept_set_up, tests[i].test, kept_tear_down);
  }
  return g_test_run();
}
