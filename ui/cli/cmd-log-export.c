/* cmd-log-export.c - hilum log export */
#include <stdio.h>
#include <unistd.h>

#include "app_export.h"
#include "commands.h"

typedef struct {
  AppExportOptions options; /* strings borrowed from the fields below */
  char *log, *format, *out, *since, *until, *patient;
  char **conversations, **studies;
  GArray *ids; /* of gint64 */
  gboolean json, text, no_text;
} Arguments;

static void
arguments_clear(Arguments *a)
{
  g_free(a->log);
  g_free(a->format);
  g_free(a->out);
  g_free(a->since);
  g_free(a->until);
  g_free(a->patient);
  g_strfreev(a->conversations);
  g_strfreev(a->studies);
  g_clear_pointer(&a->ids, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

static gboolean
show_progress(guint64 done, guint64 total, gpointer user)
{
  if (isatty(STDERR_FILENO) && total > 100 && done % 100 == 0) {
    fprintf(stderr, "\r%3d %% ", (int)(100 * done / total));
  }
  return !cli_is_interrupted();
}

/* FALSE: complained. */
static gboolean
fill_ids(Arguments *a)
{
  a->ids = g_array_new(FALSE, FALSE, sizeof(gint64));
  for (char **text = a->conversations; text && *text; text++) {
    guint64 id;
    if (!g_ascii_string_to_unsigned(*text, 10, 1, G_MAXINT64, &id, NULL)) {
      cli_misused("--conversation: '%s' is not the ID of a conversation; 'hilum log list' shows "
                  "them",
                  *text);
      return FALSE;
    }
    g_array_append_val(a->ids, id);
  }
  return TRUE;
}

static gboolean
fill_options(Arguments *a)
{
  static const char *const patients[] = {"none", "pseudonym", "full", NULL};
  guint patient = APP_PATIENT_NONE;

  if (!a->format || !a->out || !*a->out) {
    cli_misused("--format and --out are needed: what to write, and the folder to write it to");
    return FALSE;
  }
  if (a->text && a->no_text) {
    cli_misused("--text and --no-text contradict each other");
    return FALSE;
  }
  if (!cli_parse_choice("--patient", a->patient, patients, &patient) || !fill_ids(a)) {
    return FALSE;
  }
  a->options = (AppExportOptions){
      .log_path = a->log,
      .format = a->format,
      .out = a->out,
      .conversations = (const gint64 *)(gpointer)a->ids->data,
      .n_conversations = a->ids->len,
      .studies = (const char *const *)a->studies,
      .since = a->since,
      .until = a->until,
      .text = a->text,
      .patient = (AppPatient)patient,
  };
  return TRUE;
}

static void
print_report(JsonNode *node)
{
  JsonObject *o = json_node_get_object(node);
  JsonArray *files = json_object_get_array_member(o, "files");

  cli_print_field("written", "%s", cli_text_member(o, "out"));
  cli_print_field("of the log",
                  "%" G_GINT64_FORMAT " conversations, %" G_GINT64_FORMAT
                  " turns, %" G_GINT64_FORMAT " events",
                  json_object_get_int_member(o, "conversations"),
                  json_object_get_int_member(o, "turns"), json_object_get_int_member(o, "events"));
  for (guint i = 0; i < json_array_get_length(files); i++) {
    JsonObject *file = json_array_get_object_element(files, i);
    cli_print_field(cli_text_member(file, "name"), "%" G_GINT64_FORMAT " bytes",
                    json_object_get_int_member(file, "bytes"));
    cli_print_field("", "sha256 %s", cli_text_member(file, "sha256"));
  }
  cli_print_field("left out", "%" G_GINT64_FORMAT " (manifest.json says what and why)",
                  json_object_get_int_member(o, "left_out"));
}

/* g_free(). */
static char *
describe(void)
{
  GString *text = g_string_new("Formats:\n");
  const char *name;

  for (guint i = 0; (name = app_export_format_name(i)); i++) {
    g_string_append_printf(text, "  %-17s %s\n", name, app_export_format_summary(i));
  }
  g_string_append(
      text,
      "\nThe folder appears whole or not at all, with manifest.json: hashes of all files, the\n"
      "head of the log, and what was left out. The export is an event in the log.\n"
      "Without --text nothing of what was asked and answered leaves, since it may name a\n"
      "patient, and without --patient no identifier, name, UID, path or date of a study.\n"
      "Audit messages never hold texts, only keyed hashes of them.");
  return g_string_free(text, FALSE);
}

int
cmd_log_export(int argc, char **argv)
{
  g_auto(Arguments) a = {0};
  g_autofree char *description = describe();
  const GOptionEntry entries[] = {
      {"format", 'f', 0, G_OPTION_ARG_FILENAME, &a.format, "What to write; see below", "FORMAT"},
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &a.out, "Folder to make", "DIR"},
      {"conversation", 'c', 0, G_OPTION_ARG_FILENAME_ARRAY, &a.conversations,
       "This conversation alone; may be given several times (default: all)", "ID"},
      {"study", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &a.studies,
       "Turns on images of this study alone; may be given several times", "UID"},
      {"since", 0, 0, G_OPTION_ARG_FILENAME, &a.since, "From this day on (UTC)", "DATE"},
      {"until", 0, 0, G_OPTION_ARG_FILENAME, &a.until, "To the end of this day (UTC)", "DATE"},
      {"text", 0, 0, G_OPTION_ARG_NONE, &a.text,
       "With what was asked and answered, which may name a patient", NULL},
      {"no-text", 0, 0, G_OPTION_ARG_NONE, &a.no_text, "Without it (the default)", NULL},
      {"patient", 0, 0, G_OPTION_ARG_FILENAME, &a.patient,
       "What to tell of patients: none (the default), pseudonym (keyed hashes in the place of "
       "identifiers and UIDs), full",
       "WHAT"},
      CLI_LOG_ENTRY(&a.log),
      CLI_JSON_ENTRY(&a.json),
      {NULL}};
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  int status;

  if (!cli_parse(&argc, &argv, entries, NULL, NULL,
                 "Writes conversations or events of the log for others to read.", description, 0, 0,
                 &status)) {
    return status;
  }
  if (!fill_options(&a)) {
    return CLI_MISUSED;
  }
  cli_catch_interrupt();
  node = app_export(&a.options, show_progress, NULL, &error);
  if (!node) {
    return cli_failed(error);
  }
  if (a.json) {
    cli_print_json(node);
  } else {
    print_report(node);
  }
  return CLI_DONE;
}
