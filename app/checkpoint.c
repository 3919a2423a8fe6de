/* checkpoint.c - checkpoints that are kept out of the reach of whoever can write the log's folder.
 */
#include "checkpoint.h"

#include <string.h>

#include "app_proof.h"
#include "record.h"
#include "trust.h"

#define MOST_BYTES (64u << 20) /* as many as LOG.head may have */

static char *
fail(GError **error, const char *path, const char *found)
{
  g_autofree char *name = g_filename_display_name(path);

  g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
              "%s: found %s, expected a checkpoint of 'hilum log checkpoint', a copy of LOG.head, "
              "a proof, or the manifest of an export",
              name, found);
  return NULL;
}

/* Proofs have it as "checkpoint", the manifests of exports as "head". */
static char *
note_of_json(const char *text, gsize n, const char *path, GError **error)
{
  g_autoptr(JsonObject) object = app_json_object_read(text, n, NULL);
  const char *note = object ? app_json_get_text(object, "checkpoint") : NULL;

  note = note || !object ? note : app_json_get_text(object, "head");
  return note ? g_strdup(note) : fail(error, path, "no JSON object with a checkpoint");
}

char *
app_checkpoint_read(const char *path, GError **error)
{
  g_autoptr(GFile) file = g_file_new_for_path(path);
  g_autoptr(GFileInfo) info = NULL;
  g_autoptr(GError) local = NULL;
  g_autofree char *text = NULL;
  gsize n = 0;

  info = g_file_query_info(file, G_FILE_ATTRIBUTE_STANDARD_SIZE "," G_FILE_ATTRIBUTE_STANDARD_TYPE,
                           G_FILE_QUERY_INFO_NONE, NULL, &local);
  if (info && (g_file_info_get_file_type(info) != G_FILE_TYPE_REGULAR ||
               g_file_info_get_size(info) > MOST_BYTES)) {
    return fail(error, path, "no regular file of at most 64 MiB");
  }
  if (!info || !g_file_load_contents(file, NULL, &text, &n, NULL, &local)) {
    g_autofree char *name = g_filename_display_name(path);
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: %s", name, local->message);
    return NULL;
  }
  if (strlen(text) != n || !g_utf8_validate_len(text, n, NULL)) {
    return fail(error, path, "what is no text");
  }
  return g_str_has_prefix(text, "{") ? note_of_json(text, n, path, error) : g_steal_pointer(&text);
}

/* The journal of the system keeps what this user cannot change. */
static gboolean
send_to_journal(const char *note, const char *log_id, GError **error)
{
  const GLogField fields[] = {{"MESSAGE", note, -1},
                              {"PRIORITY", "5", -1},
                              {"SYSLOG_IDENTIFIER", "hilum", -1},
                              {"HILUM_LOG_ID", log_id, -1}};

  if (g_log_writer_journald(G_LOG_LEVEL_MESSAGE, fields, G_N_ELEMENTS(fields), NULL) !=
      G_LOG_WRITER_HANDLED) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "the system's journal does not take the checkpoint: found no "
                "/run/systemd/journal/socket; keep the checkpoint in another place");
    return FALSE;
  }
  return TRUE;
}

JsonNode *
app_log_checkpoint(const char *log_path, gboolean journal, GError **error)
{
  g_autoptr(StoreLog) log = app_log_open_there(log_path, error);
  g_autofree char *note = NULL;
  JsonObject *object;

  if (!log || !store_log_checkpoint(log, &note, error) ||
      (journal && !send_to_journal(note, store_log_id(log), error))) {
    return NULL;
  }
  object = json_object_new();
  app_json_set_text(object, "log_id", store_log_id(log));
  app_json_set_text(object, "checkpoint", note);
  json_object_set_boolean_member(object, "journal", journal);
  return app_json_object_node(object);
}
