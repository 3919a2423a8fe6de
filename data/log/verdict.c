/* verdict.c - reading what people and repetitions made of an answer. */
#include "content.h"
#include "row.h"

void
store_verdict_row_free(StoreVerdictRow *row)
{
  if (row) {
    g_free(row->time);
    g_free((gpointer)row->verdict.verdict);
    g_free((gpointer)row->verdict.text);
    g_free((gpointer)row->verdict.user_name);
    g_free((gpointer)row->verdict.real_name);
    g_free((gpointer)row->verdict.person);
    g_free(row);
  }
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreVerdictRow, store_verdict_row_free)

static void
answer_clear(gpointer data)
{
  g_free((gpointer)((StoreCheckAnswer *)data)->answer);
}

void
store_check_row_free(StoreCheckRow *row)
{
  if (row) {
    g_free(row->time);
    g_free((gpointer)row->check.kind);
    g_array_unref(row->answers);
    g_free(row);
  }
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreCheckRow, store_check_row_free)

/* Reads the row ID that EVENT tells of TURN; NULL with *error set. */
typedef gpointer (*ReadRow)(StoreLog *log, gint64 id, gint64 event, gint64 turn, GError **error);

static gpointer
read_verdict(StoreLog *log, gint64 id, gint64 event, gint64 turn, GError **error)
{
  g_autoptr(StoreVerdictRow) row = g_new0(StoreVerdictRow, 1);
  g_auto(StoreBody) body = {0};

  if (!store_row_open(log, event, "verdict", &body, &row->time, NULL, error)) {
    return NULL;
  }
  store_body_time(&body, &row->time, NULL);
  row->id = store_body_int(&body, STORE_CLEAR, "id", id, id);
  store_body_int(&body, STORE_CLEAR, "turn", turn, turn);
  row->verdict.verdict = g_strdup(store_body_text(&body, STORE_CLEAR, "verdict", STORE_REQUIRED));
  row->verdict.user_name =
      g_strdup(store_body_text(&body, STORE_CLEAR, "user_name", STORE_REQUIRED));
  row->verdict.real_name =
      g_strdup(store_body_text(&body, STORE_CLEAR, "real_name", STORE_NULLABLE));
  row->verdict.person =
      g_strdup(store_body_text(&body, STORE_CLEAR, "person_name", STORE_NULLABLE));
  row->verdict.text = g_strdup(store_body_text(&body, STORE_SEALED, "text", STORE_NULLABLE));
  return body.failed ? NULL : g_steal_pointer(&row);
}

static gpointer
read_check(StoreLog *log, gint64 id, gint64 event, gint64 turn, GError **error)
{
  g_autoptr(StoreCheckRow) row = g_new0(StoreCheckRow, 1);
  g_auto(StoreBody) body = {0};

  row->answers = g_array_new(FALSE, TRUE, sizeof(StoreCheckAnswer));
  g_array_set_clear_func(row->answers, answer_clear);
  if (!store_row_open(log, event, "check", &body, &row->time, NULL, error)) {
    return NULL;
  }
  store_body_time(&body, &row->time, NULL);
  row->id = store_body_int(&body, STORE_CLEAR, "id", id, id);
  store_body_int(&body, STORE_CLEAR, "turn", turn, turn);
  row->check.kind = g_strdup(store_body_text(&body, STORE_CLEAR, "check", STORE_REQUIRED));
  row->check.same = store_body_flag(&body, STORE_CLEAR, "same");
  row->check.agreement = store_body_real(&body, STORE_CLEAR, "agreement");
  store_body_answers(&body, STORE_SEALED, "answers", row->answers);
  row->check.answers = (const StoreCheckAnswer *)(gpointer)row->answers->data;
  row->check.n_answers = row->answers->len;
  return body.failed ? NULL : g_steal_pointer(&row);
}

/* The rows that SQL finds for TURN. Ids rise, which ends the reading of pages that point at each
 * other. */
static GPtrArray *
read_rows(StoreLog *log, StoreSql sql, const char *table, gint64 turn, ReadRow read,
          GDestroyNotify free_row, GError **error)
{
  const char *doing = "reading what was made of an answer";
  g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(free_row);
  g_autoptr(StoreStatement) statement = store_statement(log, sql, doing, error);
  StoreBinder binder = {log, statement, table, 0, FALSE, error};
  gint64 previous = 0;

  if (!statement) {
    return NULL;
  }
  store_bind_int(&binder, turn);
  for (gboolean more = TRUE; more;) {
    StoreReader reader = {log, statement, table, 0, 0, FALSE, error};
    gpointer row;
    gint64 id, event;

    if (binder.failed || !store_step(log, statement, doing, &more, error)) {
      return NULL;
    }
    if (!more) {
      break;
    }
    id = store_read_int(&reader, "id", previous + 1, G_MAXINT64);
    event = store_read_id(&reader, "event", STORE_REQUIRED);
    row = reader.failed ? NULL : read(log, id, event, turn, error);
    if (!row) {
      return NULL;
    }
    g_ptr_array_add(rows, row);
    previous = id;
  }
  return g_steal_pointer(&rows);
}

GPtrArray *
store_log_verdicts(StoreLog *log, gint64 turn, GError **error)
{
  return read_rows(log, STORE_SQL_VERDICTS, "verdict", turn, read_verdict,
                   (GDestroyNotify)store_verdict_row_free, error);
}

GPtrArray *
store_log_checks(StoreLog *log, gint64 turn, GError **error)
{
  return read_rows(log, STORE_SQL_CHECKS, "answer_check", turn, read_check,
                   (GDestroyNotify)store_check_row_free, error);
}
