/* passphrase.c - asks for a log's passphrase, or a PIN, at the terminal, without showing it. */
#include "passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "app_secrets.h"
#include "cli.h"

#define MOST_BYTES 4096u
#define TRIES 3u

static char *
fail(const CliSecret *secret, GError **error, const char *why)
{
  g_set_error(error, APP_ERROR, APP_ERROR_FAILED, "%s: %s (%s)", secret->what, why,
              secret->instead);
  return NULL;
}

static void
say(int terminal, const char *text)
{
  gssize written = write(terminal, text, strlen(text));

  (void)written; /* whoever cannot read it cannot answer either */
}

/* A line as it is typed, NULL at its end or when the user has had enough (Ctrl-C). */
static char *
read_line(int terminal)
{
  char bytes[MOST_BYTES];
  char *line = NULL;
  gsize n = 0;

  while (n < sizeof bytes && !(n && bytes[n - 1] == '\n') && !cli_is_interrupted()) {
    struct pollfd ready = {terminal, POLLIN, 0};
    if (poll(&ready, 1, 200) > 0) {
      gssize part = read(terminal, bytes + n, sizeof bytes - n);
      if (part == 0 || (part < 0 && errno != EINTR)) {
        break;
      }
      n += (gsize)MAX(part, 0);
    }
  }
  if (n > 0 && bytes[n - 1] == '\n') {
    line = g_strndup(bytes, n - 1);
  }
  explicit_bzero(bytes, sizeof bytes);
  return line;
}

static char *
ask_once(int terminal, const char *prompt)
{
  struct termios before, silent;
  char *line;

  if (tcgetattr(terminal, &before) != 0) {
    return NULL;
  }
  silent = before;
  silent.c_lflag &= ~(tcflag_t)ECHO;
  tcsetattr(terminal, TCSAFLUSH, &silent); /* before the prompt: who is quick is not shown */
  say(terminal, prompt);
  line = read_line(terminal);
  tcsetattr(terminal, TCSAFLUSH, &before);
  say(terminal, "\n");
  return line;
}

void
cli_wipe(char **line)
{
  if (*line) {
    explicit_bzero(*line, strlen(*line));
    g_clear_pointer(line, g_free);
  }
}

static char *
ask_twice(int terminal, const CliSecret *secret, GError **error)
{
  for (guint i = 0; i < TRIES; i++) {
    char *line = ask_once(terminal, secret->prompt);
    char *same = line ? ask_once(terminal, secret->again) : NULL;
    gboolean good = line && same && *line && strcmp(line, same) == 0;
    gboolean refused = !line || !same;
    cli_wipe(&same);
    if (good) {
      return line;
    }
    cli_wipe(&line);
    if (refused) {
      return fail(secret, error, "none was given");
    }
    say(terminal, "These are not the same, or nothing.\n");
  }
  return fail(secret, error, "no two were the same");
}

char *
cli_ask_secret(const CliSecret *secret, GError **error)
{
  int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
  struct sigaction on_interrupt, on_end;
  char *line;

  if (terminal < 0) {
    return fail(secret, error, "there is no terminal to ask at");
  }
  /* Ctrl-C must leave a terminal that shows what is typed. */
  sigaction(SIGINT, NULL, &on_interrupt);
  sigaction(SIGTERM, NULL, &on_end);
  cli_catch_interrupt();
  if (secret->again) {
    line = ask_twice(terminal, secret, error);
  } else {
    line = ask_once(terminal, secret->prompt);
    if (!line) {
      fail(secret, error, "none was given");
    }
  }
  if (!cli_is_interrupted()) {
    sigaction(SIGINT, &on_interrupt, NULL);
    sigaction(SIGTERM, &on_end, NULL);
  }
  close(terminal);
  return line;
}

static char *
ask(gboolean again, gpointer user, GError **error)
{
  const CliSecret secret = {again ? "New passphrase of the log: " : "Passphrase of the log: ",
                            again ? "The same again: " : NULL, "the log's passphrase",
                            "or name a file that holds it in $HILUM_LOG_PASSPHRASE_FILE"};

  return cli_ask_secret(&secret, error);
}

void
cli_set_ask_passphrase(void)
{
  app_set_ask_passphrase(ask, NULL);
}
