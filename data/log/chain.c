/* chain.c - see chain.h: which logs go on from which.
 *
 * 1. What a log says of the one before it is believed as far as its own chain is proved, and no
 *    further: names are those of files beside it, never paths.
 * 2. A file that is not there, or is another, is something that is found and no error.
 */
#include "chain.h"

#include "head.h"
#include "note.h"
#include "row.h"
#include <sodium.h>
#include <string.h>

#define DOING "following the links of the log"
/* More logs than these are not followed: no place makes one a day for as long. */
#define MOST_LINKS 10000u

void
store_link_free(StoreLink *link)
{
  if (link) {
    g_free(link->file);
    g_free(link->path);
    g_free(link->log_id);
    g_free(link->root);
    g_free(link->public_key);
    g_free(link->checkpoint);
    g_free(link->begun);
    g_free(link->sealed_at);
    g_free(link->found);
    store_report_free(link->report);
    g_free(link);
  }
}

/* ---- what is sealed -------------------------------------------------------------------------- */

gboolean
store_chain_is_sealed(sqlite3 *db)
{
  g_autoptr(StoreOwnedStatement) statement = NULL;

  return sqlite3_prepare_v2(db, "SELECT kind FROM event ORDER BY seq DESC LIMIT 1", -1, &statement,
                            NULL) == SQLITE_OK &&
         sqlite3_step(statement) == SQLITE_ROW &&
         g_strcmp0((const char *)sqlite3_column_text(statement, 0), "sealed") == 0;
}

const char *
store_chain_field(StoreBody *body, const char *name)
{
  JsonObject *object = body->json[STORE_CLEAR];
  JsonNode *fields = object ? json_object_get_member(object, "fields") : NULL;

  return fields && JSON_NODE_HOLDS_OBJECT(fields)
             ? json_object_get_string_member_with_default(json_node_get_object(fields), name, NULL)
             : NULL;
}

gboolean
store_chain_is_name(const char *name)
{
  return name && *name && *name != '.' && strlen(name) < 256 && !strchr(name, '/') &&
         g_utf8_validate(name, -1, NULL);
}

gboolean
store_chain_open(StoreLog *log, GError **error)
{
  g_auto(StoreBody) body = {0};
  guint64 size = 0;

  if (!store_tree_size(log, &size, error) ||
      !store_row_open(log, (gint64)size, "sealed", &body, &log->sealed_at, NULL, error)) {
    return FALSE;
  }
  log->goes_on = g_strdup(store_chain_field(&body, "goes_on_in"));
  log->sealed_as = g_strdup(store_chain_field(&body, "file"));
  if (!store_chain_is_name(log->goes_on) || !store_chain_is_name(log->sealed_as)) {
    store_body_corrupt(&body, "goes_on_in, file", "found no names, expected those of two files");
    return FALSE;
  }
  return TRUE;
}

gboolean
store_chain_refuse(StoreLog *log, const char *doing, GError **error)
{
  return store_fail(error, STORE_ERROR_SEALED, log->name,
                    "%s: the log was sealed on %.10s, and nothing is written to it any more: it "
                    "goes on in %s beside it",
                    doing, log->sealed_at, log->goes_on);
}

static char *
beside(StoreLog *log, const char *name)
{
  g_autofree char *folder = g_path_get_dirname(log->path);

  return g_build_filename(folder, name, NULL);
}

char *
store_log_goes_on(StoreLog *log)
{
  return log->goes_on ? beside(log, log->goes_on) : NULL;
}

gboolean
store_chain_last_checkpoint(StoreLog *log, char **note, GError **error)
{
  g_autofree char *path = g_strconcat(log->path, ".head", NULL);
  g_auto(StoreVerifier) key = {0};
  g_autoptr(GPtrArray) heads = NULL;
  gboolean cut = FALSE;

  if (!store_head_verifier(log->path, &key, error)) {
    return FALSE;
  }
  heads = store_head_read(path, &key, &cut, error);
  if (!heads || heads->len == 0) {
    return heads ? store_fail(error, STORE_ERROR_CORRUPT, log->name, "LOG.head has no checkpoint")
                 : FALSE;
  }
  if (note) {
    *note = g_strdup(((StoreHead *)heads->pdata[heads->len - 1])->note);
  }
  return TRUE;
}

/* ---- what it goes on from -------------------------------------------------------------------- */

static gboolean
read_link(StoreBody *body, StoreLink *link)
{
  const char *events = store_chain_field(body, "events"),
             *number = store_chain_field(body, "number");
  guint64 n_events = 0, n = 0;

  link->file = g_strdup(store_chain_field(body, "file"));
  link->log_id = g_strdup(store_chain_field(body, "log_id"));
  link->root = g_strdup(store_chain_field(body, "root"));
  link->public_key = g_strdup(store_chain_field(body, "public_key"));
  link->checkpoint = g_strdup(store_chain_field(body, "checkpoint"));
  link->sealed_at = g_strdup(store_chain_field(body, "sealed_at"));
  if (!store_chain_is_name(link->file) || !link->log_id || strlen(link->log_id) != 32 ||
      !link->root || strlen(link->root) != 64 || !link->public_key || !link->checkpoint ||
      !link->sealed_at || !events ||
      !g_ascii_string_to_unsigned(events, 10, 1, G_MAXINT64, &n_events, NULL) || !number ||
      !g_ascii_string_to_unsigned(number, 10, 1, MOST_LINKS, &n, NULL)) {
    store_body_corrupt(body, "fields", "found other ones, expected those of the log before it");
    return FALSE;
  }
  link->events = (gint64)n_events;
  link->number = (guint)n;
  return TRUE;
}

/* A log that was recovered has a first event of its own before those of the damaged one. */
gboolean
store_chain_continued(StoreLog *log, gint64 *number, GError **error)
{
  g_autoptr(StoreOwnedStatement) statement = NULL;
  int rc = sqlite3_prepare_v2(
      log->db, "SELECT seq FROM event WHERE seq <= ?1 AND kind = 'continued' LIMIT 1", -1,
      &statement, NULL);

  if (rc == SQLITE_OK) {
    sqlite3_bind_int64(statement, 1, STORE_CONTINUED_LAST);
    rc = sqlite3_step(statement);
  }
  *number = rc == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
  return rc == SQLITE_ROW || rc == SQLITE_DONE ||
         store_fail_sqlite(error, log->db, log->name, DOING, rc);
}

StoreLink *
store_chain_previous(StoreLog *log, GError **error)
{
  g_autoptr(StoreLink) link = g_new0(StoreLink, 1);
  g_auto(StoreBody) body = {0};
  gint64 number = 0;

  if (!store_chain_continued(log, &number, error) || !number) {
    return NULL;
  }
  if (!store_row_open(log, number, "continued", &body, NULL, NULL, error) ||
      !read_link(&body, link)) {
    return NULL;
  }
  link->path = beside(log, link->file);
  return g_steal_pointer(&link);
}

/* ---- the files ------------------------------------------------------------------------------- */

static void G_GNUC_PRINTF(3, 4) tell(StoreLink *link, StoreLinkState state, const char *format, ...)
{
  va_list args;

  va_start(args, format);
  g_free(link->found);
  link->found = g_strdup_vprintf(format, args);
  va_end(args);
  link->state = state;
}

static void
describe(StoreLink *link, StoreLog *log)
{
  static const char *const suffixes[] = {"", ".keys", ".head", ".pub"};
  g_auto(StoreBody) body = {0};
  guint64 size = 0;

  g_clear_pointer(&link->begun, g_free);
  store_row_open(log, 1, "log", &body, &link->begun, NULL, NULL);
  link->bytes = 0;
  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
    link->bytes += store_file_size(link->path, suffixes[i]);
  }
  if (!store_tree_size(log, &size, NULL)) {
    size = 0;
  }
  if (strcmp(log->log_id, link->log_id) != 0) {
    tell(link, STORE_LINK_OTHER, "%s is another log than the one that this log goes on from",
         link->file);
  } else if ((gint64)size < link->events) {
    tell(link, STORE_LINK_OTHER,
         "%s has %" G_GUINT64_FORMAT " events, and had %" G_GINT64_FORMAT
         " when it was sealed: it is an older copy, or its end is missing",
         link->file, size, link->events);
  } else if ((gint64)size > link->events) {
    tell(link, STORE_LINK_OTHER,
         "%s has %" G_GUINT64_FORMAT " events, and had %" G_GINT64_FORMAT
         " when it was sealed: some were put in",
         link->file, size, link->events);
  } else if (!log->goes_on) {
    tell(link, STORE_LINK_OTHER, "%s is not sealed", link->file);
  }
}

StoreLog *
store_chain_open_link(StoreLink *link)
{
  const StoreOpen how = {.locked = TRUE};
  g_autoptr(GError) local = NULL;
  StoreLog *log = store_log_open_with(link->path, &how, &local);

  g_clear_pointer(&link->found, g_free);
  link->state = STORE_LINK_THERE;
  if (log) {
    describe(link, log);
  } else if (g_error_matches(local, STORE_ERROR, STORE_ERROR_NOT_FOUND)) {
    tell(link, STORE_LINK_MISSING, "%s is missing", link->file);
  } else {
    tell(link, STORE_LINK_UNREADABLE, "%s", local->message);
  }
  return log;
}

/* ---- all of them ----------------------------------------------------------------------------- */

gboolean
store_chain_was_retired(StoreLog *log, const char *log_id, gboolean *retired, GError **error)
{
  g_autoptr(StoreOwnedStatement) statement = NULL;
  int rc = sqlite3_prepare_v2(log->db,
                              "SELECT seq FROM event WHERE kind = 'erased'"
                              " AND json_extract(body, '$.action') = 'log' ORDER BY seq DESC",
                              -1, &statement, NULL);

  while (rc == SQLITE_OK && !*retired && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
    g_auto(StoreBody) body = {0};
    rc = SQLITE_OK;
    if (!store_row_open(log, sqlite3_column_int64(statement, 0), "erased", &body, NULL, NULL,
                        error)) {
      return FALSE;
    }
    *retired = g_strcmp0(store_chain_field(&body, "log_id"), log_id) == 0;
  }
  return rc == SQLITE_OK || rc == SQLITE_DONE ||
         store_fail_sqlite(error, log->db, log->name, DOING, rc);
}

/* NEWER: the logs that go on from it, opened, of StoreLog. */
static gboolean
look_for_retirement(GPtrArray *newer, StoreLink *link, GError **error)
{
  gboolean retired = FALSE;

  for (guint i = 0; i < newer->len && !retired; i++) {
    if (!store_chain_was_retired(newer->pdata[i], link->log_id, &retired, error)) {
      return FALSE;
    }
  }
  if (retired) {
    g_clear_pointer(&link->found, g_free);
    link->state = STORE_LINK_RETIRED;
  }
  return TRUE;
}

static void
close_opened(gpointer log)
{
  store_log_close(log);
}

GPtrArray *
store_log_links(StoreLog *log, GError **error)
{
  g_autoptr(GPtrArray) links = g_ptr_array_new_with_free_func((GDestroyNotify)store_link_free);
  g_autoptr(GPtrArray) opened = g_ptr_array_new_with_free_func(close_opened);
  g_autoptr(GPtrArray) newer = g_ptr_array_new();
  StoreLog *at = log;

  g_return_val_if_fail(log, NULL);
  while (at && links->len < MOST_LINKS) {
    g_autoptr(GError) local = NULL;
    StoreLink *link;

    g_ptr_array_add(newer, at);
    link = store_chain_previous(at, &local);
    if (!link) {
      if (local) {
        g_propagate_error(error, g_steal_pointer(&local));
        return NULL;
      }
      break;
    }
    g_ptr_array_add(links, link);
    at = store_chain_open_link(link);
    if (at) {
      g_ptr_array_add(opened, at);
    }
    if (link->state == STORE_LINK_MISSING && !look_for_retirement(newer, link, error)) {
      return NULL;
    }
    if (link->state == STORE_LINK_OTHER && strcmp(at->log_id, link->log_id) != 0) {
      at = NULL; /* what another log goes on from is nothing to this one */
    }
  }
  return g_steal_pointer(&links);
}

/* ---- verification ---------------------------------------------------------------------------- */

/* Whether the checkpoint that was signed last is signed by the key, and over these events. */
static gboolean
fits_checkpoint(const StoreLink *link)
{
  g_autofree char *name = store_head_name(link->log_id);
  g_auto(StoreVerifier) key = {0};
  g_autofree char *text = NULL;
  StoreCheckpoint checkpoint = {0};
  char root[65];

  if (!store_verifier_parse(&key, link->public_key, NULL) || strcmp(key.name, name) != 0 ||
      !store_note_open(&key, link->checkpoint, &text, NULL) ||
      !store_checkpoint_parse(&checkpoint, text, name, NULL)) {
    return FALSE;
  }
  sodium_bin2hex(root, sizeof root, checkpoint.root.bytes, sizeof checkpoint.root.bytes);
  return checkpoint.size == (guint64)link->events && strcmp(root, link->root) == 0;
}

static gboolean
same_key(const StoreLink *link)
{
  g_autofree char *path = g_strconcat(link->path, ".pub", NULL), *text = NULL;
  gsize n = 0;

  return g_file_get_contents(path, &text, &n, NULL) && n < 4096 &&
         strcmp(g_strchomp(text), link->public_key) == 0;
}

static gboolean
verify_link(StoreLog *log, StoreLink *link, const StoreHands *hands, StoreProgress progress,
            gpointer user, GError **error)
{
  if (!fits_checkpoint(link)) {
    tell(link, STORE_LINK_OTHER,
         "what this log says of %s is not what that one signed when it was sealed", link->file);
    return TRUE;
  }
  if (!same_key(link)) {
    tell(link, STORE_LINK_OTHER,
         "%s.pub is missing or holds another key than the one it was "
         "sealed with",
         link->file);
    return TRUE;
  }
  link->report = store_log_verify_with(log, NULL, hands, progress, user, error);
  if (!link->report) {
    return FALSE;
  }
  if (!link->report->whole) {
    tell(link, link->state, "%s: %s", link->file, link->report->found);
  } else if (strcmp(link->report->root, link->root) != 0) {
    tell(link, STORE_LINK_OTHER, "%s is not as it was when it was sealed: the root is another",
         link->file);
  }
  return TRUE;
}

gboolean
store_log_verify_links(GPtrArray *links, const StoreHands *hands, StoreProgress progress,
                       gpointer user, GError **error)
{
  for (guint i = 0; i < links->len; i++) {
    StoreLink *link = links->pdata[i];
    g_autoptr(StoreLog) log = NULL;

    if (link->state != STORE_LINK_THERE) {
      continue; /* what is found is said already */
    }
    log = store_chain_open_link(link);
    if (log && link->state == STORE_LINK_THERE &&
        !verify_link(log, link, hands, progress, user, error)) {
      return FALSE;
    }
  }
  return TRUE;
}
