/* convert.c - writing models as GGUF files. */

#include "private.h"

typedef struct {
  AppProgress progress;
  gpointer user;
} Listener;

static bool
forward_progress(uint64_t done, uint64_t total, void *user)
{
  Listener *listener = user;

  return listener->progress(done, total, listener->user);
}

static gboolean
read_card(const char *path, char **text, GError **error)
{
  gsize length;

  if (!path) {
    return TRUE;
  }
  if (!g_file_get_contents(path, text, &length, error)) {
    return FALSE;
  }
  if (!g_utf8_validate(*text, (gssize)length, NULL)) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: a model card is UTF-8 text; this is not",
                path);
    return FALSE;
  }
  return TRUE;
}

/* As model_convert() names it. */
static char *
mmproj_path(const char *out)
{
  const gsize n = strlen(out) - (g_str_has_suffix(out, ".gguf") && strlen(out) > 5 ? 5 : 0);

  return g_strdup_printf("%.*s-mmproj.gguf", (int)n, out);
}

static JsonNode *
report_node(const AppConvertOptions *options, const char *mmproj, const ModelConvertReport *report)
{
  JsonObject *object = json_object_new();

  app_json_set_text(object, "out", options->out);
  if (mmproj && g_file_test(mmproj, G_FILE_TEST_EXISTS)) {
    app_json_set_text(object, "mmproj", mmproj);
  } else {
    json_object_set_null_member(object, "mmproj");
  }
  json_object_set_string_member(object, "type", options->type);
  json_object_set_int_member(object, "tensors", (gint64)report->n_tensors);
  json_object_set_int_member(object, "bytes", (gint64)report->n_bytes);
  json_object_set_double_member(object, "seconds", report->seconds);
  json_object_set_int_member(object, "verified_rows", (gint64)report->n_verified_rows);
  json_object_set_double_member(object, "worst_error", report->worst_error);
  json_object_set_string_member(object, "worst_tensor", report->worst_tensor);
  json_object_set_string_member(object, "sha256", report->sha256);
  return app_json_node(object);
}

JsonNode *
app_model_convert(const AppModelOptions *model, const AppConvertOptions *options,
                  AppProgress progress, gpointer user, GError **error)
{
  Listener listener = {progress, user};
  const ModelEngineOptions open = {.mmproj = model->mmproj,
                                   .vision_tower = model->vision_tower,
                                   .template_name = model->template_name,
                                   .base = options->base,
                                   .lora = options->lora,
                                   .guard = app_guard(),
                                   .n_threads = model->n_threads};
  ModelConvertOptions convert = {.type = options->type,
                                 .tower_type = options->tower_type,
                                 .imatrix = options->imatrix,
                                 .verify = (ModelVerify)options->verify,
                                 .packed = options->packed,
                                 .split = options->split};
  g_autofree char *path = app_model_path(model, error), *card = NULL;
  g_autofree char *mmproj = options->split ? mmproj_path(options->out) : NULL;
  ModelConvertReport report = {0};
  ModelError failure = {0};

  if (!path || !app_file_is_another(options->out, path, error) ||
      (model->mmproj && !app_file_is_another(options->out, model->mmproj, error)) ||
      (mmproj && !app_file_is_another(mmproj, path, error)) ||
      (mmproj && model->mmproj && !app_file_is_another(mmproj, model->mmproj, error)) ||
      !read_card(options->card, &card, error)) {
    return NULL;
  }
  convert.card = card;
  if (!model_convert(path, &open, &convert, options->out, progress ? forward_progress : NULL,
                     &listener, &report, &failure)) {
    app_error_from_model(error, &failure);
    return NULL;
  }
  return report_node(options, mmproj, &report);
}
