/* convert.c - see convert.h.
 *
 * 1. What the old rows say is checked as any row is: a log that was damaged is not brought over,
 * and stays as it is.
 * 2. Rows come table by table, each by its ids, so that none comes before what it refers to,
 * however the clock went. Each keeps the time that it had.
 */
#include "convert.h"

#include "limits.h"
#include "write.h"
#include <math.h>
#include <string.h>

#define DOING "bringing schema version 4 to 5"

static StoreOwnedStatement *
prepare(StoreLog *log, const char *sql, GError **error)
{
  StoreOwnedStatement *statement = NULL;
  int rc = sqlite3_prepare_v2(log->db, sql, -1, &statement, NULL);

  if (rc != SQLITE_OK) {
    store_fail_sqlite(error, log->db, log->name, DOING, rc);
    return NULL;
  }
  return statement;
}

/* ---- values of the old tables --------------------------------------------------------------- */

static const char *
text(StoreReader *reader, const char *field, GStringChunk *strings)
{
  const char *value = store_read_text(reader, field, STORE_NULLABLE);

  return value ? g_string_chunk_insert(strings, value) : NULL;
}

static double
real(StoreReader *reader, const char *field)
{
  const int index = reader->index++;
  const int type = sqlite3_column_type(reader->statement, index);

  if (type == SQLITE_NULL || reader->failed) {
    return (double)NAN;
  }
  if (type != SQLITE_FLOAT && type != SQLITE_INTEGER) {
    store_corrupt(reader, field, "found something else, expected a real");
  }
  return sqlite3_column_double(reader->statement, index);
}

static guint64
seed(StoreReader *reader)
{
  const gint64 value = store_read_int(reader, "seed", G_MININT64, G_MAXINT64);
  guint64 bits;

  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* WORDS little-endian numbers of 32 bits for each of *count things; NULL for none. */
static guint32 *
words(StoreReader *reader, const char *field, guint each, gsize *count)
{
  const int index = reader->index++;
  const int type = sqlite3_column_type(reader->statement, index);
  const gsize n = (gsize)sqlite3_column_bytes(reader->statement, index);
  guint32 *values;

  *count = 0;
  if (reader->failed || type == SQLITE_NULL) {
    return NULL;
  }
  if (type != SQLITE_BLOB || n % (4 * each) != 0 || n / (4 * each) > STORE_MAX_IDS) {
    store_corrupt(reader, field, "found something else, expected numbers");
    return NULL;
  }
  *count = n / (4 * each);
  values = g_memdup2(sqlite3_column_blob(reader->statement, index), n);
  for (gsize i = 0; i < n / 4; i++) {
    values[i] = GUINT32_FROM_LE(values[i]);
  }
  return values;
}

/* ---- rows of the old tables ----------------------------------------------------------------- */

/* Each reads the row ID of its table and writes it as an event. */
typedef gboolean (*ConvertRow)(StoreLog *log, StoreReader *reader, GStringChunk *strings,
                               const StoreOrigin *origin);

static gboolean
convert_model(StoreLog *log, StoreReader *reader, GStringChunk *strings, const StoreOrigin *origin)
{
  StoreModel model = {0};

  model.name = text(reader, "name", strings);
  model.sha256 = text(reader, "sha256", strings);
  model.quantization = text(reader, "quantization", strings);
  model.path = text(reader, "path", strings);
  model.template_name = text(reader, "template_name", strings);
  model.engine = text(reader, "engine", strings);
  return !reader->failed && store_write_model(log, &model, origin, reader->error);
}

static gboolean
convert_image(StoreLog *log, StoreReader *reader, GStringChunk *strings, const StoreOrigin *origin)
{
  StoreImage image = {0};

  image.path = text(reader, "path", strings);
  image.sop_instance_uid = text(reader, "sop_instance_uid", strings);
  image.sop_class = text(reader, "sop_class", strings);
  image.transfer_syntax = text(reader, "transfer_syntax", strings);
  image.frame = store_read_uint(reader, "frame");
  image.has_window = (gboolean)store_read_int(reader, "has_window", 0, 1);
  image.window_center = real(reader, "window_center");
  image.window_width = real(reader, "window_width");
  image.voi_function = text(reader, "voi_function", strings);
  image.inverted = (gboolean)store_read_int(reader, "inverted", 0, 1);
  image.pixels_sha256 = text(reader, "pixels_sha256", strings);
  image.sent_sha256 = text(reader, "sent_sha256", strings);
  image.blank = (gboolean)store_read_int(reader, "blank", 0, 1);
  image.body_part = text(reader, "body_part", strings);
  image.view = text(reader, "view", strings);
  image.laterality = text(reader, "laterality", strings);
  image.warnings = text(reader, "warnings", strings);
  image.region_x = store_read_uint(reader, "region_x");
  image.region_y = store_read_uint(reader, "region_y");
  image.region_width = store_read_uint(reader, "region_width");
  image.region_height = store_read_uint(reader, "region_height");
  image.turns = (guint)store_read_int(reader, "turns", 0, 3);
  image.flip = (gboolean)store_read_int(reader, "flip", 0, 1);
  image.has_voi_lut = sqlite3_column_type(reader->statement, reader->index) != SQLITE_NULL;
  if (image.has_voi_lut) {
    image.voi_lut = store_read_uint(reader, "voi_lut");
  } else {
    reader->index++;
  }
  image.series_instance_uid = text(reader, "series_instance_uid", strings);
  image.modality = text(reader, "modality", strings);
  image.study_instance_uid = text(reader, "study_instance_uid", strings);
  image.study_date = text(reader, "study_date", strings);
  image.study_description = text(reader, "study_description", strings);
  image.patient_id = text(reader, "patient_id", strings);
  image.patient_name = text(reader, "patient_name", strings);
  return !reader->failed && store_write_image(log, &image, origin, reader->error);
}

static gboolean
convert_conversation(StoreLog *log, StoreReader *reader, GStringChunk *strings,
                     const StoreOrigin *origin)
{
  StoreOpening opening = {0};

  opening.model = store_read_id(reader, "model", STORE_REQUIRED);
  opening.program_version = text(reader, "program_version", strings);
  opening.rewound_from = store_read_id(reader, "rewound_from", STORE_NULLABLE);
  if (opening.rewound_from) {
    opening.rewound_turn = store_read_uint(reader, "rewound_turn");
  }
  return !reader->failed && store_write_conversation(log, &opening, origin, reader->error);
}

/* The images of turn ID before its last. */
static gint64 *
earlier_images(StoreLog *log, gint64 id, gsize *count, GError **error)
{
  g_autoptr(StoreOwnedStatement) statement = prepare(
      log, "SELECT image FROM turn_images WHERE turn = ?1 ORDER BY number LIMIT 10000", error);
  g_autoptr(GArray) images = g_array_new(FALSE, FALSE, sizeof(gint64));
  int rc = SQLITE_DONE;

  *count = 0;
  if (!statement) {
    return NULL;
  }
  sqlite3_bind_int64(statement, 1, id);
  while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
    const gint64 image = sqlite3_column_int64(statement, 0);
    g_array_append_val(images, image);
  }
  if (rc != SQLITE_DONE) {
    store_fail_sqlite(error, log->db, log->name, DOING, rc);
    return NULL;
  }
  *count = images->len;
  return g_memdup2(images->data, images->len * sizeof(gint64));
}

static StorePiece *
pieces_of(const guint32 *values, gsize count)
{
  StorePiece *pieces = values ? g_new0(StorePiece, count + 1) : NULL;

  for (gsize i = 0; values && i < count; i++) {
    pieces[i].end = values[2 * i];
    memcpy(&pieces[i].p, &values[2 * i + 1], sizeof pieces[i].p);
  }
  return pieces;
}

static gboolean
convert_turn(StoreLog *log, StoreReader *reader, GStringChunk *strings, const StoreOrigin *origin)
{
  StoreTurn turn = {0};
  const gint64 conversation = store_read_id(reader, "conversation", STORE_REQUIRED);
  g_autofree guint32 *prompt = NULL, *answer = NULL, *cuts = NULL;
  g_autofree gint64 *earlier = NULL;
  g_autofree StorePiece *pieces = NULL;
  g_autoptr(GError) local = NULL;

  turn.image = store_read_id(reader, "image", STORE_NULLABLE);
  turn.question = text(reader, "question", strings);
  turn.answer = text(reader, "answer", strings);
  prompt = words(reader, "prompt_ids", 1, &turn.n_prompt_ids);
  answer = words(reader, "answer_ids", 1, &turn.n_answer_ids);
  turn.stop = text(reader, "stop", strings);
  turn.temperature = real(reader, "temperature");
  turn.top_p = real(reader, "top_p");
  turn.seed = seed(reader);
  turn.max_tokens = store_read_uint(reader, "max_tokens");
  turn.image_s = real(reader, "image_s");
  turn.prompt_s = real(reader, "prompt_s");
  turn.first_token_s = real(reader, "first_token_s");
  turn.answer_s = real(reader, "answer_s");
  turn.prompt_tokens = store_read_uint(reader, "prompt_tokens");
  turn.answer_tokens = store_read_uint(reader, "answer_tokens");
  turn.answer_form = text(reader, "answer_form", strings);
  turn.instruction_rule = text(reader, "instruction_rule", strings);
  turn.instruction_list = text(reader, "instruction_list", strings);
  turn.instruction_text = text(reader, "instruction_text", strings);
  turn.instruction_words = store_read_uint(reader, "instruction_words");
  turn.instruction_threshold = store_read_uint(reader, "instruction_threshold");
  cuts = words(reader, "pieces", 2, &turn.n_pieces);
  pieces = pieces_of(cuts, turn.n_pieces);
  earlier = earlier_images(log, origin->id, &turn.n_earlier_images, &local);
  if (local) {
    g_propagate_error(reader->error, g_steal_pointer(&local));
    return FALSE;
  }
  turn.prompt_ids = (const gint32 *)prompt;
  turn.answer_ids = (const gint32 *)answer;
  turn.earlier_images = earlier;
  turn.pieces = pieces;
  return !reader->failed && store_write_turn(log, conversation, &turn, origin, reader->error);
}

static gboolean
convert_verdict(StoreLog *log, StoreReader *reader, GStringChunk *strings,
                const StoreOrigin *origin)
{
  StoreVerdict verdict = {0};
  const gint64 turn = store_read_id(reader, "turn", STORE_REQUIRED);

  verdict.verdict = text(reader, "verdict", strings);
  verdict.text = text(reader, "text", strings);
  verdict.user_name = text(reader, "user_name", strings);
  verdict.real_name = text(reader, "real_name", strings);
  return !reader->failed && store_write_verdict(log, turn, &verdict, origin, reader->error);
}

static gboolean
read_answers(StoreLog *log, gint64 id, GStringChunk *strings, GArray *answers, GError **error)
{
  g_autoptr(StoreOwnedStatement) statement =
      prepare(log,
              "SELECT answer, seed, blank FROM check_answers WHERE of_check = ?1 ORDER BY number"
              " LIMIT 10000",
              error);
  int rc;

  if (!statement) {
    return FALSE;
  }
  sqlite3_bind_int64(statement, 1, id);
  while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
    StoreReader reader = {log, statement, "check_answers", id, 0, FALSE, error};
    StoreCheckAnswer answer = {0};

    answer.answer = text(&reader, "answer", strings);
    answer.seed = seed(&reader);
    answer.blank = (gboolean)store_read_int(&reader, "blank", 0, 1);
    if (reader.failed) {
      return FALSE;
    }
    g_array_append_val(answers, answer);
  }
  return rc == SQLITE_DONE || store_fail_sqlite(error, log->db, log->name, DOING, rc);
}

static gboolean
convert_check(StoreLog *log, StoreReader *reader, GStringChunk *strings, const StoreOrigin *origin)
{
  StoreCheck check = {0};
  const gint64 turn = store_read_id(reader, "turn", STORE_REQUIRED);
  g_autoptr(GArray) answers = g_array_new(FALSE, TRUE, sizeof(StoreCheckAnswer));

  check.kind = text(reader, "kind", strings);
  check.same = (gboolean)store_read_int(reader, "same", 0, 1);
  check.agreement = real(reader, "agreement");
  if (reader->failed || !read_answers(log, origin->id, strings, answers, reader->error)) {
    return FALSE;
  }
  check.answers = (const StoreCheckAnswer *)(gpointer)answers->data;
  check.n_answers = answers->len;
  return store_write_check(log, turn, &check, origin, reader->error) != 0;
}

/* ---- all of them ---------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
  const char *table, *sql;
  ConvertRow convert;
} kinds[] = {
  {"models", "SELECT name, sha256, quantization, path, template_name, engine FROM models"
   " WHERE id = ?1", convert_model},
  {"images", "SELECT i.path, i.sop_instance_uid, i.sop_class, i.transfer_syntax, i.frame,"
   " i.has_window, i.window_center, i.window_width, i.voi_function, i.inverted, i.pixels_sha256,"
   " i.sent_sha256, i.blank, i.body_part, i.view, i.laterality, i.warnings, i.region_x, i.region_y,"
   " i.region_width, i.region_height, i.turns, i.flip, i.voi_lut, s.series_instance_uid, s.modality,"
   " u.study_instance_uid, u.study_date, u.study_description, p.patient_id, p.patient_name"
   " FROM images AS i LEFT JOIN series AS s ON s.id = i.series"
   " LEFT JOIN studies AS u ON u.id = s.study LEFT JOIN patients AS p ON p.id = u.patient"
   " WHERE i.id = ?1", convert_image},
  {"conversations", "SELECT model, program_version, rewound_from, rewound_turn FROM conversations"
   " WHERE id = ?1", convert_conversation},
  {"turns", "SELECT conversation, image, question, answer, prompt_ids, answer_ids, stop,"
   " temperature, top_p, seed, max_tokens, image_s, prompt_s, first_token_s, answer_s,"
   " prompt_tokens, answer_tokens, answer_form, instruction_rule, instruction_list,"
   " instruction_text, instruction_words, instruction_threshold, pieces FROM turns WHERE id = ?1",
   convert_turn},
  {"verdicts", "SELECT turn, verdict, text, user_name, real_name FROM verdicts WHERE id = ?1",
   convert_verdict},
  {"checks", "SELECT turn, kind, same, agreement FROM checks WHERE id = ?1", convert_check},
};
/* clang-format on */

/* Every row of a table, by its id. */
static gboolean
convert_table(StoreLog *log, guint kind, gint64 *count, GError **error)
{
  g_autofree char *list = g_strdup_printf("SELECT id, time FROM %s ORDER BY id", kinds[kind].table);
  g_autoptr(StoreOwnedStatement) ids = prepare(log, list, error);
  g_autoptr(StoreOwnedStatement) one = ids ? prepare(log, kinds[kind].sql, error) : NULL;
  int rc;

  *count = 0;
  if (!one) {
    return FALSE;
  }
  while ((rc = sqlite3_step(ids)) == SQLITE_ROW) {
    StoreReader at = {log, ids, kinds[kind].table, 0, 0, FALSE, error};
    StoreReader reader = {log, one, kinds[kind].table, 0, 0, FALSE, error};
    g_autoptr(GStringChunk) strings = g_string_chunk_new(1024);
    StoreOrigin origin;
    int found;

    origin.id = reader.row = at.row = store_read_id(&at, "id", STORE_REQUIRED);
    origin.time = store_read_text(&at, "time", STORE_REQUIRED);
    if (at.failed) {
      return FALSE;
    }
    sqlite3_reset(one);
    sqlite3_bind_int64(one, 1, origin.id);
    found = sqlite3_step(one);
    if (found != SQLITE_ROW) {
      return store_fail_sqlite(error, log->db, log->name, DOING,
                               found == SQLITE_DONE ? SQLITE_CORRUPT : found);
    }
    if (!kinds[kind].convert(log, &reader, strings, &origin)) {
      return FALSE;
    }
    ++*count;
  }
  return rc == SQLITE_DONE || store_fail_sqlite(error, log->db, log->name, DOING, rc);
}

gboolean
store_convert(StoreLog *log, GError **error)
{
  g_autoptr(GString) counts = g_string_new("");
  StoreField fields[] = {{"from_version", "4"}, {"rows", NULL}};
  const StoreEvent event = {.kind = "migrated", .fields = fields, .n_fields = G_N_ELEMENTS(fields)};

  for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
    gint64 count = 0;
    if (!convert_table(log, i, &count, error)) {
      return FALSE;
    }
    g_string_append_printf(counts, "%s%" G_GINT64_FORMAT " %s", i ? ", " : "", count,
                           kinds[i].table);
  }
  fields[1].text = counts->str;
  return store_write_event(log, &event, error) != 0;
}

gboolean
store_write_first(StoreLog *log, GError **error)
{
  const StoreField own[] = {{"log_id", log->log_id},
                            {"format", "hilum event 1"},
                            {"protection", store_protection_name(log)}};
  g_autoptr(GArray) fields = g_array_new(FALSE, FALSE, sizeof(StoreField));
  StoreEvent event = {.kind = "log", .action = "begin"};

  g_array_append_vals(fields, own, G_N_ELEMENTS(own));
  if (log->n_begin > 0) {
    g_array_append_vals(fields, log->begin, (guint)log->n_begin);
  }
  event.fields = (const StoreField *)(gpointer)fields->data;
  event.n_fields = fields->len;
  return store_write_event(log, &event, error) != 0;
}
