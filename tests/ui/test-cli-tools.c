/* test-cli-tools.c - `hilum phantom`, `train` and `eval` from outside, and the way from a set of
 * phantoms to an answer of a model that was trained on them. */
#include "app/tiny.h"
#include "cli-run.h"

#define N_PHANTOMS "20"
#define SHAPE                                                                                      \
  "image_size=28,patch_size=14,vision_hidden=16,vision_blocks=2,vision_heads=2,vision_ffn=32,"     \
  "hidden=32,layers=1,heads=2,kv_heads=1,ffn=48,context=512,name=sprout"

static char *folder; /* of all tests */
static char *phantoms, *instruct, *held_out, *questions, *tokenizer, *model;

static char *
in_folder(const char *name)
{
  return g_build_filename(folder, name, NULL);
}

static char *
contents(const char *path, gsize *length)
{
  g_autoptr(GError) error = NULL;
  char *text = NULL;

  g_file_get_contents(path, &text, length, &error);
  g_assert_no_error(error);
  return text;
}

static void
assert_same_file(const char *a, const char *b)
{
  gsize n_a, n_b;
  g_autofree char *one = contents(a, &n_a), *other = contents(b, &n_b);

  g_assert_cmpuint(n_a, ==, n_b);
  g_assert_true(memcmp(one, other, n_a) == 0);
}

static void
write_phantoms(const char *out, const char *seed, const char *format, const char *split)
{
  g_auto(CliRun) run = {0};

  cli_run(&run, NULL, "phantom", "--out", out, "--seed", seed, "--count", N_PHANTOMS, "--size",
          "48", "--format", format, "--split", split, NULL);
  g_test_message("%s", run.err);
  g_assert_cmpint(run.status, ==, 0);
}

static void
set_up_files(void)
{
  g_auto(CliRun) run = {0};

  folder = tiny_folder_new();
  g_setenv("XDG_DATA_HOME", folder, TRUE);
  phantoms = in_folder("train");
  instruct = g_build_filename(phantoms, "instruct.json", NULL);
  held_out = in_folder("eval");
  questions = g_build_filename(held_out, "eval.jsonl", NULL);
  tokenizer = in_folder("tokenizer.model");
  model = in_folder("start.gguf");
  write_phantoms(phantoms, "1", "png", "train");
  write_phantoms(held_out, "2", "dicom", "eval");
  tiny_tokenizer_write(tokenizer);
  cli_run(&run, NULL, "train", "--init-shape", SHAPE, "--tokenizer", tokenizer, "--seed", "3",
          "--out", model, NULL);
  g_test_message("%s", run.err);
  g_assert_cmpint(run.status, ==, 0);
}

static void
check_misuse(const char *const (*wrong)[12], guint n)
{
  for (guint i = 0; i < n; i++) {
    g_auto(CliRun) run = {0};
    cli_runv(&run, "", wrong[i]);
    g_test_message("row %u: %s", i, run.err);
    g_assert_cmpint(run.status, ==, 2);
    g_assert_cmpstr(run.out, ==, "");
    g_assert_cmpstr(run.err, !=, "");
  }
}

/* ---- phantom ------------------------------------------------------------------------------ */

static void
test_phantom_report(void)
{
  g_autofree char *out = in_folder("reported");
  g_auto(CliRun) run = {0};
  g_autoptr(GPtrArray) lines = NULL;
  JsonObject *report;

  cli_run(&run, NULL, "phantom", "--out", out, "--count", "3", "--size", "32", "--kind",
          "chest-cr,head-ct", "--json", NULL);
  g_assert_cmpint(run.status, ==, 0);
  g_assert_cmpstr(run.err, ==, "");
  lines = cli_json_lines(run.out);
  g_assert_cmpuint(lines->len, ==, 1);
  report = json_node_get_object(lines->pdata[0]);
  cli_assert_keys(report, "out split images captions turns seconds balance");
  g_assert_cmpint(json_object_get_int_member(report, "images"), ==, 3);
  for (guint i = 0; i < 3; i++) {
    g_autofree char *name = g_strdup_printf("images/%06u.dcm", i);
    g_autofree char *path = g_build_filename(out, name, NULL);
    g_auto(CliRun) info = {0};
    cli_run(&info, NULL, "image", "info", path, "--json", NULL);
    g_assert_cmpint(info.status, ==, 0);
    g_assert_nonnull(
        strstr(info.out, i % 2 == 0 ? "\"modality\": \"CR\"" : "\"modality\": \"CT\""));
    g_assert_nonnull(strstr(info.out, "\"rows\": 32, \"cols\": 32"));
  }
}

/* Records of a JSON array file: each names a picture that is there. */
static guint
count_records(const char *name)
{
  g_autofree char *path = g_build_filename(phantoms, name, NULL);
  g_autofree char *text = contents(path, NULL);
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) root = json_from_string(text, &error);
  JsonArray *records;

  g_assert_no_error(error);
  records = json_node_get_array(root);
  for (guint i = 0; i < json_array_get_length(records); i++) {
    JsonObject *record = json_array_get_object_element(records, i);
    g_autofree char *image =
        g_build_filename(phantoms, json_object_get_string_member(record, "image"), NULL);
    JsonArray *turns = json_object_get_array_member(record, "conversations");

    cli_assert_keys(record, "id image domain conversations");
    g_assert_true(g_file_test(image, G_FILE_TEST_IS_REGULAR));
    g_assert_cmpuint(json_array_get_length(turns), >=, 2);
    g_assert_cmpuint(json_array_get_length(turns) % 2, ==, 0);
  }
  return json_array_get_length(records);
}

static void
test_phantom_files(void)
{
  g_autofree char *truths = g_build_filename(phantoms, "truth.jsonl", NULL);
  g_autofree char *text = contents(truths, NULL);
  g_autoptr(GPtrArray) lines = cli_json_lines(text);
  guint n = (guint)g_ascii_strtoull(N_PHANTOMS, NULL, 10);

  g_assert_cmpuint(lines->len, ==, n);
  g_assert_cmpuint(count_records("captions.json"), ==, n);
  g_assert_cmpuint(count_records("instruct.json"), >, n / 2);
}

static void
check_seed(const char *format, const char *split, const char *const *files)
{
  g_autofree char *a = in_folder("seed-a"), *b = in_folder("seed-b"), *c = in_folder("seed-c");

  write_phantoms(a, "7", format, split);
  write_phantoms(b, "7", format, split);
  write_phantoms(c, "8", format, split);
  for (guint i = 0; files[i]; i++) {
    g_autofree char *one = g_build_filename(a, files[i], NULL);
    g_autofree char *same = g_build_filename(b, files[i], NULL);
    g_autofree char *other = g_build_filename(c, files[i], NULL);
    g_autofree char *x = NULL, *y = NULL;
    gsize n_x, n_y;
    assert_same_file(one, same);
    x = contents(one, &n_x);
    y = contents(other, &n_y);
    g_assert_false(n_x == n_y && memcmp(x, y, n_x) == 0);
  }
  tiny_folder_remove(a);
  tiny_folder_remove(b);
  tiny_folder_remove(c);
}

static void
test_phantom_seed(void)
{
  static const char *const dicom[] = {"images/000000.dcm", "images/000019.dcm", "truth.jsonl",
                                      "captions.json",     "instruct.json",     NULL};
  static const char *const png[] = {"images/000000.png", "images/000019.png", "eval.jsonl", NULL};

  check_seed("dicom", "train", dicom);
  check_seed("png", "eval", png);
}

/* Within a key all answers come equally often, so that a question's text does not answer it. */
static void
test_phantom_balance(void)
{
  g_autofree char *text = contents(questions, NULL);
  g_autoptr(GPtrArray) lines = cli_json_lines(text);
  g_autoptr(GHashTable) keys =
      g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_hash_table_unref);
  GHashTableIter at;
  gpointer key, counts;

  g_assert_cmpuint(lines->len, >, 10);
  for (guint i = 0; i < lines->len; i++) {
    JsonObject *q = json_node_get_object(lines->pdata[i]);
    const char *name = json_object_get_string_member(q, "key");
    const char *answer = json_object_get_string_member(q, "answer");
    GHashTable *answers = g_hash_table_lookup(keys, name);
    gboolean closed = g_str_equal(json_object_get_string_member(q, "answer_type"), "CLOSED");

    cli_assert_keys(q, "question_id image text answer answer_type kind key");
    g_assert_true(closed == (g_str_equal(answer, "Yes") || g_str_equal(answer, "No")));
    if (!answers) {
      answers = g_hash_table_new(g_str_hash, g_str_equal);
      g_hash_table_insert(keys, (gpointer)name, answers);
    }
    g_hash_table_insert(
        answers, (gpointer)answer,
        GUINT_TO_POINTER(GPOINTER_TO_UINT(g_hash_table_lookup(answers, answer)) + 1));
  }
  g_hash_table_iter_init(&at, keys);
  while (g_hash_table_iter_next(&at, &key, &counts)) {
    GHashTableIter each;
    gpointer answer, count, first = NULL;
    g_assert_cmpuint(g_hash_table_size(counts), >=, 2);
    g_hash_table_iter_init(&each, counts);
    while (g_hash_table_iter_next(&each, &answer, &count)) {
      first = first ? first : count;
      g_test_message("%s: %s %u", (char *)key, (char *)answer, GPOINTER_TO_UINT(count));
      g_assert_true(count == first);
    }
  }
}

static void
test_phantom_misuse(void)
{
  g_autofree char *out = in_folder("never");
  const char *const wrong[][12] = {
      {"phantom"},
      {"phantom", out},
      {"phantom", "--out", out, "--count", "0"},
      {"phantom", "--out", out, "--count", "x"},
      {"phantom", "--out", out, "--size", "8"},
      {"phantom", "--out", out, "--size", "100000"},
      {"phantom", "--out", out, "--format", "jpeg"},
      {"phantom", "--out", out, "--split", "test"},
      {"phantom", "--out", out, "--kind", "knee-mr"},
      {"phantom", "--out", out, "--kind", "chest-cr,chest-cr"},
      {"phantom", "--out", out, "--seed", "-1"},
      {"phantom", "--out", out, "--questions-per-image", "1000"},
      {"phantom", "--out", out, "--nonsense"},
  };

  check_misuse(wrong, G_N_ELEMENTS(wrong));
  g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
}

static void
test_phantom_no_folder(void)
{
  g_autofree char *out = g_build_filename(tokenizer, "below-a-file", NULL);
  g_auto(CliRun) run = {0}, full = {0};
  g_autofree char *small = in_folder("small"), *captions = NULL;

  cli_run(&run, NULL, "phantom", "--out", out, "--count", "1", NULL);
  g_assert_cmpint(run.status, ==, 1);
  g_assert_cmpstr(run.out, ==, "");
  g_assert_nonnull(strstr(run.err, out));
  /* A full disk: no JSON file that says the set is whole. */
  cli_run_limited(&full, 1024, "phantom", "--out", small, "--count", "4", NULL);
  g_assert_cmpint(full.status, ==, 1);
  g_assert_nonnull(strstr(full.err, small));
  captions = g_build_filename(small, "captions.json", NULL);
  g_assert_false(g_file_test(captions, G_FILE_TEST_EXISTS));
}

/* ---- train -------------------------------------------------------------------------------- */

/* `hilum train` from the random start on the phantoms, with MORE options (ends with NULL). */
static GPtrArray *
train_args(const char *out, const char *const *more)
{
  const char *const common[] = {"train",  "--model",      model,
                                "--data", instruct,       "--images",
                                phantoms, "--train",      "vision,projector,llm",
                                "--lr",   "1e-3",         "--batch",
                                "2",      "--accumulate", "1",
                                "--type", "f32",          "--threads",
                                "1",      "--out",        out};
  GPtrArray *args = g_ptr_array_new();

  for (guint i = 0; i < G_N_ELEMENTS(common); i++) {
    g_ptr_array_add(args, (gpointer)common[i]);
  }
  for (guint i = 0; more[i]; i++) {
    g_ptr_array_add(args, (gpointer)more[i]);
  }
  g_ptr_array_add(args, NULL);
  return args;
}

static void
train(CliRun *run, const char *out, const char *const *more)
{
  g_autoptr(GPtrArray) args = train_args(out, more);

  cli_runv(run, NULL, (const char *const *)args->pdata);
  g_test_message("%s", run->err);
}

static void
test_train_report(void)
{
  g_autofree char *out = in_folder("trained.gguf");
  g_auto(CliRun) run = {0}, info = {0};
  g_autoptr(GPtrArray) lines = NULL;
  JsonObject *step, *result;

  train(&run, out, (const char *const[]){"--steps", "4", "--json", NULL});
  g_assert_cmpint(run.status, ==, 0);
  lines = cli_json_lines(run.out);
  g_assert_cmpuint(lines->len, ==, 5);
  for (guint i = 0; i < 4; i++) {
    step = json_node_get_object(lines->pdata[i]);
    cli_assert_keys(step, "step steps loss lr grad_norm samples_per_s seconds samples tokens "
                          "mismatches");
    g_assert_cmpint(json_object_get_int_member(step, "step"), ==, i + 1);
    g_assert_cmpint(json_object_get_int_member(step, "mismatches"), ==, 0);
    g_assert_cmpfloat(json_object_get_double_member(step, "loss"), >, 0);
  }
  result = json_node_get_object(lines->pdata[4]);
  cli_assert_keys(result, "out sha256 type steps samples tokens mismatches seconds loss");
  g_assert_cmpint(json_object_get_int_member(result, "samples"), ==, 8);
  cli_run(&info, NULL, "model", "info", out, "--json", NULL);
  g_assert_cmpint(info.status, ==, 0);
  g_assert_nonnull(strstr(info.out, json_object_get_string_member(result, "sha256")));
  g_assert_nonnull(strstr(info.out, "\"sprout\""));
}

static void
assert_no_file(const char *part)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name(dir))) {
    g_test_message("%s", name);
    g_assert_null(strstr(name, part));
  }
}

/* From nothing in one command: the same as from the start that was written before. */
static void
test_train_from_nothing(void)
{
  g_autofree char *out = in_folder("from-nothing.gguf"), *twice = in_folder("from-start.gguf");
  g_auto(CliRun) run = {0}, other = {0};
  const char *const steps[] = {"--steps", "2", "--seed", "3", NULL};

  cli_run(&run, NULL, "train", "--init-shape", SHAPE, "--tokenizer", tokenizer, "--data", instruct,
          "--images", phantoms, "--train", "vision,projector,llm", "--lr", "1e-3", "--batch", "2",
          "--accumulate", "1", "--type", "f32", "--threads", "1", "--out", out, "--steps", "2",
          "--seed", "3", NULL);
  g_test_message("%s", run.err);
  g_assert_cmpint(run.status, ==, 0);
  train(&other, twice, steps);
  g_assert_cmpint(other.status, ==, 0);
  assert_same_file(out, twice);
  assert_no_file("from-nothing.gguf.");
}

/* Runs ARGS and interrupts it (Ctrl-C) when N_LINES of its output were read. */
static void
interrupt_after(const char *const *args, guint n_lines, CliRun *run)
{
  g_autoptr(GSubprocessLauncher) launcher =
      g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autoptr(GPtrArray) all = g_ptr_array_new();
  g_autoptr(GSubprocess) process = NULL;
  g_autoptr(GBytes) out = NULL, err = NULL;
  g_autoptr(GError) error = NULL;
  GInputStream *pipe;
  guint seen = 0;
  int fd = -1;

  g_ptr_array_add(all, (gpointer)g_getenv("HILUM_BIN"));
  for (guint i = 0; args[i]; i++) {
    g_ptr_array_add(all, (gpointer)args[i]);
  }
  g_ptr_array_add(all, NULL);
  process = g_subprocess_launcher_spawnv(launcher, (const char *const *)all->pdata, &error);
  g_assert_no_error(error);
  /* A small pipe holds the trainer back: it cannot run to its end before the signal comes. */
  pipe = g_subprocess_get_stdout_pipe(process);
  g_object_get(pipe, "fd", &fd, NULL);
  g_assert_cmpint(fcntl(fd, F_SETPIPE_SZ, 4096), >=, 0);
  while (seen < n_lines) {
    char c;
    gssize n = g_input_stream_read(pipe, &c, 1, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(n, ==, 1);
    seen += c == '\n';
  }
  g_subprocess_send_signal(process, SIGINT);
  g_assert_true(g_subprocess_communicate(process, NULL, NULL, &out, &err, &error));
  run->status = g_subprocess_get_if_exited(process) ? g_subprocess_get_exit_status(process)
                                                    : -g_subprocess_get_term_sig(process);
  run->out = cli_run_text(out);
  run->err = cli_run_text(err);
}

static void
test_train_interrupted(void)
{
  g_autofree char *straight = in_folder("straight.gguf"), *resumed = in_folder("resumed.gguf");
  g_autofree char *checkpoint = in_folder("checkpoint");
  const char *const steps[] = {"--steps", "400", "--json", NULL};
  const char *const kept[] = {"--steps", "400", "--json", "--checkpoint", checkpoint, NULL};
  g_autoptr(GPtrArray) args = train_args(resumed, kept), lines = NULL;
  g_auto(CliRun) whole = {0}, stopped = {0}, rest = {0};
  gint64 first;

  train(&whole, straight, steps);
  g_assert_cmpint(whole.status, ==, 0);
  interrupt_after((const char *const *)args->pdata, 3, &stopped);
  g_test_message("%s", stopped.err);
  g_assert_cmpint(stopped.status, ==, 1);
  g_assert_nonnull(strstr(stopped.err, "stopped after step"));
  g_assert_nonnull(strstr(stopped.err, checkpoint));
  g_assert_false(g_file_test(resumed, G_FILE_TEST_EXISTS));
  train(&rest, resumed, kept);
  g_assert_cmpint(rest.status, ==, 0);
  lines = cli_json_lines(rest.out);
  first = json_object_get_int_member(json_node_get_object(lines->pdata[0]), "step");
  g_assert_cmpint(first, >, 3);
  g_assert_cmpint(first, <=, 400);
  assert_same_file(straight, resumed);
}

static void
test_train_bad_data(void)
{
  static const char good[] = "{\"conversations\": [{\"from\": \"human\", \"value\": \"?\"}, "
                             "{\"from\": \"gpt\", \"value\": \"!\"}]}\n";
  static const struct {
    const char *second, *expected;
  } cases[] = {
      {"{\"conversations\": [{\"from\": \"human\", \"value\": \"?\"}]}", "record 2"},
      {"{\"conversations\": 5}", "record 2"},
      {"{\"conversations\": [}", "record 2"},
      {"{\"conversations\": /*\"*/[[[[", "record 2"},
      {"nonsense", "record 2"},
      {"{\"image\": \"../x.png\", \"conversations\": [{\"from\": \"human\", \"value\": \"?\"}, "
       "{\"from\": \"gpt\", \"value\": \"!\"}]}",
       "record 2"},
      {"{\"image\": \"gone.png\", \"conversations\": [{\"from\": \"human\", \"value\": \"?\"}, "
       "{\"from\": \"gpt\", \"value\": \"!\"}]}",
       "gone.png"},
  };
  g_autofree char *data = in_folder("bad.json"), *out = in_folder("bad.gguf");
  g_auto(CliRun) gone = {0};

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_auto(CliRun) run = {0};
    g_autofree char *text = g_strconcat(good, cases[i].second, NULL);
    g_assert_true(g_file_set_contents(data, text, -1, NULL));
    train(&run, out, (const char *const[]){"--steps", "1", "--data", data, NULL});
    g_assert_cmpint(run.status, ==, 1);
    g_assert_cmpstr(run.out, ==, "");
    g_assert_nonnull(strstr(run.err, cases[i].expected));
    g_assert_true(strstr(run.err, data) || strstr(run.err, phantoms));
    g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
  }
  g_remove(data);
  train(&gone, out, (const char *const[]){"--steps", "1", "--data", data, NULL});
  g_assert_cmpint(gone.status, ==, 1);
  g_assert_nonnull(strstr(gone.err, data));
}

/* What cannot end well is said before anything is trained, and nothing is left behind. */
static void
test_train_no_folder(void)
{
  g_autofree char *out = in_folder("no/such.gguf"), *full = in_folder("full.gguf");
  g_auto(CliRun) run = {0}, limited = {0};

  train(&run, out, (const char *const[]){"--steps", "1", "--json", NULL});
  g_assert_cmpint(run.status, ==, 1);
  g_assert_cmpstr(run.out, ==, "");
  g_assert_nonnull(strstr(run.err, "there is no folder"));
  cli_run_limited(&limited, 4096, "train", "--init-shape", SHAPE, "--tokenizer", tokenizer,
                  "--data", instruct, "--images", phantoms, "--steps", "1", "--out", full, NULL);
  g_assert_cmpint(limited.status, ==, 1);
  g_assert_nonnull(strstr(limited.err, full));
  assert_no_file("full.gguf");
}

static void
test_train_misuse(void)
{
  g_autofree char *out = in_folder("misused.gguf");
  const char *const wrong[][12] = {
      {"train"},
      {"train", "--data", instruct, "--model", model},
      {"train", "--out", out},
      {"train", "--out", out, "--model", model},
      {"train", "--out", out, "--init-shape", SHAPE},
      {"train", "--out", out, "--init-shape", "hidden=x", "--tokenizer", tokenizer},
      {"train", "--out", out, "--init-shape", "color=3", "--tokenizer", tokenizer},
      {"train", "--out", out, "--init-shape", SHAPE, "--model", model},
      {"train", "--out", out, "--model", model, "--data", instruct, "--train", "tower"},
      {"train", "--out", out, "--model", model, "--data", instruct, "--mask", "v9"},
      {"train", "--out", out, "--model", model, "--data", instruct, "--type", "q4_k"},
      {"train", "--out", out, "--model", model, "--data", instruct, "--batch", "0"},
      {"train", "--out", out, "--model", model, "--data", instruct, "--steps", "-1"},
      {"train", "--out", out, "--model", model, "--data", instruct, "--lr", "nan"},
      {"train", "--out", out, "--model", model, "--data", instruct, "--seed", "x"},
      {"train", "--out", out, "--model", model, "--data", instruct, "--nonsense"},
      {"train", "--out", out, "--model", model, "--data", instruct, "operand"},
  };

  check_misuse(wrong, G_N_ELEMENTS(wrong));
  g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
}

/* ---- eval --------------------------------------------------------------------------------- */

static void
evaluate(CliRun *run, const char *file, const char *images, const char *const *more)
{
  const char *const common[] = {"eval",     "vqa",  "--model",   model, "--questions",  file,
                                "--images", images, "--threads", "1",   "--max-tokens", "24"};
  g_autoptr(GPtrArray) args = g_ptr_array_new();

  for (guint i = 0; i < G_N_ELEMENTS(common); i++) {
    g_ptr_array_add(args, (gpointer)common[i]);
  }
  for (guint i = 0; more[i]; i++) {
    g_ptr_array_add(args, (gpointer)more[i]);
  }
  g_ptr_array_add(args, NULL);
  cli_runv(run, NULL, (const char *const *)args->pdata);
  g_test_message("%s", run->err);
}

static void
check_groups(JsonArray *groups, guint n_questions)
{
  guint n_all = 0, n_kinds = 0;

  for (guint i = 0; i < json_array_get_length(groups); i++) {
    JsonObject *group = json_array_get_object_element(groups, i);
    gint64 n = json_object_get_int_member(group, "n");

    cli_assert_keys(group, "kind answer_type n exact exact_low exact_high recall recall_low "
                           "recall_high closed closed_low closed_high majority majority_answer");
    g_assert_cmpfloat(json_object_get_double_member(group, "exact"), <=,
                      json_object_get_double_member(group, "exact_high"));
    if (g_str_equal(json_object_get_string_member(group, "kind"), "all")) {
      n_all += (guint)n;
    } else {
      g_assert_cmpuint(n_all, ==, 0); /* "all" comes last */
      n_kinds += (guint)n;
    }
  }
  g_assert_cmpuint(n_all, ==, n_questions);
  g_assert_cmpuint(n_kinds, ==, n_questions);
}

static void
test_eval_report(void)
{
  g_auto(CliRun) seen = {0}, again = {0}, blank = {0}, table = {0};
  g_autoptr(GPtrArray) lines = NULL, blanks = NULL;
  JsonObject *report;

  evaluate(&seen, questions, held_out, (const char *const[]){"--rows", "--limit", "9", NULL});
  g_assert_cmpint(seen.status, ==, 0);
  lines = cli_json_lines(seen.out);
  g_assert_cmpuint(lines->len, ==, 10);
  for (guint i = 0; i < 9; i++) {
    cli_assert_keys(json_node_get_object(lines->pdata[i]),
                    "question_id kind answer_type text reference answer exact recall closed");
  }
  report = json_node_get_object(lines->pdata[9]);
  cli_assert_keys(report, "model model_sha256 blank_image questions groups");
  g_assert_false(json_object_get_boolean_member(report, "blank_image"));
  g_assert_cmpint(json_object_get_int_member(report, "questions"), ==, 9);
  check_groups(json_object_get_array_member(report, "groups"), 9);
  evaluate(&again, questions, held_out, (const char *const[]){"--rows", "--limit", "9", NULL});
  g_assert_cmpstr(again.out, ==, seen.out);
  evaluate(&blank, questions, held_out,
           (const char *const[]){"--json", "--blank-image", "--limit", "2", NULL});
  g_assert_cmpint(blank.status, ==, 0);
  blanks = cli_json_lines(blank.out);
  g_assert_cmpuint(blanks->len, ==, 1);
  g_assert_true(
      json_object_get_boolean_member(json_node_get_object(blanks->pdata[0]), "blank_image"));
  evaluate(&table, questions, held_out, (const char *const[]){"--limit", "2", NULL});
  g_assert_cmpint(table.status, ==, 0);
  g_assert_nonnull(strstr(table.out, "most frequent answer"));
}

/* An evaluation sees what an asker sees: the same answers, with the picture and without. */
static void
check_same_answer(JsonObject *row, const char *image, const char *blank)
{
  g_auto(CliRun) run = {0};
  g_autoptr(GPtrArray) turns = NULL;

  cli_run(&run, NULL, "ask", "--model", model, "--image", image, "--question",
          json_object_get_string_member(row, "text"), "--greedy", "--max-tokens", "24", "--no-log",
          "--json", blank, NULL);
  g_assert_cmpint(run.status, ==, 0);
  turns = cli_json_lines(run.out);
  g_assert_cmpstr(json_object_get_string_member(json_node_get_object(turns->pdata[0]), "answer"),
                  ==, json_object_get_string_member(row, "answer"));
}

static void
test_eval_as_asked(void)
{
  g_autofree char *text = contents(questions, NULL);
  g_autoptr(GPtrArray) asked = cli_json_lines(text), seen = NULL, unseen = NULL;
  g_auto(CliRun) run = {0}, blank = {0};
  guint n_changed = 0;

  evaluate(&run, questions, held_out, (const char *const[]){"--rows", "--limit", "6", NULL});
  evaluate(&blank, questions, held_out,
           (const char *const[]){"--rows", "--limit", "6", "--blank-image", NULL});
  seen = cli_json_lines(run.out);
  unseen = cli_json_lines(blank.out);
  g_assert_cmpuint(seen->len, ==, 7);
  g_assert_cmpuint(unseen->len, ==, 7);
  for (guint i = 0; i < 6; i++) {
    const char *name =
        json_object_get_string_member(json_node_get_object(asked->pdata[i]), "image");
    g_autofree char *image = g_build_filename(held_out, name, NULL);
    JsonObject *a = json_node_get_object(seen->pdata[i]);
    JsonObject *b = json_node_get_object(unseen->pdata[i]);
    check_same_answer(a, image, NULL);
    check_same_answer(b, image, "--blank-image");
    n_changed += !g_str_equal(json_object_get_string_member(a, "answer"),
                              json_object_get_string_member(b, "answer"));
  }
  /* Else nothing was compared: the picture reaches the answers of this model. */
  g_assert_cmpuint(n_changed, >, 0);
}

static void
test_eval_bad_lines(void)
{
#define REST "\"text\": \"?\", \"answer\": \"yes\", \"answer_type\": \"CLOSED\""
  static const struct {
    const char *line, *expected;
  } cases[] = {
      {"nonsense", "line 3"},
      {"[1]", "line 3"},
      {"{\"image\": \"images/000000.dcm\", " REST, "line 3"},
      {"{\"image\": \"images/000000.dcm\", " REST "} {}", "line 3"},
      {"{\"image\": /*\"*/[[[[[[[[", "line 3"},
      {"{" REST "}", "line 3: lacks"},
      {"{\"image\": \"images/000000.dcm\", \"text\": \"?\", \"answer_type\": \"OPEN\"}",
       "line 3: lacks"},
      {"{\"image\": \"images/000000.dcm\", \"text\": \"?\", \"answer\": \"x\", "
       "\"answer_type\": \"AJAR\"}",
       "line 3: answer_type is \"AJAR\""},
      {"{\"image\": \"../x.dcm\", " REST "}", "line 3: image"},
      {"{\"image\": \"images/gone.dcm\", " REST "}", "gone.dcm"},
      {"{\"image\": \"images\", " REST "}", "line 3"},
  };
  g_autofree char *file = in_folder("bad.jsonl");

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_auto(CliRun) run = {0};
    g_autofree char *text =
        g_strconcat("{\"image\": \"images/000000.dcm\", " REST "}\n\n", cases[i].line, NULL);
    g_assert_true(g_file_set_contents(file, text, -1, NULL));
    evaluate(&run, file, held_out, (const char *const[]){"--json", NULL});
    g_assert_cmpint(run.status, ==, 1);
    g_assert_cmpstr(run.out, ==, "");
    g_assert_nonnull(strstr(run.err, cases[i].expected));
    g_assert_nonnull(strstr(run.err, file));
  }
#undef REST
}

static void
test_eval_misuse(void)
{
  g_autofree char *gone = in_folder("gone.jsonl");
  g_auto(CliRun) run = {0};
  const char *const wrong[][12] = {
      {"eval"},
      {"eval", "nonsense"},
      {"eval", "vqa"},
      {"eval", "vqa", "--questions", questions},
      {"eval", "vqa", "--images", held_out},
      {"eval", "vqa", "--questions", questions, "--images", held_out, "--limit", "-1"},
      {"eval", "vqa", "--questions", questions, "--images", held_out, "--max-tokens", "-1"},
      {"eval", "vqa", "--questions", questions, "--images", held_out, "--answer", "long"},
      {"eval", "vqa", "--questions", questions, "--images", held_out, "operand"},
  };

  check_misuse(wrong, G_N_ELEMENTS(wrong));
  evaluate(&run, gone, held_out, (const char *const[]){NULL});
  g_assert_cmpint(run.status, ==, 1);
  g_assert_nonnull(strstr(run.err, gone));
}

/* ---- from phantoms to an answer ----------------------------------------------------------- */

static void
test_end_to_end(void)
{
  g_autofree char *trained = in_folder("end.gguf"), *small = in_folder("end-q8.gguf");
  g_autofree char *log = in_folder("end.sqlite");
  g_autofree char *image = g_build_filename(held_out, "images", "000001.dcm", NULL);
  g_auto(CliRun) run = {0}, convert = {0}, ask = {0}, show = {0}, people = {0};
  g_autoptr(GPtrArray) turns = NULL, kept = NULL;

  train(&run, trained, (const char *const[]){"--steps", "3", NULL});
  g_assert_cmpint(run.status, ==, 0);
  cli_run(&convert, NULL, "model", "convert", trained, "--type", "q8_0", "--out", small, NULL);
  g_test_message("%s", convert.err);
  g_assert_cmpint(convert.status, ==, 0);
  cli_run(&ask, NULL, "ask", "--model", small, "--image", image, "--question", "Which modality?",
          "--question", "Which side?", "--greedy", "--max-tokens", "4", "--log", log, "--json",
          NULL);
  g_test_message("%s", ask.err);
  g_assert_cmpint(ask.status, ==, 0);
  turns = cli_json_lines(ask.out);
  g_assert_cmpuint(turns->len, ==, 2);
  cli_run(&show, NULL, "log", "show", "1", "--log", log, "--json", NULL);
  g_assert_cmpint(show.status, ==, 0);
  kept = cli_json_lines(show.out);
  g_assert_cmpuint(kept->len, ==, 2);
  for (guint i = 0; i < 2; i++) {
    JsonObject *said = json_node_get_object(turns->pdata[i]);
    JsonObject *row = json_node_get_object(kept->pdata[i]);
    JsonObject *by = json_object_get_object_member(said, "model");
    g_assert_cmpstr(json_object_get_string_member(said, "answer"), ==,
                    json_object_get_string_member(row, "answer"));
    g_assert_cmpstr(json_object_get_string_member(by, "quantization"), ==, "mixed Q8_0");
    g_assert_cmpstr(
        json_object_get_string_member(by, "sha256"), ==,
        json_object_get_string_member(json_object_get_object_member(row, "model"), "sha256"));
  }
  cli_run(&people, NULL, "log", "show", "1", "--log", log, NULL);
  g_assert_cmpint(people.status, ==, 0);
  g_assert_nonnull(strstr(people.out, "Which side?"));
}

int
main(int argc, char **argv)
{
  char **owned[] = {&phantoms, &instruct, &held_out, &questions, &tokenizer, &model};
  int status;

  g_test_init(&argc, &argv, NULL);
  set_up_files();
  g_test_add_func("/cli/phantom/report", test_phantom_report);
  g_test_add_func("/cli/phantom/files", test_phantom_files);
  g_test_add_func("/cli/phantom/seed", test_phantom_seed);
  g_test_add_func("/cli/phantom/balance", test_phantom_balance);
  g_test_add_func("/cli/phantom/misuse", test_phantom_misuse);
  g_test_add_func("/cli/phantom/no-folder", test_phantom_no_folder);
  g_test_add_func("/cli/train/report", test_train_report);
  g_test_add_func("/cli/train/from-nothing", test_train_from_nothing);
  g_test_add_func("/cli/train/interrupted", test_train_interrupted);
  g_test_add_func("/cli/train/bad-data", test_train_bad_data);
  g_test_add_func("/cli/train/no-folder", test_train_no_folder);
  g_test_add_func("/cli/train/misuse", test_train_misuse);
  g_test_add_func("/cli/eval/report", test_eval_report);
  g_test_add_func("/cli/eval/as-asked", test_eval_as_asked);
  g_test_add_func("/cli/eval/bad-lines", test_eval_bad_lines);
  g_test_add_func("/cli/eval/misuse", test_eval_misuse);
  g_test_add_func("/cli/end-to-end", test_end_to_end);
  status = g_test_run();
  tiny_folder_free(folder);
  for (guint i = 0; i < G_N_ELEMENTS(owned); i++) {
    g_free(*owned[i]);
  }
  return status;
}
