/* export-folder.c - the folder of an export: files, manifest, and how it gets its name. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "export-private.h"
#include "out.h"
#include "private.h"

#define MOST_LEFT_OUT 1000u

struct _AppExportFile {
  AppExport *export;
  char *name;
  AppOut *out;
  GChecksum *checksum;
};

static gboolean
fail_errno(const char *path, const char *what, GError **error)
{
  const int why = errno;

  g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: %s: %s", path, what, g_strerror(why));
  return FALSE;
}

/* ---- files -------------------------------------------------------------------------------- */

static void
exported_free(gpointer data)
{
  AppExported *file = data;

  g_free(file->name);
  g_free(file->sha256);
  g_free(file);
}

char *
app_export_path(AppExport *export, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename(export->aside, name, NULL);
  g_autofree char *folder = g_path_get_dirname(path);

  if (g_mkdir_with_parents(folder, 0700) != 0) {
    fail_errno(folder, "the folder cannot be made", error);
    return NULL;
  }
  return g_steal_pointer(&path);
}

AppExportFile *
app_export_open(AppExport *export, const char *name, GError **error)
{
  g_autofree char *path = app_export_path(export, name, error);
  AppOut *out = path ? app_out_new(path, error) : NULL;
  AppExportFile *file;

  if (!out) {
    return NULL;
  }
  file = g_new0(AppExportFile, 1);
  file->export = export;
  file->name = g_strdup(name);
  file->out = out;
  file->checksum = g_checksum_new(G_CHECKSUM_SHA256);
  return file;
}

gboolean
app_export_write(AppExportFile *file, const void *bytes, gsize n, GError **error)
{
  g_checksum_update(file->checksum, bytes, (gssize)n);
  return app_out_write(file->out, bytes, n, error);
}

gboolean
app_export_write_text(AppExportFile *file, GString *text, GError **error)
{
  const gboolean done = app_export_write(file, text->str, text->len, error);

  g_string_truncate(text, 0);
  return done;
}

void
app_export_abandon(AppExportFile *file)
{
  if (file) {
    app_out_abandon(file->out);
    g_checksum_free(file->checksum);
    g_free(file->name);
    g_free(file);
  }
}

static void
list_file(AppExport *export, const char *name, guint64 bytes, const char *sha256)
{
  AppExported *entry = g_new0(AppExported, 1);

  entry->name = g_strdup(name);
  entry->bytes = bytes;
  entry->sha256 = g_strdup(sha256);
  g_ptr_array_add(export->files, entry);
}

gboolean
app_export_close(AppExportFile *file, GError **error)
{
  const guint64 bytes = app_out_bytes(file->out);
  const gboolean done = app_out_finish(g_steal_pointer(&file->out), error);

  if (done) {
    list_file(file->export, file->name, bytes, g_checksum_get_string(file->checksum));
  }
  app_export_abandon(file);
  return done;
}

static gboolean
hash_file(int fd, const char *path, GChecksum *checksum, guint64 *bytes, GError **error)
{
  g_autofree guint8 *buffer = g_malloc(1u << 16);
  gssize n;

  while ((n = read(fd, buffer, 1u << 16)) != 0) {
    if (n < 0 && errno != EINTR) {
      return fail_errno(path, "cannot be read", error);
    }
    if (n > 0) {
      g_checksum_update(checksum, buffer, n);
      *bytes += (guint64)n;
    }
  }
  return fsync(fd) == 0 || fail_errno(path, "cannot be written", error);
}

gboolean
app_export_add(AppExport *export, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename(export->aside, name, NULL);
  g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  guint64 bytes = 0;

  if (fd < 0) {
    return fail_errno(path, "cannot be read", error);
  }
  const gboolean done = hash_file(fd, path, checksum, &bytes, error);
  close(fd);
  if (done) {
    list_file(export, name, bytes, g_checksum_get_string(checksum));
  }
  return done;
}

/* ---- the manifest ------------------------------------------------------------------------- */

void
app_export_leave_out(AppExport *export, const char *what, const char *why)
{
  export->n_left_out++;
  if (json_array_get_length(export->left_out) < MOST_LEFT_OUT) {
    JsonObject *item = json_object_new();
    json_object_set_string_member(item, "what", what);
    json_object_set_string_member(item, "why", why);
    json_array_add_object_element(export->left_out, item);
  }
}

JsonArray *
app_export_files_array(AppExport *export)
{
  JsonArray *array = json_array_sized_new(export->files->len);

  for (guint i = 0; i < export->files->len; i++) {
    const AppExported *entry = export->files->pdata[i];
    JsonObject *file = json_object_new();
    json_object_set_string_member(file, "name", entry->name);
    json_object_set_int_member(file, "bytes", (gint64)entry->bytes);
    json_object_set_string_member(file, "sha256", entry->sha256);
    json_array_add_object_element(array, file);
  }
  return array;
}

/* What was asked for. UIDs of studies are a patient's: told only where all of the patient is. */
static JsonObject *
chosen_object(const AppExportOptions *options)
{
  JsonObject *object = json_object_new();
  JsonArray *conversations = json_array_new(), *studies = json_array_new();

  for (gsize i = 0; i < options->n_conversations; i++) {
    json_array_add_int_element(conversations, options->conversations[i]);
  }
  for (const char *const *study = options->studies; study && *study; study++) {
    json_array_add_string_element(studies, options->patient == APP_PATIENT_FULL ? *study : "-");
  }
  json_object_set_array_member(object, "conversations", conversations);
  json_object_set_array_member(object, "studies", studies);
  app_json_set_text(object, "since", options->since);
  app_json_set_text(object, "until", options->until);
  return object;
}

static JsonNode *
manifest_node(AppExport *export)
{
  static const char *const patients[] = {"none", "pseudonym", "full"};
  JsonObject *object = json_object_new(), *left_out = json_object_new();

  json_object_set_int_member(object, "hilum_export", 1);
  json_object_set_string_member(object, "format", export->format->name);
  json_object_set_string_member(object, "program_version", app_version());
  json_object_set_string_member(object, "time", export->time);
  json_object_set_string_member(object, "notice", APP_NOTICE);
  json_object_set_string_member(object, "log_id", store_log_id(export->log));
  app_json_set_text(object, "head", export->head);
  app_json_set_object(object, "chosen", chosen_object(export->options));
  json_object_set_boolean_member(object, "text", export->options->text);
  json_object_set_string_member(object, "patient", patients[export->options->patient]);
  json_object_set_int_member(object, "conversations", (gint64) export->n_conversations);
  json_object_set_int_member(object, "turns", (gint64) export->n_turns);
  json_object_set_int_member(object, "events", (gint64) export->n_events);
  json_object_set_array_member(object, "files", app_export_files_array(export));
  json_object_set_int_member(left_out, "count", (gint64) export->n_left_out);
  json_object_set_array_member(left_out, "items", json_array_ref(export->left_out));
  app_json_set_object(object, "left_out", left_out);
  return app_json_node(object);
}

/* ---- the folder --------------------------------------------------------------------------- */

gboolean
app_export_begin_folder(AppExport *export, GError **error)
{
  const char *out = export->options->out;
  g_autofree char *plain = g_canonicalize_filename(out, NULL);
  g_autofree char *aside = g_strconcat(plain, ".XXXXXX", NULL);

  export->files = g_ptr_array_new_with_free_func(exported_free);
  export->left_out = json_array_new();
  if (g_file_test(plain, G_FILE_TEST_EXISTS) || g_file_test(plain, G_FILE_TEST_IS_SYMLINK)) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "%s is there already; an export makes a folder of its own: name another", out);
    return FALSE;
  }
  if (!app_file_has_folder(plain, error)) {
    return FALSE;
  }
  if (!g_mkdtemp_full(aside, 0700)) {
    return fail_errno(out, "the folder cannot be made", error);
  }
  export->aside = g_steal_pointer(&aside);
  return TRUE;
}

static gboolean
sync_folder(const char *path, GError **error)
{
  const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const gboolean done = fd >= 0 && fsync(fd) == 0;

  if (!done) {
    fail_errno(path, "the folder cannot be written", error);
  }
  if (fd >= 0) {
    close(fd);
  }
  return done;
}

static gboolean
sync_folders(AppExport *export, GError **error)
{
  for (guint i = 0; i < export->files->len; i++) {
    const AppExported *file = export->files->pdata[i];
    g_autofree char *path = g_build_filename(export->aside, file->name, NULL);
    g_autofree char *folder = g_path_get_dirname(path);
    const gboolean again = i > 0 && strchr(file->name, '/') == NULL;

    if (!again && !sync_folder(folder, error)) {
      return FALSE;
    }
  }
  return sync_folder(export->aside, error);
}

gboolean
app_export_seal_folder(AppExport *export, char **sha256, GError **error)
{
  g_autoptr(JsonNode) node = manifest_node(export);
  g_autofree char *text = json_to_string(node, TRUE);
  g_autofree char *whole = g_strconcat(text, "\n", NULL);
  g_autofree char *path = g_build_filename(export->aside, "manifest.json", NULL);

  *sha256 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, whole, -1);
  return app_file_write(path, whole, strlen(whole), error) && sync_folders(export, error);
}

gboolean
app_export_publish_folder(AppExport *export, GError **error)
{
  g_autofree char *plain = g_canonicalize_filename(export->options->out, NULL);
  g_autofree char *above = g_path_get_dirname(plain);

  /* A folder that came meanwhile is not written over; some file systems cannot promise that. */
  if (renameat2(AT_FDCWD, export->aside, AT_FDCWD, plain, RENAME_NOREPLACE) != 0 &&
      (errno != EINVAL || g_file_test(plain, G_FILE_TEST_EXISTS) ||
       g_rename(export->aside, plain) != 0)) {
    return fail_errno(export->options->out, "the folder cannot be named so", error);
  }
  g_clear_pointer(&export->aside, g_free);
  return sync_folder(above, error);
}

/* Folders are listed first, so that from the last on each is empty when it comes. */
void
app_export_remove_tree(const char *path)
{
  g_autoptr(GPtrArray) folders = g_ptr_array_new_with_free_func(g_free);

  g_ptr_array_add(folders, g_strdup(path));
  for (guint i = 0; i < folders->len; i++) {
    g_autoptr(GDir) dir = g_dir_open(folders->pdata[i], 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
      char *below = g_build_filename(folders->pdata[i], name, NULL);
      if (g_file_test(below, G_FILE_TEST_IS_DIR) && !g_file_test(below, G_FILE_TEST_IS_SYMLINK)) {
        g_ptr_array_add(folders, below);
      } else {
        g_unlink(below);
        g_free(below);
      }
    }
  }
  for (guint i = folders->len; i > 0; i--) {
    g_rmdir(folders->pdata[i - 1]);
  }
}

void
app_export_drop_folder(AppExport *export)
{
  if (export->aside) {
    app_export_remove_tree(export->aside);
    g_clear_pointer(&export->aside, g_free);
  }
}
