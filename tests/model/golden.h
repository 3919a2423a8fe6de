/* golden.h - reading vectors/NAME/golden.json, its pictures, and comparing with its samples. */
#ifndef HILUM_TESTS_MODEL_GOLDEN_H
#define HILUM_TESTS_MODEL_GOLDEN_H

#include <glib.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <png.h>
#include <string.h>

#include "model.h"
#include "shared.h"

/* The three models; B's tower is a folder of its own. */
static const char *const golden_names[] = {"A-v15-tiny", "B-v10-tiny", "C-odd"};

/* golden.json of NAME, or NULL after a loud skip. g_object_unref(). */
static inline JsonParser *
golden_load(const char *name)
{
  g_autofree char *relative = g_strdup_printf("vectors/%s/golden.json", name);
  g_autofree char *path = shared_path(relative);
  g_autoptr(GError) error = NULL;
  JsonParser *parser;

  if (!path) {
    return NULL;
  }
  parser = json_parser_new();
  json_parser_load_from_file(parser, path, &error);
  g_assert_no_error(error);
  return parser;
}

static inline JsonObject *
golden_root(JsonParser *parser)
{
  return json_node_get_object(json_parser_get_root(parser));
}

static inline JsonObject *
golden_case(JsonObject *root, const char *name)
{
  JsonArray *cases = json_object_get_array_member(root, "cases");
  for (guint i = 0; i < json_array_get_length(cases); i++) {
    JsonObject *object = json_array_get_object_element(cases, i);
    if (g_str_equal(json_object_get_string_member(object, "name"), name)) {
      return object;
    }
  }
  return NULL;
}

/* An 8-bit picture as one or three channels; fills *image, whose pixels the caller frees. */
static inline void
golden_png(const char *path, gboolean grey, ModelImage *image)
{
  png_image png = {.version = PNG_IMAGE_VERSION};
  guint8 *pixels;

  g_assert_true(png_image_begin_read_from_file(&png, path));
  png.format = grey ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  pixels = g_malloc(PNG_IMAGE_SIZE(png));
  g_assert_true(png_image_finish_read(&png, NULL, pixels, 0, NULL));
  *image = (ModelImage){png.width, png.height, grey ? 1 : 3, pixels};
}

/* The picture of a case; FALSE when it has none. g_free((void *)image->pixels). */
static inline gboolean
golden_image(const char *name, JsonObject *object, ModelImage *image)
{
  g_autofree char *relative = NULL, *path = NULL;

  *image = (ModelImage){0};
  if (!json_object_has_member(object, "image") || json_object_get_null_member(object, "image")) {
    return FALSE;
  }
  relative = g_strdup_printf("vectors/%s/%s", name, json_object_get_string_member(object, "image"));
  path = shared_path(relative);
  g_assert_nonnull(path);
  golden_png(path, g_str_equal(json_object_get_string_member(object, "image_mode"), "L"), image);
  return TRUE;
}

/* Opens vectors/NAME/MODEL with MMPROJ and TOWER beside it (either may be NULL). */
static inline ModelEngine *
golden_open(const char *name, const char *model, const char *mmproj, const char *tower,
            guint threads)
{
  g_autofree char *folder = g_strdup_printf("vectors/%s", name), *root = shared_path(folder);
  g_autofree char *path = g_build_filename(root, model, NULL);
  g_autofree char *mmproj_path = mmproj ? g_build_filename(root, mmproj, NULL) : NULL;
  g_autofree char *tower_path = tower ? g_build_filename(root, tower, NULL) : NULL;
  const ModelEngineOptions options = {
      .mmproj = mmproj_path, .vision_tower = tower_path, .n_threads = threads};
  ModelError err = {0};
  ModelEngine *engine = model_engine_open(path, &options, &err);

  g_assert_cmpstr(err.message, ==, "");
  g_assert_nonnull(engine);
  return engine;
}

static inline ModelEngine *
golden_open_hf(const char *name, guint threads)
{
  return golden_open(name, "hf", NULL, g_str_has_prefix(name, "B-") ? "hf/clip" : NULL, threads);
}

static inline void
golden_check_ids(const ModelIds *ids, JsonArray *expected)
{
  g_assert_cmpuint(ids->n, ==, json_array_get_length(expected));
  for (gsize i = 0; i < ids->n; i++) {
    g_assert_cmpint(ids->ids[i], ==, json_array_get_int_element(expected, (guint)i));
  }
}

static inline double
golden_norm(const float *values, gsize n)
{
  double sum = 0;
  for (gsize i = 0; i < n; i++) {
    sum += (double)values[i] * values[i];
  }
  return sqrt(sum);
}

/* PAIRS: [position, value] ... Returns the largest difference. */
static inline double
golden_check_pairs(const float *values, gsize n, JsonArray *pairs, double atol)
{
  double worst = 0;
  g_assert_cmpuint(json_array_get_length(pairs), >, 0);
  for (guint i = 0; i < json_array_get_length(pairs); i++) {
    JsonArray *pair = json_array_get_array_element(pairs, i);
    const gint64 at = json_array_get_int_element(pair, 0);
    const double expected = json_array_get_double_element(pair, 1);
    g_assert_cmpint(at, <, (gint64)n);
    worst = MAX(worst, fabs(values[at] - expected));
    g_assert_cmpfloat(fabs(values[at] - expected), <=, atol);
  }
  return worst;
}

/* OBJECT: {shape, norm, samples} of a matrix. */
static inline void
golden_check_matrix(const float *values, guint rows, guint columns, JsonObject *object, double atol)
{
  JsonArray *shape = json_object_get_array_member(object, "shape");
  const double norm = json_object_get_double_member(object, "norm");
  const gsize n = (gsize)rows * columns;

  g_assert_cmpint(json_array_get_int_element(shape, 0), ==, rows);
  g_assert_cmpint(json_array_get_int_element(shape, 1), ==, columns);
  g_assert_cmpfloat(fabs(golden_norm(values, n) - norm), <=, atol + 1e-6 * norm);
  golden_check_pairs(values, n, json_object_get_array_member(object, "samples"), atol);
}

#endif
