/* test-cache-key.c - the key of what is kept about pictures: the log's own, and gone when erased.
 */
#include "log-fixture.h"

static gboolean
key_of(StoreLog *log, guint8 key[32], StoreError expected)
{
  g_autoptr(GError) error = NULL;
  gboolean good = store_log_cache_key(log, key, &error);

  if (!good) {
    g_assert_error(error, STORE_ERROR, (int)expected);
  }
  return good;
}

static void
test_key(LogFolder *folder, gconstpointer data)
{
  StoreLog *log, *reader;
  g_autoptr(GError) error = NULL;
  guint8 key[32], again[32];

  make_log(folder->path, 2);
  reader = open_log(folder->path, TRUE);
  g_assert_false(key_of(reader, key, STORE_ERROR_NOT_FOUND));
  log = open_log(folder->path, FALSE);
  g_assert_true(key_of(log, key, 0));
  g_assert_true(key_of(reader, again, 0));
  g_assert_cmpmem(key, 32, again, 32);
  store_log_close(log);
  log = open_log(folder->path, FALSE);
  g_assert_true(key_of(log, again, 0));
  g_assert_cmpmem(key, 32, again, 32);
  /* Erased, it is another one, and the log's own texts are what they were. */
  g_assert_true(store_log_erase_cache_key(log, &error));
  g_assert_no_error(error);
  g_assert_true(key_of(log, again, 0));
  g_assert_cmpint(memcmp(key, again, 32), !=, 0);
  g_assert_true(store_log_erase_cache_key(log, &error));
  g_assert_true(store_log_erase_cache_key(log, &error)); /* where there is none */
  g_assert_no_error(error);
  g_assert_false(key_of(reader, again, STORE_ERROR_NOT_FOUND));
  make_log(folder->path, 1);
  store_log_close(reader);
  store_log_close(log);
}

static void
test_locked(LogFolder *folder, gconstpointer data)
{
  const StoreOpen how = {.read_only = TRUE, .locked = TRUE};
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = NULL;
  guint8 key[32];

  make_log(folder->path, 1);
  log = store_log_open_with(folder->path, &how, &error);
  g_assert_no_error(error);
  g_assert_false(key_of(log, key, STORE_ERROR_LOCKED));
  g_assert_false(store_log_erase_cache_key(log, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_LOCKED);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  LOG_TEST("/cache-key/key", test_key);
  LOG_TEST("/cache-key/locked", test_locked);
  return g_test_run();
}
