/* viewport-text.c - what a viewport shows, in words. */
#include "viewer/viewport-private.h"

#include <glib/gi18n.h>
#include <math.h>

#include "app_key_image.h"

/* Screen readers cannot follow a scroll; what has come to rest is told. */
#define DESCRIBE_MS 120

/* A hyphen before a number is easily overlooked; a wrong sign is another window. */
char *
desktop_viewport_number(double value)
{
  return g_strdup_printf("%s%.6g", value < 0 ? "\u2212" : "", fabs(value));
}

static const char *
table_name(const AppSliceFacts *facts, const AppWindow *window)
{
  for (guint i = 0; i < facts->n_presets; i++) {
    if (window->lut != 0 && facts->presets[i].window.lut == window->lut) {
      return facts->presets[i].name;
    }
  }
  return _("Window from the file's table");
}

char *
desktop_viewport_window_text(DesktopViewport *self)
{
  const AppSliceFacts *facts;
  g_autofree char *center = NULL, *width = NULL;

  g_return_val_if_fail(DESKTOP_IS_VIEWPORT(self), NULL);
  facts = desktop_viewport_facts(self);
  if (!facts || facts->is_colour) {
    return g_strdup("");
  }
  if (!self->drawn->window.set || self->drawn->window.lut != 0) {
    return g_strdup(table_name(facts, &self->drawn->window));
  }
  center = desktop_viewport_number(self->drawn->window.center);
  width = desktop_viewport_number(self->drawn->window.width);
  /* Translators: centre and width of a window */
  return g_strdup_printf(_("C %s  W %s"), center, width);
}

char *
desktop_viewport_asked_window_text(DesktopViewport *self)
{
  const AppSliceFacts *facts = desktop_viewport_facts(self);
  AppImageChoice choice;

  return facts && facts->presentation && desktop_viewport_get_choice(self, &choice) &&
                 !choice.window.set
             ? g_strdup(_("the image's own window"))
             : desktop_viewport_window_text(self);
}

char *
desktop_viewport_subject(DesktopViewport *self)
{
  const AppSliceFacts *facts = desktop_viewport_facts(self);
  g_autofree char *window = desktop_viewport_window_text(self);

  return facts ? g_strdup_printf("%s%s%s", facts->label, *window ? " · " : "", window) : NULL;
}

/* ---- the text twin ------------------------------------------------------------------------ */

static void
add_place(GString *text, DesktopViewport *self, const AppSliceFacts *facts)
{
  const AppSeriesInfo *info = self->study && self->drawn_series < app_study_n_series(self->study)
                                  ? app_study_series(self->study, self->drawn_series)
                                  : NULL;
  guint n = info ? info->n_images : 1;

  if (*facts->modality) {
    g_string_append_printf(text, "%s ", facts->modality);
  }
  /* Translators: after the modality, "CT slice 45 of 120" */
  g_string_append_printf(text, facts->plane && n > 1 ? _("slice %u of %u") : _("image %u of %u"),
                         self->drawn_index + 1, n);
}

static void
add_window(GString *text, DesktopViewport *self, const AppSliceFacts *facts)
{
  const AppWindow *window = &self->drawn->window;

  if (!facts->is_colour && window->set && window->lut == 0) {
    g_autofree char *center = desktop_viewport_number(window->center),
                    *width = desktop_viewport_number(window->width);
    /* Translators: width and centre */
    g_string_append_printf(text, _(", window %s/%s"), width, center);
  } else if (!facts->is_colour) {
    g_string_append_printf(text, ", %s", table_name(facts, window));
  }
  if (window->invert) {
    g_string_append(text, _(", inverted"));
  }
}

static void
add_lie(GString *text, DesktopViewport *self, const AppSliceFacts *facts)
{
  const AppPlacement *placement = &self->drawn->placement;
  AppLetters letters = app_placement_letters(placement, facts);
  const struct {
    const char *edge, *letters;
  } edges[] = {{_("left edge"), letters.left},
               {_("right edge"), letters.right},
               {_("top edge"), letters.top},
               {_("bottom edge"), letters.bottom}};

  if (placement->turns) {
    g_string_append_printf(text, _(", turned by %u°"), 90 * placement->turns);
  }
  if (placement->flip) {
    g_string_append(text, _(", mirrored"));
  }
  for (gsize i = 0; i < G_N_ELEMENTS(edges); i++) {
    if (*edges[i].letters) {
      g_string_append_printf(text, ", %s %s", edges[i].edge, edges[i].letters);
    }
  }
}

static void
add_annotations(GString *text, DesktopViewport *self)
{
  const DesktopAnnotation *a;

  for (guint i = 0;
       (a = desktop_annotations_get(self->annotations, self->drawn_series, self->drawn_index, i));
       i++) {
    g_autofree char *line =
        g_strdup(desktop_annotations_text(self->annotations, a->id, self->drawn->slice));
    g_string_append_printf(text, "; %s", g_strdelimit(line, "\n", ' '));
  }
}

char *
desktop_viewport_description(DesktopViewport *self)
{
  const AppSliceFacts *facts = desktop_viewport_facts(self);
  g_autofree char *cursor = facts ? desktop_viewport_cursor_text(self) : NULL;
  GString *text;

  if (!facts) {
    return g_strdup(self->error     ? self->error
                    : self->message ? self->message
                                    : _("No image is shown"));
  }
  text = g_string_new(cursor);
  if (cursor) {
    g_string_append(text, "; ");
  }
  add_place(text, self, facts);
  add_window(text, self, facts);
  g_string_append_printf(text, _(", %u by %u pixels"), facts->width, facts->height);
  add_lie(text, self, facts);
  if (app_study_is_key(self->study, self->drawn_series, self->drawn_index)) {
    g_string_append(text, _("; key image"));
  }
  for (char **notice = facts->notices; notice && *notice; notice++) {
    g_string_append_printf(text, "; %s", *notice);
  }
  if (self->drawn->remark) {
    g_string_append_printf(text, "; %s", self->drawn->remark);
  }
  if (facts->has_covers && self->drawn->placement.bare) {
    g_string_append(text, _("; overlays and shutters are hidden"));
  }
  add_annotations(text, self);
  return g_string_free(text, FALSE);
}

static gboolean
describe(gpointer data)
{
  DesktopViewport *self = data;
  g_autofree char *text = desktop_viewport_description(self);

  self->describe_soon = 0;
  gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text,
                                 -1);
  return G_SOURCE_REMOVE;
}

void
desktop_viewport_describe_soon(DesktopViewport *self)
{
  if (!self->describe_soon && !gtk_widget_in_destruction(GTK_WIDGET(self))) {
    self->describe_soon = g_timeout_add(DESCRIBE_MS, describe, self);
  }
}

/* ---- the pixel under the pointer ---------------------------------------------------------- */

char *
desktop_viewport_probe_text(DesktopViewport *self)
{
  const AppSliceFacts *facts = desktop_viewport_facts(self);
  double x, y;
  AppProbe probe;
  GString *text;

  if (!facts || !(self->has_pointer || self->has_cursor)) {
    return NULL;
  }
  if (self->has_cursor) {
    x = self->cursor_x;
    y = self->cursor_y;
  } else {
    desktop_viewport_to_picture(self, self->pointer_x, self->pointer_y, &x, &y);
  }
  if (!app_slice_probe(self->drawn->slice, x, y, &probe)) {
    return NULL;
  }
  text = g_string_new(NULL);
  if (probe.has_value) {
    g_autofree char *value = desktop_viewport_number(probe.value),
                    *stored = desktop_viewport_number(probe.stored);
    g_string_append_printf(text, "%s%s%s", value, *facts->unit ? "\u00a0" : "", facts->unit);
    if (probe.value != probe.stored) {
      g_string_append_printf(text, _("  stored %s"), stored);
    }
  } else {
    g_string_append_printf(text, "R %u  G %u  B %u", probe.rgb[0], probe.rgb[1], probe.rgb[2]);
  }
  if (probe.has_suv) {
    g_string_append_printf(text, _("  SUV %.2f"), probe.suv);
  }
  if (probe.is_padding) {
    g_string_append(text, _("  (padding)"));
  }
  g_string_append_printf(text, "  x\u00a0%u\u00a0\u00a0y\u00a0%u", probe.x, probe.y);
  return g_string_free(text, FALSE);
}

void
desktop_viewport_update_keys(DesktopViewport *self)
{
  gtk_widget_queue_draw(GTK_WIDGET(self));
  desktop_viewport_describe_soon(self);
}
