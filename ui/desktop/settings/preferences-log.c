/* preferences-log.c - how the log is protected: said, and changed. */
#include <glib/gi18n.h>

#include "app_proof.h"
#include "settings/preferences-private.h"

static const struct {
  const char *name, *text;
} protections[] = {
    {"keyring", N_("The keyring of your session, which opens when you log in")},
    {"passphrase", N_("A passphrase, which is asked for at each start")},
    {"file", N_("A key file beside the log. That is weak: who can read your files can read it")}};

/* NAME NULL: there is no log yet. */
static void
show_protection(DesktopPreferences *self, const char *name)
{
  const char *text = name ? name : _("There is no log yet");
  const gboolean is_weak = g_strcmp0(name, "file") == 0;

  for (guint i = 0; i < G_N_ELEMENTS(protections); i++) {
    text = g_strcmp0(protections[i].name, name) == 0 ? _(protections[i].text) : text;
  }
  adw_action_row_set_subtitle(self->protection_row, text);
  adw_action_row_set_icon_name(self->protection_row,
                               is_weak ? "dialog-warning-symbolic" : "channel-secure-symbolic");
  gtk_widget_set_sensitive(GTK_WIDGET(self->protection_change), name != NULL);
}

static void
set_busy(DesktopPreferences *self, gboolean busy)
{
  self->protecting = busy;
  gtk_widget_set_visible(GTK_WIDGET(self->protection_busy), busy);
  gtk_spinner_set_spinning(self->protection_busy, busy);
  gtk_widget_set_sensitive(GTK_WIDGET(self->protection_change), !busy);
}

/* Of the log's state, or of one that was changed. */
static void
take_state(DesktopPreferences *self, JsonNode *node)
{
  JsonNode *member = json_object_get_member(json_node_get_object(node), "protection");

  show_protection(self, JSON_NODE_HOLDS_NULL(member) ? NULL : json_node_get_string(member));
}

static void
on_state(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(DesktopPreferences) self = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = app_log_job_finish(result, &error);

  if (!self->gone && !self->protecting) {
    if (node) {
      take_state(self, node);
    } else {
      g_autofree char *plain = g_markup_escape_text(error->message, -1);
      adw_action_row_set_subtitle(self->protection_row, plain);
      gtk_widget_set_sensitive(GTK_WIDGET(self->protection_change), FALSE);
    }
  }
}

void
desktop_preferences_set_log(DesktopPreferences *self, const char *path, gboolean kept)
{
  g_free(self->log_path);
  self->log_path = g_strdup(path);
  gtk_widget_set_visible(GTK_WIDGET(self->protection), kept);
  if (kept) {
    app_log_state_async(path, on_state, g_object_ref(self));
  }
}

static void
on_protected(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(DesktopPreferences) self = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = app_log_job_finish(result, &error);

  if (self->gone) {
    return;
  }
  set_busy(self, FALSE);
  if (node) {
    take_state(self, node);
    adw_preferences_window_add_toast(ADW_PREFERENCES_WINDOW(self),
                                     adw_toast_new(_("The log has a new key")));
  } else {
    g_autofree char *text = g_strdup_printf(_("The protection stays as it is: %s"), error->message);
    g_autofree char *plain = g_markup_escape_text(text, -1);
    adw_preferences_window_add_toast(ADW_PREFERENCES_WINDOW(self), adw_toast_new(plain));
  }
}

/* A new passphrase is asked for as any: twice, and wherever the log is opened. */
static void
on_protect(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopPreferences *self = DESKTOP_PREFERENCES(widget);

  if (!self->protecting) {
    set_busy(self, TRUE);
    app_log_protect_async(self->log_path, g_variant_get_string(parameter, NULL), on_protected,
                          g_object_ref(self));
  }
}

/* The window above verifies. */
static void
on_verify(GtkWidget *widget, const char *name, GVariant *parameter)
{
  GtkWindow *above = gtk_window_get_transient_for(GTK_WINDOW(widget));

  if (above) {
    gtk_window_present(above);
    gtk_widget_activate_action(GTK_WIDGET(above), "win.verify-log", NULL);
  }
}

void
desktop_preferences_log_class_setup(DesktopPreferencesClass *preferences_class)
{
  GtkWidgetClass *class = GTK_WIDGET_CLASS(preferences_class);

  gtk_widget_class_bind_template_child(class, DesktopPreferences, protection);
  gtk_widget_class_bind_template_child(class, DesktopPreferences, protection_row);
  gtk_widget_class_bind_template_child(class, DesktopPreferences, protection_change);
  gtk_widget_class_bind_template_child(class, DesktopPreferences, protection_busy);
  gtk_widget_class_install_action(class, "log.protect", "s", on_protect);
  gtk_widget_class_install_action(class, "log.verify", NULL, on_verify);
}
