/* application.c - the program: its options, its windows, its end. */
#include "application.h"

#include <glib-unix.h>
#include <signal.h>

#include "window/window.h"

struct _DesktopApplication {
  AdwApplication parent;

  /* Borrowed. */
  const AppReviewOptions *options;

  guint on_interrupt, on_terminate;
};

G_DEFINE_FINAL_TYPE(DesktopApplication, desktop_application, ADW_TYPE_APPLICATION)

DesktopApplication *
desktop_application_new(const AppReviewOptions *options)
{
  DesktopApplication *self =
      g_object_new(DESKTOP_TYPE_APPLICATION, "application-id", "org.hilum.Hilum", "flags",
                   G_APPLICATION_HANDLES_OPEN | G_APPLICATION_NON_UNIQUE, NULL);

  self->options = options;
  return self;
}

/* ---- actions ------------------------------------------------------------------------------ */

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
  const AppReviewOptions *options = DESKTOP_APPLICATION(application)->options;

  adw_show_about_window(gtk_application_get_active_window(application), "application-name", "Hilum",
                        "version", app_version(), "developer-name", "The Hilum authors",
                        "license-type", GTK_LICENSE_APACHE_2_0, "comments",
                        options->remote.url
                            ? "Ask questions of medical images with a model on a server, which "
                              "gets the pictures.\n\n" APP_NOTICE
                            : "Ask questions of medical images with a LLaVA-Med model that runs "
                              "right here.\n\n" APP_NOTICE,
                        NULL);
}

static gboolean
on_signal(gpointer application)
{
  close_windows(application);
  return G_SOURCE_CONTINUE;
}

/* ---- life --------------------------------------------------------------------------------- */

static DesktopWindow *
ensure_window(DesktopApplication *self)
{
  GtkWindow *window = gtk_application_get_active_window(GTK_APPLICATION(self));

  if (!window) {
    window = GTK_WINDOW(desktop_window_new(GTK_APPLICATION(self), self->options));
    gtk_window_present(window);
    desktop_window_load_model(DESKTOP_WINDOW(window));
  }
  return DESKTOP_WINDOW(window);
}

static void
desktop_application_activate(GApplication *application)
{
  ensure_window(DESKTOP_APPLICATION(application));
}

static void
desktop_application_open(GApplication *application, GFile **files, int n_files, const char *hint)
{
  desktop_window_open_files(ensure_window(DESKTOP_APPLICATION(application)), files,
                            (guint)MAX(n_files, 0));
}

static void
desktop_application_startup(GApplication *application)
{
  static const GActionEntry actions[] = {{.name = "quit", .activate = on_quit},
                                         {.name = "about", .activate = on_about}};
  static const struct {
    const char *action, *keys[3];
  } keys[] = {{"app.quit", {"<Control>q"}},
              {"window.close", {"<Control>w"}},
              {"win.open-file", {"<Control>o"}},
              {"win.open-folder", {"<Control><Shift>o"}},
              {"win.focus-question", {"<Control>l"}},
              {"win.describe", {"<Control>d"}},
              {"win.new-conversation", {"<Control>n"}},
              {"win.stop", {"Escape"}}};
  DesktopApplication *self = DESKTOP_APPLICATION(application);

  G_APPLICATION_CLASS(desktop_application_parent_class)->startup(application);
  g_action_map_add_action_entries(G_ACTION_MAP(self), actions, G_N_ELEMENTS(actions), self);
  for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
    gtk_application_set_accels_for_action(GTK_APPLICATION(self), keys[i].action, keys[i].keys);
  }
  /* Reading rooms are dark. */
  adw_style_manager_set_color_scheme(adw_style_manager_get_default(), ADW_COLOR_SCHEME_PREFER_DARK);
  self->on_interrupt = g_unix_signal_add(SIGINT, on_signal, self);
  self->on_terminate = g_unix_signal_add(SIGTERM, on_signal, self);
}

static void
desktop_application_shutdown(GApplication *application)
{
  DesktopApplication *self = DESKTOP_APPLICATION(application);

  g_clear_handle_id(&self->on_interrupt, g_source_remove);
  g_clear_handle_id(&self->on_terminate, g_source_remove);
  G_APPLICATION_CLASS(desktop_application_parent_class)->shutdown(application);
}

static void
desktop_application_class_init(DesktopApplicationClass *class)
{
  GApplicationClass *application_class = G_APPLICATION_CLASS(class);

  application_class->activate = desktop_application_activate;
  application_class->open = desktop_application_open;
  application_class->startup = desktop_application_startup;
  application_class->shutdown = desktop_application_shutdown;
}

static void
desktop_application_init(DesktopApplication *self)
{
}
