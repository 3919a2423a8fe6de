/* model.c - opening and describing models. */

#include "private.h"

#include <glib/gi18n.h>

#define DEMO_NAME "hilum-demo.gguf"
#define HASHED_UNASKED ((guint64)1 << 30) /* bytes of weights: half a second */

char *
app_demo_model_path(GError **error)
{
  const char *named = g_getenv("HILUM_DEMO_MODEL");
  g_autofree char *installed = g_build_filename(HILUM_DATADIR, "hilum", "demo.gguf", NULL);
  g_autofree char *source = g_build_filename(HILUM_SOURCE_ROOT, "data", "demo", DEMO_NAME, NULL);

  if (named && *named) {
    return g_strdup(named);
  }
  if (g_file_test(installed, G_FILE_TEST_IS_REGULAR)) {
    return g_steal_pointer(&installed);
  }
  if (g_file_test(source, G_FILE_TEST_IS_REGULAR)) {
    return g_steal_pointer(&source);
  }
  g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
              _("the demo model is not there (looked for %s and %s); name a model with --model"),
              installed, source);
  return NULL;
}

char *
app_model_path(const AppModelOptions *options, GError **error)
{
  if (!options->model && (options->mmproj || options->vision_tower)) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_ARGUMENT,
                        _("a projector file or vision tower goes with a model: name it too"));
    return NULL;
  }
  return options->model ? g_strdup(options->model) : app_demo_model_path(error);
}

static ModelEngine *
engine_open(const AppModelOptions *options, gboolean inspect, bool (*go_on)(void *user),
            gpointer user, GError **error)
{
  g_autofree char *path = app_model_path(options, error);
  const ModelEngineOptions engine_options = {.mmproj = options->mmproj,
                                             .vision_tower = options->vision_tower,
                                             .template_name = options->template_name,
                                             .n_threads = options->n_threads,
                                             .guard = app_guard(),
                                             .go_on = go_on,
                                             .go_on_user = user,
                                             .inspect = inspect};
  ModelError failure = {0};
  ModelEngine *engine;

  if (!path) {
    return NULL;
  }
  engine = model_engine_open(path, &engine_options, &failure);
  if (!engine) {
    app_error_from_model(error, &failure);
  }
  return engine;
}

ModelEngine *
app_engine_open_while(const AppModelOptions *options, bool (*go_on)(void *user), gpointer user,
                      GError **error)
{
  g_autoptr(ModelEngine) engine = engine_open(options, FALSE, go_on, user, error);
  ModelError failure = {0};

  if (engine && !model_engine_check_sight(engine, &failure)) {
    app_error_from_model(error, &failure);
    return NULL;
  }
  if (engine && app_engine_is_lost(engine, error)) {
    return NULL;
  }
  return g_steal_pointer(&engine);
}

ModelEngine *
app_engine_open(const AppModelOptions *options, GError **error)
{
  return app_engine_open_while(options, NULL, NULL, error);
}

ModelEngine *
app_engine_inspect(const AppModelOptions *options, GError **error)
{
  return engine_open(options, TRUE, NULL, NULL, error);
}

/* Bytes that programs can still take without swapping, or -1 where the system does not say. */
static gint64
memory_available(void)
{
  g_autofree char *text = NULL;
  const char *line;

  if (!g_file_get_contents("/proc/meminfo", &text, NULL, NULL)) {
    return -1;
  }
  line = strstr(text, "\nMemAvailable:");
  return line ? g_ascii_strtoll(line + strlen("\nMemAvailable:"), NULL, 10) * 1024 : -1;
}

ModelSessionOptions
app_session_options(const AppModelOptions *options)
{
  static const ModelKvType types[] = {[APP_KV_AUTO] = MODEL_KV_AUTO,
                                      [APP_KV_F32] = MODEL_KV_F32,
                                      [APP_KV_F16] = MODEL_KV_F16,
                                      [APP_KV_Q8_0] = MODEL_KV_Q8_0};

  return (ModelSessionOptions){.context = options->context, .kv_type = types[options->kv_type]};
}

gboolean
app_model_has_vision(const AppModelOptions *options, gboolean *has, GError **error)
{
  g_autoptr(ModelEngine) engine = app_engine_inspect(options, error);

  if (!engine) {
    return FALSE;
  }
  *has = model_engine_info(engine)->has_vision;
  return TRUE;
}

static JsonObject *
vision_object(const ModelInfo *info, ModelEngine *engine)
{
  JsonObject *vision = json_object_new();

  json_object_set_string_member(vision, "origin", info->tower_origin);
  json_object_set_int_member(vision, "image_size", info->image_size);
  json_object_set_int_member(vision, "patch_size", info->patch_size);
  json_object_set_int_member(vision, "image_tokens", info->n_image_tokens);
  json_object_set_int_member(vision, "image_positions", model_engine_image_positions(engine));
  json_object_set_int_member(vision, "hidden", info->vision_hidden);
  json_object_set_int_member(vision, "blocks_run", info->vision_blocks_run);
  json_object_set_string_member(vision, "projector", info->projector);
  json_object_set_string_member(vision, "aspect", info->aspect);
  return vision;
}

/* What running it takes, and whether this machine has as much now. */
static void
set_memory(JsonObject *object, const ModelEngine *engine, const AppModelOptions *options)
{
  const ModelSessionOptions session = app_session_options(options);
  const gint64 available = memory_available();
  ModelMemory memory;

  model_engine_memory(engine, &session, options->n_threads, &memory);
  json_object_set_int_member(object, "run_context", memory.context);
  json_object_set_int_member(object, "resident_weight_bytes", (gint64)memory.weight_bytes);
  json_object_set_int_member(object, "kv_bytes", (gint64)memory.kv_bytes);
  json_object_set_int_member(object, "workspace_bytes", (gint64)memory.workspace_bytes);
  json_object_set_int_member(object, "picture_bytes", (gint64)memory.picture_bytes);
  json_object_set_int_member(object, "peak_bytes", (gint64)memory.peak_bytes);
  if (available < 0) {
    json_object_set_null_member(object, "available_bytes");
    json_object_set_null_member(object, "fits");
  } else {
    json_object_set_int_member(object, "available_bytes", available);
    json_object_set_boolean_member(object, "fits", (gint64)memory.peak_bytes <= available);
  }
}

JsonNode *
app_model_info(const AppModelOptions *options, gboolean hash, GError **error)
{
  g_autoptr(ModelEngine) engine = app_engine_inspect(options, error);
  const ModelInfo *info;
  JsonObject *object;
  ModelError failure = {0};
  char sha256[65];

  if (!engine) {
    return NULL;
  }
  hash = hash || model_engine_info(engine)->n_weight_bytes <= HASHED_UNASKED;
  if (hash && !model_engine_sha256(engine, sha256, &failure)) {
    app_error_from_model(error, &failure);
    return NULL;
  }
  info = model_engine_info(engine);
  object = json_object_new();
  app_json_set_text(object, "name", info->name);
  app_json_set_text(object, "path", info->path);
  app_json_set_text(object, "format", info->format);
  app_json_set_text(object, "sha256", hash ? sha256 : NULL);
  app_json_set_text(object, "quantization", info->quantization);
  app_json_set_text(object, "template", info->template_name);
  json_object_set_int_member(object, "parameters", (gint64)info->n_parameters);
  json_object_set_int_member(object, "weight_bytes", (gint64)info->n_weight_bytes);
  json_object_set_int_member(object, "layers", info->n_layers);
  json_object_set_int_member(object, "hidden", info->hidden);
  json_object_set_int_member(object, "heads", info->heads);
  json_object_set_int_member(object, "kv_heads", info->kv_heads);
  json_object_set_int_member(object, "head_dim", info->head_dim);
  json_object_set_int_member(object, "ffn", info->ffn);
  json_object_set_int_member(object, "vocab", info->vocab);
  json_object_set_int_member(object, "context", info->context);
  json_object_set_int_member(
      object, "kv_position_bytes",
      (gint64)model_engine_kv_bytes(engine, app_session_options(options).kv_type));
  set_memory(object, engine, options);
  if (info->has_vision) {
    app_json_set_object(object, "vision", vision_object(info, engine));
  } else {
    json_object_set_null_member(object, "vision");
  }
  app_json_set_text(object, "card", info->model_card);
  return app_json_node(object);
}
