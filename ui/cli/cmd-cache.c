/* cmd-cache.c - hilum cache list|clear */
#include <stdio.h>

#include "app_cache.h"
#include "commands.h"

static void
print_table(JsonArray *rows, const char *folder)
{
  gint64 total = 0;

  for (guint i = 0; i < json_array_get_length(rows); i++) {
    total += json_object_get_int_member(json_array_get_object_element(rows, i), "bytes");
  }
  cli_note("%s: %u files, %.1f MiB%s", folder, json_array_get_length(rows),
           (double)total / (1 << 20), app_cache_is_off() ? "; switched off" : "");
  if (json_array_get_length(rows) == 0) {
    return;
  }
  printf("%-20s  %-10s  %12s  %s\n", "USED", "KIND", "BYTES", "FILE");
  for (guint i = 0; i < json_array_get_length(rows); i++) {
    JsonObject *row = json_array_get_object_element(rows, i);
    printf("%-20s  %-10s  %12" G_GINT64_FORMAT "  %s\n", cli_text_member(row, "used"),
           cli_text_member(row, "kind"), json_object_get_int_member(row, "bytes"),
           cli_text_member(row, "file"));
  }
}

static gboolean
parse(int *argc, char ***argv, char **log, gboolean *json, const char *summary, int *status)
{
  const GOptionEntry entries[] = {CLI_LOG_ENTRY(log), CLI_JSON_ENTRY(json), {NULL}};

  return cli_parse(argc, argv, entries, NULL, NULL, summary,
                   "Encoded pictures, and what was computed behind them, lie beside the log, in a "
                   "folder\nof its name with \".cache\" behind it.",
                   0, 0, status);
}

static int
cmd_list(int argc, char **argv)
{
  g_autofree char *log = NULL;
  gboolean json = FALSE;
  int status;

  if (!parse(&argc, &argv, &log, &json, "What is kept on disk to save computing it again.",
             &status)) {
    return status;
  }
  g_autofree char *folder = app_cache_folder(log);
  g_autoptr(JsonNode) node = app_cache_list(log);
  JsonArray *rows = json_node_get_array(node);
  for (guint i = 0; i < json_array_get_length(rows) && json; i++) {
    cli_print_json(json_array_get_element(rows, i));
  }
  if (!json) {
    print_table(rows, folder);
  }
  return CLI_DONE;
}

static int
cmd_clear(int argc, char **argv)
{
  g_autofree char *log = NULL;
  gboolean json = FALSE;
  int status;
  guint n_files;
  guint64 n_bytes;
  g_autoptr(GError) error = NULL;

  if (!parse(&argc, &argv, &log, &json, "Erases what is kept on disk to save computing it again.",
             &status)) {
    return status;
  }
  g_autofree char *folder = app_cache_folder(log);
  if (!app_cache_clear(log, &n_files, &n_bytes, &error)) {
    return cli_failed(error);
  }
  if (json) {
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "folder", folder);
    json_object_set_int_member(object, "files", n_files);
    json_object_set_int_member(object, "bytes", (gint64)n_bytes);
    json_node_take_object(node, object);
    cli_print_json(node);
  } else {
    cli_note("%s: %u files erased, %.1f MiB", folder, n_files, (double)n_bytes / (1 << 20));
  }
  return CLI_DONE;
}

int
cmd_cache(int argc, char **argv)
{
  static const CliCommand commands[] = {
      {"list", "list the files, newest first", cmd_list},
      {"clear", "erase them", cmd_clear},
      {NULL, NULL, NULL},
  };

  return cli_dispatch("hilum cache",
                      "Sees and erases what was kept on disk to save computing it again.", commands,
                      argc, argv);
}
