/* window-document.c - what can be done with a document: a report is read, a PDF is saved. */
#include "window/window-private.h"

#include <glib/gi18n.h>

#include "app_presentation.h"

/* ---- reports ------------------------------------------------------------------------------ */

typedef struct {
  DesktopWindow *window;
  GtkWindow *dialog; /* a reference: the user may close it first */
  GtkStack *pages;
  GtkLabel *text;
} Report;

static void
on_text(GObject *source, GAsyncResult *result, gpointer data)
{
  Report *report = data;
  g_autoptr(GError) error = NULL;
  g_autofree char *text = app_study_document_text_finish(result, &error);

  /* A dialog that was closed has given up its children, not this reference to them. */
  gtk_label_set_text(report->text, text ? text : error->message);
  gtk_stack_set_visible_child_name(report->pages, "text");
  g_object_unref(report->text);
  g_object_unref(report->pages);
  g_object_unref(report->dialog);
  desktop_window_end_job(report->window);
  g_free(report);
}

static GtkWidget *
report_pages(GtkLabel *text)
{
  GtkWidget *pages = gtk_stack_new();
  GtkWidget *spinner = gtk_spinner_new();
  GtkWidget *scroller = gtk_scrolled_window_new();

  gtk_spinner_start(GTK_SPINNER(spinner));
  gtk_widget_set_halign(spinner, GTK_ALIGN_CENTER);
  gtk_widget_set_valign(spinner, GTK_ALIGN_CENTER);
  gtk_label_set_xalign(text, 0);
  gtk_label_set_yalign(text, 0);
  gtk_label_set_wrap(text, TRUE);
  gtk_label_set_wrap_mode(text, PANGO_WRAP_WORD_CHAR);
  gtk_label_set_selectable(text, TRUE);
  gtk_widget_add_css_class(GTK_WIDGET(text), "report");
  gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER,
                                 GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), GTK_WIDGET(text));
  gtk_stack_add_named(GTK_STACK(pages), spinner, "busy");
  gtk_stack_add_named(GTK_STACK(pages), scroller, "text");
  gtk_widget_set_vexpand(pages, TRUE);
  return pages;
}

static GtkWindow *
report_dialog(DesktopWindow *self, const AppDocument *document, GtkWidget *pages)
{
  GtkWidget *dialog = adw_window_new();
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *bar = adw_header_bar_new();
  GtkEventController *keys = gtk_shortcut_controller_new();

  gtk_shortcut_controller_add_shortcut(GTK_SHORTCUT_CONTROLLER(keys),
                                       gtk_shortcut_new(gtk_keyval_trigger_new(GDK_KEY_Escape, 0),
                                                        gtk_named_action_new("window.close")));
  gtk_widget_add_controller(dialog, keys);
  adw_header_bar_set_title_widget(ADW_HEADER_BAR(bar),
                                  adw_window_title_new(document->title, document->kind));
  gtk_box_append(GTK_BOX(box), bar);
  gtk_box_append(GTK_BOX(box), pages);
  adw_window_set_content(ADW_WINDOW(dialog), box);
  gtk_window_set_title(GTK_WINDOW(dialog), document->title);
  gtk_window_set_default_size(GTK_WINDOW(dialog), 640, 560);
  gtk_window_set_transient_for(GTK_WINDOW(dialog), GTK_WINDOW(self));
  gtk_window_set_destroy_with_parent(GTK_WINDOW(dialog), TRUE);
  return GTK_WINDOW(dialog);
}

static void
read_report(DesktopWindow *self, guint index, const AppDocument *document)
{
  Report *report = g_new0(Report, 1);

  report->text = g_object_ref_sink(GTK_LABEL(gtk_label_new(NULL)));
  report->pages = g_object_ref_sink(GTK_STACK(report_pages(report->text)));
  report->dialog = g_object_ref(report_dialog(self, document, GTK_WIDGET(report->pages)));
  report->window = self;
  desktop_window_begin_job(self);
  gtk_window_present(report->dialog);
  app_study_document_text_async(self->study, index, self->viewing, on_text, report);
}

/* ---- PDF ---------------------------------------------------------------------------------- */

typedef struct {
  DesktopWindow *window;
  char *path;
} Saving;

static void
on_saved(GObject *source, GAsyncResult *result, gpointer data)
{
  Saving *saving = data;
  g_autoptr(GError) error = NULL;

  if (app_study_document_save_finish(result, &error)) {
    g_autofree char *name = g_filename_display_basename(saving->path);
    g_autofree char *text = g_strdup_printf(_("Saved “%s”"), name);

    desktop_window_toast(saving->window, text);
  } else {
    desktop_window_toast(saving->window, error->message);
  }
  desktop_window_end_job(saving->window);
  g_free(saving->path);
  g_free(saving);
}

static void
on_saver_response(GtkNativeDialog *dialog, int response, DesktopWindow *self)
{
  g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));

  if (response == GTK_RESPONSE_ACCEPT && file && g_file_peek_path(file)) {
    Saving *saving = g_new0(Saving, 1);

    saving->window = self;
    saving->path = g_file_get_path(file);
    desktop_window_begin_job(self);
    app_study_document_save_async(self->study, self->saver_document, saving->path, on_saved,
                                  saving);
  }
  g_clear_object(&self->saver);
}

static void
save_pdf(DesktopWindow *self, guint index, const AppDocument *document)
{
  g_autofree char *base = g_filename_display_basename(document->path);
  g_autofree char *name = g_strdup_printf("%s.pdf", base);

  desktop_window_close_saver(self);
  self->saver_document = index;
  self->saver = gtk_file_chooser_native_new(_("Save PDF"), GTK_WINDOW(self),
                                            GTK_FILE_CHOOSER_ACTION_SAVE, _("_Save"), _("_Cancel"));
  gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(self->saver), name);
  gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(self->saver), TRUE);
  g_signal_connect_object(self->saver, "response", G_CALLBACK(on_saver_response), self, 0);
  gtk_native_dialog_show(GTK_NATIVE_DIALOG(self->saver));
}

void
desktop_window_close_saver(DesktopWindow *self)
{
  if (self->saver) {
    gtk_native_dialog_destroy(GTK_NATIVE_DIALOG(self->saver));
    g_clear_object(&self->saver);
  }
}

/* The image that is shown, or the first one that the presentation state is about. */
static void
show_by(DesktopWindow *self, guint presentation)
{
  DesktopViewport *viewport = desktop_window_viewport(self);
  guint series = desktop_viewport_get_series(viewport);
  guint index = desktop_viewport_get_index(viewport);

  if (series == G_MAXUINT ||
      !app_study_presentation_refers(self->study, presentation - 1, series, index)) {
    if (!app_study_presentation_image(self->study, presentation - 1, &series, &index)) {
      desktop_window_toast(self, _("The images of this presentation state are not here"));
      return;
    }
    desktop_viewport_set_series(viewport, series, index);
    desktop_window_picked(self);
  }
  desktop_viewport_set_presentation(viewport, presentation);
}

void
desktop_window_open_document(DesktopWindow *self, guint index)
{
  const AppDocument *document = app_study_document(self->study, index);

  if (document->has_text) {
    read_report(self, index, document);
  } else if (document->is_pdf) {
    save_pdf(self, index, document);
  } else if (document->presentation > 0) {
    show_by(self, document->presentation);
  }
}
