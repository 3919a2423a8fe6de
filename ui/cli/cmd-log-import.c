/* cmd-log-import.c - hilum log import, send and consent */
#include <stdio.h>
#include <unistd.h>

#include "app_export.h"
#include "commands.h"

static gboolean
go_on(guint64 done, guint64 total, gpointer user)
{
  if (isatty(STDERR_FILENO) && total > 100 && done % 100 == 0) {
    fprintf(stderr, "\r%3d %% ", (int)(100 * done / total));
  }
  return !cli_is_interrupted();
}

int
cmd_log_import(int argc, char **argv)
{
  g_autofree char *log = NULL;
  gboolean json = FALSE;
  int status;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  const GOptionEntry entries[] = {CLI_LOG_ENTRY(&log), CLI_JSON_ENTRY(&json), {NULL}};

  if (!cli_parse(
          &argc, &argv, entries, NULL, "DIR",
          "Takes the conversations of an export into the log, marked as imported.",
          "DIR is what 'hilum log export --format jsonl --text' wrote. All of it is checked\n"
          "against its manifest first; where anything does not fit, nothing is imported.\n"
          "Conversations that were imported before are skipped. Images keep their paths:\n"
          "to go on with a conversation they must lie there.",
          1, 1, &status)) {
    return status;
  }
  cli_catch_interrupt();
  node = app_import(log, argv[1], go_on, NULL, &error);
  if (!node) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(node);
  } else {
    JsonObject *o = json_node_get_object(node);
    cli_print_field("imported",
                    "%" G_GINT64_FORMAT " conversations, %" G_GINT64_FORMAT
                    " turns; %" G_GINT64_FORMAT " conversations were there already",
                    json_object_get_int_member(o, "conversations"),
                    json_object_get_int_member(o, "turns"),
                    json_object_get_int_member(o, "skipped"));
    cli_print_field("from", "%s", cli_text_member(o, "origin"));
  }
  return CLI_DONE;
}

int
cmd_log_send(int argc, char **argv)
{
  static const char *const patients[] = {"none", "pseudonym", "full", NULL};
  g_autofree char *log = NULL, *to = NULL, *ca = NULL, *patient = NULL;
  gboolean json = FALSE;
  guint told = APP_PATIENT_NONE;
  int status;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  AppSendOptions options;
  const GOptionEntry entries[] = {
      {"to", 0, 0, G_OPTION_ARG_FILENAME, &to,
       "Syslog server: tls://HOST:PORT (RFC 5425) or tcp://HOST:PORT (RFC 6587)", "ADDRESS"},
      {"ca", 0, 0, G_OPTION_ARG_FILENAME, &ca,
       "Certificate of the authority that vouches for the server (default: the system's)", "FILE"},
      {"patient", 0, 0, G_OPTION_ARG_FILENAME, &patient,
       "What to tell of patients: none (the default), pseudonym, full", "WHAT"},
      CLI_LOG_ENTRY(&log),
      CLI_JSON_ENTRY(&json),
      {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, NULL,
                 "Sends audit messages of new events to a syslog server: THEY LEAVE THIS MACHINE.",
                 "DICOM PS3.15 A.5 messages, framed as RFC 5424. They hold no text that was asked\n"
                 "or answered. How far the sending came is kept beside the log, so that the next\n"
                 "call goes on there. Nothing is ever sent unless this command is given.",
                 0, 0, &status)) {
    return status;
  }
  if (!to) {
    return cli_misused("--to says where to; it is missing");
  }
  if (!cli_parse_choice("--patient", patient, patients, &told)) {
    return CLI_MISUSED;
  }
  options = (AppSendOptions){log, to, ca, (AppPatient)told};
  cli_catch_interrupt();
  node = app_log_send(&options, go_on, NULL, &error);
  if (!node) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(node);
  } else {
    JsonObject *o = json_node_get_object(node);
    cli_print_field("sent", "%" G_GINT64_FORMAT " messages, up to event %" G_GINT64_FORMAT,
                    json_object_get_int_member(o, "sent"), json_object_get_int_member(o, "last"));
  }
  return CLI_DONE;
}

int
cmd_log_consent(int argc, char **argv)
{
  g_autofree char *log = NULL;
  gboolean json = FALSE, give = FALSE, withdraw = FALSE;
  int status;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  const GOptionEntry entries[] = {
      {"give", 0, 0, G_OPTION_ARG_NONE, &give, "Consent, in the name of whoever is logged in",
       NULL},
      {"withdraw", 0, 0, G_OPTION_ARG_NONE, &withdraw, "Take consent back", NULL},
      CLI_LOG_ENTRY(&log),
      CLI_JSON_ENTRY(&json),
      {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, NULL,
                 "Whether answers of this log may become a training set.",
                 "Says how it stands, or with --give or --withdraw records a change, which is an\n"
                 "event of the log like any other. 'hilum log export --format llava' needs it.",
                 0, 0, &status)) {
    return status;
  }
  if (give && withdraw) {
    return cli_misused("--give and --withdraw contradict each other");
  }
  node = give || withdraw ? app_log_set_consent(log, give, &error) : app_log_consent(log, &error);
  if (!node) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(node);
  } else {
    JsonObject *o = json_node_get_object(node);
    cli_print_field("consent", "%s",
                    json_object_get_boolean_member(o, "given") ? "given" : "not given");
    cli_print_field("by", "%s", cli_text_member(o, "by"));
    cli_print_field("time", "%s", cli_text_member(o, "time"));
  }
  return CLI_DONE;
}
