/* test-cli-lists.c - hilum dataset convert, as a user runs it, and lists given to align as they
 * are.
 */
#include "cli-tools.h"

static char *
write_file(const char *name, const char *text)
{
  char *path = in_folder(name);

  g_assert_true(g_file_set_contents(path, text, -1, NULL));
  return path;
}

static JsonObject *
run_json(CliRun *run, JsonNode **node, const char *const *args)
{
  cli_runv(run, NULL, args);
  g_test_message("%s", run->err);
  g_assert_cmpint(run->status, ==, 0);
  *node = json_from_string(run->out, NULL);
  g_assert_nonnull(*node);
  return json_node_get_object(*node);
}

/* A list by itself, and cut short as by a download that broke off. */
static char *
write_captions(const char *name, gboolean cut)
{
  g_autoptr(GString) text = g_string_new("{\"ct_scan\": [");

  for (guint i = 0; i < 9000; i++) {
    g_string_append_printf(text,
                           "%s{\"pair_id\": \"%u_F1\", \"fig_caption\": \"Caption of %u %s\"}",
                           i ? ",\n" : "", i, i,
                           i % 3 ? "."
                                 : "and then words and words and words and words and words "
                                   "and words and words and words and words and words and "
                                   "words and words and words and words and more");
  }
  g_string_append(text, "],\n\"mri\": [{\"pair_id\": 7}]}");
  if (cut) {
    g_string_truncate(text, text->len / 2);
  }
  return write_file(name, text->str);
}

static void
test_captions(void)
{
  g_autofree char *in = write_captions("captions.json", FALSE), *pairs = in_folder("p.jsonl"),
                  *one = in_folder("one.json"), *other = in_folder("other.json");
  g_auto(CliRun) run = {0}, first = {0}, second = {0}, shard = {0};
  g_autoptr(JsonNode) node = NULL, a = NULL, b = NULL;
  JsonObject *o = run_json(
      &run, &node,
      (const char *const[]){"dataset", "convert", "--in", in, "--out", pairs, "--json", NULL});

  cli_assert_keys(o, "in out from to lines written dropped bytes_out seconds");
  g_assert_cmpstr(json_object_get_string_member(o, "from"), ==, "fig-captions");
  g_assert_cmpint(json_object_get_int_member(o, "written"), ==, 9000);
  g_assert_nonnull(
      strstr(run.err, "captions.json: line 9001: pair_id: found a number, expected a string"));
  /* The same whether it is converted first or not, and sampled. */
  o = run_json(&first, &a,
               (const char *const[]){"dataset", "align", "--in", in, "--out", one, "--target",
                                     "500", "--json", NULL});
  g_assert_cmpint(json_object_get_int_member(o, "written"), ==, 500);
  g_assert_cmpint(
      json_object_get_int_member(json_object_get_object_member(o, "dropped"), "malformed"), ==, 1);
  g_assert_nonnull(strstr(first.err, "captions.json: line 9001: pair_id"));
  run_json(&second, &b,
           (const char *const[]){"dataset", "align", "--in", pairs, "--out", other, "--target",
                                 "500", "--json", NULL});
  assert_same_file(one, other);
  cli_run(&shard, NULL, "dataset", "align", "--in", in, "--out", one, "--shard", "1/2", NULL);
  g_assert_cmpint(shard.status, ==, 1);
  g_assert_nonnull(strstr(shard.err, "one JSON value"));
}

static void
test_broken_off(void)
{
  g_autofree char *in = write_captions("cut.json", TRUE), *out = in_folder("cut.jsonl");
  g_auto(CliRun) run = {0};
  g_autoptr(JsonNode) node = NULL;
  JsonObject *o = run_json(
      &run, &node,
      (const char *const[]){"dataset", "convert", "--in", in, "--out", out, "--json", NULL});

  g_assert_cmpint(json_object_get_int_member(o, "written"), >, 4000);
  g_assert_cmpint(
      json_object_get_int_member(json_object_get_object_member(o, "dropped"), "malformed"), ==, 1);
  g_assert_nonnull(strstr(run.err, "the file ends before its records do"));
}

static void
test_urls(void)
{
  g_autofree char *in = write_file(
      "urls.jsonl",
      "{\"pair_id\": \"1_F1\", \"pmc_tar_url\": \"u1\", \"image_file_path\": \"a/1.jpg\"}\n"
      "{\"pair_id\": \"1_F2\", \"pmc_tar_url\": \"u1\", \"image_file_path\": \"a/2.jpg\"}\n"
      "{\"pair_id\": \"2_F1\", \"pmc_tar_url\": \"u2\", \"image_file_path\": \"b/1.jpg\"}\n");
  g_autofree char *out = in_folder("urls.txt"), *text = NULL;
  g_auto(CliRun) run = {0}, align = {0};
  g_autoptr(JsonNode) node = NULL;
  JsonObject *o = run_json(&run, &node,
                           (const char *const[]){"dataset", "convert", "--in", in, "--out", out,
                                                 "--to", "urls", "--json", NULL});

  g_assert_cmpint(json_object_get_int_member(o, "written"), ==, 2);
  text = contents(out, NULL);
  g_assert_cmpstr(text, ==, "u1\nu2\n");
  cli_run(&align, NULL, "dataset", "align", "--in", in, "--out", out, NULL);
  g_assert_cmpint(align.status, ==, 1);
  g_assert_nonnull(strstr(align.err, "has no captions"));
}

/* What the trainer reads, to Hugging Face's layout and back: nothing is lost. */
static void
test_layouts(void)
{
  g_autofree char *folder_list = in_folder("metadata.jsonl"), *back = in_folder("back.json"),
                  *again = in_folder("again.jsonl");
  g_auto(CliRun) first = {0}, second = {0}, third = {0}, check = {0};
  g_autoptr(JsonNode) a = NULL, b = NULL, c = NULL;
  g_autofree char *left = NULL, *right = NULL;

  run_json(&first, &a,
           (const char *const[]){"dataset", "convert", "--in", instruct, "--out", folder_list,
                                 "--to", "imagefolder", "--json", NULL});
  run_json(&second, &b,
           (const char *const[]){"dataset", "convert", "--in", folder_list, "--out", back, "--to",
                                 "llava", "--json", NULL});
  run_json(&third, &c,
           (const char *const[]){"dataset", "convert", "--in", back, "--out", again, "--to",
                                 "imagefolder", "--json", NULL});
  assert_same_file(folder_list, again);
  cli_run(&check, NULL, "dataset", "check", back, "--images", phantoms, "--json", NULL);
  g_assert_cmpint(check.status, ==, 0);
}

static void
test_misused(void)
{
  g_autofree char *in = write_file("x.jsonl", "{\"pair_id\": \"1\", \"caption\": \"x\"}\n");
  g_autofree char *out = in_folder("y.jsonl"), *odd = write_file("odd.txt", "words\n");
  const char *const wrong[][12] = {
      {"dataset", "convert", "--in", in, NULL},
      {"dataset", "convert", "--in", in, "--out", out, "--from", "what", NULL},
      {"dataset", "convert", "--in", in, "--out", out, "--to", "llava", NULL},
      {"dataset", "convert", "--in", in, "--out", out, "--shape", "QCM-X", NULL},
      {"dataset", "convert", "--in", in, "--out", out, "--threads", "-1", NULL},
  };
  g_auto(CliRun) run = {0}, full = {0};

  check_misuse(wrong, G_N_ELEMENTS(wrong));
  cli_run(&run, NULL, "dataset", "convert", "--in", odd, "--out", out, NULL);
  g_assert_cmpint(run.status, ==, 1);
  g_assert_nonnull(strstr(run.err, "begins like none of the lists"));
  /* A full disk: said, and no half file. */
  cli_run_limited(&full, 8, "dataset", "convert", "--in", in, "--out", out, NULL);
  g_assert_cmpint(full.status, ==, 1);
  g_assert_nonnull(strstr(full.err, "cannot be written"));
  g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
}

int
main(int argc, char **argv)
{
  int status;

  g_test_init(&argc, &argv, NULL);
  cli_tools_set_up();
  g_test_add_func("/cli/lists/captions", test_captions);
  g_test_add_func("/cli/lists/broken-off", test_broken_off);
  g_test_add_func("/cli/lists/urls", test_urls);
  g_test_add_func("/cli/lists/layouts", test_layouts);
  g_test_add_func("/cli/lists/misused", test_misused);
  status = g_test_run();
  cli_tools_clear();
  return status;
}
