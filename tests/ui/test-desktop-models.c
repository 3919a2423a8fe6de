/* test-desktop-models.c - the dialog of models: what it lists, which one is used, faults. */
#include <glib/gstdio.h>

#include "desktop-fixture.h"
#include "desktop-hands.h"
#include "models/models-private.h"
#include "window/window-private.h"

typedef struct {
  char *folder, *model;
  DesktopSettings *settings;
  DesktopModels *models;
  char *used;
} Fixture;

static void
on_use(DesktopModels *models, const char *path, Fixture *f)
{
  g_free(f->used);
  f->used = g_strdup(path);
}

static void
setup(Fixture *f, gconstpointer data)
{
  f->folder = tiny_folder_new();
  f->model = g_build_filename(f->folder, "tiny.gguf", NULL);
  tiny_model_write(f->folder, f->model);
  f->settings = desktop_settings_new(NULL);
  f->models = desktop_models_new(f->settings, NULL, data);
  g_object_add_weak_pointer(G_OBJECT(f->models), (gpointer *)&f->models);
  g_signal_connect(f->models, "use", G_CALLBACK(on_use), f);
  gtk_window_present(GTK_WINDOW(f->models));
  wait_until(f->models->rows->len > 0);
}

static void
teardown(Fixture *f, gconstpointer data)
{
  gtk_window_close(GTK_WINDOW(f->models));
  wait_until(f->models == NULL);
  g_settings_reset(desktop_settings_peek(f->settings), DESKTOP_SETTING_MODEL);
  g_settings_reset(desktop_settings_peek(f->settings), DESKTOP_SETTING_MODELS);
  g_object_unref(f->settings);
  tiny_folder_free(f->folder);
  g_free(f->model);
  g_free(f->used);
}

/* The first button below WIDGET that says LABEL and can be seen. */
static GtkWidget *
find_button(GtkWidget *widget, const char *label)
{
  GtkWidget *found = NULL;

  if (GTK_IS_BUTTON(widget) && gtk_widget_get_visible(widget) &&
      g_strcmp0(gtk_button_get_label(GTK_BUTTON(widget)), label) == 0) {
    return widget;
  }
  for (GtkWidget *c = gtk_widget_get_first_child(widget); c && !found;
       c = gtk_widget_get_next_sibling(c)) {
    found = find_button(c, label);
  }
  return found;
}

static GtkWidget *
row_of(Fixture *f, const char *path)
{
  for (guint i = 0; i < f->models->rows->len; i++) {
    if (g_str_equal(desktop_model_row_get_path(f->models->rows->pdata[i]), path)) {
      return f->models->rows->pdata[i];
    }
  }
  return NULL;
}

static void
test_use(Fixture *f, gconstpointer data)
{
  g_autofree char *setting = NULL;
  GtkWidget *button;

  /* The demo model answers, and is always there. */
  g_assert_nonnull(row_of(f, ""));
  g_assert_null(find_button(row_of(f, ""), "Use"));
  desktop_models_open(f->models, f->model);
  wait_until(row_of(f, f->model));
  button = find_button(row_of(f, f->model), "Use");
  g_assert_nonnull(button);
  g_signal_emit_by_name(button, "clicked");
  g_assert_cmpstr(f->used, ==, f->model);
  setting = desktop_settings_get_text(f->settings, DESKTOP_SETTING_MODEL);
  g_assert_cmpstr(setting, ==, f->model);
  g_assert_null(find_button(row_of(f, f->model), "Use"));
  button = find_button(row_of(f, ""), "Use");
  g_assert_nonnull(button);
  g_signal_emit_by_name(button, "clicked");
  g_assert_cmpstr(f->used, ==, "");
}

/* What cannot be read is said, and the list stays as it is. */
static void
test_no_model(Fixture *f, gconstpointer data)
{
  g_autofree char *bad = g_build_filename(f->folder, "bad.gguf", NULL);
  guint before = f->models->rows->len;
  g_auto(GStrv) known = NULL;
  int n_refs;

  g_assert_true(g_file_set_contents(bad, "not a model", -1, NULL));
  n_refs = (int)G_OBJECT(f->models)->ref_count;
  desktop_models_open(f->models, bad);
  wait_until((int)G_OBJECT(f->models)->ref_count == n_refs);
  g_assert_cmpuint(f->models->rows->len, ==, before);
  known = g_settings_get_strv(desktop_settings_peek(f->settings), DESKTOP_SETTING_MODELS);
  g_assert_cmpuint(g_strv_length(known), ==, 0);
}

/* One that was there before and is not any more can be seen to be gone, and not be used. */
static void
test_gone(Fixture *f, gconstpointer data)
{
  desktop_models_open(f->models, f->model);
  wait_until(row_of(f, f->model));
  g_assert_cmpint(g_remove(f->model), ==, 0);
  desktop_models_read(f->models);
  wait_until(!find_button(row_of(f, f->model), "Use"));
  g_assert_nonnull(row_of(f, f->model));
}

static void
test_server(Fixture *f, gconstpointer data)
{
  g_assert_true(gtk_widget_get_visible(GTK_WIDGET(f->models->remote_group)));
  desktop_models_open(f->models, f->model);
  wait_until(row_of(f, f->model));
  g_assert_null(find_button(row_of(f, f->model), "Use"));
}

/* ---- conversion --------------------------------------------------------------------------- */

static GtkWindow *
other_window(Fixture *f)
{
  GListModel *all = gtk_window_get_toplevels();

  for (guint i = 0; i < g_list_model_get_n_items(all); i++) {
    g_autoptr(GtkWindow) window = g_list_model_get_item(all, i);
    if (window != GTK_WINDOW(f->models) && gtk_widget_get_visible(GTK_WIDGET(window))) {
      return window;
    }
  }
  return NULL;
}

/* "Convert…", and the place that the dialog proposes. */
static void
convert(Fixture *f, GtkWidget *row)
{
  GtkWindow *dialog;

  g_signal_emit_by_name(find_button(row, "Convert\u2026"), "clicked");
  wait_until(GTK_IS_FILE_CHOOSER(other_window(f)));
  dialog = other_window(f);
  wait_until(gtk_widget_get_mapped(GTK_WIDGET(dialog)));
  hands_rest(); /* it reads its folder */
  gtk_dialog_response(GTK_DIALOG(dialog), GTK_RESPONSE_ACCEPT);
  wait_until(other_window(f) != dialog);
}

/* The new file is in the list, and can be used. */
static void
test_convert(Fixture *f, gconstpointer data)
{
  g_autofree char *folder = app_models_folder();
  g_autofree char *out = g_build_filename(folder, "tiny-q8_0.gguf", NULL);

  desktop_models_open(f->models, f->model);
  wait_until(row_of(f, f->model));
  convert(f, row_of(f, f->model));
  wait_until(row_of(f, out));
  g_assert_true(g_file_test(out, G_FILE_TEST_IS_REGULAR));
  g_assert_nonnull(find_button(row_of(f, out), "Use"));
  /* There again, and changed in the meantime: what is asked for is made. */
  g_assert_nonnull(find_button(row_of(f, f->model), "Convert\u2026"));
  g_assert_cmpint(g_remove(out), ==, 0);
}

/* What went wrong, as ROW says it in red, or NULL. */
static const char *
failure_of(GtkWidget *widget)
{
  const char *found = NULL;

  if (GTK_IS_LABEL(widget) && gtk_widget_get_visible(widget) &&
      gtk_widget_has_css_class(widget, "error")) {
    return gtk_label_get_text(GTK_LABEL(widget));
  }
  for (GtkWidget *c = gtk_widget_get_first_child(widget); c && !found;
       c = gtk_widget_get_next_sibling(c)) {
    found = failure_of(c);
  }
  return found;
}

/* Why it failed is said where it was asked for, and nothing is left behind. */
static void
test_convert_fails(Fixture *f, gconstpointer data)
{
  g_autofree char *folder = app_models_folder();
  g_autofree char *out = g_build_filename(folder, "tiny-q8_0.gguf", NULL);
  GtkWidget *row;

  desktop_models_open(f->models, f->model);
  wait_until(row_of(f, f->model));
  row = row_of(f, f->model);
  g_assert_true(g_file_set_contents(f->model, "GGUF, but no more", -1, NULL));
  convert(f, row);
  wait_until(failure_of(row));
  g_assert_nonnull(strstr(failure_of(row), "tiny.gguf"));
  g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
  g_assert_nonnull(find_button(row, "Convert\u2026"));
}

/* ---- memory ------------------------------------------------------------------------------- */

static void
count(gpointer row, guint *n)
{
  ++*n;
}

/* One that does not fit is used only by who says so. */
static void
test_memory(Fixture *f, gconstpointer data)
{
  static const char text[] =
      "{\"name\": \"huge\", \"parameters\": 70000000000, \"weight_bytes\": 40000000000,"
      " \"quantization\": \"Q4_K\", \"peak_bytes\": 43000000000, \"available_bytes\": 8000000000,"
      " \"fits\": false, \"vision\": {\"image_size\": 336}, \"sha256\": null}";
  g_autoptr(JsonNode) info = json_from_string(text, NULL);
  const AppModelEntry entry = {.path = f->model, .info = info};
  DesktopModelRow *row = desktop_model_row_new(&entry);
  GtkWidget *list = gtk_list_box_new(), *window = gtk_window_new();
  guint n_used = 0;

  gtk_list_box_append(GTK_LIST_BOX(list), GTK_WIDGET(row));
  gtk_window_set_child(GTK_WINDOW(window), list);
  g_signal_connect(row, "use", G_CALLBACK(count), &n_used);
  desktop_model_row_set_state(row, FALSE, TRUE);
  g_assert_nonnull(strstr(adw_expander_row_get_subtitle(ADW_EXPANDER_ROW(row)), "but only 8.0"));
  for (guint i = 0; i < 2; i++) {
    GtkWindow *dialog;

    g_signal_emit_by_name(find_button(GTK_WIDGET(row), "Use"), "clicked");
    wait_until(ADW_IS_MESSAGE_DIALOG(other_window(f)));
    dialog = other_window(f);
    g_assert_cmpuint(n_used, ==, 0);
    g_assert_nonnull(strstr(adw_message_dialog_get_body(ADW_MESSAGE_DIALOG(dialog)), "43.0"));
    g_assert_nonnull(strstr(adw_message_dialog_get_body(ADW_MESSAGE_DIALOG(dialog)), "8.0"));
    adw_message_dialog_response(ADW_MESSAGE_DIALOG(dialog), i == 0 ? "cancel" : "use");
    gtk_window_destroy(dialog);
  }
  g_assert_cmpuint(n_used, ==, 1);
  gtk_window_destroy(GTK_WINDOW(window));
}

/* Closed while the list is being read. */
static void
test_closed(Fixture *f, gconstpointer data)
{
  desktop_models_open(f->models, f->model);
  desktop_models_read(f->models);
}

/* ---- the window --------------------------------------------------------------------------- */

/* Another model is loaded when the answer under way is there: that one is kept, and the next comes
 * from the other. */
static void
test_change(void)
{
  char *folder = tiny_folder_new(), *study = fixture_study_new(3);
  g_autofree char *one = g_build_filename(folder, "one.gguf", NULL);
  g_autofree char *two = g_build_filename(folder, "two.gguf", NULL);
  g_autofree char *log = g_build_filename(folder, "log.sqlite", NULL), *bytes = NULL;
  g_autoptr(GFile) file = g_file_new_for_path(study);
  AppReviewOptions options = {.model = {.model = one}, .log_path = log};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) list = NULL;
  DesktopWindow *window;
  gsize n;

  tiny_model_write(folder, one);
  g_assert_true(g_file_get_contents(one, &bytes, &n, NULL));
  g_assert_true(g_file_set_contents(two, bytes, (gssize)n, NULL));
  window = desktop_window_new(NULL, &options);
  g_object_add_weak_pointer(G_OBJECT(window), (gpointer *)&window);
  gtk_window_present(GTK_WINDOW(window));
  desktop_window_load_model(window);
  desktop_window_open_files(window, &file, 1);
  wait_until(window->review && desktop_viewport_get_slice(desktop_window_viewport(window)));
  desktop_window_ask(window, "What?");
  g_assert_nonnull(window->asking);
  options.model.model = two;
  desktop_window_change_model(window);
  g_assert_nonnull(window->review);
  wait_until(window->loading);
  wait_until(window->review && !window->asking);
  desktop_window_ask(window, "And now?");
  g_assert_nonnull(window->asking);
  wait_until(!window->asking);
  list = app_log_list(log, 10, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(json_array_get_length(json_node_get_array(list)), ==, 2);
  /* One that is not there: images can be seen all the same, and the first can be had again. */
  options.model.model = "/nowhere/model.gguf";
  desktop_window_change_model(window);
  wait_until(window->loading);
  wait_until(!window->loading);
  g_assert_null(window->review);
  options.model.model = one;
  desktop_window_change_model(window);
  wait_until(window->review);
  gtk_window_close(GTK_WINDOW(window));
  wait_until(window == NULL);
  tiny_folder_free(folder);
  tiny_folder_free(study);
}

int
main(int argc, char **argv)
{
  char *home = tiny_folder_new();
  int status;

  g_setenv("GTK_A11Y", "none", TRUE);
  g_setenv("XDG_DATA_HOME", home, TRUE); /* where the user's models lie */
  gtk_test_init(&argc, &argv, NULL);
  adw_init();
  g_test_add("/desktop/models/use", Fixture, NULL, setup, test_use, teardown);
  g_test_add("/desktop/models/no-model", Fixture, NULL, setup, test_no_model, teardown);
  g_test_add("/desktop/models/gone", Fixture, NULL, setup, test_gone, teardown);
  g_test_add("/desktop/models/server", Fixture, "gpu.example:8000", setup, test_server, teardown);
  g_test_add("/desktop/models/closed", Fixture, NULL, setup, test_closed, teardown);
  g_test_add_func("/desktop/models/change", test_change);
  g_test_add("/desktop/models/convert", Fixture, NULL, setup, test_convert, teardown);
  g_test_add("/desktop/models/convert-fails", Fixture, NULL, setup, test_convert_fails, teardown);
  g_test_add("/desktop/models/memory", Fixture, NULL, setup, test_memory, teardown);
  status = g_test_run();
  tiny_folder_free(home);
  return status;
}
