/* export-dialog.c - asks what of the log is to leave, in which form and where to, and writes it.
 *
 * 1. One export runs at a time (`running`); while it does, nothing can be changed and Cancel ends
 *    it. The dialog holds itself as long.
 * 2. A format that needs something has it, and the row that would choose it says so.
 */
#include "record/export-dialog.h"

#include <glib/gi18n.h>

struct _DesktopExportDialog {
  AdwWindow parent;

  /* Template widgets. */
  GtkWidget *page, *export, *text_row, *choose;
  GtkProgressBar *progress;
  AdwComboRow *what, *format, *patient;
  GtkSwitch *text;
  AdwActionRow *folder_row;
  GtkLabel *failure, *format_text, *patient_text;

  /* Owned. */
  char *log_path, *folder;
  GArray *conversations; /* of gint64, or NULL */
  GtkFileChooserNative *chooser;
  GCancellable *running;

  gboolean closed;
};

G_DEFINE_FINAL_TYPE(DesktopExportDialog, desktop_export_dialog, ADW_TYPE_WINDOW)

/* ---- formats ------------------------------------------------------------------------------- */

/* Titles of the formats, which app names as the command line does. */
static const char *
title_of(const char *format)
{
  static const struct {
    const char *format, *title;
  } titles[] = {{"pdf", N_("PDF to Read")},
                {"sr", N_("DICOM Structured Report")},
                {"encapsulated-pdf", N_("DICOM PDF")},
                {"jsonl", N_("JSON Lines")},
                {"csv", N_("CSV Table")},
                {"balp", N_("FHIR AuditEvents")},
                {"ps315", N_("DICOM Audit Messages")},
                {"llava", N_("Training Set")}};

  for (guint i = 0; i < G_N_ELEMENTS(titles); i++) {
    if (g_str_equal(titles[i].format, format)) {
      return _(titles[i].title);
    }
  }
  return format;
}

/* What it is, as a sentence begins. g_free(). */
static char *
sentence_of(const char *summary)
{
  char first[7] = "";

  first[g_unichar_to_utf8(g_unichar_totitle(g_utf8_get_char(summary)), first)] = '\0';
  return g_strconcat(first, *summary ? g_utf8_next_char(summary) : "", NULL);
}

/* ---- what can be chosen -------------------------------------------------------------------- */

static void
on_patient(DesktopExportDialog *self)
{
  static const char *const texts[] = {
      N_("No identifier, name, UID, path or date of a study"),
      N_("The same letters for the same patient, and nothing that says who it is"),
      N_("Names, identifiers and dates, as the images have them")};
  const guint chosen = adw_combo_row_get_selected(self->patient);

  if (chosen < G_N_ELEMENTS(texts)) {
    gtk_label_set_text(self->patient_text, _(texts[chosen]));
  }
}

static void
on_format(DesktopExportDialog *self)
{
  const guint format = adw_combo_row_get_selected(self->format);
  const gboolean all = app_export_format_needs_patient(format);
  const gboolean text = app_export_format_needs_text(format);
  const char *summary = app_export_format_summary(format);
  g_autofree char *sentence = sentence_of(summary ? summary : "");

  gtk_label_set_text(self->format_text, sentence);
  gtk_widget_set_sensitive(GTK_WIDGET(self->patient), !all);
  gtk_widget_set_sensitive(self->text_row, !text);
  if (all) {
    adw_combo_row_set_selected(self->patient, APP_PATIENT_FULL);
    gtk_label_set_text(self->patient_text, _("It belongs to the patient's own study"));
  } else {
    on_patient(self);
  }
  if (text) {
    gtk_switch_set_active(self->text, TRUE);
  }
}

void
desktop_export_dialog_set_folder(DesktopExportDialog *self, const char *folder)
{
  g_autofree char *name = g_filename_display_name(folder);
  g_autofree char *plain = g_markup_escape_text(name, -1);

  g_free(self->folder);
  self->folder = g_strdup(folder);
  adw_action_row_set_subtitle(self->folder_row, plain);
}

static void
on_chosen(GtkNativeDialog *dialog, int response, DesktopExportDialog *self)
{
  g_autoptr(GFile) file = NULL;

  if (response == GTK_RESPONSE_ACCEPT) {
    file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
    if (file && g_file_peek_path(file)) {
      desktop_export_dialog_set_folder(self, g_file_peek_path(file));
    }
  }
  g_clear_object(&self->chooser);
}

static void
on_choose(DesktopExportDialog *self)
{
  if (!self->chooser) {
    self->chooser = gtk_file_chooser_native_new(_("Folder for the Export"), GTK_WINDOW(self),
                                                GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, _("_Choose"),
                                                _("_Cancel"));
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(self->chooser), TRUE);
    g_signal_connect_object(self->chooser, "response", G_CALLBACK(on_chosen), self, 0);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(self->chooser));
  }
}

/* ---- writing ------------------------------------------------------------------------------- */

static void
show_running(DesktopExportDialog *self)
{
  const gboolean runs = self->running != NULL;

  gtk_widget_set_sensitive(self->page, !runs);
  gtk_widget_set_sensitive(self->export, !runs);
  gtk_widget_set_visible(GTK_WIDGET(self->progress), runs);
  gtk_progress_bar_set_fraction(self->progress, 0);
}

static void
show_failure(DesktopExportDialog *self, const char *message)
{
  gtk_label_set_text(self->failure, message ? message : "");
  gtk_widget_set_visible(GTK_WIDGET(self->failure), message != NULL);
}

static gboolean
on_progress(guint64 done, guint64 total, gpointer user)
{
  DesktopExportDialog *self = user;

  if (self->running && !self->closed && total > 0) {
    gtk_progress_bar_set_fraction(self->progress, (double)done / (double)total);
  }
  return self->running && !g_cancellable_is_cancelled(self->running);
}

static char *
words_of(JsonNode *node)
{
  JsonObject *report = json_node_get_object(node);
  const guint n = json_array_get_length(json_object_get_array_member(report, "files"));
  const gint64 left_out = json_object_get_int_member(report, "left_out");
  g_autofree char *files = g_strdup_printf(ngettext("%u file", "%u files", n), n);

  g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, left_out);

  return left_out > 0
             /* Translators: the first is "3 files", the second a number. */
             ? g_strdup_printf(_("Exported %s; %s left out, see manifest.json"), files, number)
             : g_strdup_printf(_("Exported %s"), files);
}

static void
on_exported(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(DesktopExportDialog) self = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = app_export_finish(result, &error);
  const gboolean cancelled = g_cancellable_is_cancelled(self->running);
  GtkWindow *window = gtk_window_get_transient_for(GTK_WINDOW(self));

  g_clear_object(&self->running);
  if (self->closed) {
    return;
  }
  show_running(self);
  if (node) {
    g_autofree char *text = words_of(node);

    if (window) {
      gtk_widget_activate_action(GTK_WIDGET(window), "win.toast", "s", text);
    }
    gtk_window_destroy(GTK_WINDOW(self));
  } else if (!cancelled) {
    show_failure(self, error->message);
  }
}

/* A folder of its own, which is not there yet. */
static char *
place_of(DesktopExportDialog *self)
{
  g_autoptr(GDateTime) now = g_date_time_new_now_local();
  g_autofree char *name = g_date_time_format(now, "hilum-export-%Y-%m-%d-%H%M%S");

  return g_build_filename(self->folder, name, NULL);
}

static void
on_export(DesktopExportDialog *self)
{
  const gboolean some = self->conversations && adw_combo_row_get_selected(self->what) == 0;
  g_autofree char *out = place_of(self);
  const AppExportOptions options = {
      .log_path = self->log_path,
      .format = app_export_format_name(adw_combo_row_get_selected(self->format)),
      .out = out,
      .conversations = some ? (const gint64 *)(gconstpointer)self->conversations->data : NULL,
      .n_conversations = some ? self->conversations->len : 0,
      .text = gtk_switch_get_active(self->text),
      .patient = (AppPatient)adw_combo_row_get_selected(self->patient)};

  if (self->running) {
    return;
  }
  show_failure(self, NULL);
  self->running = g_cancellable_new();
  show_running(self);
  app_export_async(&options, on_progress, self, self->running, on_exported, g_object_ref(self));
}

static void
on_cancel(DesktopExportDialog *self)
{
  if (self->running) {
    g_cancellable_cancel(self->running);
  } else {
    gtk_window_close(GTK_WINDOW(self));
  }
}

static void
on_escape(GtkWidget *widget, const char *name, GVariant *parameter)
{
  on_cancel(DESKTOP_EXPORT_DIALOG(widget));
}

/* ---- life ---------------------------------------------------------------------------------- */

static void
fill(DesktopExportDialog *self, const char *what)
{
  g_autoptr(GtkStringList) formats = gtk_string_list_new(NULL);
  const char *const choices[] = {what, _("All conversations"), NULL};
  g_autoptr(GtkStringList) all = gtk_string_list_new(self->conversations ? choices : choices + 1);
  guint pdf = 0;

  for (guint i = 0; app_export_format_name(i); i++) {
    gtk_string_list_append(formats, title_of(app_export_format_name(i)));
    pdf = g_str_equal(app_export_format_name(i), "pdf") ? i : pdf;
  }
  adw_combo_row_set_model(self->what, G_LIST_MODEL(all));
  gtk_widget_set_sensitive(GTK_WIDGET(self->what), self->conversations != NULL);
  adw_combo_row_set_model(self->format, G_LIST_MODEL(formats));
  adw_combo_row_set_selected(self->format, pdf);
  on_format(self);
}

DesktopExportDialog *
desktop_export_dialog_new(GtkWindow *beside, const char *log_path, GArray *conversations,
                          const char *what)
{
  const char *documents = g_get_user_special_dir(G_USER_DIRECTORY_DOCUMENTS);
  DesktopExportDialog *self =
      g_object_new(DESKTOP_TYPE_EXPORT_DIALOG, "transient-for", beside, NULL);

  self->log_path = g_strdup(log_path);
  self->conversations = conversations;
  fill(self, what);
  desktop_export_dialog_set_folder(self, documents ? documents : g_get_home_dir());
  return self;
}

static void
desktop_export_dialog_dispose(GObject *object)
{
  DesktopExportDialog *self = DESKTOP_EXPORT_DIALOG(object);

  self->closed = TRUE;
  if (self->running) {
    g_cancellable_cancel(self->running);
  }
  if (self->chooser) {
    gtk_native_dialog_destroy(GTK_NATIVE_DIALOG(self->chooser));
    g_clear_object(&self->chooser);
  }
  G_OBJECT_CLASS(desktop_export_dialog_parent_class)->dispose(object);
}

static void
desktop_export_dialog_finalize(GObject *object)
{
  DesktopExportDialog *self = DESKTOP_EXPORT_DIALOG(object);

  g_free(self->log_path);
  g_free(self->folder);
  g_clear_pointer(&self->conversations, g_array_unref);
  G_OBJECT_CLASS(desktop_export_dialog_parent_class)->finalize(object);
}

static void
desktop_export_dialog_class_init(DesktopExportDialogClass *class)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

  G_OBJECT_CLASS(class)->dispose = desktop_export_dialog_dispose;
  G_OBJECT_CLASS(class)->finalize = desktop_export_dialog_finalize;
  gtk_widget_class_set_template_from_resource(widget, "/org/hilum/Hilum/export-dialog.ui");
  gtk_widget_class_bind_template_child(widget, DesktopExportDialog, page);
  gtk_widget_class_bind_template_child(widget, DesktopExportDialog, export);
  gtk_widget_class_bind_template_child_full(widget, "cancel", FALSE, 0);
  gtk_widget_class_bind_template_child(widget, DesktopExportDialog, text_row);
  gtk_widget_class_bind_template_child(widget, DesktopExportDialog, choose);
  gtk_widget_class_bind_template_child(widget, DesktopExportDialog, progress);
  gtk_widget_class_bind_template_child(widget, DesktopExportDialog, what);
  gtk_widget_class_bind_template_child(widget, DesktopExportDialog, format);
  gtk_widget_class_bind_template_child(widget, DesktopExportDialog, patient);
  gtk_widget_class_bind_template_child(widget, DesktopExportDialog, text);
  gtk_widget_class_bind_template_child(widget, DesktopExportDialog, folder_row);
  gtk_widget_class_bind_template_child(widget, DesktopExportDialog, failure);
  gtk_widget_class_bind_template_child(widget, DesktopExportDialog, format_text);
  gtk_widget_class_bind_template_child(widget, DesktopExportDialog, patient_text);
  gtk_widget_class_bind_template_callback(widget, on_patient);
  gtk_widget_class_bind_template_callback(widget, on_format);
  gtk_widget_class_bind_template_callback(widget, on_choose);
  gtk_widget_class_bind_template_callback(widget, on_export);
  gtk_widget_class_bind_template_callback(widget, on_cancel);
  gtk_widget_class_install_action(widget, "export.cancel", NULL, on_escape);
  gtk_widget_class_add_binding_action(widget, GDK_KEY_Escape, 0, "export.cancel", NULL);
}

static void
on_map(DesktopExportDialog *self)
{
  gtk_widget_grab_focus(GTK_WIDGET(self->format));
}

static void
desktop_export_dialog_init(DesktopExportDialog *self)
{
  gtk_widget_init_template(GTK_WIDGET(self));
  gtk_window_set_default_widget(GTK_WINDOW(self), self->export);
  /* Not before: what is not on the screen does not keep the focus. */
  g_signal_connect(self, "map", G_CALLBACK(on_map), NULL);
}
