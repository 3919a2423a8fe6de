/* viewer.c - the picture on the screen, and the hands on it.
 *
 * Invariants:
 * 1. `texture` is NULL or shows `view` at `texture_width` x `texture_height` device pixels.
 * 2. A drag counts from the window at its start, so that rounding does not add up; views that
 *    arrive meanwhile do not move it.
 */
#include "viewer/viewer.h"

#include <math.h>

/* The window crosses the whole range of values along so many logical pixels of a drag. */
#define DRAG_PIXELS 1000.0
/* A hand that double-clicks trembles; so much is not meant. */
#define DRAG_THRESHOLD 3.0
#define PAGE 10

struct _DesktopViewer {
  GtkWidget parent;

  DesktopFilter filter;
  double scrolled; /* part of a step that the wheel has gone */
  gboolean dragging, moved;
  double start_center, start_width;
  double center, width; /* asked for last; counts until a view is taken */

  /* Owned. */
  AppView *view;
  GdkTexture *texture;
  int texture_width, texture_height;
};

G_DEFINE_FINAL_TYPE(DesktopViewer, desktop_viewer, GTK_TYPE_WIDGET)

enum { STEP, WINDOW_CHANGED, WINDOW_RESET, NUDGE, PLAY, N_SIGNALS };
static guint signals[N_SIGNALS];

/* ---- what is shown ------------------------------------------------------------------------ */

/* A hyphen before a number is easily overlooked; a wrong sign is another window. */
static char *
number_text(double value)
{
  return g_strdup_printf("%s%.6g", value < 0 ? "\u2212" : "", fabs(value));
}

char *
desktop_viewer_window_text(const AppView *view)
{
  g_autofree char *center = NULL, *width = NULL;

  if (!view || view->is_colour) {
    return g_strdup("");
  }
  if (!view->window.set) {
    return g_strdup("Window from the file's table");
  }
  center = number_text(view->window.center);
  width = number_text(view->window.width);
  return g_strdup_printf("C %s  W %s", center, width);
}

/* "; left edge R, top edge A", or "". */
static char *
letters_text(const AppLetters *letters)
{
  const struct {
    const char *edge, *letters;
  } edges[] = {{"left", letters->left},
               {"right", letters->right},
               {"top", letters->top},
               {"bottom", letters->bottom}};
  GString *text = g_string_new(NULL);

  for (gsize i = 0; i < G_N_ELEMENTS(edges); i++) {
    if (*edges[i].letters) {
      g_string_append_printf(text, "%s%s edge %s", text->len > 0 ? ", " : "; ", edges[i].edge,
                             edges[i].letters);
    }
  }
  return g_string_free(text, FALSE);
}

/* The picture's text twin, for who cannot see it. */
static void
update_description(DesktopViewer *self)
{
  g_autofree char *window = desktop_viewer_window_text(self->view);
  g_autofree char *letters = self->view ? letters_text(&self->view->letters) : NULL;
  g_autofree char *text = NULL;

  if (self->view) {
    text =
        g_strdup_printf("%s%s%s, %u by %u pixels%s", self->view->label, *window ? ", window " : "",
                        window, self->view->picture->width, self->view->picture->height, letters);
  }
  gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                 text ? text : "No image is shown", -1);
}

void
desktop_viewer_take_view(DesktopViewer *self, AppView *view)
{
  g_return_if_fail(DESKTOP_IS_VIEWER(self));
  g_clear_pointer(&self->view, app_view_free);
  g_clear_object(&self->texture);
  self->view = view;
  if (view && !self->dragging) {
    self->center = view->window.center;
    self->width = view->window.width;
  }
  update_description(self);
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

const AppView *
desktop_viewer_get_view(DesktopViewer *self)
{
  g_return_val_if_fail(DESKTOP_IS_VIEWER(self), NULL);
  return self->view;
}

void
desktop_viewer_set_filter(DesktopViewer *self, DesktopFilter filter)
{
  g_return_if_fail(DESKTOP_IS_VIEWER(self));
  self->filter = filter;
  g_clear_object(&self->texture);
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
make_texture(DesktopViewer *self, int width, int height)
{
  const AppPicture *picture = self->view->picture;
  gsize n_bytes = (gsize)width * (gsize)height * 4;
  guint32 *pixels = g_malloc(n_bytes);
  g_autoptr(GBytes) bytes = g_bytes_new_take(pixels, n_bytes);

  desktop_resample(picture->pixels, picture->width, picture->height, self->filter, pixels,
                   (guint)width, (guint)height);
  g_clear_object(&self->texture);
  self->texture =
      gdk_memory_texture_new(width, height, GDK_MEMORY_DEFAULT, bytes, (gsize)width * 4);
  self->texture_width = width;
  self->texture_height = height;
}

static void
desktop_viewer_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
  DesktopViewer *self = DESKTOP_VIEWER(widget);
  int scale = gtk_widget_get_scale_factor(widget);
  int width = gtk_widget_get_width(widget), height = gtk_widget_get_height(widget);
  int device_width = width * scale, device_height = height * scale;
  graphene_rect_t area = GRAPHENE_RECT_INIT(0, 0, (float)width, (float)height);
  const AppPicture *picture = self->view ? self->view->picture : NULL;

  gtk_snapshot_append_color(snapshot, &(GdkRGBA){0, 0, 0, 1}, &area);
  if (picture && picture->width > 0 && picture->height > 0 && width > 0 && height > 0) {
    double fit =
        MIN((double)device_width / picture->width, (double)device_height / picture->height);
    int w = CLAMP((int)lround(picture->width * fit), 1, device_width);
    int h = CLAMP((int)lround(picture->height * fit), 1, device_height);
    if (!self->texture || self->texture_width != w || self->texture_height != h) {
      make_texture(self, w, h);
    }
    /* On whole device pixels, so that the texture is copied and not resampled once more. */
    area = GRAPHENE_RECT_INIT((float)((device_width - w) / 2) / (float)scale,
                              (float)((device_height - h) / 2) / (float)scale,
                              (float)w / (float)scale, (float)h / (float)scale);
    gtk_snapshot_append_texture(snapshot, self->texture, &area);
  }
}

static void
desktop_viewer_measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                       int *natural, int *minimum_baseline, int *natural_baseline)
{
  *minimum = 200;
  *natural = 512;
}

/* ---- window ------------------------------------------------------------------------------- */

static void
move_window(DesktopViewer *self, double center, double width)
{
  const AppView *view = self->view;
  double range = view->high - view->low;
  /* Whole numbers where the values are many: nobody reads the window's decimals there. */
  double unit = range >= 64 ? 1 : 0;

  width = CLAMP(width, 1, MAX(4 * range, 1)); /* a linear window is at least 1 wide */
  center = CLAMP(center, view->low - range, view->high + range);
  if (unit > 0) {
    width = round(width);
    center = round(center);
  }
  if (center != self->center || width != self->width) {
    self->center = center;
    self->width = width;
    g_signal_emit(self, signals[WINDOW_CHANGED], 0, center, width);
  }
}

static gboolean
has_window(DesktopViewer *self)
{
  return self->view && !self->view->is_colour && self->view->high > self->view->low;
}

static void
on_drag_begin(GtkGestureDrag *gesture, double x, double y, DesktopViewer *self)
{
  gtk_widget_grab_focus(GTK_WIDGET(self));
  self->dragging = has_window(self);
  self->moved = FALSE;
  self->start_center = self->center;
  self->start_width = self->width;
}

static void
on_drag_update(GtkGestureDrag *gesture, double dx, double dy, DesktopViewer *self)
{
  double step;

  self->moved = self->moved || hypot(dx, dy) >= DRAG_THRESHOLD;
  if (!self->dragging || !has_window(self) || !self->moved) {
    return;
  }
  gtk_gesture_set_state(GTK_GESTURE(gesture), GTK_EVENT_SEQUENCE_CLAIMED);
  step = (self->view->high - self->view->low) / DRAG_PIXELS;
  /* Down is darker and right is flatter, as in every other viewer: a higher centre darkens. */
  move_window(self, self->start_center + dy * step, self->start_width + dx * step);
}

static void
on_drag_end(GtkGestureDrag *gesture, double dx, double dy, DesktopViewer *self)
{
  self->dragging = FALSE;
}

static void
on_pressed(GtkGestureClick *gesture, int n_press, double x, double y, DesktopViewer *self)
{
  if (n_press == 2) {
    self->dragging = FALSE;
    g_signal_emit(self, signals[WINDOW_RESET], 0);
  }
}

/* By key: an eighth of what a hand drags in a stroke. */
static void
desktop_viewer_nudge(DesktopViewer *self, int across, int down)
{
  if (has_window(self)) {
    double step = MAX((self->view->high - self->view->low) / 128, 1);
    move_window(self, self->center + down * step, self->width + across * step);
  }
}

/* ---- stack -------------------------------------------------------------------------------- */

static gboolean
on_scroll(GtkEventControllerScroll *controller, double dx, double dy, DesktopViewer *self)
{
  GdkModifierType state =
      gtk_event_controller_get_current_event_state(GTK_EVENT_CONTROLLER(controller));
  int steps;

  if (state & GDK_CONTROL_MASK) {
    return GDK_EVENT_PROPAGATE;
  }
  self->scrolled += dy;
  steps = (int)self->scrolled;
  if (steps != 0) {
    self->scrolled -= steps;
    g_signal_emit(self, signals[STEP], 0, steps);
  }
  return GDK_EVENT_STOP;
}

/* ---- class -------------------------------------------------------------------------------- */

static void
desktop_viewer_dispose(GObject *object)
{
  DesktopViewer *self = DESKTOP_VIEWER(object);

  g_clear_pointer(&self->view, app_view_free);
  g_clear_object(&self->texture);
  G_OBJECT_CLASS(desktop_viewer_parent_class)->dispose(object);
}

static void
bind_keys(GtkWidgetClass *class)
{
  static const struct {
    guint key, pad;
    int steps;
  } steps[] = {{GDK_KEY_Up, GDK_KEY_KP_Up, -1},
               {GDK_KEY_Down, GDK_KEY_KP_Down, 1},
               {GDK_KEY_Page_Up, GDK_KEY_KP_Page_Up, -PAGE},
               {GDK_KEY_Page_Down, GDK_KEY_KP_Page_Down, PAGE},
               {GDK_KEY_Home, GDK_KEY_KP_Home, G_MININT},
               {GDK_KEY_End, GDK_KEY_KP_End, G_MAXINT}};
  static const struct {
    guint key;
    int across, down;
  } nudges[] = {
      {GDK_KEY_Left, -1, 0}, {GDK_KEY_Right, 1, 0}, {GDK_KEY_Up, 0, -1}, {GDK_KEY_Down, 0, 1}};

  for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
    gtk_widget_class_add_binding_signal(class, steps[i].key, 0, "step", "(i)", steps[i].steps);
    gtk_widget_class_add_binding_signal(class, steps[i].pad, 0, "step", "(i)", steps[i].steps);
  }
  for (gsize i = 0; i < G_N_ELEMENTS(nudges); i++) {
    gtk_widget_class_add_binding_signal(class, nudges[i].key, GDK_CONTROL_MASK, "nudge", "(ii)",
                                        nudges[i].across, nudges[i].down);
  }
  gtk_widget_class_add_binding_signal(class, GDK_KEY_BackSpace, 0, "window-reset", NULL);
  gtk_widget_class_add_binding_signal(class, GDK_KEY_c, 0, "play", NULL);
}

static void
desktop_viewer_class_init(DesktopViewerClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS(class);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  const GSignalFlags action = G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION;

  object_class->dispose = desktop_viewer_dispose;
  widget_class->snapshot = desktop_viewer_snapshot;
  widget_class->measure = desktop_viewer_measure;
  gtk_widget_class_set_css_name(widget_class, "viewer");
  gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_IMG);

  signals[STEP] = g_signal_new("step", DESKTOP_TYPE_VIEWER, action, 0, NULL, NULL, NULL,
                               G_TYPE_NONE, 1, G_TYPE_INT);
  signals[WINDOW_CHANGED] =
      g_signal_new("window-changed", DESKTOP_TYPE_VIEWER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                   G_TYPE_NONE, 2, G_TYPE_DOUBLE, G_TYPE_DOUBLE);
  signals[WINDOW_RESET] = g_signal_new("window-reset", DESKTOP_TYPE_VIEWER, action, 0, NULL, NULL,
                                       NULL, G_TYPE_NONE, 0);
  signals[NUDGE] = g_signal_new_class_handler("nudge", DESKTOP_TYPE_VIEWER, action,
                                              G_CALLBACK(desktop_viewer_nudge), NULL, NULL, NULL,
                                              G_TYPE_NONE, 2, G_TYPE_INT, G_TYPE_INT);
  signals[PLAY] =
      g_signal_new("play", DESKTOP_TYPE_VIEWER, action, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  bind_keys(widget_class);
}

static void
desktop_viewer_init(DesktopViewer *self)
{
  GtkWidget *widget = GTK_WIDGET(self);
  GtkGesture *drag = gtk_gesture_drag_new();
  GtkGesture *click = gtk_gesture_click_new();
  GtkEventController *scroll =
      gtk_event_controller_scroll_new(GTK_EVENT_CONTROLLER_SCROLL_VERTICAL);

  self->filter = DESKTOP_FILTER_SMOOTH;
  gtk_widget_set_focusable(widget, TRUE);
  gtk_widget_set_overflow(widget, GTK_OVERFLOW_HIDDEN);
  g_signal_connect(drag, "drag-begin", G_CALLBACK(on_drag_begin), self);
  g_signal_connect(drag, "drag-update", G_CALLBACK(on_drag_update), self);
  g_signal_connect(drag, "drag-end", G_CALLBACK(on_drag_end), self);
  gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(drag));
  g_signal_connect(click, "pressed", G_CALLBACK(on_pressed), self);
  gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(click));
  gtk_gesture_group(drag, click);
  g_signal_connect(scroll, "scroll", G_CALLBACK(on_scroll), self);
  gtk_widget_add_controller(widget, scroll);
  gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL, "Image", -1);
  update_description(self);
}
