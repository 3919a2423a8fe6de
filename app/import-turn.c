/* import-turn.c - a line of an export as the log takes it: every member is checked as
 * data/export/turn.schema.json has it, since lines come from elsewhere. */
#include <math.h>
#include <string.h>

#include "import.h"
#include "private.h"

#define MOST_ITEMS (1u << 20)

/* The first failure is kept, and later calls do nothing. */
typedef struct {
  GError **error;
  gboolean failed;
} Check;

static void
fail(Check *check, const char *member, const char *expected)
{
  if (!check->failed) {
    check->failed = TRUE;
    g_set_error(check->error, APP_ERROR, APP_ERROR_FAILED, "\"%s\": expected %s", member, expected);
  }
}

static JsonNode *
member(Check *check, JsonObject *object, const char *name)
{
  JsonNode *node = object ? json_object_get_member(object, name) : NULL;

  if (object && !node) {
    fail(check, name, "it to be there");
  }
  return node && !JSON_NODE_HOLDS_NULL(node) ? node : NULL;
}

static const char *
text(Check *check, JsonObject *object, const char *name, gboolean required)
{
  JsonNode *node = member(check, object, name);

  if (node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING) {
    return json_node_get_string(node);
  }
  if (node || required) {
    fail(check, name, "a text");
  }
  return NULL;
}

static const char *
sha256(Check *check, JsonObject *object, const char *name)
{
  const char *hash = text(check, object, name, FALSE);

  if (hash && (strlen(hash) != 64 || strspn(hash, "0123456789abcdef") != 64)) {
    fail(check, name, "64 lower-case hexadecimal digits");
  }
  return hash;
}

static gint64
whole(Check *check, JsonObject *object, const char *name, gint64 min, gint64 max)
{
  JsonNode *node = member(check, object, name);
  const gint64 value =
      node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64
          ? json_node_get_int(node)
          : min - 1;

  if (value < min || value > max) {
    fail(check, name, "a whole number within its bounds");
    return 0;
  }
  return value;
}

/* Not-a-number for null. */
static double
real(Check *check, JsonObject *object, const char *name)
{
  JsonNode *node = member(check, object, name);
  const GType type = node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : 0;

  if (node && type != G_TYPE_INT64 && type != G_TYPE_DOUBLE) {
    fail(check, name, "a number");
    return NAN;
  }
  return node ? json_node_get_double(node) : NAN;
}

static gboolean
flag(Check *check, JsonObject *object, const char *name)
{
  JsonNode *node = member(check, object, name);

  if (!node || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_BOOLEAN) {
    fail(check, name, "true or false");
    return FALSE;
  }
  return json_node_get_boolean(node);
}

static guint64
seed(Check *check, JsonObject *object)
{
  const char *digits = text(check, object, "seed", TRUE);
  guint64 value = 0;

  if (digits && !g_ascii_string_to_unsigned(digits, 10, 0, G_MAXUINT64, &value, NULL)) {
    fail(check, "seed", "a whole number as a text");
  }
  return value;
}

static JsonObject *
object_of(Check *check, JsonObject *object, const char *name, gboolean required)
{
  JsonNode *node = member(check, object, name);

  if (node && JSON_NODE_HOLDS_OBJECT(node)) {
    return json_node_get_object(node);
  }
  if (node || required) {
    fail(check, name, "an object");
  }
  return NULL;
}

static JsonArray *
list(Check *check, JsonObject *object, const char *name, gboolean required)
{
  JsonNode *node = member(check, object, name);

  if (node && JSON_NODE_HOLDS_ARRAY(node) &&
      json_array_get_length(json_node_get_array(node)) <= MOST_ITEMS) {
    return json_node_get_array(node);
  }
  if (node || required) {
    fail(check, name, "a list");
  }
  return NULL;
}

static JsonObject *
element(Check *check, JsonArray *array, guint index, const char *name)
{
  JsonNode *node = json_array_get_element(array, index);

  if (!JSON_NODE_HOLDS_OBJECT(node)) {
    fail(check, name, "a list of objects");
    return NULL;
  }
  return json_node_get_object(node);
}

/* ---- parts -------------------------------------------------------------------------------- */

static void
read_model(Check *check, JsonObject *object, StoreModel *model)
{
  model->name = text(check, object, "name", FALSE);
  model->sha256 = sha256(check, object, "sha256");
  model->quantization = text(check, object, "quantization", FALSE);
  model->path = text(check, object, "path", FALSE);
  model->template_name = text(check, object, "template", FALSE);
  model->engine = text(check, object, "engine", FALSE);
}

static void
read_look(Check *check, JsonObject *object, StoreImage *image)
{
  JsonObject *region = object_of(check, object, "region", FALSE);
  JsonNode *lut = member(check, object, "voi_lut");

  image->window_center = real(check, object, "window_center");
  image->window_width = real(check, object, "window_width");
  image->has_window = !isnan(image->window_center) && !isnan(image->window_width);
  image->voi_function = text(check, object, "voi_function", FALSE);
  image->has_voi_lut = lut != NULL;
  image->voi_lut = lut ? (guint)whole(check, object, "voi_lut", 0, G_MAXUINT16) : 0;
  image->inverted = flag(check, object, "inverted");
  if (region) {
    image->region_x = (guint)whole(check, region, "x", 0, G_MAXINT32);
    image->region_y = (guint)whole(check, region, "y", 0, G_MAXINT32);
    image->region_width = (guint)whole(check, region, "width", 1, G_MAXINT32);
    image->region_height = (guint)whole(check, region, "height", 1, G_MAXINT32);
  }
  image->turns = (guint)whole(check, object, "turns", 0, 3);
  image->flip = flag(check, object, "flip");
  image->blank = flag(check, object, "blank");
}

static void
read_image(Check *check, JsonObject *object, StoreImage *image)
{
  image->patient_id = text(check, object, "patient_id", FALSE);
  image->patient_name = text(check, object, "patient_name", FALSE);
  image->study_date = text(check, object, "study_date", FALSE);
  image->study_description = text(check, object, "study_description", FALSE);
  image->study_instance_uid = text(check, object, "study_instance_uid", FALSE);
  image->series_instance_uid = text(check, object, "series_instance_uid", FALSE);
  image->sop_instance_uid = text(check, object, "sop_instance_uid", FALSE);
  image->sop_class = text(check, object, "sop_class", FALSE);
  image->transfer_syntax = text(check, object, "transfer_syntax", FALSE);
  image->path = text(check, object, "path", FALSE);
  image->frame = (guint)whole(check, object, "frame", 0, G_MAXINT32);
  image->modality = text(check, object, "modality", FALSE);
  image->body_part = text(check, object, "body_part", FALSE);
  image->view = text(check, object, "view", FALSE);
  image->laterality = text(check, object, "laterality", FALSE);
  image->warnings = text(check, object, "warnings", FALSE);
  read_look(check, object, image);
  image->pixels_sha256 = sha256(check, object, "pixels_sha256");
  image->sent_sha256 = sha256(check, object, "sent_sha256");
}

static void
read_images(Check *check, JsonObject *json, AppImportTurn *to)
{
  JsonArray *images = list(check, json, "images", TRUE);

  for (guint i = 0; images && i < json_array_get_length(images); i++) {
    StoreImage image = {0};
    read_image(check, element(check, images, i, "images"), &image);
    g_array_append_val(to->images, image);
  }
}

static void
read_ids(Check *check, JsonObject *json, const char *name, GArray *ids)
{
  JsonArray *array = list(check, json, name, FALSE);

  for (guint i = 0; array && i < json_array_get_length(array); i++) {
    JsonNode *node = json_array_get_element(array, i);
    const gint64 value =
        JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64
            ? json_node_get_int(node)
            : G_MAXINT64;
    const gint32 id = (gint32)value;
    if (id != value) {
      fail(check, name, "a list of whole numbers");
      return;
    }
    g_array_append_val(ids, id);
  }
}

/* Ends that never fall and stand between characters of the answer. */
static void
read_pieces(Check *check, JsonObject *json, AppImportTurn *to)
{
  JsonArray *array = list(check, json, "tokens", FALSE);
  const char *answer = to->turn.answer ? to->turn.answer : "";
  const gint64 length = (gint64)strlen(answer);
  gint64 before = 0;

  for (guint i = 0; array && !check->failed && i < json_array_get_length(array); i++) {
    JsonObject *object = element(check, array, i, "tokens");
    const gint64 end = whole(check, object, "end", before, length);
    const double p = real(check, object, "p");
    const StorePiece piece = {(guint)end, (float)p};

    if (!(p >= 0 && p <= 1) || ((guchar)answer[end] & 0xc0) == 0x80) {
      fail(check, "tokens", "pieces of the answer");
    }
    before = end;
    g_array_append_val(to->pieces, piece);
  }
}

static void
read_numbers(Check *check, JsonObject *json, StoreTurn *turn)
{
  JsonObject *sampling = object_of(check, json, "sampling", TRUE);
  JsonObject *timing = object_of(check, json, "timing", TRUE);
  JsonObject *instruction = object_of(check, json, "instruction", FALSE);

  turn->temperature = real(check, sampling, "temperature");
  turn->top_p = real(check, sampling, "top_p");
  turn->seed = seed(check, sampling);
  turn->max_tokens = (guint)whole(check, sampling, "max_tokens", 0, G_MAXUINT32);
  turn->image_s = real(check, timing, "image_s");
  turn->prompt_tokens = (guint)whole(check, timing, "prompt_tokens", 0, G_MAXUINT32);
  turn->prompt_s = real(check, timing, "prompt_s");
  turn->first_token_s = real(check, timing, "first_token_s");
  turn->answer_tokens = (guint)whole(check, timing, "answer_tokens", 0, G_MAXUINT32);
  turn->answer_s = real(check, timing, "answer_s");
  if (instruction) {
    turn->instruction_rule = text(check, instruction, "rule", TRUE);
    turn->instruction_list = text(check, instruction, "list", FALSE);
    turn->instruction_text = text(check, instruction, "text", FALSE);
    turn->instruction_words = (guint)whole(check, instruction, "words", 0, G_MAXUINT32);
    turn->instruction_threshold = (guint)whole(check, instruction, "threshold", 0, G_MAXUINT32);
  }
}

static gboolean
is_one_of(const char *value, const char *const *values)
{
  return value && g_strv_contains(values, value);
}

static void
read_verdicts(Check *check, JsonObject *json, GArray *verdicts, GPtrArray *times)
{
  static const char *const names[] = {"accepted", "edited", "rejected", NULL};
  JsonArray *array = list(check, json, "verdicts", TRUE);

  for (guint i = 0; array && !check->failed && i < json_array_get_length(array); i++) {
    JsonObject *object = element(check, array, i, "verdicts");
    StoreVerdict verdict = {
        text(check, object, "verdict", TRUE), text(check, object, "text", FALSE),
        text(check, object, "user_name", TRUE), text(check, object, "real_name", FALSE),
        /* younger than the rest */
        json_object_has_member(object, "person") ? text(check, object, "person", FALSE) : NULL};
    if (!is_one_of(verdict.verdict, names) ||
        (verdict.text != NULL) != (g_strcmp0(verdict.verdict, "edited") == 0)) {
      fail(check, "verdicts", "accepted, rejected, or edited with a text");
    }
    g_array_append_val(verdicts, verdict);
    g_ptr_array_add(times, (gpointer)text(check, object, "time", TRUE));
  }
}

static void
check_free(gpointer data)
{
  AppImportCheck *one = data;

  g_array_unref(one->answers);
  g_free(one);
}

static void
read_check(Check *check, JsonObject *object, AppImportCheck *to)
{
  static const char *const kinds[] = {"blank", "seeds", NULL};
  JsonArray *answers = list(check, object, "answers", TRUE);

  to->time = text(check, object, "time", TRUE);
  to->check.kind = text(check, object, "kind", TRUE);
  to->check.same = flag(check, object, "same");
  to->check.agreement = real(check, object, "agreement");
  if (!is_one_of(to->check.kind, kinds)) {
    fail(check, "kind", "blank or seeds");
  }
  for (guint i = 0; answers && !check->failed && i < json_array_get_length(answers); i++) {
    JsonObject *from = element(check, answers, i, "answers");
    const StoreCheckAnswer answer = {text(check, from, "answer", TRUE), seed(check, from),
                                     flag(check, from, "blank")};
    g_array_append_val(to->answers, answer);
  }
  to->check.answers = (const StoreCheckAnswer *)(gconstpointer)to->answers->data;
  to->check.n_answers = to->answers->len;
}

static void
read_checks(Check *check, JsonObject *json, GPtrArray *checks)
{
  JsonArray *array = list(check, json, "checks", TRUE);

  for (guint i = 0; array && !check->failed && i < json_array_get_length(array); i++) {
    AppImportCheck *one = g_new0(AppImportCheck, 1);
    one->answers = g_array_new(FALSE, FALSE, sizeof(StoreCheckAnswer));
    g_ptr_array_add(checks, one);
    read_check(check, element(check, array, i, "checks"), one);
  }
}

static void
read_conversation(Check *check, JsonObject *json, AppImportTurn *to)
{
  JsonObject *object = object_of(check, json, "conversation", TRUE);

  to->conversation = whole(check, object, "id", 1, G_MAXINT64);
  to->started = text(check, object, "started", FALSE);
  to->program_version = text(check, object, "program_version", FALSE);
  if (member(check, object, "rewound_from")) {
    to->rewound_from = whole(check, object, "rewound_from", 1, G_MAXINT64);
    to->rewound_turn = (guint)whole(check, object, "rewound_turn", 0, G_MAXINT32);
  }
}

/* ---- the line ----------------------------------------------------------------------------- */

void
app_import_turn_free(AppImportTurn *turn)
{
  if (turn) {
    g_array_unref(turn->images);
    g_array_unref(turn->prompt_ids);
    g_array_unref(turn->answer_ids);
    g_array_unref(turn->pieces);
    g_array_unref(turn->verdicts);
    g_ptr_array_unref(turn->verdict_times);
    g_ptr_array_unref(turn->checks);
    g_clear_pointer(&turn->json, json_object_unref);
    g_free(turn);
  }
}

static AppImportTurn *
turn_new(JsonObject *json)
{
  AppImportTurn *to = g_new0(AppImportTurn, 1);

  to->json = json;
  to->images = g_array_new(FALSE, FALSE, sizeof(StoreImage));
  to->prompt_ids = g_array_new(FALSE, FALSE, sizeof(gint32));
  to->answer_ids = g_array_new(FALSE, FALSE, sizeof(gint32));
  to->pieces = g_array_new(FALSE, FALSE, sizeof(StorePiece));
  to->verdicts = g_array_new(FALSE, FALSE, sizeof(StoreVerdict));
  to->verdict_times = g_ptr_array_new();
  to->checks = g_ptr_array_new_with_free_func(check_free);
  return to;
}

static void
point_at_lists(AppImportTurn *to)
{
  StoreTurn *turn = &to->turn;

  turn->prompt_ids =
      to->prompt_ids->len > 0 ? (const gint32 *)(gpointer)to->prompt_ids->data : NULL;
  turn->n_prompt_ids = to->prompt_ids->len;
  turn->answer_ids =
      to->answer_ids->len > 0 ? (const gint32 *)(gpointer)to->answer_ids->data : NULL;
  turn->n_answer_ids = to->answer_ids->len;
  turn->pieces = to->pieces->len > 0 ? (const StorePiece *)(gpointer)to->pieces->data : NULL;
  turn->n_pieces = to->pieces->len;
}

AppImportTurn *
app_import_turn_read(const char *line, gsize n, GError **error)
{
  JsonObject *json = app_json_object_read(line, n, error);
  g_autoptr(AppImportTurn) to = json ? turn_new(json) : NULL;
  Check check = {error, FALSE};

  if (!to) {
    return NULL;
  }
  if (whole(&check, json, "format", 1, G_MAXINT32) > 1) {
    fail(&check, "format", "1; this set is of a newer Hilum");
  }
  read_conversation(&check, json, to);
  to->number = (guint)whole(&check, json, "turn", 1, G_MAXINT32);
  to->time = text(&check, json, "time", TRUE);
  to->turn.question = text(&check, json, "question", TRUE);
  to->turn.answer = text(&check, json, "answer", TRUE);
  to->turn.stop = text(&check, json, "stop", FALSE);
  to->turn.answer_form = text(&check, json, "answer_form", FALSE);
  read_model(&check, object_of(&check, json, "model", TRUE), &to->model);
  read_images(&check, json, to);
  read_numbers(&check, json, &to->turn);
  read_ids(&check, json, "prompt_ids", to->prompt_ids);
  read_ids(&check, json, "answer_ids", to->answer_ids);
  read_pieces(&check, json, to);
  read_verdicts(&check, json, to->verdicts, to->verdict_times);
  read_checks(&check, json, to->checks);
  point_at_lists(to);
  return check.failed ? NULL : g_steal_pointer(&to);
}
