/* models.c - which models there are. */
#include "models.h"

#include <string.h>

#define MOST_ENTRIES 200

char *
app_models_folder(void)
{
  return g_build_filename(g_get_user_data_dir(), "hilum", "models", NULL);
}

char *
app_models_mmproj(const char *path)
{
  g_autofree char *stem = NULL, *other = NULL;

  if (!g_str_has_suffix(path, ".gguf")) {
    return NULL;
  }
  stem = g_strndup(path, strlen(path) - strlen(".gguf"));
  other = g_strconcat(stem, "-mmproj.gguf", NULL);
  return g_file_test(other, G_FILE_TEST_IS_REGULAR) ? g_steal_pointer(&other) : NULL;
}

void
app_model_entry_free(AppModelEntry *entry)
{
  g_free(entry->path);
  g_free(entry->problem);
  g_clear_pointer(&entry->info, json_node_unref);
  g_free(entry);
}

JsonNode *
app_models_read(const char *path, gboolean hash, GError **error)
{
  g_autofree char *mmproj = app_models_mmproj(path);
  const AppModelOptions options = {.model = path, .mmproj = mmproj};

  return app_model_info(&options, hash, error);
}

/* A file by its name alone, a folder by what a checkpoint always has. */
static gboolean
looks_like_model(const char *path)
{
  g_autofree char *config = g_build_filename(path, "config.json", NULL);
  g_autofree char *name = g_path_get_basename(path);

  if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
    return g_file_test(config, G_FILE_TEST_IS_REGULAR);
  }
  /* The other half of a pair is no model. */
  return g_str_has_suffix(name, ".gguf") && !strstr(name, "mmproj");
}

static void
add(GPtrArray *entries, GHashTable *seen, const char *path, gboolean is_demo)
{
  g_autofree char *canonical = g_canonicalize_filename(path, "/");
  g_autoptr(GError) error = NULL;
  AppModelEntry *entry;

  if (entries->len >= MOST_ENTRIES || !g_hash_table_add(seen, g_strdup(canonical))) {
    return;
  }
  entry = g_new0(AppModelEntry, 1);
  entry->path = g_steal_pointer(&canonical);
  entry->is_demo = is_demo;
  entry->info = app_models_read(entry->path, FALSE, &error);
  entry->problem = entry->info ? NULL : g_strdup(error->message);
  g_ptr_array_add(entries, entry);
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *
app_models_list(const char *folder, const char *const *paths, GCancellable *cancellable,
                GError **error)
{
  g_autoptr(GPtrArray) entries =
      g_ptr_array_new_with_free_func((GDestroyNotify)app_model_entry_free);
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *usual = folder ? NULL : app_models_folder();
  g_autofree char *demo = app_demo_model_path(NULL);
  g_autoptr(GDir) dir = g_dir_open(folder ? folder : usual, 0, NULL);
  const char *name;

  if (demo) {
    add(entries, seen, demo, TRUE);
  }
  while (dir && (name = g_dir_read_name(dir))) {
    g_autofree char *path = g_build_filename(folder ? folder : usual, name, NULL);
    if (looks_like_model(path)) {
      g_ptr_array_add(names, g_steal_pointer(&path));
    }
  }
  g_ptr_array_sort(names, compare_names);
  for (gsize i = 0; paths && paths[i]; i++) {
    g_ptr_array_add(names, g_strdup(paths[i]));
  }
  for (guint i = 0; i < names->len; i++) {
    if (g_cancellable_set_error_if_cancelled(cancellable, error)) {
      return NULL;
    }
    add(entries, seen, names->pdata[i], FALSE);
  }
  return g_steal_pointer(&entries);
}
