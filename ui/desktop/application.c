/* application.c - the program: its options, its windows, its end. */
#include "application.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <string.h>

#include "app_person.h"
#include "models/models.h"
#include "settings/keys.h"
#include "settings/preferences.h"
#include "settings/settings.h"
#include "settings/shortcuts.h"
#include "settings/told.h"
#include "window/window.h"

struct _DesktopApplication {
  AdwApplication parent;

  /* What the command line says, and the settings where it says nothing. Lent to the windows. */
  AppReviewOptions options;

  /* Owned. MODEL, MMPROJ and LOG are what OPTIONS has from the settings. */
  DesktopSettings *settings;
  char *model, *mmproj, *log;
  DesktopTold *told;
  guint notes_ending; /* of them: some that are still being written */

  /* Weak: open now, or NULL. */
  GtkWindow *shortcuts, *preferences, *models;

  guint on_interrupt, on_terminate;
};

G_DEFINE_FINAL_TYPE(DesktopApplication, desktop_application, ADW_TYPE_APPLICATION)

/* ---- what the windows are to use ----------------------------------------------------------- */

static void
use_model(DesktopApplication *self, const char *path)
{
  g_free(self->model);
  g_free(self->mmproj);
  self->model = path && *path ? g_strdup(path) : NULL;
  self->mmproj = self->model ? app_models_mmproj(self->model) : NULL;
  self->options.model.model = self->model;
  self->options.model.mmproj = self->mmproj;
}

/* The command line has the last word. */
static void
take_settings(DesktopApplication *self)
{
  AppReviewOptions *options = &self->options;

  if (!options->model.model && !options->remote.url) {
    g_autofree char *model = desktop_settings_get_text(self->settings, DESKTOP_SETTING_MODEL);
    use_model(self, model);
  }
  if (!options->log_path && !options->no_log) {
    self->log = desktop_settings_get_text(self->settings, DESKTOP_SETTING_LOG);
    options->log_path = self->log;
  }
  options->model.n_threads =
      g_settings_get_uint(desktop_settings_peek(self->settings), DESKTOP_SETTING_THREADS);
}

void
desktop_application_sign_out(DesktopApplication *self)
{
  const AppPersonWish wish = {APP_PERSON_OUT, .why = "end"};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = app_person_do(self->options.log_path, &wish, NULL, &error);

  if (!node) {
    g_printerr("hilum-desktop: that who was signed in left is not in the log: %s\n",
               error->message);
  }
}

DesktopApplication *
desktop_application_new(const AppReviewOptions *options, DesktopSettings *settings, gboolean alone)
{
  DesktopApplication *self =
      g_object_new(DESKTOP_TYPE_APPLICATION, "application-id", "org.hilum.Hilum", "flags",
                   G_APPLICATION_HANDLES_OPEN | (alone ? G_APPLICATION_NON_UNIQUE : 0), NULL);

  self->options = *options;
  self->settings = g_object_ref(settings);
  take_settings(self);
  return self;
}

/* ---- actions ------------------------------------------------------------------------------ */

static void
change_models(DesktopApplication *self)
{
  for (GList *l = gtk_application_get_windows(GTK_APPLICATION(self)); l; l = l->next) {
    if (DESKTOP_IS_WINDOW(l->data)) {
      desktop_window_change_model(l->data);
    }
  }
}

/* ---- events beside questions --------------------------------------------------------------- */

static void
on_notes_trouble(const char *why, guint n, gpointer application)
{
  for (GList *l = gtk_application_get_windows(application); l; l = l->next) {
    if (DESKTOP_IS_WINDOW(l->data)) {
      desktop_window_tell_notes(l->data, why, n);
    }
  }
}

static void
open_notes(DesktopApplication *self)
{
  if (!self->options.no_log) {
    self->options.notes = app_notes_new(self->options.log_path);
    app_notes_set_listener(self->options.notes, on_notes_trouble, self);
  }
  desktop_told_set_notes(self->told, self->options.notes);
}

static void
on_notes_ended(GObject *source, GAsyncResult *result, gpointer notes)
{
  DesktopApplication *self = DESKTOP_APPLICATION(g_application_get_default());
  g_autoptr(GError) error = NULL;

  if (!app_notes_close_finish(notes, result, &error)) {
    g_printerr("hilum-desktop: %s\n", error->message);
  }
  app_notes_unref(notes);
  self->notes_ending--;
}

/* Reviews that are still there may hold them a little longer. */
static void
close_notes(DesktopApplication *self)
{
  AppNotes *notes = g_steal_pointer(&self->options.notes);

  desktop_told_set_notes(self->told, NULL);
  if (notes) {
    self->notes_ending++;
    app_notes_set_listener(notes, NULL, NULL);
    app_notes_close_async(notes, on_notes_ended, notes);
  }
}

/* Another log is another review. */
static void
on_log(GSettings *settings, const char *name, DesktopApplication *self)
{
  if (!self->options.no_log && self->options.log_path == self->log) {
    close_notes(self);
    g_free(self->log);
    self->log = desktop_settings_get_text(self->settings, DESKTOP_SETTING_LOG);
    self->options.log_path = self->log;
    open_notes(self);
    change_models(self);
    if (self->preferences) {
      desktop_preferences_set_log(DESKTOP_PREFERENCES(self->preferences), self->log, TRUE);
    }
  }
}

/* Through the windows, so that each can end what it is doing. */
static void
close_windows(GtkApplication *application)
{
  g_autoptr(GList) windows = g_list_copy(gtk_application_get_windows(application));

  for (GList *l = windows; l; l = l->next) {
    gtk_window_close(l->data);
  }
}

static void
on_quit(GSimpleAction *action, GVariant *parameter, gpointer application)
{
  close_windows(application);
}

static void
on_about(GSimpleAction *action, GVariant *parameter, gpointer application)
{
  const AppReviewOptions *options = &DESKTOP_APPLICATION(application)->options;

  g_autofree char *comments = g_strdup_printf(
      "%s\n\n%s",
      options->remote.url
          ? _("Ask questions of medical images with a model on a server, which gets the pictures.")
          : _("Ask questions of medical images with a LLaVA-Med model that runs right here."),
      _(APP_NOTICE));

  adw_show_about_window(gtk_application_get_active_window(application), "application-name", "Hilum",
                        "application-icon", "org.hilum.Hilum", "version", app_version(),
                        "developer-name", _("The Hilum authors"), "license-type",
                        GTK_LICENSE_APACHE_2_0, "comments", comments, "translator-credits",
                        _("translator-credits"), NULL);
}

/* Over the window in use; one of each kind is enough. */
static void
present_dialog(DesktopApplication *self, GtkWindow **slot, GtkWindow *dialog)
{
  gtk_window_set_transient_for(dialog, gtk_application_get_active_window(GTK_APPLICATION(self)));
  g_set_weak_pointer(slot, dialog);
  gtk_window_present(dialog);
}

static void
on_shortcuts(GSimpleAction *action, GVariant *parameter, gpointer application)
{
  DesktopApplication *self = DESKTOP_APPLICATION(application);

  if (self->shortcuts) {
    gtk_window_present(self->shortcuts);
  } else {
    present_dialog(self, &self->shortcuts, desktop_shortcuts_new(self->settings));
  }
}

static void
on_preferences(GSimpleAction *action, GVariant *parameter, gpointer application)
{
  DesktopApplication *self = DESKTOP_APPLICATION(application);

  if (self->preferences) {
    gtk_window_present(self->preferences);
  } else {
    DesktopPreferences *preferences = desktop_preferences_new(self->settings);
    desktop_preferences_set_log(preferences, self->options.log_path, !self->options.no_log);
    present_dialog(self, &self->preferences, GTK_WINDOW(preferences));
  }
}

static void
on_use(DesktopModels *models, const char *path, DesktopApplication *self)
{
  use_model(self, path);
  change_models(self);
}

static void
on_models(GSimpleAction *action, GVariant *parameter, gpointer application)
{
  DesktopApplication *self = DESKTOP_APPLICATION(application);

  if (self->models) {
    gtk_window_present(self->models);
  } else {
    g_autofree char *host =
        self->options.remote.url ? app_remote_host(&self->options.remote, NULL) : NULL;
    DesktopModels *models = desktop_models_new(self->settings, self->options.model.model, host);
    g_signal_connect_object(models, "use", G_CALLBACK(on_use), self, 0);
    present_dialog(self, &self->models, GTK_WINDOW(models));
  }
}

static gboolean
on_signal(gpointer application)
{
  close_windows(application);
  return G_SOURCE_CONTINUE;
}

static void
on_style(GSettings *settings, const char *name, gpointer application)
{
  g_autofree char *style = g_settings_get_string(settings, DESKTOP_SETTING_STYLE);

  adw_style_manager_set_color_scheme(adw_style_manager_get_default(),
                                     strcmp(style, "dark") == 0    ? ADW_COLOR_SCHEME_FORCE_DARK
                                     : strcmp(style, "light") == 0 ? ADW_COLOR_SCHEME_FORCE_LIGHT
                                                                   : ADW_COLOR_SCHEME_DEFAULT);
}

/* ---- life --------------------------------------------------------------------------------- */

static void
restore_size(DesktopApplication *self, GtkWindow *window)
{
  GSettings *store = desktop_settings_peek(self->settings);
  int width, height;

  g_settings_get(store, DESKTOP_SETTING_WINDOW_SIZE, "(ii)", &width, &height);
  if (width > 0 && height > 0) {
    gtk_window_set_default_size(window, width, height);
  }
  if (g_settings_get_boolean(store, DESKTOP_SETTING_MAXIMIZED)) {
    gtk_window_maximize(window);
  }
}

static gboolean
keep_size(GtkWindow *window, DesktopApplication *self)
{
  GSettings *store = desktop_settings_peek(self->settings);
  int width, height;

  /* GTK keeps in these what the window was before it filled the screen. */
  gtk_window_get_default_size(window, &width, &height);
  g_settings_set(store, DESKTOP_SETTING_WINDOW_SIZE, "(ii)", width, height);
  g_settings_set_boolean(store, DESKTOP_SETTING_MAXIMIZED, gtk_window_is_maximized(window));
  return FALSE;
}

static DesktopWindow *
ensure_window(DesktopApplication *self)
{
  GtkWindow *window = NULL;

  /* Dialogs are among them. The one in use comes first. */
  for (GList *l = gtk_application_get_windows(GTK_APPLICATION(self)); l && !window; l = l->next) {
    window = DESKTOP_IS_WINDOW(l->data) ? l->data : NULL;
  }
  if (!window) {
    window = GTK_WINDOW(desktop_window_new(GTK_APPLICATION(self), &self->options));
    restore_size(self, window);
    g_signal_connect_object(window, "close-request", G_CALLBACK(keep_size), self, 0);
    gtk_window_present(window);
    desktop_window_load_model(DESKTOP_WINDOW(window));
  }
  return DESKTOP_WINDOW(window);
}

static void
desktop_application_activate(GApplication *application)
{
  gtk_window_present(GTK_WINDOW(ensure_window(DESKTOP_APPLICATION(application))));
}

static void
desktop_application_open(GApplication *application, GFile **files, int n_files, const char *hint)
{
  DesktopWindow *window = ensure_window(DESKTOP_APPLICATION(application));

  desktop_window_open_files(window, files, (guint)MAX(n_files, 0));
  gtk_window_present(GTK_WINDOW(window));
}

static void
desktop_application_startup(GApplication *application)
{
  static const GActionEntry actions[] = {{.name = "quit", .activate = on_quit},
                                         {.name = "about", .activate = on_about},
                                         {.name = "shortcuts", .activate = on_shortcuts},
                                         {.name = "preferences", .activate = on_preferences},
                                         {.name = "models", .activate = on_models}};
  DesktopApplication *self = DESKTOP_APPLICATION(application);

  G_APPLICATION_CLASS(desktop_application_parent_class)->startup(application);
  g_action_map_add_action_entries(G_ACTION_MAP(self), actions, G_N_ELEMENTS(actions), self);
  self->told = desktop_told_new(self->settings);
  open_notes(self);
  desktop_keys_attach_application(self->settings, GTK_APPLICATION(self));
  g_signal_connect_object(desktop_settings_peek(self->settings), "changed::" DESKTOP_SETTING_STYLE,
                          G_CALLBACK(on_style), self, 0);
  g_signal_connect_object(desktop_settings_peek(self->settings), "changed::" DESKTOP_SETTING_LOG,
                          G_CALLBACK(on_log), self, 0);
  on_style(desktop_settings_peek(self->settings), DESKTOP_SETTING_STYLE, self);
  self->on_interrupt = g_unix_signal_add(SIGINT, on_signal, self);
  self->on_terminate = g_unix_signal_add(SIGTERM, on_signal, self);
}

static void
desktop_application_shutdown(GApplication *application)
{
  DesktopApplication *self = DESKTOP_APPLICATION(application);

  g_clear_handle_id(&self->on_interrupt, g_source_remove);
  g_clear_handle_id(&self->on_terminate, g_source_remove);
  /* Somebody may be asked for a passphrase, which the main loop answers. */
  close_notes(self);
  while (self->notes_ending > 0) {
    g_main_context_iteration(NULL, TRUE);
  }
  g_clear_pointer(&self->told, desktop_told_free);
  G_APPLICATION_CLASS(desktop_application_parent_class)->shutdown(application);
}

static void
desktop_application_finalize(GObject *object)
{
  DesktopApplication *self = DESKTOP_APPLICATION(object);

  g_clear_weak_pointer(&self->shortcuts);
  g_clear_weak_pointer(&self->preferences);
  g_clear_weak_pointer(&self->models);
  g_free(self->model);
  g_free(self->mmproj);
  g_free(self->log);
  g_clear_object(&self->settings);
  G_OBJECT_CLASS(desktop_application_parent_class)->finalize(object);
}

static void
desktop_application_class_init(DesktopApplicationClass *class)
{
  GApplicationClass *application_class = G_APPLICATION_CLASS(class);

  G_OBJECT_CLASS(class)->finalize = desktop_application_finalize;
  application_class->activate = desktop_application_activate;
  application_class->open = desktop_application_open;
  application_class->startup = desktop_application_startup;
  application_class->shutdown = desktop_application_shutdown;
}

static void
desktop_application_init(DesktopApplication *self)
{
}
