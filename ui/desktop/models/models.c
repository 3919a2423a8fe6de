/* models.c - the dialog of models: the list, opening others, and which one answers. */
#include <glib/gi18n.h>

#include "models/models-private.h"

G_DEFINE_FINAL_TYPE(DesktopModels, desktop_models, ADW_TYPE_WINDOW)

enum { USE, N_SIGNALS };
static guint signals[N_SIGNALS];

void
desktop_models_toast(DesktopModels *self, const char *text)
{
  g_autofree char *plain = g_markup_escape_text(text, -1);
  AdwToast *toast = adw_toast_new(plain);

  adw_toast_set_timeout(toast, 0);
  adw_toast_overlay_add_toast(self->toasts, toast);
}

/* ---- the list ----------------------------------------------------------------------------- */

static void
show_states(DesktopModels *self)
{
  gboolean here = !gtk_widget_get_visible(GTK_WIDGET(self->remote_group));

  for (guint i = 0; i < self->rows->len; i++) {
    DesktopModelRow *row = self->rows->pdata[i];
    desktop_model_row_set_state(row, g_str_equal(desktop_model_row_get_path(row), self->in_use),
                                here);
  }
}

static void
on_use(DesktopModelRow *row, DesktopModels *self)
{
  g_free(self->in_use);
  self->in_use = g_strdup(desktop_model_row_get_path(row));
  show_states(self);
  if (g_utf8_validate(self->in_use, -1, NULL)) {
    g_settings_set_string(desktop_settings_peek(self->settings), DESKTOP_SETTING_MODEL,
                          self->in_use);
  }
  g_signal_emit(self, signals[USE], 0, self->in_use);
}

static void
on_made(DesktopModelRow *row, const char *path, DesktopModels *self)
{
  if (*path) {
    desktop_models_remember(self, path);
  }
  if (*path && !self->closed) {
    g_autofree char *name = g_filename_display_basename(path);
    g_autofree char *text = g_strdup_printf(_("“%s” is ready"), name);
    desktop_models_toast(self, text);
    self->is_stale = TRUE;
  }
  if (self->is_stale && !self->closed) {
    desktop_models_read(self);
  }
}

static gboolean
is_busy(DesktopModels *self)
{
  for (guint i = 0; i < self->rows->len; i++) {
    if (desktop_model_row_is_busy(self->rows->pdata[i])) {
      return TRUE;
    }
  }
  return FALSE;
}

static void
on_listed(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(DesktopModels) self = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) entries = app_models_list_finish(result, &error);

  if (self->closed || !entries) {
    return;
  }
  if (is_busy(self)) {
    self->is_stale = TRUE;
    return;
  }
  self->is_stale = FALSE;
  for (guint i = 0; i < self->rows->len; i++) {
    desktop_model_row_stop(self->rows->pdata[i]);
    adw_preferences_group_remove(self->group, self->rows->pdata[i]);
  }
  g_ptr_array_set_size(self->rows, 0);
  for (guint i = 0; i < entries->len; i++) {
    DesktopModelRow *row = desktop_model_row_new(entries->pdata[i]);
    g_signal_connect(row, "use", G_CALLBACK(on_use), self);
    g_signal_connect(row, "made", G_CALLBACK(on_made), self);
    adw_preferences_group_add(self->group, GTK_WIDGET(row));
    g_ptr_array_add(self->rows, row);
  }
  show_states(self);
  gtk_stack_set_visible_child_name(self->pages, "list");
}

void
desktop_models_read(DesktopModels *self)
{
  g_auto(GStrv) paths =
      g_settings_get_strv(desktop_settings_peek(self->settings), DESKTOP_SETTING_MODELS);

  app_models_list_async(NULL, (const char *const *)paths, self->cancellable, on_listed,
                        g_object_ref(self));
}

void
desktop_models_remember(DesktopModels *self, const char *path)
{
  GSettings *store = desktop_settings_peek(self->settings);
  g_auto(GStrv) paths = g_settings_get_strv(store, DESKTOP_SETTING_MODELS);
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
  g_auto(GStrv) all = NULL;

  if (g_strv_contains((const char *const *)paths, path) || !g_utf8_validate(path, -1, NULL)) {
    return;
  }
  g_strv_builder_addv(builder, (const char **)paths);
  g_strv_builder_add(builder, path);
  all = g_strv_builder_end(builder);
  g_settings_set_strv(store, DESKTOP_SETTING_MODELS, (const char *const *)all);
}

/* ---- opening ------------------------------------------------------------------------------ */

typedef struct {
  DesktopModels *models;
  char *path;
} Opening;

static void
on_opened(GObject *source, GAsyncResult *result, gpointer data)
{
  Opening *opening = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) info = app_models_info_finish(result, &error);

  if (!opening->models->closed) {
    if (info) {
      desktop_models_remember(opening->models, opening->path);
      desktop_models_read(opening->models);
    } else {
      desktop_models_toast(opening->models, error->message);
    }
  }
  g_object_unref(opening->models);
  g_free(opening->path);
  g_free(opening);
}

void
desktop_models_open(DesktopModels *self, const char *path)
{
  Opening *opening = g_new0(Opening, 1);

  opening->models = g_object_ref(self);
  opening->path = g_strdup(path);
  app_models_info_async(path, FALSE, self->cancellable, on_opened, opening);
}

static void
on_chosen(GtkNativeDialog *dialog, int response, DesktopModels *self)
{
  if (response == GTK_RESPONSE_ACCEPT) {
    g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
    if (file && g_file_peek_path(file)) {
      desktop_models_open(self, g_file_peek_path(file));
    }
  }
  g_clear_object(&self->chooser);
}

static void
choose(DesktopModels *self, gboolean folder)
{
  if (self->chooser) {
    return;
  }
  self->chooser = gtk_file_chooser_native_new(
      folder ? _("Open a Checkpoint Folder") : _("Open a GGUF File"), GTK_WINDOW(self),
      folder ? GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER : GTK_FILE_CHOOSER_ACTION_OPEN, _("_Open"),
      _("_Cancel"));
  gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(self->chooser), TRUE);
  g_signal_connect_object(self->chooser, "response", G_CALLBACK(on_chosen), self, 0);
  gtk_native_dialog_show(GTK_NATIVE_DIALOG(self->chooser));
}

static void
on_open_file(GtkWidget *widget, const char *name, GVariant *parameter)
{
  choose(DESKTOP_MODELS(widget), FALSE);
}

static void
on_open_folder(GtkWidget *widget, const char *name, GVariant *parameter)
{
  choose(DESKTOP_MODELS(widget), TRUE);
}

/* ---- life --------------------------------------------------------------------------------- */

DesktopModels *
desktop_models_new(DesktopSettings *settings, const char *in_use, const char *remote)
{
  DesktopModels *self = g_object_new(DESKTOP_TYPE_MODELS, NULL);

  self->settings = g_object_ref(settings);
  self->in_use = g_strdup(in_use ? in_use : "");
  if (in_use) {
    desktop_models_remember(self, in_use);
  }
  if (remote) {
    g_autofree char *plain = g_markup_escape_text(remote, -1);
    adw_action_row_set_subtitle(self->remote_row, plain);
    gtk_widget_set_visible(GTK_WIDGET(self->remote_group), TRUE);
  }
  desktop_models_read(self);
  return self;
}

/* A conversion goes on while nobody looks at it. */
static gboolean
desktop_models_close_request(GtkWindow *window)
{
  if (is_busy(DESKTOP_MODELS(window))) {
    gtk_widget_set_visible(GTK_WIDGET(window), FALSE);
    return TRUE;
  }
  return GTK_WINDOW_CLASS(desktop_models_parent_class)->close_request(window);
}

static void
desktop_models_dispose(GObject *object)
{
  DesktopModels *self = DESKTOP_MODELS(object);

  self->closed = TRUE;
  if (self->cancellable) {
    g_cancellable_cancel(self->cancellable);
  }
  for (guint i = 0; i < self->rows->len; i++) {
    desktop_model_row_stop(self->rows->pdata[i]);
  }
  g_ptr_array_set_size(self->rows, 0);
  if (self->chooser) {
    gtk_native_dialog_destroy(GTK_NATIVE_DIALOG(self->chooser));
    g_clear_object(&self->chooser);
  }
  G_OBJECT_CLASS(desktop_models_parent_class)->dispose(object);
}

static void
desktop_models_finalize(GObject *object)
{
  DesktopModels *self = DESKTOP_MODELS(object);

  g_clear_object(&self->settings);
  g_clear_object(&self->cancellable);
  g_ptr_array_unref(self->rows);
  g_free(self->in_use);
  G_OBJECT_CLASS(desktop_models_parent_class)->finalize(object);
}

static void
desktop_models_class_init(DesktopModelsClass *class)
{
  GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

  G_OBJECT_CLASS(class)->dispose = desktop_models_dispose;
  G_OBJECT_CLASS(class)->finalize = desktop_models_finalize;
  GTK_WINDOW_CLASS(class)->close_request = desktop_models_close_request;
  gtk_widget_class_set_template_from_resource(widget, "/org/hilum/Hilum/models.ui");
  gtk_widget_class_bind_template_child(widget, DesktopModels, toasts);
  gtk_widget_class_bind_template_child(widget, DesktopModels, pages);
  gtk_widget_class_bind_template_child(widget, DesktopModels, remote_group);
  gtk_widget_class_bind_template_child(widget, DesktopModels, remote_row);
  gtk_widget_class_bind_template_child(widget, DesktopModels, group);
  gtk_widget_class_install_action(widget, "models.open-file", NULL, on_open_file);
  gtk_widget_class_install_action(widget, "models.open-folder", NULL, on_open_folder);
  gtk_widget_class_add_binding_action(widget, GDK_KEY_Escape, 0, "window.close", NULL);
  signals[USE] = g_signal_new("use", DESKTOP_TYPE_MODELS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                              G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
desktop_models_init(DesktopModels *self)
{
  self->rows = g_ptr_array_new();
  self->cancellable = g_cancellable_new();
  gtk_widget_init_template(GTK_WIDGET(self));
}
