/* words.c - lines of text that are read on any picture, black or white. */
#include "viewer/words.h"

#include <math.h>
#include <string.h>

/* Of the black edge, in logical pixels on either side of a stroke. */
#define EDGE 1.75
/* The corners change from slice to slice; what was not used lately goes. */
#define MOST_LINES 160

struct _DesktopWords {
  GtkWidget *widget; /* borrowed */
  GHashTable *lines; /* key: style, most, text */
};

typedef struct {
  GdkTexture *texture;
  int width, height; /* logical, with the edge */
} Line;

static void
line_free(gpointer data)
{
  Line *line = data;

  g_object_unref(line->texture);
  g_free(line);
}

DesktopWords *
desktop_words_new(GtkWidget *widget)
{
  DesktopWords *words = g_new(DesktopWords, 1);

  *words =
      (DesktopWords){widget, g_hash_table_new_full(g_str_hash, g_str_equal, g_free, line_free)};
  return words;
}

void
desktop_words_free(DesktopWords *words)
{
  if (words) {
    g_hash_table_unref(words->lines);
    g_free(words);
  }
}

void
desktop_words_forget(DesktopWords *words)
{
  g_hash_table_remove_all(words->lines);
}

/* ---- one line ----------------------------------------------------------------------------- */

static PangoLayout *
layout_new(DesktopWords *words, const char *text, DesktopWordsStyle style, int most)
{
  PangoLayout *layout = gtk_widget_create_pango_layout(words->widget, text);
  g_autoptr(PangoAttrList) list = pango_attr_list_new();
  DesktopWordsStyle kind = style & ~DESKTOP_WORDS_RIGHT;
  int width;

  if (kind != DESKTOP_WORDS_PLAIN && kind != DESKTOP_WORDS_WARNING &&
      kind != DESKTOP_WORDS_STATED) {
    pango_attr_list_insert(list, pango_attr_weight_new(PANGO_WEIGHT_BOLD));
  }
  /* Digits that change must not make their line dance. */
  pango_attr_list_insert(list, pango_attr_font_features_new("tnum"));
  pango_attr_list_insert(list, pango_attr_scale_new(kind == DESKTOP_WORDS_LETTER ? 1.3 : 1.0));
  pango_layout_set_attributes(layout, list);
  pango_layout_set_alignment(layout, kind == DESKTOP_WORDS_MESSAGE ? PANGO_ALIGN_CENTER
                                     : style & DESKTOP_WORDS_RIGHT ? PANGO_ALIGN_RIGHT
                                                                   : PANGO_ALIGN_LEFT);
  pango_layout_get_pixel_size(layout, &width, NULL);
  if (width > most || kind == DESKTOP_WORDS_MESSAGE) {
    /* Half a line says something else, or nothing. */
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_width(layout, MAX(most, 1) * PANGO_SCALE);
  }
  return layout;
}

static void
draw(cairo_t *cr, PangoLayout *layout, DesktopWordsStyle style)
{
  /* The edge is soft anyway; the letters on it are not drawn this way. */
  cairo_set_antialias(cr, CAIRO_ANTIALIAS_FAST);
  cairo_set_tolerance(cr, 0.25);
  pango_cairo_layout_path(cr, layout);
  cairo_set_line_width(cr, 2 * EDGE);
  cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
  cairo_set_source_rgb(cr, 0, 0, 0);
  cairo_stroke(cr);
  if ((style & ~DESKTOP_WORDS_RIGHT) == DESKTOP_WORDS_WARNING) {
    cairo_set_source_rgb(cr, 1, 0.8, 0.3);
  } else if ((style & ~DESKTOP_WORDS_RIGHT) == DESKTOP_WORDS_STATED) {
    cairo_set_source_rgb(cr, 0.75, 1, 0.8);
  } else {
    cairo_set_source_rgb(cr, 1, 1, 1);
  }
  cairo_move_to(cr, 0, 0);
  pango_cairo_show_layout(cr, layout);
}

/* From what cairo has, colours that alpha was multiplied into, to what GTK 4.8 paints in half the
 * time without a GPU. */
static void
unmultiply(guint8 *pixels, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    guint32 word, alpha;

    memcpy(&word, pixels + 4 * i, 4);
    alpha = word >> 24;
    if (alpha > 0 && alpha < 255) {
      guint32 r = ((word >> 16 & 0xff) * 255 + alpha / 2) / alpha;
      guint32 g = ((word >> 8 & 0xff) * 255 + alpha / 2) / alpha;
      guint32 b = ((word & 0xff) * 255 + alpha / 2) / alpha;

      word = alpha << 24 | MIN(r, 255) << 16 | MIN(g, 255) << 8 | MIN(b, 255);
      memcpy(pixels + 4 * i, &word, 4);
    }
  }
}

static Line *
line_new(DesktopWords *words, const char *text, DesktopWordsStyle style, int most)
{
  g_autoptr(PangoLayout) layout = layout_new(words, text, style, most);
  int scale = gtk_widget_get_scale_factor(words->widget), edge = (int)ceil(EDGE);
  PangoRectangle ink, logical;
  g_autoptr(GBytes) bytes = NULL;
  GdkMemoryFormat format = GDK_MEMORY_DEFAULT;
  cairo_surface_t *surface;
  cairo_t *cr;
  Line *line = g_new0(Line, 1);

  pango_layout_get_pixel_extents(layout, &ink, &logical);
  line->width = MAX(logical.width, 1) + 2 * edge;
  line->height = MAX(logical.height, 1) + 2 * edge;
  surface =
      cairo_image_surface_create(CAIRO_FORMAT_ARGB32, line->width * scale, line->height * scale);
  cr = cairo_create(surface);
  cairo_scale(cr, scale, scale);
  cairo_translate(cr, edge - logical.x, edge - logical.y);
  draw(cr, layout, style);
  cairo_destroy(cr);
  cairo_surface_flush(surface);
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
  format = GDK_MEMORY_B8G8R8A8;
  unmultiply(cairo_image_surface_get_data(surface),
             (gsize)cairo_image_surface_get_stride(surface) / 4 * (gsize)(line->height * scale));
#endif
  bytes = g_bytes_new_with_free_func(cairo_image_surface_get_data(surface),
                                     (gsize)cairo_image_surface_get_stride(surface) *
                                         (gsize)(line->height * scale),
                                     (GDestroyNotify)cairo_surface_destroy, surface);
  line->texture = gdk_memory_texture_new(line->width * scale, line->height * scale, format, bytes,
                                         (gsize)cairo_image_surface_get_stride(surface));
  return line;
}

static const Line *
find_line(DesktopWords *words, const char *text, DesktopWordsStyle style, int most)
{
  g_autofree char *key = g_strdup_printf("%d %d %s", (int)style, most, text);
  Line *line = g_hash_table_lookup(words->lines, key);

  if (!line) {
    if (g_hash_table_size(words->lines) >= MOST_LINES) {
      g_hash_table_remove_all(words->lines);
    }
    line = line_new(words, text, style, most);
    g_hash_table_insert(words->lines, g_steal_pointer(&key), line);
  }
  return line;
}

/* ---- many --------------------------------------------------------------------------------- */

void
desktop_words_measure(DesktopWords *words, const char *text, DesktopWordsStyle style, int most,
                      int *width, int *height)
{
  const Line *line = find_line(words, text, style, most);

  *width = line->width;
  *height = line->height;
}

void
desktop_words_snapshot(DesktopWords *words, GtkSnapshot *snapshot, const char *text,
                       DesktopWordsStyle style, int most, double x, double y)
{
  const Line *line = find_line(words, text, style, most);
  double scale = gtk_widget_get_scale_factor(words->widget);

  gtk_snapshot_append_texture(snapshot, line->texture,
                              &GRAPHENE_RECT_INIT((float)(round(x * scale) / scale),
                                                  (float)(round(y * scale) / scale),
                                                  (float)line->width, (float)line->height));
}
