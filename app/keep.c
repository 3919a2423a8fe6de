/* keep.c - see app_keep.h. */
#include "app_keep.h"

#include "app_proof.h"
#include "private.h"
#include "record.h"
#include "rotate.h"
#include "trust.h"

typedef struct {
  AppProgress progress;
  gpointer user;
} Progress;

static gboolean
pass_on(gint64 done, gint64 total, gpointer user)
{
  const Progress *progress = user;

  return progress->progress((guint64)done, (guint64)total, progress->user);
}

static JsonObject *
report_object(const char *name, const char *place, const StoreReport *report, gboolean with_key)
{
  JsonObject *object = json_object_new();

  app_json_set_text(object, name, place);
  app_json_set_text(object, "log_id", report->log_id);
  json_object_set_int_member(object, "events", report->events);
  app_json_set_text(object, "root", report->root);
  json_object_set_boolean_member(object, "with_key", with_key);
  return object;
}

/* A sealed log cannot tell of it: the one that goes on does. */
static gboolean
note_backup(StoreLog *log, gboolean with_key, GError **error)
{
  g_autofree char *goes_on = store_log_goes_on(log);
  const StoreField field = {"with_key", with_key ? "yes" : "no"};
  const StoreEvent event = {.kind = "export", .action = "backup", .fields = &field, .n_fields = 1};

  return !goes_on || app_log_add_event(log, &event, error);
}

JsonNode *
app_log_backup(const char *log_path, const char *folder, gboolean with_key, AppProgress progress,
               gpointer user, GError **error)
{
  g_autoptr(StoreLog) log = app_log_open_there(log_path, error);
  g_autoptr(StoreReport) report = NULL;
  Progress passed = {progress, user};
  JsonObject *object;

  report = log ? store_log_backup(log, folder, with_key, progress ? pass_on : NULL, &passed, error)
               : NULL;
  if (!report) {
    return NULL;
  }
  if (!note_backup(log, with_key, error)) {
    return NULL;
  }
  object = report_object("out", folder, report, with_key);
  app_json_set_text(object, "protection", app_log_protection_name(store_log_protection(log)));
  return app_json_object_node(object);
}

/* Best done: without its root key the log cannot be written yet. */
static void
note_restore(const char *log_path, const StoreReport *report)
{
  g_autoptr(StoreLog) log = app_log_open_at(log_path, FALSE, NULL);
  const StoreField field = {"root", report->root};
  const StoreEvent event = {.kind = "import", .action = "restore", .fields = &field, .n_fields = 1};

  if (log) {
    store_log_add_event(log, &event, NULL);
  }
}

JsonNode *
app_log_restore(const char *folder, const char *log_path, GError **error)
{
  g_autofree char *place = log_path ? g_strdup(log_path) : store_default_path();
  gboolean with_key = FALSE;
  g_autoptr(StoreReport) report = store_restore(folder, place, &with_key, error);

  if (!report) {
    return NULL;
  }
  note_restore(place, report);
  return app_json_object_node(report_object("log", place, report, with_key));
}
