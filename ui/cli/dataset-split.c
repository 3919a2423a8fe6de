/* dataset-split.c - hilum dataset split and balance: parts of sets. */
#include "dataset-show.h"

static void
print_split(JsonNode *node)
{
  JsonObject *o = json_node_get_object(node);
  JsonArray *parts = json_object_get_array_member(o, "parts");

  for (guint i = 0; i < json_array_get_length(parts); i++) {
    JsonObject *part = json_array_get_object_element(parts, i);
    JsonArray *files = json_object_get_array_member(part, "files");

    cli_print_field(json_object_get_string_member(part, "name"),
                    "%" G_GINT64_FORMAT " records, %u files from %s",
                    json_object_get_int_member(part, "records"), json_array_get_length(files),
                    json_array_get_string_element(files, 0));
  }
  cli_print_counts("left out", json_object_get_object_member(o, "dropped"));
}

int
cmd_dataset_split(int argc, char **argv)
{
  g_autofree char *out = NULL, *parts = NULL, *group = NULL, *seed = NULL;
  int shards = 1, threads = 0, status;
  gboolean json = FALSE, array = FALSE;
  const GOptionEntry entries[] = {
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &out, "Folder to write the parts to", "DIR"},
      {"parts", 0, 0, G_OPTION_ARG_FILENAME, &parts,
       "Names and shares (default: train=0.8,val=0.1,test=0.1)", "LIST"},
      {"group", 0, 0, G_OPTION_ARG_FILENAME, &group,
       "What is not torn apart: article, image, id, a member such as patient_id, or auto "
       "(default): the article, else the image, else the id",
       "BY"},
      {"seed", 0, 0, G_OPTION_ARG_FILENAME, &seed, "Seed (default: 1)", "N"},
      {"shards", 0, 0, G_OPTION_ARG_INT, &shards, "Files of each part (default: 1)", "N"},
      {"array", 0, 0, G_OPTION_ARG_NONE, &array, "JSON arrays instead of JSON Lines", NULL},
      {"threads", 0, 0, G_OPTION_ARG_INT, &threads, "Threads (default: one per core)", "N"},
      CLI_JSON_ENTRY(&json),
      {NULL}};
  AppSplitOptions options = {.seed = 1};
  CliShow show;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) report = NULL;

  if (!cli_parse(&argc, &argv, entries, NULL, "FILE",
                 "Splits pairs or a training set by chance, so that what belongs together stays "
                 "together:\nfigures of an article, questions of a picture, pictures of a patient.",
                 "The same seed gives the same files. hilum dataset check --against looks for what "
                 "still leaks.",
                 1, 1, &status)) {
    return status;
  }
  if (!out) {
    return cli_misused("--out is needed");
  }
  if (threads < 0 || threads > 256 || shards < 1 || shards > 128) {
    return cli_misused("--threads takes 1 to 256, --shards 1 to 128");
  }
  if (seed && !cli_parse_seed(seed, &options.seed)) {
    return CLI_MISUSED;
  }
  options.file = argv[1];
  options.out = out;
  options.parts = parts;
  options.group = group;
  options.n_shards = (guint)shards;
  options.array = array;
  options.n_threads = (guint)threads;
  report = app_dataset_split(&options, cli_show_begin(&show), &error);
  return cli_show_end(&show, report, error, json, print_split);
}

/* ---- balance -----------------------------------------------------------------------------------
 */

static void
print_balance(JsonNode *node)
{
  JsonObject *o = json_node_get_object(node);
  JsonObject *phrases = json_object_get_object_member(o, "phrases");

  cli_print_field("chosen", "%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " captions, to %s",
                  json_object_get_int_member(o, "chosen"),
                  json_object_get_int_member(o, "captions"), cli_text_member(o, "out"));
  cli_print_field("phrases",
                  "%" G_GINT64_FORMAT "; %" G_GINT64_FORMAT " too rare, %" G_GINT64_FORMAT
                  " with more captions than wanted",
                  json_object_get_int_member(phrases, "all"),
                  json_object_get_int_member(phrases, "too_rare"),
                  json_object_get_int_member(phrases, "drawn_from"));
  cli_print_counts("left out", json_object_get_object_member(o, "dropped"));
}

int
cmd_dataset_balance(int argc, char **argv)
{
  g_autofree char *in = NULL, *from = NULL, *out = NULL, *seed = NULL;
  int least = 3, most = 100, threads = 0, status;
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
      {"in", 'i', 0, G_OPTION_ARG_FILENAME, &in, "Captions: CC3M's table, or any list of pairs",
       "FILE"},
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &out, "JSON Lines of those chosen", "FILE"},
      {"from", 0, 0, G_OPTION_ARG_FILENAME, &from,
       "Kind of list, as hilum dataset convert knows them (default: by what it says)", "KIND"},
      {"least", 0, 0, G_OPTION_ARG_INT, &least,
       "Phrases that fewer captions have do not count (default: 3)", "N"},
      {"most", 0, 0, G_OPTION_ARG_INT, &most, "At most so many captions a phrase (default: 100)",
       "N"},
      {"seed", 0, 0, G_OPTION_ARG_FILENAME, &seed, "Seed (default: 1)", "N"},
      {"threads", 0, 0, G_OPTION_ARG_INT, &threads, "Threads (default: one per core)", "N"},
      CLI_JSON_ENTRY(&json),
      {NULL}};
  AppBalanceOptions options = {.seed = 1};
  CliShow show;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) report = NULL;

  if (!cli_parse(&argc, &argv, entries, NULL, NULL,
                 "Chooses captions of a general set as LLaVA chose 595 thousand of CC3M's: by "
                 "noun phrases,\nwithout the rarest, and with so many of each of the frequent.",
                 NULL, 0, 0, &status)) {
    return status;
  }
  if (!in || !out) {
    return cli_misused("--in and --out are needed");
  }
  if (threads < 0 || threads > 256 || least < 1 || least > 1000000 || most < 1 || most > 1000000) {
    return cli_misused("--threads takes 1 to 256, --least and --most 1 to 1000000");
  }
  if (seed && !cli_parse_seed(seed, &options.seed)) {
    return CLI_MISUSED;
  }
  options.in = in;
  options.from = from;
  options.out = out;
  options.least = (guint)least;
  options.most = (guint)most;
  options.n_threads = (guint)threads;
  report = app_dataset_balance(&options, cli_show_begin(&show), &error);
  return cli_show_end(&show, report, error, json, print_balance);
}
