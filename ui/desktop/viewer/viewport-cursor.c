/* viewport-cursor.c - measuring without a mouse: a cursor on the picture.
 *
 * It stands in the middle of a pixel of the stored picture. Arrows move it, Enter does there what a
 * click would: begins an annotation, sets its next point, takes up what is there already and puts
 * it down again. Where it is and what is measured is told as the description of the picture, for
 * GTK 4.8 cannot announce.
 */
#include "viewer/viewport-private.h"

#include <glib/gi18n.h>
#include <math.h>

/* Logical pixels for an arrow; with Shift, a pixel of the picture. */
#define STEP 10.0
/* The cursor stays that far inside, in logical pixels. */
#define MARGIN 24.0

static void
changed(DesktopViewport *self)
{
  desktop_viewport_describe_soon(self);
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

/* The middle of the pixel that X, Y is in, or of the nearest. */
static void
put(DesktopViewport *self, double x, double y)
{
  const AppSliceFacts *facts = desktop_viewport_facts(self);

  self->cursor_x = CLAMP(floor(x), 0, facts->width - 1.0) + 0.5;
  self->cursor_y = CLAMP(floor(y), 0, facts->height - 1.0) + 0.5;
}

gboolean
desktop_viewport_cursor_at(DesktopViewport *self, double *x, double *y)
{
  if (!self->has_cursor || !self->drawn) {
    return FALSE;
  }
  put(self, self->cursor_x, self->cursor_y); /* another image may be smaller */
  desktop_viewport_to_widget(self, self->cursor_x, self->cursor_y, x, y);
  return TRUE;
}

/* In the middle of what is seen. */
static void
show(DesktopViewport *self)
{
  double x = gtk_widget_get_width(GTK_WIDGET(self)) / 2.0;
  double y = gtk_widget_get_height(GTK_WIDGET(self)) / 2.0;

  desktop_viewport_to_picture(self, x, y, &x, &y);
  put(self, x, y);
  self->has_cursor = TRUE;
  changed(self);
}

gboolean
desktop_viewport_cursor_hide(DesktopViewport *self)
{
  gboolean was = self->has_cursor;

  self->has_cursor = FALSE;
  if (was) {
    changed(self);
  }
  return was;
}

void
desktop_viewport_cursor_toggle(DesktopViewport *self)
{
  if (self->has_cursor) {
    desktop_viewport_tools_cancel(self);
    desktop_viewport_cursor_hide(self);
  } else if (self->drawn) {
    show(self);
  }
}

/* ---- moving ------------------------------------------------------------------------------- */

/* What goes out of sight takes the picture with it. */
static void
keep_in_sight(DesktopViewport *self, double x, double y)
{
  double width = gtk_widget_get_width(GTK_WIDGET(self));
  double height = gtk_widget_get_height(GTK_WIDGET(self));
  double dx = CLAMP(x, MIN(MARGIN, width / 2), MAX(width - MARGIN, width / 2)) - x;
  double dy = CLAMP(y, MIN(MARGIN, height / 2), MAX(height - MARGIN, height / 2)) - y;
  AppPlacement from;

  /* A fitted picture has nothing out of sight. */
  if ((dx != 0 || dy != 0) && self->placement.scale > 0 && desktop_viewport_wished(self, &from)) {
    desktop_viewport_pan(self, &from, dx, dy);
  }
}

void
desktop_viewport_cursor_move(DesktopViewport *self, int across, int down, gboolean fine)
{
  double x, y, to[2], length;

  if (!desktop_viewport_cursor_at(self, &x, &y)) {
    return;
  }
  /* The way of the arrow on the picture, which may be turned; whole pixels of it. */
  desktop_viewport_to_picture(self, x + across * STEP, y + down * STEP, &to[0], &to[1]);
  to[0] -= self->cursor_x;
  to[1] -= self->cursor_y;
  length = MAX(fabs(to[0]), fabs(to[1]));
  if (!(length > 0)) {
    return;
  }
  length = (fine ? 1 : MAX(round(length), 1)) / length;
  put(self, self->cursor_x + to[0] * length, self->cursor_y + to[1] * length);
  desktop_viewport_cursor_at(self, &x, &y);
  if (self->hand == HAND_EDIT) {
    desktop_viewport_tools_drag(self, x, y);
  } else if (self->drafted) {
    desktop_viewport_tools_hover(self, x, y);
  }
  keep_in_sight(self, x, y);
  changed(self);
}

void
desktop_viewport_cursor_point(DesktopViewport *self)
{
  double x, y;

  if (!self->drawn) {
    return;
  }
  if (!desktop_viewport_cursor_at(self, &x, &y)) {
    show(self);
    return;
  }
  if (self->hand == HAND_EDIT) {
    desktop_viewport_tools_release(self, TRUE);
    self->hand = HAND_NONE;
  } else {
    gboolean goes_on = self->drafted > 0;

    self->press_x = x;
    self->press_y = y;
    if (desktop_viewport_tools_press(self, x, y) && self->hand == HAND_DRAW) {
      desktop_viewport_tools_release(self, goes_on);
      self->hand = HAND_NONE;
    }
  }
  changed(self);
}

static gboolean
on_key(GtkEventControllerKey *controller, guint key, guint code, GdkModifierType state,
       DesktopViewport *self)
{
  static const struct {
    guint key, pad;
    int across, down;
  } arrows[] = {{GDK_KEY_Left, GDK_KEY_KP_Left, -1, 0},
                {GDK_KEY_Right, GDK_KEY_KP_Right, 1, 0},
                {GDK_KEY_Up, GDK_KEY_KP_Up, 0, -1},
                {GDK_KEY_Down, GDK_KEY_KP_Down, 0, 1}};

  if (!self->has_cursor || state & (GDK_CONTROL_MASK | GDK_ALT_MASK | GDK_SUPER_MASK)) {
    return GDK_EVENT_PROPAGATE;
  }
  for (gsize i = 0; i < G_N_ELEMENTS(arrows); i++) {
    if (key == arrows[i].key || key == arrows[i].pad) {
      desktop_viewport_cursor_move(self, arrows[i].across, arrows[i].down,
                                   (state & GDK_SHIFT_MASK) != 0);
      return GDK_EVENT_STOP;
    }
  }
  return GDK_EVENT_PROPAGATE;
}

void
desktop_viewport_cursor_setup(DesktopViewport *self)
{
  GtkEventController *keys = gtk_event_controller_key_new();

  /* Before the shortcuts: the arrows are images' as long as no cursor is there. */
  gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
  g_signal_connect(keys, "key-pressed", G_CALLBACK(on_key), self);
  gtk_widget_add_controller(GTK_WIDGET(self), keys);
}

/* ---- seen and told ------------------------------------------------------------------------ */

void
desktop_viewport_snapshot_cursor(DesktopViewport *self, GtkSnapshot *snapshot)
{
  const GdkRGBA black = {0, 0, 0, 0.85f}, white = {1, 1, 1, 1};
  /* Four arms and a gap between, so that the pixel is seen. */
  static const struct {
    float x, y, width, height;
  } arms[] = {{-16, -1, 11, 2}, {5, -1, 11, 2}, {-1, -16, 2, 11}, {-1, 5, 2, 11}};
  double x, y;

  if (!desktop_viewport_cursor_at(self, &x, &y)) {
    return;
  }
  for (gsize i = 0; i < G_N_ELEMENTS(arms); i++) {
    float left = roundf((float)x) + arms[i].x, top = roundf((float)y) + arms[i].y;

    gtk_snapshot_append_color(
        snapshot, &black,
        &GRAPHENE_RECT_INIT(left - 1, top - 1, arms[i].width + 2, arms[i].height + 2));
    gtk_snapshot_append_color(snapshot, &white,
                              &GRAPHENE_RECT_INIT(left, top, arms[i].width, arms[i].height));
  }
}

char *
desktop_viewport_cursor_text(DesktopViewport *self)
{
  static const char *const names[] = {[DESKTOP_ANNOTATION_DISTANCE] = N_("Distance"),
                                      [DESKTOP_ANNOTATION_ANGLE] = N_("Angle"),
                                      [DESKTOP_ANNOTATION_ELLIPSE] = N_("Ellipse"),
                                      [DESKTOP_ANNOTATION_RECTANGLE] = N_("Rectangle"),
                                      [DESKTOP_ANNOTATION_REGION] = N_("Region to ask about")};
  const DesktopAnnotation *selected = desktop_annotations_find(self->annotations, self->selected);
  g_autofree char *probe = desktop_viewport_probe_text(self), *measured = NULL;
  GString *text;

  if (!self->has_cursor || !self->drawn) {
    return NULL;
  }
  text = g_string_new(NULL);
  if (self->drafted) {
    guint n = desktop_annotation_n_points(self->draft.kind);

    /* Translators: what is drawn, and which of its points comes next: "Angle, point 2 of 3" */
    g_string_append_printf(text, _("%s, point %u of %u"), _(names[self->draft.kind]), self->drafted,
                           n);
    measured =
        self->drafted == n ? desktop_annotation_text(&self->draft, self->drawn->slice) : NULL;
  } else if (selected) {
    g_string_append(text, _(names[selected->kind]));
    measured =
        g_strdup(desktop_annotations_text(self->annotations, selected->id, self->drawn->slice));
  }
  if (measured) {
    g_string_append_printf(text, ": %s", g_strdelimit(measured, "\n", ' '));
  }
  g_string_append_printf(text, "%s%s", text->len > 0 ? "; " : "", probe ? probe : "");
  return g_string_free(text, FALSE);
}
