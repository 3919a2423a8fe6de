/* test-cli-rotate.c - the command line seals the log, goes on in another, reads and proves both,
 * erases in both, and keeps them for as long as is due. */
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
rotate(const char *log)
{
  g_auto(CliRun) run = {0};

  cli_run(&run, NULL, "log", "rotate", "--log", log, NULL);
  g_assert_cmpint(run.status, ==, 0);
  g_assert_nonnull(strstr(run.out, "goes on in"));
}

static void
test_rotate(void)
{
  g_autofree char *log = g_build_filename(folder, "rotate.sqlite", NULL);
  g_autofree char *first = g_build_filename(folder, "rotate-0001.sqlite", NULL);
  g_auto(CliRun) early = {0}, run = {0}, list = {0}, show = {0}, search = {0}, bad = {0};
  g_auto(CliRun) all = {0}, found = {0};
  g_autoptr(GPtrArray) lines = NULL, links = NULL, not_due = NULL, every = NULL;
  JsonObject *object;

  ask(log);
  cli_run(&early, NULL, "log", "rotate", "--log", log, "--larger-than", "1", "--new-year", "--json",
          NULL);
  g_assert_cmpint(early.status, ==, 0);
  not_due = cli_json_lines(early.out);
  cli_assert_keys(json_node_get_object(not_due->pdata[0]), "rotated log bytes begun");
  cli_run(&run, NULL, "log", "rotate", "--log", log, "--larger-than", "0.000001", "--json", NULL);
  g_assert_cmpint(run.status, ==, 0);
  lines = cli_json_lines(run.out);
  object = json_node_get_object(lines->pdata[0]);
  cli_assert_keys(object, "rotated file log_id number events root sealed_at log next_log_id");
  g_assert_true(json_object_get_boolean_member(object, "rotated"));
  ask(log);
  rotate(log);
  /* Conversations of all of them, the newest log first; that of the rotated ones have no other. */
  cli_run(&all, NULL, "log", "list", "--all", "--log", log, "--json", NULL);
  g_assert_cmpint(all.status, ==, 0);
  every = cli_json_lines(all.out);
  g_assert_cmpuint(every->len, ==, 2);
  g_assert_true(
      g_str_has_suffix(json_object_get_string_member(json_node_get_object(every->pdata[1]), "log"),
                       "rotate-0001.sqlite"));
  cli_run(&found, NULL, "log", "search", "--all", "--log", log, "--limit", "1", "hidden", NULL);
  g_assert_cmpint(found.status, ==, 0);
  g_assert_nonnull(strstr(found.out, "rotate-0002.sqlite"));
  g_assert_null(strstr(found.out, "rotate-0001.sqlite"));
  cli_run(&list, NULL, "log", "rotate", "--list", "--log", log, "--json", NULL);
  g_assert_cmpint(list.status, ==, 0);
  links = cli_json_lines(list.out);
  g_assert_cmpuint(links->len, ==, 3);
  for (guint i = 0; i < 3; i++) {
    object = json_node_get_object(links->pdata[i]);
    cli_assert_keys(object, "file log_id number events begun sealed_at bytes state found "
                            "kept_until kept");
    g_assert_cmpint(json_object_get_int_member(object, "number"), ==, i + 1);
    g_assert_cmpstr(json_object_get_string_member(object, "state"), ==, i < 2 ? "sealed" : "open");
    g_assert_true(json_object_get_boolean_member(object, "kept"));
  }
  /* What is sealed is read like any log, and written by nobody. */
  cli_run(&show, NULL, "log", "show", "1", "--log", first, NULL);
  g_assert_cmpint(show.status, ==, 0);
  g_assert_nonnull(strstr(show.out, "A hidden word?"));
  cli_run(&search, NULL, "log", "search", "hidden", "--log", first, NULL);
  g_assert_cmpint(search.status, ==, 0);
  g_assert_nonnull(strstr(search.out, "hidden"));
  cli_run(&bad, NULL, "log", "judge", "1", "accepted", "--log", first, NULL);
  g_assert_cmpint(bad.status, ==, 1);
  g_assert_nonnull(strstr(bad.err, "it goes on in rotate.sqlite"));
}

static void
test_verify(void)
{
  g_autofree char *log = g_build_filename(folder, "verify.sqlite", NULL);
  g_autofree char *first = g_build_filename(folder, "verify-0001.sqlite", NULL);
  g_autofree char *away = g_build_filename(folder, "away", NULL);
  g_auto(CliRun) run = {0}, sealed = {0}, missing = {0}, alone = {0};
  g_autoptr(GPtrArray) lines = NULL;
  JsonArray *linked;

  ask(log);
  rotate(log);
  cli_run(&run, NULL, "log", "verify", "--log", log, "--json", NULL);
  g_assert_cmpint(run.status, ==, 0);
  lines = cli_json_lines(run.out);
  linked = json_object_get_array_member(json_node_get_object(lines->pdata[0]), "linked");
  g_assert_cmpuint(json_array_get_length(linked), ==, 1);
  cli_assert_keys(json_array_get_object_element(linked, 0),
                  "file state whole found log_id events root");
  cli_run(&sealed, NULL, "log", "verify", "--log", first, NULL);
  g_assert_cmpint(sealed.status, ==, 0);
  g_assert_cmpint(g_rename(first, away), ==, 0);
  cli_run(&missing, NULL, "log", "verify", "--log", log, NULL);
  g_assert_cmpint(missing.status, ==, 1);
  g_assert_nonnull(strstr(missing.out, "verify-0001.sqlite is missing"));
  g_assert_nonnull(strstr(missing.out, "NOT WHOLE"));
  cli_run(&alone, NULL, "log", "verify", "--this-only", "--log", log, NULL);
  g_assert_cmpint(alone.status, ==, 0);
}

/* Exports, proofs and copies of a sealed log are events of the one that goes on. */
static void
test_export(void)
{
  g_autofree char *log = g_build_filename(folder, "export.sqlite", NULL);
  g_autofree char *first = g_build_filename(folder, "export-0001.sqlite", NULL);
  g_autofree char *pub = g_strconcat(first, ".pub", NULL);
  g_autofree char *out = g_build_filename(folder, "lines", NULL);
  g_autofree char *proof = g_build_filename(folder, "proof.json", NULL);
  g_autofree char *copy = g_build_filename(folder, "copy", NULL);
  g_auto(CliRun) export = {0}, prove = {0}, check = {0}, backup = {0}, list = {0};
  g_autoptr(GPtrArray) links = NULL;

  ask(log);
  rotate(log);
  cli_run(&export, NULL, "log", "export", "--format", "jsonl", "--text", "--out", out, "--log",
          first, NULL);
  g_assert_cmpint(export.status, ==, 0);
  cli_run(&prove, NULL, "log", "prove", "1", "--out", proof, "--log", first, NULL);
  g_assert_cmpint(prove.status, ==, 0);
  cli_run(&check, NULL, "log", "check-proof", proof, "--key", pub, NULL);
  g_assert_cmpint(check.status, ==, 0);
  cli_run(&backup, NULL, "log", "backup", "--out", copy, "--log", first, NULL);
  g_assert_cmpint(backup.status, ==, 0);
  cli_run(&list, NULL, "log", "rotate", "--list", "--log", log, "--json", NULL);
  links = cli_json_lines(list.out);
  /* its first two, and one of each */
  g_assert_cmpint(json_object_get_int_member(json_node_get_object(links->pdata[1]), "events"), ==,
                  5);
}

static void
test_erase(void)
{
  g_autofree char *log = g_build_filename(folder, "erase.sqlite", NULL);
  g_autofree char *first = g_build_filename(folder, "erase-0001.sqlite", NULL);
  g_autofree char *keys = g_strconcat(first, ".keys", NULL);
  g_autofree char *away = g_build_filename(folder, "away.keys", NULL);
  g_auto(CliRun) missing = {0}, kept = {0}, run = {0}, gone = {0}, old = {0}, verify = {0};
  g_autoptr(GPtrArray) lines = NULL;
  JsonObject *object;

  ask(log);
  rotate(log);
  ask(log);
  g_assert_cmpint(g_rename(keys, away), ==, 0);
  cli_run(&missing, NULL, "log", "erase", "1", "--log", log, "--reason", "asked", "--for-ever",
          NULL);
  g_assert_cmpint(missing.status, ==, 1);
  g_assert_nonnull(strstr(missing.err, "nothing was erased, for erase-0001.sqlite"));
  g_assert_cmpint(g_rename(away, keys), ==, 0);
  cli_run(&kept, NULL, "log", "show", "1", "--log", log, NULL);
  g_assert_nonnull(strstr(kept.out, "hidden"));
  cli_run(&run, NULL, "log", "erase", "1", "--log", log, "--reason", "asked", "--for-ever",
          "--json", NULL);
  g_assert_cmpint(run.status, ==, 0);
  lines = cli_json_lines(run.out);
  object = json_node_get_object(lines->pdata[0]);
  cli_assert_keys(object, "conversation subjects logs left retention_years to_be_kept_until");
  g_assert_cmpint(json_object_get_int_member(object, "subjects"), ==, 2);
  g_assert_cmpint(json_object_get_int_member(object, "logs"), ==, 2);
  g_assert_nonnull(strstr(run.err, "the duty to keep these texts (6 years"));
  cli_run(&gone, NULL, "log", "show", "1", "--log", log, NULL);
  g_assert_null(strstr(gone.out, "hidden"));
  cli_run(&old, NULL, "log", "show", "1", "--log", first, NULL);
  g_assert_cmpint(old.status, ==, 0);
  g_assert_null(strstr(old.out, "hidden"));
  cli_run(&verify, NULL, "log", "verify", "--log", log, NULL);
  g_assert_cmpint(verify.status, ==, 0);
}

static void
test_retain(void)
{
  g_autofree char *log = g_build_filename(folder, "retain.sqlite", NULL);
  g_auto(CliRun) usual = {0}, wrong = {0}, set = {0}, unsure = {0}, early = {0}, none = {0};
  g_autoptr(GPtrArray) lines = NULL;
  JsonObject *object;

  ask(log);
  cli_run(&usual, NULL, "log", "retain", "--log", log, "--json", NULL);
  g_assert_cmpint(usual.status, ==, 0);
  lines = cli_json_lines(usual.out);
  object = json_node_get_object(lines->pdata[0]);
  cli_assert_keys(object, "years set usual_years duty over");
  g_assert_cmpint(json_object_get_int_member(object, "years"), ==, 6);
  g_assert_false(json_object_get_boolean_member(object, "set"));
  cli_run(&wrong, NULL, "log", "retain", "--years", "-1", "--log", log, NULL);
  g_assert_cmpint(wrong.status, ==, 2);
  cli_run(&set, NULL, "log", "retain", "--years", "2", "--log", log, NULL);
  g_assert_cmpint(set.status, ==, 0);
  g_assert_nonnull(strstr(set.out, "2 years"));
  g_assert_nonnull(strstr(set.err, "shorter than the longest duty"));
  rotate(log);
  cli_run(&unsure, NULL, "log", "retire", "retain-0001.sqlite", "--log", log, "--reason", "over",
          NULL);
  g_assert_cmpint(unsure.status, ==, 2);
  cli_run(&early, NULL, "log", "retire", "retain-0001.sqlite", "--log", log, "--reason", "over",
          "--for-ever", NULL);
  g_assert_cmpint(early.status, ==, 1);
  g_assert_nonnull(strstr(early.err, "2 years from when it was sealed"));
  cli_run(&none, NULL, "log", "retire", "other.sqlite", "--log", log, "--reason", "over",
          "--for-ever", NULL);
  g_assert_cmpint(none.status, ==, 1);
}

int
main(int argc, char **argv)
{
  int status;

  g_test_init(&argc, &argv, NULL);
  set_up_files();
  g_test_add_func("/cli-rotate/rotate", test_rotate);
  g_test_add_func("/cli-rotate/verify", test_verify);
  g_test_add_func("/cli-rotate/export", test_export);
  g_test_add_func("/cli-rotate/erase", test_erase);
  g_test_add_func("/cli-rotate/retain", test_retain);
  status = g_test_run();
  tiny_folder_free(folder);
  g_free(model);
  g_free(ct);
  return status;
}
