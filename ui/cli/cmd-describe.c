/* cmd-describe.c - hilum describe */
#include "commands.h"
#include "conversation.h"

int
cmd_describe(int argc, char **argv)
{
  g_auto(CliTalkOptions) options = {0};
  g_autofree char *length = NULL, *caption = NULL;
  static const char *const lengths[] = {"auto", "brief", "detailed", NULL};
  guint choice = APP_LENGTH_AUTO;
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
  if (!cli_parse_choice("length", length, lengths, &choice)) {
    return CLI_MISUSED;
  }
  question.length = (AppLength)choice;
  question.caption = caption;
  talk = cli_talk_open(&options, &status);
  if (!talk) {
    return status;
  }
  status = cli_talk_ask(talk, &question);
  cli_talk_close(talk);
  return status;
}
