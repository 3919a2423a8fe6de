/* tower.c - see tower.h. */
#include "tower.h"

#include "decoder.h"
#include "tower-private.h"

static void
example_clear(gpointer example)
{
  g_free(((AppTowerExample *)example)->features);
}

void
app_tower_free(AppTower *tower)
{
  if (tower) {
    g_clear_pointer(&tower->engine, model_engine_free);
    g_clear_pointer(&tower->clip, model_clip_free);
    g_clear_pointer(&tower->examples, g_array_unref);
    g_clear_pointer(&tower->classes, g_array_unref);
    for (guint i = 0; i < DATA_N_DOMAINS; i++) {
      g_free(tower->means[i]);
    }
    g_free(tower->centre);
    g_mutex_clear(&tower->lock);
    g_free(tower);
  }
}

/* ---- seeing ------------------------------------------------------------------------------------
 */

DicomPicture *
app_tower_picture(const char *path, GError **error)
{
  g_autoptr(DicomFrame) frame = app_decoder_frame(path, 0, NULL, NULL, error);

  return frame ? dicom_frame_render(frame, NULL, error) : NULL;
}

/* The mean of the patches that a model's tower hands to its decoder; free(). */
static float *
see_patches(AppTower *tower, const ModelImage *image, ModelError *failure)
{
  uint32_t n_patches, width;
  float *patches = model_see(tower->engine, image, &n_patches, &width, failure);
  float *mean;

  if (!patches) {
    return NULL;
  }
  mean = g_new0(float, width);
  for (guint i = 0; i < n_patches; i++) {
    for (guint k = 0; k < width; k++) {
      mean[k] += patches[(gsize)i * width + k] / (float)n_patches;
    }
  }
  free(patches);
  tower->width = width;
  return mean;
}

float *
app_tower_see(AppTower *tower, const DicomPicture *picture, GError **error)
{
  const ModelImage image = {
      .pixels = picture->pixels, .width = picture->width, .height = picture->height, .channels = 3};
  ModelError failure;
  float *features = NULL;

  g_mutex_lock(&tower->lock);
  if (tower->engine) {
    features = see_patches(tower, &image, &failure);
  } else {
    features = g_new(float, tower->width);
    if (!model_clip_picture(tower->clip, &image, features, &failure)) {
      g_clear_pointer(&features, g_free);
    }
  }
  g_mutex_unlock(&tower->lock);
  if (!features) {
    app_error_from_model(error, &failure);
  }
  return features;
}

void
app_tower_look(AppTower *tower, const DicomPicture *picture, PmcPicture *seen)
{
  g_autofree float *features = app_tower_see(tower, picture, NULL);

  if (features && tower->classes) {
    app_tower_tell_by_prompts(tower, features, seen);
  } else if (features) {
    app_tower_tell_by_examples(tower, features, seen);
  }
}

gboolean
app_tower_is_lost(const AppTower *tower, GError **error)
{
  if (tower->engine) {
    return app_engine_is_lost(tower->engine, error);
  }
  if (model_clip_is_intact(tower->clip)) {
    return FALSE;
  }
  g_set_error_literal(error, APP_ERROR, APP_ERROR_MODEL_LOST,
                      "the tower's file was changed or cut short while it was in use");
  return TRUE;
}

/* ---- making ------------------------------------------------------------------------------------
 */

/* A checkpoint with two towers of its own. */
static gboolean
open_clip(AppTower *tower, const char *path, guint n_threads, GError **error)
{
  const ModelClipOptions options = {.n_threads = n_threads, .guard = app_guard()};
  ModelClipInfo info;
  ModelError failure;

  tower->clip = model_clip_open(path, &options, &failure);
  if (!tower->clip) {
    app_error_from_model(error, &failure);
    return FALSE;
  }
  model_clip_info(tower->clip, &info);
  tower->width = info.width;
  tower->scale = info.scale;
  return TRUE;
}

static gboolean
check_choice(gboolean pair, const char *model, const char *vision, const char *examples,
             GError **error)
{
  if (model && !g_file_test(model, G_FILE_TEST_EXISTS)) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: no such checkpoint", model);
  } else if (pair && vision) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "%s has a tower of its own: expected it, or a model with --vision-tower", model);
  } else if (!pair && !examples) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "%s is no CLIP checkpoint: without a tower of texts it compares with --examples",
                model ? model : "the model");
  } else {
    return TRUE;
  }
  return FALSE;
}

AppTower *
app_tower_new(const char *model, const char *vision, const char *examples, guint n_threads,
              GError **error)
{
  const AppModelOptions options = {.model = model, .vision_tower = vision, .n_threads = n_threads};
  const gboolean pair = model && model_clip_is(model);
  g_autoptr(AppTower) tower = g_new0(AppTower, 1);

  g_mutex_init(&tower->lock);
  tower->examples = g_array_new(FALSE, FALSE, sizeof(AppTowerExample));
  g_array_set_clear_func(tower->examples, example_clear);
  if (!check_choice(pair, model, vision, examples, error)) {
    return NULL;
  }
  if (pair ? !open_clip(tower, model, n_threads, error)
           : !(tower->engine = app_engine_open(&options, error))) {
    return NULL;
  }
  if (!(examples ? app_tower_learn(tower, examples, error) : app_tower_prompt(tower, error)) ||
      app_tower_is_lost(tower, error)) {
    return NULL;
  }
  return g_steal_pointer(&tower);
}

JsonObject *
app_tower_report(const AppTower *tower)
{
  JsonObject *o = json_object_new();

  json_object_set_string_member(o, "by", tower->classes ? "prompts" : "examples");
  if (tower->classes) {
    json_object_set_null_member(o, "examples");
    json_object_set_null_member(o, "left_out_accuracy");
    json_object_set_int_member(o, "classes", tower->classes->len);
    json_object_set_int_member(o, "prompts", tower->n_prompts);
  } else {
    json_object_set_int_member(o, "examples", tower->examples->len);
    json_object_set_double_member(o, "left_out_accuracy", tower->accuracy);
    json_object_set_null_member(o, "classes");
    json_object_set_null_member(o, "prompts");
  }
  return o;
}
