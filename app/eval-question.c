/* eval-question.c - files of questions with known answers, read record by record. */
#include <string.h>

#include "eval.h"

void
app_eval_question_free(AppEvalQuestion *q)
{
  if (!q) {
    return;
  }
  g_free(q->id);
  g_free(q->text);
  g_free(q->reference);
  g_free(q->kind);
  g_free(q->organ);
  g_free(q->modality);
  g_free(q->image);
  g_free(q->path);
  g_ptr_array_unref(q->references);
  g_free(q->answer);
  g_free(q->blank_answer);
  g_free(q);
}

void
app_eval_set_clear(AppEvalSet *set)
{
  g_clear_pointer(&set->questions, g_ptr_array_unref);
  g_clear_pointer(&set->sha256, g_free);
}

typedef struct {
  const AppEvalSource *source;
  AppEvalSay *say;
  AppEvalSet *set;
  const AppEvalFormat *format; /* NULL: not known yet */
  guint n_read;                /* questions, before any is left out */
} Reader;

/* ---- which records ----------------------------------------------------------------------------
 */

/* Whether MEMBER of OBJECT is one of the values that CONDITION ("KEY=A,B") names. */
static gboolean
holds(JsonObject *object, const char *condition)
{
  const char *equals = strchr(condition, '=');
  g_autofree char *key = g_strndup(condition, (gsize)(equals - condition));
  g_autofree char *value = app_eval_text(object, key);
  g_auto(GStrv) wanted = g_strsplit(equals + 1, ",", -1);

  return value && g_strv_contains((const char *const *)wanted, g_strstrip(value));
}

static gboolean
is_wanted(Reader *reader, JsonObject *object)
{
  const char *const *where = reader->source->where;
  const char *wanted = reader->source->language ? reader->source->language : "en";
  g_autofree char *language = app_eval_text(object, "q_lang");

  for (guint i = 0; where && where[i]; i++) {
    if (!holds(object, where[i])) {
      reader->say->other_rows++;
      return FALSE;
    }
  }
  if (language && strcmp(wanted, "all") != 0 && strcmp(language, wanted) != 0) {
    reader->say->other_languages++;
    return FALSE;
  }
  return TRUE;
}

/* ---- images -----------------------------------------------------------------------------------
 */

/* Sets leave out the ending, or the folder that is named like the split. */
static char *
find_image(const char *folder, const char *name, GError **error)
{
  static const char *const endings[] = {"", ".jpg", ".png", ".jpeg", ".dcm"};
  g_autofree char *first = app_file_below(folder, name, error);
  const char *line = strchr(name, '_');

  for (guint i = 0; first && i < G_N_ELEMENTS(endings); i++) {
    g_autofree char *path = g_strconcat(first, endings[i], NULL);
    if (g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
      return g_steal_pointer(&path);
    }
  }
  for (guint i = 0; first && line && i < G_N_ELEMENTS(endings); i++) {
    g_autofree char *split = g_strndup(name, (gsize)(line - name));
    g_autofree char *file = g_strconcat(name, endings[i], NULL);
    g_autofree char *path = g_build_filename(folder, split, file, NULL);
    if (!strchr(name, '/') && g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
      return g_steal_pointer(&path);
    }
  }
  if (first) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: there is no such image file", first);
  }
  return NULL;
}

/* ---- one record -------------------------------------------------------------------------------
 */

/* What of the questions from FIRST on can be used. */
static void
check_questions(Reader *reader, guint first, const AppRecord *record)
{
  const AppEvalSource *source = reader->source;
  GPtrArray *questions = reader->set->questions;

  for (guint i = first; i < questions->len;) {
    AppEvalQuestion *q = questions->pdata[i];
    g_autoptr(GError) error = NULL;

    q->line = record->line;
    q->record = reader->n_read++;
    if (!q->id) {
      q->id = g_strdup_printf("%u", q->record);
    }
    if (!source->unscored && (q->references->len == 0 || !*(char *)q->references->pdata[0])) {
      app_eval_say(reader->say, APP_EVAL_NO_REFERENCE, source->path, record->line,
                   "has no known answer");
    } else if (source->images && !(q->path = find_image(source->images, q->image, &error)) &&
               !source->images_optional) {
      app_eval_say(reader->say, APP_EVAL_NO_IMAGE, source->path, record->line, "%s",
                   error->message);
    } else if (!source->limit || i < source->limit) {
      i++;
      continue;
    }
    g_ptr_array_remove_index(questions, i);
  }
}

static const AppEvalFormat *
find_format(JsonObject *object)
{
  for (const AppEvalFormat *f = app_eval_formats; f->name; f++) {
    if (!f->is_text && f->fits(object)) {
      return f;
    }
  }
  return NULL;
}

static const AppEvalFormat *
named_format(const char *name)
{
  for (const AppEvalFormat *f = app_eval_formats; name && f->name; f++) {
    if (strcmp(f->name, name) == 0) {
      return f;
    }
  }
  return NULL;
}

/* FALSE with *WHY: it is no record of this format. */
static gboolean
read_object(Reader *reader, const AppRecord *record, char **why)
{
  g_autoptr(JsonObject) object = app_eval_object(record, why);

  if (!object) {
    return FALSE;
  }
  if (!reader->format) {
    reader->format = find_format(object);
  }
  if (!reader->format) {
    *why = g_strdup("no known format of questions has such keys");
    return FALSE;
  }
  return !is_wanted(reader, object) || reader->format->read(object, reader->set->questions, why);
}

static gboolean
read_text(Reader *reader, const AppRecord *record, char **why)
{
  g_autofree char *line = NULL;

  if (!g_utf8_validate_len(record->text, record->n, NULL)) {
    *why = g_strdup("not UTF-8");
    return FALSE;
  }
  line = g_strndup(record->text, record->n);
  return reader->format->read_line(line, reader->set->questions, why);
}

static void
read_record(Reader *reader, const AppRecord *record)
{
  const guint first = reader->set->questions->len;
  g_autofree char *why = NULL;
  gboolean ok;

  if (!reader->format && !record->is_rest && record->text[0] != '{' &&
      memchr(record->text, '|', record->n)) {
    reader->format = named_format("vqa-med-2019");
  }
  ok = reader->format && reader->format->is_text && !record->is_rest
           ? read_text(reader, record, &why)
           : read_object(reader, record, &why);
  if (!ok) {
    app_eval_say(reader->say, APP_EVAL_BAD_RECORD, reader->source->path, record->line, "%s", why);
  }
  check_questions(reader, first, record);
}

gboolean
app_eval_set_read(const AppEvalSource *source, AppEvalSay *say, AppEvalSet *set, GError **error)
{
  g_autoptr(AppRecords) records = app_records_open(source->path, FALSE, error);
  Reader reader = {source, say, set, named_format(source->format), 0};
  AppRecord record;

  if (!records) {
    return FALSE;
  }
  set->questions = g_ptr_array_new_with_free_func((GDestroyNotify)app_eval_question_free);
  set->sha256 = app_records_sha256(records);
  while (app_records_next(records, &record)) {
    read_record(&reader, &record);
    if (source->limit && set->questions->len >= source->limit) {
      break;
    }
  }
  set->format = reader.format ? reader.format->name : NULL;
  if (set->questions->len == 0) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: no questions in it that could be used",
                source->path);
    return FALSE;
  }
  return TRUE;
}
