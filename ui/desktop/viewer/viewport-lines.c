/* viewport-lines.c - annotations and the reference line, drawn over the picture.
 *
 * Every line is a light stroke on a wider black one: it is seen on black and on white, and what is
 * selected is told by its handles, not by its colour alone.
 */
#include "viewer/viewport-private.h"

#include <math.h>

#define HANDLE 4.0

typedef struct {
  DesktopViewport *viewport;
  cairo_t *cr;
  int width, height;
} Pen;

static void
stroke(cairo_t *cr, double r, double g, double b, double width)
{
  cairo_set_source_rgba(cr, 0, 0, 0, 0.8);
  cairo_set_line_width(cr, width + 2);
  cairo_stroke_preserve(cr);
  cairo_set_source_rgb(cr, r, g, b);
  cairo_set_line_width(cr, width);
  cairo_stroke(cr);
}

/* ---- annotations -------------------------------------------------------------------------- */

static void
path_ellipse(cairo_t *cr, const double a[2], const double c[2])
{
  cairo_save(cr);
  cairo_translate(cr, (a[0] + c[0]) / 2, (a[1] + c[1]) / 2);
  cairo_scale(cr, MAX(fabs(c[0] - a[0]) / 2, 0.01), MAX(fabs(c[1] - a[1]) / 2, 0.01));
  cairo_new_sub_path(cr);
  cairo_arc(cr, 0, 0, 1, 0, 2 * G_PI);
  cairo_restore(cr);
}

static void
path(cairo_t *cr, DesktopAnnotationKind kind, double handles[][2], guint n)
{
  cairo_new_path(cr);
  if (kind == DESKTOP_ANNOTATION_ELLIPSE) {
    path_ellipse(cr, handles[0], handles[2]);
    return;
  }
  for (guint i = 0; i < n; i++) {
    cairo_line_to(cr, handles[i][0], handles[i][1]);
  }
  if (desktop_annotation_is_box(kind)) {
    cairo_close_path(cr);
  }
}

static void
draw_handles(cairo_t *cr, double handles[][2], guint n)
{
  for (guint i = 0; i < n; i++) {
    cairo_new_path(cr);
    cairo_rectangle(cr, handles[i][0] - HANDLE, handles[i][1] - HANDLE, 2 * HANDLE, 2 * HANDLE);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_fill_preserve(cr);
    cairo_set_source_rgb(cr, 0, 0, 0);
    cairo_set_line_width(cr, 1);
    cairo_stroke(cr);
  }
}

/* A short line across each end, as on a ruler. */
static void
draw_ends(cairo_t *cr, double handles[][2])
{
  double dx = handles[1][0] - handles[0][0], dy = handles[1][1] - handles[0][1];
  double length = hypot(dx, dy);

  if (length > 0) {
    dx *= 5 / length;
    dy *= 5 / length;
    for (int i = 0; i < 2; i++) {
      cairo_move_to(cr, handles[i][0] - dy, handles[i][1] + dx);
      cairo_line_to(cr, handles[i][0] + dy, handles[i][1] - dx);
    }
  }
}

static guint
map_handles(DesktopViewport *self, const DesktopAnnotation *annotation,
            double handles[DESKTOP_ANNOTATION_HANDLES][2])
{
  guint n = desktop_annotation_handles(annotation, handles);

  for (guint i = 0; i < n; i++) {
    desktop_viewport_to_widget(self, handles[i][0], handles[i][1], &handles[i][0], &handles[i][1]);
  }
  return n;
}

static void
draw_annotation(const Pen *pen, const DesktopAnnotation *annotation, guint n_points,
                gboolean selected)
{
  double handles[DESKTOP_ANNOTATION_HANDLES][2];
  guint n = map_handles(pen->viewport, annotation, handles);
  gboolean is_region = annotation->kind == DESKTOP_ANNOTATION_REGION;

  if (!desktop_annotation_is_box(annotation->kind)) {
    n = MIN(n, n_points);
  }
  path(pen->cr, annotation->kind, handles, n);
  if (annotation->kind == DESKTOP_ANNOTATION_DISTANCE && n == 2) {
    draw_ends(pen->cr, handles);
  }
  if (is_region) {
    const double dashes[] = {7, 5};
    cairo_set_dash(pen->cr, dashes, 2, 0);
    stroke(pen->cr, 0.55, 0.85, 1, 2);
    cairo_set_dash(pen->cr, NULL, 0, 0);
  } else {
    stroke(pen->cr, 1, 0.9, 0.35, selected ? 2 : 1.5);
  }
  if (selected) {
    draw_handles(pen->cr, handles, n);
  }
}

/* ---- what it says ------------------------------------------------------------------------- */

static void
snapshot_text(DesktopViewport *self, GtkSnapshot *snapshot, const DesktopAnnotation *annotation,
              const char *text)
{
  double handles[DESKTOP_ANNOTATION_HANDLES][2], x = -INFINITY, y = -INFINITY;
  guint n = map_handles(self, annotation, handles);
  int all_width = gtk_widget_get_width(GTK_WIDGET(self));
  int all_height = gtk_widget_get_height(GTK_WIDGET(self)), widest = 0, height = 0;
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

  for (guint i = 0; i < n; i++) {
    x = MAX(x, handles[i][0]);
    y = MAX(y, handles[i][1]);
  }
  for (guint i = 0; lines[i]; i++) {
    int w, h;
    desktop_words_measure(self->words, lines[i], DESKTOP_WORDS_PLAIN, all_width, &w, &h);
    widest = MAX(widest, w);
    height += h - 3;
  }
  if (annotation->kind == DESKTOP_ANNOTATION_REGION) { /* above it, to be out of its way */
    for (guint i = 0; i < n; i++) {
      x = MIN(x, handles[i][0]);
      y = MIN(y, handles[i][1]);
    }
    x -= 8;
    y -= height + 8;
  }
  /* Beside the lower right, but inside. */
  x = CLAMP(x + 8, 2, MAX(all_width - widest - 2, 2));
  y = CLAMP(y + 4, 2, MAX(all_height - height - 4, 2));
  for (guint i = 0; lines[i]; i++) {
    int w, h;
    desktop_words_measure(self->words, lines[i], DESKTOP_WORDS_PLAIN, all_width, &w, &h);
    desktop_words_snapshot(self->words, snapshot, lines[i], DESKTOP_WORDS_PLAIN, all_width, x, y);
    y += h - 3;
  }
}

static void
snapshot_texts(DesktopViewport *self, GtkSnapshot *snapshot)
{
  const DesktopAnnotation *a;

  for (guint i = 0;
       (a = desktop_annotations_get(self->annotations, self->drawn_series, self->drawn_index, i));
       i++) {
    snapshot_text(self, snapshot, a,
                  desktop_annotations_text(self->annotations, a->id, self->drawn->slice));
  }
  if (self->drafted >= desktop_annotation_n_points(self->draft.kind)) {
    g_autofree char *text = desktop_annotation_text(&self->draft, self->drawn->slice);
    snapshot_text(self, snapshot, &self->draft, text);
  }
}

/* Of a presentation state: at the points that it names, lines that belong together. */
static void
snapshot_stated(DesktopViewport *self, GtkSnapshot *snapshot)
{
  const AppSliceFacts *facts = desktop_viewport_facts(self);
  int all_width = gtk_widget_get_width(GTK_WIDGET(self));

  for (guint i = 0; i < facts->n_texts && !self->drawn->placement.bare; i++) {
    g_auto(GStrv) lines = g_strsplit_set(facts->texts[i].text, "\r\n", 64);
    double x, y;

    desktop_viewport_to_widget(self, facts->texts[i].x, facts->texts[i].y, &x, &y);
    for (guint k = 0; lines[k]; k++) {
      int width, height;

      if (*lines[k]) {
        desktop_words_measure(self->words, lines[k], DESKTOP_WORDS_STATED, all_width / 2, &width,
                              &height);
        desktop_words_snapshot(self->words, snapshot, lines[k], DESKTOP_WORDS_STATED, all_width / 2,
                               x, y);
        y += height - 3;
      }
    }
  }
}

/* ---- all of it ---------------------------------------------------------------------------- */

static void
draw_reference(const Pen *pen)
{
  DesktopViewport *self = pen->viewport;
  const double dashes[] = {10, 4};
  double from[2], to[2];

  if (self->reference && self->reference != self->drawn->slice &&
      app_slice_reference_line(self->drawn->slice, self->reference, from, to)) {
    desktop_viewport_to_widget(self, from[0], from[1], &from[0], &from[1]);
    desktop_viewport_to_widget(self, to[0], to[1], &to[0], &to[1]);
    cairo_new_path(pen->cr);
    cairo_move_to(pen->cr, from[0], from[1]);
    cairo_line_to(pen->cr, to[0], to[1]);
    cairo_set_dash(pen->cr, dashes, 2, 0);
    stroke(pen->cr, 0.4, 0.95, 0.5, 1.5);
    cairo_set_dash(pen->cr, NULL, 0, 0);
  }
}

void
desktop_viewport_snapshot_lines(DesktopViewport *self, GtkSnapshot *snapshot)
{
  const DesktopAnnotation *first =
      desktop_annotations_get(self->annotations, self->drawn_series, self->drawn_index, 0);
  Pen pen = {.viewport = self,
             .width = gtk_widget_get_width(GTK_WIDGET(self)),
             .height = gtk_widget_get_height(GTK_WIDGET(self))};
  const DesktopAnnotation *a;

  snapshot_stated(self, snapshot);
  if (!first && !self->drafted && !self->reference) {
    return;
  }
  pen.cr = gtk_snapshot_append_cairo(
      snapshot, &GRAPHENE_RECT_INIT(0, 0, (float)pen.width, (float)pen.height));
  cairo_set_line_join(pen.cr, CAIRO_LINE_JOIN_ROUND);
  draw_reference(&pen);
  for (guint i = 0;
       (a = desktop_annotations_get(self->annotations, self->drawn_series, self->drawn_index, i));
       i++) {
    draw_annotation(&pen, a, DESKTOP_ANNOTATION_POINTS, a->id == self->selected);
  }
  if (self->drafted) {
    draw_annotation(&pen, &self->draft, self->drafted, TRUE);
  }
  cairo_destroy(pen.cr);
  snapshot_texts(self, snapshot);
}
