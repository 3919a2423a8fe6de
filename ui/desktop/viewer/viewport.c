/* viewport.c - the life of a viewport, and what it tells of itself. */
#include "viewer/viewport-private.h"

#include <glib/gi18n.h>

G_DEFINE_FINAL_TYPE(DesktopViewport, desktop_viewport, GTK_TYPE_WIDGET)

enum {
  PROP_TOOL = 1,
  PROP_SMOOTH,
  PROP_INVERT,
  PROP_TEXTS,
  PROP_COVERS,
  PROP_PRESENTATION,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];
static guint signals[N_SIGNALS];

/* In the order of their keys; the first is the one to begin with. */
static const char *const tools[] = {"window", "pan",     "zoom",      "scroll", "distance",
                                    "angle",  "ellipse", "rectangle", "region", NULL};

/* ---- telling ------------------------------------------------------------------------------ */

void
desktop_viewport_emit(DesktopViewport *self, ViewportSignal signal)
{
  g_signal_emit(self, signals[signal], 0);
}

void
desktop_viewport_emit_moved(DesktopViewport *self, int direction)
{
  g_signal_emit(self, signals[MOVED], 0, self->index, direction);
}

void
desktop_viewport_emit_number(DesktopViewport *self, ViewportSignal signal, int number)
{
  g_signal_emit(self, signals[signal], 0, number);
}

const AppSliceFacts *
desktop_viewport_facts(DesktopViewport *self)
{
  return self->drawn ? app_slice_facts(self->drawn->slice) : NULL;
}

AppSlice *
desktop_viewport_get_slice(DesktopViewport *self)
{
  g_return_val_if_fail(DESKTOP_IS_VIEWPORT(self), NULL);
  return self->drawn ? self->drawn->slice : NULL;
}

gboolean
desktop_viewport_get_window(DesktopViewport *self, AppWindow *window)
{
  g_return_val_if_fail(DESKTOP_IS_VIEWPORT(self), FALSE);
  if (self->drawn) {
    *window = self->drawn->window;
  }
  return self->drawn != NULL;
}

gboolean
desktop_viewport_get_placement(DesktopViewport *self, AppPlacement *placement)
{
  g_return_val_if_fail(DESKTOP_IS_VIEWPORT(self), FALSE);
  if (self->drawn) {
    *placement = self->drawn->placement;
  }
  return self->drawn != NULL;
}

const char *
desktop_viewport_get_error(DesktopViewport *self)
{
  g_return_val_if_fail(DESKTOP_IS_VIEWPORT(self), NULL);
  return self->error;
}

gboolean
desktop_viewport_get_region(DesktopViewport *self, AppRegion *region)
{
  const AppSliceFacts *facts = desktop_viewport_facts(self);
  const DesktopAnnotation *annotation =
      facts ? desktop_annotations_region(self->annotations, self->drawn_series, self->drawn_index)
            : NULL;

  *region = (AppRegion){0};
  return annotation && desktop_annotation_region(annotation, facts->width, facts->height, region);
}

/* The image itself is asked about: the same greys where a window can make them, else its own. */
static AppWindow
asked_window(DesktopViewport *self, const AppSliceFacts *facts)
{
  AppWindow window = self->drawn->window;

  if (!facts->same_greys || !window.set || window.lut != 0) {
    return (AppWindow){0};
  }
  window.invert = (window.invert != FALSE) != (facts->inverts != FALSE);
  return window;
}

gboolean
desktop_viewport_get_choice(DesktopViewport *self, AppImageChoice *choice)
{
  const AppSliceFacts *facts = desktop_viewport_facts(self);

  *choice = (AppImageChoice){0};
  if (!facts) {
    return FALSE;
  }
  choice->path = facts->path;
  choice->frame = facts->frame;
  /* As it was asked for: the file's own window stays the file's own. Colour has none. */
  if (facts->is_colour) {
    choice->window.invert = self->drawn_window.invert;
  } else if (facts->presentation) {
    choice->window = asked_window(self, facts);
  } else {
    choice->window = self->drawn_window;
  }
  desktop_viewport_get_region(self, &choice->region);
  choice->turns = self->drawn->placement.turns;
  choice->flip = self->drawn->placement.flip;
  return TRUE;
}

/* ---- being told --------------------------------------------------------------------------- */

void
desktop_viewport_set_message(DesktopViewport *self, const char *message)
{
  g_return_if_fail(DESKTOP_IS_VIEWPORT(self));
  g_free(self->message);
  self->message = g_strdup(message);
  desktop_viewport_describe_soon(self);
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

void
desktop_viewport_set_smooth(DesktopViewport *self, gboolean smooth)
{
  g_return_if_fail(DESKTOP_IS_VIEWPORT(self));
  if (self->placement.smooth != smooth) {
    self->placement.smooth = smooth;
    g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_SMOOTH]);
    desktop_viewport_request(self);
  }
}

void
desktop_viewport_set_tool(DesktopViewport *self, const char *tool)
{
  g_return_if_fail(DESKTOP_IS_VIEWPORT(self));
  for (guint i = 0; tools[i]; i++) {
    if (g_strcmp0(tools[i], tool) == 0 && self->tool != tools[i]) {
      desktop_viewport_tools_cancel(self);
      self->tool = tools[i];
      self->cursor = desktop_viewport_tool_draws(self) ? "crosshair" : NULL;
      gtk_widget_set_cursor_from_name(GTK_WIDGET(self), self->cursor);
      g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_TOOL]);
    }
  }
}

const char *
desktop_viewport_get_tool(DesktopViewport *self)
{
  g_return_val_if_fail(DESKTOP_IS_VIEWPORT(self), NULL);
  return self->tool;
}

gboolean
desktop_viewport_tool_draws(DesktopViewport *self)
{
  return g_strv_contains(tools + 4, self->tool);
}

static void
on_annotations(DesktopAnnotations *annotations, DesktopViewport *self)
{
  if (!desktop_annotations_find(annotations, self->selected)) {
    self->selected = 0;
  }
  gtk_widget_queue_draw(GTK_WIDGET(self));
  desktop_viewport_describe_soon(self);
  desktop_viewport_emit(self, CHANGED);
}

void
desktop_viewport_set_annotations(DesktopViewport *self, DesktopAnnotations *annotations)
{
  g_return_if_fail(DESKTOP_IS_VIEWPORT(self) && annotations);
  if (self->annotations) {
    g_signal_handlers_disconnect_by_data(self->annotations, self);
  }
  g_set_object(&self->annotations, annotations);
  self->selected = self->drafted = 0;
  g_signal_connect_object(annotations, "changed", G_CALLBACK(on_annotations), self, 0);
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

void
desktop_viewport_set_framed(DesktopViewport *self, gboolean framed)
{
  g_return_if_fail(DESKTOP_IS_VIEWPORT(self));
  if (self->framed != framed) {
    self->framed = framed;
    gtk_widget_queue_draw(GTK_WIDGET(self));
  }
}

void
desktop_viewport_set_reference(DesktopViewport *self, AppSlice *slice)
{
  g_return_if_fail(DESKTOP_IS_VIEWPORT(self));
  if (self->reference != slice) {
    g_clear_pointer(&self->reference, app_slice_unref);
    self->reference = slice ? app_slice_ref(slice) : NULL;
    gtk_widget_queue_draw(GTK_WIDGET(self));
  }
}

/* ---- class -------------------------------------------------------------------------------- */

static void
desktop_viewport_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  DesktopViewport *self = DESKTOP_VIEWPORT(object);

  switch (id) {
  case PROP_TOOL:
    g_value_set_string(value, self->tool);
    break;
  case PROP_SMOOTH:
    g_value_set_boolean(value, self->placement.smooth);
    break;
  case PROP_INVERT:
    g_value_set_boolean(value, self->window.invert);
    break;
  case PROP_TEXTS:
    g_value_set_boolean(value, !self->hides_texts);
    break;
  case PROP_COVERS:
    g_value_set_boolean(value, !self->placement.bare);
    break;
  case PROP_PRESENTATION:
    g_value_set_uint(value, self->presentation);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void
set_texts(DesktopViewport *self, gboolean shown)
{
  if (self->hides_texts == shown) {
    self->hides_texts = !shown;
    gtk_widget_queue_draw(GTK_WIDGET(self));
    g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_TEXTS]);
  }
}

static void
set_covers(DesktopViewport *self, gboolean shown)
{
  if (self->placement.bare == shown) {
    self->placement.bare = !shown;
    g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_COVERS]);
    desktop_viewport_request(self);
  }
}

static void
desktop_viewport_set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  DesktopViewport *self = DESKTOP_VIEWPORT(object);

  switch (id) {
  case PROP_TOOL:
    desktop_viewport_set_tool(self, g_value_get_string(value));
    break;
  case PROP_SMOOTH:
    desktop_viewport_set_smooth(self, g_value_get_boolean(value));
    break;
  case PROP_INVERT:
    if (self->window.invert != g_value_get_boolean(value)) {
      desktop_viewport_invert(self);
    }
    break;
  case PROP_TEXTS:
    set_texts(self, g_value_get_boolean(value));
    break;
  case PROP_COVERS:
    set_covers(self, g_value_get_boolean(value));
    break;
  case PROP_PRESENTATION:
    desktop_viewport_set_presentation(self, g_value_get_uint(value));
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void
desktop_viewport_measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                         int *natural, int *minimum_baseline, int *natural_baseline)
{
  *minimum = 140;
  *natural = 512;
}

static void
desktop_viewport_size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
  desktop_viewport_request(DESKTOP_VIEWPORT(widget));
}

static void
desktop_viewport_css_changed(GtkWidget *widget, GtkCssStyleChange *change)
{
  DesktopViewport *self = DESKTOP_VIEWPORT(widget);

  GTK_WIDGET_CLASS(desktop_viewport_parent_class)->css_changed(widget, change);
  if (self->words) {
    desktop_words_forget(self->words);
  }
}

static void
on_scale(DesktopViewport *self)
{
  desktop_words_forget(self->words);
  desktop_viewport_request(self);
}

static void
desktop_viewport_dispose(GObject *object)
{
  DesktopViewport *self = DESKTOP_VIEWPORT(object);

  desktop_viewport_pause(self);
  desktop_viewport_forget(self);
  g_clear_handle_id(&self->describe_soon, g_source_remove);
  g_clear_pointer(&self->reference, app_slice_unref);
  g_clear_object(&self->annotations);
  G_OBJECT_CLASS(desktop_viewport_parent_class)->dispose(object);
}

static void
desktop_viewport_finalize(GObject *object)
{
  DesktopViewport *self = DESKTOP_VIEWPORT(object);

  g_clear_pointer(&self->words, desktop_words_free);
  g_clear_pointer(&self->presets, g_ptr_array_unref);
  g_free(self->error);
  g_free(self->message);
  G_OBJECT_CLASS(desktop_viewport_parent_class)->finalize(object);
}

static void
install_signals(void)
{
  const GType type = DESKTOP_TYPE_VIEWPORT;
  static const struct {
    ViewportSignal signal;
    const char *name;
    guint n;
    GType types[2];
  } all[] = {{CHANGED, "changed", 0, {0}},
             {MOVED, "moved", 2, {G_TYPE_UINT, G_TYPE_INT}},
             {PICKED, "picked", 0, {0}},
             {SERIES_STEP, "series-step", 1, {G_TYPE_INT}},
             {SERIES_DROPPED, "series-dropped", 1, {G_TYPE_UINT}},
             {CINE, "cine", 0, {0}}};

  for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
    signals[all[i].signal] = g_signal_newv(all[i].name, type, G_SIGNAL_RUN_LAST, NULL, NULL, NULL,
                                           NULL, G_TYPE_NONE, all[i].n, (GType *)all[i].types);
  }
}

static void
desktop_viewport_class_init(DesktopViewportClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS(class);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->get_property = desktop_viewport_get_property;
  object_class->set_property = desktop_viewport_set_property;
  object_class->dispose = desktop_viewport_dispose;
  object_class->finalize = desktop_viewport_finalize;
  widget_class->snapshot = desktop_viewport_snapshot;
  widget_class->measure = desktop_viewport_measure;
  widget_class->size_allocate = desktop_viewport_size_allocate;
  widget_class->css_changed = desktop_viewport_css_changed;
  gtk_widget_class_set_css_name(widget_class, "viewer");
  gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_IMG);
  properties[PROP_TOOL] = g_param_spec_string("tool", NULL, NULL, tools[0], flags);
  properties[PROP_SMOOTH] = g_param_spec_boolean("smooth", NULL, NULL, TRUE, flags);
  properties[PROP_INVERT] = g_param_spec_boolean("invert", NULL, NULL, FALSE, flags);
  properties[PROP_TEXTS] = g_param_spec_boolean("texts", NULL, NULL, TRUE, flags);
  properties[PROP_PRESENTATION] =
      g_param_spec_uint("presentation", NULL, NULL, 0, G_MAXUINT, 0, flags);
  properties[PROP_COVERS] = g_param_spec_boolean("covers", NULL, NULL, TRUE, flags);
  g_object_class_install_properties(object_class, N_PROPERTIES, properties);
  install_signals();
  desktop_viewport_actions_install(widget_class);
}

void
desktop_viewport_invert(DesktopViewport *self)
{
  AppWindow window = self->window;

  window.invert = !window.invert;
  desktop_viewport_set_window(self, &window);
  g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_INVERT]);
}

static void
desktop_viewport_init(DesktopViewport *self)
{
  GtkWidget *widget = GTK_WIDGET(self);
  g_autoptr(DesktopAnnotations) annotations = desktop_annotations_new();

  self->series = G_MAXUINT;
  self->tool = tools[0];
  self->placement.smooth = TRUE;
  self->words = desktop_words_new(widget);
  gtk_widget_set_focusable(widget, TRUE);
  gtk_widget_set_overflow(widget, GTK_OVERFLOW_HIDDEN);
  g_signal_connect(self, "notify::scale-factor", G_CALLBACK(on_scale), NULL);
  desktop_viewport_set_annotations(self, annotations);
  desktop_viewport_hands_setup(self);
  desktop_viewport_cursor_setup(self);
  gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Image"),
                                 GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, _("No image is shown"), -1);
}
