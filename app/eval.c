/* eval.c - questions with known answers: read, ask, score. */
#include <string.h>

#include "app_eval.h"
#include "backend.h"
#include "model_prompt.h"
#include "score.h"

#define MAX_QUESTION_BYTES (64u << 20) /* of the questions file */

typedef struct {
  char *id, *text, *reference, *kind, *answer;
  char *image; /* path */
  gboolean closed;
} Question;

static void
question_free(Question *question)
{
  g_free(question->id);
  g_free(question->image);
  g_free(question->text);
  g_free(question->reference);
  g_free(question->kind);
  g_free(question->answer);
  g_free(question);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Question, question_free)

/* A string, or a number written as one; NULL when absent or of another type. */
static char *
member_text(JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member(object, name);

  if (!node || !JSON_NODE_HOLDS_VALUE(node)) {
    return NULL;
  }
  switch (json_node_get_value_type(node)) {
  case G_TYPE_STRING:
    return g_strdup(json_node_get_string(node));
  case G_TYPE_INT64:
    return g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(node));
  case G_TYPE_DOUBLE:
    return g_strdup_printf("%g", json_node_get_double(node));
  default:
    return NULL;
  }
}

/* Whether the picture is there is seen here, and not after an hour of answers. */
static Question *
parse_question(const char *line, gsize length, const char *images, GError **error)
{
  g_autoptr(JsonObject) object = app_json_object_read(line, length, error);
  g_autoptr(Question) question = g_new0(Question, 1);
  g_autofree char *type = NULL, *image = NULL;

  if (!object) {
    return NULL;
  }
  question->id = member_text(object, "question_id");
  question->text = member_text(object, "text");
  question->reference = member_text(object, "answer");
  question->kind = member_text(object, "kind");
  type = member_text(object, "answer_type");
  image = member_text(object, "image");
  if (!image || !question->text || !question->reference || !type) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_FAILED,
                        "lacks one of image, text, answer, answer_type (strings)");
    return NULL;
  }
  question->closed = g_ascii_strcasecmp(type, "CLOSED") == 0;
  if (!question->closed && g_ascii_strcasecmp(type, "OPEN") != 0) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "answer_type is \"%s\"; expected OPEN or CLOSED", type);
    return NULL;
  }
  if (!question->kind) {
    question->kind = g_strdup("other");
  }
  question->image = app_file_below(images, image, error);
  if (question->image && !g_file_test(question->image, G_FILE_TEST_IS_REGULAR)) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: there is no such image file",
                question->image);
    return NULL;
  }
  return question->image ? g_steal_pointer(&question) : NULL;
}

static gboolean
is_blank_line(const char *line, gsize length)
{
  gsize i = 0;

  while (i < length && app_json_is_blank(line[i])) {
    i++;
  }
  return i == length;
}

static GPtrArray *
read_questions(const AppEvalOptions *options, GError **error)
{
  const char *path = options->questions;
  g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, error);
  g_autoptr(GPtrArray) questions = g_ptr_array_new_with_free_func((GDestroyNotify)question_free);
  const char *at, *end;
  guint number = 0;

  if (!file) {
    return NULL;
  }
  if (g_mapped_file_get_length(file) > MAX_QUESTION_BYTES) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: %" G_GSIZE_FORMAT " bytes; at most %u",
                path, g_mapped_file_get_length(file), MAX_QUESTION_BYTES);
    return NULL;
  }
  at = g_mapped_file_get_contents(file);
  end = at ? at + g_mapped_file_get_length(file) : NULL;
  while (at < end && (!options->limit || questions->len < options->limit)) {
    const char *stop = memchr(at, '\n', (gsize)(end - at));
    gsize length = (gsize)((stop ? stop : end) - at);
    number++;
    if (!is_blank_line(at, length)) {
      Question *question = parse_question(at, length, options->images, error);
      if (!question) {
        g_prefix_error(error, "%s: line %u: ", path, number);
        return NULL;
      }
      g_ptr_array_add(questions, question);
    }
    if (!stop) {
      break;
    }
    at = stop + 1;
  }
  if (!questions->len) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: no questions in it", path);
    return NULL;
  }
  return g_steal_pointer(&questions);
}

static void
on_progress(const char *phase, guint done, guint total, gpointer cancellable)
{
}

static gboolean
on_text(const char *bytes, gsize length, gpointer cancellable)
{
  return !g_cancellable_is_cancelled(cancellable);
}

static gboolean
answer_one(AppBackend *backend, const AppEvalOptions *options, const AppShot *shot,
           Question *question, GCancellable *cancellable, GError **error)
{
  const char *suffix = model_prompt_answer_suffix(question->closed ? (ModelAnswerForm)options->form
                                                                   : MODEL_ANSWER_FREE);
  g_autofree char *text = g_strconcat(question->text, suffix, NULL), *why = NULL;
  const AppBackendQuestion asked = {
      .shot = shot,
      .question = text,
      .sampling = {.top_p = 1, .max_tokens = options->max_tokens ? options->max_tokens : 32}};
  const AppBackendListener listener = {on_progress, on_text, cancellable};
  ModelAnswer answer = {0};

  if (!backend->class->rewind(backend, 0, error) ||
      !backend->class->ask(backend, &asked, &listener, &answer, &why, error)) {
    return FALSE;
  }
  question->answer = g_strdup(answer.text);
  model_answer_clear(&answer);
  /* Half an answer has no score. */
  if (why) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_FAILED, why);
    return FALSE;
  }
  return !g_cancellable_set_error_if_cancelled(cancellable, error);
}

static JsonNode *
row_node(const Question *q)
{
  JsonObject *row = json_object_new();

  app_json_set_text(row, "question_id", q->id);
  json_object_set_string_member(row, "kind", q->kind);
  json_object_set_string_member(row, "answer_type", q->closed ? "CLOSED" : "OPEN");
  json_object_set_string_member(row, "text", q->text);
  json_object_set_string_member(row, "reference", q->reference);
  json_object_set_string_member(row, "answer", q->answer);
  json_object_set_boolean_member(row, "exact", data_score_exact(q->answer, q->reference));
  json_object_set_double_member(row, "recall", data_score_recall(q->answer, q->reference));
  json_object_set_boolean_member(row, "closed", data_score_closed(q->answer, q->reference));
  return app_json_node(row);
}

/* ---- scores of a group -------------------------------------------------------------------- */

static void
set_mean(JsonObject *object, const char *name, const double *values, guint n)
{
  g_autofree char *low_name = g_strconcat(name, "_low", NULL);
  g_autofree char *high_name = g_strconcat(name, "_high", NULL);
  double sum = 0, low, high;

  for (guint i = 0; i < n; i++) {
    sum += values[i];
  }
  data_score_interval(values, n, 1, &low, &high);
  json_object_set_double_member(object, name, sum / n);
  json_object_set_double_member(object, low_name, low);
  json_object_set_double_member(object, high_name, high);
}

/* The most frequent reference in normal form, and how often it occurs. */
static char *
majority(GPtrArray *group, guint *most)
{
  g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  char *best = NULL;

  *most = 0;
  for (guint i = 0; i < group->len; i++) {
    const Question *question = g_ptr_array_index(group, i);
    g_auto(GStrv) words = data_score_words(question->reference);
    char *key = g_strjoinv(" ", words);
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(counts, key)) + 1;
    if (count > *most) {
      *most = count;
      g_free(best);
      best = g_strdup(key);
    }
    g_hash_table_replace(counts, key, GUINT_TO_POINTER(count));
  }
  return best;
}

static JsonObject *
group_scores(const char *kind, gboolean closed, GPtrArray *group)
{
  JsonObject *object = json_object_new();
  g_autofree double *exact = g_new(double, group->len);
  g_autofree double *recall = g_new(double, group->len);
  g_autofree double *right = g_new(double, group->len);
  g_autofree char *common = NULL;
  guint most;

  for (guint i = 0; i < group->len; i++) {
    const Question *q = g_ptr_array_index(group, i);
    exact[i] = data_score_exact(q->answer, q->reference);
    recall[i] = data_score_recall(q->answer, q->reference);
    right[i] = data_score_closed(q->answer, q->reference);
  }
  common = majority(group, &most);
  json_object_set_string_member(object, "kind", kind);
  json_object_set_string_member(object, "answer_type", closed ? "CLOSED" : "OPEN");
  json_object_set_int_member(object, "n", group->len);
  set_mean(object, "exact", exact, group->len);
  set_mean(object, "recall", recall, group->len);
  set_mean(object, "closed", right, group->len);
  json_object_set_double_member(object, "majority", (double)most / group->len);
  app_json_set_text(object, "majority_answer", common);
  return object;
}

static int
compare_kinds(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *
members(GPtrArray *questions, const char *kind, gboolean closed)
{
  GPtrArray *group = g_ptr_array_new();

  for (guint i = 0; i < questions->len; i++) {
    Question *q = g_ptr_array_index(questions, i);
    if (q->closed == closed && (!kind || strcmp(q->kind, kind) == 0)) {
      g_ptr_array_add(group, q);
    }
  }
  return group;
}

static JsonArray *
all_groups(GPtrArray *questions)
{
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  g_autoptr(GPtrArray) kinds = g_ptr_array_new();
  JsonArray *groups = json_array_new();

  for (guint i = 0; i < questions->len; i++) {
    const Question *q = g_ptr_array_index(questions, i);
    if (g_hash_table_add(seen, q->kind)) {
      g_ptr_array_add(kinds, q->kind);
    }
  }
  g_ptr_array_sort(kinds, compare_kinds);
  g_ptr_array_add(kinds, NULL); /* all kinds together, last */
  for (guint i = 0; i < kinds->len; i++) {
    const char *kind = g_ptr_array_index(kinds, i);
    for (int closed = 1; closed >= 0; closed--) {
      g_autoptr(GPtrArray) group = members(questions, kind, closed);
      if (group->len) {
        json_array_add_object_element(groups, group_scores(kind ? kind : "all", closed, group));
      }
    }
  }
  return groups;
}

static gboolean
answer_all(AppBackend *backend, const AppEvalOptions *options, GPtrArray *questions, AppEvalRow row,
           gpointer user, GCancellable *cancellable, GError **error)
{
  g_autoptr(AppShot) shot = NULL;
  const char *shown = NULL;

  for (guint i = 0; i < questions->len; i++) {
    Question *question = g_ptr_array_index(questions, i);

    if (g_cancellable_set_error_if_cancelled(cancellable, error)) {
      return FALSE;
    }
    if (!shown || strcmp(shown, question->image) != 0) {
      g_clear_pointer(&shot, app_shot_unref);
      shot =
          app_shot_new(&(AppImageChoice){.path = question->image, .blank = options->blank}, error);
      if (!shot) {
        return FALSE;
      }
      shown = question->image;
    }
    if (!answer_one(backend, options, shot, question, cancellable, error)) {
      return FALSE;
    }
    if (row) {
      g_autoptr(JsonNode) node = row_node(question);
      row(node, i + 1, questions->len, user);
    }
  }
  return TRUE;
}

JsonNode *
app_eval_vqa(const AppEvalOptions *options, AppEvalRow row, gpointer user,
             GCancellable *cancellable, GError **error)
{
  g_autoptr(GPtrArray) questions = read_questions(options, error);
  g_autoptr(AppBackend) backend = NULL;
  StoreModel model = {0};
  JsonObject *report;

  if (!questions) {
    return NULL;
  }
  backend = options->remote.url ? app_backend_remote_new(&options->remote, error)
                                : app_backend_local_new(&options->model, NULL, error);
  if (!backend || !answer_all(backend, options, questions, row, user, cancellable, error) ||
      !backend->class->describe(backend, &model, error)) {
    return NULL;
  }
  report = json_object_new();
  app_json_set_text(report, "model", model.name);
  app_json_set_text(report, "model_sha256", model.sha256);
  app_json_set_text(report, "engine", app_engine_text(model.engine));
  json_object_set_boolean_member(report, "blank_image", options->blank);
  json_object_set_int_member(report, "questions", questions->len);
  json_object_set_array_member(report, "groups", all_groups(questions));
  return app_json_node(report);
}
