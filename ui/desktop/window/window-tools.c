/* window-tools.c - the bar above the pictures: what it does goes to the active viewport. */
#include "window/window-private.h"

#include <glib/gi18n.h>

#include "app_presentation.h"

enum {
  PROP_TOOL = 1,
  PROP_INVERT,
  PROP_PRESENTATION,
  PROP_LINKED,
  PROP_LAYOUT,
  PROP_TEXTS, /* from here on: the active viewport's, by the same name, and of all viewports */
  PROP_COVERS,
  PROP_SMOOTH,
  N_PROPERTIES
};

/* "view.NAME" from the bar, where no viewport has the focus. */
static void
on_view_action(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopWindow *self = DESKTOP_WINDOW(widget);

  gtk_widget_activate_action_variant(GTK_WIDGET(desktop_window_viewport(self)), name, parameter);
}

/* ---- state -------------------------------------------------------------------------------- */

static void
desktop_window_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  DesktopWindow *self = DESKTOP_WINDOW(object);
  DesktopViewport *viewport = desktop_window_viewport(self);
  gboolean invert = FALSE;

  switch (id) {
  case PROP_TOOL:
    g_value_set_string(value, viewport ? desktop_viewport_get_tool(viewport) : "window");
    break;
  case PROP_INVERT:
    if (viewport) {
      g_object_get(viewport, "invert", &invert, NULL);
    }
    g_value_set_boolean(value, invert);
    break;
  case PROP_PRESENTATION:
    g_value_set_uint(value, viewport ? desktop_viewport_get_presentation(viewport) : 0);
    break;
  case PROP_LINKED:
    g_value_set_boolean(value, self->linked);
    break;
  case PROP_LAYOUT:
    g_value_take_string(value, desktop_window_get_layout(self));
    break;
  case PROP_TEXTS:
  case PROP_COVERS:
  case PROP_SMOOTH:
    if (viewport) {
      g_object_get_property(G_OBJECT(viewport), spec->name, value);
    }
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void
desktop_window_set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  DesktopWindow *self = DESKTOP_WINDOW(object);

  switch (id) {
  case PROP_TOOL:
    desktop_viewport_set_tool(desktop_window_viewport(self), g_value_get_string(value));
    break;
  case PROP_INVERT:
    g_object_set(desktop_window_viewport(self), "invert", g_value_get_boolean(value), NULL);
    break;
  case PROP_PRESENTATION:
    desktop_viewport_set_presentation(desktop_window_viewport(self), g_value_get_uint(value));
    break;
  case PROP_LINKED:
    self->linked = g_value_get_boolean(value);
    g_object_notify_by_pspec(object, spec);
    break;
  case PROP_LAYOUT:
    desktop_window_name_layout(self, g_value_get_string(value));
    break;
  case PROP_TEXTS:
  case PROP_COVERS:
  case PROP_SMOOTH:
    g_object_set_property(G_OBJECT(desktop_window_viewport(self)), spec->name, value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

/* What all viewports have the same way: the bar shows it, and each of them can change it. */
static const struct {
  guint id;
  const char *name, *action;
} shared[] = {{PROP_TEXTS, "texts", "view.texts"},
              {PROP_COVERS, "covers", "view.covers"},
              {PROP_SMOOTH, "smooth", "view.smooth"}};

void
desktop_window_tools_class_setup(DesktopWindowClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS(class);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  const char *name, *parameter;

  object_class->get_property = desktop_window_get_property;
  object_class->set_property = desktop_window_set_property;
  g_object_class_install_property(object_class, PROP_TOOL,
                                  g_param_spec_string("tool", NULL, NULL, "window", flags));
  g_object_class_install_property(object_class, PROP_INVERT,
                                  g_param_spec_boolean("invert", NULL, NULL, FALSE, flags));
  g_object_class_install_property(
      object_class, PROP_PRESENTATION,
      g_param_spec_uint("presentation", NULL, NULL, 0, G_MAXUINT, 0, flags));
  g_object_class_install_property(object_class, PROP_LINKED,
                                  g_param_spec_boolean("linked", NULL, NULL, TRUE, flags));
  g_object_class_install_property(object_class, PROP_LAYOUT,
                                  g_param_spec_string("layout", NULL, NULL, "1x1", flags));
  for (guint i = 0; (name = desktop_viewport_action(i, &parameter)); i++) {
    gtk_widget_class_install_action(widget_class, name, parameter, on_view_action);
  }
  for (gsize i = 0; i < G_N_ELEMENTS(shared); i++) {
    g_object_class_install_property(object_class, shared[i].id,
                                    g_param_spec_boolean(shared[i].name, NULL, NULL, TRUE, flags));
    gtk_widget_class_install_property_action(widget_class, shared[i].action, shared[i].name);
  }
  gtk_widget_class_install_property_action(widget_class, "view.tool", "tool");
  gtk_widget_class_install_property_action(widget_class, "view.invert", "invert");
  gtk_widget_class_install_property_action(widget_class, "view.presentation", "presentation");
  gtk_widget_class_install_property_action(widget_class, "win.linked", "linked");
  gtk_widget_class_install_property_action(widget_class, "win.layout", "layout");
}

/* One tool for all viewports. */
static void
on_tool(DesktopViewport *viewport, GParamSpec *spec, DesktopWindow *self)
{
  for (guint i = 0; i < DESKTOP_PANES; i++) {
    desktop_viewport_set_tool(self->panes[i], desktop_viewport_get_tool(viewport));
  }
  if (viewport == desktop_window_viewport(self)) {
    g_autofree char *icon =
        g_strdup_printf("hilum-%s-symbolic", desktop_viewport_get_tool(viewport));

    gtk_menu_button_set_icon_name(self->tools, icon);
    g_object_notify(G_OBJECT(self), "tool");
  }
}

/* What each viewport has for itself. */
static void
on_own(DesktopViewport *viewport, GParamSpec *spec, DesktopWindow *self)
{
  if (viewport == desktop_window_viewport(self)) {
    g_object_notify(G_OBJECT(self), spec->name);
  }
}

static void
on_shared(DesktopViewport *viewport, GParamSpec *spec, DesktopWindow *self)
{
  g_auto(GValue) value = G_VALUE_INIT;

  g_object_get_property(G_OBJECT(viewport), spec->name, &value);
  for (guint i = 0; i < DESKTOP_PANES; i++) {
    g_object_set_property(G_OBJECT(self->panes[i]), spec->name, &value);
  }
  g_object_notify(G_OBJECT(self), spec->name);
}

/* ---- presets ------------------------------------------------------------------------------ */

/* Those that are about the image, and none of them; nothing where there are none. */
static void
add_presentations(GMenu *menu, DesktopWindow *self)
{
  g_autoptr(GMenu) states = g_menu_new();
  guint n = self->study ? app_study_n_presentations(self->study) : 0;

  g_menu_append(states, _("None, as the Image Is"), "view.presentation(uint32 0)");
  for (guint i = 1; i <= n; i++) {
    g_autofree char *name = desktop_viewport_presentation_name(desktop_window_viewport(self), i);
    g_autofree char *action = g_strdup_printf("view.presentation(uint32 %u)", i);

    if (name) {
      g_menu_append(states, name, action);
    }
  }
  if (g_menu_model_get_n_items(G_MENU_MODEL(states)) > 1) {
    g_menu_append_section(menu, _("Presentation State"), G_MENU_MODEL(states));
  }
}

GMenuModel *
desktop_window_presets_menu(DesktopWindow *self)
{
  DesktopViewport *viewport = desktop_window_viewport(self);
  g_autoptr(GMenu) menu = g_menu_new();
  g_autoptr(GMenu) presets = g_menu_new();
  char *name;

  g_menu_append(menu, _("All Values"), "view.auto");
  g_menu_append(menu, _("Inverted"), "view.invert");
  for (guint i = 1; (name = desktop_viewport_preset_name(viewport, i)); i++) {
    g_autofree char *action = g_strdup_printf("view.preset(%u)", i);
    g_menu_append(presets, name, action);
    g_free(name);
  }
  g_menu_append_section(menu, _("Windows: width/centre"), G_MENU_MODEL(presets));
  add_presentations(menu, self);
  return self->settings ? desktop_keys_menu(self->settings, G_MENU_MODEL(menu))
                        : G_MENU_MODEL(g_steal_pointer(&menu));
}

/* Made as it opens: each image has its own. */
static void
make_presets(GtkMenuButton *button, gpointer data)
{
  g_autoptr(GMenuModel) menu = desktop_window_presets_menu(data);

  gtk_menu_button_set_menu_model(button, menu);
}

/* ---- cine --------------------------------------------------------------------------------- */

void
desktop_window_update_tools(DesktopWindow *self)
{
  DesktopViewport *viewport = desktop_window_viewport(self);
  gboolean plays = desktop_viewport_is_playing(viewport);

  gtk_widget_set_visible(self->cine, desktop_viewport_can_play(viewport));
  gtk_button_set_icon_name(self->play, plays ? "media-playback-pause-symbolic"
                                             : "media-playback-start-symbolic");
  desktop_keys_set_tooltip(GTK_WIDGET(self->play), plays ? _("Pause") : _("Play"));
  if (gtk_spin_button_get_value(self->rate) != desktop_viewport_get_rate(viewport)) {
    gtk_spin_button_set_value(self->rate, desktop_viewport_get_rate(viewport));
  }
}

static void
on_cine(DesktopViewport *viewport, DesktopWindow *self)
{
  if (!self->closed && viewport == desktop_window_viewport(self)) {
    desktop_window_update_tools(self);
    desktop_window_update_asking(self);
  }
}

static void
on_rate(GtkSpinButton *rate, DesktopWindow *self)
{
  desktop_viewport_set_rate(desktop_window_viewport(self), gtk_spin_button_get_value(rate));
}

/* What moves goes on moving while its rate is set; the rest of the bar gives the keys back. */
static void
on_bar_clicked(DesktopWindow *self)
{
  gtk_widget_grab_focus(GTK_WIDGET(desktop_window_viewport(self)));
}

void
desktop_window_tools_setup(DesktopWindow *self)
{
  GtkMenuButton *const menus[] = {self->tools, self->lie, self->layout, self->main};

  for (gsize i = 0; self->settings && i < G_N_ELEMENTS(menus); i++) {
    desktop_keys_attach_menu(self->settings, menus[i]);
  }
  if (self->settings) {
    desktop_keys_attach_tooltips(self->settings, GTK_WIDGET(self));
  }
  for (guint i = 0; i < DESKTOP_PANES; i++) {
    for (gsize k = 0; k < G_N_ELEMENTS(shared); k++) {
      g_autofree char *signal = g_strconcat("notify::", shared[k].name, NULL);
      g_signal_connect(self->panes[i], signal, G_CALLBACK(on_shared), self);
    }
    g_signal_connect(self->panes[i], "notify::tool", G_CALLBACK(on_tool), self);
    g_signal_connect(self->panes[i], "notify::invert", G_CALLBACK(on_own), self);
    g_signal_connect(self->panes[i], "notify::presentation", G_CALLBACK(on_own), self);
    g_signal_connect(self->panes[i], "cine", G_CALLBACK(on_cine), self);
  }
  gtk_menu_button_set_create_popup_func(self->presets, make_presets, self, NULL);
  g_signal_connect(self->rate, "value-changed", G_CALLBACK(on_rate), self);
  g_signal_connect_swapped(self->play, "clicked", G_CALLBACK(on_bar_clicked), self);
  desktop_window_update_tools(self);
}
