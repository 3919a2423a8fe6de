/* trace.c - every stage of one rendered prompt, with the keys of the golden numbers. */
#include <math.h>
#include <stdlib.h>

#include "private.h"

#define N_TOP 10

static double
norm(const float *values, gsize n)
{
  double sum = 0;

  for (gsize i = 0; i < n; i++) {
    sum += (double)values[i] * values[i];
  }
  return sqrt(sum);
}

/* Of a sample (n - 1), as PyTorch's std(). */
static double
deviation(const float *values, gsize n)
{
  double mean = 0, sum = 0;

  for (gsize i = 0; i < n; i++) {
    mean += values[i];
  }
  mean /= (double)n;
  for (gsize i = 0; i < n; i++) {
    sum += (values[i] - mean) * (values[i] - mean);
  }
  return n > 1 ? sqrt(sum / (double)(n - 1)) : 0;
}

/* [[id, logit], ...], highest first, the lower id first among equals. */
static JsonArray *
top_logits(const float *logits, guint32 n)
{
  guint32 best[N_TOP];
  guint n_best = 0;
  JsonArray *array = json_array_new();

  for (guint32 id = 0; id < n; id++) {
    guint at = n_best;
    while (at > 0 && logits[id] > logits[best[at - 1]]) {
      at--;
    }
    if (at == N_TOP) {
      continue;
    }
    n_best = MIN(n_best + 1, N_TOP);
    for (guint i = n_best - 1; i > at; i--) {
      best[i] = best[i - 1];
    }
    best[at] = id;
  }
  for (guint i = 0; i < n_best; i++) {
    JsonArray *pair = json_array_new();
    json_array_add_int_element(pair, best[i]);
    json_array_add_double_element(pair, logits[best[i]]);
    json_array_add_array_element(array, pair);
  }
  return array;
}

static JsonArray *
shape_array(guint32 a, guint32 b, guint32 c)
{
  JsonArray *shape = json_array_new();

  json_array_add_int_element(shape, a);
  json_array_add_int_element(shape, b);
  if (c > 0) {
    json_array_add_int_element(shape, c);
  }
  return shape;
}

static JsonObject *
matrix_object(const float *values, guint32 rows, guint32 columns)
{
  JsonObject *object = json_object_new();

  json_object_set_array_member(object, "shape", shape_array(rows, columns, 0));
  json_object_set_double_member(object, "norm", norm(values, (gsize)rows * columns));
  return object;
}

static void
set_picture_stages(JsonObject *object, const ModelTrace *trace)
{
  JsonObject *preprocess;
  char sha256[65];

  if (!trace->u8) {
    json_object_set_null_member(object, "preprocess");
    json_object_set_null_member(object, "vision");
    json_object_set_null_member(object, "projected");
    return;
  }
  preprocess = json_object_new();
  json_object_set_array_member(preprocess, "u8_shape", shape_array(trace->side, trace->side, 3));
  model_sha256(trace->u8, (gsize)trace->side * trace->side * 3, sha256);
  json_object_set_string_member(preprocess, "u8_sha256", sha256);
  json_object_set_object_member(object, "preprocess", preprocess);
  json_object_set_object_member(
      object, "vision", matrix_object(trace->vision, trace->n_patches, trace->vision_hidden));
  json_object_set_object_member(object, "projected",
                                matrix_object(trace->projected, trace->n_patches, trace->hidden));
}

static JsonNode *
trace_node(const ModelTrace *trace)
{
  JsonObject *object = json_object_new();
  JsonObject *logits = json_object_new();
  JsonObject *greedy = json_object_new();

  set_picture_stages(object, trace);
  app_json_set_ids(object, "ids", trace->ids.ids, trace->ids.n);
  json_object_set_int_member(object, "n_positions", trace->n_positions);
  json_object_set_array_member(logits, "top10", top_logits(trace->logits, trace->vocab));
  json_object_set_double_member(logits, "norm", norm(trace->logits, trace->vocab));
  json_object_set_double_member(logits, "std", deviation(trace->logits, trace->vocab));
  json_object_set_object_member(object, "logits_last", logits);
  app_json_set_ids(greedy, "ids", trace->greedy.ids, trace->greedy.n);
  json_object_set_object_member(object, "greedy", greedy);
  json_object_set_string_member(object, "text", trace->text ? trace->text : "");
  return app_json_node(object);
}

static gboolean
dump_floats(const char *folder, const char *name, const float *values, gsize rows, gsize columns,
            GError **error)
{
  g_autofree char *path = g_build_filename(folder, name, NULL);
  const gsize matrix[2] = {rows, columns};
  const gsize vector[1] = {columns};
  gsize n_bytes = (rows > 0 ? rows : 1) * columns * sizeof *values;

  return app_npy_write(path, G_BYTE_ORDER == G_LITTLE_ENDIAN ? "<f4" : ">f4",
                       rows > 0 ? matrix : vector, rows > 0 ? 2 : 1, values, n_bytes, error);
}

static gboolean
dump_trace(const ModelTrace *trace, const char *folder, GError **error)
{
  if (g_mkdir_with_parents(folder, 0755) != 0) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: the folder cannot be made", folder);
    return FALSE;
  }
  if (trace->u8 && (!dump_floats(folder, "vision.npy", trace->vision, trace->n_patches,
                                 trace->vision_hidden, error) ||
                    !dump_floats(folder, "projected.npy", trace->projected, trace->n_patches,
                                 trace->hidden, error))) {
    return FALSE;
  }
  return dump_floats(folder, "logits_last.npy", trace->logits, 0, trace->vocab, error);
}

JsonNode *
app_model_trace(const AppModelOptions *options, const char *image, const char *prompt,
                guint max_tokens, const char *dump_dir, GError **error)
{
  g_autoptr(AppShot) shot = NULL;
  g_autoptr(ModelEngine) engine = NULL;
  ModelImage picture;
  ModelTrace trace = {0};
  ModelError failure = {0};
  JsonNode *node = NULL;

  if (image) {
    shot = app_shot_new(&(AppImageChoice){.path = image}, error);
    if (!shot) {
      return NULL;
    }
    picture = app_shot_image(shot);
  }
  engine = app_engine_open(options, error);
  if (!engine) {
    return NULL;
  }
  if (!model_trace(engine, shot ? &picture : NULL, prompt, max_tokens, &trace, &failure)) {
    app_error_from_model(error, &failure);
    return NULL;
  }
  if (!app_engine_is_lost(engine, error) && (!dump_dir || dump_trace(&trace, dump_dir, error))) {
    node = trace_node(&trace);
  }
  model_trace_clear(&trace);
  return node;
}
