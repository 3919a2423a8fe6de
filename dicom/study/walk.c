/* walk.c - the files below folders, without leaving these. */
#include "dicom.h"
#include "dicom/limits.h"
#include "names.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <glib/gstdio.h>

typedef struct {
  char *path; /* as it is shown */
  char *key;  /* canonical, so that a folder that was given twice is walked once */
  guint depth;
} Folder;

typedef struct {
  GPtrArray *files;   /* of char * */
  GPtrArray *refused; /* of char * */
  GHashTable *seen;   /* keys of files, folders and links */
  char *root;         /* canonical, for links */
  GQueue folders;     /* of Folder, to be listed */
  DicomScanProgress progress;
  gpointer user;
} Walk;

static void
refuse(Walk *walk, const char *path, const char *reason)
{
  g_autofree char *name = g_filename_display_name(path);

  g_ptr_array_add(walk->refused, g_strdup_printf("%s: %s", name, reason));
}

static void
folder_free(gpointer data)
{
  Folder *folder = data;

  g_free(folder->path);
  g_free(folder->key);
  g_free(folder);
}

static void
push_folder(Walk *walk, const char *path, const char *key, guint depth)
{
  Folder *folder = g_new0(Folder, 1);

  folder->path = g_strdup(path);
  folder->key = g_strdup(key);
  folder->depth = depth;
  g_queue_push_tail(&walk->folders, folder);
}

/* NULL, or why the link is not followed. Links to files inside the folder are as good as files;
 * links to folders are never followed, so that the walk cannot run in a circle. */
static const char *
link_problem(const Walk *walk, const char *path)
{
  g_autofree char *target = dicom_canonical_path(path);

  if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
    return "is a link to nothing";
  }
  if (!dicom_path_is_below(target, walk->root) && strcmp(target, walk->root) != 0) {
    return "is a link that leads out of the folder";
  }
  if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
    return "is a link to a folder; these are not followed";
  }
  return g_file_test(path, G_FILE_TEST_IS_REGULAR) ? NULL : "is not a link to a regular file";
}

static void
visit(Walk *walk, const Folder *parent, const char *name)
{
  g_autofree char *path = g_build_filename(parent->path, name, NULL);
  g_autofree char *key = g_build_filename(parent->key, name, NULL);
  struct stat st;

  if (!g_hash_table_add(walk->seen, g_strdup(key))) {
    return;
  }
  if (g_lstat(path, &st) != 0) {
    refuse(walk, path, g_strerror(errno));
  } else if (S_ISDIR(st.st_mode)) {
    if (parent->depth >= DICOM_MAX_FOLDER_DEPTH) {
      refuse(walk, path, "folders are nested too deeply");
    } else {
      push_folder(walk, path, key, parent->depth + 1);
    }
  } else if (S_ISREG(st.st_mode)) {
    g_ptr_array_add(walk->files, g_steal_pointer(&path));
  } else {
    const char *problem = S_ISLNK(st.st_mode) ? link_problem(walk, path) : "is not a regular file";

    if (problem) {
      refuse(walk, path, problem);
    } else {
      g_ptr_array_add(walk->files, g_steal_pointer(&path));
    }
  }
}

static gboolean
is_full(const Walk *walk)
{
  return walk->files->len + walk->refused->len >= DICOM_MAX_SCAN_FILES;
}

static void
list_folder(Walk *walk, const Folder *folder)
{
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GError) problem = NULL;
  g_autoptr(GDir) dir = g_dir_open(folder->path, 0, &problem);
  const char *name;

  if (!dir) {
    refuse(walk, folder->path, problem->message);
    return;
  }
  while ((name = g_dir_read_name(dir))) {
    g_ptr_array_add(names, g_strdup(name));
  }
  g_ptr_array_sort(names, dicom_compare_name_pointers);
  for (guint i = 0; i < names->len && !is_full(walk); i++) {
    visit(walk, folder, names->pdata[i]);
  }
}

static gboolean
cancelled(GError **error)
{
  g_set_error_literal(error, DICOM_ERROR, DICOM_ERROR_IO, "the scan was cancelled");
  return FALSE;
}

static gboolean
walk_folders(Walk *walk, GError **error)
{
  Folder *folder;

  while (!is_full(walk) && (folder = g_queue_pop_head(&walk->folders))) {
    list_folder(walk, folder);
    folder_free(folder);
    if (walk->progress && !walk->progress(walk->files->len, 0, walk->user)) {
      return cancelled(error);
    }
  }
  return TRUE;
}

/* A file or folder that was asked for by name; here a link may lead anywhere. */
static gboolean
walk_path(Walk *walk, const char *path, GError **error)
{
  g_autofree char *key = dicom_canonical_path(path);
  struct stat st;

  if (g_stat(path, &st) != 0) {
    g_autofree char *name = g_filename_display_name(path);

    g_set_error(error, DICOM_ERROR, DICOM_ERROR_IO, "%s: %s", name,
                errno == ENOENT ? "there is no such file or folder" : g_strerror(errno));
    return FALSE;
  }
  if (!g_hash_table_add(walk->seen, g_strdup(key))) {
    return TRUE;
  }
  if (S_ISDIR(st.st_mode)) {
    g_free(walk->root);
    walk->root = g_strdup(key);
    push_folder(walk, path, key, 0);
    return walk_folders(walk, error);
  }
  if (S_ISREG(st.st_mode)) {
    g_ptr_array_add(walk->files, g_strdup(path));
  } else {
    refuse(walk, path, "is not a regular file"); /* a device or a pipe could keep us for ever */
  }
  return TRUE;
}

gboolean
dicom_walk(const char *const *paths, DicomScanProgress progress, gpointer user, GPtrArray *files,
           GPtrArray *refused, GError **error)
{
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  Walk walk = {
      .files = files, .refused = refused, .seen = seen, .progress = progress, .user = user};
  gboolean ok = TRUE;

  g_queue_init(&walk.folders);
  for (guint i = 0; paths[i] && ok && !is_full(&walk); i++) {
    ok = walk_path(&walk, paths[i], error);
    if (ok && is_full(&walk)) {
      refuse(&walk, paths[i], "more files than one scan takes; the rest is left out");
    }
  }
  g_queue_clear_full(&walk.folders, folder_free);
  g_free(walk.root);
  g_ptr_array_sort(files, dicom_compare_name_pointers);
  return ok;
}
