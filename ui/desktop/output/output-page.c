/* output-page.c - the page that is printed: the picture, its text if asked for, the notice. */
#include "output/output-private.h"

#include <glib/gi18n.h>
#include <pango/pangocairo.h>

/* Points. */
#define TEXT_SIZE 8
#define GAP 8
#define HAIRLINE 0.5

typedef struct {
  cairo_t *cairo;
  double width, height;
} Page;

static PangoLayout *
layout_new(const Page *page, const char *text, double width, PangoAlignment alignment)
{
  PangoLayout *layout = pango_cairo_create_layout(page->cairo);
  PangoFontDescription *font = pango_font_description_from_string("Sans");

  pango_font_description_set_absolute_size(font, TEXT_SIZE * PANGO_SCALE);
  pango_layout_set_font_description(layout, font);
  pango_font_description_free(font);
  pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
  pango_layout_set_alignment(layout, alignment);
  pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
  pango_layout_set_text(layout, text, -1);
  return layout;
}

static double
layout_height(PangoLayout *layout)
{
  int height = 0;

  pango_layout_get_size(layout, NULL, &height);
  return (double)height / PANGO_SCALE;
}

static void
show_layout(const Page *page, PangoLayout *layout, double x, double y)
{
  cairo_move_to(page->cairo, x, y);
  pango_cairo_show_layout(page->cairo, layout);
}

/* Two texts side by side, at Y; their height. With DRAW FALSE nothing is drawn. */
static double
show_pair(const Page *page, const char *left, const char *right, double y, gboolean draw)
{
  double half = (page->width - GAP) / 2;
  g_autoptr(PangoLayout) one = layout_new(page, left, half, PANGO_ALIGN_LEFT);
  g_autoptr(PangoLayout) other = layout_new(page, right, half, PANGO_ALIGN_RIGHT);

  if (draw) {
    show_layout(page, one, 0, y);
    show_layout(page, other, page->width - half, y);
  }
  return *left || *right ? MAX(layout_height(one), layout_height(other)) + GAP : 0;
}

static void
show_picture(const Page *page, const AppCanvas *canvas, double top, double height)
{
  double scale = MIN(page->width / canvas->width, height / canvas->height);
  cairo_surface_t *surface;

  if (!(scale > 0)) {
    return;
  }
  /* Cairo reads only: nothing is drawn on this surface. */
  surface = cairo_image_surface_create_for_data(
      (unsigned char *)g_bytes_get_data(canvas->pixels, NULL), CAIRO_FORMAT_RGB24,
      (int)canvas->width, (int)canvas->height, (int)canvas->width * 4);
  cairo_save(page->cairo);
  cairo_translate(page->cairo, (page->width - canvas->width * scale) / 2,
                  top + (height - canvas->height * scale) / 2);
  cairo_scale(page->cairo, scale, scale);
  cairo_set_source_surface(page->cairo, surface, 0, 0);
  /* Sharp at its edges, and told from the paper by a line where it is white. */
  cairo_pattern_set_extend(cairo_get_source(page->cairo), CAIRO_EXTEND_PAD);
  cairo_rectangle(page->cairo, 0, 0, canvas->width, canvas->height);
  cairo_fill_preserve(page->cairo);
  cairo_restore(page->cairo);
  cairo_set_line_width(page->cairo, HAIRLINE);
  cairo_stroke(page->cairo);
  /* What records drawings, as a PDF does, copies it now and not when the bytes are gone. */
  cairo_surface_flush(cairo_get_target(page->cairo));
  cairo_surface_finish(surface);
  cairo_surface_destroy(surface);
}

void
desktop_output_draw_page(const DesktopOutput *output, cairo_t *cairo, double width, double height)
{
  const Page page = {cairo, width, height};
  const AppSliceFacts *facts = app_slice_facts(output->picture.slice);
  gboolean texts = output->with_texts;
  g_autofree char *patient = texts ? g_strjoinv("\n", facts->patient_lines) : g_strdup("");
  g_autofree char *study = texts ? g_strjoinv("\n", facts->study_lines) : g_strdup("");
  g_autofree char *image = texts ? g_strjoinv("\n", facts->image_lines) : g_strdup("");
  g_autofree char *shown = g_strdup_printf("%s\n%s", facts->label, output->window_text);
  g_autofree char *notices = g_strjoinv(" · ", facts->notices);
  g_autofree char *notice = g_strdup_printf("%s%s%s", APP_NOTICE, *notices ? "\n" : "", notices);
  g_autoptr(PangoLayout) end = layout_new(&page, notice, width, PANGO_ALIGN_CENTER);
  double top, bottom, below = layout_height(end);

  cairo_set_source_rgb(cairo, 0, 0, 0);
  top = show_pair(&page, patient, study, 0, TRUE);
  bottom = show_pair(&page, image, shown, 0, FALSE);
  show_pair(&page, image, shown, height - below - bottom, TRUE);
  show_layout(&page, end, 0, height - below);
  show_picture(&page, output->canvas, top, height - top - bottom - below - GAP);
}
