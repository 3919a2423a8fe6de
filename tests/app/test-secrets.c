/* test-secrets.c - the root key of a log in a keyring, and passphrases: on buses of this test's
 * own, with GNOME's keyring where it is installed, and with services that say nothing.
 */
#include "secrets-keyring.h"
#include "secrets.h"
#include "tiny.h"
#include "trust.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define ID "00112233445566778899aabbccddeeff"
#define OTHER "ffeeddccbbaa99887766554433221100"
#define PATIENCE 1500u

static const guint8 key[32] = {1, 2, 3, 0, 255};

static void
assert_locked(gboolean good, GError **error)
{
  g_assert_false(good);
  g_assert_error(*error, STORE_ERROR, STORE_ERROR_LOCKED);
  g_test_message("%s", (*error)->message);
  g_clear_error(error);
}

static void
assert_nothing(void)
{
  g_autoptr(GError) error = NULL;
  guint8 got[32];

  assert_locked(app_keyring_is_there(PATIENCE, &error), &error);
  assert_locked(app_keyring_fetch(ID, PATIENCE, got, &error), &error);
  assert_locked(app_keyring_keep(ID, PATIENCE, key, &error), &error);
  assert_locked(app_keyring_forget(ID, PATIENCE, &error), &error);
  g_assert_false(app_secrets_has_keyring());
  g_assert_false(app_keyring_is_open(PATIENCE));
  g_assert_cmpint(app_secrets_protection_of_new(TRUE), ==, STORE_PROTECTION_FILE);
}

/* Without a bus nothing is started, and there are no functions. */
static void
test_no_bus(void)
{
  StoreSecrets secrets = app_secrets_get();

  g_assert_false(app_keyring_has_bus());
  g_assert_null(secrets.fetch);
  g_assert_null(secrets.keep);
  g_assert_null(secrets.forget);
  g_assert_nonnull(secrets.ask);
  assert_nothing();
}

/* ---- services -------------------------------------------------------------------------------- */

/* Owns the name, and answers nothing until the test is over. */
typedef struct {
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  char *address;
  gint ready;
} Silent;

static GDBusMessage *
swallow(GDBusConnection *bus, GDBusMessage *message, gboolean incoming, gpointer user)
{
  if (incoming && g_dbus_message_get_message_type(message) == G_DBUS_MESSAGE_TYPE_METHOD_CALL) {
    g_object_unref(message);
    return NULL;
  }
  return message;
}

static gpointer
be_silent(gpointer user)
{
  Silent *silent = user;
  g_autoptr(GDBusConnection) bus = NULL;
  g_autoptr(GVariant) owned = NULL;
  g_autoptr(GError) error = NULL;

  g_main_context_push_thread_default(silent->context);
  bus = g_dbus_connection_new_for_address_sync(silent->address,
                                               G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                   G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                               NULL, NULL, &error);
  g_assert_no_error(error);
  owned = g_dbus_connection_call_sync(
      bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName",
      g_variant_new("(su)", "org.freedesktop.secrets", 4), NULL, 0, -1, NULL, &error);
  g_assert_no_error(error);
  g_dbus_connection_add_filter(bus, swallow, NULL, NULL);
  g_atomic_int_set(&silent->ready, 1);
  g_main_loop_run(silent->loop);
  g_dbus_connection_close_sync(bus, NULL, NULL);
  g_main_context_pop_thread_default(silent->context);
  return NULL;
}

static void
test_silent(const char *address)
{
  Silent silent = {0};
  gint64 began;

  silent.context = g_main_context_new();
  silent.loop = g_main_loop_new(silent.context, FALSE);
  silent.address = g_strdup(address);
  silent.thread = g_thread_new("silent", be_silent, &silent);
  while (!g_atomic_int_get(&silent.ready)) {
    g_usleep(1000);
  }
  app_secrets_set_patience(300);
  began = g_get_monotonic_time();
  assert_nothing();
  /* Seven times a patience of at most 1.5 s; for ever is what it must not be. */
  g_assert_cmpint(g_get_monotonic_time() - began, <, 60 * G_USEC_PER_SEC);
  g_main_loop_quit(silent.loop);
  g_thread_join(silent.thread);
  g_main_loop_unref(silent.loop);
  g_main_context_unref(silent.context);
  g_free(silent.address);
  app_secrets_set_patience(0);
}

static gboolean
start_keyring(GSubprocess **keyring)
{
  const char *const argv[] = {"gnome-keyring-daemon", "--unlock", "--foreground",
                              "--components=secrets", NULL};
  g_autofree char *program = g_find_program_in_path(argv[0]);
  g_autoptr(GError) error = NULL;
  GOutputStream *in;

  if (!program) {
    return FALSE;
  }
  *keyring = g_subprocess_newv(argv,
                               G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_SILENCE |
                                   G_SUBPROCESS_FLAGS_STDERR_SILENCE,
                               &error);
  g_assert_no_error(error);
  in = g_subprocess_get_stdin_pipe(*keyring);
  g_assert_true(g_output_stream_write_all(in, "password", 8, NULL, NULL, &error));
  g_assert_true(g_output_stream_close(in, NULL, &error));
  for (guint i = 0; i < 100 && !app_keyring_is_there(PATIENCE, &error); i++) {
    g_clear_error(&error);
    g_usleep(50 * 1000);
  }
  return TRUE;
}

/* Locks the collection behind our back. */
static void
lock_keyring(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GDBusConnection) bus = g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, &error);
  const char *const all[] = {"/org/freedesktop/secrets/collection/login", NULL};
  g_autoptr(GVariant) done = NULL;

  g_assert_no_error(error);
  done = g_dbus_connection_call_sync(
      bus, "org.freedesktop.secrets", "/org/freedesktop/secrets", "org.freedesktop.Secret.Service",
      "Lock", g_variant_new("(@ao)", g_variant_new_objv(all, -1)), NULL, 0, -1, NULL, &error);
  g_assert_no_error(error);
}

/* A new log is the keyring's where it is open: at the usual place, or where that is preferred. */
static void
new_logs_by_keyring(void)
{
  g_autofree char *folder = g_dir_make_tmp("hilum-secrets-XXXXXX", NULL);
  g_autofree char *path = g_build_filename(folder, "log.sqlite", NULL);
  g_autoptr(GError) error = NULL;
  StoreLog *log;

  g_assert_true(app_keyring_is_open(PATIENCE));
  g_assert_cmpint(app_secrets_protection_of_new(FALSE), ==, STORE_PROTECTION_FILE);
  g_assert_cmpint(app_secrets_protection_of_new(TRUE), ==, STORE_PROTECTION_KEYRING);
  app_prefer_keyring(TRUE);
  for (guint i = 0; i < 2; i++) { /* made, and opened again */
    log = app_log_open_at(path, FALSE, &error);
    g_assert_no_error(error);
    g_assert_cmpint(store_log_protection(log), ==, STORE_PROTECTION_KEYRING);
    store_log_close(log);
  }
  g_setenv("HILUM_LOG_PROTECTION", "file", TRUE);
  g_assert_cmpint(app_secrets_protection_of_new(TRUE), ==, STORE_PROTECTION_FILE);
  g_unsetenv("HILUM_LOG_PROTECTION");
  app_prefer_keyring(FALSE);
  tiny_folder_free(g_steal_pointer(&folder));
}

static void
use_keyring(void)
{
  g_autoptr(GError) error = NULL;
  StoreSecrets secrets = app_secrets_get();
  guint8 got[32] = {0};
  guint8 other[32] = {9};

  g_assert_true(app_secrets_has_keyring());
  g_assert_nonnull(secrets.fetch);
  assert_locked(secrets.fetch(ID, got, secrets.user, &error), &error);
  g_assert_true(secrets.keep(ID, key, secrets.user, &error));
  g_assert_no_error(error);
  g_assert_true(secrets.fetch(ID, got, secrets.user, &error));
  g_assert_no_error(error);
  g_assert_cmpmem(got, 32, key, 32);
  /* One key a log, and none of another's. */
  assert_locked(secrets.fetch(OTHER, got, secrets.user, &error), &error);
  g_assert_true(secrets.keep(ID, other, secrets.user, &error));
  g_assert_true(secrets.keep(OTHER, key, secrets.user, &error));
  g_assert_true(secrets.fetch(ID, got, secrets.user, &error));
  g_assert_cmpmem(got, 32, other, 32);
  g_assert_true(secrets.forget(ID, secrets.user, &error));
  g_assert_true(secrets.forget(ID, secrets.user, &error));
  g_assert_no_error(error);
  assert_locked(secrets.fetch(ID, got, secrets.user, &error), &error);
  g_assert_true(secrets.fetch(OTHER, got, secrets.user, &error));
  g_assert_cmpmem(got, 32, key, 32);
  new_logs_by_keyring();
  /* A keyring that is locked, and nobody who could type its password. */
  lock_keyring();
  g_assert_false(app_keyring_is_open(PATIENCE));
  g_assert_cmpint(app_secrets_protection_of_new(TRUE), ==, STORE_PROTECTION_FILE);
  assert_locked(secrets.fetch(OTHER, got, secrets.user, &error), &error);
}

static void
test_services(void)
{
  GTestDBus *bus = g_test_dbus_new(G_TEST_DBUS_NONE);
  GSubprocess *keyring = NULL;

  g_test_dbus_up(bus);
  /* Nobody has the name, and nobody can be started for it. */
  assert_nothing();
  test_silent(g_test_dbus_get_bus_address(bus));
  if (start_keyring(&keyring)) {
    use_keyring();
    g_subprocess_force_exit(keyring);
    g_subprocess_wait(keyring, NULL, NULL);
    g_object_unref(keyring);
  } else {
    g_test_skip("gnome-keyring is not installed");
  }
  /* It ends with this process: stopping it here would wait for a connection that libsecret keeps.
   */
}

/* ---- passphrases ----------------------------------------------------------------------------- */

typedef struct {
  const char *answer;
  guint asked, again;
} Person;

static char *
answer(gboolean again, gpointer user, GError **error)
{
  Person *person = user;

  person->asked++;
  person->again += again != FALSE;
  if (!person->answer) {
    g_set_error_literal(error, STORE_ERROR, STORE_ERROR_LOCKED, "refused");
  }
  return g_strdup(person->answer);
}

static void
assert_heard(gboolean again, const char *expected)
{
  StoreSecrets secrets = app_secrets_get();
  g_autoptr(GError) error = NULL;
  g_autofree char *heard = secrets.ask(again, secrets.user, &error);

  g_assert_cmpstr(heard, ==, expected);
  if (!expected) {
    assert_locked(heard != NULL, &error);
  }
}

static void
test_asked(void)
{
  Person person = {"one"};

  app_secrets_forget_passphrase();
  assert_heard(FALSE, NULL);
  app_set_ask_passphrase(answer, &person);
  assert_heard(FALSE, "one");
  person.answer = "two";
  assert_heard(FALSE, "one"); /* nobody is asked twice */
  g_assert_cmpuint(person.asked, ==, 1);
  app_secrets_forget_passphrase();
  assert_heard(FALSE, "two");
  person.answer = "three";
  assert_heard(TRUE, "three"); /* but for a new one */
  assert_heard(FALSE, "three");
  g_assert_cmpuint(person.again, ==, 1);
  app_secrets_forget_passphrase();
  person.answer = NULL;
  assert_heard(FALSE, NULL);
  app_set_ask_passphrase(NULL, NULL);
}

/* Two threads open a log and were told the same; one is slow to find that it is wrong. */
static void
test_wrong(void)
{
  Person person = {"wrong"};
  AppAsked fast = {0}, slow = {0};
  StoreSecrets secrets = app_secrets_get();

  app_secrets_forget_passphrase();
  app_set_ask_passphrase(answer, &person);
  secrets.user = &fast;
  g_free(secrets.ask(FALSE, secrets.user, NULL));
  g_assert_true(fast.answered);
  secrets.user = &slow;
  g_free(secrets.ask(FALSE, secrets.user, NULL));
  g_assert_cmpuint(slow.which, ==, fast.which);
  app_secrets_forget_wrong(&fast);
  person.answer = "right";
  assert_heard(FALSE, "right");
  app_secrets_forget_wrong(&slow);
  person.answer = NULL;
  assert_heard(FALSE, "right");
  app_set_ask_passphrase(NULL, NULL);
  app_secrets_forget_passphrase();
}

static void
test_files(void)
{
  g_autofree char *folder = g_dir_make_tmp("hilum-secrets-XXXXXX", NULL);
  g_autofree char *old = g_build_filename(folder, "old", NULL);
  g_autofree char *new = g_build_filename(folder, "new", NULL);
  g_autofree char *endless = g_strnfill(5000, 'x');
  Person person = {"person"};
  static const struct {
    const char *text, *line;
  } cases[] = {{"a b \n", "a b "}, {"one\ntwo\n", "one"}, {"dos\r\n", "dos"}, {"no end", "no end"},
               {"", NULL},         {"\nlater", NULL}};
  g_autofree char *number = NULL;
  int ends[2];

  app_set_ask_passphrase(answer, &person);
  g_setenv("HILUM_LOG_PASSPHRASE_FILE", old, TRUE);
  app_secrets_forget_passphrase();
  assert_heard(FALSE, NULL); /* not there: the user is not asked instead */
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_assert_true(g_file_set_contents(old, cases[i].text, -1, NULL));
    app_secrets_forget_passphrase();
    assert_heard(FALSE, cases[i].line);
  }
  g_assert_true(g_file_set_contents(old, endless, -1, NULL));
  assert_heard(FALSE, NULL);
  g_assert_true(g_file_set_contents(old, "o\0d\n", 4, NULL));
  assert_heard(FALSE, NULL);
  g_assert_true(g_file_set_contents(old, "old\n", -1, NULL));
  g_assert_true(g_file_set_contents(new, "new\n", -1, NULL));
  assert_heard(FALSE, "old");
  assert_heard(TRUE, "old");
  g_setenv("HILUM_LOG_NEW_PASSPHRASE_FILE", new, TRUE);
  assert_heard(FALSE, "old");
  assert_heard(TRUE, "new");
  assert_heard(FALSE, "new"); /* it is the log's now */
  g_assert_cmpuint(person.asked, ==, 0);
  /* From a descriptor, which can be read once. */
  g_assert_cmpint(pipe(ends), ==, 0);
  g_assert_cmpint(write(ends[1], "piped\n", 6), ==, 6);
  close(ends[1]);
  number = g_strdup_printf("%d", ends[0]);
  g_setenv("HILUM_LOG_PASSPHRASE_FILE", number, TRUE);
  app_secrets_forget_passphrase();
  assert_heard(FALSE, "piped");
  assert_heard(FALSE, "piped");
  close(ends[0]);
  g_unsetenv("HILUM_LOG_PASSPHRASE_FILE");
  g_unsetenv("HILUM_LOG_NEW_PASSPHRASE_FILE");
  app_set_ask_passphrase(NULL, NULL);
  app_secrets_forget_passphrase();
  g_remove(old);
  g_remove(new);
  g_rmdir(folder);
}

int
main(int argc, char **argv)
{
  g_autofree char *folder = g_dir_make_tmp("hilum-secrets-XXXXXX", NULL);
  g_autofree char *remove = NULL;
  int status;

  /* No bus, keyring or screen of whoever runs this. */
  g_chmod(folder, 0700);
  g_setenv("XDG_RUNTIME_DIR", folder, TRUE);
  g_setenv("XDG_DATA_HOME", folder, TRUE);
  g_setenv("HOME", folder, TRUE);
  g_unsetenv("DBUS_SESSION_BUS_ADDRESS");
  g_unsetenv("DISPLAY");
  g_unsetenv("WAYLAND_DISPLAY");
  g_unsetenv("HILUM_LOG_PROTECTION"); /* which other tests have */
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/secrets/no-bus", test_no_bus);
  g_test_add_func("/secrets/services", test_services);
  g_test_add_func("/secrets/asked", test_asked);
  g_test_add_func("/secrets/wrong", test_wrong);
  g_test_add_func("/secrets/files", test_files);
  status = g_test_run();
  remove = g_strdup_printf("rm -rf %s", folder);
  g_spawn_command_line_sync(remove, NULL, NULL, NULL, NULL);
  return status;
}
