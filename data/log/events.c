/* events.c - reading the log as what it is, one event after the other. */
#include "row.h"
#include "seal.h"
#include <sodium.h>
#include <string.h>

/* Which conversation and turn the event of BODY belongs to. */
static gboolean
find_place(StoreLog *log, const StoreRow *row, StoreBody *body, StoreEventRow *event,
           GError **error)
{
  gint64 found[2] = {0, 0};

  if (strcmp(row->kind, "conversation") == 0) {
    event->conversation = store_body_int(body, STORE_CLEAR, "id", 1, G_MAXINT64);
  } else if (strcmp(row->kind, "turn") == 0) {
    event->turn = store_body_int(body, STORE_CLEAR, "id", 1, G_MAXINT64);
    event->conversation = store_body_int(body, STORE_CLEAR, "conversation", 1, G_MAXINT64);
  } else if (strcmp(row->kind, "verdict") == 0 || strcmp(row->kind, "check") == 0) {
    event->turn = store_body_int(body, STORE_CLEAR, "turn", 1, G_MAXINT64);
    if (!body->failed &&
        !store_look_up(log, STORE_SQL_HAS_TURN, "reading events", event->turn, found, error)) {
      return FALSE;
    }
    event->conversation = found[1];
  }
  return !body->failed;
}

static void
describe(StoreBody *body, StoreEventRow *event)
{
  const char *outcome = store_body_text(body, STORE_CLEAR, "outcome", STORE_NULLABLE);

  event->action = store_body_text(body, STORE_CLEAR, "action", STORE_NULLABLE);
  event->failed = outcome && strcmp(outcome, "failure") == 0;
  event->user_name = store_body_text(body, STORE_CLEAR, "user", STORE_NULLABLE);
  event->real_name = store_body_text(body, STORE_CLEAR, "user_real_name", STORE_NULLABLE);
  event->person = store_body_text(body, STORE_CLEAR, "person", STORE_NULLABLE);
}

static gboolean
tell(StoreLog *log, const StoreRow *row, StoreEventFunc func, gpointer user, GError **error)
{
  g_auto(StoreBody)
      body = {.name = log->name, .kind = row->kind, .number = row->number, .error = error};
  StoreEventRow event = {.number = row->number,
                         .time = row->time,
                         .kind = row->kind,
                         .body = row->body,
                         .subject = row->subject};
  char sha256[65], *text = NULL;
  gsize n = 0;
  gboolean ok;

  if (!store_body_parse(&body, STORE_CLEAR, row->body, row->n_body) ||
      !store_row_text(log, row, &text, &n, &event.erased, error)) {
    return FALSE;
  }
  sodium_bin2hex(sha256, sizeof sha256, row->hash.bytes, sizeof row->hash.bytes);
  event.sha256 = sha256;
  event.text = text;
  describe(&body, &event);
  ok = find_place(log, row, &body, &event, error) && !body.failed && func(&event, user, error);
  store_wipe(text, n);
  return ok;
}

gboolean
store_log_each_event(StoreLog *log, gint64 first, gint64 last, StoreEventFunc func, gpointer user,
                     GError **error)
{
  return store_log_each_event_of(log, NULL, first, last, func, user, error);
}

gboolean
store_log_each_event_of(StoreLog *log, StoreEventGate gate, gint64 first, gint64 last,
                        StoreEventFunc func, gpointer user, GError **error)
{
  const char *doing = "reading events";
  g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_EVENTS, doing, error);
  StoreBinder binder = {log, statement, "event", 0, FALSE, error};
  g_autoptr(GByteArray) scratch = g_byte_array_new();
  gint64 expected = MAX(first, 1);

  if (!statement) {
    return FALSE;
  }
  store_bind_int(&binder, expected);
  store_bind_int(&binder, last > 0 ? last : G_MAXINT64);
  for (gboolean more = TRUE; more; expected++) {
    StoreReader reader = {log, statement, "event", expected, 0, FALSE, error};
    StoreRow row;
    StoreHash hash;

    if (binder.failed || !store_step(log, statement, doing, &more, error)) {
      return FALSE;
    }
    if (!more) {
      break;
    }
    if (!store_row_read(&reader, &row)) {
      return FALSE;
    }
    hash = store_row_hash(&row, scratch);
    if (row.number != expected || (!log->other_rows && !store_hash_equal(&hash, &row.hash))) {
      return store_fail(error, STORE_ERROR_CORRUPT, log->name,
                        "event %" G_GINT64_FORMAT ": found another, or one that was changed",
                        expected);
    }
    if ((!gate || gate(row.kind, row.body, user)) && !tell(log, &row, func, user, error)) {
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
store_log_last_event(StoreLog *log, StoreEventFunc func, gpointer user, GError **error)
{
  guint64 size = 0;

  return store_tree_size(log, &size, error) &&
         (!size || store_log_each_event(log, (gint64)size, (gint64)size, func, user, error));
}
