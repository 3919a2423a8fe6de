/* test-cli-recover.c - a damaged log is said to be one, set aside and recovered from the command
 * line; one of a newer Hilum is read, and never written. */
#include <fcntl.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <unistd.h>

#include "app/tiny.h"
#include "cli-run.h"

static char *folder; /* of all tests */
static char *model, *ct;

static void
set_up_files(void)
{
  const TinyDicom first = {
      .rows = 40, .columns = 60, .uid = "1.2.3.4.5", .instance = 1, .window = "300\\400"};

  folder = tiny_folder_new();
  g_setenv("XDG_DATA_HOME", folder, TRUE);
  model = g_build_filename(folder, "tiny.gguf", NULL);
  ct = g_build_filename(folder, "ct.dcm", NULL);
  tiny_model_write(folder, model);
  tiny_dicom_write(ct, &first);
}

static int
ask(const char *log)
{
  g_auto(CliRun) run = {0};

  cli_run(&run, NULL, "ask", "--model", model, "--image", ct, "--question", "A hidden word?",
          "--greedy", "--max-tokens", "2", "--log", log, NULL);
  return run.status;
}

/* The first page, from which SQLite reads all else. */
static void
damage(const char *log)
{
  const char zeros[4096] = {0};
  int fd = open(log, O_WRONLY | O_CLOEXEC);

  g_assert_cmpint(fd, >=, 0);
  g_assert_cmpint(pwrite(fd, zeros, 3996, 100), ==, 3996);
  close(fd);
}

static JsonObject *
recover(const char *log, CliRun *run, GPtrArray **lines)
{
  cli_run(run, NULL, "log", "recover", "--log", log, "--json", NULL);
  g_assert_cmpint(run->status, ==, 0);
  *lines = cli_json_lines(run->out);
  return json_node_get_object((*lines)->pdata[0]);
}

static void
test_recover(void)
{
  g_autofree char *log = g_build_filename(folder, "recover.sqlite", NULL);
  g_auto(CliRun) whole = {0}, list = {0}, run = {0}, verify = {0}, show = {0}, aside = {0};
  g_autoptr(GPtrArray) none = NULL, lines = NULL;
  JsonObject *report;
  const char *set_aside;

  g_assert_cmpint(ask(log), ==, 0);
  report = recover(log, &whole, &none);
  g_assert_false(json_object_get_boolean_member(report, "recovered"));
  g_assert_nonnull(strstr(whole.err, "nothing was changed"));
  damage(log);
  cli_run(&list, NULL, "log", "list", "--log", log, NULL);
  g_assert_cmpint(list.status, ==, 1);
  g_assert_nonnull(strstr(list.err, "hilum log recover"));
  g_assert_cmpint(ask(log), ==, 1);
  report = recover(log, &run, &lines);
  cli_assert_keys(report, "log recovered found set_aside log_id previous_log_id lost events_read "
                          "events_recovered events_lost events_unreadable events_unproved "
                          "texts_lost texts_erased placeholders conversations turns "
                          "last_proved_event");
  g_assert_true(json_object_get_boolean_member(report, "recovered"));
  g_assert_cmpint(json_object_get_int_member(report, "turns"), ==, 1);
  set_aside = json_object_get_string_member(report, "set_aside");
  g_assert_true(g_file_test(set_aside, G_FILE_TEST_EXISTS));
  cli_run(&verify, NULL, "log", "verify", "--log", log, NULL);
  g_assert_cmpint(verify.status, ==, 0);
  cli_run(&show, NULL, "log", "show", "1", "--log", log, NULL);
  g_assert_cmpint(show.status, ==, 0);
  g_assert_nonnull(strstr(show.out, "A hidden word?"));
  g_assert_cmpint(ask(log), ==, 0);
}

/* In words, and under a passphrase, which is asked for once. */
static void
test_passphrase(void)
{
  g_autofree char *log = g_build_filename(folder, "under.sqlite", NULL);
  g_autofree char *file = g_build_filename(folder, "passphrase", NULL);
  g_auto(CliRun) protect = {0}, without = {0}, run = {0}, show = {0}, locked = {0};

  g_assert_cmpint(ask(log), ==, 0);
  g_assert_true(g_file_set_contents(file, "a long passphrase\n", -1, NULL));
  g_setenv("HILUM_LOG_PASSPHRASE_FILE", file, TRUE);
  cli_run(&protect, NULL, "log", "protect", "passphrase", "--log", log, NULL);
  g_assert_cmpint(protect.status, ==, 0);
  damage(log);
  g_unsetenv("HILUM_LOG_PASSPHRASE_FILE");
  cli_run(&without, NULL, "log", "recover", "--log", log, NULL);
  g_assert_cmpint(without.status, ==, 1);
  g_assert_nonnull(strstr(without.err, "passphrase"));
  g_setenv("HILUM_LOG_PASSPHRASE_FILE", file, TRUE);
  cli_run(&run, NULL, "log", "recover", "--log", log, NULL);
  g_assert_cmpint(run.status, ==, 0);
  g_assert_nonnull(strstr(run.out, ".corrupt-"));
  cli_run(&show, NULL, "log", "show", "1", "--log", log, NULL);
  g_assert_cmpint(show.status, ==, 0);
  g_unsetenv("HILUM_LOG_PASSPHRASE_FILE");
  cli_run(&locked, NULL, "log", "show", "1", "--log", log, NULL);
  g_assert_cmpint(locked.status, ==, 1);
}

/* The version of its tables, in the header. */
static void
make_newer(const char *log)
{
  const char version[] = {0, 0, 0, 6};
  int fd = open(log, O_WRONLY | O_CLOEXEC);

  g_assert_cmpint(fd, >=, 0);
  g_assert_cmpint(pwrite(fd, version, sizeof version, 60), ==, sizeof version);
  close(fd);
}

static void
test_newer(void)
{
  static const char *const readers[][2] = {
      {"list", NULL}, {"show", "1"}, {"search", "hidden"}, {"verify", NULL}};
  static const char *const writers[][3] = {
      {"judge", "1", "accepted"}, {"checkpoint", NULL, NULL}, {"recover", NULL, NULL}};
  g_autofree char *log = g_build_filename(folder, "newer.sqlite", NULL);
  g_autofree char *before = NULL, *after = NULL;
  gsize n = 0, n_after = 0;

  g_assert_cmpint(ask(log), ==, 0);
  make_newer(log);
  g_assert_true(g_file_get_contents(log, &before, &n, NULL));
  for (guint i = 0; i < G_N_ELEMENTS(readers); i++) {
    g_auto(CliRun) run = {0};
    cli_run(&run, NULL, "log", readers[i][0], "--log", log, readers[i][1], NULL);
    g_assert_cmpint(run.status, ==, 0);
    g_assert_nonnull(
        strstr(run.err, "a newer Hilum wrote this log (version 6, and this one knows 5)"));
  }
  for (guint i = 0; i < G_N_ELEMENTS(writers); i++) {
    g_auto(CliRun) run = {0};
    cli_run(&run, NULL, "log", writers[i][0], "--log", log, writers[i][1], writers[i][2], NULL);
    g_assert_cmpint(run.status, ==, 1);
    g_assert_nonnull(strstr(run.err, "a newer Hilum wrote this log"));
  }
  g_assert_cmpint(ask(log), ==, 1);
  g_assert_true(g_file_get_contents(log, &after, &n_after, NULL));
  g_assert_cmpmem(before, n, after, n_after);
}

int
main(int argc, char **argv)
{
  int status;

  g_test_init(&argc, &argv, NULL);
  set_up_files();
  g_test_add_func("/cli-recover/recover", test_recover);
  g_test_add_func("/cli-recover/passphrase", test_passphrase);
  g_test_add_func("/cli-recover/newer", test_newer);
  status = g_test_run();
  tiny_folder_free(folder);
  g_free(model);
  g_free(ct);
  return status;
}
