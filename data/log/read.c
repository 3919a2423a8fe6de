/* read.c - reading the log back.
 *
 * 1. Nothing that a row says is believed: types, ranges, UTF-8 and references are checked, and the
 *    first that is wrong ends the reading with CORRUPT.
 * 2. Rows come in a strict order (ids fall, turn numbers count up from 1), and that is checked too:
 *    it is what ends the reading of a file whose pages point at each other in circles.
 */
#include "private.h"

void
store_conversation_free(StoreConversation *conversation)
{
  if (!conversation) {
    return;
  }
  g_free(conversation->started);
  g_free(conversation->model_name);
  g_free(conversation->model_sha256);
  g_free(conversation->model_engine);
  g_free(conversation->modality);
  g_free(conversation->image_path);
  g_free(conversation->first_question);
  g_free(conversation->program_version);
  g_free(conversation->snippet);
  g_free(conversation);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreConversation, store_conversation_free)

void
store_turn_row_free(StoreTurnRow *row)
{
  if (!row) {
    return;
  }
  g_free(row->time);
  g_free((gpointer)row->turn.prompt_ids);
  g_free((gpointer)row->turn.answer_ids);
  g_free((gpointer)row->turn.pieces);
  g_free((gpointer)row->turn.earlier_images);
  g_free(row->earlier);
  g_string_chunk_free(row->strings);
  g_free(row);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreTurnRow, store_turn_row_free)

gint64
store_read_reference(StoreReader *reader, const char *field, StoreNull null)
{
  gint64 reference = store_read_id(reader, field, null);

  if (store_read_id(reader, field, STORE_NULLABLE) != reference && !reader->failed) {
    reader->failed = TRUE;
    store_fail(reader->error, STORE_ERROR_CORRUPT, reader->log->name,
               "%s row %" G_GINT64_FORMAT ": %s: found %" G_GINT64_FORMAT
               ", which is not in the log",
               reader->table, reader->row, field, reference);
  }
  return reference;
}

static void
out_of_order(StoreReader *reader, const char *field, gint64 found, gint64 expected)
{
  if (!reader->failed) {
    reader->failed = TRUE;
    store_fail(reader->error, STORE_ERROR_CORRUPT, reader->log->name,
               "%s row %" G_GINT64_FORMAT ": %s: found %" G_GINT64_FORMAT
               ", expected %" G_GINT64_FORMAT,
               reader->table, reader->row, field, found, expected);
  }
}

char *
store_dup_text(StoreReader *reader, const char *field, StoreNull null)
{
  return g_strdup(store_read_text(reader, field, null));
}

static const char *
chunk_text(StoreReader *reader, GStringChunk *strings, const char *field, StoreNull null)
{
  const char *text = store_read_text(reader, field, null);

  return text ? g_string_chunk_insert(strings, text) : NULL;
}

/* 0 for NULL. */
static guint
read_uint_or_0(StoreReader *reader, const char *field)
{
  if (sqlite3_column_type(reader->statement, reader->index) == SQLITE_NULL) {
    reader->index++;
    return 0;
  }
  return store_read_uint(reader, field);
}

/* ---- the list ------------------------------------------------------------------------------- */

/* PREVIOUS: the id before it, which must be larger. The columns are those of STORE_SQL_LIST. */
static StoreConversation *
read_conversation(StoreReader *reader, gint64 previous)
{
  g_autoptr(StoreConversation) row = g_new0(StoreConversation, 1);

  row->id = reader->row = store_read_id(reader, "id", STORE_REQUIRED);
  if (row->id >= previous) {
    out_of_order(reader, "id", row->id, previous - 1);
  }
  row->started = store_dup_text(reader, "time", STORE_REQUIRED);
  store_read_reference(reader, "model", STORE_REQUIRED);
  row->model_name = store_dup_text(reader, "model name", STORE_NULLABLE);
  row->model_sha256 = store_dup_text(reader, "model sha256", STORE_NULLABLE);
  row->model_engine = store_dup_text(reader, "model engine", STORE_NULLABLE);
  row->program_version = store_dup_text(reader, "program version", STORE_NULLABLE);
  row->rewound_from = store_read_id(reader, "rewound from", STORE_NULLABLE);
  row->rewound_turn = read_uint_or_0(reader, "rewound turn");
  row->first_question = store_dup_text(reader, "first question", STORE_NULLABLE);
  store_read_reference(reader, "image", STORE_NULLABLE);
  row->image_path = store_dup_text(reader, "image path", STORE_NULLABLE);
  store_read_reference(reader, "series", STORE_NULLABLE);
  row->modality = store_dup_text(reader, "modality", STORE_NULLABLE);
  row->n_turns = read_uint_or_0(reader, "number of turns");
  return reader->failed ? NULL : g_steal_pointer(&row);
}

GPtrArray *
store_log_list(StoreLog *log, guint limit, GError **error)
{
  const char *doing = "listing conversations";
  g_autoptr(GPtrArray) rows =
      g_ptr_array_new_with_free_func((GDestroyNotify)store_conversation_free);
  g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_LIST, doing, error);
  StoreBinder binder = {log, statement, "conversations", 0, FALSE, error};
  gint64 previous = G_MAXINT64;

  if (!statement) {
    return NULL;
  }
  store_bind_int(&binder, limit ? (gint64)limit : -1);
  for (gboolean more = TRUE; more;) {
    StoreReader reader = {log, statement, "conversations", 0, 0, FALSE, error};
    StoreConversation *row;

    if (binder.failed || !store_step(log, statement, doing, &more, error)) {
      return NULL;
    }
    if (!more) {
      break;
    }
    row = read_conversation(&reader, previous);
    if (!row) {
      return NULL;
    }
    previous = row->id;
    g_ptr_array_add(rows, row);
  }
  return g_steal_pointer(&rows);
}

StoreConversation *
store_log_get(StoreLog *log, gint64 id, GError **error)
{
  const char *doing = "reading a conversation";
  g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_GET, doing, error);
  StoreBinder binder = {log, statement, "conversations", 0, FALSE, error};
  StoreReader reader = {log, statement, "conversations", 0, 0, FALSE, error};
  gboolean found = FALSE;

  if (!statement) {
    return NULL;
  }
  store_bind_int(&binder, id);
  if (binder.failed || !store_step(log, statement, doing, &found, error)) {
    return NULL;
  }
  if (!found) {
    store_fail(error, STORE_ERROR_NOT_FOUND, log->name,
               "conversation %" G_GINT64_FORMAT " is not in the log", id);
    return NULL;
  }
  return read_conversation(&reader, G_MAXINT64);
}

/* ---- the turns of a conversation ------------------------------------------------------------ */

static void
read_turn(StoreReader *reader, StoreTurn *turn, GStringChunk *strings)
{
  gint64 seed;

  turn->question = chunk_text(reader, strings, "question", STORE_REQUIRED);
  turn->answer = chunk_text(reader, strings, "answer", STORE_REQUIRED);
  turn->prompt_ids = store_read_ids(reader, "prompt_ids", &turn->n_prompt_ids);
  turn->answer_ids = store_read_ids(reader, "answer_ids", &turn->n_answer_ids);
  turn->stop = chunk_text(reader, strings, "stop", STORE_NULLABLE);
  turn->temperature = store_read_real(reader, "temperature");
  turn->top_p = store_read_real(reader, "top_p");
  seed = store_read_int(reader, "seed", G_MININT64, G_MAXINT64);
  memcpy(&turn->seed, &seed, sizeof seed);
  turn->max_tokens = store_read_uint(reader, "max_tokens");
  turn->image_s = store_read_real(reader, "image_s");
  turn->prompt_s = store_read_real(reader, "prompt_s");
  turn->first_token_s = store_read_real(reader, "first_token_s");
  turn->answer_s = store_read_real(reader, "answer_s");
  turn->prompt_tokens = store_read_uint(reader, "prompt_tokens");
  turn->answer_tokens = store_read_uint(reader, "answer_tokens");
  turn->answer_form = chunk_text(reader, strings, "answer_form", STORE_NULLABLE);
  turn->instruction_rule = chunk_text(reader, strings, "instruction_rule", STORE_NULLABLE);
  turn->instruction_list = chunk_text(reader, strings, "instruction_list", STORE_NULLABLE);
  turn->instruction_text = chunk_text(reader, strings, "instruction_text", STORE_NULLABLE);
  turn->instruction_words = store_read_uint(reader, "instruction_words");
  turn->instruction_threshold = store_read_uint(reader, "instruction_threshold");
  turn->pieces = store_read_pieces(reader, "pieces", turn->answer, &turn->n_pieces);
}

static void
read_model(StoreReader *reader, StoreModel *model, GStringChunk *strings)
{
  store_read_reference(reader, "model", STORE_REQUIRED);
  model->name = chunk_text(reader, strings, "model name", STORE_NULLABLE);
  model->sha256 = chunk_text(reader, strings, "model sha256", STORE_NULLABLE);
  model->quantization = chunk_text(reader, strings, "model quantization", STORE_NULLABLE);
  model->path = chunk_text(reader, strings, "model path", STORE_NULLABLE);
  model->template_name = chunk_text(reader, strings, "model template", STORE_NULLABLE);
  model->engine = chunk_text(reader, strings, "model engine", STORE_NULLABLE);
}

static void
read_image(StoreReader *reader, StoreImage *image, GStringChunk *strings)
{
  image->path = chunk_text(reader, strings, "image path", STORE_NULLABLE);
  image->sop_instance_uid = chunk_text(reader, strings, "sop_instance_uid", STORE_NULLABLE);
  image->sop_class = chunk_text(reader, strings, "sop_class", STORE_NULLABLE);
  image->transfer_syntax = chunk_text(reader, strings, "transfer_syntax", STORE_NULLABLE);
  image->frame = store_read_uint(reader, "frame");
  image->has_window = (gboolean)store_read_int(reader, "has_window", 0, 1);
  image->window_center = store_read_real(reader, "window_center");
  image->window_width = store_read_real(reader, "window_width");
  image->voi_function = chunk_text(reader, strings, "voi_function", STORE_NULLABLE);
  image->inverted = (gboolean)store_read_int(reader, "inverted", 0, 1);
  image->pixels_sha256 = chunk_text(reader, strings, "pixels_sha256", STORE_NULLABLE);
  image->sent_sha256 = chunk_text(reader, strings, "sent_sha256", STORE_NULLABLE);
  image->blank = (gboolean)store_read_int(reader, "blank", 0, 1);
  image->body_part = chunk_text(reader, strings, "body_part", STORE_NULLABLE);
  image->view = chunk_text(reader, strings, "view", STORE_NULLABLE);
  image->laterality = chunk_text(reader, strings, "laterality", STORE_NULLABLE);
  image->warnings = chunk_text(reader, strings, "warnings", STORE_NULLABLE);
  image->region_x = store_read_uint(reader, "region_x");
  image->region_y = store_read_uint(reader, "region_y");
  image->region_width = store_read_uint(reader, "region_width");
  image->region_height = store_read_uint(reader, "region_height");
  image->turns = (guint)store_read_int(reader, "turns", 0, 3);
  image->flip = (gboolean)store_read_int(reader, "flip", 0, 1);
  image->has_voi_lut = sqlite3_column_type(reader->statement, reader->index) != SQLITE_NULL;
  image->voi_lut = read_uint_or_0(reader, "voi_lut");
  store_read_reference(reader, "series", STORE_NULLABLE);
  image->series_instance_uid = chunk_text(reader, strings, "series_instance_uid", STORE_NULLABLE);
  image->modality = chunk_text(reader, strings, "modality", STORE_NULLABLE);
  store_read_reference(reader, "study", STORE_NULLABLE);
  image->study_instance_uid = chunk_text(reader, strings, "study_instance_uid", STORE_NULLABLE);
  image->study_date = chunk_text(reader, strings, "study_date", STORE_NULLABLE);
  image->study_description = chunk_text(reader, strings, "study_description", STORE_NULLABLE);
  store_read_reference(reader, "patient", STORE_NULLABLE);
  image->patient_id = chunk_text(reader, strings, "patient_id", STORE_NULLABLE);
  image->patient_name = chunk_text(reader, strings, "patient_name", STORE_NULLABLE);
}

/* EXPECTED: the turn's number. The columns are those of STORE_SQL_SHOW. */
static StoreTurnRow *
read_turn_row(StoreReader *reader, guint expected)
{
  g_autoptr(StoreTurnRow) row = g_new0(StoreTurnRow, 1);

  row->strings = g_string_chunk_new(1024);
  row->id = reader->row = store_read_id(reader, "id", STORE_REQUIRED);
  row->number = store_read_uint(reader, "number");
  if (row->number != expected) {
    out_of_order(reader, "number", row->number, expected);
  }
  row->time = store_dup_text(reader, "time", STORE_REQUIRED);
  read_turn(reader, &row->turn, row->strings);
  read_model(reader, &row->model, row->strings);
  row->turn.image = store_read_reference(reader, "image", STORE_NULLABLE);
  if (row->turn.image) {
    read_image(reader, &row->image, row->strings);
  }
  return reader->failed ? NULL : g_steal_pointer(&row);
}

/* The pictures before the last one, into ROW. */
static gboolean
read_earlier(StoreLog *log, StoreTurnRow *row, const char *doing, GError **error)
{
  g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_EARLIER, doing, error);
  StoreBinder binder = {log, statement, "turn_images", 0, FALSE, error};
  g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
  g_autoptr(GArray) images = g_array_new(FALSE, FALSE, sizeof(StoreImage));

  if (!statement) {
    return FALSE;
  }
  store_bind_int(&binder, row->id);
  for (gboolean more = TRUE; more;) {
    StoreReader reader = {log, statement, "turn_images", 0, 0, FALSE, error};
    StoreImage image = {0};
    gint64 id;

    if (binder.failed || !store_step(log, statement, doing, &more, error)) {
      return FALSE;
    }
    if (!more) {
      break;
    }
    reader.row = store_read_id(&reader, "id", STORE_REQUIRED);
    id = store_read_uint(&reader, "number");
    if (id != (gint64)ids->len + 1) {
      out_of_order(&reader, "number", id, (gint64)ids->len + 1);
    }
    id = store_read_reference(&reader, "image", STORE_REQUIRED);
    read_image(&reader, &image, row->strings);
    if (reader.failed) {
      return FALSE;
    }
    g_array_append_val(ids, id);
    g_array_append_val(images, image);
  }
  row->turn.n_earlier_images = ids->len;
  row->turn.earlier_images = g_memdup2(ids->data, ids->len * sizeof(gint64));
  row->earlier = g_memdup2(images->data, images->len * sizeof(StoreImage));
  return TRUE;
}

/* Whether CONVERSATION has a row, asked only where it has no turns. */
static gboolean
check_conversation(StoreLog *log, gint64 conversation, const char *doing, GError **error)
{
  g_autoptr(StoreStatement) statement =
      store_statement(log, STORE_SQL_HAS_CONVERSATION, doing, error);
  StoreBinder binder = {log, statement, "conversations", 0, FALSE, error};
  gboolean row = FALSE;

  if (!statement) {
    return FALSE;
  }
  store_bind_int(&binder, conversation);
  if (binder.failed || !store_step(log, statement, doing, &row, error)) {
    return FALSE;
  }
  return row || store_fail(error, STORE_ERROR_NOT_FOUND, log->name,
                           "conversation %" G_GINT64_FORMAT " is not in the log", conversation);
}

GPtrArray *
store_log_show(StoreLog *log, gint64 conversation, GError **error)
{
  const char *doing = "reading a conversation";
  g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify)store_turn_row_free);
  g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_SHOW, doing, error);
  StoreBinder binder = {log, statement, "turns", 0, FALSE, error};

  if (!statement) {
    return NULL;
  }
  store_bind_int(&binder, conversation);
  for (gboolean more = TRUE; more;) {
    StoreReader reader = {log, statement, "turns", 0, 0, FALSE, error};
    StoreTurnRow *row;

    if (binder.failed || !store_step(log, statement, doing, &more, error)) {
      return NULL;
    }
    if (!more) {
      break;
    }
    row = read_turn_row(&reader, rows->len + 1);
    if (!row) {
      return NULL;
    }
    g_ptr_array_add(rows, row);
    if (row->turn.image && !read_earlier(log, row, doing, error)) {
      return NULL;
    }
  }
  if (rows->len == 0 && !check_conversation(log, conversation, doing, error)) {
    return NULL;
  }
  return g_steal_pointer(&rows);
}
