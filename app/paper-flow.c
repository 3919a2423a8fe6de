/* paper-flow.c - columns of text side by side, line by line, over as many pages as it takes.
 *
 * A text is laid out in pieces, so that the memory and Pango's numbers stay small whatever its
 * length.
 */
#include <string.h>

#include "paper-private.h"

/* Bytes of a piece. */
#define PIECE 16384
#define INSET 9.0 /* between the edge that is drawn and the words */
#define GAP 12.0  /* between columns */

/* How far a column has come. */
typedef struct {
  const AppPaperColumn *column;
  double left, width;
  gsize span;            /* the present one */
  const char *rest;      /* of its text, behind LAYOUT's */
  PangoLayout *layout;   /* NULL: the next piece is to be laid out */
  PangoLayoutIter *line; /* at the line that comes next */
  int above;             /* Pango units of LAYOUT that are drawn */
} Stream;

static void
stream_clear(Stream *stream)
{
  g_clear_pointer(&stream->line, pango_layout_iter_free);
  g_clear_object(&stream->layout);
}

/* Bytes of the next piece of TEXT: whole paragraphs where it can be, else whole characters. */
static gsize
piece_of(const char *text)
{
  gsize n = strnlen(text, PIECE), end;

  if (n < PIECE) {
    return n;
  }
  for (end = n; end > 0 && text[end - 1] != '\n'; end--) {
  }
  if (end > 0) {
    return end;
  }
  for (end = n; end > 0 && ((guchar)text[end] & 0xc0) == 0x80; end--) {
  }
  return end > 0 ? end : n;
}

static void
lay_out(AppPaper *paper, Stream *stream)
{
  const AppPaperStyle style = stream->column->spans[stream->span].style;
  const gsize n = piece_of(stream->rest);
  const gsize shown = n > 0 && stream->rest[n - 1] == '\n' ? n - 1 : n;
  const double inset = stream->column->edge == APP_PAPER_PLAIN ? 0 : INSET;
  g_autofree char *valid = g_utf8_make_valid(stream->rest, (gssize)shown);

  stream->layout = app_paper_layout(paper, style, valid, -1, stream->width - inset);
  stream->line = pango_layout_get_iter(stream->layout);
  stream->rest += n;
  stream->above = 0;
}

/* Whether there is a line to draw. */
static gboolean
has_line(AppPaper *paper, Stream *stream)
{
  while (!stream->line && stream->span < stream->column->n_spans) {
    if (!stream->rest) {
      stream->rest = stream->column->spans[stream->span].text;
      lay_out(paper, stream);
    } else if (*stream->rest) {
      lay_out(paper, stream);
    } else {
      stream->rest = NULL;
      stream->span++;
    }
  }
  return stream->line != NULL;
}

static void
draw_line(AppPaper *paper, Stream *stream, double y)
{
  PangoRectangle extents;
  const double inset = stream->column->edge == APP_PAPER_PLAIN ? 0 : INSET;
  const int baseline = pango_layout_iter_get_baseline(stream->line) - stream->above;

  pango_layout_iter_get_line_extents(stream->line, NULL, &extents);
  app_paper_ink(paper, stream->column->spans[stream->span].style);
  cairo_move_to(paper->cairo, stream->left + inset + (double)extents.x / PANGO_SCALE,
                y + (double)baseline / PANGO_SCALE);
  pango_cairo_show_layout_line(paper->cairo, pango_layout_iter_get_line_readonly(stream->line));
}

/* Draws what fits between TOP and the foot of the page; at least one line when MUST. Returns where
 * it ends. */
static double
draw_lines(AppPaper *paper, Stream *stream, double top, gboolean must)
{
  double y = top;

  while (has_line(paper, stream)) {
    int from, to;
    double height;

    pango_layout_iter_get_line_yrange(stream->line, &from, &to);
    height = (double)(to - stream->above) / PANGO_SCALE;
    if (y + height > PAPER_BOTTOM && !(must && y == top)) {
      break;
    }
    draw_line(paper, stream, y);
    y += height;
    stream->above = to;
    if (!pango_layout_iter_next_line(stream->line)) {
      stream_clear(stream);
    }
  }
  return y;
}

/* Beside the words, for they say it too: blue is the machine's, green a person's. */
static void
draw_edge(AppPaper *paper, const Stream *stream, double top, double bottom)
{
  static const double colours[][3] = {
      {0, 0, 0}, {0.21, 0.52, 0.89}, {0.15, 0.57, 0.34}, {0.78, 0.35, 0.1}};
  const AppPaperEdge edge = stream->column->edge;

  if (edge != APP_PAPER_PLAIN && bottom > top) {
    cairo_set_source_rgb(paper->cairo, colours[edge][0], colours[edge][1], colours[edge][2]);
    cairo_rectangle(paper->cairo, stream->left, top, 2, bottom - top);
    cairo_fill(paper->cairo);
  }
}

static gboolean
any_left(AppPaper *paper, Stream *streams, gsize n)
{
  gboolean any = FALSE;

  for (gsize i = 0; i < n; i++) {
    any = has_line(paper, &streams[i]) || any;
  }
  return any;
}

static void
open_streams(Stream *streams, const AppPaperColumn *columns, gsize n, double left, double width)
{
  for (gsize i = 0; i < n; i++) {
    streams[i] = (Stream){.column = &columns[i],
                          .left = left,
                          .width = columns[i].share * width - (i + 1 < n ? GAP : 0)};
    left += columns[i].share * width;
  }
}

void
app_paper_flow(AppPaper *paper, const AppPaperColumn *columns, gsize n, double left, double width)
{
  g_autofree Stream *streams = g_new0(Stream, n);

  open_streams(streams, columns, n, left, width);
  while (any_left(paper, streams, n)) {
    const double top = paper->y;
    double bottom = top;

    for (gsize i = 0; i < n; i++) {
      double end = draw_lines(paper, &streams[i], top, top <= PAPER_TOP);

      bottom = MAX(bottom, end);
    }
    for (gsize i = 0; i < n; i++) {
      draw_edge(paper, &streams[i], top, bottom);
    }
    paper->y = bottom;
    if (any_left(paper, streams, n)) {
      app_paper_next_page(paper);
    }
  }
  for (gsize i = 0; i < n; i++) {
    stream_clear(&streams[i]);
  }
}
