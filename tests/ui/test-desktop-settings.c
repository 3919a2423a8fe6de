/* test-desktop-settings.c - settings, the table of keys, and keys that people choose. */
#include <adwaita.h>
#include <math.h>

#include "app/tiny.h"
#include "app/wait.h"
#include "app_note.h"
#include "desktop-hands.h"
#include "settings/passphrase.h"
#include "settings/preferences-private.h"
#include "settings/shortcuts.h"

static DesktopSettings *
settings_new(void)
{
  g_autoptr(GError) error = NULL;
  DesktopSettings *settings = desktop_settings_new(&error);

  g_assert_no_error(error);
  return settings;
}

/* ---- presets ------------------------------------------------------------------------------ */

static void
check_preset(GPtrArray *presets, guint i, const char *name, double width, double center)
{
  const DesktopPreset *preset = presets->pdata[i];

  g_assert_cmpstr(preset->name, ==, name);
  g_assert_cmpfloat(preset->width, ==, width);
  g_assert_cmpfloat(preset->center, ==, center);
}

/* Another viewer once shipped a lung window of 150 for 1500: the numbers are held here. */
static void
test_default_presets(void)
{
  g_autoptr(DesktopSettings) settings = settings_new();
  g_autoptr(GPtrArray) presets = desktop_settings_get_presets(settings);

  g_assert_cmpuint(presets->len, ==, 6);
  check_preset(presets, 0, "Lung", 1500, -600);
  check_preset(presets, 1, "Mediastinum", 350, 50);
  check_preset(presets, 2, "Soft tissue", 400, 40);
  check_preset(presets, 3, "Liver", 150, 90);
  check_preset(presets, 4, "Bone", 2500, 480);
  check_preset(presets, 5, "Brain", 80, 40);
}

static void
test_presets(void)
{
  g_autoptr(DesktopSettings) settings = settings_new();
  GSettings *store = desktop_settings_peek(settings);
  g_autoptr(GPtrArray) presets = desktop_settings_get_presets(settings);
  g_autoptr(GPtrArray) read = NULL, mended = NULL;

  g_ptr_array_add(presets, desktop_preset_new("Stroke", 35, 35.5));
  g_ptr_array_remove_index(presets, 0);
  desktop_settings_set_presets(settings, presets);
  read = desktop_settings_get_presets(settings);
  g_assert_cmpuint(read->len, ==, 6);
  check_preset(read, 0, "Mediastinum", 350, 50);
  check_preset(read, 5, "Stroke", 35, 35.5);

  /* By hand, and wrong. */
  g_settings_set(store, DESKTOP_SETTING_PRESETS, "@a(sdd)",
                 g_variant_new_parsed("[('', 10.0, 1.0), ('Flat', 0.0, 1.0), ('Nothing', %*, 1.0), "
                                      "('Far', 100.0, 1e300), ('Good', 1.0, -1000.0)]",
                                      g_variant_new_double((double)NAN)));
  mended = desktop_settings_get_presets(settings);
  g_assert_cmpuint(mended->len, ==, 1);
  check_preset(mended, 0, "Good", 1, -1000);
  g_settings_reset(store, DESKTOP_SETTING_PRESETS);
}

static void
test_empty_text(void)
{
  g_autoptr(DesktopSettings) settings = settings_new();
  GSettings *store = desktop_settings_peek(settings);
  g_autofree char *none = desktop_settings_get_text(settings, DESKTOP_SETTING_MODEL), *path = NULL;

  g_assert_null(none);
  g_settings_set_string(store, DESKTOP_SETTING_MODEL, "/a/model");
  path = desktop_settings_get_text(settings, DESKTOP_SETTING_MODEL);
  g_assert_cmpstr(path, ==, "/a/model");
  g_settings_reset(store, DESKTOP_SETTING_MODEL);
}

/* ---- keys --------------------------------------------------------------------------------- */

static void
test_table(void)
{
  g_autoptr(DesktopSettings) settings = settings_new();
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  g_autoptr(GHashTable) groups = g_hash_table_new(g_str_hash, g_str_equal);
  const char *group = NULL;

  for (const DesktopKey *key = desktop_keys(); key->action; key++) {
    g_auto(GStrv) keys = desktop_keys_get(settings, key);
    g_auto(GStrv) written = g_strsplit(key->keys, " ", -1);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) target = NULL;
    g_autofree char *name = NULL;

    g_action_parse_detailed_name(key->action, &name, &target, &error);
    g_assert_no_error(error);
    g_assert_true(g_hash_table_add(seen, (gpointer)key->action));
    g_assert_cmpstr(key->title, !=, "");
    g_assert_cmpstr(key->group, !=, "");
    /* A group is in one place. */
    if (g_strcmp0(group, key->group) != 0) {
      g_assert_true(g_hash_table_add(groups, (gpointer)key->group));
      group = key->group;
    }
    /* All are keys, none is somebody else's, none is needed for writing. */
    g_assert_cmpuint(g_strv_length(keys), ==, *key->keys ? g_strv_length(written) : 0);
    for (gsize i = 0; keys[i]; i++) {
      const DesktopKey *other = desktop_keys_conflict(settings, key, keys[i]);
      g_autofree char *problem = desktop_keys_problem(key, keys[i]);
      g_assert_cmpstr(other ? other->action : NULL, ==, NULL);
      g_assert_cmpstr(problem, ==, NULL);
    }
  }
}

static void
test_change(void)
{
  const char *own[] = {"<Control>k", "nonsense<", "F7", NULL};
  const DesktopKey *key = desktop_keys_find("win.describe");
  g_autoptr(DesktopSettings) settings = settings_new();
  g_auto(GStrv) keys = NULL, none = NULL, usual = NULL;
  g_autofree char *label = NULL;

  desktop_keys_set(settings, key, own);
  desktop_keys_set(settings, desktop_keys_find("win.stop"), (const char *[]){NULL});
  keys = desktop_keys_get(settings, key);
  g_assert_cmpstrv(keys, ((const char *[]){"<Control>k", "F7", NULL}));
  none = desktop_keys_get(settings, desktop_keys_find("win.stop"));
  g_assert_cmpuint(g_strv_length(none), ==, 0);
  label = desktop_keys_label(settings, "win.describe");
  g_assert_cmpstr(label, ==, "Ctrl+K");
  g_assert_true(desktop_keys_conflict(settings, desktop_keys_find("win.open-file"), "<Primary>k") ==
                key);
  g_assert_null(desktop_keys_conflict(settings, key, "<Control>k"));
  desktop_keys_set(settings, key, NULL);
  usual = desktop_keys_get(settings, key);
  g_assert_cmpstrv(usual, ((const char *[]){"<Control>d", NULL}));
  desktop_keys_reset_all(settings);
}

static void
check_problem(const char *action, const char *accelerator, gboolean expected)
{
  g_autofree char *problem = desktop_keys_problem(desktop_keys_find(action), accelerator);

  g_assert_true((problem != NULL) == expected);
}

static void
test_problems(void)
{
  check_problem("win.describe", "d", TRUE);
  check_problem("win.describe", "<Shift>d", TRUE);
  check_problem("win.describe", "<Alt>d", FALSE);
  check_problem("win.describe", "F5", FALSE);
  check_problem("view.play", "p", FALSE);
  check_problem("view.play", "Tab", TRUE);
  check_problem("view.play", "Return", TRUE);
  check_problem("view.play", "", TRUE);
}

/* ---- keys in use -------------------------------------------------------------------------- */

#define PAD_TYPE (pad_get_type())
G_DECLARE_FINAL_TYPE(Pad, pad, TEST, PAD, GtkWidget)
struct _Pad {
  GtkWidget parent;
  int steps, plays;
};
G_DEFINE_FINAL_TYPE(Pad, pad, GTK_TYPE_WIDGET)

static void
on_pad_action(GtkWidget *widget, const char *name, GVariant *parameter)
{
  Pad *pad = TEST_PAD(widget);

  if (parameter) {
    pad->steps += g_variant_get_int32(parameter);
  } else {
    pad->plays++;
  }
}

static void
pad_class_init(PadClass *class)
{
  gtk_widget_class_install_action(GTK_WIDGET_CLASS(class), "view.step", "i", on_pad_action);
  gtk_widget_class_install_action(GTK_WIDGET_CLASS(class), "view.play", NULL, on_pad_action);
}

static void
pad_init(Pad *pad)
{
}

/* What GTK does with a key that reaches WIDGET: GDK 4 has no way to make an event of it. */
static void
press(GtkWidget *widget, guint code)
{
  g_autoptr(GListModel) controllers = gtk_widget_observe_controllers(widget);

  for (guint i = 0; i < g_list_model_get_n_items(controllers); i++) {
    g_autoptr(GListModel) shortcuts = g_list_model_get_item(controllers, i);
    for (guint j = 0; j < g_list_model_get_n_items(shortcuts); j++) {
      g_autoptr(GtkShortcut) shortcut = g_list_model_get_item(shortcuts, j);
      GtkShortcutTrigger *trigger = gtk_shortcut_get_trigger(shortcut);
      if (gtk_keyval_trigger_get_keyval(GTK_KEYVAL_TRIGGER(trigger)) == code &&
          gtk_keyval_trigger_get_modifiers(GTK_KEYVAL_TRIGGER(trigger)) == 0) {
        gtk_shortcut_action_activate(gtk_shortcut_get_action(shortcut), 0, widget,
                                     gtk_shortcut_get_arguments(shortcut));
      }
    }
  }
}

static void
test_attach(void)
{
  g_autoptr(DesktopSettings) settings = settings_new();
  Pad *pad = g_object_ref_sink(g_object_new(PAD_TYPE, NULL));

  desktop_keys_attach(settings, GTK_WIDGET(pad), "view.");
  press(GTK_WIDGET(pad), GDK_KEY_Down);
  press(GTK_WIDGET(pad), GDK_KEY_KP_Down);
  press(GTK_WIDGET(pad), GDK_KEY_Up);
  press(GTK_WIDGET(pad), GDK_KEY_KP_Down);
  g_assert_cmpint(pad->steps, ==, 2);
  press(GTK_WIDGET(pad), GDK_KEY_c);
  g_assert_cmpint(pad->plays, ==, 1);
  /* At once, and only the new one. */
  desktop_keys_set(settings, desktop_keys_find("view.play"), (const char *[]){"x", NULL});
  press(GTK_WIDGET(pad), GDK_KEY_c);
  g_assert_cmpint(pad->plays, ==, 1);
  press(GTK_WIDGET(pad), GDK_KEY_x);
  g_assert_cmpint(pad->plays, ==, 2);
  g_assert_cmpint(pad->steps, ==, 2);
  g_assert_finalize_object(pad);
  /* Nobody is left to be given keys. */
  desktop_keys_reset_all(settings);
  g_assert_finalize_object(g_steal_pointer(&settings));
}

static void
test_attach_application(void)
{
  g_autoptr(DesktopSettings) settings = settings_new();
  GtkApplication *application = gtk_application_new(NULL, G_APPLICATION_NON_UNIQUE);
  g_auto(GStrv) usual = NULL, own = NULL, view = NULL;

  g_assert_true(g_application_register(G_APPLICATION(application), NULL, NULL));
  desktop_keys_attach_application(settings, application);
  usual = gtk_application_get_accels_for_action(application, "win.open-file");
  g_assert_cmpstrv(usual, ((const char *[]){"<Control>o", NULL}));
  view = gtk_application_get_accels_for_action(application, "view.play");
  g_assert_cmpuint(g_strv_length(view), ==, 0);
  desktop_keys_set(settings, desktop_keys_find("win.open-file"),
                   (const char *[]){"<Control>p", NULL});
  own = gtk_application_get_accels_for_action(application, "win.open-file");
  g_assert_cmpstrv(own, ((const char *[]){"<Control>p", NULL}));
  desktop_keys_reset_all(settings);
  g_object_unref(application);
}

/* ---- the dialogs -------------------------------------------------------------------------- */

static void
on_gone(gpointer gone, GObject *where)
{
  *(gboolean *)gone = TRUE;
}

static void
close_and_wait(GtkWindow *window)
{
  gboolean gone = FALSE;

  g_object_weak_ref(G_OBJECT(window), on_gone, &gone);
  gtk_window_close(window);
  wait_until(gone);
}

/* The first below WIDGET of TYPE that is named TITLE. */
static GtkWidget *
find_row(GtkWidget *widget, GType type, const char *title)
{
  GtkWidget *found = NULL;

  if (g_type_is_a(G_OBJECT_TYPE(widget), type) && ADW_IS_PREFERENCES_ROW(widget) &&
      g_strcmp0(adw_preferences_row_get_title(ADW_PREFERENCES_ROW(widget)), title) == 0) {
    return widget;
  }
  for (GtkWidget *c = gtk_widget_get_first_child(widget); c && !found;
       c = gtk_widget_get_next_sibling(c)) {
    found = find_row(c, type, title);
  }
  return found;
}

static void
test_preferences(void)
{
  g_autoptr(DesktopSettings) settings = settings_new();
  GSettings *store = desktop_settings_peek(settings);
  DesktopPreferences *p = desktop_preferences_new(settings);
  g_autofree char *style = NULL;
  guint n_keys = 0;

  gtk_window_present(GTK_WINDOW(p));
  for (const DesktopKey *key = desktop_keys(); key->action; key++) {
    n_keys++;
  }
  g_assert_cmpuint(p->key_rows->len, ==, n_keys);
  g_assert_cmpuint(adw_combo_row_get_selected(p->style), ==, 0);
  adw_combo_row_set_selected(p->style, 1);
  style = g_settings_get_string(store, DESKTOP_SETTING_STYLE);
  g_assert_cmpstr(style, ==, "light");
  g_assert_false(gtk_widget_get_visible(GTK_WIDGET(p->log_reset)));
  g_settings_set_string(store, DESKTOP_SETTING_LOG, "/some/<log>.sqlite");
  g_assert_true(gtk_widget_get_visible(GTK_WIDGET(p->log_reset)));
  g_signal_emit_by_name(p->log_reset, "clicked");
  g_assert_false(gtk_widget_get_visible(GTK_WIDGET(p->log_reset)));
  close_and_wait(GTK_WINDOW(p));
  g_settings_reset(store, DESKTOP_SETTING_STYLE);
}

static DesktopPreset *
preset_at(DesktopSettings *settings, guint i)
{
  g_autoptr(GPtrArray) presets = desktop_settings_get_presets(settings);

  return presets->len > i ? g_ptr_array_steal_index(presets, i) : NULL;
}

static void
test_preset_rows(void)
{
  g_autoptr(DesktopSettings) settings = settings_new();
  DesktopPreferences *p = desktop_preferences_new(settings);
  GtkWidget *entry, *row;
  DesktopPreset *preset;

  gtk_window_present(GTK_WINDOW(p));
  row = find_row(GTK_WIDGET(p), ADW_TYPE_EXPANDER_ROW, "Lung");
  entry = find_row(row, ADW_TYPE_ENTRY_ROW, "Width in HU");
  g_assert_cmpstr(gtk_editable_get_text(GTK_EDITABLE(entry)), ==, "1500");
  /* A wrong one is not taken, a right one is. */
  gtk_editable_set_text(GTK_EDITABLE(entry), "1500 HU");
  g_signal_emit_by_name(entry, "apply");
  preset = preset_at(settings, 0);
  g_assert_cmpfloat(preset->width, ==, 1500);
  desktop_preset_free(preset);
  gtk_editable_set_text(GTK_EDITABLE(entry), "1600");
  g_signal_emit_by_name(entry, "apply");
  preset = preset_at(settings, 0);
  g_assert_cmpfloat(preset->width, ==, 1600);
  g_assert_cmpfloat(preset->center, ==, -600);
  desktop_preset_free(preset);
  /* Rows are made anew. */
  wait_until(find_row(GTK_WIDGET(p), ADW_TYPE_EXPANDER_ROW, "Lung") != row);
  g_signal_emit_by_name(p->preset_add, "clicked");
  wait_until(p->preset_rows->len == 7);
  g_signal_emit_by_name(p->preset_reset, "clicked");
  wait_until(p->preset_rows->len == 6);
  preset = preset_at(settings, 0);
  g_assert_cmpfloat(preset->width, ==, 1500);
  desktop_preset_free(preset);
  close_and_wait(GTK_WINDOW(p));
}

static void
test_shortcuts_window(void)
{
  g_autoptr(DesktopSettings) settings = settings_new();
  GtkWindow *window = desktop_shortcuts_new(settings);

  gtk_window_present(window);
  wait_until(gtk_widget_get_mapped(GTK_WIDGET(window)));
  close_and_wait(window);
}

/* ---- protection of the log ---------------------------------------------------------------- */

static const char *
protection_of(DesktopPreferences *preferences)
{
  return adw_action_row_get_subtitle(preferences->protection_row);
}

static gboolean
has_window_titled(const char *title)
{
  GListModel *windows = gtk_window_get_toplevels();
  gboolean found = FALSE;

  for (guint i = 0; i < g_list_model_get_n_items(windows); i++) {
    g_autoptr(GtkWindow) window = g_list_model_get_item(windows, i);
    found |= ADW_IS_MESSAGE_DIALOG(window) &&
             g_strcmp0(adw_message_dialog_get_heading(ADW_MESSAGE_DIALOG(window)), title) == 0;
  }
  return found;
}

/* No log yet; then one whose key is told to be weak, gets a passphrase, and gets its file again.
 */
static void
test_protection(void)
{
  g_autofree char *folder = tiny_folder_new();
  g_autofree char *log = g_build_filename(folder, "log.sqlite", NULL);
  g_autofree char *key = g_strconcat(log, ".key", NULL);
  g_autoptr(DesktopSettings) settings = settings_new();
  DesktopPreferences *preferences = desktop_preferences_new(settings);
  AppNotes *notes;

  gtk_window_present(GTK_WINDOW(preferences));
  g_assert_false(gtk_widget_get_visible(GTK_WIDGET(preferences->protection)));
  desktop_preferences_set_log(preferences, log, TRUE);
  wait_until(g_strcmp0(protection_of(preferences), "There is no log yet") == 0);
  g_assert_false(gtk_widget_get_sensitive(GTK_WIDGET(preferences->protection_change)));
  g_assert_false(g_file_test(log, G_FILE_TEST_EXISTS));

  notes = app_notes_new(log);
  wait_until(app_notes_are_written(notes));
  desktop_preferences_set_log(preferences, log, TRUE);
  wait_until(strstr(protection_of(preferences), "weak"));
  g_assert_true(gtk_widget_get_sensitive(GTK_WIDGET(preferences->protection_change)));
  g_assert_true(g_file_test(key, G_FILE_TEST_EXISTS));

  desktop_passphrase_attach();
  gtk_widget_activate_action(GTK_WIDGET(preferences), "log.protect", "s", "passphrase");
  g_assert_true(preferences->protecting);
  wait_until(has_window_titled("New Passphrase of the Log"));
  hands_rest();
  hands("type", "--delay", "5", "open sesame");
  hands("key", "Tab");
  hands("type", "--delay", "5", "open sesame");
  hands("key", "Return");
  wait_until(!preferences->protecting);
  g_assert_true(strstr(protection_of(preferences), "passphrase") != NULL);
  g_assert_false(g_file_test(key, G_FILE_TEST_EXISTS));

  /* Who writes already goes on, under the new key; nobody is asked again. */
  app_notes_viewed(notes, "list", 0, NULL);
  wait_until(app_notes_are_written(notes));
  gtk_widget_activate_action(GTK_WIDGET(preferences), "log.protect", "s", "file");
  wait_until(!preferences->protecting);
  g_assert_true(strstr(protection_of(preferences), "weak") != NULL);
  g_assert_true(g_file_test(key, G_FILE_TEST_EXISTS));
  app_notes_unref(notes);
  gtk_window_destroy(GTK_WINDOW(preferences));
  tiny_folder_free(g_steal_pointer(&folder));
}

/* What is refused changes nothing, and is said. */
static void
test_protection_refused(void)
{
  g_autofree char *folder = tiny_folder_new();
  g_autofree char *log = g_build_filename(folder, "log.sqlite", NULL);
  g_autoptr(DesktopSettings) settings = settings_new();
  DesktopPreferences *preferences = desktop_preferences_new(settings);
  AppNotes *notes = app_notes_new(log);

  wait_until(app_notes_are_written(notes));
  app_notes_unref(notes);
  gtk_window_present(GTK_WINDOW(preferences));
  desktop_preferences_set_log(preferences, log, TRUE);
  wait_until(protection_of(preferences) && strstr(protection_of(preferences), "weak"));
  desktop_passphrase_attach();
  gtk_widget_activate_action(GTK_WIDGET(preferences), "log.protect", "s", "passphrase");
  wait_until(has_window_titled("New Passphrase of the Log"));
  hands_rest();
  hands("key", "Escape");
  wait_until(!preferences->protecting);
  g_assert_true(strstr(protection_of(preferences), "weak") != NULL);
  gtk_window_destroy(GTK_WINDOW(preferences));
  tiny_folder_free(g_steal_pointer(&folder));
}

int
main(int argc, char **argv)
{
  g_autoptr(GtkCssProvider) style = NULL;

  g_setenv("GTK_A11Y", "none", TRUE);
  gtk_test_init(&argc, &argv, NULL);
  adw_init();
  /* As AdwApplication does. */
  style = gtk_css_provider_new();
  gtk_css_provider_load_from_resource(style, "/org/hilum/Hilum/style.css");
  gtk_style_context_add_provider_for_display(gdk_display_get_default(), GTK_STYLE_PROVIDER(style),
                                             GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
  g_test_add_func("/desktop/settings/presets-default", test_default_presets);
  g_test_add_func("/desktop/settings/presets", test_presets);
  g_test_add_func("/desktop/settings/text", test_empty_text);
  g_test_add_func("/desktop/settings/keys-table", test_table);
  g_test_add_func("/desktop/settings/keys-change", test_change);
  g_test_add_func("/desktop/settings/keys-problems", test_problems);
  g_test_add_func("/desktop/settings/keys-attach", test_attach);
  g_test_add_func("/desktop/settings/keys-application", test_attach_application);
  g_test_add_func("/desktop/settings/preferences", test_preferences);
  g_test_add_func("/desktop/settings/preset-rows", test_preset_rows);
  g_test_add_func("/desktop/settings/shortcuts", test_shortcuts_window);
  g_test_add_func("/desktop/settings/protection", test_protection);
  g_test_add_func("/desktop/settings/protection-refused", test_protection_refused);
  return g_test_run();
}
