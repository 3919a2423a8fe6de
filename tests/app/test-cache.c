/* test-cache.c - what is kept on disk: who may read it, how much of it there is, damage, several
 * programs at once, and that no answer changes for it. */
#include "cache.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "review-fixture.h"

#define KEY(c) key_of((char[65]){0}, c)
/* What a file of one part is larger than its content: 8 + 24 bytes before it, 17 of its tag. */
#define OVERHEAD 49

static const guint8 cache_key[32] = {1, 2, 3};
static const guint8 other_key[32] = {1, 2, 4};

static const char *
key_of(char *key, char c)
{
  memset(key, c, 64);
  return key;
}

static guint
mode_of(const char *path)
{
  struct stat st;

  g_assert_cmpint(lstat(path, &st), ==, 0);
  return st.st_mode & 07777;
}

/* ---- files -------------------------------------------------------------------------------- */

static gboolean
put(AppCache *cache, char c, gsize n, gboolean good)
{
  g_autofree guint8 *bytes = g_malloc0(n);
  AppCacheFile *file = app_cache_start(cache, APP_CACHE_PICTURE, KEY(c), n);

  return file && app_cache_add(file, bytes, n / 2) && app_cache_add(file, bytes, n - n / 2) &&
         app_cache_finish(file, good);
}

static gboolean
get(AppCache *cache, char c, gsize expected)
{
  g_autofree guint8 *bytes = g_malloc(expected + 1);
  gsize n;
  g_autoptr(AppCacheReader) reader = app_cache_read(cache, APP_CACHE_PICTURE, KEY(c), &n);
  gboolean ok = reader != NULL;

  if (ok) {
    g_assert_cmpuint(n, ==, expected);
    g_assert_true(app_cache_get(reader, bytes, n));
    g_assert_false(app_cache_get(reader, bytes, 1));
  }
  g_assert_cmpint(app_cache_has(cache, APP_CACHE_PICTURE, KEY(c)), ==, ok);
  return ok;
}

static void
test_modes(Kept *k, gconstpointer data)
{
  mode_t before = umask(0);
  g_autoptr(AppCache) cache = app_cache_open(k->log, cache_key);
  g_autoptr(GPtrArray) files = NULL;

  g_assert_false(get(cache, 'a', 10));
  g_assert_false(g_file_test(k->cache, G_FILE_TEST_EXISTS)); /* looking makes nothing */
  g_assert_true(put(cache, 'a', 100, TRUE));
  g_assert_true(get(cache, 'a', 100));
  g_assert_cmpuint(mode_of(k->cache), ==, 0700);
  files = kept_files(k, "");
  g_assert_cmpuint(files->len, ==, 1);
  g_assert_cmpuint(mode_of(files->pdata[0]), ==, 0600);

  /* A folder or a file that others might have written is not believed. */
  g_chmod(k->cache, 0755);
  g_assert_false(get(cache, 'a', 100));
  g_assert_true(put(cache, 'b', 100, TRUE));
  g_assert_cmpuint(mode_of(k->cache), ==, 0700);
  g_assert_true(get(cache, 'a', 100));
  g_chmod(files->pdata[0], 0644);
  g_assert_null(app_cache_read(cache, APP_CACHE_PICTURE, KEY('a'), &(gsize){0}));
  g_assert_false(g_file_test(files->pdata[0], G_FILE_TEST_EXISTS));
  umask(before);
}

static void
test_no_links(Kept *k, gconstpointer data)
{
  g_autoptr(AppCache) cache = app_cache_open(k->log, cache_key);
  g_autofree char *elsewhere = g_build_filename(k->folder, "elsewhere", NULL);
  g_autofree char *name = g_strconcat(KEY('a'), ".picture", NULL);
  g_autofree char *link_path = g_build_filename(k->cache, name, NULL);
  guint n_files;
  guint64 n_bytes;

  /* Neither a link in the folder's place, nor one in a file's. */
  g_mkdir(elsewhere, 0700);
  g_assert_cmpint(symlink(elsewhere, k->cache), ==, 0);
  g_assert_false(put(cache, 'a', 100, TRUE));
  g_assert_true(app_cache_clear(k->log, &n_files, &n_bytes, NULL));
  g_remove(k->cache);
  g_assert_true(put(cache, 'b', 100, TRUE));
  g_assert_cmpint(symlink(k->model, link_path), ==, 0);
  g_assert_null(app_cache_read(cache, APP_CACHE_PICTURE, KEY('a'), &(gsize){0}));
  g_assert_true(put(cache, 'a', 100, TRUE)); /* takes the link's place */
  g_assert_true(get(cache, 'a', 100));
  g_assert_true(g_file_test(k->model, G_FILE_TEST_IS_REGULAR));
}

static void
set_age(Kept *k, char c, gint64 seconds)
{
  g_autofree char *name = g_strconcat(KEY(c), ".picture", NULL);
  g_autofree char *path = g_build_filename(k->cache, name, NULL);
  const struct timespec times[2] = {{time(NULL) - seconds, 0}, {time(NULL) - seconds, 0}};

  g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
}

static void
test_limit(Kept *k, gconstpointer data)
{
  g_autoptr(AppCache) cache = NULL;
  g_autofree char *part = NULL;

  g_setenv("HILUM_DISK_CACHE_MB", "1", TRUE);
  cache = app_cache_open(k->log, cache_key);
  g_unsetenv("HILUM_DISK_CACHE_MB");
  for (char c = 'a'; c <= 'c'; c++) {
    g_assert_true(put(cache, c, 300 << 10, TRUE));
    set_age(k, c, 100 - (c - 'a') * 10);
  }
  g_assert_true(get(cache, 'a', 300 << 10)); /* used now, so 'b' is the oldest */
  g_assert_true(put(cache, 'd', 300 << 10, TRUE));
  g_assert_true(get(cache, 'a', 300 << 10));
  g_assert_false(get(cache, 'b', 300 << 10));
  g_assert_true(get(cache, 'c', 300 << 10));
  g_assert_false(put(cache, 'e', 600 << 10, TRUE)); /* more than half */
  g_assert_false(put(cache, 'e', 300 << 10, FALSE));
  g_assert_false(get(cache, 'e', 300 << 10));

  /* What a program that died left goes after a while; what one writes now does not. */
  part = g_strconcat(k->cache, "/", KEY('f'), ".picture.part-1-00000000", NULL);
  g_assert_true(g_file_set_contents(part, "x", 1, NULL));
  g_assert_true(put(cache, 'g', 10, TRUE));
  g_assert_true(g_file_test(part, G_FILE_TEST_EXISTS));
  {
    const struct timespec times[2] = {{time(NULL) - 7200, 0}, {time(NULL) - 7200, 0}};
    g_assert_cmpint(utimensat(AT_FDCWD, part, times, 0), ==, 0);
  }
  g_assert_true(put(cache, 'g', 10, TRUE));
  g_assert_false(g_file_test(part, G_FILE_TEST_EXISTS));
}

/* ---- seals -------------------------------------------------------------------------------- */

static char *
file_of(Kept *k, char c)
{
  g_autofree char *name = g_strconcat(KEY(c), ".picture", NULL);

  return g_build_filename(k->cache, name, NULL);
}

/* Whether N bytes that are no zeros come back as they were put. */
static void
check_size(AppCache *cache, gsize n)
{
  g_autofree guint8 *bytes = g_malloc(n);
  g_autofree guint8 *back = g_malloc(n);
  g_autoptr(AppCacheReader) reader = NULL;
  AppCacheFile *file = app_cache_start(cache, APP_CACHE_PICTURE, KEY('a'), n);
  gsize n_back = 0;

  for (gsize i = 0; i < n; i++) {
    bytes[i] = (guint8)(i * 7 + i / 251);
  }
  for (gsize i = 0; i < n; i += 40000) { /* in pieces that are none of the file's parts */
    g_assert_true(app_cache_add(file, bytes + i, MIN((gsize)40000, n - i)));
  }
  g_assert_true(app_cache_finish(file, TRUE));
  reader = app_cache_read(cache, APP_CACHE_PICTURE, KEY('a'), &n_back);
  g_assert_nonnull(reader);
  g_assert_cmpuint(n_back, ==, n);
  for (gsize i = 0; i < n; i += 30000) {
    g_assert_true(app_cache_get(reader, back + i, MIN((gsize)30000, n - i)));
  }
  g_assert_cmpmem(back, n, bytes, n);
  g_assert_false(app_cache_get(reader, back, 1));
}

static void
test_sealed(Kept *k, gconstpointer data)
{
  static const gsize sizes[] = {1, 1000, 65535, 65536, 65537, 131072, 131073, 200000};
  g_autoptr(AppCache) cache = app_cache_open(k->log, cache_key);
  g_autoptr(AppCache) other = NULL;
  g_autofree char *a = file_of(k, 'a'), *b = file_of(k, 'b'), *bytes = NULL, *zeros = NULL;
  gsize n;

  g_assert_null(app_cache_open(k->log, NULL)); /* no key, no cache */
  for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
    check_size(cache, sizes[i]);
  }
  g_assert_true(put(cache, 'a', 200000, TRUE));
  g_assert_true(g_file_get_contents(a, &bytes, &n, NULL));
  zeros = g_malloc0(32);
  g_assert_null(memmem(bytes, n, zeros, 32));
  /* Called another, under another key, or cut at the end of a part: not believed, and gone. */
  g_assert_cmpint(g_rename(a, b), ==, 0);
  {
    g_autoptr(AppCacheReader) reader = app_cache_read(cache, APP_CACHE_PICTURE, KEY('b'), &n);
    g_assert_false(app_cache_get(reader, zeros, 1));
    g_assert_false(g_file_test(b, G_FILE_TEST_EXISTS));
  }
  g_assert_true(put(cache, 'a', 200000, TRUE));
  g_assert_cmpint(truncate(a, 32 + 2 * (65536 + 17)), ==, 0);
  {
    g_autoptr(AppCacheReader) reader = app_cache_read(cache, APP_CACHE_PICTURE, KEY('a'), &n);
    g_autofree guint8 *back = g_malloc(131072);
    g_assert_false(app_cache_get(reader, back, 131072));
    g_assert_false(g_file_test(a, G_FILE_TEST_EXISTS));
  }
  g_assert_true(put(cache, 'a', 1000, TRUE));
  other = app_cache_open(k->log, other_key);
  {
    g_autoptr(AppCacheReader) reader = app_cache_read(other, APP_CACHE_PICTURE, KEY('a'), &n);
    g_assert_false(app_cache_get(reader, zeros, 1));
    g_assert_false(g_file_test(a, G_FILE_TEST_EXISTS));
  }
  /* Files of a time before there were seals go when the cache is opened. */
  g_assert_true(put(cache, 'c', 1000, TRUE));
  g_assert_true(g_file_set_contents(a, "plain picture", -1, NULL));
  g_clear_pointer(&other, app_cache_free);
  other = app_cache_open(k->log, cache_key);
  g_assert_false(g_file_test(a, G_FILE_TEST_EXISTS));
  g_assert_true(get(other, 'c', 1000));
}

static void
test_list_and_clear(Kept *k, gconstpointer data)
{
  g_autoptr(AppCache) cache = app_cache_open(k->log, cache_key);
  g_autofree char *foreign = g_build_filename(k->cache, "notes.txt", NULL);
  g_autoptr(JsonNode) empty = app_cache_list(k->log), list = NULL, after = NULL;
  g_autoptr(GError) error = NULL;
  JsonObject *first;
  guint n_files;
  guint64 n_bytes;

  g_assert_cmpuint(json_array_get_length(json_node_get_array(empty)), ==, 0);
  g_assert_true(app_cache_clear(k->log, &n_files, &n_bytes, &error));
  g_assert_cmpuint(n_files, ==, 0);
  g_assert_true(put(cache, 'a', 100, TRUE));
  set_age(k, 'a', 60);
  g_assert_true(put(cache, 'b', 50, TRUE));
  g_assert_true(g_file_set_contents(foreign, "x", 1, NULL));
  g_chmod(k->cache, 0755); /* what lies open is erased all the same */
  list = app_cache_list(k->log);
  g_assert_cmpuint(json_array_get_length(json_node_get_array(list)), ==, 2);
  first = json_array_get_object_element(json_node_get_array(list), 0);
  g_assert_cmpint(json_object_get_int_member(first, "bytes"), ==, 50 + OVERHEAD);
  g_assert_cmpstr(json_object_get_string_member(first, "kind"), ==, "picture");
  g_assert_true(app_cache_clear(k->log, &n_files, &n_bytes, &error));
  g_assert_cmpuint(n_files, ==, 2);
  g_assert_cmpuint(n_bytes, ==, 150 + 2 * OVERHEAD);
  after = app_cache_list(k->log);
  g_assert_cmpuint(json_array_get_length(json_node_get_array(after)), ==, 0);
  g_assert_true(g_file_test(foreign, G_FILE_TEST_EXISTS)); /* not ours */
}

/* ---- reviews ------------------------------------------------------------------------------ */

static Said
ask_anew(Kept *k, gboolean no_cache, const char *text)
{
  AppReview *review = kept_review(k, no_cache);
  Said said = kept_ask(review, k->image, 0, text);

  app_review_free(review);
  return said;
}

static void
test_another_day(Kept *k, gconstpointer data)
{
  g_auto(Said) first = ask_anew(k, TRUE, "What?"), second = {0}, third = {0}, other = {0};
  g_autoptr(GPtrArray) files = NULL;

  g_assert_false(g_file_test(k->cache, G_FILE_TEST_EXISTS));
  second = ask_anew(k, FALSE, "What?");
  g_assert_cmpuint(second.n_encodings, ==, 1);
  files = kept_files(k, "");
  g_assert_cmpuint(files->len, ==, 2);
  for (guint i = 0; i < files->len; i++) {
    g_assert_cmpuint(mode_of(files->pdata[i]), ==, 0600);
  }
  third = ask_anew(k, FALSE, "What?");
  g_assert_cmpuint(third.n_encodings, ==, 0);
  g_assert_true(third.image_cached);
  g_assert_cmpuint(third.n_cached, >, 4);
  g_assert_cmpuint(third.n_computed + third.n_cached, ==, second.n_computed);
  g_assert_cmpstr(first.ids, ==, second.ids);
  g_assert_cmpstr(first.ids, ==, third.ids);

  /* Without the state, the rows; they give no keys and values. */
  for (guint i = 0; i < files->len; i++) {
    if (g_str_has_suffix(files->pdata[i], ".state")) {
      g_remove(files->pdata[i]);
    }
  }
  other = ask_anew(k, FALSE, "What?");
  g_assert_cmpuint(other.n_encodings, ==, 0);
  g_assert_cmpuint(other.n_cached, ==, 0);
  g_assert_cmpstr(first.ids, ==, other.ids);
}

static void
test_switched_off(Kept *k, gconstpointer data)
{
  AppReviewOptions options = {.model = {.model = k->model}, .log_path = k->log};
  AppReview *review;
  g_auto(Said) first = {0}, second = {0};

  g_setenv("HILUM_CACHE", "off", TRUE);
  review = app_review_new(&options, NULL);
  first = kept_ask(review, k->image, 0, "What?");
  app_review_free(review);
  g_unsetenv("HILUM_CACHE");
  options.no_log = TRUE;
  review = app_review_new(&options, NULL);
  second = kept_ask(review, k->image, 0, "What?");
  app_review_free(review);
  g_assert_false(g_file_test(k->cache, G_FILE_TEST_EXISTS));
}

/* The file at PATH with a flipped bit, or an end too early; NUMBER says where. */
static gsize
damage(const char *path, guint number)
{
  g_autofree char *bytes = NULL;
  g_autoptr(GError) error = NULL;
  gsize n, at;
  int fd;

  g_assert_true(g_file_get_contents(path, &bytes, &n, &error));
  at = number < 20 ? number * 9 : n - 1 - (number - 20) * (n / 11);
  bytes[at] ^= (char)(1 << number % 8);
  fd = g_open(path, O_WRONLY | O_TRUNC, 0600);
  g_assert_cmpint(write(fd, bytes, number % 2 ? n : at), >=, 0);
  close(fd);
  return n;
}

/* Damaged anywhere: computed again, and the file replaced. */
static void
test_damage(Kept *k, gconstpointer data)
{
  g_auto(Said) whole = ask_anew(k, FALSE, "What?");
  g_autoptr(GPtrArray) states = kept_files(k, ".state"), pictures = kept_files(k, ".picture");

  g_assert_cmpuint(states->len, ==, 1);
  g_assert_cmpuint(pictures->len, ==, 1);
  for (guint i = 0; i < 60; i++) {
    const char *path = i < 30 ? states->pdata[0] : pictures->pdata[0];
    const gsize n = damage(path, i % 30);
    g_auto(Said) said = {0};
    g_autofree char *bytes = NULL;
    gsize n_now;
    if (i >= 30) {
      g_remove(states->pdata[0]); /* which would do without the picture */
    }
    said = ask_anew(k, FALSE, "What?");
    g_assert_cmpstr(said.ids, ==, whole.ids);
    g_assert_cmpuint(said.n_encodings, ==, i >= 30);
    g_assert_cmpuint(said.n_cached, ==, 0);
    g_assert_true(g_file_get_contents(path, &bytes, &n_now, NULL));
    g_assert_cmpuint(n_now, ==, n);
  }
}

static void
test_full_disk(Kept *k, gconstpointer data)
{
  AppReview *review = kept_review(k, FALSE);
  g_auto(Said) first = kept_ask(review, k->image, 0, "What?"), second = {0};
  struct rlimit before, full;
  g_autoptr(GPtrArray) files = NULL;

  signal(SIGXFSZ, SIG_IGN);
  g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
  full = before;
  full.rlim_cur = 1000;
  g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &full), ==, 0);
  app_review_free(review);
  g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &before), ==, 0);
  files = kept_files(k, "");
  g_assert_cmpuint(files->len, ==, 0);
  second = ask_anew(k, FALSE, "What?");
  g_assert_cmpstr(first.ids, ==, second.ids);
}

/* Earlier answers of the log make no difference but in time. */
static void
test_lookup_log(Kept *k, gconstpointer data)
{
  const AppImageChoice choice = {.path = k->image};
  const AppQuestion question = {.question = "What?",
                                .image = &choice,
                                .sampling = {.top_p = 1, .max_tokens = 40, .lookup = 8}};
  const AppReviewOptions options = {
      .model = {.model = k->model}, .log_path = k->log, .lookup_log = TRUE};
  g_autofree char *first = NULL;

  for (guint i = 0; i < 3; i++) {
    AppReview *review = app_review_new(&options, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) node = app_review_ask(review, &question, NULL, NULL, &error);
    JsonObject *turn, *timing;
    g_autofree char *ids = NULL;
    g_assert_no_error(error);
    turn = json_node_get_object(node);
    timing = json_object_get_object_member(turn, "timing");
    ids = app_json_text(json_object_get_member(turn, "answer_ids"));
    g_assert_cmpint(json_object_get_int_member(timing, "accepted"), <=,
                    json_object_get_int_member(timing, "drafted"));
    if (i == 0) {
      first = g_steal_pointer(&ids);
    } else {
      g_assert_cmpstr(ids, ==, first);
    }
    app_review_free(review);
  }
}

/* Programs that write, read and push out the same files at once. */
static void
test_processes(Kept *k, gconstpointer data)
{
  const char *program = g_getenv("HILUM_BIN");
  g_auto(Said) whole = ask_anew(k, TRUE, "What?");
  GSubprocess *running[12];
  g_autoptr(GSubprocessLauncher) launcher =
      g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_autoptr(GPtrArray) parts = NULL;

  if (!program) {
    g_test_skip("HILUM_BIN is not set");
    return;
  }
  g_subprocess_launcher_setenv(launcher, "HILUM_DISK_CACHE_MB", "1", TRUE);
  for (guint i = 0; i < G_N_ELEMENTS(running); i++) {
    g_autoptr(GError) error = NULL;
    running[i] = g_subprocess_launcher_spawn(
        launcher, &error, program, "ask", "--model", k->model, "--image", k->image, "--log", k->log,
        "--greedy", "--max-tokens", "6", "--json", "--question", "What?", "--threads", "1", NULL);
    g_assert_no_error(error);
  }
  for (guint i = 0; i < G_N_ELEMENTS(running); i++) {
    g_autofree char *out = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) node = NULL;
    g_auto(Said) said = {0};
    g_assert_true(g_subprocess_communicate_utf8(running[i], NULL, NULL, &out, NULL, &error));
    g_assert_true(g_subprocess_get_successful(running[i]));
    node = json_from_string(out, &error);
    g_assert_no_error(error);
    said = said_of(node, 0);
    g_assert_cmpstr(said.ids, ==, whole.ids);
    g_object_unref(running[i]);
  }
  parts = kept_files(k, "");
  for (guint i = 0; i < parts->len; i++) {
    g_assert_null(strstr(parts->pdata[i], ".part-"));
  }
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*test)(Kept *k, gconstpointer data);
  } tests[] = {{"/cache/modes", test_modes},
               {"/cache/no-links", test_no_links},
               {"/cache/limit", test_limit},
               {"/cache/list-and-clear", test_list_and_clear},
               {"/cache/sealed", test_sealed},
               {"/cache/another-day", test_another_day},
               {"/cache/switched-off", test_switched_off},
               {"/cache/damage", test_damage},
               {"/cache/full-disk", test_full_disk},
               {"/cache/lookup-log", test_lookup_log},
               {"/cache/processes", test_processes}};

  g_test_init(&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
    g_test_add(tests[i].path, Kept, NULL, kept_set_up, tests[i].test, kept_tear_down);
  }
  return g_test_run();
}
