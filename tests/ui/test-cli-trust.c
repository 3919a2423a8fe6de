/* test-cli-trust.c - what the command line says of what was asked, how sure it was, and what a
 * person made of it. */
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
test_region(void)
{
  g_autofree char *log = g_build_filename(folder, "region.sqlite", NULL);
  g_auto(CliRun) run = {0}, show = {0}, text = {0};
  g_autoptr(GPtrArray) turns = NULL, shown = NULL;
  JsonObject *image, *region;

  cli_run(&run, NULL, "ask", "--model", model, "--image", ct, "--question", "?", "--greedy",
          "--max-tokens", "2", "--region", "10,20,30,15", "--turn", "3", "--flip", "--log", log,
          "--json", NULL);
  g_assert_cmpint(run.status, ==, 0);
  turns = cli_json_lines(run.out);
  image = json_object_get_object_member(json_node_get_object(turns->pdata[0]), "image");
  g_assert_cmpint(json_object_get_int_member(image, "turns"), ==, 3);
  g_assert_true(json_object_get_boolean_member(image, "flip"));
  region = json_object_get_object_member(image, "region");
  cli_assert_keys(region, "x y width height");
  g_assert_cmpint(json_object_get_int_member(region, "y"), ==, 20);
  g_assert_cmpint(json_object_get_int_member(region, "height"), ==, 15);
  cli_run(&show, NULL, "log", "show", "1", "--log", log, "--json", NULL);
  g_assert_cmpint(show.status, ==, 0);
  shown = cli_json_lines(show.out);
  image = json_object_get_object_member(json_node_get_object(shown->pdata[0]), "image");
  g_assert_true(
      json_node_equal(json_object_get_member(image, "region"),
                      json_object_get_member(json_object_get_object_member(
                                                 json_node_get_object(turns->pdata[0]), "image"),
                                             "region")));
  cli_run(&text, NULL, "log", "show", "1", "--log", log, NULL);
  g_assert_nonnull(strstr(text.out, "30 x 15 at 10, 20, turned 270 degrees, mirrored"));
}

static void
test_region_misused(void)
{
  static const char *const wrong[][4] = {
      {"--region", "1,2,3", NULL},
      {"--region", "1,2,0,4", NULL},
      {"--region", "-1,2,3,4", NULL},
      {"--region", "1,2,3,4,5", NULL},
      {"--region", "a,2,3,4", NULL},
      {"--turn", "4", NULL},
      {"--turn", "-1", NULL},
      {"--region", "50,0,20,20", NULL}, /* outside */
      {"--region", "0,0,4294967296,1", NULL},
  };

  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_auto(CliRun) run = {0};
    cli_run(&run, NULL, "ask", "--model", model, "--image", ct, "--question", "?", "--no-log",
            wrong[i][0], wrong[i][1], NULL);
    g_assert_cmpint(run.status, ==, 2);
    g_assert_cmpstr(run.out, ==, "");
  }
}

static void
test_probabilities(void)
{
  g_autofree char *log = g_build_filename(folder, "likely.sqlite", NULL);
  g_auto(CliRun) run = {0}, show = {0}, plain = {0};
  g_autoptr(GPtrArray) turns = NULL, shown = NULL;
  JsonArray *tokens;
  g_autoptr(GString) text = g_string_new(NULL);

  cli_run(&run, NULL, "ask", "--model", model, "--image", ct, "--question", "?", "--greedy",
          "--max-tokens", "5", "--log", log, "--json", "--probabilities", NULL);
  g_assert_cmpint(run.status, ==, 0);
  turns = cli_json_lines(run.out);
  tokens = json_object_get_array_member(json_node_get_object(turns->pdata[0]), "tokens");
  for (guint i = 0; i < json_array_get_length(tokens); i++) {
    JsonObject *token = json_array_get_object_element(tokens, i);
    cli_assert_keys(token, "text p");
    g_string_append(text, json_object_get_string_member(token, "text"));
  }
  g_assert_cmpstr(text->str, ==,
                  json_object_get_string_member(json_node_get_object(turns->pdata[0]), "answer"));
  cli_run(&show, NULL, "log", "show", "1", "--log", log, "--json", "--probabilities", NULL);
  shown = cli_json_lines(show.out);
  g_assert_true(
      json_node_equal(json_object_get_member(json_node_get_object(shown->pdata[0]), "tokens"),
                      json_object_get_member(json_node_get_object(turns->pdata[0]), "tokens")));
  cli_run(&plain, NULL, "log", "show", "1", "--log", log, "--json", NULL);
  g_assert_null(strstr(plain.out, "\"tokens\""));
}

static void
test_judge_and_search(void)
{
  g_autofree char *log = g_build_filename(folder, "judged.sqlite", NULL);
  g_auto(CliRun) run = {0}, judge = {0}, again = {0}, found = {0}, none = {0}, show = {0},
                 gone = {0};
  g_autoptr(GPtrArray) lines = NULL, rows = NULL, shown = NULL;
  static const char *const wrong[][3] = {
      {"1", "maybe", NULL}, {"x", "accepted", NULL}, {"1", "edited", NULL}, {"1", NULL, NULL}};

  cli_run(&run, NULL, "ask", "--model", model, "--image", ct, "--question", "An effusion?",
          "--greedy", "--max-tokens", "2", "--log", log, NULL);
  g_assert_cmpint(run.status, ==, 0);
  cli_run(&judge, NULL, "log", "judge", "1", "edited", "--text", "Épanchement.", "--log", log,
          "--json", NULL);
  g_assert_cmpint(judge.status, ==, 0);
  lines = cli_json_lines(judge.out);
  cli_assert_keys(json_node_get_object(lines->pdata[0]), "verdict text by person time");
  cli_run(&again, NULL, "log", "judge", "1", "rejected", "--log", log, NULL);
  g_assert_cmpint(again.status, ==, 0);
  g_assert_true(g_str_has_prefix(again.out, "rejected by "));
  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_auto(CliRun) misused = {0};
    cli_run(&misused, NULL, "log", "judge", "--log", log, wrong[i][0], wrong[i][1], NULL);
    g_assert_cmpint(misused.status, ==, 2);
  }
  cli_run(&found, NULL, "log", "search", "epanch", "EFFUSION", "--log", log, "--json", NULL);
  g_assert_cmpint(found.status, ==, 0);
  rows = cli_json_lines(found.out);
  g_assert_cmpuint(rows->len, ==, 1);
  cli_assert_keys(json_node_get_object(rows->pdata[0]),
                  "id started imported turns modality image model model_sha256 engine question erased "
                  "program_version rewound_from rewound_turn snippet");
  cli_run(&none, NULL, "log", "search", "fracture", "--log", log, NULL);
  g_assert_cmpint(none.status, ==, 0);
  g_assert_cmpstr(none.out, ==, "");
  cli_run(&show, NULL, "log", "show", "1", "--log", log, NULL);
  g_assert_nonnull(strstr(show.out, "Épanchement."));
  g_assert_nonnull(strstr(show.out, "rejected by "));
  cli_run(&gone, NULL, "log", "judge", "99", "accepted", "--log", log, NULL);
  g_assert_cmpint(gone.status, ==, 1);
}

static void
test_checks(void)
{
  g_autofree char *log = g_build_filename(folder, "checked.sqlite", NULL);
  g_auto(CliRun) run = {0}, text = {0}, wrong = {0}, show = {0};
  g_autoptr(GPtrArray) turns = NULL;
  JsonArray *checks;

  cli_run(&run, NULL, "ask", "--model", model, "--image", ct, "--question", "?", "--seed", "4",
          "--max-tokens", "3", "--log", log, "--json", "--check", "blank", "--check", "seeds",
          NULL);
  g_assert_cmpint(run.status, ==, 0);
  turns = cli_json_lines(run.out);
  checks = json_object_get_array_member(json_node_get_object(turns->pdata[0]), "checks");
  g_assert_cmpuint(json_array_get_length(checks), ==, 2);
  for (guint i = 0; i < 2; i++) {
    cli_assert_keys(json_array_get_object_element(checks, i),
                    "check answers same agreement depends_on_image");
  }
  cli_run(&show, NULL, "log", "show", "1", "--log", log, NULL);
  g_assert_nonnull(strstr(show.out, "blank image"));
  g_assert_nonnull(strstr(show.out, "other seeds"));
  cli_run(&text, NULL, "describe", "--model", model, "--image", ct, "--seed", "4", "--max-tokens",
          "3", "--no-log", "--check", "seeds", NULL);
  g_assert_cmpint(text.status, ==, 0);
  g_assert_nonnull(strstr(text.err, "agreement of the answers: "));
  cli_run(&wrong, NULL, "ask", "--model", model, "--image", ct, "--question", "?", "--no-log",
          "--check", "both", NULL);
  g_assert_cmpint(wrong.status, ==, 2);
}

int
main(int argc, char **argv)
{
  int status;

  g_test_init(&argc, &argv, NULL);
  set_up_files();
  g_test_add_func("/cli-trust/region", test_region);
  g_test_add_func("/cli-trust/region-misused", test_region_misused);
  g_test_add_func("/cli-trust/probabilities", test_probabilities);
  g_test_add_func("/cli-trust/judge-and-search", test_judge_and_search);
  g_test_add_func("/cli-trust/checks", test_checks);
  status = g_test_run();
  tiny_folder_free(folder);
  g_free(model);
  g_free(ct);
  return status;
}
