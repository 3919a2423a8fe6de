/* cmd-log-keep.c - hilum log backup|restore */
#include <stdio.h>
#include <string.h>

#include "app_keep.h"
#include "commands.h"

static void
print_copy(JsonObject *object, const char *name)
{
  cli_print_field(name, "%s", cli_text_member(object, name));
  cli_print_field("log", "%s", cli_text_member(object, "log_id"));
  cli_print_field("events", "%" G_GINT64_FORMAT ", all proved",
                  json_object_get_int_member(object, "events"));
  cli_print_field("root", "%s", cli_text_member(object, "root"));
}

/* What opens the copy's texts, and where that is. */
static void
tell_of_key(JsonObject *object)
{
  const char *protection = cli_text_member(object, "protection");

  if (json_object_get_boolean_member(object, "with_key")) {
    cli_note("the copy holds the key that opens it: it is as secret as the texts");
  } else if (strcmp(protection, "file") == 0) {
    cli_note("the copy opens only with LOG.key, which is not in it: keep that elsewhere");
  } else if (strcmp(protection, "keyring") == 0) {
    cli_note("the copy opens only with the key in this user's keyring, which is not in it");
  } else {
    cli_note("the copy opens with the log's passphrase");
  }
}

int
cmd_log_backup(int argc, char **argv)
{
  g_autofree char *log = NULL, *out = NULL;
  gboolean json = FALSE, with_key = FALSE;
  int status = CLI_DONE;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  const GOptionEntry entries[] = {
      {"log", 0, 0, G_OPTION_ARG_FILENAME, &log, "The log (default: the user's own)", "PATH"},
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &out, "The folder to make", "FOLDER"},
      {"with-key", 0, 0, G_OPTION_ARG_NONE, &with_key,
       "Copy LOG.key, too: the copy is as secret as the texts then", NULL},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print one JSON object", NULL},
      {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, NULL,
                 "Copies the log, with its keys and checkpoints, while it is used. The copy is "
                 "proved before it counts.",
                 NULL, 0, 0, &status)) {
    return status;
  }
  if (!out) {
    return cli_misused("--out is needed: the folder to make");
  }
  cli_catch_interrupt();
  node = app_log_backup(log, out, with_key, cli_show_percent, NULL, &error);
  cli_clear_percent();
  if (!node) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(node);
  } else {
    print_copy(json_node_get_object(node), "out");
  }
  tell_of_key(json_node_get_object(node));
  return CLI_DONE;
}

int
cmd_log_restore(int argc, char **argv)
{
  g_autofree char *log = NULL;
  gboolean json = FALSE;
  int status = CLI_DONE;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  const GOptionEntry entries[] = {
      {"log", 0, 0, G_OPTION_ARG_FILENAME, &log,
       "Where it is set: no log may be there (default: the user's own place)", "PATH"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print one JSON object", NULL},
      {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, "FOLDER",
                 "Proves a copy of 'hilum log backup' and sets it in its place. No log is ever "
                 "overwritten.",
                 NULL, 1, 1, &status)) {
    return status;
  }
  node = app_log_restore(argv[1], log, &error);
  if (!node) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(node);
  } else {
    print_copy(json_node_get_object(node), "log");
  }
  if (!json_object_get_boolean_member(json_node_get_object(node), "with_key")) {
    cli_note("LOG.key was not in the copy: put it beside the log, unless its key is in the keyring "
             "or a passphrase");
  }
  return CLI_DONE;
}
