/* keys.c - keys in force: the table's, or what a person has put in their place. */
#include "settings/keys.h"

#include <glib/gi18n.h>
#include <string.h>

/* Of the application's own actions: pressed anywhere in a window, text entries included. */
static gboolean
is_everywhere(const DesktopKey *key)
{
  return g_str_has_prefix(key->action, "app.") || g_str_has_prefix(key->action, "win.") ||
         g_str_has_prefix(key->action, "window.");
}

const DesktopKey *
desktop_keys_find(const char *action)
{
  const DesktopKey *key = desktop_keys();

  while (key->action && strcmp(key->action, action) != 0) {
    key++;
  }
  return key->action ? key : NULL;
}

/* ---- in force ----------------------------------------------------------------------------- */

static gboolean
is_accelerator(const char *text)
{
  guint key;
  GdkModifierType modifiers;

  return gtk_accelerator_parse(text, &key, &modifiers) && key != 0;
}

char **
desktop_keys_get(DesktopSettings *settings, const DesktopKey *key)
{
  g_autoptr(GVariant) all =
      g_settings_get_value(desktop_settings_peek(settings), DESKTOP_SETTING_KEYS);
  g_autoptr(GVariant) own = g_variant_lookup_value(all, key->action, G_VARIANT_TYPE("as"));
  g_auto(GStrv) parts = own ? g_variant_dup_strv(own, NULL) : g_strsplit(key->keys, " ", -1);
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

  for (gsize i = 0; parts[i]; i++) {
    if (is_accelerator(parts[i])) {
      g_strv_builder_add(builder, parts[i]);
    }
  }
  return g_strv_builder_end(builder);
}

char **
desktop_keys_shown(DesktopSettings *settings, const DesktopKey *key)
{
  g_auto(GStrv) keys = desktop_keys_get(settings, key);
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

  for (gsize i = 0; keys[i]; i++) {
    if (i == 0 || !strstr(keys[i], "KP_")) {
      g_strv_builder_add(builder, keys[i]);
    }
  }
  return g_strv_builder_end(builder);
}

void
desktop_keys_set(DesktopSettings *settings, const DesktopKey *key, const char *const *keys)
{
  GSettings *store = desktop_settings_peek(settings);
  g_autoptr(GVariant) all = g_settings_get_value(store, DESKTOP_SETTING_KEYS);
  GVariantBuilder builder;
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_variant_builder_init(&builder, G_VARIANT_TYPE("a{sas}"));
  g_variant_iter_init(&iter, all);
  while (g_variant_iter_loop(&iter, "{&s@as}", &name, &value)) {
    if (strcmp(name, key->action) != 0) {
      g_variant_builder_add(&builder, "{s@as}", name, value);
    }
  }
  if (keys) {
    g_variant_builder_add(&builder, "{s@as}", key->action, g_variant_new_strv(keys, -1));
  }
  g_settings_set_value(store, DESKTOP_SETTING_KEYS, g_variant_builder_end(&builder));
}

void
desktop_keys_reset_all(DesktopSettings *settings)
{
  g_settings_reset(desktop_settings_peek(settings), DESKTOP_SETTING_KEYS);
}

char *
desktop_keys_label(DesktopSettings *settings, const char *action)
{
  const DesktopKey *key = desktop_keys_find(action);
  g_auto(GStrv) keys = key ? desktop_keys_get(settings, key) : NULL;
  GdkModifierType modifiers;
  guint code;

  if (!keys || !keys[0] || !gtk_accelerator_parse(keys[0], &code, &modifiers)) {
    return g_strdup("");
  }
  return gtk_accelerator_get_label(code, modifiers);
}

/* ---- choosing ----------------------------------------------------------------------------- */

static gboolean
same_accelerator(const char *a, const char *b)
{
  GdkModifierType modifiers[2];
  guint codes[2];

  return gtk_accelerator_parse(a, &codes[0], &modifiers[0]) &&
         gtk_accelerator_parse(b, &codes[1], &modifiers[1]) &&
         gdk_keyval_to_lower(codes[0]) == gdk_keyval_to_lower(codes[1]) &&
         modifiers[0] == modifiers[1];
}

const DesktopKey *
desktop_keys_conflict(DesktopSettings *settings, const DesktopKey *key, const char *accelerator)
{
  for (const DesktopKey *other = desktop_keys(); other->action; other++) {
    g_auto(GStrv) keys = desktop_keys_get(settings, other);
    for (gsize i = 0; other != key && keys[i]; i++) {
      if (same_accelerator(keys[i], accelerator)) {
        return other;
      }
    }
  }
  return NULL;
}

/* Keys that move the focus and press buttons are not to be taken away. */
static gboolean
is_reserved(guint code)
{
  const guint reserved[] = {GDK_KEY_Tab, GDK_KEY_ISO_Left_Tab, GDK_KEY_Return, GDK_KEY_KP_Enter};

  for (gsize i = 0; i < G_N_ELEMENTS(reserved); i++) {
    if (code == reserved[i]) {
      return TRUE;
    }
  }
  return FALSE;
}

char *
desktop_keys_problem(const DesktopKey *key, const char *accelerator)
{
  const GdkModifierType strong = GDK_CONTROL_MASK | GDK_ALT_MASK | GDK_SUPER_MASK | GDK_META_MASK;
  GdkModifierType modifiers;
  guint code;

  if (!gtk_accelerator_parse(accelerator, &code, &modifiers) || code == 0) {
    return g_strdup(_("This key has no name"));
  }
  if (is_reserved(code)) {
    return g_strdup(_("This key moves the focus or presses buttons"));
  }
  /* It would be taken from who types a question. */
  if (is_everywhere(key) && !(modifiers & strong) && code != GDK_KEY_Escape &&
      !(code >= GDK_KEY_F1 && code <= GDK_KEY_F35)) {
    return g_strdup(_("Hold Ctrl or Alt as well: the plain key is needed for writing"));
  }
  return NULL;
}

/* ---- giving keys to who acts -------------------------------------------------------------- */

typedef struct {
  DesktopSettings *settings; /* owned */
  GtkApplication *application;
  GtkWidget *widget;
  char *prefix;
  GtkEventController *controller; /* borrowed from WIDGET */
} Attachment;

static void
attachment_free(gpointer data, GClosure *closure)
{
  Attachment *attachment = data;

  g_object_unref(attachment->settings);
  g_free(attachment->prefix);
  g_free(attachment);
}

static void
give_application(GSettings *store, const char *name, Attachment *attachment)
{
  for (const DesktopKey *key = desktop_keys(); key->action; key++) {
    if (is_everywhere(key)) {
      g_auto(GStrv) keys = desktop_keys_get(attachment->settings, key);
      gtk_application_set_accels_for_action(attachment->application, key->action,
                                            (const char *const *)keys);
    }
  }
}

static void
add_shortcuts(GtkShortcutController *controller, const DesktopKey *key, char **keys)
{
  g_autoptr(GVariant) target = NULL;
  g_autofree char *name = NULL;

  if (!g_action_parse_detailed_name(key->action, &name, &target, NULL)) {
    g_return_if_reached();
  }
  for (gsize i = 0; keys[i]; i++) {
    GtkShortcut *shortcut =
        gtk_shortcut_new(gtk_shortcut_trigger_parse_string(keys[i]), gtk_named_action_new(name));
    gtk_shortcut_set_arguments(shortcut, target);
    gtk_shortcut_controller_add_shortcut(controller, shortcut);
  }
}

static void
give_widget(GSettings *store, const char *name, Attachment *attachment)
{
  if (attachment->controller) {
    gtk_widget_remove_controller(attachment->widget, attachment->controller);
  }
  attachment->controller = gtk_shortcut_controller_new();
  for (const DesktopKey *key = desktop_keys(); key->action; key++) {
    if (g_str_has_prefix(key->action, attachment->prefix)) {
      g_auto(GStrv) keys = desktop_keys_get(attachment->settings, key);
      add_shortcuts(GTK_SHORTCUT_CONTROLLER(attachment->controller), key, keys);
    }
  }
  gtk_widget_add_controller(attachment->widget, attachment->controller);
}

/* The handler goes with OBJECT, and the attachment with the handler. */
static void
follow(Attachment *attachment, gpointer object, GCallback give)
{
  GClosure *closure = g_cclosure_new(give, attachment, attachment_free);

  g_object_watch_closure(object, closure);
  g_signal_connect_closure(desktop_settings_peek(attachment->settings),
                           "changed::" DESKTOP_SETTING_KEYS, closure, FALSE);
}

void
desktop_keys_attach_application(DesktopSettings *settings, GtkApplication *application)
{
  Attachment *attachment = g_new0(Attachment, 1);

  attachment->settings = g_object_ref(settings);
  attachment->application = application;
  follow(attachment, application, G_CALLBACK(give_application));
  give_application(NULL, NULL, attachment);
}

void
desktop_keys_attach(DesktopSettings *settings, GtkWidget *widget, const char *prefix)
{
  Attachment *attachment = g_new0(Attachment, 1);

  attachment->settings = g_object_ref(settings);
  attachment->widget = widget;
  attachment->prefix = g_strdup(prefix);
  follow(attachment, widget, G_CALLBACK(give_widget));
  give_widget(NULL, NULL, attachment);
}
