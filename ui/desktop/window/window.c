/* window.c - the window's life and widgets. */
#include "app_note.h"
#include "settings/names.h"
#include "window/window-private.h"

G_DEFINE_FINAL_TYPE(DesktopWindow, desktop_window, ADW_TYPE_APPLICATION_WINDOW)

DesktopWindow *
desktop_window_new(GtkApplication *application, const AppReviewOptions *options)
{
  DesktopWindow *self = g_object_new(DESKTOP_TYPE_WINDOW, "application", application, NULL);
  g_autofree char *host = NULL;

  self->options = options;
  host = options->remote.url ? app_remote_host(&options->remote, NULL) : NULL;
  desktop_conversation_set_away(self->conversation, host);
  desktop_conversation_set_logged(self->conversation, !options->no_log);
  desktop_history_set_log(self->history, options->log_path, !options->no_log);
  return self;
}

/* ---- jobs --------------------------------------------------------------------------------- */

void
desktop_window_begin_job(DesktopWindow *self)
{
  GApplication *application = g_application_get_default();

  g_object_ref(self);
  self->n_jobs++;
  /* A closed window is no longer the application's, and its jobs still are to be finished. */
  if (application) {
    g_application_hold(application);
  }
}

void
desktop_window_end_job(DesktopWindow *self)
{
  GApplication *application = g_application_get_default();

  self->n_jobs--;
  if (self->n_jobs == 0 && self->model_changes) {
    desktop_window_change_model(self);
  }
  g_object_unref(self);
  if (application) {
    g_application_release(application);
  }
}

void
desktop_window_toast(DesktopWindow *self, const char *text)
{
  AdwToast *toast;
  g_autofree char *plain = g_markup_escape_text(text, -1);

  if (!self->closed) {
    toast = adw_toast_new(plain);
    adw_toast_overlay_add_toast(self->toasts, toast);
  }
}

/* ---- actions ------------------------------------------------------------------------------ */

static void
on_open_file(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_window_choose(DESKTOP_WINDOW(widget), FALSE);
}

static void
on_open_folder(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_window_choose(DESKTOP_WINDOW(widget), TRUE);
}

static void
on_describe(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_window_ask(DESKTOP_WINDOW(widget), NULL);
}

static void
on_stop(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_window_stop(DESKTOP_WINDOW(widget));
}

static void
on_new_conversation(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_window_new_conversation(DESKTOP_WINDOW(widget));
}

static void
on_focus_question(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopWindow *self = DESKTOP_WINDOW(widget);

  gtk_widget_set_visible(self->side_pane, TRUE);
  gtk_stack_set_visible_child_name(self->side, "conversation");
  desktop_conversation_focus_entry(self->conversation);
}

static void
on_history(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_window_toggle_history(DESKTOP_WINDOW(widget));
}

static void
on_reload_model(GtkWidget *widget, const char *name, GVariant *parameter)
{
  DesktopWindow *self = DESKTOP_WINDOW(widget);

  if (!self->loading) {
    desktop_window_change_model(self);
  }
}

static void
on_retry_notes(GtkWidget *widget, const char *name, GVariant *parameter)
{
  app_notes_try_again(DESKTOP_WINDOW(widget)->options->notes);
}

static void
on_toast(GtkWidget *widget, const char *name, GVariant *parameter)
{
  desktop_window_toast(DESKTOP_WINDOW(widget), g_variant_get_string(parameter, NULL));
}

/* ---- life --------------------------------------------------------------------------------- */

static void
stop_everything(DesktopWindow *self)
{
  GCancellable *running[] = {self->opening, self->loading, self->asking, self->checking,
                             self->resuming};

  g_clear_handle_id(&self->preparing_soon, g_source_remove);
  g_clear_handle_id(&self->placing, g_source_remove);
  g_clear_handle_id(&self->person_tick, g_source_remove);
  if (!self->closed) {
    self->closed = TRUE;
    desktop_window_let_go(self);
  }
  for (gsize i = 0; i < G_N_ELEMENTS(running); i++) {
    if (running[i]) {
      g_cancellable_cancel(running[i]);
    }
  }
}

static gboolean
desktop_window_close_request(GtkWindow *window)
{
  desktop_window_keep_widths(DESKTOP_WINDOW(window));
  /* An answer under way ends at its next token and goes into the log as far as it came. */
  stop_everything(DESKTOP_WINDOW(window));
  return GTK_WINDOW_CLASS(desktop_window_parent_class)->close_request(window);
}

static void
desktop_window_dispose(GObject *object)
{
  DesktopWindow *self = DESKTOP_WINDOW(object);

  stop_everything(self);
  if (self->chooser) {
    gtk_native_dialog_destroy(GTK_NATIVE_DIALOG(self->chooser));
    g_clear_object(&self->chooser);
  }
  desktop_window_close_saver(self);
  g_clear_weak_pointer(&self->tags);
  G_OBJECT_CLASS(desktop_window_parent_class)->dispose(object);
}

static void
desktop_window_finalize(GObject *object)
{
  DesktopWindow *self = DESKTOP_WINDOW(object);

  g_clear_pointer(&self->study, app_study_free);
  g_free(self->untold);
  g_clear_pointer(&self->review, app_review_free);
  g_clear_object(&self->opening);
  g_clear_object(&self->annotations);
  g_clear_object(&self->settings);
  g_clear_object(&self->loading);
  g_clear_object(&self->asking);
  g_clear_pointer(&self->about, desktop_about_unref);
  g_clear_pointer(&self->warned, g_hash_table_unref);
  g_clear_pointer(&self->wanted, desktop_about_unref);
  g_clear_object(&self->checking);
  g_clear_object(&self->after_check_data);
  g_clear_object(&self->resuming);
  G_OBJECT_CLASS(desktop_window_parent_class)->finalize(object);
}

static void
bind_template(GtkWidgetClass *class)
{
  gtk_widget_class_set_template_from_resource(class, "/org/hilum/Hilum/window.ui");
  gtk_widget_class_bind_template_child(class, DesktopWindow, toasts);
  gtk_widget_class_bind_template_child(class, DesktopWindow, title);
  gtk_widget_class_bind_template_child(class, DesktopWindow, pages);
  gtk_widget_class_bind_template_child(class, DesktopWindow, failed_page);
  gtk_widget_class_bind_template_child(class, DesktopWindow, loading_label);
  gtk_widget_class_bind_template_child(class, DesktopWindow, progress);
  gtk_widget_class_bind_template_child(class, DesktopWindow, views);
  gtk_widget_class_bind_template_child(class, DesktopWindow, tools);
  gtk_widget_class_bind_template_child(class, DesktopWindow, presets);
  gtk_widget_class_bind_template_child(class, DesktopWindow, lie);
  gtk_widget_class_bind_template_child(class, DesktopWindow, layout);
  gtk_widget_class_bind_template_child(class, DesktopWindow, main);
  gtk_widget_class_bind_template_child(class, DesktopWindow, cine);
  gtk_widget_class_bind_template_child(class, DesktopWindow, play);
  gtk_widget_class_bind_template_child(class, DesktopWindow, rate);
  gtk_widget_class_bind_template_child(class, DesktopWindow, conversation);
  gtk_widget_class_bind_template_child(class, DesktopWindow, history);
  gtk_widget_class_bind_template_child(class, DesktopWindow, side);
  gtk_widget_class_bind_template_child(class, DesktopWindow, side_pane);
}

static void
desktop_window_class_init(DesktopWindowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

  G_OBJECT_CLASS(class)->dispose = desktop_window_dispose;
  G_OBJECT_CLASS(class)->finalize = desktop_window_finalize;
  GTK_WINDOW_CLASS(class)->close_request = desktop_window_close_request;

  g_type_ensure(DESKTOP_TYPE_CONVERSATION);
  g_type_ensure(DESKTOP_TYPE_HISTORY);
  bind_template(widget_class);
  gtk_widget_class_install_action(widget_class, "win.open-file", NULL, on_open_file);
  gtk_widget_class_install_action(widget_class, "win.open-folder", NULL, on_open_folder);
  gtk_widget_class_install_action(widget_class, "win.describe", NULL, on_describe);
  gtk_widget_class_install_action(widget_class, "win.stop", NULL, on_stop);
  gtk_widget_class_install_action(widget_class, "win.new-conversation", NULL, on_new_conversation);
  gtk_widget_class_install_action(widget_class, "win.focus-question", NULL, on_focus_question);
  gtk_widget_class_install_action(widget_class, "win.history", NULL, on_history);
  gtk_widget_class_install_action(widget_class, "win.toast", "s", on_toast);
  gtk_widget_class_install_action(widget_class, "win.reload-model", NULL, on_reload_model);
  desktop_window_log_class_setup(class);
  desktop_window_recover_class_setup(class);
  desktop_window_person_class_setup(class);
  gtk_widget_class_install_action(widget_class, "win.retry-notes", NULL, on_retry_notes);
  desktop_window_pane_class_setup(class);
  desktop_window_key_image_class_setup(class);
  desktop_window_tags_class_setup(class);
  desktop_window_record_class_setup(class);
  desktop_window_output_class_setup(class);
  desktop_window_tools_class_setup(class);
  desktop_window_compare_class_setup(class);
}

static void
desktop_window_init(DesktopWindow *self)
{
  gtk_widget_init_template(GTK_WIDGET(self));
  desktop_window_open_setup(self);
  desktop_window_layout_setup(self);
  desktop_window_pane_setup(self);
  desktop_window_tools_setup(self);
  desktop_window_compare_setup(self);
  desktop_window_ask_setup(self);
  desktop_window_trust_setup(self);
  desktop_window_person_setup(self);
  desktop_window_history_setup(self);
  desktop_window_note_setup(self);
  desktop_names_by_tooltips(GTK_WIDGET(self));
}
