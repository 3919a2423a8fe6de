/* eval-plot.c - see eval-plot.h. What a shape means is told by the shape, not by its colour alone.
 */
#include "eval-plot.h"

#include <math.h>

#define LEFT 230.0 /* of the axis: room for labels */
#define WIDE 520.0
#define TOP 84.0
#define ROW 34.0
#define BLUE "#56b4e9" /* Okabe and Ito's, which everyone tells apart */
#define ORANGE "#e69f00"

static void
clear_bar(gpointer data)
{
  g_free(((AppPlotBar *)data)->label);
}

GArray *
app_plot_bars_new(void)
{
  GArray *bars = g_array_new(FALSE, FALSE, sizeof(AppPlotBar));

  g_array_set_clear_func(bars, clear_bar);
  return bars;
}

void
app_plot_add(GArray *bars, const char *label, double value, double low, double high, double second,
             double mark)
{
  const AppPlotBar bar = {g_strdup(label), value, low, high, second, mark};

  g_array_append_val(bars, bar);
}

/* Numbers with a point, in every locale. */
static void
add(GString *out, const char *format, const double *numbers, guint n)
{
  guint k = 0;

  for (const char *at = format; *at; at++) {
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    if (*at == '#' && at[1] == '#' && k < n) {
      g_string_append(out, g_ascii_formatd(text, sizeof text, "%.1f", numbers[k++]));
      at++;
    } else {
      g_string_append_c(out, *at);
    }
  }
}
#define ADD(out, format, ...)                                                                      \
  add(out, format, (const double[]){__VA_ARGS__},                                                  \
      (guint)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)))

static void
add_text(GString *out, double x, double y, const char *anchor, const char *more, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  g_autofree char *cut =
      g_utf8_strlen(valid, -1) > 60 ? g_utf8_substring(valid, 0, 60) : g_strdup(valid);
  g_autofree char *escaped = NULL;

  for (char *at = cut; *at; at++) { /* what XML has no place for */
    if ((guchar)*at < 0x20) {
      *at = ' ';
    }
  }
  escaped = g_markup_escape_text(cut, -1);
  ADD(out, "<text x=\"##\" y=\"##\"", x, y);
  g_string_append_printf(out, " text-anchor=\"%s\"%s>%s</text>\n", anchor, more, escaped);
}

/* The end of the axis: 100, or more in steps of 20. */
static double
end_of(const AppPlot *plot)
{
  double end = 100;

  for (guint i = 0; i < plot->bars->len; i++) {
    const AppPlotBar *bar = &g_array_index(plot->bars, AppPlotBar, i);
    end = MAX(end, MAX(MAX(bar->high, bar->second), bar->mark));
  }
  return 20 * ceil(MIN(end, 1000) / 20);
}

static double
x_of(double percent, double end)
{
  return LEFT + WIDE * CLAMP(percent, 0, end) / end;
}

static void
add_axis(GString *out, double end, double bottom)
{
  for (double at = 0; at <= end; at += 20) {
    char text[16];
    ADD(out, "<line x1=\"##\" y1=\"##\" x2=\"##\" y2=\"##\" stroke=\"#d0d0d0\"/>\n", x_of(at, end),
        TOP - 6, x_of(at, end), bottom);
    g_snprintf(text, sizeof text, "%d %%", (int)at);
    add_text(out, x_of(at, end), bottom + 16, "middle", "", text);
  }
}

static void
add_diamond(GString *out, double x, double y)
{
  ADD(out, "<path d=\"M## ## l5 6 l-5 6 l-5 -6 z\" fill=\"#000000\"/>\n", x, y - 6);
}

static void
add_bar(GString *out, const AppPlotBar *bar, double y, double end)
{
  const double zero = x_of(0, end), x = x_of(bar->value, end);

  add_text(out, LEFT - 10, y + 18, "end", "", bar->label);
  if (bar->value >= 0) {
    ADD(out, "<rect x=\"##\" y=\"##\" width=\"##\" height=\"12\" fill=\"" BLUE "\"/>\n", zero,
        y + 3, x - zero);
  }
  if (bar->low >= 0 && bar->high > bar->low) {
    ADD(out, "<path d=\"M## ## H## M## ## v6 M## ## v6\" stroke=\"#000000\" fill=\"none\"/>\n",
        x_of(bar->low, end), y + 9, x_of(bar->high, end), x_of(bar->low, end), y + 6,
        x_of(bar->high, end), y + 6);
  }
  if (bar->second >= 0) {
    ADD(out,
        "<rect x=\"##\" y=\"##\" width=\"##\" height=\"9\" fill=\"#ffffff\" stroke=\"" ORANGE
        "\" stroke-width=\"2\"/>\n",
        zero, y + 18, x_of(bar->second, end) - zero);
  }
  if (bar->mark >= 0) {
    add_diamond(out, x_of(bar->mark, end), y + 15);
  }
}

static void
add_legend(GString *out, const AppPlot *plot)
{
  ADD(out, "<rect x=\"##\" y=\"46\" width=\"22\" height=\"12\" fill=\"" BLUE "\"/>\n", LEFT);
  add_text(out, LEFT + 28, 57, "start", "", plot->value_name);
  if (plot->second_name) {
    ADD(out,
        "<rect x=\"##\" y=\"48\" width=\"22\" height=\"9\" fill=\"#ffffff\" stroke=\"" ORANGE
        "\" stroke-width=\"2\"/>\n",
        LEFT + 190);
    add_text(out, LEFT + 218, 57, "start", "", plot->second_name);
  }
  if (plot->mark_name) {
    add_diamond(out, LEFT + 365, 52);
    add_text(out, LEFT + 376, 57, "start", "", plot->mark_name);
  }
}

char *
app_plot_svg(const AppPlot *plot)
{
  const double end = end_of(plot), bottom = TOP + ROW * plot->bars->len;
  g_autofree char *title = g_markup_escape_text(plot->title, -1);
  GString *out = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");

  ADD(out,
      "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"##\" height=\"##\" "
      "viewBox=\"0 0 ## ##\" font-family=\"sans-serif\" font-size=\"13\">\n",
      LEFT + WIDE + 40, bottom + 30, LEFT + WIDE + 40, bottom + 30);
  g_string_append_printf(out, "<title>%s</title>\n", title);
  g_string_append(out, "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
  add_text(out, 16, 26, "start", " font-size=\"16\" font-weight=\"bold\"", plot->title);
  add_legend(out, plot);
  add_axis(out, end, bottom);
  for (guint i = 0; i < plot->bars->len; i++) {
    add_bar(out, &g_array_index(plot->bars, AppPlotBar, i), TOP + ROW * i, end);
  }
  g_string_append(out, "</svg>\n");
  return g_string_free(out, FALSE);
}
