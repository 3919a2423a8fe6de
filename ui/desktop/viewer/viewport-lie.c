/* viewport-lie.c - how the picture lies in a viewport: zoom, pan, turns. */
#include "viewer/viewport-private.h"

#include <math.h>

/* Device pixels for a pixel of the picture, at most; and the smallest part of what fits. */
#define MOST_SCALE 64.0
#define LEAST_OF_FIT 0.25

static AppPlacement
fitted(DesktopViewport *self, const AppPlacement *placement)
{
  AppPlacement fit = *placement;

  app_placement_fit(&fit, desktop_viewport_facts(self));
  return fit;
}

gboolean
desktop_viewport_wished(DesktopViewport *self, AppPlacement *placement)
{
  GtkWidget *widget = GTK_WIDGET(self);
  int scale = gtk_widget_get_scale_factor(widget);

  *placement = self->placement;
  placement->width = (guint)MAX(gtk_widget_get_width(widget) * scale, 0);
  placement->height = (guint)MAX(gtk_widget_get_height(widget) * scale, 0);
  if (!self->drawn || placement->width == 0 || placement->height == 0) {
    return FALSE;
  }
  if (placement->scale == 0) {
    *placement = fitted(self, placement);
  }
  return placement->scale > 0;
}

/* A picture that has left its viewport is hard to find again. */
static void
wish(DesktopViewport *self, AppPlacement *placement)
{
  const AppSliceFacts *facts = desktop_viewport_facts(self);

  placement->x = CLAMP(placement->x, 0, facts->width);
  placement->y = CLAMP(placement->y, 0, facts->height);
  desktop_viewport_set_placement(self, placement);
}

/* The point of the picture that is DX, DY device pixels away from the middle goes there. */
static void
move_middle(DesktopViewport *self, AppPlacement *placement, double dx, double dy)
{
  double x, y;

  app_placement_to_picture(placement, desktop_viewport_facts(self), placement->width / 2.0 + dx,
                           placement->height / 2.0 + dy, &x, &y);
  placement->x = x;
  placement->y = y;
}

void
desktop_viewport_zoom_at(DesktopViewport *self, const AppPlacement *from, double factor, double x,
                         double y)
{
  const AppSliceFacts *facts = desktop_viewport_facts(self);
  double device = gtk_widget_get_scale_factor(GTK_WIDGET(self));
  AppPlacement to = *from;
  double fit, px, py, cx, cy;

  if (!facts) {
    return;
  }
  fit = fitted(self, from).scale;
  app_placement_to_picture(from, facts, x * device, y * device, &px, &py);
  to.scale = CLAMP(from->scale * factor, fit * LEAST_OF_FIT, MAX(MOST_SCALE, fit));
  app_placement_to_canvas(&to, facts, px, py, &cx, &cy);
  move_middle(self, &to, cx - x * device, cy - y * device);
  wish(self, &to);
}

void
desktop_viewport_pan(DesktopViewport *self, const AppPlacement *from, double dx, double dy)
{
  double device = gtk_widget_get_scale_factor(GTK_WIDGET(self));
  AppPlacement to = *from;

  if (self->drawn) {
    move_middle(self, &to, -dx * device, -dy * device);
    wish(self, &to);
  }
}

/* What is seen turns clockwise by QUARTER; a mirrored picture turns the other way as it is stored.
 */
void
desktop_viewport_turn(DesktopViewport *self, int quarter)
{
  AppPlacement to = self->placement;

  to.turns = (to.turns + (to.flip ? 4u - (guint)quarter : (guint)quarter)) % 4;
  desktop_viewport_set_placement(self, &to);
}

/* Top to bottom is left to right and half a turn. */
void
desktop_viewport_flip(DesktopViewport *self, gboolean vertical)
{
  AppPlacement to = self->placement;

  to.flip = !to.flip;
  to.turns = (to.turns + (vertical ? 2 : 0)) % 4;
  desktop_viewport_set_placement(self, &to);
}

/* As it is stored, and fitted; how it is drawn stays. */
void
desktop_viewport_straighten(DesktopViewport *self)
{
  self->placement = (AppPlacement){.smooth = self->placement.smooth, .bare = self->placement.bare};
}

void
desktop_viewport_fit(DesktopViewport *self)
{
  AppPlacement to = self->placement;

  to.scale = to.x = to.y = 0;
  desktop_viewport_set_placement(self, &to);
}

void
desktop_viewport_actual_size(DesktopViewport *self)
{
  AppPlacement to;

  if (desktop_viewport_wished(self, &to)) {
    to.scale = 1;
    wish(self, &to);
  }
}
