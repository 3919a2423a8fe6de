/* test-select.c - which figures are of one panel and of which kind: by words, by what is seen, and
 * how often that is right on captions that were labelled by hand. */
#include <string.h>

#include <json-glib/json-glib.h>

#include "pmc.h"
#include "shared.h"

static PmcSelect
all_kinds(void)
{
  return (PmcSelect){.least = 0.5, .domains = {TRUE, TRUE, TRUE, TRUE, TRUE, FALSE}};
}

static void
assert_verdict(const PmcSelect *select, const char *caption, PmcVerdict verdict, DataDomain domain)
{
  g_auto(PmcDecision) decision = {0};

  g_test_message("%s", caption);
  pmc_select(select, caption, "x.jpg", &decision);
  for (guint i = 0; i < decision.reasons->len; i++) {
    g_test_message("  %s", (char *)decision.reasons->pdata[i]);
  }
  g_assert_cmpstr(pmc_verdict_name(decision.verdict), ==, pmc_verdict_name(verdict));
  if (verdict == PMC_SEVERAL_PANELS) {
    g_assert_cmpfloat(decision.several, >=, 0.5);
  }
  if (verdict == PMC_SELECTED || verdict == PMC_NOT_ASKED) {
    g_assert_cmpstr(data_domain_name(decision.domain), ==, data_domain_name(domain));
    g_assert_cmpfloat(decision.score, >=, 0.5);
  }
}

static void
test_words(void)
{
  static const struct {
    const char *caption;
    PmcVerdict verdict;
    DataDomain domain;
  } rows[] = {
      {"Chest radiograph with an effusion.", PMC_SELECTED, DATA_DOMAIN_CHEST_XRAY},
      {"X-ray of the chest", PMC_SELECTED, DATA_DOMAIN_CHEST_XRAY},
      {"Lateral X-ray of the knee", PMC_OTHER_KIND, DATA_DOMAIN_NONE},
      {"Radiograph of the thoracic spine", PMC_OTHER_KIND, DATA_DOMAIN_NONE},
      {"Axial CT of the abdomen", PMC_SELECTED, DATA_DOMAIN_CT_SCAN},
      {"CT angiography of the neck", PMC_SELECTED, DATA_DOMAIN_CT_SCAN},
      {"Angiography of the neck", PMC_OTHER_KIND, DATA_DOMAIN_NONE},
      {"MR image of the knee", PMC_SELECTED, DATA_DOMAIN_MRI},
      {"Mr Smith's hand", PMC_NO_KIND, DATA_DOMAIN_NONE},
      {"T2-weighted sagittal image.", PMC_SELECTED, DATA_DOMAIN_MRI},
      {"Photomicrograph, H&E, \xc3\x97 400.", PMC_SELECTED, DATA_DOMAIN_HISTOLOGY},
      {"Scanning electron micrograph of a fibre", PMC_OTHER_KIND, DATA_DOMAIN_NONE},
      {"Gross specimen with a cut surface", PMC_SELECTED, DATA_DOMAIN_GROSS},
      {"MRI after gross total resection", PMC_SELECTED, DATA_DOMAIN_MRI},
      {"Abdominal ultrasound. A CT was not done.", PMC_OTHER_KIND, DATA_DOMAIN_NONE},
      {"CT and MRI of the head", PMC_MIXED, DATA_DOMAIN_NONE},
      {"(a) CT before and (b) CT after treatment", PMC_SEVERAL_PANELS, DATA_DOMAIN_NONE},
      {"CT (a, b) of two patients", PMC_SEVERAL_PANELS, DATA_DOMAIN_NONE},
      {"CT (a\xe2\x80\x93"
       "d) of a patient",
       PMC_SEVERAL_PANELS, DATA_DOMAIN_NONE},
      {"A: CT of the liver. B: of the spleen.", PMC_SEVERAL_PANELS, DATA_DOMAIN_NONE},
      {"CT before (left) and after (right)", PMC_SEVERAL_PANELS, DATA_DOMAIN_NONE},
      {"A CT of the liver shows a tumour (T)", PMC_SELECTED, DATA_DOMAIN_CT_SCAN},
      {"A large lesion. It was seen by CT.", PMC_SELECTED, DATA_DOMAIN_CT_SCAN},
      {"Survival by group.", PMC_NO_KIND, DATA_DOMAIN_NONE},
      {"Single photon emission computed tomography of a brain", PMC_OTHER_KIND, DATA_DOMAIN_NONE},
      {"Overall survival by histological type", PMC_OTHER_KIND, DATA_DOMAIN_NONE},
      {"Groups by histological score", PMC_NO_KIND, DATA_DOMAIN_NONE},
      {"Histological finding in the liver", PMC_SELECTED, DATA_DOMAIN_HISTOLOGY},
      {"Pathway of a patient. Abbreviations: CXR, chest X-ray", PMC_NO_KIND, DATA_DOMAIN_NONE},
      {"T cells (a; \xc3\x97"
       "200) and B cells, H&E (b; \xc3\x97"
       "100)",
       PMC_SEVERAL_PANELS, DATA_DOMAIN_NONE},
      {"", PMC_NO_CAPTION, DATA_DOMAIN_NONE},
  };
  PmcSelect select = all_kinds();

  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    assert_verdict(&select, rows[i].caption, rows[i].verdict, rows[i].domain);
  }
  select.domains[DATA_DOMAIN_MRI] = FALSE;
  assert_verdict(&select, "MRI of the brain", PMC_NOT_ASKED, DATA_DOMAIN_MRI);
}

/* ---- pictures ----------------------------------------------------------------------------------
 */

static gboolean
look(const char *name, PmcPicture *picture, gpointer user)
{
  *picture = *(const PmcPicture *)user;
  return strcmp(name, "x.jpg") == 0;
}

static void
test_pictures(void)
{
  PmcPicture seen = {.readable = TRUE, .width = 9, .height = 9, .panels = 1, .tower = -1};
  PmcSelect select = all_kinds();
  g_auto(PmcDecision) missing = {0};

  select.look = look;
  select.user = &seen;
  assert_verdict(&select, "CT of the liver", PMC_SELECTED, DATA_DOMAIN_CT_SCAN);
  pmc_select(&select, "CT of the liver", "y.jpg", &missing);
  g_assert_cmpint(missing.verdict, ==, PMC_NO_PICTURE);
  seen.coloured = 0.5;
  assert_verdict(&select, "CT of the liver", PMC_COLOURED, DATA_DOMAIN_CT_SCAN);
  assert_verdict(&select, "H&E stain", PMC_SELECTED, DATA_DOMAIN_HISTOLOGY);
  seen.coloured = 0;
  seen.panels = 4;
  assert_verdict(&select, "CT of the liver", PMC_SEVERAL_PANELS, DATA_DOMAIN_NONE);
  seen.panels = 1;
  seen.letters = 2;
  assert_verdict(&select, "CT of the liver", PMC_SEVERAL_PANELS, DATA_DOMAIN_NONE);
  seen.letters = 0;
  seen.tower = DATA_DOMAIN_MRI;
  seen.tower_score = 0.95;
  assert_verdict(&select, "CT of the liver", PMC_TOWER_DIFFERS, DATA_DOMAIN_NONE);
  assert_verdict(&select, "A lesion (arrow).", PMC_SELECTED, DATA_DOMAIN_MRI);
  seen.tower_score = 0.7;
  assert_verdict(&select, "A lesion (arrow).", PMC_NO_KIND, DATA_DOMAIN_MRI);
  seen.tower = DATA_DOMAIN_NONE;
  assert_verdict(&select, "CT of the liver", PMC_TOWER_DIFFERS, DATA_DOMAIN_NONE);
  seen.tower_score = 0.4;
  assert_verdict(&select, "CT of the liver", PMC_SELECTED, DATA_DOMAIN_CT_SCAN);
  seen.readable = FALSE;
  assert_verdict(&select, "CT of the liver", PMC_UNREADABLE, DATA_DOMAIN_NONE);
}

/* The decision of one pair whose picture is SEEN. g_free(). */
static char *
decide_seen(PmcPicture *seen)
{
  static const char line[] =
      "{\"pair_id\": \"1\", \"fig_caption\": \"CT\", \"image\": \"x.jpg\"}\n";
  PmcSelect select = all_kinds();
  g_autoptr(GByteArray) out = g_byte_array_new(), decisions = g_byte_array_new();
  guint64 verdicts[PMC_N_VERDICTS] = {0};
  DataCounts counts = {0};

  select.look = look;
  select.user = seen;
  pmc_select_lines(&select, line, strlen(line), out, decisions, verdicts, &counts, NULL);
  return g_strndup((const char *)decisions->data, decisions->len);
}

static void
test_tower_in_decisions(void)
{
  PmcPicture seen = {.readable = TRUE, .width = 9, .height = 9, .panels = 1, .tower = -1};
  g_autofree char *none = decide_seen(&seen), *kind = NULL, *other = NULL;

  g_assert_nonnull(strstr(none, "\"coloured\": 0.00, \"tower\": null}"));
  seen.tower = DATA_DOMAIN_CT_SCAN;
  seen.tower_score = 0.876;
  kind = decide_seen(&seen);
  g_assert_nonnull(strstr(kind, "\"reasons\": [\"ct_scan: ct\", \"tower: ct_scan, 0.88\"]"));
  g_assert_nonnull(
      strstr(kind, "\"tower\": {\"kind\": \"ct_scan\", \"sees\": null, \"score\": 0.88}}"));
  seen.tower = DATA_DOMAIN_NONE;
  seen.tower_sees = "ultrasound";
  other = decide_seen(&seen);
  g_assert_nonnull(strstr(other, "\"verdict\": \"tower_differs\""));
  g_assert_nonnull(strstr(other, "\"tower: another kind (ultrasound), 0.88\""));
  g_assert_nonnull(
      strstr(other, "\"tower\": {\"kind\": \"none\", \"sees\": \"ultrasound\", \"score\": 0.88}}"));
}

/* ---- lines -------------------------------------------------------------------------------------
 */

static void
test_lines(void)
{
  static const char lines[] =
      "{\"pair_id\": \"1_F1\", \"fig_caption\": \"CT of \\\"it\\\"\", \"domain\": \"mri\", \"n\": "
      "[1, {\"a\": null}]}\n"
      "{\"pair_id\": \"2_F1\", \"fig_caption\": \"Survival\"}\n"
      "{\"pair_id\": \"3_F1\", \"fig_caption\": null}\n"
      "{\"fig_caption\": \"CT\"}\n"
      "{\"pair_id\": \"4_F1\", \"fig_caption\": 4}\n"
      "broken";
  const PmcSelect select = all_kinds();
  g_autoptr(GByteArray) out = g_byte_array_new(), decisions = g_byte_array_new();
  g_autoptr(GArray) problems = g_array_new(FALSE, FALSE, sizeof(DataProblem));
  guint64 verdicts[PMC_N_VERDICTS] = {0};
  DataCounts counts = {0};
  g_autofree char *text = NULL;
  g_autoptr(JsonNode) node = NULL;
  JsonObject *o;

  g_array_set_clear_func(problems, data_problem_clear);
  pmc_select_lines(&select, lines, strlen(lines), out, decisions, verdicts, &counts, problems);
  g_assert_cmpuint(counts.lines, ==, 6);
  g_assert_cmpuint(counts.written, ==, 1);
  g_assert_cmpuint(verdicts[PMC_SELECTED], ==, 1);
  g_assert_cmpuint(verdicts[PMC_NO_KIND], ==, 1);
  g_assert_cmpuint(verdicts[PMC_NO_CAPTION], ==, 1);
  g_assert_cmpuint(counts.dropped[DATA_DROPPED_NO_ID], ==, 1);
  g_assert_cmpuint(counts.dropped[DATA_DROPPED_MALFORMED], ==, 2);
  g_assert_cmpuint(g_array_index(problems, DataProblem, 0).line, ==, 4);
  g_assert_cmpstr(g_array_index(problems, DataProblem, 0).text, ==,
                  "fig_caption: expected a string, found a number");
  text = g_strndup((const char *)out->data, out->len);
  g_assert_cmpstr(text, ==,
                  "{\"pair_id\": \"1_F1\", \"fig_caption\": \"CT of \\\"it\\\"\", \"n\": [1, "
                  "{\"a\": null}], \"domain\": \"ct_scan\", \"select\": {\"score\": 0.90, "
                  "\"reasons\": [\"ct_scan: ct\"]}}\n");
  g_free(text);
  text = g_strndup((const char *)decisions->data, decisions->len);
  *strchr(text, '\n') = '\0';
  node = json_from_string(text, NULL);
  o = json_node_get_object(node);
  g_assert_cmpstr(json_object_get_string_member(o, "verdict"), ==, "selected");
  g_assert_cmpfloat(json_object_get_double_member(o, "score"), ==, 0.9);
  g_assert_true(json_object_get_null_member(o, "picture"));
}

/* ---- labelled captions -------------------------------------------------------------------------
 */

typedef struct {
  guint said, hits, wanted;
} Tally;

static void
count(Tally *tally, const PmcDecision *decision, const char *kind, const char *panels)
{
  const gboolean wanted = strcmp(kind, "none") != 0 && strcmp(panels, "one") == 0;
  const gboolean said = decision->verdict == PMC_SELECTED;

  tally->wanted += wanted;
  tally->said += said;
  tally->hits += wanted && said && strcmp(data_domain_name(decision->domain), kind) == 0;
}

static GHashTable *
captions_of(const char *path)
{
  GHashTable *captions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  g_autofree char *text = NULL;
  g_auto(GStrv) lines = NULL;

  g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
  lines = g_strsplit(text, "\n", -1);
  for (guint i = 1; lines[i] && *lines[i]; i++) {
    g_auto(GStrv) fields = g_strsplit(lines[i], "\t", 4);
    g_hash_table_insert(captions, g_strdup(fields[0]), g_strdup(fields[3]));
  }
  return captions;
}

/* On the half that was not looked at: 0.94 and 0.96 when this was written (tests/bench/select.md);
 * a change that loses five of a hundred is seen here. */
static void
test_labelled(void)
{
  g_autofree char *path = shared_path("corpus/roco/roco_radiology_ccby_captions.tsv");
  g_autofree char *labels = g_test_build_filename(G_TEST_DIST, "data", "select-labels.tsv", NULL),
                  *text = NULL;
  g_autoptr(GHashTable) captions = path ? captions_of(path) : NULL;
  const PmcSelect select = all_kinds();
  Tally held = {0, 0, 0};
  g_auto(GStrv) lines = NULL;

  if (!path) {
    return;
  }
  g_assert_true(g_file_get_contents(labels, &text, NULL, NULL));
  lines = g_strsplit(text, "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    g_auto(GStrv) fields = g_strsplit(lines[i], "\t", 4);
    const char *caption =
        g_strv_length(fields) == 4 ? g_hash_table_lookup(captions, fields[0]) : NULL;
    g_auto(PmcDecision) decision = {0};

    if (caption && strcmp(fields[1], "held") == 0) {
      pmc_select(&select, caption, "", &decision);
      count(&held, &decision, fields[2], fields[3]);
    }
  }
  g_test_message("%u wanted, %u selected, %u rightly", held.wanted, held.said, held.hits);
  g_assert_cmpuint(held.wanted, >, 90);
  g_assert_cmpfloat(held.hits, >=, 0.90 * held.said);
  g_assert_cmpfloat(held.hits, >=, 0.92 * held.wanted);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/select/words", test_words);
  g_test_add_func("/select/pictures", test_pictures);
  g_test_add_func("/select/tower", test_tower_in_decisions);
  g_test_add_func("/select/lines", test_lines);
  g_test_add_func("/select/labelled", test_labelled);
  return g_test_run();
}
