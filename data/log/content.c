/* content.c - see content.h. The members are documented for other readers in data/THREATS.md. */
#include "content.h"

#include <string.h>

/* ---- models --------------------------------------------------------------------------------- */

void
store_put_model(StoreDraft *draft, const StoreModel *model)
{
  store_draft_text(draft, STORE_CLEAR, "name", model->name);
  store_draft_sha256(draft, STORE_CLEAR, "sha256", model->sha256);
  store_draft_text(draft, STORE_CLEAR, "quantization", model->quantization);
  store_draft_text(draft, STORE_CLEAR, "path", model->path);
  store_draft_text(draft, STORE_CLEAR, "template", model->template_name);
  store_draft_text(draft, STORE_CLEAR, "engine", model->engine);
}

static const char *
chunk_text(StoreBody *body, StorePlace place, const char *field, StoreNull null,
           GStringChunk *strings)
{
  const char *text = store_body_text(body, place, field, null);

  return text ? g_string_chunk_insert(strings, text) : NULL;
}

void
store_get_model(StoreBody *body, StoreModel *model, GStringChunk *strings)
{
  model->name = chunk_text(body, STORE_CLEAR, "name", STORE_NULLABLE, strings);
  model->sha256 = chunk_text(body, STORE_CLEAR, "sha256", STORE_NULLABLE, strings);
  model->quantization = chunk_text(body, STORE_CLEAR, "quantization", STORE_NULLABLE, strings);
  model->path = chunk_text(body, STORE_CLEAR, "path", STORE_NULLABLE, strings);
  model->template_name = chunk_text(body, STORE_CLEAR, "template", STORE_NULLABLE, strings);
  model->engine = chunk_text(body, STORE_CLEAR, "engine", STORE_NULLABLE, strings);
}

/* ---- images --------------------------------------------------------------------------------- */

static void
put_window(StoreDraft *draft, const StoreImage *image)
{
  if (image->has_window) {
    store_draft_real(draft, STORE_CLEAR, "window_center", image->window_center);
    store_draft_real(draft, STORE_CLEAR, "window_width", image->window_width);
  }
  if (image->has_voi_lut) {
    store_draft_int(draft, STORE_CLEAR, "voi_lut", image->voi_lut);
  }
  store_draft_text(draft, STORE_CLEAR, "voi_function", image->voi_function);
  store_draft_flag(draft, STORE_CLEAR, "inverted", image->inverted);
}

void
store_put_image(StoreDraft *draft, const StoreImage *image)
{
  store_draft_text(draft, STORE_CLEAR, "modality", image->modality);
  store_draft_text(draft, STORE_CLEAR, "sop_class", image->sop_class);
  store_draft_text(draft, STORE_CLEAR, "transfer_syntax", image->transfer_syntax);
  store_draft_int(draft, STORE_CLEAR, "frame", image->frame);
  put_window(draft, image);
  store_draft_flag(draft, STORE_CLEAR, "blank", image->blank);
  store_draft_int(draft, STORE_CLEAR, "region_x", image->region_x);
  store_draft_int(draft, STORE_CLEAR, "region_y", image->region_y);
  store_draft_int(draft, STORE_CLEAR, "region_width", image->region_width);
  store_draft_int(draft, STORE_CLEAR, "region_height", image->region_height);
  store_draft_int(draft, STORE_CLEAR, "turns", image->turns);
  store_draft_flag(draft, STORE_CLEAR, "flip", image->flip);
  store_draft_text(draft, STORE_CLEAR, "warnings", image->warnings);
  store_draft_text(draft, STORE_SEALED, "patient_id", image->patient_id);
  store_draft_text(draft, STORE_SEALED, "patient_name", image->patient_name);
  store_draft_text(draft, STORE_SEALED, "study_instance_uid", image->study_instance_uid);
  store_draft_text(draft, STORE_SEALED, "study_date", image->study_date);
  store_draft_text(draft, STORE_SEALED, "study_description", image->study_description);
  store_draft_text(draft, STORE_SEALED, "series_instance_uid", image->series_instance_uid);
  store_draft_text(draft, STORE_SEALED, "sop_instance_uid", image->sop_instance_uid);
  store_draft_text(draft, STORE_SEALED, "path", image->path);
  store_draft_text(draft, STORE_SEALED, "body_part", image->body_part);
  store_draft_text(draft, STORE_SEALED, "view", image->view);
  store_draft_text(draft, STORE_SEALED, "laterality", image->laterality);
  store_draft_sha256(draft, STORE_SEALED, "pixels_sha256", image->pixels_sha256);
  store_draft_sha256(draft, STORE_SEALED, "sent_sha256", image->sent_sha256);
}

void
store_get_image(StoreBody *body, StoreImage *image, GStringChunk *strings)
{
  const struct {
    StorePlace place;
    const char *field;
    const char **text;
  } texts[] = {
      {STORE_CLEAR, "modality", &image->modality},
      {STORE_CLEAR, "sop_class", &image->sop_class},
      {STORE_CLEAR, "transfer_syntax", &image->transfer_syntax},
      {STORE_CLEAR, "voi_function", &image->voi_function},
      {STORE_CLEAR, "warnings", &image->warnings},
      {STORE_SEALED, "patient_id", &image->patient_id},
      {STORE_SEALED, "patient_name", &image->patient_name},
      {STORE_SEALED, "study_instance_uid", &image->study_instance_uid},
      {STORE_SEALED, "study_date", &image->study_date},
      {STORE_SEALED, "study_description", &image->study_description},
      {STORE_SEALED, "series_instance_uid", &image->series_instance_uid},
      {STORE_SEALED, "sop_instance_uid", &image->sop_instance_uid},
      {STORE_SEALED, "path", &image->path},
      {STORE_SEALED, "body_part", &image->body_part},
      {STORE_SEALED, "view", &image->view},
      {STORE_SEALED, "laterality", &image->laterality},
      {STORE_SEALED, "pixels_sha256", &image->pixels_sha256},
      {STORE_SEALED, "sent_sha256", &image->sent_sha256},
  };

  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    *texts[i].text = chunk_text(body, texts[i].place, texts[i].field, STORE_NULLABLE, strings);
  }
  image->frame = store_body_uint(body, STORE_CLEAR, "frame");
  image->has_window = store_body_has(body, STORE_CLEAR, "window_center");
  if (image->has_window) {
    image->window_center = store_body_real(body, STORE_CLEAR, "window_center");
    image->window_width = store_body_real(body, STORE_CLEAR, "window_width");
  }
  image->has_voi_lut = store_body_has(body, STORE_CLEAR, "voi_lut");
  image->voi_lut = store_body_uint(body, STORE_CLEAR, "voi_lut");
  image->inverted = store_body_flag(body, STORE_CLEAR, "inverted");
  image->blank = store_body_flag(body, STORE_CLEAR, "blank");
  image->region_x = store_body_uint(body, STORE_CLEAR, "region_x");
  image->region_y = store_body_uint(body, STORE_CLEAR, "region_y");
  image->region_width = store_body_uint(body, STORE_CLEAR, "region_width");
  image->region_height = store_body_uint(body, STORE_CLEAR, "region_height");
  image->turns = (guint)store_body_int(body, STORE_CLEAR, "turns", 0, 3);
  image->flip = store_body_flag(body, STORE_CLEAR, "flip");
}

/* ---- conversations -------------------------------------------------------------------------- */

void
store_put_opening(StoreDraft *draft, const StoreOpening *opening)
{
  store_draft_int(draft, STORE_CLEAR, "model", opening->model);
  store_draft_text(draft, STORE_CLEAR, "program_version", opening->program_version);
  if (opening->rewound_from) {
    store_draft_int(draft, STORE_CLEAR, "rewound_from", opening->rewound_from);
    store_draft_int(draft, STORE_CLEAR, "rewound_turn", opening->rewound_turn);
  }
}

/* ---- turns ---------------------------------------------------------------------------------- */

static void
put_required(StoreDraft *draft, StorePlace place, const char *field, const char *text)
{
  if (!text) {
    store_draft_refuse(draft, field, "nothing", "a text");
  }
  store_draft_text(draft, place, field, text);
}

static void
put_sampling(StoreDraft *draft, const StoreTurn *turn)
{
  store_draft_text(draft, STORE_CLEAR, "stop", turn->stop);
  store_draft_real(draft, STORE_CLEAR, "temperature", turn->temperature);
  store_draft_real(draft, STORE_CLEAR, "top_p", turn->top_p);
  store_draft_uint64(draft, STORE_CLEAR, "seed", turn->seed);
  store_draft_int(draft, STORE_CLEAR, "max_tokens", turn->max_tokens);
  store_draft_real(draft, STORE_CLEAR, "image_s", turn->image_s);
  store_draft_real(draft, STORE_CLEAR, "prompt_s", turn->prompt_s);
  store_draft_real(draft, STORE_CLEAR, "first_token_s", turn->first_token_s);
  store_draft_real(draft, STORE_CLEAR, "answer_s", turn->answer_s);
  store_draft_int(draft, STORE_CLEAR, "prompt_tokens", turn->prompt_tokens);
  store_draft_int(draft, STORE_CLEAR, "answer_tokens", turn->answer_tokens);
  store_draft_text(draft, STORE_CLEAR, "answer_form", turn->answer_form);
}

void
store_put_turn(StoreDraft *draft, gint64 conversation, gint64 number, const StoreTurn *turn)
{
  store_draft_int(draft, STORE_CLEAR, "conversation", conversation);
  store_draft_int(draft, STORE_CLEAR, "number", number);
  if (turn->image) {
    store_draft_int(draft, STORE_CLEAR, "image", turn->image);
  }
  if (turn->n_earlier_images) {
    store_draft_rows(draft, STORE_CLEAR, "earlier_images", turn->earlier_images,
                     turn->n_earlier_images);
  }
  put_sampling(draft, turn);
  store_draft_text(draft, STORE_CLEAR, "instruction_rule", turn->instruction_rule);
  store_draft_text(draft, STORE_CLEAR, "instruction_list", turn->instruction_list);
  store_draft_int(draft, STORE_CLEAR, "instruction_words", turn->instruction_words);
  store_draft_int(draft, STORE_CLEAR, "instruction_threshold", turn->instruction_threshold);
  put_required(draft, STORE_SEALED, "question", turn->question);
  put_required(draft, STORE_SEALED, "answer", turn->answer);
  store_draft_ids(draft, "prompt_ids", turn->prompt_ids, turn->n_prompt_ids);
  store_draft_ids(draft, "answer_ids", turn->answer_ids, turn->n_answer_ids);
  store_draft_text(draft, STORE_SEALED, "instruction_text", turn->instruction_text);
  /* A text that has to be repaired is not the one that was cut. */
  store_draft_pieces(draft, "pieces",
                     turn->answer && g_utf8_validate(turn->answer, -1, NULL) ? turn->pieces : NULL,
                     turn->n_pieces);
}

void
store_get_turn(StoreBody *body, StoreTurn *turn, GStringChunk *strings)
{
  turn->question = chunk_text(body, STORE_SEALED, "question", STORE_REQUIRED, strings);
  turn->answer = chunk_text(body, STORE_SEALED, "answer", STORE_REQUIRED, strings);
  turn->prompt_ids = store_body_ids(body, "prompt_ids", &turn->n_prompt_ids);
  turn->answer_ids = store_body_ids(body, "answer_ids", &turn->n_answer_ids);
  turn->stop = chunk_text(body, STORE_CLEAR, "stop", STORE_NULLABLE, strings);
  turn->temperature = store_body_real(body, STORE_CLEAR, "temperature");
  turn->top_p = store_body_real(body, STORE_CLEAR, "top_p");
  turn->seed = store_body_uint64(body, STORE_CLEAR, "seed");
  turn->max_tokens = store_body_uint(body, STORE_CLEAR, "max_tokens");
  turn->image_s = store_body_real(body, STORE_CLEAR, "image_s");
  turn->prompt_s = store_body_real(body, STORE_CLEAR, "prompt_s");
  turn->first_token_s = store_body_real(body, STORE_CLEAR, "first_token_s");
  turn->answer_s = store_body_real(body, STORE_CLEAR, "answer_s");
  turn->prompt_tokens = store_body_uint(body, STORE_CLEAR, "prompt_tokens");
  turn->answer_tokens = store_body_uint(body, STORE_CLEAR, "answer_tokens");
  turn->answer_form = chunk_text(body, STORE_CLEAR, "answer_form", STORE_NULLABLE, strings);
  turn->instruction_rule =
      chunk_text(body, STORE_CLEAR, "instruction_rule", STORE_NULLABLE, strings);
  turn->instruction_list =
      chunk_text(body, STORE_CLEAR, "instruction_list", STORE_NULLABLE, strings);
  turn->instruction_text =
      chunk_text(body, STORE_SEALED, "instruction_text", STORE_NULLABLE, strings);
  turn->instruction_words = store_body_uint(body, STORE_CLEAR, "instruction_words");
  turn->instruction_threshold = store_body_uint(body, STORE_CLEAR, "instruction_threshold");
  turn->image = store_body_int(body, STORE_CLEAR, "image", 1, G_MAXINT64);
  turn->earlier_images =
      store_body_rows(body, STORE_CLEAR, "earlier_images", &turn->n_earlier_images);
  turn->pieces = store_body_pieces(body, "pieces", turn->answer, &turn->n_pieces);
}

/* ---- what was made of an answer ------------------------------------------------------------- */

static gboolean
is_one_of(const char *text, const char *const *of)
{
  return text && g_strv_contains(of, text);
}

void
store_put_verdict(StoreDraft *draft, gint64 turn, const StoreVerdict *verdict)
{
  static const char *const verdicts[] = {"accepted", "edited", "rejected", NULL};

  if (!is_one_of(verdict->verdict, verdicts)) {
    store_draft_refuse(draft, "verdict", "something else", "accepted, edited or rejected");
  } else if ((verdict->text != NULL) != g_str_equal(verdict->verdict, "edited")) {
    store_draft_refuse(draft, "text", verdict->text ? "one" : "none",
                       "one with \"edited\" and with no other");
  }
  store_draft_int(draft, STORE_CLEAR, "turn", turn);
  store_draft_text(draft, STORE_CLEAR, "verdict", verdict->verdict);
  put_required(draft, STORE_CLEAR, "user_name", verdict->user_name);
  store_draft_text(draft, STORE_CLEAR, "real_name", verdict->real_name);
  store_draft_text(draft, STORE_CLEAR, "person_name", verdict->person);
  store_draft_text(draft, STORE_SEALED, "text", verdict->text);
}

void
store_put_check(StoreDraft *draft, gint64 turn, const StoreCheck *check)
{
  static const char *const kinds[] = {"blank", "seeds", NULL};

  if (!is_one_of(check->kind, kinds)) {
    store_draft_refuse(draft, "kind", "something else", "blank or seeds");
  } else if (check->agreement < 0 || check->agreement > 1) {
    store_draft_refuse(draft, "agreement", "something else", "0 to 1");
  }
  store_draft_int(draft, STORE_CLEAR, "turn", turn);
  store_draft_text(draft, STORE_CLEAR, "check", check->kind);
  store_draft_flag(draft, STORE_CLEAR, "same", check->same);
  store_draft_real(draft, STORE_CLEAR, "agreement", check->agreement);
  store_draft_answers(draft, STORE_SEALED, "answers", check->answers, check->n_answers);
}

/* ---- other events --------------------------------------------------------------------------- */

void
store_put_event(StoreDraft *draft, const StoreEvent *event)
{
  store_draft_text(draft, STORE_CLEAR, "action", event->action);
  store_draft_text(draft, STORE_CLEAR, "outcome", event->failed ? "failure" : "success");
  store_draft_fields(draft, STORE_CLEAR, "fields", event->fields, event->n_fields);
  if (event->about) {
    store_put_image(draft, event->about);
  }
  store_draft_fields(draft, STORE_SEALED, "fields", event->sealed, event->n_sealed);
}

/* ---- subjects ------------------------------------------------------------------------------- */

void
store_put_identity(GByteArray *bytes, const StoreImage *image, gint64 conversation)
{
  const struct {
    char kind;
    const char *text;
  } names[] = {{'p', image ? image->patient_id : NULL},
               {'n', image ? image->patient_name : NULL},
               {'s', image ? image->study_instance_uid : NULL},
               {'r', image ? image->series_instance_uid : NULL},
               {'i', image ? image->sop_instance_uid : NULL},
               {'x', image ? image->pixels_sha256 : NULL},
               {'f', image ? image->path : NULL}};

  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    if (names[i].text && *names[i].text) {
      g_byte_array_append(bytes, (const guint8 *)&names[i].kind, 1);
      g_byte_array_append(bytes, (const guint8 *)names[i].text, (guint)strlen(names[i].text));
      return;
    }
  }
  {
    g_autofree char *text = g_strdup_printf("c%" G_GINT64_FORMAT, conversation);
    g_byte_array_append(bytes, (const guint8 *)text, (guint)strlen(text));
  }
}
