/* cmd-dataset.c - hilum dataset: training sets from pairs of picture and caption. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app_dataset.h"
#include "commands.h"

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int number)
{
  interrupted = 1;
  signal(number, SIG_DFL);
}

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
  return !interrupted;
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

/* "3/8" */
static gboolean
parse_shard(const char *text, AppAlignOptions *options)
{
  g_auto(GStrv) parts = g_strsplit(text, "/", -1);
  guint64 shard, n;

  if (g_strv_length(parts) != 2 ||
      !g_ascii_string_to_unsigned(parts[1], 10, 1, 1000000, &n, NULL) ||
      !g_ascii_string_to_unsigned(parts[0], 10, 1, n, &shard, NULL)) {
    cli_misused("--shard: found \"%s\", expected I/N, such as 1/8", text);
    return FALSE;
  }
  options->shard = (guint)shard;
  options->n_shards = (guint)n;
  return TRUE;
}

static int
run_align(const AppAlignOptions *options, gboolean json)
{
  Show show = {.began = g_get_monotonic_time(), .terminal = isatty(STDERR_FILENO) == 1};
  const AppDatasetListener listener = {on_problem, on_go_on, &show};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) report = NULL;

  signal(SIGINT, on_interrupt);
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
  g_autofree char *in = NULL, *out = NULL, *images = NULL, *seed = NULL, *target = NULL,
                  *shard = NULL;
  int threads = 0, status;
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
      {"in", 'i', 0, G_OPTION_ARG_FILENAME, &in, "Pairs, as hilum pmc figures writes them", "FILE"},
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
  if ((seed && !cli_parse_seed(seed, &options.seed)) || (shard && !parse_shard(shard, &options))) {
    return CLI_MISUSED;
  }
  options.in = in;
  options.out = out;
  options.images = images;
  options.target = target;
  options.n_threads = (guint)threads;
  return run_align(&options, json);
}

int
cmd_dataset(int argc, char **argv)
{
  static const CliCommand commands[] = {
      {"align", "Pairs to concept alignment data, by the caption-length rule", cmd_align}, {NULL}};

  return cli_dispatch("hilum dataset", "Training sets from pairs of picture and caption", commands,
                      argc, argv);
}
