/* proof.c - see app_proof.h. */
#include "app_proof.h"

#include "checkpoint.h"
#include "hands.h"
#include "private.h"
#include "record.h"
#include "rotate.h"
#include "secrets.h"
#include "trust.h"
#include <string.h>

char *
app_log_place(const char *log_path)
{
  return log_path ? g_strdup(log_path) : store_default_path();
}

StoreLog *
app_log_open_there(const char *log_path, GError **error)
{
  g_autoptr(StoreLog) log = app_log_open(log_path, error);
  g_autofree char *goes_on = log ? store_log_goes_on(log) : NULL;

  if (!log || goes_on) { /* what is sealed refuses whatever is written */
    return g_steal_pointer(&log);
  }
  g_clear_pointer(&log, store_log_close);
  return app_log_open_at(log_path, FALSE, error);
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

static JsonNode *
report_node(const StoreReport *report)
{
  JsonObject *object = json_object_new();

  json_object_set_boolean_member(object, "whole", report->whole);
  app_json_set_text(object, "found", report->found);
  json_object_set_int_member(object, "first", report->first);
  app_json_set_text(object, "log_id", report->log_id);
  json_object_set_int_member(object, "events", report->events);
  app_json_set_text(object, "root", report->root);
  json_object_set_int_member(object, "checkpoints", report->checkpoints);
  json_object_set_int_member(object, "signed_events", report->signed_events);
  json_object_set_int_member(object, "unsigned_events",
                             MAX(report->events - report->signed_events, 0));
  app_json_set_text(object, "signed_at", report->signed_at);
  json_object_set_int_member(object, "kept_checkpoints", report->kept);
  json_object_set_boolean_member(object, "cut", report->cut);
  json_object_set_int_member(object, "clock_back", report->clock_back);
  json_object_set_int_member(object, "clock_back_first", report->clock_back_first);
  if (report->newer) {
    json_object_set_int_member(object, "newer", report->newer);
  }
  return app_json_object_node(object);
}

/* Best done: a log that cannot be written, or not be opened for it, is verified all the same. */
static void
note_verification(const char *log_path, const StoreReport *report)
{
  g_autoptr(StoreLog) log = app_log_open_there(log_path, NULL);
  g_autofree char *events = g_strdup_printf("%" G_GINT64_FORMAT, report->events);
  const StoreField fields[] = {
      {"events", events}, {"root", report->root}, {"found", report->found}};
  const StoreEvent event = {.kind = "verification",
                            .action = "verify",
                            .failed = !report->whole,
                            .fields = fields,
                            .n_fields = G_N_ELEMENTS(fields)};

  if (log) {
    app_log_add_event(log, &event, NULL);
  }
}

JsonNode *
app_log_verify(const char *log_path, const char *public_key, const char *checkpoints,
               AppProgress progress, gpointer user, GError **error)
{
  g_autofree char *kept_text = checkpoints ? app_checkpoint_read(checkpoints, error) : NULL;
  const StoreKept kept = {public_key, kept_text};
  const StoreHands hands = app_hands();
  const StoreOpen how = {.locked = TRUE};
  g_autofree char *place = app_log_place(log_path);
  g_autoptr(GError) local = NULL;
  g_autoptr(StoreLog) log = NULL;
  g_autoptr(StoreReport) report = NULL;
  Progress passed = {progress, user};

  if (checkpoints && !kept_text) {
    return NULL;
  }
  log = store_log_open_with(place, &how, &local);
  if (!log && g_error_matches(local, STORE_ERROR, STORE_ERROR_OLDER)) {
    log = app_log_open(log_path, error); /* brought up to date, and signed from then on */
  } else if (!log) {
    g_propagate_error(error, g_steal_pointer(&local));
  }
  if (!log) {
    return NULL;
  }
  report = store_log_verify_with(log, &kept, &hands, progress ? pass_on : NULL, &passed, error);
  if (!report) {
    return NULL;
  }
  g_clear_pointer(&log, store_log_close);
  note_verification(log_path, report);
  return report_node(report);
}

/* ---- proofs ---------------------------------------------------------------------------------- */

JsonNode *
app_log_prove(const char *log_path, gint64 id, const char *out, GError **error)
{
  g_autoptr(StoreLog) log = app_log_open_there(log_path, error);
  g_autofree char *proof = NULL;
  g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, id);
  const StoreField field = {"conversation", number};
  const StoreEvent event = {.kind = "export", .action = "proof", .fields = &field, .n_fields = 1};
  JsonObject *object;

  if (!log || !app_log_add_event(log, &event, error)) {
    return NULL;
  }
  proof = store_log_prove(log, id, error);
  /* It holds a patient's texts: for its owner alone. */
  if (!proof || !g_file_set_contents_full(
                    out, proof, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                    0600, error)) {
    return NULL;
  }
  object = json_object_new();
  app_json_set_text(object, "out", out);
  json_object_set_int_member(object, "conversation", id);
  json_object_set_int_member(object, "bytes", (gint64)strlen(proof));
  return app_json_object_node(object);
}

/* TEXT, a JSON object, as a member; null where there is none. */
static void
set_json(JsonObject *object, const char *name, const char *text)
{
  g_autoptr(JsonNode) node = text ? json_from_string(text, NULL) : NULL;

  if (node) {
    json_object_set_member(object, name, g_steal_pointer(&node));
  } else {
    json_object_set_null_member(object, name);
  }
}

static gboolean
note_event(const StoreEventRow *event, gpointer user, GError **error)
{
  JsonObject *object = json_object_new();

  json_object_set_int_member(object, "number", event->number);
  app_json_set_text(object, "time", event->time);
  app_json_set_text(object, "kind", event->kind);
  app_json_set_text(object, "sha256", event->sha256);
  set_json(object, "body", event->body);
  set_json(object, "text", event->text);
  json_array_add_object_element(user, object);
  return TRUE;
}

JsonNode *
app_log_check_proof(const char *file, const char *public_key, GError **error)
{
  g_autofree char *text = NULL, *key = NULL;
  gsize n = 0;
  JsonObject *object;
  JsonArray *events = json_array_new();
  g_autoptr(GError) local = NULL;

  if (!g_file_get_contents(file, &text, &n, &local) ||
      !g_file_get_contents(public_key, &key, NULL, &local)) {
    json_array_unref(events);
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s", local->message);
    return NULL;
  }
  if (!store_check_proof(text, n, key, note_event, events, error)) {
    g_prefix_error(error, "%s: ", file);
    json_array_unref(events);
    return NULL;
  }
  object = json_object_new();
  json_object_set_boolean_member(object, "valid", TRUE);
  json_object_set_array_member(object, "events", events);
  return app_json_object_node(object);
}

/* ---- erasure and the root key ---------------------------------------------------------------- */

JsonNode *
app_log_erase(const char *log_path, gint64 id, const char *reason, GError **error)
{
  const AppErasure erasure = {.reason = reason};

  return app_log_erase_all(log_path, id, &erasure, error);
}

static const char *const protections[] = {
    [STORE_PROTECTION_FILE] = "file",
    [STORE_PROTECTION_PASSPHRASE] = "passphrase",
    [STORE_PROTECTION_KEYRING] = "keyring",
};

const char *
app_log_protection_name(guint index)
{
  return index < G_N_ELEMENTS(protections) ? protections[index] : NULL;
}

JsonNode *
app_log_protect(const char *log_path, const char *with, GError **error)
{
  const StoreSecrets secrets = app_secrets_get();
  g_autoptr(StoreLog) log = NULL;
  JsonObject *object;
  guint which = 0;

  while (which < G_N_ELEMENTS(protections) && g_strcmp0(protections[which], with) != 0) {
    which++;
  }
  if (which == G_N_ELEMENTS(protections)) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "the protection is '%s'; expected file, passphrase or keyring", with);
    return NULL;
  }
  log = app_log_open_there(log_path, error);
  if (!log || !store_log_protect(log, (StoreProtection)which, &secrets, error)) {
    return NULL;
  }
  object = json_object_new();
  app_json_set_text(object, "protection", protections[store_log_protection(log)]);
  return app_json_object_node(object);
}
