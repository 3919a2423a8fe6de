/* article.c - one JATS article (Z39.96, tag set "Journal Archiving") to its figures. */
#include "pmc.h"

#include <string.h>

#include <libxml/parser.h>

#include "pmc/jats.h"
#include "pmc/limits.h"
#include "store.h"

typedef struct {
  xmlNode *node;
  char *id, *label;
  guint number;    /* of the label, 0: none */
  GPtrArray *said; /* of char *: sentences that cite it */
} Fig;

typedef struct {
  const char *name;
  xmlNode *root, *meta;
  GPtrArray *figs;   /* of Fig * */
  GHashTable *by_id; /* id to Fig, borrowed */
  char *pmid, *pmcid, *title, *licence;
  guint year;
} Article;

static void
fig_free(gpointer data)
{
  Fig *fig = data;

  g_free(fig->id);
  g_free(fig->label);
  g_ptr_array_unref(fig->said);
  g_free(fig);
}

static void
article_clear(Article *a)
{
  g_clear_pointer(&a->figs, g_ptr_array_unref);
  g_clear_pointer(&a->by_id, g_hash_table_unref);
  g_free(a->pmid);
  g_free(a->pmcid);
  g_free(a->title);
  g_free(a->licence);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Article, article_clear)

/* ---- what the front says -----------------------------------------------------------------------
 */

/* Only digits, as PubMed's numbers are; a prefix "PMC" is left out. */
static char *
digits_of(const char *text)
{
  if (g_ascii_strncasecmp(text, "PMC", 3) == 0) {
    text += 3;
  }
  return *text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 20 ? g_strdup(text)
                                                                                  : NULL;
}

static void
read_id(Article *a, xmlNode *node)
{
  g_autofree char *kind = pmc_attribute(node, "pub-id-type");
  g_autofree char *text = pmc_text(node, NULL);

  if (g_strcmp0(kind, "pmid") == 0 && !a->pmid) {
    a->pmid = digits_of(text);
  } else if ((g_strcmp0(kind, "pmc") == 0 || g_strcmp0(kind, "pmcid") == 0 ||
              g_strcmp0(kind, "pmcaid") == 0) &&
             !a->pmcid) {
    g_autofree char *digits = digits_of(text);
    a->pmcid = digits ? g_strconcat("PMC", digits, NULL) : NULL;
  }
}

static void
read_year(Article *a, xmlNode *date)
{
  xmlNode *year = pmc_find(date, "year");
  g_autofree char *text = year ? pmc_text(year, NULL) : NULL;
  guint64 number;

  if (text && g_ascii_string_to_unsigned(text, 10, 1600, 2999, &number, NULL) &&
      (a->year == 0 || number < a->year)) {
    a->year = (guint)number;
  }
}

static void
read_licence(Article *a, xmlNode *licence)
{
  xmlNode *reference = pmc_find(licence, "license_ref"), *link = pmc_find(licence, "ext-link");

  if (a->licence) {
    return;
  }
  a->licence = pmc_attribute(licence, "href");
  if (!a->licence && reference) {
    a->licence = pmc_text(reference, NULL);
  }
  if (!a->licence && link) {
    a->licence = pmc_attribute(link, "href");
  }
  if (!a->licence) {
    a->licence = pmc_text(licence, NULL);
  }
  if (!*a->licence) {
    g_clear_pointer(&a->licence, g_free);
  }
}

/* Older articles grant their licence within the copyright's statement. */
static void
read_copyright(Article *a, xmlNode *statement)
{
  g_autofree char *text = pmc_text(statement, NULL);

  if (!a->licence && (strstr(text, "Creative Commons") || strstr(text, "licen"))) {
    a->licence = g_steal_pointer(&text);
  }
}

static void
read_front(Article *a)
{
  for (xmlNode *n = a->meta->children; n; n = n->next) {
    if (pmc_is(n, "article-id")) {
      read_id(a, n);
    } else if (pmc_is(n, "title-group")) {
      xmlNode *title = pmc_find(n, "article-title");
      g_free(a->title);
      a->title = title ? pmc_text(title, NULL) : NULL;
    } else if (pmc_is(n, "pub-date")) {
      read_year(a, n);
    } else if (pmc_is(n, "permissions")) {
      xmlNode *licence = pmc_find(n, "license");
      xmlNode *statement = pmc_find(n, "copyright-statement");
      if (licence) {
        read_licence(a, licence);
      } else if (statement) {
        read_copyright(a, statement);
      }
    } else if (pmc_is(n, "license")) {
      read_licence(a, n);
    } else if (pmc_is(n, "copyright-statement")) {
      read_copyright(a, n);
    }
  }
}

/* ---- figures -----------------------------------------------------------------------------------
 */

/* The first whole number in TEXT; 0: none. *END: behind it. */
static guint
number_in(const char *text, const char **end)
{
  const char *at = text ? strpbrk(text, "0123456789") : NULL;
  gsize n = at ? strspn(at, "0123456789") : 0;
  guint number = 0;

  for (gsize i = 0; i < n && i < 5; i++) {
    number = number * 10 + (guint)(at[i] - '0');
  }
  if (end) {
    *end = at ? at + n : NULL;
  }
  return number;
}

/* Other articles that this one carries: translations, letters and their answers. */
static gboolean
is_another(const xmlNode *node)
{
  return pmc_is(node, "sub-article") || pmc_is(node, "response");
}

static void
collect_figs(Article *a)
{
  gboolean into;

  a->figs = g_ptr_array_new_with_free_func(fig_free);
  a->by_id = g_hash_table_new(g_str_hash, g_str_equal);
  for (xmlNode *n = a->root; n; n = pmc_next(n, a->root, into)) {
    Fig *fig;
    xmlNode *label;

    into = !is_another(n);
    if (!pmc_is(n, "fig")) {
      continue;
    }
    fig = g_new0(Fig, 1);
    label = pmc_find(n, "label");
    fig->node = n;
    fig->id = pmc_attribute(n, "id");
    fig->label = label ? pmc_text(label, NULL) : NULL;
    fig->number = number_in(fig->label, NULL);
    fig->said = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(a->figs, fig);
    if (!fig->id || !*fig->id) {
      g_free(fig->id);
      fig->id = g_strdup_printf("fig%u", a->figs->len);
    }
    if (!g_hash_table_contains(a->by_id, fig->id)) {
      g_hash_table_insert(a->by_id, fig->id, fig);
    }
  }
}

/* ---- who cites them ----------------------------------------------------------------------------
 */

static void
cite(Fig *fig, const char *sentence)
{
  for (guint i = 0; i < fig->said->len; i++) {
    if (strcmp(fig->said->pdata[i], sentence) == 0) {
      return;
    }
  }
  g_ptr_array_add(fig->said, g_strdup(sentence));
}

/* All whose labels have numbers from LOW to HIGH. */
static void
cite_numbers(Article *a, guint low, guint high, const char *sentence)
{
  for (guint i = 0; i < a->figs->len; i++) {
    Fig *fig = a->figs->pdata[i];
    if (fig->number >= low && fig->number <= high && fig->number > 0) {
      cite(fig, sentence);
    }
  }
}

static const char *
skip_spaces(const char *at)
{
  return at + strspn(at, " ");
}

/* Behind a dash of any kind, "to" or "through"; NULL when there is none. */
static const char *
skip_range_sign(const char *at)
{
  static const char *const signs[] = {"-",
                                      "\xe2\x80\x90",
                                      "\xe2\x80\x91",
                                      "\xe2\x80\x92",
                                      "\xe2\x80\x93",
                                      "\xe2\x80\x94",
                                      "\xe2\x88\x92",
                                      "to ",
                                      "through "};

  at = skip_spaces(at);
  for (gsize i = 0; i < G_N_ELEMENTS(signs); i++) {
    if (g_str_has_prefix(at, signs[i])) {
      return skip_spaces(at + strlen(signs[i]));
    }
  }
  return NULL;
}

/* "2", "2A", "2A,B": behind the panels' letters that follow a number. */
static const char *
skip_panels(const char *at)
{
  while (g_ascii_isalpha(*at) && !g_ascii_isalpha(at[1])) {
    at++;
  }
  return at;
}

/* A citation may say "2-4" by itself. */
static void
cite_said(Article *a, const char *said, const char *sentence)
{
  const char *end;
  guint low = number_in(said, &end), high;

  while (low > 0 && end) {
    const char *next = skip_range_sign(skip_panels(end));

    if (next && g_ascii_isdigit(*next)) {
      high = number_in(next, &end);
      if (high > low) {
        cite_numbers(a, low, high, sentence);
      }
      low = high;
    } else {
      low = number_in(end, &end);
    }
  }
}

static Fig *
cited(Article *a, const PmcCitation *citation)
{
  g_auto(GStrv) ids = g_strsplit(citation->rids, " ", -1);
  Fig *last = NULL;

  for (guint i = 0; ids[i]; i++) {
    Fig *fig = g_hash_table_lookup(a->by_id, ids[i]);
    last = fig ? fig : last;
  }
  return last;
}

static void
cite_all(Article *a, const PmcCitation *citation, const char *text, const char *sentence)
{
  g_auto(GStrv) ids = g_strsplit(citation->rids, " ", -1);
  g_autofree char *said = g_strndup(text + citation->start, citation->end - citation->start);

  for (guint i = 0; ids[i]; i++) {
    Fig *fig = g_hash_table_lookup(a->by_id, ids[i]);
    if (fig) {
      cite(fig, sentence);
    }
  }
  if (cited(a, citation)) {
    cite_said(a, said, sentence);
  }
}

/* "Figs. 2-4", where 2 and 4 are citations and the dash is between them. */
static void
cite_between(Article *a, const PmcCitation *from, const PmcCitation *to, const char *text,
             const char *sentence)
{
  g_autofree char *between = g_strndup(text + from->end, to->start - from->end);
  const char *rest = skip_range_sign(skip_panels(between));
  const Fig *low = cited(a, from), *high = cited(a, to);

  if (rest && low && high && high->number > low->number + 1 && low->number > 0 &&
      (!*rest || g_str_has_prefix(rest, "Fig") || g_str_has_prefix(rest, "fig"))) {
    cite_numbers(a, low->number + 1, high->number - 1, sentence);
  }
}

static void
read_paragraph(Article *a, xmlNode *p)
{
  g_autoptr(GArray) citations = g_array_new(FALSE, FALSE, sizeof(PmcCitation));
  g_autofree char *text = NULL;
  g_autoptr(GArray) ends = NULL;
  guint start = 0, k = 0;

  g_array_set_clear_func(citations, pmc_citation_clear);
  text = pmc_text(p, citations);
  if (citations->len == 0) {
    return;
  }
  ends = pmc_sentences(text);
  for (guint i = 0; i < ends->len; i++) {
    const guint end = g_array_index(ends, guint, i), first = k;
    g_autofree char *sentence = g_strstrip(g_strndup(text + start, end - start));

    for (; k < citations->len; k++) {
      const PmcCitation *citation = &g_array_index(citations, PmcCitation, k);
      if (citation->start >= end) {
        break;
      }
      cite_all(a, citation, text, sentence);
      if (k > first) {
        cite_between(a, citation - 1, citation, text, sentence);
      }
    }
    start = end;
  }
}

static void
read_mentions(Article *a)
{
  gboolean into;

  for (xmlNode *n = a->root; n; n = pmc_next(n, a->root, into)) {
    /* A figure's own caption says nothing about it from outside. */
    into = !is_another(n) && !pmc_is(n, "fig") && !pmc_is(n, "ref-list");
    if (into && pmc_is(n, "p")) {
      read_paragraph(a, n);
    }
  }
}

/* ---- the whole ---------------------------------------------------------------------------------
 */

static char *
caption_of(const Fig *fig)
{
  xmlNode *caption = pmc_find(fig->node, "caption");

  if (!caption && fig->node->parent && pmc_is(fig->node->parent, "fig-group")) {
    caption = pmc_find(fig->node->parent, "caption");
  }
  return caption ? pmc_text(caption, NULL) : NULL;
}

static char *
image_of(const Fig *fig)
{
  xmlNode *graphic = pmc_find(fig->node, "graphic");

  return graphic ? pmc_attribute(graphic, "href") : NULL;
}

static gboolean
give(const Article *a, const Fig *fig, PmcFigureFound found, gpointer user)
{
  g_autofree char *caption = caption_of(fig), *image = image_of(fig), *pair = NULL;
  g_autoptr(GPtrArray) said = g_ptr_array_new();
  const char *article = a->pmid ? a->pmid : a->pmcid;
  PmcFigure figure;

  for (guint i = 0; i < fig->said->len; i++) {
    g_ptr_array_add(said, fig->said->pdata[i]);
  }
  g_ptr_array_add(said, NULL);
  pair = g_strdup_printf("%s_%s", article ? article : "unknown", fig->id);
  figure = (PmcFigure){.pair_id = pair,
                       .pmid = a->pmid,
                       .pmcid = a->pmcid,
                       .fig_id = fig->id,
                       .fig_label = fig->label,
                       .fig_caption = caption,
                       .in_text_mention = (const char *const *)said->pdata,
                       .image = image,
                       .licence = a->licence,
                       .article_title = a->title,
                       .year = a->year};
  return found(&figure, user);
}

static gboolean
read_article(Article *a, PmcFigureFound found, gpointer user, guint *n_found, GError **error)
{
  a->meta = pmc_is(a->root, "article") ? pmc_find(a->root, "article-meta") : NULL;
  if (!a->meta) {
    g_set_error(error, STORE_ERROR, STORE_ERROR_FORMAT,
                "%s: found <%.40s>, expected a JATS article with its article-meta", a->name,
                (const char *)a->root->name);
    return FALSE;
  }
  read_front(a);
  collect_figs(a);
  read_mentions(a);
  for (guint i = 0; i < a->figs->len; i++) {
    *n_found += 1;
    if (!give(a, a->figs->pdata[i], found, user)) {
      g_set_error(error, STORE_ERROR, STORE_ERROR_CANCELLED, "%s: cancelled", a->name);
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
pmc_article_figures(const char *bytes, gsize n, const char *name, PmcFigureFound found,
                    gpointer user, guint *n_found, GError **error)
{
  g_auto(Article) article = {.name = name};
  xmlParserCtxt *context;
  xmlDoc *doc;
  guint ignored = 0;
  gboolean ok;

  if (n > PMC_MOST_ARTICLE_BYTES) {
    g_set_error(error, STORE_ERROR, STORE_ERROR_INVALID,
                "%s: %" G_GSIZE_FORMAT " bytes; expected an article of at most %u", name, n,
                PMC_MOST_ARTICLE_BYTES);
    return FALSE;
  }
  context = xmlNewParserCtxt();
  doc = context ? xmlCtxtReadMemory(context, bytes, (int)n, NULL, NULL,
                                    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                        XML_PARSE_COMPACT)
                : NULL;
  article.root = doc ? xmlDocGetRootElement(doc) : NULL;
  if (!article.root) {
    const xmlError *what = context ? xmlCtxtGetLastError(context) : NULL;
    g_set_error(error, STORE_ERROR, STORE_ERROR_CORRUPT, "%s: no well-formed XML (line %d)", name,
                what ? what->line : 0);
    ok = FALSE;
  } else {
    ok = read_article(&article, found, user, n_found ? n_found : &ignored, error);
  }
  xmlFreeDoc(doc);
  xmlFreeParserCtxt(context);
  return ok;
}
