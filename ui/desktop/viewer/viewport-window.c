/* viewport-window.c - the grey scale: by drag, by key, from the file and from a table. */
#include "viewer/viewport-private.h"

#include <math.h>

/* The window crosses the whole range of values along so many logical pixels of a drag. */
#define DRAG_PIXELS 1000.0

gboolean
desktop_viewport_has_window(DesktopViewport *self)
{
  const AppSliceFacts *facts = desktop_viewport_facts(self);

  return facts && !facts->is_colour && facts->high > facts->low;
}

/* The numbers that hands go on from. */
static void
numbers(DesktopViewport *self, double *center, double *width)
{
  const AppSliceFacts *facts = desktop_viewport_facts(self);
  const AppWindow *shown = &self->drawn->window;

  if (self->window.set && self->window.lut == 0) {
    *center = self->window.center;
    *width = self->window.width;
  } else if (shown->set && shown->lut == 0) {
    *center = shown->center;
    *width = shown->width;
  } else { /* a table, not a window, made the picture */
    *center = (facts->low + facts->high) / 2;
    *width = MAX(facts->high - facts->low, 1);
  }
}

static void
move(DesktopViewport *self, double center, double width)
{
  const AppSliceFacts *facts = desktop_viewport_facts(self);
  double range = facts->high - facts->low;
  AppWindow window = {.set = TRUE, .invert = self->window.invert};

  window.width = CLAMP(width, 1, MAX(4 * range, 1)); /* a linear window is at least 1 wide */
  window.center = CLAMP(center, facts->low - range, facts->high + range);
  /* Whole numbers where the values are many: nobody reads the window's decimals there. */
  if (range >= 64) {
    window.width = round(window.width);
    window.center = round(window.center);
  }
  if (!self->window.set || self->window.lut != 0 || window.center != self->window.center ||
      window.width != self->window.width) {
    desktop_viewport_set_window(self, &window);
  }
}

void
desktop_viewport_begin_grey(DesktopViewport *self)
{
  if (desktop_viewport_has_window(self)) {
    numbers(self, &self->drag_center, &self->drag_width);
  }
}

void
desktop_viewport_drag_grey(DesktopViewport *self, double dx, double dy, double factor)
{
  if (desktop_viewport_has_window(self)) {
    const AppSliceFacts *facts = desktop_viewport_facts(self);
    double step = (facts->high - facts->low) / DRAG_PIXELS * factor;

    /* Down is darker and right is flatter, as in every other viewer: a higher centre darkens. */
    self->drag_center += dy * step;
    self->drag_width += dx * step;
    move(self, self->drag_center, self->drag_width);
  }
}

/* By key: an eighth of what a hand drags in a stroke. */
void
desktop_viewport_nudge_grey(DesktopViewport *self, int across, int down)
{
  if (desktop_viewport_has_window(self)) {
    const AppSliceFacts *facts = desktop_viewport_facts(self);
    double step = MAX((facts->high - facts->low) / 128, 1);
    double center, width;

    numbers(self, &center, &width);
    move(self, center + down * step, width + across * step);
  }
}

/* All values that there are. */
void
desktop_viewport_auto_grey(DesktopViewport *self)
{
  if (desktop_viewport_has_window(self)) {
    const AppSliceFacts *facts = desktop_viewport_facts(self);

    move(self, (facts->low + facts->high) / 2, facts->high - facts->low);
  }
}

/* ---- presets ------------------------------------------------------------------------------ */

void
desktop_viewport_set_presets(DesktopViewport *self, GPtrArray *presets)
{
  g_return_if_fail(DESKTOP_IS_VIEWPORT(self));
  g_clear_pointer(&self->presets, g_ptr_array_unref);
  self->presets = presets ? g_ptr_array_ref(presets) : NULL;
}

/* Preset N for CT, from 1 on, behind those of the file; or NULL. */
static const DesktopPreset *
table_preset(DesktopViewport *self, const AppSliceFacts *facts, guint n)
{
  guint at = n - facts->n_presets - 1;

  return self->presets && n > facts->n_presets && g_strcmp0(facts->modality, "CT") == 0 &&
                 at < self->presets->len
             ? self->presets->pdata[at]
             : NULL;
}

static char *
preset_text(const char *name, double width, double center)
{
  g_autofree char *w = desktop_viewport_number(width), *c = desktop_viewport_number(center);

  return g_strdup_printf("%s (%s/%s)", name, w, c);
}

char *
desktop_viewport_preset_name(DesktopViewport *self, guint n)
{
  const AppSliceFacts *facts = desktop_viewport_facts(self);
  const DesktopPreset *preset;

  if (n == 0 || !desktop_viewport_has_window(self)) {
    return NULL;
  }
  if (n <= facts->n_presets) {
    const AppPreset *own = &facts->presets[n - 1];
    return own->window.lut ? g_strdup(own->name)
                           : preset_text(own->name, own->window.width, own->window.center);
  }
  preset = table_preset(self, facts, n);
  return preset ? preset_text(preset->name, preset->width, preset->center) : NULL;
}

void
desktop_viewport_preset(DesktopViewport *self, guint n)
{
  const AppSliceFacts *facts = desktop_viewport_facts(self);
  AppWindow window = {.set = TRUE};

  if (n == 0 || !desktop_viewport_has_window(self)) {
    return;
  }
  if (n <= facts->n_presets) {
    window = facts->presets[n - 1].window;
  } else {
    const DesktopPreset *preset = table_preset(self, facts, n);
    if (!preset) {
      return;
    }
    window.center = preset->center;
    window.width = preset->width;
  }
  window.invert = self->window.invert;
  desktop_viewport_set_window(self, &window);
}
