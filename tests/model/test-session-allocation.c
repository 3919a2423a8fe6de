/* test-session-allocation.c - sessions without memory: every allocation fails once, and none is
 * made per token. */
#include "session-fixture.h"

#include <dlfcn.h>
#include <errno.h>

#ifndef __SANITIZE_ADDRESS__
/* ---- failing the n-th allocation of this thread ------------------------------------------- */

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
static __thread int fail_in; /* 0: never; 1: the next one */
static __thread guint n_allocations;

/* On some processors OpenBLAS takes scratch space within a product, and does not look whether it
 * got any: its allocations are not ours to fail or to count. */
static gboolean
is_foreign(const void *caller)
{
  Dl_info info;

  return dladdr(caller, &info) != 0 && info.dli_fname && strstr(info.dli_fname, "openblas");
}

static gboolean
fails_now(const void *caller)
{
  gboolean fails;

  if (is_foreign(caller)) {
    return FALSE;
  }
  fails = fail_in > 0 && --fail_in == 0;
  n_allocations++;
  if (fails) {
    errno = ENOMEM; /* which the C library itself counts on */
  }
  return fails;
}

void *
malloc(size_t n)
{
  return fails_now(__builtin_return_address(0)) ? NULL : __libc_malloc(n);
}

void *
calloc(size_t a, size_t b)
{
  return fails_now(__builtin_return_address(0)) ? NULL : __libc_calloc(a, b);
}

void *
realloc(void *old, size_t n)
{
  return fails_now(__builtin_return_address(0)) ? NULL : __libc_realloc(old, n);
}

/* ---- tests -------------------------------------------------------------------------------- */

static void
test_allocation_failures(void)
{
  const ModelSampling sampling = {.top_p = 1, .max_tokens = 5};
  Random r = random_model(FALSE, 1);
  ModelAnswer whole = ask(r.session, &r.image, "one", 5), answer;
  gboolean done = FALSE;

  for (int n = 1; !done; n++) {
    ModelError err = {0};
    ModelSession *session;
    gboolean ok;
    fail_in = n;
    session = model_session_new(r.engine, NULL, &err);
    if (session) {
      ok = model_session_ask(session, &r.image, "one", &sampling, NULL, &answer, &err);
      done = fail_in > 0;
      fail_in = 0;
      if (!ok) {
        g_assert_cmpint(err.code, ==, MODEL_ERROR_TOO_LARGE);
        g_assert_null(answer.text);
        g_assert_cmpuint(model_session_positions(session), ==, 0);
        g_assert_true(model_session_ask(session, &r.image, "one", &sampling, NULL, &answer, NULL));
      }
      assert_ids(&answer.answer, &whole.answer);
      model_answer_clear(&answer);
      model_session_free(session);
    } else {
      fail_in = 0;
      g_assert_cmpint(err.code, ==, MODEL_ERROR_TOO_LARGE);
    }
  }
  model_answer_clear(&whole);
  random_clear(&r);
}

typedef struct {
  guint n_tokens, at_first, at_last;
} Counted;

static bool
count_allocations(const char *bytes, size_t length, int32_t id, void *user)
{
  Counted *c = user;

  c->at_last = n_allocations;
  c->at_first = c->n_tokens++ == 0 ? n_allocations : c->at_first;
  return true;
}

/* Nothing is allocated per token: lists of ids and the text double now and then, and no more. */
static void
test_no_allocation_per_token(void)
{
  const int32_t chain[] = {byte_id('a'), byte_id('b'), byte_id('a')}; /* and on for ever */
  const ModelSampling sampling = {.temperature = 0.01f, .top_p = 0.9f, .max_tokens = 500};
  Scripted s = scripted(chain, G_N_ELEMENTS(chain), 600);
  Counted c = {0};
  const ModelCallbacks calls = {NULL, count_allocations, &c};
  ModelAnswer answer;

  g_assert_true(model_session_ask(s.session, NULL, "q", &sampling, &calls, &answer, NULL));
  g_assert_cmpuint(c.n_tokens, ==, 500);
  g_test_message("%u allocations", c.at_last - c.at_first);
  g_assert_cmpuint(c.at_last - c.at_first, <=, 10);
  model_answer_clear(&answer);
  scripted_clear(&s);
}

static void
test_open_failures(void)
{
  gboolean done = FALSE;

  for (int n = 1; !done; n++) {
    const ModelConfig config = tiny_config(n & 1);
    const ModelEngineOptions options = {.n_threads = 2};
    ModelError err = {0};
    ModelEngine *engine;
    Tiny tiny;
    tiny_init(&tiny, &config, 5);
    tiny.checkpoint.weights.token_embedding.type = MODEL_TYPE_F16; /* something for the arena */
    fail_in = (n + 1) / 2;
    engine = model_engine_new(&tiny.checkpoint, &options, MODEL_ARENA_BYTES, &err);
    done = fail_in > 0 && n > 2;
    fail_in = 0;
    if (!engine) {
      /* pthread_create says EAGAIN when memory is out. */
      g_assert_true(err.code == MODEL_ERROR_TOO_LARGE || err.code == MODEL_ERROR_IO);
    }
    model_engine_free(engine);
    tiny_clear(&tiny);
  }
}

#else
static void
test_not_here(void)
{
  g_test_skip("AddressSanitizer has an allocator of its own");
}
#endif

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
#ifndef __SANITIZE_ADDRESS__
  g_test_add_func("/session/allocation-failures", test_allocation_failures);
  g_test_add_func("/session/no-allocation-per-token", test_no_allocation_per_token);
  g_test_add_func("/session/open-failures", test_open_failures);
#else
  g_test_add_func("/session/allocation", test_not_here);
#endif
  return g_test_run();
}
