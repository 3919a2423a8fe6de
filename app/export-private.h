/* export-private.h - what the files that run an export share; formats see export.h alone. */
#ifndef HILUM_APP_EXPORT_RUN_H
#define HILUM_APP_EXPORT_RUN_H

#include "export.h"

G_BEGIN_DECLS

typedef struct {
  char *name, *sha256;
  guint64 bytes;
} AppExported;

struct _AppExport {
  const AppExportOptions *options;
  const AppExportFormat *format;
  StoreLog *log;
  StoreMask mask;
  guint8 key[32]; /* of pseudonyms */
  char *aside;    /* the folder while it is written; NULL: none is left */
  char *time, *head;
  char since[32], until[32]; /* "" : no bound; UNTIL is the first that is too late */
  GPtrArray *files;          /* of AppExported */
  JsonArray *left_out;       /* of {what, why}, the first thousand */
  guint64 n_left_out, n_conversations, n_turns, n_events;
  AppProgress progress;
  gpointer user;
};

/* ---- export-folder.c ---- */
gboolean app_export_begin_folder(AppExport *export, GError **error);
/* Writes the manifest and syncs all; what is left to do is the renaming. *SHA256: of the manifest;
 * g_free(). */
gboolean app_export_seal_folder(AppExport *export, char **sha256, GError **error);
gboolean app_export_publish_folder(AppExport *export, GError **error);
void app_export_drop_folder(AppExport *export);
void app_export_remove_tree(const char *path);
JsonArray *app_export_files_array(AppExport *export);

/* ---- export-walk.c: all that was chosen goes to the format ---- */
gboolean app_export_walk(AppExport *export, gpointer self, GError **error);
/* Whether TURN, as it is, was chosen by date and study. */
gboolean app_export_is_chosen(AppExport *export, const StoreExportTurn *turn);
gboolean app_export_is_in_time(AppExport *export, const char *time);

/* ---- export-event.c ---- */
/* Turns of the conversation that was read last. */
typedef struct {
  gint64 id;
  StoreConversation *conversation;
  GPtrArray *rows; /* of StoreTurnRow */
} AppExportCache;
void app_export_cache_clear(AppExportCache *cache);
/* Events FIRST to the last as a format gets them: masked. CHOICE NULL: all. */
typedef gboolean (*AppAuditFunc)(const StoreAudit *audit, gpointer user, GError **error);
gboolean app_export_each_audit(StoreLog *log, const StoreMask *mask, AppExport *choice,
                               gint64 first, AppAuditFunc func, gpointer user, GError **error);

/* ---- export-time.c ---- */
/* "2026-11-26", or the beginning of an ISO 8601 time, as the earliest moment that it may mean, or
 * with END as the first moment after it: "2026-11-27T00:00:00.000Z". */
gboolean app_export_moment(const char *option, const char *text, gboolean end, char moment[32],
                           GError **error);

/* ---- export.c ---- */
gboolean app_export_key(guint8 key[32], GError **error);
char *app_export_pseudonym(const char *value, gpointer key);

/* ---- consent.c ---- */
gboolean app_consent_is_given(StoreLog *log, gboolean *given, GError **error);

G_END_DECLS
#endif
