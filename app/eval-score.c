/* eval-score.c - scores of questions that were answered, by group. */
#include <stddef.h>
#include <string.h>

#include "eval.h"
#include "score.h"

/* Of one answer: the strict scores, and the published ones. */
typedef struct {
  double exact, recall, closed;
  double p_exact, p_f1, p_precision, p_recall, p_bleu, p_bleu_1, p_bleu_2, p_bleu_3;
  double p_contained, p_closed_strict;
} Scores;

typedef struct {
  const char *name;
  gsize offset;
} Metric;

static const Metric STRICT[] = {{"exact", offsetof(Scores, exact)},
                                {"recall", offsetof(Scores, recall)},
                                {"closed", offsetof(Scores, closed)}};
static const Metric PUBLISHED[] = {{"recall", offsetof(Scores, p_recall)},
                                   {"precision", offsetof(Scores, p_precision)},
                                   {"f1", offsetof(Scores, p_f1)},
                                   {"exact", offsetof(Scores, p_exact)},
                                   {"open_accuracy", offsetof(Scores, p_contained)},
                                   {"closed_substring", offsetof(Scores, p_contained)},
                                   {"closed_strict", offsetof(Scores, p_closed_strict)},
                                   {"bleu", offsetof(Scores, p_bleu)},
                                   {"bleu_1", offsetof(Scores, p_bleu_1)},
                                   {"bleu_2", offsetof(Scores, p_bleu_2)},
                                   {"bleu_3", offsetof(Scores, p_bleu_3)}};

static void
take_better(double *best, double value)
{
  *best = MAX(*best, value);
}

/* By each score the reference that it fits best. */
static Scores
score(const char *answer, const GPtrArray *references)
{
  Scores s = {0};

  for (guint i = 0; i < references->len; i++) {
    const char *reference = references->pdata[i];
    DataScorePublished p;

    data_score_published(answer, reference, &p);
    take_better(&s.exact, data_score_exact(answer, reference));
    take_better(&s.recall, data_score_recall(answer, reference));
    take_better(&s.closed, data_score_closed(answer, reference));
    take_better(&s.p_exact, p.exact);
    take_better(&s.p_f1, p.f1);
    take_better(&s.p_precision, p.precision);
    take_better(&s.p_recall, p.recall);
    take_better(&s.p_bleu, p.bleu);
    take_better(&s.p_bleu_1, p.bleu_n[0]);
    take_better(&s.p_bleu_2, p.bleu_n[1]);
    take_better(&s.p_bleu_3, p.bleu_n[2]);
    take_better(&s.p_contained, p.contained);
    take_better(&s.p_closed_strict, p.closed_strict);
  }
  return s;
}

JsonNode *
app_eval_row(const AppEvalQuestion *q)
{
  JsonObject *row = json_object_new();
  const Scores s = score(q->answer, q->references);

  app_json_set_text(row, "question_id", q->id);
  json_object_set_string_member(row, "kind", q->kind);
  json_object_set_string_member(row, "answer_type", q->closed ? "CLOSED" : "OPEN");
  json_object_set_string_member(row, "text", q->text);
  app_json_set_text(row, "reference", q->reference);
  json_object_set_string_member(row, "answer", q->answer);
  json_object_set_boolean_member(row, "exact", s.exact == 1);
  json_object_set_double_member(row, "recall", s.recall);
  json_object_set_boolean_member(row, "closed", s.closed == 1);
  return app_json_node(row);
}

/* ---- means ------------------------------------------------------------------------------------
 */

void
app_eval_set_mean(JsonObject *object, const char *name, const double *values, guint n, guint64 seed)
{
  g_autofree char *low_name = g_strconcat(name, "_low", NULL);
  g_autofree char *high_name = g_strconcat(name, "_high", NULL);
  double sum = 0, low, high;

  for (guint i = 0; i < n; i++) {
    sum += values[i];
  }
  data_score_interval(values, n, seed, &low, &high);
  json_object_set_double_member(object, name, n > 0 ? sum / n : 0);
  json_object_set_double_member(object, low_name, low);
  json_object_set_double_member(object, high_name, high);
}

/* Questions of a group with their scores; those without a picture only where ALL have some. */
typedef struct {
  GPtrArray *questions; /* of AppEvalQuestion *, borrowed */
  Scores *seen, *blank; /* BLANK NULL: not known */
  double *values;       /* room for one of each */
  gboolean closed;
  guint64 seed;
} Group;

static void
set_metrics(JsonObject *object, Group *g, const Scores *scores, const Metric *metrics, guint n)
{
  for (guint i = 0; i < n; i++) {
    for (guint k = 0; k < g->questions->len; k++) {
      g->values[k] = *(const double *)((const char *)(scores + k) + metrics[i].offset);
    }
    app_eval_set_mean(object, metrics[i].name, g->values, g->questions->len, g->seed);
  }
}

static JsonObject *
published_object(Group *g, const Scores *scores)
{
  JsonObject *object = json_object_new();

  set_metrics(object, g, scores, PUBLISHED, G_N_ELEMENTS(PUBLISHED));
  return object;
}

/* What the picture adds, question by question: strict accuracy of closed ones, recall of open ones;
 * and exact answers. */
static JsonObject *
blank_object(Group *g)
{
  JsonObject *object = json_object_new();
  guint changed = 0;

  set_metrics(object, g, g->blank, STRICT, G_N_ELEMENTS(STRICT));
  json_object_set_object_member(object, "published", published_object(g, g->blank));
  for (guint i = 0; i < g->questions->len; i++) {
    const AppEvalQuestion *q = g->questions->pdata[i];
    changed += strcmp(q->answer, q->blank_answer) != 0;
    g->values[i] =
        g->closed ? g->seen[i].closed - g->blank[i].closed : g->seen[i].recall - g->blank[i].recall;
  }
  json_object_set_double_member(object, "changed", (double)changed / g->questions->len);
  app_eval_set_mean(object, "gain", g->values, g->questions->len, g->seed);
  for (guint i = 0; i < g->questions->len; i++) {
    g->values[i] = g->seen[i].exact - g->blank[i].exact;
  }
  app_eval_set_mean(object, "gain_exact", g->values, g->questions->len, g->seed);
  return object;
}

/* ---- the most frequent answer -----------------------------------------------------------------
 */

static char *
normal_form(const char *text)
{
  g_auto(GStrv) words = data_score_words(text);

  return g_strjoinv(" ", words);
}

/* The most frequent reference in normal form, and how often it occurs; of equals the first. */
static char *
majority(GPtrArray *questions, guint *most)
{
  g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  char *best = NULL;

  *most = 0;
  for (guint i = 0; i < questions->len; i++) {
    const AppEvalQuestion *q = questions->pdata[i];
    char *key = normal_form(q->reference);
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(counts, key)) + 1;
    if (count > *most) {
      *most = count;
      g_free(best);
      best = g_strdup(key);
    }
    g_hash_table_replace(counts, key, GUINT_TO_POINTER(count));
  }
  return best;
}

/* ---- groups -----------------------------------------------------------------------------------
 */

static const char *
group_name(const AppEvalQuestion *q, AppEvalBy by)
{
  return by == APP_EVAL_BY_KIND ? q->kind : by == APP_EVAL_BY_ORGAN ? q->organ : q->modality;
}

/* NAME NULL: of every group. */
static GPtrArray *
members(GPtrArray *questions, AppEvalBy by, const char *name, gboolean closed)
{
  GPtrArray *group = g_ptr_array_new();

  for (guint i = 0; i < questions->len; i++) {
    AppEvalQuestion *q = questions->pdata[i];
    if (q->closed == closed && (!name || g_strcmp0(group_name(q, by), name) == 0)) {
      g_ptr_array_add(group, q);
    }
  }
  return group;
}

/* What always to say the training split's most frequent answer to such questions would score. */
static JsonNode *
train_majority(Group *g, GPtrArray *train, AppEvalBy by, const char *name)
{
  g_autoptr(GPtrArray) same = train ? members(train, by, name, g->closed) : NULL;
  JsonObject *object;
  g_autofree char *answer = NULL;
  Scores *scores;
  guint most;

  if (!same || same->len == 0) {
    return json_node_new(JSON_NODE_NULL);
  }
  answer = majority(same, &most);
  scores = g_new(Scores, g->questions->len);
  for (guint i = 0; i < g->questions->len; i++) {
    scores[i] = score(answer, ((const AppEvalQuestion *)g->questions->pdata[i])->references);
  }
  object = json_object_new();
  app_json_set_text(object, "answer", answer);
  json_object_set_int_member(object, "train_n", same->len);
  set_metrics(object, g, scores, STRICT, G_N_ELEMENTS(STRICT));
  g_free(scores);
  return app_json_node(object);
}

static void
score_members(Group *g)
{
  gboolean has_blank = TRUE;

  for (guint i = 0; i < g->questions->len; i++) {
    has_blank = has_blank && ((const AppEvalQuestion *)g->questions->pdata[i])->blank_answer;
  }
  g->values = g_new(double, g->questions->len);
  g->seen = g_new(Scores, g->questions->len);
  g->blank = has_blank ? g_new(Scores, g->questions->len) : NULL;
  for (guint i = 0; i < g->questions->len; i++) {
    const AppEvalQuestion *q = g->questions->pdata[i];
    g->seen[i] = score(q->answer, q->references);
    if (has_blank) {
      g->blank[i] = score(q->blank_answer, q->references);
    }
  }
}

static JsonObject *
group_object(GPtrArray *questions, GPtrArray *train, AppEvalBy by, const char *name,
             gboolean closed, guint64 seed)
{
  Group g = {.questions = questions, .closed = closed, .seed = seed};
  JsonObject *object = json_object_new();
  g_autofree char *common = NULL;
  guint most;

  score_members(&g);
  json_object_set_string_member(object, "kind", name ? name : "all");
  json_object_set_string_member(object, "answer_type", closed ? "CLOSED" : "OPEN");
  json_object_set_int_member(object, "n", questions->len);
  set_metrics(object, &g, g.seen, STRICT, G_N_ELEMENTS(STRICT));
  common = majority(questions, &most);
  json_object_set_double_member(object, "majority", (double)most / questions->len);
  app_json_set_text(object, "majority_answer", common);
  json_object_set_object_member(object, "published", published_object(&g, g.seen));
  if (g.blank) {
    json_object_set_object_member(object, "blank", blank_object(&g));
  } else {
    json_object_set_null_member(object, "blank");
  }
  json_object_set_member(object, "train_majority", train_majority(&g, train, by, name));
  g_free(g.seen);
  g_free(g.blank);
  g_free(g.values);
  return object;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

JsonArray *
app_eval_groups(GPtrArray *questions, GPtrArray *train, AppEvalBy by, guint64 seed)
{
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  JsonArray *groups = json_array_new();

  for (guint i = 0; i < questions->len; i++) {
    const char *name = group_name(questions->pdata[i], by);
    if (name && g_hash_table_add(seen, (gpointer)name)) {
      g_ptr_array_add(names, (gpointer)name);
    }
  }
  g_ptr_array_sort(names, compare_names);
  if (by == APP_EVAL_BY_KIND) {
    g_ptr_array_add(names, NULL); /* all kinds together, last */
  }
  for (guint i = 0; i < names->len; i++) {
    for (int closed = 1; closed >= 0; closed--) {
      g_autoptr(GPtrArray) group = members(questions, by, names->pdata[i], closed);
      if (group->len > 0) {
        json_array_add_object_element(
            groups, group_object(group, train, by, names->pdata[i], closed, seed));
      }
    }
  }
  return groups;
}
