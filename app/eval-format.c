/* eval-format.c - the formats that medical question sets come in, record by record. */
#include <string.h>

#include "eval.h"

#define MAX_REFERENCE 16384u /* bytes */
#define MAX_TEXT 65536u

/* ---- a question ------------------------------------------------------------------------------
 */

AppEvalQuestion *
app_eval_question_new(char *id, char *text, char *reference)
{
  AppEvalQuestion *q = g_new0(AppEvalQuestion, 1);

  q->id = id;
  q->text = text ? g_strstrip(text) : NULL;
  q->reference = reference ? g_strstrip(reference) : NULL;
  q->references = g_ptr_array_new_with_free_func(g_free);
  if (q->reference) {
    g_ptr_array_add(q->references, g_strdup(q->reference));
  }
  return q;
}

static gboolean
is_yes_or_no(const char *text)
{
  return g_ascii_strcasecmp(text, "yes") == 0 || g_ascii_strcasecmp(text, "no") == 0;
}

/* TYPE, which is taken; without one a question whose answer is yes or no is closed. */
static gboolean
set_type(AppEvalQuestion *q, char *type, char **why)
{
  g_autofree char *owned = type ? g_strstrip(type) : NULL;

  if (!owned || !*owned) {
    q->closed = q->reference && is_yes_or_no(q->reference);
    return TRUE;
  }
  q->closed = g_ascii_strcasecmp(owned, "CLOSED") == 0;
  if (!q->closed && g_ascii_strcasecmp(owned, "OPEN") != 0) {
    g_autofree char *shown = g_utf8_substring(owned, 0, MIN(g_utf8_strlen(owned, -1), 40));
    *why = g_strdup_printf("answer_type is \"%s\"; expected OPEN or CLOSED", shown);
    return FALSE;
  }
  return TRUE;
}

/* Takes Q, when it is whole. */
static gboolean
add(GPtrArray *questions, AppEvalQuestion *question, const char *expected, char **why)
{
  g_autoptr(AppEvalQuestion) q = question;

  if (!q->text || !*q->text || !q->image || !*q->image) {
    *why = g_strdup_printf("lacks one of %s", expected);
    return FALSE;
  }
  if (strlen(q->text) > MAX_TEXT || (q->reference && strlen(q->reference) > MAX_REFERENCE)) {
    *why = g_strdup_printf("a question of more than %u bytes, or an answer of more than %u",
                           MAX_TEXT, MAX_REFERENCE);
    return FALSE;
  }
  if (!q->kind || !*q->kind) {
    g_free(q->kind);
    q->kind = g_strdup("other");
  }
  g_ptr_array_add(questions, g_steal_pointer(&q));
  return TRUE;
}

/* The first of several, as "PRES, POS" has them. */
static char *
first_of(char *list)
{
  if (list) {
    list[strcspn(list, ",")] = '\0';
    g_strstrip(list);
  }
  return list;
}

/* ---- Hilum's own ------------------------------------------------------------------------------
 */

static gboolean
hilum_fits(JsonObject *o)
{
  return json_object_has_member(o, "text") && json_object_has_member(o, "answer_type");
}

static gboolean
hilum_read(JsonObject *o, GPtrArray *questions, char **why)
{
  static const char expected[] = "image, text, answer, answer_type (strings)";
  g_autoptr(AppEvalQuestion) q = app_eval_question_new(
      app_eval_text(o, "question_id"), app_eval_text(o, "text"), app_eval_text(o, "answer"));
  char *type = app_eval_text(o, "answer_type");

  if (!type || !q->reference) {
    g_free(type);
    *why = g_strdup_printf("lacks one of %s", expected);
    return FALSE;
  }
  q->image = app_eval_text(o, "image");
  q->kind = app_eval_text(o, "kind");
  q->organ = app_eval_text(o, "organ");
  q->modality = app_eval_text(o, "modality");
  return set_type(q, type, why) && add(questions, g_steal_pointer(&q), expected, why);
}

/* ---- VQA-RAD (Lau et al. 2018) ----------------------------------------------------------------
 */

static gboolean
rad_fits(JsonObject *o)
{
  return json_object_has_member(o, "image_name") && json_object_has_member(o, "question");
}

static gboolean
rad_read(JsonObject *o, GPtrArray *questions, char **why)
{
  g_autoptr(AppEvalQuestion) q = app_eval_question_new(
      app_eval_text(o, "qid"), app_eval_text(o, "question"), app_eval_text(o, "answer"));

  q->image = app_eval_text(o, "image_name");
  q->kind = first_of(app_eval_text(o, "question_type"));
  q->organ = app_eval_text(o, "image_organ");
  return set_type(q, app_eval_text(o, "answer_type"), why) &&
         add(questions, g_steal_pointer(&q), "image_name, question", why);
}

/* ---- SLAKE (Liu et al. 2021) ------------------------------------------------------------------
 */

static gboolean
slake_fits(JsonObject *o)
{
  return json_object_has_member(o, "img_name") && json_object_has_member(o, "question");
}

static gboolean
slake_read(JsonObject *o, GPtrArray *questions, char **why)
{
  g_autoptr(AppEvalQuestion) q = app_eval_question_new(
      app_eval_text(o, "qid"), app_eval_text(o, "question"), app_eval_text(o, "answer"));

  q->image = app_eval_text(o, "img_name");
  q->kind = app_eval_text(o, "content_type");
  q->organ = app_eval_text(o, "location");
  q->modality = app_eval_text(o, "modality");
  return set_type(q, app_eval_text(o, "answer_type"), why) &&
         add(questions, g_steal_pointer(&q), "img_name, question", why);
}

/* ---- PathVQA (He et al. 2020), one record per image -------------------------------------------
 */

/* Its own division, by the first word. */
static char *
question_word(const AppEvalQuestion *q)
{
  static const char *const words[] = {"what", "where", "when", "how", "whose", "why", "which"};
  g_auto(GStrv) parts = g_strsplit_set(q->text, " \t,?", 2);

  if (q->closed) {
    return g_strdup("yes/no");
  }
  for (guint i = 0; parts[0] && i < G_N_ELEMENTS(words); i++) {
    if (g_ascii_strcasecmp(parts[0], words[i]) == 0) {
      return g_strdup(words[i]);
    }
  }
  return NULL;
}

static gboolean
path_fits(JsonObject *o)
{
  return json_object_has_member(o, "labelf") && json_object_has_member(o, "sentf");
}

/* The array "pvqa" of member NAME. */
static JsonArray *
path_list(JsonObject *o, const char *name)
{
  JsonNode *node = json_object_get_member(o, name);

  return node && JSON_NODE_HOLDS_OBJECT(node) ? app_eval_array(json_node_get_object(node), "pvqa")
                                              : NULL;
}

/* Labels are {answer: weight}, any of which is right. */
static gboolean
path_question(GPtrArray *questions, const char *image, guint i, JsonNode *text, JsonNode *label,
              char **why)
{
  g_autoptr(GList) answers =
      JSON_NODE_HOLDS_OBJECT(label) ? json_object_get_members(json_node_get_object(label)) : NULL;
  const char *said = app_eval_string(text);
  g_autoptr(AppEvalQuestion) q = NULL;

  if (!said || !answers) {
    *why = g_strdup_printf("pair %u: expected a question and {answer: weight}", i + 1);
    return FALSE;
  }
  q = app_eval_question_new(g_strdup_printf("%s-%u", image, i), g_strdup(said),
                            g_strdup(answers->data));
  for (GList *l = answers->next; l; l = l->next) {
    g_ptr_array_add(q->references, g_strdup(l->data));
  }
  q->image = g_strdup(image);
  set_type(q, NULL, why);
  q->kind = question_word(q);
  return add(questions, g_steal_pointer(&q), "img_id, sentf", why);
}

static gboolean
path_read(JsonObject *o, GPtrArray *questions, char **why)
{
  JsonArray *labels = path_list(o, "labelf"), *texts = path_list(o, "sentf");
  g_autofree char *image = app_eval_text(o, "img_id");
  gboolean ok = TRUE;

  if (!labels || !texts || !image ||
      json_array_get_length(labels) != json_array_get_length(texts)) {
    *why = g_strdup("expected img_id, and as many labelf.pvqa as sentf.pvqa");
    return FALSE;
  }
  for (guint i = 0; i < json_array_get_length(texts); i++) {
    g_autofree char *reason = NULL;
    if (!path_question(questions, image, i, json_array_get_element(texts, i),
                       json_array_get_element(labels, i), &reason)) {
      ok = FALSE;
      g_free(*why);
      *why = g_steal_pointer(&reason);
    }
  }
  return ok;
}

/* ---- LLaVA's conversations --------------------------------------------------------------------
 */

static gboolean
llava_fits(JsonObject *o)
{
  return json_object_has_member(o, "conversations") || json_object_has_member(o, "conversatons");
}

static gboolean
llava_question(JsonObject *o, JsonArray *turns, guint i, GPtrArray *questions, char **why)
{
  const char *text = app_eval_turn(turns, i), *reference = app_eval_turn(turns, i + 1);
  g_autoptr(AppEvalQuestion) q = NULL;
  GString *bare;

  if (!text || !reference) {
    *why = g_strdup("conversations: expected texts named value");
    return FALSE;
  }
  bare = g_string_new(text);
  g_string_replace(bare, "<image>", "", 0);
  q = app_eval_question_new(app_eval_text(o, "id"), g_string_free(bare, FALSE),
                            g_strdup(reference));
  q->image = app_eval_text(o, "image");
  q->kind = first_of(app_eval_text(o, "question_type"));
  return set_type(q, app_eval_text(o, "answer_type"), why) &&
         add(questions, g_steal_pointer(&q), "image, conversations", why);
}

static gboolean
llava_read(JsonObject *o, GPtrArray *questions, char **why)
{
  /* Files of LLaVA-Med's own have it misspelt. */
  JsonNode *node = json_object_get_member(
      o, json_object_has_member(o, "conversations") ? "conversations" : "conversatons");
  JsonArray *turns = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
  const guint n = turns ? json_array_get_length(turns) : 0;

  if (n < 2 || n % 2) {
    *why = g_strdup("conversations: expected questions and answers in turn");
    return FALSE;
  }
  for (guint i = 0; i < n; i += 2) {
    if (!llava_question(o, turns, i, questions, why)) {
      return FALSE;
    }
  }
  return TRUE;
}

/* ---- chat: LLaVA-Med's 193 questions, LLaVA-Bench ---------------------------------------------
 */

static gboolean
chat_fits(JsonObject *o)
{
  return json_object_has_member(o, "text") && json_object_has_member(o, "question_id") &&
         json_object_has_member(o, "image") && !json_object_has_member(o, "answer_type") &&
         !json_object_has_member(o, "answer");
}

/* Its reference, where it has one, is a whole text: good for a judge, and no word to be met. */
static gboolean
chat_read(JsonObject *o, GPtrArray *questions, char **why)
{
  g_autofree char *text = app_eval_text(o, "text");
  g_autoptr(AppEvalQuestion) q = NULL;
  GString *bare = g_string_new(text);

  g_string_replace(bare, "<image>", "", 0);
  q = app_eval_question_new(app_eval_text(o, "question_id"), g_string_free(bare, FALSE),
                            app_eval_text(o, "gpt4_answer"));
  q->image = app_eval_text(o, "image");
  q->kind = app_eval_text(o, "type");
  if (!q->kind) {
    q->kind = app_eval_text(o, "category");
  }
  return add(questions, g_steal_pointer(&q), "image, text", why);
}

/* ---- plain question and answer ----------------------------------------------------------------
 */

static gboolean
plain_fits(JsonObject *o)
{
  return json_object_has_member(o, "question") && json_object_has_member(o, "answer") &&
         json_object_has_member(o, "image");
}

static gboolean
plain_read(JsonObject *o, GPtrArray *questions, char **why)
{
  char *id = app_eval_text(o, "question_id");
  g_autoptr(AppEvalQuestion) q = app_eval_question_new(
      id ? id : app_eval_text(o, "id"), app_eval_text(o, "question"), app_eval_text(o, "answer"));

  q->image = app_eval_text(o, "image");
  q->kind = first_of(app_eval_text(o, "question_type"));
  q->organ = app_eval_text(o, "organ");
  q->modality = app_eval_text(o, "modality");
  return set_type(q, app_eval_text(o, "answer_type"), why) &&
         add(questions, g_steal_pointer(&q), "image, question", why);
}

/* ---- VQA-Med 2019 (Ben Abacha et al.): image|category|question|answer[#answer] ----------------
 */

/* "(part) rest" is right with the part and without it. */
static void
add_alternative(GPtrArray *references, const char *text)
{
  const char *open = strchr(text, '('), *close = open ? strchr(open, ')') : NULL;
  g_autoptr(GString) with = g_string_new(text), without = NULL;

  if (close) {
    without = g_string_new_len(text, open - text);
    g_string_append(without, close + 1);
    g_string_replace(with, "(", "", 0);
    g_string_replace(with, ")", "", 0);
  }
  g_ptr_array_add(references, g_strstrip(g_strdup(with->str)));
  if (without && *g_strstrip(without->str)) {
    g_ptr_array_add(references, g_strdup(without->str));
  }
}

static gboolean
med_read_line(const char *line, GPtrArray *questions, char **why)
{
  g_auto(GStrv) parts = g_strsplit(line, "|", -1);
  const guint n = g_strv_length(parts);
  g_autoptr(AppEvalQuestion) q = NULL;
  g_auto(GStrv) answers = NULL;

  if (n != 3 && n != 4) {
    *why = g_strdup_printf("%u parts between bars; expected image|category|question|answer, or "
                           "image|question|answer",
                           n);
    return FALSE;
  }
  q = app_eval_question_new(g_strdup(parts[0]), g_strdup(parts[n - 2]), g_strdup(parts[n - 1]));
  q->image = g_strdup(g_strstrip(parts[0]));
  q->kind = n == 4 ? g_strdup(g_strstrip(parts[1])) : NULL;
  set_type(q, NULL, why);
  g_ptr_array_set_size(q->references, 0);
  answers = g_strsplit(q->reference, "#", -1);
  for (guint i = 0; answers[i]; i++) {
    if (*g_strstrip(answers[i])) {
      add_alternative(q->references, answers[i]);
    }
  }
  return add(questions, g_steal_pointer(&q), "image, question", why);
}

const AppEvalFormat app_eval_formats[] = {
    {"llava", FALSE, llava_fits, llava_read, NULL},
    {"pathvqa", FALSE, path_fits, path_read, NULL},
    {"slake", FALSE, slake_fits, slake_read, NULL},
    {"vqa-rad", FALSE, rad_fits, rad_read, NULL},
    {"hilum", FALSE, hilum_fits, hilum_read, NULL},
    {"chat", FALSE, chat_fits, chat_read, NULL},
    {"plain", FALSE, plain_fits, plain_read, NULL},
    {"vqa-med-2019", TRUE, NULL, NULL, med_read_line},
    {0},
};
