/* directory.c - the files that a DICOMDIR names (PS3.10 8.5). */
#include "directory.h"
#include "names.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <glib/gstdio.h>

struct _DicomDirectory {
  GHashTable *folders; /* path -> GHashTable of plain name -> name */
};

DicomDirectory *
dicom_directory_new(void)
{
  DicomDirectory *directory = g_new0(DicomDirectory, 1);

  directory->folders =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_hash_table_unref);
  return directory;
}

void
dicom_directory_free(DicomDirectory *directory)
{
  if (directory) {
    g_hash_table_unref(directory->folders);
    g_free(directory);
  }
}

/* File IDs have capital letters, digits and '_' alone (PS3.10 8.5), and ISO 9660 adds a version and
 * a full stop: "IM_0001.;1" is IM_0001. */
static char *
plain_name(const char *name)
{
  char *plain = g_ascii_strdown(name, -1);
  char *version = strrchr(plain, ';');
  gsize n;

  if (version && version != plain && version[1] != '\0' &&
      strspn(version + 1, "0123456789") == strlen(version + 1)) {
    *version = '\0';
  }
  n = strlen(plain);
  if (n > 1 && plain[n - 1] == '.') {
    plain[n - 1] = '\0';
  }
  return plain;
}

static GHashTable *
list_folder(DicomDirectory *directory, const char *path)
{
  GHashTable *names = g_hash_table_lookup(directory->folders, path);
  g_autoptr(GDir) dir = NULL;
  const char *name;

  if (names) {
    return names;
  }
  names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  g_hash_table_insert(directory->folders, g_strdup(path), names);
  dir = g_dir_open(path, 0, NULL);
  while (dir && (name = g_dir_read_name(dir))) {
    char *plain = plain_name(name);
    const char *other = g_hash_table_lookup(names, plain);

    /* Which of two is meant must not depend on the order in which the disk lists them. */
    if (!other || dicom_compare_names(name, other) < 0) {
      g_hash_table_insert(names, plain, g_strdup(name));
    } else {
      g_free(plain);
    }
  }
  return names;
}

char *
dicom_directory_join(const char *path, const char *name)
{
  g_autofree char *folder = g_path_get_dirname(path);

  return strchr(path, '/') ? g_build_filename(folder, name, NULL) : g_strdup(name);
}

/* One part further; NULL when there is nothing of that name. */
static char *
descend(DicomDirectory *directory, const char *folder, const char *part)
{
  g_autofree char *exact = *folder ? g_build_filename(folder, part, NULL) : g_strdup(part);
  g_autofree char *plain = NULL;
  const char *name;
  struct stat st;

  if (g_lstat(exact, &st) == 0) {
    return g_steal_pointer(&exact);
  }
  plain = plain_name(part);
  name = g_hash_table_lookup(list_folder(directory, *folder ? folder : "."), plain);
  return !name ? NULL : *folder ? g_build_filename(folder, name, NULL) : g_strdup(name);
}

static gboolean
is_below_folder(const char *found, const char *path)
{
  g_autofree char *folder = g_path_get_dirname(path);
  g_autofree char *canonical = dicom_canonical_path(folder);
  g_autofree char *target = dicom_canonical_path(found);

  return dicom_path_is_below(target, canonical);
}

char *
dicom_directory_find(DicomDirectory *directory, const char *path, const char *name,
                     const char **why)
{
  g_auto(GStrv) parts = g_strsplit(name, "/", -1);
  g_autofree char *dirname = g_path_get_dirname(path);
  g_autofree char *found = g_strdup(strchr(path, '/') ? dirname : "");
  struct stat st;

  for (guint i = 0; parts[i]; i++) {
    if (!*parts[i] || strcmp(parts[i], ".") == 0 || strcmp(parts[i], "..") == 0) {
      *why = "is no name within its folder";
      return NULL;
    }
  }
  for (guint i = 0; parts[i] && found; i++) {
    char *next = descend(directory, found, parts[i]);

    g_free(found);
    found = next;
  }
  if (!parts[0] || !found || g_stat(found, &st) != 0) {
    *why = "is not there";
  } else if (!is_below_folder(found, path)) {
    *why = "is a link that leads out of the folder";
  } else if (!S_ISREG(st.st_mode)) {
    *why = "is not a regular file";
  } else {
    return g_steal_pointer(&found);
  }
  return NULL;
}
