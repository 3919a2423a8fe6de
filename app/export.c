/* export.c - an export from beginning to end. */
#include "export.h"

#include <string.h>

#include "deid.h"
#include "export-private.h"
#include "private.h"
#include "rotate.h"
#include "trust.h"

/* ---- what formats ask --------------------------------------------------------------------- */

const AppExportOptions *
app_export_options(AppExport *export)
{
  return export->options;
}

const StoreMask *
app_export_mask(AppExport *export)
{
  return &export->mask;
}

StoreLog *
app_export_log(AppExport *export)
{
  return export->log;
}

const char *
app_export_head(AppExport *export)
{
  return export->head;
}

const char *
app_export_time(AppExport *export)
{
  return export->time;
}

gboolean
app_export_cancelled(AppExport *export, GError **error)
{
  if (export->progress && !export->progress(0, 0, export->user)) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_CANCELLED, "cancelled; nothing was exported");
    return TRUE;
  }
  return FALSE;
}

/* ---- pseudonyms --------------------------------------------------------------------------- */

gboolean
app_export_key(guint8 key[32], GError **error)
{
  g_autofree char *path = app_deid_key_path();

  return app_deid_key_read(path, key, error);
}

char *
app_export_pseudonym(const char *value, gpointer key)
{
  return g_compute_hmac_for_string(G_CHECKSUM_SHA256, key, 32, value, -1);
}

/* ---- from beginning to end ---------------------------------------------------------------- */

static gboolean
check_options(const AppExportOptions *options, const AppExportFormat **format, GError **error)
{
  *format = app_export_format(options->format);
  if (!*format) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "the format is '%s'; 'hilum log export --help' lists those that there are",
                options->format);
    return FALSE;
  }
  if ((*format)->needs_text && !options->text) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "%s is made of what was asked and answered, which may name a patient: say --text",
                options->format);
    return FALSE;
  }
  if ((*format)->needs_patient && options->patient != APP_PATIENT_FULL) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "%s belongs into the patient's own study: say --patient full", options->format);
    return FALSE;
  }
  return TRUE;
}

static gboolean
fill(AppExport *export, GError **error)
{
  const AppExportOptions *options = export->options;
  g_autoptr(GDateTime) now = g_date_time_new_now_utc();

  export->time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
  export->mask = (StoreMask){.patient = (StorePatient)options->patient,
                             .text = options->text,
                             .pseudonym = app_export_pseudonym,
                             .user = export->key};
  if ((options->since &&
       !app_export_moment("--since", options->since, FALSE, export->since, error)) ||
      (options->until &&
       !app_export_moment("--until", options->until, TRUE, export->until, error)) ||
      !app_export_key(export->key, error)) {
    return FALSE;
  }
  export->log = app_log_open_there(options->log_path, error);
  return export->log && app_export_begin_folder(export, error);
}

static void
say_what_is_masked(AppExport *export)
{
  const AppExportOptions *options = export->options;

  if (!options->text) {
    app_export_leave_out(export, "questions, answers, token ids", "not asked for (--text)");
  }
  if (options->patient == APP_PATIENT_NONE) {
    app_export_leave_out(export,
                         "names, identifiers, UIDs, dates of studies, paths, hashes of pictures",
                         "not asked for (--patient)");
  } else if (options->patient == APP_PATIENT_PSEUDONYM) {
    app_export_leave_out(export, "names, dates and descriptions of studies, paths",
                         "identifiers and UIDs are keyed hashes (--patient pseudonym)");
  }
}

static gboolean
write_files(AppExport *export, GError **error)
{
  gpointer self = export->format->begin(export, error);
  gboolean done;

  if (!self) {
    return FALSE;
  }
  done = app_export_walk(export, self, error) && export->format->end(self, error);
  export->format->free(self);
  return done;
}

static JsonNode *
report(AppExport *export)
{
  JsonObject *object = json_object_new();

  json_object_set_string_member(object, "out", export->options->out);
  json_object_set_string_member(object, "format", export->format->name);
  json_object_set_array_member(object, "files", app_export_files_array(export));
  json_object_set_int_member(object, "conversations", (gint64) export->n_conversations);
  json_object_set_int_member(object, "turns", (gint64) export->n_turns);
  json_object_set_int_member(object, "events", (gint64) export->n_events);
  json_object_set_int_member(object, "left_out", (gint64) export->n_left_out);
  app_json_set_text(object, "head", export->head);
  return app_json_node(object);
}

/* MANIFEST: its SHA-256, or NULL. */
static gboolean
note_export(AppExport *export, const char *manifest, gboolean failed, GError **error)
{
  static const char *const patients[] = {"none", "pseudonym", "full"};
  g_autofree char *turns = g_strdup_printf("%" G_GUINT64_FORMAT, export->n_turns);
  g_autofree char *events = g_strdup_printf("%" G_GUINT64_FORMAT, export->n_events);
  const StoreField out = {"out", export->options->out}; /* a folder may be named for a patient */
  const StoreField fields[] = {{"text", export->options->text ? "yes" : "no"},
                               {"patient", patients[export->options->patient]},
                               {"turns", turns},
                               {"events", events},
                               {"manifest_sha256", manifest ? manifest : ""}};
  const StoreEvent event = {.kind = "export",
                            .action = export->format->name,
                            .failed = failed,
                            .fields = fields,
                            .n_fields = G_N_ELEMENTS(fields),
                            .sealed = &out,
                            .n_sealed = 1};

  return app_log_add_event(export->log, &event, error);
}

/* What leaves is in the log before it can be seen: no export is without its event. */
static gboolean
run(AppExport *export, GError **error)
{
  g_autofree char *sha256 = NULL;

  say_what_is_masked(export);
  if (!store_log_checkpoint(export->log, &export->head, error) || !write_files(export, error) ||
      app_export_cancelled(export, error) || !app_export_seal_folder(export, &sha256, error) ||
      !note_export(export, sha256, FALSE, error)) {
    return FALSE;
  }
  if (!app_export_publish_folder(export, error)) {
    note_export(export, NULL, TRUE, NULL);
    return FALSE;
  }
  return TRUE;
}

static void
clear(AppExport *export)
{
  app_export_drop_folder(export);
  g_clear_pointer(&export->log, store_log_close);
  g_clear_pointer(&export->files, g_ptr_array_unref);
  g_clear_pointer(&export->left_out, json_array_unref);
  g_free(export->time);
  g_free(export->head);
}

JsonNode *
app_export(const AppExportOptions *options, AppProgress progress, gpointer user, GError **error)
{
  AppExport export = {.options = options, .progress = progress, .user = user};
  JsonNode *node = NULL;

  if (check_options(options, &export.format, error) && fill(&export, error) &&
      run(&export, error)) {
    node = report(&export);
  }
  clear(&export);
  return node;
}
