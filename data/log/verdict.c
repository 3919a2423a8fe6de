/* verdict.c - what people and repetitions made of an answer. */
#include "private.h"
#include <string.h>

/* ---- verdicts ---------------------------------------------------------------------------------
 */

gint64
store_log_add_verdict(StoreLog *log, gint64 turn, const StoreVerdict *verdict, GError **error)
{
  const char *doing = "adding a verdict";
  gint64 id = 0;

  g_return_val_if_fail(log && verdict, 0);
  if (!store_begin(log, doing, error)) {
    return 0;
  }
  if (store_require(log, STORE_SQL_HAS_TURN, "turn", doing, turn, error)) {
    g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_ADD_VERDICT, doing, error);
    if (statement) {
      StoreBinder binder = {log, statement, "verdicts", 0, FALSE, error};
      store_bind_id(&binder, turn);
      store_bind_text(&binder, "verdict", verdict->verdict);
      store_bind_text(&binder, "text", verdict->text);
      store_bind_text(&binder, "user name", verdict->user_name);
      store_bind_text(&binder, "real name", verdict->real_name);
      store_bind_time(&binder);
      id = store_insert(log, &binder, doing, error);
    }
  }
  if (id && verdict->text &&
      !store_add_words(log, STORE_SQL_ADD_VERDICT_WORDS, id, verdict->text, NULL, doing, error)) {
    id = 0;
  }
  return store_finish(log, doing, id, error);
}

void
store_verdict_row_free(StoreVerdictRow *row)
{
  if (row) {
    g_free(row->time);
    g_free((gpointer)row->verdict.verdict);
    g_free((gpointer)row->verdict.text);
    g_free((gpointer)row->verdict.user_name);
    g_free((gpointer)row->verdict.real_name);
    g_free(row);
  }
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreVerdictRow, store_verdict_row_free)

/* Reads one row of those that belong to a turn; NULL with the reader failed. */
typedef gpointer (*ReadRow)(StoreReader *reader, gint64 previous);

/* Ids rise, which ends the reading of pages that point at each other. */
static void
read_rising_id(StoreReader *reader, gint64 previous, gint64 *id)
{
  *id = reader->row = store_read_id(reader, "id", STORE_REQUIRED);
  if (*id <= previous && !reader->failed) {
    store_corrupt(reader, "id", "found %" G_GINT64_FORMAT ", expected more than %" G_GINT64_FORMAT,
                  *id, previous);
  }
}

static gpointer
read_verdict(StoreReader *reader, gint64 previous)
{
  g_autoptr(StoreVerdictRow) row = g_new0(StoreVerdictRow, 1);

  read_rising_id(reader, previous, &row->id);
  row->time = store_dup_text(reader, "time", STORE_REQUIRED);
  row->verdict.verdict = store_dup_text(reader, "verdict", STORE_REQUIRED);
  row->verdict.text = store_dup_text(reader, "text", STORE_NULLABLE);
  row->verdict.user_name = store_dup_text(reader, "user_name", STORE_REQUIRED);
  row->verdict.real_name = store_dup_text(reader, "real_name", STORE_NULLABLE);
  return reader->failed ? NULL : g_steal_pointer(&row);
}

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

    if (binder.failed || !store_step(log, statement, doing, &more, error)) {
      return NULL;
    }
    row = more ? read(&reader, previous) : NULL;
    if (reader.failed) {
      return NULL;
    }
    if (row) {
      g_ptr_array_add(rows, row);
      previous = reader.row;
    }
  }
  return g_steal_pointer(&rows);
}

GPtrArray *
store_log_verdicts(StoreLog *log, gint64 turn, GError **error)
{
  return read_rows(log, STORE_SQL_VERDICTS, "verdicts", turn, read_verdict,
                   (GDestroyNotify)store_verdict_row_free, error);
}

/* ---- checks -----------------------------------------------------------------------------------
 */

static gboolean
add_answer_row(StoreLog *log, gint64 check, gsize number, const StoreCheckAnswer *answer,
               const char *doing, GError **error)
{
  g_autoptr(StoreStatement) statement =
      store_statement(log, STORE_SQL_ADD_CHECK_ANSWER, doing, error);
  StoreBinder binder = {log, statement, "check_answers", 0, FALSE, error};
  gint64 seed = 0;

  if (!statement) {
    return FALSE;
  }
  memcpy(&seed, &answer->seed, sizeof seed); /* the same 64 bits */
  store_bind_id(&binder, check);
  store_bind_int(&binder, (gint64)number);
  store_bind_text(&binder, "answer", answer->answer);
  store_bind_int(&binder, seed);
  store_bind_int(&binder, answer->blank != FALSE);
  store_bind_time(&binder);
  return store_insert(log, &binder, doing, error) != 0;
}

static gint64
add_check_row(StoreLog *log, gint64 turn, const StoreCheck *check, const char *doing,
              GError **error)
{
  g_autoptr(StoreStatement) statement = NULL;
  gint64 id = 0;

  if (!store_require(log, STORE_SQL_HAS_TURN, "turn", doing, turn, error)) {
    return 0;
  }
  statement = store_statement(log, STORE_SQL_ADD_CHECK, doing, error);
  if (statement) {
    StoreBinder binder = {log, statement, "checks", 0, FALSE, error};
    store_bind_id(&binder, turn);
    store_bind_text(&binder, "kind", check->kind);
    store_bind_int(&binder, check->same != FALSE);
    store_bind_real(&binder, check->agreement);
    store_bind_time(&binder);
    id = store_insert(log, &binder, doing, error);
  }
  for (gsize i = 0; i < check->n_answers && id; i++) {
    id = add_answer_row(log, id, i + 1, &check->answers[i], doing, error) ? id : 0;
  }
  return id;
}

gint64
store_log_add_check(StoreLog *log, gint64 turn, const StoreCheck *check, GError **error)
{
  const char *doing = "adding a check";

  g_return_val_if_fail(log && check, 0);
  if (!store_begin(log, doing, error)) {
    return 0;
  }
  return store_finish(log, doing, add_check_row(log, turn, check, doing, error), error);
}

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

static gpointer
read_check(StoreReader *reader, gint64 previous)
{
  g_autoptr(StoreCheckRow) row = g_new0(StoreCheckRow, 1);

  row->answers = g_array_new(FALSE, TRUE, sizeof(StoreCheckAnswer));
  g_array_set_clear_func(row->answers, answer_clear);
  read_rising_id(reader, previous, &row->id);
  row->time = store_dup_text(reader, "time", STORE_REQUIRED);
  row->check.kind = store_dup_text(reader, "kind", STORE_REQUIRED);
  row->check.same = (gboolean)store_read_int(reader, "same", 0, 1);
  row->check.agreement = store_read_real(reader, "agreement");
  return reader->failed ? NULL : g_steal_pointer(&row);
}

static gboolean
read_answers(StoreLog *log, StoreCheckRow *row, GError **error)
{
  const char *doing = "reading a check";
  g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_CHECK_ANSWERS, doing, error);
  StoreBinder binder = {log, statement, "check_answers", 0, FALSE, error};

  if (!statement) {
    return FALSE;
  }
  store_bind_int(&binder, row->id);
  for (gboolean more = TRUE; more;) {
    StoreReader reader = {log, statement, "check_answers", 0, 0, FALSE, error};
    StoreCheckAnswer answer = {0};
    const gint64 expected = (gint64)row->answers->len + 1;
    gint64 seed;

    if (binder.failed || !store_step(log, statement, doing, &more, error)) {
      return FALSE;
    }
    if (!more) {
      break;
    }
    reader.row = store_read_id(&reader, "id", STORE_REQUIRED);
    store_read_int(&reader, "number", expected, expected);
    answer.answer = store_dup_text(&reader, "answer", STORE_REQUIRED);
    seed = store_read_int(&reader, "seed", G_MININT64, G_MAXINT64);
    memcpy(&answer.seed, &seed, sizeof seed);
    answer.blank = (gboolean)store_read_int(&reader, "blank", 0, 1);
    g_array_append_val(row->answers, answer);
    if (reader.failed) {
      return FALSE;
    }
  }
  row->check.answers = (const StoreCheckAnswer *)(gpointer)row->answers->data;
  row->check.n_answers = row->answers->len;
  return TRUE;
}

GPtrArray *
store_log_checks(StoreLog *log, gint64 turn, GError **error)
{
  g_autoptr(GPtrArray) rows = read_rows(log, STORE_SQL_CHECKS, "checks", turn, read_check,
                                        (GDestroyNotify)store_check_row_free, error);

  for (guint i = 0; rows && i < rows->len; i++) {
    if (!read_answers(log, rows->pdata[i], error)) {
      return NULL;
    }
  }
  return g_steal_pointer(&rows);
}
