/* cmd-phantom.c - `hilum phantom`: synthetic pictures with known truth. */
#include <stdio.h>
#include <unistd.h>

#include "app_phantom.h"
#include "commands.h"

typedef struct {
  char *out, *kinds, *format, *split, *seed;
  int count, questions, size, stack;
  gboolean json;
} Arguments;

static void
arguments_clear(Arguments *a)
{
  g_free(a->out);
  g_free(a->kinds);
  g_free(a->format);
  g_free(a->split);
  g_free(a->seed);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

/* A line on a terminal, nothing in a file. */
static gboolean
show_progress(guint64 done, guint64 total, gpointer user)
{
  if (isatty(STDERR_FILENO) && (done % 100 == 0 || done == total)) {
    fprintf(stderr, "\r%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " pictures%s", done, total,
            done == total ? "\n" : "");
  }
  return TRUE;
}

/* FALSE: complained. */
static gboolean
fill_options(const Arguments *a, AppPhantomOptions *options)
{
  static const char *const formats[] = {"dicom", "png", NULL};
  static const char *const splits[] = {"train", "eval", NULL};
  guint format = 0, split = 0;

  if (!a->out) {
    cli_misused("--out is missing: the folder to write to");
    return FALSE;
  }
  if (a->count < 1 || a->questions < 0 || a->size < 1 || a->stack < 0) {
    cli_misused("--count is %d, --questions-per-image %d, --size %d, --stack %d; expected numbers "
                "that are not negative, the count and the size at least 1",
                a->count, a->questions, a->size, a->stack);
    return FALSE;
  }
  if (!cli_parse_choice("format", a->format, formats, &format) ||
      !cli_parse_choice("split", a->split, splits, &split)) {
    return FALSE;
  }
  if (a->seed && !cli_parse_seed(a->seed, &options->seed)) {
    return FALSE;
  }
  options->out = a->out;
  options->count = (guint)a->count;
  options->kinds = a->kinds;
  options->format = format == 0 ? APP_PHANTOM_DICOM : APP_PHANTOM_PNG;
  options->split = split == 0 ? APP_PHANTOM_TRAIN : APP_PHANTOM_EVAL;
  options->questions_per_image = (guint)a->questions;
  options->size = (guint)a->size;
  options->stack = (guint)a->stack;
  return TRUE;
}

static void
print_balance(JsonObject *balance)
{
  g_autoptr(GList) kinds = json_object_get_members(balance);
  for (GList *k = kinds; k; k = k->next) {
    JsonObject *answers = json_object_get_object_member(balance, k->data);
    g_autoptr(GList) names = json_object_get_members(answers);
    g_autoptr(GString) line = g_string_new(NULL);
    for (GList *n = names; n; n = n->next) {
      g_string_append_printf(line, "%s%s %" G_GINT64_FORMAT, line->len ? ", " : "",
                             (const char *)n->data, json_object_get_int_member(answers, n->data));
    }
    cli_print_field(k->data, "%s", line->str);
  }
}

static void
print_report(JsonNode *report)
{
  JsonObject *object = json_node_get_object(report);
  cli_print_field("folder", "%s", json_object_get_string_member(object, "out"));
  cli_print_field("images", "%" G_GINT64_FORMAT, json_object_get_int_member(object, "images"));
  if (json_object_has_member(object, "balance")) {
    cli_print_field("questions", "%" G_GINT64_FORMAT, json_object_get_int_member(object, "turns"));
    cli_print_field("seconds", "%.1f", json_object_get_double_member(object, "seconds"));
    print_balance(json_object_get_object_member(object, "balance"));
  }
}

int
cmd_phantom(int argc, char **argv)
{
  AppPhantomOptions options;
  app_phantom_options_init(&options);
  g_auto(Arguments) a = {.count = (int)options.count,
                         .questions = (int)options.questions_per_image,
                         .size = (int)options.size};
  const GOptionEntry entries[] = {
      {"out", 0, 0, G_OPTION_ARG_FILENAME, &a.out, "Folder to write to", "DIR"},
      {"seed", 0, 0, G_OPTION_ARG_FILENAME, &a.seed, "Seed (default: 1)", "N"},
      {"count", 0, 0, G_OPTION_ARG_INT, &a.count, "Pictures to write (default: 100)", "N"},
      {"kind", 0, 0, G_OPTION_ARG_FILENAME, &a.kinds,
       "Of chest-cr, chest-ct, abdomen-ct, head-ct, with commas (default: all)", "KINDS"},
      {"format", 0, 0, G_OPTION_ARG_FILENAME, &a.format, "dicom or png (default: dicom)", "FORMAT"},
      {"size", 0, 0, G_OPTION_ARG_INT, &a.size, "Pixels a side (default: 256)", "N"},
      {"questions-per-image", 0, 0, G_OPTION_ARG_INT, &a.questions,
       "Questions about each picture at most (default: 6)", "N"},
      {"split", 0, 0, G_OPTION_ARG_FILENAME, &a.split,
       "train (instruct.json) or eval (eval.jsonl, answers exactly balanced)", "SPLIT"},
      {"stack", 0, 0, G_OPTION_ARG_INT, &a.stack, "Instead: one chest CT series of N slices", "N"},
      CLI_JSON_ENTRY(&a.json),
      {NULL}};
  g_autoptr(GError) error = NULL;
  int status;

  if (!cli_parse(&argc, &argv, entries, NULL, "",
                 "Writes synthetic studies with known truth, with captions, questions and answers.",
                 "The same seed gives the same bytes. The two splits of one seed share no picture.",
                 0, 0, &status)) {
    return status;
  }
  if (!fill_options(&a, &options)) {
    return CLI_MISUSED;
  }
  g_autoptr(JsonNode) report = app_phantom_write(&options, show_progress, NULL, &error);
  if (!report) {
    return cli_failed(error);
  }
  if (a.json) {
    cli_print_json(report);
  } else {
    print_report(report);
  }
  return CLI_DONE;
}
