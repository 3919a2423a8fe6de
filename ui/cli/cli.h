/* cli.h - what the subcommands of `hilum` share.
 *
 * The contract: results go to standard output, everything else to standard error; exit status 0 is
 * done, 1 is failed, 2 is misused. Every subcommand is a function int cmd_NAME(int argc,
 * char **argv), where argv[0] is its own name, and one row of the table in commands.c.
 */
#ifndef HILUM_CLI_H
#define HILUM_CLI_H

#include "app.h"

enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_MISUSED = 2 };

typedef struct {
  const char *name;
  const char *summary; /* one line, without a full stop */
  int (*run)(int argc, char **argv);
} CliCommand;

/* Picks argv[1] from COMMANDS (ends with a NULL name) and runs it; answers --help, and complains
 * about anything else. NAME is what the user typed so far, such as "hilum image". */
int cli_dispatch(const char *name, const char *summary, const CliCommand *commands, int argc,
                 char **argv);

/* ---- options ------------------------------------------------------------------------------ */

/* Parses ENTRIES. Strings use G_OPTION_ARG_FILENAME, which takes bytes as they are in every locale
 * (main() has checked that they are UTF-8). After it returns TRUE the rest of *argv, from 1 on, are
 * the operands, N_MIN to N_MAX of them. After FALSE, *status is what to exit with: --help was
 * answered, or a complaint was made. OPERANDS is their picture in the usage line. */
gboolean cli_parse(int *argc, char ***argv, const GOptionEntry *entries, GOptionGroup *group,
                   const char *operands, const char *summary, const char *description, int n_min,
                   int n_max, int *status);

/* --model, --mmproj, --vision-tower, --template, --threads, --context (--ctx), --kv-type. */
typedef struct {
  AppModelOptions model; /* strings borrowed from the fields below */
  char *path, *mmproj, *vision_tower, *template_name, *kv_type;
  int threads, context;
} CliModel;
GOptionGroup *cli_model_group(CliModel *model); /* give it to cli_parse() */
/* Checks the values and fills model->model. FALSE: complained already, exit with CLI_MISUSED. */
gboolean cli_model_finish(CliModel *model);
/* The model as an operand, argv[1], where there is one. FALSE: --model names one too; complained.
 */
gboolean cli_model_operand(CliModel *model, int argc, char **argv);
void cli_model_clear(CliModel *model);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CliModel, cli_model_clear)

/* --engine and what goes with it: a server in the model's place. */
typedef struct {
  AppRemoteOptions remote; /* strings borrowed from the fields below */
  char *host;              /* for people; NULL: no server */
  char *url, *name, *ca_file, *proxy;
  int timeout;
  gboolean insecure;
} CliEngine;
/* Into GROUP, which is of the model's options. */
void cli_engine_add(GOptionGroup *group, CliEngine *engine);
/* Checks the values and fills engine->remote. FALSE: complained already, exit with CLI_MISUSED. */
gboolean cli_engine_finish(CliEngine *engine, const CliModel *model);
void cli_engine_clear(CliEngine *engine);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CliEngine, cli_engine_clear)

/* Values of options. FALSE: complained already, exit with CLI_MISUSED. */
gboolean cli_parse_seed(const char *text, guint64 *seed);
/* One of NAMES (ends with NULL) becomes its index; TEXT NULL leaves *CHOICE as it is. */
gboolean cli_parse_choice(const char *option, const char *text, const char *const *names,
                          guint *choice);
gboolean cli_parse_form(const char *text, AppAnswerForm *form); /* TEXT NULL: free */

/* --log FILE and --no-log, as entries for a subcommand's own list. */
#define CLI_LOG_ENTRY(log)                                                                         \
  {                                                                                                \
    "log", 0, 0, G_OPTION_ARG_FILENAME, log, "Conversation log to use (default: the user's own)",  \
        "FILE"                                                                                     \
  }
#define CLI_JSON_ENTRY(json)                                                                       \
  {                                                                                                \
    "json", 0, 0, G_OPTION_ARG_NONE, json, "Print JSON, one object per line", NULL                 \
  }

/* ---- stopping ----------------------------------------------------------------------------- */

/* From now on Ctrl-C (or SIGTERM) is a wish to end, which long work looks for, so that it leaves a
 * usable state and no half file. A second one ends the program at once. */
void cli_catch_interrupt(void);
gboolean cli_is_interrupted(void);

/* An AppProgress that shows "42 %" where standard error is a terminal; FALSE once interrupted. */
gboolean cli_show_percent(guint64 done, guint64 total, gpointer user);
void cli_clear_percent(void);

/* ---- messages ----------------------------------------------------------------------------- */

/* Complain on standard error, as "hilum: ...". Each returns the status to exit with. */
int cli_misused(const char *format, ...) G_GNUC_PRINTF(1, 2);
int cli_failed(const GError *error); /* CLI_MISUSED for APP_ERROR_ARGUMENT, else CLI_FAILED */
void cli_note(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* One JSON document on one line of standard output. */
void cli_print_json(JsonNode *node);
/* Flushes standard output; CLI_FAILED with a complaint when it could not be written whole. */
int cli_finish_output(int status);

/* TEXT with a "?" for each control character but line feeds and tabs, and for what shows a text in
 * another order than it has: what files and models say must neither steer a terminal nor deceive.
 * In place; returns TEXT. */
char *cli_harmless(char *text);
/* The same of a text for one line: no line breaks, at most WIDTH characters. g_free(). */
char *cli_one_line(const char *text, glong width);

/* A string member for people: "-" when it is absent or null. Borrowed. */
const char *cli_text_member(JsonObject *object, const char *name);
/* "key   value" lines for people. */
void cli_print_field(const char *key, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif
