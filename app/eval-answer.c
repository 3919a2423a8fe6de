/* eval-answer.c - files of answers from elsewhere, and which question each belongs to.
 *
 * The ids of one edition of a data set are not those of another (no id of LLaVA-Med's own answer
 * files is the qid of VQA-RAD's test set in the same row), so an id counts only where the question
 * is the same, too. Row by row is tried first: it is what LLaVA-Med's scripts do.
 */
#include <string.h>

#include "eval.h"
#include "score.h"

#define MAX_ANSWER (1u << 20) /* bytes */
#define OPTIONS " Please choose from the following two options"

typedef struct {
  char *id, *prompt, *text; /* ID and PROMPT may be NULL; PROMPT as it is compared */
  guint64 line;
  gboolean used;
} Answer;

static void
answer_free(gpointer data)
{
  Answer *answer = data;

  g_free(answer->id);
  g_free(answer->prompt);
  g_free(answer->text);
  g_free(answer);
}

void
app_eval_pairing_clear(AppEvalPairing *pairing)
{
  g_clear_pointer(&pairing->model, g_free);
  g_clear_pointer(&pairing->sha256, g_free);
}

/* A question without what was put around it when it was asked. */
static char *
bare_question(const char *text)
{
  g_autoptr(GString) bare = g_string_new(text);
  const char *options;
  g_auto(GStrv) words = NULL;
  g_autofree char *lower = NULL;

  g_string_replace(bare, "<image>", " ", 0);
  options = strstr(bare->str, OPTIONS);
  if (options) {
    g_string_truncate(bare, (gsize)(options - bare->str));
  }
  lower = g_utf8_casefold(bare->str, -1);
  words = data_score_words(lower);
  return g_strjoinv(" ", words);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

/* LLaVA's {question_id, prompt, text}, or the rows of `hilum eval vqa --rows`, which call the
 * question "text". */
static Answer *
parse_answer(const AppRecord *record, char **model, gboolean *blank, char **why)
{
  g_autoptr(JsonObject) object = app_eval_object(record, why);
  const gboolean is_row = object && json_object_has_member(object, "reference");
  g_autofree char *prompt = NULL, *text = NULL;
  JsonNode *metadata;
  Answer *answer;

  if (!object) {
    return NULL;
  }
  text =
      app_eval_text(object, is_row || !json_object_has_member(object, "text") ? "answer" : "text");
  prompt = app_eval_text(object, is_row ? "text" : "prompt");
  if (!text || strlen(text) > MAX_ANSWER) {
    *why =
        g_strdup_printf("expected a string of at most %u bytes named text or answer", MAX_ANSWER);
    return NULL;
  }
  metadata = json_object_get_member(object, "metadata");
  *blank =
      metadata && JSON_NODE_HOLDS_OBJECT(metadata) &&
      json_object_get_boolean_member_with_default(json_node_get_object(metadata), "blank", FALSE);
  *model = app_eval_text(object, "model_id");
  answer = g_new0(Answer, 1);
  answer->id = app_eval_text(object, "question_id");
  answer->prompt = prompt ? bare_question(prompt) : NULL;
  answer->text = g_steal_pointer(&text);
  answer->line = record->line;
  return answer;
}

static GPtrArray *
read_answers(const char *path, gboolean blank, AppEvalSay *say, AppEvalPairing *pairing,
             GError **error)
{
  g_autoptr(AppRecords) records = app_records_open(path, FALSE, error);
  g_autoptr(GPtrArray) answers = g_ptr_array_new_with_free_func(answer_free);
  gboolean several = FALSE;
  AppRecord record;

  if (!records) {
    return NULL;
  }
  pairing->sha256 = app_records_sha256(records);
  while (app_records_next(records, &record)) {
    g_autofree char *model = NULL, *why = NULL;
    gboolean is_blank = FALSE;
    Answer *answer = parse_answer(&record, &model, &is_blank, &why);

    if (!answer) {
      app_eval_say(say, APP_EVAL_BAD_ANSWER, path, record.line, "%s", why);
      continue;
    }
    /* A file of this program's own may hold both kinds. */
    if (is_blank && !blank) {
      answer_free(answer);
      continue;
    }
    several = several || (pairing->model && g_strcmp0(pairing->model, model) != 0);
    if (!pairing->model) {
      pairing->model = g_steal_pointer(&model);
    }
    g_ptr_array_add(answers, answer);
  }
  if (several) {
    g_clear_pointer(&pairing->model, g_free);
  }
  return g_steal_pointer(&answers);
}

/* ---- pairing ----------------------------------------------------------------------------------
 */

typedef struct {
  const char *path;
  gboolean blank;
  GPtrArray *questions;
  GPtrArray *bare; /* of char *: their texts as they are compared */
  AppEvalSay *say;
} Pairing;

static void
give(Pairing *p, guint question, Answer *answer)
{
  AppEvalQuestion *q = p->questions->pdata[question];
  char **place = p->blank ? &q->blank_answer : &q->answer;

  answer->used = TRUE;
  if (*place) {
    app_eval_say(p->say, APP_EVAL_ANSWERED_TWICE, p->path, answer->line,
                 "answers a question again; the first answer counts");
    return;
  }
  *place = g_strdup(answer->text);
}

static gboolean
same_question(const Pairing *p, guint question, const Answer *answer)
{
  return !answer->prompt || strcmp(answer->prompt, p->bare->pdata[question]) == 0;
}

/* As many rows, and the same question in each. */
static gboolean
pair_rows(Pairing *p, GPtrArray *answers, AppEvalPairing *pairing)
{
  gboolean any_prompt = FALSE;

  if (answers->len != p->questions->len) {
    return FALSE;
  }
  for (guint i = 0; i < answers->len; i++) {
    const Answer *answer = answers->pdata[i];
    if (!same_question(p, i, answer)) {
      return FALSE;
    }
    any_prompt = any_prompt || answer->prompt;
  }
  /* Without a word of what was asked, ids must say it. */
  for (guint i = 0; !any_prompt && i < answers->len; i++) {
    const AppEvalQuestion *q = p->questions->pdata[i];
    if (g_strcmp0(((const Answer *)answers->pdata[i])->id, q->id) != 0) {
      return FALSE;
    }
  }
  for (guint i = 0; i < answers->len; i++) {
    give(p, i, answers->pdata[i]);
  }
  pairing->by_row = answers->len;
  return TRUE;
}

/* KEY to a GArray of guint, the questions that have it, in order. */
static void
index_add(GHashTable *index, const char *key, guint question)
{
  GArray *list = g_hash_table_lookup(index, key);

  if (!list) {
    list = g_array_new(FALSE, FALSE, sizeof(guint));
    g_hash_table_insert(index, g_strdup(key), list);
  }
  g_array_append_val(list, question);
}

static GHashTable *
index_new(void)
{
  return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref);
}

static void
pair_ids(Pairing *p, GPtrArray *answers, AppEvalPairing *pairing)
{
  g_autoptr(GHashTable) index = index_new();

  for (guint i = 0; i < p->questions->len; i++) {
    index_add(index, ((const AppEvalQuestion *)p->questions->pdata[i])->id, i);
  }
  for (guint i = 0; i < answers->len; i++) {
    Answer *answer = answers->pdata[i];
    const GArray *list = answer->id ? g_hash_table_lookup(index, answer->id) : NULL;
    guint fits = 0, found = 0;

    for (guint k = 0; list && k < list->len; k++) {
      const guint question = g_array_index(list, guint, k);
      if (same_question(p, question, answer)) {
        found = question;
        fits++;
      }
    }
    if (fits == 1) {
      give(p, found, answer);
      pairing->by_id++;
    }
  }
}

static gboolean
is_answered(const Pairing *p, guint question)
{
  const AppEvalQuestion *q = p->questions->pdata[question];

  return p->blank ? q->blank_answer != NULL : q->answer != NULL;
}

/* The only question with these words, or, when all that have them are answered in the same way,
 * any of them. Whether to give it to one of several is not guessed. */
static void
pair_texts(Pairing *p, GPtrArray *answers, AppEvalPairing *pairing)
{
  g_autoptr(GHashTable) questions = index_new(), asked = index_new();

  for (guint i = 0; i < p->questions->len; i++) {
    if (!is_answered(p, i)) {
      index_add(questions, p->bare->pdata[i], i);
    }
  }
  for (guint i = 0; i < answers->len; i++) {
    const Answer *answer = answers->pdata[i];
    if (!answer->used && answer->prompt) {
      index_add(asked, answer->prompt, i);
    }
  }
  for (guint i = 0; i < answers->len; i++) {
    Answer *answer = answers->pdata[i];
    const GArray *list =
        !answer->used && answer->prompt ? g_hash_table_lookup(questions, answer->prompt) : NULL;
    const GArray *same = list ? g_hash_table_lookup(asked, answer->prompt) : NULL;

    if (list && list->len == 1 && same->len == 1) {
      give(p, g_array_index(list, guint, 0), answer);
      pairing->by_text++;
    } else if (list) {
      answer->used = TRUE;
      app_eval_say(p->say, APP_EVAL_AMBIGUOUS, p->path, answer->line,
                   "%u questions have these words, and no id tells them apart", list->len);
    }
  }
}

gboolean
app_eval_answers_read(const char *path, gboolean blank, GPtrArray *questions, AppEvalSay *say,
                      AppEvalPairing *pairing, GError **error)
{
  g_autoptr(GPtrArray) answers = read_answers(path, blank, say, pairing, error);
  g_autoptr(GPtrArray) bare = g_ptr_array_new_with_free_func(g_free);
  Pairing p = {path, blank, questions, bare, say};

  if (!answers) {
    return FALSE;
  }
  for (guint i = 0; i < questions->len; i++) {
    g_ptr_array_add(bare, bare_question(((const AppEvalQuestion *)questions->pdata[i])->text));
  }
  if (!pair_rows(&p, answers, pairing)) {
    pair_ids(&p, answers, pairing);
    pair_texts(&p, answers, pairing);
  }
  for (guint i = 0; i < answers->len; i++) {
    const Answer *answer = answers->pdata[i];
    if (!answer->used) {
      app_eval_say(say, APP_EVAL_NO_QUESTION, path, answer->line, "belongs to no question");
    }
  }
  for (guint i = 0; i < questions->len && !blank; i++) {
    const AppEvalQuestion *q = questions->pdata[i];
    if (!is_answered(&p, i)) {
      app_eval_say(say, APP_EVAL_UNANSWERED, path, 0, "no answer to question \"%s\"", q->id);
    }
  }
  return TRUE;
}
