/* paper.c - the pages of a document in PDF: their head and foot, tables and pictures. */
#include "paper.h"

#include <string.h>

#include <glib/gi18n.h>

#include "paper-private.h"

/* Of a picture on the page; what is larger is drawn smaller. */
#define PICTURE_MOST 190.0
#define PICTURE_GAP 14.0
#define NAME_SHARE 0.26

/* ---- pages --------------------------------------------------------------------------------- */

void
app_paper_ink(AppPaper *paper, AppPaperStyle style)
{
  if (style == APP_PAPER_SMALL || style == APP_PAPER_LABEL || style == APP_PAPER_FOOT) {
    cairo_set_source_rgb(paper->cairo, 0.33, 0.33, 0.36);
  } else {
    cairo_set_source_rgb(paper->cairo, 0.08, 0.08, 0.1);
  }
}

PangoLayout *
app_paper_layout(AppPaper *paper, AppPaperStyle style, const char *text, int n, double width)
{
  static const char *const fonts[] = {"Sans Bold 20", "Sans Bold 13", "Sans Bold 8.5", "Sans 10.5",
                                      "Sans 8.5",     "Monospace 8",  "Sans 7.5"};
  PangoLayout *layout = pango_cairo_create_layout(paper->cairo);
  PangoFontDescription *font = pango_font_description_from_string(fonts[style]);
  PangoAttrList *attributes = pango_attr_list_new();

  /* A point of a font is one of the page. */
  pango_cairo_context_set_resolution(pango_layout_get_context(layout), 72);
  pango_layout_context_changed(layout);
  pango_layout_set_font_description(layout, font);
  pango_font_description_free(font);
  /* A hyphen in a hash would be a character of it. */
  pango_attr_list_insert(attributes, pango_attr_insert_hyphens_new(FALSE));
  pango_layout_set_attributes(layout, attributes);
  pango_attr_list_unref(attributes);
  pango_layout_set_text(layout, text, n);
  if (width > 0) {
    pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_line_spacing(layout, style == APP_PAPER_BODY ? 1.15f : 1.05f);
  } else {
    pango_layout_set_single_paragraph_mode(layout, TRUE);
  }
  return layout;
}

/* One line at the LEFT or the right edge; what is too long for WIDTH ends in dots. */
static void
put_line(AppPaper *paper, AppPaperStyle style, const char *text, double y, double width,
         gboolean right)
{
  PangoLayout *layout = app_paper_layout(paper, style, text, -1, 0);

  pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
  pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
  pango_layout_set_alignment(layout, right ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT);
  app_paper_ink(paper, style);
  cairo_move_to(paper->cairo, right ? PAPER_WIDTH - PAPER_SIDE - width : PAPER_SIDE, y);
  pango_cairo_show_layout(paper->cairo, layout);
  g_object_unref(layout);
}

static void
put_rule(AppPaper *paper, double y)
{
  cairo_set_source_rgb(paper->cairo, 0.72, 0.72, 0.75);
  cairo_set_line_width(paper->cairo, 0.5);
  cairo_move_to(paper->cairo, PAPER_SIDE, y);
  cairo_line_to(paper->cairo, PAPER_WIDTH - PAPER_SIDE, y);
  cairo_stroke(paper->cairo);
}

/* What each page has. */
static void
begin_page(AppPaper *paper)
{
  g_autofree char *number = NULL;

  paper->page++;
  paper->y = PAPER_TOP;
  number = g_strdup_printf(_("Page %u of %u"), paper->page, MAX(paper->n_pages, paper->page));
  put_line(paper, APP_PAPER_SMALL, paper->look->title, 34, 0.5 * PAPER_INNER, FALSE);
  put_line(paper, APP_PAPER_LABEL, paper->look->notice, 34, 0.5 * PAPER_INNER, TRUE);
  put_rule(paper, 49);
  put_rule(paper, PAPER_HEIGHT - 52);
  put_line(paper, APP_PAPER_LABEL, paper->look->notice, PAPER_HEIGHT - 46, 0.8 * PAPER_INNER,
           FALSE);
  put_line(paper, APP_PAPER_SMALL, number, PAPER_HEIGHT - 46, 0.2 * PAPER_INNER, TRUE);
  put_line(paper, APP_PAPER_FOOT, paper->look->foot, PAPER_HEIGHT - 34, PAPER_INNER, FALSE);
}

void
app_paper_next_page(AppPaper *paper)
{
  cairo_show_page(paper->cairo);
  begin_page(paper);
}

/* ---- life ---------------------------------------------------------------------------------- */

static cairo_status_t
keep(void *data, const unsigned char *bytes, unsigned int n)
{
  const AppPaper *paper = data;

  if (paper->bytes) {
    if (n > G_MAXUINT - paper->bytes->len) {
      return CAIRO_STATUS_WRITE_ERROR;
    }
    g_byte_array_append(paper->bytes, bytes, n);
  }
  return CAIRO_STATUS_SUCCESS;
}

static void
set_properties(cairo_surface_t *surface, const AppPaperLook *look)
{
  cairo_pdf_surface_restrict_to_version(surface, CAIRO_PDF_VERSION_1_5);
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, look->title);
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_SUBJECT, look->subject);
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_KEYWORDS, look->notice);
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "Hilum");
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, look->created);
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_MOD_DATE, look->created);
}

AppPaper *
app_paper_new(const AppPaperLook *look, guint n_pages)
{
  AppPaper *paper = g_new0(AppPaper, 1);

  paper->look = look;
  paper->n_pages = n_pages;
  paper->bytes = n_pages > 0 ? g_byte_array_new() : NULL;
  paper->surface = cairo_pdf_surface_create_for_stream(keep, paper, PAPER_WIDTH, PAPER_HEIGHT);
  set_properties(paper->surface, look);
  paper->cairo = cairo_create(paper->surface);
  begin_page(paper);
  return paper;
}

guint
app_paper_n_pages(AppPaper *paper)
{
  return paper->page;
}

GBytes *
app_paper_finish(AppPaper *paper, GError **error)
{
  cairo_status_t status = cairo_status(paper->cairo);
  GBytes *pdf = NULL;

  g_clear_pointer(&paper->cairo, cairo_destroy);
  cairo_surface_finish(paper->surface);
  status = status == CAIRO_STATUS_SUCCESS ? cairo_surface_status(paper->surface) : status;
  if (status != CAIRO_STATUS_SUCCESS) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "the PDF cannot be drawn: %s",
                cairo_status_to_string(status));
  } else {
    pdf = paper->bytes ? g_byte_array_free_to_bytes(g_steal_pointer(&paper->bytes))
                       : g_bytes_new(NULL, 0);
  }
  app_paper_free(paper);
  return pdf;
}

void
app_paper_free(AppPaper *paper)
{
  if (paper) {
    g_clear_pointer(&paper->cairo, cairo_destroy);
    g_clear_pointer(&paper->surface, cairo_surface_destroy);
    g_clear_pointer(&paper->bytes, g_byte_array_unref);
    g_free(paper);
  }
}

/* ---- what is on them ------------------------------------------------------------------------ */

void
app_paper_columns(AppPaper *paper, const AppPaperColumn *columns, gsize n)
{
  app_paper_flow(paper, columns, n, PAPER_SIDE, PAPER_INNER);
}

void
app_paper_text(AppPaper *paper, AppPaperStyle style, const char *text)
{
  const AppPaperSpan span = {style, text};
  const AppPaperColumn column = {&span, 1, APP_PAPER_PLAIN, 1};

  app_paper_columns(paper, &column, 1);
}

void
app_paper_space(AppPaper *paper, double points)
{
  paper->y += points;
}

void
app_paper_part(AppPaper *paper, const char *name, const char *aside)
{
  g_autofree char *link = NULL;

  if (paper->y > PAPER_TOP) {
    paper->y += 16;
  }
  if (paper->y > PAPER_BOTTOM - 110) {
    app_paper_next_page(paper);
  }
  link = g_strdup_printf("page=%u pos=[%.0f %.0f]", paper->page, PAPER_SIDE, paper->y - 6);
  cairo_pdf_surface_add_outline(paper->surface, CAIRO_PDF_OUTLINE_ROOT, name, link,
                                CAIRO_PDF_OUTLINE_FLAG_OPEN);
  put_rule(paper, paper->y);
  paper->y += 7;
  if (aside) {
    put_line(paper, APP_PAPER_SMALL, aside, paper->y + 4, 0.5 * PAPER_INNER, TRUE);
  }
  put_line(paper, APP_PAPER_HEADING, name, paper->y, 0.5 * PAPER_INNER, FALSE);
  paper->y += 24;
}

static void
put_table(AppPaper *paper, const char *const *names_and_values, double left, double width)
{
  for (const char *const *at = names_and_values; at[0]; at += 2) {
    const gboolean is_code = at[1] && strlen(at[1]) > 32 && !strchr(at[1], ' ');
    const AppPaperSpan name = {APP_PAPER_LABEL, at[0]};
    const AppPaperSpan value = {is_code ? APP_PAPER_MONO : APP_PAPER_SMALL, at[1]};
    const double share = width < PAPER_INNER ? NAME_SHARE + 0.08 : NAME_SHARE;
    const AppPaperColumn columns[] = {{&name, 1, APP_PAPER_PLAIN, share},
                                      {&value, 1, APP_PAPER_PLAIN, 1 - share}};

    if (at[1]) {
      app_paper_flow(paper, columns, 2, left, width);
      paper->y += 1.5;
    }
  }
}

void
app_paper_table(AppPaper *paper, const char *const *names_and_values)
{
  put_table(paper, names_and_values, PAPER_SIDE, PAPER_INNER);
}

static void
draw_picture(AppPaper *paper, const AppPaperPicture *picture, double scale)
{
  const int width = (int)picture->width, height = (int)picture->height;
  cairo_surface_t *image = cairo_image_surface_create_for_data(
      (unsigned char *)picture->words, CAIRO_FORMAT_RGB24, width, height, 4 * width);

  cairo_save(paper->cairo);
  cairo_translate(paper->cairo, PAPER_SIDE, paper->y);
  cairo_scale(paper->cairo, scale, scale);
  cairo_set_source_surface(paper->cairo, image, 0, 0);
  cairo_paint(paper->cairo);
  cairo_restore(paper->cairo);
  cairo_surface_destroy(image);
}

void
app_paper_picture(AppPaper *paper, const AppPaperPicture *picture,
                  const char *const *names_and_values)
{
  const double scale = PICTURE_MOST / MAX(picture->width, picture->height);
  const double height = scale * picture->height;
  const double left = PAPER_SIDE + PICTURE_MOST + PICTURE_GAP;
  guint page;
  double bottom;

  if (paper->y + height > PAPER_BOTTOM) {
    app_paper_next_page(paper);
  }
  page = paper->page;
  bottom = paper->y + height;
  if (paper->bytes) {
    draw_picture(paper, picture, scale);
  }
  put_table(paper, names_and_values, left, PAPER_INNER - PICTURE_MOST - PICTURE_GAP);
  if (paper->page == page) {
    paper->y = MAX(paper->y, bottom);
  }
  paper->y += 10;
}
