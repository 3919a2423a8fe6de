/* test-keys-faults.c - disks that fail or are full, keyrings that fail, processes that are killed,
 * at every write while keys are made, found, protected anew and erased. After each the keys open,
 * are the same, and what was reported as done is done.
 */
#include "keys-fixture.h"
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_ STORE_PROTECTION_FILE
#define PASSPHRASE STORE_PROTECTION_PASSPHRASE
#define KEYRING STORE_PROTECTION_KEYRING
/* More calls than any run makes. */
#define ENDLESS 2000

typedef enum { MAKE, FIND, PROTECT, ERASE } What;

typedef struct {
  What what;
  StoreProtection from, to;
  guint step; /* each STEP-th call fails: a passphrase takes its time */
} Case;

static const Case cases[] = {
    {MAKE, FILE_, FILE_, 1},         {MAKE, KEYRING, KEYRING, 1},
    {FIND, FILE_, FILE_, 1},         {PROTECT, FILE_, FILE_, 1},
    {PROTECT, FILE_, KEYRING, 1},    {PROTECT, KEYRING, FILE_, 1},
    {PROTECT, KEYRING, KEYRING, 1},  {PROTECT, PASSPHRASE, FILE_, 9},
    {PROTECT, FILE_, PASSPHRASE, 9}, {ERASE, FILE_, FILE_, 1},
    {ERASE, KEYRING, KEYRING, 1},    {ERASE, PASSPHRASE, PASSPHRASE, 9},
};

/* What is done under the fault. KEYS is NULL for MAKE. */
static gboolean
act(KeysFixture *fixture, StoreKeys *keys, const Case *test, GError **error)
{
  gint64 subject = 0;

  switch (test->what) {
  case MAKE: {
    g_autoptr(StoreKeys) made =
        store_keys_make(fixture->log.path, LOG_ID, test->from, &fixture->secrets, error);
    return made != NULL;
  }
  case FIND:
    return store_keys_find_subject(keys, "three", 5, TRUE, 0, &subject, error);
  case PROTECT:
    return store_keys_protect(keys, test->to, &fixture->secrets, error);
  case ERASE:
  default:
    return store_keys_erase_subject(keys, 2, NULL, error);
  }
}

static void
start_anew(KeysFixture *fixture)
{
  static const char *const suffixes[] = {".keys", ".keys-journal", ".key", ".key.new"};

  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
    g_autofree char *path = g_strconcat(fixture->log.path, suffixes[i], NULL);
    g_remove(path);
  }
  g_remove(fixture->ring);
}

/* The keys that there are after the fault, whose outcome was DONE; WROTE those from before. */
static void
verify_same(KeysFixture *fixture, const Case *test, StoreKeys *keys, const KeysSeen *wrote,
            gboolean done)
{
  const StoreProtection now = store_keys_protection(keys);
  KeysSeen seen;

  see(keys, &seen);
  g_assert_true(now == (done ? test->to : test->from) || (!done && now == test->to));
  g_assert_true(seen.has_two || test->what == ERASE);
  g_assert_false(done && test->what == ERASE && seen.has_two);
  if (!seen.has_two) {
    memcpy(seen.two, wrote->two, 32);
    seen.has_two = TRUE;
  }
  assert_same(&seen, wrote);
  if (test->what == FIND && done) {
    g_assert_cmpint(find_subject(keys, "three", FALSE, 0), ==, 3);
  }
}

static void
verify(KeysFixture *fixture, const Case *test, const KeysSeen *wrote, gboolean done,
       const char *before, gsize n_before)
{
  g_autoptr(StoreKeys) keys = NULL;
  g_autoptr(StoreKeys) again = NULL;

  fault_arm(0, FAULT_IO, FALSE);
  if (test->what == MAKE) {
    if (!done) {
      /* Whole or none: where there are none they can be made. */
      g_autoptr(StoreKeys) made =
          store_keys_make(fixture->log.path, LOG_ID, test->from, &fixture->secrets, NULL);
    }
    keys = open_keys(fixture, FALSE);
    g_assert_cmpint(find_subject(keys, "one", TRUE, 0), ==, 1);
    return;
  }
  if (test->step == 1) {
    g_autoptr(StoreKeys) reader = open_keys(fixture, TRUE);
    verify_same(fixture, test, reader, wrote, done);
  }
  keys = open_keys(fixture, FALSE);
  verify_same(fixture, test, keys, wrote, done);
  /* They take more, and open again after it. */
  g_assert_cmpint(find_subject(keys, "four", TRUE, 9), ==, 10);
  if (test->step == 1) {
    again = open_keys(fixture, FALSE);
    verify_same(fixture, test, again, wrote, done);
  }
  if (done && test->what != FIND && test->from != PASSPHRASE) {
    g_clear_pointer(&keys, store_keys_close);
    g_clear_pointer(&again, store_keys_close);
    g_assert_true(g_file_set_contents(fixture->keys_path, before, (gssize)n_before, NULL));
    assert_not_opened(fixture, STORE_ERROR_LOCKED);
  }
}

/* ---- what fails ------------------------------------------------------------------------------ */

/* Whether the fault was met. */
static gboolean
fail_at(KeysFixture *fixture, const Case *test, guint at, FaultKind kind, gboolean sticky)
{
  g_autoptr(StoreKeys) keys = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *before = NULL;
  KeysSeen wrote;
  gsize n = 0;
  gboolean done;
  guint hits;

  start_anew(fixture);
  fault_arm(0, FAULT_IO, FALSE);
  if (test->what != MAKE) {
    make_two(fixture, test->from, &wrote);
    keys = open_keys(fixture, FALSE);
    g_assert_true(g_file_get_contents(fixture->keys_path, &before, &n, NULL));
  }
  fault_arm(at, kind, sticky);
  done = act(fixture, keys, test, &error);
  hits = fault.hits;
  g_assert_cmpint(done, ==, error == NULL);
  if (error) {
    g_assert_true(error->domain == STORE_ERROR);
    g_assert_cmpuint(hits, >, 0);
  }
  fault_arm(0, FAULT_IO, FALSE);
  if (keys) { /* the handle itself goes on */
    verify_same(fixture, test, keys, &wrote, done);
    g_clear_pointer(&keys, store_keys_close);
  }
  verify(fixture, test, &wrote, done, before, n);
  return hits > 0;
}

static void
test_fails(KeysFixture *fixture, gconstpointer data)
{
  const Case *test = data;

  for (guint round = 0; round < (test->step > 1 ? 1 : 4); round++) {
    guint at = 1;
    while (fail_at(fixture, test, at, round & 1 ? FAULT_FULL : FAULT_IO, round >> 1 & 1)) {
      at += test->step;
      g_assert_cmpuint(at, <, ENDLESS);
    }
    g_assert_cmpuint(at, >, 3);
  }
}

/* ---- who is killed --------------------------------------------------------------------------- */

static gboolean
kill_at(KeysFixture *fixture, const Case *test, guint at)
{
  g_autofree char *before = NULL;
  KeysSeen wrote;
  gsize n = 0;
  int status = 0;
  pid_t pid;

  start_anew(fixture);
  fault_arm(0, FAULT_IO, FALSE);
  if (test->what != MAKE) {
    make_two(fixture, test->from, &wrote);
    g_assert_true(g_file_get_contents(fixture->keys_path, &before, &n, NULL));
  }
  pid = fork();
  if (pid == 0) {
    StoreKeys *keys = test->what != MAKE ? open_keys(fixture, FALSE) : NULL;
    fault_arm(at, FAULT_KILL, FALSE);
    _exit(act(fixture, keys, test, NULL) ? 0 : 1);
  }
  g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
  g_assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
  verify(fixture, test, &wrote, !WIFSIGNALED(status), before, n);
  return WIFSIGNALED(status);
}

static void
test_killed(KeysFixture *fixture, gconstpointer data)
{
  const Case *test = data;
  guint at = 1;

  while (kill_at(fixture, test, at)) {
    at += test->step;
    g_assert_cmpuint(at, <, ENDLESS);
  }
  g_assert_cmpuint(at, >, 3);
}

/* ---- the key's own file ---------------------------------------------------------------------- */

/* A folder that takes no new file: nothing changes, and the keys go on. */
static void
test_no_key_file(KeysFixture *fixture, gconstpointer data)
{
  g_autofree char *aside = g_strconcat(fixture->key_path, ".new", NULL);
  g_autofree char *inside = g_build_filename(aside, "inside", NULL);
  g_autoptr(StoreKeys) keys = NULL;
  g_autoptr(GError) error = NULL;
  KeysSeen made, seen;

  make_two(fixture, FILE_, &made);
  keys = open_keys(fixture, FALSE);
  /* A folder that is not empty, in the place of the file that is written aside. */
  g_assert_cmpint(g_mkdir_with_parents(inside, 0700), ==, 0);
  g_assert_false(store_keys_erase_subject(keys, 2, NULL, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_IO);
  g_clear_error(&error);
  g_assert_false(store_keys_protect(keys, FILE_, NULL, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_IO);
  see(keys, &seen);
  assert_same(&made, &seen);
  store_keys_close(open_keys(fixture, FALSE));
  g_remove(inside);
  g_remove(aside);
  store_keys_close(open_keys(fixture, FALSE));
  erase(keys, 2);
  see(keys, &seen);
  g_assert_false(seen.has_two);
}

int
main(int argc, char **argv)
{
  static const char *const names[] = {"make", "find", "protect", "erase"};

  g_test_init(&argc, &argv, NULL);
  fault_install();
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *fails = g_strdup_printf("/keys-faults/fails/%s/%u", names[cases[i].what], i);
    g_autofree char *kills = g_strdup_printf("/keys-faults/killed/%s/%u", names[cases[i].what], i);
    KEYS_TEST(fails, &cases[i], test_fails);
    KEYS_TEST(kills, &cases[i], test_killed);
  }
  KEYS_TEST("/keys-faults/no-key-file", NULL, test_no_key_file);
  return g_test_run();
}
