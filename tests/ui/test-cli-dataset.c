/* test-cli-dataset.c - hilum dataset align, as a user runs it: any threads, any shards, samples. */
#include <string.h>

#include "app/tiny.h"
#include "cli-run.h"

#define N_PAIRS 60000u

static char *folder, *pairs;

static char *
in_folder(const char *name)
{
  return g_build_filename(folder, name, NULL);
}

static char *
contents(const char *path)
{
  char *text = NULL;

  g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
  return text;
}

/* Several pieces' worth of pairs, some captions long, and one line longer than a piece. */
static void
write_pairs(void)
{
  static const char *const domains[] = {"chest_xray", "mri", "histology", "gross", "ct_scan"};
  g_autoptr(GString) text = g_string_new(NULL);

  for (guint i = 0; i < N_PAIRS; i++) {
    g_autofree char *tail = g_strnfill(i == 30000 ? 9u << 20 : i % 300, i % 7 ? 'x' : ' ');
    g_string_append_printf(text,
                           "{\"pair_id\": \"%u_F1\", \"fig_caption\": \"Caption %s\xc3\xa9 %u\", "
                           "\"domain\": \"%s\"}\n",
                           i, tail, i, domains[i % 5]);
  }
  g_string_truncate(text, text->len - 1); /* no line break at the end */
  pairs = in_folder("pairs.jsonl");
  g_assert_true(g_file_set_contents(pairs, text->str, (gssize)text->len, NULL));
}

static JsonObject *
align(CliRun *run, JsonNode **node, const char *out, const char *option, const char *value)
{
  cli_run(run, NULL, "dataset", "align", "--in", pairs, "--out", out, "--seed", "5", "--json",
          option, value, NULL);
  g_test_message("%s", run->err);
  g_assert_cmpint(run->status, ==, 0);
  *node = json_from_string(run->out, NULL);
  return json_node_get_object(*node);
}

static void
test_threads(void)
{
  g_autofree char *expected = NULL, *out = in_folder("whole.jsonl"), *array = in_folder("a.json");
  static const char *const threads[] = {"1", "2", "7"};
  g_auto(CliRun) last = {0};
  g_autoptr(JsonNode) report = NULL;
  g_autoptr(JsonParser) parser = json_parser_new();

  for (guint i = 0; i < G_N_ELEMENTS(threads); i++) {
    g_auto(CliRun) run = {0};
    g_autoptr(JsonNode) node = NULL;
    g_autofree char *text = NULL;
    JsonObject *o = align(&run, &node, out, "--threads", threads[i]);

    cli_assert_keys(o, "in out shard lines written brief detailed dropped domains bytes_in "
                       "bytes_out seconds");
    g_assert_cmpint(json_object_get_int_member(o, "written"), ==, N_PAIRS);
    g_assert_cmpint(json_object_get_int_member(o, "lines"), ==, N_PAIRS);
    text = contents(out);
    g_assert_cmpuint(strlen(text), ==, (guint)json_object_get_int_member(o, "bytes_out"));
    if (!expected) {
      expected = g_steal_pointer(&text);
    } else {
      g_assert_true(strcmp(text, expected) == 0);
    }
  }
  align(&last, &report, array, "--threads", "2");
  g_assert_true(json_parser_load_from_file(parser, array, NULL));
  g_assert_cmpuint(json_array_get_length(json_node_get_array(json_parser_get_root(parser))), ==,
                   N_PAIRS);
}

static void
test_shards(void)
{
  g_autofree char *whole = in_folder("whole.jsonl"), *expected = contents(whole);

  for (guint n = 2; n <= 7; n += 5) {
    g_autoptr(GString) joined = g_string_new(NULL);

    for (guint i = 1; i <= n; i++) {
      g_auto(CliRun) run = {0};
      g_autoptr(JsonNode) node = NULL;
      g_autofree char *out = in_folder("part.jsonl"), *text = NULL;
      g_autofree char *shard = g_strdup_printf("%u/%u", i, n);

      align(&run, &node, out, "--shard", shard);
      text = contents(out);
      g_string_append(joined, text);
    }
    g_assert_true(strcmp(joined->str, expected) == 0);
  }
}

static void
test_target(void)
{
  g_autofree char *out = in_folder("target.jsonl");
  g_auto(CliRun) all = {0}, some = {0}, more = {0};
  g_autoptr(JsonNode) one = NULL, two = NULL, three = NULL;
  JsonObject *o = align(&all, &one, out, "--target", "1000"), *domains;

  g_assert_cmpint(json_object_get_int_member(o, "written"), ==, 1000);
  g_assert_cmpint(
      json_object_get_int_member(json_object_get_object_member(o, "dropped"), "not_sampled"), ==,
      N_PAIRS - 1000);
  o = align(&some, &two, out, "--target", "ct_scan=700,mri=20");
  domains = json_object_get_object_member(o, "domains");
  g_assert_cmpint(json_object_get_int_member(domains, "ct_scan"), ==, 700);
  g_assert_cmpint(json_object_get_int_member(domains, "mri"), ==, 20);
  g_assert_cmpint(json_object_get_int_member(o, "written"), ==, 720);
  o = align(&more, &three, out, "--target", "1000000");
  g_assert_cmpint(json_object_get_int_member(o, "written"), ==, N_PAIRS);
}

static void
test_images(void)
{
  g_autofree char *image = in_folder("17_F1.jpg"), *out = in_folder("images.jsonl");
  g_auto(CliRun) run = {0};
  g_autoptr(JsonNode) node = NULL;
  JsonObject *o;

  g_assert_true(g_file_set_contents(image, "x", 1, NULL));
  o = align(&run, &node, out, "--images", folder);
  g_assert_cmpint(json_object_get_int_member(o, "written"), ==, 1);
  g_assert_cmpint(
      json_object_get_int_member(json_object_get_object_member(o, "dropped"), "no_image"), ==,
      N_PAIRS - 1);
}

static void
test_misused(void)
{
  static const char *const wrong[][9] = {
      {"dataset", "align"},
      {"dataset", "align", "--in", "@", "--out", "#", "--shard", "0/2"},
      {"dataset", "align", "--in", "@", "--out", "#", "--shard", "3/2"},
      {"dataset", "align", "--in", "@", "--out", "#", "--target", "0"},
      {"dataset", "align", "--in", "@", "--out", "#", "--target", "brain=5"},
      {"dataset", "align", "--in", "@", "--out", "#", "--target", "5,mri=5"},
      {"dataset", "align", "--in", "@", "--out", "#", "--threads", "-1"},
      {"dataset", "align", "--in", "@", "--out", "@"}};
  g_autofree char *out = in_folder("wrong.jsonl");

  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_auto(CliRun) run = {0};
    const char *a[8] = {NULL};

    for (guint k = 0; k < 8 && wrong[i][k]; k++) {
      a[k] = strcmp(wrong[i][k], "@") == 0   ? pairs
             : strcmp(wrong[i][k], "#") == 0 ? out
                                             : wrong[i][k];
    }
    cli_run(&run, NULL, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], NULL);
    g_test_message("%u: %s", i, run.err);
    g_assert_cmpint(run.status, ==, 2);
    g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
  }
}

/* Bad lines are named by their number and leave the rest alone. */
static void
test_bad_lines(void)
{
  g_autofree char *bad = in_folder("bad.jsonl"), *out = in_folder("bad-out.jsonl");
  g_auto(CliRun) run = {0}, gone = {0};

  g_assert_true(g_file_set_contents(bad,
                                    "{\"pair_id\": \"1\", \"fig_caption\": \"a\"}\n{\"pair_id\": "
                                    "\"2\n{\"pair_id\": \"3\", \"fig_caption\": [1]}\n",
                                    -1, NULL));
  cli_run(&run, NULL, "dataset", "align", "--in", bad, "--out", out, NULL);
  g_assert_cmpint(run.status, ==, 0);
  g_assert_nonnull(strstr(run.err, "bad.jsonl: line 2: a string that does not end"));
  g_assert_nonnull(strstr(run.err, "bad.jsonl: line 3: fig_caption: found an array"));
  g_assert_nonnull(strstr(run.out, "2 malformed"));
  cli_run(&gone, NULL, "dataset", "align", "--in", "/no/such/file", "--out", out, NULL);
  g_assert_cmpint(gone.status, ==, 1);
}

/* ---- check --------------------------------------------------------------------------------------
 */

#define TURN(from, value) "{\"from\": \"" from "\", \"value\": \"" value "\"}"
#define RECORD(id, image, turns)                                                                   \
  "{\"id\": \"" id "\", \"image\": \"" image "\", \"conversations\": [" turns "]}"
#define GOOD TURN("human", "<image>\\nWhat?") ", " TURN("gpt", "That.")

static JsonObject *
check(CliRun *run, JsonNode **node, int status, const char *file, const char *const *more)
{
  const char *a[6] = {NULL};

  for (guint i = 0; more && more[i]; i++) {
    a[i] = more[i];
  }
  cli_run(run, NULL, "dataset", "check", file, "--json", a[0], a[1], a[2], a[3], a[4], a[5], NULL);
  g_test_message("%s", run->err);
  g_assert_cmpint(run->status, ==, status);
  *node = json_from_string(run->out, NULL);
  return json_node_get_object(*node);
}

static gint64
problems(JsonObject *o, const char *kind)
{
  return json_object_get_int_member(json_object_get_object_member(o, "problems"), kind);
}

static void
test_check(void)
{
  static const char bad[] =
      "[" RECORD("1", "a.png", GOOD) ",\n" RECORD("1", "b.png", GOOD) ",\n" RECORD("3", "c.png", TURN("human", "What?") ", " TURN("gpt", "That.")) ",\n" RECORD(
          "4", "d.png",
          TURN(
              "gpt",
              "<image>")) ",\n" RECORD("5", "e.png",
                                       TURN("human", "<image>") ", " TURN("gpt", " ") ", " TURN(
                                           "human",
                                           "<image> And?")) ",\n"
                                                            "{\"id\": 6, \"conversatons\": [" TURN(
                                                                "human",
                                                                "Hello?") ", " TURN("gpt",
                                                                                    "Yes.") "]},\n"
                                                                                            "{\"id"
                                                                                            "\": "
                                                                                            "7, "
                                                                                            "\"conv"
                                                                                            "ersati"
                                                                                            "ons\":"
                                                                                            " "
                                                                                            "[" GOOD
                                                                                            "]},\n"
                                                                                            "{\"con"
                                                                                            "versat"
                                                                                            "ions\""
                                                                                            ": "
                                                                                            "[]},\n"
                                                                                            "{\"id"
                                                                                            "\": "
                                                                                            "9, "
                                                                                            "\"imag"
                                                                                            "e\": "
                                                                                            "5, "
                                                                                            "\"conv"
                                                                                            "ersati"
                                                                                            "ons\":"
                                                                                            " [{"
                                                                                            "\"from"
                                                                                            "\": "
                                                                                            "\"huma"
                                                                                            "n\"}]}"
                                                                                            "]\n";
  g_autofree char *file = in_folder("check.json");
  g_auto(CliRun) run = {0};
  g_autoptr(JsonNode) node = NULL;
  JsonObject *o;

  g_assert_true(g_file_set_contents(file, bad, -1, NULL));
  o = check(&run, &node, 1, file, NULL);
  cli_assert_keys(o, "file records turns with_image conversatons problems images against ok");
  g_assert_cmpint(json_object_get_int_member(o, "records"), ==, 9);
  g_assert_cmpint(json_object_get_int_member(o, "conversatons"), ==, 1);
  g_assert_cmpint(problems(o, "same_id"), ==, 1);
  g_assert_cmpint(problems(o, "image_without_mark"), ==, 1);
  g_assert_cmpint(problems(o, "not_alternating"), ==, 1);
  g_assert_cmpint(problems(o, "empty_text"), ==, 1);
  g_assert_cmpint(problems(o, "no_answer"), ==, 1);
  g_assert_cmpint(problems(o, "mark_misplaced"), ==, 1);
  g_assert_cmpint(problems(o, "mark_without_image"), ==, 1);
  g_assert_cmpint(problems(o, "no_id"), ==, 1);
  g_assert_cmpint(problems(o, "no_conversations"), ==, 1);
  g_assert_cmpint(problems(o, "image_not_text"), ==, 1);
  g_assert_cmpint(problems(o, "bad_turn"), ==, 1);
  g_assert_nonnull(strstr(run.err, "check.json: record 2 has the id of an earlier record"));
}

static void
copy(const char *from, const char *to)
{
  g_autofree char *source = in_folder(from), *target = in_folder(to), *bytes = NULL;
  gsize n;

  g_assert_true(g_file_get_contents(source, &bytes, &n, NULL));
  g_assert_true(g_file_set_contents(target, bytes, (gssize)n, NULL));
}

/* The same picture under two names, the same at another size, one that is gone, one that is none;
 * and a split that shares one. */
static void
test_check_images(void)
{
  static const char set[] =
      RECORD("1", "p1.png", GOOD) "\n" RECORD("2", "p1-copy.png", GOOD) "\n" RECORD(
          "3", "p1-large.png",
          GOOD) "\n" RECORD("4", "p2.png", GOOD) "\n" RECORD("5", "gone.png",
                                                             GOOD) "\n" RECORD("6", "none.png",
                                                                               GOOD) "\n";
  static const char other[] =
      RECORD("7", "p2-other.png", GOOD) "\n" RECORD("1", "p3.png", GOOD) "\n";
  g_autofree char *file = in_folder("set.jsonl"), *split = in_folder("split.jsonl");
  g_autofree char *phantoms = in_folder("phantoms"), *large = in_folder("large"),
                  *none = in_folder("none.png"), *list = in_folder("list.jsonl"), *names = NULL;
  g_auto(CliRun) run = {0}, small = {0}, big = {0};
  g_autoptr(JsonNode) node = NULL;
  JsonObject *o;

  cli_run(&small, NULL, "phantom", "--out", phantoms, "--count", "3", "--kind", "chest-cr",
          "--format", "png", "--size", "96", NULL);
  cli_run(&big, NULL, "phantom", "--out", large, "--count", "3", "--kind", "chest-cr", "--format",
          "png", "--size", "192", NULL);
  g_assert_cmpint(small.status + big.status, ==, 0);
  copy("phantoms/images/000000.png", "p1.png");
  copy("phantoms/images/000000.png", "p1-copy.png");
  copy("large/images/000000.png", "p1-large.png");
  copy("phantoms/images/000001.png", "p2.png");
  copy("phantoms/images/000001.png", "p2-other.png");
  copy("phantoms/images/000002.png", "p3.png");
  g_assert_true(g_file_set_contents(none, "no picture", -1, NULL));
  g_assert_true(g_file_set_contents(file, set, -1, NULL));
  g_assert_true(g_file_set_contents(split, other, -1, NULL));
  o = check(&run, &node, 1, file,
            (const char *const[]){"--images", folder, "--against", split, "--list", list, NULL});
  names = contents(list);
  g_assert_nonnull(strstr(
      names, "{\"kind\":\"duplicate\",\"name\":\"p1-copy.png\",\"other\":\"p1.png\"}\n"));
  g_assert_nonnull(
      strstr(names, "{\"kind\":\"shared\",\"name\":\"p2.png\",\"other\":\"p2-other.png\"}\n"));
  g_assert_nonnull(strstr(names, "\"kind\":\"missing\",\"name\":\"gone.png\""));
  g_assert_nonnull(strstr(names, "\"kind\":\"unreadable\",\"name\":\"none.png\""));
  g_assert_nonnull(strstr(names, "\"kind\":\"shared_id\""));
  g_assert_cmpint(problems(o, "image_missing"), ==, 1);
  g_assert_cmpint(problems(o, "image_unreadable"), ==, 1);
  o = json_object_get_object_member(o, "images");
  g_assert_cmpint(json_object_get_int_member(o, "distinct"), ==, 6);
  g_assert_cmpint(json_object_get_int_member(o, "duplicates"), ==, 1);
  g_assert_cmpint(json_object_get_int_member(o, "near_duplicates"), >=, 1);
  o = json_object_get_object_member(json_node_get_object(node), "against");
  g_assert_cmpint(json_object_get_int_member(o, "same_ids"), ==, 1);
  g_assert_cmpint(json_object_get_int_member(o, "same_images"), ==, 1);
}

int
main(int argc, char **argv)
{
  int status;

  g_test_init(&argc, &argv, NULL);
  folder = tiny_folder_new();
  write_pairs();
  g_test_add_func("/cli-dataset/threads", test_threads);
  g_test_add_func("/cli-dataset/shards", test_shards);
  g_test_add_func("/cli-dataset/target", test_target);
  g_test_add_func("/cli-dataset/images", test_images);
  g_test_add_func("/cli-dataset/misused", test_misused);
  g_test_add_func("/cli-dataset/bad-lines", test_bad_lines);
  g_test_add_func("/cli-dataset/check", test_check);
  g_test_add_func("/cli-dataset/check-images", test_check_images);
  status = g_test_run();
  tiny_folder_free(folder);
  g_free(pairs);
  return status;
}
