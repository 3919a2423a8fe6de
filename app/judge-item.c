/* judge-item.c - the questions whose answers are judged, with all that a judge is told.
 *
 * Two kinds: LLaVA-Med's 193 questions bring caption, mentions and reference; LLaVA-Bench keeps
 * questions, context and reference in files of their own.
 */
#include <string.h>

#include "judge.h"

#define MAX_TEXT (256u << 10) /* bytes of one text that is shown to a judge */

static void
item_free(gpointer data)
{
  AppJudgeItem *item = data;

  g_free(item->id);
  g_free(item->text);
  g_free(item->category);
  g_free(item->domain);
  g_free(item->image);
  g_free(item->context);
  g_free(item->reference);
  g_free(item->answer);
  g_free(item);
}

void
app_judge_set_clear(AppJudgeSet *set)
{
  g_clear_pointer(&set->items, g_ptr_array_unref);
  g_clear_pointer(&set->rules, g_hash_table_unref);
  g_clear_pointer(&set->model, g_free);
  g_clear_pointer(&set->questions_sha256, g_free);
  g_clear_pointer(&set->answers_sha256, g_free);
  g_clear_pointer(&set->reference_sha256, g_free);
  g_clear_pointer(&set->context_sha256, g_free);
  g_clear_pointer(&set->rules_sha256, g_free);
}

/* ---- reading records --------------------------------------------------------------------------
 */

char *
app_judge_domain(JsonObject *object)
{
  static const char *const names[] = {"chest_xray", "mri", "histology", "gross", "ct_scan"};
  JsonNode *node = json_object_get_member(object, "domain");

  if (node && JSON_NODE_HOLDS_VALUE(node)) {
    return app_eval_text(object, "domain");
  }
  for (guint i = 0; node && JSON_NODE_HOLDS_OBJECT(node) && i < G_N_ELEMENTS(names); i++) {
    JsonNode *flag = json_object_get_member(json_node_get_object(node), names[i]);
    if (flag && JSON_NODE_HOLDS_VALUE(flag) && json_node_get_value_type(flag) == G_TYPE_BOOLEAN &&
        json_node_get_boolean(flag)) {
      return g_strdup(names[i]);
    }
  }
  return NULL;
}

char *
app_judge_category(JsonObject *object)
{
  static const char prefix[] = "llava_bench_";
  char *name = app_eval_text(object, "category");

  if (!name) {
    name = app_eval_text(object, "type");
  }
  if (name && g_str_has_prefix(name, prefix)) {
    memmove(name, name + strlen(prefix), strlen(name + strlen(prefix)) + 1);
  }
  return name;
}

/* ---- LLaVA-Med's context ----------------------------------------------------------------------
 */

/* Sentences that mention the figure: strings, or {tokens: "..."}. */
static void
append_mentions(GString *text, JsonObject *object)
{
  JsonArray *mentions = app_eval_array(object, "in_text_mention");
  gboolean any = FALSE;

  for (guint i = 0; mentions && i < json_array_get_length(mentions); i++) {
    JsonNode *node = json_array_get_element(mentions, i);
    const char *said =
        JSON_NODE_HOLDS_OBJECT(node) ? app_json_get_text(json_node_get_object(node), "tokens")
        : JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
            ? json_node_get_string(node)
            : NULL;
    if (said) {
      g_string_append_printf(text, "%s\t- %s\n", any ? "" : "\n\nFigure Context:\n", said);
      any = TRUE;
    }
  }
}

static char *
figure_context(JsonObject *object)
{
  g_autofree char *label = app_eval_text(object, "fig_label");
  g_autofree char *caption = app_eval_text(object, "fig_caption");
  GString *text;

  if (!caption) {
    return NULL;
  }
  text = g_string_new(NULL);
  g_string_append_printf(text, "Figure Caption:\n%s%s%s", label ? label : "", label ? ": " : "",
                         caption);
  append_mentions(text, object);
  return g_strchomp(g_string_free(text, FALSE));
}

/* ---- LLaVA-Bench's context --------------------------------------------------------------------
 */

/* "cat: [0.1, 0.2, 0.3, 0.4]" */
static void
append_box(GString *text, JsonNode *node)
{
  JsonObject *box = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
  const char *category = box ? app_json_get_text(box, "category") : NULL;
  JsonArray *sides = box ? app_eval_array(box, "bbox") : NULL;

  if (!category || !sides) {
    return;
  }
  g_string_append_printf(text, "\n%s: [", category);
  for (guint i = 0; i < json_array_get_length(sides); i++) {
    JsonNode *side = json_array_get_element(sides, i);
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    const double value = JSON_NODE_HOLDS_VALUE(side) ? json_node_get_double(side) : 0;
    g_string_append_printf(text, "%s%s", i > 0 ? ", " : "",
                           g_ascii_formatd(number, sizeof number, "%g", value));
  }
  g_string_append_c(text, ']');
}

/* {image, captions: [...] or caption: [...] or text, instances: [{category, bbox}]} */
static char *
picture_context(JsonObject *object)
{
  JsonArray *captions = app_eval_array(object, "captions"),
            *boxes = app_eval_array(object, "instances");
  g_autofree char *caption = app_eval_text(object, "caption");
  GString *text = g_string_new(caption);

  captions = captions ? captions : app_eval_array(object, "caption");
  for (guint i = 0; captions && i < json_array_get_length(captions); i++) {
    const char *said = app_eval_string(json_array_get_element(captions, i));
    if (said) {
      g_string_append_printf(text, "%s%s", text->len > 0 ? "\n" : "", said);
    }
  }
  for (guint i = 0; boxes && i < json_array_get_length(boxes); i++) {
    g_string_append(text, i == 0 && text->len > 0 ? "\n" : "");
    append_box(text, json_array_get_element(boxes, i));
  }
  return g_string_free(text, FALSE);
}

/* ---- files beside the questions ---------------------------------------------------------------
 */

/* Calls TAKE with each object of PATH; NULL PATH: with none. It says what is wrong with one: NULL,
 * nothing. */
typedef const char *(*Take)(JsonObject *object, GHashTable *map, gpointer user);

static GHashTable *
read_map(const char *path, AppEvalProblem problem, Take take, gpointer user, AppEvalSay *say,
         char **sha256, GError **error)
{
  g_autoptr(GHashTable) map = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr(AppRecords) records = path ? app_records_open(path, FALSE, error) : NULL;
  AppRecord record;

  if (!path) {
    return g_steal_pointer(&map);
  }
  if (!records) {
    return NULL;
  }
  *sha256 = app_records_sha256(records);
  while (app_records_next(records, &record)) {
    g_autofree char *why = NULL;
    g_autoptr(JsonObject) object = app_eval_object(&record, &why);
    const char *wrong = object ? take(object, map, user) : why;

    if (wrong) {
      app_eval_say(say, problem, path, record.line, "%s", wrong);
    }
  }
  return g_steal_pointer(&map);
}

/* Image to context. */
static const char *
take_context(JsonObject *object, GHashTable *contexts, gpointer unused)
{
  char *image = app_eval_text(object, "image");

  if (!image) {
    return "names no image";
  }
  g_hash_table_replace(contexts, image, picture_context(object));
  return NULL;
}

/* question_id to text. MODEL, when not NULL, gets the name of who answered. */
static const char *
take_text(JsonObject *object, GHashTable *texts, gpointer model)
{
  g_autofree char *id = app_eval_text(object, "question_id");
  g_autofree char *text = app_eval_text(object, "text");
  char **name = model;

  if (!id || !text || strlen(text) > MAX_TEXT) {
    return "expected question_id and a string named text";
  }
  if (g_hash_table_contains(texts, id)) {
    return "answers a question again; the first answer counts";
  }
  g_hash_table_insert(texts, g_steal_pointer(&id), g_steal_pointer(&text));
  if (name && !*name) {
    *name = app_eval_text(object, "model_id");
  }
  return NULL;
}

/* ---- questions --------------------------------------------------------------------------------
 */

typedef struct {
  const AppJudgeOptions *options;
  AppEvalSay *say;
  AppJudgeSet *set;
  GHashTable *contexts, *references, *answers;
} Reader;

static AppJudgeItem *
parse_item(JsonObject *object)
{
  AppJudgeItem *item = g_new0(AppJudgeItem, 1);
  char *text = app_eval_text(object, "text");

  if (text) {
    GString *bare = g_string_new(text);
    g_string_replace(bare, "<image>", "", 0);
    item->text = g_strstrip(g_string_free(bare, FALSE));
    g_free(text);
  }
  item->id = app_eval_text(object, "question_id");
  item->category = app_judge_category(object);
  item->domain = app_judge_domain(object);
  item->image = app_eval_text(object, "image");
  item->context = figure_context(object);
  item->reference = app_eval_text(object, "gpt4_answer");
  return item;
}

/* What other files say of it. FALSE: something is missing, and was said. */
static gboolean
complete(Reader *r, AppJudgeItem *item)
{
  const char *context = item->image ? g_hash_table_lookup(r->contexts, item->image) : NULL;
  const char *reference = g_hash_table_lookup(r->references, item->id);
  const char *answer = g_hash_table_lookup(r->answers, item->id);

  if (context && !item->context) {
    item->context = g_strdup(context);
  }
  if (reference) {
    g_free(item->reference);
    item->reference = g_strdup(reference);
  }
  item->answer = g_strdup(answer);
  if (!item->reference) {
    app_eval_say(r->say, APP_EVAL_NO_REFERENCE, r->options->questions, item->line,
                 "has no reference answer");
    return FALSE;
  }
  if (!item->answer) {
    app_eval_say(r->say, APP_EVAL_UNANSWERED, r->options->questions, item->line,
                 "question \"%s\" is not among the answers", item->id);
    return FALSE;
  }
  return TRUE;
}

static gboolean
read_items(Reader *r, GError **error)
{
  const char *path = r->options->questions;
  g_autoptr(AppRecords) records = app_records_open(path, FALSE, error);
  g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  AppRecord record;

  if (!records) {
    return FALSE;
  }
  r->set->questions_sha256 = app_records_sha256(records);
  while (app_records_next(records, &record) &&
         (!r->options->limit || r->set->items->len < r->options->limit)) {
    g_autofree char *why = NULL;
    g_autoptr(JsonObject) object = app_eval_object(&record, &why);
    AppJudgeItem *item = object ? parse_item(object) : NULL;

    if (!item || !item->id || !item->text || !*item->text || !item->category) {
      app_eval_say(r->say, APP_EVAL_BAD_RECORD, path, record.line, "%s",
                   why ? why : "expected question_id, text, and category or type");
    } else if (!g_hash_table_add(ids, g_strdup(item->id))) {
      app_eval_say(r->say, APP_EVAL_BAD_RECORD, path, record.line,
                   "has the id of an earlier question");
    } else {
      item->line = record.line;
      if (complete(r, item)) {
        g_ptr_array_add(r->set->items, g_steal_pointer(&item));
      }
    }
    if (item) {
      item_free(item);
    }
  }
  return TRUE;
}

/* {CATEGORY: {role, prompt}}, as LLaVA's table/rule.json. */
static gboolean
read_rules(const AppJudgeOptions *options, AppEvalSay *say, AppJudgeSet *set, GError **error)
{
  g_autoptr(AppRecords) records =
      options->rules ? app_records_open(options->rules, TRUE, error) : NULL;
  AppRecord record;

  if (!records) {
    return !options->rules;
  }
  set->rules_sha256 = app_records_sha256(records);
  set->rules =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_object_unref);
  while (app_records_next(records, &record)) {
    g_autofree char *why = NULL;
    g_autoptr(JsonObject) object = app_eval_object(&record, &why);
    if (object && app_json_get_text(object, "role") && app_json_get_text(object, "prompt")) {
      g_hash_table_replace(set->rules, g_strdup(record.key), json_object_ref(object));
    } else {
      app_eval_say(say, APP_EVAL_BAD_RECORD, options->rules, record.line, "%s",
                   why ? why : "expected role and prompt (strings)");
    }
  }
  return TRUE;
}

/* Which of the known benches it is. */
static const char *
guess_bench(const AppJudgeSet *set)
{
  const AppJudgeItem *first = set->items->pdata[0];

  if (first->domain || strcmp(first->category, "conversation") == 0) {
    return "llava-med";
  }
  return set->items->len > 60 ? "llava-bench-coco" : "llava-bench-wild";
}

gboolean
app_judge_set_read(const AppJudgeOptions *options, AppEvalSay *say, AppJudgeSet *set,
                   GError **error)
{
  g_autoptr(GHashTable) contexts = NULL, references = NULL, answers = NULL;
  Reader reader = {options, say, set, NULL, NULL, NULL};

  set->items = g_ptr_array_new_with_free_func(item_free);
  contexts = read_map(options->context, APP_EVAL_BAD_RECORD, take_context, NULL, say,
                      &set->context_sha256, error);
  references = contexts ? read_map(options->reference, APP_EVAL_BAD_ANSWER, take_text, NULL, say,
                                   &set->reference_sha256, error)
                        : NULL;
  answers = references ? read_map(options->answers, APP_EVAL_BAD_ANSWER, take_text, &set->model,
                                  say, &set->answers_sha256, error)
                       : NULL;
  if (!answers || !read_rules(options, say, set, error)) {
    return FALSE;
  }
  reader.contexts = contexts;
  reader.references = references;
  reader.answers = answers;
  if (!read_items(&reader, error)) {
    return FALSE;
  }
  if (set->items->len == 0) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "%s: no question in it that has a reference and an answer", options->questions);
    return FALSE;
  }
  set->bench = options->bench ? options->bench : guess_bench(set);
  return TRUE;
}

/* ---- what the judge is asked ------------------------------------------------------------------
 */

const char *
app_judge_system(void)
{
  return "You judge the quality of answers, carefully and without favour.";
}

static JsonObject *
rule_of(const AppJudgeSet *set, const char *category)
{
  g_autofree char *wild = g_strconcat("llava_bench_", category, NULL);
  JsonObject *rule = NULL;

  if (set->rules) {
    /* In-the-Wild's rules have names of their own, and COCO's the bare ones. */
    rule = g_strcmp0(set->bench, "llava-bench-wild") == 0 ? g_hash_table_lookup(set->rules, wild)
                                                          : NULL;
    rule = rule ? rule : g_hash_table_lookup(set->rules, category);
    rule = rule ? rule : g_hash_table_lookup(set->rules, "default");
  }
  return rule;
}

char *
app_judge_question(const AppJudgeSet *set, const AppJudgeItem *item, gboolean model_first)
{
  static const char own[] =
      "Two assistants answered the question above, which a user asked about an image. You do not "
      "see "
      "the image; the context describes it. Rate how helpful, relevant, accurate and detailed each "
      "answer is, each by one overall score from 1 to 10, where a higher score is a better answer. "
      "Write a first line with nothing but the two scores, that of Assistant 1 and that of "
      "Assistant "
      "2, separated by a space. Explain them from the next line on. Do not let the order of the "
      "answers, or their length alone, sway you.";
  JsonObject *rule = rule_of(set, item->category);
  const char *role = rule ? app_json_get_text(rule, "role") : "Assistant";
  const char *prompt = rule ? app_json_get_text(rule, "prompt") : own;

  return g_strdup_printf("[Context]\n%s\n\n[Question]\n%s\n\n[%s 1]\n%s\n\n[End of %s 1]\n\n"
                         "[%s 2]\n%s\n\n[End of %s 2]\n\n[System]\n%s\n\n",
                         item->context ? item->context : "", item->text, role,
                         model_first ? item->answer : item->reference, role, role,
                         model_first ? item->reference : item->answer, role, prompt);
}
