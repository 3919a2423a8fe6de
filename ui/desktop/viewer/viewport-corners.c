/* viewport-corners.c - text over the picture: corners, letters, scale bar.
 *
 * Each corner keeps to its quarter of the viewport. The most important lines come first there, and
 * what has no room any more is left out rather than cut through.
 */
#include "viewer/viewport-private.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "app_key_image.h"

#define MARGIN 8
/* Between the columns, for the letters at the top and at the bottom. */
#define MIDDLE 40

typedef struct {
  DesktopViewport *viewport;
  GtkSnapshot *snapshot;
  int width, height;
  gboolean right, bottom;
  int y; /* where the next line goes, from the top or from the bottom edge */
  int most;
} Corner;

static Corner
corner_begin(DesktopViewport *self, GtkSnapshot *snapshot, gboolean right, gboolean bottom)
{
  int width = gtk_widget_get_width(GTK_WIDGET(self));

  return (Corner){.viewport = self,
                  .snapshot = snapshot,
                  .width = width,
                  .height = gtk_widget_get_height(GTK_WIDGET(self)),
                  .right = right,
                  .bottom = bottom,
                  .y = MARGIN,
                  .most = (width - 2 * MARGIN - MIDDLE) / 2};
}

static void
corner_line(Corner *corner, const char *text, DesktopWordsStyle style)
{
  DesktopWords *words = corner->viewport->words;
  int width, height;

  if (!text || !*text || corner->most < 24) {
    return;
  }
  if (corner->right) {
    style |= DESKTOP_WORDS_RIGHT;
  }
  desktop_words_measure(words, text, style, corner->most, &width, &height);
  /* A letter stands in the middle of each side. */
  if (corner->y + height > corner->height / 2 - 12) {
    return;
  }
  desktop_words_snapshot(words, corner->snapshot, text, style, corner->most,
                         corner->right ? corner->width - MARGIN - width : MARGIN,
                         corner->bottom ? corner->height - corner->y - height : corner->y);
  /* Edges may touch; they are no part of the line. */
  corner->y += height - 3;
}

static void
corner_lines(Corner *corner, char **lines, DesktopWordsStyle style)
{
  for (; lines && *lines; lines++) {
    corner_line(corner, *lines, style);
  }
}

/* ---- the four of them --------------------------------------------------------------------- */

static void
snapshot_top(DesktopViewport *self, GtkSnapshot *snapshot, const AppSliceFacts *facts)
{
  Corner left = corner_begin(self, snapshot, FALSE, FALSE);
  Corner right = corner_begin(self, snapshot, TRUE, FALSE);
  g_autofree char *states = desktop_viewport_presentation_line(self);

  corner_lines(&left, facts->patient_lines, DESKTOP_WORDS_PLAIN);
  for (char **notice = facts->notices; notice && *notice; notice++) {
    g_autofree char *text = g_strconcat("⚠ ", *notice, NULL);
    corner_line(&right, text, DESKTOP_WORDS_WARNING);
  }
  if (self->drawn->remark) {
    g_autofree char *text = g_strconcat("⚠ ", self->drawn->remark, NULL);
    corner_line(&right, text, DESKTOP_WORDS_WARNING);
  }
  if (facts->has_covers && self->drawn->placement.bare) {
    corner_line(&right, _("⚠ Overlays and shutters are hidden"), DESKTOP_WORDS_WARNING);
  }
  corner_lines(&right, facts->study_lines, DESKTOP_WORDS_PLAIN);
  corner_line(&right, states, DESKTOP_WORDS_PLAIN);
}

static char *
zoom_text(DesktopViewport *self)
{
  const AppPlacement *placement = &self->drawn->placement;
  GString *text = g_string_new(NULL);

  g_string_append_printf(text, _("Zoom %.0f %%"), placement->scale * 100);
  if (placement->turns) {
    g_string_append_printf(text, "  %u°", placement->turns * 90);
  }
  if (placement->flip) {
    g_string_append(text, _("  mirrored"));
  }
  if (self->drawn->window.invert) {
    g_string_append(text, _("  inverted"));
  }
  return g_string_free(text, FALSE);
}

static void
snapshot_bottom(DesktopViewport *self, GtkSnapshot *snapshot, const AppSliceFacts *facts)
{
  Corner left = corner_begin(self, snapshot, FALSE, TRUE);
  Corner right = corner_begin(self, snapshot, TRUE, TRUE);
  g_autofree char *window = desktop_viewport_window_text(self);
  g_autofree char *zoom = zoom_text(self), *probe = desktop_viewport_probe_text(self);

  if (app_study_is_key(self->study, self->drawn_series, self->drawn_index)) {
    g_autofree char *key = g_strconcat("★ ", facts->label, NULL);
    corner_line(&left, key, DESKTOP_WORDS_STRONG);
  } else {
    corner_line(&left, facts->label, DESKTOP_WORDS_STRONG);
  }
  for (guint n = g_strv_length(facts->image_lines); n > 0; n--) {
    if (strcmp(facts->image_lines[n - 1], facts->label) != 0) {
      corner_line(&left, facts->image_lines[n - 1], DESKTOP_WORDS_PLAIN);
    }
  }
  corner_line(&right, _("Not for diagnosis"), DESKTOP_WORDS_PLAIN);
  corner_line(&right, window, DESKTOP_WORDS_STRONG);
  corner_line(&right, zoom, DESKTOP_WORDS_PLAIN);
  corner_line(&right, probe, self->has_cursor ? DESKTOP_WORDS_STRONG : DESKTOP_WORDS_PLAIN);
  if (self->has_cursor) {
    corner_line(&right, _("Arrows move, with Shift finely; Enter sets a point, Esc lets go"),
                DESKTOP_WORDS_PLAIN);
  }
}

/* ---- letters ------------------------------------------------------------------------------ */

static void
snapshot_letter(DesktopViewport *self, GtkSnapshot *snapshot, const char *letter, double across,
                double down)
{
  int width, height;

  if (*letter) {
    desktop_words_measure(self->words, letter, DESKTOP_WORDS_LETTER, 200, &width, &height);
    desktop_words_snapshot(
        self->words, snapshot, letter, DESKTOP_WORDS_LETTER, 200,
        MARGIN + across * (gtk_widget_get_width(GTK_WIDGET(self)) - width - 2 * MARGIN),
        MARGIN + down * (gtk_widget_get_height(GTK_WIDGET(self)) - height - 2 * MARGIN));
  }
}

static void
snapshot_letters(DesktopViewport *self, GtkSnapshot *snapshot, const AppSliceFacts *facts)
{
  AppLetters letters = app_placement_letters(&self->drawn->placement, facts);

  snapshot_letter(self, snapshot, letters.left, 0, 0.5);
  snapshot_letter(self, snapshot, letters.right, 1, 0.5);
  snapshot_letter(self, snapshot, letters.top, 0.5, 0);
  snapshot_letter(self, snapshot, letters.bottom, 0.5, 1);
}

/* ---- scale bar ---------------------------------------------------------------------------- */

/* The longest of 1, 2, 5, 10 … mm that is no longer than MOST. */
static double
round_length(double most)
{
  double power = pow(10, floor(log10(most)));
  double digit = most / power;

  return power * (digit >= 5 ? 5 : digit >= 2 ? 2 : 1);
}

/* A vertical bar beside the right letter: nothing else is there, however narrow a viewport is. */
static void
snapshot_scale(DesktopViewport *self, GtkSnapshot *snapshot, const AppSliceFacts *facts)
{
  const GdkRGBA black = {0, 0, 0, 0.85f}, white = {1, 1, 1, 1};
  double device = gtk_widget_get_scale_factor(GTK_WIDGET(self));
  float right = (float)gtk_widget_get_width(GTK_WIDGET(self)) - 2;
  float middle = (float)gtk_widget_get_height(GTK_WIDGET(self)) / 2, length, text_y;
  double mm_px = facts->mm_x > 0 ? self->drawn->placement.scale / facts->mm_x / device : 0, mm;
  g_autofree char *text = NULL;
  int width, height;

  if (mm_px <= 0 || middle < 60) {
    return;
  }
  mm = round_length(middle * 0.7 / mm_px);
  length = (float)round(mm * mm_px);
  if (!(length >= 8 && length < 2 * middle)) {
    return;
  }
  {
    float x = right - 4, top = roundf(middle - length / 2);
    const struct {
      float x, y, width, height;
    } parts[] = {{x, top, 2, length}, {x - 5, top, 7, 2}, {x - 5, top + length - 2, 7, 2}};
    for (int edge = 1; edge >= 0; edge--) {
      for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        gtk_snapshot_append_color(snapshot, edge ? &black : &white,
                                  &GRAPHENE_RECT_INIT(parts[i].x - (float)edge,
                                                      parts[i].y - (float)edge,
                                                      parts[i].width + 2 * (float)edge,
                                                      parts[i].height + 2 * (float)edge));
      }
    }
    text_y = top + length;
  }
  /* Translators: a length, and by what it is known */
  text = g_strdup_printf(_("%.6g mm · %s"), mm, facts->calibration);
  desktop_words_measure(self->words, text, DESKTOP_WORDS_PLAIN, (int)right / 2, &width, &height);
  desktop_words_snapshot(self->words, snapshot, text, DESKTOP_WORDS_PLAIN, (int)right / 2,
                         right - 2 - width, text_y + 2);
}

void
desktop_viewport_snapshot_corners(DesktopViewport *self, GtkSnapshot *snapshot)
{
  const AppSliceFacts *facts = desktop_viewport_facts(self);

  if (!self->hides_texts) {
    snapshot_top(self, snapshot, facts);
    snapshot_bottom(self, snapshot, facts);
    snapshot_scale(self, snapshot, facts);
  }
  snapshot_letters(self, snapshot, facts);
}

void
desktop_viewport_snapshot_message(DesktopViewport *self, GtkSnapshot *snapshot, const char *message)
{
  int all = gtk_widget_get_width(GTK_WIDGET(self)), most = MIN(all - 4 * MARGIN, 560);
  int width, height;

  if (most > 0) {
    desktop_words_measure(self->words, message, DESKTOP_WORDS_MESSAGE, most, &width, &height);
    desktop_words_snapshot(self->words, snapshot, message, DESKTOP_WORDS_MESSAGE, most,
                           (all - width) / 2.0,
                           (gtk_widget_get_height(GTK_WIDGET(self)) - height) / 2.0);
  }
}
