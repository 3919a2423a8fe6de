/* jats.h - the text of JATS elements. Private to data/pmc. */
#ifndef HILUM_DATA_PMC_JATS_H
#define HILUM_DATA_PMC_JATS_H

#include <glib.h>
#include <libxml/tree.h>

/* A place where a text cites figures. */
typedef struct {
  guint start, end; /* bytes of the text: what the citation itself says */
  char *rids;       /* ids, with spaces between */
} PmcCitation;
void pmc_citation_clear(gpointer citation);

gboolean pmc_is(const xmlNode *node, const char *name);
/* Of an attribute, whatever its namespace; g_free(). NULL: there is none. */
char *pmc_attribute(xmlNode *node, const char *name);
/* The node behind NODE in the order of the document, below ROOT; INTO FALSE: not NODE's own
 * children. NULL at the end. */
xmlNode *pmc_next(xmlNode *node, const xmlNode *root, gboolean into);
/* The first element NAME below ROOT; NULL: none. */
xmlNode *pmc_find(xmlNode *root, const char *name);
/* The text of ROOT, white space made single spaces, without what stands apart from it: figures,
 * tables, footnotes, TeX, and paragraphs of its own inside when ROOT is one. CITATIONS (of
 * PmcCitation; may be NULL) gets where it cites figures. g_free(). */
char *pmc_text(xmlNode *root, GArray *citations);

#endif
