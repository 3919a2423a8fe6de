/* judge.c - hilum eval judge: answers are put to a judge, and what it says is scored.
 *
 * Replies go through the teacher's journal, so that none is paid for twice; the file of reviews is
 * written anew from them when the asking ends, whatever ended it.
 */
#include <string.h>

#include "judge.h"
#include "teacher.h"

typedef struct {
  const AppJudgeOptions *options;
  const AppJudgeListener *listener;
  AppEvalSay say;
  AppEvalListener said; /* LISTENER's problems, for SAY */
  AppJudgeSet set;
  GPtrArray *reviews;      /* of AppJudgeReview */
  GString *lines;          /* the file of reviews */
  GPtrArray *sha256s;      /* of the files of reviews that were read */
  guint next, total, done; /* questions put to the judge */
  guint not_judged;
  char *judge;
  AppTeacherCounts counts;
  char *ended; /* why nothing was asked any more */
} Judge;

static void
judge_clear(Judge *j)
{
  app_judge_set_clear(&j->set);
  g_clear_pointer(&j->reviews, g_ptr_array_unref);
  g_clear_pointer(&j->sha256s, g_ptr_array_unref);
  if (j->lines) {
    g_string_free(j->lines, TRUE);
  }
  g_free(j->judge);
  g_free(j->ended);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Judge, judge_clear)

static void
pass_on(const char *text, gpointer user)
{
  const Judge *j = user;

  if (j->listener && j->listener->problem) {
    j->listener->problem(text, j->listener->user);
  }
}

/* ---- asking -----------------------------------------------------------------------------------
 */

/* Question NUMBER is of an item and an order. */
static const AppJudgeItem *
item_at(const Judge *j, guint number, gboolean *model_first)
{
  const gboolean both = j->options->orders == APP_JUDGE_BOTH;

  *model_first = both ? number % 2 == 1 : j->options->orders == APP_JUDGE_MODEL;
  return j->set.items->pdata[both ? number / 2 : number];
}

static gboolean
on_next(AppTeacherRequest *request, gpointer *item, gpointer user)
{
  Judge *j = user;
  gboolean model_first;
  const AppJudgeItem *asked;
  g_autofree char *text = NULL;

  if (j->next >= j->total) {
    return FALSE;
  }
  asked = item_at(j, j->next, &model_first);
  text = app_judge_question(&j->set, asked, model_first);
  app_teacher_say(request, "system", app_judge_system());
  app_teacher_say(request, "user", text);
  *item = GUINT_TO_POINTER(j->next++);
  return TRUE;
}

static gboolean
on_reply(gpointer item, const AppTeacherReply *reply, gpointer user, GError **error)
{
  Judge *j = user;
  gboolean model_first;
  const AppJudgeItem *asked = item_at(j, GPOINTER_TO_UINT(item), &model_first);
  AppJudgeReview *review;
  g_autofree char *line = NULL;

  j->done++;
  if (reply->outcome != APP_TEACHER_ANSWERED) {
    j->not_judged++;
    app_eval_say(&j->say, APP_EVAL_NOT_ANSWERED, j->options->questions, asked->line,
                 "question \"%s\" was not judged: %s", asked->id,
                 reply->why ? reply->why : app_teacher_outcome_name(reply->outcome));
    return TRUE;
  }
  review = app_judge_review_new(asked, model_first, reply->text);
  if (!review->is_parsed) {
    app_eval_say(&j->say, APP_EVAL_UNPARSABLE, j->options->questions, asked->line,
                 "no two scores in what the judge said of question \"%s\"", asked->id);
  }
  g_ptr_array_add(j->reviews, review);
  line = app_judge_review_line(review, reply->text, reply->model ? reply->model : j->judge);
  g_string_append(j->lines, line);
  return TRUE;
}

static gboolean
on_go_on(const AppTeacherCounts *counts, gpointer user)
{
  const Judge *j = user;

  return !j->listener || !j->listener->go_on ||
         j->listener->go_on(j->done, j->total, counts->spent_cost, j->listener->user);
}

static gboolean
ask(Judge *j, GError **error)
{
  const AppJudgeOptions *o = j->options;
  g_autofree char *journal = g_strconcat(o->out, ".journal", NULL);
  const AppTeacherOptions options = {
      .remote = o->judge,
      .model = o->model,
      .journal = journal,
      .sampling = {.temperature = o->temperature,
                   .top_p = 1,
                   .max_tokens = o->max_tokens ? o->max_tokens : 1024},
      .n_parallel = o->n_parallel,
      .most_tokens = o->most_tokens,
      .most_cost = o->most_cost,
      .price_in = o->price_in,
      .price_out = o->price_out,
      .ask_failed = o->ask_failed};
  const AppTeacherSource source = {on_next, on_reply, on_go_on, NULL, j};
  g_autoptr(AppTeacher) teacher = NULL;
  gboolean torn = FALSE;
  gboolean ok;

  j->total = j->set.items->len * (o->orders == APP_JUDGE_BOTH ? 2 : 1);
  teacher = app_teacher_new(&options, error);
  if (!teacher) {
    return FALSE;
  }
  j->judge = g_strdup(app_teacher_name(teacher));
  for (guint i = app_teacher_damaged(teacher, &torn) + torn; i > 0; i--) {
    app_eval_say(&j->say, APP_EVAL_BAD_ANSWER, journal, 0,
                 "a line cannot be read; its question is asked again");
  }
  ok = app_teacher_run(teacher, &source, error);
  app_teacher_counts(teacher, &j->counts);
  j->ended = g_strdup(app_teacher_ended(teacher));
  if (j->ended) {
    pass_on(j->ended, j);
  }
  return ok;
}

static gboolean
write_reviews(const Judge *j, GError **error)
{
  return app_file_write(j->options->out, j->lines->str, j->lines->len, error);
}

/* ---- the report -------------------------------------------------------------------------------
 */

static void
set_files(JsonObject *report, const Judge *j)
{
  const AppJudgeOptions *o = j->options;
  JsonObject *files = json_object_new();

  app_eval_set_file(files, "questions", j->set.items ? o->questions : NULL,
                    j->set.questions_sha256);
  app_eval_set_file(files, "context", o->context, j->set.context_sha256);
  app_eval_set_file(files, "reference", o->reference, j->set.reference_sha256);
  app_eval_set_file(files, "answers", o->answers, j->set.answers_sha256);
  app_eval_set_file(files, "rules", o->rules, j->set.rules_sha256);
  for (guint i = 0; o->reviews && o->reviews[i]; i++) {
    g_autofree char *name = i == 0 ? g_strdup("reviews") : g_strdup_printf("reviews_%u", i + 1);
    app_eval_set_file(files, name, o->reviews[i], j->sha256s->pdata[i]);
  }
  json_object_set_object_member(report, "files", files);
}

static void
set_asking(JsonObject *report, const Judge *j)
{
  JsonObject *o;

  if (!j->judge) {
    json_object_set_null_member(report, "asking");
    return;
  }
  o = json_object_new();
  json_object_set_int_member(o, "asked", j->total);
  json_object_set_int_member(o, "kept", (gint64)j->counts.kept);
  json_object_set_int_member(o, "requests", (gint64)j->counts.requests);
  json_object_set_int_member(o, "tokens", (gint64)j->counts.spent_tokens);
  json_object_set_double_member(o, "cost", j->counts.spent_cost);
  app_json_set_text(o, "ended", j->ended);
  json_object_set_object_member(report, "asking", o);
}

/* Of reviews alone the categories say which bench it is. */
static const char *
bench_of(const Judge *j)
{
  gboolean has_domain = FALSE, is_wild = FALSE;

  if (j->options->bench || j->set.bench) {
    return j->options->bench ? j->options->bench : j->set.bench;
  }
  for (guint i = 0; i < j->reviews->len; i++) {
    const AppJudgeReview *review = j->reviews->pdata[i];
    has_domain = has_domain || review->domain;
    is_wild = is_wild || review->is_wild;
  }
  return has_domain ? "llava-med" : is_wild ? "llava-bench-wild" : NULL;
}

static JsonNode *
report_of(Judge *j)
{
  const AppJudgeOptions *o = j->options;
  const guint64 seed = o->seed ? o->seed : 1;
  const char *bench = bench_of(j);
  JsonObject *report = json_object_new();

  json_object_set_string_member(report, "type", "judge");
  app_json_set_text(report, "bench", bench);
  app_json_set_text(report, "judge", j->judge);
  app_json_set_text(report, "model", j->set.model);
  app_judge_score(report, j->reviews, seed);
  json_object_set_int_member(report, "not_judged", j->not_judged);
  json_object_set_object_member(report, "left_out", app_eval_left_out(&j->say));
  set_asking(report, j);
  json_object_set_object_member(report, "published_table", app_judge_published(bench));
  set_files(report, j);
  json_object_set_int_member(report, "seed", (gint64)seed);
  app_json_set_text(report, "command", o->command);
  json_object_set_string_member(report, "version", app_version());
  return app_json_node(report);
}

static gboolean
read_reviews(Judge *j, GError **error)
{
  for (guint i = 0; j->options->reviews[i]; i++) {
    char *sha256 = NULL;
    if (!app_judge_reviews_read(j->options->reviews[i], &j->say, j->reviews, &sha256, error)) {
      return FALSE;
    }
    g_ptr_array_add(j->sha256s, sha256);
  }
  if (j->reviews->len == 0) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: no reviews in it", j->options->reviews[0]);
  }
  return j->reviews->len > 0;
}

/* What was judged before Ctrl-C is in the journal, and its file of reviews is written, too. */
static gboolean
judge_all(Judge *j, GError **error)
{
  g_autoptr(GError) problem = NULL;
  gboolean ok;

  if (!app_file_has_folder(j->options->out, error) ||
      !app_file_is_another(j->options->out, j->options->questions, error) ||
      !app_file_is_another(j->options->out, j->options->answers, error) ||
      !app_judge_set_read(j->options, &j->say, &j->set, error)) {
    return FALSE;
  }
  ok = ask(j, error);
  if (j->lines->len > 0 && !write_reviews(j, &problem)) {
    app_eval_say(&j->say, APP_EVAL_NOT_SAVED, j->options->out, 0, "%s; the journal has them",
                 problem->message);
  }
  if (ok && j->reviews->len == 0) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "the judge judged nothing%s%s",
                j->ended ? ": " : "", j->ended ? j->ended : "");
  }
  return ok && j->reviews->len > 0;
}

JsonNode *
app_eval_judge(const AppJudgeOptions *options, const AppJudgeListener *listener, GError **error)
{
  g_auto(Judge) j = {.options = options, .listener = listener};

  j.said = (AppEvalListener){.problem = pass_on, .user = &j};
  j.say.listener = &j.said;
  j.reviews = g_ptr_array_new_with_free_func(app_judge_review_free);
  j.sha256s = g_ptr_array_new_with_free_func(g_free);
  j.lines = g_string_new(NULL);
  if (options->reviews ? !read_reviews(&j, error) : !judge_all(&j, error)) {
    return NULL;
  }
  return report_of(&j);
}
