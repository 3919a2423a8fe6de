/* test-cli-record.c - the command line proves the log, shows one conversation to others, and erases
 * what is known of a patient. */
#include <json-glib/json-glib.h>
#include <string.h>

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

static void
ask(const char *log)
{
  g_auto(CliRun) run = {0};

  cli_run(&run, NULL, "ask", "--model", model, "--image", ct, "--question", "A hidden word?",
          "--greedy", "--max-tokens", "2", "--log", log, NULL);
  g_assert_cmpint(run.status, ==, 0);
}

static void
test_verify(void)
{
  g_autofree char *log = g_build_filename(folder, "verify.sqlite", NULL);
  g_autofree char *head = g_strconcat(log, ".head", NULL), *text = NULL;
  g_auto(CliRun) json = {0}, plain = {0}, bad = {0}, missing = {0};
  g_autoptr(GPtrArray) lines = NULL, found = NULL;
  JsonObject *report;

  ask(log);
  cli_run(&json, NULL, "log", "verify", "--log", log, "--json", NULL);
  g_assert_cmpint(json.status, ==, 0);
  lines = cli_json_lines(json.out);
  report = json_node_get_object(lines->pdata[0]);
  cli_assert_keys(
      report, "whole found first log_id events root checkpoints signed_events "
              "unsigned_events signed_at kept_checkpoints cut clock_back clock_back_first linked");
  g_assert_true(json_object_get_boolean_member(report, "whole"));
  g_assert_cmpint(json_object_get_int_member(report, "events"), >, 5);
  g_assert_cmpint(json_object_get_int_member(report, "unsigned_events"), ==, 0);
  cli_run(&plain, NULL, "log", "verify", "--log", log, NULL);
  g_assert_nonnull(strstr(plain.out, "whole"));
  /* What LOG.head knows of and the log does not have. */
  g_assert_true(g_file_get_contents(head, &text, NULL, NULL));
  text[strlen(text) / 2] ^= 1;
  g_assert_true(g_file_set_contents(head, text, -1, NULL));
  cli_run(&bad, NULL, "log", "verify", "--log", log, "--json", NULL);
  g_assert_cmpint(bad.status, ==, 1);
  found = cli_json_lines(bad.out);
  report = json_node_get_object(found->pdata[0]);
  g_assert_false(json_object_get_boolean_member(report, "whole"));
  cli_run(&missing, NULL, "log", "verify", "--log", "/nowhere/log.sqlite", NULL);
  g_assert_cmpint(missing.status, ==, 1);
  g_assert_nonnull(strstr(missing.err, "/nowhere/log.sqlite"));
}

/* Older copies of all files are found by whoever kept a later checkpoint, however it was kept. */
static void
test_checkpoint(void)
{
  static const char *const beside[] = {"", ".head", ".keys", ".pub"};
  g_autofree char *log = g_build_filename(folder, "kept.sqlite", NULL);
  g_autofree char *kept = g_build_filename(folder, "kept.txt", NULL);
  g_autofree char *proof = g_build_filename(folder, "kept.json", NULL);
  g_autofree char *other = g_build_filename(folder, "other.sqlite", NULL);
  g_auto(CliRun) run = {0}, prove = {0}, whole = {0}, old = {0}, by_proof = {0}, alone = {0};
  g_auto(CliRun) foreign = {0}, nothing = {0};
  char *copies[G_N_ELEMENTS(beside)];
  gsize sizes[G_N_ELEMENTS(beside)];

  ask(log);
  for (guint i = 0; i < G_N_ELEMENTS(beside); i++) {
    g_autofree char *path = g_strconcat(log, beside[i], NULL);
    g_assert_true(g_file_get_contents(path, &copies[i], &sizes[i], NULL));
  }
  ask(log);
  cli_run(&prove, NULL, "log", "prove", "1", "--log", log, "--out", proof, NULL);
  g_assert_cmpint(prove.status, ==, 0);
  cli_run(&run, NULL, "log", "checkpoint", "--log", log, NULL);
  g_assert_cmpint(run.status, ==, 0);
  g_assert_true(g_str_has_prefix(run.out, "hilum-log/"));
  g_assert_true(g_file_set_contents(kept, run.out, -1, NULL));
  cli_run(&whole, NULL, "log", "verify", "--log", log, "--checkpoint", kept, "--json", NULL);
  g_assert_cmpint(whole.status, ==, 0);
  g_assert_nonnull(strstr(whole.out, "\"kept_checkpoints\": 1"));
  for (guint i = 0; i < G_N_ELEMENTS(beside); i++) {
    g_autofree char *path = g_strconcat(log, beside[i], NULL);
    g_assert_true(g_file_set_contents(path, copies[i], (gssize)sizes[i], NULL));
    g_free(copies[i]);
  }
  /* Nothing beside the log tells; what was kept does, under either form. */
  cli_run(&alone, NULL, "log", "verify", "--log", log, NULL);
  g_assert_cmpint(alone.status, ==, 0);
  cli_run(&old, NULL, "log", "verify", "--log", log, "--checkpoint", kept, NULL);
  g_assert_cmpint(old.status, ==, 1);
  g_assert_nonnull(strstr(old.out, "the end is missing, says a checkpoint that was kept"));
  cli_run(&by_proof, NULL, "log", "verify", "--log", log, "--checkpoint", proof, NULL);
  g_assert_cmpint(by_proof.status, ==, 1);
  g_assert_nonnull(strstr(by_proof.out, "kept elsewhere"));
  ask(other);
  cli_run(&foreign, NULL, "log", "verify", "--log", other, "--checkpoint", kept, NULL);
  g_assert_cmpint(foreign.status, ==, 1);
  g_assert_nonnull(strstr(foreign.err, "expected checkpoints of this log"));
  g_assert_true(g_file_set_contents(kept, "\n", -1, NULL));
  cli_run(&nothing, NULL, "log", "verify", "--log", other, "--checkpoint", kept, NULL);
  g_assert_cmpint(nothing.status, ==, 1);
  g_assert_nonnull(strstr(nothing.err, "found none"));
}

static void
test_prove(void)
{
  g_autofree char *log = g_build_filename(folder, "prove.sqlite", NULL);
  g_autofree char *key = g_strconcat(log, ".pub", NULL);
  g_autofree char *proof = g_build_filename(folder, "proof.json", NULL), *text = NULL;
  g_auto(CliRun) run = {0}, check = {0}, misused = {0}, no_key = {0}, bad = {0};
  g_autoptr(GPtrArray) lines = NULL;
  JsonObject *result;
  char *row;

  ask(log);
  cli_run(&run, NULL, "log", "prove", "1", "--log", log, "--out", proof, NULL);
  g_assert_cmpint(run.status, ==, 0);
  cli_run(&check, NULL, "log", "check-proof", proof, "--key", key, "--json", NULL);
  g_assert_cmpint(check.status, ==, 0);
  lines = cli_json_lines(check.out);
  result = json_node_get_object(lines->pdata[0]);
  g_assert_true(json_object_get_boolean_member(result, "valid"));
  g_assert_nonnull(strstr(check.out, "A hidden word?"));
  cli_run(&misused, NULL, "log", "prove", "one", "--log", log, "--out", proof, NULL);
  g_assert_cmpint(misused.status, ==, 2);
  cli_run(&no_key, NULL, "log", "check-proof", proof, NULL);
  g_assert_cmpint(no_key.status, ==, 2);
  g_assert_true(g_file_get_contents(proof, &text, NULL, NULL));
  row = strstr(text, "\"row\": \"") + 200;
  *row = *row == 'A' ? 'B' : 'A';
  g_assert_true(g_file_set_contents(proof, text, -1, NULL));
  cli_run(&bad, NULL, "log", "check-proof", proof, "--key", key, NULL);
  g_assert_cmpint(bad.status, ==, 1);
  g_assert_nonnull(strstr(bad.err, "the proof: "));
  g_assert_null(strstr(bad.out, "hidden"));
}

static void
test_erase(void)
{
  g_autofree char *log = g_build_filename(folder, "erase.sqlite", NULL);
  g_auto(CliRun) unsure = {0}, run = {0}, show = {0}, search = {0}, verify = {0};

  ask(log);
  cli_run(&unsure, NULL, "log", "erase", "1", "--log", log, "--reason", "asked", NULL);
  g_assert_cmpint(unsure.status, ==, 2);
  cli_run(&run, NULL, "log", "erase", "1", "--log", log, "--reason", "asked", "--for-ever",
          "--json", NULL);
  g_assert_cmpint(run.status, ==, 0);
  g_assert_nonnull(strstr(run.out, "\"subjects\": 1"));
  cli_run(&show, NULL, "log", "show", "1", "--log", log, NULL);
  g_assert_cmpint(show.status, ==, 0);
  g_assert_null(strstr(show.out, "hidden"));
  g_assert_nonnull(strstr(show.out, "erased"));
  cli_run(&search, NULL, "log", "search", "hidden", "--log", log, NULL);
  g_assert_cmpint(search.status, ==, 0);
  g_assert_cmpstr(search.out, ==, "");
  cli_run(&verify, NULL, "log", "verify", "--log", log, NULL);
  g_assert_cmpint(verify.status, ==, 0);
}

static void
test_protect(void)
{
  g_autofree char *log = g_build_filename(folder, "protect.sqlite", NULL);
  g_autofree char *words = g_build_filename(folder, "words", NULL);
  g_auto(CliRun) other = {0}, run = {0}, locked = {0}, opened = {0};

  ask(log);
  cli_run(&other, NULL, "log", "protect", "magic", "--log", log, NULL);
  g_assert_cmpint(other.status, ==, 2);
  g_assert_true(g_file_set_contents(words, "correct horse\n", -1, NULL));
  g_setenv("HILUM_LOG_PASSPHRASE_FILE", words, TRUE);
  cli_run(&run, NULL, "log", "protect", "passphrase", "--log", log, "--json", NULL);
  g_assert_cmpint(run.status, ==, 0);
  cli_run(&opened, NULL, "log", "list", "--log", log, NULL);
  g_assert_cmpint(opened.status, ==, 0);
  g_unsetenv("HILUM_LOG_PASSPHRASE_FILE");
  cli_run(&locked, NULL, "log", "list", "--log", log, NULL);
  g_assert_cmpint(locked.status, ==, 1);
  g_assert_nonnull(strstr(locked.err, "passphrase"));
}

static void
test_backup(void)
{
  g_autofree char *log = g_build_filename(folder, "backup.sqlite", NULL);
  g_autofree char *out = g_build_filename(folder, "copies", NULL);
  g_autofree char *back = g_build_filename(folder, "back.sqlite", NULL);
  g_auto(CliRun) no_out = {0}, run = {0}, again = {0}, restore = {0}, over = {0}, show = {0};
  g_auto(CliRun) none = {0};
  g_autoptr(GPtrArray) lines = NULL;

  ask(log);
  cli_run(&no_out, NULL, "log", "backup", "--log", log, NULL);
  g_assert_cmpint(no_out.status, ==, 2);
  cli_run(&run, NULL, "log", "backup", "--log", log, "--out", out, "--with-key", "--json", NULL);
  g_assert_cmpint(run.status, ==, 0);
  lines = cli_json_lines(run.out);
  cli_assert_keys(json_node_get_object(lines->pdata[0]),
                  "out log_id events root with_key protection");
  g_assert_nonnull(strstr(run.err, "as secret as the texts"));
  cli_run(&again, NULL, "log", "backup", "--log", log, "--out", out, NULL);
  g_assert_cmpint(again.status, ==, 1);
  cli_run(&over, NULL, "log", "restore", out, "--log", log, NULL);
  g_assert_cmpint(over.status, ==, 1);
  g_assert_nonnull(strstr(over.err, "never overwritten"));
  cli_run(&restore, NULL, "log", "restore", out, "--log", back, NULL);
  g_assert_cmpint(restore.status, ==, 0);
  cli_run(&show, NULL, "log", "show", "1", "--log", back, NULL);
  g_assert_cmpint(show.status, ==, 0);
  g_assert_nonnull(strstr(show.out, "A hidden word?"));
  cli_run(&none, NULL, "log", "restore", folder, "--log", out, NULL);
  g_assert_cmpint(none.status, ==, 1);
}

int
main(int argc, char **argv)
{
  int status;

  g_test_init(&argc, &argv, NULL);
  set_up_files();
  g_test_add_func("/cli-record/verify", test_verify);
  g_test_add_func("/cli-record/checkpoint", test_checkpoint);
  g_test_add_func("/cli-record/prove", test_prove);
  g_test_add_func("/cli-record/erase", test_erase);
  g_test_add_func("/cli-record/protect", test_protect);
  g_test_add_func("/cli-record/backup", test_backup);
  status = g_test_run();
  tiny_folder_free(folder);
  g_free(model);
  g_free(ct);
  return status;
}
