/* log.c - reading the conversation log, for people and programs. */
#include <math.h>

#include <glib/gstdio.h>

#include "person.h"
#include "private.h"
#include "record-note.h"
#include "secrets.h"
#include "trust.h"

gboolean
app_log_is_there(const char *path)
{
  g_autofree char *standard = path ? NULL : store_default_path();
  GStatBuf st;

  return g_stat(path ? path : standard, &st) == 0 && st.st_size > 0;
}

StoreLog *
app_log_open_at(const char *path, gboolean read_only, GError **error)
{
  g_autofree char *standard = path ? NULL : store_default_path();
  AppAsked *asked = app_secrets_asked();
  StoreSecrets secrets = app_secrets_get();
  const gboolean is_new = !read_only && !app_log_is_there(path);
  StoreOpen how = {.read_only = read_only, .secrets = &secrets};
  GError *failure = NULL;
  StoreLog *log;

  if (is_new) {
    how.protection = app_secrets_protection_of_new(!path);
  }
  do {
    g_clear_error(&failure);
    *asked = (AppAsked){0};
    log = store_log_open_with(path ? path : standard, &how, &failure);
    if (app_log_is_locked(failure)) {
      app_secrets_forget_wrong(asked); /* the next one may be right */
    }
  } while (app_log_is_locked(failure) && asked->answered && app_secrets_asks_again());
  if (g_error_matches(failure, STORE_ERROR, STORE_ERROR_CORRUPT)) {
    g_autofree char *told = g_strdup_printf(
        "%s ('hilum log recover' sets the log aside and saves what can be read)", failure->message);
    g_free(failure->message);
    failure->message = g_steal_pointer(&told);
  }
  if (!log) {
    g_propagate_error(error, failure);
  } else if (!read_only) {
    app_person_apply(log);
  }
  return log;
}

StoreLog *
app_log_open(const char *path, GError **error)
{
  g_autoptr(GError) failure = NULL;
  StoreLog *log = app_log_open_at(path, TRUE, &failure);

  if (!log && g_error_matches(failure, STORE_ERROR, STORE_ERROR_OLDER)) {
    /* A log from before an update is brought up to date by whoever opens it first. */
    g_clear_error(&failure);
    g_autoptr(StoreLog) migrated = app_log_open_at(path, FALSE, &failure);
    if (migrated) {
      log = app_log_open_at(path, TRUE, &failure);
    }
  }
  if (!log) {
    g_propagate_error(error, g_steal_pointer(&failure));
  }
  return log;
}

/* To be looked at, which is an event: for writing where that can be had. A log that cannot be
 * written can be looked at all the same; it cannot be changed either. None is made. */
static StoreLog *
open_to_view(const char *path, GError **error)
{
  g_autoptr(GError) failure = NULL;
  StoreLog *log = NULL;

  if (app_log_is_there(path)) {
    log = app_log_open_at(path, FALSE, &failure);
  }
  if (app_log_is_locked(failure)) { /* nobody is asked twice */
    g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
  }
  return log ? log : app_log_open(path, error);
}

static JsonNode *
array_node(JsonArray *array)
{
  JsonNode *node = json_node_new(JSON_NODE_ARRAY);

  json_node_take_array(node, array);
  return node;
}

static JsonObject *
conversation_object(const StoreConversation *row)
{
  JsonObject *object = json_object_new();

  json_object_set_int_member(object, "id", row->id);
  app_json_set_text(object, "started", row->started);
  app_json_set_text(object, "imported", row->imported);
  json_object_set_int_member(object, "turns", row->n_turns);
  app_json_set_text(object, "modality", row->modality);
  app_json_set_text(object, "image", row->image_path);
  app_json_set_text(object, "model", row->model_name);
  app_json_set_text(object, "model_sha256", row->model_sha256);
  app_json_set_text(object, "engine", app_engine_text(row->model_engine));
  app_json_set_text(object, "question", row->first_question);
  json_object_set_boolean_member(object, "erased", row->erased);
  if (row->lost) {
    json_object_set_boolean_member(object, "lost", TRUE);
  }
  app_json_set_text(object, "program_version", row->program_version);
  if (row->rewound_from != 0) {
    json_object_set_int_member(object, "rewound_from", row->rewound_from);
    json_object_set_int_member(object, "rewound_turn", row->rewound_turn);
  } else {
    json_object_set_null_member(object, "rewound_from");
    json_object_set_null_member(object, "rewound_turn");
  }
  return object;
}

/* SNIPPETS: what was found is quoted. */
static JsonNode *
conversations_node(GPtrArray *rows, gboolean snippets)
{
  JsonArray *array = json_array_sized_new(rows->len);

  for (guint i = 0; i < rows->len; i++) {
    const StoreConversation *row = rows->pdata[i];
    JsonObject *object = conversation_object(row);
    if (snippets) {
      json_object_set_string_member(object, "snippet", row->snippet ? row->snippet : "");
    }
    json_array_add_object_element(array, object);
  }
  return array_node(array);
}

JsonNode *
app_log_list(const char *log_path, guint limit, GError **error)
{
  g_autoptr(StoreLog) log = open_to_view(log_path, error);
  g_autoptr(GPtrArray) rows = log ? store_log_list(log, limit, error) : NULL;

  if (rows) {
    app_note_viewed(log, "list", 0, NULL);
  }
  return rows ? conversations_node(rows, FALSE) : NULL;
}

JsonNode *
app_log_search(const char *log_path, const char *query, guint limit, GError **error)
{
  g_autoptr(StoreLog) log = open_to_view(log_path, error);
  g_autoptr(GPtrArray) rows = log ? store_log_search(log, query, limit, error) : NULL;

  if (rows) {
    app_note_viewed(log, "search", 0, query);
  }
  return rows ? conversations_node(rows, TRUE) : NULL;
}

void
app_json_set_place(JsonObject *object, const StoreImage *image)
{
  JsonObject *region = image->region_width > 0 ? json_object_new() : NULL;
  JsonObject *window = json_object_new();

  if (region) {
    json_object_set_int_member(region, "x", image->region_x);
    json_object_set_int_member(region, "y", image->region_y);
    json_object_set_int_member(region, "width", image->region_width);
    json_object_set_int_member(region, "height", image->region_height);
    app_json_set_object(object, "region", region);
  } else {
    json_object_set_null_member(object, "region");
  }
  json_object_set_int_member(object, "turns", image->turns);
  json_object_set_boolean_member(object, "flip", image->flip);
  if (image->has_window) {
    json_object_set_double_member(window, "center", image->window_center);
    json_object_set_double_member(window, "width", image->window_width);
  } else {
    json_object_set_null_member(window, "center");
    json_object_set_null_member(window, "width");
  }
  json_object_set_int_member(window, "lut", image->has_voi_lut ? (gint64)image->voi_lut + 1 : 0);
  json_object_set_boolean_member(window, "invert", image->inverted);
  app_json_set_object(object, "window", window);
}

static JsonObject *
logged_image(const StoreImage *image)
{
  JsonObject *object = json_object_new();

  app_json_set_text(object, "path", image->path);
  app_json_set_text(object, "sop_instance_uid", image->sop_instance_uid);
  json_object_set_int_member(object, "frame", image->frame);
  if (image->has_window) {
    json_object_set_double_member(object, "window_center", image->window_center);
    json_object_set_double_member(object, "window_width", image->window_width);
  } else {
    json_object_set_null_member(object, "window_center");
    json_object_set_null_member(object, "window_width");
  }
  app_json_set_text(object, "pixels_sha256", image->pixels_sha256);
  app_json_set_text(object, "sent_sha256", image->sent_sha256);
  app_json_set_text(object, "voi_function", image->voi_function);
  json_object_set_boolean_member(object, "inverted", image->inverted);
  app_json_set_place(object, image);
  json_object_set_boolean_member(object, "blank", image->blank);
  app_json_set_text(object, "modality", image->modality);
  app_json_set_text(object, "body_part", image->body_part);
  app_json_set_text(object, "view", image->view);
  app_json_set_text(object, "laterality", image->laterality);
  app_gate_set_names(object, image->warnings);
  app_json_set_text(object, "sop_class", image->sop_class);
  app_json_set_text(object, "transfer_syntax", image->transfer_syntax);
  app_json_set_text(object, "study_instance_uid", image->study_instance_uid);
  app_json_set_text(object, "series_instance_uid", image->series_instance_uid);
  app_json_set_text(object, "patient_id", image->patient_id);
  app_json_set_text(object, "patient_name", image->patient_name);
  app_json_set_text(object, "study_date", image->study_date);
  app_json_set_text(object, "study_description", image->study_description);
  return object;
}

void
app_json_set_tokens(JsonObject *object, const char *text, const StorePiece *pieces, gsize n)
{
  JsonArray *array;
  guint begin = 0;

  if (!pieces) {
    json_object_set_null_member(object, "tokens");
    return;
  }
  array = json_array_sized_new((guint)n);
  for (gsize i = 0; i < n; i++) {
    JsonObject *token = json_object_new();
    g_autofree char *part = g_strndup(text + begin, pieces[i].end - begin);
    json_object_set_string_member(token, "text", part);
    /* A millionth is more than a person can make of it. */
    json_object_set_double_member(token, "p", round(1e6 * (double)pieces[i].p) / 1e6);
    json_array_add_object_element(array, token);
    begin = pieces[i].end;
  }
  json_object_set_array_member(object, "tokens", array);
}

/* All pictures of the turn, in the order in which they joined. */
static JsonArray *
logged_images(const StoreTurnRow *row)
{
  JsonArray *array = json_array_new();

  for (gsize i = 0; i < row->turn.n_earlier_images; i++) {
    json_array_add_object_element(array, logged_image(&row->earlier[i]));
  }
  if (row->turn.image != 0) {
    json_array_add_object_element(array, logged_image(&row->image));
  }
  return array;
}

static JsonObject *
logged_model(const StoreModel *model)
{
  JsonObject *object = json_object_new();

  app_json_set_text(object, "name", model->name);
  app_json_set_text(object, "sha256", model->sha256);
  app_json_set_text(object, "quantization", model->quantization);
  app_json_set_text(object, "path", model->path);
  app_json_set_text(object, "template", model->template_name);
  app_json_set_text(object, "engine", app_engine_text(model->engine));
  return object;
}

void
app_json_set_seed(JsonObject *object, guint64 seed)
{
  if (seed <= G_MAXINT64) {
    json_object_set_int_member(object, "seed", (gint64)seed);
  } else {
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, seed);
    json_object_set_string_member(object, "seed", text);
  }
}

static JsonObject *
logged_sampling(const StoreTurn *turn)
{
  JsonObject *object = json_object_new();

  json_object_set_double_member(object, "temperature", turn->temperature);
  json_object_set_double_member(object, "top_p", turn->top_p);
  app_json_set_seed(object, turn->seed);
  json_object_set_int_member(object, "max_tokens", turn->max_tokens);
  return object;
}

static JsonObject *
logged_timing(const StoreTurn *turn)
{
  JsonObject *object = json_object_new();

  json_object_set_double_member(object, "image_s", turn->image_s);
  json_object_set_int_member(object, "prompt_tokens", turn->prompt_tokens);
  json_object_set_double_member(object, "prompt_s", turn->prompt_s);
  json_object_set_double_member(object, "first_token_s", turn->first_token_s);
  json_object_set_int_member(object, "answer_tokens", turn->answer_tokens);
  json_object_set_double_member(object, "answer_s", turn->answer_s);
  return object;
}

static JsonObject *
logged_instruction(const StoreTurn *turn)
{
  JsonObject *object = json_object_new();

  app_json_set_text(object, "rule", turn->instruction_rule);
  json_object_set_int_member(object, "words", turn->instruction_words);
  json_object_set_int_member(object, "threshold", turn->instruction_threshold);
  app_json_set_text(object, "list", turn->instruction_list);
  app_json_set_text(object, "text", turn->instruction_text);
  return object;
}

static JsonObject *
logged_turn(const StoreTurnRow *row)
{
  const StoreTurn *turn = &row->turn;
  JsonObject *object = json_object_new();

  json_object_set_int_member(object, "turn", row->number);
  json_object_set_int_member(object, "turn_id", row->id);
  app_json_set_text(object, "time", row->time);
  app_json_set_text(object, "imported", row->imported);
  json_object_set_boolean_member(object, "erased", row->erased);
  if (row->recovered) { /* of a log that was damaged */
    json_object_set_boolean_member(object, "lost", row->lost);
    app_json_set_text(object, "recovered_proof", row->recovered);
  }
  json_object_set_string_member(object, "question", turn->question ? turn->question : "");
  json_object_set_string_member(object, "answer", turn->answer ? turn->answer : "");
  app_json_set_ids(object, "prompt_ids", turn->prompt_ids, turn->n_prompt_ids);
  app_json_set_ids(object, "answer_ids", turn->answer_ids, turn->n_answer_ids);
  app_json_set_text(object, "stop", turn->stop);
  if (turn->image != 0) {
    app_json_set_object(object, "image", logged_image(&row->image));
  } else {
    json_object_set_null_member(object, "image");
  }
  json_object_set_array_member(object, "images", logged_images(row));
  app_json_set_tokens(object, turn->answer, turn->pieces, turn->n_pieces);
  app_json_set_object(object, "model", logged_model(&row->model));
  app_json_set_object(object, "timing", logged_timing(turn));
  app_json_set_object(object, "sampling", logged_sampling(turn));
  app_json_set_text(object, "answer_form", turn->answer_form);
  if (turn->instruction_rule) {
    app_json_set_object(object, "instruction", logged_instruction(turn));
  }
  return object;
}

JsonObject *
app_log_turn_object(StoreLog *log, const StoreTurnRow *row, GError **error)
{
  JsonObject *turn = logged_turn(row);

  if (!app_json_set_trust(turn, log, row->id, error)) {
    json_object_unref(turn);
    return NULL;
  }
  return turn;
}

JsonNode *
app_log_show(const char *log_path, gint64 id, GError **error)
{
  g_autoptr(StoreLog) log = open_to_view(log_path, error);
  g_autoptr(GPtrArray) rows = log ? store_log_show(log, id, error) : NULL;
  JsonArray *array;

  if (!rows) {
    return NULL;
  }
  app_note_viewed(log, "conversation", id, NULL);
  array = json_array_sized_new(rows->len);
  for (guint i = 0; i < rows->len; i++) {
    JsonObject *turn = app_log_turn_object(log, rows->pdata[i], error);
    if (!turn) {
      json_array_unref(array);
      return NULL;
    }
    json_array_add_object_element(array, turn);
  }
  return array_node(array);
}
