/* key-image.c - which images of a study are marked, and the file beside the log that remembers it.
 *
 * The file of a study is named by a hash of its StudyInstanceUID:
 * {"study_instance_uid", "key_images": [{"sop_instance_uid", "frames": [1, 2] or null for all}]}.
 */
#include "app_key_image.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "key-image.h"

#define MOST_BYTES (4u << 20)

/* ---- marks --------------------------------------------------------------------------------- */

/* Where INDEX is, or would be, among the marked ones. */
static gboolean
find_key(const GArray *keys, guint index, guint *at)
{
  guint low = 0, high = keys ? keys->len : 0;

  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (g_array_index(keys, guint, middle) < index) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  *at = low;
  return keys && low < keys->len && g_array_index(keys, guint, low) == index;
}

static void
set_key(AppStudySeries *series, guint index, gboolean is_key)
{
  guint at;
  gboolean was_key = find_key(series->keys, index, &at);

  if (is_key && !was_key) {
    series->keys = series->keys ? series->keys : g_array_new(FALSE, FALSE, sizeof(guint));
    g_array_insert_val(series->keys, at, index);
  } else if (!is_key && was_key) {
    g_array_remove_index(series->keys, at);
  }
}

gboolean
app_study_is_key(AppStudy *study, guint series, guint index)
{
  gboolean is_key;
  guint at;

  g_return_val_if_fail(series < study->series->len, FALSE);
  g_mutex_lock(&study->lock);
  is_key = find_key(((AppStudySeries *)study->series->pdata[series])->keys, index, &at);
  g_mutex_unlock(&study->lock);
  return is_key;
}

void
app_study_set_key(AppStudy *study, guint series, guint index, gboolean is_key)
{
  AppStudySeries *s;

  g_return_if_fail(series < study->series->len);
  s = study->series->pdata[series];
  g_return_if_fail(index < s->info.n_images);
  g_mutex_lock(&study->lock);
  set_key(s, index, is_key);
  g_mutex_unlock(&study->lock);
}

guint
app_study_n_keys(AppStudy *study, guint series)
{
  const AppStudySeries *s;
  guint n;

  g_return_val_if_fail(series < study->series->len, 0);
  s = study->series->pdata[series];
  g_mutex_lock(&study->lock);
  n = s->keys ? s->keys->len : 0;
  g_mutex_unlock(&study->lock);
  return n;
}

GArray *
app_study_keys(AppStudy *study, guint series)
{
  const AppStudySeries *s;
  GArray *keys;

  g_return_val_if_fail(series < study->series->len, NULL);
  s = study->series->pdata[series];
  g_mutex_lock(&study->lock);
  keys = s->keys ? g_array_copy(s->keys) : g_array_new(FALSE, FALSE, sizeof(guint));
  g_mutex_unlock(&study->lock);
  return keys;
}

/* ---- the file ------------------------------------------------------------------------------ */

char *
app_key_folder(const char *log_path)
{
  g_autofree char *standard = log_path ? NULL : store_default_path();
  g_autofree char *folder = g_path_get_dirname(log_path ? log_path : standard);

  return g_build_filename(folder, "key-images", NULL);
}

static char *
file_of(const char *folder, const char *study_uid)
{
  g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, study_uid, -1);
  g_autofree char *name = g_strconcat(hash, ".json", NULL);

  return g_build_filename(folder, name, NULL);
}

/* The marked images of one instance, with frames from 1; the lock is held. NULL: none. */
static JsonObject *
instance_object(const AppStudySeries *series, guint item, guint *at)
{
  const DicomSeriesItem *from = series->series->items->pdata[item];
  guint first = series->starts[item], end = series->starts[item + 1];
  gboolean is_single = from->frames == 1 && !from->frame_order;
  JsonObject *object;
  JsonArray *frames;

  if (*at >= series->keys->len || g_array_index(series->keys, guint, *at) >= end) {
    return NULL;
  }
  object = json_object_new();
  json_object_set_string_member(object, "sop_instance_uid", from->sop_instance_uid);
  frames = json_array_new();
  for (; *at < series->keys->len && g_array_index(series->keys, guint, *at) < end; (*at)++) {
    guint index = g_array_index(series->keys, guint, *at) - first;
    json_array_add_int_element(frames, (gint64)dicom_series_item_frame(from, index) + 1);
  }
  if (is_single) {
    json_array_unref(frames);
    json_object_set_null_member(object, "frames");
  } else {
    json_object_set_array_member(object, "frames", frames);
  }
  return object;
}

static void
add_series(JsonArray *images, const AppStudySeries *series)
{
  guint at = 0;

  for (guint i = 0; series->keys && at < series->keys->len && i < series->series->items->len; i++) {
    JsonObject *object = instance_object(series, i, &at);

    if (object) {
      json_array_add_object_element(images, object);
    }
  }
}

static char *
text_of(AppStudy *study, const DicomStudy *of, guint *n)
{
  JsonObject *object = json_object_new();
  JsonArray *images = json_array_new();
  g_autoptr(JsonNode) node = NULL;

  g_mutex_lock(&study->lock);
  for (guint i = 0; i < study->series->len; i++) {
    const AppStudySeries *series = study->series->pdata[i];

    if (g_strcmp0(series->series->study_instance_uid, of->study_instance_uid) == 0) {
      add_series(images, series);
    }
  }
  g_mutex_unlock(&study->lock);
  *n = json_array_get_length(images);
  json_object_set_string_member(object, "study_instance_uid", of->study_instance_uid);
  json_object_set_array_member(object, "key_images", images);
  node = app_json_node(object);
  return app_json_text(node);
}

/* Where there is nothing to remember and nothing was, no file is left. */
static gboolean
remember_one(AppStudy *study, const DicomStudy *of, GError **error)
{
  g_autofree char *path = file_of(study->key_folder, of->study_instance_uid);
  guint n = 0;
  g_autofree char *text = text_of(study, of, &n);

  if (n == 0 && !g_file_test(path, G_FILE_TEST_EXISTS)) {
    return TRUE;
  }
  if (g_mkdir_with_parents(study->key_folder, 0700) != 0) {
    int saved = errno;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(saved), "%s: %s", study->key_folder,
                g_strerror(saved));
    return FALSE;
  }
  return g_file_set_contents_full(
      path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, error);
}

/* Calls SEE for each study that has an id. */
static gboolean
each_study(AppStudy *study, gboolean (*see)(AppStudy *, const DicomStudy *, GError **),
           GError **error)
{
  for (guint p = 0; p < study->scan->patients->len; p++) {
    const DicomPatient *patient = study->scan->patients->pdata[p];

    for (guint s = 0; s < patient->studies->len; s++) {
      const DicomStudy *of = patient->studies->pdata[s];

      if (*of->study_instance_uid && !see(study, of, error)) {
        return FALSE;
      }
    }
  }
  return TRUE;
}

/* ---- reading it ----------------------------------------------------------------------------- */

/* SOPInstanceUID -> of guint, frames from 0; an empty one: all. */
typedef GHashTable Marks;

static Marks *
marks_new(void)
{
  return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref);
}

static void
add_mark(Marks *marks, JsonObject *image)
{
  const char *uid = app_json_get_text(image, "sop_instance_uid");
  JsonNode *node = json_object_get_member(image, "frames");
  JsonArray *list = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
  GArray *frames = uid ? g_array_new(FALSE, FALSE, sizeof(guint)) : NULL;

  for (guint i = 0; uid && list && i < json_array_get_length(list); i++) {
    JsonNode *number = json_array_get_element(list, i);
    gint64 value = JSON_NODE_HOLDS_VALUE(number) ? json_node_get_int(number) : 0;

    if (value >= 1 && value <= G_MAXINT) {
      guint frame = (guint)value - 1;
      g_array_append_val(frames, frame);
    }
  }
  if (uid) {
    g_hash_table_replace(marks, g_strdup(uid), frames);
  }
}

/* NULL without an error: nothing is remembered. */
static Marks *
read_marks(const char *path, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr(JsonObject) object = NULL;
  g_autoptr(GError) failure = NULL;
  GStatBuf state;
  JsonNode *images;
  Marks *marks;
  gsize n;

  if (g_stat(path, &state) != 0) {
    return NULL;
  }
  if (state.st_size > MOST_BYTES) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: expected at most %u bytes", path,
                MOST_BYTES);
    return NULL;
  }
  if (!g_file_get_contents(path, &text, &n, error)) {
    return NULL;
  }
  object = app_json_object_read(text, n, &failure);
  if (!object) {
    g_propagate_prefixed_error(error, g_steal_pointer(&failure), "%s: ", path);
    return NULL;
  }
  marks = marks_new();
  images = json_object_get_member(object, "key_images");
  for (guint i = 0; images && JSON_NODE_HOLDS_ARRAY(images) &&
                    i < json_array_get_length(json_node_get_array(images));
       i++) {
    JsonNode *image = json_array_get_element(json_node_get_array(images), i);

    if (JSON_NODE_HOLDS_OBJECT(image)) {
      add_mark(marks, json_node_get_object(image));
    }
  }
  return marks;
}

/* Of "2\\5", from 1 on. */
static GArray *
frames_of(const char *text)
{
  g_auto(GStrv) parts = g_strsplit(text, "\\", -1);
  GArray *frames = g_array_new(FALSE, FALSE, sizeof(guint));

  for (guint i = 0; parts[i]; i++) {
    gint64 number = g_ascii_strtoll(parts[i], NULL, 10);

    if (number >= 1 && number <= G_MAXINT) {
      guint frame = (guint)number - 1;
      g_array_append_val(frames, frame);
    }
  }
  return frames;
}

/* Takes FRAMES; those of several selections are marked together. */
static void
add_frames(Marks *marks, const char *uid, GArray *frames)
{
  GArray *known = g_hash_table_lookup(marks, uid);

  if (!known) {
    g_hash_table_insert(marks, g_strdup(uid), frames);
    return;
  }
  if (known->len == 0 || frames->len == 0) {
    g_array_set_size(known, 0); /* all */
  } else {
    g_array_append_vals(known, frames->data, frames->len);
  }
  g_array_unref(frames);
}

/* What a Key Object Selection among the files is about. */
static Marks *
marks_of_documents(const DicomStudy *of)
{
  Marks *marks = marks_new();

  for (guint i = 0; i < of->documents->len; i++) {
    const DicomDocument *document = of->documents->pdata[i];

    for (guint k = 0;
         app_document_is_key_object(document) && k < document->referenced_instances->len; k++) {
      const char *frames =
          k < document->referenced_frames->len ? document->referenced_frames->pdata[k] : "";

      add_frames(marks, document->referenced_instances->pdata[k], frames_of(frames));
    }
  }
  return marks;
}

gboolean
app_document_is_key_object(const DicomDocument *document)
{
  return g_str_has_prefix(document->content_name, "Key Object Selection");
}

static void
mark_item(AppStudySeries *series, guint item, const GArray *frames)
{
  const DicomSeriesItem *from = series->series->items->pdata[item];

  for (guint k = 0; k < from->frames; k++) {
    guint frame = dicom_series_item_frame(from, k);
    gboolean is_meant = frames->len == 0;

    for (guint i = 0; i < frames->len && !is_meant; i++) {
      is_meant = g_array_index(frames, guint, i) == frame;
    }
    if (is_meant) {
      set_key(series, series->starts[item] + k, TRUE);
    }
  }
}

static void
apply(AppStudy *study, const DicomStudy *of, Marks *marks)
{
  g_mutex_lock(&study->lock);
  /* What a hand has marked meanwhile stays marked. */
  for (guint i = 0; i < study->series->len; i++) {
    AppStudySeries *series = study->series->pdata[i];

    if (g_strcmp0(series->series->study_instance_uid, of->study_instance_uid) != 0) {
      continue;
    }
    for (guint k = 0; k < series->series->items->len; k++) {
      const DicomSeriesItem *item = series->series->items->pdata[k];
      const GArray *frames = g_hash_table_lookup(marks, item->sop_instance_uid);

      if (frames) {
        mark_item(series, k, frames);
      }
    }
  }
  g_mutex_unlock(&study->lock);
}

static gboolean
load_one(AppStudy *study, const DicomStudy *of, GError **error)
{
  g_autofree char *path =
      study->key_folder ? file_of(study->key_folder, of->study_instance_uid) : NULL;
  g_autoptr(GError) failure = NULL;
  g_autoptr(GHashTable) marks = path ? read_marks(path, &failure) : NULL;

  if (failure) {
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
  }
  if (!marks) {
    marks = marks_of_documents(of);
  }
  if (g_hash_table_size(marks) > 0) {
    apply(study, of, marks);
  }
  return TRUE;
}

/* ---- asynchronously ------------------------------------------------------------------------- */

/* Once: whoever comes first, so that a mark set by a fast hand does not write over those of before.
 * The lock is held. */
static gboolean
load_once(AppStudy *study, GError **error)
{
  gboolean was_loaded = study->keys_loaded;

  study->keys_loaded = TRUE;
  return was_loaded || each_study(study, load_one, error);
}

static void
load_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  AppStudy *study = data;
  GError *error = NULL;
  gboolean done;

  g_mutex_lock(&study->key_lock);
  done = load_once(study, &error);
  g_mutex_unlock(&study->key_lock);
  if (done) {
    g_task_return_boolean(task, TRUE);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_study_load_keys_async(AppStudy *study, const char *folder, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user);

  g_return_if_fail(!study->key_folder);
  study->key_folder = g_strdup(folder);
  g_task_set_source_tag(task, app_study_load_keys_async);
  g_task_set_task_data(task, app_study_ref(study), (GDestroyNotify)app_study_unref);
  g_task_run_in_thread(task, load_in_thread);
}

gboolean
app_study_load_keys_finish(AppStudy *study, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), FALSE);
  return g_task_propagate_boolean(G_TASK(result), error);
}

static void
remember_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  AppStudy *study = data;
  GError *error = NULL;
  gboolean done = TRUE;

  /* One after the other, and each writes what is marked by then: the last one is right. */
  g_mutex_lock(&study->key_lock);
  if (study->key_folder) {
    done = load_once(study, &error) && each_study(study, remember_one, &error);
  }
  g_mutex_unlock(&study->key_lock);
  if (done) {
    g_task_return_boolean(task, TRUE);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_study_remember_keys_async(AppStudy *study, GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user);

  g_task_set_source_tag(task, app_study_remember_keys_async);
  g_task_set_task_data(task, app_study_ref(study), (GDestroyNotify)app_study_unref);
  g_task_run_in_thread(task, remember_in_thread);
}

gboolean
app_study_remember_keys_finish(AppStudy *study, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), FALSE);
  return g_task_propagate_boolean(G_TASK(result), error);
}
