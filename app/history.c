/* history.c - past conversations: found by words, and shown. */
#include "app_trust.h"
#include "private.h"
#include "trust.h"

typedef struct {
  char *log_path, *query;
  guint limit;
  gint64 id;
} Looking;

static void
looking_free(gpointer data)
{
  Looking *looking = data;

  g_free(looking->log_path);
  g_free(looking->query);
  g_free(looking);
}

static Looking *
looking_new(const char *log_path)
{
  Looking *looking = g_new0(Looking, 1);

  looking->log_path = g_strdup(log_path);
  return looking;
}

/* ---- searching ---------------------------------------------------------------------------- */

void
app_history_entry_free(AppHistoryEntry *entry)
{
  if (entry) {
    g_free(entry->started);
    g_free(entry->first_question);
    g_free(entry->modality);
    g_free(entry->image_path);
    g_free(entry->model_name);
    g_free(entry->snippet);
    g_free(entry);
  }
}

static void
entry_free(gpointer entry)
{
  app_history_entry_free(entry);
}

static AppHistoryEntry *
entry_new(const StoreConversation *row)
{
  AppHistoryEntry *entry = g_new0(AppHistoryEntry, 1);

  entry->id = row->id;
  entry->started = g_strdup(row->started);
  entry->first_question = g_strdup(row->first_question ? row->first_question : "");
  entry->modality = g_strdup(row->modality ? row->modality : "");
  entry->image_path = g_strdup(row->image_path ? row->image_path : "");
  entry->model_name = g_strdup(row->model_name ? row->model_name : "");
  entry->n_turns = row->n_turns;
  entry->branch_of = row->rewound_from;
  entry->snippet = g_strdup(row->snippet ? row->snippet : "");
  entry->erased = row->erased;
  entry->lost = row->lost;
  return entry;
}

static void
search(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Looking *looking = data;
  GError *error = NULL;
  g_autoptr(StoreLog) log = NULL;
  g_autoptr(GPtrArray) rows = NULL;
  GPtrArray *entries;

  if (g_task_return_error_if_cancelled(task)) {
    return;
  }
  log = app_log_open(looking->log_path, &error);
  rows = log ? store_log_search(log, looking->query, looking->limit, &error) : NULL;
  if (!rows) {
    g_task_return_error(task, error);
    return;
  }
  entries = g_ptr_array_new_full(rows->len, entry_free);
  for (guint i = 0; i < rows->len; i++) {
    g_ptr_array_add(entries, entry_new(rows->pdata[i]));
  }
  g_task_return_pointer(task, entries, (GDestroyNotify)g_ptr_array_unref);
}

void
app_history_search_async(const char *log_path, const char *query, guint limit,
                         GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user);
  Looking *looking = looking_new(log_path);

  looking->query = g_strdup(query);
  looking->limit = limit;
  g_task_set_source_tag(task, app_history_search_async);
  g_task_set_task_data(task, looking, looking_free);
  g_task_run_in_thread(task, search);
}

GPtrArray *
app_history_search_finish(GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}

/* ---- showing ------------------------------------------------------------------------------ */

static void
json_node_release(gpointer node)
{
  json_node_unref(node);
}

/* Turns count up from the first that the conversation goes on from, as they do in a review that
 * goes on with it. */
static JsonNode *
timeline_node(StoreLog *log, const AppTimeline *line, GError **error)
{
  g_autoptr(JsonNode) node = json_node_new(JSON_NODE_ARRAY);
  JsonArray *array = json_array_new();
  guint part = 0, begin = 0;

  json_node_take_array(node, array);
  for (guint i = 0; i < line->rows->len; i++) {
    JsonObject *turn = app_log_turn_object(log, line->rows->pdata[i], error);

    if (!turn) {
      return NULL;
    }
    while (i >= begin + g_array_index(line->parts, AppTimelinePart, part).n_turns) {
      begin += g_array_index(line->parts, AppTimelinePart, part++).n_turns;
    }
    json_object_set_int_member(turn, "turn", i + 1);
    json_object_set_int_member(turn, "conversation",
                               g_array_index(line->parts, AppTimelinePart, part).id);
    json_array_add_object_element(array, turn);
  }
  return g_steal_pointer(&node);
}

static void
show(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Looking *looking = data;
  GError *error = NULL;
  g_autoptr(StoreLog) log = NULL;
  g_autoptr(AppTimeline) line = NULL;
  JsonNode *node = NULL;

  if (g_task_return_error_if_cancelled(task)) {
    return;
  }
  log = app_log_open(looking->log_path, &error);
  line = log ? app_timeline_read(log, looking->id, &error) : NULL;
  node = line ? timeline_node(log, line, &error) : NULL;
  if (node) {
    g_task_return_pointer(task, node, json_node_release);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_history_show_async(const char *log_path, gint64 id, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user);
  Looking *looking = looking_new(log_path);

  looking->id = id;
  g_task_set_source_tag(task, app_history_show_async);
  g_task_set_task_data(task, looking, looking_free);
  g_task_run_in_thread(task, show);
}

JsonNode *
app_history_show_finish(GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}
