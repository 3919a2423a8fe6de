/* retain.c - see app_rotate.h: how long logs are kept, and what is erased of them. */
#include "app_cache.h"
#include "private.h"
#include "rotate.h"
#include "secrets.h"
#include "trust.h"

/* The longest duty that is a number among those that are known to hold for such a record. 21 CFR
 * 11.10(e) asks for as long as the record that it is about is kept, which may be longer. */
#define DUTY "45 CFR 164.316(b)(2)(i) (HIPAA): 6 years"

static JsonNode *
report(StoreLog *log, GError **error)
{
  g_autoptr(GPtrArray) links = store_log_links(log, error);
  gboolean set = FALSE;
  guint years = 0;
  JsonObject *object;
  JsonArray *over;

  if (!links || !store_log_retention(log, &years, &set, error)) {
    return NULL;
  }
  object = json_object_new();
  over = json_array_new();
  json_object_set_int_member(object, "years", years);
  json_object_set_boolean_member(object, "set", set);
  json_object_set_int_member(object, "usual_years", STORE_RETENTION_YEARS);
  app_json_set_text(object, "duty", DUTY);
  for (guint i = links->len; i > 0; i--) {
    const StoreLink *link = links->pdata[i - 1];
    gboolean ended = FALSE;
    g_autofree char *until = store_log_kept_until(log, link->sealed_at, years, &ended);
    if (until && ended && link->state != STORE_LINK_RETIRED) {
      json_array_add_string_element(over, link->path);
    }
  }
  json_object_set_array_member(object, "over", over);
  return app_json_node(object);
}

JsonNode *
app_log_retain(const char *log_path, guint years, GError **error)
{
  g_autoptr(StoreLog) log =
      years ? app_log_open_there(log_path, error) : app_log_open(log_path, error);

  if (!log || (years && !store_log_set_retention(log, years, error))) {
    return NULL;
  }
  return report(log, error);
}

JsonNode *
app_log_retire(const char *log_path, const char *file, const char *reason, GError **error)
{
  const StoreSecrets secrets = app_secrets_get();
  g_autoptr(StoreLog) log = app_log_open_there(log_path, error);
  JsonObject *object;

  if (!log || !store_log_retire(log, file, reason, &secrets, error)) {
    return NULL;
  }
  object = json_object_new();
  app_json_set_text(object, "file", file);
  app_json_set_text(object, "log_id", store_log_id(log));
  return app_json_node(object);
}

JsonNode *
app_log_erase_all(const char *log_path, gint64 id, const AppErasure *erasure, GError **error)
{
  const StoreSecrets secrets = app_secrets_get();
  const StoreErasure what = {erasure->reason, erasure->of, erasure->leave_missing};
  g_autoptr(StoreLog) log = app_log_open_there(log_path, error);
  g_auto(StoreErased) erased = {0};
  JsonObject *object;
  guint n_files = 0;
  guint64 n_bytes = 0;

  /* What was computed about pictures lies under one key for all: it goes, whoever's it is. */
  if (!log || !store_log_erase_all(log, id, &what, &secrets, &erased, error) ||
      !store_log_erase_cache_key(log, error) ||
      !app_cache_clear(log_path, &n_files, &n_bytes, error)) {
    return NULL;
  }
  object = json_object_new();
  json_object_set_int_member(object, "conversation", id);
  json_object_set_int_member(object, "subjects", erased.subjects);
  json_object_set_int_member(object, "logs", erased.files);
  app_json_set_text(object, "left", erased.left);
  json_object_set_int_member(object, "retention_years", erased.retention_years);
  app_json_set_text(object, "to_be_kept_until", erased.kept_until);
  return app_json_node(object);
}
