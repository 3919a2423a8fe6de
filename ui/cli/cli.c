/* cli.c - dispatch, messages and output. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static void
print_commands(FILE *to, const char *name, const char *summary, const CliCommand *commands)
{
  fprintf(to, "Usage:\n  %s COMMAND [OPTION…]\n\n%s\n\nCommands:\n", name, summary);
  for (const CliCommand *c = commands; c->name; c++) {
    fprintf(to, "  %-10s %s\n", c->name, c->summary);
  }
  fprintf(to, "\n'%s COMMAND --help' tells more about one of them.\n", name);
}

static const CliCommand *
find_command(const CliCommand *commands, const char *name)
{
  for (const CliCommand *c = commands; c->name; c++) {
    if (strcmp(c->name, name) == 0) {
      return c;
    }
  }
  return NULL;
}

int
cli_dispatch(const char *name, const char *summary, const CliCommand *commands, int argc,
             char **argv)
{
  const CliCommand *command;
  g_autofree char *program = NULL;

  if (argc < 2) {
    print_commands(stderr, name, summary, commands);
    return CLI_MISUSED;
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
    print_commands(stdout, name, summary, commands);
    return CLI_DONE;
  }
  command = find_command(commands, argv[1]);
  if (!command) {
    return cli_misused("'%s' is not a command of %s; '%s --help' lists them", argv[1], name, name);
  }
  program = g_strdup_printf("%s %s", name, command->name);
  g_set_prgname(program);
  return command->run(argc - 1, argv + 1);
}

/* How many bytes the harmful character at P has; 0 when it is none. Bytewise, since answers come in
 * pieces that may end within a character. */
static gsize
harmful_length(const guchar *p)
{
  if ((*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f) {
    return 1;
  }
  if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) {
    return 2; /* U+0080 to U+009F */
  }
  /* U+2028 to U+202E and U+2066 to U+2069: separators of lines, embeddings, overrides, isolates. */
  if (p[0] == 0xe2 && ((p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) ||
                       (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9))) {
    return 3;
  }
  return 0;
}

char *
cli_harmless(char *text)
{
  guchar *to = (guchar *)text;

  for (const guchar *from = (const guchar *)text; *from;) {
    gsize n = harmful_length(from);

    *to++ = n > 0 ? '?' : *from;
    from += MAX(n, 1);
  }
  *to = '\0';
  return text;
}

char *
cli_one_line(const char *text, glong width)
{
  g_autofree char *line = g_strdelimit(cli_harmless(g_strdup(text)), "\n\t", ' ');

  if (g_utf8_strlen(line, -1) > width) {
    g_autofree char *cut = g_utf8_substring(line, 0, width - 1);
    return g_strconcat(cut, "…", NULL);
  }
  return g_steal_pointer(&line);
}

static void
say(const char *format, va_list args)
{
  g_autofree char *text = cli_harmless(g_strdup_vprintf(format, args));

  /* Answers that were printed so far come first where both streams share a terminal. */
  fflush(stdout);
  fprintf(stderr, "hilum: %s\n", text);
}

int
cli_misused(const char *format, ...)
{
  va_list args;

  va_start(args, format);
  say(format, args);
  va_end(args);
  return CLI_MISUSED;
}

void
cli_note(const char *format, ...)
{
  va_list args;

  va_start(args, format);
  say(format, args);
  va_end(args);
}

int
cli_failed(const GError *error)
{
  cli_note("%s", error->message);
  return g_error_matches(error, APP_ERROR, APP_ERROR_ARGUMENT) ? CLI_MISUSED : CLI_FAILED;
}

void
cli_print_json(JsonNode *node)
{
  g_autofree char *text = app_json_text(node);

  puts(text);
  /* A reader of the stream gets each turn when it is done. */
  fflush(stdout);
}

int
cli_finish_output(int status)
{
  if (fflush(stdout) != 0 || ferror(stdout)) {
    fprintf(stderr, "hilum: standard output could not be written: %s\n", g_strerror(errno));
    return status == CLI_DONE ? CLI_FAILED : status;
  }
  return status;
}

const char *
cli_text_member(JsonObject *object, const char *name)
{
  const char *text = json_object_get_string_member_with_default(object, name, NULL);

  return text ? text : "-";
}

void
cli_print_field(const char *key, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start(args, format);
  text = g_strdup_vprintf(format, args);
  va_end(args);
  /* A line feed in a name or value must not begin a field of its own making. */
  printf("%-20s %s\n", key, g_strdelimit(cli_harmless(text), "\n", ' '));
}

/* ---- stopping ----------------------------------------------------------------------------- */

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int number)
{
  interrupted = 1;
  signal(number, SIG_DFL);
}

void
cli_catch_interrupt(void)
{
  signal(SIGINT, on_interrupt);
  signal(SIGTERM, on_interrupt);
}

gboolean
cli_is_interrupted(void)
{
  return interrupted != 0;
}

gboolean
cli_show_percent(guint64 done, guint64 total, gpointer user)
{
  if (isatty(STDERR_FILENO) && total > 0) {
    fprintf(stderr, "\r%3d %% ", (int)(100 * done / total));
  }
  return !cli_is_interrupted();
}

void
cli_clear_percent(void)
{
  if (isatty(STDERR_FILENO)) {
    fputs("\r      \r", stderr);
  }
}
