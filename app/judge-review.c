/* judge-review.c - what judges said, now or before: read, and written down. */
#include <string.h>

#include "judge.h"
#include "score.h"

void
app_judge_review_free(gpointer data)
{
  AppJudgeReview *review = data;

  if (review) {
    g_free(review->id);
    g_free(review->category);
    g_free(review->domain);
    g_free(review);
  }
}

/* FIRST and SECOND as they were presented. */
static void
set_scores(AppJudgeReview *review, double first, double second)
{
  review->is_parsed = TRUE;
  review->reference = review->model_first ? second : first;
  review->model = review->model_first ? first : second;
}

AppJudgeReview *
app_judge_review_new(const AppJudgeItem *item, gboolean model_first, const char *text)
{
  AppJudgeReview *review = g_new0(AppJudgeReview, 1);
  double first, second;

  review->id = g_strdup(item->id);
  review->category = g_strdup(item->category);
  review->domain = g_strdup(item->domain);
  review->model_first = model_first;
  if (data_score_verdict(text, &first, &second)) {
    set_scores(review, first, second);
  }
  return review;
}

/* "tuple" is the reference's score and the model's, whatever their order was: so LLaVA's own
 * summary of such a file is right. */
char *
app_judge_review_line(const AppJudgeReview *review, const char *text, const char *judge)
{
  JsonObject *o = json_object_new();
  JsonArray *tuple = json_array_new();
  g_autoptr(JsonNode) node = app_json_node(o);
  g_autofree char *line = NULL;

  app_json_set_text(o, "question_id", review->id);
  app_json_set_text(o, "category", review->category);
  app_json_set_text(o, "domain", review->domain);
  json_object_set_string_member(o, "order",
                                review->model_first ? "model_first" : "reference_first");
  json_object_set_string_member(o, "content", text);
  json_array_add_double_element(tuple, review->is_parsed ? review->reference : -1);
  json_array_add_double_element(tuple, review->is_parsed ? review->model : -1);
  json_object_set_array_member(o, "tuple", tuple);
  app_json_set_text(o, "judge", judge);
  line = app_json_text(node);
  return g_strconcat(line, "\n", NULL);
}

/* ---- files of reviews -------------------------------------------------------------------------
 */

static gboolean
score_at(JsonArray *pair, guint i, double *score)
{
  JsonNode *node = json_array_get_element(pair, i);
  GType type;

  if (!JSON_NODE_HOLDS_VALUE(node)) {
    return FALSE;
  }
  type = json_node_get_value_type(node);
  *score = type == G_TYPE_INT64 || type == G_TYPE_DOUBLE ? json_node_get_double(node) : -1;
  return *score >= 0 && *score <= 10;
}

/* "tuple" (LLaVA, and here) or "score" (Vicuna) holds the two; LLaVA-Med keeps the reply alone. */
static void
read_scores(AppJudgeReview *review, JsonObject *object)
{
  static const char *const pairs[] = {"tuple", "score"};
  static const char *const texts[] = {"content", "result", "text"};
  double first, second;

  for (guint i = 0; i < G_N_ELEMENTS(pairs); i++) {
    JsonNode *node = json_object_get_member(object, pairs[i]);
    if (node && JSON_NODE_HOLDS_ARRAY(node) &&
        json_array_get_length(json_node_get_array(node)) == 2) {
      if (score_at(json_node_get_array(node), 0, &first) &&
          score_at(json_node_get_array(node), 1, &second)) {
        review->is_parsed = TRUE;
        review->reference = first;
        review->model = second;
      }
      return;
    }
  }
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    const char *text = app_json_get_text(object, texts[i]);
    if (text) {
      if (data_score_verdict(text, &first, &second)) {
        set_scores(review, first, second);
      }
      return;
    }
  }
}

static AppJudgeReview *
read_review(const AppRecord *record, char **why)
{
  g_autoptr(JsonObject) object = app_eval_object(record, why);
  AppJudgeReview *review;
  g_autofree char *id = object ? app_eval_text(object, "question_id") : NULL;

  if (!object) {
    return NULL;
  }
  if (!id) {
    *why = g_strdup("has no question_id");
    return NULL;
  }
  review = g_new0(AppJudgeReview, 1);
  review->id = g_steal_pointer(&id);
  review->category = app_judge_category(object);
  review->domain = app_judge_domain(object);
  review->is_wild = app_json_get_text(object, "category") &&
                    g_str_has_prefix(app_json_get_text(object, "category"), "llava_bench_");
  review->model_first = g_strcmp0(app_json_get_text(object, "order"), "model_first") == 0;
  if (!review->category) {
    review->category = g_strdup("other");
  }
  read_scores(review, object);
  return review;
}

gboolean
app_judge_reviews_read(const char *path, AppEvalSay *say, GPtrArray *reviews, char **sha256,
                       GError **error)
{
  g_autoptr(AppRecords) records = app_records_open(path, FALSE, error);
  AppRecord record;

  if (!records) {
    return FALSE;
  }
  *sha256 = app_records_sha256(records);
  while (app_records_next(records, &record)) {
    g_autofree char *why = NULL;
    AppJudgeReview *review = read_review(&record, &why);
    if (!review) {
      app_eval_say(say, APP_EVAL_BAD_ANSWER, path, record.line, "%s", why);
      continue;
    }
    if (!review->is_parsed) {
      app_eval_say(say, APP_EVAL_UNPARSABLE, path, record.line,
                   "no two scores in what the judge said of question \"%s\"", review->id);
    }
    g_ptr_array_add(reviews, review);
  }
  return TRUE;
}
