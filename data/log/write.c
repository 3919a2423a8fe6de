/* write.c - adding rows.
 *
 * 1. Every public function is one transaction that takes the write lock first (BEGIN IMMEDIATE), so
 *    what it looked up still holds when it writes, whoever else writes.
 * 2. After a failure the transaction is rolled back, and the log can be used on.
 */
#include "private.h"

typedef void (*BindRow)(StoreBinder *binder, const void *row);

/* The lookup and the insertion of one table that holds each value once. */
typedef struct {
  StoreSql find, add;
  const char *table, *doing;
  BindRow bind;
} Kind;

static gint64
last_id(StoreLog *log)
{
  return sqlite3_last_insert_rowid(log->db);
}

/* *id is 0 where nothing is found. */
static gboolean
find_row(StoreLog *log, const Kind *kind, const void *row, gint64 *id, GError **error)
{
  g_autoptr(StoreStatement) statement = store_statement(log, kind->find, kind->doing, error);
  StoreBinder binder = {log, statement, kind->table, 0, FALSE, error};
  gboolean found = FALSE;

  if (!statement) {
    return FALSE;
  }
  kind->bind(&binder, row);
  if (binder.failed || !store_step(log, statement, kind->doing, &found, error)) {
    return FALSE;
  }
  *id = found ? sqlite3_column_int64(statement, 0) : 0;
  return TRUE;
}

static gint64
find_or_add(StoreLog *log, const Kind *kind, const void *row, GError **error)
{
  gint64 id = 0;
  g_autoptr(StoreStatement) statement = NULL;
  gboolean more = FALSE;

  if (!find_row(log, kind, row, &id, error) || id) {
    return id;
  }
  statement = store_statement(log, kind->add, kind->doing, error);
  if (statement) {
    StoreBinder binder = {log, statement, kind->table, 0, FALSE, error};
    kind->bind(&binder, row);
    store_bind_time(&binder);
    if (!binder.failed && store_step(log, statement, kind->doing, &more, error)) {
      return last_id(log);
    }
  }
  return 0;
}

gint64
store_insert(StoreLog *log, StoreBinder *binder, const char *doing, GError **error)
{
  gboolean row = FALSE;

  return !binder->failed && store_step(log, binder->statement, doing, &row, error) ? last_id(log)
                                                                                   : 0;
}

/* ---- transactions --------------------------------------------------------------------------- */

gboolean
store_begin(StoreLog *log, const char *doing, GError **error)
{
  if (log->read_only) {
    return store_fail(error, STORE_ERROR_IO, log->name, "%s: the log was opened for reading only",
                      doing);
  }
  return store_run(log, STORE_SQL_BEGIN, doing, error);
}

gint64
store_finish(StoreLog *log, const char *doing, gint64 id, GError **error)
{
  if (id && store_run(log, STORE_SQL_COMMIT, doing, error)) {
    return id;
  }
  /* SQLite rolls back by itself after some failures; only a transaction that is left is ended. */
  if (!sqlite3_get_autocommit(log->db)) {
    store_run(log, STORE_SQL_ROLLBACK, doing, NULL);
  }
  return 0;
}

/* ---- models --------------------------------------------------------------------------------- */

static void
bind_model(StoreBinder *binder, const void *row)
{
  const StoreModel *model = row;

  store_bind_text(binder, "name", model->name);
  store_bind_sha256(binder, "sha256", model->sha256);
  store_bind_text(binder, "quantization", model->quantization);
  store_bind_text(binder, "path", model->path);
  store_bind_text(binder, "template name", model->template_name);
  store_bind_text(binder, "engine", model->engine);
}

gint64
store_log_add_model(StoreLog *log, const StoreModel *model, GError **error)
{
  static const Kind kind = {STORE_SQL_FIND_MODEL, STORE_SQL_ADD_MODEL, "models", "adding a model",
                            bind_model};

  g_return_val_if_fail(log && model, 0);
  if (!store_begin(log, kind.doing, error)) {
    return 0;
  }
  return store_finish(log, kind.doing, find_or_add(log, &kind, model, error), error);
}

/* ---- images: patient, study and series above each ------------------------------------------- */

#define ADDING_IMAGE "adding an image"

typedef struct {
  gint64 parent; /* row of the table above, 0: none */
  const StoreImage *image;
} ImageRow;

static void
bind_patient(StoreBinder *binder, const void *row)
{
  const StoreImage *image = ((const ImageRow *)row)->image;

  store_bind_text(binder, "patient id", image->patient_id);
  store_bind_text(binder, "patient name", image->patient_name);
}

static void
bind_study(StoreBinder *binder, const void *row)
{
  const ImageRow *study = row;

  store_bind_id(binder, study->parent);
  store_bind_text(binder, "study instance uid", study->image->study_instance_uid);
  store_bind_text(binder, "study date", study->image->study_date);
  store_bind_text(binder, "study description", study->image->study_description);
}

static void
bind_series(StoreBinder *binder, const void *row)
{
  const ImageRow *series = row;

  store_bind_id(binder, series->parent);
  store_bind_text(binder, "series instance uid", series->image->series_instance_uid);
  store_bind_text(binder, "modality", series->image->modality);
}

static void
bind_image(StoreBinder *binder, const void *row)
{
  const ImageRow *parent = row;
  const StoreImage *image = parent->image;

  store_bind_id(binder, parent->parent);
  store_bind_text(binder, "path", image->path);
  store_bind_text(binder, "sop instance uid", image->sop_instance_uid);
  store_bind_text(binder, "sop class", image->sop_class);
  store_bind_text(binder, "transfer syntax", image->transfer_syntax);
  store_bind_int(binder, image->frame);
  store_bind_int(binder, image->has_window != FALSE);
  store_bind_real(binder, image->window_center);
  store_bind_real(binder, image->window_width);
  store_bind_text(binder, "voi function", image->voi_function);
  store_bind_int(binder, image->inverted != FALSE);
  store_bind_sha256(binder, "pixels sha256", image->pixels_sha256);
  store_bind_sha256(binder, "sent sha256", image->sent_sha256);
  store_bind_int(binder, image->blank != FALSE);
  store_bind_text(binder, "body part", image->body_part);
  store_bind_text(binder, "view", image->view);
  store_bind_text(binder, "laterality", image->laterality);
  store_bind_text(binder, "warnings", image->warnings);
  store_bind_int(binder, image->region_x);
  store_bind_int(binder, image->region_y);
  store_bind_int(binder, image->region_width);
  store_bind_int(binder, image->region_height);
  store_bind_int(binder, image->turns);
  store_bind_int(binder, image->flip != FALSE);
  if (image->has_voi_lut) {
    store_bind_int(binder, image->voi_lut);
  } else {
    store_bind_null(binder);
  }
}

/* Adds the levels from the patient down. A level of which nothing is known, nor of those above it,
 * has no row: an X-ray picture from a PNG file belongs to no study. */
static gint64
add_image_rows(StoreLog *log, const StoreImage *image, GError **error)
{
  const struct {
    Kind kind;
    gboolean known;
  } levels[] = {
      {{STORE_SQL_FIND_PATIENT, STORE_SQL_ADD_PATIENT, "patients", ADDING_IMAGE, bind_patient},
       image->patient_id || image->patient_name},
      {{STORE_SQL_FIND_STUDY, STORE_SQL_ADD_STUDY, "studies", ADDING_IMAGE, bind_study},
       image->study_instance_uid || image->study_date || image->study_description},
      {{STORE_SQL_FIND_SERIES, STORE_SQL_ADD_SERIES, "series", ADDING_IMAGE, bind_series},
       image->series_instance_uid || image->modality},
      {{STORE_SQL_FIND_IMAGE, STORE_SQL_ADD_IMAGE, "images", ADDING_IMAGE, bind_image}, TRUE},
  };
  ImageRow row = {0, image};

  for (guint i = 0; i < G_N_ELEMENTS(levels); i++) {
    if (row.parent || levels[i].known) {
      row.parent = find_or_add(log, &levels[i].kind, &row, error);
      if (!row.parent) {
        return 0;
      }
    }
  }
  return row.parent;
}

gint64
store_log_add_image(StoreLog *log, const StoreImage *image, GError **error)
{
  g_return_val_if_fail(log && image, 0);
  if (!store_begin(log, ADDING_IMAGE, error)) {
    return 0;
  }
  return store_finish(log, ADDING_IMAGE, add_image_rows(log, image, error), error);
}

/* ---- conversations and turns ---------------------------------------------------------------- */

/* First column of the row that SQL finds for ID; *value is 0 where there is none or it is NULL. */
static gboolean
look_up(StoreLog *log, StoreSql sql, const char *doing, gint64 id, gint64 *value, GError **error)
{
  g_autoptr(StoreStatement) statement = store_statement(log, sql, doing, error);
  StoreBinder binder = {log, statement, "ids", 0, FALSE, error};
  gboolean row = FALSE;

  if (!statement) {
    return FALSE;
  }
  store_bind_int(&binder, id);
  if (binder.failed || !store_step(log, statement, doing, &row, error)) {
    return FALSE;
  }
  *value = row ? sqlite3_column_int64(statement, 0) : 0;
  return TRUE;
}

gboolean
store_require(StoreLog *log, StoreSql sql, const char *what, const char *doing, gint64 id,
              GError **error)
{
  gint64 found = 0;

  if (!look_up(log, sql, doing, id, &found, error)) {
    return FALSE;
  }
  return found || store_fail(error, STORE_ERROR_NOT_FOUND, log->name,
                             "%s: %s %" G_GINT64_FORMAT " is not in the log", doing, what, id);
}

static gboolean
require_turn(StoreLog *log, const char *doing, gint64 conversation, guint turn, GError **error)
{
  gint64 last = 0;

  if (!store_require(log, STORE_SQL_HAS_CONVERSATION, "conversation", doing, conversation, error) ||
      !look_up(log, STORE_SQL_LAST_TURN, doing, conversation, &last, error)) {
    return FALSE;
  }
  return turn <= last || store_fail(error, STORE_ERROR_NOT_FOUND, log->name,
                                    "%s: conversation %" G_GINT64_FORMAT ": found %" G_GINT64_FORMAT
                                    " turns, expected at least %u",
                                    doing, conversation, last, turn);
}

static gint64
add_conversation_row(StoreLog *log, gint64 model, const char *program_version, gint64 rewound_from,
                     guint rewound_turn, const char *doing, GError **error)
{
  g_autoptr(StoreStatement) statement = NULL;
  gboolean row = FALSE;

  if (!store_require(log, STORE_SQL_HAS_MODEL, "model", doing, model, error) ||
      (rewound_from && !require_turn(log, doing, rewound_from, rewound_turn, error))) {
    return 0;
  }
  statement = store_statement(log, STORE_SQL_ADD_CONVERSATION, doing, error);
  if (statement) {
    StoreBinder binder = {log, statement, "conversations", 0, FALSE, error};
    store_bind_id(&binder, model);
    store_bind_text(&binder, "program version", program_version);
    store_bind_id(&binder, rewound_from);
    if (rewound_from) {
      store_bind_int(&binder, rewound_turn);
    } else {
      store_bind_null(&binder);
    }
    store_bind_time(&binder);
    if (!binder.failed && store_step(log, statement, doing, &row, error)) {
      return last_id(log);
    }
  }
  return 0;
}

gint64
store_log_add_conversation(StoreLog *log, gint64 model, const char *program_version,
                           gint64 rewound_from, guint rewound_turn, GError **error)
{
  const char *doing = "adding a conversation";
  gint64 id;

  g_return_val_if_fail(log, 0);
  if (!store_begin(log, doing, error)) {
    return 0;
  }
  id = add_conversation_row(log, model, program_version, rewound_from, rewound_turn, doing, error);
  return store_finish(log, doing, id, error);
}

static void
bind_turn(StoreBinder *binder, gint64 conversation, gint64 number, const StoreTurn *turn)
{
  gint64 seed = 0;

  memcpy(&seed, &turn->seed, sizeof seed); /* the same 64 bits; SQLite's integers have a sign */
  store_bind_id(binder, conversation);
  store_bind_int(binder, number);
  store_bind_id(binder, turn->image);
  store_bind_text(binder, "question", turn->question);
  store_bind_text(binder, "answer", turn->answer);
  store_bind_ids(binder, "prompt ids", turn->prompt_ids, turn->n_prompt_ids);
  store_bind_ids(binder, "answer ids", turn->answer_ids, turn->n_answer_ids);
  store_bind_text(binder, "stop", turn->stop);
  store_bind_real(binder, turn->temperature);
  store_bind_real(binder, turn->top_p);
  store_bind_int(binder, seed);
  store_bind_int(binder, turn->max_tokens);
  store_bind_real(binder, turn->image_s);
  store_bind_real(binder, turn->prompt_s);
  store_bind_real(binder, turn->first_token_s);
  store_bind_real(binder, turn->answer_s);
  store_bind_int(binder, turn->prompt_tokens);
  store_bind_int(binder, turn->answer_tokens);
  store_bind_text(binder, "answer form", turn->answer_form);
  store_bind_text(binder, "instruction rule", turn->instruction_rule);
  store_bind_text(binder, "instruction list", turn->instruction_list);
  store_bind_text(binder, "instruction text", turn->instruction_text);
  store_bind_int(binder, turn->instruction_words);
  store_bind_int(binder, turn->instruction_threshold);
  /* A text that has to be repaired is not the one that was cut. */
  store_bind_pieces(binder, "pieces", g_utf8_validate(turn->answer, -1, NULL) ? turn->pieces : NULL,
                    turn->n_pieces);
  store_bind_time(binder);
}

/* The pictures of TURN (row ID) before the last one. */
static gboolean
add_earlier_rows(StoreLog *log, gint64 id, const StoreTurn *turn, const char *doing, GError **error)
{
  for (gsize i = 0; i < turn->n_earlier_images; i++) {
    g_autoptr(StoreStatement) statement =
        store_statement(log, STORE_SQL_ADD_TURN_IMAGE, doing, error);
    StoreBinder binder = {log, statement, "turn_images", 0, FALSE, error};

    if (!statement ||
        !store_require(log, STORE_SQL_HAS_IMAGE, "image", doing, turn->earlier_images[i], error)) {
      return FALSE;
    }
    store_bind_id(&binder, id);
    store_bind_int(&binder, (gint64)i + 1);
    store_bind_id(&binder, turn->earlier_images[i]);
    store_bind_time(&binder);
    if (!store_insert(log, &binder, doing, error)) {
      return FALSE;
    }
  }
  return TRUE;
}

static gint64
add_turn_row(StoreLog *log, gint64 conversation, const StoreTurn *turn, const char *doing,
             GError **error)
{
  g_autoptr(StoreStatement) statement = NULL;
  gint64 last = 0, id = 0;

  if (!store_require(log, STORE_SQL_HAS_CONVERSATION, "conversation", doing, conversation, error) ||
      (turn->image &&
       !store_require(log, STORE_SQL_HAS_IMAGE, "image", doing, turn->image, error)) ||
      !look_up(log, STORE_SQL_LAST_TURN, doing, conversation, &last, error)) {
    return 0;
  }
  statement = store_statement(log, STORE_SQL_ADD_TURN, doing, error);
  if (statement) {
    StoreBinder binder = {log, statement, "turns", 0, FALSE, error};
    bind_turn(&binder, conversation, last + 1, turn);
    id = store_insert(log, &binder, doing, error);
  }
  return id && add_earlier_rows(log, id, turn, doing, error) &&
                 store_add_words(log, STORE_SQL_ADD_TURN_WORDS, id, turn->question, turn->answer,
                                 doing, error)
             ? id
             : 0;
}

gint64
store_log_add_turn(StoreLog *log, gint64 conversation, const StoreTurn *turn, GError **error)
{
  const char *doing = "adding a turn";

  g_return_val_if_fail(log && turn, 0);
  if (!turn->question || !turn->answer) {
    store_fail(error, STORE_ERROR_INVALID, log->name, "turns: %s: found nothing, expected a text",
               turn->question ? "answer" : "question");
    return 0;
  }
  if (!store_begin(log, doing, error)) {
    return 0;
  }
  return store_finish(log, doing, add_turn_row(log, conversation, turn, doing, error), error);
}
