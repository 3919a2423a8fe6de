/* model-row.c - one model: what it is, what it takes, and what can be made of it.
 *
 * Invariants:
 * 1. At most one conversion of a model is under way; `converting` is not NULL as long.
 */
#include "models/model-row.h"

#include <glib/gi18n.h>
#include <string.h>

struct _DesktopModelRow {
  AdwExpanderRow parent;

  gboolean is_demo, fits;
  guint64 needed, available;

  GtkWidget *mark, *use;
  GtkLabel *hash;
  GtkWidget *hash_button, *hash_spinner;
  GtkDropDown *types;
  GtkWidget *convert, *cancel;
  GtkProgressBar *progress;
  GtkLabel *failure;

  /* Owned. */
  char *path;
  GCancellable *hashing, *converting;
  GtkFileChooserNative *chooser;
};

G_DEFINE_FINAL_TYPE(DesktopModelRow, desktop_model_row, ADW_TYPE_EXPANDER_ROW)

enum { USE, MADE, N_SIGNALS };
static guint signals[N_SIGNALS];

/* As `hilum model convert --type` names them. */
static const char *const types[] = {"q8_0", "q6_k", "q4_k_m", "q4_0", "f16", NULL};

const char *
desktop_model_row_get_path(DesktopModelRow *self)
{
  return self->is_demo ? "" : self->path;
}

/* ---- words -------------------------------------------------------------------------------- */

static gint64
int_member(JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member(object, name);

  return node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_int(node) : 0;
}

static const char *
text_member(JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member(object, name);

  return node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : "";
}

static char *
parameters_text(gint64 n)
{
  return n >= 1000000000 ? g_strdup_printf(_("%.1f billion parameters"), (double)n / 1e9)
                         : g_strdup_printf(_("%.1f million parameters"), (double)n / 1e6);
}

static char *
subtitle_of(DesktopModelRow *self, JsonObject *info)
{
  g_autofree char *parameters = parameters_text(int_member(info, "parameters"));
  g_autofree char *size = g_format_size((guint64)int_member(info, "weight_bytes"));
  g_autofree char *needed = g_format_size(self->needed);
  g_autofree char *available = g_format_size(self->available);

  return self->fits ? g_strdup_printf(_("%s · %s, %s on disk · needs %s of memory"), parameters,
                                      text_member(info, "quantization"), size, needed)
                    : g_strdup_printf(_("%s · %s, %s on disk · needs %s of memory, but only %s "
                                        "are free"),
                                      parameters, text_member(info, "quantization"), size, needed,
                                      available);
}

/* ---- rows below --------------------------------------------------------------------------- */

static GtkWidget *
add_detail(DesktopModelRow *self, const char *title, const char *text)
{
  GtkWidget *row = adw_action_row_new();
  g_autofree char *plain = g_markup_escape_text(text, -1);

  adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
  adw_action_row_set_subtitle(ADW_ACTION_ROW(row), plain);
  adw_action_row_set_subtitle_lines(ADW_ACTION_ROW(row), 3);
  adw_expander_row_add_row(ADW_EXPANDER_ROW(self), row);
  return row;
}

static void
on_hashed(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(DesktopModelRow) self = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) info = app_models_info_finish(result, &error);

  if (!self->hashing || g_cancellable_is_cancelled(self->hashing)) {
    return;
  }
  g_clear_object(&self->hashing);
  gtk_spinner_stop(GTK_SPINNER(self->hash_spinner));
  gtk_widget_set_visible(self->hash_button, FALSE);
  gtk_label_set_text(self->hash,
                     info ? text_member(json_node_get_object(info), "sha256") : error->message);
}

static void
on_hash(DesktopModelRow *self)
{
  if (!self->hashing) {
    self->hashing = g_cancellable_new();
    gtk_spinner_start(GTK_SPINNER(self->hash_spinner));
    gtk_widget_set_sensitive(self->hash_button, FALSE);
    app_models_info_async(self->path, TRUE, self->hashing, on_hashed, g_object_ref(self));
  }
}

/* Digits in small type of one width, and no hyphen where the line ends. */
static void
style_hash(GtkLabel *label)
{
  g_autoptr(PangoAttrList) attributes = pango_attr_list_new();

  pango_attr_list_insert(attributes, pango_attr_insert_hyphens_new(FALSE));
  pango_attr_list_insert(attributes, pango_attr_family_new("monospace"));
  gtk_label_set_attributes(label, attributes);
  gtk_label_set_xalign(label, 0);
  gtk_label_set_wrap(label, TRUE);
  gtk_label_set_wrap_mode(label, PANGO_WRAP_CHAR);
  gtk_label_set_selectable(label, TRUE);
  gtk_widget_add_css_class(GTK_WIDGET(label), "caption");
  gtk_widget_add_css_class(GTK_WIDGET(label), "dim-label");
}

static void
add_hash(DesktopModelRow *self, const char *sha256)
{
  GtkWidget *row = adw_preferences_row_new();
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *words = gtk_box_new(GTK_ORIENTATION_VERTICAL, 3);
  GtkWidget *title = gtk_label_new(_("Hash (SHA-256)"));

  self->hash = GTK_LABEL(gtk_label_new(*sha256 ? sha256 : _("Not computed yet")));
  self->hash_button = gtk_button_new_with_label(_("Compute"));
  self->hash_spinner = gtk_spinner_new();
  gtk_label_set_xalign(GTK_LABEL(title), 0);
  style_hash(self->hash);
  gtk_widget_add_css_class(box, "model-detail");
  gtk_widget_set_hexpand(words, TRUE);
  gtk_widget_set_valign(self->hash_button, GTK_ALIGN_CENTER);
  gtk_widget_set_visible(self->hash_button, !*sha256);
  g_signal_connect_swapped(self->hash_button, "clicked", G_CALLBACK(on_hash), self);
  gtk_box_append(GTK_BOX(words), title);
  gtk_box_append(GTK_BOX(words), GTK_WIDGET(self->hash));
  gtk_box_append(GTK_BOX(box), words);
  gtk_box_append(GTK_BOX(box), self->hash_spinner);
  gtk_box_append(GTK_BOX(box), self->hash_button);
  gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), box);
  gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(row), FALSE);
  adw_expander_row_add_row(ADW_EXPANDER_ROW(self), row);
}

/* ---- conversion --------------------------------------------------------------------------- */

static void
show_converting(DesktopModelRow *self, const char *failure)
{
  gboolean busy = self->converting != NULL;

  gtk_widget_set_visible(GTK_WIDGET(self->progress), busy);
  gtk_widget_set_visible(self->cancel, busy);
  gtk_widget_set_visible(self->convert, !busy);
  gtk_widget_set_sensitive(GTK_WIDGET(self->types), !busy);
  gtk_label_set_text(self->failure, failure ? failure : "");
  gtk_widget_set_visible(GTK_WIDGET(self->failure), failure != NULL);
}

static void
on_share(double share, gpointer data)
{
  DesktopModelRow *self = data;
  g_autofree char *text = g_strdup_printf(_("%.0f %%"), share * 100);

  if (self->converting) {
    gtk_progress_bar_set_fraction(self->progress, share);
    gtk_progress_bar_set_text(self->progress, text);
  }
}

static void
on_converted(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(DesktopModelRow) self = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) report = app_models_convert_finish(result, &error);
  gboolean cancelled = !self->converting || g_cancellable_is_cancelled(self->converting);

  g_clear_object(&self->converting);
  if (gtk_widget_get_root(GTK_WIDGET(self))) {
    show_converting(self, report || cancelled ? NULL : error->message);
  }
  g_signal_emit(self, signals[MADE], 0,
                report ? text_member(json_node_get_object(report), "out") : "");
}

static void
on_place_chosen(GtkNativeDialog *dialog, int response, DesktopModelRow *self)
{
  guint type = gtk_drop_down_get_selected(self->types);

  if (response == GTK_RESPONSE_ACCEPT && type < G_N_ELEMENTS(types) - 1 && !self->converting) {
    g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
    const char *out = file ? g_file_peek_path(file) : NULL;
    if (out) {
      self->converting = g_cancellable_new();
      show_converting(self, NULL);
      gtk_progress_bar_set_fraction(self->progress, 0);
      app_models_convert_async(self->path, types[type], out, on_share, self, self->converting,
                               on_converted, g_object_ref(self));
    }
  }
  g_clear_object(&self->chooser);
}

static char *
stem_of(const char *path)
{
  g_autofree char *name = g_path_get_basename(path);

  return g_str_has_suffix(name, ".gguf") ? g_strndup(name, strlen(name) - strlen(".gguf"))
                                         : g_steal_pointer(&name);
}

static void
on_convert(DesktopModelRow *self)
{
  GtkRoot *root = gtk_widget_get_root(GTK_WIDGET(self));
  g_autofree char *stem = stem_of(self->path);
  g_autofree char *name =
      g_strdup_printf("%s-%s.gguf", stem, types[gtk_drop_down_get_selected(self->types)]);
  g_autofree char *path = app_models_folder();
  g_autoptr(GFile) folder = g_file_new_for_path(path);

  if (self->chooser) {
    return;
  }
  g_mkdir_with_parents(path, 0700);
  self->chooser =
      gtk_file_chooser_native_new(_("Write the Model To"), GTK_WINDOW(root),
                                  GTK_FILE_CHOOSER_ACTION_SAVE, _("_Convert"), _("_Cancel"));
  gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(self->chooser), name);
  gtk_file_chooser_set_current_folder(GTK_FILE_CHOOSER(self->chooser), folder, NULL);
  gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(self->chooser), TRUE);
  g_signal_connect_object(self->chooser, "response", G_CALLBACK(on_place_chosen), self, 0);
  gtk_native_dialog_show(GTK_NATIVE_DIALOG(self->chooser));
}

static void
on_cancel(DesktopModelRow *self)
{
  if (self->converting) {
    g_cancellable_cancel(self->converting);
  }
}

static void
add_conversion(DesktopModelRow *self)
{
  const char *names[] = {_("8 bits (q8_0)"),
                         _("6 bits (q6_k)"),
                         _("4 bits, the better (q4_k_m)"),
                         _("4 bits, the faster (q4_0)"),
                         _("16 bits (f16)"),
                         NULL};
  GtkWidget *row = adw_preferences_row_new();
  GtkWidget *column = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *title = gtk_label_new(_("Make a smaller or faster file of it"));

  self->types = GTK_DROP_DOWN(gtk_drop_down_new_from_strings(names));
  self->convert = gtk_button_new_with_label(_("Convert…"));
  self->cancel = gtk_button_new_with_label(_("Cancel"));
  self->progress = GTK_PROGRESS_BAR(gtk_progress_bar_new());
  self->failure = GTK_LABEL(gtk_label_new(""));
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->types), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("Kind of weights"), -1);
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->progress), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("Conversion"), -1);
  gtk_progress_bar_set_show_text(self->progress, TRUE);
  gtk_label_set_xalign(GTK_LABEL(title), 0);
  gtk_label_set_wrap(GTK_LABEL(title), TRUE);
  gtk_widget_set_hexpand(title, TRUE);
  gtk_label_set_xalign(self->failure, 0);
  gtk_label_set_wrap(self->failure, TRUE);
  gtk_label_set_wrap_mode(self->failure, PANGO_WRAP_WORD_CHAR);
  gtk_widget_add_css_class(GTK_WIDGET(self->failure), "error");
  gtk_widget_add_css_class(column, "model-detail");
  g_signal_connect_swapped(self->convert, "clicked", G_CALLBACK(on_convert), self);
  g_signal_connect_swapped(self->cancel, "clicked", G_CALLBACK(on_cancel), self);
  gtk_box_append(GTK_BOX(box), title);
  gtk_box_append(GTK_BOX(box), GTK_WIDGET(self->types));
  gtk_box_append(GTK_BOX(box), self->convert);
  gtk_box_append(GTK_BOX(box), self->cancel);
  gtk_box_append(GTK_BOX(column), box);
  gtk_box_append(GTK_BOX(column), GTK_WIDGET(self->progress));
  gtk_box_append(GTK_BOX(column), GTK_WIDGET(self->failure));
  gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), column);
  gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(row), FALSE);
  adw_expander_row_add_row(ADW_EXPANDER_ROW(self), row);
  show_converting(self, NULL);
}

/* ---- use ---------------------------------------------------------------------------------- */

static void
on_confirmed(DesktopModelRow *self, const char *response)
{
  if (g_str_equal(response, "use")) {
    g_signal_emit(self, signals[USE], 0);
  }
}

static void
on_use(DesktopModelRow *self)
{
  g_autofree char *needed = g_format_size(self->needed);
  g_autofree char *available = g_format_size(self->available);
  GtkWidget *dialog;

  if (self->fits) {
    g_signal_emit(self, signals[USE], 0);
    return;
  }
  dialog = adw_message_dialog_new(GTK_WINDOW(gtk_widget_get_root(GTK_WIDGET(self))),
                                  _("Not Enough Memory"), NULL);
  adw_message_dialog_format_body(ADW_MESSAGE_DIALOG(dialog),
                                 _("This model needs %s, and %s are free now. It will answer very "
                                   "slowly, and other programs may be ended."),
                                 needed, available);
  adw_message_dialog_add_responses(ADW_MESSAGE_DIALOG(dialog), "cancel", _("_Cancel"), "use",
                                   _("_Use It All the Same"), NULL);
  adw_message_dialog_set_response_appearance(ADW_MESSAGE_DIALOG(dialog), "use",
                                             ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_close_response(ADW_MESSAGE_DIALOG(dialog), "cancel");
  g_signal_connect_object(dialog, "response", G_CALLBACK(on_confirmed), self, G_CONNECT_SWAPPED);
  gtk_window_present(GTK_WINDOW(dialog));
}

void
desktop_model_row_set_state(DesktopModelRow *self, gboolean in_use, gboolean can_use)
{
  gtk_widget_set_visible(self->mark, in_use && can_use);
  gtk_widget_set_visible(self->use, !in_use && can_use && self->needed > 0);
}

/* ---- life --------------------------------------------------------------------------------- */

static void
show_info(DesktopModelRow *self, JsonObject *info)
{
  JsonNode *fits = json_object_get_member(info, "fits");
  g_autofree char *subtitle = NULL, *shown = g_filename_display_name(self->path);

  self->needed = (guint64)int_member(info, "peak_bytes");
  self->available = (guint64)int_member(info, "available_bytes");
  self->fits = !fits || !JSON_NODE_HOLDS_VALUE(fits) || json_node_get_boolean(fits);
  subtitle = subtitle_of(self, info);
  adw_expander_row_set_subtitle(ADW_EXPANDER_ROW(self), subtitle);
  if (!self->is_demo) {
    g_autofree char *name = g_path_get_basename(shown);
    g_autofree char *title =
        g_markup_escape_text(*text_member(info, "name") ? text_member(info, "name") : name, -1);
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(self), title);
  }
  if (!json_object_has_member(info, "vision") || json_object_get_null_member(info, "vision")) {
    add_detail(self, _("No pictures"),
               _("This model reads text alone and cannot be asked about "
                 "images."));
    self->needed = 0;
  }
  add_detail(self, _("Place"), shown);
  add_hash(self, text_member(info, "sha256"));
  add_conversion(self);
}

DesktopModelRow *
desktop_model_row_new(const AppModelEntry *entry)
{
  DesktopModelRow *self = g_object_new(DESKTOP_TYPE_MODEL_ROW, NULL);
  g_autofree char *shown = g_filename_display_basename(entry->path);
  g_autofree char *plain = g_markup_escape_text(shown, -1);

  self->path = g_strdup(entry->path);
  self->is_demo = entry->is_demo;
  adw_preferences_row_set_title(ADW_PREFERENCES_ROW(self),
                                entry->is_demo ? _("Demo model, a toy") : plain);
  if (entry->info) {
    show_info(self, json_node_get_object(entry->info));
  } else {
    g_autofree char *problem = g_markup_escape_text(entry->problem, -1);
    adw_expander_row_set_subtitle(ADW_EXPANDER_ROW(self), _("Cannot be used"));
    add_detail(self, _("Why"), entry->problem);
    gtk_widget_add_css_class(GTK_WIDGET(self), "warning");
  }
  return self;
}

gboolean
desktop_model_row_is_busy(DesktopModelRow *self)
{
  return self->converting != NULL;
}

void
desktop_model_row_stop(DesktopModelRow *self)
{
  if (self->hashing) {
    g_cancellable_cancel(self->hashing);
  }
  if (self->converting) {
    g_cancellable_cancel(self->converting);
  }
}

static void
desktop_model_row_dispose(GObject *object)
{
  DesktopModelRow *self = DESKTOP_MODEL_ROW(object);

  desktop_model_row_stop(self);
  if (self->chooser) {
    gtk_native_dialog_destroy(GTK_NATIVE_DIALOG(self->chooser));
    g_clear_object(&self->chooser);
  }
  G_OBJECT_CLASS(desktop_model_row_parent_class)->dispose(object);
}

static void
desktop_model_row_finalize(GObject *object)
{
  DesktopModelRow *self = DESKTOP_MODEL_ROW(object);

  g_clear_object(&self->hashing);
  g_clear_object(&self->converting);
  g_free(self->path);
  G_OBJECT_CLASS(desktop_model_row_parent_class)->finalize(object);
}

static void
desktop_model_row_class_init(DesktopModelRowClass *class)
{
  GObjectClass *object = G_OBJECT_CLASS(class);

  object->dispose = desktop_model_row_dispose;
  object->finalize = desktop_model_row_finalize;
  signals[USE] = g_signal_new("use", DESKTOP_TYPE_MODEL_ROW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                              G_TYPE_NONE, 0);
  signals[MADE] = g_signal_new("made", DESKTOP_TYPE_MODEL_ROW, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                               NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
desktop_model_row_init(DesktopModelRow *self)
{
  self->mark = gtk_image_new_from_icon_name("object-select-symbolic");
  self->use = gtk_button_new_with_label(_("Use"));
  gtk_widget_set_valign(self->use, GTK_ALIGN_CENTER);
  gtk_widget_set_tooltip_text(self->mark, _("This one answers"));
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->mark), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("This one answers"), -1);
  g_signal_connect_swapped(self->use, "clicked", G_CALLBACK(on_use), self);
  adw_expander_row_add_action(ADW_EXPANDER_ROW(self), self->use);
  adw_expander_row_add_action(ADW_EXPANDER_ROW(self), self->mark);
}
