/* train-data.c - see train-data.h.
 *
 * Finding records looks at brackets and strings alone, so half a gigabyte is indexed in a second.
 */
#include "train-data.h"

#include <string.h>

#include "private.h"

#define MAX_TURNS 1024u
#define MARK "<image>"

typedef struct {
  guint64 offset;
  guint32 length;
} Extent;

struct _AppTrainData {
  char *path;
  GMappedFile *file;
  GArray *extents; /* of Extent */
};

void
app_train_record_free(AppTrainRecord *record)
{
  if (record) {
    g_clear_pointer(&record->turns, g_ptr_array_unref);
    g_free(record->image);
    g_free(record);
  }
}

void
app_train_data_free(AppTrainData *data)
{
  if (data) {
    g_clear_pointer(&data->file, g_mapped_file_unref);
    g_clear_pointer(&data->extents, g_array_unref);
    g_free(data->path);
    g_free(data);
  }
}

guint64
app_train_data_count(const AppTrainData *data)
{
  return data->extents->len;
}

const char *
app_train_data_text(const AppTrainData *data, guint64 index, gsize *length)
{
  const Extent *extent = &g_array_index(data->extents, Extent, index);

  *length = extent->length;
  return g_mapped_file_get_contents(data->file) + extent->offset;
}

/* ---- finding records ------------------------------------------------------------------------ */

static gboolean
find_records(AppTrainData *data, GError **error)
{
  const char *text = g_mapped_file_get_contents(data->file);
  gsize n = g_mapped_file_get_length(data->file), i = 0;
  gboolean array, ended = FALSE, after_value = FALSE;

  if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
    i = 3;
  }
  while (i < n && app_json_is_blank(text[i])) {
    i++;
  }
  array = i < n && text[i] == '[';
  for (i += array; i < n; i++) {
    Extent extent = {.offset = i};
    gsize length;

    if (app_json_is_blank(text[i])) {
      continue;
    }
    if (array && !ended && after_value && text[i] == ',') {
      after_value = FALSE;
      continue;
    }
    if (array && !ended && text[i] == ']') {
      ended = TRUE;
      continue;
    }
    length = !ended && !(array && after_value) ? app_json_object_length(text + i, n - i) : 0;
    if (length == 0) {
      g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                  "%s: byte %" G_GSIZE_FORMAT
                  ", record %u: expected a whole JSON object of at most %u bytes",
                  data->path, i, data->extents->len + 1, APP_JSON_MAX_OBJECT);
      return FALSE;
    }
    extent.length = (guint32)length;
    g_array_append_val(data->extents, extent);
    after_value = TRUE;
    i += length - 1;
  }
  if ((array && !ended) || data->extents->len == 0) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "%s: %u records, %s; expected a JSON array or lines of JSON objects", data->path,
                data->extents->len, array && !ended ? "then the array does not end" : "no more");
    return FALSE;
  }
  return TRUE;
}

AppTrainData *
app_train_data_open(const char *path, GError **error)
{
  g_autoptr(AppTrainData) data = g_new0(AppTrainData, 1);

  data->path = g_strdup(path);
  data->extents = g_array_new(FALSE, FALSE, sizeof(Extent));
  data->file = g_mapped_file_new(path, FALSE, error);
  if (!data->file) {
    return NULL;
  }
  if (g_mapped_file_get_length(data->file) == 0) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: the file is empty, expected records",
                path);
    return NULL;
  }
  return find_records(data, error) ? g_steal_pointer(&data) : NULL;
}

/* ---- reading a record ----------------------------------------------------------------------- */

static gboolean
bad_record(const AppTrainData *data, guint64 index, const char *what, GError **error)
{
  g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: record %" G_GUINT64_FORMAT ": %s",
              data->path, index + 1, what);
  return FALSE;
}

/* The trainer places the mark anew, so it goes, with the line break between it and the question. */
static char *
without_mark(const char *text)
{
  const char *at = strstr(text, MARK), *after;
  g_autofree char *head = NULL;

  if (!at) {
    return g_strdup(text);
  }
  after = at + strlen(MARK);
  head = g_strndup(text, (gsize)(at - text));
  if (*after == '\n') {
    after++;
  } else if (*after == '\0' && g_str_has_suffix(head, "\n")) {
    head[strlen(head) - 1] = '\0';
  }
  return g_strconcat(head, after, NULL);
}

static gboolean
read_turns(const AppTrainData *data, guint64 index, JsonArray *array, AppTrainRecord *record,
           GError **error)
{
  guint n = json_array_get_length(array);

  if (n == 0 || n % 2 != 0 || n > MAX_TURNS) {
    return bad_record(data, index, "expected a conversation of questions and answers in turn",
                      error);
  }
  for (guint i = 0; i < n; i++) {
    JsonNode *node = json_array_get_element(array, i);
    JsonObject *turn = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    const char *from = turn ? app_json_get_text(turn, "from") : NULL;
    const char *value = turn ? app_json_get_text(turn, "value") : NULL;
    char *text;

    if (!from || !value || !g_str_equal(from, i % 2 ? "gpt" : "human")) {
      return bad_record(data, index,
                        "a turn lacks from (human, then gpt) or value, expected both as strings",
                        error);
    }
    text = i == 0 ? without_mark(value) : g_strdup(value);
    g_ptr_array_add(record->turns, text);
    if (strstr(text, MARK)) {
      return bad_record(data, index, "\"" MARK "\" outside of the first question, or twice", error);
    }
  }
  return TRUE;
}

AppTrainRecord *
app_train_data_read(const AppTrainData *data, guint64 index, GError **error)
{
  const Extent *extent = &g_array_index(data->extents, Extent, index);
  const char *text = g_mapped_file_get_contents(data->file) + extent->offset;
  g_autoptr(GError) failure = NULL;
  g_autoptr(JsonObject) object = app_json_object_read(text, extent->length, &failure);
  g_autoptr(AppTrainRecord) record = g_new0(AppTrainRecord, 1);
  JsonNode *turns, *image;

  record->turns = g_ptr_array_new_with_free_func(g_free);
  if (!object) {
    bad_record(data, index, failure->message, error);
    return NULL;
  }
  turns = json_object_get_member(object, "conversations");
  if (!turns) {
    turns = json_object_get_member(object, "conversatons"); /* some published files */
  }
  if (!turns || !JSON_NODE_HOLDS_ARRAY(turns)) {
    bad_record(data, index, "no array \"conversations\"", error);
    return NULL;
  }
  image = json_object_get_member(object, "image");
  if (image && !JSON_NODE_HOLDS_NULL(image)) {
    record->image = g_strdup(app_json_get_text(object, "image"));
    if (!record->image) {
      bad_record(data, index, "\"image\" is not a string", error);
      return NULL;
    }
  }
  return read_turns(data, index, json_node_get_array(turns), record, error)
             ? g_steal_pointer(&record)
             : NULL;
}
