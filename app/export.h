/* export.h - an export under way, and what a format is. Not for other rooms.
 *
 * 1. All files of an export are written into a folder aside. It takes its name when all are there,
 *    synced, and the manifest with them; before that nothing of it can be seen under that name.
 * 2. Each file is hashed, and named in manifest.json. What was not written is told by
 *    app_export_leave_out(), never passed over in silence.
 * 3. What a format gets is masked: it can write whatever it finds. Only AppExportConversation.real
 *    holds more; it is for reading pictures and for objects that are made for the patient's own
 *    study.
 * 4. The log's head is taken before the first row is read. Rows that others write meanwhile may be
 *    in the files: a later head covers them.
 * 5. The export is an event of the log before its folder can be seen.
 *
 * A new format: one file app/export-NAME.c with an AppExportFormat, one line in the table of
 * export-format.c.
 *
 * Thread rule: one thread at a time, and no other than that which runs the export.
 */
#ifndef HILUM_APP_EXPORT_PRIVATE_H
#define HILUM_APP_EXPORT_PRIVATE_H

#include "app_export.h"
#include "store_export.h"
#include "store.h"

G_BEGIN_DECLS

typedef struct _AppExport AppExport;

/* ---- what a format is ----------------------------------------------------------------------- */

typedef struct {
  const StoreConversation *conversation; /* masked */
  const GPtrArray *turns;                /* of const StoreExportTurn *, masked; in order */
  const GPtrArray *real;                 /* of const StoreExportTurn *, beside them: as they are */
} AppExportConversation;

/* SELF is what begin() returned. FALSE (NULL) with *error set ends the export. */
typedef struct {
  const char *name;    /* "jsonl" */
  const char *summary; /* a line for people, N_() */
  gboolean needs_text; /* makes no sense without what was asked and answered */
  /* Needs_patient: belongs into the patient's own study, so all of the patient's data are in it. */
  gboolean needs_patient;
  gpointer (*begin)(AppExport *export, GError **error);
  /* Conversation after conversation, those with a turn that was chosen; NULL: not wanted. */
  gboolean (*conversation)(gpointer self, const AppExportConversation *conversation,
                           GError **error);
  /* Event after event; NULL: not wanted. */
  gboolean (*event)(gpointer self, const StoreAudit *event, GError **error);
  gboolean (*end)(gpointer self, GError **error); /* all came: closes its files */
  void (*free)(gpointer self);                    /* whatever came */
} AppExportFormat;

/* By name; NULL: there is none. */
const AppExportFormat *app_export_format(const char *name);

/* ---- what a format may do ------------------------------------------------------------------- */

/* A file of the export: written, hashed, synced. NAME: below the folder, "sub/name" makes SUB. */
typedef struct _AppExportFile AppExportFile;
AppExportFile *app_export_open(AppExport *export, const char *name, GError **error);
gboolean app_export_write(AppExportFile *file, const void *bytes, gsize n, GError **error);
/* Writes TEXT and empties it. */
gboolean app_export_write_text(AppExportFile *file, GString *text, GError **error);
/* Ends FILE whatever comes; only then is it in the manifest. */
gboolean app_export_close(AppExportFile *file, GError **error);
void app_export_abandon(AppExportFile *file); /* FILE may be NULL */

/* For what writes files itself: where NAME is to be written; g_free(). Then app_export_add(). */
char *app_export_path(AppExport *export, const char *name, GError **error);
gboolean app_export_add(AppExport *export, const char *name, GError **error);

/* WHAT ("conversation 7, turn 2": nothing of a patient) was not written, and WHY; the manifest
 * holds the first thousand and the count of all. */
void app_export_leave_out(AppExport *export, const char *what, const char *why);

const AppExportOptions *app_export_options(AppExport *export);
const StoreMask *app_export_mask(AppExport *export);
StoreLog *app_export_log(AppExport *export);
/* The signed note of the log's head, several lines; NULL when the log has none. */
const char *app_export_head(AppExport *export);
/* "2026-11-26T11:04:05Z": when the export began. */
const char *app_export_time(AppExport *export);
/* TRUE: the user wants to end; *error is set. For work that takes long between two calls. */
gboolean app_export_cancelled(AppExport *export, GError **error);

G_END_DECLS
#endif
