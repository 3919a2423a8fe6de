/* rotate.c - see app_rotate.h: logs that go on from one another. */
#include "rotate.h"

#include <glib/gstdio.h>

#include "app_cache.h"
#include "app_proof.h"
#include "hands.h"
#include "private.h"
#include "secrets.h"
#include "trust.h"

#define MOST_LINKS 10000u

/* ---- events about what is sealed ------------------------------------------------------------- */

/* Where the last of the logs that go on from LOG is; NULL: LOG is not sealed. */
static StoreLog *
open_last(StoreLog *log, GError **error)
{
  g_autofree char *path = store_log_goes_on(log);
  StoreLog *last = NULL;

  for (guint i = 0; path && i < MOST_LINKS; i++) {
    g_clear_pointer(&last, store_log_close);
    last = app_log_open_there(path, error);
    g_free(path);
    path = last ? store_log_goes_on(last) : NULL;
  }
  return last;
}

gboolean
app_log_add_event(StoreLog *log, const StoreEvent *event, GError **error)
{
  g_autofree char *goes_on = store_log_goes_on(log);
  g_autoptr(GArray) fields = NULL;
  const StoreField about = {"of_log", store_log_id(log)};
  g_autoptr(StoreLog) last = NULL;
  StoreEvent other = *event;

  if (!goes_on) {
    return store_log_add_event(log, event, error) != 0;
  }
  last = open_last(log, error);
  if (!last) {
    return FALSE;
  }
  fields = g_array_new(FALSE, FALSE, sizeof(StoreField));
  if (event->n_fields) {
    g_array_append_vals(fields, event->fields, (guint)event->n_fields);
  }
  g_array_append_val(fields, about);
  other.fields = (const StoreField *)(gpointer)fields->data;
  other.n_fields = fields->len;
  return store_log_add_event(last, &other, error) != 0;
}

/* ---- rotation -------------------------------------------------------------------------------- */

static gboolean
keep_time(const StoreEventRow *event, gpointer user, GError **error)
{
  *(char **)user = g_strdup(event->time);
  return TRUE;
}

static guint64
size_of(const char *path)
{
  static const char *const suffixes[] = {"", "-wal"};
  guint64 bytes = 0;

  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
    g_autofree char *file = g_strconcat(path, suffixes[i], NULL);
    GStatBuf st;
    if (g_stat(file, &st) == 0) {
      bytes += (guint64)st.st_size;
    }
  }
  return bytes;
}

static gboolean
is_due(const AppRotateWhen *when, guint64 bytes, const char *begun)
{
  g_autoptr(GDateTime) now = g_date_time_new_now_utc();

  if (!when || (!when->larger_than && !when->new_year)) {
    return TRUE;
  }
  return (when->larger_than && bytes > when->larger_than) ||
         (when->new_year && begun && g_ascii_strtoll(begun, NULL, 10) < g_date_time_get_year(now));
}

/* What is kept about pictures lies under a key of the log that ends: nothing could read it. */
static gboolean
clear_cache(const char *log_path, StoreLog *log, GError **error)
{
  guint n_files = 0;
  guint64 n_bytes = 0;

  return store_log_erase_cache_key(log, error) &&
         app_cache_clear(log_path, &n_files, &n_bytes, error);
}

static JsonNode *
not_due(const char *place, guint64 bytes, const char *begun)
{
  JsonObject *object = json_object_new();

  json_object_set_boolean_member(object, "rotated", FALSE);
  app_json_set_text(object, "log", place);
  json_object_set_int_member(object, "bytes", (gint64)bytes);
  app_json_set_text(object, "begun", begun);
  return app_json_node(object);
}

static JsonNode *
rotated(const char *place, const StoreLink *link, const char *next_log_id)
{
  JsonObject *object = json_object_new();

  json_object_set_boolean_member(object, "rotated", TRUE);
  app_json_set_text(object, "file", link->path);
  app_json_set_text(object, "log_id", link->log_id);
  json_object_set_int_member(object, "number", link->number);
  json_object_set_int_member(object, "events", link->events);
  app_json_set_text(object, "root", link->root);
  app_json_set_text(object, "sealed_at", link->sealed_at);
  app_json_set_text(object, "log", place);
  app_json_set_text(object, "next_log_id", next_log_id);
  return app_json_node(object);
}

JsonNode *
app_log_rotate(const char *log_path, const AppRotateWhen *when, GError **error)
{
  const StoreSecrets secrets = app_secrets_get();
  const StoreOpen how = {.secrets = &secrets}, look = {.locked = TRUE};
  g_autofree char *place = app_log_place(log_path), *begun = NULL;
  g_autoptr(StoreLog) log = app_log_open_there(log_path, error);
  g_autoptr(StoreLink) link = NULL;

  if (!log || !store_log_each_event(log, 1, 1, keep_time, &begun, error)) {
    return NULL;
  }
  if (!is_due(when, size_of(place), begun)) {
    return not_due(place, size_of(place), begun);
  }
  if (!clear_cache(log_path, log, error)) {
    return NULL;
  }
  g_clear_pointer(&log, store_log_close);
  link = store_log_rotate(place, &how, error);
  log = link ? store_log_open_with(place, &look, error) : NULL;
  return log ? rotated(place, link, store_log_id(log)) : NULL;
}

/* ---- which there are ------------------------------------------------------------------------- */

const char *
app_link_state(const StoreLink *link)
{
  static const char *const names[] = {
      [STORE_LINK_THERE] = "sealed",    [STORE_LINK_MISSING] = "missing",
      [STORE_LINK_OTHER] = "other",     [STORE_LINK_UNREADABLE] = "unreadable",
      [STORE_LINK_RETIRED] = "removed",
  };

  return names[link->state];
}

static JsonObject *
link_object(StoreLog *log, const StoreLink *link, guint years)
{
  JsonObject *object = json_object_new();
  gboolean ended = FALSE;
  g_autofree char *until = store_log_kept_until(log, link->sealed_at, years, &ended);

  app_json_set_text(object, "file", link->path);
  app_json_set_text(object, "log_id", link->log_id);
  json_object_set_int_member(object, "number", link->number);
  json_object_set_int_member(object, "events", link->events);
  app_json_set_text(object, "begun", link->begun);
  app_json_set_text(object, "sealed_at", link->sealed_at);
  json_object_set_int_member(object, "bytes", link->bytes);
  app_json_set_text(object, "state", app_link_state(link));
  app_json_set_text(object, "found", link->found);
  app_json_set_text(object, "kept_until", until);
  json_object_set_boolean_member(object, "kept", !ended);
  return object;
}

static gboolean
keep_number(const StoreEventRow *event, gpointer user, GError **error)
{
  *(gint64 *)user = event->number;
  return TRUE;
}

static JsonObject *
own_object(StoreLog *log, const char *place, guint number, gint64 events, const char *begun)
{
  g_autofree char *goes_on = store_log_goes_on(log);
  JsonObject *object = json_object_new();

  app_json_set_text(object, "file", place);
  app_json_set_text(object, "log_id", store_log_id(log));
  json_object_set_int_member(object, "number", number);
  json_object_set_int_member(object, "events", events);
  app_json_set_text(object, "begun", begun);
  app_json_set_text(object, "sealed_at", NULL);
  json_object_set_int_member(object, "bytes", (gint64)size_of(place));
  app_json_set_text(object, "state", goes_on ? "sealed" : "open");
  app_json_set_text(object, "found", store_log_trouble(log));
  app_json_set_text(object, "kept_until", NULL);
  json_object_set_boolean_member(object, "kept", TRUE);
  return object;
}

/* For looking at what is readable without a key. */
static StoreLog *
open_locked(const char *log_path, const char *place, GError **error)
{
  const StoreOpen how = {.locked = TRUE};
  g_autoptr(GError) local = NULL;
  StoreLog *log = store_log_open_with(place, &how, &local);

  if (!log && g_error_matches(local, STORE_ERROR, STORE_ERROR_OLDER)) {
    return app_log_open(log_path, error);
  }
  if (!log) {
    g_propagate_error(error, g_steal_pointer(&local));
  }
  return log;
}

JsonNode *
app_log_links(const char *log_path, GError **error)
{
  g_autofree char *place = app_log_place(log_path), *begun = NULL;
  g_autoptr(StoreLog) log = open_locked(log_path, place, error);
  g_autoptr(GPtrArray) links = log ? store_log_links(log, error) : NULL;
  gint64 events = 0;
  guint years = 0;
  JsonArray *array;
  JsonNode *node;

  if (!links || !store_log_retention(log, &years, NULL, error) ||
      !store_log_each_event(log, 1, 1, keep_time, &begun, error) ||
      !store_log_last_event(log, keep_number, &events, error)) {
    return NULL;
  }
  array = json_array_new();
  for (guint i = links->len; i > 0; i--) {
    json_array_add_object_element(array, link_object(log, links->pdata[i - 1], years));
  }
  json_array_add_object_element(
      array, own_object(log, place, links->len ? ((StoreLink *)links->pdata[0])->number + 1 : 1,
                        events, begun));
  node = json_node_new(JSON_NODE_ARRAY);
  json_node_take_array(node, array);
  return node;
}

/* ---- verification ---------------------------------------------------------------------------- */

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
verified_object(const StoreLink *link)
{
  JsonObject *object = json_object_new();

  app_json_set_text(object, "file", link->path);
  app_json_set_text(object, "state", app_link_state(link));
  json_object_set_boolean_member(object, "whole", !link->found);
  app_json_set_text(object, "found", link->found);
  app_json_set_text(object, "log_id", link->log_id);
  json_object_set_int_member(object, "events", link->events);
  app_json_set_text(object, "root", link->root);
  return object;
}

/* Best done, as that of the log itself is. */
static void
note_links(const char *log_path, guint n, const char *found)
{
  g_autofree char *logs = g_strdup_printf("%u", n);
  const StoreField fields[] = {{"logs", logs}, {"found", found}};
  const StoreEvent event = {.kind = "verification",
                            .action = "links",
                            .failed = found != NULL,
                            .fields = fields,
                            .n_fields = G_N_ELEMENTS(fields) - (found ? 0 : 1)};
  g_autoptr(StoreLog) log = app_log_open_there(log_path, NULL);

  if (log) {
    app_log_add_event(log, &event, NULL);
  }
}

JsonNode *
app_log_verify_all(const char *log_path, const char *public_key, const char *checkpoints,
                   AppProgress progress, gpointer user, GError **error)
{
  g_autofree char *place = app_log_place(log_path);
  g_autoptr(JsonNode) node =
      app_log_verify(log_path, public_key, checkpoints, progress, user, error);
  JsonObject *report = node ? json_node_get_object(node) : NULL;
  g_autoptr(StoreLog) log = NULL;
  g_autoptr(GPtrArray) links = NULL;
  const StoreHands hands = app_hands();
  const char *found = NULL;
  Progress passed = {progress, user};
  JsonArray *array;

  log = report ? open_locked(log_path, place, error) : NULL;
  links = log ? store_log_links(log, error) : NULL;
  if (!links || !store_log_verify_links(links, &hands, progress ? pass_on : NULL, &passed, error)) {
    return NULL;
  }
  g_clear_pointer(&log, store_log_close);
  array = json_array_new();
  for (guint i = 0; i < links->len; i++) {
    const StoreLink *link = links->pdata[i];
    json_array_add_object_element(array, verified_object(link));
    found = found ? found : link->found;
  }
  json_object_set_array_member(report, "linked", array);
  if (links->len > 0) {
    note_links(log_path, links->len, found);
  }
  if (found && json_object_get_boolean_member(report, "whole")) {
    json_object_set_boolean_member(report, "whole", FALSE);
    app_json_set_text(report, "found", found);
  }
  return g_steal_pointer(&node);
}
