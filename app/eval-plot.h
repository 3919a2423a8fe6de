/* eval-plot.h - bars with intervals, as SVG. Not for others. */
#ifndef HILUM_APP_EVAL_PLOT_H
#define HILUM_APP_EVAL_PLOT_H

#include <glib.h>

G_BEGIN_DECLS

/* In percent; below 0: not known. */
typedef struct {
  char *label;
  double value, low, high; /* a full bar, and its interval */
  double second;           /* a hollow bar */
  double mark;             /* a diamond */
} AppPlotBar;

typedef struct {
  const char *title;
  const char *value_name, *second_name, *mark_name; /* NULL: nobody has one */
  GArray *bars;                                     /* of AppPlotBar */
} AppPlot;

GArray *app_plot_bars_new(void); /* frees the labels, too */
/* LABEL is copied. */
void app_plot_add(GArray *bars, const char *label, double value, double low, double high,
                  double second, double mark);
char *app_plot_svg(const AppPlot *plot); /* g_free() */

G_END_DECLS
#endif
