/* test-pmc.c - articles to figures: sentences, citations of every shape, packages, and damage. */
#include <string.h>

#include <archive.h>
#include <archive_entry.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>

#include "pmc.h"
#include "shared.h"
#include "store.h"

/* ---- sentences ---------------------------------------------------------------------------------
 */

/* '|' marks where a sentence ends. */
static const char *const texts[] = {
    "One. Two.|",
    "As in Fig. 2 it grew. Then (Fig. 3A) it fell.|",
    "Jones et al. Found nothing. Smith et al. (2004) did.|",
    "We used e.g. Taq, i.e. one kit. It worked!",
    "p = 0.05 and 3.14. Values vs. Controls were equal.",
    "Was it E. coli? No. B. subtilis grew (not shown). Then 5 died.",
    "In the U.S. Army it was so. Fine.",
    "It ended (as expected.) Next came \"more.\" Last.",
    "No end",
    "See refs. 3 and 4. \xce\xb1-Actin was used.",
    "Dr. Watson took 2.5 mg i.v. Twice. Nobody knew etc. Afterwards he left.",
    ""};
static const char *const split[] = {
    "One.| Two.|",
    "As in Fig. 2 it grew.| Then (Fig. 3A) it fell.|",
    "Jones et al.| Found nothing.| Smith et al. (2004) did.|",
    "We used e.g. Taq, i.e. one kit.| It worked!|",
    "p = 0.05 and 3.14.| Values vs. Controls were equal.|",
    "Was it E. coli?| No.| B. subtilis grew (not shown).| Then 5 died.|",
    "In the U.S. Army it was so.| Fine.|",
    "It ended (as expected.)| Next came \"more.\"| Last.|",
    "No end|",
    "See refs. 3 and 4.| \xce\xb1-Actin was used.|",
    "Dr. Watson took 2.5 mg i.v. Twice.| Nobody knew etc.| Afterwards he left.|",
    ""};

static void
test_sentences(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autofree char *text = g_strdup(texts[i]);
    g_autoptr(GArray) ends = NULL;
    g_autoptr(GString) marked = g_string_new(NULL);
    guint start = 0;

    g_strdelimit(text, "|", ' ');
    g_strchomp(text);
    ends = pmc_sentences(text);
    for (guint k = 0; k < ends->len; k++) {
      const guint end = g_array_index(ends, guint, k);
      g_string_append_len(marked, text + start, (gssize)(end - start));
      g_string_append_c(marked, '|');
      start = end;
    }
    g_assert_cmpstr(marked->str, ==, split[i]);
  }
}

/* ---- one article -------------------------------------------------------------------------------
 */

static gboolean
collect(const PmcFigure *figure, gpointer user)
{
  gsize n;
  g_autofree char *line = pmc_figure_line(figure, &n);
  JsonNode *node = json_from_string(line, NULL);

  g_assert_nonnull(node);
  g_assert_cmpuint(n, ==, strlen(line));
  g_ptr_array_add(user, node);
  return TRUE;
}

static GPtrArray *
nodes_new(void)
{
  return g_ptr_array_new_with_free_func((GDestroyNotify)json_node_unref);
}

static GPtrArray *
read_xml(const char *xml)
{
  GPtrArray *figures = nodes_new();
  g_autoptr(GError) error = NULL;
  guint n = 0;

  g_assert_true(pmc_article_figures(xml, strlen(xml), "a.nxml", collect, figures, &n, &error));
  g_assert_no_error(error);
  g_assert_cmpuint(n, ==, figures->len);
  return figures;
}

static const char *
member(GPtrArray *figures, guint i, const char *name)
{
  g_assert_cmpuint(i, <, figures->len);
  return json_object_get_string_member_with_default(json_node_get_object(figures->pdata[i]), name,
                                                    NULL);
}

/* Sentences that cite figure I, joined by " / ". */
static char *
mentions(GPtrArray *figures, guint i)
{
  JsonObject *o = json_node_get_object(figures->pdata[i]);
  JsonArray *array;
  GString *joined = g_string_new(NULL);

  if (!json_object_get_null_member(o, "in_text_mention")) {
    array = json_object_get_array_member(o, "in_text_mention");
    for (guint k = 0; k < json_array_get_length(array); k++) {
      g_string_append(joined, k ? " / " : "");
      g_string_append(joined, json_array_get_string_element(array, k));
    }
  }
  return g_string_free(joined, FALSE);
}

#define assert_mentions(figures, i, text)                                                          \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *found_ = mentions(figures, i);                                                \
    g_assert_cmpstr(found_, ==, text);                                                             \
  }                                                                                                \
  G_STMT_END

#define FRONT                                                                                      \
  "<front><article-meta><article-id pub-id-type='pmid'>123</article-id>"                           \
  "<article-id pub-id-type='pmc'>77</article-id><title-group><article-title>On <italic>E. "        \
  "coli</italic>\n  &amp; \"others\"</article-title></title-group>"                                \
  "<pub-date pub-type='epub'><year>2005</year></pub-date><pub-date><year>2004</year></pub-date>"   \
  "<permissions><license xlink:href='http://example.org/by'><p>Free.</p></license></permissions>"  \
  "</article-meta></front>"
#define ARTICLE(body)                                                                              \
  "<article xmlns:xlink='http://www.w3.org/1999/xlink'>" FRONT "<body>" body "</body></article>"
#define FIG(id, label, caption)                                                                    \
  "<fig id='" id "'><label>" label "</label><caption><p>" caption                                  \
  "</p></caption><graphic xlink:href='" id "-g'/></fig>"
#define XREF(id, text) "<xref ref-type='fig' rid='" id "'>" text "</xref>"

static void
test_article(void)
{
  g_autoptr(GPtrArray) figures = read_xml(
      ARTICLE("<sec><title>Results</title><p>First (" XREF("F1", "Fig. 1") "). Not this. As " XREF(
          "F1",
          "Figure 1") " shows, a\n   &lt; b.</p>" FIG("F1", "Figure 1",
                                                      "One <bold>lung</bold>.</p><p>And\xc2\xa0"
                                                      "more " XREF(
                                                          "F2",
                                                          "2") ".") "</"
                                                                    "sec><fig-group><caption><p>"
                                                                    "All of them.</p></caption>"
                                                                    "<fig id='F2'><label>Fig. "
                                                                    "2</label><graphic "
                                                                    "xlink:href='x.jpg'/></fig></"
                                                                    "fig-group>"
                                                                    "<fig><caption><title>No "
                                                                    "id.</title></caption></fig>"
                                                                    "<sub-article><body>" FIG(
                                                                        "S1", "1",
                                                                        "Another article's") "</"
                                                                                             "body>"
                                                                                             "</"
                                                                                             "sub-"
                                                                                             "artic"
                                                                                             "le"
                                                                                             ">"));

  g_assert_cmpuint(figures->len, ==, 3);
  g_assert_cmpstr(member(figures, 0, "pair_id"), ==, "123_F1");
  g_assert_cmpstr(member(figures, 0, "pmcid"), ==, "PMC77");
  g_assert_cmpstr(member(figures, 0, "fig_label"), ==, "Figure 1");
  g_assert_cmpstr(member(figures, 0, "fig_caption"), ==, "One lung. And more 2.");
  g_assert_cmpstr(member(figures, 0, "image_file"), ==, "F1-g");
  g_assert_cmpstr(member(figures, 0, "licence"), ==, "http://example.org/by");
  g_assert_cmpstr(member(figures, 0, "article_title"), ==, "On E. coli & \"others\"");
  g_assert_cmpint(json_object_get_int_member(json_node_get_object(figures->pdata[0]), "year"), ==,
                  2004);
  assert_mentions(figures, 0, "First (Fig. 1). / As Figure 1 shows, a < b.");
  g_assert_cmpstr(member(figures, 1, "fig_caption"), ==, "All of them.");
  assert_mentions(figures, 1, "");
  g_assert_cmpstr(member(figures, 2, "pair_id"), ==, "123_fig3");
  g_assert_null(member(figures, 2, "image_file"));
}

/* Ranges, panels, several ids, paragraphs within paragraphs. */
static void
test_citations(void)
{
  g_autoptr(GPtrArray) figures = read_xml(ARTICLE(
      "<p>A (Figs. " XREF("F1", "1") "\xe2\x80\x93" XREF("F4", "4") "). B (Figs. " XREF("F2", "2") " and " XREF("F4", "4") "). C (" XREF("F1", "Figures 1A-3B") "). D (" XREF(
          "F2 F3", "2, 3") "). E " XREF("F1", "1A") " to " XREF("F3",
                                                                "3C") ".</p>"
                                                                      "<p>Outer " XREF("F4", "4") ".<list><list-item><p>Inner " XREF(
                                                                          "F3",
                                                                          "3") ".</p></list-item></"
                                                                               "list></p><p>Table "
                                                                               "<xref "
                                                                               "ref-type='table' "
                                                                               "rid='F4'>1</"
                                                                               "xref>.</p>"
                                                                               "<p>Nowhere " XREF(
                                                                                   "F9",
                                                                                   "9") ".</p>" FIG("F1",
                                                                                                    "Figure 1.",
                                                                                                    "a")
                                                                                   FIG("F2",
                                                                                       "Figure 2.",
                                                                                       "b") FIG("F"
                                                                                                "3",
                                                                                                "Fi"
                                                                                                "gu"
                                                                                                "re"
                                                                                                " 3"
                                                                                                ".",
                                                                                                "c")
                                                                                       FIG("F4",
                                                                                           "Figure "
                                                                                           "4.",
                                                                                           "d")));

  assert_mentions(figures, 0,
                  "A (Figs. 1\xe2\x80\x93"
                  "4). / C (Figures 1A-3B). / E 1A to 3C.");
  assert_mentions(figures, 1,
                  "A (Figs. 1\xe2\x80\x93"
                  "4). / B (Figs. 2 and 4). / C (Figures 1A-3B). / "
                  "D (2, 3). / E 1A to 3C.");
  assert_mentions(figures, 2,
                  "A (Figs. 1\xe2\x80\x93"
                  "4). / C (Figures 1A-3B). / D (2, 3). / E 1A to 3C. / "
                  "Inner 3.");
  assert_mentions(figures, 3,
                  "A (Figs. 1\xe2\x80\x93"
                  "4). / B (Figs. 2 and 4). / Outer 4.");
}

/* ---- damage ------------------------------------------------------------------------------------
 */

static void
assert_refused(const char *xml, gsize n, gint code)
{
  g_autoptr(GPtrArray) figures = nodes_new();
  g_autoptr(GError) error = NULL;

  g_assert_false(pmc_article_figures(xml, n, "bad.nxml", collect, figures, NULL, &error));
  g_assert_error(error, STORE_ERROR, code);
  g_assert_true(g_str_has_prefix(error->message, "bad.nxml: "));
}

/* Entities of the document's own, one of them a file's text, are left out; a bomb of them is no
 * article. */
static void
test_entities(void)
{
  g_autoptr(GPtrArray) figures = read_xml(
      "<!DOCTYPE article [<!ENTITY a 'told'><!ENTITY x SYSTEM 'file:///etc/passwd'>]>" ARTICLE(
          FIG("F1", "1", "x&a;y &x; z &#955;")));
  static const char bomb[] =
      "<!DOCTYPE article [<!ENTITY a 'aaaaaaaaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>"
      "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;'>"
      "<!ENTITY e '&d;&d;&d;&d;&d;&d;&d;&d;'><!ENTITY f '&e;&e;&e;&e;&e;&e;&e;&e;'>]>" ARTICLE(
          FIG("F1", "1", "x&f;y"));

  g_assert_cmpstr(member(figures, 0, "fig_caption"), ==, "xy z \xce\xbb");
  assert_refused(bomb, strlen(bomb), STORE_ERROR_CORRUPT);
}

static void
test_damage(void)
{
  g_autoptr(GString) deep = g_string_new("<article>");
  g_autofree char *caption = g_strnfill(2u << 20, 'w');
  g_autofree char *long_caption = NULL;
  g_autoptr(GPtrArray) one = NULL;

  for (guint i = 0; i < 5000; i++) {
    g_string_append(deep, "<sec>");
  }
  assert_refused(deep->str, deep->len, STORE_ERROR_CORRUPT);
  assert_refused("", 0, STORE_ERROR_CORRUPT);
  assert_refused("<article>", 9, STORE_ERROR_CORRUPT);
  assert_refused("<html/>", 7, STORE_ERROR_FORMAT);
  assert_refused("<article/>", 10, STORE_ERROR_FORMAT);
  assert_refused("<article>\xff\xfe</article>", 21, STORE_ERROR_CORRUPT);
  /* Two megabytes of caption are a caption. */
  long_caption = g_strconcat("<article xmlns:xlink='http://www.w3.org/1999/xlink'>" FRONT
                             "<body><fig id='F1'><caption><p>",
                             caption, "</p></caption></fig></body></article>", NULL);
  one = read_xml(long_caption);
  g_assert_cmpuint(strlen(member(one, 0, "fig_caption")), ==, 2u << 20);
}

/* Whatever byte is wrong: an answer, and no crash. */
static void
test_any_byte(void)
{
  const char *xml = ARTICLE("<p>A (Figs. " XREF("F1", "1") "-" XREF("F3", "3") ").</p>" FIG(
      "F1", "Figure 1", "a") FIG("F2", "2", "b") FIG("F3", "3", "c"));

  for (gsize i = 0; i < strlen(xml); i++) {
    static const char with[] = {'<', '&', '\0', '\xff', '9', '\''};
    for (guint k = 0; k < sizeof with; k++) {
      g_autofree char *damaged = g_strdup(xml);
      g_autoptr(GPtrArray) figures = nodes_new();
      damaged[i] = with[k];
      pmc_article_figures(damaged, strlen(xml), "a", collect, figures, NULL, NULL);
      pmc_article_figures(xml, i, "a", collect, figures, NULL, NULL);
    }
  }
}

/* ---- packages ----------------------------------------------------------------------------------
 */

typedef struct {
  GPtrArray *figures, *problems, *images;
  guint articles;
} Seen;

static void
on_article(const char *name, const GError *failure, gpointer user)
{
  Seen *seen = user;

  if (failure) {
    g_ptr_array_add(seen->problems, g_strdup(failure->message));
  } else {
    seen->articles++;
  }
}

static gboolean
on_figure(const PmcFigure *figure, gpointer user)
{
  return collect(figure, ((Seen *)user)->figures);
}

static gboolean
wants(const char *name, gpointer user)
{
  return g_str_has_suffix(name, ".jpg");
}

static void
on_image(const char *name, const void *bytes, gsize n, gpointer user)
{
  g_ptr_array_add(((Seen *)user)->images,
                  g_strdup_printf("%s %.*s", name, (int)n, (const char *)bytes));
}

static void
seen_clear(Seen *seen)
{
  g_ptr_array_unref(seen->figures);
  g_ptr_array_unref(seen->problems);
  g_ptr_array_unref(seen->images);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Seen, seen_clear)

static Seen
visit(const char *path)
{
  Seen seen = {nodes_new(), g_ptr_array_new_with_free_func(g_free),
               g_ptr_array_new_with_free_func(g_free), 0};
  const PmcVisitor visitor = {.figure = on_figure,
                              .article = on_article,
                              .wants_image = wants,
                              .image = on_image,
                              .user = &seen};
  g_autoptr(GError) error = NULL;

  g_assert_true(pmc_visit(path, &visitor, &error));
  g_assert_no_error(error);
  return seen;
}

static void
write_package(const char *path, const char *const (*members)[2])
{
  struct archive *archive = archive_write_new();

  archive_write_add_filter_gzip(archive);
  archive_write_set_format_pax_restricted(archive);
  g_assert_cmpint(archive_write_open_filename(archive, path), ==, ARCHIVE_OK);
  for (; (*members)[0]; members++) {
    struct archive_entry *entry = archive_entry_new();
    const gsize n = strlen((*members)[1]);

    archive_entry_set_pathname(entry, (*members)[0]);
    archive_entry_set_size(entry, (la_int64_t)n);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    g_assert_cmpint(archive_write_header(archive, entry), ==, ARCHIVE_OK);
    g_assert_cmpint(archive_write_data(archive, (*members)[1], n), ==, (la_ssize_t)n);
    archive_entry_free(entry);
  }
  archive_write_close(archive);
  archive_write_free(archive);
}

static void
test_packages(void)
{
  static const char *const members[][2] = {
      {"PMC77/F1-g.jpg", "JPEG"},
      {"PMC77/a.nxml", ARTICLE(FIG("F1", "1", "in a package"))},
      {"PMC77/b.nxml", "<broken"},
      {"../../evil.nxml", ARTICLE(FIG("F1", "1", "evil"))},
      {"/evil.jpg", "JPEG"},
      {"PMC77/readme.txt", "x"},
      {NULL, NULL}};
  g_autofree char *folder = g_dir_make_tmp("hilum-pmc-XXXXXX", NULL);
  g_autofree char *package = g_build_filename(folder, "a.tar.gz", NULL);
  g_autofree char *cut = g_build_filename(folder, "b.tgz", NULL);
  g_autofree char *plain = g_build_filename(folder, "c.xml", NULL);
  g_autofree char *bytes = NULL;
  gsize n;

  write_package(package, members);
  g_assert_true(g_file_set_contents(plain, ARTICLE(FIG("F2", "2", "alone")), -1, NULL));
  {
    g_auto(Seen) seen = visit(package);
    g_assert_cmpuint(seen.figures->len, ==, 1);
    g_assert_cmpuint(seen.articles, ==, 1);
    g_assert_cmpuint(seen.images->len, ==, 1);
    g_assert_cmpstr(seen.images->pdata[0], ==, "PMC77/F1-g.jpg JPEG");
    /* The broken one and the two that lead away. */
    g_assert_cmpuint(seen.problems->len, ==, 3);
  }
  /* Half a download: what came is used, and the rest is said to be missing. */
  g_assert_true(g_file_get_contents(package, &bytes, &n, NULL));
  for (gsize part = 0; part < n; part += n / 7) {
    g_autofree char *path = g_strdup(cut);
    g_assert_true(g_file_set_contents(path, bytes, (gssize)part, NULL));
    g_auto(Seen) seen = visit(path);
    g_assert_cmpuint(seen.problems->len, >=, part > 0 ? 1 : 0);
  }
  {
    g_auto(Seen) seen = visit(folder);
    g_assert_cmpuint(seen.figures->len, >=, 2);
    g_assert_cmpstr(member(seen.figures, seen.figures->len - 1, "fig_caption"), ==, "alone");
  }
  g_assert_false(pmc_visit("/nowhere/at/all", &(PmcVisitor){0}, NULL));
  g_unlink(package);
  g_unlink(cut);
  g_unlink(plain);
  g_rmdir(folder);
}

/* ---- real articles -----------------------------------------------------------------------------
 */

static void
test_corpus(void)
{
  g_autofree char *folder = shared_path("corpus/pmc-nxml");

  if (!folder) {
    return;
  }
  g_auto(Seen) seen = visit(folder);
  g_assert_cmpuint(seen.articles, ==, 4);
  g_assert_cmpuint(seen.figures->len, ==, 11);
  g_assert_cmpuint(seen.problems->len, ==, 0);
  g_assert_cmpstr(member(seen.figures, 0, "pair_id"), ==, "21810267_F1");
  g_assert_cmpstr(member(seen.figures, 1, "licence"), ==,
                  "http://creativecommons.org/licenses/by/2.0");
  g_assert_true(g_str_has_prefix(member(seen.figures, 3, "fig_caption"), "Effects of tKCN"));
  /* Read in the article by eye: four sentences cite its Figure 4. */
  assert_mentions(seen.figures, 7,
                  "In September 2010 samples were collected only in Mopeia and Nicoadala districts "
                  "(Fig. 1).");
  g_assert_nonnull(strstr(member(seen.figures, 8, "licence"), "Creative Commons"));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/pmc/sentences", test_sentences);
  g_test_add_func("/pmc/article", test_article);
  g_test_add_func("/pmc/citations", test_citations);
  g_test_add_func("/pmc/entities", test_entities);
  g_test_add_func("/pmc/damage", test_damage);
  g_test_add_func("/pmc/any-byte", test_any_byte);
  g_test_add_func("/pmc/packages", test_packages);
  g_test_add_func("/pmc/corpus", test_corpus);
  return g_test_run();
}
