/* log-retain.c - hilum log retain|retire */
#include <stdio.h>

#include "app_rotate.h"
#include "commands.h"

static void
print_retention(JsonObject *object)
{
  JsonArray *over = json_object_get_array_member(object, "over");

  cli_print_field("keep", "%" G_GINT64_FORMAT " years from when a log was sealed%s",
                  json_object_get_int_member(object, "years"),
                  json_object_get_boolean_member(object, "set") ? "" : " (not set: the usual)");
  cli_print_field("duty", "%s", cli_text_member(object, "duty"));
  for (guint i = 0; i < json_array_get_length(over); i++) {
    cli_print_field("over", "%s", json_array_get_string_element(over, i));
  }
}

int
cmd_log_retain(int argc, char **argv)
{
  g_autofree char *log = NULL;
  gboolean json = FALSE;
  int years = 0, status = CLI_DONE;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  JsonObject *object;
  const GOptionEntry entries[] = {
      CLI_LOG_ENTRY(&log),
      {"years", 0, 0, G_OPTION_ARG_INT, &years, "Keep for N years from now on", "N"},
      CLI_JSON_ENTRY(&json),
      {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, NULL,
                 "Shows, or sets, how long sealed logs are kept, and for which that is over. "
                 "Nothing is ever removed by itself.",
                 NULL, 0, 0, &status)) {
    return status;
  }
  if (years < 0 || years > 200) {
    return cli_misused("--years is %d; expected 1 to 200", years);
  }
  node = app_log_retain(log, (guint)years, &error);
  if (!node) {
    return cli_failed(error);
  }
  object = json_node_get_object(node);
  if (json) {
    cli_print_json(node);
  } else {
    print_retention(object);
  }
  if (json_object_get_int_member(object, "years") <
      json_object_get_int_member(object, "usual_years")) {
    cli_note("that is shorter than the longest duty that Hilum knows of: %s",
             cli_text_member(object, "duty"));
  }
  return CLI_DONE;
}

int
cmd_log_retire(int argc, char **argv)
{
  g_autofree char *log = NULL, *reason = NULL;
  gboolean json = FALSE, sure = FALSE;
  int status = CLI_DONE;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  const GOptionEntry entries[] = {
      CLI_LOG_ENTRY(&log),
      {"reason", 0, 0, G_OPTION_ARG_STRING, &reason, "Kept in the log; names no patient", "TEXT"},
      {"for-ever", 0, 0, G_OPTION_ARG_NONE, &sure, "Yes: nobody can undo it", NULL},
      CLI_JSON_ENTRY(&json),
      {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, "SEALED-LOG",
                 "Removes a sealed log whose time is over: its keys are destroyed, then its files. "
                 "The log that goes on keeps what it was: how many events, and their root.",
                 NULL, 1, 1, &status)) {
    return status;
  }
  if (!reason || !*reason || !sure) {
    return cli_misused("--reason and --for-ever are needed: it cannot be undone");
  }
  node = app_log_retire(log, argv[1], reason, &error);
  if (!node) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(node);
  } else {
    printf("removed %s\n", argv[1]);
  }
  return CLI_DONE;
}
