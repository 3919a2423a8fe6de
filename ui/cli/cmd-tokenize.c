/* cmd-tokenize.c - hilum tokenize */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "json-string.h"

static void
print_ids(JsonNode *node)
{
  JsonArray *ids = json_object_get_array_member(json_node_get_object(node), "ids");
  guint n = json_array_get_length(ids);

  for (guint i = 0; i < n; i++) {
    printf("%s%" G_GINT64_FORMAT, i > 0 ? " " : "", json_array_get_int_element(ids, i));
  }
  putchar('\n');
}

/* One line, without its end. */
static int
tokenize_line(AppTokenizer *tokenizer, const char *line, gsize length, guint number,
              gboolean as_json_string, gboolean json)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) node = NULL;
  g_autoptr(GString) decoded = NULL;

  if (as_json_string) {
    decoded = cli_json_string_parse(line, length, &error);
    if (!decoded) {
      cli_note("line %u: %s", number, error->message);
      return CLI_FAILED;
    }
    line = decoded->str;
    length = decoded->len;
  }
  if (!g_utf8_validate_len(line, length, NULL) && !memchr(line, '\0', length)) {
    cli_note("line %u is not valid UTF-8", number);
    return CLI_FAILED;
  }
  node = app_tokenizer_line(tokenizer, line, length, &error);
  if (!node) {
    cli_note("line %u: %s", number, error->message);
    return CLI_FAILED;
  }
  if (json) {
    cli_print_json(node);
  } else {
    print_ids(node);
  }
  return CLI_DONE;
}

static int
tokenize_input(AppTokenizer *tokenizer, gboolean as_json_strings, gboolean json)
{
  char *line = NULL;
  size_t capacity = 0;
  ssize_t length;
  int status = CLI_DONE;

  errno = 0;
  for (guint number = 1; status == CLI_DONE; number++) {
    length = getline(&line, &capacity, stdin);
    if (length < 0) {
      break;
    }
    if (length > 0 && line[length - 1] == '\n') {
      length--;
    }
    status = tokenize_line(tokenizer, line, (gsize)length, number, as_json_strings, json);
  }
  if (status == CLI_DONE && ferror(stdin)) {
    cli_note("standard input: %s", g_strerror(errno));
    status = CLI_FAILED;
  }
  free(line);
  return status;
}

int
cmd_tokenize(int argc, char **argv)
{
  g_auto(CliModel) model = {0};
  gboolean json = FALSE, json_strings = FALSE;
  g_autoptr(GError) error = NULL;
  AppTokenizer *tokenizer;
  int status;
  const GOptionEntry entries[] = {CLI_JSON_ENTRY(&json),
                                  {"json-strings", 0, 0, G_OPTION_ARG_NONE, &json_strings,
                                   "Each line of input is a JSON string", NULL},
                                  {NULL}};

  if (!cli_parse(&argc, &argv, entries, cli_model_group(&model), NULL,
                 "Reads lines from standard input and prints their token ids.",
                 "With --json, \"ids\" is the plain encoding, and \"ids_special\" begins with the "
                 "model's\nfirst id and knows its special strings.",
                 0, 0, &status)) {
    return status;
  }
  if (!cli_model_finish(&model)) {
    return CLI_MISUSED;
  }
  tokenizer = app_tokenizer_open(&model.model, &error);
  if (!tokenizer) {
    return cli_failed(error);
  }
  status = tokenize_input(tokenizer, json_strings, json);
  app_tokenizer_free(tokenizer);
  return status;
}
