/* cmd-log-recover.c - hilum log recover */
#include <stdio.h>

#include "app_recover.h"
#include "commands.h"

static void
print_lost(JsonObject *report)
{
  if (json_object_get_int_member(report, "events_lost") > 0) {
    cli_print_field("lost", "%" G_GINT64_FORMAT " events: %s",
                    json_object_get_int_member(report, "events_lost"),
                    cli_text_member(report, "lost"));
  }
  if (json_object_get_int_member(report, "events_unreadable") > 0) {
    cli_print_field("unreadable", "%" G_GINT64_FORMAT " events",
                    json_object_get_int_member(report, "events_unreadable"));
  }
  if (json_object_get_int_member(report, "events_unproved") > 0) {
    cli_print_field("unproved", "%" G_GINT64_FORMAT " events, changed or out of their place",
                    json_object_get_int_member(report, "events_unproved"));
  }
  if (json_object_get_int_member(report, "texts_lost") > 0) {
    cli_print_field("texts lost", "%" G_GINT64_FORMAT,
                    json_object_get_int_member(report, "texts_lost"));
  }
  if (json_object_get_int_member(report, "texts_erased") > 0) {
    cli_print_field("texts erased", "%" G_GINT64_FORMAT ", as before",
                    json_object_get_int_member(report, "texts_erased"));
  }
  if (json_object_get_int_member(report, "placeholders") > 0) {
    cli_print_field("stand for lost ones", "%" G_GINT64_FORMAT " rows",
                    json_object_get_int_member(report, "placeholders"));
  }
}

static void
print_report(JsonObject *report)
{
  cli_print_field("found", "%s", cli_text_member(report, "found"));
  cli_print_field("set aside", "%s", cli_text_member(report, "set_aside"));
  cli_print_field("new log", "%s", cli_text_member(report, "log_id"));
  cli_print_field("goes on from", "%s", cli_text_member(report, "previous_log_id"));
  cli_print_field("recovered",
                  "%" G_GINT64_FORMAT " events, with %" G_GINT64_FORMAT
                  " conversations and %" G_GINT64_FORMAT " turns",
                  json_object_get_int_member(report, "events_recovered"),
                  json_object_get_int_member(report, "conversations"),
                  json_object_get_int_member(report, "turns"));
  cli_print_field("signed before", "the first %" G_GINT64_FORMAT " events",
                  json_object_get_int_member(report, "last_proved_event"));
  print_lost(report);
}

void
cmd_log_note_newer(const char *path)
{
  g_autofree char *newer = app_log_newer(path);

  if (newer) {
    cli_note("%s", newer);
  }
}

int
cmd_log_recover(int argc, char **argv)
{
  g_autofree char *log = NULL;
  gboolean json = FALSE;
  int status = CLI_DONE;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  JsonObject *report;
  const GOptionEntry entries[] = {CLI_LOG_ENTRY(&log), CLI_JSON_ENTRY(&json), {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, NULL,
                 "Sets a damaged log aside, with all its files and under a dated name, and makes a "
                 "new one in its place of all that can be read. Nothing is overwritten; a log that "
                 "is whole stays as it is.",
                 NULL, 0, 0, &status)) {
    return status;
  }
  cli_catch_interrupt();
  node = app_log_recover(log, cli_show_percent, NULL, &error);
  cli_clear_percent();
  if (!node) {
    return cli_failed(error);
  }
  report = json_node_get_object(node);
  if (json) {
    cli_print_json(node);
  } else if (json_object_get_boolean_member(report, "recovered")) {
    print_report(report);
  }
  if (!json_object_get_boolean_member(report, "recovered")) {
    cli_note("the log is whole: there is nothing to recover, and nothing was changed");
  }
  return CLI_DONE;
}
