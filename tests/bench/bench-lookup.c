/* bench-lookup.c - what looking ids up gains: one question, answered twice, and the answers held
 * against each other first.
 *
 *   bench-lookup MODEL [TOKENS [THREADS [TEMPLATE [QUESTION]]]]
 *
 * The second time the answer is expected, with one id in EVERY replaced by another, as a report
 * differs from the ones before it; and once more with nothing to look up but the conversation. One
 * JSON object a line. */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/session.h"

typedef struct {
  ModelEngine *engine;
  ModelSession *session;
  guint tokens;
  const char *question;
} Bench;

static ModelAnswer
ask(const Bench *b, guint lookup, float temperature)
{
  const ModelSampling sampling = {
      .temperature = temperature, .top_p = 1, .seed = 1, .max_tokens = b->tokens, .lookup = lookup};
  ModelError err = {0};
  ModelAnswer answer;

  if (!model_session_rewind(b->session, 0, &err) ||
      !model_session_ask(b->session, NULL, b->question, &sampling, NULL, &answer, &err)) {
    g_error("%s", err.message);
  }
  return answer;
}

/* TEXT: the ids of an earlier report; NULL: nothing. */
static void
expect(const Bench *b, const ModelIds *text, guint every)
{
  g_autoptr(GRand) rand = g_rand_new_with_seed(7);

  model_lookup_clear(&b->session->lookup);
  b->session->lookup = (ModelLookup){.slope = MODEL_LOOKUP_SLOPE};
  for (gsize i = 0; text && i < text->n; i++) {
    const gboolean differs = g_rand_int_range(rand, 0, (gint)every) == 0;
    const int32_t id = differs ? g_rand_int_range(rand, 5, 1000) : text->ids[i];
    g_assert_true(model_lookup_add(&b->session->lookup, false, &id, 1));
  }
}

static double
rate(const ModelAnswer *answer)
{
  return answer->answer.n > 1 ? (double)(answer->answer.n - 1) / answer->timing.answer_s : 0;
}

static void
compare(const Bench *b, float temperature, guint every)
{
  ModelAnswer plain, looked;
  gboolean same;

  expect(b, NULL, 1);
  plain = ask(b, 0, temperature);
  expect(b, every > 0 ? &plain.answer : NULL, every);
  looked = ask(b, MODEL_LOOKUP_MOST, temperature);
  same = plain.answer.n == looked.answer.n &&
         memcmp(plain.answer.ids, looked.answer.ids, plain.answer.n * sizeof(int32_t)) == 0;
  printf("{\"temperature\": %g, \"every\": %u, \"same\": %s, \"tokens\": %zu, "
         "\"plain_tokens_per_s\": %.2f, \"lookup_tokens_per_s\": %.2f, \"gain\": %.2f, "
         "\"drafted\": %u, \"accepted\": %u, \"slope\": %.3f}\n",
         (double)temperature, every, same ? "true" : "false", plain.answer.n, rate(&plain),
         rate(&looked), rate(&plain) > 0 ? rate(&looked) / rate(&plain) : 0, looked.timing.drafted,
         looked.timing.accepted, b->session->lookup.slope);
  fflush(stdout);
  model_answer_clear(&plain);
  model_answer_clear(&looked);
}

int
main(int argc, char **argv)
{
  static const guint every[] = {0, 4, 8, 20};
  Bench b = {.tokens = argc > 2 ? (guint)g_ascii_strtoull(argv[2], NULL, 10) : 64};
  const ModelEngineOptions options = {
      .template_name = argc > 4 ? argv[4] : NULL,
      .n_threads = argc > 3 ? (guint)g_ascii_strtoull(argv[3], NULL, 10) : 0};
  ModelError err = {0};

  b.question = argc > 5 ? argv[5] : "Describe the findings of this chest radiograph.";
  if (argc < 2) {
    g_printerr("usage: bench-lookup MODEL [TOKENS [THREADS [TEMPLATE [QUESTION]]]]\n");
    return 2;
  }
  b.engine = model_engine_open(argv[1], &options, &err);
  b.session = b.engine ? model_session_new(b.engine, NULL, &err) : NULL;
  if (!b.session) {
    g_printerr("%s\n", err.message);
    return 1;
  }
  for (guint i = 0; i < G_N_ELEMENTS(every); i++) {
    compare(&b, 0, every[i]);
  }
  compare(&b, 0.2f, 8);
  model_session_free(b.session);
  model_engine_free(b.engine);
  return 0;
}
