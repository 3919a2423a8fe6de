/* import-manifest.c - whether a folder is an export, whole and as it was written. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "import.h"
#include "private.h"

#define MOST_MANIFEST (4u << 20)

void
app_manifest_free(AppManifest *manifest)
{
  if (manifest) {
    g_free(manifest->folder);
    g_free(manifest->head);
    g_free(manifest->time);
    g_free(manifest->program_version);
    g_free(manifest->sha256);
    g_free(manifest);
  }
}

static gboolean G_GNUC_PRINTF(3, 4) fail(GError **error, const char *path, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  va_start(args, format);
  what = g_strdup_vprintf(format, args);
  va_end(args);
  g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: %s; nothing was imported", path, what);
  return FALSE;
}

/* A regular file, and no link to one elsewhere. */
static int
open_file(const char *path, guint64 *bytes, GError **error)
{
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  struct stat st;

  if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
    fail(error, path, "%s", fd < 0 ? g_strerror(errno) : "this is no file");
    if (fd >= 0) {
      close(fd);
    }
    return -1;
  }
  *bytes = (guint64)st.st_size;
  return fd;
}

static char *
read_manifest(const char *path, gsize *n, GError **error)
{
  guint64 bytes = 0;
  g_autofree char *text = NULL;

  if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
    fail(error, path, "there is none: this is no export of Hilum's, or one that was cut off");
    return NULL;
  }
  const int fd = open_file(path, &bytes, error);
  if (fd < 0) {
    return NULL;
  }
  if (bytes > MOST_MANIFEST) {
    fail(error, path, "%" G_GUINT64_FORMAT " bytes, expected at most %u", bytes, MOST_MANIFEST);
    close(fd);
    return NULL;
  }
  text = g_malloc(bytes + 1);
  const gssize done = read(fd, text, bytes);
  close(fd);
  if (done != (gssize)bytes) {
    fail(error, path, "cannot be read");
    return NULL;
  }
  text[bytes] = '\0';
  *n = bytes;
  return g_steal_pointer(&text);
}

/* ---- what it says ------------------------------------------------------------------------- */

static gboolean
check_kind(JsonObject *json, const char *path, GError **error)
{
  const gint64 version = json_object_get_int_member_with_default(json, "hilum_export", 0);
  const char *format = app_json_get_text(json, "format");

  if (version < 1) {
    return fail(error, path, "this is no manifest of an export of Hilum's");
  }
  if (version > 1) {
    return fail(error, path,
                "the export is of a newer Hilum: version %" G_GINT64_FORMAT ", expected 1",
                version);
  }
  if (g_strcmp0(format, "jsonl") != 0) {
    return fail(error, path, "the format is %s; expected jsonl, which alone can be taken in",
                format ? format : "not said");
  }
  if (!json_object_get_boolean_member_with_default(json, "text", FALSE)) {
    return fail(
        error, path,
        "the export was made without what was asked and answered; expected one with --text");
  }
  return TRUE;
}

static gboolean
check_hash(const char *path, guint64 bytes, const char *sha256, GError **error)
{
  g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
  g_autofree guint8 *buffer = g_malloc(1u << 16);
  guint64 found = 0;
  gssize n = 0;
  const int fd = open_file(path, &found, error);

  if (fd < 0) {
    return FALSE;
  }
  if (found == bytes) {
    while ((n = read(fd, buffer, 1u << 16)) > 0) {
      g_checksum_update(checksum, buffer, n);
    }
  }
  close(fd);
  if (found != bytes) {
    return fail(error, path,
                "%" G_GUINT64_FORMAT " bytes, expected %" G_GUINT64_FORMAT " by the manifest",
                found, bytes);
  }
  if (n < 0 || g_strcmp0(g_checksum_get_string(checksum), sha256) != 0) {
    return fail(error, path, "its SHA-256 is not the manifest's: the file was changed");
  }
  return TRUE;
}

static gboolean
check_files(JsonObject *json, const char *folder, const char *path, GError **error)
{
  JsonNode *node = json_object_get_member(json, "files");
  JsonArray *files = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
  JsonNode *first =
      files && json_array_get_length(files) == 1 ? json_array_get_element(files, 0) : NULL;
  JsonObject *file = first && JSON_NODE_HOLDS_OBJECT(first) ? json_node_get_object(first) : NULL;
  const char *name = file ? app_json_get_text(file, "name") : NULL;
  g_autofree char *turns = g_build_filename(folder, APP_IMPORT_TURNS, NULL);

  if (g_strcmp0(name, APP_IMPORT_TURNS) != 0) {
    return fail(error, path, "expected one file, " APP_IMPORT_TURNS);
  }
  return check_hash(turns, (guint64)json_object_get_int_member_with_default(file, "bytes", -1),
                    app_json_get_text(file, "sha256"), error);
}

static gboolean
check_folder(const char *folder, GError **error)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;

  if (!dir) {
    return fail(error, folder, "the folder cannot be read");
  }
  while ((name = g_dir_read_name(dir))) {
    if (strcmp(name, "manifest.json") != 0 && strcmp(name, APP_IMPORT_TURNS) != 0) {
      g_autofree char *shown = g_utf8_make_valid(name, -1);
      return fail(error, folder, "\"%s\" is not in the manifest", shown);
    }
  }
  return TRUE;
}

AppManifest *
app_manifest_read(const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename(folder, "manifest.json", NULL);
  g_autofree char *text = NULL;
  g_autoptr(JsonObject) json = NULL;
  g_autoptr(GError) problem = NULL;
  AppManifest *manifest;
  gsize n = 0;

  text = read_manifest(path, &n, error);
  if (!text) {
    return NULL;
  }
  json = app_json_object_read(text, n, &problem);
  if (!json) {
    fail(error, path, "%s", problem->message);
    return NULL;
  }
  if (!check_kind(json, path, error) || !check_folder(folder, error) ||
      !check_files(json, folder, path, error)) {
    return NULL;
  }
  manifest = g_new0(AppManifest, 1);
  manifest->folder = g_strdup(folder);
  manifest->head = g_strdup(app_json_get_text(json, "head"));
  manifest->time = g_strdup(app_json_get_text(json, "time"));
  manifest->program_version = g_strdup(app_json_get_text(json, "program_version"));
  manifest->sha256 = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)text, n);
  manifest->n_conversations = json_object_get_int_member_with_default(json, "conversations", -1);
  manifest->n_turns = json_object_get_int_member_with_default(json, "turns", -1);
  return manifest;
}

/* ---- its lines ---------------------------------------------------------------------------- */

static gboolean
give_line(const AppManifest *manifest, const char *line, gsize length, guint64 number,
          AppImportFunc func, gpointer user, GError **error)
{
  g_autoptr(GError) problem = NULL;
  g_autoptr(AppImportTurn) turn = app_import_turn_read(line, length, &problem);

  if (!turn) {
    g_autofree char *path = g_build_filename(manifest->folder, APP_IMPORT_TURNS, NULL);
    return fail(error, path, "line %" G_GUINT64_FORMAT ": %s", number, problem->message);
  }
  return func(turn, number, user, error);
}

gboolean
app_import_each(const AppManifest *manifest, AppImportFunc func, gpointer user, GError **error)
{
  g_autofree char *path = g_build_filename(manifest->folder, APP_IMPORT_TURNS, NULL);
  g_autofree char *line = NULL;
  guint64 bytes = 0, number = 0;
  gboolean done = TRUE;
  gssize length;
  gsize room = 0;
  const int fd = open_file(path, &bytes, error);
  FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;

  if (!file) {
    return FALSE;
  }
  /* A line can be no longer than the file, whose size the manifest vouches for. */
  while (done && (length = getline(&line, &room, file)) > 0) {
    length -= line[length - 1] == '\n';
    done = give_line(manifest, line, (gsize)length, ++number, func, user, error);
  }
  fclose(file);
  return done;
}
