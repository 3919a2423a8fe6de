/* export-async.c - an export on a thread of its own, for the window. */
#include <string.h>

#include "app_export.h"
#include "relay.h"

typedef struct {
  AppExportOptions options; /* points at what is below */
  char *log_path, *format, *out, *since, *until;
  gint64 *conversations;
  char **studies;
  AppRelay relay;
} Job;

static void
job_free(gpointer data)
{
  Job *job = data;

  g_free(job->log_path);
  g_free(job->format);
  g_free(job->out);
  g_free(job->since);
  g_free(job->until);
  g_free(job->conversations);
  g_strfreev(job->studies);
  app_relay_clear(&job->relay);
  g_free(job);
}

static Job *
job_new(const AppExportOptions *options)
{
  Job *job = g_new0(Job, 1);

  job->options = *options;
  job->options.log_path = job->log_path = g_strdup(options->log_path);
  job->options.format = job->format = g_strdup(options->format);
  job->options.out = job->out = g_strdup(options->out);
  job->options.since = job->since = g_strdup(options->since);
  job->options.until = job->until = g_strdup(options->until);
  job->conversations =
      g_memdup2(options->conversations, options->n_conversations * sizeof *options->conversations);
  job->options.conversations = job->conversations;
  job->studies = g_strdupv((char **)options->studies);
  job->options.studies = (const char *const *)job->studies;
  return job;
}

static gboolean
on_progress(guint64 done, guint64 total, gpointer user)
{
  Job *job = g_task_get_task_data(user);

  return app_relay_progress(&job->relay, user, done, total);
}

static void
export_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Job *job = data;
  GError *error = NULL;
  JsonNode *node = app_export(&job->options, on_progress, task, &error);

  if (node) {
    g_task_return_pointer(task, node, (GDestroyNotify)json_node_unref);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_export_async(const AppExportOptions *options, AppProgress progress, gpointer user,
                 GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, data);
  Job *job = job_new(options);

  app_relay_init(&job->relay, progress, user, cancellable);
  g_task_set_source_tag(task, app_export_async);
  /* A folder that stands is told of, however late the wish to end came. */
  g_task_set_check_cancellable(task, FALSE);
  g_task_set_task_data(task, job, job_free);
  g_task_run_in_thread(task, export_in_thread);
}

JsonNode *
app_export_finish(GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}
