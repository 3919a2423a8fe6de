/* test-cli-train.c - `hilum train` from outside. */
#include "cli-tools.h"

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

int
main(int argc, char **argv)
{
  int status;

  g_test_init(&argc, &argv, NULL);
  cli_tools_set_up();
  g_test_add_func("/cli/train/report", test_train_report);
  g_test_add_func("/cli/train/from-nothing", test_train_from_nothing);
  g_test_add_func("/cli/train/interrupted", test_train_interrupted);
  g_test_add_func("/cli/train/bad-data", test_train_bad_data);
  g_test_add_func("/cli/train/no-folder", test_train_no_folder);
  g_test_add_func("/cli/train/misuse", test_train_misuse);
  status = g_test_run();
  cli_tools_clear();
  return status;
}
