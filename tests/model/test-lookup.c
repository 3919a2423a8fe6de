/* test-lookup.c - ids that are looked up: what is proposed, and that no answer changes for it. */
#include "engine/session.h"
#include "session-fixture.h"

/* ---- proposals ---------------------------------------------------------------------------- */

static ModelDraft
propose(ModelLookup *lookup, guint most)
{
  ModelDraft draft;

  model_lookup_propose(lookup, most, &draft);
  return draft;
}

static void
say(ModelLookup *lookup, const char *text)
{
  for (; *text; text++) {
    const int32_t id = *text == '_' ? -1 : *text;
    g_assert_true(model_lookup_add(lookup, true, &id, 1));
  }
}

static void
check(const char *texts, const char *said, guint most, const char *expected)
{
  ModelLookup lookup = {.is_greedy = true};
  ModelDraft draft;
  g_autofree char *got = NULL;

  for (; *texts; texts++) {
    const int32_t id = *texts == '_' ? -1 : *texts;
    g_assert_true(model_lookup_add(&lookup, false, &id, 1));
  }
  say(&lookup, said);
  draft = propose(&lookup, most);
  got = g_strnfill(draft.n, ' ');
  for (guint i = 0; i < draft.n; i++) {
    got[i] = (char)draft.ids[i];
  }
  g_assert_cmpstr(got, ==, expected);
  model_lookup_clear(&lookup);
}

static void
test_proposals(void)
{
  check("", "", 4, "");
  check("", "a", 4, "");
  check("", "ab", 4, "");
  check("", "abcdeab", 4, "cdea");
  check("", "abcdeab", 0, "");
  check("", "abcab", 7, "cabcabc");       /* and round again */
  check("", "xabcyabdzab", 4, "dzab");    /* the newest */
  check("", "xyabc..zyabd..yab", 1, "d"); /* of equal length */
  check("", "xyabc..zab__xyab", 1, "c");  /* the longer before the newer */
  check("", "ab_cab", 4, "");             /* nothing that cannot be said */
  check("", "abc_ab", 4, "c");
  check("abXYZ", "cdab", 4, "XYZ");
  check("abX_abY", "cdab", 4, "Y");
  check("abX", "abcab", 1, "c"); /* the conversation before texts */
  check("cabX", "abYcab", 1, "X");
  check("ab", "cab", 4, "");
  check("", "aaaaaa", 3, "aaa");
  check("aabb", "cab", 4, "b"); /* no further than a text goes */
}

/* Against a plain search, with the index growing. */
static void
test_long(void)
{
  ModelLookup lookup = {.is_greedy = true};
  g_autoptr(GRand) rand = g_rand_new_with_seed(3);
  g_autofree int32_t *ids = g_new(int32_t, 6000);
  guint found = 0;

  for (guint n = 0; n < 6000; n++) {
    ModelDraft draft = propose(&lookup, 3);
    if (draft.n > 0) {
      gboolean matches = FALSE;
      found++;
      for (guint at = 2; at < n && !matches; at++) {
        matches = ids[at - 2] == ids[n - 2] && ids[at - 1] == ids[n - 1] &&
                  memcmp(ids + at, draft.ids, MIN(draft.n, n - at) * sizeof *ids) == 0;
      }
      g_assert_true(matches);
    } else {
      for (guint at = 2; at < n; at++) {
        g_assert_false(ids[at - 2] == ids[n - 2] && ids[at - 1] == ids[n - 1]);
      }
    }
    ids[n] = g_rand_int_range(rand, 0, 60);
    g_assert_true(model_lookup_add(&lookup, true, &ids[n], 1));
  }
  g_assert_cmpuint(found, >, 1000);
  model_lookup_restart(&lookup);
  g_assert_cmpuint(propose(&lookup, 3).n, ==, 0);
  say(&lookup, "abcab");
  g_assert_cmpuint(propose(&lookup, 3).n, ==, 3);
  model_lookup_clear(&lookup);
}

/* Where proposals fail, or batches cost as much as steps, little is lost for them. */
static void
test_learning(void)
{
  for (guint dear = 0; dear < 2; dear++) {
    ModelLookup lookup = {0};
    double seconds = 0, ids = 0;
    guint first = 0;
    say(&lookup, "abcdefghijklmnopqrstuvwxyz.ab");
    model_lookup_learn(&lookup, &(ModelDraft){0}, 0, 1.0);
    for (guint i = 0; i < 600; i++) {
      const double each = dear ? 0.95 : 0.05;
      ModelDraft draft = propose(&lookup, 8);
      const guint accepted = dear ? draft.n / 2 : 0;
      first = i == 0 ? draft.n : first;
      seconds += 1 + each * draft.n;
      ids += 1 + accepted;
      model_lookup_learn(&lookup, &draft, accepted, 1 + each * draft.n);
    }
    g_test_message("%g", seconds / ids);
    g_assert_cmpuint(first, >, 0);
    g_assert_cmpfloat(seconds / ids, <, 1.03);
    model_lookup_clear(&lookup);
  }
  {
    ModelLookup lookup = {0};
    say(&lookup, "abcdefghijklmnopqrstuvwxyz.ab");
    model_lookup_learn(&lookup, &(ModelDraft){0}, 0, 1.0);
    for (guint i = 0; i < 50; i++) {
      ModelDraft draft = propose(&lookup, 8);
      model_lookup_learn(&lookup, &draft, draft.n, 1.05);
    }
    g_assert_cmpuint(propose(&lookup, 8).n, ==, 8);
    model_lookup_clear(&lookup);
  }
}

/* ---- answers ------------------------------------------------------------------------------ */

static ModelAnswer
ask_with(ModelSession *session, const ModelImage *image, const char *question,
         const ModelSampling *sampling, guint stop_after)
{
  Watcher w = watcher(session);
  const ModelCallbacks calls = callbacks(&w);
  ModelError err = {0};
  ModelAnswer answer;

  w.stop_after = (gint)stop_after;
  model_session_ask(session, image, question, sampling, &calls, &answer, &err);
  g_assert_cmpstr(err.message, ==, "");
  g_assert_true(g_str_equal(w.text->str, answer.text) || stop_after > 0);
  g_string_free(w.text, TRUE);
  return answer;
}

/* A conversation of four turns with looking up and without. */
static void
compare(Random *plain, Random *looked, ModelSampling sampling, guint lookup, guint *accepted)
{
  static const char *const questions[] = {"what is it", "what is it", "is the", "what is it"};

  g_assert_true(model_session_rewind(plain->session, 0, NULL));
  g_assert_true(model_session_rewind(looked->session, 0, NULL));
  looked->session->lookup.is_greedy = true;
  for (guint turn = 0; turn < G_N_ELEMENTS(questions); turn++) {
    const guint stop_after = turn == 2 ? 7 : 0;
    ModelAnswer a, b;
    sampling.lookup = 0;
    a = ask_with(plain->session, turn ? NULL : &plain->image, questions[turn], &sampling,
                 stop_after);
    sampling.lookup = lookup;
    b = ask_with(looked->session, turn ? NULL : &looked->image, questions[turn], &sampling,
                 stop_after);
    assert_ids(&a.prompt, &b.prompt);
    assert_ids(&a.answer, &b.answer);
    g_assert_cmpstr(a.text, ==, b.text);
    assert_pieces(&a);
    g_assert_cmpmem(a.pieces, a.n_pieces * sizeof *a.pieces, b.pieces,
                    b.n_pieces * sizeof *b.pieces);
    g_assert_cmpstr(a.stop, ==, b.stop);
    g_assert_cmpuint(model_session_positions(plain->session), ==,
                     model_session_positions(looked->session));
    g_assert_cmpuint(a.timing.drafted, ==, 0);
    g_assert_cmpuint(b.timing.accepted, <=, b.timing.drafted);
    *accepted += b.timing.accepted;
    model_answer_clear(&a);
    model_answer_clear(&b);
  }
}

static void
test_same_answers(void)
{
  for (int v10 = 0; v10 < 2; v10++) {
    Random plain = random_model(v10, 2), looked = random_model(v10, 1);
    guint accepted = 0;
    for (guint lookup = 1; lookup <= 16; lookup += 5) {
      compare(&plain, &looked, (ModelSampling){.top_p = 1, .max_tokens = 60}, lookup, &accepted);
      g_assert_cmpuint(accepted, >, 0);
      for (guint seed = 0; seed < 6; seed++) {
        compare(&plain, &looked,
                (ModelSampling){.temperature = 0.3f * (float)(1 + seed % 3),
                                .top_p = seed % 2 ? 0.8f : 1,
                                .seed = seed,
                                .max_tokens = 40},
                lookup, &accepted);
      }
    }
    g_test_message("%u accepted", accepted);
    random_clear(&plain);
    random_clear(&looked);
  }
}

/* A script that goes round: nearly all comes true, and every end is still where it was. */
static void
test_ends(void)
{
  const int32_t chain[] = {byte_id('a'), byte_id('b'), byte_id('c'), byte_id('a')};

  for (guint max = 1; max < 60; max++) {
    Scripted s = scripted(chain, G_N_ELEMENTS(chain), 60);
    const ModelSampling sampling = {.top_p = 1, .max_tokens = max, .lookup = 1 + max % 16};
    ModelAnswer answer;
    guint room;
    s.session->lookup.is_greedy = true;
    answer = ask_with(s.session, NULL, "q", &sampling, 0);
    room = 60 - (guint)answer.prompt.n;
    g_assert_cmpuint(answer.answer.n, ==, MIN(max, room));
    g_assert_cmpstr(answer.stop, ==, max <= room ? "max-tokens" : "context");
    for (gsize i = 0; i < answer.answer.n; i++) {
      g_assert_cmpint(answer.answer.ids[i], ==, chain[i % 3]);
    }
    if (max > 30 && max <= room && sampling.lookup > 3) {
      g_assert_cmpuint(answer.timing.accepted, >, max / 2);
    }
    model_answer_clear(&answer);
    scripted_clear(&s);
  }
}

/* Texts that were expected are looked up, in any turn. */
static void
test_expected_texts(void)
{
  Scripted s = scripted_bytes("the lungs", 400); /* ids of bytes: each letter once but no more */
  const ModelSampling sampling = {.top_p = 1, .max_tokens = 30, .lookup = 8};
  const int32_t text[] = {byte_id('t'), byte_id('h'), byte_id('e'),
                          byte_id(' '), byte_id('l'), byte_id('u')};
  ModelAnswer answer;

  s.session->lookup.is_greedy = true;
  g_assert_true(model_session_expect(s.session, "Other words.", 12, NULL));
  g_assert_true(model_lookup_add(&s.session->lookup, false, text, G_N_ELEMENTS(text)));
  answer = ask_with(s.session, NULL, "q", &sampling, 0);
  g_assert_cmpstr(answer.text, ==, "the lungs");
  g_assert_cmpuint(answer.timing.accepted, >=, 3);
  model_answer_clear(&answer);
  g_assert_true(model_session_rewind(s.session, 0, NULL));
  answer = ask_with(s.session, NULL, "r", &sampling, 0);
  g_assert_cmpuint(answer.timing.accepted, >=, 3);
  model_answer_clear(&answer);
  scripted_clear(&s);
}

/* A batch gives the very logits that each of its ids would have had alone. */
static void
test_verify(void)
{
  for (int v10 = 0; v10 < 2; v10++) {
    Random r = random_model(v10, 2);
    const gsize vocab = r.engine->info.vocab;
    const int32_t ids[] = {1, 40, 270, 271, 268, 40, 290, 271};
    g_autofree float *rows = g_new(float, MODEL_FEW_ROWS *vocab);
    ModelDecoder a = {0}, b = {0};

    g_assert_cmpuint(r.session->most_lookup, ==, MODEL_FEW_ROWS - 1); /* of a float model */
    g_assert_cmpuint(G_N_ELEMENTS(ids), ==, MODEL_FEW_ROWS);
    g_assert_true(model_decoder_init(&a, r.engine, 64, NULL));
    g_assert_true(model_decoder_init(&b, r.engine, 64, NULL));
    g_assert_true(model_decoder_step(&a, 1, 0, NULL, NULL));
    g_assert_true(model_decoder_step(&b, 1, 0, NULL, NULL));
    g_assert_true(model_decoder_verify(&b, ids, MODEL_FEW_ROWS, 1, rows, NULL, NULL));
    for (guint i = 0; i < MODEL_FEW_ROWS; i++) {
      g_assert_true(model_decoder_step(&a, ids[i], 1 + i, NULL, NULL));
      g_assert_cmpmem(a.logits, vocab * sizeof *rows, rows + i * vocab, vocab * sizeof *rows);
    }
    model_decoder_clear(&a);
    model_decoder_clear(&b);
    random_clear(&r);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/lookup/proposals", test_proposals);
  g_test_add_func("/lookup/long", test_long);
  g_test_add_func("/lookup/learning", test_learning);
  g_test_add_func("/lookup/same-answers", test_same_answers);
  g_test_add_func("/lookup/ends", test_ends);
  g_test_add_func("/lookup/expected-texts", test_expected_texts);
  g_test_add_func("/lookup/verify", test_verify);
  return g_test_run();
}
