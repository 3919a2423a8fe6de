/* dataset-stats.c - hilum dataset stats: what is in a set. */
#include "dataset-show.h"

#include <string.h>

static void
print_lengths(const char *key, JsonObject *lengths)
{
  if (json_object_get_int_member(lengths, "texts") > 0) {
    cli_print_field(key,
                    "%" G_GINT64_FORMAT " texts; words: mean %.1f, median %" G_GINT64_FORMAT
                    ", 80 %% of %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT "; %.0f %% under 30",
                    json_object_get_int_member(lengths, "texts"),
                    json_object_get_double_member(lengths, "mean_words"),
                    json_object_get_int_member(lengths, "median"),
                    json_object_get_int_member(lengths, "p10"),
                    json_object_get_int_member(lengths, "p90"),
                    100 * json_object_get_double_member(lengths, "under_30"));
  }
}

static void
print_domains(JsonObject *domains)
{
  g_autoptr(GList) names = json_object_get_members(domains);

  for (GList *l = names; l; l = l->next) {
    JsonObject *o = json_object_get_object_member(domains, l->data);
    if (json_object_get_int_member(o, "records") > 0) {
      cli_print_field(l->data, "%" G_GINT64_FORMAT " records, %" G_GINT64_FORMAT " questions",
                      json_object_get_int_member(o, "records"),
                      json_object_get_int_member(o, "questions"));
    }
  }
}

static void
print_verbs(JsonArray *verbs)
{
  for (guint i = 0; i < json_array_get_length(verbs); i++) {
    JsonObject *verb = json_array_get_object_element(verbs, i);
    JsonArray *nouns = json_object_get_array_member(verb, "nouns");
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint k = 0; k < json_array_get_length(nouns); k++) {
      JsonObject *noun = json_array_get_object_element(nouns, k);
      g_string_append_printf(text, "%s%s %" G_GINT64_FORMAT, k ? ", " : ": ",
                             json_object_get_string_member(noun, "noun"),
                             json_object_get_int_member(noun, "count"));
    }
    cli_harmless(text->str);
    cli_print_field(json_object_get_string_member(verb, "verb"), "%" G_GINT64_FORMAT "%s",
                    json_object_get_int_member(verb, "count"), text->str);
  }
}

static void
print_report(JsonNode *node)
{
  JsonObject *o = json_node_get_object(node);

  cli_print_field("records",
                  "%" G_GINT64_FORMAT " (%s), %" G_GINT64_FORMAT " with an image, %" G_GINT64_FORMAT
                  " questions",
                  json_object_get_int_member(o, "records"), cli_text_member(o, "format"),
                  json_object_get_int_member(o, "with_image"),
                  json_object_get_int_member(o, "questions"));
  print_domains(json_object_get_object_member(o, "domains"));
  print_lengths("asked", json_object_get_object_member(o, "asked"));
  print_lengths(json_object_get_int_member(o, "questions") > 0 ? "answered" : "captions",
                json_object_get_object_member(o, "answered"));
  print_verbs(json_object_get_array_member(o, "verbs"));
  cli_print_counts("left out", json_object_get_object_member(o, "dropped"));
}

int
cmd_dataset_stats(int argc, char **argv)
{
  g_autofree char *from = NULL, *svg = NULL;
  int verbs = 20, threads = 0, status;
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
      {"from", 0, 0, G_OPTION_ARG_FILENAME, &from,
       "Kind of list, as hilum dataset convert knows them (default: by what it says)", "KIND"},
      {"svg", 0, 0, G_OPTION_ARG_FILENAME, &svg, "Folder to write plots to", "DIR"},
      {"verbs", 0, 0, G_OPTION_ARG_INT, &verbs, "So many verbs of questions (default: 20)", "N"},
      {"threads", 0, 0, G_OPTION_ARG_INT, &threads, "Threads (default: one per core)", "N"},
      CLI_JSON_ENTRY(&json),
      {NULL}};
  AppStatsOptions options = {0};
  CliShow show;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) report = NULL;

  if (!cli_parse(&argc, &argv, entries, NULL, "FILE",
                 "Counts what is in a training set or a list of captions: kinds of pictures, "
                 "turns, lengths,\nand what verbs and nouns questions have.",
                 NULL, 1, 1, &status)) {
    return status;
  }
  if (threads < 0 || threads > 256 || verbs < 1 || verbs > 1000) {
    return cli_misused("--threads takes 1 to 256, --verbs 1 to 1000");
  }
  options.file = argv[1];
  options.from = from;
  options.svg = svg;
  options.n_verbs = (guint)verbs;
  options.n_threads = (guint)threads;
  report = app_dataset_stats(&options, cli_show_begin(&show), &error);
  return cli_show_end(&show, report, error, json, print_report);
}
