/* turn-json.c - a turn as one line of JSON, as turn.schema.json has it. */
#include "export/text.h"

#include <math.h>

/* Seeds have 64 bits, and most readers of JSON hold 53 of them. */
static void
append_seed(GString *out, guint64 seed)
{
  store_json_append_name(out, "seed");
  g_string_append_printf(out, "\"%" G_GUINT64_FORMAT "\"", seed);
}

static void
append_ids(GString *out, const char *name, const gint32 *ids, gsize n)
{
  store_json_append_name(out, name);
  if (!ids) {
    g_string_append(out, "null");
    return;
  }
  g_string_append_c(out, '[');
  for (gsize i = 0; i < n; i++) {
    g_string_append_printf(out, "%s%d", i > 0 ? "," : "", ids[i]);
  }
  g_string_append_c(out, ']');
}

static void
append_conversation(GString *out, const StoreConversation *conversation)
{
  store_json_append_name(out, "conversation");
  g_string_append_c(out, '{');
  store_json_append_int(out, "id", conversation->id);
  store_json_append_text(out, "started", conversation->started);
  store_json_append_text(out, "program_version", conversation->program_version);
  if (conversation->rewound_from != 0) {
    store_json_append_int(out, "rewound_from", conversation->rewound_from);
    store_json_append_int(out, "rewound_turn", conversation->rewound_turn);
  } else {
    store_json_append_text(out, "rewound_from", NULL);
    store_json_append_text(out, "rewound_turn", NULL);
  }
  g_string_append_c(out, '}');
}

static void
append_model(GString *out, const StoreModel *model)
{
  store_json_append_name(out, "model");
  g_string_append_c(out, '{');
  store_json_append_text(out, "name", model->name);
  store_json_append_text(out, "sha256", model->sha256);
  store_json_append_text(out, "quantization", model->quantization);
  store_json_append_text(out, "path", model->path);
  store_json_append_text(out, "template", model->template_name);
  store_json_append_text(out, "engine", model->engine);
  g_string_append_c(out, '}');
}

static void
append_region(GString *out, const StoreImage *image)
{
  if (image->region_width == 0) {
    store_json_append_text(out, "region", NULL);
    return;
  }
  store_json_append_name(out, "region");
  g_string_append_c(out, '{');
  store_json_append_int(out, "x", image->region_x);
  store_json_append_int(out, "y", image->region_y);
  store_json_append_int(out, "width", image->region_width);
  store_json_append_int(out, "height", image->region_height);
  g_string_append_c(out, '}');
}

static void
append_look(GString *out, const StoreImage *image)
{
  store_json_append_real(out, "window_center", image->has_window ? image->window_center : NAN);
  store_json_append_real(out, "window_width", image->has_window ? image->window_width : NAN);
  store_json_append_text(out, "voi_function", image->voi_function);
  if (image->has_voi_lut) {
    store_json_append_int(out, "voi_lut", image->voi_lut);
  } else {
    store_json_append_text(out, "voi_lut", NULL);
  }
  store_json_append_bool(out, "inverted", image->inverted);
  append_region(out, image);
  store_json_append_int(out, "turns", image->turns);
  store_json_append_bool(out, "flip", image->flip);
  store_json_append_bool(out, "blank", image->blank);
}

static void
append_image(GString *out, const StoreImage *image)
{
  store_json_append_comma(out);
  g_string_append_c(out, '{');
  store_json_append_text(out, "patient_id", image->patient_id);
  store_json_append_text(out, "patient_name", image->patient_name);
  store_json_append_text(out, "study_date", image->study_date);
  store_json_append_text(out, "study_description", image->study_description);
  store_json_append_text(out, "study_instance_uid", image->study_instance_uid);
  store_json_append_text(out, "series_instance_uid", image->series_instance_uid);
  store_json_append_text(out, "sop_instance_uid", image->sop_instance_uid);
  store_json_append_text(out, "sop_class", image->sop_class);
  store_json_append_text(out, "transfer_syntax", image->transfer_syntax);
  store_json_append_text(out, "path", image->path);
  store_json_append_int(out, "frame", image->frame);
  store_json_append_text(out, "modality", image->modality);
  store_json_append_text(out, "body_part", image->body_part);
  store_json_append_text(out, "view", image->view);
  store_json_append_text(out, "laterality", image->laterality);
  store_json_append_text(out, "warnings", image->warnings);
  append_look(out, image);
  store_json_append_text(out, "pixels_sha256", image->pixels_sha256);
  store_json_append_text(out, "sent_sha256", image->sent_sha256);
  g_string_append_c(out, '}');
}

static void
append_images(GString *out, const StoreTurnRow *row)
{
  store_json_append_name(out, "images");
  g_string_append_c(out, '[');
  for (gsize i = 0; i < row->turn.n_earlier_images; i++) {
    append_image(out, &row->earlier[i]);
  }
  if (row->turn.image != 0) {
    append_image(out, &row->image);
  }
  g_string_append_c(out, ']');
}

static void
append_numbers(GString *out, const StoreTurn *turn)
{
  store_json_append_name(out, "sampling");
  g_string_append_c(out, '{');
  store_json_append_real(out, "temperature", turn->temperature);
  store_json_append_real(out, "top_p", turn->top_p);
  append_seed(out, turn->seed);
  store_json_append_int(out, "max_tokens", turn->max_tokens);
  g_string_append_c(out, '}');
  store_json_append_name(out, "timing");
  g_string_append_c(out, '{');
  store_json_append_real(out, "image_s", turn->image_s);
  store_json_append_int(out, "prompt_tokens", turn->prompt_tokens);
  store_json_append_real(out, "prompt_s", turn->prompt_s);
  store_json_append_real(out, "first_token_s", turn->first_token_s);
  store_json_append_int(out, "answer_tokens", turn->answer_tokens);
  store_json_append_real(out, "answer_s", turn->answer_s);
  g_string_append_c(out, '}');
}

static void
append_instruction(GString *out, const StoreTurn *turn)
{
  if (!turn->instruction_rule) {
    store_json_append_text(out, "instruction", NULL);
    return;
  }
  store_json_append_name(out, "instruction");
  g_string_append_c(out, '{');
  store_json_append_text(out, "rule", turn->instruction_rule);
  store_json_append_text(out, "list", turn->instruction_list);
  store_json_append_text(out, "text", turn->instruction_text);
  store_json_append_int(out, "words", turn->instruction_words);
  store_json_append_int(out, "threshold", turn->instruction_threshold);
  g_string_append_c(out, '}');
}

static void
append_pieces(GString *out, const StoreTurn *turn)
{
  if (!turn->pieces) {
    store_json_append_text(out, "tokens", NULL);
    return;
  }
  store_json_append_name(out, "tokens");
  g_string_append_c(out, '[');
  for (gsize i = 0; i < turn->n_pieces; i++) {
    store_json_append_comma(out);
    g_string_append_c(out, '{');
    store_json_append_int(out, "end", turn->pieces[i].end);
    store_json_append_real(out, "p", (double)turn->pieces[i].p);
    g_string_append_c(out, '}');
  }
  g_string_append_c(out, ']');
}

static void
append_verdicts(GString *out, const GPtrArray *verdicts)
{
  store_json_append_name(out, "verdicts");
  g_string_append_c(out, '[');
  for (guint i = 0; verdicts && i < verdicts->len; i++) {
    const StoreVerdictRow *row = verdicts->pdata[i];
    store_json_append_comma(out);
    g_string_append_c(out, '{');
    store_json_append_text(out, "verdict", row->verdict.verdict);
    store_json_append_text(out, "text", row->verdict.text);
    store_json_append_text(out, "user_name", row->verdict.user_name);
    store_json_append_text(out, "real_name", row->verdict.real_name);
    store_json_append_text(out, "person", row->verdict.person);
    store_json_append_text(out, "time", row->time);
    g_string_append_c(out, '}');
  }
  g_string_append_c(out, ']');
}

static void
append_check(GString *out, const StoreCheckRow *row)
{
  store_json_append_comma(out);
  g_string_append_c(out, '{');
  store_json_append_text(out, "kind", row->check.kind);
  store_json_append_bool(out, "same", row->check.same);
  store_json_append_real(out, "agreement", row->check.agreement);
  store_json_append_text(out, "time", row->time);
  store_json_append_name(out, "answers");
  g_string_append_c(out, '[');
  for (gsize i = 0; i < row->check.n_answers; i++) {
    store_json_append_comma(out);
    g_string_append_c(out, '{');
    store_json_append_text(out, "answer", row->check.answers[i].answer);
    append_seed(out, row->check.answers[i].seed);
    store_json_append_bool(out, "blank", row->check.answers[i].blank);
    g_string_append_c(out, '}');
  }
  g_string_append(out, "]}");
}

void
store_export_json(GString *out, const StoreExportTurn *turn)
{
  const StoreTurnRow *row = turn->row;

  g_string_append_c(out, '{');
  store_json_append_int(out, "format", STORE_EXPORT_FORMAT);
  append_conversation(out, turn->conversation);
  store_json_append_int(out, "turn", row->number);
  store_json_append_int(out, "turn_id", row->id);
  store_json_append_text(out, "time", row->time);
  store_json_append_text(out, "question", row->turn.question);
  store_json_append_text(out, "answer", row->turn.answer);
  store_json_append_text(out, "stop", row->turn.stop);
  store_json_append_text(out, "answer_form", row->turn.answer_form);
  append_model(out, &row->model);
  append_images(out, row);
  append_numbers(out, &row->turn);
  append_instruction(out, &row->turn);
  append_ids(out, "prompt_ids", row->turn.prompt_ids, row->turn.n_prompt_ids);
  append_ids(out, "answer_ids", row->turn.answer_ids, row->turn.n_answer_ids);
  append_pieces(out, &row->turn);
  append_verdicts(out, turn->verdicts);
  store_json_append_name(out, "checks");
  g_string_append_c(out, '[');
  for (guint i = 0; turn->checks && i < turn->checks->len; i++) {
    append_check(out, turn->checks->pdata[i]);
  }
  g_string_append(out, "]}\n");
}
