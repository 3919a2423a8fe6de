/* test-session.c - one timeline: turns and follow-ups, going back, pictures, refusals. */
#include "golden.h"
#include "prompt/prompt.h"
#include "session-fixture.h"

static void
test_max_tokens_and_the_next_turn(void)
{
  Scripted s = scripted_bytes("abcdefgh", 400);
  ModelAnswer first = ask(s.session, NULL, "q", 3), second;
  ModelIds own = {0};

  g_assert_cmpstr(first.text, ==, "abc");
  g_assert_cmpstr(first.stop, ==, "max-tokens");
  g_assert_cmpuint(first.timing.prompt_tokens, ==, first.prompt.n);
  g_assert_cmpuint(model_session_positions(s.session), ==, first.prompt.n + 3);
  second = ask(s.session, NULL, "r", 3);
  g_assert_true(model_prompt_turn_ids(s.engine->tokenizer, &s.engine->checkpoint.config, 1, "r",
                                      false, &own, NULL));
  /* The last id of the first answer was not needed then and is computed now. */
  g_assert_cmpuint(second.timing.prompt_tokens, ==, own.n + 1);
  g_assert_cmpuint(second.prompt.n, ==, first.prompt.n + 3 + own.n);
  g_assert_cmpstr(second.text, ==, "abc");
  g_assert_cmpuint(model_session_turns(s.session), ==, 2);
  model_ids_clear(&own);
  model_answer_clear(&first);
  model_answer_clear(&second);
  scripted_clear(&s);
}

static void
test_broken_weights(void)
{
  const float bad[] = {NAN, INFINITY, -INFINITY};

  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    Scripted s = scripted_bytes("ab", 200);
    ModelAnswer answer = ask(s.session, NULL, "q", 8);
    ModelError err = {0};
    const guint before = model_session_positions(s.session);
    model_answer_clear(&answer);
    ((float *)tiny_values(&s.engine->weights.output))[5] = bad[i];
    ((float *)tiny_values(&s.engine->weights.token_embedding))[byte_id(']') * TINY_PIECES + 5] = 1;
    g_assert_false(model_session_ask(s.session, NULL, "q", NULL, NULL, &answer, &err));
    g_assert_cmpint(err.code, ==, MODEL_ERROR_CORRUPT);
    g_assert_cmpuint(model_session_positions(s.session), ==, before);
    g_assert_cmpuint(model_session_turns(s.session), ==, 1);
    scripted_clear(&s);
  }
}

static void
test_follow_up(void)
{
  for (int v10 = 0; v10 < 2; v10++) {
    Random r = random_model(v10, 2);
    guint before = 0;
    for (guint turn = 0; turn < 3; turn++) {
      ModelAnswer answer = ask(r.session, turn ? NULL : &r.image, "is the lung there", 9);
      ModelIds own = {0};
      guint expected;
      g_assert_true(model_prompt_turn_ids(r.engine->tokenizer, &r.engine->checkpoint.config, turn,
                                          "is the lung there", turn == 0, &own, NULL));
      expected = (guint)own.n + (turn == 0 && !v10 ? r.engine->n_patches - 1 : 0);
      /* Its own positions, and at most the one id that the last answer left over. */
      g_assert_cmpuint(answer.timing.prompt_tokens, >=, expected);
      g_assert_cmpuint(answer.timing.prompt_tokens, <=, expected + (turn > 0));
      g_assert_cmpuint(model_session_positions(r.session), ==, before + expected + answer.answer.n);
      g_assert_cmpfloat(answer.timing.image_s > 0, ==, turn == 0);
      check_fresh(&r, &answer.prompt, &r.image, &answer.answer);
      before = model_session_positions(r.session);
      model_ids_clear(&own);
      model_answer_clear(&answer);
    }
    random_clear(&r);
  }
}

static void
test_rewind(void)
{
  Random r = random_model(FALSE, 2);
  ModelAnswer first = ask(r.session, &r.image, "what is it", 7);
  ModelAnswer second = ask(r.session, NULL, "where is it", 7), again;
  const ModelSampling sampling = {.top_p = 1, .max_tokens = 7};
  Watcher w = watcher(r.session);
  const ModelCallbacks calls = callbacks(&w);
  ModelError err = {0};

  g_assert_true(model_session_rewind(r.session, 1, NULL));
  g_assert_cmpuint(model_session_turns(r.session), ==, 1);
  again = ask(r.session, NULL, "where is it", 7);
  assert_ids(&again.answer, &second.answer);
  assert_ids(&again.prompt, &second.prompt);
  model_answer_clear(&again);

  g_assert_true(model_session_rewind(r.session, 0, NULL));
  g_assert_cmpuint(model_session_positions(r.session), ==, 0);
  g_assert_true(
      model_session_ask(r.session, &r.image, "what is it", &sampling, &calls, &again, NULL));
  assert_ids(&again.answer, &first.answer);
  g_assert_cmpuint(w.n_progress[MODEL_PHASE_IMAGE], ==, 0); /* the rows were kept */
  g_assert_cmpfloat(again.timing.image_s, ==, 0);
  model_answer_clear(&again);

  /* Another question at the same place is another turn, not the old one. */
  g_assert_true(model_session_rewind(r.session, 0, NULL));
  again = ask(r.session, &r.image, "another", 7);
  check_fresh(&r, &again.prompt, &r.image, &again.answer);
  model_answer_clear(&again);

  g_assert_true(model_session_rewind(r.session, 1, NULL)); /* where it is already */
  g_assert_false(model_session_rewind(r.session, 2, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  model_answer_clear(&first);
  model_answer_clear(&second);
  g_string_free(w.text, TRUE);
  random_clear(&r);
}

/* More pictures than are kept, and one more picture in a later turn. */
static void
test_pictures(void)
{
  Random r = random_model(FALSE, 1);
  ModelAnswer answers[6];

  for (guint i = 0; i < 6; i++) {
    r.pixels[0] = (guint8)(40 * i);
    r.pixels[300] = (guint8)(250 - 40 * i);
    answers[i] = ask(r.session, &r.image, "what", 3);
    g_assert_cmpfloat(answers[i].timing.image_s, >, 0);
    g_assert_cmpint(answers[i].prompt.ids[answers[i].prompt.n - 1], ==, byte_id(']'));
  }
  g_assert_cmpuint(model_session_turns(r.session), ==, 6);
  for (guint i = 0; i < 6; i++) {
    guint n_pictures = 0;
    for (gsize k = 0; k < answers[i].prompt.n; k++) {
      n_pictures += answers[i].prompt.ids[k] == MODEL_IMAGE_ID;
    }
    g_assert_cmpuint(n_pictures, ==, i + 1);
    model_answer_clear(&answers[i]);
  }
  random_clear(&r);
}

static void
test_arguments(void)
{
  Random r = random_model(FALSE, 1);
  const ModelSampling bad[] = {
      {.temperature = NAN, .top_p = 1},      {.temperature = -0.1f, .top_p = 1},
      {.temperature = INFINITY, .top_p = 1}, {.temperature = 1, .top_p = 0},
      {.temperature = 1, .top_p = 1.01f},    {.temperature = 1, .top_p = NAN},
      {.temperature = 1, .top_p = -1}};
  const ModelImage broken = {3, 3, 2, r.pixels};
  ModelAnswer answer;
  ModelError err;

  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    err = (ModelError){0};
    g_assert_false(model_session_ask(r.session, NULL, "q", &bad[i], NULL, &answer, &err));
    g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  }
  g_assert_false(model_session_ask(r.session, &broken, "q", NULL, NULL, &answer, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  g_assert_false(model_session_ask(r.session, NULL, NULL, NULL, NULL, &answer, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  g_assert_null(model_session_new(r.engine, &(ModelSessionOptions){2049}, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  g_assert_cmpuint(model_session_turns(r.session), ==, 0);
  random_clear(&r);
}

static bool
ask_inside(const char *bytes, size_t length, int32_t id, void *user)
{
  ModelAnswer answer;
  ModelError err = {0};

  g_assert_false(model_session_ask(user, NULL, "q", NULL, NULL, &answer, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_BUSY);
  err = (ModelError){0};
  g_assert_false(model_session_rewind(user, 0, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_BUSY);
  return true;
}

static void
test_busy(void)
{
  Scripted s = scripted_bytes("ab", 200);
  const ModelCallbacks calls = {NULL, ask_inside, s.session};
  ModelAnswer answer;

  g_assert_true(model_session_ask(s.session, NULL, "q", NULL, &calls, &answer, NULL));
  g_assert_cmpstr(answer.text, ==, "ab");
  model_answer_clear(&answer);
  scripted_clear(&s);
}

static void
test_text_model(void)
{
  ModelConfig config = tiny_config(FALSE);
  Random r = {0};
  const guint8 pixel[3] = {0};
  const ModelImage image = {1, 1, 3, pixel};
  ModelAnswer answer;
  ModelError err = {0};

  config.has_vision = false;
  config.projector = MODEL_PROJECTOR_NONE;
  tiny_init(&r.tiny, &config, 3);
  r.engine = tiny_engine(&r.tiny, 1);
  r.session = model_session_new(r.engine, NULL, NULL);
  g_assert_cmpuint(model_engine_image_positions(r.engine), ==, 0);
  g_assert_false(model_session_ask(r.session, &image, "q", NULL, NULL, &answer, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  answer = ask(r.session, NULL, "q", 3);
  check_fresh(&r, &answer.prompt, NULL, &answer.answer);
  model_answer_clear(&answer);
  random_clear(&r);
}

/* ---- golden ------------------------------------------------------------------------------- */

static void
test_golden(gconstpointer data)
{
  const char *name = data;
  g_autoptr(JsonParser) parser = golden_load(name);
  static const char *const cases[] = {"pic1", "pic2"};
  JsonObject *config;
  ModelEngine *engine;
  ModelSession *session;
  ModelError err = {0};
  g_autofree char *folder = NULL, *path = NULL, *tower = NULL;

  if (!parser) {
    return;
  }
  config = json_object_get_object_member(golden_root(parser), "config");
  folder = g_strdup_printf("vectors/%s/hf", name);
  path = shared_path(folder);
  tower = g_str_has_prefix(name, "B-") ? g_build_filename(path, "clip", NULL) : NULL;
  engine = model_engine_open(
      path,
      &(ModelEngineOptions){.vision_tower = tower,
                            .template_name = json_object_get_string_member(config, "template"),
                            .n_threads = 2},
      &err);
  g_assert_cmpstr(err.message, ==, "");
  session = model_session_new(engine, NULL, &err);
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    JsonObject *object = golden_case(golden_root(parser), cases[i]);
    ModelImage image;
    ModelAnswer answer;
    golden_image(name, object, &image);
    g_assert_true(model_session_rewind(session, 0, NULL));
    answer =
        ask(session, &image,
            json_array_get_string_element(json_object_get_array_member(object, "turns"), 0), 16);
    golden_check_ids(&answer.prompt, json_object_get_array_member(object, "ids"));
    golden_check_ids(&answer.answer, json_object_get_array_member(
                                         json_object_get_object_member(object, "greedy"), "ids"));
    /* What both pictures' prompts begin with is computed once. */
    g_assert_cmpint(answer.timing.prompt_tokens + answer.timing.prompt_cached_tokens, ==,
                    json_object_get_int_member(object, "n_positions"));
    g_assert_cmpint(answer.timing.prompt_cached_tokens > 0, ==, i > 0);
    g_assert_cmpstr(answer.text, ==, json_object_get_string_member(object, "text"));
    model_answer_clear(&answer);
    g_free((void *)image.pixels);
  }
  model_session_free(session);
  model_engine_free(engine);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/session/max-tokens", test_max_tokens_and_the_next_turn);
  g_test_add_func("/session/broken-weights", test_broken_weights);
  g_test_add_func("/session/follow-up", test_follow_up);
  g_test_add_func("/session/rewind", test_rewind);
  g_test_add_func("/session/pictures", test_pictures);
  g_test_add_func("/session/arguments", test_arguments);
  g_test_add_func("/session/busy", test_busy);
  g_test_add_func("/session/text-model", test_text_model);
  for (guint i = 0; i < G_N_ELEMENTS(golden_names); i++) {
    g_autofree char *path = g_strdup_printf("/session/golden/%s", golden_names[i]);
    g_test_add_data_func(path, golden_names[i], test_golden);
  }
  return g_test_run();
}
