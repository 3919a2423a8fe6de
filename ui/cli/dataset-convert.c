/* dataset-convert.c - hilum dataset convert: lists to pairs, training sets from layout to layout.
 */
#include "app_dataset.h"
#include "dataset-show.h"

static void
print_report(JsonNode *node)
{
  JsonObject *o = json_node_get_object(node);
  JsonObject *dropped = json_object_get_object_member(o, "dropped");

  cli_print_field("written", "%s: %" G_GINT64_FORMAT ", as %s", cli_text_member(o, "out"),
                  json_object_get_int_member(o, "written"), cli_text_member(o, "to"));
  cli_print_field("read", "%s: %" G_GINT64_FORMAT " lines or records, as %s",
                  cli_text_member(o, "in"), json_object_get_int_member(o, "lines"),
                  cli_text_member(o, "from"));
  cli_print_counts("left out", dropped);
}

int
cmd_dataset_convert(int argc, char **argv)
{
  g_autofree char *in = NULL, *out = NULL, *from = NULL, *to = NULL, *split = NULL, *shape = NULL;
  int threads = 0, status;
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
      {"in", 'i', 0, G_OPTION_ARG_FILENAME, &in, "List or training set to read", "FILE"},
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &out, "File to write", "FILE"},
      {"from", 0, 0, G_OPTION_ARG_FILENAME, &from,
       "pairs, pmc15m, image-urls, fig-captions, medicat, roco, cc3m, imagefolder, llava or "
       "scienceqa (default: by what it says)",
       "KIND"},
      {"to", 0, 0, G_OPTION_ARG_FILENAME, &to,
       "pairs, llava, imagefolder or urls (default: llava of training sets, else pairs)", "KIND"},
      {"split", 0, 0, G_OPTION_ARG_FILENAME, &split, "Of ScienceQA: this split alone", "NAME"},
      {"shape", 0, 0, G_OPTION_ARG_FILENAME, &shape,
       "Of ScienceQA: what question and answer are made of (default: QCM-LEA)", "SHAPE"},
      {"threads", 0, 0, G_OPTION_ARG_INT, &threads, "Threads (default: one per core)", "N"},
      CLI_JSON_ENTRY(&json),
      {NULL}};
  CliShow show;
  AppDatasetConvertOptions options;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) report = NULL;

  if (!cli_parse(&argc, &argv, entries, NULL, NULL,
                 "Makes pairs of the lists that people have (BiomedCLIP's of PMC-15M, LLaVA-Med's, "
                 "MedICaT,\nROCO, CC3M), and brings training sets from one layout to another: "
                 "LLaVA's JSON array or lines\n(OUT ends in .jsonl), Hugging Face's folder of "
                 "images, ScienceQA to LLaVA.",
                 "A record that cannot be read is named, counted and left out.", 0, 0, &status)) {
    return status;
  }
  if (!in || !out) {
    return cli_misused("--in and --out are needed");
  }
  if (threads < 0 || threads > 256) {
    return cli_misused("--threads: found %d, expected 1 to 256", threads);
  }
  options = (AppDatasetConvertOptions){in, out, from, to, split, shape, (guint)threads};
  report = app_dataset_convert(&options, cli_show_begin(&show), &error);
  return cli_show_end(&show, report, error, json, print_report);
}
