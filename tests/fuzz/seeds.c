/* seeds.c - fuzz-seeds TARGET FOLDER [MORE...]: writes the seeds of a target into FOLDER. Of the
 * folders MORE the small files are taken too, for targets that read pictures. */
#include "seeds.h"

#include <glib/gstdio.h>
#include <string.h>

void
seeds_add(Seeds *seeds, const void *data, gsize n)
{
  g_autofree char *name = g_strdup_printf("seed-%04u", seeds->n);
  g_autofree char *path = g_build_filename(seeds->folder, name, NULL);
  g_autoptr(GError) error = NULL;

  if (n > SEED_MOST_BYTES) {
    return;
  }
  if (!g_file_set_contents_full(path, data, (gssize)n, G_FILE_SET_CONTENTS_NONE, 0600, &error)) {
    g_error("%s", error->message);
  }
  seeds->n++;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
find_names(const char *folder, guint depth, GPtrArray *names)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name(dir))) {
    g_autofree char *path = g_build_filename(folder, name, NULL);

    if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
      g_ptr_array_add(names, g_steal_pointer(&path));
    } else if (depth < 4) {
      find_names(path, depth + 1, names);
    }
  }
}

void
seeds_find(Seeds *seeds, const char *folder, SeedFound found)
{
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

  find_names(folder, 0, names);
  g_ptr_array_sort(names, compare_names);
  for (guint i = 0; i < names->len; i++) {
    g_autofree char *bytes = NULL;
    GStatBuf facts;
    gsize n;

    if (g_stat(names->pdata[i], &facts) == 0 && facts.st_size <= SEED_MOST_BYTES &&
        g_file_get_contents(names->pdata[i], &bytes, &n, NULL)) {
      found(seeds, (const guint8 *)bytes, n);
    }
  }
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *target;
    void (*make)(Seeds *seeds);
  } makers[] = {
      {"json", seeds_json},
      {"training-data", seeds_training_data},
      {"lists", seeds_lists},
      {"evaluation", seeds_evaluation},
      {"remote", seeds_remote},
      {"instruct", seeds_instruct},
      {"vocabulary", seeds_vocabulary},
      {"text", seeds_text},
      {"safetensors", seeds_safetensors},
      {"torch", seeds_torch},
      {"huggingface", seeds_huggingface},
      {"gguf", seeds_gguf},
      {"clip", seeds_clip},
      {"raster", seeds_raster},
      {"dicom", seeds_dicom},
      {"dicom-codec", seeds_dicom_codec},
      {"deid", seeds_deid},
      {"wire", seeds_wire},
      {"charset", seeds_charset},
  };

  for (gsize i = 0; argc >= 3 && i < G_N_ELEMENTS(makers); i++) {
    if (strcmp(argv[1], makers[i].target) == 0) {
      Seeds seeds = {argv[2], argv + 3, 0};

      makers[i].make(&seeds);
      return 0;
    }
  }
  g_printerr("usage: fuzz-seeds TARGET FOLDER [MORE...]\n");
  return 2;
}
