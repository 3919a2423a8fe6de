/* main.c - `hilum`, the command. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "passphrase.h"

#define SUMMARY "Ask questions of medical images with a LLaVA-Med model that runs right here."

/* Names of files and words of questions end in JSON, which knows UTF-8 alone. */
static gboolean
arguments_are_utf8(int argc, char **argv)
{
  for (int i = 1; i < argc; i++) {
    if (!g_utf8_validate(argv[i], -1, NULL)) {
      g_autofree char *shown = g_utf8_make_valid(argv[i], -1);
      cli_misused("argument %d (\"%s\") is not valid UTF-8", i, shown);
      return FALSE;
    }
  }
  return TRUE;
}

static void
warn(const char *text)
{
  cli_note("%s", text);
}

int
main(int argc, char **argv)
{
  int status;

  /* A reader that went away must not cost a finished turn its place in the log; the failed write
   * is reported at the end instead. */
  signal(SIGPIPE, SIG_IGN);

  app_set_warning(warn);
  app_guard_files();
  cli_set_ask_passphrase();

  if (!arguments_are_utf8(argc, argv)) {
    return CLI_MISUSED;
  }
  if (argc == 2 && strcmp(argv[1], "--version") == 0) {
    printf("hilum %s\n", app_version());
    status = CLI_DONE;
  } else {
    status = cli_dispatch("hilum", SUMMARY "\n" APP_NOTICE, cli_commands, argc, argv);
  }
  return cli_finish_output(status);
}
