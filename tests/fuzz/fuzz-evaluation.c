/* fuzz-evaluation.c - files of questions, answers, judgements and reports, in all the forms that
 * they come in. The first byte says which. */
#include "fuzz.h"

#include "eval-report.h"
#include "judge.h"

static void
questions(const char *path)
{
  AppEvalSay say = {0};
  g_auto(AppEvalSet) set = {0};
  g_auto(AppEvalPairing) pairing = {0};
  g_autoptr(GError) error = NULL, wrong = NULL;
  const AppEvalSource source = {.path = path, .language = "all", .limit = 50};
  gboolean ok = app_eval_set_read(&source, &say, &set, &error);

  fuzz_check_error(ok, error);
  if (ok) {
    /* A file of rows answers itself. */
    fuzz_check_error(app_eval_answers_read(path, FALSE, set.questions, &say, &pairing, &wrong),
                     wrong);
    for (guint i = 0; i < set.questions->len; i++) {
      AppEvalQuestion *q = set.questions->pdata[i];
      if (q->answer) {
        json_node_unref(app_eval_row(q));
      }
    }
  }
}

static void
science(const char *path)
{
  const AppEvalScienceOptions options = {.questions = path, .answers = path};
  g_autoptr(GError) error = NULL;
  JsonNode *report = app_eval_science(&options, NULL, &error);

  fuzz_check_error(report != NULL, error);
  g_clear_pointer(&report, json_node_unref);
}

static void
judged(const char *path)
{
  const char *const reviews[] = {path, NULL};
  const AppJudgeOptions options = {.reviews = reviews};
  const AppJudgeOptions asked = {.questions = path,
                                 .context = path,
                                 .reference = path,
                                 .answers = path,
                                 .rules = path,
                                 .limit = 50};
  AppEvalSay say = {0};
  g_auto(AppJudgeSet) set = {0};
  g_autoptr(GError) error = NULL, wrong = NULL;
  JsonNode *report = app_eval_judge(&options, NULL, &error);
  const gboolean ok = app_judge_set_read(&asked, &say, &set, &wrong);

  fuzz_check_error(report != NULL, error);
  fuzz_check_error(ok, wrong);
  g_clear_pointer(&report, json_node_unref);
  for (guint i = 0; ok && i < set.items->len; i++) {
    g_free(app_judge_question(&set, set.items->pdata[i], i % 2));
  }
}

/* The Markdown alone: plots are drawn of it, and go nowhere. */
static void
reports(const char *path)
{
  g_autoptr(GError) error = NULL, wrong = NULL;
  g_autoptr(JsonNode) report = app_eval_report_read(path, &error);
  AppEvalPage page = {g_string_new(NULL), "/proc/nowhere", 1, json_array_new()};
  JsonObject *o = report ? json_node_get_object(report) : NULL;

  fuzz_check_error(report != NULL, error);
  if (o && g_str_equal(app_eval_word(o, "type"), "vqa")) {
    app_eval_page_vqa(&page, o, &wrong);
  } else if (o && g_str_equal(app_eval_word(o, "type"), "judge")) {
    app_eval_page_judge(&page, o, &wrong);
  } else if (o) {
    app_eval_page_science(&page, o, &wrong);
  }
  g_string_free(page.text, TRUE);
  json_array_unref(page.files);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  static void (*const readers[])(const char *) = {questions, science, judged, reports};
  char path[32];
  int fd;

  fuzz_start();
  if (n == 0) {
    return 0;
  }
  fd = fuzz_descriptor(data + 1, n - 1);
  fuzz_path(fd, path);
  readers[data[0] % G_N_ELEMENTS(readers)](path);
  close(fd);
  return 0;
}
