/* file.c - files that appear whole or not at all. */

#include "private.h"

#include <sys/stat.h>

gboolean
app_file_has_folder(const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname(path);

  if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: there is no folder %s", path, folder);
    return FALSE;
  }
  return TRUE;
}

gboolean
app_file_is_another(const char *out, const char *in, GError **error)
{
  struct stat one, other;

  if (stat(out, &one) == 0 && stat(in, &other) == 0 && one.st_dev == other.st_dev &&
      one.st_ino == other.st_ino) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT, "%s: --out names the very file to read from",
                out);
    return FALSE;
  }
  return TRUE;
}

char *
app_file_below(const char *folder, const char *name, GError **error)
{
  g_auto(GStrv) parts = g_strsplit(name, "/", -1);

  if (!*name || g_path_is_absolute(name) || g_strv_contains((const char *const *)parts, "..")) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "image \"%s\": expected a name below the folder %s", name, folder);
    return NULL;
  }
  return g_build_filename(folder, name, NULL);
}

gboolean
app_file_write(const char *path, const void *bytes, gsize n_bytes, GError **error)
{
  if (n_bytes > G_MAXSSIZE) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: %" G_GSIZE_FORMAT " bytes are too many",
                path, n_bytes);
    return FALSE;
  }
  if (!app_file_has_folder(path, error)) {
    return FALSE;
  }
  return g_file_set_contents_full(path, bytes, (gssize)n_bytes,
                                  G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                  0644, error);
}

gboolean
app_npy_write(const char *path, const char *descr, const gsize *shape, guint n_dims,
              const void *bytes, gsize n_bytes, GError **error)
{
  g_autoptr(GString) header = g_string_new(NULL);
  g_autoptr(GByteArray) file = g_byte_array_new();
  guint8 length[2];

  if (n_bytes > G_MAXUINT - 1024) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "%s: %" G_GSIZE_FORMAT " bytes are too many for one array", path, n_bytes);
    return FALSE;
  }
  g_string_printf(header, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
  for (guint i = 0; i < n_dims; i++) {
    g_string_append_printf(header, "%" G_GSIZE_FORMAT ",%s", shape[i], i + 1 < n_dims ? " " : "");
  }
  g_string_append(header, "), }");
  /* Magic (6), version (2), length (2) and header fill a multiple of 64 bytes and end in \n. */
  while ((10 + header->len + 1) % 64 != 0) {
    g_string_append_c(header, ' ');
  }
  g_string_append_c(header, '\n');
  length[0] = (guint8)(header->len & 0xff);
  length[1] = (guint8)(header->len >> 8);

  g_byte_array_append(file, (const guint8 *)"\x93NUMPY\x01\x00", 8);
  g_byte_array_append(file, length, 2);
  g_byte_array_append(file, (const guint8 *)header->str, (guint)header->len);
  g_byte_array_append(file, bytes, (guint)n_bytes);
  return app_file_write(path, file->data, file->len, error);
}
