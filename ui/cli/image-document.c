/* image-document.c - hilum image text|extract: reports and PDFs in DICOM files. */
#include <stdio.h>

#include "commands.h"

int
cmd_image_text(int argc, char **argv)
{
  gboolean json = FALSE;
  const GOptionEntry entries[] = {CLI_JSON_ENTRY(&json), {NULL}};
  g_autoptr(GError) error = NULL;
  int status;

  if (!cli_parse(
          &argc, &argv, entries, NULL, "FILE",
          "The text of a structured report or a key object selection.",
          "One content item a line, what belongs to an item below it and indented. Names of\n"
          "persons are shown as the report has them.",
          1, 1, &status)) {
    return status;
  }
  g_autoptr(JsonNode) node = app_image_text(argv[1], &error);
  if (!node) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(node);
  } else {
    const char *text = json_object_get_string_member(json_node_get_object(node), "text");
    g_autofree char *harmless = cli_harmless(g_strdup(text));

    fputs(harmless, stdout);
  }
  return CLI_DONE;
}

int
cmd_image_extract(int argc, char **argv)
{
  g_autofree char *out = NULL;
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &out, "PDF file to write", "FILE"},
      CLI_JSON_ENTRY(&json),
      {NULL}};
  g_autoptr(GError) error = NULL;
  int status;

  if (!cli_parse(&argc, &argv, entries, NULL, "FILE",
                 "The document of an encapsulated PDF, as a file of its own.", NULL, 1, 1,
                 &status)) {
    return status;
  }
  if (!out) {
    return cli_misused("--out says which PDF file to write; it is missing");
  }
  g_autoptr(JsonNode) node = app_image_extract(argv[1], out, &error);
  if (!node) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(node);
  } else {
    JsonObject *object = json_node_get_object(node);

    cli_print_field("out", "%s", cli_text_member(object, "out"));
    cli_print_field("bytes", "%" G_GINT64_FORMAT, json_object_get_int_member(object, "bytes"));
    cli_print_field("title", "%s", cli_text_member(object, "title"));
  }
  return CLI_DONE;
}
