/* compare.c - how near two models are, over texts. */
#include "private.h"

#include <string.h>

#include "app_bench.h"
#include "model_bench.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ModelComparison, model_comparison_free)

#define MAX_TEXT (64u << 20) /* bytes of a file to compare over: weeks of computing */

/* What models of medical images say, and what small models that were trained on stories say. */
static const char report[] =
    "The image is a frontal chest radiograph of an adult. The lungs are well expanded. There is a "
    "patchy opacity in the right lower zone, with air bronchograms, and the right heart border is "
    "still seen. The left lung is clear. There is no pneumothorax. The right costophrenic angle is "
    "blunted, which suggests a small pleural effusion. The heart is not enlarged, and the "
    "mediastinal contours are normal. The hila are of normal size and density. No fracture is "
    "seen of the ribs, the clavicles or the visible part of the spine. A central venous catheter "
    "enters from the right, and its tip lies in the superior vena cava. In comparison with the "
    "earlier examination, the opacity has become larger. The findings are most likely due to "
    "pneumonia of the right lower lobe. A follow-up radiograph after treatment is advised, to "
    "make sure that the opacity goes away. Question: what is the modality of this image? Answer: "
    "it is an X-ray of the chest. Question: is there a sign of heart failure? Answer: no, the "
    "heart has a normal size, and the vessels of the lungs are not widened.";
static const char story[] =
    "Once upon a time there was a little girl named Anna. She had a small boat made of wood. One "
    "day she took the boat to the pond near the old mill. The wind was strong, and the boat went "
    "far away from her. Anna was sad and sat down in the grass. Then a big brown dog came out of "
    "the bushes. He looked at her and at the boat. \"Can you help me?\" asked Anna. The dog jumped "
    "into the water with a big splash. He swam and swam until he had the boat in his mouth. Anna "
    "clapped her hands and laughed. She gave the dog a piece of her bread, and he was very happy. "
    "They played together all day long. When the sun went down, Anna said, \"Thank you, my friend. "
    "I will come back tomorrow.\" The dog wagged his tail. From that day on they were the best of "
    "friends, and the boat was never lost again.";

typedef struct {
  ModelComparison *comparison;
  guint texts;
} Work;

static gboolean
add(Work *work, const char *text, gsize n, GError **error)
{
  ModelError failure = {0};

  work->texts++;
  return model_comparison_add(work->comparison, text, n, &failure) ||
         app_error_from_model(error, &failure);
}

static gboolean
add_lines(Work *work, const char *text, gsize n, GError **error)
{
  for (const char *end = text + n, *next; text < end; text = next) {
    const char *stop = memchr(text, '\n', (gsize)(end - text));
    stop = stop ? stop : end;
    next = stop < end ? stop + 1 : end;
    if (stop > text && !add(work, text, (gsize)(stop - text), error)) {
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
add_file(Work *work, const char *path, gboolean lines, GError **error)
{
  g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, error);
  const char *text = file ? g_mapped_file_get_contents(file) : NULL;
  const gsize n = file ? g_mapped_file_get_length(file) : 0;

  if (!file) {
    return FALSE;
  }
  if (n == 0 || n > MAX_TEXT || !g_utf8_validate(text, (gssize)n, NULL)) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "%s: %" G_GSIZE_FORMAT " bytes; expected 1 to %u of UTF-8 text", path, n, MAX_TEXT);
    return FALSE;
  }
  return lines ? add_lines(work, text, n, error) : add(work, text, n, error);
}

static JsonNode *
compared_node(const ModelEngine *a, const ModelEngine *b, const Work *work)
{
  JsonObject *object = json_object_new();
  ModelCompared r;

  model_comparison_result(work->comparison, &r);
  app_json_set_text(object, "a", model_engine_info(a)->path);
  app_json_set_text(object, "b", model_engine_info(b)->path);
  app_json_set_text(object, "quantization_a", model_engine_info(a)->quantization);
  app_json_set_text(object, "quantization_b", model_engine_info(b)->quantization);
  json_object_set_int_member(object, "texts", work->texts);
  json_object_set_int_member(object, "window", (gint64)r.window);
  json_object_set_int_member(object, "positions", (gint64)r.positions);
  json_object_set_double_member(object, "mean_kl", r.mean_divergence);
  json_object_set_double_member(object, "median_kl", r.median_divergence);
  json_object_set_double_member(object, "p99_kl", r.p99_divergence);
  json_object_set_double_member(object, "max_kl", r.largest_divergence);
  json_object_set_double_member(object, "agreement", r.agreement);
  json_object_set_double_member(object, "perplexity_a", r.perplexity_a);
  json_object_set_double_member(object, "perplexity_b", r.perplexity_b);
  return app_json_node(object);
}

JsonNode *
app_model_compare(const AppModelOptions *a, const AppModelOptions *b, const char *path,
                  gboolean lines, guint window, GError **error)
{
  g_autoptr(ModelEngine) one = app_engine_open(a, error);
  g_autoptr(ModelEngine) other = one ? app_engine_open(b, error) : NULL;
  g_autoptr(ModelComparison) comparison = NULL;
  ModelError failure = {0};
  Work work = {0};

  if (!other) {
    return NULL;
  }
  comparison = model_comparison_new(one, other, window, &failure);
  if (!comparison) {
    app_error_from_model(error, &failure);
    return NULL;
  }
  work.comparison = comparison;
  if (path ? !add_file(&work, path, lines, error)
           : !add(&work, report, strlen(report), error) ||
                 !add(&work, story, strlen(story), error)) {
    return NULL;
  }
  if (app_engine_is_lost(one, error) || app_engine_is_lost(other, error)) {
    return NULL;
  }
  return compared_node(one, other, &work);
}
