/* plot.c - numbers as pictures, in SVG 1.1 with a style sheet of its own. */
#include <math.h>
#include <string.h>

#include "dataset.h"

#define WIDTH 720
#define ROW 26
#define LEFT 150
#define TOP 48

static void
append_number(GString *svg, double value)
{
  char text[32];

  g_string_append(svg, g_ascii_formatd(text, sizeof text, "%.2f", value));
}

/* " NAME="VALUE"" */
static void
attribute(GString *svg, const char *name, double value)
{
  g_string_append_printf(svg, " %s=\"", name);
  append_number(svg, value);
  g_string_append_c(svg, '"');
}

static void
put_text(GString *svg, double x, double y, const char *class, const char *text)
{
  g_autofree char *escaped = g_markup_escape_text(text, -1);

  g_string_append(svg, "<text");
  attribute(svg, "x", x);
  attribute(svg, "y", y);
  g_string_append_printf(svg, " class=\"%s\">%s</text>\n", class, escaped);
}

static void
put_rectangle(GString *svg, double x, double y, double width, double height, const char *title)
{
  g_autofree char *escaped = g_markup_escape_text(title, -1);

  g_string_append(svg, "<rect class=\"bar\"");
  attribute(svg, "x", x);
  attribute(svg, "y", y);
  attribute(svg, "width", width);
  attribute(svg, "height", height);
  g_string_append_printf(svg, "><title>%s</title></rect>\n", escaped);
}

static GString *
begin(const char *title, guint height)
{
  GString *svg = g_string_new(NULL);
  g_autofree char *escaped = g_markup_escape_text(title, -1);

  g_string_append_printf(
      svg,
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %u\" width=\"%d\" height=\"%u\" "
      "role=\"img\">\n<title>%s</title>\n<style>\n"
      "text { font: 13px sans-serif; fill: #222 }\n"
      ".title { font-size: 16px; font-weight: bold }\n"
      ".name { text-anchor: end }\n.middle { text-anchor: middle }\n"
      ".small { font-size: 10px; text-anchor: middle }\n"
      ".bar { fill: #3569b5 }\n.line { stroke: #888; stroke-width: 1 }\n"
      ".ground { fill: #fff }\npath { stroke: #fff; stroke-width: 1 }\n"
      "@media (prefers-color-scheme: dark) {\n"
      "text { fill: #eee } .bar { fill: #7aa6e8 } .ground { fill: #1e1e1e } path { stroke: #1e1e1e "
      "}"
      "\n}\n</style>\n<rect class=\"ground\" width=\"%d\" height=\"%u\"/>\n",
      WIDTH, height, WIDTH, height, escaped, WIDTH, height);
  put_text(svg, 16, 26, "title", title);
  return svg;
}

static char *
end(GString *svg)
{
  g_string_append(svg, "</svg>\n");
  return g_string_free(svg, FALSE);
}

char *
data_plot_bars(const char *title, const GArray *shares)
{
  GString *svg = begin(title, TOP + ROW * MAX(shares->len, 1) + 16);
  guint64 most = 1;

  for (guint i = 0; i < shares->len; i++) {
    most = MAX(most, g_array_index(shares, DataShare, i).count);
  }
  for (guint i = 0; i < shares->len; i++) {
    const DataShare *share = &g_array_index(shares, DataShare, i);
    const double y = TOP + ROW * i,
                 width = (WIDTH - LEFT - 110) * (double)share->count / (double)most;
    g_autofree char *count = g_strdup_printf("%" G_GUINT64_FORMAT, share->count);

    put_text(svg, LEFT - 8, y + 17, "name", share->name);
    put_rectangle(svg, LEFT, y + 4, width, ROW - 8, count);
    put_text(svg, LEFT + width + 6, y + 17, "count", count);
  }
  return end(svg);
}

char *
data_plot_lengths(const char *title, const DataLengths *lengths, guint width)
{
  const guint height = 320, ground = height - 40;
  const guint last = data_lengths_quantile(lengths, 0.995);
  const guint n = MIN(last / MAX(width, 1) + 1, 60);
  const double column = (WIDTH - 80.0) / n;
  GString *svg = begin(title, height);
  guint64 sums[60] = {0}, most = 1;

  for (guint i = 0; i <= DATA_MOST_WORDS; i++) {
    sums[MIN(i / MAX(width, 1), n - 1)] += lengths->lengths[i];
  }
  for (guint i = 0; i < n; i++) {
    most = MAX(most, sums[i]);
  }
  for (guint i = 0; i < n; i++) {
    const double bar = (ground - TOP) * (double)sums[i] / (double)most;
    g_autofree char *what =
        i + 1 < n ? g_strdup_printf("%u to %u words: %" G_GUINT64_FORMAT, i * width,
                                    (i + 1) * width - 1, sums[i])
                  : g_strdup_printf("%u words or more: %" G_GUINT64_FORMAT, i * width, sums[i]);

    put_rectangle(svg, 40 + column * i + 1, ground - bar, MAX(column - 2, 1), bar, what);
    if (i % MAX(1, (n + 9) / 10) == 0) {
      g_autofree char *from = g_strdup_printf("%u", i * width);
      put_text(svg, 40 + column * i, ground + 18, "middle", from);
    }
  }
  put_text(svg, WIDTH / 2, height - 6, "middle", "words");
  return end(svg);
}

/* ---- rings -------------------------------------------------------------------------------------
 */

static void
put_point(GString *svg, const char *command, double radius, double angle)
{
  g_string_append(svg, command);
  append_number(svg, WIDTH / 2.0 + radius * sin(angle));
  g_string_append_c(svg, ' ');
  append_number(svg, WIDTH / 2.0 + 30 - radius * cos(angle));
}

/* A piece of a ring between two radii and two angles. */
static void
put_piece(GString *svg, double inner, double outer, double from, double to, guint hue,
          guint lightness, const char *title)
{
  const int large = to - from > G_PI;
  g_autofree char *escaped = g_markup_escape_text(title, -1);

  to = MIN(to, from + 2 * G_PI - 1e-3);
  put_point(svg, "<path d=\"M", outer, from);
  g_string_append_printf(svg, " A%d %d 0 %d 1 ", (int)outer, (int)outer, large);
  put_point(svg, "", outer, to);
  put_point(svg, " L", inner, to);
  g_string_append_printf(svg, " A%d %d 0 %d 0 ", (int)inner, (int)inner, large);
  put_point(svg, "", inner, from);
  g_string_append_printf(svg, " Z\" fill=\"hsl(%u,55%%,%u%%)\"><title>%s</title></path>\n", hue,
                         lightness, escaped);
}

static void
put_label(GString *svg, double radius, double from, double to, const char *name)
{
  const double angle = (from + to) / 2, x = WIDTH / 2.0 + radius * sin(angle),
               y = WIDTH / 2.0 + 30 - radius * cos(angle);
  double turn = angle * 180 / G_PI - 90;
  g_autofree char *escaped = g_markup_escape_text(name, -1);

  if ((to - from) * radius < 9) {
    return;
  }
  turn += turn > 90 ? 180 : 0;
  g_string_append(svg, "<text class=\"small\" transform=\"translate(");
  append_number(svg, x);
  g_string_append_c(svg, ' ');
  append_number(svg, y);
  g_string_append(svg, ") rotate(");
  append_number(svg, turn);
  g_string_append_printf(svg, ")\" dy=\"3\">%s</text>\n", escaped);
}

static void
put_verb(GString *svg, const DataShare *verb, guint hue, double from, double scale)
{
  const double to = from + scale * (double)verb->count;
  double at = from;
  g_autofree char *title = g_strdup_printf("%s: %" G_GUINT64_FORMAT, verb->name, verb->count);

  put_piece(svg, 110, 220, from, to, hue, 70, title);
  put_label(svg, 165, from, to, verb->name);
  for (guint i = 0; verb->parts && i < verb->parts->len; i++) {
    const DataShare *noun = &g_array_index(verb->parts, DataShare, i);
    const double next = at + scale * (double)noun->count;
    g_autofree char *what =
        g_strdup_printf("%s %s: %" G_GUINT64_FORMAT, verb->name, noun->name, noun->count);

    put_piece(svg, 222, 330, at, next, hue, 82, what);
    put_label(svg, 276, at, next, noun->name);
    at = next;
  }
}

char *
data_plot_rings(const char *title, const GArray *shares)
{
  GString *svg = begin(title, WIDTH + 40);
  guint64 all = 0;
  double at = 0;

  for (guint i = 0; i < shares->len; i++) {
    all += g_array_index(shares, DataShare, i).count;
  }
  for (guint i = 0; i < shares->len; i++) {
    const DataShare *verb = &g_array_index(shares, DataShare, i);
    const double scale = 2 * G_PI / (double)MAX(all, 1);

    put_verb(svg, verb, 360 * i / shares->len, at, scale);
    at += scale * (double)verb->count;
  }
  return end(svg);
}
