/* gate.c - what an image is, for reports, for the log and for people. */
#include "private.h"

char *
app_gate_names(const DicomGate *gate)
{
  g_autoptr(GString) names = g_string_new(NULL);

  for (guint i = 0; i < 32; i++) {
    if (gate->flags >> i & 1) {
      g_string_append_printf(names, "%s%s", names->len > 0 ? "," : "",
                             dicom_gate_flag_name((DicomGateFlag)i));
    }
  }
  return g_string_free(g_steal_pointer(&names), FALSE);
}

void
app_gate_set_names(JsonObject *object, const char *names)
{
  JsonArray *array;

  if (!names) {
    json_object_set_null_member(object, "warnings");
    return;
  }
  array = json_array_new();
  g_auto(GStrv) parts = g_strsplit(names, ",", 32);
  for (guint i = 0; parts[i]; i++) {
    json_array_add_string_element(array, parts[i]);
  }
  json_object_set_array_member(object, "warnings", array);
}

void
app_gate_set(JsonObject *object, const DicomGate *gate)
{
  JsonArray *texts = json_array_sized_new(gate->warnings->len);
  g_autofree char *names = app_gate_names(gate);

  app_json_set_text(object, "body_part", gate->body_part);
  app_json_set_text(object, "view", gate->view);
  app_json_set_text(object, "laterality", gate->laterality);
  app_gate_set_names(object, names);
  for (guint i = 0; i < gate->warnings->len; i++) {
    json_array_add_string_element(texts, gate->warnings->pdata[i]);
  }
  json_object_set_array_member(object, "warning_texts", texts);
}

char **
app_gate_sentences(const DicomInfo *info)
{
  g_autoptr(DicomGate) gate = dicom_gate_judge(info);
  char **texts = g_new0(char *, gate->warnings->len + 1);

  for (guint i = 0; i < gate->warnings->len; i++) {
    texts[i] = g_strdup(gate->warnings->pdata[i]);
  }
  return texts;
}
