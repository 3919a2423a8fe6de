/* window-open.c - opening a file or a folder: by argument, dialog or drop. */
#include <glib/gi18n.h>

#include "app_note.h"
#include "window/window-private.h"

/* ---- reading ------------------------------------------------------------------------------ */

typedef struct {
  DesktopWindow *window;
  GCancellable *cancellable; /* the window's own, if no other opening took over */
  char *name;
} Opening;

static void
opening_free(Opening *opening)
{
  desktop_window_end_job(opening->window);
  g_object_unref(opening->cancellable);
  g_free(opening->name);
  g_free(opening);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Opening, opening_free)

static void
show_failure(DesktopWindow *self, const char *name, const char *message)
{
  g_autofree char *title = g_strdup_printf(_("Cannot Open “%s”"), name);
  g_autofree char *plain_title = g_markup_escape_text(title, -1);
  g_autofree char *plain = g_markup_escape_text(message, -1);

  /* What was open stays open; only an empty window has the room to say it in full. */
  if (self->study) {
    gtk_stack_set_visible_child_name(self->pages, "viewer");
    desktop_window_toast(self, message);
    return;
  }
  adw_status_page_set_title(self->failed_page, plain_title);
  adw_status_page_set_description(self->failed_page, plain);
  gtk_stack_set_visible_child_name(self->pages, "failed");
}

static void
on_opened(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(Opening) opening = data;
  g_autoptr(GError) error = NULL;
  AppStudy *study = app_study_open_finish(result, &error);
  DesktopWindow *self = opening->window;

  if (self->closed || opening->cancellable != self->opening) {
    g_clear_pointer(&study, app_study_free);
    return;
  }
  g_clear_object(&self->opening);
  if (study) {
    gtk_stack_set_visible_child_name(self->pages, "viewer");
    adw_window_title_set_title(self->title, opening->name);
    desktop_window_take_study(self, study);
  } else {
    show_failure(self, opening->name, error->message);
  }
}

/* With what lies beside it, if AROUND: the file of an image that is to be shown, FRAME of it. */
static void
open_path(DesktopWindow *self, const char *path, gboolean around, guint frame)
{
  Opening *opening = g_new0(Opening, 1);
  g_autofree char *name = g_path_get_basename(path);
  g_autofree char *text = NULL;

  if (self->opening) {
    g_cancellable_cancel(self->opening);
    g_clear_object(&self->opening);
  }
  self->opening = g_cancellable_new();
  desktop_window_begin_job(self);
  opening->window = self;
  opening->cancellable = g_object_ref(self->opening);
  opening->name = g_filename_display_name(name);
  text = g_strdup_printf(_("Reading “%s”…"), opening->name);
  gtk_label_set_text(self->loading_label, text);
  gtk_stack_set_visible_child_name(self->pages, "loading");
  app_notes_open_study_async(self->options->notes, path, around, frame, self->opening, on_opened,
                             opening);
}

void
desktop_window_open_around(DesktopWindow *self, const char *path, guint frame)
{
  open_path(self, path, TRUE, frame);
}

void
desktop_window_open_files(DesktopWindow *self, GFile **files, guint n_files)
{
  const char *path = n_files > 0 ? g_file_peek_path(files[0]) : NULL;

  if (n_files > 0 && !path) {
    desktop_window_toast(self, _("Only files on this computer can be opened"));
    return;
  }
  if (n_files > 1) {
    desktop_window_toast(self, _("Opened the first; open their folder to see them all"));
  }
  if (path) {
    open_path(self, path, FALSE, 0);
  }
}

/* ---- dialog ------------------------------------------------------------------------------- */

static void
on_chosen(GtkNativeDialog *dialog, int response, DesktopWindow *self)
{
  if (response == GTK_RESPONSE_ACCEPT) {
    g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
    if (file) {
      desktop_window_open_files(self, &file, 1);
    }
  }
  g_clear_object(&self->chooser);
}

void
desktop_window_choose(DesktopWindow *self, gboolean folder)
{
  if (self->chooser) {
    return;
  }
  self->chooser = gtk_file_chooser_native_new(
      folder ? _("Open Folder") : _("Open Image"), GTK_WINDOW(self),
      folder ? GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER : GTK_FILE_CHOOSER_ACTION_OPEN, _("_Open"),
      _("_Cancel"));
  gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(self->chooser), TRUE);
  g_signal_connect_object(self->chooser, "response", G_CALLBACK(on_chosen), self, 0);
  gtk_native_dialog_show(GTK_NATIVE_DIALOG(self->chooser));
}

/* ---- drop --------------------------------------------------------------------------------- */

static gboolean
on_drop(GtkDropTarget *target, const GValue *value, double x, double y, DesktopWindow *self)
{
  g_autoptr(GPtrArray) files = g_ptr_array_new();
  GSList *list = g_value_get_boxed(value);

  for (GSList *l = list; l; l = l->next) {
    g_ptr_array_add(files, l->data);
  }
  desktop_window_open_files(self, (GFile **)files->pdata, files->len);
  return files->len > 0;
}

void
desktop_window_open_setup(DesktopWindow *self)
{
  GtkDropTarget *target = gtk_drop_target_new(GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);

  g_signal_connect(target, "drop", G_CALLBACK(on_drop), self);
  gtk_widget_add_controller(GTK_WIDGET(self), GTK_EVENT_CONTROLLER(target));
}
