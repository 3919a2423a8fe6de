/* dataset-instruct.c - hilum dataset instruct: pairs to conversations, by way of a teacher.
 *
 * `data` reads pairs, says what the teacher is told and makes turns of its replies; the teacher
 * asks; here they are brought together, and the rule of instructions (model/prompt) with them.
 *
 * Invariant: stories come in the order of the input. Those of lines that are no pairs wait with the
 * next question for its end, as all before it must be told first.
 */
#include "dataset-instruct.h"

#include <string.h>

#include "model_prompt.h"

#define MOST_PROBLEMS 20u

/* One pair, while questions about it are under way. */
typedef struct {
  gatomicrefcount refs;
  DataPair pair;
  guint64 line;
} Subject;

/* One question. */
typedef struct {
  Subject *subject;
  DataKind kind;
  GByteArray *before; /* stories that must be told first */
} Item;

static void
subject_clear(gpointer data)
{
  data_pair_clear(&((Subject *)data)->pair);
}

static void
subject_unref(Subject *subject)
{
  g_atomic_rc_box_release_full(subject, subject_clear);
}

static void
item_free(gpointer data)
{
  Item *item = data;

  g_clear_pointer(&item->subject, subject_unref);
  g_byte_array_unref(item->before);
  g_free(item);
}

/* ---- what data asks for --------------------------------------------------------------------- */

/* Captions decide nothing here: a detailed description is what was asked for. */
static const char *
instruction(guint64 seed, gpointer user)
{
  return model_prompt_instruction(MODEL_LENGTH_DETAILED, NULL, seed).text;
}

static gboolean
has_image(const char *name, gpointer user)
{
  const AppInstructRun *run = user;
  g_autofree char *path = app_file_below(run->options->images, name, NULL);

  return path && g_file_test(path, G_FILE_TEST_IS_REGULAR);
}

/* ---- questions ------------------------------------------------------------------------------ */

static void
tell(AppInstructRun *run, const char *text)
{
  if (run->listener->problem) {
    run->listener->problem(text, run->listener->user);
  }
}

static void
tell_line(AppInstructRun *run, guint64 line, const char *what)
{
  g_autofree char *name = g_filename_display_name(run->options->in);
  g_autofree char *text = g_strdup_printf("%s: line %" G_GUINT64_FORMAT ": %s", name, line, what);

  if (run->n_problems++ < MOST_PROBLEMS) {
    tell(run, text);
  }
}

static void
drop_line(AppInstructRun *run, guint64 line, const char *id, DataDropped reason,
          const char *problem)
{
  const DataStory story = {
      .line = line, .id = id, .why = data_dropped_name(reason), .detail = problem};

  run->counts.dropped[reason]++;
  if (problem) {
    tell_line(run, line, problem);
  }
  if (run->report) {
    data_story_write(&story, run->before);
  }
}

/* The next line that is a pair becomes run->subject. FALSE: there is none. */
static gboolean
next_subject(AppInstructRun *run)
{
  Subject *subject = g_atomic_rc_box_new0(Subject);
  AppRecord record;

  while ((run->options->limit == 0 || run->counts.pairs < run->options->limit) &&
         app_records_next(run->records, &record)) {
    g_autofree char *problem = NULL;
    DataDropped reason;

    run->counts.lines++;
    if (data_instruct_read(&run->instruct, record.text, record.n, &subject->pair, &reason,
                           &problem)) {
      run->counts.pairs++;
      subject->line = record.line;
      run->subject = subject;
      return TRUE;
    }
    drop_line(run, record.line, subject->pair.id, reason, problem);
    data_pair_clear(&subject->pair);
    if (record.is_rest) {
      break;
    }
  }
  subject_unref(subject);
  return FALSE;
}

static void
say(const char *role, const char *text, gpointer request)
{
  app_teacher_say(request, role, text);
}

static gboolean
on_next(AppTeacherRequest *request, gpointer *result, gpointer user)
{
  AppInstructRun *run = user;
  Item *item;

  while (run->subject && run->next_kind < DATA_N_KINDS && !(run->kinds & 1u << run->next_kind)) {
    run->next_kind++;
  }
  if (run->subject && run->next_kind == DATA_N_KINDS) {
    g_clear_pointer((Subject **)&run->subject, subject_unref);
  }
  if (!run->subject) {
    if (!next_subject(run)) {
      return FALSE;
    }
    run->next_kind = 0;
    return on_next(request, result, user); /* once: there is a subject now, and a kind */
  }
  item = g_new0(Item, 1);
  item->subject = g_atomic_rc_box_acquire(run->subject);
  item->kind = (DataKind)run->next_kind++;
  item->before = run->before;
  run->before = g_byte_array_new();
  data_instruct_ask(&run->instruct, &item->subject->pair, item->kind, say, request);
  *result = item;
  return TRUE;
}

/* ---- replies -------------------------------------------------------------------------------- */

static gboolean
write_record(AppInstructRun *run, const Item *item, const GArray *turns, GError **error)
{
  g_autoptr(GByteArray) out = g_byte_array_new();
  const guint skip = run->instruct.array && run->counts.written == 1; /* this one */

  data_instruct_write(&run->instruct, &item->subject->pair, item->kind, turns, out);
  return app_out_write(run->out, out->data + skip, out->len - skip, error);
}

static gboolean
write_story(AppInstructRun *run, const Item *item, DataStory *story, GError **error)
{
  g_autoptr(GByteArray) text = g_byte_array_new();

  if (!run->report) {
    return TRUE;
  }
  data_story_write(story, text);
  return app_out_write(run->report, item->before->data, item->before->len, error) &&
         app_out_write(run->report, text->data, text->len, error);
}

static void
tell_unanswered(AppInstructRun *run, const Item *item, const AppTeacherReply *reply)
{
  g_autofree char *what =
      g_strdup_printf("%s: the teacher: %s", item->subject->pair.id, reply->why);

  if (reply->outcome != APP_TEACHER_NOT_ASKED) {
    tell_line(run, item->subject->line, what);
  }
}

static gboolean
on_reply(gpointer data, const AppTeacherReply *reply, gpointer user, GError **error)
{
  AppInstructRun *run = user;
  Item *item = data;
  const DataPair *pair = &item->subject->pair;
  g_autoptr(GArray) turns = NULL;
  DataStory story = {.line = item->subject->line,
                     .id = pair->id,
                     .kind = data_kind_name(item->kind),
                     .why = app_teacher_outcome_name(reply->outcome),
                     .detail = reply->why,
                     .request = reply->key,
                     .tokens_in = reply->tokens_in,
                     .tokens_out = reply->tokens_out,
                     .is_kept = reply->is_kept};
  gboolean ok = TRUE;

  run->unanswered[reply->outcome]++;
  if (reply->outcome == APP_TEACHER_ANSWERED) {
    turns = data_instruct_turns(&run->instruct, pair, item->kind, reply->text, reply->is_cut);
    story.turns = turns;
    story.why = data_instruct_count(&run->counts, pair, item->kind, turns);
    ok = data_turns_kept(turns) == 0 || write_record(run, item, turns, error);
  } else {
    tell_unanswered(run, item, reply);
  }
  ok = ok && write_story(run, item, &story, error);
  item_free(item);
  return ok;
}

static gboolean
on_go_on(const AppTeacherCounts *counts, gpointer user)
{
  AppInstructRun *run = user;
  AppInstructProgress progress = {.lines = run->counts.lines,
                                  .written = run->counts.written,
                                  .answered = counts->outcomes[APP_TEACHER_ANSWERED],
                                  .from_journal = counts->kept,
                                  .under_way = counts->under_way,
                                  .tokens = counts->spent_tokens,
                                  .cost = counts->spent_cost,
                                  .waits_s = (double)counts->waits_us / G_USEC_PER_SEC};

  for (guint i = APP_TEACHER_ANSWERED + 1; i < APP_TEACHER_NOT_ASKED; i++) {
    progress.failed += counts->outcomes[i];
  }
  return !run->listener->go_on || run->listener->go_on(&progress, run->listener->user);
}

/* ---- the run -------------------------------------------------------------------------------- */

static gboolean
open_teacher(AppInstructRun *run, GError **error)
{
  const AppInstructOptions *o = run->options;
  const AppTeacherOptions teacher = {.remote = o->teacher,
                                     .model = o->model,
                                     .journal = run->journal,
                                     .sampling = o->sampling,
                                     .n_parallel = o->n_parallel,
                                     .n_tries = o->n_tries,
                                     .wait_ms = o->wait_ms,
                                     .most_tokens = o->most_tokens,
                                     .most_cost = o->most_cost,
                                     .price_in = o->price_in,
                                     .price_out = o->price_out,
                                     .ask_failed = o->ask_failed};

  run->teacher = app_teacher_new(&teacher, error);
  if (!run->teacher) {
    return FALSE;
  }
  run->damaged = app_teacher_damaged(run->teacher, &run->torn);
  if (run->damaged > 0) {
    g_autofree char *text =
        g_strdup_printf("%s: %u lines of the journal cannot be read; what they say is asked again",
                        run->journal, run->damaged);
    tell(run, text);
  }
  if (run->listener->ready) {
    run->listener->ready(app_teacher_name(run->teacher), app_teacher_leaves(run->teacher),
                         run->listener->user);
  }
  return TRUE;
}

static gboolean
open_files(AppInstructRun *run, GError **error)
{
  const AppInstructOptions *o = run->options;

  run->records = app_records_open(o->in, FALSE, error);
  if (!run->records || !(run->out = app_out_new(o->out, error)) ||
      (o->report && !(run->report = app_out_new(o->report, error)))) {
    return FALSE;
  }
  return TRUE;
}

static gboolean
ask_all(AppInstructRun *run, GError **error)
{
  const AppTeacherSource source = {on_next, on_reply, on_go_on, item_free, run};
  g_autoptr(GError) problem = NULL;

  if (run->instruct.array && !app_out_write(run->out, "[", 1, error)) {
    return FALSE;
  }
  if (!app_teacher_run(run->teacher, &source, &problem)) {
    if (g_error_matches(problem, APP_ERROR, APP_ERROR_CANCELLED)) {
      g_set_error(error, APP_ERROR, APP_ERROR_CANCELLED,
                  "stopped; nothing was written but %s, which holds the answers so far: the same "
                  "command goes on",
                  run->journal);
    } else {
      g_propagate_error(error, g_steal_pointer(&problem));
    }
    return FALSE;
  }
  return !run->instruct.array || app_out_write(run->out, "\n]\n", 3, error);
}

/* The report first: a data set is never there without it. */
static gboolean
finish(AppInstructRun *run, GError **error)
{
  run->bytes = app_out_bytes(run->out);
  if (run->report && (!app_out_write(run->report, run->before->data, run->before->len, error) ||
                      !app_out_finish(g_steal_pointer(&run->report), error))) {
    return FALSE;
  }
  return app_out_finish(g_steal_pointer(&run->out), error);
}

static void
run_clear(AppInstructRun *run)
{
  g_clear_pointer(&run->teacher, app_teacher_free);
  g_clear_pointer(&run->records, app_records_free);
  g_clear_pointer(&run->out, app_out_abandon);
  g_clear_pointer(&run->report, app_out_abandon);
  g_clear_pointer(&run->examples, data_examples_free);
  g_clear_pointer((Subject **)&run->subject, subject_unref);
  g_clear_pointer(&run->before, g_byte_array_unref);
  g_clear_pointer(&run->journal, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AppInstructRun, run_clear)

JsonNode *
app_dataset_instruct(const AppInstructOptions *options, const AppInstructListener *listener,
                     GError **error)
{
  const gint64 start = g_get_monotonic_time();
  g_auto(AppInstructRun)
      run = {.options = options, .listener = listener, .before = g_byte_array_new()};

  if (!app_instruct_prepare(&run, error)) {
    return NULL;
  }
  run.instruct.instruction = instruction;
  run.instruct.has_image = options->images ? has_image : NULL;
  run.instruct.user = &run;
  if (!open_files(&run, error) || !open_teacher(&run, error) || !ask_all(&run, error) ||
      !finish(&run, error)) {
    return NULL;
  }
  return app_instruct_report(&run, (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC);
}

char *
app_dataset_instruct_examples(void)
{
  return data_examples_text();
}
