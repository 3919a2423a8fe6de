/* window-pane.c - the panes at the sides: the strip of what the study holds, and folding. */
#include "window/window-private.h"

/* ---- the strip ----------------------------------------------------------------------------- */

static void
on_image_chosen(DesktopStrip *strip, guint series, guint index, DesktopWindow *self)
{
  desktop_window_select_series(self, series);
  desktop_viewport_go_to(desktop_window_viewport(self), index, 0);
}

/* Folded away by a person, or because there is nothing to choose from. */
void
desktop_window_update_panes(DesktopWindow *self)
{
  gboolean has_choice = desktop_strip_has_choice(self->strip) || self->series_wanted;

  gtk_revealer_set_reveal_child(self->series_pane, self->study && self->series_shown && has_choice);
}

/* ---- widths --------------------------------------------------------------------------------- */

#define LEAST_PICTURES 400 /* pixels that are left to the pictures, whatever was wide elsewhere */

static void
keep_width(DesktopWindow *self, GtkWidget *pane, const char *key)
{
  if (self->settings && gtk_widget_get_mapped(pane) && gtk_widget_get_width(pane) > 0) {
    g_settings_set_int(desktop_settings_peek(self->settings), key, gtk_widget_get_width(pane));
  }
}

void
desktop_window_keep_widths(DesktopWindow *self)
{
  keep_width(self, GTK_WIDGET(self->strip), DESKTOP_SETTING_SERIES_WIDTH);
  keep_width(self, self->side_pane, DESKTOP_SETTING_CONVERSATION_WIDTH);
}

/* It has the width that it asked for; from now on it is as wide as hands make it. */
static gboolean
let_go_of_width(gpointer data)
{
  DesktopWindow *self = data;

  self->placing = 0;
  gtk_paned_set_position(self->side_paned, gtk_paned_get_position(self->side_paned));
  gtk_widget_set_size_request(self->side_pane, self->least_side, -1);
  return G_SOURCE_REMOVE;
}

static void
on_side_shown(DesktopWindow *self)
{
  g_signal_handlers_disconnect_by_func(self->side_pane, on_side_shown, self);
  self->placing = g_idle_add_full(G_PRIORITY_LOW, let_go_of_width, self, NULL);
}

/* A pane at the right of another counts its place from the left, which changes with the window: it
 * asks for its width at first. */
static void
restore_widths(DesktopWindow *self, GSettings *store)
{
  int series = g_settings_get_int(store, DESKTOP_SETTING_SERIES_WIDTH);
  int side = g_settings_get_int(store, DESKTOP_SETTING_CONVERSATION_WIDTH);
  int width, height;

  g_settings_get(store, DESKTOP_SETTING_WINDOW_SIZE, "(ii)", &width, &height);
  gtk_widget_get_size_request(self->side_pane, &self->least_side, NULL);
  if (!g_settings_get_boolean(store, DESKTOP_SETTING_MAXIMIZED)) {
    side = MIN(side, width - series - LEAST_PICTURES);
  }
  gtk_paned_set_position(self->series_paned, series);
  if (side > self->least_side) {
    gtk_widget_set_size_request(self->side_pane, side, -1);
    g_signal_connect_swapped(self->side_pane, "map", G_CALLBACK(on_side_shown), self);
  }
}

/* ---- folding ------------------------------------------------------------------------------- */

static void
remember(DesktopWindow *self, const char *key, gboolean shown)
{
  if (self->settings) {
    g_settings_set_boolean(desktop_settings_peek(self->settings), key, shown);
  }
}

/* Keys go on to the pictures when what has them goes out of sight. */
static void
keep_focus(DesktopWindow *self, GtkWidget *pane)
{
  GtkWidget *focus = gtk_window_get_focus(GTK_WINDOW(self));

  if (focus && gtk_widget_is_ancestor(focus, pane)) {
    gtk_widget_grab_focus(GTK_WIDGET(desktop_window_viewport(self)));
  }
}

static void
on_toggle_series(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopWindow *self = DESKTOP_WINDOW(widget);
  gboolean shown = !gtk_revealer_get_reveal_child(self->series_pane);

  keep_focus(self, GTK_WIDGET(self->strip));
  desktop_window_keep_widths(self);
  self->series_wanted = self->series_shown = shown;
  remember(self, DESKTOP_SETTING_SERIES_SHOWN, shown);
  desktop_window_update_panes(self);
}

static void
on_toggle_conversation(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopWindow *self = DESKTOP_WINDOW(widget);
  gboolean shown = !gtk_widget_get_visible(self->side_pane);

  keep_focus(self, self->side_pane);
  desktop_window_keep_widths(self);
  gtk_widget_set_visible(self->side_pane, shown);
  remember(self, DESKTOP_SETTING_CONVERSATION_SHOWN, shown);
}

/* ---- all of it ----------------------------------------------------------------------------- */

void
desktop_window_fill_pane(DesktopWindow *self)
{
  self->series_wanted = FALSE;
  self->adding = self->looked = G_MAXUINT;
  desktop_strip_set_study(self->strip, self->study);
  desktop_window_update_panes(self);
  desktop_window_load_keys(self);
}

void
desktop_window_pane_class_setup(DesktopWindowClass *window_class)
{
  GtkWidgetClass *class = GTK_WIDGET_CLASS(window_class);

  g_type_ensure(DESKTOP_TYPE_STRIP);
  gtk_widget_class_bind_template_child(class, DesktopWindow, strip);
  gtk_widget_class_bind_template_child(class, DesktopWindow, series_pane);
  gtk_widget_class_bind_template_child(class, DesktopWindow, series_paned);
  gtk_widget_class_bind_template_child(class, DesktopWindow, side_paned);
  gtk_widget_class_bind_template_child(class, DesktopWindow, series_toggle);
  gtk_widget_class_bind_template_child(class, DesktopWindow, conversation_toggle);
  gtk_widget_class_install_action(class, "win.toggle-series", NULL, on_toggle_series);
  gtk_widget_class_install_action(class, "win.toggle-conversation", NULL, on_toggle_conversation);
}

void
desktop_window_pane_setup(DesktopWindow *self)
{
  GSettings *store = self->settings ? desktop_settings_peek(self->settings) : NULL;

  self->series_shown = !store || g_settings_get_boolean(store, DESKTOP_SETTING_SERIES_SHOWN);
  gtk_widget_set_visible(
      self->side_pane, !store || g_settings_get_boolean(store, DESKTOP_SETTING_CONVERSATION_SHOWN));
  if (store) {
    restore_widths(self, store);
  }
  g_object_bind_property(self->series_pane, "reveal-child", self->series_toggle, "active",
                         G_BINDING_SYNC_CREATE);
  g_object_bind_property(self->side_pane, "visible", self->conversation_toggle, "active",
                         G_BINDING_SYNC_CREATE);
  if (self->settings) {
    desktop_keys_attach(self->settings, GTK_WIDGET(self->pages), "image.");
  }
  g_signal_connect_swapped(self->strip, "series-chosen", G_CALLBACK(desktop_window_select_series),
                           self);
  g_signal_connect(self->strip, "image-chosen", G_CALLBACK(on_image_chosen), self);
  g_signal_connect_swapped(self->strip, "document-chosen", G_CALLBACK(desktop_window_open_document),
                           self);
}
