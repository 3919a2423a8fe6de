/* viewport-hands.c - mouse, wheel and drops. The left button does what the tool says, the right one
 * zooms, the middle one pans: as in every other viewer. */
#include "viewer/viewport-private.h"

#include <math.h>

/* A hand that clicks trembles; so much is not meant. */
#define DRAG_THRESHOLD 3.0
#define FINE 0.2
#define COARSE 5.0
/* A stroke of so many logical pixels zooms by e; a step of the wheel by so much. */
#define ZOOM_PIXELS 150.0
#define ZOOM_STEP 1.15
/* A stack is not scrolled faster than an image for so many logical pixels of a drag. */
#define SCROLL_PIXELS 4.0

/* ---- drags -------------------------------------------------------------------------------- */

static Hand
hand_of_tool(DesktopViewport *self)
{
  static const struct {
    const char *tool;
    Hand hand;
  } hands[] = {
      {"window", HAND_WINDOW}, {"pan", HAND_PAN}, {"zoom", HAND_ZOOM}, {"scroll", HAND_SCROLL}};

  for (gsize i = 0; i < G_N_ELEMENTS(hands); i++) {
    if (g_strcmp0(self->tool, hands[i].tool) == 0) {
      return hands[i].hand;
    }
  }
  return HAND_NONE;
}

static Hand
choose_hand(DesktopViewport *self, guint button, double x, double y)
{
  if (!self->drawn) {
    return HAND_NONE;
  }
  if (button == GDK_BUTTON_SECONDARY) {
    return HAND_ZOOM;
  }
  if (button == GDK_BUTTON_MIDDLE) {
    return HAND_PAN;
  }
  return desktop_viewport_tools_press(self, x, y) ? self->hand : hand_of_tool(self);
}

static void
on_drag_begin(GtkGestureDrag *gesture, double x, double y, DesktopViewport *self)
{
  guint button = gtk_gesture_single_get_current_button(GTK_GESTURE_SINGLE(gesture));

  gtk_widget_grab_focus(GTK_WIDGET(self));
  desktop_viewport_emit(self, PICKED);
  desktop_viewport_cursor_hide(self);
  self->moved = FALSE;
  self->press_x = x;
  self->press_y = y;
  self->last_dx = self->last_dy = self->scrolled = 0;
  desktop_viewport_begin_grey(self);
  self->hand = choose_hand(self, button, x, y);
  if (!desktop_viewport_wished(self, &self->start) &&
      (self->hand == HAND_PAN || self->hand == HAND_ZOOM)) {
    self->hand = HAND_NONE;
  }
}

static void
drag_scroll(DesktopViewport *self, double dy)
{
  const AppSeriesInfo *info = desktop_viewport_get_info(self);
  double height = gtk_widget_get_height(GTK_WIDGET(self));
  int steps;

  if (info) {
    self->scrolled += dy / MAX(SCROLL_PIXELS, height / info->n_images);
    steps = (int)self->scrolled;
    if (steps != 0) {
      self->scrolled -= steps;
      desktop_viewport_step(self, steps);
    }
  }
}

static void
on_drag_update(GtkGestureDrag *gesture, double dx, double dy, DesktopViewport *self)
{
  GdkModifierType state =
      gtk_event_controller_get_current_event_state(GTK_EVENT_CONTROLLER(gesture));
  double factor = state & GDK_SHIFT_MASK ? FINE : state & GDK_CONTROL_MASK ? COARSE : 1;

  self->moved = self->moved || hypot(dx, dy) >= DRAG_THRESHOLD;
  if (self->hand == HAND_NONE || !self->moved) {
    return;
  }
  gtk_gesture_set_state(GTK_GESTURE(gesture), GTK_EVENT_SEQUENCE_CLAIMED);
  switch (self->hand) {
  case HAND_WINDOW:
    desktop_viewport_drag_grey(self, dx - self->last_dx, dy - self->last_dy, factor);
    break;
  case HAND_PAN:
    desktop_viewport_pan(self, &self->start, dx, dy);
    break;
  case HAND_ZOOM:
    desktop_viewport_zoom_at(self, &self->start, exp(-dy / ZOOM_PIXELS), self->press_x,
                             self->press_y);
    break;
  case HAND_SCROLL:
    drag_scroll(self, dy - self->last_dy);
    break;
  case HAND_DRAW:
  case HAND_EDIT:
    desktop_viewport_tools_drag(self, self->press_x + dx, self->press_y + dy);
    break;
  case HAND_NONE:
  default:
    break;
  }
  self->last_dx = dx;
  self->last_dy = dy;
}

static void
on_drag_end(GtkGestureDrag *gesture, double dx, double dy, DesktopViewport *self)
{
  if (self->hand == HAND_DRAW || self->hand == HAND_EDIT) {
    desktop_viewport_tools_release(self, self->moved);
  }
  self->hand = HAND_NONE;
}

static void
on_drag_cancel(GtkGesture *gesture, GdkEventSequence *sequence, DesktopViewport *self)
{
  self->hand = HAND_NONE;
}

/* Hands that measure click fast, too. */
static void
on_pressed(GtkGestureClick *gesture, int n_press, double x, double y, DesktopViewport *self)
{
  if (n_press == 2 && self->hand != HAND_DRAW && self->hand != HAND_EDIT) {
    self->hand = HAND_NONE;
    desktop_viewport_reset(self);
  }
}

/* ---- pointer and wheel -------------------------------------------------------------------- */

static void
on_motion(GtkEventControllerMotion *controller, double x, double y, DesktopViewport *self)
{
  self->has_pointer = TRUE;
  self->pointer_x = x;
  self->pointer_y = y;
  if (self->drawn) {
    desktop_viewport_tools_hover(self, x, y);
    gtk_widget_queue_draw(GTK_WIDGET(self));
  }
}

static void
on_leave(GtkEventControllerMotion *controller, DesktopViewport *self)
{
  self->has_pointer = FALSE;
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
zoom_wheel(DesktopViewport *self, double dy)
{
  AppPlacement from;

  if (desktop_viewport_wished(self, &from)) {
    double x = gtk_widget_get_width(GTK_WIDGET(self)) / 2.0;
    double y = gtk_widget_get_height(GTK_WIDGET(self)) / 2.0;
    desktop_viewport_zoom_at(self, &from, pow(ZOOM_STEP, -dy),
                             self->has_pointer ? self->pointer_x : x,
                             self->has_pointer ? self->pointer_y : y);
  }
}

static gboolean
on_scroll(GtkEventControllerScroll *controller, double dx, double dy, DesktopViewport *self)
{
  GdkModifierType state =
      gtk_event_controller_get_current_event_state(GTK_EVENT_CONTROLLER(controller));
  int steps;

  if (state & GDK_CONTROL_MASK) {
    zoom_wheel(self, dy);
    return GDK_EVENT_STOP;
  }
  self->scrolled += dy; /* a touchpad moves in parts */
  steps = (int)self->scrolled;
  if (steps != 0) {
    self->scrolled -= steps;
    desktop_viewport_step(self, steps);
  }
  return GDK_EVENT_STOP;
}

/* ---- others ------------------------------------------------------------------------------- */

static void
on_focus(GtkEventControllerFocus *controller, DesktopViewport *self)
{
  desktop_viewport_emit(self, PICKED);
}

static gboolean
on_drop(GtkDropTarget *target, const GValue *value, double x, double y, DesktopViewport *self)
{
  desktop_viewport_emit_number(self, SERIES_DROPPED, (int)g_value_get_uint(value));
  return TRUE;
}

static void
setup_presses(DesktopViewport *self)
{
  GtkWidget *widget = GTK_WIDGET(self);
  GtkGesture *drag = gtk_gesture_drag_new();
  GtkGesture *click = gtk_gesture_click_new();

  gtk_gesture_single_set_button(GTK_GESTURE_SINGLE(drag), 0);
  g_signal_connect(drag, "drag-begin", G_CALLBACK(on_drag_begin), self);
  g_signal_connect(drag, "drag-update", G_CALLBACK(on_drag_update), self);
  g_signal_connect(drag, "drag-end", G_CALLBACK(on_drag_end), self);
  g_signal_connect(drag, "cancel", G_CALLBACK(on_drag_cancel), self);
  gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(drag));
  g_signal_connect(click, "pressed", G_CALLBACK(on_pressed), self);
  gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(click));
  gtk_gesture_group(drag, click);
}

void
desktop_viewport_hands_setup(DesktopViewport *self)
{
  GtkWidget *widget = GTK_WIDGET(self);
  GtkEventController *scroll =
      gtk_event_controller_scroll_new(GTK_EVENT_CONTROLLER_SCROLL_VERTICAL);
  GtkEventController *motion = gtk_event_controller_motion_new();
  GtkEventController *focus = gtk_event_controller_focus_new();
  GtkDropTarget *drop = gtk_drop_target_new(G_TYPE_UINT, GDK_ACTION_COPY);

  setup_presses(self);
  g_signal_connect(scroll, "scroll", G_CALLBACK(on_scroll), self);
  gtk_widget_add_controller(widget, scroll);
  g_signal_connect(motion, "motion", G_CALLBACK(on_motion), self);
  g_signal_connect(motion, "enter", G_CALLBACK(on_motion), self);
  g_signal_connect(motion, "leave", G_CALLBACK(on_leave), self);
  gtk_widget_add_controller(widget, motion);
  g_signal_connect(focus, "enter", G_CALLBACK(on_focus), self);
  gtk_widget_add_controller(widget, focus);
  g_signal_connect(drop, "drop", G_CALLBACK(on_drop), self);
  gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(drop));
}
