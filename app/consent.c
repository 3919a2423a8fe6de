/* consent.c - whether answers of a log may become a training set: the last event about it counts.
 */
#include <string.h>

#include "app_export.h"
#include "export-private.h"
#include "private.h"
#include "trust.h"

typedef struct {
  gboolean given;
  char *time, *by;
} Consent;

static gboolean
note(const StoreEventRow *event, gpointer user, GError **error)
{
  Consent *consent = user;

  if (strcmp(event->kind, "consent") == 0 && !event->failed) {
    consent->given = g_strcmp0(event->action, "give") == 0;
    g_free(consent->time);
    g_free(consent->by);
    consent->time = g_strdup(event->time);
    consent->by = g_strdup(event->person ? event->person : event->user_name);
  }
  return TRUE;
}

static JsonNode *
read_consent(StoreLog *log, GError **error)
{
  Consent consent = {FALSE};
  JsonObject *object;

  if (!store_log_each_event(log, 1, 0, note, &consent, error)) {
    g_free(consent.time);
    g_free(consent.by);
    return NULL;
  }
  object = json_object_new();
  json_object_set_boolean_member(object, "given", consent.given);
  app_json_set_text(object, "time", consent.time);
  app_json_set_text(object, "by", consent.by);
  g_free(consent.time);
  g_free(consent.by);
  return app_json_node(object);
}

JsonNode *
app_log_consent(const char *log_path, GError **error)
{
  g_autoptr(StoreLog) log = app_log_open(log_path, error);

  return log ? read_consent(log, error) : NULL;
}

JsonNode *
app_log_set_consent(const char *log_path, gboolean given, GError **error)
{
  g_autoptr(StoreLog) log = app_log_open_there(log_path, error);
  const StoreField fields[] = {{"purpose", "training"}};
  const StoreEvent event = {.kind = "consent",
                            .action = given ? "give" : "withdraw",
                            .fields = fields,
                            .n_fields = G_N_ELEMENTS(fields)};

  return log && store_log_add_event(log, &event, error) != 0 ? read_consent(log, error) : NULL;
}

gboolean
app_consent_is_given(StoreLog *log, gboolean *given, GError **error)
{
  g_autoptr(JsonNode) node = read_consent(log, error);

  *given = node && json_object_get_boolean_member(json_node_get_object(node), "given");
  return node != NULL;
}
