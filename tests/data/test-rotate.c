/* test-rotate.c - a log is sealed and another goes on from it: both stay readable and prove each
 * other, nothing is written to what is sealed, and what was changed, replaced or removed among them
 * is named. */
#include <sys/stat.h>
#include <unistd.h>

#include "fault-vfs.h"
#include "keys-fixture.h"
#include "log/private.h"
#include "log/write.h"
#include "rotate-fixture.h"

/* ---- there ----------------------------------------------------------------------------------- */

static guint
mode_of(const char *path, const char *suffix)
{
  g_autofree char *whole = g_strconcat(path, suffix, NULL);
  struct stat st;

  g_assert_cmpint(lstat(whole, &st), ==, 0);
  return st.st_mode & 07777;
}

static gboolean
keep_kinds(const StoreEventRow *event, gpointer user, GError **error)
{
  g_string_append_printf(user, "%s ", event->kind);
  return TRUE;
}

static char *
kinds_of(const char *path)
{
  g_autoptr(GString) kinds = g_string_new("");
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(path, TRUE);

  g_assert_true(store_log_each_event(log, 1, 0, keep_kinds, kinds, &error));
  g_assert_no_error(error);
  return g_string_free(g_steal_pointer(&kinds), FALSE);
}

static void
test_there(LogFolder *folder, gconstpointer data)
{
  g_autofree char *archive = in_folder(folder, "log-0001.sqlite"), *question = NULL;
  g_autofree char *old_kinds = NULL, *new_kinds = NULL;
  g_autoptr(StoreLink) link = NULL;

  make_log(folder->path, 3);
  link = rotate(folder->path, NULL, 0);
  g_assert_cmpstr(link->file, ==, "log-0001.sqlite");
  g_assert_cmpstr(link->path, ==, archive);
  g_assert_cmpint(link->events, ==, 8); /* seven, and that of the sealing */
  for (guint i = 0; i < 5; i++) {
    static const char *const suffixes[] = {"", ".pub", ".head", ".key", ".keys"};
    g_assert_true(exists(archive, suffixes[i]));
    g_assert_true(exists(folder->path, suffixes[i]));
    g_assert_cmpuint(mode_of(archive, suffixes[i]), ==, i < 3 ? 0400 : 0600);
  }
  g_assert_false(exists(folder->path, ".next"));
  g_assert_false(exists(folder->path, ".begin"));
  g_assert_false(exists(archive, "-wal"));
  old_kinds = kinds_of(archive);
  g_assert_true(g_str_has_suffix(old_kinds, "turn turn turn sealed "));
  new_kinds = kinds_of(folder->path);
  g_assert_cmpstr(new_kinds, ==, "log continued ");
  question = first_question(archive, NULL);
  g_assert_cmpstr(question, ==, SECRET_QUESTION);
  assert_links_whole(folder->path, 1);
  assert_whole(archive);
  /* The new log is one like any other. */
  make_log(folder->path, 1);
  assert_whole(folder->path);
}

static void
test_refuses_writers(LogFolder *folder, gconstpointer data)
{
  g_autofree char *archive = in_folder(folder, "log-0001.sqlite"), *bytes = NULL, *after = NULL;
  g_autoptr(StoreLink) link = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = NULL;
  g_autofree char *goes_on = NULL, *note = NULL;
  gsize n = 0, n_after = 0;
  static const char pattern[] = "*: the log was sealed on *, and nothing is written to it "
                                "any more: it goes on in log.sqlite beside it";

  make_log(folder->path, 1);
  link = rotate(folder->path, NULL, 0);
  g_assert_true(g_file_get_contents(archive, &bytes, &n, NULL));
  assert_refused(archive, FALSE, STORE_ERROR_SEALED, pattern);
  log = open_log(archive, TRUE);
  g_assert_cmpint(store_log_add_conversation(log, 1, "0", 0, 0, &error), ==, 0);
  assert_message(&error, STORE_ERROR_SEALED, archive, pattern);
  g_assert_false(store_log_protect(log, STORE_PROTECTION_FILE, NULL, &error));
  assert_message(&error, STORE_ERROR_SEALED, archive, pattern);
  g_assert_false(store_log_erase(log, 1, "asked", NULL, NULL, &error));
  assert_message(&error, STORE_ERROR_SEALED, archive, pattern);
  goes_on = store_log_goes_on(log);
  g_assert_cmpstr(goes_on, ==, folder->path);
  /* What was signed last is all of it. */
  g_assert_true(store_log_checkpoint(log, &note, &error));
  g_assert_cmpstr(note, ==, link->checkpoint);
  g_clear_pointer(&log, store_log_close);
  g_assert_true(g_file_get_contents(archive, &after, &n_after, NULL));
  g_assert_cmpmem(bytes, n, after, n_after);
}

/* Where there is no WAL nobody knows who has the log open; what is added then is refused. */
static void
test_sealed_meanwhile(LogFolder *folder, gconstpointer data)
{
  g_autoptr(StoreLink) link = NULL;
  g_autoptr(StoreLog) late = NULL;
  g_autoptr(GError) error = NULL;

  fault.no_shared_memory = TRUE;
  make_log(folder->path, 1);
  late = open_log(folder->path, FALSE);
  link = rotate(folder->path, NULL, 0);
  g_assert_cmpint(add_numbered_turn(late, 1, 2, &error), ==, 0);
  assert_message(&error, STORE_ERROR_SEALED, folder->path, "*was sealed meanwhile*");
  g_clear_pointer(&late, store_log_close);
  fault.no_shared_memory = FALSE;
  assert_links_whole(folder->path, 1);
}

static void
test_busy(LogFolder *folder, gconstpointer data)
{
  const StoreOpen how = {0};
  g_autofree char *archive = in_folder(folder, "log-0001.sqlite");
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) other = NULL;
  g_autoptr(StoreLink) link = NULL;

  make_log(folder->path, 1);
  other = open_log(folder->path, TRUE);
  g_assert_null(store_log_rotate(folder->path, &how, &error));
  assert_message(&error, STORE_ERROR_BUSY, folder->path, "*has it open: close that first");
  g_assert_false(exists(archive, ""));
  g_clear_pointer(&other, store_log_close);
  other = open_log(folder->path, FALSE);
  g_assert_cmpint(add_numbered_turn(other, 1, 2, &error), >, 0);
  g_clear_pointer(&other, store_log_close);
  link = rotate(folder->path, NULL, 0);
  assert_links_whole(folder->path, 1);
}

/* ---- names and keys -------------------------------------------------------------------------- */

/* Nothing is moved over what is there. */
static void
test_names(LogFolder *folder, gconstpointer data)
{
  g_autofree char *taken = in_folder(folder, "log-0001.sqlite.head"), *bytes = NULL;
  g_autofree char *plain = in_folder(folder, "records");
  g_autoptr(StoreLink) link = NULL, other = NULL;

  g_assert_true(g_file_set_contents(taken, "mine", -1, NULL));
  make_log(folder->path, 1);
  link = rotate(folder->path, NULL, 0);
  g_assert_cmpstr(link->file, ==, "log-0002.sqlite");
  g_assert_cmpuint(link->number, ==, 1);
  g_assert_true(g_file_get_contents(taken, &bytes, NULL, NULL));
  g_assert_cmpstr(bytes, ==, "mine");
  make_log(plain, 1);
  other = rotate(plain, NULL, 0);
  g_assert_cmpstr(other->file, ==, "records-0001");
}

/* The passphrase of the one opens the other, and nobody is asked for a new one; the keyring has a
 * key for each. */
static void
test_passphrase(KeysFixture *fixture, gconstpointer data)
{
  const StoreOpen how = {.protection = STORE_PROTECTION_PASSPHRASE, .secrets = &fixture->secrets};
  g_autofree char *archive = in_folder(&fixture->log, "log-0001.sqlite"), *question = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = store_log_open_with(fixture->log.path, &how, &error);
  g_autoptr(StoreLink) link = NULL;

  g_assert_no_error(error);
  new_conversation(log);
  g_assert_cmpint(add_numbered_turn(log, 1, 7, &error), >, 0);
  g_clear_pointer(&log, store_log_close);
  link = rotate(fixture->log.path, &fixture->secrets, 0);
  question = first_question(archive, &fixture->secrets);
  g_assert_cmpstr(question, ==, "question 7");
  log = store_log_open_with(fixture->log.path, &how, &error);
  g_assert_no_error(error);
  g_assert_cmpint(store_log_protection(log), ==, STORE_PROTECTION_PASSPHRASE);
  g_assert_cmpstr(store_log_id(log), !=, link->log_id);
  /* Another one is asked for once, and is that of all. */
  fixture->asked = 0;
  {
    const StoreSecrets before = fixture->secrets;
    g_assert_true(store_log_protect(log, STORE_PROTECTION_FILE, &before, &error));
    g_assert_no_error(error);
    g_assert_true(exists(archive, ".key"));
    fixture->asked = 0;
    fixture->passphrase = "another one";
    g_assert_true(store_log_protect(log, STORE_PROTECTION_PASSPHRASE, &before, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(fixture->asked, ==, 1);
  }
  g_assert_false(exists(archive, ".key"));
  g_clear_pointer(&log, store_log_close);
  g_free(question);
  question = first_question(archive, &fixture->secrets);
  g_assert_cmpstr(question, ==, "question 7");
  fixture->passphrase = "correct horse";
  log = store_log_open_with(archive, &(StoreOpen){.read_only = TRUE, .secrets = &fixture->secrets},
                            &error);
  g_assert_error(error, STORE_ERROR, STORE_ERROR_LOCKED);
}

/* ---- one after the other --------------------------------------------------------------------- */

static void
make_three(LogFolder *folder)
{
  for (guint i = 0; i < 3; i++) {
    g_autoptr(StoreLink) link = NULL;
    make_log(folder->path, i + 1);
    link = rotate(folder->path, NULL, 0);
    g_assert_cmpuint(link->number, ==, i + 1);
  }
  make_log(folder->path, 1);
}

static void
test_three(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GPtrArray) links = NULL;

  make_three(folder);
  assert_links_whole(folder->path, 3);
  links = links_of(folder->path, FALSE);
  g_assert_cmpstr(((StoreLink *)links->pdata[0])->file, ==, "log-0003.sqlite");
  g_assert_cmpstr(((StoreLink *)links->pdata[2])->file, ==, "log-0001.sqlite");
  g_assert_nonnull(((StoreLink *)links->pdata[2])->begun);
}

/* What is found at PLACE (0: the newest) of the links. */
static void
assert_found(const char *path, guint place, StoreLinkState state, const char *pattern)
{
  g_autoptr(GPtrArray) links = links_of(path, TRUE);
  const StoreLink *link;

  g_assert_cmpuint(links->len, >, place);
  link = links->pdata[place];
  g_assert_cmpint(link->state, ==, state);
  if (!link->found || !g_pattern_match_simple(pattern, link->found)) {
    g_test_message("found \"%s\", expected \"%s\"", link->found, pattern);
    g_test_fail();
  }
}

static void
test_missing(LogFolder *folder, gconstpointer data)
{
  g_autofree char *second = in_folder(folder, "log-0002.sqlite");
  g_autoptr(GPtrArray) links = NULL;

  make_three(folder);
  g_assert_cmpint(g_remove(second), ==, 0);
  assert_found(folder->path, 1, STORE_LINK_MISSING, "log-0002.sqlite is missing");
  links = links_of(folder->path, TRUE);
  g_assert_cmpuint(links->len, ==, 2); /* what it went on from is not known without it */
}

static void
test_changed(LogFolder *folder, gconstpointer data)
{
  g_autofree char *second = in_folder(folder, "log-0002.sqlite");

  make_three(folder);
  g_chmod(second, 0600);
  run_sql(second, "DROP TRIGGER event_no_update; UPDATE event SET body = replace(body, 'eos', "
                  "'eot') WHERE kind = 'turn';"
                  "CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN SELECT "
                  "RAISE(ABORT, 'x'); END;");
  {
    g_autoptr(GPtrArray) links = links_of(folder->path, TRUE);
    const StoreLink *link = links->pdata[1];
    g_assert_nonnull(link->found);
    g_assert_nonnull(strstr(link->found, "log-0002.sqlite"));
  }
}

/* A byte of one text, where SQLite's own rules are kept. */
static void
test_changed_byte(LogFolder *folder, gconstpointer data)
{
  g_autofree char *first = in_folder(folder, "log-0001.sqlite"), *bytes = NULL;
  gsize n = 0;
  char *at;

  make_three(folder);
  g_chmod(first, 0600);
  g_assert_true(g_file_get_contents(first, &bytes, &n, NULL));
  at = memmem(bytes, n, "\"stop\": \"eos\"", 13);
  g_assert_nonnull(at);
  at[10] = 'f';
  g_assert_true(g_file_set_contents(first, bytes, (gssize)n, NULL));
  assert_found(folder->path, 2, STORE_LINK_THERE, "log-0001.sqlite: event * it was changed");
}

/* Copies the five files of a log. */
static void
copy_log(const char *from, const char *to)
{
  for (guint i = 0; i < 5; i++) {
    static const char *const suffixes[] = {"", ".pub", ".head", ".key", ".keys"};
    g_autofree char *source = g_strconcat(from, suffixes[i], NULL);
    g_autofree char *target = g_strconcat(to, suffixes[i], NULL), *bytes = NULL;
    gsize n = 0;
    g_assert_true(g_file_get_contents(source, &bytes, &n, NULL));
    g_remove(target);
    g_assert_true(g_file_set_contents(target, bytes, (gssize)n, NULL));
  }
}

static void
test_replaced(LogFolder *folder, gconstpointer data)
{
  g_autofree char *first = in_folder(folder, "log-0001.sqlite");
  g_autofree char *other = in_folder(folder, "other.sqlite");
  g_autofree char *older = in_folder(folder, "older.sqlite");

  make_log(other, 2);
  make_log(folder->path, 2);
  copy_log(folder->path, older);
  {
    g_autoptr(StoreLink) link = rotate(folder->path, NULL, 0);
  }
  assert_links_whole(folder->path, 1);
  copy_log(older, first);
  assert_found(folder->path, 0, STORE_LINK_OTHER, "log-0001.sqlite has * it is an older copy*");
  copy_log(other, first);
  assert_found(folder->path, 0, STORE_LINK_OTHER, "log-0001.sqlite is another log*");
}

/* Whoever has the root key can write and sign an older copy anew: the log that goes on has what was
 * signed. */
static void
test_signed_anew(LogFolder *folder, gconstpointer data)
{
  g_autofree char *first = in_folder(folder, "log-0001.sqlite");
  g_autofree char *older = in_folder(folder, "older.sqlite");
  g_autofree char *anew = in_folder(folder, "older-0001.sqlite");

  make_log(folder->path, 2);
  copy_log(folder->path, older);
  {
    g_autoptr(StoreLink) link = rotate(folder->path, NULL, 0);
    g_autoptr(StoreLink) forged = NULL;
    g_usleep(2000); /* another time, another root */
    forged = rotate(older, NULL, 0);
    g_assert_cmpint(forged->events, ==, link->events);
    g_assert_cmpstr(forged->log_id, ==, link->log_id);
  }
  copy_log(anew, first);
  assert_found(folder->path, 0, STORE_LINK_OTHER, "log-0001.sqlite is not as it was*");
}

/* An event that is added to what is sealed, with a hash that is right and a signature of nobody's.
 */
static void
test_added(LogFolder *folder, gconstpointer data)
{
  const StoreOpen how = {0}, locked = {.locked = TRUE};
  const StoreEvent event = {.kind = "viewed", .action = "events"};
  g_autofree char *first = in_folder(folder, "log-0001.sqlite");
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = NULL;
  g_autoptr(StoreReport) report = NULL;

  make_log(folder->path, 1);
  {
    g_autoptr(StoreLink) link = rotate(folder->path, NULL, 0);
  }
  g_chmod(first, 0600);
  log = store_log_open_sealed(first, &how, &error);
  g_assert_no_error(error);
  g_assert_cmpint(sqlite3_exec(log->db, "BEGIN", NULL, NULL, NULL), ==, SQLITE_OK);
  g_assert_cmpint(store_write_event(log, &event, &error), >, 0);
  g_assert_cmpint(sqlite3_exec(log->db, "COMMIT", NULL, NULL, NULL), ==, SQLITE_OK);
  g_clear_pointer(&log->keys, store_keys_close); /* it signs nothing at closing */
  g_clear_pointer(&log, store_log_close);
  assert_found(folder->path, 0, STORE_LINK_OTHER, "log-0001.sqlite has * some were put in");
  log = store_log_open_with(first, &locked, &error);
  report = store_log_verify(log, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_false(report->whole);
  g_assert_nonnull(strstr(report->found, "after the log had been sealed"));
}

static void
test_other_key(LogFolder *folder, gconstpointer data)
{
  g_autofree char *pub = in_folder(folder, "log-0001.sqlite.pub");
  g_autofree char *other = in_folder(folder, "log.sqlite.pub"), *bytes = NULL;

  make_log(folder->path, 1);
  {
    g_autoptr(StoreLink) link = rotate(folder->path, NULL, 0);
  }
  g_assert_true(g_file_get_contents(other, &bytes, NULL, NULL));
  g_remove(pub);
  g_assert_true(g_file_set_contents(pub, bytes, -1, NULL));
  assert_found(folder->path, 0, STORE_LINK_OTHER, "log-0001.sqlite.pub is missing or holds *");
}

int
main(int argc, char **argv)
{
  fault_install();
  g_test_init(&argc, &argv, NULL);
  LOG_TEST("/rotate/there", test_there);
  LOG_TEST("/rotate/refuses-writers", test_refuses_writers);
  LOG_TEST("/rotate/sealed-meanwhile", test_sealed_meanwhile);
  LOG_TEST("/rotate/busy", test_busy);
  LOG_TEST("/rotate/names", test_names);
  KEYS_TEST("/rotate/passphrase", NULL, test_passphrase);
  LOG_TEST("/rotate/three", test_three);
  LOG_TEST("/rotate/missing", test_missing);
  LOG_TEST("/rotate/changed", test_changed);
  LOG_TEST("/rotate/changed-byte", test_changed_byte);
  LOG_TEST("/rotate/replaced", test_replaced);
  LOG_TEST("/rotate/signed-anew", test_signed_anew);
  LOG_TEST("/rotate/added", test_added);
  LOG_TEST("/rotate/other-key", test_other_key);
  return g_test_run();
}
