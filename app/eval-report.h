/* eval-report.h - what the files of the written report share. Not for others. */
#ifndef HILUM_APP_EVAL_REPORT_H
#define HILUM_APP_EVAL_REPORT_H

#include "eval-plot.h"
#include "eval.h"

G_BEGIN_DECLS

typedef struct {
  GString *text; /* Markdown */
  const char *folder;
  guint number; /* of the section, from 1 */
  JsonArray *files;
} AppEvalPage;

/* TEXT as Markdown shows it letter by letter, on one line, short; NULL: a dash. g_free(). */
char *app_eval_markdown(const char *text);
/* A member of OBJECT in percent; below 0 when it is not there. */
double app_eval_share(JsonObject *object, const char *name);
/* "56.4 [50.6, 62.7]", or a dash; g_free(). */
char *app_eval_interval(JsonObject *object, const char *name);
/* Reports come from files, too: what is not there is none, 0, or empty. */
gboolean app_eval_has(JsonObject *object, const char *name); /* a value that is not null */
gint64 app_eval_count(JsonObject *object, const char *name);
JsonArray *app_eval_list(JsonObject *object, const char *name); /* of objects, or NULL */
#define app_eval_length(list) ((list) ? json_array_get_length(list) : 0)
#define app_eval_word(object, name)                                                                \
  (app_json_get_text(object, name) ? app_json_get_text(object, name) : "")
JsonObject *app_eval_child(JsonObject *object, const char *name); /* NULL: null or absent */
/* Writes PLOT, and a line that shows it. NAME without ending. */
gboolean app_eval_page_plot(AppEvalPage *page, const char *name, const AppPlot *plot,
                            GError **error);
/* What every report says: command, files, what was left out. */
void app_eval_page_facts(AppEvalPage *page, JsonObject *report);

gboolean app_eval_page_vqa(AppEvalPage *page, JsonObject *report, GError **error);
gboolean app_eval_page_judge(AppEvalPage *page, JsonObject *report, GError **error);
gboolean app_eval_page_science(AppEvalPage *page, JsonObject *report, GError **error);

G_END_DECLS
#endif
