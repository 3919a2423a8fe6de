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
  gtk_widget_set_visible(self->side_pane,
                         !store ||
                             g_settings_get_boolean(store, DESKTOP_SETTING_CONVERSATION_SHOWN));
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
