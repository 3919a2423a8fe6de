/* cmd-log-proof.c - hilum log verify|checkpoint|prove|check-proof|erase|protect */
#include <stdio.h>

#include "app_proof.h"
#include "app_rotate.h"
#include "commands.h"

/* The logs that it goes on from. */
static void
print_linked(JsonObject *report)
{
  JsonArray *linked = json_object_has_member(report, "linked")
                          ? json_object_get_array_member(report, "linked")
                          : NULL;

  for (guint i = 0; linked && i < json_array_get_length(linked); i++) {
    JsonObject *link = json_array_get_object_element(linked, i);
    const gboolean whole = json_object_get_boolean_member(link, "whole");
    cli_print_field("goes on from", "%s, %" G_GINT64_FORMAT " events: %s",
                    cli_text_member(link, "file"), json_object_get_int_member(link, "events"),
                    whole ? cli_text_member(link, "state") : cli_text_member(link, "found"));
  }
}

static void
print_report(JsonObject *report)
{
  const gint64 left = json_object_get_int_member(report, "unsigned_events");

  cli_print_field("log", "%s", cli_text_member(report, "log_id"));
  cli_print_field("events", "%" G_GINT64_FORMAT, json_object_get_int_member(report, "events"));
  cli_print_field("root", "%s", cli_text_member(report, "root"));
  cli_print_field(
      "checkpoints", "%" G_GINT64_FORMAT ", the last over %" G_GINT64_FORMAT " events%s%s",
      json_object_get_int_member(report, "checkpoints"),
      json_object_get_int_member(report, "signed_events"),
      *cli_text_member(report, "signed_at") != '-' ? ", " : "",
      *cli_text_member(report, "signed_at") != '-' ? cli_text_member(report, "signed_at") : "");
  if (json_object_get_int_member(report, "kept_checkpoints") > 0) {
    cli_print_field("kept elsewhere", "%" G_GINT64_FORMAT " checkpoints",
                    json_object_get_int_member(report, "kept_checkpoints"));
  }
  if (left > 0) {
    cli_print_field("not signed yet", "the last %" G_GINT64_FORMAT, left);
  }
  if (json_object_get_int_member(report, "clock_back") > 0) {
    cli_print_field("clock",
                    "set back %" G_GINT64_FORMAT " times, first before event %" G_GINT64_FORMAT,
                    json_object_get_int_member(report, "clock_back"),
                    json_object_get_int_member(report, "clock_back_first"));
  }
  if (json_object_get_boolean_member(report, "cut")) {
    cli_print_field("checkpoints", "one was cut short while it was written");
  }
  print_linked(report);
  cli_print_field("result", "%s",
                  json_object_get_boolean_member(report, "whole") ? "whole" : "NOT WHOLE");
  if (!json_object_get_boolean_member(report, "whole")) {
    cli_print_field("found", "%s", cli_text_member(report, "found"));
    cli_note("'hilum log recover' sets the log aside and saves what can be read");
  }
}

int
cmd_log_verify(int argc, char **argv)
{
  g_autofree char *log = NULL, *key = NULL, *kept = NULL;
  gboolean json = FALSE, this_only = FALSE;
  int status = CLI_DONE;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  const GOptionEntry entries[] = {
      {"log", 0, 0, G_OPTION_ARG_FILENAME, &log, "The log (default: the user's own)", "PATH"},
      {"key", 0, 0, G_OPTION_ARG_FILENAME, &key,
       "A copy of LOG.pub that was kept elsewhere (default: LOG.pub beside the log)", "FILE"},
      {"checkpoint", 0, 0, G_OPTION_ARG_FILENAME, &kept,
       "Checkpoints that were kept elsewhere: of 'hilum log checkpoint', a copy of LOG.head, a "
       "proof, or an export's manifest.json",
       "FILE"},
      {"this-only", 0, 0, G_OPTION_ARG_NONE, &this_only,
       "Leave the sealed logs that it goes on from", NULL},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print one JSON object", NULL},
      {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, NULL,
                 "Proves that no event of the log was changed, removed or put in.", NULL, 0, 0,
                 &status)) {
    return status;
  }
  cli_catch_interrupt();
  node = (this_only ? app_log_verify : app_log_verify_all)(log, key, kept, cli_show_percent, NULL,
                                                           &error);
  cli_clear_percent();
  if (!node) {
    return cli_failed(error);
  }
  cmd_log_note_newer(log);
  if (json) {
    cli_print_json(node);
  } else {
    print_report(json_node_get_object(node));
  }
  return json_object_get_boolean_member(json_node_get_object(node), "whole") ? CLI_DONE
                                                                             : CLI_FAILED;
}

int
cmd_log_checkpoint(int argc, char **argv)
{
  g_autofree char *log = NULL;
  gboolean json = FALSE, journal = FALSE;
  int status = CLI_DONE;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  const GOptionEntry entries[] = {
      {"log", 0, 0, G_OPTION_ARG_FILENAME, &log, "The log (default: the user's own)", "PATH"},
      {"journal", 0, 0, G_OPTION_ARG_NONE, &journal, "Give it to the system's journal, too", NULL},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print one JSON object", NULL},
      {NULL}};

  if (!cli_parse(
          &argc, &argv, entries, NULL, NULL,
          "Signs how the log stands now and prints that, to be kept where nobody who can "
          "write the log's folder can change it.",
          "'hilum log verify --checkpoint FILE' holds it against the log later, and so finds "
          "an older copy of all its files. It names no patient.",
          0, 0, &status)) {
    return status;
  }
  node = app_log_checkpoint(log, journal, &error);
  if (!node) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(node);
  } else {
    printf("%s\n", cli_text_member(json_node_get_object(node), "checkpoint"));
  }
  return CLI_DONE;
}

static gboolean
read_id(const char *text, gint64 *id)
{
  guint64 value = 0;

  if (!g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT64, &value, NULL)) {
    cli_misused("'%s' is not the ID of a conversation; 'hilum log list' shows them", text);
    return FALSE;
  }
  *id = (gint64)value;
  return TRUE;
}

int
cmd_log_prove(int argc, char **argv)
{
  g_autofree char *log = NULL, *out = NULL;
  gboolean json = FALSE;
  gint64 id = 0;
  int status = CLI_DONE;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  const GOptionEntry entries[] = {
      {"log", 0, 0, G_OPTION_ARG_FILENAME, &log, "The log (default: the user's own)", "PATH"},
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &out, "The file to write", "FILE"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print one JSON object", NULL},
      {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, "ID",
                 "Writes one conversation with the proof that it stands in the log as it was "
                 "signed. The file holds its texts, and those of no other.",
                 NULL, 1, 1, &status)) {
    return status;
  }
  if (!out) {
    return cli_misused("--out is needed: the file to write");
  }
  if (!read_id(argv[1], &id)) {
    return CLI_MISUSED;
  }
  node = app_log_prove(log, id, out, &error);
  if (!node) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(node);
  } else {
    printf("%s\n", out);
  }
  return CLI_DONE;
}

static void
print_event(JsonObject *event)
{
  JsonNode *text = json_object_get_member(event, "text");
  g_autofree char *kept = JSON_NODE_HOLDS_OBJECT(text) ? app_json_text(text) : NULL;
  g_autofree char *body = app_json_text(json_object_get_member(event, "body"));

  cli_print_field("event", "%" G_GINT64_FORMAT ", %s, %s",
                  json_object_get_int_member(event, "number"), cli_text_member(event, "kind"),
                  cli_text_member(event, "time"));
  cli_print_field("", "%s", body);
  if (kept) {
    cli_print_field("", "%s", kept);
  }
}

int
cmd_log_check_proof(int argc, char **argv)
{
  g_autofree char *key = NULL;
  gboolean json = FALSE;
  int status = CLI_DONE;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  JsonArray *events;
  const GOptionEntry entries[] = {
      {"key", 0, 0, G_OPTION_ARG_FILENAME, &key, "LOG.pub of the log that the proof is of", "FILE"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print one JSON object", NULL},
      {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, "FILE",
                 "Checks a proof of 'hilum log prove' with nothing but the log's public key.", NULL,
                 1, 1, &status)) {
    return status;
  }
  if (!key) {
    return cli_misused("--key is needed: LOG.pub of the log, from somebody whom you trust");
  }
  node = app_log_check_proof(argv[1], key, &error);
  if (!node) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(node);
    return CLI_DONE;
  }
  events = json_object_get_array_member(json_node_get_object(node), "events");
  for (guint i = 0; i < json_array_get_length(events); i++) {
    print_event(json_array_get_object_element(events, i));
  }
  cli_print_field("result", "valid: these events were signed as they stand here");
  return CLI_DONE;
}

/* An erasure is lawful or not whatever the program thinks of it; what it knows of is said. */
static void
tell_of_duty(JsonObject *object)
{
  const char *until = cli_text_member(object, "to_be_kept_until");
  const char *left = cli_text_member(object, "left");

  if (*until != '-') {
    cli_note("the duty to keep these texts (%d years, until %.10s) had not ended; the log says so",
             (int)json_object_get_int_member(object, "retention_years"), until);
  }
  if (*left != '-') {
    cli_note("not reached, and as it was: %s", left);
  }
}

int
cmd_log_erase(int argc, char **argv)
{
  g_autofree char *log = NULL, *reason = NULL, *of = NULL;
  gboolean json = FALSE, sure = FALSE, leave = FALSE;
  gint64 id = 0;
  AppErasure erasure = {0};
  int status = CLI_DONE;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  const GOptionEntry entries[] = {
      {"log", 0, 0, G_OPTION_ARG_FILENAME, &log, "The log (default: the user's own)", "PATH"},
      {"reason", 0, 0, G_OPTION_ARG_STRING, &reason, "Kept in the log; names no patient", "TEXT"},
      {"for-ever", 0, 0, G_OPTION_ARG_NONE, &sure, "Yes: nobody can undo it", NULL},
      {"of", 0, 0, G_OPTION_ARG_FILENAME, &of,
       "The sealed log that the conversation is of (default: the log itself)", "SEALED-LOG"},
      {"leave-missing", 0, 0, G_OPTION_ARG_NONE, &leave,
       "Leave sealed logs as they are that cannot be reached", NULL},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print one JSON object", NULL},
      {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, "ID",
                 "Erases the keys of the patients whom a conversation is about: all texts about "
                 "them, in the log and in those that it goes on from, are unreadable from then "
                 "on. Proofs stay whole.",
                 NULL, 1, 1, &status)) {
    return status;
  }
  if (!reason || !*reason || !sure) {
    return cli_misused("--reason and --for-ever are needed: it cannot be undone");
  }
  if (!read_id(argv[1], &id)) {
    return CLI_MISUSED;
  }
  erasure = (AppErasure){reason, of, leave};
  node = app_log_erase_all(log, id, &erasure, &error);
  if (!node) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(node);
  } else {
    printf("%d keys erased\n",
           (int)json_object_get_int_member(json_node_get_object(node), "subjects"));
  }
  tell_of_duty(json_node_get_object(node));
  return CLI_DONE;
}

int
cmd_log_protect(int argc, char **argv)
{
  g_autofree char *log = NULL;
  gboolean json = FALSE;
  int status = CLI_DONE;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  const GOptionEntry entries[] = {
      {"log", 0, 0, G_OPTION_ARG_FILENAME, &log, "The log (default: the user's own)", "PATH"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print one JSON object", NULL},
      {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, "file|passphrase|keyring",
                 "Says where the key that opens the log's texts is kept from now on.", NULL, 1, 1,
                 &status)) {
    return status;
  }
  node = app_log_protect(log, argv[1], &error);
  if (!node) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(node);
  } else {
    printf("%s\n", cli_text_member(json_node_get_object(node), "protection"));
  }
  return CLI_DONE;
}
