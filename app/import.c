/* import.c - an exported set into a log: all of it is checked before the first row is written.
 *
 * Events have the time at which they are imported, and say when they were first written. Where that
 * was is in an event "import" for each conversation, by which a second import knows what is there.
 */
#include "import.h"

#include <string.h>

#include "export-private.h"
#include "private.h"
#include "trust.h"

typedef struct {
  const AppManifest *manifest;
  StoreLog *log;
  char *origin; /* of the log that the set was exported from */
  AppProgress progress;
  gpointer user;
  GHashTable *known;  /* "ORIGIN/ID" of those imported before -> gint64 * of the log */
  GHashTable *placed; /* gint64 * of the set -> gint64 * of the log: conversations */
  gint64 from, to;    /* the conversation under way, there and here */
  gboolean skipping;
  guint64 n_conversations, n_turns, n_skipped;
} Import;

/* ---- first pass: is it sound? ------------------------------------------------------------- */

typedef struct {
  GHashTable *seen; /* conversations that have ended */
  gint64 current;
  gint64 n_conversations, n_turns;
  guint last;
} Survey;

static gboolean
survey_turn(AppImportTurn *turn, guint64 line, gpointer user, GError **error)
{
  Survey *survey = user;

  if (turn->conversation != survey->current) {
    gint64 *id = g_memdup2(&turn->conversation, sizeof turn->conversation);
    if (!g_hash_table_add(survey->seen, id)) {
      g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                  APP_IMPORT_TURNS ": line %" G_GUINT64_FORMAT ": conversation %" G_GINT64_FORMAT
                                   " goes on behind another; nothing was imported",
                  line, turn->conversation);
      return FALSE;
    }
    survey->current = turn->conversation;
    survey->n_conversations++;
    survey->last = 0;
  }
  if (turn->number <= survey->last) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                APP_IMPORT_TURNS ": line %" G_GUINT64_FORMAT
                                 ": turn %u comes behind turn %u; nothing was imported",
                line, turn->number, survey->last);
    return FALSE;
  }
  survey->last = turn->number;
  survey->n_turns++;
  return TRUE;
}

static gboolean
survey(const AppManifest *manifest, GError **error)
{
  Survey found = {.seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL)};
  gboolean done = app_import_each(manifest, survey_turn, &found, error);

  g_hash_table_unref(found.seen);
  if (done &&
      (found.n_conversations != manifest->n_conversations || found.n_turns != manifest->n_turns)) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "%s: %" G_GINT64_FORMAT " conversations and %" G_GINT64_FORMAT
                " turns, expected %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT
                " by the manifest; nothing was imported",
                manifest->folder, found.n_conversations, found.n_turns, manifest->n_conversations,
                manifest->n_turns);
    done = FALSE;
  }
  return done;
}

/* ---- what is there already ---------------------------------------------------------------- */

static gboolean
note_known(const StoreEventRow *event, gpointer user, GError **error)
{
  Import *import = user;

  if (strcmp(event->kind, "import") == 0 && g_strcmp0(event->action, "conversation") == 0) {
    g_autoptr(JsonObject) body = app_json_object_read(event->body, strlen(event->body), NULL);
    JsonNode *node = body ? json_object_get_member(body, "fields") : NULL;
    JsonObject *fields = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    const char *origin = fields ? app_json_get_text(fields, "origin") : NULL;
    const char *id = fields ? app_json_get_text(fields, "origin_conversation") : NULL;
    const char *here = fields ? app_json_get_text(fields, "conversation") : NULL;
    guint64 number = 0;
    if (origin && id && here &&
        g_ascii_string_to_unsigned(here, 10, 1, G_MAXINT64, &number, NULL)) {
      const gint64 place = (gint64)number;
      g_hash_table_insert(import->known, g_strdup_printf("%s/%s", origin, id),
                          g_memdup2(&place, sizeof place));
    }
  }
  return TRUE;
}

/* ---- second pass -------------------------------------------------------------------------- */

/* The event by which the conversation that ends is known to come from elsewhere. */
static gboolean
end_conversation(Import *import, GError **error)
{
  g_autofree char *from = g_strdup_printf("%" G_GINT64_FORMAT, import->from);
  g_autofree char *to = g_strdup_printf("%" G_GINT64_FORMAT, import->to);
  const StoreField fields[] = {{"conversation", to},
                               {"origin", import->origin},
                               {"origin_conversation", from},
                               {"manifest_sha256", import->manifest->sha256}};
  const StoreEvent event = {.kind = "import",
                            .action = "conversation",
                            .fields = fields,
                            .n_fields = G_N_ELEMENTS(fields)};
  const gboolean due = import->to != 0;

  import->to = 0;
  return !due || store_log_add_event(import->log, &event, error) != 0;
}

/* Where the conversation under way is, for those that branch off it. */
static void
place(Import *import, gint64 to)
{
  g_hash_table_insert(import->placed, g_memdup2(&import->from, sizeof import->from),
                      g_memdup2(&to, sizeof to));
}

static gboolean
begin_conversation(Import *import, const AppImportTurn *turn, GError **error)
{
  g_autofree char *key =
      g_strdup_printf("%s/%" G_GINT64_FORMAT, import->origin, turn->conversation);
  const gint64 *parent =
      turn->rewound_from ? g_hash_table_lookup(import->placed, &turn->rewound_from) : NULL;
  const gint64 *there = g_hash_table_lookup(import->known, key);
  gint64 model;

  import->from = turn->conversation;
  import->skipping = there != NULL;
  if (there) {
    place(import, *there);
    import->n_skipped++;
    return TRUE;
  }
  model = store_log_add_model(import->log, &turn->model, error);
  if (model == 0 || !store_log_set_first_written(import->log, turn->started, error)) {
    return FALSE;
  }
  import->to =
      store_log_add_conversation(import->log, model, turn->program_version, parent ? *parent : 0,
                                 parent ? turn->rewound_turn : 0, NULL);
  if (import->to == 0) {
    /* The turn that it branches off was not exported. */
    import->to = store_log_add_conversation(import->log, model, turn->program_version, 0, 0, error);
  }
  if (import->to != 0) {
    place(import, import->to);
    import->n_conversations++;
  }
  return import->to != 0;
}

static gboolean
add_trust(Import *import, const AppImportTurn *turn, gint64 id, GError **error)
{
  for (guint i = 0; i < turn->checks->len; i++) {
    const AppImportCheck *check = turn->checks->pdata[i];
    if (!store_log_set_first_written(import->log, check->time, error) ||
        store_log_add_check(import->log, id, &check->check, error) == 0) {
      return FALSE;
    }
  }
  for (guint i = 0; i < turn->verdicts->len; i++) {
    if (!store_log_set_first_written(import->log, turn->verdict_times->pdata[i], error) ||
        store_log_add_verdict(import->log, id, &g_array_index(turn->verdicts, StoreVerdict, i),
                              error) == 0) {
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
add_turn(Import *import, AppImportTurn *turn, GError **error)
{
  const guint n = turn->images->len;
  g_autofree gint64 *images = g_new0(gint64, n + 1);
  gint64 id;

  if (!store_log_set_first_written(import->log, turn->time, error)) {
    return FALSE;
  }
  for (guint i = 0; i < n; i++) {
    images[i] =
        store_log_add_image(import->log, &g_array_index(turn->images, StoreImage, i), error);
    if (images[i] == 0) {
      return FALSE;
    }
  }
  if (n > 0) {
    turn->turn.image = images[n - 1];
    turn->turn.earlier_images = images;
    turn->turn.n_earlier_images = n - 1;
  }
  id = store_log_add_turn(import->log, import->to, &turn->turn, error);
  import->n_turns++;
  return id != 0 && add_trust(import, turn, id, error) &&
         store_log_set_first_written(import->log, NULL, error);
}

static gboolean
import_turn(AppImportTurn *turn, guint64 line, gpointer user, GError **error)
{
  Import *import = user;

  if (import->progress &&
      !import->progress(line, (guint64)import->manifest->n_turns, import->user)) {
    g_set_error(error, APP_ERROR, APP_ERROR_CANCELLED,
                "cancelled; %" G_GUINT64_FORMAT " conversations were imported",
                import->n_conversations);
    return FALSE;
  }
  if (turn->conversation != import->from &&
      !(end_conversation(import, error) && begin_conversation(import, turn, error))) {
    return FALSE;
  }
  return import->skipping || add_turn(import, turn, error);
}

/* ---- all of it ---------------------------------------------------------------------------- */

/* The first line of the head names the log; without one the set itself stands for it. g_free(). */
static char *
origin_of(const AppManifest *manifest)
{
  const char *end = manifest->head ? strchr(manifest->head, '\n') : NULL;

  return end && end > manifest->head ? g_strndup(manifest->head, (gsize)(end - manifest->head))
                                     : g_strdup_printf("sha256/%s", manifest->sha256);
}

static JsonNode *
report(const Import *import)
{
  JsonObject *object = json_object_new();

  json_object_set_string_member(object, "folder", import->manifest->folder);
  json_object_set_string_member(object, "format", "jsonl");
  json_object_set_int_member(object, "conversations", (gint64)import->n_conversations);
  json_object_set_int_member(object, "turns", (gint64)import->n_turns);
  json_object_set_int_member(object, "skipped", (gint64)import->n_skipped);
  json_object_set_string_member(object, "origin", import->origin);
  return app_json_node(object);
}

static gboolean
run(Import *import, GError **error)
{
  return store_log_each_event(import->log, 1, 0, note_known, import, error) &&
         app_import_each(import->manifest, import_turn, import, error) &&
         end_conversation(import, error);
}

JsonNode *
app_import(const char *log_path, const char *folder, AppProgress progress, gpointer user,
           GError **error)
{
  g_autoptr(AppManifest) manifest = app_manifest_read(folder, error);
  Import import = {.manifest = manifest, .progress = progress, .user = user};
  JsonNode *node = NULL;

  if (!manifest || !survey(manifest, error)) {
    return NULL;
  }
  import.log = app_log_open_at(log_path, FALSE, error);
  if (!import.log) {
    return NULL;
  }
  import.origin = origin_of(manifest);
  import.known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  import.placed = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
  if (run(&import, error)) {
    node = report(&import);
  }
  store_log_close(import.log);
  g_hash_table_unref(import.known);
  g_hash_table_unref(import.placed);
  g_free(import.origin);
  return node;
}
