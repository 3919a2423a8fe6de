/* jats.c - see jats.h. Trees are walked without recursion: their depth is the document's choice. */
#include "pmc/jats.h"

#include <string.h>

void
pmc_citation_clear(gpointer citation)
{
  g_clear_pointer(&((PmcCitation *)citation)->rids, g_free);
}

gboolean
pmc_is(const xmlNode *node, const char *name)
{
  return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

char *
pmc_attribute(xmlNode *node, const char *name)
{
  for (xmlAttr *a = node->properties; a; a = a->next) {
    if (strcmp((const char *)a->name, name) == 0) {
      xmlChar *value = xmlNodeListGetString(node->doc, a->children, 1);
      char *copy = g_strdup((const char *)value);

      xmlFree(value);
      return copy;
    }
  }
  return NULL;
}

xmlNode *
pmc_next(xmlNode *node, const xmlNode *root, gboolean into)
{
  if (into && node->children && node->type == XML_ELEMENT_NODE) {
    return node->children;
  }
  while (node != root && !node->next) {
    node = node->parent;
  }
  return node == root ? NULL : node->next;
}

xmlNode *
pmc_find(xmlNode *root, const char *name)
{
  for (xmlNode *n = root; n; n = pmc_next(n, root, TRUE)) {
    if (n != root && pmc_is(n, name)) {
      return n;
    }
  }
  return NULL;
}

static gboolean
stands_apart(const xmlNode *node, const xmlNode *root)
{
  static const char *const names[] = {
      "fig",        "fig-group", "table-wrap", "fn",       "tex-math",
      "boxed-text", "media",     "object-id",  "alt-text", "supplementary-material"};

  if (node->type != XML_ELEMENT_NODE) {
    return FALSE;
  }
  for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
    if (pmc_is(node, names[i])) {
      return TRUE;
    }
  }
  return pmc_is(node, "p") && pmc_is(root, "p");
}

/* White space, also that of no width and the kinds that typesetters use, becomes one space. */
static void
append_words(GString *text, const char *from)
{
  for (const char *at = from; *at; at = g_utf8_next_char(at)) {
    const gunichar c = g_utf8_get_char(at);

    if (g_unichar_isspace(c) || c == 0xa0 || c == 0x200b || c == 0xfeff) {
      if (text->len > 0 && text->str[text->len - 1] != ' ') {
        g_string_append_c(text, ' ');
      }
    } else {
      g_string_append_unichar(text, c);
    }
  }
}

/* Elements that typesetting puts on lines of their own. */
static gboolean
breaks_line(const xmlNode *node)
{
  static const char *const names[] = {"p", "title", "break", "list-item", "disp-formula", "sec"};

  for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
    if (pmc_is(node, names[i])) {
      return TRUE;
    }
  }
  return FALSE;
}

/* TEXT's bytes from START on were said by XREF. */
static void
note_citation(GArray *citations, xmlNode *xref, guint start, guint end)
{
  g_autofree char *kind = pmc_attribute(xref, "ref-type");
  PmcCitation citation = {start, end, NULL};

  if (g_strcmp0(kind, "fig") == 0 && (citation.rids = pmc_attribute(xref, "rid"))) {
    g_array_append_val(citations, citation);
  }
}

char *
pmc_text(xmlNode *root, GArray *citations)
{
  GString *text = g_string_new(NULL);
  gboolean into;

  for (xmlNode *n = root; n; n = pmc_next(n, root, into)) {
    into = n == root || !stands_apart(n, root);
    if (!into || n == root) {
      continue;
    }
    if (n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE) {
      append_words(text, (const char *)n->content);
    } else if (breaks_line(n)) {
      append_words(text, " ");
    } else if (citations && pmc_is(n, "xref")) {
      /* What it says is text and, at most, its look: read at once. */
      const guint start = (guint)text->len;
      g_autofree char *said = pmc_text(n, NULL);

      append_words(text, said);
      note_citation(citations, n, start, (guint)text->len);
      into = FALSE;
    }
  }
  g_strchomp(text->str);
  return g_string_free(text, FALSE);
}
