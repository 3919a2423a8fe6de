/* dataset-instruct-report.c - hilum dataset instruct: what was asked for, and what came of it. */
#include <string.h>

#include "dataset-instruct.h"

#define MOST_EXAMPLES_BYTES (4u << 20)

/* ---- options -------------------------------------------------------------------------------- */

static gboolean
parse_kinds(AppInstructRun *run, GError **error)
{
  const char *text = run->options->kinds ? run->options->kinds : "conversation";
  g_auto(GStrv) names = g_strsplit(text, ",", -1);
  guint n = 0;

  for (guint i = 0; names[i]; i++) {
    guint kind = 0;
    while (kind < DATA_N_KINDS && strcmp(data_kind_name((DataKind)kind), names[i]) != 0) {
      kind++;
    }
    if (kind == DATA_N_KINDS || run->kinds & 1u << kind) {
      g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                  "--kind: found \"%s\", expected conversation, detail or reasoning, each once, "
                  "with commas between",
                  text);
      return FALSE;
    }
    run->kinds |= 1u << kind;
    n++;
  }
  run->instruct.many_kinds = n > 1;
  return TRUE;
}

static gboolean
read_examples(AppInstructRun *run, GError **error)
{
  const char *path = run->options->examples;
  g_autofree char *text = NULL, *problem = NULL, *name = NULL;
  gsize n;

  if (!path) {
    run->examples = data_examples_new();
    return TRUE;
  }
  if (!g_file_get_contents(path, &text, &n, error)) {
    return FALSE;
  }
  name = g_filename_display_name(path);
  if (n > MOST_EXAMPLES_BYTES) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                "%s: %" G_GSIZE_FORMAT " bytes, more than examples have", name, n);
    return FALSE;
  }
  run->examples = data_examples_parse(text, n, &problem);
  if (!run->examples) {
    g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT, "%s: %s", name, problem);
  }
  return run->examples != NULL;
}

static gboolean
are_others(const AppInstructRun *run, GError **error)
{
  const AppInstructOptions *o = run->options;
  const char *files[] = {o->in, o->out, run->journal, o->report};

  for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
    for (guint j = i + 1; j < G_N_ELEMENTS(files) && files[j]; j++) {
      if (strcmp(files[i], files[j]) == 0) {
        g_set_error(error, APP_ERROR, APP_ERROR_ARGUMENT,
                    "%s: one file cannot be two of input, output, journal and report", files[i]);
        return FALSE;
      }
    }
  }
  return app_file_is_another(o->out, o->in, error) &&
         (!o->report || app_file_is_another(o->report, o->in, error));
}

gboolean
app_instruct_prepare(AppInstructRun *run, GError **error)
{
  const AppInstructOptions *o = run->options;

  run->journal = o->journal ? g_strdup(o->journal) : g_strconcat(o->out, ".journal", NULL);
  if (o->images && !g_file_test(o->images, G_FILE_TEST_IS_DIR)) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: no such folder", o->images);
    return FALSE;
  }
  if (!are_others(run, error) || !parse_kinds(run, error) || !read_examples(run, error)) {
    return FALSE;
  }
  run->instruct.seed = o->seed;
  run->instruct.mentions = o->mentions;
  run->instruct.compatible = o->compatible;
  run->instruct.array = !g_str_has_suffix(o->out, ".jsonl");
  run->instruct.n_examples = o->n_examples;
  run->instruct.examples = run->examples;
  return TRUE;
}

/* ---- the report ----------------------------------------------------------------------------- */

static void
set_count(JsonObject *o, const char *name, guint64 n)
{
  json_object_set_int_member(o, name, (gint64)n);
}

static void
set_counts(JsonObject *o, const char *name, const guint64 *counts, guint n,
           const char *(*name_of)(guint i))
{
  JsonObject *object = json_object_new();

  for (guint i = 0; i < n; i++) {
    if (name_of(i)) {
      set_count(object, name_of(i), counts[i]);
    }
  }
  app_json_set_object(o, name, object);
}

static const char *
kind_name(guint i)
{
  return data_kind_name((DataKind)i);
}

static const char *
domain_name(guint i)
{
  return data_domain_name((DataDomain)i);
}

/* Nothing is drawn at random here. */
static const char *
dropped_name(guint i)
{
  return i == DATA_DROPPED_NOT_SAMPLED ? NULL : data_dropped_name((DataDropped)i);
}

static const char *
fate_name(guint i)
{
  return data_turn_fate_name((DataTurnFate)i);
}

static const char *
outcome_name(guint i)
{
  return i == APP_TEACHER_ANSWERED ? NULL : app_teacher_outcome_name((AppTeacherOutcome)i);
}

static void
set_cost(const AppInstructRun *run, JsonObject *o, const char *name, double cost)
{
  if (run->options->price_in > 0 || run->options->price_out > 0) {
    json_object_set_double_member(o, name, cost);
  } else {
    json_object_set_null_member(o, name);
  }
}

static void
set_teacher(const AppInstructRun *run, JsonObject *o)
{
  AppTeacherCounts counts;

  app_teacher_counts(run->teacher, &counts);
  set_count(o, "requests", counts.requests);
  set_count(o, "tries_again", counts.tries_again);
  set_count(o, "from_journal", counts.kept);
  set_count(o, "tokens_in", counts.tokens_in);
  set_count(o, "tokens_out", counts.tokens_out);
  set_count(o, "spent_tokens", counts.spent_tokens);
  set_cost(run, o, "cost", counts.cost);
  set_cost(run, o, "spent_cost", counts.spent_cost);
  app_json_set_text(o, "ended", counts.ended);
  app_json_set_text(o, "ended_text", app_teacher_ended(run->teacher));
  set_count(o, "journal_damaged", run->damaged);
  json_object_set_boolean_member(o, "journal_torn", run->torn);
}

JsonNode *
app_instruct_report(const AppInstructRun *run, double seconds)
{
  const DataInstructCounts *c = &run->counts;
  JsonObject *o = json_object_new();
  guint64 records = 0;

  for (guint i = 0; i < APP_N_TEACHER_OUTCOMES; i++) {
    records += run->unanswered[i];
  }
  app_json_set_text(o, "in", run->options->in);
  app_json_set_text(o, "out", run->options->out);
  app_json_set_text(o, "report", run->options->report);
  app_json_set_text(o, "journal", run->journal);
  app_json_set_text(o, "teacher", app_teacher_name(run->teacher));
  json_object_set_boolean_member(o, "compatible", run->options->compatible);
  set_count(o, "lines", c->lines);
  set_count(o, "pairs", c->pairs);
  set_count(o, "records", records);
  set_count(o, "written", c->written);
  set_counts(o, "kinds", c->kinds, DATA_N_KINDS, kind_name);
  set_counts(o, "domains", c->domains, DATA_N_DOMAINS, domain_name);
  set_counts(o, "dropped", c->dropped, DATA_N_DROPPED, dropped_name);
  set_counts(o, "unanswered", run->unanswered, APP_N_TEACHER_OUTCOMES, outcome_name);
  set_count(o, "no_turns", c->no_turns);
  set_count(o, "no_turn_left", c->no_turn_left);
  set_counts(o, "turns", c->fates, DATA_N_TURN_FATES, fate_name);
  set_count(o, "edited", c->edited);
  set_teacher(run, o);
  set_count(o, "bytes_out", run->bytes);
  json_object_set_double_member(o, "seconds", seconds);
  return app_json_node(o);
}
