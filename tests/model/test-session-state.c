/* test-session-state.c - work that is done before a question comes, and state that outlives a
 * session. */
#include "engine/session.h"
#include "session-fixture.h"

/* ---- beforehand --------------------------------------------------------------------------- */

typedef struct {
  guint n_calls, n_encodings;
} Prepared;

static Prepared
prepare(Random *r, const ModelImage *image, gboolean anew)
{
  Prepared p = {0};
  uint32_t left = 1;

  while (left > 0) {
    Watcher w = watcher(r->session);
    const ModelCallbacks calls = callbacks(&w);
    ModelError err = {0};
    g_assert_true(model_session_prepare(r->session, image, anew, &calls, &left, &err));
    g_assert_cmpuint(w.n_progress[MODEL_PHASE_ANSWER], ==, 0);
    g_assert_true(w.n_progress[MODEL_PHASE_IMAGE] == 0 || w.n_progress[MODEL_PHASE_PROMPT] == 0);
    p.n_encodings += w.n_progress[MODEL_PHASE_IMAGE] > 0;
    g_assert_cmpuint(++p.n_calls, <, 20);
    g_string_free(w.text, TRUE);
  }
  return p;
}

/* What was prepared is not computed with the question, and the answer is as without. */
static void
test_prepare(void)
{
  for (int v10 = 0; v10 < 2; v10++) {
    Random r = random_model(v10, 2), plain = random_model(v10, 2);
    ModelAnswer a, b;

    g_assert_cmpuint(prepare(&r, &r.image, TRUE).n_encodings, ==, 1);
    g_assert_cmpuint(prepare(&r, &r.image, TRUE).n_encodings, ==, 0);
    g_assert_cmpuint(model_session_positions(r.session), ==, 0);
    g_assert_cmpuint(model_session_turns(r.session), ==, 0);
    a = ask(r.session, &r.image, "where is it", 6);
    b = ask(plain.session, &plain.image, "where is it", 6);
    assert_ids(&a.prompt, &b.prompt);
    assert_ids(&a.answer, &b.answer);
    g_assert_true(a.timing.image_cached);
    g_assert_cmpfloat(a.timing.image_s, ==, 0);
    g_assert_cmpuint(a.timing.prompt_cached_tokens, >=, v10 ? 3 : r.engine->n_patches + 3);
    model_answer_clear(&a);
    model_answer_clear(&b);

    /* The next turn: what closes the answer. */
    prepare(&r, NULL, FALSE);
    a = ask(r.session, NULL, "and where", 6);
    b = ask(plain.session, NULL, "and where", 6);
    assert_ids(&a.answer, &b.answer);
    g_assert_cmpuint(a.timing.prompt_tokens, <, b.timing.prompt_tokens);
    model_answer_clear(&a);
    model_answer_clear(&b);

    /* Another picture is prepared, and the conversation goes on all the same. */
    r.pixels[50] ^= 0x77;
    g_assert_cmpuint(prepare(&r, &r.image, TRUE).n_encodings, ==, 1);
    a = ask(r.session, NULL, "and then", 6);
    b = ask(plain.session, NULL, "and then", 6);
    assert_ids(&a.prompt, &b.prompt);
    assert_ids(&a.answer, &b.answer);
    model_answer_clear(&a);
    model_answer_clear(&b);
    random_clear(&r);
    random_clear(&plain);
  }
}

/* Stopped anywhere, a preparation leaves a session that answers as any. */
static void
test_cancel(void)
{
  Random r = random_model(FALSE, 2);
  ModelAnswer whole = ask(r.session, &r.image, "one", 5), answer;
  guint refused = 0;
  gboolean done = FALSE;

  for (guint at = 1; !done; at++) {
    Watcher w = watcher(r.session);
    const ModelCallbacks calls = callbacks(&w);
    uint32_t left = 1;
    gboolean ok = TRUE;
    model_ledger_cut(&r.session->cache, 0);
    g_assert_true(model_session_rewind(r.session, 0, NULL));
    w.cancel_at = at;
    r.pixels[8] = (guint8)at;
    while (ok && left > 0) {
      ModelError err = {0};
      ok = model_session_prepare(r.session, &r.image, TRUE, &calls, &left, &err);
      g_assert_true(ok || err.code == MODEL_ERROR_CANCELLED);
    }
    refused += !ok;
    done = w.n_events < at;
    r.pixels[8] = (guint8)(8 * 37 + 8 / 7);
    answer = ask(r.session, &r.image, "one", 5);
    assert_ids(&answer.answer, &whole.answer);
    model_answer_clear(&answer);
    g_string_free(w.text, TRUE);
  }
  g_assert_cmpuint(refused, >=, 2);
  model_answer_clear(&whole);
  random_clear(&r);
}

static void
test_no_room(void)
{
  Random r = random_model(FALSE, 1);
  ModelSession *narrow = model_session_new(r.engine, &(ModelSessionOptions){20}, NULL);
  uint32_t left = 7;

  g_assert_true(model_session_prepare(narrow, &r.image, true, NULL, &left, NULL));
  g_assert_cmpuint(left, ==, 0);
  g_assert_cmpuint(narrow->cache.n, ==, 0);
  model_session_free(narrow);
  random_clear(&r);
}

/* ---- state -------------------------------------------------------------------------------- */

typedef struct {
  GByteArray *bytes;
  gsize at, fail_at; /* 0: never */
} Tape;

static bool
write_tape(const void *bytes, size_t n, void *user)
{
  Tape *tape = user;

  if (tape->fail_at > 0 && tape->bytes->len + n > tape->fail_at) {
    return false;
  }
  g_byte_array_append(tape->bytes, bytes, (guint)n);
  return true;
}

static bool
read_tape(void *bytes, size_t n, void *user)
{
  Tape *tape = user;

  if (n > tape->bytes->len - tape->at) {
    return false;
  }
  memcpy(bytes, tape->bytes->data + tape->at, n);
  tape->at += n;
  return true;
}

static gboolean
restore(ModelSession *session, Tape *tape, ModelError *err)
{
  tape->at = 0;
  *err = (ModelError){0};
  return model_session_restore(session, read_tape, tape, err);
}

static Tape
save(Random *r, guint positions)
{
  Tape tape = {.bytes = g_byte_array_new()};
  ModelError err = {0};

  g_assert_true(model_session_save(r->session, positions, write_tape, &tape, &err));
  g_assert_cmpstr(err.message, ==, "");
  g_assert_cmpuint(tape.bytes->len, ==, model_session_state_bytes(r->session, positions));
  return tape;
}

static void
test_state(void)
{
  for (int v10 = 0; v10 < 2; v10++) {
    Random r = random_model(v10, 2), other = random_model(v10, 1);
    char picture[65], key[65], again[65];
    ModelAnswer first = ask(r.session, &r.image, "what is it", 9), second, a;
    ModelError err = {0};
    guint behind;
    Tape tape;

    g_assert_true(model_picture_key(r.engine, &r.image, picture, NULL));
    model_session_state_key(r.session, picture, key);
    model_session_state_key(other.session, picture, again);
    g_assert_cmpstr(key, ==, again);
    behind = model_session_behind(r.session, picture);
    g_assert_cmpuint(behind, >=, r.engine->n_patches + 1);
    g_assert_cmpuint(behind, <, first.prompt.n + r.engine->n_patches);
    g_assert_cmpuint(model_session_behind(other.session, picture), ==, 0);
    g_assert_cmpuint(model_session_behind(r.session, key), ==, 0);

    /* Behind the picture: a new conversation encodes nothing. */
    tape = save(&r, behind);
    g_assert_true(restore(other.session, &tape, &err));
    g_assert_cmpuint(model_session_behind(other.session, picture), ==, behind);
    a = ask(other.session, &other.image, "what is it", 9);
    assert_ids(&a.answer, &first.answer);
    g_assert_cmpuint(a.timing.prompt_cached_tokens, ==, behind);
    g_assert_false(model_picture_is_kept(other.engine, picture));
    g_assert_true(a.timing.image_cached);
    model_answer_clear(&a);
    g_byte_array_unref(tape.bytes);

    /* All of it: asked again, all but the last position is there. */
    second = ask(r.session, NULL, "where", 7);
    tape = save(&r, r.session->cache.n);
    g_assert_true(restore(other.session, &tape, &err));
    g_assert_true(model_session_rewind(other.session, 0, NULL));
    a = ask(other.session, &other.image, "what is it", 9);
    assert_ids(&a.answer, &first.answer);
    g_assert_cmpuint(a.timing.prompt_tokens, ==, 1);
    model_answer_clear(&a);
    /* A timeline that is not the one that comes in goes on by itself. */
    g_assert_true(restore(other.session, &tape, &err));
    a = ask(other.session, NULL, "where", 7);
    assert_ids(&a.answer, &second.answer);
    model_answer_clear(&a);
    g_byte_array_unref(tape.bytes);
    model_answer_clear(&first);
    model_answer_clear(&second);
    random_clear(&r);
    random_clear(&other);
  }
}

/* Every bit of the small parts, and a bit here and there of the rest; every length. */
static void
test_damage(void)
{
  Random r = random_model(FALSE, 1), other = random_model(FALSE, 1), v10 = random_model(TRUE, 1);
  ModelSession *narrow = model_session_new(other.engine, &(ModelSessionOptions){30}, NULL);
  ModelAnswer answer = ask(r.session, &r.image, "what is it", 9), again;
  Tape tape = save(&r, r.session->cache.n);
  const gsize n = tape.bytes->len;
  ModelError err = {0};

  for (gsize i = 0; i < n; i += i < 700 || i + 20 > n ? 1 : 97) {
    const guint8 bit = (guint8)(1 << i % 8);
    tape.bytes->data[i] ^= bit;
    g_assert_false(restore(other.session, &tape, &err));
    g_assert_true(err.code == MODEL_ERROR_CORRUPT || err.code == MODEL_ERROR_CONTEXT);
    g_assert_cmpuint(other.session->cache.n, ==, 0);
    g_assert_cmpuint(other.session->cache.n_pictures, ==, 0);
    tape.bytes->data[i] ^= bit;
    tape.bytes->len = (guint)i;
    g_assert_false(restore(other.session, &tape, &err));
    g_assert_cmpint(err.code, ==, MODEL_ERROR_CORRUPT);
    tape.bytes->len = (guint)n;
  }
  g_assert_false(restore(v10.session, &tape, &err)); /* another model */
  g_assert_false(restore(narrow, &tape, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_CONTEXT);
  g_assert_true(restore(other.session, &tape, &err));
  again = ask(other.session, &other.image, "what is it", 9);
  assert_ids(&again.answer, &answer.answer);
  model_answer_clear(&again);

  /* Writing that fails, and positions that there are not. */
  for (gsize at = 1; at < n; at += n / 17) {
    Tape full = {.bytes = g_byte_array_new(), .fail_at = at};
    g_assert_false(model_session_save(r.session, r.session->cache.n, write_tape, &full, &err));
    g_assert_cmpint(err.code, ==, MODEL_ERROR_IO);
    g_byte_array_unref(full.bytes);
  }
  g_assert_false(model_session_save(r.session, r.session->cache.n + 1, write_tape, &tape, &err));
  g_assert_cmpint(err.code, ==, MODEL_ERROR_ARGUMENT);
  g_assert_false(model_session_save(r.session, 0, write_tape, &tape, &err));
  model_answer_clear(&answer);
  g_byte_array_unref(tape.bytes);
  model_session_free(narrow);
  random_clear(&r);
  random_clear(&other);
  random_clear(&v10);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/session-state/prepare", test_prepare);
  g_test_add_func("/session-state/cancel", test_cancel);
  g_test_add_func("/session-state/no-room", test_no_room);
  g_test_add_func("/session-state/state", test_state);
  g_test_add_func("/session-state/damage", test_damage);
  return g_test_run();
}
