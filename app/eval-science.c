/* eval-science.c - ScienceQA (Lu et al. 2022) by the rule of LLaVA's eval_science_qa.py. */
#include <string.h>

#include "eval.h"
#include "score.h"

#define LETTERS "ABCDE"

typedef struct {
  char *id;
  guint n_choices, right;
  gboolean has_image;
  char *answer; /* NULL: none */
} Problem;

typedef struct {
  const AppEvalScienceOptions *options;
  AppEvalSay say;
  GPtrArray *problems; /* of Problem * */
  GHashTable *by_id;   /* borrowed of them */
  GHashTable *wanted;  /* ids of the split; NULL: all */
  char *sha256, *answers_sha256;
} Science;

static void
problem_free(gpointer data)
{
  Problem *problem = data;

  g_free(problem->id);
  g_free(problem->answer);
  g_free(problem);
}

static void
science_clear(Science *s)
{
  g_clear_pointer(&s->problems, g_ptr_array_unref);
  g_clear_pointer(&s->by_id, g_hash_table_unref);
  g_clear_pointer(&s->wanted, g_hash_table_unref);
  g_clear_pointer(&s->sha256, g_free);
  g_clear_pointer(&s->answers_sha256, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Science, science_clear)

/* ---- questions --------------------------------------------------------------------------------
 */

/* {choices: [...], answer: INDEX, image: NAME or null}. */
static Problem *
read_problem(JsonObject *object, const char *id)
{
  JsonArray *choices = app_eval_array(object, "choices");
  const guint n = choices ? json_array_get_length(choices) : 0;
  JsonNode *answer = json_object_get_member(object, "answer");
  Problem *problem;
  gint64 right;

  if (!id || n == 0 || n > strlen(LETTERS) || !answer || !JSON_NODE_HOLDS_VALUE(answer) ||
      json_node_get_value_type(answer) != G_TYPE_INT64) {
    return NULL;
  }
  right = json_node_get_int(answer);
  if (right < 0 || right >= n) {
    return NULL;
  }
  problem = g_new0(Problem, 1);
  problem->id = g_strdup(id);
  problem->n_choices = n;
  problem->right = (guint)right;
  problem->has_image = app_json_get_text(object, "image") != NULL;
  return problem;
}

/* "Options: (A) yes (B) no": how many letters stand in brackets, one after the other. */
static guint
count_options(const char *question)
{
  guint n = 0;

  while (n < strlen(LETTERS)) {
    const char mark[] = {'(', LETTERS[n], ')', '\0'}, point[] = {'\n', LETTERS[n], '.', '\0'};
    if (!strstr(question, mark) && !strstr(question, point)) {
      break;
    }
    n++;
  }
  return n;
}

static Problem *
read_conversation(JsonObject *object)
{
  JsonArray *turns = app_eval_array(object, "conversations");
  const char *question, *answer;
  g_autofree char *id = app_eval_text(object, "id");
  Problem *problem;
  int right;

  if (!id || !turns || json_array_get_length(turns) < 2) {
    return NULL;
  }
  question = app_eval_turn(turns, 0);
  answer = app_eval_turn(turns, 1);
  right = question && answer ? data_score_choice(answer, count_options(question)) : -1;
  if (right < 0) {
    return NULL;
  }
  problem = g_new0(Problem, 1);
  problem->id = g_steal_pointer(&id);
  problem->n_choices = count_options(question);
  problem->right = (guint)right;
  problem->has_image = app_json_get_text(object, "image") || strstr(question, "<image>");
  return problem;
}

static void
take_problem(Science *s, const AppRecord *record)
{
  g_autofree char *why = NULL;
  g_autoptr(JsonObject) object = app_eval_object(record, &why);
  Problem *problem = NULL;

  if (object) {
    problem = json_object_has_member(object, "conversations") ? read_conversation(object)
                                                              : read_problem(object, record->key);
  }
  if (!problem) {
    app_eval_say(&s->say, APP_EVAL_BAD_RECORD, s->options->questions, record->line, "%s",
                 why ? why
                     : "expected choices and the index of the answer, or a "
                       "conversation that says both");
  } else if (s->wanted && !g_hash_table_contains(s->wanted, problem->id)) {
    s->say.other_rows++;
    problem_free(problem);
  } else if (g_hash_table_contains(s->by_id, problem->id)) {
    app_eval_say(&s->say, APP_EVAL_BAD_RECORD, s->options->questions, record->line,
                 "has the id of an earlier question");
    problem_free(problem);
  } else {
    g_ptr_array_add(s->problems, problem);
    g_hash_table_insert(s->by_id, problem->id, problem);
  }
}

/* An array is of conversations, an object of problems by id. */
static gboolean
read_problems(Science *s, GError **error)
{
  const char *path = s->options->questions;
  g_autoptr(AppRecords) records = app_records_open(path, TRUE, NULL);
  gboolean is_first = records != NULL;
  AppRecord record;

  if (!records) {
    records = app_records_open(path, FALSE, error);
  }
  if (!records) {
    return FALSE;
  }
  s->sha256 = app_records_sha256(records);
  while (app_records_next(records, &record)) {
    /* Lines of JSON begin like an object, too. */
    if (record.is_rest && is_first) {
      g_clear_pointer(&records, app_records_free);
      records = app_records_open(path, FALSE, error);
      is_first = FALSE;
      if (!records) {
        return FALSE;
      }
      continue;
    }
    is_first = FALSE;
    take_problem(s, &record);
  }
  if (s->problems->len == 0) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: no questions in it that could be used",
                path);
  }
  return s->problems->len > 0;
}

/* {"test": ["4", "11", ...], ...} */
static gboolean
read_split(Science *s, GError **error)
{
  const AppEvalScienceOptions *o = s->options;
  g_autofree char *text = NULL;
  g_autoptr(JsonObject) object = NULL;
  JsonArray *ids;
  gsize n;

  if (!o->splits) {
    return TRUE;
  }
  if (!g_file_get_contents(o->splits, &text, &n, error)) {
    return FALSE;
  }
  object = app_json_object_read(text, n, error);
  ids = object ? app_eval_array(object, o->split) : NULL;
  if (!object) {
    g_prefix_error(error, "%s: ", o->splits);
    return FALSE;
  }
  if (!ids) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: no array named \"%s\"", o->splits,
                o->split);
    return FALSE;
  }
  s->wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < json_array_get_length(ids); i++) {
    JsonNode *id = json_array_get_element(ids, i);
    if (JSON_NODE_HOLDS_VALUE(id) && json_node_get_value_type(id) == G_TYPE_STRING) {
      g_hash_table_add(s->wanted, g_strdup(json_node_get_string(id)));
    }
  }
  return TRUE;
}

/* ---- answers ----------------------------------------------------------------------------------
 */

static void
take_answer(Science *s, const char *id, const char *text, guint64 line)
{
  Problem *problem = id ? g_hash_table_lookup(s->by_id, id) : NULL;

  if (!id || !text) {
    app_eval_say(&s->say, APP_EVAL_BAD_ANSWER, s->options->answers, line,
                 "expected question_id and a string named text");
  } else if (!problem) {
    app_eval_say(&s->say, APP_EVAL_NO_QUESTION, s->options->answers, line,
                 "belongs to no question");
  } else if (problem->answer) {
    app_eval_say(&s->say, APP_EVAL_ANSWERED_TWICE, s->options->answers, line,
                 "answers a question again; the first answer counts");
  } else {
    problem->answer = g_strdup(text);
  }
}

/* LLaVA's result file: {acc, correct, count, results: {id: choice}, outputs: {id: text}}. */
static void
take_outputs(Science *s, JsonObject *outputs, guint64 line)
{
  JsonObjectIter iter;
  const char *id;
  JsonNode *node;

  json_object_iter_init_ordered(&iter, outputs);
  while (json_object_iter_next_ordered(&iter, &id, &node)) {
    take_answer(s, id, app_eval_string(node), line);
  }
}

static void
take_line(Science *s, const AppRecord *record)
{
  g_autofree char *why = NULL;
  g_autoptr(JsonObject) object = app_eval_object(record, &why);
  JsonNode *outputs = object ? json_object_get_member(object, "outputs") : NULL;

  if (!object) {
    app_eval_say(&s->say, APP_EVAL_BAD_ANSWER, s->options->answers, record->line, "%s", why);
  } else if (outputs && JSON_NODE_HOLDS_OBJECT(outputs)) {
    take_outputs(s, json_node_get_object(outputs), record->line);
  } else {
    g_autofree char *id = app_eval_text(object, "question_id");
    g_autofree char *text = app_eval_text(object, "text");
    take_answer(s, id, text, record->line);
  }
}

static gboolean
read_answers(Science *s, GError **error)
{
  g_autoptr(AppRecords) records = app_records_open(s->options->answers, FALSE, error);
  AppRecord record;

  if (!records) {
    return FALSE;
  }
  s->answers_sha256 = app_records_sha256(records);
  while (app_records_next(records, &record)) {
    take_line(s, &record);
  }
  return TRUE;
}

/* ---- the report -------------------------------------------------------------------------------
 */

static void
set_majority(JsonObject *report, const Science *s)
{
  guint counts[5] = {0}, best = 0;
  char letter[2] = {'\0', '\0'};

  for (guint i = 0; i < s->problems->len; i++) {
    counts[((const Problem *)s->problems->pdata[i])->right]++;
  }
  for (guint i = 1; i < G_N_ELEMENTS(counts); i++) {
    best = counts[i] > counts[best] ? i : best;
  }
  letter[0] = LETTERS[best];
  json_object_set_double_member(report, "majority", (double)counts[best] / s->problems->len);
  json_object_set_string_member(report, "majority_answer", letter);
}

static void
set_scores(JsonObject *report, const Science *s, guint64 seed)
{
  g_autofree double *right = g_new(double, s->problems->len);
  g_autofree double *of_images = g_new(double, s->problems->len);
  guint correct = 0, failed = 0, unanswered = 0, n_images = 0;
  JsonObject *with_image = json_object_new();

  for (guint i = 0; i < s->problems->len; i++) {
    const Problem *p = s->problems->pdata[i];
    const int choice = p->answer ? data_score_choice(p->answer, p->n_choices) : -1;
    right[i] = choice == (int)p->right;
    correct += right[i] == 1;
    unanswered += !p->answer;
    failed += p->answer && choice < 0;
    if (p->has_image) {
      of_images[n_images++] = right[i];
    }
  }
  json_object_set_int_member(report, "correct", correct);
  app_eval_set_mean(report, "accuracy", right, s->problems->len, seed);
  json_object_set_int_member(report, "failed", failed);
  json_object_set_int_member(report, "unanswered", unanswered);
  json_object_set_int_member(with_image, "n", n_images);
  app_eval_set_mean(with_image, "accuracy", of_images, n_images, seed);
  json_object_set_object_member(report, "with_image", with_image);
}

JsonNode *
app_eval_science(const AppEvalScienceOptions *options, const AppEvalListener *listener,
                 GError **error)
{
  g_auto(Science) s = {.options = options, .say = {.listener = listener}};
  JsonObject *report, *files;

  s.problems = g_ptr_array_new_with_free_func(problem_free);
  s.by_id = g_hash_table_new(g_str_hash, g_str_equal);
  if (!read_split(&s, error) || !read_problems(&s, error) || !read_answers(&s, error)) {
    return NULL;
  }
  report = json_object_new();
  json_object_set_string_member(report, "type", "scienceqa");
  json_object_set_int_member(report, "questions", s.problems->len);
  set_scores(report, &s, options->seed ? options->seed : 1);
  set_majority(report, &s);
  json_object_set_object_member(report, "left_out", app_eval_left_out(&s.say));
  files = json_object_new();
  app_eval_set_file(files, "questions", options->questions, s.sha256);
  app_eval_set_file(files, "answers", options->answers, s.answers_sha256);
  json_object_set_object_member(report, "files", files);
  json_object_set_int_member(report, "seed", (gint64)(options->seed ? options->seed : 1));
  app_json_set_text(report, "command", options->command);
  json_object_set_string_member(report, "version", app_version());
  return app_json_node(report);
}
