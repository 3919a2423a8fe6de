/* viewport-actions.c - what can be done in a viewport, by name: "view.NAME". */
#include "viewer/viewport-private.h"

#define ZOOM_KEY 1.25
/* Part of the viewport that a key pans by. */
#define PAN_PART 0.125

void
desktop_viewport_reset(DesktopViewport *self)
{
  desktop_viewport_straighten(self);
  self->as_stated = self->presentation > 0;
  desktop_viewport_set_window(self, &(AppWindow){0});
  g_object_notify(G_OBJECT(self), "invert");
}

static void
zoom_by(DesktopViewport *self, double factor)
{
  AppPlacement from;

  if (desktop_viewport_wished(self, &from)) {
    desktop_viewport_zoom_at(self, &from, factor, gtk_widget_get_width(GTK_WIDGET(self)) / 2.0,
                             gtk_widget_get_height(GTK_WIDGET(self)) / 2.0);
  }
}

static void
pan_by(DesktopViewport *self, int across, int down)
{
  AppPlacement from;

  if (desktop_viewport_wished(self, &from)) {
    desktop_viewport_pan(self, &from, across * PAN_PART * gtk_widget_get_width(GTK_WIDGET(self)),
                         down * PAN_PART * gtk_widget_get_height(GTK_WIDGET(self)));
  }
}

/* ---- one after the other ------------------------------------------------------------------ */

static void
on_step(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_viewport_step(DESKTOP_VIEWPORT(widget), g_variant_get_int32(parameter));
}

static void
on_first(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_viewport_step(DESKTOP_VIEWPORT(widget), G_MININT);
}

static void
on_last(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_viewport_step(DESKTOP_VIEWPORT(widget), G_MAXINT);
}

static void
on_series(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_viewport_emit_number(DESKTOP_VIEWPORT(widget), SERIES_STEP,
                               g_variant_get_int32(parameter));
}

static void
on_play(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopViewport *self = DESKTOP_VIEWPORT(widget);

  if (desktop_viewport_is_playing(self)) {
    desktop_viewport_pause(self);
  } else {
    desktop_viewport_play(self);
  }
}

static void
on_rate(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopViewport *self = DESKTOP_VIEWPORT(widget);
  double rate = desktop_viewport_get_rate(self), steps = g_variant_get_int32(parameter);

  desktop_viewport_set_rate(self, rate + steps * (rate >= 20 ? 5 : rate >= 10 ? 2 : 1));
}

static void
on_zoom(GtkWidget *widget, const char *name, GVariant *parameter)
{
  zoom_by(DESKTOP_VIEWPORT(widget), g_variant_get_int32(parameter) > 0 ? ZOOM_KEY : 1 / ZOOM_KEY);
}

static void
on_pan(GtkWidget *widget, const char *name, GVariant *parameter)
{
  int across, down;

  g_variant_get(parameter, "(ii)", &across, &down);
  pan_by(DESKTOP_VIEWPORT(widget), CLAMP(across, -8, 8), CLAMP(down, -8, 8));
}

static void
on_fit(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_viewport_fit(DESKTOP_VIEWPORT(widget));
}

static void
on_actual_size(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_viewport_actual_size(DESKTOP_VIEWPORT(widget));
}

static void
on_rotate(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_viewport_turn(DESKTOP_VIEWPORT(widget), g_variant_get_int32(parameter) > 0 ? 1 : 3);
}

static void
on_flip_horizontal(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_viewport_flip(DESKTOP_VIEWPORT(widget), FALSE);
}

static void
on_flip_vertical(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_viewport_flip(DESKTOP_VIEWPORT(widget), TRUE);
}

static void
on_reset(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_viewport_reset(DESKTOP_VIEWPORT(widget));
}

static void
on_auto(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_viewport_auto_grey(DESKTOP_VIEWPORT(widget));
}

static void
on_preset(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_viewport_preset(DESKTOP_VIEWPORT(widget), (guint)MAX(g_variant_get_int32(parameter), 0));
}

static void
on_next_presentation(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_viewport_next_presentation(DESKTOP_VIEWPORT(widget));
}

static void
on_grey(GtkWidget *widget, const char *name, GVariant *parameter)
{
  int across, down;

  g_variant_get(parameter, "(ii)", &across, &down);
  desktop_viewport_nudge_grey(DESKTOP_VIEWPORT(widget), CLAMP(across, -8, 8), CLAMP(down, -8, 8));
}

static void
on_cancel(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopViewport *self = DESKTOP_VIEWPORT(widget);

  if (!desktop_viewport_tools_cancel(self)) {
    desktop_viewport_cursor_hide(self);
  }
}

static void
on_cursor(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_viewport_cursor_toggle(DESKTOP_VIEWPORT(widget));
}

static void
on_point(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_viewport_cursor_point(DESKTOP_VIEWPORT(widget));
}

static void
on_delete(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_viewport_tools_delete(DESKTOP_VIEWPORT(widget));
}

static void
on_clear(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopViewport *self = DESKTOP_VIEWPORT(widget);

  if (self->drawn) {
    desktop_annotations_clear_image(self->annotations, self->drawn_series, self->drawn_index);
  }
}

/* ---- all of them -------------------------------------------------------------------------- */

static const struct {
  const char *name, *parameter;
  GtkWidgetActionActivateFunc activate;
} actions[] = {{"view.step", "i", on_step},
               {"view.first", NULL, on_first},
               {"view.last", NULL, on_last},
               {"view.series", "i", on_series},
               {"view.play", NULL, on_play},
               {"view.rate", "i", on_rate},
               {"view.zoom", "i", on_zoom},
               {"view.pan", "(ii)", on_pan},
               {"view.fit", NULL, on_fit},
               {"view.actual-size", NULL, on_actual_size},
               {"view.rotate", "i", on_rotate},
               {"view.flip-horizontal", NULL, on_flip_horizontal},
               {"view.flip-vertical", NULL, on_flip_vertical},
               {"view.reset", NULL, on_reset},
               {"view.auto", NULL, on_auto},
               {"view.preset", "i", on_preset},
               {"view.next-presentation", NULL, on_next_presentation},
               {"view.grey", "(ii)", on_grey},
               {"view.cursor", NULL, on_cursor},
               {"view.point", NULL, on_point},
               {"view.cancel", NULL, on_cancel},
               {"view.delete", NULL, on_delete},
               {"view.clear", NULL, on_clear}};

const char *
desktop_viewport_action(guint i, const char **parameter)
{
  if (i >= G_N_ELEMENTS(actions)) {
    return NULL;
  }
  *parameter = actions[i].parameter;
  return actions[i].name;
}

void
desktop_viewport_actions_install(GtkWidgetClass *class)
{
  for (gsize i = 0; i < G_N_ELEMENTS(actions); i++) {
    gtk_widget_class_install_action(class, actions[i].name, actions[i].parameter,
                                    actions[i].activate);
  }
  /* Not to be changed, and shared with all that Escape ends elsewhere. */
  gtk_widget_class_add_binding_action(class, GDK_KEY_Escape, 0, "view.cancel", NULL);
  gtk_widget_class_add_binding_action(class, GDK_KEY_Return, 0, "view.point", NULL);
  gtk_widget_class_add_binding_action(class, GDK_KEY_KP_Enter, 0, "view.point", NULL);
  gtk_widget_class_install_property_action(class, "view.tool", "tool");
  gtk_widget_class_install_property_action(class, "view.invert", "invert");
  gtk_widget_class_install_property_action(class, "view.smooth", "smooth");
  gtk_widget_class_install_property_action(class, "view.texts", "texts");
  gtk_widget_class_install_property_action(class, "view.covers", "covers");
  gtk_widget_class_install_property_action(class, "view.presentation", "presentation");
}
