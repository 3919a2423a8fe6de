/* test-trust.c - verdicts, checks, several pictures, and words to find, in the conversation log. */
#include "log-fixture.h"
#include "log/index-file.h"
#include "log/keys.h"
#include "log/private.h"
#include "log/schema.h"
#include "log/schema-v1.h"
#include "log/schema-v2.h"
#include "log/schema-v3.h"

/* Adds a turn; its id. */
static gint64
say(StoreLog *log, gint64 conversation, const char *question, const char *answer)
{
  g_autoptr(GError) error = NULL;
  const StoreTurn turn = {.question = question, .answer = answer};
  gint64 id = store_log_add_turn(log, conversation, &turn, &error);

  g_assert_no_error(error);
  return id;
}

static void
test_verdicts(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  gint64 turn = say(log, new_conversation(log), "Nodule?", "No.");
  const StoreVerdict accepted = {"accepted", NULL, "ada", "Ada L."};
  const StoreVerdict edited = {"edited", "One.", "bob", NULL};
  const StoreVerdict wrong[] = {{"maybe", NULL, "ada", NULL},
                                {"edited", NULL, "ada", NULL},
                                {"accepted", "text", "ada", NULL},
                                {"accepted", NULL, NULL, NULL}};
  g_autoptr(GPtrArray) rows = NULL;

  g_assert_cmpint(store_log_add_verdict(log, turn, &accepted, &error), >, 0);
  g_assert_cmpint(store_log_add_verdict(log, turn, &edited, &error), >, 0);
  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_assert_cmpint(store_log_add_verdict(log, turn, &wrong[i], &error), ==, 0);
    assert_message(&error, STORE_ERROR_INVALID, folder->path, "verdicts: *");
  }
  g_assert_cmpint(store_log_add_verdict(log, 99, &accepted, &error), ==, 0);
  assert_message(&error, STORE_ERROR_NOT_FOUND, folder->path, "*turn 99 is not in the log");
  rows = store_log_verdicts(log, turn, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(rows->len, ==, 2);
  {
    const StoreVerdictRow *first = rows->pdata[0], *last = rows->pdata[1];
    g_assert_cmpstr(first->verdict.verdict, ==, "accepted");
    g_assert_cmpstr(first->verdict.real_name, ==, "Ada L.");
    g_assert_null(first->verdict.text);
    g_assert_cmpstr(last->verdict.text, ==, "One.");
    g_assert_cmpstr(last->verdict.user_name, ==, "bob");
    g_assert_cmpint(last->id, >, first->id);
  }
}

static void
test_checks(LogFolder *folder, gconstpointer data)
{
  const StoreCheckAnswer answers[] = {{"No.", 1, FALSE}, {"Yes.", G_MAXUINT64 - 1, TRUE}};
  const StoreCheck check = {"blank", FALSE, 0.25, answers, G_N_ELEMENTS(answers)};
  const StoreCheck wrong = {"other", FALSE, 0.25, answers, G_N_ELEMENTS(answers)};
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  gint64 turn = say(log, new_conversation(log), "Nodule?", "No.");
  g_autoptr(GPtrArray) rows = NULL;

  g_assert_cmpint(store_log_add_check(log, turn, &check, &error), >, 0);
  g_assert_cmpint(store_log_add_check(log, turn, &wrong, &error), ==, 0);
  assert_message(&error, STORE_ERROR_INVALID, folder->path, "checks: *");
  g_assert_cmpint(store_log_add_check(log, 99, &check, &error), ==, 0);
  assert_message(&error, STORE_ERROR_NOT_FOUND, folder->path, "*turn 99 is not in the log");
  rows = store_log_checks(log, turn, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(rows->len, ==, 1);
  {
    const StoreCheckRow *row = rows->pdata[0];
    g_assert_cmpstr(row->check.kind, ==, "blank");
    g_assert_false(row->check.same);
    g_assert_cmpfloat(row->check.agreement, ==, 0.25);
    g_assert_cmpuint(row->check.n_answers, ==, 2);
    g_assert_cmpstr(row->check.answers[1].answer, ==, "Yes.");
    g_assert_true(row->check.answers[1].seed == G_MAXUINT64 - 1);
    g_assert_true(row->check.answers[1].blank);
  }
}

static void
test_several_pictures(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  gint64 conversation = new_conversation(log);
  StoreImage other = sample_image;
  StoreTurn turn = sample_turn;
  gint64 earlier[2];
  g_autoptr(GPtrArray) rows = NULL;

  other.path = "/images/prior.dcm";
  other.region_width = 0;
  earlier[0] = store_log_add_image(log, &sample_image, &error);
  earlier[1] = turn.image = store_log_add_image(log, &other, &error);
  g_assert_cmpint(earlier[0], !=, earlier[1]);
  turn.earlier_images = earlier;
  turn.n_earlier_images = 2;
  g_assert_cmpint(store_log_add_turn(log, conversation, &turn, &error), >, 0);
  earlier[1] = 99; /* all of the turn or nothing of it */
  g_assert_cmpint(store_log_add_turn(log, conversation, &turn, &error), ==, 0);
  assert_message(&error, STORE_ERROR_NOT_FOUND, folder->path, "*image 99 is not in the log");
  rows = store_log_show(log, conversation, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(rows->len, ==, 1);
  {
    const StoreTurnRow *row = rows->pdata[0];
    g_assert_cmpuint(row->turn.n_earlier_images, ==, 2);
    g_assert_cmpstr(row->image.path, ==, "/images/prior.dcm");
    g_assert_cmpstr(row->earlier[0].path, ==, "/images/ct.dcm");
    g_assert_cmpuint(row->earlier[0].region_x, ==, 10);
    g_assert_cmpuint(row->earlier[0].region_y, ==, 20);
    g_assert_cmpuint(row->earlier[0].region_width, ==, 300);
    g_assert_cmpuint(row->earlier[0].region_height, ==, 200);
    g_assert_cmpuint(row->earlier[0].turns, ==, 3);
    g_assert_true(row->earlier[0].flip && row->earlier[0].has_voi_lut);
    g_assert_cmpuint(row->earlier[0].voi_lut, ==, 1);
    g_assert_cmpuint(row->earlier[1].region_width, ==, 0);
  }
}

/* ---- words ---------------------------------------------------------------------------------- */

/* Ids that QUERY finds, "3 1". */
static char *
found(StoreLog *log, const char *query, guint limit)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) rows = store_log_search(log, query, limit, &error);
  GString *ids = g_string_new(NULL);

  g_assert_no_error(error);
  for (guint i = 0; i < rows->len; i++) {
    g_string_append_printf(ids, "%s%d", i ? " " : "",
                           (int)((StoreConversation *)rows->pdata[i])->id);
  }
  return g_string_free(ids, FALSE);
}

static void
test_search(LogFolder *folder, gconstpointer data)
{
  static const struct {
    const char *query, *ids;
  } cases[] = {
      {"", "3 2 1"},
      {" \t", "3 2 1"},
      {"pneumothorax", "2 1"},
      {"PNEUMO", "2 1"},          /* the beginning of a word, in any case */
      {"thorax", ""},             /* but not its end */
      {"pneumothorax left", "1"}, /* from two turns of one conversation */
      {"ruckgang", "3"},          /* accents do not count */
      {"R\xc3\xbc"
       "CKGANG",
       "3"},
      {"cardiomegaly", "2"}, /* only in what a person wrote */
      {"AND", ""},
      {"left OR", ""}, /* words like others */
      {"question:pneumothorax", ""},
      {"\"pneumothorax\"", "2 1"},
      {"left\"", "1"},
      {"NEAR(left", ""},
      {"* ( ) : ^ -", ""},
      {"follow-up", "3"},
      {"follow/u", "3"}, /* in one word or two */
      {"up-follow", ""}, /* in this order */
      {"week-follow", ""},
      {"there-app", "3"},
      {"there-abb", ""},      /* both are there, and an "a" behind the first */
      {"is-there a-pn", "1"}, /* the beginning of the last of them */
      {"left-pneumothorax", ""},
      {"gastroenterocolitisgastroenterocolitisgastroenterocolitisgastroenter", "3"},
      {"gastroenterocolitisgastroenterocolitisgastroenterocolitisgastroentero-x", ""},
      {"gastroenterocolitisgastroenterocolitisgastroenterocolitisgastroenterologist", ""},
      {"-left", "1"},
      {"pneumothorax; DROP TABLE turns", ""},
  };
  const StoreVerdict edited = {"edited", "Cardiomegaly only.", "ada", NULL};
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  gint64 a = new_conversation(log), b = new_conversation(log), c = new_conversation(log);
  g_autofree char *newest = NULL;
  gint64 turn;

  say(log, a, "Is there a pneumothorax?", "Yes.");
  say(log, a, "Where?", "On the left.");
  turn = say(log, b, "Pneumothorax?", "No.");
  say(log, c, "Verlauf?",
      "R\xc3\xbc"
      "ckgang; follow-up in a week. There apples; abbey. "
      "Gastroenterocolitisgastroenterocolitisgastroenterocolitisgastroenterocolitis");
  g_assert_cmpint(store_log_add_verdict(log, turn, &edited, &error), ==, 1);
  g_assert_no_error(error);
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *ids = found(log, cases[i].query, 0);
    if (strcmp(ids, cases[i].ids) != 0) {
      g_test_message("%s: found %s, expected %s", cases[i].query, ids, cases[i].ids);
      g_test_fail();
    }
  }
  newest = found(log, "pneumothorax", 1);
  g_assert_cmpstr(newest, ==, "2");
  /* The words are found in a log that is read only, too. */
  g_clear_pointer(&log, store_log_close);
  log = open_log(folder->path, TRUE);
  g_free(newest);
  newest = found(log, "cardio", 0);
  g_assert_cmpstr(newest, ==, "2");
}

/* An index that an earlier Hilum made is made anew. */
static void
test_older_index(LogFolder *folder, gconstpointer data)
{
  g_autofree char *path = g_strconcat(folder->path, ".index", NULL);
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  g_autofree char *first = NULL, *again = NULL, *more = NULL;
  guint8 key[STORE_KEY_BYTES];
  sqlite3 *db;

  say(log, new_conversation(log), "Is there a pneumothorax?", "Yes.");
  first = found(log, "pneumothorax", 0);
  g_assert_cmpstr(first, ==, "1");
  g_assert_true(store_keys_derive(log->keys, "index", key, &error));
  g_clear_pointer(&log, store_log_close);
  db = store_index_file_open(path, key, FALSE, &error);
  g_assert_no_error(error);
  g_assert_true(store_index_file_begin(db, &error));
  g_assert_cmpint(sqlite3_exec(db, "CREATE TABLE doc (id INTEGER PRIMARY KEY); DELETE FROM posting",
                               NULL, NULL, NULL),
                  ==, SQLITE_OK);
  g_assert_true(store_index_file_commit(db, &error));
  store_index_file_close(db);
  log = open_log(folder->path, TRUE);
  again = found(log, "pneumothorax", 0);
  g_assert_cmpstr(again, ==, "1");
  g_clear_pointer(&log, store_log_close);
  log = open_log(folder->path, FALSE);
  say(log, 1, "Where?", "On the left.");
  more = found(log, "left pneumothorax", 0);
  g_assert_cmpstr(more, ==, "1");
}

static void
test_snippets(LogFolder *folder, gconstpointer data)
{
  const StoreVerdict edited = {"edited", "Cardiomegaly only.", "ada", NULL};
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  g_autoptr(GString) text = g_string_new(NULL);
  g_autoptr(GPtrArray) rows = NULL, written = NULL;
  const char *snippet;
  gint64 turn;

  for (guint i = 0; i < 500; i++) {
    g_string_append(text, i == 250 ? "an effusion " : "word ");
  }
  turn = say(log, new_conversation(log), "What?", text->str);
  g_assert_cmpint(store_log_add_verdict(log, turn, &edited, &error), >, 0);
  rows = store_log_search(log, "effusion", 0, &error);
  g_assert_no_error(error);
  snippet = ((StoreConversation *)rows->pdata[0])->snippet;
  g_assert_nonnull(strstr(snippet, "effusion"));
  g_assert_cmpuint(strlen(snippet), <, 200);
  written = store_log_search(log, "cardiomegaly", 0, &error);
  g_assert_cmpstr(((StoreConversation *)written->pdata[0])->snippet, ==, "Cardiomegaly only.");
}

/* A log from before there were words: what it holds is found. */
static void
test_words_of_older_logs(LogFolder *folder, gconstpointer data)
{
  static const char *const three[] = {store_schema_v1, store_schema_v2, store_schema_v3};
  static const StoreSchema schema_3 = {three, 3};
  g_autoptr(GError) error = NULL;
  sqlite3 *db = NULL;
  g_autofree char *ids = NULL;

  g_assert_cmpint(sqlite3_open(folder->path, &db), ==, SQLITE_OK);
  g_assert_true(store_schema_migrate(db, "LOG", &schema_3, NULL, &error));
  sqlite3_close(db);
  run_sql(folder->path,
          "INSERT INTO models (time) VALUES ('2024-01-01T00:00:00.000Z');"
          "INSERT INTO conversations (time, model) VALUES ('2024-01-01T00:00:00.000Z', 1);"
          "INSERT INTO turns (conversation, number, time, question, answer, prompt_ids, answer_ids,"
          " seed, max_tokens, prompt_tokens, answer_tokens, instruction_words,"
          " instruction_threshold) VALUES (1, 1, '2024-01-01T00:00:00.000Z', 'Is it old?', 'Ja.',"
          " x'', x'', 0, 0, 0, 0, 0, 0)");
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  ids = found(log, "old", 0);
  g_assert_cmpstr(ids, ==, "1");
  say(log, 1, "And now?", "New words.");
  g_free(ids);
  ids = found(log, "old words", 0);
  g_assert_cmpstr(ids, ==, "1");
  assert_sound(folder->path);
}

/* A log that became read-only takes nothing, says so, and goes on when it can be written again. */
static void
test_read_only(LogFolder *folder, gconstpointer data)
{
  const StoreVerdict accepted = {"accepted", NULL, "ada", NULL};
  const StoreCheckAnswer answers[] = {{"No.", 1, FALSE}};
  const StoreCheck check = {"seeds", TRUE, 1, answers, 1};
  static const char pattern[] = "*: the log cannot be written: *is read-only";
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
  gint64 conversation = new_conversation(log), turn = say(log, conversation, "Nodule?", "No.");

  for (int locked = 1; locked >= 0; locked--) {
    g_assert_cmpint(sqlite3_exec(log->db,
                                 locked ? "PRAGMA query_only = ON" : "PRAGMA query_only = OFF",
                                 NULL, NULL, NULL),
                    ==, SQLITE_OK);
    for (int i = 0; i < 3; i++) {
      gint64 id = i == 0   ? store_log_add_turn(log, conversation, &sample_turn, &error)
                  : i == 1 ? store_log_add_verdict(log, turn, &accepted, &error)
                           : store_log_add_check(log, turn, &check, &error);
      g_assert_cmpint(id == 0, ==, locked);
      if (locked) {
        assert_message(&error, STORE_ERROR_IO, folder->path, pattern);
      }
    }
  }
  g_assert_no_error(error);
}

static void
test_without_fts5(void)
{
  g_autoptr(GError) error = NULL;
  sqlite3 *db = NULL;

  g_assert_cmpint(sqlite3_open(":memory:", &db), ==, SQLITE_OK);
  g_assert_true(store_check_words(db, "LOG", &error));
  g_assert_no_error(error);
  g_assert_cmpint(sqlite3_drop_modules(db, NULL), ==, SQLITE_OK);
  g_assert_false(store_check_words(db, "LOG", &error));
  assert_message(&error, STORE_ERROR_IO, "LOG", "SQLite * was built without FTS5*");
  sqlite3_close(db);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  LOG_TEST("/trust/verdicts", test_verdicts);
  LOG_TEST("/trust/checks", test_checks);
  LOG_TEST("/trust/several-pictures", test_several_pictures);
  LOG_TEST("/trust/search", test_search);
  LOG_TEST("/trust/older-index", test_older_index);
  LOG_TEST("/trust/snippets", test_snippets);
  LOG_TEST("/trust/words-of-older-logs", test_words_of_older_logs);
  LOG_TEST("/trust/read-only", test_read_only);
  g_test_add_func("/trust/without-fts5", test_without_fts5);
  return g_test_run();
}
