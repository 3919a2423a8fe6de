/* rotate-fixture.h - logs that go on from one another. */
#ifndef HILUM_TESTS_DATA_ROTATE_FIXTURE_H
#define HILUM_TESTS_DATA_ROTATE_FIXTURE_H

#include "log-fixture.h"
#include "log/chain.h"
#include "record.h"

static inline char *
in_folder(LogFolder *folder, const char *name)
{
  return g_build_filename(folder->folder, name, NULL);
}

static inline gboolean
exists(const char *path, const char *suffix)
{
  g_autofree char *whole = g_strconcat(path, suffix, NULL);

  return g_file_test(whole, G_FILE_TEST_EXISTS);
}

/* CLOCK: years that the clock is off, in this rotation alone. */
static inline StoreLink *
rotate(const char *path, const StoreSecrets *secrets, int clock)
{
  const StoreOpen how = {.secrets = secrets};
  g_autoptr(GError) error = NULL;
  StoreLink *link =
      store_rotate_at(path, &how, clock * 365 * G_TIME_SPAN_DAY + clock * G_TIME_SPAN_DAY, &error);

  g_assert_no_error(error);
  g_assert_nonnull(link);
  return link;
}

static inline GPtrArray *
links_of(const char *path, gboolean verify)
{
  const StoreOpen how = {.locked = TRUE};
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = store_log_open_with(path, &how, &error);
  GPtrArray *links = log ? store_log_links(log, &error) : NULL;

  g_assert_no_error(error);
  if (verify) {
    g_assert_true(store_log_verify_links(links, NULL, NULL, NULL, &error));
    g_assert_no_error(error);
  }
  return links;
}

/* N logs that go on from one another, all whole. */
static inline void
assert_links_whole(const char *path, guint n)
{
  g_autoptr(GPtrArray) links = links_of(path, TRUE);

  g_assert_cmpuint(links->len, ==, n);
  for (guint i = 0; i < n; i++) {
    const StoreLink *link = links->pdata[i];
    g_assert_cmpstr(link->found, ==, NULL);
    g_assert_cmpint(link->state, ==, STORE_LINK_THERE);
    g_assert_cmpuint(link->number, ==, n - i);
    g_assert_true(link->report->whole);
    g_assert_cmpint(link->report->events, ==, link->events);
    g_assert_cmpint(link->report->signed_events, ==, link->events);
  }
}

/* The log itself, which nothing speaks against. */
static inline void
assert_whole(const char *path)
{
  const StoreOpen how = {.locked = TRUE};
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = store_log_open_with(path, &how, &error);
  g_autoptr(StoreReport) report = log ? store_log_verify(log, NULL, NULL, NULL, &error) : NULL;

  g_assert_no_error(error);
  g_assert_cmpstr(report->found, ==, NULL);
}

/* What the first turn of conversation 1 asked, NULL: it was erased. g_free(). */
static inline char *
first_question(const char *path, const StoreSecrets *secrets)
{
  const StoreOpen how = {.read_only = TRUE, .secrets = secrets};
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = store_log_open_with(path, &how, &error);
  g_autoptr(GPtrArray) turns = log ? store_log_show(log, 1, &error) : NULL;
  const StoreTurnRow *row;

  g_assert_no_error(error);
  row = turns->pdata[0];
  return row->erased ? NULL : g_strdup(row->turn.question);
}

#endif
