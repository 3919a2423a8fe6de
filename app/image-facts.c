/* image-facts.c - what the header of an image or document says, for `hilum image info`. */

#include "private.h"

static void
set_orientation(JsonObject *object, const DicomInfo *info)
{
  DicomLetters letters = dicom_info_letters(info, 0);
  JsonObject *edges = json_object_new();

  app_json_set_text(edges, "left", letters.left);
  app_json_set_text(edges, "right", letters.right);
  app_json_set_text(edges, "top", letters.top);
  app_json_set_text(edges, "bottom", letters.bottom);
  json_object_set_object_member(object, "orientation", edges);
}

static void
set_spacing(JsonObject *object, const DicomInfo *info)
{
  if (!info->has_spacing) {
    json_object_set_null_member(object, "spacing_mm");
    return;
  }
  JsonArray *spacing = json_array_sized_new(2);
  json_array_add_double_element(spacing, info->spacing[0]);
  json_array_add_double_element(spacing, info->spacing[1]);
  json_object_set_array_member(object, "spacing_mm", spacing);
}

/* Nobody puts a question about a document, so there is nothing to warn of: null, not none. */
static void
set_gate(JsonObject *object, const DicomInfo *info)
{
  if (info->content == DICOM_CONTENT_IMAGE) {
    g_autoptr(DicomGate) gate = dicom_gate_judge(info);

    app_gate_set(object, gate);
    return;
  }
  app_json_set_text(object, "body_part", info->body_part_examined);
  app_json_set_text(object, "view", info->view_position);
  app_json_set_text(object, "laterality", info->laterality);
  app_gate_set_names(object, NULL);
  json_object_set_null_member(object, "warning_texts");
}

void
app_image_set_facts(JsonObject *object, const DicomInfo *info)
{
  json_object_set_string_member(object, "content", dicom_content_name(info->content));
  app_json_set_text(object, "content_name", info->content_name);
  app_json_set_text(object, "transfer_syntax_name",
                    dicom_transfer_syntax_name(info->transfer_syntax));
  app_json_set_text(object, "title", info->document_title);
  set_gate(object, info);
  app_json_set_text(object, "image_type", info->image_type);
  set_orientation(object, info);
  set_spacing(object, info);
  json_object_set_string_member(object, "calibration", dicom_info_calibration(info));
  if (info->frame_time_ms > 0) {
    json_object_set_double_member(object, "frame_rate", 1000 / info->frame_time_ms);
  } else {
    json_object_set_null_member(object, "frame_rate");
  }
  app_json_set_text(object, "burned_in_annotation", info->burned_in_annotation);
  json_object_set_boolean_member(object, "lossy", info->lossy);
  app_json_set_text(object, "damage", info->damage);
}
