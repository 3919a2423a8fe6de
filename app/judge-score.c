/* judge-score.c - scores of what judges said.
 *
 * A question that was judged in both orders has the mean of both; where one of the two is missing
 * it is left out of the scores over both (and counted), since its order would favour somebody.
 * Mean of ratios is LLaVA-Med's rule, ratio of means LLaVA's.
 */
#include <string.h>

#include "judge.h"
#include "score.h"

/* One question's scores by order (0: reference first). */
typedef struct {
  const AppJudgeReview *any;
  double reference[2], model[2]; /* sums */
  guint n[2];
} Tally;

typedef enum { BOTH, REFERENCE_FIRST, MODEL_FIRST } Orders;

/* FALSE: it has no scores in these orders. */
static gboolean
pair_of(const Tally *tally, Orders orders, double *reference, double *model)
{
  double r = 0, m = 0;
  guint n = 0;

  for (guint i = 0; i < 2; i++) {
    const gboolean wanted = orders == BOTH || orders == (i == 0 ? REFERENCE_FIRST : MODEL_FIRST);
    if (wanted && tally->n[i] == 0) {
      return FALSE;
    }
    if (wanted) {
      r += tally->reference[i] / tally->n[i];
      m += tally->model[i] / tally->n[i];
      n++;
    }
  }
  *reference = r / n;
  *model = m / n;
  return TRUE;
}

static GPtrArray *
tally_up(GPtrArray *reviews, guint *unparsable, guint n_orders[2])
{
  GPtrArray *tallies = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GHashTable) by_id = g_hash_table_new(g_str_hash, g_str_equal);

  for (guint i = 0; i < reviews->len; i++) {
    const AppJudgeReview *review = reviews->pdata[i];
    Tally *tally = g_hash_table_lookup(by_id, review->id);

    if (!tally) {
      tally = g_new0(Tally, 1);
      tally->any = review;
      g_ptr_array_add(tallies, tally);
      g_hash_table_insert(by_id, review->id, tally);
    }
    if (!review->is_parsed) {
      ++*unparsable;
      continue;
    }
    tally->reference[review->model_first] += review->reference;
    tally->model[review->model_first] += review->model;
    tally->n[review->model_first]++;
    n_orders[review->model_first]++;
  }
  return tallies;
}

/* ---- one group --------------------------------------------------------------------------------
 */

static void
set_bounds(JsonObject *object, const char *name, double value, double low, double high)
{
  g_autofree char *low_name = g_strconcat(name, "_low", NULL);
  g_autofree char *high_name = g_strconcat(name, "_high", NULL);

  json_object_set_double_member(object, name, value);
  json_object_set_double_member(object, low_name, low);
  json_object_set_double_member(object, high_name, high);
}

static void
set_ratios(JsonObject *object, const double *reference, const double *model, guint n, guint64 seed)
{
  g_autofree double *ratios = g_new(double, n);
  double sum_r = 0, sum_m = 0, sum = 0, low, high;
  guint n_ratios = 0;

  for (guint i = 0; i < n; i++) {
    sum_r += reference[i];
    sum_m += model[i];
    if (reference[i] > 0) { /* nothing is so many times nothing */
      ratios[n_ratios] = 100 * model[i] / reference[i];
      sum += ratios[n_ratios++];
    }
  }
  json_object_set_double_member(object, "reference_mean", sum_r / n);
  json_object_set_double_member(object, "model_mean", sum_m / n);
  data_score_interval(ratios, n_ratios, seed, &low, &high);
  set_bounds(object, "mean_of_ratios", n_ratios > 0 ? sum / n_ratios : 0, low, high);
  json_object_set_int_member(object, "without_ratio", n - n_ratios);
  data_score_ratio_interval(reference, model, n, seed, &low, &high);
  set_bounds(object, "ratio_of_means", sum_r > 0 ? 100 * sum_m / sum_r : 0, low, high);
}

/* NAME of categories (DOMAINS FALSE) or domains; NULL: all. NULL: nobody is in it. */
static JsonObject *
group(GPtrArray *tallies, Orders orders, gboolean domains, const char *name, guint64 seed)
{
  g_autofree double *reference = g_new(double, tallies->len), *model = g_new(double, tallies->len);
  guint n = 0, wins = 0, ties = 0;
  JsonObject *object;

  for (guint i = 0; i < tallies->len; i++) {
    const Tally *tally = tallies->pdata[i];
    const char *of = domains ? tally->any->domain : tally->any->category;
    if ((!name || g_strcmp0(of, name) == 0) && pair_of(tally, orders, reference + n, model + n)) {
      wins += model[n] > reference[n];
      ties += model[n] == reference[n];
      n++;
    }
  }
  if (n == 0) {
    return NULL;
  }
  object = json_object_new();
  json_object_set_string_member(object, "by", !name ? "all" : domains ? "domain" : "category");
  json_object_set_string_member(object, "kind", name ? name : "all");
  json_object_set_int_member(object, "n", n);
  set_ratios(object, reference, model, n, seed);
  json_object_set_int_member(object, "wins", wins);
  json_object_set_int_member(object, "ties", ties);
  json_object_set_int_member(object, "losses", n - wins - ties);
  return object;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
add_groups(JsonArray *groups, GPtrArray *tallies, Orders orders, gboolean domains, guint64 seed)
{
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  g_autoptr(GPtrArray) names = g_ptr_array_new();

  for (guint i = 0; i < tallies->len; i++) {
    const AppJudgeReview *any = ((const Tally *)tallies->pdata[i])->any;
    char *name = domains ? any->domain : any->category;
    if (name && g_hash_table_add(seen, name)) {
      g_ptr_array_add(names, name);
    }
  }
  g_ptr_array_sort(names, compare_names);
  for (guint i = 0; i < names->len; i++) {
    JsonObject *object = group(tallies, orders, domains, names->pdata[i], seed);
    if (object) {
      json_array_add_object_element(groups, object);
    }
  }
}

/* ---- orders -----------------------------------------------------------------------------------
 */

/* How much better an answer is for being the first: of questions judged in both orders, each
 * answer's score as the first less its score as the second. */
static void
set_position(JsonObject *report, GPtrArray *tallies, guint64 seed)
{
  g_autofree double *bias = g_new(double, tallies->len);
  JsonObject *object;
  guint n = 0;

  for (guint i = 0; i < tallies->len; i++) {
    const Tally *t = tallies->pdata[i];
    double r[2], m[2];
    if (pair_of(t, REFERENCE_FIRST, &r[0], &m[0]) && pair_of(t, MODEL_FIRST, &r[1], &m[1])) {
      bias[n++] = ((r[0] - r[1]) + (m[1] - m[0])) / 2;
    }
  }
  if (n == 0) {
    json_object_set_null_member(report, "position");
    return;
  }
  object = json_object_new();
  json_object_set_int_member(object, "n", n);
  app_eval_set_mean(object, "bias", bias, n, seed);
  json_object_set_object_member(report, "position", object);
}

static void
set_orders(JsonObject *report, GPtrArray *tallies, guint64 seed)
{
  static const char *const names[] = {"reference_first", "model_first"};
  static const Orders orders[] = {REFERENCE_FIRST, MODEL_FIRST};
  JsonObject *object = json_object_new();

  for (guint i = 0; i < 2; i++) {
    JsonObject *all = group(tallies, orders[i], FALSE, NULL, seed);
    if (all) {
      json_object_set_object_member(object, names[i], all);
    } else {
      json_object_set_null_member(object, names[i]);
    }
  }
  json_object_set_object_member(report, "orders", object);
}

void
app_judge_score(JsonObject *report, GPtrArray *reviews, guint64 seed)
{
  guint unparsable = 0, n_orders[2] = {0, 0}, half = 0, scored = 0;
  g_autoptr(GPtrArray) tallies = tally_up(reviews, &unparsable, n_orders);
  const Orders orders = n_orders[0] > 0 && n_orders[1] > 0 ? BOTH
                        : n_orders[1] > 0                  ? MODEL_FIRST
                                                           : REFERENCE_FIRST;
  JsonArray *groups = json_array_new();
  JsonObject *all = group(tallies, orders, FALSE, NULL, seed);

  for (guint i = 0; i < tallies->len; i++) {
    const Tally *t = tallies->pdata[i];
    double reference, model;
    scored += pair_of(t, orders, &reference, &model);
    half += orders == BOTH && (t->n[0] > 0) != (t->n[1] > 0);
  }
  add_groups(groups, tallies, orders, FALSE, seed);
  add_groups(groups, tallies, orders, TRUE, seed);
  if (all) {
    json_array_add_object_element(groups, all);
  }
  json_object_set_int_member(report, "questions", scored);
  json_object_set_int_member(report, "reviews", reviews->len);
  json_object_set_int_member(report, "unparsable", unparsable);
  json_object_set_int_member(report, "half_judged", half);
  json_object_set_array_member(report, "groups", groups);
  set_orders(report, tallies, seed);
  set_position(report, tallies, seed);
}

/* ---- published --------------------------------------------------------------------------------
 */

JsonObject *
app_judge_published(const char *bench)
{
  guint n;
  const char *source;
  const char *const *names;
  const DataPublishedJudge *rows = data_published_judge(bench, &n, &names, &source);
  JsonObject *o = json_object_new();
  JsonArray *array = json_array_new();

  app_json_set_text(o, "bench", bench);
  app_json_set_text(o, "source", source);
  for (guint i = 0; i < n; i++) {
    JsonObject *row = json_object_new(), *scores = json_object_new();
    for (guint k = 0; names[k]; k++) {
      if (rows[i].scores[k] >= 0) {
        json_object_set_double_member(scores, names[k], rows[i].scores[k]);
      } else {
        json_object_set_null_member(scores, names[k]);
      }
    }
    json_object_set_string_member(row, "model", rows[i].model);
    json_object_set_object_member(row, "scores", scores);
    json_array_add_object_element(array, row);
  }
  json_object_set_array_member(o, "rows", array);
  return o;
}
