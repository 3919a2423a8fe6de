/* viewport-tools.c - hands that draw annotations, and hands that change them.
 *
 * A line or a box is drawn by one drag, or by a click at either end; an angle has one click more.
 * What is there already is gripped by its line or its handles, whatever the tool.
 */
#include "viewer/viewport-private.h"

#include <math.h>

/* Logical pixels around a line or a handle. */
#define GRIP 7.0

static gboolean
kind_of_tool(DesktopViewport *self, DesktopAnnotationKind *kind)
{
  static const char *const names[] = {[DESKTOP_ANNOTATION_DISTANCE] = "distance",
                                      [DESKTOP_ANNOTATION_ANGLE] = "angle",
                                      [DESKTOP_ANNOTATION_ELLIPSE] = "ellipse",
                                      [DESKTOP_ANNOTATION_RECTANGLE] = "rectangle",
                                      [DESKTOP_ANNOTATION_REGION] = "region"};

  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    if (g_strcmp0(self->tool, names[i]) == 0) {
      *kind = (DesktopAnnotationKind)i;
      return TRUE;
    }
  }
  return FALSE;
}

/* The point of the picture below X, Y, or the nearest that there is. */
static void
point_at(DesktopViewport *self, double x, double y, double point[2])
{
  const AppSliceFacts *facts = desktop_viewport_facts(self);

  desktop_viewport_to_picture(self, x, y, &point[0], &point[1]);
  point[0] = CLAMP(point[0], 0, facts->width);
  point[1] = CLAMP(point[1], 0, facts->height);
}

static int
grip_of(DesktopViewport *self, const DesktopAnnotation *annotation, double x, double y)
{
  double handles[DESKTOP_ANNOTATION_HANDLES][2];
  guint n = desktop_annotation_handles(annotation, handles);

  for (guint i = 0; i < n; i++) {
    desktop_viewport_to_widget(self, handles[i][0], handles[i][1], &handles[i][0], &handles[i][1]);
  }
  return desktop_annotation_grip(annotation->kind, handles, x, y, GRIP);
}

/* The selected one first, then the newest. */
static const DesktopAnnotation *
find_grip(DesktopViewport *self, double x, double y, int *grip)
{
  const DesktopAnnotation *a = desktop_annotations_find(self->annotations, self->selected);
  const DesktopAnnotation *found = NULL;

  if (a && (*grip = grip_of(self, a, x, y)) != DESKTOP_GRIP_NONE) {
    return a;
  }
  for (guint i = 0;
       (a = desktop_annotations_get(self->annotations, self->drawn_series, self->drawn_index, i));
       i++) {
    int here = grip_of(self, a, x, y);
    if (here != DESKTOP_GRIP_NONE) {
      found = a;
      *grip = here;
    }
  }
  return found;
}

/* ---- drawing one -------------------------------------------------------------------------- */

static void
begin_draft(DesktopViewport *self, DesktopAnnotationKind kind, const double point[2])
{
  self->draft =
      (DesktopAnnotation){.kind = kind, .series = self->drawn_series, .index = self->drawn_index};
  for (guint i = 0; i < DESKTOP_ANNOTATION_POINTS; i++) {
    self->draft.points[i][0] = point[0];
    self->draft.points[i][1] = point[1];
  }
  self->selected = 0;
  self->drafted = 2;
  self->draft_fresh = TRUE;
}

/* Nothing is measured along a line without length, nor inside of a box without a pixel. */
static gboolean
is_something(const DesktopAnnotation *a)
{
  double dx = fabs(a->points[1][0] - a->points[0][0]);
  double dy = fabs(a->points[1][1] - a->points[0][1]);

  return desktop_annotation_is_box(a->kind) ? dx > 0.5 && dy > 0.5 : hypot(dx, dy) > 0.05;
}

static void
end_draft(DesktopViewport *self)
{
  self->drafted = 0;
  if (is_something(&self->draft)) {
    self->selected = desktop_annotations_add(self->annotations, &self->draft);
    desktop_viewport_emit(self, CHANGED);
  }
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
follow(DesktopViewport *self, double x, double y)
{
  double point[2];

  point_at(self, x, y, point);
  for (guint i = self->drafted - 1; i < DESKTOP_ANNOTATION_POINTS; i++) {
    self->draft.points[i][0] = point[0];
    self->draft.points[i][1] = point[1];
  }
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

/* ---- hands -------------------------------------------------------------------------------- */

gboolean
desktop_viewport_tools_press(DesktopViewport *self, double x, double y)
{
  const DesktopAnnotation *gripped = NULL;
  DesktopAnnotationKind kind;
  double point[2];

  self->draft_fresh = FALSE;
  if (self->drafted) {
    follow(self, x, y);
    self->hand = HAND_DRAW;
    return TRUE;
  }
  gripped = find_grip(self, x, y, &self->grip);
  if (gripped) {
    self->before = *gripped;
    self->selected = gripped->id;
    self->hand = HAND_EDIT;
    gtk_widget_queue_draw(GTK_WIDGET(self));
    return TRUE;
  }
  self->selected = 0;
  gtk_widget_queue_draw(GTK_WIDGET(self));
  if (!kind_of_tool(self, &kind)) {
    return FALSE;
  }
  point_at(self, x, y, point);
  begin_draft(self, kind, point);
  self->hand = HAND_DRAW;
  return TRUE;
}

static void
edit(DesktopViewport *self, double x, double y)
{
  const AppSliceFacts *facts = desktop_viewport_facts(self);
  DesktopAnnotation changed = self->before;
  double from[2], to[2];

  if (self->grip >= 0) {
    point_at(self, x, y, to);
    desktop_annotation_move_handle(&changed, (guint)self->grip, to[0], to[1]);
  } else {
    desktop_viewport_to_picture(self, self->press_x, self->press_y, &from[0], &from[1]);
    desktop_viewport_to_picture(self, x, y, &to[0], &to[1]);
    desktop_annotation_move(&changed, to[0] - from[0], to[1] - from[1]);
    desktop_annotation_keep_inside(&changed, facts->width, facts->height);
  }
  desktop_annotations_change(self->annotations, &changed);
}

void
desktop_viewport_tools_drag(DesktopViewport *self, double x, double y)
{
  if (!self->drawn) {
    return;
  }
  if (self->hand == HAND_DRAW && self->drafted) {
    follow(self, x, y);
  } else if (self->hand == HAND_EDIT && self->selected == self->before.id) {
    edit(self, x, y);
  }
}

void
desktop_viewport_tools_release(DesktopViewport *self, gboolean moved)
{
  if (self->hand != HAND_DRAW || !self->drafted || (self->draft_fresh && !moved)) {
    return; /* after a click the next point follows the pointer */
  }
  if (self->drafted < desktop_annotation_n_points(self->draft.kind)) {
    self->drafted++;
  } else {
    end_draft(self);
  }
}

void
desktop_viewport_tools_hover(DesktopViewport *self, double x, double y)
{
  int grip = DESKTOP_GRIP_NONE;

  if (self->drafted && self->hand == HAND_NONE) {
    follow(self, x, y);
  } else if (!self->drafted && self->hand == HAND_NONE) {
    const char *name = find_grip(self, x, y, &grip)        ? (grip >= 0 ? "crosshair" : "move")
                       : desktop_viewport_tool_draws(self) ? "crosshair"
                                                           : NULL;
    if (g_strcmp0(name, self->cursor) != 0) {
      self->cursor = name;
      gtk_widget_set_cursor_from_name(GTK_WIDGET(self), name);
    }
  }
}

gboolean
desktop_viewport_tools_cancel(DesktopViewport *self)
{
  gboolean something = self->drafted || self->selected;

  if (self->hand == HAND_EDIT && self->selected == self->before.id) {
    desktop_annotations_change(self->annotations, &self->before);
    self->hand = HAND_NONE;
  } else if (self->drafted) {
    self->drafted = 0;
    self->hand = HAND_NONE;
  } else {
    self->selected = 0;
  }
  gtk_widget_queue_draw(GTK_WIDGET(self));
  return something;
}

void
desktop_viewport_tools_delete(DesktopViewport *self)
{
  if (self->drafted) {
    desktop_viewport_tools_cancel(self);
  } else if (self->selected) {
    desktop_annotations_remove(self->annotations, self->selected);
  }
}
