/* test-lists.c - the lists that people have become pairs; training sets change their layout. */
#include <string.h>

#include <json-glib/json-glib.h>

#include "dataset.h"

typedef struct {
  DataLayout layout;
  GByteArray *out;
  DataCounts counts;
  GArray *problems;
  GPtrArray *nodes; /* of JsonNode *, a line each */
} Read;

static void
read_clear(Read *read)
{
  data_layout_clear(&read->layout);
  g_clear_pointer(&read->out, g_byte_array_unref);
  g_clear_pointer(&read->problems, g_array_unref);
  g_clear_pointer(&read->nodes, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Read, read_clear)

/* TEXT as lines, unwrapped STEP bytes at a time where it is one value. */
static char *
lines_of(const DataLayout *layout, const char *text, gsize n, gsize step)
{
  g_autoptr(DataUnwrap) unwrap = data_unwrap_new();
  g_autoptr(GByteArray) out = g_byte_array_new();
  g_autoptr(GArray) lines = g_array_new(FALSE, FALSE, sizeof(guint64));

  if (!layout->container) {
    return g_strndup(text, n);
  }
  for (gsize at = 0; at < n; at += step) {
    data_unwrap(unwrap, text + at, MIN(step, n - at), out, lines);
  }
  return g_strndup((const char *)out->data, out->len);
}

static void
convert(Read *read, const char *text, DataFormat to, gsize step)
{
  const DataConvert how = {.to = to};
  g_autofree char *lines = NULL, *out = NULL;
  g_auto(GStrv) split = NULL;

  g_assert_true(data_layout_find(&read->layout, DATA_N_FORMATS, text, strlen(text)));
  read->out = g_byte_array_new();
  read->problems = g_array_new(FALSE, FALSE, sizeof(DataProblem));
  g_array_set_clear_func(read->problems, data_problem_clear);
  read->nodes = g_ptr_array_new_with_free_func((GDestroyNotify)json_node_unref);
  lines = lines_of(&read->layout, text, strlen(text), step);
  data_convert(&how, &read->layout, lines, strlen(lines), read->out, &read->counts, read->problems);
  out = g_strndup((const char *)read->out->data, read->out->len);
  split = g_strsplit(out, "\n", -1);
  for (guint i = 0; split[i] && *split[i]; i++) {
    g_autoptr(GError) error = NULL;
    g_ptr_array_add(read->nodes, json_from_string(split[i], &error));
    g_assert_no_error(error);
  }
  g_assert_cmpuint(read->nodes->len, ==, read->counts.written);
}

static const char *
text_of(const Read *read, guint i, const char *member)
{
  JsonObject *o = json_node_get_object(read->nodes->pdata[i]);

  return json_object_has_member(o, member) ? json_object_get_string_member(o, member) : NULL;
}

static void
assert_mention(const Read *read, guint i, guint k, const char *text)
{
  JsonArray *all =
      json_object_get_array_member(json_node_get_object(read->nodes->pdata[i]), "in_text_mention");
  g_assert_cmpstr(json_array_get_string_element(all, k), ==, text);
}

static void
assert_problem(const Read *read, guint i, guint64 line, const char *text)
{
  const DataProblem *problem = &g_array_index(read->problems, DataProblem, i);

  g_assert_cmpuint(i, <, read->problems->len);
  g_assert_cmpuint(problem->line, ==, line);
  g_assert_cmpstr(problem->text, ==, text);
}

/* ---- each list ---------------------------------------------------------------------------------
 */

static void
test_pmc15m(void)
{
  g_auto(Read) read = {0};

  convert(&read,
          "{\"pmid\": \"11\", \"pmc\": \"22\", \"location\": \"a/b\", \"figures\": ["
          "{\"fig_caption\": \"One.\", \"fig_id\": \"F1\", \"fig_label\": \"Figure 1\", "
          "\"graphic_ref\": \"a/b/g1.jpg\", \"pair_id\": \"11_F1\", \"inline_references\": "
          "[{\"text\": \"See it.\", \"section\": \"x\"}]}, "
          "{\"fig_caption\": \"Two.\", \"fig_id\": \"F2\", \"graphic_ref\": \"\", \"pair_id\": "
          "\"11_F2\"}, {\"fig_caption\": \"No id\"}]}\n"
          "{\"pmid\": \"12\", \"pmc\": \"23\", \"figures\": {}}\n"
          "{\"pmid\": \"13\", \"pmc\": \"24\", \"figures\": []}\n",
          DATA_FORMAT_PAIRS, 1);
  g_assert_cmpint(read.layout.format, ==, DATA_FORMAT_PMC15M);
  g_assert_cmpuint(read.counts.written, ==, 2);
  g_assert_cmpstr(text_of(&read, 0, "pair_id"), ==, "11_F1");
  g_assert_cmpstr(text_of(&read, 0, "image_file"), ==, "g1.jpg");
  g_assert_cmpstr(text_of(&read, 0, "pmcid"), ==, "22");
  assert_mention(&read, 0, 0, "See it.");
  g_assert_cmpstr(text_of(&read, 1, "fig_caption"), ==, "Two.");
  g_assert_cmpstr(text_of(&read, 1, "image_file"), ==, NULL);
  g_assert_cmpuint(read.counts.dropped[DATA_DROPPED_NO_ID], ==, 1);
  g_assert_cmpuint(read.problems->len, ==, 1);
  assert_problem(&read, 0, 1, "figures: found an object, expected an array");
}

static void
test_image_urls(void)
{
  g_auto(Read) read = {0};

  convert(&read,
          "{\"pair_id\": \"1_F1\", \"pmc_tar_url\": \"https://x/PMC1.tar.gz\", "
          "\"image_file_path\": \"PMC1/g.jpg\"}\n{\"pair_id\": \"2_F1\", \"pmc_tar_url\": [], "
          "\"image_file_path\": \"y\"}\n",
          DATA_FORMAT_PAIRS, 1);
  g_assert_cmpint(read.layout.format, ==, DATA_FORMAT_IMAGE_URLS);
  g_assert_cmpstr(text_of(&read, 0, "pmc_tar_url"), ==, "https://x/PMC1.tar.gz");
  g_assert_cmpstr(text_of(&read, 0, "image_file"), ==, "PMC1/g.jpg");
  assert_problem(&read, 0, 1, "pmc_tar_url: found an array, expected a string");
}

static const char fig_captions[] =
    "{\n \"ct_scan\": [\n  {\"pair_id\": \"1_F1\", \"pmid\": 1, \"fig_caption\": \"A\\nb.\",\n"
    "   \"in_text_mention\": null, \"domain\": {\"ct_scan\": true, \"mri\": false}},\n"
    "  {\"pair_id\": \"2_F1\", \"fig_caption\": \"C ] } {\", \"in_text_mention\": [\"S1\", "
    "\"S2\"]}],\n \"mri\": [{\"pair_id\": \"3_F1\", \"fig_caption\": \"D\", \"in_text_mention\": "
    "[{\"tokens\": [\"as\", \"in\", \"Fig\"], \"entities\": [{\"type\": \"x\"}]}]},\n"
    "  {\"pair_id\": 4, \"fig_caption\": \"E\"},\n"
    "  {\"pair_id\": \"5\", \"fig_caption\": \"E\", \"in_text_mention\": \"F\"}, 7, {}]\n}\n";

static void
test_fig_captions(void)
{
  g_auto(Read) read = {0};

  convert(&read, fig_captions, DATA_FORMAT_PAIRS, 1);
  g_assert_cmpint(read.layout.format, ==, DATA_FORMAT_FIG_CAPTIONS);
  g_assert_true(read.layout.container);
  g_assert_cmpuint(read.counts.written, ==, 3);
  g_assert_cmpstr(text_of(&read, 0, "fig_caption"), ==, "A\nb.");
  g_assert_cmpstr(text_of(&read, 0, "domain"), ==, "ct_scan");
  g_assert_cmpstr(text_of(&read, 0, "pmid"), ==, "1");
  g_assert_cmpstr(text_of(&read, 1, "fig_caption"), ==, "C ] } {");
  g_assert_cmpstr(text_of(&read, 1, "domain"), ==, "ct_scan");
  assert_mention(&read, 1, 1, "S2");
  assert_mention(&read, 2, 0, "as in Fig");
  g_assert_cmpstr(text_of(&read, 2, "domain"), ==, "mri");
  g_assert_cmpuint(read.counts.dropped[DATA_DROPPED_MALFORMED], ==, 3);
  g_assert_cmpuint(read.counts.dropped[DATA_DROPPED_NO_ID], ==, 1);
  assert_problem(&read, 0, 3, "pair_id: found a number, expected a string");
  assert_problem(&read, 1, 4,
                 "in_text_mention: found a string, expected an array of sentences or null");
}

/* Whatever the pieces it comes in: the same lines, and where each began. */
static void
test_unwrap(void)
{
  static const guint64 began[] = {2, 4, 5, 6, 7, 7, 7};
  g_autofree char *expected = NULL;
  const DataLayout layout = {.container = TRUE};

  for (gsize step = 1; step < 90; step += 11) {
    g_autofree char *lines = lines_of(&layout, fig_captions, strlen(fig_captions), step);
    if (!expected) {
      expected = g_steal_pointer(&lines);
    } else {
      g_assert_cmpstr(lines, ==, expected);
    }
  }
  for (gsize n = 0; n <= strlen(fig_captions); n++) {
    g_autoptr(DataUnwrap) unwrap = data_unwrap_new();
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autoptr(GArray) lines = g_array_new(FALSE, FALSE, sizeof(guint64));
    guint64 line;

    data_unwrap(unwrap, fig_captions, n, out, lines);
    g_assert_true(data_unwrap_end(unwrap, &line) == (n >= strlen(fig_captions) - 1));
    g_assert_cmpmem(out->data, out->len, expected, out->len);
    g_assert_cmpuint(lines->len, <=, G_N_ELEMENTS(began));
    g_assert_cmpmem(lines->data, lines->len * sizeof *began, began, lines->len * sizeof *began);
  }
}

static void
test_medicat(void)
{
  g_auto(Read) read = {0};

  convert(&read,
          "{\"pdf_hash\": \"ab\", \"fig_key\": \"Figure4\", \"fig_uri\": \"3-Figure4-1.png\", "
          "\"s2_caption\": \"Figure 4. A scan.\", \"s2orc_caption\": null, \"s2orc_references\": "
          "[\"Seen (Figure 4).\"], \"radiology\": true, \"oa_info\": {\"oa\": {\"license\": "
          "\"cc-by\"}}}\n"
          "{\"pdf_hash\": \"ab\", \"fig_uri\": \"1-Figure1-1.png\", \"s2_caption\": null, "
          "\"s2orc_caption\": \"Fig 1B: Other\", \"s2orc_references\": null, \"oa_info\": null}\n"
          "{\"pdf_hash\": \"ab\", \"fig_uri\": \"1-Figure2-1.png\", \"s2_caption\": \"Figure 2\"}\n"
          "{\"pdf_hash\": true, \"fig_uri\": \"1-Figure3-1.png\", \"s2_caption\": \"x\"}\n",
          DATA_FORMAT_PAIRS, 1);
  g_assert_cmpint(read.layout.format, ==, DATA_FORMAT_MEDICAT);
  g_assert_cmpuint(read.counts.written, ==, 2);
  g_assert_cmpstr(text_of(&read, 0, "pair_id"), ==, "ab_3-Figure4-1");
  g_assert_cmpstr(text_of(&read, 0, "image"), ==, "ab_3-Figure4-1.png");
  g_assert_cmpstr(text_of(&read, 0, "fig_caption"), ==, "A scan.");
  g_assert_cmpstr(text_of(&read, 0, "fig_label"), ==, "Figure4");
  g_assert_cmpstr(text_of(&read, 0, "licence"), ==, "cc-by");
  assert_mention(&read, 0, 0, "Seen (Figure 4).");
  g_assert_cmpstr(text_of(&read, 1, "fig_caption"), ==, "Other");
  g_assert_cmpuint(read.counts.dropped[DATA_DROPPED_NO_CAPTION], ==, 1);
  assert_problem(&read, 0, 3, "pdf_hash: found true or false, expected a string");
}

static void
test_tables(void)
{
  g_auto(Read) plain = {0}, named = {0}, commas = {0}, general = {0};

  convert(&plain, "ROCO_1\tA \"small\" scan\r\nROCO_2\n\nROCO_3\t\n\tx\nROCO_4\tB\xff\n",
          DATA_FORMAT_PAIRS, 1);
  g_assert_cmpint(plain.layout.format, ==, DATA_FORMAT_ROCO);
  g_assert_cmpuint(plain.counts.written, ==, 1);
  g_assert_cmpstr(text_of(&plain, 0, "fig_caption"), ==, "A \"small\" scan");
  assert_problem(&plain, 0, 1, "found 1 columns, expected 2 or more");
  assert_problem(&plain, 1, 5, "bytes that are no UTF-8");
  g_assert_cmpuint(plain.counts.dropped[DATA_DROPPED_NO_CAPTION], ==, 1);
  g_assert_cmpuint(plain.counts.dropped[DATA_DROPPED_NO_ID], ==, 1);

  convert(&named, "roco_id\tsplit\tpmc_file\tcaption\nR1\ttest\tPMC77_g1.jpg\tCap\n",
          DATA_FORMAT_PAIRS, 1);
  g_assert_cmpuint(named.counts.written, ==, 1);
  g_assert_cmpstr(text_of(&named, 0, "pmcid"), ==, "77");
  g_assert_cmpstr(text_of(&named, 0, "image_file"), ==, "PMC77_g1.jpg");

  convert(&commas, "\xef\xbb\xbfid,name,caption\nR1,PMC78_g.jpg,\"One, \"\"two\"\", three.\"\n",
          DATA_FORMAT_PAIRS, 1);
  g_assert_cmpint(commas.layout.format, ==, DATA_FORMAT_ROCO);
  g_assert_cmpstr(text_of(&commas, 0, "fig_caption"), ==, "One, \"two\", three.");
  g_assert_cmpstr(text_of(&commas, 0, "image"), ==, "PMC78_g.jpg");
  g_assert_cmpstr(text_of(&commas, 0, "pmcid"), ==, "78");

  convert(&general, "a donut\thttp://x/1.jpg\nanother\thttp://x/2.jpg\n", DATA_FORMAT_PAIRS, 1);
  g_assert_cmpint(general.layout.format, ==, DATA_FORMAT_CC3M);
  g_assert_cmpuint(general.counts.written, ==, 2);
  g_assert_cmpuint(strlen(text_of(&general, 0, "pair_id")), ==, 16);
  g_assert_cmpstr(text_of(&general, 0, "pair_id"), !=, text_of(&general, 1, "pair_id"));
  g_assert_cmpstr(text_of(&general, 1, "image_url"), ==, "http://x/2.jpg");
}

/* Two megabytes of caption go through as they are. */
static void
test_long(void)
{
  g_autofree char *caption = g_strnfill(2u << 20, 'x');
  g_autofree char *line =
      g_strdup_printf("{\"pair_id\": \"1\", \"fig_caption\": \"%s\"}\n", caption);
  g_auto(Read) read = {0};

  convert(&read, line, DATA_FORMAT_PAIRS, 1);
  g_assert_cmpuint(strlen(text_of(&read, 0, "fig_caption")), ==, 2u << 20);
}

static void
test_unknown(void)
{
  static const char *const texts[] = {"",           "  \n", "plain words\n", "1",
                                      "{\"x\": 1}", "[]",   "a,b\n"};

  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_auto(Read) read = {0};
    g_test_message("%s", texts[i]);
    g_assert_false(data_layout_find(&read.layout, DATA_N_FORMATS, texts[i], strlen(texts[i])));
  }
}

/* ---- training sets -----------------------------------------------------------------------------
 */

/* LLaVA's layout to a folder of images and back is what it was, misspelt members aside. */
static void
test_round_trip(void)
{
  static const char text[] =
      "[{\"id\": \"1\", \"image\": \"1.jpg\", \"domain\": {\"mri\": true}, \"conversatons\": "
      "[{\"from\": \"human\", \"value\": \"<image>\\nWhat?\"}, {\"from\": \"gpt\", \"value\": "
      "\"It.\"}], \"answer_type\": \"OPEN\"},\n"
      "{\"id\": \"2\", \"conversations\": []}, {\"id\": \"3\"}, {\"id\": \"4\", \"image\": 4, "
      "\"conversations\": []}]";
  g_auto(Read) folder = {0}, back = {0};
  g_autofree char *lines = NULL;

  convert(&folder, text, DATA_FORMAT_IMAGEFOLDER, 1);
  g_assert_cmpint(folder.layout.format, ==, DATA_FORMAT_LLAVA);
  g_assert_cmpuint(folder.counts.written, ==, 1);
  g_assert_cmpuint(folder.counts.dropped[DATA_DROPPED_NO_IMAGE], ==, 1);
  g_assert_cmpuint(folder.counts.dropped[DATA_DROPPED_NO_CAPTION], ==, 1);
  assert_problem(&folder, 0, 3, "image: found a number, expected a string");
  g_assert_cmpstr(text_of(&folder, 0, "file_name"), ==, "1.jpg");
  lines = g_strndup((const char *)folder.out->data, folder.out->len);
  convert(&back, lines, DATA_FORMAT_LLAVA, 1);
  g_assert_cmpint(back.layout.format, ==, DATA_FORMAT_IMAGEFOLDER);
  g_assert_cmpmem(back.out->data, back.out->len,
                  "{\"image\": \"1.jpg\", \"id\": \"1\", \"domain\": {\"mri\": true}, "
                  "\"conversations\": [{\"from\": \"human\", \"value\": \"<image>\\nWhat?\"}, "
                  "{\"from\": \"gpt\", \"value\": \"It.\"}], \"answer_type\": \"OPEN\"}\n",
                  back.out->len);
}

static void
test_pairs_to_folder(void)
{
  g_auto(Read) folder = {0}, back = {0};
  g_autofree char *lines = NULL;

  convert(&folder,
          "{\"pair_id\": \"1_F1\", \"fig_caption\": \"A \\u00e9 cap\", \"domain\": \"mri\", "
          "\"in_text_mention\": [null, \"\", {\"x\": 1}]}\n"
          "{\"pair_id\": \"2_F1\", \"fig_caption\": \"B\", \"image\": \"x.png\"}\n",
          DATA_FORMAT_IMAGEFOLDER, 1);
  g_assert_cmpstr(text_of(&folder, 0, "file_name"), ==, "1_F1.jpg");
  g_assert_cmpstr(text_of(&folder, 0, "text"), ==, "A \xc3\xa9 cap");
  g_assert_cmpstr(text_of(&folder, 1, "file_name"), ==, "x.png");
  g_assert_true(
      json_object_get_null_member(json_node_get_object(folder.nodes->pdata[0]), "in_text_mention"));
  lines = g_strndup((const char *)folder.out->data, folder.out->len);
  convert(&back, lines, DATA_FORMAT_PAIRS, 1);
  g_assert_cmpstr(text_of(&back, 0, "pair_id"), ==, "1_F1");
  g_assert_cmpstr(text_of(&back, 0, "fig_caption"), ==, "A \xc3\xa9 cap");
  g_assert_cmpstr(text_of(&back, 0, "domain"), ==, "mri");
}

static const char problems_json[] =
    "{\n\"1\": {\"question\": \"Which?\", \"choices\": [\"one\", \"the  other\"], \"answer\": 1,\n"
    "\"hint\": \"\", \"image\": \"image.png\", \"split\": \"train\", \"lecture\": \"L\\nm\", "
    "\"solution\": \"So Answer: it.\"},\n\"2\": {\"question\": \"Q\", \"choices\": [\"a\"], "
    "\"answer\": 0, \"hint\": \"H\", \"image\": null, \"split\": \"test\", \"lecture\": \"\", "
    "\"solution\": \"\"},\n\"3\": {\"question\": \"Q\", \"choices\": [\"a\"], \"answer\": 3}}";

static void
scienceqa(const char *shape, const char *split, GPtrArray *nodes)
{
  const DataConvert how = {.to = DATA_FORMAT_LLAVA, .shape = shape, .split = split};
  g_autoptr(GByteArray) out = g_byte_array_new();
  DataLayout layout;
  DataCounts counts = {0};
  g_autofree char *lines = NULL, *text = NULL;
  g_auto(GStrv) split_lines = NULL;

  g_assert_true(data_layout_find(&layout, DATA_N_FORMATS, problems_json, strlen(problems_json)));
  g_assert_cmpint(layout.format, ==, DATA_FORMAT_SCIENCEQA);
  lines = lines_of(&layout, problems_json, strlen(problems_json), 7);
  data_convert(&how, &layout, lines, strlen(lines), out, &counts, NULL);
  g_assert_cmpuint(counts.written, ==, split ? 1 : 2);
  g_assert_cmpuint(counts.dropped[DATA_DROPPED_MALFORMED], ==, split ? 0 : 1);
  text = g_strndup((const char *)out->data, out->len);
  split_lines = g_strsplit(text, "\n", -1);
  for (guint i = 0; *split_lines[i]; i++) {
    g_ptr_array_add(nodes, json_from_string(split_lines[i], NULL));
  }
}

static const char *
said(JsonNode *node, guint turn)
{
  JsonArray *turns = json_object_get_array_member(json_node_get_object(node), "conversations");
  return json_object_get_string_member(json_array_get_object_element(turns, turn), "value");
}

/* As LLaVA's own script puts them together. */
static void
test_scienceqa(void)
{
  g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)json_node_unref);
  g_autoptr(GPtrArray) plan = g_ptr_array_new_with_free_func((GDestroyNotify)json_node_unref);
  JsonObject *o;

  scienceqa(NULL, NULL, all);
  o = json_node_get_object(all->pdata[0]);
  g_assert_cmpstr(json_object_get_string_member(o, "id"), ==, "1");
  g_assert_cmpstr(json_object_get_string_member(o, "image"), ==, "1/image.png");
  g_assert_cmpstr(said(all->pdata[0], 0), ==,
                  "Which?\nContext: N/A\nOptions: (A) one (B) the other\n<image>");
  g_assert_cmpstr(said(all->pdata[0], 1), ==, "L\nm So it. The answer is B.");
  g_assert_false(json_object_has_member(json_node_get_object(all->pdata[1]), "image"));
  g_assert_cmpstr(said(all->pdata[1], 0), ==, "Q\nContext: H\nOptions: (A) a");
  g_assert_cmpstr(said(all->pdata[1], 1), ==, " The answer is A.");
  scienceqa("CQM-LEPA", "train", plan);
  g_assert_cmpstr(said(plan->pdata[0], 0), ==,
                  "Context: N/A\nQuestion: Which?\nOptions: (A) one (B) the other\n<image>");
  g_assert_cmpstr(said(plan->pdata[0], 1), ==,
                  "LECTURE: L\nm\nSOLUTION: So Answer: it.\n###\nANSWER: B.");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/lists/pmc15m", test_pmc15m);
  g_test_add_func("/lists/image-urls", test_image_urls);
  g_test_add_func("/lists/fig-captions", test_fig_captions);
  g_test_add_func("/lists/unwrap", test_unwrap);
  g_test_add_func("/lists/medicat", test_medicat);
  g_test_add_func("/lists/tables", test_tables);
  g_test_add_func("/lists/long", test_long);
  g_test_add_func("/lists/unknown", test_unknown);
  g_test_add_func("/lists/round-trip", test_round_trip);
  g_test_add_func("/lists/pairs-to-folder", test_pairs_to_folder);
  g_test_add_func("/lists/scienceqa", test_scienceqa);
  return g_test_run();
}
