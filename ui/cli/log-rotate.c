/* log-rotate.c - hilum log rotate */
#include <stdio.h>
#include <string.h>

#include "app_rotate.h"
#include "commands.h"

static void
print_link(JsonObject *link)
{
  g_autofree char *begun = g_strndup(cli_text_member(link, "begun"), 10);
  g_autofree char *sealed = g_strndup(cli_text_member(link, "sealed_at"), 10);
  g_autofree char *kept = g_strndup(cli_text_member(link, "kept_until"), 10);
  g_autofree char *size = g_format_size((guint64)json_object_get_int_member(link, "bytes"));

  printf("%4" G_GINT64_FORMAT "  %9" G_GINT64_FORMAT "  %-10s  %-10s  %-10s  %10s  %-10s  %s\n",
         json_object_get_int_member(link, "number"), json_object_get_int_member(link, "events"),
         begun, sealed, kept, size, cli_text_member(link, "state"), cli_text_member(link, "file"));
}

static int
list(const char *log, gboolean json)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = app_log_links(log, &error);
  JsonArray *links;

  if (!node) {
    return cli_failed(error);
  }
  links = json_node_get_array(node);
  if (!json) {
    printf("%4s  %9s  %-10s  %-10s  %-10s  %10s  %-10s  %s\n", "NO", "EVENTS", "BEGUN", "SEALED",
           "KEEP TILL", "SIZE", "STATE", "FILE");
  }
  for (guint i = 0; i < json_array_get_length(links); i++) {
    if (json) {
      cli_print_json(json_array_get_element(links, i));
    } else {
      print_link(json_array_get_object_element(links, i));
    }
  }
  return CLI_DONE;
}

static void
print_rotated(JsonObject *object)
{
  if (!json_object_get_boolean_member(object, "rotated")) {
    printf("not due\n");
    return;
  }
  cli_print_field("sealed", "%s", cli_text_member(object, "file"));
  cli_print_field("log", "%s", cli_text_member(object, "log_id"));
  cli_print_field("events", "%" G_GINT64_FORMAT, json_object_get_int_member(object, "events"));
  cli_print_field("root", "%s", cli_text_member(object, "root"));
  cli_print_field("goes on in", "%s", cli_text_member(object, "log"));
}

int
cmd_log_rotate(int argc, char **argv)
{
  g_autofree char *log = NULL;
  gboolean json = FALSE, only_list = FALSE, new_year = FALSE;
  double larger = 0;
  int status = CLI_DONE;
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  AppRotateWhen when = {0};
  const GOptionEntry entries[] = {
      CLI_LOG_ENTRY(&log),
      {"larger-than", 0, 0, G_OPTION_ARG_DOUBLE, &larger, "Only when the log has more GiB", "GIB"},
      {"new-year", 0, 0, G_OPTION_ARG_NONE, &new_year,
       "Only when it was begun in an earlier year (with --larger-than: either)", NULL},
      {"list", 0, 0, G_OPTION_ARG_NONE, &only_list,
       "Show the logs that go on from one another, oldest first, and change nothing", NULL},
      CLI_JSON_ENTRY(&json),
      {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, NULL,
                 "Seals the log, which is only read from then on, and begins another in its place "
                 "that goes on from it. Nothing is lost: both are read, verified and erased "
                 "together. No program may have the log open.",
                 NULL, 0, 0, &status)) {
    return status;
  }
  if (!(larger >= 0 && larger <= 1e6)) {
    return cli_misused("--larger-than is %g; expected 0 to 1000000 GiB", larger);
  }
  if (only_list) {
    return list(log, json);
  }
  when.larger_than = (guint64)(larger * 1024 * 1024 * 1024);
  when.new_year = new_year;
  node = app_log_rotate(log, &when, &error);
  if (!node) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(node);
  } else {
    print_rotated(json_node_get_object(node));
  }
  return CLI_DONE;
}
