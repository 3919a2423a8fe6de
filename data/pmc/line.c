/* line.c - a figure as a line of JSON, with the keys that LLaVA-Med's own files have. */
#include "pmc.h"

#include <string.h>

#include "json-text.h"

char *
pmc_figure_line(const PmcFigure *figure, gsize *n)
{
  GString *line = g_string_new("{");

  store_json_append_member(line, "pair_id", figure->pair_id);
  store_json_append_member(line, "pmid", figure->pmid);
  store_json_append_member(line, "pmcid", figure->pmcid);
  store_json_append_member(line, "fig_id", figure->fig_id);
  store_json_append_member(line, "fig_label", figure->fig_label);
  store_json_append_member(line, "fig_caption", figure->fig_caption);
  store_json_append_name(line, "in_text_mention");
  if (*figure->in_text_mention) {
    g_string_append_c(line, '[');
    for (guint i = 0; figure->in_text_mention[i]; i++) {
      if (i > 0) {
        g_string_append(line, ", ");
      }
      store_json_append(line, figure->in_text_mention[i], strlen(figure->in_text_mention[i]));
    }
    g_string_append_c(line, ']');
  } else {
    g_string_append(line, "null");
  }
  store_json_append_member(line, "image_file", figure->image);
  store_json_append_member(line, "licence", figure->licence);
  store_json_append_member(line, "article_title", figure->article_title);
  store_json_append_name(line, "year");
  if (figure->year > 0) {
    g_string_append_printf(line, "%u", figure->year);
  } else {
    g_string_append(line, "null");
  }
  g_string_append_c(line, '}');
  *n = line->len;
  return g_string_free(line, FALSE);
}
