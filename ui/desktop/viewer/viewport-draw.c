/* viewport-draw.c - the picture on the screen, pixel for pixel, and what lies over it. */
#include "viewer/viewport-private.h"

#include <math.h>

/* Of the frame of the active viewport, in logical pixels. */
#define FRAME 2

/* A picture that was drawn for another size stays in the middle until the next is there. */
static void
shift(DesktopViewport *self, int *x, int *y)
{
  GtkWidget *widget = GTK_WIDGET(self);
  int scale = gtk_widget_get_scale_factor(widget);

  *x = (gtk_widget_get_width(widget) * scale - (int)self->drawn->placement.width) / 2;
  *y = (gtk_widget_get_height(widget) * scale - (int)self->drawn->placement.height) / 2;
}

void
desktop_viewport_to_picture(DesktopViewport *self, double x, double y, double *px, double *py)
{
  double scale = gtk_widget_get_scale_factor(GTK_WIDGET(self));
  int dx, dy;

  shift(self, &dx, &dy);
  app_placement_to_picture(&self->drawn->placement, desktop_viewport_facts(self), x * scale - dx,
                           y * scale - dy, px, py);
}

void
desktop_viewport_to_widget(DesktopViewport *self, double px, double py, double *x, double *y)
{
  double scale = gtk_widget_get_scale_factor(GTK_WIDGET(self));
  int dx, dy;

  shift(self, &dx, &dy);
  app_placement_to_canvas(&self->drawn->placement, desktop_viewport_facts(self), px, py, x, y);
  *x = (*x + dx) / scale;
  *y = (*y + dy) / scale;
}

/* On whole device pixels, so that the texture is copied and not resampled once more. */
static void
snapshot_picture(DesktopViewport *self, GtkSnapshot *snapshot)
{
  const AppCanvas *canvas = self->drawn->canvas;
  float scale = (float)gtk_widget_get_scale_factor(GTK_WIDGET(self));
  int dx, dy;

  if (self->texture) {
    shift(self, &dx, &dy);
    gtk_snapshot_append_texture(snapshot, self->texture,
                                &GRAPHENE_RECT_INIT((float)((int)canvas->x + dx) / scale,
                                                    (float)((int)canvas->y + dy) / scale,
                                                    (float)canvas->width / scale,
                                                    (float)canvas->height / scale));
  }
}

static void
snapshot_frame(DesktopViewport *self, GtkSnapshot *snapshot, float width, float height)
{
  GdkRGBA colour = {0.2f, 0.52f, 0.89f, 1};
  GskRoundedRect outline;

  gtk_style_context_lookup_color(gtk_widget_get_style_context(GTK_WIDGET(self)), "accent_color",
                                 &colour);
  gsk_rounded_rect_init_from_rect(&outline, &GRAPHENE_RECT_INIT(0, 0, width, height), 0);
  gtk_snapshot_append_border(snapshot, &outline, (float[4]){FRAME, FRAME, FRAME, FRAME},
                             (GdkRGBA[4]){colour, colour, colour, colour});
}

void
desktop_viewport_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
  DesktopViewport *self = DESKTOP_VIEWPORT(widget);
  float width = (float)gtk_widget_get_width(widget), height = (float)gtk_widget_get_height(widget);
  const char *message = self->error ? self->error : self->message;

  gtk_snapshot_append_color(snapshot, &(GdkRGBA){0, 0, 0, 1},
                            &GRAPHENE_RECT_INIT(0, 0, width, height));
  if (self->drawn) {
    snapshot_picture(self, snapshot);
    desktop_viewport_snapshot_lines(self, snapshot);
    desktop_viewport_snapshot_corners(self, snapshot);
    desktop_viewport_snapshot_cursor(self, snapshot);
  } else if (message) {
    desktop_viewport_snapshot_message(self, snapshot, message);
  }
  if (self->framed) {
    snapshot_frame(self, snapshot, width, height);
  }
}
