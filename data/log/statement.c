/* statement.c - every SQL text of the log, and the binding of its values. No text is ever put
 * together from values. */
#include "limits.h"
#include "private.h"
#include <math.h>
#include <string.h>

#define CONVERSATION                                                                               \
  "SELECT c.id, c.time, c.model, m.id, m.name, m.sha256, m.engine, c.program_version,"             \
  " c.rewound_from, c.rewound_turn, t.question, t.image, i.id, i.path, i.series, s.id, "           \
  "s.modality,"                                                                                    \
  " (SELECT max(number) FROM turns WHERE conversation = c.id)"                                     \
  " FROM conversations AS c LEFT JOIN models AS m ON m.id = c.model"                               \
  " LEFT JOIN turns AS t ON t.conversation = c.id AND t.number = 1"                                \
  " LEFT JOIN images AS i ON i.id = t.image LEFT JOIN series AS s ON s.id = i.series"

/* Of the image i and what is above it. */
#define IMAGE                                                                                      \
  " i.id, i.path, i.sop_instance_uid, i.sop_class, i.transfer_syntax, i.frame,"                    \
  " i.has_window, i.window_center, i.window_width, i.voi_function, i.inverted,"                    \
  " i.pixels_sha256, i.sent_sha256, i.blank, i.body_part, i.view, i.laterality, i.warnings,"       \
  " i.region_x, i.region_y, i.region_width, i.region_height, i.turns, i.flip, i.voi_lut,"          \
  " i.series, s.id, s.series_instance_uid, s.modality, s.study, u.id, u.study_instance_uid,"       \
  " u.study_date, u.study_description, u.patient, p.id, p.patient_id, p.patient_name"
#define ABOVE_IMAGE                                                                                \
  " LEFT JOIN series AS s ON s.id = i.series LEFT JOIN studies AS u ON u.id = s.study"             \
  " LEFT JOIN patients AS p ON p.id = u.patient"

/* FIND and ADD of a table bind the same values in the same order; ADD binds the time after them.
 * IS rather than =, for an absent value equals an absent value. */
static const char *const texts[STORE_N_SQL] = {
    [STORE_SQL_BEGIN] = "BEGIN IMMEDIATE",
    [STORE_SQL_COMMIT] = "COMMIT",
    [STORE_SQL_ROLLBACK] = "ROLLBACK",
    [STORE_SQL_FIND_MODEL] =
        "SELECT id FROM models WHERE name IS ?1 AND sha256 IS ?2 AND quantization IS ?3"
        " AND path IS ?4 AND template_name IS ?5 AND engine IS ?6",
    [STORE_SQL_ADD_MODEL] =
        "INSERT INTO models (name, sha256, quantization, path, template_name, engine, time)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [STORE_SQL_FIND_PATIENT] =
        "SELECT id FROM patients WHERE patient_id IS ?1 AND patient_name IS ?2",
    [STORE_SQL_ADD_PATIENT] =
        "INSERT INTO patients (patient_id, patient_name, time) VALUES (?1, ?2, ?3)",
    [STORE_SQL_FIND_STUDY] =
        "SELECT id FROM studies WHERE patient IS ?1 AND study_instance_uid IS ?2"
        " AND study_date IS ?3 AND study_description IS ?4",
    [STORE_SQL_ADD_STUDY] =
        "INSERT INTO studies (patient, study_instance_uid, study_date, study_description, time)"
        " VALUES (?1, ?2, ?3, ?4, ?5)",
    [STORE_SQL_FIND_SERIES] =
        "SELECT id FROM series WHERE study IS ?1 AND series_instance_uid IS ?2 AND modality IS ?3",
    [STORE_SQL_ADD_SERIES] =
        "INSERT INTO series (study, series_instance_uid, modality, time) VALUES (?1, ?2, ?3, ?4)",
    [STORE_SQL_FIND_IMAGE] =
        "SELECT id FROM images WHERE series IS ?1 AND path IS ?2 AND sop_instance_uid IS ?3"
        " AND sop_class IS ?4 AND transfer_syntax IS ?5 AND frame = ?6 AND has_window = ?7"
        " AND window_center IS ?8 AND window_width IS ?9 AND voi_function IS ?10 AND inverted = ?11"
        " AND pixels_sha256 IS ?12 AND sent_sha256 IS ?13 AND blank = ?14"
        " AND body_part IS ?15 AND view IS ?16 AND laterality IS ?17 AND warnings IS ?18"
        " AND region_x = ?19 AND region_y = ?20 AND region_width = ?21 AND region_height = ?22"
        " AND turns = ?23 AND flip = ?24 AND voi_lut IS ?25",
    [STORE_SQL_ADD_IMAGE] =
        "INSERT INTO images (series, path, sop_instance_uid, sop_class, transfer_syntax, frame,"
        " has_window, window_center, window_width, voi_function, inverted, pixels_sha256,"
        " sent_sha256, blank, body_part, view, laterality, warnings, region_x, region_y,"
        " region_width, region_height, turns, flip, voi_lut, time)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
        " ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26)",
    [STORE_SQL_ADD_CONVERSATION] =
        "INSERT INTO conversations (model, program_version, rewound_from, rewound_turn, time)"
        " VALUES (?1, ?2, ?3, ?4, ?5)",
    [STORE_SQL_ADD_TURN] =
        "INSERT INTO turns (conversation, number, image, question, answer, prompt_ids, answer_ids,"
        " stop, temperature, top_p, seed, max_tokens, image_s, prompt_s, first_token_s, answer_s,"
        " prompt_tokens, answer_tokens, answer_form, instruction_rule, instruction_list,"
        " instruction_text, instruction_words, instruction_threshold, pieces, time)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
        " ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26)",
    [STORE_SQL_HAS_MODEL] = "SELECT id FROM models WHERE id = ?1",
    [STORE_SQL_HAS_IMAGE] = "SELECT id FROM images WHERE id = ?1",
    [STORE_SQL_HAS_CONVERSATION] = "SELECT id FROM conversations WHERE id = ?1",
    [STORE_SQL_LAST_TURN] = "SELECT max(number) FROM turns WHERE conversation = ?1",
    /* Turns are numbered without a gap, so the last number is their count, found in one step. */
    [STORE_SQL_LIST] = CONVERSATION " ORDER BY c.id DESC LIMIT ?1",
    [STORE_SQL_GET] = CONVERSATION " WHERE c.id = ?1",
    [STORE_SQL_SHOW] =
        "SELECT t.id, t.number, t.time, t.question, t.answer, t.prompt_ids, t.answer_ids, t.stop,"
        " t.temperature, t.top_p, t.seed, t.max_tokens, t.image_s, t.prompt_s, t.first_token_s,"
        " t.answer_s, t.prompt_tokens, t.answer_tokens, t.answer_form, t.instruction_rule,"
        " t.instruction_list, t.instruction_text, t.instruction_words, t.instruction_threshold,"
        " t.pieces, c.model, m.id, m.name, m.sha256, m.quantization, m.path, m.template_name, "
        "m.engine,"
        " t.image," IMAGE " FROM turns AS t JOIN conversations AS c ON c.id = t.conversation"
        " LEFT JOIN models AS m ON m.id = c.model"
        " LEFT JOIN images AS i ON i.id = t.image" ABOVE_IMAGE
        " WHERE t.conversation = ?1 ORDER BY t.number",
    [STORE_SQL_ADD_TURN_IMAGE] =
        "INSERT INTO turn_images (turn, number, image, time) VALUES (?1, ?2, ?3, ?4)",
    [STORE_SQL_EARLIER] = "SELECT e.id, e.number, e.image," IMAGE " FROM turn_images AS e"
                          " LEFT JOIN images AS i ON i.id = e.image" ABOVE_IMAGE
                          " WHERE e.turn = ?1 ORDER BY e.number",
    [STORE_SQL_HAS_TURN] = "SELECT id FROM turns WHERE id = ?1",
    [STORE_SQL_ADD_VERDICT] =
        "INSERT INTO verdicts (turn, verdict, text, user_name, real_name, time)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [STORE_SQL_VERDICTS] = "SELECT id, time, verdict, text, user_name, real_name FROM verdicts"
                           " WHERE turn = ?1 ORDER BY id",
    [STORE_SQL_ADD_CHECK] =
        "INSERT INTO checks (turn, kind, same, agreement, time) VALUES (?1, ?2, ?3, ?4, ?5)",
    [STORE_SQL_ADD_CHECK_ANSWER] =
        "INSERT INTO check_answers (of_check, number, answer, seed, blank, time)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [STORE_SQL_CHECKS] =
        "SELECT id, time, kind, same, agreement FROM checks WHERE turn = ?1 ORDER BY id",
    [STORE_SQL_CHECK_ANSWERS] = "SELECT id, number, answer, seed, blank FROM check_answers"
                                " WHERE of_check = ?1 ORDER BY number",
    [STORE_SQL_ADD_TURN_WORDS] =
        "INSERT INTO turn_words (rowid, question, answer) VALUES (?1, ?2, ?3)",
    [STORE_SQL_ADD_VERDICT_WORDS] = "INSERT INTO verdict_words (rowid, text) VALUES (?1, ?2)",
    /* MATCH takes FTS5's own language: see search.c, which quotes every word. */
    [STORE_SQL_FIND_WORD] =
        "SELECT t.conversation FROM turn_words AS w JOIN turns AS t ON t.id = w.rowid"
        " WHERE turn_words MATCH ?1"
        " UNION SELECT t.conversation FROM verdict_words AS w JOIN verdicts AS v ON v.id = w.rowid"
        " JOIN turns AS t ON t.id = v.turn WHERE verdict_words MATCH ?1",
    [STORE_SQL_SNIPPET] =
        "SELECT snippet(turn_words, -1, '', '', ?3, 16) FROM turn_words AS w"
        " JOIN turns AS t ON t.id = w.rowid WHERE turn_words MATCH ?1 AND t.conversation = ?2"
        " ORDER BY w.rank, t.number LIMIT 1",
    [STORE_SQL_VERDICT_SNIPPET] =
        "SELECT snippet(verdict_words, -1, '', '', ?3, 16) FROM verdict_words AS w"
        " JOIN verdicts AS v ON v.id = w.rowid JOIN turns AS t ON t.id = v.turn"
        " WHERE verdict_words MATCH ?1 AND t.conversation = ?2 ORDER BY w.rank, v.id LIMIT 1",
};

StoreStatement *
store_statement(StoreLog *log, StoreSql sql, const char *doing, GError **error)
{
  int rc = SQLITE_OK;

  if (!log->statements[sql]) {
    rc = sqlite3_prepare_v3(log->db, texts[sql], -1, SQLITE_PREPARE_PERSISTENT,
                            &log->statements[sql], NULL);
  }
  if (rc != SQLITE_OK) {
    store_fail_sqlite(error, log->db, log->name, doing, rc);
    return NULL;
  }
  return log->statements[sql];
}

void
store_statement_done(StoreStatement *statement)
{
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
}

gboolean
store_step(StoreLog *log, StoreStatement *statement, const char *doing, gboolean *row,
           GError **error)
{
  int rc = sqlite3_step(statement);

  *row = rc == SQLITE_ROW;
  return rc == SQLITE_ROW || rc == SQLITE_DONE ||
         store_fail_sqlite(error, log->db, log->name, doing, rc);
}

gboolean
store_run(StoreLog *log, StoreSql sql, const char *doing, GError **error)
{
  g_autoptr(StoreStatement) statement = store_statement(log, sql, doing, error);
  gboolean row = FALSE;

  return statement && store_step(log, statement, doing, &row, error);
}

/* ---- binding -------------------------------------------------------------------------------- */

static void
bound(StoreBinder *binder, int rc)
{
  if (rc != SQLITE_OK) {
    binder->failed = TRUE;
    store_fail_sqlite(binder->error, binder->log->db, binder->log->name, "binding a value", rc);
  }
}

static void
refuse(StoreBinder *binder, const char *field, const char *found, const char *expected)
{
  binder->failed = TRUE;
  store_fail(binder->error, STORE_ERROR_INVALID, binder->log->name, "%s: %s: found %s, expected %s",
             binder->table, field, found, expected);
}

void
store_bind_text(StoreBinder *binder, const char *field, const char *text)
{
  gsize length = text ? strlen(text) : 0;
  g_autofree char *valid = NULL;

  binder->index++;
  if (binder->failed) {
    return;
  }
  if (text && length <= STORE_MAX_TEXT && !g_utf8_validate_len(text, length, NULL)) {
    valid = g_utf8_make_valid(text, (gssize)length); /* at most three times as long */
    length = strlen(valid);
  }
  if (length > STORE_MAX_TEXT) {
    g_autofree char *found = g_strdup_printf("%" G_GSIZE_FORMAT " bytes", length);
    g_autofree char *expected = g_strdup_printf("at most %u", STORE_MAX_TEXT);
    refuse(binder, field, found, expected);
    return;
  }
  bound(binder, sqlite3_bind_text(binder->statement, binder->index, valid ? valid : text,
                                  (int)length, SQLITE_TRANSIENT));
}

void
store_bind_sha256(StoreBinder *binder, const char *field, const char *text)
{
  if (text && (strlen(text) != 64 || strspn(text, "0123456789abcdef") != 64)) {
    binder->index++;
    if (!binder->failed) {
      refuse(binder, field, "something else", "64 lower-case hexadecimal digits");
    }
    return;
  }
  store_bind_text(binder, field, text);
}

void
store_bind_int(StoreBinder *binder, gint64 value)
{
  binder->index++;
  if (!binder->failed) {
    bound(binder, sqlite3_bind_int64(binder->statement, binder->index, value));
  }
}

void
store_bind_null(StoreBinder *binder)
{
  binder->index++;
  if (!binder->failed) {
    bound(binder, sqlite3_bind_null(binder->statement, binder->index));
  }
}

void
store_bind_id(StoreBinder *binder, gint64 id)
{
  if (id) {
    store_bind_int(binder, id);
  } else {
    store_bind_null(binder);
  }
}

void
store_bind_real(StoreBinder *binder, double value)
{
  if (isnan(value)) {
    store_bind_null(binder);
    return;
  }
  binder->index++;
  if (!binder->failed) {
    bound(binder, sqlite3_bind_double(binder->statement, binder->index, value));
  }
}

void
store_bind_ids(StoreBinder *binder, const char *field, const gint32 *ids, gsize count)
{
  g_autofree gint32 *little = NULL;

  binder->index++;
  if (binder->failed) {
    return;
  }
  if (count > STORE_MAX_IDS) {
    g_autofree char *found = g_strdup_printf("%" G_GSIZE_FORMAT " ids", count);
    g_autofree char *expected = g_strdup_printf("at most %u", STORE_MAX_IDS);
    refuse(binder, field, found, expected);
    return;
  }
  if (count == 0) {
    bound(binder, sqlite3_bind_zeroblob(binder->statement, binder->index, 0));
    return;
  }
  little = g_new(gint32, count);
  for (gsize i = 0; i < count; i++) {
    little[i] = GINT32_TO_LE(ids[i]);
  }
  bound(binder, sqlite3_bind_blob(binder->statement, binder->index, little,
                                  (int)(count * sizeof *little), SQLITE_TRANSIENT));
}

void
store_bind_pieces(StoreBinder *binder, const char *field, const StorePiece *pieces, gsize count)
{
  g_autofree guint32 *words = NULL;

  if (!pieces) {
    store_bind_null(binder);
    return;
  }
  binder->index++;
  if (binder->failed) {
    return;
  }
  if (count > STORE_MAX_IDS) {
    g_autofree char *found = g_strdup_printf("%" G_GSIZE_FORMAT " pieces", count);
    g_autofree char *expected = g_strdup_printf("at most %u", STORE_MAX_IDS);
    refuse(binder, field, found, expected);
    return;
  }
  words = g_new0(guint32, 2 * count + 1);
  for (gsize i = 0; i < count; i++) {
    memcpy(&words[2 * i + 1], &pieces[i].p, sizeof *words);
    words[2 * i] = GUINT32_TO_LE(pieces[i].end);
    words[2 * i + 1] = GUINT32_TO_LE(words[2 * i + 1]);
  }
  bound(binder, sqlite3_bind_blob(binder->statement, binder->index, words,
                                  (int)(2 * count * sizeof *words), SQLITE_TRANSIENT));
}

void
store_bind_time(StoreBinder *binder)
{
  g_autoptr(GDateTime) now = g_date_time_new_now_utc();
  g_autofree char *seconds = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S");
  g_autofree char *text =
      g_strdup_printf("%s.%03dZ", seconds, g_date_time_get_microsecond(now) / 1000);

  store_bind_text(binder, "time", text);
}
