/* test-desktop-models.c - the dialog of models: what it lists, which one is used, faults. */
#include <glib/gstdio.h>

#include "desktop-fixture.h"
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
  g_setenv("GTK_A11Y", "none", TRUE);
  gtk_test_init(&argc, &argv, NULL);
  adw_init();
  g_test_add("/desktop/models/use", Fixture, NULL, setup, test_use, teardown);
  g_test_add("/desktop/models/no-model", Fixture, NULL, setup, test_no_model, teardown);
  g_test_add("/desktop/models/gone", Fixture, NULL, setup, test_gone, teardown);
  g_test_add("/desktop/models/server", Fixture, "gpu.example:8000", setup, test_server, teardown);
  g_test_add("/desktop/models/closed", Fixture, NULL, setup, test_closed, teardown);
  g_test_add_func("/desktop/models/change", test_change);
  return g_test_run();
}
