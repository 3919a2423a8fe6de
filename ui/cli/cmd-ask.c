/* cmd-ask.c - hilum ask */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "conversation.h"

/* Lines of standard input are questions; an empty line is none. The asker on a terminal ends with
 * Ctrl-D. */
static int
ask_lines(CliTalk *talk, AppQuestion *question)
{
  gboolean terminal = isatty(STDIN_FILENO);
  char *line = NULL;
  size_t capacity = 0;
  int status = CLI_DONE, answered;
  guint n_asked = 0;

  /* While the first question is being typed. */
  cli_talk_prepare(talk);
  for (;;) {
    if (terminal) {
      fputs("? ", stderr);
    }
    if (getline(&line, &capacity, stdin) < 0) {
      break;
    }
    g_strstrip(line);
    if (*line == '\0') {
      continue;
    }
    if (!g_utf8_validate(line, -1, NULL)) {
      cli_note("this question is not valid UTF-8");
      status = CLI_FAILED;
      continue;
    }
    question->question = line;
    answered = cli_talk_ask(talk, question);
    status = MAX(status, answered);
    n_asked++;
    /* At a terminal a question may fail (too long, say) and the next go well. */
    if (status != CLI_DONE && !terminal) {
      break;
    }
  }
  free(line);
  if (terminal) {
    fputc('\n', stderr);
  }
  if (n_asked == 0 && status == CLI_DONE && !terminal) {
    return cli_misused("no question: give one with --question, or on standard input");
  }
  return status;
}

int
cmd_ask(int argc, char **argv)
{
  g_auto(CliTalkOptions) options = {0};
  g_auto(GStrv) questions = NULL;
  g_autofree char *form = NULL;
  AppQuestion question = {0};
  CliTalk *talk;
  int status;
  const GOptionEntry entries[] = {
      {"question", 'q', 0, G_OPTION_ARG_FILENAME_ARRAY, &questions,
       "Question; several make several turns (default: lines of standard input)", "TEXT"},
      {"answer", 0, 0, G_OPTION_ARG_FILENAME, &form,
       "Form of the answer: free, short or yes-no (default: free)", "FORM"},
      {NULL}};

  if (!cli_talk_parse(&options, &argc, &argv, entries,
                      "Answers questions about an image, in several turns.", &status)) {
    return status;
  }
  if (!cli_parse_form(form, &question.form)) {
    return CLI_MISUSED;
  }
  for (char **q = questions; q && *q; q++) {
    if (strspn(*q, " \t\r\n") == strlen(*q)) {
      return cli_misused("--question is empty");
    }
  }
  talk = cli_talk_open(&options, &status);
  if (!talk) {
    return status;
  }
  if (!questions) {
    status = ask_lines(talk, &question);
  }
  talk->show_questions = questions && questions[0] && questions[1];
  for (char **q = questions; q && *q && status == CLI_DONE; q++) {
    question.question = *q;
    status = cli_talk_ask(talk, &question);
  }
  cli_talk_close(talk);
  return status;
}
