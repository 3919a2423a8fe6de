/* cmd-image.c - hilum image: the commands of one image; the others have files of their own. */
#include <stdio.h>

#include "commands.h"

static gboolean
is_text(JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING;
}

static char *plain_text(JsonNode *node);

/* "left R, right L" of what is there. An object of these reports holds no objects. */
static char *
plain_object(JsonObject *object)
{
  g_autoptr(GString) text = g_string_new(NULL);
  JsonObjectIter iter;
  const char *name;
  JsonNode *member;

  json_object_iter_init_ordered(&iter, object);
  while (json_object_iter_next_ordered(&iter, &name, &member)) {
    if (!JSON_NODE_HOLDS_NULL(member)) {
      g_autofree char *value = plain_text(member);
      g_string_append_printf(text, "%s%s %s", text->len > 0 ? ", " : "", name, value);
    }
  }
  return text->len > 0 ? g_string_free(g_steal_pointer(&text), FALSE) : g_strdup("-");
}

/* A JSON value in the words of a person: arrays with blanks between, nothing for null. */
static char *
plain_text(JsonNode *node)
{
  g_autofree char *json = app_json_text(node);

  if (JSON_NODE_HOLDS_OBJECT(node)) {
    return plain_object(json_node_get_object(node));
  }
  if (JSON_NODE_HOLDS_NULL(node)) {
    return g_strdup("-");
  }
  if (is_text(node)) {
    return g_strdup(json_node_get_string(node));
  }
  if (JSON_NODE_HOLDS_ARRAY(node) && json_array_get_length(json_node_get_array(node)) == 0) {
    return g_strdup("-");
  }
  return g_steal_pointer(&json);
}

/* Several texts, such as sentences, get a line each. */
static void
print_member(const char *name, JsonNode *member)
{
  JsonArray *array = JSON_NODE_HOLDS_ARRAY(member) ? json_node_get_array(member) : NULL;
  guint n = array ? json_array_get_length(array) : 0;

  if (n > 0 && is_text(json_array_get_element(array, 0))) {
    for (guint i = 0; i < n; i++) {
      cli_print_field(i == 0 ? name : "", "%s", json_array_get_string_element(array, i));
    }
  } else {
    g_autofree char *text = plain_text(member);
    cli_print_field(name, "%s", text);
  }
}

static void
print_members(JsonNode *node)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *member;

  json_object_iter_init_ordered(&iter, json_node_get_object(node));
  while (json_object_iter_next_ordered(&iter, &name, &member)) {
    print_member(name, member);
  }
}

static int
cmd_info(int argc, char **argv)
{
  gboolean json = FALSE, pixels = FALSE;
  const GOptionEntry entries[] = {CLI_JSON_ENTRY(&json),
                                  {"pixels", 0, 0, G_OPTION_ARG_NONE, &pixels,
                                   "Decode every frame too: MD5 and extremes of the stored values",
                                   NULL},
                                  {NULL}};
  int worst = CLI_DONE, status;

  if (!cli_parse(&argc, &argv, entries, NULL, "FILE…", "Facts of DICOM, JPEG and PNG files.", NULL,
                 1, G_MAXINT, &status)) {
    return status;
  }
  for (int i = 1; i < argc; i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) node = app_image_info(argv[i], pixels, &error);
    if (!node) {
      status = cli_failed(error);
      worst = MAX(worst, status);
    } else if (json) {
      cli_print_json(node);
    } else {
      if (i > 1) {
        putchar('\n');
      }
      print_members(node);
    }
  }
  return worst;
}

static gboolean
check_frame(int frame)
{
  if (frame < 0) {
    cli_misused("--frame is %d; frames are counted from 0", frame);
    return FALSE;
  }
  return TRUE;
}

static int
cmd_render(int argc, char **argv)
{
  g_autofree char *out = NULL, *window_text = NULL, *presentation = NULL;
  g_autoptr(GError) error = NULL;
  AppWindow window = {0};
  int frame = 0, status;
  const GOptionEntry entries[] = {
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &out, "PNG file to write", "FILE"},
      {"frame", 0, 0, G_OPTION_ARG_INT, &frame, "Frame, counted from 0 (default: 0)", "N"},
      {"window", 0, 0, G_OPTION_ARG_FILENAME, &window_text,
       "Window center and width (default: the file's own)", "C/W"},
      {"presentation", 0, 0, G_OPTION_ARG_FILENAME, &presentation,
       "Grayscale presentation state (DICOM) that the picture is to look like", "FILE"},
      {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, "FILE",
                 "The picture that screen and model get, as PNG.", NULL, 1, 1, &status)) {
    return status;
  }
  if (!out) {
    return cli_misused("--out says which PNG file to write; it is missing");
  }
  if (!check_frame(frame)) {
    return CLI_MISUSED;
  }
  if ((window_text && !app_window_parse(window_text, &window, &error)) ||
      !app_image_render(argv[1], (guint)frame, presentation, &window, out, &error)) {
    return cli_failed(error);
  }
  return CLI_DONE;
}

static int
cmd_decode(int argc, char **argv)
{
  g_autofree char *out = NULL;
  g_autoptr(GError) error = NULL;
  int frame = 0, status;
  const GOptionEntry entries[] = {
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &out,
       "File to write: a NumPy array when it ends in .npy, else raw bytes", "FILE"},
      {"frame", 0, 0, G_OPTION_ARG_INT, &frame, "Frame, counted from 0 (default: 0)", "N"},
      {NULL}};

  if (!cli_parse(&argc, &argv, entries, NULL, "FILE", "The stored values of one frame.",
                 "Values are little-endian, row by row, samples interleaved, in the file's own\n"
                 "photometric interpretation, before any rescale or window.",
                 1, 1, &status)) {
    return status;
  }
  if (!out) {
    return cli_misused("--out says which file to write; it is missing");
  }
  if (!check_frame(frame)) {
    return CLI_MISUSED;
  }
  if (!app_image_decode(argv[1], (guint)frame, out, &error)) {
    return cli_failed(error);
  }
  return CLI_DONE;
}

static int
cmd_sandbox(int argc, char **argv)
{
  gboolean json = FALSE;
  const GOptionEntry entries[] = {CLI_JSON_ENTRY(&json), {NULL}};
  g_autoptr(GError) error = NULL;
  int status;

  if (!cli_parse(&argc, &argv, entries, NULL, NULL,
                 "What the processes that read image files may do, tried out.", NULL, 0, 0,
                 &status)) {
    return status;
  }
  g_autoptr(JsonNode) node = app_image_sandbox(&error);
  if (!node) {
    return cli_failed(error);
  }
  if (json) {
    cli_print_json(node);
  } else {
    print_members(node);
  }
  return CLI_DONE;
}

int
cmd_image(int argc, char **argv)
{
  static const CliCommand commands[] = {
      {"info", "show what a file says of itself", cmd_info},
      {"list", "list the patients, studies and series of folders and discs", cmd_image_list},
      {"render", "write the picture for a window as PNG", cmd_render},
      {"decode", "write the stored values of a frame", cmd_decode},
      {"text", "show the text of a structured report", cmd_image_text},
      {"extract", "write the PDF that a file holds", cmd_image_extract},
      {"deid", "write copies without the patient", cmd_image_deid},
      {"sandbox", "try what the processes that read files may do", cmd_sandbox},
      {NULL, NULL, NULL}};

  return cli_dispatch("hilum image", "Looks into image files.", commands, argc, argv);
}
