/* trust.c - what people and repetitions made of an answer: into the log, and as JSON.
 *
 * A verdict has a connection to the log of its own, so that it waits for no answer.
 */
#include "trust.h"

#include <string.h>

#include "person.h"
#include "review.h"

static const char *const verdicts[] = {"accepted", "edited", "rejected"};

/* ---- as JSON ------------------------------------------------------------------------------ */

/* "Ada Lovelace (ada)"; of who signed in with a PIN, "Dr. Ann (ada)". */
static char *
person(const StoreVerdict *verdict)
{
  if (verdict->person) {
    return g_strdup_printf("%s (%s)", verdict->person, verdict->user_name);
  }
  return verdict->real_name ? g_strdup_printf("%s (%s)", verdict->real_name, verdict->user_name)
                            : g_strdup(verdict->user_name);
}

static JsonObject *
verdict_object(const StoreVerdictRow *row)
{
  JsonObject *object = json_object_new();
  g_autofree char *by = person(&row->verdict);

  app_json_set_text(object, "verdict", row->verdict.verdict);
  if (row->verdict.text) {
    json_object_set_string_member(object, "text", row->verdict.text);
  } else {
    json_object_set_null_member(object, "text");
  }
  app_json_set_text(object, "by", by);
  app_json_set_text(object, "person", row->verdict.person);
  app_json_set_text(object, "time", row->time);
  return object;
}

JsonObject *
app_check_object(const StoreCheck *check)
{
  JsonObject *object = json_object_new();
  JsonArray *answers = json_array_new();

  app_json_set_text(object, "check", check->kind);
  for (gsize i = 0; i < check->n_answers; i++) {
    JsonObject *answer = json_object_new();
    json_object_set_string_member(answer, "answer", check->answers[i].answer);
    app_json_set_seed(answer, check->answers[i].seed);
    json_object_set_boolean_member(answer, "blank", check->answers[i].blank);
    json_array_add_object_element(answers, answer);
  }
  json_object_set_array_member(object, "answers", answers);
  json_object_set_boolean_member(object, "same", check->same);
  json_object_set_double_member(object, "agreement", check->agreement);
  if (strcmp(check->kind, "blank") == 0) {
    json_object_set_boolean_member(object, "depends_on_image", !check->same);
  } else {
    json_object_set_null_member(object, "depends_on_image");
  }
  return object;
}

gboolean
app_json_set_trust(JsonObject *object, StoreLog *log, gint64 turn, GError **error)
{
  g_autoptr(GPtrArray) judged = store_log_verdicts(log, turn, error);
  g_autoptr(GPtrArray) checked = judged ? store_log_checks(log, turn, error) : NULL;
  JsonArray *array;

  if (!checked) {
    return FALSE;
  }
  array = json_array_new();
  for (guint i = 0; i < judged->len; i++) {
    json_array_add_object_element(array, verdict_object(judged->pdata[i]));
  }
  json_object_set_array_member(object, "verdicts", array);
  array = json_array_new();
  for (guint i = 0; i < checked->len; i++) {
    const StoreCheckRow *row = checked->pdata[i];
    JsonObject *check = app_check_object(&row->check);
    app_json_set_text(check, "time", row->time);
    json_array_add_object_element(array, check);
  }
  json_object_set_array_member(object, "checks", array);
  return TRUE;
}

/* ---- verdicts ----------------------------------------------------------------------------- */

/* Whoever is logged in on this machine. */
static StoreVerdict
verdict_of(AppVerdict verdict, const char *text)
{
  const char *real_name = g_get_real_name();

  return (StoreVerdict){
      .verdict = verdicts[verdict],
      .text = text,
      .user_name = g_get_user_name(),
      .real_name = real_name && *real_name && strcmp(real_name, "Unknown") != 0 ? real_name : NULL};
}

JsonNode *
app_log_judge(const char *log_path, gint64 turn_id, AppVerdict verdict, const char *text,
              GError **error)
{
  g_autoptr(StoreLog) log = NULL;
  g_autoptr(GPtrArray) rows = NULL;
  g_autofree char *signed_in = NULL;
  StoreVerdict row = verdict_of(verdict, text);

  if ((verdict == APP_VERDICT_EDITED) != (text != NULL)) {
    g_set_error_literal(error, APP_ERROR, APP_ERROR_ARGUMENT,
                        text ? "a text goes with the verdict \"edited\" alone"
                             : "the verdict \"edited\" needs the edited text");
    return NULL;
  }
  log = app_log_open_at(log_path, FALSE, error);
  if (!log || !app_person_may_judge(log, &signed_in, error)) {
    return NULL;
  }
  row.person = signed_in;
  if (!store_log_add_verdict(log, turn_id, &row, error)) {
    return NULL;
  }
  rows = store_log_verdicts(log, turn_id, error);
  return rows && rows->len > 0 ? app_json_node(verdict_object(rows->pdata[rows->len - 1])) : NULL;
}

typedef struct {
  AppReview *review;
  gint64 turn_id;
  AppVerdict verdict;
  char *text;
} Judging;

static void
judging_free(gpointer data)
{
  Judging *judging = data;

  g_free(judging->text);
  g_free(judging);
}

static void
json_node_release(gpointer node)
{
  json_node_unref(node);
}

static void
judge(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Judging *judging = data;
  AppReview *review = judging->review;
  GError *error = NULL;
  JsonNode *node = NULL;

  if (review->logbook) {
    node =
        app_log_judge(review->log_path, judging->turn_id, judging->verdict, judging->text, &error);
  } else {
    g_set_error_literal(&error, APP_ERROR, APP_ERROR_ARGUMENT,
                        "no log is kept, so there is no place for a verdict");
  }
  app_review_end_aside(review);
  if (node) {
    g_task_return_pointer(task, node, json_node_release);
  } else {
    g_task_return_error(task, error);
  }
}

void
app_review_judge_async(AppReview *review, gint64 turn_id, AppVerdict verdict, const char *text,
                       GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user);
  Judging *judging = g_new0(Judging, 1);

  judging->review = review;
  judging->turn_id = turn_id;
  judging->verdict = verdict;
  judging->text = g_strdup(text);
  g_task_set_source_tag(task, app_review_judge_async);
  g_task_set_task_data(task, judging, judging_free);
  app_review_begin_aside(review);
  g_task_run_in_thread(task, judge);
}

JsonNode *
app_review_judge_finish(AppReview *review, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}

gint64
app_review_turn_id(AppReview *review, guint turn)
{
  gint64 id;

  g_mutex_lock(&review->work);
  id = app_review_turn_id_locked(review, turn);
  g_mutex_unlock(&review->work);
  return id;
}
