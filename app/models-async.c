/* models-async.c - what takes long with models, on threads of their own.
 *
 * Invariants:
 * 1. A conversion's progress goes to the caller's context by a source that is destroyed before the
 *    task returns there, so that nothing is said after the end.
 */
#include "models.h"

#define TELL_MS 100

/* ---- listing and describing --------------------------------------------------------------- */

typedef struct {
  char *folder;
  char **paths;
} Listing;

static void
listing_free(gpointer data)
{
  Listing *listing = data;

  g_free(listing->folder);
  g_strfreev(listing->paths);
  g_free(listing);
}

static void
list_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Listing *listing = data;
  GError *error = NULL;
  GPtrArray *entries =
      app_models_list(listing->folder, (const char *const *)listing->paths, cancellable, &error);

  if (entries) {
    g_task_return_pointer(task, entries, (GDestroyNotify)g_ptr_array_unref);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_models_list_async(const char *folder, const char *const *paths, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user);
  Listing *listing = g_new0(Listing, 1);

  listing->folder = g_strdup(folder);
  listing->paths = g_strdupv((char **)paths);
  g_task_set_source_tag(task, app_models_list_async);
  g_task_set_task_data(task, listing, listing_free);
  g_task_run_in_thread(task, list_in_thread);
}

GPtrArray *
app_models_list_finish(GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}

typedef struct {
  char *path;
  gboolean hash;
} Reading;

static void
reading_free(gpointer data)
{
  g_free(((Reading *)data)->path);
  g_free(data);
}

static void
read_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Reading *reading = data;
  GError *error = NULL;
  JsonNode *info = app_models_read(reading->path, reading->hash, &error);

  if (info) {
    g_task_return_pointer(task, info, (GDestroyNotify)json_node_unref);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_models_info_async(const char *path, gboolean hash, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user);
  Reading *reading = g_new0(Reading, 1);

  reading->path = g_strdup(path);
  reading->hash = hash;
  g_task_set_source_tag(task, app_models_info_async);
  g_task_set_task_data(task, reading, reading_free);
  g_task_run_in_thread(task, read_in_thread);
}

JsonNode *
app_models_info_finish(GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}

/* ---- conversion --------------------------------------------------------------------------- */

typedef struct {
  char *path, *type, *out;
  GCancellable *cancellable;
  AppModelsProgress progress;
  gpointer user;
  gint permille; /* atomic */
  GSource *telling;
} Conversion;

static void
conversion_free(gpointer data)
{
  Conversion *conversion = data;

  g_free(conversion->path);
  g_free(conversion->type);
  g_free(conversion->out);
  g_clear_object(&conversion->cancellable);
  g_clear_pointer(&conversion->telling, g_source_unref);
  g_free(conversion);
}

static gboolean
tell(gpointer data)
{
  Conversion *conversion = data;

  conversion->progress(g_atomic_int_get(&conversion->permille) / 1000.0, conversion->user);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_progress(guint64 done, guint64 total, gpointer data)
{
  Conversion *conversion = data;

  if (total > 0) {
    g_atomic_int_set(&conversion->permille, (int)(1000.0 * (double)done / (double)total));
  }
  return !g_cancellable_is_cancelled(conversion->cancellable);
}

static void
convert_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Conversion *conversion = data;
  g_autofree char *mmproj = app_models_mmproj(conversion->path);
  const AppModelOptions model = {.model = conversion->path, .mmproj = mmproj};
  const AppConvertOptions options = {
      .type = conversion->type, .out = conversion->out, .verify = APP_VERIFY_SAMPLE};
  GError *error = NULL;
  JsonNode *report = app_model_convert(&model, &options, on_progress, conversion, &error);

  if (conversion->telling) {
    g_source_destroy(conversion->telling);
  }
  if (report) {
    g_task_return_pointer(task, report, (GDestroyNotify)json_node_unref);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_models_convert_async(const char *path, const char *type, const char *out,
                         AppModelsProgress progress, gpointer progress_user,
                         GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user);
  Conversion *conversion = g_new0(Conversion, 1);

  conversion->path = g_strdup(path);
  conversion->type = g_strdup(type);
  conversion->out = g_strdup(out);
  conversion->cancellable = cancellable ? g_object_ref(cancellable) : NULL;
  conversion->progress = progress;
  conversion->user = progress_user;
  if (progress) {
    conversion->telling = g_timeout_source_new(TELL_MS);
    /* The task outlives the source: it destroys it. */
    g_source_set_callback(conversion->telling, tell, conversion, NULL);
    g_source_attach(conversion->telling, g_task_get_context(task));
  }
  g_task_set_source_tag(task, app_models_convert_async);
  g_task_set_task_data(task, conversion, conversion_free);
  g_task_run_in_thread(task, convert_in_thread);
}

JsonNode *
app_models_convert_finish(GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}
