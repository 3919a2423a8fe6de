/* pmc-select.c - hilum pmc select: single-panel figures of the five kinds. */
#include "app_pmc.h"
#include "dataset-show.h"

static void
print_report(JsonNode *node)
{
  JsonObject *o = json_node_get_object(node);

  cli_print_field("selected", "%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT ", to %s",
                  json_object_get_int_member(o, "selected"), json_object_get_int_member(o, "lines"),
                  cli_text_member(o, "out"));
  cli_print_counts("kinds", json_object_get_object_member(o, "domains"));
  cli_print_counts("verdicts", json_object_get_object_member(o, "verdicts"));
  cli_print_field("not pairs", "%" G_GINT64_FORMAT " malformed, %" G_GINT64_FORMAT " without id",
                  json_object_get_int_member(o, "malformed"),
                  json_object_get_int_member(o, "no_id"));
  if (!json_object_get_null_member(o, "tower")) {
    JsonObject *tower = json_object_get_object_member(o, "tower");
    if (json_object_get_null_member(tower, "examples")) {
      cli_print_field("tower", "%" G_GINT64_FORMAT " classes, by %" G_GINT64_FORMAT " prompts",
                      json_object_get_int_member(tower, "classes"),
                      json_object_get_int_member(tower, "prompts"));
    } else {
      cli_print_field("tower", "%" G_GINT64_FORMAT " examples, of which the others tell %.0f %%",
                      json_object_get_int_member(tower, "examples"),
                      100 * json_object_get_double_member(tower, "left_out_accuracy"));
    }
  }
}

int
cmd_pmc_select(int argc, char **argv)
{
  g_autofree char *in = NULL, *out = NULL, *from = NULL, *decisions = NULL, *images = NULL,
                  *domains = NULL, *examples = NULL, *tower = NULL, *vision = NULL, *shard = NULL;
  double least = 0.5;
  int threads = 0, status;
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
      {"in", 'i', 0, G_OPTION_ARG_FILENAME, &in,
       "Pairs, as hilum pmc figures writes them, or a list of another kind", "FILE"},
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &out, "JSON Lines of those selected", "FILE"},
      {"from", 0, 0, G_OPTION_ARG_FILENAME, &from,
       "Kind of list, as hilum dataset convert knows them (default: by what it says)", "KIND"},
      {"decisions", 0, 0, G_OPTION_ARG_FILENAME, &decisions,
       "JSON Lines of what was decided of each, and why", "FILE"},
      {"images", 0, 0, G_OPTION_ARG_FILENAME, &images,
       "Look at the pictures in this folder, too: panels, letters, colours", "DIR"},
      {"domains", 0, 0, G_OPTION_ARG_FILENAME, &domains,
       "Some of chest_xray, mri, histology, gross, ct_scan (default: all)", "LIST"},
      {"score", 0, 0, G_OPTION_ARG_DOUBLE, &least, "Score that is enough, 0 to 1 (default: 0.5)",
       "X"},
      {"examples", 0, 0, G_OPTION_ARG_FILENAME, &examples,
       "Compare with examples: folders of pictures called as the domains, and \"none\"", "DIR"},
      {"tower", 0, 0, G_OPTION_ARG_FILENAME, &tower,
       "Let a vision tower look: BiomedCLIP or CLIP, by prompts; a model's, by --examples", "PATH"},
      {"vision-tower", 0, 0, G_OPTION_ARG_FILENAME, &vision,
       "CLIP checkpoint in the place of a model's tower", "DIR"},
      {"threads", 0, 0, G_OPTION_ARG_INT, &threads, "Threads (default: one per core)", "N"},
      {"shard", 0, 0, G_OPTION_ARG_FILENAME, &shard,
       "Only part I of N; all parts, one behind the other, are the whole", "I/N"},
      CLI_JSON_ENTRY(&json),
      {NULL}};
  AppPmcSelectOptions options = {0};
  CliShow show;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) report = NULL;

  if (!cli_parse(&argc, &argv, entries, NULL, NULL,
                 "Selects single-panel figures of LLaVA-Med's five kinds by the words of their "
                 "captions, by what\ncan be seen in the pictures, and by what a vision tower "
                 "says of them.",
                 "How often it is right: tests/bench/select.md.", 0, 0, &status)) {
    return status;
  }
  if (!in || !out) {
    return cli_misused("--in and --out are needed");
  }
  if (threads < 0 || threads > 256) {
    return cli_misused("--threads: found %d, expected 1 to 256", threads);
  }
  if (!(least > 0 && least <= 1)) {
    return cli_misused("--score: found %g, expected a number above 0, at most 1", least);
  }
  if (shard && !cli_parse_shard(shard, &options.shard, &options.n_shards)) {
    return CLI_MISUSED;
  }
  options.in = in;
  options.out = out;
  options.from = from;
  options.decisions = decisions;
  options.images = images;
  options.domains = domains;
  options.least = least;
  options.examples = examples;
  options.tower = tower;
  options.vision_tower = vision;
  options.n_threads = (guint)threads;
  report = app_pmc_select(&options, cli_show_begin(&show), &error);
  return cli_show_end(&show, report, error, json, print_report);
}
