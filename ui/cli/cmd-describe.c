/* cmd-describe.c - hilum describe */
#include <string.h>

#include "commands.h"
#include "conversation.h"

static gboolean
parse_length(const char *text, AppLength *length)
{
  static const char *const names[] = {"auto", "brief", "detailed"};

  *length = APP_LENGTH_AUTO;
  for (guint i = 0; text && i < G_N_ELEMENTS(names); i++) {
    if (strcmp(text, names[i]) == 0) {
      *length = (AppLength)i;
      return TRUE;
    }
  }
  if (text) {
    cli_misused("--length is '%s'; expected auto, brief or detailed", text);
  }
  return text == NULL;
}

int
cmd_describe(int argc, char **argv)
{
  g_auto(CliTalkOptions) options = {0};
  g_autofree char *length = NULL, *caption = NULL;
  AppQuestion question = {0};
  CliTalk *talk;
  int status;
  const GOptionEntry entries[] = {
      {"length", 0, 0, G_OPTION_ARG_FILENAME, &length,
       "auto, brief or detailed (default: auto, by the caption's words)", "LENGTH"},
      {"caption", 0, 0, G_OPTION_ARG_FILENAME, &caption,
       "Caption or indication (default: the data set's own text)", "TEXT"},
      {NULL}};

  if (!cli_talk_parse(&options, &argc, &argv, entries, "Describes an image, briefly or in detail.",
                      &status)) {
    return status;
  }
  if (!parse_length(length, &question.length)) {
    return CLI_MISUSED;
  }
  question.caption = caption;
  talk = cli_talk_open(&options, &status);
  if (!talk) {
    return status;
  }
  status = cli_talk_ask(talk, &question);
  cli_talk_close(talk);
  return status;
}
