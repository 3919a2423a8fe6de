/* test-models.c - which models there are, and conversions in the background. */
#include <glib/gstdio.h>

#include "app/tiny.h"
#include "app/wait.h"
#include "app_models.h"

typedef struct {
  char *folder, *model;
  GAsyncResult *result;
  guint n_told;
  double last;
} Fixture;

static void
setup(Fixture *f, gconstpointer data)
{
  f->folder = tiny_folder_new();
  f->model = g_build_filename(f->folder, "tiny.gguf", NULL);
  tiny_model_write(f->folder, f->model);
}

static void
teardown(Fixture *f, gconstpointer data)
{
  g_clear_object(&f->result);
  tiny_folder_free(f->folder);
  g_free(f->model);
}

static void
on_ready(GObject *source, GAsyncResult *result, gpointer data)
{
  ((Fixture *)data)->result = g_object_ref(result);
}

static void
on_share(double share, gpointer data)
{
  Fixture *f = data;

  g_assert_cmpfloat(share, >=, f->last);
  g_assert_cmpfloat(share, <=, 1);
  f->last = share;
  f->n_told++;
}

static GPtrArray *
list(Fixture *f, const char *const *paths)
{
  g_autoptr(GError) error = NULL;
  GPtrArray *entries;

  app_models_list_async(f->folder, paths, NULL, on_ready, f);
  wait_until(f->result);
  entries = app_models_list_finish(f->result, &error);
  g_assert_no_error(error);
  g_clear_object(&f->result);
  return entries;
}

static void
test_list(Fixture *f, gconstpointer data)
{
  g_autofree char *bad = g_build_filename(f->folder, "bad.gguf", NULL);
  g_autofree char *half = g_build_filename(f->folder, "tiny-mmproj.gguf", NULL);
  g_autofree char *other = g_build_filename(f->folder, "notes.txt", NULL);
  g_autofree char *twice = g_build_filename(f->folder, ".", "tiny.gguf", NULL);
  const char *paths[] = {twice, "/nowhere/model.gguf", NULL};
  g_autoptr(GPtrArray) entries = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *demo = app_demo_model_path(&error);
  const AppModelEntry *entry;

  g_assert_no_error(error);
  g_assert_true(g_file_set_contents(bad, "not a model", -1, NULL));
  g_assert_true(g_file_set_contents(other, "nor this", -1, NULL));
  g_assert_true(g_file_set_contents(half, "half", -1, NULL));
  g_assert_cmpint(g_remove(half), ==, 0);
  entries = list(f, paths);
  g_assert_cmpuint(entries->len, ==, 4);
  entry = entries->pdata[0];
  g_assert_true(entry->is_demo);
  g_assert_nonnull(entry->info);
  entry = entries->pdata[1];
  g_assert_true(g_str_has_suffix(entry->path, "/bad.gguf"));
  g_assert_null(entry->info);
  g_assert_nonnull(entry->problem);
  entry = entries->pdata[2];
  g_assert_cmpstr(entry->path, ==, f->model);
  g_assert_null(entry->problem);
  g_assert_cmpint(json_object_get_int_member(json_node_get_object(entry->info), "peak_bytes"), >,
                  0);
  entry = entries->pdata[3];
  g_assert_cmpstr(entry->path, ==, "/nowhere/model.gguf");
  g_assert_nonnull(strstr(entry->problem, "/nowhere/model.gguf"));
}

static void
test_pair(Fixture *f, gconstpointer data)
{
  g_autofree char *half = g_build_filename(f->folder, "tiny-mmproj.gguf", NULL);
  g_autofree char *none = app_models_mmproj(f->model), *found = NULL;

  g_assert_null(none);
  g_assert_true(g_file_set_contents(half, "half", -1, NULL));
  found = app_models_mmproj(f->model);
  g_assert_cmpstr(found, ==, half);
  g_assert_null(app_models_mmproj(f->folder));
}

static void
test_convert(Fixture *f, gconstpointer data)
{
  g_autofree char *out = g_build_filename(f->folder, "small.gguf", NULL);
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) report = NULL, info = NULL;

  app_models_convert_async(f->model, "q8_0", out, on_share, f, NULL, on_ready, f);
  wait_until(f->result);
  report = app_models_convert_finish(f->result, &error);
  g_assert_no_error(error);
  g_clear_object(&f->result);
  g_assert_cmpstr(json_object_get_string_member(json_node_get_object(report), "out"), ==, out);
  app_models_info_async(out, TRUE, NULL, on_ready, f);
  wait_until(f->result);
  info = app_models_info_finish(f->result, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(strlen(json_object_get_string_member(json_node_get_object(info), "sha256")), ==,
                   64);
}

static void
test_convert_wrong(Fixture *f, gconstpointer data)
{
  g_autofree char *out = g_build_filename(f->folder, "no-such-folder", "small.gguf", NULL);
  g_autoptr(GError) error = NULL;

  app_models_convert_async(f->model, "q8_0", out, on_share, f, NULL, on_ready, f);
  wait_until(f->result);
  g_assert_null(app_models_convert_finish(f->result, &error));
  g_assert_nonnull(error);
  g_assert_nonnull(strstr(error->message, "no-such-folder"));
}

static void
test_cancelled(Fixture *f, gconstpointer data)
{
  g_autofree char *out = g_build_filename(f->folder, "small.gguf", NULL);
  g_autoptr(GCancellable) cancellable = g_cancellable_new();
  g_autoptr(GError) error = NULL;

  g_cancellable_cancel(cancellable);
  app_models_convert_async(f->model, "q8_0", out, on_share, f, cancellable, on_ready, f);
  wait_until(f->result);
  g_assert_null(app_models_convert_finish(f->result, &error));
  g_assert_nonnull(error);
  g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add("/app/models/list", Fixture, NULL, setup, test_list, teardown);
  g_test_add("/app/models/pair", Fixture, NULL, setup, test_pair, teardown);
  g_test_add("/app/models/convert", Fixture, NULL, setup, test_convert, teardown);
  g_test_add("/app/models/convert-wrong", Fixture, NULL, setup, test_convert_wrong, teardown);
  g_test_add("/app/models/cancelled", Fixture, NULL, setup, test_cancelled, teardown);
  return g_test_run();
}
