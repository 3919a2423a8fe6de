/* test-session-stop.c - what ends an answer: end tokens, stop strings, the callback, the context, a
 * cancellation anywhere; and the text that is streamed until then. */
#include "engine/answer_text.h"
#include "session-fixture.h"

static void
check_script(const char *bytes, const char *expected, const char *stop, guint n_ids)
{
  Scripted s = scripted_bytes(bytes, 200);
  ModelAnswer answer = ask(s.session, NULL, "q", 32);

  g_assert_cmpstr(answer.text, ==, expected);
  g_assert_cmpstr(answer.stop, ==, stop);
  g_assert_cmpuint(answer.answer.n, ==, n_ids);
  g_assert_cmpuint(answer.timing.answer_tokens, ==, n_ids);
  assert_pieces(&answer);
  /* Neither the EOS nor a stop string's ids stay in the timeline. */
  g_assert_cmpuint(model_session_positions(s.session), ==, answer.prompt.n + n_ids);
  model_answer_clear(&answer);
  scripted_clear(&s);
}

static void
test_ends(void)
{
  check_script("he", "he", "eos", 2);
  check_script("", "", "eos", 0);
  check_script("ok[INST]", "ok", "stop-string", 2);
  check_script("[INST]", "", "stop-string", 0);
  check_script("a[INx", "a[INx", "eos", 5); /* held back, then let go */
  check_script("a[IN", "a[IN", "eos", 4);   /* let go at the end */
  check_script("a</s>", "a", "stop-string", 1);
  check_script("a</sb", "a</sb", "eos", 5);
  check_script("\xe2\x82\xac", "\xe2\x82\xac", "eos", 3);
  check_script("\xe2z", "\xef\xbf\xbdz", "eos", 2);
  check_script("\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd", "eos", 2);
  check_script("\xe2[INST]", "\xef\xbf\xbd", "stop-string", 1);
  check_script("\xffy", "\xef\xbf\xbdy", "eos", 2);
}

/* The templates write a blank in front of "</s>", so trained models say it; it is no part of the
 * answer, and the next turn's closing part writes it again. */
static void
test_trailing_blank(void)
{
  check_script("hi ", "hi", "eos", 2);
  check_script("hi \n", "hi", "eos", 2);
  check_script("a b", "a b", "eos", 3); /* held back, then let go */
  check_script("a [INST]", "a", "stop-string", 1);
  check_script(" ", "", "eos", 0);
}

/* The byte 0 would end the text for whoever reads it as a C string. */
static void
test_zero_byte(void)
{
  const int32_t chain[] = {byte_id('a'), byte_id('\0'), byte_id('b'), 2};
  Scripted s = scripted(chain, G_N_ELEMENTS(chain), 200);
  ModelAnswer answer = ask(s.session, NULL, "q", 32);

  g_assert_cmpstr(answer.text, ==,
                  "a\xef\xbf\xbd"
                  "b");
  g_assert_cmpuint(answer.answer.n, ==, 3);
  model_answer_clear(&answer);
  scripted_clear(&s);
}

/* v1.0 has no end in its templates but "###". Each id of a script has one successor, so that '#'
 * goes on for ever. */
static void
test_ends_of_v10(void)
{
  const int32_t chain[] = {byte_id('n'), byte_id('o'), byte_id('#'), byte_id('#')};
  static const char *const names[] = {"multimodal", "simple", "v0"};

  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    Scripted s = scripted_with(names[i], chain, G_N_ELEMENTS(chain), 2000);
    ModelAnswer answer = ask(s.session, NULL, "q", 32);
    g_assert_cmpstr(answer.text, ==, "no");
    g_assert_cmpstr(answer.stop, ==, "stop-string");
    g_assert_cmpuint(answer.answer.n, ==, 2);
    g_assert_cmpuint(model_session_positions(s.session), ==, answer.prompt.n + 2);
    model_answer_clear(&answer);
    scripted_clear(&s);
  }
}

/* Several words: nothing empty stops an answer after the first (facts 3: issue 86). */
static void
test_several_words(void)
{
  const int32_t chain[] = {286, 288, 289, 292, 2}; /* "_a", "the", "_i", "_is" */
  Scripted s = scripted(chain, G_N_ELEMENTS(chain), 200);
  ModelAnswer answer = ask(s.session, NULL, "q", 32);

  g_assert_cmpstr(answer.text, ==, "athe i is");
  g_assert_cmpstr(answer.stop, ==, "eos");
  model_answer_clear(&answer);
  scripted_clear(&s);
}

/* The blank of the first piece belongs to the dummy prefix; later ones are blanks. */
static void
test_leading_blank(void)
{
  const int32_t chain[] = {286, 289, 2}; /* "_a", "_i" */
  Scripted s = scripted(chain, 3, 200);
  ModelAnswer answer = ask(s.session, NULL, "q", 32);

  g_assert_cmpstr(answer.text, ==, "a i");
  model_answer_clear(&answer);
  scripted_clear(&s);
}

/* A piece that holds the beginning of a stop string and something before it. */
static void
test_stop_inside_a_piece(void)
{
  ModelAnswerText text;
  bool stopped;
  size_t cut, grown;

  g_assert_true(model_answer_text_init(&text, NULL));
  model_answer_text_stop_at(&text, "");
  model_answer_text_stop_at(&text, "###");
  g_assert_cmpuint(text.n_stops, ==, 1);
  g_assert_true(model_answer_text_add(&text, "one#", 4, &stopped, &cut, &grown, NULL));
  g_assert_false(stopped);
  g_assert_cmpstr(text.text, ==, "one");
  g_assert_true(model_answer_text_add(&text, "#", 1, &stopped, &cut, &grown, NULL));
  g_assert_cmpuint(grown, ==, 0);
  g_assert_true(model_answer_text_add(&text, "#Human", 6, &stopped, &cut, &grown, NULL));
  g_assert_true(stopped);
  g_assert_cmpuint(cut, ==, 3);
  g_assert_cmpstr(text.text, ==, "one");
  model_answer_text_clear(&text);
}

static void
test_token_callback_stops(void)
{
  Scripted s = scripted_bytes("abcdefgh", 400);
  Watcher w = watcher(s.session);
  const ModelCallbacks calls = callbacks(&w);
  ModelAnswer answer, again;

  w.stop_after = 2;
  g_assert_true(model_session_ask(s.session, NULL, "q", NULL, &calls, &answer, NULL));
  g_assert_cmpstr(answer.text, ==, "ab");
  g_assert_cmpstr(answer.stop, ==, "cancelled");
  g_assert_cmpuint(model_session_turns(s.session), ==, 1); /* a finished turn */
  again = ask(s.session, NULL, "q", 32);
  g_assert_cmpstr(again.text, ==, "abcdefgh");
  model_answer_clear(&answer);
  model_answer_clear(&again);
  g_string_free(w.text, TRUE);
  scripted_clear(&s);
}

static void
test_context(void)
{
  Scripted s = scripted_bytes("abcdefgh", 40);
  ModelAnswer answer = ask(s.session, NULL, "q", 32);
  const guint left = 40 - (guint)answer.prompt.n;
  g_autofree char *longer = g_strnfill(100, 'x');
  g_autofree char *needs = NULL;
  ModelError err = {0};
  Watcher w = watcher(s.session);
  const ModelCallbacks calls = callbacks(&w);

  model_answer_clear(&answer);
  g_assert_true(model_session_rewind(s.session, 0, NULL));
  /* An answer that fills the timeline. */
  if (left > 8) {
    g_autofree char *padding = g_strnfill(left - 4, 'x');
    answer = ask(s.session, NULL, padding, 32);
    g_assert_cmpstr(answer.stop, ==, "context");
    g_assert_cmpuint(model_session_positions(s.session), ==, 40);
    model_answer_clear(&answer);
    g_assert_false(model_session_ask(s.session, NULL, "q", NULL, &calls, &answer, &err));
    g_assert_cmpint(err.code, ==, MODEL_ERROR_CONTEXT);
    g_assert_true(model_session_rewind(s.session, 0, NULL));
  }
  err = (ModelError){0};
  g_assert_false(model_session_ask(s.session, NULL, longer, NULL, &calls, &answer, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_CONTEXT);
  /* 99 more letters than "q" had, and one position for an answer. */
  needs = g_strdup_printf("*needs %u positions*context has 40*", 40 - left + 99 + 1);
  g_assert_true(g_pattern_match_simple(needs, err.message));
  g_assert_cmpuint(w.n_events, ==, 0); /* before any work */
  g_assert_cmpuint(model_session_positions(s.session), ==, 0);
  g_assert_null(answer.text);
  g_string_free(w.text, TRUE);
  scripted_clear(&s);
}

/* Cancelling at every point where a call says how far it is: either nothing happened, or the turn
 * is finished; and what follows is as if it had never been asked. */
static void
test_cancel_anywhere(void)
{
  Random r = random_model(FALSE, 2);
  const ModelSampling sampling = {.top_p = 1, .max_tokens = 6};
  ModelAnswer first = ask(r.session, &r.image, "one", 4), whole, answer;
  const guint before = model_session_positions(r.session);
  gboolean done = FALSE, was_refused = FALSE, was_cut = FALSE;

  r.pixels[7] ^= 0x40;
  whole = ask(r.session, &r.image, "two", 6);
  for (guint at = 1; !done; at++) {
    Watcher w = watcher(r.session);
    const ModelCallbacks calls = callbacks(&w);
    ModelError err = {0};
    g_assert_true(model_session_rewind(r.session, 1, NULL));
    g_assert_cmpuint(model_session_positions(r.session), ==, before);
    w.cancel_at = at;
    r.pixels[8] = (guint8)at; /* a new picture each time, so that it is encoded */
    if (!model_session_ask(r.session, &r.image, "two", &sampling, &calls, &answer, &err)) {
      g_assert_cmpint(err.code, ==, MODEL_ERROR_CANCELLED);
      g_assert_null(answer.text);
      g_assert_cmpuint(model_session_turns(r.session), ==, 1);
      g_assert_cmpuint(model_session_positions(r.session), ==, before);
      was_refused = TRUE;
    } else if (g_str_equal(answer.stop, "cancelled")) {
      g_assert_cmpuint(answer.answer.n, >, 0);
      g_assert_cmpuint(model_session_turns(r.session), ==, 2);
      was_cut = TRUE;
    } else {
      done = w.n_events < at;
    }
    model_answer_clear(&answer);
    g_string_free(w.text, TRUE);
  }
  g_assert_true(was_refused);
  g_assert_true(was_cut);
  r.pixels[8] = (guint8)(8 * 37 + 8 / 7);
  g_assert_true(model_session_rewind(r.session, 1, NULL));
  answer = ask(r.session, &r.image, "two", 6);
  assert_ids(&answer.answer, &whole.answer);
  model_answer_clear(&answer);
  model_answer_clear(&whole);
  model_answer_clear(&first);
  random_clear(&r);
}

/* A turn that was cut off goes on as any other. */
static void
test_after_a_cut(void)
{
  Random r = random_model(FALSE, 2);
  Watcher w = watcher(r.session);
  const ModelCallbacks calls = callbacks(&w);
  ModelAnswer cut, next;

  w.cancel_at = 4 + 2 + 3; /* three of the answer's events, after the tower's and the prompt's */
  g_assert_true(model_session_ask(r.session, &r.image, "one", NULL, &calls, &cut, NULL));
  next = ask(r.session, NULL, "two", 8);
  check_fresh(&r, &next.prompt, &r.image, &next.answer);
  model_answer_clear(&cut);
  model_answer_clear(&next);
  g_string_free(w.text, TRUE);
  random_clear(&r);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/session/ends", test_ends);
  g_test_add_func("/session/trailing-blank", test_trailing_blank);
  g_test_add_func("/session/zero-byte", test_zero_byte);
  g_test_add_func("/session/ends-of-v10", test_ends_of_v10);
  g_test_add_func("/session/several-words", test_several_words);
  g_test_add_func("/session/leading-blank", test_leading_blank);
  g_test_add_func("/session/stop-inside-a-piece", test_stop_inside_a_piece);
  g_test_add_func("/session/token-callback-stops", test_token_callback_stops);
  g_test_add_func("/session/context", test_context);
  g_test_add_func("/session/cancel-anywhere", test_cancel_anywhere);
  g_test_add_func("/session/after-a-cut", test_after_a_cut);
  return g_test_run();
}
