/* test-postings.c - words and which conversations they are in: sets of every size come back as they
 * went, however often they are added to; and what no Hilum wrote is refused. */
#include "log/postings.h"
#include "log/terms.h"
#include <string.h>

static sqlite3 *
new_index(void)
{
  sqlite3 *db = NULL;

  g_assert_cmpint(sqlite3_open(":memory:", &db), ==, SQLITE_OK);
  g_assert_cmpint(sqlite3_exec(db, store_postings_tables, NULL, NULL, NULL), ==, SQLITE_OK);
  return db;
}

static void
add(sqlite3 *db, const char *term, gint64 first, gint64 step, guint n)
{
  g_autoptr(StoreGathering) gathering = store_gathering_new();

  for (guint i = 0; i < n; i++) {
    store_gathering_add(gathering, first + step * i, term, strlen(term));
  }
  g_assert_cmpint(store_gathering_write(gathering, db), ==, SQLITE_OK);
  g_assert_cmpuint(store_gathering_count(gathering), ==, 0);
}

/* "8191 5 0 ", of the shard. */
static char *
get(sqlite3 *db, gint64 shard, const char *term, gboolean begins)
{
  g_auto(StorePostings) postings = {0};
  GString *text = g_string_new("");
  StoreSet set;

  g_assert_cmpint(store_postings_open(&postings, db), ==, SQLITE_OK);
  g_assert_cmpint(store_postings_get(&postings, shard, term, strlen(term), begins, &set), ==,
                  SQLITE_OK);
  for (gint i = store_set_last(&set, STORE_SHARD - 1); i >= 0; i = store_set_last(&set, i - 1)) {
    g_string_append_printf(text, "%d ", i);
  }
  return g_string_free(text, FALSE);
}

static void
assert_get(sqlite3 *db, gint64 shard, const char *term, gboolean begins, const char *expected)
{
  g_autofree char *found = get(db, shard, term, begins);

  g_assert_cmpstr(found, ==, expected);
}

static void
test_sets(void)
{
  g_autoptr(sqlite3) db = new_index();
  g_auto(StorePostings) postings = {0};
  gint64 shard = 0;

  add(db, "one", 8191, 1, 2); /* the last of a shard and the first of the next */
  add(db, "one", 5, 1, 1);
  add(db, "one", 5, 1, 1); /* again */
  add(db, "only", 8192 + 63, 1, 2);
  assert_get(db, 0, "one", FALSE, "8191 5 ");
  assert_get(db, 1, "one", FALSE, "0 ");
  assert_get(db, 1, "on", FALSE, "");
  assert_get(db, 1, "on", TRUE, "64 63 0 ");
  assert_get(db, 1, "onl", TRUE, "64 63 ");
  assert_get(db, 1, "onlyx", TRUE, "");
  assert_get(db, 2, "o", TRUE, "");
  g_assert_cmpint(store_postings_open(&postings, db), ==, SQLITE_OK);
  g_assert_cmpint(store_postings_shard(&postings, G_MAXINT64, &shard), ==, SQLITE_OK);
  g_assert_cmpint(shard, ==, 1);
  g_assert_cmpint(store_postings_shard(&postings, 0, &shard), ==, SQLITE_OK);
  g_assert_cmpint(shard, ==, 0);
  g_assert_cmpint(store_postings_shard(&postings, -1, &shard), ==, SQLITE_OK);
  g_assert_cmpint(shard, ==, -1);
}

/* From a list to bits, by way of every size. */
static void
test_growing(void)
{
  g_autoptr(sqlite3) db = new_index();

  for (gint step = 7; step >= 1; step -= 2) {
    GString *expected = g_string_new("");
    g_autofree char *term = g_strdup_printf("term%d", step);

    for (gint batch = 0; batch < 8; batch++) {
      add(db, term, batch, 8 * step, (guint)(STORE_SHARD / (8 * (guint)step)));
    }
    for (gint i = (gint)STORE_SHARD - 1; i >= 0; i--) {
      if (i % (8 * step) < 8 && i / (8 * step) < (gint)(STORE_SHARD / (8 * (guint)step))) {
        g_string_append_printf(expected, "%d ", i);
      }
    }
    assert_get(db, 0, term, FALSE, expected->str);
    g_string_free(expected, TRUE);
  }
}

static void
test_odd_lists(void)
{
  static const char *const odd[] = {
      "X'00'",          /* twice the same */
      "X'80'",          /* cut */
      "X'FFFF'",        /* beyond the shard */
      "X'FF3F7F7F'",    /* the second beyond it */
      "zeroblob(1025)", /* too long for bits */
  };

  for (guint i = 0; i < G_N_ELEMENTS(odd); i++) {
    g_autoptr(sqlite3) db = new_index();
    g_autofree char *sql =
        g_strdup_printf("INSERT INTO posting VALUES (0, CAST('a' AS BLOB), %s)", odd[i]);
    g_auto(StorePostings) postings = {0};
    StoreSet set;

    g_assert_cmpint(sqlite3_exec(db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(store_postings_open(&postings, db), ==, SQLITE_OK);
    g_assert_cmpint(store_postings_get(&postings, 0, "a", 1, TRUE, &set), ==, SQLITE_CORRUPT);
  }
}

static void
note_term(const char *term, gsize n, gboolean pair, gpointer user)
{
  g_string_append_printf(user, pair ? "+ " : "%.*s ", (int)n, term);
  g_assert_true(!pair || (n == STORE_PAIR_TERM && term[0] == 1));
}

static void
test_terms(void)
{
  g_autofree char *tall = g_strnfill(70, 'a');
  const struct {
    const char *text, *terms;
  } cases[] = {
      {"", ""},
      {" - ", ""},
      {"X-ray", "x + ray "},
      {"R\xc3\xbc"
       "ckgang 3.5 cm",
       "ruckgang + 3 + 5 + cm "},
      {tall, NULL}, /* cut */
  };
  g_autoptr(sqlite3) db = new_index();
  g_autoptr(StoreTerms) terms = store_terms_new(db);

  g_assert_nonnull(terms);
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GString) found = g_string_new("");
    g_assert_true(store_terms_each(terms, cases[i].text, note_term, found));
    if (cases[i].text == tall) {
      g_assert_cmpuint(found->len, ==, STORE_MOST_TERM + 1);
    } else {
      g_assert_cmpstr(found->str, ==, cases[i].terms);
    }
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/postings/sets", test_sets);
  g_test_add_func("/postings/growing", test_growing);
  g_test_add_func("/postings/odd-lists", test_odd_lists);
  g_test_add_func("/postings/terms", test_terms);
  return g_test_run();
}
