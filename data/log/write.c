/* write.c - adding rows.
 *
 * 1. Every public function is one transaction that takes the write lock first (BEGIN IMMEDIATE), so
 *    what it looked up still holds when it writes, whoever else writes.
 * 2. After a failure the transaction is rolled back, and the log can be used on.
 * 3. Equal models and images are found again by what an event would say of them (their lookup),
 *    which is all but their id and who opened them.
 */
#include "write.h"

#include "chain.h"
#include "joint.h"
#include "keys.h"
#include "row.h"
#include <sodium.h>
#include <string.h>

/* ---- transactions --------------------------------------------------------------------------- */

/* By another program, since this one opened the log. */
static gboolean
was_sealed(StoreLog *log, const char *doing, gboolean *sealed, GError **error)
{
  g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_LAST_EVENT, doing, error);
  gboolean row = FALSE;

  if (!statement || !store_step(log, statement, doing, &row, error)) {
    return FALSE;
  }
  *sealed = row && g_strcmp0((const char *)sqlite3_column_text(statement, 2), "sealed") == 0;
  return TRUE;
}

gboolean
store_begin(StoreLog *log, const char *doing, GError **error)
{
  gboolean sealed = FALSE;

  if (log->goes_on) {
    return store_chain_refuse(log, doing, error);
  }
  if (log->read_only) {
    return store_fail(error, STORE_ERROR_IO, log->name, "%s: the log was opened for reading only",
                      doing);
  }
  if (!store_run(log, STORE_SQL_BEGIN, doing, error)) {
    return FALSE;
  }
  if (was_sealed(log, doing, &sealed, error) && !sealed) {
    return TRUE;
  }
  store_run(log, STORE_SQL_ROLLBACK, doing, NULL);
  return sealed && store_fail(error, STORE_ERROR_SEALED, log->name,
                              "%s: the log was sealed meanwhile: open it again", doing);
}

gint64
store_finish(StoreLog *log, const char *doing, gint64 id, GError **error)
{
  if (id && store_run(log, STORE_SQL_COMMIT, doing, error)) {
    store_head_note(log);
    return id;
  }
  /* SQLite rolls back by itself after some failures; only a transaction that is left is ended. */
  if (!sqlite3_get_autocommit(log->db)) {
    store_run(log, STORE_SQL_ROLLBACK, doing, NULL);
  }
  return 0;
}

/* ---- rows ----------------------------------------------------------------------------------- */

gboolean
store_look_up(StoreLog *log, StoreSql sql, const char *doing, gint64 id, gint64 found[2],
              GError **error)
{
  g_autoptr(StoreStatement) statement = store_statement(log, sql, doing, error);
  StoreBinder binder = {log, statement, "ids", 0, FALSE, error};
  gboolean row = FALSE;

  found[0] = found[1] = 0;
  if (!statement) {
    return FALSE;
  }
  store_bind_int(&binder, id);
  if (binder.failed || !store_step(log, statement, doing, &row, error)) {
    return FALSE;
  }
  for (int i = 0; row && i < 2 && i < sqlite3_column_count(statement); i++) {
    found[i] = sqlite3_column_int64(statement, i);
  }
  return TRUE;
}

gint64
store_require(StoreLog *log, StoreSql sql, const char *what, const char *doing, gint64 id,
              GError **error)
{
  gint64 found[2];

  if (!store_look_up(log, sql, doing, id, found, error)) {
    return 0;
  }
  if (!found[0]) {
    store_fail(error, STORE_ERROR_NOT_FOUND, log->name,
               "%s: %s %" G_GINT64_FORMAT " is not in the log", doing, what, id);
  }
  return found[0];
}

gboolean
store_next_id(StoreLog *log, StoreSql sql, const char *doing, gint64 *id, GError **error)
{
  g_autoptr(StoreStatement) statement = store_statement(log, sql, doing, error);
  gboolean row = FALSE;

  if (!statement || !store_step(log, statement, doing, &row, error)) {
    return FALSE;
  }
  *id = sqlite3_column_int64(statement, 0);
  return TRUE;
}

gboolean
store_derive_row(StoreLog *log, StoreSql sql, const char *doing, const gint64 *values, guint n,
                 GError **error)
{
  g_autoptr(StoreStatement) statement = store_statement(log, sql, doing, error);
  StoreBinder binder = {log, statement, "derived", 0, FALSE, error};
  gboolean more = FALSE;

  if (!statement) {
    return FALSE;
  }
  for (guint i = 0; i < n; i++) {
    store_bind_id(&binder, values[i]);
  }
  return !binder.failed && store_step(log, statement, doing, &more, error);
}

/* The id that a row gets: that of ORIGIN, or the next. */
static gboolean
choose_id(StoreLog *log, StoreSql next, const char *doing, const StoreOrigin *origin, gint64 *id,
          GError **error)
{
  if (origin) {
    *id = origin->id;
    return TRUE;
  }
  return store_next_id(log, next, doing, id, error);
}

/* Who does it. What an older log holds does not say. */
static void
put_actor(StoreLog *log, StoreDraft *draft, const StoreOrigin *origin)
{
  if (origin) {
    store_draft_flag(draft, STORE_CLEAR, "migrated", TRUE);
    return;
  }
  store_draft_text(draft, STORE_CLEAR, "user", g_get_user_name());
  store_draft_text(draft, STORE_CLEAR, "user_real_name", g_get_real_name());
  store_draft_text(draft, STORE_CLEAR, "person", log->person);
  store_draft_text(draft, STORE_CLEAR, "first_written", log->first_written);
}

/* Ends DRAFT and adds it: its event, or 0. */
static gint64
add(StoreLog *log, const char *kind, gint64 subject, StoreDraft *draft, const StoreOrigin *origin,
    const char *doing, GError **error)
{
  put_actor(log, draft, origin);
  return store_draft_end(draft)
             ? store_row_add(log, kind, origin ? origin->time : NULL, subject, draft, doing, error)
             : 0;
}

/* ---- what is found again -------------------------------------------------------------------- */

static gboolean
find_again(StoreLog *log, StoreSql sql, const char *doing, const guint8 lookup[32], gint64 *id,
           GError **error)
{
  g_autoptr(StoreStatement) statement = store_statement(log, sql, doing, error);
  StoreBinder binder = {log, statement, "lookup", 0, FALSE, error};
  gboolean row = FALSE;

  if (!statement) {
    return FALSE;
  }
  store_bind_blob(&binder, lookup, 32);
  if (binder.failed || !store_step(log, statement, doing, &row, error)) {
    return FALSE;
  }
  *id = row ? sqlite3_column_int64(statement, 0) : 0;
  return TRUE;
}

static gboolean
add_found(StoreLog *log, StoreSql sql, const char *doing, gint64 id, gint64 event,
          const guint8 lookup[32], GError **error)
{
  g_autoptr(StoreStatement) statement = store_statement(log, sql, doing, error);
  StoreBinder binder = {log, statement, "lookup", 0, FALSE, error};
  gboolean more = FALSE;

  if (!statement) {
    return FALSE;
  }
  store_bind_int(&binder, id);
  store_bind_int(&binder, event);
  store_bind_blob(&binder, lookup, 32);
  return !binder.failed && store_step(log, statement, doing, &more, error);
}

typedef struct {
  const char *kind, *doing;
  StoreSql find, next, add;
} Found;

/* Adds what DRAFT says unless it was said before. KEY: of the subject, or NULL. */
static gint64
find_or_add(StoreLog *log, const Found *found, gint64 subject, const guint8 *key, StoreDraft *draft,
            const StoreOrigin *origin, GError **error)
{
  guint8 lookup[32];
  crypto_generichash_state state;
  gint64 id = 0, event;

  if (draft->failed) {
    return 0;
  }
  if (key) {
    crypto_generichash_init(&state, key, STORE_KEY_BYTES, sizeof lookup);
    crypto_generichash_update(&state, (const guint8 *)"hilum lookup", 12);
    for (guint i = 0; i < STORE_N_PLACES; i++) {
      crypto_generichash_update(&state, (const guint8 *)draft->json[i]->str,
                                draft->json[i]->len + 1);
    }
    crypto_generichash_final(&state, lookup, sizeof lookup);
  } else {
    crypto_hash_sha256(lookup, (const guint8 *)draft->json[STORE_CLEAR]->str,
                       draft->json[STORE_CLEAR]->len);
  }
  if (!origin && (!find_again(log, found->find, found->doing, lookup, &id, error) || id)) {
    return id;
  }
  if (!choose_id(log, found->next, found->doing, origin, &id, error)) {
    return 0;
  }
  store_draft_int(draft, STORE_CLEAR, "id", id);
  {
    g_autofree char *hex = g_malloc(65);
    sodium_bin2hex(hex, 65, lookup, sizeof lookup);
    store_draft_text(draft, STORE_CLEAR, "lookup", hex);
  }
  event = add(log, found->kind, subject, draft, origin, found->doing, error);
  return event && add_found(log, found->add, found->doing, id, event, lookup, error) ? id : 0;
}

/* ---- models --------------------------------------------------------------------------------- */

gint64
store_write_model(StoreLog *log, const StoreModel *model, const StoreOrigin *origin, GError **error)
{
  static const Found found = {"model", "adding a model", STORE_SQL_FIND_MODEL, STORE_SQL_NEXT_MODEL,
                              STORE_SQL_ADD_MODEL};
  g_auto(StoreDraft) draft = {0};

  store_draft_init(&draft, log->name, "models", error);
  store_put_model(&draft, model);
  return find_or_add(log, &found, 0, NULL, &draft, origin, error);
}

gint64
store_log_add_model(StoreLog *log, const StoreModel *model, GError **error)
{
  const char *doing = "adding a model";

  g_return_val_if_fail(log && model, 0);
  if (!store_begin(log, doing, error)) {
    return 0;
  }
  return store_finish(log, doing, store_write_model(log, model, NULL, error), error);
}

/* ---- subjects ------------------------------------------------------------------------------- */

/* The subject of IMAGE, or of CONVERSATION without one; made where it is new. */
static gboolean
find_subject(StoreLog *log, const StoreImage *image, gint64 conversation, const char *doing,
             gint64 *subject, GError **error)
{
  g_autoptr(GByteArray) identity = g_byte_array_new();
  gint64 next = 0;

  store_put_identity(identity, image, conversation);
  return store_row_next(log, doing, &next, error) &&
         store_keys_find_subject(log->keys, identity->data, identity->len, TRUE, next, subject,
                                 error);
}

/* The subject of the event that SQL knows for ID. */
static gboolean
subject_of(StoreLog *log, gint64 event, const char *kind, gint64 *subject, GError **error)
{
  g_auto(StoreBody) body = {0};

  return store_row_open(log, event, kind, &body, NULL, subject, error);
}

/* ---- images --------------------------------------------------------------------------------- */

gint64
store_write_image(StoreLog *log, const StoreImage *image, const StoreOrigin *origin, GError **error)
{
  static const Found found = {"image", "adding an image", STORE_SQL_FIND_IMAGE,
                              STORE_SQL_NEXT_IMAGE, STORE_SQL_ADD_IMAGE};
  g_auto(StoreDraft) draft = {0};
  guint8 key[STORE_KEY_BYTES];
  gint64 subject = 0, id;
  gboolean there = FALSE;

  store_draft_init(&draft, log->name, "images", error);
  store_put_image(&draft, image);
  if (draft.failed || !find_subject(log, image, 0, found.doing, &subject, error) ||
      !store_keys_get_subject(log->keys, subject, key, &there, error)) {
    return 0;
  }
  if (!there) { /* erased this very moment by another process */
    store_fail(error, STORE_ERROR_BUSY, log->name, "%s: its key was erased just now", found.doing);
    return 0;
  }
  id = find_or_add(log, &found, subject, key, &draft, origin, error);
  sodium_memzero(key, sizeof key);
  return id;
}

gint64
store_log_add_image(StoreLog *log, const StoreImage *image, GError **error)
{
  const char *doing = "adding an image";

  g_return_val_if_fail(log && image, 0);
  if (!store_begin(log, doing, error)) {
    return 0;
  }
  return store_finish(log, doing, store_write_image(log, image, NULL, error), error);
}

/* ---- conversations -------------------------------------------------------------------------- */

static gboolean
require_turn(StoreLog *log, const char *doing, gint64 conversation, guint turn, GError **error)
{
  gint64 last[2] = {0, 0};

  if (!store_require(log, STORE_SQL_HAS_CONVERSATION, "conversation", doing, conversation, error) ||
      !store_look_up(log, STORE_SQL_LAST_TURN, doing, conversation, last, error)) {
    return FALSE;
  }
  return turn <= last[0] || store_fail(error, STORE_ERROR_NOT_FOUND, log->name,
                                       "%s: conversation %" G_GINT64_FORMAT
                                       ": found %" G_GINT64_FORMAT " turns, expected at least %u",
                                       doing, conversation, last[0], turn);
}

gint64
store_write_conversation(StoreLog *log, const StoreOpening *opening, const StoreOrigin *origin,
                         GError **error)
{
  const char *doing = "adding a conversation";
  g_auto(StoreDraft) draft = {0};
  gint64 id = 0, event;

  if (!store_require(log, STORE_SQL_HAS_MODEL, "model", doing, opening->model, error) ||
      (opening->rewound_from &&
       !require_turn(log, doing, opening->rewound_from, opening->rewound_turn, error)) ||
      !choose_id(log, STORE_SQL_NEXT_CONVERSATION, doing, origin, &id, error)) {
    return 0;
  }
  store_draft_init(&draft, log->name, "conversations", error);
  store_put_opening(&draft, opening);
  store_draft_int(&draft, STORE_CLEAR, "id", id);
  event = add(log, "conversation", 0, &draft, origin, doing, error);
  return event && store_derive_row(
                      log, STORE_SQL_ADD_CONVERSATION, doing,
                      (const gint64[]){id, event, opening->model, opening->rewound_from}, 4, error)
             ? id
             : 0;
}

gint64
store_log_add_conversation(StoreLog *log, gint64 model, const char *program_version,
                           gint64 rewound_from, guint rewound_turn, GError **error)
{
  const char *doing = "adding a conversation";
  const StoreOpening opening = {model, rewound_from, rewound_turn, program_version};

  g_return_val_if_fail(log, 0);
  if (!store_begin(log, doing, error)) {
    return 0;
  }
  return store_finish(log, doing, store_write_conversation(log, &opening, NULL, error), error);
}

/* ---- turns ---------------------------------------------------------------------------------- */

gint64
store_write_turn(StoreLog *log, gint64 conversation, const StoreTurn *turn,
                 const StoreOrigin *origin, GError **error)
{
  const char *doing = "adding a turn";
  g_auto(StoreDraft) draft = {0};
  gint64 last[2] = {0, 0}, id = 0, subject = 0, event;

  if (!store_require(log, STORE_SQL_HAS_CONVERSATION, "conversation", doing, conversation, error) ||
      !store_look_up(log, STORE_SQL_LAST_TURN, doing, conversation, last, error) ||
      !choose_id(log, STORE_SQL_NEXT_TURN, doing, origin, &id, error)) {
    return 0;
  }
  store_draft_init(&draft, log->name, "turns", error);
  store_put_turn(&draft, conversation, last[0] + 1, turn);
  store_draft_int(&draft, STORE_CLEAR, "id", id);
  if (draft.failed ||
      !(turn->image ? store_joint_subject(log, turn, doing, &subject, error)
                    : find_subject(log, NULL, conversation, doing, &subject, error))) {
    return 0;
  }
  event = add(log, "turn", subject, &draft, origin, doing, error);
  return event && store_derive_row(
                      log, STORE_SQL_ADD_TURN, doing,
                      (const gint64[]){id, event, conversation, last[0] + 1, turn->image}, 5, error)
             ? id
             : 0;
}

gint64
store_log_add_turn(StoreLog *log, gint64 conversation, const StoreTurn *turn, GError **error)
{
  const char *doing = "adding a turn";

  g_return_val_if_fail(log && turn, 0);
  if (!store_begin(log, doing, error)) {
    return 0;
  }
  return store_finish(log, doing, store_write_turn(log, conversation, turn, NULL, error), error);
}

/* ---- what was made of an answer ------------------------------------------------------------- */

/* Adds DRAFT, which speaks of TURN, as an event of KIND, under the turn's own subject. */
static gint64
add_about_turn(StoreLog *log, const char *kind, StoreSql next, StoreSql sql, gint64 turn,
               StoreDraft *draft, const StoreOrigin *origin, const char *doing, GError **error)
{
  gint64 of = store_require(log, STORE_SQL_HAS_TURN, "turn", doing, turn, error);
  gint64 id = 0, subject = 0, event;

  if (!of || draft->failed || !subject_of(log, of, "turn", &subject, error) ||
      !choose_id(log, next, doing, origin, &id, error)) {
    return 0;
  }
  store_draft_int(draft, STORE_CLEAR, "id", id);
  event = add(log, kind, subject, draft, origin, doing, error);
  return event && store_derive_row(log, sql, doing, (const gint64[]){id, event, turn}, 3, error)
             ? id
             : 0;
}

gint64
store_write_verdict(StoreLog *log, gint64 turn, const StoreVerdict *verdict,
                    const StoreOrigin *origin, GError **error)
{
  g_auto(StoreDraft) draft = {0};

  store_draft_init(&draft, log->name, "verdicts", error);
  store_put_verdict(&draft, turn, verdict);
  return add_about_turn(log, "verdict", STORE_SQL_NEXT_VERDICT, STORE_SQL_ADD_VERDICT, turn, &draft,
                        origin, "adding a verdict", error);
}

gint64
store_log_add_verdict(StoreLog *log, gint64 turn, const StoreVerdict *verdict, GError **error)
{
  const char *doing = "adding a verdict";

  g_return_val_if_fail(log && verdict, 0);
  if (!store_begin(log, doing, error)) {
    return 0;
  }
  return store_finish(log, doing, store_write_verdict(log, turn, verdict, NULL, error), error);
}

gint64
store_write_check(StoreLog *log, gint64 turn, const StoreCheck *check, const StoreOrigin *origin,
                  GError **error)
{
  g_auto(StoreDraft) draft = {0};

  store_draft_init(&draft, log->name, "checks", error);
  store_put_check(&draft, turn, check);
  return add_about_turn(log, "check", STORE_SQL_NEXT_CHECK, STORE_SQL_ADD_CHECK, turn, &draft,
                        origin, "adding a check", error);
}

gint64
store_log_add_check(StoreLog *log, gint64 turn, const StoreCheck *check, GError **error)
{
  const char *doing = "adding a check";

  g_return_val_if_fail(log && check, 0);
  if (!store_begin(log, doing, error)) {
    return 0;
  }
  return store_finish(log, doing, store_write_check(log, turn, check, NULL, error), error);
}

/* ---- other events --------------------------------------------------------------------------- */

gint64
store_write_event(StoreLog *log, const StoreEvent *event, GError **error)
{
  const char *doing = "adding an event";
  g_auto(StoreDraft) draft = {0};
  gint64 subject = 0;

  store_draft_init(&draft, log->name, "events", error);
  store_put_event(&draft, event);
  if (draft.failed || ((event->about || event->n_sealed) &&
                       !find_subject(log, event->about, 0, doing, &subject, error))) {
    return 0;
  }
  return add(log, event->kind, subject, &draft, NULL, doing, error);
}

gint64
store_log_add_event(StoreLog *log, const StoreEvent *event, GError **error)
{
  const char *doing = "adding an event";

  g_return_val_if_fail(log && event && event->kind, 0);
  if (!store_begin(log, doing, error)) {
    return 0;
  }
  return store_finish(log, doing, store_write_event(log, event, error), error);
}
