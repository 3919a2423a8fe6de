/* sign-in.c - asks who is there, and for their PIN, which stays in memory that is wiped. */
#include "person/sign-in.h"

#include <glib/gi18n.h>

typedef struct {
  GtkWidget *dialog;
  GtkDropDown *people;
  GtkEntryBuffer *pin;
  GStrv names;
  DesktopSignInFunc func;
  gpointer user;
  GDestroyNotify free_user;
} SignIn;

static void
sign_in_free(gpointer data)
{
  SignIn *self = data;

  g_object_unref(self->pin);
  g_strfreev(self->names);
  if (self->free_user) {
    self->free_user(self->user);
  }
  g_free(self);
}

static void
on_typed(SignIn *self)
{
  adw_message_dialog_set_response_enabled(ADW_MESSAGE_DIALOG(self->dialog), "use",
                                          gtk_entry_buffer_get_length(self->pin) > 0);
}

static void
on_response(AdwMessageDialog *dialog, const char *response, SignIn *self)
{
  DesktopSignInFunc func = self->func;
  const guint chosen = gtk_drop_down_get_selected(self->people);
  const gboolean use = g_str_equal(response, "use") && chosen < g_strv_length(self->names);

  self->func = NULL;
  if (func) {
    func(use ? self->names[chosen] : NULL, use ? gtk_entry_buffer_get_text(self->pin) : NULL,
         self->user);
  }
}

static GStrv
shown_of(JsonArray *people, GStrv *names)
{
  g_autoptr(GStrvBuilder) shown = g_strv_builder_new(), all = g_strv_builder_new();

  for (guint i = 0; i < json_array_get_length(people); i++) {
    JsonObject *person = json_array_get_object_element(people, i);
    const char *name = json_object_get_string_member_with_default(person, "name", "");
    const char *role = json_object_get_string_member_with_default(person, "role", NULL);
    g_autofree char *line = role ? g_strdup_printf("%s, %s", name, role) : g_strdup(name);
    g_strv_builder_add(shown, line);
    g_strv_builder_add(all, name);
  }
  *names = g_strv_builder_end(all);
  return g_strv_builder_end(shown);
}

static GtkWidget *
fields_new(SignIn *self, JsonArray *people, guint chosen)
{
  g_auto(GStrv) shown = shown_of(people, &self->names);
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *list = gtk_drop_down_new_from_strings((const char *const *)shown);
  GtkWidget *entry;

  self->people = GTK_DROP_DOWN(list);
  gtk_drop_down_set_selected(self->people, chosen);
  gtk_accessible_update_property(GTK_ACCESSIBLE(list), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Person"),
                                 -1);
  /* As settings/passphrase.c says, not a GtkPasswordEntry. */
  self->pin = gtk_password_entry_buffer_new();
  entry = gtk_entry_new_with_buffer(self->pin);
  g_object_set(entry, "visibility", FALSE, "activates-default", TRUE, "placeholder-text", _("PIN"),
               "input-purpose", GTK_INPUT_PURPOSE_PASSWORD, NULL);
  gtk_accessible_update_property(GTK_ACCESSIBLE(entry), GTK_ACCESSIBLE_PROPERTY_LABEL, _("PIN"),
                                 -1);
  g_signal_connect_swapped(entry, "changed", G_CALLBACK(on_typed), self);
  gtk_box_append(GTK_BOX(box), list);
  gtk_box_append(GTK_BOX(box), entry);
  return box;
}

GtkWidget *
desktop_sign_in_new(GtkWindow *parent, JsonArray *people, guint chosen, const char *message,
                    DesktopSignInFunc func, gpointer user, GDestroyNotify free_user)
{
  GtkWidget *dialog = adw_message_dialog_new(
      parent, _("Sign In"),
      message ? message : _("Verdicts are kept under the name of who is signed in."));
  SignIn *self = g_new0(SignIn, 1);

  self->dialog = dialog;
  self->func = func;
  self->user = user;
  self->free_user = free_user;
  adw_message_dialog_add_responses(ADW_MESSAGE_DIALOG(dialog), "cancel", _("_Cancel"), "use",
                                   _("_Sign In"), NULL);
  adw_message_dialog_set_response_appearance(ADW_MESSAGE_DIALOG(dialog), "use",
                                             ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_response_enabled(ADW_MESSAGE_DIALOG(dialog), "use", FALSE);
  adw_message_dialog_set_default_response(ADW_MESSAGE_DIALOG(dialog), "use");
  adw_message_dialog_set_close_response(ADW_MESSAGE_DIALOG(dialog), "cancel");
  adw_message_dialog_set_extra_child(ADW_MESSAGE_DIALOG(dialog), fields_new(self, people, chosen));
  gtk_window_set_focus(
      GTK_WINDOW(dialog),
      gtk_widget_get_last_child(adw_message_dialog_get_extra_child(ADW_MESSAGE_DIALOG(dialog))));
  g_signal_connect(dialog, "response", G_CALLBACK(on_response), self);
  gtk_window_set_destroy_with_parent(GTK_WINDOW(dialog), TRUE);
  g_object_set_data_full(G_OBJECT(dialog), "sign-in", self, sign_in_free);
  return dialog;
}
