/* export-lines.c - turns as JSON Lines and as CSV. */
#include <glib/gi18n.h>

#include "export-formats.h"

typedef struct {
  AppExportFile *file;
  GString *text;
} Lines;

static void
lines_free(gpointer self)
{
  Lines *lines = self;

  app_export_abandon(lines->file);
  g_string_free(lines->text, TRUE);
  g_free(lines);
}

static Lines *
lines_new(AppExport *export, const char *name, GError **error)
{
  AppExportFile *file = app_export_open(export, name, error);
  Lines *lines;

  if (!file) {
    return NULL;
  }
  lines = g_new0(Lines, 1);
  lines->file = file;
  lines->text = g_string_sized_new(1u << 16);
  return lines;
}

static gboolean
lines_end(gpointer self, GError **error)
{
  Lines *lines = self;

  return app_export_write_text(lines->file, lines->text, error) &&
         app_export_close(g_steal_pointer(&lines->file), error);
}

static gboolean
lines_write(Lines *lines, const AppExportConversation *conversation,
            void (*write)(GString *out, const StoreExportTurn *turn), GError **error)
{
  for (guint i = 0; i < conversation->turns->len; i++) {
    write(lines->text, conversation->turns->pdata[i]);
    if (lines->text->len >= (1u << 15) && !app_export_write_text(lines->file, lines->text, error)) {
      return FALSE;
    }
  }
  return TRUE;
}

/* ---- JSON Lines --------------------------------------------------------------------------- */

static gpointer
json_begin(AppExport *export, GError **error)
{
  return lines_new(export, "turns.jsonl", error);
}

static gboolean
json_conversation(gpointer self, const AppExportConversation *conversation, GError **error)
{
  return lines_write(self, conversation, store_export_json, error);
}

const AppExportFormat app_export_jsonl = {
    .name = "jsonl",
    .summary = N_("JSON Lines, a turn on each; what 'hilum log import' takes in elsewhere"),
    .begin = json_begin,
    .conversation = json_conversation,
    .end = lines_end,
    .free = lines_free,
};

/* ---- CSV ---------------------------------------------------------------------------------- */

static gpointer
csv_begin(AppExport *export, GError **error)
{
  Lines *lines = lines_new(export, "turns.csv", error);

  if (lines) {
    store_export_csv_header(lines->text);
  }
  return lines;
}

static gboolean
csv_conversation(gpointer self, const AppExportConversation *conversation, GError **error)
{
  return lines_write(self, conversation, store_export_csv, error);
}

const AppExportFormat app_export_csv = {
    .name = "csv",
    .summary = N_("a table for spreadsheets, a turn in each row (RFC 4180)"),
    .begin = csv_begin,
    .conversation = csv_conversation,
    .end = lines_end,
    .free = lines_free,
};
