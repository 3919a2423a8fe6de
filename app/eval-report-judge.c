/* eval-report-judge.c - the section of the written report on judged chat answers. */
#include <string.h>

#include "eval-report.h"

/* A member that is a percentage already; below 0: none. */
static double
percent(JsonObject *object, const char *name)
{
  return object ? json_object_get_double_member_with_default(object, name, -1) : -1;
}

static void
add_row(GString *text, JsonObject *g)
{
  g_autofree char *kind = app_eval_markdown(app_json_get_text(g, "kind"));

  g_string_append_printf(
      text,
      "| %s | %" G_GINT64_FORMAT " | %.2f | %.2f | %.1f [%.1f, %.1f] | %.1f [%.1f, %.1f] | "
      "%" G_GINT64_FORMAT " / %" G_GINT64_FORMAT " / %" G_GINT64_FORMAT " |\n",
      kind, app_eval_count(g, "n"), percent(g, "reference_mean"), percent(g, "model_mean"),
      percent(g, "mean_of_ratios"), percent(g, "mean_of_ratios_low"),
      percent(g, "mean_of_ratios_high"), percent(g, "ratio_of_means"),
      percent(g, "ratio_of_means_low"), percent(g, "ratio_of_means_high"),
      app_eval_count(g, "wins"), app_eval_count(g, "ties"), app_eval_count(g, "losses"));
}

static void
add_table(GString *text, JsonObject *report)
{
  JsonArray *groups = app_eval_list(report, "groups");
  JsonObject *orders = app_eval_child(report, "orders");
  static const char *const names[] = {"reference_first", "model_first"};
  static const char *const titles[] = {"all, the reference first", "all, the model first"};

  g_string_append(text,
                  "| kind | questions | reference | model | mean of ratios, % [95 %] | ratio "
                  "of means, % [95 %] | won / tied / lost |\n|---|---|---|---|---|---|---|\n");
  for (guint i = 0; i < app_eval_length(groups); i++) {
    add_row(text, json_array_get_object_element(groups, i));
  }
  for (guint i = 0; orders && i < G_N_ELEMENTS(names); i++) {
    JsonObject *order = app_eval_child(orders, names[i]);
    if (order) {
      json_object_set_string_member(order, "kind", titles[i]);
      add_row(text, order);
    }
  }
  g_string_append_c(text, '\n');
}

static void
add_published(GString *text, JsonObject *report)
{
  JsonObject *table = app_eval_child(report, "published_table");
  JsonArray *rows = table ? app_eval_list(table, "rows") : NULL;
  g_autoptr(GList) names = NULL;
  JsonObject *first;

  g_string_append(text, "### What others published\n\n");
  if (app_eval_length(rows) == 0) {
    g_string_append(text, "No table is known for these questions.\n\n");
    return;
  }
  first = app_eval_child(json_array_get_object_element(rows, 0), "scores");
  names = first ? json_object_get_members(first) : NULL;
  g_string_append(text, "| model |");
  for (GList *l = names; l; l = l->next) {
    g_string_append_printf(text, " %s |", (const char *)l->data);
  }
  g_string_append(text, "\n|---|");
  for (GList *l = names; l; l = l->next) {
    g_string_append(text, "---|");
  }
  for (guint i = 0; i < app_eval_length(rows); i++) {
    JsonObject *row = json_array_get_object_element(rows, i);
    JsonObject *scores = app_eval_child(row, "scores");
    g_string_append_printf(text, "\n| %s |", app_eval_word(row, "model"));
    for (GList *l = names; l; l = l->next) {
      JsonNode *node = scores ? json_object_get_member(scores, l->data) : NULL;
      if (node && JSON_NODE_HOLDS_VALUE(node)) {
        g_string_append_printf(text, " %.1f |", json_node_get_double(node));
      } else {
        g_string_append(text, " – |");
      }
    }
  }
  g_string_append_printf(text,
                         "\n\n%s. Another judge gives other scores: a reference, no pass "
                         "mark.\n\n",
                         app_eval_word(table, "source"));
}

static gboolean
add_plot(AppEvalPage *page, JsonObject *report, GError **error)
{
  JsonArray *groups = app_eval_list(report, "groups");
  g_autoptr(GArray) bars = app_plot_bars_new();
  const AppPlot plot = {"Score beside the reference", "mean of ratios [95 %]", "ratio of means",
                        NULL, bars};

  for (guint i = 0; i < app_eval_length(groups); i++) {
    JsonObject *g = json_array_get_object_element(groups, i);
    g_autofree char *label = g_strdup_printf("%s (%" G_GINT64_FORMAT ")", app_eval_word(g, "kind"),
                                             app_eval_count(g, "n"));
    app_plot_add(bars, label, percent(g, "mean_of_ratios"), percent(g, "mean_of_ratios_low"),
                 percent(g, "mean_of_ratios_high"), percent(g, "ratio_of_means"), -1);
  }
  return app_eval_page_plot(page, "judged", &plot, error);
}

gboolean
app_eval_page_judge(AppEvalPage *page, JsonObject *report, GError **error)
{
  JsonObject *position = app_eval_child(report, "position");
  g_autofree char *bench = app_eval_markdown(app_json_get_text(report, "bench"));
  g_autofree char *judge = app_eval_markdown(app_json_get_text(report, "judge"));
  g_autofree char *model = app_eval_markdown(app_json_get_text(report, "model"));

  g_string_append_printf(page->text, "## %u. Judged answers: %s\n\nModel: %s. Judge: %s. ",
                         page->number, bench, model, judge);
  g_string_append_printf(
      page->text,
      "%" G_GINT64_FORMAT " questions scored, of %" G_GINT64_FORMAT " reviews; %" G_GINT64_FORMAT
      " reviews say no two scores and are not scored, %" G_GINT64_FORMAT
      " questions were judged in one order only and are left out.\n\n",
      app_eval_count(report, "questions"), app_eval_count(report, "reviews"),
      app_eval_count(report, "unparsable"), app_eval_count(report, "half_judged"));
  app_eval_page_facts(page, report);
  add_table(page->text, report);
  if (position) {
    g_string_append_printf(
        page->text, "Being the first answer is worth %.2f [%.2f, %.2f] points to this judge.\n\n",
        percent(position, "bias"), percent(position, "bias_low"), percent(position, "bias_high"));
  }
  if (!add_plot(page, report, error)) {
    return FALSE;
  }
  add_published(page->text, report);
  return TRUE;
}
