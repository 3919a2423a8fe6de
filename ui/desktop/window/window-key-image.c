/* window-key-image.c - key images: marking what is shown, and saving what is marked. */
#include "window/window-private.h"

#include <glib/gi18n.h>

#include "app_key_image.h"

/* What runs on another thread, for this study. */
typedef struct {
  DesktopWindow *window;
  AppStudy *study; /* borrowed, to compare */
} Work;

static Work *
work_new(DesktopWindow *self)
{
  Work *work = g_new0(Work, 1);

  desktop_window_begin_job(self);
  work->window = self;
  work->study = self->study;
  return work;
}

static void
work_free(Work *work)
{
  desktop_window_end_job(work->window);
  g_free(work);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Work, work_free)

static void
show_keys(DesktopWindow *self)
{
  for (guint i = 0; i < DESKTOP_PANES; i++) {
    desktop_viewport_update_keys(self->panes[i]);
  }
  desktop_strip_update_keys(self->strip);
  desktop_window_update_panes(self);
}

/* ---- as they were left ---------------------------------------------------------------------- */

static void
on_loaded(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Work) work = data;
  g_autoptr(GError) error = NULL;
  DesktopWindow *self = work->window;
  gboolean loaded = app_study_load_keys_finish(work->study, result, &error);

  if (self->closed || self->study != work->study) {
    return;
  }
  if (loaded) {
    show_keys(self);
  } else if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    g_autofree char *text = g_strdup_printf(_("Key images: %s"), error->message);
    desktop_window_toast(self, text);
  }
}

void
desktop_window_load_keys(DesktopWindow *self)
{
  /* Who keeps no log wants nothing kept of what was looked at. */
  g_autofree char *folder = self->options->no_log ? NULL : app_key_folder(self->options->log_path);

  app_study_load_keys_async(self->study, folder, self->viewing, on_loaded, work_new(self));
}

/* ---- marking -------------------------------------------------------------------------------- */

static void
on_remembered(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Work) work = data;
  g_autoptr(GError) error = NULL;

  if (!app_study_remember_keys_finish(work->study, result, &error)) {
    g_autofree char *text =
        g_strdup_printf(_("The key image is not remembered: %s"), error->message);
    desktop_window_toast(work->window, text);
  }
}

static void
on_mark(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopWindow *self = DESKTOP_WINDOW(widget);
  AppSlice *slice = desktop_viewport_get_slice(desktop_window_viewport(self));
  guint series, index;
  gboolean is_key;

  if (!slice) {
    return;
  }
  series = app_slice_facts(slice)->series;
  index = app_slice_facts(slice)->index;
  is_key = !app_study_is_key(self->study, series, index);
  app_study_set_key(self->study, series, index, is_key);
  show_keys(self);
  desktop_window_toast(self, is_key ? _("Marked as a key image") : _("No longer a key image"));
  app_study_remember_keys_async(self->study, on_remembered, work_new(self));
}

/* ---- saving --------------------------------------------------------------------------------- */

static void
on_saved(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Work) work = data;
  g_autoptr(GError) error = NULL;
  guint n = app_study_save_keys_finish(work->study, result, &error);
  g_autofree char *text = NULL;

  if (n > 0) {
    text = g_strdup_printf(ngettext("Key images saved in %u file, which names the patient",
                                    "Key images saved in %u files, which name the patient", n),
                           n);
  }
  desktop_window_toast(work->window, n > 0 ? text : error->message);
}

static void
on_response(GtkNativeDialog *dialog, int response, DesktopWindow *self)
{
  g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));

  if (response == GTK_RESPONSE_ACCEPT && file && g_file_peek_path(file) && self->study) {
    app_study_save_keys_async(self->study, g_file_peek_path(file), self->viewing, on_saved,
                              work_new(self));
  }
  g_clear_object(&self->saver);
}

static void
on_save_keys(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopWindow *self = DESKTOP_WINDOW(widget);
  guint n = 0;

  for (guint i = 0; self->study && i < app_study_n_series(self->study); i++) {
    n += app_study_n_keys(self->study, i);
  }
  if (n == 0) {
    desktop_window_toast(self, _("No image is marked as a key image"));
    return;
  }
  desktop_window_close_saver(self);
  self->saver = gtk_file_chooser_native_new(_("Save Key Images"), GTK_WINDOW(self),
                                            GTK_FILE_CHOOSER_ACTION_SAVE, _("_Save"), _("_Cancel"));
  gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(self->saver), "key-images.dcm");
  gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(self->saver), TRUE);
  g_signal_connect_object(self->saver, "response", G_CALLBACK(on_response), self, 0);
  gtk_native_dialog_show(GTK_NATIVE_DIALOG(self->saver));
}

void
desktop_window_key_image_class_setup(DesktopWindowClass *window_class)
{
  GtkWidgetClass *class = GTK_WIDGET_CLASS(window_class);

  gtk_widget_class_install_action(class, "image.mark", NULL, on_mark);
  gtk_widget_class_install_action(class, "win.save-key-images", NULL, on_save_keys);
}
