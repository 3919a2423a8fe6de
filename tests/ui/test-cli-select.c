/* test-cli-select.c - hilum pmc select, as a user runs it: words, pictures, and a tower with
 * examples.
 */
#include "cli-tools.h"
#include "model/clip-fixture.h"

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

static gint64
verdict(JsonObject *report, const char *name)
{
  return json_object_get_int_member(json_object_get_object_member(report, "verdicts"), name);
}

static char *
write_pairs(guint n)
{
  static const char *const captions[] = {"Chest radiograph", "Axial CT of the head", "Survival",
                                         "(a) CT and (b) CT"};
  g_autoptr(GString) text = g_string_new(NULL);

  for (guint i = 0; i < n; i++) {
    g_string_append_printf(text, "{\"pair_id\": \"%u_F1\", \"fig_caption\": \"%s %u\"}\n", i,
                           captions[i % 4], i);
  }
  return write_file("pairs.jsonl", text->str);
}

static void
test_words(void)
{
  g_autofree char *in = write_pairs(4000), *out = in_folder("s.jsonl"),
                  *decisions = in_folder("d.jsonl"), *whole = NULL;
  g_autoptr(GString) joined = g_string_new(NULL);
  g_auto(CliRun) run = {0}, some = {0};
  g_autoptr(JsonNode) node = NULL, other = NULL;
  g_autoptr(GPtrArray) lines = NULL;
  JsonObject *o = run_json(&run, &node,
                           (const char *const[]){"pmc", "select", "--in", in, "--out", out,
                                                 "--decisions", decisions, "--json", NULL});

  cli_assert_keys(o, "in out decisions shard lines selected verdicts domains malformed no_id tower "
                     "seconds");
  g_assert_cmpint(json_object_get_int_member(o, "selected"), ==, 2000);
  g_assert_cmpint(verdict(o, "no_kind"), ==, 1000);
  g_assert_cmpint(verdict(o, "several_panels"), ==, 1000);
  whole = contents(decisions, NULL);
  lines = cli_json_lines(whole);
  g_assert_cmpuint(lines->len, ==, 4000);
  cli_assert_keys(json_node_get_object(lines->pdata[0]),
                  "pair_id verdict domain score several_panels reasons picture");
  g_free(whole);
  whole = contents(out, NULL);
  for (guint i = 1; i <= 3; i++) {
    g_auto(CliRun) part = {0};
    g_autofree char *shard = g_strdup_printf("%u/3", i), *text = NULL,
                    *path = in_folder("part.jsonl");

    cli_run(&part, NULL, "pmc", "select", "--in", in, "--out", path, "--shard", shard, NULL);
    g_assert_cmpint(part.status, ==, 0);
    text = contents(path, NULL);
    g_string_append(joined, text);
  }
  g_assert_cmpstr(joined->str, ==, whole);
  o = run_json(&some, &other,
               (const char *const[]){"pmc", "select", "--in", in, "--out", out, "--domains",
                                     "ct_scan,mri", "--threads", "1", "--json", NULL});
  g_assert_cmpint(json_object_get_int_member(o, "selected"), ==, 1000);
  g_assert_cmpint(verdict(o, "not_asked"), ==, 1000);
}

/* PHANTOMS' pictures into folders called as their kinds; returns that folder. */
static char *
write_examples(const char *from)
{
  g_autofree char *truth = g_build_filename(from, "truth.jsonl", NULL),
                  *text = contents(truth, NULL);
  g_autoptr(GPtrArray) lines = cli_json_lines(text);
  char *folder_of_all = in_folder("examples");

  for (guint i = 0; i < lines->len; i++) {
    JsonObject *o = json_node_get_object(lines->pdata[i]);
    const char *kind = json_object_get_string_member(o, "kind");
    const char *domain = strstr(kind, "-ct")   ? "ct_scan"
                         : strstr(kind, "-mr") ? "mri"
                                               : "chest_xray";
    g_autofree char *source =
        g_build_filename(from, json_object_get_string_member(o, "image"), NULL);
    g_autofree char *bytes = NULL, *into = NULL, *path = NULL, *name = g_path_get_basename(source);
    gsize n;

    bytes = contents(source, &n);
    into = g_build_filename(folder_of_all, domain, NULL);
    g_assert_cmpint(g_mkdir_with_parents(into, 0755), ==, 0);
    path = g_build_filename(into, name, NULL);
    g_assert_true(g_file_set_contents(path, bytes, (gssize)n, NULL));
  }
  return folder_of_all;
}

static void
test_tower(void)
{
  g_autofree char *more = in_folder("more"), *examples = NULL, *out = in_folder("t.jsonl"),
                  *images = g_build_filename(phantoms, "images", NULL),
                  *gone = g_build_filename(phantoms, "images", "bad.jpg", NULL), *in = NULL;
  g_auto(CliRun) make = {0}, run = {0}, wrong = {0};
  g_autoptr(JsonNode) node = NULL;
  JsonObject *o, *tower;

  cli_run(&make, NULL, "phantom", "--out", more, "--seed", "9", "--count", "60", "--size", "64",
          "--format", "png", "--split", "train", NULL);
  g_assert_cmpint(make.status, ==, 0);
  examples = write_examples(more);
  in = write_file("look.jsonl",
                  "{\"pair_id\": \"1\", \"fig_caption\": \"Lesion\", \"image\": \"000000.png\"}\n"
                  "{\"pair_id\": \"2\", \"fig_caption\": \"CT\", \"image\": \"none.png\"}\n"
                  "{\"pair_id\": \"3\", \"fig_caption\": \"CT\", \"image\": \"../x.png\"}\n"
                  "{\"pair_id\": \"4\", \"fig_caption\": \"CT\", \"image\": \"bad.jpg\"}\n");
  g_assert_true(g_file_set_contents(gone, "no picture", -1, NULL));
  o = run_json(&run, &node,
               (const char *const[]){"pmc", "select", "--in", in, "--out", out, "--images", images,
                                     "--examples", examples, "--json", NULL});
  g_assert_cmpint(verdict(o, "no_picture"), ==, 2);
  g_assert_cmpint(verdict(o, "unreadable"), ==, 1);
  tower = json_object_get_object_member(o, "tower");
  g_assert_cmpint(json_object_get_int_member(tower, "examples"), ==, 60);
  /* The demo model was trained on such pictures; 0.9 when this was written, and by chance
   * a half or less. */
  g_assert_cmpfloat(json_object_get_double_member(tower, "left_out_accuracy"), >, 0.75);
  g_unlink(gone);
  cli_run(&wrong, NULL, "pmc", "select", "--in", in, "--out", out, "--images", images, "--examples",
          phantoms, NULL);
  g_assert_cmpint(wrong.status, ==, 1);
  g_assert_nonnull(strstr(wrong.err, "expected folders called chest_xray"));
}

/* A CLIP pair compares by itself, and with examples where there are some. Its weights mean nothing,
 * so what it says is not looked at, but that it says it. */
static void
check_pair(ClipKind kind, const char *examples, const char *in, const char *images)
{
  g_autofree char *pair = in_folder(kind == CLIP_BIOMED ? "biomed" : "clip"),
                  *out = in_folder("p.jsonl"), *decisions = in_folder("pd.jsonl"), *text = NULL;
  g_auto(CliRun) prompts = {0}, compared = {0}, shown = {0};
  g_autoptr(JsonNode) node = NULL, other = NULL;
  g_autoptr(GPtrArray) lines = NULL;
  JsonObject *tower, *seen;

  g_assert_cmpint(g_mkdir_with_parents(pair, 0755), ==, 0);
  clip_make(pair, kind, FALSE, NULL);
  tower = json_object_get_object_member(
      run_json(&prompts, &node,
               (const char *const[]){"pmc", "select", "--in", in, "--out", out, "--images", images,
                                     "--tower", pair, "--decisions", decisions, "--json", NULL}),
      "tower");
  cli_assert_keys(tower, "by examples left_out_accuracy classes prompts");
  g_assert_cmpstr(json_object_get_string_member(tower, "by"), ==, "prompts");
  g_assert_cmpint(json_object_get_int_member(tower, "classes"), >, 5);
  text = contents(decisions, NULL);
  lines = cli_json_lines(text);
  seen = json_object_get_object_member(
      json_object_get_object_member(json_node_get_object(lines->pdata[0]), "picture"), "tower");
  cli_assert_keys(seen, "kind sees score");
  g_assert_nonnull(strstr(text, "\"tower: "));
  tower = json_object_get_object_member(
      run_json(&compared, &other,
               (const char *const[]){"pmc", "select", "--in", in, "--out", out, "--images", images,
                                     "--tower", pair, "--examples", examples, "--json", NULL}),
      "tower");
  g_assert_cmpstr(json_object_get_string_member(tower, "by"), ==, "examples");
  g_assert_cmpint(json_object_get_int_member(tower, "examples"), ==, 60);
  cli_run(&shown, NULL, "pmc", "select", "--in", in, "--out", out, "--images", images, "--tower",
          pair, NULL);
  g_assert_cmpint(shown.status, ==, 0);
  g_assert_nonnull(strstr(shown.out, " prompts"));
}

static void
test_pairs_of_towers(void)
{
  g_autofree char *out = in_folder("p.jsonl"), *bare = in_folder("bare"),
                  *images = g_build_filename(phantoms, "images", NULL),
                  *examples = in_folder("examples"), *in = NULL;
  g_auto(CliRun) broken = {0}, gone = {0};

  in = write_file("see.jsonl",
                  "{\"pair_id\": \"1\", \"fig_caption\": \"CT\", \"image\": \"000000.png\"}\n"
                  "{\"pair_id\": \"2\", \"fig_caption\": \"?\", \"image\": \"000001.png\"}\n");
  check_pair(CLIP_QUICK, examples, in, images);
  check_pair(CLIP_BIOMED, examples, in, images);
  {
    const char *const wrong[][12] = {
        {"pmc", "select", "--in", in, "--out", out, "--images", images, "--tower", model, NULL},
    };
    check_misuse(wrong, G_N_ELEMENTS(wrong));
  }
  g_assert_cmpint(g_mkdir_with_parents(bare, 0755), ==, 0);
  clip_write_text(bare, "open_clip_config.json", "{\"model_cfg\": 3}");
  cli_run(&broken, NULL, "pmc", "select", "--in", in, "--out", out, "--images", images, "--tower",
          bare, NULL);
  g_assert_cmpint(broken.status, ==, 1);
  g_assert_nonnull(strstr(broken.err, "open_clip_pytorch_model"));
  cli_run(&gone, NULL, "pmc", "select", "--in", in, "--out", out, "--images", images, "--tower",
          "/nowhere/at/all", NULL);
  g_assert_cmpint(gone.status, ==, 1);
  g_assert_nonnull(strstr(gone.err, "no such checkpoint"));
}

static void
test_misused(void)
{
  g_autofree char *in = write_pairs(4), *out = in_folder("y.jsonl");
  const char *const wrong[][12] = {
      {"pmc", "select", "--in", in, NULL},
      {"pmc", "select", "--in", in, "--out", out, "--domains", "ct", NULL},
      {"pmc", "select", "--in", in, "--out", out, "--score", "0", NULL},
      {"pmc", "select", "--in", in, "--out", out, "--tower", model, NULL},
      {"pmc", "select", "--in", in, "--out", out, "--shard", "4/3", NULL},
      {"pmc", "select", "--in", in, "--out", out, "--from", "what", NULL},
  };

  check_misuse(wrong, G_N_ELEMENTS(wrong));
}

int
main(int argc, char **argv)
{
  int status;

  g_test_init(&argc, &argv, NULL);
  cli_tools_set_up();
  g_test_add_func("/cli/select/words", test_words);
  g_test_add_func("/cli/select/tower", test_tower);
  g_test_add_func("/cli/select/pairs-of-towers", test_pairs_of_towers);
  g_test_add_func("/cli/select/misused", test_misused);
  status = g_test_run();
  cli_tools_clear();
  return status;
}
