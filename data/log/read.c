/* read.c - reading the log back.
 *
 * 1. Nothing that a row says is believed: types, ranges, UTF-8, references and each row's hash are
 *    checked, and the first that is wrong ends the reading with CORRUPT.
 * 2. Rows come in a strict order (ids fall, turn numbers count up from 1), and that is checked too:
 *    it is what ends the reading of a file whose pages point at each other in circles.
 * 3. What cannot be read because its key is gone is absent, and said to be so.
 */
#include "content.h"
#include "row.h"
#include <string.h>

void
store_conversation_free(StoreConversation *conversation)
{
  if (!conversation) {
    return;
  }
  g_free(conversation->started);
  g_free(conversation->imported);
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
  g_free(row->imported);
  g_free((gpointer)row->turn.prompt_ids);
  g_free((gpointer)row->turn.answer_ids);
  g_free((gpointer)row->turn.pieces);
  g_free((gpointer)row->turn.earlier_images);
  g_free(row->earlier);
  g_string_chunk_free(row->strings);
  g_free(row);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreTurnRow, store_turn_row_free)

/* What the derived tables say of an id, and what its event says, must be the same. */
static gboolean
check_id(StoreBody *body, const char *field, gint64 expected)
{
  const gint64 found = store_body_int(body, STORE_CLEAR, field, 1, G_MAXINT64);

  if (!body->failed && found != expected) {
    store_body_corrupt(body, field, "found %" G_GINT64_FORMAT ", expected %" G_GINT64_FORMAT, found,
                       expected);
  }
  return !body->failed;
}

/* Whether the texts of the event were lost before it was recovered. */
static gboolean
is_lost(StoreBody *body)
{
  return store_body_flag(body, STORE_CLEAR, "recovered_lost") ||
         g_strcmp0(store_body_text(body, STORE_CLEAR, "recovered_text", STORE_NULLABLE), "lost") ==
             0;
}

static const char *
recovered_as(StoreBody *body, gboolean lost, GStringChunk *strings)
{
  const char *proof = store_body_text(body, STORE_CLEAR, "recovered_proof", STORE_NULLABLE);

  proof = proof || !lost ? proof : "none";
  return proof ? g_string_chunk_insert(strings, proof) : NULL;
}

static char *
dup_text(StoreBody *body, StorePlace place, const char *field)
{
  return g_strdup(store_body_text(body, place, field, STORE_NULLABLE));
}

/* ---- the list ------------------------------------------------------------------------------- */

typedef struct {
  gint64 id, event, model, turn, image; /* events, 0: none */
  guint n_turns;
} Listed;

static gboolean
read_listed(StoreReader *reader, gint64 previous, Listed *listed)
{
  listed->id = reader->row = store_read_id(reader, "id", STORE_REQUIRED);
  if (listed->id >= previous && !reader->failed) {
    store_corrupt(reader, "id", "found %" G_GINT64_FORMAT ", expected less", listed->id);
  }
  listed->event = store_read_id(reader, "event", STORE_REQUIRED);
  listed->model = store_read_id(reader, "model", STORE_REQUIRED);
  listed->turn = store_read_id(reader, "turn", STORE_NULLABLE);
  listed->image = store_read_id(reader, "image", STORE_NULLABLE);
  listed->n_turns = (guint)store_read_id(reader, "number of turns", STORE_NULLABLE);
  return !reader->failed;
}

static gboolean
read_opening(StoreLog *log, const Listed *listed, StoreConversation *row, GError **error)
{
  g_auto(StoreBody) body = {0};

  if (!store_row_open(log, listed->event, "conversation", &body, &row->started, NULL, error)) {
    return FALSE;
  }
  store_body_time(&body, &row->started, &row->imported);
  row->id = listed->id;
  row->n_turns = listed->n_turns;
  row->program_version = dup_text(&body, STORE_CLEAR, "program_version");
  row->rewound_from = store_body_int(&body, STORE_CLEAR, "rewound_from", 1, G_MAXINT64);
  row->rewound_turn = store_body_uint(&body, STORE_CLEAR, "rewound_turn");
  return check_id(&body, "id", listed->id);
}

static gboolean
read_listed_model(StoreLog *log, gint64 event, StoreConversation *row, GError **error)
{
  g_auto(StoreBody) body = {0};

  if (!store_row_open(log, event, "model", &body, NULL, NULL, error)) {
    return FALSE;
  }
  row->model_name = dup_text(&body, STORE_CLEAR, "name");
  row->model_sha256 = dup_text(&body, STORE_CLEAR, "sha256");
  row->model_engine = dup_text(&body, STORE_CLEAR, "engine");
  return !body.failed;
}

static gboolean
read_first_turn(StoreLog *log, const Listed *listed, StoreConversation *row, GError **error)
{
  g_auto(StoreBody) body = {.without_lists = TRUE}, image = {0};

  if (!listed->turn) {
    return TRUE;
  }
  if (!store_row_open(log, listed->turn, "turn", &body, NULL, NULL, error)) {
    return FALSE;
  }
  row->erased = log->keys && !body.json[STORE_SEALED];
  row->lost = is_lost(&body);
  row->first_question = dup_text(&body, STORE_SEALED, "question");
  if (body.failed || !check_id(&body, "conversation", listed->id)) {
    return FALSE;
  }
  if (!listed->image) {
    return TRUE;
  }
  if (!store_row_open(log, listed->image, "image", &image, NULL, NULL, error)) {
    return FALSE;
  }
  row->image_path = dup_text(&image, STORE_SEALED, "path");
  row->modality = dup_text(&image, STORE_CLEAR, "modality");
  return !image.failed;
}

static StoreConversation *
read_conversation(StoreLog *log, const Listed *listed, GError **error)
{
  g_autoptr(StoreConversation) row = g_new0(StoreConversation, 1);

  return read_opening(log, listed, row, error) &&
                 read_listed_model(log, listed->model, row, error) &&
                 read_first_turn(log, listed, row, error)
             ? g_steal_pointer(&row)
             : NULL;
}

GPtrArray *
store_log_list(StoreLog *log, guint limit, GError **error)
{
  const char *doing = "listing conversations";
  g_autoptr(GPtrArray) rows =
      g_ptr_array_new_with_free_func((GDestroyNotify)store_conversation_free);
  g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_LIST, doing, error);
  StoreBinder binder = {log, statement, "conversation", 0, FALSE, error};
  gint64 previous = G_MAXINT64;

  if (!statement) {
    return NULL;
  }
  store_bind_int(&binder, limit ? (gint64)limit : -1);
  for (gboolean more = TRUE; more;) {
    StoreReader reader = {log, statement, "conversation", 0, 0, FALSE, error};
    Listed listed;
    StoreConversation *row;

    if (binder.failed || !store_step(log, statement, doing, &more, error)) {
      return NULL;
    }
    if (!more) {
      break;
    }
    row = read_listed(&reader, previous, &listed) ? read_conversation(log, &listed, error) : NULL;
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
  StoreBinder binder = {log, statement, "conversation", 0, FALSE, error};
  StoreReader reader = {log, statement, "conversation", 0, 0, FALSE, error};
  Listed listed;
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
  return read_listed(&reader, G_MAXINT64, &listed) ? read_conversation(log, &listed, error) : NULL;
}

/* ---- the turns of a conversation ------------------------------------------------------------ */

static gboolean
read_model(StoreLog *log, gint64 event, StoreTurnRow *row, GError **error)
{
  g_auto(StoreBody) body = {0};

  if (!store_row_open(log, event, "model", &body, NULL, NULL, error)) {
    return FALSE;
  }
  store_get_model(&body, &row->model, row->strings);
  return !body.failed;
}

static gboolean
read_image(StoreLog *log, gint64 id, StoreImage *image, GStringChunk *strings, GError **error)
{
  g_auto(StoreBody) body = {0};
  gint64 event[2];

  if (!store_look_up(log, STORE_SQL_HAS_IMAGE, "reading an image", id, event, error)) {
    return FALSE;
  }
  if (!event[0]) {
    return store_fail(error, STORE_ERROR_CORRUPT, log->name,
                      "image: found %" G_GINT64_FORMAT ", which is not in the log", id);
  }
  if (!store_row_open(log, event[0], "image", &body, NULL, NULL, error)) {
    return FALSE;
  }
  store_get_image(&body, image, strings);
  return check_id(&body, "id", id);
}

static gboolean
read_images(StoreLog *log, StoreTurnRow *row, GError **error)
{
  if (!row->turn.image) {
    return TRUE;
  }
  row->earlier = g_new0(StoreImage, row->turn.n_earlier_images + 1);
  for (gsize i = 0; i < row->turn.n_earlier_images; i++) {
    if (!read_image(log, row->turn.earlier_images[i], &row->earlier[i], row->strings, error)) {
      return FALSE;
    }
  }
  return read_image(log, row->turn.image, &row->image, row->strings, error);
}

/* READER stands on a row of STORE_SQL_SHOW. */
static StoreTurnRow *
read_turn_row(StoreReader *reader, gint64 conversation, guint expected)
{
  g_autoptr(StoreTurnRow) row = g_new0(StoreTurnRow, 1);
  StoreLog *log = reader->log;
  g_auto(StoreBody) body = {0};
  gint64 event, model;

  row->strings = g_string_chunk_new(1024);
  row->id = reader->row = store_read_id(reader, "id", STORE_REQUIRED);
  event = store_read_id(reader, "event", STORE_REQUIRED);
  row->number = store_read_uint(reader, "number");
  if (row->number != expected && !reader->failed) {
    store_corrupt(reader, "number", "found %u, expected %u", row->number, expected);
  }
  model = store_read_id(reader, "model", STORE_REQUIRED);
  if (reader->failed ||
      !store_row_open(log, event, "turn", &body, &row->time, NULL, reader->error)) {
    return NULL;
  }
  store_body_time(&body, &row->time, &row->imported);
  store_get_turn(&body, &row->turn, row->strings);
  row->erased = log->keys && !body.json[STORE_SEALED];
  row->lost = is_lost(&body);
  row->recovered = recovered_as(&body, row->lost, row->strings);
  if (!row->turn.question) { /* not to be read any more: no reader need ask for NULL */
    row->turn.question = row->turn.answer = "";
  }
  if (body.failed || !check_id(&body, "id", row->id) ||
      !check_id(&body, "conversation", conversation) || !check_id(&body, "number", expected) ||
      !read_model(log, model, row, reader->error) || !read_images(log, row, reader->error)) {
    return NULL;
  }
  return g_steal_pointer(&row);
}

GPtrArray *
store_log_show(StoreLog *log, gint64 conversation, GError **error)
{
  const char *doing = "reading a conversation";
  g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func((GDestroyNotify)store_turn_row_free);
  g_autoptr(StoreStatement) statement = store_statement(log, STORE_SQL_SHOW, doing, error);
  StoreBinder binder = {log, statement, "turn", 0, FALSE, error};

  if (!statement) {
    return NULL;
  }
  store_bind_int(&binder, conversation);
  for (gboolean more = TRUE; more;) {
    StoreReader reader = {log, statement, "turn", 0, 0, FALSE, error};
    StoreTurnRow *row;

    if (binder.failed || !store_step(log, statement, doing, &more, error)) {
      return NULL;
    }
    if (!more) {
      break;
    }
    row = read_turn_row(&reader, conversation, rows->len + 1);
    if (!row) {
      return NULL;
    }
    g_ptr_array_add(rows, row);
  }
  if (rows->len == 0) {
    gint64 event[2];
    if (!store_look_up(log, STORE_SQL_HAS_CONVERSATION, doing, conversation, event, error)) {
      return NULL;
    }
    if (!event[0]) {
      store_fail(error, STORE_ERROR_NOT_FOUND, log->name,
                 "conversation %" G_GINT64_FORMAT " is not in the log", conversation);
      return NULL;
    }
  }
  return g_steal_pointer(&rows);
}
