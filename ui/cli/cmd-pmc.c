/* cmd-pmc.c - hilum pmc: PubMed Central's articles to pairs of a figure and its caption. */
#include <stdio.h>
#include <unistd.h>

#include "app_pmc.h"
#include "commands.h"

typedef struct {
  gint64 shown;
  gboolean terminal;
} Show;

static void
print_line(const char *line, gsize n, gpointer user)
{
  fwrite(line, 1, n, stdout);
  fputc('\n', stdout);
}

static void
on_problem(const char *text, gpointer user)
{
  cli_note("%s", text);
}

static gboolean
on_go_on(guint articles, guint figures, gpointer user)
{
  Show *show = user;
  const gint64 now = g_get_monotonic_time();

  if (show->terminal && now - show->shown > 200000) {
    fprintf(stderr, "\r%u articles, %u figures ", articles, figures);
    show->shown = now;
  }
  return !cli_is_interrupted();
}

static void
print_report(JsonNode *node)
{
  JsonObject *o = json_node_get_object(node);

  fprintf(stderr,
          "%d figures of %d articles in %.1f s; %d articles failed, %d figures have no caption\n",
          (int)json_object_get_int_member(o, "figures"),
          (int)json_object_get_int_member(o, "articles"),
          json_object_get_double_member(o, "seconds"), (int)json_object_get_int_member(o, "failed"),
          (int)json_object_get_int_member(o, "without_caption"));
  if (json_object_get_int_member(o, "images") + json_object_get_int_member(o, "images_missing") >
      0) {
    fprintf(stderr, "%d images written, %d not found in their packages\n",
            (int)json_object_get_int_member(o, "images"),
            (int)json_object_get_int_member(o, "images_missing"));
  }
}

static int
cmd_figures(int argc, char **argv)
{
  g_autofree char *out = NULL, *images = NULL;
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &out,
       "File of JSON Lines to write (default: standard output)", "FILE"},
      {"images", 0, 0, G_OPTION_ARG_FILENAME, &images,
       "Folder to put the images of packages in, named by their pair_id", "DIR"},
      CLI_JSON_ENTRY(&json),
      {NULL}};
  Show show = {.terminal = isatty(STDERR_FILENO) == 1};
  AppPmcListener listener = {print_line, on_problem, on_go_on, &show};
  AppPmcOptions options;
  g_autoptr(JsonNode) report = NULL;
  g_autoptr(GError) error = NULL;
  int status;

  if (!cli_parse(
          &argc, &argv, entries, NULL, "PATH…",
          "Reads articles (JATS XML), packages as PubMed Central publishes them (.tar.gz), and\n"
          "folders of both, and writes one line of JSON for each figure: caption, the\n"
          "sentences that cite it, image, licence.",
          "An article that cannot be read is named and left out.", 1, 100000, &status)) {
    return status;
  }
  if (json && !out) {
    return cli_misused("--json reports beside a file: it needs --out");
  }
  options = (AppPmcOptions){(const char *const *)argv + 1, out, images};
  cli_catch_interrupt();
  report = app_pmc_figures(&options, &listener, &error);
  if (show.terminal && show.shown > 0) {
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

int
cmd_pmc(int argc, char **argv)
{
  static const CliCommand commands[] = {
      {"figures", "Figures of PubMed Central's articles, as JSON Lines", cmd_figures},
      {"select", "Single-panel figures of the five kinds", cmd_pmc_select},
      {NULL}};

  return cli_dispatch("hilum pmc", "PubMed Central's articles to pairs of figure and caption",
                      commands, argc, argv);
}
