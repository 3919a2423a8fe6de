/* preferences.c - the dialog in which settings are made: its life, and its plain rows. */
#include <glib/gi18n.h>

#include "settings/preferences-private.h"

G_DEFINE_FINAL_TYPE(DesktopPreferences, desktop_preferences, ADW_TYPE_PREFERENCES_WINDOW)

/* ---- style -------------------------------------------------------------------------------- */

/* In the order of the list. */
static const char *const styles[] = {"dark", "light", "system", NULL};

static gboolean
style_to_index(GValue *value, GVariant *variant, gpointer user)
{
  const char *name = g_variant_get_string(variant, NULL);
  guint index = 0;

  while (styles[index] && !g_str_equal(styles[index], name)) {
    index++;
  }
  g_value_set_uint(value, styles[index] ? index : 0);
  return TRUE;
}

static GVariant *
style_of_index(const GValue *value, const GVariantType *type, gpointer user)
{
  guint index = g_value_get_uint(value);

  return index < G_N_ELEMENTS(styles) - 1 ? g_variant_new_string(styles[index]) : NULL;
}

/* ---- files -------------------------------------------------------------------------------- */

static void
show_paths(DesktopPreferences *self)
{
  g_autofree char *log = desktop_settings_get_text(self->settings, DESKTOP_SETTING_LOG);
  g_autofree char *model = desktop_settings_get_text(self->settings, DESKTOP_SETTING_MODEL);
  g_autofree char *log_name = log ? g_filename_display_name(log) : NULL;
  g_autofree char *model_name = model ? g_filename_display_name(model) : NULL;
  g_autofree char *log_text =
      g_markup_escape_text(log ? log_name : _("In the folder of your data"), -1);
  g_autofree char *model_text = g_markup_escape_text(
      model ? model_name : _("The demo model, a toy that shows how it works"), -1);

  adw_action_row_set_subtitle(self->log_row, log_text);
  adw_action_row_set_subtitle(self->model_row, model_text);
  gtk_widget_set_visible(GTK_WIDGET(self->log_reset), log != NULL);
}

static void
on_log_chosen(GtkNativeDialog *dialog, int response, DesktopPreferences *self)
{
  if (response == GTK_RESPONSE_ACCEPT) {
    g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
    const char *path = file ? g_file_peek_path(file) : NULL;
    if (path && g_utf8_validate(path, -1, NULL)) {
      g_settings_set_string(desktop_settings_peek(self->settings), DESKTOP_SETTING_LOG, path);
    }
  }
  g_clear_object(&self->chooser);
}

static void
on_log_choose(DesktopPreferences *self)
{
  if (self->chooser) {
    return;
  }
  self->chooser =
      gtk_file_chooser_native_new(_("Log of Conversations"), GTK_WINDOW(self),
                                  GTK_FILE_CHOOSER_ACTION_SAVE, _("_Use"), _("_Cancel"));
  gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(self->chooser), "hilum-log.sqlite");
  gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(self->chooser), TRUE);
  g_signal_connect_object(self->chooser, "response", G_CALLBACK(on_log_chosen), self, 0);
  gtk_native_dialog_show(GTK_NATIVE_DIALOG(self->chooser));
}

static void
on_log_reset(DesktopPreferences *self)
{
  g_settings_reset(desktop_settings_peek(self->settings), DESKTOP_SETTING_LOG);
}

/* ---- life --------------------------------------------------------------------------------- */

static void
bind(DesktopPreferences *self)
{
  GSettings *store = desktop_settings_peek(self->settings);
  const GSettingsBindFlags both = G_SETTINGS_BIND_DEFAULT;

  g_settings_bind(store, DESKTOP_SETTING_CACHE, self->cache, "value", both);
  g_settings_bind(store, DESKTOP_SETTING_THREADS, self->threads, "value", both);
  g_settings_bind(store, DESKTOP_SETTING_BLANK_CHECK, self->blank_check, "active", both);
  g_settings_bind(store, DESKTOP_SETTING_PROBABILITIES, self->probabilities, "active", both);
  g_settings_bind_with_mapping(store, DESKTOP_SETTING_STYLE, self->style, "selected", both,
                               style_to_index, style_of_index, NULL, NULL);
  g_signal_connect_object(store, "changed::" DESKTOP_SETTING_LOG, G_CALLBACK(show_paths), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(store, "changed::" DESKTOP_SETTING_MODEL, G_CALLBACK(show_paths), self,
                          G_CONNECT_SWAPPED);
  show_paths(self);
}

DesktopPreferences *
desktop_preferences_new(DesktopSettings *settings)
{
  DesktopPreferences *self = g_object_new(DESKTOP_TYPE_PREFERENCES, NULL);

  self->settings = g_object_ref(settings);
  bind(self);
  desktop_preferences_presets_setup(self);
  desktop_preferences_keys_setup(self);
  return self;
}

static void
desktop_preferences_dispose(GObject *object)
{
  DesktopPreferences *self = DESKTOP_PREFERENCES(object);

  self->gone = TRUE;
  if (self->chooser) {
    gtk_native_dialog_destroy(GTK_NATIVE_DIALOG(self->chooser));
    g_clear_object(&self->chooser);
  }
  G_OBJECT_CLASS(desktop_preferences_parent_class)->dispose(object);
}

static void
desktop_preferences_finalize(GObject *object)
{
  DesktopPreferences *self = DESKTOP_PREFERENCES(object);

  g_free(self->log_path);
  g_clear_object(&self->settings);
  g_clear_pointer(&self->preset_rows, g_ptr_array_unref);
  g_clear_pointer(&self->key_rows, g_ptr_array_unref);
  G_OBJECT_CLASS(desktop_preferences_parent_class)->finalize(object);
}

static void
desktop_preferences_class_init(DesktopPreferencesClass *class)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

  G_OBJECT_CLASS(class)->dispose = desktop_preferences_dispose;
  G_OBJECT_CLASS(class)->finalize = desktop_preferences_finalize;
  gtk_widget_class_set_template_from_resource(widget, "/org/hilum/Hilum/preferences.ui");
  gtk_widget_class_bind_template_child(widget, DesktopPreferences, style);
  gtk_widget_class_bind_template_child(widget, DesktopPreferences, log_row);
  gtk_widget_class_bind_template_child(widget, DesktopPreferences, log_reset);
  gtk_widget_class_bind_template_child(widget, DesktopPreferences, log_choose);
  gtk_widget_class_bind_template_child(widget, DesktopPreferences, model_row);
  gtk_widget_class_bind_template_child(widget, DesktopPreferences, presets);
  gtk_widget_class_bind_template_child(widget, DesktopPreferences, preset_add);
  gtk_widget_class_bind_template_child(widget, DesktopPreferences, preset_reset);
  gtk_widget_class_bind_template_child(widget, DesktopPreferences, cache);
  gtk_widget_class_bind_template_child(widget, DesktopPreferences, threads);
  gtk_widget_class_bind_template_child(widget, DesktopPreferences, blank_check);
  gtk_widget_class_bind_template_child(widget, DesktopPreferences, probabilities);
  gtk_widget_class_bind_template_child(widget, DesktopPreferences, keys_page);
  desktop_preferences_log_class_setup(class);
}

static void
desktop_preferences_init(DesktopPreferences *self)
{
  gtk_widget_init_template(GTK_WIDGET(self));
  self->preset_rows = g_ptr_array_new();
  g_signal_connect_swapped(self->log_choose, "clicked", G_CALLBACK(on_log_choose), self);
  g_signal_connect_swapped(self->log_reset, "clicked", G_CALLBACK(on_log_reset), self);
}
