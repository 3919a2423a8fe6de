/* test-retain.c - what is erased is erased in all logs that go on from one another; what was sealed
 * is kept as long as the log says, and can be removed after that and not before. */
#include <sys/stat.h>
#include <unistd.h>

#include "fault-vfs.h"
#include "keys-fixture.h"
#include "log/private.h"
#include "rotate-fixture.h"

static gboolean
keep_last(const StoreEventRow *event, gpointer user, GError **error)
{
  if (strcmp(event->kind, "erased") == 0 || strcmp(event->kind, "setting") == 0) {
    g_string_append_printf(user, "%s\n", event->body);
  }
  return TRUE;
}

/* The bodies of the events that tell of erasures and settings. */
static char *
told_by(const char *path)
{
  g_autoptr(GString) bodies = g_string_new("");
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(path, TRUE);

  g_assert_true(store_log_each_event(log, 1, 0, keep_last, bodies, &error));
  g_assert_no_error(error);
  return g_string_free(g_steal_pointer(&bodies), FALSE);
}

/* ---- erasing --------------------------------------------------------------------------------- */

/* The same patient in three logs, another one in the second. */
static void
make_three(LogFolder *folder)
{
  for (guint i = 0; i < 3; i++) {
    make_log(folder->path, 2);
    if (i == 1) {
      g_autoptr(GError) error = NULL;
      g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
      StoreImage image = sample_image;
      StoreTurn turn = sample_turn;
      gint64 other;
      image.patient_id = "PID-OTHER";
      turn.image = store_log_add_image(log, &image, &error);
      other = new_conversation(log);
      g_assert_cmpint(other, ==, 2);
      g_assert_cmpint(store_log_add_turn(log, other, &turn, &error), >, 0);
      g_assert_no_error(error);
    }
    if (i < 2) {
      g_autoptr(StoreLink) link = rotate(folder->path, NULL, 0);
    }
  }
}

static void
assert_erased(const char *path)
{
  g_autofree char *question = first_question(path, NULL);

  g_assert_cmpstr(question, ==, NULL);
}

static void
assert_other_is_kept(const char *path)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(path, TRUE);
  g_autoptr(GPtrArray) turns = store_log_show(log, 2, &error);

  g_assert_no_error(error);
  g_assert_cmpstr(((StoreTurnRow *)turns->pdata[0])->turn.question, ==, SECRET_QUESTION);
}

static void
test_erase(LogFolder *folder, gconstpointer data)
{
  const StoreErasure what = {.reason = "asked by the patient"};
  g_autofree char *first = in_folder(folder, "log-0001.sqlite"), *told = NULL;
  g_autofree char *second = in_folder(folder, "log-0002.sqlite");
  g_autoptr(GError) error = NULL;
  g_auto(StoreErased) erased = {0};

  make_three(folder);
  {
    g_autoptr(StoreLog) log = open_log(second, TRUE); /* its index is there, and is to go */
    g_autoptr(GPtrArray) found = store_log_search(log, "nodule", 0, &error);
    g_assert_cmpuint(found->len, ==, 2);
  }
  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    g_assert_true(store_log_erase_all(log, 1, &what, NULL, &erased, &error));
    g_assert_no_error(error);
  }
  g_assert_cmpuint(erased.subjects, ==, 3);
  g_assert_cmpuint(erased.files, ==, 3);
  g_assert_cmpuint(erased.retention_years, ==, STORE_RETENTION_YEARS);
  g_assert_nonnull(erased.kept_until);
  g_assert_null(erased.left);
  assert_erased(first);
  assert_erased(second);
  assert_erased(folder->path);
  assert_other_is_kept(second);
  {
    g_autoptr(StoreLog) log = open_log(second, TRUE);
    g_autoptr(GPtrArray) found = store_log_search(log, "nodule", 0, &error);
    g_assert_cmpuint(found->len, ==, 1);
  }
  assert_links_whole(folder->path, 2);
  told = told_by(folder->path);
  g_assert_nonnull(strstr(told, "\"file\": \"log-0001.sqlite\""));
  g_assert_nonnull(strstr(told, "\"file\": \"log-0002.sqlite\""));
  g_assert_nonnull(strstr(told, erased.kept_until));
}

/* A conversation of a sealed log, and of a patient who is in the first log alone with another. */
static void
test_erase_of_sealed(LogFolder *folder, gconstpointer data)
{
  const StoreErasure what = {.reason = "asked", .of = "log-0002.sqlite"},
                     none = {.reason = "asked", .of = "log-0009.sqlite"};
  g_autofree char *first = in_folder(folder, "log-0001.sqlite");
  g_autofree char *second = in_folder(folder, "log-0002.sqlite"), *question = NULL;
  g_autoptr(GError) error = NULL;
  g_auto(StoreErased) erased = {0}, other = {0}, nothing = {0};
  g_autoptr(StoreLog) log = NULL;

  make_three(folder);
  log = open_log(folder->path, FALSE);
  g_assert_false(store_log_erase_all(log, 1, &none, NULL, &nothing, &error));
  assert_message(&error, STORE_ERROR_NOT_FOUND, folder->path, "*it goes on from no log*");
  g_assert_false(store_log_erase_all(log, 99, &what, NULL, &nothing, &error));
  g_assert_error(error, STORE_ERROR, STORE_ERROR_NOT_FOUND);
  g_clear_error(&error);
  g_assert_true(store_log_erase_all(log, 2, &what, NULL, &other, &error));
  g_assert_no_error(error);
  g_assert_cmpuint(other.subjects, ==, 1);
  g_assert_cmpuint(other.files, ==, 1);
  question = first_question(second, NULL);
  g_assert_cmpstr(question, ==, SECRET_QUESTION);
  g_assert_true(store_log_erase_all(log, 1, &what, NULL, &erased, &error));
  g_assert_no_error(error);
  g_assert_cmpuint(erased.subjects, ==, 3);
  g_clear_pointer(&log, store_log_close);
  assert_erased(first);
  assert_erased(second);
  assert_erased(folder->path);
}

/* What cannot be reached: nothing is erased, unless it is said that it may be left. */
static void
test_erase_unreachable(LogFolder *folder, gconstpointer data)
{
  const StoreErasure careful = {.reason = "asked"},
                     leaving = {.reason = "asked", .leave_missing = TRUE};
  g_autofree char *first = in_folder(folder, "log-0001.sqlite");
  g_autofree char *keys = g_strconcat(first, ".keys", NULL), *away = in_folder(folder, "away");
  g_autofree char *question = NULL, *told = NULL;
  g_autoptr(GError) error = NULL;
  g_auto(StoreErased) erased = {0}, nothing = {0};

  make_three(folder);
  g_assert_cmpint(g_rename(keys, away), ==, 0);
  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    g_assert_false(store_log_erase_all(log, 1, &careful, NULL, &nothing, &error));
    assert_message(&error, STORE_ERROR_NOT_FOUND, folder->path,
                   "*nothing was erased, for log-0001.sqlite*its keys are missing*");
  }
  question = first_question(folder->path, NULL);
  g_assert_cmpstr(question, ==, SECRET_QUESTION);
  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    g_assert_true(store_log_erase_all(log, 1, &leaving, NULL, &erased, &error));
    g_assert_no_error(error);
  }
  g_assert_cmpuint(erased.files, ==, 2);
  g_assert_cmpstr(erased.left, ==, "log-0001.sqlite");
  assert_erased(folder->path);
  told = told_by(folder->path);
  g_assert_nonnull(strstr(told, "\"not_reached\": \"log-0001.sqlite\""));
}

/* Of two patients whom a conversation is about, both go, whosever image joined last. */
static void
test_erase_both(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  StoreImage other = sample_image;
  StoreTurn turn = sample_turn;
  gint64 first;

  other.patient_id = "PID-2";
  for (guint i = 0; i < 2; i++) {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    gint64 alone, both;
    guint subjects = 0;
    first = store_log_add_image(log, &sample_image, &error);
    turn.earlier_images = &first;
    turn.n_earlier_images = 1;
    turn.image = store_log_add_image(log, &other, &error);
    both = new_conversation(log);
    g_assert_cmpint(store_log_add_turn(log, both, &turn, &error), >, 0);
    alone = new_conversation(log);
    turn.n_earlier_images = 0;
    g_assert_cmpint(store_log_add_turn(log, alone, &turn, &error), >, 0);
    g_assert_no_error(error);
    if (i == 0) {
      g_clear_pointer(&log, store_log_close);
      store_link_free(rotate(folder->path, NULL, 0));
      continue;
    }
    g_assert_true(store_log_erase(log, both, "asked", &subjects, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(subjects, ==, 6); /* two patients, and they together, in both logs */
  }
  for (guint i = 0; i < 2; i++) {
    g_autofree char *path = in_folder(folder, i ? "log.sqlite" : "log-0001.sqlite");
    g_autoptr(StoreLog) log = open_log(path, TRUE);
    g_autoptr(GPtrArray) both = store_log_show(log, 1, &error),
                         alone = store_log_show(log, 2, &error);
    g_assert_no_error(error);
    g_assert_true(((StoreTurnRow *)both->pdata[0])->erased);
    g_assert_true(((StoreTurnRow *)alone->pdata[0])->erased);
  }
}

/* ---- how long -------------------------------------------------------------------------------- */

static void
assert_years(const char *path, guint expected, gboolean expected_set)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(path, TRUE);
  gboolean set = FALSE;
  guint years = 0;

  g_assert_true(store_log_retention(log, &years, &set, &error));
  g_assert_no_error(error);
  g_assert_cmpuint(years, ==, expected);
  g_assert_cmpint(set, ==, expected_set);
}

static void
test_setting(LogFolder *folder, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *told = NULL;

  make_log(folder->path, 1);
  assert_years(folder->path, 6, FALSE);
  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    g_assert_false(store_log_set_retention(log, 0, &error));
    assert_message(&error, STORE_ERROR_INVALID, folder->path, "*found 0, expected 1 to *");
    g_assert_true(store_log_set_retention(log, 30, &error));
    g_assert_true(store_log_set_retention(log, 10, &error));
    g_assert_no_error(error);
  }
  assert_years(folder->path, 10, TRUE);
  told = told_by(folder->path);
  g_assert_nonnull(strstr(told, "\"before\": \"30\", \"value\": \"10\""));
  /* It goes along, twice. */
  store_link_free(rotate(folder->path, NULL, 0));
  assert_years(folder->path, 10, TRUE);
  store_link_free(rotate(folder->path, NULL, 0));
  assert_years(folder->path, 10, TRUE);
  assert_links_whole(folder->path, 2);
}

static void
assert_kept(const char *path, const char *file, const char *pattern)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(StoreLog) log = open_log(path, FALSE);

  g_assert_false(store_log_retire(log, file, "time is over", NULL, &error));
  assert_message(&error,
                 g_str_has_prefix(pattern, "it goes") ? STORE_ERROR_NOT_FOUND : STORE_ERROR_INVALID,
                 path, pattern);
}

static void
assert_gone(LogFolder *folder, const char *name)
{
  g_autoptr(GDir) dir = g_dir_open(folder->folder, 0, NULL);
  const char *found;

  while ((found = g_dir_read_name(dir))) {
    g_assert_false(g_str_has_prefix(found, name));
  }
}

static void
test_retire(LogFolder *folder, gconstpointer data)
{
  g_autofree char *first = in_folder(folder, "log-0001.sqlite"), *told = NULL;
  g_autoptr(GPtrArray) links = NULL;
  g_autoptr(GError) error = NULL;

  for (guint i = 0; i < 3; i++) {
    make_log(folder->path, 1);
    store_link_free(rotate(folder->path, NULL, i < 2 ? -7 : 0));
  }
  assert_kept(folder->path, "log-0003.sqlite", "*log-0003.sqlite goes on from log-0002.sqlite*");
  assert_kept(folder->path, "log-0002.sqlite", "*log-0002.sqlite goes on from log-0001.sqlite*");
  assert_kept(folder->path, "log-0007.sqlite", "it goes on from no log log-0007.sqlite*");
  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    g_assert_true(store_log_retire(log, first, "time is over", NULL, &error));
    g_assert_no_error(error);
  }
  assert_gone(folder, "log-0001");
  assert_kept(folder->path, "log-0001.sqlite", "*it was removed already");
  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    g_assert_true(store_log_retire(log, "log-0002.sqlite", "time is over", NULL, &error));
    g_assert_no_error(error);
  }
  assert_kept(folder->path, "log-0003.sqlite", "*is to be kept until 20*6 years*");
  told = told_by(folder->path);
  g_assert_nonnull(strstr(told, "\"action\": \"log\""));
  g_assert_nonnull(strstr(told, "time is over"));
  /* What is not there any more is told, and nothing speaks against it. */
  links = links_of(folder->path, TRUE);
  g_assert_cmpuint(links->len, ==, 2);
  g_assert_cmpint(((StoreLink *)links->pdata[1])->state, ==, STORE_LINK_RETIRED);
  g_assert_cmpstr(((StoreLink *)links->pdata[1])->found, ==, NULL);
  assert_whole(folder->path);
}

/* The years that were set count, not those that are usual; what is not as it was sealed stays. */
static void
test_retire_refused(LogFolder *folder, gconstpointer data)
{
  g_autofree char *first = in_folder(folder, "log-0001.sqlite");
  g_autoptr(GError) error = NULL;

  make_log(folder->path, 1);
  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    g_assert_true(store_log_set_retention(log, 10, &error));
  }
  store_link_free(rotate(folder->path, NULL, -7));
  assert_kept(folder->path, "log-0001.sqlite", "*is to be kept until *10 years*");
  {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    g_assert_true(store_log_set_retention(log, 1, &error));
  }
  g_chmod(first, 0600);
  run_sql(first, "DROP TRIGGER event_no_delete; DELETE FROM event WHERE kind = 'sealed';"
                 "CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN SELECT "
                 "RAISE(ABORT, 'x'); END;");
  assert_kept(folder->path, "log-0001.sqlite", "*log-0001.sqlite*");
  g_assert_true(exists(first, ".keys"));
}

/* It ends after the event, or half way through the files: it is done again, and said once. */
static void
test_retire_again(LogFolder *folder, gconstpointer data)
{
  static const char *const left[] = {"", ".pub", ".head", ".key"};
  g_autofree char *first = in_folder(folder, "log-0001.sqlite"), *told = NULL;
  g_autofree char *bytes[G_N_ELEMENTS(left)] = {NULL};
  gsize n[G_N_ELEMENTS(left)];
  g_autoptr(GError) error = NULL;
  char *at;

  make_log(folder->path, 1);
  store_link_free(rotate(folder->path, NULL, -7));
  for (guint i = 0; i < G_N_ELEMENTS(left); i++) {
    g_autofree char *path = g_strconcat(first, left[i], NULL);
    g_assert_true(g_file_get_contents(path, &bytes[i], &n[i], NULL));
  }
  for (guint tries = 0; tries < 2; tries++) {
    g_autoptr(StoreLog) log = open_log(folder->path, FALSE);
    g_assert_true(store_log_retire(log, "log-0001.sqlite", "time is over", NULL, &error));
    g_assert_no_error(error);
    assert_gone(folder, "log-0001");
    for (guint i = 0; tries == 0 && i < G_N_ELEMENTS(left); i++) {
      g_autofree char *path = g_strconcat(first, left[i], NULL);
      g_assert_true(g_file_set_contents(path, bytes[i], (gssize)n[i], NULL));
    }
  }
  told = told_by(folder->path);
  at = strstr(told, "\"action\": \"log\"");
  g_assert_nonnull(at);
  g_assert_null(strstr(at + 1, "\"action\": \"log\""));
  for (guint i = 0; i < G_N_ELEMENTS(left); i++) {
    g_free(g_steal_pointer(&bytes[i]));
  }
}

/* The key in the keyring goes, too. */
static void
test_retire_keyring(KeysFixture *fixture, gconstpointer data)
{
  const StoreOpen how = {.protection = STORE_PROTECTION_KEYRING, .secrets = &fixture->secrets};
  g_autoptr(GError) error = NULL;
  StoreLog *log = store_log_open_with(fixture->log.path, &how, &error);
  g_autofree char *id = g_strdup(store_log_id(log));

  g_assert_no_error(error);
  store_log_close(log);
  g_assert_true(exists(fixture->ring, ""));
  g_assert_true(store_keys_destroy(fixture->log.path, id, &fixture->secrets, &error));
  g_assert_no_error(error);
  g_assert_false(exists(fixture->ring, ""));
  g_assert_false(exists(fixture->log.path, ".keys"));
  g_assert_true(store_keys_destroy(fixture->log.path, id, &fixture->secrets, &error));
  g_assert_no_error(error);
}

int
main(int argc, char **argv)
{
  fault_install();
  g_test_init(&argc, &argv, NULL);
  LOG_TEST("/retain/erase", test_erase);
  LOG_TEST("/retain/erase-of-sealed", test_erase_of_sealed);
  LOG_TEST("/retain/erase-unreachable", test_erase_unreachable);
  LOG_TEST("/retain/erase-both", test_erase_both);
  LOG_TEST("/retain/setting", test_setting);
  LOG_TEST("/retain/retire", test_retire);
  LOG_TEST("/retain/retire-refused", test_retire_refused);
  LOG_TEST("/retain/retire-again", test_retire_again);
  KEYS_TEST("/retain/retire-keyring", NULL, test_retire_keyring);
  return g_test_run();
}
