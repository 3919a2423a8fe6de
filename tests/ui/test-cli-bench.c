/* test-cli-bench.c - hilum bench, model random and model compare, on a model that the second makes.
 */
#include "app/tiny.h"
#include "cli-run.h"

static char *folder, *model;

static void
set_up(void)
{
  g_auto(CliRun) run = {0};

  folder = tiny_folder_new();
  g_setenv("XDG_DATA_HOME", folder, TRUE);
  model = g_build_filename(folder, "tiny.gguf", NULL);
  cli_run(&run, NULL, "model", "random", "--shape", "tiny", "--type", "q4_k_m", "--out", model,
          NULL);
  g_assert_cmpstr(run.err, ==, "");
  g_assert_cmpint(run.status, ==, 0);
}

static void
test_bench(void)
{
  g_auto(CliRun) run = {0}, people = {0};
  g_autoptr(JsonNode) node = NULL;
  JsonObject *o;
  static const char *const positive[] = {
      "prompt_tokens_per_s",     "decode_tokens_per_s", "image_s",       "first_token_s",
      "follow_up_first_token_s", "bandwidth_fraction",  "int8_fraction", "image_int8_fraction",
      "read_bytes_per_s",        "int8_ops_per_s",      "f32_ops_per_s"};

  cli_run(&run, NULL, "bench", "--model", model, "--threads", "2", "--prompt", "8", "--tokens", "2",
          "--question", "4", "--repeats", "2", "--buffer", "64", "--image", "--json", NULL);
  g_assert_cmpstr(run.err, ==, "");
  g_assert_cmpint(run.status, ==, 0);
  node = json_from_string(run.out, NULL);
  o = json_node_get_object(node);
  cli_assert_keys(o, "model quantization kernels threads prompt tokens depth repeats load_s "
                     "prompt_tokens_per_s decode_tokens_per_s image_s first_token_s "
                     "follow_up_first_token_s peak_rss_bytes bandwidth_fraction int8_fraction "
                     "bf16_fraction image_int8_fraction image_bf16_fraction prompt_ops_per_s "
                     "image_ops_per_s decode_bytes_per_s bytes_per_token "
                     "read_between_tokens_bytes_per_s first_positions "
                     "follow_up_positions read_bytes_per_s int8_ops_per_s bf16_ops_per_s "
                     "f32_ops_per_s int8_instruction bf16_instruction f32_instruction");
  for (guint i = 0; i < G_N_ELEMENTS(positive); i++) {
    g_assert_cmpfloat(json_object_get_double_member(o, positive[i]), >, 0);
  }
  g_assert_cmpint(json_object_get_int_member(o, "threads"), ==, 2);
  g_assert_cmpint(json_object_get_int_member(o, "peak_rss_bytes"), >, 1 << 20);
  /* What is not measured is null. */
  cli_run(&people, NULL, "bench", model, "--prompt", "4", "--tokens", "1", "--repeats", "1",
          "--no-limits", NULL);
  g_assert_cmpint(people.status, ==, 0);
  g_assert_nonnull(strstr(people.out, "tokens/s"));
  g_assert_null(strstr(people.out, "picture"));
}

static void
test_compare(void)
{
  g_autofree char *other = g_build_filename(folder, "other.gguf", NULL);
  g_autofree char *lines = g_build_filename(folder, "lines.txt", NULL);
  g_auto(CliRun) same = {0}, made = {0}, run = {0};
  g_autoptr(JsonNode) one = NULL, two = NULL;
  JsonObject *o;

  cli_run(&same, NULL, "model", "compare", model, model, "--json", NULL);
  g_assert_cmpint(same.status, ==, 0);
  one = json_from_string(same.out, NULL);
  o = json_node_get_object(one);
  cli_assert_keys(o, "a b quantization_a quantization_b texts window positions mean_kl median_kl "
                     "p99_kl max_kl agreement perplexity_a perplexity_b");
  g_assert_cmpint(json_object_get_int_member(o, "texts"), ==, 2);
  g_assert_cmpfloat(json_object_get_double_member(o, "max_kl"), <, 1e-12);
  g_assert_cmpfloat(json_object_get_double_member(o, "agreement"), ==, 1);

  cli_run(&made, NULL, "model", "random", "--shape", "tiny", "--type", "q8_0", "--seed", "2",
          "--out", other, NULL);
  g_assert_cmpint(made.status, ==, 0);
  g_assert_true(g_file_set_contents(lines, "one text\n\nand another\nthe last", -1, NULL));
  cli_run(&run, NULL, "model", "compare", model, other, "--prompts", lines, "--json", NULL);
  g_assert_cmpstr(run.err, ==, "");
  g_assert_cmpint(run.status, ==, 0);
  two = json_from_string(run.out, NULL);
  o = json_node_get_object(two);
  g_assert_cmpint(json_object_get_int_member(o, "texts"), ==, 3);
  g_assert_cmpfloat(json_object_get_double_member(o, "mean_kl"), >, 0.1);
}

static void
test_misuse(void)
{
  const char *const wrong[][9] = {
      {"bench", model, "--prompt", "0"},
      {"bench", model, "--tokens", "-1"},
      {"bench", model, "--repeats", "0"},
      {"bench", model, "--buffer", "1"},
      {"bench", model, "--threads", "-1"},
      {"bench", model, "--prompt", "99999", "--no-limits"}, /* more than the context */
      {"bench", model, "--model", model},
      {"model", "compare", model},
      {"model", "compare", model, model, model},
      {"model", "compare", model, model, "--window", "1"},
      {"model", "compare", model, model, "--window", "99999"},
      {"model", "compare", model, model, "--text", "a", "--prompts", "b"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_auto(CliRun) run = {0};
    cli_runv(&run, NULL, wrong[i]);
    g_test_message("%u: %s", i, run.err);
    g_assert_cmpint(run.status, ==, 2);
    g_assert_cmpstr(run.out, ==, "");
    g_assert_cmpstr(run.err, !=, "");
  }
}

static void
test_failures(void)
{
  g_autofree char *gone = g_build_filename(folder, "gone", NULL);
  g_autofree char *deep = g_build_filename(folder, "gone", "x.gguf", NULL);
  g_autofree char *cut = g_build_filename(folder, "cut.gguf", NULL);
  const char *const wrong[][9] = {
      {"bench", gone, "--no-limits"},
      {"model", "compare", model, gone},
      {"model", "compare", model, model, "--text", gone},
      {"model", "random", "--shape", "tiny", "--out", deep},
  };
  g_auto(CliRun) full = {0};

  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_auto(CliRun) run = {0};
    cli_runv(&run, NULL, wrong[i]);
    g_test_message("%u: %s", i, run.err);
    g_assert_cmpint(run.status, ==, 1);
    g_assert_cmpstr(run.out, ==, "");
  }
  /* A disk that is full half way: nothing is left. */
  cli_run_limited(&full, 100000, "model", "random", "--shape", "tiny", "--out", cut, NULL);
  g_assert_cmpint(full.status, ==, 1);
  g_assert_false(g_file_test(cut, G_FILE_TEST_EXISTS));
}

int
main(int argc, char **argv)
{
  int status;

  g_test_init(&argc, &argv, NULL);
  set_up();
  g_test_add_func("/cli/bench", test_bench);
  g_test_add_func("/cli/compare", test_compare);
  g_test_add_func("/cli/bench/misuse", test_misuse);
  g_test_add_func("/cli/bench/failures", test_failures);
  status = g_test_run();
  tiny_folder_remove(folder);
  return status;
}
