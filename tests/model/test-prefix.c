/* test-prefix.c - what need not be computed twice: common beginnings of timelines, pictures of one
 * engine's sessions, and pictures that were taken out and put back. */
#include "engine/session.h"
#include "session-fixture.h"

/* ---- ledgers ------------------------------------------------------------------------------ */

static void
push_picture(ModelLedger *ledger, char key, guint rows)
{
  char whole[65] = {0};

  memset(whole, key, 64);
  g_assert_true(model_ledger_open_picture(ledger, whole, malloc(3), NULL));
  for (guint i = 0; i < rows; i++) {
    model_ledger_push_row(ledger, i);
  }
}

static void
test_ledger(void)
{
  ModelLedger a, b;

  g_assert_true(model_ledger_init(&a, 20, NULL));
  g_assert_true(model_ledger_init(&b, 20, NULL));
  for (guint i = 0; i < 3; i++) {
    model_ledger_push_token(&a, (gint)i);
    model_ledger_push_token(&b, (gint)i);
  }
  push_picture(&a, 'x', 4);
  push_picture(&a, 'y', 4);
  push_picture(&b, 'x', 4);
  push_picture(&b, 'z', 4);
  g_assert_cmpuint(model_ledger_common(&a, &b), ==, 7);
  /* Within a picture it stays the picture's; without a row of it it is gone. */
  model_ledger_cut(&a, 5);
  g_assert_cmpuint(a.n_pictures, ==, 1);
  g_assert_cmpuint(model_ledger_common(&a, &b), ==, 5);
  g_assert_true(model_ledger_follow(&a, &b, 11, NULL));
  g_assert_cmpuint(a.n_pictures, ==, 2);
  g_assert_null(a.pictures[1].square);
  g_assert_cmpuint(model_ledger_common(&a, &b), ==, 11);
  model_ledger_cut(&a, 3);
  g_assert_cmpuint(a.n_pictures, ==, 0);
  model_ledger_push_token(&a, 9);
  g_assert_cmpuint(model_ledger_common(&a, &b), ==, 3);
  model_ledger_clear(&a);
  model_ledger_clear(&b);
}

/* ---- one session -------------------------------------------------------------------------- */

/* Every other question after going back computes the part that differs, and says what a session
 * says that has never seen the first one. */
static void
test_other_question(void)
{
  for (int v10 = 0; v10 < 2; v10++) {
    static const char *const questions[] = {"is the lung there", "is the lung clear", "is the",
                                            "what", "is the lung there"};
    Random r = random_model(v10, 2), fresh = random_model(v10, 2);
    for (guint i = 0; i < G_N_ELEMENTS(questions); i++) {
      ModelAnswer answer, other;
      g_assert_true(model_session_rewind(r.session, 0, NULL));
      g_assert_true(model_session_rewind(fresh.session, 0, NULL));
      model_ledger_cut(&fresh.session->cache, 0);
      answer = ask(r.session, &r.image, questions[i], 6);
      other = ask(fresh.session, &fresh.image, questions[i], 6);
      assert_ids(&answer.prompt, &other.prompt);
      assert_ids(&answer.answer, &other.answer);
      g_assert_cmpuint(other.timing.prompt_cached_tokens, ==, 0);
      g_assert_cmpuint(answer.timing.prompt_cached_tokens + answer.timing.prompt_tokens, ==,
                       other.timing.prompt_tokens);
      /* The picture stands before the question, but in v1.0. */
      g_assert_cmpuint(answer.timing.prompt_cached_tokens, >=,
                       i == 0 ? 0
                       : v10  ? 3
                              : r.engine->n_patches + 3);
      g_assert_cmpint(answer.timing.image_cached, ==, i > 0);
      model_answer_clear(&answer);
      model_answer_clear(&other);
    }
    random_clear(&r);
    random_clear(&fresh);
  }
}

/* Back and forth between two pictures, with a longer conversation each: what the cache holds is
 * the other's, and the squares are all that is needed to go on. */
static void
test_recompute(void)
{
  Random r = random_model(FALSE, 2);
  ModelAnswer first = ask(r.session, &r.image, "one", 5), second, third;

  r.pixels[100] ^= 0x3f;
  second = ask(r.session, &r.image, "two", 5);
  /* Nothing is left: not the keys, not the rows. */
  model_ledger_cut(&r.session->cache, 0);
  model_pictures_set_limit(r.engine->pictures, 0);
  third = ask(r.session, NULL, "three", 5);
  g_assert_cmpuint(third.timing.prompt_cached_tokens, ==, 0);
  g_assert_cmpfloat(third.timing.image_s, >, 0);
  model_answer_clear(&first);
  model_answer_clear(&second);
  first = third;
  g_assert_true(model_session_rewind(r.session, 2, NULL));
  third = ask(r.session, NULL, "three", 5);
  g_assert_cmpuint(third.timing.prompt_tokens, ==, 1);
  assert_ids(&third.answer, &first.answer);
  model_answer_clear(&first);
  model_answer_clear(&third);
  random_clear(&r);
}

/* ---- several sessions --------------------------------------------------------------------- */

static void
test_shared_pictures(void)
{
  Random r = random_model(FALSE, 2);
  ModelSession *other = model_session_new(r.engine, NULL, NULL);
  ModelAnswer a = ask(r.session, &r.image, "one", 4), b = ask(other, &r.image, "one", 4);

  g_assert_false(a.timing.image_cached);
  g_assert_true(b.timing.image_cached);
  g_assert_cmpfloat(b.timing.image_s, ==, 0);
  assert_ids(&a.answer, &b.answer);
  model_answer_clear(&a);
  model_answer_clear(&b);
  model_session_free(other);
  random_clear(&r);
}

static gpointer
use_pictures(gpointer data)
{
  ModelPictures *pictures = data;

  for (guint i = 0; i < 2000; i++) {
    ModelPicture *picture;
    char key[65];
    model_sha256(&(guint){100 + i * 7 % 11}, sizeof(guint), key);
    picture = model_pictures_find(pictures, key);
    if (!picture) {
      picture = model_pictures_start(pictures, key, NULL);
      memset(picture->rows, (gint)(i * 7 % 11), 100 * sizeof(float));
      model_pictures_keep(pictures, picture);
    }
    for (guint k = 0; k < 400; k++) {
      g_assert_cmpint(((guint8 *)picture->rows)[k], ==, i * 7 % 11);
    }
    model_pictures_release(pictures, picture);
  }
  return NULL;
}

static void
test_limit(void)
{
  ModelPictures *pictures = model_pictures_new(100, 1000, NULL);
  GThread *threads[4];
  char keys[4][65];

  for (guint i = 0; i < 4; i++) {
    ModelPicture *picture;
    model_sha256(&i, sizeof i, keys[i]);
    picture = model_pictures_start(pictures, keys[i], NULL);
    model_pictures_keep(pictures, picture);
    model_pictures_release(pictures, picture);
  }
  /* Two of 400 bytes fit. */
  for (guint i = 0; i < 4; i++) {
    ModelPicture *picture = model_pictures_find(pictures, keys[i]);
    g_assert_cmpint(picture != NULL, ==, i >= 2);
    model_pictures_release(pictures, picture);
  }
  model_pictures_set_limit(pictures, 0);
  for (guint i = 0; i < 4; i++) { /* the one that was used last */
    ModelPicture *picture = model_pictures_find(pictures, keys[i]);
    g_assert_cmpint(picture != NULL, ==, i == 3);
    model_pictures_release(pictures, picture);
  }
  model_pictures_set_limit(pictures, 2000);
  for (guint i = 0; i < 4; i++) {
    threads[i] = g_thread_new("use", use_pictures, pictures);
  }
  for (guint i = 0; i < 4; i++) {
    g_thread_join(threads[i]);
  }
  model_pictures_free(pictures);
}

/* ---- out and in --------------------------------------------------------------------------- */

static void
test_take_and_put(void)
{
  Random r = random_model(FALSE, 2), other = random_model(FALSE, 1), v10 = random_model(TRUE, 1);
  const gsize n = model_picture_bytes(r.engine);
  g_autofree guint8 *bytes = g_malloc(n);
  char key[65], again[65];
  ModelError err = {0};
  ModelAnswer a, b;

  g_assert_true(model_picture_key(r.engine, &r.image, key, NULL));
  g_assert_true(model_picture_key(other.engine, &r.image, again, NULL));
  g_assert_cmpstr(key, ==, again); /* any thread count */
  g_assert_true(model_picture_key(v10.engine, &r.image, again, NULL));
  g_assert_cmpstr(key, !=, again);
  g_assert_false(model_picture_take(r.engine, key, bytes));
  a = ask(r.session, &r.image, "one", 5);
  g_assert_true(model_picture_take(r.engine, key, bytes));

  /* Any byte that is wrong, and any length. */
  for (gsize i = 0; i < n; i += 1 + i / 8) {
    bytes[i] ^= (guint8)(1 << i % 8);
    g_assert_false(model_picture_put(other.engine, key, bytes, n, &err));
    g_assert_cmpint(err.code, ==, MODEL_ERROR_CORRUPT);
    bytes[i] ^= (guint8)(1 << i % 8);
    g_assert_false(model_picture_put(other.engine, key, bytes, i, &err));
  }
  g_assert_false(model_picture_put(other.engine, again, bytes, n, &err));
  g_assert_false(model_picture_put(v10.engine, again, bytes, n, &err));
  g_assert_false(model_picture_is_kept(other.engine, key));
  g_assert_true(model_picture_put(other.engine, key, bytes, n, NULL));
  g_assert_true(model_picture_is_kept(other.engine, key));
  b = ask(other.session, &r.image, "one", 5);
  g_assert_true(b.timing.image_cached);
  assert_ids(&a.answer, &b.answer);
  model_answer_clear(&a);
  model_answer_clear(&b);
  random_clear(&r);
  random_clear(&other);
  random_clear(&v10);
}

/* Other weights, another key. */
static void
test_key(void)
{
  const ModelConfig config = tiny_config(FALSE);
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  const guint8 pixel[] = {1, 2, 3};
  const ModelImage image = {1, 1, 3, pixel};

  for (guint i = 0; i < 4; i++) {
    ModelEngine *engine;
    Tiny tiny;
    char key[65];
    tiny_init(&tiny, &config, 5);
    if (i == 1) {
      ((float *)tiny_values(&tiny.checkpoint.weights.mm_b[1]))[3] += 1;
    } else if (i == 2) {
      ((float *)tiny_values(&tiny.checkpoint.weights.blocks[1].fc1_w))[77] += 1;
    } else if (i == 3) { /* which changes no picture's rows */
      ((float *)tiny_values(&tiny.checkpoint.weights.layers[1].down))[0] += 1;
    }
    engine = tiny_engine(&tiny, 1);
    g_assert_true(model_picture_key(engine, &image, key, NULL));
    g_assert_cmpint(g_hash_table_add(seen, g_strdup(key)), ==, i != 3);
    g_assert_cmpint(g_hash_table_add(seen, g_strdup(engine->identity)), ==, i == 0 || i == 3);
    model_engine_free(engine);
    tiny_clear(&tiny);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/prefix/ledger", test_ledger);
  g_test_add_func("/prefix/other-question", test_other_question);
  g_test_add_func("/prefix/recompute", test_recompute);
  g_test_add_func("/prefix/shared-pictures", test_shared_pictures);
  g_test_add_func("/prefix/limit", test_limit);
  g_test_add_func("/prefix/take-and-put", test_take_and_put);
  g_test_add_func("/prefix/key", test_key);
  return g_test_run();
}
