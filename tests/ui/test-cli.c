/* test-cli.c - the `hilum` command from outside: exit statuses, streams, keys, repeatability. */
#include <json-glib/json-glib.h>
#include <string.h>

#include "app/tiny.h"
#include "cli-run.h"
#include "shared.h"

static char *folder; /* of all tests, with the model and the images */
static char *model, *ct, *plain;

#define PATIENT "Quellenbaum"
#define COMMENT "Axial slice. No contrast was given."

static void
set_up_files(void)
{
  const TinyDicom first = {.rows = 40,
                           .columns = 60,
                           .uid = "1.2.3.4.5",
                           .instance = 1,
                           .window = "300\\400",
                           .patient_name = PATIENT "^Erika",
                           .study_description = "Abdomen",
                           .image_comments = COMMENT};
  const TinyDicom second = {
      .rows = 40, .columns = 60, .frames = 2, .uid = "1.2.3.4.6", .instance = 2};

  folder = tiny_folder_new();
  /* Nothing of the one who runs the tests is touched. */
  g_setenv("XDG_DATA_HOME", folder, TRUE);
  model = g_build_filename(folder, "tiny.gguf", NULL);
  ct = g_build_filename(folder, "ct.dcm", NULL);
  plain = g_build_filename(folder, "plain.dcm", NULL);
  tiny_model_write(folder, model);
  tiny_dicom_write(ct, &first);
  tiny_dicom_write(plain, &second);
}

static char *
in_folder(const char *name)
{
  return g_build_filename(folder, name, NULL);
}

/* ---- help and misuse ---------------------------------------------------------------------- */

static void
test_help(void)
{
  static const char *const commands[][2] = {
      {NULL, NULL},        {"ask", NULL},        {"describe", NULL},  {"image", NULL},
      {"image", "info"},   {"image", "render"},  {"image", "decode"}, {"model", NULL},
      {"model", "info"},   {"model", "convert"}, {"model", "trace"},  {"tokenize", NULL},
      {"model", "random"}, {"model", "compare"}, {"bench", NULL},     {"log", NULL},
      {"log", "list"},     {"log", "show"},      {"phantom", NULL},   {"train", NULL},
      {"eval", NULL},      {"eval", "vqa"}};

  for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
    g_auto(CliRun) run = {0};
    g_autoptr(GPtrArray) args = g_ptr_array_new();
    for (guint j = 0; j < 2 && commands[i][j]; j++) {
      g_ptr_array_add(args, (gpointer)commands[i][j]);
    }
    g_ptr_array_add(args, (gpointer) "--help");
    g_ptr_array_add(args, NULL);
    cli_runv(&run, NULL, (const char *const *)args->pdata);
    g_assert_cmpint(run.status, ==, 0);
    g_assert_nonnull(strstr(run.out, "Usage:"));
    g_assert_cmpstr(run.err, ==, "");
  }
}

static void
test_version(void)
{
  g_auto(CliRun) run = {0};

  cli_run(&run, NULL, "--version", NULL);
  g_assert_cmpint(run.status, ==, 0);
  g_assert_true(g_str_has_prefix(run.out, "hilum "));
  g_assert_cmpstr(run.err, ==, "");
}

static void
test_misuse(void)
{
  const char *const wrong[][9] = {
      {NULL},
      {"nonsense"},
      {"image"},
      {"image", "nonsense"},
      {"image", "info"},
      {"image", "info", "--nonsense", ct},
      {"image", "render", ct},
      {"image", "render", ct, "--out", "x.png", "--window", "40"},
      {"image", "render", ct, "--out", "x.png", "--frame", "-1"},
      {"image", "render", ct, ct, "--out", "x.png"},
      {"image", "decode", ct},
      {"model", "convert", "--model", model},
      {"model", "convert", "--model", model, "--out", "x.gguf", "--type", "q9"},
      {"model", "trace", "--model", model},
      {"model", "random", "--out", "x.gguf"},
      {"model", "random", "--shape", "tiny"},
      {"model", "random", "--shape", "vast", "--out", "x.gguf"},
      {"model", "random", "--shape", "tiny", "--out", "x.gguf", "--type", "q9"},
      {"model", "random", "--shape", "tiny", "--out", "x.gguf", "--seed", "-1"},
      {"model", "info", model, "--model", model},
      {"model", "info", "--mmproj", model},
      {"model", "info", "--threads", "-1", model},
      {"model", "info", "--kv-type", "f8", model},
      {"model", "info", "--ctx", "-1", model},
      {"ask", "--image", ct, "--question", "?", "--temperature", "nan", "--no-log"},
      {"ask", "--image", ct, "--question", "?", "--top-p", "0", "--no-log"},
      {"ask", "--image", ct, "--question", "  ", "--no-log"},
      {"ask", "--image", ct, "--question", "?", "--seed", "-3", "--no-log"},
      {"ask", "--image", ct, "--question", "?", "--no-log", "--log", "x"},
      {"ask", "--image", ct, "--question", "?", "--answer", "long", "--no-log"},
      {"ask", "--image", ct, "--question", "?", "--max-tokens", "x", "--no-log"},
      {"ask", "--question", "?", "--no-log"},
      {"ask", "--question", "\xff", "--no-log"},
      {"describe", "--image", ct, "--length", "long", "--no-log"},
      {"log", "show"},
      {"log", "show", "x"},
      {"log", "list", "--limit", "-1"},
      {"tokenize", "word", "--model", model},
  };

  g_setenv("HILUM_DEMO_MODEL", model, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_auto(CliRun) run = {0};
    cli_runv(&run, "", wrong[i]);
    g_test_message("row %u: %s", i, run.err);
    g_assert_cmpint(run.status, ==, 2);
    g_assert_cmpstr(run.out, ==, "");
    g_assert_cmpstr(run.err, !=, "");
  }
  g_unsetenv("HILUM_DEMO_MODEL");
}

static void
test_bad_files(void)
{
  g_autofree char *junk = in_folder("junk"), *gone = in_folder("gone"), *out = in_folder("o.png");
  const char *const wrong[][9] = {
      {"image", "info", junk},
      {"image", "info", gone, "--json"},
      {"image", "render", junk, "--out", out},
      {"image", "render", ct, "--presentation", gone, "--out", out},
      {"image", "render", ct, "--presentation", junk, "--out", out},
      {"image", "decode", gone, "--out", out},
      {"model", "info", junk},
      {"model", "info", gone},
      {"model", "convert", "--model", junk, "--out", out},
      {"model", "trace", "--model", model, "--image", junk, "--prompt", "<image> x"},
      {"ask", "--model", junk, "--image", ct, "--question", "?", "--no-log"},
      {"ask", "--model", model, "--image", junk, "--question", "?", "--no-log"},
      {"tokenize", "--model", gone},
      {"log", "list", "--log", junk},
      {"log", "list", "--log", gone},
      {"log", "show", "1", "--log", gone},
  };

  g_assert_true(g_file_set_contents(junk, "neither image nor model nor log", -1, NULL));
  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_auto(CliRun) run = {0};
    cli_runv(&run, "", wrong[i]);
    g_test_message("row %u: %s", i, run.err);
    g_assert_cmpint(run.status, ==, 1);
    g_assert_cmpstr(run.out, ==, "");
    g_assert_true(strstr(run.err, junk) || strstr(run.err, gone));
    g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
  }
}

/* What is quickly seen to be wrong is said before the model is looked at, and makes no log. */
static void
test_cheap_first(void)
{
  g_autofree char *no_model = in_folder("no-model"), *gone = in_folder("no-image");
  g_autofree char *log = in_folder("cheap.sqlite");
  g_auto(CliRun) image = {0}, frame = {0}, sampling = {0}, blind = {0}, lines = {0};

  cli_run(&image, NULL, "ask", "--model", no_model, "--image", gone, "--question", "?", "--log",
          log, NULL);
  g_assert_cmpint(image.status, ==, 1);
  g_assert_nonnull(strstr(image.err, gone));
  g_assert_null(strstr(image.err, no_model));
  cli_run(&frame, NULL, "describe", "--model", no_model, "--image", plain, "--frame", "2", "--log",
          log, NULL);
  g_assert_cmpint(frame.status, !=, 0);
  g_assert_nonnull(strstr(frame.err, plain));
  cli_run(&sampling, NULL, "ask", "--model", no_model, "--image", ct, "--question", "?", "--top-p",
          "2", "--log", log, NULL);
  g_assert_cmpint(sampling.status, ==, 2);
  cli_run(&blind, NULL, "ask", "--model", model, "--question", "?", "--log", log, NULL);
  g_assert_cmpint(blind.status, ==, 2);
  g_assert_nonnull(strstr(blind.err, "--image"));
  /* And before a question is waited for. */
  cli_run(&lines, "?\n", "ask", "--model", model, "--log", log, NULL);
  g_assert_cmpint(lines.status, ==, 2);
  g_assert_nonnull(strstr(lines.err, "--image"));
  g_assert_false(g_file_test(log, G_FILE_TEST_EXISTS));
}

/* ---- asking ------------------------------------------------------------------------------- */

static void
assert_turn_keys(JsonObject *turn, gboolean describing)
{
  cli_assert_keys(
      turn, describing
                ? "turn turn_id question answer prompt_ids answer_ids stop image images model "
                  "timing instruction"
                : "turn turn_id question answer prompt_ids answer_ids stop image images model "
                  "timing");
  cli_assert_keys(json_object_get_object_member(turn, "image"),
                  "path sop_instance_uid frame window_center window_width region turns flip window "
                  "pixels_sha256 sent_sha256 "
                  "modality body_part view laterality warnings warning_texts");
  cli_assert_keys(json_object_get_object_member(turn, "model"), "name sha256 quantization template engine");
  cli_assert_keys(json_object_get_object_member(turn, "timing"),
                  "image_s prompt_tokens prompt_s first_token_s answer_tokens decode_tokens_per_s "
                  "image_cached prompt_cached_tokens drafted accepted");
  if (describing) {
    cli_assert_keys(json_object_get_object_member(turn, "instruction"),
                    "rule words threshold list text");
  }
}

static void
test_two_turns(void)
{
  g_autofree char *log = in_folder("two.sqlite");
  g_auto(CliRun) run = {0}, list = {0}, show = {0};
  g_autoptr(GPtrArray) turns = NULL, rows = NULL, shown = NULL;
  JsonObject *first, *second, *image;

  cli_run(&run, NULL, "ask", "--model", model, "--image", ct, "--question", "Is it normal?",
          "--question", "Where?", "--greedy", "--max-tokens", "6", "--log", log, "--json", NULL);
  g_assert_cmpint(run.status, ==, 0);
  turns = cli_json_lines(run.out);
  g_assert_cmpuint(turns->len, ==, 2);
  first = json_node_get_object(turns->pdata[0]);
  second = json_node_get_object(turns->pdata[1]);
  assert_turn_keys(first, FALSE);
  assert_turn_keys(second, FALSE);
  g_assert_cmpint(json_object_get_int_member(first, "turn"), ==, 1);
  g_assert_cmpint(json_object_get_int_member(second, "turn"), ==, 2);
  g_assert_cmpstr(json_object_get_string_member(second, "question"), ==, "Where?");
  image = json_object_get_object_member(first, "image");
  g_assert_cmpstr(json_object_get_string_member(image, "sop_instance_uid"), ==, "1.2.3.4.5");
  g_assert_cmpfloat(json_object_get_double_member(image, "window_center"), ==, 300);
  g_assert_cmpuint(strlen(json_object_get_string_member(image, "sent_sha256")), ==, 64);
  /* A follow-up computes its own ids only. */
  g_assert_cmpint(
      json_object_get_int_member(json_object_get_object_member(second, "timing"), "prompt_tokens"),
      <, json_array_get_length(json_object_get_array_member(second, "prompt_ids")));
  g_assert_nonnull(strstr(run.err, "tiny"));
  g_assert_nonnull(strstr(run.err, "Research use only"));
  g_assert_null(strstr(run.err, "demo"));
  g_assert_null(strstr(run.err, PATIENT));

  cli_run(&list, NULL, "log", "list", "--log", log, "--json", NULL);
  g_assert_cmpint(list.status, ==, 0);
  rows = cli_json_lines(list.out);
  g_assert_cmpuint(rows->len, ==, 1);
  g_assert_cmpint(json_object_get_int_member(json_node_get_object(rows->pdata[0]), "turns"), ==, 2);
  cli_run(&show, NULL, "log", "show", "1", "--log", log, "--json", NULL);
  g_assert_cmpint(show.status, ==, 0);
  shown = cli_json_lines(show.out);
  g_assert_cmpuint(shown->len, ==, 2);
  for (guint i = 0; i < 2; i++) {
    JsonObject *said = json_node_get_object(turns->pdata[i]);
    JsonObject *kept = json_node_get_object(shown->pdata[i]);
    static const char *const same[] = {"turn",       "question",   "answer",
                                       "prompt_ids", "answer_ids", "stop"};
    for (guint k = 0; k < G_N_ELEMENTS(same); k++) {
      g_assert_true(json_node_equal(json_object_get_member(said, same[k]),
                                    json_object_get_member(kept, same[k])));
    }
    g_assert_cmpstr(
        json_object_get_string_member(json_object_get_object_member(kept, "image"), "sent_sha256"),
        ==, json_object_get_string_member(image, "sent_sha256"));
  }
}

/* A picture of which nothing is known: the answer says so, and the log, and a person hears it. */
static void
test_warned(void)
{
  g_auto(CliRun) render = {0}, run = {0}, show = {0};
  g_autofree char *png = g_build_filename(folder, "warned.png", NULL);
  g_autofree char *log = g_build_filename(folder, "warned.sqlite", NULL);
  g_autoptr(GPtrArray) turns = NULL;
  g_autoptr(GPtrArray) shown = NULL;
  JsonObject *image;
  JsonArray *names;

  cli_run(&render, NULL, "image", "render", ct, "--out", png, NULL);
  g_assert_cmpint(render.status, ==, 0);
  cli_run(&run, NULL, "ask", "--model", model, "--image", png, "--question", "?", "--greedy",
          "--max-tokens", "2", "--log", log, "--json", NULL);
  g_assert_cmpint(run.status, ==, 0);
  g_assert_nonnull(strstr(run.err, "warning: This is a PNG picture"));
  turns = cli_json_lines(run.out);
  image = json_object_get_object_member(json_node_get_object(turns->pdata[0]), "image");
  names = json_object_get_array_member(image, "warnings");
  g_assert_cmpuint(json_array_get_length(names), ==, 1);
  g_assert_cmpstr(json_array_get_string_element(names, 0), ==, "not-dicom");
  cli_run(&show, NULL, "log", "show", "1", "--log", log, "--json", NULL);
  shown = cli_json_lines(show.out);
  image = json_object_get_object_member(json_node_get_object(shown->pdata[0]), "image");
  names = json_object_get_array_member(image, "warnings");
  g_assert_cmpstr(json_array_get_string_element(names, 0), ==, "not-dicom");
}

/* What is said is the same each time; with a seed too, on any number of threads. */
static void
check_repeats(const char *const *sampling)
{
  g_autofree char *first = NULL;

  for (int i = 0; i < 3; i++) {
    g_auto(CliRun) run = {0};
    g_autoptr(GPtrArray) args = g_ptr_array_new();
    const char *const common[] = {"ask",        "--model",         model,      "--image",      ct,
                                  "--question", "Is it normal?",   "--no-log", "--max-tokens", "12",
                                  "--threads",  i == 0 ? "1" : "2"};
    for (guint k = 0; k < G_N_ELEMENTS(common); k++) {
      g_ptr_array_add(args, (gpointer)common[k]);
    }
    for (guint k = 0; sampling[k]; k++) {
      g_ptr_array_add(args, (gpointer)sampling[k]);
    }
    g_ptr_array_add(args, NULL);
    cli_runv(&run, NULL, (const char *const *)args->pdata);
    g_assert_cmpint(run.status, ==, 0);
    if (i == 0) {
      first = g_strdup(run.out);
    }
    g_assert_cmpstr(run.out, ==, first);
  }
}

static void
test_repeatable(void)
{
  check_repeats((const char *const[]){"--greedy", NULL});
  check_repeats((const char *const[]){"--seed", "5", "--temperature", "1", "--top-p", "1", NULL});
}

static void
test_no_log(void)
{
  g_auto(CliRun) run = {0};
  g_auto(CliRun) kept = {0};
  g_autofree char *log = g_build_filename(folder, "hilum", "log.sqlite", NULL);

  cli_run(&run, NULL, "ask", "--model", model, "--image", ct, "--question", "?", "--no-log",
          "--max-tokens", "2", NULL);
  g_assert_cmpint(run.status, ==, 0);
  g_assert_false(g_file_test(log, G_FILE_TEST_EXISTS));
  cli_run(&kept, NULL, "ask", "--model", model, "--image", ct, "--question", "?", "--max-tokens",
          "2", NULL);
  g_assert_cmpint(kept.status, ==, 0);
  g_assert_true(g_file_test(log, G_FILE_TEST_EXISTS));
}

static void
test_blank(void)
{
  g_auto(CliRun) seen = {0}, blank = {0};
  g_autoptr(GPtrArray) a = NULL, b = NULL;
  JsonObject *x, *y;

  cli_run(&seen, NULL, "ask", "--model", model, "--image", ct, "--question", "?", "--no-log",
          "--greedy", "--max-tokens", "2", "--json", NULL);
  cli_run(&blank, NULL, "ask", "--model", model, "--image", ct, "--question", "?", "--no-log",
          "--greedy", "--max-tokens", "2", "--json", "--blank-image", NULL);
  g_assert_cmpint(seen.status, ==, 0);
  g_assert_cmpint(blank.status, ==, 0);
  a = cli_json_lines(seen.out);
  b = cli_json_lines(blank.out);
  x = json_object_get_object_member(json_node_get_object(a->pdata[0]), "image");
  y = json_object_get_object_member(json_node_get_object(b->pdata[0]), "image");
  g_assert_cmpstr(json_object_get_string_member(x, "pixels_sha256"), ==,
                  json_object_get_string_member(y, "pixels_sha256"));
  g_assert_cmpstr(json_object_get_string_member(x, "sent_sha256"), !=,
                  json_object_get_string_member(y, "sent_sha256"));
}

static void
test_demo_notice(void)
{
  g_auto(CliRun) run = {0};

  g_setenv("HILUM_DEMO_MODEL", model, TRUE);
  cli_run(&run, NULL, "ask", "--image", ct, "--question", "?", "--no-log", "--greedy",
          "--max-tokens", "2", NULL);
  g_unsetenv("HILUM_DEMO_MODEL");
  g_assert_cmpint(run.status, ==, 0);
  g_assert_nonnull(strstr(run.err, "demo model"));
}

static void
test_lines_of_questions(void)
{
  g_auto(CliRun) run = {0}, none = {0};
  g_autoptr(GPtrArray) turns = NULL;

  cli_run(&run, "What is it?\n\n  Where? \n", "ask", "--model", model, "--image", ct, "--no-log",
          "--greedy", "--max-tokens", "2", "--json", NULL);
  g_assert_cmpint(run.status, ==, 0);
  turns = cli_json_lines(run.out);
  g_assert_cmpuint(turns->len, ==, 2);
  g_assert_cmpstr(json_object_get_string_member(json_node_get_object(turns->pdata[1]), "question"),
                  ==, "Where?");
  cli_run(&none, "\n", "ask", "--model", model, "--image", ct, "--no-log", NULL);
  g_assert_cmpint(none.status, ==, 2);
}

/* The processes that read images can do nothing else, or it is said that they can. */
static void
test_sandbox(void)
{
  static const char *const keys[] = {"open", "write", "connect", "fork"};
  g_auto(CliRun) run = {0}, table = {0}, wrong = {0};
  g_autoptr(GPtrArray) lines = NULL;
  JsonObject *object;

  cli_run(&run, NULL, "image", "sandbox", "--json", NULL);
  g_assert_cmpint(run.status, ==, 0);
  lines = cli_json_lines(run.out);
  g_assert_cmpuint(lines->len, ==, 1);
  object = json_node_get_object(lines->pdata[0]);
  if (json_object_get_boolean_member(object, "sandboxed")) {
    g_assert_true(json_object_get_null_member(object, "reason"));
    g_assert_cmpstr(run.err, ==, "");
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
      g_assert_cmpstr(json_object_get_string_member(object, keys[i]), ==, "denied");
    }
  } else {
    g_assert_nonnull(strstr(run.err, "filter of system calls"));
  }
  cli_run(&table, NULL, "image", "sandbox", NULL);
  g_assert_cmpint(table.status, ==, 0);
  g_assert_nonnull(strstr(table.out, "connect"));
  cli_run(&wrong, NULL, "image", "sandbox", "x", NULL);
  g_assert_cmpint(wrong.status, ==, 2);
}

static void
test_too_long(void)
{
  g_auto(CliRun) run = {0};
  g_autofree char *question = g_strnfill(3000, 'x');

  cli_run(&run, NULL, "ask", "--model", model, "--image", ct, "--question", question, "--no-log",
          "--ctx", "256", "--kv-type", "q8_0", NULL);
  g_assert_cmpint(run.status, ==, 1);
  g_assert_cmpstr(run.out, ==, "");
  g_assert_nonnull(strstr(run.err, "256"));
  g_assert_nonnull(strstr(run.err, "30")); /* three thousand and some */
}

/* A disk that is full before the log is made: nothing is asked that could not be kept. */
static void
test_no_room_for_log(void)
{
  g_auto(CliRun) run = {0};
  g_autofree char *log = in_folder("full.sqlite");

  cli_run_limited(&run, 4096, "ask", "--model", model, "--image", ct, "--question", "?", "--log",
                  log, "--greedy", "--max-tokens", "3", NULL);
  g_assert_cmpint(run.status, ==, 1);
  g_assert_cmpstr(run.out, ==, "");
  g_assert_nonnull(strstr(run.err, log));
}

/* A disk that fills up while the log is open: the answer is shown, and the loss is told. The limit
 * leaves room for SQLite's index of its write-ahead log (32 KiB), not for a turn in the log. */
static void
test_full_log(void)
{
  g_auto(CliRun) first = {0}, second = {0}, list = {0};
  g_autofree char *log = in_folder("filled.sqlite");
  g_autofree char *question = g_strnfill(700, 'a');
  g_autoptr(GPtrArray) rows = NULL;

  cli_run(&first, NULL, "ask", "--model", model, "--image", ct, "--question", "?", "--log", log,
          "--greedy", "--max-tokens", "3", NULL);
  g_assert_cmpint(first.status, ==, 0);
  cli_run_limited(&second, 32768, "ask", "--model", model, "--image", plain, "--question", question,
                  "--log", log, "--greedy", "--max-tokens", "100", NULL);
  g_assert_cmpint(second.status, ==, 1);
  g_test_message("%s", second.err);
  g_assert_cmpstr(second.out, !=, "");
  g_assert_nonnull(strstr(second.err, "NOT IN THE LOG"));
  g_assert_nonnull(strstr(second.err, log));
  cli_run(&list, NULL, "log", "list", "--log", log, "--json", NULL);
  g_assert_cmpint(list.status, ==, 0);
  rows = cli_json_lines(list.out);
  g_assert_cmpint(
      json_object_get_int_member(json_node_get_object(rows->pdata[rows->len - 1]), "turns"), ==, 1);
}

static void
test_closed_output(void)
{
  g_auto(CliRun) run = {0};

  cli_run_full(&run, "ask", "--model", model, "--image", ct, "--question", "?", "--no-log",
               "--greedy", "--max-tokens", "3", NULL);
  g_assert_cmpint(run.status, ==, 1);
  g_assert_nonnull(strstr(run.err, "standard output"));
}

/* ---- describing --------------------------------------------------------------------------- */

static void
check_describe(const char *file, const char *option, const char *value, const char *rule, int words,
               const char *list)
{
  g_auto(CliRun) run = {0};
  g_autoptr(GPtrArray) turns = NULL;
  JsonObject *turn, *instruction;

  cli_run(&run, NULL, "describe", "--model", model, "--image", file, "--no-log", "--greedy",
          "--max-tokens", "2", "--json", option, value, NULL);
  g_assert_cmpint(run.status, ==, 0);
  turns = cli_json_lines(run.out);
  g_assert_cmpuint(turns->len, ==, 1);
  turn = json_node_get_object(turns->pdata[0]);
  assert_turn_keys(turn, TRUE);
  instruction = json_object_get_object_member(turn, "instruction");
  g_assert_cmpstr(json_object_get_string_member(instruction, "rule"), ==, rule);
  g_assert_cmpint(json_object_get_int_member(instruction, "words"), ==, words);
  g_assert_cmpint(json_object_get_int_member(instruction, "threshold"), ==, 30);
  g_assert_cmpstr(json_object_get_string_member(instruction, "list"), ==, list);
  g_assert_cmpstr(json_object_get_string_member(instruction, "text"), ==,
                  json_object_get_string_member(turn, "question"));
  g_assert_null(strstr(run.err, PATIENT));
}

static void
test_describe(void)
{
  g_autoptr(GString) words = g_string_new("word");

  for (int i = 1; i < 29; i++) {
    g_string_append(words, " word");
  }
  check_describe(ct, "--caption", words->str, "caption", 29, "brief");
  g_string_append(words, "\nword");
  check_describe(ct, "--caption", words->str, "caption", 30, "detailed");
  /* ImageComments of the data set, six words. */
  check_describe(ct, NULL, NULL, "caption", 6, "brief");
  check_describe(plain, NULL, NULL, "no-caption", 0, "detailed");
  check_describe(plain, "--length", "brief", "override", 0, "brief");
}

/* ---- models ------------------------------------------------------------------------------- */

static void
test_convert(void)
{
  g_autofree char *out = in_folder("converted.gguf"), *nowhere = in_folder("no/x.gguf");
  g_auto(CliRun) convert = {0}, before = {0}, after = {0}, failed = {0}, info = {0};

  cli_run(&convert, NULL, "model", "convert", "--model", model, "--type", "f32", "--out", out,
          NULL);
  g_test_message("%s", convert.err);
  g_assert_cmpint(convert.status, ==, 0);
  cli_run(&before, NULL, "model", "trace", "--model", model, "--image", ct, "--prompt",
          "[INST] <image>\nWhat? [/INST]", "--json", NULL);
  cli_run(&after, NULL, "model", "trace", "--model", out, "--image", ct, "--prompt",
          "[INST] <image>\nWhat? [/INST]", "--json", NULL);
  g_assert_cmpint(before.status, ==, 0);
  g_assert_cmpstr(before.out, ==, after.out);
  cli_run(&info, NULL, "model", "info", out, "--json", NULL);
  g_assert_cmpint(info.status, ==, 0);
  g_assert_nonnull(strstr(info.out, "\"F32\""));
  cli_run(&failed, NULL, "model", "convert", "--model", model, "--out", nowhere, NULL);
  g_assert_cmpint(failed.status, ==, 1);
  g_assert_nonnull(strstr(failed.err, nowhere));
}

static void
test_tokenize(void)
{
  g_auto(CliRun) run = {0}, strings = {0}, wrong = {0};
  g_autoptr(GPtrArray) lines = NULL, decoded = NULL;

  cli_run(&run, "ab\n\nä\n", "tokenize", "--model", model, "--json", NULL);
  g_assert_cmpint(run.status, ==, 0);
  lines = cli_json_lines(run.out);
  g_assert_cmpuint(lines->len, ==, 3);
  cli_assert_keys(json_node_get_object(lines->pdata[0]), "ids ids_special");
  cli_run(&strings, "\"ab\"\n\"\"\n \"\\u00e4\" \n\"\\ud83e\\ude7b\\n\"\n", "tokenize", "--model",
          model, "--json", "--json-strings", NULL);
  g_assert_cmpint(strings.status, ==, 0);
  decoded = cli_json_lines(strings.out);
  g_assert_cmpuint(decoded->len, ==, 4);
  for (guint i = 0; i < 3; i++) {
    g_assert_true(json_node_equal(lines->pdata[i], decoded->pdata[i]));
  }
  cli_run(&wrong, "\"ab\"\n\"\\ud83e\"\n", "tokenize", "--model", model, "--json", "--json-strings",
          NULL);
  g_assert_cmpint(wrong.status, ==, 1);
  g_assert_nonnull(strstr(wrong.err, "line 2"));
}

int
main(int argc, char **argv)
{
  int status;

  g_test_init(&argc, &argv, NULL);
  set_up_files();
  g_test_add_func("/cli/help", test_help);
  g_test_add_func("/cli/version", test_version);
  g_test_add_func("/cli/misuse", test_misuse);
  g_test_add_func("/cli/bad-files", test_bad_files);
  g_test_add_func("/cli/cheap-first", test_cheap_first);
  g_test_add_func("/cli/ask/two-turns", test_two_turns);
  g_test_add_func("/cli/ask/repeatable", test_repeatable);
  g_test_add_func("/cli/ask/no-log", test_no_log);
  g_test_add_func("/cli/ask/blank", test_blank);
  g_test_add_func("/cli/ask/warned", test_warned);
  g_test_add_func("/cli/ask/demo-notice", test_demo_notice);
  g_test_add_func("/cli/ask/lines", test_lines_of_questions);
  g_test_add_func("/cli/image/sandbox", test_sandbox);
  g_test_add_func("/cli/ask/too-long", test_too_long);
  g_test_add_func("/cli/ask/no-room-for-log", test_no_room_for_log);
  g_test_add_func("/cli/ask/full-log", test_full_log);
  g_test_add_func("/cli/ask/closed-output", test_closed_output);
  g_test_add_func("/cli/describe", test_describe);
  g_test_add_func("/cli/model/convert", test_convert);
  g_test_add_func("/cli/tokenize", test_tokenize);
  status = g_test_run();
  tiny_folder_free(folder);
  g_free(model);
  g_free(ct);
  g_free(plain);
  return status;
}
