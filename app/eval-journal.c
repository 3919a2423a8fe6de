/* eval-journal.c - the answers of a run, written as they come.
 *
 * 1. A line is LLaVA's {question_id, prompt, text, model_id, metadata}, so that other tools read
 *    the file, too; metadata says which record it answers, whether without a picture, and of which
 *    run (model, questions, settings) it is.
 * 2. Lines are appended and never changed. The end of a run may leave the last one torn: it is
 *    taken away by the next.
 * 3. What cannot be written is taken back to the end of the last whole line.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "eval.h"

struct _AppEvalJournal {
  char *path, *run, *model;
  int fd;
  off_t end;        /* of the last whole line */
  gboolean is_torn; /* something of no whole line is behind it, and is written over */
};

void
app_eval_journal_close(AppEvalJournal *journal)
{
  if (!journal) {
    return;
  }
  if (journal->fd >= 0) {
    if (journal->is_torn) { /* once more; else the next run takes it away */
      journal->is_torn = ftruncate(journal->fd, journal->end) != 0;
    }
    fsync(journal->fd);
    close(journal->fd);
  }
  g_free(journal->path);
  g_free(journal->run);
  g_free(journal->model);
  g_free(journal);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

/* FALSE: it is of another run. */
static gboolean
take_line(AppEvalJournal *journal, const AppRecord *record, GHashTable *by_record, AppEvalSay *say)
{
  g_autoptr(GError) problem = NULL;
  g_autoptr(JsonObject) object = app_json_object_read(record->text, record->n, &problem);
  JsonNode *node = object ? json_object_get_member(object, "metadata") : NULL;
  JsonObject *metadata = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
  const char *text = object ? app_json_get_text(object, "text") : NULL;
  const char *run = metadata ? app_json_get_text(metadata, "run") : NULL;
  AppEvalQuestion *q = NULL;
  char **place;

  if (!text || !run || !json_object_has_member(metadata, "record")) {
    app_eval_say(say, APP_EVAL_BAD_ANSWER, journal->path, record->line,
                 "%s; its question is asked again",
                 problem ? problem->message : "lacks text, metadata.run or metadata.record");
    return TRUE;
  }
  if (strcmp(run, journal->run) != 0) {
    return FALSE;
  }
  q = g_hash_table_lookup(
      by_record,
      GUINT_TO_POINTER(json_object_get_int_member_with_default(metadata, "record", -2) + 1));
  if (q) {
    place = json_object_get_boolean_member_with_default(metadata, "blank", FALSE) ? &q->blank_answer
                                                                                  : &q->answer;
    g_free(*place);
    *place = g_strdup(text);
  }
  return TRUE;
}

static gboolean
take_lines(AppEvalJournal *journal, GPtrArray *questions, AppEvalSay *say, GError **error)
{
  g_autoptr(AppRecords) records = app_records_open(journal->path, FALSE, error);
  g_autoptr(GHashTable) by_record = g_hash_table_new(NULL, NULL);
  AppRecord record;

  if (!records) {
    return FALSE;
  }
  for (guint i = 0; i < questions->len; i++) {
    AppEvalQuestion *q = questions->pdata[i];
    g_hash_table_insert(by_record, GUINT_TO_POINTER(q->record + 1), q);
  }
  while (app_records_next(records, &record)) {
    if (record.is_rest || !take_line(journal, &record, by_record, say)) {
      g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                  "%s: line %" G_GUINT64_FORMAT
                  ": of another run (other model, questions or settings); --out needs another file",
                  journal->path, record.line);
      return FALSE;
    }
  }
  return TRUE;
}

/* ---- opening ----------------------------------------------------------------------------------
 */

static gboolean
fail(const AppEvalJournal *journal, const char *what, GError **error)
{
  const int why = errno;

  g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: %s: %s", journal->path, what,
              g_strerror(why));
  return FALSE;
}

/* The end of the last whole line, behind which all goes. */
static gboolean
cut_torn_line(AppEvalJournal *journal, AppEvalSay *say, GError **error)
{
  off_t size = lseek(journal->fd, 0, SEEK_END), end = size;
  char byte;

  while (end > 0 && pread(journal->fd, &byte, 1, end - 1) == 1 && byte != '\n') {
    end--;
  }
  journal->end = end;
  if (end == size) {
    return TRUE;
  }
  app_eval_say(say, APP_EVAL_BAD_ANSWER, journal->path, 0,
               "its last line is torn and is taken away; its question is asked again");
  return ftruncate(journal->fd, end) == 0 || fail(journal, "cannot be written", error);
}

AppEvalJournal *
app_eval_journal_open(const char *path, const char *run, const char *model, GPtrArray *questions,
                      AppEvalSay *say, GError **error)
{
  g_autoptr(AppEvalJournal) journal = g_new0(AppEvalJournal, 1);

  journal->path = g_strdup(path);
  journal->run = g_strdup(run);
  journal->model = g_strdup(model);
  journal->fd = -1;
  if (!app_file_has_folder(path, error)) {
    return NULL;
  }
  journal->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (journal->fd < 0) {
    fail(journal, "cannot be opened", error);
    return NULL;
  }
  if (flock(journal->fd, LOCK_EX | LOCK_NB) != 0) {
    fail(journal, "is in use", error);
    return NULL;
  }
  if (!cut_torn_line(journal, say, error) ||
      (journal->end > 0 && !take_lines(journal, questions, say, error))) {
    return NULL;
  }
  return g_steal_pointer(&journal);
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static char *
line_of(const AppEvalJournal *journal, const AppEvalQuestion *q, gboolean blank)
{
  JsonObject *o = json_object_new(), *metadata = json_object_new();
  g_autoptr(JsonNode) node = app_json_node(o);
  g_autofree char *text = NULL;

  app_json_set_text(o, "question_id", q->id);
  json_object_set_string_member(o, "prompt", q->text);
  json_object_set_string_member(o, "text", blank ? q->blank_answer : q->answer);
  app_json_set_text(o, "model_id", journal->model);
  json_object_set_int_member(metadata, "record", q->record);
  json_object_set_boolean_member(metadata, "blank", blank);
  json_object_set_string_member(metadata, "run", journal->run);
  json_object_set_object_member(o, "metadata", metadata);
  text = app_json_text(node);
  return g_strconcat(text, "\n", NULL);
}

void
app_eval_journal_add(AppEvalJournal *journal, const AppEvalQuestion *question, gboolean blank,
                     AppEvalSay *say)
{
  g_autofree char *line = line_of(journal, question, blank);
  const gsize n = strlen(line);
  gsize done = 0;

  while (done < n) {
    const gssize now = pwrite(journal->fd, line + done, n - done, journal->end + (off_t)done);
    if (now < 0 && errno == EINTR) {
      continue;
    }
    if (now <= 0) {
      const int why = errno;
      app_eval_say(say, APP_EVAL_NOT_SAVED, journal->path, 0,
                   "the answer to question \"%s\" cannot be written: %s", question->id,
                   g_strerror(why));
      journal->is_torn = ftruncate(journal->fd, journal->end) != 0;
      return;
    }
    done += (gsize)now;
  }
  journal->end += (off_t)n;
}
