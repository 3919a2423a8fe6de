/* turn-sure.c - what the model was not sure of, underlined.
 *
 * A token's probability says how the model would have gone on otherwise; it does not say how likely
 * the finding is, and the legend says so. Three levels differ by the kind of line, not by colour.
 */
#include <glib/gi18n.h>
#include <string.h>

#include "conversation/turn-row-private.h"

/* From here on a piece is underlined. */
#define LIKELY 0.8
#define UNSURE 0.5
#define GUESS 0.2

/* ---- pieces ------------------------------------------------------------------------------- */

/* They are shown only when they are the answer, byte by byte: what is underlined must be what was
 * thought of. White space around all of it may have been cut off the answer. */
void
desktop_turn_row_take_pieces(DesktopTurnRow *self, JsonObject *turn, const char *answer)
{
  JsonArray *tokens = desktop_turn_array(turn, "tokens");
  guint n = tokens ? json_array_get_length(tokens) : 0;
  g_autoptr(GString) all = g_string_new(NULL);
  g_autoptr(GArray) pieces = g_array_sized_new(FALSE, FALSE, sizeof(DesktopPiece), n);
  const char *at;
  guint shift, length = (guint)strlen(answer);

  for (guint i = 0; i < n; i++) {
    JsonNode *node = json_array_get_element(tokens, i);
    JsonObject *token = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    DesktopPiece piece = {.start = (guint)all->len};
    if (token) {
      g_string_append(all, desktop_turn_text(token, "text"));
      piece.end = (guint)all->len;
      piece.p = desktop_turn_number(token, "p", 1);
      g_array_append_val(pieces, piece);
    }
  }
  at = n > 0 && length > 0 ? strstr(all->str, answer) : NULL;
  if (!at) {
    return;
  }
  shift = (guint)(at - all->str);
  for (guint i = 0; i < pieces->len; i++) {
    DesktopPiece *piece = &g_array_index(pieces, DesktopPiece, i);
    piece->start = CLAMP(piece->start, shift, shift + length) - shift;
    piece->end = CLAMP(piece->end, shift, shift + length) - shift;
    while (piece->start < piece->end && g_ascii_isspace(answer[piece->start])) {
      piece->start++; /* the line is for the word */
    }
  }
  g_clear_pointer(&self->pieces, g_array_unref);
  self->pieces = g_steal_pointer(&pieces);
  desktop_turn_row_update_sure(self);
}

static PangoUnderline
underline_of(double p)
{
  return p < GUESS    ? PANGO_UNDERLINE_ERROR
         : p < UNSURE ? PANGO_UNDERLINE_DOUBLE
         : p < LIKELY ? PANGO_UNDERLINE_SINGLE
                      : PANGO_UNDERLINE_NONE;
}

/* Words and their likelihood, for who cannot see the lines; "" when all is sure. */
static char *
unsure_text(DesktopTurnRow *self)
{
  const char *answer = gtk_label_get_text(self->answer);
  GString *text = g_string_new(NULL);

  for (guint i = 0; i < self->pieces->len; i++) {
    const DesktopPiece *piece = &g_array_index(self->pieces, DesktopPiece, i);
    g_autofree char *word = g_strndup(answer + piece->start, piece->end - piece->start);
    if (piece->p < LIKELY && *g_strstrip(word)) {
      g_string_append_printf(text, _("%s“%s” %.0f %%"), text->len > 0 ? ", " : "", word,
                             100 * piece->p);
    }
  }
  return g_string_free(text, FALSE);
}

static void
describe(DesktopTurnRow *self, gboolean shown)
{
  g_autofree char *words = shown ? unsure_text(self) : NULL;
  g_autofree char *text =
      words && *words ? g_strdup_printf(_("The model was unsure of: %s"), words) : NULL;

  if (text) {
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->answer),
                                   GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text, -1);
  } else {
    gtk_accessible_reset_property(GTK_ACCESSIBLE(self->answer),
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION);
  }
}

void
desktop_turn_row_update_sure(DesktopTurnRow *self)
{
  PangoAttrList *list = pango_attr_list_new();
  gboolean shown = self->sure && self->turn, has_lines = FALSE;

  for (guint i = 0; shown && self->pieces && i < self->pieces->len; i++) {
    const DesktopPiece *piece = &g_array_index(self->pieces, DesktopPiece, i);
    PangoUnderline underline = underline_of(piece->p);
    if (underline != PANGO_UNDERLINE_NONE && piece->end > piece->start) {
      PangoAttribute *attribute = pango_attr_underline_new(underline);
      attribute->start_index = piece->start;
      attribute->end_index = piece->end;
      pango_attr_list_insert(list, attribute);
      has_lines = TRUE;
    }
  }
  gtk_label_set_attributes(self->answer, list);
  pango_attr_list_unref(list);
  gtk_label_set_text(
      self->legend,
      self->pieces
          ? _("Underlined: the model might have gone on otherwise. One line: 50 to 80 % sure of "
              "the "
              "word, two: 20 to 50 %, a wave: less. It is not the likelihood of a finding.")
          : _("How sure the model was is not known of this answer."));
  gtk_widget_set_visible(GTK_WIDGET(self->legend), shown && (has_lines || !self->pieces));
  describe(self, shown && self->pieces);
}

void
desktop_turn_row_set_sure(DesktopTurnRow *self, gboolean sure)
{
  self->sure = sure;
  desktop_turn_row_update_sure(self);
}

gboolean
desktop_turn_row_tooltip(DesktopTurnRow *self, int x, int y, gboolean keyboard, GtkTooltip *tooltip)
{
  const char *answer = gtk_label_get_text(self->answer);
  PangoLayout *layout = gtk_label_get_layout(self->answer);
  int left, top, index, trailing;

  gtk_label_get_layout_offsets(self->answer, &left, &top);
  if (!self->sure || !self->pieces || keyboard ||
      !pango_layout_xy_to_index(layout, (x - left) * PANGO_SCALE, (y - top) * PANGO_SCALE, &index,
                                &trailing)) {
    return FALSE;
  }
  for (guint i = 0; i < self->pieces->len; i++) {
    const DesktopPiece *piece = &g_array_index(self->pieces, DesktopPiece, i);
    if ((guint)index >= piece->start && (guint)index < piece->end) {
      g_autofree char *word = g_strndup(answer + piece->start, piece->end - piece->start);
      g_autofree char *text =
          g_strdup_printf(_("“%s”: %.0f %% sure"), g_strstrip(word), 100 * piece->p);
      gtk_tooltip_set_text(tooltip, text);
      return TRUE;
    }
  }
  return FALSE;
}
