/* paper-private.h - what paper.c and paper-flow.c share. */
#ifndef HILUM_APP_PAPER_PRIVATE_H
#define HILUM_APP_PAPER_PRIVATE_H

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include "paper.h"

/* In points: A4, and what of it is written on. */
#define PAPER_WIDTH 595.276
#define PAPER_HEIGHT 841.89
#define PAPER_SIDE 54.0
#define PAPER_TOP 66.0
#define PAPER_FOOT 70.0
#define PAPER_INNER (PAPER_WIDTH - 2 * PAPER_SIDE)
#define PAPER_BOTTOM (PAPER_HEIGHT - PAPER_FOOT)

struct _AppPaper {
  const AppPaperLook *look;
  cairo_surface_t *surface;
  cairo_t *cairo;
  GByteArray *bytes; /* NULL: they are not kept */
  guint page, n_pages;
  double y; /* where the next thing goes */
};

void app_paper_next_page(AppPaper *paper);
/* A layout of TEXT (N bytes; -1: all) that is WIDTH wide; 0: one line. */
PangoLayout *app_paper_layout(AppPaper *paper, AppPaperStyle style, const char *text, int n,
                              double width);
void app_paper_ink(AppPaper *paper, AppPaperStyle style);
/* Columns between LEFT and LEFT + WIDTH. */
void app_paper_flow(AppPaper *paper, const AppPaperColumn *columns, gsize n, double left,
                    double width);

#endif
