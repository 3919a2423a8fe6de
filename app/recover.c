/* recover.c - a damaged log is set aside, and what can be read of it goes on in a new one. */
#include "app_recover.h"

#include "private.h"
#include "record.h"
#include "relay.h"
#include "secrets.h"

typedef struct {
  AppProgress progress;
  gpointer user;
} Progress;

static gboolean
pass_on(gint64 done, gint64 total, gpointer user)
{
  const Progress *progress = user;

  return progress->progress((guint64)MAX(done, 0), (guint64)MAX(total, 1), progress->user);
}

static JsonNode *
recovery_node(const char *place, const StoreRecovery *recovery)
{
  const struct {
    const char *name;
    gint64 value;
  } numbers[] = {{"events_read", recovery->events_read},
                 {"events_recovered", recovery->events_recovered},
                 {"events_lost", recovery->events_lost},
                 {"events_unreadable", recovery->events_unreadable},
                 {"events_unproved", recovery->events_unproved},
                 {"texts_lost", recovery->texts_lost},
                 {"texts_erased", recovery->texts_erased},
                 {"placeholders", recovery->placeholders},
                 {"conversations", recovery->conversations},
                 {"turns", recovery->turns},
                 {"last_proved_event", recovery->last_proved_event}};
  JsonObject *object = json_object_new();

  app_json_set_text(object, "log", place);
  json_object_set_boolean_member(object, "recovered", recovery->needed);
  app_json_set_text(object, "found", recovery->found);
  app_json_set_text(object, "set_aside", recovery->set_aside);
  app_json_set_text(object, "log_id", recovery->log_id);
  app_json_set_text(object, "previous_log_id", recovery->previous_log_id);
  app_json_set_text(object, "lost", recovery->lost);
  for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
    json_object_set_int_member(object, numbers[i].name, numbers[i].value);
  }
  return app_json_node(object);
}

JsonNode *
app_log_recover(const char *log_path, AppProgress progress, gpointer user, GError **error)
{
  g_autofree char *place = log_path ? g_strdup(log_path) : store_default_path();
  g_autoptr(StoreRecovery) recovery = NULL;
  AppAsked asked;
  StoreSecrets secrets = app_secrets_get();
  Progress passed = {progress, user};
  GError *failure = NULL;

  secrets.user = &asked;
  do {
    g_clear_error(&failure);
    asked = (AppAsked){0};
    recovery = store_recover(place, &secrets, progress ? pass_on : NULL, &passed, &failure);
    if (app_log_is_locked(failure)) {
      app_secrets_forget_wrong(&asked); /* the next one may be right */
    }
  } while (app_log_is_locked(failure) && asked.answered && app_secrets_asks_again());
  if (!recovery) {
    g_propagate_error(error, failure);
    return NULL;
  }
  return recovery_node(place, recovery);
}

char *
app_log_newer(const char *log_path)
{
  const StoreOpen how = {.locked = TRUE};
  g_autofree char *place = log_path ? g_strdup(log_path) : store_default_path();
  g_autoptr(StoreLog) log =
      g_file_test(place, G_FILE_TEST_EXISTS) ? store_log_open_with(place, &how, NULL) : NULL;
  int known = 0, newer = log ? store_log_newer(log, &known) : 0;

  return newer
             ? g_strdup_printf("a newer Hilum wrote this log (version %d, and this one knows %d): "
                               "what it knows is shown, and nothing is written",
                               newer, known)
             : NULL;
}

AppLogFault
app_log_fault(const GError *error)
{
  if (g_error_matches(error, STORE_ERROR, STORE_ERROR_NEWER)) {
    return APP_LOG_NEWER;
  }
  return g_error_matches(error, STORE_ERROR, STORE_ERROR_CORRUPT) ||
                 g_error_matches(error, STORE_ERROR, STORE_ERROR_FORMAT)
             ? APP_LOG_DAMAGED
             : APP_LOG_SOUND;
}

/* ---- beside what the user does --------------------------------------------------------------- */

typedef struct {
  char *log_path;
  AppRelay relay;
} Job;

static void
job_free(gpointer data)
{
  Job *job = data;

  g_free(job->log_path);
  app_relay_clear(&job->relay);
  g_free(job);
}

static gboolean
on_progress(guint64 done, guint64 total, gpointer user)
{
  Job *job = g_task_get_task_data(user);

  return app_relay_progress(&job->relay, user, done, total);
}

static void
node_release(gpointer node)
{
  json_node_unref(node);
}

static void
run(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Job *job = data;
  GError *error = NULL;
  JsonNode *node = app_log_recover(job->log_path, on_progress, task, &error);

  if (node) {
    g_task_return_pointer(task, node, node_release);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_log_recover_async(const char *log_path, AppProgress progress, gpointer user,
                      GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  Job *job = g_new0(Job, 1);
  g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, data);

  job->log_path = g_strdup(log_path);
  app_relay_init(&job->relay, progress, user, cancellable);
  g_task_set_source_tag(task, app_log_recover_async);
  g_task_set_check_cancellable(task, FALSE); /* what was done is told, however late the wish */
  g_task_set_task_data(task, job, job_free);
  g_task_run_in_thread(task, run);
}

JsonNode *
app_log_recover_finish(GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}
