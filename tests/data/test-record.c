/* test-record.c - the log proves itself: what was changed is found, what is shown to others can be
 * checked by them, and what was erased is gone. */
#include "log-fixture.h"
#include "log/private.h"
#include "log/row.h"
#include "record.h"
#include <sodium.h>

#define FREE                                                                                       \
  "PRAGMA foreign_keys = OFF; DROP TRIGGER event_no_update; DROP TRIGGER event_no_delete;"         \
  "DROP TRIGGER event_no_replace; DROP TRIGGER turn_no_update; DROP TRIGGER turn_no_delete;"       \
  "DROP TRIGGER turn_no_replace; DROP TRIGGER image_no_update; DROP TRIGGER block_no_update;"      \
  "DROP TRIGGER block_no_delete;"

/* The triggers as Hilum makes them are put back, so that the opening finds nothing. */
static void
tamper(const char *path, const char *sql)
{
  g_autofree char *side = g_strconcat(path, "-side", NULL);
  g_autofree char *keep = g_strdup_printf(
      "ATTACH '%s' AS side; CREATE TABLE side.texts AS SELECT sql FROM main.sqlite_schema"
      " WHERE type = 'trigger'",
      side);
  g_autofree char *whole = g_strconcat(FREE, sql, NULL);
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;

  run_sql(path, keep);
  run_sql(path, whole);
  g_assert_cmpint(sqlite3_open(side, &db), ==, SQLITE_OK);
  g_assert_cmpint(sqlite3_prepare_v2(db, "SELECT sql FROM texts", -1, &statement, NULL), ==,
                  SQLITE_OK);
  while (sqlite3_step(statement) == SQLITE_ROW) {
    try_sql(path, (const char *)sqlite3_column_text(statement, 0)); /* most are there */
  }
  sqlite3_finalize(statement);
  sqlite3_close(db);
  g_remove(side);
}

/* Flips a bit of the signature of checkpoint NUMBER, which is counted from 1. */
static void
spoil_head(const char *head, const char *text, guint number)
{
  g_autofree char *spoilt = g_strdup(text);
  char *at = spoilt;

  for (guint i = 0; i < number; i++) {
    at = strstr(at + 1, "\xe2\x80\x94 ");
    g_assert_nonnull(at);
  }
  *(strchr(at, '\n') - 20) ^= 1;
  g_assert_true(g_file_set_contents(head, spoilt, -1, NULL));
}

static gpointer
work_in_thread(gpointer data)
{
  gpointer *pair = data;

  ((StoreWork)pair[0])(pair[1]);
  return NULL;
}

/* Threads, or, where USER says so, one item after the other, the last first. */
static void
work(StoreWork work_on, gpointer *items, guint n, gpointer user)
{
  gpointer pairs[3][2];
  GThread *threads[3] = {NULL};

  g_assert_cmpuint(n, ==, 3);
  for (guint i = 1; i < n; i++) {
    pairs[i][0] = (gpointer)work_on;
    pairs[i][1] = items[i];
    threads[i] = user ? NULL : g_thread_new("hand", work_in_thread, pairs[i]);
  }
  for (guint i = n - 1; user && i > 0; i--) {
    work_on(items[i]);
  }
  work_on(items[0]);
  for (guint i = 1; i < n && !user; i++) {
    g_thread_join(threads[i]);
  }
}

static void
assert_same_report(const StoreReport *report, const StoreReport *expected)
{
  g_assert_cmpint(report->whole, ==, expected->whole);
  g_assert_cmpstr(report->found, ==, expected->found);
  g_assert_cmpint(report->first, ==, expected->first);
  g_assert_cmpint(report->events, ==, expected->events);
  g_assert_cmpstr(report->root, ==, expected->root);
  g_assert_cmpuint(report->checkpoints, ==, expected->checkpoints);
  g_assert_cmpint(report->signed_events, ==, expected->signed_events);
  g_assert_cmpstr(report->signed_at, ==, expected->signed_at);
  g_assert_cmpint(report->clock_back, ==, expected->clock_back);
  g_assert_cmpint(report->clock_back_first, ==, expected->clock_back_first);
}

/* However many look, and in whatever order, they find the same. */
static void
assert_same_by_hands(StoreLog *log, const StoreKept *kept, const StoreReport *expected)
{
  for (guint i = 0; i < 2; i++) {
    const StoreHands hands = {
        .n = 3, .run = work, .user = i ? (gpointer)log : NULL, .events = 1024};
    g_autoptr(GError) error = NULL;
    g_autoptr(StoreReport) report = store_log_verify_with(log, kept, &hands, NULL, NULL, &error);

    g_assert_no_error(error);
    assert_same_report(report, expected);
  }
}

static StoreReport *
verify(const char *path, const char *key)
{
  const StoreOpen how = {.locked = TRUE}; /* who verifies needs no key that opens a text */
  const StoreKept kept = {.public_key = key};
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = store_log_open_with(path, &how, &error);
  StoreReport *report;

  g_assert_no_error(error);
  report = store_log_verify(log, &kept, NULL, NULL, &error);
  g_assert_no_error(error);
  assert_same_by_hands(log, &kept, report);
  g_assert_null(report->found ? strstr(report->found, SECRET_NAME) : NULL);
  return report;
}

static void
assert_found(const char *path, const char *pattern, gint64 first)
{
  g_autoptr(StoreReport) report = verify(path, NULL);

  g_assert_false(report->whole);
  if (!g_pattern_match_simple(pattern, report->found)) {
    g_test_message("found \"%s\", expected \"%s\"", report->found, pattern);
    g_test_fail();
  }
  if (first) {
    g_assert_cmpint(report->first, ==, first);
  }
}

static void
test_whole(LogFolder *folder, gconstpointer data)
{
  g_autoptr(StoreReport) report = NULL;

  make_log(folder->path, 3);
  report = verify(folder->path, NULL);
  g_assert_null(report->found);
  g_assert_true(report->whole);
  g_assert_cmpint(report->events, ==, 7); /* log, model, conversation, image, three turns */
  g_assert_cmpint(report->signed_events, ==, 7);
  g_assert_cmpuint(report->checkpoints, ==, 1);
  g_assert_nonnull(report->signed_at);
  g_assert_cmpint(report->clock_back, ==, 0);
}

/* What came after the last checkpoint is said to be so. */
static void
test_unsigned_end(LogFolder *folder, gconstpointer data)
{
  gint64 conversation = make_log(folder->path, 1);
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  g_autoptr(StoreReport) report = NULL;

  g_assert_cmpint(add_numbered_turn(log, conversation, 2, &error), >, 0);
  report = verify(folder->path, NULL);
  g_assert_true(report->whole);
  g_assert_cmpint(report->events, ==, 6);
  g_assert_cmpint(report->signed_events, ==, 5);
}

static const struct {
  const char *name, *sql, *pattern;
  gint64 first;
} changes[] = {
    {"time", "UPDATE event SET time = '2001-01-01T00:00:00.000Z' WHERE seq = 4",
     "event 4 *it was changed", 4},
    {"kind", "UPDATE event SET kind = 'imagf' WHERE seq = 4", "event 4 *it was changed", 4},
    {"subject", "UPDATE event SET subject = subject + 1 WHERE seq = 4", "event 4 *changed", 4},
    {"body", "UPDATE event SET body = replace(body, 'CT', 'CR') WHERE seq = 4",
     "event 4 *it was changed", 4},
    {"sealed", "UPDATE event SET sealed = zeroblob(length(sealed)) WHERE seq = 4",
     "event 4 *it was changed", 4},
    {"previous", "UPDATE event SET previous = zeroblob(32) WHERE seq = 4",
     "event 4 *it was changed", 4},
    {"hash", "UPDATE event SET hash = zeroblob(32) WHERE seq = 4", "event 4 *it was changed", 4},
    {"number", "UPDATE event SET seq = 99 WHERE seq = 7", "event 7 is missing", 7},
    {"swap",
     "UPDATE event SET seq = 99 WHERE seq = 5; UPDATE event SET seq = 5 WHERE seq = 6;"
     "UPDATE event SET seq = 6 WHERE seq = 99",
     "event 5 *it was changed", 5},
    {"delete-middle", "DELETE FROM event WHERE seq = 5", "event 5 is missing", 5},
    {"delete-last", "DELETE FROM event WHERE seq = 7; DELETE FROM turn WHERE number = 3",
     "7 events were signed, and there are 6*", 7},
    {"insert",
     "INSERT INTO event SELECT 8, time, kind, subject, body, sealed, previous, hash FROM event"
     " WHERE seq = 7",
     "event 8 *it was changed", 8},
    {"derived-value", "UPDATE turn SET image = NULL WHERE number = 2", "table turn, row 2 *", 6},
    {"derived-lookup", "UPDATE image SET lookup = zeroblob(32)", "table image, row 1 *", 4},
    {"derived-row-gone", "DELETE FROM turn WHERE number = 3", "table turn has 2 rows, expected 3*",
     0},
    {"derived-row-more", "INSERT INTO turn VALUES (9, 7, 1, 4, 1)", "table turn, row 9 *", 7},
    {"block-from-nowhere", "INSERT INTO block VALUES (1, 7, zeroblob(32))", "table block has*", 0},
};

static void
test_change(LogFolder *folder, gconstpointer data)
{
  guint i = GPOINTER_TO_UINT(data);

  make_log(folder->path, 3);
  tamper(folder->path, changes[i].sql);
  assert_found(folder->path, changes[i].pattern, changes[i].first);
}

/* The first event names the log: without it, or with another's, nothing is opened. */
static void
test_without_first(LogFolder *folder, gconstpointer data)
{
  make_log(folder->path, 1);
  tamper(folder->path, "DELETE FROM event WHERE seq = 1");
  assert_refused(folder->path, TRUE, STORE_ERROR_CORRUPT, "event 1: found nothing*");
}

/* Whoever holds the file can compute every hash anew. The signed roots tell. */
static void
test_rewritten(LogFolder *folder, gconstpointer data)
{
  const StoreOpen how = {.read_only = FALSE};
  g_autofree char *other = g_build_filename(folder->folder, "other.sqlite", NULL);
  g_autofree char *head = g_strconcat(folder->path, ".head", NULL);
  g_autofree char *signed_heads = NULL;
  static const char *const beside[] = {"", ".keys", ".key", ".pub"};
  gint64 conversation;

  /* The same beginning, and another end: what an attacker with all keys but no time machine does.
   */
  make_log(folder->path, 0);
  for (guint i = 0; i < G_N_ELEMENTS(beside); i++) {
    g_autofree char *from = g_strconcat(folder->path, beside[i], NULL);
    g_autofree char *to = g_strconcat(other, beside[i], NULL);
    g_autofree char *bytes = NULL;
    gsize n = 0;
    g_assert_true(g_file_get_contents(from, &bytes, &n, NULL));
    g_assert_true(g_file_set_contents(to, bytes, (gssize)n, NULL));
    g_chmod(to, 0600);
  }
  conversation = 1;
  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    g_autoptr(StoreLog) forged = store_log_open_with(other, &how, NULL);
    g_assert_cmpint(add_numbered_turn(log, conversation, 1, NULL), >, 0);
    g_assert_cmpint(add_numbered_turn(forged, conversation, 2, NULL), >, 0);
    g_assert_cmpint(add_numbered_turn(forged, conversation, 3, NULL), >, 0);
  }
  g_assert_true(g_file_get_contents(head, &signed_heads, NULL, NULL));
  {
    g_autofree char *bytes = NULL;
    gsize n = 0;
    g_assert_true(g_file_get_contents(other, &bytes, &n, NULL));
    g_assert_true(g_file_set_contents(folder->path, bytes, (gssize)n, NULL));
  }
  assert_found(folder->path, "the first 5 events are not those that were signed at *", 0);
}

/* The tail is cut and LOG.head is rewound with it: nothing on this machine can tell, but whoever
 * kept a checkpoint elsewhere (a proof, an export) can. See THREATS.md. */
static void
test_older_copy(LogFolder *folder, gconstpointer data)
{
  g_autofree char *old = NULL;
  g_autoptr(GError) error = NULL;
  gsize n = 0;

  make_log(folder->path, 2);
  g_assert_true(g_file_get_contents(folder->path, &old, &n, NULL));
  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    g_assert_cmpint(add_numbered_turn(log, 1, 3, &error), >, 0);
  }
  g_assert_true(g_file_set_contents(folder->path, old, (gssize)n, NULL));
  assert_found(folder->path, "7 events were signed, and there are 6*", 7);
  /* The program says so as well, and goes on: an event tells of it. */
  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    g_autofree char *kind = ask_sql(folder->path, "SELECT kind FROM event WHERE seq = 7");
    g_assert_nonnull(store_log_trouble(log));
    g_assert_cmpstr(kind, ==, "verification");
  }
}

static void
test_heads(LogFolder *folder, gconstpointer data)
{
  g_autofree char *head = g_strconcat(folder->path, ".head", NULL);
  g_autofree char *text = NULL, *cut = NULL, *kept = NULL;
  g_autofree char *pub = g_strconcat(folder->path, ".pub", NULL);
  g_autofree char *other = g_build_filename(folder->folder, "other.sqlite", NULL);
  g_autofree char *other_pub = g_strconcat(other, ".pub", NULL);
  g_autoptr(StoreReport) report = NULL;

  make_log(folder->path, 1);
  make_log(other, 1);
  g_assert_true(g_file_get_contents(head, &text, NULL, NULL));
  /* A bit of a signature. */
  cut = g_strdup(text);
  cut[strlen(cut) - 20] ^= 1;
  g_assert_true(g_file_set_contents(head, cut, -1, NULL));
  assert_found(folder->path, "*checkpoint 1: *", 0);
  /* Cut short by a crash: the rest counts, and the next one finds its place. */
  g_free(cut);
  cut = g_strndup(text, strlen(text) - 30);
  g_assert_true(g_file_set_contents(head, cut, -1, NULL));
  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    g_assert_cmpint(add_numbered_turn(log, 1, 2, NULL), >, 0);
  }
  report = verify(folder->path, NULL);
  g_assert_null(report->found);
  g_assert_true(report->cut);
  g_assert_cmpuint(report->checkpoints, ==, 1);
  g_assert_cmpint(report->signed_events, ==, 6);
  /* Something else in its place. */
  g_assert_true(g_file_get_contents(head, &kept, NULL, NULL));
  g_assert_true(g_file_set_contents(head, "nothing to see here\n", -1, NULL));
  assert_found(folder->path, "*behind checkpoint 0: found something else*", 0);
  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    g_assert_cmpstr(store_log_trouble(log), ==, "LOG.head cannot be read");
  }
  g_assert_true(g_file_set_contents(head, kept, -1, NULL));
  /* Another log's key. */
  g_clear_pointer(&report, store_report_free);
  report = verify(folder->path, other_pub);
  g_assert_cmpstr(report->found, ==, "the public key is that of another log");
  g_clear_pointer(&report, store_report_free);
  report = verify(folder->path, pub);
  g_assert_true(report->whole);
}

/* Opening looks at the newest checkpoints, verification at all. */
static void
test_old_heads(LogFolder *folder, gconstpointer data)
{
  g_autofree char *head = g_strconcat(folder->path, ".head", NULL);
  g_autofree char *text = NULL;

  make_log(folder->path, 1);
  for (guint i = 2; i <= 20; i++) {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    g_assert_cmpint(add_numbered_turn(log, 1, i, NULL), >, 0);
  }
  g_assert_true(g_file_get_contents(head, &text, NULL, NULL));
  for (guint number = 4; number <= 20; number += 16) {
    spoil_head(head, text, number);
    assert_found(folder->path, number == 4 ? "*checkpoint 4: *" : "*checkpoint 20: *", 0);
  }
  spoil_head(head, text, 4);
  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    g_assert_null(store_log_trouble(log));
  }
  for (guint number = 5; number <= 20; number += 15) {
    g_autoptr(StoreLog) log = NULL;
    spoil_head(head, text, number);
    log = open_log(folder->path, FALSE);
    g_assert_cmpstr(store_log_trouble(log), ==, "LOG.head cannot be read");
  }
}

/* EVENT as one that follows another than the one before it, and says so of itself. */
static char *
unlink_sql(const char *path, gint64 event)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(path, TRUE);
  g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_EVENT, "testing", &error);
  g_autoptr(GByteArray) scratch = g_byte_array_new();
  StoreReader reader = {log, statement, "event", event, 0, FALSE, &error};
  char hex[65];
  StoreHash hash;
  StoreRow row;

  sqlite3_bind_int64(statement, 1, event);
  g_assert_cmpint(sqlite3_step(statement), ==, SQLITE_ROW);
  g_assert_true(store_row_read(&reader, &row));
  memset(&row.previous, 7, sizeof row.previous);
  hash = store_row_hash(&row, scratch);
  sodium_bin2hex(hex, sizeof hex, hash.bytes, sizeof hash.bytes);
  return g_strdup_printf("UPDATE event SET hash = x'%s', previous = x'%s' WHERE seq = %d", hex,
                         "0707070707070707070707070707070707070707070707070707070707070707",
                         (int)event);
}

/* More rows than a block, and checkpoints on the way. */
static void
make_long(const char *path)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(path, FALSE);
  gint64 conversation = new_conversation(log);

  g_assert_cmpint(sqlite3_exec(log->db, "PRAGMA synchronous = OFF", NULL, NULL, NULL), ==, 0);
  for (guint i = 1; i < 2500; i++) {
    g_assert_cmpint(add_numbered_turn(log, conversation, i, &error), >, 0);
  }
}

static void
test_long(LogFolder *folder, gconstpointer data)
{
  g_autoptr(StoreReport) report = NULL;
  g_autofree char *blocks = NULL;

  make_long(folder->path);
  report = verify(folder->path, NULL);
  g_assert_null(report->found);
  g_assert_cmpuint(report->checkpoints, >, 8);
  blocks = ask_sql(folder->path, "SELECT count(*) FROM block");
  g_assert_cmpstr(blocks, ==, "2");
  tamper(folder->path, "UPDATE block SET root = zeroblob(32) WHERE id = 2");
  assert_found(folder->path, "block 2 is missing or is not that of its events", 0);
}

#define OTHER(event) "UPDATE event SET time = '2001-01-01T00:00:00.000Z' WHERE seq IN (" event ");"
#define GONE(event) "DELETE FROM event WHERE seq IN (" event ");"

/* What is looked at by several begins and ends with a block. */
static const struct {
  const char *name, *sql, *pattern;
  gint64 first;
} borders[] = {
    {"last-of-stretch", OTHER("1024"), "event 1024 *it was changed", 1024},
    {"first-of-stretch", OTHER("1025"), "event 1025 *it was changed", 1025},
    {"the-lowest", OTHER("2040, 2300, 1025"), "event 1025 *it was changed", 1025},
    {"gone-last", GONE("1024"), "event 1024 is missing", 1024},
    {"gone-first", GONE("2049"), "event 2049 is missing", 2049},
    {"gone-stretch", "DELETE FROM event WHERE seq BETWEEN 1025 AND 2048", "event 1025 is missing",
     1025},
    {"swap",
     "UPDATE event SET seq = 9999 WHERE seq = 1024; UPDATE event SET seq = 1024 WHERE seq = 1025;"
     "UPDATE event SET seq = 1025 WHERE seq = 9999",
     "event 1024 *it was changed", 1024},
    {"far-away",
     "INSERT INTO event SELECT 9223372036854775807, time, kind, subject, body, sealed, previous,"
     " hash FROM event WHERE seq = 7",
     "event 2503 is missing", 2503},
    {"derived-first", "UPDATE turn SET number = 9999 WHERE event = 2049",
     "table turn, row * is not what its event says", 2049},
    {"derived-two", "UPDATE turn SET number = number + 9000 WHERE event IN (2300, 1030)",
     "table turn, row * is not what its event says", 1030},
    {"chain-before-tables", "UPDATE turn SET number = 9999 WHERE event = 20;" OTHER("2400"),
     "event 2400 *it was changed", 2400},
};

static void
test_borders(LogFolder *folder, gconstpointer data)
{
  g_autofree char *whole = NULL, *first = NULL, *within = NULL;
  gsize n = 0;

  make_long(folder->path);
  g_assert_true(g_file_get_contents(folder->path, &whole, &n, NULL));
  for (guint i = 0; i < G_N_ELEMENTS(borders); i++) {
    g_test_message("%s", borders[i].name);
    tamper(folder->path, borders[i].sql);
    assert_found(folder->path, borders[i].pattern, borders[i].first);
    g_assert_true(g_file_set_contents(folder->path, whole, (gssize)n, NULL));
  }
  /* Each event's own hash is right, and the chain from one stretch to the next is not. */
  within = unlink_sql(folder->path, 2060);
  tamper(folder->path, within);
  assert_found(folder->path, "event 2060 does not follow the one before it*", 2060);
  first = unlink_sql(folder->path, 1025);
  tamper(folder->path, first);
  assert_found(folder->path, "event 1025 does not follow the one before it*", 1025);
}

static gboolean
stop(gint64 done, gint64 total, gpointer user)
{
  g_assert_true(user == g_thread_self());
  return FALSE;
}

static void
test_stopped(LogFolder *folder, gconstpointer data)
{
  const StoreHands hands = {.n = 3, .run = work, .events = 1024};
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = NULL;

  make_log(folder->path, 3);
  log = open_log(folder->path, TRUE);
  for (guint i = 0; i < 2; i++) {
    g_assert_null(
        store_log_verify_with(log, NULL, i ? &hands : NULL, stop, g_thread_self(), &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_CANCELLED);
    g_clear_error(&error);
  }
}

static void
test_clock_back(LogFolder *folder, gconstpointer data)
{
  g_autoptr(StoreReport) report = NULL;
  g_autoptr(GError) error = NULL;

  make_log(folder->path, 1);
  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    log->clock_offset = -3600 * G_TIME_SPAN_SECOND;
    g_assert_cmpint(add_numbered_turn(log, 1, 2, &error), >, 0);
    g_assert_cmpint(add_numbered_turn(log, 1, 3, &error), >, 0);
  }
  report = verify(folder->path, NULL);
  g_assert_true(report->whole); /* the order is that of the chain */
  g_assert_cmpint(report->clock_back, ==, 1);
  g_assert_cmpint(report->clock_back_first, ==, 6);
}

/* ---- proofs -----------------------------------------------------------------------------------
 */

typedef struct {
  GString *kinds;
  char *question;
} Proved;

static gboolean
note_proved(const StoreEventRow *event, gpointer user, GError **error)
{
  Proved *proved = user;

  g_string_append_printf(proved->kinds, "%s ", event->kind);
  if (g_str_equal(event->kind, "turn") && event->text) {
    g_free(proved->question);
    proved->question = g_strdup(event->text);
  }
  return TRUE;
}

static gboolean
check(const char *proof, const char *key, char **kinds, char **question, GError **error)
{
  Proved proved = {g_string_new(NULL), NULL};
  gboolean ok = store_check_proof(proof, strlen(proof), key, note_proved, &proved, error);

  *kinds = g_string_free(proved.kinds, FALSE);
  *question = proved.question;
  return ok;
}

static void
test_proof(LogFolder *folder, gconstpointer data)
{
  static const StoreVerdict accepted = {"accepted", NULL, "ada", NULL};
  g_autofree char *pub = g_strconcat(folder->path, ".pub", NULL);
  g_autofree char *other = g_build_filename(folder->folder, "other.sqlite", NULL);
  g_autofree char *other_pub = g_strconcat(other, ".pub", NULL);
  g_autofree char *proof = NULL, *key = NULL, *other_key = NULL;
  g_autoptr(GError) error = NULL;
  guint refused = 0, tried = 0;

  make_log(folder->path, 2);
  make_log(other, 1);
  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    gint64 more = new_conversation(log);
    g_assert_cmpint(add_numbered_turn(log, more, 7, &error), >, 0);
    g_assert_cmpint(store_log_add_verdict(log, 1, &accepted, &error), >, 0);
    proof = store_log_prove(log, 1, &error);
    g_assert_no_error(error);
    g_assert_null(store_log_prove(log, 99, &error));
    assert_message(&error, STORE_ERROR_NOT_FOUND, folder->path, "*conversation 99 is not*");
  }
  g_assert_true(g_file_get_contents(pub, &key, NULL, NULL));
  g_assert_true(g_file_get_contents(other_pub, &other_key, NULL, NULL));
  {
    g_autofree char *kinds = NULL, *question = NULL;
    g_assert_true(check(proof, key, &kinds, &question, &error));
    g_assert_cmpstr(kinds, ==, "log model conversation image turn turn verdict ");
    g_assert_nonnull(strstr(question, SECRET_QUESTION));
    g_assert_null(strstr(question, "question 7")); /* the other conversation stays private */
  }
  {
    g_autofree char *kinds = NULL, *question = NULL;
    g_assert_false(check(proof, other_key, &kinds, &question, &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_NOT_FOUND); /* not signed by this key */
    g_clear_error(&error);
  }
  /* No byte of what is proved can be another. */
  const gsize length = strlen(proof);
  for (gsize at = (gsize)(strstr(proof, "\"checkpoint\"") - proof); at < length; at += 97) {
    g_autofree char *bad = g_strdup(proof), *kinds = NULL, *question = NULL;
    bad[at] = bad[at] == 'A' ? 'B' : 'A';
    tried++;
    refused += !check(bad, key, &kinds, &question, NULL);
  }
  g_assert_cmpuint(refused, ==, tried);
  /* Cut anywhere. */
  for (gsize n = 0; n < strlen(proof) - 3; n += 211) {
    g_autofree char *bad = g_strndup(proof, n), *kinds = NULL, *question = NULL;
    g_assert_false(check(bad, key, &kinds, &question, NULL));
  }
}

/* ---- erasure ----------------------------------------------------------------------------------
 */

static void
test_erase(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreReport) report = NULL;
  g_autoptr(GPtrArray) rows = NULL, found = NULL, list = NULL;
  g_autofree char *pub = g_strconcat(folder->path, ".pub", NULL);
  StoreImage other = sample_image;
  StoreTurn turn = sample_turn;
  gint64 second;
  guint subjects = 0;

  make_log(folder->path, 2);
  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    other.patient_id = "PID-2";
    second = new_conversation(log);
    turn.image = store_log_add_image(log, &other, &error);
    turn.question = "Is there a granuloma?";
    g_assert_cmpint(store_log_add_turn(log, second, &turn, &error), >, 0);
    found = store_log_search(log, "nodule", 0, &error);
    g_assert_cmpuint(found->len, ==, 1);
    g_assert_true(store_log_erase(log, 1, "asked by the patient", &subjects, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(subjects, ==, 1);
    g_clear_pointer(&found, g_ptr_array_unref);
    found = store_log_search(log, "nodule", 0, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(found->len, ==, 0);
    g_clear_pointer(&found, g_ptr_array_unref);
    found = store_log_search(log, "granuloma", 0, &error);
    g_assert_cmpuint(found->len, ==, 1);
    rows = store_log_show(log, 1, &error);
    g_assert_no_error(error);
    g_assert_true(((StoreTurnRow *)rows->pdata[0])->erased);
    g_assert_cmpstr(((StoreTurnRow *)rows->pdata[0])->turn.question, ==, "");
    g_assert_cmpstr(((StoreTurnRow *)rows->pdata[0])->image.modality, ==, "CT");
    g_assert_null(((StoreTurnRow *)rows->pdata[0])->image.patient_name);
    list = store_log_list(log, 0, &error);
    g_assert_true(((StoreConversation *)list->pdata[1])->erased);
    /* The same patient comes again: a new key, and nothing of the old. */
    g_assert_cmpint(store_log_add_image(log, &sample_image, &error), ==, 3);
    g_assert_no_error(error);
  }
  report = verify(folder->path, pub);
  g_assert_null(report->found); /* every proof is whole */
}

/* What is about two patients goes with either; what is about the other alone stays. */
static void
test_erase_of_several(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreReport) report = NULL;
  g_autoptr(GPtrArray) both = NULL, alone = NULL;
  StoreImage other = sample_image;
  StoreTurn turn = sample_turn;
  gint64 first = 0, second, third;
  guint subjects = 0;

  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    const gint64 one = new_conversation(log);
    other.patient_id = "PID-2";
    turn.n_earlier_images = 0;
    turn.image = first = store_log_add_image(log, &sample_image, &error);
    g_assert_cmpint(store_log_add_turn(log, one, &turn, &error), >, 0);
    second = new_conversation(log);
    turn.earlier_images = &first;
    turn.n_earlier_images = 1;
    turn.image = store_log_add_image(log, &other, &error);
    g_assert_cmpint(store_log_add_turn(log, second, &turn, &error), >, 0);
    g_assert_cmpint(store_log_add_turn(log, second, &turn, &error), >, 0);
    third = new_conversation(log);
    turn.n_earlier_images = 0;
    g_assert_cmpint(store_log_add_turn(log, third, &turn, &error), >, 0);
    g_assert_no_error(error);
    g_assert_true(store_log_erase(log, one, "asked by the patient", &subjects, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(subjects, ==, 2); /* the patient, and the two together */
    both = store_log_show(log, second, &error);
    g_assert_no_error(error);
    g_assert_true(((StoreTurnRow *)both->pdata[0])->erased);
    g_assert_true(((StoreTurnRow *)both->pdata[1])->erased);
    alone = store_log_show(log, third, &error);
    g_assert_false(((StoreTurnRow *)alone->pdata[0])->erased);
    g_assert_cmpstr(((StoreTurnRow *)alone->pdata[0])->turn.question, ==, sample_turn.question);
    /* Nothing new can be written about whom is no more. */
    turn.n_earlier_images = 1;
    g_assert_cmpint(store_log_add_turn(log, second, &turn, &error), ==, 0);
    g_assert_error(error, STORE_ERROR, STORE_ERROR_NOT_FOUND);
  }
  report = verify(folder->path, NULL);
  g_assert_null(report->found);
}

/* Reading without a key: what names nobody is there, and no text. */
static void
test_locked(LogFolder *folder, gconstpointer data)
{
  const StoreOpen how = {.locked = TRUE};
  g_autoptr(GError) error = NULL;
  g_autofree char *key = g_strconcat(folder->path, ".key", NULL);
  g_autofree char *keys = g_strconcat(folder->path, ".keys", NULL);
  g_autoptr(StoreLog) log = NULL;
  g_autoptr(GPtrArray) rows = NULL;

  make_log(folder->path, 1);
  g_remove(key);
  g_assert_null(store_log_open(folder->path, TRUE, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_LOCKED);
  g_clear_error(&error);
  g_remove(keys);
  assert_refused(folder->path, FALSE, STORE_ERROR_LOCKED, "its keys (*) are missing*");
  log = store_log_open_with(folder->path, &how, &error);
  g_assert_no_error(error);
  rows = store_log_show(log, 1, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(((StoreTurnRow *)rows->pdata[0])->turn.question, ==, "");
  g_assert_cmpstr(((StoreTurnRow *)rows->pdata[0])->model.name, ==, "demo");
}

static char *
say_passphrase(gboolean again, gpointer user, GError **error)
{
  return g_strdup(user);
}

static void
test_protect(LogFolder *folder, gconstpointer data)
{
  const StoreSecrets right = {.ask = say_passphrase, .user = "correct horse"};
  const StoreSecrets wrong = {.ask = say_passphrase, .user = "battery"};
  StoreOpen how = {.secrets = &right};
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = NULL;
  g_autofree char *key = g_strconcat(folder->path, ".key", NULL);

  make_log(folder->path, 1);
  log = open_log(folder->path, FALSE);
  g_assert_true(store_log_protect(log, STORE_PROTECTION_PASSPHRASE, &right, &error));
  g_assert_no_error(error);
  g_clear_pointer(&log, store_log_close);
  g_assert_false(g_file_test(key, G_FILE_TEST_EXISTS));
  g_assert_null(store_log_open(folder->path, TRUE, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_LOCKED);
  g_clear_error(&error);
  how.secrets = &wrong;
  g_assert_null(store_log_open_with(folder->path, &how, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_LOCKED);
  g_clear_error(&error);
  how.secrets = &right;
  log = store_log_open_with(folder->path, &how, &error);
  g_assert_no_error(error);
  g_assert_cmpint(store_log_protection(log), ==, STORE_PROTECTION_PASSPHRASE);
  g_assert_cmpint(add_numbered_turn(log, 1, 2, &error), >, 0);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  LOG_TEST("/record/whole", test_whole);
  LOG_TEST("/record/unsigned-end", test_unsigned_end);
  for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
    g_autofree char *name = g_strconcat("/record/change-", changes[i].name, NULL);
    g_test_add(name, LogFolder, GUINT_TO_POINTER(i), log_folder_set_up, test_change,
               log_folder_tear_down);
  }
  LOG_TEST("/record/without-first", test_without_first);
  LOG_TEST("/record/rewritten", test_rewritten);
  LOG_TEST("/record/older-copy", test_older_copy);
  LOG_TEST("/record/heads", test_heads);
  LOG_TEST("/record/old-heads", test_old_heads);
  LOG_TEST("/record/long", test_long);
  LOG_TEST("/record/borders", test_borders);
  LOG_TEST("/record/stopped", test_stopped);
  LOG_TEST("/record/clock-back", test_clock_back);
  LOG_TEST("/record/proof", test_proof);
  LOG_TEST("/record/erase", test_erase);
  LOG_TEST("/record/erase-of-several", test_erase_of_several);
  LOG_TEST("/record/locked", test_locked);
  LOG_TEST("/record/protect", test_protect);
  return g_test_run();
}
