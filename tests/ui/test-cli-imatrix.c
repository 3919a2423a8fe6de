/* test-cli-imatrix.c - `hilum model imatrix` from outside, and conversions that go by it. */
#include "cli-tools.h"

static char *imatrix; /* made by the first test */

static void
gather(CliRun *run, const char *prompts, const char *out, const char *const *more)
{
  const char *const common[] = {"model", "imatrix", model, "--threads",    "1", "--prompts",
                                prompts, "--out",   out,   "--max-tokens", "8"};

  cli_run_more(run, common, G_N_ELEMENTS(common), more);
}

static void
test_report(void)
{
  g_auto(CliRun) run = {0}, again = {0};
  g_autoptr(GPtrArray) lines = NULL;
  g_autofree char *other = in_folder("other.imatrix");
  const char *const more[] = {"--images", held_out, "--limit", "3", "--json", NULL};
  JsonObject *report;

  gather(&run, questions, imatrix, more);
  g_assert_cmpint(run.status, ==, 0);
  lines = cli_json_lines(run.out);
  g_assert_cmpuint(lines->len, ==, 1);
  report = json_node_get_object(lines->pdata[0]);
  cli_assert_keys(report, "out model prompts tensors rows seconds");
  g_assert_cmpint(json_object_get_int_member(report, "prompts"), ==, 3);
  /* 7 of the decoder's layer, its output, the projector's, 6 of each block that is run, patches. */
  g_assert_cmpint(json_object_get_int_member(report, "tensors"), >=, 7 + 1 + 1 + 6 + 1);
  g_assert_cmpint(json_object_get_int_member(report, "rows"), >, 3 * 4);
  gather(&again, questions, other, more);
  g_assert_cmpint(again.status, ==, 0);
  assert_same_file(imatrix, other);
}

/* Lines of text are prompts, too. */
static void
test_text(void)
{
  g_auto(CliRun) run = {0};
  g_autofree char *prompts = in_folder("prompts.txt"), *out = in_folder("text.imatrix");

  g_assert_true(g_file_set_contents(prompts,
                                    "is the heart large?\n\n  {\"text\": \"why\"}\r\nand "
                                    "the lung",
                                    -1, NULL));
  gather(&run, prompts, out, (const char *const[]){"--json", NULL});
  g_assert_cmpint(run.status, ==, 0);
  g_assert_nonnull(strstr(run.out, "\"prompts\": 3"));
}

static void
convert(CliRun *run, const char *type, const char *out, const char *by)
{
  cli_run(run, NULL, "model", "convert", model, "--type", type, "--out", out, "--verify", "all",
          by ? "--imatrix" : NULL, by, NULL);
  g_test_message("%s", run->err);
}

/* The converted files differ, and both are models that answer. */
static void
test_convert(void)
{
  g_auto(CliRun) with = {0}, without = {0}, info = {0};
  g_autofree char *a = in_folder("with.gguf"), *b = in_folder("without.gguf");
  g_autofree char *one = NULL, *other = NULL;
  gsize n_one, n_other;

  convert(&with, "q4_0", a, imatrix);
  g_assert_cmpint(with.status, ==, 0);
  convert(&without, "q4_0", b, NULL);
  g_assert_cmpint(without.status, ==, 0);
  one = contents(a, &n_one);
  other = contents(b, &n_other);
  g_assert_true(n_one != n_other || memcmp(one, other, n_one) != 0);
  cli_run(&info, NULL, "model", "info", a, NULL);
  g_assert_cmpint(info.status, ==, 0);
}

static void
test_refused(void)
{
  static const struct {
    const char *text, *message;
  } cases[] = {
      {"", "*no prompts in it*"},
      {"\n \n", "*no prompts in it*"},
      {"a\n{\"text\": 3}\n", "*line 2: has no text*"},
      {"{\"text\": \"a\", \"image\": \"b.png\"}", "*line 1: names an image, but no folder*"},
      {"a\n\xff\xfe\n", "*line 2: is not UTF-8 text*"},
      {"{\"text\": ", "*line 1: *"},
  };
  g_autofree char *prompts = in_folder("bad.txt"), *out = in_folder("bad.imatrix");
  g_auto(CliRun) not_one = {0}, missing = {0};

  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_auto(CliRun) run = {0};
    g_assert_true(g_file_set_contents(prompts, cases[i].text, -1, NULL));
    gather(&run, prompts, out, (const char *const[]){NULL});
    g_assert_cmpint(run.status, ==, 1);
    g_assert_cmpstr(run.out, ==, "");
    g_assert_true(g_pattern_match_simple(cases[i].message, run.err));
    g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
  }
  convert(&not_one, "q4_0", out, model);
  g_assert_cmpint(not_one.status, ==, 1);
  g_assert_nonnull(strstr(not_one.err, "no importance matrix"));
  convert(&missing, "q4_0", out, prompts);
  g_assert_cmpint(missing.status, ==, 1);
  g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
}

static void
test_misuse(void)
{
  const char *const wrong[][12] = {
      {"model", "imatrix", model, NULL},
      {"model", "imatrix", model, "--prompts", questions, NULL},
      {"model", "imatrix", model, "--out", imatrix, NULL},
      {"model", "imatrix", model, "--out", imatrix, "--prompts", questions, "--limit", "-1", NULL},
  };

  check_misuse(wrong, G_N_ELEMENTS(wrong));
}

int
main(int argc, char **argv)
{
  int status;

  g_test_init(&argc, &argv, NULL);
  cli_tools_set_up();
  imatrix = in_folder("sprout.imatrix");
  g_test_add_func("/cli/imatrix/report", test_report);
  g_test_add_func("/cli/imatrix/text", test_text);
  g_test_add_func("/cli/imatrix/convert", test_convert);
  g_test_add_func("/cli/imatrix/refused", test_refused);
  g_test_add_func("/cli/imatrix/misuse", test_misuse);
  status = g_test_run();
  g_free(imatrix);
  cli_tools_clear();
  return status;
}
