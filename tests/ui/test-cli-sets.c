/* test-cli-sets.c - hilum dataset stats, split and balance, as a user runs them. */
#include "cli-tools.h"

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

static char *
write_pairs(guint n)
{
  g_autoptr(GString) text = g_string_new(NULL);
  char *path = in_folder("pairs.jsonl");

  for (guint i = 0; i < n; i++) {
    g_string_append_printf(text,
                           "{\"pair_id\": \"%u_F%u\", \"fig_caption\": \"A scan of the thing%u "
                           "(arrow).\", \"domain\": \"%s\"}\n",
                           i / 3, i % 3, i % 40, i % 4 ? "mri" : "ct_scan");
  }
  g_assert_true(g_file_set_contents(path, text->str, (gssize)text->len, NULL));
  return path;
}

static void
test_stats(void)
{
  g_autofree char *pairs = write_pairs(9000), *svg = in_folder("svg"), *plot = NULL, *text = NULL;
  g_auto(CliRun) run = {0}, own = {0}, people = {0};
  g_autoptr(JsonNode) node = NULL, other = NULL;
  JsonObject *o =
      run_json(&run, &node, (const char *const[]){"dataset", "stats", pairs, "--json", NULL});

  cli_assert_keys(o, "file format records questions with_image domains turns asked answered verbs "
                     "plots dropped seconds");
  g_assert_cmpint(json_object_get_int_member(o, "records"), ==, 9000);
  g_assert_cmpint(
      json_object_get_int_member(
          json_object_get_object_member(json_object_get_object_member(o, "domains"), "mri"),
          "records"),
      ==, 6750);
  g_assert_cmpint(
      json_object_get_int_member(json_object_get_object_member(o, "answered"), "median"), ==, 6);
  g_assert_cmpint(g_mkdir(svg, 0755), ==, 0);
  o = run_json(&own, &other,
               (const char *const[]){"dataset", "stats", instruct, "--svg", svg, "--json", NULL});
  g_assert_cmpint(json_object_get_int_member(o, "questions"), >, 20);
  g_assert_cmpint(json_array_get_length(json_object_get_array_member(o, "plots")), ==, 4);
  plot = g_build_filename(svg, "verbs.svg", NULL);
  text = contents(plot, NULL);
  g_assert_true(g_str_has_prefix(text, "<svg ") && g_str_has_suffix(text, "</svg>\n"));
  cli_run(&people, NULL, "dataset", "stats", instruct, NULL);
  g_assert_cmpint(people.status, ==, 0);
  g_assert_nonnull(strstr(people.out, "questions"));
}

/* Every record once, every article in one part, and check says so. */
static void
test_split(void)
{
  g_autofree char *pairs = write_pairs(9000), *out = in_folder("split"), *train = NULL, *val = NULL,
                  *first = NULL, *again = NULL, *train_set = in_folder("train.json"),
                  *val_set = in_folder("val.json");
  g_auto(CliRun) run = {0}, second = {0}, a = {0}, b = {0}, check = {0};
  g_autoptr(JsonNode) node = NULL, same = NULL, report = NULL;
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  JsonArray *parts;
  gint64 records = 0;
  JsonObject *o;

  g_assert_cmpint(g_mkdir(out, 0755), ==, 0);
  o = run_json(&run, &node,
               (const char *const[]){"dataset", "split", pairs, "--out", out, "--shards", "2",
                                     "--json", NULL});
  cli_assert_keys(o, "file out group parts lines dropped seconds");
  parts = json_object_get_array_member(o, "parts");
  g_assert_cmpuint(json_array_get_length(parts), ==, 3);
  for (guint i = 0; i < 3; i++) {
    JsonObject *part = json_array_get_object_element(parts, i);
    JsonArray *files = json_object_get_array_member(part, "files");

    records += json_object_get_int_member(part, "records");
    for (guint k = 0; k < json_array_get_length(files); k++) {
      g_autofree char *text = contents(json_array_get_string_element(files, k), NULL);
      g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
      for (guint l = 0; lines[l] && *lines[l]; l++) {
        g_assert_true(g_hash_table_add(seen, g_strdup(lines[l])));
      }
    }
  }
  g_assert_cmpint(records, ==, 9000);
  g_assert_cmpuint(g_hash_table_size(seen), ==, 9000);
  train = g_build_filename(out, "train-00000-of-00002.jsonl", NULL);
  first = contents(train, NULL);
  run_json(&second, &same,
           (const char *const[]){"dataset", "split", pairs, "--out", out, "--shards", "2",
                                 "--threads", "1", "--json", NULL});
  again = contents(train, NULL);
  g_assert_cmpstr(first, ==, again);
  val = g_build_filename(out, "val-00000-of-00002.jsonl", NULL);
  cli_run(&a, NULL, "dataset", "align", "--in", train, "--out", train_set, NULL);
  cli_run(&b, NULL, "dataset", "align", "--in", val, "--out", val_set, NULL);
  o = run_json(
      &check, &report,
      (const char *const[]){"dataset", "check", train_set, "--against", val_set, "--json", NULL});
  o = json_object_get_object_member(o, "against");
  g_assert_cmpint(json_object_get_int_member(o, "same_articles"), ==, 0);
  g_assert_cmpint(json_object_get_int_member(o, "same_ids"), ==, 0);
}

/* By id figures of an article are torn apart, which check finds. */
static void
test_leak(void)
{
  g_autofree char *pairs = write_pairs(900), *out = in_folder("leak"), *set = in_folder("all.json"),
                  *train = NULL, *val = NULL;
  g_auto(CliRun) align = {0}, run = {0}, check = {0};
  g_autoptr(JsonNode) node = NULL, report = NULL;
  JsonObject *o;

  g_assert_cmpint(g_mkdir(out, 0755), ==, 0);
  cli_run(&align, NULL, "dataset", "align", "--in", pairs, "--out", set, NULL);
  run_json(&run, &node,
           (const char *const[]){"dataset", "split", set, "--out", out, "--parts", "train=3,val=1",
                                 "--group", "id", "--array", "--json", NULL});
  train = g_build_filename(out, "train.json", NULL);
  val = g_build_filename(out, "val.json", NULL);
  o = run_json(&check, &report,
               (const char *const[]){"dataset", "check", train, "--against", val, "--json", NULL});
  g_assert_cmpint(
      json_object_get_int_member(json_object_get_object_member(o, "against"), "same_articles"), >,
      50);
}

static void
test_balance(void)
{
  g_autofree char *pairs = write_pairs(9000), *out = in_folder("chosen.jsonl"),
                  *alone = in_folder("alone.jsonl");
  g_auto(CliRun) run = {0}, other = {0};
  g_autoptr(JsonNode) node = NULL, same = NULL;
  JsonObject *o = run_json(&run, &node,
                           (const char *const[]){"dataset", "balance", "--in", pairs, "--out", out,
                                                 "--most", "20", "--json", NULL});

  cli_assert_keys(o, "in out captions chosen phrases dropped seconds");
  /* Forty things, twenty captions of each, and twenty scans, some of which are among them. */
  g_assert_cmpint(json_object_get_int_member(o, "chosen"), >=, 800);
  g_assert_cmpint(json_object_get_int_member(o, "chosen"), <=, 840);
  run_json(&other, &same,
           (const char *const[]){"dataset", "balance", "--in", pairs, "--out", alone, "--most",
                                 "20", "--threads", "1", "--json", NULL});
  assert_same_file(out, alone);
}

static void
test_misused(void)
{
  g_autofree char *pairs = write_pairs(4), *out = in_folder("none");
  const char *const wrong[][12] = {
      {"dataset", "stats", NULL},
      {"dataset", "stats", pairs, "--verbs", "0", NULL},
      {"dataset", "split", pairs, NULL},
      {"dataset", "split", pairs, "--out", folder, "--parts", "train", NULL},
      {"dataset", "split", pairs, "--out", folder, "--parts", "a/b=1", NULL},
      {"dataset", "split", pairs, "--out", folder, "--parts", "a=1,a=1", NULL},
      {"dataset", "split", pairs, "--out", folder, "--parts", "a=-1", NULL},
      {"dataset", "split", pairs, "--out", folder, "--shards", "60", NULL},
      {"dataset", "balance", "--in", pairs, NULL},
      {"dataset", "balance", "--in", pairs, "--out", out, "--most", "0", NULL},
  };
  g_auto(CliRun) run = {0};

  check_misuse(wrong, G_N_ELEMENTS(wrong));
  cli_run(&run, NULL, "dataset", "split", pairs, "--out", out, NULL);
  g_assert_cmpint(run.status, ==, 1);
}

int
main(int argc, char **argv)
{
  int status;

  g_test_init(&argc, &argv, NULL);
  cli_tools_set_up();
  g_test_add_func("/cli/sets/stats", test_stats);
  g_test_add_func("/cli/sets/split", test_split);
  g_test_add_func("/cli/sets/leak", test_leak);
  g_test_add_func("/cli/sets/balance", test_balance);
  g_test_add_func("/cli/sets/misused", test_misused);
  status = g_test_run();
  cli_tools_clear();
  return status;
}
