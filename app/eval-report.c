/* eval-report.c - reports of evaluation as Markdown with plots. All that it says is in the JSON. */
#include <string.h>

#include <glib/gstdio.h>

#include "eval-report.h"

#define LONGEST_TEXT 80

/* ---- text -------------------------------------------------------------------------------------
 */

char *
app_eval_markdown(const char *text)
{
  g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;
  GString *out;
  glong n = 0;

  if (!valid || !*valid) {
    return g_strdup("–");
  }
  out = g_string_new(NULL);
  for (const char *at = valid; *at && n < LONGEST_TEXT; at = g_utf8_next_char(at), n++) {
    const gunichar c = g_utf8_get_char(at);
    if (c < 0x20 || c == 0x7f || g_unichar_type(c) == G_UNICODE_FORMAT) {
      g_string_append_c(out, ' ');
      continue;
    }
    if (c < 0x80 && strchr("\\`*_{}[]<>|#!&~", (char)c)) {
      g_string_append_c(out, '\\');
    }
    g_string_append_unichar(out, c);
  }
  if (n == LONGEST_TEXT) {
    g_string_append(out, "…");
  }
  return g_string_free(out, FALSE);
}

double
app_eval_share(JsonObject *object, const char *name)
{
  JsonNode *node = object ? json_object_get_member(object, name) : NULL;

  return node && JSON_NODE_HOLDS_VALUE(node) ? 100 * json_node_get_double(node) : -1;
}

char *
app_eval_interval(JsonObject *object, const char *name)
{
  g_autofree char *low = g_strconcat(name, "_low", NULL), *high = g_strconcat(name, "_high", NULL);

  if (!object || !app_eval_has(object, name)) {
    return g_strdup("–");
  }
  return g_strdup_printf("%.1f [%.1f, %.1f]",
                         100 * json_object_get_double_member_with_default(object, name, 0),
                         100 * json_object_get_double_member_with_default(object, low, 0),
                         100 * json_object_get_double_member_with_default(object, high, 0));
}

gboolean
app_eval_has(JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member(object, name);

  return node && JSON_NODE_HOLDS_VALUE(node);
}

gint64
app_eval_count(JsonObject *object, const char *name)
{
  return json_object_get_int_member_with_default(object, name, 0);
}

JsonArray *
app_eval_list(JsonObject *object, const char *name)
{
  JsonNode *node = object ? json_object_get_member(object, name) : NULL;
  JsonArray *list = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;

  for (guint i = 0; i < app_eval_length(list); i++) {
    if (!JSON_NODE_HOLDS_OBJECT(json_array_get_element(list, i))) {
      return NULL;
    }
  }
  return list;
}

JsonObject *
app_eval_child(JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member(object, name);

  return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

/* ---- what all reports say ---------------------------------------------------------------------
 */

static void
add_file(GString *text, JsonObject *files, const char *name)
{
  JsonObject *file = app_eval_child(files, name);
  g_autofree char *path = NULL, *what = NULL;

  if (file) {
    what = g_strdelimit(g_strdup(name), "_", ' ');
    path = app_eval_markdown(app_json_get_text(file, "path"));
    g_string_append_printf(text, "| %s | %s | `%s` |\n", what, path, app_eval_word(file, "sha256"));
  }
}

static void
add_left_out(GString *text, JsonObject *report)
{
  JsonObject *left_out = app_eval_child(report, "left_out");
  g_autoptr(GList) names = left_out ? json_object_get_members(left_out) : NULL;
  gboolean any = FALSE;

  for (GList *l = names; l; l = l->next) {
    const gint64 n = app_eval_count(left_out, l->data);
    if (n > 0) {
      g_autofree char *name = g_strdelimit(g_strdup(l->data), "_", ' ');
      g_string_append_printf(text, "%s%" G_GINT64_FORMAT " %s",
                             any ? ", " : "Left out or noted: ", n, name);
      any = TRUE;
    }
  }
  g_string_append(text, any ? ".\n\n" : "Nothing was left out.\n\n");
}

void
app_eval_page_facts(AppEvalPage *page, JsonObject *report)
{
  const char *command = app_json_get_text(report, "command");
  JsonObject *files = app_eval_child(report, "files");
  g_autoptr(GList) names = files ? json_object_get_members(files) : NULL;
  g_autofree char *version = app_eval_markdown(app_json_get_text(report, "version"));

  if (command) {
    /* A fence that the command itself cannot end. */
    g_autofree char *line = g_strdelimit(g_utf8_make_valid(command, -1), "\n\r`", ' ');
    g_string_append_printf(page->text, "```\n%s\n```\n\n", line);
  }
  g_string_append_printf(page->text, "Hilum %s, seed of the intervals %" G_GINT64_FORMAT ".\n\n",
                         version, json_object_get_int_member_with_default(report, "seed", 1));
  g_string_append(page->text, "| file | name | SHA-256 |\n|---|---|---|\n");
  for (GList *l = names; l; l = l->next) {
    add_file(page->text, files, l->data);
  }
  g_string_append_c(page->text, '\n');
  add_left_out(page->text, report);
}

gboolean
app_eval_page_plot(AppEvalPage *page, const char *name, const AppPlot *plot, GError **error)
{
  g_autofree char *file = g_strdup_printf("%u-%s.svg", page->number, name);
  g_autofree char *path = g_build_filename(page->folder, file, NULL);
  g_autofree char *svg = app_plot_svg(plot), *title = app_eval_markdown(plot->title);

  if (plot->bars->len == 0) {
    return TRUE;
  }
  json_array_add_string_element(page->files, file);
  g_string_append_printf(page->text, "![%s](%s)\n\n", title, file);
  return app_file_write(path, svg, strlen(svg), error);
}

/* ---- ScienceQA --------------------------------------------------------------------------------
 */

gboolean
app_eval_page_science(AppEvalPage *page, JsonObject *report, GError **error)
{
  JsonObject *with_image = app_eval_child(report, "with_image");
  g_autofree char *accuracy = app_eval_interval(report, "accuracy");
  g_autofree char *of_images = app_eval_interval(with_image, "accuracy");
  g_autofree char *common = app_eval_markdown(app_json_get_text(report, "majority_answer"));

  g_string_append_printf(page->text, "## %u. ScienceQA\n\n", page->number);
  app_eval_page_facts(page, report);
  g_string_append_printf(
      page->text,
      "| what | questions | score, %% [95 %%] |\n|---|---|---|\n"
      "| all | %" G_GINT64_FORMAT " | %s |\n| with an image | %" G_GINT64_FORMAT " | %s |\n"
      "| always %s | | %.1f |\n\n"
      "No choice could be read in %" G_GINT64_FORMAT " answers, and %" G_GINT64_FORMAT
      " questions had none: both count as wrong.\n\n"
      "Published: LLaVA 90.92 %%, with GPT-4 as judge 92.53 %% (Liu et al. 2023, "
      "arXiv:2304.08485); with an image, LLaVA-1.5 7B 66.8 %%, 13B 71.6 %%.\n\n",
      app_eval_count(report, "questions"), accuracy,
      with_image ? app_eval_count(with_image, "n") : 0, of_images, common,
      app_eval_share(report, "majority"), app_eval_count(report, "failed"),
      app_eval_count(report, "unanswered"));
  return TRUE;
}

/* ---- all of it --------------------------------------------------------------------------------
 */

static gboolean
add_section(AppEvalPage *page, JsonObject *report, GError **error)
{
  const char *type = app_json_get_text(report, "type");

  if (g_strcmp0(type, "vqa") == 0) {
    return app_eval_page_vqa(page, report, error);
  }
  if (g_strcmp0(type, "judge") == 0) {
    return app_eval_page_judge(page, report, error);
  }
  if (g_strcmp0(type, "scienceqa") == 0) {
    return app_eval_page_science(page, report, error);
  }
  g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "report %u is of no type that this program knows",
              page->number);
  return FALSE;
}

JsonNode *
app_eval_report_read(const char *path, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr(JsonObject) object = NULL;
  const char *last;
  gsize n;

  if (!g_file_get_contents(path, &text, &n, error)) {
    return NULL;
  }
  g_strchomp(text);
  last = strrchr(text, '\n'); /* rows come before it */
  last = last ? last + 1 : text;
  object = app_json_object_read(last, strlen(last), error);
  if (!object || !app_json_get_text(object, "type")) {
    g_clear_error(error);
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED,
                "%s: its last line is no report of hilum eval --json", path);
    return NULL;
  }
  return app_json_node(g_steal_pointer(&object));
}

JsonNode *
app_eval_report(JsonArray *reports, const char *folder, GError **error)
{
  AppEvalPage page = {g_string_new(NULL), folder, 0, json_array_new()};
  g_autoptr(GString) text = page.text;
  g_autoptr(JsonArray) files = page.files;
  g_autofree char *path = g_build_filename(folder, "report.md", NULL);
  JsonObject *o;
  gboolean ok = g_mkdir_with_parents(folder, 0755) == 0;

  if (!ok) {
    g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: the folder cannot be made", folder);
  }
  g_string_append(text, "# Scores\n\n" APP_NOTICE "\n\n");
  json_array_add_string_element(files, "report.md");
  for (guint i = 0; ok && i < json_array_get_length(reports); i++) {
    page.number = i + 1;
    ok = add_section(&page, json_array_get_object_element(reports, i), error);
  }
  if (!ok || !app_file_write(path, text->str, text->len, error)) {
    return NULL;
  }
  o = json_object_new();
  app_json_set_text(o, "folder", folder);
  json_object_set_array_member(o, "files", json_array_ref(files));
  return app_json_node(o);
}
