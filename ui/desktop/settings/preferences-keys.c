/* preferences-keys.c - the page of keys: a row for each action of the table. */
#include <glib/gi18n.h>

#include "settings/preferences-private.h"

/* ---- rows --------------------------------------------------------------------------------- */

static void
show_keys(DesktopPreferences *self, DesktopKeyRow *row)
{
  g_auto(GStrv) keys = desktop_keys_shown(self->settings, row->key);
  g_auto(GStrv) all = desktop_keys_get(self->settings, row->key);
  g_autofree char *joined = g_strjoinv(" ", all);
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child(GTK_WIDGET(row->labels)))) {
    gtk_box_remove(row->labels, child);
  }
  for (gsize i = 0; keys[i]; i++) {
    gtk_box_append(row->labels, gtk_shortcut_label_new(keys[i]));
  }
  if (!keys[0]) {
    GtkWidget *none = gtk_label_new(_("None"));
    gtk_widget_add_css_class(none, "dim-label");
    gtk_box_append(row->labels, none);
  }
  gtk_widget_set_visible(row->reset, !g_str_equal(joined, row->key->keys));
}

static void
on_changed(DesktopPreferences *self)
{
  for (guint i = 0; i < self->key_rows->len; i++) {
    show_keys(self, self->key_rows->pdata[i]);
  }
}

static void
on_edit(GtkButton *button, DesktopPreferences *self)
{
  const DesktopKey *key = g_object_get_data(G_OBJECT(button), "key");

  desktop_key_dialog_present(self->settings, key, GTK_WINDOW(self));
}

static void
on_reset(GtkButton *button, DesktopPreferences *self)
{
  desktop_keys_set(self->settings, g_object_get_data(G_OBJECT(button), "key"), NULL);
}

static GtkWidget *
button_new(DesktopPreferences *self, const DesktopKey *key, const char *icon, const char *verb,
           GCallback callback)
{
  GtkWidget *button = gtk_button_new_from_icon_name(icon);
  g_autofree char *name = g_strdup_printf("%s: %s", _(key->title), verb);

  gtk_widget_set_tooltip_text(button, verb);
  gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class(button, "flat");
  gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  g_object_set_data(G_OBJECT(button), "key", (gpointer)key);
  g_signal_connect(button, "clicked", callback, self);
  return button;
}

static GtkWidget *
key_row_new(DesktopPreferences *self, const DesktopKey *key)
{
  GtkWidget *widget = adw_action_row_new();
  GtkWidget *labels = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *edit =
      button_new(self, key, "document-edit-symbolic", _("Change"), G_CALLBACK(on_edit));
  DesktopKeyRow *row = g_new0(DesktopKeyRow, 1);
  g_autofree char *title = g_markup_escape_text(_(key->title), -1);

  row->key = key;
  row->labels = GTK_BOX(labels);
  row->reset = button_new(self, key, "edit-undo-symbolic", _("Back to the usual keys"),
                          G_CALLBACK(on_reset));
  gtk_widget_set_valign(labels, GTK_ALIGN_CENTER);
  adw_preferences_row_set_title(ADW_PREFERENCES_ROW(widget), title);
  adw_action_row_add_suffix(ADW_ACTION_ROW(widget), labels);
  adw_action_row_add_suffix(ADW_ACTION_ROW(widget), row->reset);
  adw_action_row_add_suffix(ADW_ACTION_ROW(widget), edit);
  adw_action_row_set_activatable_widget(ADW_ACTION_ROW(widget), edit);
  g_ptr_array_add(self->key_rows, row);
  show_keys(self, row);
  return widget;
}

/* ---- groups ------------------------------------------------------------------------------- */

static GtkWidget *
reset_all_new(DesktopPreferences *self)
{
  GtkWidget *button = gtk_button_new_with_label(_("Reset All"));

  gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class(button, "flat");
  g_signal_connect_swapped(button, "clicked", G_CALLBACK(desktop_keys_reset_all), self->settings);
  return button;
}

void
desktop_preferences_keys_setup(DesktopPreferences *self)
{
  AdwPreferencesGroup *group = NULL;
  const char *name = NULL;

  self->key_rows = g_ptr_array_new_with_free_func(g_free);
  for (const DesktopKey *key = desktop_keys(); key->action; key++) {
    if (g_strcmp0(name, key->group) != 0) {
      GtkWidget *suffix = name ? NULL : reset_all_new(self);
      group = ADW_PREFERENCES_GROUP(adw_preferences_group_new());
      name = key->group;
      adw_preferences_group_set_title(group, _(name));
      if (suffix) {
        adw_preferences_group_set_header_suffix(group, suffix);
      }
      adw_preferences_page_add(self->keys_page, group);
    }
    adw_preferences_group_add(group, key_row_new(self, key));
  }
  g_signal_connect_object(desktop_settings_peek(self->settings), "changed::" DESKTOP_SETTING_KEYS,
                          G_CALLBACK(on_changed), self, G_CONNECT_SWAPPED);
}
