/* deid.c - `hilum image deid`: the key, the files, and what is said of each. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deid.h"
#include "dicom_deid.h"
#include "decoder.h"
#include "private.h"

enum { KEY_BYTES = 32 };

gboolean
app_rect_parse(const char *text, AppRect *rect, GError **error)
{
  g_auto(GStrv) parts = g_strsplit(text, ",", -1);
  guint64 numbers[4] = {0};
  gboolean good = g_strv_length(parts) == 4;

  for (guint i = 0; good && i < 4; i++) {
    good = g_ascii_string_to_unsigned(parts[i], 10, i < 2 ? 0 : 1, G_MAXUINT16, &numbers[i], NULL);
  }
  if (!good) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "a rectangle is '%s'; expected X,Y,W,H in pixels, such as 0,0,640,40", text);
    return FALSE;
  }
  *rect = (AppRect){(guint)numbers[0], (guint)numbers[1], (guint)numbers[2], (guint)numbers[3]};
  return TRUE;
}

/* ---- the key ------------------------------------------------------------------------------- */

char *
app_deid_key_path(void)
{
  return g_build_filename(g_get_user_data_dir(), "hilum", "deid.key", NULL);
}

static gboolean
fail_errno(const char *path, const char *what, int saved, GError **error)
{
  g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: %s: %s", path, what, g_strerror(saved));
  return FALSE;
}

static gboolean
fill_key(int fd)
{
  guint8 key[KEY_BYTES];

  return getrandom(key, sizeof key, 0) == sizeof key && write(fd, key, sizeof key) == sizeof key &&
         fsync(fd) == 0;
}

/* Aside and linked, so that of two programs that start at once both use the one key that won. */
static gboolean
make_key(const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname(path);
  g_autofree char *aside = g_strconcat(path, ".XXXXXX", NULL);

  if (g_mkdir_with_parents(folder, 0700) != 0) {
    return fail_errno(folder, "the folder of the key cannot be made", errno, error);
  }
  int fd = g_mkstemp_full(aside, O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) {
    return fail_errno(path, "the key cannot be written", errno, error);
  }
  gboolean done = fill_key(fd) && (link(aside, path) == 0 || errno == EEXIST);
  int saved = errno;
  close(fd);
  g_unlink(aside);
  return done || fail_errno(path, "the key cannot be written", saved, error);
}

gboolean
app_deid_key_read(const char *path, guint8 key[KEY_BYTES], GError **error)
{
  g_autofree char *bytes = NULL;
  struct stat st;
  gsize n = 0;

  if (!g_file_test(path, G_FILE_TEST_EXISTS) && !make_key(path, error)) {
    return FALSE;
  }
  if (!g_file_get_contents(path, &bytes, &n, error)) {
    return FALSE;
  }
  if (n != KEY_BYTES) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "%s: %" G_GSIZE_FORMAT " bytes are no key; expected %u", path, n, KEY_BYTES);
    return FALSE;
  }
  /* Who has the key finds the patients' UIDs and identifiers again. */
  if (stat(path, &st) != 0 || st.st_mode & (S_IRWXG | S_IRWXO)) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "%s: the key can be read by others than its owner; expected mode 0600 (chmod 600)",
                path);
    return FALSE;
  }
  memcpy(key, bytes, KEY_BYTES);
  return TRUE;
}

/* ---- reports ------------------------------------------------------------------------------- */

static void
set_list(JsonObject *object, const char *member, const GPtrArray *list)
{
  JsonArray *array = json_array_new();

  for (guint i = 0; list && i < list->len; i++) {
    json_array_add_string_element(array, list->pdata[i]);
  }
  json_object_set_array_member(object, member, array);
}

/* REPORT NULL: refused, for WHY. */
static JsonNode *
report_node(const char *path, const DicomDeidReport *report, const char *why)
{
  JsonObject *object = json_object_new();

  json_object_set_string_member(object, "file", path);
  app_json_set_text(object, "out", report ? report->path : NULL);
  app_json_set_text(object, "sop_instance_uid", report ? report->sop_instance_uid : NULL);
  set_list(object, "removed", report ? report->removed : NULL);
  set_list(object, "replaced", report ? report->replaced : NULL);
  set_list(object, "kept", report ? report->kept : NULL);
  set_list(object, "cleaned", report ? report->cleaned : NULL);
  set_list(object, "blanked", report ? report->blanked : NULL);
  set_list(object, "unsure", report ? report->unsure : NULL);
  app_json_set_text(object, "error", why);
  return app_json_node(object);
}

/* ---- files --------------------------------------------------------------------------------- */

static DicomFrame *
read_frame(guint frame, gpointer user, GError **error)
{
  return app_decoder_frame(user, frame, NULL, NULL, error);
}

static void
copy_one(const char *path, const char *out, const DicomDeidOptions *options, AppDeidEach each,
         gpointer user, AppDeidCounts *counts)
{
  g_autoptr(DicomDeidReport) report = NULL;
  g_autoptr(GError) error = NULL;

  if (dicom_deid_file(path, out, options, read_frame, (gpointer)path, &report, &error)) {
    counts->n_copied++;
    counts->n_unsure += report->unsure->len > 0;
  } else {
    counts->n_refused++;
  }
  g_autoptr(JsonNode) node = report_node(path, report, error ? error->message : NULL);
  each(node, user);
}

static void
refuse_unwalked(const GPtrArray *refused, AppDeidEach each, gpointer user, AppDeidCounts *counts)
{
  for (guint i = 0; i < refused->len; i++) {
    const char *text = refused->pdata[i], *colon = strstr(text, ": ");
    g_autofree char *path = g_strndup(text, colon ? (gsize)(colon - text) : strlen(text));
    g_autoptr(JsonNode) node = report_node(path, NULL, text);

    counts->n_refused++;
    counts->n_files++;
    each(node, user);
  }
}

/* The real path of OUT, or of the nearest folder above it that is there. free(). */
static char *
real_place(const char *out)
{
  g_autofree char *path = g_canonicalize_filename(out, NULL);
  char *real = realpath(path, NULL);

  while (!real && strcmp(path, "/") != 0) {
    char *above = g_path_get_dirname(path);

    g_free(path);
    path = above;
    real = realpath(path, NULL);
  }
  return real;
}

/* Copies below a folder that is read would be taken for originals, the next time at the latest. */
static gboolean
check_place(const AppDeidOptions *options, GError **error)
{
  char *place = real_place(options->out);
  gboolean apart = TRUE;

  for (const char *const *path = options->paths; place && apart && *path; path++) {
    char *real = g_file_test(*path, G_FILE_TEST_IS_DIR) ? realpath(*path, NULL) : NULL;

    if (real && g_str_has_prefix(place, real)) {
      gchar next = place[strlen(real)];
      apart = next != '\0' && next != '/' && strcmp(real, "/") != 0;
    }
    if (!apart) {
      g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                  "%s: --out lies in %s, whose files are read; the copies would be taken for "
                  "originals: name a folder elsewhere",
                  options->out, *path);
    }
    free(real);
  }
  free(place);
  return apart;
}

static gboolean
cancelled(GError **error)
{
  g_set_error_literal(error, APP_ERROR, APP_ERROR_CANCELLED,
                      "cancelled; the copies made so far stay");
  return FALSE;
}

static gboolean
copy_all(const AppDeidOptions *options, const DicomDeidOptions *deid, AppDeidEach each,
         AppProgress progress, gpointer user, AppDeidCounts *counts, GError **error)
{
  g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GPtrArray) refused = g_ptr_array_new_with_free_func(g_free);

  if (!dicom_walk(options->paths, NULL, NULL, files, refused, error)) {
    return FALSE;
  }
  refuse_unwalked(refused, each, user, counts);
  counts->n_files += files->len;
  for (guint i = 0; i < files->len; i++) {
    if (progress && !progress(i, files->len, user)) {
      return cancelled(error);
    }
    copy_one(files->pdata[i], options->out, deid, each, user, counts);
  }
  if (progress && files->len > 0) {
    progress(files->len, files->len, user);
  }
  return TRUE;
}

gboolean
app_deid(const AppDeidOptions *options, AppDeidEach each, AppProgress progress, gpointer user,
         AppDeidCounts *counts, GError **error)
{
  g_autofree char *key_path = options->key ? g_strdup(options->key) : app_deid_key_path();
  g_autofree DicomRect *blank = g_new0(DicomRect, options->n_blank);
  DicomDeidOptions deid = {.modified_dates = options->modified_dates,
                           .retain_device = options->retain_device,
                           .clean_descriptors = options->clean_descriptors,
                           .clean_graphics = options->clean_graphics,
                           .clean_pixels = options->clean_pixels,
                           .blank = blank,
                           .n_blank = options->n_blank};

  memset(counts, 0, sizeof *counts);
  for (guint i = 0; i < options->n_blank; i++) {
    const AppRect *r = &options->blank[i];
    blank[i] = (DicomRect){r->x, r->y, r->width, r->height};
  }
  return check_place(options, error) && app_deid_key_read(key_path, deid.key, error) &&
         copy_all(options, &deid, each, progress, user, counts, error);
}
