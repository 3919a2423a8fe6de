/* test-session-sampling.c - which token comes next: ties, frequencies, seeds, rows that are
 * padding. */
#include "session-fixture.h"

static void
test_greedy_ties(void)
{
  const float logits[] = {1, 3, 3, 2, 9};
  ModelSampler sampler;

  g_assert_true(model_sampler_init(&sampler, 4, NULL)); /* the fifth row is padding */
  model_sampler_start(&sampler, &(ModelSampling){.top_p = 1});
  g_assert_cmpint(model_sampler_pick(&sampler, logits), ==, 1);
  model_sampler_clear(&sampler);
}

/* Frequencies of many draws, for the whole distribution and for a nucleus. */
static void
test_frequencies(void)
{
  const float logits[] = {logf(0.5f), logf(0.05f), logf(0.3f), logf(0.15f)};
  const double whole[] = {0.5, 0.05, 0.3, 0.15}, nucleus[] = {0.625, 0, 0.375, 0};
  const double cold[] = {0.25 / 0.365, 0.0025 / 0.365, 0.09 / 0.365, 0.0225 / 0.365};
  const struct {
    float temperature, top_p;
    const double *expected;
  } cases[] = {{1, 1, whole}, {1, 0.79f, nucleus}, {0.5f, 1, cold}};
  const guint n = 40000;

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    guint counts[4] = {0};
    ModelSampler sampler;
    g_assert_true(model_sampler_init(&sampler, 4, NULL));
    model_sampler_start(&sampler, &(ModelSampling){.temperature = cases[i].temperature,
                                                   .top_p = cases[i].top_p,
                                                   .seed = 12345});
    for (guint k = 0; k < n; k++) {
      counts[model_sampler_pick(&sampler, logits)]++;
    }
    for (guint k = 0; k < 4; k++) {
      /* Five standard deviations of a count. */
      const double p = cases[i].expected[k];
      g_assert_cmpfloat(fabs(counts[k] - n * p), <=, 5 * sqrt(n * p * (1 - p)) + 1e-9);
    }
    model_sampler_clear(&sampler);
  }
}

/* What the model gave to an id, whatever it was drawn by. */
static void
test_probabilities(void)
{
  const double whole[] = {0.5, 0.05, 0.3, 0.15};
  const float logits[] = {logf(0.5f) - 90, logf(0.05f) - 90, logf(0.3f) - 90, logf(0.15f) - 90, 9};
  const ModelSampling samplings[] = {{.top_p = 1}, {.temperature = 0.2f, .top_p = 0.4f}};

  for (guint i = 0; i < G_N_ELEMENTS(samplings); i++) {
    ModelSampler sampler;
    g_assert_true(model_sampler_init(&sampler, 4, NULL)); /* the fifth row is padding */
    model_sampler_start(&sampler, &samplings[i]);
    model_sampler_pick(&sampler, logits);
    for (gint32 id = 0; id < 4; id++) {
      /* Floats of 24 bits, of numbers near 90. */
      g_assert_cmpfloat_with_epsilon(model_sampler_probability(&sampler, logits, id), whole[id],
                                     2e-5);
    }
    model_sampler_clear(&sampler);
  }
}

/* A character that several ids spell belongs to the last of them. */
static void
test_pieces(void)
{
  Scripted s = scripted_bytes("a\xe2\x82\xac"
                              "b",
                              200);
  static const gsize ends[] = {1, 1, 1, 4, 5};
  ModelAnswer answer = ask(s.session, NULL, "q", 32);

  g_assert_cmpuint(answer.n_pieces, ==, G_N_ELEMENTS(ends));
  for (gsize i = 0; i < answer.n_pieces; i++) {
    g_assert_cmpuint(answer.pieces[i].end, ==, ends[i]);
    g_assert_cmpfloat(answer.pieces[i].p, >, 0.5); /* a script is sure of itself */
  }
  assert_pieces(&answer);
  model_answer_clear(&answer);
  scripted_clear(&s);
}

/* A conversation that is recited goes on as the one that was held. */
static void
test_recite(void)
{
  Random r = random_model(FALSE, 1);
  const ModelSampling sampling = {.top_p = 1, .max_tokens = 8};
  const int32_t foreign = 1 << 20;
  ModelSession *other = model_session_new(r.engine, NULL, NULL);
  ModelError err = {0};
  ModelAnswer one, two, again;
  g_autofree int32_t *many = g_new0(int32_t, 5000);

  g_assert_true(model_session_ask(r.session, &r.image, "q", &sampling, NULL, &one, NULL));
  g_assert_true(model_session_ask(r.session, NULL, "and", &sampling, NULL, &two, NULL));
  g_assert_false(model_session_recite(other, &r.image, "q", &foreign, 1, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  g_assert_false(model_session_recite(other, &r.image, "q", many, 5000, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_CONTEXT);
  g_assert_cmpuint(model_session_positions(other), ==, 0);
  g_assert_true(model_session_recite(other, &r.image, "q", one.answer.ids, one.answer.n, NULL));
  g_assert_cmpuint(model_session_turns(other), ==, 1);
  g_assert_true(model_session_ask(other, NULL, "and", &sampling, NULL, &again, NULL));
  assert_ids(&again.prompt, &two.prompt);
  assert_ids(&again.answer, &two.answer);
  g_assert_true(model_session_rewind(other, 0, NULL));
  model_session_free(other);
  model_answer_clear(&one);
  model_answer_clear(&two);
  model_answer_clear(&again);
  random_clear(&r);
}

static void
test_seeds(void)
{
  ModelIds same = {0};
  guint n_different = 0;

  for (guint threads = 1; threads <= 3; threads++) {
    Random r = random_model(FALSE, threads);
    for (guint seed = 0; seed < 4; seed++) {
      const ModelSampling sampling = {
          .temperature = 0.9f, .top_p = seed == 1 ? 1 : 0.8f, .seed = seed, .max_tokens = 20};
      ModelAnswer answer, again;
      g_assert_true(model_session_rewind(r.session, 0, NULL));
      g_assert_true(model_session_ask(r.session, &r.image, "q", &sampling, NULL, &answer, NULL));
      g_assert_true(model_session_rewind(r.session, 0, NULL));
      g_assert_true(model_session_ask(r.session, &r.image, "q", &sampling, NULL, &again, NULL));
      assert_ids(&answer.answer, &again.answer);
      if (threads == 1 && seed == 0) {
        same = answer.answer;
        answer.answer = (ModelIds){0};
      } else if (seed == 0) {
        assert_ids(&answer.answer, &same);
      } else {
        n_different += answer.answer.n != same.n ||
                       memcmp(answer.answer.ids, same.ids, same.n * sizeof *same.ids) != 0;
      }
      model_answer_clear(&answer);
      model_answer_clear(&again);
    }
    random_clear(&r);
  }
  g_assert_cmpuint(n_different, >, 0);
  model_ids_clear(&same);
}

static void
test_padded_rows(void)
{
  ModelConfig config = tiny_config(FALSE);
  const ModelSampling sampling = {.temperature = 1, .top_p = 1, .max_tokens = 50};
  Random r = {0};
  ModelAnswer answer;
  float *output;

  config.decoder.vocab = TINY_PIECES + 25;
  tiny_init(&r.tiny, &config, 4);
  output = (float *)tiny_values(&r.tiny.checkpoint.weights.output);
  for (guint i = TINY_PIECES * config.decoder.hidden;
       i < (TINY_PIECES + 25) * config.decoder.hidden; i++) {
    output[i] *= 100;
  }
  r.engine = tiny_engine(&r.tiny, 1);
  r.session = model_session_new(r.engine, NULL, NULL);
  for (int greedy = 0; greedy < 2; greedy++) {
    g_assert_true(
        model_session_ask(r.session, NULL, "q", greedy ? NULL : &sampling, NULL, &answer, NULL));
    for (gsize i = 0; i < answer.answer.n; i++) {
      g_assert_cmpint(answer.answer.ids[i], <, TINY_PIECES);
    }
    model_answer_clear(&answer);
  }
  random_clear(&r);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/session/greedy-ties", test_greedy_ties);
  g_test_add_func("/session/frequencies", test_frequencies);
  g_test_add_func("/session/probabilities", test_probabilities);
  g_test_add_func("/session/pieces", test_pieces);
  g_test_add_func("/session/recite", test_recite);
  g_test_add_func("/session/seeds", test_seeds);
  g_test_add_func("/session/padded-rows", test_padded_rows);
  return g_test_run();
}
