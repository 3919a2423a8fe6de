/* cmd-dataset.c - hilum dataset: training sets from pairs of picture and caption. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app_dataset.h"
#include "dataset-show.h"

typedef struct {
  gint64 began, shown;
  gboolean terminal;
} Show;

static void
on_problem(const char *text, gpointer user)
{
  cli_note("%s", text);
}

static gboolean
on_go_on(guint64 bytes, guint64 total, gpointer user)
{
  Show *show = user;
  const gint64 now = g_get_monotonic_time();

  if (show->terminal && now - show->shown > 200000) {
    fprintf(stderr, "\r%3d %%  %.0f MB/s ", total > 0 ? (int)(100 * bytes / total) : 100,
            (double)bytes / (double)MAX(now - show->began, 1));
    show->shown = now;
  }
  return !cli_is_interrupted();
}

static void
print_report(JsonNode *node)
{
  JsonObject *o = json_node_get_object(node);
  JsonObject *dropped = json_object_get_object_member(o, "dropped");
  const double seconds = json_object_get_double_member(o, "seconds");

  cli_print_field("written", "%s: %" G_GINT64_FORMAT " conversations", cli_text_member(o, "out"),
                  json_object_get_int_member(o, "written"));
  cli_print_field("asked for", "%" G_GINT64_FORMAT " brief, %" G_GINT64_FORMAT " detailed",
                  json_object_get_int_member(o, "brief"),
                  json_object_get_int_member(o, "detailed"));
  cli_print_field("left out",
                  "%" G_GINT64_FORMAT " malformed, %" G_GINT64_FORMAT
                  " without id, %" G_GINT64_FORMAT " without caption, %" G_GINT64_FORMAT
                  " without picture, %" G_GINT64_FORMAT " beyond the target",
                  json_object_get_int_member(dropped, "malformed"),
                  json_object_get_int_member(dropped, "no_id"),
                  json_object_get_int_member(dropped, "no_caption"),
                  json_object_get_int_member(dropped, "no_image"),
                  json_object_get_int_member(dropped, "not_sampled"));
  cli_print_field("read", "%.1f MB in %.1f s",
                  (double)json_object_get_int_member(o, "bytes_in") / 1e6, seconds);
}

static int
run_align(const AppAlignOptions *options, gboolean json)
{
  Show show = {.began = g_get_monotonic_time(), .terminal = isatty(STDERR_FILENO) == 1};
  const AppDatasetListener listener = {on_problem, on_go_on, &show};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) report = NULL;

  cli_catch_interrupt();
  report = app_dataset_align(options, &listener, &error);
  if (show.shown > 0) {
    fputc('\n', stderr);
  }
  if (!report) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(report);
  } else {
    print_report(report);
  }
  return cli_finish_output(CLI_DONE);
}

static int
cmd_align(int argc, char **argv)
{
  g_autofree char *in = NULL, *from = NULL, *out = NULL, *images = NULL, *seed = NULL,
                  *target = NULL, *shard = NULL;
  int threads = 0, status;
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
      {"in", 'i', 0, G_OPTION_ARG_FILENAME, &in,
       "Pairs, as hilum pmc figures writes them, or a list of another kind", "FILE"},
      {"from", 0, 0, G_OPTION_ARG_FILENAME, &from,
       "Kind of list, as hilum dataset convert knows them (default: by what it says)", "KIND"},
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &out,
       "JSON array to write; JSON Lines when its name ends in .jsonl", "FILE"},
      {"images", 0, 0, G_OPTION_ARG_FILENAME, &images,
       "Leave out pairs whose picture is not in this folder", "DIR"},
      {"seed", 0, 0, G_OPTION_ARG_FILENAME, &seed, "Seed (default: 1)", "N"},
      {"threads", 0, 0, G_OPTION_ARG_INT, &threads, "Threads (default: one per core)", "N"},
      {"target", 0, 0, G_OPTION_ARG_FILENAME, &target,
       "So many pairs, drawn at random: N of all, or DOMAIN=N,… of each", "N"},
      {"shard", 0, 0, G_OPTION_ARG_FILENAME, &shard,
       "Only part I of N; all parts' JSON Lines, one behind the other, are the whole", "I/N"},
      CLI_JSON_ENTRY(&json),
      {NULL}};
  AppAlignOptions options = {.seed = 1};

  if (!cli_parse(
          &argc, &argv, entries, NULL, NULL,
          "Makes concept alignment data, as LLaVA-Med does: a caption under 30 words answers "
          "a request\nfor a brief description, a longer one a request for a detailed one.",
          "The same seed gives the same bytes on any number of threads.", 0, 0, &status)) {
    return status;
  }
  if (!in || !out) {
    return cli_misused("--in and --out are needed");
  }
  if (threads < 0 || threads > 256) {
    return cli_misused("--threads: found %d, expected 1 to 256", threads);
  }
  if ((seed && !cli_parse_seed(seed, &options.seed)) ||
      (shard && !cli_parse_shard(shard, &options.shard, &options.n_shards))) {
    return CLI_MISUSED;
  }
  options.in = in;
  options.from = from;
  options.out = out;
  options.images = images;
  options.target = target;
  options.n_threads = (guint)threads;
  return run_align(&options, json);
}

/* ---- check --------------------------------------------------------------------------------------
 */

static void
print_check(JsonNode *node)
{
  JsonObject *o = json_node_get_object(node);
  JsonObject *problems = json_object_get_object_member(o, "problems");
  g_autoptr(GList) names = json_object_get_members(problems);

  cli_print_field("records", "%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT " of them with an image",
                  json_object_get_int_member(o, "records"),
                  json_object_get_int_member(o, "with_image"));
  cli_print_field("turns", "%" G_GINT64_FORMAT, json_object_get_int_member(o, "turns"));
  if (!json_object_get_null_member(o, "images")) {
    JsonObject *images = json_object_get_object_member(o, "images");
    cli_print_field("images",
                    "%" G_GINT64_FORMAT "; %" G_GINT64_FORMAT
                    " like another to the byte, %" G_GINT64_FORMAT " nearly like another",
                    json_object_get_int_member(images, "distinct"),
                    json_object_get_int_member(images, "duplicates"),
                    json_object_get_int_member(images, "near_duplicates"));
  }
  if (!json_object_get_null_member(o, "against")) {
    JsonObject *against = json_object_get_object_member(o, "against");
    cli_print_field(
        "shared",
        "with %s: %" G_GINT64_FORMAT " ids, %" G_GINT64_FORMAT " articles, %" G_GINT64_FORMAT
        " images to the byte, %" G_GINT64_FORMAT " nearly",
        cli_text_member(against, "file"), json_object_get_int_member(against, "same_ids"),
        json_object_get_int_member(against, "same_articles"),
        json_object_get_int_member(against, "same_images"),
        json_object_get_int_member(against, "near_images"));
  }
  for (GList *l = names; l; l = l->next) {
    if (json_object_get_int_member(problems, l->data) > 0) {
      cli_print_field(l->data, "%" G_GINT64_FORMAT, json_object_get_int_member(problems, l->data));
    }
  }
  cli_print_field("verdict", "%s",
                  json_object_get_boolean_member(o, "ok") ? "as trainers expect it"
                                                          : "not as trainers expect it");
}

static int
cmd_check(int argc, char **argv)
{
  g_autofree char *images = NULL, *against = NULL, *against_images = NULL, *list = NULL;
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
      {"images", 0, 0, G_OPTION_ARG_FILENAME, &images, "Folder of the pictures: look at them, too",
       "DIR"},
      {"against", 0, 0, G_OPTION_ARG_FILENAME, &against,
       "Another split, which must not share pictures with FILE", "FILE"},
      {"against-images", 0, 0, G_OPTION_ARG_FILENAME, &against_images,
       "Folder of its pictures (default: the same)", "DIR"},
      {"list", 0, 0, G_OPTION_ARG_FILENAME, &list,
       "JSON Lines of what is missing, alike or shared, by name", "FILE"},
      CLI_JSON_ENTRY(&json),
      {NULL}};
  Show show = {.began = g_get_monotonic_time(), .terminal = FALSE};
  const AppDatasetListener listener = {on_problem, on_go_on, &show};
  AppCheckOptions options;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) report = NULL;
  int status;

  if (!cli_parse(
          &argc, &argv, entries, NULL, "FILE",
          "Whether a file is what LLaVA's trainers read, and whether its pictures are there, "
          "alike, or\nshared with another split.",
          "Exit status 1: something is wrong with FILE.", 1, 1, &status)) {
    return status;
  }
  options = (AppCheckOptions){argv[1], images, against, against_images, list};
  cli_catch_interrupt();
  report = app_dataset_check(&options, &listener, &error);
  if (!report) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(report);
  } else {
    print_check(report);
  }
  return cli_finish_output(
      json_object_get_boolean_member(json_node_get_object(report), "ok") ? CLI_DONE : CLI_FAILED);
}

int
cmd_dataset(int argc, char **argv)
{
  static const CliCommand commands[] = {
      {"align", "Pairs to concept alignment data, by the caption-length rule", cmd_align},
      {"check", "Whether a training set is what trainers expect", cmd_check},
      {"stats", "What is in a set, as numbers and as plots", cmd_dataset_stats},
      {"split", "Parts of a set between which nothing leaks", cmd_dataset_split},
      {"balance", "Captions of a general set, concepts balanced", cmd_dataset_balance},
      {"convert", "Lists to pairs, training sets from layout to layout", cmd_dataset_convert},
      {"instruct", "Pairs to conversations of several turns, by way of a teacher",
       cmd_dataset_instruct},
      {NULL}};

  return cli_dispatch("hilum dataset", "Training sets from pairs of picture and caption", commands,
                      argc, argv);
}
