/* import.h - what the files share that take an exported set in. Not for other rooms. */
#ifndef HILUM_APP_IMPORT_H
#define HILUM_APP_IMPORT_H

#include "app_export.h"
#include "store.h"

G_BEGIN_DECLS

/* manifest.json of an export, checked. */
typedef struct {
  char *folder, *head, *time, *program_version, *sha256; /* SHA256: of the manifest */
  gint64 n_conversations, n_turns;
} AppManifest;
/* Of an export of JSON Lines with texts, whose files are those that it says, and no others. The
 * message names file, what was found and expected. */
AppManifest *app_manifest_read(const char *folder, GError **error);
void app_manifest_free(AppManifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppManifest, app_manifest_free)
#define APP_IMPORT_TURNS "turns.jsonl"

/* A line of turns.jsonl as the log takes it. */
typedef struct {
  gint64 conversation, rewound_from;
  guint rewound_turn, number;
  const char *started, *program_version, *time;
  StoreModel model;
  StoreTurn turn; /* its images are in IMAGES */
  GArray *images; /* of StoreImage */
  GArray *prompt_ids, *answer_ids, *pieces;
  GArray *verdicts;         /* of StoreVerdict */
  GPtrArray *verdict_times; /* of each, borrowed */
  GPtrArray *checks;
  JsonObject *json; /* owns the texts */
} AppImportTurn;
typedef struct {
  StoreCheck check;
  const char *time;
  GArray *answers; /* of StoreCheckAnswer */
} AppImportCheck;
/* LINE: N bytes without the line break. The message names the member, and quotes nothing. */
AppImportTurn *app_import_turn_read(const char *line, gsize n, GError **error);
void app_import_turn_free(AppImportTurn *turn);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppImportTurn, app_import_turn_free)

/* Line after line of the set's file. */
typedef gboolean (*AppImportFunc)(AppImportTurn *turn, guint64 line, gpointer user, GError **error);
gboolean app_import_each(const AppManifest *manifest, AppImportFunc func, gpointer user,
                         GError **error);

G_END_DECLS
#endif
