/* review-report.c - a finished turn as JSON and as a row of the log. */
#include <string.h>

#include "review.h"

static JsonObject *
model_object(AppReview *review, GError **error)
{
  StoreModel model = {0};
  JsonObject *object;

  if (!review->backend->class->describe(review->backend, &model, error) && error) {
    return NULL;
  }
  object = json_object_new();
  app_json_set_text(object, "name", model.name);
  app_json_set_text(object, "sha256", model.sha256);
  app_json_set_text(object, "quantization", model.quantization);
  app_json_set_text(object, "template", model.template_name);
  app_json_set_text(object, "engine", app_engine_text(model.engine));
  return object;
}

JsonNode *
app_review_model(AppReview *review, GError **error)
{
  g_autoptr(GError) failure = NULL;
  JsonObject *object = model_object(review, &failure);

  if (!object) {
    g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
  }
  return app_json_node(object);
}

/* How SHOT was taken, and nothing else. */
static StoreImage
place_of(const AppShot *shot)
{
  const AppImageChoice *choice = &shot->choice;
  const gboolean is_part = choice->region.width > 0, has_lut = shot->window.voi == DICOM_VOI_LUT;

  return (StoreImage){.frame = choice->frame,
                      .has_window = shot->has_numbers,
                      .window_center = shot->has_numbers ? shot->window.center : 0,
                      .window_width = shot->has_numbers ? shot->window.width : 0,
                      .inverted = shot->window.invert,
                      .blank = choice->blank,
                      .region_x = is_part ? choice->region.x : 0,
                      .region_y = is_part ? choice->region.y : 0,
                      .region_width = choice->region.width,
                      .region_height = is_part ? choice->region.height : 0,
                      .turns = choice->turns,
                      .flip = choice->flip != FALSE,
                      .has_voi_lut = has_lut,
                      .voi_lut = has_lut ? shot->window.lut : 0};
}

static JsonObject *
image_object(const AppShot *shot)
{
  const StoreImage place = place_of(shot);
  const DicomInfo *info = shot->info;
  JsonObject *object = json_object_new();
  g_autoptr(DicomGate) gate = dicom_gate_judge(info);

  app_json_set_text(object, "path", info->path);
  app_json_set_text(object, "sop_instance_uid", info->sop_instance_uid);
  json_object_set_int_member(object, "frame", shot->choice.frame);
  if (shot->has_numbers) {
    json_object_set_double_member(object, "window_center", shot->window.center);
    json_object_set_double_member(object, "window_width", shot->window.width);
  } else {
    json_object_set_null_member(object, "window_center");
    json_object_set_null_member(object, "window_width");
  }
  app_json_set_place(object, &place);
  app_json_set_text(object, "pixels_sha256", shot->pixels_sha256);
  app_json_set_text(object, "sent_sha256", shot->sent_sha256);
  app_json_set_text(object, "modality", gate->modality);
  app_gate_set(object, gate);
  return object;
}

static JsonObject *
timing_object(const ModelAnswer *answer)
{
  const ModelTiming *timing = &answer->timing;
  JsonObject *object = json_object_new();
  /* The prompt gives the first token; each later one, and the end when the model says so itself,
   * takes one step of the decoder. No step has no rate, which counts as 0. */
  guint n_ended = answer->stop && strcmp(answer->stop, "eos") == 0 ? 1 : 0;
  guint steps = timing->answer_tokens + n_ended > 0 ? timing->answer_tokens + n_ended - 1 : 0;
  double rate = steps > 0 && timing->answer_s > 0 ? steps / timing->answer_s : 0;

  json_object_set_double_member(object, "image_s", timing->image_s);
  json_object_set_int_member(object, "prompt_tokens", timing->prompt_tokens);
  json_object_set_double_member(object, "prompt_s", timing->prompt_s);
  json_object_set_double_member(object, "first_token_s", timing->first_token_s);
  json_object_set_int_member(object, "answer_tokens", timing->answer_tokens);
  json_object_set_double_member(object, "decode_tokens_per_s", rate);
  json_object_set_boolean_member(object, "image_cached", timing->image_cached);
  json_object_set_int_member(object, "prompt_cached_tokens", timing->prompt_cached_tokens);
  json_object_set_int_member(object, "drafted", timing->drafted);
  json_object_set_int_member(object, "accepted", timing->accepted);
  return object;
}

static JsonObject *
instruction_object(const ModelInstruction *instruction)
{
  JsonObject *object = json_object_new();

  json_object_set_string_member(object, "rule", instruction->rule);
  json_object_set_int_member(object, "words", instruction->words);
  json_object_set_int_member(object, "threshold", instruction->threshold);
  json_object_set_string_member(object, "list", instruction->list);
  json_object_set_string_member(object, "text", instruction->text);
  return object;
}

/* NULL when nobody told. */
static StorePiece *
pieces_of(const ModelAnswer *answer)
{
  StorePiece *pieces = answer->n_pieces > 0 ? g_new(StorePiece, answer->n_pieces) : NULL;

  for (gsize i = 0; i < answer->n_pieces; i++) {
    pieces[i] = (StorePiece){(guint)answer->pieces[i].end, answer->pieces[i].p};
  }
  return pieces;
}

/* Of the pictures of the conversation so far. */
static JsonArray *
images_array(AppReview *review)
{
  JsonArray *array = json_array_new();

  for (guint i = 0; i < review->shots->len; i++) {
    const AppShot *shot = review->shots->pdata[i];
    JsonObject *object = json_object_new();
    const StoreImage place = place_of(shot);

    app_json_set_text(object, "path", shot->info->path);
    json_object_set_int_member(object, "frame", shot->choice.frame);
    app_json_set_place(object, &place);
    app_json_set_text(object, "sent_sha256", shot->sent_sha256);
    json_array_add_object_element(array, object);
  }
  return array;
}

JsonNode *
app_turn_json(AppReview *review, const AppTurn *turn)
{
  const ModelAnswer *answer = &turn->answer;
  const AppShot *shot = app_review_newest_shot(review);
  const gint64 id = app_review_turn_id_locked(review, turn->number - 1);
  g_autofree StorePiece *pieces = pieces_of(answer);
  JsonObject *object = json_object_new();

  json_object_set_int_member(object, "turn", turn->number);
  if (id != 0) {
    json_object_set_int_member(object, "turn_id", id);
  } else {
    json_object_set_null_member(object, "turn_id");
  }
  json_object_set_string_member(object, "question", turn->text);
  json_object_set_string_member(object, "answer", answer->text ? answer->text : "");
  app_json_set_ids(object, "prompt_ids", answer->prompt.ids, answer->prompt.n);
  app_json_set_ids(object, "answer_ids", answer->answer.ids, answer->answer.n);
  app_json_set_text(object, "stop", answer->stop);
  if (turn->why) {
    json_object_set_string_member(object, "interruption", turn->why);
  }
  if (shot) {
    app_json_set_object(object, "image", image_object(shot));
  } else {
    json_object_set_null_member(object, "image");
  }
  json_object_set_array_member(object, "images", images_array(review));
  app_json_set_tokens(object, answer->text, pieces, answer->n_pieces);
  app_json_set_object(object, "model", model_object(review, NULL));
  app_json_set_object(object, "timing", timing_object(answer));
  if (turn->describing) {
    app_json_set_object(object, "instruction", instruction_object(&turn->instruction));
  }
  return app_json_node(object);
}

static const char *
voi_name(DicomVoi voi)
{
  switch (voi) {
  case DICOM_VOI_LINEAR:
    return "LINEAR";
  case DICOM_VOI_LINEAR_EXACT:
    return "LINEAR_EXACT";
  case DICOM_VOI_SIGMOID:
    return "SIGMOID";
  case DICOM_VOI_LUT:
    return "LUT";
  case DICOM_VOI_NONE:
  default:
    return NULL;
  }
}

static const char *
text_or_null(const char *text)
{
  return text && *text ? text : NULL;
}

/* GATE and WARNINGS outlive the row. */
static StoreImage
image_row(const AppShot *shot, const DicomGate *gate, const char *warnings)
{
  const DicomInfo *info = shot->info;
  StoreImage row = place_of(shot);

  row.study_instance_uid = text_or_null(info->study_instance_uid);
  row.series_instance_uid = text_or_null(info->series_instance_uid);
  row.patient_id = text_or_null(info->patient_id);
  row.patient_name = text_or_null(info->patient_name);
  row.study_date = text_or_null(info->study_date);
  row.study_description = text_or_null(info->study_description);
  row.modality = text_or_null(info->modality);
  row.path = info->path;
  row.sop_instance_uid = text_or_null(info->sop_instance_uid);
  row.sop_class = text_or_null(info->sop_class);
  row.transfer_syntax = text_or_null(info->transfer_syntax);
  row.voi_function = voi_name(shot->window.voi);
  row.pixels_sha256 = shot->pixels_sha256;
  row.sent_sha256 = shot->sent_sha256;
  row.body_part = text_or_null(gate->body_part);
  row.view = text_or_null(gate->view);
  row.laterality = text_or_null(gate->laterality);
  row.warnings = warnings;
  return row;
}

/* ROW with the pictures of the conversation. */
static AppTurnId *
add_to_logbook(AppReview *review, const StoreTurn *row)
{
  const guint n = review->shots->len;
  g_autofree StoreImage *images = g_new0(StoreImage, n + 1);
  g_autoptr(GPtrArray) gates = g_ptr_array_new_with_free_func((GDestroyNotify)dicom_gate_free);
  g_auto(GStrv) warnings = g_new0(char *, n + 1);

  for (guint i = 0; i < n; i++) {
    const AppShot *shot = review->shots->pdata[i];
    DicomGate *gate = dicom_gate_judge(shot->info);
    g_ptr_array_add(gates, gate);
    warnings[i] = app_gate_names(gate);
    images[i] = image_row(shot, gate, warnings[i]);
  }
  return app_logbook_add(review->logbook, review->conversation, row, images, n);
}

AppTurnId *
app_turn_log(AppReview *review, const AppTurn *turn)
{
  static const char *const forms[] = {"free", "short", "yes-no"};
  const ModelAnswer *answer = &turn->answer;
  const ModelTiming *timing = &answer->timing;
  g_autofree StorePiece *pieces = pieces_of(answer);
  StoreTurn row = {.question = turn->text,
                   .answer = answer->text ? answer->text : "",
                   .prompt_ids = answer->prompt.ids,
                   .n_prompt_ids = answer->prompt.n,
                   .answer_ids = answer->answer.ids,
                   .n_answer_ids = answer->answer.n,
                   .stop = answer->stop,
                   /* As the user gave them; the model's float would add digits. */
                   .temperature = turn->question->sampling.temperature,
                   .top_p = turn->question->sampling.top_p,
                   .seed = turn->sampling.seed,
                   .max_tokens = turn->sampling.max_tokens,
                   .image_s = timing->image_s,
                   .prompt_s = timing->prompt_s,
                   .first_token_s = timing->first_token_s,
                   .answer_s = timing->answer_s,
                   .prompt_tokens = timing->prompt_tokens,
                   .answer_tokens = timing->answer_tokens,
                   .answer_form = forms[turn->question->form]};

  row.pieces = pieces;
  row.n_pieces = answer->n_pieces;
  if (turn->describing) {
    row.instruction_rule = turn->instruction.rule;
    row.instruction_list = turn->instruction.list;
    row.instruction_text = turn->instruction.text;
    row.instruction_words = turn->instruction.words;
    row.instruction_threshold = turn->instruction.threshold;
  }
  return add_to_logbook(review, &row);
}
