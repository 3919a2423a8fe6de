/* eval-report-vqa.c - the section of the written report on a set of questions about images. */
#include <string.h>

#include "eval-report.h"

static gboolean
is_closed(JsonObject *group)
{
  return g_strcmp0(app_json_get_text(group, "answer_type"), "CLOSED") == 0;
}

static const char *
strict_name(JsonObject *group)
{
  return is_closed(group) ? "closed" : "recall";
}

/* ---- tables -----------------------------------------------------------------------------------
 */

static void
add_row(GString *text, JsonObject *group)
{
  const char *strict = strict_name(group);
  JsonObject *blank = app_eval_child(group, "blank");
  JsonObject *train = app_eval_child(group, "train_majority");
  g_autofree char *kind = app_eval_markdown(app_json_get_text(group, "kind"));
  g_autofree char *score = app_eval_interval(group, strict);
  g_autofree char *exact = app_eval_interval(group, "exact");
  g_autofree char *without = app_eval_interval(blank, strict);
  g_autofree char *gain = app_eval_interval(blank, "gain");
  g_autofree char *common = app_eval_markdown(app_json_get_text(group, "majority_answer"));
  g_autofree char *always =
      train ? g_strdup_printf("%.1f", app_eval_share(train, strict)) : g_strdup("–");

  g_string_append_printf(
      text, "| %s | %s | %" G_GINT64_FORMAT " | %s | %s | %s | %s | %.1f (%s) | %s |\n", kind,
      is_closed(group) ? "closed" : "open", app_eval_count(group, "n"), score, exact, without, gain,
      app_eval_share(group, "majority"), common, always);
}

static void
add_table(GString *text, JsonArray *groups, const char *title)
{
  g_string_append_printf(
      text,
      "| %s | type | questions | score [95 %%] | exact [95 %%] | without the picture | the picture "
      "adds | most frequent answer | of training |\n|---|---|---|---|---|---|---|---|---|\n",
      title);
  for (guint i = 0; i < app_eval_length(groups); i++) {
    add_row(text, json_array_get_object_element(groups, i));
  }
  g_string_append_c(text, '\n');
}

static void
add_published_row(GString *text, JsonObject *group, const char *name, const char *title)
{
  JsonObject *published = app_eval_child(group, "published");
  JsonObject *blank = app_eval_child(group, "blank");
  JsonObject *unseen = blank ? app_eval_child(blank, "published") : NULL;
  g_autofree char *seen = app_eval_interval(published, name);
  g_autofree char *without = app_eval_interval(unseen, name);

  g_string_append_printf(text, "| %s | %s | %s | %s |\n", is_closed(group) ? "closed" : "open",
                         title, seen, without);
}

/* The scores of LLaVA-Med's scripts, over all questions. */
static void
add_published_scores(GString *text, JsonArray *groups)
{
  static const struct {
    const char *name, *title;
    gboolean closed;
  } rows[] = {
      {"closed_substring", "accuracy, the reference's letters occur (run_eval_batch.py)", TRUE},
      {"closed_strict", "accuracy, and those of yes or no (run_eval.py)", TRUE},
      {"recall", "recall of words: the published open score", FALSE},
      {"precision", "precision of words", FALSE},
      {"f1", "F1 of words", FALSE},
      {"exact", "\"exact match\": distinct words in common, per word of the answer", FALSE},
      {"open_accuracy", "accuracy, the reference's letters occur", FALSE},
      {"bleu", "BLEU of one to four words", FALSE},
      {"bleu_1", "BLEU, one word", FALSE},
      {"bleu_2", "BLEU, two words", FALSE},
      {"bleu_3", "BLEU, three words", FALSE},
  };

  g_string_append(text, "| type | LLaVA-Med's score | with the picture [95 %] | without |\n"
                        "|---|---|---|---|\n");
  for (guint i = 0; i < app_eval_length(groups); i++) {
    JsonObject *group = json_array_get_object_element(groups, i);
    if (g_strcmp0(app_json_get_text(group, "kind"), "all") != 0) {
      continue;
    }
    for (guint k = 0; k < G_N_ELEMENTS(rows); k++) {
      if (rows[k].closed == is_closed(group)) {
        add_published_row(text, group, rows[k].name, rows[k].title);
      }
    }
  }
  g_string_append_c(text, '\n');
}

static void
add_percent(GString *text, JsonObject *row, const char *name, const char *mark)
{
  JsonNode *node = json_object_get_member(row, name);

  if (node && JSON_NODE_HOLDS_VALUE(node)) {
    g_string_append_printf(text, " %.2f%s |", json_node_get_double(node), mark);
  } else {
    g_string_append(text, " – |");
  }
}

static void
add_published_table(GString *text, JsonObject *report)
{
  JsonObject *table = app_eval_child(report, "published_table");
  JsonArray *rows = table ? app_eval_list(table, "rows") : NULL;
  g_autofree char *source = NULL;

  g_string_append(text, "### What others published\n\n");
  if (app_eval_length(rows) == 0) {
    g_string_append(text, "No table is known for this set of questions.\n\n");
    return;
  }
  g_string_append(text, "| model | open | closed |\n|---|---|---|\n");
  for (guint i = 0; i < app_eval_length(rows); i++) {
    JsonObject *row = json_array_get_object_element(rows, i);
    g_autofree char *model = app_eval_markdown(app_json_get_text(row, "model"));
    g_string_append_printf(text, "| %s |", model);
    add_percent(text, row, "open_percent",
                json_object_get_boolean_member_with_default(row, "open_is_accuracy", FALSE) ? "\\*"
                                                                                            : "");
    add_percent(text, row, "closed_percent", "");
    g_string_append_c(text, '\n');
  }
  source = g_strdup(app_eval_word(table, "source"));
  g_string_append_printf(text,
                         "\n\\* an accuracy, no recall. %s. Other prompts, other training, other "
                         "answers that count: a reference, no pass mark.\n\n",
                         source);
}

/* ---- plots ------------------------------------------------------------------------------------
 */

static void
add_bars(GArray *bars, JsonArray *groups)
{
  for (guint i = 0; i < app_eval_length(groups); i++) {
    JsonObject *group = json_array_get_object_element(groups, i);
    const char *strict = strict_name(group);
    g_autofree char *low = g_strconcat(strict, "_low", NULL);
    g_autofree char *high = g_strconcat(strict, "_high", NULL);
    g_autofree char *label =
        g_strdup_printf("%s, %s (%" G_GINT64_FORMAT ")", app_eval_word(group, "kind"),
                        is_closed(group) ? "closed" : "open", app_eval_count(group, "n"));

    app_plot_add(bars, label, app_eval_share(group, strict), app_eval_share(group, low),
                 app_eval_share(group, high),
                 app_eval_share(app_eval_child(group, "blank"), strict),
                 app_eval_share(group, "majority"));
  }
}

static gboolean
add_groups(AppEvalPage *page, JsonObject *report, const char *member, const char *title,
           GError **error)
{
  JsonArray *groups = app_eval_list(report, member);
  g_autoptr(GArray) bars = app_plot_bars_new();
  g_autofree char *name = g_strdup_printf("By %s", title);
  const AppPlot plot = {name, "score [95 %]", "without the picture", "most frequent answer", bars};

  if (app_eval_length(groups) == 0) {
    return TRUE;
  }
  g_string_append_printf(page->text, "### %s\n\n", name);
  add_table(page->text, groups, title);
  add_bars(bars, groups);
  return app_eval_page_plot(page, member, &plot, error);
}

/* ---- the section ------------------------------------------------------------------------------
 */

static void
add_who(GString *text, JsonObject *report)
{
  const char *sha256 = app_json_get_text(report, "model_sha256");
  g_autofree char *model = app_eval_markdown(app_json_get_text(report, "model"));
  g_autofree char *engine = app_eval_markdown(app_json_get_text(report, "engine"));

  g_string_append_printf(text, "Model: %s, %s%s%s (%s). ", model, sha256 ? "SHA-256 `" : "no hash",
                         sha256 ? sha256 : "", sha256 ? "`" : "", engine);
  g_string_append_printf(text, "%" G_GINT64_FORMAT " questions",
                         app_eval_count(report, "questions"));
  if (app_eval_has(report, "images")) {
    g_string_append_printf(text, " about %" G_GINT64_FORMAT " images",
                           app_eval_count(report, "images"));
  }
  if (app_eval_has(report, "images_encoded")) {
    g_string_append_printf(text, ", encoded %" G_GINT64_FORMAT " times",
                           app_eval_count(report, "images_encoded"));
  }
  g_string_append(text, json_object_get_boolean_member_with_default(report, "blank_image", FALSE)
                            ? ", each with a blank picture in its place.\n\n"
                            : ".\n\n");
}

static void
add_leak(GString *text, JsonObject *report)
{
  JsonObject *leak = app_eval_child(report, "leak");

  if (!leak) {
    g_string_append(text, "Whether images occur in training, too, is not known: no training "
                          "split (`--train`), or no images.\n\n");
    return;
  }
  g_string_append_printf(text,
                         "**%.1f %% of the images (%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                         ") are in the training split, too**, byte by byte, and %" G_GINT64_FORMAT
                         " more look nearly like one of it; %" G_GINT64_FORMAT
                         " questions are about shared images.\n\n",
                         app_eval_share(leak, "share"), app_eval_count(leak, "same_images"),
                         app_eval_count(leak, "images"), app_eval_count(leak, "near_images"),
                         app_eval_count(leak, "questions_on_shared"));
}

gboolean
app_eval_page_vqa(AppEvalPage *page, JsonObject *report, GError **error)
{
  g_autofree char *dataset = app_eval_markdown(app_json_get_text(report, "dataset"));

  g_string_append_printf(page->text, "## %u. Questions about images: %s\n\n", page->number,
                         dataset);
  add_who(page->text, report);
  app_eval_page_facts(page, report);
  add_leak(page->text, report);
  g_string_append(
      page->text,
      "All figures are percent. The score is strict: of closed questions the share whose first yes "
      "or no is right (or that say the reference's words together), of open ones the share of the "
      "reference's words that the answer holds. Without the picture: the same model, with a blank "
      "picture in each image's place; what the picture adds is the difference, question by "
      "question. The most frequent answer is the best that one answer to all could do here; of "
      "training, what the training split's own would.\n\n");
  if (!add_groups(page, report, "groups", "kind of question", error) ||
      !add_groups(page, report, "by_modality", "modality", error) ||
      !add_groups(page, report, "by_organ", "organ", error)) {
    return FALSE;
  }
  g_string_append(page->text, "### By LLaVA-Med's own scripts\n\n");
  add_published_scores(page->text, app_eval_list(report, "groups"));
  add_published_table(page->text, report);
  return TRUE;
}
