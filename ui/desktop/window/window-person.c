/* window-person.c - who is signed in with a PIN: shown above the conversation, asked for where a
 * verdict needs it, and signed out when nobody is there.
 *
 * Time counts while the machine sleeps, too: who opens the lid is not the one who closed it.
 */
#include <glib/gi18n.h>
#include <time.h>

#include "app_person.h"
#include "person/sign-in.h"
#include "window/window-private.h"

#define LOOK_S 10u /* seconds between two looks at the clock */

/* ---- who is shown ---------------------------------------------------------------------------- */

void
desktop_window_update_person(DesktopWindow *self)
{
  g_autofree char *name = app_person_who();
  g_autofree char *text = name ? g_strdup_printf(_("Signed in: %s"), name) : NULL;

  gtk_label_set_text(self->person_name, text ? text : "");
  gtk_widget_set_visible(self->person_bar, name != NULL);
  gtk_widget_action_set_enabled(GTK_WIDGET(self), "win.sign-out", name != NULL);
}

/* Of all windows: one person sits before them. */
static void
update_all(void)
{
  GListModel *windows = gtk_window_get_toplevels();

  for (guint i = 0; i < g_list_model_get_n_items(windows); i++) {
    g_autoptr(GtkWindow) window = g_list_model_get_item(windows, i);
    if (DESKTOP_IS_WINDOW(window) && !DESKTOP_WINDOW(window)->closed) {
      desktop_window_update_person(DESKTOP_WINDOW(window));
    }
  }
}

/* ---- signing in ------------------------------------------------------------------------------ */

typedef struct {
  DesktopWindow *window;
  DesktopAfter after; /* may be NULL */
  GObject *object;
  JsonNode *people;
  guint chosen;
} Signing;

static void
signing_free(gpointer data)
{
  Signing *signing = data;

  g_clear_object(&signing->object);
  g_clear_pointer(&signing->people, json_node_unref);
  g_free(signing);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Signing, signing_free)

static void ask(Signing *signing, const char *message);

static void
on_signed_in(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Signing) signing = data;
  g_autoptr(GError) error = NULL;
  DesktopWindow *self = signing->window;
  guint wait = 0;
  g_autoptr(JsonNode) node = app_person_do_finish(result, &wait, &error);

  if (self->closed) {
    update_all();
  } else if (node) {
    self->person_seen = desktop_window_uptime();
    update_all();
    if (signing->after) {
      signing->after(self, signing->object);
    }
  } else if (app_person_is_refused(error)) {
    g_autofree char *later = g_strdup_printf(
        ngettext("That PIN is wrong, or it came too soon. The next one is looked at in %u second.",
                 "That PIN is wrong, or it came too soon. The next one is looked at in %u seconds.",
                 wait),
        wait);
    ask(g_steal_pointer(&signing), wait > 0 ? later : _("That PIN is wrong."));
  } else {
    desktop_window_toast(self, error->message);
  }
  desktop_window_end_job(self);
}

static void
on_answer(const char *name, const char *pin, gpointer data)
{
  const Signing *asked = data;
  const AppPersonWish wish = {APP_PERSON_IN, .name = name, .pin = pin};
  JsonArray *people = json_object_get_array_member(json_node_get_object(asked->people), "people");
  Signing *signing;

  if (!name) {
    return;
  }
  signing = g_new0(Signing, 1);
  *signing = *asked;
  signing->object = asked->object ? g_object_ref(asked->object) : NULL;
  signing->people = json_node_ref(asked->people);
  for (guint i = 0; i < json_array_get_length(people); i++) {
    JsonObject *person = json_array_get_object_element(people, i);
    if (g_strcmp0(json_object_get_string_member(person, "name"), name) == 0) {
      signing->chosen = i;
    }
  }
  desktop_window_begin_job(signing->window);
  app_person_do_async(signing->window->options->log_path, &wish, on_signed_in, signing);
}

/* Takes SIGNING. */
static void
ask(Signing *signing, const char *message)
{
  JsonArray *people = json_object_get_array_member(json_node_get_object(signing->people), "people");

  gtk_window_present(
      GTK_WINDOW(desktop_sign_in_new(GTK_WINDOW(signing->window), people, signing->chosen, message,
                                     on_answer, signing, signing_free)));
}

static void
on_listed(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Signing) signing = data;
  g_autoptr(GError) error = NULL;
  DesktopWindow *self = signing->window;

  signing->people = app_person_do_finish(result, NULL, &error);
  if (self->closed) {
    ; /* nobody is asked any more */
  } else if (!signing->people) {
    desktop_window_toast(self, error->message);
  } else if (json_array_get_length(json_object_get_array_member(
                 json_node_get_object(signing->people), "people")) == 0) {
    desktop_window_toast(self, _("Nobody is enrolled yet: “hilum log person add NAME” does it"));
  } else {
    ask(g_steal_pointer(&signing), NULL);
  }
  desktop_window_end_job(self);
}

void
desktop_window_sign_in(DesktopWindow *self, DesktopAfter after, GObject *object)
{
  const AppPersonWish wish = {APP_PERSON_LIST};
  Signing *signing;

  if (self->options->no_log) {
    desktop_window_toast(self, _("No log is kept, so nothing is remembered."));
    return;
  }
  signing = g_new0(Signing, 1);
  signing->window = self;
  signing->after = after;
  signing->object = object ? g_object_ref(object) : NULL;
  desktop_window_begin_job(self);
  app_person_do_async(self->options->log_path, &wish, on_listed, signing);
}

/* ---- signing out ----------------------------------------------------------------------------- */

static void
on_signed_out(GObject *source, GAsyncResult *result, gpointer data)
{
  DesktopWindow *self = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = app_person_do_finish(result, NULL, &error);

  update_all();
  if (!node) {
    desktop_window_toast(self, error->message);
  }
  desktop_window_end_job(self);
}

static void
sign_out(DesktopWindow *self, const char *why)
{
  const AppPersonWish wish = {APP_PERSON_OUT, .why = why};

  desktop_window_begin_job(self);
  app_person_do_async(self->options->log_path, &wish, on_signed_out, self);
}

gint64
desktop_window_uptime(void)
{
  struct timespec now = {0};

  clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec;
}

/* Whether nobody has been there for longer than the setting says; then they are signed out. */
static gboolean
is_gone(DesktopWindow *self)
{
  GSettings *settings = self->settings ? desktop_settings_peek(self->settings) : NULL;
  const gint64 minutes = settings ? g_settings_get_uint(settings, DESKTOP_SETTING_SIGN_OUT) : 10;

  if (!gtk_widget_get_visible(self->person_bar) ||
      desktop_window_uptime() - self->person_seen < 60 * minutes) {
    return FALSE;
  }
  gtk_widget_set_visible(self->person_bar, FALSE);
  sign_out(self, "idle");
  desktop_window_toast(self, _("Signed out: nobody was there"));
  return TRUE;
}

static gboolean
on_event(GtkEventControllerLegacy *controller, GdkEvent *event, DesktopWindow *self)
{
  is_gone(self);
  self->person_seen = desktop_window_uptime();
  return GDK_EVENT_PROPAGATE;
}

static gboolean
on_tick(gpointer data)
{
  is_gone(data);
  return G_SOURCE_CONTINUE;
}

static void
on_sign_in(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_window_sign_in(DESKTOP_WINDOW(widget), NULL, NULL);
}

static void
on_sign_out(GtkWidget *widget, const char *name, GVariant *parameter)
{
  sign_out(DESKTOP_WINDOW(widget), "asked");
}

/* ---- life ------------------------------------------------------------------------------------ */

void
desktop_window_person_class_setup(DesktopWindowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

  gtk_widget_class_install_action(widget_class, "win.sign-in", NULL, on_sign_in);
  gtk_widget_class_install_action(widget_class, "win.sign-out", NULL, on_sign_out);
}

void
desktop_window_person_setup(DesktopWindow *self)
{
  GtkEventController *input = gtk_event_controller_legacy_new();
  GtkWidget *icon = gtk_image_new_from_icon_name("avatar-default-symbolic");
  GtkWidget *name = gtk_label_new(NULL), *out = gtk_button_new_with_mnemonic(_("Sign _Out"));

  self->person_bar = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
  self->person_name = GTK_LABEL(name);
  gtk_label_set_ellipsize(self->person_name, PANGO_ELLIPSIZE_END);
  gtk_label_set_xalign(self->person_name, 0);
  gtk_widget_set_hexpand(name, TRUE);
  gtk_widget_set_margin_start(self->person_bar, 12);
  gtk_widget_set_margin_end(self->person_bar, 12);
  gtk_widget_add_css_class(out, "flat");
  gtk_actionable_set_action_name(GTK_ACTIONABLE(out), "win.sign-out");
  gtk_box_append(GTK_BOX(self->person_bar), icon);
  gtk_box_append(GTK_BOX(self->person_bar), name);
  gtk_box_append(GTK_BOX(self->person_bar), out);
  gtk_box_insert_child_after(GTK_BOX(self->side_pane), self->person_bar,
                             gtk_widget_get_first_child(self->side_pane));
  gtk_event_controller_set_propagation_phase(input, GTK_PHASE_CAPTURE);
  g_signal_connect(input, "event", G_CALLBACK(on_event), self);
  gtk_widget_add_controller(GTK_WIDGET(self), input);
  self->person_seen = desktop_window_uptime();
  self->person_tick = g_timeout_add_seconds(LOOK_S, on_tick, self);
  desktop_window_update_person(self);
}
