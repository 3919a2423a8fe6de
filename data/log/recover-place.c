/* recover-place.c - see recover-place.h. */
#include "recover-place.h"

#include "keys.h"
#include "write.h"
#include <sodium.h>
#include <string.h>

#define DOING "recovering a row"
/* No conversation is longer than the log: this keeps a changed number from asking for more. */
#define MOST_FILLED 1000000

static const StoreSql has[STORE_N_KINDS] = {
    STORE_SQL_HAS_MODEL, STORE_SQL_HAS_IMAGE, STORE_SQL_HAS_CONVERSATION,
    STORE_SQL_HAS_TURN,  STORE_N_SQL,         STORE_N_SQL};
static const char *const tables[STORE_N_KINDS] = {"model", "image",   "conversation",
                                                  "turn",  "verdict", "answer_check"};

gboolean
store_is_time(const char *time)
{
  static const char shape[] = "____-__-__T__:__:__.___Z";

  for (guint i = 0; i < sizeof shape; i++) {
    if (shape[i] != '_' ? time[i] != shape[i] : !g_ascii_isdigit(time[i])) {
      return FALSE;
    }
  }
  return TRUE;
}

/* ---- life ------------------------------------------------------------------------------------ */

static gboolean
prepare(StorePlacer *placer, const char *sql, sqlite3_stmt **statement, GError **error)
{
  int rc = sqlite3_prepare_v2(placer->log->db, sql, -1, statement, NULL);

  return rc == SQLITE_OK || store_fail_sqlite(error, placer->log->db, placer->log->name, DOING, rc);
}

gboolean
store_placer_init(StorePlacer *placer, const StoreFound *found, GError **error)
{
  for (guint i = 0; i < STORE_N_KINDS; i++) {
    placer->next[i] = found->ids[i] + 1;
  }
  placer->most_number = MIN(found->last, MOST_FILLED);
  return prepare(placer, "SELECT 1 FROM turn WHERE conversation = ?1 AND number = ?2",
                 &placer->has_turn, error) &&
         prepare(placer,
                 "SELECT t.conversation, max(t.number), (SELECT e.time FROM event AS e"
                 " JOIN conversation AS c ON c.event = e.seq WHERE c.id = t.conversation)"
                 " FROM turn AS t WHERE t.conversation > ?1 GROUP BY t.conversation"
                 " HAVING count(*) <> max(t.number) ORDER BY t.conversation LIMIT 1",
                 &placer->gaps, error);
}

void
store_placer_clear(StorePlacer *placer)
{
  sqlite3_finalize(placer->has_turn);
  sqlite3_finalize(placer->gaps);
  placer->has_turn = placer->gaps = NULL;
}

/* ---- what is there --------------------------------------------------------------------------- */

static gboolean
row_is_there(StorePlacer *placer, StoreKind kind, gint64 id, gboolean *there, GError **error)
{
  gint64 found[2] = {0, 0};

  if (has[kind] < STORE_N_SQL) {
    if (!store_look_up(placer->log, has[kind], DOING, id, found, error)) {
      return FALSE;
    }
  } else {
    g_autofree char *sql = g_strdup_printf("SELECT 1 FROM %s WHERE id = ?1", tables[kind]);
    g_autoptr(StoreOwnedStatement) statement = NULL;
    if (!prepare(placer, sql, &statement, error)) {
      return FALSE;
    }
    sqlite3_bind_int64(statement, 1, id);
    found[0] = sqlite3_step(statement) == SQLITE_ROW;
  }
  *there = found[0] != 0;
  return TRUE;
}

static gboolean
has_turn(StorePlacer *placer, gint64 conversation, gint64 number)
{
  gboolean there;

  sqlite3_reset(placer->has_turn);
  sqlite3_bind_int64(placer->has_turn, 1, conversation);
  sqlite3_bind_int64(placer->has_turn, 2, number);
  there = sqlite3_step(placer->has_turn) == SQLITE_ROW;
  sqlite3_reset(placer->has_turn);
  return there;
}

/* ---- what stands for what is lost ------------------------------------------------------------ */

/* Ends BODY as that of a row that is lost and adds it: its event. SUBJECT 0: nothing is sealed. */
static gint64
add_lost(StorePlacer *placer, StoreKind kind, gint64 id, const char *time, gint64 subject,
         const char *members, const char *sealed, GError **error)
{
  g_auto(StoreDraft) draft = {.name = placer->log->name, .what = "events", .error = error};

  draft.json[STORE_CLEAR] = g_string_new("{");
  g_string_append_printf(draft.json[STORE_CLEAR],
                         "%s\"id\": %" G_GINT64_FORMAT ", \"recovered_lost\": true" STORE_MARK_END,
                         members, id);
  draft.json[STORE_SEALED] = g_string_new(sealed);
  draft.numbers = g_byte_array_new();
  placer->placeholders++;
  placer->next[kind] = MAX(placer->next[kind], id + 1);
  return store_row_add(placer->log, kind == STORE_KIND_CHECK ? "check" : tables[kind], time,
                       subject, &draft, DOING, error);
}

/* The subject that stands for a conversation. */
static gboolean
find_subject(StorePlacer *placer, gint64 conversation, gint64 *subject, GError **error)
{
  g_autoptr(GByteArray) identity = g_byte_array_new();
  gint64 next = 0;

  store_put_identity(identity, NULL, conversation);
  return store_row_next(placer->log, DOING, &next, error) &&
         store_keys_find_subject(placer->log->keys, identity->data, identity->len, TRUE, next,
                                 subject, error);
}

/* A model or an image, which an equal one is not found again by. */
static gboolean
add_lost_found(StorePlacer *placer, StoreKind kind, gint64 id, const char *time, GError **error)
{
  StoreNeed need = {.time = time, .values = {id}, .n = 2};
  g_autofree char *members = NULL;
  char hex[65];
  gint64 subject = 0, event;

  randombytes_buf(need.lookup, sizeof need.lookup);
  sodium_bin2hex(hex, sizeof hex, need.lookup, sizeof need.lookup);
  members = g_strdup_printf("\"lookup\": \"%s\", ", hex);
  if (kind == STORE_KIND_IMAGE && !find_subject(placer, 0, &subject, error)) {
    return FALSE;
  }
  event = add_lost(placer, kind, id, time, subject, members, "{}", error);
  return event && store_place_set(placer, kind, event, &need, error);
}

static gboolean
add_lost_conversation(StorePlacer *placer, gint64 id, const char *time, GError **error)
{
  StoreNeed need = {.values = {id, 0, 0, 0}, .n = 4};
  g_autofree char *members = NULL;
  gint64 event;

  if (!placer->model) {
    const gint64 model = placer->next[STORE_KIND_MODEL];
    if (!add_lost_found(placer, STORE_KIND_MODEL, model, time, error)) {
      return FALSE;
    }
    placer->model = model;
  }
  need.values[2] = placer->model;
  members = g_strdup_printf("\"model\": %" G_GINT64_FORMAT ", ", placer->model);
  event = add_lost(placer, STORE_KIND_CONVERSATION, id, time, 0, members, "{}", error);
  return event && store_place_set(placer, STORE_KIND_CONVERSATION, event, &need, error);
}

static gboolean
add_lost_turn(StorePlacer *placer, gint64 id, gint64 conversation, gint64 number, const char *time,
              GError **error)
{
  StoreNeed need = {.values = {id, 0, conversation, number, 0}, .n = 5};
  g_autofree char *members =
      g_strdup_printf("\"conversation\": %" G_GINT64_FORMAT ", \"number\": %" G_GINT64_FORMAT ", ",
                      conversation, number);
  gint64 subject = 0, event;

  if (!find_subject(placer, conversation, &subject, error)) {
    return FALSE;
  }
  event = add_lost(placer, STORE_KIND_TURN, id, time, subject, members, STORE_NO_TURN, error);
  return event && store_place_set(placer, STORE_KIND_TURN, event, &need, error);
}

/* A turn of which nothing is left but what was made of it: nobody knows where it belongs. */
static gboolean
add_orphan(StorePlacer *placer, gint64 id, const char *time, GError **error)
{
  if (!placer->conversation) {
    const gint64 conversation = placer->next[STORE_KIND_CONVERSATION];
    if (!add_lost_conversation(placer, conversation, time, error)) {
      return FALSE;
    }
    placer->conversation = conversation;
  }
  return add_lost_turn(placer, id, placer->conversation, ++placer->orphans, time, error);
}

/* ID, which a row refers to, is there, or stands there from now on as lost. *fits FALSE: it comes
 * later, which no honest log says. */
static gboolean
require(StorePlacer *placer, StoreKind kind, gint64 id, const char *time, gboolean *fits,
        GError **error)
{
  gboolean there = FALSE;

  if (!row_is_there(placer, kind, id, &there, error) || there) {
    return there;
  }
  if (id < 1 || id >= G_MAXINT64 / 2 || store_scan_has_id(placer->scan, kind, id)) {
    *fits = FALSE;
    return TRUE;
  }
  switch (kind) {
  case STORE_KIND_MODEL:
  case STORE_KIND_IMAGE:
    return add_lost_found(placer, kind, id, time, error);
  case STORE_KIND_CONVERSATION:
    return add_lost_conversation(placer, id, time, error);
  case STORE_KIND_TURN:
    return add_orphan(placer, id, time, error);
  case STORE_KIND_VERDICT:
  case STORE_KIND_CHECK:
  case STORE_N_KINDS:
  default:
    return TRUE;
  }
}

/* ---- rows ------------------------------------------------------------------------------------ */

static gint64
number_of(StoreBody *body, const char *field, gint64 most)
{
  return store_body_int(body, STORE_CLEAR, field, 1, most);
}

static gboolean
look_at_conversation(StorePlacer *placer, StoreBody *body, StoreNeed *need, gboolean *fits,
                     GError **error)
{
  need->values[2] = number_of(body, "model", G_MAXINT64);
  need->values[3] = number_of(body, "rewound_from", G_MAXINT64);
  need->n = 4;
  *fits = need->values[2] > 0 && need->values[3] < need->values[0];
  return !*fits ||
         (require(placer, STORE_KIND_MODEL, need->values[2], need->time, fits, error) &&
          (!*fits || !need->values[3] ||
           require(placer, STORE_KIND_CONVERSATION, need->values[3], need->time, fits, error)));
}

static gboolean
look_at_turn(StorePlacer *placer, gboolean changed, StoreBody *body, StoreNeed *need,
             gboolean *fits, GError **error)
{
  gsize n = 0;
  g_autofree gint64 *earlier = store_body_rows(body, STORE_CLEAR, "earlier_images", &n);
  gboolean good;

  need->values[2] = number_of(body, "conversation", G_MAXINT64);
  need->values[3] = number_of(body, "number", G_MAXUINT32);
  need->values[4] = number_of(body, "image", G_MAXINT64);
  need->n = 5;
  *fits = need->values[2] > 0 && need->values[3] > 0 && need->values[3] <= placer->most_number &&
          !has_turn(placer, need->values[2], need->values[3]) &&
          (!changed || !store_scan_has_turn(placer->scan, need->values[2], need->values[3]));
  good =
      !*fits || require(placer, STORE_KIND_CONVERSATION, need->values[2], need->time, fits, error);
  if (good && *fits && need->values[4]) {
    good = require(placer, STORE_KIND_IMAGE, need->values[4], need->time, fits, error);
  }
  for (gsize i = 0; good && *fits && i < n; i++) {
    good = require(placer, STORE_KIND_IMAGE, earlier[i], need->time, fits, error);
  }
  return good;
}

gboolean
store_place_look(StorePlacer *placer, StoreKind kind, gboolean changed, StoreBody *body,
                 StoreNeed *need, gboolean *fits, GError **error)
{
  gboolean there = FALSE;
  const char *hex;
  gsize n = 0;

  *fits = TRUE;
  if (kind == STORE_N_KINDS) {
    return TRUE;
  }
  need->values[0] = number_of(body, "id", G_MAXINT64 / 2);
  if (!need->values[0] || (changed && store_scan_has_id(placer->scan, kind, need->values[0]))) {
    *fits = FALSE;
    return TRUE;
  }
  if (!row_is_there(placer, kind, need->values[0], &there, error)) {
    return FALSE;
  }
  *fits = !there;
  if (there) {
    return TRUE;
  }
  switch (kind) {
  case STORE_KIND_MODEL:
  case STORE_KIND_IMAGE:
    hex = store_body_text(body, STORE_CLEAR, "lookup", STORE_NULLABLE);
    need->n = 2;
    *fits = hex && strlen(hex) == 64 && strspn(hex, "0123456789abcdef") == 64 &&
            sodium_hex2bin(need->lookup, sizeof need->lookup, hex, 64, NULL, &n, NULL) == 0;
    break;
  case STORE_KIND_CONVERSATION:
    if (!look_at_conversation(placer, body, need, fits, error)) {
      return FALSE;
    }
    break;
  case STORE_KIND_TURN:
    if (!look_at_turn(placer, changed, body, need, fits, error)) {
      return FALSE;
    }
    break;
  case STORE_KIND_VERDICT:
  case STORE_KIND_CHECK:
  case STORE_N_KINDS:
  default:
    need->values[2] = number_of(body, "turn", G_MAXINT64);
    need->n = 3;
    *fits = need->values[2] > 0;
    if (*fits && !require(placer, STORE_KIND_TURN, need->values[2], need->time, fits, error)) {
      return FALSE;
    }
  }
  *fits = *fits && !body->failed;
  return TRUE;
}

gboolean
store_place_set(StorePlacer *placer, StoreKind kind, gint64 event, StoreNeed *need, GError **error)
{
  static const StoreSql add[STORE_N_KINDS] = {STORE_SQL_ADD_MODEL,        STORE_SQL_ADD_IMAGE,
                                              STORE_SQL_ADD_CONVERSATION, STORE_SQL_ADD_TURN,
                                              STORE_SQL_ADD_VERDICT,      STORE_SQL_ADD_CHECK};
  gboolean row = FALSE;

  if (kind == STORE_N_KINDS) {
    return TRUE;
  }
  placer->next[kind] = MAX(placer->next[kind], need->values[0] + 1);
  need->values[1] = event;
  if (need->n > 2) {
    return store_derive_row(placer->log, add[kind], DOING, need->values, need->n, error);
  }
  {
    g_autoptr(StoreStatement) statement = store_statement(placer->log, add[kind], DOING, error);
    StoreBinder binder = {placer->log, statement, "lookup", 0, FALSE, error};
    if (!statement) {
      return FALSE;
    }
    store_bind_int(&binder, need->values[0]);
    store_bind_int(&binder, event);
    store_bind_blob(&binder, need->lookup, sizeof need->lookup);
    return !binder.failed && store_step(placer->log, statement, DOING, &row, error);
  }
}

/* ---- gaps ------------------------------------------------------------------------------------ */

static gboolean
fill_one(StorePlacer *placer, gint64 conversation, gint64 last, const char *time, GError **error)
{
  for (gint64 number = 1; number < last; number++) {
    if (!has_turn(placer, conversation, number) &&
        !add_lost_turn(placer, placer->next[STORE_KIND_TURN], conversation, number, time, error)) {
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
store_place_fill(StorePlacer *placer, GError **error)
{
  gint64 after = 0;

  for (;;) {
    g_autofree char *time = NULL;
    gint64 last;
    int rc;

    sqlite3_reset(placer->gaps);
    sqlite3_bind_int64(placer->gaps, 1, after);
    rc = sqlite3_step(placer->gaps);
    if (rc != SQLITE_ROW) {
      sqlite3_reset(placer->gaps);
      return rc == SQLITE_DONE ||
             store_fail_sqlite(error, placer->log->db, placer->log->name, DOING, rc);
    }
    after = sqlite3_column_int64(placer->gaps, 0);
    last = sqlite3_column_int64(placer->gaps, 1);
    time = g_strdup((const char *)sqlite3_column_text(placer->gaps, 2));
    sqlite3_reset(placer->gaps);
    if (!fill_one(placer, after, last, time ? time : STORE_NO_TIME, error)) {
      return FALSE;
    }
  }
}
