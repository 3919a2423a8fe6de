/* eval.c - hilum eval vqa: questions with known answers are read, asked and scored. */
#include <string.h>

#include "eval.h"

typedef struct {
  const AppEvalOptions *options;
  AppEvalOptions own; /* with the training split that was found */
  char *train_path, **train_where;
  AppEvalSay say;
  AppEvalSet set, train;
  AppEvalRun run;
  AppEvalPairing pairing, blank_pairing;
  JsonObject *leak;    /* NULL: not looked for */
  GPtrArray *answered; /* of AppEvalQuestion *, borrowed */
  guint64 train_problems;
} Eval;

static void
eval_clear(Eval *eval)
{
  g_clear_pointer(&eval->answered, g_ptr_array_unref);
  g_clear_pointer(&eval->train_path, g_free);
  g_clear_pointer(&eval->train_where, g_strfreev);
  app_eval_set_clear(&eval->set);
  app_eval_set_clear(&eval->train);
  app_eval_run_clear(&eval->run);
  app_eval_pairing_clear(&eval->pairing);
  app_eval_pairing_clear(&eval->blank_pairing);
  g_clear_pointer(&eval->leak, json_object_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Eval, eval_clear)

/* ---- reading ----------------------------------------------------------------------------------
 */

static gboolean
read_questions(Eval *eval, gboolean unscored, GError **error)
{
  const AppEvalOptions *o = eval->options;
  const AppEvalSource source = {.path = o->questions,
                                .images = o->images,
                                .format = o->format,
                                .where = o->where,
                                .language = o->language,
                                .limit = o->limit,
                                .unscored = unscored,
                                .images_optional = o->answers != NULL};

  return app_eval_set_read(&source, &eval->say, &eval->set, error);
}

/* What is wrong with the training split is counted apart: it is not what is scored. */
static gboolean
read_train(Eval *eval, GError **error)
{
  const AppEvalOptions *o = eval->options;
  const AppEvalSource source = {.path = o->train,
                                .images = o->train_images ? o->train_images : o->images,
                                .where = o->train_where,
                                .language = o->language,
                                .images_optional = TRUE};
  AppEvalSay quiet = {0};

  if (!o->train) {
    return TRUE;
  }
  /* One that nobody named may as well not be there. */
  if (!app_eval_set_read(&source, &quiet, &eval->train, eval->train_path ? NULL : error)) {
    app_eval_set_clear(&eval->train);
    eval->own.train = NULL;
    return eval->train_path != NULL;
  }
  for (guint i = 0; i < APP_N_EVAL_PROBLEMS; i++) {
    eval->train_problems += quiet.counts[i];
  }
  if (!o->images) {
    return TRUE;
  }
  eval->leak = app_eval_leak(o, &eval->set, &eval->train, &eval->say, error);
  if (eval->leak) {
    json_object_set_int_member(eval->leak, "train_problems", (gint64)eval->train_problems);
    json_object_set_boolean_member(eval->leak, "found_beside", eval->train_path != NULL);
  }
  return eval->leak != NULL;
}

static void
show_rows(Eval *eval)
{
  const AppEvalListener *listener = eval->say.listener;

  for (guint i = 0; listener && listener->row && i < eval->answered->len; i++) {
    g_autoptr(JsonNode) node = app_eval_row(eval->answered->pdata[i]);
    listener->row(node, i + 1, eval->answered->len, listener->user);
  }
}

static gboolean
read_answers(Eval *eval, GError **error)
{
  const AppEvalOptions *o = eval->options;

  return app_eval_answers_read(o->answers, FALSE, eval->set.questions, &eval->say, &eval->pairing,
                               error) &&
         (!o->blank_answers || app_eval_answers_read(o->blank_answers, TRUE, eval->set.questions,
                                                     &eval->say, &eval->blank_pairing, error));
}

static gboolean
take_answered(Eval *eval, GError **error)
{
  eval->answered = g_ptr_array_new();
  for (guint i = 0; i < eval->set.questions->len; i++) {
    AppEvalQuestion *q = eval->set.questions->pdata[i];
    if (q->answer) {
      g_ptr_array_add(eval->answered, q);
    }
  }
  if (eval->answered->len == 0) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: answers none of the questions of %s",
                eval->options->answers ? eval->options->answers : "the model",
                eval->options->questions);
  }
  return eval->answered->len > 0;
}

/* ---- the report -------------------------------------------------------------------------------
 */

static void
set_who(JsonObject *report, const Eval *eval)
{
  const AppEvalOptions *o = eval->options;

  if (o->answers) {
    app_json_set_text(report, "model", eval->pairing.model);
    json_object_set_null_member(report, "model_sha256");
    json_object_set_string_member(report, "engine", "answers");
  } else {
    app_json_set_text(report, "model", eval->run.model);
    app_json_set_text(report, "model_sha256", eval->run.sha256);
    app_json_set_text(report, "engine", app_engine_text(eval->run.engine));
  }
  json_object_set_boolean_member(report, "blank_image", o->blank);
  json_object_set_int_member(report, "questions", eval->answered->len);
}

static void
set_files(JsonObject *report, const Eval *eval)
{
  const AppEvalOptions *o = eval->options;
  JsonObject *files = json_object_new();

  app_eval_set_file(files, "questions", o->questions, eval->set.sha256);
  app_eval_set_file(files, "answers", o->answers, eval->pairing.sha256);
  app_eval_set_file(files, "blank_answers", o->blank_answers, eval->blank_pairing.sha256);
  app_eval_set_file(files, "train", o->train, eval->train.sha256);
  json_object_set_object_member(report, "files", files);
}

static void
set_pairing(JsonObject *report, const Eval *eval)
{
  JsonObject *o;

  if (!eval->options->answers) {
    json_object_set_null_member(report, "paired");
    return;
  }
  o = json_object_new();
  json_object_set_int_member(o, "by_row", eval->pairing.by_row);
  json_object_set_int_member(o, "by_id", eval->pairing.by_id);
  json_object_set_int_member(o, "by_text", eval->pairing.by_text);
  json_object_set_object_member(report, "paired", o);
}

static void
set_images(JsonObject *report, const Eval *eval)
{
  if (eval->options->answers) {
    json_object_set_null_member(report, "images");
  } else {
    json_object_set_int_member(report, "images", eval->run.images);
  }
  if (eval->run.counts_encoded) {
    json_object_set_int_member(report, "images_encoded", eval->run.encoded);
  } else {
    json_object_set_null_member(report, "images_encoded");
  }
}

static JsonNode *
report_of(Eval *eval)
{
  const AppEvalOptions *o = eval->options;
  const guint64 seed = o->seed ? o->seed : 1;
  const char *dataset = o->dataset ? o->dataset : eval->set.format;
  JsonObject *report = json_object_new();

  json_object_set_string_member(report, "type", "vqa");
  set_who(report, eval);
  json_object_set_array_member(
      report, "groups",
      app_eval_groups(eval->answered, eval->train.questions, APP_EVAL_BY_KIND, seed));
  json_object_set_array_member(
      report, "by_organ",
      app_eval_groups(eval->answered, eval->train.questions, APP_EVAL_BY_ORGAN, seed));
  json_object_set_array_member(
      report, "by_modality",
      app_eval_groups(eval->answered, eval->train.questions, APP_EVAL_BY_MODALITY, seed));
  app_json_set_text(report, "format", eval->set.format);
  app_json_set_text(report, "dataset", dataset);
  set_images(report, eval);
  json_object_set_object_member(report, "left_out", app_eval_left_out(&eval->say));
  set_pairing(report, eval);
  if (eval->leak) {
    json_object_set_object_member(report, "leak", g_steal_pointer(&eval->leak));
  } else {
    json_object_set_null_member(report, "leak");
  }
  json_object_set_object_member(report, "published_table", app_eval_published(dataset));
  set_files(report, eval);
  json_object_set_int_member(report, "seed", (gint64)seed);
  app_json_set_text(report, "command", o->command);
  json_object_set_string_member(report, "version", app_version());
  return app_json_node(report);
}

JsonNode *
app_eval_vqa(const AppEvalOptions *options, const AppEvalListener *listener,
             GCancellable *cancellable, GError **error)
{
  g_auto(Eval) eval = {.own = *options, .say = {.listener = listener}};
  gboolean ok;

  eval.options = &eval.own;
  if (!options->train) {
    app_eval_guess_train(&eval.own, &eval.train_path, &eval.train_where);
  }
  if (!read_questions(&eval, FALSE, error) || !read_train(&eval, error)) {
    return NULL;
  }
  ok = options->answers
           ? read_answers(&eval, error)
           : app_eval_ask(&eval.own, &eval.set, &eval.say, &eval.run, cancellable, error);
  if (!ok || !take_answered(&eval, error)) {
    return NULL;
  }
  if (options->answers) {
    show_rows(&eval);
  }
  return report_of(&eval);
}

/* ---- answers alone ----------------------------------------------------------------------------
 */

JsonNode *
app_eval_answer(const AppEvalOptions *options, const AppEvalListener *listener,
                GCancellable *cancellable, GError **error)
{
  g_auto(Eval) eval = {.options = options, .say = {.listener = listener}};
  JsonObject *report;
  guint n;

  if (!read_questions(&eval, TRUE, error) ||
      !app_eval_ask(options, &eval.set, &eval.say, &eval.run, cancellable, error) ||
      !take_answered(&eval, error)) {
    return NULL;
  }
  n = eval.answered->len;
  report = json_object_new();
  json_object_set_string_member(report, "type", "answers");
  set_who(report, &eval);
  json_object_set_int_member(report, "questions", eval.set.questions->len);
  json_object_set_int_member(report, "answered", n);
  app_json_set_text(report, "format", eval.set.format);
  set_images(report, &eval);
  json_object_set_object_member(report, "left_out", app_eval_left_out(&eval.say));
  set_files(report, &eval);
  app_json_set_text(report, "out", options->out);
  app_json_set_text(report, "command", options->command);
  json_object_set_string_member(report, "version", app_version());
  return app_json_node(report);
}
